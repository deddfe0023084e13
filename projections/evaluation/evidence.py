"""What a figure is made from: the facts, chosen for one subscription or one question."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.window import Window

__all__ = ["Evidence", "Plain"]


class Plain(msgspec.Struct, frozen=True):
    """Figures that somebody states without saying when: bounds, and what follows from them by arithmetic alone.

    downtime: gross seconds, of which `excluded` fell into exclusions. availability: a fraction of 1. value: a latency in the
    unit of the measure, days or a count. removed: seconds of excluded time, which a policy may take out of the denominator.
    unobserved: seconds without data. failed, total: counts over the period. outages: seconds of single outages, each with
    its affected share. rates: error rates with the number of buckets that had them, all others had none. Where a figure
    is a pair it is (at least, at most).
    """

    downtime: tuple[Fraction, Fraction] | None = None
    excluded: Fraction = Fraction(0)
    availability: tuple[Fraction, Fraction] | None = None
    value: tuple[Fraction, Fraction] | None = None
    removed: Fraction = Fraction(0)
    unobserved: Fraction = Fraction(0)
    failed: int | None = None
    total: int | None = None
    outages: tuple[tuple[Fraction, Fraction, Fraction], ...] = ()
    rates: tuple[tuple[Fraction, int], ...] = ()

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


class Evidence(msgspec.Struct, frozen=True):
    """The facts about one service, and for whom they are asked.

    windows, measurements, exclusions: of any service and region; the policy chooses. as_of: UTC seconds up to which open
    windows have lasted at least. valid: the part of the period that is asked for. inside, outside: cohorts that the customer
    is known to be in, or not to be in; of all others it is not known. observed: the spans for which there are data; None:
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
    inside: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    observed: tuple[Span, ...] | None = None
    plain: Plain = Plain()

    @property
    def span(self) -> Span:
        """The seconds that are asked for."""
        start, end = self.valid or (self.period.start, self.period.end)
        return max(start, self.period.start), min(end, self.period.end)
