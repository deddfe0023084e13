"""Canonical JSON (RFC 8785) as entries and bundles use it: read strictly, so that there is one spelling of each value."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ledger.proof.errors import ProofError

__all__ = ["canonical", "read_canonical"]

_MOST = (1 << 53) - 1
# Only what holds one of these can hold something that has to be looked at more closely.
_DOUBTFUL = re.compile(rb"\\u0000|[0-9]{16}")
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)


def _no_float(text: str) -> float:
    raise ValueError(f"the number {text[:40]} is no integer")


_decode = msgspec.json.Decoder(float_hook=_no_float).decode
_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value that holds no floats."""
    return _encode(value)


def read_canonical(raw: bytes, what: str) -> Any:
    """Return what canonical JSON says. what: its name in the sentence of the ProofError, where it is anything else."""
    try:
        found = _decode(raw)
        if _encode(found) != raw:
            raise ValueError("it could have been written otherwise")
        if _DOUBTFUL.search(raw):
            _look(found)
    except _BROKEN as error:
        raise ProofError(f"{what} is not canonical JSON ({str(error)[:200]}); it was altered") from None
    return found


def _look(value: Any) -> None:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is int and abs(one) > _MOST:
            raise ValueError(f"the number {str(one)[:40]} is not exact in every reader")
        if type(one) is str and "\x00" in one:
            raise ValueError("a text holds the character U+0000")
        if type(one) is list:
            waiting += one
        elif type(one) is dict:
            waiting += [*one, *one.values()]
