"""Facts as JSON and the question they are read into, whole."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.ends import ENDLESS
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Claim,
    Limits,
    PeriodRule,
    Scope,
    Stacking,
)
from ledger.domain.window import Planned, Window
from projections.evaluation.evidence import Evidence, Membership, Plain
from projections.evaluation.requests import Question
from tests.sla.reading import (
    APRIL,
    COMMITMENT,
    END,
    JUNE,
    MAY,
    NOW,
    START,
    TENTH,
    policy,
    problems,
    read,
    window,
)

F = Fraction


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
        ({"period": {"start": START, "end": START}}, "period.end 2022-06-10T00:00:00.000000Z is not after start 2022-06-10T00:00:00.000000Z; a period is [start, end)"),
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
