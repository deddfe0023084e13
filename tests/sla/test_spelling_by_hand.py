"""How figures of an answer are spelled: bounds and their ends, parts of a second, and never as the edge of a tier that they are not on."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from ledger.domain.ends import ENDLESS, above, below
from ledger.domain.policy.model import NO_LIMIT, Measure, Remedy
from projections.evaluation.spelling import edges_of, money_text, ranged, seconds_text, span_text, speller
from tests.sla.outcomes import commitment, figure, tier

F = Fraction


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (F(2), F(2), "2"),
        (F(2), F(5), "from 2 to 5"),
        (above(F(2)), F(5), "from more than 2 to 5"),
        (F(2), below(F(5)), "from 2 to less than 5"),
        (above(F(2)), below(F(5)), "from more than 2 to less than 5"),
        # What is more than 2 is not 2 or more.
        (F(2), ENDLESS, "2 or more"),
        (above(F(2)), ENDLESS, "more than 2"),
    ],
)
def test_bounds_say_whether_their_ends_are_reached(low: Fraction, high: Fraction, words: str) -> None:
    assert ranged(low, high, str) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (F(1), "1 second"), (F(90), "90 seconds"), (F(5_400), "90 minutes"), (F(1, 2), "0.5 seconds"),
        # A third has no decimals that end; 12 are shown of it.
        (F(1, 3), "0.333333333333 seconds"), (F(182, 3), "60.666666666667 seconds"),
    ],
)  # fmt: skip
def test_parts_of_a_second_are_spelled(seconds: Fraction, words: str) -> None:
    assert seconds_text(seconds) == words
    assert span_text(F(0), seconds) == f"0 seconds to {words}"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (F(1_050), "USD", "10.50"), (F(1_050), "JPY", "1050"), (F(21, 2), "USD", "0.105"), (F(21, 2), "JPY", "10.5"),
        (F(100, 3), "USD", "0.333333333333"), (F(1, 2), "BHD", "0.0005"),
    ],
)  # fmt: skip
def test_parts_of_a_minor_unit_are_spelled(amount: Fraction, currency: str, words: str) -> None:
    assert money_text(amount, currency) == words


def _of(kind: Any, measured: str, *edges: Fraction) -> Any:
    """A figure under tiers that meet at some edges."""
    bounds = [F(0), *edges, NO_LIMIT]
    tiers = [tier(Remedy(), kind, lower=low, upper=high) for low, high in pairwise(bounds)]
    return figure(commitment=commitment("c", *tiers, measure=Measure(of=measured)))  # type: ignore[arg-type]


def test_a_value_is_not_spelled_as_an_edge_that_it_is_not_on() -> None:
    """Five less a third of 10^-15: its first fifteen decimals round to 5, and the sixteenth does not."""
    latency, near = _of("value", "latency", F(5), F(9)), F(5) - F(1, 3 * 10**15)
    assert (speller(latency)(near), speller(latency)(F(5))) == ("4.9999999999999997", "5")
    assert speller(_of("value", "latency", F(9)))(near) == "5.000000000000"
    # Tiers by downtime have edges in seconds, which no availability is near to.
    down = _of("downtime", "time", F(1, 2))
    assert speller(down)(F(1, 2) - F(1, 3 * 10**16)) == "50.000000000000"


def test_an_availability_is_not_spelled_as_an_edge_that_it_is_not_on() -> None:
    """Of 99.9% a third of 10^-15 is lacking."""
    time, near = _of("availability", "time", F(999, 1000)), F(999, 1000) - F(1, 3 * 10**17)
    assert (speller(time)(near), speller(time)(F(999, 1000))) == ("99.8999999999999997", "99.900000000000")


def test_edges_are_told_from_the_best_to_the_worst() -> None:
    """The most availability is best, and the least of a value or of downtime."""
    assert edges_of(_of("availability", "time", F(9, 10), F(99, 100))) == [F(99, 100), F(9, 10)]
    assert edges_of(_of("value", "latency", F(5), F(9))) == [F(5), F(9)]
    assert edges_of(_of("downtime", "time", F(60), F(90))) == [F(60), F(90)]
