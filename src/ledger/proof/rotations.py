"""Checking the keys of a ledger from outside: does each rotation carry the signature of the key it replaces?

It works on the bytes of entries alone, as an auditor holds them, and shares no rule with the code that appends. What is
signed, and by whom, is written in docs/adr/0010; vkeys are those of https://c2sp.org/signed-note.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, NamedTuple

from ledger.proof.small_order import is_small_order

__all__ = ["KeyFault", "KeysChecked", "check_keys"]

_DOMAIN = b"incident-sla-ledger/key.rotated/v1\x00"
_VKEY = re.compile(r"([^\s+\x00-\x1f\x7f]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{85}[AQgw]==")

Verify = Callable[[bytes, bytes, bytes], bool]


class KeyFault(NamedTuple):
    """One thing that is wrong with a key. position: of the entry that shows it, None where it cannot be read."""

    position: int | None
    kind: str
    detail: str


class KeysChecked(NamedTuple):
    """What was found. rotations: how many there are; unchecked: those nobody could check, for want of `cryptography`.

    present: by stream, the vkey in use after the last entry, None where it was revoked.
    """

    faults: tuple[KeyFault, ...]
    rotations: int
    unchecked: int
    present: dict[str, str | None]


class _Stream:
    """One line of keys while it is read."""

    def __init__(self) -> None:
        self.version = 0
        self.present: str | None = None
        self.seen: list[str] = []
        self.revoked: set[str] = set()


def check_keys(entries: Iterable[bytes]) -> KeysChecked:
    """Check the entries of all streams of keys, in the order of their versions (or positions); others are passed by.

    Nothing raises: what cannot be read is a fault. Rotations are checked with the package `cryptography`, and counted
    as unchecked without it.
    """
    verify = _verifier()
    streams: dict[str, _Stream] = {}
    faults: list[KeyFault] = []
    rotations = unchecked = 0
    for raw in entries:
        try:
            entry = json.loads(raw)
            header, data = entry["header"], entry["data"]
            position, name, version, type_ = (
                header[one] for one in ("position", "stream", "version", "type")
            )
            ours = name.startswith("key/")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            faults.append(KeyFault(None, "key-unreadable", "an entry is not the JSON of header and data"))
            continue
        if not ours:
            continue
        stream = streams.setdefault(name, _Stream())
        try:
            if type_ == "key.rotated":
                rotations += 1
                unchecked += verify is None
            said = _step(stream, header, data, verify)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = [("key-unreadable", f"{type_} lacks what it should say ({type(error).__name__}: {error})")]
        faults += [KeyFault(position, kind, f"{name} v{version}: {detail}") for kind, detail in said]
    return KeysChecked(
        tuple(faults), rotations, unchecked, {name: one.present for name, one in streams.items()}
    )


def _step(
    stream: _Stream, header: dict[str, Any], data: dict[str, Any], verify: Verify | None
) -> list[tuple[str, str]]:
    """Take in one entry of a stream of keys and return what is wrong with it."""
    said: list[tuple[str, str]] = []
    type_, version = header["type"], header["version"]
    if version != stream.version + 1:
        said.append(("key-out-of-order", f"follows v{stream.version}, so entries between them are missing"))
    stream.version = version
    if version == 1 and type_ != "key.published":
        said.append(("key-out-of-order", f"{type_} is first; a stream of keys begins with key.published"))
    match type_:
        case "key.published":
            if version != 1 or stream.seen:
                said.append(
                    ("key-out-of-order", f"publishes {data['vkey']} after v1; only a rotation may follow")
                )
            said += _vkey_faults(data["vkey"])
            stream.present = data["vkey"]
            stream.seen.append(data["vkey"])
        case "key.rotated":
            said += _rotation_faults(stream, header, data, verify)
            stream.present = data["vkey"]
            stream.seen.append(data["vkey"])
        case "key.revoked":
            vkey = data["vkey"]
            if vkey not in stream.seen or vkey in stream.revoked:
                said.append(
                    ("key-out-of-order", f"revokes {vkey}, which is no key of this stream, or revoked before")
                )
            stream.revoked.add(vkey)
            if vkey == stream.present:
                stream.present = None
        case "entry.redacted":
            pass
        case _:
            said.append(("key-out-of-order", f"{type_} is no event of a key"))
    return said


def _rotation_faults(
    stream: _Stream, header: dict[str, Any], data: dict[str, Any], verify: Verify | None
) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    replaces, vkey, signature = data["replaces"], data["vkey"], data["signature"]
    if replaces != stream.present:
        said.append(("key-out-of-order", f"replaces {replaces}, but in use was {stream.present or 'none'}"))
    if vkey in stream.seen:
        said.append(("key-out-of-order", f"brings back {vkey}"))
    if wrong := [*_vkey_faults(replaces), *_vkey_faults(vkey)]:
        return said + wrong
    if replaces.partition("+")[0] != vkey.partition("+")[0]:
        said.append(("key-out-of-order", f"{vkey} has another name than {replaces}"))
    if verify is None:
        return said
    message = _message(header["ledger"], header["stream"], header["version"], replaces, vkey)
    # Base64 may hold a + itself; a name and an id do not.
    public = b64decode(replaces.split("+", 2)[2])[1:]
    if not _SIGNATURE.fullmatch(signature) or not verify(public, b64decode(signature), message):
        said.append(("rotation-unsigned", f"the signature is not that of {replaces} over this rotation"))
    return said


def _message(ledger: str, stream: str, version: int, replaces: str, vkey: str) -> bytes:
    said = {"ledger": ledger, "replaces": replaces, "stream": stream, "version": version, "vkey": vkey}
    return _DOMAIN + json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _vkey_faults(vkey: str) -> list[tuple[str, str]]:
    found = _VKEY.fullmatch(vkey)
    try:
        if found is None:
            raise ValueError
        name, key_id, encoded = found.groups()
        material = b64decode(encoded, validate=True)
        right = sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    except (ValueError, NotBase64):
        return [("vkey-malformed", f"{vkey!r} is not a vkey")]
    if material[0] != 1:
        return [("vkey-malformed", f"{vkey} has the algorithm {material[0]}, expected 1 (Ed25519)")]
    if key_id != right:
        return [("vkey-malformed", f"{vkey} has the key id {key_id}, but name and key hash to {right}")]
    if is_small_order(material[1:]):
        return [("vkey-malformed", f"{vkey} is a key of small order, under which anybody can sign")]
    return []


def _verifier() -> Verify | None:
    """Return how a signature is checked: (public, signature, message) to yes or no; None without `cryptography`."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None

    def verify(public: bytes, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return verify
