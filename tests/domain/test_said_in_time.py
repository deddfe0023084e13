"""What is said is said of what has happened; what is planned may lie ahead; and an update says something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.append import Appender, Receipt, clock_of
from ledger.domain.actions import parse_action
from ledger.errors import Refused

_NOW = "2022-03-14T18:00:00.000000Z"
_SETS: dict[str, Any] = {"services": ["email"], "components": ["inbound"], "regions": ["EMEA"]}


def _act(verb: str, incident: str = "mail-1", **fields: Any) -> dict[str, Any]:
    return {"action": verb, "incident": incident, "actor": "ops", **fields}


def _window(**fields: Any) -> dict[str, Any]:
    return _act(
        "add-window",
        **{"window": "w", "service": "email", "component": "inbound", "region": "EMEA", "effect": "outage", **fields},
    )  # fmt: skip


def _planned(announced: str, start: str, end: str) -> dict[str, str]:
    return {"announced_at": announced, "scheduled_start": start, "scheduled_end": end}


_AHEAD = {"start": "2202-03-14T16:00:00Z", "end": "2202-03-14T17:00:00Z"}
_LATE = _planned("2022-03-14T16:30:00Z", "2022-03-14T16:00:00Z", "2022-03-14T17:00:00Z")


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Appender]:
    found = Appender(sqlite_url, clock=clock_of(_NOW))
    found.create("in-time-test")
    _append(
        found, _act("open", title="t", status="investigating", published_at="2022-03-14T15:00:00Z", **_SETS)
    )
    _append(found, _act("open", "work", title="t", status="scheduled", kind="maintenance", **_SETS))
    yield found
    found.close()


def _append(ledger: Appender, *actions: dict[str, Any]) -> list[Receipt]:
    return ledger.append([parse_action(dict(action)) for action in actions])


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (_window(**_AHEAD), "start 2202-03-14T16:00:00.000000Z is after the statement itself (2022-03-14T18:00:00.00000"),
        (_window(start="2022-03-14T17:00:00Z", published_at="2022-03-14T16:00:00Z"), "start 2022-03-14T17:00:00.000000Z is after"),
        (_window(**_AHEAD, internal=True), "start 2202-03-14T16:00:00.000000Z is after the statement itself"),
        (_window(start="2022-03-14T16:00:00Z", planned=_LATE), "announced after it began was not planned"),
        (_act("open", "mail-2", title="t", status="investigating", began_at="2099-01-01T00:00:00Z"), "began_at 2099-01-01"),
        (_act("deploy-fix", at="2099-01-01T00:00:00Z", internal=True), "at 2099-01-01T00:00:00.000000Z is after"),
        (_act("record-measurement", measurement="m", service="email", component="*", region="*", of="requests", total=2,
              failed=1, start="2022-03-14T16:00:00Z", end="2022-03-14T19:00:00Z"), "end 2022-03-14T19:00:00.000000Z is after"),
        (_act("update"), "the update says nothing; give a body, a status, or both"),
        (_act("update", internal=True), "the update says nothing; give a body, a status, or both"),
    ],
)  # fmt: skip
def test_is_refused(ledger: Appender, action: dict[str, Any], why: str) -> None:
    head = ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        _append(ledger, action)
    assert why in str(refused.value)
    assert ledger.sealed.head() == head


@pytest.mark.parametrize(
    "action",
    [
        _window(**_AHEAD, planned=_planned("2022-03-14T16:00:00Z", *_AHEAD.values())),
        {**_window(**_AHEAD), "incident": "work"},
        _act(
            "open",
            "later",
            title="t",
            status="scheduled",
            kind="maintenance",
            scheduled_start=_AHEAD["start"],
        ),
        _window(start=_NOW),
        _act("update", internal=True, note="seen in the relay"),
        _act("update", status="identified"),
        _act("update", reason="We were asked."),
    ],
)
def test_is_accepted(ledger: Appender, action: dict[str, Any]) -> None:
    assert _append(ledger, action)[0].warnings == ()


def test_revising_holds_only_what_it_says_against_its_time(ledger: Appender) -> None:
    _append(ledger, _window(start="2022-03-14T16:00:00Z"))
    with pytest.raises(Refused, match="start 2202-03-14"):
        _append(ledger, _act("revise-window", window="w", start=_AHEAD["start"], reason="r"))
    with pytest.raises(Refused, match="was not planned"):
        _append(ledger, _act("revise-window", window="w", planned=_LATE, reason="r"))
    (ahead,) = _append(ledger, _act("revise-window", window="w", end="2022-03-14T19:00:00Z", reason="r"))
    assert ahead.warnings == (
        "window 'w' ends 2022-03-14T19:00:00.000000Z, after the statement itself (2022-03-14T18:00:00.000002Z), and counts up "
        "to there; leave the end out while it lasts",
    )


def test_an_update_without_a_word_for_the_public_is_warned_of(ledger: Appender) -> None:
    said = ("the public sees an update without a word; mark what only the house should know as internal",)
    assert _append(ledger, _act("update", note="ticket 7"))[0].warnings == said
    _append(ledger, _act("update", note="ticket 8", internal=True, ref="inside"))
    assert _append(ledger, _act("publish", publishes="inside"))[0].warnings == said


@pytest.mark.parametrize(
    ("then", "why"),
    [
        (_act("resolve"), "incident 'mail-1' is already resolved by an entry that is internal (v2)"),
        (_act("identify"), "identify comes too late: 'mail-1' is resolved by an entry that is internal (v2)"),
        (_act("update", status="monitoring"), "which is resolved by an entry that is internal (v2)"),
    ],
)
def test_what_is_over_for_the_house_only_is_said_to_be_so(
    ledger: Appender, then: dict[str, Any], why: str
) -> None:
    """Somebody who sees only the public notice learns which entry stands in the way, and that it can be published."""
    _append(ledger, _act("resolve", internal=True))
    with pytest.raises(Refused) as refused:
        _append(ledger, then)
    assert why in str(refused.value)
    assert "publish that one (publish, publishes v2)" in str(refused.value)
    _append(ledger, _act("publish", publishes="v2"))
    with pytest.raises(Refused) as refused:
        _append(ledger, then)
    assert "internal" not in str(refused.value)
