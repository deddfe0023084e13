"""What may happen to a key: every refusal is a sentence and stores nothing; a rotation is the old key's to sign."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from base64 import b64encode
from typing import Any

import msgspec
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import BatchRefused, IncidentLedger
from ledger.domain import ed25519
from ledger.domain.actions import parse_action
from ledger.domain.keys import ROTATION_DOMAIN, key_uses, parse_vkey, rotation_message, spell_vkey
from ledger.errors import Refused, Unavailable
from ledger.store.stream import read_stream

_LEDGER, _NAME = "ledger-keys", "example.com/keys"
_PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(5)]
_V = [spell_vkey(_NAME, one.public_key().public_bytes_raw()) for one in _PRIVATE]
_OTHER_NAME = spell_vkey("example.com/other", _PRIVATE[1].public_key().public_bytes_raw())


def _signed(old: int, new: int, version: int = 2, *, by: int | None = None, **instead: Any) -> dict[str, Any]:
    """Return the fields of a rotation; what is named `instead` stands in the message, not in the action."""
    said = {"ledger": _LEDGER, "stream": "key/main", "version": version, "replaces": _V[old], "vkey": _V[new]}
    signature = _PRIVATE[old if by is None else by].sign(rotation_message(**{**said, **instead}))
    return {"replaces": _V[old], "vkey": _V[new], "signature": b64encode(signature).decode()}


@pytest.fixture
def ledger(sqlite_url: str) -> Any:
    found = IncidentLedger(sqlite_url)
    found.create(_LEDGER)
    yield found
    found.close()


def test_keys_are_published_rotated_and_revoked(ledger: IncidentLedger) -> None:
    """Given a key, when it is rotated twice and the first is revoked, then the third is in use and the first doubted."""
    ledger.record("publish-key", "main", actor="ops", vkey=_V[0])
    ledger.record("rotate-key", "main", actor="ops", **_signed(0, 1))
    ledger.record("rotate-key", "main", actor="ops", **_signed(1, 2, 3))
    ledger.record(
        "revoke-key", "main", actor="ops", vkey=_V[0], reason="stolen", doubted_from="2022-03-14T00:00Z"
    )
    uses = key_uses((one.version, one.event) for one in read_stream(ledger.sealed, "key/main"))
    assert [(use.vkey, use.state, use.version, use.until) for use in uses] == [
        (_V[0], "revoked", 1, 2),
        (_V[1], "replaced", 2, 3),
        (_V[2], "present", 3, None),
    ]
    assert uses[0].doubted_from == "2022-03-14T00:00:00.000000Z"
    assert uses[0].revoked == 4
    # An earlier key that was lost does not keep the present one from being rotated.
    assert ledger.record("rotate-key", "main", actor="ops", **_signed(2, 3, 5)).version == 5


_PUBLISHED = [("publish-key", {"vkey": _V[0]})]
_ROTATED = [*_PUBLISHED, ("rotate-key", _signed(0, 1))]
_REVOKED = [*_PUBLISHED, ("revoke-key", {"vkey": _V[0], "reason": "lost"})]
_NOT_SIGNED = (
    f"signature was not made by {_V[0]!r} over this rotation (ledger '{_LEDGER}', key/main v2); sign it again with the "
    "key that is replaced"
)
_GIVEN = list[tuple[str, dict[str, Any]]]
_REFUSED: list[tuple[_GIVEN, str, dict[str, Any], str]] = [
    (_PUBLISHED, "publish-key", {"vkey": _V[1]}, "key 'main' was already published (v1); rotate it, or publish under another key"),
    (_REVOKED, "publish-key", {"vkey": _V[1]}, "key 'main' was already published (v1); rotate it, or publish under another key"),
    ([], "rotate-key", _signed(0, 1), "key 'main' does not exist; publish it first"),
    ([], "revoke-key", {"vkey": _V[0], "reason": "lost"}, "key 'main' does not exist; publish it first"),
    # A rotation is the old key's to sign: not the new one's, nor any other's.
    (_PUBLISHED, "rotate-key", _signed(0, 1, by=1), _NOT_SIGNED),
    (_PUBLISHED, "rotate-key", _signed(0, 1, by=4), _NOT_SIGNED),
    # Over exactly this: a signature made for anywhere else is worth nothing here.
    (_PUBLISHED, "rotate-key", _signed(0, 1, ledger="ledger-other"), _NOT_SIGNED),
    (_PUBLISHED, "rotate-key", _signed(0, 1, stream="key/other"), _NOT_SIGNED),
    (_PUBLISHED, "rotate-key", _signed(0, 1, version=3), _NOT_SIGNED),
    (_PUBLISHED, "rotate-key", _signed(0, 1, vkey=_V[2]), _NOT_SIGNED),
    (_PUBLISHED, "rotate-key", _signed(0, 1, replaces=_V[2]), _NOT_SIGNED),
    (
        _ROTATED, "rotate-key", _signed(0, 2, 3),
        f"replaces {_V[0]!r} is not the present key of 'main', which is {_V[1]!r} (v2); rotate that one",
    ),
    (_ROTATED, "rotate-key", _signed(1, 0, 3), f"vkey {_V[0]!r} was already in key 'main'; make a new one"),
    (_PUBLISHED, "rotate-key", _signed(0, 0), f"vkey {_V[0]!r} was already in key 'main'; make a new one"),
    (
        _PUBLISHED, "rotate-key", {**_signed(0, 1, vkey=_OTHER_NAME), "vkey": _OTHER_NAME},
        "vkey has the name 'example.com/other', but 'main' signs as 'example.com/keys'; a rotation keeps the name, so make "
        "a key with that one",
    ),
    (
        _REVOKED, "rotate-key", _signed(0, 1, 3),
        "key 'main' was revoked (v2), and nobody can vouch for another; publish it under a new key",
    ),
    (_REVOKED, "revoke-key", {"vkey": _V[0], "reason": "lost"}, f"vkey {_V[0]!r} is already revoked (v2)"),
    (
        _PUBLISHED, "revoke-key", {"vkey": _V[1], "reason": "lost", "published_at": "2022-03-14T16:00:00Z"},
        f"vkey {_V[1]!r} was never in key 'main'; see ledger key list",
    ),
    (
        _PUBLISHED, "revoke-key",
        {"vkey": _V[0], "reason": "lost", "published_at": "2022-03-14T16:00:00Z", "doubted_from": "2022-03-15T16:00:00Z"},
        "doubted_from 2022-03-15T16:00:00.000000Z is after the statement itself (2022-03-14T16:00:00.000000Z); say since when",
    ),
    (_PUBLISHED, "rotate-key", {**_signed(0, 1), "internal": True}, "internal does not fit rotate-key: a key is no notice; leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "verb", "fields", "sentence"), _REFUSED)
def test_refused_with_a_sentence_and_nothing_stored(
    ledger: IncidentLedger, before: _GIVEN, verb: str, fields: dict[str, Any], sentence: str
) -> None:
    for earlier, given_fields in before:
        ledger.record(earlier, "main", actor="ops", **given_fields)
    head = ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        ledger.record(verb, "main", actor="ops", **fields)
    assert str(refused.value) == sentence
    assert ledger.sealed.head() == head


def test_a_key_of_one_stream_is_not_published_in_another(ledger: IncidentLedger) -> None:
    """Neither later nor in the same batch, and not under another name."""
    ledger.record("publish-key", "main", actor="ops", vkey=_V[1])
    with pytest.raises(Refused, match=r"is already in key/main \(v1\); make a key of its own$"):
        ledger.record("publish-key", "second", actor="ops", vkey=_OTHER_NAME)
    batch = [
        parse_action({"action": "publish-key", "key": key, "actor": "ops", "vkey": _V[2]})
        for key in ("one", "two")
    ]
    with pytest.raises(BatchRefused, match=r"^action 2: vkey .* is already in key/one \(v1\)"):
        ledger.append(batch)


def test_of_two_rotations_at_once_one_is_stored(sqlite_url: str) -> None:
    first = IncidentLedger(sqlite_url)
    first.create(_LEDGER)
    first.record("publish-key", "main", actor="ops", vkey=_V[0])
    outcomes: list[str] = []
    gate = threading.Barrier(3)

    def rotate(new: int) -> None:
        mine = IncidentLedger(sqlite_url)
        action = parse_action({"action": "rotate-key", "key": "main", "actor": "ops", **_signed(0, new)})
        gate.wait()
        try:
            outcomes.append(f"v{mine.append([action])[0].version}")
        except Refused as error:
            outcomes.append(str(error))
        mine.close()

    threads = [threading.Thread(target=rotate, args=(new,)) for new in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one == "v2" for one in outcomes) == 1
    assert sum("is not the present key of 'main'" in one for one in outcomes) == 2
    assert first.sealed.head().size == 2
    first.close()


def test_a_rotation_sent_again_answers_the_first_receipt(ledger: IncidentLedger) -> None:
    ledger.record("publish-key", "main", actor="ops", vkey=_V[0])
    first = ledger.record("rotate-key", "main", actor="ops", idempotency_key="r", **_signed(0, 1))
    ledger.record("rotate-key", "main", actor="ops", **_signed(1, 2, 3))
    again = ledger.record("rotate-key", "main", actor="ops", idempotency_key="r", **_signed(0, 1))
    assert again == msgspec.structs.replace(first, replayed=True)
    with pytest.raises(Refused, match="with other content"):
        ledger.record("rotate-key", "main", actor="ops", idempotency_key="r", **_signed(0, 3))


def test_publishing_and_rotating_in_one_batch(ledger: IncidentLedger) -> None:
    receipts = ledger.append(
        [
            parse_action({"action": "publish-key", "key": "main", "actor": "ops", "vkey": _V[0]}),
            parse_action({"action": "rotate-key", "key": "main", "actor": "ops", **_signed(0, 1)}),
        ]
    )
    assert [one.version for one in receipts] == [1, 2]


def test_who_and_why_are_erased_and_the_rotation_goes_on(ledger: IncidentLedger) -> None:
    """The redaction is an entry of the stream, so the next rotation is over the version after it."""
    ledger.record("publish-key", "main", actor="Anna Example", reason="r", note="n", vkey=_V[0])
    ledger.record("redact", actor="dpo", entry="@1", fields=["actor", "note", "reason"], reason="a name")
    action = {
        "action": "redact",
        "key": "main",
        "actor": "dpo",
        "entry": "v1",
        "fields": ["vkey"],
        "reason": "x",
    }
    with pytest.raises(Refused, match=r"^fields 'vkey' is not a text of v1 \(key.published\)"):
        ledger.append([parse_action(action)])
    with pytest.raises(Refused, match="signature was not made by"):
        ledger.record("rotate-key", "main", actor="ops", **_signed(0, 1, 2))
    assert ledger.record("rotate-key", "main", actor="ops", **_signed(0, 1, 3)).version == 3


_MALFORMED = [
    ("x", "'x' is not a vkey; it reads NAME+ID+KEY, with 8 hexadecimal digits and 44 characters of base64"),
    (_V[0][:-1], "is not a vkey"),
    (_V[0].replace("example", "exämple"), "is not a vkey"),
    (_V[0].replace("example", "exa mple"), "is not a vkey"),
    ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX", "has the key id c74f20a3, but name and key hash to"),
    ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "has the algorithm 101; only 1 (Ed25519) is taken"),
    ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "is not a vkey"),
]  # fmt: skip


@pytest.mark.parametrize(("vkey", "sentence"), _MALFORMED)
def test_what_is_no_vkey_is_refused(vkey: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_action({"action": "publish-key", "key": "main", "actor": "ops", "vkey": vkey})
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_published_vkeys_are_read_and_spelled_alike(vkey: str) -> None:
    parts = parse_vkey(vkey)
    assert spell_vkey(parts.name, parts.public) == vkey


@pytest.mark.parametrize("at", range(len(_V[0])))
def test_a_vkey_with_one_character_changed_is_refused(at: int) -> None:
    changed = _V[0][:at] + ("x" if _V[0][at] != "x" else "y") + _V[0][at + 1 :]
    with pytest.raises(ValueError, match=r"is not a vkey|has the key id|has the algorithm"):
        parse_vkey(changed)


def _points_of_small_order() -> set[int]:
    """Return y of the points P of edwards25519 with 8P = 0, by the arithmetic of the curve (RFC 8032, 5.1)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
        (x1, y1), (x2, y2) = one, other
        k = d * x1 * x2 * y1 * y2 % p
        return (
            (x1 * y2 + x2 * y1) * pow(1 + k, -1, p) % p,
            (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p,
        )

    def point(y: int) -> tuple[int, int] | None:
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if x * x % p != square:
            x = x * pow(2, (p - 1) // 4, p) % p
        return (x, y) if x * x % p == square else None

    # The order of the whole group is 8 times this prime: times it, any point becomes one of small order.
    prime = 2**252 + 27742317777372353535851937790883648493
    found: set[int] = set()
    for y in range(2, 60):
        base = point(y)
        if base is None:
            continue
        total, power, rest = (0, 1), base, prime
        while rest:
            if rest & 1:
                total = add(total, power)
            power, rest = add(power, power), rest >> 1
        found.add(total[1])
    return found


def test_a_key_of_small_order_is_refused() -> None:
    """Computed here from the curve itself, in every spelling of 255 bits and with either sign."""
    p = 2**255 - 19
    small = _points_of_small_order()
    assert len(small) == 5
    spelled = small | {y + p for y in small if y + p < 2**255}
    assert spelled == set(ed25519._SMALL_ORDER)
    for y in spelled:
        for sign in (0, 1 << 255):
            vkey = spell_vkey("n", (y | sign).to_bytes(32, "little"))
            with pytest.raises(ValueError, match="is a key under which anybody can sign"):
                parse_vkey(vkey)


@pytest.mark.parametrize("signature", ["", "x", "A" * 88, "A" * 86 + "=", "A" * 85 + "B==", "!" * 86 + "=="])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    action = {"action": "rotate-key", "key": "main", "actor": "ops", **_signed(0, 1), "signature": signature}
    with pytest.raises(
        Refused, match=r"^signature is not an Ed25519 signature: 64 bytes, written as 88 characters"
    ):
        parse_action(action)


_SECRET = "PRIVATE+KEY+example.com/keys+d3a1c2b4+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
_PEM = "-----BEGIN PRIVATE KEY----- MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v"


@pytest.mark.parametrize("secret", [_SECRET, f"see: {_SECRET}\n", _PEM])
@pytest.mark.parametrize("field", ["actor", "reason", "note", "body", "source"])
def test_a_private_key_in_a_text_is_refused_and_not_repeated(field: str, secret: str) -> None:
    action = {"action": "publish-key", "key": "main", "actor": "ops", "vkey": _V[0], field: secret}
    with pytest.raises(Refused, match=f"^{field} holds a private key") as refused:
        parse_action(action)
    assert "AQAAAA" not in str(refused.value)
    assert "MC4CAQ" not in str(refused.value)


@pytest.mark.parametrize("field", ["ref", "change", "idempotency_key", "vkey", "external"])
def test_a_private_key_in_a_label_is_refused_and_not_repeated(field: str) -> None:
    value: Any = {"system": "a", "id": _SECRET} if field == "external" else _SECRET
    action = {"action": "publish-key", "key": "main", "actor": "ops", "vkey": _V[0], field: value}
    with pytest.raises(Refused, match=rf"^{field} .*private key") as refused:
        parse_action(action)
    assert "AQAAAA" not in str(refused.value)


def test_a_private_key_in_a_correction_is_refused(ledger: IncidentLedger) -> None:
    ledger.record("open", "a", actor="ops", title="t", status="investigating")
    with pytest.raises(Refused, match=r"^set\.title holds a private key"):
        ledger.record(
            "correct", "a", actor="ops", corrects="v1", kind="editorial", set={"title": _SECRET}, reason="r"
        )


@given(st.text(), st.text(), st.integers(1, 2**53 - 1), st.text(), st.text())
def test_the_message_is_canonical_and_says_everything(
    ledger: str, stream: str, version: int, old: str, new: str
) -> None:
    said: dict[str, Any] = {
        "ledger": ledger,
        "stream": stream,
        "version": version,
        "replaces": old,
        "vkey": new,
    }
    try:
        canonical = rfc8785.dumps(said)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return  # half a surrogate pair stands in no entry
    message = rotation_message(ledger=ledger, stream=stream, version=version, replaces=old, vkey=new)
    assert message == ROTATION_DOMAIN + canonical
    assert json.loads(message.partition(b"\x00")[2]) == said


def test_no_note_is_a_rotation() -> None:
    """The text of a signed note has no control character but the line end, so none begins as a rotation does."""
    message = rotation_message(ledger="l", stream="key/main", version=2, replaces=_V[0], vkey=_V[1])
    assert message.startswith(b"incident-sla-ledger/key.rotated/v1\x00{")
    assert b"\n" not in message


_WITHOUT = (
    "import sys\nsys.modules['cryptography'] = None\n"
    "from ledger.append import Appender\nfrom ledger.domain.actions import parse_action\n"
    "from ledger.errors import Unavailable\n"
    "import json\nurl, *lines = map(json.loads, sys.stdin)\n"
    "appender = Appender(url)\n"
    "update, rotation = map(parse_action, lines)\n"
    "appender.append([update])\n"
    "try: appender.append([update, rotation])\n"
    "except Unavailable as error: print(error)\n"
    "print(appender.append([update])[0].version)\n"
)


def test_without_cryptography_everything_but_a_rotation_is_recorded(
    ledger: IncidentLedger, sqlite_url: str
) -> None:
    """And a batch that could not be checked leaves nothing behind, not even in what the process remembers."""
    ledger.record("open", "a", actor="ops", title="t", status="investigating")
    ledger.record("publish-key", "main", actor="ops", vkey=_V[0])
    lines = [
        sqlite_url,
        {"action": "update", "incident": "a", "actor": "ops", "body": "b"},
        {"action": "rotate-key", "key": "main", "actor": "ops", **_signed(0, 1)},
    ]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "rotating a key needs the package cryptography; install incident-sla-ledger[sign]",
        "3",
    ]
    assert [one.version for one in ledger.sealed.stream("incident/a")] == [1, 2, 3]


def test_a_rotation_that_cannot_be_checked_is_unavailable_not_refused(
    ledger: IncidentLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.record("publish-key", "main", actor="ops", vkey=_V[0])
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(Unavailable, match="needs the package cryptography"):
        ledger.record("rotate-key", "main", actor="ops", **_signed(0, 1))
