"""Verify: re-read everything and name whatever is wrong, by position and kind.

It works on bytes, hashes and JSON alone and shares no rule with the code that appends: no event class is imported.
Checked are the entries (canonical bytes, header against columns, dense positions and versions, rising times), the
texts against their commitments, the tree and the head recomputed from the entries, and the tables kept by digest.

What it cannot see from inside: a tail cut off together with a head row, tiles and tree made to match. What is left is
a smaller ledger that is whole in itself; only a size and root kept elsewhere tells it from the one there was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.store.tree import EMPTY_ROOT, HASH_BYTES, TILE, Frontier, subtree_root

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["Problem", "Report", "verify"]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_FORMATS = (1,)
_HEADER = frozenset(
    (
        "clock_behind",
        "format",
        "idempotency_key",
        "ledger",
        "position",
        "recorded_at",
        "stream",
        "type",
        "version",
    )
)
# More problems than this tell nobody anything new.
_MOST_PROBLEMS = 10_000


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; position is None for what belongs to no single entry."""

    position: int | None
    kind: str
    detail: str


class Report(msgspec.Struct, frozen=True):
    """What was verified. size and root are recomputed from the entries, not read from the head."""

    ok: bool
    size: int
    root: str
    problems: tuple[Problem, ...]
    erased: int
    contents: int

    @property
    def empty(self) -> bool:
        """Whether there was nothing to verify."""
        return self.size == 0 and not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs (contract in docs/json.md)."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def verify(log: SealedLog) -> Report:
    """Re-read the whole ledger in one consistent state and report on it. Memory stays flat."""
    with log.snapshot(), _damaged_text_readable(log):
        return _Verification(log).run()


@contextmanager
def _damaged_text_readable(log: SealedLog) -> Iterator[None]:
    """Let SQLite give text that is not UTF-8 with its bytes spelled out, where it would raise."""
    # Only SQLite's connections have it, and no driver is imported here to ask.
    connection: Any = log._connection() if hasattr(log, "_connection") else None  # noqa: SLF001
    if not hasattr(connection, "text_factory"):
        yield
        return
    before, connection.text_factory = connection.text_factory, _spelled_out
    try:
        yield
    finally:
        connection.text_factory = before


def _spelled_out(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _bytes(value: Any) -> bytes:
    """Return the bytes of a column; a value of another type stands for none, and fits no hash but that of nothing."""
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""


class _Verification:
    def __init__(self, log: SealedLog) -> None:
        self.log = log
        self.problems: list[Problem] = []
        self.frontier = Frontier()
        # texts that are gone -> where; and what redactions say is gone
        self.gone: dict[tuple[str, int, str], int] = {}
        self.redacted: dict[tuple[str, int, str], int] = {}
        self.wanted: dict[str, int] = {}
        self.tiles: list[list[bytes]] = [[]]
        self.erased = 0
        self.last_time = ""
        # how many tiles each level has so far
        self.count: dict[int, int] = {}

    def say(self, position: int | None, kind: str, detail: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(position, kind, detail))

    def run(self) -> Report:
        head = self._head()
        self._entries(None if head is None else head[0])
        self._versions()
        self._texts_gone()
        self._tiles()
        contents = self._contents()
        root = self.frontier.root()
        if head is not None:
            self._check_head(head, root)
        problems = sorted(self.problems, key=lambda one: (one.position is None, one.position or 0))
        return Report(not problems, self.frontier.size, root.hex(), tuple(problems), self.erased, contents)

    def _head(self) -> tuple[Any, ...] | None:
        rows = self.log._execute(  # noqa: SLF001  # the verifier reads rows as they are, without the log's checks
            "SELECT ledger, format, size, root, frontier, last_recorded_at FROM ledger_head"
        ).fetchall()
        if len(rows) != 1:
            self.say(None, "head-missing", f"the head has {len(rows)} rows, expected 1")
            return None
        return tuple(rows[0])

    def _entries(self, ledger: str | None) -> None:
        decode, encode, fullmatch = msgspec.json.decode, msgspec.json.encode, _INSTANT.fullmatch
        expected, last_time = 0, ""
        leaves = self.tiles[0]
        add = self.frontier.add
        for position, stream, version, type_, recorded_at, key, raw, texts in self.log.rows():
            expected += 1
            if position != expected:
                self.say(expected, "position-missing", f"expected position {expected}, found {position}")
                expected = position
            entry = raw if type(raw) is bytes else _bytes(raw)
            leaf = sha256(b"\x00" + entry).digest()
            add(leaf)
            leaves.append(leaf)
            if len(leaves) == TILE:
                self._sealed(0)
                leaves = self.tiles[0]
            try:
                found = decode(entry)
                header, data = found["header"], found["data"]
                canonical = encode(found, order="sorted") == entry and len(found) == 2
                if type(header) is not dict or type(data) is not dict:
                    raise TypeError("header and data are not both objects")
                same = (
                    header["position"] == position
                    and header["stream"] == stream
                    and header["version"] == version
                    and header["type"] == type_
                    and header["recorded_at"] == recorded_at
                    and header.get("idempotency_key") == key
                    and header["ledger"] == ledger
                    and header["format"] in _FORMATS
                )
            except (
                msgspec.MsgspecError,
                KeyError,
                TypeError,
                AttributeError,
                ValueError,
                UnicodeError,
                RecursionError,
            ) as error:
                self.say(position, "unreadable", f"the entry is not readable: {type(error).__name__} {error}")
                continue
            if not canonical:
                self.say(
                    position, "not-canonical", "the entry bytes are not the canonical JSON of what they say"
                )
            if not same or not header.keys() <= _HEADER:
                self._explain(position, stream, version, type_, recorded_at, key, ledger, header)
            if type(recorded_at) is not str or not recorded_at > last_time or not fullmatch(recorded_at):
                self.say(
                    position, "time-not-increasing", f"recorded_at {recorded_at} does not follow {last_time}"
                )
            last_time = str(recorded_at)
            self._check_texts(position, str(stream), version, data, texts)
            if type_ == "entry.redacted":
                self._note_redaction(position, str(stream), data)
            if "table" in data or "series" in data or "terms" in data:
                self._note_content(position, data)
        self.last_time = last_time
        [[rows]] = self.log._execute("SELECT count(*) FROM ledger_entry").fetchall()  # noqa: SLF001
        if rows != self.frontier.size:
            self.say(
                None,
                "position-unexpected",
                f"{rows - self.frontier.size} entries stand outside the positions",
            )

    def _explain(
        self,
        position: int,
        stream: Any,
        version: Any,
        type_: Any,
        recorded_at: Any,
        key: Any,
        ledger: Any,
        header: Any,
    ) -> None:
        columns = {"position": position, "stream": stream, "version": version, "type": type_,
                   "recorded_at": recorded_at, "idempotency_key": key, "ledger": ledger}  # fmt: skip
        for name, value in columns.items():
            if header.get(name) != value:
                kind = "ledger-differs" if name == "ledger" else "column-differs"
                self.say(
                    position, kind, f"{name}: the entry says {header.get(name)!r}, the row says {value!r}"
                )
        if header.get("format") not in _FORMATS:
            self.say(position, "format-unknown", f"format {header.get('format')!r} is not one of {_FORMATS}")
        for name in header.keys() - _HEADER:
            self.say(position, "header-unknown", f"the header has the unknown field {name!r}")

    def _check_texts(self, position: int, stream: str, version: int, data: dict[str, Any], raw: Any) -> None:
        given = raw if type(raw) is bytes else _bytes(raw)
        try:
            texts = msgspec.json.decode(given)
            if type(texts) is not dict:
                raise msgspec.ValidationError("they are not an object")
            if msgspec.json.encode(texts, order="sorted") != given:
                self.say(
                    position, "texts-not-canonical", "the texts are not the canonical JSON of what they say"
                )
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            self.say(position, "texts-unreadable", f"the texts are not readable: {error}")
            return
        left = len(texts)
        for name, value in data.items():
            if type(value) is not dict:
                continue
            # A correction's `set` holds commitments one level down.
            pairs = (
                ((name, value),) if name != "set" else tuple((f"set.{at}", one) for at, one in value.items())
            )
            for path, one in pairs:
                if type(one) is not dict or len(one) != 1 or "sha256" not in one:
                    continue
                if path not in texts:
                    self.gone[(stream, version, path)] = position
                    continue
                left -= 1
                text = texts[path]
                try:
                    salt, words = text
                    fits = (
                        sha256(bytes.fromhex(salt) + words.encode()).hexdigest() == one["sha256"]
                        and type(text) is list
                        and len(salt) == 32
                        and salt == salt.lower()
                    )
                except (ValueError, TypeError, AttributeError):
                    fits = False
                if not fits:
                    self.say(
                        position,
                        "text-differs",
                        f"{path}: the text does not fit its commitment {one['sha256']}",
                    )
        if left:
            paths = {path for path, _ in _commitments(data)}
            for path in sorted(set(texts) - paths):
                self.say(
                    position, "text-unexpected", f"{path}: there is a text, but the entry commits to none"
                )

    def _note_redaction(self, position: int, stream: str, data: dict[str, Any]) -> None:
        fields, version = data.get("fields"), data.get("entry")
        if type(fields) is not list or type(version) is not int:
            self.say(position, "redaction-unreadable", f"entry {version!r}, fields {fields!r}")
            return
        for field in fields:
            self.redacted[(stream, version, str(field))] = position

    def _note_content(self, position: int, data: dict[str, Any]) -> None:
        for name in ("table", "series"):
            table = data.get(name)
            if type(table) is dict and "location" not in table:
                self.wanted.setdefault(str(table.get("sha256")), position)
        terms = data.get("terms")
        if type(terms) is str and sha256(terms.encode()).hexdigest() != data.get("sha256"):
            self.say(position, "terms-differ", f"the terms do not hash to sha256 {data.get('sha256')!r}")

    def _versions(self) -> None:
        rows = self.log._execute(  # noqa: SLF001
            "SELECT stream, count(*), min(version), max(version) FROM ledger_entry GROUP BY stream"
            " HAVING min(version) <> 1 OR max(version) <> count(*)"
        )
        for stream, count, least, most in rows.fetchall():
            self.say(None, "version-gap", f"{stream} has {count} entries with versions {least} to {most}")

    def _texts_gone(self) -> None:
        for place, position in self.gone.items():
            if place in self.redacted:
                self.erased += 1
            else:
                self.say(
                    position, "text-missing", f"{place[2]}: the text is gone and no entry says it was erased"
                )
        for place, position in self.redacted.items():
            if place not in self.gone:
                stream, version, path = place
                self.say(
                    position, "text-not-erased", f"{path} of {stream} v{version} should be erased and is not"
                )

    def _sealed(self, level: int) -> None:
        """Turn a full run of hashes into a tile, and compare the stored one."""
        run = self.tiles[level]
        self.tiles[level] = []
        index = self.count.get(level, 0)
        self.count[level] = index + 1
        root = subtree_root(run)
        row = self.log._execute(  # noqa: SLF001
            "SELECT root, hashes FROM ledger_tile WHERE level = ? AND idx = ?", (level, index)
        ).fetchone()
        last = (index + 1) * TILE ** (level + 1)
        if row is None:
            self.say(last, "tile-missing", f"tile {index} of level {level} is missing")
        elif _bytes(row[0]) != root or _bytes(row[1]) != b"".join(run):
            bad = next(
                (
                    at
                    for at in range(TILE)
                    if _bytes(row[1])[at * HASH_BYTES : (at + 1) * HASH_BYTES] != run[at]
                ),
                0,
            )
            where = (index * TILE + bad) * TILE**level + 1
            self.say(
                where,
                "tile-differs",
                f"tile {index} of level {level} does not hash the entries it stands for",
            )
        if len(self.tiles) == level + 1:
            self.tiles.append([])
        self.tiles[level + 1].append(root)
        if len(self.tiles[level + 1]) == TILE:
            self._sealed(level + 1)

    def _tiles(self) -> None:
        count = self.count
        rows = self.log._execute("SELECT level, count(*), max(idx) FROM ledger_tile GROUP BY level")  # noqa: SLF001
        for level, found, most in rows.fetchall():
            if found != count.get(level, 0) or most != found - 1:
                self.say(
                    None,
                    "tile-unexpected",
                    f"level {level} has {found} tiles up to {most}, expected {count.get(level, 0)}",
                )

    def _contents(self) -> int:
        kept = 0
        for digest, made in self._digests():
            kept += 1
            if made != digest:
                self.say(self.wanted.get(digest), "content-differs", f"table {digest} hashes to {made}")
            if self.wanted.pop(digest, None) is None:
                self.say(None, "content-unexpected", f"table {digest} is kept, but no entry publishes it")
        for digest, position in self.wanted.items():
            self.say(position, "content-missing", f"table {digest} was published and is not kept")
        return kept

    def _digests(self) -> Iterator[tuple[str, str]]:
        for digest in self.log.contents():
            made = sha256()
            rows = self.log._execute(  # noqa: SLF001
                "SELECT chunk, bytes FROM ledger_content WHERE sha256 = ? ORDER BY chunk", (digest,)
            )
            for number, (chunk, part) in enumerate(rows):
                if chunk != number:
                    self.say(
                        self.wanted.get(digest), "content-differs", f"table {digest} lacks chunk {number}"
                    )
                    break
                if number and not part:
                    self.say(
                        self.wanted.get(digest), "content-differs", f"chunk {number} of {digest} is empty"
                    )
                made.update(_bytes(part))
            yield digest, made.hexdigest()

    def _check_head(self, head: tuple[Any, ...], root: bytes) -> None:
        _, format_, size, head_root, frontier, last = head
        if format_ not in _FORMATS:
            self.say(None, "head-differs", f"format {format_!r} is not one of {_FORMATS}")
        if type(size) is int and size > self.frontier.size:
            self.say(
                self.frontier.size + 1,
                "position-missing",
                f"the head says {size} entries, {self.frontier.size} are there",
            )
        elif size != self.frontier.size:
            self.say(None, "head-differs", f"the head says {size} entries, {self.frontier.size} are there")
        if _bytes(head_root) != (root if self.frontier.size else EMPTY_ROOT):
            self.say(
                None,
                "head-differs",
                f"the head says root {_bytes(head_root).hex()}, the entries hash to {root.hex()}",
            )
        if _bytes(frontier) != self.frontier.pack():
            self.say(None, "head-differs", "the frontier in the head is not that of the entries")
        if last != self.last_time:
            self.say(
                None,
                "head-differs",
                f"last_recorded_at {last!r} is not that of the last entry, {self.last_time!r}",
            )


def _commitments(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (path, digest) of the commitments in the data: at the top, and inside `set`."""
    for name, value in data.items():
        if type(value) is dict:
            if name != "set":
                if len(value) == 1 and "sha256" in value:
                    yield name, value["sha256"]
            else:
                for inner, item in value.items():
                    if type(item) is dict and len(item) == 1 and "sha256" in item:
                        yield f"set.{inner}", item["sha256"]
