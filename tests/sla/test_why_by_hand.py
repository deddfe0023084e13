"""Why an answer came out as it did, through the command line: what is said is what was paid by, and nothing of it is left out.

June 2025 has 30 days, which are 2,592,000 seconds; March 2022 has 31.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from tests.sla.asking import ask, terms

Answer = dict[str, Any]

LADDER = """[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_at_least = "99"
availability_below = "99.9"
credit_percent = "10"
[[tiers]]
availability_below = "99"
credit_percent = "25"
"""
FOR_TIME_DOWN = (
    '[[tiers]]\navailability_at_least = "100"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "100"\ncredit_multiple = "1"\n'
)
FEE: Answer = {"fee": "100.00", "currency": "USD"}


def window(start: str, end: str, incident: str = "one", **more: Any) -> Answer:
    return {"start": f"{start}Z", "end": f"{end}Z", "incident": incident, **more}


def stacked(rule: str) -> str:
    return terms(LADDER, more=f'[stacking]\nincidents = "{rule}"\n')


HOURS = [
    window("2022-03-14T00:00:00", "2022-03-14T05:00:00"),
    window("2022-03-15T00:00:00", "2022-03-15T06:00:00", "two"),
    window("2022-03-16T00:00:00", "2022-03-16T08:00:00", "three"),
]


def test_incidents_that_pay_one_by_one_are_explained_one_by_one() -> None:
    """5 and 6 hours of 744 are each above 99%, though together they are not: the month decides nothing."""
    found = ask({**FEE, "period": "2022-03", "windows": HOURS[:2]}, stacked("best-of"))
    assert (found["credit"], found["tiers"], found["edges"], found["met"]) == ("10.00", [], [], False)
    assert (found["seconds_to_next_tier"], found["seconds_past_tier_edge"]) == (None, None)
    assert found["eligible_downtime_seconds"] == 39_600
    assert (
        found["rule"]
        == "case: incidents best-of, each alone: availability at least 99% and below 99.9% gives 10% of fee (2 of 2)"
    )
    assert [
        (one["incident"], one["tiers"], one["eligible_downtime_seconds"], one["pays_at_least"], one["pays_percent_at_most"])
        for one in found["incidents"]
    ] == [
        ("one", ["availability at least 99% and below 99.9%"], 18_000, "10.00", "10"),
        ("two", ["availability at least 99% and below 99.9%"], 21_600, "10.00", "10"),
    ]  # fmt: skip
    assert found["why"] == [
        'each incident is looked at alone, and the one that pays most is paid (stacking.incidents = "best-of")',
        "incident one: 5 hours of eligible downtime (5 hours in all, 0 seconds of it not counted) in 31 days",
        "incident one: availability 99.327956989247%",
        "incident one: availability at least 99% and below 99.9%: 10% of fee",
        "incident one pays 10.00 USD",
        "incident two: 6 hours of eligible downtime (6 hours in all, 0 seconds of it not counted) in 31 days",
        "incident two: availability 99.193548387097%",
        "incident two: availability at least 99% and below 99.9%: 10% of fee",
        "incident two pays 10.00 USD",
        "no incident pays more than incident one",
        "of 100.00 USD that is 10.00 USD, rounded half-up",
    ]


def test_incidents_that_are_added_up_are_not_in_the_tier_of_their_month() -> None:
    """40 minutes are 99.91%, and 80 would be 99.82%: nothing is paid, so no sentence may say that 10% are."""
    short = [
        window("2022-03-14T00:00:00", "2022-03-14T00:40:00"),
        window("2022-03-15T00:00:00", "2022-03-15T00:40:00", "two"),
    ]
    found = ask({**FEE, "period": "2022-03", "windows": short}, stacked("sum"))
    assert (found["credit"], found["met"]) == ("0.00", True)
    assert not any("10%" in line for line in [*found["why"], found["rule"]])
    assert (
        'each incident is looked at alone, and what they pay is added up (stacking.incidents = "sum")'
        in found["why"]
    )


def test_which_incident_a_customer_chooses_is_no_fact_and_is_said_to_be_a_choice() -> None:
    found = ask({**FEE, "period": "2022-03", "windows": HOURS}, stacked("choose-one"))
    assert (found["credit_at_least"], found["credit_at_most"]) == ("10.00", "25.00")
    assert (
        found["decides"]
        == "which of the incidents the customer chooses, one or three or two: a choice, which no fact decides"
    )


def test_plain_figures_are_of_no_incident() -> None:
    found = ask({**FEE, "period": "2022-03", "downtime_minutes": 60}, stacked("sum"))
    assert found["tiers"] == ["availability at least 99% and below 99.9%"]
    assert "incidents" not in found
    each = ask({**FEE, "period": "2022-03", "outages": [{"minutes": 60}, {"hours": 9}]}, stacked("sum"))
    assert [one["incident"] for one in each["incidents"]] == ["outage 1", "outage 2"]
    assert "outage 2 pays 25.00 USD" in each["why"]


BLOCKS = '[[tiers]]\ncredit_percent = "5"\nper = "block"\nblock = "30 minutes"\nblocks = "begun"\n'


def test_blocks_are_counted_and_what_a_limit_cut_is_said() -> None:
    """1,000 minutes are 33 half hours and a third: 34 begun ones, 5% each."""
    found = ask(
        {**FEE, "period": "2025-06", "downtime_minutes": 1_000},
        terms(BLOCKS, more='[limits]\npercent = "100"\n'),
    )
    assert found["why"][2:] == [
        "any availability: 5% of fee for each begun 30 minutes",
        "that is 34 begun blocks of 30 minutes, 170% of fee",
        "before limits that is 170.00 USD, of which limits.percent leaves 100.00 USD",
        "of 100.00 USD that is 100.00 USD, rounded half-up",
    ]
    without = ask(
        {"period": "2025-06", "downtime_minutes": 1_000}, terms(BLOCKS, more='[limits]\npercent = "100"\n')
    )
    assert "before limits that is 170% of fee, of which limits.percent leaves 100% of fee" in without["why"]


def test_what_a_floor_does_not_pay_is_shown_before_it() -> None:
    """An hour of 720 is 0.138… USD of 100.00."""
    found = ask(
        {**FEE, "period": "2025-06", "downtime_minutes": 60},
        terms(FOR_TIME_DOWN, more='[limits]\nonly_above = { USD = "1.00" }\n'),
    )
    assert found["credit"] == "0.00"
    assert found["why"][-2:] == [
        "of 100.00 USD that is 0.14 USD, rounded half-up",
        "an amount is paid only above 1.00 USD, so that 0.00 USD is paid",
    ]


def test_a_factor_that_is_rounded_is_shown_before_and_after() -> None:
    found = ask(
        {**FEE, "period": "2025-06", "downtime_minutes": 60},
        terms(FOR_TIME_DOWN, credit='factor_decimals = 2\nfactor_rounding = "up"\n'),
    )
    assert "a part of the fee is rounded to 2 decimals, up: 0.001388888889 is 0.01" in found["why"]


def test_a_factor_is_shown_at_least_and_at_most_where_it_is_a_part_of_the_fee() -> None:
    """One hour of 720 to two: both are rounded up to a hundredth."""
    up = terms(FOR_TIME_DOWN, credit='factor_decimals = 2\nfactor_rounding = "up"\n')
    hours = {"downtime_hours_at_least": 1, "downtime_hours_at_most": 2}
    assert (
        "a part of the fee is rounded to 2 decimals, up: 0.001388888889 is 0.01 and 0.002777777778 is 0.01"
        in ask({**FEE, "period": "2025-06", **hours}, up)["why"]
    )
    # The lesser of a part and a sum is no part; that of nothing and a sum is nothing.
    text = terms(
        '[[tiers]]\ncredit_multiple = "1"\ncredit_fixed = { USD = "12.50" }\ntake = "lesser"\n',
        credit='factor_decimals = 2\nfactor_rounding = "down"\n',
    )
    found = ask({**FEE, "period": "2025-06", "downtime_hours": 1}, text)["why"]
    assert "a part of the fee is rounded to 2 decimals, down" in found
    # One that is exact as it stands is not changed by it.
    exact = ask({**FEE, "period": "2025-06", "downtime_hours": 72}, up)["why"]
    assert "a part of the fee is rounded to 2 decimals, up" in exact


def test_days_that_a_limit_cuts_and_the_right_to_terminate_are_said() -> None:
    text = terms(
        '[[tiers]]\nservice_days = "3"\nper = "block"\nblock = "1 hour"\n',
        more='[limits]\ndays = "5"\n[[termination]]\navailability_below = "99"\n',
    )
    found = ask({"period": "2025-06", "downtime_hours": 8}, text)
    assert found["service_days"] == "5"
    assert "that is 8 full blocks of 1 hour" in found["why"]
    assert "of 24 days of service limits.days leaves 5" in found["why"]
    assert "right to terminate: yes" in found["why"]


def test_a_sum_is_no_part_of_the_fee() -> None:
    hourly = terms('[[tiers]]\ncredit_hourly = { USD = "0.01" }\n')
    found = ask({"fee": "4000.00", "currency": "USD", "period": "2025-06", "downtime_hours": 3}, hourly)
    assert found["why"][-1] == "that is 0.03 USD, rounded half-up"


@pytest.mark.parametrize("of", ["executions", "messages"])
def test_what_was_counted_is_shown_and_not_seconds_nobody_counted(of: str) -> None:
    text = terms(LADDER.replace('"99.9"', '"99.95"'), measure=f'of = "{of}"')
    text = text.replace('[counting]\neffects = ["outage"]\n', "")
    facts = {**FEE, "period": "2025-06", "failed": 51, "total": 100_000}
    found = ask(facts, text)
    assert found["why"][0] == f"51 of 100000 {of} failed"
    assert not any("seconds" in line for line in found["why"])
    shown = (
        CliRunner().invoke(main, ["sla", "evaluate", "-"], input=json.dumps({**facts, "terms": text})).output
    )
    assert " s of downtime" not in shown


@pytest.mark.parametrize("of", ["executions", "messages"])
def test_an_availability_that_was_stated_was_made_of_nothing(of: str) -> None:
    text = terms(LADDER, measure=f'of = "{of}"').replace('[counting]\neffects = ["outage"]\n', "")
    assert ask({"period": "2025-06", "availability": "99.5"}, text)["why"] == [
        "availability 99.500000000000%", "availability at least 99% and below 99.9%: 10% of fee",
    ]  # fmt: skip


def test_an_error_rate_may_be_a_bound_of_a_shorter_period() -> None:
    """Of 719 hours, as one is excluded, 864 buckets of 5 minutes, 10% to 20%: 86.4 to 172.8 of 8,628."""
    text = terms(
        LADDER,
        measure='of = "error-rate"\nbucket = "5 minutes"',
        more='[[exclusions]]\nkinds = ["planned-maintenance"]\ntreated = "removed"\n',
    )
    rates = [{"rate_at_least": "0.1", "rate_at_most": "0.2", "buckets": 864}]
    found = ask({"period": "2025-06", "error_rates": rates, "excluded_hours": 1}, text)
    assert found["why"][0] == (
        "the average error rate of all buckets of 5 minutes is from 1.001390820584% to 2.002781641168%, in 719 hours, after 1 hour "
        "were taken out"
    )


def test_how_often_a_tier_pays_may_be_a_bound() -> None:
    text = terms('[[tiers]]\ncredit_percent = "5"\nper = "unit"\n', measure='of = "events"')
    assert ask({"period": "2025-06", "value_at_least": 3, "value_at_most": 4}, text)["why"][:3] == [
        "events from 3 to 4", "any value: 5% of fee for each one", "that is 3 to 4 of them, 15% to 20% of fee",
    ]  # fmt: skip


def test_an_error_rate_is_shown_as_one() -> None:
    """Ten buckets of 5 minutes of 8,640 with half of them failing: 5 of 8,640."""
    text = terms(LADDER, measure='of = "error-rate"\nbucket = "5 minutes"')
    found = ask({"period": "2025-06", "error_rates": [{"rate": "0.5", "buckets": 10}]}, text)
    assert (
        found["why"][0] == "the average error rate of all buckets of 5 minutes is 0.057870370370%, in 30 days"
    )


EXCLUSIONS = '[[exclusions]]\nkinds = ["planned-maintenance"]\nnotice = "48 hours"\n'
FOUR_HOURS = [window("2025-06-10T00:00:00", "2025-06-10T04:00:00")]


@pytest.mark.parametrize(
    ("exclusion", "why"),
    [
        (
            {"announced_at": "2025-06-09T00:00:00Z"},
            "it was announced 1 day before, and the policy asks for 2 days",
        ),
        ({}, "nobody says when it was announced, and the policy asks for 2 days of notice"),
        (
            {"announced_at": "2025-06-10T00:00:00Z"},
            "it was announced when it had begun, and the policy asks for 2 days of notice",
        ),
        ({"kind": "force-majeure"}, "the policy excludes no force-majeure, only planned-maintenance"),
        (
            {"announced_at": "2025-06-01T00:00:00Z", "customer": "acme"},
            "it is about the customer acme",
        ),
    ],
)  # fmt: skip
def test_an_exclusion_that_excludes_nothing_is_named_with_the_reason(exclusion: Answer, why: str) -> None:
    said = {"start": "2025-06-10T00:00:00Z", "end": "2025-06-10T04:00:00Z", "exclusion": "night", **exclusion}
    found = ask(
        {"period": "2025-06", "windows": FOUR_HOURS, "exclusions": [said], "customer": "beta"},
        terms(FOR_TIME_DOWN, more=EXCLUSIONS),
    )
    assert found["eligible_downtime_seconds"] == 14_400
    assert (
        found["why"][0]
        == f"exclusion night, from 2025-06-10T00:00:00Z to 2025-06-10T04:00:00Z, excludes nothing: {why}"
    )


def test_why_some_of_it_does_not_count_adds_up() -> None:
    """An hour excluded, 4 minutes too short, 2 hours degraded: of 7 hours and 4 minutes 4 hours are left."""
    windows = [
        *FOUR_HOURS,
        window("2025-06-11T00:00:00", "2025-06-11T00:04:00", "two"),
        window("2025-06-12T00:00:00", "2025-06-12T02:00:00", "three", effect="degraded"),
        window("2025-07-12T00:00:00", "2025-07-12T02:00:00", "later"),
    ]
    said = {
        "start": "2025-06-10T00:00:00Z",
        "end": "2025-06-10T01:00:00Z",
        "announced_at": "2025-06-01T00:00:00Z",
    }
    found = ask(
        {"period": "2025-06", "windows": windows, "exclusions": [said]},
        terms(FOR_TIME_DOWN, counting='minimum = "5 minutes"', more=EXCLUSIONS),
    )
    assert found["excluded_seconds"] == 3_600 + 240 + 7_200
    assert found["why"][:3] == [
        "window later/window-4 lies outside the period, and counts nothing",
        "3 hours of eligible downtime (364 minutes in all, 184 minutes of it not counted) in 30 days",
        "not counted: 4 minutes of outages shorter than 5 minutes, 1 hour in excluded time, 2 hours of degraded, which does not count",
    ]


def test_what_a_limit_of_exclusions_leaves_counted_is_said() -> None:
    said = {
        "start": "2025-06-10T00:00:00Z",
        "end": "2025-06-10T04:00:00Z",
        "announced_at": "2025-06-01T00:00:00Z",
    }
    more = EXCLUSIONS + 'most = "1 hour"\nmost_per = "period"\n'
    found = ask(
        {"period": "2025-06", "windows": FOUR_HOURS, "exclusions": [said]}, terms(FOR_TIME_DOWN, more=more)
    )
    assert found["eligible_downtime_seconds"] == 10_800
    assert (
        "3 hours count although exclusions name them, as they are more than what exclusions.most lets them be"
        in found["why"]
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"downtime_minutes": 4},
        {"windows": [["2025-06-10T00:00:00Z", "2025-06-10T00:04:00Z"]]},
        {"outages": [{"minutes": 4}]},
    ],
)
def test_what_is_too_short_does_not_count_however_it_is_stated(facts: Answer) -> None:
    found = ask({"period": "2025-06", **facts}, terms(FOR_TIME_DOWN, counting='minimum = "5 minutes"'))
    assert (found["downtime_seconds"], found["excluded_seconds"]) == (240, 240)
    assert found["eligible_downtime_seconds"] == 0
    assert found["why"][1] == "not counted: 4 minutes of outages shorter than 5 minutes"


def test_time_without_data_that_counts_as_down_is_said() -> None:
    text = terms(FOR_TIME_DOWN, measure='of = "time"\nmissing = "down"')
    found = ask({"period": "2025-06", "downtime_hours": 10, "unobserved_hours": 18}, text)
    assert (
        found["why"][0]
        == "28 hours of eligible downtime (10 hours in all, 0 seconds of it not counted, and 18 hours without data that count as "
        "down) in 30 days"
    )


def test_what_short_outages_of_a_day_exceed_its_limit_by_counts_without_being_any_of_them() -> None:
    """Seven of 50 seconds are 350, of which 300 are allowed: excluded and eligible seconds are all of them."""
    blips = [window(f"2025-06-10T0{hour}:00:00", f"2025-06-10T0{hour}:00:50") for hour in range(7)]
    counting = 'minimum = "1 minute"\nunless_daily_total_above = "5 minutes"\ndaily_total_counts = "excess"'
    found = ask({"period": "2025-06", "windows": blips}, terms(FOR_TIME_DOWN, counting=counting))
    assert (found["downtime_seconds"], found["excluded_seconds"], found["eligible_downtime_seconds"]) == (350, 300, 50)  # fmt: skip
    assert found["eligible_intervals"] == []
    assert found["why"][1:3] == [
        "not counted: 5 minutes of outages shorter than 1 minute",
        "50 seconds count of outages that are too short, which is what those of a day have beyond 5 minutes",
    ]
