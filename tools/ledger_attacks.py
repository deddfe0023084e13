"""Attacks on the database of a ledger: every value of every table altered, rows deleted, put in and swapped.

`make_victim` makes a ledger with a full tile, texts, a correction, an erasure, a policy, a kept table and keys; `attacks` yields
what is done to it, one at a time; a victim does each to a copy, and gives what verification says of it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from ledger.application import IncidentLedger
from ledger.cli.tables import parse_with_files
from ledger.domain.actions import parse_action
from ledger.store.location import open_log
from ledger.store.verify import Report, verify

__all__ = [
    "TABLES",
    "Attack",
    "PostgresVictim",
    "SqliteVictim",
    "Statement",
    "Victim",
    "altered",
    "attacks",
    "check",
    "disarm",
    "make_victim",
]

TERMS = (Path(__file__).parents[1] / "examples/email_delivery_2022/policies/email-standard.toml").read_text()
TABLE = (Path(__file__).parents[1] / "examples/email_delivery_2022/subscriptions.csv").read_bytes()


TABLES = {
    "ledger_entry": ("position",),
    "ledger_head": ("one",),
    "ledger_tile": ("level", "idx"),
    "ledger_content": ("sha256", "chunk"),
}
Statement = tuple[str, tuple[object, ...]]
Attack = tuple[str, int | None, list[Statement]]


def make_victim(url: str, folder: Path) -> None:
    """Make a ledger with a full tile, texts, a correction, an erasure, a policy and a kept table."""
    (folder / "subscriptions.csv").write_bytes(TABLE)
    with closing(IncidentLedger(url)) as made:
        made.create("ledger-attacked")
        head = {"incident": "a", "actor": "ops"}
        actions: list[dict[str, Any]] = [
            {
                "action": "open",
                **head,
                "title": "T",
                "status": "investigating",
                "ref": "opened",
                "idempotency_key": "k-1",
            },
            {"action": "update", **head, "body": "One"},
            {
                "action": "correct",
                **head,
                "corrects": "v2",
                "kind": "correction",
                "set": {"body": "Two"},
                "reason": "R",
            },
        ]
        actions += [{"action": "update", **head, "body": f"Number {number}"} for number in range(255)]
        made.append([parse_action(action) for action in actions])
        made.record("redact", "a", actor="dpo", entry="v2", fields=["body"], reason="A name.")
        made.append(
            [
                parse_with_files(msgspec.json.encode(given), str(folder))
                for given in (
                    {"action": "publish-policy", "actor": "f", "terms": TERMS},
                    {
                        "action": "publish-subscriptions",
                        "subscriptions": "s",
                        "actor": "f",
                        "path": "subscriptions.csv",
                    },
                )
            ]
        )


class SqliteVictim:
    """A file with its guards off; each attack is done to a copy."""

    def __init__(self, path: Path, copy: Path) -> None:
        self.path, self.copy = path, copy

    def read(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        with closing(sqlite3.connect(self.path)) as raw:
            found = raw.execute(sql)
            return [column[0] for column in found.description], found.fetchall()

    def report(self, statements: list[Statement]) -> Report:
        """Return what verification says after an attack."""
        shutil.copy(self.path, self.copy)
        with closing(sqlite3.connect(self.copy, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous = OFF")
            for sql, values in statements:
                raw.execute(sql, values)
        return check(self.copy)


class PostgresVictim:
    """A database with its guards off; each attack is undone from copies of the tables."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.url = url
        self.raw = psycopg.connect(url, autocommit=True)
        for table in TABLES:
            self.raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
            self.raw.execute(f"CREATE TABLE good_{table} AS TABLE {table}".encode())

    def read(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        found = self.raw.execute(sql.encode())
        return [column.name for column in found.description or ()], found.fetchall()

    def report(self, statements: list[Statement]) -> Report:
        """Return what verification says after an attack."""
        for sql, values in statements:
            self.raw.execute(sql.replace("?", "%s").encode(), values)
        try:
            with closing(open_log(self.url, writable=False)) as log:
                return verify(log)
        finally:
            for table in TABLES:
                self.raw.execute(f"DELETE FROM {table}".encode())
                self.raw.execute(f"INSERT INTO {table} TABLE good_{table}".encode())


Victim = SqliteVictim | PostgresVictim


def disarm(path: Path) -> None:
    """Take the guards of a SQLite ledger off, and keep all of it in one file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("PRAGMA journal_mode = DELETE")


def check(path: Path) -> Report:
    """Verify a file."""
    with closing(open_log(f"sqlite:///{path}", writable=False)) as log:
        return verify(log)


def altered(value: object) -> list[object]:
    """Return values that are not this one, of the same type."""
    if isinstance(value, bytes):
        flipped = bytes([value[0] ^ 1]) + value[1:] if value else b"\x00"
        last = value[:-1] + bytes([value[-1] ^ 1]) if value else b"\x01"
        return [flipped, last]
    if isinstance(value, int):
        return [value + 1_000]
    if isinstance(value, str):
        return [value + "x"]
    return ["x"]


def attacks(victim: Victim) -> Iterator[Attack]:
    """Yield (what, position or None, the attack) for every value of every table, and for whole rows."""
    entries: list[dict[str, Any]] = []
    for table, keys in TABLES.items():
        columns, rows = victim.read(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}")
        for values in rows:
            row = dict(zip(columns, values, strict=True))
            position = row.get("position")
            if position is not None:
                entries.append(row)
                # All rows of the small tables; of the entries the special ones, both ends and the edge of the tile.
                if 6 < position < 258 and position not in (128, 255, 256, 257):
                    continue
            where = " AND ".join(f"{key} = ?" for key in keys)
            at = tuple(row[key] for key in keys)
            for column, value in row.items():
                if column == "one":
                    continue
                if column == "texts":
                    yield from (
                        (what, position, [(f"UPDATE {table} SET texts = ? WHERE {where}", (new, *at))])
                        for what, new in texts_altered(value)
                    )
                    continue
                for new in altered(value):
                    yield (
                        f"{table}.{column}",
                        position,
                        [(f"UPDATE {table} SET {column} = ? WHERE {where}", (new, *at))],
                    )
            yield f"{table} row deleted", position, [(f"DELETE FROM {table} WHERE {where}", at)]
    swapped = "UPDATE ledger_entry SET entry = ?, texts = ? WHERE position = ?"
    five, six = entries[4], entries[5]
    yield (
        "entries swapped",
        5,
        [(swapped, (six["entry"], six["texts"], 5)), (swapped, (five["entry"], five["texts"], 6))],
    )
    copied = (
        "INSERT INTO ledger_entry SELECT position + 1, stream, version + 1, type, recorded_at, NULL, entry, texts"
        " FROM ledger_entry ORDER BY position DESC LIMIT 1"
    )
    yield "an entry inserted", None, [(copied, ())]
    yield "the tail cut, the head left", None, [("DELETE FROM ledger_entry WHERE position > 250", ())]
    yield "a tile inserted", None, [("INSERT INTO ledger_tile VALUES (0, 9, ?, ?)", (b"\0", b"\0"))]
    yield "a table inserted", None, [("INSERT INTO ledger_content VALUES ('ab', 0, ?)", (b"\0",))]


def texts_altered(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each salt and each text of an entry altered, gone, and one more of them."""
    texts = msgspec.json.decode(value)
    for path, (salt, text) in texts.items():
        for what, new in (("salt", ["0" * 32, text]), ("value", [salt, text + "x"])):
            yield f"text {path} {what}", msgspec.json.encode({**texts, path: new}, order="sorted")
        gone = {name: kept for name, kept in texts.items() if name != path}
        yield f"text {path} gone", msgspec.json.encode(gone, order="sorted")
    yield "text added", msgspec.json.encode({**texts, "zz": ["0" * 32, "v"]}, order="sorted")
