"""History: every entry with both times, who said it and why; nothing is left out and nothing is folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from ledger.domain.events import (
    Commitment,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    WindowRevised,
)
from ledger.domain.instants import shown
from ledger.store.stream import Entry
from projections.marks import NONE, Marks, erased_words, marked, text_left
from projections.replay import revisions
from projections.state import value_text

__all__ = [
    "as_json",
    "event_json",
    "log_line",
    "mark_words",
    "numbered",
    "revision_numbers",
    "show_text",
    "signature",
    "subject",
    "subject_words",
]


def numbered(entries: Sequence[Entry]) -> Iterator[tuple[Entry, int | None]]:
    """Yield the entries of one incident with the number of the revision each belongs to, None while internal."""
    numbers = revision_numbers(entries)
    for entry in entries:
        yield entry, numbers.get(entry.version)


def revision_numbers(entries: Sequence[Entry]) -> dict[int, int]:
    """Return the number of the revision that each version of one incident belongs to, internal ones left out."""
    return {version: revision.number for revision in revisions(entries) for version in revision.versions}


def as_json(entry: Entry, revision: int | None = None, marks: Marks = NONE) -> dict[str, Any]:
    """Return an entry for programs (contract in docs/json.md); erased texts read "[erased]", others that are gone "[missing]"."""
    data = event_json(entry, marks)
    return {
        "position": entry.position,
        "stream": entry.stream,
        "version": entry.version,
        "revision": revision,
        "type": entry.type,
        "published_at": entry.published_at,
        "recorded_at": entry.recorded_at,
        "late": entry.late or marks.late,
        "clock_behind": entry.clock_behind,
        "idempotency_key": entry.idempotency_key,
        "event": data,
        "told_at": marks.told_at,
        "after_resolved": marks.after_resolved,
        "published_by": marks.published_by,
        "corrected_by": list(marks.corrected_by),
        "withdrawn_by": marks.withdrawn_by,
        "erased": msgspec.to_builtins(marks.erased),
    }


def event_json(entry: Entry, marks: Marks = NONE) -> dict[str, Any]:
    """Return what an event says, for programs: the fields that are there; texts that are gone read as in `as_json`."""
    event = entry.event
    data: dict[str, Any] = {}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        # What a revision says of its window is news whatever it is, false and null too: the window said something else.
        said = isinstance(event, WindowRevised) and name in _REVISABLE and value is not UNSET
        if not said and (value is None or value is UNSET or value == () or value is False):
            continue
        data[name] = (
            _text(value, name, marks) if isinstance(value, Commitment) else msgspec.to_builtins(value)
        )
    if isinstance(event, EntryCorrected):
        data["set"] = {
            name: _text(value, f"set.{name}", marks)
            if isinstance(value, Commitment) or (isinstance(value, dict) and set(value) == {"sha256"})
            else value
            for name, value in event.set.items()
        }
    return data


_REVISABLE = frozenset(
    field.name for field in msgspec.structs.fields(WindowRevised) if field.default is UNSET
)


def log_line(entry: Entry, revision: int | None, marks: Marks = NONE) -> str:
    """Return one entry as a line for people: where it stands, both times, who, why and from where, and its marks."""
    event = entry.event
    told = "internal" if entry.published_at is None else shown(entry.published_at)
    number = f"r{revision}" if revision else "-"
    parts = [
        f"@{entry.position}",
        f"v{entry.version}",
        number,
        subject_words(entry),
        told,
        signature(entry, marks),
    ]
    if event.source is not None:
        parts.append(f"source: {_text(event.source, 'source', marks)}")
    return "  ".join(parts) + mark_words(entry, marks)


def subject(entry: Entry) -> dict[str, Any]:
    """Return what an entry is about: `about` (the version it acts on), `window`, and `names` (the fields it corrects or erases)."""
    event = entry.event
    about: int | str | None = None
    names: tuple[str, ...] = ()
    if isinstance(event, EntryCorrected | EntryWithdrawn):
        about = event.corrects
    elif isinstance(event, EntryPublished):
        about = event.publishes
    elif isinstance(event, EntryRedacted):
        about, names = event.entry, event.fields
    if isinstance(event, EntryCorrected):
        names = tuple(sorted(event.set))
    return {"about": about, "window": getattr(event, "window", None), "names": list(names)}


def subject_words(entry: Entry) -> str:
    """Return the type of an entry and what it is about, for people: "entry.corrected v3 (body)"."""
    found = subject(entry)
    words = [entry.type]
    if found["about"] is not None:
        words.append(f"v{found['about']}")
    if found["window"] is not None:
        words.append(found["window"])
    if found["names"]:
        words.append(f"({', '.join(found['names'])})")
    return " ".join(words)


def signature(entry: Entry, marks: Marks = NONE) -> str:
    """Return when an entry was recorded, who says it and why, for people."""
    event = entry.event
    said = f"recorded {shown(entry.recorded_at)}  by {_text(event.actor, 'actor', marks)} (as claimed)"
    return said if event.reason is None else f"{said}  because: {_text(event.reason, 'reason', marks)}"


def _text(value: Any, field: str, marks: Marks) -> str | None:
    """Return a text of an entry as it is shown, by what was erased of it.

    Without marks it is not known which texts were erased, and every one that is gone is taken to be.
    """
    return text_left(value, marks is NONE or field in {made.field for made in marks.erased})


def mark_words(entry: Entry, marks: Marks) -> str:
    """Return the marks of an entry for people, ready to follow it."""
    published = "" if marks.told_at is None or marks.published_by is None else f", {shown(marks.told_at)}"
    return marked(
        entry.late or marks.late,
        marks.after_resolved,
        f"published by v{marks.published_by}{published}" if marks.published_by else "",
        f"corrected by {_versions(marks.corrected_by)}" if marks.corrected_by else "",
        f"withdrawn by v{marks.withdrawn_by}" if marks.withdrawn_by else "",
        *(f"{made.field} erased {erased_words(made)}" for made in marks.erased),
        "the clock was behind" if entry.clock_behind else "",
    )


def _versions(versions: Sequence[int]) -> str:
    return ", ".join(f"v{version}" for version in versions)


def show_text(entry: Entry, marks: Marks) -> str:
    """Return one entry with all it says, a field on each line, for people."""
    lines = [f"{entry.stream} v{entry.version}  @{entry.position}  {entry.type}{mark_words(entry, marks)}"]
    data = as_json(entry, marks.revision, marks)
    if data["told_at"] == data["published_at"]:
        data["told_at"] = None
    header = ("revision", "published_at", "told_at", "recorded_at", "idempotency_key")
    rows = [(name, data[name]) for name in header if data[name] is not None]
    said = [
        (name, value) for name, value in data["event"].items() if (name, value) not in rows
    ]  # the header has it already
    for name, value in [*rows, *said]:
        named = name in _REFERENCES or (name == "entry" and isinstance(entry.event, EntryRedacted))
        text = f"v{value}" if named else f"r{value}" if name == "revision" else value_text(value)
        # A text of several lines stays beside its name.
        words = text.replace("\n", "\n" + " " * 24)
        lines.append(f"  {name:<22}{words}")
    return "\n".join(lines) + "\n"


# Fields that name another entry of the same stream by its version.
_REFERENCES = frozenset(("corrects", "publishes"))
