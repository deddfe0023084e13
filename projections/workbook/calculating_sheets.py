"""Where the calculating sheets are, and which of their rows belong to what."""

from __future__ import annotations

from typing import NamedTuple

from projections.workbook import outages
from projections.workbook.book import Table

__all__ = ["CalculatingSheets"]


class CalculatingSheets(NamedTuple):
    """The calculating sheets, and the rows of each case on Coverage and on Segments, first and last.

    limits: the sheet of limited exclusions, and limit_rows by case and rule; None where no case has any. outages: the sheet of outages and
    what it reads; None where no terms ask for them. days: where days of
    service are calculated, by scope: the cells at least and at most, put in when their sheet is laid out.
    """

    terms: Table
    edges: Table
    coverage: Table
    segments: Table
    calculation: Table
    coverage_rows: dict[int, tuple[int, int]]
    segment_rows: dict[int, tuple[int, int]]
    coverage_of_scope: dict[int, int]
    limits: Table | None
    limit_rows: dict[tuple[int, int], int]
    days: dict[int, tuple[str, ...]]
    outages: outages.Places | None
