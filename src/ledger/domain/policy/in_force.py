"""Which version of a policy rules a period, for everybody or for one subscription's term."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.domain.period import Period, day_of
from ledger.domain.policy.model import Policy
from ledger.errors import Refused

__all__ = ["policy_in_force", "renewals"]


def policy_in_force(
    versions: Sequence[tuple[int, Policy]], period: Period, term_start: str | None = None
) -> tuple[int, Policy]:
    """Return version and policy that rule a period whole: the last to come into force by its first day.

    Of two that came into force on the same day the later version rules. term_start: the first day of a subscription's
    first term. With it a version that says on-renewal, or that follows one that is frozen for the term, waits for the
    first day of the next term; and of a term that begins within the period, terms that hold for a term are those of its
    own first day. Raises Refused where none was in force.
    """
    ordered = sorted(versions, key=lambda pair: (pair[1].in_force_from, pair[0]))
    started = [pair for pair in ordered if pair[1].in_force_from <= period.first_day]
    if term_start is not None and period.first_day < term_start <= day_of(period.zone, period.end - 1):
        started += _begun_with_the_term(ordered[len(started) :], term_start)
    if started:
        return started[-1] if term_start is None else _for_term(started, period, term_start)
    if not versions:
        raise Refused(f"no policy was published to rule {period.label}; publish one")
    first = min(policy.in_force_from for _, policy in versions)
    raise Refused(
        f"policy {versions[0][1].key!r} has a gap: none of its versions was in force on {period.first_day}, "
        f"the first is in force from {first}; publish a version in force from {period.first_day} or earlier"
    )


def _begun_with_the_term(later: Sequence[tuple[int, Policy]], term_start: str) -> list[tuple[int, Policy]]:
    """Return the versions of a period's later days that rule a term which begins within it: those that hold for a term."""
    return [
        pair for pair in later if pair[1].in_force_from <= term_start and pair[1].version.rule != "in-force"
    ]


def _for_term(ordered: Sequence[tuple[int, Policy]], period: Period, term_start: str) -> tuple[int, Policy]:
    ruling = ordered[0]
    for pair in ordered[1:]:
        held, new = ruling[1].version, pair[1].version
        waits = "frozen-for-term" in (held.rule, new.rule) or new.rule == "on-renewal"
        if pair[1].in_force_from <= term_start or not waits:
            ruling = pair
            continue
        months = held.term_months if held.rule == "frozen-for-term" else new.term_months
        if any(
            pair[1].in_force_from <= day <= period.first_day
            for day in renewals(term_start, months, period.first_day)
        ):
            ruling = pair
    return ruling


def renewals(term_start: str, months: int, upto: str) -> list[str]:
    """Return the first days of the terms after the first one, up to a day; dates as text.

    A term begins on the day of the month of the first one, or on the last day of a shorter month.
    """
    begin = date.fromisoformat(term_start)
    found: list[str] = []
    count = months
    while (day := added_months(begin, count).isoformat()) <= upto:
        found.append(day)
        count += months
    return found


def added_months(day: date, months: int) -> date:
    """Return the same day of the month so many months later, or the last day of that month if it is shorter."""
    from calendar import monthrange

    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
