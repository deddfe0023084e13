"""History: every entry with both times, who said it and why; nothing is left out and nothing is folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.domain.events import Commitment, EntryCorrected, WindowRevised
from ledger.domain.instants import shown
from ledger.store.stream import Entry, text_or_erased
from projections.replay import revisions

__all__ = ["as_json", "find_entry", "log_line", "numbered", "revision_numbers"]


def numbered(entries: Sequence[Entry]) -> Iterator[tuple[Entry, int | None]]:
    """Yield the entries of one incident with the number of the revision each belongs to, None while internal."""
    numbers = revision_numbers(entries)
    for entry in entries:
        yield entry, numbers.get(entry.version)


def revision_numbers(entries: Sequence[Entry]) -> dict[int, int]:
    """Return the number of the revision that each version of one incident belongs to, internal ones left out."""
    return {version: revision.number for revision in revisions(entries) for version in revision.versions}


def as_json(entry: Entry, revision: int | None = None) -> dict[str, Any]:
    """Return an entry for programs (contract in docs/json.md); erased texts read "[erased]"."""
    event = entry.event
    data: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if value is None or value is UNSET or value == () or value is False:
            if not (isinstance(event, WindowRevised) and value is None and name in _CLEARABLE):
                continue
        data[name] = text_or_erased(value) if isinstance(value, Commitment) else msgspec.to_builtins(value)
    if isinstance(event, EntryCorrected):
        data["set"] = {
            name: "[erased]" if isinstance(value, dict) and set(value) == {"sha256"} else value
            for name, value in event.set.items()
        }
    return {
        "position": entry.position,
        "stream": entry.stream,
        "version": entry.version,
        "revision": revision,
        "type": entry.type,
        "published_at": entry.published_at,
        "recorded_at": entry.recorded_at,
        "late": entry.late,
        "clock_behind": entry.clock_behind,
        "idempotency_key": entry.idempotency_key,
        "event": data,
    }


_CLEARABLE = frozenset(
    ("end", "share_at_most", "share_at_least", "share_of", "start_within_seconds", "end_within_seconds", "basis",
     "quote", "cohort", "planned")
)  # fmt: skip


def log_line(entry: Entry, revision: int | None) -> str:
    """Return one entry as a line for people: where it stands, both times, who and why."""
    event = entry.event
    told = "internal" if entry.published_at is None else shown(entry.published_at)
    number = f"r{revision}" if revision else "-"
    parts = [f"@{entry.position}", f"v{entry.version}", number, entry.type, told]
    parts.append(f"recorded {shown(entry.recorded_at)}")
    parts.append(f"by {text_or_erased(event.actor)} (as claimed)")
    if event.reason is not None:
        parts.append(f"because: {text_or_erased(event.reason)}")
    return "  ".join(parts)


def find_entry(entries: Iterable[Entry], version: int) -> Entry | None:
    """Return the entry of a version."""
    return next((entry for entry in entries if entry.version == version), None)
