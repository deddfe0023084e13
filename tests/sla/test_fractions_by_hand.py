"""Parts of the fee that no decimal says, as a contract writes them: exact to the last cent, and spelled as fractions."""

from __future__ import annotations

import pytest

from ledger.domain.policy import parse_policy
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, kinds, one_tier, terms

MET = (
    '[[tiers]]\navailability_at_least = "100"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "100"\n'
)


@pytest.mark.parametrize(
    ("fraction", "fee", "credit"),
    [
        # 0.15 / 30 is half a cent, which goes up; 3.333...% with however many threes is less than that.
        ("1/30", "0.15", "0.01"),
        ("1/30", "0.14", "0.00"),
        ("1/30", "900.00", "30.00"),
        ("2/3", "100.00", "66.67"),
        ("1/1", "100.00", "100.00"),
        ("0/7", "100.00", "0.00"),
    ],
)
def test_a_fraction_is_exact(fraction: str, fee: str, credit: str) -> None:
    answer = ask(
        {"period": "2025-06", "downtime_minutes": "1", "fee": fee, "currency": "USD"},
        terms(MET + f'credit_fraction = "{fraction}"'),
    )
    assert answer["credit"] == credit


def test_it_is_told_as_a_fraction_where_no_decimal_says_it() -> None:
    facts = {"period": "2025-06", "downtime_minutes": "1", "fee": "900.00", "currency": "USD"}
    thirtieth = ask(facts, terms(MET + 'credit_fraction = "1/30"'))
    assert thirtieth["rule"] == "case: availability below 100% gives 1/30 of fee"
    assert thirtieth["credit_percent"] == "3.333333333333"
    quarter = ask(facts, terms(MET + 'credit_fraction = "1/4"'))
    assert (quarter["rule"], quarter["credit_percent"]) == (
        "case: availability below 100% gives 25% of fee",
        "25",
    )


def test_events_and_days_each_pay_a_thirtieth() -> None:
    """Three events are a tenth of the fee, which three times 3.33% is not; so are 49 hours, of which three days were begun."""
    units = '[[tiers]]\nvalue_at_most = "0"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "1"\ncredit_fraction = "1/30"\nper = "unit"\n'
    fee = {"period": "2025-06", "fee": "1000.00", "currency": "USD"}
    assert ask({**fee, "value": "3"}, terms(units, measure='of = "events"'))["credit"] == "100.00"
    days = one_tier('credit_fraction = "1/30"\nper = "block"\nblock = "1 day"\nblocks = "begun"')
    assert ask({**fee, "downtime_hours": "49"}, terms(days))["credit"] == "100.00"


def test_a_multiple_may_be_a_fraction() -> None:
    """Seven thirds of 720.00 for one of 720 hours."""
    answer = ask(
        {"period": "2025-06", "downtime_hours": "1", "fee": "720.00", "currency": "USD"},
        terms(MET + 'credit_multiple = "7/3"'),
    )
    assert answer["credit"] == "2.33"
    assert answer["rule"] == "case: availability below 100% gives 7/3 times the fee for the time down"


def test_the_linter_compares_fractions_with_percentages() -> None:
    ladder = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_at_least = "99"\n'
        'availability_below = "99.9"\ncredit_fraction = "1/3"\n[[tiers]]\navailability_below = "99"\ncredit_percent = "{}"\n'
    )
    assert kinds(terms(ladder.format("33"))) == {"worse-pays-less"}
    assert kinds(terms(ladder.format("34"))) == set()


def test_a_workbook_shows_values_and_says_why() -> None:
    for remedy in ('credit_fraction = "1/30"', 'credit_multiple = "1/3"'):
        assert reason_for_values(parse_policy(terms(MET + remedy))) == (
            "value: no formula for parts of the fee that no decimal says"
        )
    assert reason_for_values(parse_policy(terms(MET + 'credit_fraction = "1/8"'))) == ""
