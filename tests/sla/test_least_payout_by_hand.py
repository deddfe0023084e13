"""A least payout: what is owed is raised to it, nothing is raised from nothing, and no limit is passed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ledger.domain.policy import parse_policy
from projections.credit_amounts import _priced
from projections.evaluation.forms import Price, least, line
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, terms

MET = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'
RAISED = '[limits]\nat_least = { USD = "1.00", JPY = "100" }\n'


@pytest.mark.parametrize(
    ("minutes", "fee", "currency", "limits", "credit", "raised"),
    [
        ("60", "9.99", "USD", "", "1.00", False),
        ("60", "10.00", "USD", "", "1.00", False),
        ("60", "10.10", "USD", "", "1.01", False),
        ("60", "990", "JPY", "", "100", True),
        # A tenth of a cent is owed, and rounds to nothing: it is raised all the same.
        ("60", "0.01", "USD", "", "1.00", True),
        # Nothing is owed: the target was met, or there is no fee.
        ("44", "9.99", "USD", "", "0.00", False),
        ("60", "0.00", "USD", "", "0.00", False),
        ("60", "0.70", "USD", 'percent = "100"\n', "0.70", True),
        ("60", "5.00", "USD", 'percent = "15"\n', "0.75", True),
        # Nothing is paid that is not above 50 cents, and what is above is raised.
        ("60", "5.00", "USD", 'only_above = { USD = "0.50", JPY = "50" }\n', "0.00", False),
        ("60", "5.10", "USD", 'only_above = { USD = "0.50", JPY = "50" }\n', "1.00", True),
    ],
)
def test_what_is_owed_is_raised(
    minutes: str, fee: str, currency: str, limits: str, credit: str, raised: bool
) -> None:
    """Why says so, and only where it was."""
    answer = ask(
        {"period": "2022-03", "downtime_minutes": minutes, "fee": fee, "currency": currency},
        terms(MET, more=RAISED + limits),
    )
    assert answer["credit"] == credit
    least_said = "1.00 USD" if currency == "USD" else "100 JPY"
    so = f", so that {credit} {currency} is paid" if raised else ""
    assert (
        answer["why"][-1] == f"an amount that is owed is at least {least_said}, as far as limits let it{so}"
    )


def test_what_several_months_may_pay_is_not_passed() -> None:
    """9.60 of 10.00 were credited before: 40 cents are left, of which 30 are owed."""
    text = terms(MET.replace('"10"', '"3"'), more=RAISED + 'rolling_percent = "100"\n')
    facts = {"period": "2022-03", "downtime_minutes": "60", "fee": "10.00", "currency": "USD"}
    assert ask({**facts, "credited_before": "9.60"}, text)["credit"] == "0.40"
    assert ask({**facts, "credited_before": "10.00"}, text)["credit"] == "0.00"
    assert ask(facts, text)["credit"] == "1.00"


def test_bounds_are_raised_where_anything_is_owed() -> None:
    facts = {"period": "2022-03", "downtime_at_least_minutes": "40", "downtime_at_most_minutes": "60"}
    answer = ask({**facts, "fee": "5.00", "currency": "USD"}, terms(MET, more=RAISED))
    assert (answer["credit_at_least"], answer["credit_at_most"]) == ("0.00", "1.00")


FORM = least([line(Fraction(1, 3), 3), line(0, 250)])


@pytest.mark.parametrize(
    "price",
    [
        Price(FORM, "half-even", None, Fraction(5)),
        Price(FORM, "down", None, Fraction(120), line(Fraction(5, 2), 0)),
        Price(FORM, "up", Fraction(6), Fraction(90), line(2, 7)),
        Price(least([FORM, line(0)]), "up", None, Fraction(90)),
    ],
)
def test_a_million_fees_at_once_are_raised_as_one_is(price: Price) -> None:
    fees = np.arange(1_000)
    assert _priced(fees, price).tolist() == [price.amount(fee) for fee in range(1_000)]


def test_a_workbook_shows_values_and_says_why() -> None:
    assert reason_for_values(parse_policy(terms(MET, more=RAISED))) == (
        "value: no formula for amounts that are raised to a sum"
    )
