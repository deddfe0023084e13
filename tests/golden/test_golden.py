"""Format 1, frozen: these actions give these bytes and this root, on either database, for ever.

A set of events that was added together is a ledger of its own here, `SET.actions.jsonl`, `.entries.jsonl` and `.root`; a
set that is frozen gets no new lines, and new events come in a new set (docs/adr/0010). Together the sets say every action
and every field. `LEDGER_REWRITE_GOLDEN=1` writes the entries and the root of each set anew from its actions; the diff is
the review, and a diff in an existing line is a mistake.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rfc8785

from ledger.application import IncidentLedger, Receipt
from ledger.domain import events
from ledger.domain.actions import Action, parse_action
from ledger.domain.checks import is_text_field
from ledger.domain.events import ACTIONS, TEXTS, AnyEvent, Commitment, EntryCorrected, EntryRedacted
from ledger.domain.instants import micros, parse_instant
from ledger.store.entry import NewEntry, StoredEntry, commit, decode_entry, decode_texts, encode_data
from ledger.store.stream import event_of, open_entry
from ledger.store.tree import Frontier, leaf_hash

_HERE = Path(__file__).parent
_SETS = sorted(path.name.removesuffix(".actions.jsonl") for path in _HERE.glob("*.actions.jsonl"))
each_set = pytest.mark.parametrize("name", _SETS)


def _ledger(name: str) -> str:
    return f"golden-{name.replace('_', '-')}"


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """One append: what the clock said, the actions, and the table that the only action publishes."""

    clock: str
    append: list[dict[str, Any]]
    accept_clock: bool = False
    content: str | None = None

    def actions(self) -> list[Action]:
        content = None if self.content is None else self.content.encode()
        return [parse_action(dict(action), content=content) for action in self.append]


class Frozen(msgspec.Struct):
    """One line of the entries: the entry bytes as they are hashed, and the texts beside them."""

    entry: msgspec.Raw
    texts: msgspec.Raw


def _steps(name: str) -> list[Step]:
    lines = (_HERE / f"{name}.actions.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Step) for line in lines]


def _root(name: str) -> str:
    return (_HERE / f"{name}.root").read_text(encoding="ascii").strip()


def _frozen(name: str) -> list[StoredEntry]:
    found = []
    for line in (_HERE / f"{name}.entries.jsonl").read_bytes().splitlines():
        one = msgspec.json.decode(line, type=Frozen)
        entry = bytes(one.entry)
        header, _ = decode_entry(entry)
        found.append(
            StoredEntry(
                header.position, header.stream, header.version, header.type, header.recorded_at, header.idempotency_key,
                entry, bytes(one.texts),
            )
        )  # fmt: skip
    return found


def _counted_salts() -> Callable[[], bytes]:
    numbers = count()
    return lambda: hashlib.sha256(str(next(numbers)).encode()).digest()[:16]


def _replay(name: str, url: str) -> tuple[IncidentLedger, list[Receipt]]:
    now = 0

    def clock() -> int:
        return now

    ledger = IncidentLedger(url, clock=clock, salts=_counted_salts())
    ledger.create(_ledger(name))
    receipts: list[Receipt] = []
    for step in _steps(name):
        now = micros(parse_instant(step.clock))
        receipts += ledger.append(step.actions(), accept_clock=step.accept_clock)
    return ledger, receipts


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def replayed(request: pytest.FixtureRequest, name: str) -> Iterator[tuple[IncidentLedger, list[Receipt]]]:
    ledger, receipts = _replay(name, request.getfixturevalue(f"{request.param}_url"))
    yield ledger, receipts
    ledger.close()


@pytest.mark.skipif(
    os.environ.get("LEDGER_REWRITE_GOLDEN") != "1", reason="only on request: LEDGER_REWRITE_GOLDEN=1"
)
@each_set
def test_rewrite(name: str, sqlite_url: str) -> None:
    ledger, _ = _replay(name, sqlite_url)
    (_HERE / f"{name}.entries.jsonl").write_bytes(
        b"".join(b'{"entry":%b,"texts":%b}\n' % (one.entry, one.texts) for one in ledger.sealed.entries())
    )
    (_HERE / f"{name}.root").write_text(ledger.sealed.head().root.hex() + "\n", encoding="ascii")
    ledger.close()


@each_set
def test_the_actions_give_exactly_the_frozen_bytes_and_root(
    name: str, replayed: tuple[IncidentLedger, list[Receipt]]
) -> None:
    ledger, receipts = replayed
    frozen = _frozen(name)
    stored = list(ledger.sealed.entries())
    for now, then in zip(stored, frozen, strict=True):
        assert now == then
    head = ledger.sealed.head()
    assert head.root.hex() == _root(name)
    assert head.ledger == _ledger(name)
    assert [receipt.position for receipt in receipts] == [one.position for one in frozen]
    assert [receipt.leaf for receipt in receipts] == [leaf_hash(one.entry).hex() for one in frozen]


@each_set
def test_the_frozen_root_is_the_root_of_the_frozen_entries(name: str) -> None:
    frontier = Frontier()
    for one in _frozen(name):
        frontier.add(leaf_hash(one.entry))
    assert frontier.root().hex() == _root(name)


@each_set
def test_the_frozen_entries_are_canonical_and_their_texts_fit(name: str) -> None:
    for one in _frozen(name):
        assert rfc8785.dumps(json.loads(one.entry)) == one.entry
        assert rfc8785.dumps(json.loads(one.texts)) == one.texts
        data = json.loads(one.entry)["data"]
        for path, (salt, value) in decode_texts(one.texts).items():
            inner, _, field = path.rpartition(".")
            commitment = (data[inner] if inner else data)[field]
            assert commitment == {"sha256": hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()}


def _unresolved(event: AnyEvent, asked: AnyEvent) -> AnyEvent:
    """Put references and numbers back as they were written, and erased texts as they were asked for."""
    kept: dict[str, Any] = {
        name: getattr(asked, name)
        for name in ("corrects", "publishes", "entry", "number")
        if name in type(event).__struct_fields__
    }
    kept |= {
        name: getattr(asked, name)
        for name in TEXTS[type(event)]
        if isinstance(getattr(event, name), Commitment)
    }
    if isinstance(event, EntryCorrected) and isinstance(asked, EntryCorrected):
        kept["set"] = asked.set
    return msgspec.structs.replace(event, **kept)


@each_set
def test_the_frozen_entries_read_back_to_the_events_that_were_asked_for(name: str) -> None:
    asked = [action for step in _steps(name) for action in step.actions()]
    frozen = _frozen(name)
    erased = {
        (one.stream, int(event.entry), field)
        for one in frozen
        if isinstance(event := open_entry(one, None).event, EntryRedacted)
        for field in event.fields
    }
    for action, one in zip(asked, frozen, strict=True):
        read = open_entry(one, None)
        assert read.position == one.position
        assert (action.stream or one.stream) == read.stream
        assert read.idempotency_key == action.idempotency_key
        assert _unresolved(read.event, action.event) == action.event
        gone = {text for text in TEXTS[type(read.event)] if isinstance(getattr(read.event, text), Commitment)}
        if isinstance(read.event, EntryCorrected):
            gone |= {f"set.{field}" for field, value in read.event.set.items() if isinstance(value, dict)}
        assert gone == {
            field for stream, version, field in erased if (stream, version) == (one.stream, one.version)
        }
        # Read and encoded again with the same salts, an event is the same bytes.
        _, data = decode_entry(one.entry)
        again, _ = encode_data(read.event, TEXTS[type(read.event)], is_text_field, decode_texts(one.texts))
        assert again == data


def test_every_action_and_every_field_of_the_schema_is_frozen_somewhere() -> None:
    """A new field or verb fails here until the frozen actions say it."""
    said: dict[str, set[str]] = {}
    for step in (step for name in _SETS for step in _steps(name)):
        for action in step.append:
            said.setdefault(action["action"], set()).update(action)
    assert set(said) == set(ACTIONS)
    common = set(events.Event.__struct_fields__) | {"idempotency_key", "expected_version"}
    assert common <= set.union(*said.values())
    for verb, event in ACTIONS.items():
        # A revision of a planned window is said as any other; one field of it is enough.
        assert set(event.__struct_fields__) - common - said[verb] <= {"planned"}, verb
    headers = [open_entry(one, None) for name in _SETS for one in _frozen(name)]
    assert any(header.clock_behind for header in headers)


def test_no_set_is_forgotten() -> None:
    """A set that is not there would pass in silence."""
    assert _SETS == ["format_1", "keys_1", "statements_1", "statements_2"]


def test_an_event_of_an_earlier_name_is_read_as_what_it_means_today(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an entry stored as `incident.noted` with `words`, when it is read, then it is an update with a body."""

    def noted(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        body = data.pop("words", None)
        return "incident.commented", {**data, "body": body}

    def commented(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "incident.updated", data

    monkeypatch.setitem(events.UPCASTS, "incident.noted", noted)
    monkeypatch.setitem(events.UPCASTS, "incident.commented", commented)
    words = "ab" * 32
    said = commit(bytes(16), "ops")["sha256"]
    data = b'{"actor":{"sha256":"%b"},"words":{"sha256":"%b"}}' % (said.encode(), words.encode())
    texts = b'{"actor":["00000000000000000000000000000000","ops"]}'
    event = event_of("incident.noted", data, texts)
    assert event == events.IncidentUpdated(actor="ops", body=Commitment(words))

    # The rules read through the same door: an incident with such an entry goes on.
    ledger = IncidentLedger(sqlite_url)
    ledger.create()
    ledger.record("open", "a", actor="ops", title="t", status="investigating")
    now = micros(ledger.sealed.head().last_recorded_at)
    ledger.sealed.append([NewEntry("incident/a", 2, "incident.noted", data, texts)], clock_micros=now)
    assert ledger.record("resolve", "a", actor="ops").version == 3
    assert open_entry(ledger.sealed.stream("incident/a")[1], None).event == event
    ledger.close()
