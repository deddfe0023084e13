"""Figures of an answer as text: bounds whose end is not reached, edges of tiers that a figure is not on, money in parts of a cent."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ledger.domain.ends import is_endless, is_open
from ledger.domain.money import format_money, minor_units
from ledger.domain.policy.model import NO_LIMIT
from ledger.domain.policy.values import duration_text
from projections.availability import exact_text, percent_text
from projections.evaluation.figures import Figure

__all__ = ["edges_of", "money_text", "ranged", "seconds_text", "span_text", "speller"]


def edges_of(one: Figure) -> list[Fraction]:
    """Return the bounds between the tiers of a figure, the best first."""
    return sorted(
        {bound for tier in one.commitment.tiers for bound in (tier.lower, tier.upper)}
        - {Fraction(0), NO_LIMIT},
        reverse=one.commitment.tiers_of == "availability",
    )


def speller(one: Figure) -> Callable[[Fraction], str]:
    """Return how an availability, or a value, is spelled: never as the edge of a tier that it is not on."""
    edges = edges_of(one) if one.commitment.tiers_of in ("availability", "value") else []
    if one.commitment.measure.makes == "availability":
        return lambda end: percent_text(end, edges)
    return lambda end: exact_text(end, edges)


def money_text(amount: Fraction, currency: str) -> str:
    """Return minor units, which need not be whole, as an amount of a currency."""
    if amount.denominator == 1:
        return format_money(int(amount), currency)
    return exact_text(amount / 10 ** minor_units(currency))


def seconds_text(value: Fraction) -> str:
    """Return seconds as a duration in words."""
    return duration_text(value) if value.denominator == 1 else f"{exact_text(value)} seconds"


def span_text(low: Fraction, high: Fraction) -> str:
    """Return bounds of seconds in words."""
    return ranged(low, high, seconds_text).removeprefix("from ")


def ranged(low: Fraction, high: Fraction, spell: Callable[[Fraction], str]) -> str:
    """Return bounds in words, such as "from 10 to less than 20"; an end that is not reached is said not to be."""
    if low == high:
        return spell(low)
    least = f"more than {spell(low)}" if is_open(low) else spell(low)
    if is_endless(high):
        return least if is_open(low) else f"{least} or more"
    most = f"less than {spell(high)}" if is_open(high) else spell(high)
    return f"from {least} to {most}"
