"""An incident taken in entry by entry says what it says when it is read as a whole, whatever acts on what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.actions import parse_action
from ledger.domain.decide import decide
from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryWithdrawn,
    IncidentAffectedSet,
    IncidentFixDeployed,
    IncidentLinked,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentUpdated,
    IncidentWithdrawn,
    MeasurementRecorded,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import Facts, effective, fold, set_fields
from ledger.domain.standing import Standing
from ledger.domain.stream_history import History

PLACE: dict[str, Any] = {"service": "e", "component": "m", "region": "r"}
START = "2022-03-01T00:00:00.000000Z"
SAID: list[AnyEvent] = [
    IncidentUpdated(actor="a", body="Words."), IncidentUpdated(actor="a", status="identified"),
    IncidentUpdated(actor="a", status="monitoring", body="Words."), IncidentFixDeployed(actor="a", at=START),
    IncidentResolved(actor="a", at=START), IncidentReopened(actor="a", reason="More."), IncidentWithdrawn(actor="a", reason="None."),
    IncidentAffectedSet(actor="a", services=("e",), components=(), regions=("r",)),
    IncidentLinked(actor="a", relation="related", to="j"), EntryPublished(actor="a", publishes=1),
    MeasurementRecorded(actor="a", measurement="x", start=START, end=START, of="requests", total=9, failed=1, **PLACE),
    *[WindowAdded(actor="a", window=name, start=START, effect="outage", **PLACE) for name in ("v", "w")],
    *[WindowRevised(actor="a", window=name, effect=effect, reason="So.") for name in ("v", "w") for effect in ("delay", "outage")],
    *[WindowWithdrawn(actor="a", window=name, reason="So.") for name in ("v", "w")],
]  # fmt: skip
FIELDS: dict[str, Any] = {
    "body": "Other words.", "reason": "Another.", "source": "A ticket.", "title": "T", "status": "investigating",
    "start": "2022-03-02T00:00:00.000000Z", "effect": "delay", "window": "v", "services": ("f",), "to": "k", "failed": 2, "at": None,
}  # fmt: skip


@st.composite
def incidents(draw: st.DrawFn) -> list[AnyEvent]:
    """Draw entries as a ledger may hold them, rules of order left out: what is named may be an act, or not be there yet."""
    events: list[AnyEvent] = [IncidentOpened(actor="a", title="T", status="investigating")]
    for _ in range(draw(st.integers(0, 14))):
        match draw(st.sampled_from(["say", "correct", "correct", "withdraw"])):
            case "say":
                events.append(draw(st.sampled_from(SAID)))
            case "withdraw":
                named = draw(st.integers(1, len(events) + 2))
                events.append(EntryWithdrawn(actor="a", corrects=named, reason="So."))
            case _:
                named = draw(st.integers(1, len(events)))
                fields = set(type(events[named - 1]).__struct_fields__)
                names = draw(st.sets(st.sampled_from(sorted(fields & FIELDS.keys() - {"at"})), min_size=1))
                change = {name: FIELDS[name] for name in sorted(names)}
                events.append(
                    EntryCorrected(actor="a", corrects=named, kind="correction", set=change, reason="So.")
                )
    return events


def same_facts(one: Facts, events: Sequence[AnyEvent]) -> None:
    other = fold(effective(list(enumerate(events, 1))))
    for name in Facts.__slots__:
        assert getattr(one, name) == getattr(other, name), name
    assert [*one.windows] == [*other.windows]


@given(incidents(), st.data())
def test_taken_in_one_by_one_is_read_as_a_whole(events: list[AnyEvent], data: st.DataObject) -> None:
    standing = Standing()
    for at, event in enumerate(events):
        if isinstance(event, EntryCorrected | EntryWithdrawn):
            touched, before = standing.touched(event), standing.facts.copy()
            then = standing.then(event)
            same_facts(then.facts, events[: at + 1])
            same_facts(standing.facts, events[:at])
            if touched is not None:
                after = then.facts
                changed = {key for key in after.windows if after.windows[key] != before.windows.get(key)}
                assert changed <= {*touched}
                assert [*after.windows] == [*before.windows]
                for name in {*Facts.__slots__} - {"windows"}:
                    assert getattr(after, name) == getattr(before, name), name
        standing.add(event)
        so_far = events[: at + 1]
        assert standing.said == effective(list(enumerate(so_far, 1)))
        assert [standing.of(one.version) for one in standing.said] == standing.said
        # Asked for now or later: what is not asked for is not folded.
        if data.draw(st.booleans()):
            same_facts(standing.facts, so_far)
    same_facts(standing.facts, events)


ACTIONS: list[dict[str, Any]] = [
    {"action": "open", "title": "T", "status": "investigating", "services": ["e"], "components": ["m"], "regions": ["r"]},
    {"action": "update", "body": "Words."},
    {"action": "add-window", "window": "w", "start": START, "effect": "outage", **PLACE},
]  # fmt: skip


def corrected(count: int, version: int, field: str, values: Sequence[str]) -> History:
    """Return an incident with so many corrections of one entry, each decided as an append decides it."""
    history = History("incident/i")
    corrections = [
        {"action": "correct", "corrects": f"v{version}", "kind": "correction", "reason": "So.", "set": {field: value}}
        for value in (values[at % len(values)] for at in range(count))
    ]  # fmt: skip
    for given_ in [*ACTIONS, *corrections]:
        action = parse_action({**given_, "incident": "i", "actor": "a"})
        event, _ = decide(history, action, "2022-04-01T00:00:00.000000Z", history.version)
        history.add(event, "2022-04-01T00:00:00.000000Z")
    return history


@pytest.mark.parametrize(
    ("version", "field", "values"),
    [
        (2, "body", ("One.", "Another.")),
        (3, "start", ("2022-03-01T01:00:00Z", "2022-03-01T02:00:00Z")),
        (1, "title", ("One", "Another")),
        (2, "status", ("identified", "monitoring")),
    ],
)
def test_a_correction_costs_no_more_after_many(
    monkeypatch: pytest.MonkeyPatch, version: int, field: str, values: Sequence[str]
) -> None:
    """What is told again for a correction, counted: it was all that had been said before."""
    told = 0
    apply = Facts.apply

    def counted(self: Facts, at: int, event: AnyEvent) -> None:
        nonlocal told
        told += 1
        apply(self, at, event)

    monkeypatch.setattr(Facts, "apply", counted)
    costs = []
    for count in (50, 100):
        told = 0
        corrected(count, version, field, values)
        costs.append(told)
    assert costs[0] < 50 * 25
    assert costs[1] <= 2 * costs[0]


def test_loading_an_incident_puts_each_correction_in_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As every command does before it appends."""
    events = corrected(100, 2, "body", ("One.", "Another.")).events
    put_in = 0

    def counted(event: AnyEvent, fields: dict[str, Any]) -> AnyEvent:
        nonlocal put_in
        put_in += 1
        return set_fields(event, fields)

    for module in ("incident", "standing"):
        monkeypatch.setattr(f"ledger.domain.{module}.set_fields", counted)
    history = History("incident/i")
    for event in events:
        history.add(event, "2022-04-01T00:00:00.000000Z")
    assert getattr(history.standing.said[1].event, "body", "") == "Another."
    assert history.facts.status == "investigating"
    assert put_in == 100
