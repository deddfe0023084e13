"""Why the rows of a credit run came out as they did: each reason once, with how many rows it holds for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from projections.credits import rows
from projections.grouping import grouped, numbers_of

__all__ = ["SHARED", "reasons"]

# What the rows of one reason have in common.
SHARED = (
    "policy", "policy_version", "service", "region", "downtime_seconds", "excluded_seconds",
    "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "rule", "seconds_to_next_tier", "seconds_past_tier_edge", "provisional", "approximate",
    "entries",
)  # fmt: skip


def reasons(frame: pd.DataFrame) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield of each reason in a frame of `projections.credits.price` the first row, as for JSON, and the number of rows.

    In order of their first rows. No row but the first of each is made into Python objects.
    """
    if frame.empty:
        return
    places, first = grouped(len(frame), (numbers_of(frame[name].array) for name in SHARED))
    yield from zip(rows(frame.iloc[first]), np.bincount(places).tolist(), strict=True)
