"""Rows are grouped by the combination of their values, however many combinations there could be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.credits import price
from projections.grouping import category_of, grouped, numbers_of
from tools.terms import terms_2


@given(
    st.lists(st.tuples(*[st.integers(0, 3)] * 4), max_size=30),
    st.lists(st.sampled_from((4, 10**6, 2**31, 2**40, 2**61)), min_size=4, max_size=4),
)
def test_rows_are_together_where_they_agree_in_every_column(
    rows: list[tuple[int, ...]], widths: list[int]
) -> None:
    """Numbers at the far end of their range, so that a product that leaves 64 bits would let some fall together."""
    columns = [
        np.asarray([width - 4 + row[at] for row in rows], dtype=np.int64) for at, width in enumerate(widths)
    ]
    codes, firsts = grouped(len(rows), zip(columns, widths, strict=True))
    seen = list(dict.fromkeys(rows))
    assert codes.tolist() == [seen.index(row) for row in rows]
    assert firsts.tolist() == [rows.index(row) for row in seen]


@pytest.mark.parametrize(
    "columns",
    [
        # Two values in each, of two there are; and a column that tells nothing apart between them.
        [([0, 1, 0, 1], 2), ([0, 0, 0, 0], 1), ([0, 0, 1, 1], 2)],
        # Three numbers of 31 bits: 4 in the first stands for 2**64 of all combinations, which is 0 in 64 bits.
        [([0, 4, 0, 4], 2**31), ([0, 0, 0, 0], 2**31), ([0, 0, 7, 7], 2**31)],
        # Values half of a width of 61 bits apart, and then columns of all of their four.
        [([0, 2**60, 0, 2**60, 1, 1, 1], 2**61), *[([0, 0, 3, 3, 1, 2, 3], 4)] * 3],
        # Two values of 61 bits that a float cannot tell apart.
        [([0, 0, 2**60, 2**60], 2**61), ([2**61 - 1, 2**61 - 2, 2**61 - 1, 2**61 - 2], 2**61)],
    ],
)  # fmt: skip
def test_rows_that_differ_are_apart_however_wide_the_columns(columns: list[tuple[list[int], int]]) -> None:
    n_rows = len(columns[0][0])
    codes, firsts = grouped(n_rows, [(np.array(numbers), width) for numbers, width in columns])
    assert codes.tolist() == firsts.tolist() == list(range(n_rows))


def test_a_column_of_categories_is_taken_as_it_is_and_any_other_is_made_one() -> None:
    texts = ["b", "a", "b"]
    for column in (pd.Series(texts), pd.Series(texts, dtype="str"), pd.Series(pd.Categorical(texts))):
        assert category_of(column).tolist() == texts
        assert category_of(column).categories.tolist() == ["a", "b"]


def test_a_value_that_is_absent_is_one_of_the_values() -> None:
    for values in (["b", None, "b", "a", None], [2.5, None, 2.5, 1.0, None]):
        plain, n_plain = numbers_of(pd.array(values))
        named, n_named = numbers_of(pd.Categorical(values))
        for numbers, most in ((plain, n_plain), (named, n_named)):
            assert grouped(5, [(numbers, most)])[0].tolist() == [0, 1, 0, 2, 1]
            assert set(numbers.tolist()) <= set(range(most))


def test_every_row_is_priced_under_its_own_policy_however_many_there_are() -> None:
    """Given 3,000 services in as many regions, 200 policies frozen for a term, terms that began on 3,000 days, and
    exclusions for 1,000 customers, then the combinations there could be pass 64 bits, and each row is its own all the same."""
    n_rows, n_policies = 3_000, 200
    frozen = '[version]\nrule = "frozen-for-term"\n'
    policies = {
        key: [(1, parse_policy(terms_2(key, in_force_from="2010-01-01", more=frozen).replace("calendar-month", "calendar-year")))]
        for key in (f"p{number:03}" for number in range(n_policies))
    }  # fmt: skip
    table = pd.DataFrame(
        {
            "customer": [f"c{number}" for number in range(n_rows)],
            "subscription": [f"s{number}" for number in range(n_rows)],
            "service": pd.Categorical([f"service-{number:05}" for number in range(n_rows)]),
            "region": pd.Categorical([f"region-{number:05}" for number in range(n_rows)]),
            "policy": pd.Categorical([f"p{number % n_policies:03}" for number in range(n_rows)]),
            "currency": pd.Categorical(["USD"] * n_rows),
            "fee": np.full(n_rows, 10_000, dtype=np.int64),
            "minor_units": np.full(n_rows, 2, dtype=np.int8),
            "valid_from": (np.datetime64("2013-10-01") + np.arange(n_rows)).astype("datetime64[s]"),
            "valid_to": np.full(n_rows, np.datetime64("NaT"), dtype="datetime64[s]"),
        }
    )
    exclusions = [
        Exclusion(f"e{number}", "planned-maintenance", "*", "*", "*", 0, 10, customer=f"c{number}")
        for number in range(1_000)
    ]
    windows = [
        Window(f"i{number}", "w", f"service-{number:05}", "*", f"region-{number:05}", 1_647_000_000, 1_647_100_000, "outage")
        for number in range(0, n_rows, 2)
    ]  # fmt: skip
    frame = price(table, windows, policies, "2022-12", 10**10, exclusions=exclusions)
    assert frame["credit"].tolist() == [1_000, 0] * (n_rows // 2)
    assert [rule.partition(" ")[0] for rule in frame["rule"].tolist()] == table["policy"].tolist()
