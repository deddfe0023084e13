"""Why the rows of a credit run came out as they did, for people: each reason once, with the rows it holds for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

__all__ = ["explanations"]

_SHOWN = 40
# What the rows of one reason share.
_SHARED = (
    "policy", "policy_version", "service", "region", "downtime_seconds", "excluded_seconds",
    "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "rule", "seconds_to_next_tier", "seconds_past_tier_edge", "provisional", "approximate",
)  # fmt: skip


def explanations(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield lines: of each policy, service and region the downtime that counted, the rule, the edges, the entries."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((*(row[name] for name in _SHARED), *row["entries"]), []).append(row)
    for same in islice(groups.values(), _SHOWN):
        first, count = same[0], len(same)
        yield (
            f"{first['policy']} v{first['policy_version']}, {first['service']} in {first['region']} "
            f"({count:,} subscription{'s' if count > 1 else ''}): {first['rule']}"
        )
        for line in (_counted(first), _edges(first), _marks(first)):
            if line:
                yield f"  {line}"
        yield f"  rests on {'; '.join(first['entries']) or 'no entry'}"
    if len(groups) > _SHOWN:
        yield f"and {len(groups) - _SHOWN:,} more reasons; --json and the workbook have each row's"


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
        parts.append(f"{_seconds(row['seconds_to_next_tier'])} more downtime to the next tier")
    return ", ".join(parts)


def _marks(row: dict[str, Any]) -> str:
    parts = []
    if row["provisional"]:
        parts.append("provisional: a window is open, or limited to a cohort that is not at hand")
    if row["approximate"]:
        parts.append("approximate: stated times without a tolerance")
    return "; ".join(parts)


def _seconds(value: Any) -> str:
    return f"{value:,} s" if isinstance(value, int) else f"{value} s"
