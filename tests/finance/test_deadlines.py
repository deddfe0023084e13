"""Until when may be claimed: the rules of real contracts, their zones, and what a revision after the deadline is."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.claims import Claim
from ledger.domain.deadlines import Anchor, ClaimTerms, anchor_of, deadline_of
from ledger.domain.instants import from_seconds, micros, parse_instant, seconds
from ledger.domain.period import day_of
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.deadlines import Place, dues


def _at(text: str) -> int:
    return seconds(parse_instant(text))


def _terms(
    amount: str, unit: Any, anchor: Any = "incident-end", zone: str = "UTC", **more: Any
) -> ClaimTerms:
    return ClaimTerms(Fraction(amount), unit, anchor, zone, **more)


# terms, start and end of the incident in March 2022, the first instant that is too late, the last day in time
_CASES: list[tuple[ClaimTerms, str, str, str, str | None]] = [
    (_terms("5", "business-days"), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-03-23T00:00Z", "2022-03-22"),
    # On a Friday: the weekend does not count.
    (_terms("1", "business-days"), "2022-03-18T02:30Z", "2022-03-18T10:00Z", "2022-03-22T00:00Z", "2022-03-21"),
    (_terms("1", "business-days", holidays=frozenset(["2022-03-21"])), "2022-03-18T02:30Z", "2022-03-18T10:00Z",
     "2022-03-23T00:00Z", "2022-03-22"),
    # The day is that of the zone: 23:30 in UTC is the next day in Auckland, whose days end eleven or twelve hours earlier.
    (_terms("5", "days", zone="Pacific/Auckland"), "2022-03-14T16:00Z", "2022-03-14T23:30Z", "2022-03-20T11:00Z", "2022-03-20"),
    # London's 27 March has 23 hours; a day is a day.
    (_terms("7", "days", zone="Europe/London"), "2022-03-20T10:00Z", "2022-03-20T12:00Z", "2022-03-27T23:00Z", "2022-03-27"),
    (_terms("30", "days", "period-end"), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-05-01T00:00Z", "2022-04-30"),
    (_terms("30", "days", "incident-start"), "2022-03-15T02:30Z", "2022-03-20T10:00Z", "2022-04-15T00:00Z", "2022-04-14"),
    (_terms("10", "days", "quarter-end"), "2022-02-15T02:30Z", "2022-03-20T10:00Z", "2022-04-11T00:00Z", "2022-04-10"),
    (_terms("0", "days", "month-end"), "2022-02-15T02:30Z", "2022-03-20T10:00Z", "2022-03-01T00:00Z", "2022-02-28"),
    (_terms("1", "months", "period-end"), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-05-01T00:00Z", "2022-04-30"),
    (_terms("1", "months"), "2022-01-30T02:30Z", "2022-01-30T10:00Z", "2022-03-01T00:00Z", "2022-02-28"),
    # By the end of the second billing cycle after the incident.
    (_terms("2", "periods"), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-06-01T00:00Z", "2022-05-31"),
    (_terms("1", "periods", period_months=3), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-07-01T00:00Z", "2022-06-30"),
    (_terms("259200", "seconds"), "2022-03-15T02:30Z", "2022-03-15T10:00Z", "2022-03-18T10:00:00.000001Z", None),
    # 72 business hours from nine to five, begun at three in the afternoon of a Tuesday: two hours, eight full days, six hours.
    (_terms("72", "business-hours", opens=9 * 3600, closes=17 * 3600), "2022-03-15T02:30Z", "2022-03-15T15:00Z",
     "2022-03-28T15:00:00.000001Z", None),
    (_terms("2", "business-hours", opens=9 * 3600, closes=17 * 3600), "2022-03-12T02:30Z", "2022-03-12T15:00Z",
     "2022-03-14T11:00:00.000001Z", None),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "start", "end", "before", "last_day"), _CASES)
def test_a_deadline_is_where_the_contract_says(
    terms: ClaimTerms, start: str, end: str, before: str, last_day: str | None
) -> None:
    found = deadline_of(terms, anchor_of(terms, "2022-03", _at(start), _at(end)))
    assert (found.before, found.last_day) == (parse_instant(before), last_day)
    assert not found.keeps(found.before)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (_terms("1/2", "days"), "1/2 days are not whole; claim windows count whole days"),
        (
            _terms("5", "business-days", business_days=frozenset()),
            "a claim window has no end: its calendar has too few business days; correct its days and holidays",
        ),
        (
            _terms("5", "business-hours", business_days=frozenset()),
            "a claim window has no end: its calendar has too few business days; correct its days and holidays",
        ),
    ],
)
def test_a_window_without_an_end_is_refused(terms: ClaimTerms, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        deadline_of(terms, Anchor(_at("2022-03-15T10:00Z"), "2022-03-15"))
    assert str(refused.value) == sentence


@given(
    st.integers(10**6, 2**31), st.integers(0, 60), st.sampled_from(["days", "business-days", "months", "periods"]),
    st.sampled_from(["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"]),
)  # fmt: skip
def test_a_longer_window_never_ends_earlier_and_ends_with_its_last_day(
    end: int, amount: int, unit: str, zone: str
) -> None:
    some, more = (
        deadline_of(terms, anchor_of(terms, "2022-03", end - 1, end))
        for terms in (_terms(str(amount), unit, zone=zone), _terms(str(amount + 1), unit, zone=zone))
    )
    assert some.before <= more.before
    # The last instant in time belongs to the last day, the first one too late does not.
    past = micros(some.before) // 1_000_000
    assert day_of(zone, past) > (some.last_day or "")
    assert day_of(zone, past - 1) <= (some.last_day or "")


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
_RULE = _terms("5", "business-days")


def _place(customer: str, region: str, not_in: frozenset[str] = frozenset()) -> Place:
    return Place(customer, "gold", 1, "email", region, _RULE, not_in)


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
        assert found[0].anchor_at == from_seconds(_at(now))
