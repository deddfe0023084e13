"""The container of a bundle: a ZIP file that can be written in one way only (docs/bundle-format.md, "Container").

No compression, no times, no comments, nothing between the members. Reading builds the headers that the members must
have and compares, so none of the ways in which a ZIP file can say two things is left.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple, Protocol
from zlib import crc32

from ledger.errors import Refused
from ledger.proof.errors import ProofError

__all__ = ["MOST_BYTES", "Bytes", "Member", "read_members", "write_members"]

MOST_BYTES = 2**32 - 2
_MOST_MEMBERS = 65_534
# version, flags, method, time, date (1 January 1980), CRC-32, length twice, length of the name, length of what follows it
_SHARED = struct.Struct("<HHHHHIIIHH")
_CENTRAL_REST = struct.Struct("<HHHII")
_END = struct.Struct("<IHHHHIIH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", 0x06054B50
_LOCAL_BYTES = 30
_VERSION = struct.pack("<H", 10)
_DATE = 0x21
_NAME = re.compile(rb"[a-z][a-z.]*(?:/[0-9a-f]{64})?")


class Bytes(Protocol):
    """The bytes of a file, in memory or mapped into it."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> bytes: ...

    def find(self, sub: bytes, start: int, end: int, /) -> int: ...


class Member(NamedTuple):
    """Where the content of a member stands in the file."""

    name: str
    start: int
    end: int


class _Written(NamedTuple):
    name: bytes
    shared: bytes
    offset: int


def write_members(file: BinaryIO, members: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    """Write a container into an empty file that can be read and sought. members: names, and the pieces of their contents.

    A member may be made from those before it: it is asked for after they were written. Raises Refused where it gets too large.
    """
    done: list[_Written] = []
    for name, pieces in members:
        offset, crc, length = file.tell(), 0, 0
        encoded = name.encode("ascii")
        # How long it is and what it hashes to is known behind it.
        file.seek(offset + _LOCAL_BYTES)
        file.write(encoded)
        for piece in pieces:
            file.write(piece)
            crc, length = crc32(piece, crc), length + len(piece)
            if file.tell() > MOST_BYTES:
                raise Refused(
                    f"the bundle is larger than {MOST_BYTES:,} bytes, which a file of this format cannot be; bundle single "
                    "incidents, or copy the database itself"
                )
        end = file.tell()
        shared = _shared(encoded, crc, length)
        file.seek(offset)
        file.write(_LOCAL_MARK + shared)
        file.seek(end)
        done.append(_Written(encoded, shared, offset))
    start = file.tell()
    rest = _ending(done, start)
    if start + len(rest) > MOST_BYTES or len(done) > _MOST_MEMBERS:
        raise Refused(f"the bundle has {len(done):,} members, or is too large; bundle single incidents")
    file.write(rest)


def read_members(content: Bytes) -> list[Member]:
    """Return the members of a container, in order. Raises ProofError unless every byte is where and what it must be."""
    size = len(content)
    if size > MOST_BYTES:
        raise ProofError(f"a bundle of {size:,} bytes is larger than the format allows ({MOST_BYTES:,})")
    found: list[Member] = []
    done: list[_Written] = []
    seen: set[bytes] = set()
    at = 0
    while content[at : at + 4] == _LOCAL_MARK:
        header = content[at + 4 : at + _LOCAL_BYTES]
        if len(header) != _SHARED.size:
            raise ProofError("the file ends within the header of a member; it was cut off")
        *_, length, name_length, _ = _SHARED.unpack(header)
        name = content[at + _LOCAL_BYTES : at + _LOCAL_BYTES + name_length]
        start = at + _LOCAL_BYTES + name_length
        end = start + length
        if _NAME.fullmatch(name) is None or end > size:
            raise ProofError(f"the member {name[:80]!r} at byte {at} has no name of a bundle, or is cut off")
        if name in seen or len(seen) == _MOST_MEMBERS:
            raise ProofError(f"the member {name.decode()} stands twice in the bundle, or is one too many")
        seen.add(name)
        shared = _shared(name, _crc(content, start, end), length)
        if header != shared:
            raise ProofError(f"the header of {name.decode()} is not the one its content has; it was altered")
        found.append(Member(name.decode(), start, end))
        done.append(_Written(name, shared, at))
        at = end
    if not done or content[at:size] != _ending(done, at):
        raise ProofError(
            f"what follows the members at byte {at} is not the directory they have; the file is no bundle, was cut off, or "
            "something was added"
        )
    return found


def _shared(name: bytes, crc: int, length: int) -> bytes:
    return _SHARED.pack(10, 0, 0, 0, _DATE, crc, length, length, len(name), 0)


def _ending(done: Sequence[_Written], start: int) -> bytes:
    central = b"".join(
        _CENTRAL_MARK + _VERSION + one.shared + _CENTRAL_REST.pack(0, 0, 0, 0, one.offset) + one.name
        for one in done
    )
    return central + _END.pack(_END_MARK, 0, 0, len(done), len(done), len(central), start, 0)


def _crc(content: Bytes, start: int, end: int) -> int:
    crc = 0
    for at in range(start, end, 1 << 20):
        crc = crc32(content[at : min(at + (1 << 20), end)], crc)
    return crc
