"""Downtime: the union of the impact windows of a period, per service, component and region.

A fact, not a judgement: withdrawn windows are out, planned ones and every effect are in, and no share is weighed. What
of it counts under a contract is the policy's to say (`projections.availability`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import msgspec

from ledger.domain.instants import from_seconds
from ledger.domain.interval import length, union
from ledger.domain.period import Period, days
from ledger.domain.window import EVERY, Window, reach

__all__ = ["KEYS", "DowntimeRow", "as_json", "downtime"]

KEYS = ("service", "component", "region")


class DowntimeRow(msgspec.Struct, frozen=True):
    """The downtime of one group in one period. keys: (name, value) of what was grouped by.

    windows: "incident/window" of each; cohorts: by window the cohort it is limited to, where it is.
    """

    keys: tuple[tuple[str, str], ...]
    period: Period
    downtime_seconds: int
    seconds_by_effect: dict[str, int]
    provisional: bool
    approximate: bool
    windows: tuple[str, ...]
    cohorts: dict[str, str]


def downtime(
    windows: Iterable[Window], period: Period, *, by: Sequence[str] = KEYS, per: str = "month", as_of: int
) -> list[DowntimeRow]:
    """Return the rows of a period, or of each of its days, sorted by group and period.

    as_of: UTC seconds to which an open window has lasted at least. A window for `*` counts for each name the incident
    affects; `unknown` stays a name of its own. A row is provisional where a window is open or limited to a cohort.
    """
    groups: dict[tuple[str, ...], list[Window]] = {}
    for window in windows:
        if not window.withdrawn:
            for names in product(*(_names(window, key) for key in by)):
                groups.setdefault(names, []).append(window)
    spans = days(period) if per == "day" else (period,)
    found = []
    for names, members in sorted(groups.items()):
        for span in spans:
            row = _row(tuple(zip(by, names, strict=True)), members, span, as_of)
            if row is not None:
                found.append(row)
    return found


def _names(window: Window, key: str) -> tuple[str, ...]:
    value: str = getattr(window, key)
    if value != EVERY:
        return (value,)
    return (window.regions if key == "region" else window.components) or (value,)


def _row(
    keys: tuple[tuple[str, str], ...], members: Sequence[Window], span: Period, as_of: int
) -> DowntimeRow | None:
    stated = []
    for window in members:
        covered = reach(window, span.start, span.end, as_of)
        # An open window that starts after as_of has not lasted yet, but may within the period.
        if covered.stated is not None or covered.most is not None:
            stated.append((window, covered.stated))
    if not stated:
        return None
    by_effect: dict[str, list[tuple[int, int]]] = {}
    everything: list[tuple[int, int]] = []
    for window, part in stated:
        if part is not None:
            by_effect.setdefault(window.effect, []).append(part)
            everything.append(part)
    return DowntimeRow(
        keys,
        span,
        length(union(everything)),
        {effect: length(union(parts)) for effect, parts in sorted(by_effect.items())},
        any(window.end is None or window.cohort is not None for window, _ in stated),
        any(window.approximate for window, _ in stated),
        tuple(sorted({_named(window) for window, _ in stated})),
        {_named(window): window.cohort for window, _ in stated if window.cohort is not None},
    )


def _named(window: Window) -> str:
    return f"{window.incident}/{window.window}"


def as_json(
    rows: Iterable[DowntimeRow], *, as_of: str, published_by: str | None, recorded_by: int | None
) -> dict[str, Any]:
    """Return the rows for programs (contract in docs/json.md); keys not grouped by are absent."""
    return {
        "as_of": as_of,
        "published_by": published_by,
        "recorded_by": recorded_by,
        "rows": [
            {
                **dict(row.keys),
                "period": row.period.label,
                "period_start": from_seconds(row.period.start),
                "period_end": from_seconds(row.period.end),
                "zone": row.period.zone,
                "downtime_seconds": row.downtime_seconds,
                "seconds_by_effect": row.seconds_by_effect,
                "provisional": row.provisional,
                "approximate": row.approximate,
                "windows": list(row.windows),
                "cohorts": row.cohorts,
            }
            for row in rows
        ],
    }
