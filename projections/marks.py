"""Marks: what a reader must know about an entry besides what it says.

Late (published before it was recorded), told after the incident stood as resolved, corrected or withdrawn by a later
entry, published by a later one, texts erased by whom and why, and which services and regions it concerns. One place
says it, so that a mark is the same wherever the entry appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ledger.domain.events import (
    AnyEvent,
    Commitment,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    MeasurementRecorded,
    Text,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import Facts, effective, fold
from ledger.domain.instants import shown
from ledger.domain.window import EVERY, UNKNOWN
from ledger.store.stream import Entry, text_or_erased
from projections.replay import Cut, Told, folded, revisions, told

__all__ = [
    "NONE",
    "Concern",
    "Erasure",
    "Marks",
    "concerns",
    "erased_by",
    "erased_words",
    "erasures",
    "marked",
    "marks",
    "marks_of",
    "text_left",
    "value_at",
    "words",
]


_ACTING = frozenset((EntryCorrected, EntryWithdrawn, EntryPublished))


class Erasure(msgspec.Struct, frozen=True):
    """A text that was erased: of which entry and field, by which entry, who (as claimed), when and why."""

    version: int
    field: str
    by_version: int
    actor: str
    published_at: str | None
    recorded_at: str
    reason: str


class Marks(msgspec.Struct, frozen=True):
    """What is marked about one entry under a cut.

    told_at: when the public was told, by itself or by the entry that published it (published_by); None while internal.
    late: it is said to have been told before that was recorded. after_resolved: told while the incident stood as resolved,
    completed or postmortem. corrected_by, withdrawn_by, published_by: versions in the same stream.
    """

    revision: int | None = None
    told_at: str | None = None
    late: bool = False
    after_resolved: bool = False
    published_by: int | None = None
    corrected_by: tuple[int, ...] = ()
    withdrawn_by: int | None = None
    erased: tuple[Erasure, ...] = ()


NONE = Marks()


def marks(entries: Sequence[Entry], cut: Cut = Cut()) -> dict[int, Marks]:
    """Return by version the marks of every entry of one stream, as they stand under a cut.

    What was erased is gone under every cut, so it is always said.
    """
    seen = told(entries, cut)
    if not entries or not entries[0].stream.startswith("incident/"):
        return marks_of(entries, seen, frozenset(), {}, erasures(entries))
    numbers = {version: one.number for one in revisions(entries) for version in one.versions}
    return marks_of(entries, seen, folded(seen).over, numbers, erasures(entries))


def marks_of(
    entries: Sequence[Entry],
    seen: Sequence[Told],
    over: frozenset[int],
    numbers: Mapping[int, int],
    gone: Mapping[int, tuple[Erasure, ...]],
) -> dict[int, Marks]:
    """Return the marks of entries that were read before: those shown, told after resolved, numbers of revisions, what was erased."""
    by_version = {one.entry.version: one for one in seen}
    corrected: dict[int, list[int]] = {}
    withdrawn: dict[int, int] = {}
    published: dict[int, int] = {}
    for one in seen:
        event = one.entry.event
        if type(event) not in _ACTING:
            continue
        if isinstance(event, EntryCorrected):
            corrected.setdefault(int(event.corrects), []).append(one.entry.version)
        elif isinstance(event, EntryWithdrawn):
            withdrawn[int(event.corrects)] = one.entry.version
        elif isinstance(event, EntryPublished):
            published[int(event.publishes)] = one.entry.version
    found = {}
    for entry in entries:
        version = entry.version
        shown_as = by_version.get(version)
        found[version] = Marks(
            revision=numbers.get(version),
            told_at=shown_as.told_at if shown_as else None,
            late=shown_as.late if shown_as else entry.late,
            after_resolved=version in over,
            published_by=published.get(version),
            corrected_by=tuple(corrected.get(version, ())),
            withdrawn_by=withdrawn.get(version),
            erased=gone.get(version, ()),
        )
    return found


def erasures(entries: Iterable[Entry], *, public: bool = False) -> dict[int, tuple[Erasure, ...]]:
    """Return by version which texts of an entry were erased; public: only where that was said in public."""
    found: dict[int, tuple[Erasure, ...]] = {}
    redactions = [(one, one.event) for one in entries if isinstance(one.event, EntryRedacted)]
    # A redaction may be redacted itself.
    gone = {(int(event.entry), field) for _, event in redactions for field in event.fields}
    for entry, event in redactions:
        if public and event.internal:
            continue
        version = int(event.entry)
        found[version] = found.get(version, ()) + tuple(
            Erasure(
                version, field, entry.version, text_left(event.actor, (entry.version, "actor") in gone) or "",
                entry.published_at, entry.recorded_at, text_left(event.reason, (entry.version, "reason") in gone) or "",
            )
            for field in event.fields
        )  # fmt: skip
    return found


def text_left(value: Any, erased: bool) -> str | None:
    """Return a text as it is shown; one that is gone although no entry erased it reads "[missing]"."""
    gone = value is not None and type(value) is not str
    return "[missing]" if gone and not erased else text_or_erased(value)


def erased_by(entries: Iterable[Entry], erased: Mapping[int, tuple[Erasure, ...]]) -> dict[str, Erasure]:
    """Return what was erased of entries by the commitment that stands where the text stood, wherever a fold took it."""
    found: dict[str, Erasure] = {}
    if not erased:
        return found
    for entry in entries:
        for made in erased.get(entry.version, ()):
            value = value_at(entry, made.field)
            if isinstance(value, Commitment):
                found[value.sha256] = made
    return found


def value_at(entry: Entry, path: str) -> Text:
    """Return the text of an entry at a path, such as `body` or `set.body`; its commitment where it was erased."""
    event = entry.event
    if isinstance(event, EntryCorrected) and path.startswith("set."):
        value = event.set[path[4:]]
        if isinstance(value, Commitment):
            return value
        return Commitment(value["sha256"]) if isinstance(value, dict) else str(value)
    found: Text = getattr(event, path)
    return found


def words(made: Erasure) -> str:
    """Return who erased a text, when and why, for people."""
    return f"Erased {shown(made.recorded_at)} ({made.field}) by {made.actor} (as claimed): {made.reason}"


def erased_words(made: Erasure) -> str:
    """Return when a text was erased, by whom and why, for people, ready to follow the word that it was."""
    return f"{shown(made.recorded_at)} by {made.actor} (as claimed): {made.reason}"


def marked(late: bool, after: bool, *more: str) -> str:
    """Return the marks of a statement for people, ready to follow it: "  [after resolved, recorded later]", or nothing."""
    found = [mark for mark, on in (("after resolved", after), ("recorded later", late)) if on]
    found += [mark for mark in more if mark]
    return f"  [{', '.join(found)}]" if found else ""


class Concern(msgspec.Struct, frozen=True):
    """The services and regions an entry concerns."""

    services: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    def __or__(self, other: Concern) -> Concern:
        return Concern(self.services | other.services, self.regions | other.regions)


def concerns(entries: Sequence[Entry]) -> dict[int, Concern]:
    """Return by version which services and regions an entry of an incident concerns.

    A window or measurement concerns its own; a region of "*" or "unknown" stands for all that the incident affects. What
    acts on another entry concerns what that one does. Everything else concerns what the incident affects right then.
    """
    if not entries or not entries[0].stream.startswith("incident/"):
        return {}
    facts = Facts()
    found: dict[int, Concern] = {}
    for at, entry in enumerate(entries):
        event = entry.event
        before = _of_window(event, facts)
        if _changes_earlier(event):
            facts = fold(effective([(one.version, one.event) for one in entries[: at + 1]]))
        else:
            facts.apply(entry.version, event)
        found[entry.version] = before | _concern(event, facts, found)
    return found


def _concern(event: AnyEvent, facts: Facts, found: Mapping[int, Concern]) -> Concern:
    affected = Concern(frozenset(facts.services), frozenset(facts.regions))
    if isinstance(event, WindowAdded | MeasurementRecorded):
        return _at(event.service, event.region, facts)
    if isinstance(event, WindowRevised | WindowWithdrawn):
        return _of_window(event, facts)
    if isinstance(event, EntryCorrected):
        said = Concern(_named(event.set.get("service")), _named(event.set.get("region")))
        of_window = {"service", "component", "region", "start", "end", "effect"} & event.set.keys()
        return found.get(int(event.corrects), Concern()) | said | (Concern() if of_window else affected)
    if isinstance(event, EntryWithdrawn):
        return found.get(int(event.corrects), Concern())
    if isinstance(event, EntryPublished):
        return found.get(int(event.publishes), Concern())
    if isinstance(event, EntryRedacted):
        return found.get(int(event.entry), Concern())
    return affected


def _named(value: Any) -> frozenset[str]:
    return frozenset((value,)) if isinstance(value, str) else frozenset()


def _of_window(event: AnyEvent, facts: Facts) -> Concern:
    """Return what the window of an event concerns, as it stands."""
    if isinstance(event, WindowRevised | WindowWithdrawn) and event.window in facts.windows:
        fields = facts.windows[event.window].fields
        return _at(fields.service, fields.region, facts)
    return Concern()


def _at(service: str, region: str, facts: Facts) -> Concern:
    regions = frozenset(facts.regions) if region in (EVERY, UNKNOWN) else frozenset()
    return Concern(frozenset((service,)), regions | {region})


def _changes_earlier(event: AnyEvent) -> bool:
    """Tell whether an event changes what earlier entries said about places: such a change is folded from the start."""
    if isinstance(event, EntryCorrected):
        return bool({"service", "region", "services", "regions"} & event.set.keys())
    return isinstance(event, EntryWithdrawn)
