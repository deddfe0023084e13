"""Which recorded exclusions take time out of a case, as far as formulas can follow them.

An exclusion that is about every window of a case takes its seconds out of all of them, so that it is enough to ask each
segment of the period how much of it is excluded. What is about some windows and others not, or leaves the period, has no
formula here.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from ledger.domain.exclusion import Exclusion
from ledger.domain.period import day_of
from ledger.domain.policy.model import Commitment, ExclusionRule, Policy
from ledger.domain.window import Window
from projections.availability import Found
from projections.credits import Group
from projections.evaluation.evidence import Evidence
from projections.evaluation.exclusions import (
    is_everywhere,
    limit_begins,
    named,
    takes_from,
    used_before,
)
from projections.evaluation.timeline import concerns

__all__ = [
    "Excluding",
    "Limit",
    "Taken",
    "announced_in_time",
    "concerned",
    "excluding",
    "notice_of",
    "recorded_rules",
]


class Taken(NamedTuple):
    """A recorded exclusion under a rule of the policy (from 1).

    surely: it concerns the customers. cuts: it is about the windows; one that is not uses up the limit of its rule all the same.
    """

    exclusion: Exclusion
    rule: int
    surely: bool
    cuts: bool


class Limit(NamedTuple):
    """The most seconds that a rule (from 1) excludes, and how many of them were used in the year before the period."""

    rule: int
    most: int
    used: int


class Excluding(NamedTuple):
    """What takes time out of a case, the limits that hold for it, and why there is no formula, "" where there is."""

    taken: tuple[Taken, ...] = ()
    limits: tuple[Limit, ...] = ()
    problem: str = ""


def recorded_rules(policy: Policy) -> list[tuple[int, ExclusionRule]]:
    """Return the rules of a policy that read recorded exclusions, each with its number from 1."""
    return [(number, rule) for number, rule in enumerate(policy.exclusions, 1) if not rule.own_plan_only]


def notice_of(rule: ExclusionRule) -> int:
    """Return how many whole seconds before its start something must have been announced, 0 where none is asked for."""
    return 0 if rule.notice is None else ceil(rule.notice)


def announced_in_time(rule: ExclusionRule, start: int, announced: int | None) -> bool:
    """Tell whether what starts then was announced early enough for a rule."""
    return not notice_of(rule) or (announced is not None and start - announced >= notice_of(rule))


def concerned(group: Group) -> list[Found]:
    """Return the windows that the first commitment of a policy looks at for a group, each with whether it surely concerns it."""
    commitment = group.policy.commitments[0]
    region = None if commitment.scope.regions == "union" else group.region
    found = ((window, concerns(window, group.service, region, commitment)) for window, _ in group.found)
    return [(window, surely) for window, surely in found if surely is not None]


def excluding(group: Group, as_of: int) -> Excluding:
    """Return which exclusions take time out of what a group is paid for."""
    rules = recorded_rules(group.policy)
    if not rules:
        return Excluding()
    evidence = Evidence(
        group.service, group.region, group.period, as_of, tuple(window for window, _ in group.found), (),
        tuple(group.exclusions), group.valid, group.customer, group.memberships,
    )  # fmt: skip
    taken: list[Taken] = []
    limits: list[Limit] = []
    problem = ""
    windows = [window for window, _ in concerned(group)]
    for number, rule in rules:
        mine, said = _named(number, rule, group.policy.commitments[0], evidence, windows)
        problem = problem or said
        taken += mine
        if rule.most is not None and (mine or _uses_plans(rule, evidence)):
            problem = problem or _open_limit(rule, evidence)
            used = used_before(rule, evidence, group.policy.zone) if rule.most_per == "year" else 0
            limits.append(Limit(number, int(rule.most), used))
    return Excluding(problem=problem) if problem else Excluding(tuple(taken), tuple(limits))


def _named(
    number: int, rule: ExclusionRule, commitment: Commitment, evidence: Evidence, windows: Sequence[Window]
) -> tuple[list[Taken], str]:
    """Return what a rule names that touches the period, and why that has no formula, "" where it has."""
    found: list[Taken] = []
    for one, surely in named(rule, evidence):
        if one.start >= evidence.period.end or one.end <= evidence.period.start:
            continue
        if rule.treated == "removed" and is_everywhere(one, evidence, commitment):
            return [], "value: no formula for exclusions that leave the period"
        cuts = {takes_from(one, window, evidence, commitment) for window in windows}
        if "perhaps" in cuts:
            return [], "value: no formula for exclusions of which it is not known where they were"
        if len(cuts) > 1:
            return [], "value: no formula for exclusions of some windows and not of others"
        if cuts == {"surely"} or rule.most is not None:
            found.append(Taken(one, number, surely, cuts == {"surely"}))
    return found, ""


def _uses_plans(rule: ExclusionRule, evidence: Evidence) -> bool:
    """Tell whether what windows say of their own plans falls under a rule."""
    return "planned-maintenance" in rule.kinds and any(one.planned is not None for one in evidence.windows)


def _open_limit(rule: ExclusionRule, evidence: Evidence) -> str:
    """Return why a limit has no formula, "" where it has."""
    if _uses_plans(rule, evidence):
        return "value: no formula for planned windows that use up a limit"
    first, last = (
        day_of(evidence.period.zone, second)[:4]
        for second in (evidence.period.start, evidence.period.end - 1)
    )
    if rule.most_per == "year" and first != last:
        return "value: no formula for limits of two years"
    # Segments count what uses up a limit, and what that leaves; whether it does would be asked for each such exclusion.
    begins = limit_begins(rule, evidence.period.zone, evidence)
    if any(
        not surely and one.end > begins and one.start < evidence.period.end
        for one, surely in named(rule, evidence)
    ):
        return "value: no formula for limits that are perhaps used up"
    return ""
