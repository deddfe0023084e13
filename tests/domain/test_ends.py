"""Ends of bounds: what lies beside a number is nearer to it than any other number, on its side, whatever is done to both."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.ends import (
    ENDLESS,
    above,
    below,
    beside,
    is_endless,
    is_open,
    rounded,
    side_of,
    whole_down,
    whole_up,
)
from ledger.domain.money import ROUNDINGS, round_fraction

F = Fraction
NUMBERS = st.fractions(-50, 50, max_denominator=24)
SIDES = st.sampled_from([-1, 1])
# Nearer than any number of these tests comes to another one, or to a half of a whole number.
TINY = F(1, 10**12)


@given(NUMBERS, SIDES, NUMBERS)
def test_an_end_is_compared_as_what_lies_beside_it(number: Fraction, side: int, other: Fraction) -> None:
    end, near = beside(number, side), number + side * TINY
    assert (end < other, end <= other, end > other, end >= other, end == other) == (
        near < other, near <= other, near > other, near >= other, near == other,
    )  # fmt: skip
    assert (other < end, other <= end, other > end, other >= end) == (
        other < near, other <= near, other > near, other >= near,
    )  # fmt: skip
    assert max(end, other) == (end if near > other else other)
    assert sorted([end, number, other]) == sorted([number, other, end])


@given(NUMBERS, SIDES, NUMBERS)
def test_what_is_done_with_a_number_moves_the_end_to_its_side(
    number: Fraction, side: int, other: Fraction
) -> None:
    end, near = beside(number, side), number + side * TINY
    steps: list[Callable[[Fraction], Fraction]] = [
        lambda one: one + other, lambda one: other + one, lambda one: one - other, lambda one: other - one,
        lambda one: one * other, lambda one: other * one, lambda one: -one,
    ]  # fmt: skip
    if other:
        steps.append(lambda one: one / other)
    if number and near:
        steps.append(lambda one: other / one)
    for step in steps:
        moved, exact = step(end), step(number)
        difference = step(near) - exact
        assert (moved.numerator, moved.denominator) == (exact.numerator, exact.denominator)
        assert side_of(moved) == (difference > 0) - (difference < 0)
        assert whole_down(moved) == step(near) // 1
        assert whole_up(moved) == -(-step(near) // 1)


@given(NUMBERS, SIDES, NUMBERS, SIDES)
@example(F(2), -1, F(0), 1)
@example(F(0), 1, F(2), -1)
@example(F(0), -1, F(0), 1)
@example(F(2), 1, F(2), 1)
def test_two_ends_move_to_the_side_on_which_they_are_however_near_each_is(
    one: Fraction, one_side: int, two: Fraction, two_side: int
) -> None:
    """Whichever of the two is nearer to its number: on one side of what the numbers make, or, if that depends, the number itself."""
    ends = beside(one, one_side), beside(two, two_side)
    nears = [
        (one + one_side * first, two + two_side * second)
        for first, second in ((TINY, TINY**2), (TINY**2, TINY))
    ]
    steps: list[Callable[[Fraction, Fraction], Fraction]] = [
        lambda left, right: left + right, lambda left, right: left - right, lambda left, right: left * right,
    ]  # fmt: skip
    if two:
        steps.append(lambda left, right: left / right)
    for step in steps:
        moved, exact = step(*ends), step(one, two)
        sides = {(step(*near) > exact) - (step(*near) < exact) for near in nears}
        assert (moved.numerator, moved.denominator) == (exact.numerator, exact.denominator)
        assert side_of(moved) == (sides.pop() if len(sides) == 1 else 0)


def test_ends_are_compared_with_each_other_by_number_and_then_by_side() -> None:
    rising = [below(F(1)), F(1), above(F(1)), below(F(2)), F(2), above(F(2))]
    for left, lower in enumerate(rising):
        for right, upper in enumerate(rising):
            assert (lower < upper, lower <= upper, lower > upper, lower >= upper, lower == upper) == (
                left < right, left <= right, left > right, left >= right, left == right,
            )  # fmt: skip


@given(NUMBERS, SIDES)
def test_an_end_is_rounded_as_what_lies_beside_it(number: Fraction, side: int) -> None:
    near = number + side * TINY
    for mode in ROUNDINGS:
        assert rounded(beside(number, side), mode) == round_fraction(near, mode)
        assert rounded(number, mode) == round_fraction(number, mode)
    assert whole_down(beside(number, side)) == near // 1
    assert whole_up(beside(number, side)) == -(-near // 1)


def test_two_ends_on_one_side_stay_there_and_two_that_pull_apart_leave_the_number() -> None:
    assert above(F(1)) + above(F(2)) == above(F(3)) == above(F(1)) - below(F(-2))
    assert above(F(1)) + below(F(2)) == F(3) == above(F(5)) - above(F(2))
    assert below(F(2)) * below(F(3)) == below(F(6)) == below(F(3)) / above(F(1, 2))
    assert above(F(0)) * above(F(0)) == above(F(0)) != 0
    assert (whole_up(above(F(0)) * above(F(0))), whole_down(above(F(0)) * below(F(0)))) == (F(1), F(-1))
    assert below(F(2)) * 0 == 0
    assert not is_open(below(F(2)) * 0)
    assert bool(above(F(0)))
    assert {above(F(1)), above(F(1)), F(1)} == {F(1), above(F(1))}


def _stored(end: Fraction) -> Fraction:
    found: Fraction = pickle.loads(pickle.dumps(end))
    return found


def test_an_end_is_copied_and_written_as_it_is() -> None:
    for end in (above(F(1, 3)), below(F(2))):
        for made in (copy.copy(end), copy.deepcopy(end), _stored(end)):
            assert (made, side_of(made)) == (end, side_of(end))
    assert all(is_endless(made(ENDLESS)) for made in (copy.copy, copy.deepcopy, _stored))
    assert (repr(below(F(2))), repr(ENDLESS)) == ("Beside(Fraction(2, 1), -1)", "ENDLESS")


@pytest.mark.parametrize("other", [F(7), F(1, 9), above(F(0)), above(F(5)), below(F(1, 9))])
def test_what_has_no_end_has_none_however_it_is_scaled_or_added_to(other: Fraction) -> None:
    for made in (ENDLESS + other, other + ENDLESS, ENDLESS - other, ENDLESS * other, other * ENDLESS, ENDLESS / other):  # fmt: skip
        assert is_endless(made)
    assert is_endless(sum([other, ENDLESS, other], F(0)))
    assert is_endless(whole_down(ENDLESS))
    assert is_endless(whole_up(ENDLESS))


def test_of_what_has_no_end_nothing_is_nothing_and_a_part_is_as_little_as_it_may_be() -> None:
    assert [F(0)] * 3 == [ENDLESS * 0, 0 * ENDLESS, 0 / ENDLESS]
    assert [above(F(0))] * 3 == [3 / ENDLESS, above(F(3)) / ENDLESS, below(F(3)) / ENDLESS]
    assert below(F(1)) == 1 - 3 / ENDLESS
    assert min(ENDLESS, F(10**29)) == 10**29
    assert not is_endless(F(10**30))
    assert not is_open(ENDLESS)


def test_an_end_that_is_reached_is_the_number() -> None:
    assert [is_open(beside(F(2), side)) for side in (-1, 0, 1)] == [True, False, True]
    assert type(beside(F(2), 0)) is F
