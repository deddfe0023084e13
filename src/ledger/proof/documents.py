"""Checking issued documents from outside: numbers without gaps, roots that were, and lines that are those issued.

It works on the bytes of entries and of lines alone, and shares no rule with the code that issues. What is checked is written in
docs/adr/0018.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from hashlib import sha256
from typing import Any, NamedTuple

from ledger.proof.merkle import leaf_of

__all__ = ["DocumentFault", "check_documents"]

_TYPES = ("statement.issued", "adjustment.issued")
# Sums are exact or an error: more digits than any document can have, and nothing is ever rounded.
_EXACT = Context(prec=10_000, traps=[Inexact, InvalidOperation, Overflow])


class DocumentFault(NamedTuple):
    """One thing that is wrong with a document. position: of its entry, None where it cannot be read."""

    position: int | None
    kind: str
    detail: str


def check_documents(
    entries: Iterable[bytes], root_at: Callable[[int], bytes | None], content: Callable[[str], bytes | None]
) -> Iterator[DocumentFault]:
    """Yield what is wrong with the documents of all series, their entries in the order of streams and versions.

    root_at: the root of the first so many entries, None where there are not so many. content: the bytes kept under a
    digest, None where none are. Nothing raises: what cannot be read is a fault. That bytes hash to their digest, and are
    there, is for the check of the store to say.
    """
    numbers: dict[str, int] = {}
    for raw in entries:
        try:
            entry = json.loads(raw)
            header, data = entry["header"], entry["data"]
            position, stream, type_ = header["position"], header["stream"], header["type"]
            ours = type_ in _TYPES and stream.startswith("statement/")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            yield DocumentFault(None, "document-unreadable", "an entry is not the JSON of header and data")
            continue
        if not ours:
            continue
        number = numbers[stream] = numbers.get(stream, 0) + 1
        try:
            if data["number"] != number:
                yield DocumentFault(
                    position,
                    "document-number",
                    f"{stream} has number {data['number']!r} where {number} comes next",
                )
            yield from _rests(position, data, root_at)
            yield from _lines(position, data, content(data["lines"]["sha256"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError) as error:
            yield DocumentFault(
                position,
                "document-unreadable",
                f"the document cannot be read: {type(error).__name__} {error}",
            )


def _rests(position: int, data: Any, root_at: Callable[[int], bytes | None]) -> Iterator[DocumentFault]:
    size, said = data["rests_on"]["position"], data["rests_on"]["root"]
    found = root_at(size) if type(size) is int and 0 < size < position else None
    if found is None:
        yield DocumentFault(
            position, "document-basis", f"it rests on {size!r} entries, and stands itself at {position}"
        )
    elif found.hex() != said:
        yield DocumentFault(
            position,
            "document-basis",
            f"it rests on the root {said!r} of {size} entries, whose root is {found.hex()}",
        )


def _lines(position: int, data: Any, content: bytes | None) -> Iterator[DocumentFault]:
    said = data["lines"]
    if content is None or sha256(content).hexdigest() != said["sha256"]:
        return  # the check of the store names it
    leaves = content.removesuffix(b"\n").split(b"\n") if content else []
    if len(leaves) != said["assessments"] + said["lines"]:
        yield DocumentFault(
            position,
            "document-lines",
            f"it says {said['assessments'] + said['lines']} lines, {len(leaves)} are kept",
        )
    if (root := _root([leaf_of(leaf) for leaf in leaves]).hex()) != said["root"]:
        yield DocumentFault(
            position, "document-lines", f"its lines hash to the root {root}, it says {said['root']!r}"
        )
    sums: dict[str, list[Any]] = {}
    days: list[Any] = [0, Decimal(0), Decimal(0)]
    for leaf in leaves[said["assessments"] :]:
        line = json.loads(leaf)["line"]
        total = sums.setdefault(line["currency"], [0, Decimal(0), Decimal(0)])
        total[0] += 1
        total[1] = _EXACT.add(total[1], Decimal(line["amount"]))
        total[2] = _EXACT.add(total[2], Decimal(line.get("waived", "0")))
        if "service_days" in line:
            days[0] += 1
            days[1] = _EXACT.add(days[1], Decimal(line["service_days"]))
            days[2] = _EXACT.add(days[2], Decimal(line.get("service_days_waived", "0")))
    stated = {
        one["currency"]: [one["lines"], Decimal(one["amount"]), Decimal(one.get("waived", "0"))]
        for one in data["totals"]
    }
    if stated != sums:
        yield DocumentFault(
            position, "document-totals",
            f"its lines add up to {_spelled(sums)}, its totals say {_spelled(stated)}",
        )  # fmt: skip
    said_days = data.get("service_days", {"lines": 0, "days": "0"})
    stated_days = [said_days["lines"], Decimal(said_days["days"]), Decimal(said_days.get("waived", "0"))]
    if stated_days != days:
        yield DocumentFault(
            position, "document-totals",
            f"its lines add up to {days[1]:f} days of service in {days[0]} lines, it says {stated_days[1]:f} in {stated_days[0]}",
        )  # fmt: skip


def _spelled(sums: dict[str, list[Any]]) -> str:
    return (
        ", ".join(f"{amount} {code} in {lines} lines" for code, (lines, amount, _) in sorted(sums.items()))
        or "nothing"
    )


def _root(hashes: list[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 6962, section 2.1): level by level, an odd one goes up as it is."""
    if not hashes:
        return sha256(b"").digest()
    while len(hashes) > 1:
        pairs = [
            sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes) - 1, 2)
        ]
        hashes = pairs + hashes[len(hashes) - 1 :] if len(hashes) % 2 else pairs
    return hashes[0]
