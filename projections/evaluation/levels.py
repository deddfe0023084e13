"""Weighted seconds: from overlapping parts to one weight for each second, then to outages and quanta.

A part is a span with the share of it that is affected. Levels are what the parts come to: spans in order that do not
overlap, each with a weight above 0. All of it is integers and fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm

from ledger.domain.interval import Span, length, subtract, union
from ledger.domain.money import round_fraction
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
    "kept_spans",
    "long_enough",
    "nearest",
    "spans_of",
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
    for (start, end), weight in parts:
        scaled = weight.numerator * (whole // weight.denominator)
        steps[start] = steps.get(start, 0) + scaled
        steps[end] = steps.get(end, 0) - scaled
    level = before = 0
    found: list[Level] = []
    for moment in sorted(steps):
        if level:
            weight = Fraction(level, whole)
            found.append((before, moment, weight if most is None else min(weight, most)))
        level, before = level + steps[moment], moment
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
        case "above-share" | "at-least-share":
            kept = [level for level in levels if counting.fails_at(level[2])]
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


def kept_spans(
    least: list[Level], most: list[Level], counting: Counting, zone: str
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans that count surely, and those that count perhaps, where what is down lies between levels."""
    if least == most:
        kept = spans_of(long_enough(least, counting, zone)[0])
        return kept, kept
    return spans_of(_lasting(least, counting.minimum)), spans_of(_lasting(most, counting.minimum))


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


def counted_most(levels: list[Level], pieces: Iterable[Span], counting: Counting, start: int) -> Fraction:
    """Return the most seconds that levels can come to, if what is down is a part of them cut in any way.

    pieces: the spans they were made from, which are never cut further. start: where quanta are counted from.
    """
    if counting.quantise == "each-up":
        return Fraction(sum(up(end - begin, counting.quantum) for begin, end in pieces))
    if counting.quantise == "each-nearest":
        return _nearest_most(spans_of(levels), list(pieces), counting)
    if counting.unless_daily_total_above is None:
        levels = _lasting(levels, counting.minimum)
    return quantised(levels, counting, start)


def counted_least(levels: list[Level], counting: Counting, start: int) -> Fraction:
    """Return the least seconds that levels come to, if what is down can be more than they are."""
    # Short outages may join to one that lasts long enough, which can leave the rest of a day below its limit; and outages
    # that are rounded up one by one may join to fewer.
    levels = _lasting(levels, counting.minimum)
    total = sum((weight * (end - begin) for begin, end, weight in levels), NONE)
    if counting.quantise == "each-up":
        return Fraction(_up_exact(total, counting.quantum))
    if counting.quantise == "each-nearest":
        # One that is rounded loses half a quantum at most; joined to another it may lose what it gained alone.
        half = Fraction(counting.quantum, 2)
        kept = (max(end - begin - half, NONE) for begin, end in spans_of(levels))
        return Fraction(_up_exact(sum(kept, NONE), counting.quantum))
    return quantised(levels, counting, start)


def _nearest_most(outages: Sequence[Span], pieces: Sequence[Span], counting: Counting) -> Fraction:
    """Return the most quanta that outages come to if each is rounded to the nearest, and may be any part of its pieces."""
    quantum = counting.quantum
    found = 0
    for begin, end in outages:
        lasted = [last - first for first, last in pieces if first < end and last > begin]
        if len(lasted) < 2:
            found += nearest(end - begin, counting)
        else:
            # Apart, each piece gains half a quantum at most, and no more than it lasts.
            found += sum(min(4 * one, 2 * one + quantum) for one in lasted) // (2 * quantum) * quantum
    return Fraction(found)


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
        case "each-nearest":
            return Fraction(sum(nearest(end - begin, counting) for begin, end in spans_of(levels)))
        case "total-nearest":
            return Fraction(nearest(length(spans_of(levels)), counting))
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


def nearest(seconds: int | Fraction, counting: Counting) -> int:
    """Return the whole quanta, in seconds, that are nearest; of a half the policy says where it goes."""
    return round_fraction(Fraction(seconds) / counting.quantum, f"half-{counting.ties}") * counting.quantum


def up(seconds: int, quantum: int) -> int:
    """Return seconds in whole quanta, a begun one as one."""
    return -(-seconds // quantum) * quantum


def _up_exact(seconds: Fraction, quantum: int) -> int:
    return -(-seconds.numerator // (seconds.denominator * quantum)) * quantum
