"""Subscriptions by the million: a Parquet file read some rows at a time, each part as `read_subscriptions` gives it.

What is in order is recognised column by column, without a Python object for each value. A part that is not goes the slow
way of `projections.subscriptions`, which finds the sentence for every bad row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.money import minor_units
from ledger.errors import LedgerError, require
from projections.subscriptions import CHECKS, COLUMNS, check_header, refused, table_of, texts_of, unreadable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ROWS", "read_batches", "string_buffers"]

# Rows at a time: enough that what is done once for each part costs nothing, few enough to stay small.
ROWS = 500_000
_NAMES = ("customer", "subscription")
_CATEGORIES = ("service", "region", "policy", "currency")
_LONGEST = 200


def read_batches(source: bytes | Path, rows: int = ROWS) -> Iterator[pd.DataFrame]:
    """Yield the subscriptions of a Parquet file, or its bytes, as tables of at most so many rows, in order.

    Raises Refused with a sentence for every bad row of the first part that has one, Unavailable where the file cannot be
    read. Whether a subscription is there twice is asked elsewhere (`projections.repeats`): it takes all parts.
    """
    require("Parquet", "pyarrow", "parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    opened = pa.BufferReader(source) if isinstance(source, bytes) else source
    try:
        file = pq.ParquetFile(opened)
        check_header(file.schema_arrow.names)
        # Only a plain column can be read as a dictionary; any other gets its sentence later.
        plain = [name for name in _CATEGORIES if not pa.types.is_nested(file.schema_arrow.field(name).type)]
        file = pq.ParquetFile(opened, metadata=file.metadata, read_dictionary=plain)
        before = 0
        for batch in _batches(file, rows):
            yield _frame(batch, before)
            before += len(batch)
        if not before:
            # No rows are a table, too: whoever writes what comes of it has to know its columns.
            yield table_of({name: [] for name in COLUMNS}, str)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(error, source) from None


def _batches(file: pq.ParquetFile, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most so many rows; the small ones of a file with small row groups come together."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []

    def together() -> pa.RecordBatch:
        if len(waiting) == 1:
            return waiting.pop()
        table = pa.Table.from_batches(waiting).unify_dictionaries().combine_chunks()
        waiting.clear()
        (batch,) = table.to_batches()
        return batch

    for batch in file.iter_batches(batch_size=rows, columns=list(COLUMNS)):
        if waiting and sum(map(len, waiting)) + len(batch) > rows:
            yield together()
        if len(batch):
            waiting.append(batch)
    if waiting:
        yield together()


def _frame(batch: pa.RecordBatch, before: int) -> pd.DataFrame:
    frame = _in_order(batch)
    if frame is not None:
        return frame
    problems: list[str] = []
    columns = {name: texts_of(name, batch.column(name), problems, before) for name in batch.schema.names}
    if problems:
        raise refused(problems)
    return table_of(columns, lambda row: f"row {before + row + 1}")


def _in_order(batch: pa.RecordBatch) -> pd.DataFrame | None:
    """Return the table of a part in which nothing is wrong or unusual, None for any other."""
    import pyarrow as pa

    columns = {name: batch.column(name) for name in COLUMNS}
    required = [column for name, column in columns.items() if name != "valid_to"]
    if any(column.null_count for column in required):
        return None
    if not all(_ordinary_names(columns[name]) for name in _NAMES):
        return None
    if not all(_ordinary_categories(name, columns[name]) for name in _CATEGORIES):
        return None
    currency = columns["currency"]
    fees = _fees(columns["fee"], currency)
    valid_from, valid_to = (_dates(columns[name]) for name in ("valid_from", "valid_to"))
    if fees is None or valid_from is None or valid_to is None or bool((valid_to <= valid_from).any()):
        return None
    fee, digits = fees
    strings = pd.StringDtype("pyarrow", na_value=np.nan)
    made: dict[str, Any] = {
        name: pd.array(columns[name].cast(pa.large_string()), dtype=strings) for name in _NAMES
    }
    made |= {name: _categorical(columns[name]) for name in _CATEGORIES}
    made |= {"fee": fee, "minor_units": digits, "valid_from": valid_from, "valid_to": valid_to}
    return pd.DataFrame(made, copy=False)


def _ordinary_names(column: pa.Array) -> bool:
    """Return whether all names are ASCII, 1 to 200 characters, without control characters, no space at either end."""
    import pyarrow.types as kinds

    if not (kinds.is_string(column.type) or kinds.is_large_string(column.type)) or not len(column):
        return False
    letters, offsets = string_buffers(column)
    lengths = np.diff(offsets)
    if int(lengths.min()) < 1 or int(lengths.max()) > _LONGEST:
        return False
    if int(letters.min()) < 0x20 or int(letters.max()) >= 0x7F:
        return False
    starts = offsets[:-1] - offsets[0]
    return not (letters[starts] == 0x20).any() and not (letters[starts + lengths - 1] == 0x20).any()


def string_buffers(column: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the bytes of a column of strings, and where each begins and ends in the column's buffer."""
    import pyarrow.types as kinds

    wide = kinds.is_large_string(column.type)
    _, ends, data = column.buffers()
    kept = np.frombuffer(ends, dtype=np.int64 if wide else np.int32)
    offsets = kept[column.offset : column.offset + len(column) + 1].astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    letters = np.frombuffer(b"" if data is None else data, dtype=np.uint8)[first:last]
    return letters, offsets


def _ordinary_categories(name: str, column: pa.Array) -> bool:
    import pyarrow.types as kinds

    if not kinds.is_dictionary(column.type) or column.dictionary.null_count:
        return False
    try:
        values = column.dictionary.to_pylist()
    except UnicodeDecodeError:
        return False
    return all(isinstance(value, str) and not CHECKS[name](value) for value in values)


def _categorical(column: pa.Array) -> pd.Categorical:
    # Some writers keep a value twice in one dictionary, and each file has an order of its own.
    values = column.dictionary.to_pylist()
    distinct = sorted(set(values))
    place = {value: at for at, value in enumerate(distinct)}
    codes = np.array([place[value] for value in values], dtype=np.int32).take(
        column.indices.to_numpy(zero_copy_only=False)
    )
    return pd.Categorical.from_codes(codes, categories=pd.Index(distinct), validate=False)


def _fees(column: pa.Array, currency: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]] | None:
    """Return the fees in minor units and the digits of their currencies, None where one is not plain."""
    import pyarrow as pa
    import pyarrow.types as kinds

    try:
        known = np.array([minor_units(code) for code in currency.dictionary.to_pylist()], dtype=np.int8)
    except LedgerError:
        return None
    digits = known.take(currency.indices.to_numpy(zero_copy_only=False))
    if kinds.is_integer(column.type):
        try:
            return _shifted(column.cast(pa.int64()).to_numpy(zero_copy_only=False), digits, 0)
        except pa.ArrowException:
            return None
    if not kinds.is_decimal128(column.type) or column.type.scale < 0:
        return None
    # 16 bytes each, least first: an amount that fits 63 bits has a lower half that is not negative, and nothing above.
    halves = np.frombuffer(column.buffers()[1], dtype="<i8").reshape(-1, 2)
    halves = halves[column.offset : column.offset + len(column)]
    if halves[:, 1].any():
        return None
    return _shifted(np.ascontiguousarray(halves[:, 0]), digits, column.type.scale)


def _shifted(
    units: npt.NDArray[np.int64], digits: npt.NDArray[np.int8], scale: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]] | None:
    """Return amounts that are kept with `scale` decimals in the minor units of their currencies."""
    if len(units) and int(units.min()) < 0:
        return None
    result = units
    for digit in np.unique(digits).tolist():
        here = slice(None) if (digits == digit).all() else np.flatnonzero(digits == digit)
        if digit == scale:
            continue
        result = result.copy() if result is units else result
        if digit > scale:
            factor = 10 ** (digit - scale)
            if len(units) and int(units[here].max()) > (2**63 - 1) // factor:
                return None
            result[here] = units[here] * factor
        else:
            factor = 10 ** (scale - digit)
            if (units[here] % factor).any():
                return None
            result[here] = units[here] // factor
    return result, digits


def _dates(column: pa.Array) -> npt.NDArray[np.datetime64] | None:
    import pyarrow.types as kinds

    if kinds.is_null(column.type):
        return np.full(len(column), np.datetime64("NaT"), dtype="datetime64[s]")
    if not kinds.is_date32(column.type):
        return None
    found: npt.NDArray[np.datetime64] = column.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    return found
