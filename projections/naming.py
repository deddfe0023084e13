"""Moments of an incident by name: the ledger right after an entry or a revision, as people name them."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.checks import number_of
from ledger.errors import Refused
from ledger.store.stream import Entry
from projections.replay import Cut, revisions

__all__ = ["moment"]


def moment(entries: Sequence[Entry], word: str) -> Cut | None:
    """Return the cut right after what a word names of an incident: a ref, `v5` or `r3`; None where it names nothing.

    A revision is whole: the last entry of its change. An entry is itself, also in the middle of a change. Raises Refused where
    a version or revision does not exist.
    """
    stream = entries[0].stream
    for entry in entries:
        if entry.event.ref == word:
            return Cut(None, entry.position)
    kind = word[:1]
    number = number_of(word, kind)
    if number is None:
        return None
    if kind == "v":
        if not 1 <= number <= len(entries):
            raise Refused(f"{word!r} does not exist: {stream} has versions v1 to v{len(entries)}")
        return Cut(None, entries[number - 1].position)
    if kind == "r":
        changes = revisions(entries)
        if not 1 <= number <= len(changes):
            known = (
                f"revisions r1 to r{len(changes)}" if changes else "no revision, as nothing of it is public"
            )
            raise Refused(f"{word!r} does not exist: {stream} has {known}")
        return Cut(None, changes[number - 1].last_position)
    return None
