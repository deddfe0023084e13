"""The terms of one SLA: which time counts, how much, and what that pays.

A policy is written in TOML and published as it is written. `format = 1` says what a calendar month, tiers and percent of
the fee can say; `format = 2` says the rest (docs/policy-language.md). Both become one model. Percentages are text, since
a TOML float cannot hold 99.9; in memory they are exact fractions, and every comparison is one of integers.
"""

from __future__ import annotations

from ledger.domain.policy.in_force import policy_in_force
from ledger.domain.policy.model import Commitment, Policy, Tier
from ledger.domain.policy.reading import Problems, load
from ledger.errors import Refused

__all__ = ["Commitment", "Policy", "Tier", "parse_policy", "policy_in_force", "policy_sha256"]


def policy_sha256(text: str) -> str:
    """Return the SHA-256 of the UTF-8 bytes of a policy's text, in hexadecimal."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def parse_policy(text: str, *, stored: bool = False) -> Policy:
    """Return the policy that a TOML text of format 1 or 2 states.

    Raises Refused with every problem at once: a field that is missing, unknown (with the nearest known name)
    or wrong, a number where text is due, and tiers that leave a gap or overlap where the format asks for neither. stored: it was
    published already; sums that could never be paid were taken once, and are read on.
    """
    document = load(text)
    problems = Problems(("too-large",) if stored else ())
    if document.get("format") == 2 and type(document["format"]) is int:
        from ledger.domain.policy.format_2 import read
    else:
        from ledger.domain.policy.format_1 import read
    policy = read(document, policy_sha256(text), problems)
    if problems.found or policy is None:
        raise Refused("; ".join(problems.found), tuple(problems.found))
    return policy
