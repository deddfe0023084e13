"""Whole commands against the floor of their imports, in a small ledger and in a large one."""

from __future__ import annotations

import compileall
from pathlib import Path
from typing import Any

from benchmarks.ledgers import build
from benchmarks.measure import best_process

FLOOR = ["-c", "import click, eventsourcing.domain, sqlite3"]


def main(folder: Path, entries: int, rounds: int = 15) -> list[dict[str, Any]]:
    """Measure append, notice and log."""
    for package in ("ledger", "projections"):
        for place in __import__(package).__path__:
            # An installed package has its byte code; a checkout may not have it yet.
            compileall.compile_dir(place, quiet=2)
    small, large = build(folder / "small.db", 1_000), build(folder / "large.db", entries)
    scratch = folder / "append.db"
    scratch.unlink(missing_ok=True)
    append_to = build(scratch, 1_000)
    ledger = ["-m", "ledger", "--ledger"]
    floor, append, notice, log, notice_large, log_large = best_process(
        [
            FLOOR,
            [*ledger, append_to, "incident", "update", "inc-7", "--actor", "bench", "--status", "postmortem"],
            [*ledger, small, "notice", "inc-7"],
            [*ledger, small, "log", "inc-7"],
            [*ledger, large, "notice", f"inc-{entries // 20}"],
            [*ledger, large, "log", f"inc-{entries // 20}"],
        ],
        rounds,
    )
    return [
        {"what": "one CLI append, whole process, durable", "bound": "<= 1.6 x floor", "ratio": append / floor,
         "ok": append / floor <= 1.6, "detail": f"{append * 1000:.0f} ms, floor {floor * 1000:.0f} ms"},
        {"what": "ledger notice KEY", "bound": "<= 2 x floor", "ratio": notice / floor, "ok": notice / floor <= 2,
         "detail": f"{notice * 1000:.0f} ms"},
        {"what": "ledger log KEY", "bound": "<= 2 x floor", "ratio": log / floor, "ok": log / floor <= 2,
         "detail": f"{log * 1000:.0f} ms"},
        {"what": f"notice, {entries:,} entries against 1,000", "bound": "<= 1.3", "ratio": notice_large / notice,
         "ok": notice_large / notice <= 1.3, "detail": f"{notice_large * 1000:.0f} ms"},
        {"what": f"log, {entries:,} entries against 1,000", "bound": "<= 1.3", "ratio": log_large / log,
         "ok": log_large / log <= 1.3, "detail": f"{log_large * 1000:.0f} ms"},
    ]  # fmt: skip
