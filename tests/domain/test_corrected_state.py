"""A correction, or a withdrawal, leaves an incident that could have been told so from the start.

What was recorded when there were fewer rules stays as it is, can still be read and corrected, and is answered when it is
sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.append import Appender, Receipt, clock_of
from ledger.domain.actions import parse_action
from ledger.errors import Refused
from ledger.store.stream import EventToStore, read_stream

_NOW = "2022-03-14T18:00:00.000000Z"
_ONE = {"incident": "mail-1", "actor": "ops"}
_WHERE = {"service": "email", "component": "inbound"}


def _act(verb: str, **fields: Any) -> dict[str, Any]:
    return {"action": verb, **_ONE, **fields}


def _correct(corrects: str, kind: str = "correction", **fields: Any) -> dict[str, Any]:
    return _act("correct", corrects=corrects, kind=kind, set=fields, reason="r")


_OPEN = _act(
    "open", title="t", status="investigating", services=["email"], components=["inbound"], regions=["EMEA"], body="Slow."
)  # fmt: skip
_SETS = {"services": ["email"], "components": ["inbound"]}
_AFFECTED = _act("set-affected", **_SETS, regions=["EMEA", "NAM"], ref="sets")
_WINDOW = _act(
    "add-window", window="w", **_WHERE, region="NAM", start="2022-03-14T16:00:00Z", end="2022-03-14T17:00:00Z",
    effect="outage", ref="w",
)  # fmt: skip
_FIX = _act("deploy-fix", at="2022-03-14T16:40:00Z", ref="fix")
_RESOLVE = _act("resolve", at="2022-03-14T16:45:00Z", ref="done")
_REOPEN = _act("reopen", reason="back", ref="again")
_UPDATE = _act("update", status="identified", body="Found.", ref="up")
_MEASURE = _act(
    "record-measurement", measurement="m", **_WHERE, region="NAM", start="2022-03-14T16:00:00Z",
    end="2022-03-14T17:00:00Z", of="requests", total=10, failed=1, ref="m",
)  # fmt: skip
_LATER = "2099-01-01T00:00:00.000000Z"

_REFUSED: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    ([_OPEN, _AFFECTED, _WINDOW], _correct("sets", regions=[]), "region 'NAM' is not affected by this incident"),
    ([_OPEN, _AFFECTED, _MEASURE], _correct("sets", regions=[]), "region 'NAM' is not affected by this incident"),
    ([_OPEN, _FIX], _correct("fix", at=_LATER), f"at {_LATER} is after the statement itself (2022-03-14T18:00:00.00000"),
    ([_OPEN, _RESOLVE], _correct("done", at=_LATER), f"at {_LATER} is after the statement itself (2022-03-14T18:00:00.00000"),
    ([_OPEN], _correct("v1", began_at=_LATER), f"began_at {_LATER} is after the statement itself (2022-03-14T18:00:00.00000"),
    ([_OPEN, _AFFECTED, _WINDOW], _correct("w", start=_LATER, end=None), f"start {_LATER} is after the statement itself"),
    ([_OPEN, _AFFECTED, _MEASURE], _correct("m", end=_LATER), f"end {_LATER} is after the statement itself"),
    ([_OPEN, _UPDATE], _correct("up", status="resolved"), "status 'resolved' is said with resolve, not with update"),
    ([_OPEN, _UPDATE], _correct("up", status="scheduled"), "status 'scheduled' does not fit kind 'incident'"),
    ([_OPEN, _UPDATE], _correct("up", status=None, body=None), "the update says nothing; give a body, a status, or both"),
    ([_OPEN, _RESOLVE, _act("update", status="postmortem", ref="pm")], _correct("pm", status="identified"),
     "status 'identified' would reopen 'mail-1', which is resolved"),
    ([_OPEN, _FIX], _correct("v1", status="resolved"),
     "v2 (incident.fix_deployed) would no longer fit: deploy-fix comes too late: 'mail-1' is resolved"),
    ([_OPEN, _UPDATE], _correct("up", "editorial", body=None), "set.body would take the whole text away"),
    ([_OPEN, _FIX], _correct("fix", "editorial", body="More."), "set.body would take the whole text away, or put one"),
    ([_OPEN, _act("link", relation="related", to="mail-2", ref="link")], _correct("link", to="mail-1"),
     "to 'mail-1' is the incident itself; name another one"),
    ([_OPEN, _act("link", relation="related", to="mail-2", ref="link")], _correct("link", to="mail-3"),
     "set.to 'mail-3' is no incident of this ledger"),
    ([_OPEN, _AFFECTED, _MEASURE], _correct("m", failed=None, total=None, series={"sha256": "0" * 64, "format": "csv", "rows": 1}),
     "has no content and no location; record the series as a measurement of its own"),
    ([_OPEN, _AFFECTED, _WINDOW],
     _correct("w", planned={"announced_at": "2022-03-14T16:30:00Z", "scheduled_start": "2022-03-14T16:00:00Z",
                            "scheduled_end": "2022-03-14T17:00:00Z"}),
     "work that was announced after it began was not planned"),
    ([_OPEN, _AFFECTED, _WINDOW], _act("withdraw-update", corrects="sets", reason="r"),
     "region 'NAM' is not affected by this incident"),
    ([_OPEN, _RESOLVE, _REOPEN], _act("withdraw-update", corrects="done", reason="r"),
     "v3 (incident.reopened) would no longer fit: incident 'mail-1' is investigating, so there is nothing to reopen"),
    ([_OPEN, _RESOLVE, _REOPEN, _FIX], _act("withdraw-update", corrects="again", reason="r"),
     "v4 (incident.fix_deployed) would no longer fit: deploy-fix comes too late"),
]  # fmt: skip


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Appender]:
    found = Appender(sqlite_url, clock=clock_of(_NOW))
    found.create("corrected-test")
    _append(found, {**_OPEN, "incident": "mail-2"})
    yield found
    found.close()


def _append(ledger: Appender, *actions: dict[str, Any]) -> list[Receipt]:
    return ledger.append([parse_action(dict(action)) for action in actions])


def _unruled(ledger: Appender, *actions: dict[str, Any]) -> None:
    """Store what the rules would refuse today, as it was stored when they did not."""
    events = [parse_action(dict(action)) for action in actions]
    version = len(ledger.sealed.stream("incident/mail-1"))
    ledger.store(
        [EventToStore(one.stream, version + at, one.event, one.idempotency_key) for at, one in enumerate(events, 1)],
        accept_clock=False, contents=(), redactions=(), unchanged=None,
    )  # fmt: skip


@pytest.mark.parametrize(("before", "now", "why"), _REFUSED, ids=[why[:50] for _, _, why in _REFUSED])
def test_what_would_have_been_refused_is_refused_as_a_correction(
    ledger: Appender, before: list[dict[str, Any]], now: dict[str, Any], why: str
) -> None:
    _append(ledger, *before)
    head = ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        _append(ledger, now)
    assert why in str(refused.value)
    assert ledger.sealed.head() == head


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([_OPEN, _AFFECTED, _WINDOW], _correct("sets", regions=["NAM"])),
        ([_OPEN, _FIX], _correct("fix", at="2022-03-14T16:50:00Z")),
        ([_OPEN, _UPDATE], _correct("up", status="monitoring")),
        ([_OPEN, _UPDATE], _correct("up", body=None)),
        ([_OPEN, _UPDATE], _correct("up", "editorial", body="Found it.")),
        ([_OPEN, _RESOLVE, _REOPEN], _act("withdraw-update", corrects="again", reason="r")),
        (
            [_OPEN, _act("link", relation="related", to="mail-2", ref="link")],
            _correct("link", relation="caused-by"),
        ),
    ],
)
def test_what_fits_is_accepted(ledger: Appender, before: list[dict[str, Any]], now: dict[str, Any]) -> None:
    _append(ledger, *before)
    assert _append(ledger, now)[0].version == len(before) + 1


def test_emptying_a_set_says_what_a_star_then_means(ledger: Appender) -> None:
    """An empty set leaves open which there are: a window everywhere would come to speak of any region."""
    _append(ledger, _OPEN, {**_WINDOW, "region": "*"})
    said = (
        "regions is empty now, which leaves open which there are: '*' of window 'w' speaks of any region; name the regions if "
        "only some were affected",
    )
    assert _append(ledger, {**_AFFECTED, "regions": []})[0].warnings == said
    _append(ledger, {**_AFFECTED, "ref": "back"})
    assert _append(ledger, _correct("back", regions=[]))[0].warnings == said


def test_older_breaches_are_read_and_may_be_corrected_otherwise(ledger: Appender) -> None:
    """An update that resolved, and a fix in the future, were accepted once: they stay, and hinder nothing else."""
    _append(ledger, _OPEN)
    wrong = {**_UPDATE, "status": "resolved", "idempotency_key": "old"}
    blank = _act("update", idempotency_key="blank")
    _unruled(ledger, {**_FIX, "at": _LATER}, wrong, blank, {**_FIX, "ref": "late"})
    assert len(read_stream(ledger.sealed, "incident/mail-1")) == 5
    # Its text may be mended, and so may what came before; what is sent again is answered.
    _append(ledger, _correct("up", "editorial", body="Found!"))
    _append(ledger, _correct("v1", title="Mail delayed"))
    assert [one.replayed for one in _append(ledger, wrong, blank)] == [True, True]
    with pytest.raises(Refused, match="is said with resolve"):
        _append(ledger, {**wrong, "idempotency_key": "new", "ref": "new"}, _act("reopen", reason="r"))
    with pytest.raises(Refused, match="with other content"):
        _append(ledger, {**blank, "note": "x"})
