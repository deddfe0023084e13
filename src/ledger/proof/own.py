"""Roots and paths out of a ledger's stored tree that are fit to be signed: checked against its head row first.

The tree keeps hashes of its own, the open tile none, and the head row the root of it all. Where they disagree, somebody
altered an entry or the tree after it was sealed, and whoever signed the root that comes out now would sign the alteration.
"""

from __future__ import annotations

from ledger.errors import Refused
from ledger.proof.errors import ProofError
from ledger.proof.merkle import check_consistency, check_inclusion, leaf_of
from ledger.store.log import SealedLog
from ledger.store.proofs import consistency_path, inclusion_path

__all__ = ["sealed_path", "sealed_root"]


def sealed_root(log: SealedLog, size: int) -> bytes:
    """Return the root of the first `size` entries; Refused unless the tree leads from it to the root in the head row.

    Costs a few tiles and the entries of the open one, at any size. An entry within a complete tile is not read: its root
    is of what was sealed, whatever became of the entry.
    """
    head = log.head()
    now = log.root_at(head.size)
    if now != head.root:
        raise Refused(
            f"the ledger was altered or damaged: its {head.size:,} entries come to the root {now.hex()}, but {head.root.hex()} "
            "was sealed; nothing was signed or written, run ledger verify"
        )
    if size == head.size:
        return now
    root = log.root_at(size)
    try:
        if size:
            check_consistency(size, head.size, root, now, consistency_path(log, size, head.size))
    except ProofError:
        raise Refused(
            f"the ledger was altered or damaged: the root {root.hex()} of its first {size:,} entries does not lead to the root "
            f"of all {head.size:,}; nothing was signed or written, run ledger verify"
        ) from None
    return root


def sealed_path(log: SealedLog, position: int, size: int, root: bytes, entry: bytes) -> list[bytes]:
    """Return the hashes that lead from an entry, as it is stored, to a root of `size` entries; Refused where they do not."""
    path = inclusion_path(log, position, size)
    try:
        check_inclusion(leaf_of(entry), position - 1, size, path, root)
    except ProofError:
        raise Refused(
            f"entry @{position} was altered or damaged: it does not hash to what was sealed, and nothing is proven of it; run "
            "ledger verify"
        ) from None
    return path
