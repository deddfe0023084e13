"""Series of measurements: tables that say, span by span, what failed of a total or which value was measured, in CSV or Parquet.

The columns are start and end, and either failed and total or value. The rows are in order, do not overlap, and lie inside
the measurement that they are the figures of. Values are read by the rules for a question (`projections.evaluation.values`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ledger.domain.instants import from_seconds
from ledger.errors import Refused, nearest, require
from projections.evaluation import values
from projections.subscriptions import columns_of, refused, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "Row", "read_series"]

COLUMNS = ("start", "end", "failed", "total", "value")


class Row(NamedTuple):
    """What was measured over [start, end) in UTC seconds: failed of total, or a value as decimal text."""

    start: int
    end: int
    failed: int | None = None
    total: int | None = None
    value: str | None = None


def read_series(
    content: bytes, format: Literal["csv", "parquet"], what: str, *, span: tuple[int, int] | None = None, exact: bool = False,
) -> list[Row]:  # fmt: skip
    """Return the rows of a series.

    what: the table in the plural, as sentences begin. span: of the measurement, in UTC seconds; None where it is not known.
    exact: no columns but COLUMNS, and at least one row, as is asked of a table that is recorded. Raises Refused with a sentence
    for every bad row (by line in CSV, by row in Parquet), Unavailable where Parquet cannot be read here.
    """
    columns, place = _csv(content, what) if format == "csv" else _parquet(content, what)
    if problems := list(_bad_header(columns, exact)):
        raise refused(problems, what)
    number = len(columns["start"])
    if exact and not number:
        raise Refused(f"{what} have no row; state at least one span")
    found: list[Row] = []
    low, high = span or (None, None)
    for at in range(number):
        cells = {name: columns[name][at] for name in COLUMNS if name in columns}
        row, wrong = _row(cells)
        problems += [f"{place(at)}: {one}" for one in wrong]
        if row is None:
            continue
        if (low is not None and row.start < low) or (high is not None and row.end > high):
            problems.append(
                f"{place(at)}: {_shown(row)} lies outside the measurement; correct it, or the measurement"
            )
        elif found and row.start < found[-1].end:
            problems.append(
                f"{place(at)}: {_shown(row)} begins before the row above it ends; put them in order"
            )
        found.append(row)
    if problems:
        raise refused(problems, what)
    return found


def _shown(row: Row) -> str:
    return f"{from_seconds(row.start)} to {from_seconds(row.end)}"


def _bad_header(columns: dict[str, Sequence[Any]], exact: bool) -> list[str]:
    problems = [
        f"column {name!r} is unknown{nearest(name, COLUMNS)}; the columns are start, end, and failed with total or value"
        for name in columns
        if exact and name not in COLUMNS
    ]
    problems += [f"column {name!r} is missing; add it" for name in ("start", "end") if name not in columns]
    if "value" not in columns and not {"failed", "total"} <= columns.keys():
        problems.append(
            "column 'failed', 'total' or both are missing, and there is no 'value'; add those or that"
        )
    return problems


def _row(cells: dict[str, Any]) -> tuple[Row | None, list[str]]:
    """Return a row, None where it has no span, and what is wrong with it."""
    problems: list[str] = []

    def read(name: str, reader: Callable[[Any], Any]) -> Any:
        value = cells.get(name)
        if value is None or value == "":
            return None
        try:
            return reader(value)
        except ValueError as error:
            problems.append(f"{name} {value!r} {error}")
            return None

    start, end = (read(side, values.instant) for side in ("start", "end"))
    problems += [f"{side} is missing; add it" for side in ("start", "end") if cells.get(side) in (None, "")]
    failed, total = (read(name, values.count) for name in ("failed", "total"))
    value: Fraction | None = read("value", values.decimal)
    if not problems and (value is None) == (failed is None or total is None):
        problems.append("it states neither failed of total nor a value, or both; state one of them")
    elif failed is not None and total is not None and failed > total:
        problems.append(f"failed {failed} is more than total {total}; correct them")
    if start is None or end is None:
        return None, problems
    if end <= start:
        return None, [
            *problems,
            f"end {cells['end']!r} is not after start {cells['start']!r}; a span is [start, end)",
        ]
    return Row(start, end, failed, total, None if value is None else str(cells["value"])), problems


def _csv(content: bytes, what: str) -> tuple[dict[str, Sequence[Any]], Callable[[int], str]]:
    # Which columns there are is asked afterwards, as there are two kinds of series.
    header = content.decode("utf-8-sig", "replace").split("\n", 1)[0]
    try:
        names = next(csv.reader(io.StringIO(header)), [])
    except csv.Error:
        names = []
    columns, place = columns_of(content, "csv", names, what)
    return dict(columns), place


def _parquet(content: bytes, what: str) -> tuple[dict[str, Sequence[Any]], Callable[[int], str]]:
    require("Parquet", "pyarrow", "parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(error, content, what) from None
    problems: list[str] = []
    columns = {
        name: _cells(name, table.column(at), problems) if name in COLUMNS else []
        for at, name in enumerate(table.column_names)
    }
    if len(columns) < len(table.column_names):
        problems.append("a column is there twice; name each once")
    if problems:
        raise refused(problems, what)
    return columns, lambda row: f"row {row + 1}"


def _cells(name: str, column: pa.ChunkedArray, problems: list[str]) -> Sequence[Any]:
    """Return a column as texts and whole numbers; what cannot be exact is a problem."""
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = column.type.value_type if kinds.is_dictionary(column.type) else column.type
    is_time = name in ("start", "end")
    if kinds.is_timestamp(kind) and is_time:
        if kind.tz is None:
            problems.append(f"column {name} has no zone; store it as a timestamp in UTC")
            return []
        try:
            moments = column.cast(pa.timestamp("s", kind.tz)).cast(pa.int64()).to_pylist()
            return [None if one is None else from_seconds(one) for one in moments]
        except pa.ArrowInvalid:
            problems.append(f"column {name} has parts of a second; state whole seconds")
        except OverflowError:
            problems.append(f"column {name} lies outside the years 1970 to 9998; check the year")
        return []
    if (
        kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_string_view(kind)
        or kinds.is_null(kind)
    ):
        try:
            return list(column.to_pylist())
        except UnicodeDecodeError:
            problems.append(f"column {name} is not UTF-8 text; write it anew")
            return []
    if not is_time and kinds.is_integer(kind):
        return list(column.to_pylist())
    if not is_time and kinds.is_decimal(kind):
        return [None if one is None else format(one, "f") for one in column.to_pylist()]
    instead = (
        "timestamp in UTC or string"
        if is_time
        else "decimal, integer or string"
        if name == "value"
        else "integer or string"
    )
    problems.append(f"column {name} has the type {kind}; store it as {instead}")
    return []
