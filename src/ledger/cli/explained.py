"""Why the rows of a credit run came out as they did, for people: each reason once, with the rows it holds for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

__all__ = ["Reasons"]

_SHOWN = 40


class Reasons:
    """The reasons of a run, added up over its parts; they read in the order in which they came first."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}

    def add(self, found: Iterable[tuple[dict[str, Any], int]]) -> None:
        """Take in reasons, as `projections.reasons` gives them."""
        from projections.reasons import SHARED

        for row, number in found:
            key = tuple(tuple(row[name]) if name == "entries" else row[name] for name in SHARED)
            first, before = self._found.get(key, (row, 0))
            self._found[key] = first, before + number

    def lines(self) -> Iterator[str]:
        """Yield of each policy, service and region the downtime that counted, the rule, the edges, the entries."""
        for row, number in islice(self._found.values(), _SHOWN):
            yield (
                f"{row['policy']} v{row['policy_version']}, {row['service']} in {row['region']} "
                f"({number:,} subscription{'s' if number > 1 else ''}): {row['rule']}"
            )
            for line in (_counted(row), _edges(row), _marks(row)):
                if line:
                    yield f"  {line}"
            yield f"  rests on {'; '.join(row['entries']) or 'no entry'}"
        if len(self._found) > _SHOWN:
            yield f"and {len(self._found) - _SHOWN:,} more reasons; --json and ledger credits export have each row's"


def _counted(row: dict[str, Any]) -> str:
    least, most = row["eligible_downtime_seconds_at_least"], row["eligible_downtime_seconds_at_most"]
    eligible = f"{_seconds(least)}" if least == most else f"{_seconds(least)} to {_seconds(most)}"
    excluded = f" ({_seconds(row['excluded_seconds'])} excluded)" if row["excluded_seconds"] else ""
    return f"downtime {_seconds(row['downtime_seconds'])}{excluded}, of it eligible {eligible}"


def _edges(row: dict[str, Any]) -> str:
    parts = []
    if row["seconds_past_tier_edge"] is not None:
        parts.append(f"{_seconds(row['seconds_past_tier_edge'])} past the edge of its tier")
    if row["seconds_to_next_tier"] is not None:
        parts.append(f"{_seconds(row['seconds_to_next_tier'])} more eligible downtime to the next tier")
    return ", ".join(parts)


def _marks(row: dict[str, Any]) -> str:
    parts = []
    if row["provisional"]:
        parts.append(
            "provisional: the month is not over, or a window is open, or limited to a cohort that is not at hand"
        )
    if row["approximate"]:
        parts.append("approximate: stated times without a tolerance")
    return "; ".join(parts)


def _seconds(value: Any) -> str:
    return f"{value:,} s" if isinstance(value, int) else f"{value} s"
