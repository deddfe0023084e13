"""What tiers pay, and what limits leave of it, by functions whose every figure can be counted by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.ends import ENDLESS, is_endless
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    Limits,
    Measure,
    PeriodRule,
    Policy,
    Remedy,
    Scope,
    Tier,
)
from ledger.errors import Refused
from projections.evaluation.amounts import (
    Choice,
    base_factor,
    days_of,
    forms_of,
    prices,
    times_paid,
    unknown_currency,
)
from projections.evaluation.forms import line

F = Fraction
# At least and at most; whole numbers are written as such.
Pair = tuple[Fraction | int, Fraction | int]
COMMITMENT = Commitment("c", Measure(), Counting(), Scope(), ())
POLICY = Policy(
    "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), (COMMITMENT,), (), Credit(), "half-up", "",
)  # fmt: skip


def policy(**changed: Any) -> Policy:
    found: Policy = msgspec.structs.replace(POLICY, **changed)
    return found


def choice(
    remedy: Remedy,
    eligible: tuple[int, int] = (0, 0),
    down: tuple[Fraction, Fraction] = (F(0), F(0)),
    value: tuple[Fraction, Fraction] = (F(0), F(0)),
) -> Choice:
    made = Tier(F(0), True, F(1), True, F(0), "availability below 99%", "availability", remedy)
    return Choice(made, (F(eligible[0]), F(eligible[1])), down, value)


def days(found: list[Choice]) -> Pair:
    return days_of(found)


def paid(found: list[Choice], base: int, of: Policy = POLICY, **commitment: Any) -> Pair:
    """What tiers pay on a base in minor units, at least and at most, before limits."""
    low, high = forms_of(of, msgspec.structs.replace(COMMITMENT, **commitment), found, "USD")
    return low.value(base), high.value(base)


# One day for each hour; what is begun counts as one, or only what is full.
BEGUN = Remedy(service_days=F(2), per="block", block_seconds=F(3_600), blocks="begun")
FULL = Remedy(service_days=F(2), per="block", block_seconds=F(3_600), blocks="full")


@pytest.mark.parametrize(
    ("remedy", "eligible", "given"),
    [
        (BEGUN, (3_600, 7_201), (2, 6)),
        (FULL, (3_600, 7_201), (2, 4)),
        (BEGUN, (1, 3_601), (2, 4)),
        (FULL, (3_599, 7_199), (0, 2)),
        (Remedy(service_days=F(2), block_seconds=F(3_600)), (0, 7_200), (2, 2)),
    ],
)
def test_days_of_service_follow_the_blocks_at_least_and_at_most(
    remedy: Remedy, eligible: tuple[int, int], given: tuple[int, int]
) -> None:
    assert days([choice(remedy, eligible)]) == given


def test_days_of_service_follow_the_whole_units_of_a_value() -> None:
    each = Remedy(service_days=F(3), per="unit")
    assert days([choice(each, value=(F(2), F(9, 2)))]) == (6, 12)


def test_of_several_tiers_the_fewest_and_the_most_days_are_given() -> None:
    three = Remedy(service_days=F(3))
    assert days([choice(three), choice(Remedy(percent=F(10))), choice(Remedy(service_days=F(7)))]) == (
        0,
        7,
    )
    assert days([choice(three), choice(Remedy(service_days=F(7)))]) == (3, 7)


@pytest.mark.parametrize(
    ("credit", "factor"),
    [
        (Credit(of="fee"), F(1)),
        (Credit(of="region-charges"), F(1)),
        (Credit(of="preceding-fee"), F(1)),
        (Credit(of="service-share"), F(1)),
        (Credit(of="service-share", share=F(1, 4)), F(1, 4)),
        (Credit(of="annual-fee"), F(1, 12)),
    ],
)
def test_the_base_is_its_part_of_what_the_terms_name(credit: Credit, factor: Fraction) -> None:
    assert base_factor(policy(credit=credit)) == factor


@pytest.mark.parametrize(
    ("take", "amount"), [("lesser", 7_000), ("greater", 10_000), ("sum", 17_000), (None, 17_000)]
)
def test_several_amounts_become_the_lesser_the_greater_or_the_sum(take: Any, amount: int) -> None:
    """10% of 1,000.00 is 100.00; 70.00 are fixed."""
    remedy = Remedy(percent=F(10), fixed=(("USD", F(7_000)),), take=take)
    assert paid([choice(remedy)], 100_000) == (amount, amount)


def test_sums_for_each_hour_and_multiples_of_the_time_down_follow_the_bounds() -> None:
    assert paid([choice(Remedy(hourly=(("USD", F(500)),)), (1_800, 7_200))], 0) == (250, 1_000)
    assert paid([choice(Remedy(multiple=F(10)), down=(F(1, 100), F(3, 100)))], 10_000) == (1_000, 3_000)


def test_each_block_and_each_unit_is_paid() -> None:
    block = Remedy(percent=F(5), per="block", block_seconds=F(1_800), blocks="begun")
    assert paid([choice(block, (1_800, 1_801))], 10_000) == (500, 1_000)
    unit = Remedy(fixed=(("USD", F(300)),), per="unit")
    assert paid([choice(unit, value=(F(2), F(7, 2)))], 0) == (600, 900)


def test_a_factor_is_rounded_before_the_amount_and_as_its_own_rule_says() -> None:
    third = choice(Remedy(multiple=F(1)), down=(F(1, 3), F(2, 3)))
    assert paid([third], 30_000) == (10_000, 20_000)
    for rounding, amounts in (("up", (10_200, 20_100)), ("down", (9_900, 19_800)), (None, (9_900, 20_100))):
        rule = policy(credit=Credit(factor_decimals=2, factor_rounding=rounding))
        assert paid([third], 30_000, rule) == amounts


def test_what_has_no_end_has_none_after_rounding() -> None:
    """At least three times 5%, and nobody knows how often at most."""
    each = choice(Remedy(percent=F(5), per="unit"), value=(F(3), ENDLESS))
    for rule in (POLICY, policy(credit=Credit(factor_decimals=2))):
        low, high = forms_of(rule, COMMITMENT, [each], "USD")
        assert low.rate == F(3, 20)
        assert high.rate is not None
        assert is_endless(high.rate)


def test_blocks_are_counted_as_often_as_they_are_paid() -> None:
    for one, times in (
        (choice(BEGUN, (3_600, 7_201)), (F(1), F(3))),
        (choice(Remedy(per="unit"), value=(F(2), F(9, 2))), (F(2), F(4))),
        (choice(Remedy(percent=F(10)), (3_600, 7_201)), (F(1), F(1))),
    ):
        assert times_paid(one) == times


def test_of_tiers_that_overlap_the_greatest_is_paid_only_where_it_is_said_and_the_figure_is_exact() -> None:
    both = [choice(Remedy(percent=F(10))), choice(Remedy(percent=F(25)))]
    assert paid(both, 1_000) == (100, 250)
    assert paid(both, 1_000, overlaps="greatest") == (250, 250)
    ten = Remedy(percent=F(10))
    for first in (choice(ten, down=(F(1, 10), F(2, 10))), choice(ten, value=(F(1), F(2)))):
        unsure = [first, choice(Remedy(percent=F(25)))]
        assert paid(unsure, 1_000, overlaps="greatest") == (100, 250)


def limited(limits: Limits, low: int, high: int, base: int, before: int = 0) -> tuple[int, int]:
    """What limits leave of sums in minor units."""
    found = prices(policy(limits=limits), line(0, low), line(0, high), "USD", before)
    return found[0].amount(base), found[1].amount(base)


def test_limits_cap_both_ends_at_a_part_of_the_base_and_at_a_sum() -> None:
    assert limited(Limits(), 4_000, 9_000, 10_000) == (4_000, 9_000)
    assert limited(Limits(percent=F(1, 2)), 4_000, 9_000, 10_000) == (4_000, 5_000)
    assert limited(Limits(amount=(("USD", F(3_000)),)), 4_000, 9_000, 10_000) == (3_000, 3_000)
    assert limited(Limits(percent=F(1, 2), amount=(("USD", F(6_000)),)), 4_000, 9_000, 10_000) == (
        4_000,
        5_000,
    )


def test_what_was_credited_before_uses_up_a_rolling_limit_and_never_turns_it_round() -> None:
    rolling = Limits(rolling_percent=F(1, 2))
    assert limited(rolling, 4_000, 9_000, 10_000) == (4_000, 5_000)
    assert limited(rolling, 4_000, 9_000, 10_000, 2_000) == (3_000, 3_000)
    assert limited(rolling, 4_000, 9_000, 10_000, 7_000) == (0, 0)


def test_without_a_word_nothing_was_credited_before() -> None:
    low, high = prices(policy(limits=Limits(rolling_percent=F(1, 2))), line(0, 5_000), line(0, 9_000), "USD")
    assert (low.amount(10_000), high.amount(10_000)) == (5_000, 5_000)


def test_a_floor_keeps_back_what_is_not_above_it() -> None:
    floor = Limits(only_above=(("EUR", F(1)), ("USD", F(500))))
    assert limited(floor, 500, 501, 0) == (0, 501)
    assert limited(floor, 400, 500, 0) == (0, 0)


def test_what_is_owed_is_raised_to_a_sum_and_no_farther_than_a_limit_lets_it() -> None:
    """1.00 is the least: of one cent, and of 4.00, which is more already; 0.60 is the most."""
    raised = Limits(at_least=(("EUR", F(1)), ("USD", F(100))))
    assert limited(raised, 1, 400, 0) == (100, 400)
    assert limited(raised, 0, 1, 0) == (0, 100)
    capped = msgspec.structs.replace(raised, amount=(("EUR", F(1)), ("USD", F(60))))
    assert limited(capped, 1, 400, 0) == (60, 60)
    for limits, most in ((raised, None), (capped, line(0, 60)), (Limits(amount=capped.amount), None)):
        for price in prices(policy(limits=limits), line(0, 1), line(0, 400), "USD"):
            assert price.most == most


def test_amounts_are_rounded_as_the_policy_says() -> None:
    for mode, amount in (("half-up", 3), ("half-even", 2), ("down", 2), ("up", 3)):
        low, high = prices(policy(rounding=mode), line(F(1, 4)), line(F(1, 4)), "USD")
        assert (low.amount(10), high.amount(10)) == (amount, amount)


def test_the_part_of_the_base_is_taken_before_the_limits_are() -> None:
    """A twelfth of 12,000.00 a year is 1,000.00, of which at most half is paid."""
    low, high = prices(
        policy(credit=Credit(of="annual-fee"), limits=Limits(percent=F(1, 2))), line(F(1, 4)), line(1), "USD"
    )
    assert (low.amount(1_200_000), high.amount(1_200_000)) == (25_000, 50_000)


def test_a_currency_the_terms_do_not_know_is_refused_by_name() -> None:
    known = policy(currencies=("EUR", "USD"))
    said = "policy 'p' knows EUR, USD, but the fee is in JPY; correct the currency"
    assert unknown_currency(known, "JPY") == said
    assert unknown_currency(known, "USD") is None
    assert unknown_currency(POLICY, "JPY") is None
    assert prices(known, line(0), line(1), "USD")[1].amount(7) == 7
    with pytest.raises(Refused) as refused:
        prices(known, line(0), line(1), "JPY")
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(only_above=(("EUR", F(1)), ("GBP", F(1)))), "limits.only_above"),
        (Limits(amount=(("EUR", F(1)), ("GBP", F(1)))), "limits.amount"),
        (Limits(at_least=(("EUR", F(1)), ("GBP", F(1)))), "limits.at_least"),
    ],
)
def test_a_sum_that_the_terms_do_not_name_in_a_currency_is_refused(limits: Limits, name: str) -> None:
    with pytest.raises(Refused) as refused:
        prices(policy(limits=limits), line(0), line(1), "USD")
    assert str(refused.value) == (
        f"policy 'p' names no sum in USD in {name}; bill in EUR, GBP, or publish terms that name it"
    )


@pytest.mark.parametrize("field", ["fixed", "hourly"])
def test_a_remedy_without_a_sum_in_the_currency_is_refused_by_its_tier(field: str) -> None:
    remedy = msgspec.structs.replace(Remedy(), **{field: (("EUR", F(1)),)})
    with pytest.raises(
        Refused, match=f"names no sum in USD in credit_{field} of availability below 99%; bill in EUR, or"
    ):
        paid([choice(remedy)], 100)
