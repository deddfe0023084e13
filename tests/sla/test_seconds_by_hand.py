"""Which seconds count, at least, as stated and at most: laws against counting second by second, and cases counted by hand.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.ends import above, below
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Scope,
)
from ledger.domain.window import Planned, Window
from projections.evaluation.evidence import Evidence, Membership
from projections.evaluation.levels import (
    Level,
    Part,
    added,
    highest,
    intersected,
    long_enough,
    quantised,
    spans_of,
    weighed,
    within,
)
from projections.evaluation.outages import Piece, bounded
from projections.evaluation.timeline import timeline

F = Fraction
HALF, QUARTER, WHOLE = F(1, 2), F(1, 4), F(1)
# Around a midnight in UTC, so that a day ends within it.
MIDNIGHT = 86_400
moments = st.integers(MIDNIGHT - 12, MIDNIGHT + 12)
spans = st.tuples(moments, moments).filter(lambda one: one[0] < one[1])
parts = st.lists(st.tuples(spans, st.sampled_from([F(0), QUARTER, F(1, 3), HALF, WHOLE])), max_size=6)


def seconds(of: list[Level]) -> dict[int, Fraction]:
    """The weight of each second; levels are in order, do not overlap, and touching ones differ."""
    for (_, end, weight), (start, _, other) in pairwise(of):
        assert end < start or (end == start and weight != other)
    return {at: weight for start, end, weight in of for at in range(start, end)}


def weights(of: list[Part]) -> dict[int, list[Fraction]]:
    found: dict[int, list[Fraction]] = {}
    for (start, end), weight in of:
        for at in range(start, end):
            found.setdefault(at, []).append(weight)
    return found


def runs(of: set[int]) -> list[list[int]]:
    """Seconds in a row."""
    return [
        [at for _, at in group]
        for _, group in groupby(enumerate(sorted(of)), key=lambda pair: pair[1] - pair[0])
    ]


@given(parts)
@example([((0, 10), HALF), ((0, 10), WHOLE), ((10, 20), WHOLE), ((15, 30), QUARTER)])
@example([((0, 10), HALF), ((5, 15), HALF)])
def test_of_parts_that_overlap_the_heaviest_counts_at_least_and_their_sum_at_most(some: list[Part]) -> None:
    each = weights(some)
    assert seconds(highest(some)) == {at: max(found) for at, found in each.items() if any(found)}
    assert seconds(added(some)) == {at: min(sum(found), WHOLE) for at, found in each.items() if any(found)}
    assert seconds(added(some, most=None)) == {at: sum(found) for at, found in each.items() if any(found)}
    assert seconds(added(some, most=HALF)) == {
        at: min(sum(found), HALF) for at, found in each.items() if any(found)
    }


def test_a_share_that_is_not_reached_leaves_sums_that_are_not_reached_as_long_as_it_lasts() -> None:
    """Less than a half, and a quarter that is reached; more than a quarter; and what lies on both sides of a sum is the sum."""
    fewer, more = below(HALF), above(QUARTER)
    assert added([((0, 10), fewer), ((5, 20), QUARTER)]) == [
        (0, 5, fewer), (5, 10, below(F(3, 4))), (10, 20, QUARTER)
    ]  # fmt: skip
    assert added([((0, 10), more), ((5, 20), QUARTER)]) == [
        (0, 5, more), (5, 10, above(HALF)), (10, 20, QUARTER)
    ]  # fmt: skip
    assert added([((0, 10), fewer), ((5, 20), more)]) == [(0, 5, fewer), (5, 10, F(3, 4)), (10, 20, more)]
    assert added([((0, 10), fewer), ((0, 10), fewer)]) == [(0, 10, below(WHOLE))]


def test_levels_within_spans_end_where_one_of_both_does() -> None:
    """Those that only touch have no second in common; one level lies in as many spans as it meets."""
    levels = [(0, 10, WHOLE), (10, 20, HALF), (30, 40, WHOLE)]
    assert within(levels, [(2, 4), (6, 8), (9, 12), (18, 30)]) == [
        (2, 4, WHOLE), (6, 8, WHOLE), (9, 10, WHOLE), (10, 12, HALF), (18, 20, HALF)
    ]  # fmt: skip
    assert within(levels, [(10, 20)]) == [(10, 20, HALF)]
    assert within(levels, [(20, 30), (40, 50)]) == within(levels, []) == []


@given(parts, parts)
def test_seconds_of_both_and_of_any_weight(some: list[Part], others: list[Part]) -> None:
    left, right = added(some), added(others)
    both = seconds(left).keys() & seconds(right).keys()
    assert seconds(intersected(left, right)) == dict.fromkeys(both, WHOLE)
    assert {at for start, end in spans_of(left) for at in range(start, end)} == seconds(left).keys()


@pytest.mark.parametrize(
    ("down", "above", "kept"),
    [
        ("any", None, (1, 2, 3)),
        ("above-share", HALF, (3,)),
        ("above-share", None, (1, 2, 3)),
        ("all", None, (3,)),
    ],
)
def test_which_levels_count_and_that_they_count_in_full(down: Any, above: Fraction | None, kept: Any) -> None:
    of = {1: (0, 10, QUARTER), 2: (10, 20, HALF), 3: (20, 30, WHOLE)}
    counting = Counting(down=down, share_above=above)
    assert weighed(list(of.values()), counting, whole=False) == [of[number] for number in kept]
    start = min(of[number][0] for number in kept)
    assert weighed(list(of.values()), counting, whole=True) == [(start, 30, WHOLE)]


def test_two_and_a_half_of_two_are_all_of_it() -> None:
    """More than all, as user-minutes add up, is all as well."""
    level = (0, 10, F(5, 2))
    assert weighed([level], Counting(down="all"), whole=False) == [level]


@given(parts, st.integers(1, 12), st.sampled_from([None, 3, 7]), st.sampled_from(["all", "excess"]))
@example([((MIDNIGHT - 4, MIDNIGHT + 5), WHOLE), ((MIDNIGHT + 7, MIDNIGHT + 9), HALF)], 10, 3, "all")
@example([((MIDNIGHT - 4, MIDNIGHT + 5), WHOLE), ((MIDNIGHT + 7, MIDNIGHT + 9), HALF)], 10, 3, "excess")
@example([((MIDNIGHT - 5, MIDNIGHT), WHOLE), ((MIDNIGHT + 2, MIDNIGHT + 7), HALF)], 5, 7, "all")
@example([((MIDNIGHT - 7, MIDNIGHT), WHOLE)], 8, 7, "excess")
@example([((MIDNIGHT - 7, MIDNIGHT), WHOLE)], 8, 7, "all")
@example([((MIDNIGHT - 4, MIDNIGHT), WHOLE), ((MIDNIGHT, MIDNIGHT + 2), HALF)], 10, 3, "all")
@example([((MIDNIGHT - 2, MIDNIGHT), HALF), ((MIDNIGHT, MIDNIGHT + 4), WHOLE)], 10, 3, "all")
@example([((MIDNIGHT, MIDNIGHT + 2), WHOLE), ((MIDNIGHT + 2, MIDNIGHT + 12), HALF)], 5, 3, "all")
@example(
    [
        ((MIDNIGHT, MIDNIGHT + 6), WHOLE),
        ((MIDNIGHT + 7, MIDNIGHT + 8), HALF),
        ((MIDNIGHT + 9, MIDNIGHT + 12), HALF),
    ],
    3,
    7,
    "all",
)
def test_outages_that_are_too_short_count_by_what_a_day_has_of_them(
    some: list[Part], minimum: int, limit: int | None, counts: Any
) -> None:
    levels = added(some)
    each = seconds(levels)
    kept: set[int] = set()
    short: dict[int, set[int]] = {}
    for run in runs(set(each)):
        if len(run) >= minimum:
            kept |= set(run)
        else:
            for at in run:
                short.setdefault(at // MIDNIGHT, set()).add(at)
    more = 0
    for day in short.values():
        if limit is not None and len(day) > limit:
            kept |= day if counts == "all" else set()
            more += 0 if counts == "all" else len(day) - limit
    counting = Counting(
        minimum=F(minimum), unless_daily_total_above=None if limit is None else F(limit), daily_total_counts=counts
    )  # fmt: skip
    found, seconds_more = long_enough(levels, counting, "UTC")
    assert all(start < end for start, end, _ in found)
    assert {at: weight for start, end, weight in found for at in range(start, end)} == {
        at: each[at] for at in kept
    }
    assert seconds_more == more


MONDAY = [(0, 3), (10, 14)]
TUESDAY = [(MIDNIGHT + 10, MIDNIGHT + 14), (MIDNIGHT + 20, MIDNIGHT + 24)]
WEDNESDAY = [(2 * MIDNIGHT, 2 * MIDNIGHT + 2)]
LONG = [(100, 105)]


@pytest.mark.parametrize(
    ("counts", "limit", "kept", "more"),
    [
        # Seven seconds, eight and two.
        ("all", 8, LONG, 0),
        ("all", 7, [*LONG, *TUESDAY], 0),
        ("all", 6, [*MONDAY, *LONG, *TUESDAY], 0),
        ("excess", 7, LONG, 1),
        ("excess", 6, LONG, 1 + 2),
    ],
)
def test_short_outages_count_on_a_day_that_has_more_of_them_than_the_limit(
    counts: Any, limit: int, kept: list[tuple[int, int]], more: Any
) -> None:
    outages = [*MONDAY, *LONG, *TUESDAY, *WEDNESDAY]
    counting = Counting(minimum=F(5), unless_daily_total_above=F(limit), daily_total_counts=counts)
    levels, seconds_more = long_enough([(*one, HALF) for one in outages], counting, "UTC")
    assert levels == [(*one, HALF) for one in kept]
    assert seconds_more == more


def test_without_a_least_duration_every_outage_counts() -> None:
    levels = [(0, 1, HALF), (5, 6, WHOLE)]
    assert long_enough(levels, Counting(unless_daily_total_above=F(1)), "UTC") == (levels, F(0))


@pytest.mark.parametrize(
    ("quantise", "seconds"),
    [
        ("exact", 7 + F(5, 2)), ("each-up", 8 + 8), ("each-down", 4 + 4), ("each-nearest", 8 + 4), ("total-up", 12), ("total-down", 12),
        ("total-nearest", 12),
        # From 1 on: 1 to 5, 5 to 9 and 17 to 21, 21 to 25; of these 5 to 9 is filled, and 21 to 25.
        ("slots-touched", 16), ("slots-filled", 8),
    ],
)  # fmt: skip
def test_seven_and_five_seconds_in_fours(quantise: Any, seconds: Any) -> None:
    levels = [(2, 9, WHOLE), (20, 25, HALF)]
    assert quantised(levels, Counting(quantise=quantise, quantum=4), 1) == seconds
    # One second more is a quantum more in all, where a begun one counts.
    more = [*levels, (40, 41, HALF)]
    totals = {"total-up": 16, "total-down": 12, "total-nearest": 12}
    if quantise in totals:
        assert quantised(more, Counting(quantise=quantise, quantum=4), 1) == totals[quantise]


@given(parts, st.integers(1, 9), st.integers(-5, 5))
@example([((MIDNIGHT, MIDNIGHT + 9), HALF)], 3, 0)
@example([((MIDNIGHT, MIDNIGHT + 10), WHOLE), ((MIDNIGHT - 9, MIDNIGHT - 1), WHOLE)], 3, 2)
def test_quanta_are_those_that_can_be_counted(some: list[Part], quantum: int, shift: int) -> None:
    levels, start = added(some), MIDNIGHT - 20 + shift
    each = seconds(levels)
    lengths = [len(run) for run in runs(set(each))]
    slots: dict[int, int] = {}
    for at in each:
        slots[(at - start) // quantum] = slots.get((at - start) // quantum, 0) + 1
    expected = {
        "exact": sum(each.values()),
        "each-up": sum(-(-one // quantum) * quantum for one in lengths),
        "each-down": sum(one // quantum * quantum for one in lengths),
        "total-up": -(-sum(lengths) // quantum) * quantum,
        "total-down": sum(lengths) // quantum * quantum,
        "slots-touched": len(slots) * quantum,
        "slots-filled": sum(quantum for count in slots.values() if count == quantum),
    }
    for quantise, total in expected.items():
        counting = Counting(quantise=quantise, quantum=quantum)  # type: ignore[arg-type]
        assert quantised(levels, counting, start) == total, quantise


TEN = [(0, 10, WHOLE), (20, 24, HALF)]


@pytest.mark.parametrize(
    ("changed", "least", "most", "cut"),
    [
        ({}, 12, 12, 12),
        ({"minimum": F(5)}, 10, 10, 10),
        # What is short counts at least nothing of a day's total, and at most all of it.
        ({"minimum": F(5), "unless_daily_total_above": F(3)}, 10, 12, 12),
        ({"minimum": F(5), "unless_daily_total_above": F(13)}, 10, 12, 12),
        # Never are more than 14 seconds short, and what is added is what is above the limit.
        ({"minimum": F(5), "unless_daily_total_above": F(14)}, 10, 10, 10),
        ({"minimum": F(5), "unless_daily_total_above": F(3), "daily_total_counts": "excess"}, 10, 11, 11),
        # At least all of them as one, 14 in fives; at most each piece for itself, which are 5 + 5 + 5 + 5.
        ({"quantise": "each-up", "quantum": 5}, 15, 20, 25),
        # Cut in three, ten seconds are 1 and 1 and 8 at the worst, which are as much as 5 and 5.
        ({"quantise": "each-up", "quantum": 4}, 16, 8 + 8 + 4 + 4, 8 + 8 + 4 + 4),
        # The four seconds are no outage that counts.
        ({"quantise": "each-up", "quantum": 5, "minimum": F(5)}, 10, 10, 15),
        ({"quantise": "each-down", "quantum": 3}, 12, 12, 12),
        ({"quantise": "total-up", "quantum": 5}, 15, 15, 15),
        # The first, the second and the fourth six seconds are touched.
        ({"quantise": "slots-touched", "quantum": 6}, 18, 18, 18),
    ],
)  # fmt: skip
def test_the_least_and_the_most_that_levels_come_to(
    changed: dict[str, Any], least: int, most: int, cut: int
) -> None:
    """Ten seconds whole, made from two pieces of 5, and four at a half, made from two of 2: surely, or perhaps."""
    counting = Counting(**changed)
    pieces = [
        Piece((start, start), (end, end), True, False, 0) for start, end in ((0, 5), (5, 10), (20, 22), (22, 24))
    ]  # fmt: skip
    sure = bounded(TEN, [(0, 30, WHOLE)], pieces, counting, "UTC", 0, (0, 30))
    assert sure.least == least
    perhaps = bounded([], TEN, pieces, counting, "UTC", 0, (0, 30))
    assert [perhaps.least, perhaps.most] == [0, most]
    # Cut once more, one piece may be rounded up twice.
    pieces[0] = msgspec.structs.replace(pieces[0], cuts=1)
    assert bounded([], TEN, pieces, counting, "UTC", 0, (0, 30)).most == cut


def test_what_is_short_whatever_turns_out_to_be_so_counts_on_its_day() -> None:
    """Two seconds and two, of three and four at most: with a limit of 3, all of the day counts, or what is above it."""
    least, most = [(0, 2, WHOLE), (10, 12, WHOLE)], [(0, 3, WHOLE), (10, 14, WHOLE)]
    for counts, low, high in (("all", 4, 7), ("excess", 1, 4)):
        counting = Counting(minimum=F(5), unless_daily_total_above=F(3), daily_total_counts=counts)  # type: ignore[arg-type]
        found = bounded(least, most, (), counting, "UTC", 0, (0, 100))
        assert [found.least, found.most] == [low, high]
        assert bounded(least, most, (), counting, "UTC", 0, (0, 11)).most == 4


@pytest.mark.parametrize(
    ("most", "limit", "least"),
    [
        # The first may last five seconds, which is long enough: then two are left, no more than the limit.
        ([(0, 5, WHOLE), (10, 14, WHOLE)], 3, 0),
        ([(0, 4, WHOLE), (10, 14, WHOLE)], 3, 4),
        # Four are not above four.
        ([(0, 4, WHOLE), (10, 14, WHOLE)], 4, 0),
    ],
)
def test_what_may_last_long_enough_is_not_surely_short(most: list[Level], limit: int, least: int) -> None:
    counting = Counting(minimum=F(5), unless_daily_total_above=F(limit))
    found = bounded([(0, 2, WHOLE), (10, 12, WHOLE)], most, (), counting, "UTC", 0, (0, 100))
    assert found.least == least


@pytest.mark.parametrize(
    ("counting", "least", "most"),
    [
        # Without a daily total what is short counts nothing, and without a least duration nothing is short.
        (Counting(minimum=F(5)), 6, 7),
        (Counting(unless_daily_total_above=F(1)), 8, 10),
    ],
)
def test_a_daily_total_asks_for_a_least_duration(counting: Counting, least: int, most: int) -> None:
    sure, perhaps = [(0, 2, WHOLE), (10, 16, WHOLE)], [(0, 3, WHOLE), (10, 17, WHOLE)]
    found = bounded(sure, perhaps, (), counting, "UTC", 0, (0, 100))
    assert [found.least, found.most] == [least, most]


def test_quanta_of_what_is_sure_are_rounded_once() -> None:
    """Two outages of 3 and 4 seconds are 7 together at least: two quanta of 4; and slots are counted from where they begin."""
    whole = [(0, 20, WHOLE)]
    halves, up = [(0, 3, HALF), (5, 9, HALF)], Counting(quantise="each-up", quantum=4)
    assert bounded(halves, whole, (), up, "UTC", 0, (0, 20)).least == 8
    slots = Counting(quantise="slots-touched", quantum=4)
    assert bounded([(0, 3, HALF)], whole, (), slots, "UTC", 2, (0, 20)).least == 8


@pytest.mark.parametrize(
    ("way", "parts"),
    [
        # 13 seconds in fives are 15 or 10: what is added counts at the end, what is left out are the last seconds.
        ("each-up", {(0, 13): 15, (0, 8): 8, (8, 13): 7, (8, 12): 4, (13, 20): 0, (8, 30): 7}),
        ("each-down", {(0, 13): 10, (0, 8): 8, (8, 13): 2, (8, 9): 1, (9, 12): 1, (10, 13): 0}),
    ],
)
def test_the_seconds_of_an_outage_in_quanta_lie_where_they_were(way: Any, parts: dict[Any, int]) -> None:
    counting = Counting(quantise=way, quantum=5)
    for span, counted in parts.items():
        assert quantised([(0, 13, WHOLE)], counting, 0, span) == counted
    assert quantised([(0, 13, WHOLE)], counting, 0) == parts[0, 13]


PERIOD = Period("p", "span", "UTC", 1_000, 2_000, "1970-01-01")
OUTAGE = Counting(frozenset({"outage", "delay"}))
TIME, SHARE, USERS = Measure(), Measure("affected-share"), Measure("user-minutes")
EXCLUDED = (ExclusionRule(frozenset({"planned-maintenance"})),)
Fact = Window | Measurement | Exclusion


def window(start: int, end: int | None, name: str = "w", **changed: Any) -> Window:
    made = Window("i", name, "mail", "*", "A", start, end, "outage", entries=(f"incident/{name} v1",))
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def requests(start: int, end: int, failed: int | None, total: int | None, **changed: Any) -> Measurement:
    made = Measurement(
        "i", "m", "mail", "*", "A", start, end, "requests", total, failed, entries=("incident/m v1",)
    )
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def off(start: int, end: int, **changed: Any) -> Exclusion:
    made = Exclusion("x", "planned-maintenance", "mail", "*", "*", start, end, entries=("exclusion/x v1",))
    found: Exclusion = msgspec.structs.replace(made, **changed)
    return found


def line(
    *facts: Fact,
    measure: Measure = TIME,
    counting: Counting = OUTAGE,
    scope: Scope | None = None,
    rules: tuple[ExclusionRule, ...] = EXCLUDED,
    zone: str = "UTC",
    **evidence: Any,
) -> Any:
    commitment = Commitment("c", measure, counting, scope or Scope(), ())
    policy = Policy(
        "p",
        "P",
        "2020-01-01",
        2,
        PeriodRule("calendar-month", zone),
        (commitment,),
        rules,
        Credit(),
        "half-up",
        "",
    )
    of: dict[Any, Any] = {
        kind: tuple(one for one in facts if isinstance(one, kind))
        for kind in (Window, Measurement, Exclusion)
    }
    asked = Evidence(
        "mail", "A", evidence.pop("period", PERIOD), 1_500, windows=of[Window], measurements=of[Measurement],
        exclusions=of[Exclusion], **evidence,
    )  # fmt: skip
    return timeline(policy, commitment, asked)


def bounds(of: Any) -> Any:
    return of.least, of.most


def test_a_timeline_whole() -> None:
    """100 and 50 seconds that overlap by 20, of which 30 are excluded; a delay of another effect is downtime all the same."""
    found = line(
        window(1_000, 1_100),
        window(1_080, 1_130, "v"),
        window(1_500, 1_510, "u", effect="degraded"),
        off(1_100, 1_130),
    )
    assert msgspec.structs.asdict(found) == {
        "downtime_seconds": 140, "excluded_seconds": 40, "least": 100, "most": 100, "intervals": ((1_000, 1_100),),
        "downtime": ((1_000, 1_130), (1_500, 1_510)), "removed_least": 0, "removed_most": 0, "at_once": True, "provisional": False,
        "approximate": False,
        "entries": frozenset({"incident/w v1", "incident/v v1", "incident/u v1", "exclusion/x v1"}), "outages": (1, 1),
        "excluded": ((1_100, 1_130),), "counted": (((1_000, 1_100),), ((1_000, 1_100),)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "expected", "marks"),
    [
        (window(1_100, 1_200), (100, 100), ""),
        # Clipped to the period, and nothing of what lies outside.
        (window(500, 1_100), (100, 100), ""),
        (window(1_900, 2_500), (100, 100), ""),
        (window(500, 1_000), (0, 0), "none"),
        (window(2_000, 2_500), (0, 0), "none"),
        (window(1_100, 1_200, withdrawn=True), (0, 0), "none"),
        (window(1_100, 1_200, service="web"), (0, 0), "none"),
        (window(1_100, 1_200, region="B"), (0, 0), "none"),
        (window(1_100, 1_200, region="*", regions=("A", "B")), (100, 100), ""),
        (window(1_100, 1_200, region="*", regions=("B",)), (0, 0), "none"),
        # Where it was is not known.
        (window(1_100, 1_200, region="unknown"), (0, 100), ""),
        (window(1_100, 1_200, effect="degraded"), (0, 0), ""),
        # Open: to now at least, to the end at most; or from later on.
        (window(1_400, None), (100, 600), "provisional"),
        (window(1_600, None), (0, 400), "provisional"),
        # 10 and 20 seconds of tolerance.
        (window(1_100, 1_200, start_within_seconds=10, end_within_seconds=20), (70, 130), ""),
        (window(1_100, 1_200, approximate=True), (100, 100), "approximate"),
        (window(1_100, 1_200, approximate=True, end_within_seconds=1), (99, 101), ""),
        (window(1_100, 1_200, approximate=True, start_within_seconds=1), (99, 101), ""),
        (window(1_100, 1_200, cohort="beta"), (0, 100), "provisional"),
        # Any part of time that is down counts whole.
        (window(1_100, 1_200, share_at_least="0.1", share_at_most="0.2"), (100, 100), ""),
    ],
)  # fmt: skip
def test_a_window_counts_by_where_and_when_and_what_it_is(one: Window, expected: Any, marks: str) -> None:
    # One that counts stands behind it, so that looking does not end before.
    found = line(one, window(1_800, 1_810, "last"))
    least, most = expected
    assert found.least == least + 10
    # What is open may last until the end, and then holds the last one.
    assert found.most == most + (0 if one.end is None else 10)
    assert found.entries == (
        {"incident/last v1"} if marks == "none" else {"incident/w v1", "incident/last v1"}
    )
    assert (found.provisional, found.approximate) == (marks == "provisional", marks == "approximate")


@pytest.mark.parametrize(("inside", "expected"), [(True, (100, 100)), (False, (0, 0))])
def test_who_is_in_a_cohort_decides_and_is_named(inside: bool, expected: Any) -> None:
    limited = window(1_100, 1_200, cohort="beta")
    found = line(limited, memberships={"beta": Membership(inside, "cohort/beta v1")})
    assert (bounds(found), found.provisional) == (expected, False)
    assert found.entries == {"incident/w v1", "cohort/beta v1"}
    unnamed = line(limited, window(1_800, 1_810, "last"), memberships={"beta": Membership(inside, "")})
    assert unnamed.entries == {"incident/w v1", "incident/last v1"}
    assert unnamed.least == expected[0] + 10


def test_only_surely_down_time_is_downtime() -> None:
    found = line(
        window(1_100, 1_200, region="unknown"), window(1_400, None, "open"), window(1_300, 1_310, "sure")
    )
    assert (found.downtime, found.downtime_seconds) == (((1_300, 1_310), (1_400, 1_500)), 110)


@pytest.mark.parametrize(
    ("component", "affected", "expected"),
    [
        ("inbox", (), (100, 100)),
        ("outbox", (), (0, 0)),
        ("*", (), (100, 100)),
        ("*", ("outbox",), (0, 0)),
        ("unknown", (), (0, 100)),
    ],
)
def test_a_component_that_is_asked_for_decides(
    component: str, affected: tuple[str, ...], expected: Any
) -> None:
    for named in (("inbox",), ("inbox", "archive"), ("archive", "inbox")):
        found = line(
            window(1_100, 1_200, component=component, components=affected), scope=Scope(components=named)
        )
        assert bounds(found) == expected
    # Surely in its component is not surely in the region.
    unsure = window(1_100, 1_200, component="inbox", region="unknown")
    assert bounds(line(unsure, scope=Scope(components=("inbox",)))) == (0, 100)


def test_shares_that_overlap_are_the_greater_at_least_and_their_sum_at_most() -> None:
    """A half and three quarters over 100 seconds each, 50 of them in common."""
    facts = (
        window(1_000, 1_100, share_at_least="0.5", share_at_most="0.5"),
        window(1_050, 1_150, "v", share_at_least="0.75", share_at_most="0.75"),
    )  # fmt: skip
    assert bounds(line(*facts, measure=SHARE)) == (25 + F(75, 2) + F(75, 2), 25 + 50 + F(75, 2))
    # Users of several windows add up without a limit.
    assert bounds(line(*facts, measure=USERS)) == (50 + 75, 50 + 75)


def test_a_window_that_affects_nobody_is_no_part() -> None:
    none = window(1_000, 1_100, share_at_least="0", share_at_most="0")
    found = line(none, window(1_050, 1_060, "v"), measure=SHARE)
    assert (bounds(found), found.downtime_seconds) == ((10, 10), 100)
    # By time alone any window counts, whatever it affected.
    assert bounds(line(none)) == (100, 100)
    unsure = window(1_000, 1_100, share_at_least="0", share_at_most="0.5")
    assert bounds(line(unsure, measure=SHARE)) == (0, 50)


@pytest.mark.parametrize(
    ("counting", "expected"),
    [
        ({"down": "above-share", "share_above": HALF}, (0, 100)),
        ({"down": "above-share", "share_above": F(1, 4)}, (100, 100)),
        ({"down": "above-share", "share_above": F(3, 4)}, (0, 0)),
        ({"down": "all"}, (0, 0)),
        ({}, (100, 100)),
    ],
)
def test_time_is_down_whole_above_a_share(counting: dict[str, Any], expected: Any) -> None:
    half = window(1_100, 1_200, share_at_least="0.5", share_at_most="0.75")
    assert bounds(line(half, counting=msgspec.structs.replace(OUTAGE, **counting))) == expected
    # Incidents and outages are events of the same seconds.
    events = line(half, counting=msgspec.structs.replace(OUTAGE, **counting), measure=Measure("events"))
    assert bounds(events) == expected


def test_excluded_seconds_do_not_count_and_those_perhaps_excluded_are_a_bound() -> None:
    down = window(1_100, 1_200)
    sure = line(down, off(1_150, 1_300))
    assert (bounds(sure), sure.excluded_seconds, sure.intervals) == ((50, 50), 50, ((1_100, 1_150),))
    perhaps = line(down, off(1_150, 1_300, customer="Acme"))
    assert (bounds(perhaps), perhaps.excluded_seconds) == ((50, 100), 0)
    gone = line(down, off(1_150, 1_300), rules=(msgspec.structs.replace(EXCLUDED[0], treated="removed"),))
    assert (gone.removed_least, gone.removed_most) == (150, 150)
    half = line(
        down,
        off(1_150, 1_300, customer="Acme"),
        rules=(msgspec.structs.replace(EXCLUDED[0], treated="removed"),),
    )
    assert (half.removed_least, half.removed_most) == (0, 150)


def test_everywhere_at_once_and_anywhere() -> None:
    """A from 1,100 to 1,200, B from 1,150 to 1,300."""
    facts = (window(1_100, 1_200), window(1_150, 1_300, "v", region="B"))
    at_once = line(*facts, scope=Scope("service-wide", ("A", "B")))
    assert (bounds(at_once), at_once.downtime, at_once.downtime_seconds) == (
        (50, 50),
        ((1_150, 1_200),),
        50,
    )
    assert bounds(line(*facts, scope=Scope("service-wide", ("A", "B", "C")))) == (0, 0)
    assert bounds(line(*facts, scope=Scope("service-wide", ("B",)))) == (150, 150)
    anywhere = line(*facts, scope=Scope("union"))
    assert (bounds(anywhere), anywhere.downtime) == ((200, 200), ((1_100, 1_300),))
    assert bounds(line(*facts)) == (100, 100)
    # A window of an unknown region is surely in some, and perhaps in each.
    unsure = window(1_100, 1_200, region="unknown")
    assert bounds(line(unsure, scope=Scope("union"))) == (100, 100)
    assert bounds(line(unsure, scope=Scope("service-wide", ("A", "B")))) == (0, 100)


def test_short_outages_and_quanta_of_the_day_and_the_period() -> None:
    facts = (window(1_100, 1_160), window(1_200, 1_230, "v"))
    assert bounds(line(*facts, counting=msgspec.structs.replace(OUTAGE, minimum=F(31)))) == (60, 60)
    excess = msgspec.structs.replace(
        OUTAGE, minimum=F(31), unless_daily_total_above=F(20), daily_total_counts="excess"
    )
    found = line(*facts, counting=excess)
    assert (bounds(found), found.intervals, found.excluded_seconds) == ((70, 70), ((1_100, 1_160),), 20)
    # Slots are counted from the start of the period: of 1,100 to 1,160 in sevenths of it the 14th to the 22nd are touched.
    slots = msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=7)
    assert bounds(line(window(1_100, 1_160), counting=slots)) == (63, 63)


def test_a_day_is_that_of_the_zone_of_the_policy() -> None:
    """Two short outages around midnight of UTC, which is 19:00 in New York: one day there, two here."""
    period = Period("p", "span", "UTC", MIDNIGHT - 1_000, MIDNIGHT + 1_000, "1970-01-01")
    facts = (window(MIDNIGHT - 20, MIDNIGHT - 5), window(MIDNIGHT + 5, MIDNIGHT + 20, "v"))
    daily = msgspec.structs.replace(OUTAGE, minimum=F(60), unless_daily_total_above=F(20))
    for zone, expected in (("UTC", 0), ("America/New_York", 30)):
        found = line(*facts, counting=daily, zone=zone, period=period)
        assert (bounds(found), found.outages) == (
            (expected, expected),
            (expected // 15, expected // 15),
        )
    unsure = (*facts, window(MIDNIGHT + 500, MIDNIGHT + 510, "u", cohort="beta"))
    between = line(*unsure, counting=daily, zone="America/New_York", period=period)
    # The two are short, and 30 seconds on one day, whatever the third is.
    assert bounds(between) == (30, 40)
    assert between.outages == (2, 3)


def test_the_part_that_is_asked_for_clips() -> None:
    assert bounds(line(window(1_100, 1_200), valid=(1_150, 1_500))) == (50, 50)
    assert bounds(
        line(requests(1_100, 1_200, 1, 2), measure=Measure(reads=("requests",)), valid=(1_150, 1_500))
    ) == (50, 50)


READS = Measure(reads=("requests",))
READS_SHARE = Measure("affected-share", ("requests",))


def test_a_measured_share_decides_instead_of_windows() -> None:
    """A quarter failed from 1,100 to 1,200; a window says that all did, from 1,150 to 1,300: there it was measured."""
    facts = (requests(1_100, 1_200, 1, 4), window(1_150, 1_300))
    found = line(*facts, measure=READS_SHARE)
    assert bounds(found) == (25 + 100, 25 + 100)
    assert (found.downtime, found.entries) == (((1_100, 1_300),), {"incident/m v1", "incident/w v1"})
    # Nothing failed, although a window says so; and what nobody asked for was not measured.
    for nothing in (requests(1_100, 1_200, 0, 4), requests(1_100, 1_200, 0, 0)):
        found = line(nothing, window(1_150, 1_300), measure=READS_SHARE)
        assert (bounds(found), found.downtime_seconds) == ((100, 100), 150)
    assert bounds(line(*facts, measure=READS)) == (200, 200)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (requests(1_100, 1_200, 1, 4), (25, 25)),
        (requests(900, 1_100, 1, 4), (25, 25)),
        (requests(1_900, 2_100, 1, 4), (25, 25)),
        (requests(900, 1_000, 1, 4), (0, 0)),
        (requests(2_000, 2_100, 1, 4), (0, 0)),
        (requests(1_100, 1_200, 1, 4, of="users"), (0, 0)),
        (requests(1_100, 1_200, None, 4), (0, 0)),
        (requests(1_100, 1_200, 1, None), (0, 0)),
        (requests(1_100, 1_200, 1, 4, service="web"), (0, 0)),
        (requests(1_100, 1_200, 1, 4, region="B"), (0, 0)),
        (requests(1_100, 1_200, 1, 4, region="unknown"), (0, 25)),
    ],
)
def test_a_measurement_counts_by_where_and_when_and_what_it_is_of(one: Measurement, expected: Any) -> None:
    last = requests(1_800, 1_900, 1, 2, measurement="last", entries=("incident/last v1",))
    found = line(one, last, last, measure=READS_SHARE)
    least, most = expected
    assert bounds(found) == (least + 50, most + 50)
    assert found.entries == ({"incident/last v1"} | (set() if expected == (0, 0) else {"incident/m v1"}))
    assert found.downtime_seconds == 100 + (100 if least else 0)


def test_a_measurement_of_an_unknown_place_perhaps_decides_instead_of_windows() -> None:
    found = line(requests(1_100, 1_200, 0, 4, region="unknown"), window(1_150, 1_300), measure=READS_SHARE)
    assert bounds(found) == (100, 150)


def test_excluded_seconds_of_a_measurement_do_not_count() -> None:
    one = requests(1_100, 1_200, 1, 4)
    assert bounds(line(one, off(1_160, 1_300), measure=READS_SHARE)) == (15, 15)
    assert bounds(line(one, off(1_160, 1_300, customer="Acme"), measure=READS_SHARE)) == (15, 25)
    # By the place of the measurement: what is excluded of another component leaves it.
    inbox = msgspec.structs.replace(one, component="inbox")
    for component, counted in (("inbox", 15), ("outbox", 25)):
        assert line(inbox, off(1_160, 1_300, component=component), measure=READS_SHARE).most == counted
    for region, counted in (("A", 15), ("B", 25)):
        union = Scope("union")
        assert line(one, off(1_160, 1_300, region=region), measure=READS_SHARE, scope=union).most == counted


def test_bounds_have_quanta_of_their_own() -> None:
    """61 seconds that are sure, and 10 that perhaps are: two minutes at least, and three if each is rounded up."""
    facts = (window(1_100, 1_161), window(1_300, 1_310, "v", cohort="beta"))
    each = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="each-up"))
    assert bounds(each) == (120, 180)
    # From second 1,000 in fifties: 1,100 to 1,161 touches two of them, 1,300 to 1,310 one.
    slots = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=50))
    assert bounds(slots) == (100, 150)
    # From second 1,000 in seventies: 1,070 to 1,210 are two of them, 1,280 to 1,350 is one.
    slots = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=70))
    assert bounds(slots) == (140, 210)


def test_an_event_that_affected_an_unknown_part_happened() -> None:
    unsure = window(1_100, 1_200, share_at_least="0")
    assert bounds(line(unsure, measure=Measure("events"))) == (100, 100)
    assert bounds(line(unsure)) == (100, 100)


def test_excluded_time_is_taken_out_of_a_window_by_its_place_and_its_own_plan() -> None:
    inbox = window(1_100, 1_200, component="inbox")
    for component, counted in (("inbox", 50), ("outbox", 100)):
        assert line(inbox, off(1_150, 1_300, component=component)).most == counted
    for region, counted in (("A", 50), ("B", 100)):
        assert line(inbox, off(1_150, 1_300, region=region), scope=Scope("union")).most == counted
    plan = window(1_100, 1_200, planned=Planned(0, 1_150, 1_300))
    assert bounds(line(plan)) == (50, 50)


def test_what_failed_nowhere_does_not_end_the_reading() -> None:
    nothing = requests(1_100, 1_200, 0, 4)
    after = requests(1_300, 1_400, 1, 4, measurement="n")
    assert bounds(line(nothing, after, measure=READS_SHARE)) == (25, 25)
