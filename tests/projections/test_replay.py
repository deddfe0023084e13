"""Replay: what belongs together is told together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.append import Appender
from ledger.domain.actions import parse_action
from ledger.domain.instants import micros
from ledger.store.stream import Entry, read_all, read_stream
from projections.notice import notice
from projections.replay import Cut, revisions, told
from projections.view_rows import rows_of

START = micros("2022-04-01T00:00:00.000000Z")
OPENED = {
    "action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
    "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "We are looking into it.",
}  # fmt: skip


def window(name: str, region: str, **more: Any) -> dict[str, Any]:
    return {"action": "add-window", "window": name, "service": "email", "component": "flow", "region": region,
            "effect": "outage", "start": "2022-03-15T02:30:00Z", "end": "2022-03-15T10:00:00Z", **more}  # fmt: skip


def entries_of(path: Path, *batches: list[dict[str, Any]]) -> tuple[list[Entry], list[Entry]]:
    """Append batches a minute apart; return the entries read by stream, and read with the whole ledger."""
    now = START

    def clock() -> int:
        return now

    appender = Appender(f"sqlite:///{path / 'ledger.db'}", clock=clock)
    appender.create("replay-test")
    for batch in batches:
        now += 60_000_000
        appender.append([parse_action({"incident": "mail", "actor": "ops", **action}) for action in batch])
    found = read_stream(appender.sealed, "incident/mail"), list(read_all(appender.sealed))
    appender.close()
    return found


def test_the_entries_of_one_change_are_published_at_one_time(tmp_path: Path) -> None:
    both = [
        window("w1", "EMEA", change="c1"),
        window("w2", "NAM", change="c1"),
        {"action": "update", "body": "Two windows are known.", "change": "c1"},
    ]
    entries, everything = entries_of(tmp_path, [OPENED], both, [{"action": "update", "body": "More soon."}])
    assert everything == entries
    assert [entry.published_at for entry in entries] == [
        entries[0].recorded_at, *(entries[1].recorded_at,) * 3, entries[4].recorded_at
    ]  # fmt: skip
    assert not any(entry.late for entry in entries)
    # No instant shows a part of the change.
    shown = {one.told_at: len(told(entries, Cut(published_by=one.told_at))) for one in told(entries)}
    assert list(shown.values()) == [1, 4, 5]
    at_once = notice(entries, Cut(published_by=entries[1].recorded_at))
    assert [one.window for one in at_once.windows] == ["w1", "w2"]
    assert at_once.posts[0].body == "Two windows are known."
    assert [(one.versions, one.told_at) for one in revisions(entries)] == [
        ((1,), entries[0].recorded_at),
        ((2, 3, 4), entries[1].recorded_at),
        ((5,), entries[4].recorded_at),
    ]
    _, rows = rows_of(entries)
    assert {row[3] for row in rows} == {entries[1].recorded_at}


def test_an_internal_change_is_told_when_its_publications_are(tmp_path: Path) -> None:
    known = [
        window("w1", "EMEA", change="c1", internal=True, ref="one"),
        window("w2", "NAM", change="c1", internal=True, ref="two"),
    ]
    said = [
        {"action": "publish", "publishes": "one", "change": "c2"},
        {"action": "publish", "publishes": "two", "change": "c2"},
    ]
    entries, _ = entries_of(tmp_path, [OPENED], known, said)
    assert entries[1].published_at is entries[2].published_at is None
    assert {one.told_at for one in told(entries)} == {entries[0].recorded_at, entries[3].recorded_at}
    assert len(told(entries, Cut(published_by=entries[3].recorded_at))) == 5


def test_another_label_at_the_same_time_is_another_change(tmp_path: Path) -> None:
    entries, _ = entries_of(
        tmp_path, [OPENED], [window("w1", "EMEA", change="c1"), window("w2", "NAM", change="c2")]
    )
    assert entries[2].published_at == entries[2].recorded_at != entries[1].published_at
