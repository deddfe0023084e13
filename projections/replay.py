"""Replay: which entries a reader may see, in which order they were told, and what they add up to.

Two cuts, both inclusive: `published_by` (what the public had been told by then) and `recorded_by` (a position: what
the ledger can prove it held). Two audiences: the public sees published entries; the house sees internal ones too.
A notice is told in the order of (published_at, position); a cut never renumbers revisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from ledger.domain.events import (
    EntryCorrected,
    EntryPublished,
    EntryWithdrawn,
    MeasurementRecorded,
)
from ledger.domain.incident import (
    KEPT_WHOLE,
    OF_WINDOWS,
    WORDS,
    Facts,
    ImpactWindow,
    Statement,
    acts_on_windows,
    effective,
    fold,
    set_fields,
)
from ledger.domain.instants import seconds
from ledger.domain.measurement import Measurement
from ledger.domain.window import Planned, Window
from ledger.store.stream import Entry

__all__ = [
    "Audience",
    "Cut",
    "Folded",
    "Following",
    "Revision",
    "Told",
    "corrections_of",
    "facts_at",
    "measurements_of",
    "folded",
    "revisions",
    "said_of",
    "statements",
    "told",
    "window_of",
    "windows_of",
]

Audience: TypeAlias = Literal["public", "house"]
# What an incident or a maintenance stands as once it was declared over.
OVER = frozenset(("resolved", "completed", "postmortem"))


class Cut(msgspec.Struct, frozen=True):
    """How far a reader looks: published by an instant, recorded by a position; None: everything."""

    published_by: str | None = None
    recorded_by: int | None = None


class Told(msgspec.Struct, frozen=True, gc=False):
    """An entry and when it was told: to the public, or (internal, for the house) recorded.

    late: it is said to have been told before that was recorded.
    """

    entry: Entry
    told_at: str
    position: int
    public: bool
    late: bool


class Revision(msgspec.Struct, frozen=True):
    """The notice after its n-th public change."""

    number: int
    versions: tuple[int, ...]
    told_at: str
    last_position: int


def told(entries: Sequence[Entry], cut: Cut = Cut(), audience: Audience = "public") -> list[Told]:
    """Return the entries of one stream that a reader may see, in the order told."""
    held = [entry for entry in entries if cut.recorded_by is None or entry.position <= cut.recorded_by]
    publications = {
        int(entry.event.publishes): entry for entry in held if isinstance(entry.event, EntryPublished)
    }
    found = []
    for entry in held:
        event = entry.event
        by = publications.get(entry.version) if event.internal else None
        if by is not None:
            one = Told(entry, by.published_at or by.recorded_at, by.position, public=True, late=by.late)
        elif entry.published_at is not None:
            one = Told(entry, entry.published_at, entry.position, public=True, late=entry.late)
        elif audience == "public" or cut.published_by is not None:
            continue
        else:
            one = Told(entry, entry.recorded_at, entry.position, public=False, late=False)
        if cut.published_by is None or one.told_at <= cut.published_by:
            found.append(one)
    found.sort(key=_in_order)
    return found


def statements(shown: Sequence[Told]) -> list[Statement]:
    """Return the statements of the shown entries, withdrawn ones out, corrections put in."""
    return effective([(one.entry.version, one.entry.event) for one in shown])


def facts_at(entries: Sequence[Entry], cut: Cut = Cut(), audience: Audience = "public") -> Facts:
    """Return what the entries of one incident add up to for a reader."""
    seen = told(entries, cut, audience)
    facts = fold(statements(seen))
    facts.acts = _acts(seen)
    return facts


def _acts(seen: Sequence[Told]) -> dict[str, tuple[int, ...]]:
    return acts_on_windows([(one.entry.version, one.entry.event) for one in seen])


class Folded(msgspec.Struct, frozen=True):
    """What shown entries add up to, read once.

    said: their statements. facts: the state they lead to. statuses: by version the status after each statement. over: the
    versions that were told while the incident stood as over, withdrawn ones too.
    """

    said: tuple[Statement, ...]
    facts: Facts
    statuses: dict[int, str | None]
    over: frozenset[int]


def folded(seen: Sequence[Told]) -> Folded:
    """Return what the shown entries of one incident add up to, in the order told."""
    said = statements(seen)
    following = iter(said)
    statement = next(following, None)
    facts = Facts()
    facts.acts = _acts(seen)
    statuses: dict[int, str | None] = {}
    over = set()
    for one in seen:
        version = one.entry.version
        if facts.status in OVER:
            over.add(version)
        # Statements are the shown entries in their order, with the withdrawn ones left out.
        if statement is not None and statement.version == version:
            facts.apply(version, statement.event)
            statuses[version] = facts.status
            statement = next(following, None)
    return Folded(tuple(said), facts, statuses, frozenset(over))


class Following:
    """One incident read on from position to position, as the public had been told by one instant; None: by any.

    What is told after all before it is folded on. Only what is told earlier, or changes facts that stand, is folded from
    the start; what comes out is what `told` and `folded` say of the same entries.
    """

    def __init__(self, entries: Sequence[Entry], published_by: str | None = None) -> None:
        self._entries = entries
        self._published_by = published_by
        self._by_version = {entry.version: entry for entry in entries}
        self._read = 0
        self._seen: list[Told] = []
        self._published: set[int] = set()
        # The versions that corrections and withdrawals name, whether they were told yet or not.
        self._named: set[int] = set()
        self._begin(())

    def upto(self, position: int) -> tuple[list[Told], Folded]:
        """Return what is shown of the entries up to a position, which never falls, and what it adds up to."""
        fresh, again = [], False
        while self._read < len(self._entries) and self._entries[self._read].position <= position:
            entry = self._entries[self._read]
            self._read += 1
            again = again or self._is_told_anew(entry)
            fresh += [one for one in self._told(entry) if self._shows(one)]
        fresh.sort(key=_in_order)
        if again:
            self._begin(told(self._entries, Cut(self._published_by, position)))
        elif fresh and self._seen and _in_order(fresh[0]) < _in_order(self._seen[-1]):
            self._begin(sorted((*self._seen, *fresh), key=_in_order))
        else:
            for at, one in enumerate(fresh):
                if not self._adds(one):
                    self._begin((*self._seen, *fresh[at:]))
                    break
                self._add(one)
        return list(self._seen), Folded(
            tuple(self._said), self._facts.copy(), dict(self._statuses), frozenset(self._over)
        )

    def _is_told_anew(self, entry: Entry) -> bool:
        """Tell whether an entry publishes one that was published before."""
        if not isinstance(entry.event, EntryPublished):
            return False
        target = int(entry.event.publishes)
        before = target in self._published
        self._published.add(target)
        return before

    def _told(self, entry: Entry) -> Iterable[Told]:
        if entry.published_at is not None and not entry.event.internal:
            yield Told(entry, entry.published_at, entry.position, public=True, late=entry.late)
        target = (
            self._by_version.get(int(entry.event.publishes))
            if isinstance(entry.event, EntryPublished)
            else None
        )
        if target is not None and target.event.internal:
            yield Told(
                target, entry.published_at or entry.recorded_at, entry.position, public=True, late=entry.late
            )

    def _shows(self, one: Told) -> bool:
        return self._published_by is None or one.told_at <= self._published_by

    def _adds(self, one: Told) -> bool:
        """Tell whether a statement, told last, leaves the facts before it as they are, or changes one window of them."""
        event = one.entry.event
        if one.entry.version in self._named or isinstance(event, EntryWithdrawn):
            return False
        if isinstance(event, EntryCorrected):
            target = self._by_version.get(int(event.corrects))
            if target is None or isinstance(target.event, KEPT_WHOLE):
                return False
            return isinstance(target.event, OF_WINDOWS) or event.set.keys() <= WORDS
        return True

    def _begin(self, seen: Sequence[Told]) -> None:
        """Fold from the start; what comes out as it was before stays the same object."""
        found = folded(seen)
        if self._seen:
            found = self._kept(found)
        self._seen = list(seen)
        self._said, self._facts, self._statuses, self._over = (
            list(found.said), found.facts, found.statuses, set(found.over),
        )  # fmt: skip
        self._places = {statement.version: at for at, statement in enumerate(self._said)}
        self._of_window: dict[str, list[int]] = {}
        for at, statement in enumerate(self._said):
            if isinstance(statement.event, OF_WINDOWS):
                self._of_window.setdefault(statement.event.window, []).append(at)
        self._named.update(
            int(one.entry.event.corrects)
            for one in seen
            if isinstance(one.entry.event, EntryCorrected | EntryWithdrawn)
        )

    def _kept(self, found: Folded) -> Folded:
        """Return what was folded, with the statements and windows of before where they, and their marks, are the same."""
        before = {one.entry.version for one in self._seen}
        if (found.over ^ self._over) & before:
            return found
        known = {statement.version: statement for statement in self._said}
        said = tuple(
            known[one.version]
            if known.get(one.version) == one and self._statuses[one.version] == found.statuses[one.version]
            else one
            for one in found.said
        )
        was, now = corrections_of(self._said), corrections_of(said)
        for key, window in found.facts.windows.items():
            old = self._facts.windows.get(key)
            if old == window and all(was.get(at) == now.get(at) for at in window.versions):
                found.facts.windows[key] = old
        return msgspec.structs.replace(found, said=said)

    def _add(self, one: Told) -> None:
        """Fold a statement on that `_adds`."""
        version, event = one.entry.version, one.entry.event
        self._seen.append(one)
        if self._facts.status in OVER:
            self._over.add(version)
        if isinstance(event, EntryCorrected):
            corrects = int(event.corrects)
            self._named.add(corrects)
            at = self._places.get(corrects)
            if at is not None:
                known = self._said[at]
                self._said[at] = Statement(
                    corrects, set_fields(known.event, event.set), (*known.corrected_by, version)
                )
            about = self._by_version[corrects].event
            if isinstance(about, OF_WINDOWS):
                self._again(about.window)
                if event.kind != "editorial":
                    acts = self._facts.acts
                    acts[about.window] = tuple(sorted((*acts.get(about.window, ()), version)))
        self._places[version] = len(self._said)
        self._said.append(Statement(version, event))
        if isinstance(event, OF_WINDOWS):
            self._of_window.setdefault(event.window, []).append(self._places[version])
        self._facts.apply(version, event)
        self._statuses[version] = self._facts.status

    def _again(self, window: str) -> None:
        """Fold one window again from what was said of it; nothing else follows from that."""
        alone = fold(self._said[at] for at in self._of_window.get(window, ()))
        self._facts.windows.update(alone.windows)


def _in_order(one: Told) -> tuple[str, int, int]:
    """Version breaks the tie between entries that one publication order cannot tell apart."""
    return one.told_at, one.position, one.entry.version


def said_of(window: ImpactWindow, corrections: Mapping[int, tuple[int, ...]]) -> list[int]:
    """Return the versions a window rests on: its own entries, and the corrections that were put into them."""
    return [at for version in window.versions for at in (version, *corrections.get(version, ()))]


def corrections_of(said: Iterable[Statement]) -> dict[int, tuple[int, ...]]:
    """Return by version the corrections that were put into a statement."""
    return {statement.version: statement.corrected_by for statement in said if statement.corrected_by}


def revisions(entries: Sequence[Entry]) -> list[Revision]:
    """Return the revisions of a notice in position order; the numbers never change once given."""
    groups: list[list[Entry]] = []
    for entry in entries:
        if entry.event.internal:
            continue
        change = entry.event.change
        if change is not None and groups and groups[-1][-1].event.change == change:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return [
        Revision(
            number,
            tuple(entry.version for entry in group),
            group[0].published_at or group[0].recorded_at,
            group[-1].position,
        )
        for number, group in enumerate(groups, 1)
    ]


def windows_of(incident: str, facts: Facts) -> list[Window]:
    """Return the impact windows of an incident as facts to be counted; withdrawn ones are marked, not left out."""
    return [window_of(incident, key, facts) for key in sorted(facts.windows)]


def window_of(incident: str, key: str, facts: Facts) -> Window:
    """Return one impact window of an incident as a fact to be counted.

    Its entries are those that state it, and the corrections and withdrawals of entries that made it what it is.
    """
    found = facts.windows[key]
    fields = found.fields
    planned = fields.planned
    return Window(
        incident=incident,
        window=key,
        service=fields.service,
        component=fields.component,
        region=fields.region,
        start=seconds(fields.start),
        end=None if fields.end is None else seconds(fields.end),
        effect=fields.effect,
        share_at_least=fields.share_at_least,
        share_at_most=fields.share_at_most,
        share_of=fields.share_of,
        approximate=fields.approximate,
        start_within_seconds=fields.start_within_seconds or 0,
        end_within_seconds=fields.end_within_seconds or 0,
        basis=fields.basis,
        cohort=fields.cohort,
        planned=None
        if planned is None
        else Planned(
            seconds(planned.announced_at), seconds(planned.scheduled_start), seconds(planned.scheduled_end)
        ),
        withdrawn=found.withdrawn or facts.withdrawn,
        regions=facts.regions,
        components=facts.components,
        entries=tuple(
            f"incident/{incident} v{version}" for version in (*found.versions, *facts.acts.get(key, ()))
        ),
    )


def measurements_of(incident: str, said: Iterable[Statement]) -> list[Measurement]:
    """Return the measurements of an incident as facts to be counted, none of one that was withdrawn; see `statements`.

    A measurement whose figures are kept as a table by digest has neither failed nor value here.
    """
    said = list(said)
    facts = fold(said)
    if facts.withdrawn:
        return []
    found: dict[str, Measurement] = {}
    for statement in said:
        event = statement.event
        if isinstance(event, MeasurementRecorded):
            versions = (statement.version, *statement.corrected_by)
            found[event.measurement] = Measurement(
                incident, event.measurement, event.service, event.component, event.region, seconds(event.start),
                seconds(event.end), event.of, event.total, event.failed, event.value, event.unit, event.statistic,
                facts.regions, facts.components, tuple(f"incident/{incident} v{version}" for version in versions),
            )  # fmt: skip
    return [found[key] for key in sorted(found)]
