"""Credit rows as files for other programs: Parquet and CSV, written part by part so that memory stays flat.

A file stands under its name only when it is whole; the same rows give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.errors import require
from ledger.outputs import Kind, output_file
from projections.credits import COLUMNS, MONEY_COLUMNS, rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CSV", "PARQUET", "as_arrow", "digest", "write_csv", "write_parquet"]

# Decimals of every amount in Parquet: the most an ISO 4217 currency has (CLF, UYW). Exact for all others, too.
_DECIMALS = 4
_FLAGS = frozenset(("provisional", "approximate"))
_INTEGERS = frozenset(
    ("policy_version", "downtime_seconds", "excluded_seconds", "period_seconds", "seconds_to_next_tier",
     "seconds_past_tier_edge")
)  # fmt: skip
# Different in nearly every row: a dictionary of them would only cost.
_DISTINCT = frozenset(("customer", "subscription", *MONEY_COLUMNS))
# A spreadsheet takes a text that starts with one of these for a formula (OWASP, CSV Injection). One that starts with an apostrophe
# gets another, so that whoever takes one away from each text that has one is left with what it was.
_FORMULA_STARTS = ("'", "=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_TEXTS = ("customer", "subscription", "service", "region", "policy", "rule", "entries", "claim")
_HEADING = ",".join(COLUMNS) + "\r\n"


def _is_parquet(file: BinaryIO) -> bool:
    """Return whether a file is Parquet with the columns of credit rows; a table of subscriptions has others."""
    require("Parquet", "pyarrow", "parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(file).names) == tuple(COLUMNS)
    except pa.ArrowException:
        return False


# What of earlier exports may be replaced by another one.
CSV = Kind("rows of credit as CSV", lambda file: file.read(len(_HEADING)) == _HEADING.encode())
PARQUET = Kind("rows of credit as Parquet", _is_parquet)


def as_arrow(frame: pd.DataFrame) -> pa.Table:
    """Return a frame of `projections.credits.price` as an Arrow table with COLUMNS.

    Amounts are decimals in major units with 4 places, null where the bounds do not decide them; seconds of eligible
    downtime, percentages and availability are decimal texts, exact as in JSON; entries are one text, parted by "; ".
    """
    import pyarrow as pa

    scale = 10 ** (_DECIMALS - frame["minor_units"].to_numpy().astype(np.int64))
    found: dict[str, pa.Array] = {}
    for name in COLUMNS:
        values = frame[name].array
        if name in MONEY_COLUMNS:
            found[name] = _decimals(values, scale)
        elif name in _FLAGS:
            found[name] = pa.array(np.asarray(values, dtype=np.bool_))
        elif name in _INTEGERS:
            found[name] = pa.array(values, type=pa.int64())
        elif name in _DISTINCT:
            found[name] = pa.array(values, type=pa.large_string(), from_pandas=True)
        else:
            found[name] = _repeated(values if isinstance(values, pd.Categorical) else pd.Categorical(values))
    return pa.table(found)


def _decimals(values: Any, scale: npt.NDArray[np.int64]) -> pa.Array:
    """Return minor units as decimals: what is 16 bytes in Arrow is written there as two halves, least first."""
    import pyarrow as pa

    null = np.asarray(pd.isna(values), dtype=np.bool_)
    units = np.asarray(pd.array(values).fillna(0) if null.any() else values, dtype=np.int64)
    if len(units) and int(np.abs(units).max()) > (2**63 - 1) // 10**_DECIMALS:
        exact = [
            None if gone else int(unit) * int(factor)
            for gone, unit, factor in zip(null.tolist(), units.tolist(), scale.tolist(), strict=True)
        ]
        whole = np.asarray([value or 0 for value in exact], dtype=object)
        low, high = (whole & (2**64 - 1)).astype(np.uint64).view(np.int64), (whole >> 64).astype(np.int64)
    else:
        low = units * scale
        high = low >> 63
    halves = np.empty((len(low), 2), dtype="<i8")
    halves[:, 0], halves[:, 1] = low, high
    mask = pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None
    return pa.Array.from_buffers(pa.decimal128(38, _DECIMALS), len(low), [mask, pa.py_buffer(halves)])


def _repeated(values: pd.Categorical) -> pa.Array:
    import pyarrow as pa

    texts = [
        "; ".join(value) if isinstance(value, tuple | list) else str(value)
        for value in values.categories.tolist()
    ]
    codes = np.asarray(values.codes, dtype=np.int32)
    # Categories are told apart as values; as texts two of them may be alike (1 and "1").
    indices = pa.array(codes, mask=codes < 0) if (codes < 0).any() else pa.array(codes)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, type=pa.string()))


def write_parquet(path: Path, frames: Iterable[pd.DataFrame]) -> str:
    """Write the rows of all frames as Parquet and return the SHA-256 of the file, in hexadecimal."""
    require("Parquet", "pyarrow", "parquet")
    import pyarrow.parquet as pq

    with output_file(path, PARQUET) as beside, beside.open("wb") as file:
        writer: Any = None
        try:
            for frame in frames:
                table = as_arrow(frame)
                if writer is None:
                    writer = pq.ParquetWriter(
                        file, table.schema, compression="zstd", compression_level=1,
                        use_dictionary=[name for name in COLUMNS if name not in _DISTINCT],
                    )  # fmt: skip
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()
        file.flush()
        return digest(beside)


def write_csv(path: Path, frames: Iterable[pd.DataFrame]) -> str:
    """Write the rows of all frames as CSV (UTF-8, RFC 4180) and return the SHA-256 of the file, in hexadecimal.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay as they are.
    """
    with output_file(path, CSV) as beside:
        with beside.open("w", encoding="utf-8", newline="") as file:
            _write_rows(file, frames)
        return digest(beside)


def _write_rows(file: IO[str], frames: Iterable[pd.DataFrame]) -> None:
    file.write(_HEADING)
    for frame in frames:
        for row in rows(frame):
            row["entries"] = "; ".join(row["entries"])
            file.write(",".join(_csv_value(name, row[name]) for name in COLUMNS) + "\r\n")


def _csv_value(name: str, value: Any) -> str:
    """Return a value as it stands in CSV: numbers bare, texts in quotes and never a formula.

    The quotes hold what a reader with another separator would take for the next cell (OWASP, CSV Injection).
    """
    if value is None:
        return ""
    if name not in _TEXTS:
        return str(value).lower() if value is True or value is False else str(value)
    text: str = f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    return '"' + text.replace('"', '""') + '"'


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
