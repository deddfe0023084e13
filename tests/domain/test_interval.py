"""Sets of seconds: what is said twice counts once, and touching intervals are one."""

from __future__ import annotations

from ledger.domain.interval import clip, intersect, length, split, split_at_midnights, subtract, union

HOUR = 3600
MIDNIGHT_16_MARCH = 1_647_388_800


def test_union_joins_what_overlaps_or_touches_and_drops_what_is_empty() -> None:
    assert union([(30, 40), (10, 20), (20, 25), (22, 30), (50, 50), (70, 60)]) == ((10, 40),)


def test_length_counts_each_second_once() -> None:
    assert length([(0, 10), (5, 15), (5, 15)]) == 15


def test_clip_keeps_what_lies_inside() -> None:
    assert clip([(0, 10), (20, 30), (40, 50)], 5, 25) == ((5, 10), (20, 25))


def test_intersect_and_subtract_share_out_the_left_side() -> None:
    left, right = [(0, 100), (200, 300)], [(50, 60), (90, 210), (290, 400)]
    assert intersect(left, right) == ((50, 60), (90, 100), (200, 210), (290, 300))
    assert subtract(left, right) == ((0, 50), (60, 90), (210, 290))


def test_subtract_of_itself_leaves_nothing_and_of_nothing_everything() -> None:
    assert subtract([(0, 10)], [(0, 10)]) == ()
    assert subtract([(0, 10)], []) == ((0, 10),)


def test_split_gives_one_part_more_than_cuts() -> None:
    assert split([(0, 10), (20, 30)], (5, 10, 25)) == (((0, 5),), ((5, 10),), ((20, 25),), ((25, 30),))
    assert split([(5, 6)], ()) == (((5, 6),),)


def test_the_window_over_midnight_of_16_march_2022_falls_on_two_days() -> None:
    window = (MIDNIGHT_16_MARCH - 27_000, MIDNIGHT_16_MARCH + 1_800)
    per_day = split_at_midnights([window], "UTC")
    assert {day: length(spans) for day, spans in per_day.items()} == {
        "2022-03-15": 27_000,
        "2022-03-16": 1_800,
    }


def test_the_zone_says_which_day_it_is() -> None:
    window = (MIDNIGHT_16_MARCH - 27_000, MIDNIGHT_16_MARCH + 1_800)
    # In Tokyo, nine hours ahead, it begins at 01:30 of the 16th.
    assert {day: length(spans) for day, spans in split_at_midnights([window], "Asia/Tokyo").items()} == {
        "2022-03-16": 28_800
    }
    assert split_at_midnights([], "UTC") == {}


def test_days_without_any_seconds_are_left_out() -> None:
    spans = [
        (MIDNIGHT_16_MARCH, MIDNIGHT_16_MARCH + 60),
        (MIDNIGHT_16_MARCH + 72 * HOUR, MIDNIGHT_16_MARCH + 73 * HOUR),
    ]
    assert list(split_at_midnights(spans, "UTC")) == ["2022-03-16", "2022-03-19"]
