"""What did not count, and why: each rule of a policy is left out in turn, and what then counts is what it took away."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import msgspec

from ledger.domain.events import EFFECTS
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import from_seconds
from ledger.domain.interval import length
from ledger.domain.policy.model import Commitment, Counting, ExclusionRule, Policy
from ledger.domain.policy.values import duration_text
from ledger.domain.window import EVERY, Window, reach
from projections.availability import exact_text
from projections.evaluation.evidence import Evidence
from projections.evaluation.figures import Figure
from projections.evaluation.levels import NONE
from projections.evaluation.measures import figure
from projections.evaluation.timeline import concerns

__all__ = ["NotCounted", "elsewhere", "not_counted", "refused_exclusions"]


class NotCounted(NamedTuple):
    """What of the downtime did not count, and what counts although it is no downtime that was stated.

    reasons: seconds, and why; they add up to the excluded seconds of the figure. beyond_daily_total: seconds of outages that are
    too short, by which those of a day exceed its limit. beyond_limit: seconds that count since a limit of exclusions was used up. without_data: seconds that count since nothing is known of them.
    """

    reasons: tuple[tuple[Fraction, str], ...]
    beyond_daily_total: Fraction
    beyond_limit: Fraction
    without_data: Fraction


def not_counted(policy: Policy, one: Figure, evidence: Evidence) -> NotCounted:
    """Return what of the downtime of a figure did not count, and why."""
    commitment, counting = one.commitment, one.commitment.counting
    beyond = NONE
    if counting.daily_total_counts == "excess" and one.downtime:
        beyond = max(one.downtime_seconds - one.excluded_seconds - length(one.intervals), NONE)
    without_data = NONE
    if commitment.measure.missing == "down":
        seen = msgspec.structs.replace(
            commitment, measure=msgspec.structs.replace(commitment.measure, missing="available")
        )
        without_data = one.eligible_most - figure(policy, seen, evidence).eligible_most
    beyond_limit = NONE
    if any(rule.most is not None for rule in policy.exclusions):
        endless = tuple(msgspec.structs.replace(rule, most=None) for rule in policy.exclusions)
        all_of_it = figure(msgspec.structs.replace(policy, exclusions=endless), commitment, evidence)
        beyond_limit = max(one.eligible_most - all_of_it.eligible_most, NONE)
    if not one.excluded_seconds:
        return NotCounted((), beyond, beyond_limit, without_data)
    reasons, left = [], one.excluded_seconds
    for reason, rules, relaxed, facts in _without_rules(policy, commitment, evidence):
        now = figure(rules, relaxed, facts).excluded_seconds
        if now < left:
            reasons.append((left - now, reason))
            left = now
    if left:
        reasons.append((left, "of which nothing was affected, or which measurements decide"))
    return NotCounted(tuple(reasons), beyond, beyond_limit, without_data)


def _without_rules(
    policy: Policy, commitment: Commitment, evidence: Evidence
) -> Iterator[tuple[str, Policy, Commitment, Evidence]]:
    """Yield why something may not count, with the terms and facts in which it does, each without what the ones before left out."""
    counting = commitment.counting

    def counted(**changes: object) -> Commitment:
        nonlocal counting
        counting = msgspec.structs.replace(counting, **changes)
        return msgspec.structs.replace(commitment, counting=counting)

    if counting.minimum is not None:
        short = f"of outages shorter than {duration_text(counting.minimum)}"
        yield short, policy, counted(minimum=None), evidence
    free = msgspec.structs.replace(policy, exclusions=())
    facts = msgspec.structs.replace(evidence, plain=msgspec.structs.replace(evidence.plain, excluded=NONE))
    yield "in excluded time", free, counted(), facts
    if counting.down != "any":
        yield f"in which {_too_little(counting)}", free, counted(down="any"), facts
    if counting.effects != frozenset(EFFECTS):
        others = sorted(
            {window.effect for window in evidence.windows if not window.withdrawn} - counting.effects
        )
        if others:
            yield (
                f"of {' or '.join(others)}, which does not count",
                free,
                counted(effects=frozenset(EFFECTS)),
                facts,
            )


def _too_little(counting: Counting) -> str:
    if counting.down == "all":
        return "not all was affected"
    if counting.share_at_least is not None:
        return f"less than {exact_text(counting.share_at_least * 100)}% was affected"
    return f"no more than {exact_text((counting.share_above or NONE) * 100)}% was affected"


def elsewhere(policy: Policy, evidence: Evidence) -> Iterator[str]:
    """Yield the windows that count nothing because of when or where they were."""
    start, end = evidence.span
    beside: dict[str, list[str]] = {}
    for window in dict.fromkeys(evidence.windows):
        if window.withdrawn:
            continue
        if reach(window, start, end, evidence.as_of).most is None:
            beside.setdefault("lies outside the period", []).append(_name(window))
        elif all(_is_elsewhere(window, evidence, one) for one in policy.commitments):
            beside.setdefault("is about another service, region or component", []).append(_name(window))
    for why, names in beside.items():
        many = len(names) > 1
        verb = why.replace("lies", "lie").replace("is about", "are about") if many else why
        yield f"window{'s' if many else ''} {', '.join(names)} {verb}, and count{'' if many else 's'} nothing"


def _is_elsewhere(window: Window, evidence: Evidence, commitment: Commitment) -> bool:
    scope = commitment.scope
    match scope.regions:
        case "each":
            regions: tuple[str | None, ...] = (evidence.region,)
        case "union":
            regions = (None,)
        case "service-wide":
            regions = scope.all_regions
    return all(concerns(window, evidence.service, region, commitment) is None for region in regions)


def _name(window: Window) -> str:
    return f"{window.incident}/{window.window}"


def refused_exclusions(policy: Policy, evidence: Evidence) -> Iterator[str]:
    """Yield each exclusion of the period that excludes nothing under the policy, and why."""
    start, end = evidence.span
    for one in dict.fromkeys(evidence.exclusions):
        if one.withdrawn or one.start >= end or one.end <= start:
            continue
        if (why := _refused(policy, one, evidence)) is not None:
            yield f"exclusion {one.exclusion}, from {_time(one.start)} to {_time(one.end)}, excludes nothing: {why}"
    for window in dict.fromkeys(evidence.windows):
        planned = window.planned
        if planned is None or window.withdrawn or reach(window, start, end, evidence.as_of).most is None:
            continue
        rule = _rule_for("planned-maintenance", policy)
        said = planned.scheduled_start - planned.announced_at
        if rule is None:
            yield f"the plan of window {_name(window)} excludes nothing: the policy excludes no planned-maintenance"
        elif rule.notice is not None and said < rule.notice:
            yield f"the plan of window {_name(window)} excludes nothing: {_late(said, rule.notice)}"


def _rule_for(kind: str, policy: Policy) -> ExclusionRule | None:
    """Return the rule of a policy for a kind of excludable time; no two of its rules name the same kind."""
    return next((rule for rule in policy.exclusions if kind in rule.kinds), None)


def _refused(policy: Policy, one: Exclusion, evidence: Evidence) -> str | None:
    """Return why an exclusion excludes nothing, None where it may."""
    rule = _rule_for(one.kind, policy)
    if rule is None:
        kinds = sorted(kind for other in policy.exclusions for kind in other.kinds)
        only = f", only {', '.join(kinds)}" if kinds else ""
        return f"the policy excludes no {one.kind}{only}"
    if rule.own_plan_only:
        return "the policy reads only what a window says of its own plan"
    if one.service not in (EVERY, evidence.service):
        return f"it is about the service {one.service}"
    if one.customer is not None and evidence.customer not in (None, one.customer):
        return f"it is about the customer {one.customer}"
    if evidence.member(one.cohort) is False:
        return f"it is about cohort {one.cohort}, in which the customer is not"
    said = None if one.announced_at is None else one.start - one.announced_at
    if rule.notice is not None and (said is None or said < rule.notice):
        return _late(said, rule.notice)
    return None


def _late(said: int | None, notice: Fraction) -> str:
    asked = f"the policy asks for {duration_text(notice)}"
    if said is None:
        return f"nobody says when it was announced, and {asked} of notice"
    if said <= 0:
        return f"it was announced when it had begun, and {asked} of notice"
    return f"it was announced {duration_text(Fraction(said))} before, and {asked}"


def _time(second: int) -> str:
    return from_seconds(second).replace(".000000Z", "Z")
