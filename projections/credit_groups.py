"""Which rows share an assessment: what rules each, for which days and customers, and what that makes of the facts.

Rows that share terms, service, region, the part of the period they are valid in, the cohorts of their customer and the exclusions that
name it are one group. What the policy makes of the facts is asked once for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period, days, local_second, parse_period
from ledger.domain.policy import Policy
from ledger.domain.policy.periods import label_is_month, ruling_at, ruling_period
from ledger.domain.window import Window, place
from ledger.errors import Refused, nearest
from projections.availability import Assessment, Found, Membership, Past, assess_found, concerning, is_wide
from projections.cohorts import Cohort
from projections.grouping import Codes, category_of, grouped

__all__ = ["GroupFacts", "Flags", "Group", "Ints", "groups_of", "reads_measurements"]

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Group(msgspec.Struct, frozen=True):
    """What all subscriptions of one group share: the terms, and what they make of the facts.

    period: the policy's own, such as a month or a quarter, in its zone. valid: the seconds of it in which the subscriptions are valid. found:
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


class GroupFacts:
    """What the groups of a run are assessed from."""

    __slots__ = ("as_of", "exclusions", "measurements", "windows")

    def __init__(
        self, windows: list[Window], measurements: list[Measurement], exclusions: list[Exclusion], as_of: int
    ) -> None:
        self.windows = windows
        self.measurements = measurements
        self.exclusions = exclusions
        self.as_of = as_of


def groups_of(
    subscriptions: pd.DataFrame,
    facts: GroupFacts,
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    label: str,
    cohorts: Mapping[str, Cohort],
) -> tuple[pd.DataFrame, Codes, list[Group]]:
    """Return the subscriptions that are valid in their period at a label, the group of each, and the groups.

    Raises Refused where a row names no policy, service or region, and with a sentence for every policy that rules nothing.
    """
    edition, terms = _editions(subscriptions, policies)
    ruled, rulings = _rulings(subscriptions, edition, terms, policies, label)
    subscriptions, ruled, first, past = _valid_in(subscriptions, ruled, rulings)
    _check_in_use(rulings, ruled)
    circle, circles = _circles(subscriptions, facts, cohorts, _wide(ruled, rulings))
    person, people = _people(subscriptions, facts.exclusions)
    since, since_most = _since(subscriptions, ruled, rulings)
    days_most = max((one.n_days for one in rulings), default=0) + 1
    service, region = (_named_column(subscriptions, name) for name in ("service", "region"))
    codes, firsts = grouped(
        len(subscriptions),
        (
            (ruled, len(rulings)), (service.codes, len(service.categories)), (region.codes, len(region.categories)),
            (first, days_most), (past, days_most), (circle, len(circles)), (person, len(people)), (since, since_most + 1),
        ),
    )  # fmt: skip
    kinds = [
        _Kind(
            rulings[ruled[row]], str(service[row]), str(region[row]), int(first[row]), int(past[row]), int(since[row]),
            circles[circle[row]], people[person[row]],
        )
        for row in firsts.tolist()
    ]  # fmt: skip
    return subscriptions, codes, _assessed(kinds, facts)


class _Ruling(msgspec.Struct, frozen=True):
    """What rules the rows of a policy: of all of them, or of those whose term began on one day where its versions hold for a term.

    refused: why nothing does; period: None where the policy has none at the label. earlier: the periods before it that a right to
    terminate looks at, the oldest first, each with the terms that ruled it. first_day, n_days: of the period, and where nothing
    rules those of the label, so that only rows that are asked about it refuse it; 0 days: it has no rows.
    """

    key: str
    first_day: str
    n_days: int
    version: int = 0
    policy: Policy | None = None
    period: Period | None = None
    bounds: tuple[int, ...] = ()
    earlier: tuple[tuple[Policy, Period], ...] = ()
    refused: str | None = None


def _rulings(
    subscriptions: pd.DataFrame,
    edition: Ints,
    terms: list[str | None],
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    label: str,
) -> tuple[Ints, list[_Ruling]]:
    """Return for each row which ruling it is under, and the rulings.

    edition, terms: as `_editions` returns them. Of a policy whose versions hold for a term each term is asked about itself: what an
    earlier version says, its kind of period too, may still hold for those whose term began under it.
    """
    policy = _named_column(subscriptions, "policy")
    keys = [str(name) for name in policy.categories]
    if len(terms) == 1:
        found = [_ruling(policies, key, label, None) for key in keys]
        return policy.codes.astype(np.int64), found
    ruled, firsts = grouped(len(policy), ((policy.codes, len(keys)), (edition, len(terms))))
    found = [
        _ruling(policies, keys[policy.codes[row]], label, terms[edition[row]]) for row in firsts.tolist()
    ]
    return ruled.astype(np.int64), found


def _ruling(
    policies: Mapping[str, Sequence[tuple[int, Policy]]], key: str, label: str, term: str | None
) -> _Ruling:
    versions = policies.get(key, ())
    try:
        if not versions:
            raise Refused(
                f"policy {key!r}, which subscriptions name, is not published{nearest(key, policies)}; publish it or correct them"
            )
        found = ruling_period(versions, label, term)
    except Refused as error:
        # Of a label that is no month nobody knows which days it has under terms that are not there.
        whole = parse_period(label if label_is_month(label) else f"{label[:4]}-01")
        return _Ruling(key, whole.first_day, len(days(whole)), refused=str(error))
    if found is None:
        return _Ruling(key, "1970-01-01", 0)
    version, policy, period = found
    bounds = (*(day.start for day in days(period)), period.end)
    return _Ruling(
        key, period.first_day, len(bounds) - 1, version, policy, period, bounds, _earlier(versions, policy, period, term)
    )  # fmt: skip


def _earlier(
    versions: Sequence[tuple[int, Policy]], policy: Policy, period: Period, term: str | None
) -> tuple[tuple[Policy, Period], ...]:
    """Return the periods before one that a right to terminate looks at, the oldest first, each with the terms that ruled it.

    Before the first version was in force nothing was promised: there are no such periods.
    """
    found: list[tuple[Policy, Period]] = []
    for _ in range(max((rule.of_last for rule in policy.termination), default=1) - 1):
        asked, after = found[0] if found else (policy, period)
        try:
            _, ruling, before = ruling_at(versions, asked.period, after.start - 1, term)
        except Refused:
            break
        found.insert(0, (ruling, before))
    return tuple(found)


def _check_in_use(rulings: list[_Ruling], ruled: Ints) -> None:
    """Raise Refused with a sentence for every policy that rules nothing and has rows."""
    wrong = [at for at, one in enumerate(rulings) if one.refused is not None]
    in_use = [rulings[at] for at in wrong if (ruled == at).any()]
    problems = list(dict.fromkeys(str(one.refused) for one in sorted(in_use, key=lambda one: one.key)))
    if problems:
        raise Refused("; ".join(problems), tuple(problems))


def _valid_in(
    subscriptions: pd.DataFrame, ruled: Ints, rulings: list[_Ruling]
) -> tuple[pd.DataFrame, Ints, Ints, Ints]:
    """Return the rows valid in their period, with their rulings, their first day in it and the first day after (from 0)."""
    starts = subscriptions["valid_from"].to_numpy()
    ends = subscriptions["valid_to"].to_numpy()
    first = np.zeros(len(subscriptions), dtype=np.int64)
    past = np.zeros(len(subscriptions), dtype=np.int64)
    spans = [(one.first_day, one.n_days) if one.n_days else None for one in rulings]
    kinds = sorted({span for span in spans if span is not None})
    for kind in kinds:
        members = np.asarray([span == kind for span in spans], dtype=np.bool_)
        here = slice(None) if members.all() else np.flatnonzero(members[ruled])
        begin, n_days = np.datetime64(kind[0], "D"), kind[1]
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
        subscriptions, ruled, first, past = subscriptions.loc[valid], ruled[valid], first[valid], past[valid]
    return subscriptions.reset_index(drop=True), ruled, first, past


def _since(subscriptions: pd.DataFrame, ruled: Ints, rulings: list[_Ruling]) -> tuple[Ints, int]:
    """Return for each row how many days of the earlier periods that it is asked about had passed when it began, and the most of them."""
    since = np.zeros(len(subscriptions), dtype=np.int64)
    most = 0
    for at, one in enumerate(rulings):
        if not one.earlier:
            continue
        begin = np.datetime64(one.earlier[0][1].first_day, "D")
        n_days = int((np.datetime64(one.first_day, "D") - begin).astype(np.int64))
        rows = np.flatnonzero(ruled == at)
        began = subscriptions["valid_from"].to_numpy()[rows].astype("datetime64[D]")
        since[rows] = np.clip((began - begin).astype(np.int64), 0, n_days)
        most = max(most, n_days)
    return since, most


def _wide(ruled: Ints, rulings: list[_Ruling]) -> Flags:
    """Tell of each row whether its terms look beyond its own region."""
    wide = np.asarray([one.policy is not None and is_wide(one.policy) for one in rulings], dtype=np.bool_)
    return wide[ruled] if wide.any() else np.zeros(len(ruled), dtype=np.bool_)


def _editions(
    subscriptions: pd.DataFrame, policies: Mapping[str, Sequence[tuple[int, Policy]]]
) -> tuple[Ints, list[str | None]]:
    """Return for each row which first day of a term decides its version of the terms, and these days; None: none does."""
    edition = np.zeros(len(subscriptions), dtype=np.int64)
    terms: list[str | None] = [None]
    category = category_of(subscriptions["policy"])
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
    subscriptions: pd.DataFrame, facts: GroupFacts, cohorts: Mapping[str, Cohort], wide: Flags
) -> tuple[Ints, list[dict[str, Membership]]]:
    """Return for each row which circle its customer belongs to, and for each circle its memberships by cohort.

    wide: the rows whose terms look at all regions of their service. Of rows whose service and region no window of a cohort
    concerns, it is not asked whether the cohort has their customer: they stay together.
    """
    service, region = (category_of(subscriptions[name]) for name in ("service", "region"))
    circle = np.zeros(len(subscriptions), dtype=np.int64)
    inside: list[frozenset[str]] = [frozenset()]
    for name, cohort in sorted(cohorts.items()):
        concerned = _concerned([window for window in facts.windows if window.cohort == name], service, region)
        if any(one.cohort == name and not one.withdrawn for one in facts.exclusions):
            concerned |= True
        rows: Codes | tuple[()] = ()
        if concerned.any():
            # What is in any region of the service concerns those whose terms look at all of them.
            somewhere: Flags = np.any(concerned, axis=1)[service.codes] & wide
            rows = np.flatnonzero(concerned[service.codes, region.codes] | somewhere)
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
    """Return which services (down) and regions (across) of a table any of the windows concerns; one more region is any other."""
    services, regions = ([str(name) for name in one.categories] for one in (service, region))
    # One more of each for the rows without a name: they are refused later.
    found = np.zeros((len(services) + 1, len(regions) + 1), dtype=np.bool_)
    for window in windows:
        if not window.withdrawn and window.service in services:
            found[services.index(window.service)] |= np.asarray(
                [*(place(window.region, window.regions, name) is not None for name in regions), True], dtype=np.bool_
            )  # fmt: skip
    return found


def _named_column(subscriptions: pd.DataFrame, name: str) -> pd.Categorical:
    """Return a column of names as categories. Raises Refused where a row has none."""
    category = category_of(subscriptions[name])
    if (category.codes < 0).any():
        raise Refused(f"the subscriptions have rows without {name}; fill it in")
    return category


class _Kind(NamedTuple):
    """What keeps rows apart: the terms, the place, the days of the period and of those before it, and the customer."""

    ruling: _Ruling
    service: str
    region: str
    first: int
    past: int
    since: int
    memberships: dict[str, Membership]
    customer: str


def _assessed(kinds: Iterable[_Kind], facts: GroupFacts) -> list[Group]:
    by_service: dict[str, list[Window]] = {}
    for window in facts.windows:
        by_service.setdefault(window.service, []).append(window)
    near: dict[tuple[str, str], list[Found]] = {}

    def read_by(policy: Policy, service: str, region: str) -> list[Found]:
        place_of = (service, "" if is_wide(policy) else region)
        if place_of not in near:
            near[place_of] = concerning(policy, by_service.get(service, ()), service, region)
        return near[place_of]

    groups: list[Group] = []
    for kind in kinds:
        ruling, service, region = kind.ruling, kind.service, kind.region
        policy, period = ruling.policy, ruling.period
        if policy is None or period is None:
            raise Refused(f"policy {ruling.key!r} has no period here; choose another period")
        valid = ruling.bounds[kind.first], ruling.bounds[kind.past]
        found = read_by(policy, service, region)
        assessment = assess_found(
            found, policy, ruling.version, period, facts.as_of, valid, kind.memberships, service=service, region=region,
            measurements=facts.measurements if reads_measurements(policy) else (), exclusions=facts.exclusions, customer=kind.customer,
            earlier=[
                Past(terms, before, span, read_by(terms, service, region), facts.measurements if reads_measurements(terms) else ())
                for terms, before, span in _valid_earlier(ruling, kind.since)
            ],
        )  # fmt: skip
        groups.append(
            Group(
                ruling.version, policy, service, region, period, valid, found, kind.memberships, assessment,
                exclusions=facts.exclusions, customer=kind.customer,
            )
        )  # fmt: skip
    return groups


def _valid_earlier(ruling: _Ruling, since: int) -> Iterator[tuple[Policy, Period, Span]]:
    """Yield the earlier periods of a ruling that a subscription was valid in, with their terms and the part it was valid in.

    since: how many days of them had passed when it began. It did not end before: it is valid in the period that they come before.
    """
    if not ruling.earlier:
        return
    began = (date.fromisoformat(ruling.earlier[0][1].first_day) + timedelta(days=since)).isoformat()
    for terms, period in ruling.earlier:
        start = max(period.start, local_second(terms.zone, began, 0) if since else period.start)
        if start < period.end:
            yield terms, period, (start, period.end)


def reads_measurements(policy: Policy) -> bool:
    """Tell whether a policy asks for measurements."""
    return any(one.measure.reads for one in policy.commitments)
