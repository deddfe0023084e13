"""Availability of one service in one region over one period, under one policy, as exact bounds.

Assessment answers what the facts decide: how much downtime counts, at least and at most, and which tiers that
leaves. Everything is integers and fractions; no clock, no float, and neither the order of the windows nor a
repetition of the same window changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.money import decimal_places, decimal_text, round_fraction
from ledger.domain.period import Period
from ledger.domain.policy import Policy, Tier
from ledger.domain.policy.words import base_words, remedy_words
from ledger.domain.window import Window, place
from projections.evaluation.amounts import base_factor
from projections.evaluation.evidence import Evidence, Membership
from projections.evaluation.figures import Figure
from projections.evaluation.outcome import Outcome, Result, outcome, right_to_terminate

__all__ = [
    "Assessment", "Found", "Membership", "Past", "applicable", "assess", "assess_found", "concerning", "entry_order",
    "exact_text", "is_wide", "percent_text", "rule_words", "seconds_value",
]  # fmt: skip

# What is shown has 12 decimals of a percentage; what is decided has all of them.
SHOWN_PLACES = 12

# A window, and whether it surely is in the region asked for.
Found = tuple[Window, bool]


class Past(msgspec.Struct, frozen=True):
    """A period before the one that is assessed, for a right to terminate.

    policy: the terms that ruled it. valid: the seconds of it in which the subscription was valid. found, measurements: what these
    terms read.
    """

    policy: Policy
    period: Period
    valid: Span
    found: Sequence[Found]
    measurements: Sequence[Measurement] = ()


class Assessment(msgspec.Struct, frozen=True):
    """What a policy makes of the windows of a service and region in a period.

    downtime_seconds: union of the stated windows. excluded_seconds: the part of it that the policy does not
    count. eligible_at_least, eligible_at_most: seconds of eligible downtime as bounds. availability
    bounds: fractions of 1. tiers: those the bounds allow, best first. provisional: an open window touches it, or
    one limited to a cohort of which it is not known who is in it. approximate: a window's times are said to be approximate and no tolerance is known. entries:
    what it rests on, sorted. seconds_to_next_tier, seconds_past_tier_edge: see Tier; None where the bounds
    differ. Of a policy with several commitments all of this is of the first one.

    outcome: the figures of all commitments, and what they pay. value_at_least, value_at_most: of a measure that makes a value.
    termination: whether the contract may be ended, None where the bounds do not decide it or no right is stated. parts_of_base:
    the parts of the base that are paid, at least and at most, None where it takes more than that to say it.
    """

    period_seconds: int
    downtime_seconds: int
    excluded_seconds: int
    eligible_at_least: Fraction
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
    outcome: Outcome
    value_at_least: Fraction | None = None
    value_at_most: Fraction | None = None
    termination: bool | None = None
    parts_of_base: tuple[Fraction, Fraction] | None = None

    @property
    def eligible(self) -> Fraction | None:
        """Seconds of eligible downtime, None where the bounds differ."""
        return self.eligible_at_least if self.eligible_at_least == self.eligible_at_most else None

    @property
    def availability(self) -> Fraction | None:
        """Availability as a fraction of 1, None where the bounds differ."""
        return self.availability_at_least if self.eligible is not None else None

    @property
    def value(self) -> tuple[Fraction, Fraction] | None:
        """The value at least and at most, None of a measure that makes an availability."""
        if self.value_at_least is None or self.value_at_most is None:
            return None
        return self.value_at_least, self.value_at_most

    @property
    def service_days(self) -> tuple[Fraction, Fraction] | None:
        """Days of service given, at least and at most; None where the policy gives none."""
        return self.outcome.days()

    @property
    def credit_percent(self) -> Fraction | None:
        """Percentage of the base that is owed, None where the bounds allow several, or it is no percentage."""
        rates = self.parts_of_base
        one_tier = all(len(result.choices) == 1 for result in self.outcome.results)
        return rates[0] * 100 if one_tier and rates is not None and rates[0] == rates[1] else None

    @property
    def rates(self) -> tuple[Fraction, Fraction] | None:
        """The parts of the fee that are paid, at least and at most; None where it takes more than a rate to say that."""
        policy = self.outcome.policy
        # A floor, a list of currencies and what was credited before are asked row by row.
        if policy.limits.only_above or policy.currencies or policy.limits.rolling_percent is not None:
            return None
        rates, factor = self.parts_of_base, base_factor(policy)
        return None if rates is None else (rates[0] * factor, rates[1] * factor)


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


def is_wide(policy: Policy) -> bool:
    """Tell whether what a policy makes of a region may rest on other regions of the service."""
    return any(one.scope.regions != "each" for one in policy.commitments)


def concerning(policy: Policy, windows: Iterable[Window], service: str, region: str) -> list[Found]:
    """Return the windows that a policy reads for a service and region: where its scope is wider, of all regions."""
    if not is_wide(policy):
        return applicable(windows, service, region)
    return [(window, True) for window in dict.fromkeys(windows) if window.service == service]


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
    *,
    measurements: Iterable[Measurement] = (),
    exclusions: Iterable[Exclusion] = (),
    customer: str | None = None,
) -> Assessment:
    """Return what `policy` (its `version`) makes of the facts about a service and region in a period.

    as_of: UTC seconds up to which open windows have lasted at least. valid: the seconds to which windows are
    clipped, such as the part of the period in which a subscription is valid; the period stays whole. memberships: of
    the customer, by cohort; a window limited to a cohort that is not there is a bound, from nothing to all of it. customer:
    for whom, where exclusions name one.
    """
    return assess_found(
        concerning(policy, windows, service, region), policy, version, period, as_of, valid, memberships, service=service,
        region=region, measurements=measurements, exclusions=exclusions, customer=customer,
    )  # fmt: skip


def assess_found(
    found: Iterable[Found],
    policy: Policy,
    version: int,
    period: Period,
    as_of: int,
    valid: Span | None = None,
    memberships: Mapping[str, Membership] | None = None,
    *,
    service: str,
    region: str,
    measurements: Iterable[Measurement] = (),
    exclusions: Iterable[Exclusion] = (),
    customer: str | None = None,
    earlier: Iterable[Past] = (),
) -> Assessment:
    """Do what `assess` does, for windows that `concerning` has chosen.

    earlier: the periods before this one, the latest last, that a right to terminate looks at: those in which the subscription was valid.
    """
    evidence = Evidence(
        service, region, period, as_of, tuple(window for window, _ in found), tuple(measurements), tuple(exclusions),
        valid, customer, memberships or {},
    )  # fmt: skip
    made = outcome(policy, evidence)
    first = made.results[0]
    figure, tiers = first.figure, tuple(choice.tier for choice in first.choices)
    availability = first.figure.commitment.measure.makes == "availability"
    entries = {f"policy/{policy.key} v{version}"}.union(*(one.figure.entries for one in made.results))
    edges = figure.decided and len(tiers) == 1 and tiers[0].of != "value"
    terminates = right_to_terminate(
        policy,
        [*(_figures_of(policy, one, evidence) for one in earlier), [one.figure for one in made.results]],
    )
    return Assessment(
        period_seconds=int(figure.period_seconds),
        downtime_seconds=int(figure.downtime_seconds),
        excluded_seconds=int(figure.excluded_seconds),
        eligible_at_least=figure.eligible_least,
        eligible_at_most=figure.eligible_most,
        availability_at_least=figure.low if availability else Fraction(1),
        availability_at_most=figure.high if availability else Fraction(1),
        tiers=tiers,
        provisional=any(one.figure.provisional for one in made.results),
        approximate=any(one.figure.approximate for one in made.results),
        entries=tuple(sorted(entries, key=entry_order)),
        rule=rule_words(made, version),
        seconds_to_next_tier=tiers[0].seconds_to_worse(figure.eligible_least, figure.period_seconds)
        if edges
        else None,
        seconds_past_tier_edge=tiers[0].seconds_past_better(figure.eligible_least, figure.period_seconds)
        if edges
        else None,
        outcome=made,
        value_at_least=None if availability else figure.low,
        value_at_most=None if availability else figure.high,
        termination=terminates if policy.termination else None,
        parts_of_base=made.rates(),
    )


def _figures_of(policy: Policy, past: Past, evidence: Evidence) -> list[Figure | None]:
    """Return the figures of an earlier period under the terms that ruled it, in the order of the commitments of a policy.

    None where those terms had no commitment of that name, or it was about another quantity: then nothing was promised of this one.
    """
    then = msgspec.structs.replace(
        evidence, period=past.period, valid=past.valid, windows=tuple(window for window, _ in past.found),
        measurements=tuple(past.measurements),
    )  # fmt: skip
    figures = {one.figure.commitment.name: one.figure for one in outcome(past.policy, then).results}
    return [
        found
        if (found := figures.get(one.name)) is not None
        and found.commitment.measure.makes == one.measure.makes
        else None
        for one in policy.commitments
    ]


def rule_words(made: Outcome, version: int | None) -> str:
    """Return which rule of a policy decided, in words; version: None where the policy was not published."""
    base = base_words(made.policy)
    name = made.policy.key if version is None else f"{made.policy.key} v{version}"
    said = "; ".join(_result_words(one, base) for one in made.results)
    return f"{name}: {said}"


def _result_words(result: Result, base: str) -> str:
    tiers = [choice.tier for choice in result.choices]
    said = ", or ".join(f"{tier.words} gives {remedy_words(tier.remedy, base)}" for tier in tiers)
    name = result.figure.commitment.name
    return f"{f'{name}: ' if name else ''}{'undecided: ' if len(tiers) > 1 else ''}{said}"


def entry_order(entry: str) -> tuple[str, int, str]:
    """Return the sort key of an entry such as "incident/email v10": stream, then version as a number."""
    stream, _, version = entry.rpartition(" v")
    return (stream, int(version), "") if version.isascii() and version.isdigit() else (entry, 0, entry)


def percent_text(availability: Fraction, edges: Iterable[Fraction] = ()) -> str:
    """Return an availability (a fraction of 1) as a percentage for display: 12 decimals, half-even.

    edges: bounds of tiers, as fractions of 1. What is not 0%, 100% or an edge is not shown as one, or beyond it: it has more
    decimals then.
    """
    return _apart(availability * 100, [0, 100, *(edge * 100 for edge in edges)])


def seconds_value(seconds: Fraction, edges: Iterable[Fraction] = ()) -> int | str:
    """Return seconds as an integer where they are whole, else as decimal text: `exact_text`."""
    return seconds.numerator if seconds.denominator == 1 else exact_text(seconds, edges)


def exact_text(value: Fraction, edges: Iterable[Fraction] = ()) -> str:
    """Return a value as decimal text: exact where its expansion ends within 30 places, else 12 decimals, half-even.

    It has more of them where it would be shown as 0, or at or beyond one of some edges, and is not.
    """
    if not _ends(value) or len(text := decimal_text(value)) > 40:
        return _apart(value, [0, *edges])
    return text


def _ends(value: Fraction) -> bool:
    """Tell whether the decimal expansion of a value ends."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _apart(value: Fraction, edges: Iterable[Fraction | int]) -> str:
    """Return a value with 12 decimals, or with as many as it takes to be on its side of each edge."""
    number, places = Fraction(value.numerator, value.denominator), SHOWN_PLACES
    # No decimals are a third, so that what lies on an edge of a third cannot be shown on it.
    beside = [edge for edge in edges if edge != number or _ends(number)]

    def shown() -> Fraction:
        return Fraction(round_fraction(number * 10**places, "half-even"), 10**places)

    while any(_side(shown(), edge) != _side(number, edge) for edge in beside):
        places += 1
    return decimal_places(number, places)


def _side(number: Fraction, edge: Fraction | int) -> int:
    return (number > edge) - (number < edge)
