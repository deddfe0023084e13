"""What a policy makes of the facts: figures of all commitments, what they pay together, and what would decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.measurement import Measurement
from ledger.domain.policy.model import Policy, Tier
from ledger.domain.window import Window, place, reach
from ledger.errors import Refused
from projections.evaluation.amounts import Choice, choices, days_of, forms_of, limited, prices
from projections.evaluation.evidence import Evidence
from projections.evaluation.figures import Figure
from projections.evaluation.forms import NOTHING, Form, Price, greatest, least, total
from projections.evaluation.levels import NONE
from projections.evaluation.measures import figure

__all__ = ["Outcome", "Result", "outcome", "outcome_beside", "right_to_terminate"]


class Result(msgspec.Struct, frozen=True):
    """One commitment for the period, or for one incident of it: its figure and the tiers that allows."""

    figure: Figure
    choices: tuple[Choice, ...]

    @property
    def decided(self) -> bool:
        """Whether one tier is left, and what it pays does not depend on what is open."""
        only = self.choices[0]
        return len(self.choices) == 1 and (only.tier.remedy.is_percent or self.figure.decided)


class Outcome(msgspec.Struct, frozen=True, eq=False):
    """What a policy makes of the facts of a period.

    results: of each commitment over the whole period, in the order of the policy. incidents: the same for each incident
    alone, where the policy stacks incidents.
    """

    policy: Policy
    results: tuple[Result, ...]
    incidents: tuple[tuple[str, tuple[Result, ...]], ...] = ()
    # What incidents pay under one currency, kept by the number of their results; these are kept with it.
    paid: dict[tuple[int, str, str | None], tuple[Sequence[Result], tuple[Form, Form]]] = msgspec.field(
        default_factory=dict
    )

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same but for what was worked out of them so far."""
        return isinstance(other, Outcome) and self._facts == other._facts

    def __ne__(self, other: object) -> bool:
        # A struct has one of its own, which does not ask what is equal.
        return not self == other

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[Any, ...]:
        return self.policy, self.results, self.incidents

    @property
    def decided(self) -> bool:
        """Whether each figure that something is paid for leaves one tier, and one amount of it."""
        return all(one.decided for row in self._rows for one in row)

    @property
    def _rows(self) -> list[tuple[Result, ...]]:
        return [results for _, results in self.incidents] if self.one_by_one else [self.results]

    def forms(self, currency: str, chosen: str | None = None) -> tuple[Form, Form]:
        """Return what is paid at least and at most, before limits; chosen: the commitment the customer chose."""
        each = [self.of_commitments(results, currency, chosen) for results in self._rows]
        if not self.one_by_one:
            return each[0]
        others = [_can_pay_days(*_picked(results, chosen)) for results in self._rows]
        return _stack(self.policy.stacking.incidents, each, others)

    @property
    def one_by_one(self) -> bool:
        """Whether each incident pays by itself, so that what holds of the whole period decides nothing."""
        # Plain figures are of no incident, and looked at as they are.
        plain = len(self.incidents) == 1 and not self.incidents[0][0]
        return self.policy.stacking.incidents != "together" and not plain

    def evidence_alone(self, evidence: Evidence) -> Iterable[tuple[str, Evidence]]:
        """Return the facts of each incident alone, in the order of `incidents`."""
        return _alone(self.policy, evidence) if self.one_by_one else ()

    def of_commitments(
        self, results: Sequence[Result], currency: str, chosen: str | None
    ) -> tuple[Form, Form]:
        """Return what the commitments of a period, or of one incident, pay at least and at most, before limits."""
        # No other results have their number while these are kept.
        key = id(results), currency, chosen
        if key in self.paid:
            return self.paid[key][1]
        picked = _picked(results, chosen)
        pairs = [forms_of(self.policy, one.figure.commitment, one.choices, currency) for one in picked]
        found = (
            pairs[0]
            if len(pairs) == 1
            else _stack(self.policy.stacking.commitments, pairs, [_can_pay_days(one) for one in picked])
        )
        self.paid[key] = results, found
        return found

    def prices(
        self, currency: str, credited_before: int = 0, chosen: str | None = None
    ) -> tuple[Price, Price]:
        """Return what is paid as functions of the amount that credit.of names, at least and at most."""
        return prices(self.policy, *self.forms(currency, chosen), currency, credited_before)

    def rates(
        self, currency: str | None = None, credited_before: int = 0, chosen: str | None = None
    ) -> tuple[Fraction, Fraction] | None:
        """Return the parts of the base that are paid under all limits but only_above and at_least, at least and at most.

        None where they are no mere parts, or depend on a currency that is not known.
        """
        try:
            low, high = (
                limited(self.policy, form, currency or "", credited_before).rate
                for form in self.forms(currency or "", chosen)
            )
        except Refused:
            return None
        return None if low is None or high is None else (low, high)

    def days(self, chosen: str | None = None, *, limited: bool = True) -> tuple[Fraction, Fraction] | None:
        """Return the days of service given, at least and at most; None where the policy gives none. limited: by limits.days."""
        if not any(
            tier.remedy.service_days is not None for one in self.policy.commitments for tier in one.tiers
        ):
            return None
        stacking = self.policy.stacking
        rows = [_picked(results, chosen) for results in self._rows]
        each = [
            _stack_days(
                stacking.commitments,
                [days_of(one.choices) for one in row],
                [_can_pay_money(one) for one in row],
            )
            for row in rows
        ]
        low, high = (
            _stack_days(stacking.incidents, each, [_can_pay_money(*row) for row in rows])
            if self.one_by_one
            else each[0]
        )
        limit = self.policy.limits.days
        return (low, high) if limit is None or not limited else (min(low, limit), min(high, limit))


def outcome(policy: Policy, evidence: Evidence) -> Outcome:
    """Return what a policy makes of the facts. Raises Refused where they are not what it measures."""
    results = _results(policy, evidence)
    if policy.stacking.incidents == "together":
        return Outcome(policy, results)
    incidents = tuple((name, _results(policy, alone)) for name, alone in _alone(policy, evidence))
    return Outcome(policy, results, incidents)


def outcome_beside(near: Outcome, evidence: Evidence, changed: frozenset[str]) -> Outcome:
    """Return what the policy of an outcome makes of facts that differ from its own in the windows of some incidents only.

    Where incidents are paid one by one the others come to what they did. The figures over the whole period are then those of
    the other outcome, since nothing is paid for them.
    """
    policy = near.policy
    if policy.stacking.incidents == "together" or evidence.plain.given:
        return outcome(policy, evidence)
    again = [(name, _results(policy, alone)) for name, alone in _alone(policy, evidence, changed)]
    as_they_were = (one for one in near.incidents if one[0] not in changed)
    incidents = tuple(sorted([*as_they_were, *again], key=lambda one: one[0]))
    return Outcome(policy, near.results, incidents, near.paid)


def _results(policy: Policy, evidence: Evidence) -> tuple[Result, ...]:
    found = [figure(policy, commitment, evidence) for commitment in policy.commitments]
    return tuple(Result(one, choices(one)) for one in found)


def _alone(
    policy: Policy, evidence: Evidence, some: frozenset[str] | None = None
) -> Iterable[tuple[str, Evidence]]:
    """Yield the facts of each incident, or of each plain outage, alone; "" is the name of plain figures of none. some: only these.

    An incident that cannot be where and when is asked is none of these: a tier that pays for the least would pay for it.
    """
    if evidence.plain.given:
        outages = evidence.plain.outages
        if not outages:
            yield "", evidence
        for number, outage in enumerate(outages, 1):
            plain = msgspec.structs.replace(evidence.plain, outages=(outage,))
            yield f"outage {number}", msgspec.structs.replace(evidence, plain=plain)
        return
    names = _incidents_here(policy, evidence)
    for name in sorted(names if some is None else names & some):
        alone = msgspec.structs.replace(
            evidence,
            windows=tuple(one for one in evidence.windows if one.incident == name),
            measurements=tuple(one for one in evidence.measurements if one.incident == name),
        )
        yield name, alone


def _incidents_here(policy: Policy, evidence: Evidence) -> set[str]:
    """Return the incidents of which something may be in the service, the region and the time that is asked for."""
    start, end = evidence.span
    wide = any(one.scope.regions != "each" for one in policy.commitments)

    def here(one: Window | Measurement) -> bool:
        return one.service == evidence.service and (
            wide or place(one.region, one.regions, evidence.region) is not None
        )

    return {
        one.incident for one in evidence.windows
        if here(one) and not one.withdrawn and reach(one, start, end, evidence.as_of).most is not None
    } | {one.incident for one in evidence.measurements if here(one) and one.start < end and one.end > start}  # fmt: skip


def _picked(results: Sequence[Result], chosen: str | None) -> list[Result]:
    """Return those of the commitment that was chosen, all where none was."""
    return [one for one in results if chosen is None or one.figure.commitment.name == chosen]


def _can_pay_days(*results: Result) -> bool:
    """Tell whether one of the tiers that the facts allow gives days of service."""
    return any(choice.tier.remedy.service_days for one in results for choice in one.choices)


def _can_pay_money(*results: Result) -> bool:
    """Tell whether one of the tiers that the facts allow pays money."""
    return any(choice.tier.remedy.pays_money for one in results for choice in one.choices)


def _stack(rule: str, pairs: Sequence[tuple[Form, Form]], others: Sequence[bool]) -> tuple[Form, Form]:
    """Return what several together pay at least and at most. others: which of them can give what is not money."""
    if not pairs:
        return NOTHING, NOTHING
    lows, highs = [low for low, _ in pairs], [high for _, high in pairs]
    match rule:
        case "sum":
            return total(lows), total(highs)
        case "choose-one":
            # The customer chooses among those that can give anything: money, or days instead of it.
            able = [
                low for (low, high), other in zip(pairs, others, strict=True) if other or not high.is_nothing
            ]
            return (least(able) if able else NOTHING), greatest(highs)
        case _:
            return greatest(lows), greatest(highs)


def _stack_days(
    rule: str, pairs: Sequence[tuple[Fraction, Fraction]], others: Sequence[bool]
) -> tuple[Fraction, Fraction]:
    """Return the days that several together give at least and at most. others: which of them can pay money."""
    if not pairs:
        return NONE, NONE
    lows, highs = [low for low, _ in pairs], [high for _, high in pairs]
    match rule:
        case "sum":
            return sum(lows, NONE), sum(highs, NONE)
        case "choose-one":
            able = [low for (low, high), other in zip(pairs, others, strict=True) if other or high]
            return min(able, default=NONE), max(highs)
        case _:
            return max(lows), max(highs)


def right_to_terminate(policy: Policy, figures: Sequence[Sequence[Figure | None]]) -> bool | None:
    """Tell whether the customer may end the contract: of each period, the latest last, the figures of all commitments.

    A figure is None where the terms of its time made no such commitment: it then held in no range. None where the bounds do not
    decide it. The right stays once it has arisen in one of the periods.
    """
    answer: bool | None = False
    for rule in policy.termination:
        place = next(at for at, one in enumerate(policy.commitments) if one.name == rule.commitment)
        held = [found is not None and _held(rule.range, found) for found in (row[place] for row in figures)]
        for end in range(1, len(held) + 1):
            latest = held[max(0, end - rule.of_last) : end]
            if sum(one is True for one in latest) >= rule.periods:
                return True
            if sum(one is not False for one in latest) >= rule.periods:
                answer = None
    return answer


def _held(tier: Tier, found: Figure) -> bool | None:
    """Tell whether a figure lies in a range: surely, surely not, or None."""
    match tier.of:
        case "availability" | "value":
            low, high = found.low, found.high
        case "downtime":
            low, high = found.eligible_least, found.eligible_most
    if tier.holds(low) and tier.holds(high):
        return True
    # Where one bound lies outside on its side, or both lie on the same edge outside, none between them is inside.
    beyond = high < tier.lower or low > tier.upper or (high == tier.lower and not tier.holds(high))
    if low == high or beyond or (low == tier.upper and not tier.holds(low)):
        return False
    return None
