"""Time that a policy itself excludes, day by day: what lies outside its service hours, and maintenance that it announces for good.

Each becomes an exclusion of all of the service, so that it is taken out, and leaves the denominator, as recorded ones do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.period import Period, day_of, local_second
from ledger.domain.policy.model import Calendar, Policy, Recurring
from ledger.domain.window import EVERY
from projections.evaluation.evidence import Evidence

__all__ = ["removed_by_the_policy", "with_recurring"]

_DAY = timedelta(days=1)


def with_recurring(policy: Policy, evidence: Evidence) -> Evidence:
    """Return facts with what a policy itself excludes of their period."""
    if not policy.recurring:
        return evidence
    more = [
        Exclusion(f"{rule.kind}-{number}", rule.kind, EVERY, EVERY, EVERY, *span)
        for rule in policy.recurring
        for number, span in enumerate(_spans(rule, policy.zone, evidence.period))
    ]
    return msgspec.structs.replace(evidence, exclusions=(*evidence.exclusions, *more))


def removed_by_the_policy(policy: Policy, evidence: Evidence) -> int:
    """Return the seconds of a period that leave the denominator by a policy alone."""
    removed = {kind for rule in policy.exclusions if rule.treated == "removed" for kind in rule.kinds}
    spans = [
        span
        for rule in policy.recurring
        if rule.kind in removed
        for span in _spans(rule, policy.zone, evidence.period)
    ]
    return length(intersect([evidence.span], union(spans)))


@lru_cache(maxsize=64)
def _spans(rule: Recurring, zone: str, period: Period) -> tuple[Span, ...]:
    """Return the spans of a rule in a period, in order; clocks that are put forward or back make them shorter or longer."""
    whole = [(period.start, period.end)]
    spans = union(_each_day(rule.calendar, zone, period))
    if rule.kind == "outside-service-hours":
        return tuple(subtract(whole, spans))
    return tuple(intersect(whole, spans))


def _each_day(calendar: Calendar, zone: str, period: Period) -> Iterator[Span]:
    # What begins on the evening before may reach into the period.
    day = date.fromisoformat(day_of(zone, period.start)) - _DAY
    while (text := day.isoformat()) <= day_of(zone, period.end - 1):
        if calendar.is_open(day):
            later = day + _DAY if calendar.closes <= calendar.opens else day
            # Where clocks leave out when it begins it may be over by then, and no second lies in it.
            yield (
                local_second(zone, text, calendar.opens),
                local_second(zone, later.isoformat(), calendar.closes),
            )
        day += _DAY
