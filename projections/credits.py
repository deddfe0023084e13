"""Credits: what a policy gives to each subscription for a period, and how two computations differ.

Subscriptions that share service, region, policy, the part of the period they are valid in and the cohorts of their
customer share one assessment; only the money is computed per row, in integers. A frame keeps money as whole minor units (int64)
beside the currency's digits (`minor_units`) and repeated values as categories; `rows` spells it out as
programs read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.money import ROUNDINGS, format_money, minor_units, round_ratio
from ledger.domain.period import Period, days, parse_period
from ledger.domain.policy import Policy
from ledger.domain.policy.periods import check_label, label_is_month, period_holding, ruling_period
from ledger.domain.window import Window, place
from ledger.errors import Refused, nearest
from projections.availability import (
    Assessment,
    Found,
    Membership,
    assess,
    assess_found,
    concerning,
    entry_order,
    exact_text,
    percent_text,
    seconds_value,
)
from projections.claimed import GivesAll, last_day, standings, windows_of
from projections.cohorts import Cohort
from projections.earlier_credits import Counted, Credited, counted, counted_most
from projections.evaluation.forms import Form, Price
from projections.subscriptions import read_subscriptions

__all__ = [
    "CLAIM_COLUMNS", "COLUMNS", "DIFFERENCE_COLUMNS", "MONEY_COLUMNS", "Assessment", "Group", "Workings", "added", "assess", "difference",
    "price", "read_subscriptions", "rows", "totals", "workings",
]  # fmt: skip

# Where the claim of a row stands, under policies that pay on request.
CLAIM_COLUMNS = ("claim_state", "claim", "claim_last_day")
# The keys of a credit row, in the order of the documented contract; the added ones follow what they belong
# to.
COLUMNS = (
    "customer", "subscription", "service", "region", "policy", "policy_version", "policy_sha256", "period",
    "currency", "fee", "downtime_seconds", "excluded_seconds",
    "eligible_downtime_seconds", "eligible_downtime_seconds_at_least",
    "eligible_downtime_seconds_at_most", "period_seconds", "availability", "availability_at_least",
    "availability_at_most", "credit_percent", "credit", "credit_at_least", "credit_at_most", "rule",
    "seconds_to_next_tier", "seconds_past_tier_edge", "provisional", "approximate", "entries",
    "value", "value_at_least", "value_at_most", "service_days", "service_days_at_least", "service_days_at_most",
    "termination", *CLAIM_COLUMNS,
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    "customer", "subscription", "service", "region", "policy", "period", "currency", "fee",
    "credit_before", "credit_before_at_least", "credit_before_at_most",
    "credit_after", "credit_after_at_least", "credit_after_at_most", "delta",
)  # fmt: skip
MONEY_COLUMNS = frozenset(
    (
        "fee", "credit", "credit_at_least", "credit_at_most", "credit_before", "credit_before_at_least",
        "credit_before_at_most", "credit_after", "credit_after_at_least", "credit_after_at_most", "delta",
    )
)  # fmt: skip

INT64_MOST = 2**63 - 1
ROWS_AT_ONCE = 8192

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


class Group(msgspec.Struct, frozen=True):
    """What all subscriptions of one group share: the terms, and what they make of the facts.

    period: the month in the zone of the policy. valid: the seconds of it in which the subscriptions are valid. found:
    the windows that concern service and region, each with whether it surely does. memberships: of their customers, by
    cohort. exclusions: all that were recorded; customer: of their customers the one that exclusions name, "" for any other.
    unfinished: it is marked that the month is not over.
    """

    version: int
    policy: Policy
    service: str
    region: str
    period: Period
    valid: Span
    found: list[Found]
    memberships: Mapping[str, Membership]
    assessment: Assessment
    unfinished: bool = False
    exclusions: Sequence[Exclusion] = ()
    customer: str = ""

    @property
    def provisional(self) -> bool:
        """Whether the figures may still change without anything being revised."""
        return self.assessment.provisional or self.unfinished


class Workings(NamedTuple):
    """Credit rows with what they were computed from: of each row its place in the groups.

    before: by row the minor units that were credited before and count for a limit over several months, where any were.
    """

    frame: pd.DataFrame
    codes: npt.NDArray[np.intp]
    groups: list[Group]
    before: Mapping[int, int] = {}


class _Facts:
    """What the groups of a run are assessed from."""

    __slots__ = ("as_of", "exclusions", "measurements", "windows")

    def __init__(
        self, windows: list[Window], measurements: list[Measurement], exclusions: list[Exclusion], as_of: int
    ) -> None:
        self.windows = windows
        self.measurements = measurements
        self.exclusions = exclusions
        self.as_of = as_of


def price(
    subscriptions: pd.DataFrame,
    windows: Iterable[Window],
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    period: str,
    as_of: int,
    resting_on: Iterable[str] = (),
    cohorts: Mapping[str, Cohort] | None = None,
    *,
    measurements: Iterable[Measurement] = (),
    exclusions: Iterable[Exclusion] = (),
    credited: Credited | None = None,
    claims: Sequence[Claim] = (),
) -> pd.DataFrame:
    """Return one row per subscription that is valid for any part of its period, with COLUMNS and `minor_units`.

    subscriptions: as `read_subscriptions` returns them. policies: the published versions by key. period: a
    month such as "2022-03", taken in the zone of each policy: a policy is priced for its own period that ends in the month
    (the quarter in its last month), and has no rows where none does; or the period of one kind of policy, such as "2022-Q1".
    as_of: UTC seconds to which open windows have lasted at least. resting_on: further entries every row rests on, such as
    the one that published the subscriptions. cohorts: by name those of which it is known who is in them: a window limited to
    one counts for its customers and nobody else; one limited to any other cohort is a bound. measurements, exclusions: read
    by the policies that ask for them. credited: what was credited in the months around it, by subscription, for limits over
    several months; a subscription that is not there was credited nothing. A row's entries name what of it counted. claims: those
    that may be for the period; a row says where the claim of its customer stands, and what it would pay all the same.

    `fee` (of what the policy pays a part of) and the credits are whole minor units; `credit`, `seconds_to_next_tier` and
    `seconds_past_tier_edge` are nullable integers. A subscription valid for a part of the period has its windows clipped to
    that part; period and fee stay whole unless the policy says otherwise. Raises Refused with a sentence for every policy
    that is not known or not in force.
    """
    return workings(
        subscriptions, windows, policies, period, as_of, resting_on, cohorts, measurements=measurements,
        exclusions=exclusions, credited=credited, claims=claims,
    ).frame  # fmt: skip


def workings(
    subscriptions: pd.DataFrame,
    windows: Iterable[Window],
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    period: str,
    as_of: int,
    resting_on: Iterable[str] = (),
    cohorts: Mapping[str, Cohort] | None = None,
    *,
    measurements: Iterable[Measurement] = (),
    exclusions: Iterable[Exclusion] = (),
    credited: Credited | None = None,
    claims: Sequence[Claim] = (),
    mark_unfinished: bool = False,
) -> Workings:
    """Do what `price` does, and tell which rows share an assessment, and what it was made of.

    mark_unfinished: rows are provisional, too, where their period is not over at as_of. Issued documents are without it: what was
    issued says of the whole document that it is provisional.
    """
    # A label that is none at all is refused even where no subscription asks for a period.
    check_label(period, [policy for versions in policies.values() for _, policy in versions])
    facts = _Facts(list(windows), list(measurements), list(exclusions), as_of)
    cohorts = cohorts or {}
    spans = _spans(subscriptions, policies, period)
    subscriptions, first, past = _valid_in(subscriptions, spans)
    width = max((n_days for _, n_days in spans.values()), default=0) + 1
    circle, circles = _circles(subscriptions, facts, cohorts)
    edition, terms = _editions(subscriptions, policies)
    person, people = _people(subscriptions, facts.exclusions)
    apart = (((first * width + past) * len(circles) + circle) * len(terms) + edition) * len(people) + person
    codes, keys = _grouped(subscriptions, apart)
    groups = _assessed(keys, (width, circles, terms, people), facts, policies, period)
    if mark_unfinished:
        groups = [
            msgspec.structs.replace(group, unfinished=True) if group.period.end > as_of else group
            for group in groups
        ]
    before = _before(subscriptions, codes, groups, credited or {})
    frame = _columns(subscriptions, codes, groups, tuple(resting_on), before)

    def gives_all(rows: Codes, incidents: frozenset[str]) -> Flags:
        part = workings(
            subscriptions.take(rows).reset_index(drop=True), windows_of(facts.windows, incidents), policies, period, as_of,
            cohorts=cohorts, measurements=facts.measurements, exclusions=facts.exclusions, credited=credited,
        )  # fmt: skip
        return _as_much(part.frame, frame, rows)

    frame |= _claim_columns(subscriptions, codes, groups, frame, facts, claims, period, gives_all)
    priced = pd.DataFrame(
        {**{name: frame[name] for name in COLUMNS}, "minor_units": frame["minor_units"]}, copy=False
    )
    return Workings(priced, codes, groups, {row: one.amount for row, one in before.items()})


def _spans(
    subscriptions: pd.DataFrame, policies: Mapping[str, Sequence[tuple[int, Policy]]], label: str
) -> dict[str, tuple[np.datetime64, int]]:
    """Return for each policy that has a period at a label its first day, and how many days it has.

    A policy that is not known, or not in force, has those of the label, so that only rows that are asked about it refuse it.
    """
    found: dict[str, tuple[np.datetime64, int]] = {}
    for key in (str(name) for name in _category(subscriptions["policy"]).categories):
        try:
            ruled = ruling_period(policies.get(key, ()), label)
            period = None if ruled is None else ruled[2]
        except Refused:
            if not label_is_month(label):
                raise
            period = parse_period(label)
        if period is not None:
            found[key] = np.datetime64(period.first_day, "D"), len(days(period))
    return found


def _valid_in(
    subscriptions: pd.DataFrame, spans: Mapping[str, tuple[np.datetime64, int]]
) -> tuple[pd.DataFrame, Ints, Ints]:
    """Return the rows valid in the period of their policy, with their first day in it and the first day after (from 0)."""
    policy = _category(subscriptions["policy"])
    starts = subscriptions["valid_from"].to_numpy()
    ends = subscriptions["valid_to"].to_numpy()
    first = np.zeros(len(subscriptions), dtype=np.int64)
    past = np.zeros(len(subscriptions), dtype=np.int64)
    names = [str(name) for name in policy.categories]
    kinds = sorted({spans[name] for name in names if name in spans})
    for begin, n_days in kinds:
        members = np.asarray([spans.get(name) == (begin, n_days) for name in names] + [False], dtype=np.bool_)
        # Rows without a policy are refused later; until then they are like the others.
        here = (
            slice(None) if len(kinds) == 1 and members[:-1].all() else np.flatnonzero(members[policy.codes])
        )
        past[here] = n_days
        # NaT compares as false: no end is the end of the period.
        until = begin + np.timedelta64(n_days, "D")
        late, early = np.flatnonzero(starts[here] > begin), np.flatnonzero(ends[here] < until)
        if isinstance(here, np.ndarray):
            late, early = here[late], here[early]
        first[late] = np.minimum((starts[late].astype("datetime64[D]") - begin).astype(np.int64), n_days)
        past[early] = np.maximum((ends[early].astype("datetime64[D]") - begin).astype(np.int64), 0)
    valid = first < past
    if not valid.all():
        subscriptions, first, past = subscriptions.loc[valid], first[valid], past[valid]
    return subscriptions.reset_index(drop=True), first, past


def _editions(
    subscriptions: pd.DataFrame, policies: Mapping[str, Sequence[tuple[int, Policy]]]
) -> tuple[Ints, list[str | None]]:
    """Return for each row which first day of a term decides its version of the terms, and these days; None: none does."""
    edition = np.zeros(len(subscriptions), dtype=np.int64)
    terms: list[str | None] = [None]
    category = _category(subscriptions["policy"])
    bound = [
        any(policy.version.rule != "in-force" for _, policy in policies.get(str(name), ()))
        for name in category.categories
    ]
    if not any(bound):
        return edition, terms
    rows = np.flatnonzero(np.asarray([*bound, False], dtype=np.bool_)[category.codes])
    starts, found = pd.factorize(subscriptions["valid_from"].to_numpy()[rows].astype("datetime64[D]"))
    edition[rows] = starts + 1
    return edition, [*terms, *(str(day) for day in found.astype("datetime64[D]"))]


def _people(subscriptions: pd.DataFrame, exclusions: list[Exclusion]) -> tuple[Ints, list[str]]:
    """Return for each row which of the customers that exclusions name it belongs to; the first is nobody of them."""
    names = sorted({one.customer for one in exclusions if one.customer is not None and not one.withdrawn})
    if not names:
        return np.zeros(len(subscriptions), dtype=np.int64), [""]
    places = pd.Index(names).get_indexer(pd.Index(subscriptions["customer"].astype(object))) + 1
    return places.astype(np.int64), ["", *names]


def _circles(
    subscriptions: pd.DataFrame, facts: _Facts, cohorts: Mapping[str, Cohort]
) -> tuple[Ints, list[dict[str, Membership]]]:
    """Return for each row which circle its customer belongs to, and for each circle its memberships by cohort.

    Of rows whose service and region no window of a cohort concerns, it is not asked whether the cohort has their
    customer: they stay together.
    """
    service, region = (_category(subscriptions[name]) for name in ("service", "region"))
    circle = np.zeros(len(subscriptions), dtype=np.int64)
    inside: list[frozenset[str]] = [frozenset()]
    for name, cohort in sorted(cohorts.items()):
        concerned = _concerned([window for window in facts.windows if window.cohort == name], service, region)
        if any(one.cohort == name and not one.withdrawn for one in facts.exclusions):
            concerned |= True
        rows = np.flatnonzero(concerned[service.codes, region.codes]) if concerned.any() else ()
        if not len(rows):
            continue
        circle *= 2
        circle[rows] += cohort.holds(subscriptions["customer"].take(rows))
        places, found = pd.factorize(circle)
        circle = places.astype(np.int64)
        inside = [inside[at // 2] | ({name} if at % 2 else frozenset()) for at in found.tolist()]
    return circle, [
        {name: Membership(name in names, cohort.entry) for name, cohort in cohorts.items()}
        for names in inside
    ]


def _concerned(windows: Iterable[Window], service: pd.Categorical, region: pd.Categorical) -> Flags:
    """Return which services (down) and regions (across) of a table any of the windows concerns."""
    services, regions = ([str(name) for name in one.categories] for one in (service, region))
    # One more of each, never concerned, for the rows without a name: they are refused later.
    found = np.zeros((len(services) + 1, len(regions) + 1), dtype=np.bool_)
    for window in windows:
        if not window.withdrawn and window.service in services:
            found[services.index(window.service), :-1] |= np.asarray(
                [place(window.region, window.regions, name) is not None for name in regions], dtype=np.bool_
            )
    return found


def _grouped(subscriptions: pd.DataFrame, apart: Ints) -> tuple[Codes, list[tuple[str, str, str, int]]]:
    """Return the group of each row, and for each its policy, service, region and what else keeps it apart."""
    combined = np.zeros(len(subscriptions), dtype=np.int64)
    known: list[list[str]] = []
    for name in ("policy", "service", "region"):
        category = _category(subscriptions[name])
        if (category.codes < 0).any():
            raise Refused(f"the subscriptions have rows without {name}; fill it in")
        known.append([str(value) for value in category.categories])
        combined *= max(len(category.categories), 1)
        combined += category.codes
    width = int(apart.max(initial=0)) + 1
    combined *= width
    combined += apart
    codes, found = pd.factorize(combined)
    keys: list[tuple[str, str, str, int]] = []
    for value in found.tolist():
        value, rest = divmod(value, width)
        value, region = divmod(value, max(len(known[2]), 1))
        policy, service = divmod(value, max(len(known[1]), 1))
        keys.append((known[0][policy], known[1][service], known[2][region], rest))
    return codes, keys


def _assessed(
    keys: list[tuple[str, str, str, int]],
    widths: tuple[int, list[dict[str, Membership]], list[str | None], list[str]],
    facts: _Facts,
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    label: str,
) -> list[Group]:
    width, circles, terms, people = widths
    ruling = _ruling(sorted({key[0] for key in keys}), policies, label)
    by_service: dict[str, list[Window]] = {}
    for window in facts.windows:
        by_service.setdefault(window.service, []).append(window)
    near: dict[tuple[str, str], list[Found]] = {}
    editions: dict[tuple[str, str], _Ruling] = {}
    groups: list[Group] = []
    for key, service, region, rest in keys:
        rest, person = divmod(rest, len(people))
        rest, edition = divmod(rest, len(terms))
        when, circle = divmod(rest, len(circles))
        first, past = divmod(when, width)
        ruled, term = ruling[key], terms[edition]
        if term is not None:
            # What an earlier version says may still hold for those whose term began under it.
            if (key, term) not in editions:
                editions[key, term] = _ruled(policies[key], label, term)
            ruled = editions[key, term]
        version, policy, period, bounds = ruled
        wide = any(one.scope.regions != "each" for one in policy.commitments)
        place_of = (service, "" if wide else region)
        if place_of not in near:
            near[place_of] = concerning(policy, by_service.get(service, ()), service, region)
        assessment = assess_found(
            near[place_of], policy, version, period, facts.as_of, (bounds[first], bounds[past]), circles[circle],
            service=service, region=region, measurements=facts.measurements if _reads(policy) else (),
            exclusions=facts.exclusions, customer=people[person], earlier=_earlier(policy, period),
        )  # fmt: skip
        groups.append(
            Group(
                version, policy, service, region, period, (bounds[first], bounds[past]), near[place_of], circles[circle],
                assessment, exclusions=facts.exclusions, customer=people[person],
            )
        )  # fmt: skip
    return groups


# Version, policy, its period, and the bounds of the period's days.
_Ruling: TypeAlias = "tuple[int, Policy, Period, tuple[int, ...]]"


def _reads(policy: Policy) -> bool:
    return any(one.measure.reads for one in policy.commitments)


def _earlier(policy: Policy, period: Period) -> list[Period]:
    """Return the periods before one that a right to terminate looks at, the oldest first."""
    found: list[Period] = []
    for _ in range(max((rule.of_last for rule in policy.termination), default=1) - 1):
        found.insert(0, period_holding(policy.period, (found[0] if found else period).start - 1))
    return found


def _ruled(versions: Sequence[tuple[int, Policy]], label: str, term_start: str | None = None) -> _Ruling:
    found = ruling_period(versions, label, term_start)
    if found is None:
        raise Refused(f"policy {versions[0][1].key!r} has no period at {label}; choose another period")
    version, policy, period = found
    return version, policy, period, (*(day.start for day in days(period)), period.end)


def _ruling(
    keys: Sequence[str], policies: Mapping[str, Sequence[tuple[int, Policy]]], label: str
) -> dict[str, _Ruling]:
    """Return by policy key the version in force, its period in its zone, and the bounds of its days."""
    ruling: dict[str, _Ruling] = {}
    problems: list[str] = []
    for key in keys:
        if not policies.get(key):
            problems.append(
                f"policy {key!r}, which subscriptions name, is not published{nearest(key, policies)}; "
                "publish it or correct them"
            )
            continue
        try:
            ruling[key] = _ruled(policies[key], label)
        except Refused as error:
            problems.append(str(error))
    if problems:
        raise Refused("; ".join(problems), tuple(problems))
    return ruling


def _columns(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], resting_on: tuple[str, ...],
    before: Mapping[int, Counted],
) -> dict[str, Any]:  # fmt: skip
    facts = [group.assessment for group in groups]
    least, most = _credits(subscriptions, codes, groups, before)

    def repeated(value_of: Callable[[Group], object]) -> pd.Categorical:
        return _repeated([value_of(group) for group in groups], codes)

    def integers(values: list[int]) -> Ints:
        return np.asarray(values, dtype=np.int64).take(codes)

    def nullable(values: list[int | None]) -> pd.arrays.IntegerArray:
        absent = np.asarray([value is None for value in values], dtype=np.bool_)
        return pd.arrays.IntegerArray(integers([value or 0 for value in values]), absent.take(codes))

    def flags(values: list[bool]) -> Flags:
        return np.asarray(values, dtype=np.bool_).take(codes)

    def entries() -> pd.Categorical:
        # Rows of a group differ in what was credited before, so each such set of documents is told apart.
        made = {row: (int(codes[row]), one.entries) for row, one in before.items()}
        kinds = list(dict.fromkeys(made.values()))
        places = {kind: len(groups) + at for at, kind in enumerate(kinds)}
        at = codes.copy() if kinds else codes
        for row, kind in made.items():
            at[row] = places[kind]
        every = [*((number, ()) for number in range(len(groups))), *kinds]
        return _repeated([_named(groups[number], resting_on, more) for number, more in every], at)

    return {
        **{
            name: subscriptions[name]
            for name in ("customer", "subscription", "service", "region", "policy", "currency")
        },
        "policy_version": integers([group.version for group in groups]),
        "policy_sha256": repeated(lambda group: group.policy.sha256),
        "period": repeated(lambda group: group.period.label),
        "fee": subscriptions["fee"],
        "downtime_seconds": integers([fact.downtime_seconds for fact in facts]),
        "excluded_seconds": integers([fact.excluded_seconds for fact in facts]),
        "eligible_downtime_seconds": repeated(lambda group: _maybe(group.assessment.eligible, seconds_value)),
        "eligible_downtime_seconds_at_least": repeated(
            lambda group: seconds_value(group.assessment.eligible_at_least)
        ),
        "eligible_downtime_seconds_at_most": repeated(
            lambda group: seconds_value(group.assessment.eligible_at_most)
        ),
        "period_seconds": integers([fact.period_seconds for fact in facts]),
        "availability": repeated(
            lambda group: _there(group, _maybe(group.assessment.availability, percent_text))
        ),
        "availability_at_least": repeated(
            lambda group: _there(group, percent_text(group.assessment.availability_at_least))
        ),
        "availability_at_most": repeated(
            lambda group: _there(group, percent_text(group.assessment.availability_at_most))
        ),
        "credit_percent": repeated(lambda group: _maybe(group.assessment.credit_percent, exact_text)),
        # Each column has memory of its own, so that a change to one cannot show in another.
        "credit": pd.arrays.IntegerArray(least.copy(), least != most),
        "credit_at_least": least,
        "credit_at_most": most,
        "rule": repeated(lambda group: group.assessment.rule),
        "seconds_to_next_tier": nullable([fact.seconds_to_next_tier for fact in facts]),
        "seconds_past_tier_edge": nullable([fact.seconds_past_tier_edge for fact in facts]),
        "provisional": flags([group.provisional for group in groups]),
        "approximate": flags([fact.approximate for fact in facts]),
        "entries": entries(),
        **_bounded("value", repeated, lambda group: group.assessment.value),
        **_bounded("service_days", repeated, lambda group: group.assessment.service_days),
        "termination": repeated(lambda group: group.assessment.termination),
        "minor_units": _digits(subscriptions["currency"]),
    }


def _claim_columns(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], frame: Mapping[str, Any], facts: _Facts,
    claims: Sequence[Claim], label: str, gives_all: GivesAll,
) -> dict[str, Any]:  # fmt: skip
    """Return CLAIM_COLUMNS: where the claim of each row stands, the entries that say so, and until when it was in time."""

    def last_day_of(group: Group) -> str | None:
        return last_day(group, facts.measurements if _reads(group.policy) else (), facts.as_of)

    in_days = np.asarray(
        [pair is not None and pair[1] > 0 for pair in (group.assessment.service_days for group in groups)], dtype=np.bool_
    )  # fmt: skip
    paid = frame["credit_at_most"] > 0
    if in_days.any():
        paid = paid | in_days.take(codes)
    found, at = standings(
        subscriptions["customer"], codes, groups, paid, claims, label, last_day_of, gives_all
    )
    return {
        name: _repeated([getattr(one, of) for one in found], at)
        for name, of in zip(CLAIM_COLUMNS, ("state", "claim", "last_day"), strict=True)
    }


def _as_much(part: pd.DataFrame, whole: Mapping[str, Any], rows: Codes) -> Flags:
    """Tell of rows whether a part of their incidents gives them as much as all do, at least and at most, in money and in days.

    part: those rows, priced for the part. whole: columns of all rows.
    """
    found = np.ones(len(rows), dtype=np.bool_)
    for end in ("at_least", "at_most"):
        found &= part[f"credit_{end}"].to_numpy() >= whole[f"credit_{end}"][rows]
        days = part[f"service_days_{end}"].tolist(), whole[f"service_days_{end}"].take(rows).tolist()
        for at, (some, every) in enumerate(zip(*days, strict=True)):
            # Terms that know no days give none.
            some, every = (Fraction(one) if isinstance(one, str) else Fraction(0) for one in (some, every))
            found[at] &= some >= every
    return found


def _named(group: Group, resting_on: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entries of a group with those that every row rests on, and more, in their order."""
    if not resting_on and not more:
        return group.assessment.entries
    return tuple(sorted({*group.assessment.entries, *resting_on, *more}, key=entry_order))


def _before(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], credited: Credited
) -> dict[int, Counted]:
    """Return by row what was credited before and counts for its limit over several months, where anything does.

    What later months were credited counts only where it leaves less to pay, so that issuing them changes nothing else.
    """
    limits = [group.policy.limits for group in groups]
    months = [0 if one.rolling_percent is None else one.rolling_months for one in limits]
    found: dict[int, Counted] = {}
    if not credited or not any(months):
        return found
    where = np.flatnonzero(np.asarray(months, dtype=np.int64).take(codes))
    rows = subscriptions[["subscription", "currency", "fee"]].iloc[where].itertuples(index=False, name=None)
    for row, (name, currency, fee) in zip(where.tolist(), rows, strict=True):
        if name in credited:
            one, most = (
                count(name, currency, credited[name], months[codes[row]]) for count in (counted, counted_most)
            )
            if most.amount > one.amount:
                made = groups[codes[row]].assessment.outcome
                paid = [
                    [price.amount(int(fee)) for price in made.prices(currency, each.amount)]
                    for each in (one, most)
                ]
                one = one if paid[0] == paid[1] else most
            if one.entries:
                found[row] = one
    return found


def _there(group: Group, availability: object) -> object:
    """Return an availability, None for a measure that makes a value instead."""
    return None if group.assessment.value is not None else availability


def _bounded(
    name: str,
    repeated: Callable[[Callable[[Group], object]], pd.Categorical],
    pair_of: Callable[[Group], tuple[Fraction, Fraction] | None],
) -> dict[str, pd.Categorical]:
    """Return the columns of a figure that not every policy has: decided, at least and at most."""

    def told(at: Literal["", "_at_least", "_at_most"]) -> Callable[[Group], object]:
        def one(group: Group) -> object:
            pair = pair_of(group)
            if pair is None or (not at and pair[0] != pair[1]):
                return None
            return exact_text(pair[at == "_at_most"])

        return one

    sides: tuple[Literal["", "_at_least", "_at_most"], ...] = ("", "_at_least", "_at_most")
    return {f"{name}{at}": repeated(told(at)) for at in sides}


def _maybe(value: Fraction | None, spell: Callable[[Fraction], object]) -> object:
    return None if value is None else spell(value)


def _repeated(values: Sequence[object], codes: Codes) -> pd.Categorical:
    """Return a column that has the value of its group in each row, each value kept once; None is null."""
    index: dict[object, int] = {}
    places = [-1 if value is None else index.setdefault(value, len(index)) for value in values]
    narrow = np.int8 if len(index) < 2**7 else np.int16 if len(index) < 2**15 else np.int32
    repeated: Any = np.asarray(places, dtype=narrow).take(codes)
    return pd.Categorical.from_codes(
        repeated,
        categories=pd.Index(list(index), dtype=object, tupleize_cols=False),
        validate=False,
    )


def _digits(currency: pd.Series) -> npt.NDArray[np.int8]:
    category = _category(currency)
    digits = np.asarray([minor_units(str(code)) for code in category.categories], dtype=np.int8)
    found: npt.NDArray[np.int8] = digits[category.codes]
    return found


def _category(values: pd.Series) -> pd.Categorical:
    return values.array if isinstance(values.array, pd.Categorical) else pd.Categorical(values)


def _credits(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], before: Mapping[int, Counted]
) -> tuple[Ints, Ints]:
    """Return the least and the most credit of each row in minor units, rounded once by the policy's mode.

    before: by row what was credited before and counts.
    """
    fee, currency = subscriptions["fee"].to_numpy(), _category(subscriptions["currency"])
    rates = [group.assessment.rates for group in groups]
    least = [Fraction(0) if pair is None else pair[0] for pair in rates]
    most = [Fraction(0) if pair is None else pair[1] for pair in rates]
    modes = [group.policy.rounding for group in groups]
    low = _amounts(fee, least, modes, codes)
    high = low.copy()
    open_groups = np.asarray([one != other for one, other in zip(least, most, strict=True)], dtype=np.bool_)
    if open_groups.any():
        where = np.flatnonzero(open_groups.take(codes))
        high[where] = _amounts(fee[where], most, modes, codes[where])
    for group, code, where in _apart(
        [number for number, pair in enumerate(rates) if pair is None], codes, currency
    ):
        made = groups[group].assessment.outcome
        one, other = made.prices(code)
        low[where] = _priced(fee[where], one)
        high[where] = low[where] if one == other else _priced(fee[where], other)
        for row in where.tolist() if before else ():
            if row in before:
                one, other = made.prices(code, before[row].amount)
                low[row], high[row] = one.amount(int(fee[row])), other.amount(int(fee[row]))
    return low, high


def _apart(
    numbers: list[int], codes: Codes, currency: pd.Categorical
) -> Iterator[tuple[int, str, npt.NDArray[np.intp]]]:
    """Yield each of some groups by currency, with its rows."""
    if not numbers:
        return
    width = len(currency.categories)
    rows = np.flatnonzero(np.isin(codes, numbers))
    combined = codes[rows] * width + currency.codes[rows]
    order = np.argsort(combined, kind="stable")
    values, starts = np.unique(combined[order], return_index=True)
    for value, where in zip(values.tolist(), np.split(rows[order], starts[1:]), strict=True):
        number, code = divmod(value, width)
        yield number, str(currency.categories[code]), where


def _priced(fee: npt.NDArray[Any], price: Price) -> Ints:
    """Return what a price comes to for each fee."""
    paid = _value(fee, price.form, price.rounding)
    if price.at_least is not None:
        # Anything is owed where it is rounded up to something.
        owed = _value(fee, price.form, "ceiling") > 0
        most = np.full(len(fee), int(price.at_least), dtype=np.int64)
        if price.most is not None:
            most = np.minimum(most, _value(fee, price.most, price.rounding))
        raised = np.where(owed, np.maximum(paid, most), paid)
    else:
        raised = paid
    if price.only_above is not None:
        raised = np.where(paid > int(price.only_above), raised, 0)
    return raised


def _value(fee: npt.NDArray[Any], form: Form, rounding: str) -> Ints:
    """Return what a form comes to for each fee. Rounding keeps order, so lines are rounded before they are compared."""
    found: Ints | None = None
    nowhere = np.zeros(len(fee), dtype=np.intp)
    for lines in form.of:
        least: Ints | None = None
        for rate, more in lines:
            amounts = _amounts(fee, [rate], [rounding], nowhere, more)
            least = amounts if least is None else np.minimum(least, amounts)
        if least is not None:
            found = least if found is None else np.maximum(found, least)
    return np.zeros(len(fee), dtype=np.int64) if found is None else found


def _amounts(
    fee: npt.NDArray[Any], rates: list[Fraction], modes: list[str], codes: Codes, more: Fraction = Fraction(0)
) -> Ints:
    """Return fee x rate of each row's group, and `more` of minor units, rounded exactly."""
    whole = lcm(more.denominator, *(rate.denominator for rate in rates))
    shares = [rate.numerator * (whole // rate.denominator) for rate in rates]
    added = more.numerator * (whole // more.denominator)
    highest = int(fee.max(initial=0))
    if (
        fee.dtype != np.int64
        or highest * max(shares, default=0) + abs(added) > INT64_MOST
        or whole > INT64_MOST
    ):
        # Beyond 64 bits Python's integers take over: slower, and just as exact.
        exact = (
            round_ratio(amount * shares[code] + added, whole, modes[code])
            for amount, code in zip(fee.tolist(), codes.tolist(), strict=True)
        )
        return np.fromiter(exact, dtype=np.int64, count=len(fee))
    remainder = np.asarray(shares, dtype=np.int64).take(codes)
    remainder *= fee
    if added:
        remainder += added
    quotient: Ints = remainder // whole
    remainder -= quotient * whole
    to_even = np.asarray([mode == "half-even" for mode in modes], dtype=np.bool_)
    if whole % 2 == 0 and to_even.any():
        odd_ties = (remainder == whole // 2) & (quotient % 2 == 1) & to_even.take(codes)
        # One more than a half goes up, and so does a tie beside an odd number.
        remainder += odd_ties
    goes_up = sorted({_goes_up_from(mode, whole) for mode in modes})
    if len(goes_up) == 1:
        quotient += remainder >= goes_up[0]
    elif goes_up:
        quotient += remainder >= np.asarray(
            [_goes_up_from(mode, whole) for mode in modes], dtype=np.int64
        ).take(codes)
    return quotient


def _goes_up_from(mode: str, whole: int) -> int:
    """Return the least remainder of a division by `whole` with which an amount of 0 or more goes up."""
    match mode:
        case "half-up" | "half-ceiling":
            return (whole + 1) // 2
        case "half-down" | "half-even":
            return whole // 2 + 1
        case "up" | "ceiling":
            return 1
        case "down" | "floor":
            return whole
        case _:
            raise Refused(
                f"rounding {mode!r} is not known{nearest(mode, ROUNDINGS)}; use one of {', '.join(ROUNDINGS)}"
            )


def rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each row of a frame of `price`, `difference` or `totals` as a dict ready for JSON.

    Money is decimal text with all digits of its currency; null is None; entries are a list.
    """
    names = [name for name in frame.columns if name != "minor_units"]
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = frame.iloc[start : start + ROWS_AT_ONCE]
        currencies = part["currency"].tolist()
        columns = [_spelled(name, part[name], currencies) for name in names]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def _spelled(name: str, column: pd.Series, currencies: list[str]) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.hasnans:
        values = [None if null else value for value, null in zip(values, column.isna().tolist(), strict=True)]
    if name in MONEY_COLUMNS:
        return [
            None if value is None else format_money(value, currency)
            for value, currency in zip(values, currencies, strict=True)
        ]
    return [list(value) for value in values] if name == "entries" else values


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of a frame of `price` or `difference`, one row per currency, sorted by it.

    Columns: currency, subscriptions (their number), undecided (rows whose credit or delta is null), each
    money column of the frame (minor units; null where any row is), minor_units. Sums are exact at any size: a
    column that would leave 64 bits holds Python integers.
    """
    decided = "delta" if "delta" in frame.columns else "credit"
    money = [name for name in frame.columns if name in MONEY_COLUMNS]
    currency = _category(frame["currency"])
    places = {str(code): place for place, code in enumerate(currency.categories)}
    found: list[dict[str, Any]] = []
    for code in sorted(places):
        here = currency.codes == places[code]
        if here.any():
            sums = {name: _sum(frame[name].array[here]) for name in money}
            undecided = int(frame[decided].array[here].isna().sum())
            found.append({"currency": code, "subscriptions": int(here.sum()), "undecided": undecided, **sums})
    return _sums(found, money)


def added(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the totals of several frames of `totals` together: what they would be of all their rows."""
    found: dict[str, dict[str, Any]] = {}
    money: list[str] = []
    for part in parts:
        money = [name for name in part.columns if name in MONEY_COLUMNS]
        for row in part.astype(object).to_dict("records"):
            sums = found.setdefault(row["currency"], {"currency": row["currency"]})
            for name in ("subscriptions", "undecided", *money):
                before, more = sums.get(name, 0), row[name]
                sums[name] = None if before is None or pd.isna(more) else before + int(more)
    return _sums([found[currency] for currency in sorted(found)], money)


def _sums(found: list[dict[str, Any]], money: list[str]) -> pd.DataFrame:
    """Return one row for each currency; what would leave 64 bits stays Python's integers."""
    summed: dict[str, Any] = {
        name: [row[name] for row in found] for name in ("currency", "subscriptions", "undecided", *money)
    }
    for name in money:
        fits = all(abs(value or 0) <= INT64_MOST for value in summed[name])
        summed[name] = pd.array(summed[name], dtype="Int64") if fits else np.array(summed[name], dtype=object)
    summed["minor_units"] = np.array([minor_units(code) for code in summed["currency"]], dtype=np.int8)
    return pd.DataFrame(summed)


def _sum(amounts: Any) -> int | None:
    """Return the exact sum of a column of integers, None where one of them is null."""
    if amounts.isna().any():
        return None
    values = amounts.to_numpy(dtype=np.int64)
    highest = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    return int(values.sum()) if highest * len(values) <= INT64_MOST else sum(values.tolist())


def difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what changed between two frames of `price`, per subscription in either, with DIFFERENCE_COLUMNS.

    Money is in minor units. delta is the credit after minus the credit before, both as rounded; it is null
    where a side is undecided. What a subscription is (its region, fee and so on) is told as in `after`. One
    that only one frame has was credited nothing in the other. The order is that of `before`, then what only
    `after` has. Raises Refused where a subscription's currency changed.
    """
    told = list(DIFFERENCE_COLUMNS[:8])
    # As objects, since looking up a million texts of pandas' own type takes six times as long.
    old, new = (pd.Index(side["subscription"].astype(object)) for side in (before, after))
    if old.equals(new):
        labels, old_at, new_at = after[told].reset_index(drop=True), None, None
    else:
        everyone = old.append(new[~new.isin(old)])
        old_at, new_at = old.get_indexer(everyone), new.get_indexer(everyone)
        only_old = before.loc[~np.asarray(old.isin(new)), told]
        labels = pd.concat([after[told], only_old], ignore_index=True)
        labels = labels.iloc[
            pd.Index(labels["subscription"].astype(object)).get_indexer(everyone)
        ].reset_index(drop=True)
    _same_currency(before, labels, old_at)
    found: dict[str, Any] = {name: labels[name] for name in told}
    for side, frame, at in (("before", before, old_at), ("after", after, new_at)):
        for name in ("credit", "credit_at_least", "credit_at_most"):
            found[name.replace("credit", f"credit_{side}", 1)] = _aligned(frame[name], at)
    found["delta"] = found["credit_after"] - found["credit_before"]
    result = pd.DataFrame({name: found[name] for name in DIFFERENCE_COLUMNS}, copy=False)
    result["minor_units"] = _digits(result["currency"])
    return result


def _aligned(amounts: pd.Series, at: Codes | None) -> pd.arrays.IntegerArray:
    """Return amounts as nullable integers in the order of the places `at` (None: as they are), 0 for -1."""
    null = amounts.isna().to_numpy()
    values = amounts.fillna(0).to_numpy(dtype=np.int64)
    if at is None:
        return pd.arrays.IntegerArray(values.copy(), null.copy())
    return pd.arrays.IntegerArray(
        np.append(values, 0)[at].astype(np.int64), np.append(null, False)[at].astype(np.bool_)
    )


def _same_currency(before: pd.DataFrame, labels: pd.DataFrame, at: Codes | None) -> None:
    then = before["currency"].astype(object).to_numpy()
    now = labels["currency"].astype(object).to_numpy()
    places = np.arange(len(now)) if at is None else at
    there = np.flatnonzero(places >= 0)
    changed = there[then[places[there]] != now[there]]
    problems = [
        f"subscription {labels['subscription'].iloc[row]!r} was billed in {then[places[row]]} before and in "
        f"{now[row]} after, which cannot be subtracted; correct the currency"
        for row in changed.tolist()
    ]
    if problems:
        raise Refused("; ".join(problems[:20]), tuple(problems))
