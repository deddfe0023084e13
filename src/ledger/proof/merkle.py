"""Checking Merkle proofs with nothing but the hashes at hand (RFC 6962, section 2.1; RFC 9162, sections 2.1.3 and 2.1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.proof.errors import ProofError

__all__ = ["HASH_BYTES", "check_consistency", "check_inclusion", "leaf_of", "root_from_path"]

HASH_BYTES = 32


def leaf_of(entry: bytes) -> bytes:
    """Return the leaf hash of an entry: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf stands at an index (0, 1, 2 …) of the tree of `size` leaves with this root.

    path: the sibling of the leaf first, as RFC 6962, section 2.1.1. Raises ProofError.
    """
    found = root_from_path(leaf, index, size, path)
    if found != root:
        raise ProofError(
            f"the proof leads from the leaf to the root {found.hex()}, but the tree of {size} has {root.hex()}: the entry "
            "is not in it, or not at this place"
        )


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a path leads to (RFC 9162, section 2.1.3.2). Raises ProofError where it cannot be one."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} is not in a tree of {size} leaves")
    _check_hashes([leaf, *path])
    node, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(f"the proof has {len(path)} hashes, more than a tree of {size} leaves needs")
        if node & 1 or node == last:
            found = _node(sibling, found)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            found = _node(found, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError(f"the proof has {len(path)} hashes, fewer than a tree of {size} leaves needs")
    return found


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the first `old` leaves of the tree of `new` leaves are the whole tree that had `old_root`.

    RFC 9162, section 2.1.4.2. A tree of no leaves is the beginning of any other, which shows nothing: refused. Raises
    ProofError.
    """
    if not 1 <= old <= new:
        raise ProofError(
            f"the old size {old} is not from 1 to the new size {new}; such a proof shows nothing"
        )
    if old == new:
        if path:
            raise ProofError(
                f"both sizes are {old}, so the proof has to be empty, and has {len(path)} hashes"
            )
        if old_root != new_root:
            raise ProofError(
                f"two roots are given for the size {old}: {old_root.hex()} and {new_root.hex()}; histories forked"
            )
        return
    _check_hashes([old_root, new_root, *path])
    hashes = list(path)
    if not hashes:
        raise ProofError(f"the proof from {old} to {new} leaves is empty")
    if old & (old - 1) == 0:
        # The old tree is one whole subtree: its root needs no hash of the proof.
        hashes.insert(0, old_root)
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    found_old = found_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError(f"the proof has {len(path)} hashes, more than {old} to {new} leaves need")
        if node & 1 or node == last:
            found_old, found_new = _node(sibling, found_old), _node(sibling, found_new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            found_new = _node(found_new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError(f"the proof has {len(path)} hashes, fewer than {old} to {new} leaves need")
    for size, found, root in ((old, found_old, old_root), (new, found_new, new_root)):
        if found != root:
            raise ProofError(
                f"the proof leads to the root {found.hex()} of {size} leaves, but {root.hex()} is given: the first {old} "
                f"entries of the later tree are not those of the earlier one"
            )


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_BYTES:
            raise ProofError(f"a hash of {len(one)} bytes is not one of SHA-256, which have {HASH_BYTES}")
