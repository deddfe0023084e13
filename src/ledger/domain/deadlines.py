"""Until when a credit may be claimed: days, business days or hours, months or periods after an anchor.

A claim has a day as long as its zone has it: what ends with a day ends with the last instant of it there. All is exact:
whole seconds, microseconds where a claim arrived.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, TypeAlias

import msgspec

from ledger.domain.instants import from_micros
from ledger.domain.period import day_of, parse_period
from ledger.errors import Refused

__all__ = ["Anchor", "AnchorKind", "ClaimTerms", "Deadline", "anchor_of", "deadline_of"]

AnchorKind: TypeAlias = Literal[
    "incident-start", "incident-end", "month-end", "period-end", "quarter-end", "eligibility"
]
Unit: TypeAlias = Literal["seconds", "days", "business-days", "business-hours", "months", "periods"]
_SECONDS = 1_000_000
_DAY = timedelta(days=1)
# No claim window is so long; without a bound, a calendar without business days would be searched for ever.
_DAYS_MOST = 36_600


class ClaimTerms(msgspec.Struct, frozen=True):
    """How long a credit may be claimed: `amount` of `unit` after the anchor, in a zone.

    business_days: 0 is Monday. holidays: dates. opens, closes: business hours, seconds of the local day. period_months:
    how long a period is.
    """

    amount: Fraction
    unit: Unit
    anchor: AnchorKind
    zone: str
    business_days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[str] = frozenset()
    opens: int = 0
    closes: int = 86_400
    period_months: int = 1


class Anchor(msgspec.Struct, frozen=True):
    """When a claim window begins: the instant in UTC seconds, and the local day that it counts from."""

    instant: int
    day: str


class Deadline(msgspec.Struct, frozen=True):
    """The end of a claim window. before: the first instant that is too late, in the ledger's spelling.

    last_day: the last day that is in time, where it ends with a day.
    """

    before: str
    last_day: str | None

    def keeps(self, instant: str) -> bool:
        """Tell whether what happened at an instant is in time."""
        return instant < self.before


def anchor_of(terms: ClaimTerms, period: str, start: int, end: int) -> Anchor:
    """Return when the window to claim for an incident begins.

    period: the service period's label. start, end: of the incident's downtime, UTC seconds. The end of a month, a quarter
    or a period counts as its last day; an incident that ends at midnight ends on the day that begins.
    """
    match terms.anchor:
        case "incident-start":
            return Anchor(start, day_of(terms.zone, start))
        case "incident-end":
            return Anchor(end, day_of(terms.zone, end))
        case "month-end":
            return _end_of(terms, day_of(terms.zone, start), 1)
        case "quarter-end":
            return _end_of(terms, day_of(terms.zone, start), 3)
        case "period-end" | "eligibility":
            return _end_of(terms, parse_period(period, terms.zone).first_day, terms.period_months)


def _end_of(terms: ClaimTerms, day: str, months: int) -> Anchor:
    last = _last_day(date.fromisoformat(day), months, 0)
    return Anchor(parse_period(last.isoformat(), terms.zone).end, last.isoformat())


def _last_day(day: date, months: int, later: int) -> date:
    """Return the last day of the so many months (1, 3, 12) that hold a day, or of those `later` times further on."""
    first = day.year * 12 + (day.month - 1) // months * months
    past = first + months * (later + 1)
    return date(past // 12, past % 12 + 1, 1) - _DAY


def deadline_of(terms: ClaimTerms, anchor: Anchor) -> Deadline:
    """Return until when may be claimed. Refused where a number of days, months or periods is not whole."""
    if terms.unit == "seconds":
        # "Within 72 hours" keeps the last instant of the 72nd.
        last = anchor.instant * _SECONDS + int(terms.amount * _SECONDS)
        return Deadline(from_micros(last + 1), None)
    if terms.unit == "business-hours":
        return Deadline(from_micros(_business_seconds(terms, anchor) * _SECONDS + 1), None)
    if terms.amount.denominator != 1:
        raise Refused(f"{terms.amount} {terms.unit} are not whole; claim windows count whole {terms.unit}")
    number, day = int(terms.amount), date.fromisoformat(anchor.day)
    match terms.unit:
        case "days":
            last_day = day + timedelta(days=number)
        case "business-days":
            last_day = _business_day(terms, day, number)
        case "months":
            month = day.year * 12 + day.month - 1 + number
            year, month = month // 12, month % 12 + 1
            last_day = date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
            if day == _last_day(day, 1, 0):
                # From the end of a month to the end of a month.
                last_day = _last_day(last_day, 1, 0)
        case "periods":
            last_day = _last_day(day, terms.period_months, number)
    return Deadline(
        from_micros(parse_period(last_day.isoformat(), terms.zone).end * _SECONDS), last_day.isoformat()
    )


def _business(terms: ClaimTerms, day: date) -> bool:
    return day.weekday() in terms.business_days and day.isoformat() not in terms.holidays


def _business_day(terms: ClaimTerms, day: date, number: int) -> date:
    """Return the n-th business day after a day."""
    for _ in range(_DAYS_MOST):
        if number <= 0:
            return day
        day += _DAY
        number -= _business(terms, day)
    raise Refused(
        "a claim window has no end: its calendar has too few business days; correct its days and holidays"
    )


def _business_seconds(terms: ClaimTerms, anchor: Anchor) -> int:
    """Return the second at which so many business hours after the anchor are over."""
    left = int(terms.amount * 3_600)
    day = date.fromisoformat(day_of(terms.zone, anchor.instant))
    for _ in range(_DAYS_MOST):
        if _business(terms, day):
            whole = parse_period(day.isoformat(), terms.zone)
            start = max(anchor.instant, _at(whole.start, whole.end, terms.opens))
            end = _at(whole.start, whole.end, terms.closes)
            if end - start >= left:
                return start + left
            left -= max(0, end - start)
        day += _DAY
    raise Refused(
        "a claim window has no end: its calendar has too few business days; correct its days and holidays"
    )


def _at(start: int, end: int, clock: int) -> int:
    """Return the instant of a time of the local day, counted from its end: clocks are changed early in the day."""
    return start if clock == 0 else end - (86_400 - clock)
