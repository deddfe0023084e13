"""Checkpoints that were kept elsewhere, read from their files: which can be compared with, and whose signature counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ledger.proof.against import Kept
    from ledger.proof.note import VerifierKey

__all__ = ["Compared", "Given", "NotCompared", "read_kept"]


class NotCompared(NamedTuple):
    """What was given and could not be compared with anything, and why: the end of a sentence."""

    what: str
    because: str

    def __str__(self) -> str:
        return f"{self.what} was not compared, because {self.because}"


class Compared(NamedTuple):
    """What a ledger or a bundle was compared with. kept: checkpoints; apart: what was to be compared and was not.

    disputed: whether all that contradicts it is signed by keys that it says do not count.
    """

    kept: list[Kept]
    apart: list[NotCompared]
    disputed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return this for programs (contract in docs/json.md)."""
        checkpoints = [
            {
                "file": one.name,
                "size": one.checkpoint.size,
                "root": one.checkpoint.root.hex(),
                "signed_by": [*one.signers],
            }
            for one in self.kept
        ]
        return {"checkpoints": checkpoints, "not_compared": [one._asdict() for one in self.apart]}


class Given(NamedTuple):
    """The checkpoints of --against. refused: sentences on files that are none, or that nobody known signed."""

    kept: list[Kept]
    refused: list[str]
    apart: list[NotCompared]


def read_kept(
    paths: Sequence[str],
    trusted: Sequence[VerifierKey],
    key_entries: Sequence[dict[str, Any]],
    recorded_at: Callable[[int], str | None],
) -> Given:
    """Read the files of --against. trusted: what --key named; key_entries and recorded_at: of `ledger.proof.ledger_keys.counting`."""
    from ledger.cli.proof import read_file
    from ledger.proof.against import Kept
    from ledger.proof.checkpoint import read_checkpoint
    from ledger.proof.errors import ProofError
    from ledger.proof.ledger_keys import Counted, counting
    from ledger.store.tree import EMPTY_ROOT

    given = Given([], [], [])
    for path in paths:
        try:
            found, note = read_checkpoint(read_file("--against", path))
            if trusted and note is None:
                raise ProofError("it is not signed, but --key was given")
            counted = (
                counting(note, trusted, key_entries, found.size, recorded_at)
                if trusted and note is not None
                else Counted(())
            )
            if found.size == 0 and found.root != EMPTY_ROOT:
                raise ProofError(
                    f"it has no entries, but the root {found.root.hex()}, which is not that of nothing"
                )
        except ProofError as error:
            given.refused.append(f"{path}: {error}")
            continue
        if found.size == 0:
            given.apart.append(NotCompared(path, "it has no entries, and any ledger continues that"))
        else:
            given.kept.append(Kept(path, found, tuple(str(key) for key in counted.signers), counted.doubt))
    return given
