"""The cases of a workbook: what covers their period, the segments between, and what these come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ledger.domain.exclusion import Exclusion
from ledger.domain.window import Window, share_bounds
from projections.workbook.exclusions import Excluding, announced_in_time, concerned
from projections.workbook.lasting import asks_outages, bounds, is_open, is_valid, lasting, pieces_up
from projections.workbook.model import (
    MOST_SEGMENTS,
    Case,
    Cover,
    Scope,
    Segment,
    Units,
    allowances,
    counts_by_share,
    edge_of,
    has_gaps,
    length_of,
    not_entered,
    planned_rules,
)
from projections.workbook.remedies import is_plain, percent_of

__all__ = ["FactRows", "cases_of"]


class FactRows(NamedTuple):
    """The places of what is known on its sheets, and the moment to which open windows have lasted (UTC seconds)."""

    windows: dict[Window, int]
    exclusions: dict[Exclusion, int]
    as_of: int


def cases_of(
    scopes: Sequence[Scope], taken: Sequence[Excluding], facts: FactRows, units: Units
) -> list[Case]:
    """Return the cases of the scopes without a problem, counted; one with too many segments becomes a problem of its scopes."""
    found: dict[tuple[int, str, str, str, Excluding, int], Case] = {}
    total = 0
    for scope, outside in zip(scopes, taken, strict=True):
        if scope.problem:
            continue
        group = scope.group
        place = scope.policy, group.service, group.region, scope.circle
        # Of an outage counts what is valid, and so each scope has its own.
        alone = scope.number if asks_outages(group.policy) else 0
        key = (*place, outside, alone)
        case = found.get(key)
        if case is None:
            case = Case(
                len(found) + 1,
                *place,
                group,
                limits=outside.limits,
                scope=alone,
                edge=edge_of(group.policy, units),
            )
            for window, here in concerned(group):
                case.covers += _covers(case, window, facts.windows[window], units, facts.as_of, here=here)
            case.planned = any(cover.piece for cover in case.covers)
            case.covers += _excluded(case, outside, facts)
            found[key] = case
        origin = group.period.start
        scope.case = case
        scope.start, scope.end = (min(max(at - origin, 0), group.period.seconds) for at in group.valid)
        case.covers.append(
            Cover(None, scope.number, 0, here=False, concerned=False, most=(scope.start, scope.end))
        )
    kept: list[Case] = []
    for case in found.values():
        total += len(case.cuts())
        mine = [scope for scope in scopes if scope.case is case]
        if total > MOST_SEGMENTS:
            for scope in mine:
                scope.case, scope.problem = None, "value: the intervals are more than fit a sheet"
            continue
        case.number = len(kept) + 1
        kept.append(case)
        case.segments = _segments(case, units)
        if case.scope:
            counting = case.group.policy.commitments[0].counting
            case.lasting = lasting(case.segments, counting, (mine[0].start, mine[0].end), case.edge)
        for scope in mine:
            _count(scope, case, units)
    return kept


def _covers(case: Case, window: Window, number: int, units: Units, as_of: int, *, here: bool) -> list[Cover]:
    period, policy = case.group.period, case.group.policy
    until = period.seconds
    membership = None if window.cohort is None else case.group.memberships.get(window.cohort)
    if membership is not None and not membership.inside:
        return []
    concerned = window.cohort is None or membership is not None
    start = window.start - period.start
    end = (as_of if window.end is None else window.end) - period.start
    early = 0 if window.end is None else window.end_within_seconds
    counts = window.effect in policy.effects
    low, high = (1, 1) if policy.windows == "full" else (Fraction(share) for share in share_bounds(window))
    pieces = [(0, 0, until)]
    if window.planned is not None:
        plan = window.planned
        first, past = (moment - period.start for moment in (plan.scheduled_start, plan.scheduled_end))
        counted = not any(
            announced_in_time(rule, plan.scheduled_start, plan.announced_at) for rule in planned_rules(policy)
        )
        pieces = [(1, 0, until if counted else first), (2, until if counted else past, until)]
    return [
        Cover(
            number, None, piece, here, concerned, start, end, not_before, not_after,
            least=(max(not_before, start + window.start_within_seconds), min(not_after, end - early)),
            stated=(max(not_before, start), min(not_after, end)),
            most=(
                max(not_before, start - window.start_within_seconds),
                min(not_after, until if window.end is None else end + early),
            ),
            down=(max(0, start), min(until, end)),
            counts=counts,
            least_share=int(low * units.share) if counts and here and concerned else 0,
            most_share=int(high * units.share) if counts else 0,
        )
        for piece, not_before, not_after in pieces
    ]  # fmt: skip


def _excluded(case: Case, outside: Excluding, facts: FactRows) -> Iterator[Cover]:
    """Yield what each exclusion covers of the period."""
    period, rules = case.group.period, case.group.policy.exclusions
    for one, number, surely, cuts in outside.taken:
        start, end = one.start - period.start, one.end - period.start
        yield Cover(
            None, None, 0, here=False, concerned=surely, start=start, end=end, not_after=period.seconds,
            most=(max(0, start), min(period.seconds, end)),
            counts=announced_in_time(rules[number - 1], one.start, one.announced_at),
            exclusion=facts.exclusions[one], rule=number, cuts=cuts,
        )  # fmt: skip


def _with_exclusions(case: Case, segments: Sequence[Segment]) -> Iterator[Segment]:
    """Yield the segments with what is excluded of them: of each limit the earliest seconds, so the first ones of a segment."""
    limited = {limit.rule for limit in case.limits}
    left = {limit.rule: limit.most - limit.used for limit in case.limits}
    covers = [cover for cover in case.covers if cover.exclusion is not None and cover.counts]
    for one in segments:
        here = [cover for cover in covers if cover.most[0] <= one.start and cover.most[1] >= one.end]
        free = [cover for cover in here if cover.rule not in limited]
        counts = len(free), sum(cover.concerned for cover in free)
        most, surely = (one.seconds if count else 0 for count in counts)
        found: list[tuple[int, int, int, int]] = []
        for limit in case.limits:
            mine = [cover for cover in here if cover.rule == limit.rule]
            cutting = [cover for cover in mine if cover.cuts]
            sure = sum(cover.concerned for cover in cutting)
            room = left[limit.rule]
            found.append((len(mine), len(cutting), sure, room))
            first = max(0, min(one.seconds, room))
            most, surely = max(most, first if cutting else 0), max(surely, first if sure else 0)
            left[limit.rule] = room - (one.seconds if mine else 0)
        yield one._replace(outside_surely=surely, outside_most=most, excluding=counts, limits=tuple(found))


def _segments(case: Case, units: Units) -> list[Segment]:
    policy = case.group.policy
    edge = case.edge
    by_share, adds = counts_by_share(policy), policy.windows == "user-minutes"
    nothing = (0, 0)
    spans = {
        name: np.asarray([getattr(cover, name) or nothing for cover in case.covers], dtype=np.int64)
        for name in ("least", "stated", "most", "down")
    }
    low, high = (
        np.asarray([getattr(cover, name) for cover in case.covers], dtype=np.int64)
        for name in ("least_share", "most_share")
    )
    here = np.asarray([cover.here for cover in case.covers], dtype=np.int64)
    cuts = case.cuts()
    found: list[Segment] = []
    before: Segment | None = None
    for start, end in pairwise(cuts):
        if before is not None and (before.start, before.end) == (start, end):
            found.append(before)
            continue

        def covered(name: str, start: int = start, end: int = end) -> np.ndarray:
            return (spans[name][:, 0] <= start) & (spans[name][:, 1] >= end)

        shares = covered("least") * low
        least = int(shares.sum() if adds else shares.max(initial=0))
        most = int((covered("most") * high).sum())
        before = Segment(
            start, end, least, most, int((covered("stated") * high).sum()), int((covered("down") * here).sum()),
            least if by_share else int(least > edge),
            (most if adds else min(most, units.share)) if by_share else int(most > edge),
        )  # fmt: skip
        found.append(before)
    return list(_with_exclusions(case, found)) if case.excludes else found


def _count(scope: Scope, case: Case, units: Units) -> None:
    """Add up the segments of a scope, and find the tiers; where that is not what the ledger has, say so."""
    policy = scope.group.policy
    edge = case.edge
    scope.parts_of_a_second = units.share if counts_by_share(policy) else 1
    for one in case.segments:
        if scope.start <= one.start and one.end <= scope.end:
            scope.downtime += one.downtime
            scope.excluded += one.downtime - one.counted(edge)
            scope.counted += one.counted(edge)
            scope.least += one.least
            scope.most += one.most
    if case.scope:
        _count_outages(scope, case)
        several = sum(cover.window is not None for cover in case.covers) > 1
        if several and is_open(case.lasting, policy.commitments[0].counting):
            # Which of them may be one outage, and which surely are, is no sum over intervals.
            scope.case, scope.problem = (
                None,
                (
                    "value: no formula for outages that are rounded up one by one, of which not all times are known"
                ),
            )
            return
    seconds = length_of(scope.group)
    if scope.most > seconds * scope.parts_of_a_second:
        scope.case, scope.problem = None, "value: no formula for more downtime than the length of a period"
        return
    allowed = allowances(policy, seconds, scope.parts_of_a_second, units)
    scope.best, scope.worst = (
        1 + sum(most < found for most in allowed) for found in (scope.least, scope.most)
    )
    if has_gaps(policy):
        # In a gap both neighbours are possible: the better one until the worse is entered.
        before = not_entered(policy, seconds, scope.parts_of_a_second, units)
        scope.best = sum(most < scope.least for most in before)
    ledger = scope.group.assessment
    tiers = policy.tiers[scope.best - 1 : scope.worst]
    if len(tiers) > 1 and not all(tier.remedy.is_percent for tier in tiers):
        scope.case, scope.problem = (
            None,
            "value: no formula for several tiers of which one pays no mere percentage",
        )
        return
    rates = [percent_of(tier) / 100 for tier in tiers]
    if (is_plain(policy) and ledger.parts_of_base != (min(rates), max(rates))) or (
        scope.downtime, scope.excluded, Fraction(scope.least, scope.parts_of_a_second),
        Fraction(scope.most, scope.parts_of_a_second), tiers,
    ) != (
        ledger.downtime_seconds, ledger.excluded_seconds, ledger.eligible_at_least, ledger.eligible_at_most, ledger.tiers,
    ):  # fmt: skip
        scope.case, scope.problem = None, "value: this workbook has no formula for how these terms count"


def _count_outages(scope: Scope, case: Case) -> None:
    """Count instead what lasts long enough, and in whole quanta."""
    counting = case.group.policy.commitments[0].counting
    scope.counted = sum(
        one.counted(case.edge)
        for one, outage in zip(case.segments, case.lasting, strict=True)
        if outage.stated.begin >= 0
        and outage.stated.lasts >= (counting.minimum or 0)
        and is_valid(one, (scope.start, scope.end))
    )
    scope.excluded = scope.downtime - scope.counted
    spans = [cover.most for cover in case.covers if cover.window is not None and cover.most_share]
    pieces = sum(pieces_up(spans, (scope.start, scope.end), counting.quantum))
    scope.least, scope.most = bounds(case.lasting, counting, pieces)
