"""Making a bundle out of a ledger, by docs/bundle-format.md."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

import msgspec

from ledger.errors import Unavailable
from ledger.proof.bundle import (
    CHECKPOINT,
    ENTRIES,
    MANIFEST,
    PAGE,
    PROOFS,
    STATEMENT,
    SUBSCRIPTIONS,
    TABLES,
    TEXTS,
    Outline,
    Scope,
    described,
    is_left_out,
    redactions,
    statement_text,
    table_references,
)  # fmt: skip
from ledger.proof.canonical import canonical
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.container import write_members
from ledger.store.entry import StoredEntry, decode_texts, encode_texts, split_entry
from ledger.store.log import SealedLog
from ledger.store.proofs import inclusion_path

__all__ = ["Contents", "kept_texts", "write_bundle"]


class Contents(NamedTuple):
    """What goes into a bundle. positions: of the entries, rising; None for all of them.

    left_out: by stream the versions that are not put in. with_tables: whether the tables that the entries refer to are.
    page: makes the HTML, given what was counted and the manifest without members. subscriptions: rows of a customer, for the scope customer only.
    """

    scope: Scope
    positions: Sequence[int] | None
    with_: tuple[str, ...]
    left_out: dict[str, list[int]]
    with_tables: Callable[[StoredEntry], bool]
    page: Callable[[dict[str, Any], dict[str, Any]], bytes]
    subscriptions: list[dict[str, Any]] | None = None


def kept_texts(stored: StoredEntry, with_: Sequence[str]) -> StoredEntry:
    """Return an entry with those of its texts that a bundle holds."""
    texts = decode_texts(stored.texts)
    kept = {path: text for path, text in texts.items() if not is_left_out(path, with_)}
    return stored if len(kept) == len(texts) else msgspec.structs.replace(stored, texts=encode_texts(kept))


def write_bundle(
    file: BinaryIO, log: SealedLog, contents: Contents, checkpoint: Checkpoint, note: bytes, sign: Callable[[str], bytes]
) -> dict[str, Any]:  # fmt: skip
    """Write a bundle of the ledger as it was at a checkpoint into an empty file, and return what is said of it.

    note: the checkpoint's file. sign: gives the file of the statement for its text. What is written is a function of the
    ledger and of the arguments alone. Raises Refused where the bundle gets too large, Unavailable where a table that has to
    be in it is not kept.
    """
    made = _Making(log, contents, checkpoint)
    write_members(file, made.members(note, sign))
    return described(made.counted, made.manifest)


class _Nodes:
    """The nodes of the stored tree, each computed once: proofs of one tree share most of theirs."""

    def __init__(self, log: SealedLog) -> None:
        self.node = lru_cache(100_000)(log.node)


class _Making:
    def __init__(self, log: SealedLog, contents: Contents, checkpoint: Checkpoint) -> None:
        self.log = log
        self.contents = contents
        self.checkpoint = checkpoint
        self.erased: set[tuple[str, int, str]] = set()
        self.tables: set[str] = set()
        self.described: list[dict[str, Any]] = []
        self.manifest: dict[str, Any] = {}
        self.counted: dict[str, Any] = {}

    def members(self, note: bytes, sign: Callable[[str], bytes]) -> Iterator[tuple[str, Iterable[bytes]]]:
        contents = self.contents
        outline = Outline(contents.scope, contents.with_, ())
        yield self._described(CHECKPOINT, [note])
        yield self._described(ENTRIES, self._entry_lines())
        # Which texts were erased is known once all entries have gone by.
        outline.erased = frozenset(self.erased)
        yield self._described(TEXTS, self._text_lines(outline))
        if contents.positions is not None:
            yield self._described(PROOFS, self._proof_lines(contents.positions))
        if contents.subscriptions is not None:
            yield self._described(SUBSCRIPTIONS, [canonical(contents.subscriptions)])
        tables = sorted(self.tables)
        for digest in tables:
            yield self._described(TABLES + digest, [self._table(digest)])
        self.manifest = outline.manifest(self.checkpoint, tables, contents.left_out, self.described)
        self.counted = outline.counted(self.checkpoint, tables)
        yield self._described(PAGE, [contents.page(self.counted, self.manifest)])
        self.manifest["members"] = self.described
        encoded = canonical(self.manifest)
        yield MANIFEST, [encoded]
        yield STATEMENT, [sign(statement_text(self.checkpoint.origin, sha256(encoded).hexdigest()))]

    def _described(self, name: str, pieces: Iterable[bytes]) -> tuple[str, Iterable[bytes]]:
        """Let the pieces of a member go by, and describe it for the manifest once they have."""

        def going_by() -> Iterator[bytes]:
            made, length = sha256(), 0
            for piece in pieces:
                made.update(piece)
                length += len(piece)
                yield piece
            self.described.append({"name": name, "bytes": length, "sha256": made.hexdigest()})

        return name, going_by()

    def _stored(self) -> Iterator[StoredEntry]:
        positions = self.contents.positions
        if positions is None:
            yield from self.log.entries(upto=self.checkpoint.size)
            return
        for position in positions:
            stored = self.log.at(position)
            if stored is None:
                raise Unavailable(f"entry @{position} is not there; run ledger verify")
            yield stored

    def _entry_lines(self) -> Iterator[bytes]:
        for stored in self._stored():
            if stored.type == "entry.redacted":
                self.erased.update(
                    redactions(_header(stored), msgspec.json.decode(split_entry(stored.entry)))
                )
            if self.contents.with_tables(stored):
                self.tables.update(table_references(stored.entry))
            yield stored.entry + b"\n"

    def _text_lines(self, outline: Outline) -> Iterator[bytes]:
        for stored in self._stored():
            texts = kept_texts(stored, self.contents.with_).texts
            outline.take(
                stored.entry,
                _header(stored),
                msgspec.json.decode(split_entry(stored.entry)),
                decode_texts(texts),
            )
            yield texts + b"\n"

    def _proof_lines(self, positions: Sequence[int]) -> Iterator[bytes]:
        nodes = _Nodes(self.log)
        for position in positions:
            path = inclusion_path(nodes, position, self.checkpoint.size)
            yield canonical([b64encode(one).decode("ascii") for one in path]) + b"\n"

    def _table(self, digest: str) -> bytes:
        content = self.log.content(digest)
        if content is None:
            raise Unavailable(f"the table {digest} was published and is not kept; run ledger verify")
        return content


def _header(stored: StoredEntry) -> dict[str, Any]:
    return {
        "position": stored.position,
        "stream": stored.stream,
        "version": stored.version,
        "type": stored.type,
    }
