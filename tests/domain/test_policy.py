"""A policy is read whole or refused whole, and an availability has exactly one tier."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.period import parse_period
from ledger.domain.policy import Policy, Tier, parse_policy, policy_in_force, policy_sha256
from ledger.errors import Refused
from tools.terms import terms

STANDARD = terms(
    "email-standard",
    {"99.9": "10", "99.0": "25"},
    title="Email delivery, standard",
    effects=("outage", "data-loss"),
)
MARCH = 2_678_400


def tier_of(policy: Policy, availability: Fraction) -> Tier:
    """The one tier that holds an availability."""
    [tier] = [tier for tier in policy.tiers if tier.holds(availability)]
    return tier


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        parse_policy(text)
    assert refused.value.exit_code == 1
    return refused.value.problems


def tiers(*tables: str) -> str:
    """The standard policy with other tiers: each "at_least 99.9, credit 0" is one table."""
    head, _, rest = STANDARD.partition("[[tiers]]")
    text = ""
    for table in tables:
        text += "[[tiers]]\n"
        for part in table.split(", "):
            name, value = part.split(" ")
            text += f'{"credit_percent" if name == "credit" else "availability_" + name} = "{value}"\n'
    return head + text + rest[rest.index("[credit]") :]


def test_a_policy_reads_as_it_is_written() -> None:
    policy = parse_policy(STANDARD)
    assert (policy.key, policy.title, policy.in_force_from) == (
        "email-standard",
        "Email delivery, standard",
        "2022-01-01",
    )
    assert (policy.zone, policy.windows, policy.planned_counts, policy.rounding) == (
        "UTC",
        "full",
        False,
        "half-up",
    )
    assert policy.effects == {"outage", "data-loss"}
    assert policy.share_above is None
    assert policy.sha256 == policy_sha256(STANDARD) == hashlib.sha256(STANDARD.encode()).hexdigest()
    assert [(tier.words, tier.percent) for tier in policy.tiers] == [
        ("availability at least 99.9%", "0"),
        ("availability at least 99.0% and below 99.9%", "10"),
        ("availability below 99.0%", "25"),
    ]


@pytest.mark.parametrize(
    ("availability", "percent"),
    [
        ("1", "0"),
        ("0.999", "0"),
        ("0.99899999999999999999", "10"),
        ("0.99", "10"),
        ("0.98999999999999999999", "25"),
        ("0", "25"),
    ],
)
def test_an_edge_belongs_to_the_tier_that_includes_it(availability: str, percent: str) -> None:
    assert tier_of(parse_policy(STANDARD), Fraction(availability)).percent == percent


def test_inclusive_upper_and_exclusive_lower_bounds() -> None:
    policy = parse_policy(
        tiers("above 99.5, credit 0", "at_most 99.5, above 99, credit 10", "at_most 99, credit 100")
    )
    found = [tier_of(policy, Fraction(value)).percent for value in ("0.9951", "0.995", "0.9901", "0.99", "0")]
    assert found == ["0", "10", "10", "100", "100"]


def test_one_tier_may_hold_everything_and_one_a_single_number() -> None:
    assert parse_policy(tiers("credit 5")).tiers[0].words == "any availability"
    policy = parse_policy(tiers("at_least 100, at_most 100, credit 0", "below 100, credit 10"))
    assert tier_of(policy, Fraction(1)).percent == "0"
    assert tier_of(policy, Fraction(999_999, 1_000_000)).percent == "10"


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            ("at_least 99.9, credit 0", "below 99.9, above 99.0, credit 10", "below 99.0, credit 25"),
            "tiers leave a gap: none holds exactly 99%; add or widen a tier",
        ),
        (
            ("at_least 99.9, credit 0", "below 99.9, at_least 95, credit 10", "at_most 95, credit 25"),
            "tiers overlap: more than one holds exactly 95%; narrow one of them",
        ),
        (
            ("at_least 99.9, credit 0", "at_most 98.99, credit 25"),
            "tiers leave a gap: none holds above 98.99% to below 99.9%; add or widen a tier",
        ),
        (
            ("at_least 99, credit 0", "below 99.9, credit 25"),
            "tiers overlap: more than one holds from 99% to below 99.9%; narrow one of them",
        ),
        (
            ("below 99.9, at_least 95, credit 10",),
            "tiers leave a gap: none holds from 99.9% up to and including 100%; add or widen a tier",
        ),
        (
            ("at_least 95, credit 10",),
            "tiers leave a gap: none holds from 0% to below 95%; add or widen a tier",
        ),
        (
            ("at_least 99, below 98, credit 10", "credit 5"),
            "tiers 1: no availability is at least 99% and below 98%; exchange or widen the bounds",
        ),
        (
            ("at_least 99, above 99, credit 10",),
            "tiers 1: availability_at_least and availability_above contradict each other; leave one out",
        ),
        (
            ("credit 101",),
            "tiers 1: credit_percent '101' is more than 100%; write a percentage from 0 to 100",
        ),
        (("at_least 100.1, credit 1",), "tiers 1: availability_at_least '100.1' is more than 100%"),
        (
            ("at_least -1, credit 1",),
            "tiers 1: availability_at_least '-1' is not a decimal; write it like \"99.9\"",
        ),
        (("at_least 99",), "tiers 1: credit_percent is missing; add it"),
    ],
)
def test_tiers_hold_each_availability_exactly_once(tables: tuple[str, ...], said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(tiers(*tables)))


def test_every_problem_is_told_at_once() -> None:
    text = STANDARD.replace("format = 1", "format = 3").replace('zone = "UTC"', 'zone = "Utc"\nzon = 1')
    text = text.replace('"data-loss"', '"data-los"').replace('credit_percent = "10"', "credit_percent = 10.5")
    text = text.replace('rounding = "half-up"', 'rounding = "halfup"').replace("2022-01-01", '"2022-01-01"')
    text = text.replace('windows = "full"', 'windows = "full"\nshare_above = "0.05"').replace(
        'of = "fee"\n', ""
    )
    assert problems(text) == (
        "format 3 is not 1 or 2; this ledger reads format = 1 and format = 2",
        "in_force_from '2022-01-01' is not a date; write it without quotes, like 2022-01-01",
        "period.zon is not a field of a policy (did you mean 'zone'?); known are kind, zone",
        "period.zone 'Utc' is not known (did you mean 'UTC'?); write an IANA zone such as UTC or "
        "Europe/London",
        "counting.effects 2 'data-los' is not known (did you mean 'data-loss'?); write one of outage, "
        "partial-outage, degraded, delay, data-loss",
        "counting.share_above '0.05' has no meaning with windows = \"full\"; leave it out, or write "
        'windows = "above-share"',
        'tiers 2: credit_percent 10.5 is a number, which TOML cannot keep exact; write it as text: "10.5"',
        "credit.of is missing; add it",
        "credit.rounding 'halfup' is not known (did you mean 'half-up'?); write one of half-up, half-even, "
        "half-down, up, down, ceiling, floor",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('policy = "email-standard"', 'policy = "Email Standard"', "policy 'Email Standard' is not a key"),
        ('policy = "email-standard"', 'policy = ""', "policy '' is not a key"),
        ('policy = "email-standard"', "", "policy is missing; add it"),
        ("format = 1", "format = true", "format true is not 1"),
        (
            'kind = "calendar-month"',
            'kind = "quarter"',
            "period.kind 'quarter' is not known; write calendar-month",
        ),
        ('windows = "full"', 'windows = "above-share"', "counting.share_above is missing; add it"),
        (
            'windows = "full"',
            'windows = "above-share"\nshare_above = "1"',
            "counting.share_above '1' is not below 1",
        ),
        ('effects = ["outage", "data-loss"]', "effects = []", "counting.effects [] is not a list of effects"),
        (
            '["outage", "data-loss"]',
            '["outage", "outage"]',
            "counting.effects names 'outage' twice; name it once",
        ),
        ('["outage", "data-loss"]', '["outage", 5]', "counting.effects 2 5 is not text; put it in quotes"),
        ('planned = "excluded"', "", "counting.planned is missing; add it"),
        ("2022-01-01", "2022-01-01T00:00:00Z", "in_force_from 2022-01-01T00:00:00+00:00 is not a date"),
        ("[credit]", "[credits]", "credits is not a field of a policy (did you mean 'credit'?)"),
        ("[credit]", "[credits]", "credit is missing; add it"),
        ('title = "Email delivery, standard"', "title = 5", "title 5 is not text; put it in quotes"),
        ("format = 1", "format = ", "the policy is not TOML"),
    ],
)
def test_what_is_wrong_is_a_sentence(old: str, new: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(STANDARD.replace(old, new)))


def version(day: str) -> Policy:
    return parse_policy(STANDARD.replace("2022-01-01", day))


def test_the_version_in_force_on_the_first_day_rules_the_whole_period() -> None:
    old, new = version("2022-01-01"), version("2022-03-02")
    assert policy_in_force([(1, old), (2, new)], parse_period("2022-03")) == (1, old)
    assert policy_in_force([(1, old), (2, new)], parse_period("2022-04")) == (2, new)
    assert policy_in_force([(1, old), (2, version("2022-03-01"))], parse_period("2022-03"))[0] == 2


def test_at_equal_dates_the_later_version_rules_and_a_back_dated_one_does_not() -> None:
    versions = [(3, version("2021-06-01")), (2, version("2022-01-01")), (1, version("2022-01-01"))]
    assert policy_in_force(versions, parse_period("2022-03"))[0] == 2


def test_a_gap_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        policy_in_force([(1, version("2022-03-02"))], parse_period("2022-03"))
    assert str(refused.value) == (
        "policy 'email-standard' has a gap: none of its versions was in force on 2022-03-01, the first is in "
        "force from 2022-03-02; publish a version in force from 2022-03-01 or earlier"
    )
    with pytest.raises(Refused, match="no policy was published"):
        policy_in_force([], parse_period("2022-03"))


@pytest.mark.parametrize(
    ("eligible", "more", "less"),
    [
        (0, 2679, None),
        (2678, 1, None),
        # 99.9% of March allows 2678.4 seconds: the 2679th is over.
        (2679, 24_106, 1),
        (26_784, 1, 24_106),
        (26_785, None, 1),
        (27_000, None, 216),
        (MARCH, None, MARCH - 26_784),
    ],
)
def test_distance_to_the_edges_in_whole_seconds(eligible: int, more: int | None, less: int | None) -> None:
    policy = parse_policy(STANDARD)
    tier = tier_of(policy, 1 - Fraction(eligible, MARCH))
    assert tier.seconds_to_worse(Fraction(eligible), MARCH) == more
    assert tier.seconds_past_better(Fraction(eligible), MARCH) == less


@given(
    eligible=st.integers(0, 10_000) | st.fractions(0, 10_000, max_denominator=1000),
    exclusive=st.booleans(),
    seconds=st.sampled_from([10_000, 9_999]),
)
def test_one_second_less_would_not_reach_the_edge(
    eligible: Fraction | int, exclusive: bool, seconds: int
) -> None:
    shape = ("above {}", "at_most {}") if exclusive else ("at_least {}", "below {}")
    policy = parse_policy(
        tiers(
            f"{shape[0].format('99.9')}, credit 0",
            f"{shape[1].format('99.9')}, {shape[0].format('50')}, credit 10",
            f"{shape[1].format('50')}, credit 20",
        )
    )
    have = min(Fraction(eligible), Fraction(seconds))

    def tier(value: Fraction) -> int:
        return policy.tiers.index(tier_of(policy, 1 - value / seconds))

    here = tier_of(policy, 1 - have / seconds)
    more, less = here.seconds_to_worse(have, seconds), here.seconds_past_better(have, seconds)
    if more is None:
        assert tier(have) == 2 or tier(Fraction(seconds)) == tier(have)
    else:
        assert tier(have + more) > tier(have) == tier(have + more - 1)
    if less is None:
        assert tier(have) == 0 or tier(have - have // 1) == tier(have)
    else:
        assert tier(have - less) < tier(have) == tier(have - less + 1)
