"""Why the rows of a credit run came out as they did: each reason once, with how many rows it holds for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from projections.credits import rows

__all__ = ["SHARED", "reasons"]

# What the rows of one reason have in common.
SHARED = (
    "policy", "policy_version", "service", "region", "downtime_seconds", "excluded_seconds",
    "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "rule", "seconds_to_next_tier", "seconds_past_tier_edge", "provisional", "approximate",
    "entries",
)  # fmt: skip
_MOST = 2**62


def reasons(frame: pd.DataFrame) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield of each reason in a frame of `projections.credits.price` the first row, as for JSON, and the number of rows.

    In order of their first rows. No row but the first of each is made into Python objects.
    """
    if frame.empty:
        return
    codes, size = np.zeros(len(frame), dtype=np.int64), 1
    for name in SHARED:
        column = _codes(frame[name].array)
        width = int(column.max()) + 1
        if size * width > _MOST:
            codes = pd.factorize(codes)[0].astype(np.int64)
            size = int(codes.max()) + 1
        codes = codes * width + column
        size *= width
    places = pd.factorize(codes)[0]
    counts = np.bincount(places)
    first = np.empty(len(counts), dtype=np.intp)
    # Of places assigned more than once the last value stays, so backwards it is the first row.
    first[places[::-1]] = np.arange(len(frame) - 1, -1, -1)
    yield from zip(rows(frame.iloc[first]), counts.tolist(), strict=True)


def _codes(values: Any) -> npt.NDArray[np.int64]:
    """Return a number from 0 for each distinct value of a column, null being one of them."""
    plain = (
        values.codes.astype(np.int64) + 1
        if isinstance(values, pd.Categorical)
        else pd.factorize(values, use_na_sentinel=False)[0]
    )
    found: npt.NDArray[np.int64] = plain.astype(np.int64)
    return found
