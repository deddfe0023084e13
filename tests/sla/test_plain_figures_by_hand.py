"""What is stated without times, counted by hand: downtime, outages, rates, counts, availabilities and values.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.ends import ENDLESS
from ledger.domain.policy.model import (
    Counting,
    ExclusionRule,
    Measure,
)
from ledger.errors import Refused
from projections.evaluation.evidence import Plain
from tests.sla.figures import (
    AVAILABLE,
    DOWN,
    EXCLUDED,
    GONE,
    INCIDENTS,
    MESSAGES,
    RATE,
    REMOVED,
    TIME,
    bounds,
    fields,
    made,
)
from tests.sla.timelines import OUTAGE

F = Fraction


def plain(
    measure: Measure = TIME,
    counting: Counting = OUTAGE,
    rules: tuple[ExclusionRule, ...] = (),
    **stated: Any,
) -> Any:
    return made(measure, counting=counting, rules=rules, plain=Plain(**stated))


def exactly(seconds: int | Fraction) -> tuple[Fraction, Fraction]:
    return F(seconds), F(seconds)


def test_plain_downtime_is_taken_as_one_outage_of_which_a_part_was_excluded() -> None:
    assert fields(plain(downtime=exactly(100), excluded=F(30))) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "excluded_seconds": 30, "eligible_least": 70, "eligible_most": 70, "low": F(93, 100), "high": F(93, 100),
    }  # fmt: skip
    more = plain(downtime=exactly(100), excluded=F(130))
    assert (more.excluded_seconds, more.eligible_least, more.eligible_most) == (100, 0, 0)
    between = plain(downtime=(F(50), F(200)), excluded=F(60))
    assert (
        between.downtime_seconds,
        between.eligible_least,
        between.eligible_most,
    ) == (200, 0, 140)
    assert bounds(between) == (F(86, 100), 1)


def test_plain_excluded_time_leaves_the_period_only_where_the_terms_say_so() -> None:
    assert plain(downtime=exactly(100), removed=F(500)).period_seconds == 1_000
    assert plain(downtime=exactly(100), removed=F(500), rules=(EXCLUDED,)).period_seconds == 1_000
    found = plain(downtime=exactly(100), removed=F(500), rules=(EXCLUDED, REMOVED))
    assert (found.period_seconds, found.removed_seconds, bounds(found)) == (500, 500, (F(4, 5), F(4, 5)))


@pytest.mark.parametrize(
    ("measure", "period", "down"), [(AVAILABLE, 500, 100), (GONE, 300, 100), (DOWN, 500, 300)]
)
def test_plain_time_without_data_is_up_or_gone_or_down(measure: Measure, period: int, down: int) -> None:
    found = plain(measure, downtime=exactly(100), removed=F(500), unobserved=F(200), rules=(REMOVED,))
    assert (found.period_seconds, found.eligible_least, found.eligible_most) == (period, down, down)
    assert found.removed_seconds == 1_000 - period


@pytest.mark.parametrize(
    ("changed", "stated", "expected"),
    [
        ({"minimum": F(60)}, exactly(60), (60, 60)),
        ({"minimum": F(60)}, exactly(59), (0, 0)),
        ({"minimum": F(60)}, (F(59), F(61)), (0, 61)),
        ({"quantise": "each-up"}, exactly(61), (120, 120)),
        ({"quantise": "each-up"}, exactly(60), (60, 60)),
        ({"quantise": "each-down"}, exactly(119), (60, 60)),
        ({"quantise": "total-up"}, exactly(61), (120, 120)),
        ({"quantise": "total-down"}, exactly(119), (60, 60)),
        ({"quantise": "total-down", "quantum": 50}, (F(99), F(151)), (50, 150)),
        ({"quantise": "each-up", "quantum": 7}, exactly(F(29, 2)), (21, 21)),
        ({"quantise": "exact"}, exactly(61), (61, 61)),
    ],
)  # fmt: skip
def test_plain_downtime_obeys_the_least_duration_and_the_quanta(
    changed: dict[str, Any], stated: tuple[Fraction, Fraction], expected: tuple[int, int]
) -> None:
    found = plain(downtime=stated, counting=msgspec.structs.replace(OUTAGE, **changed))
    assert (found.eligible_least, found.eligible_most, found.downtime_seconds) == (*expected, stated[1])


@pytest.mark.parametrize(
    ("changed", "stated", "beside"),
    [
        # What is left out is what is excluded, or too short, or below the share; not what rounding takes or adds.
        ({}, {"downtime": exactly(100), "excluded": F(30)}, 30),
        ({"quantise": "each-up"}, {"downtime": exactly(61)}, 0),
        ({"quantise": "each-down"}, {"downtime": exactly(119)}, 0),
        ({"minimum": F(60)}, {"downtime": exactly(59)}, 59),
        ({"minimum": F(60), "quantise": "each-up"}, {"outages": ((F(61), F(1), F(1)), (F(59), F(1), F(1)))}, 59),
        ({"down": "above-share", "share_above": F(1, 2)}, {"outages": ((F(100), F(1), F(1)), (F(50), F(1, 4), F(1, 2)))}, 50),
        ({"down": "all"}, {"outages": ((F(100), F(1), F(1)), (F(50), F(1, 4), F(3, 4)))}, 50),
        # Where more was down than anything, what is excluded of it is as much as was stated.
        ({}, {"downtime": (F(100), ENDLESS), "excluded": F(30)}, 30),
    ],
)  # fmt: skip
def test_how_much_plain_downtime_does_not_count(
    changed: dict[str, Any], stated: dict[str, Any], beside: int
) -> None:
    found = plain(counting=msgspec.structs.replace(OUTAGE, **changed), **stated)
    assert found.excluded_seconds == beside


@pytest.mark.parametrize("quantise", ["slots-touched", "slots-filled"])
def test_slots_need_to_know_when_it_was_down(quantise: Any) -> None:
    said = f'quantise = "{quantise}" needs to know when it was down; state windows instead of plain downtime'
    with pytest.raises(Refused, match=said):
        plain(downtime=exactly(100), counting=msgspec.structs.replace(OUTAGE, quantise=quantise))


ALL = (F(1), F(1))


@pytest.mark.parametrize(
    ("changed", "measure", "outages", "expected"),
    [
        ({}, TIME, [(F(100), *ALL), (F(50), *ALL)], (150, 150)),
        # Any part of it is down, unless none is.
        ({}, TIME, [(F(100), F(1, 2), F(1, 2)), (F(50), F(0), F(1))], (100, 150)),
        ({}, Measure("affected-share"), [(F(100), F(1, 2), F(1, 2)), (F(50), F(0), F(1))], (50, 100)),
        ({}, Measure("user-minutes"), [(F(100), F(1, 4), F(1, 2))], (25, 50)),
        ({}, Measure("error-rate", bucket_seconds=60), [(F(100), F(1, 4), F(1, 2))], (25, 50)),
        ({"minimum": F(60)}, TIME, [(F(59), *ALL), (F(60), *ALL), (F(61), *ALL)], (121, 121)),
        ({"quantise": "each-up"}, TIME, [(F(61), *ALL), (F(60), *ALL)], (180, 180)),
        ({"quantise": "each-down"}, TIME, [(F(61), *ALL), (F(59), *ALL)], (60, 60)),
        ({"quantise": "total-up"}, TIME, [(F(61), *ALL), (F(60), *ALL)], (180, 180)),
        ({"quantise": "total-down"}, TIME, [(F(61), *ALL), (F(59), *ALL)], (120, 120)),
        ({"quantise": "total-up"}, TIME, [(F(61), *ALL), (F(59), *ALL)], (120, 120)),
        ({"quantise": "each-up"}, Measure("affected-share"), [(F(61), F(1, 2), F(1, 2))], (60, 60)),
        # Above a share, and not exactly at it.
        ({"down": "above-share", "share_above": F(1, 2)}, TIME, [(F(100), F(1, 2), F(51, 100))], (0, 100)),
        ({"down": "above-share"}, TIME, [(F(100), F(0), F(1, 100))], (0, 100)),
        ({"down": "above-share", "share_above": F(1, 2)}, Measure("affected-share"), [(F(100), F(1, 2), F(3, 4))], (0, 75)),
        ({"down": "all"}, TIME, [(F(100), F(99, 100), F(1))], (0, 100)),
    ],
)  # fmt: skip
def test_plain_outages_count_one_by_one(
    changed: dict[str, Any], measure: Measure, outages: list[Any], expected: tuple[int, int]
) -> None:
    found = plain(measure, outages=tuple(outages), counting=msgspec.structs.replace(OUTAGE, **changed))
    assert (found.eligible_least, found.eligible_most) == expected
    assert found.downtime_seconds == sum(one[0] for one in outages)


def test_plain_error_rates_weigh_by_their_buckets() -> None:
    """A half in 2 buckets of 100 seconds and a tenth in 3: 100 + 30."""
    found = plain(RATE, rates=((F(1, 2), F(1, 2), 2), (F(1, 10), F(1, 10), 3)))
    assert (found.downtime_seconds, found.eligible_least, found.eligible_most, bounds(found)) == (
        130, 130, 130, (F(87, 100), F(87, 100))
    )  # fmt: skip
    with pytest.raises(
        Refused, match="error_rates have no meaning under a policy that measures time; state downtime instead"
    ):
        plain(rates=((F(1, 2), F(1, 2), 2),))


def test_a_plain_availability_stands_for_seconds_and_plain_counts_for_an_availability() -> None:
    assert fields(plain(availability=(F(9, 10), F(99, 100)))) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "eligible_least": 10, "eligible_most": 100,
        "low": F(9, 10), "high": F(99, 100),
    }  # fmt: skip
    for of in ("executions", "messages", "error-rate"):
        assert bounds(plain(Measure(of), failed=exactly(1), total=exactly(8))) == (F(7, 8), F(7, 8))
        assert bounds(plain(Measure(of), failed=exactly(0), total=exactly(0))) == (1, 1)
    assert bounds(plain(Measure("messages", missing="down"), failed=exactly(0), total=exactly(0))) == (0, 0)


@pytest.mark.parametrize(
    ("failed", "total", "expected"),
    [
        ((1, 1), (10, 20), (F(9, 10), F(19, 20))),
        ((1, 4), (5, 10), (F(1, 5), F(9, 10))),
        # More may have failed than there surely were; no more than there were.
        ((1, 8), (5, 10), (0, F(9, 10))),
        ((1, 20), (10, 10), (0, F(9, 10))),
        # Two failed of two, or of ten.
        ((2, 2), (0, 10), (0, F(4, 5))),
        # Of however many none failed.
        ((0, 0), (0, 10), (1, 1)),
        ((0, 5), (0, 10), (0, 1)),
        # Of countless ones countless failed.
        ((ENDLESS, ENDLESS), (ENDLESS, ENDLESS), (0, 1)),
    ],
)
def test_plain_counts_within_bounds_leave_what_all_of_them_allow(
    failed: Any, total: Any, expected: tuple[Any, Any]
) -> None:
    stated: dict[str, Any] = {name: tuple(F(end) if type(end) is int else end for end in ends) for name, ends in (("failed", failed), ("total", total))}  # fmt: skip
    assert bounds(plain(MESSAGES, **stated)) == expected
    # Where perhaps nothing was counted, it was perhaps down.
    down = bounds(plain(msgspec.structs.replace(MESSAGES, missing="down"), **stated))
    assert down == (0 if stated["total"][0] == 0 and not failed[0] else expected[0], expected[1])


def test_plain_counts_are_shown_where_they_are_no_bounds() -> None:
    assert plain(MESSAGES, failed=exactly(1), total=exactly(8)).counts == (1, 8, 0, 0)
    assert plain(MESSAGES, failed=(F(1), F(2)), total=exactly(8)).counts == ()
    assert plain(MESSAGES, failed=exactly(1), total=(F(8), F(9))).counts == ()


@pytest.mark.parametrize(
    ("measure", "stated", "said"),
    [
        (MESSAGES, {"total": exactly(8)}, "the policy measures messages, so it needs failed and total; add them"),
        (TIME, {"failed": exactly(1), "total": exactly(8)}, "failed and total have no meaning under a policy that measures time; state downtime, or measurements"),
        (TIME, {"value": exactly(1)}, "value has no meaning under a policy that measures time; state downtime, uptime or counts instead"),
        (INCIDENTS, {"downtime": exactly(1)}, "the policy measures events, so it needs value; add it"),
        (MESSAGES, {"downtime": exactly(1)}, "the policy measures messages, so it needs failed and total; add them"),
        (Measure("executions"), {"downtime": exactly(1)}, "the policy measures executions, so it needs failed and total; add them"),
    ],
)  # fmt: skip
def test_plain_figures_that_are_not_what_is_measured_are_refused(
    measure: Measure, stated: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        plain(measure, **stated)
    assert str(refused.value) == said


def test_a_plain_value_has_no_seconds() -> None:
    found = plain(INCIDENTS, value=(F(2), F(5)))
    assert (bounds(found), found.period_seconds, found.eligible_least, found.eligible_most) == (
        (2, 5), 1_000, 0, 0
    )  # fmt: skip
    assert (found.downtime_seconds, found.excluded_seconds, found.removed_seconds, found.entries) == (
        0,
        0,
        0,
        frozenset(),
    )
