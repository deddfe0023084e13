"""Checkpoints (https://c2sp.org/tlog-checkpoint): the size and the root of a ledger, as a text that can be signed."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple

from ledger.proof.errors import ProofError
from ledger.proof.merkle import HASH_BYTES
from ledger.proof.note import Note, decode64, parse_note

__all__ = ["Checkpoint", "checkpoint_text", "parse_checkpoint", "read_checkpoint"]

_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_MOST = 2**64 - 1


class Checkpoint(NamedTuple):
    """What a ledger was at a size. origin: which ledger; root: 32 bytes; extensions: further lines, opaque."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def checkpoint_text(found: Checkpoint) -> str:
    """Return the text of a checkpoint, ready to be signed."""
    lines = [found.origin, str(found.size), b64encode(found.root).decode("ascii"), *found.extensions]
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a text says; the root may have any length here. Raises ProofError."""
    if not text.endswith("\n"):
        raise ProofError("the checkpoint does not end in a line end")
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise ProofError("a checkpoint has at least three lines, none empty: origin, size and root")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None or int(size) > _MOST:
        raise ProofError(f"the size {size[:40]!r} of the checkpoint is not a decimal number below 2^64")
    return Checkpoint(origin, int(size), decode64(root), tuple(extensions))


def read_checkpoint(content: bytes) -> tuple[Checkpoint, Note | None]:
    """Return the checkpoint in a file, and its note with the signatures; None where it is not signed.

    Nothing is verified here. Raises ProofError; also for a root that is not one of SHA-256.
    """
    try:
        whole = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProofError(f"the checkpoint is not UTF-8: {error.reason} at byte {error.start}") from None
    note = parse_note(content) if "\n\n" in whole else None
    found = parse_checkpoint(whole if note is None else note.text)
    if len(found.root) != HASH_BYTES:
        raise ProofError(
            f"the root of the checkpoint has {len(found.root)} bytes, not the {HASH_BYTES} of SHA-256"
        )
    return found, note
