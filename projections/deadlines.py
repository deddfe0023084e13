"""Deadlines: until when each customer may claim for each incident, what was claimed, and what was revised too late.

A vendor that revises its windows after a customer's deadline has passed has taken the claim away without saying so. Each
row therefore names the entries that touched the incident's windows there and were told after its deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from ledger.domain.claims import Claim
from ledger.domain.instants import from_seconds, seconds
from ledger.domain.period import Period, parse_period
from ledger.domain.policy import Policy
from ledger.domain.policy.deadline import Deadline, claim_deadline
from ledger.domain.policy.periods import claim_labels
from ledger.domain.window import Window
from projections.availability import concerning, is_wide

__all__ = ["Due", "DueState", "Place", "as_json", "by_customer", "closes", "dues", "touching"]

DueState: TypeAlias = Literal["claimed", "late", "open", "missed"]


class Place(msgspec.Struct, frozen=True):
    """What a customer subscribes to, and the terms: a policy that asks for a claim.

    period: the policy's own that is claimed for, of which a month is a part, or that is a part of it. not_in: cohorts the
    customer is not in.
    """

    customer: str
    policy: str
    policy_version: int
    service: str
    region: str
    terms: Policy
    period: Period
    not_in: frozenset[str] = frozenset()


class Due(msgspec.Struct, frozen=True):
    """The deadline of one customer for one incident.

    rule: the claim window in words. before: the first instant that is too late; last_day: the last day in time. claims:
    those that name the period, and the incident or the whole of it, with when they arrived and what became of them. period: the
    label of the policy's own period that is claimed for.
    state: claimed in time, claimed late, still open, or missed. revised_after: entries about windows there that were told
    after the deadline, with when; only these make a missed or late claim the vendor's doing.
    """

    customer: str
    policy: str
    policy_version: int
    service: str
    region: str
    incident: str
    rule: str
    before: str
    last_day: str
    state: DueState
    claims: tuple[Claim, ...]
    revised_after: tuple[tuple[str, str], ...]
    period: str


def dues(
    places: Iterable[Place],
    windows: Sequence[Window],
    claims: Sequence[Claim],
    told: Mapping[str, str],
    month: str,
    now: str,
) -> list[Due]:
    """Return the deadlines for incidents of a month, where a policy sets any, by customer, policy, service, region and incident.

    windows: those of the periods of all places, of all incidents. told: by entry, such as "incident/email-2022-03 v3", when it
    was published. now: the present in the ledger's spelling, up to which an open window has lasted at least.
    """
    spans: dict[tuple[Any, ...], list[_Touched]] = {}
    found: list[Due] = []
    theirs = by_customer(claims, "filed", "granted", "refused")
    for one in places:
        where = (one.service, one.region if not is_wide(one.terms) else None, one.period, one.not_in)
        if where not in spans:
            spans[where] = _touched(one, windows, parse_period(month, one.terms.zone))
        labels = claim_labels(one.terms.period, one.period)
        mine = [claim for claim in theirs.get(one.customer, ()) if claim.period in labels]
        for incident, start, end, entries in spans[where]:
            about = [claim for claim in mine if not claim.incidents or incident in claim.incidents]
            due = _due(one, incident, start, end, entries, about, told, now)
            found += [] if due is None else [due]
    return sorted(
        found,
        key=lambda due: (
            due.customer, due.policy, due.service, due.region, due.incident, due.policy_version, due.period, due.last_day,
        ),
    )  # fmt: skip


# An incident: its start and end in a place, and the entries about it.
_Touched: TypeAlias = "tuple[str, int, int | None, tuple[str, ...]]"


def _touched(one: Place, windows: Iterable[Window], month: Period) -> list[_Touched]:
    """Return the incidents that touch a place in the part of its period that lies in a month, each as in all of the period."""
    theirs = [window for window in windows if window.cohort not in one.not_in]
    part = msgspec.structs.replace(
        one.period, start=max(one.period.start, month.start), end=min(one.period.end, month.end)
    )
    here = {incident for incident, *_ in touching(theirs, one.terms, one.service, one.region, part)}
    whole = touching(theirs, one.terms, one.service, one.region, one.period)
    return [each for each in whole if each[0] in here]


def touching(
    windows: Iterable[Window], policy: Policy, service: str, region: str, span: Period
) -> list[_Touched]:
    """Return for each incident that touches a place in a period: its start and end there, and the entries about it.

    policy: where it looks at several regions, all of the service are the place.
    """
    here: dict[str, list[Window]] = {}
    for window, _ in concerning(policy, windows, service, region):
        if window.start < span.end and (window.end is None or window.end > span.start):
            here.setdefault(window.incident, []).append(window)
    found: list[_Touched] = []
    for incident, some in sorted(here.items()):
        ends = [window.end for window in some]
        end = None if None in ends else max(end for end in ends if end is not None)
        entries = tuple(dict.fromkeys(entry for window in some for entry in window.entries))
        found.append((incident, min(window.start for window in some), end, entries))
    return found


def by_customer(claims: Iterable[Claim], *states: str) -> dict[str, list[Claim]]:
    """Return the claims in some states by their customer; those of an erased customer are nobody's."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        if claim.state in states and isinstance(claim.customer, str):
            found.setdefault(claim.customer, []).append(claim)
    return found


def _due(
    one: Place, incident: str, start: int, end: int | None, entries: Sequence[str], claims: Sequence[Claim],
    told: Mapping[str, str], now: str,
) -> Due | None:  # fmt: skip
    deadline = closes(one.terms, start, end, one.period, seconds(now))
    if deadline is None:
        return None
    before = from_seconds(deadline.ends)
    state: DueState = (
        "claimed" if any(claim.at < before for claim in claims)
        else "late" if claims else "open" if now < before else "missed"
    )  # fmt: skip
    revised = tuple((entry, told[entry]) for entry in entries if entry in told and told[entry] >= before)
    return Due(
        one.customer, one.policy, one.policy_version, one.service, one.region, incident, deadline.words, before,
        deadline.last_day, state, tuple(claims), revised, one.period.label,
    )  # fmt: skip


def closes(policy: Policy, start: int, end: int | None, period: Period | None, now: int) -> Deadline | None:
    """Return until when an incident that lasted from start to end (None: it is open) may be claimed; None: no claim is asked for.

    period: the policy's own that is claimed for; None: the one it began in. now: up to when it has lasted at least, if open.
    """
    # While a window is open its end is yet to come: a deadline that begins there is not before this.
    ends = max(start, now) if end is None else end
    return claim_deadline(policy, incident_start=start, incident_end=ends, period=period)


def as_json(due: Due) -> dict[str, Any]:
    """Return a deadline for programs (contract in docs/json.md)."""
    found: dict[str, Any] = msgspec.to_builtins(due)
    found["claims"] = [
        {"claim": claim.claim, "at": claim.at, "state": claim.state, "in_time": claim.at < due.before}
        for claim in due.claims
    ]
    found["revised_after"] = [{"entry": entry, "published_at": at} for entry, at in due.revised_after]
    return found
