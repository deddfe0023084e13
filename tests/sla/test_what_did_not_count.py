"""What did not count, how much of it, and why: what each rule took away adds up to what was excluded.

June 2025 is asked about, day by day: each fact below lies on a day of it unless it says otherwise.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.domain.policy import parse_policy
from projections.evaluation.measures import figure
from projections.evaluation.not_counted import NotCounted, elsewhere, not_counted, refused_exclusions
from projections.evaluation.requests import question
from tests.sla.asking import one_tier, terms

NOTHING = one_tier('credit_percent = "0"')
PLANNED = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
ANNOUNCED = PLANNED + 'notice = "48 hours"\n'
EMAIL = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
HOUR = 3_600
NOON = 1_749_556_800  # 2025-06-10T12:00:00Z
NONE = Fraction(0)
Facts = dict[str, Any]


def at(day: str, start: str, end: str, **more: Any) -> Facts:
    return {"start": f"2025-06-{day}T{start}:00Z", "end": f"2025-06-{day}T{end}:00Z", **more}


def told(text: str, **facts: Any) -> NotCounted:
    policy = parse_policy(text)
    evidence = question(policy, {"period": "2025-06", **facts}, NOON).evidence
    return not_counted(policy, figure(policy, policy.commitments[0], evidence), evidence)


def reasons(text: str, **facts: Any) -> Any:
    found = told(text, **facts)
    assert found[1:] == (NONE, NONE, NONE)
    return list(found.reasons)


def down(counting: str = "", more: str = "", measure: str = "", effects: str = '["outage"]') -> str:
    text = terms(NOTHING, measure=f'of = "time"\n{measure}', counting=counting, more=more)
    return text.replace('["outage"]', effects)


# ---- rules that take something away ----------------------------------------------------------------------------------


def test_where_all_of_it_counts_nothing_is_said() -> None:
    window = at("10", "00:00", "04:00")
    for text in (down(), down('minimum = "5 minutes"', PLANNED), down(more=PLANNED + 'most = "4 hours"\n')):
        assert told(text, windows=[window]) == NotCounted((), NONE, NONE, NONE)


@pytest.mark.parametrize(
    ("rule", "share", "why"),
    [
        ('down = "all"', "0.9", "in which not all was affected"),
        ('down = "at-least-share"\nshare_at_least = "0.05"', "0.04", "in which less than 5% was affected"),
        ('down = "above-share"\nshare_above = "0.025"', "0.025", "in which no more than 2.5% was affected"),
    ],
)
def test_too_little_was_affected(rule: str, share: str, why: str) -> None:
    """Of three hours one in which all was."""
    windows = [at("10", "00:00", "02:00", share=share), at("11", "00:00", "01:00")]
    assert reasons(down(rule), windows=windows) == [(2 * HOUR, why)]


def test_effects_that_do_not_count_are_named() -> None:
    windows = [
        at("10", "00:00", "01:00", effect="degraded"),
        at("11", "00:00", "02:00", effect="delay"),
        at("12", "00:00", "04:00", effect="data-loss", withdrawn=True),
        at("13", "00:00", "08:00"),
    ]
    assert reasons(down(), windows=windows) == [(3 * HOUR, "of degraded or delay, which does not count")]
    assert reasons(down(effects='["outage", "delay"]'), windows=windows) == [
        (HOUR, "of degraded, which does not count")
    ]


def test_an_hour_that_two_rules_take_away_is_the_last_one_s() -> None:
    """What is degraded, and affects one of a hundred, counts only where both rules are left out."""
    windows = [
        at("10", "00:00", "02:00", effect="degraded", share="0.01"),
        at("11", "00:00", "02:00", share="0.01"),
    ]
    text = down('down = "above-share"\nshare_above = "0.05"', PLANNED)
    off = [at("10", "00:00", "01:00"), at("11", "00:00", "01:00")]
    assert reasons(text, windows=windows, exclusions=off) == [
        (2 * HOUR, "in which no more than 5% was affected"),
        (2 * HOUR, "of degraded, which does not count"),
    ]


def test_excluded_time_is_recorded_planned_by_a_window_or_the_policy_s_own() -> None:
    window = at("10", "00:00", "04:00")
    plan = {
        "announced_at": "2025-06-01T00:00:00Z", "scheduled_start": "2025-06-10T01:00:00Z", "scheduled_end": "2025-06-10T02:00:00Z"
    }  # fmt: skip
    why = "in excluded time"
    assert reasons(down(more=PLANNED), windows=[window], exclusions=[at("10", "01:00", "02:00")]) == [
        (HOUR, why)
    ]
    assert reasons(down(more=ANNOUNCED), windows=[{**window, "planned": plan}]) == [(HOUR, why)]
    nightly = '[[maintenance]]\nfrom = "23:00"\nto = "02:00"\n'
    assert reasons(down(more=nightly), windows=[window]) == [(2 * HOUR, why)]
    plain = {"downtime_hours": 4, "excluded_downtime_hours": 1}
    assert reasons(down(more=PLANNED), **plain) == [(HOUR, why)]


def test_what_measurements_decide_is_told_last() -> None:
    """Of two hours down one was measured, and nothing failed in it."""
    fine = at("10", "00:00", "01:00", of="requests", failed=0, total=9)
    text = down('minimum = "5 minutes"', measure='reads = ["requests"]')
    windows = [at("10", "00:00", "02:00"), at("11", "00:00", "00:04")]
    assert reasons(text, windows=windows, measurements=[fine]) == [
        (240, "of outages shorter than 5 minutes"),
        (HOUR, "of which nothing was affected, or which measurements decide"),
    ]


# ---- what counts all the same ----------------------------------------------------------------------------------------

BLIPS = [at("10", f"{hour:02}:00", f"{hour:02}:01") for hour in range(7)]
SHORT = 'minimum = "2 minutes"\nunless_daily_total_above = "5 minutes"\ndaily_total_counts = "excess"'
TOO_SHORT = "of outages shorter than 2 minutes"


def test_what_short_outages_have_beyond_the_limit_of_a_day_counts() -> None:
    """Seven minutes of a day, five of them free, beside an hour that is long enough."""
    found = told(down(SHORT), windows=[*BLIPS, at("11", "00:00", "01:00")])
    assert found == NotCounted(((Fraction(300), TOO_SHORT),), Fraction(120), NONE, NONE)
    # Stated without times, nobody knows that they were on one day.
    plain = told(down(SHORT), outages=[{"minutes": 1}] * 7)
    assert plain == NotCounted(((Fraction(300), TOO_SHORT),), NONE, NONE, NONE)


def test_what_a_limit_of_exclusions_leaves_counts() -> None:
    """Four hours of which one may be excluded; or none, where May has used it up."""
    limited = down(more=PLANNED + 'most = "1 hour"\n')
    four, may = at("10", "00:00", "04:00"), {"start": "2025-05-10T00:00:00Z", "end": "2025-05-10T01:00:00Z"}
    found = told(limited, windows=[four], exclusions=[four])
    assert found == NotCounted(((Fraction(HOUR), "in excluded time"),), NONE, Fraction(3 * HOUR), NONE)
    found = told(limited, windows=[four], exclusions=[four, may])
    assert found == NotCounted((), NONE, Fraction(4 * HOUR), NONE)
    unused = down(more=PLANNED + 'most = "4 hours"\n')
    found = told(unused, windows=[four], exclusions=[four])
    assert found == NotCounted(((Fraction(4 * HOUR), "in excluded time"),), NONE, NONE, NONE)


def test_time_without_data_that_counts_as_down_is_told_beside_what_does_not_count() -> None:
    text = down(more=PLANNED, measure='missing = "down"')
    plain = {"downtime_hours": 10, "unobserved_hours": 18}
    assert told(text, **plain) == NotCounted((), NONE, NONE, Fraction(18 * HOUR))
    found = told(text, **plain, excluded_downtime_hours=2)
    assert found == NotCounted(((Fraction(2 * HOUR), "in excluded time"),), NONE, NONE, Fraction(18 * HOUR))


# ---- windows that count nothing --------------------------------------------------------------------------------------

JULY = {"start": "2025-07-10T00:00:00Z", "end": "2025-07-10T01:00:00Z"}
HERE = at("10", "00:00", "01:00", region="EMEA")


def beside(more: str = "", region: str = "EMEA", **facts: Any) -> list[str]:
    policy = parse_policy(down(more=more))
    asked = {"period": "2025-06", "region": region, **facts}
    return list(elsewhere(policy, question(policy, asked, NOON).evidence))


def test_windows_of_another_time_or_place_are_named() -> None:
    gone, there = {**JULY, "withdrawn": True}, {**HERE, "region": "NAM"}
    assert beside(windows=[HERE, gone]) == []
    assert beside(windows=[gone, HERE, JULY]) == [
        "window incident-3/window-3 lies outside the period, and counts nothing"
    ]
    assert beside(windows=[there]) == [
        "window incident-1/window-1 is about another service, region or component, and counts nothing"
    ]
    assert beside(windows=[there, JULY, HERE, JULY, {**there, "service": "web"}], service="mail") == [
        "windows incident-1/window-1, incident-5/window-5 are about another service, region or component, and count nothing",
        "windows incident-2/window-2, incident-4/window-4 lie outside the period, and count nothing",
    ]


@pytest.mark.parametrize(
    ("scope", "named"),
    [
        ('regions = "each"', ["incident-2/window-2"]),
        ('regions = "union"', []),
        ('regions = "service-wide"\nall_regions = ["EMEA", "NAM"]', []),
        ('regions = "service-wide"\nall_regions = ["EMEA", "APAC"]', ["incident-2/window-2"]),
        ('components = ["inbox"]', ["incident-2/window-2"]),
    ],
)
def test_a_window_is_elsewhere_where_no_region_of_the_scope_has_it(scope: str, named: list[str]) -> None:
    found = beside(f"[scope]\n{scope}\n", windows=[HERE, {**HERE, "region": "NAM"}])
    assert [line.split()[1] for line in found] == named


# ---- exclusions that exclude nothing ---------------------------------------------------------------------------------


def refused(text: str, **facts: Any) -> list[str]:
    policy = parse_policy(text)
    asked = {"period": "2025-06", "windows": [at("10", "00:00", "04:00")], **facts}
    return list(refused_exclusions(policy, question(policy, asked, NOON).evidence))


STORM = at("10", "00:00", "04:00", exclusion="storm", kind="force-majeure")
NIGHT = at("10", "00:00", "04:00", exclusion="night")
SAYS = "exclusion {}, from 2025-06-10T00:00:00Z to 2025-06-10T04:00:00Z, excludes nothing: {}"


@pytest.mark.parametrize(
    ("more", "one", "why"),
    [
        ("", STORM, "the policy excludes no force-majeure"),
        (PLANNED, STORM, "the policy excludes no force-majeure, only planned-maintenance"),
        ('[[exclusions]]\nkinds = ["third-party", "customer"]\n', STORM, "the policy excludes no force-majeure, only customer, third-party"),
        (PLANNED, {**NIGHT, "service": "web"}, "it is about the service web"),
        (PLANNED, {**NIGHT, "cohort": "beta"}, "it is about cohort beta, in which the customer is not"),
        (PLANNED, {**NIGHT, "customer": "Acme"}, "it is about the customer Acme"),
        (ANNOUNCED, {**NIGHT, "announced_at": "2025-06-09T23:59:59Z"}, "it was announced 1 second before, and the policy asks for 2 days"),
        (ANNOUNCED, {**NIGHT, "announced_at": "2025-06-10T00:00:00Z"},
         "it was announced when it had begun, and the policy asks for 2 days of notice"),
        # Another kind that needs no notice is another rule.
        ('[[exclusions]]\nkinds = ["emergency-maintenance"]\n' + ANNOUNCED, NIGHT,
         "nobody says when it was announced, and the policy asks for 2 days of notice"),
    ],
)  # fmt: skip
def test_why_an_exclusion_excludes_nothing(more: str, one: Facts, why: str) -> None:
    found = refused(down(more=more), exclusions=[one], outside=["beta"], customer="Bolt", service="mail")
    assert found == [SAYS.format(one["exclusion"], why)]


@pytest.mark.parametrize(
    ("more", "one"),
    [
        (PLANNED, NIGHT),
        (PLANNED, {**NIGHT, "service": "mail", "cohort": "alpha", "customer": "Bolt"}),
        (PLANNED, {**NIGHT, "cohort": "gamma"}),
        (ANNOUNCED, {**NIGHT, "announced_at": "2025-06-08T00:00:00Z"}),
        (ANNOUNCED + '[[exclusions]]\nkinds = ["force-majeure"]\n', STORM),
    ],
)
def test_an_exclusion_that_may_exclude_something_is_not_named(more: str, one: Facts) -> None:
    assert refused(
        down(more=more), exclusions=[one], inside=["alpha"], outside=["beta"], customer="Bolt", service="mail"
    ) == []  # fmt: skip
    assert refused(down(more=more), exclusions=[one], inside=["alpha"], service="mail") == []


def test_exclusions_outside_the_period_are_not_named() -> None:
    """One that ends as June begins, and one that begins as it ends; what stands behind them is."""
    may = {**STORM, "start": "2025-05-31T00:00:00Z", "end": "2025-06-01T00:00:00Z"}
    july = {**STORM, "start": "2025-07-01T00:00:00Z", "end": "2025-07-02T00:00:00Z"}
    assert refused(down(), exclusions=[may, july, STORM]) == [
        SAYS.format("storm", "the policy excludes no force-majeure")
    ]


def test_an_exclusion_that_was_withdrawn_is_not_named() -> None:
    policy = parse_policy(down())
    evidence = question(policy, {"period": "2025-06", "windows": [], "exclusions": [STORM]}, NOON).evidence
    gone = tuple(msgspec.structs.replace(one, withdrawn=True) for one in evidence.exclusions)
    assert list(refused_exclusions(policy, msgspec.structs.replace(evidence, exclusions=gone))) == []


def test_a_policy_that_reads_plans_of_windows_alone_says_so() -> None:
    march = {**NIGHT, "start": "2022-03-10T00:00:00Z", "end": "2022-03-10T04:00:00Z"}
    found = refused(EMAIL.read_text(encoding="utf-8"), period="2022-03", exclusions=[march])
    assert found == [
        "exclusion night, from 2022-03-10T00:00:00Z to 2022-03-10T04:00:00Z, excludes nothing: the policy reads only what a window says "
        "of its own plan"
    ]


def plan(announced: str, **more: Any) -> Facts:
    planned = {
        "announced_at": announced, "scheduled_start": "2025-06-10T00:00:00Z", "scheduled_end": "2025-06-10T04:00:00Z"
    }  # fmt: skip
    return at("10", "00:00", "04:00", planned=planned, incident="upgrade", window="w1", **more)


@pytest.mark.parametrize(
    ("more", "announced", "why"),
    [
        ("", "2025-06-01T00:00:00Z", "the policy excludes no planned-maintenance"),
        ('[[exclusions]]\nkinds = ["customer"]\n', "2025-06-01T00:00:00Z", "the policy excludes no planned-maintenance"),
        (ANNOUNCED, "2025-06-09T00:00:00Z", "it was announced 1 day before, and the policy asks for 2 days"),
        (ANNOUNCED, "2025-06-10T01:00:00Z", "it was announced when it had begun, and the policy asks for 2 days of notice"),
        ('[[exclusions]]\nkinds = ["customer"]\n' + ANNOUNCED, "2025-06-09T12:00:00Z", "it was announced 12 hours before, and the policy asks for 2 days"),
        (ANNOUNCED, "2025-06-08T00:00:00Z", None),
        (PLANNED, "2025-06-10T01:00:00Z", None),
    ],
)  # fmt: skip
def test_why_the_plan_of_a_window_excludes_nothing(more: str, announced: str, why: str | None) -> None:
    said = [] if why is None else [f"the plan of window upgrade/w1 excludes nothing: {why}"]
    # What has no plan, was withdrawn, or lies outside the period before it is passed over.
    others = [
        at("09", "00:00", "01:00"),
        plan(announced, withdrawn=True),
        {**plan(announced), "window": "w0", "start": "2025-07-10T00:00:00Z", "end": "2025-07-10T01:00:00Z"},
    ]
    assert refused(down(more=more), windows=[*others, plan(announced)]) == said
    assert refused(down(more=more), windows=others) == []


def test_the_plan_of_a_window_that_is_still_open_is_named() -> None:
    late = plan("2025-06-09T00:00:00Z")
    del late["end"]
    assert refused(down(more=ANNOUNCED), windows=[late]) == [
        "the plan of window upgrade/w1 excludes nothing: it was announced 1 day before, and the policy asks for 2 days"
    ]
