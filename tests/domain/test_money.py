"""Amounts are whole minor units; rounding is exact and named."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.money import (
    ALL_ROUNDINGS,
    ISO_4217,
    ROUNDINGS,
    allocate,
    decimal_places,
    decimal_text,
    format_money,
    minor_units,
    number_text,
    parse_money,
    round_fraction,
)
from ledger.errors import Refused

TIES = ("-2.5", "-1.5", "-1.2", "-0.5", "0", "0.5", "1.2", "1.5", "1.8", "2.5")
BY_DECIMAL = {
    "half-up": ROUND_HALF_UP,
    "half-even": ROUND_HALF_EVEN,
    "half-down": ROUND_HALF_DOWN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
    "ceiling": ROUND_CEILING,
    "floor": ROUND_FLOOR,
}


@pytest.mark.parametrize(
    ("code", "digits"), [("USD", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4), ("XAF", 0), ("EUR", 2)]
)
def test_digits_are_those_of_iso_4217(code: str, digits: int) -> None:
    assert minor_units(code) == digits


def test_the_table_names_each_code_once() -> None:
    # 165 current codes have a minor unit; six more were withdrawn since 2021.
    assert len(ISO_4217) == 171
    assert all(len(code) == 3 and code.isupper() for code in ISO_4217)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1200.00", "USD", 120_000),
        ("1200", "USD", 120_000),
        ("1200.5", "USD", 120_050),
        ("0.01", "USD", 1),
        ("1200", "JPY", 1200),
        ("1.234", "BHD", 1234),
        ("000.10", "EUR", 10),
        ("99999999999999999999.99", "USD", 9_999_999_999_999_999_999_999),
    ],
)
def test_amounts_become_minor_units(text: str, currency: str, amount: int) -> None:
    assert parse_money(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        ("12.345", "USD", "amount '12.345' has 3 decimals, but USD has 2; write it like 1200.00"),
        ("12.0", "JPY", "amount '12.0' has 1 decimal, but JPY has 0; write it like 1200"),
        (12.5, "USD", "a float is not exact: give the amount as text"),
        ("-12", "USD", "an amount may not be negative"),
        ("1,200.00", "USD", "use digits and at most one decimal point"),
        ("1e3", "USD", "is not written as 1200.00"),
        ("12.", "USD", "is not written as 1200.00"),
        ("", "USD", "amount '' is not written as 1200.00"),
        ("١٢", "USD", "is not written as 1200.00"),
        (
            "12",
            "usd",
            "currency 'usd' is not an ISO 4217 code of money (did you mean 'USD'?); write it like USD",
        ),
        ("12", "XAU", "is not an ISO 4217 code of money"),
    ],
)
def test_what_is_not_exact_is_refused(text: Any, currency: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_money(text, currency)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (120_000, "USD", "1200.00"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (0, "BHD", "0.000"),
        (-1234, "BHD", "-1.234"),
        (1200, "JPY", "1200"),
        (0, "JPY", "0"),
    ],
)
def test_amounts_are_shown_with_all_digits(amount: int, currency: str, text: str) -> None:
    assert format_money(amount, currency) == text


@given(st.integers(0, 10**24), st.sampled_from(sorted(ISO_4217)))
def test_what_is_shown_reads_back(amount: int, currency: str) -> None:
    assert parse_money(format_money(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        ("half-up", (-3, -2, -1, -1, 0, 1, 1, 2, 2, 3)),
        ("half-even", (-2, -2, -1, 0, 0, 0, 1, 2, 2, 2)),
        ("half-down", (-2, -1, -1, 0, 0, 0, 1, 1, 2, 2)),
        ("up", (-3, -2, -2, -1, 0, 1, 2, 2, 2, 3)),
        ("down", (-2, -1, -1, 0, 0, 0, 1, 1, 1, 2)),
        ("ceiling", (-2, -1, -1, 0, 0, 1, 2, 2, 2, 3)),
        ("floor", (-3, -2, -2, -1, 0, 0, 1, 1, 1, 2)),
    ],
)
def test_each_mode_rounds_as_it_is_named(mode: str, rounded: tuple[int, ...]) -> None:
    assert tuple(round_fraction(Fraction(value), mode) for value in TIES) == rounded


@given(st.decimals(-10_000, 10_000, places=3), st.sampled_from(ROUNDINGS))
def test_rounding_agrees_with_the_decimal_module(value: Decimal, mode: str) -> None:
    assert round_fraction(Fraction(value), mode) == int(value.quantize(Decimal(1), rounding=BY_DECIMAL[mode]))


def test_an_unknown_mode_names_the_nearest() -> None:
    with pytest.raises(
        Refused,
        match=r"rounding 'half_up' is not known \(did you mean 'half-up'\?\); use one of half-up, half-even, half-down, half-ceiling, up, down, "
        r"ceiling, floor$",
    ):
        round_fraction(Fraction(1, 2), "half_up")


def test_exact_values_have_one_spelling() -> None:
    assert [decimal_text(Fraction(value)) for value in ("12.50", "100", "0", "0.002", "-0.5", "1e-7")] == [
        "12.5", "100", "0", "0.002", "-0.5", "0.0000001",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="1/3 has no finite decimal expansion"):
        decimal_text(Fraction(1, 3))


def test_a_number_without_an_end_is_spelled_as_a_fraction() -> None:
    assert [number_text(Fraction(value)) for value in ("1/30", "-7/3", "1/8", "12.50", "0")] == [
        "1/30", "-7/3", "0.125", "12.5", "0",
    ]  # fmt: skip


def test_the_smallest_parts_are_spelled_exactly() -> None:
    assert decimal_text(Fraction(1, 10**25)) == "0." + "0" * 24 + "1"
    assert decimal_text(Fraction(3, 2**70)) == f"0.{(3 * 5**70):070}"


def test_displayed_values_have_their_places_and_round_half_even() -> None:
    assert decimal_places(Fraction(1, 3), 12) == "0.333333333333"
    assert decimal_places(Fraction(5, 100), 1) == "0.0"
    assert decimal_places(Fraction(15, 100), 1) == "0.2"
    assert decimal_places(Fraction(100), 3) == "100.000"


def test_half_ceiling_goes_up_at_a_tie_whatever_the_sign() -> None:
    assert [round_fraction(Fraction(value), "half-ceiling") for value in TIES] == [
        -2, -1, -1, 0, 0, 1, 1, 2, 2, 3,
    ]  # fmt: skip
    assert set(ALL_ROUNDINGS) - set(ROUNDINGS) == {"half-ceiling"}


@pytest.mark.parametrize(
    ("text", "currency", "said"),
    [
        (12.5, "JPY", "amount 12.5 is not written as 1200; a float is not exact: give the amount as text"),
        (" -12", "USD", "amount ' -12' is not written as 1200.00; an amount may not be negative"),
        ("1e3", "BHD", "amount '1e3' is not written as 1200.000; use digits and at most one decimal point"),
    ],
)
def test_the_whole_sentence_says_how_an_amount_is_written(text: Any, currency: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_money(text, currency)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("amount", "ratios", "parts"),
    [
        (5, [1, 1, 1], [2, 2, 1]),
        (-5, [1, 1, 1], [-2, -2, -1]),
        (0, [1, 2], [0, 0]),
        (1, [1, 1], [1, 0]),
        (-1, [1, 1], [-1, 0]),
        (7, [0, 1], [0, 7]),
        # Ratios that sum to 1, or to less.
        (3, [Fraction(1, 2), Fraction(1, 2)], [2, 1]),
        (10, [Fraction(1, 10), Fraction(1, 5)], [3, 7]),
        # What was cut most comes first, wherever it stands: 0.3, 0.8 and 0.9.
        (2, [3, 8, 9], [0, 1, 1]),
    ],
)
def test_an_amount_is_split_into_whole_units_of_both_signs(
    amount: int, ratios: list[int | Fraction], parts: list[int]
) -> None:
    assert allocate(amount, ratios) == parts


@pytest.mark.parametrize(
    ("amount", "ratios", "parts"),
    [
        (5, [1, 1, 1], [1, 2, 2]),
        (-5, [1, 1, 1], [-1, -2, -2]),
        (3, [1, 1, 1, 1], [0, 1, 1, 1]),
        (1, [1, 1], [0, 1]),
        (1, [3, 1], [1, 0]),
        (2, [3, 8, 9], [0, 1, 1]),
    ],
)
def test_equal_remainders_are_served_from_the_last_where_that_is_asked(
    amount: int, ratios: list[int | Fraction], parts: list[int]
) -> None:
    assert allocate(amount, ratios, "last-to-first") == parts


@pytest.mark.parametrize(
    ("ratios", "named"),
    [([], "none"), ([0, 0], "0, 0"), ([3, -1], "3, -1"), ([-1, Fraction(1, 2)], "-1, 1/2")],
)
def test_ratios_that_nothing_can_be_split_by_are_refused(ratios: list[int | Fraction], named: str) -> None:
    with pytest.raises(Refused) as refused:
        allocate(100, ratios)
    assert str(refused.value) == (
        f"ratios {named} cannot be split by; give numbers from 0, one of them above"
    )
