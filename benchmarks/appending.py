"""Single durable actions against bare sqlite3, and a batch of 10,000."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from benchmarks.ledgers import actions
from benchmarks.measure import timed
from ledger.append import Appender
from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
from ledger.store import entry as entries
from ledger.store.tree import Frontier, leaf_hash


def main(folder: Path, singles: int = 2_000) -> list[dict[str, Any]]:
    """Measure both."""
    return [_single(folder, singles), *_batch(folder)]


def _fresh(folder: Path, name: str) -> str:
    for end in ("", "-wal", "-shm"):
        (folder / f"{name}{end}").unlink(missing_ok=True)
    return f"sqlite:///{folder / name}"


def _single(folder: Path, count: int) -> dict[str, Any]:
    ledger = IncidentLedger(_fresh(folder, "single.db"))
    ledger.create("ledger-bench")
    parsed = [parse_action(line) for line in actions(0, count // 10)]
    ours = timed(lambda: [ledger.append([action]) for action in parsed])
    rows = [(row[0], bytes(row[6]), bytes(row[7])) for row in ledger.sealed.rows()]
    ledger.close()
    _fresh(folder, "bare.db")
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute(
        "CREATE TABLE entry (position INTEGER PRIMARY KEY, entry BLOB NOT NULL, texts BLOB NOT NULL)"
    )

    def insert() -> None:
        for row in rows:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO entry VALUES (?, ?, ?)", row)
            bare.execute("COMMIT")

    theirs = timed(insert)
    bare.close()
    ratio = theirs[0] / ours[0]
    return {
        "what": "single durable sealed actions in one process", "bound": ">= 0.45 x bare sqlite3", "ratio": ratio,
        "ok": ratio >= 0.45,
        "detail": f"{count / ours[0]:,.0f}/s, bare {count / theirs[0]:,.0f}/s; CPU {ours[1] / count * 1e6:.0f} us "
        f"against {theirs[1] / count * 1e6:.0f} us each",
    }  # fmt: skip


def _batch(folder: Path) -> list[dict[str, Any]]:
    lines = list(actions(0, 1_000))
    best, sealing = float("inf"), 0.0
    for _ in range(3):
        ledger = Appender(_fresh(folder, "batch.db"))
        ledger.create("ledger-bench")
        start = time.perf_counter()
        ledger.append([parse_action(line) for line in lines])
        took = time.perf_counter() - start
        if took < best:
            best, sealing = took, _sealing(ledger)
        ledger.close()
    count = len(lines)
    return [
        {"what": "batch of 10,000 over 1,000 incidents, parsed, validated, sealed", "bound": ">= 20,000/s",
         "ratio": count / best, "ok": count / best >= 20_000, "detail": f"{best * 1e6 / count:.0f} us each"},
        {"what": "seal and commitments in that batch", "bound": "<= 0.35 of it", "ratio": sealing / best,
         "ok": sealing / best <= 0.35, "detail": f"{sealing * 1e6 / count:.1f} us each"},
    ]  # fmt: skip


def _sealing(ledger: Appender) -> float:
    """Return the seconds that hashing the same leaves, nodes and texts takes by itself."""
    rows = [(bytes(row[6]), entries.decode_texts(bytes(row[7]))) for row in ledger.sealed.rows()]

    def seal() -> None:
        frontier = Frontier()
        for raw, texts in rows:
            frontier.add(leaf_hash(raw))
            for salt, value in texts.values():
                ledger.salts()
                entries.commit(bytes.fromhex(salt), value)
        frontier.root()

    return timed(seal)[0]
