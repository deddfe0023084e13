"""Exclusions, claims and closed months as the ledger holds them under a cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.domain.claims import Claim, claim_of, exclusion_of
from ledger.domain.documents import is_closed
from ledger.domain.exclusion import Exclusion
from ledger.store.stream import Entry, read_stream
from projections.replay import Cut, told

if TYPE_CHECKING:
    from ledger.domain.events import AnyEvent
    from ledger.store.log import SealedLog

__all__ = ["claims", "closed_months", "exclusions", "published_times"]

_STREAMS_MOST = 1_000_000


def _seen(log: SealedLog, stream: str, cut: Cut) -> list[tuple[int, AnyEvent]]:
    """Return the (version, event) pairs of a stream that a cut lets through, in the order told."""
    return [(one.entry.version, one.entry.event) for one in told(read_stream(log, stream), cut, "house")]


def exclusions(log: SealedLog, cut: Cut) -> list[Exclusion]:
    """Return every exclusion that was recorded, withdrawn ones too, in the order of their keys."""
    found = (
        exclusion_of(stream.partition("/")[2], _seen(log, stream, cut))
        for stream in log.streams("exclusion/", limit=_STREAMS_MOST)
    )
    return [one for one in found if one is not None]


def claims(log: SealedLog, cut: Cut) -> list[Claim]:
    """Return every claim that was filed, withdrawn ones too, in the order of their keys."""
    found = (
        claim_of(stream.partition("/")[2], _seen(log, stream, cut))
        for stream in log.streams("claim/", limit=_STREAMS_MOST)
    )
    return [one for one in found if one is not None]


def closed_months(log: SealedLog) -> list[str]:
    """Return the months whose books are closed."""
    return [
        stream.partition("/")[2]
        for stream in log.streams("period/", limit=_STREAMS_MOST)
        if is_closed(entry.event for entry in read_stream(log, stream))
    ]


def published_times(log: SealedLog, incidents: Iterable[str]) -> dict[str, str]:
    """Return when the entries of incidents were made public, by names such as "incident/email-2022-03 v3"."""
    found: dict[str, str] = {}
    for incident in incidents:
        entries: list[Entry] = read_stream(log, f"incident/{incident}")
        found.update((f"{one.entry.stream} v{one.entry.version}", one.told_at) for one in told(entries))
    return found
