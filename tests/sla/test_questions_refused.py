"""Every sentence with which facts are refused, and what is said of several at once; and facts that are just not refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.policy.model import (
    Credit,
    PeriodRule,
)
from projections.evaluation.evidence import Plain
from tests.sla.reading import (
    APRIL,
    END,
    MAY,
    START,
    policy,
    problems,
    read,
)

F = Fraction


FACTS_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"downtme_minutes": 1}, "downtme_minutes is not a fact that is known (did you mean 'downtime_minutes'?)"),
    ({"downtime_minutes": 1.5}, 'downtime_minutes 1.5 is a JSON number with a point, which no program keeps exact; write it as text: "1.5"'),
    ({"downtime_minutes": "x"}, "downtime_minutes 'x' is not a decimal of 0 or more; write it like \"4.32\""),
    ({"downtime_minutes": -1}, 'downtime_minutes -1 is not a decimal of 0 or more; write it like "4.32"'),
    ({"downtime_minutes": True}, 'downtime_minutes True is not a decimal of 0 or more; write it like "4.32"'),
    ({"downtime_minutes": "1e3"}, "downtime_minutes '1e3' is not a decimal of 0 or more; write it like \"4.32\""),
    # 57 characters of a long value are shown, and all 60 of one that is no longer.
    ({"downtime_minutes": ["1"] * 30}, "downtime_minutes [" + "'1', " * 11 + "'... is not a decimal of 0 or more; write it like \"4.32\""),
    ({"downtime_minutes": "x" * 58}, f"downtime_minutes '{'x' * 58}' is not a decimal of 0 or more; write it like \"4.32\""),
    ({"downtime_minutes": "x" * 59}, f"downtime_minutes '{'x' * 56}... is not a decimal of 0 or more; write it like \"4.32\""),
    ({"downtime_minutes": 1, "downtime_hours": 1}, "downtime_minutes and downtime_hours both state it; leave one out"),
    ({"downtime_minutes_at_least": 2, "downtime_minutes_at_most": 1}, "downtime_at_least is more than what it is at most; exchange them"),
    ({"availability_at_least": 2, "availability_at_most": 1}, "availability_at_least is more than what it is at most; exchange them"),
    ({"value_at_least": 2, "value_at_most": 1}, "value_at_least is more than what it is at most; exchange them"),
    ({"availability": "100.1"}, "availability 100.1 is more than 100; write a percentage of no more"),
    ({"failed": 3, "total": 2}, "failed and total go together, and failed is no more than total; correct them"),
    ({"failed": 3}, "failed and total go together, and failed is no more than total; correct them"),
    ({"total": 3}, "failed and total go together, and failed is no more than total; correct them"),
    ({"failed": "1.5", "total": 2}, "failed '1.5' is not a whole number"),
    ({"downtime_minutes": 1, "availability": 99}, "downtime and availability state the same thing; leave all but one out"),
    ({"value": 1, "failed": 0, "total": 2}, "value and failed and total state the same thing; leave all but one out"),
    ({"outages": [{"minutes": 1}], "error_rates": [{"rate": 0, "buckets": 1}]},
     "outages and error_rates state the same thing; leave all but one out"),
    ({"outages": 5}, "outages is not a list"),
    ({"outages": [5]}, "outages 1: is not an object; write it in braces"),
    ({"outages": [["a", "b"]]}, "outages 1: is not an object; write it in braces"),
    ({"outages": [{"minutes": 1}, {"share": "0.5"}]}, "outages 2: minutes or one of seconds, minutes, hours, days: state how long it lasted, once"),
    ({"outages": [{"minutes": 1, "hours": 1}]}, "outages 1: minutes or one of seconds, minutes, hours, days: state how long it lasted, once"),
    ({"outages": [{"minutes": 1, "share": "1.5"}]},
     "outages 1: share '1.5' is more than 1; a share is a part of the whole: less than 0.2% is 0.002"),
    ({"outages": [{"minutes": 1, "users": 2}]}, "outages 1: users needs users of the whole beside outages, and no more than those; correct it"),
    ({"outages": [{"minutes": 1, "users": 2}], "users": 1}, "outages 1: users needs users of the whole beside outages, and no more than those; correct it"),
    ({"outages": [{"minutes": 1, "hour": 1}]}, "outages 1: hour is not a fact that is known (did you mean 'hours'?)"),
    ({"error_rates": [{"rate": "0.5"}]}, "error_rates 1: buckets is missing; add it"),
    ({"error_rates": [{"buckets": 5}]}, "error_rates 1: rate is missing; add it"),
    ({"error_rates": [{"rate": "2", "buckets": 5}]},
     "error_rates 1: rate '2' is more than 1; a share is a part of the whole: less than 0.2% is 0.002"),
    ({"earlier": [{"minutes": 1}]}, "earlier 1: minutes is not a fact that is known (did you mean 'period_minutes'?)"),
    ({"earlier": [{"downtime_minutes": 1, "value": 1}]}, "earlier 1: downtime and value state the same thing; leave all but one out"),
    ({"allocate_to": 5}, "allocate_to 5 is not a list"),
    ({"allocate_to": [0.5]}, 'allocate_to [0.5] is a JSON number with a point, which no program keeps exact; write it as text: "0.5"'),
    ({"allocate_order": "frist-to-last"},
     "allocate_order 'frist-to-last' is not one of first-to-last, last-to-first (did you mean 'first-to-last'?)"),
    ({"chosen": "uptme"}, "chosen 'uptme' is no commitment of the policy (did you mean 'uptime'?)"),
    ({"as_of": "2022-06-10T00:00:00.5Z"}, "as_of '2022-06-10T00:00:00.5Z' has parts of a second, and times are whole seconds; state the second it lies in, and of a "
     "window, where that may decide, start_within_seconds or end_within_seconds as 1"),
    ({"as_of": 5}, "as_of 5 is not text; put it in quotes"),
    ({"inside": "beta"}, "inside 'beta' is not a list"),
    ({"outside": [5]}, "outside [5] is not text; put it in quotes"),
    ({"period": "2022-06", "observed": 5}, "observed 5 is not a list of pairs of start and end"),
    ({"period": "2022-06", "observed": [5]}, "observed [5] is not a pair of start and end"),
    ({"period": "2022-06", "observed": [[START]]}, "observed [['2022-06-10T00:00:00Z']] is not a pair of start and end"),
    ({"period": "2022-06", "observed": [[START, START]]},
     "observed [['2022-06-10T00:00:00Z', '2022-06-10T00:00:00Z']] ends before it has begun; a span is [start, end)"),
    ({"period": "2022-06", "windows": [[START]]}, "windows 1: is not an object; write it in braces"),
    ({"period": "2022-06", "windows": [{"end": END}]}, "windows 1: start is missing; add it"),
    ({"period": "2022-06", "windows": [[START, START]]}, "windows 1: end 2022-06-10T00:00:00.000000Z is not after start 2022-06-10T00:00:00.000000Z; a window is [start, end)"),
    ({"period": "2022-06", "windows": [{"start": START, "share_at_least": "0.5", "share_at_most": "0.4"}]},
     "windows 1: share_at_least '0.5' is more than share_at_most '0.4'; exchange them"),
    ({"period": "2022-06", "windows": [{"start": START, "effect": "outge"}]},
     "windows 1: effect 'outge' is not one of outage, partial-outage, degraded, delay, data-loss (did you mean 'outage'?)"),
    ({"period": "2022-06", "windows": [{"start": START, "approximate": "yes"}]}, "windows 1: approximate 'yes' is neither true nor false"),
    ({"period": "2022-06", "windows": [{"start": START, "withdrawn": 1}]}, "windows 1: withdrawn 1 is neither true nor false"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": 1}]},
     "windows 1: planned is not an object with announced_at, scheduled_start, scheduled_end"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced_at": START, "scheduled_start": START}}]},
     "windows 1: planned.scheduled_end is missing; add it"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced_at": START, "scheduled_start": START, "scheduled_end": 5}}]},
     "windows 1: planned.scheduled_end 5 is not text; put it in quotes"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced": 1}}]},
     "windows 1: planned.announced is not a fact that is known (did you mean 'announced_at'?)"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "failed": 1, "total": 2}]}, "measurements 1: of is missing; add it"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "of": "users"}]}, "measurements 1: failed or value: state one of them"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "of": "users", "failed": 1, "total": 2, "value": 1}]},
     "measurements 1: failed or value: state one of them"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "of": "users", "failed": 1}]},
     "measurements 1: total is missing or less than failed; state both"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "of": "users", "failed": 2, "total": 1}]},
     "measurements 1: total is missing or less than failed; state both"),
    ({"period": "2022-06", "measurements": [{"start": START, "of": "users", "failed": 1, "total": 1}]}, "measurements 1: end is missing; add it"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": START, "of": "users", "failed": 1, "total": 1}]},
     "measurements 1: end 2022-06-10T00:00:00.000000Z is not after start 2022-06-10T00:00:00.000000Z; it is [start, end)"),
    ({"period": "2022-06", "exclusions": [{"start": START}]}, "exclusions 1: end is missing; add it"),
    ({"period": "2022-06", "exclusions": [{"start": START, "end": END, "kind": "custmer"}]},
     "exclusions 1: kind 'custmer' is not one of planned-maintenance, emergency-maintenance, force-majeure, customer, third-party, suspension, beta "
     "(did you mean 'customer'?)"),
    *(
        ({"period": "2022-06", "windows": [[START, END]], f"excluded_downtime_{unit}": 1},
         "excluded_downtime counts only beside plain downtime; state that, 0 where nothing failed, or beside windows exclusions with its times")
        for unit in ("seconds", "days")
    ),
    *(
        ({**facts, f"{name}_hours": "0.5"},
         f"{name} counts only beside plain downtime, outages or error_rates; state that, 0 where nothing failed, or beside windows {instead} with "
         "its times")
        for name, instead in (("excluded", "exclusions"), ("unobserved", "observed"))
        for facts in ({"period": "2022-06", "windows": [[START, END]]}, {"availability": 99}, {"value": 3}, {"failed": 1, "total": 2}, {})
    ),
    ({"outages": [{"minutes": 5}], "excluded_downtime_minutes": 1},
     "excluded_downtime of 60 seconds stands beside outages, and of which of them it is a part is not known; state each outage without what was "
     "excluded of it"),
    ({"earlier": [{"availability": 99, "unobserved_days": 1}]},
     "earlier 1: unobserved counts only beside plain downtime, outages or error_rates; state that, 0 where nothing failed, or beside windows observed with "
     "its times"),
    ({"downtime_minutes": 1, "exclusions": [[START, END]]},
     "exclusions says when it was, and plain figures do not, so that it would not count; state excluded_downtime or excluded (in minutes, say) instead"),
    ({"period": "2022-06", "availability": 99, "observed": [[START, END]]},
     "observed says when it was, and plain figures do not, so that it would not count; state unobserved (in minutes, say) instead"),
    ({"downtime_minutes": 1, "users": 5}, "users has no meaning without outages that state users; leave it out"),
    ({"outages": [{"minutes": 1}], "users": 5}, "users has no meaning without outages that state users; leave it out"),
    ({"outages": [{"minutes": 1, "share_at_least": "0.5", "share_at_most": "0.4"}]},
     "outages 1: share_at_least '0.5' is more than share_at_most '0.4'; exchange them"),
    ({"chosen": "uptime"},
     "chosen 'uptime' has no meaning: the policy leaves no choice to the customer (stacking.commitments = \"best-of\"); leave it out"),
    ({"value": 10**30}, "value 1000000000000000000000000000000 has more than 30 digits; correct it"),
    ({"availability_at_least": "150"}, "availability_at_least leaves nothing, as it is 100 at most; correct it"),
    ({"period_days": 3_661, "downtime_minutes": 1}, "period is longer than 10 years; correct its length"),
    ({"period": {"start": "1970-01-01T00:00:00Z", "end": "1980-01-10T00:00:00Z"}},
     "period.end 1980-01-10T00:00:00.000000Z is more than 10 years after start 1970-01-01T00:00:00.000000Z; correct one of them"),
    ({"period": "2022-06", "measurements": [{"start": "1970-01-01T00:00:00Z", "end": "1980-01-10T00:00:00Z", "of": "users", "failed": 1, "total": 2}]},
     "measurements 1: end 1980-01-10T00:00:00.000000Z is more than 10 years after start 1970-01-01T00:00:00.000000Z; correct one of them"),
    ({"as_of": "9999-01-01T00:00:00Z"}, "as_of '9999-01-01T00:00:00Z' lies outside the years 1970 to 9998; check the year"),
    ({"as_of": "1969-12-31T23:59:59Z"}, "as_of '1969-12-31T23:59:59Z' lies outside the years 1970 to 9998; check the year"),
    ({"term_start": "2021-02-30"}, "term_start '2021-02-30' is not a date; write it like 2022-01-01"),
    ({"term_start": "20210228"}, "term_start '20210228' is not a date; write it like 2022-01-01"),
    ({"term_start": 2021}, "term_start 2021 is not a date; write it like 2022-01-01"),
    ({"period_minutes": 1, "downtime_seconds": 1, "unobserved_minutes": 2},
     "unobserved of 120 seconds is longer than the period 60 seconds, which has 60 seconds; correct it, or state a longer period"),
    ({"period_minutes": 1, "downtime_seconds": 1, "excluded_minutes": 2},
     "excluded of 120 seconds is longer than the period 60 seconds, which has 60 seconds; correct it, or state a longer period"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced_at": START, "scheduled_start": END, "scheduled_end": START}}]},
     "windows 1: planned.scheduled_end 2022-06-10T00:00:00.000000Z is not after scheduled_start 2022-06-10T01:00:00.000000Z; exchange them"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced_at": END, "scheduled_start": START, "scheduled_end": END}}]},
     "windows 1: planned.announced_at 2022-06-10T01:00:00.000000Z is not before scheduled_end 2022-06-10T01:00:00.000000Z: what is over is not planned; correct one of them"),
    ({"period": "2022-06", "measurements": [{"start": START, "end": END, "of": "latency", "value": 1, "total": 2}]},
     "measurements 1: total has no meaning beside value; leave it out"),
    ({"period": "2022-06", "downtime_minutes": 1, "windows": [[START, END]]},
     "plain figures stand beside windows or measurements; state one of them, so that nothing counts twice"),
    ({"period": "2022-06", "downtime_minutes": 1, "measurements": [{"start": START, "end": END, "of": "users", "failed": 1, "total": 1}]},
     "plain figures stand beside windows or measurements; state one of them, so that nothing counts twice"),
    ({"period_minutes": 1, "downtime_seconds": "60.5"},
     "downtime of 60.5 seconds is longer than the period 60 seconds, which has 60 seconds; correct it, or state a longer period"),
    ({"period_seconds": 1, "outages": [{"seconds": 1}, {"minutes": 1}]},
     "outage 2 of 60 seconds is longer than the period 1 seconds, which has 1 second; correct it, or state a longer period"),
    ({"approximately_within_seconds": "0.5"}, "approximately_within is not a whole number of seconds; correct it"),
    ({"currency": "XYZ"}, "currency 'XYZ' is not an ISO 4217 code of money"),
    ({"currency": 5}, "currency 5 is not text; put it in quotes"),
    ({"fee": "1.00"}, "currency is missing, which fee needs; add it"),
    ({"issued": "1.00"}, "currency is missing, which issued needs; add it"),
    ({"credited_before": "1.00"}, "currency is missing, which credited_before needs; add it"),
    ({"fee": "1.005", "currency": "USD"}, "fee '1.005' has 3 decimals, but USD has 2; write it like 1200.00"),
    ({"issued": 1.5, "currency": "USD"}, "issued 1.5 is not written as 1200.00; a float is not exact: give the amount as text"),
    ({"fee": "1.00", "base": "1.00", "currency": "USD"}, "base and fee both state what the policy pays a part of; leave one out"),
    ({"annual_fee": "1.00", "currency": "USD"},
     'annual_fee is not what the policy pays a part of (credit.of = "fee"); state fee'),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "said"), FACTS_REFUSED)
def test_wrong_facts_are_refused_by_name_with_what_to_do(facts: dict[str, Any], said: str) -> None:
    found = problems(**facts)
    assert any(one == said or (said.endswith("money") and one.startswith(said)) for one in found), found
    assert len(found) == 1 or "failed" in said or "base and fee" in said or "planned.announced" in said, found


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({"period": {}}, ["period.start", "period.end"]),
        ({"period": "2022-06", "error_rates": [{}]}, ["error_rates 1: rate", "error_rates 1: buckets"]),
        ({"period": "2022-06", "exclusions": [{}]}, ["exclusions 1: start", "exclusions 1: end"]),
        (
            {"period": "2022-06", "measurements": [{}]},
            ["measurements 1: start", "measurements 1: end", "measurements 1: of"],
        ),
        (
            {"period": "2022-06", "windows": [{"start": START, "planned": {}}]},
            [f"windows 1: planned.{name}" for name in ("announced_at", "scheduled_start", "scheduled_end")],
        ),
    ],
)
def test_all_that_is_missing_is_said_at_once(facts: dict[str, Any], missing: list[str]) -> None:
    assert [one for one in problems(**facts) if one.endswith("is missing; add it")] == [
        f"{name} is missing; add it" for name in missing
    ]


def test_all_that_is_wrong_is_said_at_once_and_in_every_list() -> None:
    found = problems(
        period="2022-06",
        downtme=1,
        windows=[{"start": START, "end": START}, {"start": START, "effect": "x"}, 5, {}],
        as_of=1,
    )
    assert [one.partition(" is ")[0] for one in found] == [
        "downtme", "windows 1: end 2022-06-10T00:00:00.000000Z", "windows 2: effect 'x'", "windows 3:", "windows 4: start", "as_of 1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("of", "name"),
    [("fee", "fee"), ("region-charges", "region_charges"), ("service-share", "suite_fee"), ("preceding-fee", "preceding_fee"),
     ("annual-fee", "annual_fee")],
)  # fmt: skip
def test_the_base_is_what_the_policy_pays_a_part_of(of: Any, name: str) -> None:
    paid = policy(credit=Credit(of=of))
    # A year has twelve calendar months; of no share of a suite is said, so that it is all of it.
    for stated, amount in ((name, F(12)), ("base", F(144) if of == "annual-fee" else F(12))):
        found = read(paid, currency="JPY", **{stated: 12})
        assert (found.currency, found.base) == ("JPY", amount)
    assert read(paid, currency="USD", **{name: 12}).base == 1_200
    assert (read(paid, currency="USD").base, read(paid).base) == (None, None)
    other = "annual_fee" if name == "fee" else "fee"
    assert problems(paid, currency="USD", **{other: "1.00"}) == (
        f'{other} is not what the policy pays a part of (credit.of = "{of}"); state {name}',
    )


def test_money_before_is_read_in_the_currency() -> None:
    found = read(currency="BHD", credited_before="1.5", issued=2)
    assert (found.credited_before, found.issued) == (1_500, 2_000)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"period": {"start": 5, "end": END}}, "period.start 5 is not text; put it in quotes"),
        ({"period": {"start": START, "end": 5}}, "period.end 5 is not text; put it in quotes"),
        ({"period": "2022-06", "exclusions": [{"start": 5, "end": END}]}, "exclusions 1: start 5 is not text; put it in quotes"),
        ({"period": "2022-06", "exclusions": [{"start": START, "end": 5}]}, "exclusions 1: end 5 is not text; put it in quotes"),
        ({"period": "2022-06", "windows": [{"start": 5, "end": END}]}, "windows 1: start 5 is not text; put it in quotes"),
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_the_one_thing_that_is_wrong(facts: dict[str, Any], said: str) -> None:
    assert problems(**facts) == (said,)


@pytest.mark.parametrize("name", ["announced_at", "scheduled_start", "scheduled_end"])
def test_each_time_of_a_plan_has_to_be_one(name: str) -> None:
    plan = {"announced_at": START, "scheduled_start": START, "scheduled_end": END, name: 5}
    said = (f"windows 1: planned.{name} 5 is not text; put it in quotes",)
    assert problems(period="2022-06", windows=[{"start": START, "planned": plan}]) == said


@pytest.mark.parametrize("of", ["requests", "users", "messages", "executions", "latency"])
def test_each_kind_of_measurement_is_known(of: str) -> None:
    one = {"start": START, "end": END, "of": of, "failed": 1, "total": 2}
    assert read(period="2022-06", measurements=[one]).evidence.measurements[0].of == of


def test_what_names_no_service_is_about_the_one_that_is_named() -> None:
    windows = [{"start": START, "end": END}, {"start": START, "end": END, "service": "mail"}]
    evidence = read(period="2022-06", windows=windows).evidence
    assert (evidence.service, [one.service for one in evidence.windows]) == ("mail", ["mail", "mail"])


def test_a_currency_that_is_none_is_not_missing_as_well() -> None:
    (said,) = problems(currency="XYZ", fee="1.00")
    assert said.startswith("currency 'XYZ' is not an ISO 4217 code")


def test_a_measured_value_is_a_decimal() -> None:
    one = {"start": START, "end": END, "of": "latency", "value": "fast"}
    assert problems(period="2022-06", measurements=[one])[0] == (
        "measurements 1: value 'fast' is not a decimal of 0 or more; write it like \"4.32\""
    )


def test_measurements_that_name_no_service_are_about_the_one_that_is_named() -> None:
    one = {"start": START, "end": END, "of": "users", "failed": 1, "total": 2}
    evidence = read(period="2022-06", measurements=[one, {**one, "service": "mail"}]).evidence
    assert [one.service for one in evidence.measurements] == ["mail", "mail"]


TEN_YEARS = 3_660 * 86_400


@pytest.mark.parametrize("more", [0, 1])
def test_a_period_lasts_ten_years_at_most(more: int) -> None:
    """Ten years of 366 days, which are 3,660 days: of which 2020 to 2029 have 3,653: to the end of 7 January 2030."""
    span = {"start": "2020-01-01T00:00:00Z", "end": f"2030-01-08T00:00:0{more}Z"}
    for facts, said in (
        ({"period_seconds": TEN_YEARS + more}, "period is longer than 10 years; correct its length"),
        (
            {"period": span},
            f"period.end 2030-01-08T00:00:0{more}.000000Z is more than 10 years after start 2020-01-01T00:00:00.000000Z; correct one of them",
        ),
    ):
        if more:
            assert problems(downtime_minutes=1, **facts) == (said,)
        else:
            assert read(downtime_minutes=1, **facts).evidence.period.seconds == TEN_YEARS


def test_an_incident_that_began_before_the_first_month_that_is_kept_has_no_period() -> None:
    """It was still 1969 in New York."""
    there = policy(period=PeriodRule("calendar-month", "America/New_York"))
    (said,) = problems(there, downtime_minutes=1, incident_start="1970-01-01T04:59:59Z")
    assert said.startswith("incident_start '1970-01-01T04:59:59Z' lies in no period of the policy: ")
    assert "outside the years 1970 to 9998" in said
    assert said.endswith("; check it, or state period")
    first = read(there, downtime_minutes=1, incident_start="1970-01-01T05:00:00Z").evidence.period
    assert first.label == "1970-01"


def test_before_the_first_month_that_is_kept_there_is_none() -> None:
    (said,) = problems(period="1970-01", downtime_minutes=1, earlier=[{"availability": 99}])
    assert said.startswith("earlier 1: period before 1970-01 is none of the policy: ")
    assert "outside the years 1970 to 9998" in said
    assert said.endswith("; leave it out")


def test_an_earlier_period_that_is_named_ends_where_the_next_one_begins_at_the_latest() -> None:
    facts: dict[str, Any] = {"period": "2022-06", "downtime_minutes": 1}
    found = read(**facts, earlier=[{"period": "2022-04", "value": 1}, {"period": "2022-05", "value": 2}])
    assert [period for period, _ in found.earlier] == [APRIL, MAY]
    late = {"start": "2022-05-01T00:00:00Z", "end": "2022-06-01T00:00:01Z"}
    (said,) = problems(**facts, earlier=[{"period": late, "value": 1}])
    assert said == (
        "earlier 1: period 2022-05-01T00:00:00.000000Z/2022-06-01T00:00:01.000000Z ends after the one that follows has begun; "
        "correct it"
    )


def test_downtime_of_an_earlier_period_that_is_not_bounded_is_no_longer_than_that() -> None:
    """May has 31 days."""
    ((period, plain),) = read(
        period="2022-06", downtime_minutes=1, earlier=[{"downtime_minutes_at_least": 1}]
    ).earlier
    assert (period, plain) == (MAY, Plain(downtime=(F(60), F(31 * 86_400))))
