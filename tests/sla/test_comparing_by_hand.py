"""Which of two amounts is never above the other, whatever the fee; which currencies terms name; and how long periods can be."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import PeriodRule
from ledger.domain.policy.periods import possible_days
from projections.doubts import never_above
from projections.evaluation.amounts import currencies_of
from projections.evaluation.forms import NOTHING, Form, greatest, least, line
from tools.terms import terms_2

F = Fraction
TENTH, FIFTH, FIVE, TEN = line(F(1, 10)), line(F(1, 5)), line(0, 5), line(0, 10)
# Two amounts: is the first never above the second, and is it below it for each fee above 0?
COMPARED = {
    "less of the fee": (TENTH, FIFTH, True, True),
    "more of the fee": (FIFTH, TENTH, False, False),
    "the same": (TENTH, TENTH, True, False),
    "a lesser sum": (FIVE, TEN, True, True),
    "a greater sum": (TEN, FIVE, False, False),
    "nothing": (NOTHING, TENTH, True, True),
    "nothing twice": (NOTHING, NOTHING, True, False),
    "less for small fees": (TENTH, FIVE, False, False),
    "less for great fees": (FIVE, TENTH, False, False),
    "the lesser of both": (least([TENTH, FIVE]), TENTH, True, False),
    "the lesser of both beside the sum": (least([TENTH, FIVE]), FIVE, True, False),
    "the greater of both": (greatest([TENTH, FIVE]), TENTH, False, False),
    "beside the greater of both": (TENTH, greatest([TENTH, FIVE]), True, False),
    "below the greater of more": (TENTH, greatest([FIFTH, TEN]), True, True),
    "with a sum added": (TENTH, line(F(1, 10), 1), True, True),
    "with a sum added to more": (line(F(1, 10), 1), FIFTH, False, False),
    "equal in one fee alone": (least([FIVE, TENTH]), greatest([FIVE, TENTH]), True, False),
    "above between two fees": (least([FIFTH, TEN]), greatest([FIVE, line(F(1, 10), 2)]), False, False),
    "above for small fees alone": (line(F(1, 100), 1), TENTH, False, False),
    "above for great fees alone": (line(F(1, 5), -4), line(F(1, 10), 4), False, False),
    "a part from a fee on": (line(F(1, 5), -4), FIFTH, True, True),
    "above from the last meeting on": (greatest([FIVE, line(1, -95)]), least([line(1), line(F(1, 2), 5)]), False, False),
}  # fmt: skip


@pytest.mark.parametrize("case", COMPARED)
def test_which_is_never_above(case: str) -> None:
    one, other, at_most, below = COMPARED[case]
    assert never_above(one, other) is at_most
    assert never_above(one, other, below=True) is below
    # As at many fees one by one.
    fees = [F(number, 4) for number in range(2_000)]
    assert all(one.value(fee) <= other.value(fee) for fee in fees) is at_most
    assert all(one.value(fee) < other.value(fee) for fee in fees[1:]) is below


def test_a_form_of_many_lines_meets_itself_everywhere() -> None:
    form = Form((((F(1), F(0)), (F(0), F(7))), ((F(1, 2), F(1)),)))
    assert never_above(form, form)
    assert not never_above(form, form, below=True)


def test_the_currencies_that_terms_name() -> None:
    """Those that are listed, else those of any sum; one without a name where there is none."""
    assert currencies_of(parse_policy(terms_2("p"))) == [""]
    floor = '[limits]\nonly_above = { USD = "1.00", EUR = "1.00" }\n'
    assert currencies_of(parse_policy(terms_2("p", more=floor))) == ["EUR", "USD"]
    listed = terms_2("p", more=floor.replace(", EUR", ", JPY").replace('JPY = "1.00"', 'JPY = "1"'))
    named = listed.replace("[period]", 'currencies = ["USD", "JPY"]\n[period]')
    assert currencies_of(parse_policy(named)) == ["JPY", "USD"]
    assert currencies_of(
        parse_policy(terms_2("p").replace("[period]", 'currencies = ["CHF"]\n[period]'))
    ) == ["CHF"]


@pytest.mark.parametrize(
    ("kind", "days", "found"),
    [
        ("calendar-month", None, (28, 31)), ("billing-month", None, (28, 31)), ("calendar-quarter", None, (90, 92)),
        ("calendar-four-months", None, (120, 123)), ("calendar-half-year", None, (181, 184)), ("calendar-year", None, (365, 366)),
        ("contract-year", None, (365, 366)), ("trailing-days", 30, (30, 30)), ("trailing-days", None, (1, 1)),
    ],
)  # fmt: skip
def test_how_long_a_period_can_be(kind: object, days: int | None, found: tuple[int, int]) -> None:
    assert possible_days(PeriodRule(kind, "UTC", days=days)) == found  # type: ignore[arg-type]
