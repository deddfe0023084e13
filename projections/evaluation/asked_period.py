"""Which period a question is about, and which ones before it, read as the policy names its periods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.domain.instants import from_seconds
from ledger.domain.period import Period, day_of, parse_period
from ledger.domain.policy.model import Policy
from ledger.domain.policy.periods import parse_policy_period, period_holding
from ledger.errors import Refused
from projections.evaluation import values
from projections.evaluation.evidence import Plain
from projections.evaluation.misfits import impossible, taken_as
from projections.evaluation.plain_facts import LASTING, PLAIN, plain_of
from projections.evaluation.reader import (
    LONGEST,
    LONGEST_YEARS,
    UNITS,
    Reader,
    each,
)

__all__ = ["earlier_of", "period_of", "silent"]


def period_of(policy: Policy, reader: Reader) -> Period | None:
    """Return the period that is asked about; None, with a sentence, where that cannot be told."""
    length = reader.length("period")
    given = reader.facts.get("period")
    if given is not None and length is not None:
        reader.wrong("period", "and its length are both stated; leave one out")
        return None
    if length is not None:
        if length.denominator != 1 or not length:
            reader.wrong("period", "is not a whole number of seconds above 0; correct its length")
            return None
        if length > LONGEST:
            reader.wrong("period", f"is longer than {LONGEST_YEARS} years; correct its length")
            return None
        return Period(f"{int(length)} seconds", "span", policy.zone, 0, int(length), "1970-01-01")
    if isinstance(given, dict):
        inner = Reader(given, ("start", "end"), f"{reader.where}period.", reader.problems)
        span = inner.span("a period is [start, end)")
        if span is None:
            return None
        start, end = span
        if not inner.within_years(start, end):
            return None
        label = f"{from_seconds(start)}/{from_seconds(end)}"
        return Period(label, "span", policy.zone, start, end, day_of(policy.zone, start))
    if given is not None:
        found: Period | None = reader.read("period", lambda value: _labelled(policy, values.text(value)))
        return found
    if given_start := reader.facts.get("incident_start"):
        return _holding(policy, given_start, reader)
    if not any(reader.facts.get(name) for name in ("windows", "measurements", "observed")):
        # A percentage or a count decides without a calendar; a length that is asked for is that of thirty days.
        return Period("30 days", "span", policy.zone, 0, 30 * 86_400, "1970-01-01")
    reader.wrong(
        "period",
        'is missing; write it like "2022-03", {"start": …, "end": …}, or its length as period_minutes',
    )
    return None


def _holding(policy: Policy, begun: Any, reader: Reader) -> Period | None:
    """Return the period in which an incident began; that its start is no instant is said where times are read."""
    try:
        start = values.instant(begun)
    except ValueError:
        return None
    try:
        return period_holding(policy.period, start)
    except (ValueError, Refused) as error:
        reader.wrong(
            "incident_start", f"{begun!r} lies in no period of the policy: {error}; check it, or state period"
        )
        return None


def _labelled(policy: Policy, label: str) -> Period:
    try:
        return parse_policy_period(policy.period, label)
    except Refused as refused:
        try:
            # A day is a part of every period: its figure is asked for on its own.
            day = parse_period(label, policy.zone)
        except Refused:
            raise refused from None
        if day.kind == "day":
            return day
        raise refused from None


def earlier_of(policy: Policy, reader: Reader, period: Period) -> list[tuple[Period, Plain]]:
    """Return the plain figures of earlier periods, each with its own: the one it names, or the one before that which follows."""
    known = (*PLAIN, "period", *(f"period_{unit}" for unit in UNITS))
    inners: list[Reader] = list(each(reader, "earlier", known, lambda inner: inner))
    if inners and not policy.termination:
        reader.wrong(
            "earlier", "has no meaning: the policy gives no right to terminate (termination); leave it out"
        )
        return []
    periods: list[Period] = []
    following = period
    for inner in reversed(inners):
        named = any(inner.facts.get(name) is not None for name in known[len(PLAIN) :])
        own = period_of(policy, inner) if named else _before(policy, inner, following)
        if named and own is not None and not _is_length(own) and not _is_length(following):
            if own.end > following.start:
                inner.wrong("period", f"{own.label} ends after the one that follows has begun; correct it")
        following = own or following
        periods.append(following)
    found = []
    for inner, own in zip(inners, reversed(periods), strict=True):
        plain = plain_of(inner, policy, own)
        reader.problems += [f"{inner.where}{problem}" for problem in impossible(policy, plain, own)]
        found.append((own, plain))
    return found


def silent(policy: Policy, earlier: Iterable[tuple[Period, Plain]]) -> Iterator[str]:
    """Yield a sentence for each earlier period of which nothing is stated."""
    taken = taken_as(policy.commitments)
    for number, (period, plain) in enumerate(earlier, 1):
        if plain == Plain():
            yield f"earlier {number}: nothing is stated of it, so {period.label} is taken as {taken}"


def _is_length(period: Period) -> bool:
    """Tell whether only the length of a period was stated, not when it was."""
    return period.first == "1970-01-01"


def _before(policy: Policy, inner: Reader, following: Period) -> Period | None:
    """Return the period before one: by the calendar of the policy, or as long where only a length is stated."""
    rule = policy.period
    if _is_length(following):
        return following
    try:
        if period_holding(rule, following.end - 1) == following:
            return period_holding(rule, following.start - 1)
    except (ValueError, Refused) as error:
        inner.wrong("period", f"before {following.label} is none of the policy: {error}; leave it out")
        return None
    if rule.length_seconds is not None or all(inner.facts.get(name) is None for name in LASTING):
        # No figure of it asks for its length.
        return following
    inner.wrong(
        "period",
        f"is missing, as {following.label} is no {rule.kind} of the policy, so that how long the one before it was is not known; add "
        "it, or its length as period_minutes",
    )
    return None
