"""The periods of a policy: what a label names, which one holds an instant, and which follows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from fractions import Fraction

from ledger.domain.period import Period, day_of, days_between, local_second, parse_period
from ledger.domain.policy.in_force import added_months, policy_in_force
from ledger.domain.policy.model import PeriodRule, Policy
from ledger.errors import Refused

__all__ = [
    "check_label", "claim_labels", "following", "label_is_month", "parse_policy_period", "period_at", "period_ending_in", "period_holding",
    "period_named", "periods_in_a_year", "possible_days", "ruling_at", "ruling_period", "spans_of_run",
]  # fmt: skip

# Parts of a calendar year, by the letter of their label: how many months each has.
_PARTS = {"calendar-quarter": ("Q", 3), "calendar-four-months": ("T", 4), "calendar-half-year": ("H", 6)}
_PART = re.compile(r"(\d{4})-([QTH])([1-4])", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DAY = timedelta(days=1)
_WRITTEN = {
    "calendar-month": "a month like 2022-03",
    "calendar-quarter": "a quarter like 2022-Q1",
    "calendar-four-months": "a third of a year like 2022-T1",
    "calendar-half-year": "half a year like 2022-H1",
    "calendar-year": "a year like 2022",
    "contract-year": "the year in which it begins, like 2022",
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
            case "calendar-quarter" | "calendar-four-months" | "calendar-half-year":
                letter, months = _PARTS[rule.kind]
                if (part := _PART.fullmatch(label)) and part[2] == letter and int(part[3]) * months <= 12:
                    return _months(
                        rule, label, date(int(part[1]), months * (int(part[3]) - 1) + 1, 1), months
                    )
            case "calendar-year":
                if _YEAR.fullmatch(label):
                    return _months(rule, label, date(int(label), 1, 1), 12)
            case "contract-year":
                if _YEAR.fullmatch(label):
                    return _contract_year(rule, int(label))
            case "billing-month":
                if month := _MONTH.fullmatch(label):
                    return _billing(rule, date(int(month[1]), int(month[2]), 1))
            case "trailing-days":
                if _DATE.fullmatch(label):
                    last = date.fromisoformat(label)
                    return days_between(label, rule.zone, last - (rule.days or 1) * _DAY + _DAY, last + _DAY)
    except (ValueError, OverflowError, Refused) as error:
        raise Refused(f"period {label!r} is not {_WRITTEN[rule.kind]} ({error}); correct it") from None
    raise Refused(f"period {label!r} does not fit a policy per {rule.kind}; write {_WRITTEN[rule.kind]}")


def _months(rule: PeriodRule, label: str, first: date, months: int) -> Period:
    return days_between(label, rule.zone, first, added_months(first, months))


def _billing(rule: PeriodRule, month: date) -> Period:
    begins, ends = (_anchor_in(rule, first) for first in (month, added_months(month, 1)))
    return days_between(month.isoformat()[:7], rule.zone, begins, ends)


def _contract_year(rule: PeriodRule, year: int) -> Period:
    begins, ends = (_anchor_in(rule, date(one, rule.anchor_month, 1)) for one in (year, year + 1))
    return days_between(f"{year:04}", rule.zone, begins, ends)


def _anchor_in(rule: PeriodRule, month: date) -> date:
    """Return the day of a month, given by its first one, on which a period begins."""
    return month + (min(rule.anchor_day, (added_months(month, 1) - month).days) - 1) * _DAY


def period_holding(rule: PeriodRule, instant: int) -> Period:
    """Return the period in which an instant (UTC seconds) lies; trailing days are those up to its day."""
    day = date.fromisoformat(day_of(rule.zone, instant))
    match rule.kind:
        case "calendar-month":
            return parse_policy_period(rule, day.isoformat()[:7])
        case "calendar-quarter" | "calendar-four-months" | "calendar-half-year":
            letter, months = _PARTS[rule.kind]
            return parse_policy_period(rule, f"{day.year:04}-{letter}{(day.month - 1) // months + 1}")
        case "calendar-year":
            return parse_policy_period(rule, f"{day.year:04}")
        case "contract-year":
            begun = parse_policy_period(rule, f"{day.year:04}")
            return begun if begun.start <= instant else parse_policy_period(rule, f"{day.year - 1:04}")
        case "billing-month":
            begun = parse_policy_period(rule, day.isoformat()[:7])
            if begun.start <= instant:
                return begun
            return parse_policy_period(rule, added_months(day.replace(day=1), -1).isoformat()[:7])
        case "trailing-days":
            return parse_policy_period(rule, day.isoformat())


def following(rule: PeriodRule, period: Period, count: int) -> Period:
    """Return the period so many after one; trailing days follow each other without overlap. Raises Refused beyond the calendar."""
    for _ in range(count):
        try:
            if rule.kind == "trailing-days":
                last = date.fromisoformat(day_of(rule.zone, period.end - 1))
                after = parse_policy_period(rule, (last + (rule.days or 1) * _DAY).isoformat())
            else:
                after = period_holding(rule, period.end)
        except (OverflowError, Refused):
            raise Refused(
                f"the period after {period.label!r} ends beyond the calendar; ask for an earlier one"
            ) from None
        period = after
    return period


def period_ending_in(rule: PeriodRule, month: str) -> Period | None:
    """Return the period of a policy that ends in a calendar month ("2022-03"), None where none does.

    Trailing days are those up to the last day of the month.
    """
    whole = parse_period(month, rule.zone)
    period = period_holding(rule, whole.end - 1)
    if rule.kind in ("billing-month", "contract-year") and period.end > whole.end:
        period = period_holding(rule, period.start - 1)
    return period if whole.start < period.end <= whole.end else None


def claim_labels(rule: PeriodRule, period: Period) -> tuple[str, ...]:
    """Return the labels by which a claim names a period of a policy: its own, and where none of these is a month, the month it ends in.

    A billing month has the month in which it begins for its own label, so the month in which it ends names the one after it.
    """
    if label_is_month(period.label):
        return (period.label,)
    month = day_of(period.zone, period.end - 1)[:7]
    return (period.label, month) if period_ending_in(rule, month) == period else (period.label,)


def period_named(rule: PeriodRule, label: str) -> Period | None:
    """Return the period of a policy that a claim names with a label, None where it names none: the other side of `claim_labels`."""
    with suppress(Refused):
        return parse_policy_period(rule, label)
    return period_at(rule, label)


def period_at(rule: PeriodRule, label: str) -> Period | None:
    """Return the period that a run of a label prices by a rule: the one that ends in a month, or that the label names; None: none."""
    try:
        return period_ending_in(rule, label) if label_is_month(label) else parse_policy_period(rule, label)
    except Refused:
        return None


def periods_in_a_year(rule: PeriodRule) -> Fraction:
    """Return how many periods a year has, as an annual fee is divided."""
    match rule.kind:
        case "calendar-month" | "billing-month":
            return Fraction(12)
        case "calendar-quarter":
            return Fraction(4)
        case "calendar-four-months":
            return Fraction(3)
        case "calendar-half-year":
            return Fraction(2)
        case "calendar-year" | "contract-year":
            return Fraction(1)
        case "trailing-days":
            return Fraction(365, rule.days or 1)


def possible_days(rule: PeriodRule) -> tuple[int, int]:
    """Return how many days a period of a kind has, at least and at most."""
    match rule.kind:
        case "calendar-month":
            return 28, 31
        case "billing-month":
            # It begins on the last day of a shorter month, but its length stays within that of the months.
            return 28, 31
        case "calendar-quarter":
            return 90, 92
        case "calendar-four-months":
            return 120, 123
        case "calendar-half-year":
            return 181, 184
        case "calendar-year" | "contract-year":
            return 365, 366
        case "trailing-days":
            return rule.days or 1, rule.days or 1


def label_is_month(label: str) -> bool:
    """Tell whether a label is written like a month."""
    return _MONTH.fullmatch(label) is not None


def check_label(label: str, policies: Iterable[Policy]) -> None:
    """Raise Refused unless a label is a month, or names a period of one of some policies."""
    part = _PART.fullmatch(label)
    if part or _YEAR.fullmatch(label):
        kinds = (
            [kind for kind, (letter, _) in _PARTS.items() if part[2] == letter] if part else ["calendar-year", "contract-year"]
        )  # fmt: skip
        if any(policy.period.kind in kinds for policy in policies):
            return
        raise Refused(
            f"period {label!r} is that of no policy: none is per {kinds[0]}; write a month like {label[:4]}-03"
        )
    if parse_period(label).kind == "day" and all(
        policy.period.kind != "trailing-days" for policy in policies
    ):
        raise Refused(
            f"period {label!r} is a day, but policies are per calendar month; write it like {label[:7]}"
        )


def ruling_period(
    versions: Sequence[tuple[int, Policy]], label: str, term_start: str | None = None
) -> tuple[int, Policy, Period] | None:
    """Return version, policy and its period at a label; None where it has no period there.

    A month is the time in which the period ends; any other label is that of the period itself. The version is the one that
    rules the period (see policy_in_force). Raises Refused where none was in force.
    """
    if not label_is_month(label):
        return _ruling_named(versions, label, term_start)
    _, asked = policy_in_force(versions, parse_period(label), term_start)
    period = period_ending_in(asked.period, label)
    if period is None:
        return None
    version, policy = policy_in_force(versions, period, term_start)
    if policy.period == asked.period:
        return version, policy, period
    # The period itself is read by the rule of the version that holds for it.
    again = period_ending_in(policy.period, label)
    return None if again is None else (version, policy, again)


def _ruling_named(
    versions: Sequence[tuple[int, Policy]], label: str, term_start: str | None
) -> tuple[int, Policy, Period] | None:
    """Do what `ruling_period` does for a label of one kind of period: those versions are asked that have such periods."""
    if not versions:
        policy_in_force(versions, parse_period("1970-01"))
    for _, asked in reversed(versions):
        try:
            period = parse_policy_period(asked.period, label)
        except Refused:
            continue
        version, policy = policy_in_force(versions, period, term_start)
        if policy.period == asked.period:
            return version, policy, period
    return None


def ruling_at(
    versions: Sequence[tuple[int, Policy]], rule: PeriodRule, instant: int, term_start: str | None = None
) -> tuple[int, Policy, Period]:
    """Return version, policy and its period that holds an instant (UTC seconds): what ruled then.

    rule: the kind of period that is looked from; where the version that ruled has periods of another kind, it is the one of these that
    holds the instant. Raises Refused where none was in force.
    """
    period = period_holding(rule, instant)
    version, policy = policy_in_force(versions, period, term_start)
    return version, policy, period if policy.period == rule else period_holding(policy.period, instant)


def spans_of_run(policies: Iterable[Policy], label: str) -> list[tuple[int, int]]:
    """Return the time that policies look at when a label is priced, as spans of UTC seconds, one for each policy that has any.

    It reaches back to earlier periods where a right to terminate asks for them, and to the start of the year where an
    exclusion is limited per year.
    """
    found: list[tuple[int, int]] = []
    every = list(policies)
    rules: dict[str, list[PeriodRule]] = {}
    for policy in every:
        rules.setdefault(policy.key, []).append(policy.period)
    for policy in every:
        period = period_at(policy.period, label)
        if period is None:
            continue
        start = period.start
        for _ in range(max((rule.of_last for rule in policy.termination), default=1) - 1):
            # Whichever version of the terms ruled then: as far back as any of their periods reaches.
            start = min(period_holding(rule, start - 1).start for rule in rules[policy.key])
        if any(rule.most is not None and rule.most_per == "year" for rule in policy.exclusions):
            start = min(start, local_second(policy.zone, f"{day_of(policy.zone, start)[:4]}-01-01", 0))
        found.append((start, period.end))
    return found
