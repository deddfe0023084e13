"""Laws of outages: how long one lasts is decided by the whole of it, and where its times are not known, by all they may be.

The slow calculator shares no code with the other: it counts seconds one by one, in sets, over all time, and cuts last.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby, pairwise, product
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.period import Period, parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.availability import Assessment, assess

# The seconds around the turn of a month.
MAY, JUNE = parse_period("2025-05"), parse_period("2025-06")
EDGE = JUNE.start
FAR = 60


class Terms(msgspec.Struct, frozen=True):
    """How a random policy counts outages. daily: the limit of a day, and what counts above it."""

    minimum: int = 0
    quantise: str = "exact"
    quantum: int = 5
    daily: tuple[int, str] | None = None

    def policy(self) -> Policy:
        text = 'format = 2\npolicy = "p"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        text += '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
        text += f'minimum = "{self.minimum} seconds"\n' if self.minimum else ""
        if self.daily is not None:
            text += f'unless_daily_total_above = "{self.daily[0]} seconds"\ndaily_total_counts = "{self.daily[1]}"\n'
        text += f'quantise = "{self.quantise}"\n'
        text += f'quantum = "{self.quantum} seconds"\n' if self.quantise != "exact" else ""
        text += '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
        text += '[[tiers]]\ncredit_percent = "1"\n[credit]\nrounding = "half-up"\n'
        return parse_policy(text)

    @property
    def each(self) -> bool:
        return self.quantise in ("each-up", "each-down")


def window(start: int, end: int, name: str = "w", **changed: Any) -> Window:
    made = Window(
        "i", name, "mail", "*", "EMEA", EDGE + start, EDGE + end, "outage", entries=(f"incident/{name} v1",)
    )
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def off(start: int, end: int) -> Exclusion:
    return Exclusion("x", "planned-maintenance", "mail", "*", "*", EDGE + start, EDGE + end)


def span(start: int, end: int) -> Period:
    return Period(
        "asked", "span", "UTC", EDGE + start, EDGE + end, "2025-05-31" if start < 0 else "2025-06-01"
    )


def found(
    terms: Terms,
    windows: list[Window],
    period: Period,
    exclusions: list[Exclusion] | None = None,
    **more: Any,
) -> Assessment:
    return assess(
        windows, terms.policy(), 1, "mail", "EMEA", period, EDGE + 10**6, exclusions=exclusions or (), **more
    )


def exactly(*asked: Any, **more: Any) -> Fraction:
    made = found(*asked, **more)
    assert made.eligible is not None
    return made.eligible


def slowly(terms: Terms, down: set[int], start: int, end: int) -> int:
    """What counts from one second to another, of seconds that are down in all time; 0 is midnight."""
    runs = [
        [at for _, at in group]
        for _, group in groupby(enumerate(sorted(down)), key=lambda pair: pair[1] - pair[0])
    ]
    kept = {at for run in runs if len(run) >= terms.minimum for at in run}
    more = 0
    if terms.daily is not None:
        short = sorted(at for run in runs if len(run) < terms.minimum for at in run)
        for of_a_day in ([at for at in short if at < 0], [at for at in short if at >= 0]):
            if len(of_a_day) > terms.daily[0]:
                if terms.daily[1] == "all":
                    kept |= set(of_a_day)
                else:
                    more += sum(start <= at < end for at in of_a_day[terms.daily[0] :])
    if not terms.each:
        return len([at for at in kept if start <= at < end]) + more
    total = 0
    for _, group in groupby(enumerate(sorted(kept)), key=lambda pair: pair[1] - pair[0]):
        run = [at for _, at in group]
        if terms.quantise == "each-down":
            whole = run[: len(run) // terms.quantum * terms.quantum]
            total += sum(start <= at < end for at in whole)
        else:
            total += sum(start <= at < end for at in run)
            total += -len(run) % terms.quantum if start <= run[-1] < end else 0
    return total + more


def _sayable(terms: Terms) -> Terms:
    """A day's total asks for a least duration, and seconds without a place fit no quanta."""
    fits = terms.minimum and (terms.daily is None or terms.daily[1] == "all" or terms.quantise == "exact")
    return terms if fits else msgspec.structs.replace(terms, daily=None)


counts = st.builds(
    Terms,
    minimum=st.sampled_from([0, 3, 7, 12]),
    quantise=st.sampled_from(["exact", "each-up", "each-down"]),
    quantum=st.sampled_from([2, 5, 8]),
    daily=st.none() | st.tuples(st.sampled_from([4, 9]), st.sampled_from(["all", "excess"])),
).map(_sayable)


@st.composite
def some_windows(draw: st.DrawFn, count: int = 5) -> list[Window]:
    found = []
    for number in range(draw(st.integers(1, count))):
        start = draw(st.integers(-25, 20))
        found.append(window(start, start + draw(st.integers(1, 14)), f"w{number}"))
    return found


@settings(deadline=None, max_examples=200)
@given(
    counts,
    some_windows(),
    st.lists(st.integers(-24, 30), max_size=4),
    st.none() | st.tuples(st.integers(-25, 20), st.integers(1, 9)),
)
@example(Terms(minimum=10), [window(-9, 9)], [0], None)
@example(Terms(minimum=10), [window(-9, 0), window(0, 9, "v")], [0], None)
@example(Terms(minimum=10), [window(-9, 9)], [0], (-1, 1))
@example(Terms(quantise="each-up"), [window(-9, 3)], [-4, 0], None)
@example(Terms(quantise="each-down"), [window(-9, 3)], [-4, 0], None)
@example(Terms(minimum=12, daily=(4, "excess")), [window(-9, 1), window(5, 11, "v")], [0, 8], None)
def test_the_parts_add_up_to_the_whole_wherever_a_time_is_cut(
    terms: Terms, windows: list[Window], cuts: list[int], excluded: tuple[int, int] | None
) -> None:
    """Months, days, and what else a time may be cut into; each part is what the slow calculator finds."""
    exclusions = [off(excluded[0], sum(excluded))] if excluded else []
    down = {at - EDGE for one in windows for at in range(one.start, one.end or 0)}
    down -= {at for one in exclusions for at in range(one.start - EDGE, one.end - EDGE)}
    edges = sorted({-FAR, *cuts, FAR})
    parts = [span(start, end) for start, end in pairwise(edges)]
    each = [exactly(terms, windows, part, exclusions) for part in parts]
    assert each == [slowly(terms, down, part.start - EDGE, part.end - EDGE) for part in parts]
    assert sum(each) == exactly(terms, windows, span(-FAR, FAR), exclusions)
    # The calendar's own periods, and the two parts that a subscription that ends and one that begins leave of one.
    assert sum(exactly(terms, windows, month, exclusions) for month in (MAY, JUNE)) == sum(each)
    days = (parse_period("2025-05-31"), parse_period("2025-06-01"))
    assert sum(exactly(terms, windows, day, exclusions) for day in days) == sum(each)
    whole = span(-FAR, FAR)
    cut = EDGE + (cuts[0] if cuts else 0)
    halves = ((whole.start, cut), (cut, whole.end))
    assert sum(exactly(terms, windows, whole, exclusions, valid=half) for half in halves) == sum(each)


def ways(one: Window) -> Iterator[range]:
    """Every way to close what is not known of a window: the seconds that it covers, counted from midnight."""
    late, early = one.start_within_seconds, one.end_within_seconds
    for start, end in product(range(-late, late + 1), range(-early, early + 1)):
        yield range(one.start - EDGE + start, (one.end or 0) - EDGE + end)


def enumerated(terms: Terms, windows: list[Window], start: int, end: int) -> tuple[int, int]:
    amounts = {
        slowly(terms, {at for seconds in chosen for at in seconds}, start, end)
        for chosen in product(*(ways(one) for one in windows))
    }
    return min(amounts), max(amounts)


def about(within: tuple[int, int]) -> dict[str, Any]:
    return {"start_within_seconds": within[0], "end_within_seconds": within[1]}


tolerances = st.tuples(st.integers(0, 4), st.integers(0, 4))


@settings(deadline=None, max_examples=300)
@given(counts, st.integers(-16, 12), st.integers(1, 18), tolerances, st.integers(-14, 0), st.integers(1, 16))
@example(Terms(minimum=12, quantise="each-up"), 4, 6, (2, 2), -14, 16)
@example(Terms(minimum=12, daily=(9, "all")), 4, 4, (2, 2), -14, 16)
@example(Terms(quantise="each-up", quantum=8), -6, 9, (4, 4), 0, 16)
@example(Terms(quantise="each-down", quantum=8), -6, 9, (4, 4), 0, 16)
@example(Terms(quantise="each-up", quantum=8), -7, 8, (4, 4), 0, 5)
@example(Terms(minimum=7, quantise="each-down", quantum=5), -8, 12, (3, 4), 0, 2)
def test_of_one_outage_the_bounds_are_the_least_and_the_most_of_all_its_times(
    terms: Terms, start: int, lasts: int, within: tuple[int, int], first: int, past: int
) -> None:
    """Also where it goes on over an edge, where a later start may count for more."""
    one = window(start, start + lasts, **about(within))
    made = found(terms, [one], span(first, past))
    least, most = enumerated(terms, [one], first, past)
    if terms.daily is None:
        assert [made.eligible_at_least, made.eligible_at_most] == [least, most]
    assert made.eligible_at_least <= least <= most <= made.eligible_at_most


@settings(deadline=None, max_examples=200)
@given(
    counts,
    st.lists(
        st.tuples(st.integers(-12, 10), st.integers(1, 9), st.integers(0, 2), st.integers(0, 2)),
        min_size=2,
        max_size=3,
    ),
    st.integers(-14, 0),
    st.integers(1, 16),
)
@example(Terms(quantise="each-up"), [(2, 9, 1, 1), (6, 7, 1, 1)], -14, 16)
def test_of_several_outages_the_bounds_hold_every_way_their_times_may_be(
    terms: Terms, said: list[tuple[int, int, int, int]], first: int, past: int
) -> None:
    windows = [
        window(start, start + lasts, f"w{number}", **about((late, early)))
        for number, (start, lasts, late, early) in enumerate(said)
    ]
    made = found(terms, windows, span(first, past))
    least, most = enumerated(terms, windows, first, past)
    assert made.eligible_at_least <= least <= most <= made.eligible_at_most
    inside = all(
        first <= begin - late and begin + lasts + early <= past for begin, lasts, late, early in said
    )
    if terms.daily is None and (terms.quantise == "exact" or (terms.quantise == "each-down" and inside)):
        # The more of it is down the more counts: what is down at least and at most are both among the ways.
        assert [made.eligible_at_least, made.eligible_at_most] == [least, most]


@pytest.mark.parametrize("quantise", ["exact", "each-up", "each-down"])
def test_what_touches_from_outside_is_named_and_what_does_not_is_not(quantise: str) -> None:
    terms = Terms(minimum=10, quantise=quantise)
    windows = [
        window(-9, 0, "before"),
        window(0, 9, "inside"),
        window(-30, -20, "earlier"),
        window(40, 50, "later"),
    ]
    made = found(terms, windows, span(0, 30))
    assert made.eligible_at_least > 0
    assert made.entries == ("incident/before v1", "incident/inside v1", "policy/p v1")
    alone = found(Terms(), windows, span(0, 30))
    assert alone.entries == ("incident/inside v1", "policy/p v1")
