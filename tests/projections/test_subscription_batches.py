"""Parquet part by part: the fast way gives what the slow way gives, and refuses what it refuses."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from projections import subscription_batches
from projections.repeats import Repeats
from projections.subscription_batches import read_batches
from projections.subscriptions import COLUMNS, joined, table_of, texts_of

TYPES = {
    "fee": pa.decimal128(30, 4), "valid_from": pa.date32(), "valid_to": pa.date32(),
    **dict.fromkeys(COLUMNS[:6], pa.string()),
}  # fmt: skip
GOOD = {
    "customer": "Acme", "subscription": "acme-1", "service": "email", "region": "EMEA", "policy": "standard",
    "currency": "EUR", "fee": Decimal("12.5000"), "valid_from": dt.date(2022, 1, 1), "valid_to": None,
}  # fmt: skip


def parquet(rows: list[dict[str, Any]], **types: pa.DataType) -> bytes:
    schema = pa.schema([(name, {**TYPES, **types}[name]) for name in COLUMNS])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), out, row_group_size=3)
    return out.getvalue()


def slowly(content: bytes) -> pd.DataFrame:
    """Return the table as it is read value by value."""
    table = pq.read_table(pa.BufferReader(content))
    problems: list[str] = []
    columns = {name: texts_of(name, table.column(name), problems) for name in table.column_names}
    assert not problems
    return table_of(columns, lambda row: f"row {row + 1}")


# What is there, and what looks like it.
names = st.one_of(
    st.sampled_from(["Acme", "x", " x", "x ", "", "a\tb", "a\x7fb", "Müller & Söhne", "\u00a0x", "x\u2028", "a" * 200, "a" * 201]),
    st.text(st.characters(codec="utf-8"), max_size=4),
)  # fmt: skip
row = st.fixed_dictionaries(
    {
        "customer": names,
        "subscription": names,
        "service": st.sampled_from(["email", "email", "archive", "*", "unknown", ""]),
        "region": st.sampled_from(["EMEA", "NAM", "Ω"]),
        "policy": st.sampled_from(["standard", "premium", "Standard"]),
        "currency": st.sampled_from(["EUR", "JPY", "BHD", "CLF", "EUR", "XXX"]),
        "fee": st.one_of(
            st.decimals(0, 10**12, places=4, allow_nan=False),
            st.integers(-1, 10**20).map(Decimal),
            st.sampled_from([Decimal("0.01"), Decimal("1.005"), Decimal("92233720368547758.07"), Decimal("92233720368547758.08")]),
        ),
        "valid_from": st.dates(dt.date(2020, 1, 1), dt.date(2023, 1, 1)),
        "valid_to": st.one_of(st.none(), st.dates(dt.date(2020, 1, 1), dt.date(2023, 1, 1))),
    }
)  # fmt: skip


@given(st.lists(row, min_size=1, max_size=4))
def test_the_fast_way_and_the_slow_way_agree(rows: list[dict[str, Any]]) -> None:
    content = parquet(rows)
    try:
        expected = slowly(content)
    except Refused:
        expected = None
    try:
        repeats, parts = Repeats(), []
        for part in read_batches(content):
            repeats.add(part)
            parts.append(part)
        repeats.check(lambda: parts)
    except Refused:
        assert expected is None
    else:
        assert expected is not None
        pd.testing.assert_frame_equal(joined(parts), expected)


ordinary = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["Acme", "Beta, Ltd.", "C  D"]),
        "service": st.sampled_from(["email", "archive"]),
        "region": st.sampled_from(["EMEA", "NAM", "Ω"]),
        "policy": st.sampled_from(["standard", "premium"]),
        "currency": st.sampled_from(["EUR", "BHD", "CLF"]),
        "fee": st.decimals(0, 10**12, places=2, allow_nan=False),
        "valid_from": st.dates(dt.date(2020, 1, 1), dt.date(2021, 1, 1)),
        "valid_to": st.one_of(st.none(), st.dates(dt.date(2021, 1, 2), dt.date(2023, 1, 1))),
    }
)


@given(st.lists(ordinary, min_size=1, max_size=8), st.integers(1, 4))
def test_however_it_is_cut_an_ordinary_table_is_the_same(found: list[dict[str, Any]], at_once: int) -> None:
    rows = [{**one, "subscription": f"s-{number}"} for number, one in enumerate(found)]
    content = parquet(rows)
    parts = list(read_batches(content, rows=at_once))
    assert all(len(part) <= at_once for part in parts)
    pd.testing.assert_frame_equal(joined(parts), slowly(content))


def test_what_is_in_order_is_read_without_an_object_for_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(subscription_batches, "texts_of", refuse)
    rows = [{**GOOD, "subscription": f"s-{number}", "fee": Decimal(number)} for number in range(10)]
    parts = list(read_batches(parquet(rows), rows=4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert [fee for part in parts for fee in part["fee"]] == [number * 100 for number in range(10)]
    integers = list(
        read_batches(parquet([{**one, "fee": number} for number, one in enumerate(rows)], fee=pa.int32()))
    )
    assert integers[0]["fee"].tolist() == [number * 100 for number in range(10)]


def test_a_bad_row_is_named_by_its_place_in_the_file() -> None:
    rows = [{**GOOD, "subscription": f"s-{number}"} for number in range(7)]
    rows[5] = {**rows[5], "currency": "EURO"}
    with pytest.raises(Refused, match=r"row 6: currency 'EURO'"):
        list(read_batches(parquet(rows), rows=4))


def test_a_subscription_in_two_parts_is_found() -> None:
    rows = [{**GOOD, "subscription": f"s-{number}"} for number in range(9)]
    rows[8] = {**rows[8], "subscription": "s-0"}
    content, repeats = parquet(rows), Repeats()
    for part in read_batches(content, rows=3):
        repeats.add(part)
    with pytest.raises(Refused, match=r"^subscription 's-0' stands in the tables more than once"):
        repeats.check(lambda: read_batches(content, rows=3))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=20), st.integers(0, 20))
def test_repeats_are_found_wherever_they_stand(subscriptions: list[str], cut: int) -> None:
    parts = [
        pd.DataFrame({"subscription": pd.array(some, dtype="str")})
        for some in (subscriptions[:cut], subscriptions[cut:])
    ]
    repeats = Repeats()
    for part in parts:
        repeats.add(part)
    if len(set(subscriptions)) == len(subscriptions):
        repeats.check(lambda: parts)
    else:
        with pytest.raises(Refused):
            repeats.check(lambda: parts)


def test_texts_with_equal_hashes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A polynomial modulo 2**64 has collisions that can be made on purpose; they cost a look, not an answer."""
    import numpy as np

    from projections import repeats as module

    monkeypatch.setattr(module, "_hashes", lambda column: np.zeros(len(column), np.uint64))
    part = pd.DataFrame({"subscription": pd.array(["a", "b"], dtype="str")})
    repeats = Repeats()
    repeats.add(part)
    repeats.check(lambda: [part])
    repeats.add(part)
    repeats.add(part)
    with pytest.raises(Refused, match="'a', 'b' stands"):
        repeats.check(lambda: [part, part])
