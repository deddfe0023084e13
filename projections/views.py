"""Views: SQL tables for what spans incidents, in a place of their own, which may be deleted at any time.

One row of state per incident, and one row per window version with its cuts: on the axis of publication it holds from
published_from up to published_to, on the axis of positions from position_from up to position_to (both half-open;
null: for ever). So the windows under any cut are one WHERE. The rows of a stream are a pure function of its entries:
a view built entry by entry equals one rebuilt from nothing.

A SQLite ledger `X.db` has its views in `X.views.db`, a PostgreSQL ledger in the schema `ledger_views`. A reader who
may not write there builds them in memory.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.schema import CreateTable

from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryWithdrawn,
    IncidentAffectedSet,
    IncidentOpened,
    IncidentRetitled,
    IncidentWithdrawn,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import Facts
from ledger.domain.window import Planned, Window
from ledger.store.entry import split_entry
from ledger.store.log import SealedLog
from ledger.store.stream import Entry, event_of, read_stream, text_or_erased
from projections.replay import Audience, Cut, facts_at, told, windows_of

__all__ = ["FORMAT", "Views", "open_views", "rebuild", "rows_of"]

FORMAT = 2
_SCHEMA = "ledger_views"
_BATCH = 5_000
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
_AT = {name: at for at, name in enumerate(column.name for column in _window.columns)}
Row = tuple[Any, ...]
# Events that act on entries told before them, and those that change a window, or all windows of an incident.
_ACTING: frozenset[type] = frozenset((EntryCorrected, EntryWithdrawn, EntryPublished))
_OF_WINDOWS: frozenset[type] = frozenset((WindowAdded, WindowRevised, WindowWithdrawn))
_OF_INCIDENTS: frozenset[type] = frozenset((IncidentOpened, IncidentAffectedSet, IncidentWithdrawn))
_TOUCHING = _OF_WINDOWS | _OF_INCIDENTS
# The only text in the views is the title; entries of other types keep theirs as commitments.
_TITLED = frozenset(event.TYPE for event in (IncidentOpened, IncidentRetitled, EntryCorrected))
_encode = msgspec.json.Encoder().encode


def _names(values: Sequence[str]) -> str:
    return _encode(values).decode()


# ---- the rows of one stream: pure -------------------------------------------------------------------------------


def rows_of(entries: Sequence[Entry]) -> tuple[dict[str, Any], list[Row]]:
    """Return the state row of one incident and its window rows, from all its entries in position order."""
    found = _in_order(entries)
    if found is not None:
        return found
    if any(entry.event.internal for entry in entries):
        rows = [*_history(entries, "public"), *_house(entries)]
    else:
        rows = _history(entries, "both")
    return _state_row(entries), rows


def _state_row(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the house knows of one incident after these entries."""
    shown = told(entries, audience="house")
    facts = facts_at(entries, audience="house")
    return _state_of(
        entries, facts, shown[0].told_at, shown[-1].told_at, internal=not any(one.public for one in shown)
    )


def _in_order(entries: Sequence[Entry]) -> tuple[dict[str, Any], list[Row]] | None:
    """Return the rows of an ordinary stream in one pass, None where an entry acts on what was told before it.

    Ordinary: told in the order of positions, nothing internal, nothing corrected, taken back or published later. Then
    both audiences read the same, and each entry adds to what the earlier ones came to.
    """
    rectangles = _Rectangles("both")
    incident = entries[0].key
    facts = Facts()
    latest = ""
    for entry in entries:
        event = entry.event
        told_at = event.published_at or entry.recorded_at
        if told_at < latest or event.internal or type(event) in _ACTING:
            return None
        latest = told_at
        facts.apply(entry.version, event)
        if type(event) in _TOUCHING:
            _tell(rectangles, incident, facts, _changed(event, facts), told_at, entry.position)
    first = entries[0]
    opened_at = first.event.published_at or first.recorded_at
    return _state_of(entries, facts, opened_at, latest, internal=False), rectangles.rows()


def _state_of(
    entries: Sequence[Entry], facts: Facts, opened_at: str, last_told_at: str, *, internal: bool
) -> dict[str, Any]:
    first = entries[0]
    return {
        "incident": first.key,
        "kind": facts.kind,
        "status": facts.status,
        "title": text_or_erased(facts.title),
        "impact": facts.impact,
        "began_at": facts.began_at,
        "resolved_at": facts.resolved_at,
        "services": _names(facts.services),
        "components": _names(facts.components),
        "regions": _names(facts.regions),
        "windows": sum(not window.withdrawn for window in facts.windows.values()),
        "entries": len(entries),
        "opened_at": opened_at,
        "last_told_at": last_told_at,
        "first_position": first.position,
        "last_position": entries[-1].position,
        "internal": internal,
    }


class _Rectangles:
    """The versions of windows as they open and close along both axes."""

    def __init__(self, audience: str) -> None:
        self.audience = audience
        # (window, published_from, published_to) -> (state, position_from)
        self.open: dict[tuple[str, str, str | None], tuple[Window, int]] = {}
        # window -> the published_from of its last segment, the open one without published_to
        self.latest: dict[str, str] = {}
        self.closed: list[Row] = []

    def become(self, wanted: dict[tuple[str, str, str | None], Window], position: int) -> None:
        """Make exactly these rectangles the open ones from a position on."""
        for key, (state, since) in list(self.open.items()):
            if wanted.get(key) != state:
                del self.open[key]
                self._close(key, state, since, position)
        for key, state in wanted.items():
            if key not in self.open:
                self.open[key] = (state, position)
        self.latest = {window: since for window, since, until in self.open if until is None}

    def last(self, window: str, state: Window, told_at: str, position: int) -> None:
        """Let a window have this state from told_at on, for ever, as known from a position on."""
        before = self.latest.get(window)
        if before is not None:
            key = (window, before, None)
            known, since = self.open[key]
            if known == state:
                return
            del self.open[key]
            self._close(key, known, since, position)
            if before < told_at:
                self.open[(window, before, told_at)] = (known, position)
        self.latest[window] = told_at
        self.open[(window, told_at, None)] = (state, position)

    def rows(self) -> list[Row]:
        """Return all rectangles as rows, in one order whatever the way they came about."""
        rows = self.closed + [
            _row(self.audience, key, state, since, None) for key, (state, since) in self.open.items()
        ]
        return sorted(rows, key=lambda row: (row[1], row[5], row[3], row[2]))

    def _close(self, key: tuple[str, str, str | None], state: Window, since: int, position: int) -> None:
        # A state that one transaction or told time both made and undid was never anybody's answer.
        if since < position:
            self.closed.append(_row(self.audience, key, state, since, position))


def _history(entries: Sequence[Entry], audience: str) -> list[Row]:
    """Return the rows of what the public was told about windows, for every pair of cuts."""
    rectangles = _Rectangles(audience)
    incident = entries[0].key
    facts = Facts()
    latest = ""
    for at, entry in enumerate(entries):
        event = entry.event
        if event.internal:
            continue
        told_at = event.published_at or entry.recorded_at
        if told_at < latest:
            # Told before something that is already recorded: everything from then on reads anew.
            rectangles.become(_segments(entries[: at + 1]), entry.position)
            facts = facts_at(entries[: at + 1])
            continue
        latest = told_at
        if type(event) in _ACTING:
            facts = facts_at(entries[: at + 1])
            changed: Iterable[str] = facts.windows
        else:
            # A correction that came earlier has to act on nothing that comes now: it names an earlier entry.
            facts.apply(entry.version, event)
            changed = _changed(event, facts)
        _tell(rectangles, incident, facts, changed, told_at, entry.position)
    return rectangles.rows()


def _tell(
    rectangles: _Rectangles, incident: str, facts: Facts, changed: Iterable[str], told_at: str, position: int
) -> None:
    """Let the windows that changed have their present state from told_at on."""
    if not changed:
        return
    # Only the windows that changed are worked out: an incident may have thousands.
    narrow = Facts()
    narrow.regions, narrow.components, narrow.withdrawn = facts.regions, facts.components, facts.withdrawn
    narrow.windows = {key: facts.windows[key] for key in changed if key in facts.windows}
    for window in windows_of(incident, narrow):
        rectangles.last(window.window, window, told_at, position)


def _changed(event: AnyEvent, facts: Facts) -> Iterable[str]:
    kind = type(event)
    if kind in _OF_WINDOWS:
        window: str = event.window  # type: ignore[union-attr]  # the table says which events have one
        return (window,)
    return facts.windows if kind in _OF_INCIDENTS else ()


def _segments(entries: Sequence[Entry]) -> dict[tuple[str, str, str | None], Window]:
    """Return the rectangles of all windows as the entries stand: what was told from when to when."""
    incident = entries[0].key
    times = sorted({one.told_at for one in told(entries)})
    runs: dict[str, list[tuple[str, Window]]] = {}
    for time in times:
        for window in windows_of(incident, facts_at(entries, Cut(published_by=time))):
            run = runs.setdefault(window.window, [])
            if not run or run[-1][1] != window:
                run.append((time, window))
    found: dict[tuple[str, str, str | None], Window] = {}
    for key, run in runs.items():
        ends: list[str | None] = [*(time for time, _ in run[1:]), None]
        for (time, window), end in zip(run, ends, strict=True):
            found[(key, time, end)] = window
    return found


def _house(entries: Sequence[Entry]) -> list[Row]:
    """Return the rows of what the house knew, internal entries too; it has no cut by publication."""
    rectangles = _Rectangles("house")
    incident = entries[0].key
    for at, entry in enumerate(entries):
        state = windows_of(incident, facts_at(entries[: at + 1], audience="house"))
        rectangles.become({(window.window, "", None): window for window in state}, entry.position)
    return rectangles.rows()


def _row(
    audience: str,
    key: tuple[str, str, str | None],
    state: Window,
    position_from: int,
    position_to: int | None,
) -> Row:
    planned = state.planned
    return (
        state.incident, state.window, audience, key[1], key[2], position_from, position_to, state.service,
        state.component, state.region, state.start, state.end, state.effect, state.share_at_least,
        state.share_at_most, state.share_of, state.approximate, state.start_within_seconds, state.end_within_seconds,
        state.basis, state.cohort,
        None if planned is None else _encode(msgspec.structs.astuple(planned)).decode(),
        state.withdrawn, _names(state.regions), _names(state.components), _names(state.entries),
    )  # fmt: skip


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

    def __init__(self, log: SealedLog, engine: sa.Engine, place: str) -> None:
        self.log = log
        self.engine = engine
        self.place = place

    def position(self) -> int | None:
        """Return the position read up to; None when the tables are not there or belong to something else."""
        try:
            with self.engine.connect() as connection:
                row = connection.execute(sa.select(_tracking)).one_or_none()
        except DatabaseError:
            return None
        head = self.log.head()
        if row is None or row.ledger != head.ledger or row.format != FORMAT or row.position > head.size:
            return None
        root = head.root if row.position == head.size else self.log.root_at(row.position)
        return int(row.position) if bytes(row.root) == root else None

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
        """Return one row of state per incident, the latest told last."""
        with self.engine.connect() as connection:
            query = sa.select(_incident).order_by(_incident.c.last_told_at, _incident.c.incident)
            rows = [dict(row) for row in connection.execute(query).mappings()]
        if cut != Cut():
            rows = list(self._under(cut, rows))
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

    def _under(self, cut: Cut, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the state of each incident as a cut shows it, folded from its entries."""
        found = []
        for row in rows:
            if cut.recorded_by is not None and row["first_position"] > cut.recorded_by:
                continue
            held = read_stream(self.log, f"incident/{row['incident']}", upto_position=cut.recorded_by)
            versions = {one.entry.version for one in told(held, cut, "house")}
            if versions:
                found.append(_state_row([entry for entry in held if entry.version in versions]))
        yield from sorted(found, key=lambda state: (state["last_told_at"], state["incident"]))

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
    except (OSError, DBAPIError):
        return _in_memory(log)
    return views


def rebuild(log: SealedLog) -> Views:
    """Build the views in a shadow beside the present ones, then switch; readers see one or the other."""
    try:
        if _is_file(log):
            return _rebuild_file(log)
        return _rebuild_schema(log)
    except (OSError, DBAPIError):
        return _in_memory(log)


def _is_file(log: SealedLog) -> bool:
    return log.url.startswith("sqlite:///")


def _path(log: SealedLog) -> str:
    path = log.url.removeprefix("sqlite:///")
    return f"{path.removesuffix('.db')}.views.db"


def _engine(path: str | None) -> sa.Engine:
    # One connection that stays, since a memory database lives as long as its connection.
    engine = sa.create_engine("sqlite://" if path is None else f"sqlite:///{path}", poolclass=sa.StaticPool)

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


def _in_memory(log: SealedLog) -> Views:
    engine = _engine(None)
    _build(log, engine)
    return Views(log, engine, "memory")


def _rebuild_file(log: SealedLog) -> Views:
    path = _path(log)
    shadow = Path(f"{path}.{os.getpid()}.new")
    shadow.unlink(missing_ok=True)
    engine = _engine(str(shadow))
    try:
        _build(log, engine)
        engine.dispose()
        shadow.replace(path)
    except BaseException:
        engine.dispose()
        shadow.unlink(missing_ok=True)
        raise
    return Views(log, _engine(path), path)


def _rebuild_schema(log: SealedLog) -> Views:
    # A name of its own, so that two who rebuild at once do not write into the same tables.
    shadow = f"{_SCHEMA}_{secrets.token_hex(4)}"
    engine = _server(log, shadow)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {shadow}"))
    try:
        _build(log, engine)
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE"))
            connection.execute(sa.text(f"ALTER SCHEMA {shadow} RENAME TO {_SCHEMA}"))
    except BaseException:
        with engine.begin() as connection:
            connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {shadow} CASCADE"))
        raise
    engine.dispose()
    return Views(log, _server(log, _SCHEMA), f"schema {_SCHEMA}")


def _build(log: SealedLog, engine: sa.Engine) -> None:
    """Fill empty tables from the whole ledger, one incident in memory at a time."""
    head = log.head()
    with engine.begin() as connection:
        for table in _metadata.sorted_tables:
            connection.execute(CreateTable(table))
        states: list[Row] = []
        windows: list[Row] = []
        for entries in _incidents(log, head.size):
            state, rows = rows_of(entries)
            states.append(tuple(state.values()))
            windows += rows
            if len(states) + len(windows) >= _BATCH:
                _insert(connection, _incident, states)
                _insert(connection, _window, windows)
                states, windows = [], []
        _insert(connection, _incident, states)
        _insert(connection, _window, windows)
        # An index costs less to build at the end than to keep with each row.
        for index in sorted(_window.indexes, key=lambda index: str(index.name)):
            index.create(connection)
        connection.execute(
            sa.insert(_tracking),
            [
                {
                    "one": 1,
                    "ledger": head.ledger,
                    "format": FORMAT,
                    "position": head.size,
                    "root": head.root,
                }
            ],
        )


def _incidents(log: SealedLog, size: int) -> Iterator[list[Entry]]:
    """Yield the entries of each incident, up to a position."""
    for _, rows in groupby(log.rows_by_stream("incident"), key=lambda row: row[1]):
        entries = [_entry(row) for row in rows if row[0] <= size]
        if entries:
            yield entries


def _entry(row: Sequence[Any]) -> Entry:
    # The columns say what the header says; verify holds them to it.
    position, stream, version, type_, recorded_at, _, entry, texts = row
    event = event_of(type_, split_entry(bytes(entry)), bytes(texts) if type_ in _TITLED else b"{}")
    return Entry(position, stream, version, type_, recorded_at, event)
