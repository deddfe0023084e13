"""What a bundle is (docs/bundle-format.md): its members, its manifest, and what it proves and what not.

Here is what making and checking share: the outline, which follows from the entries, their texts and the tables. The
verifier of one file, `tools/verify_bundle.py`, shares none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from ledger.proof.checkpoint import Checkpoint

__all__ = [
    "ALL", "CHECKPOINT", "ENTRIES", "FORMAT", "FORMATS", "MANIFEST", "NOT_PROVEN", "OPTIONAL_TEXTS", "PAGE", "PROOFS", "PROVEN",
    "STATEMENT", "SUBSCRIPTIONS", "TABLES", "TEXTS", "Outline", "Scope", "commitments", "described", "is_left_out", "member_names",
    "sentences",
    "redactions", "statement_text", "table_references",
]  # fmt: skip

FORMAT = "incident-sla-ledger/bundle@v2"
PAGE, CHECKPOINT, ENTRIES, TEXTS, PROOFS, SUBSCRIPTIONS, TABLES, MANIFEST, STATEMENT = (
    "page.html", "checkpoint.note", "entries.jsonl", "texts.jsonl", "proofs.jsonl", "subscriptions.json", "tables/",
    "manifest.json", "statement.note",
)  # fmt: skip
# By format the texts that are only put in where somebody asks for them: who, and what was never meant for the public. Each
# has the word by which it is asked for. Format 1 had the names of those who approved in every bundle.
FORMATS = {
    "incident-sla-ledger/bundle@v1": {"actor": "actor", "note": "note"},
    FORMAT: {"actor": "actor", "approved_by": "actor", "note": "note"},
}
OPTIONAL_TEXTS = ("actor", "note")
PROVEN = {
    "entries": "Each entry here is in the ledger, at its position, as the ledger stood at the checkpoint.",
    "texts": "Each text here is the one that was recorded.",
    "whole": "No entry up to the checkpoint is missing.",
    "streams": "No version of a stream is missing up to where it is complete, except those named as left out.",
}
NOT_PROVEN = {
    "after": "What was recorded after the checkpoint.",
    "truth": "Whether what was recorded is true; actors are claims.",
    "page": "What page.html and subscriptions.json say: those are the words of whoever made the bundle.",
    "others": "What the streams say that are not here.",
    "later-versions": "Whether a stream has further versions between where it is complete and the checkpoint.",
    "left-out-versions": "What the entries say that were left out.",
    "left-out-texts": "Who the actors are, who approved, and what the notes say, where they were left out.",
    "gone-texts": "Why the texts are gone that no entry here says were erased.",
    "left-out-tables": "What the tables say that were left out.",
}
_TABLE = re.compile(
    rb'\{(?:"format":"[a-z]+","rows":[0-9]+|"assessments":[0-9]+,"lines":[0-9]+,"root":"[0-9a-f]{64}"),'
    rb'"sha256":"([0-9a-f]{64})"\}'
)


def described(counted: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a bundle to programs: what was counted, the manifest, and its words with their sentences."""
    kept = {
        name: value for name, value in manifest.items() if name not in ("members", "proves", "does_not_prove")
    }
    return {**counted, **kept, **sentences(manifest)}


def sentences(manifest: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what a bundle proves and what not, each word of its manifest with its sentence, the weightiest first."""
    known = {"proves": PROVEN, "does_not_prove": NOT_PROVEN}
    return {
        name: {word: words[word] for word in words if word in manifest[name]} for name, words in known.items()
    }


class Scope(NamedTuple):
    """What a bundle is of: the whole ledger, one incident, or one customer. key: the incident's key, the customer's id."""

    kind: Literal["all", "incident", "customer"]
    key: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is of the whole ledger, whose entries prove themselves by their number and root."""
        return self.kind == "all"

    def as_json(self) -> dict[str, str]:
        """Return it as the manifest says it."""
        return {"kind": self.kind, **({} if self.whole else {self.kind: self.key})}


ALL = Scope("all")


def member_names(scope: Scope, tables: Sequence[str]) -> list[str]:
    """Return the names of all members in order. tables: the digests of those that are in the bundle, sorted."""
    return [
        CHECKPOINT, ENTRIES, TEXTS,
        *([] if scope.whole else [PROOFS]),
        *([SUBSCRIPTIONS] if scope.kind == "customer" else []),
        *(TABLES + digest for digest in tables),
        PAGE, MANIFEST, STATEMENT,
    ]  # fmt: skip


def statement_text(ledger: str, digest: str, format_: str = FORMAT) -> str:
    """Return the text that whoever makes a bundle signs. digest: SHA-256 of the manifest, in hexadecimal; format_: of the bundle."""
    return f"{format_}\nmanifest {digest}\n{ledger}\n"


def commitments(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and the digest of each commitment in the data of an entry."""
    for prefix, values in (("", data), ("set.", data.get("set"))):
        if type(values) is dict:
            for name, value in values.items():
                if type(value) is dict and value.keys() == {"sha256"} and prefix + name != "set":
                    yield prefix + name, value["sha256"]


def is_left_out(path: str, with_: Iterable[str], format_: str = FORMAT) -> bool:
    """Tell whether a text is of a kind that a bundle of a format leaves out. with_: what was asked for."""
    word = FORMATS[format_].get(path.rpartition(".")[2])
    return word is not None and word not in with_


def redactions(header: dict[str, Any], data: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Yield stream, version and path of each text that an entry says was erased; nothing for other entries."""
    fields, version = data.get("fields"), data.get("entry")
    if header.get("type") == "entry.redacted" and type(fields) is list and type(version) is int:
        for field in fields:
            if type(field) is str:
                yield header["stream"], version, field


def table_references(entry: bytes) -> list[str]:
    """Return the digests of the tables that an entry refers to and that are kept with the ledger."""
    # In canonical JSON there is one spelling of such an object, and none of it can stand within a text.
    return [digest.decode() for digest in _TABLE.findall(entry)]


class Outline:
    """What a bundle says of itself, as it follows from its entries taken in one after the other.

    erased: the texts that entries of the bundle say were erased. Memory stays flat for the whole ledger; otherwise it
    grows with the entries that are in the bundle.
    """

    def __init__(
        self,
        scope: Scope,
        with_: Sequence[str],
        erased: Iterable[tuple[str, int, str]],
        format_: str = FORMAT,
    ) -> None:
        self.scope = scope
        self.format = format_
        self.with_ = tuple(sorted(with_))
        self.erased = frozenset(erased)
        self.entries = 0
        self.texts_here = self.texts_erased = self.texts_left_out = 0
        self.gone: list[tuple[int, str]] = []
        self.referenced: set[str] = set()
        # By stream: the versions that are here, and where the last one stands.
        self.streams: dict[str, tuple[list[int], int]] = {}
        self.positions: set[int] = set()

    def expects(self, stream: str, version: int, path: str) -> Literal["erased", "left out", "here"]:
        """Return what a text of an entry has to be."""
        if (stream, version, path) in self.erased:
            return "erased"
        return "left out" if is_left_out(path, self.with_, self.format) else "here"

    def take(self, entry: bytes, header: dict[str, Any], data: dict[str, Any], texts: dict[str, Any]) -> None:
        """Take in an entry, as bytes and as what they say, and the texts of it that are in the bundle."""
        position, stream, version = header["position"], header["stream"], header["version"]
        self.entries += 1
        self.texts_here += len(texts)
        for path, _ in commitments(data):
            if path in texts:
                continue
            match self.expects(stream, version, path):
                case "erased":
                    self.texts_erased += 1
                case "left out":
                    self.texts_left_out += 1
                case _:
                    self.gone.append((position, path))
        self.referenced.update(table_references(entry))
        if not self.scope.whole:
            versions, _ = self.streams.get(stream, ([], 0))
            versions.append(version)
            self.streams[stream] = (versions, position)
            self.positions.add(position)

    def complete_through(self, stream: str) -> int:
        """Return up to which position a stream of the bundle has no versions but those that it says."""
        last = self.streams[stream][1]
        while last + 1 in self.positions:
            last += 1
        return last

    def manifest(
        self, checkpoint: Checkpoint, tables: Sequence[str], left_out: dict[str, list[int]], members: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:  # fmt: skip
        """Return the manifest. tables: digests that are here; left_out: by stream the versions that are not."""
        streams: list[dict[str, Any]] = [
            {
                "stream": stream,
                "versions": max([*versions, *left_out.get(stream, [])]),
                "left_out": sorted(left_out.get(stream, [])),
                "complete_through": self.complete_through(stream),
            }
            for stream, (versions, _) in sorted(self.streams.items())
        ]
        partial = not self.scope.whole
        proves = {"entries": True, "texts": True, "whole": not partial, "streams": partial}
        lacks = {
            "after": True,
            "truth": True,
            "page": True,
            "others": partial,
            "later-versions": any(one["complete_through"] < checkpoint.size for one in streams),
            "left-out-versions": any(one["left_out"] for one in streams),
            "left-out-texts": self.texts_left_out > 0,
            "gone-texts": bool(self.gone),
            "left-out-tables": bool(self.referenced - set(tables)),
        }
        return {
            "format": self.format,
            "scope": self.scope.as_json(),
            "with": list(self.with_),
            "streams": streams if partial else None,
            "proves": sorted(word for word, so in proves.items() if so),
            "does_not_prove": sorted(word for word, so in lacks.items() if so),
            "members": list(members),
        }

    def counted(self, checkpoint: Checkpoint, tables: Sequence[str]) -> dict[str, Any]:
        """Return what a report says beside the manifest. tables: digests that are here."""
        return {
            "ledger": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "entries": self.entries,
            "texts": {
                "here": self.texts_here,
                "left_out": self.texts_left_out,
                "erased": self.texts_erased,
                "gone": [list(one) for one in sorted(self.gone)],
            },
            "tables": {"here": sorted(tables), "left_out": sorted(self.referenced - set(tables))},
        }
