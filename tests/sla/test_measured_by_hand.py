"""What measurements come to, counted by hand: counts, latencies, days on which something failed, and events.

The period lasts from second 1,000 to second 2,000 unless a month is named; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.measurement import Measurement
from ledger.domain.period import days, parse_period
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Measure,
    Scope,
)
from ledger.errors import Refused
from projections.evaluation.measured import counts_over_the_period, quotient_sum
from tests.sla.figures import (
    EXCLUDED,
    INCIDENTS,
    MESSAGES,
    OUTAGES,
    RATE,
    TIME,
    bounds,
    fields,
    made,
    measured,
    window,
)
from tests.sla.timelines import OUTAGE, Fact, off

F = Fraction
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
