"""The figure of a commitment, counted by hand: its period, what leaves it, time that nobody saw, and its best and worst.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.policy.model import (
    Measure,
    Remedy,
    Tier,
)
from projections.evaluation.evidence import Plain
from tests.sla.figures import (
    AVAILABLE,
    DOWN,
    GONE,
    INCIDENTS,
    REMOVED,
    TIME,
    bounds,
    fields,
    made,
    window,
)
from tests.sla.timelines import off

F = Fraction


def test_a_tenth_of_the_period_down_is_nine_tenths_available() -> None:
    found = made(TIME, window(1_000, 1_100))
    assert fields(found) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "eligible_least": 100, "eligible_most": 100,
        "low": F(9, 10), "high": F(9, 10), "downtime": ((1_000, 1_100),), "intervals": ((1_000, 1_100),),
        "entries": frozenset({"incident/i v1"}),
    }  # fmt: skip
    assert found.decided


def test_open_and_approximate_times_are_marked() -> None:
    """Open since 1,400: to 1,500 at least, to the end at most."""
    found = made(TIME, window(1_400, None, approximate=True))
    assert fields(found) == {
        "period_seconds": 1_000, "downtime_seconds": 100, "eligible_least": 100, "eligible_most": 600,
        "low": F(4, 10), "high": F(9, 10), "downtime": ((1_400, 1_500),), "intervals": ((1_400, 1_500),), "provisional": True,
        "approximate": True, "entries": frozenset({"incident/i v1"}),
    }  # fmt: skip
    assert not found.decided


@pytest.mark.parametrize(
    ("terms", "share"),
    [
        ({}, F(9, 10)),
        ({"length": F(400)}, F(3, 4)),
        # More was down than the terms say a period has.
        ({"length": F(50)}, F(0)),
        ({"valid": (1_000, 1_500)}, F(9, 10)),
        ({"valid": (1_000, 1_500), "part": "lifetime"}, F(4, 5)),
        ({"valid": (1_050, 5_000), "part": "lifetime"}, F(18, 19)),
        # Nothing of it lies in the period.
        ({"valid": (3_000, 4_000), "part": "lifetime"}, F(1)),
    ],
)
def test_the_denominator_is_the_period_a_fixed_length_or_a_lifetime(
    terms: dict[str, Any], share: Fraction
) -> None:
    assert bounds(made(TIME, window(1_000, 1_100), **terms)) == (share, share)


def test_what_leaves_the_period_makes_it_shorter_and_what_perhaps_leaves_it_a_bound() -> None:
    """Half of the period: surely, a tenth is a fifth; perhaps, it is between."""
    down = window(1_000, 1_100)
    sure = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,))
    assert fields(sure) | {"entries": None} == {
        "period_seconds": 500, "downtime_seconds": 100, "removed_seconds": 500, "removed_most": 500, "eligible_least": 100, "eligible_most": 100, "low": F(4, 5), "high": F(4, 5), "downtime": ((1_000, 1_100),), "intervals": ((1_000, 1_100),),
        "excluded": ((1_500, 2_000),), "entries": None,
    }  # fmt: skip
    perhaps = made(TIME, down, off(1_500, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (perhaps.period_seconds, perhaps.removed_seconds, perhaps.removed_most, bounds(perhaps)) == (
        1_000,
        0,
        500,
        (F(4, 5), F(9, 10)),
    )


def test_where_nothing_is_left_of_a_period_it_was_up() -> None:
    down = window(1_000, 1_100)
    sure = made(TIME, down, off(1_000, 2_000), rules=(REMOVED,))
    assert (sure.period_seconds, sure.eligible_least, sure.eligible_most, bounds(sure)) == (0, 0, 0, (1, 1))
    # All of it leaves the period perhaps: then none was down, or a tenth of all.
    perhaps = made(TIME, down, off(1_000, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (perhaps.eligible_least, perhaps.eligible_most, bounds(perhaps)) == (0, 100, (F(9, 10), 1))
    # Terms of a shorter length than what leaves it.
    short = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(499))
    assert (short.period_seconds, short.eligible_most, bounds(short)) == (0, 0, (1, 1))
    none = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(500))
    assert (none.period_seconds, none.eligible_least, none.eligible_most, bounds(none)) == (0, 0, 0, (1, 1))
    assert short.eligible_least == 0
    least = made(TIME, down, off(1_500, 2_000), rules=(REMOVED,), length=F(501))
    assert (least.period_seconds, least.eligible_most, bounds(least)) == (1, 100, (0, 0))


@pytest.mark.parametrize(
    ("measure", "period", "removed", "down"),
    [(AVAILABLE, 1_000, 0, 100), (GONE, 800, 200, 100), (DOWN, 1_000, 0, 300)],
)
def test_unseen_time_is_up_or_gone_or_down(measure: Measure, period: int, removed: int, down: int) -> None:
    found = made(measure, window(1_000, 1_100), observed=((1_000, 1_800),))
    assert (found.period_seconds, found.removed_seconds) == (period, removed)
    assert (found.eligible_least, found.eligible_most) == (down, down)
    assert bounds(found) == (1 - F(down, period), 1 - F(down, period))


def test_an_unseen_second_counts_once() -> None:
    """Down from 1,700 to 1,900, nothing known from 1,800 on: 300 seconds."""
    found = made(DOWN, window(1_700, 1_900), observed=((1_000, 1_800),))
    assert (found.eligible_least, found.eligible_most, bounds(found)) == (300, 300, (F(7, 10), F(7, 10)))
    whole = made(DOWN, window(1_000, 1_100), observed=((0, 5_000),))
    assert whole.eligible_most == 100
    asked = made(DOWN, window(1_000, 1_100), observed=((1_000, 1_300),), valid=(1_200, 1_400))
    assert asked.eligible_most == 100


def test_unseen_time_is_added_to_both_ends_and_leaves_with_what_is_excluded() -> None:
    share = Measure("affected-share", missing="down")
    unsure = window(1_000, 1_100, effect="delay", share_at_least="0.5")
    found = made(share, unsure, observed=((1_000, 1_800),))
    assert (found.eligible_least, found.eligible_most) == (250, 300)
    both = made(GONE, window(1_000, 1_100), off(1_100, 1_400), observed=((1_000, 1_800),), rules=(REMOVED,))
    assert (both.period_seconds, both.removed_seconds, bounds(both)) == (500, 500, (F(4, 5), F(4, 5)))
    perhaps = made(
        GONE, window(1_000, 1_100), off(1_100, 1_400, customer="Acme"), observed=((1_000, 1_800),), rules=(REMOVED,)
    )  # fmt: skip
    assert (perhaps.removed_seconds, bounds(perhaps)) == (200, (F(4, 5), F(7, 8)))


@pytest.mark.parametrize(
    ("of", "best", "worst"),
    [("availability", F(99, 100), F(9, 10)), ("downtime", F(10), F(100)), ("value", F(9, 10), F(99, 100))],
)
def test_the_best_and_the_worst_are_those_of_what_the_tiers_are_about(
    of: Any, best: Fraction, worst: Fraction
) -> None:
    tier = Tier(F(0), True, F(10**9), True, F(0), "all", of, Remedy())
    measure = INCIDENTS if of == "value" else TIME
    stated: dict[str, Any] = {"value" if of == "value" else "availability": (F(9, 10), F(99, 100))}
    found = made(measure, tiers=(tier,), plain=Plain(**stated))
    assert (found.best, found.worst) == (best, worst)


def test_where_perhaps_nothing_is_left_it_was_up_or_as_much_was_down_as_without_it() -> None:
    """100 seconds are down of the length that the terms say, or nothing is left of it."""
    down, half = window(1_000, 1_100), off(1_500, 2_000, customer="Acme")
    found = made(TIME, down, half, rules=(REMOVED,), length=F(400))
    assert (found.eligible_least, found.eligible_most, bounds(found)) == (0, 100, (F(3, 4), 1))
    # One second is left surely, and perhaps none.
    more = (off(1_500, 2_000), off(1_200, 1_500, customer="Acme"))
    one = made(TIME, down, *more, rules=(REMOVED,), length=F(501))
    assert (one.period_seconds, one.eligible_least, one.eligible_most, bounds(one)) == (1, 0, 100, (0, 1))
    # All but one second leave perhaps: then that second was down.
    last = made(TIME, down, off(1_001, 2_000, customer="Acme"), rules=(REMOVED,))
    assert (last.period_seconds, bounds(last)) == (1_000, (0, F(999, 1_000)))
    # Of two that leave perhaps one may, so that any part may be left: 100 of 500 are down without the second half.
    two = (off(1_500, 2_000, customer="Acme"), off(1_000, 1_500, customer="Bolt"))
    assert bounds(made(TIME, down, *two, rules=(REMOVED,))) == (0, 1)
    assert bounds(made(TIME, down, *two, rules=(REMOVED,), customer="Acme")) == (F(4, 5), F(4, 5))
    # What hangs on one fact leaves at once.
    same = (off(1_500, 2_000, customer="Acme"), off(1_000, 1_500, customer="Acme"))
    assert bounds(made(TIME, down, *same, rules=(REMOVED,))) == (F(9, 10), 1)
    # A limit may leave any part.
    limited = (msgspec.structs.replace(REMOVED, most=F(5_000)),)
    assert bounds(made(TIME, down, *same, rules=limited)) == (0, 1)


def test_of_a_lifetime_outside_the_period_nothing_is_left() -> None:
    assert made(TIME, window(1_000, 1_100), valid=(3_000, 4_000), part="lifetime").period_seconds == 0


@pytest.mark.parametrize("of", ["time", "affected-share", "user-minutes"])
def test_windows_make_time_shares_and_user_minutes(of: Any) -> None:
    half = window(1_000, 1_100, share_at_least="0.5", share_at_most="0.5")
    assert made(Measure(of), half).eligible_most == (100 if of == "time" else 50)
