"""Verify: re-read everything and name whatever is wrong, by position and kind.

It works on bytes, hashes and JSON alone and shares no rule with the code that appends: no event class is imported.
Checked are the entries (canonical bytes, header against columns, dense positions and versions, rising times), the
texts against their commitments, the tree and the head recomputed from the entries, and the tables kept by digest.

What it cannot see from inside: a tail cut off together with a head row, tiles and tree made to match. What is left is
a smaller ledger that is whole in itself; only a size and root kept elsewhere tells it from the one there was.

A large ledger is read by several processes, a range of positions each. They only ever say that a range is in order;
where one is not, everything is read again here, in one snapshot, and that reading alone names the problems.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from ledger.errors import LedgerError
from ledger.store.tree import EMPTY_ROOT, TILE, Frontier, leaf_hash, subtree_root
from ledger.store.verify_entries import (
    BROKEN,
    FORMAT,
    LAST_POSITION,
    TABLES,
    Job,
    Problem,
    Problems,
    Range,
    RangeReader,
    check_tile,
    rows_of,
)

if TYPE_CHECKING:
    from ledger.store.log import SealedLog

__all__ = ["Problem", "Recomputed", "Report", "recomputed", "verify"]

_T = TypeVar("_T")
_CHUNK = 1 << 20
# Below this a second process costs more than it saves.
_ENTRIES_PER_PROCESS = 50_000


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


def verify(log: SealedLog, *, processes: int | None = None) -> Report:
    """Re-read the whole ledger in one consistent state and report on it. Memory stays flat.

    processes: how many to use at most, this one counted; None: one for each core. Damage never raises, it is
    reported. Raises Unavailable when there is no ledger at all, or it cannot be reached.
    """
    first = _Verification(log)
    # Before the snapshot: in PostgreSQL one failing statement ends the transaction it is in.
    first.find_tables()
    most = _cores() if processes is None else processes
    with log.snapshot():
        report = first.run(most)
    if report is not None:
        return report
    again = _Verification(log)
    again.find_tables()
    with log.snapshot():
        report = again.run(1)
    assert report is not None  # noqa: S101  # one process has nobody to wait for
    return report


class Recomputed(NamedTuple):
    """What the entries of a ledger that does not hold come to by their bytes alone.

    ledger: the id that the first entry names, None where it cannot be read; size: of the entries from position 1 on without a
    gap; roots: by size; why: what ended that before the last entry, "" where nothing did, the end of a sentence.
    """

    ledger: str | None
    size: int
    roots: dict[int, bytes]
    why: str


def recomputed(log: SealedLog, sizes: Collection[int], upto: int) -> Recomputed:
    """Return the roots of the first entries at some sizes, from the bytes of the entries and nothing else.

    upto: how many entries there are, by the report on the ledger; those that came since are left out. Damage never raises.
    """
    ledger: str | None = None
    frontier, roots, why = Frontier(), {0: EMPTY_ROOT}, ""
    try:
        for row in RangeReader(log, Problems(), with_tiles=False).rows(0, None):
            if frontier.size == upto:
                break
            position, entry = row[0], row[6]
            if position != frontier.size + 1:
                why = f"@{frontier.size + 1} is missing"
                break
            if type(entry) is not bytes:
                why = f"@{position} cannot be read"
                break
            if position == 1:
                with suppress(*BROKEN):
                    ledger = msgspec.json.decode(entry)["header"]["ledger"]
            frontier.add(leaf_hash(entry))
            if frontier.size in sizes:
                roots[frontier.size] = frontier.root()
    except Exception as error:  # noqa: BLE001  # drivers raise their own errors on a damaged page
        why = f"the entries after @{frontier.size} cannot be read: {type(error).__name__} {error}"
    return Recomputed(ledger if type(ledger) is str else None, frontier.size, roots, why)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Verification:
    """One verification: the parts that need the whole ledger, around the ranges of its entries."""

    def __init__(self, log: SealedLog) -> None:
        self.log = log
        self.problems = Problems()
        self.say = self.problems.say
        self.missing: set[str] = set()
        self.size = 0
        self.last_time: Any = ""
        # Texts that are gone: where; and what redactions say is gone.
        self.gone: dict[tuple[str, int, str], int] = {}
        self.redacted: dict[tuple[str, int, str], int] = {}
        self.wanted: dict[str, int] = {}
        self.erased = 0
        # By level: the hashes of the tile that is being filled, and how many were filled.
        self.open: list[list[bytes]] = [[]]
        self.count: list[int] = [0]

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query, as they are: the verifier reads without the checks of the log."""
        return rows_of(self.log, sql, parameters)

    def find_tables(self) -> None:
        """Note the tables that are not there or lack a column; raise when that is all of them."""
        first: LedgerError | None = None
        for table, columns in TABLES.items():
            try:
                self.rows(f"SELECT {columns} FROM {table} LIMIT 0")
            except LedgerError as error:
                first = first or error
                self.missing.add(table)
                self.say(None, "table-missing", f"{table} is not there, or not as it was made")
        if first is not None and len(self.missing) == len(TABLES):
            raise first

    def run(self, processes: int) -> Report | None:
        """Return the report; None where others read along and what they found has to be looked at here alone."""
        head = self._part("ledger_head", self._head)
        ledger = self._part("ledger_entry", lambda: self._ledger(head))
        size = self._part("ledger_entry", self._last_position) or 0
        if processes > 1 and size >= 2 * _ENTRIES_PER_PROCESS and not self.problems.found:
            if not self._entries_together(ledger, size, min(processes, size // _ENTRIES_PER_PROCESS)):
                return None
            alone = False
        else:
            self._part("ledger_entry", lambda: self._take(self._reader().read(ledger)))
            alone = True
        self._part("ledger_entry", self._outside)
        self._part("ledger_entry", self._versions)
        self._part("ledger_entry", self._texts_gone)
        self._part("ledger_tile", self._extra_tiles)
        contents = self._part("ledger_content", self._contents) or 0
        frontier = self._frontier()
        if head is not None:
            self._check_head(head, frontier)
        if self.problems.found and not alone:
            return None
        if self.problems.unsaid:
            self.problems.found.append(
                Problem(None, "more", f"{self.problems.unsaid} more problems are not listed")
            )
        problems = sorted(self.problems.found, key=lambda one: (one.position is None, one.position or 0))
        return Report(not problems, self.size, frontier.root().hex(), tuple(problems), self.erased, contents)

    # ---- entries -----------------------------------------------------------------------------------------

    def _last_position(self) -> int:
        last = self.rows("SELECT max(position) FROM ledger_entry")[0][0]
        count = self.rows("SELECT count(*) FROM ledger_entry")[0][0]
        # Only where no position is missing can the ranges be cut before they are read.
        return int(last) if last == count else 0

    def _reader(self) -> RangeReader:
        return RangeReader(self.log, self.problems, with_tiles="ledger_tile" not in self.missing)

    def _entries_together(self, ledger: Any, size: int, processes: int) -> bool:
        """Read the entries in ranges of whole tiles, the last one here; return whether all are in order."""
        step = -(-size // processes // TILE) * TILE
        starts = list(range(0, size, step))
        jobs = [Job(self.log.url, ledger, after, after + step) for after in starts[:-1]]
        with _working(jobs) as found:
            self._part("ledger_entry", lambda: found.append(self._reader().read(ledger, starts[-1])))
        if self.problems.found or len(found) != len(starts):
            return False
        # The last range was read here while the others were still reading.
        for one in [*found[1:], found[0]]:
            if one.size and not one.first_time > self.last_time:
                return False
            self._take(one)
        return True

    def _take(self, one: Range) -> None:
        """Put a range behind those that were taken before."""
        self.size += one.size
        self.last_time = one.last_time or self.last_time
        for root in one.tiles:
            self._tile(0, root)
        self.open[0] = list(one.leaves)
        for stream, version, path, position in one.gone:
            self.gone[stream, version, path] = position
        for stream, version, path, position in one.redacted:
            self.redacted[stream, version, path] = position
        for digest, position in one.wanted:
            self.wanted.setdefault(digest, position)

    def _part(self, table: str, check: Callable[[], _T]) -> _T | None:
        """Run one part of the check; what a damaged database answers is a problem and no end."""
        if table in self.missing:
            return None
        try:
            return check()
        except Exception as error:  # noqa: BLE001  # drivers raise their own errors on a damaged page
            self.say(None, "unreadable", f"{table} cannot be read: {type(error).__name__} {error}")
            return None

    # ---- entries -----------------------------------------------------------------------------------------

    def _head(self) -> tuple[Any, ...] | None:
        rows = self.rows(f"SELECT {TABLES['ledger_head']} FROM ledger_head LIMIT 2")
        if len(rows) != 1:
            self.say(None, "head-missing", f"the head has {len(rows) or 'no'} rows, expected 1")
            return None
        return tuple(rows[0])

    def _ledger(self, head: tuple[Any, ...] | None) -> Any:
        """Return the ledger's id; where the head contradicts both the first and the last entry, it is wrong."""
        found = {}
        for order in ("ASC", "DESC"):
            for (raw,) in self.rows(f"SELECT entry FROM ledger_entry ORDER BY position {order} LIMIT 1"):
                try:
                    found[order] = msgspec.json.decode(raw)["header"]["ledger"]
                except BROKEN:
                    found[order] = None
        first = found.get("ASC")
        if head is None:
            return first
        if first is not None and first == found["DESC"] != head[1]:
            self.say(None, "head-differs", f"ledger: the entries say {first!r}, the head says {head[1]!r}")
            return first
        return head[1]

    def _outside(self) -> None:
        """Find the rows that reading from position 1 onwards passes by."""
        for (position,) in self.rows(
            "SELECT position FROM ledger_entry WHERE position < 1 OR position > ? OR position IS NULL LIMIT 1000",
            (LAST_POSITION,),
        ):
            self.say(position, "position-unexpected", f"there is an entry at position {position!r}")

    def _versions(self) -> None:
        for stream, count, least, most in self.rows(
            "SELECT stream, count(*), min(version), max(version) FROM ledger_entry GROUP BY stream"
            f" HAVING min(version) <> 1 OR max(version) <> count(*) LIMIT {Problems.MOST}"
        ):
            self.say(None, "version-gap", f"{stream} has {count} entries with versions {least} to {most}")

    # ---- texts -------------------------------------------------------------------------------------------

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
                # The entry that still has the text is the one to look at.
                at = self.rows(
                    "SELECT position FROM ledger_entry WHERE stream = ? AND version = ?", (stream, version)
                )
                self.say(
                    at[0][0] if at else position, "text-not-erased",
                    f"{path} of {stream} v{version} should be erased (position {position} says so) and is not",
                )  # fmt: skip

    # ---- tree --------------------------------------------------------------------------------------------

    def _tile(self, level: int, root: bytes) -> None:
        """Put the root of a full tile of one level among the hashes of the next; the reader compared level 0."""
        self.count[level] += 1
        if len(self.open) == level + 1:
            self.open.append([])
            self.count.append(0)
        above = self.open[level + 1]
        above.append(root)
        if len(above) == TILE:
            self.open[level + 1] = []
            root = subtree_root(above)
            if "ledger_tile" not in self.missing:
                check_tile(self.log, self.problems, level + 1, self.count[level + 1], root, above)
            self._tile(level + 1, root)

    def _extra_tiles(self) -> None:
        for level, found, least, most in self.rows(
            "SELECT level, count(*), min(idx), max(idx) FROM ledger_tile GROUP BY level ORDER BY level"
        ):
            known = self.count[level] if type(level) is int and 0 <= level < len(self.count) else 0
            if type(least) is not int or type(most) is not int or least < 0 or most >= known or found > known:
                self.say(
                    None, "tile-unexpected",
                    f"level {level} has {found} tiles from {least} to {most}, expected {known} from 0",
                )  # fmt: skip

    def _frontier(self) -> Frontier:
        """Return the right edge: the open tiles from the top level down are the digits of the size."""
        hashes = []
        for level in reversed(self.open):
            edge = Frontier()
            for one in level:
                edge.add(one)
            hashes += edge.hashes
        return Frontier(self.size, b"".join(hashes))

    # ---- tables and head ---------------------------------------------------------------------------------

    def _contents(self) -> int:
        digests = self.rows("SELECT DISTINCT sha256 FROM ledger_content ORDER BY sha256")
        for (digest,) in digests:
            position = self.wanted.pop(digest, None)
            if position is None:
                self.say(None, "content-unexpected", f"table {digest} is kept, but no entry publishes it")
            try:
                fault = self._content_fault(digest)
            except Exception as error:  # noqa: BLE001  # drivers raise their own errors on a damaged row
                fault = f"cannot be read: {type(error).__name__} {error}"
            if fault:
                self.say(position, "content-differs", f"table {digest} {fault}")
        for digest, position in self.wanted.items():
            self.say(position, "content-missing", f"table {digest} was published and is not kept")
        return len(digests)

    def _content_fault(self, digest: Any) -> str | None:
        made, before = sha256(), _CHUNK
        expected = 0
        while rows := self.rows(
            "SELECT chunk, bytes FROM ledger_content WHERE sha256 = ? ORDER BY chunk LIMIT 1 OFFSET ?",
            (digest, expected),
        ):
            chunk, part = rows[0]
            if chunk != expected:
                return f"lacks chunk {expected}"
            # An empty chunk put at the end would change no hash.
            if type(part) is not bytes or before != _CHUNK or len(part) > _CHUNK or (expected and not part):
                return f"has chunks that were not written so (chunk {chunk})"
            made.update(part)
            before, expected = len(part), expected + 1
        return None if made.hexdigest() == digest else f"hashes to {made.hexdigest()}"

    def _check_head(self, head: tuple[Any, ...], edge: Frontier) -> None:
        one, _, format_, size, root, frontier, last = head
        if one != 1:
            self.say(None, "head-differs", f"the head row has the number {one!r}, expected 1")
        if format_ != FORMAT:
            self.say(None, "head-differs", f"format {format_!r} is not {FORMAT}")
        if "ledger_entry" in self.missing:
            return
        if type(size) is int and size > edge.size:
            self.say(
                edge.size + 1, "position-missing", f"the head says {size} entries, {edge.size} are there"
            )
        elif type(size) is not int or size != edge.size:
            self.say(None, "head-differs", f"the head says {size!r} entries, {edge.size} are there")
        found = edge.root() if edge.size else EMPTY_ROOT
        if root != found:
            said = root.hex() if type(root) is bytes else repr(root)
            self.say(None, "head-differs", f"the head says root {said}, the entries hash to {found.hex()}")
        if frontier != edge.pack():
            self.say(None, "head-differs", "the frontier in the head is not that of the entries")
        if last != self.last_time:
            self.say(
                None, "head-differs", f"last_recorded_at {last!r} is not that of the last entry, {self.last_time!r}"
            )  # fmt: skip


@contextmanager
def _working(jobs: list[Job]) -> Iterator[list[Range]]:
    """Let a process of its own read each range; their results come behind what the caller adds, if all are in order."""
    workers = [worker for worker in map(_worker, jobs) if worker is not None]
    found: list[Range] = []
    try:
        yield found
        # Where no process can be had there are too few results, and the caller reads alone.
        with suppress(OSError, msgspec.MsgspecError):
            found.extend(msgspec.json.decode(worker.communicate()[0], type=Range) for worker in workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()


def _worker(job: Job) -> subprocess.Popen[bytes] | None:
    try:
        worker = subprocess.Popen(
            [sys.executable, "-m", "ledger.store.verify_entries"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return None
    # The address of the ledger may hold a password, which the arguments of a process would show to everybody.
    if worker.stdin is not None:
        with suppress(BrokenPipeError), worker.stdin:
            worker.stdin.write(msgspec.json.encode(job))
        worker.stdin = None
    return worker
