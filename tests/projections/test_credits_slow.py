"""The fast pricing against a slow one, written in fractions and sharing no code (`slow_calculator.py`)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import price, rows
from tests.projections.slow_calculator import (
    CUSTOMERS,
    HOUR,
    MARCH,
    Terms,
    money,
    read,
    slow,
    some_rows,
    some_terms,
    some_windows,
    toml,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    windows=st.lists(some_windows(), max_size=6),
    a=some_terms(),
    b=some_terms(),
    table=st.lists(some_rows(), min_size=1, max_size=8),
    as_of=st.integers(-24, 40 * 24).map(lambda hours: MARCH + hours * HOUR),
    beta=st.sets(st.sampled_from(CUSTOMERS)),
    gamma=st.none() | st.sets(st.sampled_from((*CUSTOMERS, "a stranger"))),
)
def test_every_row_equals_the_slow_calculation(
    windows: list[Window], a: Terms, b: Terms, table: list[dict[str, str]], as_of: int, beta: set[str],
    gamma: set[str] | None,
) -> None:  # fmt: skip
    terms = {"a": a, "b": b}
    policies = {key: [(1, parse_policy(toml(key, terms[key])))] for key in terms}
    members = {"beta": beta} if gamma is None else {"beta": beta, "gamma": gamma}
    cohorts = {
        name: Cohort(f"cohort/{name} v1", pd.array(sorted(customers), dtype="str"))
        for name, customers in members.items()
    }
    frame = price(read(table), windows, policies, "2022-03", as_of, (), cohorts)
    found: dict[str, dict[str, Any]] = {row["subscription"]: row for row in rows(frame)}
    for number, given_row in enumerate(table):
        if given_row["valid_from"] >= "2022-04-01" or (
            given_row["valid_to"] and given_row["valid_to"] <= "2022-03-01"
        ):
            assert f"s-{number}" not in found
            continue
        row = found.pop(f"s-{number}")
        expected = slow(list(dict.fromkeys(windows)), terms[given_row["policy"]], given_row, as_of, members)
        rounding = terms[given_row["policy"]].rounding
        amounts = [
            Decimal(money(given_row["fee"], given_row["currency"], percent, rounding))
            for percent in expected.percents
        ]
        assert row["period_seconds"] == expected.period
        assert row["downtime_seconds"] == expected.downtime
        assert row["excluded_seconds"] == expected.excluded
        assert Fraction(row["eligible_downtime_seconds_at_least"]) == expected.least
        assert Fraction(row["eligible_downtime_seconds_at_most"]) == expected.most
        assert (row["eligible_downtime_seconds"] is None) == (expected.least != expected.most)
        for key, seconds in (
            ("availability_at_least", expected.most),
            ("availability_at_most", expected.least),
        ):
            assert abs(Fraction(row[key]) - (1 - seconds / expected.period) * 100) <= Fraction(1, 2 * 10**12)
        assert Decimal(row["credit_at_least"]) == min(amounts)
        assert Decimal(row["credit_at_most"]) == max(amounts)
        assert row["credit"] == (row["credit_at_least"] if min(amounts) == max(amounts) else None)
        one = expected.percents[0] if len(expected.percents) == 1 else None
        assert (None if row["credit_percent"] is None else Fraction(row["credit_percent"])) == (
            one and Fraction(one)
        )
        assert row["provisional"] == expected.provisional
        assert Decimal(row["credit_at_most"]) <= Decimal(row["fee"])
    assert not found
