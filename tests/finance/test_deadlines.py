"""Until when each customer may claim, what was claimed, and what a revision after the deadline is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.claims import Claim
from ledger.domain.instants import parse_instant, seconds
from ledger.domain.period import parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.deadline import claim_deadline
from ledger.domain.policy.periods import parse_policy_period
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.deadlines import Place, dues
from tools.terms import terms_2

_RULE_TEXT = terms_2(
    "gold", {"99.0": "10"}, title="x", more='[claim]\nhow = "on-request"\nwithin = "5 business-days"\nanchor = "incident-end"\n'
)  # fmt: skip
_RULE = parse_policy(_RULE_TEXT)


def _at(text: str) -> int:
    return seconds(parse_instant(text))


def _window(name: str, region: str, start: str, end: str | None, entry: str, **more: Any) -> Window:
    return Window(
        "mail-1", name, "email", "*", region, _at(start), None if end is None else _at(end), "outage",
        regions=("EMEA", "NAM"), entries=(entry,), **more,
    )  # fmt: skip


_WINDOWS = [
    _window("flow", "EMEA", "2022-03-14T16:00Z", "2022-03-14T23:59Z", "incident/mail-1 v2"),
    _window("nam", "NAM", "2022-03-15T02:30Z", "2022-03-15T10:00Z", "incident/mail-1 v3"),
    _window("pilot", "EMEA", "2022-03-15T16:30Z", "2022-03-16T00:30Z", "incident/mail-1 v4", cohort="pilot"),
]
_TOLD = {
    "incident/mail-1 v2": "2022-03-15T09:00:00.000000Z",
    "incident/mail-1 v3": "2022-03-30T16:52:00.000000Z",
    "incident/mail-1 v4": "2022-03-30T16:52:00.000000Z",
}


def _place(customer: str, region: str, not_in: frozenset[str] = frozenset()) -> Place:
    return Place(customer, "gold", 1, "email", region, _RULE, parse_period("2022-03"), not_in)


def _claim(customer: Any, at: str, *incidents: str, state: Any = "filed", period: str = "2022-03") -> Claim:
    return Claim(f"of-{at[:10]}", customer, period, parse_instant(at), incidents, state)


def test_the_revision_of_march_2022_came_after_the_deadline_had_passed() -> None:
    """Given five business days from the incident's end, then NAM closed on 22 March and was first told on 30 March."""
    found = dues([_place("a", "NAM"), _place("b", "EMEA", frozenset(["pilot"]))], _WINDOWS, [], _TOLD, "2022-03",
                 "2022-03-31T00:00:00.000000Z")  # fmt: skip
    assert [(due.customer, due.last_day, due.state, due.revised_after) for due in found] == [
        ("a", "2022-03-22", "missed", (("incident/mail-1 v3", "2022-03-30T16:52:00.000000Z"),)),
        # Who is not in the cohort was told all in time.
        ("b", "2022-03-21", "missed", ()),
    ]


@pytest.mark.parametrize(
    ("claims", "state"),
    [
        ([], "missed"),
        ([_claim("a", "2022-03-22T23:59:59.999999Z")], "claimed"),
        ([_claim("a", "2022-03-23T00:00Z")], "late"),
        ([_claim("a", "2022-03-23T00:00Z"), _claim("a", "2022-03-22T00:00Z", "mail-1")], "claimed"),
        ([_claim("a", "2022-03-20T00:00Z", "mail-2")], "missed"),
        ([_claim("b", "2022-03-20T00:00Z")], "missed"),
        ([_claim("a", "2022-03-20T00:00Z", period="2022-04")], "missed"),
        ([_claim("a", "2022-03-20T00:00Z", state="withdrawn")], "missed"),
    ],
)
def test_a_claim_counts_for_its_customer_period_and_incidents(claims: list[Claim], state: str) -> None:
    found = dues([_place("a", "NAM")], _WINDOWS, claims, _TOLD, "2022-03", "2022-03-31T00:00:00.000000Z")
    assert [due.state for due in found] == [state]


def test_while_a_window_is_open_the_deadline_moves_on() -> None:
    still = [_window("nam", "NAM", "2022-03-15T02:30Z", None, "incident/mail-1 v3")]
    for now, last_day in (("2022-03-16T00:00Z", "2022-03-23"), ("2022-03-18T00:00Z", "2022-03-25")):
        found = dues([_place("a", "NAM")], still, [], {}, "2022-03", parse_instant(now))
        assert [(due.last_day, due.state) for due in found] == [(last_day, "open")]


def test_an_incident_is_claimed_for_in_the_period_of_its_policy() -> None:
    """Given a quarterly policy with thirty days after the period, then an incident of March may be claimed for all April."""
    rule = msgspec.structs.replace(_RULE.claim, unit="days", amount=_RULE.claim.amount and 30 * _RULE.claim.amount / 5,
                                   anchor="period-end")  # fmt: skip
    quarterly: Policy = msgspec.structs.replace(
        _RULE, claim=rule, period=msgspec.structs.replace(_RULE.period, kind="calendar-quarter")
    )
    places = [
        Place("a", "gold", 1, "email", "NAM", quarterly, parse_policy_period(quarterly.period, "2022-Q1"))
    ]
    found = dues(places, _WINDOWS, [], _TOLD, "2022-03", "2022-04-01T00:00:00.000000Z")
    assert [(due.last_day, due.state, due.period) for due in found] == [("2022-04-30", "open", "2022-Q1")]
    assert dues(places, _WINDOWS, [], _TOLD, "2022-02", "2022-04-01T00:00:00.000000Z") == []


def _within(span: str) -> Policy:
    text = _RULE_TEXT.replace('"5 business-days"', f'"{span}"\ncalendar = "office"')
    return parse_policy(text + '[calendars.office]\nopens = "09:00"\ncloses = "17:00"\n')


@pytest.mark.parametrize(
    ("span", "until"),
    [
        ("2 business-hours", "2022-03-14T11:30:00Z"),
        ("2.5 business-hours", "2022-03-14T12:00:00Z"),
        ("8.25 business-hours", "2022-03-15T09:45:00Z"),
        # 0.00001 hours are 0.036 seconds: a time ends with the second it falls into.
        ("0.00001 business-hours", "2022-03-14T09:30:01Z"),
    ],
)
def test_business_hours_may_be_decimals_and_none_of_them_is_lost(span: str, until: str) -> None:
    """Given an office open from 9 to 17, then parts of hours count from half past nine on Monday the 14th."""
    found = claim_deadline(
        _within(span), incident_start=_at("2022-03-14T09:00Z"), incident_end=_at("2022-03-14T09:30Z")
    )
    assert found is not None
    assert found.ends == _at(until)
    assert found.words == f"{span.replace('-', ' ')} after the incident end (2022-03-14)"


@pytest.mark.parametrize(
    ("span", "seconds_more"), [("1.5 hours", 5_400), ("0.7 seconds", 1), ("1.0001 hours", 3_601)]
)
def test_a_part_of_a_second_counts_whole(span: str, seconds_more: int) -> None:
    policy = parse_policy(_RULE_TEXT.replace("5 business-days", span))
    found = claim_deadline(policy, incident_start=0, incident_end=_at("2022-03-14T09:30Z"))
    assert found is not None
    assert found.ends == _at("2022-03-14T09:30Z") + seconds_more


@pytest.mark.parametrize("unit", ["days", "business-days", "months", "periods"])
def test_a_part_of_a_day_is_refused_and_not_cut_off(unit: Any) -> None:
    """No text of a policy can say it; a program that makes one is told."""
    claim = msgspec.structs.replace(_RULE.claim, amount=Fraction(5, 2), unit=unit)
    with pytest.raises(
        Refused, match=r"claim\.within is 2\.5 .*only whole ones end with a day; write a whole number"
    ):
        claim_deadline(msgspec.structs.replace(_RULE, claim=claim), incident_start=0, incident_end=3_600)


@pytest.mark.parametrize(
    "span", ["2.5 business-days", "2.5 months", "2. business-hours", ".5 business-hours"]
)
def test_only_hours_may_be_decimals(span: str) -> None:
    with pytest.raises(Refused, match="is not a span"):
        _within(span)
