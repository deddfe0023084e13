"""Outages that are rounded one by one, where it is not known exactly when they began and ended: the least and the most of it.

A piece is something that is down without a break, from one of some seconds to one of others. Pieces that surely touch are one
outage, of which the least and the most are exact. Where pieces may join or not, be cut or be missing, the bounds are as narrow as
can be proven: never too narrow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil

import msgspec

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.period import midnights
from ledger.domain.policy.model import Counting
from projections.evaluation.levels import (
    Level,
    in_quanta,
    perhaps_kept,
    quantised,
    rounds_each,
    spans_of,
    surely_kept,
    up,
)

__all__ = ["Bounds", "Piece", "Reaching", "bounded", "pieces_of"]


class Reaching(msgspec.Struct, frozen=True):
    """How far something reaches that is perhaps down. starts, ends: the first and the last second at which it may begin and end.

    surely: it is there. taken: the spans in which it surely counts nothing; perhaps: those in which it may count nothing, with the
    seconds with which such a span may be over, as (first, last + 1).
    """

    starts: Span
    ends: Span
    surely: bool
    taken: tuple[Span, ...]
    perhaps: tuple[Span, ...]
    over: tuple[Span, ...]

    def with_more(self, other: Reaching) -> Reaching:
        """Return the same with what counts nothing of it at another time."""
        return Reaching(
            self.starts, self.ends, self.surely, (*self.taken, *other.taken), (*self.perhaps, *other.perhaps),
            tuple(dict.fromkeys((*self.over, *other.over))),
        )  # fmt: skip


class Piece(msgspec.Struct, frozen=True):
    """Something that is down without a break. starts, ends: first and last second; cuts: how often it may be cut in two.

    plain: it surely counts whole, wherever it begins and ends.
    """

    starts: Span
    ends: Span
    surely: bool
    plain: bool
    cuts: int

    @property
    def core(self) -> Span:
        """The seconds that it surely covers; not a span where it may be nothing."""
        return self.starts[1], self.ends[0]


class Bounds(msgspec.Struct, frozen=True):
    """Seconds at least and at most, and the levels that they are of: whole outages, also where these go on outside."""

    least: Fraction
    most: Fraction
    surely: list[Level]
    perhaps: list[Level]


def pieces_of(reaching: Reaching, inside: Span) -> Iterator[Piece]:
    """Yield the pieces that are left of something, as far as they lie inside a span."""
    first, last = reaching.starts
    early, late = reaching.ends
    whole = max(first, inside[0]), min(late, inside[1])
    for begin, end in subtract([whole], reaching.taken):
        over = [one for one in reaching.over if max(one[0], begin + 1) < min(one[1], end)]
        plain = not over and not (reaching.perhaps and intersect([(begin, end)], reaching.perhaps))
        yield Piece(
            (begin, max(begin, last)), (min(end, early), end), reaching.surely, plain, len(over)
        )  # fmt: skip


def bounded(
    least: list[Level],
    most: list[Level],
    pieces: Iterable[Piece],
    counting: Counting,
    zone: str,
    start: int,
    span: Span,
) -> Bounds:
    """Return what counts in a span, where what is down lies between two levels.

    pieces: what is down is made of nothing else. start: where slots are counted from.
    """
    sure, more_sure = surely_kept(least, most, counting, zone, span)
    perhaps, more_perhaps = perhaps_kept(least, most, counting, zone, span)
    if rounds_each(counting):
        low, high = _each(spans_of(sure), spans_of(perhaps), spans_of(most), pieces, counting, zone, span)
    else:
        # More that is down never counts less.
        low, high = (quantised(levels, counting, start, span) for levels in (sure, perhaps))
    return Bounds(low + more_sure, high + more_perhaps, sure, perhaps)


def _each(
    sure: Sequence[Span], perhaps: Sequence[Span], most: Sequence[Span], pieces: Iterable[Piece], counting: Counting, zone: str,
    span: Span,
) -> tuple[Fraction, Fraction]:  # fmt: skip
    """Return the bounds of outages that are rounded one by one; what may join lies in one run of `most`."""
    ordered = sorted(pieces, key=lambda piece: piece.starts)
    begins = [piece.starts[0] for piece in ordered]
    low = high = 0
    for run in most:
        mine = ordered[bisect_left(begins, run[0]) : bisect_left(begins, run[1])]
        one = _as_one(mine) if counting.unless_daily_total_above is None else None
        if one is not None:
            found = _one_outage(one, counting, span)
        else:
            cuts = len(midnights(zone, *run)) if counting.unless_daily_total_above is not None else 0
            found = (
                _at_least(_inside(sure, run), run, counting, span),
                _at_most(_inside(perhaps, run), run, mine, cuts, counting, span),
            )
        low, high = low + found[0], high + found[1]
    return Fraction(low), Fraction(high)


def _inside(spans: Sequence[Span], run: Span) -> Sequence[Span]:
    """Return the spans, in normal form, of which all or none lies in a run."""
    first = bisect_left(spans, (run[0], run[0]))
    return spans[first : bisect_left(spans, (run[1], run[1]))]


def _as_one(pieces: Sequence[Piece]) -> Piece | None:
    """Return pieces as the one that they surely are together; None where they may be several, or are cut."""
    if not pieces or not all(piece.plain for piece in pieces):
        return None
    if len(pieces) == 1:
        return pieces[0]
    cores = [piece.core for piece in pieces]
    if not all(piece.surely for piece in pieces) or not all(begin < end for begin, end in cores):
        return None
    if len(union(cores)) != 1:
        return None
    return Piece(
        (min(piece.starts[0] for piece in pieces), min(piece.starts[1] for piece in pieces)),
        (max(piece.ends[0] for piece in pieces), max(piece.ends[1] for piece in pieces)),
        True, True, 0,
    )  # fmt: skip


def _one_outage(piece: Piece, counting: Counting, span: Span) -> tuple[int, int]:
    """Return what one outage comes to in a span, at least and at most, over all seconds at which it may begin and end.

    With its end it grows, but for the end of the span, behind which nothing is added. With a later start it shrinks inside the span;
    before it, it goes up and down alike in each two quanta, so that it is tried at the ends and at the first turns.
    """
    quantum, shortest = counting.quantum, ceil(counting.minimum or 1)

    longest, least = (piece.starts[0], piece.ends[1]), piece.core
    surely = piece.surely and least[1] - least[0] >= shortest
    if span[0] <= longest[0] and longest[1] <= span[1]:
        # Inside it only grows.
        most = in_quanta(longest, counting) if longest[1] - longest[0] >= shortest else 0
        return (in_quanta(least, counting) if surely else 0), most

    def tried(ends: Iterable[int]) -> Iterator[int]:
        for end in ends:
            first, last = piece.starts[0], min(piece.starts[1], end - shortest)
            if last < first:
                continue
            turns = (first + (end - first - longer) % (2 * quantum) for longer in _turns(counting))
            for begin in {first, last, span[0], *turns}:
                if first <= begin <= last:
                    yield in_quanta((begin, end), counting, span)

    first, last = piece.ends
    found = list(tried({first, last, min(max(span[1], first), last)}))
    return min(found) if surely else 0, max(found, default=0)


def _turns(counting: Counting) -> tuple[int, ...]:
    """Return how much longer than pairs of quanta an outage is where what it comes to is about to change, and beside it.

    Of two halves one may go up and the other down, so that one quantum is not like the next.
    """
    turn = counting.quantum // 2 if counting.quantise == "each-nearest" else 0
    return tuple(turn + beside + more for beside in (-1, 0, 1) for more in (0, counting.quantum))


def _at_least(sure: Sequence[Span], run: Span, counting: Counting, span: Span) -> int:
    """Return the least of what surely counts in a run, each part of which may be joined to others."""
    quantum = counting.quantum
    inside = length(intersect(sure, [span]))
    edge = run[0] < span[0] or run[1] > span[1]
    if counting.quantise == "each-up":
        return inside if edge else up(inside, quantum)
    if counting.quantise == "each-nearest":
        # An outage loses half a quantum of its last seconds at most, and joined to another it may lose what it gained alone.
        kept = sum(max(last - first - quantum // 2, 0) for first, last in intersect(sure, [span]))
        return kept if edge else up(kept, quantum)
    if edge:
        # An outage loses less than a quantum of its last seconds.
        return max(0, inside - len(sure) * (quantum - 1))
    return sum(in_quanta(one, counting) for one in sure)


def _at_most(
    perhaps: Sequence[Span], run: Span, pieces: Sequence[Piece], cuts: int, counting: Counting, span: Span
) -> int:
    """Return the most of what perhaps counts in a run: each outage begins with a piece, or where one is cut."""
    quantum = counting.quantum
    inside = length(intersect(perhaps, [span]))
    edge = run[0] < span[0] or run[1] > span[1]
    if not inside:
        return 0
    if counting.quantise == "each-down":
        return inside if edge else sum(in_quanta(one, counting) for one in perhaps)
    cuts += sum(piece.cuts for piece in pieces)
    several = len(pieces) + cuts
    if counting.minimum and counting.unless_daily_total_above is None:
        several = min(several, (run[1] - run[0]) // ceil(counting.minimum))
    added = inside + several * (quantum - 1 if counting.quantise == "each-up" else quantum // 2)
    if edge:
        return added
    alone = sum(up(piece.ends[1] - piece.starts[0], quantum) for piece in pieces) + cuts * quantum
    return min(added // quantum * quantum, alone)
