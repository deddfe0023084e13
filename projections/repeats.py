"""Subscriptions that are there twice, among as many as there are: 8 bytes are kept of each, and no text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.errors import Refused

__all__ = ["Repeats"]

Hashes = npt.NDArray[np.uint64]
_SHOWN = 20
_ROWS = 3
_ODD = 0x9E3779B97F4A7C15  # any odd number has an inverse modulo 2**64


class Repeats:
    """The subscriptions seen so far, as hashes; only where two agree are the texts looked at."""

    def __init__(self) -> None:
        self._seen: list[Hashes] = []
        self._of: list[str] = []

    def add(self, table: pd.DataFrame, of: str = "") -> None:
        """Take in the subscriptions of a table, or of a part of the table `of`."""
        self._seen.append(_hashes(table["subscription"]))
        self._of.append(of)

    def check(self, again: Callable[[], Iterable[pd.DataFrame]]) -> None:
        """Raise Refused when a subscription was added twice, and say where; `again` gives the same tables once more."""
        if not self._seen:
            return
        hashes, of = np.concatenate(self._seen), self._of
        self._seen, self._of = [], []
        hashes.sort()
        double = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        if not len(double):
            return
        twice = {name: rows for name, rows in _places(double, again(), of).items() if len(rows) > 1}
        if twice:
            shown = ", ".join(
                f"{name!r} ({' and '.join(rows[:_ROWS])}{' and so on' if len(rows) > _ROWS else ''})"
                for name, rows in islice(twice.items(), _SHOWN)
            )
            more = f" and {len(twice) - _SHOWN:,} more" if len(twice) > _SHOWN else ""
            raise Refused(
                f"subscription {shown}{more} stands in the tables more than once; correct them, or name the table with "
                "--subscriptions; one that was published by mistake is taken back by one without rows and a reason"
            )


def _places(double: Hashes, tables: Iterable[pd.DataFrame], names: list[str]) -> dict[str, list[str]]:
    """Return of each subscription with one of the hashes where it stands in the tables."""
    found: dict[str, list[str]] = {}
    before, last = 0, ""
    for table, name in zip(tables, names, strict=True):
        before, last = (before if name == last else 0), name
        column = table["subscription"]
        for row in np.flatnonzero(np.isin(_hashes(column), double)).tolist():
            found.setdefault(str(column.iloc[row]), []).append(f"{name} row {before + row + 1}".lstrip())
        before += len(table)
    return found


def _hashes(column: pd.Series) -> Hashes:
    """Return a number of 64 bits for each text: equal texts have equal numbers."""
    try:
        import pyarrow as pa
    except ImportError:
        found: Hashes = pd.util.hash_array(column.to_numpy(dtype=object), categorize=False)
        return found
    from projections.subscription_batches import string_buffers

    arrays = pa.array(column, type=pa.large_string(), from_pandas=True)
    chunks = arrays.chunks if isinstance(arrays, pa.ChunkedArray) else [arrays]
    return np.concatenate(
        [np.zeros(0, np.uint64), *(_of_buffers(*string_buffers(chunk)) for chunk in chunks)]
    )


def _of_buffers(letters: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Hashes:
    """Return for each text the polynomial of its bytes modulo 2**64, as a difference of running sums."""
    if not len(letters):
        return np.zeros(len(offsets) - 1, np.uint64)
    powers, inverses = _powers(len(letters))
    terms = letters.astype(np.uint64)
    # A byte 0 would add nothing, and a text that ends in one would equal the text without it.
    terms += np.uint64(1)
    terms *= powers[: len(letters)]
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(terms, out=sums[1:])
    places = offsets - offsets[0]
    at = sums.take(places)
    # The power that a text began with is divided out again.
    differences: Hashes = (at[1:] - at[:-1]) * inverses.take(places[:-1])
    return differences


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return the powers of an odd number, and of its inverse, from 0 up to a count."""
    if not _MADE or len(_MADE[0]) <= count:
        _MADE[:] = [_cumulated(base, count) for base in (_ODD, pow(_ODD, -1, 2**64))]
    return _MADE[0], _MADE[1]


def _cumulated(base: int, count: int) -> Hashes:
    factors = np.full(count + 1, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


_MADE: list[Hashes] = []
