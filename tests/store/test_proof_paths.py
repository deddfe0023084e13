"""Proofs out of the stored tree, at any size, as an independent implementation makes and checks them (pymerkle)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from pymerkle import verify_consistency as their_consistency
from pymerkle import verify_inclusion as their_inclusion

from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
from ledger.proof.merkle import check_consistency, check_inclusion, leaf_of
from ledger.store.log import SealedLog
from ledger.store.proofs import consistency_path, inclusion_path
from ledger.store.tree import Frontier

# Two full tiles of 256 and an open one.
SIZE = 700
# A size, and one from 1 up to it.
WITHIN = st.integers(1, SIZE).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size)))


class Ledger(NamedTuple):
    """A ledger, its entries, and a tree that pymerkle built of them."""

    log: SealedLog
    entries: list[bytes]
    tree: InmemoryTree

    def __repr__(self) -> str:
        return f"a ledger of {SIZE}"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path: Path = tmp_path_factory.mktemp("paths") / "ledger.db"
    with closing(IncidentLedger(f"sqlite:///{path}")) as made:
        made.create()
        head = {"incident": "a", "actor": "ops"}
        made.append([parse_action({"action": "open", **head, "title": "T", "status": "investigating"})])
        made.append([parse_action({"action": "update", **head, "body": str(at)}) for at in range(SIZE - 1)])
        entries = [one.entry for one in made.sealed.entries()]
        tree = InmemoryTree(algorithm="sha256")
        for entry in entries:
            tree.append_entry(entry)
        yield Ledger(made.sealed, entries, tree)


@given(WITHIN)
@settings(max_examples=200, deadline=None)
def test_inclusion(ledger: Ledger, sizes: tuple[int, int]) -> None:
    log, entries, tree = ledger
    size, position = sizes
    root = log.root_at(size)
    assert root == tree.get_root(size)
    path = inclusion_path(log, position, size)
    check_inclusion(leaf_of(entries[position - 1]), position - 1, size, path, root)
    theirs = tree.prove_inclusion(position, size)
    their_inclusion(leaf_of(entries[position - 1]), root, theirs)
    # Theirs has the leaf itself in it, and its own order.
    assert {bytes.fromhex(one) for one in theirs.serialize()["path"]} == {
        leaf_of(entries[position - 1]),
        *path,
    }


@given(WITHIN)
@settings(max_examples=200, deadline=None)
def test_consistency(ledger: Ledger, sizes: tuple[int, int]) -> None:
    log, _, tree = ledger
    new, old = sizes
    path = consistency_path(log, old, new)
    check_consistency(old, new, log.root_at(old), log.root_at(new), path)
    theirs = tree.prove_consistency(old, new)
    their_consistency(log.root_at(old), log.root_at(new), theirs)


@given(st.lists(st.binary(max_size=40), max_size=300))
def test_roots_of_any_entries(entries: list[bytes]) -> None:
    ours, theirs = Frontier(), InmemoryTree(algorithm="sha256")
    for entry in entries:
        ours.add(leaf_of(entry))
        theirs.append_entry(entry)
    assert ours.root() == theirs.get_root()
