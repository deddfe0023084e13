"""What the parts of a policy say of themselves: which seconds leave a tier, whether a remedy pays money, and where sums stand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import ExclusionRule, Measure, Remedy, Tier, tables_of_sums

F = Fraction
HOUR = F(3_600)


def of_downtime(lower: Fraction, lower_included: bool, upper: Fraction, upper_included: bool) -> Tier:
    return Tier(lower, lower_included, upper, upper_included, F(0), "", "downtime")


@pytest.mark.parametrize(
    ("tier", "eligible", "period", "more"),
    [
        # Half an hour leaves room for another half, and a second more where the hour itself belongs to the tier.
        (of_downtime(F(0), True, HOUR, False), F(1_800), 86_400, 1_800),
        (of_downtime(F(0), True, HOUR, True), F(1_800), 86_400, 1_801),
        # Of parts of a second whole ones are said.
        (of_downtime(F(0), True, HOUR, False), F(3_599, 2), 86_400, 1_801),
        (of_downtime(F(0), True, HOUR, True), F(3_599, 2), 86_400, 1_801),
        # All of the period may be down, and no more.
        (of_downtime(F(0), True, HOUR, True), F(1_800), 3_601, 1_801),
        (of_downtime(F(0), True, HOUR, True), F(1_800), 3_600, None),
    ],
)
def test_so_many_seconds_more_leave_a_tier_of_downtime(
    tier: Tier, eligible: Fraction, period: int, more: int | None
) -> None:
    assert tier.seconds_to_worse(eligible, period) == more
    if more is not None:
        assert not tier.holds(eligible + more)
        assert tier.holds(eligible + more - 1)


@pytest.mark.parametrize(
    ("tier", "eligible", "less"),
    [
        (of_downtime(HOUR, True, 10 * HOUR, True), F(5_400), 1_801),
        (of_downtime(HOUR, False, 10 * HOUR, True), F(5_400), 1_800),
        # No better tier is below nothing; nothing itself may be one.
        (of_downtime(F(0), True, 10 * HOUR, True), F(10), None),
        (of_downtime(F(0), False, 10 * HOUR, True), F(10), 10),
    ],
)
def test_so_many_seconds_less_give_a_better_tier_of_downtime(
    tier: Tier, eligible: Fraction, less: int | None
) -> None:
    assert tier.seconds_past_better(eligible, 86_400) == less
    if less is not None:
        assert not tier.holds(eligible - less)
        assert tier.holds(eligible - less + 1)


@pytest.mark.parametrize(
    ("remedy", "money", "anything"),
    [
        (Remedy(percent=F(1, 10)), True, True), (Remedy(percent=F(0)), False, False), (Remedy(multiple=F(10)), True, True),
        (Remedy(fixed=(("EUR", F(5)),)), True, True), (Remedy(hourly=(("EUR", F(0)), ("USD", F(1)))), True, True),
        (Remedy(hourly=(("EUR", F(0)),)), False, True), (Remedy(service_days=F(3)), False, True), (Remedy(), False, False),
    ],
)  # fmt: skip
def test_a_remedy_is_money_or_days_or_nothing(remedy: Remedy, money: bool, anything: bool) -> None:
    assert (remedy.pays_money, remedy.pays) == (money, anything)


@pytest.mark.parametrize(
    ("kinds", "recurs"),
    [
        ({"maintenance-window"}, True), ({"outside-service-hours"}, True), ({"maintenance-window", "outside-service-hours"}, True),
        ({"force-majeure"}, False), ({"maintenance-window", "force-majeure"}, False),
    ],
)  # fmt: skip
def test_a_rule_is_about_what_a_policy_excludes_itself_or_about_what_is_recorded(
    kinds: set[str], recurs: bool
) -> None:
    assert ExclusionRule(frozenset(kinds)).is_recurring is recurs


def test_failures_of_events_are_measured_and_incidents_are_windows() -> None:
    assert not Measure("events", counts="failed").reads_windows
    assert Measure("events", counts="incidents").reads_windows
    assert Measure("events", counts="outages").reads_windows


HEAD = (
    'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
)
TIERS = '[[tiers]]\ndowntime_below = "1 hour"\ncredit_fixed = { EUR = "5.00" }\n[[tiers]]\ndowntime_at_least = "1 hour"\ncredit_hourly = { EUR = "1.00" }\n'
ALL = 'effects = ["outage"]\n'


@pytest.mark.parametrize(
    ("measure", "counting", "windows"),
    [
        ('of = "time"', "", "full"), ('of = "affected-share"', "", "by-share"),
        ('of = "time"', 'down = "above-share"\nshare_above = "0.05"\n', "above-share"), ('of = "time"', 'down = "all"\n', "all"),
        ('of = "affected-share"', 'down = "above-share"\nshare_above = "0.05"\n', "affected-share"),
        ('of = "user-minutes"', "", "user-minutes"),
    ],
)  # fmt: skip
def test_how_windows_count_is_one_word(measure: str, counting: str, windows: str) -> None:
    text = f'{HEAD}[measure]\n{measure}\n[counting]\n{ALL}{counting}{TIERS}[credit]\nrounding = "half-up"\n'
    assert parse_policy(text).windows == windows


def test_every_table_of_sums_says_where_it_stands() -> None:
    limits = (
        '[limits]\namount = { EUR = "50.00" }\nonly_above = { EUR = "1.00" }\nat_least = { EUR = "2.00" }\n'
    )
    policy = parse_policy(
        f'{HEAD}[measure]\nof = "time"\n[counting]\n{ALL}{TIERS}[credit]\nrounding = "half-up"\n{limits}'
    )
    found = [(name, sums) for name, sums in tables_of_sums(policy.limits, policy.commitments) if sums]
    # In minor units.
    assert found == [
        ("limits.amount", (("EUR", F(5_000)),)), ("limits.only_above", (("EUR", F(100)),)), ("limits.at_least", (("EUR", F(200)),)),
        ("credit_fixed of downtime below 1 hour", (("EUR", F(500)),)), ("credit_hourly of downtime at least 1 hour", (("EUR", F(100)),)),
    ]  # fmt: skip
