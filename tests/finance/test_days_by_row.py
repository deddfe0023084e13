"""Columns of days of service, row by row: what is said, what is not, and what of it is added, taken or held back."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from projections.service_days import (
    added,
    any_of,
    given,
    held_back,
    lesser,
    none_of,
    pays_days,
    said_by,
    taken,
)

F = Fraction


def column(*days: Any) -> Any:
    found = np.full(len(days), None, dtype=object)
    found[:] = days
    return found


SILENT: dict[str, Any] = {"service_days_at_least": None, "service_days_at_most": None}
BOUNDED = {"service_days_at_least": "1", "service_days_at_most": "10"}
EXACT = {"service_days_at_least": "2.5", "service_days_at_most": "2.5"}


def test_only_terms_that_know_days_say_any() -> None:
    assert [pays_days(one) for one in (SILENT, BOUNDED, EXACT, {}, {**BOUNDED, "service_days_at_most": "0"})] == [
        False, True, True, False, True,
    ]  # fmt: skip


def test_rows_are_given_what_their_assessment_says_at_the_end_that_is_taken() -> None:
    """Ends: 2 is the most, anything else the least; rows name their assessment."""
    codes, ends = np.array([1, 1, 0, 2, 1]), np.array([0, 2, 2, 1, 1])
    assert given([SILENT, BOUNDED, EXACT], codes, ends).tolist() == [F(1), F(10), None, F(5, 2), F(1)]


def test_what_is_said_and_what_is_more_than_nothing() -> None:
    some = column(None, F(0), F(3), F(-1))
    assert none_of(some).tolist() == [True, False, False, False]
    assert none_of(some).dtype == any_of(some).dtype == np.bool_
    assert any_of(some).tolist() == [False, False, True, True]
    assert any_of(column()).tolist() == []


PAIRS = (column(None, None, F(2), F(5), F(5)), column(None, F(3), None, F(3), F(7, 2)))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lesser, [None, None, None, F(3), F(7, 2)]), (taken, [None, None, None, F(2), F(3, 2)]),
        (added, [None, F(3), F(2), F(8), F(17, 2)]),
    ],
)  # fmt: skip
def test_two_columns_are_joined_row_by_row(make: Any, found: list[Any]) -> None:
    """A row that one of them does not say is not said; only sums take what the other says. The columns stay as they were."""
    left, right = PAIRS
    before = left.tolist(), right.tolist()
    assert make(left, right).tolist() == found
    assert (left.tolist(), right.tolist()) == before
    assert all(one is None or type(one) is F for one in make(left, right))


def test_what_would_be_taken_back_is_held_back() -> None:
    days = column(None, F(3), F(0), F(-4))
    assert held_back(days).tolist() == [None, F(0), F(0), F(-4)]
    assert days.tolist() == [None, F(3), F(0), F(-4)]


def test_documents_from_before_days_say_those_of_their_assessment() -> None:
    """The least where it is bounded; nothing where a claim was asked for and not granted."""
    assert said_by(BOUNDED, claimed=True) == 1
    assert said_by(EXACT, claimed=True) == F(5, 2)
    assert said_by(BOUNDED, claimed=False) == 0
