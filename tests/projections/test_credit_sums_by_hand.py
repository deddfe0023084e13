"""Sums by currency, sums of sums, and what changed between two computations, added up by hand to the last digit."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ledger.errors import Refused
from projections.credit_sums import added, difference, totals
from tests.projections.pricing import policy, subscribed, worked

MOST = 2**63 - 1
SUMS = ("fee", "credit", "credit_at_least", "credit_at_most")


def rows(*amounts: tuple[str, Any, Any, int, int]) -> pd.DataFrame:
    """Rows of a currency, a fee, and a credit with its bounds, as far as sums look at them."""
    currency, *money = zip(*amounts, strict=True) if amounts else ((), (), (), (), ())
    columns = {name: pd.array(list(of), dtype="Int64") for name, of in zip(SUMS, money, strict=True)}
    return pd.DataFrame({"currency": pd.Categorical(list(currency)), **columns})


def told(sums: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(None if pd.isna(value) else value for value in row) for row in sums.itertuples(index=False, name=None)]  # fmt: skip


SOME = (("USD", 100, 10, 10, 10), ("JPY", 7, None, 0, 7), ("USD", 200, 0, 0, 0))
MORE = (("USD", 1, None, 0, 1), ("BHD", 5, 5, 5, 5), ("JPY", 3, 3, 3, 3))


def test_sums_are_by_currency_with_how_many_rows_and_how_many_undecided() -> None:
    found = totals(rows(*SOME))
    assert list(found.columns) == ["currency", "subscriptions", "undecided", *SUMS, "minor_units"]
    assert told(found) == [("JPY", 1, 1, 7, None, 0, 7, 0), ("USD", 2, 0, 300, 10, 10, 10, 2)]
    assert {str(found[name].dtype) for name in SUMS} == {"Int64"}
    assert str(found["minor_units"].dtype) == "int8"
    # A currency that no row is of has no sum.
    assert told(totals(rows(*SOME).iloc[[0, 2]]))[0][0] == "USD"


@pytest.mark.parametrize("parts", [(SOME, MORE), (SOME, (), MORE), (SOME[:1], SOME[1:], MORE[:2], MORE[2:])])
def test_sums_of_parts_are_the_sums_of_all(parts: Any) -> None:
    together = [
        ("BHD", 1, 0, 5, 5, 5, 5, 3), ("JPY", 2, 1, 10, None, 3, 10, 0), ("USD", 3, 1, 301, None, 10, 11, 2),
    ]  # fmt: skip
    found = added(totals(rows(*part)) for part in parts)
    assert told(found) == told(totals(rows(*SOME, *MORE))) == together
    assert list(found.columns) == ["currency", "subscriptions", "undecided", *SUMS, "minor_units"]
    assert {str(found[name].dtype) for name in SUMS} == {"Int64"}


def test_sums_of_nothing_are_none() -> None:
    assert told(added([])) == told(added([totals(rows())])) == told(totals(rows())) == []


def test_sums_of_undecided_rows_alone_are_null_in_a_column_of_integers() -> None:
    found = totals(rows(("USD", 1, None, 0, 1)))
    assert told(found) == [("USD", 1, 1, 1, None, 0, 1, 2)]
    assert str(found["credit"].dtype) == "Int64"
    assert told(added([found, found])) == [("USD", 2, 2, 2, None, 0, 2, 2)]


def test_sums_beyond_64_bits_are_exact() -> None:
    """The most that a row can hold is summed as a column of 64 bits; one more is Python's integers, also below 0."""
    for more, of in ((0, "Int64"), (1, "object")):
        sums = totals(rows(("USD", MOST, MOST, MOST, MOST), ("USD", more, more, more, more), ("EUR", 1, 1, 1, 1)))  # fmt: skip
        assert sums["fee"].tolist() == [1, MOST + more]
        assert str(sums["fee"].dtype) == of
    assert added([sums, sums])["fee"].tolist() == [2, 2 * MOST + 2]
    below = rows(("USD", -MOST, -MOST, -MOST, -MOST), ("USD", -5, -5, -5, -5), ("EUR", 2**62, 0, 0, 0), ("EUR", 2**62, 0, 0, 0))  # fmt: skip
    assert totals(below)["fee"].tolist() == [2**63, -MOST - 5]
    assert totals(rows(*[("USD", 2**61, 0, 0, 0)] * 9))["fee"].tolist() == [9 * 2**61]


def credited(**credits: tuple[str, Any, int, int]) -> pd.DataFrame:
    """Rows of subscriptions with a currency, a credit, and its bounds."""
    lines = [subscribed(name, currency=one[0], fee="5") for name, one in credits.items()]
    made = worked(lines, [], policy()).frame
    for place, name in enumerate(("credit", "credit_at_least", "credit_at_most"), 1):
        values: Any = [one[place] for one in credits.values()]
        made[name] = pd.array(values, dtype="Int64")
    return made


BEFORE = {
    "a": ("USD", 10, 10, 10),
    "gone": ("JPY", 7, 7, 7),
    "open": ("USD", None, 2, 9),
    "b": ("BHD", 1, 1, 1),
}


@pytest.mark.parametrize("order", [("open", "a", "new", "b", "maybe"), ("a", "b", "maybe", "new", "open")])
def test_what_changed_is_told_of_every_subscription_of_either_side(order: tuple[str, ...]) -> None:
    """In the order of what was before, then of what is new; what a side lacks was credited nothing there."""
    now = {
        "open": ("USD", 4, 4, 4),
        "a": ("USD", 3, 3, 3),
        "new": ("EUR", 6, 6, 6),
        "b": ("BHD", 1, 1, 1),
        "maybe": ("EUR", None, 0, 8),
    }
    found = difference(credited(**BEFORE), credited(**{name: now[name] for name in order}))
    new = [name for name in order if name in ("new", "maybe")]
    assert found["subscription"].tolist() == ["a", "gone", "open", "b", *new]
    money = [name for name in found.columns if name.startswith("credit_") or name == "delta"]
    assert money == [
        "credit_before", "credit_before_at_least", "credit_before_at_most", "credit_after", "credit_after_at_least",
        "credit_after_at_most", "delta",
    ]  # fmt: skip
    assert dict(zip(found["subscription"], told(found[[*money, "currency", "minor_units"]]), strict=True)) == {
        "a": (10, 10, 10, 3, 3, 3, -7, "USD", 2), "gone": (7, 7, 7, 0, 0, 0, -7, "JPY", 0),
        "open": (None, 2, 9, 4, 4, 4, None, "USD", 2), "b": (1, 1, 1, 1, 1, 1, 0, "BHD", 3),
        "new": (0, 0, 0, 6, 6, 6, 6, "EUR", 2), "maybe": (0, 0, 0, None, 0, 8, None, "EUR", 2),
    }  # fmt: skip
    assert str(found["minor_units"].dtype) == "int8"


def test_what_changed_of_the_same_subscriptions_is_told_in_their_order() -> None:
    before, after = (
        credited(**BEFORE),
        credited(**{**BEFORE, "a": ("USD", None, 1, 20), "b": ("BHD", 4, 4, 4)}),
    )
    found = difference(before, after)
    assert found["subscription"].tolist() == ["a", "gone", "open", "b"]
    assert told(found[["credit_before", "credit_after", "delta", "minor_units"]]) == [
        (10, None, None, 2), (7, 7, 0, 0), (None, None, None, 2), (1, 4, 3, 3),
    ]  # fmt: skip
    # Neither side is touched by what is done to the difference.
    found.loc[0, "credit_before"] = 99
    assert before["credit"].tolist()[0] == 10


def test_every_subscription_whose_currency_changed_is_named_the_first_twenty_in_one_sentence() -> None:
    names = [f"s{number:02}" for number in range(1, 23)]
    before = credited(**dict.fromkeys(["same", *names], ("USD", 1, 1, 1)))
    for order in (["same", *names], ["same", "new", *names]):
        after = credited(**{name: ("USD" if name == "same" else "EUR", 1, 1, 1) for name in order})
        with pytest.raises(Refused) as refused:
            difference(before, after)
        sentence = "subscription '{}' was billed in USD before and in EUR after, which cannot be subtracted; correct the currency"
        assert refused.value.problems == tuple(sentence.format(name) for name in names)
        assert str(refused.value) == "; ".join(refused.value.problems[:20])
