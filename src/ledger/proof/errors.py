"""The one error of everything that checks proofs."""

from __future__ import annotations

from ledger.errors import LedgerError

__all__ = ["ProofError"]


class ProofError(LedgerError):
    """A proof, note or checkpoint is malformed or does not hold; the sentence says which of the two and why."""

    exit_code = 1
