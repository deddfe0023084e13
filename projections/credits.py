"""Credits: what a policy gives to each subscription for a period, and how two computations differ.

Subscriptions that share service, region, policy, the part of the period they are valid in and the cohorts of their
customer share one assessment; only the money is computed per row, in integers. A frame keeps money as whole minor units (int64)
beside the currency's digits (`minor_units`) and repeated values as categories; `rows` spells it out as
programs read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import day_of
from ledger.domain.policy import Policy
from ledger.domain.policy.periods import check_label
from ledger.domain.window import Window
from projections.availability import Assessment, assess, entry_order, exact_text, percent_text, seconds_value
from projections.claimed import GivesAll, last_day, standings, windows_of
from projections.cohorts import Cohort
from projections.credit_amounts import credits_of, digits_of
from projections.credit_groups import Flags, Group, GroupFacts, Ints, groups_of, reads_measurements
from projections.credit_rows import CLAIM_COLUMNS, COLUMNS, DIFFERENCE_COLUMNS, MONEY_COLUMNS, rows
from projections.credit_sums import added, difference, totals
from projections.earlier_credits import Counted, Credited, Year, counted, counted_most
from projections.grouping import Codes
from projections.subscriptions import read_subscriptions

__all__ = [
    "CLAIM_COLUMNS", "COLUMNS", "DIFFERENCE_COLUMNS", "MONEY_COLUMNS", "Assessment", "Group", "Workings", "added", "assess", "difference",
    "price", "read_subscriptions", "rows", "totals", "workings",
]  # fmt: skip


class Workings(NamedTuple):
    """Credit rows with what they were computed from: of each row its place in the groups.

    before: by row the minor units that were credited before and count for a limit over several months, where any were.
    """

    frame: pd.DataFrame
    codes: npt.NDArray[np.intp]
    groups: list[Group]
    before: Mapping[int, int] = {}


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
    facts = GroupFacts(list(windows), list(measurements), list(exclusions), as_of)
    cohorts = cohorts or {}
    subscriptions, codes, groups = groups_of(subscriptions, facts, policies, period, cohorts)
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

    frame |= _claim_columns(subscriptions, codes, groups, frame, facts, claims, gives_all)
    priced = pd.DataFrame(
        {**{name: frame[name] for name in COLUMNS}, "minor_units": frame["minor_units"]}, copy=False
    )
    return Workings(priced, codes, groups, {row: one.amount for row, one in before.items()})


def _columns(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], resting_on: tuple[str, ...],
    before: Mapping[int, Counted],
) -> dict[str, Any]:  # fmt: skip
    facts = [group.assessment for group in groups]
    least, most = credits_of(subscriptions, codes, groups, before)

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
        "minor_units": digits_of(subscriptions["currency"]),
    }


def _claim_columns(
    subscriptions: pd.DataFrame, codes: Codes, groups: list[Group], frame: Mapping[str, Any], facts: GroupFacts,
    claims: Sequence[Claim], gives_all: GivesAll,
) -> dict[str, Any]:  # fmt: skip
    """Return CLAIM_COLUMNS: where the claim of each row stands, the entries that say so, and until when it was in time."""

    def last_day_of(group: Group) -> str | None:
        return last_day(group, facts.measurements if reads_measurements(group.policy) else (), facts.as_of)

    in_days = np.asarray(
        [pair is not None and pair[1] > 0 for pair in (group.assessment.service_days for group in groups)], dtype=np.bool_
    )  # fmt: skip
    paid = frame["credit_at_most"] > 0
    if in_days.any():
        paid = paid | in_days.take(codes)
    found, at = standings(subscriptions["customer"], codes, groups, paid, claims, last_day_of, gives_all)
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
    limited = np.asarray(
        [group.policy.limits.rolling_percent is not None for group in groups], dtype=np.bool_
    )
    found: dict[int, Counted] = {}
    if not credited or not limited.any():
        return found
    where = np.flatnonzero(limited.take(codes))
    columns = ["subscription", "currency", "fee", "valid_from"]
    rows = subscriptions[columns].iloc[where].itertuples(index=False, name=None)
    for row, (name, currency, fee, began) in zip(where.tolist(), rows, strict=True):
        if name in credited:
            over = _over(groups[codes[row]], began)
            one, most = (count(name, currency, credited[name], over) for count in (counted, counted_most))
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


def _over(group: Group, began: pd.Timestamp) -> int | Year:
    """Return what a limit over several months looks over: so many of them, or the year in which the period ends.

    began: valid_from of the subscription, with whose month a year of the contract begins.
    """
    limits, period = group.policy.limits, group.period
    if limits.rolling_over == "months":
        return limits.rolling_months
    month = int(day_of(period.zone, period.end - 1)[5:7])
    return Year(month if limits.rolling_over == "calendar-year" else (month - began.month) % 12 + 1)


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
