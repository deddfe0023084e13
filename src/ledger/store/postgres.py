"""The sealed log in PostgreSQL (psycopg 3, READ COMMITTED, the head row locked with FOR UPDATE)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ledger.errors import Conflict, LedgerError, NotUnderstood, Refused, Unavailable, require
from ledger.store.location import shown_url, without_secrets
from ledger.store.log import SCHEMA_FORMAT, Head, SealedLog
from ledger.store.tree import EMPTY_ROOT

if TYPE_CHECKING:
    import psycopg

__all__ = ["PostgresLog"]

# The lock under which a ledger is created: any number, the same for all.
_CREATING = 0x6C6564676572
_SCHEMA = """
CREATE TABLE ledger_entry (
    position BIGINT PRIMARY KEY,
    stream TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    recorded_at TEXT COLLATE "C" NOT NULL,
    idempotency_key TEXT COLLATE "C",
    entry BYTEA NOT NULL,
    texts BYTEA NOT NULL,
    UNIQUE (stream, version)
);
CREATE UNIQUE INDEX ledger_entry_key ON ledger_entry (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE ledger_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger TEXT COLLATE "C" NOT NULL,
    format INTEGER NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    frontier BYTEA NOT NULL,
    last_recorded_at TEXT COLLATE "C" NOT NULL
);
CREATE TABLE ledger_tile (
    level INTEGER NOT NULL,
    idx BIGINT NOT NULL,
    root BYTEA NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, idx)
);
CREATE TABLE ledger_content (
    sha256 TEXT COLLATE "C" NOT NULL,
    chunk INTEGER NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (sha256, chunk)
);
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a ledger is never changed or deleted (% on %)', TG_OP, TG_TABLE_NAME USING ERRCODE = 'P0001';
END $$;
CREATE FUNCTION ledger_refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.position, NEW.stream, NEW.version, NEW.type, NEW.recorded_at, NEW.idempotency_key, NEW.entry)
        IS DISTINCT FROM (OLD.position, OLD.stream, OLD.version, OLD.type, OLD.recorded_at, OLD.idempotency_key, OLD.entry)
        OR length(NEW.texts) >= length(OLD.texts)
    THEN RAISE EXCEPTION 'entries of a ledger are never changed; texts are only ever erased' USING ERRCODE = 'P0001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_keep BEFORE UPDATE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unless_erased();
CREATE TRIGGER ledger_entry_stay BEFORE DELETE OR TRUNCATE ON ledger_entry EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_stay BEFORE DELETE OR TRUNCATE ON ledger_head EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_tile_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_tile EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_content_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_content
    EXECUTE FUNCTION ledger_refuse();
"""
_ROLES = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_writer') THEN CREATE ROLE ledger_writer; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_reader') THEN CREATE ROLE ledger_reader; END IF;
END $$;
GRANT SELECT ON ledger_entry, ledger_head, ledger_tile, ledger_content TO ledger_reader, ledger_writer;
GRANT INSERT ON ledger_entry, ledger_tile, ledger_content TO ledger_writer;
GRANT UPDATE (texts) ON ledger_entry TO ledger_writer;
GRANT UPDATE (size, root, frontier, last_recorded_at) ON ledger_head TO ledger_writer;
"""


class PostgresLog(SealedLog):
    """A ledger in a PostgreSQL database; each thread has a connection of its own.

    The tables stand in the first schema of the connection's search path. Creating a ledger makes the roles ledger_writer
    (insert, select, erase texts) and ledger_reader (select) where the user may make roles.
    """

    beyond_erasure = (
        "PostgreSQL keeps erased texts in old versions of rows until VACUUM FULL ledger_entry, and in its write-ahead log "
        "until that is recycled and archived copies of it are deleted"
    )

    def __init__(self, url: str, *, writable: bool = True) -> None:
        require("PostgreSQL", "psycopg", "postgres")
        self.url = url
        self.writable = writable
        self._local = threading.local()
        self._all: list[psycopg.Connection[Any]] = []

    def _connection(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            import psycopg

            try:
                connection = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
                connection.execute("SET default_transaction_isolation = 'read committed'")
                connection.execute("SET synchronous_commit = on")
                connection.execute("SET client_min_messages = warning")
            except psycopg.ProgrammingError:
                # What PostgreSQL says of a URL repeats its parts, and one may be a part of the password.
                raise NotUnderstood(
                    f"PostgreSQL does not understand the ledger URL {shown_url(self.url)!r}; write it like "
                    "postgresql://user@host/database, and every special character of a name or a password as %XX"
                ) from None
            except (psycopg.Error, UnicodeError) as error:
                said = without_secrets(self.url, str(error).strip())
                raise Unavailable(f"the database cannot be reached: {said}; check the URL") from None
            self._local.connection = connection
            self._all.append(connection)
        return connection

    def _failure(self, error: Exception) -> LedgerError:
        import psycopg

        text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if isinstance(error, psycopg.errors.UniqueViolation):
            return Conflict(f"somebody else appended in the meantime ({text}); read again and retry")
        if isinstance(error, psycopg.errors.UndefinedTable):
            return Unavailable("the database holds no ledger; create one with: ledger --ledger URL init")
        if isinstance(error, psycopg.errors.RaiseException):
            return Refused(f"the database refused: {text}")
        return Unavailable(
            f"the database answered: {text}; whether anything was stored is not known if it went away"
        )

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        import psycopg

        try:
            if not parameters:
                return self._connection().execute(sql.encode())
            return self._connection().execute(sql.replace("?", "%s").encode(), parameters)
        except psycopg.Error as error:
            raise self._failure(error) from None

    def _executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        import psycopg

        try:
            with self._connection().cursor() as cursor:
                cursor.executemany(sql.replace("?", "%s").encode(), rows)
        except psycopg.Error as error:
            raise self._failure(error) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._execute("BEGIN")
        try:
            yield
            self.before_commit()
            self._execute("COMMIT")
        except BaseException:
            connection = self._connection()
            if not connection.closed and connection.info.transaction_status != 0:
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        self._execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._execute("COMMIT")

    def _locked_head(self) -> Head:
        row = self._execute(
            "SELECT ledger, format, size, root, frontier, last_recorded_at FROM ledger_head FOR UPDATE"
        ).fetchone()
        if row is None:
            raise Unavailable("the ledger has no head row; it was damaged: run ledger verify")
        return self._head(row)

    def _reach(self) -> bool:
        self._connection()
        return False

    def _holds_ledger(self) -> bool:
        # Tables are made by one at a time: two would get in each other's way in the catalogue.
        self._execute("SELECT pg_advisory_xact_lock(?)", (_CREATING,))
        found = self._execute("SELECT to_regclass('ledger_head')").fetchone()
        return found[0] is not None

    def _make_tables(self, ledger: str) -> None:
        self._execute(_SCHEMA)
        self._execute(
            "INSERT INTO ledger_head VALUES (1, ?, ?, 0, ?, ?, '')",
            (ledger, SCHEMA_FORMAT, EMPTY_ROOT, b""),
        )
        may = self._execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
        if may.fetchone()[0]:
            self._execute(_ROLES)

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._local = threading.local()
