"""Single values as facts state them, in a question or in a table of measurements: one rule for each kind, wherever it stands.

Each function returns what was read, or raises ValueError with the end of a sentence that starts with the name of the value.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from ledger.domain.instants import parse_instant, seconds

__all__ = ["count", "date", "decimal", "instant", "share", "text"]

_DECIMAL = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTEGER_MOST = 10**30 - 1
_FIRST_YEAR, _LAST_YEAR = "1970", "9998"


def text(value: Any) -> str:
    """Return a text."""
    if type(value) is not str:
        raise ValueError("is not text; put it in quotes")
    return value


def decimal(value: Any) -> Fraction:
    """Return a decimal of 0 or more, with up to 30 digits before and behind the point; a whole number may be a number."""
    if type(value) is int and value >= 0:
        if value > _INTEGER_MOST:
            raise ValueError("has more than 30 digits; correct it")
        return Fraction(value)
    if type(value) is float:
        raise ValueError(
            f'is a JSON number with a point, which no program keeps exact; write it as text: "{value}"'
        )
    if type(value) is str and value[:1] in ("<", ">"):
        raise ValueError(
            "is a bound; state the number alone, and add to the name of the fact _below (less than), _at_most, _above (more than) or "
            "_at_least"
        )
    if type(value) is not str or not _DECIMAL.fullmatch(value):
        raise ValueError('is not a decimal of 0 or more; write it like "4.32"')
    return Fraction(value)


def share(value: Any) -> str:
    """Return a part of the whole, as it was written."""
    if decimal(value) > 1:
        raise ValueError("is more than 1; a share is a part of the whole: less than 0.2% is 0.002")
    return str(value)


def count(value: Any) -> int:
    """Return a whole number of 0 or more."""
    found = decimal(value)
    if found.denominator != 1:
        raise ValueError("is not a whole number")
    return int(found)


def instant(value: Any) -> int:
    """Return the UTC seconds of an instant in the years for which there is a calendar of every zone."""
    found = parse_instant(text(value))
    if not found.endswith(".000000Z"):
        raise ValueError(
            "has parts of a second, and times are whole seconds; state the second it lies in, and of a window, where that may decide, "
            "start_within_seconds or end_within_seconds as 1"
        )
    if not _FIRST_YEAR <= found[:4] <= _LAST_YEAR:
        raise ValueError(f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}; check the year")
    return seconds(found)


def date(value: Any) -> str:
    """Return a day of the calendar, such as "2022-01-01"."""
    from datetime import date as calendar

    try:
        if not _DATE.fullmatch(text(value)):
            raise ValueError
        calendar.fromisoformat(value)
    except ValueError:
        raise ValueError("is not a date; write it like 2022-01-01") from None
    return str(value)
