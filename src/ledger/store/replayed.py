"""Entries of a whole ledger that comes from elsewhere: could they have been recorded, and can they be read?

A bundle may be validly signed and hold anything: an event nobody knows, a window that ends before it was added. What is
verified by `ledger.proof` is that nothing was altered; here each stream is taken in entry by entry, under the rules by
which a ledger takes them, so that no reader meets what it cannot fold.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from ledger.domain.actions import KINDS, Action, field_problems, kind_of
from ledger.domain.checks import check_fields, is_text_field
from ledger.domain.decide import decide
from ledger.domain.events import (
    ACTIONS,
    TEXTS,
    UPCASTS,
    AnyEvent,
    ClaimFiled,
    Commitment,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    IncidentLinked,
    PolicyPublished,
)
from ledger.domain.instants import from_micros, micros
from ledger.domain.other_stream_rules import check_terms
from ledger.domain.stream_history import History
from ledger.errors import LedgerError, Refused
from ledger.store.entry import Header, decode_entry, encode_data
from ledger.store.stream import event_of

__all__ = ["Unfit", "unfit"]

# Between what an entry was decided by and when it was stored a clock may have been set back by as much.
_CLOCK_SLACK = 5_000_000
_VERBS = {event.TYPE: verb for verb, event in ACTIONS.items()}


class Unfit(NamedTuple):
    """An entry that no ledger would have recorded so, or none could read, and why."""

    position: int
    stream: str
    version: int
    type: str
    why: str


def unfit(
    spans: Iterable[tuple[int, int]], read: Callable[[int, int], bytes], *, order: bool
) -> Iterator[Unfit]:
    """Yield the first unfit entry of each stream, in no order of positions.

    spans: where each entry of the ledger begins and ends, in the order of positions; read: its bytes. order: whether the rules
    of order are asked, too, that may be younger than an entry; without them only what cannot be read is unfit. Memory grows with
    the number of entries, and the longest stream is held whole.
    """
    streams: dict[str, array[int]] = {}
    first: dict[str, int] = {}
    for start, end in spans:
        header, _ = decode_entry(read(start, end))
        streams.setdefault(header.stream, array("Q")).extend((start, end))
        first.setdefault(header.stream, header.position)
    for stream, places in streams.items():
        history = History(stream)
        for start, end in zip(places[::2], places[1::2], strict=True):
            header, data = decode_entry(read(start, end))
            try:
                _take(history, header, data, first, order=order)
            except LedgerError as error:
                yield Unfit(header.position, stream, header.version, header.type, str(error))
                break


def _take(history: History, header: Header, data: bytes, first: dict[str, int], *, order: bool) -> None:
    """Take the next entry into its stream. Raises LedgerError where it does not fit."""
    event = _readable(header, data)
    _check_references(history, event)
    try:
        recorded = micros(header.recorded_at)
        # An entry was told, and decided, no later than it was stored; how much earlier is stored nowhere.
        latest, earliest = from_micros(recorded + _CLOCK_SLACK), from_micros(recorded - _CLOCK_SLACK)
    except (ValueError, OverflowError):
        raise Refused(f"recorded_at {header.recorded_at} is no day that a clock shows") from None
    action = Action(verb=_VERBS[event.TYPE], stream=header.stream, event=_as_asked(event))
    for key in _incidents_named(event) if order else ():
        if first.get(f"incident/{key}", header.position) >= header.position:
            raise Refused(f"incident {key!r} does not exist by then")
    try:
        # Streams of keys were held to rules of their own, with all signatures.
        if order and (not header.stream.startswith("key/") or isinstance(event, EntryRedacted)):
            decide(history, action, latest, 0)
        elif isinstance(event, PolicyPublished):
            # Terms that cannot be parsed cannot be read, by whatever rules of order.
            check_terms(event, header.stream.partition("/")[2])
        history.add(_with_texts(event), earliest)
    except LedgerError:
        raise
    except Exception as error:
        # Rules and folds may rely on what earlier rules saw to, and may fail in any way where nobody did.
        raise Refused(
            f"it does not follow from the entries before it ({type(error).__name__}: {error})"
        ) from error


def _readable(header: Header, data: bytes) -> AnyEvent:
    """Return the event that an entry says, its texts as commitments. Raises LedgerError where it says none that is known."""
    try:
        event = event_of(header.type, data, b"{}")
    except LedgerError as error:
        raise Refused(str(error).removesuffix("; run ledger verify")) from None
    kind = header.stream.partition("/")[0]
    if kind not in KINDS:
        raise Refused(f"a stream of the kind {kind!r} is unknown; known are {', '.join(KINDS)}")
    if not isinstance(event, EntryRedacted) and kind_of(_VERBS[event.TYPE]) != kind:
        raise Refused(f"{event.TYPE} is no event of a stream of the kind {kind!r}")
    if header.type not in UPCASTS and encode_data(event, TEXTS[type(event)], is_text_field, {})[0] != data:
        raise Refused(
            "it is not spelled as such events are recorded: with each text as a commitment, and without fields at their default"
        )
    values = [name for name in event.__struct_fields__ if not is_text_field(name) and name != "set"]
    bare = msgspec.structs.replace(event, set={}) if isinstance(event, EntryCorrected) else event
    if problems := check_fields(_with_texts(bare), values)[1]:
        raise Refused("; ".join(problems))
    return event


def _reference(event: AnyEvent) -> str:
    """Return the field in which an event names a version of its stream, "" where it names none."""
    match event:
        case EntryCorrected() | EntryWithdrawn():
            return "corrects"
        case EntryPublished():
            return "publishes"
        case EntryRedacted():
            return "entry"
        case _:
            return ""


def _check_references(history: History, event: AnyEvent) -> None:
    """Refuse an event about an entry that is not there, and a correction that no field of its entry can take."""
    if not (field := _reference(event)):
        return
    version = getattr(event, field)
    if type(version) is not int or not 1 <= version <= history.version:
        raise Refused(
            f"{field} {version!r} is no version of {history.stream} by then, which has {history.version}"
        )
    if not isinstance(event, EntryCorrected):
        return
    target = type(history.events[version - 1])
    types = {one.name: one.type for one in msgspec.structs.fields(target)}
    for name, value in event.set.items():
        if name not in types:
            raise Refused(f"set.{name} is no field of v{version} ({target.TYPE})")
        if is_text_field(name) and value is not None:
            if type(value) is not dict or value.keys() != {"sha256"}:
                raise Refused(f"set.{name} is no commitment to a text")
        elif problems := field_problems(name, value, types[name], "set."):
            raise Refused("; ".join(problems))


def _as_asked(event: AnyEvent) -> AnyEvent:
    """Return a stored event as the action that asked for it: a version it refers to is named as one."""
    if field := _reference(event):
        event = msgspec.structs.replace(event, **{field: f"v{getattr(event, field)}"})
    return _with_texts(event)


def _with_texts(event: AnyEvent) -> AnyEvent:
    """Return an event with some text for each commitment: the rules ask whether there is one, and whether two are the same."""
    put: dict[str, Any] = {
        name: f"text {value.sha256}"
        for name in TEXTS[type(event)]
        if isinstance(value := getattr(event, name), Commitment)
    }
    if isinstance(event, EntryCorrected):
        put["set"] = {
            name: f"text {value['sha256']}" if is_text_field(name) and isinstance(value, dict) else value
            for name, value in event.set.items()
        }
    return msgspec.structs.replace(event, **put) if put else event


def _incidents_named(event: AnyEvent) -> tuple[str, ...]:
    if isinstance(event, IncidentLinked):
        return (event.to,)
    if isinstance(event, ClaimFiled):
        return event.incidents
    if isinstance(event, EntryCorrected) and "to" in event.set:
        return (str(event.set["to"]),)
    return ()
