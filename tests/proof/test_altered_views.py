"""Whatever is altered in the views or in their tracking row is found by `ledger verify --views`, on both databases."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.store.location import open_log
from projections.views import open_views
from tools.small_ledger import Desk, fill
from tools.view_attacks import PostgresViews, SqliteViews, ViewVictim, view_attacks


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    """Give a filled ledger with views in each database."""
    made = Desk(tmp_path, request.getfixturevalue(f"{request.param}_url"))
    fill(made)
    made.run("views", "rebuild")
    return made


@pytest.fixture
def victim(desk: Desk) -> Iterator[ViewVictim]:
    """Give the views of a ledger to attack."""
    if desk.url.startswith("sqlite"):
        yield SqliteViews(desk.folder / "ledger.db")
        return
    made = PostgresViews(desk.url)
    yield made
    made.raw.close()


def test_no_attack_on_a_view_survives(victim: ViewVictim) -> None:
    """Values of rows, null, rows put in and taken out: a finding, never "there are no views"; all of them: make attack."""
    assert victim.code([]) == 0
    every = list(view_attacks(victim))
    assert len(every) > 250
    tried = [one for number, one in enumerate(every) if one[0].startswith("tracking") or not number % 13]
    found = {what: victim.code(statements) for what, statements in tried}
    assert [what for what, code in found.items() if code != 1] == []
    for column in ("one", "ledger", "format", "position", "root"):
        assert any(what.startswith(f"tracking row 1: {column} becomes") for what in found), column
    assert victim.code([]) == 0


def kinds(desk: Desk, code: int) -> list[str]:
    report = desk.json("verify", "--views", code=code)
    return [one["kind"] for one in report["problems"]]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("ledger", "other", "its tracking row has the ledger 'other', expected 'ledger-bundled'"),
        ("position", 900, "its tracking row has the position 900, but the ledger has 14 entries"),
        ("root", b"\x00\xff", "its tracking row has the root 00ff for 14 entries, but the ledger has "),
    ],
)
def test_what_the_finding_says(tmp_path: Path, column: str, value: object, sentence: str) -> None:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
    fill(desk)
    desk.run("views", "rebuild")
    with closing(sqlite3.connect(tmp_path / "ledger.views.db", isolation_level=None)) as raw:
        raw.execute(f"UPDATE tracking SET {column} = ?", (value,))
    result = desk.run("verify", "--views", code=1)
    assert sentence in result.stdout
    assert "the ledger itself is whole" in result.stderr
    assert kinds(desk, 1) == ["view-differs"]


def test_views_that_only_lag_behind_are_brought_up_and_compared(desk: Desk) -> None:
    """An honest tracking row of a smaller ledger is no finding."""
    with closing(open_log(desk.url, writable=False)) as log:
        views = open_views(log)
        behind = views.position()
        desk.run("incident", "update", "nam-1", "--actor", "Bob", "--body", "More.")
        assert views.status()["lag"] == 1
        views.engine.dispose()
        assert kinds(desk, 0) == []
        views = open_views(log)
        assert behind is not None
        assert views.position() == behind + 1
        views.engine.dispose()


def test_only_where_nothing_stands_there_are_no_views(tmp_path: Path) -> None:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
    fill(desk)
    place = tmp_path / "ledger.views.db"
    place.unlink()  # A command that erases or lists makes them.
    assert (
        "what stands in the views was not compared, because there are none"
        in desk.run("verify", "--views", code=3).stderr
    )
    place.touch()
    assert (
        "what stands in the views was not compared, because there are none"
        in desk.run("verify", "--views", code=3).stderr
    )
    place.write_bytes(b"this is no database at all " * 200)
    assert "cannot be compared: file is not a database" in desk.run("verify", "--views", code=3).stderr
    place.unlink()
    desk.run("views", "rebuild")
    shutil.copy(place, tmp_path / "other.views.db")
    other = Desk(tmp_path, f"sqlite:///{tmp_path / 'other.db'}")
    other.run("init")
    other.run("incident", "open", "x", "--actor", "a", "--title", "T", "--status", "investigating")
    # The desk names every ledger alike: these are the views of more entries than there are.
    assert kinds(other, 1) == ["view-differs"]


ADDED = {
    "a table": (["CREATE TABLE more (x INTEGER)"], "it has the table more"),
    "a column": (["ALTER TABLE incident ADD COLUMN more TEXT"], "its table incident has more"),
    "a view": (["CREATE VIEW more AS SELECT 1"], "it has the view more"),
    "a view for a table": (
        ['ALTER TABLE "window" RENAME TO kept', 'CREATE VIEW "window" AS SELECT * FROM kept'],
        "it has the table kept",
    ),
}
SQLITE_TRIGGER = [
    "CREATE TRIGGER more AFTER INSERT ON incident BEGIN UPDATE incident SET status = 'resolved'; END",
]
POSTGRES_TRIGGER = [
    "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := 'resolved'; RETURN NEW; END $$",
    "CREATE TRIGGER more BEFORE INSERT ON incident FOR EACH ROW EXECUTE FUNCTION act()",
]
POSTGRES_RULE = ["CREATE RULE more AS ON DELETE TO incident DO INSTEAD NOTHING"]


def act(desk: Desk, statements: list[str]) -> None:
    """Do something to the views of a ledger, in the place where they are kept."""
    if desk.url.startswith("sqlite"):
        with closing(sqlite3.connect(desk.folder / "ledger.views.db", isolation_level=None)) as raw:
            for statement in statements:
                raw.execute(statement)
        return
    import psycopg

    with psycopg.connect(desk.url, autocommit=True) as raw:
        raw.execute(b"SET search_path TO ledger_views")
        for statement in statements:
            raw.execute(statement.encode())


def test_what_was_added_to_the_views_is_found(desk: Desk) -> None:
    """A trigger acts when the views are brought up, so it is found before that; whatever else was added is not theirs."""
    added = dict(ADDED)
    if desk.url.startswith("sqlite"):
        added["a trigger"] = (SQLITE_TRIGGER, "it has the trigger more on incident")
    else:
        added["a trigger"] = (POSTGRES_TRIGGER, "it has the trigger more on incident")
        added["a rule"] = (POSTGRES_RULE, "it has the rule more on incident")
    for what, (statements, sentence) in added.items():
        desk.run("views", "rebuild")
        assert kinds(desk, 0) == []
        act(desk, statements)
        desk.run("incident", "update", "nam-1", "--actor", "Bob", "--body", "More.")
        result = desk.run("verify", "--views", code=1)
        assert sentence in result.stdout, what
        assert "the ledger itself is whole" in result.stderr


@pytest.mark.postgres
def test_who_may_only_read_compares_too(postgres_url: str, tmp_path: Path) -> None:
    """A role that owns nothing sees the views, honest and altered; where it may not read them it is told so."""
    import psycopg

    desk = Desk(tmp_path, postgres_url)
    fill(desk)
    desk.run("views", "rebuild")
    role = f"auditor_{secrets.token_hex(4)}"
    url = postgres_url.replace("//postgres@", f"//{role}@")
    with psycopg.connect(postgres_url, autocommit=True) as raw:
        raw.execute(f"CREATE ROLE {role} LOGIN IN ROLE ledger_reader".encode())
        try:
            refused = desk.run("verify", "--views", url=url, code=3)
            assert "cannot be compared: permission denied" in refused.stderr
            raw.execute(f"GRANT USAGE ON SCHEMA ledger_views TO {role}".encode())
            raw.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA ledger_views TO {role}".encode())
            desk.run("verify", "--views", url=url)
            raw.execute(b"UPDATE ledger_views.tracking SET position = 3")
            desk.run("verify", "--views", url=url, code=1)
        finally:
            raw.execute(f"DROP OWNED BY {role}".encode())
            raw.execute(f"DROP ROLE {role}".encode())
