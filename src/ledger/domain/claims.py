"""Exclusions and claims: what may happen to them, and what their streams say in the end.

An exclusion is a fact that policies are applied with; a claim is what a customer asked for, and what came of it. Both are
told in words of one customer, which can be erased: then the exclusion concerns nobody that can still be named.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NoReturn, TypeAlias

import msgspec

from ledger.domain.events import (
    AnyEvent,
    ClaimDecided,
    ClaimFiled,
    ClaimWithdrawn,
    Commitment,
    ExclusionRecorded,
    ExclusionWithdrawn,
    Text,
)
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import seconds
from ledger.domain.period import check_name
from ledger.errors import Refused

__all__ = [
    "ERASED",
    "Claim",
    "ClaimEvent",
    "ExclusionEvent",
    "claim_of",
    "decide_claim",
    "decide_exclusion",
    "exclusion_of",
]

ExclusionEvent: TypeAlias = ExclusionRecorded | ExclusionWithdrawn
ClaimEvent: TypeAlias = ClaimFiled | ClaimDecided | ClaimWithdrawn
# Stands where a customer was erased. No table of subscriptions can hold it: names there have no control characters.
ERASED = "\x00erased"


def _refuse(sentence: str) -> NoReturn:
    raise Refused(sentence)


# ---- exclusions ------------------------------------------------------------------------------------------


def decide_exclusion(events: list[AnyEvent], event: ExclusionEvent, key: str, told: str) -> None:
    """Refuse what may not happen to an exclusion. told: when the statement is public."""
    last = next(
        (one for one in reversed(events) if isinstance(one, ExclusionRecorded | ExclusionWithdrawn)), None
    )
    if isinstance(event, ExclusionWithdrawn):
        if last is None:
            _refuse(f"exclusion {key!r} does not exist; record it first")
        if isinstance(last, ExclusionWithdrawn):
            _refuse(f"exclusion {key!r} is already withdrawn")
        return
    for field in ("service", "component", "region"):
        if getattr(event, field) == "unknown":
            _refuse(f"{field} 'unknown' excludes nothing that can be named; name one, or write '*' for all")
    if event.end <= event.start:
        _refuse(f"end {event.end} is not after start {event.start}; an exclusion is [start, end)")
    if event.customer is not None and event.cohort is not None:
        _refuse(
            "customer and cohort are both given; an exclusion concerns one customer, one cohort or everybody"
        )
    if event.announced_at is not None and event.announced_at > told:
        _refuse(
            f"announced_at {event.announced_at} is after the statement itself ({told}); say it when it has happened"
        )
    if last is None:
        return
    if event.reason is None:
        _refuse(f"reason is missing: exclusion {key!r} was recorded before, so say why it is recorded again")
    if isinstance(last, ExclusionRecorded) and _said(event) == _said(last):
        _refuse(f"exclusion {key!r} already says all this; nothing would change")


def _said(event: ExclusionRecorded) -> tuple[object, ...]:
    return tuple(
        getattr(event, name)
        for name in ("kind", "service", "component", "region", "start", "end", "announced_at", "customer", "cohort",
                     "approved_by", "evidence")
    )  # fmt: skip


def exclusion_of(key: str, events: Iterable[tuple[int, AnyEvent]]) -> Exclusion | None:
    """Return what the (version, event) pairs of an exclusion's stream come to, None where none of them records it.

    Its entries are the versions that say so: the last record, and what withdrew it. A customer that was erased is ERASED.
    """
    found: Exclusion | None = None
    for version, event in events:
        name = f"exclusion/{key} v{version}"
        if isinstance(event, ExclusionRecorded):
            customer = ERASED if isinstance(event.customer, Commitment) else event.customer
            announced = None if event.announced_at is None else seconds(event.announced_at)
            found = Exclusion(
                key, event.kind, event.service, event.component, event.region, seconds(event.start), seconds(event.end),
                announced, customer, event.cohort, entries=(name,),
            )  # fmt: skip
        elif isinstance(event, ExclusionWithdrawn) and found is not None:
            found = msgspec.structs.replace(found, withdrawn=True, entries=(*found.entries, name))
    return found


# ---- claims ----------------------------------------------------------------------------------------------


class Claim(msgspec.Struct, frozen=True):
    """What became of a claim. at: when it arrived; decided_at: when the last decision was made, if it was said."""

    claim: str
    customer: Text
    period: str
    at: str
    incidents: tuple[str, ...]
    state: Literal["filed", "granted", "refused", "withdrawn"]
    decided_at: str | None = None
    entries: tuple[str, ...] = ()


def decide_claim(events: list[AnyEvent], event: ClaimEvent, key: str, told: str) -> None:
    """Refuse what may not happen to a claim. told: when the statement is public."""
    known = claim_of(key, enumerate(events, 1))
    if isinstance(event, ClaimFiled):
        check_name(event.period)
        if known is not None:
            _refuse(f"claim {key!r} was already filed (v1); decide or withdraw it, or file another one")
        if event.at > told:
            _refuse(f"at {event.at} is after the statement itself ({told}); say it when it has happened")
        return
    if known is None:
        _refuse(f"claim {key!r} does not exist; file it first")
    if known.state == "withdrawn":
        _refuse(f"claim {key!r} was withdrawn; nothing more happens to it, so file another one")
    if isinstance(event, ClaimDecided) and event.at is not None:
        if event.at > told:
            _refuse(f"at {event.at} is after the statement itself ({told}); say it when it has happened")
        if event.at < known.at:
            _refuse(f"at {event.at} is before the claim arrived ({known.at}); correct the time")


def claim_of(key: str, events: Iterable[tuple[int, AnyEvent]]) -> Claim | None:
    """Return what the (version, event) pairs of a claim's stream come to, None where none of them files it."""
    found: Claim | None = None
    for version, event in events:
        entries = (
            (f"claim/{key} v{version}",) if found is None else (*found.entries, f"claim/{key} v{version}")
        )
        if isinstance(event, ClaimFiled):
            found = Claim(
                key, event.customer, event.period, event.at, event.incidents, "filed", None, entries
            )
        elif isinstance(event, ClaimDecided) and found is not None:
            found = msgspec.structs.replace(found, state=event.decision, decided_at=event.at, entries=entries)
        elif isinstance(event, ClaimWithdrawn) and found is not None:
            found = msgspec.structs.replace(found, state="withdrawn", entries=entries)
    return found
