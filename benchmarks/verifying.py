"""Verifying against a bare loop that reads the same rows and hashes the same bytes into the same tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.ledgers import build

_VERIFY = """
import resource, sys, time
from ledger.store.location import open_log
from ledger.store.verify import verify
log = open_log(sys.argv[1], writable=False)
start = time.perf_counter()
report = verify(log)
took = time.perf_counter() - start
assert report.ok, report.problems[:3]
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
_BARE = """
import resource, sys, time
from ledger.store.location import open_log
from ledger.store.tree import Frontier, leaf_hash
log = open_log(sys.argv[1], writable=False)
start = time.perf_counter()
frontier = Frontier()
for row in log.rows():
    frontier.add(leaf_hash(row[6]))
frontier.root()
took = time.perf_counter() - start
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main(folder: Path, entries: int) -> list[dict[str, Any]]:
    """Measure both, each in a process of its own."""
    url = build(folder / "large.db", entries)
    bare, _ = _run(_BARE, url)
    ours, memory = _run(_VERIFY, url)
    ratio = bare / ours
    return [
        {"what": f"ledger verify, {entries:,} entries", "bound": ">= 0.5 x bare hashing", "ratio": ratio,
         "ok": ratio >= 0.5, "detail": f"{entries / ours:,.0f}/s, bare {entries / bare:,.0f}/s; peak {memory} MB"},
    ]  # fmt: skip


def _run(program: str, url: str) -> tuple[float, int]:
    took, memory = subprocess.run(
        [sys.executable, "-c", program, url], check=True, capture_output=True, text=True
    ).stdout.split()
    return float(took), int(memory)
