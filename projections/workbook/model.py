"""What the formulas of the workbook lead to, step by step, in integers.

A case is one policy, service and region; its scopes are the parts of the period in which subscriptions are valid. Each
interval covers seconds of the period, counted from its start; where coverages begin and end the period falls into
segments, and of each segment it is asked once what covers it. Shares are whole parts of `Units.share`, so that every
comparison is one of integers below 10^15, which a spreadsheet holds exactly (it keeps 15 digits).

What cannot be said so is a value with its explanation, never a formula that is nearly right.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import length
from ledger.domain.policy import Policy
from ledger.domain.policy.model import ExclusionRule
from ledger.domain.policy.reading import holes
from ledger.domain.window import Window, reach
from projections.credits import Group
from projections.workbook.exclusions import Limit, concerned, recorded_rules
from projections.workbook.lasting import Lasting, counts_quanta
from projections.workbook.remedies import is_plain, percent_of

__all__ = [
    "Case",
    "Cover",
    "EXACT",
    "EXACT_DIVIDED",
    "MOST_DIVIDED",
    "MOST_SEGMENTS",
    "Model",
    "Scope",
    "Segment",
    "Units",
    "allowances",
    "by_lifetime",
    "counts_by_share",
    "edge_of",
    "has_gaps",
    "length_of",
    "may_exceed",
    "not_entered",
    "pays_in_parts",
    "planned_rules",
    "union_of",
]

EXACT = 10**15
# Where a quotient is cut to an integer some spreadsheets round what is nearly one: 14 digits are safe from that.
EXACT_DIVIDED = 10**14
MOST_SEGMENTS = 1_000_000
# Below this every spreadsheet finds a common divisor.
MOST_DIVIDED = 2**32


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


def planned_rules(policy: Policy) -> list[ExclusionRule]:
    """Return the rules that take a window's own plan out of it."""
    return [rule for rule in policy.exclusions if "planned-maintenance" in rule.kinds]


def edge_of(policy: Policy, units: Units) -> int:
    """Return the share, in parts, that a covering has to be above to count."""
    if policy.windows == "all":
        return units.share - 1
    return int((policy.share_above or 0) * units.share) if policy.windows == "above-share" else 0


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
