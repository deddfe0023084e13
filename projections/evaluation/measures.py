"""What a commitment comes to, by what it measures."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from ledger.domain.interval import intersect, length
from ledger.domain.period import days
from ledger.domain.policy.model import Commitment, Policy
from projections.evaluation.evidence import Evidence
from projections.evaluation.figures import Figure, denominator, of_time, of_value, with_timeline
from projections.evaluation.measured import (
    bad_days,
    of_days_measured,
    of_error_rates,
    of_failures,
    of_latency,
    of_ratio,
)
from projections.evaluation.plain_figures import of_plain
from projections.evaluation.recurring import with_recurring
from projections.evaluation.timeline import Timeline, timeline

__all__ = ["figure"]


def figure(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return what a commitment comes to. Raises Refused where the facts do not fit what it measures."""
    evidence = with_recurring(policy, evidence)
    if evidence.plain.given:
        return of_plain(policy, commitment, evidence)
    match commitment.measure.of:
        case "time" | "affected-share" | "user-minutes":
            return _from_timeline(policy, commitment, evidence, timeline(policy, commitment, evidence))
        case "error-rate":
            return of_error_rates(policy, commitment, evidence)
        case "executions" | "messages":
            return of_ratio(policy, commitment, evidence)
        case "latency":
            return of_latency(policy, commitment, evidence)
        case "consecutive-days" | "bad-days" if commitment.measure.reads_windows:
            return _days_down(policy, commitment, evidence)
        case "consecutive-days" | "bad-days":
            return of_days_measured(policy, commitment, evidence)
        case "events":
            return _events(policy, commitment, evidence)


def _from_timeline(policy: Policy, commitment: Commitment, evidence: Evidence, found: Timeline) -> Figure:
    made = of_time(
        commitment, denominator(policy, evidence), (found.least, found.most),
        (Fraction(found.removed_least), Fraction(found.removed_most)), downtime=Fraction(found.downtime_seconds),
        outside=Fraction(found.excluded_seconds), at_once=found.at_once,
    )  # fmt: skip
    return msgspec.structs.replace(
        made, downtime=found.downtime, intervals=found.intervals, excluded=found.excluded, provisional=found.provisional,
        approximate=found.approximate, entries=found.entries,
    )  # fmt: skip


def _days_down(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return on how many local days, or on how many in a row, more was down than may be on a day, surely and at most."""
    found = timeline(policy, commitment, evidence)
    allowed = commitment.counting.day_above
    low, high = (
        bad_days(
            commitment,
            [length(intersect(spans, [(day.start, day.end)])) > allowed for day in days(evidence.period)],
        )
        for spans in found.counted
    )
    return with_timeline(of_value(policy, commitment, evidence, low, high, found.entries), found)


def _events(policy: Policy, commitment: Commitment, evidence: Evidence) -> Figure:
    """Return how many incidents, or outages, had seconds that count, or how much failed."""
    counts = commitment.measure.counts
    if counts == "failed":
        return of_failures(policy, commitment, evidence)
    found = timeline(policy, commitment, evidence)
    if counts == "outages":
        low, high = found.outages
    else:
        low = high = 0
        for incident in dict.fromkeys(window.incident for window in evidence.windows):
            alone = tuple(window for window in evidence.windows if window.incident == incident)
            its = timeline(policy, commitment, msgspec.structs.replace(evidence, windows=alone))
            low, high = low + bool(its.least), high + bool(its.most)
    return with_timeline(
        of_value(policy, commitment, evidence, Fraction(low), Fraction(high), found.entries), found
    )
