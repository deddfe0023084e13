"""How many outages there are, how each is rounded, and how it goes on over the edge of what is asked for, counted by hand.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import Counting, ExclusionRule, Measure, Scope
from ledger.domain.window import Planned, Window
from projections.evaluation.evidence import Membership
from tests.sla.timelines import (
    EXCLUDED,
    MIDNIGHT,
    OUTAGE,
    READS,
    SHARE,
    Fact,
    bounds,
    line,
    off,
    requests,
    window,
)

F = Fraction
# Of a cohort that nobody can name: one outage more, or none.
PERHAPS = window(1_500, 1_510, "perhaps", cohort="beta")


def counting(**changed: Any) -> Counting:
    found: Counting = msgspec.structs.replace(OUTAGE, **changed)
    return found


# ---- how many --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "least", "most"),
    [
        ([window(1_100, 1_200)], 1, 1),
        # What is excluded in its midst parts it; before it, behind it, or over its first second it does not.
        ([window(1_100, 1_200), off(1_140, 1_150)], 2, 2),
        ([window(1_100, 1_200), off(1_050, 1_100)], 1, 1),
        ([window(1_100, 1_200), off(1_050, 1_101)], 1, 1),
        ([window(1_100, 1_200), off(1_150, 1_200)], 1, 1),
        # Perhaps excluded: in its midst it may part it, over its ends it may not.
        ([window(1_100, 1_200), off(1_140, 1_150, customer="Acme")], 1, 2),
        ([window(1_100, 1_200), off(1_050, 1_100, customer="Acme")], 1, 1),
        ([window(1_100, 1_200), off(1_150, 1_200, customer="Acme")], 1, 1),
        ([window(1_105, 1_200, start_within_seconds=5), off(1_050, 1_100, customer="Acme")], 1, 1),
        # One that is all excluded, right behind another one.
        ([window(1_100, 1_200), window(1_200, 1_300, "v"), off(1_200, 1_300)], 1, 1),
        # Of one component the end is excluded; in another it goes on.
        ([window(1_100, 1_200, component="inbox"), window(1_100, 1_300, "v", component="outbox"), off(1_150, 1_200, component="inbox")], 1, 1),
        ([window(1_100, 1_200, component="inbox"), window(1_100, 1_300, "v", component="outbox"), off(1_150, 1_200, component="inbox", customer="Acme")], 1, 1),
        # Two that begin at the same second are one.
        ([window(1_100, 1_200), window(1_100, 1_150, "v")], 1, 1),
        # Within a tolerance each may begin and end on its own.
        ([window(1_100, 1_105, start_within_seconds=10, end_within_seconds=10),
          window(1_100, 1_105, "v", start_within_seconds=10, end_within_seconds=10)], 0, 2),
        # It may end before it has begun, and then there was none.
        ([window(1_100, 1_110, start_within_seconds=20)], 0, 1),
        ([window(990, 1_100, start_within_seconds=20, cohort="beta")], 0, 1),
        # Where it may begin at the earliest something excluded ends: that is no second beginning.
        ([window(1_100, 1_200, start_within_seconds=10), off(1_050, 1_090)], 1, 1),
    ],
)  # fmt: skip
def test_how_many_outages_there_are(facts: list[Fact], least: int, most: int) -> None:
    assert line(*facts, PERHAPS).outages == (least, most + 1)


MEASURED = requests(1_100, 1_200, 1, 4)


@pytest.mark.parametrize(
    ("facts", "scope", "least", "most"),
    [
        ([MEASURED], Scope(), 1, 1),
        ([MEASURED, off(1_050, 1_101)], Scope(), 1, 1),
        ([MEASURED, off(1_050, 1_110)], Scope(), 1, 1),
        ([MEASURED, off(1_140, 1_150)], Scope(), 2, 2),
        ([MEASURED, off(1_140, 1_150, customer="Acme")], Scope(), 1, 2),
        # Excluded in its component, or in its region: there it may be parted.
        ([requests(1_100, 1_200, 1, 4, component="inbox"), off(1_140, 1_150, component="inbox", customer="Acme")], Scope(), 1, 2),
        ([requests(1_100, 1_200, 1, 4, component="inbox"), off(1_140, 1_150, component="outbox", customer="Acme")], Scope(), 1, 1),
        ([MEASURED, off(1_140, 1_150, region="A", customer="Acme")], Scope("union"), 1, 2),
        ([MEASURED, off(1_140, 1_150, region="B", customer="Acme")], Scope("union"), 1, 1),
        # Where nothing failed, perhaps here, no window counts: it may be parted by that, or begin behind it.
        ([window(1_050, 1_300), requests(1_100, 1_150, 0, 4, region="unknown")], Scope(), 1, 2),
        ([window(1_150, 1_300), requests(1_100, 1_150, 0, 4, region="unknown")], Scope(), 1, 1),
    ],
)  # fmt: skip
def test_how_many_outages_there_are_where_some_was_measured(
    facts: list[Fact], scope: Scope, least: int, most: int
) -> None:
    assert line(*facts, PERHAPS, measure=READS, scope=scope).outages == (least, most + 1)


def test_everywhere_at_once_an_outage_begins_where_the_last_region_does() -> None:
    """In A it begins anew behind what is excluded, a second before it begins in B."""
    facts = (
        window(1_100, 1_200),
        window(1_151, 1_200, "b", region="B"),
        off(1_140, 1_150, region="A"),
        window(1_500, 1_510, "perhaps", region="*", cohort="beta"),
    )
    assert line(*facts, scope=Scope("service-wide", ("A", "B"))).outages == (1, 2)


def test_a_midnight_may_part_outages_that_count_by_the_day() -> None:
    """20 seconds on either side are above a limit of 15 on both days; on one of two days it may end an outage."""
    period = Period("p", "span", "UTC", MIDNIGHT - 1_000, MIDNIGHT + 1_000, "1970-01-01")
    perhaps = window(MIDNIGHT + 500, MIDNIGHT + 510, "perhaps", cohort="beta")
    daily = counting(minimum=F(60), unless_daily_total_above=F(15))
    found = line(window(MIDNIGHT - 20, MIDNIGHT + 20), perhaps, counting=daily, period=period)
    assert (bounds(found), found.outages) == ((40, 50), (1, 3))


# ---- each rounded for itself -----------------------------------------------------------------------------------------

EACH_UP = counting(quantise="each-up", quantum=60)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([window(1_100, 1_161)], (120, 120)),
        # 30 seconds before what is excluded, and 50 behind it.
        ([window(1_100, 1_200), off(1_130, 1_150)], (120, 120)),
        # 100 seconds, or the first 50 of them.
        ([window(1_100, 1_200), off(1_150, 1_250, customer="Acme")], (60, 120)),
        # 100 seconds; or one, and 98 behind one that is excluded.
        ([window(1_100, 1_200), off(1_101, 1_102, customer="Acme")], (120, 180)),
        # It lasts until now at least, and may last on over the end of the period.
        ([window(1_700, 1_800), window(1_880, None, "v")], (120, 120 + 120)),
    ],
)
def test_each_outage_is_rounded_for_itself_with_what_is_excluded_of_it(
    facts: list[Fact], expected: tuple[int, int]
) -> None:
    """Beside them ten seconds may be down, which would be a minute."""
    least, most = expected
    assert bounds(line(*facts, PERHAPS, counting=EACH_UP)) == (least, most + 60)
    measured = [
        requests(one.start, one.end, 1, 4, measurement=one.window) if isinstance(one, Window) and one.end else one
        for one in facts
    ]  # fmt: skip
    assert bounds(line(*measured, PERHAPS, counting=EACH_UP, measure=READS)) == (least, most + 60)


@pytest.mark.parametrize(
    ("one", "expected"),
    [(requests(1_100, 1_161, 1, 4, region="unknown"), (0, 120)), (requests(1_100, 1_161, 0, 4), (0, 0))],
)
def test_a_measurement_that_is_perhaps_of_here_is_rounded_where_it_is(
    one: Measurement, expected: tuple[int, int]
) -> None:
    assert bounds(line(one, PERHAPS, counting=EACH_UP, measure=READS)) == (expected[0], expected[1] + 60)


def test_an_open_outage_is_rounded_from_now_to_the_end_of_the_period() -> None:
    assert bounds(line(window(1_400, None), counting=EACH_UP)) == (120, 600)


def test_a_share_that_perhaps_counts_makes_no_sure_outage() -> None:
    """Of three tenths to nine it is not known whether they are more than a half."""
    half = msgspec.structs.replace(EACH_UP, down="above-share", share_above=F(1, 2))
    unsure = window(1_100, 1_200, share_at_least="0.3", share_at_most="0.9")
    assert bounds(line(unsure, counting=half)) == (0, 120)
    assert bounds(line(unsure, counting=half, measure=SHARE))[0] == 0
    # Everywhere at once: surely down in A, and perhaps in B.
    facts = (window(1_100, 1_200), window(1_100, 1_200, "b", region="B", cohort="beta"))
    least, most = bounds(line(*facts, counting=EACH_UP, scope=Scope("service-wide", ("A", "B"))))
    assert least == 0
    assert most >= 120


# ---- over the edge ---------------------------------------------------------------------------------------------------

LONG = counting(minimum=F(120))


def test_what_is_excluded_parts_an_outage_on_both_sides_of_the_edge() -> None:
    """200 seconds, of which 100 lie before the period, are 240 with what counts at their end; and 130 to 150 behind them are 180."""
    over = window(900, 1_300, end_within_seconds=10)
    assert bounds(line(over, off(1_100, 1_160), counting=EACH_UP)) == (140 + 180, 140 + 180)
    # Before the edge the same: from 940 on it counts, which are 160 seconds, or 180.
    assert bounds(line(over, off(900, 940), off(1_100, 1_160), counting=EACH_UP)) == (120 + 180, 120 + 180)


def test_the_seconds_that_count_are_those_of_the_period() -> None:
    found = line(window(900, 1_100), counting=LONG)
    assert (bounds(found), found.intervals, found.counted) == (
        (100, 100), ((1_000, 1_100),), (((1_000, 1_100),), ((1_000, 1_100),)),
    )  # fmt: skip
    assert (found.downtime_seconds, found.excluded_seconds) == (100, 0)


def test_a_measured_outage_is_as_long_as_it_is_over_the_edge() -> None:
    """200 seconds of which half lie in the period are long enough."""
    assert bounds(line(requests(900, 1_100, 1, 4), counting=LONG, measure=READS)) == (100, 100)
    assert bounds(line(requests(950, 1_050, 1, 4), counting=LONG, measure=READS)) == (0, 0)


def test_only_what_counts_here_is_looked_at_before_the_period() -> None:
    """What is excluded there has a part in the answer where something goes on over the edge, and no part where nothing does."""
    facts = (window(1_500, 1_800, "inside"), off(900, 1_000))
    alone = {"incident/inside v1"}

    def entries(*more: Fact, **changed: Any) -> frozenset[str]:
        found: frozenset[str] = line(*facts, *more, counting=LONG, **changed).entries
        return found - {"incident/over v1"}

    def over(**changed: Any) -> Window:
        return window(950, 1_050, "over", **changed)

    assert entries(over()) == {*alone, "exclusion/x v1"}
    for other in (over(effect="degraded"), over(region="B"), over(service="web"), over(withdrawn=True)):
        assert entries(other) == alone
    outside = {"beta": Membership(False, "")}
    assert entries(over(cohort="beta"), memberships=outside) == alone
    assert entries(over(cohort="beta")) == {*alone, "exclusion/x v1"}
    # Nor has a window that does not count, beside one that goes on.
    vague = window(960, 990, "vague", effect="degraded", approximate=True)
    found = line(over(), vague, counting=LONG)
    assert (found.entries, found.approximate) == ({"incident/over v1"}, False)
    # Of measurements those that are read, and in which something failed.
    assert entries(requests(950, 1_050, 1, 4), measure=READS) == {*alone, "incident/m v1", "exclusion/x v1"}
    assert entries(requests(950, 1_050, 1, 4, of="users"), measure=READS) == alone
    assert entries(requests(950, 1_050, 0, 4), measure=READS) == {*alone, "incident/m v1"}


def test_an_outage_before_the_period_is_that_of_the_region_that_is_asked_for() -> None:
    """In A the 50 seconds before the period were planned, so that 50 are left; in B they were not."""
    planned = window(950, 1_050, planned=Planned(0, 950, 1_000))
    assert bounds(line(planned, window(950, 1_000, "b", region="B"), counting=counting(minimum=F(80)))) == (
        0,
        0,
    )


def test_an_outage_of_all_regions_is_one_of_all_of_them_before_the_period_too() -> None:
    """Both are down from the edge on, for 50 seconds; before it A alone was."""
    both = Scope("service-wide", ("A", "B"))
    first, joins = window(950, 1_050), window(1_000, 1_050, "b", region="B")
    assert bounds(line(first, joins, counting=counting(minimum=F(80)), scope=both)) == (0, 0)
    early = msgspec.structs.replace(joins, start=950)
    assert bounds(line(first, early, counting=counting(minimum=F(80)), scope=both)) == (50, 50)


def test_plans_of_all_regions_use_up_a_limit_before_the_period_as_well() -> None:
    """Of what was planned before the period 150 seconds may be excluded, which a plan in B has used up when that of A begins."""
    rule = ExclusionRule(EXCLUDED[0].kinds, most=F(150), most_per="period")
    one = window(900, 1_050, planned=Planned(0, 900, 1_000))
    other = window(0, 300, "b", region="B", planned=Planned(0, 100, 300))
    # All of it was planned but for 50 seconds, which are too few; and 150 where the limit is gone.
    assert bounds(line(one, counting=LONG, rules=(rule,))) == (0, 0)
    assert bounds(line(one, other, counting=LONG, rules=(rule,))) == (50, 50)


def test_what_short_outages_have_beyond_the_limit_is_that_of_the_part_asked_for() -> None:
    """Four blips of 50 seconds before the half of a day and four in it, 300 of them free: all of the excess lies in the second half."""
    blips = [window(at, at + 50, f"w{at}") for at in range(1_000, 1_800, 100)]
    daily = counting(minimum=F(60), unless_daily_total_above=F(300), daily_total_counts="excess")
    for half, eligible, excluded in (((1_000, 1_400), 0, 200), ((1_400, 2_000), 100, 100)):
        found = line(*blips, counting=daily, valid=half)
        assert (bounds(found), found.excluded_seconds) == ((eligible, eligible), excluded)


# ---- as stated, and without data -------------------------------------------------------------------------------------


def test_shares_that_are_stated_add_up() -> None:
    """Three tenths and three tenths are more than a half where they are of different users, which is not known."""
    some = {"share_at_least": "0.3", "share_at_most": "0.3"}
    half = counting(down="above-share", share_above=F(1, 2))
    found = line(window(1_100, 1_200, **some), window(1_100, 1_200, "v", **some), counting=half)
    assert (bounds(found), found.intervals, found.excluded_seconds) == ((0, 100), ((1_100, 1_200),), 0)


def test_all_that_was_measured_counts_as_stated() -> None:
    found = line(MEASURED, requests(1_300, 1_400, 1, 4, measurement="n"), measure=READS)
    assert (found.intervals, found.excluded_seconds) == (((1_100, 1_200), (1_300, 1_400)), 0)


UNSEEN_IS_DOWN = Measure(missing="down")
SEEN = ((1_000, 1_500),)


@pytest.mark.parametrize(
    ("facts", "changed", "expected"),
    [
        ([window(1_100, 1_160)], {}, (560, 560)),
        # 60 seconds, and ten of 30 short ones that are beyond the limit of the day.
        ([window(1_100, 1_160), window(1_200, 1_230, "v")],
         {"minimum": F(31), "unless_daily_total_above": F(20), "daily_total_counts": "excess"}, (570, 570)),
        # Open since before the last data: down until the end, one way or the other.
        ([window(1_400, None)], {"minimum": F(31), "unless_daily_total_above": F(20)}, (600, 600)),
        ([window(1_400, None)], {}, (600, 600)),
        # A hundred seconds of it that are perhaps excluded.
        ([off(1_600, 1_700, customer="Acme")], {}, (400, 500)),
        # 30 seconds without data that are perhaps a short outage, of which rounding leaves nothing.
        ([window(1_600, 1_630, cohort="beta")], {"quantise": "each-down", "quantum": 60}, (470, 500)),
    ],
)  # fmt: skip
def test_time_without_data_is_down_once(
    facts: list[Fact], changed: dict[str, Any], expected: tuple[int, int]
) -> None:
    found = line(*facts, measure=UNSEEN_IS_DOWN, counting=counting(**changed), observed=SEEN)
    assert bounds(found) == expected


@pytest.mark.parametrize(
    ("one", "measure", "changed", "expected"),
    [
        # 100 seconds that are seen, and 500 that are down or unknown; 521 of 600 would be 540, and 79 unknown behind them.
        (window(1_400, None), UNSEEN_IS_DOWN, {"quantise": "each-up", "quantum": 60}, (600, 659)),
        (window(1_400, None), UNSEEN_IS_DOWN, {"quantise": "total-down", "quantum": 60}, (541, 600)),
        (window(1_400, None), UNSEEN_IS_DOWN, {"quantise": "slots-filled", "quantum": 60}, (482, 600)),
        (window(1_400, None), UNSEEN_IS_DOWN, {"quantise": "slots-touched", "quantum": 60}, (600, 718)),
        (window(1_400, None), Measure("user-minutes", missing="down"), {"quantise": "each-up", "quantum": 60}, (600, 659)),
        # Ten seconds of which nobody knows whether they are the customer's.
        (PERHAPS, UNSEEN_IS_DOWN, {"quantise": "each-up", "quantum": 60}, (500, 559)),
        # Down for half of the users, or for none and unknown.
        (window(1_600, 1_700, effect="delay", share_at_most="0.5"), Measure("affected-share", missing="down"), {}, (400, 500)),
    ],
)  # fmt: skip
def test_a_second_that_is_down_or_unknown_counts_once_but_for_what_is_rounded(
    one: Window, measure: Measure, changed: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert bounds(line(one, measure=measure, counting=counting(**changed), observed=SEEN)) == expected


def test_users_of_two_windows_count_twice_where_nothing_is_known_besides() -> None:
    """A hundred seconds that are perhaps down for all users of two windows, and 400 that are unknown."""
    two = [window(1_600, 1_700, name, cohort="beta") for name in ("w", "v")]
    least, most = bounds(line(*two, measure=Measure("user-minutes", missing="down"), observed=SEEN))
    assert least <= 500
    assert most >= 2 * 100 + 400


@given(
    st.lists(st.tuples(st.integers(1_000, 1_090), st.integers(1, 30)), min_size=1, max_size=2),
    st.sampled_from([
        "exact", "each-up", "each-down", "each-nearest", "total-up", "total-down", "total-nearest", "slots-touched", "slots-filled",
    ]),
    st.sampled_from([{}, {"minimum": F(9)}, {"minimum": F(9), "unless_daily_total_above": F(12)}]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_whatever_turns_out_lies_between_the_bounds(
    spans: list[tuple[int, int]], quantise: Any, short: dict[str, Any]
) -> None:
    """Each begins and ends up to three seconds earlier or later; from second 1,040 to 1,060 nothing is known."""
    period = Period("p", "span", "UTC", 1_000, 1_100, "1970-01-01")
    how: dict[str, Any] = {
        "counting": counting(quantise=quantise, quantum=7, **short), "measure": UNSEEN_IS_DOWN, "period": period,
        "observed": ((1_000, 1_040), (1_060, 1_100)),
    }  # fmt: skip
    about = [
        window(start, start + lasts, f"w{at}", start_within_seconds=3, end_within_seconds=3)
        for at, (start, lasts) in enumerate(spans)
    ]
    least, most = bounds(line(*about, **how))
    for off_by in product((-3, -1, 0, 2, 3), repeat=2 * len(about)):
        exact = [
            window(one.start + off_by[2 * at], one.end + off_by[2 * at + 1], one.window)
            for at, one in enumerate(about)
            if one.end is not None and one.start + off_by[2 * at] < one.end + off_by[2 * at + 1]
        ]
        low, high = bounds(line(*exact, **how))
        assert low == high
        assert least <= low <= most


def test_time_without_data_that_leaves_the_period_leaves_it_all_at_once() -> None:
    gone = line(window(1_100, 1_160), measure=Measure(missing="excluded"), observed=SEEN)
    assert (gone.removed_least, gone.removed_most, gone.at_once) == (500, 500, True)
    # What perhaps stays as up, of which nothing is known besides, leaves any part.
    perhaps = line(off(1_400, 1_600, customer="Acme"), measure=Measure(missing="excluded"), observed=SEEN)
    assert (perhaps.removed_least, perhaps.removed_most, perhaps.at_once) == (400, 500, False)
    assert line(off(1_400, 1_600, customer="Acme")).at_once is True
