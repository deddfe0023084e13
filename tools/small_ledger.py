"""A small ledger with everything a bundle can hold, to attack and to test with: `desk = make(folder)`.

Two incidents, tables, policies, keys, a rotation, an erasure. Clock, salts and seeds are counted, so it is always the same.
"""

from __future__ import annotations

import itertools
import zipfile
from contextlib import closing
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from ledger.application import IncidentLedger
from ledger.cli import main
from ledger.cli.session import Session
from ledger.cli.tables import parse_with_files
from ledger.domain.actions import parse_action
from ledger.domain.instants import micros

EXAMPLE = Path(__file__).parents[1] / "examples" / "email_delivery_2022"
SERIES = b"start,end,failed,total\n2022-03-14T16:00:00Z,2022-03-14T17:00:00Z,3,4\n"
TABLE = b"""customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
Aurora Rail,aurora-emea,email,EMEA,email-standard,EUR,4200.00,2021-01-01,
Birch Bank,birch-nam,email,NAM,email-by-share,USD,1800.50,2021-01-01,2030-01-01
"""
START = micros("2022-03-30T17:00:00.000000Z")


__all__ = ["Desk", "fill", "make", "members_of", "settle"]


class Desk:
    """A ledger and its keys in a folder, and the commands to work on it; clock, salts and seeds are counted."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.clock = itertools.count(START, 60_000_000)
        self.salts = (sha256(b"salt %d" % number).digest()[:16] for number in itertools.count())
        self.seeds = (sha256(b"seed %d" % number).digest() for number in itertools.count())

    def run(self, *words: str, url: str | None = None, code: int = 0) -> Result:
        """Run a command; it must end with this exit code."""
        moment = next(self.clock)
        session = Session(
            lambda: moment, lambda: next(self.salts), "ledger-bundled", lambda: next(self.seeds)
        )
        result = CliRunner().invoke(main, ["--ledger", url or self.url, *words], obj=session)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if result.exit_code != code:
            raise RuntimeError(f"{words} ended with {result.exit_code}, expected {code}\n{result.output}")
        return result

    def json(self, *words: str, url: str | None = None, code: int = 0) -> Any:
        """Run a command with --json and return what it said."""
        return msgspec.json.decode(self.run(*words, "--json", url=url, code=code).stdout)

    def path(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return str(self.folder / name)

    def bundle(self, *words: str, name: str = "b.zip", key: str | None = "next.key") -> bytes:
        """Make a bundle and return its bytes."""
        signed = () if key is None else ("--key-file", self.path(key))
        self.run("bundle", *words, *signed, "-o", self.path(name))
        return (self.folder / name).read_bytes()

    def verdict(self, content: bytes, *words: str) -> int:
        """Return the exit code of verify-bundle for some bytes."""
        (self.folder / "asked.zip").write_bytes(content)
        result = CliRunner().invoke(main, ["verify-bundle", self.path("asked.zip"), *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code

    def vkey(self, number: int = 0) -> str:
        """Return a key of the ledger's line, the first one first."""
        listed = self.run("key", "list", "--json").stdout.splitlines()
        found: str = msgspec.json.decode(listed[number])["vkey"]
        return found


def fill(desk: Desk) -> None:
    """Record two incidents and all that belongs to them."""
    desk.run("init")
    (desk.folder / "table.csv").write_bytes(TABLE)
    (desk.folder / "series.csv").write_bytes(SERIES)
    for name in ("email-standard", "email-by-share"):
        desk.run("policy", "publish", str(EXAMPLE / "policies" / f"{name}.toml"), "--actor", "finance")
    desk.run("subscriptions", "publish", "all", desk.path("table.csv"), "--actor", "finance")
    desk.run("key", "new", "main", "--actor", "ops", "--key-file", desk.path("main.key"))
    head = {"incident": "emea-1", "actor": "Ann", "note": "Not for the public."}
    place = {"service": "email", "component": "mail", "effect": "outage", "basis": "measured"}
    actions: list[dict[str, Any]] = [
        {"action": "open", **head, "title": "Mail late", "status": "investigating", "services": ["email"],
         "components": ["mail"], "regions": ["EMEA"], "body": "Looking.", "idempotency_key": "k-1"},
        {"action": "add-window", **head, "window": "w", **place, "region": "EMEA",
         "start": "2022-03-14T16:00:00Z", "end": "2022-03-14T17:00:00Z"},
        {"action": "update", **head, "internal": True, "body": "Nobody said this."},
        {"action": "update", **head, "body": "Jane Roe saw it."},
        {"action": "correct", **head, "corrects": "v1", "kind": "correction", "set": {"body": "Löst.", "note": "N"},
         "reason": "Wrong."},
        {"action": "record-measurement", **head, "measurement": "m", "service": "email", "component": "mail",
         "region": "EMEA", "start": "2022-03-14T16:00:00Z", "end": "2022-03-14T17:00:00Z", "of": "requests",
         "series_path": "series.csv"},
        {"action": "open", "incident": "nam-1", "actor": "Bob", "title": "Other", "status": "investigating",
         "services": ["email"], "components": ["mail"], "regions": ["NAM"], "body": "NAM only."},
    ]  # fmt: skip
    with closing(
        IncidentLedger(desk.url, clock=lambda: next(desk.clock), salts=lambda: next(desk.salts))
    ) as made:
        made.append(
            [
                parse_with_files(msgspec.json.encode(one), str(desk.folder))
                if "series_path" in one
                else parse_action(one)
                for one in actions
            ]
        )
    desk.run(
        "redact", "v4", "--incident", "emea-1", "--field", "body", "--reason", "A name.", "--actor", "dpo"
    )
    desk.run(
        "key",
        "rotate",
        "main",
        "--actor",
        "ops",
        "--key-file",
        desk.path("main.key"),
        "--new-key-file",
        desk.path("next.key"),
    )
    desk.run("incident", "resolve", "emea-1", "--actor", "Ann", "--body", "Over.")


def settle(desk: Desk) -> None:
    """Let two customers claim, exclude time for each and for everybody, and issue a statement."""
    for claim, customer in (("a-1", "Aurora Rail"), ("b-1", "Birch Bank")):
        desk.run(
            "sla", "claim", claim, "--actor", "ops", "--customer", customer, "--period", "2022-03",
            "--at", "2022-03-20T00:00:00Z",
        )  # fmt: skip
    for name, words in (
        ("x-a", ("--customer", "Aurora Rail")),
        ("x-b", ("--customer", "Birch Bank")),
        ("x-all", ()),
    ):
        desk.run(
            "sla", "exclude", name, "--actor", "ops", "--kind", "customer" if words else "force-majeure", "--service", "email",
            "--component", "*", "--region", "*", "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T16:01:00Z",
            "--approved-by", "Head of ops", "--evidence", "A ticket.", *words,
        )  # fmt: skip
    desk.run("credits", "issue", "--period", "2022-03", "--provisional", "--actor", "finance")


def make(folder: Path) -> Desk:
    """Return a filled ledger in a folder; its present key is in next.key, the first one in main.key."""
    desk = Desk(folder, f"sqlite:///{folder / 'ledger.db'}")
    fill(desk)
    return desk


def members_of(bundle: bytes) -> dict[str, bytes]:
    """Return the members of a bundle by name, as another program reads them."""
    with zipfile.ZipFile(BytesIO(bundle)) as opened:
        return {info.filename: opened.read(info) for info in opened.infolist()}
