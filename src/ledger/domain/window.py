"""An impact window as a fact to compute with, and the bounds that what was said sets to it.

Times are whole seconds since 1970-01-01T00:00:00Z, intervals half-open. Shares are kept as the decimal text
that was recorded and become exact fractions here.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from ledger.domain.ends import beside
from ledger.domain.interval import Span

__all__ = [
    "EVERY",
    "UNKNOWN",
    "Planned",
    "Reach",
    "Window",
    "place",
    "reach",
    "share_bounds",
]

EVERY = "*"
UNKNOWN = "unknown"


class Planned(msgspec.Struct, frozen=True):
    """When a planned window was announced, and for when it was scheduled; UTC seconds."""

    announced_at: int
    scheduled_start: int
    scheduled_end: int


class Window(msgspec.Struct, frozen=True):
    """One impact window of one incident.

    service, component, region: names, "*" for all of the incident's affected ones, "unknown" where it was not
    said. start, end: UTC seconds, end excluded; no end means still open. effect: outage, partial-outage,
    degraded, delay or data-loss. share_at_least, share_at_most: decimals from 0 to 1 as text, of what
    share_of says; share_sides: where each of them ends, -1 below it ("less than"), 1 above it, 0 with it, which is all that is
    recorded. approximate: times are said to be approximate. start_within_seconds, end_within_seconds:
    how far the stated times may be off. cohort: the customers it is limited to. withdrawn: counts nothing.
    regions, components: the incident's affected sets. entries: what the state of this window rests on, such
    as "incident/email-2022-03 v3".
    """

    incident: str
    window: str
    service: str
    component: str
    region: str
    start: int
    end: int | None
    effect: str
    share_at_least: str | None = None
    share_at_most: str | None = None
    share_of: str | None = None
    approximate: bool = False
    start_within_seconds: int = 0
    end_within_seconds: int = 0
    basis: str | None = None
    cohort: str | None = None
    planned: Planned | None = None
    withdrawn: bool = False
    regions: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    share_sides: tuple[int, int] = (0, 0)

    @property
    def is_vague(self) -> bool:
        """Whether its times are said to be approximate, and nobody said how far they may be off."""
        return self.approximate and not (self.start_within_seconds or self.end_within_seconds)


class Reach(msgspec.Struct, frozen=True):
    """Which seconds of a period a window covers: surely (least), as stated, and at most; None for none."""

    least: Span | None
    stated: Span | None
    most: Span | None


def share_bounds(window: Window) -> tuple[Fraction, Fraction]:
    """Return the least and the most of the affected part, each from 0 to 1.

    Nothing said: an outage affects all, any other effect an unknown part. Only one bound said: the other one
    is 0 below and 1 above.
    """
    if window.share_at_least is None and window.share_at_most is None:
        return (Fraction(1) if window.effect == "outage" else Fraction(0)), Fraction(1)
    least, most = window.share_at_least or "0", "1" if window.share_at_most is None else window.share_at_most
    low, high = window.share_sides
    return beside(Fraction(least), low), beside(Fraction(most), high)


def reach(window: Window, start: int, end: int, as_of: int) -> Reach:
    """Return what a window covers of `[start, end)`.

    Tolerances narrow the least and widen the most. An open window is stated to reach `as_of`, and can reach
    the end at most.
    """
    late, early = window.start_within_seconds, window.end_within_seconds
    if window.end is None:
        return Reach(
            least=_clipped(window.start + late, as_of, start, end),
            stated=_clipped(window.start, as_of, start, end),
            most=_clipped(window.start - late, end, start, end),
        )
    return Reach(
        least=_clipped(window.start + late, window.end - early, start, end),
        stated=_clipped(window.start, window.end, start, end),
        most=_clipped(window.start - late, window.end + early, start, end),
    )


def _clipped(low: int, high: int, start: int, end: int) -> Span | None:
    low, high = max(low, start), min(high, end)
    return (low, high) if low < high else None


def place(said: str, affected: tuple[str, ...], asked: str) -> str | None:
    """Tell whether a window in `said` (a region or component) is in `asked`: "surely", "perhaps" or None.

    `affected` is the incident's set. "*" stands for all of it, "unknown" for some part of it; an empty set
    leaves open which there are, so that "*" and "unknown" then speak of any.
    """
    if said == asked:
        return "surely"
    if said in (EVERY, UNKNOWN) and (not affected or asked in affected):
        return "surely" if said == EVERY else "perhaps"
    return None
