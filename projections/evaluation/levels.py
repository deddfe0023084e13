"""Weighted seconds: from overlapping parts to one weight for each second, then to outages and quanta.

A part is a span with the share of it that is affected. Levels are what the parts come to: spans in order that do not
overlap, each with a weight above 0. All of it is integers and fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm

from ledger.domain.ends import beside, rounded, side_of
from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.period import day_of, midnights
from ledger.domain.policy.model import Counting

__all__ = [
    "Level", "Part", "added", "highest", "in_quanta", "intersected", "joined", "long_enough", "nearest", "perhaps_kept", "quantised", "rounds_each", "spans_of",
    "surely_kept", "up", "weighed", "within",
]  # fmt: skip

Part = tuple[Span, Fraction]
Level = tuple[int, int, Fraction]

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
    return joined(found)


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
    return joined(found)


def joined(levels: Iterable[Level]) -> list[Level]:
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
    return joined((start, end, WHOLE) for start, end, _ in kept) if whole else kept


def spans_of(levels: Iterable[Level]) -> tuple[Span, ...]:
    """Return the seconds that have any weight."""
    return union((start, end) for start, end, _ in levels)


def intersected(left: list[Level], right: list[Level]) -> list[Level]:
    """Return the seconds in both, with weight 1."""
    return [(start, end, WHOLE) for start, end in intersect(spans_of(left), spans_of(right))]


def long_enough(
    levels: list[Level], counting: Counting, zone: str, span: Span | None = None
) -> tuple[list[Level], Fraction]:
    """Return the levels in outages that last long enough, and the seconds to add of those that do not.

    What does not last long enough counts on a local day on which all of it together is above the limit: whole (then it is
    among the levels), or as the seconds by which it exceeds the limit. These are its last ones of the day. span: only what lies
    in it is added; levels are those of whole outages all the same.
    """
    limit = counting.unless_daily_total_above
    if counting.minimum is None or limit is None:
        return _lasting(levels, counting.minimum), NONE
    outages = spans_of(levels)
    kept = [one for one in outages if one[1] - one[0] >= counting.minimum]
    short = [one for one in outages if one[1] - one[0] < counting.minimum]
    more = NONE
    for parts in _by_day(short, zone).values():
        if length(parts) <= limit:
            continue
        if counting.daily_total_counts == "all":
            kept += parts
        else:
            more += _beyond(parts, limit, span)
    return within(levels, union(kept)), more


def _beyond(parts: Iterable[Span], limit: Fraction, span: Span | None) -> Fraction:
    """Return the seconds of parts, in their order, behind the first ones, as many as the limit says; those in a span."""
    found, free = NONE, limit
    for begin, end in union(parts):
        used = min(free, Fraction(end - begin))
        free -= used
        low, high = begin + used, Fraction(end)
        if span is not None:
            low, high = max(low, Fraction(span[0])), min(high, Fraction(span[1]))
        found += max(high - low, NONE)
    return found


def _lasting(levels: list[Level], minimum: Fraction | None) -> list[Level]:
    """Return the levels in outages that last so many seconds."""
    if minimum is None:
        return levels
    return within(levels, [span for span in spans_of(levels) if span[1] - span[0] >= minimum])


def _by_day(spans: Sequence[Span], zone: str) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for start, end in spans:
        cuts = (start, *midnights(zone, start, end), end)
        for first, past in pairwise(cuts):
            found.setdefault(day_of(zone, first), []).append((first, past))
    return found


def within(levels: list[Level], spans: Sequence[Span]) -> list[Level]:
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


def surely_kept(
    least: list[Level], most: list[Level], counting: Counting, zone: str, span: Span
) -> tuple[list[Level], Fraction]:
    """Return the levels that count surely where what is down lies between two, and the seconds that are surely added in a span.

    Short outages may join to one that lasts long enough, which can leave the rest of a day below its limit. What is short whatever
    turns out to be so cannot: where that alone is above the limit, all of the day counts.
    """
    limit = counting.unless_daily_total_above
    lasting = _lasting(least, counting.minimum)
    if counting.minimum is None or limit is None:
        return lasting, NONE
    short = [one for one in spans_of(most) if one[1] - one[0] < counting.minimum]
    above = {
        day: length(parts) - limit
        for day, parts in _by_day(intersect(spans_of(least), short), zone).items()
        if length(parts) > limit
    }
    days = _by_day(spans_of(most), zone)
    if counting.daily_total_counts == "excess":
        # Which seconds of a day are its last ones is not known, so only a day inside counts.
        whole = [day for day in above if length(intersect(days[day], [span])) == length(days[day])]
        return lasting, sum((above[day] for day in whole), NONE)
    return within(least, union([*spans_of(lasting), *(part for day in above for part in days[day])])), NONE


def perhaps_kept(
    least: list[Level], most: list[Level], counting: Counting, zone: str, span: Span
) -> tuple[list[Level], Fraction]:
    """Return the levels of which any part may count where what is down lies between two, and the seconds that may be added in a span.

    An outage that is too short at most counts only on a day that may be above its limit: what surely lasts long enough is not
    among what that adds up.
    """
    limit = counting.unless_daily_total_above
    lasting = _lasting(most, counting.minimum)
    if counting.minimum is None or limit is None:
        return lasting, NONE
    long = spans_of(lasting)
    short = _by_day(subtract(spans_of(most), long), zone)
    if counting.daily_total_counts == "excess":
        # What lasts long enough at most counts whole already, and adds no more where it is short.
        added = (
            min(max(length(parts) - limit, NONE), Fraction(length(intersect(parts, [span]))))
            for parts in short.values()
        )
        return lasting, sum(added, NONE)
    may_be = _by_day(subtract(spans_of(most), spans_of(_lasting(least, counting.minimum))), zone)
    above = [day for day, parts in may_be.items() if length(parts) > limit]
    return within(most, union([*long, *(part for day in above for part in short.get(day, ()))])), NONE


def quantised(levels: list[Level], counting: Counting, start: int, span: Span | None = None) -> Fraction:
    """Return the seconds that levels come to in whole quanta, as the policy has them. start: where slots are counted from.

    span: only what lies in it. What is rounded outage by outage is rounded whole, whatever part of it that is.
    """
    quantum = counting.quantum
    if rounds_each(counting):
        return Fraction(sum(in_quanta(one, counting, span) for one in spans_of(levels)))
    if span is not None:
        levels = within(levels, [span])
    match counting.quantise:
        case "total-up":
            return Fraction(up(length(spans_of(levels)), quantum))
        case "total-nearest":
            return Fraction(nearest(length(spans_of(levels)), counting))
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
        case _:
            return sum((weight * (end - begin) for begin, end, weight in levels), NONE)


def rounds_each(counting: Counting) -> bool:
    """Tell whether each outage is brought to whole quanta for itself."""
    return counting.quantise in ("each-up", "each-down", "each-nearest")


def in_quanta(outage: Span, counting: Counting, span: Span | None = None) -> int:
    """Return the seconds in a span of one outage that is brought to whole quanta for itself.

    Its seconds count from the first one on, each where it lies. What rounding up adds counts where the outage ends; what rounding
    down leaves out are its last seconds. So the parts of an outage add up to it, wherever it is cut.
    """
    begin, end = outage
    quantum = counting.quantum
    match counting.quantise:
        case "each-up":
            whole = up(end - begin, quantum)
        case "each-nearest":
            whole = nearest(end - begin, counting)
        case _:
            whole = (end - begin) // quantum * quantum
    if span is None:
        return whole

    def until(moment: int) -> int:
        return whole if moment >= end else min(max(moment - begin, 0), whole)

    return until(span[1]) - until(span[0])


def nearest(seconds: int | Fraction, counting: Counting) -> int:
    """Return the whole quanta, in seconds, that are nearest; of a half the policy says where it goes.

    An open end stays one on the way: what is less than a half goes down, whatever is said of a half.
    """
    return rounded(seconds * Fraction(1, counting.quantum), f"half-{counting.ties}") * counting.quantum


def up(seconds: int, quantum: int) -> int:
    """Return seconds in whole quanta, a begun one as one."""
    return -(-seconds // quantum) * quantum
