"""The one error of everything that checks proofs."""

from __future__ import annotations

from ledger.errors import LedgerError

__all__ = ["NotByKnownKey", "ProofError"]


class ProofError(LedgerError):
    """A proof, note or checkpoint is malformed or does not hold; the sentence says which of the two and why."""

    exit_code = 1


class NotByKnownKey(ProofError):
    """What was signed may be whole, but no key that is known and counts signed it."""
