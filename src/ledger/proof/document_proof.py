"""Proofs that lines stand in an issued document, and the document in a ledger; checked without either.

    incident-sla-ledger/document-proof@v1
    entry <the bytes of the document's entry>
    leaf <index> <the bytes of a line>
    <hash>                 zero or more lines of Base64, in the order of RFC 6962, section 2.1.1
    …                      further leaves with their hashes
    (an empty line)
    <proof of inclusion>   of the entry, verbatim (https://c2sp.org/tlog-proof)

Bytes are Base64. It works on bytes, hashes and JSON alone, as an auditor holds them, and shares no rule with the code that
issues; what stands in a line is written in docs/statements.md.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

from ledger.proof.errors import ProofError
from ledger.proof.merkle import HASH_BYTES, check_inclusion, leaf_of
from ledger.proof.note import decode64
from ledger.proof.tlog_proof import InclusionProof, parse_inclusion

__all__ = ["DOCUMENT", "DocumentProof", "Leaf", "ProvenDocument", "document_file", "parse_document"]

DOCUMENT = "incident-sla-ledger/document-proof@v1"
_MOST_BYTES = 64_000_000
_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")
_TYPES = {"statement.issued": "statement", "adjustment.issued": "adjustment"}


class Leaf(NamedTuple):
    """A line of a document: its place in the tree of lines (0, 1, 2 …), its bytes, and the hashes that lead to the root."""

    place: int
    content: bytes
    path: tuple[bytes, ...]


class ProvenDocument(NamedTuple):
    """What a proof shows: the document's header and data, and its lines, each beside the assessment it rests on."""

    header: dict[str, Any]
    data: dict[str, Any]
    lines: tuple[tuple[dict[str, Any], dict[str, Any]], ...]

    @property
    def kind(self) -> str:
        """Whether it is a statement or an adjustment."""
        return _TYPES[self.header["type"]]


class DocumentProof(NamedTuple):
    """A proof as a file holds it; nothing is verified yet."""

    entry: bytes
    leaves: tuple[Leaf, ...]
    inclusion: InclusionProof

    def check(self) -> ProvenDocument:
        """Return what is proven. Raises ProofError; the signatures are another matter."""
        self.inclusion.check(leaf_of(self.entry))
        header, data = _document(self.entry, self.inclusion)
        root, assessments, size = _tree(data)
        found: dict[int, dict[str, Any]] = {}
        lines: list[dict[str, Any]] = []
        for leaf in self.leaves:
            check_inclusion(leaf_of(leaf.content), leaf.place, size, leaf.path, root)
            kind = "assessment" if leaf.place < assessments else "line"
            inner = _object(leaf.content, f"the leaf at {leaf.place}").get(kind)
            if type(inner) is not dict:
                raise ProofError(f"the leaf at {leaf.place} is not the {kind} that belongs there")
            if kind == "assessment":
                found[leaf.place] = inner
            else:
                lines.append(inner)
        if not lines:
            raise ProofError("the proof shows no line")
        return ProvenDocument(header, data, tuple(_rested(line, found) for line in lines))


def _rested(
    line: dict[str, Any], assessments: dict[int, dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    place = line.get("assessment")
    if type(place) is not int or place not in assessments:
        raise ProofError(f"a line rests on the assessment {place!r}, which the proof does not show")
    for name in ("customer", "subscription", "currency", "amount"):
        if type(line.get(name)) is not str:
            raise ProofError(f"a line has no {name}")
    return line, assessments[place]


def _document(entry: bytes, inclusion: InclusionProof) -> tuple[dict[str, Any], dict[str, Any]]:
    found = _object(entry, "the entry")
    header, data = found.get("header"), found.get("data")
    if type(header) is not dict or type(data) is not dict or header.get("type") not in _TYPES:
        raise ProofError("the entry is no issued document")
    stream = header.get("stream")
    if type(stream) is not str or not stream.startswith("statement/"):
        raise ProofError(f"the document stands in {stream!r}, which is no series")
    said = (header.get("ledger"), header.get("position"))
    proven = (inclusion.checkpoint.origin, inclusion.leaf_index + 1)
    if said != proven:
        raise ProofError(
            f"the document says that it is @{said[1]} of {said[0]!r}, but @{proven[1]} of {proven[0]!r} is proven"
        )
    if type(data.get("number")) is not int or type(data.get("period")) is not str:
        raise ProofError("the document has no number or no period")
    return header, data


def _tree(data: dict[str, Any]) -> tuple[bytes, int, int]:
    """Return the root over the lines, how many assessments come first, and how many leaves there are."""
    lines = data.get("lines")
    if type(lines) is not dict:
        raise ProofError("the document does not say what its lines are")
    root, assessments, money = (lines.get(name) for name in ("root", "assessments", "lines"))
    if type(root) is not str or re.fullmatch("[0-9a-f]{64}", root) is None:
        raise ProofError("the document does not say the root over its lines")
    if type(assessments) is not int or type(money) is not int or assessments < 0 or money < 0:
        raise ProofError("the document does not say how many lines it has")
    return bytes.fromhex(root), assessments, assessments + money


def _object(content: bytes, what: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ProofError(f"{what} says something twice")
        return dict(pairs)

    try:
        found = json.loads(content, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise ProofError(f"{what} is not JSON") from None
    if type(found) is not dict:
        raise ProofError(f"{what} is no JSON object")
    return found


def document_file(entry: bytes, leaves: Sequence[Leaf], inclusion: bytes) -> bytes:
    """Return a proof as it is kept in a file. inclusion: the file that proves the entry."""
    lines = [DOCUMENT, f"entry {_spelled(entry)}"]
    for leaf in leaves:
        lines += [f"leaf {leaf.place} {_spelled(leaf.content)}", *map(_spelled, leaf.path)]
    return "\n".join([*lines, "", ""]).encode() + inclusion


def _spelled(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def parse_document(content: bytes) -> DocumentProof:
    """Return the proof that a file holds. Raises ProofError; nothing is verified here."""
    if len(content) > _MOST_BYTES:
        raise ProofError(f"a proof of {len(content):,} bytes is longer than {_MOST_BYTES:,}")
    head, parted, rest = content.partition(b"\n\n")
    if not parted:
        raise ProofError("the proof has no empty line before the proof of its entry")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("the lines of the proof are not ASCII") from None
    if first != DOCUMENT:
        raise ProofError(f"the first line reads {first[:100]!r}, not {DOCUMENT!r}")
    if not lines or not lines[0].startswith("entry "):
        raise ProofError("the proof has no line with the entry where it belongs")
    entry = decode64(lines.pop(0).removeprefix("entry "))
    return DocumentProof(entry, _leaves(lines), parse_inclusion(rest))


def _leaves(lines: Sequence[str]) -> tuple[Leaf, ...]:
    found: list[tuple[int, bytes, list[bytes]]] = []
    for line in lines:
        if line.startswith("leaf "):
            index, parted, text = line.removeprefix("leaf ").partition(" ")
            if not parted or _INDEX.fullmatch(index) is None:
                raise ProofError(f"the line {line[:60]!r} does not name a leaf by its index")
            found.append((int(index), decode64(text), []))
            continue
        if not found:
            raise ProofError("a hash stands before the first leaf")
        one = decode64(line)
        if len(one) != HASH_BYTES:
            raise ProofError(f"a hash of the proof has {len(one)} bytes, not the {HASH_BYTES} of SHA-256")
        found[-1][2].append(one)
    indices = [index for index, _, _ in found]
    if indices != sorted(set(indices)):
        raise ProofError("the leaves of the proof are not in order, each once")
    return tuple(Leaf(index, leaf, tuple(path)) for index, leaf, path in found)
