"""Proof files: of inclusion (https://c2sp.org/tlog-proof), and of consistency in the same manner.

A consistency proof reads

    incident-sla-ledger/consistency-proof@v1
    <hash>                 zero or more lines of Base64, in the order of RFC 9162, section 2.1.4
    (an empty line)
    <earlier checkpoint>   verbatim
    (a line "----")
    <later checkpoint>     verbatim

No line of a checkpoint can read "----": its text holds no such origin, size, root or signature line here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

from ledger.proof.checkpoint import Checkpoint, read_checkpoint
from ledger.proof.errors import ProofError
from ledger.proof.merkle import HASH_BYTES, check_consistency, check_inclusion
from ledger.proof.note import MOST_BYTES, Note, decode64

__all__ = [
    "ConsistencyProof",
    "InclusionProof",
    "consistency_file",
    "inclusion_file",
    "parse_consistency",
    "parse_inclusion",
    "parse_proof",
]

INCLUSION = "c2sp.org/tlog-proof@v1"
CONSISTENCY = "incident-sla-ledger/consistency-proof@v1"
_INDEX = re.compile(r"0|[1-9][0-9]{0,19}")
_BETWEEN = "----\n"
# A path of a tree below 2^64 leaves has at most as many hashes; one of consistency two more at the most.
_MOST_HASHES = 66


class InclusionProof(NamedTuple):
    """That the leaf at an index (0, 1, 2 …) is in the tree of a checkpoint. extra: opaque, and not proven."""

    leaf_index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: Note | None
    extra: bytes | None = None

    def check(self, leaf: bytes) -> None:
        """Raise ProofError unless the leaf is in the tree; the signatures are another matter."""
        check_inclusion(leaf, self.leaf_index, self.checkpoint.size, self.path, self.checkpoint.root)


class ConsistencyProof(NamedTuple):
    """That the tree of an earlier checkpoint is the beginning of that of a later one."""

    path: tuple[bytes, ...]
    old: Checkpoint
    new: Checkpoint
    old_note: Note | None
    new_note: Note | None

    def check(self) -> None:
        """Raise ProofError unless the later tree continues the earlier one; the signatures are another matter."""
        if self.old.origin != self.new.origin:
            raise ProofError(
                f"the checkpoints are of two ledgers: {self.old.origin[:200]!r} and {self.new.origin[:200]!r}"
            )
        check_consistency(self.old.size, self.new.size, self.old.root, self.new.root, self.path)


def inclusion_file(index: int, path: Sequence[bytes], checkpoint: bytes, extra: bytes | None = None) -> bytes:
    """Return a proof of inclusion as it is kept in a file. checkpoint: the bytes of the checkpoint's file."""
    lines = [INCLUSION]
    if extra is not None:
        lines.append(f"extra {b64encode(extra).decode('ascii')}")
    lines += [f"index {index}", *(b64encode(one).decode("ascii") for one in path), "", ""]
    return "\n".join(lines).encode() + checkpoint


def consistency_file(path: Sequence[bytes], old: bytes, new: bytes) -> bytes:
    """Return a proof of consistency as it is kept in a file. old, new: the bytes of the checkpoints' files."""
    lines = [CONSISTENCY, *(b64encode(one).decode("ascii") for one in path), "", ""]
    return "\n".join(lines).encode() + old + _BETWEEN.encode() + new


def parse_proof(content: bytes) -> InclusionProof | ConsistencyProof:
    """Return the proof that a file holds, of either kind. Raises ProofError; nothing is verified here."""
    if content.startswith(f"{CONSISTENCY}\n".encode()):
        return parse_consistency(content)
    return parse_inclusion(content)


def parse_inclusion(content: bytes) -> InclusionProof:
    """Return the proof of inclusion that a file holds. Raises ProofError."""
    lines, checkpoint = _parted(content, INCLUSION)
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise ProofError("the proof has no line with the index of the entry where it belongs")
    index = lines.pop(0).removeprefix("index ")
    if _INDEX.fullmatch(index) is None:
        raise ProofError(f"the index {index[:40]!r} is not a decimal number")
    found, note = read_checkpoint(checkpoint)
    return InclusionProof(int(index), _hashes(lines), found, note, extra)


def parse_consistency(content: bytes) -> ConsistencyProof:
    """Return the proof of consistency that a file holds. Raises ProofError."""
    lines, rest = _parted(content, CONSISTENCY)
    old, parted, new = rest.partition(f"\n{_BETWEEN}".encode())
    if not parted:
        raise ProofError('the proof has no line "----" between its two checkpoints')
    (first, first_note), (second, second_note) = read_checkpoint(old + b"\n"), read_checkpoint(new)
    return ConsistencyProof(_hashes(lines), first, second, first_note, second_note)


def _parted(content: bytes, header: str) -> tuple[list[str], bytes]:
    """Return the lines between the header and the first empty line, and the bytes behind that."""
    if len(content) > 2 * MOST_BYTES:
        raise ProofError(f"a proof of {len(content):,} bytes is longer than {2 * MOST_BYTES:,}")
    head, parted, rest = content.partition(b"\n\n")
    if not parted:
        raise ProofError("the proof has no empty line before its checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("the lines of the proof before its checkpoint are not ASCII") from None
    if first != header:
        raise ProofError(f"the first line reads {first[:100]!r}, not {header!r}")
    return lines, rest


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > _MOST_HASHES:
        raise ProofError(f"the proof has {len(lines)} hashes; no tree needs more than {_MOST_HASHES}")
    found = tuple(decode64(line) for line in lines)
    for one in found:
        if len(one) != HASH_BYTES:
            raise ProofError(f"a hash of the proof has {len(one)} bytes, not the {HASH_BYTES} of SHA-256")
    return found
