"""The sealed log: append in one transaction, read in order. One algorithm, two databases.

An append locks the head row, gives the entries the next positions and times, inserts them, advances the tree and
the head, and commits: all or nothing. Dense positions come from the head row and never from a sequence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from typing import Any

import msgspec

from ledger.domain.instants import from_micros, micros
from ledger.errors import Altered, Conflict, Refused, Unavailable
from ledger.store.entry import (
    NewEntry,
    StoredEntry,
    decode_entry,
    decode_texts,
    encode_texts,
    frame,
)
from ledger.store.tree import HASH_BYTES, TILE, TILE_HEIGHT, Frontier, leaf_hash, root_at, subtree_root

__all__ = ["CLOCK_TOLERANCE_MICROS", "Appended", "Head", "Redaction", "SealedLog", "Sealed"]

CLOCK_TOLERANCE_MICROS = 5_000_000
CONTENT_CHUNK = 1 << 20
# Pieces that are hashed in one go: what is checked may be larger than memory.
_CHUNKS_AT_ONCE = 8
SCHEMA_FORMAT = 1
_COLUMNS = "position, stream, version, type, recorded_at, idempotency_key, entry, texts"


class Head(msgspec.Struct, frozen=True):
    """The head row: how many entries there are and what they hash to."""

    ledger: str
    format: int
    size: int
    root: bytes
    frontier: bytes
    last_recorded_at: str


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """One entry as it was sealed."""

    position: int
    recorded_at: str
    leaf: bytes


class Appended(msgspec.Struct, frozen=True):
    """What an append did: the entries in order, and the root right after the last."""

    entries: tuple[Sealed, ...]
    size: int
    root: bytes


class Redaction(msgspec.Struct, frozen=True):
    """Texts to empty: the entry by stream and version, and the paths of the texts."""

    stream: str
    version: int
    fields: tuple[str, ...]


class Unchanged(msgspec.Struct, frozen=True):
    """That no stream of these kinds has got an entry since the ledger had this size: what was decided rests on them."""

    size: int
    kinds: tuple[str, ...]


class SealedLog(ABC):
    """A ledger in one database. Subclasses know the database; what is sealed, and how, is here."""

    url: str
    # What it is called in sentences; a URL may hold a password.
    place = "the database"
    # Called right before each commit: from there on an interrupt must not make a command end without a word.
    before_commit: Callable[[], None] = staticmethod(lambda: None)
    # Whether a text was erased through this object.
    redacted = False
    # What stays of erased texts that no command of the ledger can drop: the end of a sentence, or nothing.
    beyond_erasure = ""

    @abstractmethod
    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Run one statement and return its cursor; errors become the ledger's."""

    @abstractmethod
    def _executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""

    @abstractmethod
    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the write transaction: commit at the end, roll back on any error."""
        yield

    @abstractmethod
    def _locked_head(self) -> Head:
        """Return the head row, locked until the transaction ends."""

    @abstractmethod
    def _reach(self) -> bool:
        """Open the place where a ledger is going to be, and make it where there is none; return whether it was made."""

    @abstractmethod
    def _holds_ledger(self) -> bool:
        """Tell, within a write transaction, whether there are tables of a ledger."""

    @abstractmethod
    def _make_tables(self, ledger: str) -> None:
        """Make the tables and the head row of an empty ledger, within a write transaction."""

    def _unmake(self) -> None:
        """Take away the place that was made for a ledger which then was not written."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection."""

    @abstractmethod
    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let everything read inside come from one state of the ledger."""
        yield

    def _mark_redaction(self) -> None:
        """Note, in the transaction that erases texts, that the database may hold copies of them."""

    def _after_redaction(self) -> None:
        """Drop what the database still holds of erased texts; Unavailable when it cannot."""

    def erasure_unfinished(self) -> bool:
        """Tell whether the database may still hold copies of erased texts that a later command can drop."""
        return False

    def finish_erasure(self) -> bool:
        """Drop, without waiting for anybody, what earlier redactions had to leave; return whether nothing is left."""
        return True

    # ---- reading -----------------------------------------------------------------------------------------

    def head(self) -> Head:
        """Return the head row."""
        row = self._execute(
            "SELECT ledger, format, size, root, frontier, last_recorded_at FROM ledger_head"
        ).fetchone()
        if row is None:
            raise Unavailable(
                f"{self.place} has no head row; it is not a ledger, or it was damaged: run ledger verify"
            )
        return self._head(row)

    @staticmethod
    def _head(row: Sequence[Any]) -> Head:
        if row[1] != SCHEMA_FORMAT:
            raise Unavailable(
                f"the ledger has format {row[1]}; this version reads format {SCHEMA_FORMAT}: update it"
            )
        return Head(row[0], row[1], row[2], bytes(row[3]), bytes(row[4]), row[5])

    def stream(self, stream: str, *, after: int = 0, upto: int | None = None) -> list[StoredEntry]:
        """Return the entries of a stream in version order, from version after + 1 to upto."""
        sql = f"SELECT {_COLUMNS} FROM ledger_entry WHERE stream = ? AND version > ?"
        parameters: list[Any] = [stream, after]
        if upto is not None:
            sql += " AND version <= ?"
            parameters.append(upto)
        return [_stored(row) for row in self._execute(sql + " ORDER BY version", parameters)]

    def entries(self, *, after: int = 0, upto: int | None = None, page: int = 2_000) -> Iterator[StoredEntry]:
        """Yield the entries in position order, a page at a time, so that memory stays flat."""
        for row in self.rows(after=after, upto=upto, page=page):
            yield _stored(row)

    def rows(
        self, *, after: int = 0, upto: int | None = None, page: int = 2_000
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows as the database gives them: the columns of StoredEntry as a tuple."""
        last = upto if upto is not None else (1 << 62)
        while True:
            found = self._execute(
                f"SELECT {_COLUMNS} FROM ledger_entry WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
                (after, last, page),
            ).fetchall()
            yield from found
            if len(found) < page:
                return
            after = found[-1][0]

    def rows_by_stream(self, kind: str, low: str = "", high: str | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the streams of a kind in order of stream and version, from key low up to but not high."""
        last = f"{kind}0" if high is None else f"{kind}/{high}"  # "0" follows "/" in ASCII
        stream, version, page = f"{kind}/{low}", 0, 2_000
        while True:
            found = self._execute(
                f"SELECT {_COLUMNS} FROM ledger_entry WHERE (stream, version) > (?, ?) AND stream < ?"
                " ORDER BY stream, version LIMIT ?",
                (stream, version, last, page),
            ).fetchall()
            yield from found
            if len(found) < page:
                return
            stream, version = found[-1][1], found[-1][2]

    def at(self, position: int) -> StoredEntry | None:
        """Return the entry at a position."""
        row = self._execute(f"SELECT {_COLUMNS} FROM ledger_entry WHERE position = ?", (position,)).fetchone()
        return None if row is None else _stored(row)

    def by_keys(self, keys: Sequence[str]) -> dict[str, StoredEntry]:
        """Return the entries that carry these idempotency keys."""
        found: dict[str, StoredEntry] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT {_COLUMNS} FROM ledger_entry WHERE idempotency_key IN ({marks})"
            for row in self._execute(sql, list(some)):
                found[row[5]] = _stored(row)
        return found

    def streams(self, prefix: str, limit: int = 1_000) -> list[str]:
        """Return the names of streams that start with a prefix, in order."""
        sql = "SELECT stream FROM ledger_entry WHERE version = 1 AND stream >= ? AND stream < ? ORDER BY stream LIMIT ?"
        return [row[0] for row in self._execute(sql, (prefix, prefix + "\x7f", limit))]

    def size_at(self, recorded_by: str) -> int:
        """Return how many entries were recorded by an instant, inclusive."""
        # recorded_at rises with position, so a binary search needs no index of its own.
        low, high = 0, self.head().size
        while low < high:
            middle = (low + high + 1) // 2
            entry = self.at(middle)
            if entry is None:
                raise Unavailable(f"position {middle} is missing; run ledger verify")
            if entry.recorded_at <= recorded_by:
                low = middle
            else:
                high = middle - 1
        return low

    def kept_bytes(self, digest: str) -> bytes | None:
        """Return what is kept under a digest, whatever it is, or None: for verification, which says what is wrong with it."""
        rows = self._execute(
            "SELECT bytes FROM ledger_content WHERE sha256 = ? ORDER BY chunk", (digest,)
        ).fetchall()
        return b"".join(bytes(row[0]) for row in rows) if rows else None

    def content(self, digest: str) -> bytes | None:
        """Return a table kept by digest, or None. Raises Altered where its bytes are no longer those of the digest."""
        content = self.kept_bytes(digest)
        if content is None:
            return None
        # Whatever is computed from a table names its digest, so it must not be computed from other bytes.
        if (found := sha256(content).hexdigest()) != digest:
            raise _altered(digest, found)
        return content

    def content_part(self, digest: str, start: int, stop: int) -> bytes:
        """Return the bytes from start up to but not stop of a table kept by digest; fewer where it is shorter."""
        first = start // CONTENT_CHUNK
        rows = self._execute(
            "SELECT bytes FROM ledger_content WHERE sha256 = ? AND chunk >= ? AND chunk <= ? ORDER BY chunk",
            (digest, first, max(first, (stop - 1) // CONTENT_CHUNK)),
        ).fetchall()
        offset = first * CONTENT_CHUNK
        return b"".join(bytes(row[0]) for row in rows)[start - offset : stop - offset]

    def check_content(self, digest: str) -> None:
        """Raise Altered where the bytes kept under a digest are no longer those of the digest; read piece by piece."""
        found, chunk = sha256(), 0
        while rows := self._execute(
            "SELECT bytes FROM ledger_content WHERE sha256 = ? AND chunk >= ? AND chunk < ? ORDER BY chunk",
            (digest, chunk, chunk + _CHUNKS_AT_ONCE),
        ).fetchall():
            for row in rows:
                found.update(bytes(row[0]))
            chunk += _CHUNKS_AT_ONCE
        if chunk and found.hexdigest() != digest:
            raise _altered(digest, found.hexdigest())

    def contents(self) -> list[str]:
        """Return the digests of the tables that are kept."""
        return [row[0] for row in self._execute("SELECT DISTINCT sha256 FROM ledger_content ORDER BY sha256")]

    def tiles(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Yield (level, index, root, hashes) of the stored tiles in order."""
        for row in self._execute("SELECT level, idx, root, hashes FROM ledger_tile ORDER BY level, idx"):
            yield row[0], row[1], bytes(row[2]), bytes(row[3])

    def root_at(self, size: int) -> bytes:
        """Return the root of the first `size` entries, from the tiles."""
        return root_at(size, self.node)

    def node(self, height: int, index: int) -> bytes:
        """Return the root of the complete subtree of 2**height entries that starts at leaf index << height."""
        level, rest = divmod(height, TILE_HEIGHT)
        if level and not rest:
            return self._roots(level - 1, index, 1)[0]
        first, count = index << rest, 1 << rest
        row = self._execute(
            "SELECT hashes FROM ledger_tile WHERE level = ? AND idx = ?", (level, first >> TILE_HEIGHT)
        ).fetchone()
        if row is not None:
            start = first % TILE * HASH_BYTES
            packed = bytes(row[0])[start : start + count * HASH_BYTES]
            hashes = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
        elif level:
            hashes = self._roots(level - 1, first, count)
        else:
            hashes = self._leaves(first, count)
        return subtree_root(hashes)

    def _roots(self, level: int, first: int, count: int) -> list[bytes]:
        rows = self._execute(
            "SELECT root FROM ledger_tile WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx",
            (level, first, first + count),
        ).fetchall()
        if len(rows) != count:
            raise Unavailable(
                f"the tree has {len(rows)} of {count} tiles at level {level}; run ledger verify"
            )
        return [bytes(row[0]) for row in rows]

    def _leaves(self, first: int, count: int) -> list[bytes]:
        rows = self._execute(
            "SELECT entry FROM ledger_entry WHERE position > ? AND position <= ? ORDER BY position",
            (first, first + count),
        ).fetchall()
        if len(rows) != count:
            raise Unavailable(
                f"{count - len(rows)} entries are missing after position {first}; run ledger verify"
            )
        return [leaf_hash(bytes(row[0])) for row in rows]

    # ---- writing -----------------------------------------------------------------------------------------

    def create(self, ledger: str) -> Head:
        """Create the tables and the head row of an empty ledger; Refused when there is one."""
        self._reach()
        with self._writing():
            if self._holds_ledger():
                raise Refused(
                    f"{self.place} already holds a ledger ({self.head().ledger}); choose another place"
                )
            self._make_tables(ledger)
        return self.head()

    def restore(
        self, ledger: str, entries: Iterable[tuple[bytes, bytes]], contents: Iterable[tuple[str, bytes]], root: bytes
    ) -> Head:  # fmt: skip
        """Write a ledger as it was elsewhere, in one transaction: where there is none, or an empty one.

        entries: the bytes and the texts of each, in order and verified before; contents: its tables by digest. Raises Refused
        where there are entries already, or where these do not hash to the root.
        """
        made = self._reach()
        try:
            with self._writing():
                if not self._holds_ledger():
                    self._make_tables(ledger)
                elif (head := self._locked_head()).size:
                    raise Refused(
                        f"{self.place} already holds the {head.size} entries of {head.ledger}; choose an empty place"
                    )
                self._restore(ledger, entries, contents, root)
        except BaseException as error:
            if made:
                self._unmake()
            if isinstance(error, Conflict):
                raise Refused(
                    "two of the entries carry the same idempotency key; nothing was stored"
                ) from None
            raise
        return self.head()

    def _restore(
        self, ledger: str, entries: Iterable[tuple[bytes, bytes]], contents: Iterable[tuple[str, bytes]], root: bytes
    ) -> None:  # fmt: skip
        frontier, last = Frontier(), ""
        waiting = iter(entries)
        # Whole tiles at a time, so that none is left open in between.
        while some := list(islice(waiting, 8 * TILE)):
            rows = []
            for entry, texts in some:
                at, _ = decode_entry(entry)
                rows.append(
                    (
                        at.position,
                        at.stream,
                        at.version,
                        at.type,
                        at.recorded_at,
                        at.idempotency_key,
                        entry,
                        texts,
                    )
                )
                last = at.recorded_at
            self._executemany(f"INSERT INTO ledger_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            leaves = [leaf_hash(entry) for entry, _ in some]
            self._seal_tiles(frontier.size, leaves)
            for leaf in leaves:
                frontier.add(leaf)
        for digest, content in contents:
            self._keep(digest, content)
        if frontier.root() != root:
            raise Refused(
                f"the entries hash to the root {frontier.root().hex()} and should hash to {root.hex()}; nothing was stored"
            )
        self._execute(
            "UPDATE ledger_head SET ledger = ?, size = ?, root = ?, frontier = ?, last_recorded_at = ?",
            (ledger, frontier.size, root, frontier.pack(), last),
        )

    def append(
        self,
        new: Sequence[NewEntry],
        *,
        clock_micros: int,
        accept_clock: bool = False,
        contents: Sequence[tuple[str, bytes]] = (),
        redactions: Sequence[Redaction] = (),
        unchanged: Unchanged | None = None,
    ) -> Appended:
        """Seal entries in one transaction.

        clock_micros: the present, microseconds since 1970. unchanged: what else must not have moved on. Raises Conflict
        when it has, when a stream of the entries has, or when an idempotency key is taken, Unavailable when the clock is more than five seconds behind the last entry.
        """
        with self._writing():
            head = self._locked_head()
            if unchanged is not None:
                self._check_unchanged(unchanged)
            last = micros(head.last_recorded_at) if head.last_recorded_at else 0
            behind = clock_micros < last - CLOCK_TOLERANCE_MICROS
            if behind and not accept_clock:
                raise Unavailable(
                    f"the clock says {from_micros(clock_micros)}, but the last entry was recorded at "
                    f"{head.last_recorded_at}; set the clock right, or pass --accept-clock to record right after it"
                )
            moment = last if behind else max(clock_micros - 1, last)
            frontier = Frontier(head.size, head.frontier)
            position, ledger = head.size, head.ledger
            rows, sealed = [], []
            recorded_at = head.last_recorded_at
            for entry in new:
                position += 1
                moment += 1
                recorded_at = from_micros(moment)
                framed = frame(
                    entry, ledger=ledger, position=position, recorded_at=recorded_at, clock_behind=behind
                )
                leaf = leaf_hash(framed)
                frontier.add(leaf)
                sealed.append(Sealed(position, recorded_at, leaf))
                rows.append(
                    (position, entry.stream, entry.version, entry.type, recorded_at, entry.idempotency_key, framed,
                     entry.texts)
                )  # fmt: skip
            if rows:
                self._executemany(
                    f"INSERT INTO ledger_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
                )
            self._seal_tiles(head.size, [one.leaf for one in sealed])
            for digest, content in contents:
                self._keep(digest, content)
            for redaction in redactions:
                self._erase(redaction)
            if redactions:
                self._mark_redaction()
            root = frontier.root()
            self._execute(
                "UPDATE ledger_head SET size = ?, root = ?, frontier = ?, last_recorded_at = ?",
                (position, root, frontier.pack(), recorded_at),
            )
        if redactions:
            self.redacted = True
            self._after_redaction()
        else:
            self.finish_erasure()
        return Appended(tuple(sealed), position, root)

    def _check_unchanged(self, unchanged: Unchanged) -> None:
        for (stream,) in self._execute(
            "SELECT stream FROM ledger_entry WHERE position > ? ORDER BY position", (unchanged.size,)
        ):
            if stream.partition("/")[0] in unchanged.kinds:
                raise Conflict(f"somebody else appended to {stream} in the meantime; read again and retry")

    def _seal_tiles(self, size: int, leaves: Sequence[bytes]) -> None:
        """Store every tile that the new leaves complete, level by level."""
        if (size + len(leaves)) // TILE == size // TILE:
            return
        known = size % TILE
        hashes = [*self._leaves(size - known, known), *leaves] if known else list(leaves)
        level, first = 0, size // TILE
        while True:
            tiles = []
            for index in range(len(hashes) // TILE):
                run = hashes[index * TILE : (index + 1) * TILE]
                tiles.append((level, first + index, subtree_root(run), b"".join(run)))
            if not tiles:
                return
            self._executemany("INSERT INTO ledger_tile (level, idx, root, hashes) VALUES (?, ?, ?, ?)", tiles)
            before = first % TILE
            hashes = [*self._roots(level, first - before, before), *(tile[2] for tile in tiles)]
            level, first = level + 1, first // TILE

    def _keep(self, digest: str, content: bytes) -> None:
        if self._execute("SELECT 1 FROM ledger_content WHERE sha256 = ? LIMIT 1", (digest,)).fetchone():
            return
        chunks = range(0, max(len(content), 1), CONTENT_CHUNK)
        self._executemany(
            "INSERT INTO ledger_content (sha256, chunk, bytes) VALUES (?, ?, ?)",
            [(digest, number, content[at : at + CONTENT_CHUNK]) for number, at in enumerate(chunks)],
        )

    def _erase(self, redaction: Redaction) -> None:
        where = (redaction.stream, redaction.version)
        row = self._execute(
            "SELECT texts FROM ledger_entry WHERE stream = ? AND version = ?", where
        ).fetchone()
        if row is None:
            raise Refused(
                f"{redaction.stream} v{redaction.version} does not exist; there is nothing to erase"
            )
        kept = {
            path: text for path, text in decode_texts(bytes(row[0])).items() if path not in redaction.fields
        }
        self._execute(
            "UPDATE ledger_entry SET texts = ? WHERE stream = ? AND version = ?", (encode_texts(kept), *where)
        )


def _stored(row: Sequence[Any]) -> StoredEntry:
    return StoredEntry(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6]), bytes(row[7]))


def _altered(digest: str, found: str) -> Altered:
    return Altered(
        f"the table kept as {digest} was altered: its bytes hash to {found}; run ledger verify, and bring back the ledger "
        "from a copy"
    )
