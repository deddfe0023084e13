"""Claims beside credits: what granted claims give of a credit, where the claim of a row stands, and until when to claim."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.measurement import Measurement
from ledger.domain.policy.periods import claim_labels
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.deadlines import by_customer, first_deadline
from projections.evaluation.evidence import Evidence

if TYPE_CHECKING:
    from projections.credits import Group

__all__ = [
    "NOT_NEEDED",
    "ClaimState",
    "GivesAll",
    "Grant",
    "Standing",
    "grant",
    "incidents_of",
    "last_day",
    "standing",
    "standings",
    "windows_of",
]

# Of some rows whether the windows of some incidents alone give them as much as all windows do.
GivesAll: TypeAlias = "Callable[[npt.NDArray[np.intp], frozenset[str]], npt.NDArray[np.bool_]]"
ClaimState: TypeAlias = Literal["not-needed", "granted", "granted-in-part", "filed", "refused", "not-claimed"]


class Grant(msgspec.Struct, frozen=True):
    """The entries that granted a credit. only: the incidents it is granted for, None where that is all it rests on."""

    entries: tuple[str, ...]
    only: frozenset[str] | None = None


class Standing(NamedTuple):
    """Where the claim of a credit stands. claim: the entries that say so, with commas; None: none does. last_day: in time.

    only: the incidents it is granted for, None where that is all it rests on, or nothing is granted.
    """

    state: ClaimState
    claim: str | None = None
    last_day: str | None = None
    only: frozenset[str] | None = None


NOT_NEEDED = Standing("not-needed")


def incidents_of(entries: Iterable[str]) -> frozenset[str]:
    """Return the incidents that entries such as "incident/email-2022-03 v3" are of."""
    streams = (entry.rpartition(" v")[0].partition("/") for entry in entries)
    return frozenset(key for kind, _, key in streams if kind == "incident")


def windows_of(windows: Iterable[Window], incidents: frozenset[str]) -> tuple[Window, ...]:
    """Return the windows of some incidents: what a claim that names them accounts for is what a policy gives for these alone."""
    return tuple(window for window in windows if window.incident in incidents)


def grant(claims: Sequence[Claim], incidents: frozenset[str], periods: Sequence[str]) -> Grant | None:
    """Return what granted claims give of a credit: all of it, or the part that incidents they name account for.

    incidents: what it rests on. periods: the labels by which a claim names its period, as `claim_labels` returns them.
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
    """Return where the claim of a credit stands, of all claims of its customer that were not withdrawn.

    One that is granted for some of the incidents is granted in part, until it is known that these alone give as much.
    """
    granted = grant([one for one in claims if one.state == "granted"], incidents, periods)
    if granted is not None:
        state: ClaimState = "granted" if granted.only is None else "granted-in-part"
        return Standing(state, ", ".join(granted.entries), until, granted.only)
    theirs = [
        one
        for one in claims
        if one.period in periods and (not one.incidents or not incidents.isdisjoint(one.incidents))
    ]
    for state in ("filed", "refused"):
        if some := [one.entries[-1] for one in theirs if one.state == state]:
            return Standing(state, ", ".join(some), until)
    return Standing("not-claimed", None, until)


def last_day(group: Group, measurements: Sequence[Measurement], now: int) -> str | None:
    """Return the last day on which all of the credits of a group can still be claimed in time; None where the terms set none.

    It is the first of the deadlines of the incidents there whose windows count; where none does, that of the period. measurements:
    those that its policy may read. now: UTC seconds up to which an open window has lasted at least.
    """
    windows = tuple(window for window, _ in group.found)
    evidence = Evidence(
        group.service, group.region, group.period, now, windows, tuple(measurements), tuple(group.exclusions),
        group.valid, group.customer, group.memberships,
    )  # fmt: skip
    try:
        deadline = first_deadline(group.policy, evidence, group.period)
    except Refused:
        return None  # It is counted from an incident, and none counts.
    return None if deadline is None else deadline.last_day


def standings(
    customers: pd.Series, codes: npt.NDArray[np.intp], groups: Sequence[Group], paid: npt.NDArray[np.bool_],
    claims: Sequence[Claim], last_day_of: Callable[[Group], str | None], gives_all: GivesAll,
) -> tuple[list[Standing], npt.NDArray[np.intp]]:  # fmt: skip
    """Return every standing that rows have, and for each row which it is.

    codes: the group of each row. paid: whether the policy gives it anything, so that there is something to claim. claims: those
    that may be for the period. gives_all: is asked of rows that are granted for some of their incidents, and with these. Rows
    whose policies pay by themselves cost nothing.
    """
    on_request = np.asarray([group.policy.claim.how == "on-request" for group in groups], dtype=np.bool_)
    asked = on_request[codes] & paid
    if not asked.any():
        return [NOT_NEEDED], np.zeros(len(codes), dtype=np.intp)
    in_use = set(np.unique(codes[asked]).tolist())
    days = [last_day_of(group) if at in in_use else None for at, group in enumerate(groups)]
    found = [NOT_NEEDED, *(Standing("not-claimed", None, day) for day in days)]
    places = np.where(asked, codes + 1, 0).astype(np.intp)
    theirs = by_customer(claims, "granted", "filed", "refused")
    where = np.flatnonzero(places)
    where = where[customers.take(where).isin(list(theirs)).to_numpy()]
    known: dict[tuple[int, str], int] = {}
    for row, customer in zip(where.tolist(), customers.take(where).tolist(), strict=True):
        key = int(codes[row]), str(customer)
        if key not in known:
            group = groups[key[0]]
            known[key] = len(found)
            incidents = incidents_of(group.assessment.entries)
            found.append(
                standing(
                    theirs[key[1]], incidents, claim_labels(group.policy.period, group.period), days[key[0]]
                )
            )
        places[row] = known[key]
    _settle(found, places, gives_all)
    return found, places


def _settle(found: list[Standing], places: npt.NDArray[np.intp], gives_all: GivesAll) -> None:
    """Let rows that their part gives as much as the whole stand as granted: by the amount, as they are paid."""
    parts: dict[frozenset[str], list[int]] = {}
    for at, one in enumerate(found):
        if one.only is not None:
            parts.setdefault(one.only, []).append(at)
    for only in sorted(parts, key=sorted):
        rows = np.flatnonzero(np.isin(places, parts[only]))
        rows = rows[gives_all(rows, only)]
        for at in np.unique(places[rows]).tolist():
            places[rows[places[rows] == at]] = len(found)
            found.append(found[at]._replace(state="granted", only=None))
