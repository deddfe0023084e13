"""Public keys of Ed25519 that are worth nothing, where a key is published; `ledger.proof.small_order` verifies the same."""

from __future__ import annotations

__all__ = ["is_small_order"]

# The y coordinates of the points whose order divides 8, two of them in both spellings that fit into 255 bits: under such
# a key anybody can make a signature that some messages pass.
_FIELD = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset((0, 1, _ORDER_8, _FIELD - _ORDER_8, _FIELD - 1, _FIELD, _FIELD + 1))


def is_small_order(public: bytes) -> bool:
    """Return whether a public key of 32 bytes (RFC 8032) is a point of small order, so that anybody can sign for it."""
    return int.from_bytes(public, "little") & ((1 << 255) - 1) in _SMALL_ORDER
