"""Which seconds count, at least, as stated and at most, counted by hand: of windows, shares, cohorts, exclusions and measurements.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Measure,
    Scope,
)
from ledger.domain.window import Planned, Window
from projections.evaluation.evidence import Membership
from tests.sla.timelines import (
    EXCLUDED,
    MIDNIGHT,
    OUTAGE,
    READS,
    SHARE,
    USERS,
    bounds,
    line,
    off,
    requests,
    window,
)

F = Fraction
HALF, QUARTER, WHOLE = F(1, 2), F(1, 4), F(1)


def test_a_timeline_whole() -> None:
    """100 and 50 seconds that overlap by 20, of which 30 are excluded; a delay of another effect is downtime all the same."""
    found = line(
        window(1_000, 1_100),
        window(1_080, 1_130, "v"),
        window(1_500, 1_510, "u", effect="degraded"),
        off(1_100, 1_130),
    )
    assert msgspec.structs.asdict(found) == {
        "downtime_seconds": 140, "excluded_seconds": 40, "least": 100, "most": 100, "intervals": ((1_000, 1_100),),
        "downtime": ((1_000, 1_130), (1_500, 1_510)), "removed_least": 0, "removed_most": 0, "at_once": True, "provisional": False,
        "approximate": False,
        "entries": frozenset({"incident/w v1", "incident/v v1", "incident/u v1", "exclusion/x v1"}), "outages": (1, 1),
        "excluded": ((1_100, 1_130),), "counted": (((1_000, 1_100),), ((1_000, 1_100),)),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "expected", "marks"),
    [
        (window(1_100, 1_200), (100, 100), ""),
        # Clipped to the period, and nothing of what lies outside.
        (window(500, 1_100), (100, 100), ""),
        (window(1_900, 2_500), (100, 100), ""),
        (window(500, 1_000), (0, 0), "none"),
        (window(2_000, 2_500), (0, 0), "none"),
        (window(1_100, 1_200, withdrawn=True), (0, 0), "none"),
        (window(1_100, 1_200, service="web"), (0, 0), "none"),
        (window(1_100, 1_200, region="B"), (0, 0), "none"),
        (window(1_100, 1_200, region="*", regions=("A", "B")), (100, 100), ""),
        (window(1_100, 1_200, region="*", regions=("B",)), (0, 0), "none"),
        # Where it was is not known.
        (window(1_100, 1_200, region="unknown"), (0, 100), ""),
        (window(1_100, 1_200, effect="degraded"), (0, 0), ""),
        # Open: to now at least, to the end at most; or from later on.
        (window(1_400, None), (100, 600), "provisional"),
        (window(1_600, None), (0, 400), "provisional"),
        # 10 and 20 seconds of tolerance.
        (window(1_100, 1_200, start_within_seconds=10, end_within_seconds=20), (70, 130), ""),
        (window(1_100, 1_200, approximate=True), (100, 100), "approximate"),
        (window(1_100, 1_200, approximate=True, end_within_seconds=1), (99, 101), ""),
        (window(1_100, 1_200, approximate=True, start_within_seconds=1), (99, 101), ""),
        (window(1_100, 1_200, cohort="beta"), (0, 100), "provisional"),
        # Any part of time that is down counts whole.
        (window(1_100, 1_200, share_at_least="0.1", share_at_most="0.2"), (100, 100), ""),
    ],
)  # fmt: skip
def test_a_window_counts_by_where_and_when_and_what_it_is(one: Window, expected: Any, marks: str) -> None:
    # One that counts stands behind it, so that looking does not end before.
    found = line(one, window(1_800, 1_810, "last"))
    least, most = expected
    assert found.least == least + 10
    # What is open may last until the end, and then holds the last one.
    assert found.most == most + (0 if one.end is None else 10)
    assert found.entries == (
        {"incident/last v1"} if marks == "none" else {"incident/w v1", "incident/last v1"}
    )
    assert (found.provisional, found.approximate) == (marks == "provisional", marks == "approximate")


@pytest.mark.parametrize(("inside", "expected"), [(True, (100, 100)), (False, (0, 0))])
def test_who_is_in_a_cohort_decides_and_is_named(inside: bool, expected: Any) -> None:
    limited = window(1_100, 1_200, cohort="beta")
    found = line(limited, memberships={"beta": Membership(inside, "cohort/beta v1")})
    assert (bounds(found), found.provisional) == (expected, False)
    assert found.entries == {"incident/w v1", "cohort/beta v1"}
    unnamed = line(limited, window(1_800, 1_810, "last"), memberships={"beta": Membership(inside, "")})
    assert unnamed.entries == {"incident/w v1", "incident/last v1"}
    assert unnamed.least == expected[0] + 10


def test_only_surely_down_time_is_downtime() -> None:
    found = line(
        window(1_100, 1_200, region="unknown"), window(1_400, None, "open"), window(1_300, 1_310, "sure")
    )
    assert (found.downtime, found.downtime_seconds) == (((1_300, 1_310), (1_400, 1_500)), 110)


@pytest.mark.parametrize(
    ("component", "affected", "expected"),
    [
        ("inbox", (), (100, 100)),
        ("outbox", (), (0, 0)),
        ("*", (), (100, 100)),
        ("*", ("outbox",), (0, 0)),
        ("unknown", (), (0, 100)),
    ],
)
def test_a_component_that_is_asked_for_decides(
    component: str, affected: tuple[str, ...], expected: Any
) -> None:
    for named in (("inbox",), ("inbox", "archive"), ("archive", "inbox")):
        found = line(
            window(1_100, 1_200, component=component, components=affected), scope=Scope(components=named)
        )
        assert bounds(found) == expected
    # Surely in its component is not surely in the region.
    unsure = window(1_100, 1_200, component="inbox", region="unknown")
    assert bounds(line(unsure, scope=Scope(components=("inbox",)))) == (0, 100)


def test_shares_that_overlap_are_the_greater_at_least_and_their_sum_at_most() -> None:
    """A half and three quarters over 100 seconds each, 50 of them in common."""
    facts = (
        window(1_000, 1_100, share_at_least="0.5", share_at_most="0.5"),
        window(1_050, 1_150, "v", share_at_least="0.75", share_at_most="0.75"),
    )  # fmt: skip
    assert bounds(line(*facts, measure=SHARE)) == (25 + F(75, 2) + F(75, 2), 25 + 50 + F(75, 2))
    # Users of several windows add up without a limit.
    assert bounds(line(*facts, measure=USERS)) == (50 + 75, 50 + 75)


def test_a_window_that_affects_nobody_is_no_part() -> None:
    none = window(1_000, 1_100, share_at_least="0", share_at_most="0")
    found = line(none, window(1_050, 1_060, "v"), measure=SHARE)
    assert (bounds(found), found.downtime_seconds) == ((10, 10), 100)
    # By time alone any window counts, whatever it affected.
    assert bounds(line(none)) == (100, 100)
    unsure = window(1_000, 1_100, share_at_least="0", share_at_most="0.5")
    assert bounds(line(unsure, measure=SHARE)) == (0, 50)


@pytest.mark.parametrize(
    ("counting", "expected"),
    [
        ({"down": "above-share", "share_above": HALF}, (0, 100)),
        ({"down": "above-share", "share_above": F(1, 4)}, (100, 100)),
        ({"down": "above-share", "share_above": F(3, 4)}, (0, 0)),
        ({"down": "all"}, (0, 0)),
        ({}, (100, 100)),
    ],
)
def test_time_is_down_whole_above_a_share(counting: dict[str, Any], expected: Any) -> None:
    half = window(1_100, 1_200, share_at_least="0.5", share_at_most="0.75")
    assert bounds(line(half, counting=msgspec.structs.replace(OUTAGE, **counting))) == expected
    # Incidents and outages are events of the same seconds.
    events = line(half, counting=msgspec.structs.replace(OUTAGE, **counting), measure=Measure("events"))
    assert bounds(events) == expected


def test_excluded_seconds_do_not_count_and_those_perhaps_excluded_are_a_bound() -> None:
    down = window(1_100, 1_200)
    sure = line(down, off(1_150, 1_300))
    assert (bounds(sure), sure.excluded_seconds, sure.intervals) == ((50, 50), 50, ((1_100, 1_150),))
    perhaps = line(down, off(1_150, 1_300, customer="Acme"))
    assert (bounds(perhaps), perhaps.excluded_seconds) == ((50, 100), 0)
    gone = line(down, off(1_150, 1_300), rules=(msgspec.structs.replace(EXCLUDED[0], treated="removed"),))
    assert (gone.removed_least, gone.removed_most) == (150, 150)
    half = line(
        down,
        off(1_150, 1_300, customer="Acme"),
        rules=(msgspec.structs.replace(EXCLUDED[0], treated="removed"),),
    )
    assert (half.removed_least, half.removed_most) == (0, 150)


def test_everywhere_at_once_and_anywhere() -> None:
    """A from 1,100 to 1,200, B from 1,150 to 1,300."""
    facts = (window(1_100, 1_200), window(1_150, 1_300, "v", region="B"))
    at_once = line(*facts, scope=Scope("service-wide", ("A", "B")))
    assert (bounds(at_once), at_once.downtime, at_once.downtime_seconds) == (
        (50, 50),
        ((1_150, 1_200),),
        50,
    )
    assert bounds(line(*facts, scope=Scope("service-wide", ("A", "B", "C")))) == (0, 0)
    assert bounds(line(*facts, scope=Scope("service-wide", ("B",)))) == (150, 150)
    anywhere = line(*facts, scope=Scope("union"))
    assert (bounds(anywhere), anywhere.downtime) == ((200, 200), ((1_100, 1_300),))
    assert bounds(line(*facts)) == (100, 100)
    # A window of an unknown region is surely in some, and perhaps in each.
    unsure = window(1_100, 1_200, region="unknown")
    assert bounds(line(unsure, scope=Scope("union"))) == (100, 100)
    assert bounds(line(unsure, scope=Scope("service-wide", ("A", "B")))) == (0, 100)


def test_short_outages_and_quanta_of_the_day_and_the_period() -> None:
    facts = (window(1_100, 1_160), window(1_200, 1_230, "v"))
    assert bounds(line(*facts, counting=msgspec.structs.replace(OUTAGE, minimum=F(31)))) == (60, 60)
    excess = msgspec.structs.replace(
        OUTAGE, minimum=F(31), unless_daily_total_above=F(20), daily_total_counts="excess"
    )
    found = line(*facts, counting=excess)
    assert (bounds(found), found.intervals, found.excluded_seconds) == ((70, 70), ((1_100, 1_160),), 20)
    # Slots are counted from the start of the period: of 1,100 to 1,160 in sevenths of it the 14th to the 22nd are touched.
    slots = msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=7)
    assert bounds(line(window(1_100, 1_160), counting=slots)) == (63, 63)


def test_a_day_is_that_of_the_zone_of_the_policy() -> None:
    """Two short outages around midnight of UTC, which is 19:00 in New York: one day there, two here."""
    period = Period("p", "span", "UTC", MIDNIGHT - 1_000, MIDNIGHT + 1_000, "1970-01-01")
    facts = (window(MIDNIGHT - 20, MIDNIGHT - 5), window(MIDNIGHT + 5, MIDNIGHT + 20, "v"))
    daily = msgspec.structs.replace(OUTAGE, minimum=F(60), unless_daily_total_above=F(20))
    for zone, expected in (("UTC", 0), ("America/New_York", 30)):
        found = line(*facts, counting=daily, zone=zone, period=period)
        assert (bounds(found), found.outages) == (
            (expected, expected),
            (expected // 15, expected // 15),
        )
    unsure = (*facts, window(MIDNIGHT + 500, MIDNIGHT + 510, "u", cohort="beta"))
    between = line(*unsure, counting=daily, zone="America/New_York", period=period)
    # The two are short, and 30 seconds on one day, whatever the third is.
    assert bounds(between) == (30, 40)
    assert between.outages == (2, 3)


def test_the_part_that_is_asked_for_clips() -> None:
    assert bounds(line(window(1_100, 1_200), valid=(1_150, 1_500))) == (50, 50)
    assert bounds(
        line(requests(1_100, 1_200, 1, 2), measure=Measure(reads=("requests",)), valid=(1_150, 1_500))
    ) == (50, 50)


READS_SHARE = Measure("affected-share", ("requests",))


def test_a_measured_share_decides_instead_of_windows() -> None:
    """A quarter failed from 1,100 to 1,200; a window says that all did, from 1,150 to 1,300: there it was measured."""
    facts = (requests(1_100, 1_200, 1, 4), window(1_150, 1_300))
    found = line(*facts, measure=READS_SHARE)
    assert bounds(found) == (25 + 100, 25 + 100)
    assert (found.downtime, found.entries) == (((1_100, 1_300),), {"incident/m v1", "incident/w v1"})
    # Nothing failed, although a window says so; and what nobody asked for was not measured.
    for nothing in (requests(1_100, 1_200, 0, 4), requests(1_100, 1_200, 0, 0)):
        found = line(nothing, window(1_150, 1_300), measure=READS_SHARE)
        assert (bounds(found), found.downtime_seconds) == ((100, 100), 150)
    assert bounds(line(*facts, measure=READS)) == (200, 200)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (requests(1_100, 1_200, 1, 4), (25, 25)),
        (requests(900, 1_100, 1, 4), (25, 25)),
        (requests(1_900, 2_100, 1, 4), (25, 25)),
        (requests(900, 1_000, 1, 4), (0, 0)),
        (requests(2_000, 2_100, 1, 4), (0, 0)),
        (requests(1_100, 1_200, 1, 4, of="users"), (0, 0)),
        (requests(1_100, 1_200, None, 4), (0, 0)),
        (requests(1_100, 1_200, 1, None), (0, 0)),
        (requests(1_100, 1_200, 1, 4, service="web"), (0, 0)),
        (requests(1_100, 1_200, 1, 4, region="B"), (0, 0)),
        (requests(1_100, 1_200, 1, 4, region="unknown"), (0, 25)),
    ],
)
def test_a_measurement_counts_by_where_and_when_and_what_it_is_of(one: Measurement, expected: Any) -> None:
    last = requests(1_800, 1_900, 1, 2, measurement="last", entries=("incident/last v1",))
    found = line(one, last, last, measure=READS_SHARE)
    least, most = expected
    assert bounds(found) == (least + 50, most + 50)
    assert found.entries == ({"incident/last v1"} | (set() if expected == (0, 0) else {"incident/m v1"}))
    assert found.downtime_seconds == 100 + (100 if least else 0)


def test_a_measurement_of_an_unknown_place_perhaps_decides_instead_of_windows() -> None:
    found = line(requests(1_100, 1_200, 0, 4, region="unknown"), window(1_150, 1_300), measure=READS_SHARE)
    assert bounds(found) == (100, 150)


def test_excluded_seconds_of_a_measurement_do_not_count() -> None:
    one = requests(1_100, 1_200, 1, 4)
    assert bounds(line(one, off(1_160, 1_300), measure=READS_SHARE)) == (15, 15)
    assert bounds(line(one, off(1_160, 1_300, customer="Acme"), measure=READS_SHARE)) == (15, 25)
    # By the place of the measurement: what is excluded of another component leaves it.
    inbox = msgspec.structs.replace(one, component="inbox")
    for component, counted in (("inbox", 15), ("outbox", 25)):
        assert line(inbox, off(1_160, 1_300, component=component), measure=READS_SHARE).most == counted
    for region, counted in (("A", 15), ("B", 25)):
        union = Scope("union")
        assert line(one, off(1_160, 1_300, region=region), measure=READS_SHARE, scope=union).most == counted


def test_bounds_have_quanta_of_their_own() -> None:
    """61 seconds that are sure, and 10 that perhaps are: two minutes at least, and three if each is rounded up."""
    facts = (window(1_100, 1_161), window(1_300, 1_310, "v", cohort="beta"))
    each = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="each-up"))
    assert bounds(each) == (120, 180)
    # From second 1,000 in fifties: 1,100 to 1,161 touches two of them, 1,300 to 1,310 one.
    slots = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=50))
    assert bounds(slots) == (100, 150)
    # From second 1,000 in seventies: 1,070 to 1,210 are two of them, 1,280 to 1,350 is one.
    slots = line(*facts, counting=msgspec.structs.replace(OUTAGE, quantise="slots-touched", quantum=70))
    assert bounds(slots) == (140, 210)


def test_an_event_that_affected_an_unknown_part_happened() -> None:
    unsure = window(1_100, 1_200, share_at_least="0")
    assert bounds(line(unsure, measure=Measure("events"))) == (100, 100)
    assert bounds(line(unsure)) == (100, 100)


def test_excluded_time_is_taken_out_of_a_window_by_its_place_and_its_own_plan() -> None:
    inbox = window(1_100, 1_200, component="inbox")
    for component, counted in (("inbox", 50), ("outbox", 100)):
        assert line(inbox, off(1_150, 1_300, component=component)).most == counted
    for region, counted in (("A", 50), ("B", 100)):
        assert line(inbox, off(1_150, 1_300, region=region), scope=Scope("union")).most == counted
    plan = window(1_100, 1_200, planned=Planned(0, 1_150, 1_300))
    assert bounds(line(plan)) == (50, 50)


def test_what_failed_nowhere_does_not_end_the_reading() -> None:
    nothing = requests(1_100, 1_200, 0, 4)
    after = requests(1_300, 1_400, 1, 4, measurement="n")
    assert bounds(line(nothing, after, measure=READS_SHARE)) == (25, 25)
