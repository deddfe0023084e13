"""Signing keys: the verifier key of C2SP signed-note, what a rotation signs, and which key signs when.

A vkey is `<name>+<key id>+<base64 of type and public key>` (https://c2sp.org/signed-note). Only Ed25519 (type 1) is
taken. The decision, and the attacks it stands up to, are in docs/adr/0010.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from ledger.domain.checks import PRIVATE_MARKS
from ledger.domain.ed25519 import is_small_order
from ledger.domain.events import AnyEvent, KeyPublished, KeyRevoked, KeyRotated
from ledger.errors import Refused, Unavailable

__all__ = [
    "KeyUse", "Vkey", "check_replaces", "check_signature", "decide_key", "key_uses", "parse_vkey", "present_key",
    "rotation_message", "spell_vkey",
]  # fmt: skip

ROTATION_DOMAIN = b"incident-sla-ledger/key.rotated/v1\x00"
_ED25519 = 1
# C2SP allows more (any text without spaces and +); these can be typed, and look like nothing else.
_VKEY = re.compile(r"([!#-*,-\[\]-~]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{86}==", re.ASCII)


class Vkey(msgspec.Struct, frozen=True):
    """A verifier key taken apart. id: 8 hexadecimal digits; public: 32 bytes (RFC 8032)."""

    name: str
    id: str
    public: bytes


def spell_vkey(name: str, public: bytes) -> str:
    """Return the vkey of an Ed25519 public key of 32 bytes under a name."""
    from base64 import b64encode

    material = bytes([_ED25519]) + public
    return f"{name}+{_key_id(name, material)}+{b64encode(material).decode('ascii')}"


def _key_id(name: str, material: bytes) -> str:
    from hashlib import sha256

    return sha256(name.encode() + b"\n" + material).hexdigest()[:8]


def parse_vkey(text: str) -> Vkey:
    """Return the parts of a vkey; ValueError with the end of a sentence when it is none."""
    from base64 import b64decode

    if any(mark in text for mark in PRIVATE_MARKS):
        raise ValueError(
            "is a private key; give the public one, and make a new key, as others may have seen it"
        )
    found = _VKEY.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is not a vkey; it reads NAME+ID+KEY, with 8 hexadecimal digits and 44 characters of base64"
        )
    name, key_id, encoded = found.groups()
    material = b64decode(encoded)
    if material[0] != _ED25519:
        raise ValueError(f"{text!r} has the algorithm {material[0]}; only 1 (Ed25519) is taken")
    if key_id != (right := _key_id(name, material)):
        raise ValueError(f"{text!r} has the key id {key_id}, but name and key hash to {right}; copy it again")
    public = material[1:]
    if is_small_order(public):
        raise ValueError(f"{text!r} is a key under which anybody can sign; make another one")
    return Vkey(name, key_id, public)


def check_signature(text: str) -> str:
    """Return an Ed25519 signature in base64 (RFC 4648, section 4); ValueError when it is none."""
    from base64 import b64decode, b64encode

    if not _SIGNATURE.fullmatch(text) or b64encode(b64decode(text)).decode("ascii") != text:
        raise ValueError("is not an Ed25519 signature: 64 bytes, written as 88 characters of base64")
    return text


def rotation_message(*, ledger: str, stream: str, version: int, replaces: str, vkey: str) -> bytes:
    """Return the bytes that the key being replaced signs (docs/adr/0010): a domain, a byte 0, and canonical JSON.

    version: of the rotation in its stream, so one more than the stream has before it.
    """
    said = {"ledger": ledger, "replaces": replaces, "stream": stream, "version": version, "vkey": vkey}
    return ROTATION_DOMAIN + msgspec.json.encode(said, order="sorted")


class KeyUse(msgspec.Struct, frozen=True):
    """A key of a stream: it signs from its version on, until the version that ended that (None: it still does).

    revoked: the version that revoked it, in use or not; doubted_from: since when its signatures are doubted, None
    for all of them.
    """

    vkey: str
    version: int
    until: int | None = None
    revoked: int | None = None
    doubted_from: str | None = None

    @property
    def state(self) -> str:
        """What it is: present, replaced or revoked."""
        return "revoked" if self.revoked is not None else "present" if self.until is None else "replaced"


def key_uses(events: Iterable[tuple[int, AnyEvent]]) -> list[KeyUse]:
    """Return the keys of a stream, the first one first, from its (version, event) pairs in order."""
    uses: list[KeyUse] = []
    for version, event in events:
        if isinstance(event, KeyPublished | KeyRotated):
            if uses and uses[-1].until is None:
                uses[-1] = msgspec.structs.replace(uses[-1], until=version)
            uses.append(KeyUse(event.vkey, version))
        elif isinstance(event, KeyRevoked):
            uses = [_revoked(use, event, version) if use.vkey == event.vkey else use for use in uses]
    return uses


def _revoked(use: KeyUse, event: KeyRevoked, version: int) -> KeyUse:
    until = version if use.until is None else use.until
    return msgspec.structs.replace(use, until=until, revoked=version, doubted_from=event.doubted_from)


def present_key(uses: Iterable[KeyUse]) -> KeyUse | None:
    """Return the key that signs after the last event, None when there is none or it was revoked."""
    return next((use for use in uses if use.until is None), None)


def check_replaces(uses: list[KeyUse], key: str, replaces: str) -> None:
    """Refuse to rotate a key that is not the present one of its stream."""
    if not uses:
        _refuse(f"key {key!r} does not exist; publish it first")
    present = present_key(uses)
    if present is None:
        _refuse(
            f"key {key!r} was revoked (v{uses[-1].until}), and nobody can vouch for another; publish it under a new key"
        )
    if replaces != present.vkey:
        _refuse(
            f"replaces {replaces!r} is not the present key of {key!r}, which is {present.vkey!r} "
            f"(v{present.version}); rotate that one"
        )


def decide_key(
    events: list[AnyEvent], event: KeyPublished | KeyRotated | KeyRevoked, stream: str, ledger: str, told: str
) -> None:
    """Refuse what may not happen to a key. told: when the statement is public; ledger: the id that a rotation names."""
    key = stream.partition("/")[2]
    uses = key_uses(enumerate(events, 1))
    if isinstance(event, KeyPublished):
        if events:
            _refuse(f"key {key!r} was already published (v1); rotate it, or publish under another key")
        return
    if not uses:
        _refuse(f"key {key!r} does not exist; publish it first")
    if isinstance(event, KeyRevoked):
        known = {use.vkey: use for use in uses}
        if event.vkey not in known:
            _refuse(f"vkey {event.vkey!r} was never in key {key!r}; see ledger key list")
        if (use := known[event.vkey]).revoked is not None:
            _refuse(f"vkey {event.vkey!r} is already revoked (v{use.revoked})")
        if event.doubted_from is not None and event.doubted_from > told:
            _refuse(
                f"doubted_from {event.doubted_from} is after the statement itself ({told}); say since when"
            )
        return
    check_replaces(uses, key, event.replaces)
    if event.vkey in {use.vkey for use in uses}:
        _refuse(f"vkey {event.vkey!r} was already in key {key!r}; make a new one")
    before, after = parse_vkey(event.replaces), parse_vkey(event.vkey)
    if before.name != after.name:
        _refuse(
            f"vkey has the name {after.name!r}, but {key!r} signs as {before.name!r}; a rotation keeps the name, so "
            "make a key with that one"
        )
    message = rotation_message(
        ledger=ledger, stream=stream, version=len(events) + 1, replaces=event.replaces, vkey=event.vkey
    )
    if not _signed(before.public, event.signature, message):
        _refuse(
            f"signature was not made by {event.replaces!r} over this rotation (ledger {ledger!r}, {stream} "
            f"v{len(events) + 1}); sign it again with the key that is replaced"
        )


def _signed(public: bytes, signature: str, message: bytes) -> bool:
    """Tell whether a key of 32 bytes signed a message. Raises Unavailable without the package cryptography."""
    from base64 import b64decode

    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise Unavailable(
            "rotating a key needs the package cryptography; install incident-sla-ledger[sign]"
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _refuse(sentence: str) -> NoReturn:
    raise Refused(sentence)
