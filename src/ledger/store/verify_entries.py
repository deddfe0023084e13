"""Verifying a range of entries: each row, its texts, and the tiles of its leaves.

It works on bytes, hashes and JSON alone, as all verification does (`ledger.store.verify` puts the ranges together). Run
as a module it is a process of its own that reads one range and only says whether it is in order.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ledger.store.entry import fits
from ledger.store.tree import HASH_BYTES, TILE, subtree_root

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = [
    "BROKEN", "FORMAT", "LAST_POSITION", "TABLES", "Job", "Problem", "Problems", "Range", "RangeReader", "check_tile",
    "rows_of",
]  # fmt: skip

_INSTANT = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
FORMAT = 1
_HEADER = frozenset(
    (
        "clock_behind", "format", "idempotency_key", "ledger", "position", "recorded_at", "stream", "type", "version",
    )
)  # fmt: skip
TABLES = {
    "ledger_head": "one, ledger, format, size, root, frontier, last_recorded_at",
    "ledger_entry": "position, stream, version, type, recorded_at, idempotency_key, entry, texts",
    "ledger_tile": "level, idx, root, hashes",
    "ledger_content": "sha256, chunk, bytes",
}
_PAGE = 2_000
# Positions above this are not read by the log; nothing legitimate comes near it.
LAST_POSITION = 1 << 62
BROKEN = (msgspec.MsgspecError, KeyError, TypeError, AttributeError, ValueError, RecursionError)


def _data_type() -> Any:
    """Return the type of the data: JSON without floats, integers within what RFC 8785 can write exactly."""
    most = (1 << 53) - 1
    value: Any = Any  # deeper than any event nests; the float hook still watches there
    for _ in range(5):
        exact = Annotated[int, msgspec.Meta(ge=-most, le=most)]
        value = str | exact | bool | None | list[value] | dict[str, value]
    return dict[str, value]


def _no_float(text: str) -> float:
    raise ValueError(f"the number {text} is a float")


class _Header(msgspec.Struct, omit_defaults=True, gc=False):
    """The header in the order of its canonical JSON, to be written from the columns and compared as bytes."""

    format: int
    ledger: str
    position: int
    recorded_at: str
    stream: str
    type: str
    version: int


class _KeyedHeader(msgspec.Struct, gc=False):
    """The same of an entry with an idempotency key."""

    format: int
    idempotency_key: str
    ledger: str
    position: int
    recorded_at: str
    stream: str
    type: str
    version: int


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong; position is None for what belongs to no single entry."""

    position: int | None
    kind: str
    detail: str


class Problems:
    """The problems found, up to as many as anybody reads."""

    # More tell nobody anything new; how many more there are is said.
    MOST = 10_000

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.unsaid = 0

    def say(self, position: Any, kind: str, detail: str) -> None:
        if len(self.found) >= self.MOST:
            self.unsaid += 1
            return
        self.found.append(Problem(position if type(position) is int else None, kind, detail))


class Range(msgspec.Struct):
    """What the entries of a range of positions came to; it travels from process to process as JSON.

    tiles: the roots of the full tiles from the first position on; leaves: the hashes behind the last of them. gone:
    texts that are no more, as (stream, version, path, position); redacted: those that entries say were erased.
    wanted: digests of tables that are published, with the position.
    """

    size: int = 0
    first_time: str = ""
    last_time: str = ""
    tiles: list[bytes] = []
    leaves: list[bytes] = []
    gone: list[tuple[str, int, str, int]] = []
    redacted: list[tuple[str, int, str, int]] = []
    wanted: list[tuple[str, int]] = []


class Job(msgspec.Struct):
    """A range that a process of its own is to read."""

    url: str
    ledger: str
    after: int
    upto: int


class RangeReader:
    """Reads the entries after one position up to another (None: as far as there are any) and checks each of them.

    with_tiles: whether there is a table of tiles to compare with.
    """

    def __init__(self, log: SealedLog, problems: Problems, *, with_tiles: bool = True) -> None:
        self.log = log
        self.problems = problems
        self.say = problems.say
        self.with_tiles = with_tiles
        self.found = Range()

    def read(self, ledger: Any, after: int = 0, upto: int | None = None) -> Range:
        """Return what the range came to; after: a multiple of the size of a tile; ledger: the id each entry must name."""
        # The loop runs once per entry and decides how long all this takes: what it needs is local, and an entry that
        # is in order is found so by few comparisons. Whatever is not goes to the slow checks, which say why.
        decode = msgspec.json.Decoder(_data_type(), float_hook=_no_float).decode
        encode = msgspec.json.Encoder(order="sorted").encode
        decode_texts = msgspec.json.Decoder(dict[str, tuple[str, str]]).decode
        fullmatch, digest, unhex = _INSTANT.fullmatch, sha256, bytes.fromhex
        header_of, keyed_of = _Header, _KeyedHeader
        found, first_tile = self.found, after // TILE
        expected, last_time, last_day = after, "", ""
        leaves = found.leaves
        for position, stream, version, type_, recorded_at, key, entry, texts in self.rows(after, upto):
            expected += 1
            if position != expected:
                self.say(expected, "position-missing", f"expected position {expected}, found {position}")
                expected = position
            if type(entry) is not bytes:
                self.say(position, "unreadable", f"the entry is {type(entry).__name__} instead of bytes")
                entry = bytes_of(entry)
            leaves.append(digest(b"\x00" + entry).digest())
            if len(leaves) == TILE:
                root = subtree_root(leaves)
                if self.with_tiles:
                    check_tile(self.log, self.problems, 0, first_tile + len(found.tiles), root, leaves)
                found.tiles.append(root)
                leaves.clear()

            data: Any = None
            try:
                header = encode(
                    header_of(FORMAT, ledger, position, recorded_at, stream, type_, version)
                    if key is None
                    else keyed_of(FORMAT, key, ledger, position, recorded_at, stream, type_, version)
                )
                raw = entry[8 : -11 - len(header)]
                data = decode(raw)
                if (
                    b'{"data":%b,"header":%b}' % (encode(data), header) != entry
                    or not type(stream) is type(type_) is type(recorded_at) is str
                    or not type(version) is type(position) is int
                    or not (key is None or type(key) is str)
                    or not raw.isascii()
                    or b"\\u0000" in raw
                ):
                    data = None
            except BROKEN:
                data = None
            if data is None:
                data = self._explain(position, stream, version, type_, recorded_at, key, ledger, entry)
                if data is None:
                    continue
                raw = b""

            if type(recorded_at) is not str or not recorded_at > last_time or not fullmatch(recorded_at):
                self.say(
                    position, "time-not-increasing", f"recorded_at {recorded_at} does not follow {last_time}"
                )
            elif recorded_at[:10] != last_day:
                last_day = recorded_at[:10]
                self._check_day(position, last_day)
            if type(recorded_at) is str:
                last_time = recorded_at
                found.first_time = found.first_time or recorded_at

            try:
                kept = decode_texts(texts)
                fits = len(kept) == (raw.count(b':{"sha256":"') if raw else -1) and encode(kept) == texts
                if fits:
                    for path, (salt, value) in kept.items():
                        bare = unhex(salt)
                        if (
                            len(bare) != 16
                            or bare.hex() != salt
                            or data[path] != {"sha256": digest(bare + value.encode()).hexdigest()}
                        ):
                            fits = False
                            break
            except BROKEN:
                fits = False
            if not fits:
                self._check_texts(position, str(stream), version, data, texts)
            if type_ == "entry.redacted":
                self._note_redaction(position, str(stream), version, data)
            if (
                "table" in data
                or "series" in data
                or "lines" in data
                or "terms" in data
                or type_ == "policy.published"
            ):
                self._note_content(position, data, type_)
        found.size = len(found.tiles) * TILE + len(leaves)
        found.last_time = last_time
        return found

    def rows(self, after: int, upto: int | None) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of the entries; around a row that the driver cannot read, one by one."""
        last = LAST_POSITION if upto is None else upto
        while True:
            try:
                for row in self.log.rows(after=after, upto=last, page=_PAGE):
                    yield row
                    after = row[0]
            except Exception:  # drivers raise their own errors on a damaged row
                # If even the positions cannot be read, this raises and the part ends as unreadable.
                found = rows_of(
                    self.log,
                    "SELECT position FROM ledger_entry WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
                    (after, last, _PAGE),
                )
                for (position,) in found:
                    yield self._one(position)
                    after = position
                if not found:
                    raise
            else:
                return

    def _one(self, position: int) -> tuple[Any, ...]:
        """Return a row column by column, with None for what cannot be read."""
        row: list[Any] = [position]
        for column in TABLES["ledger_entry"].split(", ")[1:]:
            try:
                row.append(
                    rows_of(self.log, f"SELECT {column} FROM ledger_entry WHERE position = ?", (position,))[
                        0
                    ][0]
                )
            except Exception as error:  # noqa: BLE001
                self.say(position, "unreadable", f"{column} cannot be read: {type(error).__name__} {error}")
                row.append(None)
        return tuple(row)

    def _explain(
        self, position: Any, stream: Any, version: Any, type_: Any, recorded_at: Any, key: Any, ledger: Any, entry: bytes
    ) -> dict[str, Any] | None:  # fmt: skip
        """Say what is wrong with an entry, if anything, and return its data, if they can be read."""
        try:
            found = msgspec.json.decode(entry)
            header, data = found["header"], found["data"]
            if type(header) is not dict or type(data) is not dict:
                raise TypeError("header and data must be objects")
        except BROKEN as error:
            self.say(position, "unreadable", f"the entry is not readable: {type(error).__name__} {error}")
            return None
        faults = list(_uncanonical(data))
        if msgspec.json.encode(found, order="sorted") != entry:
            faults.insert(0, "the entry bytes are not the canonical JSON of what they say")
        if len(found) != 2:
            faults.append(f"the entry has {len(found)} parts, expected data and header")
        for fault in faults[:3]:
            self.say(position, "not-canonical", fault)
        columns = {"position": position, "stream": stream, "version": version, "type": type_,
                   "recorded_at": recorded_at, "idempotency_key": key, "ledger": ledger}  # fmt: skip
        for name, value in columns.items():
            said = header.get(name)
            wanted = int if name in ("position", "version") else str
            absent = value is None and name == "idempotency_key" and name not in header
            # 1, 1.0 and true are equal in Python and not in JSON.
            if not absent and (said != value or type(said) is not wanted or type(value) is not wanted):
                kind = "ledger-differs" if name == "ledger" else "column-differs"
                self.say(position, kind, f"{name}: the entry says {said!r}, the row says {value!r}")
        if type(header.get("format")) is not int or header["format"] != FORMAT:
            self.say(position, "format-unknown", f"format {header.get('format')!r} is not {FORMAT}")
        if header.get("clock_behind", True) is not True:
            self.say(position, "not-canonical", "clock_behind is only written where it is true")
        for name in sorted(header.keys() - _HEADER):
            self.say(position, "header-unknown", f"the header has the unknown field {name!r}")
        return data

    def _check_day(self, position: int, day: str) -> None:
        try:
            date.fromisoformat(day)
        except ValueError:
            self.say(
                position, "time-not-increasing", f"recorded_at names the day {day}, which no calendar has"
            )

    def _check_texts(
        self, position: int, stream: str, version: Any, data: dict[str, Any], given: Any
    ) -> None:
        try:
            texts = msgspec.json.decode(given)
            if type(texts) is not dict or msgspec.json.encode(texts, order="sorted") != given:
                self.say(
                    position, "texts-not-canonical", "the texts are not the canonical JSON of what they say"
                )
        except BROKEN as error:
            self.say(position, "texts-unreadable", f"the texts are not readable: {error}")
            return
        if type(texts) is not dict:
            return
        known = set()
        for path, committed in _commitments(data):
            known.add(path)
            if path not in texts:
                self.found.gone.append((stream, version, path, position))
            elif not _fits(texts[path], committed):
                self.say(
                    position, "text-differs", f"{path}: the text does not fit its commitment {committed}"
                )
        for path in sorted(set(texts) - known):
            self.say(position, "text-unexpected", f"{path}: there is a text, but the entry commits to none")

    def _note_redaction(self, position: int, stream: str, own: Any, data: dict[str, Any]) -> None:
        fields, version = data.get("fields"), data.get("entry")
        if type(fields) is not list or type(version) is not int or type(own) is not int or version >= own:
            self.say(position, "redaction-unreadable", f"entry {version!r}, fields {fields!r}")
            return
        for field in fields:
            self.found.redacted.append((stream, version, str(field), position))

    def _note_content(self, position: int, data: dict[str, Any], type_: Any) -> None:
        for name in ("table", "series", "lines"):
            table = data.get(name)
            if type(table) is dict and "location" not in table:
                self.found.wanted.append((str(table.get("sha256")), position))
        terms = data.get("terms")
        if type(terms) is str or type_ == "policy.published":
            made = sha256(terms.encode()).hexdigest() if type(terms) is str else None
            if made is None or made != data.get("sha256"):
                self.say(position, "terms-differ", f"the terms do not hash to sha256 {data.get('sha256')!r}")


def check_tile(
    log: SealedLog, problems: Problems, level: int, index: int, root: bytes, run: list[bytes]
) -> None:
    """Compare a stored tile with the hashes it stands for."""
    rows = rows_of(log, "SELECT root, hashes FROM ledger_tile WHERE level = ? AND idx = ?", (level, index))
    if not rows:
        last = (index + 1) * TILE ** (level + 1)
        problems.say(last, "tile-missing", f"tile {index} of level {level} is missing")
    elif rows[0][0] != root or rows[0][1] != b"".join(run):
        hashes = bytes_of(rows[0][1])
        cut = [hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(TILE)]
        bad = next((at for at in range(TILE) if cut[at] != run[at]), 0)
        problems.say(
            (index * TILE + bad) * TILE**level + 1, "tile-differs",
            f"tile {index} of level {level} does not hash the entries it stands for",
        )  # fmt: skip


def rows_of(log: SealedLog, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query, as they are: the verifier reads without the checks of the log."""
    found: list[tuple[Any, ...]] = log._execute(sql, parameters).fetchall()  # noqa: SLF001
    return found


def bytes_of(value: Any) -> bytes:
    """Return the bytes of a column that should hold bytes, whatever it holds."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return value.encode(errors="surrogatepass") if type(value) is str else b""


def _fits(text: Any, committed: Any) -> bool:
    """Whether a [salt, value] hashes to its commitment, its salt written in the one way there is."""
    try:
        salt, value = text
        return (
            type(text) is list
            and type(committed) is str
            and _DIGEST.fullmatch(committed) is not None
            and fits(salt, value, committed)
        )
    except BROKEN:
        return False


def _commitments(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (path, digest) of the commitments in the data: at the top, and inside `set`."""
    for name, value in data.items():
        if type(value) is dict:
            if name == "set":
                for inner, item in value.items():
                    if type(item) is dict and item.keys() == {"sha256"}:
                        yield f"set.{inner}", item["sha256"]
            elif value.keys() == {"sha256"}:
                yield name, value["sha256"]


def _uncanonical(value: Any) -> Iterator[str]:
    """Yield what JSON can say and an entry may not."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is float:
            yield f"the number {one!r} is a float"
        elif type(one) is int and abs(one) > (1 << 53) - 1:
            yield f"the number {one} is not exact in every reader"
        elif type(one) is str and "\x00" in one:
            yield "a text holds the character U+0000"
        elif type(one) is list:
            waiting += one
        elif type(one) is dict:
            for name, inner in one.items():
                if not name.isascii():
                    yield f"the key {name!r} is not ASCII"
                waiting += (name, inner)


def _main() -> int:
    """Read the range that standard input names, and print what it came to; 1 where something is not in order."""
    from ledger.store.location import open_log

    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    problems = Problems()
    found = RangeReader(open_log(job.url, writable=False), problems).read(job.ledger, job.after, job.upto)
    if problems.found or found.size != job.upto - job.after:
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(found))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
