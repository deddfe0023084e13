"""A measurement as a fact to compute with: failed of total, or a value, over an interval.

Times are whole seconds since 1970-01-01T00:00:00Z, intervals half-open, as everywhere.
"""

from __future__ import annotations

import msgspec

__all__ = ["Measurement"]


class Measurement(msgspec.Struct, frozen=True):
    """What was measured over [start, end) in UTC seconds, as `measurement.recorded` says it.

    of: requests, users, messages, executions or latency. service, component, region: names, "*" for all, "unknown" where it
    was not said. failed of total, or value: a decimal as text, in `unit`, as the named `statistic`. regions, components: the
    incident's affected sets. entries: what it rests on, such as "incident/email-2022-03 v7".
    """

    incident: str
    measurement: str
    service: str
    component: str
    region: str
    start: int
    end: int
    of: str
    total: int | None = None
    failed: int | None = None
    value: str | None = None
    unit: str | None = None
    statistic: str | None = None
    regions: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
