"""Texts as the replay page shows them: what was inserted and deleted, invisible characters named, erased ones explained.

A text shown is tied to the entry it was committed in, so that the page can check one against the other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import msgspec

from ledger.domain.events import Commitment, EntryRedacted, Text, text_paths
from ledger.store.stream import Entry, text_or_erased
from projections.marks import value_at
from projections.words import Change, words_changed

__all__ = ["Erased", "Piece", "Run", "ShownText", "Sources", "visible"]

# Joiners belong to words of many scripts and to emoji; everything else of this category can only mislead.
_JOINERS = "\u200c\u200d"
_SEPARATORS = "\u2028\u2029"
_NAMES = {
    "\u00ad": "SHY", "\u061c": "ALM", "\u200b": "ZWSP", "\u200e": "LRM", "\u200f": "RLM", "\u2028": "LS", "\u2029": "PS",
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO", "\u2060": "WJ",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\ufeff": "BOM",
}  # fmt: skip


class Run(msgspec.Struct, frozen=True):
    """Characters as they are, or one that cannot be seen: its code point in hexadecimal and a short name."""

    text: str
    code: str = ""
    name: str = ""


class Piece(msgspec.Struct, frozen=True):
    """A part of a text: the same as before, taken out or put in."""

    change: Change
    runs: tuple[Run, ...]


class Erased(msgspec.Struct, frozen=True):
    """Who erased a text, when (recorded) and why; version: the entry that says so, None where it is not public.

    word: as it is shown in place of the text, also where it is missing and no entry erased it.
    """

    word: str
    version: int | None
    position: int | None
    recorded_at: str | None
    actor: ShownText | None
    reason: ShownText | None


class ShownText(msgspec.Struct, frozen=True):
    """One text of the page. source: VERSION/PATH of the commitment that it fits; characters: how long it is.

    before: the same of the text that stood there before, where the change is marked: what was taken out was in that one.
    """

    source: str
    pieces: tuple[Piece, ...]
    characters: int
    erased: Erased | None = None
    before: str | None = None

    @property
    def changed(self) -> bool:
        """Tell whether anything was inserted or deleted."""
        return any(piece.change != "same" for piece in self.pieces)


class Sources:
    """Where each text of the public entries of one incident was committed, and who erased what."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._redactions: dict[str, Entry] = {}
        for entry in entries:
            for path in text_paths(entry.event):
                value = value_at(entry, path)
                self._found[path.removeprefix("set."), _content(value)] = f"{entry.version}/{path}"
            if isinstance(entry.event, EntryRedacted):
                for path in entry.event.fields:
                    self._redactions.setdefault(f"{entry.event.entry}/{path}", entry)

    def shown(self, field: str, value: Text | None, before: Text | None = None) -> ShownText | None:
        """Return a text as the page shows it; before: what stood there at the revision before, to mark the change."""
        if value is None:
            return None
        source = self._found[field, _content(value)]
        if not isinstance(value, str):
            return ShownText(source, (), 0, self._erased(source, value))
        if before is None or not isinstance(before, str) or before == value:
            return ShownText(source, (Piece("same", tuple(visible(value))),), len(value))
        pieces = tuple(Piece(change, tuple(visible(part))) for change, part in words_changed(before, value))
        return ShownText(source, pieces, len(value), before=self._found[field, _content(before)])

    def _erased(self, source: str, value: Commitment) -> Erased:
        by = self._redactions.get(source)
        word = text_or_erased(value) or ""
        if by is None or by.published_at is None:
            return Erased(word, None, None, None, None, None)
        return Erased(
            word,
            by.version,
            by.position,
            by.recorded_at,
            self.shown("actor", by.event.actor),
            self.shown("reason", by.event.reason),
        )


def _content(value: Text) -> str:
    return f"text {value}" if isinstance(value, str) else f"sha256 {value.sha256}"


def visible(text: str) -> Iterator[Run]:
    """Yield the runs of a text; characters that cannot be seen, or turn others around, come one by one with a name."""
    start = 0
    for at, letter in enumerate(text):
        if letter in _JOINERS or not (letter in _SEPARATORS or unicodedata.category(letter) == "Cf"):
            continue
        if start < at:
            yield Run(text[start:at])
        code = f"{ord(letter):04X}"
        yield Run("", code, _NAMES.get(letter, f"U+{code}"))
        start = at + 1
    if start < len(text):
        yield Run(text[start:])
