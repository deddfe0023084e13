"""From windows and measurements to the seconds that count, at least and at most."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.measurement import Measurement
from ledger.domain.period import midnights
from ledger.domain.policy.model import Commitment, Counting, Policy
from ledger.domain.window import Window, place, reach, share_bounds
from projections.evaluation.around import ALWAYS, around, asks_whole_outages
from projections.evaluation.evidence import Evidence
from projections.evaluation.exclusions import Excluded, excluded
from projections.evaluation.levels import (
    NONE,
    WHOLE,
    Level,
    Part,
    added,
    highest,
    intersected,
    joined,
    long_enough,
    quantised,
    rounds_each,
    spans_of,
    weighed,
)
from projections.evaluation.outages import Piece, Reaching, bounded, pieces_of

__all__ = ["Timeline", "concerns", "removed_with", "timeline"]


class Timeline(msgspec.Struct, frozen=True):
    """Downtime of a period under one commitment, in seconds.

    downtime_seconds: union of the stated windows. excluded_seconds: the part of it that does not count. least, most: what
    counts. intervals: the stated seconds that count. counted: the spans that count surely, and perhaps. removed_least, removed_most: what leaves the denominator. at_once: it is
    one of these two, and nothing between. outages: how many of them count, at least and at most. excluded: spans that surely are
    excluded for all of the commitment.
    """

    downtime_seconds: int
    excluded_seconds: int
    least: Fraction
    most: Fraction
    intervals: tuple[Span, ...]
    downtime: tuple[Span, ...]
    removed_least: int
    removed_most: int
    at_once: bool
    provisional: bool
    approximate: bool
    entries: frozenset[str]
    outages: tuple[int, int]
    excluded: tuple[Span, ...]
    counted: tuple[tuple[Span, ...], tuple[Span, ...]]


class _Sides:
    """The parts of one region, for each of the three ways to read the facts.

    starts: the seconds with which an outage can begin, one (first, last + 1) for each, with the number of its window where that is no one second.
    reaching: where outages are rounded one by one, by window or measurement how far it reaches.
    """

    __slots__ = ("downtime", "least", "most", "reaching", "starts", "stated")

    def __init__(self) -> None:
        self.downtime: list[Span] = []
        self.least: list[Part] = []
        self.most: list[Part] = []
        self.stated: list[Part] = []
        self.starts: set[tuple[Span, int | None]] = set()
        self.reaching: dict[Window | Measurement, Reaching] = {}


class _Marks:
    """What was met on the way."""

    __slots__ = ("approximate", "entries", "provisional")

    def __init__(self) -> None:
        self.entries: set[str] = set()
        self.provisional = self.approximate = False


def timeline(policy: Policy, commitment: Commitment, evidence: Evidence) -> Timeline:
    """Return what counts as downtime of a period under one commitment of a policy."""
    marks = _Marks()
    beside = excluded(policy, commitment, evidence)
    scope = commitment.scope
    if scope.regions == "service-wide":
        regions: tuple[str | None, ...] = scope.all_regions
    else:
        regions = (evidence.region,) if scope.regions == "each" else (None,)
    unseen = () if evidence.observed is None else subtract([evidence.span], evidence.observed)
    gone = unseen if commitment.measure.missing == "excluded" else ()
    sides = [_sides(commitment, evidence, beside, region, gone, marks) for region in regions]
    looked_at, outside = _around(policy, commitment, evidence, regions, marks)
    span = evidence.span
    # What lies inside alone need not be cut.
    cut = span if outside else None
    whole = _counts_seconds(commitment)
    adds = commitment.measure.of == "user-minutes"
    counting, start, zone = commitment.counting, evidence.period.start, policy.zone

    def levels(name: str, *, least: bool) -> list[Level]:
        found: list[Level] = []
        for of_regions in (sides, *outside):
            here: list[Level] | None = None
            for side in of_regions:
                parts: list[Part] = getattr(side, name)
                each = added(parts, most=None) if adds else highest(parts) if least else added(parts)
                kept = weighed(each, counting, whole=whole)
                here = kept if here is None else intersected(here, kept)
            found = joined([*found, *(here or [])]) if found else here or []
        return found

    def inside(of: list[Level]) -> tuple[Span, ...]:
        return spans_of(of) if cut is None else intersect(spans_of(of), [cut])

    least, most = levels("least", least=True), levels("most", least=False)
    if least == most:
        kept, more = long_enough(least, counting, zone, cut)
        low = high = quantised(kept, counting, start, cut) + more
        counted = inside(kept), inside(kept)
        outages = len(counted[0]), len(counted[0])
    else:
        pieces = _pieces((sides, *outside), looked_at, counting, whole=whole)
        found = bounded(least, most, pieces, counting, zone, start, span)
        low, high = found.least, found.most
        counted = inside(found.surely), inside(found.perhaps)
        outages = _outages(counted, [one for side in sides for one in side.starts], counting, zone)
    if commitment.measure.missing == "down":
        low, high = _with_unseen((low, high), counted, unseen, beside, commitment, outages[1])
    kept, beyond = long_enough(levels("stated", least=False), counting, zone, cut)
    considered = inside(kept)
    downtime = union(sides[0].downtime)
    for side in sides[1:]:
        downtime = intersect(downtime, side.downtime)
    removed = removed_with(beside, gone, gone)
    marks.entries.update(beside.entries)
    return Timeline(
        downtime_seconds=length(downtime), excluded_seconds=max(length(subtract(downtime, considered)) - int(beyond), 0), least=low, most=high,
        intervals=considered, downtime=downtime, removed_least=removed[0], removed_most=removed[1], at_once=beside.at_once and (not gone or beside.up[0] == beside.up[1]),
        provisional=marks.provisional, approximate=marks.approximate, entries=frozenset(marks.entries), outages=outages,
        excluded=beside.everywhere, counted=counted,
    )  # fmt: skip


def _around(
    policy: Policy, commitment: Commitment, evidence: Evidence, regions: Sequence[str | None], marks: _Marks
) -> tuple[Span, list[list[_Sides]]]:
    """Return what lies around what is asked for, as far as outages at its edges go on there, and the span of all that is looked at."""
    counting = commitment.counting
    if not asks_whole_outages(counting):
        return evidence.span, []
    windows = tuple(
        window
        for window in evidence.windows
        if window.effect in counting.effects
        and evidence.member(window.cohort) is not False
        and any(concerns(window, evidence.service, region, commitment) is not None for region in regions)
    )
    measured = [
        (one.start, one.end) for one in evidence.measurements if one.of in commitment.measure.reads and one.failed
    ]  # fmt: skip
    reaching = (reach(window, *ALWAYS, evidence.as_of).most for window in windows)
    found = around(policy.period, counting, evidence, [*filter(None, reaching), *measured])
    sides = []
    for one in found:
        # Plans of other windows use up the limit of a rule as well.
        beside = excluded(policy, commitment, one)
        marks.entries.update(beside.entries)
        one = msgspec.structs.replace(one, windows=windows)
        sides.append([_sides(commitment, one, beside, region, (), marks) for region in regions])
    spans = [evidence.span, *(one.span for one in found)]
    return (min(first for first, _ in spans), max(past for _, past in spans)), sides


def _pieces(
    sides: Sequence[Sequence[_Sides]], looked_at: Span, counting: Counting, *, whole: bool
) -> Iterator[Piece]:
    """Yield the pieces that what is down is made of, inside and around what is asked for."""
    by_region: dict[tuple[int, Window | Measurement], Reaching] = {}
    for of_regions in sides:
        for place_of, side in enumerate(of_regions):
            for fact, one in side.reaching.items():
                known = by_region.get((place_of, fact))
                by_region[place_of, fact] = one if known is None else known.with_more(one)
    # More than one share, or more than one region at once, may cut what reaches on.
    alone = whole and counting.down == "any" and len(sides[0]) == 1
    for one in by_region.values():
        for piece in pieces_of(one, looked_at):
            yield piece if alone else msgspec.structs.replace(piece, plain=False)


def removed_with(
    beside: Excluded, unseen_least: Iterable[Span], unseen_most: Iterable[Span]
) -> tuple[int, int]:
    """Return the seconds that leave the denominator, surely and at most, each of them once: excluded, or without data.

    Excluded time that stays in the denominator as up was not missing there.
    """
    return (
        length([*beside.removed[0], *subtract(unseen_least, beside.up[1])]),
        length([*beside.removed[1], *subtract(unseen_most, beside.up[0])]),
    )


def _with_unseen(
    bounds: tuple[Fraction, Fraction],
    counted: tuple[Sequence[Span], Sequence[Span]],
    unseen: Sequence[Span],
    beside: Excluded,
    commitment: Commitment,
    outages: int,
) -> tuple[Fraction, Fraction]:
    """Return bounds with the seconds of which nothing is known: down, unless they are excluded or count already.

    counted: the spans that count surely, and perhaps. outages: how many there are at most.
    """
    counting = commitment.counting
    # What is left where as much as may be is excluded is missing surely.
    surely, perhaps = (subtract(unseen, [*beside.removed[at], *beside.up[at]]) for at in (1, 0))
    low, high = (
        bounds[0] + length(subtract(surely, counted[1])),
        bounds[1] + length(subtract(perhaps, counted[0])),
    )
    # A second is down or unknown, and counts once; what is more or less than that is rounded.
    less, more = _rounded_by(counting, outages)
    if _counts_seconds(commitment) or counting.quantise != "exact":
        low = max(low, Fraction(length([*counted[0], *surely]) - less))
    excess = counting.unless_daily_total_above is not None and counting.daily_total_counts == "excess"
    if not excess and (commitment.measure.of != "user-minutes" or counting.quantise != "exact"):
        high = min(high, Fraction(length([*counted[1], *perhaps]) + more))
    return low, high


def _rounded_by(counting: Counting, outages: int) -> tuple[int, int]:
    """Return how many seconds whole quanta may be less, and more, than so many outages."""
    way, _, to = counting.quantise.partition("-")
    if way == "exact":
        return 0, 0
    # All of them are rounded once, each of them is, or its slot at either end.
    times = {"total": 1, "each": outages, "slots": 2 * outages}[way]
    less = 0 if to in ("up", "touched") else counting.quantum - 1
    more = 0 if to in ("down", "filled") else counting.quantum - 1
    return times * less, times * more


def _outages(
    counted: tuple[Sequence[Span], Sequence[Span]],
    starts: Iterable[tuple[Span, int | None]],
    counting: Counting,
    zone: str,
) -> tuple[int, int]:
    """Return how many outages there are at least and at most, where what counts lies between spans.

    What surely counts joins at most where everything between perhaps counts; and an outage begins where something begins.
    """
    surely, perhaps = counted
    low = sum(_touches(run, surely) for run in perhaps)
    begins = {one for one in starts if _touches(one[0], perhaps)}
    if counting.unless_daily_total_above is not None:
        # Short outages count on one day, and perhaps not on the next.
        begins |= {((cut, cut + 1), None) for run in perhaps for cut in midnights(zone, run[0], run[1])}
    return low, max(low, len(begins))


def _touches(span: Span, runs: Sequence[Span]) -> bool:
    """Tell whether a span has a second in common with runs that are in normal form."""
    before = bisect_left(runs, (span[1], span[1]))
    return before > 0 and runs[before - 1][1] > span[0]


def _sides(
    commitment: Commitment, evidence: Evidence, beside: Excluded, region: str | None, gone: Sequence[Span], marks: _Marks
) -> _Sides:  # fmt: skip
    """Return the parts that concern a region, or any region where it is None. gone: time in which nothing counts."""
    found = _Sides()
    start, end = evidence.span
    measured = _measured(commitment, evidence, beside, region, gone, found, marks)
    always = [*measured[0], *gone]
    counting = commitment.counting
    any_part = counting.down == "any" and _counts_seconds(commitment)
    for number, window in enumerate(dict.fromkeys(evidence.windows)):
        surely = concerns(window, evidence.service, region, commitment)
        if surely is None:
            continue
        covers = reach(window, start, end, evidence.as_of)
        if covers.most is None:
            continue
        marks.entries.update(window.entries)
        member = evidence.member(window.cohort)
        if window.cohort is not None and member is not None:
            marks.entries.update(filter(None, [evidence.memberships[window.cohort].entry]))
            if not member:
                continue
        # Who is in a cohort of which nothing was published is not known.
        known = member is True
        marks.provisional |= window.end is None or not known
        marks.approximate |= window.is_vague
        if covers.stated and surely:
            found.downtime.append(covers.stated)
        if window.effect not in counting.effects:
            continue
        low, high = (WHOLE, WHOLE) if any_part else share_bounds(window)
        if not high:
            continue
        place_of = window.component, window.region, (window.incident, window.window)
        sure, maybe = beside.beside(*place_of)
        sure_cut = union([*sure, *always]) if always else sure
        maybe_cut = (
            sure_cut if maybe == sure and not measured[1] else union([*maybe, *sure_cut, *measured[1]])
        )
        found.most += ((part, high) for part in _cut(covers.most, sure_cut))
        found.stated += ((part, high) for part in _cut(covers.stated, sure_cut))
        # Where the region or the cohort of a window is not known, at least nothing counts.
        if low and surely and known:
            found.least += ((part, low) for part in _cut(covers.least, maybe_cut))
        late = window.start_within_seconds
        begins = max(window.start - late, start), max(window.start, start) + late + 1
        found.starts.add((begins, number if late else None))
        over: Sequence[Span] = ()
        if maybe_cut:
            over = [*beside.ends(*place_of), *((past, past + 1) for _, past in measured[1])]
            _may_be_cut(found, covers.most, sure_cut, over)
        if rounds_each(counting):
            early = window.end_within_seconds
            found.reaching[window] = Reaching(
                (window.start - late, window.start + late),
                (evidence.as_of, ALWAYS[1]) if window.end is None else (window.end - early, window.end + early),
                bool(low) and surely and known, intersect(sure_cut, [(start, end)]) if sure_cut else (), () if maybe_cut == sure_cut else intersect(subtract(maybe_cut, sure_cut), [(start, end)]), tuple(over),
            )  # fmt: skip
    return found


def _counts_seconds(commitment: Commitment) -> bool:
    """Tell whether a second that is down counts in full, whatever share of it was affected."""
    return commitment.measure.of in ("time", "events") or commitment.measure.is_days


def _may_be_cut(found: _Sides, span: Span, sure: Sequence[Span], ends: Iterable[Span]) -> None:
    """Note where a span begins anew: behind what is surely taken out, and behind what perhaps is."""
    inside = [one for one in ends if max(one[0], span[0] + 1) < min(one[1], span[1])]
    found.starts.update((one, None) for one in inside)
    found.starts.update(((past, past + 1), None) for _, past in sure if span[0] < past < span[1])


def _cut(span: Span | None, taken: Sequence[Span]) -> Sequence[Span]:
    if span is None:
        return ()
    return subtract([span], taken) if taken else (span,)


def concerns(
    window: Window | Measurement, service: str, region: str | None, commitment: Commitment
) -> bool | None:
    """Tell whether a window or measurement surely is about a service, region and component; None: surely not."""
    if window.service != service:
        return None
    if isinstance(window, Window) and window.withdrawn:
        return None
    where = "surely" if region is None else place(window.region, window.regions, region)
    if where is None:
        return None
    surely = where == "surely"
    if commitment.scope.components:
        places = {place(window.component, window.components, one) for one in commitment.scope.components}
        if places == {None}:
            return None
        surely &= "surely" in places
    return surely


def _measured(
    commitment: Commitment,
    evidence: Evidence,
    beside: Excluded,
    region: str | None,
    gone: Sequence[Span],
    sides: _Sides,
    marks: _Marks,
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Add the shares that were measured, and return the time that they decide instead of windows, surely and perhaps."""
    start, end = evidence.span
    decided: tuple[list[Span], list[Span]] = [], []
    for one in dict.fromkeys(evidence.measurements):
        if one.of not in commitment.measure.reads or one.failed is None or one.total is None:
            continue
        surely = concerns(one, evidence.service, region, commitment)
        span = max(one.start, start), min(one.end, end)
        if surely is None or span[0] >= span[1]:
            continue
        marks.entries.update(one.entries)
        share = Fraction(one.failed, one.total) if one.total else NONE
        decided[0 if surely else 1].append(span)
        if not share:
            continue
        sure, maybe = (union([*spans, *gone]) for spans in beside.beside(one.component, one.region, None))
        most = [(part, share) for part in _cut(span, sure)]
        sides.most += most
        sides.stated += most
        sides.starts.add(((span[0], span[0] + 1), None))
        over = beside.ends(one.component, one.region, None)
        _may_be_cut(sides, span, sure, over)
        if rounds_each(commitment.counting):
            sides.reaching[one] = Reaching(
                (one.start, one.start), (one.end, one.end), surely, intersect(sure, [(start, end)]),
                intersect(subtract(maybe, sure), [(start, end)]), tuple(over),
            )  # fmt: skip
        if surely:
            sides.least += [(part, share) for part in _cut(span, maybe)]
            sides.downtime.append(span)
    return union(decided[0]), tuple(decided[1])
