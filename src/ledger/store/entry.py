"""Entry bytes: what is hashed is what is stored.

An entry is canonical JSON (RFC 8785) `{"data":…,"header":…}`. The data are the event's own canonical JSON, put in
as they are; the header says which entry this is. A text stands in the data only as a commitment
`{"sha256": SHA-256(salt ‖ value)}`; salt and value lie beside the entry and can be erased without touching it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from ledger.errors import Unavailable

__all__ = [
    "FORMAT", "Header", "NewEntry", "SALT_BYTES", "StoredEntry", "Texts", "commit", "decode_entry", "encode_data",
    "fits", "frame", "split_entry",
]  # fmt: skip

FORMAT = 1
SALT_BYTES = 16
# Texts of an entry by path: [salt in hexadecimal, value].
Texts = dict[str, tuple[str, str]]
SaltSource = Callable[[], bytes]

_MARK = b',"header":{'
_PLAIN = re.compile(r"[ !#-\[\]-~]*", re.ASCII)


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which entry this is. The fields stand in the order of their canonical JSON."""

    clock_behind: bool = False
    format: int
    idempotency_key: str | None = None
    ledger: str
    position: int
    recorded_at: str
    stream: str
    type: str
    version: int


class NewEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry about to be appended: position and time are the ledger's to give."""

    stream: str
    version: int
    type: str
    data: bytes
    texts: bytes = b"{}"
    idempotency_key: str | None = None


class StoredEntry(msgspec.Struct, frozen=True, gc=False):
    """A row of the ledger as it was read: the columns, the entry bytes and the texts."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: str
    idempotency_key: str | None
    entry: bytes
    texts: bytes


class _Framed(msgspec.Struct):
    data: msgspec.Raw
    header: Header


_framed = msgspec.json.Decoder(_Framed)


def decode_entry(entry: bytes) -> tuple[Header, bytes]:
    """Return the header and the data bytes of an entry."""
    try:
        framed = _framed.decode(entry)
    except msgspec.MsgspecError as error:
        raise Unavailable(
            f"an entry cannot be read ({error}); it was altered, or written by a newer version: run ledger verify"
        ) from None
    return framed.header, bytes(framed.data)


def split_entry(entry: bytes) -> bytes:
    """Return the data bytes of an entry without reading them as JSON."""
    # The header is last and its values are escaped, so the last mark is the one that was put in.
    return entry[8 : entry.rindex(_MARK)]


def frame(
    new: NewEntry, *, ledger: str, position: int, recorded_at: str, clock_behind: bool = False
) -> bytes:
    """Return the entry bytes: a pure function of its arguments."""
    key = new.idempotency_key
    return (
        b'{"data":' + new.data + b',"header":{'
        + (b'"clock_behind":true,' if clock_behind else b"")
        + (
            f'"format":{FORMAT},'
            + ("" if key is None else f'"idempotency_key":{_quoted(key)},')
            + f'"ledger":{_quoted(ledger)},"position":{position},"recorded_at":"{recorded_at}",'
            f'"stream":{_quoted(new.stream)},"type":{_quoted(new.type)},"version":{new.version}}}}}'
        ).encode()
    )  # fmt: skip


# The same ledger, types and streams stand in entry after entry.
@lru_cache(4_096)
def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return msgspec.json.encode(text).decode()


def commit(salt: bytes, value: str) -> dict[str, str]:
    """Return the commitment to a text: SHA-256 over the 16 salt bytes and the UTF-8 bytes of the value."""
    return {"sha256": hashlib.sha256(salt + value.encode()).hexdigest()}


def fits(salt: str, value: str, sha256: str) -> bool:
    """Tell whether a text with its salt hashes to its commitment, the salt written in the one way there is."""
    try:
        bare = bytes.fromhex(salt)
        # A salt of another length could lend its last bytes to the text, and the hash would be the same.
        return (
            len(bare) == SALT_BYTES
            and bare.hex() == salt
            and hashlib.sha256(bare + value.encode()).hexdigest() == sha256
        )
    except ValueError:
        return False


def encode_data(
    event: msgspec.Struct,
    text_fields: tuple[str, ...],
    is_text: Callable[[str], bool],
    salts: SaltSource | Texts,
) -> tuple[bytes, Texts]:
    """Return the canonical data bytes of an event and its texts with their salts.

    salts: where new salts come from; or the texts of a stored entry, whose salts are used again, so that the same
    event gives the same bytes. A text that is a commitment already (erased) is kept as it is.
    """
    # Only what was said is stored: encoding leaves out fields at their default (no statement) and unset ones (no
    # change), and does it in C.
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    texts: Texts = {}
    for name in text_fields:
        if type(value := data.get(name)) is str:
            data[name] = _committed(name, value, texts, salts)
    changed = data.get("set")
    if type(changed) is dict:
        for name, value in changed.items():
            if type(value) is str and is_text(name):
                changed[name] = _committed(f"set.{name}", value, texts, salts)
    return msgspec.json.encode(data, order="sorted"), texts


def _committed(path: str, value: Any, texts: Texts, salts: SaltSource | Texts) -> Any:
    if isinstance(salts, dict):
        known = salts.get(path)
        if known is None:
            # Not among the stored texts: a salt nobody has, so that the bytes differ.
            return {"sha256": ""}
        texts[path] = (known[0], value)
        return commit(bytes.fromhex(known[0]), value)
    salt = salts()
    texts[path] = (salt.hex(), value)
    return commit(salt, value)


_texts_decoder = msgspec.json.Decoder(dict[str, tuple[str, str]])


def encode_texts(texts: Texts) -> bytes:
    """Return the bytes kept beside the entry: canonical JSON of path to [salt, value]."""
    return msgspec.json.encode(texts, order="sorted") if texts else b"{}"


def decode_texts(texts: bytes) -> Texts:
    """Return the texts kept beside an entry. Raises msgspec's MsgspecError where they are none, as when altered."""
    return _texts_decoder.decode(texts) if texts != b"{}" else {}
