"""The one door from the log to the read side: entries with their events, texts held to their commitments and put back in."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ledger.domain.checks import is_text_field
from ledger.domain.events import (
    TEXTS,
    TYPES,
    UPCASTS,
    AnyEvent,
    Commitment,
    EntryCorrected,
    EntryRedacted,
    Missing,
    upcast,
)
from ledger.errors import Altered, Unavailable
from ledger.store.entry import (
    NewEntry,
    StoredEntry,
    decode_entry,
    decode_texts,
    encode_data,
    encode_texts,
    fits,
)
from ledger.store.log import SealedLog

__all__ = [
    "Entry",
    "EventToStore",
    "event_of",
    "name_missing",
    "new_entry",
    "open_entry",
    "published_time",
    "read_all",
    "read_stream",
    "text_or_erased",
]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event at its position, with its header. A text that was erased is its Commitment.

    published_at: when it was made public, as given or else when the first entry of its change was recorded; None while
    internal.
    """

    position: int
    stream: str
    version: int
    type: str
    recorded_at: str
    published_at: str | None
    event: AnyEvent
    idempotency_key: str | None = None
    clock_behind: bool = False

    @property
    def key(self) -> str:
        """The stream's key, without its kind."""
        return self.stream.partition("/")[2]

    @property
    def late(self) -> bool:
        """Whether it is said to have been published before it was recorded."""
        return self.event.published_at is not None and self.event.published_at < self.recorded_at


class EventToStore(msgspec.Struct, frozen=True, gc=False):
    """An event for a stream at a version: what eventsourcing calls a domain event."""

    originator_id: str
    originator_version: int
    event: AnyEvent
    idempotency_key: str | None = None


def new_entry(pending: EventToStore, salts: Callable[[], bytes]) -> NewEntry:
    """Return an event as it is going to be stored: canonical JSON, its texts as commitments."""
    event = pending.event
    data, texts = encode_data(event, TEXTS[type(event)], is_text_field, salts)
    return NewEntry(
        pending.originator_id,
        pending.originator_version,
        event.TYPE,
        data,
        encode_texts(texts),
        pending.idempotency_key,
    )


class _Decoders(dict[str, Callable[[bytes], AnyEvent]]):
    """Decoders by type, each made when it is first needed: most commands meet a few types."""

    def __missing__(self, type_: str) -> Callable[[bytes], AnyEvent]:
        decode: Callable[[bytes], AnyEvent] = msgspec.json.Decoder(TYPES[type_]).decode
        self[type_] = decode
        return decode


_DECODERS = _Decoders()


def event_of(type_: str, data: bytes, texts: bytes, of: int | str | None = None) -> AnyEvent:
    """Return the event that stored data say, earlier formats upcast, with the texts that are still there.

    of: which entry it is, by its position or in words; then each text is held to its commitment, and Altered is raised for
    one that does not fit. None, for appending: nothing is shown, and a text that was altered can still be erased.
    """
    try:
        if type_ in UPCASTS:
            name, fields = upcast(type_, msgspec.json.decode(data))
            event: AnyEvent = msgspec.convert(fields, TYPES[name])
        else:
            event = _DECODERS[type_](data)
    except KeyError:
        raise Unavailable(
            f"an entry has the unknown type {type_!r}; it was written by a newer version: update"
        ) from None
    except msgspec.MsgspecError as error:
        raise Unavailable(f"an entry of type {type_} cannot be read ({error}); run ledger verify") from None
    if texts != b"{}":
        put = msgspec.structs.force_setattr
        known = TEXTS[type(event)]
        for path, (salt, value) in _texts_of(texts, of):
            if path in known:
                if of is not None:
                    _check_text(of, path, getattr(event, path), salt, value)
                put(event, path, value)
            elif isinstance(event, EntryCorrected) and path.startswith("set."):
                if of is not None:
                    _check_text(of, path, event.set.get(path[4:]), salt, value)
                event.set[path[4:]] = value
    return event


def _texts_of(texts: bytes, of: int | str | None) -> Iterable[tuple[str, tuple[str, str]]]:
    try:
        return decode_texts(texts).items()
    except msgspec.MsgspecError as error:
        raise Altered(
            f"the texts of {_named(of)} cannot be read ({error}); they were altered: run ledger verify"
        ) from None


def _check_text(of: int | str, path: str, committed: Any, salt: str, value: str) -> None:
    """Refuse a text that the entry did not say: what hashes to another commitment, or to none."""
    # What a correction sets is read as it is stored; whatever else stands there commits to no text.
    said = committed.get("sha256") if type(committed) is dict else getattr(committed, "sha256", None)
    if type(said) is not str or not fits(salt, value, said):
        raise Altered(
            f"the text {path} of {_named(of)} does not fit its commitment, so it was altered and is not shown; run ledger verify"
        )


def _named(of: int | str | None) -> str:
    return "an entry" if of is None else f"@{of}" if type(of) is int else str(of)


def published_time(event: AnyEvent, recorded_at: str, before: Entry | None) -> str | None:
    """Return when an event was made public; `before` is the entry before it in its stream.

    The entries of one change are recorded a microsecond or more apart, and are published at once.
    """
    if event.internal:
        return None
    if event.published_at is not None:
        return event.published_at
    if before is not None and event.change is not None and event.change == before.event.change:
        return before.published_at
    return recorded_at


def open_entry(stored: StoredEntry, before: Entry | None) -> Entry:
    """Return a stored entry with its event; `before` is the entry before it in its stream, None for the first.

    Raises Altered where a text beside it is not the one that the entry commits to.
    """
    header, data = decode_entry(stored.entry)
    event = event_of(header.type, data, stored.texts, header.position)
    return Entry(
        header.position, header.stream, header.version, header.type, header.recorded_at,
        published_time(event, header.recorded_at, before), event, header.idempotency_key, header.clock_behind,
    )  # fmt: skip


def read_stream(log: SealedLog, stream: str, *, upto_position: int | None = None) -> list[Entry]:
    """Return the entries of a stream in position order, up to a position of the ledger.

    A text that is gone although no entry of the whole stream erased it is `Missing`. Raises Altered for one that was altered.
    """
    entries: list[Entry] = []
    before: Entry | None = None
    for stored in log.stream(stream):
        before = open_entry(stored, before)
        entries.append(before)
    name_missing(entries)
    return (
        entries if upto_position is None else [entry for entry in entries if entry.position <= upto_position]
    )


def name_missing(entries: Sequence[Entry], only: Container[str] | None = None) -> None:
    """Let each text that is gone although none of these entries, a whole stream, erased it say that it is `Missing`.

    only: the paths of those that were read at all.
    """
    gone = [(entry, path) for entry in entries for path in _gone(entry.event) if only is None or path in only]
    if not gone:
        return
    erased = {
        (int(event.entry), path)
        for event in (entry.event for entry in entries)
        if isinstance(event, EntryRedacted)
        for path in event.fields
    }
    for entry, path in gone:
        event = entry.event
        if (entry.version, path) in erased:
            continue
        if isinstance(event, EntryCorrected) and path.startswith("set."):
            event.set[path[4:]] = Missing(event.set[path[4:]]["sha256"])
        else:
            msgspec.structs.force_setattr(event, path, Missing(getattr(event, path).sha256))


def _gone(event: AnyEvent) -> Iterator[str]:
    """Yield the paths of the texts of an event that are not there any more."""
    for name in TEXTS[type(event)]:
        if isinstance(getattr(event, name), Commitment):
            yield name
    if isinstance(event, EntryCorrected):
        for name, value in event.set.items():
            if isinstance(value, dict) and value.keys() == {"sha256"}:
                yield f"set.{name}"


def read_all(log: SealedLog, *, upto: int | None = None) -> Iterator[Entry]:
    """Yield all entries in position order, a page at a time."""
    # Of each stream whose last entry belongs to a labelled change, that entry: the next may belong to it, too.
    unfinished: dict[str, Entry] = {}
    for stored in log.entries(upto=upto):
        entry = open_entry(stored, unfinished.pop(stored.stream, None))
        if entry.event.change is not None:
            unfinished[entry.stream] = entry
        yield entry


def text_or_erased(value: Any) -> str | None:
    """Return a text as it is shown: itself, nothing, or the word that it was erased, or is missing though nobody did."""
    if value is None or type(value) is str:
        return value
    return "[missing]" if type(value) is Missing else "[erased]"
