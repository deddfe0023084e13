"""What a figure is made from: the facts, chosen for one subscription or one question."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.window import Window

__all__ = ["Evidence", "Membership", "Plain"]


class Plain(msgspec.Struct, frozen=True):
    """Figures that somebody states without saying when: bounds, and what follows from them by arithmetic alone.

    downtime: gross seconds, of which `excluded` fell into exclusions. availability: a fraction of 1. value: a latency in the
    unit of the measure, days or a count. removed: seconds of excluded time in all, which a policy may take out of the
    denominator; None: not stated. unobserved: seconds without data. failed, total: counts over the period. outages: seconds of
    single outages, each with the ends of its affected share. gathered: the short ones among them were all on one day, or so spread
    that they count least; None: that is not known. rates: the ends of error rates with the number of buckets that had them, all
    others had none. Where a figure is a pair it is (at least, at most); ends may be those of `ledger.domain.ends`.
    """

    downtime: tuple[Fraction, Fraction] | None = None
    excluded: Fraction = Fraction(0)
    availability: tuple[Fraction, Fraction] | None = None
    value: tuple[Fraction, Fraction] | None = None
    removed: Fraction | None = None
    unobserved: Fraction = Fraction(0)
    failed: tuple[Fraction, Fraction] | None = None
    total: tuple[Fraction, Fraction] | None = None
    outages: tuple[tuple[Fraction, Fraction, Fraction], ...] = ()
    gathered: bool | None = None
    rates: tuple[tuple[Fraction, Fraction, int], ...] = ()

    @property
    def given(self) -> bool:
        """Whether it states what the figure is made from, so that no window is asked."""
        return (
            self.downtime is not None
            or self.availability is not None
            or self.value is not None
            or self.total is not None
            or bool(self.outages or self.rates)
        )


class Membership(msgspec.Struct, frozen=True):
    """Whether a customer is in a cohort, and the entry that says so, such as "cohort/beta v2"; "" where none does."""

    inside: bool
    entry: str


class Evidence(msgspec.Struct, frozen=True):
    """The facts about one service, and for whom they are asked.

    windows, measurements, exclusions: of any service and region; the policy chooses. as_of: UTC seconds up to which open
    windows have lasted at least. valid: the part of the period that is asked for. memberships: of the customer, by cohort; of
    all others it is not known. observed: the spans for which there are data; None:
    everything was watched. plain: figures that stand for themselves.
    """

    service: str
    region: str
    period: Period
    as_of: int
    windows: tuple[Window, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    valid: Span | None = None
    customer: str | None = None
    memberships: Mapping[str, Membership] = {}
    observed: tuple[Span, ...] | None = None
    plain: Plain = Plain()

    def member(self, cohort: str | None) -> bool | None:
        """Tell whether a window limited to a cohort is the customer's: one limited to none always is; None: not known."""
        if cohort is None:
            return True
        known = self.memberships.get(cohort)
        return None if known is None else known.inside

    @property
    def span(self) -> Span:
        """The seconds that are asked for."""
        start, end = self.valid or (self.period.start, self.period.end)
        return max(start, self.period.start), min(end, self.period.end)
