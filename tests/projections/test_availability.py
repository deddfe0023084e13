"""Availability and tiers: the incident of March 2022 in figures, and each rule of counting by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.period import days, parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Planned, Window
from projections.availability import Assessment, assess, entry_order, percent_text, seconds_value
from tools.terms import terms

MARCH = parse_period("2022-03")
POLICY = terms("email-standard", {"99.9": "10", "99.0": "25"}, effects=("outage", "data-loss"))
FULL = parse_policy(POLICY)
BY_SHARE = parse_policy(POLICY.replace('"full"', '"by-share"'))
ABOVE_SHARE = parse_policy(POLICY.replace('"full"', '"above-share"\nshare_above = "0.05"'))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def figures(*values: Any) -> tuple[Any, ...]:
    """Figures to compare: whole fractions with the integers they equal."""
    return values


AS_OF = at("2022-04-15T00:00")
MORNING = at("2022-03-10T00:00")


def window(
    region: str, start: int | str, end: int | str | None, effect: str = "outage", **more: Any
) -> Window:
    return Window(
        incident="email-2022-03", window=f"w-{start}-{end}", service="email", component="mail-flow",
        region=region, start=at(start) if isinstance(start, str) else start,
        end=at(end) if isinstance(end, str) else end, effect=effect, **more,
    )  # fmt: skip


FIRST = window(
    "EMEA", "2022-03-14T16:00", "2022-03-14T23:59", "data-loss",
    share_at_most="0.002", share_of="traffic", approximate=True, entries=("incident/email-2022-03 v2",),
)  # fmt: skip
NAM = window(
    "NAM", "2022-03-15T02:30", "2022-03-15T10:00", "data-loss",
    share_at_most="0.002", entries=("incident/email-2022-03 v9",),
)  # fmt: skip
EMEA = window(
    "EMEA", "2022-03-15T16:30", "2022-03-16T00:30", "data-loss",
    share_at_most="0.002", entries=("incident/email-2022-03 v10",),
)  # fmt: skip
BEFORE, AFTER = (FIRST,), (FIRST, NAM, EMEA)


def outage(hours: float, **more: Any) -> Window:
    """An outage in EMEA from the morning of 10 March, so many hours long."""
    return window("EMEA", MORNING, MORNING + int(hours * 3600), **more)


def assessed(
    windows: tuple[Window, ...], policy: Policy = FULL, region: str = "EMEA", **more: Any
) -> Assessment:
    return assess(windows, policy, 1, "email", region, MARCH, more.pop("as_of", AS_OF), **more)


@pytest.mark.parametrize(
    ("windows", "region", "eligible", "availability", "percent"),
    [
        (BEFORE, "NAM", 0, "100.0000000000", "0"),
        (BEFORE, "EMEA", 28_740, "98.9269713261", "25"),
        (AFTER, "NAM", 27_000, "98.9919354838", "25"),
        (AFTER, "EMEA", 57_540, "97.8517025089", "25"),
    ],
)
def test_march_2022_when_every_window_counts_in_full(
    windows: tuple[Window, ...], region: str, eligible: int, availability: str, percent: str
) -> None:
    found = assessed(windows, region=region)
    assert found.downtime_seconds == found.eligible == eligible
    assert found.availability is not None
    assert percent_text(found.availability).startswith(availability)
    assert (found.excluded_seconds, found.period_seconds, found.provisional) == (0, 2_678_400, False)
    assert [tier.percent for tier in found.tiers] == [percent]


def test_nam_is_216_seconds_past_the_edge_that_rounding_would_hide() -> None:
    found = assessed(AFTER, region="NAM")
    assert found.seconds_past_tier_edge == 216
    assert found.seconds_to_next_tier is None
    assert found.rule == "email-standard v1: availability below 99.0% gives 25% of fee"
    assert found.entries == ("incident/email-2022-03 v9", "policy/email-standard v1")
    assert found.availability is not None
    assert round(float(found.availability * 100), 1) == 99.0


def test_entries_are_sorted_by_version_as_a_number() -> None:
    assert assessed(AFTER).entries == (
        "incident/email-2022-03 v2", "incident/email-2022-03 v10", "policy/email-standard v1",
    )  # fmt: skip
    assert sorted(["b v1", "a v10", "a v9", "a"], key=entry_order) == ["a", "a v9", "a v10", "b v1"]


def test_march_2022_by_share_of_traffic_stays_above_the_best_edge() -> None:
    for region in ("NAM", "EMEA"):
        found = assessed(AFTER, BY_SHARE, region)
        assert found.availability_at_least > Fraction("0.99995")
        assert found.availability_at_most == 1
        assert found.credit_percent == 0
        # The bounds differ, so there is no one availability; the tier is decided all the same.
        assert found.availability is None
        assert found.seconds_to_next_tier is None


def test_march_2022_when_only_windows_above_5_percent_count() -> None:
    for region in ("NAM", "EMEA"):
        found = assessed(AFTER, ABOVE_SHARE, region)
        assert found.availability == 1
        assert found.excluded_seconds == found.downtime_seconds > 0


def test_approximate_times_count_as_stated_and_say_so() -> None:
    assert assessed(BEFORE).approximate
    assert not assessed((EMEA,)).approximate
    bounded = msgspec.structs.replace(FIRST, start_within_seconds=60)
    assert not assessed((bounded,)).approximate


def test_tolerances_become_bounds() -> None:
    found = assessed((outage(8, start_within_seconds=600, end_within_seconds=300),))
    assert figures(found.eligible_at_least, found.eligible_at_most) == (27_900, 29_700)
    assert found.downtime_seconds == 28_800
    assert found.eligible is None
    assert found.credit_percent == 25
    near = assessed((outage(7.5, end_within_seconds=300),))
    assert [tier.percent for tier in near.tiers] == ["10", "25"]
    assert near.rule == (
        "email-standard v1: undecided: availability at least 99.0% and below 99.9% gives 10% of fee, or "
        "availability below 99.0% gives 25% of fee"
    )
    assert near.credit_percent is None
    assert near.rates == (Fraction(1, 10), Fraction(1, 4))


def test_an_open_window_counts_to_as_of_at_least_and_to_the_end_at_most() -> None:
    found = assessed((window("EMEA", MORNING, None),), as_of=MORNING + 3600)
    assert figures(found.eligible_at_least, found.eligible_at_most) == (3600, MARCH.end - MORNING)
    assert found.downtime_seconds == 3600
    assert found.provisional
    later = assessed((window("EMEA", MORNING, None),), as_of=AS_OF)
    assert later.eligible == MARCH.end - MORNING
    assert later.provisional


def test_a_window_that_ends_after_as_of_is_not_provisional() -> None:
    found = assessed((outage(8),), as_of=MORNING)
    assert found.eligible == 28_800
    assert not found.provisional


def test_effects_that_do_not_count_are_excluded() -> None:
    found = assessed((outage(8), window("EMEA", MORNING + 7 * 3600, MORNING + 10 * 3600, "degraded")))
    assert figures(found.downtime_seconds, found.excluded_seconds, found.eligible) == (36_000, 7_200, 28_800)


def test_planned_windows_do_not_count_unless_the_policy_says_so() -> None:
    planned = outage(8, planned=Planned(MORNING - 86_400, MORNING, MORNING + 28_800))
    assert assessed((planned,)).eligible == 0
    assert assessed((planned,)).excluded_seconds == 28_800
    counted = parse_policy(POLICY.replace('planned = "excluded"', 'planned = "counted"'))
    assert assessed((planned,), counted).eligible == 28_800


def test_overlaps_count_once_in_full_and_as_bounds_by_share() -> None:
    a = outage(4, share_at_least="0.5", share_at_most="0.5")
    b = window("EMEA", MORNING + 7200, MORNING + 6 * 3600, share_at_least="0.75", share_at_most="0.75")
    assert assessed((a, b)).eligible == 6 * 3600
    found = assessed((a, b), BY_SHARE)
    # Two hours at 0.5, two at max(0.5, 0.75) to min(1, 1.25), two at 0.75.
    assert found.eligible_at_least == 7200 * (Fraction("0.5") + Fraction("0.75") + Fraction("0.75"))
    assert found.eligible_at_most == 7200 * (Fraction("0.5") + 1 + Fraction("0.75"))


def test_by_share_seconds_can_be_parts_of_a_second() -> None:
    found = assessed(
        (window("EMEA", MORNING, MORNING + 1, share_at_least="0.002", share_at_most="0.002"),), BY_SHARE
    )
    assert found.eligible == Fraction(1, 500)
    assert seconds_value(found.eligible) == "0.002"
    assert found.seconds_to_next_tier == 2679


@pytest.mark.parametrize(
    ("shares", "bounds"),
    [
        ({"share_at_least": "0.051"}, (28_800, 28_800)),
        ({"share_at_least": "0.05", "share_at_most": "0.05"}, (0, 0)),
        ({"share_at_most": "0.5"}, (0, 28_800)),
        ({}, (28_800, 28_800)),
    ],
)
def test_above_share_a_window_counts_in_full_or_not(shares: dict[str, str], bounds: tuple[int, int]) -> None:
    found = assessed((outage(8, **shares),), ABOVE_SHARE)
    assert figures(found.eligible_at_least, found.eligible_at_most) == bounds


def test_every_region_of_the_incident_and_no_other() -> None:
    everywhere = window("*", MORNING, MORNING + 3600, regions=("EMEA", "NAM"))
    assert assessed((everywhere,)).eligible == 3600
    assert assessed((everywhere,), region="APAC").eligible == 0
    assert assessed((everywhere,), region="APAC").entries == ("policy/email-standard v1",)


def test_an_unknown_region_counts_nothing_at_least_and_all_at_most() -> None:
    somewhere = window("unknown", MORNING, MORNING + 28_800, regions=("EMEA", "NAM"))
    found = assessed((somewhere,))
    assert figures(found.eligible_at_least, found.eligible_at_most, found.downtime_seconds) == (0, 28_800, 0)
    assert [tier.percent for tier in found.tiers] == ["0", "10", "25"]
    assert not found.provisional
    # A window that surely is there decides what the unknown one leaves open.
    assert assessed((somewhere, outage(8))).eligible == 28_800


def test_a_cohort_may_or_may_not_hold_the_customer() -> None:
    found = assessed((outage(8, cohort="beta"),))
    assert figures(found.eligible_at_least, found.eligible_at_most, found.provisional) == (0, 28_800, True)
    assert found.downtime_seconds == 28_800


def test_withdrawn_windows_and_other_services_count_nothing() -> None:
    assert (
        assessed(
            (outage(8, withdrawn=True), msgspec.structs.replace(outage(8), service="web"))
        ).downtime_seconds
        == 0
    )


def test_windows_are_clipped_to_the_period_and_to_the_validity_but_the_period_stays_whole() -> None:
    around = window("EMEA", "2022-02-28T00:00", "2022-04-02T00:00")
    assert assessed((around,)).availability == 0
    part = assessed((around,), valid=(MARCH.start, MARCH.start + 86_400))
    assert part.eligible == 86_400
    assert part.period_seconds == 2_678_400


def test_a_shorter_month_moves_the_edge() -> None:
    london = parse_policy(POLICY.replace('zone = "UTC"', 'zone = "Europe/London"'))
    march = parse_period("2022-03", london.zone)
    found = assess((outage(7.43),), london, 1, "email", "EMEA", march, AS_OF)
    # 743 hours: 99.0% allows exactly 7.43 hours.
    assert found.availability == Fraction("0.99")
    assert figures(found.credit_percent, found.seconds_to_next_tier) == (10, 1)


def test_days_add_up_to_the_month() -> None:
    whole = assessed(AFTER)
    parts = [
        assess(AFTER, FULL, 1, "email", "EMEA", MARCH, AS_OF, valid=(day.start, day.end))
        for day in days(MARCH)
    ]
    assert sum(part.eligible_at_least for part in parts) == whole.eligible
    assert sum(part.downtime_seconds for part in parts) == whole.downtime_seconds


@pytest.mark.parametrize(
    ("shares", "least", "most"),
    [
        (("0.03", "0.03"), 0, 3600),  # together up to 6 %, or the same 3 %
        (("0.02", "0.03"), 0, 0),  # together at most the edge itself, which is not above it
        (("0.06", "0.03"), 3600, 3600),
    ],
)
def test_overlapping_shares_are_above_an_edge_together(
    shares: tuple[str, str], least: int, most: int
) -> None:
    one, two = (
        msgspec.structs.replace(
            outage(1), window=name, effect="outage", share_at_least=share, share_at_most=share
        )
        for name, share in zip("ab", shares, strict=True)
    )
    found = assessed((one, two), ABOVE_SHARE)
    assert found.eligible_at_least == least
    assert found.eligible_at_most == most
    assert found.downtime_seconds == 3600
    assert found.excluded_seconds == 3600 - most


def test_planned_work_that_runs_over_its_schedule_counts_from_the_end_of_the_schedule() -> None:
    schedule = Planned(MORNING - 86_400, MORNING + 600, MORNING + 3600)
    found = assessed((outage(2, planned=schedule),))
    # Ten minutes before the schedule and the hour after it.
    assert found.downtime_seconds == 7200
    assert found.eligible == 600 + 3600
    assert found.excluded_seconds == 3000
