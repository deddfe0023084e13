"""The one door from the log to the read side: entries with their events, texts put back in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ledger.domain.checks import is_text_field
from ledger.domain.events import TEXTS, TYPES, UPCASTS, AnyEvent, EntryCorrected, upcast
from ledger.errors import Unavailable
from ledger.store.entry import NewEntry, StoredEntry, decode_entry, decode_texts, encode_data, encode_texts
from ledger.store.log import SealedLog

__all__ = [
    "Entry",
    "EventToStore",
    "event_of",
    "new_entry",
    "open_entry",
    "read_all",
    "read_stream",
    "text_or_erased",
]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One event at its position, with its header. A text that was erased is its Commitment."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: str
    event: AnyEvent
    idempotency_key: str | None = None
    clock_behind: bool = False

    @property
    def key(self) -> str:
        """The stream's key, without its kind."""
        return self.stream.partition("/")[2]


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


def event_of(type_: str, data: bytes, texts: bytes) -> AnyEvent:
    """Return the event that stored data say, earlier formats upcast, with the texts that are still there."""
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
        for path, (_, value) in decode_texts(texts).items():
            if path in known:
                put(event, path, value)
            elif isinstance(event, EntryCorrected) and path.startswith("set."):
                event.set[path[4:]] = value
    return event


def open_entry(stored: StoredEntry) -> Entry:
    """Return a stored entry with its event."""
    header, data = decode_entry(stored.entry)
    return Entry(
        header.position, header.stream, header.version, header.type, header.recorded_at,
        event_of(header.type, data, stored.texts), header.idempotency_key, header.clock_behind,
    )  # fmt: skip


def read_stream(log: SealedLog, stream: str, *, upto_position: int | None = None) -> list[Entry]:
    """Return the entries of a stream in position order, up to a position of the ledger."""
    entries = [open_entry(stored) for stored in log.stream(stream)]
    return (
        entries if upto_position is None else [entry for entry in entries if entry.position <= upto_position]
    )


def read_all(log: SealedLog, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
    """Yield all entries in position order, a page at a time."""
    return map(open_entry, log.entries(after=after, upto=upto))


def text_or_erased(value: Any) -> str | None:
    """Return a text as it is shown: itself, nothing, or the word that it was erased."""
    return value if value is None or type(value) is str else "[erased]"
