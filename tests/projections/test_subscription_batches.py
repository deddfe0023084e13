"""Parquet part by part: the fast way gives what the slow way gives, and refuses what it refuses."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused, Unavailable
from projections import subscription_batches
from projections.repeats import Repeats
from projections.subscription_batches import read_batches
from projections.subscriptions import COLUMNS, joined, read_subscriptions, table_of, texts_of

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
    with pytest.raises(
        Refused, match=r"^subscription 's-0' \(row 1 and row 9\) stands in the tables more than once"
    ):
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
    with pytest.raises(Refused, match=r"'a' \(row 1 and row 3\), 'b' \(row 2 and row 4\) stands"):
        repeats.check(lambda: [part, part])


ROWS = [
    {**GOOD, "subscription": f"s-{number}", "customer": f"C{number // 2}", "region": ("EMEA", "NAM", "Ω")[number % 3],
     "fee": Decimal(number * 5), "valid_to": (None, dt.date(2023, 1, 1))[number % 2]}
    for number in range(11)
]  # fmt: skip
TEXTS = COLUMNS[:6]


def encoded(*names: str, index: pa.DataType, value: pa.DataType) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, pa.dictionary(index, value))


@pytest.mark.parametrize("group", [1, 2, 3, 11, 1000])
@pytest.mark.parametrize(
    "types",
    [
        {},
        dict.fromkeys(TEXTS, pa.large_string()),
        dict.fromkeys(TEXTS, pa.string_view()),
        encoded(*TEXTS, index=pa.int8(), value=pa.string()),
        encoded("region", "customer", index=pa.int64(), value=pa.large_string()),
        {"fee": pa.decimal128(10, 0)},
        {"fee": pa.decimal128(38, 6)},
        {"fee": pa.decimal256(60, 2)},
        {"fee": pa.decimal64(18, 3)},
        {"fee": pa.uint64()},
        {"fee": pa.int8()},
        {"valid_from": pa.date64(), "valid_to": pa.date64()},
    ],
    ids=lambda types: ", ".join(f"{name} {kind}" for name, kind in types.items())[:50] or "as usual",
)
def test_however_it_is_stored_and_grouped_the_table_is_the_same(
    types: dict[str, pa.DataType], group: int
) -> None:
    schema = pa.schema([(name, {**TYPES, **types}[name]) for name in COLUMNS])
    whole = [
        {**row, "fee": number * 5} if "int" in str(schema.field("fee").type) else row
        for number, row in enumerate(ROWS)
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(whole, schema=schema), out, row_group_size=group)
    for at_once in (1, 4, 100):
        parts = list(read_batches(out.getvalue(), rows=at_once))
        assert sum(map(len, parts)) == len(ROWS)
        pd.testing.assert_frame_equal(joined(parts), slowly(parquet(ROWS)))


def test_texts_of_dates_and_fees_are_read_as_in_csv() -> None:
    texts = [
        {**row, "fee": str(row["fee"]), "valid_from": "2022-01-01", "valid_to": "" if row["valid_to"] is None else "2023-01-01"}
        for row in ROWS
    ]  # fmt: skip
    stored = parquet(texts, fee=pa.string(), valid_from=pa.string(), valid_to=pa.large_string())
    pd.testing.assert_frame_equal(joined(list(read_batches(stored, rows=4))), slowly(parquet(ROWS)))
    # No end for anybody may be a column of nothing.
    endless = [{**row, "valid_to": None} for row in ROWS]
    stored = parquet(endless, valid_to=pa.null())
    pd.testing.assert_frame_equal(joined(list(read_batches(stored, rows=4))), slowly(parquet(endless)))


def test_row_groups_without_rows_are_passed_over_and_no_rows_are_a_table() -> None:
    schema = pa.schema([(name, TYPES[name]) for name in COLUMNS])
    out = io.BytesIO()
    with pq.ParquetWriter(out, schema) as writer:
        for rows in ([], ROWS[:1], [], [], ROWS[1:8], ROWS[8:], []):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    parts = list(read_batches(out.getvalue(), rows=4))
    assert all(len(part) for part in parts)
    pd.testing.assert_frame_equal(joined(parts), slowly(parquet(ROWS)))
    [none] = read_batches(parquet([]))
    assert len(none) == 0
    pd.testing.assert_frame_equal(none, table_of({name: [] for name in COLUMNS}, str))
    # Beside another table its columns are of the same kinds.
    pd.testing.assert_frame_equal(joined([none, slowly(parquet(ROWS))]), slowly(parquet(ROWS)))


@pytest.mark.parametrize(
    ("changed", "types", "sentence"),
    [
        ({"customer": None}, {}, "row 8: customer is empty; fill it in"),
        ({"region": None}, {}, "row 8: region is empty; fill it in"),
        ({"region": ""}, {"region": pa.dictionary(pa.int8(), pa.string())}, "row 8: region is empty; fill it in"),
        ({"service": "*"}, {}, "row 8: service '*' has a meaning of its own in windows; write the name of one"),
        ({"policy": "No"}, {}, "row 8: policy 'No' is not a key"),
        ({"currency": None}, {}, "row 8: currency '' is not"),
        ({"currency": "EURO"}, {}, "row 8: currency 'EURO' is not"),
        ({"fee": None}, {}, "row 8: fee '' is not written as 1200.00"),
        ({"fee": Decimal(-1)}, {}, "row 8: fee '-1' is not written as 1200.00; an amount may not be negative"),
        ({"fee": Decimal("1.005")}, {}, "row 8: fee '1.005' has 3 decimals, but EUR has 2; write it like 1200.00"),
        ({"fee": Decimal("1.5"), "currency": "JPY"}, {}, "row 8: fee '1.5' has 1 decimal, but JPY has 0"),
        ({"fee": Decimal(10) ** 24}, {}, "row 8: fee '1000000000000000000000000' is more than 9,223,372,036,854,775,807 minor units"),
        ({"valid_from": None}, {}, "row 8: valid_from is empty; write a date like 2022-01-01"),
        ({"valid_to": dt.date(2022, 1, 1)}, {}, "row 8: valid_to 2022-01-01 is not after valid_from 2022-01-01"),
        ({"customer": " x"}, {"customer": pa.large_string()}, "row 8: customer ' x' is not a name"),
        ({"customer": "x" * 201}, {"customer": pa.string_view()}, "row 8: customer 'xxxxx"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_one_row_is_said_by_its_place(
    changed: dict[str, Any], types: dict[str, pa.DataType], sentence: str
) -> None:
    rows = [{**row, **changed} if at == 7 else row for at, row in enumerate(ROWS)]
    with pytest.raises(Refused) as refused:
        list(read_batches(parquet(rows, **types), rows=7))
    assert [problem[: len(sentence)] for problem in refused.value.problems] == [sentence]


@pytest.mark.parametrize(
    ("value", "name", "kind", "sentence"),
    [
        (1.5, "fee", pa.float64(), "column fee has the type double; store it as decimal or string"),
        (True, "fee", pa.bool_(), "column fee has the type bool; store it as decimal or string"),
        (dt.datetime(2022, 1, 1, tzinfo=dt.UTC), "valid_from", pa.timestamp("ms"), "column valid_from has the type timestamp[ms]; store it as date or string"),
        (b"x", "customer", pa.binary(), "column customer has the type binary; store it as string"),
        (7, "subscription", pa.int64(), "column subscription has the type int64; store it as string"),
        (["x"], "region", pa.list_(pa.string()), "column region has the type list<element: string>; store it as string"),
    ],
)  # fmt: skip
def test_a_column_of_another_kind_is_named(value: Any, name: str, kind: pa.DataType, sentence: str) -> None:
    rows = [{**row, name: value} for row in ROWS]
    with pytest.raises(Refused) as refused:
        list(read_batches(parquet(rows, **{name: kind})))
    assert refused.value.problems == (sentence,)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((*COLUMNS, "note"), "column 'note' is unknown; the columns are customer, subscription,"),
        ((*COLUMNS[:-1], "valid_too"), "column 'valid_too' is unknown (did you mean 'valid_to'?)"),
        (COLUMNS[:-1], "column 'valid_to' is missing; add it"),
        (tuple(name for name in COLUMNS if name != "region"), "column 'region' is missing; add it"),
        ((*COLUMNS, "fee"), "column 'fee' is there twice; name each once"),
    ],
)
def test_columns_that_are_unknown_missing_or_there_twice_are_named(
    names: tuple[str, ...], sentence: str
) -> None:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["x"])] * len(names), names=list(names)), out)
    for read in (
        lambda: list(read_batches(out.getvalue())),
        lambda: read_subscriptions(out.getvalue(), "parquet"),
    ):
        with pytest.raises(Refused) as refused:
            read()
        assert sentence in str(refused.value)


def test_bytes_that_are_no_parquet_or_were_damaged_are_a_sentence(tmp_path: Path) -> None:
    content = parquet(ROWS)
    for damaged in (
        b"",
        b"PAR1",
        content[:-20],
        content[:40] + b"\xff" * 20 + content[60:],
        b"customer\nAcme\n",
    ):
        with pytest.raises(Refused, match=r"^the subscriptions are not Parquet \("):
            list(read_batches(damaged))
        with pytest.raises(Refused, match=r"^the subscriptions are not Parquet \("):
            read_subscriptions(damaged, "parquet")
    with pytest.raises(Unavailable, match="cannot be read: No such file or directory; check the path"):
        list(read_batches(tmp_path / "no.parquet"))


@pytest.mark.parametrize("name", ["customer", "region"])
def test_a_text_that_is_not_utf_8_is_said_by_its_row(name: str) -> None:
    """Parquet says that its strings are UTF-8, and nobody holds a writer to it."""
    rows = [{**row, name: "Zürich" if at == 7 else row[name]} for at, row in enumerate(ROWS)]
    content = parquet(rows).replace("Zürich".encode(), b"Z\xff\xferich")
    for read in (lambda: list(read_batches(content, rows=4)), lambda: read_subscriptions(content, "parquet")):
        with pytest.raises(Refused, match=f"row 8: {name} is not UTF-8 text; write it anew"):
            read()


def test_a_subscription_in_several_tables_is_named_with_its_places() -> None:
    repeats, parts = Repeats(), []
    for of in ("subscriptions/one v1", "subscriptions/two v3"):
        for part in read_batches(parquet(ROWS), rows=6):
            repeats.add(part.iloc[1:], of)
            parts.append(part.iloc[1:])
    with pytest.raises(Refused) as refused:
        repeats.check(lambda: parts)
    assert str(refused.value).startswith(
        "subscription 's-1' (subscriptions/one v1 row 1 and subscriptions/two v3 row 1), "
    )
    assert "'s-7' (subscriptions/one v1 row 6 and subscriptions/two v3 row 6), " in str(refused.value)
