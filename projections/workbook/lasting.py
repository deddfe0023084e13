"""Outages of a scope, where terms ask how long one lasts or count it in whole quanta: the numbers behind the sheet Outages.

An outage is a run of seconds that are down. Each segment knows when the outage through its end began, and how long it lasts in
all; what is excluded of a segment are its first seconds, so an outage begins anew behind them. Where a subscription begins or ends
no outage does: it counts there as far as the subscription is valid. One that goes on outside of the period has no formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ledger.domain.policy import Policy
from ledger.domain.policy.model import Counting
from projections.evaluation.levels import up

__all__ = [
    "Lasting",
    "Side",
    "asks_outages",
    "bounds",
    "counts_quanta",
    "is_open",
    "is_valid",
    "lasting",
    "pieces_up",
]

ROUNDED_ALONE = ("each-up", "each-down", "slots-touched", "slots-filled")


class _Segment(Protocol):
    """What is asked of a segment of the period."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def stated_share(self) -> int: ...
    @property
    def least_weight(self) -> int: ...
    @property
    def most_weight(self) -> int: ...
    @property
    def outside_surely(self) -> int: ...
    @property
    def outside_most(self) -> int: ...
    @property
    def least(self) -> int: ...
    @property
    def most(self) -> int: ...


class Side(NamedTuple):
    """One segment, read one way. begin: of the outage through its end, -1 where there is none; seconds from the period's start.

    lasts: the seconds of that outage. kept: the weighted seconds of the segment that count, in outages that last long enough.
    counted: where outages are rounded one by one, what counts of it here; of slots, where its valid part ends. until: the end of the
    last slot that was touched.
    """

    begin: int
    lasts: int
    kept: int
    counted: int
    until: int


class Lasting(NamedTuple):
    """One segment as stated, at least and at most."""

    stated: Side
    least: Side
    most: Side


def asks_outages(policy: Policy) -> bool:
    """Tell whether a policy asks how long outages last, or counts them in whole quanta."""
    counting = policy.commitments[0].counting
    return counting.minimum is not None or counting.quantise != "exact"


def counts_quanta(policy: Policy) -> bool:
    """Tell whether a policy counts downtime in whole quanta."""
    return policy.commitments[0].counting.quantise != "exact"


def lasting(
    segments: Sequence[_Segment], counting: Counting, valid: tuple[int, int], edge: int
) -> list[Lasting]:
    """Return the outages of segments in order. valid: from and to; edge: the share, in parts, that what is stated has to be above."""
    sides = [
        _side(segments, counting, valid, [one.stated_share > edge for one in segments], [one.outside_surely for one in segments],
              [0] * len(segments)),
        _side(segments, counting, valid, [one.least_weight > 0 for one in segments], [one.outside_most for one in segments],
              [one.least for one in segments]),
        _side(segments, counting, valid, [one.most_weight > 0 for one in segments], [one.outside_surely for one in segments],
              [one.most for one in segments]),
    ]  # fmt: skip
    return [Lasting(*found) for found in zip(*sides, strict=True)]


def _side(
    segments: Sequence[_Segment], counting: Counting, valid: tuple[int, int], down: Sequence[bool], outside: Sequence[int],
    weighted: Sequence[int],
) -> list[Side]:  # fmt: skip
    begins: list[int] = []
    before = -1
    for one, there, out in zip(segments, down, outside, strict=True):
        if one.end > one.start:
            continues = out == 0 and before >= 0
            here = there and one.end - one.start > out
            before = (before if continues else one.start + out) if here else -1
        begins.append(before)
    lasts = [0] * len(begins)
    ends = [True] * len(begins)
    for at in reversed(range(len(begins))):
        begin = begins[at]
        ends[at] = at + 1 == len(begins) or begins[at + 1] != begin
        lasts[at] = 0 if begin < 0 else segments[at].end - begin if ends[at] else lasts[at + 1]
    found: list[Side] = []
    until = 0
    for at, begin in enumerate(begins):
        one = segments[at]
        long = begin >= 0 and lasts[at] >= (counting.minimum or 0)
        counts = long and is_valid(one, valid)
        last = counts and (ends[at] or segments[at + 1].end > valid[1])
        counted = 0
        if counting.quantise in ("each-up", "each-down"):
            counted = _part(counting, begin, lasts[at], one, ends=ends[at]) if counts else 0
        elif last:
            counted = _slots(counting, max(begin, valid[0]), one.end, until)
            until = up(one.end, counting.quantum)
        found.append(Side(begin, lasts[at], weighted[at] if counts else 0, counted, until))
    return found


def is_valid(one: _Segment, valid: tuple[int, int]) -> bool:
    """Tell whether a segment lies in the time in which a subscription is valid."""
    return valid[0] <= one.start and one.end <= valid[1]


def _part(counting: Counting, begin: int, lasts: int, one: _Segment, *, ends: bool) -> int:
    """Return what counts of one outage in a segment: its own seconds, and where it ends what rounding up adds."""
    quantum, first = counting.quantum, max(one.start, begin)
    if counting.quantise == "each-up":
        return one.end - first + (up(lasts, quantum) - lasts if ends else 0)
    whole = lasts // quantum * quantum
    return min(one.end - begin, whole) - min(first - begin, whole)


def _slots(counting: Counting, begin: int, end: int, until: int) -> int:
    """Return the slots of one outage, in seconds. until: the end of the last one that earlier outages touched."""
    quantum = counting.quantum
    match counting.quantise:
        case "slots-touched":
            return up(end, quantum) - max(begin // quantum * quantum, until)
        case "slots-filled":
            return max(0, end // quantum * quantum - up(begin, quantum))
        case _:
            return 0


def bounds(found: Sequence[Lasting], counting: Counting, pieces: int) -> tuple[int, int]:
    """Return what counts at least and at most, in parts of a second. pieces: the intervals, each rounded up alone."""
    least, most = sum(one.least.kept for one in found), sum(one.most.kept for one in found)
    quantum = counting.quantum
    match counting.quantise:
        case "exact":
            return least, most
        case "total-up":
            return up(least, quantum), up(most, quantum)
        case "total-down":
            return least // quantum * quantum, most // quantum * quantum
        case "each-up" if is_open(found, counting):
            # Outages may join, or be cut, within the bounds.
            return up(least, quantum), pieces if most else 0
        case _:
            return sum(one.least.counted for one in found), sum(one.most.counted for one in found)


def is_open(found: Sequence[Lasting], counting: Counting) -> bool:
    """Tell whether outages are rounded up one by one which may join, or be cut, within the bounds."""
    return counting.quantise == "each-up" and any(one.least.begin != one.most.begin for one in found)


def pieces_up(spans: Sequence[tuple[int, int]], valid: tuple[int, int], quantum: int) -> list[int]:
    """Return of each interval that is valid in part its whole quanta, a begun one as one."""
    return [up(end - begin, quantum) if begin < valid[1] and end > valid[0] else 0 for begin, end in spans]
