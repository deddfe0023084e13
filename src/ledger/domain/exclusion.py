"""An exclusion as a fact to compute with: time that a policy may leave out, why, and who approved it.

Times are whole seconds since 1970-01-01T00:00:00Z, intervals half-open, as everywhere.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["Exclusion", "ExclusionKind", "RecurringKind"]

ExclusionKind: TypeAlias = Literal[
    "planned-maintenance", "emergency-maintenance", "force-majeure", "customer", "third-party", "suspension", "beta",
]  # fmt: skip


# What a policy excludes by itself; nobody records it.
RecurringKind: TypeAlias = Literal["outside-service-hours", "maintenance-window"]


class Exclusion(msgspec.Struct, frozen=True):
    """Time that may be left out of downtime; whether it is, its policy says by kind, notice and annual cap.

    service, component, region: names, or "*" for all. start, end: UTC seconds, end excluded. announced_at: UTC seconds, for
    maintenance that counts as planned only when it was announced in time. customer, cohort: the only customers it
    concerns; neither: everybody. withdrawn: it excludes nothing. entries: what it rests on, such as
    "exclusion/storm-2022 v1".
    """

    exclusion: str
    kind: ExclusionKind | RecurringKind
    service: str
    component: str
    region: str
    start: int
    end: int
    announced_at: int | None = None
    customer: str | None = None
    cohort: str | None = None
    withdrawn: bool = False
    entries: tuple[str, ...] = ()
