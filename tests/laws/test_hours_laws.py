"""Laws of hours of service and recurring maintenance: what counts is what a slow look at each half hour of local time says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.periods import parse_policy_period
from ledger.domain.window import Window
from projections.availability import assess

CELL = 1_800
# Half an hour is the least by which clocks are changed, and all of these have whole ones.
ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def clock(cells: int) -> str:
    return f"{cells // 2:02}:{'30' if cells % 2 else '00'}"


def terms(
    zone: str, hours: tuple[int, int] | None, days: list[int], nights: tuple[int, int] | None, treated: str
) -> Policy:
    named = ", ".join(f'"{DAYS[day]}"' for day in sorted(days))
    text = (
        f'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "{zone}"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "0"\n[credit]\nrounding = "half-up"\n'
    )
    if hours:
        text += (
            f'[service_hours]\ncalendar = "c"\n[calendars.c]\ndays = [{named}]\nopens = "{clock(hours[0])}"\n'
            f'closes = "{clock(hours[1])}"\nholidays = [2022-03-14]\n'
        )
    if nights:
        text += f'[[maintenance]]\ndays = [{named}]\nfrom = "{clock(nights[0])}"\nto = "{clock(nights[1])}"\ntreated = "{treated}"\n'
    return parse_policy(text)


def begins_in(at: int, zone: ZoneInfo, days: list[int], span: tuple[int, int]) -> bool:
    """Whether a half hour lies in hours that begin on one of some days, by the time that clocks show; over midnight, too."""
    local = datetime.fromtimestamp(at, zone)
    shown = local.hour * 2 + local.minute // 30
    if span[0] < span[1]:
        return local.weekday() in days and span[0] <= shown < span[1]
    before = (local.date() - timedelta(days=1)).weekday()
    return (local.weekday() in days and shown >= span[0]) or (before in days and shown < span[1])


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(ZONES), st.sampled_from([None, (16, 36), (0, 48), (14, 40)]), st.sets(st.integers(0, 6), min_size=1).map(sorted),
    # Changes of clocks are between midnight and three: hours begin and end outside of them, but may lie around them.
    st.sampled_from([None, (46, 8), (44, 6), (12, 20)]), st.sampled_from(["up", "removed"]),
    st.lists(st.tuples(st.integers(-100, 1_500), st.integers(1, 300)), min_size=1, max_size=4),
)  # fmt: skip
def test_what_counts_is_what_each_half_hour_says(
    name: str, hours: tuple[int, int] | None, days: list[int], nights: tuple[int, int] | None, treated: str,
    outages: list[tuple[int, int]],
) -> None:  # fmt: skip
    policy = terms(name, hours, days, nights, treated)
    period, zone = parse_policy_period(policy.period, "2022-03"), ZoneInfo(name)
    first = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp())
    windows = [
        Window(f"i{at}", "w", "s", "*", "A", first + start * CELL, first + (start + lasts) * CELL, "outage", regions=("A",))
        for at, (start, lasts) in enumerate(outages)
    ]  # fmt: skip
    eligible = denominator = 0
    for at in range(period.start, period.end, CELL):
        day = datetime.fromtimestamp(at, zone).date()
        served = hours is None or (day != date(2022, 3, 14) and begins_in(at, zone, days, hours))
        worked_on = nights is not None and begins_in(at, zone, days, nights)
        down = any(one.start <= at < (one.end or 0) for one in windows)
        eligible += down and served and not worked_on
        denominator += served and not (worked_on and treated == "removed")
    found = assess(windows, policy, 1, "s", "A", period, period.end)
    assert found.period_seconds == denominator * CELL
    assert (
        found.eligible_at_least == found.eligible_at_most == Fraction(eligible * CELL if denominator else 0)
    )
