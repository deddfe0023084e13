"""Sets of seconds: what is said twice counts once, and touching intervals are one."""

from __future__ import annotations

from ledger.domain.interval import intersect, length, subtract, union


def test_union_joins_what_overlaps_or_touches_and_drops_what_is_empty() -> None:
    assert union([(30, 40), (10, 20), (20, 25), (22, 30), (50, 50), (70, 60)]) == ((10, 40),)


def test_length_counts_each_second_once() -> None:
    assert length([(0, 10), (5, 15), (5, 15)]) == 15


def test_intersect_and_subtract_share_out_the_left_side() -> None:
    left, right = [(0, 100), (200, 300)], [(50, 60), (90, 210), (290, 400)]
    assert intersect(left, right) == ((50, 60), (90, 100), (200, 210), (290, 300))
    assert subtract(left, right) == ((0, 50), (60, 90), (210, 290))


def test_subtract_of_itself_leaves_nothing_and_of_nothing_everything() -> None:
    assert subtract([(0, 10)], [(0, 10)]) == ()
    assert subtract([(0, 10)], []) == ((0, 10),)


def test_subtract_of_several_passes_by_all_that_lie_before() -> None:
    assert subtract([(0, 10), (20, 30)], [(1, 2), (3, 4), (22, 23)]) == (
        (0, 1), (2, 3), (4, 10), (20, 22), (23, 30),
    )  # fmt: skip
