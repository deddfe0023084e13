"""An incident as a cut shows it, each part made when it is asked for and once.

A history of a thousand revisions is read a thousand times: what does not depend on the cut is read once for all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ledger.domain.events import Commitment
from ledger.domain.incident import Facts
from ledger.domain.window import Window
from ledger.store.stream import Entry
from projections.marks import Erasure, Marks, erased_by, erasures, marks_of
from projections.notice import Made, Notice, notice, notice_of
from projections.replay import (
    Audience,
    Cut,
    Folded,
    Following,
    Revision,
    Told,
    folded,
    revisions,
    told,
    window_of,
    windows_of,
)

__all__ = ["Reader", "Reading"]


class Reader:
    """The entries of one incident, to be read under several cuts."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.key = entries[0].key if entries else ""
        self.positions = [entry.position for entry in entries]

    @cached_property
    def revisions(self) -> list[Revision]:
        """The revisions, whatever the cut."""
        return revisions(self.entries)

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number of the revision by version, internal entries left out."""
        return {version: one.number for one in self.revisions for version in one.versions}

    @cached_property
    def erased(self) -> dict[int, tuple[Erasure, ...]]:
        """What was erased: it is gone under every cut."""
        return erasures(self.entries)

    @cached_property
    def erased_in_public(self) -> dict[int, tuple[Erasure, ...]]:
        """What was erased, where that was said in public."""
        return erasures(self.entries, public=True)

    @cached_property
    def _erased_by(self) -> dict[Audience, dict[str, Erasure]]:
        return {
            "house": erased_by(self.entries, self.erased),
            "public": erased_by(self.entries, self.erased_in_public),
        }

    def erasure(self, value: Any, audience: Audience) -> tuple[Erasure, ...]:
        """Return who erased the text that a value of a fold stands for, as far as the audience may know; else nothing."""
        made = self._erased_by[audience].get(value.sha256) if isinstance(value, Commitment) else None
        return () if made is None else (made,)

    def at(self, cut: Cut = Cut(), audience: Audience = "public") -> Reading:
        """Return the incident as a cut shows it."""
        return Reading(self, cut, audience)

    def follow(self, published_by: str | None, positions: Iterable[int]) -> Iterator[Reading]:
        """Yield the public's reading at each of these positions, which rise, as had been published by then.

        What did not change from one to the next is the same object in both.
        """
        following, made = Following(self.entries, published_by), Made()
        windows: dict[str, tuple[Any, Window]] = {}
        last: list[Window] = []
        for position in positions:
            seen, fold = following.upto(position)
            reading = Reading(self, Cut(published_by, position), made=made)
            reading.seen, reading.fold = seen, fold
            found = [self._window(key, fold.facts, windows) for key in sorted(fold.facts.windows)]
            if len(found) != len(last) or any(now is not was for now, was in zip(found, last, strict=True)):
                last = found
            reading.windows = last
            yield reading

    def _window(self, key: str, facts: Facts, known: dict[str, tuple[Any, Window]]) -> Window:
        """Return a window as a fact to be counted, the one made before where it rests on the same."""
        made_of = facts.windows[key], facts.withdrawn, facts.regions, facts.components, facts.acts.get(key)
        if key not in known or known[key][0] != made_of:
            known[key] = made_of, window_of(self.key, key, facts)
        return known[key][1]


class Reading:
    """An incident under a cut; empty where the cut shows nothing of it."""

    def __init__(
        self, reader: Reader, cut: Cut, audience: Audience = "public", made: Made | None = None
    ) -> None:
        self.reader = reader
        self._made = made
        self.cut = cut
        self.audience: Audience = audience

    @cached_property
    def entries(self) -> Sequence[Entry]:
        """What the ledger held of it."""
        by = self.cut.recorded_by
        entries = self.reader.entries
        return entries if by is None else entries[: bisect_right(self.reader.positions, by)]

    @cached_property
    def seen(self) -> list[Told]:
        """The entries that are shown, in the order told."""
        return told(self.entries, self.cut, self.audience)

    @cached_property
    def fold(self) -> Folded:
        """What they add up to."""
        return folded(self.seen)

    @property
    def facts(self) -> Facts:
        """The state of the incident."""
        return self.fold.facts

    @cached_property
    def windows(self) -> list[Window]:
        """The impact windows as facts to be counted; withdrawn ones are marked."""
        return windows_of(self.reader.key, self.facts)

    @cached_property
    def revision(self) -> int:
        """The number of the last revision that is shown, 0 where none is."""
        numbers = self.reader.numbers
        return max((numbers.get(one.entry.version, 0) for one in self.seen), default=0)

    @cached_property
    def notice(self) -> Notice:
        """The notice. Raises Refused when there is none to show."""
        if not self.seen:
            return notice(self.reader.entries, self.cut, self.audience)  # says why
        return notice_of(
            self.reader.key,
            self.cut,
            self.seen,
            self.fold,
            self.revision,
            self.reader.erased_in_public,
            self._made,
        )

    @cached_property
    def marks(self) -> Mapping[int, Marks]:
        """The marks of the entries that the ledger held, by version."""
        seen = [one for one in self.seen if one.public]
        over = self.fold.over if len(seen) == len(self.seen) else folded(seen).over
        return marks_of(self.entries, seen, over, self.reader.numbers, self.reader.erased)

    def marks_of(self, versions: Container[int]) -> Mapping[int, Marks]:
        """Return the marks of some of the entries only, by version."""
        if "marks" in self.__dict__:
            return self.marks
        seen = [one for one in self.seen if one.public]
        over = self.fold.over if len(seen) == len(self.seen) else folded(seen).over
        some = [entry for entry in self.entries if entry.version in versions]
        return marks_of(some, seen, over, self.reader.numbers, self.reader.erased)
