"""Proofs out of the stored tree (RFC 6962, sections 2.1.1 and 2.1.2; RFC 9162, sections 2.1.3 and 2.1.4).

Each needs about as many tiles as the tree has levels, and at most 255 entries of the last, open tile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ledger.store.tree import node_hash

__all__ = ["Tree", "consistency_path", "inclusion_path"]


class Tree(Protocol):
    """Where the roots of complete subtrees come from: the log, or something in front of it."""

    @property
    def node(self) -> Callable[[int, int], bytes]:
        """Give the root of the complete subtree of 2**height leaves that starts at leaf index << height."""
        ...


def inclusion_path(tree: Tree, position: int, size: int) -> list[bytes]:
    """Return the hashes that lead from the entry at a position (1, 2, 3 …) to the root of the first `size` entries.

    The leaf itself is not among them. The nearest sibling comes first, as in RFC 6962.
    """
    if not 1 <= position <= size:
        raise ValueError(f"position {position} is not within the first {size} entries")
    path, low, high, leaf = [], 0, size, position - 1
    while high - low > 1:
        middle = low + _split(high - low)
        if leaf < middle:
            path.append(_root(tree, middle, high))
            high = middle
        else:
            path.append(_root(tree, low, middle))
            low = middle
    path.reverse()
    return path


def consistency_path(tree: Tree, old: int, new: int) -> list[bytes]:
    """Return the hashes that show the first `old` entries to be the beginning of the first `new` ones.

    Nothing is needed, and nothing returned, when both sizes are equal. An empty tree is the beginning of any other,
    which shows nothing: ValueError.
    """
    if not 1 <= old <= new:
        raise ValueError(f"size {old} is not from 1 to {new}")
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_root(tree, middle, high))
            high = middle
        else:
            path.append(_root(tree, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(_root(tree, low, high))
    path.reverse()
    return path


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least two."""
    return 1 << (count - 1).bit_length() - 1


def _root(tree: Tree, low: int, high: int) -> bytes:
    """Return the root over the leaves low to high, where low is a multiple of the largest subtree in it."""
    parts = []
    while low < high:
        height = (high - low).bit_length() - 1
        parts.append(tree.node(height, low >> height))
        low += 1 << height
    root = parts[-1]
    for left in reversed(parts[:-1]):
        root = node_hash(left, root)
    return root
