"""How levels of what is down become seconds that count: laws against counting second by second, and cases counted by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.ends import above, below
from ledger.domain.policy.model import (
    Counting,
)
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
