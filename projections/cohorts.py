"""Cohorts: the named sets of customers that windows are limited to, read from CSV or Parquet.

A cohort is a table with the one column `customer`, as the subscriptions spell it, each customer once. Whether a window
limited to it counts for a subscription is asked of the subscription's customer, for all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.domain.policy import Policy
from ledger.domain.policy.periods import spans_of_run
from ledger.domain.window import Window, reach
from projections.evaluation.around import widened
from projections.subscriptions import CHECKS, bad_rows, columns_of, refused, repeated

__all__ = ["COLUMNS", "Cohort", "Seen", "named_by", "read_cohort"]

COLUMNS = ("customer",)
_WHAT = "the customers of the cohort"

Flags = npt.NDArray[np.bool_]


class Cohort(msgspec.Struct, frozen=True):
    """Who is in a cohort. entry: what published it, such as "cohort/beta v2"; customers: a pandas array of texts."""

    entry: str
    customers: Any

    def holds(self, customers: pd.Series) -> Flags:
        """Return for each of some customers, which may repeat, whether the cohort has it."""
        return self.places(customers) >= 0

    def places(self, customers: pd.Series) -> npt.NDArray[np.int64]:
        """Return for each of some customers its place in the cohort, -1 where it has none."""
        try:
            import pyarrow as pa
            import pyarrow.compute as pc
        except ImportError:
            found: npt.NDArray[np.int64] = pd.Index(self.customers).get_indexer(pd.Index(customers))
            return found
        given, known = (_texts(pa, values) for values in (customers.array, self.customers))
        # A table of hashes of a small set, asked by all rows, takes a tenth of the time that pandas' index does.
        here = pc.fill_null(pc.index_in(given, value_set=known), -1)
        places: npt.NDArray[np.int64] = here.to_numpy(zero_copy_only=False).astype(np.int64)
        return places


def _texts(pa: Any, values: Any) -> Any:
    made = pa.array(values, type=pa.large_string(), from_pandas=True)
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def read_cohort(source: bytes | Path, format: Literal["csv", "parquet"]) -> Any:
    """Return the customers of a cohort, in the order of the table, as a pandas array of texts.

    CSV is UTF-8 with a header line; the one column is COLUMNS. Raises Refused with a sentence for every bad row (by line
    in CSV, by row in Parquet) and every customer who is there twice; Unavailable where the file cannot be read.
    """
    columns, places = columns_of(source, format, COLUMNS, _WHAT)
    customers = columns["customer"]
    found = [
        *bad_rows("customer", customers, CHECKS["customer"]),
        *repeated("customer", customers, places),
    ]
    if found:
        raise refused(
            [f"{places(row)}: {sentence}" for row, sentence in sorted(found, key=lambda pair: pair[0])], _WHAT
        )
    return pd.array(customers, dtype="str")


def named_by(
    windows: Iterable[Window],
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    period: str,
    as_of: int,
) -> list[str]:
    """Return the cohorts that windows of a period are limited to, sorted.

    A window that the period reaches under none of the policies, each with a zone of its own, names none, unless an outage goes on
    into it.
    """
    every = [policy for versions in policies.values() for _, policy in versions]
    windows = list(windows)
    spans = [widened(every, span, windows) for span in spans_of_run(every, period)]
    return sorted(
        {
            window.cohort
            for window in windows
            if window.cohort is not None
            and not window.withdrawn
            and any(reach(window, start, end, as_of).most is not None for start, end in spans)
        }
    )


class Seen:
    """Which customers of a cohort went by in tables of subscriptions: one who never does has nothing to be credited."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        self._seen = np.zeros(len(cohort.customers), dtype=np.bool_)

    def add(self, table: pd.DataFrame) -> None:
        """Take in the customers of a table."""
        places = self.cohort.places(table["customer"])
        self._seen[places[places >= 0]] = True

    def missing(self) -> list[str]:
        """Return the customers of the cohort who did not go by, in its order."""
        found: list[str] = self.cohort.customers[~self._seen].tolist()
        return found
