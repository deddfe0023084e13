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
from projections.evaluation.outages import Piece, Reaching, _as_one, _one_outage, bounded, pieces_of

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


def all_of(piece: Piece, counting: Counting, span: tuple[int, int]) -> tuple[int, int]:
    """The least and the most of one outage, tried at every second at which it may begin and end."""
    shortest = max(Fraction(1), counting.minimum or Fraction(1))
    every = [
        in_quanta((begin, end), counting, span) if end - begin >= shortest else 0
        for begin in range(piece.starts[0], piece.starts[1] + 1)
        for end in range(piece.ends[0], piece.ends[1] + 1)
    ]
    return min(every) if piece.surely else 0, max(every)


WAYS: Any = ("each-up", "each-down", "each-nearest")
UP, DOWN, NEAREST = (Counting(quantise=way, quantum=10) for way in WAYS)
NINE = Counting(minimum=Fraction(9), quantise="each-up", quantum=10)
FIVES = Counting(quantise="each-nearest", quantum=5)
EVEN = Counting(quantise="each-nearest", quantum=4, ties="even")


@pytest.mark.parametrize(
    ("starts", "ends", "counting", "span", "expected"),
    [
        # Inside it only grows: from 18 seconds to 30.
        ((0, 2), (20, 30), UP, (0, 30), (20, 30)),
        ((0, 2), (20, 30), DOWN, (0, 30), (10, 30)),
        ((0, 2), (20, 30), NEAREST, (0, 30), (20, 30)),
        # Nine seconds are long enough, inside and over an edge.
        ((5, 5), (10, 13), NINE, (0, 30), (0, 0)),
        ((5, 5), (10, 14), NINE, (0, 30), (0, 10)),
        ((5, 5), (14, 16), NINE, (0, 30), (10, 20)),
        ((0, 0), (5, 8), NINE, (2, 30), (0, 0)),
        ((0, 0), (5, 9), NINE, (2, 30), (0, 8)),
        ((0, 0), (9, 11), NINE, (2, 30), (8, 18)),
        # Over the end: what rounding adds lies outside, but where the outage ends with the span.
        ((0, 0), (25, 25), UP, (0, 22), (22, 22)),
        ((0, 0), (22, 25), UP, (0, 22), (22, 30)),
        ((0, 0), (21, 25), UP, (-5, 22), (22, 30)),
        # Begun before the span: its seconds there are left out. Of 21 seconds 30 count and 5 lie there; of 20, 20 and 4.
        ((0, 8), (26, 26), UP, (10, 90), (16, 25)),
        # Of 20 seconds 20 and 4; of 19, 10 and 3.
        ((0, 8), (26, 26), DOWN, (10, 90), (7, 16)),
        # Of 25 seconds 30 and 9; of 24, 20 and 8.
        ((0, 4), (26, 26), NEAREST, (10, 90), (12, 21)),
        # Of 23 seconds in fives 25 and 7, of 22 they are 20 and 6.
        ((0, 8), (26, 26), FIVES, (10, 90), (14, 18)),
        # Of 14 seconds, three quanta and a half, 16 and 8; of 10, two and a half, 8 and 4.
        ((6, 16), (25, 25), EVEN, (19, 28), (4, 8)),
        # Begun with the span 22 seconds are 20, all of which lie in it; begun last, 13 are 10.
        ((0, 12), (25, 25), DOWN, (3, 23), (10, 20)),
        # Of what lies outside nothing counts.
        ((0, 2), (20, 30), UP, (30, 50), (0, 0)),
        ((0, 2), (20, 30), UP, (-9, 0), (0, 0)),
    ],
)  # fmt: skip
def test_one_outage_over_an_edge(
    starts: tuple[int, int], ends: tuple[int, int], counting: Counting, span: tuple[int, int], expected: tuple[int, int]
) -> None:  # fmt: skip
    piece = Piece(starts, ends, True, True, 0)
    assert _one_outage(piece, counting, span) == all_of(piece, counting, span) == expected
    # Perhaps it never was.
    unsure = msgspec.structs.replace(piece, surely=False)
    assert _one_outage(unsure, counting, span) == (0, expected[1])


# Around a midnight in UTC: of forty seconds those from 0 to 13 and from 20 to 34 are sure; a quantum are eleven.
BEGIN = 86_400 - 20


def what_comes_of(
    way: Any, span: tuple[int, int], pieces: list[Piece], sure: list[tuple[int, int]], most: list[tuple[int, int]], **terms: Any
) -> Any:  # fmt: skip
    """What pieces in runs come to, all given in seconds from BEGIN."""
    counting = Counting(quantise=way, quantum=11, **terms)
    moved = [
        msgspec.structs.replace(
            piece,
            starts=(piece.starts[0] + BEGIN, piece.starts[1] + BEGIN),
            ends=(piece.ends[0] + BEGIN, piece.ends[1] + BEGIN),
        )
        for piece in pieces
    ]
    least, at_most = (
        [(first + BEGIN, past + BEGIN, Fraction(1)) for first, past in spans] for spans in (sure, most)
    )
    found = bounded(least, at_most, moved, counting, "UTC", 0, (span[0] + BEGIN, span[1] + BEGIN))
    return found.least, found.most


SEVERAL = [Piece((0, 0), (13, 25), True, True, 0), Piece((20, 20), (34, 40), True, True, 0)]


@pytest.mark.parametrize(
    ("way", "span", "expected"),
    [
        # Inside: joined they are 27 seconds or more; apart they are rounded up twice, from 25 and 20 at most.
        ("each-up", (0, 40), (33, 33 + 22)),
        # At most each loses half a quantum, 5 seconds: 8 and 9 are left, which are two quanta; each may gain as much: 50 are four.
        ("each-nearest", (0, 40), (22, 44)),
        ("each-down", (0, 40), (11 + 11, 33)),
        # Over an edge it is not known what lies inside of what is gained or lost: of 8 and 14 seconds, and of 35 at most.
        ("each-up", (5, 40), (22, 35 + 2 * 10)),
        ("each-nearest", (5, 40), (3 + 9, 35 + 2 * 5)),
        ("each-nearest", (9, 40), (9, 31 + 2 * 5)),
        ("each-down", (5, 40), (22 - 2 * 10, 35)),
        ("each-up", (0, 30), (23, 30 + 2 * 10)),
        ("each-nearest", (0, 30), (8 + 5, 30 + 2 * 5)),
        ("each-down", (0, 30), (23 - 2 * 10, 30)),
        ("each-down", (0, 16), (0, 16)),
        # Outside there is nothing.
        ("each-up", (40, 90), (0, 0)),
        ("each-nearest", (-9, 0), (0, 0)),
        ("each-down", (-9, 0), (0, 0)),
    ],
)  # fmt: skip
def test_what_may_join_or_not_lies_between_bounds(
    way: Any, span: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert what_comes_of(way, span, SEVERAL, [(0, 13), (20, 34)], [(0, 40)]) == expected


def test_what_surely_is_one_outage_is_rounded_as_one() -> None:
    """Of 25 seconds the nearest are 22, of which five lie before; it is the same where two overlap that last as long together."""
    whole = Piece((0, 0), (25, 25), True, True, 0)
    parts = [Piece((0, 0), (15, 15), True, True, 0), Piece((10, 10), (25, 25), True, True, 0)]
    for pieces in ([whole], parts):
        assert what_comes_of("each-nearest", (5, 40), pieces, [(0, 25)], [(0, 25)]) == (17, 17)


def test_of_forty_seconds_no_two_outages_last_twenty_five() -> None:
    """One at most: it gains ten seconds, and whole quanta are four."""
    found = what_comes_of("each-up", (0, 40), SEVERAL, [], [(0, 40)], minimum=Fraction(25))
    assert found == (0, 44)


def test_a_piece_is_rounded_up_where_it_lasts_longest() -> None:
    """Of 26 seconds at most, begun as late as 30 seconds after, and of eight surely: three quanta, and one."""
    late = Piece((-10, 30), (14, 16), True, True, 0)
    other = Piece((20, 20), (28, 28), True, True, 0)
    assert what_comes_of("each-up", (-20, 60), [late, other], [(20, 28)], [(-10, 16), (20, 28)]) == (
        11,
        33 + 11,
    )
    # Of 25 seconds at most and 20 that may join: three quanta and two; together 15 are sure.
    several = [Piece((0, 12), (13, 25), True, True, 0), SEVERAL[1]]
    assert what_comes_of("each-up", (0, 40), several, [(12, 13), (20, 34)], [(0, 40)]) == (22, 33 + 22)


@pytest.mark.parametrize(
    ("sure", "most", "expected"),
    [
        # Four seconds or five are too short, and are more than a day may have: a quantum.
        ((1, 5), (0, 5), (11, 11)),
        # Five seconds on each side of midnight: each day's may be rounded up for itself.
        ((15, 25), (15, 25), (11, 22)),
    ],
)
def test_what_a_day_has_of_short_outages_is_cut_by_midnight(
    sure: tuple[int, int], most: tuple[int, int], expected: tuple[int, int]
) -> None:
    piece = Piece((most[0], sure[0]), (sure[1], most[1]), True, True, 0)
    daily: dict[str, Any] = {"minimum": Fraction(20), "unless_daily_total_above": Fraction(3)}
    assert what_comes_of("each-up", (0, 40), [piece], [sure], [most], **daily) == expected


@given(some_pieces(), some_counting, st.integers(-5, 50), st.integers(0, 60))
@example(Piece((0, 12), (13, 25), True, True, 0), Counting(quantise="each-up", quantum=7), 6, 13)
@example(Piece((0, 12), (13, 25), True, True, 0), Counting(quantise="each-down", quantum=7), 6, 13)
@example(Piece((3, 9), (30, 36), True, True, 0), Counting(quantise="each-nearest", quantum=10), 6, 13)
@example(
    Piece((3, 18), (23, 44), True, True, 0), Counting(quantise="each-nearest", quantum=6, ties="even"), 34, 11
)
def test_one_outage_has_the_bounds_of_all_its_beginnings_and_ends(
    piece: Piece, counting: Counting, start: int, seconds: int
) -> None:
    span = start, start + seconds
    assert _one_outage(piece, counting, span) == all_of(piece, counting, span)
