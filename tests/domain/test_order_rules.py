"""Which action may follow which: a refusal is a sentence and leaves no trace; a retry is answered, not repeated."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from ledger.application import BatchRefused, IncidentLedger, Receipt
from ledger.domain.actions import Action, parse_action
from ledger.domain.instants import micros
from ledger.errors import Refused, Unavailable

_NOW = "2022-03-14T18:00:00.000000Z"
_ONE: dict[str, Any] = {"incident": "email-2022-03", "actor": "ops"}
_WHERE = {"service": "email", "component": "inbound", "region": "eu"}
_OPEN: dict[str, Any] = {
    "action": "open", **_ONE, "title": "t", "status": "investigating",
    "services": ["email"], "components": ["inbound"], "regions": ["eu", "us"],
}  # fmt: skip
_WINDOW: dict[str, Any] = {
    "action": "add-window", **_ONE, "window": "eu-down", **_WHERE,
    "start": "2022-03-14T16:00:00Z", "end": "2022-03-14T17:00:00Z", "effect": "outage",
}  # fmt: skip
_RESOLVE: dict[str, Any] = {"action": "resolve", **_ONE, "at": "2022-03-14T16:30:00Z"}
_MEASURE: dict[str, Any] = {
    "action": "record-measurement", **_ONE, "measurement": "m", **_WHERE,
    "start": "2022-03-14T16:00:00Z", "end": "2022-03-14T17:00:00Z", "of": "requests", "total": 10, "failed": 1,
}  # fmt: skip


def _act(verb: str, **fields: Any) -> dict[str, Any]:
    return {"action": verb, **_ONE, **fields}


def _update(**fields: Any) -> dict[str, Any]:
    said = {"body", "status", "note", "reason"} & fields.keys()
    return _act("update", **fields) if said else _act("update", body="Still at it.", **fields)


def _correct(**fields: Any) -> dict[str, Any]:
    return _act(
        "correct", **{"corrects": "v1", "kind": "correction", "set": {"title": "x"}, "reason": "r", **fields}
    )


# What was appended before, one list for each append; what is appended now; the whole sentence it is refused with.
_REFUSED: list[tuple[list[list[dict[str, Any]]], list[dict[str, Any]], str]] = [
    ([], [_update(body="x")], "incident 'email-2022-03' does not exist; open it first"),
    (
        [[_OPEN]],
        [{**_update(), "incident": "email-2022-3"}],
        "incident 'email-2022-3' does not exist; open it first (did you mean 'email-2022-03'?)",
    ),
    (
        [],
        [_act("deploy-fix", at="2022-03-14T16:00:00Z")],
        "incident 'email-2022-03' does not exist; open it first",
    ),
    (
        [[_OPEN]],
        [_OPEN],
        "incident 'email-2022-03' is already open (since v1); use update, reopen or another key",
    ),
    (
        [[_OPEN], [_RESOLVE]],
        [_act("deploy-fix", at="2022-03-14T16:00:00Z")],
        "deploy-fix comes too late: 'email-2022-03' is resolved; reopen it, or say it with update",
    ),
    (
        [[_OPEN], [_RESOLVE]],
        [_act("identify")],
        "identify comes too late: 'email-2022-03' is resolved; reopen it, or say it with update",
    ),
    (
        [[_OPEN], [_RESOLVE]],
        [_RESOLVE],
        "incident 'email-2022-03' is already resolved; use correct to change what was said, or reopen it",
    ),
    (
        [[_OPEN]],
        [_act("reopen", reason="r")],
        "incident 'email-2022-03' is investigating, so there is nothing to reopen; use update",
    ),
    (
        [[_OPEN], [_RESOLVE]],
        [_update(status="identified")],
        "status 'identified' would reopen 'email-2022-03', which is resolved; use reopen and say why",
    ),
    ([[_OPEN]], [_update(status="resolved")], "status 'resolved' is said with resolve, not with update"),
    (
        [[_OPEN]],
        [_update(status="completed")],
        "status 'completed' does not fit kind 'incident'; use one of investigating, identified, monitoring, resolved, postmortem",
    ),
    (
        [[_OPEN]],
        [_update(status="scheduled")],
        "status 'scheduled' does not fit kind 'incident'; use one of investigating, identified, monitoring, resolved, postmortem",
    ),
    (
        [],
        [{**_OPEN, "status": "scheduled"}],
        "status 'scheduled' does not fit kind 'incident'; use one of investigating, identified, monitoring, resolved, postmortem",
    ),
    (
        [],
        [{**_OPEN, "kind": "maintenance"}],
        "status 'investigating' does not fit kind 'maintenance'; use one of scheduled, in-progress, verifying, completed, postmortem",
    ),
    (
        [],
        [{**_OPEN, "scheduled_start": "2022-03-14T16:00:00Z", "scheduled_end": "2022-03-14T16:00:00Z"}],
        "scheduled_end 2022-03-14T16:00:00.000000Z is not after scheduled_start 2022-03-14T16:00:00.000000Z",
    ),
    (
        [[_OPEN]],
        [_act("deploy-fix", at="2022-03-14T18:00:01Z")],
        "at 2022-03-14T18:00:01.000000Z is after the statement itself (2022-03-14T18:00:00.000000Z); say it when it has happened",
    ),
    (
        [[_OPEN]],
        [{**_RESOLVE, "at": "2022-03-14T18:00:01Z"}],
        "at 2022-03-14T18:00:01.000000Z is after the statement itself (2022-03-14T18:00:00.000000Z); say it when it has happened",
    ),
    (
        [[_OPEN]],
        [_update(published_at="2022-03-14T18:00:01Z")],
        "published_at 2022-03-14T18:00:01.000000Z is in the future (it is 2022-03-14T18:00:00.000000Z); leave it out to publish now",
    ),
    (
        [[{**_OPEN, "published_at": "2022-03-14T16:00:00Z"}]],
        [_update(published_at="2022-03-14T15:59:59Z")],
        "published_at 2022-03-14T15:59:59.000000Z is before the opening was published (2022-03-14T16:00:00.000000Z, v1); correct the time",
    ),
    (
        [[{**_OPEN, "internal": True}]],
        [_update(body="x")],
        "the opening (v1) is internal; publish it first, or mark this internal too",
    ),
    (
        [[_OPEN], [_update(ref="one")]],
        [_update(ref="one")],
        "ref 'one' already names v2 of incident/email-2022-03; choose another",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "end": "2022-03-14T16:00:00Z"}],
        "end 2022-03-14T16:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; a window is [start, end)",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "end": "2022-03-14T15:00:00Z"}],
        "end 2022-03-14T15:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; a window is [start, end)",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "region": "ue"}],
        "region 'ue' is not affected by this incident (did you mean 'us'?); affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "region": "EU"}],
        "region 'EU' is not affected by this incident (did you mean 'eu'?); affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "component": "inbond"}],
        "component 'inbond' is not affected by this incident (did you mean 'inbound'?); affected: 'inbound', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "service": "*"}],
        "service '*' is not affected by this incident; affected: 'email'; use set-affected to add a name",
    ),
    (
        [[{**_OPEN, "services": []}]],
        [_WINDOW],
        "service 'email' is not affected by this incident; affected: nothing; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [{**_WINDOW, "share_at_most": "0.1", "share_at_least": "0.2"}],
        "share_at_least 0.2 is more than share_at_most 0.1; swap them",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_WINDOW],
        "window 'eu-down' already exists in 'email-2022-03'; use revise-window, or another id",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("revise-window", window="eu-dwn", end=None, reason="r")],
        "window 'eu-dwn' is unknown in 'email-2022-03' (did you mean 'eu-down'?); add it with add-window",
    ),
    (
        [[_OPEN]],
        [_act("withdraw-window", window="x", reason="r")],
        "window 'x' is unknown in 'email-2022-03'; add it with add-window",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("revise-window", window="eu-down", reason="r")],
        "window 'eu-down': no field changes; give the fields that do, such as end",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("revise-window", window="eu-down", reason="r", end="2022-03-14T17:00:00Z")],
        "window 'eu-down' already has end as given; nothing would change",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("revise-window", window="eu-down", reason="r", end="2022-03-14T15:00:00Z")],
        "end 2022-03-14T15:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; a window is [start, end)",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("revise-window", window="eu-down", reason="r", region="ap")],
        "region 'ap' is not affected by this incident; affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN], [_WINDOW], [_act("withdraw-window", window="eu-down", reason="r")]],
        [_act("revise-window", window="eu-down", reason="r", region="us")],
        "window 'eu-down' was withdrawn (v3); add a new one under another id",
    ),
    (
        [[_OPEN], [_WINDOW], [_act("withdraw-window", window="eu-down", reason="r")]],
        [_act("withdraw-window", window="eu-down", reason="r")],
        "window 'eu-down' is already withdrawn (v3)",
    ),
    (
        [[_OPEN], [_WINDOW], [_act("withdraw-window", window="eu-down", reason="r")]],
        [_WINDOW],
        "window 'eu-down' already exists in 'email-2022-03'; use revise-window, or another id",
    ),
    (
        [[_OPEN], [{**_WINDOW, "internal": True}]],
        [_act("revise-window", window="eu-down", reason="r", region="us")],
        "window 'eu-down' (v2) is internal; publish it first, or mark this internal too",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("set-affected", services=["email"], components=["inbound"], regions=["us"])],
        "regions would no longer hold 'eu', which window 'eu-down' names; revise or withdraw the window first",
    ),
    (
        [[_OPEN], [_MEASURE]],
        [_MEASURE],
        "measurement 'm' already exists in 'email-2022-03'; correct it, or use another id",
    ),
    (
        [[_OPEN]],
        [{**_MEASURE, "end": "2022-03-14T16:00:00Z"}],
        "end 2022-03-14T16:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; a measurement is over [start, end)",
    ),
    ([[_OPEN]], [{**_MEASURE, "failed": 11}], "failed 11 is more than total 10"),
    (
        [[_OPEN]],
        [{**_MEASURE, "value": "1"}],
        "a measurement needs one of failed (with total), value or series; failed and value given",
    ),
    (
        [[_OPEN]],
        [{k: v for k, v in _MEASURE.items() if k != "failed"}],
        "a measurement needs one of failed (with total), value or series; none given",
    ),
    (
        [[_OPEN]],
        [{k: v for k, v in _MEASURE.items() if k != "total"}],
        "total is missing; failed 1 means nothing without it",
    ),
    (
        [[_OPEN]],
        [
            {
                k: v
                for k, v in {**_MEASURE, "of": "latency", "value": "1.5"}.items()
                if k not in ("failed", "total")
            }
        ],
        "unit is missing; latency 1.5 needs one, such as seconds",
    ),
    (
        [[_OPEN]],
        [{**_MEASURE, "region": "ap"}],
        "region 'ap' is not affected by this incident; affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [_act("link", relation="related", to="email-2022-03")],
        "to 'email-2022-03' is the incident itself; name another one",
    ),
    (
        [[_OPEN]],
        [_act("link", relation="related", to="email-2022-3")],
        "to 'email-2022-3' is no incident of this ledger (did you mean 'email-2022-03'?); open it first, or name another one",
    ),
    (
        [[_OPEN], [_act("withdraw", reason="r")]],
        [_update(body="x")],
        "incident 'email-2022-03' was withdrawn; nothing more happens to it but correct, publish, link and redact",
    ),
    (
        [[_OPEN], [_act("withdraw", reason="r")]],
        [_OPEN],
        "incident 'email-2022-03' is already open (since v1); use update, reopen or another key",
    ),
    (
        [[_OPEN]],
        [_correct(corrects="1")],
        "corrects 1 is a bare number; write v1 for a version or r1 for a revision",
    ),
    (
        [[_OPEN]],
        [_correct(corrects=1)],
        "corrects 1 is a bare number; write v1 for a version or r1 for a revision",
    ),
    (
        [[_OPEN]],
        [_correct(corrects="v7")],
        "corrects 'v7' does not exist: incident/email-2022-03 has versions v1 to v1",
    ),
    (
        [[_OPEN]],
        [_correct(corrects="r7")],
        "corrects 'r7' does not exist: incident/email-2022-03 has revisions r1 to r1",
    ),
    (
        [[_OPEN]],
        [_correct(corrects="v0")],
        "corrects 'v0' does not exist: incident/email-2022-03 has versions v1 to v1",
    ),
    (
        [[{**_OPEN, "ref": "first-notice"}]],
        [_correct(corrects="first-notce")],
        "corrects 'first-notce' names no entry of incident/email-2022-03 (did you mean 'first-notice'?); use a ref, v5 for a version or r3 for a revision",
    ),
    ([[_OPEN]], [_correct(set={})], "set is empty; give the fields as they should have been"),
    (
        [[_OPEN]],
        [_correct(set={"titel": "x"})],
        "set.titel is not a field of incident.opened (did you mean 'title'?)",
    ),
    (
        [[_OPEN]],
        [_correct(set={"published_at": "2022-03-14T16:00:00Z"})],
        "set.published_at cannot be corrected: it says which entry this is and when it was said; withdraw the entry",
    ),
    (
        [[_OPEN]],
        [_correct(kind="editorial", set={"impact": "major"})],
        "set.impact is a fact, and an editorial correction changes body and title only; use kind correction",
    ),
    (
        [[_OPEN]],
        [_correct(set={"impact": "huge"})],
        "set.impact 'huge' is not one of none, minor, major, critical",
    ),
    (
        [[_OPEN]],
        [_correct(set={"title": None})],
        "set.title is null; write a value, or leave the field out if it is optional",
    ),
    (
        [[_OPEN]],
        [_correct(set={"began_at": "2022-03-14T16:00:00"})],
        "set.began_at '2022-03-14T16:00:00' has no zone or offset; write it with Z or an offset, such as 2022-03-14T16:00:00Z",
    ),
    (
        [[_OPEN]],
        [_correct(set={"status": "scheduled"})],
        "status 'scheduled' does not fit kind 'incident'; use one of investigating, identified, monitoring, resolved, postmortem",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_correct(set={"regions": ["us"]})],
        "region 'eu' is not affected by this incident (did you mean 'us'?); affected: 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_correct(corrects="v2", set={"end": "2022-03-14T15:00:00Z"})],
        "end 2022-03-14T15:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; a window is [start, end)",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_correct(corrects="v2", set={"region": "ap"})],
        "region 'ap' is not affected by this incident; affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_correct(corrects="v2", set={"share_at_most": 0.5})],
        'set.share_at_most 0.5 is a JSON number; write decimals as text, such as "0.002"',
    ),
    ([[_OPEN], [_MEASURE]], [_correct(corrects="v2", set={"failed": 11})], "failed 11 is more than total 10"),
    (
        [[_OPEN], [_correct()]],
        [_correct(corrects="v2")],
        "corrects v2 is entry.corrected, which cannot be corrected; correct the entry it was about",
    ),
    (
        [[_OPEN], [_update(body="x")], [_act("withdraw-update", corrects="v2", reason="r")]],
        [_correct(corrects="v2", set={"body": "y"})],
        "corrects v2 was withdrawn; there is nothing left to correct",
    ),
    (
        [[_OPEN], [_update(internal=True)]],
        [_correct(corrects="v2", set={"body": "y"})],
        "what it corrects (v2) is internal; publish it first, or mark this internal too",
    ),
    (
        [[_OPEN], [_update(body="x", published_at="2022-03-14T18:00:00Z")]],
        [_correct(corrects="v2", set={"body": "y"}, published_at="2022-03-14T17:00:00Z")],
        "published_at 2022-03-14T17:00:00.000000Z is before the opening was published (2022-03-14T18:00:00.000000Z, v1); correct the time",
    ),
    (
        [[_OPEN]],
        [_act("withdraw-update", corrects="v1", reason="r")],
        "corrects v1 is incident.opened, which withdraw-update does not take back; use withdraw or correct",
    ),
    (
        [[_OPEN], [_WINDOW]],
        [_act("withdraw-update", corrects="v2", reason="r")],
        "corrects v2 is window.added, which withdraw-update does not take back; use withdraw-window",
    ),
    (
        [[_OPEN], [_update()], [_act("withdraw-update", corrects="v2", reason="r")]],
        [_act("withdraw-update", corrects="v2", reason="r")],
        "corrects v2 is already withdrawn",
    ),
    (
        [
            [_OPEN],
            [_act("set-affected", services=["email"], components=["inbound"], regions=["eu", "ap"])],
            [{**_WINDOW, "region": "ap"}],
        ],
        [_act("withdraw-update", corrects="v2", reason="r")],
        "region 'ap' is not affected by this incident; affected: 'eu', 'us', '*' (all of them) or 'unknown'; use set-affected to add a name",
    ),
    (
        [[_OPEN]],
        [_act("publish", publishes="v1")],
        "publishes v1 is not internal; it has been public since 2022-03-14T18:00:00.000000Z",
    ),
    (
        [[_OPEN], [_update(internal=True)]],
        [_act("publish", publishes="v2", internal=True)],
        "internal contradicts publish; leave it out",
    ),
    (
        [[_OPEN], [_update(internal=True)], [_act("publish", publishes="v2")]],
        [_act("publish", publishes="v2")],
        "publishes v2 was already published at 2022-03-14T18:00:00.000002Z",
    ),
    (
        [[{**_OPEN, "internal": True}], [_update(internal=True)]],
        [_act("publish", publishes="v2")],
        "the opening (v1) is internal; publish it first, or mark this internal too",
    ),
    (
        [
            [_OPEN],
            [{**_WINDOW, "internal": True}],
            [_act("revise-window", window="eu-down", region="us", reason="r", internal=True)],
        ],
        [_act("publish", publishes="v3")],
        "window 'eu-down' (v2) is internal; publish it first, or mark this internal too",
    ),
    (
        [[_OPEN]],
        [_act("redact", entry="v1", fields=["status"], reason="r")],
        "fields 'status' is not a text of v1 (incident.opened); its texts are actor, title",
    ),
    (
        [],
        [_act("redact", entry="v1", fields=["body"], reason="r")],
        "incident 'email-2022-03' does not exist; open it first",
    ),
    (
        [[_OPEN]],
        [_act("redact", entry=1, fields=["title"], reason="r")],
        "entry 1 is a bare number; write v1 for a version or r1 for a revision",
    ),
    (
        [[_OPEN]],
        [_act("redact", entry="@x", fields=["title"], reason="r")],
        "entry '@x' names no entry of incident/email-2022-03; use a ref, v5 for a version or r3 for a revision",
    ),
    (
        [[_OPEN]],
        [_update(expected_version=0)],
        "expected_version 0 is not the version of incident/email-2022-03, which is 1; read it again and decide anew",
    ),
    (
        [[_OPEN]],
        [{**_OPEN, "incident": "b", "expected_version": 1}],
        "expected_version 1 is not the version of incident/b, which is 0; read it again and decide anew",
    ),
    (
        [[_OPEN], [_update(change="c"), _update(change="c")]],
        [_update(change="c")],
        "change 'c' was already committed as v2 to v3 of incident/email-2022-03; the entries of a change are appended together, so choose another label",
    ),
    (
        [[_OPEN]],
        [_update(change="c"), _update(), _update(change="c")],
        "action 3: change 'c' is interrupted by v3; put its entries next to each other",
    ),
    (
        [[_OPEN]],
        [_update(change="c"), _update(change="c", published_at="2022-03-14T18:00:00Z")],
        "action 2: published_at 2022-03-14T18:00:00.000000Z differs from None of change 'c'; the entries of a change are published together",
    ),
    (
        [[_OPEN]],
        [_update(change="c"), _update(change="c", internal=True)],
        "action 2: internal true differs from false of change 'c'; the entries of a change are published together",
    ),
    (
        [[_OPEN], [_update(change="c"), _update(change="c")]],
        [_correct(corrects="r2", set={"body": "x"})],
        "corrects 'r2' is a change of 2 entries, v2 to v3; name the one that is meant",
    ),
    (
        [],
        [{**_update(), "incident": "x"}, {**_update(), "incident": "x"}, _OPEN],
        "action 1: incident 'x' does not exist; open it first",
    ),
    (
        [[_OPEN]],
        [_update(), _update(status="resolved"), _act("reopen", reason="r")],
        "action 2: status 'resolved' is said with resolve, not with update; action 3: incident 'email-2022-03' is investigating, so there is nothing to reopen; use update",
    ),
]


class _Clock:
    def __init__(self) -> None:
        self.now = micros(_NOW)

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def ledger(sqlite_url: str, clock: _Clock) -> Iterator[IncidentLedger]:
    found = IncidentLedger(sqlite_url, clock=clock)
    found.create("rules-test")
    yield found
    found.close()


def _parsed(*actions: dict[str, Any]) -> list[Action]:
    return [parse_action(dict(action)) for action in actions]


def _append(ledger: IncidentLedger, *actions: dict[str, Any]) -> list[Receipt]:
    return ledger.append(_parsed(*actions))


@pytest.mark.parametrize(
    ("before", "now", "sentence"), _REFUSED, ids=[sentence[:60] for _, _, sentence in _REFUSED]
)
def test_an_action_out_of_order_is_refused_and_nothing_is_stored(
    ledger: IncidentLedger, before: list[list[dict[str, Any]]], now: list[dict[str, Any]], sentence: str
) -> None:
    for actions in before:
        _append(ledger, *actions)
    head = ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        _append(ledger, *now)
    assert str(refused.value) == sentence
    assert ledger.sealed.head() == head
    # A right action in the same batch is not stored either.
    with pytest.raises(BatchRefused):
        _append(ledger, {**_OPEN, "incident": "another"}, *now)
    assert ledger.sealed.head() == head
    # And what was only tried is not remembered.
    if not before:
        assert _append(ledger, _OPEN)[0].version == 1


def test_a_window_that_outlives_the_resolution_is_accepted_with_a_warning(ledger: IncidentLedger) -> None:
    _append(ledger, _OPEN, _RESOLVE)
    (late,) = _append(ledger, _WINDOW)
    assert late.warnings == (
        "window 'eu-down' ends 2022-03-14T17:00:00.000000Z, after the incident was resolved (2022-03-14T16:30:00.000000Z)",
    )
    (open_,) = _append(ledger, {**_WINDOW, "window": "open", "end": None})
    assert open_.warnings == (
        "window 'open' is still open, after the incident was resolved (2022-03-14T16:30:00.000000Z)",
    )


def test_a_correction_after_the_end_is_normal(ledger: IncidentLedger) -> None:
    _append(ledger, _OPEN, _WINDOW, _RESOLVE)
    receipts = _append(
        ledger,
        _correct(corrects="v2", set={"end": "2022-03-14T16:20:00Z"}),
        _correct(corrects="r3", set={"at": None}),
        _act("revise-window", window="eu-down", start="2022-03-14T16:10:00Z", reason="r"),
    )
    assert [receipt.version for receipt in receipts] == [4, 5, 6]


def test_a_clock_behind_the_last_entry_is_refused_unless_it_is_accepted(
    ledger: IncidentLedger, clock: _Clock
) -> None:
    _append(ledger, _OPEN)
    head = ledger.sealed.head()
    clock.now -= 5_000_001
    with pytest.raises(Unavailable, match=r"the last entry was recorded at .*; set the clock right"):
        _append(ledger, _update())
    assert ledger.sealed.head() == head
    (receipt,) = ledger.append(_parsed(_update()), accept_clock=True)
    assert receipt.recorded_at == "2022-03-14T18:00:00.000001Z"
    # Up to five seconds are another machine's clock.
    clock.now += 5_000_000
    assert _append(ledger, _update())[0].recorded_at == "2022-03-14T18:00:00.000002Z"


# ---- retries -------------------------------------------------------------------------------------------------


def _first(receipt: Receipt) -> Receipt:
    return msgspec.structs.replace(receipt, replayed=True)


def test_the_same_key_and_content_give_the_first_receipt(ledger: IncidentLedger) -> None:
    opening = {**_OPEN, "idempotency_key": "k1"}
    (first,) = _append(ledger, opening)
    _append(ledger, _update(body="in between"))
    head = ledger.sealed.head()
    assert _append(ledger, opening) == [_first(first)]
    assert ledger.sealed.head() == head


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        (_update(body="y"), "some field differs"),
        (_update(body="x", note="n"), "some field differs"),
        (_update(), "some field differs"),
        ({**_update(body="x"), "incident": "other"}, "it was for incident/email-2022-03"),
        (_act("identify", body="x"), "it was incident.updated"),
    ],
)
def test_the_same_key_with_other_content_is_refused(
    ledger: IncidentLedger, again: dict[str, Any], reason: str
) -> None:
    _append(ledger, _OPEN)
    _append(ledger, _update(body="x", idempotency_key="k1"))
    head = ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        _append(ledger, {**again, "idempotency_key": "k1"})
    assert str(refused.value) == (
        "idempotency_key 'k1' already stands at position 2 (incident/email-2022-03 v2, incident.updated) "
        f"with other content ({reason}); use a new key"
    )
    assert ledger.sealed.head() == head


def test_a_batch_may_hold_known_lines_and_new_ones(ledger: IncidentLedger) -> None:
    lines = [
        {**_OPEN, "idempotency_key": "k1"},
        *(_update(body=str(number), idempotency_key=f"k{number}") for number in (2, 3)),
    ]
    first = _append(ledger, *lines[:2])
    again = _append(ledger, *lines, _update(body="4"))
    assert [(receipt.position, receipt.replayed) for receipt in again] == [
        (1, True),
        (2, True),
        (3, False),
        (4, False),
    ]
    assert [receipt.leaf for receipt in again[:2]] == [receipt.leaf for receipt in first]
    # The root in a batch is told for its last entry; a replayed receipt says it for its own.
    assert [receipt.root is None for receipt in again] == [False, False, True, False]
    assert ledger.sealed.head().size == 4


def test_a_line_that_stands_twice_in_a_batch_is_stored_once(ledger: IncidentLedger) -> None:
    line = _update(body="x", idempotency_key="k1")
    receipts = _append(ledger, _OPEN, line, _update(body="y"), line)
    assert [(receipt.position, receipt.replayed) for receipt in receipts] == [
        (1, False),
        (2, False),
        (3, False),
        (2, True),
    ]
    assert ledger.sealed.head().size == 3


def test_a_key_that_stands_twice_in_a_batch_with_other_content_is_refused(ledger: IncidentLedger) -> None:
    _append(ledger, _OPEN)
    head = ledger.sealed.head()
    with pytest.raises(
        Refused, match="action 2: idempotency_key 'k1' stands twice in this batch with different content"
    ):
        _append(ledger, _update(body="x", idempotency_key="k1"), _update(body="y", idempotency_key="k1"))
    assert ledger.sealed.head() == head


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (_update(body="secret", note="n", idempotency_key="k1"), "body"),
        (_correct(set={"title": "secret", "impact": "major"}, idempotency_key="k1"), "set.title"),
    ],
)
def test_a_retry_after_its_text_was_erased_is_still_answered(
    ledger: IncidentLedger, line: dict[str, Any], field: str
) -> None:
    """What is erased cannot be compared any more; everything else still is."""
    _append(ledger, _OPEN)
    (first,) = _append(ledger, line)
    _append(ledger, _act("redact", entry="v2", fields=[field], reason="r"))
    (again,) = _append(ledger, line)
    assert again.warnings == (
        f"{field} of incident/email-2022-03 v2 was erased since, so what was sent now could not be compared with it; "
        "nothing was stored",
    )
    assert msgspec.structs.replace(again, warnings=()) == _first(first)
    with pytest.raises(Refused, match="some field differs"):
        _append(ledger, {**line, "source": "elsewhere"})


def test_a_retry_is_compared_with_the_rules_of_its_own_moment(ledger: IncidentLedger, clock: _Clock) -> None:
    """References mean what they meant, and what came later forbids nothing."""
    lines = [
        {**_OPEN, "ref": "start", "idempotency_key": "k1"},
        {**_WINDOW, "change": "c", "idempotency_key": "k2", "expected_version": 1},
        _act("deploy-fix", at="2022-03-14T16:30:00Z", change="c", idempotency_key="k3"),
        _correct(corrects="start", idempotency_key="k4"),
        _correct(corrects="r1", set={"impact": "major"}, idempotency_key="k5"),
        _update(internal=True, idempotency_key="k6"),
        _act("publish", publishes="v6", idempotency_key="k7"),
        _act("redact", entry="@1", fields=["title"], reason="r", idempotency_key="k8"),
        _act("withdraw-window", window="eu-down", reason="r", idempotency_key="k9"),
        {**_RESOLVE, "idempotency_key": "k10"},
        _act("withdraw", reason="r", idempotency_key="k11"),
    ]
    # A position is known only once it has been given, so the redaction comes in an append of its own.
    first = [*_append(ledger, *lines[:7]), *_append(ledger, *lines[7:])]
    clock.now += 86_400_000_000
    for line, receipt in zip(lines, first, strict=True):
        (again,) = _append(ledger, line)
        assert msgspec.structs.replace(again, root=receipt.root, warnings=()) == _first(receipt)
        assert again.root == ledger.sealed.root_at(receipt.position).hex()
    assert ledger.sealed.head().size == len(lines)


def test_threads_that_send_the_same_line_store_it_once(ledger: IncidentLedger) -> None:
    _append(ledger, _OPEN)
    results: list[Receipt] = []
    barrier = threading.Barrier(8)

    def send() -> None:
        with_own = IncidentLedger(ledger.sealed.url)
        barrier.wait()
        for number in range(10):
            results.extend(_append(with_own, _update(body=str(number), idempotency_key=f"k{number}")))
        with_own.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.sealed.head().size == 11
    assert len(results) == 80
    assert len({(receipt.position, receipt.leaf) for receipt in results}) == 10
    assert sum(not receipt.replayed for receipt in results) == 10


def test_processes_that_send_the_same_lines_store_them_once(ledger: IncidentLedger) -> None:
    program = """
import sys
from ledger.application import IncidentLedger
ledger = IncidentLedger(sys.argv[1])
sys.stdin.readline()
for number in range(10):
    receipt = ledger.record("update", "email-2022-03", actor="ops", body=str(number), idempotency_key=f"k{number}")
    print(receipt.position, receipt.leaf, receipt.replayed)
ledger.close()
"""
    _append(ledger, _OPEN)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, ledger.sealed.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [
        line.split()
        for process in processes
        for line in process.communicate("go\n", timeout=60)[0].splitlines()
    ]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert ledger.sealed.head().size == 11
    assert len(said) == 30
    assert len({(position, leaf) for position, leaf, _ in said}) == 10
    assert sum(replayed == "False" for _, _, replayed in said) == 10
