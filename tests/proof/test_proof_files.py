"""Proof files hold for what they were made for, and for nothing else: no byte of them can be changed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from ledger.proof.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint, read_checkpoint
from ledger.proof.errors import ProofError
from ledger.proof.merkle import check_consistency, check_inclusion, leaf_of
from ledger.proof.note import VerifierKey, key_of, parse_note, sign_note, verify_note
from ledger.proof.tlog_proof import (
    ConsistencyProof,
    InclusionProof,
    consistency_file,
    inclusion_file,
    parse_proof,
)
from ledger.store.tree import node_hash

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "example.org/ledger"


def _verifier_key() -> VerifierKey:
    public = PRIVATE.public_key().public_bytes_raw()
    key_id = sha256(NAME.encode() + b"\n\x01" + public).digest()[:4]
    return VerifierKey(NAME, key_id, public)


KEY = _verifier_key()
# Sizes at and around the places where the shape of a tree changes.
LEAVES = [leaf_of(str(number).encode()) for number in range(70)]


def root_of(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path_of(index, leaves[:split]), root_of(leaves[split:])]
    return [*path_of(index - split, leaves[split:]), root_of(leaves[:split])]


def consistent_path(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*consistent_path(old, leaves[:split], whole), root_of(leaves[split:])]
    return [*consistent_path(old - split, leaves[split:], False), root_of(leaves[:split])]


def signed(size: int) -> bytes:
    return sign_note(checkpoint_text(Checkpoint(NAME, size, root_of(LEAVES[:size]))), str(KEY), PRIVATE.sign)


def holds(content: bytes, leaf: bytes) -> bool:
    """Whether a file proves anything of a leaf, every step done; nothing but ProofError may come of it."""
    try:
        proof = parse_proof(content)
        if isinstance(proof, InclusionProof):
            notes = [proof.note]
            proof.check(leaf)
        else:
            notes = [proof.old_note, proof.new_note]
            proof.check()
        for note in notes:
            if note is None:
                return False
            verify_note(note, [KEY])
    except ProofError:
        return False
    return True


@given(st.data())
def test_inclusion_holds_for_its_leaf_at_its_place_only(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path, root = path_of(index, LEAVES[:size]), root_of(LEAVES[:size])
    check_inclusion(LEAVES[index], index, size, path, root)
    if other != index:
        with pytest.raises(ProofError):
            check_inclusion(LEAVES[other], index, size, path, root)
        with pytest.raises(ProofError):
            check_inclusion(LEAVES[index], other, size, path, root)


@given(st.data())
def test_consistency_holds_for_its_trees_only(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    path = consistent_path(old, LEAVES[:new])
    check_consistency(old, new, root_of(LEAVES[:old]), root_of(LEAVES[:new]), path)
    forked = [*LEAVES[: old - 1], leaf_of(b"another")]
    with pytest.raises(ProofError):
        check_consistency(old, new, root_of(forked), root_of(LEAVES[:new]), path)


@given(st.integers(1, 70), st.data())
def test_an_independent_tree_agrees(size: int, data: st.DataObject) -> None:
    """pymerkle builds the same root, and takes or refuses the same paths."""
    tree = InmemoryTree(algorithm="sha256")
    for number in range(size):
        tree.append_entry(str(number).encode())
    assert tree.get_root(size) == root_of(LEAVES[:size])
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    inclusion = tree.prove_inclusion(index + 1, size)
    path = {bytes.fromhex(one) for one in inclusion.serialize()["path"]}
    assert path == {LEAVES[index], *path_of(index, LEAVES[:size])}
    assert inclusion.compute_root() == root_of(LEAVES[:size])
    consistency = tree.prove_consistency(old, size)
    assert consistency.compute_root() == root_of(LEAVES[:size])


INCLUSION = inclusion_file(5, path_of(5, LEAVES[:11]), signed(11), extra=b"v1")
CONSISTENCY = consistency_file(consistent_path(5, LEAVES[:11]), signed(5), signed(11))


def test_files_are_read_back_as_they_were_written() -> None:
    inclusion, consistency = parse_proof(INCLUSION), parse_proof(CONSISTENCY)
    assert isinstance(inclusion, InclusionProof)
    assert isinstance(consistency, ConsistencyProof)
    assert (inclusion.leaf_index, inclusion.extra, list(inclusion.path)) == (
        5,
        b"v1",
        path_of(5, LEAVES[:11]),
    )
    assert (consistency.old.size, consistency.new.size) == (5, 11)
    assert holds(INCLUSION, LEAVES[5])
    assert holds(CONSISTENCY, b"")


def mutants(content: bytes) -> list[bytes]:
    """Return the file with each byte changed in three ways, taken out, doubled, and with its end cut off anywhere."""
    found = [
        content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
        for at in range(len(content))
        for flip in (1, 32, 128)
    ]
    found += [content[:at] + content[at + 1 :] for at in range(len(content))]
    found += [content[:at] + content[at : at + 1] + content[at:] for at in range(len(content))]
    found += [content[:at] for at in range(len(content))]
    return [one for one in found if one != content]


@pytest.mark.parametrize(
    "content", [INCLUSION, CONSISTENCY, inclusion_file(5, path_of(5, LEAVES[:11]), signed(11))]
)
def test_no_mutant_of_a_file_holds(content: bytes) -> None:
    """The line `extra` is opaque and says of itself that it proves nothing; whatever else is changed is found."""
    extra = content.partition(b"extra ")[2].partition(b"\n")[0]
    survivors = [
        one for one in mutants(content)
        if holds(one, LEAVES[5]) and not (extra and _without_extra(one) == _without_extra(content))
    ]  # fmt: skip
    assert not survivors


def _without_extra(content: bytes) -> bytes:
    return b"\n".join(line for line in content.split(b"\n") if not line.startswith(b"extra "))


@given(
    st.sampled_from([INCLUSION, CONSISTENCY, signed(11), str(KEY).encode()]),
    st.data(),
)
def test_readers_raise_nothing_but_their_own_error(content: bytes, data: st.DataObject) -> None:
    """Any bytes, and pieces of real files put together anew."""
    cut, other = data.draw(st.integers(0, len(content))), data.draw(st.binary(max_size=40))
    mixed = content[:cut] + other + content[data.draw(st.integers(0, len(content))) :]
    readers: list[Callable[[bytes], object]] = [
        parse_proof, parse_note, read_checkpoint,
        lambda one: parse_checkpoint(one.decode("utf-8", "replace")),
        lambda one: key_of(one.decode("utf-8", "replace")),
    ]  # fmt: skip
    for reader in readers:
        with contextlib.suppress(ProofError):
            reader(mixed)
    assert not holds(mixed, LEAVES[5]) or mixed == content or _without_extra(mixed) == _without_extra(content)


def test_an_unsigned_checkpoint_is_read_and_proves_nothing() -> None:
    text = checkpoint_text(Checkpoint(NAME, 11, root_of(LEAVES[:11]))).encode()
    found, note = read_checkpoint(text)
    assert (found.size, note) == (11, None)
    assert not holds(inclusion_file(5, path_of(5, LEAVES[:11]), text), LEAVES[5])


def test_checkpoints_of_two_ledgers_are_told_apart() -> None:
    other = sign_note(
        checkpoint_text(Checkpoint("another", 11, root_of(LEAVES[:11]))), str(KEY), PRIVATE.sign
    )
    proof = parse_proof(consistency_file(consistent_path(5, LEAVES[:11]), signed(5), other))
    assert isinstance(proof, ConsistencyProof)
    with pytest.raises(ProofError, match="the checkpoints are of two ledgers"):
        proof.check()
