"""Values as the grammar of format 2 spells them: durations, spans, sums of money, times of the day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from ledger.domain.money import MOST_MINOR_UNITS, minor_units, parse_money
from ledger.domain.period import zone_names
from ledger.domain.policy.grammar import Field, Table
from ledger.domain.policy.model import Allowance, Sums
from ledger.domain.policy.reading import Problems, shown
from ledger.errors import Refused

__all__ = ["UNIT_SECONDS", "duration_text", "parse_duration", "read_table"]

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,15})?) (second|minute|hour|day)s?", re.ASCII)
_SPAN = re.compile(
    r"(\d{1,6}) (business-day|business-hour|month|period|day)s?|(\d{1,6}\.\d{1,15}) (business-hour)s?",
    re.ASCII,
)
_FRACTION = re.compile(r"(\d{1,9})/([1-9]\d{0,8})", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,30})?)%", re.ASCII)
_CLOCK = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_DECIMAL = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
# A claim window may last a hundred years, which is more than any contract has, and less than a calendar.
_LONGEST = {
    "days": 36_600, "business-days": 36_600, "business-hours": 36_600, "months": 1_200, "periods": 1_200, "seconds": 36_600 * 86_400,
}  # fmt: skip
UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


def parse_duration(text: str) -> Fraction | None:
    """Return the seconds of a duration such as "30 minutes" or "7.2 hours"; None where it is none."""
    found = _DURATION.fullmatch(text)
    return None if found is None else Fraction(found[1]) * UNIT_SECONDS[found[2]]


def duration_text(seconds: Fraction) -> str:
    """Return seconds in the largest unit of which they are a whole number, such as "30 minutes"."""
    for unit in ("day", "hour", "minute"):
        if seconds >= UNIT_SECONDS[unit] and (seconds / UNIT_SECONDS[unit]).denominator == 1:
            return _counted(seconds / UNIT_SECONDS[unit], unit)
    return _counted(seconds, "second")


def _counted(value: Fraction, unit: str) -> str:
    from ledger.domain.money import decimal_text

    return f"{decimal_text(value)} {unit}{'' if value == 1 else 's'}"


def read_table(
    table: Table, where: str, entry: object, problems: Problems, also: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the values of a table by name, None for what is left out; what is wrong with them goes to problems.

    where: how sentences begin, such as "tiers 2: ". also: names that are known here and read elsewhere.
    """
    if type(entry) is not dict:
        problems.wrong(where.rstrip(".: "), entry, f"is not a table; write [{table.path}]")
        return {field.name: None for field in table.fields}
    names = [field.name for field in table.fields]
    problems.known((*names, *also), where, entry)
    return {
        field.name: _value(field, f"{where}{field.name}", entry.get(field.name), problems)
        for field in table.fields
    }


def _value(field: Field, where: str, value: Any, problems: Problems) -> Any:
    if value is None:
        if field.required:
            problems.wrong(where, None, "")
        return None
    match field.kind:
        case "text":
            return problems.text(where, value)
        case "key":
            return problems.key(where, value)
        case "date":
            return problems.date(where, value)
        case "zone":
            return problems.choice(where, value, zone_names(), "an IANA zone such as UTC or Europe/London")
        case "choice":
            return problems.choice(where, value, field.choices)
        case "choices":
            return _list(where, value, problems, lambda at, one: problems.choice(at, one, field.choices))
        case "texts":
            return _list(where, value, problems, problems.text)
        case "dates":
            return _list(where, value, problems, problems.date)
        case "integer":
            if type(value) is int and 0 <= value <= 10_000:
                return value
            problems.wrong(
                where, value, f"is not a whole number; write it without quotes, like {field.example or '1'}"
            )
        case "flag":
            if type(value) is bool:
                return value
            problems.wrong(where, value, "is neither true nor false; write one of them, without quotes")
        case "decimal":
            return problems.decimal(where, value, field.example.strip('"') or "10")
        case "fraction" | "ratio":
            return _ratio(field, where, value, problems)
        case "percent":
            if field.name == "credit_percent" and type(value) is str and _FRACTION.fullmatch(value):
                problems.wrong(
                    where, value, f'is a fraction; write that part of the fee as credit_fraction = "{value}"'
                )
                return None
            return problems.percent(where, value, field.example.strip('"') or "10")
        case "duration":
            return _duration(where, value, problems)
        case "span":
            return _span(where, value, problems)
        case "money":
            return _money(field.name, where, value, problems)
        case "clock":
            return _clock(where, value, problems)
        case "beyond":
            return _beyond(where, value, problems)
        case "free":
            if type(value) is dict:
                return value
            problems.wrong(where, value, f"is not a table; write it like {field.name} = {field.example}")
    return None


def _ratio(field: Field, where: str, value: Any, problems: Problems) -> Fraction | None:
    """Return an exact fraction, or for a ratio also a decimal."""
    if type(value) is str and (found := _FRACTION.fullmatch(value)):
        exact = Fraction(int(found[1]), int(found[2]))
        if field.kind == "fraction" and exact > 1:
            problems.add(f"{where} {shown(value)} is more than 1; write a part of the base, up to all of it")
            return None
        return exact
    if field.kind == "ratio":
        return problems.decimal(where, value, field.example.strip('"'))
    problems.wrong(where, value, f"is not a fraction; write it like {field.example}")
    return None


def _list(where: str, value: Any, problems: Problems, read: Any) -> tuple[str, ...] | None:
    if type(value) is not list:
        problems.wrong(where, value, "is not a list; write it in brackets")
        return None
    found = []
    for index, one in enumerate(value, 1):
        read_one = read(f"{where} {index}", one)
        if one in value[: index - 1]:
            problems.add(f"{where} names {shown(one)} twice; name it once")
        found.append(read_one)
    return tuple(found)


def _duration(where: str, value: Any, problems: Problems) -> Fraction | None:
    found = parse_duration(value) if type(value) is str else None
    if found is None:
        problems.wrong(
            where, value, 'is not a duration; write it like "30 minutes" (seconds, minutes, hours or days)'
        )
    return found


def _span(where: str, value: Any, problems: Problems) -> tuple[Fraction, str] | None:
    found = _parse_span(value) if type(value) is str else None
    if found is not None:
        if found[0] <= _LONGEST[found[1]]:
            return found
        most = "36600 days" if found[1] == "seconds" else f"{_LONGEST[found[1]]} {found[1]}"
        problems.wrong(where, value, f"is longer than {most}; write a shorter one")
        return None
    problems.wrong(
        where, value, 'is not a span; write it like "30 days", "5 business-days", "72 business-hours", "2 months", '
        '"2 periods" or "48 hours"',
    )  # fmt: skip
    return None


def _parse_span(text: str) -> tuple[Fraction, str] | None:
    """Return the amount and the unit of a span such as "5 business-days", in seconds where it is a duration; None where it is none."""
    if found := _SPAN.fullmatch(text):
        return Fraction(found[1] or found[3]), f"{found[2] or found[4]}s"
    exact = parse_duration(text)
    return None if exact is None else (exact, "seconds")


def _money(name: str, where: str, value: Any, problems: Problems) -> Sums | None:
    if type(value) is not dict or not value:
        problems.wrong(
            where, value, f'is not a table of sums by currency; write it like {name} = {{ USD = "1.00" }}'
        )
        return None
    found = []
    for currency, amount in sorted(value.items()):
        try:
            if name == "credit_hourly" and type(amount) is str and _DECIMAL.fullmatch(amount):
                # A rate may be finer than the currency; the amount it comes to is rounded.
                found.append((currency, Fraction(amount) * 10 ** minor_units(currency)))
            else:
                found.append((currency, Fraction(parse_money(amount, currency))))
            if found[-1][1] > MOST_MINOR_UNITS:
                problems.add(
                    f"{where}: amount {shown(amount)} is more than {MOST_MINOR_UNITS:,} minor units of {currency}, the most that a "
                    "row can be credited; write a lower one, or leave it out",
                    "too-large",
                )  # fmt: skip
        except Refused as error:
            problems.add(f"{where}: {error}")
    return tuple(found)


def _beyond(where: str, value: Any, problems: Problems) -> Allowance | str | None:
    """Return an allowance, or the word "tier-edge" for one that the bounds of the tier say."""
    if type(value) is str:
        if value == "tier-edge":
            return value
        if (seconds := parse_duration(value)) is not None:
            return Allowance("downtime", seconds)
        if (found := _SHARE.fullmatch(value)) and Fraction(found[1]) <= 100:
            return Allowance("availability", Fraction(found[1]) / 100)
    problems.wrong(where, value, 'is no allowance; write it like "tier-edge", "1 hour" or "99.9%"')
    return None


def _clock(where: str, value: Any, problems: Problems) -> int | None:
    found = _CLOCK.fullmatch(value) if type(value) is str else None
    seconds = int(found[1]) * 3_600 + int(found[2]) * 60 if found else 86_401
    if found is None or int(found[2]) > 59 or seconds > 86_400:
        problems.wrong(where, value, 'is not a time of the day; write it like "09:00"')
        return None
    return seconds
