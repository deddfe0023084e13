"""Which keys may sign a bundle: those brought from elsewhere, and what the bundle's own streams of keys make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.proof.errors import ProofError
from ledger.proof.note import Note, VerifierKey, key_of, verify_note

__all__ = ["accepted_keys", "signer"]


def accepted_keys(brought: Sequence[VerifierKey], key_entries: Iterable[dict[str, Any]]) -> list[VerifierKey]:
    """Return the keys whose signature counts, after the key entries of a bundle, which are in order themselves.

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
    known = {vkey for chain in chains.values() for vkey in chain}
    found = {key for key in texts if key not in known}
    for chain in chains.values():
        trusted = False
        for vkey in chain:
            trusted = (trusted or vkey in texts) and vkey not in revoked
        if trusted:
            found.add(chain[-1])
    return [key_of(text) for text in sorted(found)]


def signer(note: Note, brought: Sequence[VerifierKey], accepted: Sequence[VerifierKey]) -> VerifierKey:
    """Return the accepted key that signed a note with one signature. Raises ProofError, also where a key is out of use."""
    one = note.signatures[0]
    for key in brought:
        if (key.name, key.key_id) == (one.name, one.key_id) and key not in accepted:
            raise ProofError(
                f"{key} signed this, but by the entries of the bundle itself it was replaced or revoked by then"
            )
    return verify_note(note, accepted)[0] if accepted else verify_note(note, brought)[0]
