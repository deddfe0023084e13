"""Attacks on the views of a ledger: every value of every row altered and gone, rows taken out, put in and swapped.

`SqliteViews` and `PostgresViews` keep the good state of the views of one ledger and give what `ledger verify --views` ends
with after an attack; `view_attacks` yields what is done to them, one at a time.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ledger.cli import main
from tools.ledger_attacks import Statement, altered

__all__ = ["PostgresViews", "SqliteViews", "VIEW_TABLES", "ViewVictim", "view_attacks"]

VIEW_TABLES = {
    "tracking": ("one",),
    "incident": ("incident",),
    "window": ("incident", "window", "audience", "position_from"),
}
_Attack = tuple[str, list[Statement]]


def _loosened(table: str) -> list[str]:
    """Return what makes a table one without keys and rules, so that every attack can be done to it."""
    return [
        f'CREATE TABLE loose AS SELECT * FROM "{table}"',
        f'DROP TABLE "{table}"',
        f'ALTER TABLE loose RENAME TO "{table}"',
    ]


class SqliteViews:
    """The views of a SQLite ledger in a file of their own; each attack is done to a copy that takes their place."""

    def __init__(self, ledger: Path) -> None:
        self.url = f"sqlite:///{ledger}"
        self.path = ledger.with_suffix(".views.db")
        self.good = ledger.with_suffix(".views.good")
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            for table in VIEW_TABLES:
                for statement in _loosened(table):
                    raw.execute(statement)
        shutil.copy(self.path, self.good)

    def read(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        with closing(sqlite3.connect(self.good)) as raw:
            found = raw.execute(sql)
            return [column[0] for column in found.description], found.fetchall()

    def code(self, statements: list[Statement]) -> int:
        """Return the exit code of verification after an attack."""
        shutil.copy(self.good, self.path)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous = OFF")
            for sql, values in statements:
                raw.execute(sql, values)
        return _code(self.url)


class PostgresViews:
    """The views of a PostgreSQL ledger in their schema; each attack is undone from copies of the tables."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.url = url
        self.raw = psycopg.connect(url, autocommit=True)
        self.raw.execute("SET search_path TO ledger_views")
        for table in VIEW_TABLES:
            for statement in _loosened(table):
                self.raw.execute(statement.encode())
        self.raw.execute("CREATE SCHEMA good")
        for table in VIEW_TABLES:
            self.raw.execute(f'CREATE TABLE good."{table}" AS TABLE "{table}"'.encode())

    def read(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a query."""
        found = self.raw.execute(sql.encode())
        return [column.name for column in found.description or ()], found.fetchall()

    def code(self, statements: list[Statement]) -> int:
        """Return the exit code of verification after an attack."""
        for sql, values in statements:
            self.raw.execute(sql.replace("?", "%s").encode(), values)
        try:
            return _code(self.url)
        finally:
            for table in VIEW_TABLES:
                self.raw.execute(f'DROP TABLE IF EXISTS "{table}"'.encode())
                self.raw.execute(f'CREATE TABLE "{table}" AS TABLE good."{table}"'.encode())


ViewVictim = SqliteViews | PostgresViews


def _code(url: str) -> int:
    result = CliRunner().invoke(main, ["--ledger", url, "verify", "--views"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code


def view_attacks(victim: ViewVictim) -> Iterator[_Attack]:
    """Yield (what, the attack) for every value of every row of every view and of the tracking table, and for whole rows."""
    for table, keys in VIEW_TABLES.items():
        order = ", ".join(f'"{key}"' for key in keys)
        columns, rows = victim.read(f'SELECT * FROM "{table}" ORDER BY {order}')
        for number, values in enumerate(rows, 1):
            row = dict(zip(columns, values, strict=True))
            where = " AND ".join(f'"{key}" = ?' for key in keys)
            at = tuple(row[key] for key in keys)
            for column, value in row.items():
                for new in _others(value, victim):
                    what = f"{table} row {number}: {column} becomes {new!r}"
                    yield what, [(f'UPDATE "{table}" SET "{column}" = ? WHERE {where}', (new, *at))]
            yield f"{table} row {number} taken out", [(f'DELETE FROM "{table}" WHERE {where}', at)]
            yield (
                f"{table} row {number} doubled",
                [(f'INSERT INTO "{table}" SELECT * FROM "{table}" WHERE {where}', at)],
            )
        yield f"{table} emptied", [(f'DELETE FROM "{table}"', ())]
        yield f"{table} gone", [(f'DROP TABLE "{table}"', ())]
        for column in columns:
            yield f"{table} without {column}", [(f'ALTER TABLE "{table}" DROP COLUMN "{column}"', ())]
    others: list[Statement] = [(f'DELETE FROM "{table}"', ()) for table in VIEW_TABLES]
    yield "all rows of all tables taken out", others
    # As views that lag behind, but the root is not that of the smaller ledger.
    yield "an earlier position, the root left", [('UPDATE "tracking" SET "position" = "position" - 1', ())]
    if isinstance(victim, SqliteViews):
        yield "a title that is no UTF-8", [("UPDATE incident SET title = CAST(x'ff41' AS TEXT)", ())]
        yield "a status that is no text", [("UPDATE incident SET status = CAST(status AS BLOB)", ())]
        yield "a root that is a text", [("UPDATE tracking SET root = 'x'", ())]
        yield "a position that is a text", [("UPDATE tracking SET position = 'x'", ())]


def _others(value: object, victim: ViewVictim) -> list[object]:
    """Return values that are not this one, null among them, of kinds that its column takes."""
    if value is None:
        # A column knows its kind on one database only; a text of digits goes into columns of either kind.
        return ["7"]
    if isinstance(value, bool):
        return [not value, None]
    empty: list[object] = [""] if isinstance(value, str) and value else []
    if isinstance(value, int) and isinstance(victim, SqliteViews):
        empty = [value - 1, "x"]
    return [*altered(value), *empty, None]
