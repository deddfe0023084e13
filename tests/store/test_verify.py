"""Verify never raises, whatever stands in the rows, and finds what the guards of the tables would have kept out.

The alterations that a SQLite ledger with its column types admits are in test_tampering.py.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
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

_EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
_TABLES = ("ledger_entry", "ledger_head", "ledger_tile", "ledger_content")
_WRONG: tuple[object, ...] = (
    None, 0, -1, 1 << 40, 1.5, "", "x", b"", b"\xff", b"null", b"[]", b"{}", b'{"header":1,"data":2}',
    b'{"data":[],"header":{}}', b'{"data":{},"header":{}}', b'{"data":{},"header":{"position":0}}', b"[" * 5_000,
)  # fmt: skip


def _fill(url: str, folder: Path) -> None:
    """Make a ledger with a full tile, a correction, an erasure, a policy and a kept table."""
    (folder / "subscriptions.csv").write_bytes((_EXAMPLE / "subscriptions.csv").read_bytes())
    terms = (_EXAMPLE / "policies" / "email-standard.toml").read_text()
    head = {"incident": "a", "actor": "ops"}
    actions: list[dict[str, Any]] = [
        {"action": "open", **head, "title": "T", "status": "investigating", "idempotency_key": "k"},
        {"action": "update", **head, "body": "One", "note": "N"},
        {"action": "correct", **head, "corrects": "v2", "kind": "correction", "set": {"body": "Two"}, "reason": "R"},
        *({"action": "update", **head, "body": f"Number {number}"} for number in range(290)),
    ]  # fmt: skip
    with closing(IncidentLedger(url)) as made:
        made.create("ledger-damaged")
        made.append([parse_action(action) for action in actions])
        made.record("redact", "a", actor="dpo", entry="v2", fields=["body"], reason="A name.")
        given = (
            {"action": "publish-policy", "actor": "f", "terms": terms},
            {"action": "publish-subscriptions", "subscriptions": "s", "actor": "f", "path": "subscriptions.csv"},
        )  # fmt: skip
        made.append([parse_with_files(msgspec.json.encode(one), str(folder)) for one in given])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a sound ledger without triggers."""
    folder = tmp_path_factory.mktemp("verify")
    path = folder / "ledger.db"
    _fill(f"sqlite:///{path}", folder)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("PRAGMA journal_mode = DELETE")
    report = _check(path)
    assert (report.ok, report.size, report.erased, report.contents) == (True, 296, 1, 1)
    return path


def _check(path: Path) -> Report:
    with closing(open_log(f"sqlite:///{path}", writable=False)) as log:
        return verify(log)


def _found(
    path: Path, copy: Path, *statements: tuple[str, tuple[object, ...]]
) -> list[tuple[int | None, str]]:
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        for sql, values in statements:
            raw.execute(sql, values)
    return [(one.position, one.kind) for one in _check(copy).problems]


def test_values_of_any_type_in_any_column_are_found_and_never_raise(sound: Path, tmp_path: Path) -> None:
    """Given tables whose column types are gone, when a value is of the wrong type or missing, then verify names it."""
    loose, count, survivors, misplaced = tmp_path / "loose.db", 0, [], []
    shutil.copy(sound, loose)
    with closing(sqlite3.connect(loose, isolation_level=None)) as raw:
        for table in _TABLES:
            names = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
            raw.execute(f"CREATE TABLE loose_{table} ({', '.join(names)})")
            raw.execute(f"INSERT INTO loose_{table} SELECT * FROM {table}")
            raw.execute(f"DROP TABLE {table}")
            raw.execute(f"ALTER TABLE loose_{table} RENAME TO {table}")
        raw.execute("PRAGMA synchronous = OFF")
    assert _check(loose).ok
    with closing(sqlite3.connect(loose, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        columns = {table: [row[1] for row in raw.execute(f"PRAGMA table_info({table})")] for table in _TABLES}
        for table, names in columns.items():
            rowids = (1, 2, 3, 256, 294, 295, 296) if table == "ledger_entry" else (1,)
            for rowid in rowids:
                for name in names:
                    if name == "one":
                        continue
                    before = raw.execute(f"SELECT {name} FROM {table} WHERE rowid = ?", (rowid,)).fetchone()[
                        0
                    ]
                    for value in _WRONG:
                        if value == before and type(value) is type(before):
                            continue
                        raw.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (value, rowid))
                        report = _check(loose)
                        raw.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (before, rowid))
                        count += 1
                        if report.ok:
                            survivors.append((table, rowid, name, value))
                        elif table == "ledger_entry" and name != "position":
                            if all(one.position != rowid for one in report.problems):
                                misplaced.append((rowid, name, value, report.problems[:2]))
    assert _check(loose).ok
    assert survivors == []
    assert misplaced == []
    assert count >= 1_000


def test_random_bytes_of_entries_and_texts_are_found(sound: Path, tmp_path: Path) -> None:
    chosen = random.Random(2022)
    with closing(sqlite3.connect(sound)) as raw:
        rows = raw.execute("SELECT position, entry, texts FROM ledger_entry").fetchall()
    for _ in range(150):
        row = chosen.choice(rows)
        name, value = chosen.choice((("entry", row[1]), ("texts", row[2])))
        at = chosen.randrange(len(value))
        changed = value[:at] + bytes([value[at] ^ chosen.randrange(1, 256)]) + value[at + 1 :]
        found = _found(sound, tmp_path / "copy.db",
                       (f"UPDATE ledger_entry SET {name} = ? WHERE position = ?", (changed, row[0])))  # fmt: skip
        assert row[0] in [position for position, _ in found], (row[0], name, at, changed)


@pytest.mark.parametrize("name", ["stream", "type", "recorded_at", "idempotency_key"])
def test_text_that_is_not_utf_8_is_named_by_position(sound: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy.db"
    sql = f"UPDATE ledger_entry SET {name} = CAST(? AS TEXT) WHERE position = 2"
    assert (2, "unreadable") in _found(sound, copy, (sql, (b"a\xff\xfe",)))
    for arguments in (["verify"], ["verify", "--json"]):
        assert CliRunner().invoke(main, ["--ledger", f"sqlite:///{copy}", *arguments]).exit_code == 1


@pytest.mark.parametrize("position", [0, -7, (1 << 62) + 1])
def test_a_row_outside_the_positions_is_found(sound: Path, tmp_path: Path, position: int) -> None:
    """Reading begins at position 1, so a row before it would be shown by its stream and by no check."""
    sql = "INSERT INTO ledger_entry VALUES (?, 'incident/forged', 1, 'incident.opened', '', NULL, x'', x'')"
    assert (position, "position-unexpected") in _found(sound, tmp_path / "copy.db", (sql, (position,)))


def test_texts_in_another_shape_are_found(sound: Path, tmp_path: Path) -> None:
    """A null for an erased text, and an object for the pair of salt and value, hash to nothing wrong."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(sound)) as raw:
        texts = msgspec.json.decode(
            raw.execute("SELECT texts FROM ledger_entry WHERE position = 2").fetchone()[0]
        )
    sql = "UPDATE ledger_entry SET texts = ? WHERE position = 2"
    null = msgspec.json.encode({**texts, "body": None}, order="sorted")
    assert (2, "text-differs") in _found(sound, copy, (sql, (null,)))
    salt, value = texts["actor"]
    assert salt < value
    pair = msgspec.json.encode({**texts, "actor": {salt: 0, value: 0}}, order="sorted")
    assert _found(sound, copy, (sql, (pair,))) == [(2, "text-differs")]


def test_an_empty_chunk_behind_a_kept_table_is_found(sound: Path, tmp_path: Path) -> None:
    sql = "INSERT INTO ledger_content SELECT sha256, 1, x'' FROM ledger_content"
    assert _found(sound, tmp_path / "copy.db", (sql, ())) == [(296, "content-differs")]


def test_a_deleted_head_row_is_a_problem_and_no_error(sound: Path, tmp_path: Path) -> None:
    assert (None, "head-missing") in _found(sound, tmp_path / "copy.db", ("DELETE FROM ledger_head", ()))


def test_a_cut_tail_with_a_matching_head_is_not_found(sound: Path, tmp_path: Path) -> None:
    """The documented limit: what is left is whole in itself, and only its size and root are others."""
    frontier, last = Frontier(), ""
    with closing(sqlite3.connect(sound)) as raw:
        for entry, recorded_at in raw.execute(
            "SELECT entry, recorded_at FROM ledger_entry WHERE position <= 295 ORDER BY position"
        ):
            frontier.add(leaf_hash(entry))
            last = recorded_at
    cut = [("DELETE FROM ledger_entry WHERE position > 295", ()), ("DELETE FROM ledger_content", ())]
    head = ("UPDATE ledger_head SET size = 295, root = ?, frontier = ?, last_recorded_at = ?",
            (frontier.root(), frontier.pack(), last))  # fmt: skip
    copy = tmp_path / "copy.db"
    assert (None, "head-differs") in _found(sound, copy, *cut)
    assert _found(sound, copy, *cut, head) == []
    assert _check(copy).root != _check(sound).root


def test_an_empty_ledger_is_empty_and_not_wrong(sqlite_url: str) -> None:
    with closing(IncidentLedger(sqlite_url)) as made:
        made.create()
        report = verify(made.sealed)
    assert (report.empty, report.ok, report.size) == (True, True, 0)


@pytest.fixture
def server(
    postgres_url: str, tmp_path: Path
) -> Iterator[tuple[str, Callable[[str], list[tuple[int | None, str]]]]]:
    import psycopg

    _fill(postgres_url, tmp_path)

    with closing(psycopg.connect(postgres_url, autocommit=True)) as raw:

        def attack(sql: str) -> list[tuple[int | None, str]]:
            for table in _TABLES:
                saved = f"saved_{table}"
                raw.execute(f"DROP TABLE IF EXISTS {saved}".encode())
                raw.execute(f"CREATE TABLE {saved} AS TABLE {table}".encode())
                raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
            raw.execute(sql.encode())
            with closing(open_log(postgres_url, writable=False)) as log:
                found = [(one.position, one.kind) for one in verify(log).problems]
            for table in _TABLES:
                raw.execute(f"DELETE FROM {table}".encode())
                raw.execute(f"INSERT INTO {table} SELECT * FROM saved_{table}".encode())
            return found

        yield postgres_url, attack


@pytest.mark.postgres
def test_on_postgresql_nothing_survives_either(
    server: tuple[str, Callable[[str], list[tuple[int | None, str]]]],
) -> None:
    url, attack = server
    with closing(open_log(url, writable=False)) as log:
        assert verify(log).ok
    attacks = {
        "UPDATE ledger_entry SET type = 'incident.opened' WHERE position = 2": (2, "column-differs"),
        "UPDATE ledger_entry SET stream = 'incident/b' WHERE position = 2": (2, "column-differs"),
        "UPDATE ledger_entry SET recorded_at = 'x' WHERE position = 2": (2, "column-differs"),
        "UPDATE ledger_entry SET entry = set_byte(entry, 30, 0) WHERE position = 256": (256, "unreadable"),
        "UPDATE ledger_entry SET texts = '{}' WHERE position = 3": (3, "text-missing"),
        "UPDATE ledger_entry SET position = -5 WHERE position = 296": (-5, "position-unexpected"),
        "DELETE FROM ledger_entry WHERE position = 9": (9, "position-missing"),
        "DELETE FROM ledger_entry WHERE position > 290": (None, "head-differs"),
        "UPDATE ledger_head SET root = set_byte(root, 0, get_byte(root, 0) # 1)": (None, "head-differs"),
        "DELETE FROM ledger_head": (None, "head-missing"),
        "UPDATE ledger_tile SET hashes = set_byte(hashes, 32, get_byte(hashes, 32) # 1)": (2, "tile-differs"),
        "DELETE FROM ledger_tile": (256, "tile-missing"),
        "UPDATE ledger_content SET bytes = set_byte(bytes, 0, 0)": (296, "content-differs"),
        "DELETE FROM ledger_content": (296, "content-missing"),
    }
    missed = {sql: found for sql, wanted in attacks.items() if wanted not in (found := attack(sql))}
    assert missed == {}
    with closing(open_log(url, writable=False)) as log:
        assert verify(log).ok


# ---- several processes -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a sound ledger of eight tiles and a bit, without triggers, with an erasure across ranges."""
    path = tmp_path_factory.mktemp("ranges") / "ledger.db"
    lines = [{"action": "open", "incident": "a", "actor": "ops", "title": "T", "status": "investigating"}]
    lines += [{"action": "update", "incident": "a", "actor": "ops", "body": f"N {at}"} for at in range(2_100)]
    with closing(IncidentLedger(f"sqlite:///{path}")) as made:
        made.create("ledger-long")
        made.append([parse_action(line) for line in lines])
        made.record("redact", "a", actor="dpo", entry="v5", fields=["body"], reason="A name.")
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("PRAGMA journal_mode = DELETE")
    return path


def _together(path: Path, monkeypatch: pytest.MonkeyPatch, processes: int = 3) -> tuple[Report, int]:
    """Return the report of several processes, and how many were started."""
    from ledger.store import verify as module

    started: list[object] = []

    class Counted(subprocess.Popen):  # type: ignore[type-arg]  # only counted
        def __init__(self, *arguments: Any, **options: Any) -> None:
            started.append(arguments)
            super().__init__(*arguments, **options)

    with monkeypatch.context() as patched, closing(open_log(f"sqlite:///{path}", writable=False)) as log:
        patched.setattr(module, "_ENTRIES_PER_PROCESS", 500)
        patched.setattr(subprocess, "Popen", Counted)
        return verify(log, processes=processes), len(started)


def test_several_processes_say_what_one_says(
    long: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, started = _together(long, monkeypatch)
    assert (report, started) == (_check(long), 2)
    assert (report.ok, report.size, report.erased) == (True, 2_102, 1)
    attacks = [
        ("UPDATE ledger_entry SET texts = x'7b7d' WHERE position = 9", (9, "text-missing")),
        ("UPDATE ledger_entry SET version = 9999 WHERE position = 1030", (1030, "column-differs")),
        ("UPDATE ledger_entry SET recorded_at = '2001-01-01T00:00:00.000000Z' WHERE position = 769", (769, "column-differs")),
        ("UPDATE ledger_entry SET entry = CAST(replace(entry, 'ledger-long', 'ledger-lonh') AS BLOB) WHERE position = 2102",
         (2102, "ledger-differs")),
        ("DELETE FROM ledger_entry WHERE position = 768", (768, "position-missing")),
        ("DELETE FROM ledger_entry WHERE position > 2000", (2001, "position-missing")),
        ("DELETE FROM ledger_tile WHERE level = 0 AND idx = 1", (512, "tile-missing")),
        ("UPDATE ledger_head SET size = 2101", (None, "head-differs")),
    ]  # fmt: skip
    for sql, wanted in attacks:
        copy = tmp_path / "copy.db"
        shutil.copy(long, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
            raw.execute(sql)
        found, _ = _together(copy, monkeypatch)
        assert found == _check(copy), sql
        assert wanted in [(one.position, one.kind) for one in found.problems], sql


def test_without_other_processes_one_reads_alone(
    long: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for broken in (str(tmp_path / "nothing"), "/bin/false", "/bin/true"):
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", broken)
            assert _together(long, monkeypatch)[0] == _check(long)
