"""Finance at work, for tests: a ledger with a policy, customers and an outage, and the commands that are given to it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ledger.cli import main
from ledger.cli.session import Session
from ledger.domain.instants import micros, parse_instant
from ledger.store.location import open_log
from ledger.store.log import Head
from tools.terms import terms

__all__ = ["CUSTOMERS", "POLICY", "Desk"]

CUSTOMERS = """customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
Aurora Rail,aurora-emea,email,EMEA,standard,EUR,4200.00,2021-01-01,
Aurora Rail,aurora-nam,email,NAM,standard,USD,1800.50,2021-01-01,
Baltic Timber,baltic-emea,email,EMEA,standard,EUR,349.99,2021-06-01,
Cedar Clinics,cedar-nam,email,NAM,standard,USD,12750.00,2021-01-01,
"""
POLICY = terms("standard", title="Standard", in_force_from="2021-01-01")


class Desk:
    """Finance at work: a ledger with a policy, customers and one window in EMEA in March 2022, on 2 April 2022."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.now = url, folder, "2022-04-02T09:00:00Z"
        self.ok("init")
        self.file("standard.toml", POLICY)
        self.file("customers.csv", CUSTOMERS)
        self.ok("policy", "publish", "standard.toml", "--actor", "f")
        self.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
        self.ok("incident", "open", "mail-1", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "email",
                "--component", "flow", "--region", "EMEA", "--region", "NAM")  # fmt: skip
        self.window("first", "EMEA", "2022-03-14T16:00:00Z", "2022-03-14T20:00:00Z")

    def file(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def run(self, *words: str) -> Result:
        found = [
            str(self.folder / one) if one.endswith((".toml", ".csv", ".jsonl", ".proof", ".key")) else one
            for one in words
        ]
        session = Session(lambda: micros(parse_instant(self.now)))
        return CliRunner(env={"LEDGER_URL": self.url, "LEDGER_ACTOR": None}).invoke(main, found, obj=session)

    def ok(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *words: str, code: int = 1) -> str:
        before = self.head()
        result = self.run(*words)
        assert result.exit_code == code, result.output
        assert self.head() == before
        return result.stderr.strip()

    def head(self) -> Head:
        with closing(open_log(self.url, writable=False)) as log:
            return log.head()

    def window(self, name: str, region: str, start: str, end: str | None, *more: str) -> None:
        ends = () if end is None else ("--end", end)
        self.ok("window", "add", "mail-1", name, "--actor", "o", "--service", "email", "--component", "flow", "--region", region,
                "--start", start, *ends, "--effect", "outage", *more)  # fmt: skip

    def revise(
        self, name: str, end: str, *more: str, incident: str = "mail-1", reason: str = "measured"
    ) -> None:
        """Give a window another end."""
        self.ok("window", "revise", incident, name, "--actor", "o", "--end", end, "--reason", reason, *more)

    def issue(self, *more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.ok("credits", "issue", "--period", "2022-03", "--actor", "f", "--json", *more)
        )
        return found

    def restate(self, *more: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ok("credits", "restate", "1", "--json", *more))
        return found
