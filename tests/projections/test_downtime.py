"""Downtime as the union of the windows of a period, and its JSON contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.period import parse_period
from ledger.domain.window import Planned, Window
from projections.downtime import DowntimeRow, as_json, downtime

_MARCH = parse_period("2022-03")


def _at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


_AS_OF = _at("2022-05-01T00:00")


def _window(start: str = "2022-03-15T02:00", end: str | None = "2022-03-15T03:00", **fields: Any) -> Window:
    given_fields = {
        "incident": "email", "window": "w", "service": "email", "component": "flow", "region": "NAM", "effect": "outage",
        "regions": ("EMEA", "NAM"), "components": ("flow", "quarantine"), **fields,
    }  # fmt: skip
    return Window(start=_at(start), end=None if end is None else _at(end), **given_fields)


_NAMED = [
    _window("2022-03-14T16:00", "2022-03-14T23:59", window="emea-mail", component="mail flow", region="EMEA",
            effect="data-loss", approximate=True, share_at_most="0.002"),
    _window("2022-03-15T02:30", "2022-03-15T10:00", window="nam-quarantine", component="quarantine"),
    _window("2022-03-15T16:30", "2022-03-16T00:30", window="emea-quarantine", component="quarantine", region="EMEA"),
]  # fmt: skip


def _figures(rows: list[DowntimeRow]) -> dict[tuple[str, ...], int]:
    return {
        (*(value for _, value in row.keys), row.period.label): row.downtime_seconds
        for row in rows
        if row.downtime_seconds
    }


def test_march_2022_per_region() -> None:
    rows = downtime(_NAMED, _MARCH, by=("region",), as_of=_AS_OF)
    assert _figures(rows) == {("EMEA", "2022-03"): 57_540, ("NAM", "2022-03"): 27_000}
    assert rows[0].seconds_by_effect == {"data-loss": 28_740, "outage": 28_800}
    assert rows[0].windows == ("email/emea-mail", "email/emea-quarantine")
    assert [row.approximate for row in rows] == [True, False]
    assert not any(row.provisional for row in rows)


def test_march_2022_per_day_splits_at_midnight_and_adds_up_to_the_month() -> None:
    rows = downtime(_NAMED, _MARCH, by=("region",), per="day", as_of=_AS_OF)
    assert _figures(rows) == {
        ("EMEA", "2022-03-14"): 28_740, ("EMEA", "2022-03-15"): 27_000, ("EMEA", "2022-03-16"): 1_800,
        ("NAM", "2022-03-15"): 27_000,
    }  # fmt: skip


def test_march_2022_by_all_keys() -> None:
    assert _figures(downtime(_NAMED, _MARCH, as_of=_AS_OF)) == {
        ("email", "mail flow", "EMEA", "2022-03"): 28_740,
        ("email", "quarantine", "EMEA", "2022-03"): 28_800,
        ("email", "quarantine", "NAM", "2022-03"): 27_000,
    }


def test_json_has_the_keys_of_the_contract_and_none_that_were_not_grouped_by() -> None:
    rows = downtime(_NAMED, _MARCH, by=("region",), as_of=_AS_OF)
    found = as_json(rows, as_of="2022-05-01T00:00:00.000000Z", published_by=None, recorded_by=7)
    assert list(found) == ["as_of", "published_by", "recorded_by", "rows"]
    assert (found["as_of"], found["published_by"], found["recorded_by"]) == (
        "2022-05-01T00:00:00.000000Z", None, 7)  # fmt: skip
    assert found["rows"][1] == {
        "region": "NAM",
        "period": "2022-03",
        "period_start": "2022-03-01T00:00:00.000000Z",
        "period_end": "2022-04-01T00:00:00.000000Z",
        "zone": "UTC",
        "downtime_seconds": 27_000,
        "seconds_by_effect": {"outage": 27_000},
        "provisional": False,
        "approximate": False,
        "windows": ["email/nam-quarantine"],
        "cohorts": {},
    }
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def test_overlapping_windows_count_once_but_under_each_effect() -> None:
    overlapping = [
        _window("2022-03-15T02:00", "2022-03-15T04:00", window="one"),
        _window("2022-03-15T03:00", "2022-03-15T05:00", window="two", effect="delay", incident="other"),
    ]
    [row] = downtime(overlapping, _MARCH, as_of=_AS_OF)
    assert row.downtime_seconds == 3 * 3600
    assert row.seconds_by_effect == {"delay": 7200, "outage": 7200}
    assert row.windows == ("email/one", "other/two")


def test_a_window_for_all_counts_for_each_affected_name_and_unknown_stays_a_name() -> None:
    windows = [
        _window(region="*", window="all"),
        _window("2022-03-16T02:00", "2022-03-16T03:00", region="unknown", window="somewhere"),
    ]
    assert _figures(downtime(windows, _MARCH, by=("region",), as_of=_AS_OF)) == {
        ("EMEA", "2022-03"): 3600, ("NAM", "2022-03"): 3600, ("unknown", "2022-03"): 3600}  # fmt: skip
    assert set(_figures(downtime([_window(component="*")], _MARCH, by=("component",), as_of=_AS_OF))) == {
        ("flow", "2022-03"), ("quarantine", "2022-03")}  # fmt: skip
    # No affected names are known: the word itself is all there is to say.
    bare = downtime([_window(region="*", regions=())], _MARCH, by=("region",), as_of=_AS_OF)
    assert _figures(bare) == {("*", "2022-03"): 3600}


def test_withdrawn_windows_and_other_months_are_out_and_planned_ones_are_in() -> None:
    windows = [
        _window(withdrawn=True),
        _window("2022-04-01T00:00", "2022-04-02T00:00", window="later"),
        _window("2022-02-28T00:00", "2022-03-01T00:00", window="earlier"),
    ]
    assert downtime(windows, _MARCH, as_of=_AS_OF) == []
    planned = _window(planned=Planned(0, 0, 1))
    assert [row.downtime_seconds for row in downtime([planned], _MARCH, as_of=_AS_OF)] == [3600]


def test_windows_are_clipped_to_the_period() -> None:
    [row] = downtime([_window("2022-02-01T00:00", "2022-05-01T00:00")], _MARCH, as_of=_AS_OF)
    assert row.downtime_seconds == _MARCH.seconds == 2_678_400


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2022-03-15T01:00", 0), ("2022-03-15T04:00", 7200), ("2022-04-09T00:00", 16 * 86_400 + 22 * 3600)],
)
def test_an_open_window_lasts_to_as_of_and_is_provisional(as_of: str, expected: int) -> None:
    [row] = downtime([_window(end=None)], _MARCH, as_of=_at(as_of))
    assert (row.downtime_seconds, row.provisional, row.windows) == (expected, True, ("email/w",))


def test_an_open_window_that_starts_later_does_not_touch_the_period() -> None:
    assert downtime([_window("2022-04-01T00:00", None)], _MARCH, as_of=_AS_OF) == []


def test_a_cohort_makes_its_row_provisional_and_no_other() -> None:
    rows = downtime([_window(cohort="beta"), _window(region="EMEA")], _MARCH, by=("region",), as_of=_AS_OF)
    assert [(row.keys[0][1], row.provisional) for row in rows] == [("EMEA", False), ("NAM", True)]
    assert [row.cohorts for row in rows] == [{}, {"email/w": "beta"}]


def test_a_month_in_which_the_clocks_change() -> None:
    """March 2022 has 743 hours in London, and 27 March has 23."""
    london = parse_period("2022-03", "Europe/London")
    whole = [_window("2022-02-01T00:00", "2022-05-01T00:00")]
    [month] = downtime(whole, london, as_of=_AS_OF)
    by_day = downtime(whole, london, per="day", as_of=_AS_OF)
    assert month.downtime_seconds == 743 * 3600 == sum(row.downtime_seconds for row in by_day)
    assert {row.period.label: row.downtime_seconds for row in by_day}["2022-03-27"] == 23 * 3600
    [found] = as_json([month], as_of="", published_by=None, recorded_by=None)["rows"]
    assert (found["zone"], found["period_end"]) == ("Europe/London", "2022-03-31T23:00:00.000000Z")


_spans = st.tuples(st.integers(-900, 900), st.one_of(st.none(), st.integers(1, 400)))


@given(
    st.lists(
        st.tuples(
            _spans, st.sampled_from(["EMEA", "NAM", "*", "unknown"]), st.sampled_from(["outage", "delay"])
        ),
        max_size=8,
    ),
    st.sampled_from(["UTC", "Europe/London", "America/New_York"]),
    st.integers(-900, 900),
)
def test_the_days_of_a_group_add_up_to_its_month(
    given_windows: list[tuple[tuple[int, int | None], str, str]], zone: str, now: int
) -> None:
    """Given any windows, open ones too, then days, months and effects agree with a count hour by hour."""
    period = parse_period("2022-03", zone)
    windows = []
    for number, ((start, hours), region, effect) in enumerate(given_windows):
        window = _window(region=region, effect=effect, window=f"w{number}")
        begin = period.start + start * 3600
        windows.append(
            msgspec.structs.replace(window, start=begin, end=None if hours is None else begin + hours * 3600)
        )
    as_of = period.start + now * 3600
    months = downtime(windows, period, by=("region",), as_of=as_of)
    by_day = downtime(windows, period, by=("region",), per="day", as_of=as_of)
    for row in months:
        mine = [day for day in by_day if day.keys == row.keys]
        assert sum(day.downtime_seconds for day in mine) == row.downtime_seconds
        for effect, counted in row.seconds_by_effect.items():
            assert sum(day.seconds_by_effect.get(effect, 0) for day in mine) == counted
        region = row.keys[0][1]
        down = [
            hour
            for hour in range(period.start, period.end, 3600)
            if any(
                one.start <= hour < (as_of if one.end is None else one.end)
                and (one.region == region or (one.region == "*" and region in one.regions))
                for one in windows
            )
        ]
        assert row.downtime_seconds == len(down) * 3600
    assert downtime(list(reversed(windows)), period, by=("region",), as_of=as_of) == months
