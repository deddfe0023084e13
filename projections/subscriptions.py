"""What customers pay for, read from CSV or Parquet into a table to compute with.

The table has one row per subscription: customer and subscription as text; service, region, policy and
currency as categories; fee in whole minor units of the currency (int64), minor_units the currency's digits;
valid_from and valid_to as dates (half-open, in the zone of the policy), valid_to NaT where it has no end.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ledger.domain.checks import check_key
from ledger.domain.money import MOST_MINOR_UNITS, minor_units, parse_money
from ledger.domain.window import EVERY, UNKNOWN
from ledger.errors import LedgerError, Refused, Unavailable, nearest, require

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "CHECKS",
    "COLUMNS",
    "bad_rows",
    "check_header",
    "columns_of",
    "joined",
    "read_subscriptions",
    "refused",
    "repeated",
    "table_of",
    "texts_of",
    "unreadable",
]

COLUMNS = (
    "customer",
    "subscription",
    "service",
    "region",
    "policy",
    "currency",
    "fee",
    "valid_from",
    "valid_to",
)
SHOWN_PROBLEMS = 20

_NAME = re.compile(r"(?!\s)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}(?<!\s)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Column = list[str | None]
_WHAT = "the subscriptions"


def read_subscriptions(source: bytes | Path, format: Literal["csv", "parquet"]) -> pd.DataFrame:
    """Return the table of subscriptions in a CSV or Parquet file or in its bytes.

    CSV is UTF-8 with a header line. The columns are COLUMNS in any order; fee is a decimal in major units for
    one period, valid_to may be empty. Raises Refused with a sentence for every bad row (by line in CSV, by
    row in Parquet) and every subscription that is there twice; Unavailable where the file cannot be read.
    """
    if format == "parquet" and (table := _in_order(source)) is not None:
        return table
    return table_of(*columns_of(source, format))


def _in_order(source: bytes | Path) -> pd.DataFrame | None:
    """Return the table of a Parquet file in which nothing is wrong, None where sentences have to be found."""
    from projections.repeats import Repeats
    from projections.subscription_batches import read_batches

    repeats, parts = Repeats(), []
    try:
        for part in read_batches(source):
            repeats.add(part)
            parts.append(part)
        repeats.check(lambda: parts)
    except Refused:
        return None
    return joined(parts) if parts else None


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of subscriptions as one."""
    if len(parts) == 1:
        return parts[0]
    from pandas.api.types import union_categoricals

    return pd.DataFrame(
        {
            name: union_categoricals([part[name].array for part in parts], sort_categories=True)
            if isinstance(parts[0][name].dtype, pd.CategoricalDtype)
            else pd.concat([part[name] for part in parts], ignore_index=True)
            for name in parts[0].columns
        },
        copy=False,
    )


def columns_of(
    source: bytes | Path,
    format: Literal["csv", "parquet"],
    names: Sequence[str] = COLUMNS,
    what: str = _WHAT,
) -> tuple[dict[str, Column], Callable[[int], str]]:
    """Return the columns of a table as texts, and what says where a row stands in it.

    names: the columns it has to have, in any order. what: what the table holds, for the sentences of Refused and
    Unavailable.
    """
    content = _content(source, what)
    return _csv(content, names, what) if format == "csv" else _parquet(content, names, what)


def _content(source: bytes | Path, what: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"{what} {str(source)!r} cannot be read: {error.strerror}; check the path"
        ) from None


def _csv(content: bytes, names: Sequence[str], what: str) -> tuple[dict[str, Column], Callable[[int], str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{what} are not UTF-8 text (byte {error.start}); save the CSV as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[str] = []
    try:
        header = next(reader, [])
        check_header(header, names, what)
        for row in reader:
            if len(row) == len(header):
                rows.append(row)
                lines.append(reader.line_num)
            elif row:
                problems.append(
                    f"line {reader.line_num} has {len(row)} fields, but the header has {len(header)}; "
                    "check its commas and quotes"
                )
    except csv.Error as error:
        raise Refused(f"line {reader.line_num} of {what} is not CSV ({error}); check its quotes") from None
    if problems:
        raise refused(problems, what)
    values: list[Any] = list(zip(*rows, strict=True)) if rows else [() for _ in header]
    return {
        name: list(column) for name, column in zip(header, values, strict=True)
    }, lambda row: f"line {lines[row]}"


def _parquet(
    content: bytes, names: Sequence[str], what: str
) -> tuple[dict[str, Column], Callable[[int], str]]:
    require("Parquet", "pyarrow", "parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        check_header(file.schema_arrow.names, names, what)
        table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(error, content, what) from None
    problems: list[str] = []
    columns = {name: texts_of(name, table.column(name), problems) for name in table.column_names}
    if problems:
        raise refused(problems, what)
    return columns, lambda row: f"row {row + 1}"


def unreadable(error: Exception, source: bytes | Path, what: str = _WHAT) -> LedgerError:
    """Return the error for a Parquet file that could not be read: it is not there, or it is none."""
    # What is wrong inside of a file is an OSError for pyarrow as well, but none that the system knows.
    if isinstance(error, OSError) and error.errno is not None:
        return Unavailable(
            f"{what} {str(source)!r} cannot be read: {os.strerror(error.errno)}; check the path"
        )
    return Refused(f"{what} are not Parquet ({str(error).strip()}); check the file and its format")


def texts_of(name: str, column: pa.ChunkedArray, problems: list[str], before: int = 0) -> Column:
    """Return a Parquet column as the texts a CSV would hold; what cannot be exact is a problem.

    before: the number of rows of the file that come before the column's.
    """
    import pyarrow.types as kinds

    kind = column.type.value_type if kinds.is_dictionary(column.type) else column.type
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        problems.append(f"row {before + _undecodable(column) + 1}: {name} is not UTF-8 text; write it anew")
        return []
    if (
        kinds.is_null(kind)
        or kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_string_view(kind)
    ):
        return values
    if name == "fee" and kinds.is_decimal(kind):
        # Decimals of a Parquet column all have its scale; zeros beyond the currency's digits say nothing.
        return [None if value is None else _plain(value) for value in values]
    if name == "fee" and kinds.is_integer(kind):
        return [None if value is None else str(value) for value in values]
    if name in ("valid_from", "valid_to") and kinds.is_date(kind):
        return [None if value is None else value.isoformat() for value in values]
    instead = {"fee": "decimal or string", "valid_from": "date or string", "valid_to": "date or string"}.get(
        name, "string"
    )
    problems.append(f"column {name} has the type {kind}; store it as {instead}")
    return []


def _undecodable(column: pa.ChunkedArray) -> int:
    """Return the first place of a column whose text is not UTF-8."""
    for place, value in enumerate(column):
        try:
            value.as_py()
        except UnicodeDecodeError:
            return place
    raise ValueError("every text of the column is UTF-8")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_header(header: list[str], names: Sequence[str] = COLUMNS, what: str = _WHAT) -> None:
    """Raise Refused unless a table has exactly the columns `names`, in any order."""
    problems = [
        f"column {name!r} is there twice; name each once"
        for name in sorted({n for n in header if header.count(n) > 1})
    ]
    problems += [
        f"column {name!r} is unknown{nearest(name, names)}; "
        + (f"the columns are {', '.join(names)}" if len(names) > 1 else f"the only column is {names[0]}")
        for name in header
        if name not in names
    ]
    problems += [f"column {name!r} is missing; add it" for name in names if name not in header]
    if problems:
        raise refused(problems, what)


def refused(problems: list[str], what: str = _WHAT) -> Refused:
    """Return the error that names the problems of a table."""
    more = len(problems) - SHOWN_PROBLEMS
    shown = "; ".join(problems[:SHOWN_PROBLEMS]) + (f"; and {more:,} more" if more > 0 else "")
    return Refused(f"{what} were not read: {shown}", tuple(problems), (f"{what} were not read",))


def table_of(columns: dict[str, Column], places: Callable[[int], str]) -> pd.DataFrame:
    """Return the table that columns of texts make; `places` says where a row stands.

    Raises Refused with a sentence for every bad row.
    """
    found: list[tuple[int, str]] = []
    for name, check in CHECKS.items():
        found += bad_rows(name, columns[name], check)
    fees, problems = _fees(columns["fee"], columns["currency"])
    found += problems
    valid_from, problems = _dates("valid_from", columns["valid_from"], required=True)
    found += problems
    valid_to, problems = _dates("valid_to", columns["valid_to"], required=False)
    found += problems
    found += _reversed(valid_from, valid_to)
    found += repeated("subscription", columns["subscription"], places)
    if found:
        # Stable, so that the problems of one row keep the order of the columns.
        raise refused(
            [f"{places(row)}: {sentence}" for row, sentence in sorted(found, key=lambda pair: pair[0])]
        )
    currency = _category(columns["currency"])
    digits = np.array([minor_units(code) for code in currency.categories], dtype=np.int8)
    return pd.DataFrame(
        {
            "customer": pd.array(columns["customer"], dtype="str"),
            "subscription": pd.array(columns["subscription"], dtype="str"),
            "service": _category(columns["service"]),
            "region": _category(columns["region"]),
            "policy": _category(columns["policy"]),
            "currency": currency,
            "fee": np.array(fees, dtype=np.int64),
            "minor_units": digits[currency.codes],
            "valid_from": np.array(valid_from, dtype="datetime64[s]"),
            "valid_to": np.array(valid_to, dtype="datetime64[s]"),
        },
        copy=False,
    )


def _category(values: Column) -> pd.Categorical:
    """Return texts as categories; without any the categories are texts, too, so that tables can be joined."""
    return pd.Categorical(values, categories=pd.Index(sorted({value or "" for value in values}), dtype="str"))


def bad_rows(name: str, values: Column, check: Callable[[str], str]) -> Iterator[tuple[int, str]]:
    """Yield each row whose value a check refuses; the check is asked once for each distinct value."""
    bad = {value: sentence for value in dict.fromkeys(values) if (sentence := check(value or ""))}
    if bad:
        for row, value in enumerate(values):
            if value in bad:
                yield row, f"{name} {bad[value]}"


def _bad_name(value: str) -> str:
    if _NAME.fullmatch(value):
        return ""
    return (
        "is empty; fill it in"
        if not value
        else (
            f"{_shown(value)} is not a name: 1 to 200 characters without control characters, not starting or "
            "ending with a space"
        )
    )


def _bad_place(value: str) -> str:
    if value in (EVERY, UNKNOWN):
        # Such a row would match windows by accident, or none.
        return f"{value!r} has a meaning of its own in windows; write the name of one"
    return _bad_name(value)


def _bad_policy(value: str) -> str:
    try:
        check_key(value)
    except ValueError as error:
        return str(error)
    return ""


def _bad_currency(value: str) -> str:
    try:
        minor_units(value)
    except LedgerError as error:
        return str(error).removeprefix("currency ")
    return ""


# What is wrong with a value of each column, "" where nothing is.
CHECKS: dict[str, Callable[[str], str]] = {
    "customer": _bad_name,
    "subscription": _bad_name,
    "service": _bad_place,
    "region": _bad_place,
    "policy": _bad_policy,
    "currency": _bad_currency,
}


def _fees(values: Column, currencies: Column) -> tuple[list[int], list[tuple[int, str]]]:
    problems: list[tuple[int, str]] = []
    read: dict[tuple[str | None, str | None], int] = {}
    fees: list[int] = []
    for row, pair in enumerate(zip(values, currencies, strict=True)):
        fee = read.get(pair)
        if fee is None:
            try:
                # With an unknown currency, which has a sentence of its own, the fee is read without its
                # digits.
                fee = 0 if _bad_currency(pair[1] or "") else parse_money(pair[0] or "", pair[1] or "")
                if fee > MOST_MINOR_UNITS:
                    raise Refused(
                        f"amount {pair[0]!r} is more than {MOST_MINOR_UNITS:,} minor units; check the fee"
                    )
                read[pair] = fee
            except Refused as error:
                problems.append((row, str(error).replace("amount", "fee", 1)))
                fee = 0
        fees.append(fee)
    return fees, problems


def _dates(name: str, values: Column, *, required: bool) -> tuple[list[str | None], list[tuple[int, str]]]:
    def check(value: str) -> str:
        if not value:
            return "is empty; write a date like 2022-01-01" if required else ""
        try:
            if not _DATE.fullmatch(value):
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            return f"{_shown(value)} is not a date; write it like 2022-01-01"
        return ""

    problems = list(bad_rows(name, values, check))
    wrong = {row for row, _ in problems}
    return [value or None if row not in wrong else None for row, value in enumerate(values)], problems


def _reversed(starts: list[str | None], ends: list[str | None]) -> Iterator[tuple[int, str]]:
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if start and end and end <= start:
            yield (
                row,
                f"valid_to {end} is not after valid_from {start}; "
                "the first day that is no longer valid comes later",
            )


def repeated(name: str, values: Column, places: Callable[[int], str]) -> Iterator[tuple[int, str]]:
    """Yield each row whose value of a column stands in an earlier one, with a sentence."""
    if len(set(values)) == len(values):
        return
    first: dict[str | None, int] = {}
    for row, value in enumerate(values):
        if value and first.setdefault(value, row) != row:
            yield (
                row,
                f"{name} {_shown(value)} is already on {places(first[value])}; each may be there once",
            )


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "...")
