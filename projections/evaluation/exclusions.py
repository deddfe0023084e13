"""Which time a policy excludes, of what was recorded as excludable and of what windows say of their own plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span, intersect, length, union
from ledger.domain.period import day_of, local_second
from ledger.domain.policy.model import Commitment, ExclusionRule, Policy
from ledger.domain.window import EVERY, UNKNOWN, Window
from projections.evaluation.evidence import Evidence

__all__ = ["Excluded", "excluded", "is_everywhere", "named", "takes_from", "used_before"]


class _Plan(msgspec.Struct, frozen=True):
    """Excludable time under one rule. window: the one whose own plan it is, which is all that it excludes."""

    span: Span
    component: str
    region: str
    surely: bool
    entries: tuple[str, ...]
    window: tuple[str, str] | None = None


class Excluded(msgspec.Struct, frozen=True):
    """What is excluded.

    beside: the spans taken out of a window or measurement, surely and perhaps, by its component, its region, and incident and
    name of a window, which may be excluded by its own plan. removed: what leaves the denominator, surely and at most.
    everywhere: excluded time that is about all of the service, however it is treated. entries: the exclusions that have a part in
    it: those of the period, and where a limit left less of them, what used it up.
    """

    beside: Callable[[str, str, tuple[str, str] | None], tuple[tuple[Span, ...], tuple[Span, ...]]]
    removed: tuple[tuple[Span, ...], tuple[Span, ...]]
    everywhere: tuple[Span, ...]
    entries: tuple[str, ...]


def excluded(policy: Policy, commitment: Commitment, evidence: Evidence) -> Excluded:
    """Return what the rules of a policy exclude for one commitment."""
    start, end = evidence.span
    here: list[tuple[ExclusionRule, _Plan]] = []
    entries: list[str] = []
    for rule in policy.exclusions:
        found = [*_recorded(rule, evidence), *_own(rule, evidence)]
        kept = [
            plan
            for plan in _limited(rule, found, policy.zone, evidence.period.start, evidence.period.end)
            if plan.span[0] < end and plan.span[1] > start
        ]
        here += [(rule, plan) for plan in kept]
        asked = [plan for plan in found if plan.span[0] < end and plan.span[1] > start]
        mine = [plan for plan in asked if _is_of(plan, evidence, commitment)]
        if mine and _seconds(kept, start, end) < _seconds(asked, start, end):
            # What used up the limit has its part in it, wherever and whenever in the year it was.
            first = _first(rule, policy.zone, evidence)
            mine = [plan for plan in found if plan.span[0] < end and plan.span[1] > first]
        entries += [entry for plan in mine for entry in plan.entries]

    def beside(
        component: str, region: str, window: tuple[str, str] | None
    ) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        found = [
            plan
            for _, plan in here
            if (
                _covers(plan, component, region, evidence.region, commitment)
                if plan.window is None
                else plan.window == window
            )
        ]
        return union(plan.span for plan in found if plan.surely), union(plan.span for plan in found)

    general = [(rule, plan) for rule, plan in here if _everywhere(plan, evidence.region, commitment)]
    leaving = [plan for rule, plan in general if rule.treated == "removed"]
    whole = [(start, end)]
    return Excluded(
        beside,
        (
            intersect(whole, [plan.span for plan in leaving if plan.surely]),
            intersect(whole, [plan.span for plan in leaving]),
        ),
        intersect(whole, [plan.span for _, plan in general if plan.surely]),
        tuple(entries),
    )


def _seconds(plans: Iterable[_Plan], start: int, end: int) -> int:
    return length(intersect([(start, end)], [plan.span for plan in plans]))


def _is_of(plan: _Plan, evidence: Evidence, commitment: Commitment) -> bool:
    """Tell whether a plan may be about what is asked: where each region is asked for alone, not that of another one."""
    return commitment.scope.regions != "each" or plan.region in (EVERY, UNKNOWN, evidence.region)


def _first(rule: ExclusionRule, zone: str, evidence: Evidence) -> int:
    """Return the second from which a rule's limit counts: that of the year, or the period, in which the period begins."""
    if rule.most_per == "period":
        return evidence.period.start
    return local_second(zone, f"{day_of(zone, evidence.period.start)[:4]}-01-01", 0)


def _recorded(rule: ExclusionRule, evidence: Evidence) -> Iterable[_Plan]:
    for one, surely in named(rule, evidence):
        if rule.notice is not None and (
            one.announced_at is None or one.start - one.announced_at < rule.notice
        ):
            continue
        yield _plan(one, surely=surely)


def named(rule: ExclusionRule, evidence: Evidence) -> Iterable[tuple[Exclusion, bool]]:
    """Yield the recorded exclusions that a rule names, announced in time or not, and whether each surely concerns the customer."""
    if rule.own_plan_only:
        return
    for one in dict.fromkeys(evidence.exclusions):
        if one.withdrawn or one.kind not in rule.kinds or one.service not in (EVERY, evidence.service):
            continue
        concerned = _concerned(one, evidence)
        if concerned is not None:
            yield one, concerned


def takes_from(one: Exclusion, window: Window, region: str, commitment: Commitment) -> bool:
    """Tell whether an exclusion is about the place of a window, so that its time is taken out of the window's."""
    return _covers(_plan(one, surely=True), window.component, window.region, region, commitment)


def is_everywhere(one: Exclusion, region: str, commitment: Commitment) -> bool:
    """Tell whether an exclusion is about all that a commitment is about, so that its time can leave the period."""
    return _everywhere(_plan(one, surely=True), region, commitment)


def used_before(rule: ExclusionRule, evidence: Evidence, zone: str) -> int:
    """Return the seconds of a rule's plans in the calendar year in which the period begins, before it does."""
    plans = [*_recorded(rule, evidence), *_own(rule, evidence)]
    first = _first(rule, zone, evidence)
    return length(union(intersect([(first, evidence.period.start)], [plan.span for plan in plans])))


def _plan(one: Exclusion, *, surely: bool) -> _Plan:
    return _Plan((one.start, one.end), one.component, one.region, surely, one.entries)


def _concerned(one: Exclusion, evidence: Evidence) -> bool | None:
    """Tell whether an exclusion surely concerns the customer; None: surely not."""
    if one.customer is not None and evidence.customer is not None:
        return True if one.customer == evidence.customer else None
    member = evidence.member(one.cohort)
    if member is False:
        return None
    return one.customer is None and member is True


def _own(rule: ExclusionRule, evidence: Evidence) -> Iterable[_Plan]:
    if "planned-maintenance" not in rule.kinds:
        return
    for window in evidence.windows:
        planned = window.planned
        if planned is None or window.withdrawn or window.service != evidence.service:
            continue
        if rule.notice is not None and planned.scheduled_start - planned.announced_at < rule.notice:
            continue
        span = planned.scheduled_start, planned.scheduled_end
        yield _Plan(span, window.component, window.region, True, (), (window.incident, window.window))


def _limited(rule: ExclusionRule, plans: list[_Plan], zone: str, start: int, end: int) -> list[_Plan]:
    """Return plans cut to what the limit of a rule leaves of them, earliest first, each second counted once."""
    if rule.most is None:
        return plans
    limit = int(rule.most)
    if rule.most_per == "period":
        allowed = _first_seconds(intersect([(start, end)], [plan.span for plan in plans]), limit)
    else:
        allowed = ()
        for year in range(int(day_of(zone, start)[:4]), int(day_of(zone, end - 1)[:4]) + 1):
            bounds = (
                local_second(zone, f"{year:04}-01-01", 0),
                local_second(zone, date(year, 12, 31).isoformat(), 86_400),
            )
            allowed = union(
                [*allowed, *_first_seconds(intersect([bounds], [plan.span for plan in plans]), limit)]
            )
    return [
        msgspec.structs.replace(plan, span=span) for plan in plans for span in intersect([plan.span], allowed)
    ]


def _first_seconds(spans: Iterable[Span], limit: int) -> tuple[Span, ...]:
    found: list[Span] = []
    for begin, end in union(spans):
        if limit <= 0:
            break
        found.append((begin, min(end, begin + limit)))
        limit -= found[-1][1] - begin
    return tuple(found)


def _covers(plan: _Plan, component: str, region: str, asked: str, commitment: Commitment) -> bool:
    """Tell whether a plan is about a component in a region."""
    return plan.component in (EVERY, component) and _reaches(plan, region, asked, commitment)


def _reaches(plan: _Plan, region: str, asked: str, commitment: Commitment) -> bool:
    """Tell whether a plan is about a region, or where each is asked for alone, the asked one."""
    return plan.region in (EVERY, region) or (commitment.scope.regions == "each" and plan.region == asked)


def _everywhere(plan: _Plan, region: str, commitment: Commitment) -> bool:
    """Tell whether a plan is about all that the commitment is about, so that its time can leave the denominator."""
    components = commitment.scope.components
    if plan.component != EVERY and set(components) != {plan.component}:
        return False
    return _reaches(plan, EVERY, region, commitment)
