"""Claims beside credits: what granted claims give of a credit, where the claim of a row stands, and until when to claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.period import Period
from ledger.domain.policy import Policy
from ledger.domain.policy.deadline import claim_deadline
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.deadlines import closes, touching

if TYPE_CHECKING:
    from projections.credits import Group

__all__ = [
    "NOT_NEEDED",
    "Grant",
    "Standing",
    "State",
    "by_customer",
    "grant",
    "last_day",
    "rests_on",
    "standing",
    "standings",
]

State: TypeAlias = Literal["not-needed", "granted", "granted-in-part", "filed", "refused", "not-claimed"]


class Grant(msgspec.Struct, frozen=True):
    """The entries that granted a credit. only: the incidents it is granted for, None where that is all it rests on."""

    entries: tuple[str, ...]
    only: frozenset[str] | None = None


class Standing(NamedTuple):
    """Where the claim of a credit stands. claim: the entries that say so, with commas; None: none does. last_day: in time."""

    state: State
    claim: str | None = None
    last_day: str | None = None


NOT_NEEDED = Standing("not-needed")


def by_customer(claims: Iterable[Claim], *states: str) -> dict[str, list[Claim]]:
    """Return the claims in some states by their customer; those of an erased customer are nobody's."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.state in states and isinstance(claim.customer, str):
            found.setdefault(claim.customer, []).append(claim)
    return found


def rests_on(entries: Iterable[str]) -> frozenset[str]:
    """Return the incidents that entries such as "incident/email-2022-03 v3" are of."""
    streams = (entry.rpartition(" v")[0].partition("/") for entry in entries)
    return frozenset(key for kind, _, key in streams if kind == "incident")


def grant(claims: Sequence[Claim], incidents: frozenset[str], periods: Sequence[str]) -> Grant | None:
    """Return what granted claims give of a credit: all of it, or the part that incidents they name account for.

    incidents: what it rests on. periods: those that it may be claimed for: a policy with longer periods is claimed for by
    those, or by the month in which one ends.
    """
    claims = [one for one in claims if one.period in periods]
    for claim in claims:
        if not claim.incidents or (incidents and incidents.issubset(claim.incidents)):
            return Grant((claim.entries[-1],))
    naming = [one for one in claims if not incidents.isdisjoint(one.incidents)]
    named = frozenset(one for claim in naming for one in claim.incidents if one in incidents)
    if not named:
        return None
    return Grant(tuple(one.entries[-1] for one in naming), None if named == incidents else named)


def standing(
    claims: Sequence[Claim], incidents: frozenset[str], periods: Sequence[str], until: str | None
) -> Standing:
    """Return where the claim of a credit stands, of all claims of its customer that were not withdrawn."""
    granted = grant([one for one in claims if one.state == "granted"], incidents, periods)
    if granted is not None:
        state: State = "granted" if granted.only is None else "granted-in-part"
        return Standing(state, ", ".join(granted.entries), until)
    theirs = [
        one
        for one in claims
        if one.period in periods and (not one.incidents or not incidents.isdisjoint(one.incidents))
    ]
    for state in ("filed", "refused"):
        if some := [one.entries[-1] for one in theirs if one.state == state]:
            return Standing(state, ", ".join(some), until)
    return Standing("not-claimed", None, until)


def last_day(
    policy: Policy, windows: Iterable[Window], service: str, region: str, period: Period, now: int
) -> str | None:
    """Return the last day on which all of a credit can still be claimed in time; None where the terms set none.

    It is the first of the deadlines of the incidents that touch service and region in a period; where there is none, that of
    the period. now: UTC seconds up to which an open window has lasted at least.
    """
    days = [
        found.last_day
        for _, start, end, _ in touching(windows, service, region, period)
        if (found := closes(policy, start, end, period, now)) is not None
    ]
    if days:
        return min(days)
    try:
        found = claim_deadline(policy, period=period)
    except Refused:
        return None  # It is counted from an incident, and there is none.
    return None if found is None else found.last_day


def standings(
    customers: pd.Series, codes: npt.NDArray[np.intp], groups: Sequence[Group], paid: npt.NDArray[np.bool_],
    claims: Sequence[Claim], label: str, now: int,
) -> tuple[list[Standing], npt.NDArray[np.intp]]:  # fmt: skip
    """Return every standing that rows have, and for each row which it is.

    codes: the group of each row. paid: whether the policy gives it anything, so that there is something to claim. claims: those
    that may be for the period. Rows whose policies pay by themselves cost nothing.
    """
    asked = np.asarray([group.policy.claim.how == "on-request" for group in groups], dtype=np.bool_)
    if not asked.any():
        return [NOT_NEEDED], np.zeros(len(codes), dtype=np.intp)
    days = [_until(group, now) if ask else None for group, ask in zip(groups, asked.tolist(), strict=True)]
    found = [NOT_NEEDED, *(Standing("not-claimed", None, day) for day in days)]
    places = np.where(asked[codes] & paid, codes + 1, 0).astype(np.intp)
    theirs = by_customer(claims, "granted", "filed", "refused")
    where = np.flatnonzero(places)
    where = where[customers.take(where).isin(list(theirs)).to_numpy()]
    known: dict[tuple[int, str], int] = {}
    for row, customer in zip(where.tolist(), customers.take(where).tolist(), strict=True):
        key = int(codes[row]), str(customer)
        if key not in known:
            group = groups[key[0]]
            known[key] = len(found)
            incidents = rests_on(group.assessment.entries)
            found.append(standing(theirs[key[1]], incidents, (label, group.period.label), days[key[0]]))
        places[row] = known[key]
    return found, places


def _until(group: Group, now: int) -> str | None:
    members: Mapping[str, Any] = group.memberships
    windows = [
        window
        for window, _ in group.found
        if window.cohort is None or window.cohort not in members or members[window.cohort].inside
    ]
    return last_day(group.policy, windows, group.service, group.region, group.period, now)
