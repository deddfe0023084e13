"""Where a figure meets no tier, or only a part of one: which tiers it may be in, and what of its bounds is left inside each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec
import pytest

from ledger.domain.policy.model import Commitment, Counting, Measure, Quantity, Remedy, Scope, Tier
from ledger.errors import Refused
from projections.evaluation.amounts import Choice, choices, nothing_stated
from projections.evaluation.figures import Figure

Gaps = Literal["refused", "undecided", "pays-nothing"]
NOUGHT, ONE = Fraction(0), Fraction(1)
SECONDS = 1_000


def tier(bounds: str, percent: int, of: Quantity = "availability") -> Tier:
    """A tier from a range such as "[0.99, 1]", round where the bound itself is outside."""
    low, high = bounds[1:-1].split(", ")
    return Tier(
        Fraction(low), bounds[0] == "[", Fraction(high), bounds[-1] == "]", Fraction(percent), bounds, of,
        Remedy(percent=Fraction(percent)),
    )  # fmt: skip


def commitment(tiers: Sequence[Tier], gaps: Gaps) -> Commitment:
    return Commitment("c", Measure(), Counting(), Scope(), tuple(tiers), gaps, "undecided")


def figure(of: Commitment, low: str, high: str, eligible: tuple[int, int] | None = None) -> Figure:
    """A figure of 1,000 seconds; its downtime is what its availability leaves, unless it is given."""
    least, most = Fraction(low), Fraction(high)
    if of.tiers_of == "availability":
        down = (1 - most) * SECONDS, (1 - least) * SECONDS
    else:
        down = (least, most) if of.tiers_of == "downtime" else (NOUGHT, NOUGHT)
    if eligible is not None:
        down = Fraction(eligible[0]), Fraction(eligible[1])
    return Figure(
        commitment=of, period_seconds=Fraction(SECONDS), low=least, high=most, eligible_least=down[0], eligible_most=down[1],
        downtime_seconds=down[1],
    )  # fmt: skip


def met(of: Commitment, low: str, high: str) -> list[str]:
    """The words of the tiers that a figure may be in."""
    return [one.tier.words for one in choices(figure(of, low, high))]


NONE_HOLDS = "availability in no tier of the contract"
# Nothing between 0.98 and 0.99, by either way of writing where a tier ends.
CLOSED = (tier("[0.99, 1]", 0), tier("[0, 0.98]", 10))
OPEN = (tier("(0.99, 1]", 0), tier("[0, 0.98)", 10))


@pytest.mark.parametrize("tiers", [CLOSED, OPEN])
def test_a_figure_in_a_gap_may_be_in_either_neighbour(tiers: tuple[Tier, ...]) -> None:
    assert met(commitment(tiers, "undecided"), "0.985", "0.985") == [one.words for one in tiers]


@pytest.mark.parametrize("tiers", [CLOSED, OPEN])
def test_a_figure_in_a_gap_is_paid_nothing_where_the_terms_are_read_so(tiers: tuple[Tier, ...]) -> None:
    read = commitment(tiers, "pays-nothing")
    assert met(read, "0.985", "0.985") == [NONE_HOLDS]
    assert met(read, "0.985", "0.995") == [NONE_HOLDS, tiers[0].words]
    assert met(read, "0.97", "0.985") == [NONE_HOLDS, tiers[1].words]


@pytest.mark.parametrize("gaps", ["undecided", "pays-nothing"])
@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("0.98", "0.98", "[0, 0.98]"),
        ("0.97", "0.98", "[0, 0.98]"),
        ("0.99", "0.99", "[0.99, 1]"),
        ("0.99", "0.995", "[0.99, 1]"),
    ],
)
def test_a_bound_that_belongs_to_a_tier_is_in_no_gap(gaps: Gaps, low: str, high: str, words: str) -> None:
    assert met(commitment(CLOSED, gaps), low, high) == [words]


@pytest.mark.parametrize("edge", ["0.98", "0.99"])
def test_a_bound_that_belongs_to_no_tier_is_in_the_gap(edge: str) -> None:
    assert met(commitment(OPEN, "pays-nothing"), edge, edge) == [NONE_HOLDS]
    assert met(commitment(OPEN, "undecided"), edge, edge) == ["(0.99, 1]", "[0, 0.98)"]


def test_beyond_the_last_tier_a_gap_has_one_neighbour_and_nothing() -> None:
    short = commitment((tier("[0.98, 0.99)", 5), tier("[0.95, 0.98)", 10)), "undecided")
    assert met(short, "0.995", "0.995") == [NONE_HOLDS, "[0.98, 0.99)"]
    assert met(short, "0.9", "0.9") == [NONE_HOLDS, "[0.95, 0.98)"]
    assert met(short, "0.96", "0.96") == ["[0.95, 0.98)"]


def test_no_time_up_at_all_is_in_the_worst_tier_alone() -> None:
    """The tier that stands for a gap lies at 0 by its bounds; it is there for a gap, never for its bounds."""
    assert met(commitment(CLOSED, "undecided"), "0", "0") == ["[0, 0.98]"]
    assert met(commitment(CLOSED, "pays-nothing"), "0", "0") == ["[0, 0.98]"]


def test_where_gaps_are_refused_no_neighbour_is_taken() -> None:
    assert met(commitment(CLOSED, "refused"), "0.985", "0.985") == []
    assert met(commitment(CLOSED, "refused"), "0.985", "0.995") == ["[0.99, 1]"]


# In whole minutes: between four and five there is nothing that can be measured, and ten minutes are in no tier.
IN_MINUTES = msgspec.structs.replace(
    commitment([tier(bounds, 0, "downtime") for bounds in ("[0, 240]", "[300, 540]", "[660, 9999]")], "undecided"),
    counting=Counting(quantise="total-up", quantum=60),
)  # fmt: skip


@pytest.mark.parametrize(
    ("gaps", "in_the_gap"),
    [("undecided", ["[300, 540]", "[660, 9999]"]), ("pays-nothing", ["downtime in no tier of the contract"])],
)
def test_what_cannot_be_measured_is_in_no_gap(gaps: Gaps, in_the_gap: list[str]) -> None:
    """Seconds that stand for an availability which was stated need be no whole minutes."""
    read = msgspec.structs.replace(IN_MINUTES, gaps=gaps)
    assert met(read, "600", "600") == in_the_gap
    assert met(read, "200", "310") == ["[0, 240]", "[300, 540]"]
    with pytest.raises(Refused) as refused:
        met(read, "259.2", "259.2")
    assert str(refused.value) == (
        "259.200 seconds of downtime are no whole quanta of 1 minute, in which the tiers of the policy are written; state downtime "
        "instead of an availability"
    )


@pytest.mark.parametrize("of", ["availability", "downtime", "value"])
def test_what_stands_for_a_gap_pays_nothing_and_says_what_it_is_of(of: Quantity) -> None:
    found = nothing_stated(commitment((tier("[0, 1]", 5, of),), "pays-nothing"))
    assert found == Tier(
        NOUGHT, True, NOUGHT, True, NOUGHT, f"{of} in no tier of the contract", of, Remedy(percent=NOUGHT)
    )


def inside(found: Choice) -> tuple[tuple[Fraction | int, Fraction | int], ...]:
    return found.eligible, found.down, found.value


def test_each_tier_is_left_the_bounds_that_lie_inside_it() -> None:
    """Between 5 and 30 seconds of 1,000 are down: the better tier ends at 10 of them."""
    ladder = commitment((tier("[0.99, 1]", 0), tier("[0, 0.99)", 10)), "refused")
    better, worse = choices(figure(ladder, "0.97", "0.995"))
    assert inside(better) == ((5, 10), (Fraction("0.005"), Fraction("0.01")), (0, 0))
    assert inside(worse) == ((10, 30), (Fraction("0.01"), Fraction("0.03")), (0, 0))


def test_bounds_that_meet_a_tier_in_one_point_leave_that_point() -> None:
    ladder = commitment((tier("[0.99, 1]", 0), tier("[0, 0.99)", 10)), "refused")
    better = choices(figure(ladder, "0.97", "0.99"))[0]
    assert inside(better) == ((10, 10), (Fraction("0.01"), Fraction("0.01")), (0, 0))


def test_seconds_that_lie_outside_every_part_of_the_tier_are_kept_as_they_are() -> None:
    ladder = commitment((tier("[0, 1]", 10),), "refused")
    only = choices(figure(ladder, "0.9", "0.9", (5, 6)))[0]
    assert inside(only) == ((5, 6), (Fraction("0.1"), Fraction("0.1")), (0, 0))


def test_a_neighbour_of_a_gap_is_left_the_whole_bounds() -> None:
    for one in choices(figure(commitment(CLOSED, "undecided"), "0.985", "0.985")):
        assert inside(one) == ((15, 15), (Fraction("0.015"), Fraction("0.015")), (0, 0))


def test_tiers_of_downtime_leave_seconds_and_their_part_of_the_period() -> None:
    ladder = commitment((tier("[0, 100]", 0, "downtime"), tier("(100, 5000]", 10, "downtime")), "refused")
    better, worse = found = choices(figure(ladder, "50", "2000"))
    assert tuple(one.tier for one in found) == ladder.tiers
    assert inside(better) == ((50, 100), (Fraction("0.05"), Fraction("0.1")), (0, 0))
    # More than the whole period is down at most once.
    assert inside(worse) == ((100, 2000), (Fraction("0.1"), ONE), (0, 0))


def test_tiers_of_a_value_leave_the_value() -> None:
    ladder = commitment((tier("[0, 3]", 0, "value"), tier("(3, 99]", 10, "value")), "refused")
    better, worse = found = choices(figure(ladder, "2", "7"))
    assert tuple(one.tier for one in found) == ladder.tiers
    assert inside(better) == ((0, 0), (0, 0), (2, 3))
    assert inside(worse) == ((0, 0), (0, 0), (3, 7))


def test_of_a_period_without_a_second_no_part_is_down() -> None:
    ladder = commitment((tier("[0, 100]", 0, "downtime"),), "refused")
    empty = msgspec.structs.replace(figure(ladder, "0", "0"), period_seconds=NOUGHT)
    assert inside(choices(empty)[0]) == ((0, 0), (0, 0), (0, 0))
