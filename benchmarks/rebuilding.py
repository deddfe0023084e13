"""Rebuilding the views against what eventsourcing's stock recorder and mapper need merely to decode as many events."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import DatetimeAsISO, JSONTranscoder, Mapper, UUIDAsHex
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from benchmarks.ledgers import build

_CHILD = """
import resource, sys, time
from ledger.store.location import open_log
from projections.views import rebuild
start = time.perf_counter()
views = rebuild(open_log(sys.argv[1], writable=False))
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, views.place)
"""


class _Stock(Aggregate):
    """An ordinary aggregate of the library, with as many fields as our events have."""

    @event("Opened")
    def __init__(self, title: str, status: str, body: str, actor: str) -> None:
        self.title, self.status, self.body, self.actor = title, status, body, actor

    @event("Updated")
    def update(self, status: str, body: str, actor: str) -> None:
        """Say something."""
        self.status, self.body, self.actor = status, body, actor


def main(folder: Path, entries: int, stock: int = 100_000) -> list[dict[str, Any]]:
    """Measure the rebuild of a ledger of `entries` and the stock decoding of `stock` events, as rates."""
    url = build(folder / "large.db", entries)
    stock = min(stock, entries)
    theirs = _stock_rate(folder, stock)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, url], check=True, capture_output=True, text=True
    ).stdout.split()
    ours, memory = entries / float(done[0]), int(done[1])
    ratio = ours / theirs
    return [
        {"what": f"rebuild of the views from {entries:,} entries", "bound": ">= 1.5 x stock decoding", "ratio": ratio,
         "ok": ratio >= 1.5, "detail": f"{ours:,.0f}/s, stock {theirs:,.0f}/s"},
        {"what": "its memory", "bound": "<= 300 MB", "ratio": memory, "ok": memory <= 300, "detail": "peak RSS, MB"},
    ]  # fmt: skip


def _stock_rate(folder: Path, count: int) -> float:
    path = folder / "stock.sqlite"
    path.unlink(missing_ok=True)
    recorder = SQLiteApplicationRecorder(SQLiteDatastore(str(path)))
    recorder.create_table()
    transcoder = JSONTranscoder()
    transcoder.register(UUIDAsHex())
    transcoder.register(DatetimeAsISO())
    mapper: Mapper[Any] = Mapper(transcoder)
    for _ in range(count // 10):
        one = _Stock(title=f"Incident {uuid4()}", status="investigating", body="We are looking.", actor="bot")
        for number in range(9):
            one.update(status="identified", body=f"Update {number}: served again.", actor="bot")
        recorder.insert_events([mapper.to_stored_event(made) for made in one.collect_events()])
    start = time.perf_counter()
    position = 1
    while found := recorder.select_notifications(start=position, limit=2_000):
        for notification in found:
            mapper.to_domain_event(notification)
        position = found[-1].id + 1
    return count / (time.perf_counter() - start)
