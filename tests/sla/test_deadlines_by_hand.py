"""Until when a credit can be claimed: days, months, business days and hours, and what they are counted from.

14 March 2022 is a Monday. New York is four hours behind UTC from 13 March 2022 on, and five before.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.policy.deadline import Deadline, claim_deadline
from ledger.domain.policy.model import (
    Calendar,
    Claim,
    PeriodRule,
    Policy,
)
from ledger.domain.policy.periods import (
    parse_policy_period,
)
from ledger.errors import Refused
from tests.sla.calendars import (
    MONTH,
    NEW_YORK,
    at,
    terms,
)

F = Fraction


OFFICE = Calendar("office", holidays=frozenset({"2022-03-17"}), opens=9 * 3_600, closes=17 * 3_600)


def claim(
    amount: int | Fraction,
    unit: Any,
    anchor: Any,
    zone: str = "UTC",
    period: Any = "calendar-month",
    **more: Any,
) -> Policy:
    made = Claim("on-request", F(amount), unit, anchor, more.pop("calendar", Calendar()))
    return terms(PeriodRule(period, zone), claim=made)


START, END = at("2022-03-14 16:00"), at("2022-03-15 02:30")


@pytest.mark.parametrize(
    ("of", "times", "last_day", "ends", "words"),
    [
        (claim(5, "days", "incident-start"), {}, "2022-03-19", at("2022-03-20"), "5 days after the incident start (2022-03-14)"),
        (claim(1, "days", "incident-end"), {}, "2022-03-16", at("2022-03-17"), "1 day after the incident end (2022-03-15)"),
        # In New York it ended on the 14th still.
        (claim(1, "days", "incident-end", NEW_YORK), {}, "2022-03-15", at("2022-03-16", 4), "1 day after the incident end (2022-03-14)"),
        (claim(5, "business-days", "incident-end"), {}, "2022-03-22", at("2022-03-23"), "5 business days after the incident end (2022-03-15)"),
        (claim(5, "business-days", "incident-end", calendar=OFFICE), {}, "2022-03-23", at("2022-03-24"),
         "5 business days after the incident end (2022-03-15)"),
        (claim(1, "business-days", "incident-end"), {"incident_end": at("2022-03-18 12:00")}, "2022-03-21", at("2022-03-22"),
         "1 business day after the incident end (2022-03-18)"),
        # Midnight is a time of the day that begins with it.
        (claim(1, "days", "incident-end"), {"incident_end": at("2022-03-15")}, "2022-03-16", at("2022-03-17"), None),
        (claim(7_200, "seconds", "incident-end"), {}, "2022-03-15", END + 7_200, "2 hours after the incident end (2022-03-15)"),
        (claim(5_400, "seconds", "incident-end"), {}, "2022-03-15", END + 5_400, "90 minutes after the incident end (2022-03-15)"),
        (claim(61, "seconds", "incident-end"), {}, "2022-03-15", END + 61, "61 seconds after the incident end (2022-03-15)"),
        (claim(60, "seconds", "incident-end"), {}, "2022-03-15", END + 60, "1 minute after the incident end (2022-03-15)"),
        (claim(1, "seconds", "incident-end"), {}, "2022-03-15", END + 1, "1 second after the incident end (2022-03-15)"),
        (claim(86_400 - 9_000, "seconds", "incident-end"), {}, "2022-03-15", at("2022-03-16"), None),
        (claim(86_400 - 8_999, "seconds", "incident-end"), {}, "2022-03-16", at("2022-03-16") + 1, None),
        # From 16:00 on Monday: an hour today, one tomorrow from 9:00 on.
        (claim(1, "business-hours", "incident-start", calendar=OFFICE), {}, "2022-03-14", at("2022-03-14 17:00"),
         "1 business hour after the incident start (2022-03-14)"),
        (claim(2, "business-hours", "incident-start", calendar=OFFICE), {}, "2022-03-15", at("2022-03-15 10:00"), None),
        (claim(2, "business-hours", "incident-end", calendar=OFFICE), {}, "2022-03-15", at("2022-03-15 11:00"), None),
        # Two days of 8 hours and the hour of Monday; Thursday is a holiday.
        (claim(18, "business-hours", "incident-start", calendar=OFFICE), {}, "2022-03-18", at("2022-03-18 10:00"), None),
        (claim(17, "business-hours", "incident-start", calendar=OFFICE), {}, "2022-03-16", at("2022-03-16 17:00"), None),
        (claim(1, "business-hours", "incident-end", calendar=OFFICE), {"incident_end": at("2022-03-18 18:00")}, "2022-03-21",
         at("2022-03-21 10:00"), None),
        (claim(1, "business-hours", "incident-end", NEW_YORK, calendar=OFFICE), {}, "2022-03-15", at("2022-03-15 10:00", 4), None),
        (claim(1, "months", "incident-start"), {"incident_start": at("2022-02-28")}, "2022-03-28", at("2022-03-29"),
         "1 month after the incident start (2022-02-28)"),
        (claim(1, "months", "incident-start"), {"incident_start": at("2022-01-31")}, "2022-02-28", at("2022-03-01"), None),
        # A last day leads to a last day where the anchor is an end.
        (claim(1, "months", "month-end"), {"incident_start": at("2022-02-10")}, "2022-03-31", at("2022-04-01"),
         "1 month after the month end (2022-02-28)"),
        (claim(2, "months", "quarter-end"), {"incident_start": at("2022-05-10")}, "2022-08-31", at("2022-09-01"), None),
        (claim(1, "months", "period-end"), {"incident_start": at("2022-04-10")}, "2022-05-31", at("2022-06-01"), None),
        (claim(1, "months", "eligibility"), {"incident_start": at("2022-04-10")}, "2022-05-30", at("2022-05-31"), None),
        (claim(2, "periods", "incident-start"), {}, "2022-05-31", at("2022-06-01"), "2 periods after the incident start (2022-03-14)"),
        (claim(1, "periods", "period-end"), {}, "2022-04-30", at("2022-05-01"), "1 period after the period end (2022-03-31)"),
        (claim(1, "periods", "incident-start", period="calendar-quarter"), {}, "2022-06-30", at("2022-07-01"), None),
        (claim(0, "periods", "incident-start"), {}, "2022-03-31", at("2022-04-01"), "0 periods after the incident start (2022-03-14)"),
        (claim(1, "periods", "incident-start"), {"incident_start": at("2022-03-01")}, "2022-04-30", at("2022-05-01"), None),
        (claim(3, "days", "period-end"), {}, "2022-04-03", at("2022-04-04"), "3 days after the period end (2022-03-31)"),
        (claim(3, "days", "period-end", NEW_YORK), {}, "2022-04-03", at("2022-04-04", 4), None),
        (claim(3, "days", "month-end", period="calendar-quarter"), {}, "2022-04-03", at("2022-04-04"), None),
        (claim(3, "days", "quarter-end"), {"incident_start": at("2022-05-31")}, "2022-07-03", at("2022-07-04"), None),
        # A month ends where it ends in the zone of the policy.
        (claim(3, "days", "month-end", "Asia/Tokyo"), {}, "2022-04-03", at("2022-04-04", -9), None),
        (claim(3, "days", "quarter-end", "Asia/Tokyo"), {}, "2022-04-03", at("2022-04-04", -9), None),
        # 8 hours from 16:00 are over with the day, and with a second more the next day has begun.
        (claim(8, "business-hours", "incident-start"), {}, "2022-03-14", at("2022-03-15"), None),
        (claim(8, "business-hours", "incident-start"), {"incident_start": START + 1}, "2022-03-15", at("2022-03-15") + 1, None),
        (claim(0, "business-hours", "incident-start", calendar=OFFICE), {"incident_start": at("2022-03-14 17:00")}, "2022-03-15",
         at("2022-03-15 09:00"), None),
        (claim(3, "days", "quarter-end"), {"incident_start": at("2022-01-01")}, "2022-04-03", at("2022-04-04"), None),
        (claim(3, "days", "quarter-end"), {"incident_start": at("2022-03-31 23:59")}, "2022-04-03", at("2022-04-04"), None),
        (claim(3, "days", "quarter-end"), {"incident_start": at("2022-12-31 23:59")}, "2023-01-03", at("2023-01-04"), None),
        (claim(3, "days", "eligibility"), {"eligible_at": at("2022-03-20")}, "2022-03-23", at("2022-03-24"),
         "3 days after the eligibility (2022-03-20)"),
        (claim(3, "days", "eligibility"), {}, "2022-04-03", at("2022-04-04"), "3 days after the eligibility (2022-03-31)"),
        # The period that is claimed for, where it is not that of the incident.
        (claim(3, "days", "period-end"), {"period": parse_policy_period(MONTH, "2022-05")}, "2022-06-03", at("2022-06-04"), None),
        (claim(3, "days", "month-end"), {"period": parse_policy_period(MONTH, "2022-05")}, "2022-04-03", at("2022-04-04"), None),
        (claim(3, "days", "month-end"), {"period": parse_policy_period(MONTH, "2022-05"), "incident_start": None}, "2022-06-03",
         at("2022-06-04"), None),
    ],
)  # fmt: skip
def test_until_when_a_credit_can_be_claimed(
    of: Policy, times: dict[str, Any], last_day: str, ends: int, words: str | None
) -> None:
    found = claim_deadline(of, **{"incident_start": START, "incident_end": END, **times})
    assert found is not None
    assert found == Deadline(last_day, ends, words or found.words)


@pytest.mark.parametrize(
    ("amount", "unit", "within"),
    [
        (3_000_000, "days", "3000000 days"), (10**12, "seconds", "1000000000000 seconds"), (96_000, "months", "96000 months"),
        (96_000, "periods", "96000 periods"),
    ],
)  # fmt: skip
def test_a_claim_window_that_ends_beyond_the_calendar_is_refused(amount: int, unit: str, within: str) -> None:
    with pytest.raises(Refused) as refused:
        claim_deadline(claim(amount, unit, "incident-start"), incident_start=START)
    assert str(refused.value) == (
        f"claim.within is {within} after 2022-03-14, which ends beyond the calendar that is kept; claim for an earlier time, or publish "
        "terms with a shorter one"
    )


@pytest.mark.parametrize(
    "of", [Claim(), Claim("on-request"), Claim("on-request", F(1)), Claim("on-request", F(1), "days"),
           Claim("on-request", None, "days", "incident-end"), Claim("on-request", F(1), None, "incident-end"),
           Claim("automatic", F(1), "days", "incident-end")],
)  # fmt: skip
def test_without_terms_nothing_has_to_be_claimed(of: Claim) -> None:
    assert claim_deadline(terms(claim=of), incident_start=START, incident_end=END) is None


@pytest.mark.parametrize(
    ("anchor", "missing"),
    [("incident-start", "incident_start"), ("incident-end", "incident_end"), ("period-end", "period"), ("eligibility", "period"),
     ("month-end", "incident_start"), ("quarter-end", "incident_start")],
)  # fmt: skip
def test_a_time_that_is_counted_from_has_to_be_known(anchor: Any, missing: str) -> None:
    with pytest.raises(Refused) as refused:
        claim_deadline(claim(1, "days", anchor))
    assert (
        str(refused.value)
        == f"{missing} is missing, from which the claim window of the policy is counted; add it"
    )


def test_the_calendar_of_these_tests_is_right() -> None:
    assert (date(2022, 3, 14).weekday(), date(2022, 3, 18).weekday()) == (0, 4)


def test_parts_of_an_hour_count_and_parts_of_a_day_are_refused() -> None:
    """An hour and a half from 16:00 is half an hour of the next morning; a third of a second is one that has begun."""
    found = claim_deadline(
        claim(F(3, 2), "business-hours", "incident-start", calendar=OFFICE), incident_start=START
    )
    assert found == Deadline(
        "2022-03-15", at("2022-03-15 09:30"), "1.5 business hours after the incident start (2022-03-14)"
    )
    found = claim_deadline(claim(F(5, 4), "seconds", "incident-start"), incident_start=START)
    assert (found and found.ends) == START + 2
    third = claim_deadline(claim(F(10_001, 20_000), "business-hours", "incident-start"), incident_start=START)
    assert (third and third.ends) == START + 1_801
    for unit in ("days", "business-days", "months", "periods"):
        with pytest.raises(Refused) as refused:
            claim_deadline(claim(F(3, 2), unit, "incident-start"), incident_start=START)
        spelled = unit.replace("-", " ")
        assert (
            str(refused.value)
            == f"claim.within is 1.5 {spelled}, and only whole ones end with a day; write a whole number"
        )
