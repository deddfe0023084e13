"""From outside: bytes of entries in, faults out. Every guard is attacked in a ledger that is otherwise whole."""

from __future__ import annotations

import json
import sys
import tempfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import IncidentLedger
from ledger.cli import main
from ledger.domain.actions import parse_action
from ledger.domain.instants import micros
from ledger.domain.keys import key_uses, present_key, rotation_message, spell_vkey
from ledger.errors import Refused
from ledger.proof.rotations import check_keys
from ledger.store.entry import NewEntry, frame
from ledger.store.stream import read_stream

_LEDGER, _NAME = "ledger-keys", "example.com/keys"
_PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(4)]
_V = [spell_vkey(_NAME, one.public_key().public_bytes_raw()) for one in _PRIVATE]
_GOLDEN = Path(__file__).parents[1] / "golden" / "keys_1.entries.jsonl"

_Entry = tuple[str, dict[str, Any]]


def _bytes(entries: list[_Entry], stream: str = "key/main", ledger: str = _LEDGER) -> list[bytes]:
    """Return entries as a ledger would hold them, whatever they say."""
    return [
        frame(
            NewEntry(stream, version, type_, msgspec.json.encode(data, order="sorted")),
            ledger=ledger, position=version, recorded_at="2026-11-24T00:00:00.000000Z",
        )
        for version, (type_, data) in enumerate(entries, 1)
    ]  # fmt: skip


def _rotated(old: int, new: int, version: int, *, by: int | None = None, **instead: Any) -> _Entry:
    said = {"ledger": _LEDGER, "stream": "key/main", "version": version, "replaces": _V[old], "vkey": _V[new]}
    signature = _PRIVATE[old if by is None else by].sign(rotation_message(**{**said, **instead}))
    return "key.rotated", {"replaces": _V[old], "vkey": _V[new], "signature": b64encode(signature).decode()}


_PUBLISHED: _Entry = ("key.published", {"vkey": _V[0]})
_REVOKED: _Entry = ("key.revoked", {"vkey": _V[1], "reason": {"sha256": "00" * 32}})
_REDACTED: _Entry = ("entry.redacted", {"entry": 1, "fields": ["actor"]})
_WHOLE = [_PUBLISHED, _rotated(0, 1, 2), _REDACTED, _rotated(1, 2, 4), _REVOKED]


def _faults(entries: list[bytes]) -> list[tuple[int | None, str]]:
    return [(fault.position, fault.kind) for fault in check_keys(entries).faults]


def test_a_line_of_keys_is_in_order() -> None:
    found = check_keys(_bytes(_WHOLE))
    assert found.faults == ()
    assert (found.rotations, found.unchecked) == (2, 0)
    assert found.present == {"key/main": _V[2]}


def test_a_revoked_present_key_leaves_none() -> None:
    found = check_keys(_bytes([_PUBLISHED, ("key.revoked", {"vkey": _V[0]})]))
    assert (found.faults, found.present) == ((), {"key/main": None})


def test_the_frozen_keys_are_in_order() -> None:
    """What format 1 froze is found right by code that knows no event; and not by the same code for another ledger."""
    entries = [bytes(json_line(line)) for line in _GOLDEN.read_bytes().splitlines()]
    found = check_keys(entries)
    assert found.faults == ()
    assert found.rotations == 2
    assert found.present["key/main"] is None
    elsewhere = [entry.replace(b'"ledger":"golden-keys-1"', b'"ledger":"golden-keys-2"') for entry in entries]
    assert [fault.kind for fault in check_keys(elsewhere).faults] == ["rotation-unsigned"] * 2


def json_line(line: bytes) -> msgspec.Raw:
    return msgspec.json.decode(line, type=dict[str, msgspec.Raw])["entry"]


_ATTACKS: dict[str, tuple[list[_Entry], list[tuple[int, str]]]] = {
    "signed by the new key": ([_PUBLISHED, _rotated(0, 1, 2, by=1)], [(2, "rotation-unsigned")]),
    "signed by a stranger": ([_PUBLISHED, _rotated(0, 1, 2, by=3)], [(2, "rotation-unsigned")]),
    "for another ledger": ([_PUBLISHED, _rotated(0, 1, 2, ledger="l")], [(2, "rotation-unsigned")]),
    "for another stream": ([_PUBLISHED, _rotated(0, 1, 2, stream="key/other")], [(2, "rotation-unsigned")]),
    "for another version": ([_PUBLISHED, _rotated(0, 1, 3)], [(2, "rotation-unsigned")]),
    "to another key": ([_PUBLISHED, _rotated(0, 1, 2, vkey=_V[2])], [(2, "rotation-unsigned")]),
    "from another key": ([_PUBLISHED, _rotated(0, 1, 2, replaces=_V[2])], [(2, "rotation-unsigned")]),
    "from a key not in use": ([_PUBLISHED, _rotated(2, 1, 2)], [(2, "key-out-of-order")]),
    "from a revoked key": (
        [_PUBLISHED, ("key.revoked", {"vkey": _V[0]}), _rotated(0, 1, 3)], [(3, "key-out-of-order")],
    ),
    "back to an old key": ([_PUBLISHED, _rotated(0, 1, 2), _rotated(1, 0, 3)], [(3, "key-out-of-order")]),
    "published twice": ([_PUBLISHED, ("key.published", {"vkey": _V[1]})], [(2, "key-out-of-order")]),
    # There is no key to replace, and the line does not begin with one that was published.
    "never published": ([_rotated(0, 1, 1)], [(1, "key-out-of-order"), (1, "key-out-of-order")]),
    "a stranger revoked": ([_PUBLISHED, ("key.revoked", {"vkey": _V[1]})], [(2, "key-out-of-order")]),
    "revoked twice": ([*_WHOLE, _REVOKED], [(6, "key-out-of-order")]),
    "no event of a key": ([_PUBLISHED, ("incident.updated", {})], [(2, "key-out-of-order")]),
    "a vkey that does not fit": (
        [("key.published", {"vkey": _V[0].replace("example", "exemple")})], [(1, "vkey-malformed")],
    ),
    "a vkey of another kind": ([("key.published", {"vkey": 5})], [(1, "key-unreadable")]),
    "no signature": ([_PUBLISHED, ("key.rotated", {"replaces": _V[0], "vkey": _V[1]})], [(2, "key-unreadable")]),
    "a signature of nothing": (
        [_PUBLISHED, ("key.rotated", {"replaces": _V[0], "vkey": _V[1], "signature": ""})], [(2, "rotation-unsigned")],
    ),
    "another name": (
        [_PUBLISHED, ("key.rotated", {**_rotated(0, 1, 2)[1], "vkey": spell_vkey("x", bytes(31) + b"\x07")})],
        [(2, "key-out-of-order"), (2, "rotation-unsigned")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", _ATTACKS)
def test_an_attack_is_found_where_it_is(attack: str) -> None:
    entries, faults = _ATTACKS[attack]
    assert _faults(_bytes(entries)) == faults


def test_an_entry_taken_out_is_found() -> None:
    for at in range(1, len(_WHOLE) - 1):
        entries = _bytes(_WHOLE)
        del entries[at]
        assert (at + 2, "key-out-of-order") in _faults(entries)


def test_every_value_of_a_rotation_that_is_changed_is_found() -> None:
    """Each string of the signed entries is changed, character by character; none goes unnoticed."""
    entries = _bytes(_WHOLE)
    for at in (1, 3):
        whole = json.loads(entries[at])
        for part, field in (
            ("data", "replaces"),
            ("data", "vkey"),
            ("data", "signature"),
            ("header", "ledger"),
        ):
            value = whole[part][field]
            for place in range(len(value)):
                changed = json.loads(entries[at])
                changed[part][field] = (
                    value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
                )
                assert _faults([*entries[:at], json.dumps(changed).encode(), *entries[at + 1 :]]), (
                    at,
                    field,
                    place,
                )


@given(st.lists(st.binary(max_size=40) | st.sampled_from(_bytes(_WHOLE)), max_size=6))
def test_whatever_is_given_nothing_raises(entries: list[bytes]) -> None:
    check_keys(entries)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from([*_V, "key.rotated", "key.published", "key/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "header": st.fixed_dictionaries(
                    {"position": _json, "version": _json | st.just(1), "ledger": _json, "stream": _json | st.just("key/a"),
                     "type": _json | st.sampled_from(["key.published", "key.rotated", "key.revoked"])}
                ),
                "data": _json | st.fixed_dictionaries({"vkey": _json, "replaces": _json, "signature": _json}),
            }
        ),
        max_size=4,
    )
)  # fmt: skip
def test_whatever_entries_say_nothing_raises(entries: list[dict[str, Any]]) -> None:
    check_keys(json.dumps(entry).encode() for entry in entries)


@given(st.text(min_size=1), st.integers(0, 255))
def test_both_sides_sign_the_same_bytes(ledger: str, seed: int) -> None:
    """The message is written twice, for the append and for the check, and is one message whatever the ledger is called."""
    try:
        ledger.encode()
    except UnicodeEncodeError:
        return
    key = Ed25519PrivateKey.from_private_bytes(sha256(bytes([seed])).digest())
    old, new = (spell_vkey("n", one.public_key().public_bytes_raw()) for one in (key, _PRIVATE[0]))
    message = rotation_message(ledger=ledger, stream="key/main", version=2, replaces=old, vkey=new)
    rotation = {"replaces": old, "vkey": new, "signature": b64encode(key.sign(message)).decode()}
    assert _faults(_bytes([("key.published", {"vkey": old}), ("key.rotated", rotation)], ledger=ledger)) == []


def _stored(url: str, entries: list[_Entry]) -> None:
    """Put entries into a ledger past every rule, sealed as if they had been decided."""
    ledger = IncidentLedger(url)
    ledger.create(_LEDGER)
    ledger.sealed.append(
        [
            NewEntry("key/main", version, type_, msgspec.json.encode({"actor": {"sha256": "00" * 32}, **data}, order="sorted"))
            for version, (type_, data) in enumerate(entries, 1)
        ],
        clock_micros=micros("2026-11-24T00:00:00.000000Z"),
    )  # fmt: skip
    ledger.close()


def _without_texts(kind: dict[str, Any]) -> bool:
    return kind["kind"] not in ("text-missing", "redaction-unreadable")


def test_verify_names_a_rotation_that_nobody_signed(sqlite_url: str) -> None:
    """Given a rotation forced past the rules and sealed like any other, when verified, then it is named by position."""
    _stored(sqlite_url, [_PUBLISHED, _rotated(0, 1, 2, by=3)])
    done = CliRunner().invoke(main, ["--ledger", sqlite_url, "verify", "--json"])
    problems = [one for one in json.loads(done.stdout)["problems"] if _without_texts(one)]
    assert problems == [
        {
            "position": 2,
            "kind": "rotation-unsigned",
            "detail": f"key/main v2: the signature is not that of {_V[0]} over this rotation",
        }
    ]
    assert done.exit_code == 1


def _rotate_twice(url: str) -> None:
    ledger = IncidentLedger(url)
    ledger.create(_LEDGER)
    ledger.record("publish-key", "main", actor="ops", vkey=_V[0])
    for old in (0, 1):
        ledger.record("rotate-key", "main", actor="ops", **_rotated(old, old + 1, old + 2)[1])
    ledger.close()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_verify_checks_rotations_on_both_databases(database: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{database}_url")
    _rotate_twice(url)
    done = CliRunner().invoke(main, ["--ledger", url, "verify"])
    assert (done.exit_code, done.stderr) == (0, "")


def test_verify_says_what_it_could_not_check(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _rotate_twice(sqlite_url)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    done = CliRunner().invoke(main, ["--ledger", sqlite_url, "verify"])
    assert done.exit_code == 3
    assert done.stdout.startswith("verified 3 entries\n")
    assert done.stderr == (
        "2 rotations of keys were not checked, as the package cryptography is not there; install incident-sla-ledger[sign]\n"
    )


_action = st.one_of(
    st.tuples(st.just("publish"), st.integers(0, 3), st.just(0), st.just(0), st.just(0)),
    # which key is replaced, by which, who signs, and for how many versions too many
    st.tuples(st.just("rotate"), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 1)),
    st.tuples(st.just("rotate next"), st.integers(0, 3), st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("revoke"), st.integers(0, 3), st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("redact"), st.integers(1, 4), st.just(0), st.just(0), st.just(0)),
)


@given(st.lists(st.tuples(st.sampled_from(["main", "other"]), _action), min_size=4, max_size=14))
def test_what_the_rules_accept_is_in_order_from_outside(
    actions: list[tuple[str, tuple[str, int, int, int, int]]],
) -> None:
    """Law: whatever is tried, both sides call the same keys present, and the outside finds no fault in what was stored.

    And what the rules refuse would have been a fault: each refused rotation, put behind what is stored, is found.
    """
    with tempfile.TemporaryDirectory() as folder:
        ledger = IncidentLedger(f"sqlite:///{folder}/ledger.db")
        ledger.create(_LEDGER)
        for key, (verb, old, new, by, more) in actions:
            stream = f"key/{key}"
            entries = read_stream(ledger.sealed, stream)
            uses = key_uses((one.version, one.event) for one in entries)
            version = len(entries) + 1 + more
            present = present_key(uses)
            if verb == "rotate next" and present is not None:
                verb, new, old = "rotate", old, _V.index(present.vkey)
                by = old
            fields: dict[str, Any]
            match verb:
                case "rotate" | "rotate next":
                    verb = "rotate-key"
                    fields = _rotated(old, new, version, by=by, stream=stream)[1]
                case "publish":
                    verb, fields = "publish-key", {"vkey": _V[old]}
                case "revoke":
                    verb, fields = "revoke-key", {"vkey": _V[old], "reason": "lost"}
                case _:
                    fields = {"entry": f"v{old}", "fields": ["actor"], "reason": "r"}
            try:
                ledger.append([parse_action({"action": verb, "key": key, "actor": "ops", **fields})])
                continue
            except Refused as error:
                refused = str(error)
            # That a key stands in another stream is the one rule that a race can slip by, and no fault.
            if verb == "rotate-key" and "make a key of its own" not in refused:
                forged = frame(
                    NewEntry(stream, len(entries) + 1, "key.rotated", msgspec.json.encode(fields, order="sorted")),
                    ledger=_LEDGER, position=99, recorded_at="2026-11-24T00:00:00.000000Z",
                )  # fmt: skip
                faults = check_keys([*(one.entry for one in ledger.sealed.entries()), forged]).faults
                assert [fault for fault in faults if fault.position == 99], refused
        found = check_keys(one.entry for one in ledger.sealed.entries())
        assert found.faults == ()
        for stream, vkey in found.present.items():
            use = present_key(
                key_uses((one.version, one.event) for one in read_stream(ledger.sealed, stream))
            )
            assert vkey == (None if use is None else use.vkey)
        ledger.close()
