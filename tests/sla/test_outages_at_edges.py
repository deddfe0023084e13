"""Outages at the edges of periods, of days, of what is excluded, and of what is known of their times, asked as anybody would."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla.asking import ask, one_tier, terms

Times = tuple[str, str]


def policy(counting: str, more: str = "", **changed: Any) -> str:
    return terms(one_tier('credit_multiple = "1"'), counting=counting, more=more, **changed)


def down(*windows: Times, **said: Any) -> list[dict[str, Any]]:
    return [{"region": "EMEA", "start": f"{start}Z", "end": f"{end}Z", **said} for start, end in windows]


def eligible(found: dict[str, Any]) -> tuple[int, int]:
    low, high = (found[f"eligible_downtime_seconds_at_{end}"] for end in ("least", "most"))
    return low, high


def seconds(text: str, windows: list[dict[str, Any]], period: Any, **facts: Any) -> int:
    low, high = eligible(ask({"period": period, "windows": windows, **facts}, text))
    assert low == high
    return low


NINE_AND_NINE = down(("2025-05-31T23:51:00", "2025-06-01T00:09:00"))


@pytest.mark.parametrize(
    ("zone", "window", "parts", "whole"),
    [
        ("UTC", ("2025-05-31T23:51:00", "2025-06-01T00:09:00"), {"2025-05": 540, "2025-06": 540}, 1_080),
        ("UTC", ("2025-06-10T23:51:00", "2025-06-11T00:03:00"), {"2025-06-10": 540, "2025-06-11": 180, "2025-06": 720}, 720),
        ("UTC", ("2024-12-31T23:55:00", "2025-01-01T00:07:00"), {"2024-12": 300, "2025-01": 420}, 720),
        # Midnight in London was an hour before that of UTC.
        ("Europe/London", ("2025-05-31T22:51:00", "2025-05-31T23:09:00"), {"2025-05": 540, "2025-06": 540}, 1_080),
        # Ten minutes to the second, and a second less.
        ("UTC", ("2025-05-31T23:55:00", "2025-06-01T00:05:00"), {"2025-05": 300, "2025-06": 300}, 600),
        ("UTC", ("2025-05-31T23:55:00", "2025-06-01T00:04:59"), {"2025-05": 0, "2025-06": 0}, 0),
        # It ends where the month does.
        ("UTC", ("2025-05-31T23:51:00", "2025-06-01T00:00:00"), {"2025-05": 0, "2025-06": 0}, 0),
    ],
)  # fmt: skip
def test_an_outage_lasts_as_long_as_it_does_wherever_a_period_ends(
    zone: str, window: Times, parts: dict[str, int], whole: int
) -> None:
    text = policy('minimum = "10 minutes"', zone=zone)
    for period, counted in parts.items():
        assert seconds(text, down(window), period) == counted
    assert (
        seconds(text, down(window), {"start": "2024-12-01T00:00:00Z", "end": "2025-07-01T00:00:00Z"}) == whole
    )


@pytest.mark.parametrize(
    ("first", "second", "counted"),
    [
        # One before the month touches, or overlaps, one in it; another incident's, of another effect, in another region.
        (("2025-05-31T23:55:00", "2025-06-01T00:00:00"), {}, 540),
        (("2025-05-31T23:55:00", "2025-06-01T00:03:00"), {"incident": "other"}, 540),
        (("2025-05-31T23:55:00", "2025-05-31T23:59:59"), {}, 0),
        (("2025-05-31T23:55:00", "2025-06-01T00:00:00"), {"effect": "degraded"}, 0),
        (("2025-05-31T23:55:00", "2025-06-01T00:00:00"), {"region": "NAM"}, 0),
    ],
)
def test_what_touches_from_outside_is_the_same_outage(
    first: Times, second: dict[str, Any], counted: int
) -> None:
    windows = [
        *down(first, **{"incident": "one", **second}),
        *down(("2025-06-01T00:00:00", "2025-06-01T00:09:00")),
    ]
    assert seconds(policy('minimum = "10 minutes"'), windows, "2025-06", region="EMEA") == counted


@pytest.mark.parametrize(
    ("mode", "may", "june"), [("each-up", 540, 660), ("each-down", 540, 360), ("exact", 540, 540)]
)
def test_what_is_rounded_is_rounded_whole_and_where_it_ends(mode: str, may: int, june: int) -> None:
    """Eighteen minutes in fives are twenty, or fifteen."""
    text = policy(f'quantise = "{mode}"' + ('\nquantum = "5 minutes"' if mode != "exact" else ""))
    assert [seconds(text, NINE_AND_NINE, month) for month in ("2025-05", "2025-06")] == [may, june]


def excluded(start: str, end: str) -> dict[str, Any]:
    return {"kind": "force-majeure", "start": f"{start}Z", "end": f"{end}Z", "component": "*", "region": "*"}


def test_what_is_excluded_parts_an_outage_also_outside_of_the_period() -> None:
    """Of eleven minutes in each month, the two before midnight were a storm: eleven and nine are left, which are no outage of twenty."""
    text = policy('minimum = "10 minutes"', '[[exclusions]]\nkinds = ["force-majeure"]\n')
    windows = down(("2025-05-31T23:49:00", "2025-06-01T00:09:00"))
    storm = [excluded("2025-05-31T23:58:00", "2025-06-01T00:00:00")]
    parts = [seconds(text, windows, month, exclusions=storm) for month in ("2025-05", "2025-06")]
    assert parts == [0, 0]
    early = [excluded("2025-05-31T23:49:00", "2025-05-31T23:51:00")]
    assert [seconds(text, windows, month, exclusions=early) for month in ("2025-05", "2025-06")] == [540, 540]


def test_a_limit_of_a_period_holds_for_what_lies_in_it() -> None:
    """Five minutes a month may be excluded: in May an earlier storm has used them up, so that its last minutes count."""
    rule = '[[exclusions]]\nkinds = ["force-majeure"]\nmost = "5 minutes"\nmost_per = "period"\n'
    text = policy('minimum = "10 minutes"', rule)
    windows = down(("2025-05-31T23:55:00", "2025-06-01T00:09:00"))
    storm = excluded("2025-05-31T23:55:00", "2025-06-01T00:00:00")
    assert seconds(text, windows, "2025-06", exclusions=[storm]) == 0
    earlier = excluded("2025-05-02T00:00:00", "2025-05-02T00:05:00")
    assert seconds(text, windows, "2025-06", exclusions=[storm, earlier]) == 540


def test_an_open_outage_lasts_on_behind_the_period() -> None:
    """Begun five minutes before the end of June: five minutes of it count once it is known to have lasted ten."""
    text = policy('minimum = "10 minutes"')
    open_one = [{"region": "EMEA", "start": "2025-06-30T23:55:00Z"}]
    facts = {"period": "2025-06", "windows": open_one}
    assert eligible(ask({**facts, "as_of": "2025-06-30T23:58:00Z"}, text)) == (0, 300)
    assert eligible(ask({**facts, "as_of": "2025-07-01T00:05:00Z"}, text)) == (300, 300)


def test_a_day_adds_up_as_a_whole_where_half_of_it_is_asked_for() -> None:
    """Four blips before noon and four behind it are too much for the day, and half of that counts in each half."""
    text = policy('minimum = "1 minute"\nunless_daily_total_above = "5 minutes"')
    blips = down(*((f"2025-06-10T{hour:02}:00:00", f"2025-06-10T{hour:02}:00:50") for hour in range(8, 16)))
    noon = "2025-06-10T12:00:00Z"
    halves = ({"start": "2025-06-10T00:00:00Z", "end": noon}, {"start": noon, "end": "2025-06-11T00:00:00Z"})
    assert [seconds(text, blips, half) for half in halves] == [200, 200]
    excess = text.replace('"5 minutes"', '"5 minutes"\ndaily_total_counts = "excess"')
    assert [seconds(excess, blips, half) for half in halves] == [0, 100]


UP = 'quantise = "each-up"\nquantum = "5 minutes"'


@pytest.mark.parametrize(
    ("counting", "minutes", "expected"),
    [
        # Two minutes, give or take one at both ends, are never five.
        (f'minimum = "5 minutes"\n{UP}', [(22, 24)], (0, 0)),
        ('minimum = "5 minutes"\nunless_daily_total_above = "8 minutes"', [(22, 24)], (0, 0)),
        (f'minimum = "5 minutes"\nunless_daily_total_above = "8 minutes"\n{UP}', [(22, 24)], (0, 0)),
        # Two that surely overlap are one, of eight to twelve minutes, and of nine to thirteen.
        (UP, [(4, 13), (11, 14)], (10, 15)),
        (UP, [(29, 39), (33, 40)], (10, 15)),
        # Two of five minutes that are one or two: one of nine at least, and eight and four at most.
        (UP, [(10, 15), (20, 25)], (10, 20)),
        ('minimum = "6 minutes"\nunless_daily_total_above = "8 minutes"', [(29, 38), (35, 47)], (16, 20)),
    ],
)
def test_of_times_that_are_about_the_bounds_are_no_wider_than_they_are(
    counting: str, minutes: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    windows = down(
        *((f"2025-06-10T12:{start:02}:00", f"2025-06-10T12:{end:02}:00") for start, end in minutes),
        approximate=True, incident="a",
    )  # fmt: skip
    found = ask(
        {"period": "2025-06", "approximately_within_minutes": 1, "windows": windows}, policy(counting)
    )
    low, high = eligible(found)
    assert (low, high) == (expected[0] * 60, expected[1] * 60)


def test_what_surely_lasts_long_enough_is_not_among_the_short_ones_of_a_day() -> None:
    """Eleven to thirteen minutes before a storm and nothing to two behind it: the two are no eight, whatever they are."""
    windows = down(
        ("2025-06-10T12:29:00", "2025-06-10T12:38:00"), ("2025-06-10T12:35:00", "2025-06-10T12:47:00"), approximate=True, incident="a"
    )  # fmt: skip
    text = policy(
        'minimum = "6 minutes"\nunless_daily_total_above = "8 minutes"',
        '[[exclusions]]\nkinds = ["force-majeure"]\n',
    )
    storm = [excluded("2025-06-10T12:41:00", "2025-06-10T12:46:00")]
    facts = {"period": "2025-06", "approximately_within_minutes": 1, "windows": windows, "exclusions": storm}
    assert eligible(ask(facts, text)) == (660, 780)
