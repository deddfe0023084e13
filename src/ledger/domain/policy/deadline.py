"""Until when a credit can be claimed."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

import msgspec

from ledger.domain.period import Period, day_of, local_second, parse_period
from ledger.domain.policy.in_force import added_months
from ledger.domain.policy.model import Calendar, Policy
from ledger.domain.policy.periods import following, period_holding
from ledger.errors import Refused

__all__ = ["Deadline", "claim_deadline"]

_DAY = timedelta(days=1)


class Deadline(msgspec.Struct, frozen=True):
    """The last day on which a claim is in time, and the instant (UTC seconds) from which it is too late."""

    last_day: str
    ends: int
    words: str


def claim_deadline(
    policy: Policy,
    *,
    incident_start: int | None = None,
    incident_end: int | None = None,
    period: Period | None = None,
    eligible_at: int | None = None,
) -> Deadline | None:
    """Return the deadline of a claim under a policy, None where nothing has to be claimed.

    Times are UTC seconds. period: the period that is claimed for; left out, the one the incident began in. Raises Refused
    where the anchor of the policy is a time that is not given, or the deadline lies beyond the calendar that is kept.
    """
    claim, zone = policy.claim, policy.zone
    if claim.how == "automatic" or claim.amount is None or claim.unit is None or claim.anchor is None:
        return None
    if period is None and incident_start is not None:
        period = period_holding(policy.period, incident_start)
    at, at_end_of_day = _anchor(policy, incident_start, incident_end, period, eligible_at)
    day = date.fromisoformat(day_of(zone, at - 1 if at_end_of_day else at))
    within = _spelled(claim.amount, claim.unit)
    if claim.unit not in ("seconds", "business-hours") and claim.amount.denominator != 1:
        raise Refused(f"claim.within is {within}, and only whole ones end with a day; write a whole number")
    try:
        last_day, ends = _ends(policy, claim.amount, claim.unit, at, day, at_end_of_day=at_end_of_day)
    except (Refused, ValueError, OverflowError):
        raise Refused(
            f"claim.within is {within} after {day.isoformat()}, which ends beyond the calendar that is kept; claim for an earlier time, or "
            "publish terms with a shorter one"
        ) from None
    return Deadline(
        last_day, ends, f"{within} after the {claim.anchor.replace('-', ' ')} ({day.isoformat()})"
    )


def _ends(
    policy: Policy, amount: Fraction, unit: str, at: int, day: date, *, at_end_of_day: bool
) -> tuple[str, int]:
    """Return the last day of a span after an anchor, and the second from which it is over; Refused, ValueError or OverflowError beyond the calendar.

    day: of the anchor. at_end_of_day: whether the anchor is the end of that day.
    """
    calendar, zone = policy.claim.calendar, policy.zone
    if unit in ("seconds", "business-hours"):
        ends = (
            at + ceil(amount)
            if unit == "seconds"
            else _business_hours(calendar, zone, at, ceil(amount * 3_600))
        )
        return day_of(zone, ends - 1), ends
    count = int(amount)
    match unit:
        case "days":
            last = day + count * _DAY
        case "business-days":
            last = _business_days(calendar, day, count)
        case "months":
            last = _months(
                day, count, sticky=policy.claim.anchor in ("month-end", "period-end", "quarter-end")
            )
        case _:
            holding = period_holding(policy.period, at - 1 if at_end_of_day else at)
            last = date.fromisoformat(day_of(zone, following(policy.period, holding, count).end - 1))
    return last.isoformat(), local_second(zone, last.isoformat(), 86_400)


def _anchor(
    policy: Policy, start: int | None, end: int | None, period: Period | None, eligible: int | None
) -> tuple[int, bool]:
    """Return the instant of the anchor, and whether it is the end of a day rather than a time in one."""
    match policy.claim.anchor:
        case "incident-start":
            return _given("incident_start", start), False
        case "incident-end":
            return _given("incident_end", end), False
        case "period-end":
            return _given("period", None if period is None else period.end), True
        case "eligibility":
            return (
                (eligible, False)
                if eligible is not None
                else (_given("period", None if period is None else period.end), True)
            )
        case anchor:
            begun = _given("incident_start", start if start is not None or period is None else period.end - 1)
            day = date.fromisoformat(day_of(policy.zone, begun))
            if anchor == "quarter-end":
                day = day.replace(month=3 * ((day.month + 2) // 3), day=1)
            return parse_period(day.isoformat()[:7], policy.zone).end, True


def _given(name: str, value: int | None) -> int:
    if value is None:
        raise Refused(f"{name} is missing, from which the claim window of the policy is counted; add it")
    return value


def _spelled(count: Fraction, of: str) -> str:
    from ledger.domain.money import decimal_text

    if of == "seconds":
        # Days end with their last day, and these with the second: so they are never said in days.
        of, size = next(
            (name, size)
            for name, size in (("hours", 3_600), ("minutes", 60), ("seconds", 1))
            if size == 1 or not count % size
        )
        count /= size
    unit = of.replace("-", " ")
    return f"{decimal_text(count)} {unit if count != 1 else unit.removesuffix('s')}"


def _months(day: date, count: int, *, sticky: bool) -> date:
    """Return the day so many months later; the last day of a month, where it is an end, leads to a last day."""
    later = added_months(day, count)
    if sticky and day.day == monthrange(day.year, day.month)[1]:
        return later.replace(day=monthrange(later.year, later.month)[1])
    return later


def _business_days(calendar: Calendar, day: date, count: int) -> date:
    while count:
        day += _DAY
        count -= calendar.is_open(day)
    return day


def _business_hours(calendar: Calendar, zone: str, at: int, seconds: int) -> int:
    day = date.fromisoformat(day_of(zone, at))
    while True:
        if calendar.is_open(day):
            opens, closes = (
                local_second(zone, day.isoformat(), when) for when in (calendar.opens, calendar.closes)
            )
            begins = max(at, opens)
            if begins < closes:
                if seconds <= closes - begins:
                    return begins + seconds
                seconds -= closes - begins
        day += _DAY
