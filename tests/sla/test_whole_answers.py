"""Answers of `ledger sla evaluate`, whole: every field that docs/json.md names, with figures that are counted here.

June 2022 has 30 days, which are 2,592,000 seconds.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.domain.policy import parse_policy
from projections.evaluation.answers import answer
from tests.sla import asking

Answer = dict[str, Any]
HEAD = 'format = 2\npolicy = "whole"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'


def ask(text: str, **facts: Any) -> Answer:
    return asking.ask(facts, text)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


MARCH_TERMS = (
    HEAD
    + """[measure]
of = "time"
[counting]
effects = ["outage"]
[[exclusions]]
kinds = ["planned-maintenance"]
notice = "1 hour"
treated = "removed"
[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_at_least = "99"
availability_below = "99.9"
credit_percent = "10"
[[tiers]]
availability_below = "99"
credit_percent = "25"
[credit]
rounding = "half-up"
[limits]
only_above = { USD = "1.00" }
rolling_percent = "100"
[claim]
how = "on-request"
within = "5 days"
anchor = "incident-end"
evidence = "logs"
[[termination]]
availability_below = "99"
periods = 2
of_last = 3
"""
)


def test_windows_with_excluded_time_that_leaves_the_period() -> None:
    """4 hours down, the last of them excluded with the hour after it: 10,800 of 2,584,800 seconds, which is 3 of 718."""
    answer = ask(
        MARCH_TERMS, id="a", period="2022-06", windows=[["2022-06-10T00:00:00Z", "2022-06-10T04:00:00Z"]],
        exclusions=[
            {"start": "2022-06-10T03:00:00Z", "end": "2022-06-10T05:00:00Z", "announced_at": "2022-06-10T02:00:00Z"}
        ],
        fee="1000.00", currency="USD", issued="40.00", allocate_to=[1, 2], credited_before="0.00",
        earlier=[{"availability": "98.9"}, {"availability": "99"}],
        claimed_at="2022-06-15T23:59:59Z", revised_at="2022-06-16T00:00:00Z",
    )  # fmt: skip
    why = answer.pop("why")
    assert answer == {
        "id": "a", "policy": "whole", "policy_version": None, "policy_sha256": digest(MARCH_TERMS), "service": "service",
        "region": "region", "period": "2022-06", "zone": "UTC", "period_start": "2022-06-01T00:00:00.000000Z",
        "period_end": "2022-07-01T00:00:00.000000Z", "measure": "time", "period_seconds": 2_584_800,
        "downtime_seconds": 14_400, "excluded_seconds": 3_600, "removed_seconds": 7_200, "removed_seconds_at_most": 7_200,
        "eligible_downtime_seconds": 10_800, "eligible_downtime_seconds_at_least": 10_800,
        "eligible_downtime_seconds_at_most": 10_800,
        # 715/718 = 0.99582172701949…
        "availability": "99.582172701950", "availability_at_least": "99.582172701950",
        "availability_at_most": "99.582172701950",
        "value": None, "value_at_least": None, "value_at_most": None, "tiers": ["availability at least 99% and below 99.9%"],
        "met": False,
        # 1% are 25,848 seconds, which still are in the tier; 0.1% are 2,584.8, of which 2,584 is the next whole number.
        "seconds_to_next_tier": 15_049, "seconds_past_tier_edge": 8_216,
        "edges": [
            {"availability": "99.9", "downtime_seconds": "2584.8", "remaining_seconds_at_least": "-8215.2",
             "remaining_seconds_at_most": "-8215.2"},
            {"availability": "99", "downtime_seconds": 25_848, "remaining_seconds_at_least": 15_048,
             "remaining_seconds_at_most": 15_048},
        ],
        "downtime_intervals": [["2022-06-10T00:00:00.000000Z", "2022-06-10T04:00:00.000000Z"]],
        "eligible_intervals": [["2022-06-10T00:00:00.000000Z", "2022-06-10T03:00:00.000000Z"]],
        "parts": {"up": 2_592_000 - 18_000, "up_excluded": 3_600, "down": 10_800, "down_excluded": 3_600},
        "currency": "USD", "base": "1000.00", "factor": "0.1", "credit_percent": "10", "credit_percent_at_least": "10",
        "credit_percent_at_most": "10", "credit": "100.00", "credit_at_least": "100.00", "credit_at_most": "100.00",
        "issued": "40.00", "delta": "60.00", "delta_at_least": "60.00", "delta_at_most": "60.00",
        # Of the one cent that is left the second part was cut more.
        "parts_of_credit": ["33.33", "66.67"],
        "service_days": None, "service_days_at_least": None, "service_days_at_most": None, "termination": False,
        "claim": {
            "evidence": "logs", "last_day": "2022-06-15", "until": "2022-06-16T00:00:00.000000Z",
            "words": "5 days after the incident end (2022-06-10)", "in_time": True, "revised_after": True,
        },
        "rule": "whole: availability at least 99% and below 99.9% gives 10% of fee", "provisional": False,
        "approximate": False, "approximately_within_seconds": None, "approximate_holds_within_seconds": None,
        "approximate_windows": [], "decides": None,
    }  # fmt: skip
    assert why == [
        "3 hours of eligible downtime (4 hours in all, 1 hour of it not counted) in 718 hours, after 2 hours were taken out",
        "not counted: 1 hour in excluded time",
        "availability 99.582172701950%",
        "availability at least 99% and below 99.9%: 10% of fee",
        "of 1000.00 USD that is 100.00 USD, rounded half-up",
        "an amount is paid only above 1.00 USD",
        "credited before: 0.00 USD",
        "right to terminate: no",
    ]


BOTH = (
    HEAD
    + """[[commitments]]
name = "uptime"
[commitments.measure]
of = "affected-share"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
downtime_at_most = "30 minutes"
service_days = "0"
[[commitments.tiers]]
downtime_above = "30 minutes"
service_days = "2"
credit_fixed = { USD = "7.00" }
[[commitments]]
name = "days"
[commitments.measure]
of = "events"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
value_at_most = "2"
credit_percent = "0"
[[commitments.tiers]]
value_above = "2"
credit_percent = "5"
per = "unit"
[credit]
rounding = "half-up"
"""
)


def test_bounds_of_several_commitments() -> None:
    """Between a quarter and all of an hour: 900 to 3,600 seconds, on both sides of 1,800; in any case one incident."""
    window = {
        "start": "2022-06-10T00:00:00Z",
        "end": "2022-06-10T01:00:00Z",
        "share_at_least": "0.25",
        "incident": "i",
        "window": "w",
    }
    answer = ask(
        BOTH,
        period="2022-06",
        windows=[window],
        fee="10.00",
        currency="USD",
        region="EMEA",
        service="mail",
        issued="5.00",
    )
    why = answer.pop("why")
    first = {
        "measure": "affected-share", "period_seconds": 2_592_000, "downtime_seconds": 3_600, "excluded_seconds": 0,
        "removed_seconds": 0, "removed_seconds_at_most": 0, "eligible_downtime_seconds": None, "eligible_downtime_seconds_at_least": 900,
        "eligible_downtime_seconds_at_most": 3_600, "availability": None,
        # 1/720 and 1/2880
        "availability_at_least": "99.861111111111", "availability_at_most": "99.965277777778",
        "value": None, "value_at_least": None, "value_at_most": None,
        "tiers": ["downtime at most 30 minutes", "downtime above 30 minutes"], "met": None,
        "seconds_to_next_tier": None, "seconds_past_tier_edge": None,
        "edges": [
            {"availability": None, "downtime_seconds": 1_800, "remaining_seconds_at_least": -1_800, "remaining_seconds_at_most": 900}
        ],
        "downtime_intervals": [["2022-06-10T00:00:00.000000Z", "2022-06-10T01:00:00.000000Z"]],
        "eligible_intervals": [["2022-06-10T00:00:00.000000Z", "2022-06-10T01:00:00.000000Z"]],
        "parts": {"up": 2_588_400, "up_excluded": 0, "down": 3_600, "down_excluded": 0},
    }  # fmt: skip
    second = {
        **first, "measure": "events", "eligible_downtime_seconds": 3_600, "eligible_downtime_seconds_at_least": 3_600,
        "availability_at_least": None, "availability_at_most": None, "value": "1", "value_at_least": "1", "value_at_most": "1",
        "tiers": ["value at most 2"], "met": True, "edges": [],
    }  # fmt: skip
    assert answer == {
        "policy": "whole", "policy_version": None, "policy_sha256": digest(BOTH), "service": "mail", "region": "EMEA",
        "period": "2022-06", "zone": "UTC", "period_start": "2022-06-01T00:00:00.000000Z",
        "period_end": "2022-07-01T00:00:00.000000Z", **first, "currency": "USD", "base": "10.00", "factor": None,
        "credit_percent": None, "credit_percent_at_least": None, "credit_percent_at_most": None, "credit": None,
        "credit_at_least": "0.00", "credit_at_most": "7.00", "issued": "5.00", "delta": None, "delta_at_least": "-5.00",
        "delta_at_most": "2.00", "service_days": None, "service_days_at_least": "0", "service_days_at_most": "2",
        "termination": None, "claim": None,
        "rule": "whole: uptime: undecided: downtime at most 30 minutes gives 0 days of service, or downtime above 30 minutes gives "
        "7 USD and 2 days of service; days: value at most 2 gives 0% of fee",
        "provisional": False, "approximate": False, "approximately_within_seconds": None,
        "approximate_holds_within_seconds": None, "approximate_windows": [],
        "commitments": [{"commitment": "uptime", **first}, {"commitment": "days", **second}],
        "decides": "the share that window i/w affected (from 0.25 to 1)",
    }  # fmt: skip
    assert why == [
        "uptime: 15 minutes to 1 hour of eligible downtime (1 hour in all, 0 seconds of it not counted) in 30 days",
        "uptime: availability from 99.861111111111% to 99.965277777778%",
        "uptime: downtime at most 30 minutes: 0 days of service",
        "uptime: downtime above 30 minutes: 7 USD and 2 days of service",
        "days: events 1",
        "days: value at most 2: 0% of fee",
        "uptime pays 0.00 to 7.00 USD",
        "days pays 0.00 USD",
        "the commitment that pays most is paid",
        "that is from 0.00 to 7.00 USD, rounded half-up",
        "what would decide: the share that window i/w affected (from 0.25 to 1)",
    ]


def test_a_length_has_no_start_and_a_value_no_seconds() -> None:
    text = HEAD + '[measure]\nof = "consecutive-days"\n[counting]\nshare_above = "0.5"\n'
    text += '[[tiers]]\nvalue_at_most = "2"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "2"\ncredit_percent = "5"\n'
    text += '[credit]\nrounding = "half-up"\n'
    answer = ask(text, period_days=10, value_at_least="1", value_at_most="4")
    answer.pop("why")
    assert answer == {
        "policy": "whole", "policy_version": None, "policy_sha256": digest(text), "service": "service", "region": "region",
        "period": "864000 seconds", "zone": "UTC", "period_start": None, "period_end": None, "measure": "consecutive-days",
        "period_seconds": 864_000, "downtime_seconds": 0, "excluded_seconds": 0, "removed_seconds": 0, "removed_seconds_at_most": 0,
        "eligible_downtime_seconds": 0, "eligible_downtime_seconds_at_least": 0, "eligible_downtime_seconds_at_most": 0,
        "availability": None, "availability_at_least": None, "availability_at_most": None, "value": None,
        "value_at_least": "1", "value_at_most": "4", "tiers": ["value at most 2", "value above 2"], "met": None,
        "seconds_to_next_tier": None, "seconds_past_tier_edge": None, "edges": [], "downtime_intervals": [],
        "eligible_intervals": [], "currency": None, "base": None, "factor": None, "credit_percent": None,
        "credit_percent_at_least": "0", "credit_percent_at_most": "5", "credit": None, "credit_at_least": None,
        "credit_at_most": None, "service_days": None, "service_days_at_least": None, "service_days_at_most": None,
        "termination": None, "claim": None, "rule": "whole: undecided: value at most 2 gives 0% of fee, or value above 2 gives 5% of fee",
        "provisional": False, "approximate": False, "approximately_within_seconds": None,
        "approximate_holds_within_seconds": None, "approximate_windows": [], "decides": "the exact value",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "base", "credit"),
    [
        # A twelfth of 100.00 is no whole number of cents: 8.3333…, of which a half is 4.1666….
        ({"annual_fee": "100.00", "currency": "USD"}, "8.333333333333", "4.17"),
        ({"annual_fee": "1200.00", "currency": "USD"}, "100.00", "50.00"),
        ({"annual_fee": "90", "currency": "JPY"}, "7.5", "4"),
        ({"annual_fee": "100.00"}, None, None),
        ({"currency": "USD"}, None, None),
    ],
)
def test_the_base_is_shown_as_exactly_as_it_counts(
    facts: Answer, base: str | None, credit: str | None
) -> None:
    text = (
        HEAD + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "50"\n'
    )
    text += '[credit]\nof = "annual-fee"\nrounding = "half-up"\n'
    if "annual_fee" in facts and "currency" not in facts:
        line = json.dumps({"terms": text, "downtime_minutes": 1, **facts})
        result = CliRunner().invoke(main, ["sla", "evaluate", "-"], input=line)
        assert "currency is missing, which annual_fee needs; add it" in result.stderr
        return
    answer = ask(text, downtime_minutes=1, **facts)
    assert (answer["base"], answer["credit"], answer["factor"]) == (base, credit, "0.5")


def test_an_open_window_lasts_until_now_at_least_where_no_other_time_is_said() -> None:
    """A window that is open since a minute before the period's last hour; now is long after that period."""
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "50"\n[credit]\nrounding = "half-up"\n'
    )
    answer = ask(text, period="2022-06", windows=[{"start": "2022-06-30T22:59:00Z"}])
    assert (answer["eligible_downtime_seconds"], answer["provisional"]) == (3_660, True)
    early = ask(
        text, period="2022-06", windows=[{"start": "2022-06-30T22:59:00Z"}], as_of="2022-06-30T23:00:00Z"
    )
    assert (early["eligible_downtime_seconds_at_least"], early["eligible_downtime_seconds_at_most"]) == (
        60,
        3_660,
    )


def test_what_has_to_be_claimed_and_by_when() -> None:
    """Anchored at the end of the period, at a time that is stated, or at one that nobody said."""
    plain = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "50"\n[credit]\nrounding = "half-up"\n'
    )
    claim = '[claim]\nhow = "on-request"\nwithin = "5 days"\nevidence = "logs"\nanchor = '
    facts: Answer = {
        "period": "2022-06",
        "windows": [
            ["2022-05-31T00:00:00Z", "2022-06-10T00:00:00Z"],
            ["2022-06-20T00:00:00Z", "2022-06-21T00:00:00Z"],
        ],
    }
    gone = {"start": "2022-05-01T00:00:00Z", "end": "2022-06-29T00:00:00Z", "withdrawn": True}

    def last_day(anchor: str, **more: Any) -> Any:
        found = ask(f'{plain}{claim}"{anchor}"\n', **{**facts, **more})["claim"]
        return found["last_day"]

    assert last_day("period-end") == "2022-07-05"
    # Of two incidents that count, the first deadline: what is withdrawn counts nothing.
    assert (last_day("incident-start"), last_day("incident-end")) == ("2022-06-05", "2022-06-15")
    assert last_day("incident-start", windows=[*facts["windows"], gone]) == "2022-06-05"
    assert last_day("incident-start", incident_start="2022-06-02T00:00:00Z") == "2022-06-07"
    assert last_day("incident-end", incident_end="2022-06-03T00:00:00Z") == "2022-06-08"
    assert last_day("eligibility") == "2022-07-05"
    assert last_day("eligibility", eligible_at="2022-06-22T00:00:00Z") == "2022-06-27"
    # An open window has no end yet; another incident that has ended sets the day all the same.
    open_one = {"start": "2022-06-22T00:00:00Z"}
    assert last_day("incident-end", windows=[*facts["windows"], open_one]) == "2022-06-15"
    assert ask(f'{plain}{claim}"incident-end"\n', **{**facts, "windows": [open_one]}, claimed_at="2022-06-22T00:00:00Z")["claim"] == {
        "evidence": "logs", "last_day": None, "until": None, "in_time": None, "revised_after": None,
        "words": "incident_end is missing, from which the claim window of the policy is counted; add it",
    }  # fmt: skip
    length = ask(f'{plain}{claim}"period-end"\n', period_days=30, downtime_minutes=1)["claim"]
    assert (
        length["words"] == "period is missing, from which the claim window of the policy is counted; add it"
    )
    assert ask(plain, **facts)["claim"] is None
    asked_only = ask(f'{plain}[claim]\nhow = "automatic"\n', **facts)
    assert asked_only["claim"] is None


@pytest.mark.parametrize(
    ("claimed_at", "in_time"), [("2022-07-05T23:59:59Z", True), ("2022-07-06T00:00:00Z", False)]
)
def test_a_claim_is_in_time_until_the_day_is_over(claimed_at: str, in_time: bool) -> None:
    text = MARCH_TERMS.replace('"incident-end"', '"period-end"')
    found = ask(text, period="2022-06", downtime_minutes=1, claimed_at=claimed_at, revised_at=claimed_at)[
        "claim"
    ]
    assert (found["in_time"], found["revised_after"]) == (in_time, not in_time)
    unasked = ask(text, period="2022-06", downtime_minutes=1)["claim"]
    assert (unasked["in_time"], unasked["revised_after"]) == (None, None)


CHOICE = (
    HEAD
    + """[[commitments]]
name = "money"
[commitments.measure]
of = "affected-share"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
downtime_at_most = "30 minutes"
credit_percent = "0"
service_days = "0"
[[commitments.tiers]]
downtime_above = "30 minutes"
credit_percent = "10"
service_days = "2"
[[commitments]]
name = "sure"
[commitments.measure]
of = "events"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
credit_percent = "5"
service_days = "1"
[stacking]
commitments = "choose-one"
[credit]
rounding = "half-up"
"""
)


def test_what_the_customer_chose_decides_what_is_answered() -> None:
    """An hour of which a quarter at least: of the first it is open whether 0 or 10%, of the second it is 5%."""
    facts: Answer = {
        "period": "2022-06",
        "windows": [
            {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T01:00:00Z", "share_at_least": "0.25"}
        ],
    }
    share = "the share that window incident-1/window-1 affected (from 0.25 to 1)"
    for money in ({}, {"fee": "100.00", "currency": "USD"}):
        unsaid = ask(CHOICE, **facts, **money)
        assert unsaid["decides"] == "which of the commitments the customer chooses"
        assert (unsaid["credit_percent_at_least"], unsaid["credit_percent_at_most"]) == ("0", "10")
        sure = ask(CHOICE, **facts, **money, chosen="sure")
        assert (sure["service_days"], sure["credit_percent_at_least"], sure["decides"]) == ("1", "5", None)
        first = ask(CHOICE, **facts, **money, chosen="money")
        assert (first["service_days_at_least"], first["service_days_at_most"], first["decides"]) == (
            "0",
            "2",
            share,
        )
        assert (first["credit_percent_at_least"], first["credit_percent_at_most"]) == ("0", "10")
        if money:
            assert (first["credit_at_least"], first["credit_at_most"]) == ("0.00", "10.00")
            assert (sure["credit"], unsaid["credit_at_least"]) == ("5.00", "0.00")


def test_days_alone_decide_nothing_while_they_are_open() -> None:
    """The same money either way, and other days."""
    text = CHOICE.replace('credit_percent = "0"', 'credit_percent = "10"').replace("choose-one", "best-of")
    window = {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T01:00:00Z", "share_at_least": "0.25"}
    found = ask(text, period="2022-06", windows=[window], fee="100.00", currency="USD")
    assert (found["credit"], found["service_days"], found["credit_percent"]) == ("10.00", None, None)
    assert str(found["decides"]).startswith("the share that window")


SUMS = (
    HEAD + '[measure]\nof = "affected-share"\n[counting]\neffects = ["outage"]\n'
    '[[tiers]]\ndowntime_at_most = "30 minutes"\ncredit_fixed = { USD = "5.00", EUR = "4.00" }\n'
    '[[tiers]]\ndowntime_above = "30 minutes"\ncredit_fixed = { USD = "5.00", EUR = "9.00" }\n[credit]\nrounding = "half-up"\n'
)


@pytest.mark.parametrize(
    ("money", "decides"),
    [
        # In dollars both tiers pay the same; in a currency that was not said it is open which one is reached.
        ({"currency": "USD"}, False), ({"currency": "EUR"}, True), ({}, True),
        ({"currency": "USD", "fee": "10.00"}, False), ({"currency": "EUR", "fee": "10.00"}, True),
    ],
)  # fmt: skip
def test_a_sum_is_decided_in_its_currency(money: Answer, decides: bool) -> None:
    window = {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T01:00:00Z", "share_at_least": "0.25"}
    found = ask(SUMS, period="2022-06", windows=[window], **money)
    assert (found["decides"] is not None) is decides
    exact = ask(SUMS, period="2022-06", windows=[{**window, "share_at_least": "1"}], **money)
    assert exact["decides"] is None


def test_a_credit_that_is_split_is_one_amount() -> None:
    window = {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T01:00:00Z", "share_at_least": "0.25"}
    line = json.dumps(
        {
            "terms": SUMS,
            "period": "2022-06",
            "windows": [window],
            "currency": "EUR",
            "fee": "10.00",
            "allocate_to": [1],
        }
    )
    result = CliRunner().invoke(main, ["sla", "evaluate", "-"], input=line)
    assert result.stderr.strip() == (
        "ledger: line 1: allocate_to splits one amount, but the facts leave an interval; state them exactly"
    )


def test_a_rate_depends_on_the_currency_where_a_limit_does() -> None:
    """10% of the fee, and no more than 1.00 USD: no mere part; without the limit it is one."""
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "10"\n[credit]\nrounding = "half-up"\n'
    )
    limited = text + '[limits]\namount = { USD = "1.00" }\n'
    assert ask(text, downtime_minutes=1, currency="USD")["credit_percent"] == "10"
    fixed = text.replace('credit_percent = "10"', 'credit_percent = "0"')
    assert (
        ask(fixed + '[limits]\namount = { USD = "1.00" }\n', downtime_minutes=1, currency="USD")[
            "credit_percent"
        ]
        == "0"
    )
    assert ask(limited, downtime_minutes=1, currency="USD")["credit_percent"] is None


def test_an_edge_that_is_met_leaves_no_second_and_half_a_second_is_one() -> None:
    """99.9% of 1,000 seconds is one second, of 500 half of one."""
    text = HEAD + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
    text += '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'
    for period, down, left in (
        (1_000, "1", 0),
        (500, "0", "0.5"),
        (500, "1", "-0.5"),
        (1_000, "3", -2),
        (1_000, "0", 1),
    ):
        (edge,) = ask(text, period_seconds=period, downtime_seconds=down)["edges"]
        assert (edge["remaining_seconds_at_least"], edge["remaining_seconds_at_most"]) == (left, left)


def test_a_value_has_no_seconds_to_an_edge_and_what_is_open_neither() -> None:
    text = (
        HEAD + '[measure]\nof = "events"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
    )
    text += '[[tiers]]\nvalue_at_most = "2"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "2"\ncredit_percent = "10"\n'
    found = ask(text, value="3")
    assert (found["seconds_to_next_tier"], found["seconds_past_tier_edge"], found["value"]) == (
        None,
        None,
        "3",
    )
    between = ask(text, value_at_least="1", value_at_most="2")
    assert (
        between["seconds_to_next_tier"],
        between["seconds_past_tier_edge"],
        between["credit_percent"],
    ) == (None, None, "0")
    assert "events from 1 to 2" in between["why"]
    time = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "5"\n[credit]\nrounding = "half-up"\n'
    )
    open_figure = ask(time, downtime_minutes_at_least="1", downtime_minutes_at_most="2")
    assert (open_figure["seconds_to_next_tier"], open_figure["seconds_past_tier_edge"]) == (None, None)


def test_the_approximate_window_is_named() -> None:
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "5"\n[credit]\nrounding = "half-up"\n'
    )
    window = {
        "start": "2022-06-10T00:00:00Z",
        "end": "2022-06-10T01:00:00Z",
        "approximate": True,
        "incident": "i",
        "window": "w",
    }
    found = ask(text, period="2022-06", windows=[window])
    assert found["approximate_windows"] == [{"incident": "i", "window": "w", "holds_within_seconds": None}]


def test_what_is_open_within_a_tier_has_no_seconds_to_its_edges() -> None:
    """From 8 to 9 hours: both are below 99% of June, which is at 7 hours and 12 minutes."""
    text = HEAD + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
    text += '[[tiers]]\navailability_at_least = "99"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99"\ncredit_percent = "10"\n'
    found = ask(text, period="2022-06", downtime_hours_at_least=8, downtime_hours_at_most=9)
    assert (found["credit_percent"], found["seconds_to_next_tier"], found["seconds_past_tier_edge"]) == (
        "10",
        None,
        None,
    )
    exact = ask(text, period="2022-06", downtime_hours=8)
    assert exact["seconds_past_tier_edge"] == 8 * 3_600 - 25_920


def test_a_version_is_named_with_its_rule() -> None:
    found = answer(parse_policy(MARCH_TERMS), {"downtime_minutes": 1}, 0, 3)
    assert (found["policy_version"], found["rule"]) == (
        3,
        "whole v3: availability at least 99.9% gives 0% of fee",
    )


def test_a_choice_that_was_made_is_not_what_would_decide() -> None:
    """Twice 40 minutes that perhaps count, of which either passes half an hour."""
    windows = [
        {"start": f"2022-06-1{day}T00:00:00Z", "end": f"2022-06-1{day}T00:40:00Z", "cohort": cohort} for day, cohort in ((0, "a"), (1, "b"))
    ]  # fmt: skip
    found = ask(CHOICE, period="2022-06", windows=windows, chosen="money")
    assert str(found["decides"]).startswith("no single fact: whether the customer is in cohort 'a'")


def test_blocks_within_bounds_are_no_one_part() -> None:
    """From 31 to 61 minutes: one full half hour or two, of 5% each."""
    text = HEAD + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
    text += '[[tiers]]\ncredit_percent = "5"\nper = "block"\nblock = "30 minutes"\n'
    found = ask(text, downtime_minutes_at_least=31, downtime_minutes_at_most=61)
    assert (found["factor"], found["credit_percent"], found["credit_percent_at_least"], found["credit_percent_at_most"]) == (
        None, None, "5", "10",
    )  # fmt: skip


def test_parts_of_a_second_are_said_as_they_are() -> None:
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "5"\n[credit]\nrounding = "half-up"\n'
    )
    text += '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
    why = ask(text, downtime_seconds="90.5", excluded_downtime_seconds="0.25")["why"]
    assert (
        why[0]
        == "90.25 seconds of eligible downtime (90.5 seconds in all, 0.25 seconds of it not counted) in 30 days"
    )


def test_seconds_in_whole_quanta_are_said_to_be_so() -> None:
    """90 seconds are two minutes that were begun."""
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\nquantise = "total-up"\nquantum = "1 minute"\n'
        + '[[tiers]]\ncredit_percent = "5"\n[credit]\nrounding = "half-up"\n'
    )
    assert ask(text, downtime_seconds="90")["why"][0] == (
        "2 minutes of eligible downtime (90 seconds in all, 0 seconds of it not counted, in whole quanta of 1 minute) in 30 days"
    )


def test_cents_that_are_left_are_served_in_the_order_that_is_asked_for() -> None:
    """100.00 in three: one cent is left, and all were cut by the same."""
    text = (
        HEAD
        + '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "100"\n[credit]\nrounding = "half-up"\n'
    )
    facts: Answer = {"downtime_minutes": 1, "fee": "100.00", "currency": "USD", "allocate_to": [1, 1, 1]}
    assert ask(text, **facts)["parts_of_credit"] == ["33.34", "33.33", "33.33"]
    assert ask(text, **facts, allocate_order="last-to-first")["parts_of_credit"] == [
        "33.33",
        "33.33",
        "33.34",
    ]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ("", None),
        ('[facts]\nundecided = "least"\n', "until that is decided, the least is what the policy lets be issued: 0.00 USD and 0 days of service"),
        ('[facts]\nundecided = "most"\n', "until that is decided, the most is what the policy lets be issued: 7.00 USD and 2 days of service"),
    ],
)  # fmt: skip
def test_what_is_issued_while_it_is_open_is_said(facts: str, said: str | None) -> None:
    window = {"start": "2022-06-10T00:00:00Z", "end": "2022-06-10T01:00:00Z", "share_at_least": "0.25"}
    why = ask(BOTH + facts, period="2022-06", windows=[window], fee="10.00", currency="USD")["why"]
    assert [line for line in why if line.startswith("until that")] == ([] if said is None else [said])
    unpaid = ask(BOTH + facts, period="2022-06", windows=[window])["why"]
    days = None if said is None else said.replace("0.00 USD and ", "").replace("7.00 USD and ", "")
    assert [line for line in unpaid if line.startswith("until that")] == ([] if days is None else [days])
    exact = ask(
        BOTH + facts,
        period="2022-06",
        windows=[{**window, "share_at_least": "1"}],
        fee="10.00",
        currency="USD",
    )
    assert not any(line.startswith(("until that", "the policy lets")) for line in exact["why"])


@pytest.mark.parametrize("stands", [True, False])
def test_what_is_issued_as_it_stands_is_said(stands: bool) -> None:
    text = BOTH + ('[facts]\nprovisional = "as-they-stand"\n' if stands else "")
    why = ask(text, period="2022-06", windows=[{"start": "2022-06-30T22:00:00Z"}])["why"]
    assert ("the policy lets it be issued as it stands, though it is provisional" in why) is stands
    over = ask(text, period="2022-06", windows=[["2022-06-30T22:00:00Z", "2022-06-30T23:00:00Z"]])["why"]
    assert not any(line.startswith("the policy lets") for line in over)


LADDER = HEAD + '[measure]\nof = "{of}"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'


def test_without_a_fee_no_amount_is_said_while_it_may_be_a_part_of_one() -> None:
    """8 to 10 hours: nothing, or a tenth of a fee that nobody named."""
    text = LADDER.format(of="time")
    text += '[[tiers]]\ndowntime_at_most = "9 hours"\ncredit_percent = "0"\n[[tiers]]\ndowntime_above = "9 hours"\ncredit_percent = "10"\n'
    hours: Answer = {"downtime_hours_at_least": 8, "downtime_hours_at_most": 10, "currency": "USD"}
    found = ask(text, **hours)
    amounts = [found[name] for name in ("credit", "credit_at_least", "credit_at_most")]
    assert (amounts, found["credit_percent_at_most"]) == ([None, None, None], "10")
    assert ask(text, **hours, fee="70.00")["credit_at_most"] == "7.00"
    # What is nothing of any fee is nothing.
    assert ask(text, downtime_hours=8, currency="USD")["credit"] == "0.00"


# One user more than half of so many that twelve decimals do not show it.
MANY = 7_700_000_000_000_000
MORE_THAN_HALF: Answer = {"users": MANY, "outages": [{"seconds": 3_600, "users": MANY // 2 + 1}]}


def test_seconds_are_never_shown_on_an_edge_of_downtime_that_they_are_not_on() -> None:
    """Half an hour and less than a millionth of a millionth of a second."""
    text = LADDER.format(of="affected-share")
    text += '[[tiers]]\ndowntime_at_most = "30 minutes"\ncredit_percent = "0"\n[[tiers]]\ndowntime_above = "30 minutes"\ncredit_percent = "10"\n'
    found = ask(text, **MORE_THAN_HALF)
    assert found["tiers"] == ["downtime above 30 minutes"]
    for bound in ("", "_at_least", "_at_most"):
        shown = found[f"eligible_downtime_seconds{bound}"]
        assert Decimal(1_800) < Decimal(shown) < Decimal("1800.000000000001")


def test_edges_of_another_quantity_are_none_for_seconds() -> None:
    """1.00 is an edge of the availability; of one second and a little more twelve decimals are shown."""
    text = LADDER.format(of="affected-share")
    text += '[[tiers]]\navailability_at_least = "50"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "50"\ncredit_percent = "10"\n'
    facts = {**MORE_THAN_HALF, "outages": [{"seconds": 2, "users": MANY // 2 + 1}]}
    assert ask(text, **facts)["eligible_downtime_seconds"] == "1.000000000000"
