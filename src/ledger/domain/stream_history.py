"""One stream as the order rules see it: every entry in position order, internal ones too."""

from __future__ import annotations

from ledger.domain.checks import number_of
from ledger.domain.events import (
    AnyEvent,
    EntryPublished,
    EntryRedacted,
)
from ledger.domain.incident import Facts
from ledger.domain.standing import Standing
from ledger.errors import Refused, nearest

__all__ = ["History"]


class History:
    """One stream up to a version: its events, labels, changes and, for an incident, its facts."""

    __slots__ = (
        "changes",
        "erased",
        "events",
        "labels",
        "last_recorded_at",
        "refs",
        "standing",
        "stream",
        "told",
    )

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.events: list[AnyEvent] = []
        # When each entry was told: its published time, or "" while it is internal.
        self.told: list[str] = []
        self.refs: dict[str, int] = {}
        # label of a change -> its versions, first to last
        self.labels: dict[str, list[int]] = {}
        # the public changes in position order, each the versions it made: revision n is changes[n - 1]
        self.changes: list[list[int]] = []
        self.erased: set[tuple[int, str]] = set()
        # what the entries of an incident say; nothing in any other stream
        self.standing = Standing()
        self.last_recorded_at = ""

    @property
    def version(self) -> int:
        """The version of the last entry, 0 when there is none."""
        return len(self.events)

    @property
    def facts(self) -> Facts:
        """What the entries of an incident add up to."""
        return self.standing.facts

    def add(self, event: AnyEvent, recorded_at: str) -> None:
        """Take in the next event of the stream."""
        self.events.append(event)
        self.last_recorded_at = recorded_at
        version = len(self.events)
        if self.stream.startswith("incident/"):
            self.standing.add(event)
        told = "" if event.internal else event.published_at or recorded_at
        self.told.append(told)
        if event.ref is not None:
            self.refs[event.ref] = version
        joined = event.change is not None and event.change in self.labels
        if event.change is not None:
            self.labels.setdefault(event.change, []).append(version)
        if told:
            if joined and self.changes and self.changes[-1][-1] in self.labels[event.change or ""]:
                self.changes[-1].append(version)
            else:
                self.changes.append([version])
        if isinstance(event, EntryPublished):
            self.told[int(event.publishes) - 1] = told
        if isinstance(event, EntryRedacted):
            self.erased.update((int(event.entry), field) for field in event.fields)

    def resolve(self, name: object, field: str) -> int:
        """Return the version that a reference names: a ref, `v5` or `r3`."""
        if type(name) is int:
            raise Refused(
                f"{field} {name} is a bare number; write v{name} for a version or r{name} for a revision"
            )
        word = str(name)
        if word in self.refs:
            return self.refs[word]
        version, revision = number_of(word, "v"), number_of(word, "r")
        if version is not None:
            if 1 <= version <= self.version:
                return version
            raise Refused(
                f"{field} {word!r} does not exist: {self.stream} has versions v1 to v{self.version}"
            )
        if revision is not None:
            if not 1 <= revision <= len(self.changes):
                raise Refused(
                    f"{field} {word!r} does not exist: {self.stream} has revisions r1 to r{len(self.changes)}"
                )
            versions = self.changes[revision - 1]
            if len(versions) > 1:
                raise Refused(
                    f"{field} {word!r} is a change of {len(versions)} entries, v{versions[0]} to v{versions[-1]}; "
                    "name the one that is meant"
                )
            return versions[0]
        if word.isdecimal():
            raise Refused(
                f"{field} {word} is a bare number; write v{word} for a version or r{word} for a revision"
            )
        raise Refused(
            f"{field} {word!r} names no entry of {self.stream}{nearest(word, self.refs)}; "
            "use a ref, v5 for a version or r3 for a revision"
        )

    def check_told_after(self, version: int, told: str, what: str) -> None:
        """Refuse an entry that would be public before the entry it is about. told: when it is public, "" where it is internal."""
        before = self.told[version - 1]
        if not told:
            return
        if not before:
            raise Refused(f"{what} (v{version}) is internal; publish it first, or mark this internal too")
        if told < before:
            raise Refused(
                f"published_at {told} is before {what} was published ({before}, v{version}); correct the time"
            )
