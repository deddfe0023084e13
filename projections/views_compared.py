"""Views against the ledger: is what lists and reports read what the entries come to?"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby, zip_longest
from typing import Any

import msgspec

from ledger.store.log import SealedLog
from projections.views import stored_views, views_in_memory

__all__ = ["Difference", "differences"]

_Row = tuple[str, tuple[Any, ...]]


class Difference(msgspec.Struct, frozen=True):
    """A row of a view that is not as the entries make it. kept, rebuilt: None where there is no such row."""

    table: str
    incident: str
    kept: tuple[Any, ...] | None
    rebuilt: tuple[Any, ...] | None


def differences(log: SealedLog) -> Iterator[Difference] | None:
    """Yield every row in which the kept views differ from views built from nothing; None where none are kept."""
    kept = stored_views(log)
    return None if kept is None else _differing(kept.rows(), views_in_memory(log).rows())


def _differing(kept: Iterator[_Row], rebuilt: Iterator[_Row]) -> Iterator[Difference]:
    """Yield the differences of two series of rows that stand in the same order of tables and incidents."""
    sides = merge(
        ((place, 0, rows) for place, rows in _incidents(kept)),
        ((place, 1, rows) for place, rows in _incidents(rebuilt)),
        key=lambda one: one[:2],
    )
    for place, found in groupby(sides, key=lambda one: one[0]):
        both: tuple[list[Any], list[Any]] = ([], [])
        for _, side, rows in found:
            both[side].extend(rows)
        for mine, theirs in zip_longest(*both):
            if mine != theirs:
                yield Difference(place[0], place[1], mine, theirs)


def _incidents(rows: Iterator[_Row]) -> Iterator[tuple[tuple[str, str], list[tuple[Any, ...]]]]:
    """Yield the rows of each (table, incident)."""
    for place, found in groupby(rows, key=lambda row: (row[0], str(row[1][0]))):
        yield place, [row for _, row in found]
