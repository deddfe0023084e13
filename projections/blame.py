"""Blame: which entry wrote each line and each field of a notice, as it stands under a cut.

The writer of a field is the entry that gave it the value it has: an entry that says the same again writes nothing, a
correction writes the fields whose values it changed, and what was withdrawn wrote nothing. In a text that was corrected
each line belongs to whoever wrote it first among the lines that stayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from ledger.domain.events import (
    AnyEvent,
    Commitment,
    EntryCorrected,
    IncidentFixDeployed,
    IncidentOpened,
    IncidentResolved,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import Facts, ImpactWindow, Statement, set_fields
from ledger.domain.instants import shown
from ledger.store.stream import Entry, text_or_erased
from projections.history import mark_words, signature, subject_words
from projections.marks import Marks, marks, words
from projections.notice import Notice, Post
from projections.reading import Reader
from projections.replay import Cut, Told
from projections.state import FIELDS, WINDOW_FIELDS, value_text, window_fields
from projections.words import kept_lines

__all__ = ["Written", "as_json", "as_text", "blame"]

Part: TypeAlias = Literal["notice", "window", "post"]
# A layer of a text: the entry that wrote it, and the text.
Layer: TypeAlias = tuple[int, str]


class Written(msgspec.Struct, frozen=True):
    """A line or field of a notice, and the version of the entry that wrote it.

    part: the notice itself, an impact window, or a post. of: the window, or the post's version as `v6`; None for the notice.
    name: the field. line: which line of a text, from 1; None for what is no text. value: what stands there.
    """

    part: Part
    of: str | None
    name: str
    line: int | None
    value: Any
    version: int


def blame(entries: Sequence[Entry], cut: Cut = Cut()) -> list[Written]:
    """Return who wrote each line and field of the notice, in the order the notice shows them.

    Raises Refused when nothing of the incident was public by then.
    """
    reading = Reader(entries).at(cut)
    shown_now, seen = reading.notice, reading.seen
    events = {one.entry.version: one.entry.event for one in seen}
    writers = _Writers()
    texts: dict[int, _Layers] = {}
    for statement in reading.fold.said:
        layers = _Layers(statement, events)
        texts[statement.version] = layers
        writers.apply(statement, layers)
    last = max(seen, key=lambda one: (one.position, one.entry.version))
    return [
        *_notice_part(shown_now, writers, last),
        *_window_part(shown_now, writers),
        *(written for post in shown_now.posts for written in _post_part(post, texts[post.version])),
    ]


class _Layers:
    """A statement and the corrections put into it: who wrote which field, and each text as it was after each of them."""

    def __init__(self, statement: Statement, events: Mapping[int, AnyEvent]) -> None:
        self.statement = statement
        self.fields: dict[str, int] = {}
        event = events[statement.version]
        self.texts: dict[str, list[Layer]] = {}
        self._add_texts(statement.version, event)
        for version in statement.corrected_by:
            correction = events[version]
            if not isinstance(correction, EntryCorrected):
                raise TypeError(correction.TYPE)
            corrected = set_fields(event, correction.set)
            for name in correction.set:
                if getattr(corrected, name) != getattr(event, name):
                    self.fields[name] = version
            event = corrected
            self._add_texts(version, event)

    def _add_texts(self, version: int, event: AnyEvent) -> None:
        for name in ("body", "reason"):
            text = text_or_erased(getattr(event, name))
            layers = self.texts.setdefault(name, [])
            if text is not None and (not layers or layers[-1][1] != text):
                layers.append((version, text))

    def writer(self, name: str) -> int:
        """Return the version that wrote a field of this statement."""
        return self.fields.get(name, self.statement.version)

    def lines(self, name: str) -> list[tuple[int, str]]:
        """Return each line of a text with the version that wrote it."""
        found: list[tuple[int, str]] = []
        for version, text in self.texts[name]:
            new = text.split("\n")
            kept = kept_lines([line for _, line in found], new)
            found = [(found[kept[at]][0] if at in kept else version, line) for at, line in enumerate(new)]
        return found


class _Writers:
    """Who wrote the facts of an incident and the fields of its windows, statement by statement in the order told."""

    def __init__(self) -> None:
        self.facts = Facts()
        self.fields: dict[str, int] = {}
        self.windows: dict[str, dict[str, int]] = {}

    def apply(self, statement: Statement, layers: _Layers) -> None:
        """Let a statement change the facts; what it changes it has written."""
        event = statement.event
        facts = self.facts
        before = [getattr(facts, name) for name in FIELDS]
        window = event.window if isinstance(event, WindowAdded | WindowRevised | WindowWithdrawn) else None
        known = facts.windows.get(window) if window is not None else None
        facts.apply(statement.version, event)
        for name, value in zip(FIELDS, before, strict=True):
            if getattr(facts, name) != value:
                self.fields[name] = layers.writer(_source_of(name, event))
        if isinstance(event, IncidentOpened):
            self.fields["kind"] = layers.writer("kind")
        if window is not None and window in facts.windows:
            self._window(known, facts.windows[window], layers)

    def _window(self, known: ImpactWindow | None, now: ImpactWindow, layers: _Layers) -> None:
        writers = self.windows.setdefault(now.fields.window, {})
        for name in WINDOW_FIELDS:
            if known is None or getattr(known.fields, name) != getattr(now.fields, name):
                writers[name] = layers.writer(name)
        if known is None or known.withdrawn != now.withdrawn:
            writers["withdrawn"] = layers.statement.version


def _source_of(name: str, event: AnyEvent) -> str:
    """Return which field of an event a fact comes from."""
    if (name == "fixed_at" and isinstance(event, IncidentFixDeployed)) or (
        name == "resolved_at" and isinstance(event, IncidentResolved)
    ):
        return "at"
    return name


def _notice_part(found: Notice, writers: _Writers, last: Told) -> Iterable[Written]:
    facts = writers.facts
    yield Written("notice", None, "revision", None, found.revision, last.entry.version)
    for name in FIELDS:
        value = getattr(facts, name)
        if value not in (None, (), False) and name in writers.fields:
            value = text_or_erased(value) if isinstance(value, Commitment) else value
            yield Written("notice", None, name, None, value, writers.fields[name])


def _window_part(found: Notice, writers: _Writers) -> Iterable[Written]:
    for one in found.windows:
        by = writers.windows[one.window]
        fields = window_fields(writers.facts.windows[one.window])
        for name, value in fields.items():
            if value is not None and value is not False:
                yield Written("window", one.window, name, None, value, by[name])


def _post_part(post: Post, layers: _Layers) -> Iterable[Written]:
    of = f"v{post.version}"
    heading = layers.writer("at") if post.type == IncidentFixDeployed.TYPE else post.version
    yield Written("post", of, "heading", None, post.heading, heading)
    for name in ("body", "reason"):
        if getattr(post, name) is not None:
            for line, (version, text) in enumerate(layers.lines(name), 1):
                yield Written("post", of, name, line, text, version)
    for correction in post.corrections:
        yield Written("post", of, "correction", None, correction.reason, correction.version)
    for erasure in post.erased:
        yield Written("post", of, "erased", None, words(erasure), erasure.by_version)


def as_json(found: Sequence[Written], entries: Sequence[Entry], cut: Cut = Cut()) -> Iterable[dict[str, Any]]:
    """Yield each line or field with the entry that wrote it, for programs (contract in docs/json.md)."""
    made = marks(entries, cut)
    for one in found:
        entry = entries[one.version - 1]
        yield {**msgspec.to_builtins(one), **_entry_json(entry, made[one.version])}


def _entry_json(entry: Entry, made: Marks) -> dict[str, Any]:
    return {
        "position": entry.position,
        "type": entry.type,
        "actor": text_or_erased(entry.event.actor),
        "published_at": entry.published_at,
        "told_at": made.told_at,
        "recorded_at": entry.recorded_at,
        "reason": text_or_erased(entry.event.reason),
        "late": made.late,
        "after_resolved": made.after_resolved,
        "erased": msgspec.to_builtins(made.erased),
    }


def as_text(found: Sequence[Written], entries: Sequence[Entry], cut: Cut = Cut()) -> Iterable[str]:
    """Yield the lines and fields behind the version that wrote each, then those entries: both times, who and why."""
    made = marks(entries, cut)
    width = max(len(f"v{one.version}") for one in found)
    block = None
    for one in found:
        if (one.part, one.of) != block:
            if block is not None:
                yield ""
            block = (one.part, one.of)
        yield f"{f'v{one.version}':<{width}} | {_name(one)}{value_text(_plain(one.value))}"
    yield ""
    for version in sorted({one.version for one in found}):
        entry, mark = entries[version - 1], made[version]
        when = shown(mark.told_at) if mark.told_at else "internal"
        yield (
            f"{f'v{version}':<{width}} @{entry.position}  {subject_words(entry)}  {when}  {signature(entry)}"
            f"{mark_words(entry, mark)}"
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _name(one: Written) -> str:
    where = "" if one.part == "notice" else f"{one.of} "
    line = f" {one.line}" if one.line is not None else ""
    return f"{where}{one.name}{line}: "
