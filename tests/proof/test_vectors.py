"""Published probes, reference trees and notes answer as their sources state."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.errors import ProofError
from ledger.proof.merkle import check_consistency, check_inclusion, leaf_of, root_from_path
from ledger.proof.note import key_of, parse_note, sign_note, verify_note
from ledger.proof.tlog_proof import parse_inclusion
from ledger.store.tree import Frontier

FOLDER = Path(__file__).parent


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


PROBES, TREE, NOTES = read("probes.json"), read("reference_tree.json"), read("notes.json")


def hashes(texts: list[str]) -> list[bytes]:
    return [b64decode(text) for text in texts]


@pytest.mark.parametrize("probe", PROBES["inclusion"], ids=lambda probe: probe[0])
def test_inclusion_probe(probe: list[Any]) -> None:
    _, index, size, leaf, root, path, good = probe
    if good:
        check_inclusion(b64decode(leaf), index, size, hashes(path), b64decode(root))
    else:
        with pytest.raises(ProofError):
            check_inclusion(b64decode(leaf), index, size, hashes(path), b64decode(root))


@pytest.mark.parametrize("probe", PROBES["consistency"], ids=lambda probe: probe[0])
def test_consistency_probe(probe: list[Any]) -> None:
    _, old, new, old_root, new_root, path, good = probe
    if good:
        check_consistency(old, new, b64decode(old_root), b64decode(new_root), hashes(path))
    else:
        with pytest.raises(ProofError):
            check_consistency(old, new, b64decode(old_root), b64decode(new_root), hashes(path))


def test_there_are_196_probes() -> None:
    assert len(PROBES["inclusion"]) + len(PROBES["consistency"]) == 196
    assert {probe[-1] for kind in ("inclusion", "consistency") for probe in PROBES[kind]} == {True, False}


def test_the_reference_tree() -> None:
    leaves = [leaf_of(bytes.fromhex(leaf)) for leaf in TREE["leaves"]]
    assert [leaf.hex() for leaf in leaves] == TREE["leaf_hashes"]
    roots = [bytes.fromhex(root) for root in TREE["roots_by_size"]]
    assert len(TREE["inclusion"]) == len(TREE["consistency"]) == 36
    for index, size, path in TREE["inclusion"]:
        assert root_from_path(leaves[index], index, size, [bytes.fromhex(one) for one in path]) == roots[size]
    for old, new, path in TREE["consistency"]:
        check_consistency(old, new, roots[old], roots[new], [bytes.fromhex(one) for one in path])


def test_golden_roots() -> None:
    """The tree over leaves of two bytes, their number from the low byte up, as the source's rule says."""
    wanted, tree = TREE["golden_roots"], Frontier()
    found: dict[str, str] = {}
    for number in range(max(map(int, wanted))):
        tree.add(leaf_of(number.to_bytes(2, "little")))
        if str(tree.size) in wanted:
            found[str(tree.size)] = b64encode(tree.root()).decode()
    assert found == wanted


PETER, ENOCH = (NOTES["keys"][name]["vkey"] for name in ("peter", "enoch"))
TEXT = NOTES["text"]


def test_notes_verify_with_the_keys_that_signed_them() -> None:
    both = parse_note(f"{TEXT}\n{NOTES['peter_sig_line']}{NOTES['enoch_sig_line']}".encode())
    peter, enoch = key_of(PETER), key_of(ENOCH)
    assert verify_note(both, [peter, enoch]) == (peter, enoch)
    # A signature of a key that is not known is ignored.
    assert verify_note(both, [peter]) == (peter,)
    example = key_of(NOTES["keys"]["c2sp_example"]["vkey"])
    assert verify_note(parse_note(NOTES["c2sp_note"].encode()), [example]) == (example,)
    with pytest.raises(ProofError, match="no known key signed this; it is signed by PeterNeumann"):
        verify_note(both, [example])


def test_a_bad_signature_of_a_known_key_rejects_the_note() -> None:
    swapped = NOTES["enoch_sig_line"].replace("EnochRoot rwz+eBzm", "EnochRoot rwz+eBzn")
    note = parse_note(f"{TEXT}\n{NOTES['peter_sig_line']}{swapped}".encode())
    with pytest.raises(ProofError, match="the signature of EnochRoot"):
        verify_note(note, [key_of(PETER), key_of(ENOCH)])


def test_the_same_key_signs_the_same_bytes() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(NOTES["keys"]["enoch"]["seed_hex"]))
    assert sign_note(TEXT, ENOCH, private.sign).decode() == f"{TEXT}\n{NOTES['enoch_sig_line']}"
    with pytest.raises(ProofError, match="what signed is not the key PeterNeumann"):
        sign_note(TEXT, PETER, private.sign)


@pytest.mark.parametrize("vkey", [one["vkey"] for one in NOTES["keys"].values()])
def test_every_part_and_every_mangle_of_a_key_is_rejected(vkey: str) -> None:
    assert str(key_of(vkey)) == vkey
    for start in range(len(vkey)):
        for end in range(start + 1, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(ProofError):
                    key_of(vkey[start:end])
    for at, letter in enumerate(vkey):
        with pytest.raises(ProofError):
            key_of(vkey[:at] + chr(ord(letter) + 1) + vkey[at + 1 :])


@pytest.mark.parametrize("vkey", NOTES["bad_vkeys"])
def test_bad_keys_are_rejected(vkey: str) -> None:
    with pytest.raises(ProofError):
        key_of(vkey)


@pytest.mark.parametrize(
    "content",
    [
        TEXT.removesuffix("\n").encode() + f"\n{NOTES['peter_sig_line']}".encode(),
        f"{TEXT}\n{NOTES['peter_sig_line']}".replace("think", "\x01hink").encode(),
        f"{TEXT}\n{NOTES['peter_sig_line']}".encode().replace(b"think", b"\xff"),
        f"{TEXT}\n{NOTES['peter_sig_line']}".removesuffix("\n").encode(),
        f"{TEXT}\n{NOTES['peter_sig_line']}one more line\n".encode(),
        f"{TEXT}\n{NOTES['peter_sig_line']}".replace("\u2014 PeterNeumann", "\u2014 Peter Neumann").encode(),
        f"{TEXT}\n{NOTES['peter_sig_line'] * 101}".encode(),
        f"{TEXT}\n{NOTES['peter_sig_line']}".replace("\u2014", "-").encode(),
        b"",
        b"\n",
    ],
)
def test_malformed_notes_are_rejected(content: bytes) -> None:
    with pytest.raises(ProofError):
        parse_note(content)


def test_up_to_a_hundred_signatures_are_read() -> None:
    assert len(parse_note(f"{TEXT}\n{NOTES['peter_sig_line'] * 100}".encode()).signatures) == 100


@pytest.mark.parametrize("text", NOTES["checkpoints_valid"])
def test_valid_checkpoints_are_read(text: str) -> None:
    found = parse_checkpoint(text)
    assert [found.origin, str(found.size), b64encode(found.root).decode()] == text.splitlines()


@pytest.mark.parametrize("text", NOTES["checkpoints_invalid"])
def test_invalid_checkpoints_are_rejected(text: str) -> None:
    with pytest.raises(ProofError):
        parse_checkpoint(text)


@pytest.mark.parametrize("content", NOTES["tlog_proof_malformed"])
def test_malformed_proof_files_are_rejected(content: str) -> None:
    with pytest.raises(ProofError):
        parse_inclusion(content.encode())
