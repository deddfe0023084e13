"""Views equal the folds they stand for, under every cut, however they came about."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from ledger.append import Appender
from ledger.domain.actions import parse_action
from ledger.domain.instants import from_micros, micros
from ledger.domain.window import Window
from ledger.errors import Refused, Unavailable
from ledger.store.log import SealedLog
from ledger.store.stream import Entry, read_stream, text_or_erased
from projections import view_rows
from projections import views as module
from projections.replay import Audience, Cut, facts_at, told, windows_of
from projections.view_rows import rows_of
from projections.views import Views, open_views, rebuild, stored_views

_START = micros("2022-04-01T00:00:00.000000Z")
_ALWAYS = (-(1 << 40), 1 << 40)
_AUDIENCES: tuple[Audience, ...] = ("public", "house")
_KEYS = ("a", "b")
Step = tuple[str, str, dict[str, Any]]


class _Clock:
    """A minute passes with each append, so that `published_at` can lie between two of them."""

    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> int:
        self.now += 60_000_000
        return self.now


def _ledger(url: str) -> Appender:
    appender = Appender(url, clock=_Clock())
    appender.create("views-test")
    return appender


def _do(appender: Appender, step: Step) -> bool:
    verb, key, fields = step
    try:
        appender.append([parse_action({"action": verb, "incident": key, "actor": "ops", **fields})])
    except Refused:
        return False
    return True


def _open(key: str = "a", **fields: Any) -> Step:
    return ("open", key, {"title": f"Title {key}", "status": "investigating", "services": ["email"],
                          "components": ["flow", "quarantine"], "regions": ["EMEA", "NAM"], **fields})  # fmt: skip


def _add(window: str = "w1", key: str = "a", **fields: Any) -> Step:
    return ("add-window", key, {"window": window, "service": "email", "component": "*", "region": "NAM", "effect": "outage",
                                "start": "2022-03-15T02:30:00Z", "end": "2022-03-15T10:00:00Z", **fields})  # fmt: skip


def _entries(log: SealedLog) -> dict[str, list[Entry]]:
    return {key: found for key in _KEYS if (found := read_stream(log, f"incident/{key}"))}


def _cuts(streams: dict[str, list[Entry]]) -> list[Cut]:
    times = {one.told_at for entries in streams.values() for one in told(entries, audience="house")}
    first = from_micros(min(map(micros, times)) - 1) if times else None
    last = max((entries[-1].position for entries in streams.values()), default=0)
    return [
        Cut(published_by, recorded_by)
        for published_by in (None, first, *sorted(times))
        for recorded_by in (None, *range(last + 1))
    ]


def _folded(streams: dict[str, list[Entry]], cut: Cut, audience: Audience) -> list[Window]:
    return [
        window
        for key, entries in sorted(streams.items())
        for window in windows_of(key, facts_at(entries, cut, audience))
        if not window.withdrawn
    ]


def _contents(views: Views) -> tuple[list[Any], list[Any]]:
    with views.engine.connect() as connection:
        states = connection.execute(sa.text("SELECT * FROM incident ORDER BY incident")).all()
        rows = connection.execute(sa.text("SELECT * FROM window")).all()
    return list(map(tuple, states)), sorted(map(repr, rows))


def _hold_to_the_folds(views: Views, log: SealedLog) -> None:
    streams = _entries(log)
    for cut in _cuts(streams):
        for audience in _AUDIENCES:
            assert views.windows(*_ALWAYS, cut, audience) == _folded(streams, cut, audience), (cut, audience)
        states = {row["incident"]: row for row in views.incidents(cut)}
        for key, entries in streams.items():
            shown = told(entries, cut, "house")
            assert (key in states) == bool(shown), (cut, key)
            if shown:
                facts, state = facts_at(entries, cut, "house"), states[key]
                assert (state["status"], state["title"], state["impact"], state["resolved_at"]) == (
                    facts.status, text_or_erased(facts.title), facts.impact, facts.resolved_at), (cut, key)  # fmt: skip
                assert (state["regions"], state["components"]) == ([*facts.regions], [*facts.components])
                counting = [] if facts.withdrawn else [*facts.windows.values()]
                assert state["windows"] == sum(not window.withdrawn for window in counting)
                public = [one.told_at for one in shown if one.public]
                assert (state["opened_at"], state["last_told_at"]) == (
                    shown[0].told_at, public[-1] if public else None)  # fmt: skip
                assert state["internal_entries"] == len(shown) - len(public)
                said = facts_at(entries, cut, "public")
                assert state["told_title"] == text_or_erased(said.title), (cut, key)
                assert state["internal"] == (not any(one.public for one in shown)), (cut, key)
                assert (state["entries"], state["last_position"]) == (
                    len(shown), max(one.entry.position for one in shown))  # fmt: skip


# ---- random histories ---------------------------------------------------------------------------------------------

_version = st.integers(1, 12).map(lambda version: f"v{version}")
_when = st.sampled_from([None, None, None, None, -1, 0, 1, 2, 3, 4, 6])
_region = st.sampled_from(["NAM", "EMEA", "*", "unknown"])
_instant = st.sampled_from(
    [f"2022-03-{day}T{hour}:00:00Z" for day in (14, 15) for hour in ("02", "10", "16")]
)
_window_id = st.sampled_from(["w1", "w2"])


@st.composite
def _step(draw: st.DrawFn) -> Step:
    verb = draw(
        st.sampled_from([
            "add-window", "add-window", "revise-window", "revise-window", "correct", "correct", "publish", "publish",
            "update", "resolve", "reopen", "retitle", "set-affected", "set-impact", "withdraw-update", "withdraw-window",
            "withdraw", "redact", "open",
        ])
    )  # fmt: skip
    key = draw(st.sampled_from(_KEYS))
    fields: dict[str, Any] = {}
    if verb == "open":
        return _open(key, internal=draw(st.booleans()))
    if (when := draw(_when)) is not None and verb != "redact":
        fields["published_at"] = from_micros(_START + 60_000_000 * when)
    if verb not in ("publish", "redact") and draw(st.integers(0, 3)) == 0:
        fields["internal"] = True
        fields.pop("published_at", None)
    more: dict[str, Any] = {}
    match verb:
        case "add-window":
            verb, _, more = _add(draw(_window_id), region=draw(_region), start=draw(_instant))
            more["end"] = draw(st.sampled_from(["2022-03-16T00:00:00Z", None]))
        case "revise-window":
            more = {"window": draw(_window_id), "reason": "r",
                    **draw(st.sampled_from([{"effect": "delay"}, {"end": None}, {"share_at_most": "0.2"}, {"region": "*"},
                                            {"effect": "outage"}, {"region": "EMEA"}]))}  # fmt: skip
        case "correct":
            more = {"corrects": draw(_version), "kind": "correction", "reason": "r",
                    "set": draw(st.sampled_from([{"start": "2022-03-13T00:00:00Z"}, {"effect": "degraded"}, {"end": None},
                                                 {"regions": ["EMEA", "NAM", "APAC"]}, {"title": "Other"}, {"region": "*"},
                                                 {"impact": "minor"}]))}  # fmt: skip
        case "withdraw-update":
            more = {"corrects": draw(_version), "reason": "r"}
        case "publish":
            more = {"publishes": draw(_version)}
        case "withdraw-window":
            more = {"window": draw(_window_id), "reason": "r"}
        case "retitle":
            more = {"title": draw(st.sampled_from(["One", "Two"]))}
        case "set-affected":
            more = {"services": ["email"], "components": ["flow", "quarantine"],
                    "regions": draw(st.sampled_from([["EMEA", "NAM"], ["EMEA", "NAM", "LATAM"]]))}  # fmt: skip
        case "set-impact":
            more = {"impact": draw(st.sampled_from(["minor", "major"]))}
        case "withdraw" | "reopen":
            more = {"reason": "r"}
        case "redact":
            more = {"entry": draw(_version), "fields": ["title"], "reason": "r"}
        case _:
            more = {"body": "Said."}
    return verb, key, {**more, **fields}


def _late(minutes: int) -> dict[str, Any]:
    return {"published_at": from_micros(_START + 60_000_000 * minutes)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_step(), min_size=1, max_size=14), st.booleans())
@example([_add(), _add("w2", region="*"), ("revise-window", "a", {"window": "w1", "effect": "delay", "reason": "r", **_late(2)}),
          ("correct", "a", {"corrects": "v1", "kind": "correction", "set": {"regions": ["EMEA", "NAM", "APAC"]},
                            "reason": "r", **_late(1)})], False)  # fmt: skip
@example([_add(internal=True), ("correct", "a", {"corrects": "v2", "kind": "correction", "set": {"region": "*"},
                                                 "reason": "r", "internal": True}),
          ("publish", "a", {"publishes": "v2"}), ("publish", "a", {"publishes": "v3"})], False)  # fmt: skip
def test_views_read_entry_by_entry_equal_rebuilt_ones_and_the_folds(
    steps: Sequence[Step], hidden: bool
) -> None:
    """Given any history the ledger accepts, then every cut of the views is the fold of the entries under that cut."""
    with tempfile.TemporaryDirectory() as folder:
        appender = _ledger(f"sqlite:///{folder}/ledger.db")
        log = appender.sealed
        open_views(log).engine.dispose()
        for step in (_open("a", internal=hidden, **({} if hidden else _late(0))), *steps):
            if _do(appender, step):
                kept = open_views(log)
                assert kept.place.endswith("ledger.views.db")
                kept.engine.dispose()
        kept = open_views(log)
        anew = module._in_memory(log, 1)
        assert _contents(kept) == _contents(anew)
        _hold_to_the_folds(kept, log)
        kept.engine.dispose()
        anew.engine.dispose()
        appender.close()


# ---- single promises ----------------------------------------------------------------------------------------------


@pytest.fixture
def appender(sqlite_url: str) -> Any:
    """A ledger with an incident and a window."""
    found = _ledger(sqlite_url)
    assert _do(found, _open(published_at="2022-03-14T17:00:00Z"))
    assert _do(found, _add(published_at="2022-03-30T16:52:00Z"))
    yield found
    found.close()


def _views_file(log: SealedLog) -> Path:
    return Path(log.url.removeprefix("sqlite:///").removesuffix(".db") + ".views.db")


def test_a_correction_is_seen_from_its_published_time_on(appender: Appender) -> None:
    views = open_views(appender.sealed)
    assert views.windows(*_ALWAYS, Cut("2022-03-30T16:51:59.999999Z"), "public") == []
    [window] = views.windows(*_ALWAYS, Cut("2022-03-30T16:52:00.000000Z"), "public")
    assert (window.window, window.start, window.end) == ("w1", 1_647_311_400, 1_647_338_400)
    assert window.entries == ("incident/a v2",)


def test_only_windows_that_may_touch_the_period_are_read(appender: Appender) -> None:
    assert _do(appender, _add("w2", start_within_seconds=60, end_within_seconds=30))
    views = open_views(appender.sealed)
    start, end = 1_647_311_400, 1_647_338_400
    found = {
        span: [window.window for window in views.windows(*span)]
        for span in ((0, start), (0, start + 1), (end, 1 << 40), (end + 29, 1 << 40), (end + 30, 1 << 40))
    }
    assert list(found.values()) == [["w2"], ["w1", "w2"], ["w2"], ["w2"], []]


def test_ordinary_entries_need_no_second_row_for_the_house(appender: Appender) -> None:
    _, rows = rows_of(read_stream(appender.sealed, "incident/a"))
    assert [row[2] for row in rows] == ["both"]
    assert _do(appender, ("update", "a", {"body": "known, not said", "internal": True}))
    _, rows = rows_of(read_stream(appender.sealed, "incident/a"))
    assert sorted(row[2] for row in rows) == ["house", "public"]


def test_an_erased_title_is_gone_from_the_file(sqlite_url: str) -> None:
    """Given a title in the views, when it is erased from the ledger, then opening the views wipes it from their bytes."""
    appender, secret = _ledger(sqlite_url), "Anna Example +49 30 5550199"
    for number in range(40):
        assert _do(appender, _open(f"k{number}"))
    assert _do(appender, _open("a", title=secret))
    log = appender.sealed
    open_views(log).engine.dispose()
    assert secret.encode() in _views_file(log).read_bytes()
    assert _do(appender, ("redact", "a", {"entry": "v1", "fields": ["title"], "reason": "a person's data"}))
    views = open_views(log)
    [row] = [row for row in views.incidents() if row["incident"] == "a"]
    assert row["title"] == "[erased]"
    views.engine.dispose()
    assert all(
        secret.encode() not in path.read_bytes()
        for path in _views_file(log).parent.iterdir()
        if path.name.startswith("ledger.views.db")
    )
    appender.close()


def test_where_views_cannot_be_created_they_are_built_in_memory(appender: Appender) -> None:
    """A folder stands where the file would: this fails for every account, root too."""
    place = _views_file(appender.sealed)
    place.mkdir()
    views = open_views(appender.sealed)
    assert (views.place, len(views.windows(*_ALWAYS))) == ("memory", 1)
    assert sorted(path.name for path in place.parent.iterdir() if "views" in path.name) == ["ledger.views.db"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere, whatever the permissions say")
def test_a_reader_without_write_access_builds_them_in_memory(appender: Appender) -> None:
    folder = _views_file(appender.sealed).parent
    folder.chmod(0o500)
    try:
        assert (views := open_views(appender.sealed)).place == "memory"
        assert len(views.windows(*_ALWAYS)) == 1
    finally:
        folder.chmod(0o700)


def test_stale_views_that_cannot_be_written_are_left_and_built_in_memory(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = appender.sealed
    open_views(log).engine.dispose()
    before = _views_file(log).read_bytes()
    assert _do(appender, _add("w2"))
    ordinary = module._engine

    def read_only(path: str | None) -> sa.Engine:
        engine = ordinary(path)
        if path is not None:
            sa.event.listen(
                engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON")
            )
        return engine

    monkeypatch.setattr(module, "_engine", read_only)
    views = open_views(log)
    assert (views.place, [window.window for window in views.windows(*_ALWAYS)]) == ("memory", ["w1", "w2"])
    assert _views_file(log).read_bytes() == before


def test_tracking_moves_only_from_where_it_was_read(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a reader who saw an old position, when another caught up first, then nothing is written twice."""
    log = appender.sealed
    first, second = open_views(log), open_views(log)
    old = second.position()
    assert _do(appender, _add("w2"))
    first.catch_up()
    seen = [old]
    ordinary = second.position
    monkeypatch.setattr(second, "position", lambda: seen.pop() if seen else ordinary())
    second.catch_up()
    assert not seen
    assert _contents(second) == _contents(module._in_memory(log, 1))
    assert second.status() == {"place": second.place, "position": 3, "size": 3, "lag": 0}


def test_a_failed_catch_up_moves_nothing(appender: Appender, monkeypatch: pytest.MonkeyPatch) -> None:
    log = appender.sealed
    views = open_views(log)
    before = _contents(views)
    assert _do(appender, _add("w2"))

    def fails(entries: Sequence[Entry]) -> Any:
        raise OperationalError("stop", None, Exception("stop"))

    with monkeypatch.context() as patched:
        patched.setattr(module, "rows_of", fails)
        with pytest.raises(OperationalError):
            views.catch_up()
    assert (views.position(), _contents(views)) == (2, before)
    assert views.status()["lag"] == 1


def test_views_of_an_earlier_format_are_built_anew(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = appender.sealed
    open_views(log).engine.dispose()
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    views = Views(log, module._engine(str(_views_file(log))), "")
    assert views.position() is None
    found = open_views(log)
    assert (found.place, found.position()) == (str(_views_file(log)), 2)


def _views_of_another(log: SealedLog, place: Path) -> None:
    other = Appender(f"sqlite:///{place.parent / 'other.db'}", clock=_Clock())
    other.create("another")
    assert _do(other, _open("b"))
    open_views(other.sealed).engine.dispose()
    shutil.copy(_views_file(other.sealed), place)
    other.close()


def _another_ledger(log: SealedLog, place: Path) -> None:
    other = Appender(f"sqlite:///{place}", clock=_Clock())
    other.create("another")
    assert _do(other, _open("b"))
    other.close()


def _a_text(log: SealedLog, place: Path) -> None:
    place.write_bytes(b"this is no database at all " * 200)


def _a_table(log: SealedLog, place: Path) -> None:
    connection = sqlite3.connect(place)
    connection.execute("CREATE TABLE tracking (ledger TEXT)")
    connection.close()


@pytest.mark.parametrize("something", [_views_of_another, _another_ledger, _a_text, _a_table])
def test_what_is_not_the_views_of_this_ledger_is_never_replaced(
    appender: Appender, something: Callable[[SealedLog, Path], None]
) -> None:
    """Whatever stands where the views would: it is written by nobody, and named; an erasure says so where it may be damaged views."""
    log = appender.sealed
    place = _views_file(log)
    something(log, place)
    before = place.read_bytes()
    for views in (open_views(log), rebuild(log)):
        assert (views.place, views.foreign) == ("memory", True)
        assert f"{place} is " in views.unkept
        assert len(views.windows(*_ALWAYS)) == 1
    if something is _views_of_another:
        module.refresh(log)
    else:
        with pytest.raises(Unavailable, match="whether they are gone from its views is not known"):
            module.refresh(log)
    assert place.read_bytes() == before
    assert sorted(path.name for path in place.parent.glob("*.new")) == []


def test_an_empty_file_gives_way(appender: Appender) -> None:
    """Nothing is lost with it, and opening a database may leave one."""
    _views_file(appender.sealed).touch()
    assert open_views(appender.sealed).place == str(_views_file(appender.sealed))


@pytest.mark.parametrize(
    "name", ["q?.db", "50%.db", "a%20b.db", "x#y.db", "b", "b.db", "c.sqlite", "file:d.db"]
)
def test_every_name_of_a_ledger_has_views_of_its_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = _ledger("sqlite:///b.db" if name == "b" else "sqlite:///b")
    open_views(other.sealed).engine.dispose()
    made = _ledger(f"sqlite:///{name}")
    views = open_views(made.sealed)
    views.engine.dispose()
    assert views.place == (
        f"{name.removesuffix('.db')}.views.db" if name.endswith(".db") else f"{name}.views"
    )
    kept = {path.name for path in tmp_path.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    beside = {"b.db", "b.views.db"} if name == "b" else {"b", "b.views"}
    assert kept == {name, views.place, *beside}
    assert stored_views(made.sealed) is not None
    assert stored_views(other.sealed) is not None


@pytest.mark.parametrize("more", [0, 1, 2, 3])
def test_views_of_a_ledger_that_was_restored_from_a_backup_are_built_anew(sqlite_url: str, more: int) -> None:
    """Given views that read entries which a restore took back, then what was said instead is shown."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    appender = _ledger(sqlite_url)
    assert _do(appender, _open())
    appender.close()
    shutil.copy(path, backup := path.with_name("backup"))
    appender = Appender(sqlite_url, clock=_Clock())
    assert _do(appender, _add("lost"))
    assert _do(appender, ("retitle", "a", {"title": "Lost"}))
    open_views(appender.sealed).engine.dispose()
    appender.close()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    shutil.copy(backup, path)
    appender = Appender(sqlite_url, clock=_Clock())
    for number in range(more):
        assert _do(appender, _add(f"new-{number}"))
    views = open_views(appender.sealed)
    assert [window.window for window in views.windows(*_ALWAYS)] == [
        f"new-{number}" for number in range(more)
    ]
    assert [row["title"] for row in views.incidents()] == ["Title a"]
    appender.close()


def test_incidents_are_filtered_and_the_latest_told_comes_last(appender: Appender) -> None:
    assert _do(appender, _open("b", regions=["APAC"], internal=True))
    assert _do(appender, ("resolve", "a", {"body": "Over."}))
    views = open_views(appender.sealed)
    assert [row["incident"] for row in views.incidents()] == ["b", "a"]
    assert [row["internal"] for row in views.incidents()] == [True, False]
    assert [row["last_told_at"] is None for row in views.incidents()] == [True, False]
    assert [row["incident"] for row in views.incidents(status="resolved")] == ["a"]
    assert [row["incident"] for row in views.incidents(region="APAC")] == ["b"]
    assert [row["incident"] for row in views.incidents(service="chat")] == []


def test_a_rebuild_that_fails_leaves_the_present_views(
    appender: Appender, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = appender.sealed
    open_views(log).engine.dispose()
    before = _views_file(log).read_bytes()

    def fails(entries: Sequence[Entry]) -> Any:
        raise ValueError("stop")

    with monkeypatch.context() as patched:
        patched.setattr(view_rows, "rows_of", fails)
        with pytest.raises(ValueError, match="stop"):
            rebuild(log)
    assert _views_file(log).read_bytes() == before
    assert not list(_views_file(log).parent.glob("*.new"))


@pytest.mark.postgres
def test_on_postgresql_the_views_are_a_schema_of_the_same_database(postgres_url: str) -> None:
    appender = _ledger(postgres_url)
    log = appender.sealed
    for step in (_open(), _add(), _add("w2", internal=True), ("publish", "a", {"publishes": "v3"}), _open("b"),
                 ("correct", "a", {"corrects": "v2", "kind": "correction", "set": {"region": "*"}, "reason": "r"})):  # fmt: skip
        assert _do(appender, step)
        views = open_views(log)
        assert views.place == "schema ledger_views"
    _hold_to_the_folds(views, log)
    caught_up = views.windows(*_ALWAYS)
    anew = rebuild(log)
    assert (anew.windows(*_ALWAYS), anew.status()["lag"]) == (caught_up, 0)
    with views.engine.connect() as connection:
        schemas = connection.execute(
            sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ledger_views%'")
        )
        assert schemas.scalars().all() == ["ledger_views"]
    appender.close()


# ---- several processes ------------------------------------------------------------------------------------------


@pytest.fixture
def many(appender: Appender, monkeypatch: pytest.MonkeyPatch) -> SealedLog:
    """Return a ledger of 400 incidents of all sorts, at a size from which processes are used."""
    from benchmarks.ledgers import actions

    appender.append([parse_action(line) for line in actions(0, 400)])
    for number in range(0, 400, 7):
        key = f"inc-{number}"
        fields = {"actor": "ops", "reason": "Wrong."}
        appender.record("correct", key, corrects="v1", kind="correction", set={"title": "Anew"}, **fields)
        appender.record("withdraw-window", key, window="w-0", **fields)
        appender.record("update", key, actor="ops", body="Known, not said.", internal=True)
    monkeypatch.setattr(module, "_ENTRIES_FOR_PROCESSES", 1_000)
    return appender.sealed


def test_views_made_by_several_processes_are_those_of_one(many: SealedLog) -> None:
    alone, together = rebuild(many, processes=1), None
    try:
        expected = _contents(alone)
        together = rebuild(many, processes=3)
        assert len(expected[1]) > 800
        assert _contents(together) == expected
    finally:
        alone.engine.dispose()
        if together is not None:
            together.engine.dispose()


@pytest.mark.parametrize("broken", ["/nowhere", "/bin/true", "/bin/false", "ends-early"])
def test_a_process_that_fails_leaves_the_work_to_the_others(
    many: SealedLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str
) -> None:
    """Given a process that cannot start, says nothing or ends in the middle, then the views are whole all the same."""
    if broken == "ends-early":
        script = tmp_path / "early"
        script.write_text("#!/bin/sh\nread line\nprintf '\\000\\000\\000\\000\\000\\000\\001\\000abc'\n")
        script.chmod(0o755)
        broken = str(script)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", broken)
        views = rebuild(many, processes=3)
    expected = module._in_memory(many, 1)
    assert views.place.endswith(".views.db")
    assert _contents(views) == _contents(expected)
    views.engine.dispose()
    expected.engine.dispose()


def test_incidents_say_what_the_public_does_not_know(appender: Appender) -> None:
    def row() -> dict[str, Any]:
        return {one["incident"]: one for one in open_views(appender.sealed).incidents()}["a"]

    before = row()
    assert (before["internal_entries"], before["told_title"]) == (0, "Title a")
    assert _do(appender, ("retitle", "a", {"title": "Between us", "internal": True}))
    now = row()
    assert (now["title"], now["told_title"], now["internal"]) == ("Between us", "Title a", False)
    assert (now["internal_entries"], now["last_told_at"]) == (1, before["last_told_at"])


def test_a_withdrawn_incident_counts_no_windows(appender: Appender) -> None:
    assert _do(appender, _add("w"))
    assert {one["incident"]: one["windows"] for one in open_views(appender.sealed).incidents()}["a"] > 0
    assert _do(appender, ("withdraw", "a", {"reason": "Opened by mistake."}))
    found = {one["incident"]: one for one in open_views(appender.sealed).incidents()}["a"]
    assert (found["windows"], found["status"]) == (0, "withdrawn")
