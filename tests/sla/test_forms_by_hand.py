"""Amounts as functions of the base: laws against the amounts of each base one by one, and forms that can be read off."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.ends import ENDLESS, above, below, is_endless, is_open
from projections.evaluation.forms import NOTHING, Form, greatest, least, line, scaled, total

F = Fraction
BASES = (0, 1, 7, 100, 999, 10**6)
# A tenth and a fifth of the base, and sums of 5 and 10.
TENTH, FIFTH, FIVE, TEN = line(F(1, 10)), line(F(1, 5)), line(0, 5), line(0, 10)

lines = st.builds(line, st.sampled_from([F(0), F(1, 10), F(1, 3), 1, 2]), st.integers(-20, 20))
some = st.recursive(
    lines, lambda inner: st.builds(lambda join, forms: join(forms), st.sampled_from([least, greatest, total]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.lists(some, min_size=1, max_size=3))
@example([least([TENTH, FIVE]), line(1, 1)])
@example([greatest([TENTH, FIVE]), line(1, 1)])
@example([least([TENTH, FIVE]), greatest([FIFTH, TEN]), FIVE])
def test_joined_forms_come_to_the_joined_amounts(forms: list[Form]) -> None:
    for base in BASES:
        amounts = [form.value(base) for form in forms]
        assert least(forms).value(base) == min(amounts)
        assert greatest(forms).value(base) == max(amounts)
        assert total(forms).value(base) == sum(amounts)
        assert scaled(forms[0], F(1, 12)).value(base) == forms[0].value(F(base, 12))


def test_of_lines_that_never_decide_nothing_is_left() -> None:
    assert least([TENTH, FIFTH]) == TENTH
    assert greatest([TENTH, FIFTH]) == FIFTH
    assert greatest([least([TENTH, FIVE]), TENTH]) == TENTH
    assert greatest([least([TENTH, FIVE]), FIFTH]) == FIFTH
    assert least([TENTH, FIVE]).of == (((F(0), F(5)), (F(1, 10), F(0))),)
    assert greatest([TENTH, FIVE]).of == (((F(0), F(5)),), ((F(1, 10), F(0)),))


def test_a_part_and_a_sum_add_up_to_one_line_and_nothing_adds_nothing() -> None:
    assert total([TENTH, FIVE, FIFTH]) == line(F(3, 10), 5)
    assert total([TENTH]) == TENTH
    assert total([]) == NOTHING


def test_what_is_added_to_the_lesser_of_two_is_added_to_both() -> None:
    assert total([least([TENTH, FIVE]), TEN]) == least([line(F(1, 10), 10), line(0, 15)])
    assert total([TEN, greatest([TENTH, FIVE])]) == greatest([line(F(1, 10), 10), line(0, 15)])


def test_whole_numbers_become_fractions_so_that_no_part_of_them_is_a_float() -> None:
    (((a, b),),) = line(1, 2).of
    assert (type(a), type(b), type(a / 2)) == (Fraction, Fraction, Fraction)


@pytest.mark.parametrize("end", [above(F(5)), below(F(5))])
def test_ends_that_are_not_reached_stay_so(end: Fraction) -> None:
    assert is_open(line(end).value(1))
    assert is_open(line(0, end).value(1))
    assert line(end).value(1) == line(0, end).value(1) == end
    assert is_endless(line(0, ENDLESS).value(1))
    assert is_endless(line(ENDLESS).value(1))
    assert is_open(total([line(end), TEN]).value(1))


def test_a_rate_is_what_is_nothing_but_a_part_of_the_base() -> None:
    assert TENTH.rate == F(1, 10)
    assert (NOTHING.rate, NOTHING.is_nothing, TENTH.is_nothing) == (F(0), True, False)
    for form in (FIVE, line(1, 5), least([TENTH, FIVE]), greatest([TENTH, FIVE])):
        assert form.rate is None
        assert not form.is_nothing
