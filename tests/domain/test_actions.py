"""What an action may say: every wrong one is refused with a sentence, and nothing is stored."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import BatchRefused, IncidentLedger
from ledger.domain.actions import Action, decode_action, parse_action
from ledger.domain.events import ACTIONS, IncidentOpened
from ledger.errors import Refused

_OPEN: dict[str, Any] = {
    "action": "open",
    "incident": "a",
    "actor": "ops",
    "title": "t",
    "status": "investigating",
}
_WINDOW: dict[str, Any] = {
    "action": "add-window", "incident": "a", "actor": "ops", "window": "w", "service": "email", "component": "*",
    "region": "eu", "start": "2022-03-14T16:00:00Z", "effect": "outage",
}  # fmt: skip

# The action, as an object or as a line; the whole sentence it is refused with.
_REFUSED: list[tuple[dict[str, Any] | bytes, str]] = [
    (
        {**_OPEN, "began_at": "2022-03-14T16:00:00"},
        "began_at '2022-03-14T16:00:00' has no zone or offset; write it with Z or an offset, such as 2022-03-14T16:00:00Z",
    ),
    (
        {**_OPEN, "began_at": "2022-03-14"},
        "began_at '2022-03-14' has no zone or offset; write it with Z or an offset, such as 2022-03-14T16:00:00Z",
    ),
    (
        {**_OPEN, "began_at": "2022-03-14T16:00:00+24:00"},
        "began_at '2022-03-14T16:00:00+24:00' has an offset of a day or more; write it like 2022-03-14T17:00:00+01:00",
    ),
    (
        {**_OPEN, "began_at": "yesterday"},
        "began_at 'yesterday' is not an instant; write it like 2022-03-14T16:00:00Z or 2022-03-14T17:00:00+01:00",
    ),
    (
        {**_OPEN, "began_at": "2022-02-30T00:00:00Z"},
        "began_at '2022-02-30T00:00:00Z' is not an instant (day is out of range for month); write it like 2022-03-14T16:00:00Z",
    ),
    (
        {**_OPEN, "began_at": "2022-03-14T16:00:00.1234567Z"},
        "began_at '2022-03-14T16:00:00.1234567Z' is not an instant; write it like 2022-03-14T16:00:00Z or 2022-03-14T17:00:00+01:00",
    ),
    (
        {**_OPEN, "published_at": "2022-03-14 16:00"},
        "published_at '2022-03-14 16:00' has no zone or offset; write it with Z or an offset, such as 2022-03-14T16:00:00Z",
    ),
    ({**_OPEN, "titel": "x"}, "titel is not a field of this action (did you mean 'title'?)"),
    ({k: v for k, v in _OPEN.items() if k != "title"}, "title is missing; add it"),
    (
        {**_OPEN, "status": "investigatin"},
        "status 'investigatin' is not one of investigating, identified, monitoring, resolved, postmortem, scheduled, in-progress, verifying, completed (did you mean 'investigating'?)",
    ),
    ({**_OPEN, "impact": 3}, "impact 3 is not one of none, minor, major, critical"),
    ({**_OPEN, "services": "email"}, "services 'email' does not fit: expected a list, got text"),
    ({**_OPEN, "services": ["a", "a"]}, "services lists 'a' twice; list each name once"),
    (
        {**_OPEN, "regions": ["*"]},
        "regions may not list '*': it has a meaning of its own in windows; list the names",
    ),
    (
        {**_OPEN, "regions": ["unknown"]},
        "regions may not list 'unknown': it has a meaning of its own in windows; list the names",
    ),
    (
        {**_OPEN, "regions": [""]},
        "regions is empty; write something, or leave the field out if it is optional",
    ),
    ({**_OPEN, "regions": [" eu"]}, "regions ' eu' starts or ends with a space; take it out"),
    ({**_OPEN, "regions": [1]}, "regions[0] [1] does not fit: expected text, got a whole number"),
    ({**_OPEN, "title": "x" * 256}, "title has 256 characters; the limit is 255"),
    ({**_OPEN, "title": "a\nb"}, "title has the control character U+000A at character 2; take it out"),
    ({**_OPEN, "body": "a\x00b"}, "body has the control character U+0000 at character 2; take it out"),
    ({**_OPEN, "body": "a\x1b[2J"}, "body has the control character U+001B at character 2; take it out"),
    ({**_OPEN, "title": " "}, "title is empty; write something, or leave the field out if it is optional"),
    ({**_OPEN, "body": ""}, "body is empty; write something, or leave the field out if it is optional"),
    ({**_OPEN, "body": "x" * 25001}, "body has 25,001 characters; the limit is 25,000"),
    ({**_OPEN, "body": "\ud800"}, "body has half of a surrogate pair at character 1; it is not Unicode text"),
    ({**_OPEN, "title": None}, "title is null; write a value, or leave the field out if it is optional"),
    ({**_OPEN, "body": {"sha256": "0" * 64}}, "body is not text"),
    ({**_OPEN, "actor": "x" * 201}, "actor has 201 characters; the limit is 200"),
    ({**_OPEN, "reason": "x" * 5001}, "reason has 5,001 characters; the limit is 5,000"),
    (
        {**_OPEN, "ref": "r3"},
        "ref 'r3' reads like a revision, version or position; choose a label such as first-notice",
    ),
    (
        {**_OPEN, "ref": "v5"},
        "ref 'v5' reads like a revision, version or position; choose a label such as first-notice",
    ),
    (
        {**_OPEN, "ref": "@5"},
        "ref '@5' is not a label; use 1 to 128 letters, digits and . _ : / # + - (no spaces)",
    ),
    (
        {**_OPEN, "ref": "12"},
        "ref '12' reads like a revision, version or position; choose a label such as first-notice",
    ),
    (
        {**_OPEN, "ref": "a b"},
        "ref 'a b' is not a label; use 1 to 128 letters, digits and . _ : / # + - (no spaces)",
    ),
    (
        {**_OPEN, "change": "é"},
        "change 'é' is not a label; use 1 to 128 letters, digits and . _ : / # + - (no spaces)",
    ),
    (
        {**_OPEN, "external": {"system": "s"}},
        "external {'system': 's'} does not fit: it lacks the field `id`",
    ),
    (
        {**_OPEN, "external": {"system": "s", "id": "i", "x": 1}},
        "external {'system': 's', 'id': 'i', 'x': 1} does not fit: it has the unknown field `x`",
    ),
    (
        {**_OPEN, "external": {"system": "s p", "id": "i"}},
        "external system 's p' is not a label; use 1 to 128 letters, digits and . _ : / # + - (no spaces)",
    ),
    (
        {**_OPEN, "incident": "Email 2022"},
        "incident 'Email 2022' is not a key; use 1 to 64 small letters, digits and hyphens, such as email-2022-03",
    ),
    ({**_OPEN, "incident": 5}, "incident 5 is not text"),
    (
        {k: v for k, v in _OPEN.items() if k != "incident"},
        "incident is missing; give the key of the incident",
    ),
    (
        {**_OPEN, "idempotency_key": "a b"},
        "idempotency_key 'a b' is not a usable key; use 1 to 200 visible ASCII characters without quotes, backslashes or spaces",
    ),
    ({**_OPEN, "idempotency_key": 7}, "idempotency_key 7 is not text"),
    (
        {**_OPEN, "expected_version": -1},
        "expected_version -1 is not a version: 0 (must not exist yet), 1, 2, 3 …",
    ),
    (
        {**_OPEN, "expected_version": "1"},
        "expected_version '1' is not a version: 0 (must not exist yet), 1, 2, 3 …",
    ),
    (
        {**_OPEN, "expected_version": True},
        "expected_version True is not a version: 0 (must not exist yet), 1, 2, 3 …",
    ),
    (
        {**_OPEN, "expected_version": 1.0},
        "expected_version 1.0 is not a version: 0 (must not exist yet), 1, 2, 3 …",
    ),
    (
        {**_OPEN, "internal": True, "published_at": "2022-03-14T16:00:00Z"},
        "published_at '2022-03-14T16:00:00Z' contradicts internal: an internal entry has no published time; leave one out",
    ),
    ({**_OPEN, "internal": "yes"}, "internal 'yes' does not fit: expected true or false, got text"),
    (
        {**_WINDOW, "share_at_most": 0.002},
        'share_at_most 0.002 is a JSON number; write decimals as text, such as "0.002"',
    ),
    ({**_WINDOW, "share_at_most": "0.2%"}, "share_at_most '0.2%' is not a decimal such as 0.002"),
    (
        {**_WINDOW, "share_at_most": "1.5"},
        "share_at_most '1.5' is more than 1; a share is a part of the whole: less than 0.2% is 0.002",
    ),
    ({**_WINDOW, "share_at_most": "-0.1"}, "share_at_most '-0.1' is not a decimal such as 0.002"),
    (
        {**_WINDOW, "start": "2022-03-14T16:00:00.5Z"},
        "start '2022-03-14T16:00:00.5Z' has parts of a second; windows are in whole seconds",
    ),
    ({**_WINDOW, "start_within_seconds": -1}, "start_within_seconds -1 is not between 0 and 2,678,400"),
    (
        {**_WINDOW, "start_within_seconds": 1.5},
        "start_within_seconds 1.5 does not fit: expected a whole number, got a decimal number",
    ),
    (
        {**_WINDOW, "start_within_seconds": 10**9},
        "start_within_seconds 1000000000 is not between 0 and 2,678,400",
    ),
    (
        {**_WINDOW, "window": "W 1"},
        "window 'W 1' is not a key; use 1 to 64 small letters, digits and hyphens, such as email-2022-03",
    ),
    (
        {**_WINDOW, "effect": "outtage"},
        "effect 'outtage' is not one of outage, partial-outage, degraded, delay, data-loss (did you mean 'outage'?)",
    ),
    (
        {
            **_WINDOW,
            "planned": {
                "announced_at": "2022-03-14T16:00:00Z",
                "scheduled_start": "2022-03-14T16:00:00Z",
                "scheduled_end": "2022-03-14T16:00:00Z",
            },
        },
        "planned scheduled_end 2022-03-14T16:00:00.000000Z is not after scheduled_start 2022-03-14T16:00:00.000000Z",
    ),
    (
        {**_WINDOW, "planned": {"announced_at": "2022-03-14T16:00:00Z"}},
        "planned {'announced_at': '2022-03-14T16:00:00Z'} does not fit: it lacks the field `scheduled_start`",
    ),
    (
        {"action": "opn"},
        "action 'opn' is unknown (did you mean 'open'?); known are open, identify, update, deploy-fix, resolve, reopen, correct, withdraw-update, publish, retitle, set-affected, set-impact, add-window, revise-window, withdraw-window, record-measurement, link, withdraw, redact, publish-policy, publish-subscriptions, publish-cohort, publish-key, rotate-key, revoke-key, exclude, withdraw-exclusion, claim, decide-claim, withdraw-claim, issue-statement, issue-adjustment, close-period, reopen-period",
    ),
    (
        {"action": 5},
        "action 5 is unknown; known are open, identify, update, deploy-fix, resolve, reopen, correct, withdraw-update, publish, retitle, set-affected, set-impact, add-window, revise-window, withdraw-window, record-measurement, link, withdraw, redact, publish-policy, publish-subscriptions, publish-cohort, publish-key, rotate-key, revoke-key, exclude, withdraw-exclusion, claim, decide-claim, withdraw-claim, issue-statement, issue-adjustment, close-period, reopen-period",
    ),
    (
        {},
        "action is missing; say which of open, identify, update, deploy-fix, resolve, reopen, correct, withdraw-update, publish, retitle, set-affected, set-impact, add-window, revise-window, withdraw-window, record-measurement, link, withdraw, redact, publish-policy, publish-subscriptions, publish-cohort, publish-key, rotate-key, revoke-key, exclude, withdraw-exclusion, claim, decide-claim, withdraw-claim, issue-statement, issue-adjustment, close-period, reopen-period",
    ),
    (
        {
            "action": "record-measurement",
            "incident": "a",
            "actor": "o",
            "measurement": "m",
            "service": "email",
            "component": "*",
            "region": "eu",
            "start": "2022-03-14T16:00:00Z",
            "end": "2022-03-14T17:00:00Z",
            "of": "requests",
            "total": 2**53,
            "failed": 1,
        },
        "total 9007199254740992 is not between 0 and 9,007,199,254,740,991",
    ),
    (
        {
            "action": "publish-policy",
            "policy": "p",
            "actor": "o",
            "terms": "x",
            "sha256": "AB",
            "in_force_from": "2022-13-01",
        },
        "sha256 'AB' is not a SHA-256 digest in 64 small hexadecimal digits; in_force_from '2022-13-01' is not a date; write it like 2022-01-01",
    ),
    (
        {
            "action": "publish-subscriptions",
            "subscriptions": "p",
            "actor": "o",
            "table": {"sha256": "0" * 64, "format": "xlsx", "rows": 1},
        },
        "table.format {'sha256': '0000000000000000000000000000000000000000000000000000000000000000'… does not fit: 'xlsx' is not one of csv, parquet",
    ),
    (
        {
            "action": "publish-subscriptions",
            "incident": "p",
            "actor": "o",
            "table": {"sha256": "0" * 64, "format": "csv", "rows": -1},
        },
        "subscriptions is missing; give the key of the subscriptions; incident is not a field of this action; table rows -1 is not between 0 and 9,007,199,254,740,991",
    ),
    (
        {**_OPEN, "titel": "x", "began_at": "now", "actor": ""},
        "titel is not a field of this action (did you mean 'title'?); actor is empty; write something, or leave the field out if it is optional; began_at 'now' is not an instant; write it like 2022-03-14T16:00:00Z or 2022-03-14T17:00:00+01:00",
    ),
    (
        {
            "action": "correct",
            "incident": "a",
            "actor": "o",
            "corrects": "v1",
            "kind": "correction",
            "set": {"title": "\x07"},
            "reason": "r",
        },
        "set.title has the control character U+0007 at character 1; take it out",
    ),
    (
        {
            "action": "correct",
            "incident": "a",
            "actor": "o",
            "corrects": 1.5,
            "kind": "correction",
            "set": {},
            "reason": "r",
        },
        "corrects 1.5 does not fit: expected text, got a decimal number",
    ),
    (b"{", "the line is not JSON: Input data was truncated; write one object per line"),
    (b"[1]", "the line holds list, not an object; write one object per line"),
    (b'{"action":"open","incident":"a","incident":"b"}', "incident is given 2 times; give it once"),
    (
        b'{"action":"update","incident":"a","actor":"o","external":{"system":"s","system":"t","id":"i"}}',
        "system is given 2 times; give it once",
    ),
    (
        b"\xff",
        "the line is not JSON: JSON is malformed: invalid character (byte 0); write one object per line",
    ),
    (
        b'{"action":"update","incident":"a","actor":"\\ud800"}',
        "the line is not JSON: Input data was truncated; write one object per line",
    ),
    (
        b'{"action":"update","incident":"a","actor":"a\xffb"}',
        "the line is not UTF-8: invalid start byte at byte 2",
    ),
    (
        b'{"action":"update"} {}',
        "the line is not JSON: JSON is malformed: trailing characters (byte 21); write one object per line",
    ),
    (b"nul", "the line is not JSON: Input data was truncated; write one object per line"),
    (
        b'{"action":"add-window","share_at_most":0.1}',
        'incident is missing; give the key of the incident; actor is missing; add it; window is missing; add it; service is missing; add it; component is missing; add it; region is missing; add it; start is missing; add it; effect is missing; add it; share_at_most 0.1 is a JSON number; write decimals as text, such as "0.002"',
    ),
    (
        b'{"a":NaN}',
        "the line is not JSON: JSON is malformed: invalid character (byte 5); write one object per line",
    ),
    (
        b'{"action":"update","incident":"a","actor":"o","expected_version":1e2}',
        "expected_version 100.0 is not a version: 0 (must not exist yet), 1, 2, 3 …",
    ),
    (
        b'{"action":"update","incident":"a","actor":"o","\\u0061ctor":"p"}',
        "actor is given 2 times; give it once",
    ),
    (
        b"\xef\xbb\xbf{}",
        "the line is not JSON: JSON is malformed: invalid character (byte 0); write one object per line",
    ),
    (b"[" * 2000, "the line is nested too deeply; an action is one flat object"),
    (b'{"a":' * 2000, "the line is nested too deeply; an action is one flat object"),
    (
        {
            "action": "revise-window",
            "incident": "a",
            "actor": "o",
            "window": "w",
            "reason": "r",
            "start": None,
        },
        "start is null; write a value, or leave the field out if it is optional",
    ),
]


def _parsed(given: dict[str, Any] | bytes) -> Action:
    return parse_action(given if isinstance(given, bytes) else dict(given))


@pytest.mark.parametrize(("given", "sentence"), _REFUSED, ids=[sentence[:60] for _, sentence in _REFUSED])
def test_a_wrong_action_is_refused_with_a_sentence(given: dict[str, Any] | bytes, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        _parsed(given)
    assert str(refused.value) == sentence


def test_every_problem_of_an_action_has_its_own_sentence() -> None:
    with pytest.raises(Refused) as refused:
        parse_action(
            {
                **_OPEN,
                "titel": "x",
                "began_at": "now",
                "incident": "A",
                "expected_version": "1",
                "impact": "big",
            }
        )
    assert [problem.split()[0] for problem in refused.value.problems] == [
        "incident", "expected_version", "titel", "began_at", "impact",
    ]  # fmt: skip


def test_nothing_of_a_wrong_line_is_stored(sqlite_url: str) -> None:
    """Given a file in which one line is wrong, when it is read and appended, then the ledger is as it was."""
    with contextlib.closing(IncidentLedger(sqlite_url)) as ledger:
        ledger.create()
        before = ledger.sealed.head()
        for given, _ in _REFUSED:
            with pytest.raises(Refused):
                ledger.append([parse_action(dict(_OPEN)), _parsed(given)])
        assert ledger.sealed.head() == before
        with pytest.raises(BatchRefused) as refused:
            ledger.append(
                [
                    parse_action(dict(_OPEN)),
                    parse_action(dict(_WINDOW)),
                    parse_action({**_OPEN}),
                    parse_action({**_OPEN, "incident": "b"}),
                ]
            )
        assert [index for index, _ in refused.value.failures] == [1, 2]
        assert refused.value.problems[0].startswith(
            "action 2: service 'email' is not affected by this incident"
        )
        assert refused.value.problems[1].startswith("action 3: incident 'a' is already open")
        assert ledger.sealed.head() == before


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ({"began_at": "2022-03-14T17:00+01:00"}, {"began_at": "2022-03-14T16:00:00.000000Z"}),
        ({"began_at": "2022-03-14 16:00:00.5Z"}, {"began_at": "2022-03-14T16:00:00.500000Z"}),
        ({"body": "two\nlines\tand a tab"}, {"body": "two\nlines\tand a tab"}),
        ({"title": "x" * 255}, {"title": "x" * 255}),
        ({"body": "é" * 25_000}, {"body": "é" * 25_000}),
        ({"regions": []}, {"regions": ()}),
        ({"impact": None}, {"impact": None}),
    ],
)
def test_what_is_right_has_one_spelling(written: dict[str, Any], stored: dict[str, Any]) -> None:
    event = parse_action({**_OPEN, **written}).event
    assert {name: getattr(event, name) for name in stored} == stored


@pytest.mark.parametrize(
    ("written", "stored"),
    [("0.20", "0.2"), ("1.0", "1"), ("00.5", "0.5"), ("0", "0"), ("0.000", "0"), ("1", "1")],
)
def test_a_decimal_has_one_spelling(written: str, stored: str) -> None:
    event = parse_action({**_WINDOW, "share_at_most": written}).event
    assert getattr(event, "share_at_most") == stored  # noqa: B009  # the union of events has no such field


def test_an_object_and_its_line_are_the_same_action() -> None:
    line = b'{"action":"open","incident":"a","actor":"ops","title":"\\u00e9","status":"investigating","body":"\\"x\\": 1"}'
    action = parse_action(line)
    assert action == parse_action(decode_action(line.decode()))
    assert action == parse_action({**_OPEN, "title": "é", "body": '"x": 1'})
    assert (action.stream, action.verb, type(action.event)) == ("incident/a", "open", IncidentOpened)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = sorted(
    {name for event in ACTIONS.values() for name in event.__struct_fields__} | {"incident", "policy", "x"}
)


@given(
    st.sampled_from(sorted(ACTIONS)),
    st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=8),
    st.booleans(),
)
def test_any_object_is_an_action_or_is_refused(verb: str, fields: dict[str, Any], as_line: bool) -> None:
    given: dict[str, Any] = {"action": verb, "incident": "a", "actor": "ops", **fields}
    with contextlib.suppress(Refused):
        parse_action(msgspec.json.encode(given) if as_line else given)


@given(st.binary(max_size=60))
def test_any_line_is_an_object_or_is_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(decode_action(line), dict)
