"""Pieces of what is perhaps down, by hand; and what one outage comes to, tried at every second at which it may begin and end."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.policy.model import Counting
from projections.evaluation.levels import in_quanta
from projections.evaluation.outages import Piece, Reaching, _as_one, _one_outage, pieces_of

EVER = (-1_000, 1_000)


def reaching(**fields: Any) -> Reaching:
    """Something that begins from 10 to 20 and ends from 80 to 100."""
    return msgspec.structs.replace(Reaching((10, 20), (80, 100), True, (), (), ()), **fields)


def test_what_nothing_is_taken_from_is_one_piece() -> None:
    whole = Piece((10, 20), (80, 100), True, True, 0)
    assert list(pieces_of(reaching(), EVER)) == [whole]
    assert list(pieces_of(reaching(surely=False), EVER)) == [msgspec.structs.replace(whole, surely=False)]
    assert list(pieces_of(reaching(), (15, 90))) == [Piece((15, 20), (80, 90), True, True, 0)]
    assert list(pieces_of(reaching(), (30, 70))) == [Piece((30, 30), (70, 70), True, True, 0)]


@pytest.mark.parametrize("inside", [(100, 300), (200, 300), (-9, 10), (-9, 0)])
def test_outside_there_is_no_piece(inside: tuple[int, int]) -> None:
    assert list(pieces_of(reaching(), inside)) == []


def test_what_is_taken_parts_it() -> None:
    """From 40 to 50 nothing counts: the first piece ends there for sure, and the second begins there."""
    first, second = (
        Piece((10, 20), (40, 40), True, True, 0),
        Piece((50, 50), (80, 100), True, True, 0),
    )
    assert list(pieces_of(reaching(taken=((40, 50),)), EVER)) == [first, second]
    assert list(pieces_of(reaching(taken=((0, 12), (40, 50))), EVER)) == [
        msgspec.structs.replace(first, starts=(12, 20)),
        second,
    ]
    assert list(pieces_of(reaching(taken=((0, 12), (40, 50), (90, 300))), (11, 95))) == [
        msgspec.structs.replace(first, starts=(12, 20)),
        msgspec.structs.replace(second, ends=(80, 90)),
    ]
    assert list(pieces_of(reaching(taken=((0, 200),)), EVER)) == []


def test_what_is_perhaps_taken_leaves_a_piece_that_is_not_plain() -> None:
    made = list(pieces_of(reaching(taken=((40, 50),), perhaps=((60, 70),)), EVER))
    assert [piece.plain for piece in made] == [True, False]
    # Spans are half open: what begins where a piece ends takes nothing of it.
    made = list(pieces_of(reaching(taken=((40, 50),), perhaps=((100, 200),)), EVER))
    assert [piece.plain for piece in made] == [True, True]


@pytest.mark.parametrize(
    ("over", "cuts"),
    [
        ((50, 56), 1), ((5, 11), 0), ((5, 12), 1), ((11, 12), 1), ((10, 11), 0), ((99, 120), 1), ((100, 120), 0), ((0, 300), 1),
    ],
)  # fmt: skip
def test_a_piece_is_cut_where_what_takes_it_may_be_over_inside(over: tuple[int, int], cuts: int) -> None:
    """It is cut behind its first second at the earliest, and before its last: else nothing is left on one side."""
    (made,) = pieces_of(reaching(over=(over,)), EVER)
    assert (made.cuts, made.plain) == (cuts, not cuts)
    (made,) = pieces_of(reaching(over=(over, (50, 51))), EVER)
    assert made.cuts == cuts + 1


def test_what_counts_nothing_at_two_times_counts_nothing_at_both() -> None:
    one = reaching(taken=((1, 2),), perhaps=((3, 4),), over=((5, 6), (7, 8)))
    two = Reaching((11, 12), (13, 14), False, ((15, 16),), ((17, 18),), ((7, 8), (19, 20)))
    assert one.with_more(two) == Reaching(
        (10, 20), (80, 100), True, ((1, 2), (15, 16)), ((3, 4), (17, 18)), ((5, 6), (7, 8), (19, 20))
    )


def test_pieces_that_surely_touch_are_one() -> None:
    one, two = Piece((0, 5), (20, 30), True, True, 0), Piece((10, 15), (40, 45), True, True, 0)
    assert _as_one([one]) == one
    assert _as_one([one, two]) == Piece((0, 5), (40, 45), True, True, 0)
    assert _as_one([two, one]) == Piece((0, 5), (40, 45), True, True, 0)
    late = msgspec.structs.replace(two, starts=(18, 20))
    # From 20 on the one surely is, from 20 on the other may be: they touch; from 21 on they may not.
    assert _as_one([one, late]) == Piece((0, 5), (40, 45), True, True, 0)
    assert _as_one([one, msgspec.structs.replace(late, starts=(18, 21))]) is None
    for different in ({"surely": False}, {"plain": False}, {"starts": (10, 40)}):
        assert _as_one([one, msgspec.structs.replace(two, **different)]) is None
    assert _as_one([msgspec.structs.replace(one, plain=False)]) is None
    assert _as_one([]) is None


@st.composite
def some_pieces(draw: st.DrawFn) -> Piece:
    first = draw(st.integers(0, 20))
    early = draw(st.integers(first, 45))
    return Piece(
        (first, first + draw(st.integers(0, 12))), (early, early + draw(st.integers(0, 12))), draw(st.booleans()), True, 0
    )  # fmt: skip


some_counting = st.builds(
    Counting,
    minimum=st.one_of(st.none(), st.integers(1, 12).map(Fraction), st.just(Fraction(7, 2))),
    quantise=st.sampled_from(["each-up", "each-down", "each-nearest"]),
    quantum=st.integers(1, 11),
    ties=st.sampled_from(["up", "down", "even"]),
)


@given(some_pieces(), some_counting, st.integers(-5, 50), st.integers(0, 60))
@example(Piece((0, 12), (13, 25), True, True, 0), Counting(quantise="each-up", quantum=7), 6, 13)
@example(Piece((0, 12), (13, 25), True, True, 0), Counting(quantise="each-down", quantum=7), 6, 13)
@example(Piece((3, 9), (30, 36), True, True, 0), Counting(quantise="each-nearest", quantum=10), 6, 13)
def test_one_outage_has_the_bounds_of_all_its_beginnings_and_ends(
    piece: Piece, counting: Counting, start: int, seconds: int
) -> None:
    span = start, start + seconds
    shortest = max(Fraction(1), counting.minimum or Fraction(1))
    every = [
        in_quanta((begin, end), counting, span) if end - begin >= shortest else 0
        for begin in range(piece.starts[0], piece.starts[1] + 1)
        for end in range(piece.ends[0], piece.ends[1] + 1)
    ]
    assert _one_outage(piece, counting, span) == (min(every) if piece.surely else 0, max(every))
