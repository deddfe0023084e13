"""Erasing as seen from outside: processes of their own, and the raw bytes of every file they leave."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.append import Appender
from ledger.cli import main
from ledger.store.entry import decode_texts
from ledger.store.sqlite import SQLiteLog
from projections.views import open_views

_SECRET = "Anna Example, päßwort-7f3a"
# Nobody waits two minutes for a reader in a test.
_LEDGER = (
    "import sys\nfrom ledger.store import sqlite\nsqlite._BUSY_MILLISECONDS = 100\n"
    "from ledger.cli import main\nmain(sys.argv[1:], prog_name='ledger')\n"
)
# Holds a connection, and a snapshot if asked, until its input ends; says when it does.
_HOLDER = (
    "import sqlite3, sys\nheld = sqlite3.connect('ledger.db', isolation_level=None)\n"
    "held.execute('BEGIN' if sys.argv[1] == 'reading' else 'SELECT 1')\n"
    "held.execute('SELECT count(*) FROM ledger_entry').fetchall()\nprint('held', flush=True)\nsys.stdin.read()\n"
)
# Is killed after the commit of a redaction, before the write-ahead log is cut.
_KILLED = (
    "import os\nfrom ledger.append import Appender\nfrom ledger.store.sqlite import SQLiteLog\n"
    "SQLiteLog._after_redaction = lambda self: os._exit(9)\n"
    "Appender('sqlite:///ledger.db').record('redact', entry='@2', actor='dpo', fields=['body', 'actor'], reason='r')\n"
)


class Folder:
    """A folder with a ledger in which entry 2 holds the secret, and the commands run in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger("init")
        opened = ("--actor", "ops", "--title", f"Title of {_SECRET}", "--status", "investigating")
        self.ledger("incident", "open", "a", *opened)
        # The views hold titles, in a file of their own.
        self.ledger("incidents")
        self.salts: list[bytes] = []

    def spell_out(self) -> None:
        """Record the secret as entry 2, and note the salts of what is going to be erased."""
        self.ledger("incident", "update", "a", "--actor", _SECRET, "--body", f"{_SECRET} " * 400)
        path = self.path
        log = SQLiteLog(str(path / "ledger.db"), writable=False)
        texts = [decode_texts(entry.texts) for entry in log.entries()]
        log.close()
        self.salts = [
            bytes.fromhex(one[0]) for one in (texts[0]["title"], texts[1]["body"], texts[1]["actor"])
        ]

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
        )

    def ledger(self, *words: str, exit_code: int = 0) -> str:
        """Run a command in a process of its own and return what it says on standard error."""
        done = self.run(_LEDGER, *words)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stderr

    def redact(self, *, exit_code: int = 0) -> str:
        erased = ("--field", "body", "--field", "actor", "--actor", "dpo", "--reason", "a person's data")
        return self.ledger("redact", "@2", *erased, exit_code=exit_code)

    def update(self) -> str:
        return self.ledger("incident", "update", "a", "--actor", "ops", "--body", "goes on")

    def found(self, *needles: bytes) -> list[str]:
        """Return the files in which any of these stands."""
        raw = {one.name: one.read_bytes() for one in sorted(self.path.iterdir())}
        return [name for name, held in raw.items() if any(needle in held for needle in needles)]

    def secrets(self, *, title: bool = False) -> list[str]:
        """Return the files in which the erased values or salts still stand; the title is another text."""
        if title:
            return self.found(_SECRET.encode(), *self.salts, *(salt.hex().encode() for salt in self.salts))
        kept = self.salts[1:]
        return self.found(f"{_SECRET} {_SECRET}".encode(), *kept, *(salt.hex().encode() for salt in kept))

    @contextmanager
    def held(self, how: str) -> Iterator[None]:
        """Let another process keep the ledger open meanwhile, `reading` a snapshot or `idle`."""
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, how], cwd=self.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            yield
        finally:
            holder.communicate(b"")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_is_erased_is_in_no_file_not_even_in_the_views(folder: Folder) -> None:
    """Given views that show a title, when it is erased, then no file holds it, though nobody opened the views again."""
    folder.spell_out()
    assert folder.secrets(title=True) == ["ledger.db", "ledger.views.db"]
    folder.redact()
    folder.ledger("redact", "@1", "--field", "title", "--actor", "dpo", "--reason", "a name")
    assert folder.secrets(title=True) == []
    assert folder.ledger("verify") == ""


def test_a_batch_that_erases_reaches_the_views_too(folder: Folder) -> None:
    line = '{"action":"redact","entry":"@1","actor":"dpo","fields":["title"],"reason":"r"}\n'
    (folder.path / "actions.jsonl").write_text(line)
    folder.ledger("append", "actions.jsonl")
    assert f"Title of {_SECRET}".encode() not in (folder.path / "ledger.views.db").read_bytes()


def test_views_that_cannot_be_brought_up_to_date_are_said(folder: Folder) -> None:
    """Given views behind a door nobody opens, when a title is erased, then the command says so and ends with 3."""
    views = folder.path / "ledger.views.db"
    views.unlink()
    views.mkdir()
    folder.spell_out()
    said = folder.redact(exit_code=3)
    assert (
        "the texts are erased from the ledger, but whether they are gone from its views is not known: "
        in said
    )
    assert "ledger.views.db is not the views of a ledger, and is left as it is; move it away" in said


def test_an_idle_connection_of_another_process_keeps_nothing(folder: Folder) -> None:
    """Whoever closes last would cut the write-ahead log anyway; here somebody stays."""
    with folder.held("idle"):
        folder.spell_out()
        assert folder.secrets() != []
        folder.redact()
        assert folder.secrets() == []


def test_a_blocked_cut_is_said_until_a_later_process_makes_it(folder: Folder) -> None:
    """Given a reader in another process, when a text is erased, then every command says what is left until it is gone."""
    with folder.held("idle"):
        # Written while somebody stays, so that it is in the log and not only in the file.
        folder.spell_out()
        with folder.held("reading"):
            said = folder.redact(exit_code=3)
            assert said == (
                "ledger: the texts are erased from the ledger, but a reader keeps the write-ahead log open; run any command "
                "that records once it has gone, such as this one again\n"
            )
            assert folder.secrets() == ["ledger.db-wal"]
            # Recording goes on, does not fail because of the reader, and says what is left.
            assert folder.update() == (
                "warning: texts erased earlier still stand in the files of the ledger, as a reader keeps its write-ahead log "
                "open; run any command that records once it has gone\n"
            )
            assert folder.ledger("verify", exit_code=3) == (
                "texts that were erased still stand in the files of the ledger; run any command that records, when no reader "
                "keeps them open\n"
            )
            assert folder.secrets() == ["ledger.db-wal"]
        assert folder.secrets() == ["ledger.db-wal"]
        # The same redaction again is refused, as it is done; what it left is finished all the same.
        said = folder.redact(exit_code=1)
        assert "is already erased" in said
        assert said.endswith(
            "note: texts erased earlier still stood in the files of the ledger, and are gone now\n"
        )
        assert folder.secrets() == []
        assert folder.ledger("verify") == ""


def test_the_next_append_of_another_process_makes_a_blocked_cut(folder: Folder) -> None:
    with folder.held("idle"):
        folder.spell_out()
        with folder.held("reading"):
            folder.redact(exit_code=3)
        assert folder.secrets() == ["ledger.db-wal"]
        assert folder.update() == ""
        assert folder.secrets() == []


def test_a_redaction_killed_before_the_cut_is_finished_by_the_next(folder: Folder) -> None:
    with folder.held("idle"):
        folder.spell_out()
        assert folder.run(_KILLED).returncode == 9
        assert folder.secrets() == ["ledger.db-wal"]
        folder.ledger("verify", exit_code=3)
        folder.update()
        assert folder.secrets() == []
        assert folder.ledger("verify") == ""


def test_a_later_append_writes_no_old_text_again(folder: Folder) -> None:
    """Given an erased text, when other processes append and read, then no page of theirs brings it back."""
    with folder.held("idle"):
        folder.spell_out()
        assert folder.secrets() != []
        folder.redact()
        for _ in range(3):
            folder.update()
            folder.ledger("incidents")
            folder.ledger("notice", "a")
            assert folder.secrets() == []


def test_a_cut_does_not_hide_a_redaction_that_came_in_between(sqlite_url: str) -> None:
    """Given one process that has cut and not yet noted it, when another one erases, then the ledger still knows."""
    appender, other = Appender(sqlite_url), Appender(sqlite_url)
    appender.create("erasure-test")
    appender.record("open", "a", actor="ops", title="t", status="investigating", note="n")
    first, second = appender.sealed, other.sealed
    assert isinstance(first, SQLiteLog)
    assert isinstance(second, SQLiteLog)
    with first._writing():
        first._mark_redaction()
    execute = first._execute

    def then_another(sql: str, parameters: object = ()) -> object:
        done = execute(sql, parameters)  # type: ignore[arg-type]  # what the caller gave, handed on
        if "wal_checkpoint" in sql:
            with second._writing():
                second._mark_redaction()
        return done

    first._execute = then_another  # type: ignore[method-assign]
    assert first._cut()
    assert first.erasure_unfinished()
    assert second.finish_erasure()
    assert not first.erasure_unfinished()
    for one in (appender, other):
        one.close()


def test_a_ledger_that_erased_nothing_has_nothing_to_finish(sqlite_url: str) -> None:
    appender = Appender(sqlite_url)
    appender.create("erasure-test")
    assert not appender.sealed.erasure_unfinished()
    appender.record("open", "a", actor="ops", title="t", status="investigating", note="n")
    appender.record("redact", entry="@1", actor="dpo", fields=["note"], reason="r")
    assert not appender.sealed.erasure_unfinished()
    appender.close()


@pytest.mark.postgres
def test_on_postgresql_the_files_keep_old_rows_until_vacuum_full(
    postgres_server: Any, postgres_url: str
) -> None:
    """What the command says stays there is there: until VACUUM FULL in the table's files, and in the log after that."""
    import psycopg

    def kept() -> set[str]:
        connection.execute("CHECKPOINT")
        data = postgres_server.socket_folder / "data"
        held = [one for one in data.rglob("*") if one.is_file() and _SECRET.encode() in one.read_bytes()]
        return {one.relative_to(data).parts[0] for one in held}

    appender = Appender(postgres_url)
    appender.create("erasure-test")
    appender.record("open", "a", actor="ops", title="t", status="investigating", note=_SECRET)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        before = kept()
        done = CliRunner().invoke(
            main,
            ["--ledger", postgres_url, "redact", "@1", "--field", "note", "--actor", "dpo", "--reason", "r"],
        )
        assert done.exit_code == 0
        assert done.stderr == (
            "note: PostgreSQL keeps erased texts in old versions of rows until VACUUM FULL ledger_entry, and in its "
            "write-ahead log until that is recycled and archived copies of it are deleted\n"
        )
        assert before == kept() == {"base", "pg_wal"}
        connection.execute("VACUUM FULL ledger_entry")
        assert kept() == {"pg_wal"}
    appender.close()


@pytest.mark.postgres
def test_on_postgresql_views_forget_an_erased_title(postgres_url: str) -> None:
    appender = Appender(postgres_url)
    appender.create("erasure-test")
    appender.record("open", "a", actor="ops", title=_SECRET, status="investigating")
    shown = open_views(appender.sealed)
    assert shown.incidents()[0]["title"] == _SECRET
    done = CliRunner().invoke(
        main,
        ["--ledger", postgres_url, "redact", "@1", "--field", "title", "--actor", "dpo", "--reason", "r"],
    )
    assert done.exit_code == 0
    # Read without catching up: the redaction itself has reached the views.
    assert shown.incidents()[0]["title"] == "[erased]"
    appender.close()
