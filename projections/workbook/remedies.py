"""What remedies and limits come to, step by step, in integers: the numbers behind the sheets Remedies and Amounts.

Everything a tier pays is made of lines (a times the fee and more, divided), of which each is rounded; the least or the
greatest of them is paid, and limits are lines, too. A line is rounded as one quotient of integers: what the rounding adds is
put in before it is cut, and a tie beside an odd number is taken off again.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import NamedTuple

from ledger.domain.money import number_text
from ledger.domain.policy.model import Limits, Policy, Remedy, Tier, sum_in
from projections.evaluation.amounts import base_factor

__all__ = [
    "MODES",
    "Amounts",
    "Line",
    "Payment",
    "Side",
    "Terms",
    "is_plain",
    "payment",
    "percent_of",
    "reasons",
    "whole",
]

# What an amount gets before it is cut to an integer: this part of the divisor, and this; and whether ties go to even.
MODES: dict[str, tuple[str, int, bool]] = {
    "half-up": ("0.5", 0, False),
    "half-even": ("0.5", 0, True),
    "half-down": ("0.5", -1, False),
    "up": ("1", -1, False),
    "down": ("0", 0, False),
    "ceiling": ("1", -1, False),
    "floor": ("0", 0, False),
    "half-ceiling": ("0.5", 0, False),
}


def is_plain(policy: Policy) -> bool:
    """Tell whether what is paid is a percentage of the fee, and nothing else is asked."""
    limits = policy.limits
    return (
        all(tier.remedy.is_percent for tier in policy.tiers)
        and base_factor(policy) == 1
        and policy.credit.factor_decimals is None
        and limits == Limits(days=limits.days, rolling_months=limits.rolling_months)
    )


def percent_of(tier: Tier) -> Fraction:
    """Return the percentage that a tier pays, among other things or alone; 0 where it pays none."""
    return tier.remedy.percent or Fraction(0)


def reasons(policy: Policy) -> dict[str, bool]:
    """Return what of the remedies and limits of a policy has no formula, by words that say so."""
    remedies = [tier.remedy for tier in policy.tiers]
    sums = [amount for one in remedies for table in (one.fixed, one.hourly) for _, amount in table]
    return {
        "blocks of parts of a second": any((one.block_seconds or Fraction(1)).denominator != 1 for one in remedies),
        "parts of a minor unit": any(amount.denominator != 1 for amount in sums),
        "parts of the fee that no decimal says": any(
            "/" in number_text(part or Fraction(0)) for one in remedies for part in (one.percent, one.multiple)
        ),
        "amounts that are raised to a sum": bool(policy.limits.at_least),
        "what is paid beyond an allowance": any(one.beyond is not None for one in remedies),
        "a sum of parts of several kinds": any(one.take == "sum" and _parts(one) > 1 for one in remedies),
    }  # fmt: skip


def _parts(remedy: Remedy) -> int:
    """Return how many of its amounts are quotients of their own."""
    return sum((remedy.percent is not None, remedy.multiple is not None, bool(remedy.hourly)))


def whole(value: Fraction | None, units: int) -> int | None:
    """Return a value in so many parts, None where there is none."""
    return None if value is None else int(value * units)


class Line(NamedTuple):
    """(fee x times + adds) / divisor, cut; one less where the remainder of twice the divisor is `tie`. All is doubled."""

    times: int
    adds: int
    divisor: int
    tie: int

    def amount(self, fee: int) -> int:
        """Return what it comes to for a fee, in minor units."""
        found = fee * self.times + self.adds
        return found // self.divisor - (found % (2 * self.divisor) == self.tie)

    def less(self, before: int) -> Line:
        """Return the line of which so many minor units are taken off before it is rounded."""
        return self._replace(adds=self.adds - before * self.divisor)

    def highest(self, fee: int) -> int:
        """Return the highest integer on the way."""
        return max(fee, 1) * self.times + self.adds + 2 * self.divisor


class Terms(NamedTuple):
    """How a line is made of a quotient: the rounding, and what the base is of the fee."""

    part: Fraction
    offset: int
    even: bool
    base_of: int
    base_in: int

    def line(self, times: int, adds: int, divisor: int) -> Line:
        """Return the line (base x times + adds) / divisor."""
        twice = 2 * divisor * self.base_in
        more = 2 * adds * self.base_in + int(self.part * twice) + self.offset
        return Line(2 * times * self.base_of, more, twice, twice if self.even else -1)

    def rounded(self, numerator: int, divisor: int) -> int:
        """Return a quotient that no fee is part of."""
        return Terms(self.part, self.offset, self.even, 1, 1).line(0, numerator, divisor).amount(0)


class Side(NamedTuple):
    """What the tier pays for so much eligible downtime; None where it has no such amount.

    common: the divisor that eligible downtime and the period share. numerator, divisor, and adds: the quotient of the first line.
    factor, factor_in: the same where a factor is rounded before the amount is, else no other; second_factor, second_in: of the second.
    """

    units: int
    percent: int | None
    common: int
    multiple: int | None
    multiple_of: int | None
    fixed: int | None
    hourly: int | None
    hourly_paid: int | None
    divisor: int
    numerator: int | None
    adds: int
    first: Line | None
    first_divisor: int
    second: Line | None
    constant: int | None
    days: int
    factor: int | None
    factor_in: int
    second_factor: int | None
    second_in: int | None


class Amounts(NamedTuple):
    """What the lines come to for a fee, in minor units: least side, then most."""

    first: tuple[int | None, int | None]
    second: tuple[int | None, int | None]
    cap: int | None
    rolling: int | None
    joined: tuple[int, int]
    capped: tuple[int, int]
    paid: tuple[int, int]


class Payment(NamedTuple):
    """What a scope pays in one currency. place: of its tier among all. times, fixed, hourly: of the tier, in parts and minor units."""

    place: int
    terms: Terms
    sums: bool
    lesser: bool
    block: int
    begun: bool
    times: int | None
    fixed: int | None
    hourly: int | None
    hourly_of: int
    cap: Line | None
    rolling: Line | None
    limit: int | None
    above: int | None
    days: int | None
    days_limit: int | None
    sides: tuple[Side, Side]
    scale: int | None
    rounds: Terms

    def amounts(self, fee: int, before: int = 0) -> Amounts:
        """Return what is paid for a fee, and on which way; before: what was credited and counts. All are minor units."""
        first, second, joined, capped, paid = [], [], [], [], []
        cap = None if self.cap is None else self.cap.amount(fee)
        rolling = None if self.rolling is None else max(0, self.rolling.less(before).amount(fee))
        for side in self.sides:
            first.append(None if side.first is None else side.first.amount(fee))
            second.append(None if side.second is None else side.second.amount(fee))
            several = [one for one in (first[-1], second[-1], side.constant) if one is not None]
            joined.append((min if self.lesser else max)(several, default=0))
            capped.append(min([joined[-1], *(one for one in (cap, rolling, self.limit) if one is not None)]))
            paid.append(capped[-1] if self.above is None or capped[-1] > self.above else 0)
        return Amounts(
            (first[0], first[1]), (second[0], second[1]), cap, rolling, (joined[0], joined[1]), (capped[0], capped[1]), (paid[0], paid[1])
        )  # fmt: skip

    def highest(self, fee: int, before: int = 0) -> int:
        """Return the highest integer on the way to the amounts."""
        taken = 0 if self.rolling is None else before * self.rolling.divisor
        lines = [self.cap, self.rolling, *(line for side in self.sides for line in (side.first, side.second))]
        hours = [2 * (side.hourly or 0) + 4 * self.hourly_of for side in self.sides]
        sums = [self.limit or 0, self.above or 0, *(side.fixed or 0 for side in self.sides)]
        return max([fee, taken, *sums, *hours, *(line.highest(fee) for line in lines if line is not None)])


def payment(
    policy: Policy, tiers: tuple[Tier, ...], place: int, pays: tuple[int, int], eligible: tuple[int, int], seconds: int,
    parts: int, currency: str, credit: int, multiple: int, day: int,
) -> Payment:  # fmt: skip
    """Return what is paid in a currency.

    tiers: that the facts allow: several only where all pay a mere percentage. place: of the first of them among all tiers.
    pays: of them the least and the most percentage, in parts. eligible: in parts of a second, at least and at most. seconds: of the
    period. credit, multiple, day: into how many parts a fee in percent, a multiple of it, and a day of service fall.
    """
    given, at_most = (
        whole(tiers[0].remedy.service_days if len(tiers) == 1 else None, day),
        whole(policy.limits.days, day),
    )
    part, offset, even = MODES[policy.rounding]
    factor = base_factor(policy)
    terms = Terms(Fraction(part), offset, even, factor.numerator, factor.denominator)
    one = len(tiers) == 1
    remedy = tiers[0].remedy if one else Remedy(percent=Fraction(0))
    times = whole(remedy.multiple, multiple)
    fixed, hourly = whole(sum_in(remedy.fixed, currency), 1), whole(sum_in(remedy.hourly, currency), 1)
    block, begun = int(remedy.block_seconds or 0), remedy.blocks == "begun"
    limits = policy.limits
    cap, rolling = whole(limits.percent, credit), whole(limits.rolling_percent, credit)
    decimals = policy.credit.factor_decimals
    scale = None if decimals is None else 10**decimals
    factor_part, factor_offset, factor_even = MODES[policy.credit.factor_rounding or policy.rounding]
    rounds = Terms(Fraction(factor_part), factor_offset, factor_even, 1, 1)
    sums = tiers[0].remedy.take == "sum"
    lesser = tiers[0].remedy.take != "greater"
    per_hour = 3_600 * parts

    def side(paid: int, down: int) -> Side:
        times_paid = 1 if not block else (down + (block * parts - 1 if begun else 0)) // (block * parts)
        percent = None if remedy.percent is None else paid * times_paid
        common = 1 if times is None else gcd(down, seconds * parts)
        numerator = None if times is None else times * (down // common)
        of = None if times is None else multiple * (seconds * parts // common)
        sum_paid = None if fixed is None else fixed * times_paid
        by_hour = None if hourly is None else hourly * down
        hour_paid = None if by_hour is None else terms.rounded(by_hour, per_hour)
        divisor, top = credit, percent
        if sums:
            divisor = credit if percent is not None else of or (per_hour if by_hour is not None else 1)
            top = (percent or 0) + (numerator or 0)
        factor, factor_in, second, second_in = top, divisor, numerator, of
        if scale is not None:
            if top is not None and (percent is not None or numerator is not None):
                factor, factor_in = rounds.rounded(top * scale, divisor), scale
            if numerator is not None and of is not None:
                second, second_in = rounds.rounded(numerator * scale, of), scale
        adds = (sum_paid or 0) * factor_in + (by_hour or 0) if sums else 0
        alone = [] if sums else [one for one in (sum_paid, hour_paid) if one is not None]
        return Side(
            units=times_paid, percent=percent, common=common, multiple=numerator, multiple_of=of, fixed=sum_paid, hourly=by_hour,
            hourly_paid=hour_paid, divisor=divisor, numerator=top, adds=adds,
            first=None if factor is None else terms.line(factor, adds, factor_in), first_divisor=2 * factor_in * terms.base_in,
            second=None if sums or second is None or second_in is None else terms.line(second, 0, second_in),
            constant=(min if lesser else max)(alone) if alone else None,
            days=min([(given or 0) * times_paid, *([] if at_most is None else [at_most])]),
            factor=factor, factor_in=factor_in, second_factor=second, second_in=second_in,
        )  # fmt: skip

    return Payment(
        place=place, terms=terms, sums=sums, lesser=lesser, block=block, begun=begun, times=times, fixed=fixed, hourly=hourly,
        hourly_of=per_hour, cap=None if cap is None else terms.line(cap, 0, credit),
        rolling=None if rolling is None else terms.line(rolling, 0, credit), limit=whole(sum_in(limits.amount, currency), 1),
        above=whole(sum_in(limits.only_above, currency), 1), days=given, days_limit=at_most,
        sides=(side(pays[0], eligible[0]), side(pays[1], eligible[1])), scale=scale, rounds=rounds,
    )  # fmt: skip
