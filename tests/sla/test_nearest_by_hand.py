"""Downtime that is brought to the nearest quantum: where ties go, and between which bounds open facts leave it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import Counting
from projections.evaluation.levels import nearest, quantised
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


@pytest.mark.parametrize(
    ("minutes", "within", "bounds"),
    [
        # 20 minutes are half an hour; 15 are, too, and 14 are none.
        (20, 150, (1_800, 1_800)),
        (20, 180, (0, 1_800)),
        # 44 to 46 minutes are half an hour or an hour.
        (45, 30, (1_800, 3_600)),
    ],
)
def test_open_times_leave_quanta_between_bounds(minutes: int, within: int, bounds: tuple[int, int]) -> None:
    window = {
        "start": "2022-03-01T10:00:00Z", "end": f"2022-03-01T10:{minutes}:00Z", "effect": "outage", "start_within_seconds": within,
        "end_within_seconds": within,
    }  # fmt: skip
    for quantise in ("each-nearest", "total-nearest"):
        answer = ask({"period": "2022-03", "windows": [window]}, TEXT.format(quantise))
        assert tuple(answer[f"eligible_downtime_seconds_at_{end}"] for end in ("least", "most")) == bounds


@pytest.mark.parametrize(
    ("ties", "downtime", "bounds"),
    [
        # Less than three quarters of an hour is half an hour, whatever is said of three quarters.
        ("up", {"at_least": "31", "below": "45"}, (1_800, 1_800)),
        ("even", {"at_least": "31", "below": "45"}, (1_800, 1_800)),
        ("up", {"at_least": "31", "at_most": "45"}, (1_800, 3_600)),
        # More than that is an hour, and more than an hour and a quarter one and a half.
        ("down", {"above": "45", "at_most": "50"}, (3_600, 3_600)),
        ("down", {"at_least": "45", "at_most": "50"}, (1_800, 3_600)),
        ("even", {"above": "75", "at_most": "80"}, (5_400, 5_400)),
        ("even", {"at_least": "75", "at_most": "80"}, (3_600, 5_400)),
    ],
)
def test_an_open_end_is_no_tie(ties: str, downtime: dict[str, str], bounds: tuple[int, int]) -> None:
    stated = {f"downtime_{end}_minutes": minutes for end, minutes in downtime.items()}
    for quantise in ("each-nearest", "total-nearest"):
        text = TEXT.format(quantise).replace('ties = "up"', f'ties = "{ties}"')
        answer = ask({"period": "2022-03", **stated}, text)
        assert tuple(answer[f"eligible_downtime_seconds_at_{end}"] for end in ("least", "most")) == bounds


def test_of_halves_every_other_one_goes_up_before_the_month_as_well() -> None:
    """Down until six minutes past the first, from eight minutes before it, give or take five, in quanta of four minutes.

    Of 14 minutes, three and a half quanta, 16 count, of which 8 lie before the month; of 10 and of 18, two and a half and four and a
    half, 8 and 16 count, of which 4 and 12 do. So there are 4 minutes to 8.
    """
    window = {
        "start": "2025-05-31T23:52:00Z", "end": "2025-06-01T00:06:00Z", "effect": "outage", "start_within_seconds": 300,
    }  # fmt: skip
    text = terms(
        one_tier('credit_multiple = "1"'),
        counting='quantise = "each-nearest"\nquantum = "4 minutes"\nties = "even"',
    )
    answer = ask({"period": "2025-06", "windows": [window]}, text)
    assert [answer[f"eligible_downtime_seconds_at_{end}"] for end in ("least", "most")] == [240, 480]
