"""What the views hold of one incident: a row of its state, and a row for each version of each window with its cuts.

The rows are a pure function of the incident's entries. Run as a module it is a process of its own that makes the rows of
a range of incidents for a rebuild (`projections.views`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import msgspec

from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryWithdrawn,
    IncidentAffectedSet,
    IncidentOpened,
    IncidentRetitled,
    IncidentWithdrawn,
    Text,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import Facts
from ledger.domain.window import Window
from ledger.store.entry import split_entry
from ledger.store.log import SealedLog
from ledger.store.stream import Entry, event_of, name_missing, published_time, text_or_erased
from projections.replay import Cut, facts_at, told, window_of, windows_of

__all__ = ["BATCH", "Job", "Row", "batches", "frames", "rows_of", "state_row"]

# Rows that are handed on at a time.
BATCH = 5_000
Row = tuple[Any, ...]
# Events that act on entries told before them, and those that change a window, or all windows of an incident.
_ACTING: frozenset[type] = frozenset((EntryCorrected, EntryWithdrawn, EntryPublished))
_OF_WINDOWS: frozenset[type] = frozenset((WindowAdded, WindowRevised, WindowWithdrawn))
_OF_INCIDENTS: frozenset[type] = frozenset((IncidentOpened, IncidentAffectedSet, IncidentWithdrawn))
_TOUCHING = _OF_WINDOWS | _OF_INCIDENTS
# The only text in the views is the title; entries of other types keep theirs as commitments.
_TITLED = frozenset(event.TYPE for event in (IncidentOpened, IncidentRetitled, EntryCorrected))
_TITLE = frozenset(("title", "set.title"))
_encode = msgspec.json.Encoder().encode
_encode_frame = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(tuple[list[Row], list[Row]]).decode


# The same few names stand in row after row.
@lru_cache(4_096)
def _names(values: tuple[str, ...]) -> str:
    return _encode(values).decode()


def rows_of(entries: Sequence[Entry]) -> tuple[dict[str, Any], list[Row]]:
    """Return the state row of one incident and its window rows, from all its entries in position order."""
    found = _in_order(entries)
    if found is not None:
        return found
    if any(entry.event.internal for entry in entries):
        rows = [*_history(entries, "public"), *_house(entries)]
    else:
        rows = _history(entries, "both")
    return state_row(entries), rows


def state_row(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the house knows of one incident after these entries."""
    shown = told(entries, audience="house")
    facts = facts_at(entries, audience="house")
    public = [one.told_at for one in shown if one.public]
    said = facts if len(public) == len(shown) else facts_at(entries)
    return _state_of(
        entries, facts, shown[0].told_at, public[-1] if public else None,
        told_title=said.title, internal_entries=len(shown) - len(public),
    )  # fmt: skip


def _in_order(entries: Sequence[Entry]) -> tuple[dict[str, Any], list[Row]] | None:
    """Return the rows of an ordinary stream in one pass, None where an entry acts on what was told before it.

    Ordinary: told in the order of positions, nothing internal, nothing corrected, taken back or published later. Then
    both audiences read the same, and each entry adds to what the earlier ones came to.
    """
    rectangles = _Rectangles("both")
    incident = entries[0].key
    facts = Facts()
    latest = ""
    for entry in entries:
        event = entry.event
        told_at = entry.published_at
        if told_at is None or told_at < latest or type(event) in _ACTING:
            return None
        latest = told_at
        facts.apply(entry.version, event)
        if type(event) in _TOUCHING:
            _tell(rectangles, incident, facts, _changed(event, facts), told_at, entry.position)
    opened_at = entries[0].published_at or entries[0].recorded_at
    state = _state_of(entries, facts, opened_at, latest, told_title=facts.title, internal_entries=0)
    return state, rectangles.rows()


def _state_of(
    entries: Sequence[Entry], facts: Facts, opened_at: str, last_told_at: str | None, *, told_title: Text | None,
    internal_entries: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the state row. last_told_at, told_title: the last the public was told, and the title it knows; None: nothing."""
    first = entries[0]
    return {
        "incident": first.key,
        "kind": facts.kind,
        "status": facts.status,
        "title": text_or_erased(facts.title),
        "impact": facts.impact,
        "began_at": facts.began_at,
        "resolved_at": facts.resolved_at,
        "services": _names(facts.services),
        "components": _names(facts.components),
        "regions": _names(facts.regions),
        # What was withdrawn counts nothing, a window alone or with its incident.
        "windows": 0 if facts.withdrawn else sum(not window.withdrawn for window in facts.windows.values()),
        "entries": len(entries),
        "opened_at": opened_at,
        "last_told_at": last_told_at,
        "first_position": first.position,
        "last_position": entries[-1].position,
        "internal": last_told_at is None,
        "internal_entries": internal_entries,
        "told_title": text_or_erased(told_title),
    }


class _Rectangles:
    """The versions of windows as they open and close along both axes."""

    def __init__(self, audience: str) -> None:
        self.audience = audience
        # (window, published_from, published_to) -> (state, position_from)
        self.open: dict[tuple[str, str, str | None], tuple[Window, int]] = {}
        # window -> the published_from of its last segment, the open one without published_to
        self.latest: dict[str, str] = {}
        self.closed: list[Row] = []

    def become(self, wanted: dict[tuple[str, str, str | None], Window], position: int) -> None:
        """Make exactly these rectangles the open ones from a position on."""
        for key, (state, since) in list(self.open.items()):
            if wanted.get(key) != state:
                del self.open[key]
                self._close(key, state, since, position)
        for key, state in wanted.items():
            if key not in self.open:
                self.open[key] = (state, position)
        self.latest = {window: since for window, since, until in self.open if until is None}

    def last(self, window: str, state: Window, told_at: str, position: int) -> None:
        """Let a window have this state from told_at on, for ever, as known from a position on."""
        before = self.latest.get(window)
        if before is not None:
            key = (window, before, None)
            known, since = self.open[key]
            if known == state:
                return
            del self.open[key]
            self._close(key, known, since, position)
            if before < told_at:
                self.open[(window, before, told_at)] = (known, position)
        self.latest[window] = told_at
        self.open[(window, told_at, None)] = (state, position)

    def rows(self) -> list[Row]:
        """Return all rectangles as rows, in one order whatever the way they came about."""
        rows = self.closed + [
            _row(self.audience, key, state, since, None) for key, (state, since) in self.open.items()
        ]
        return sorted(rows, key=lambda row: (row[1], row[5], row[3], row[2]))

    def _close(self, key: tuple[str, str, str | None], state: Window, since: int, position: int) -> None:
        # A state that one transaction or told time both made and undid was never anybody's answer.
        if since < position:
            self.closed.append(_row(self.audience, key, state, since, position))


def _history(entries: Sequence[Entry], audience: str) -> list[Row]:
    """Return the rows of what the public was told about windows, for every pair of cuts."""
    rectangles = _Rectangles(audience)
    incident = entries[0].key
    facts = Facts()
    latest = ""
    for at, entry in enumerate(entries):
        event = entry.event
        told_at = entry.published_at
        if told_at is None:
            continue
        if told_at < latest:
            # Told before something that is already recorded: everything from then on reads anew.
            rectangles.become(_segments(entries[: at + 1]), entry.position)
            facts = facts_at(entries[: at + 1])
            continue
        latest = told_at
        if type(event) in _ACTING:
            facts = facts_at(entries[: at + 1])
            changed: Iterable[str] = facts.windows
        else:
            # A correction that came earlier has to act on nothing that comes now: it names an earlier entry.
            facts.apply(entry.version, event)
            changed = _changed(event, facts)
        _tell(rectangles, incident, facts, changed, told_at, entry.position)
    return rectangles.rows()


def _tell(
    rectangles: _Rectangles, incident: str, facts: Facts, changed: Iterable[str], told_at: str, position: int
) -> None:
    """Let the windows that changed have their present state from told_at on."""
    # Only the windows that changed are worked out: an incident may have thousands.
    for key in sorted(changed):
        if key in facts.windows:
            rectangles.last(key, window_of(incident, key, facts), told_at, position)


def _changed(event: AnyEvent, facts: Facts) -> Iterable[str]:
    kind = type(event)
    if kind in _OF_WINDOWS:
        window: str = event.window  # type: ignore[union-attr]  # the table says which events have one
        return (window,)
    return facts.windows if kind in _OF_INCIDENTS else ()


def _segments(entries: Sequence[Entry]) -> dict[tuple[str, str, str | None], Window]:
    """Return the rectangles of all windows as the entries stand: what was told from when to when."""
    incident = entries[0].key
    times = sorted({one.told_at for one in told(entries)})
    runs: dict[str, list[tuple[str, Window]]] = {}
    for time in times:
        for window in windows_of(incident, facts_at(entries, Cut(published_by=time))):
            run = runs.setdefault(window.window, [])
            if not run or run[-1][1] != window:
                run.append((time, window))
    found: dict[tuple[str, str, str | None], Window] = {}
    for key, run in runs.items():
        ends: list[str | None] = [*(time for time, _ in run[1:]), None]
        for (time, window), end in zip(run, ends, strict=True):
            found[(key, time, end)] = window
    return found


def _house(entries: Sequence[Entry]) -> list[Row]:
    """Return the rows of what the house knew, internal entries too; it has no cut by publication."""
    rectangles = _Rectangles("house")
    incident = entries[0].key
    for at, entry in enumerate(entries):
        state = windows_of(incident, facts_at(entries[: at + 1], audience="house"))
        rectangles.become({(window.window, "", None): window for window in state}, entry.position)
    return rectangles.rows()


def _row(
    audience: str,
    key: tuple[str, str, str | None],
    state: Window,
    position_from: int,
    position_to: int | None,
) -> Row:
    planned = state.planned
    return (
        state.incident, state.window, audience, key[1], key[2], position_from, position_to, state.service,
        state.component, state.region, state.start, state.end, state.effect, state.share_at_least,
        state.share_at_most, state.share_of, state.approximate, state.start_within_seconds, state.end_within_seconds,
        state.basis, state.cohort,
        None if planned is None else _encode(msgspec.structs.astuple(planned)).decode(),
        state.withdrawn, _names(state.regions), _names(state.components), _encode(state.entries).decode(),
    )  # fmt: skip


# ---- the rows of many ------------------------------------------------------------------------------------------


class Job(msgspec.Struct):
    """A range of incidents by key, from `low` up to but not `high` (None: to the last), up to a position."""

    url: str
    low: str
    high: str | None
    size: int


def batches(log: SealedLog, job: Job) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield (state rows, window rows) of the incidents of a range, so many at a time that memory stays flat."""
    states: list[Row] = []
    windows: list[Row] = []
    for _, rows in groupby(log.rows_by_stream("incident", job.low, job.high), key=lambda row: row[1]):
        entries: list[Entry] = []
        for row in rows:
            if row[0] <= job.size:
                entries.append(_entry(row, entries[-1] if entries else None))
        if not entries:
            continue
        name_missing(entries, _TITLE)
        state, found = rows_of(entries)
        states.append(tuple(state.values()))
        windows += found
        if len(states) + len(windows) >= BATCH:
            yield states, windows
            states, windows = [], []
    yield states, windows


def _entry(row: Sequence[Any], before: Entry | None) -> Entry:
    # The columns say what the header says; verify holds them to it.
    position, stream, version, type_, recorded_at, _, entry, texts = row
    event = event_of(type_, split_entry(bytes(entry)), bytes(texts) if type_ in _TITLED else b"{}", position)
    published_at = published_time(event, recorded_at, before)
    return Entry(position, stream, version, type_, recorded_at, published_at, event)


def frames(stream: Any) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield the batches that `_main` wrote to a stream; EOFError where it ends before the last one."""
    while size := int.from_bytes(_exactly(stream, 8), "big"):
        yield _decode_frame(_exactly(stream, size))


def _exactly(stream: Any, size: int) -> bytes:
    found: bytes = stream.read(size)
    if len(found) != size:
        raise EOFError(f"the stream ended after {len(found)} of {size} bytes")
    return found


def _main() -> None:
    """Write the batches of each range that a line of standard input names, each behind its length, with 0 at the end."""
    from ledger.store.location import open_log

    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        job = msgspec.json.decode(line, type=Job)
        log = open_log(job.url, writable=False)
        for batch in batches(log, job):
            frame = _encode_frame(batch)
            out.write(len(frame).to_bytes(8, "big") + frame)
        out.write(bytes(8))
        out.flush()
        log.close()


if __name__ == "__main__":
    _main()
