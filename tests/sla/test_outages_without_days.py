"""Outages of which it is known how long they lasted and not when, under terms that ask what a day has of the short ones."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.policy import parse_policy
from projections.evaluation.answers import answer
from tests.sla.asking import ask, one_tier, terms

DAILY = 'minimum = "1 minute"\nunless_daily_total_above = "5 minutes"'


def policy(counting: str = DAILY, measure: str = 'of = "time"') -> str:
    return terms(one_tier('credit_multiple = "1"'), counting=counting, measure=measure)


def bounds(found: dict[str, Any]) -> tuple[int | Fraction, int | Fraction]:
    low, high = (found[f"eligible_downtime_seconds_at_{end}"] for end in ("least", "most"))
    return Fraction(low), Fraction(high)


def test_ten_blips_of_forty_seconds_are_nothing_or_all_of_it() -> None:
    """All on one day they are 400 seconds, above five minutes; spread over the month they are nothing."""
    facts = {"period": "2025-06", "outages": [{"seconds": "40"}] * 10, "fee": "43200.00", "currency": "USD"}
    found = ask(facts, policy())
    assert bounds(found) == (0, 400)
    assert (found["credit"], found["credit_at_least"], found["credit_at_most"]) == (None, "0.00", "6.67")
    assert found["decides"] == "on which days the short outages were"


@pytest.mark.parametrize(
    ("period", "counting", "count", "expected"),
    [
        # Seven are 280 seconds, which no day has too much of; eight are 320.
        ("2025-06", DAILY, 7, (0, 0)),
        ("2025-06", DAILY, 8, (0, 320)),
        # One day has all of them.
        ("2025-06-10", DAILY, 8, (320, 320)),
        ("2025-06", f'{DAILY}\ndaily_total_counts = "excess"', 10, (0, 100)),
        ("2025-06-10", f'{DAILY}\ndaily_total_counts = "excess"', 10, (100, 100)),
        # 9,040 seconds are more than thirty days of 300: 29 of them may go without, and the rest counts.
        ("2025-06", DAILY, 226, (340, 9_040)),
        ("2025-06", f'{DAILY}\ndaily_total_counts = "excess"', 226, (40, 8_740)),
        ("2025-06", f'{DAILY}\nquantise = "each-up"', 8, (0, 480)),
        ("2025-06-10", f'{DAILY}\nquantise = "each-up"', 8, (480, 480)),
        # Without a total of the day what is short counts nothing.
        ("2025-06", 'minimum = "1 minute"', 10, (0, 0)),
    ],
)
def test_what_a_day_may_have_of_them(
    period: str, counting: str, count: int, expected: tuple[int, int]
) -> None:
    found = ask({"period": period, "outages": [{"seconds": "40"}] * count}, policy(counting))
    assert bounds(found) == expected


def test_what_is_rounded_down_may_lose_less_than_a_quantum_more_where_midnight_cuts_it() -> None:
    """Twenty of 150 seconds are two minutes each; cut, they may be one minute, and two days may have 300 seconds that do not count."""
    counting = 'minimum = "10 minutes"\nunless_daily_total_above = "5 minutes"\nquantise = "each-down"'
    outages = [{"seconds": "150"}] * 20
    day, three = "2025-06-10", {"start": "2025-06-10T00:00:00Z", "end": "2025-06-13T00:00:00Z"}
    assert bounds(ask({"period": day, "outages": outages}, policy(counting))) == (20 * 120, 20 * 120)
    assert bounds(ask({"period": three, "outages": outages}, policy(counting))) == (
        20 * 60 - 2 * 300,
        20 * 120,
    )


def test_plain_downtime_is_one_outage_that_a_midnight_may_cut() -> None:
    daily = 'minimum = "10 minutes"\nunless_daily_total_above = "2 minutes"'
    for minutes, expected in (("2", (0, 0)), ("3", (0, 180)), ("5", (180, 300)), ("10", (600, 600))):
        assert bounds(ask({"period": "2025-06", "downtime_minutes": minutes}, policy(daily))) == expected


def test_shares_of_short_outages_stay_bounds() -> None:
    blips = [{"seconds": "40", "share_at_least": "0", "share_at_most": "0.5"}] * 10
    found = ask({"period": "2025-06-10", "outages": blips}, policy(measure='of = "affected-share"'))
    assert bounds(found) == (0, 200)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(3, 9),
    st.integers(2, 20),
    st.booleans(),
)
def test_every_way_to_spread_them_lies_between_the_bounds(
    lasts: list[int], n_days: int, minimum: int, limit: int, excess: bool
) -> None:
    """Of up to five outages and three days, by trying all ways."""
    counting = f'minimum = "{minimum} seconds"\nunless_daily_total_above = "{limit} seconds"\n'
    counting += f'daily_total_counts = "{"excess" if excess else "all"}"'
    period = {"start": "2025-06-01T00:00:00Z", "end": f"2025-06-0{1 + n_days}T00:00:00Z"}
    facts = {"period": period, "outages": [{"seconds": str(one)} for one in lasts]}
    low, high = bounds(answer(parse_policy(policy(counting)), facts, 0))
    for places in product(range(n_days), repeat=len(lasts)):
        total = sum(one for one in lasts if one >= minimum)
        for day in range(n_days):
            short = sum(
                one for one, place in zip(lasts, places, strict=True) if place == day and one < minimum
            )
            if short > limit:
                total += short - limit if excess else short
        assert low <= total <= high
