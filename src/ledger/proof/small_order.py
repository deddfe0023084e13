"""Public keys of Ed25519 that are worth nothing, wherever a key is read that somebody is to be trusted by.

The rule by which a key is refused when it is published is `ledger.domain.ed25519`, a list; this one is computed, since what
verifies shares no rule with what it verifies.
"""

from __future__ import annotations

__all__ = ["is_small_order"]

_FIELD = 2**255 - 19


def is_small_order(public: bytes) -> bool:
    """Return whether a public key of 32 bytes (RFC 8032) is one of the eight points whose order divides 8, in any spelling.

    Under such a key anybody can make a signature that some messages pass. On the curve -x² + y² = 1 + dx²y², d =
    -121665/121666 (RFC 8032, section 5.1), y is 1 or -1 for the orders 1 and 2, 0 for the order 4. Twice a point of order 8
    has y = 0, so x² + y² = 0 by the doubling law, and dy⁴ + 2y² = 1 on the curve. The sign of x says nothing of the order, and
    y may be spelled as y + 2²⁵⁵ - 19 where that fits into 255 bits.
    """
    square = pow(int.from_bytes(public, "little") % 2**255, 2, _FIELD)
    order_8 = 121_665 * square * square - 2 * 121_666 * square + 121_666
    return square * (square - 1) * order_8 % _FIELD == 0
