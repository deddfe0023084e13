"""What error rates come to, bucket by bucket, counted by hand.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    ExclusionRule,
)
from ledger.errors import Refused
from tests.sla.figures import (
    EXCLUDED,
    RATE,
    REMOVED,
    bounds,
    fields,
    made,
    measured,
)
from tests.sla.timelines import off

F = Fraction


def asked(start: int, end: int, failed: int, total: int, name: str = "m", **changed: Any) -> Measurement:
    return measured(start, end, failed, total, name, of="requests", **changed)


@pytest.mark.parametrize(
    ("facts", "down"),
    [
        ((), 0),
        # A quarter of one bucket; an empty bucket has no errors.
        ((asked(1_000, 1_100, 1, 4),), 25),
        ((asked(1_000, 1_100, 1, 4), asked(1_100, 1_200, 0, 0)), 25),
        ((asked(1_000, 1_100, 0, 4), asked(1_100, 1_200, 2, 4)), 50),
        # Of one bucket the counts are added: 3 of 8.
        ((asked(1_000, 1_100, 1, 4), asked(1_000, 1_100, 2, 4, "n")), F(75, 2)),
        # The same twice is one.
        ((asked(1_000, 1_100, 1, 4), asked(1_000, 1_100, 1, 4)), 25),
        # A part of a bucket stands for it; whole buckets have one rate.
        ((asked(1_020, 1_080, 1, 4),), 25),
        ((asked(1_120, 1_180, 1, 4),), 25),
        ((asked(1_020, 1_100, 1, 4),), 25),
        ((asked(1_000, 1_080, 1, 4),), 25),
        ((asked(1_100, 1_400, 1, 4),), 75),
        ((asked(1_900, 2_000, 1, 4),), 25),
        ((asked(1_000, 2_000, 1, 4),), 250),
        # Of a bucket that reaches out of the period no second more than those inside counts.
        ((asked(1_900, 2_100, 1, 4),), 25),
    ],
)
def test_an_error_rate_weighs_its_buckets_by_their_seconds(
    facts: tuple[Measurement, ...], down: Fraction | int
) -> None:
    found = made(RATE, *facts)
    assert fields(found) == {
        name: value
        for name, value in {
            "period_seconds": 1_000, "downtime_seconds": down, "eligible_least": down, "eligible_most": down, "low": 1 - F(down, 1_000), "high": 1 - F(down, 1_000),
            "entries": frozenset(entry for one in facts for entry in one.entries),
        }.items()
        if value not in (0, frozenset())
    }  # fmt: skip


def test_a_bucket_is_a_minute_where_no_length_is_said_and_the_last_may_be_shorter() -> None:
    measure = msgspec.structs.replace(RATE, bucket_seconds=None)
    assert made(measure, asked(1_000, 1_060, 1, 4)).eligible_most == 15
    # From 1,960 to the end: 40 seconds of the seventeenth minute.
    assert made(measure, asked(1_960, 2_000, 1, 4)).eligible_most == 10
    assert made(measure, asked(1_900, 2_000, 1, 4)).eligible_most == 25


@pytest.mark.parametrize("span", [(1_050, 1_150), (1_000, 1_150), (1_050, 1_200), (1_100, 1_350)])
def test_a_measurement_over_the_edge_of_a_bucket_is_refused(span: tuple[int, int]) -> None:
    said = "measurement 'm' crosses the edge of a bucket of 100 seconds, so its share of each is not known; record one for each bucket"
    with pytest.raises(Refused, match=said):
        made(RATE, asked(*span, 1, 4))


def test_a_bucket_of_which_it_is_not_known_where_it_was_is_between_nothing_and_all() -> None:
    unsure = asked(1_000, 1_100, 1, 4, region="unknown")
    assert bounds(made(RATE, unsure)) == (F(9, 10), 1)
    found = made(RATE, asked(1_000, 1_100, 2, 4, "n"), unsure, asked(1_200, 1_300, 1, 4, "o"))
    assert (found.eligible_least, found.eligible_most) == (25, 125)
    # Nothing failed, and nothing was counted, where it may have been: the bucket is what is sure.
    nothing = asked(1_000, 1_100, 0, 0, region="unknown")
    assert bounds(made(RATE, asked(1_000, 1_100, 2, 4, "n"), nothing)) == (F(19, 20), F(19, 20))


def test_excluded_seconds_of_a_bucket_weigh_nothing() -> None:
    one = asked(1_000, 1_100, 1, 4)
    half = made(RATE, one, off(1_050, 1_100), rules=(EXCLUDED,))
    assert (half.period_seconds, half.eligible_most, half.entries) == (
        1_000,
        F(25, 2),
        {"incident/m v1", "exclusion/x v1"},
    )
    perhaps = made(RATE, one, off(1_050, 1_100, customer="Acme"), rules=(EXCLUDED,))
    assert (perhaps.eligible_least, perhaps.eligible_most) == (F(25, 2), 25)
    unsure = made(RATE, asked(1_000, 1_100, 1, 4, region="unknown"), off(1_050, 1_100), rules=(EXCLUDED,))
    assert (unsure.eligible_least, unsure.eligible_most) == (0, 50)
    gone = made(RATE, one, off(1_050, 1_100), rules=(REMOVED,))
    assert (gone.period_seconds, gone.removed_seconds, gone.low) == (950, 50, 1 - F(25, 2) / 950)


@pytest.mark.parametrize(
    ("missing", "period", "removed", "down"),
    [("available", 900, 100, 25), ("excluded", 100, 900, 25), ("down", 900, 100, 825)],
)
def test_buckets_without_data_are_up_or_gone_or_down(
    missing: Any, period: int, removed: int, down: int
) -> None:
    """One bucket of ten has data, one is excluded: 800 seconds are not known."""
    measure = msgspec.structs.replace(RATE, missing=missing)
    found = made(measure, asked(1_000, 1_100, 1, 4), off(1_400, 1_500), rules=(REMOVED,))
    assert (found.period_seconds, found.removed_seconds) == (period, removed)
    assert (found.eligible_least, found.eligible_most) == (down, down)


def test_buckets_without_data_that_are_perhaps_excluded_are_a_bound() -> None:
    measure = msgspec.structs.replace(RATE, missing="excluded")
    found = made(measure, asked(1_000, 1_500, 1, 4), off(1_500, 1_600, customer="Acme"), rules=(REMOVED,))
    # 500 seconds are seen; of the other 500 all leave as unseen, so that those excluded are among them.
    assert (found.removed_seconds, found.high) == (500, F(3, 4))
    asked_part = made(measure, asked(1_000, 1_100, 1, 4), valid=(1_000, 1_300))
    assert asked_part.removed_seconds == 200


def test_buckets_of_which_it_is_not_known_where_they_were_are_perhaps_without_data() -> None:
    """500 seconds are seen surely, and 100 more perhaps: at most all of these failed, and of 500 alone."""
    sure, unsure = asked(1_000, 1_500, 1, 4), asked(1_500, 1_600, 1, 4, "n", region="unknown")
    found = made(msgspec.structs.replace(RATE, missing="excluded"), sure, unsure)
    assert (found.removed_seconds, found.removed_most) == (400, 500)
    assert bounds(found) == (1 - F(125 + 100, 500), 1 - F(125, 600))


@pytest.mark.parametrize("rule", [EXCLUDED, REMOVED])
def test_buckets_without_data_are_down_where_they_are_not_excluded(rule: ExclusionRule) -> None:
    """Of 500 seconds without data 100 are perhaps excluded."""
    measure, rules = msgspec.structs.replace(RATE, missing="down"), (rule,)
    found = made(measure, asked(1_000, 1_500, 0, 4), off(1_500, 1_600, customer="Acme"), rules=rules)
    assert (found.eligible_least, found.eligible_most) == (400, 500)


def test_where_perhaps_nothing_is_left_of_the_buckets() -> None:
    """25 seconds of 1,000 are down, and all of them leave the period, or none."""
    one, all_of_it = asked(1_000, 1_100, 1, 4), off(1_000, 2_000, customer="Acme")
    up = msgspec.structs.replace(EXCLUDED, kinds=frozenset({"customer"}))
    assert bounds(made(RATE, one, all_of_it, rules=(REMOVED,))) == (F(975, 1_000), 1)
    # What is perhaps up stays in the period, with data or without.
    beside = off(1_500, 2_000, customer="Acme", kind="customer")
    assert bounds(made(RATE, one, all_of_it, beside, rules=(REMOVED, up))) == (F(975, 1_000), 1)
    # Two facts leave all, none or one of two parts: 25 of 100 as well.
    parts = off(1_000, 1_100, customer="Acme"), off(1_100, 2_000, customer="Bolt")
    assert bounds(made(RATE, one, *parts, rules=(REMOVED,))) == (0, 1)
    # Without data 900 leave: with them the others, or not, so that 25 of 100 are down.
    gone = msgspec.structs.replace(RATE, missing="excluded")
    assert bounds(made(gone, one, parts[0], rules=(REMOVED,))) == (F(3, 4), 1)
    # Half of the period has no data and is perhaps up, so that it leaves perhaps: for others than Acme 25 of 100 are down.
    found = made(gone, one, parts[0], beside, rules=(REMOVED, up))
    assert (found.removed_seconds, found.removed_most, found.high) == (400, 1_000, 1)
    assert found.low <= F(3, 4)
    # Whether there are data of the first 100 seconds is not known either.
    unsure = asked(1_000, 1_100, 1, 4, region="unknown")
    assert bounds(made(gone, unsure)) == (0, 1)


def test_buckets_begin_with_the_period() -> None:
    """From second 1,030 on: two whole buckets, and one over an edge."""
    period = Period("p", "span", "UTC", 1_030, 2_030, "1970-01-01")
    assert made(RATE, asked(1_130, 1_330, 1, 4), period=period).eligible_most == 50
    with pytest.raises(Refused, match="crosses the edge"):
        made(RATE, asked(1_100, 1_200, 1, 4), period=period)
