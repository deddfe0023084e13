"""The timeline of impact windows as it is drawn: to scale, UTC, one axis for all revisions, so that they compare.

Places along the axis are percentages of its width as text with three decimals, computed in integers; heights are pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ledger.domain.instants import from_seconds
from ledger.domain.window import EVERY, UNKNOWN, Window
from projections.page_states import WindowState

__all__ = ["Bar", "Lane", "Region", "Tick", "Timeline", "timeline"]

_STEPS = (
    60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000,
    7_776_000, 31_536_000,
)  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_TICKS = 12
_AXIS = 44
_HEADING = 30
_LABEL = 20
_BAR = 18
_GHOST = 15
_GAP = 12
# How far from the edges a label stands in its middle, so that none is cut off, and on narrow screens also from the next:
# labels are some 40 pixels wide, and a drawing at least 590, or 250 on narrow screens.
_EDGE = 4_000
_NARROW_EDGE = 8_000
_NARROW_APART = 20_000
# Room beside the first and after the last window, in parts of the whole.
_MARGIN = 40


class Tick(msgspec.Struct, frozen=True):
    """A line of the axis with its clock and its day below each other; few: also labelled where there is little room.

    instant: UTC seconds.
    """

    instant: int
    at: str
    clock: str
    day: str
    few: bool


class Bar(msgspec.Struct, frozen=True):
    """A state of a window in its lane. start, width, tag_at: percentages; y and ghost_y: pixels from the top of the drawing.

    Its tag, the revisions in which it stood, is beside it: to the left, or right, or within where it fills its lane.
    """

    state: WindowState
    start: str
    width: str
    y: int
    ghost_y: int
    tag: str
    tag_at: str
    tag_side: str
    before: tuple[str, str] | None
    after: tuple[str, str] | None


class Lane(msgspec.Struct, frozen=True):
    """One window within a region: its states, the oldest first, where its label stands, and the revision that said it."""

    first: int
    window: str
    component: str
    y: int
    bars: tuple[Bar, ...]


class Region(msgspec.Struct, frozen=True):
    """The windows of a region. y, height: pixels. first: the revision that first said one of them."""

    first: int
    name: str
    y: int
    height: int
    lanes: tuple[Lane, ...]


class Timeline(msgspec.Struct, frozen=True):
    """The whole drawing. height: pixels; start, end: of the axis, as instants."""

    regions: tuple[Region, ...]
    ticks: tuple[Tick, ...]
    height: int
    start: str
    end: str


def timeline(states: Sequence[WindowState]) -> Timeline | None:
    """Return the drawing of window states as `window_states` orders them; None where there is no window."""
    if not states:
        return None
    scale = _Scale(states)
    regions: list[Region] = []
    y = _AXIS
    for name in dict.fromkeys(one.window.region for one in states):
        members = [one for one in states if one.window.region == name]
        top, lanes = y, []
        y += _HEADING
        for key in dict.fromkeys(one.window.window for one in members):
            own = [one for one in members if one.window.window == key]
            lane = _lane(own, y, scale)
            lanes.append(lane)
            y += _LABEL + _BAR + _GHOST * (len(own) - _stands(own)) + _GAP
        regions.append(Region(min(one.first for one in members), _named(name), top, y - top, tuple(lanes)))
        y += 6
    return Timeline(
        tuple(regions), tuple(scale.ticks()), y, from_seconds(scale.low), from_seconds(scale.high)
    )


def _named(region: str) -> str:
    if region == EVERY:
        return "all affected regions"
    return "region not said" if region == UNKNOWN else region


def _lane(own: Sequence[WindowState], y: int, scale: _Scale) -> Lane:
    bars = []
    for at, state in enumerate(reversed(own), 1 - _stands(own)):
        # Below the bar lie the states that were superseded, the newest of them first.
        bars.append(_bar(state, y + _LABEL, y + _LABEL + _BAR + 3 + _GHOST * max(at - 1, 0), scale))
    return Lane(own[0].first, own[0].window.window, own[-1].window.component, y + 14, tuple(reversed(bars)))


def _stands(own: Sequence[WindowState]) -> bool:
    """Tell whether the last state of a lane stands to the end, and so is never drawn as a ghost."""
    return own[-1].until is None


def _bar(state: WindowState, y: int, ghost_y: int, scale: _Scale) -> Bar:
    window = state.window
    start, end = scale.low_of(window), scale.high_of(window)
    low, high = scale.place(start), scale.place(end)
    # The tag stands beside the window and what it may be off by.
    left, right = (
        scale.place(start - window.start_within_seconds),
        scale.place(end + window.end_within_seconds),
    )
    side, at = ("right", right) if right < 82_000 else ("left", left) if left > 18_000 else ("within", low)
    tag = f"since r{state.first}" if state.until is None else _span(state.first, state.until - 1)
    return Bar(
        state=state,
        start=_percent(low),
        width=_percent(high - low),
        y=y,
        ghost_y=ghost_y,
        tag=tag,
        tag_at=_percent(at),
        tag_side=side,
        before=scale.tolerance(start, window.start_within_seconds),
        after=scale.tolerance(end, window.end_within_seconds) if window.end is not None else None,
    )


def _span(first: int, last: int) -> str:
    return f"r{first}" if first == last else f"r{first} to r{last}"


class _Scale:
    """Turns UTC seconds into places on the axis, in thousandths of a percent."""

    def __init__(self, states: Sequence[WindowState]) -> None:
        windows = [one.window for one in states]
        low = min(one.start - one.start_within_seconds for one in windows)
        high = max((one.start if one.end is None else one.end + one.end_within_seconds) for one in windows)
        # What is still open needs some room to be seen to be.
        self._room = max((high - low) // 4, 3_600)
        if any(one.end is None for one in windows):
            high = max(high, *(one.start + self._room for one in windows if one.end is None))
        margin = max((high - low) // _MARGIN, 60)
        self.low, self.high = low - margin, high + margin

    def low_of(self, window: Window) -> int:
        return window.start

    def high_of(self, window: Window) -> int:
        return self.high if window.end is None else window.end

    def place(self, instant: int) -> int:
        return (instant - self.low) * 100_000 // (self.high - self.low)

    def tolerance(self, instant: int, within: int) -> tuple[str, str] | None:
        """Return the start and width of how far an instant may be off, either way."""
        if not within:
            return None
        low, high = self.place(instant - within), self.place(instant + within)
        return _percent(low), _percent(high - low)

    def ticks(self) -> Iterable[Tick]:
        step = next(
            (step for step in _STEPS if (self.high - self.low) // step < _MOST_TICKS),
            (self.high - self.low) // _MOST_TICKS,
        )
        first = -(-self.low // step) * step
        places = {at: self.place(at) for at in range(first, self.high + 1, step)}
        found = [at for at, place in places.items() if _EDGE <= place <= 100_000 - _EDGE]
        some = [at for at in found if _NARROW_EDGE <= places[at] <= 100_000 - _NARROW_EDGE]
        few = some[:: -(-_NARROW_APART * (self.high - self.low) // (100_000 * step))]
        for at in found:
            text = from_seconds(at)
            day = f"{int(text[8:10])} {_MONTHS[int(text[5:7]) - 1]}"
            clock = text[11:16] if step < 86_400 else text[:4]
            yield Tick(at, _percent(places[at]), clock, day, at in few)


def _percent(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03}%"
