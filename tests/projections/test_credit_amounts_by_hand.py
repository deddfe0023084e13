"""What each row is credited in minor units: parts of fees, sums by currency, limits and what is too large, worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from ledger.errors import Refused
from projections.credit_amounts import _amounts
from tests.projections.pricing import APRIL, EACH_MINUTE, column, policy, priced, subscribed, window, worked

F = Fraction
MOST = 2**63 - 1
# 2.5 hours of a month of 744: 99.66%, below 99.9% and above 99%.
OUTAGE = window("2022-03-14T10:00", "2022-03-14T12:30")
# 0, 0.5, 1, 1.5, 2, 2.5; then quarters beside a half; then thirds.
HALVES, QUARTERS, THIRDS = (F(1, 2), range(6)), (F(1, 4), (1, 3, 5, 7)), (F(1, 3), (1, 2, 4, 5))


@pytest.mark.parametrize(
    ("mode", "halves", "quarters", "thirds"),
    [
        ("half-up", [0, 1, 1, 2, 2, 3], [0, 1, 1, 2], [0, 1, 1, 2]),
        ("half-ceiling", [0, 1, 1, 2, 2, 3], [0, 1, 1, 2], [0, 1, 1, 2]),
        ("half-down", [0, 0, 1, 1, 2, 2], [0, 1, 1, 2], [0, 1, 1, 2]),
        ("half-even", [0, 0, 1, 2, 2, 2], [0, 1, 1, 2], [0, 1, 1, 2]),
        ("up", [0, 1, 1, 2, 2, 3], [1, 1, 2, 2], [1, 1, 2, 2]),
        ("ceiling", [0, 1, 1, 2, 2, 3], [1, 1, 2, 2], [1, 1, 2, 2]),
        ("down", [0, 0, 1, 1, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]),
        ("floor", [0, 0, 1, 1, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]),
    ],
)
@pytest.mark.parametrize("of", [int, object])
def test_parts_of_fees_are_rounded_as_the_terms_say(
    mode: str, halves: list[int], quarters: list[int], thirds: list[int], of: Any
) -> None:
    """In 64 bits, and as Python's integers, which what is larger takes."""
    for (rate, fees), rounded in zip((HALVES, QUARTERS, THIRDS), (halves, quarters, thirds), strict=True):
        fee = np.array(list(fees), dtype=of)
        found = _amounts(fee, [rate], [mode], np.zeros(len(fee), dtype=np.intp))
        assert (found.tolist(), str(found.dtype)) == (rounded, "int64")


def test_a_tie_of_eighths_goes_to_the_even_neighbour() -> None:
    """4/8 to 44/8 in steps of a whole: 0.5, 1.5, 2.5, 3.5, 4.5, 5.5; and beside them what is no tie."""
    ties = np.array([4, 12, 20, 28, 36, 44])
    nowhere = np.zeros(6, dtype=np.intp)
    for beside, rounded in (
        (0, [0, 2, 2, 4, 4, 6]),
        (-1, [0, 1, 2, 3, 4, 5]),
        (1, [1, 2, 3, 4, 5, 6]),
    ):
        assert _amounts(ties + beside, [F(1, 8)], ["half-even"], nowhere).tolist() == rounded


def test_groups_of_different_rates_and_roundings_stand_side_by_side() -> None:
    """Halves and thirds of 5: 2.5 half up, to even, up and down; 1.67 down and half up."""
    rates, modes = (
        [F(1, 2)] * 4 + [F(1, 3)] * 2,
        ["half-up", "half-even", "up", "down", "floor", "half-up"],
    )
    for fee in (np.full(7, 5), np.full(7, 5, dtype=object)):
        found = _amounts(fee, rates, modes, np.array([5, 4, 3, 2, 1, 0, 1], dtype=np.intp))
        assert found.tolist() == [2, 1, 2, 3, 2, 3, 2]


@pytest.mark.parametrize("of", [int, object])
def test_a_sum_is_added_before_it_is_rounded(of: Any) -> None:
    """A third of 1, 2, 3 and 10 with a half: 0.83, 1.17, 1.5 and 3.83; with a half taken from it: -0.17, 0.17, 0.5 and 2.83."""
    fee, nowhere = np.array([1, 2, 3, 10], dtype=of), np.zeros(4, dtype=np.intp)
    assert _amounts(fee, [F(1, 3)], ["half-down"], nowhere, F(1, 2)).tolist() == [1, 1, 1, 4]
    assert _amounts(fee, [F(1, 3)], ["up"], nowhere, F(1, 2)).tolist() == [1, 2, 2, 4]
    assert _amounts(fee, [F(1, 3)], ["floor"], nowhere, F(-1, 2)).tolist() == [-1, 0, 0, 2]


def test_what_passes_64_bits_on_the_way_is_exact_and_what_passes_them_stays_pythons_integers() -> None:
    def of(fee: list[int], rate: Fraction, more: int = 0) -> tuple[list[int], str]:
        found = _amounts(np.array(fee), [rate], ["down"], np.zeros(len(fee), dtype=np.intp), F(more))
        return found.tolist(), str(found.dtype)

    assert of([MOST], F(1)) == ([MOST], "int64")
    assert of([MOST - 1], F(1), 1) == ([MOST], "int64")
    assert of([1, MOST], F(1), 1) == ([2, MOST + 1], "object")
    assert of([1, MOST], F(1), -1) == ([0, MOST - 1], "int64")
    assert of([3, MOST], F(2)) == ([6, 2 * MOST], "object")
    assert of([3, MOST], F(2, 3)) == ([2, 2 * MOST // 3], "int64")
    # A rate so fine that its denominator alone passes them.
    assert of([7, MOST], F(2**64, 2**64 + 1)) == ([6, MOST - 1], "int64")
    assert of([], F(2**64, 2**64 + 1)) == ([], "int64")
    assert of([], F(2)) == ([], "int64")


def test_pythons_integers_are_those_of_a_column_again_where_all_of_them_fit() -> None:
    for fee, of in ((MOST, "int64"), (MOST + 1, "object")):
        found = _amounts(np.array([fee], dtype=object), [F(1)], ["down"], np.zeros(1, dtype=np.intp))
        assert (found.tolist(), str(found.dtype)) == ([fee], of)


def test_a_rounding_that_is_not_known_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        _amounts(np.array([1]), [F(1)], ["half-cieling"], np.zeros(1, dtype=np.intp))
    assert str(refused.value) == (
        "rounding 'half-cieling' is not known (did you mean 'half-ceiling'?); use one of half-up, half-even, half-down, half-ceiling, up, "
        "down, ceiling, floor"
    )


FIXED = (
    '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99.9"\ncredit_fixed = {{ {} }}\n'
)


def test_sums_are_those_of_the_currency_and_the_policy_of_each_row() -> None:
    """Sums, parts of fees, and a policy that pays nothing, in three currencies; rows in no order."""
    sums = policy("sums", tiers=FIXED.format('USD = "7.00", JPY = "900", BHD = "0.125"'))
    other = policy("other", tiers=FIXED.format('USD = "8.00", JPY = "800"'))
    lines = [
        subscribed("a", policy="other", currency="JPY", fee="5"), subscribed("b", policy="sums"),
        subscribed("c", policy="part"), subscribed("d", policy="sums", currency="BHD", fee="1.000"),
        subscribed("e", policy="sums", region="NAM"), subscribed("f", policy="other"), subscribed("g", policy="sums", currency="JPY", fee="5"),
        subscribed("h", policy="part", currency="JPY", fee="55"), subscribed("i", policy="sums", fee="3.00"),
    ]  # fmt: skip
    found = priced(lines, [OUTAGE], sums, other, policy("part"))
    assert column(found, "credit") == {
        "a": "800", "b": "7.00", "c": "10.00", "d": "0.125", "e": "0.00", "f": "8.00", "g": "900", "h": "6", "i": "7.00",
    }  # fmt: skip
    assert column(found, "credit_at_least") == column(found, "credit_at_most") == column(found, "credit")


def test_a_limit_in_money_cuts_what_is_above_it() -> None:
    """A tenth of the fee, at most 7.50 USD or 600 JPY."""
    capped = policy(more='[limits]\namount = { USD = "7.50", JPY = "600" }\n')
    fees = {"a": ("USD", "74.90"), "b": ("USD", "75.00"), "c": ("USD", "75.10"), "d": ("JPY", "5994"), "e": ("JPY", "6006")}  # fmt: skip
    lines = [subscribed(name, currency=currency, fee=fee) for name, (currency, fee) in fees.items()]
    assert column(priced(lines, [OUTAGE], capped), "credit") == {
        "a": "7.49", "b": "7.50", "c": "7.50", "d": "599", "e": "600",
    }  # fmt: skip


def test_what_is_not_above_a_floor_is_not_paid() -> None:
    """A tenth of the fee where that comes to more than 1.00 USD, as it is rounded."""
    floor = policy(more='[limits]\nonly_above = { USD = "1.00", JPY = "0" }\n')
    lines = [subscribed(fee, fee=fee) for fee in ("10.04", "10.05", "10.00", "100.00")]
    lines.append(subscribed("yen", currency="JPY", fee="14"))
    assert column(priced(lines, [OUTAGE], floor), "credit") == {
        "10.04": "0.00", "10.05": "1.01", "10.00": "0.00", "100.00": "10.00", "yen": "1",
    }  # fmt: skip


def test_what_is_owed_at_all_is_raised_as_far_as_a_limit_lets_it() -> None:
    """A tenth of the fee, at least 2.00 USD where anything is owed, be it a tenth of a cent, and at most half of the fee."""
    raised = policy(more='[limits]\nat_least = { USD = "2.00" }\npercent = "50"\n')
    lines = [subscribed(fee, fee=fee) for fee in ("0.00", "0.01", "0.10", "0.11", "3.00", "4.00", "19.90", "20.10")]  # fmt: skip
    assert column(priced(lines, [OUTAGE], raised), "credit") == {
        "0.00": "0.00", "0.01": "0.01", "0.10": "0.05", "0.11": "0.06", "3.00": "1.50", "4.00": "2.00", "19.90": "2.00", "20.10": "2.01",
    }  # fmt: skip
    unlimited = policy(more='[limits]\nat_least = { USD = "2.00" }\n')
    assert column(priced([subscribed("a", fee="0.01"), subscribed("b", fee="0.00")], [OUTAGE], unlimited), "credit") == {
        "a": "2.00", "b": "0.00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("take", "found"),
    [
        ("lesser", ["0.50", "5.00", "5.00"]), ("greater", ["5.00", "5.00", "6.00"]), ("sum", ["5.50", "10.00", "11.00"]),
    ],
)  # fmt: skip
def test_of_a_part_of_the_fee_and_a_sum_the_one_or_the_other_or_both_are_paid(
    take: str, found: list[str]
) -> None:
    both = FIXED.format('USD = "5.00"') + f'credit_percent = "10"\ntake = "{take}"\n'
    lines = [subscribed(fee, fee=fee) for fee in ("5.00", "50.00", "60.00")]
    assert list(column(priced(lines, [OUTAGE], policy(tiers=both)), "credit").values()) == found


def test_bounds_of_a_sum_and_of_a_part_of_the_fee() -> None:
    """An outage of 44 minutes that may have lasted half an hour longer: perhaps nothing, perhaps what the tier gives."""
    perhaps = window("2022-03-31T23:00", None)
    as_of = APRIL - 30 * 60
    terms = (policy("sums", tiers=FIXED.format('USD = "7.00"')), policy("part"), policy("floor", more='[limits]\nonly_above = { USD = "10.00" }\n'))  # fmt: skip
    lines = [
        subscribed("a", policy="part", region="NAM"), subscribed("b", policy="floor", fee="200.00"), subscribed("c", policy="part"),
        subscribed("d", policy="sums"), subscribed("e", policy="sums", region="NAM"), subscribed("f", policy="floor"),
        subscribed("g", policy="part", fee="0.00"),
    ]  # fmt: skip
    found = priced(lines, [perhaps], *terms, as_of=as_of)
    assert column(found, "credit", "credit_at_least", "credit_at_most") == {
        "a": ("0.00", "0.00", "0.00"), "b": (None, "0.00", "20.00"), "c": (None, "0.00", "10.00"), "d": (None, "0.00", "7.00"),
        "e": ("0.00", "0.00", "0.00"),
        # At most 10.00, which is not above 10.00; and a tenth of nothing.
        "f": ("0.00", "0.00", "0.00"), "g": ("0.00", "0.00", "0.00"),
    }  # fmt: skip


SEVEN = window("2022-03-14T10:00", "2022-03-14T10:07")
FITS = subscribed("fits", currency="JPY", fee=str(MOST // 7))
BEYOND = subscribed("beyond", currency="JPY", fee=str(MOST // 7 + 1))


def test_a_row_may_hold_64_bits_and_is_named_where_it_would_hold_more() -> None:
    """All of the fee for each of seven minutes: a seventh of the most there is fits exactly."""
    assert MOST % 7 == 0
    each = policy(tiers=EACH_MINUTE)
    assert column(priced([FITS], [SEVEN], each), "credit") == {"fits": str(MOST)}
    for floor in ("", '[limits]\nonly_above = { JPY = "1", USD = "1.00" }\n'):
        with pytest.raises(Refused) as refused:
            priced([subscribed("usual"), FITS, BEYOND], [SEVEN], policy(tiers=EACH_MINUTE, more=floor))
        assert str(refused.value) == (
            f"subscription 'beyond' would be credited {MOST + 7} JPY, and the most that a row can hold is 9,223,372,036,854,775,807 minor "
            "units; correct its fee, or limit what policy 'p' pays"
        )


def test_what_a_limit_brings_back_is_held_to_the_last_digit() -> None:
    """Seven times the fee, and at most all of it."""
    whole = policy(tiers=EACH_MINUTE, more='[limits]\npercent = "100"\nonly_above = { JPY = "1" }\n')
    fees = (str(MOST), str(MOST - 1), "2", "1")
    lines = [subscribed(fee, currency="JPY", fee=fee) for fee in fees]
    assert column(priced(lines, [SEVEN], whole), "credit") == {**{fee: fee for fee in fees}, "1": "0"}


@pytest.mark.parametrize("floor", ["", '[limits]\nonly_above = { USD = "1.00" }\n'])
def test_a_row_that_might_hold_too_much_is_named_with_its_policy(floor: str) -> None:
    """Only what is open, and comes to too much at most, is named: the minutes of an outage that may go on to the end of the month."""
    perhaps = window("2022-03-31T23:00", None)
    lines = [
        subscribed("usual", policy="q"), subscribed("elsewhere", region="NAM", currency="USD", fee="90000000000000000.00"),
        subscribed("most", currency="USD", fee="1800000000000000.00"),
    ]  # fmt: skip
    with pytest.raises(Refused) as refused:
        # 30 minutes come to 54,000,000,000,000,000.00, and 60 to twice that, which is more than 92,233,720,368,547,758.07.
        priced(lines, [perhaps], policy(tiers=EACH_MINUTE, more=floor), policy("q"), as_of=APRIL - 30 * 60)
    assert str(refused.value) == (
        "subscription 'most' would be credited 108000000000000000.00 USD, and the most that a row can hold is 9,223,372,036,854,775,807 "
        "minor units; correct its fee, or limit what policy 'p' pays"
    )


def test_columns_of_a_million_rows_stay_narrow() -> None:
    """Digits of a currency take a byte, amounts eight, flags one."""
    found = worked([subscribed("a")], [OUTAGE], policy()).frame.dtypes
    assert (found["minor_units"], found["fee"], found["credit"]) == (np.int8, np.int64, "Int64")
    assert {str(found[name]) for name in ("provisional", "approximate")} == {"bool"}
    assert {str(found[name]) for name in ("credit_at_least", "downtime_seconds", "policy_version")} == {
        "int64"
    }
