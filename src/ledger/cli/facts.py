"""The facts a credit run rests on, read under a cut: policies and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.events import PolicyPublished, SubscriptionsPublished
from ledger.domain.policy import Policy, parse_policy
from ledger.errors import Refused, Unavailable
from ledger.store.stream import read_stream

if TYPE_CHECKING:
    import pandas as pd

    from ledger.store.log import SealedLog

__all__ = ["policies", "subscriptions"]


def policies(
    log: SealedLog, upto: int | None
) -> tuple[dict[str, list[tuple[int, Policy]]], dict[tuple[str, int], str]]:
    """Return every policy's versions that the ledger held at a position, and the text of each."""
    found: dict[str, list[tuple[int, Policy]]] = {}
    terms: dict[tuple[str, int], str] = {}
    for stream in log.streams("policy/", limit=100_000):
        for entry in read_stream(log, stream, upto_position=upto):
            if isinstance(entry.event, PolicyPublished):
                found.setdefault(entry.key, []).append((entry.version, parse_policy(entry.event.terms)))
                terms[entry.key, entry.version] = entry.event.terms
    return found, terms


def subscriptions(
    log: SealedLog, upto: int | None, keys: tuple[str, ...]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the latest tables of subscriptions at a position as one, and where each came from."""
    import pandas as pd

    from projections.subscriptions import read_subscriptions

    streams = [f"subscriptions/{key}" for key in keys] or log.streams("subscriptions/", limit=100_000)
    frames, sources = [], []
    for stream in streams:
        published = [
            entry for entry in read_stream(log, stream, upto_position=upto)
            if isinstance(entry.event, SubscriptionsPublished)
        ]  # fmt: skip
        if not published:
            continue
        entry = published[-1]
        if not isinstance(entry.event, SubscriptionsPublished):
            raise TypeError(entry.type)
        table = entry.event.table
        content = (
            log.content(table.sha256) if table.location is None else _located(table.location, table.sha256)
        )
        if content is None:
            raise Unavailable(f"the table of {stream} v{entry.version} is not kept; run ledger verify")
        frames.append(read_subscriptions(content, table.format))
        sources.append(
            {"stream": stream, "version": entry.version, "sha256": table.sha256, "rows": table.rows}
        )
    if not frames:
        raise Refused(
            "no subscriptions are published; publish them with: ledger subscriptions publish KEY FILE"
        )
    if len(frames) == 1:
        return frames[0], sources
    whole = pd.concat(frames, ignore_index=True)
    repeated = whole["subscription"][whole["subscription"].duplicated()]
    if len(repeated):
        raise Refused(
            f"subscription {repeated.iloc[0]!r} stands in more than one table; name the table with --subscriptions"
        )
    return whole, sources


def _located(location: str, digest: str) -> bytes:
    from hashlib import sha256

    try:
        with open(location, "rb") as source:
            content = source.read()
    except OSError as error:
        raise Unavailable(f"the table at {location} cannot be read: {error.strerror}") from None
    if (found := sha256(content).hexdigest()) != digest:
        raise Unavailable(
            f"the table at {location} has digest {found}, but {digest} was published; it was changed since"
        )
    return content
