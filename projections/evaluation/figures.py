"""The one figure of a commitment for a period: an availability or a value, as bounds where the facts are bounds."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import msgspec

from ledger.domain.interval import Span
from ledger.domain.policy.model import Commitment, Policy
from projections.evaluation.evidence import Evidence
from projections.evaluation.levels import NONE, WHOLE
from projections.evaluation.timeline import Timeline

__all__ = ["Figure", "denominator", "of_share", "of_time", "of_value", "with_timeline"]


class Figure(msgspec.Struct, frozen=True):
    """What a commitment comes to in a period.

    period_seconds: the denominator, without removed_seconds, which surely leave it; removed_most: those that do at most.
    eligible_least, eligible_most: seconds of eligible downtime; of a measure that has none, the seconds that its availability
    stands for; 0 for a value. low, high: bounds of the availability (a fraction of 1), or of the value. downtime, intervals: spans
    of the stated downtime, and of what counts of it; excluded: of excluded time; empty where it was stated as a plain number.
    counts: failed and in all, and the same of what is perhaps part of the period, where that is what was counted; else empty.
    """

    commitment: Commitment
    period_seconds: Fraction
    low: Fraction
    high: Fraction
    eligible_least: Fraction = NONE
    eligible_most: Fraction = NONE
    downtime_seconds: Fraction = NONE
    excluded_seconds: Fraction = NONE
    removed_seconds: Fraction = NONE
    removed_most: Fraction = NONE
    downtime: tuple[Span, ...] = ()
    intervals: tuple[Span, ...] = ()
    excluded: tuple[Span, ...] = ()
    provisional: bool = False
    approximate: bool = False
    entries: frozenset[str] = frozenset()
    counts: tuple[int, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether the facts leave one figure."""
        return self.low == self.high

    @property
    def best(self) -> Fraction:
        """The quantity its tiers are about where it is best: the most availability, the least downtime or value."""
        match self.commitment.tiers_of:
            case "availability":
                return self.high
            case "downtime":
                return self.eligible_least
            case "value":
                return self.low

    @property
    def worst(self) -> Fraction:
        """The same where it is worst."""
        match self.commitment.tiers_of:
            case "availability":
                return self.low
            case "downtime":
                return self.eligible_most
            case "value":
                return self.high


def denominator(policy: Policy, evidence: Evidence) -> Fraction:
    """Return the seconds of the period before anything leaves it."""
    rule = policy.period
    if rule.length_seconds is not None:
        return rule.length_seconds
    start, end = evidence.span
    return Fraction(max(end - start, 0) if rule.part == "lifetime" else evidence.period.seconds)


def of_time(
    commitment: Commitment,
    whole: Fraction,
    eligible: tuple[Fraction, Fraction],
    removed: tuple[Fraction, Fraction],
    *,
    downtime: Fraction,
    outside: Fraction,
    at_once: bool = True,
) -> Figure:
    """Return the figure of eligible seconds. eligible, removed: what counts, and what leaves the denominator, at least and at most.

    at_once: the denominator is one of the two that this leaves, and nothing between.
    """
    least, most = eligible
    wide, narrow = whole - removed[0], whole - removed[1]
    high = 1 - min(least / wide, WHOLE) if wide > 0 else WHOLE
    low = 1 - min(most / narrow, WHOLE) if narrow > 0 else WHOLE
    if wide <= 0:
        # Nothing is left in which it could have been down.
        least, most = NONE, NONE
    elif narrow <= 0:
        # Perhaps nothing is left; or all of it, or however little.
        low = NONE if most and not at_once else 1 - min(most / wide, WHOLE)
        least, high = NONE, WHOLE
    return Figure(
        commitment=commitment, period_seconds=max(wide, NONE), low=min(low, high), high=high, eligible_least=least,
        eligible_most=most, downtime_seconds=downtime, excluded_seconds=outside, removed_seconds=removed[0], removed_most=removed[1],
    )  # fmt: skip


def of_share(
    policy: Policy, commitment: Commitment, evidence: Evidence, low: Fraction, high: Fraction
) -> Figure:
    """Return the figure of an availability that no seconds were counted for: they follow from it."""
    whole = denominator(policy, evidence)
    least, most = (1 - high) * whole, (1 - low) * whole
    return Figure(
        commitment=commitment, period_seconds=whole, low=low, high=high, eligible_least=least, eligible_most=most,
        downtime_seconds=most,
    )  # fmt: skip


def of_value(
    policy: Policy,
    commitment: Commitment,
    evidence: Evidence,
    low: Fraction,
    high: Fraction,
    entries: Iterable[str] = (),
) -> Figure:
    """Return the figure of a value, which no seconds stand for. entries: what it was read from."""
    return Figure(
        commitment=commitment, period_seconds=denominator(policy, evidence), low=low, high=high, entries=frozenset(entries)
    )  # fmt: skip


def with_timeline(made: Figure, found: Timeline) -> Figure:
    """Return a value with what was down."""
    return msgspec.structs.replace(
        made, downtime_seconds=Fraction(found.downtime_seconds), excluded_seconds=Fraction(found.excluded_seconds),
        eligible_least=found.least, eligible_most=found.most, downtime=found.downtime,
        intervals=found.intervals, excluded=found.excluded, provisional=found.provisional, approximate=found.approximate,
    )  # fmt: skip
