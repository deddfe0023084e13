"""From windows and measurements to the seconds that count: at least, as stated, and at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.measurement import Measurement
from ledger.domain.policy.model import Commitment, Policy
from ledger.domain.window import Window, place, reach, share_bounds
from projections.evaluation.evidence import Evidence
from projections.evaluation.exclusions import Excluded, excluded
from projections.evaluation.levels import (
    NONE,
    WHOLE,
    Level,
    Part,
    added,
    counted_least,
    counted_most,
    highest,
    intersected,
    kept_spans,
    long_enough,
    quantised,
    spans_of,
    weighed,
)

__all__ = ["Timeline", "concerns", "timeline"]


class Timeline(msgspec.Struct, frozen=True):
    """Downtime of a period under one commitment, in seconds.

    downtime_seconds: union of the stated windows. excluded_seconds: the part of it that does not count. least, stated, most:
    what counts; stated with the stated times taken as exact, None where something else leaves it open. intervals: the
    stated seconds that count. counted: the spans that count surely, and perhaps. removed_least, removed_most: what leaves the denominator. incidents: those with seconds that
    count, surely and at most.
    """

    downtime_seconds: int
    excluded_seconds: int
    least: Fraction
    stated: Fraction | None
    most: Fraction
    intervals: tuple[Span, ...]
    downtime: tuple[Span, ...]
    removed_least: int
    removed_most: int
    provisional: bool
    approximate: bool
    entries: frozenset[str]
    outages: tuple[int, int]
    excluded: tuple[Span, ...]
    counted: tuple[tuple[Span, ...], tuple[Span, ...]]


class _Sides:
    """The parts of one region, for each of the four ways to read the facts."""

    __slots__ = ("downtime", "least", "most", "stated_least", "stated_most")

    def __init__(self) -> None:
        self.downtime: list[Span] = []
        self.least: list[Part] = []
        self.most: list[Part] = []
        self.stated_least: list[Part] = []
        self.stated_most: list[Part] = []


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
    sides = [_sides(commitment, evidence, beside, region, marks) for region in regions]
    whole = _counts_seconds(commitment)
    adds = commitment.measure.of == "user-minutes"

    def levels(name: str, *, least: bool) -> list[Level]:
        found: list[Level] | None = None
        for side in sides:
            parts: list[Part] = getattr(side, name)
            each = added(parts, most=None) if adds else highest(parts) if least else added(parts)
            kept = weighed(each, commitment.counting, whole=whole)
            found = kept if found is None else intersected(found, kept)
        return found or []

    least, most = levels("least", least=True), levels("most", least=False)
    stated_least, stated_most = levels("stated_least", least=True), levels("stated_most", least=False)
    start = evidence.period.start
    pieces = [span for side in sides for span, _ in side.most]
    low, high = _bounds(least, most, pieces, commitment, start, policy.zone)
    stated = _exactly(stated_least, commitment, start, policy.zone) if stated_least == stated_most else None
    considered = spans_of(long_enough(stated_most, commitment.counting, policy.zone)[0])
    downtime = union(sides[0].downtime)
    for side in sides[1:]:
        downtime = intersect(downtime, side.downtime)
    removed_least, removed_most = (length(spans) for spans in beside.removed)
    marks.entries.update(beside.entries)
    return Timeline(
        downtime_seconds=length(downtime), excluded_seconds=length(subtract(downtime, considered)), least=low,
        stated=stated, most=high, intervals=considered, downtime=downtime, removed_least=removed_least, removed_most=removed_most,
        provisional=marks.provisional, approximate=marks.approximate, entries=frozenset(marks.entries),
        outages=(_outages(least, commitment, policy.zone), _outages(most, commitment, policy.zone)),
        excluded=beside.everywhere, counted=kept_spans(least, most, commitment.counting, policy.zone),
    )  # fmt: skip


def _bounds(
    least: list[Level],
    most: list[Level],
    pieces: Iterable[Span],
    commitment: Commitment,
    start: int,
    zone: str,
) -> tuple[Fraction, Fraction]:
    if least == most:
        exact = _exactly(least, commitment, start, zone)
        return exact, exact
    counting = commitment.counting
    return counted_least(least, counting, start), counted_most(most, pieces, counting, start)


def _exactly(levels: list[Level], commitment: Commitment, start: int, zone: str) -> Fraction:
    kept, more = long_enough(levels, commitment.counting, zone)
    return quantised(kept, commitment.counting, start) + more


def _outages(levels: list[Level], commitment: Commitment, zone: str) -> int:
    return len(spans_of(long_enough(levels, commitment.counting, zone)[0]))


def _sides(
    commitment: Commitment, evidence: Evidence, beside: Excluded, region: str | None, marks: _Marks
) -> _Sides:
    """Return the parts that concern a region, or any region where it is None."""
    found = _Sides()
    start, end = evidence.span
    measured = _measured(commitment, evidence, beside, region, found, marks)
    counting = commitment.counting
    any_part = counting.down == "any" and _counts_seconds(commitment)
    for window in dict.fromkeys(evidence.windows):
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
        sure, maybe = beside.beside(window.component, window.region, (window.incident, window.window))
        sure_cut, maybe_cut = union([*sure, *measured]), union([*maybe, *measured])
        found.most += ((part, high) for part in _cut(covers.most, sure_cut))
        found.stated_most += ((part, high) for part in _cut(covers.stated, sure_cut))
        # Where the region or the cohort of a window is not known, at least nothing counts.
        if low and surely and known:
            found.least += ((part, low) for part in _cut(covers.least, maybe_cut))
            found.stated_least += ((part, low) for part in _cut(covers.stated, maybe_cut))
    return found


def _counts_seconds(commitment: Commitment) -> bool:
    """Tell whether a second that is down counts in full, whatever share of it was affected."""
    return commitment.measure.of in ("time", "events") or commitment.measure.is_days


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
    sides: _Sides,
    marks: _Marks,
) -> tuple[Span, ...]:
    """Add the shares that were measured, and return the time that they decide instead of windows."""
    start, end = evidence.span
    decided: list[Span] = []
    for one in dict.fromkeys(evidence.measurements):
        if one.of not in commitment.measure.reads or one.failed is None or one.total is None:
            continue
        surely = concerns(one, evidence.service, region, commitment)
        span = max(one.start, start), min(one.end, end)
        if surely is None or span[0] >= span[1]:
            continue
        marks.entries.update(one.entries)
        share = Fraction(one.failed, one.total) if one.total else NONE
        if surely:
            decided.append(span)
        if not share:
            continue
        sure, maybe = beside.beside(one.component, one.region, None)
        most = [(part, share) for part in _cut(span, sure)]
        sides.most += most
        sides.stated_most += most
        if surely:
            least = [(part, share) for part in _cut(span, maybe)]
            sides.least += least
            sides.stated_least += least
            sides.downtime.append(span)
    return union(decided)
