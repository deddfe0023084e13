"""What a window surely covers, what it says it covers, and the most it can cover."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.ends import above, below
from ledger.domain.window import Reach, Window, place, reach, share_bounds

WINDOW = Window(
    incident="email-2022-03", window="w1", service="email", component="mail-flow", region="EMEA",
    start=1000, end=2000, effect="outage",
)  # fmt: skip


def window(**changes: Any) -> Window:
    return msgspec.structs.replace(WINDOW, **changes)


@pytest.mark.parametrize(
    ("changes", "bounds"),
    [
        ({}, ("1", "1")),
        ({"effect": "degraded"}, ("0", "1")),
        ({"effect": "data-loss"}, ("0", "1")),
        ({"share_at_most": "0.002"}, ("0", "0.002")),
        ({"effect": "degraded", "share_at_least": "0.3"}, ("0.3", "1")),
        ({"share_at_least": "0.3", "share_at_most": "0.3"}, ("0.3", "0.3")),
        ({"share_at_most": "0"}, ("0", "0")),
    ],
)
def test_shares_are_bounds(changes: dict[str, Any], bounds: tuple[str, str]) -> None:
    assert share_bounds(window(**changes)) == (Fraction(bounds[0]), Fraction(bounds[1]))


def test_a_share_ends_beside_its_bound_where_that_is_not_reached() -> None:
    """More than 0.3, and less than 0.4."""
    both = window(share_at_least="0.3", share_at_most="0.4", share_sides=(1, -1))
    assert share_bounds(both) == (above(Fraction(3, 10)), below(Fraction(4, 10)))
    assert share_bounds(window(share_at_most="0.4", share_sides=(0, -1))) == (
        Fraction(0),
        below(Fraction(4, 10)),
    )
    assert share_bounds(window(share_at_least="0.3", share_sides=(1, 0))) == (
        above(Fraction(3, 10)),
        Fraction(1),
    )


@pytest.mark.parametrize(
    ("changes", "vague"),
    [
        ({}, False),
        ({"approximate": True}, True),
        ({"approximate": True, "start_within_seconds": 60}, False),
        ({"approximate": True, "end_within_seconds": 60}, False),
        ({"start_within_seconds": 60, "end_within_seconds": 60}, False),
    ],
)
def test_times_are_vague_while_nobody_says_how_far_they_may_be_off(
    changes: dict[str, Any], vague: bool
) -> None:
    assert window(**changes).is_vague is vague


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, Reach((1000, 2000), (1000, 2000), (1000, 2000))),
        ({"approximate": True}, Reach((1000, 2000), (1000, 2000), (1000, 2000))),
        (
            {"start_within_seconds": 100, "end_within_seconds": 50},
            Reach((1100, 1950), (1000, 2000), (900, 2050)),
        ),
        ({"start_within_seconds": 600, "end_within_seconds": 400}, Reach(None, (1000, 2000), (400, 2400))),
        ({"end": None}, Reach((1000, 3000), (1000, 3000), (1000, 9000))),
        ({"end": None, "start_within_seconds": 100}, Reach((1100, 3000), (1000, 3000), (900, 9000))),
        ({"start": 4000, "end": None}, Reach(None, None, (4000, 9000))),
        ({"end": 99_999}, Reach((1000, 9000), (1000, 9000), (1000, 9000))),
        ({"start": -500}, Reach((0, 2000), (0, 2000), (0, 2000))),
        ({"start": 9000, "end": 9500}, Reach(None, None, None)),
        # Its stated times lie before the period, but it may have lasted into it.
        ({"start": -500, "end": -10, "end_within_seconds": 60}, Reach(None, None, (0, 50))),
    ],
)
def test_reach_within_a_period_from_0_to_9000_as_of_3000(changes: dict[str, Any], found: Reach) -> None:
    assert reach(window(**changes), 0, 9000, as_of=3000) == found


@pytest.mark.parametrize(
    ("said", "affected", "asked", "found"),
    [
        ("EMEA", ("EMEA",), "EMEA", "surely"),
        ("EMEA", ("EMEA", "NAM"), "NAM", None),
        ("*", ("EMEA", "NAM"), "NAM", "surely"),
        ("*", ("EMEA", "NAM"), "APAC", None),
        ("*", (), "APAC", "surely"),
        ("unknown", ("EMEA", "NAM"), "NAM", "perhaps"),
        ("unknown", ("EMEA", "NAM"), "APAC", None),
        ("unknown", (), "APAC", "perhaps"),
    ],
)
def test_where_a_window_is(said: str, affected: tuple[str, ...], asked: str, found: str | None) -> None:
    assert place(said, affected, asked) == found
