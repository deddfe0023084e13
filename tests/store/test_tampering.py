"""Every logical value of every ledger table is altered in turn, and verify finds each: no survivors."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from ledger.application import IncidentLedger
from ledger.cli import main
from ledger.cli.tables import parse_with_files
from ledger.domain.actions import parse_action
from ledger.store.location import open_log
from ledger.store.tree import Frontier, leaf_hash
from ledger.store.verify import Report, verify

TERMS = (Path(__file__).parents[2] / "examples/email_delivery_2022/policies/email-standard.toml").read_text()
TABLE = (Path(__file__).parents[2] / "examples/email_delivery_2022/subscriptions.csv").read_bytes()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ledger with a full tile, texts, a correction, an erasure, a policy and a kept table; guards off."""
    folder = tmp_path_factory.mktemp("tampering")
    (folder / "subscriptions.csv").write_bytes(TABLE)
    path = folder / "ledger.db"
    with closing(IncidentLedger(f"sqlite:///{path}")) as made:
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
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("PRAGMA journal_mode = DELETE")
    assert check(path).ok
    return path


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


def attacks(path: Path) -> Iterator[tuple[str, int | None, Callable[[sqlite3.Connection], object]]]:
    """Yield (what, position or None, the attack) for every value of every table, and for whole rows."""
    with closing(sqlite3.connect(path)) as raw:
        tables = {
            table: ([column[1] for column in raw.execute(f"PRAGMA table_info({table})")],
                    raw.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall())
            for table in ("ledger_entry", "ledger_head", "ledger_tile", "ledger_content")
        }  # fmt: skip
    for table, (columns, rows) in tables.items():
        # All rows of the small tables; of the entries the special ones, both ends and the edge of the tile.
        chosen = (
            rows
            if table != "ledger_entry"
            else [row for row in rows if row[0] <= 6 or row[0] in (128, 255, 256, 257) or row[0] > 257]
        )
        for row in chosen:
            position = row[0] if table == "ledger_entry" else None
            for column, value in zip(columns, row[1:], strict=True):
                if column == "texts":
                    for path_, text in msgspec.json.decode(value).items():
                        for which in (0, 1):
                            changed = msgspec.json.decode(value)
                            changed[path_] = [
                                ("0" * 32 if which == 0 else text[0]),
                                (text[1] + "x" if which else text[1]),
                            ]
                            yield (
                                f"text {path_} {which}",
                                position,
                                set_to(table, column, row[0], msgspec.json.encode(changed, order="sorted")),
                            )
                        gone = {
                            name: kept for name, kept in msgspec.json.decode(value).items() if name != path_
                        }
                        yield (
                            f"text {path_} gone",
                            position,
                            set_to(
                                table,
                                column,
                                row[0],
                                msgspec.json.encode(gone, order="sorted") if gone else b"{}",
                            ),
                        )
                    extra = {**msgspec.json.decode(value), "zz": ["0" * 32, "v"]}
                    yield (
                        "text added",
                        position,
                        set_to(table, column, row[0], msgspec.json.encode(extra, order="sorted")),
                    )
                elif column != "one":
                    for new in altered(value):
                        yield f"{table}.{column}", position, set_to(table, column, row[0], new)
            yield f"{table} row deleted", position, delete(table, row[0])
    yield "entries swapped", 5, swap
    yield "an entry inserted", None, insert
    yield (
        "the tail cut, the head left",
        None,
        lambda raw: raw.execute("DELETE FROM ledger_entry WHERE position > 250"),
    )
    yield (
        "a tile inserted",
        None,
        lambda raw: raw.execute("INSERT INTO ledger_tile VALUES (0, 9, x'00', x'00')"),
    )
    yield (
        "a table inserted",
        None,
        lambda raw: raw.execute("INSERT INTO ledger_content VALUES ('ab', 0, x'00')"),
    )


def set_to(table: str, column: str, rowid: int, value: object) -> Callable[[sqlite3.Connection], object]:
    """Return the attack that sets one value."""
    return lambda raw: raw.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))


def delete(table: str, rowid: int) -> Callable[[sqlite3.Connection], object]:
    """Return the attack that deletes one row."""
    return lambda raw: raw.execute(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))


def swap(raw: sqlite3.Connection) -> None:
    """Swap what two rows say."""
    one, two = (
        raw.execute("SELECT entry, texts FROM ledger_entry WHERE position = ?", (at,)).fetchone()
        for at in (5, 6)
    )
    raw.execute("UPDATE ledger_entry SET entry = ?, texts = ? WHERE position = 5", two)
    raw.execute("UPDATE ledger_entry SET entry = ?, texts = ? WHERE position = 6", one)


def insert(raw: sqlite3.Connection) -> None:
    """Put in a copy of the last entry at the next position."""
    raw.execute(
        "INSERT INTO ledger_entry SELECT position + 1, stream, version + 1, type, recorded_at, NULL, entry, texts"
        " FROM ledger_entry ORDER BY position DESC LIMIT 1"
    )


def test_no_attack_survives(ledger: Path, tmp_path: Path) -> None:
    """Verify finds each alteration, and names the position where one row was altered."""
    copy, count, survivors, misplaced = tmp_path / "copy.db", 0, [], []
    for what, position, attack in attacks(ledger):
        shutil.copy(ledger, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
            raw.execute("PRAGMA synchronous = OFF")
            attack(raw)
        report = check(copy)
        count += 1
        if report.ok:
            survivors.append((what, position))
        elif position is not None and not any(one.position == position for one in report.problems):
            misplaced.append((what, position, report.problems[:2]))
    print(f"{count} attacks, {len(survivors)} survivors")
    assert not survivors
    # A row that says another position is missed where it was; everything else is named where it stands.
    assert not misplaced
    assert count >= 240


def test_a_cut_tail_with_a_matching_head_needs_an_outside_checkpoint(ledger: Path, tmp_path: Path) -> None:
    """What verify cannot see, as its help says: a smaller ledger that is whole in itself."""
    copy = tmp_path / "copy.db"
    shutil.copy(ledger, copy)
    before = check(copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        raw.execute("DELETE FROM ledger_entry WHERE position > 250")
        raw.execute("DELETE FROM ledger_tile")
        raw.execute("DELETE FROM ledger_content")
        # The erasure went with the tail, so the text would be missing: the forger keeps clear of it.
        raw.execute("UPDATE ledger_entry SET texts = texts WHERE position = 2")
        frontier = Frontier()
        last = ""
        for entry, at in raw.execute("SELECT entry, recorded_at FROM ledger_entry ORDER BY position"):
            frontier.add(leaf_hash(entry))
            last = at
        raw.execute(
            "UPDATE ledger_head SET size = 250, root = ?, frontier = ?, last_recorded_at = ?",
            (frontier.root(), frontier.pack(), last),
        )
    report = check(copy)
    assert [(one.position, one.kind) for one in report.problems] == [(2, "text-missing")]
    assert (report.size, report.root) != (before.size, before.root)


def test_guards_refuse(ledger: Path, tmp_path: Path) -> None:
    """A ledger with its guards on refuses to be changed or deleted from."""
    path = tmp_path / "guarded.db"
    with closing(IncidentLedger(f"sqlite:///{path}")) as made:
        made.create()
        made.record("open", "a", actor="ops", title="T", status="investigating")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for statement in (
            "UPDATE ledger_entry SET entry = x'00'", "UPDATE ledger_entry SET position = 9", "DELETE FROM ledger_entry",
            "UPDATE ledger_entry SET texts = texts || x'20'", "DELETE FROM ledger_head",
        ):  # fmt: skip
            with pytest.raises(sqlite3.IntegrityError):
                raw.execute(statement)


def test_exit_codes(ledger: Path, tmp_path: Path) -> None:
    """0 when all is well, 1 when something was altered, 3 when there was nothing to verify."""
    copy, empty = tmp_path / "copy.db", tmp_path / "empty.db"
    shutil.copy(ledger, copy)
    runner = CliRunner()
    assert runner.invoke(main, ["--ledger", f"sqlite:///{copy}", "verify"]).exit_code == 0
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        raw.execute("UPDATE ledger_entry SET type = 'incident.opened' WHERE position = 2")
    result = runner.invoke(main, ["--ledger", f"sqlite:///{copy}", "verify"])
    assert result.exit_code == 1
    assert "@2  column-differs" in result.stdout
    assert runner.invoke(main, ["--ledger", f"sqlite:///{empty}", "init"]).exit_code == 0
    assert runner.invoke(main, ["--ledger", f"sqlite:///{empty}", "verify"]).exit_code == 3
