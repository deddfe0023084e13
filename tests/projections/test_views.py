"""Views: one WHERE answers any cut, and a view built entry by entry equals one rebuilt from nothing."""

from __future__ import annotations

import itertools
import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import projections.views as views_module
from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
from ledger.domain.instants import from_micros, micros
from ledger.errors import LedgerError
from ledger.store.stream import read_stream
from projections.replay import Audience, Cut, facts_at, told, windows_of
from projections.views import Views, open_views, rebuild

START = micros("2022-03-10T00:00:00.000000Z")
HOUR = 3_600_000_000
FAR = 2**40


def _action(chance: random.Random, now: int) -> dict[str, Any]:
    """Return an action that may or may not be allowed; late statements, internal ones and corrections among them."""
    head: dict[str, Any] = {"incident": chance.choice(("a", "b")), "actor": "ops"}
    if chance.random() < 0.4:
        head["published_at"] = from_micros(now - chance.randrange(0, 30) * HOUR)
    elif chance.random() < 0.3:
        head["internal"] = True
    window = chance.choice(("w1", "w2", "w3"))
    start = START + chance.randrange(0, 48) * HOUR
    return {
        **head,
        **chance.choice(
            (
                {"action": "add-window", "window": window, "service": "s", "component": "c", "region": "*",
                 "start": from_micros(start), "end": from_micros(start + HOUR), "effect": "outage"},
                {"action": "revise-window", "window": window, "end": from_micros(start + 90 * HOUR), "reason": "r"},
                {"action": "revise-window", "window": window, "effect": "delay", "region": "R1", "reason": "r"},
                {"action": "withdraw-window", "window": window, "reason": "r"},
                {"action": "set-affected", "services": ["s"], "components": ["c"], "regions": ["R1", "R2", "R3"]},
                {"action": "correct", "corrects": f"v{chance.randrange(1, 12)}", "kind": "correction",
                 "set": {"effect": "degraded"}, "reason": "r"},
                {"action": "withdraw-update", "corrects": f"v{chance.randrange(1, 12)}", "reason": "r"},
                {"action": "publish", "publishes": f"v{chance.randrange(1, 12)}"},
                {"action": "update", "body": "x"},
            )
        ),
    }  # fmt: skip


def _ledger(url: str, seed: int, after: Any = None) -> IncidentLedger:
    """Return a ledger of random but allowed histories; `after` is called after each entry."""
    chance = random.Random(seed)
    clock = itertools.count(START, HOUR)
    now = [START]
    ledger = IncidentLedger(url, clock=lambda: now[0], salts=lambda: bytes(16))
    ledger.create("ledger-views")
    for key in ("a", "b"):
        ledger.append([parse_action({"action": "open", "incident": key, "actor": "ops", "title": f"Title of {key}",
                                     "status": "investigating", "services": ["s"], "components": ["c"],
                                     "regions": ["R1", "R2"], "published_at": from_micros(START - 99 * HOUR)})])  # fmt: skip
    for _ in range(60):
        now[0] = next(clock)
        try:
            ledger.append([parse_action(_action(chance, now[0]))])
        except LedgerError:
            continue
        if after is not None:
            after(ledger)
    return ledger


def _rows(views: Views) -> list[list[Any]]:
    with views.engine.connect() as connection:
        return [
            sorted((list(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in (views_module._incident, views_module._window)
        ]


@pytest.mark.parametrize("seed", range(6))
def test_every_cut_is_one_where(seed: int, sqlite_url: str) -> None:
    """Under each pair of cuts and for each audience, the rows give the windows that a fold gives."""
    with closing(_ledger(sqlite_url, seed)) as ledger:
        log = ledger.sealed
        views = open_views(log)
        streams = {key: read_stream(log, f"incident/{key}") for key in ("a", "b")}
        size = log.head().size
        times = sorted({one.told_at for entries in streams.values() for one in told(entries)})
        cuts = [
            Cut(time, position) for time in (None, *times[::2]) for position in (None, *range(2, size + 1, 3))
        ]
        audiences: tuple[Audience, ...] = ("public", "house")
        assert size >= 12
        for cut, audience in itertools.product(cuts, audiences):
            folded = [
                window
                for key, entries in streams.items()
                for window in windows_of(key, facts_at(entries, cut, audience))
                if not window.withdrawn
            ]
            assert views.windows(0, FAR, cut, audience) == folded, (cut, audience)


@pytest.mark.parametrize("seed", range(3))
def test_built_entry_by_entry_equals_rebuilt(seed: int, sqlite_url: str) -> None:
    """Catching up after each entry leaves the same rows as building from nothing."""
    with closing(_ledger(sqlite_url, seed, after=lambda made: open_views(made.sealed))) as ledger:
        step_by_step = _rows(open_views(ledger.sealed))
        assert step_by_step == _rows(rebuild(ledger.sealed))
        assert open_views(ledger.sealed).status()["lag"] == 0


def test_on_postgresql(postgres_url: str, sqlite_url: str) -> None:
    """The schema of a PostgreSQL ledger holds the rows that the file of a SQLite ledger holds."""
    with closing(_ledger(postgres_url, 1)) as there, closing(_ledger(sqlite_url, 1)) as here:
        assert there.sealed.head().root == here.sealed.head().root
        assert _rows(open_views(there.sealed)) == _rows(open_views(here.sealed))
        there.record("update", "a", actor="ops", body="one more")
        assert open_views(there.sealed).status()["lag"] == 0


def test_a_reader_who_may_not_write_builds_in_memory(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the views cannot be kept, they are built for the one who asks."""

    def refuse(_log: object) -> Views:
        raise PermissionError(13, "Permission denied")

    with closing(_ledger(sqlite_url, 2)) as ledger:
        kept = _rows(rebuild(ledger.sealed))
        monkeypatch.setattr(views_module, "_rebuild_file", refuse)
        built = rebuild(ledger.sealed)
        assert built.place == "memory"
        assert _rows(built) == kept


def test_an_erased_title_leaves_the_views(tmp_path: Path) -> None:
    """After a redaction the views hold the title neither in a row nor in a free page."""
    with closing(IncidentLedger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ledger.create()
        ledger.record("open", "a", actor="ops", title="Zebra Holding lost mail", status="investigating")
        open_views(ledger.sealed)
        place = tmp_path / "ledger.views.db"
        assert b"Zebra Holding" in place.read_bytes()
        ledger.record("redact", "a", entry="v1", fields=["title"], actor="dpo", reason="A name.")
        views = open_views(ledger.sealed)
        assert [row["title"] for row in views.incidents()] == ["[erased]"]
        assert b"Zebra Holding" not in place.read_bytes()


def test_cuts_of_the_list(sqlite_url: str) -> None:
    """The list of incidents takes both cuts."""
    with closing(_ledger(sqlite_url, 3)) as ledger:
        views = open_views(ledger.sealed)
        assert [row["incident"] for row in views.incidents(Cut(recorded_by=1))] == ["a"]
        assert {row["incident"] for row in views.incidents()} == {"a", "b"}
        assert views.incidents(Cut(published_by="2001-01-01T00:00:00.000000Z")) == []
