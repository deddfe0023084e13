"""Periods of every kind, terms by them, and their days as text, for cases written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Credit,
    PeriodRule,
    Policy,
)

F = Fraction
NEW_YORK = "America/New_York"
MONTH = PeriodRule("calendar-month", "UTC")
QUARTER = PeriodRule("calendar-quarter", "UTC")
YEAR = PeriodRule("calendar-year", "UTC")
THIRD = PeriodRule("calendar-four-months", "UTC")
HALF = PeriodRule("calendar-half-year", "UTC")


def at(text: str, hours_behind: int = 0) -> int:
    """The UTC second of a local time, such as "2022-03-14" or "2022-03-14 16:00"."""
    zone = timezone(timedelta(hours=-hours_behind))
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def billing(day: int, zone: str = "UTC") -> PeriodRule:
    """Return months that begin on a day of the month."""
    return PeriodRule("billing-month", zone, anchor_day=day)


def contract(month: int, day: int, zone: str = "UTC") -> PeriodRule:
    """Return years that begin on a day of the year."""
    return PeriodRule("contract-year", zone, anchor_day=day, anchor_month=month)


def trailing(days: int | None) -> PeriodRule:
    """Return so many days that end with the one that is asked for."""
    return PeriodRule("trailing-days", "UTC", days=days)


def terms(period: PeriodRule = MONTH, **changed: Any) -> Policy:
    """Return terms of format 2 by such periods that say nothing else."""
    made = Policy("p", "P", "2020-01-01", 2, period, (), (), Credit(), "half-up", "")
    found: Policy = msgspec.structs.replace(made, **changed)
    return found


def days(of: Period) -> tuple[str, str]:
    """First day of a period, and the first day after it."""
    first, past = (datetime.fromtimestamp(one, tz=UTC).isoformat()[:19] for one in (of.start, of.end))
    return first.removesuffix("T00:00:00"), past.removesuffix("T00:00:00")
