"""Weighted seconds: from overlapping parts to one weight for each second, then to outages and quanta.

A part is a span with the share of it that is affected. Levels are what the parts come to: spans in order that do not
overlap, each with a weight above 0. All of it is integers and fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm

from ledger.domain.ends import beside, side_of, whole_up
from ledger.domain.interval import Span, length, subtract, union
from ledger.domain.period import day_of, midnights
from ledger.domain.policy.model import Counting

__all__ = [
    "Level",
    "Part",
    "added",
    "counted_least",
    "counted_most",
    "highest",
    "intersected",
    "long_enough",
    "perhaps_kept",
    "quantised",
    "spans_of",
    "surely_kept",
    "up",
    "weighed",
]

Part = tuple[Span, Fraction]
Level = tuple[int, int, Fraction]

# No part of a whole, and all of it.
NONE, WHOLE = Fraction(0), Fraction(1)


def highest(parts: Iterable[Part]) -> list[Level]:
    """Return levels where of overlapping parts only the heaviest counts: the least they can come to."""
    by_weight: dict[Fraction, list[Span]] = {}
    for span, weight in parts:
        if weight:
            by_weight.setdefault(weight, []).append(span)
    if len(by_weight) == 1:
        ((weight, spans),) = by_weight.items()
        return [(start, end, weight) for start, end in union(spans)]
    covered: tuple[Span, ...] = ()
    found: list[Level] = []
    for weight in sorted(by_weight, reverse=True):
        found += [(start, end, weight) for start, end in subtract(by_weight[weight], covered)]
        covered = union([*covered, *by_weight[weight]])
    return _joined(found)


def added(parts: Sequence[Part], *, most: Fraction | None = WHOLE) -> list[Level]:
    """Return levels where overlapping parts add up, to no more than `most`: the most they can come to."""
    # Integers over one denominator keep the sweep exact without a fraction at each step.
    whole = lcm(*(weight.denominator for _, weight in parts))
    steps: dict[int, int] = {}
    sides: dict[int, list[int]] = {}
    for (start, end), weight in parts:
        scaled = weight.numerator * (whole // weight.denominator)
        steps[start] = steps.get(start, 0) + scaled
        steps[end] = steps.get(end, 0) - scaled
        if side := side_of(weight):
            sides.setdefault(start, []).append(side)
            sides.setdefault(end, []).append(-side)
    level = before = side = 0
    found: list[Level] = []
    for moment in sorted(steps):
        if level or side:
            # An end that is not reached leaves a sum that is not reached.
            weight = beside(Fraction(level, whole), (side > 0) - (side < 0))
            found.append((before, moment, weight if most is None else min(weight, most)))
        level, before, side = level + steps[moment], moment, side + sum(sides.get(moment, ()))
    return _joined(found)


def _joined(levels: Iterable[Level]) -> list[Level]:
    """Return levels, none of them empty, in order, with touching ones of one weight as one."""
    found: list[Level] = []
    for start, end, weight in sorted(levels):
        if found and found[-1][1] == start and found[-1][2] == weight:
            found[-1] = (found[-1][0], end, weight)
        else:
            found.append((start, end, weight))
    return found


def weighed(levels: list[Level], counting: Counting, *, whole: bool) -> list[Level]:
    """Return the levels that count: those above the share that is asked for; whole: each then counts in full."""
    match counting.down:
        case "any":
            kept = levels
        case "above-share":
            edge = counting.share_above or NONE
            kept = [level for level in levels if level[2] > edge]
        case "all":
            kept = [level for level in levels if level[2] >= 1]
    return _joined((start, end, WHOLE) for start, end, _ in kept) if whole else kept


def spans_of(levels: Iterable[Level]) -> tuple[Span, ...]:
    """Return the seconds that have any weight."""
    return union((start, end) for start, end, _ in levels)


def intersected(left: list[Level], right: list[Level]) -> list[Level]:
    """Return the seconds in both, with weight 1."""
    from ledger.domain.interval import intersect

    return [(start, end, WHOLE) for start, end in intersect(spans_of(left), spans_of(right))]


def long_enough(levels: list[Level], counting: Counting, zone: str) -> tuple[list[Level], Fraction]:
    """Return the levels in outages that last long enough, and the seconds to add of those that do not.

    What does not last long enough counts on a local day on which all of it together is above the limit: whole (then it is
    among the levels), or as the seconds by which it exceeds the limit.
    """
    limit = counting.unless_daily_total_above
    if counting.minimum is None or limit is None:
        return _lasting(levels, counting.minimum), NONE
    outages = spans_of(levels)
    kept = [span for span in outages if span[1] - span[0] >= counting.minimum]
    short = [span for span in outages if span[1] - span[0] < counting.minimum]
    more = NONE
    for parts in _by_day(short, zone).values():
        total = length(parts)
        if total > limit and counting.daily_total_counts == "all":
            kept += parts
        elif total > limit:
            more += total - limit
    return _within(levels, union(kept)), more


def _lasting(levels: list[Level], minimum: Fraction | None) -> list[Level]:
    """Return the levels in outages that last so many seconds."""
    if minimum is None:
        return levels
    return _within(levels, [span for span in spans_of(levels) if span[1] - span[0] >= minimum])


def _by_day(spans: Sequence[Span], zone: str) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for start, end in spans:
        cuts = (start, *midnights(zone, start, end), end)
        for first, past in pairwise(cuts):
            found.setdefault(day_of(zone, first), []).append((first, past))
    return found


def _within(levels: list[Level], spans: Sequence[Span]) -> list[Level]:
    """Return the part of levels inside spans that are in normal form."""
    found: list[Level] = []
    at = 0
    for start, end, weight in levels:
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        here = at
        while here < len(spans) and spans[here][0] < end:
            found.append((max(start, spans[here][0]), min(end, spans[here][1]), weight))
            here += 1
    return found


def surely_kept(levels: list[Level], counting: Counting) -> list[Level]:
    """Return the levels that count surely where what is down can be more than they are."""
    # Short outages may join to one that lasts long enough, which can leave the rest of a day below its limit.
    return _lasting(levels, counting.minimum)


def perhaps_kept(levels: list[Level], counting: Counting) -> list[Level]:
    """Return the levels of which any part may count where what is down is a part of them."""
    return levels if counting.unless_daily_total_above is not None else _lasting(levels, counting.minimum)


def counted_most(
    levels: list[Level], pieces: Iterable[Span], cuts: int, counting: Counting, start: int
) -> Fraction:
    """Return the most seconds that levels can come to, if what is down is a part of them cut in any way.

    pieces: the spans they were made from; cuts: how often these may be cut in two. start: where quanta are counted from.
    """
    if counting.quantise == "each-up":
        # A piece in two is rounded up twice.
        return Fraction(
            sum(up(end - begin, counting.quantum) for begin, end in pieces) + cuts * counting.quantum
        )
    return quantised(perhaps_kept(levels, counting), counting, start)


def counted_least(levels: list[Level], counting: Counting, start: int) -> Fraction:
    """Return the least seconds that levels come to, if what is down can be more than they are."""
    levels = surely_kept(levels, counting)
    if counting.quantise == "each-up":
        # Outages that are rounded up one by one may join to fewer.
        total = sum((weight * (end - begin) for begin, end, weight in levels), NONE)
        return Fraction(_up_exact(total, counting.quantum))
    return quantised(levels, counting, start)


def quantised(levels: list[Level], counting: Counting, start: int) -> Fraction:
    """Return the seconds that levels come to in whole quanta, as the policy has them."""
    quantum = counting.quantum
    match counting.quantise:
        case "exact":
            return sum((weight * (end - begin) for begin, end, weight in levels), NONE)
        case "each-up":
            return Fraction(sum(up(end - begin, quantum) for begin, end in spans_of(levels)))
        case "each-down":
            return Fraction(sum((end - begin) // quantum * quantum for begin, end in spans_of(levels)))
        case "total-up":
            return Fraction(up(length(spans_of(levels)), quantum))
        case "total-down":
            return Fraction(length(spans_of(levels)) // quantum * quantum)
        case "slots-touched":
            slots = union(
                ((begin - start) // quantum * quantum, up(end - start, quantum))
                for begin, end in spans_of(levels)
            )
            return Fraction(length(slots))
        case "slots-filled":
            filled = (
                ((up(begin - start, quantum), (end - start) // quantum * quantum))
                for begin, end in spans_of(levels)
            )
            return Fraction(length(filled))


def up(seconds: int, quantum: int) -> int:
    """Return seconds in whole quanta, a begun one as one."""
    return -(-seconds // quantum) * quantum


def _up_exact(seconds: Fraction, quantum: int) -> int:
    return int(whole_up(seconds / quantum)) * quantum
