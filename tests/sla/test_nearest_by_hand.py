"""Downtime that is brought to the nearest quantum: where ties go, and between which bounds open facts leave it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import Counting
from projections.evaluation.levels import counted_least, counted_most, nearest, quantised
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, one_tier, terms

F = Fraction


def counting(quantise: Any, ties: Any = "up", quantum: int = 30) -> Counting:
    return Counting(effects=frozenset({"outage"}), quantise=quantise, quantum=quantum, ties=ties)


@pytest.mark.parametrize(
    ("ties", "comes_to"),
    [
        # Of quanta of 30: 14, 15 and 16; 44, 45 and 46.
        ("up", [0, 30, 30, 30, 60, 60]),
        ("down", [0, 0, 30, 30, 30, 60]),
        ("even", [0, 0, 30, 30, 60, 60]),
    ],
)
def test_half_a_quantum_goes_where_the_policy_says(ties: str, comes_to: list[int]) -> None:
    assert [nearest(one, counting("total-nearest", ties)) for one in (14, 15, 16, 44, 45, 46)] == comes_to


def test_each_outage_or_their_sum() -> None:
    """Two of 20 are 30 each, and 40 together, which are 30."""
    levels = [(0, 20, F(1)), (100, 120, F(1))]
    assert quantised(levels, counting("each-nearest"), 0) == 60
    assert quantised(levels, counting("total-nearest"), 0) == 30


@pytest.mark.parametrize(
    ("levels", "least"),
    [
        # Joined they may be one of 40 or a little more, which is 30; alone one of 14 may stay at nothing.
        ([(0, 20, F(1)), (100, 120, F(1))], 30),
        ([(0, 14, F(1))], 0),
        ([(0, 46, F(1))], 60),
    ],
)
def test_at_least_joined_outages_lose_what_they_gained_apart(levels: list[Any], least: int) -> None:
    assert counted_least(levels, counting("each-nearest"), 0) == least


@pytest.mark.parametrize(
    ("levels", "pieces", "most"),
    [
        ([(0, 40, F(1))], [(0, 40)], 30),
        # Two pieces of 20 that touch may come apart: 30 each.
        ([(0, 40, F(1))], [(0, 20), (20, 40)], 60),
        ([(0, 20, F(1)), (50, 70, F(1))], [(0, 20), (50, 70)], 60),
    ],
)
def test_at_most_pieces_come_apart(levels: list[Any], pieces: list[Any], most: int) -> None:
    assert counted_most(levels, pieces, counting("each-nearest"), 0) == most


TEXT = terms(
    one_tier('credit_percent = "5"\nper = "block"\nblock = "30 minutes"'),
    counting='quantise = "{}"\nquantum = "30 minutes"\nties = "up"',
)


@pytest.mark.parametrize(
    ("quantise", "outages", "percent"),
    [
        ("total-nearest", ["50"], "10"),
        ("total-nearest", ["214"], "35"),
        ("total-nearest", ["20", "20"], "5"),
        ("each-nearest", ["20", "20"], "10"),
        ("each-nearest", ["14", "14"], "0"),
    ],
)
def test_plain_outages_are_rounded_as_windows_are(quantise: str, outages: list[str], percent: str) -> None:
    plain = ask(
        {"period": "2022-03", "outages": [{"minutes": one} for one in outages]}, TEXT.format(quantise)
    )
    windows = [
        {"start": f"2022-03-0{day}T00:00:00Z", "end": f"2022-03-0{day}T{int(one) // 60:02}:{int(one) % 60:02}:00Z", "effect": "outage"}
        for day, one in enumerate(outages, 1)
    ]  # fmt: skip
    timed = ask({"period": "2022-03", "windows": windows}, TEXT.format(quantise))
    assert (plain["credit_percent"], timed["credit_percent"]) == (percent, percent)
    assert "in whole quanta of 30 minutes, to the nearest, ties up" in timed["why"][0]


def test_a_workbook_calculates_the_sum_and_shows_values_of_each() -> None:
    assert reason_for_values(parse_policy(TEXT.format("total-nearest"))) == ""
    assert reason_for_values(parse_policy(TEXT.format("each-nearest"))) == (
        "value: no formula for outages that are each brought to the nearest quantum"
    )
