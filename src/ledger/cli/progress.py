"""A bar on standard error for whoever watches a long run; nobody else sees anything of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["watched"]

# From so many rows on, somebody who waits sees how far it is.
_LONG = 1_000_000


def watched(
    parts: Iterator[tuple[str, pd.DataFrame]], expected: int, *, quiet: bool
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield parts of tables that have so many rows together, each with its table, and show how many rows went by.

    Only where the run is long and both outputs are a terminal: a bar would run into what is read by a program.
    """
    if quiet or expected < _LONG or not (sys.stdout.isatty() and sys.stderr.isatty()):
        yield from parts
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("subscriptions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=expected)
        for table, part in parts:
            yield table, part
            progress.advance(task, len(part))
