"""Whose signature under a checkpoint counts, by the entries of keys in the ledger that it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ledger.proof.bundle_keys import follow_keys
from ledger.proof.errors import ProofError
from ledger.proof.note import VerifierKey

__all__ = ["Out", "counting", "outs_of", "trusted_through"]


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


def counting(
    signers: Sequence[VerifierKey],
    outs: dict[str, list[Out]],
    size: int,
    recorded_at: Callable[[int], str | None],
) -> tuple[str, ...]:
    """Return which of the known keys that signed a checkpoint of a size count. Raises ProofError where some did, but none counts.

    outs: how keys went out of use, by the entries that the checkpoint is compared with; recorded_at: of `Out`.
    """
    doubts = {
        str(key): [why for out in outs.get(str(key), ()) if (why := out.counts_against(size, recorded_at))]
        for key in signers
    }
    # One signature that counts is enough.
    if signers and all(doubts.values()):
        sentence = "; ".join(f"{key} signed it, but {whys[-1]}" for key, whys in doubts.items())
        raise ProofError(f"{sentence}: compare with one that a key in use signed")
    return tuple(key for key, whys in doubts.items() if not whys)


def trusted_through(
    brought: Sequence[VerifierKey], key_entries: Sequence[dict[str, Any]]
) -> tuple[VerifierKey, ...]:
    """Return the keys that were brought and those they lead to by the rotations in entries that were checked."""
    followed = follow_keys(brought, key_entries).ever
    return (*brought, *(key for key in followed if key not in brought))


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
