"""Availability of one service in one region over one period, under one policy, as exact bounds.

Assessment answers what the facts decide: how much downtime counts, at least and at most, and which tiers that
leaves. Everything is integers and fractions; no clock, no float, and neither the order of the windows nor a
repetition of the same window changes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import lcm

import msgspec

from ledger.domain.interval import Span, length, subtract
from ledger.domain.money import decimal_places, decimal_text
from ledger.domain.period import Period
from ledger.domain.policy import Policy, Tier
from ledger.domain.window import Window, place, reach, share_bounds
from ledger.errors import Refused

__all__ = [
    "Assessment",
    "Found",
    "Membership",
    "applicable",
    "assess",
    "entry_order",
    "percent_text",
    "seconds_value",
]

# What is shown has 12 decimals of a percentage; what is decided has all of them.
SHOWN_PLACES = 12
NONE, WHOLE = Fraction(0), Fraction(1)

# A window, and whether it surely is in the region asked for.
Found = tuple[Window, bool]
# Seconds that count with a weight from 0 to 1.
Part = tuple[Span, Fraction]


class Membership(msgspec.Struct, frozen=True):
    """Whether a customer is in a cohort, and the entry that says so, such as "cohort/beta v2"."""

    inside: bool
    entry: str


class Assessment(msgspec.Struct, frozen=True):
    """What a policy makes of the windows of a service and region in a period.

    downtime_seconds: union of the stated windows. excluded_seconds: the part of it that the policy does not
    count. eligible_at_least, eligible_at_most: seconds of eligible downtime as bounds; eligible_stated: with
    the stated times taken as exact, None where shares, regions or cohorts still leave it open. availability
    bounds: fractions of 1. tiers: those the bounds allow, best first. provisional: an open window touches it, or
    one limited to a cohort of which it is not known who is in it. approximate: a window's times are said to be approximate and no tolerance is known. entries:
    what it rests on, sorted. seconds_to_next_tier, seconds_past_tier_edge: see Tier; None where the bounds
    differ.
    """

    period_seconds: int
    downtime_seconds: int
    excluded_seconds: int
    eligible_at_least: Fraction
    eligible_stated: Fraction | None
    eligible_at_most: Fraction
    availability_at_least: Fraction
    availability_at_most: Fraction
    tiers: tuple[Tier, ...]
    provisional: bool
    approximate: bool
    entries: tuple[str, ...]
    rule: str
    seconds_to_next_tier: int | None
    seconds_past_tier_edge: int | None

    @property
    def eligible(self) -> Fraction | None:
        """Seconds of eligible downtime, None where the bounds differ."""
        return self.eligible_at_least if self.eligible_at_least == self.eligible_at_most else None

    @property
    def availability(self) -> Fraction | None:
        """Availability as a fraction of 1, None where the bounds differ."""
        return self.availability_at_least if self.eligible is not None else None

    @property
    def credit_percent(self) -> Fraction | None:
        """Percentage of the fee that is owed, None where the bounds allow several tiers."""
        return self.tiers[0].credit_percent if len(self.tiers) == 1 else None

    @property
    def credit_percent_at_least(self) -> Fraction:
        """The least percentage that a tier within the bounds pays."""
        return min(tier.credit_percent for tier in self.tiers)

    @property
    def credit_percent_at_most(self) -> Fraction:
        """The highest percentage that a tier within the bounds pays."""
        return max(tier.credit_percent for tier in self.tiers)


def applicable(windows: Iterable[Window], service: str, region: str) -> list[Found]:
    """Return the windows that concern a service and region, each with whether it surely does.

    A window of region "*" concerns all of its incident's regions, one of "unknown" perhaps each of them.
    Withdrawn windows count nothing, and the same window given twice counts once.
    """
    return [
        (window, where == "surely")
        for window in dict.fromkeys(windows)
        if window.service == service
        and not window.withdrawn
        and (where := place(window.region, window.regions, region))
    ]


def assess(
    windows: Iterable[Window],
    policy: Policy,
    version: int,
    service: str,
    region: str,
    period: Period,
    as_of: int,
    valid: Span | None = None,
    memberships: Mapping[str, Membership] | None = None,
) -> Assessment:
    """Return what `policy` (its `version`) makes of the windows of a service and region in a period.

    as_of: UTC seconds up to which open windows have lasted at least. valid: the seconds to which windows are
    clipped, such as the part of the period in which a subscription is valid; the period stays whole. memberships: of
    the customer, by cohort; a window limited to a cohort that is not there is a bound, from nothing to all of it.
    """
    found = applicable(windows, service, region)
    return assess_found(found, policy, version, period, as_of, valid, memberships)


def assess_found(
    found: Iterable[Found],
    policy: Policy,
    version: int,
    period: Period,
    as_of: int,
    valid: Span | None = None,
    memberships: Mapping[str, Membership] | None = None,
) -> Assessment:
    """Do what `assess` does, for windows that `applicable` has chosen."""
    if policy.format != 1:
        raise Refused(
            f"policy {policy.key!r} is written in format {policy.format}, which credits of a ledger do not read yet"
        )
    start, end = valid or (period.start, period.end)
    start, end = max(start, period.start), min(end, period.end)
    downtime: list[Span] = []
    least: list[Part] = []
    most: list[Part] = []
    stated_least: list[Part] = []
    stated_most: list[Part] = []
    entries: set[str] = {f"policy/{policy.key} v{version}"}
    provisional = approximate = False
    for window, surely in found:
        covers = reach(window, start, end, as_of)
        if covers.most is None:
            continue
        entries.update(window.entries)
        membership = None if window.cohort is None else (memberships or {}).get(window.cohort)
        if membership is not None:
            entries.add(membership.entry)
            if not membership.inside:
                continue
        doubtful = window.cohort is not None and membership is None
        provisional |= window.end is None or doubtful
        approximate |= window.approximate and not (window.start_within_seconds or window.end_within_seconds)
        if covers.stated and surely:
            downtime.append(covers.stated)
        low, high = _weights(policy, window)
        if not high:
            continue
        beside = _beside(policy, window)
        most += ((part, high) for part in beside(covers.most))
        stated_most += ((part, high) for part in beside(covers.stated))
        # Whether a customer belongs to that cohort, or a region to "unknown", is not known: at least nothing
        # counts.
        if low and surely and not doubtful:
            least += ((part, low) for part in beside(covers.least))
            stated_least += ((part, low) for part in beside(covers.stated))

    lower, upper = _combining(policy)
    eligible_least, eligible_most = lower(least), upper(most)
    considered = _above(stated_most, policy.share_above or NONE)
    stated = lower(stated_least)
    decided = eligible_least == eligible_most
    highest = 1 - eligible_least / period.seconds
    lowest = highest if decided else 1 - eligible_most / period.seconds
    tiers = _between(policy, lowest, highest)
    return Assessment(
        period_seconds=period.seconds,
        downtime_seconds=length(downtime),
        excluded_seconds=length(subtract(downtime, considered)),
        eligible_at_least=eligible_least,
        eligible_stated=stated if stated == upper(stated_most) else None,
        eligible_at_most=eligible_most,
        availability_at_least=lowest,
        availability_at_most=highest,
        tiers=tiers,
        provisional=provisional,
        approximate=approximate,
        entries=tuple(sorted(entries, key=entry_order)),
        rule=_rule(policy, version, tiers),
        seconds_to_next_tier=tiers[0].seconds_to_worse(eligible_least, period.seconds) if decided else None,
        seconds_past_tier_edge=tiers[0].seconds_past_better(eligible_least, period.seconds)
        if decided
        else None,
    )


def _weights(policy: Policy, window: Window) -> tuple[Fraction, Fraction]:
    """Return the least and the most that each second of a window weighs under a policy."""
    if window.effect not in policy.effects:
        return NONE, NONE
    return (WHOLE, WHOLE) if policy.windows == "full" else share_bounds(window)


def _beside(policy: Policy, window: Window) -> Callable[[Span | None], list[Span]]:
    """Return what is left of a span when the policy excludes planned work: what ran over its schedule counts."""
    planned = window.planned
    if planned is None or policy.planned_counts:
        return lambda span: [] if span is None else [span]
    schedule = [(planned.scheduled_start, planned.scheduled_end)]
    return lambda span: [] if span is None else list(subtract([span], schedule))


def _combining(policy: Policy) -> tuple[Callable[[list[Part]], Fraction], Callable[[list[Part]], Fraction]]:
    """Return how weighted seconds that overlap come to eligible downtime, at least and at most.

    Overlapping shares come together to anything from the greatest of them to their sum, but never above 1.
    """
    if policy.windows == "full":
        return _covered, _covered
    if policy.windows == "by-share":
        return _highest, _summed
    edge = policy.share_above or NONE
    return (
        lambda parts: _covered([part for part in parts if part[1] > edge]),
        lambda parts: Fraction(length(_above(parts, edge))),
    )


def _covered(parts: list[Part]) -> Fraction:
    """Return the seconds of parts that all have the weight 1, each counted once."""
    return Fraction(length(span for span, _ in parts))


def _highest(parts: list[Part]) -> Fraction:
    """Return the weighted seconds if of overlapping parts only the heaviest counts: the least they can be."""
    total, covered = Fraction(0), 0
    spans: list[Span] = []
    by_weight: dict[Fraction, list[Span]] = {}
    for span, weight in parts:
        by_weight.setdefault(weight, []).append(span)
    for weight in sorted(by_weight, reverse=True):
        spans += by_weight[weight]
        reached = length(spans)
        total += weight * (reached - covered)
        covered = reached
    return total


def _summed(parts: list[Part]) -> Fraction:
    """Return the weighted seconds where overlapping parts add up to 1: the most they can be."""
    # Integers over one denominator keep the sweep exact without a fraction at each step.
    whole = lcm(*(weight.denominator for _, weight in parts))
    steps: dict[int, int] = {}
    for (start, end), weight in parts:
        scaled = weight.numerator * (whole // weight.denominator)
        steps[start] = steps.get(start, 0) + scaled
        steps[end] = steps.get(end, 0) - scaled
    total = level = before = 0
    for moment in sorted(steps):
        total += (moment - before) * min(level, whole)
        level, before = level + steps[moment], moment
    return Fraction(total, whole)


def _above(parts: list[Part], edge: Fraction) -> list[Span]:
    """Return the spans in which the weights of overlapping parts add up to more than an edge."""
    whole = lcm(edge.denominator, *(weight.denominator for _, weight in parts))
    bar = edge.numerator * (whole // edge.denominator)
    steps: dict[int, int] = {}
    for (start, end), weight in parts:
        scaled = weight.numerator * (whole // weight.denominator)
        steps[start] = steps.get(start, 0) + scaled
        steps[end] = steps.get(end, 0) - scaled
    spans: list[Span] = []
    level, since = 0, None
    for moment in sorted(steps):
        level += steps[moment]
        if level > bar and since is None:
            since = moment
        elif level <= bar and since is not None:
            spans.append((since, moment))
            since = None
    return spans


def _between(policy: Policy, low: Fraction, high: Fraction) -> tuple[Tier, ...]:
    best = policy.tier_of(high)
    if low == high or best.holds(low):
        return (best,)
    return policy.tiers[policy.tiers.index(best) : policy.tiers.index(policy.tier_of(low)) + 1]


def _rule(policy: Policy, version: int, tiers: tuple[Tier, ...]) -> str:
    said = ", or ".join(f"{tier.words} gives {tier.percent}% of fee" for tier in tiers)
    return f"{policy.key} v{version}: {'undecided: ' if len(tiers) > 1 else ''}{said}"


def entry_order(entry: str) -> tuple[str, int, str]:
    """Return the sort key of an entry such as "incident/email v10": stream, then version as a number."""
    stream, _, version = entry.rpartition(" v")
    return (stream, int(version), "") if version.isascii() and version.isdigit() else (entry, 0, entry)


def percent_text(availability: Fraction) -> str:
    """Return an availability (a fraction of 1) as a percentage for display: 12 decimals, half-even."""
    return decimal_places(availability * 100, SHOWN_PLACES)


def seconds_value(seconds: Fraction) -> int | str:
    """Return seconds as an integer where they are whole, else as exact decimal text."""
    return seconds.numerator if seconds.denominator == 1 else decimal_text(seconds)
