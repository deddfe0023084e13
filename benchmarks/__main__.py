"""All bounds in one run: `make bench`, or `python -m benchmarks --entries 100000` for a quick look."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import (
    appending,
    pricing,
    proving,
    rebuilding,
    restating,
    starting,
    streaming,
    telling,
    verifying,
    workbook,
)


def main() -> None:
    """Measure, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument(
        "--only",
        choices=[
            "starting",
            "appending",
            "rebuilding",
            "verifying",
            "proving",
            "pricing",
            "streaming",
            "workbook",
            "telling",
            "restating",
        ],
    )
    parser.add_argument("--write", type=Path, help="write the table here, too")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as name:
        folder = Path(name)
        if given.only in (None, "appending"):
            rows += appending.main(folder)
        if given.only in (None, "starting"):
            rows += starting.main(folder, given.entries)
        if given.only in (None, "verifying"):
            rows += verifying.main(folder, given.entries)
        if given.only in (None, "proving"):
            rows += proving.main(folder, given.entries)
        if given.only in (None, "telling"):
            rows += telling.main(folder)
        if given.only in (None, "rebuilding"):
            rows += rebuilding.main(folder, given.entries)
        if given.only in (None, "streaming"):
            rows += streaming.main(folder, 10 * given.entries)
        if given.only in (None, "workbook"):
            rows += workbook.main(folder, max(given.entries // 10, 1_000))
        if given.only in (None, "restating"):
            rows += restating.main(folder, given.entries)
    if given.only in (None, "pricing"):
        rows += pricing.main()
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {given.entries:,} entries of 10 per incident "
        "with two windows each; ratios within one run.",
        "",
        "| what | must reach | measured | | of it |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['what']} | {row['bound']} | {_figure(row['ratio'])} | {'ok' if row['ok'] else 'MISSED'} | {row['detail']} |"
        for row in rows
    ]
    print("\n".join(lines))
    if given.write:
        given.write.write_text("\n".join(lines) + "\n")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    main()
