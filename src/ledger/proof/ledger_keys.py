"""Whose signature under a checkpoint counts, by the entries of keys in the ledger that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ledger.proof.bundle_keys import follow_keys
from ledger.proof.note import Note, VerifierKey, verify_note

__all__ = ["Counted", "Out", "counting", "outs_of"]


class Out(NamedTuple):
    """That a key went out of use: by which entry, and, where it was revoked, since when its signatures are doubted."""

    position: int
    revoked: bool
    doubted_from: str | None = None

    def counts_against(self, size: int, recorded_at: Callable[[int], str | None]) -> str | None:
        """Return why a signature of this key under a checkpoint of a size does not count, or None where it does.

        recorded_at: when the entry at a position was recorded. A checkpoint was signed no earlier than its last entry.
        """
        if not self.revoked:
            return f"was replaced by @{self.position}" if size >= self.position else None
        if self.doubted_from is None:
            return f"was revoked by @{self.position}, which doubts all its signatures"
        if size >= self.position:
            return f"was revoked by @{self.position}"
        last = recorded_at(size) if size else None
        if last is not None and last >= self.doubted_from:
            return f"was revoked by @{self.position}, which doubts its signatures from {self.doubted_from} on"
        return None


class Counted(NamedTuple):
    """What the signatures under a checkpoint come to. signers: the vkeys that count.

    doubt: why those that were found do not count, "" where one does; the checkpoint is compared all the same, as the entries
    that put a key out of use are themselves what it is compared with.
    """

    signers: tuple[str, ...]
    doubt: str = ""


def counting(
    note: Note,
    brought: Sequence[VerifierKey],
    key_entries: Sequence[dict[str, Any]],
    size: int,
    recorded_at: Callable[[int], str | None],
) -> Counted:
    """Return which keys signed a checkpoint of a size and count, of those brought and those that they lead to.

    key_entries: of the ledger that it is compared with, checked, in order of stream and version; recorded_at: of `Out`.
    Raises ProofError where nobody known signed it, or a signature does not fit. A key that somebody brought is known
    whatever the ledger says of it, and so is one that follows from it by rotations, past keys that were revoked, too.
    """
    counted_of = (*brought, *follow_keys(brought, key_entries).ever)
    signers = verify_note(note, (*brought, *_reached(brought, key_entries)))
    outs = outs_of(key_entries)
    doubts: dict[str, list[str]] = {}
    for key in signers:
        found = [
            why
            for out in outs.get(str(key), ())
            if (why := out.counts_against(size, recorded_at)) is not None
        ]
        if key not in counted_of and not found:
            found = ["was revoked, or follows from a key that was"]
        doubts[str(key)] = found
    # One signature that counts is enough.
    if all(doubts.values()):
        return Counted((), "; ".join(f"{key} signed it, but {whys[-1]}" for key, whys in doubts.items()))
    return Counted(tuple(key for key, whys in doubts.items() if not whys))


def _reached(
    brought: Sequence[VerifierKey], key_entries: Sequence[dict[str, Any]]
) -> tuple[VerifierKey, ...]:
    """Return the keys that rotations lead to from those that were brought, revoked or not."""
    rotated = [entry for entry in key_entries if entry["header"]["type"] != "key.revoked"]
    return tuple(key for key in follow_keys(brought, rotated).ever if key not in brought)


def outs_of(key_entries: Iterable[dict[str, Any]]) -> dict[str, list[Out]]:
    """Return by vkey how it went out of use, from the entries of keys in order of stream and version."""
    found: dict[str, list[Out]] = {}
    for entry in key_entries:
        header, data = entry["header"], entry["data"]
        match header["type"]:
            case "key.rotated":
                found.setdefault(data["replaces"], []).append(Out(header["position"], revoked=False))
            case "key.revoked":
                out = Out(header["position"], revoked=True, doubted_from=data.get("doubted_from"))
                found.setdefault(data["vkey"], []).append(out)
            case _:
                pass
    return found
