"""Money as whole minor units, and the one place where an amount is rounded.

A currency's digits are those of ISO 4217 (lists of the maintenance agency, up to amendment 180): 1200.00 USD
are 120000 minor units, 1200 JPY are 1200. No float is taken or made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Literal

from ledger.errors import Refused, nearest

__all__ = [
    "ALL_ROUNDINGS", "ISO_4217", "MOST_MINOR_UNITS", "ROUNDINGS", "allocate", "format_money", "minor_units", "parse_money", "round_fraction", "round_ratio",
]  # fmt: skip

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
    PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
    TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
# Withdrawn since 2021. A ledger prices past periods, and those were billed in the money of their day.
_TWO_WITHDRAWN = "ANG BGN CUC HRK SLL ZWL"

# Codes that ISO 4217 lists without a minor unit (gold, drawing rights, testing) bill nobody and are left out.
ISO_4217: dict[str, int] = {
    code: digits
    for codes, digits in ((_NONE, 0), (_TWO, 2), (_TWO_WITHDRAWN, 2), (_THREE, 3), (_FOUR, 4))
    for code in codes.split()
}

# Beyond this an amount no longer fits the 64 bits that a table of amounts gives it; none is that high.
MOST_MINOR_UNITS = 2**63 - 1

_AMOUNT = re.compile(r"(\d{1,30})(?:\.(\d{1,30}))?", re.ASCII)


def minor_units(currency: str) -> int:
    """Return how many decimal digits a currency has (ISO 4217). Raises Refused for an unknown code."""
    digits = ISO_4217.get(currency)
    if digits is None:
        raise Refused(
            f"currency {currency!r} is not an ISO 4217 code of money{nearest(currency, ISO_4217)}; "
            "write it like USD"
        )
    return digits


def parse_money(text: str, currency: str) -> int:
    """Return an amount of major units such as "1200.00" as whole minor units.

    Raises Refused for an unknown currency, anything but digits and one point (so no float, sign, exponent or
    thousands separator), and more decimals than the currency has.
    """
    digits = minor_units(currency)
    # The type is checked because callers read tables, where a float can hide behind the annotation.
    given: object = text
    found = _AMOUNT.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise Refused(f"amount {text!r} is not written as {_example(digits)}; {_hint(text)}")
    decimals = found[2] or ""
    if len(decimals) > digits:
        count = f"{len(decimals)} decimal{'' if len(decimals) == 1 else 's'}"
        raise Refused(
            f"amount {text!r} has {count}, but {currency} has {digits}; write it like {_example(digits)}"
        )
    return int(found[1] + decimals.ljust(digits, "0"))


def _example(digits: int) -> str:
    return f"1200.{'0' * digits}" if digits else "1200"


def _hint(text: object) -> str:
    if isinstance(text, float):
        return "a float is not exact: give the amount as text"
    if isinstance(text, str) and text.strip().startswith("-"):
        return "an amount may not be negative"
    return "use digits and at most one decimal point"


def format_money(amount: int, currency: str) -> str:
    """Return whole minor units as major units with all digits of the currency: -5 USD is "-0.05"."""
    return _spelled(amount, minor_units(currency))


# Each takes quotient (rounded to minus infinity), remainder and denominator of a value, and tells whether the
# quotient goes up by one. Twice the remainder is never formed from a rounded value, so ties are exact.
_GOES_UP: dict[str, Callable[[int, int, int], bool]] = {
    "half-up": lambda q, r, d: 2 * r > d or (2 * r == d and q >= 0),
    "half-even": lambda q, r, d: 2 * r > d or (2 * r == d and q % 2 == 1),
    "half-down": lambda q, r, d: 2 * r > d or (2 * r == d and q < 0),
    "half-ceiling": lambda q, r, d: 2 * r >= d,
    "up": lambda q, r, d: r > 0 and q >= 0,
    "down": lambda q, r, d: r > 0 and q < 0,
    "ceiling": lambda q, r, d: r > 0,
    "floor": lambda q, r, d: False,
}
# half-up is away from zero at a tie, half-down towards it, half-even to the even neighbour, half-ceiling towards plus
# infinity; up is away from zero, down towards it, ceiling towards plus and floor towards minus infinity.
ALL_ROUNDINGS: tuple[str, ...] = tuple(_GOES_UP)
# Those that a policy of format 1 may name; it was settled before half-ceiling was added.
ROUNDINGS: tuple[str, ...] = tuple(mode for mode in ALL_ROUNDINGS if mode != "half-ceiling")


def round_ratio(numerator: int, denominator: int, mode: str) -> int:
    """Return numerator / denominator (denominator above 0) as an integer, rounded by one of ALL_ROUNDINGS."""
    goes_up = _GOES_UP.get(mode)
    if goes_up is None:
        raise Refused(
            f"rounding {mode!r} is not known{nearest(mode, ALL_ROUNDINGS)}; use one of {', '.join(ALL_ROUNDINGS)}"
        )
    quotient, remainder = divmod(numerator, denominator)
    return quotient + goes_up(quotient, remainder, denominator)


def round_fraction(value: Fraction, mode: str) -> int:
    """Return an exact value as an integer, rounded by one of ALL_ROUNDINGS."""
    return round_ratio(value.numerator, value.denominator, mode)


def allocate(
    amount: int,
    ratios: Sequence[int | Fraction],
    order: Literal["first-to-last", "last-to-first"] = "first-to-last",
) -> list[int]:
    """Return an amount of minor units split in the proportion of some ratios, whole units that sum to it again.

    Largest remainder (Hamilton): everyone gets the whole units of their exact part, and the units that are left go one each to
    those whose exact part was cut most. Of equal remainders the first in `order` comes first. A negative amount is split as
    its opposite. Raises Refused where no ratio is above 0, or one is below.
    """
    whole = sum(ratios)
    if whole <= 0 or min(ratios) < 0:
        raise Refused(
            f"ratios {', '.join(map(str, ratios)) or 'none'} cannot be split by; give numbers from 0, one of them above"
        )
    exact = [Fraction(abs(amount)) * ratio / whole for ratio in ratios]
    parts = [part.numerator // part.denominator for part in exact]
    places = range(len(ratios)) if order == "first-to-last" else range(len(ratios) - 1, -1, -1)
    # Sorting is stable, so equal remainders keep the order.
    by_remainder = sorted(places, key=lambda place: parts[place] - exact[place])
    for place in by_remainder[: abs(amount) - sum(parts)]:
        parts[place] += 1
    return parts if amount >= 0 else [-part for part in parts]


def decimal_text(value: Fraction) -> str:
    """Return a value with a finite decimal expansion in its one spelling: no exponent, no needless zeros.

    Raises ValueError where the expansion does not end.
    """
    digits, rest = 0, value.denominator
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        digits = max(digits, power)
    if rest != 1:
        raise ValueError(f"{value} has no finite decimal expansion")
    return _spelled(value.numerator * 10**digits // value.denominator, digits)


def number_text(value: Fraction) -> str:
    """Return a value as a decimal where its expansion ends, otherwise as a fraction such as "1/30"."""
    try:
        return decimal_text(value)
    except ValueError:
        return f"{value.numerator}/{value.denominator}"


def decimal_places(value: Fraction, places: int) -> str:
    """Return a value for display with exactly so many decimals, rounded half-even; never decide on it."""
    return _spelled(round_fraction(value * 10**places, "half-even"), places)


def _spelled(scaled: int, digits: int) -> str:
    sign, whole = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(digits + 1, "0")
    return f"{sign}{whole[:-digits]}.{whole[-digits:]}" if digits else sign + whole
