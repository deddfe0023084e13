"""The sealed log in one SQLite file (WAL, synchronous FULL)."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ledger.errors import Conflict, Refused, Unavailable
from ledger.store.log import SCHEMA_FORMAT, Head, SealedLog
from ledger.store.tree import EMPTY_ROOT

__all__ = ["SQLiteLog"]

_BUSY_MILLISECONDS = 120_000
_SCHEMA = """
CREATE TABLE ledger_entry (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    idempotency_key TEXT,
    entry BLOB NOT NULL,
    texts BLOB NOT NULL,
    UNIQUE (stream, version)
) STRICT;
CREATE UNIQUE INDEX ledger_entry_key ON ledger_entry (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE ledger_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger TEXT NOT NULL,
    format INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    frontier BLOB NOT NULL,
    last_recorded_at TEXT NOT NULL
) STRICT;
CREATE TABLE ledger_tile (
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    root BLOB NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT;
CREATE TABLE ledger_content (
    sha256 TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (sha256, chunk)
) STRICT;
CREATE TRIGGER ledger_entry_keep BEFORE UPDATE OF position, stream, version, type, recorded_at, idempotency_key, entry
    ON ledger_entry BEGIN SELECT RAISE(ABORT, 'entries of a ledger are never changed'); END;
CREATE TRIGGER ledger_entry_redact BEFORE UPDATE OF texts ON ledger_entry
    WHEN length(NEW.texts) >= length(OLD.texts)
    BEGIN SELECT RAISE(ABORT, 'texts of a ledger are only ever erased'); END;
CREATE TRIGGER ledger_entry_stay BEFORE DELETE ON ledger_entry
    BEGIN SELECT RAISE(ABORT, 'entries of a ledger are never deleted'); END;
CREATE TRIGGER ledger_head_stay BEFORE DELETE ON ledger_head
    BEGIN SELECT RAISE(ABORT, 'the head of a ledger is never deleted'); END;
CREATE TRIGGER ledger_tile_keep BEFORE UPDATE ON ledger_tile
    BEGIN SELECT RAISE(ABORT, 'the tree of a ledger is never changed'); END;
CREATE TRIGGER ledger_tile_stay BEFORE DELETE ON ledger_tile
    BEGIN SELECT RAISE(ABORT, 'the tree of a ledger is never deleted'); END;
CREATE TRIGGER ledger_content_keep BEFORE UPDATE ON ledger_content
    BEGIN SELECT RAISE(ABORT, 'published tables are never changed'); END;
CREATE TRIGGER ledger_content_stay BEFORE DELETE ON ledger_content
    BEGIN SELECT RAISE(ABORT, 'published tables are never deleted'); END;
"""


class SQLiteLog(SealedLog):
    """A ledger in an SQLite file; each thread has a connection of its own."""

    def __init__(self, path: str, *, writable: bool = True) -> None:
        self.path = path
        self.url = self.place = f"sqlite:///{path}"
        self.writable = writable
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if not os.path.exists(self.path):
                raise Unavailable(
                    f"{self.url} does not exist; create it with: ledger --ledger {self.url} init"
                )
            connection = self._local.connection = self._open(create=False)
        return connection

    def _open(self, *, create: bool) -> sqlite3.Connection:
        mode = "rwc" if create else "rw" if self.writable else "ro"
        # In a URI these three would end or change the path (https://sqlite.org/uri.html, section 3.1).
        path = os.path.abspath(self.path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        name = f"file:{path}?mode={mode}"
        try:
            connection = self._connect(name)
            # The first read shows whether the file can be used at all.
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.Error as error:
            wal = f"{self.path}-wal"
            if mode == "ro" and not (os.path.exists(wal) and os.path.getsize(wal)):
                # Nobody may write beside the file, and nothing waits in the log: read the file alone.
                connection = self._connect(f"{name}&immutable=1")
            else:
                raise Unavailable(
                    f"{self.url} cannot be opened: {error}; check the path and the permissions"
                ) from None
        if mode != "ro":
            self._settings(connection)
        self._all.append(connection)
        return connection

    @staticmethod
    def _connect(name: str) -> sqlite3.Connection:
        return sqlite3.connect(
            name, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_MILLISECONDS / 1000
        )

    def _settings(self, connection: sqlite3.Connection) -> None:
        """Set what durability rests on, and read it back: builds and wrappers override it silently."""
        try:
            for pragma, value, wanted in (
                ("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2), ("secure_delete", "ON", 1),
            ):  # fmt: skip
                self._set(connection, f"PRAGMA {pragma} = {value}")
                found = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
                if found != wanted:
                    raise Unavailable(
                        f"{self.url}: {pragma} is {found!r} where {wanted!r} is needed; "
                        "keep the file on a local disk, not on a network file system"
                    )
        except sqlite3.Error as error:
            raise self._failure(error) from None

    @staticmethod
    def _set(connection: sqlite3.Connection, pragma: str) -> None:
        """Run a pragma; while others have the file, wait: SQLite does not when it changes the journal mode."""
        until = time.monotonic() + _BUSY_MILLISECONDS / 1000
        while True:
            try:
                connection.execute(pragma).fetchone()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def _failure(self, error: sqlite3.Error) -> Exception:
        text = str(error)
        if isinstance(error, sqlite3.IntegrityError):
            if "UNIQUE" in text or "PRIMARY KEY" in text:
                return Conflict(f"somebody else appended in the meantime ({text}); read again and retry")
            return Refused(f"the database refused: {text}")
        if "no such table" in text:
            return Unavailable(
                f"{self.url} holds no ledger; create one with: ledger --ledger {self.url} init"
            )
        if "locked" in text or "busy" in text:
            return Unavailable(
                f"{self.url} stayed busy for {_BUSY_MILLISECONDS // 1000} seconds; nothing was stored: try again"
            )
        if "disk" in text:
            return Unavailable(
                f"{self.url}: {text}; nothing was stored: check the disk's free space and its health, then send it again"
            )
        return Unavailable(f"{self.url}: {text}; nothing was stored")

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        try:
            return self._connection().execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._connection().executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._failure(error) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # IMMEDIATE: the write lock is taken, and waited for, before anything is read.
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self.before_commit()
            self._execute("COMMIT")
        except BaseException:
            connection = self._connection()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        self._execute("BEGIN")
        try:
            yield
        finally:
            self._execute("COMMIT")

    def _locked_head(self) -> Head:
        return self.head()

    def _reach(self) -> bool:
        folder = os.path.dirname(os.path.abspath(self.path))
        if not os.path.isdir(folder):
            raise Unavailable(
                f"{self.url} cannot be created: the folder {folder} does not exist; make it first"
            )
        made = not os.path.exists(self.path)
        self._local.connection = self._open(create=True)
        return made

    def _holds_ledger(self) -> bool:
        found = self._execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_head'").fetchone()
        return found is not None

    def _make_tables(self, ledger: str) -> None:
        for statement in _statements(_SCHEMA):
            self._execute(statement)
        self._execute(
            "INSERT INTO ledger_head VALUES (1, ?, ?, 0, ?, ?, '')",
            (ledger, SCHEMA_FORMAT, EMPTY_ROOT, b""),
        )

    def _unmake(self) -> None:
        self.close()
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.path + end):
                os.unlink(self.path + end)

    # Copies of erased texts stay in the write-ahead log until it is cut, which a reader can keep from happening, or a
    # kill between commit and cut. The file itself remembers that, for whichever process comes next: user_version is
    # odd while a cut is due. It only ever grows, so a cut never hides a redaction that came after it.

    def _mark_redaction(self) -> None:
        version = self._user_version()
        self._execute(f"PRAGMA user_version = {version + 2 if version % 2 else version + 1}")

    def _user_version(self) -> int:
        return int(self._execute("PRAGMA user_version").fetchone()[0])

    def _after_redaction(self) -> None:
        if not self._cut():
            raise Unavailable(
                "the texts are erased from the ledger, but a reader keeps the write-ahead log open; "
                "run any command that records once it has gone, such as this one again"
            )

    def _cut(self) -> bool:
        """Cut the write-ahead log to nothing; secure_delete has overwritten the pages of the file itself."""
        seen = self._user_version()
        if self._execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            return False
        with self._writing():
            if seen % 2 and self._user_version() == seen:
                self._execute(f"PRAGMA user_version = {seen + 1}")
        return True

    def erasure_unfinished(self) -> bool:
        return self._user_version() % 2 == 1

    def finish_erasure(self) -> bool:
        if not self.erasure_unfinished():
            return True
        # Whoever has nothing to erase does not wait for a reader, and does not fail because of it.
        self._execute("PRAGMA busy_timeout = 0")
        try:
            return self._cut()
        except Unavailable:
            return False
        finally:
            self._execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._local = threading.local()


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; a trigger ends with END."""
    statement = ""
    for line in script.strip().splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
