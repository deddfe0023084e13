"""Facts as JSON and the question they are read into, whole; and every sentence with which facts are refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.ends import ENDLESS
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period, parse_period
from ledger.domain.policy.grammar import MEASURED
from ledger.domain.policy.model import (
    Claim,
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Limits,
    Measure,
    PeriodRule,
    Policy,
    Scope,
    Stacking,
    Termination,
    Tier,
)
from ledger.domain.window import Planned, Window
from ledger.errors import Refused
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.requests import Question, question

F = Fraction
NOW = 1_700_000_000
COMMITMENT = Commitment("uptime", Measure(reads=MEASURED), Counting(frozenset({"outage"})), Scope(), ())
POLICY = Policy(
    "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), (COMMITMENT,),
    (ExclusionRule(frozenset({"planned-maintenance"})),), Credit(), "half-up", "",
    termination=(Termination(Tier(F(0), True, F(1, 2), False, F(0), "availability below 50%")),),
)  # fmt: skip
# 10 June 2022, 00:00:00 UTC
TENTH = 1_654_819_200
APRIL, MAY, JUNE = (parse_period(f"2022-0{month}") for month in (4, 5, 6))


def policy(**changed: Any) -> Policy:
    found: Policy = msgspec.structs.replace(POLICY, **changed)
    return found


def read(of: Policy = POLICY, **facts: Any) -> Question:
    return question(of, facts, NOW)


def problems(of: Policy = POLICY, **facts: Any) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        question(of, facts, NOW)
    assert str(refused.value) == "; ".join(refused.value.problems)
    return refused.value.problems


def window(**changed: Any) -> Window:
    made = Window("incident-1", "window-1", "service", "*", "*", TENTH, TENTH + 3_600, "outage")
    found: Window = msgspec.structs.replace(made, **changed)
    return found


START, END = "2022-06-10T00:00:00Z", "2022-06-10T01:00:00Z"


def test_every_fact_is_read_into_its_place() -> None:
    found = read(
        policy(
            stacking=Stacking("choose-one"), claim=Claim("on-request"), limits=Limits(rolling_percent=F(50))
        ),
        service="mail", region="EMEA", customer="Acme", inside=["beta"], outside=["alpha"], period="2022-06",
        windows=[
            {
                "incident": "i", "window": "w", "service": "web", "component": "inbox", "region": "NAM", "start": START, "end": END,
                "effect": "delay", "share_at_least": "0.1", "share_at_most": "0.2", "share_of": "traffic", "approximate": True,
                "start_within_seconds": 60, "end_within_seconds": "120", "cohort": "beta", "withdrawn": True,
                "planned": {"announced_at": "2022-06-01T00:00:00Z", "scheduled_start": START, "scheduled_end": "2022-06-10T02:00:00Z"},
            },
            {"start": "2022-06-10T02:00:00+02:00"},
        ],
        measurements=[
            {
                "incident": "j", "measurement": "m", "service": "web", "component": "outbox", "region": "APAC", "start": START,
                "end": END, "of": "requests", "total": 10, "failed": 3, "unit": "n", "statistic": "s",
            },
            {"start": START, "end": END, "of": "latency", "value": "4.50", "unit": "seconds", "statistic": "p95"},
        ],
        exclusions=[
            {
                "exclusion": "x", "kind": "customer", "service": "web", "component": "inbox", "region": "NAM", "start": START,
                "end": END, "announced_at": "2022-06-09T00:00:00Z", "customer": "Acme", "cohort": "beta",
            },
            [START, END],
        ],
        observed=[[END, "2022-06-10T02:00:00Z"], [START, END]], as_of="2022-06-11T00:00:00Z", currency="USD", fee="12.34",
        credited_before="5.00", issued="6.00", chosen="uptime", earlier=[{"downtime_minutes": 2}, {"availability": "99"}],
        allocate_to=["1.5", 2], allocate_order="last-to-first", incident_start="2022-06-10T00:00:01Z",
        incident_end="2022-06-10T00:00:02Z", eligible_at="2022-06-10T00:00:03Z", claimed_at="2022-06-10T00:00:04Z",
        revised_at="2022-06-10T00:00:05Z", approximately_within_minutes=2,
    )  # fmt: skip
    windows = (
        Window(
            "i", "w", "web", "inbox", "NAM", TENTH, TENTH + 3_600, "delay", "0.1", "0.2", "traffic", True, 60, 120,
            cohort="beta", planned=Planned(TENTH - 9 * 86_400, TENTH, TENTH + 7_200), withdrawn=True,
        ),
        Window("incident-2", "window-2", "mail", "*", "*", TENTH, None, "outage"),
    )  # fmt: skip
    measurements = (
        Measurement("j", "m", "web", "outbox", "APAC", TENTH, TENTH + 3_600, "requests", 10, 3, unit="n", statistic="s"),
        Measurement(
            "incident-2", "measurement-2", "mail", "*", "*", TENTH, TENTH + 3_600, "latency", value="4.50", unit="seconds",
            statistic="p95",
        ),
    )  # fmt: skip
    exclusions = (
        Exclusion(
            "x", "customer", "web", "inbox", "NAM", TENTH, TENTH + 3_600, TENTH - 86_400, "Acme", "beta"
        ),
        Exclusion("exclusion-2", "planned-maintenance", "*", "*", "*", TENTH, TENTH + 3_600),
    )
    assert found.evidence == Evidence(
        "mail", "EMEA", JUNE, TENTH + 86_400, windows, measurements, exclusions, None, "Acme",
        {"alpha": Membership(False, ""), "beta": Membership(True, "")}, ((TENTH, TENTH + 7_200),), Plain(),
    )  # fmt: skip
    assert found == Question(
        found.evidence, "USD", F(1_234), 500, 600, "uptime",
        ((APRIL, Plain(downtime=(F(120), F(120)))), (MAY, Plain(availability=(F(99, 100), F(99, 100))))), (F(3, 2), F(2)), "last-to-first",
        {
            "as_of": TENTH + 86_400, "incident_start": TENTH + 1, "incident_end": TENTH + 2, "eligible_at": TENTH + 3,
            "claimed_at": TENTH + 4, "revised_at": TENTH + 5,
        },
        120,
    )  # fmt: skip


def test_what_is_left_out_is_as_the_page_says() -> None:
    found = read(windows=[[START, END]], period="2022-06")
    assert found == Question(
        Evidence("service", "region", JUNE, NOW, (window(),)), None, None, 0, None, None, (), (), "first-to-last", {}, None
    )  # fmt: skip
    assert read(downtime_minutes=1).evidence.period == Period(
        "30 days", "span", "UTC", 0, 2_592_000, "1970-01-01"
    )


def test_nobody_is_both_inside_a_cohort_and_outside() -> None:
    assert problems(period="2022-06", inside=["c", "b", "d"], outside=["b", "c"]) == (
        "inside and outside both name the cohort 'b'; name it in one of them",
        "inside and outside both name the cohort 'c'; name it in one of them",
    )


@pytest.mark.parametrize(
    ("facts", "service", "region"),
    [
        ({"windows": [{"start": START, "end": END, "service": "mail", "region": "EMEA"}]}, "mail", "EMEA"),
        ({"windows": [{"start": START, "end": END, "region": "*"}]}, "service", "region"),
        ({"windows": [{"start": START, "end": END, "region": "unknown"}]}, "service", "region"),
        ({"measurements": [{"start": START, "end": END, "of": "users", "failed": 1, "total": 2, "service": "web", "region": "NAM"}]}, "web", "NAM"),
        ({"region": "APAC", "windows": [{"start": START, "end": END, "region": "EMEA"}]}, "service", "APAC"),
        ({}, "service", "region"),
    ],
)  # fmt: skip
def test_the_one_service_and_region_that_facts_name_are_asked_about(
    facts: dict[str, Any], service: str, region: str
) -> None:
    evidence = read(period="2022-06", **facts).evidence
    assert (evidence.service, evidence.region) == (service, region)
    assert {one.service for one in evidence.windows} | {one.service for one in evidence.measurements} <= {
        service
    }


def test_several_regions_are_asked_about_together_only_where_the_policy_is() -> None:
    facts: dict[str, Any] = {
        "period": "2022-06", "windows": [{"start": START, "end": END, "region": region} for region in ("NAM", "EMEA")],
    }  # fmt: skip
    assert problems(**facts) == (
        "region is missing, as the facts are about EMEA, NAM; say which one is asked for",
    )
    union = msgspec.structs.replace(COMMITMENT, scope=Scope("union"))
    assert read(policy(commitments=(union,)), **facts).evidence.region == "EMEA"
    assert problems(policy(commitments=(union, COMMITMENT)), **facts)
    services = [{"start": START, "end": END, "service": service} for service in ("web", "mail")]
    said = ("service is missing, as the facts are about mail, web; say which one is asked for",)
    assert problems(policy(commitments=(union,)), period="2022-06", windows=services) == said


@pytest.mark.parametrize(
    ("facts", "label", "start", "end"),
    [
        ({"period": "2022-06"}, "2022-06", JUNE.start, JUNE.end),
        ({"period": "2022-06-10"}, "2022-06-10", TENTH, TENTH + 86_400),
        ({"period": {"start": START, "end": END}}, "2022-06-10T00:00:00.000000Z/2022-06-10T01:00:00.000000Z", TENTH, TENTH + 3_600),
        ({"period_minutes": "1.5"}, "90 seconds", 0, 90),
        ({"period_seconds": 1}, "1 seconds", 0, 1),
        ({"period_hours": 2}, "7200 seconds", 0, 7_200),
        ({"period_days": 1}, "86400 seconds", 0, 86_400),
        ({"incident_start": START}, "2022-06", JUNE.start, JUNE.end),
        ({}, "30 days", 0, 30 * 86_400),
    ],
)  # fmt: skip
def test_a_period_is_a_label_a_span_a_length_or_that_of_the_incident(
    facts: dict[str, Any], label: str, start: int, end: int
) -> None:
    found = read(policy(period=PeriodRule("calendar-month", "UTC")), **facts).evidence.period
    assert (found.label, found.start, found.end, found.zone) == (label, start, end, "UTC")
    if "period" not in facts and "incident_start" not in facts:
        assert (found.kind, found.first) == ("span", "1970-01-01")
    if isinstance(facts.get("period"), dict):
        assert (found.kind, found.first) == ("span", "2022-06-10")
    there = policy(period=PeriodRule("calendar-month", "America/New_York"))
    assert read(there, **facts).evidence.period.zone == "America/New_York"


MISSING = (
    'period is missing; write it like "2022-03", {"start": …, "end": …}, or its length as period_minutes'
)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"period": "2022-06", "period_minutes": 1}, "period and its length are both stated; leave one out"),
        ({"period_seconds": "1.5"}, "period is not a whole number of seconds above 0; correct its length"),
        ({"period_seconds": 0}, "period is not a whole number of seconds above 0; correct its length"),
        ({"period_seconds": 1, "period_minutes": 1}, "period_seconds and period_minutes both state it; leave one out"),
        ({"period": {"start": START}}, "period.end is missing; add it"),
        ({"period": {"end": END}}, "period.start is missing; add it"),
        ({"period": {"start": START, "end": START}}, "period.end is not after start; a period is [start, end)"),
        ({"period": {"start": START, "end": END, "zone": 1}}, "period.zone is not a fact that is known"),
        ({"period": 5}, "period 5 is not text; put it in quotes"),
        ({"period": "2022-Q1"}, "period '2022-Q1' is not a month like 2022-03 (period '2022-Q1' is neither a month nor a day; write it like 2022-03 or "
         "2022-03-14); correct it"),
        ({"windows": [[START, END]]}, MISSING),
        ({"measurements": [{"start": START, "end": END, "of": "users", "failed": 1, "total": 1}]}, MISSING),
        ({"observed": [[START, END]]}, MISSING),
    ],
)  # fmt: skip
def test_a_period_that_is_none_is_refused(facts: dict[str, Any], said: str) -> None:
    found = problems(**facts)
    assert any(one == said or one.startswith(said + ";") for one in found) or found == (said,), found


def test_a_month_is_no_day_of_a_policy_for_quarters() -> None:
    quarters = policy(period=PeriodRule("calendar-quarter", "UTC"))
    assert problems(quarters, period="2022-06") == (
        "period '2022-06' does not fit a policy per calendar-quarter; write a quarter like 2022-Q1",
    )
    assert read(quarters, period="2022-06-10").evidence.period.kind == "day"


UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}


@pytest.mark.parametrize("unit", UNITS)
def test_a_length_is_given_in_any_unit(unit: str) -> None:
    """Two and a half of each are this many seconds; five days are a period."""
    half, days = F(5, 2) * UNITS[unit], F(3 * 86_400)
    both = {"period_days": 5}
    for facts, expected in (
        ({f"downtime_{unit}": "2.5"}, Plain(downtime=(half, half))),
        ({f"downtime_{unit}_at_least": "2.5"}, Plain(downtime=(half, F(5 * 86_400)))),
        ({f"downtime_at_least_{unit}": "2.5"}, Plain(downtime=(half, F(5 * 86_400)))),
        ({f"downtime_{unit}_at_most": "2.5"}, Plain(downtime=(F(0), half))),
        ({f"downtime_at_most_{unit}": "2.5"}, Plain(downtime=(F(0), half))),
        (
            {"downtime_days": 3, f"excluded_downtime_{unit}": "2.5"},
            Plain(downtime=(days, days), excluded=half),
        ),
        ({"downtime_days": 3, f"excluded_{unit}": "2.5"}, Plain(downtime=(days, days), removed=half)),
        (
            {"downtime_days": 2, f"unobserved_{unit}": "2.5"},
            Plain(downtime=(F(172_800), F(172_800)), unobserved=half),
        ),
        ({"outages": [{unit: "2.5"}]}, Plain(outages=((half, F(1), F(1)),))),
    ):
        assert read(**both, **facts).evidence.plain == expected, facts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, Plain()),
        ({"availability": "99.5"}, Plain(availability=(F(995, 1000), F(995, 1000)))),
        ({"availability": 100}, Plain(availability=(F(1), F(1)))),
        ({"availability_at_least": "99"}, Plain(availability=(F(99, 100), F(1)))),
        ({"availability_at_most": "99"}, Plain(availability=(F(0), F(99, 100)))),
        ({"availability_at_least": "98", "availability_at_most": "99"}, Plain(availability=(F(98, 100), F(99, 100)))),
        ({"availability_at_least": "99", "availability_at_most": "99"}, Plain(availability=(F(99, 100), F(99, 100)))),
        ({"value": 3}, Plain(value=(F(3), F(3)))),
        ({"value_at_least": 3}, Plain(value=(F(3), ENDLESS))),
        ({"value_at_most": "3.5"}, Plain(value=(F(0), F(7, 2)))),
        ({"failed": 1, "total": "2"}, Plain(failed=(F(1), F(1)), total=(F(2), F(2)))),
        ({"failed": 2, "total": 2}, Plain(failed=(F(2), F(2)), total=(F(2), F(2)))),
        ({"error_rates": [{"rate": "0.5", "buckets": 3}, {"rate": 0, "buckets": 1}]}, Plain(rates=((F(1, 2), F(1, 2), 3), (F(0), F(0), 1)))),
        ({"outages": [{"minutes": 1, "share": "0.25"}]}, Plain(outages=((F(60), F(1, 4), F(1, 4)),))),
        ({"outages": [{"minutes": 1, "share_at_least": "0.25"}]}, Plain(outages=((F(60), F(1, 4), F(1)),))),
        ({"outages": [{"minutes": 1, "share_at_most": "0.25"}]}, Plain(outages=((F(60), F(0), F(1, 4)),))),
        ({"outages": [{"minutes": 1, "share_at_least": "0.25", "share_at_most": "0.5"}]}, Plain(outages=((F(60), F(1, 4), F(1, 2)),))),
        ({"outages": [{"minutes": 1, "users": 1}, {"seconds": 5, "users": 4}], "users": 4},
         Plain(outages=((F(60), F(1, 4), F(1, 4)), (F(5), F(1), F(1))))),
    ],
)  # fmt: skip
def test_plain_figures_are_read_as_bounds(facts: dict[str, Any], expected: Plain) -> None:
    found = read(**facts).evidence.plain
    assert found == expected
    # As facts of a period before, they are the same.
    before = read(downtime_minutes=1, earlier=[facts]).earlier
    assert [plain for _, plain in before] == [expected]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ({}, {}),
        ({"share": "0.25"}, {"share_at_least": "0.25", "share_at_most": "0.25"}),
        ({"share": 1}, {"share_at_least": "1", "share_at_most": "1"}),
        ({"share_at_least": "0.25"}, {"share_at_least": "0.25"}),
        ({"share": "0.25", "share_at_most": "0.5"}, {"share_at_least": "0.25", "share_at_most": "0.5"}),
        (
            {"share_at_least": "0.5", "share_at_most": "0.5"},
            {"share_at_least": "0.5", "share_at_most": "0.5"},
        ),
        ({"end": None}, {"end": None}),
        ({"approximate": False, "withdrawn": False, "planned": None}, {}),
    ],
)
def test_a_window_is_read(one: dict[str, Any], expected: dict[str, Any]) -> None:
    found = read(period="2022-06", windows=[{"start": START, "end": END, **one}])
    assert found.evidence.windows == (window(**expected),)


APPROXIMATE = {"start": START, "end": END, "approximate": True}


@pytest.mark.parametrize(
    ("one", "within", "expected"),
    [
        (APPROXIMATE, {}, (True, 0, 0)),
        (APPROXIMATE, {"approximately_within_seconds": 30}, (True, 30, 30)),
        (APPROXIMATE, {"approximately_within_hours": "0.5"}, (True, 1_800, 1_800)),
        (APPROXIMATE, {"approximately_within_days": 1}, (True, 86_400, 86_400)),
        (APPROXIMATE, {"approximately_within_seconds": 0}, (False, 0, 0)),
        (APPROXIMATE, {"approximately_within_seconds": 1}, (True, 1, 1)),
        ({**APPROXIMATE, "start_within_seconds": 5}, {"approximately_within_seconds": 30}, (True, 5, 0)),
        ({**APPROXIMATE, "end_within_seconds": 5}, {"approximately_within_seconds": 30}, (True, 0, 5)),
        ({**APPROXIMATE, "approximate": False}, {"approximately_within_seconds": 30}, (False, 0, 0)),
    ],
)
def test_what_approximately_means(one: dict[str, Any], within: dict[str, Any], expected: Any) -> None:
    (found,) = read(period="2022-06", windows=[one], **within).evidence.windows
    assert (found.approximate, found.start_within_seconds, found.end_within_seconds) == expected


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
    ({"period": "2022-06", "windows": [[START, START]]}, "windows 1: end is not after start; a window is [start, end)"),
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
     "measurements 1: end is not after start; it is [start, end)"),
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
     "period.end is more than 10 years after start; correct one of them"),
    ({"period": "2022-06", "measurements": [{"start": "1970-01-01T00:00:00Z", "end": "1980-01-10T00:00:00Z", "of": "users", "failed": 1, "total": 2}]},
     "measurements 1: end is more than 10 years after start; correct one of them"),
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
     "windows 1: planned.scheduled_end is not after scheduled_start; exchange them"),
    ({"period": "2022-06", "windows": [{"start": START, "planned": {"announced_at": END, "scheduled_start": START, "scheduled_end": END}}]},
     "windows 1: planned.announced_at is not before scheduled_end: what is over is not planned; correct one of them"),
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
        "downtme", "windows 1: end", "windows 2: effect 'x'", "windows 3:", "windows 4: start", "as_of 1",
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
        ({"period": span}, "period.end is more than 10 years after start; correct one of them"),
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
