"""How a figure is taken: ratios within one run, the best of several, CPU time beside wall time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

__all__ = ["best_process", "rate", "timed"]


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return (wall, CPU) seconds of one run."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def rate(count: int, seconds: float) -> str:
    """Return a rate for people."""
    return f"{count / seconds:,.0f}/s"


def best_process(commands: Sequence[Sequence[str]], rounds: int) -> list[float]:
    """Return the least wall seconds of each command, run in turn so that all meet the same noise."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    best = [float("inf")] * len(commands)
    for _ in range(rounds):
        for at, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, env=environment, stdout=subprocess.DEVNULL)
            best[at] = min(best[at], time.perf_counter() - start)
    return best
