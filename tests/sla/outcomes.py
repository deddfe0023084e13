"""Outcomes put together by hand: commitments, their tiers and figures, in a line each."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    Measure,
    PeriodRule,
    Policy,
    Remedy,
    Scope,
    Tier,
)
from projections.evaluation.amounts import Choice
from projections.evaluation.figures import Figure
from projections.evaluation.outcome import Result

F = Fraction
NOTHING, ONE = (F(0), F(0)), F(1)


def policy(**changed: Any) -> Policy:
    """Return terms of format 2 that say nothing, in all that is not given."""
    made = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), (), (), Credit(), "half-up", ""
    )
    found: Policy = msgspec.structs.replace(made, **changed)
    return found


def commitment(name: str = "c", *tiers: Tier, **changed: Any) -> Commitment:
    """Return a commitment about time."""
    made = Commitment(name, Measure(), Counting(frozenset({"outage"})), Scope(), tiers)
    found: Commitment = msgspec.structs.replace(made, **changed)
    return found


def tier(remedy: Remedy, of: Any = "availability", **changed: Any) -> Tier:
    """Return a tier that reaches from 0 to 1 of what it is about."""
    made = Tier(F(0), True, F(1), True, F(0), "availability below 99%", of, remedy)
    found: Tier = msgspec.structs.replace(made, **changed)
    return found


def figure(name: str = "c", low: Fraction = ONE, high: Fraction = ONE, **changed: Any) -> Figure:
    """Return the figure of a commitment for a period of 100 seconds; low, high: its availability."""
    made = Figure(commitment=commitment(name), period_seconds=F(100), low=low, high=high)
    found: Figure = msgspec.structs.replace(made, **changed)
    return found


def result(name: str, *remedies: Remedy, low: Fraction = ONE) -> Result:
    """A commitment of which the bounds allow tiers with some remedies."""
    return Result(figure(name, low), tuple(Choice(tier(one), NOTHING, NOTHING, NOTHING) for one in remedies))


def percent(*parts: int) -> tuple[Remedy, ...]:
    """Return remedies of so many percent of the base."""
    return tuple(Remedy(percent=F(part)) for part in parts)


def fixed(cents: int) -> Remedy:
    """Return a remedy of so many cents of a US dollar."""
    return Remedy(fixed=(("USD", F(cents)),))
