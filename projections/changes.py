"""What changed in a notice between two moments: words, fields, windows, and the entries that did it.

A moment is a cut. Pure, and each moment is folded once, so that a history of a thousand entries is compared at once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from ledger.domain.events import Commitment
from ledger.domain.incident import Facts
from ledger.domain.instants import shown
from ledger.store.stream import Entry, text_or_erased
from projections.history import mark_words, signature, subject, subject_words
from projections.marks import Erasure, Marks, erased_words
from projections.notice import window_line
from projections.reading import Reader, Reading
from projections.state import facts_fields, measurement_fields, value_text, window_fields
from projections.words import Part, words_changed

__all__ = [
    "Changes", "Cause", "FieldChange", "TextChange", "WindowChange", "as_json", "as_text", "cause_json",
    "changes", "nothing", "word_line",
]  # fmt: skip

TextAct: TypeAlias = Literal["added", "removed", "changed"]
WindowAct: TypeAlias = Literal["added", "removed", "revised", "withdrawn", "restored"]


class Cause(msgspec.Struct, frozen=True):
    """An entry that is told on one side only. side: "after" where it was added, "before" where the cut leaves it out."""

    entry: Entry
    told_at: str
    side: Literal["before", "after"]
    marks: Marks


class FieldChange(msgspec.Struct, frozen=True):
    """A field with both values, null where it was not said; words: what changed in a text.

    erased: who erased the text of either side, when and why; both values are the same word where both were.
    """

    field: str
    before: Any
    after: Any
    words: tuple[Part, ...] | None = None
    erased: tuple[Erasure, ...] = ()


class TextChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text of the statement that a version made: its body or reason.

    erased: who erased it on either side, when and why; both sides are the same word where both were.
    """

    version: int
    type: str
    heading: str
    field: str
    change: TextAct
    before: str | None
    after: str | None
    words: tuple[Part, ...]
    erased: tuple[Erasure, ...] = ()


class WindowChange(msgspec.Struct, frozen=True):
    """A window that was added, revised or withdrawn, or (looking back) is not there yet; fields: those that differ."""

    window: str
    change: WindowAct
    fields: tuple[FieldChange, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Changes(msgspec.Struct, frozen=True):
    """What differs between two readings; all empty where nothing does. Texts and causes in the order told."""

    causes: tuple[Cause, ...]
    fields: tuple[FieldChange, ...]
    texts: tuple[TextChange, ...]
    windows: tuple[WindowChange, ...]

    def __bool__(self) -> bool:
        return bool(self.causes or self.fields or self.texts or self.windows)


def nothing() -> Reading:
    """Return what there was before an incident was opened."""
    return Reader(()).at()


def changes(before: Reading, after: Reading) -> Changes:
    """Return what differs between two readings of one incident."""
    return Changes(
        causes=tuple(_causes(before, after)),
        fields=tuple(
            _fields(
                _said(before.facts),
                _said(after.facts),
                _Text("title", before, after, before.facts.title, after.facts.title),
            )
        ),
        texts=tuple(_texts(before, after)),
        windows=tuple(_windows(before, after)),
    )


class _Text:
    """A text on both sides, as the folds hold it: what was erased is a commitment there, and no two are alike."""

    def __init__(self, name: str, old: Reading, new: Reading, was: Any, now: Any) -> None:
        self.name = name
        gone = [one for one in (was, now) if isinstance(one, Commitment)]
        # Texts that are both gone read alike; that they are two is known all the same.
        self.both_gone = len(gone) == 2 and was.sha256 != now.sha256
        # Only one side may know of any entries.
        reader = new.reader if new.reader.entries else old.reader
        self.erased = tuple(dict.fromkeys(made for one in gone for made in reader.erasure(one, new.audience)))


def _causes(before: Reading, after: Reading) -> Iterable[Cause]:
    old = {one.entry.version for one in before.seen}
    new = {one.entry.version for one in after.seen}
    sides: tuple[tuple[Literal["before", "after"], Reading, set[int]], ...] = (
        ("before", before, old - new), ("after", after, new - old),
    )  # fmt: skip
    found = []
    for side, reading, fresh in sides:
        if fresh:
            marks = reading.marks_of(fresh)
            found += [
                Cause(one.entry, one.told_at, side, marks[one.entry.version])
                for one in reading.seen
                if one.entry.version in fresh
            ]
    return sorted(found, key=lambda one: (one.told_at, one.entry.position))


def _said(facts: Facts) -> dict[str, Any]:
    """Return the single facts, the measurements by name and the links, as fields to compare."""
    found = facts_fields(facts)
    for name, event in facts.measurements.items():
        found[f"measurement {name}"] = measurement_fields(event)
    if facts.links:
        found["links"] = [f"{link.relation} {link.to}" for link in facts.links]
    return found


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], text: _Text) -> Iterable[FieldChange]:
    """Yield the fields that differ; text: the one among them that can be erased."""
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if name != text.name:
            if before != after:
                yield FieldChange(name, before, after)
        elif before != after or text.both_gone:
            words = _words(before, after) if before and after else None
            yield FieldChange(name, before, after, words, text.erased)


def _words(before: str, after: str) -> tuple[Part, ...]:
    """Return what changed in a text; of two that are gone the words that stand for them."""
    return (("taken", before), ("put", after)) if before == after else words_changed(before, after)


def _texts(old: Reading, new: Reading) -> Iterable[TextChange]:
    before = {post.version: post for post in old.notice.posts} if old.seen else {}
    after = {post.version: post for post in new.notice.posts} if new.seen else {}
    for version in [version for version, post in before.items() if after.get(version) is post]:
        del before[version], after[version]
    both = {**before, **after}
    for post in sorted(both.values(), key=lambda one: (one.published_at, one.position, one.version)):
        one, other = before.get(post.version), after.get(post.version)
        for field in ("body", "reason"):
            was: str | None = getattr(one, field, None)
            now: str | None = getattr(other, field, None)
            # Only a text that reads as if it were gone is looked up: a history of a thousand revisions asks a thousand times.
            gone = was in _GONE or now in _GONE
            text = _text_of(post.version, field, old, new) if gone else None
            if was != now or (text is not None and text.both_gone):
                change: TextAct = "added" if was is None else "removed" if now is None else "changed"
                words = _words(was or "", now or "")
                erased = () if text is None else text.erased
                yield TextChange(
                    post.version, post.type, post.heading, field, change, was, now, words, erased
                )


# How a text reads that is there no more.
_GONE = ("[erased]", "[missing]")


def _text_of(version: int, field: str, old: Reading, new: Reading) -> _Text:
    """Return a text of the statement that a version made, as both folds hold it."""
    was, now = (
        next((getattr(one.event, field) for one in side.fold.said if one.version == version), None)
        for side in (old, new)
    )
    return _Text(field, old, new, was, now)


def _windows(before: Reading, after: Reading) -> Iterable[WindowChange]:
    old, new = before.facts.windows, after.facts.windows
    for key in sorted({*old, *new}):
        one, other = old.get(key), new.get(key)
        if one is other:
            continue
        was = None if one is None else window_fields(one)
        now = None if other is None else window_fields(other)
        quotes = (None if window is None else window.fields.quote for window in (one, other))
        quote = _Text("quote", before, after, *quotes)
        if was != now or quote.both_gone:
            fields = tuple(_fields(was, now, quote)) if was and now else ()
            yield WindowChange(key, _act(was, now), fields, was, now)


def _act(was: dict[str, Any] | None, now: dict[str, Any] | None) -> WindowAct:
    if was is None:
        return "added"
    if now is None:
        return "removed"
    if was["withdrawn"] == now["withdrawn"]:
        return "revised"
    return "withdrawn" if now["withdrawn"] else "restored"


def cause_json(cause: Cause) -> dict[str, Any]:
    """Return an entry that changed a notice, for programs: who, when on both clocks, why, and its marks."""
    entry, event = cause.entry, cause.entry.event
    return {
        "side": cause.side,
        "version": entry.version,
        "position": entry.position,
        "revision": cause.marks.revision,
        "type": entry.type,
        **subject(entry),
        "actor": text_or_erased(event.actor),
        "published_at": entry.published_at,
        "told_at": cause.told_at,
        "recorded_at": entry.recorded_at,
        "reason": text_or_erased(event.reason),
        "source": text_or_erased(event.source),
        "late": entry.late or cause.marks.late,
        "after_resolved": cause.marks.after_resolved,
        "erased": msgspec.to_builtins(cause.marks.erased),
    }


def as_json(found: Changes) -> dict[str, Any]:
    """Return changes for programs (contract in docs/json.md)."""
    return {
        "entries": [cause_json(cause) for cause in found.causes],
        "fields": [_field_json(one) for one in found.fields],
        "texts": [msgspec.to_builtins(one) for one in found.texts],
        "windows": [
            {**msgspec.to_builtins(one), "fields": [_field_json(field) for field in one.fields]}
            for one in found.windows
        ],
    }


def _field_json(one: FieldChange) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(one)
    if not one.erased:
        del built["erased"]
    return built


def as_text(found: Changes, before: Reading, after: Reading) -> list[str]:
    """Return changes for people, line by line: entries, fields, text, windows; what did not change is left out."""
    lines: list[str] = []
    new = {cause.entry.version for cause in found.causes}
    for heading, part in (
        ("Entries", [_cause_line(cause) for cause in found.causes]),
        ("Fields", [line for one in found.fields for line in _field_lines(one, new)]),
        ("Text", [line for one in found.texts for line in _text_lines(one, new)]),
        (
            "Impact windows",
            [line for one in found.windows for line in _window_lines(one, before, after, new)],
        ),
    ):
        if part:
            lines += [*([""] if lines else []), heading, *(f"  {line}" for line in part)]
    return lines


def _cause_line(cause: Cause) -> str:
    entry = cause.entry
    sign = "+" if cause.side == "after" else "-"
    where = [sign, f"@{entry.position}", f"v{entry.version}", subject_words(entry)]
    parts = [*where, shown(cause.told_at), signature(entry)]
    return "  ".join(parts) + mark_words(entry, cause.marks)


def _field_lines(one: FieldChange, new: Container[int]) -> list[str]:
    if one.before == one.after:
        both = f"changed, {one.after} before and after"
    elif one.words:
        both = word_line(one.words)
    else:
        both = f"{value_text(one.before)} -> {value_text(one.after)}"
    return [f"{one.field}: {both}", *_erased_lines(one.erased, new)]


def _erased_lines(erased: Iterable[Erasure], new: Container[int]) -> list[str]:
    # What was erased of an entry that is new stands beside it already.
    return [
        f"  {made.field} of v{made.version} erased {erased_words(made)}"
        for made in erased
        if made.version not in new
    ]


def _text_lines(one: TextChange, new: Container[int]) -> list[str]:
    # The reason of an entry that is new stands beside it already.
    if one.field == "reason" and one.version in new:
        return []
    name, gone = f"v{one.version} {one.heading}, {one.field}", _erased_lines(one.erased, new)
    if one.change == "changed" and one.before == one.after:
        return [f"{name}: changed, {one.after} before and after", *gone]
    if one.change == "changed":
        return [f"{name}:", *(f"  {line}" for line in word_line(one.words).split("\n")), *gone]
    sign, text = ("+", one.after) if one.change == "added" else ("-", one.before)
    return [f"{name}:", *(f"  {sign} {line}" for line in (text or "").split("\n")), *gone]


def word_line(words: Iterable[Part]) -> str:
    """Return a text with what was taken as [-…-] and what was put as {+…+}; long parts that stay are shortened."""
    return "".join(
        _shortened(text) if change == "same" else f"[-{text}-]" if change == "taken" else f"{{+{text}+}}"
        for change, text in words
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:70]} … {text[-70:]}"


def _window_lines(one: WindowChange, before: Reading, after: Reading, new: Container[int]) -> list[str]:
    if one.change == "added":
        return [f"+ {_line_of(one.window, after)}"]
    if one.change == "removed":
        return [f"- {_line_of(one.window, before)}"]
    lines = [line for field in one.fields if field.field != "withdrawn" for line in _field_lines(field, new)]
    return [f"~ {one.window}: {one.change}", *(f"    {line}" for line in lines)]


def _line_of(window: str, side: Reading) -> str:
    """Return the line of a window in the notice of a side."""
    return next(window_line(one) for one in side.notice.windows if one.window == window)
