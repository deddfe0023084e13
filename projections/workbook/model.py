"""What the formulas of the workbook lead to, step by step, in integers.

A case is one policy, service and region; its scopes are the parts of the period in which subscriptions are valid. Each
interval covers seconds of the period, counted from its start; where coverages begin and end the period falls into
segments, and of each segment it is asked once what covers it. Shares are whole parts of `Units.share`, so that every
comparison is one of integers below 10^15, which a spreadsheet holds exactly (it keeps 15 digits).

What cannot be said so is a value with its explanation, never a formula that is nearly right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import length
from ledger.domain.money import decimal_text
from ledger.domain.policy import Policy
from ledger.domain.policy.model import Commitment, ExclusionRule
from ledger.domain.policy.reading import holes, shared
from ledger.domain.window import Window, reach, share_bounds
from projections.credits import Group
from projections.workbook.exclusions import (
    Excluding,
    Limit,
    announced_in_time,
    concerned,
    excluding,
    recorded_rules,
)
from projections.workbook.lasting import Lasting, asks_outages, bounds, counts_quanta, lasting, pieces_up
from projections.workbook.remedies import is_plain, percent_of, reasons

__all__ = ["Case", "Cover", "Model", "Scope", "Segment", "Units", "model", "planned_rules"]

EXACT = 10**15
# Where a quotient is cut to an integer some spreadsheets round what is nearly one: 14 digits are safe from that.
EXACT_DIVIDED = 10**14
MOST_SEGMENTS = 1_000_000
# Below this every spreadsheet finds a common divisor.
_MOST_DIVIDED = 2**32
# Decimals that an input may have in any case; more where the terms have more.
_EDGE_PLACES, _SHARE_PLACES, _PAYS_PLACES = 3, 3, 2


class Units(NamedTuple):
    """Into how many whole parts something falls: a share of 1, an availability of 100%, a credit of 100%, a fee once, a day of service."""

    share: int
    edge: int
    credit: int
    multiple: int = 1
    days: int = 1


class Cover(msgspec.Struct):
    """What an interval or exclusion covers for a case, or when a scope is valid; seconds from the period's start.

    piece: 0 where the interval is not planned work, else 1 before its schedule and 2 after it. here: it surely is in the
    region. concerned: it surely concerns the customers. The last eight are pairs of from and to, `down` without what
    planned work takes out.
    """

    window: int | None
    scope: int | None
    piece: int
    here: bool
    concerned: bool
    start: int = 0
    end: int = 0
    not_before: int = 0
    not_after: int = 0
    least: tuple[int, int] | None = None
    stated: tuple[int, int] | None = None
    most: tuple[int, int] = (0, 0)
    down: tuple[int, int] | None = None
    counts: bool = False
    least_share: int = 0
    most_share: int = 0
    exclusion: int | None = None
    rule: int = 0
    cuts: bool = False


class Segment(NamedTuple):
    """Seconds in which nothing changes, and what covers them. Shares are parts.

    outside_surely, outside_most: how many of its first seconds are excluded. limits: of each limit of the case, the exclusions
    that use it up, those that take something out, at most and surely, and the seconds that were left of it.
    """

    start: int
    end: int
    least_share: int
    most_share: int
    stated_share: int
    down: int
    least_weight: int
    most_weight: int
    outside_surely: int = 0
    outside_most: int = 0
    excluding: tuple[int, int] = (0, 0)
    limits: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def seconds(self) -> int:
        """How long it is; 0 where two changes fall together."""
        return self.end - self.start

    @property
    def least(self) -> int:
        """The weighted seconds that count at least."""
        return (self.seconds - self.outside_most) * self.least_weight

    @property
    def most(self) -> int:
        """The weighted seconds that count at most."""
        return (self.seconds - self.outside_surely) * self.most_weight

    @property
    def downtime(self) -> int:
        """The seconds that are stated to be down."""
        return self.seconds if self.down else 0

    def counted(self, edge: int) -> int:
        """Return the seconds of downtime that the policy counts; edge: the share, in parts, to be above."""
        return self.seconds - self.outside_surely if self.down and self.stated_share > edge else 0


class Case(msgspec.Struct):
    """One policy, service, region and circle of customers, with everything that covers seconds of the period.

    scope: where terms ask for outages, the one scope of the case, at whose ends outages are cut; else 0. lasting: of each segment
    its outages, there. edge: the share, in parts, that a covering has to be above to count.
    """

    number: int
    policy: int
    service: str
    region: str
    circle: str
    group: Group
    covers: list[Cover] = []
    segments: list[Segment] = []
    planned: bool = False
    limits: tuple[Limit, ...] = ()
    scope: int = 0
    edge: int = 0
    lasting: list[Lasting] = []

    def cuts(self) -> list[int]:
        """Return all moments at which something begins or ends, in order, as often as they are said."""
        found: list[int] = []
        for cover in self.covers:
            for span in (cover.least, cover.stated, cover.most, cover.down if self.planned else None):
                found += span or ()
        return sorted(found)

    @property
    def rounds_pieces_up(self) -> bool:
        """Whether each interval may be rounded up alone."""
        return self.group.policy.commitments[0].counting.quantise == "each-up"

    @property
    def excludes(self) -> bool:
        """Whether recorded exclusions take something out of it."""
        return any(cover.exclusion is not None for cover in self.covers)


class Scope(msgspec.Struct):
    """A part of the period in which subscriptions of a case are valid, and what counts in it.

    case: None where `problem` says why its figures are values. parts_of_a_second: eligible downtime is counted in these.
    best, worst: the tiers, from 1, that the most and the least availability lead to.
    """

    number: int
    policy: int
    group: Group
    subscriptions: int
    case: Case | None = None
    problem: str = ""
    parts_of_a_second: int = 1
    start: int = 0
    end: int = 0
    downtime: int = 0
    excluded: int = 0
    counted: int = 0
    least: int = 0
    most: int = 0
    best: int = 1
    worst: int = 1

    @property
    def circle(self) -> str:
        """Which of the cohorts that windows here are limited to have the customers, or which one it is, as it is to be read.

        A customer is told apart where terms read exclusions, which may name it.
        """
        named = {window.cohort for window, _ in self.group.found if window.cohort is not None}
        known = sorted(named & self.group.memberships.keys())
        told = [f"{'in' if self.group.memberships[name].inside else 'not in'} {name}" for name in known]
        if self.group.customer and recorded_rules(self.group.policy):
            told.append(self.group.customer)
        return ", ".join(told)


class Model(NamedTuple):
    """All of it.

    policies: numbered from 1 in this order, first the `live` ones, which have formulas; each with its version and a group
    that it rules. places: of each group the place of its scope.
    """

    units: Units
    policies: list[tuple[int, Policy, Group]]
    live: int
    cases: list[Case]
    scopes: list[Scope]
    places: list[int]
    windows: list[Window]
    exclusions: list[Exclusion]

    @property
    def excludes(self) -> bool:
        """Whether any formula reads recorded exclusions."""
        return bool(self.exclusions)

    @property
    def rounds_pieces_up(self) -> bool:
        """Whether intervals of any case may be rounded up alone."""
        return any(case.rounds_pieces_up for case in self.cases)

    @property
    def has_lengths(self) -> bool:
        """Whether any terms with formulas say how long a period is."""
        return any(policy.period.length_seconds is not None for _, policy, _ in self.policies[: self.live])

    @property
    def has_gaps(self) -> bool:
        """Whether tiers of any terms with formulas leave gaps between them."""
        return any(has_gaps(policy) for _, policy, _ in self.policies[: self.live])

    @property
    def has_lifetimes(self) -> bool:
        """Whether any terms with formulas take the part in which a subscription is valid for the period."""
        return any(by_lifetime(policy) for _, policy, _ in self.policies[: self.live])

    @property
    def adds_shares(self) -> bool:
        """Whether any terms with formulas add shares up, to more than all."""
        return any(policy.windows == "user-minutes" for _, policy, _ in self.policies[: self.live])

    @property
    def rounds_factors(self) -> bool:
        """Whether any terms with formulas round a factor before an amount."""
        return any(policy.credit.factor_decimals is not None for _, policy, _ in self.policies[: self.live])

    @property
    def pays_more(self) -> bool:
        """Whether any terms with formulas pay more than a percentage, or know limits."""
        return not all(is_plain(policy) for _, policy, _ in self.policies[: self.live])


def model(groups: Sequence[Group], counts: Sequence[int], windows: Iterable[Window], as_of: int) -> Model:
    """Return what the workbook calculates. counts: of each group its subscriptions; as_of: UTC seconds."""
    known: dict[tuple[str, int], Group] = {}
    for group in groups:
        known.setdefault((group.policy.key, group.version), group)
    policies = [(group.version, group.policy, group) for _, group in sorted(known.items())]
    # Those that have formulas are numbered first.
    policies.sort(key=lambda found: bool(reason_for_values(found[1])))
    numbers = {(policy.key, version): at for at, (version, policy, _) in enumerate(policies, 1)}
    said = [policy for _, policy, _ in policies if not reason_for_values(policy)]
    listed = list(
        dict.fromkeys(sorted(windows, key=lambda one: (one.start, one.incident, one.window, repr(one))))
    )
    units = _units(said, listed)
    order = sorted(range(len(groups)), key=lambda at: _order(groups[at]))
    places = [0] * len(groups)
    scopes: list[Scope] = []
    taken: list[Excluding] = []
    for place, at in enumerate(order):
        places[at] = place
        group = groups[at]
        scopes.append(
            Scope(place + 1, numbers[group.policy.key, group.version], group, counts[at], problem=_problem(group, units))
        )  # fmt: skip
        taken.append(Excluding() if scopes[-1].problem else excluding(group, as_of))
        scopes[-1].problem = scopes[-1].problem or taken[-1].problem
        if taken[-1].taken and group.policy.commitments[0].counting.quantise == "each-up":
            scopes[
                -1
            ].problem = "value: no formula for outages that are rounded up one by one beside exclusions"
    every = {one.exclusion for found in taken for one in found.taken}
    exclusions = sorted(every, key=lambda one: (one.start, one.exclusion, repr(one)))
    facts = _Facts(
        {window: at for at, window in enumerate(listed)},
        {one: at for at, one in enumerate(exclusions)},
        as_of,
    )
    cases = _cases(scopes, taken, facts, units)
    return Model(units, policies, len(said), cases, scopes, places, listed, exclusions)


class _Facts(NamedTuple):
    """The places of what is known on its sheets, and the moment to which open windows have lasted (UTC seconds)."""

    windows: dict[Window, int]
    exclusions: dict[Exclusion, int]
    as_of: int


def reason_for_values(policy: Policy) -> str:
    """Return why the terms of a policy have no formulas here, "" where they have: those of format 1 and what is like them."""
    first = policy.commitments[0]
    counting = first.counting
    because = {
        "more than one commitment": len(policy.commitments) > 1,
        f"a measure of {first.measure.of}": first.measure.of not in ("time", "affected-share", "user-minutes"),
        "shares above a share": first.measure.of != "time" and counting.down != "any",
        "measurements": bool(first.measure.reads),
        "least durations of parts of a second": (counting.minimum or Fraction(1)).denominator != 1,
        "short outages that count by the day": counting.unless_daily_total_above is not None,
        "regions that are down at once": first.scope.regions == "service-wide",
        f"tiers of {first.tiers_of}": first.tiers_of != "availability",
        "tiers with gaps or overlaps": not _tiers_are_known(first),
        **reasons(policy),
        "incidents paid one by one": policy.stacking.incidents != "together",
        "gaps between tiers of a part of the period": policy.period.part != "whole" and bool(holes(first.tiers, first.tiers_of)),
        "shares of a part of the period": policy.period.part != "whole" and first.measure.of != "time",
        "a length of parts of a second": (policy.period.length_seconds or Fraction(1)).denominator != 1,
    }  # fmt: skip
    found = [words for words, there in because.items() if there]
    return f"value: no formula for {', '.join(found)}" if found else ""


def _tiers_are_known(commitment: Commitment) -> bool:
    """Tell whether each availability lies in one tier, or between two neighbours that both are possible there."""
    tiers = commitment.tiers
    if commitment.tiers_of != "availability":
        return True
    if shared(tiers):
        return False
    within = tiers[0].holds(Fraction(1)) and tiers[-1].holds(Fraction(0))
    return not holes(tiers, "availability") or (commitment.gaps == "undecided" and within)


def has_gaps(policy: Policy) -> bool:
    """Tell whether the tiers of a policy that has formulas leave gaps between them."""
    return bool(holes(policy.tiers, "availability"))


def by_lifetime(policy: Policy) -> bool:
    """Tell whether availability is a part of the time in which a subscription is valid, not of the whole period."""
    return policy.period.part == "lifetime"


def counts_by_share(policy: Policy) -> bool:
    """Tell whether each second counts by the share that was touched."""
    return policy.windows in ("by-share", "user-minutes")


def may_exceed(policy: Policy) -> bool:
    """Tell whether eligible downtime can be more than the time it is a part of."""
    stated = policy.period.length_seconds is not None
    return stated or policy.windows == "user-minutes" or counts_quanta(policy)


def _order(group: Group) -> tuple[str, int, str, str, list[tuple[str, bool]], int, int]:
    start, end = group.valid
    circle = sorted((name, one.inside) for name, one in group.memberships.items())
    return group.policy.key, group.version, group.service, group.region, circle, start, -end


def _units(policies: Sequence[Policy], windows: Sequence[Window]) -> Units:
    shares = [text for window in windows for text in (window.share_at_least, window.share_at_most) if text]
    shares += [decimal_text(policy.share_above) for policy in policies if policy.share_above is not None]
    edges = [decimal_text(tier.lower * 100) for policy in policies for tier in policy.tiers]
    edges += [
        decimal_text(tier.upper * 100) for policy in policies if has_gaps(policy) for tier in policy.tiers
    ]
    pays = [decimal_text(percent_of(tier)) for policy in policies for tier in policy.tiers]
    pays += [decimal_text(one.limits.percent * 100) for one in policies if one.limits.percent is not None]
    pays += [
        decimal_text(one.limits.rolling_percent * 100)
        for one in policies
        if one.limits.rolling_percent is not None
    ]
    multiples = [
        decimal_text(tier.remedy.multiple)
        for policy in policies
        for tier in policy.tiers
        if tier.remedy.multiple is not None
    ]
    days = [one.limits.days for one in policies]
    days += [tier.remedy.service_days for one in policies for tier in one.tiers]
    return Units(
        10 ** max([_SHARE_PLACES, *map(_places, shares)]),
        100 * 10 ** max([_EDGE_PLACES, *map(_places, edges)]),
        100 * 10 ** max([_PAYS_PLACES, *map(_places, pays)]),
        10 ** max([0, *map(_places, multiples)]),
        10 ** max([0, *(_places(decimal_text(one)) for one in days if one is not None)]),
    )


def _places(number: str) -> int:
    return len(number.partition(".")[2])


def _problem(group: Group, units: Units) -> str:
    """Return why a spreadsheet cannot calculate a scope, "" where it can."""
    if reason := reason_for_values(group.policy):
        return reason
    seconds = max(group.period.seconds, length_of(group))
    if not length_of(group):
        return "value: no second of the period is valid"
    by_share = counts_by_share(group.policy)
    if units.edge * seconds > EXACT_DIVIDED:
        return "value: a bound of availability has more decimals than a spreadsheet keeps exact"
    if (
        by_share
        and units.share * seconds >= _MOST_DIVIDED
        and any(one.remedy.multiple for one in group.policy.tiers)
    ):
        return "value: a share has more decimals than a common divisor is found for"
    if (
        by_share
        and units.share * seconds > EXACT_DIVIDED
        and any(one.remedy.block_seconds for one in group.policy.tiers)
    ):
        return "value: a share has more decimals than a spreadsheet divides exactly"
    if units.share * max(seconds if by_share else 1, units.edge) > EXACT:
        return "value: a share has more decimals than a spreadsheet keeps exact"
    if _highest_factor(group.policy, seconds * (units.share if by_share else 1), units) > EXACT_DIVIDED:
        return "value: a factor has more decimals than a spreadsheet divides exactly"
    if _highest_days(group.policy, seconds, units) > EXACT_DIVIDED:
        return "value: days of service have more decimals than a spreadsheet divides exactly"
    return ""


def _highest_days(policy: Policy, seconds: int, units: Units) -> int:
    """Return the highest integer on the way to days of service, in parts of a day; a last block may be begun."""
    found = [policy.limits.days or Fraction(0)]
    for tier in policy.tiers:
        remedy = tier.remedy
        times = 1 if remedy.block_seconds is None else seconds // int(remedy.block_seconds) + 1
        found.append((remedy.service_days or Fraction(0)) * times)
    return int(max(found) * units.days)


def _highest_factor(policy: Policy, parts: int, units: Units) -> int:
    """Return the highest integer on the way to a factor that is rounded, 0 where none is. parts: of a second, in the period."""
    if policy.credit.factor_decimals is None:
        return 0
    found = [4 * units.credit, 4 * units.multiple * parts]
    scale = 2 * 10**policy.credit.factor_decimals
    for tier in policy.tiers:
        blocks = 1 if tier.remedy.block_seconds is None else parts // int(tier.remedy.block_seconds) + 1
        found.append(int(percent_of(tier) * units.credit / 100) * blocks * scale)
        found.append(int((tier.remedy.multiple or 0) * units.multiple) * parts * scale)
    return sum(found)


def _cases(scopes: Sequence[Scope], taken: Sequence[Excluding], facts: _Facts, units: Units) -> list[Case]:
    found: dict[tuple[int, str, str, str, Excluding, int], Case] = {}
    total = 0
    for scope, outside in zip(scopes, taken, strict=True):
        if scope.problem:
            continue
        group = scope.group
        place = scope.policy, group.service, group.region, scope.circle
        # Where a subscription begins or ends it cuts an outage.
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


def planned_rules(policy: Policy) -> list[ExclusionRule]:
    """Return the rules that take a window's own plan out of it."""
    return [rule for rule in policy.exclusions if "planned-maintenance" in rule.kinds]


def _excluded(case: Case, outside: Excluding, facts: _Facts) -> Iterator[Cover]:
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


def edge_of(policy: Policy, units: Units) -> int:
    """Return the share, in parts, that a covering has to be above to count."""
    if policy.windows == "all":
        return units.share - 1
    return int((policy.share_above or 0) * units.share) if policy.windows == "above-share" else 0


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
        if outage.stated.begin >= 0 and outage.stated.lasts >= (counting.minimum or 0)
    )
    scope.excluded = scope.downtime - scope.counted
    spans = [cover.most for cover in case.covers if cover.window is not None and cover.most_share]
    pieces = sum(pieces_up(spans, (scope.start, scope.end), counting.quantum))
    scope.least, scope.most = bounds(case.lasting, counting, pieces)


def length_of(group: Group) -> int:
    """Return the seconds that availability is a part of: those of the period, of its valid part, or as many as the terms say."""
    length = group.policy.period.length_seconds
    if by_lifetime(group.policy):
        return max(min(group.valid[1], group.period.end) - max(group.valid[0], group.period.start), 0)
    return group.period.seconds if length is None else int(length)


def allowances(policy: Policy, seconds: int, parts: int, units: Units) -> list[int]:
    """Return for each tier the most eligible downtime, in parts of a second, that it still allows."""
    found = []
    for tier in policy.tiers:
        whole, rest = divmod(int((1 - tier.lower) * units.edge) * seconds, units.edge)
        found.append(whole * parts + (rest * parts - (0 if tier.lower_included else 1)) // units.edge)
    return found


def not_entered(policy: Policy, seconds: int, parts: int, units: Units) -> list[int]:
    """Return for each tier the most eligible downtime, in parts of a second, that does not yet lead into it; -1 for the best."""
    found = [-1]
    for tier in policy.tiers[1:]:
        whole, rest = divmod(int((1 - tier.upper) * units.edge) * seconds, units.edge)
        found.append(whole * parts + (rest * parts - int(tier.upper_included)) // units.edge)
    return found


def pays_in_parts(scope: Scope, units: Units) -> tuple[int | None, int | None]:
    """Return what is paid, in parts of `Units.credit`, at least and at most.

    Before limits, where there are formulas. None where it is no percentage, or one that is no whole number of parts: such a scope
    has values, and a rounded count of parts would be another percentage than the one beside it.
    """
    if scope.case is not None:
        tiers = scope.group.policy.tiers[scope.best - 1 : scope.worst]
        pays = [int(percent_of(tier) * units.credit / 100) for tier in tiers]
        return min(pays), max(pays)
    rates = scope.group.assessment.rates
    if rates is None:
        return None, None
    low, high = (rate * units.credit for rate in rates)
    return (low.numerator if low.denominator == 1 else None), (
        high.numerator if high.denominator == 1 else None
    )


def union_of(case: Case, as_of: int) -> int:
    """Return the seconds of the period in which any window surely was stated to be, counted the ledger's own way."""
    period = case.group.period
    apart = {name for name, membership in case.group.memberships.items() if not membership.inside}
    spans = [
        reach(window, period.start, period.end, as_of).stated
        for window, here in concerned(case.group)
        if here and window.cohort not in apart
    ]
    return length(span for span in spans if span is not None)
