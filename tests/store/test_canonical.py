"""Laws of the entry bytes, held against an independent writer of canonical JSON (RFC 8785)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.checks import INTEGER_MOST, is_text_field
from ledger.domain.events import (
    TEXTS,
    AnyEvent,
    EntryCorrected,
    External,
    IncidentOpened,
    MeasurementRecorded,
    Series,
)
from ledger.store.entry import (
    NewEntry,
    Texts,
    decode_entry,
    decode_texts,
    encode_data,
    encode_texts,
    frame,
    split_entry,
)
from ledger.store.stream import event_of

# Everything that can be written in UTF-8: no half surrogate pairs, which the field checks refuse.
_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_NAMES = st.lists(_TEXT, max_size=3).map(tuple)
_INTEGERS = st.integers(0, INTEGER_MOST)
_MARKS = st.sampled_from((b',"header":{', b'{"data":', b'"', b"\\", b"}", b"\x00", b"\xff"))

_OPENED = st.builds(
    IncidentOpened,
    actor=_TEXT,
    title=_TEXT,
    status=st.sampled_from(("investigating", "scheduled")),
    ref=st.none() | _TEXT,
    note=st.none() | _TEXT,
    body=st.none() | _TEXT,
    internal=st.booleans(),
    body_format=st.sampled_from(("text", "markdown")),
    external=st.none() | st.builds(External, system=_TEXT, id=_TEXT),
    services=_NAMES,
    regions=_NAMES,
)
_CORRECTED = st.builds(
    EntryCorrected,
    actor=_TEXT,
    corrects=_INTEGERS,
    kind=st.just("correction"),
    reason=_TEXT,
    set=st.dictionaries(
        st.sampled_from(("body", "title", "note", "began_at", "regions", "impact", "planned")),
        st.none() | _TEXT,
        max_size=5,
    ),
)
_MEASURED = st.builds(
    MeasurementRecorded,
    actor=_TEXT,
    measurement=_TEXT,
    service=_TEXT,
    component=_TEXT,
    region=_TEXT,
    start=_TEXT,
    end=_TEXT,
    of=st.just("requests"),
    total=st.none() | _INTEGERS,
    failed=st.none() | _INTEGERS,
    series=st.none() | st.builds(Series, sha256=_TEXT, format=st.just("csv"), rows=_INTEGERS),
)
_EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(_OPENED, _CORRECTED, _MEASURED)
_RECORDED_AT = "2022-03-14T16:00:00.000001Z"


def _salts() -> Callable[[], bytes]:
    numbers = count()
    return lambda: hashlib.sha256(str(next(numbers)).encode()).digest()[:16]


def _encoded(event: AnyEvent, salts: Callable[[], bytes] | Texts) -> tuple[bytes, Texts]:
    return encode_data(event, TEXTS[type(event)], is_text_field, salts)


@given(_EVENTS, _TEXT, _TEXT, st.none() | _TEXT, st.integers(1, INTEGER_MOST), st.booleans())
def test_entry_bytes_are_canonical_json(
    event: AnyEvent, ledger: str, stream: str, key: str | None, position: int, behind: bool
) -> None:
    data, texts = _encoded(event, _salts())
    new = NewEntry(stream, position, event.TYPE, data, encode_texts(texts), key)
    entry = frame(new, ledger=ledger, position=position, recorded_at=_RECORDED_AT, clock_behind=behind)
    decoded = json.loads(entry)
    assert rfc8785.dumps(decoded) == entry
    assert rfc8785.dumps(json.loads(new.texts)) == new.texts
    expected: dict[str, Any] = {
        "format": 1, "ledger": ledger, "position": position, "recorded_at": _RECORDED_AT, "stream": stream,
        "type": event.TYPE, "version": position,
    }  # fmt: skip
    if key is not None:
        expected["idempotency_key"] = key
    if behind:
        expected["clock_behind"] = True
    assert decoded["header"] == expected
    assert split_entry(entry) == data
    header, again = decode_entry(entry)
    assert again == data
    assert (header.ledger, header.stream, header.idempotency_key) == (ledger, stream, key)


@given(
    st.lists(st.binary(max_size=20) | _MARKS, max_size=8).map(b"".join),
    _TEXT | st.just('","header":{"x'),
    st.none() | st.just(',"header":{'),
)
def test_opaque_data_are_split_off_exactly(data: bytes, stream: str, key: str | None) -> None:
    """Even data that hold the mark, and names that hold it, since a name is escaped."""
    entry = frame(
        NewEntry(stream, 1, stream, data, b"{}", key), ledger=stream, position=1, recorded_at=_RECORDED_AT
    )
    assert split_entry(entry) == data


@given(_EVENTS)
def test_an_event_reads_back_and_is_encoded_again_to_the_same_bytes(event: AnyEvent) -> None:
    data, texts = _encoded(event, _salts())
    read = event_of(event.TYPE, data, encode_texts(texts))
    assert read == event
    assert decode_texts(encode_texts(texts)) == texts
    assert _encoded(read, texts) == (data, texts)


@given(_EVENTS, st.data())
def test_with_texts_erased_an_event_is_still_the_same_bytes(event: AnyEvent, data: st.DataObject) -> None:
    stored, texts = _encoded(event, _salts())
    kept = {path: text for path, text in texts.items() if data.draw(st.booleans(), label=path)}
    read = event_of(event.TYPE, stored, encode_texts(kept))
    again, said = _encoded(read, kept)
    assert again == stored
    assert said == kept


@given(_EVENTS)
def test_no_text_stands_in_the_data_and_every_commitment_can_be_checked(event: AnyEvent) -> None:
    stored, texts = _encoded(event, _salts())
    data = msgspec.json.decode(stored)
    for path, (salt, value) in texts.items():
        inner, _, field = path.rpartition(".")
        commitment = (data[inner] if inner else data)[field]
        assert commitment == {"sha256": hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()}
    said = {name for name in TEXTS[type(event)] if getattr(event, name) is not None}
    if isinstance(event, EntryCorrected):
        said |= {
            f"set.{name}" for name, value in event.set.items() if is_text_field(name) and value is not None
        }
    assert set(texts) == said
    assert len({salt for salt, _ in texts.values()}) == len(texts)
