"""Which keys may sign a bundle: those brought from elsewhere, and what the bundle's own streams of keys make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ledger.proof.errors import NotByKnownKey, ProofError
from ledger.proof.note import Note, VerifierKey, key_of, verify_note

__all__ = ["KeysFollowed", "follow_keys", "signer"]


class KeysFollowed(NamedTuple):
    """Where the keys that were brought lead. present: whose signature counts now; ever: and those it counted of before."""

    present: tuple[VerifierKey, ...]
    ever: tuple[VerifierKey, ...]


def follow_keys(brought: Sequence[VerifierKey], key_entries: Iterable[dict[str, Any]]) -> KeysFollowed:
    """Follow keys through the key entries of a bundle, which are in order themselves.

    A key that no stream knows counts as it was brought. Of a stream only the key in use counts, where it was brought or
    follows, by rotations and past no revoked key, from one that was.
    """
    chains: dict[str, list[str]] = {}
    revoked: set[str] = set()
    for entry in key_entries:
        header, data = entry["header"], entry["data"]
        match header["type"]:
            case "key.published" | "key.rotated":
                chains.setdefault(header["stream"], []).append(data["vkey"])
            case "key.revoked":
                revoked.add(data["vkey"])
            case _:
                pass
    texts = {str(key) for key in brought}
    present = texts - {vkey for chain in chains.values() for vkey in chain}
    ever = set(present)
    for chain in chains.values():
        trusted = False
        for vkey in chain:
            trusted = (trusted or vkey in texts) and vkey not in revoked
            ever |= {vkey} if trusted else set()
        present |= {chain[-1]} if trusted else set()
    return KeysFollowed(tuple(map(key_of, sorted(present))), tuple(map(key_of, sorted(ever))))


def signer(
    notes: Sequence[Note], brought: Sequence[VerifierKey], accepted: Sequence[VerifierKey]
) -> VerifierKey:
    """Return the accepted key that signed each of some notes with one signature.

    Raises ProofError, NotByKnownKey where a key is out of use, or where the notes are of different keys that share name and id.
    """
    try:
        key = verify_note(notes[0], accepted)[0]
        for note in notes[1:]:
            verify_note(note, [key])
    except ProofError:
        one = notes[0].signatures[0]
        for out in brought:
            if (out.name, out.key_id) == (one.name, one.key_id) and out not in accepted:
                raise NotByKnownKey(
                    f"{out} signed this, but by the entries of the bundle itself it was replaced or revoked by then"
                ) from None
        raise
    return key
