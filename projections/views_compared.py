"""Views against the ledger: is what lists and reports read what the entries come to?"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import groupby, zip_longest
from typing import Any

import msgspec
from sqlalchemy.exc import DatabaseError

from ledger.store.log import SealedLog
from projections.views import Views, stored_views, views_in_memory

__all__ = ["Difference", "Misfit", "differences"]

_Row = tuple[str, tuple[Any, ...]]


class Difference(msgspec.Struct, frozen=True):
    """A row of a view that is not as the entries make it. kept, rebuilt: None where there is no such row."""

    table: str
    incident: str
    kept: tuple[Any, ...] | None
    rebuilt: tuple[Any, ...] | None


class Misfit(msgspec.Struct, frozen=True):
    """That what stands where the views are kept cannot be the views of this ledger. detail: what does not fit."""

    detail: str


def differences(log: SealedLog) -> Iterator[Difference | Misfit] | None:
    """Yield every row in which the kept views differ from views built from nothing; None where none are kept.

    Views that lag behind are brought up to the ledger first. Raises Unavailable where that, or reading them, fails.
    """
    kept = stored_views(log)
    if kept is None:
        return None
    return iter((Misfit(kept),)) if isinstance(kept, str) else _compared(log, kept)


def _compared(log: SealedLog, kept: Views) -> Iterator[Difference | Misfit]:
    try:
        yield from _differing(kept.rows(), views_in_memory(log).rows())
    except DatabaseError as error:
        # The tables are there, and their tracking row was read: what cannot be read in them was put there.
        yield Misfit(f"its rows cannot be read: {str(error.orig).splitlines()[0]}")
    finally:
        kept.engine.dispose()


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
