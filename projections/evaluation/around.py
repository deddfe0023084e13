"""The time around what is asked for, where an outage at its edge goes on: how long it lasts is decided by the whole of it.

Neither the end of a period nor that of a subscription ends an outage. What lies around is read as what lies inside is, each part in
the period of the policy that holds it, so that exclusions and their limits are those of that period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

import msgspec

from ledger.domain.interval import Span, union
from ledger.domain.period import Period, day_of, local_second
from ledger.domain.policy.model import Counting, PeriodRule, Policy
from ledger.domain.policy.periods import period_holding
from ledger.domain.window import Window, reach
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence
from projections.evaluation.levels import rounds_each

__all__ = ["ALWAYS", "around", "asks_whole_outages", "measured_around", "widened"]

# Stands for no limit of time, on either side.
ALWAYS: Span = -(10**12), 10**12


def asks_whole_outages(counting: Counting) -> bool:
    """Tell whether what counts of a second depends on how long the outage lasts that it is in."""
    return counting.minimum is not None or rounds_each(counting)


def around(
    rule: PeriodRule, counting: Counting, evidence: Evidence, reaching: Iterable[Span]
) -> tuple[Evidence, ...]:
    """Return the evidence of the time before and after what is asked for, as far as it matters there, for terms that ask of outages.

    reaching: everything that may count, unclipped. Evidence has its own period, and the part of it that is looked at as `valid`.
    """
    start, end = evidence.span
    if start >= end:
        return ()
    first, past = _looked_at(union(reaching), counting, rule.zone, (start, end))
    found: list[tuple[Period, Span]] = []
    at = start
    while at > first:
        period = _holding(rule, at - 1, evidence.period, (first, at))
        found.append((period, (max(first, period.start), at)))
        at = found[-1][1][0]
    at = end
    while at < past:
        period = _holding(rule, at, evidence.period, (at, past))
        found.append((period, (at, min(past, period.end))))
        at = found[-1][1][1]
    return tuple(
        msgspec.structs.replace(evidence, period=period, valid=span, observed=None) for period, span in found
    )


def _holding(rule: PeriodRule, second: int, asked: Period, rest: Span) -> Period:
    if asked.start <= second < asked.end:
        return asked
    try:
        found = period_holding(rule, second)
    except Refused:
        # Beyond the years that are kept there are no periods.
        return Period("", "span", rule.zone, *rest)
    # The asked one may be another kind of period, such as a day.
    start = max(found.start, asked.end) if second >= asked.end else found.start
    end = min(found.end, asked.start) if second < asked.start else found.end
    return msgspec.structs.replace(found, start=start, end=end)


def _looked_at(runs: Sequence[Span], counting: Counting, zone: str, span: Span) -> Span:
    """Return from where to where outages have to be known to tell what counts in a span."""
    each = rounds_each(counting)
    least = ceil(counting.minimum or 0)
    # Farther on it is long enough; a quantum more tells that nothing is rounded inside.
    farther = least + (counting.quantum if each else 0)

    def reached(inside: Span) -> Span:
        first, past = inside
        for begin, end in runs:
            if begin < first < end:
                # Where quanta are counted from is where it began.
                first = begin if each else max(begin, first - least)
            if begin < past < end:
                past = min(end, past + farther)
        return first, past

    if counting.unless_daily_total_above is None:
        return reached(span)
    # What is short counts by what the whole of its days have of it, so their outages have to be known.
    days = _days(zone, reached(_days(zone, span)) if each else span)
    return reached(days)


def _days(zone: str, span: Span) -> Span:
    """Return the local days that a span touches, from the first to the last."""
    return (
        local_second(zone, day_of(zone, span[0]), 0),
        local_second(zone, day_of(zone, span[1] - 1), 86_400),
    )


def measured_around(policies: Iterable[Policy]) -> int:
    """Return how many seconds around a period measurements matter that policies read, 0 where none do.

    Measured outages are made of many measurements, of which it is not asked how they go on before they are read: a day and a least
    duration tell whether one lasts long enough; where it is rounded it is taken to have begun within a year.
    """
    farthest = 0
    for policy in policies:
        for one in policy.commitments:
            if one.measure.reads and asks_whole_outages(one.counting):
                days = 366 if rounds_each(one.counting) else 2
                farthest = max(
                    farthest, ceil(one.counting.minimum or 0) + one.counting.quantum + days * 86_400
                )
    return farthest


def widened(policies: Iterable[Policy], span: Span, windows: Iterable[Window]) -> Span:
    """Return a time with what policies look at around it, as far as windows go on over its edges.

    Windows that lie farther out than these change nothing inside: but there may be more that touch the wider time.
    """
    countings = [
        one.counting for policy in policies for one in policy.commitments if asks_whole_outages(one.counting)
    ]
    first, past = span
    reaching = (reach(window, *ALWAYS, 0).most for window in windows)
    for begin, end in union(filter(None, reaching)) if countings else ():
        if begin < first < end:
            first = begin
        if begin < past < end:
            farther = max(ceil(one.minimum or 0) + one.quantum for one in countings)
            past = min(end, past + farther)
    return first, past
