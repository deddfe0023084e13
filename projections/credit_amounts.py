"""The money of each row: what its group gives of its fee, rounded once, in integers that fit or a sentence that they do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.money import ALL_ROUNDINGS, MOST_MINOR_UNITS, format_money, minor_units, round_ratio
from ledger.errors import Refused, nearest
from projections.credit_groups import Group, Ints
from projections.earlier_credits import Counted
from projections.evaluation.forms import Form, Line, Price
from projections.grouping import Codes, category_of

__all__ = ["credits_of", "digits_of"]


def credits_of(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], before: Mapping[int, Counted]
) -> tuple[Ints, Ints]:
    """Return the least and the most credit of each row in minor units, rounded once by the policy's mode.

    before: by row what was credited before and counts.
    """
    fee, currency = subscriptions["fee"].to_numpy(), category_of(subscriptions["currency"])
    rates = [group.assessment.rates for group in groups]
    least = [Fraction(0) if pair is None else pair[0] for pair in rates]
    most = [Fraction(0) if pair is None else pair[1] for pair in rates]
    modes = [group.policy.rounding for group in groups]
    fits = _Fits(subscriptions, codes, groups)
    low = fits(_amounts(fee, least, modes, codes))
    high = low.copy()
    open_groups = np.asarray([one != other for one, other in zip(least, most, strict=True)], dtype=np.bool_)
    if open_groups.any():
        where = np.flatnonzero(open_groups.take(codes))
        high[where] = fits(_amounts(fee[where], most, modes, codes[where]), where)
    for group, code, where in _apart(
        [number for number, pair in enumerate(rates) if pair is None], codes, currency
    ):
        made = groups[group].assessment.outcome
        one, other = made.prices(code)
        if before:
            for row in before.keys() & set(where.tolist()):
                prices = made.prices(code, before[row].amount)
                paid = np.asarray([price.amount(int(fee[row])) for price in prices], dtype=object)
                low[row], high[row] = fits(paid, np.asarray([row, row]))
            where = where[~np.isin(where, list(before))]
        low[where] = fits(_priced(fee[where], one), where)
        high[where] = low[where] if one == other else fits(_priced(fee[where], other), where)
    return low, high


class _Fits:
    """Makes amounts that may be Python's integers those of a column. Raises Refused for the first that is too large for one."""

    def __init__(self, subscriptions: pd.DataFrame, codes: Codes, groups: list[Group]) -> None:
        self._subscriptions, self._codes, self._groups = subscriptions, codes, groups

    def __call__(self, amounts: npt.NDArray[Any], rows: Codes | None = None) -> Ints:
        if amounts.dtype != object:
            return amounts
        for at, amount in enumerate(amounts.tolist()):
            if amount > MOST_MINOR_UNITS:
                row = at if rows is None else int(rows[at])
                name, currency = (self._subscriptions[of].iloc[row] for of in ("subscription", "currency"))
                policy = self._groups[self._codes[row]].policy.key
                raise Refused(
                    f"subscription {name!r} would be credited {format_money(amount, str(currency))} {currency}, and the most that a row "
                    f"can hold is {MOST_MINOR_UNITS:,} minor units; correct its fee, or limit what policy {policy!r} pays"
                )
        return amounts.astype(np.int64)


def _apart(
    numbers: list[int], codes: Codes, currency: pd.Categorical
) -> Iterator[tuple[int, str, npt.NDArray[np.intp]]]:
    """Yield each of some groups by currency, with its rows."""
    if not numbers:
        return
    width = len(currency.categories)
    rows = np.flatnonzero(np.isin(codes, numbers))
    combined = codes[rows] * width + currency.codes[rows]
    order = np.argsort(combined, kind="stable")
    values, starts = np.unique(combined[order], return_index=True)
    for value, where in zip(values.tolist(), np.split(rows[order], starts[1:]), strict=True):
        number, code = divmod(value, width)
        yield number, str(currency.categories[code]), where


def _priced(fee: npt.NDArray[Any], price: Price) -> npt.NDArray[Any]:
    """Return what a price comes to for each fee."""
    paid = _value(fee, price.form, price.rounding)
    raised = paid
    if price.at_least is not None:
        # Anything is owed where it is rounded up to something.
        owed = _value(fee, price.form, "ceiling") > 0
        most = np.full(len(fee), int(price.at_least), dtype=np.int64)
        if price.most is not None:
            most = np.minimum(most, _value(fee, price.most, price.rounding))
        raised = np.where(owed, np.maximum(paid, most), paid)
    if price.only_above is not None:
        raised = np.where(paid > int(price.only_above), raised, 0)
    return raised


def _value(fee: npt.NDArray[Any], form: Form, rounding: str) -> npt.NDArray[Any]:
    """Return what a form comes to for each fee. Rounding keeps order, so lines are rounded before they are compared.

    Python's integers where any line passes 64 bits: a limit may bring it back.
    """
    nowhere = np.zeros(len(fee), dtype=np.intp)

    def least(lines: tuple[Line, ...]) -> npt.NDArray[Any]:
        return reduce(np.minimum, (_amounts(fee, [rate], [rounding], nowhere, more) for rate, more in lines))

    found: npt.NDArray[Any] = reduce(np.maximum, map(least, form.of))
    return found


def _amounts(
    fee: npt.NDArray[Any], rates: list[Fraction], modes: list[str], codes: Codes, more: Fraction = Fraction(0)
) -> npt.NDArray[Any]:
    """Return fee x rate of each row's group, and `more` of minor units, rounded exactly.

    They are Python's integers where any of them passes 64 bits.
    """
    whole = lcm(more.denominator, *(rate.denominator for rate in rates))
    shares = [rate.numerator * (whole // rate.denominator) for rate in rates]
    added = more.numerator * (whole // more.denominator)
    highest = int(fee.max(initial=0))
    if (
        fee.dtype != np.int64
        or highest * max(shares, default=0) + abs(added) > MOST_MINOR_UNITS
        or whole > MOST_MINOR_UNITS
    ):
        # Beyond 64 bits Python's integers take over: slower, and just as exact.
        exact = [
            round_ratio(amount * shares[code] + added, whole, modes[code])
            for amount, code in zip(fee.tolist(), codes.tolist(), strict=True)
        ]
        return np.array(
            exact, dtype=np.int64 if max(map(abs, exact), default=0) <= MOST_MINOR_UNITS else object
        )
    remainder = np.asarray(shares, dtype=np.int64).take(codes)
    remainder *= fee
    if added:
        remainder += added
    quotient: Ints = remainder // whole
    remainder -= quotient * whole
    to_even = np.asarray([mode == "half-even" for mode in modes], dtype=np.bool_)
    if whole % 2 == 0 and to_even.any():
        odd_ties = (remainder == whole // 2) & (quotient % 2 == 1) & to_even.take(codes)
        # One more than a half goes up, and so does a tie beside an odd number.
        remainder += odd_ties
    goes_up = sorted({_goes_up_from(mode, whole) for mode in modes})
    if len(goes_up) == 1:
        quotient += remainder >= goes_up[0]
    elif goes_up:
        quotient += remainder >= np.asarray(
            [_goes_up_from(mode, whole) for mode in modes], dtype=np.int64
        ).take(codes)
    return quotient


def _goes_up_from(mode: str, whole: int) -> int:
    """Return the least remainder of a division by `whole` with which an amount of 0 or more goes up."""
    match mode:
        case "half-up" | "half-ceiling":
            return (whole + 1) // 2
        case "half-down" | "half-even":
            return whole // 2 + 1
        case "up" | "ceiling":
            return 1
        case "down" | "floor":
            return whole
        case _:
            raise Refused(
                f"rounding {mode!r} is not known{nearest(mode, ALL_ROUNDINGS)}; use one of {', '.join(ALL_ROUNDINGS)}"
            )


def digits_of(currency: pd.Series) -> npt.NDArray[np.int8]:
    """Return for each row how many digits its currency has."""
    category = category_of(currency)
    digits = np.asarray([minor_units(str(code)) for code in category.categories], dtype=np.int8)
    found: npt.NDArray[np.int8] = digits[category.codes]
    return found
