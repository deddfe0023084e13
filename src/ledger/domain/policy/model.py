"""What the terms of one SLA say, in memory: one model for every format a policy may be written in.

Percentages of availability are exact fractions of 1, durations seconds, money minor units of its currency; nothing is a
float. What the words of a term mean stands in the grammar (`ledger.domain.policy.grammar`) and in docs/policy-language.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from ledger.domain.exclusion import RecurringKind
from ledger.domain.money import decimal_text

__all__ = [
    "NO_LIMIT", "Allowance", "Calendar", "Claim", "Commitment", "Counting", "Credit", "Example", "ExclusionRule", "FactsRule", "Limits",
    "Measure", "PeriodRule", "Policy", "Recurring", "Remedy", "Scope", "Source", "Stacking", "Sums", "Termination", "Tier", "VersionRule", "step_of", "sum_in",
    "tables_of_sums",
]  # fmt: skip

# Stands for "no upper bound" of a duration or a value, so that a bound is always a number.
NO_LIMIT = Fraction(10**30)

# Amounts by currency, in minor units, sorted by currency.
Sums: TypeAlias = tuple[tuple[str, Fraction], ...]
Quantity: TypeAlias = Literal["availability", "downtime", "value"]
Measured: TypeAlias = Literal[
    "time", "affected-share", "user-minutes", "error-rate", "executions", "messages", "latency", "consecutive-days",
    "bad-days", "events",
]  # fmt: skip


class Allowance(msgspec.Struct, frozen=True):
    """What is not paid for, though it is down: up to an availability (a fraction of 1), so many seconds, or a value."""

    of: Quantity
    bound: Fraction


class Remedy(msgspec.Struct, frozen=True):
    """What a tier pays. percent: of the base. multiple: of the base for the time down. fixed, hourly: by currency.

    service_days: not money. per: once, for each block (of block_seconds; begun ones too, or full ones only) or unit.
    beyond: only what exceeds this is paid for. take: how several amounts of money become one.
    """

    percent: Fraction | None = None
    multiple: Fraction | None = None
    fixed: Sums = ()
    hourly: Sums = ()
    service_days: Fraction | None = None
    per: Literal["period", "block", "unit"] = "period"
    block_seconds: Fraction | None = None
    blocks: Literal["full", "begun"] = "full"
    take: Literal["lesser", "greater", "sum"] | None = None
    beyond: Allowance | None = None

    @property
    def pays_money(self) -> bool:
        """Whether it pays any."""
        sums = (amount for table in (self.fixed, self.hourly) for _, amount in table)
        return bool(self.percent or self.multiple or any(sums))

    @property
    def pays(self) -> bool:
        """Whether it is anything but nothing."""
        return any((self.percent, self.multiple, self.fixed, self.hourly, self.service_days))

    @property
    def is_percent(self) -> bool:
        """Whether it is a percentage of the base, once, and nothing else."""
        return self == Remedy(percent=self.percent) and self.percent is not None


class Tier(msgspec.Struct, frozen=True):
    """A range of what is measured, and what it pays.

    lower, upper: bounds, with whether the bound itself belongs to the tier: fractions of 1 of an availability, seconds of
    downtime, or a value, as `of` says. credit_percent: of the base; 0 where the remedy is of another kind. words: the
    range as the policy spells it, such as "availability below 99.0%".
    """

    lower: Fraction
    lower_included: bool
    upper: Fraction
    upper_included: bool
    credit_percent: Fraction
    words: str
    of: Quantity = "availability"
    remedy: Remedy = Remedy()

    def holds(self, quantity: Fraction) -> bool:
        """Tell whether an availability (a fraction of 1), seconds of downtime or a value lies in this tier."""
        above = quantity >= self.lower if self.lower_included else quantity > self.lower
        below = quantity <= self.upper if self.upper_included else quantity < self.upper
        return above and below

    @property
    def percent(self) -> str:
        """The credit percentage in its one spelling, such as "12.5"."""
        return decimal_text(self.credit_percent)

    def seconds_to_worse(self, eligible: Fraction, period_seconds: int | Fraction) -> int | None:
        """Return how many more whole seconds of eligible downtime leave this tier; None if none can."""
        if self.of == "downtime":
            # Up to the upper bound, which belongs to the tier or not.
            room, stays = self.upper - eligible, self.upper_included
        else:
            # How much more the tier allows; a bound that belongs to the tier allows all of it.
            room, stays = (1 - self.lower) * period_seconds - eligible, self.lower_included
        more = _floor(room) + 1 if stays else _ceiling(room)
        return more if eligible + more <= period_seconds else None

    def seconds_past_better(self, eligible: Fraction, period_seconds: int | Fraction) -> int | None:
        """Return how many whole seconds less of eligible downtime give a better tier; None if none is."""
        if self.of == "downtime":
            past, stays = eligible - self.lower, self.lower_included
        else:
            past, stays = eligible - (1 - self.upper) * period_seconds, self.upper_included
        less = _floor(past) + 1 if stays else _ceiling(past)
        return less if less <= eligible else None


class Source(msgspec.Struct, frozen=True):
    """Where the terms were read, when, and how far they were compared."""

    name: str
    address: str
    read_on: str | None
    state: str
    note: str


class PeriodRule(msgspec.Struct, frozen=True):
    """The time one figure is for. anchor_month: in which a contract year begins. length_seconds: the denominator where it is not the actual length."""

    kind: Literal[
        "calendar-month", "calendar-quarter", "calendar-four-months", "calendar-half-year", "calendar-year", "contract-year",
        "billing-month", "trailing-days",
    ]  # fmt: skip
    zone: str
    anchor_day: int = 1
    days: int | None = None
    length_seconds: Fraction | None = None
    part: Literal["whole", "lifetime"] = "whole"
    anchor_month: int = 1


class Measure(msgspec.Struct, frozen=True):
    """What is measured, from what, and what time without data is."""

    of: Measured = "time"
    reads: tuple[str, ...] = ()
    bucket_seconds: int | None = None
    statistic: str | None = None
    unit: Literal["milliseconds", "seconds", "minutes"] = "seconds"
    combine: Literal["average", "maximum"] = "average"
    counts: Literal["incidents", "outages", "failed"] = "incidents"
    missing: Literal["available", "excluded", "down"] = "available"

    @property
    def makes(self) -> Literal["availability", "value"]:
        """What comes out of it."""
        return "value" if self.of == "latency" or self.is_days or self.of == "events" else "availability"

    @property
    def is_days(self) -> bool:
        """Whether it counts local days that were bad."""
        return self.of in ("consecutive-days", "bad-days")

    @property
    def reads_windows(self) -> bool:
        """Whether windows make it, be it beside measurements."""
        if self.is_days:
            return not self.reads
        return self.of in ("time", "affected-share", "user-minutes") or (
            self.of == "events" and self.counts != "failed"
        )


class Counting(msgspec.Struct, frozen=True):
    """Which seconds are down: effects, the rule for a second, least durations, and quanta. Durations in seconds.

    day_above: a day is bad where more than this of it was down.
    """

    effects: frozenset[str] = frozenset()
    down: Literal["any", "above-share", "at-least-share", "all"] = "any"
    share_above: Fraction | None = None
    share_at_least: Fraction | None = None
    day_above: Fraction = Fraction(0)
    minimum: Fraction | None = None
    unless_daily_total_above: Fraction | None = None
    daily_total_counts: Literal["all", "excess"] = "all"
    quantise: Literal[
        "exact", "each-up", "each-down", "each-nearest", "total-up", "total-down", "total-nearest", "slots-touched", "slots-filled"
    ] = "exact"  # fmt: skip
    quantum: int = 60
    ties: Literal["up", "down", "even"] = "up"

    def fails_at(self, share: Fraction) -> bool:
        """Tell whether a share that is affected, or that failed, is above the share of the policy, or at least that."""
        if self.share_at_least is not None:
            return share >= self.share_at_least
        return share > (self.share_above or 0)


def step_of(measure: Measure, counting: Counting, of: Quantity) -> Fraction | None:
    """Return of what everything that can be measured is a multiple, None where it may be any number: then a hole is none between."""
    match of:
        case "value":
            return None if measure.of == "latency" else Fraction(1)
        case "downtime":
            # Time without data counts as it is, beside the quanta.
            rounded = counting.quantise != "exact" and measure.missing != "down"
            return Fraction(counting.quantum) if rounded else None
        case "availability":
            return None


class Scope(msgspec.Struct, frozen=True):
    """Where downtime counts. components: only these; empty: all."""

    regions: Literal["each", "union", "service-wide"] = "each"
    all_regions: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


class Commitment(msgspec.Struct, frozen=True):
    """One service level: what is measured, how it counts, and tiers from the best to the worst.

    target: the range that was promised, without a remedy; None where the terms name none.
    """

    name: str
    measure: Measure
    counting: Counting
    scope: Scope
    tiers: tuple[Tier, ...]
    gaps: Literal["refused", "undecided", "pays-nothing"] = "refused"
    overlaps: Literal["refused", "undecided", "greatest"] = "refused"
    target: Tier | None = None

    @property
    def tiers_of(self) -> Quantity:
        """What the bounds of the tiers are about."""
        return self.tiers[0].of

    @property
    def step(self) -> Fraction | None:
        """Of what all that its tiers are about is a multiple; None where it may be any number."""
        return step_of(self.measure, self.counting, self.tiers_of)


class ExclusionRule(msgspec.Struct, frozen=True):
    """Kinds of time that do not count as down, on which conditions. Durations in seconds.

    own_plan_only: only what a window says of its own plan, as in format 1; recorded exclusions are not read.
    """

    kinds: frozenset[str]
    notice: Fraction | None = None
    most: Fraction | None = None
    most_per: Literal["year", "period"] = "year"
    treated: Literal["up", "removed"] = "up"
    own_plan_only: bool = False

    @property
    def is_recurring(self) -> bool:
        """Whether it is about what the policy itself excludes day by day, and not about what is recorded."""
        return self.kinds <= set(get_args(RecurringKind))


class Credit(msgspec.Struct, frozen=True):
    """From a remedy to an amount: the base, and how its factor is rounded before the amount is."""

    of: Literal["fee", "region-charges", "service-share", "preceding-fee", "annual-fee"] = "fee"
    share: Fraction | None = None
    factor_decimals: int | None = None
    factor_rounding: str | None = None
    clawback: bool = False


class Limits(msgspec.Struct, frozen=True):
    """The most that is paid, and the least. Fractions of the base, days, and sums by currency."""

    percent: Fraction | None = None
    amount: Sums = ()
    days: Fraction | None = None
    rolling_percent: Fraction | None = None
    rolling_months: int = 12
    rolling_over: Literal["months", "calendar-year", "contract-year"] = "months"
    only_above: Sums = ()
    at_least: Sums = ()


def tables_of_sums(limits: Limits, commitments: Iterable[Commitment]) -> list[tuple[str, Sums]]:
    """Return every table of sums by currency in some terms, with where it stands; those that are left out are empty."""
    found = [
        ("limits.amount", limits.amount), ("limits.only_above", limits.only_above), ("limits.at_least", limits.at_least)
    ]  # fmt: skip
    for commitment in commitments:
        for tier in commitment.tiers:
            found += [
                (f"credit_fixed of {tier.words}", tier.remedy.fixed), (f"credit_hourly of {tier.words}", tier.remedy.hourly)
            ]  # fmt: skip
    return found


class Stacking(msgspec.Struct, frozen=True):
    """What happens when several commitments, or several incidents, would pay."""

    commitments: Literal["best-of", "choose-one", "sum"] = "best-of"
    incidents: Literal["together", "best-of", "choose-one", "sum"] = "together"


class Calendar(msgspec.Struct, frozen=True):
    """Business days (0 is Monday), holidays as dates, and business hours in seconds of the local day."""

    name: str = "monday-to-friday"
    days: frozenset[int] = frozenset(range(5))
    holidays: frozenset[str] = frozenset()
    opens: int = 0
    closes: int = 86_400

    def is_open(self, day: date) -> bool:
        """Tell whether a day is a business day."""
        return day.weekday() in self.days and day.isoformat() not in self.holidays


class Recurring(msgspec.Struct, frozen=True):
    """Time of each day that the policy itself excludes: what the hours of a calendar leave, or hours that it names.

    Hours that close no later than they open reach into the next day.
    """

    kind: RecurringKind
    calendar: Calendar


class Claim(msgspec.Struct, frozen=True):
    """Whether a credit must be claimed, and until when: `amount` of `unit` after the anchor."""

    how: Literal["automatic", "on-request"] = "automatic"
    amount: Fraction | None = None
    unit: Literal["seconds", "days", "business-days", "business-hours", "months", "periods"] | None = None
    anchor: (
        Literal["incident-start", "incident-end", "month-end", "period-end", "quarter-end", "eligibility"]
        | None
    ) = None
    calendar: Calendar = Calendar()
    evidence: str = ""


class FactsRule(msgspec.Struct, frozen=True):
    """How facts that are still open count where credits are issued; refused: who issues has to say so.

    undecided: which end of the bounds, where they decide no amount. provisional: open windows, and cohorts nobody can name.
    """

    undecided: Literal["refused", "least", "most"] = "refused"
    provisional: Literal["refused", "as-they-stand"] = "refused"


class VersionRule(msgspec.Struct, frozen=True):
    """Which version a subscription has."""

    rule: Literal["in-force", "frozen-for-term", "on-renewal"] = "in-force"
    term_months: int = 12


class Termination(msgspec.Struct, frozen=True):
    """A right to end the contract: in `periods` of the last `of_last` periods the range held. range: without a remedy."""

    range: Tier
    periods: int = 1
    of_last: int = 1
    commitment: str = ""


class Example(msgspec.Struct, frozen=True):
    """Facts, and what must come of them, as the policy states it."""

    name: str
    facts: dict[str, Any]
    expect: dict[str, Any]


class Policy(msgspec.Struct, frozen=True):
    """One version of the terms.

    in_force_from: first date, in the zone. rounding: how an amount is rounded, one of ledger.domain.money.ROUNDINGS.
    sha256: of the text as it was published.
    """

    key: str
    title: str
    in_force_from: str
    format: int
    period: PeriodRule
    commitments: tuple[Commitment, ...]
    exclusions: tuple[ExclusionRule, ...]
    credit: Credit
    rounding: str
    sha256: str
    limits: Limits = Limits()
    stacking: Stacking = Stacking()
    claim: Claim = Claim()
    version: VersionRule = VersionRule()
    facts: FactsRule = FactsRule()
    termination: tuple[Termination, ...] = ()
    currencies: tuple[str, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    recurring: tuple[Recurring, ...] = ()
    source: Source | None = None
    examples: tuple[Example, ...] = ()

    @property
    def zone(self) -> str:
        """The IANA zone in which its periods begin."""
        return self.period.zone

    @property
    def effects(self) -> frozenset[str]:
        """The effects that count, of its first commitment."""
        return self.commitments[0].counting.effects

    @property
    def share_above(self) -> Fraction | None:
        """The share above which a second is down, of its first commitment; None where no share decides."""
        return self.commitments[0].counting.share_above

    @property
    def windows(self) -> str:
        """How windows count in its first commitment: full, by-share, above-share, at-least-share, all, or the measure that is none of these."""
        first = self.commitments[0]
        if first.measure.of == "affected-share" and first.counting.down == "any":
            return "by-share"
        if first.measure.of == "time":
            return "full" if first.counting.down == "any" else first.counting.down
        return first.measure.of

    @property
    def planned_counts(self) -> bool:
        """Whether planned work counts as downtime."""
        return not any("planned-maintenance" in rule.kinds for rule in self.exclusions)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers of its first commitment, from the best to the worst."""
        return self.commitments[0].tiers


def sum_in(sums: Sums, currency: str) -> Fraction | None:
    """Return the amount of a table of sums in one currency, in minor units; None where it names none."""
    return dict(sums).get(currency)


def _floor(value: Fraction) -> int:
    return value.numerator // value.denominator


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
