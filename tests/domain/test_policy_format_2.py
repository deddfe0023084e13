"""Format 2: every key of the grammar is read, and what has no meaning beside the others is refused."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.grammar import GRAMMAR
from ledger.errors import Refused
from tools.terms import terms_2

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policy-language.md"
SMALL = terms_2("p")


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Refused) as refused:
        parse_policy(text)
    return refused.value.problems


def edited(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


def test_a_small_policy_reads_as_it_is_written() -> None:
    policy = parse_policy(SMALL)
    assert (policy.format, policy.key, policy.zone, policy.windows) == (2, "p", "UTC", "full")
    assert [(tier.words, tier.percent) for tier in policy.tiers] == [
        ("availability at least 99.9%", "0"),
        ("availability below 99.9%", "10"),
    ]
    assert [tier.percent for tier in policy.tiers if tier.holds(Fraction(999, 1000))] == ["0"]
    assert policy.planned_counts


@pytest.mark.skipif(not PAGE.exists(), reason="the pages stand in the checkout")
def test_the_policy_of_the_page_is_read() -> None:
    found = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    for text in found:
        assert parse_policy(text).format == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("zone =", "zon =", "period.zon is not a field of a policy (did you mean 'zone'?)"),
        ('"calendar-month"', '"trailing-days"', "period.days is missing, which kind = \"trailing-days\" needs"),
        ('kind = "calendar-month"', 'kind = "calendar-month"\nanchor_day = 3', "period.anchor_day has no meaning with"),
        ('"calendar-month"', '"contract-year"', "period.anchor_month is missing, which kind = \"contract-year\" needs"),
        ('"calendar-month"', '"contract-year"\nanchor_month = 13', "period.anchor_month 13 is not between 1 and 12"),
        ('"calendar-month"', '"calendar-half-year"\nanchor_month = 4', "period.anchor_month has no meaning with"),
        ('of = "time"', 'of = "error-rate"', "measure.bucket is missing"),
        ('of = "time"', 'of = "latency"', "measure.statistic is missing"),
        ('of = "time"', 'of = "time"\nunit = "minutes"', "measure.unit has no meaning with"),
        ('effects = ["outage"]', "effects = []", "counting.effects is missing or empty"),
        ('["outage"]', '["outage"]\nquantum = "5 minutes"', 'counting.quantum has no meaning with quantise = "exact"'),
        ('["outage"]', '["outage"]\ndown = "at-least-share"', 'counting.share_at_least is missing, which down = "at-least-share" needs'),
        ('["outage"]', '["outage"]\nshare_at_least = "0.1"', 'counting.share_at_least has no meaning with down = "any"'),
        ('["outage"]', '["outage"]\ndown = "at-least-share"\nshare_at_least = "0"', "counting.share_at_least '0' is not above 0 and up to 1"),
        ('["outage"]', '["outage"]\nday_above = "1 hour"', 'counting.day_above has no meaning with measure.of = "time"'),
        ('of = "time"', 'of = "bad-days"\nreads = ["messages"]', 'counting.effects has no meaning with measure.of = "bad-days"'),
        ('of = "time"', 'of = "bad-days"\nreads = ["messages"]', 'counting.share_above is missing, which measure.of = "bad-days" needs'),
        ('"time"\n[counting]', '"bad-days"\n[counting]\nunless_daily_total_above = "1 hour"', "counting.unless_daily_total_above has no meaning"),
        ('["outage"]', '["outage"]\nquantise = "each-nearest"', 'counting.ties is missing, which quantise = "each-nearest" needs; add it'),
        ('["outage"]', '["outage"]\nquantise = "each-up"\nties = "up"', 'counting.ties has no meaning with quantise = "each-up"'),
        ('["outage"]', '["outage"]\nminimum = "1 minutte"', "counting.minimum '1 minutte' is not a duration"),
        ('["outage"]', '["outage"]\nminimum = "0 minutes"', "counting.minimum is nothing"),
        ('credit_percent = "10"', 'per = "block"\ncredit_percent = "5"', "tiers 2: block is missing"),
        ('credit_percent = "10"', 'credit_percent = "10"\ncredit_multiple = "2"', "tiers 2: take is missing"),
        ('credit_percent = "10"', 'credit_fixed = { USD = "1.005" }', "tiers 2: credit_fixed: amount '1.005' has 3 decimals"),
        ('credit_percent = "10"', 'credit_fixed = { USX = "1.00" }', "tiers 2: credit_fixed: currency 'USX' is not"),
        ('credit_percent = "10"\n', "", "tiers 2: pays nothing that is said"),
        ('credit_percent = "10"', 'credit_percent = "1/30"', "tiers 2: credit_percent '1/30' is a fraction; write that part of the fee as credit_fraction"),
        ('credit_percent = "10"', 'credit_fraction = "0.1"', "tiers 2: credit_fraction '0.1' is not a fraction; write it like \"1/30\""),
        ('credit_percent = "10"', 'credit_fraction = "1/0"', "tiers 2: credit_fraction '1/0' is not a fraction"),
        ('credit_percent = "10"', 'credit_fraction = "31/30"', "tiers 2: credit_fraction '31/30' is more than 1"),
        ('credit_percent = "10"', 'credit_percent = "10"\ncredit_fraction = "1/10"', "tiers 2: credit_percent and credit_fraction both say"),
        ('credit_percent = "10"', 'credit_multiple = "1:3"', "tiers 2: credit_multiple '1:3' is not a decimal"),
        ('credit_percent = "10"', 'credit_multiple = "10"\nbeyond = "an hour"', "tiers 2: beyond 'an hour' is no allowance; write it like"),
        ('credit_percent = "10"', 'credit_multiple = "10"\nbeyond = "100.1%"', "tiers 2: beyond '100.1%' is no allowance"),
        ('credit_percent = "10"', 'credit_multiple = "10"\nbeyond = 60', "tiers 2: beyond 60 is no allowance"),
        ('credit_percent = "10"', 'credit_percent = "10"\nbeyond = "1 hour"', 'tiers 2: beyond = "1 hour" has no meaning with amounts that are paid once'),
        ('credit_percent = "0"', 'credit_multiple = "2"\nbeyond = "tier-edge"', 'tiers 1: beyond = "tier-edge" has no meaning where the tier begins with the best'),
        ('below = "99.9"', 'below = "99.8"', "tiers leave a gap: none holds from 99.8% to below 99.9%"),
        ('below = "99.9"', 'at_most = "99.9"', "tiers overlap: more than one holds exactly 99.9%"),
        ('availability_below = "99.9"', 'value_below = "9"', "tiers 2: a bound of value has no meaning"),
        ('availability_below = "99.9"', 'downtime_above = "1 hour"', "tiers are about availability and downtime"),
        ("half-up\"", 'half-up"\n[claim]\nhow = "automatic"\nwithin = "5 days"', "claim.within has no meaning with"),
        ("half-up\"", 'half-up"\n[claim]\nhow = "on-request"\nwithin = "5 dayz"\nanchor = "month-end"', "claim.within '5 dayz' is not a span"),
        ("half-up\"", 'half-up"\n[limits]\namount = { USD = "1.00" }\nat_least = { USD = "1.01" }', "limits.at_least is above limits.amount in USD"),
        ("half-up\"", 'half-up"\n[limits]\nonly_above = { USD = "1.00" }\nat_least = { USD = "1.00" }', "limits.at_least is not above limits.only_above"),
        ("half-up\"", 'half-up"\n[limits]\nat_least = { USD = 1 }', "limits.at_least: amount"),
        ("half-up\"", 'half-up"\n[limits]\nrolling_over = "calendar-year"', "limits.rolling_over has no meaning with no rolling_percent"),
        ("half-up\"", 'half-up"\n[limits]\nrolling_percent = "50"\nrolling_over = "calendar-year"\nrolling_months = 3',
         'limits.rolling_months has no meaning with rolling_over = "calendar-year"'),
        ("half-up\"", 'half-up"\n[limits]\ndays = "15"', "limits.days has no meaning with tiers that pay no service_days"),
        ("half-up\"", 'half-up"\n[stacking]\ncommitments = "sum"', "stacking.commitments has no meaning with one commitment"),
        ("half-up\"", 'half-up"\n[[termination]]\nperiods = 3', "termination 1: no bound is stated"),
        ("[period]", 'currencies = ["XXX"]\n[period]', "currencies: currency 'XXX' is not an ISO 4217 code"),
        ('[measure]\nof = "time"\n', '[[commitments]]\nname = "a"\n', "counting stands beside commitments"),
    ],
)  # fmt: skip
def test_a_wrong_policy_is_refused_with_a_sentence(old: str, new: str, said: str) -> None:
    found = problems(edited(old, new))
    assert any(problem.startswith(said) for problem in found), found


def test_what_is_given_wrongly_is_not_also_called_missing() -> None:
    text = SMALL + '[claim]\nhow = "on-request"\nwithin = "5 dayz"\nanchor = "month-end"\n'
    assert len(problems(text)) == 1


def test_a_hole_may_be_written_down_as_the_contract_has_it() -> None:
    text = edited('below = "99.9"', 'below = "99.8"')
    policy = parse_policy(text + '[reading]\ngaps = "undecided"\n')
    assert policy.commitments[0].gaps == "undecided"


def test_every_key_of_the_grammar_says_what_it_means() -> None:
    for table in GRAMMAR:
        assert table.meaning
        names = [field.name for field in table.fields]
        assert len(set(names)) == len(names)
        for field in table.fields:
            assert field.meaning.endswith("."), (table.path, field.name)
            assert field.choices or field.kind not in ("choice", "choices")
