"""The figure of each measure, whole: seconds, shares, counts and days that can be counted by hand.

The period lasts from second 1,000 to second 2,000 unless another one is named; the mail service is asked about in region A.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.ends import ENDLESS
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period, days, parse_period
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Remedy,
    Scope,
    Tier,
)
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Plain
from projections.evaluation.measured import counts_over_the_period, quotient_sum
from projections.evaluation.measures import figure
from tests.sla.timelines import OUTAGE, PERIOD, Fact, off

F = Fraction
EXCLUDED = ExclusionRule(frozenset({"planned-maintenance"}))
REMOVED = ExclusionRule(frozenset({"planned-maintenance"}), treated="removed")


def window(start: int, end: int | None, **changed: Any) -> Window:
    made = Window("i", "w", "mail", "*", "A", start, end, "outage", entries=("incident/i v1",))
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def measured(
    start: int, end: int, failed: int | None, total: int | None, name: str = "m", **changed: Any
) -> Measurement:
    made = Measurement(
        "i", name, "mail", "*", "A", start, end, "messages", total, failed, entries=(f"incident/{name} v1",)
    )
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def made(
    measure: Measure,
    *facts: Fact,
    counting: Counting = OUTAGE,
    scope: Scope | None = None,
    tiers: tuple[Tier, ...] = (),
    rules: tuple[ExclusionRule, ...] = (),
    length: Fraction | None = None,
    part: Any = "whole",
    period: Period = PERIOD,
    **evidence: Any,
) -> Any:
    """Make a figure; it is any value here, so that whole numbers can be written as such."""
    commitment = Commitment("c", measure, counting, scope or Scope(), tiers)
    policy = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC", length_seconds=length, part=part), (commitment,), rules,
        Credit(), "half-up", "",
    )  # fmt: skip
    of: dict[Any, Any] = {
        kind: tuple(one for one in facts if isinstance(one, kind))
        for kind in (Window, Measurement, Exclusion)
    }
    asked = Evidence(
        "mail", "A", period, 1_500, windows=of[Window], measurements=of[Measurement], exclusions=of[Exclusion], **evidence
    )  # fmt: skip
    found = figure(policy, commitment, asked)
    assert found.commitment is commitment
    return found


def fields(of: Any) -> dict[str, Any]:
    """A figure without its terms, and without what is empty."""
    return {
        name: value for name, value in msgspec.structs.asdict(of).items() if name != "commitment" and value not in ((), frozenset(), False, 0)
    }  # fmt: skip


def bounds(of: Any) -> Any:
    return of.low, of.high


TIME = Measure()
AVAILABLE, GONE, DOWN = (Measure(missing=missing) for missing in ("available", "excluded", "down"))


def test_a_tenth_of_the_period_down_is_nine_tenths_available() -> None:
    found = made(TIME, window(1_000, 1_100))
    assert fields(found) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "eligible_least": 100, "eligible_most": 100,
        "low": F(9, 10), "high": F(9, 10), "downtime": ((1_000, 1_100),), "intervals": ((1_000, 1_100),),
        "entries": frozenset({"incident/i v1"}),
    }  # fmt: skip
    assert found.decided


def test_open_and_approximate_times_are_marked() -> None:
    """Open since 1,400: to 1,500 at least, to the end at most."""
    found = made(TIME, window(1_400, None, approximate=True))
    assert fields(found) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "eligible_least": 100, "eligible_most": 600,
        "low": F(4, 10), "high": F(9, 10), "downtime": ((1_400, 1_500),), "intervals": ((1_400, 1_500),), "provisional": True,
        "approximate": True, "entries": frozenset({"incident/i v1"}),
    }  # fmt: skip
    assert not found.decided


@pytest.mark.parametrize(
    ("terms", "share"),
    [
        ({}, F(9, 10)),
        ({"length": F(400)}, F(3, 4)),
        # More was down than the terms say a period has.
        ({"length": F(50)}, F(0)),
        ({"valid": (1_000, 1_500)}, F(9, 10)),
        ({"valid": (1_000, 1_500), "part": "lifetime"}, F(4, 5)),
        ({"valid": (1_050, 5_000), "part": "lifetime"}, F(18, 19)),
        # Nothing of it lies in the period.
        ({"valid": (3_000, 4_000), "part": "lifetime"}, F(1)),
    ],
)
def test_the_denominator_is_the_period_a_fixed_length_or_a_lifetime(
    terms: dict[str, Any], share: Fraction
) -> None:
    assert bounds(made(TIME, window(1_000, 1_100), **terms)) == (share, share)


def test_what_leaves_the_period_makes_it_shorter_and_what_perhaps_leaves_it_a_bound() -> None:
    """Half of the period: surely, a tenth is a fifth; perhaps, it is between."""
    down = window(1_000, 1_100)
    sure = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,))
    assert fields(sure) | {"entries": None} == {
        "period_seconds": 500, "downtime_seconds": 100, "removed_seconds": 500, "removed_most": 500, "eligible_least": 100, "eligible_most": 100, "low": F(4, 5), "high": F(4, 5), "downtime": ((1_000, 1_100),), "intervals": ((1_000, 1_100),),
        "excluded": ((1_500, 2_000),), "entries": None,
    }  # fmt: skip
    perhaps = made(TIME, down, off(1_500, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (perhaps.period_seconds, perhaps.removed_seconds, perhaps.removed_most, bounds(perhaps)) == (
        1_000,
        0,
        500,
        (F(4, 5), F(9, 10)),
    )


def test_where_nothing_is_left_of_a_period_it_was_up() -> None:
    down = window(1_000, 1_100)
    sure = made(TIME, down, off(1_000, 2_000), rules=(REMOVED,))
    assert (sure.period_seconds, sure.eligible_least, sure.eligible_most, bounds(sure)) == (0, 0, 0, (1, 1))
    # All of it leaves the period perhaps: then none was down, or a tenth of all.
    perhaps = made(TIME, down, off(1_000, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (perhaps.eligible_least, perhaps.eligible_most, bounds(perhaps)) == (0, 100, (F(9, 10), 1))
    # Terms of a shorter length than what leaves it.
    short = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(499))
    assert (short.period_seconds, short.eligible_most, bounds(short)) == (0, 0, (1, 1))
    none = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(500))
    assert (none.period_seconds, none.eligible_least, none.eligible_most, bounds(none)) == (0, 0, 0, (1, 1))
    assert short.eligible_least == 0
    least = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(501))
    assert (least.period_seconds, least.eligible_most, bounds(least)) == (1, 100, (0, 0))


@pytest.mark.parametrize(
    ("measure", "period", "removed", "down"),
    [(AVAILABLE, 1_000, 0, 100), (GONE, 800, 200, 100), (DOWN, 1_000, 0, 300)],
)
def test_unseen_time_is_up_or_gone_or_down(measure: Measure, period: int, removed: int, down: int) -> None:
    found = made(measure, window(1_000, 1_100), observed=((1_000, 1_800),))
    assert (found.period_seconds, found.removed_seconds) == (period, removed)
    assert (found.eligible_least, found.eligible_most) == (down, down)
    assert bounds(found) == (1 - F(down, period), 1 - F(down, period))


def test_an_unseen_second_counts_once() -> None:
    """Down from 1,700 to 1,900, nothing known from 1,800 on: 300 seconds."""
    found = made(DOWN, window(1_700, 1_900), observed=((1_000, 1_800),))
    assert (found.eligible_least, found.eligible_most, bounds(found)) == (300, 300, (F(7, 10), F(7, 10)))
    whole = made(DOWN, window(1_000, 1_100), observed=((0, 5_000),))
    assert whole.eligible_most == 100
    asked = made(DOWN, window(1_000, 1_100), observed=((1_000, 1_300),), valid=(1_200, 1_400))
    assert asked.eligible_most == 100


def test_unseen_time_is_added_to_both_ends_and_leaves_with_what_is_excluded() -> None:
    share = Measure("affected-share", missing="down")
    unsure = window(1_000, 1_100, effect="delay", share_at_least="0.5")
    found = made(share, unsure, observed=((1_000, 1_800),))
    assert (found.eligible_least, found.eligible_most) == (250, 300)
    both = made(GONE, window(1_000, 1_100), off(1_100, 1_400), observed=((1_000, 1_800),), rules=(REMOVED,))
    assert (both.period_seconds, both.removed_seconds, bounds(both)) == (500, 500, (F(4, 5), F(4, 5)))
    perhaps = made(
        GONE, window(1_000, 1_100), off(1_100, 1_400, customer="Acme"), observed=((1_000, 1_800),), rules=(REMOVED,)
    )  # fmt: skip
    assert (perhaps.removed_seconds, bounds(perhaps)) == (200, (F(4, 5), F(7, 8)))


MESSAGES = Measure("messages", ("messages",))
# 1 of 10, inside the period.
LAST = measured(1_200, 1_300, 1, 10, "last")


@pytest.mark.parametrize(
    ("other", "scope", "expected"),
    [
        # 2 of 10 more: 3 of 20.
        (measured(1_000, 2_000, 2, 10), Scope(), (F(17, 20), F(17, 20))),
        (measured(1_000, 2_000, 2, 10, of="requests"), Scope(), (F(9, 10), F(9, 10))),
        (measured(1_000, 2_000, 2, 10, service="web"), Scope(), (F(9, 10), F(9, 10))),
        # Before the period, after it, and over its edges: perhaps 2 failures more, perhaps 8 that passed.
        (measured(500, 1_000, 2, 10), Scope(), (F(9, 10), F(9, 10))),
        (measured(2_000, 2_500, 2, 10), Scope(), (F(9, 10), F(9, 10))),
        (measured(999, 1_001, 2, 10), Scope(), (F(3, 4), F(17, 18))),
        (measured(1_999, 2_001, 2, 10), Scope(), (F(3, 4), F(17, 18))),
        (measured(1_000, 2_000, 2, 10, region="B"), Scope(), (F(9, 10), F(9, 10))),
        (measured(1_000, 2_000, 2, 10, region="*"), Scope(), (F(17, 20), F(17, 20))),
        (measured(1_000, 2_000, 2, 10, region="*", regions=("B",)), Scope(), (F(9, 10), F(9, 10))),
        (measured(1_000, 2_000, 2, 10, region="unknown"), Scope(), (F(3, 4), F(17, 18))),
        (measured(1_000, 2_000, 2, 10, region="B"), Scope("union"), (F(17, 20), F(17, 20))),
        (measured(1_000, 2_000, 2, 10, region="unknown"), Scope("union"), (F(17, 20), F(17, 20))),
    ],
)  # fmt: skip
def test_a_measurement_is_read_by_what_it_is_of_and_where_and_when(
    other: Measurement, scope: Scope, expected: Any
) -> None:
    found = made(MESSAGES, other, LAST, LAST, scope=scope)
    assert bounds(found) == expected
    assert ("incident/m v1" in found.entries) is (expected != (F(9, 10), F(9, 10)))
    assert "incident/last v1" in found.entries


@pytest.mark.parametrize(
    ("component", "components", "expected"),
    [
        ("inbox", (), (F(17, 20), F(17, 20))),
        ("outbox", (), (F(9, 10), F(9, 10))),
        ("unknown", (), (F(3, 4), F(17, 18))),
        ("*", ("inbox",), (F(17, 20), F(17, 20))),
        ("*", ("outbox",), (F(9, 10), F(9, 10))),
        ("unknown", ("outbox",), (F(9, 10), F(9, 10))),
    ],
)
def test_a_measurement_is_read_by_its_component(
    component: str, components: tuple[str, ...], expected: Any
) -> None:
    other = measured(1_000, 2_000, 2, 10, component=component, components=components)
    inside = msgspec.structs.replace(LAST, component="inbox")
    for named in (("inbox",), ("inbox", "archive"), ("archive", "inbox")):
        assert bounds(made(MESSAGES, other, inside, scope=Scope(components=named))) == expected
    # That one is surely in its component does not say that it is in the region.
    unsure = msgspec.structs.replace(other, region="unknown", component="inbox")
    assert bounds(made(MESSAGES, unsure, inside, scope=Scope(components=("inbox",)))) == (F(3, 4), F(17, 18))


def test_the_share_that_failed_stands_for_seconds() -> None:
    """2 of 10 open beside 1 of 10: from 1/18 to 1/4 of 1,000 seconds."""
    found = made(MESSAGES, LAST, measured(1_999, 2_001, 2, 10))
    assert fields(found) == {
        "period_seconds": 1_000, "downtime_seconds": 250, "eligible_least": F(1_000, 18), "eligible_most": 250, "low": F(3, 4), "high": F(17, 18),
        "entries": frozenset({"incident/m v1", "incident/last v1"}), "counts": (1, 10, 2, 10),
    }  # fmt: skip
    assert made(MESSAGES, LAST).eligible_most == 100


@pytest.mark.parametrize(
    ("failed", "total", "expected"), [(0, 10, (1, 1)), (10, 10, (0, 1)), (0, 0, (1, 1)), (4, 10, (0, 1))]
)
def test_counts_over_an_edge_alone_leave_whatever_they_allow(failed: int, total: int, expected: Any) -> None:
    """All that failed may lie inside, or all that passed; of none that failed, none did."""
    assert bounds(made(MESSAGES, measured(999, 1_001, failed, total))) == expected


def test_where_nothing_was_counted_it_was_up_unless_the_terms_say_down() -> None:
    assert bounds(made(MESSAGES)) == (1, 1)
    assert bounds(made(Measure("messages", ("messages",), missing="excluded"))) == (1, 1)
    down = Measure("messages", ("messages",), missing="down")
    assert bounds(made(down)) == (0, 0)
    # Of what was counted over the edge all failed, so that it was down with it and without it.
    assert bounds(made(down, measured(999, 1_001, 10, 10))) == (0, 0)


def test_counts_in_excluded_time_are_left_out_and_those_partly_in_it_are_open() -> None:
    rules = (EXCLUDED,)
    inside = measured(1_400, 1_500, 2, 10)
    gone = made(MESSAGES, inside, LAST, off(1_400, 1_500), rules=rules)
    assert (bounds(gone), gone.entries) == ((F(9, 10), F(9, 10)), frozenset({"incident/last v1"}))
    for unsure in (off(1_450, 1_460), off(1_400, 1_500, customer="Acme")):
        found = made(MESSAGES, inside, LAST, unsure, rules=rules)
        assert (bounds(found), len(found.entries)) == ((F(3, 4), F(17, 18)), 2)


def test_counts_that_are_none_are_refused() -> None:
    for changed in ({"failed": None}, {"total": None}):
        with pytest.raises(
            Refused,
            match="measurement 'm' of messages states no failed of total, which the policy counts; record both",
        ):
            made(MESSAGES, msgspec.structs.replace(measured(1_000, 1_100, 1, 10), **changed))


def latency(start: int, end: int, value: str | None, name: str = "m", **changed: Any) -> Measurement:
    found: Measurement = msgspec.structs.replace(
        measured(start, end, None, None, name), of="latency", value=value, unit="seconds", statistic="p95"
    )
    return msgspec.structs.replace(found, **changed)


LATENCY = Measure("latency", ("latency",), statistic="p95")


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("us", F(4, 10**6)), ("microseconds", F(4, 10**6)), ("ms", F(4, 1_000)), ("milliseconds", F(4, 1_000)), ("s", F(4)),
        ("seconds", F(4)), ("second", F(4)), ("min", F(240)), ("minutes", F(240)), ("minute", F(240)),
    ],
)  # fmt: skip
def test_a_latency_is_turned_into_the_unit_of_the_measure(unit: str, value: Fraction) -> None:
    one = latency(1_000, 1_100, "4", unit=unit)
    assert bounds(made(LATENCY, one)) == (value, value)
    for asked, times in (("milliseconds", F(1_000)), ("minutes", F(1, 60))):
        measure = msgspec.structs.replace(LATENCY, unit=asked)
        assert bounds(made(measure, one)) == (value * times, value * times)


def test_a_latency_weighs_by_its_seconds_that_count_or_the_highest_is_taken() -> None:
    """1 for 300 seconds, 5 for 100 and 9 for 100 of 200, as the other half is excluded: 300 + 500 + 900 by 500."""
    facts = (
        latency(500, 1_300, "1", "a"), latency(1_300, 1_400, "5", "b"), latency(1_400, 1_600, "9", "c"), off(1_500, 1_700),
        latency(1_600, 1_700, "100", "d"), latency(2_000, 2_100, "100", "e"),
    )  # fmt: skip
    found = made(LATENCY, *facts, rules=(EXCLUDED,))
    assert fields(found) == {
        "period_seconds": 1_000, "low": F(17, 5), "high": F(17, 5),
        "entries": frozenset({"incident/a v1", "incident/b v1", "incident/c v1"}),
    }  # fmt: skip
    highest = msgspec.structs.replace(LATENCY, combine="maximum")
    assert bounds(made(highest, *facts, rules=(EXCLUDED,))) == (9, 9)
    after = made(LATENCY, latency(1_900, 2_500, "3"), latency(1_000, 1_100, "5"))
    assert bounds(after) == (4, 4)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "no latency (p95) of mail was measured in A in p, which p prices; record it with ledger incident record-measurement, or "
         "where facts are asked about state value or measurements"),
        ((latency(1_000, 1_100, "4", statistic="p50"),), "measurement 'm' states 'p50', but the policy asks for 'p95'; record that one"),
        ((latency(1_000, 1_100, "4", statistic=None),), "measurement 'm' states 'no statistic', but the policy asks for 'p95'"),
        ((latency(1_000, 1_100, None),), "measurement 'm' states 'p95', but the policy asks for 'p95'"),
        ((latency(1_000, 1_100, "4", unit="parsec"),), "measurement 'm' has the unit 'parsec'; record it in seconds"),
        ((latency(1_000, 1_100, "4", region="unknown"),), "measurement 'm' names no region or component; record where it was taken"),
    ],
)  # fmt: skip
def test_a_latency_that_does_not_fit_is_refused(facts: tuple[Measurement, ...], said: str) -> None:
    with pytest.raises(Refused) as refused:
        made(LATENCY, *facts)
    assert said in str(refused.value)


def test_a_latency_of_perhaps_excluded_time_alone_is_refused() -> None:
    said = (
        r"all latency \(p95\) of mail in A in p was perhaps measured in excluded time alone, so that there may be none; say which "
        "customer is meant, or who is in the cohort"
    )
    with pytest.raises(Refused, match=said):
        made(LATENCY, latency(1_100, 1_200, "4"), off(1_000, 1_300, customer="Acme"), rules=(EXCLUDED,))


JUNE = parse_period("2022-06")
DAYS = days(JUNE)
RUN = Measure("consecutive-days", ("messages",))


def of_day(number: int, failed: int, total: int, **changed: Any) -> Measurement:
    day = DAYS[number - 1]
    return measured(day.start, day.end, failed, total, f"d{number}", **changed)


HUNDREDTH = F(1, 100)


def longest(*facts: Fact, above: Fraction | None = HUNDREDTH, **more: Any) -> Any:
    return made(RUN, *facts, counting=Counting(share_above=above), period=JUNE, **more)


def test_the_longest_run_of_bad_days_is_counted() -> None:
    bad = [of_day(number, 2, 100) for number in (1, 2, 5, 6, 7, 30)]
    found = longest(*bad)
    assert (bounds(found), found.period_seconds) == ((3, 3), 30 * 86_400)
    assert found.entries == {f"incident/d{number} v1" for number in (1, 2, 5, 6, 7, 30)}
    assert (found.eligible_least, found.eligible_most, found.downtime_seconds) == (0, 0, 0)
    # Exactly the share is not above it; nothing sent is no bad day; a day's counts are added up.
    assert bounds(longest(*bad, of_day(3, 1, 100), of_day(4, 0, 0))) == (3, 3)
    assert bounds(longest(*bad, of_day(3, 2, 100), of_day(4, 101, 10_000))) == (7, 7)
    assert bounds(longest(of_day(1, 3, 100), of_day(1, 0, 200, region="A", of="messages", entries=()))) == (
        0,
        0,
    )
    assert bounds(longest(of_day(1, 1, 100), of_day(1, 4, 100))) == (1, 1)
    # Without a share any failure is enough.
    assert bounds(longest(of_day(1, 1, 10**9), of_day(2, 0, 10), above=None)) == (1, 1)
    assert bounds(longest()) == (0, 0)
    # One of one is bad.
    assert bounds(longest(of_day(1, 1, 1))) == (1, 1)


def test_a_day_that_was_excluded_whole_is_not_bad_and_one_of_another_place_is_not_read() -> None:
    three = [of_day(number, 2, 100) for number in (1, 2, 3)]
    whole = off(DAYS[1].start, DAYS[1].end)
    assert bounds(longest(*three, whole, rules=(EXCLUDED,))) == (1, 1)
    partly = off(DAYS[1].start, DAYS[1].end - 1)
    assert bounds(longest(*three, partly, rules=(EXCLUDED,))) == (3, 3)
    unsure = msgspec.structs.replace(three[1], region="unknown")
    assert bounds(longest(three[0], unsure, three[2])) == (1, 3)
    # All of it failed, if any of it was here.
    assert bounds(longest(of_day(1, 2, 2, region="unknown"))) == (0, 1)
    perhaps = off(DAYS[1].start, DAYS[1].end, customer="Acme")
    assert bounds(longest(*three, perhaps, rules=(EXCLUDED,))) == (1, 3)


@pytest.mark.parametrize("move", [(-1, 0), (0, 1)])
def test_what_is_over_more_than_a_day_does_not_say_which_day_was_bad(move: tuple[int, int]) -> None:
    one = of_day(2, 2, 100)
    wide = msgspec.structs.replace(one, start=one.start + move[0], end=one.end + move[1])
    with pytest.raises(
        Refused,
        match=r"measurement 'd2' is over more than the day 2022-06-0\d, so whether that day was bad is not known; record one for each day",
    ):
        longest(wide)
    hour = msgspec.structs.replace(one, start=one.start + 3_600, end=one.start + 7_200)
    assert bounds(longest(hour)) == (1, 1)


def test_a_bad_day_is_known_from_the_windows_that_made_it_one() -> None:
    found = made(Measure("bad-days"), window(1_000, 1_100))
    assert (bounds(found), found.entries) == ((1, 1), {"incident/i v1"})


LOST = Measure("events", ("messages",), counts="failed")


def test_what_failed_is_counted_at_least_and_at_most() -> None:
    inside = measured(1_000, 2_000, 3, 100, "a")
    found = made(LOST, inside, measured(1_200, 1_300, 4, 100, "b"))
    assert (bounds(found), found.entries) == ((7, 7), {"incident/a v1", "incident/b v1"})
    for unsure in (
        measured(999, 1_100, 4, 100), measured(1_900, 2_001, 4, 100), measured(1_200, 1_300, 4, 100, region="unknown"),
    ):  # fmt: skip
        assert bounds(made(LOST, inside, unsure)) == (3, 7)
    rules = (EXCLUDED,)
    gone = made(LOST, measured(1_200, 1_300, 4, 100), inside, off(1_200, 1_300), rules=rules)
    # Of what was measured over more than the excluded time it is not known how much fell into that.
    assert (bounds(gone), gone.entries) == ((0, 3), {"incident/a v1"})


INCIDENTS, OUTAGES = Measure("events"), Measure("events", counts="outages")


def test_incidents_and_outages_are_counted_with_their_seconds() -> None:
    facts = (
        window(1_000, 1_010, incident="a"), window(1_100, 1_110, incident="a", window="v"), window(1_105, 1_120, incident="b"),
        window(1_300, 1_310, incident="c", effect="degraded"), window(1_400, 1_410, incident="d"),
    )  # fmt: skip
    found = made(INCIDENTS, *facts, off(1_400, 1_405), rules=(EXCLUDED,))
    assert bounds(found) == (3, 3)
    assert (found.downtime_seconds, found.excluded_seconds, found.eligible_least, found.eligible_most) == (
        50, 15, 35, 35
    )  # fmt: skip
    assert found.downtime == ((1_000, 1_010), (1_100, 1_120), (1_300, 1_310), (1_400, 1_410))
    assert found.intervals == ((1_000, 1_010), (1_100, 1_120), (1_405, 1_410))
    assert (found.excluded, found.provisional, found.approximate) == (((1_400, 1_405),), False, False)
    assert found.entries == {"incident/i v1", "exclusion/x v1"}
    assert bounds(made(OUTAGES, *facts)) == (3, 3)
    assert bounds(made(OUTAGES)) == (0, 0)


def test_an_incident_that_perhaps_counts_is_a_bound() -> None:
    sure, unsure = (
        window(1_000, 1_010, incident="a"),
        window(1_100, 1_110, incident="b", cohort="beta", approximate=True),
    )
    found = made(INCIDENTS, sure, unsure)
    assert (bounds(found), found.eligible_least, found.eligible_most) == ((1, 2), 10, 20)
    assert (found.provisional, found.approximate) == (True, True)


def test_outages_within_bounds_may_join_or_be_cut() -> None:
    """Two that are sure and one that perhaps lies between them: one if it joins them, and no more than three."""
    facts = (
        window(1_000, 1_010),
        window(1_020, 1_030, window="v"),
        window(1_010, 1_020, window="u", cohort="beta"),
    )
    assert bounds(made(OUTAGES, *facts)) == (1, 3)
    assert bounds(made(OUTAGES, window(1_000, 1_010, cohort="beta"))) == (0, 1)


RATE = Measure("error-rate", ("requests",), bucket_seconds=100)


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


@pytest.mark.parametrize(
    ("measure", "over"),
    [
        (MESSAGES, True), (Measure("executions"), True), (LOST, True), (INCIDENTS, False), (RATE, False), (LATENCY, False),
        (TIME, False), (RUN, False),
    ],
)  # fmt: skip
def test_counts_have_no_time_inside(measure: Measure, over: bool) -> None:
    commitment = Commitment("c", measure, OUTAGE, Scope(), ())
    assert counts_over_the_period(commitment) is over


def test_a_latency_perhaps_in_excluded_time_weighs_what_makes_the_average_least_or_most() -> None:
    """0.1 for ten seconds that are sure, 0.2 for ten that perhaps are not: 0.1 without them, 0.15 with them."""
    facts = (
        latency(1_000, 1_010, "0.1", "a"),
        latency(1_100, 1_110, "0.2", "b"),
        off(1_100, 1_200, customer="Acme"),
    )
    assert bounds(made(LATENCY, *facts, rules=(EXCLUDED,))) == (F(1, 10), F(3, 20))
    # 0.3 perhaps counts as well, and makes more of it: (0.1 + 0.2 + 0.3) / 3, or 0.1 alone.
    more = made(LATENCY, *facts, latency(1_150, 1_160, "0.3", "c"), rules=(EXCLUDED,))
    assert bounds(more) == (F(1, 10), F(1, 5))


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 12)), max_size=9))
def test_the_sum_of_quotients_is_that_of_fractions(parts: list[tuple[int, int]]) -> None:
    assert quotient_sum(parts) == sum((F(*one) for one in parts), F(0))


PLAIN_TIME = Measure()


def plain(
    measure: Measure = PLAIN_TIME,
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


@pytest.mark.parametrize(
    ("of", "best", "worst"),
    [("availability", F(99, 100), F(9, 10)), ("downtime", F(10), F(100)), ("value", F(9, 10), F(99, 100))],
)
def test_the_best_and_the_worst_are_those_of_what_the_tiers_are_about(
    of: Any, best: Fraction, worst: Fraction
) -> None:
    tier = Tier(F(0), True, F(10**9), True, F(0), "all", of, Remedy())
    measure = INCIDENTS if of == "value" else TIME
    stated: dict[str, Any] = {"value" if of == "value" else "availability": (F(9, 10), F(99, 100))}
    found = made(measure, tiers=(tier,), plain=Plain(**stated))
    assert (found.best, found.worst) == (best, worst)


def test_where_perhaps_nothing_is_left_it_was_up_or_as_much_was_down_as_without_it() -> None:
    """100 seconds are down of the length that the terms say, or nothing is left of it."""
    down, half = window(1_000, 1_100), off(1_500, 2_000, customer="Acme")
    found = made(TIME, down, half, rules=(REMOVED,), length=F(400))
    assert (found.eligible_least, found.eligible_most, bounds(found)) == (0, 100, (F(3, 4), 1))
    # One second is left surely, and perhaps none.
    more = (off(1_500, 2_000), off(1_200, 1_500, customer="Acme"))
    one = made(TIME, down, *more, rules=(REMOVED,), length=F(501))
    assert (one.period_seconds, one.eligible_least, one.eligible_most, bounds(one)) == (1, 0, 100, (0, 1))
    # All but one second leave perhaps: then that second was down.
    last = made(TIME, down, off(1_001, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (last.period_seconds, bounds(last)) == (1_000, (0, F(999, 1_000)))
    # Of two that leave perhaps one may, so that any part may be left: 100 of 500 are down without the second half.
    two = (off(1_500, 2_000, customer="Acme"), off(1_000, 1_500, customer="Bolt"))
    assert bounds(made(TIME, down, *two, rules=(REMOVED,))) == (0, 1)
    assert bounds(made(TIME, down, *two, rules=(REMOVED,), customer="Acme")) == (F(4, 5), F(4, 5))
    # What hangs on one fact leaves at once.
    same = (off(1_500, 2_000, customer="Acme"), off(1_000, 1_500, customer="Acme"))
    assert bounds(made(TIME, down, *same, rules=(REMOVED,))) == (F(9, 10), 1)
    # A limit may leave any part.
    limited = (msgspec.structs.replace(REMOVED, most=F(5_000)),)
    assert bounds(made(TIME, down, *same, rules=limited)) == (0, 1)


def test_of_a_lifetime_outside_the_period_nothing_is_left() -> None:
    assert made(TIME, window(1_000, 1_100), valid=(3_000, 4_000), part="lifetime").period_seconds == 0


def test_buckets_begin_with_the_period() -> None:
    """From second 1,030 on: two whole buckets, and one over an edge."""
    period = Period("p", "span", "UTC", 1_030, 2_030, "1970-01-01")
    assert made(RATE, asked(1_130, 1_330, 1, 4), period=period).eligible_most == 50
    with pytest.raises(Refused, match="crosses the edge"):
        made(RATE, asked(1_100, 1_200, 1, 4), period=period)


def test_open_counts_weigh_by_what_they_are_beside() -> None:
    """1 of 2 and 2 of 10 open: 3 of 4 failed at most. 1 of 8 and as many: 1 of 16 at least."""
    unsure = measured(999, 1_001, 2, 10)
    assert made(MESSAGES, msgspec.structs.replace(LAST, total=2), unsure).low == F(1, 4)
    assert made(MESSAGES, msgspec.structs.replace(LAST, total=8), unsure).high == F(15, 16)


@pytest.mark.parametrize(
    ("place", "scope", "gone"),
    [
        ({}, Scope(), True),
        ({"region": "A"}, Scope(), True),
        ({"region": "B"}, Scope(), False),
        ({"region": "A"}, Scope("union"), False),
        ({}, Scope("union"), True),
        ({"component": "inbox"}, Scope(), False),
        ({"component": "inbox"}, Scope(components=("inbox",)), True),
        ({"component": "outbox"}, Scope(components=("inbox",)), False),
        ({"component": "inbox"}, Scope(components=("inbox", "outbox")), False),
        ({"component": "outbox"}, Scope(components=("inbox", "outbox")), False),
        ({}, Scope(components=("inbox", "outbox")), True),
    ],
)
def test_counts_are_left_out_where_all_that_is_asked_about_was_excluded(
    place: dict[str, str], scope: Scope, gone: bool
) -> None:
    component = scope.components[0] if scope.components else "*"
    facts = (
        measured(1_400, 1_500, 2, 10, component=component),
        msgspec.structs.replace(LAST, component=component),
    )
    found = made(MESSAGES, *facts, off(1_400, 1_500, **place), rules=(EXCLUDED,), scope=scope)
    expected = F(9, 10) if gone else F(17, 20)
    assert bounds(found) == (expected, expected)


@pytest.mark.parametrize("of", ["executions", "messages"])
def test_executions_and_messages_are_counted_alike(of: Any) -> None:
    assert bounds(made(Measure(of, (of,)), measured(1_000, 1_100, 1, 10, of=of))) == (F(9, 10), F(9, 10))


@pytest.mark.parametrize("of", ["time", "affected-share", "user-minutes"])
def test_windows_make_time_shares_and_user_minutes(of: Any) -> None:
    half = window(1_000, 1_100, share_at_least="0.5", share_at_most="0.5")
    assert made(Measure(of), half).eligible_most == (100 if of == "time" else 50)
