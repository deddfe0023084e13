"""The periods of a policy: what a label names, which one holds an instant, and which follows."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction

from ledger.domain.period import Period, day_of, days_between, parse_period
from ledger.domain.policy.in_force import added_months
from ledger.domain.policy.model import PeriodRule
from ledger.errors import Refused

__all__ = ["following", "parse_policy_period", "period_ending_in", "period_holding", "periods_in_a_year"]

_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DAY = timedelta(days=1)
_WRITTEN = {
    "calendar-month": "a month like 2022-03",
    "calendar-quarter": "a quarter like 2022-Q1",
    "calendar-year": "a year like 2022",
    "billing-month": "the month in which it begins, like 2022-03",
    "trailing-days": "its last day, like 2022-03-30",
}


def parse_policy_period(rule: PeriodRule, label: str) -> Period:
    """Return the period of a policy that a label names. Raises Refused where it names none of that kind.

    A billing month is named by the month in which it begins, trailing days by the last of them.
    """
    try:
        match rule.kind:
            case "calendar-month":
                found = parse_period(label, rule.zone)
                if found.kind == "month":
                    return found
            case "calendar-quarter":
                if quarter := _QUARTER.fullmatch(label):
                    return _months(rule, label, date(int(quarter[1]), 3 * int(quarter[2]) - 2, 1), 3)
            case "calendar-year":
                if _YEAR.fullmatch(label):
                    return _months(rule, label, date(int(label), 1, 1), 12)
            case "billing-month":
                if month := _MONTH.fullmatch(label):
                    return _billing(rule, date(int(month[1]), int(month[2]), 1))
            case "trailing-days":
                last = date.fromisoformat(label)
                return days_between(label, rule.zone, last - (rule.days or 1) * _DAY + _DAY, last + _DAY)
    except (ValueError, Refused) as error:
        raise Refused(f"period {label!r} is not {_WRITTEN[rule.kind]} ({error}); correct it") from None
    raise Refused(f"period {label!r} does not fit a policy per {rule.kind}; write {_WRITTEN[rule.kind]}")


def _months(rule: PeriodRule, label: str, first: date, months: int) -> Period:
    return days_between(label, rule.zone, first, added_months(first, months))


def _billing(rule: PeriodRule, month: date) -> Period:
    begins, ends = (
        first + (min(rule.anchor_day, (added_months(first, 1) - first).days) - 1) * _DAY
        for first in (month, added_months(month, 1))
    )
    return days_between(month.isoformat()[:7], rule.zone, begins, ends)


def period_holding(rule: PeriodRule, instant: int) -> Period:
    """Return the period in which an instant (UTC seconds) lies; trailing days are those up to its day."""
    day = date.fromisoformat(day_of(rule.zone, instant))
    match rule.kind:
        case "calendar-month":
            return parse_policy_period(rule, day.isoformat()[:7])
        case "calendar-quarter":
            return parse_policy_period(rule, f"{day.year:04}-Q{(day.month + 2) // 3}")
        case "calendar-year":
            return parse_policy_period(rule, f"{day.year:04}")
        case "billing-month":
            begun = _billing(rule, day.replace(day=1))
            return begun if begun.start <= instant else _billing(rule, added_months(day.replace(day=1), -1))
        case "trailing-days":
            return parse_policy_period(rule, day.isoformat())


def following(rule: PeriodRule, period: Period, count: int) -> Period:
    """Return the period so many after one; trailing days follow each other without overlap."""
    for _ in range(count):
        if rule.kind == "trailing-days":
            last = date.fromisoformat(day_of(rule.zone, period.end - 1)) + (rule.days or 1) * _DAY
            period = parse_policy_period(rule, last.isoformat())
        else:
            period = period_holding(rule, period.end)
    return period


def period_ending_in(rule: PeriodRule, month: str) -> Period | None:
    """Return the period of a policy that ends in a calendar month ("2022-03"), None where none does.

    Trailing days are those up to the last day of the month.
    """
    whole = parse_period(month, rule.zone)
    period = period_holding(rule, whole.end - 1)
    if rule.kind == "billing-month" and period.end > whole.end:
        period = period_holding(rule, period.start - 1)
    return period if whole.start < period.end <= whole.end else None


def periods_in_a_year(rule: PeriodRule) -> Fraction:
    """Return how many periods a year has, as an annual fee is divided."""
    match rule.kind:
        case "calendar-month" | "billing-month":
            return Fraction(12)
        case "calendar-quarter":
            return Fraction(4)
        case "calendar-year":
            return Fraction(1)
        case "trailing-days":
            return Fraction(365, rule.days or 1)
