"""Views: SQL tables for what spans incidents, in a place of their own, which may be deleted at any time.

One row of state per incident, and one row per window version with its cuts: on the axis of publication it holds from
published_from up to published_to, on the axis of positions from position_from up to position_to (both half-open;
null: for ever). So the windows under any cut are one WHERE. The rows of a stream are a pure function of its entries:
a view built entry by entry equals one rebuilt from nothing.

A SQLite ledger `X.db` has its views in `X.views.db` (a ledger `X` in `X.views`), a PostgreSQL ledger in the schema
`ledger_views`. What stands there is only replaced when its own tracking table says that it is the views of this ledger:
under that name somebody may keep anything. A reader who may not write there, or finds something else there, builds them
in memory.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import NullType

from ledger.domain.window import Planned, Window
from ledger.errors import Altered, Unavailable
from ledger.store.log import SealedLog
from ledger.store.stream import read_stream
from projections.replay import Audience, Cut, told
from projections.view_objects import addition
from projections.view_rows import Job, Row, batches, frames, rows_of, state_row

__all__ = ["FORMAT", "Views", "open_views", "rebuild", "refresh", "stored_views", "views_in_memory"]

FORMAT = 5
_SCHEMA = "ledger_views"
# Below this a second process costs more than it saves; from there on the incidents are cut into so many ranges.
_ENTRIES_FOR_PROCESSES = 100_000
_RANGES = 32
_metadata = sa.MetaData()

_tracking = sa.Table(
    "tracking",
    _metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("ledger", sa.Text, nullable=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    # The root of the ledger at that position: after a restore from a backup it may hold other entries there.
    sa.Column("root", sa.LargeBinary, nullable=False),
)
_incident = sa.Table(
    "incident",
    _metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("impact", sa.Text),
    sa.Column("began_at", sa.Text),
    sa.Column("resolved_at", sa.Text),
    sa.Column("services", sa.Text),
    sa.Column("components", sa.Text),
    sa.Column("regions", sa.Text),
    sa.Column("windows", sa.Integer),
    sa.Column("entries", sa.Integer),
    sa.Column("opened_at", sa.Text),
    sa.Column("last_told_at", sa.Text),
    sa.Column("first_position", sa.BigInteger),
    sa.Column("last_position", sa.BigInteger),
    sa.Column("internal", sa.Boolean),
    sa.Column("internal_entries", sa.Integer),
    sa.Column("told_title", sa.Text),
)
_window = sa.Table(
    "window",
    _metadata,
    sa.Column("incident", sa.Text, nullable=False, index=True),
    sa.Column("window", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("published_from", sa.Text, nullable=False),
    sa.Column("published_to", sa.Text),
    sa.Column("position_from", sa.BigInteger, nullable=False),
    sa.Column("position_to", sa.BigInteger),
    sa.Column("service", sa.Text),
    sa.Column("component", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("start", sa.BigInteger, index=True),
    sa.Column("end", sa.BigInteger),
    sa.Column("effect", sa.Text),
    sa.Column("share_at_least", sa.Text),
    sa.Column("share_at_most", sa.Text),
    sa.Column("share_of", sa.Text),
    sa.Column("approximate", sa.Boolean),
    sa.Column("start_within_seconds", sa.Integer),
    sa.Column("end_within_seconds", sa.Integer),
    sa.Column("basis", sa.Text),
    sa.Column("cohort", sa.Text),
    sa.Column("planned", sa.Text),
    sa.Column("withdrawn", sa.Boolean),
    sa.Column("regions", sa.Text),
    sa.Column("components", sa.Text),
    sa.Column("entries", sa.Text),
)
# What tells the rows of a view apart.
_ORDER = {
    "incident": (_incident.c.incident,),
    "window": (
        _window.c.incident,
        _window.c.window,
        _window.c.audience,
        _window.c.position_from,
        _window.c.published_from,
    ),
}
_AT = {name: at for at, name in enumerate(column.name for column in _window.columns)}
_encode = msgspec.json.Encoder().encode


def _names(values: Sequence[str]) -> str:
    return _encode(values).decode()


def _state(row: Sequence[Any]) -> Window:
    decode = msgspec.json.decode
    field = {name: row[at] for name, at in _AT.items() if name in Window.__struct_fields__}
    field["approximate"], field["withdrawn"] = bool(field["approximate"]), bool(field["withdrawn"])
    for name in ("regions", "components", "entries"):
        field[name] = tuple(decode(field[name]))
    if field["planned"] is not None:
        field["planned"] = Planned(*decode(field["planned"]))
    return Window(**field)


# ---- the tables -------------------------------------------------------------------------------------------------


class Views:
    """Views that have caught up with their ledger."""

    def __init__(
        self, log: SealedLog, engine: sa.Engine, place: str, unkept: str = "", *, foreign: bool = False
    ) -> None:
        self.log = log
        self.engine = engine
        self.place = place
        # Why they are in memory only, "" where they are kept; foreign: since something else stands in their place.
        self.unkept = unkept
        self.foreign = foreign

    def position(self) -> int | None:
        """Return the position read up to; None when the tables are not there or belong to something else."""
        try:
            found = self.tracked()
        except DatabaseError:
            return None
        return found if isinstance(found, int) else None

    def tracked(self) -> int | str:
        """Return the position read up to, or why the tracking row does not fit the ledger; DatabaseError without its table."""
        # Whatever kind of value stands there: a column that was altered may hold any.
        columns = [sa.type_coerce(column, NullType()).label(column.name) for column in _tracking.c]
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(*columns)).mappings().all()
        if len(rows) != 1:
            return f"it has {len(rows)} tracking rows, expected 1"
        row, head = rows[0], self.log.head()
        for name, value in (("one", 1), ("ledger", head.ledger), ("format", FORMAT)):
            if row[name] != value:
                return f"its tracking row has the {name} {row[name]!r}, expected {value!r}"
        position, kept = row["position"], row["root"]
        if type(position) is not int or not 0 <= position <= head.size:
            return f"its tracking row has the position {position!r}, but the ledger has {head.size} entries"
        root = head.root if position == head.size else self.log.root_at(position)
        # psycopg and sqlite3 both give bytes for bytes.
        if kept != root:
            shown = kept.hex() if isinstance(kept, bytes) else repr(kept)
            return f"its tracking row has the root {shown} for {position} entries, but the ledger has {root.hex()}"
        return position

    def status(self) -> dict[str, Any]:
        """Return where the views are, how far they have read and how many entries they lack."""
        position, size = self.position() or 0, self.log.head().size
        return {"place": self.place, "position": position, "size": size, "lag": size - position}

    def windows(self, start: int, end: int, cut: Cut = Cut(), audience: Audience = "house") -> list[Window]:
        """Return the windows, not withdrawn, that may touch [start, end) in UTC seconds, under a cut."""
        table = _window.c
        within = (
            sa.func.coalesce(table.start_within_seconds, 0),
            sa.func.coalesce(table.end_within_seconds, 0),
        )
        conditions = [
            table.start - within[0] < end,
            sa.or_(table.end.is_(None), table.end + within[1] > start),
            table.withdrawn.is_(sa.false()),
        ]
        if cut.published_by is None:
            conditions += [table.published_to.is_(None), table.audience.in_((audience, "both"))]
        else:
            conditions += [
                table.audience.in_(("public", "both")),
                table.published_from <= cut.published_by,
                sa.or_(table.published_to.is_(None), table.published_to > cut.published_by),
            ]
        if cut.recorded_by is None:
            conditions.append(table.position_to.is_(None))
        else:
            conditions += [
                table.position_from <= cut.recorded_by,
                sa.or_(table.position_to.is_(None), table.position_to > cut.recorded_by),
            ]
        query = sa.select(_window).where(*conditions).order_by(table.incident, table.window)
        with self.engine.connect() as connection:
            return [_state(row) for row in connection.execute(query)]

    def incidents(
        self,
        cut: Cut = Cut(),
        *,
        status: str | None = None,
        service: str | None = None,
        region: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return one row of state per incident, the latest told last; first those of which nothing was told."""
        with self.engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(sa.select(_incident)).mappings()]
        if cut != Cut():
            rows = self._under(cut, rows)
        rows.sort(key=_when_told)
        for row in rows:
            for name in ("services", "components", "regions"):
                row[name] = msgspec.json.decode(row[name])
            row["internal"] = bool(row["internal"])
        return [
            row
            for row in rows
            if (status is None or row["status"] == status)
            and (service is None or service in row["services"])
            and (region is None or region in row["regions"])
        ]

    def _under(self, cut: Cut, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the state of each incident as a cut shows it, folded from its entries."""
        found = []
        for row in rows:
            if cut.recorded_by is not None and row["first_position"] > cut.recorded_by:
                continue
            held = read_stream(self.log, f"incident/{row['incident']}", upto_position=cut.recorded_by)
            versions = {one.entry.version for one in told(held, cut, "house")}
            if versions:
                found.append(state_row([entry for entry in held if entry.version in versions]))
        return found

    def rows(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield every row of every view with the name of its table, in an order that depends on the rows alone."""
        with self.engine.connect() as connection:
            for table in (_incident, _window):
                query = sa.select(*map(self._as_kept, table.c)).order_by(
                    *(self._sorting(column) for column in _ORDER[table.name])
                )
                for row in connection.execution_options(stream_results=True).execute(query):
                    yield table.name, tuple(row)

    def _as_kept(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        # SQLite keeps truth as a number, and any number but 0 would be read as true.
        number = isinstance(column.type, sa.Boolean) and self.engine.dialect.name == "sqlite"
        return sa.type_coerce(column, sa.Integer) if number else column

    def _sorting(self, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
        # A database sorts texts by its own locale unless it is told not to; nulls stand first on one, last on the other.
        if isinstance(column.type, sa.Text):
            column_or_empty = sa.func.coalesce(column, "")
            return (
                column_or_empty.collate("C") if self.engine.dialect.name == "postgresql" else column_or_empty
            )
        return sa.func.coalesce(column, 0)

    def catch_up(self) -> None:
        """Read on from the tracked position; somebody else doing the same at once does no harm."""
        while (position := self.position()) is not None and position < (size := self.log.head().size):
            touched = sorted(
                {row[1] for row in self.log.rows(after=position, upto=size) if row[1].startswith("incident/")}
            )
            with self.engine.begin() as connection:
                moved = connection.execute(
                    sa.update(_tracking)
                    .where(_tracking.c.position == position)
                    .values(position=size, root=self.log.root_at(size))
                )
                if moved.rowcount != 1:
                    connection.rollback()
                    continue
                for stream in touched:
                    entries = read_stream(self.log, stream, upto_position=size)
                    state, rows = rows_of(entries)
                    for table in (_incident, _window):
                        connection.execute(sa.delete(table).where(table.c.incident == state["incident"]))
                    _insert(connection, _incident, [tuple(state.values())])
                    _insert(connection, _window, rows)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Insert rows that have a value for each column, in order."""
    if not rows:
        return
    if connection.dialect.positional:
        # The driver takes the rows as they are; sorting out parameters would cost more than inserting them.
        statement = str(sa.insert(table).compile(dialect=connection.dialect))
        connection.exec_driver_sql(statement, rows)
    else:
        names = [column.name for column in table.columns]
        connection.execute(sa.insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def open_views(log: SealedLog) -> Views:
    """Return views that have caught up with the ledger, wherever they can be kept."""
    try:
        views = _at_home(log)
        if views.position() is None:
            return rebuild(log)
        views.catch_up()
    except (OSError, DBAPIError) as error:
        return _in_memory(log, 1, _unwritable(log, error))
    return views


def refresh(log: SealedLog) -> None:
    """Let the views, where there are any, catch up, so that what was erased from the ledger is gone from them too.

    Raises Unavailable when they stay behind.
    """
    try:
        views = _at_home(log)
        if _is_file(log) and not Path(_path(log)).exists():
            return
        owner = _owner(log)
        if owner is None:
            # It may be views that were damaged, so nobody can say that the texts are gone from there.
            raise Unavailable(
                f"the texts are erased from the ledger, but whether they are gone from its views is not known: {_foreign(log)}"
            )
        if owner != log.head().ledger:
            return  # The views of another ledger hold nothing of this one.
        if views.position() is not None:
            views.catch_up()
        else:
            views = rebuild(log)
        problem = views.unkept
    # A text of the same incident that somebody altered keeps the views from being made; the erasure stands all the same.
    except (OSError, DBAPIError, Altered) as error:
        problem = str(error).splitlines()[0]
    if problem:
        raise Unavailable(
            f"the texts are erased from the ledger, but its views still show them ({problem}); run ledger views rebuild"
        )


def stored_views(log: SealedLog) -> Views | str | None:
    """Return the views as they are kept, caught up with the ledger; None where there are none.

    A text where there are tables of views that cannot be those of this ledger: what does not fit. Raises Unavailable where
    what stands there cannot be read, or not be brought up to the ledger.
    """
    views = _at_home(log)
    try:
        standing = _standing(log)
        if not standing:
            return None
        for table in (_tracking, _incident, _window):
            wanted, there = {column.name for column in table.c}, standing.get(table.name, set())
            if lacking := wanted - there:
                return f"its table {table.name} lacks {', '.join(sorted(lacking))}"
            if more := there - wanted:
                return f"its table {table.name} has {', '.join(sorted(more))}, which no views have"
        # Before they are brought up to the ledger: a trigger would act on that.
        if added := addition(views.engine, None if _is_file(log) else _SCHEMA, _metadata):
            return added
        if isinstance(found := views.tracked(), str):
            return found
        views.catch_up()
    except (OSError, DBAPIError) as error:
        raise Unavailable(f"the views at {views.place} cannot be compared: {_reason(error)}") from None
    return views


def _standing(log: SealedLog) -> dict[str, set[str]]:
    """Return the tables of views that stand where those of this ledger are kept, with the names of their columns."""
    # Who may read the schema without owning it does not see it in the list that `_is_free` asks.
    if _is_file(log) and _is_free(log):
        return {}
    engine = _at_home(log).engine
    try:
        inspected = sa.inspect(engine)
        schema = None if _is_file(log) else _SCHEMA
        there = {*inspected.get_table_names(schema), *inspected.get_view_names(schema)}
        return {
            name: {column["name"] for column in inspected.get_columns(name, schema)}
            for name in sorted(there & {*_metadata.tables})
        }
    finally:
        engine.dispose()


def views_in_memory(log: SealedLog) -> Views:
    """Return views built from nothing, beside whatever is kept."""
    return _in_memory(log, _cores())


def _owner(log: SealedLog) -> str | None:
    """Return the id of the ledger whose views stand where those of this one are kept: "" for nothing, None for something else."""
    if _is_free(log):
        return ""
    if _is_file(log) and not Path(_path(log)).is_file():
        return None
    engine = _at_home(log).engine
    try:
        with engine.connect() as connection:
            found = connection.execute(sa.select(_tracking.c.ledger)).scalars().all()
    except DatabaseError:
        return None
    finally:
        engine.dispose()
    return str(found[0]) if len(found) == 1 else None


def _is_free(log: SealedLog) -> bool:
    """Tell whether nothing stands where the views of this ledger are kept."""
    if _is_file(log):
        path = Path(_path(log))
        # An empty file is what opening a database leaves behind.
        return not os.path.lexists(path) or (path.is_file() and not path.stat().st_size)
    with _server(log, _SCHEMA).connect() as connection:
        query = sa.text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
        return connection.execute(query, {"name": _SCHEMA}).first() is None


def _foreign(log: SealedLog) -> str:
    """Return why nothing may be written where the views of this ledger are kept, "" where it may."""
    owner, ledger = _owner(log), log.head().ledger
    if owner in ("", ledger):
        return ""
    place = _path(log) if _is_file(log) else f"schema {_SCHEMA}"
    what = "is not the views of a ledger" if owner is None else f"is the views of another ledger, {owner}"
    return (
        f"{place} {what}, and is left as it is; move it away, so that the views of {ledger} can be kept there"
    )


def _unwritable(log: SealedLog, error: Exception) -> str:
    place = _path(log) if _is_file(log) else f"schema {_SCHEMA}"
    return f"the views cannot be kept at {place}: {_reason(error)}; check the permissions and the free space"


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(getattr(error, "orig", None) or error)
    return str(said.splitlines()[0])


def rebuild(log: SealedLog, *, processes: int | None = None) -> Views:
    """Build the views in a shadow beside the present ones, then switch; readers see one or the other.

    processes: how many to use at most, this one counted; None: one for each core.
    """
    try:
        return _rebuild(log, _cores() if processes is None else processes)
    except _ProcessFailed:
        return _rebuild(log, 1)


def _rebuild(log: SealedLog, processes: int) -> Views:
    try:
        if foreign := _foreign(log):
            return _in_memory(log, processes, foreign, foreign=True)
        return _rebuild_file(log, processes) if _is_file(log) else _rebuild_schema(log, processes)
    except (OSError, DBAPIError) as error:
        return _in_memory(log, processes, _unwritable(log, error))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_file(log: SealedLog) -> bool:
    return log.url.startswith("sqlite:///")


def _path(log: SealedLog) -> str:
    path = log.url.removeprefix("sqlite:///")
    # Two ledgers never share a place: `X` and `X.db` may stand side by side.
    return f"{path.removesuffix('.db')}.views.db" if path.endswith(".db") else f"{path}.views"


def _engine(path: str | None) -> sa.Engine:
    # One connection that stays, since a memory database lives as long as its connection.
    # As parts and absolute: in the text of a URL `?` and `%` would end or change the path.
    url = sa.URL.create("sqlite", database=None if path is None else str(Path(path).absolute()))
    engine = sa.create_engine(url, poolclass=sa.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        # A title that was erased from the ledger must not stay in free pages of the views.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA busy_timeout = 60000")

    return engine


def _server(log: SealedLog, schema: str) -> sa.Engine:
    url = log.url.replace("postgres://", "postgresql://", 1).replace(
        "postgresql://", "postgresql+psycopg://", 1
    )
    return sa.create_engine(
        url, execution_options={"schema_translate_map": {None: schema}}, poolclass=sa.NullPool
    )


def _at_home(log: SealedLog) -> Views:
    if _is_file(log):
        path = _path(log)
        # Without a file there is nothing to connect to, and connecting would make an empty one.
        return Views(log, _engine(path if Path(path).exists() else None), path)
    return Views(log, _server(log, _SCHEMA), f"schema {_SCHEMA}")


def _in_memory(log: SealedLog, processes: int, unkept: str = "", *, foreign: bool = False) -> Views:
    engine = _engine(None)
    _build(log, engine, processes)
    return Views(log, engine, "memory", unkept, foreign=foreign)


def _rebuild_file(log: SealedLog, processes: int) -> Views:
    path = _path(log)
    shadow = Path(f"{path}.{os.getpid()}.new")
    shadow.unlink(missing_ok=True)
    engine = _engine(str(shadow))
    try:
        _build(log, engine, processes)
        engine.dispose()
        shadow.replace(path)
    except BaseException:
        engine.dispose()
        shadow.unlink(missing_ok=True)
        raise
    return Views(log, _engine(path), path)


def _rebuild_schema(log: SealedLog, processes: int) -> Views:
    # A name of its own, so that two who rebuild at once do not write into the same tables.
    shadow = f"{_SCHEMA}_{secrets.token_hex(4)}"
    engine = _server(log, shadow)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {shadow}"))
    try:
        _build(log, engine, processes)
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE"))
            connection.execute(sa.text(f"ALTER SCHEMA {shadow} RENAME TO {_SCHEMA}"))
    except BaseException:
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {shadow} CASCADE"))
        raise
    engine.dispose()
    return Views(log, _server(log, _SCHEMA), f"schema {_SCHEMA}")


def _build(log: SealedLog, engine: sa.Engine, processes: int) -> None:
    """Fill empty tables from the whole ledger."""
    head = log.head()
    with engine.begin() as connection:
        for table in _metadata.sorted_tables:
            connection.execute(CreateTable(table))
        with _batches(log, head.size, processes) as found:
            for states, windows in found:
                _insert(connection, _incident, states)
                _insert(connection, _window, windows)
        # An index costs less to build at the end than to keep with each row.
        for index in sorted(_window.indexes, key=lambda index: str(index.name)):
            index.create(connection)
        tracked = {
            "one": 1,
            "ledger": head.ledger,
            "format": FORMAT,
            "position": head.size,
            "root": head.root,
        }
        connection.execute(sa.insert(_tracking), [tracked])


# ---- making the rows in several processes -----------------------------------------------------------------------


class _ProcessFailed(Exception):
    """A process that made rows ended early; what it gave is not to be used."""


def _when_told(state: dict[str, Any]) -> tuple[str, str]:
    return state["last_told_at"] or "", state["incident"]


@contextmanager
def _batches(log: SealedLog, size: int, processes: int) -> Iterator[Iterator[tuple[list[Row], list[Row]]]]:
    """Give all rows of the ledger's incidents, in no order; other processes make some of them where that pays."""
    ranges = deque(
        _ranges(log, size)
        if processes > 1 and size >= _ENTRIES_FOR_PROCESSES
        else [Job(log.url, "", None, size)]
    )
    workers = [_worker() for _ in range(min(processes, len(ranges)) - 1)]
    shared = _shared(log, ranges, workers)
    try:
        yield shared
    finally:
        shared.close()
        for worker in workers:
            worker.kill()
            worker.wait()
            for stream in (worker.stdin, worker.stdout):
                with suppress(OSError):
                    if stream is not None:
                        stream.close()


def _ranges(log: SealedLog, size: int) -> list[Job]:
    """Return ranges of incidents of about as many entries each, by the names that stand at every so many positions."""
    step = max(size // (8 * _RANGES), 1)
    sample = [entry.stream for at in range(1, size, step) if (entry := log.at(at)) is not None]
    keys = sorted(stream.partition("/")[2] for stream in sample if stream.startswith("incident/"))
    edges = sorted({*keys[8::8]})
    return [Job(log.url, low, high, size) for low, high in zip(["", *edges], [*edges, None], strict=True)]


def _worker() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "projections.view_rows"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise _ProcessFailed(str(error)) from None


def _shared(
    log: SealedLog, ranges: deque[Job], workers: list[subprocess.Popen[bytes]]
) -> Generator[tuple[list[Row], list[Row]], None, None]:
    """Yield the rows that the workers make; while none are waiting, make some here."""
    # Few may wait, or a slow disk would fill the memory with rows.
    ready: Queue[Any] = Queue(4)
    threads = [Thread(target=_feed, args=(worker, ranges, ready.put), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    working = len(workers)
    try:
        while working or ranges or not ready.empty():
            try:
                found = ready.get(block=not ranges)
            except Empty:
                job = _taken(ranges)
                if job is not None:
                    yield from batches(log, job)
                continue
            if found is None:
                working -= 1
            elif isinstance(found, Exception):
                raise _ProcessFailed(str(found)) from found
            else:
                yield found
    finally:
        # Where this ends early, a thread may still be waiting for room; without its process it ends soon.
        ranges.clear()
        for worker in workers:
            worker.kill()
        while any(thread.is_alive() for thread in threads):
            with suppress(Empty):
                ready.get(timeout=0.05)


def _taken(ranges: deque[Job]) -> Job | None:
    try:
        return ranges.popleft()
    except IndexError:
        return None


def _feed(worker: subprocess.Popen[bytes], ranges: deque[Job], put: Callable[[Any], None]) -> None:
    """Give a process one range after the other; put its batches, then None, or the error that it ended with."""
    try:
        assert worker.stdin is not None  # noqa: S101  # both were asked for
        assert worker.stdout is not None  # noqa: S101
        while (job := _taken(ranges)) is not None:
            worker.stdin.write(msgspec.json.encode(job) + b"\n")
            worker.stdin.flush()
            for batch in frames(worker.stdout):
                put(batch)
        put(None)
    except Exception as error:  # noqa: BLE001  # whatever it is, the one who waits has to know
        put(error)
