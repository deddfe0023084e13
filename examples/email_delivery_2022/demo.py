"""The March 2022 incident from the first action to the workbook, in a fresh ledger.

Run by `make demo`. Everything shown comes from the `ledger` command; this file only runs it and lays out the answers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

HERE = Path(__file__).resolve().parent
INCIDENT = "email-2022-03"
PERIOD = "2022-03"
BEFORE = "2022-03-30T16:51:59Z"
PLAIN: dict[str, Any] = {"box": None, "pad_edge": False, "header_style": "bold cyan"}


class Ledger:
    """The `ledger` command on one ledger."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'ledger.db'}"

    def __call__(self, *words: str) -> str:
        """Run a command and return what it prints; its complaint, if it has one, ends the demonstration."""
        done = subprocess.run(  # noqa: S603  # our own interpreter and our own command
            [sys.executable, "-m", "ledger", "--ledger", self.url, *words],
            capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"ledger {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def json(self, *words: str) -> Any:
        """Run a command with --json and return its answer."""
        return json.loads(self(*words, "--json"))


def run(folder: Path) -> dict[str, Any]:
    """Replay the incident in `folder` and return all answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.views.db"):
        (folder / name).unlink(missing_ok=True)
    ledger = Ledger(folder)
    ledger("init")
    receipts = [
        json.loads(line) for line in ledger("append", str(HERE / "actions.jsonl"), "--json").splitlines()
    ]
    workbook = folder / f"credits-{PERIOD}.xlsx"
    compared = ("--period", PERIOD, "--compare-published-by", BEFORE)
    return {
        "receipts": receipts,
        "notice_before": ledger("notice", INCIDENT, "--published-by", BEFORE),
        "notice_after": ledger("notice", INCIDENT),
        "downtime_before": _by_region(
            ledger.json("downtime", "--period", PERIOD, "--by", "region", "--published-by", BEFORE)
        ),
        "downtime_after": _by_region(ledger.json("downtime", "--period", PERIOD, "--by", "region")),
        "credits_before": ledger.json("credits", "compute", "--period", PERIOD, "--published-by", BEFORE),
        "credits_after": ledger.json("credits", "compute", *compared),
        "workbook": ledger.json("credits", "export", *compared, "-o", str(workbook)),
        "page": ledger.json("replay", INCIDENT, "--html", str(folder / f"{INCIDENT}.html"), "--amounts"),
        "verified": ledger.json("verify"),
    }


def _by_region(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the downtime of each region; a region without a row was not down."""
    found = {row["region"]: row for row in answer["rows"]}
    return {region: found.get(region, {"downtime_seconds": 0, "windows": []}) for region in ("NAM", "EMEA")}


def show(answers: dict[str, Any], console: Console) -> None:
    """Lay the answers out for a person."""
    console.print(Rule("1  What was recorded"))
    receipts = Table("position", "entry", "type", "leaf", **PLAIN)
    for one in answers["receipts"]:
        receipts.add_row(
            f"@{one['position']}", f"{one['stream']} v{one['version']}", one["type"], f"{one['leaf'][:16]}…"
        )
    console.print(receipts)
    for number, when, name in (
        (2, "before 30 March 2022, 16:52 UTC", "notice_before"),
        (3, "after the correction", "notice_after"),
    ):
        console.print(Rule(f"{number}  The notice as it read {when}"))
        console.print(Panel(Text(answers[name].strip())))
    console.print(Rule("4  What was down in March 2022, every window counted in full"))
    down = Table("region", "told before (s)", "availability", "told after (s)", "availability", **PLAIN)
    for region in ("NAM", "EMEA"):
        cells = []
        for side in ("downtime_before", "downtime_after"):
            seconds = answers[side][region]["downtime_seconds"]
            cells += [f"{seconds:,}", f"{_availability(answers, side, region)}%"]
        down.add_row(region, *cells)
    _numbers(down, 1)
    console.print(down)
    console.print(Rule("5  What is owed, and what the correction changed"))
    owed = Table("customer", "region", "policy", "", "before", "after", "difference", **PLAIN)
    for row in answers["credits_after"]["differences"]:
        owed.add_row(
            row["customer"], row["region"], row["policy"], row["currency"],
            row["credit_before"], row["credit_after"], _change(row["delta"]),
        )  # fmt: skip
    owed.add_section()
    for row in answers["credits_after"]["difference_totals"]:
        owed.add_row(
            "total", "", "", row["currency"], row["credit_before"], row["credit_after"], _change(row["delta"]),
            style="bold",
        )  # fmt: skip
    _numbers(owed, 4)
    console.print(owed)
    console.print(Rule("6  The same facts under each policy, after the correction"))
    ruled = Table("policy", "region", "availability", "of fee", **PLAIN)
    for policy in ("email-standard", "email-by-share", "email-five-percent"):
        for region in ("NAM", "EMEA"):
            ruled.add_row(policy, region, *_ruled(answers, policy, region))
    _numbers(ruled, 2)
    console.print(ruled)
    rows = answers["credits_after"]["rows"]
    edge = next(row for row in rows if (row["policy"], row["region"]) == ("email-standard", "NAM"))
    console.print(
        f"NAM is {edge['seconds_past_tier_edge']} seconds past the 99.0% edge: "
        "rounded to one decimal first, the wrong tier would pay."
    )
    console.print(Rule("7  Verified"))
    verified = answers["verified"]
    console.print(f"{verified['size']} entries, root {verified['root']}", soft_wrap=True)
    console.print(f"workbook: {answers['workbook']['file']}", soft_wrap=True)
    console.print(f"replay page, to be opened in a browser: {answers['page']['file']}", soft_wrap=True)
    console.print(
        "Terms, customers and the times of earlier updates are assumed: see the README beside this file."
    )


def _change(delta: str) -> Text:
    """Return a difference that stands out if there is one."""
    return Text(delta, style="bold green" if Decimal(delta) else "dim")


def _numbers(table: Table, *columns: int) -> None:
    """Align the given columns, and all after the last of them, to the right."""
    for place, column in enumerate(table.columns):
        if place in columns or place > columns[-1]:
            column.justify = "right"
            # In a narrow terminal words give way, never digits.
            column.no_wrap = True


def _ruled(answers: dict[str, Any], policy: str, region: str) -> tuple[str, str]:
    """Return the availability under a policy and what it pays, as a row of that region has it.

    The first such row is taken: in the example it is one that was valid for the whole month.
    """
    rows = answers["credits_after"]["rows"]
    row = next(row for row in rows if (row["policy"], row["region"]) == (policy, region))
    available = row["availability"] or f"at least {row['availability_at_least']}"
    return f"{available}%", f"{row['credit_percent']}%"


def _availability(answers: dict[str, Any], side: str, region: str) -> str:
    """Return the availability that the credit rows under the standard terms show for a region."""
    rows = answers["credits_before" if side == "downtime_before" else "credits_after"]["rows"]
    name = {"NAM": "aurora-nam", "EMEA": "aurora-emea"}[region]
    found: str = next(row["availability"] for row in rows if row["subscription"] == name)
    return found


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/demo"))
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")
    given = parser.parse_args()
    # What the demonstration records must not depend on who runs it.
    os.environ.pop("LEDGER_URL", None)
    answers = run(given.folder)
    if given.json:
        print(json.dumps(answers))
    else:
        # A terminal that lacks a character shows another one, and the demonstration goes on.
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        show(answers, Console(width=None if sys.stdout.isatty() else 120))


if __name__ == "__main__":
    main()
