"""The Merkle tree over the entries (RFC 6962, section 2.1; RFC 9162, section 2.1).

leaf = SHA-256(0x00 ‖ entry); node = SHA-256(0x01 ‖ left ‖ right); the root of nothing is SHA-256 of nothing.
The head row keeps the frontier: the roots of the complete subtrees from left to right, one for each 1 in the
binary size. Complete runs of 256 hashes are kept as tiles (C2SP tlog-tiles), so that a root or a proof at any
earlier size needs a few tiles and not all entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

__all__ = ["EMPTY_ROOT", "TILE", "Frontier", "leaf_hash", "node_hash", "root_at", "subtree_root"]

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE = 1 << TILE_HEIGHT
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the leaf hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to give the root."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        if len(packed) != HASH_BYTES * size.bit_count():
            raise ValueError(
                f"the frontier has {len(packed)} bytes; size {size} needs {HASH_BYTES * size.bit_count()}"
            )
        self.size = size
        self.hashes = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        hashes, size = self.hashes, self.size
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def pack(self) -> bytes:
        """Return the hashes as bytes, largest subtree first."""
        return b"".join(self.hashes)

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def root_at(size: int, node: Callable[[int, int], bytes]) -> bytes:
    """Return the root of the first `size` leaves; node(height, index) gives the root of a complete subtree."""
    if size == 0:
        return EMPTY_ROOT
    parts = []
    start = 0
    for height in range(size.bit_length() - 1, -1, -1):
        if size >> height & 1:
            parts.append(node(height, start >> height))
            start += 1 << height
    root = parts[-1]
    for left in reversed(parts[:-1]):
        root = node_hash(left, root)
    return root
