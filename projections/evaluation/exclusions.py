"""Which time a policy excludes, of what was recorded as excludable and of what windows say of their own plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Literal, TypeAlias

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.period import day_of, local_second
from ledger.domain.policy.model import Commitment, ExclusionRule, Policy
from ledger.domain.window import EVERY, UNKNOWN, Window
from projections.evaluation.evidence import Evidence

__all__ = ["Excluded", "excluded", "is_everywhere", "limit_begins", "named", "takes_from", "used_before"]


# Whether something is about a place; None: surely not.
How: TypeAlias = Literal["surely", "perhaps"] | None
# What it hangs on whether an exclusion concerns the customer: the customer it names, and the cohort, where that is not known.
Hinge: TypeAlias = tuple[str | None, str | None]
Spans: TypeAlias = tuple[Span, ...]


class _Plan(msgspec.Struct, frozen=True):
    """Excludable time under one rule. window: the one whose own plan it is, which is all that it excludes.

    surely: it is taken out whatever is not known turns out to be. hinge: what decides whether it concerns the customer, None
    where it surely does. early: the first second with which what is taken out may be over; None: that is the end of the span.
    """

    span: Span
    component: str
    region: str
    surely: bool
    entries: tuple[str, ...]
    hinge: Hinge | None = None
    window: tuple[str, str] | None = None
    early: int | None = None

    @property
    def ends(self) -> Span:
        """The seconds with which what is taken out may be over, as (first, last + 1)."""
        last = self.span[1]
        return last if self.early is None else self.early, last + 1


class Excluded(msgspec.Struct, frozen=True):
    """What is excluded, each as a pair: surely, and at most. "At most" has every second that may be excluded.

    beside: the spans taken out of a window or measurement by its component, its region, and incident and name of a window, which
    may be excluded by its own plan. ends: of the same, the seconds with which a part that is only perhaps taken out may be over,
    one (first, last + 1) for each. removed: what leaves the denominator. up: excluded time about all of the commitment that
    stays in it. at_once: what perhaps leaves the denominator does so all at once, or not at all.
    everywhere: excluded time that is surely about all of the commitment, however it is treated. entries: the exclusions that have
    a part in it: those of the period, and where a limit left, or perhaps left, less of them, what used it up; and those that say who is in
    the cohorts they are limited to.
    """

    beside: Callable[[str, str, tuple[str, str] | None], tuple[Spans, Spans]]
    ends: Callable[[str, str, tuple[str, str] | None], frozenset[Span]]
    removed: tuple[Spans, Spans]
    up: tuple[Spans, Spans]
    at_once: bool
    everywhere: Spans
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
        if mine and _is_less(kept, asked, start, end):
            # What used up the limit has its part in it, wherever and whenever in the year it was.
            first = limit_begins(rule, policy.zone, evidence)
            mine = [plan for plan in found if plan.span[0] < end and plan.span[1] > first]
        entries += [entry for plan in mine for entry in plan.entries]
        entries += _circles(rule, policy.zone, evidence, commitment)

    def about(
        component: str, region: str, window: tuple[str, str] | None
    ) -> Iterable[tuple[_Plan, Literal["surely", "perhaps"]]]:
        for _, plan in here:
            how: How = "surely" if plan.window == window else None
            if plan.window is None:
                how = _covers(plan, component, region, evidence.region, commitment)
            if how is not None:
                yield plan, how

    def beside(component: str, region: str, window: tuple[str, str] | None) -> tuple[Spans, Spans]:
        found = list(about(component, region, window))
        sure = union(plan.span for plan, how in found if plan.surely and how == "surely")
        return sure, union(plan.span for plan, _ in found)

    def ends(component: str, region: str, window: tuple[str, str] | None) -> frozenset[Span]:
        return frozenset(
            plan.ends for plan, how in about(component, region, window) if not plan.surely or how != "surely"
        )

    general = [
        (rule, plan, how)
        for rule, plan in here
        if (how := _everywhere(plan, evidence.region, commitment)) is not None
    ]
    # What only one open fact decides is all there, or none of it; a limit may leave any part.
    hinges = {
        plan.hinge if how == "surely" and rule.most is None else None
        for rule, plan, how in general
        if rule.treated == "removed" and not (plan.surely and how == "surely")
    }

    def treated(*ways: str) -> tuple[Spans, Spans]:
        found = [(plan, how) for rule, plan, how in general if rule.treated in ways]
        sure = (plan.span for plan, how in found if plan.surely and how == "surely")
        return intersect([(start, end)], sure), intersect([(start, end)], [plan.span for plan, _ in found])

    return Excluded(
        beside, ends, treated("removed"), treated("up"), not hinges or (len(hinges) == 1 and None not in hinges),
        treated("up", "removed")[0], tuple(entries),
    )  # fmt: skip


def _is_less(kept: Sequence[_Plan], asked: Sequence[_Plan], start: int, end: int) -> bool:
    """Tell whether a limit left, or perhaps left, less of what was asked for."""
    sure = [plan for plan in kept if plan.surely], [plan for plan in asked if plan.surely]
    return any(
        _seconds(some, start, end) < _seconds(whole, start, end) for some, whole in ((kept, asked), sure)
    )


def _circles(rule: ExclusionRule, zone: str, evidence: Evidence, commitment: Commitment) -> Iterable[str]:
    """Yield the entries that say whether the customer is in a cohort that an exclusion is limited to, in it or not."""
    first = evidence.span[0] if rule.most is None else limit_begins(rule, zone, evidence)
    for one in _of_kind(rule, evidence):
        known = None if one.cohort is None else evidence.memberships.get(one.cohort)
        if known is None or not known.entry or one.start >= evidence.span[1] or one.end <= first:
            continue
        if rule.most is not None or _is_of(_plan(one, evidence), evidence, commitment):
            yield known.entry


def _seconds(plans: Iterable[_Plan], start: int, end: int) -> int:
    return length(intersect([(start, end)], [plan.span for plan in plans]))


def _is_of(plan: _Plan, evidence: Evidence, commitment: Commitment) -> bool:
    """Tell whether a plan may be about what is asked: where each region is asked for alone, not that of another one."""
    return commitment.scope.regions != "each" or plan.region in (EVERY, UNKNOWN, evidence.region)


def limit_begins(rule: ExclusionRule, zone: str, evidence: Evidence) -> int:
    """Return the second from which a rule's limit counts: that of the year, or the period, in which the period begins."""
    if rule.most_per == "period":
        return evidence.period.start
    return local_second(zone, f"{day_of(zone, evidence.period.start)[:4]}-01-01", 0)


def _recorded(rule: ExclusionRule, evidence: Evidence) -> Iterable[_Plan]:
    for one, _ in named(rule, evidence):
        if rule.notice is not None and (
            one.announced_at is None or one.start - one.announced_at < rule.notice
        ):
            continue
        yield _plan(one, evidence)


def named(rule: ExclusionRule, evidence: Evidence) -> Iterable[tuple[Exclusion, bool]]:
    """Yield the recorded exclusions that a rule names, announced in time or not, and whether each surely concerns the customer."""
    for one in _of_kind(rule, evidence):
        concerned = _concerned(one, evidence)
        if concerned is not None:
            yield one, concerned


def _of_kind(rule: ExclusionRule, evidence: Evidence) -> Iterable[Exclusion]:
    """Yield the recorded exclusions of the service of the kinds of a rule, whomever they concern."""
    if rule.own_plan_only:
        return
    for one in dict.fromkeys(evidence.exclusions):
        if not one.withdrawn and one.kind in rule.kinds and one.service in (EVERY, evidence.service):
            yield one


def takes_from(one: Exclusion, window: Window, evidence: Evidence, commitment: Commitment) -> How:
    """Tell whether an exclusion is about the place of a window, so that its time is taken out of the window's."""
    return _covers(_plan(one, evidence), window.component, window.region, evidence.region, commitment)


def is_everywhere(one: Exclusion, evidence: Evidence, commitment: Commitment) -> How:
    """Tell whether an exclusion is about all that a commitment is about, so that its time can leave the period."""
    return _everywhere(_plan(one, evidence), evidence.region, commitment)


def used_before(rule: ExclusionRule, evidence: Evidence, zone: str) -> int:
    """Return the seconds of a rule's plans in the calendar year in which the period begins, before it does."""
    plans = [*_recorded(rule, evidence), *_own(rule, evidence)]
    first = limit_begins(rule, zone, evidence)
    return length(union(intersect([(first, evidence.period.start)], [plan.span for plan in plans])))


def _plan(one: Exclusion, evidence: Evidence) -> _Plan:
    surely = _concerned(one, evidence) is True
    who = one.customer if evidence.customer is None else None
    circle = one.cohort if evidence.member(one.cohort) is None else None
    hinge = None if surely else (who, circle)
    return _Plan((one.start, one.end), one.component, one.region, surely, one.entries, hinge)


def _concerned(one: Exclusion, evidence: Evidence) -> bool | None:
    """Tell whether an exclusion surely concerns the customer; None: surely not."""
    known = one.customer is None or evidence.customer is not None
    member = evidence.member(one.cohort)
    if member is False or (known and one.customer not in (None, evidence.customer)):
        return None
    return known and member is True


def _own(rule: ExclusionRule, evidence: Evidence) -> Iterable[_Plan]:
    if "planned-maintenance" not in rule.kinds:
        return
    for window in evidence.windows:
        planned = window.planned
        if planned is None or window.withdrawn or window.service != evidence.service:
            continue
        if rule.notice is not None and planned.scheduled_start - planned.announced_at < rule.notice:
            continue
        span, mine = (planned.scheduled_start, planned.scheduled_end), (window.incident, window.window)
        yield _Plan(span, window.component, window.region, True, (), window=mine)


def _limited(rule: ExclusionRule, plans: list[_Plan], zone: str, start: int, end: int) -> list[_Plan]:
    """Return plans cut to what the limit of a rule leaves of them, earliest first, each second counted once.

    More that uses up a limit never leaves more of a second. So a second is surely left where all that may use up the limit
    does, and perhaps left where nothing does that need not: of a plan that hangs on something, what hangs on the same.
    """
    if rule.most is None:
        return plans
    limits = [(start, end)] if rule.most_per == "period" else _years(zone, start, end)
    sure = [plan.span for plan in plans if plan.hinge is None]
    open_ones: dict[Hinge, list[Span]] = {}
    for plan in plans:
        if plan.hinge is not None:
            open_ones.setdefault(plan.hinge, []).append(plan.span)

    def left(more: Iterable[Span]) -> Spans:
        spans = union([*sure, *more])
        return union(
            span
            for bounds in limits
            for span in _first_seconds(intersect([bounds], spans), int(rule.most or 0))
        )

    at_least = left(span for spans in open_ones.values() for span in spans)
    at_most: dict[Hinge | None, Spans] = {hinge: left(spans) for hinge, spans in open_ones.items()}
    at_most[None] = left(())
    found: list[_Plan] = []
    for plan in plans:
        whole = intersect([plan.span], at_most[plan.hinge])
        surely = intersect(whole, at_least) if plan.surely else ()
        found += [msgspec.structs.replace(plan, span=span) for span in surely]
        # Where the limit ends in it is not known either.
        found += [
            msgspec.structs.replace(plan, span=span, surely=False, early=span[0] + 1)
            for span in subtract(whole, surely)
        ]
    return found


def _years(zone: str, start: int, end: int) -> list[Span]:
    """Return the calendar years that a period touches."""
    return [
        (
            local_second(zone, f"{year:04}-01-01", 0),
            local_second(zone, date(year, 12, 31).isoformat(), 86_400),
        )
        for year in range(int(day_of(zone, start)[:4]), int(day_of(zone, end - 1)[:4]) + 1)
    ]


def _first_seconds(spans: Iterable[Span], limit: int) -> Iterable[Span]:
    """Yield the first seconds of spans, as many as the limit; behind it spans without any."""
    for begin, end in union(spans):
        lasts = min(end - begin, limit)
        yield begin, begin + lasts
        limit -= lasts


def _covers(plan: _Plan, component: str, region: str, asked: str, commitment: Commitment) -> How:
    """Tell whether a plan is about a component in a region."""
    return _both(_is_there(plan.component, component), _reaches(plan, region, asked, commitment))


def _reaches(plan: _Plan, region: str, asked: str, commitment: Commitment) -> How:
    """Tell whether a plan is about a region, or where each is asked for alone, the asked one."""
    if commitment.scope.regions == "each":
        # What counts is in the asked region.
        return "surely" if plan.region == region != UNKNOWN else _is_there(plan.region, asked)
    return _is_there(plan.region, region)


def _is_there(said: str, asked: str) -> How:
    """Tell whether what is about a component or region that was said is about the asked one: one that is not known may be it."""
    if said == EVERY:
        return "surely"
    if UNKNOWN in (said, asked):
        return "perhaps"
    return "surely" if said == asked else None


def _both(one: How, other: How) -> How:
    if one is None or other is None:
        return None
    return "surely" if one == other == "surely" else "perhaps"


def _everywhere(plan: _Plan, region: str, commitment: Commitment) -> How:
    """Tell whether a plan is about all that the commitment is about, so that its time can leave the denominator."""
    components = set(commitment.scope.components)
    every = _is_there(plan.component, components.pop() if len(components) == 1 else EVERY)
    return _both(every, _reaches(plan, EVERY, region, commitment))
