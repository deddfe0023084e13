"""Signed notes (https://c2sp.org/signed-note): a text, and who signed it. Ed25519 only.

Reading is strict: what could be spelled in two ways is refused in all but one.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.domain.checks import PRIVATE_MARKS
from ledger.errors import Unavailable
from ledger.proof.errors import NotByKnownKey, ProofError
from ledger.proof.small_order import is_small_order

__all__ = ["Note", "Signature", "VerifierKey", "decode64", "key_of", "parse_note", "sign_note", "verify_note"]

_ED25519 = b"\x01"
_DASH = "\u2014"
_MOST_SIGNATURES = 100
MOST_BYTES = 1_000_000
# A key name has no Unicode space and no plus. Half a surrogate pair, as an argument that is not UTF-8 becomes, is no text.
_NAME = r"[^\s+\x00-\x1f\x7f\ud800-\udfff]+"
_VKEY = re.compile(rf"({_NAME})\+([0-9a-f]{{8}})\+([A-Za-z0-9+/]+={{0,2}})")
_SIGNATURE_LINE = re.compile(rf"{_DASH} ({_NAME}) ([A-Za-z0-9+/]+={{0,2}})")


class VerifierKey(NamedTuple):
    """A public key as others know it: `name+id+key` in text."""

    name: str
    key_id: bytes
    public: bytes

    def __str__(self) -> str:
        encoded = b64encode(_ED25519 + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


class Signature(NamedTuple):
    """Who is said to have signed, and with what. key_id: 4 bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A note as it was read; nothing of it is true before `verify_note`."""

    text: str
    signatures: tuple[Signature, ...]


def decode64(text: str) -> bytes:
    """Return the bytes of standard Base64 in its one spelling (RFC 4648, section 4). Raises ProofError."""
    try:
        found = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise ProofError(f"{text[:100]!r} is not standard Base64") from None
    if b64encode(found).decode("ascii") != text:
        raise ProofError(f"{text[:100]!r} is not the one spelling of its bytes in Base64")
    return found


def key_of(text: str) -> VerifierKey:
    """Return the verifier key that a text spells. Raises ProofError."""
    if any(mark in text for mark in PRIVATE_MARKS):
        raise ProofError(
            "this is a private key, for its owner alone; give the public one, as ledger key show prints it"
        )
    found = _VKEY.fullmatch(text)
    if found is None:
        raise ProofError(f"{text[:200]!r} is not a verifier key; it reads NAME+ID+KEY")
    name, key_id, encoded = found.groups()
    material = decode64(encoded)
    if material[:1] != _ED25519 or len(material) != 33:
        raise ProofError(f"the verifier key {text[:200]!r} is not one of Ed25519 (type 1, 32 bytes)")
    made = _key_id(name, material)
    if made.hex() != key_id:
        raise ProofError(
            f"the verifier key {text[:200]!r} says the id {key_id}, but its name and key have {made.hex()}; it was altered"
        )
    if is_small_order(material[1:]):
        raise ProofError(
            f"the verifier key {text[:200]!r} is one under which anybody can sign; trust another one"
        )
    return VerifierKey(name, made, material[1:])


def _key_id(name: str, material: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + material).digest()[:4]


def parse_note(content: bytes) -> Note:
    """Return a note with its signatures, none of them checked yet. Raises ProofError."""
    if len(content) > MOST_BYTES:
        raise ProofError(f"a note of {len(content):,} bytes is longer than {MOST_BYTES:,}")
    try:
        whole = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProofError(f"the note is not UTF-8: {error.reason} at byte {error.start}") from None
    if bad := re.search(r"[\x00-\x09\x0b-\x1f]", whole):
        raise ProofError(f"the note holds the control character {bad[0]!r}")
    if not whole.endswith("\n"):
        raise ProofError("the note does not end in a line end")
    text, parted, lines = whole.rpartition("\n\n")
    if not parted:
        raise ProofError("the note has no blank line between its text and its signatures")
    found = lines.removesuffix("\n").split("\n")
    if len(found) > _MOST_SIGNATURES:
        raise ProofError(f"the note has {len(found)} signatures, more than {_MOST_SIGNATURES}")
    return Note(f"{text}\n", tuple(_signature(line) for line in found))


def _signature(line: str) -> Signature:
    found = _SIGNATURE_LINE.fullmatch(line)
    if found is None:
        raise ProofError(f"{line[:200]!r} is not a signature line: an em dash, a name and Base64")
    raw = decode64(found[2])
    if len(raw) < 5:
        raise ProofError(
            f"the signature of {found[1]!r} has {len(raw)} bytes, fewer than its key id and one more"
        )
    return Signature(found[1], raw[:4], raw[4:])


def verify_note(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return which of the keys signed a note. Raises ProofError where none did, or one is named and did not.

    Signatures of keys that are not given are ignored. Raises Unavailable without the package cryptography.
    """
    signed: list[VerifierKey] = []
    for one in note.signatures:
        # An id has 32 bits, and two keys of one name can be made to share it: it says which keys to try.
        named = [key for key in keys if (key.name, key.key_id) == (one.name, one.key_id)]
        if not named or (signed and set(named) <= set(signed)):
            continue
        fits = [key for key in named if verify_ed25519(key.public, one.signature, note.text.encode())]
        if not fits:
            raise ProofError(
                f"the signature of {one.name} (key {one.key_id.hex()}) does not fit the text: it was altered"
            )
        signed += [key for key in fits[:1] if key not in signed]
    if not signed:
        names = ", ".join(f"{one.name} (key {one.key_id.hex()})" for one in note.signatures[:5])
        raise NotByKnownKey(f"no known key signed this; it is signed by {names}")
    return tuple(signed)


def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a signature of a message is by a key (RFC 8032)."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise Unavailable(
            "signatures need the package cryptography; install incident-sla-ledger[sign]"
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_note(text: str, vkey: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a note of a text with one signature. sign: gives the 64 bytes for a message. Raises ProofError."""
    key = key_of(vkey)
    if not text.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise ProofError("a text to sign ends in a line end and holds no control characters")
    signature = sign(text.encode())
    if not verify_ed25519(key.public, signature, text.encode()):
        raise ProofError(f"what signed is not the key {key.name} ({key.key_id.hex()}); nothing was written")
    encoded = b64encode(key.key_id + signature).decode("ascii")
    return f"{text}\n{_DASH} {key.name} {encoded}\n".encode()
