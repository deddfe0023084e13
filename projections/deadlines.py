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
from ledger.domain.policy.periods import parse_policy_period
from ledger.domain.window import Window, place
from ledger.errors import Refused

__all__ = ["Due", "DueState", "Place", "as_json", "closes", "dues", "touching"]

DueState: TypeAlias = Literal["claimed", "late", "open", "missed"]


class Place(msgspec.Struct, frozen=True):
    """What a customer subscribes to, and the terms: a policy that asks for a claim. not_in: cohorts the customer is not in."""

    customer: str
    policy: str
    policy_version: int
    service: str
    region: str
    terms: Policy
    not_in: frozenset[str] = frozenset()


class Due(msgspec.Struct, frozen=True):
    """The deadline of one customer for one incident.

    rule: the claim window in words. before: the first instant that is too late; last_day: the last day in time. claims:
    those that name the incident or the whole period, with when they arrived and what became of them.
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


def dues(
    places: Iterable[Place],
    windows: Sequence[Window],
    claims: Sequence[Claim],
    told: Mapping[str, str],
    period: str,
    now: str,
) -> list[Due]:
    """Return the deadlines of a period, where a policy sets any, by customer, policy, service, region and incident.

    windows: those of the period, of all incidents. told: by entry, such as "incident/email-2022-03 v3", when it was
    published. now: the present in the ledger's spelling, up to which an open window has lasted at least.
    """
    spans: dict[tuple[str, str, str, frozenset[str]], list[tuple[str, int, int | None, tuple[str, ...]]]] = {}
    found: list[Due] = []
    by_customer: dict[str, list[Claim]] = {}
    for claim in claims:
        if isinstance(claim.customer, str) and claim.period == period and claim.state != "withdrawn":
            by_customer.setdefault(claim.customer, []).append(claim)
    for one in places:
        where = (one.service, one.region, one.terms.zone, one.not_in)
        if where not in spans:
            theirs_too = [window for window in windows if window.cohort not in one.not_in]
            span = parse_period(period, one.terms.zone)
            spans[where] = touching(theirs_too, one.service, one.region, span)
        for incident, start, end, entries in spans[where]:
            theirs = [
                claim
                for claim in by_customer.get(one.customer, ())
                if not claim.incidents or incident in claim.incidents
            ]
            due = _due(one, incident, start, end, entries, theirs, told, period, now)
            found += [] if due is None else [due]
    return sorted(found, key=lambda due: (due.customer, due.policy, due.service, due.region, due.incident))


def touching(
    windows: Iterable[Window], service: str, region: str, span: Period
) -> list[tuple[str, int, int | None, tuple[str, ...]]]:
    """Return for each incident that touches a place in a period: its start and end there, and the entries about it."""
    here: dict[str, list[Window]] = {}
    for window in windows:
        touches = window.start < span.end and (window.end is None or window.end > span.start)
        if not window.withdrawn and touches and window.service == service:
            if place(window.region, window.regions, region) is not None:
                here.setdefault(window.incident, []).append(window)
    found = []
    for incident, some in sorted(here.items()):
        ends = [window.end for window in some]
        end = None if None in ends else max(end for end in ends if end is not None)
        entries = tuple(dict.fromkeys(entry for window in some for entry in window.entries))
        found.append((incident, min(window.start for window in some), end, entries))
    return found


def _due(
    one: Place, incident: str, start: int, end: int | None, entries: Sequence[str], claims: Sequence[Claim],
    told: Mapping[str, str], period: str, now: str,
) -> Due | None:  # fmt: skip
    deadline = closes(one.terms, start, end, _period(one.terms, period), seconds(now))
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
        deadline.last_day, state, tuple(claims), revised,
    )  # fmt: skip


def closes(policy: Policy, start: int, end: int | None, period: Period | None, now: int) -> Deadline | None:
    """Return until when an incident that lasted from start to end (None: it is open) may be claimed; None: no claim is asked for.

    period: the policy's own that is claimed for; None: the one it began in. now: up to when it has lasted at least, if open.
    """
    # While a window is open its end is yet to come: a deadline that begins there is not before this.
    ends = max(start, now) if end is None else end
    return claim_deadline(policy, incident_start=start, incident_end=ends, period=period)


def _period(policy: Policy, label: str) -> Period | None:
    """Return the policy's own period of a label, None where it has periods of another kind: the incident's counts."""
    try:
        return parse_policy_period(policy.period, label)
    except Refused:
        return None


def as_json(due: Due) -> dict[str, Any]:
    """Return a deadline for programs (contract in docs/json.md)."""
    found: dict[str, Any] = msgspec.to_builtins(due)
    found["claims"] = [
        {"claim": claim.claim, "at": claim.at, "state": claim.state, "in_time": claim.at < due.before}
        for claim in due.claims
    ]
    found["revised_after"] = [{"entry": entry, "published_at": at} for entry, at in due.revised_after]
    return found
