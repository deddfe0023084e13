"""Every logical value of every ledger table is altered in turn, and verify finds each: no survivors."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.application import IncidentLedger
from ledger.cli import main
from ledger.store.tree import Frontier, leaf_hash
from tools.ledger_attacks import (
    PostgresVictim,
    SqliteVictim,
    Victim,
    attacks,
    check,
    disarm,
    make_victim,
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite ledger to attack; its guards are off."""
    folder = tmp_path_factory.mktemp("tampering")
    path = folder / "ledger.db"
    make_victim(f"sqlite:///{path}", folder)
    disarm(path)
    assert check(path).ok
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def victim(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Victim]:
    """Give the same ledger in each database."""
    if request.param == "sqlite":
        yield SqliteVictim(request.getfixturevalue("ledger"), tmp_path / "copy.db")
        return
    url = request.getfixturevalue("postgres_url")
    make_victim(url, tmp_path)
    made = PostgresVictim(url)
    yield made
    made.raw.close()


def test_no_attack_survives(victim: Victim) -> None:
    """Verify finds each alteration, and names the position where one row was altered."""
    assert victim.report([]).ok
    count, survivors, misplaced = 0, [], []
    for what, position, statements in list(attacks(victim)):
        report = victim.report(statements)
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
    assert victim.report([]).ok


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
