"""Laws of bad days: they are those of a slow count of half minutes, and whatever open facts turn out to be lies within the bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.periods import parse_policy_period
from ledger.domain.window import Window
from projections.availability import assess

CELL = 30
# Clocks go forward by an hour in March in two of them.
ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe")


def terms(of: str, above: int, share: tuple[str, str], zone: str) -> Policy:
    down, key = share
    rule = f'down = "{down}"\n{key} = "0.25"\n' if key else ""
    return parse_policy(
        f'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "{zone}"\n'
        f'[measure]\nof = "{of}"\nreads = []\n[counting]\neffects = ["outage", "degraded"]\nday_above = "{above} seconds"\n{rule}'
        '[[tiers]]\nvalue_at_most = "0"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "1"\ncredit_percent = "3"\nper = "unit"\n'
        '[credit]\nrounding = "half-up"\n'
    )


some_terms = st.tuples(
    st.sampled_from(["bad-days", "consecutive-days"]), st.sampled_from([0, 60, 3_600, 80_000]),
    st.sampled_from([("any", ""), ("above-share", "share_above"), ("at-least-share", "share_at_least")]),
    st.sampled_from(ZONES),
)  # fmt: skip


@st.composite
def some_windows(draw: st.DrawFn) -> list[Window]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        # Near the days on which clocks are changed, and near midnight.
        day = draw(st.sampled_from([0, 11, 12, 13, 26, 27, 30]))
        start = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp()) + day * 86_400
        start += draw(st.integers(-2_880, 2_880)) * CELL
        end = start + draw(st.one_of(st.integers(1, 200), st.integers(1, 8_000))) * CELL
        share = draw(st.sampled_from([None, "0.2", "0.25", "0.3"]))
        effect = "outage" if share is None else "degraded"
        found.append(
            Window(f"i{number}", "w", "s", "*", "EMEA", start, end, effect, share_at_least=share, share_at_most=share, regions=("EMEA",))
        )  # fmt: skip
    return found


def slow(of: str, above: int, share: tuple[str, str], zone: str, windows: list[Window]) -> int:
    """The number of days, from sets of half minutes."""
    cells: dict[str, set[int]] = {}
    for window in windows:
        said = Fraction(window.share_at_least or 1)
        counts = {
            "any": True,
            "above-share": said > Fraction(1, 4),
            "at-least-share": said >= Fraction(1, 4),
        }[share[0]]
        for at in range(window.start, window.end or 0, CELL):
            local = datetime.fromtimestamp(at, ZoneInfo(zone)).date()
            if (local.year, local.month) == (2022, 3) and counts:
                cells.setdefault(local.isoformat(), set()).add(at)
    bad = {day for day, found in cells.items() if len(found) * CELL > above}
    if of == "bad-days":
        return len(bad)
    longest = run = 0
    day = date(2022, 3, 1)
    while day.month == 3:
        run = run + 1 if day.isoformat() in bad else 0
        longest, day = max(longest, run), day + timedelta(days=1)
    return longest


def value(policy: Policy, windows: list[Window]) -> tuple[Fraction, Fraction]:
    period = parse_policy_period(policy.period, "2022-03")
    found = assess(windows, policy, 1, "s", "EMEA", period, period.end)
    assert found.value is not None
    return found.value


def apart(windows: list[Window]) -> list[Window]:
    """The windows that overlap none before them: shares of those that do add up to what nobody knows."""
    found: list[Window] = []
    for one in sorted(windows, key=lambda window: window.start):
        if all(one.start >= (other.end or 0) for other in found):
            found.append(one)
    return found


@settings(deadline=None, max_examples=60)
@given(some_terms, some_windows())
def test_the_days_are_those_of_the_slow_count(
    asked: tuple[str, int, tuple[str, str], str], windows: list[Window]
) -> None:
    windows = apart(windows)
    wanted = Fraction(slow(*asked, windows))
    assert value(terms(*asked), windows) == (wanted, wanted)


@settings(deadline=None, max_examples=60)
@given(some_terms, some_windows(), st.data())
def test_bounds_hold_whatever_the_times_turn_out_to_be_and_more_is_never_fewer_days(
    asked: tuple[str, int, tuple[str, str], str], windows: list[Window], data: st.DataObject
) -> None:
    policy = terms(*asked)
    keep = msgspec.structs.replace
    within = data.draw(st.sampled_from([30, 600, 7_200]))
    loose = [keep(one, start_within_seconds=within, end_within_seconds=within) for one in windows]
    moved = []
    for one in windows:
        start, end = (
            moment + data.draw(st.integers(-within, within)) // CELL * CELL for moment in (one.start, one.end or 0)
        )  # fmt: skip
        moved += [keep(one, start=start, end=end)] if start < end else []
    low, high = value(policy, loose)
    assert low <= value(policy, moved)[0] <= value(policy, moved)[1] <= high
    assert value(policy, windows[1:])[0] <= value(policy, windows)[1]


@pytest.mark.parametrize("of", ["bad-days", "consecutive-days"])
def test_a_month_that_was_down_throughout_has_all_its_days(of: str) -> None:
    for zone in ZONES:
        policy = terms(of, 0, ("any", ""), zone)
        period = parse_policy_period(policy.period, "2022-03")
        window = Window("i", "w", "s", "*", "EMEA", period.start, period.end, "outage", regions=("EMEA",))
        assert value(policy, [window]) == (Fraction(31), Fraction(31))
