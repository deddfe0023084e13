"""Which seconds exclusions take out of what, and out of the period, by figures that can be counted by hand.

The period lasts from second 1,000 to second 2,000.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import Span
from ledger.domain.period import Period, parse_period
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Scope,
)
from ledger.domain.window import Planned, Window
from projections.evaluation.evidence import Evidence, Membership
from projections.evaluation.exclusions import (
    Excluded,
    excluded,
    is_everywhere,
    named,
    takes_from,
    used_before,
)
from tests.sla.timelines import PERIOD, off

F = Fraction
PLANNED = frozenset({"planned-maintenance"})
COMMITMENT = Commitment("c", Measure(), Counting(), Scope(), ())


def rule(**changed: Any) -> ExclusionRule:
    return ExclusionRule(**{"kinds": PLANNED, **changed})


def window(**changed: Any) -> Window:
    made = Window("i", "w", "mail", "*", "A", 1_000, 2_000, "outage")
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def found_by(
    *facts: Exclusion | Window,
    rules: tuple[ExclusionRule, ...] = (rule(),),
    scope: Scope | None = None,
    period: Period = PERIOD,
    zone: str = "UTC",
    **evidence: Any,
) -> Excluded:
    policy = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", zone), (COMMITMENT,), rules, Credit(), "half-up", "",
    )  # fmt: skip
    asked = Evidence(
        "mail", "A", period, 0,
        windows=tuple(one for one in facts if isinstance(one, Window)),
        exclusions=tuple(one for one in facts if isinstance(one, Exclusion)), **evidence,
    )  # fmt: skip
    return excluded(policy, msgspec.structs.replace(COMMITMENT, scope=scope or Scope()), asked)


def taken(found: Excluded, of: Window | None = None) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    asked = of or window()
    return found.beside(asked.component, asked.region, (asked.incident, asked.window))


def both(*spans: Span) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    return spans, spans


def test_only_what_has_a_part_in_the_period_is_named_and_counts() -> None:
    found = found_by(
        off(500, 1_000, "before"), off(900, 1_001, "into"), off(1_500, 1_600, "in"), off(1_999, 2_500, "out"), off(2_000, 2_600, "after")
    )  # fmt: skip
    assert found.entries == ("exclusion/into v1", "exclusion/in v1", "exclusion/out v1")
    assert taken(found) == both((900, 1_001), (1_500, 1_600), (1_999, 2_500))
    assert found.everywhere == ((1_000, 1_001), (1_500, 1_600), (1_999, 2_000))
    assert found.removed == ((), ())


def test_two_rules_are_both_read() -> None:
    rules = (rule(), rule(kinds=frozenset({"customer"})))
    found = found_by(off(1_100, 1_200), off(1_300, 1_400, kind="customer"), rules=rules)
    assert taken(found) == both((1_100, 1_200), (1_300, 1_400))


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"withdrawn": True}, False),
        ({"kind": "customer"}, False),
        ({"service": "*"}, True),
        ({"service": "web"}, False),
    ],
)
def test_an_exclusion_counts_by_its_kind_and_its_service(changed: dict[str, Any], counts: bool) -> None:
    # One that counts stands behind it, so that looking does not end at one that does not.
    found = found_by(off(1_100, 1_200, **changed), off(1_500, 1_600, "y"))
    assert taken(found) == both(*([(1_100, 1_200)] if counts else []), (1_500, 1_600))


@pytest.mark.parametrize(("announced_at", "counts"), [(1_040, True), (1_041, False), (None, False)])
def test_notice_is_given_up_to_the_second(announced_at: int | None, counts: bool) -> None:
    sixty = (rule(notice=F(60)),)
    later = off(1_500, 1_600, "y", announced_at=0)
    found = found_by(off(1_100, 1_200, announced_at=announced_at), later, rules=sixty)
    assert taken(found) == both(*([(1_100, 1_200)] if counts else []), (1_500, 1_600))
    plan = window(planned=Planned(1_040 if announced_at is None else announced_at, 1_100, 1_200))
    behind = window(window="behind", planned=Planned(0, 1_500, 1_600))
    own = found_by(plan, behind, rules=sixty)
    assert taken(own, plan) == (both((1_100, 1_200)) if announced_at != 1_041 else both())
    assert taken(own, behind) == both((1_500, 1_600))


def test_a_window_that_was_planned_takes_out_its_own_schedule_and_nothing_else() -> None:
    plan = window(planned=Planned(0, 1_100, 1_200))
    found = found_by(plan)
    assert taken(found, plan) == both((1_100, 1_200))
    for other in ({"incident": "j"}, {"window": "v"}):
        assert taken(found, window(**other)) == both()
    # It has no entry of its own, and is about its own place alone.
    assert (found.entries, found.everywhere) == ((), ((1_100, 1_200),))


@pytest.mark.parametrize("changed", [{"withdrawn": True}, {"service": "web"}, {"planned": None}])
def test_a_plan_counts_only_where_its_window_does(changed: dict[str, Any]) -> None:
    later = window(window="later", planned=Planned(0, 1_500, 1_600))
    gone = msgspec.structs.replace(window(planned=Planned(0, 1_100, 1_200)), **changed)
    found = found_by(gone, later)
    assert (taken(found, gone), taken(found, later)) == (both(), both((1_500, 1_600)))


def test_a_plan_is_planned_maintenance_and_of_no_other_kind() -> None:
    plan = window(planned=Planned(0, 1_100, 1_200))
    assert taken(found_by(plan, rules=(rule(kinds=frozenset({"customer"})),)), plan) == both()


def test_where_only_its_own_plan_is_excluded_recorded_time_is_not() -> None:
    plan = window(planned=Planned(0, 1_100, 1_200))
    found = found_by(plan, off(1_300, 1_400), rules=(rule(own_plan_only=True),))
    assert taken(found, plan) == both((1_100, 1_200))


@pytest.mark.parametrize(
    ("place", "at", "scope", "counts"),
    [
        # Each region for itself: what is excluded in region A is excluded for it, however wide the window is.
        ({"region": "A"}, {"region": "A"}, Scope(), True),
        ({"region": "A"}, {"region": "*"}, Scope(), True),
        ({"region": "A"}, {"region": "unknown"}, Scope(), True),
        ({"region": "B"}, {"region": "A"}, Scope(), False),
        ({"region": "B"}, {"region": "*"}, Scope(), False),
        ({"region": "*"}, {"region": "A"}, Scope(), True),
        # All regions together: what is excluded in one leaves the others down.
        ({"region": "A"}, {"region": "A"}, Scope("union"), True),
        ({"region": "A"}, {"region": "*"}, Scope("union"), False),
        ({"region": "*"}, {"region": "*"}, Scope("union"), True),
        ({"component": "inbox"}, {"component": "inbox"}, Scope(), True),
        ({"component": "inbox"}, {"component": "*"}, Scope(), False),
        ({"component": "inbox"}, {"component": "outbox"}, Scope(), False),
        ({"component": "*"}, {"component": "outbox"}, Scope(), True),
    ],
)  # fmt: skip
def test_excluded_time_is_about_its_place(
    place: dict[str, str], at: dict[str, str], scope: Scope, counts: bool
) -> None:
    found = found_by(off(1_100, 1_200, **place), scope=scope)
    assert taken(found, window(**at)) == (both((1_100, 1_200)) if counts else both())


@pytest.mark.parametrize(
    ("place", "scope", "leaves"),
    [
        ({}, Scope(), True),
        ({"region": "A"}, Scope(), True),
        ({"region": "B"}, Scope(), False),
        ({"region": "A"}, Scope("union"), False),
        ({}, Scope("union"), True),
        ({"component": "inbox"}, Scope(), False),
        ({"component": "inbox"}, Scope(components=("inbox",)), True),
        ({"component": "inbox"}, Scope(components=("inbox", "outbox")), False),
        ({"component": "inbox"}, Scope(components=("outbox",)), False),
        ({"component": "inbox", "region": "B"}, Scope(components=("inbox",)), False),
        ({}, Scope(components=("outbox",)), True),
    ],
)  # fmt: skip
def test_time_leaves_the_period_only_where_it_is_about_all_of_the_commitment(
    place: dict[str, str], scope: Scope, leaves: bool
) -> None:
    found = found_by(off(1_100, 1_200, **place), scope=scope, rules=(rule(treated="removed"),))
    span = ((1_100, 1_200),) if leaves else ()
    assert (found.removed, found.everywhere) == ((span, span), span)


def test_time_that_counts_as_up_stays_in_the_period_and_what_leaves_it_is_cut_to_it() -> None:
    rules = (rule(), rule(kinds=frozenset({"customer"}), treated="removed"))
    found = found_by(off(1_100, 1_200), off(0, 1_050, kind="customer"), rules=rules)
    assert found.removed == (((1_000, 1_050),), ((1_000, 1_050),))
    assert found.everywhere == ((1_000, 1_050), (1_100, 1_200))


SURE, MAYBE, NOT = both((1_100, 1_200)), ((), ((1_100, 1_200),)), both()


@pytest.mark.parametrize(
    ("limited", "known", "expected"),
    [
        ({}, {}, SURE),
        ({"customer": "Acme"}, {"customer": "Acme"}, SURE),
        ({"customer": "Acme"}, {"customer": "Bolt"}, NOT),
        ({"customer": "Acme"}, {}, MAYBE),
        ({"cohort": "beta"}, {}, MAYBE),
        ({"cohort": "beta"}, {"memberships": {"beta": Membership(True, "")}}, SURE),
        ({"cohort": "beta"}, {"memberships": {"beta": Membership(False, "")}}, NOT),
        ({"customer": "Acme", "cohort": "beta"}, {"memberships": {"beta": Membership(True, "")}}, MAYBE),
        ({"customer": "Acme", "cohort": "beta"}, {"memberships": {"beta": Membership(False, "")}}, NOT),
    ],
)  # fmt: skip
def test_what_concerns_some_customers_is_a_bound_until_it_is_known_whom(
    limited: dict[str, Any], known: dict[str, Any], expected: Any
) -> None:
    found = found_by(off(1_100, 1_200, **limited), rules=(rule(treated="removed"),), **known)
    assert (taken(found), found.removed, found.everywhere) == (expected, expected, expected[0])


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (0, []),
        (1, [(1_100, 1_101)]),
        (100, [(1_100, 1_200)]),
        (101, [(1_100, 1_200), (1_300, 1_301)]),
        (250, [(1_100, 1_200), (1_300, 1_400), (1_500, 1_550)]),
        (1_000, [(1_100, 1_200), (1_300, 1_400), (1_500, 1_600)]),
    ],
)
def test_of_a_limit_for_the_period_the_earliest_seconds_are_used_each_once(
    most: int, left: list[Span]
) -> None:
    # The second time is stated twice, and uses the limit up once; what lies before the period uses up nothing.
    facts = (
        off(1_500, 1_600),
        off(1_300, 1_400, "y"),
        off(1_300, 1_400, "z"),
        off(1_100, 1_200, "w"),
        off(0, 1_000, "v"),
    )
    found = found_by(*facts, rules=(rule(most=F(most), most_per="period"),))
    assert taken(found) == both(*left)


def test_a_limit_for_the_year_is_used_up_by_the_months_before_and_is_whole_again_on_new_years_day() -> None:
    """Of 3 hours a year January uses one, so two are left of the four in March, and all of the next year's."""
    march, january = parse_period("2022-03"), parse_period("2022-01")
    hours = (rule(most=F(3 * 3_600)),)
    facts = (
        off(january.start, january.start + 3_600, "first"), off(march.start, march.start + 4 * 3_600, "second"),
        # Before the year began in its own zone.
        off(january.start - 3_600, january.start, "before"),
    )  # fmt: skip
    found = found_by(*facts, rules=hours, period=march)
    assert taken(found) == both((march.start, march.start + 2 * 3_600))
    wide = Period("p", "span", "UTC", january.start - 86_400, january.start + 86_400, "2021-12-31")
    across = found_by(off(january.start - 4 * 3_600, january.start + 5 * 3_600), rules=hours, period=wide)
    assert taken(across) == both(
        (january.start - 4 * 3_600, january.start - 3_600), (january.start, january.start + 3 * 3_600)
    )


def test_a_year_ends_where_it_ends_in_the_zone_of_the_policy() -> None:
    """New York is 5 hours behind, so its 2021 lasts until 05:00; a period that ends then looks at that year alone."""
    new_year = parse_period("2022-01").start + 5 * 3_600
    december = Period("p", "span", "America/New_York", new_year - 86_400, new_year, "2021-12-31")
    facts = (off(new_year - 2 * 3_600, new_year, "old"), off(new_year, new_year + 3_600, "new"))
    found = found_by(*facts, rules=(rule(most=F(3_600)),), period=december, zone="America/New_York")
    assert taken(found) == both((new_year - 2 * 3_600, new_year - 3_600))
    # Of one that goes on into the next year no more is looked at than the years that the period is in.
    across = off(new_year - 2 * 3_600, new_year + 3_600, "across")
    found = found_by(across, rules=(rule(most=F(9 * 3_600)),), period=december, zone="America/New_York")
    assert taken(found) == both((new_year - 2 * 3_600, new_year))
    january = Period("p", "span", "America/New_York", new_year, new_year + 86_400, "2022-01-01")
    found = found_by(*facts, rules=(rule(most=F(3_600)),), period=january, zone="America/New_York")
    assert taken(found) == both((new_year, new_year + 3_600))


def test_a_period_that_ends_one_second_into_a_year_has_the_limit_of_that_year_for_it() -> None:
    start = parse_period("2022-01").start
    second = Period("p", "span", "UTC", start - 3_600, start + 1, "2021-12-31")
    found = found_by(off(start - 3_600, start + 60), rules=(rule(most=F(1_200)),), period=second)
    assert taken(found) == both((start - 3_600, start - 2_400), (start, start + 60))


def test_what_is_limited_uses_up_its_limit_only_once_over_both_ends_of_what_it_reaches() -> None:
    """A quarter of an hour before and after new year's, under a limit of 20 minutes a year: both are whole."""
    start = parse_period("2022-01").start
    both_years = Period("p", "span", "UTC", start - 3_600, start + 3_600, "2021-12-31")
    found = found_by(off(start - 900, start + 900), rules=(rule(most=F(1_200)),), period=both_years)
    assert taken(found) == both((start - 900, start + 900))


def test_the_part_that_is_asked_for_decides_what_is_near() -> None:
    found = found_by(
        off(1_100, 1_200), off(1_700, 1_800, "y"), valid=(1_150, 1_500), rules=(rule(treated="removed"),)
    )
    assert found.entries == ("exclusion/x v1",)
    assert found.removed == both((1_150, 1_200))


def test_what_one_exclusion_is_about() -> None:
    here, there = off(1_100, 1_200, region="A"), off(1_100, 1_200, component="inbox", region="B")
    each, union = COMMITMENT, msgspec.structs.replace(COMMITMENT, scope=Scope("union"))
    inbox = msgspec.structs.replace(COMMITMENT, scope=Scope(components=("inbox",)))
    a, b = (Evidence("mail", region, PERIOD, 0) for region in ("A", "B"))
    assert takes_from(here, window(), a, each) == "surely"
    assert takes_from(here, window(region="*"), a, each) == "surely"
    assert takes_from(here, window(region="*"), a, union) is None
    assert takes_from(there, window(region="B"), a, each) is None
    assert takes_from(there, window(region="B", component="inbox"), a, each) == "surely"
    assert is_everywhere(here, a, each) == "surely"
    assert is_everywhere(here, b, each) is None
    assert is_everywhere(here, a, union) is None
    assert (is_everywhere(there, b, inbox), is_everywhere(there, b, each)) == ("surely", None)


@pytest.mark.parametrize(
    ("exclusion", "down", "regions", "how"),
    [
        # Where it was is not known; or where the window was, and any region counts.
        ({"region": "unknown"}, {}, "each", "perhaps"),
        ({"region": "unknown"}, {"region": "unknown"}, "each", "perhaps"),
        ({"region": "unknown"}, {"region": "B"}, "union", "perhaps"),
        ({"region": "B"}, {"region": "unknown"}, "union", "perhaps"),
        # What counts is in A, so that what is excluded in A is excluded, and in B is not.
        ({"region": "A"}, {"region": "unknown"}, "each", "surely"),
        ({"region": "B"}, {"region": "unknown"}, "each", None),
        ({"component": "unknown"}, {"component": "inbox"}, "each", "perhaps"),
        ({"component": "inbox"}, {"component": "unknown"}, "each", "perhaps"),
        ({"component": "unknown"}, {"component": "unknown"}, "each", "perhaps"),
        ({"component": "unknown", "region": "B"}, {"component": "inbox"}, "each", None),
    ],
)  # fmt: skip
def test_what_is_about_a_place_nobody_knows_is_perhaps_about_it(
    exclusion: dict[str, str], down: dict[str, str], regions: Any, how: str | None
) -> None:
    one, other, scope = off(1_100, 1_200, **exclusion), window(**down), Scope(regions)
    commitment = msgspec.structs.replace(COMMITMENT, scope=scope)
    assert takes_from(one, other, Evidence("mail", "A", PERIOD, 0), commitment) == how
    spans = ((1_100, 1_200),)
    found = taken(found_by(one, scope=scope), other)
    assert found == (spans if how == "surely" else (), spans if how else ())


def test_whoever_says_who_is_in_the_cohort_of_an_exclusion_is_named() -> None:
    """In it or not; of a region that is asked for, or under a limit, which counts all regions and all of the year."""
    one, there = off(1_100, 1_200, cohort="beta"), off(1_100, 1_200, region="B", cohort="beta")
    for inside in (True, False):
        known = {"beta": Membership(inside, "cohort/beta v2")}
        mine = ("exclusion/x v1",) if inside else ()
        assert found_by(one, memberships=known).entries == (*mine, "cohort/beta v2")
        assert found_by(there, memberships=known).entries == ()
        for outside in ((100, 200), (500, 1_000), (2_000, 2_500)):
            assert found_by(off(*outside, cohort="beta"), memberships=known).entries == ()
        # What everybody has is no end of the reading.
        both = found_by(off(1_700, 1_800, "y"), one, memberships=known).entries
        assert set(both) == {"exclusion/y v1", *mine, "cohort/beta v2"}
        limited = (rule(most=F(50)),)
        assert "cohort/beta v2" in found_by(there, memberships=known, rules=limited).entries
        assert (
            "cohort/beta v2"
            in found_by(off(100, 200, cohort="beta"), memberships=known, rules=limited).entries
        )
    assert found_by(one, memberships={"beta": Membership(True, "")}).entries == ("exclusion/x v1",)
    assert found_by(one).entries == ("exclusion/x v1",)


BETA, ALPHA = {"cohort": "beta"}, {"cohort": "alpha"}


@pytest.mark.parametrize(
    ("facts", "most", "sure", "maybe"),
    [
        # Ten of a hundred are used up surely, and all of it perhaps.
        ([(1_100, 1_200, BETA), (1_300, 1_400, {})], 100, [], [(1_100, 1_200), (1_300, 1_400)]),
        ([(1_100, 1_110, {}), (1_200, 1_300, BETA), (1_400, 1_500, {})], 100,
         [(1_100, 1_110)], [(1_100, 1_110), (1_200, 1_290), (1_400, 1_490)]),
        # What perhaps uses up a part leaves the rest in any case.
        ([(1_100, 1_140, BETA), (1_300, 1_400, {})], 100, [(1_300, 1_360)], [(1_100, 1_140), (1_300, 1_400)]),
        # Later, it uses up nothing of what is before.
        ([(1_100, 1_200, {}), (1_300, 1_400, BETA)], 100, [(1_100, 1_200)], [(1_100, 1_200)]),
        # Over what is excluded in any case it uses up nothing.
        ([(1_100, 1_200, {}), (1_100, 1_200, BETA)], 100, [(1_100, 1_200)], [(1_100, 1_200)]),
        # Those of one cohort go together, those of two need not.
        ([(1_100, 1_200, BETA), (1_300, 1_400, BETA)], 100, [], [(1_100, 1_200)]),
        ([(1_100, 1_200, BETA), (1_300, 1_400, ALPHA)], 100, [], [(1_100, 1_200), (1_300, 1_400)]),
        ([(1_100, 1_200, {"customer": "Acme"}), (1_300, 1_400, {"customer": "Bolt"})], 100, [], [(1_100, 1_200), (1_300, 1_400)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("most_per", ["year", "period"])
def test_what_is_left_of_a_limit_that_something_perhaps_uses_up(
    facts: list[tuple[int, int, dict[str, str]]],
    most: int,
    sure: list[Span],
    maybe: list[Span],
    most_per: str,
) -> None:
    given = [off(start, end, f"x{start}", **who) for start, end, who in facts]
    found = found_by(*given, rules=(rule(most=F(most), most_per=most_per, treated="removed"),))
    assert taken(found) == found.removed == (tuple(sure), tuple(maybe))


def test_what_a_year_had_of_a_rule_before_the_period() -> None:
    """New York's year begins five hours after that of UTC; of it an hour was announced in time, and one minute planned."""
    year, march = parse_period("2022-01").start + 5 * 3_600, parse_period("2022-03", "America/New_York")
    facts = (
        off(year - 3_600, year + 1_800, announced_at=0), off(year + 900, year + 3_600, "again", announced_at=0),
        off(year + 7_200, year + 9_000, "late", announced_at=year + 7_200), off(march.start - 60, march.start + 60, "into", announced_at=0),
    )  # fmt: skip
    planned = window(planned=Planned(0, year + 20_000, year + 20_060))
    asked = Evidence("mail", "A", march, 0, (planned,), exclusions=facts)
    assert used_before(rule(notice=F(60)), asked, "America/New_York") == 3_600 + 60 + 60
    assert used_before(rule(notice=F(60)), asked, "UTC") == 3_600 + 60 + 60 + 3_600
    assert used_before(rule(own_plan_only=True), asked, "America/New_York") == 60


def test_what_a_rule_names_is_named_in_time_or_not() -> None:
    """The one that was announced too late is named as well, with whether it is about the customer."""
    facts = (
        off(1_100, 1_200, "late", announced_at=1_100),
        off(1_100, 1_200, "of", customer="Acme"),
        off(1_100, 1_200, "other", kind="customer"),
    )
    asked = Evidence("mail", "A", PERIOD, 0, exclusions=facts)
    assert [(one.exclusion, surely) for one, surely in named(rule(notice=F(60)), asked)] == [
        ("late", True),
        ("of", False),
    ]
    assert list(named(rule(own_plan_only=True), asked)) == []


@pytest.mark.parametrize(
    ("most", "most_per", "named_too"),
    [
        (None, "year", ()),  # no limit: what was before the period has no part in it
        (F(300), "year", ()),  # 100 of before and 150 of here fit
        (F(250), "year", ()),
        (
            F(249),
            "year",
            ("exclusion/before v1",),
        ),  # one second of here did not fit, since 100 were used before
        (F(149), "period", ()),  # in the period one second too many: nothing from before has to do with it
    ],
)
def test_what_used_up_a_limit_is_named(
    most: Fraction | None, most_per: str, named_too: tuple[str, ...]
) -> None:
    found = found_by(
        off(100, 200, "before", region="B"), off(1_100, 1_250, "here"), rules=(rule(most=most, most_per=most_per),)
    )  # fmt: skip
    assert found.entries == (*named_too, "exclusion/here v1")


def test_what_used_up_a_limit_is_what_began_before_the_end_and_lasted_into_the_year() -> None:
    """The first year of all began at second 0, and the period ends at 2,000: what touches either has no part in it."""
    facts = (
        off(-100, 0, "old"), off(-100, 1, "into"), off(1_100, 1_250, "here"), off(1_999, 2_600, "out"), off(2_000, 2_600, "after"),
        off(1_300, 1_310, "own", kind="customer"),
    )  # fmt: skip
    limited, other = rule(most=F(100)), rule(kinds=frozenset({"customer"}))
    used = tuple(f"exclusion/{name} v1" for name in ("into", "here", "out"))
    assert found_by(*facts, rules=(limited, other)).entries == (*used, "exclusion/own v1")
    assert found_by(*facts, rules=(other, limited)).entries == ("exclusion/own v1", *used)


def test_exclusions_of_another_region_are_named_where_regions_count_together() -> None:
    there = off(1_100, 1_200, "there", region="B"), off(1_300, 1_400, "somewhere", region="unknown")
    assert found_by(*there).entries == ("exclusion/somewhere v1",)
    assert found_by(*there, scope=Scope(regions="union")).entries == ("exclusion/there v1", "exclusion/somewhere v1")  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "rules", "known", "at_once"),
    [
        ((), {}, {}, True),
        ((off(1_100, 1_200, customer="Acme"),), {}, {}, True),
        # What leaves in any case leaves nothing open.
        ((off(1_300, 1_400), off(1_100, 1_200, customer="Acme")), {}, {}, True),
        ((off(1_300, 1_400, customer="Acme"), off(1_100, 1_200, customer="Acme")), {}, {}, True),
        ((off(1_300, 1_400, customer="Bolt"), off(1_100, 1_200, customer="Acme")), {}, {}, False),
        # Of a limit any part may be left.
        ((off(1_100, 1_200, customer="Acme"),), {"most": F(5_000)}, {}, False),
        # What stays in the denominator does not change it.
        ((off(1_300, 1_400, customer="Bolt", kind="customer"), off(1_100, 1_200, customer="Acme")), {}, {}, True),
        # Who the customer is is known, and so both hang on the cohort alone; or that it is in the cohort, and both on who it is.
        ((off(1_300, 1_400, **BETA), off(1_100, 1_200, customer="Acme", **BETA)), {}, {"customer": "Acme"}, True),
        ((off(1_300, 1_400, **BETA), off(1_100, 1_200, customer="Acme", **BETA)), {}, {}, False),
        ((off(1_300, 1_400, customer="Acme"), off(1_100, 1_200, customer="Acme", **BETA)), {},
         {"memberships": {"beta": Membership(True, "")}}, True),
        ((off(1_300, 1_400, customer="Acme"), off(1_100, 1_200, customer="Acme", **BETA)), {}, {}, False),
    ],
)  # fmt: skip
def test_what_hangs_on_one_fact_leaves_the_period_at_once(
    facts: tuple[Exclusion, ...], rules: dict[str, Any], known: dict[str, Any], at_once: bool
) -> None:
    both = rule(treated="removed", **rules), rule(kinds=frozenset({"customer"}))
    assert found_by(*facts, rules=both, **known).at_once is at_once


ACME = {"customer": "Acme"}


@pytest.mark.parametrize(
    ("facts", "most", "ends"),
    [
        # Where it surely ends nothing is open.
        ((off(1_100, 1_200),), None, []),
        ((off(1_100, 1_200, **ACME), off(1_300, 1_400)), None, [(1_200, 1_201)]),
        ((off(1_100, 1_200, component="unknown"),), None, [(1_200, 1_201)]),
        # A limit ends it earlier.
        ((off(1_100, 1_200),), 50, []),
        ((off(1_100, 1_200, component="unknown"),), 50, [(1_150, 1_151)]),
        # What is perhaps used up before leaves any second of it as the last; the same of what perhaps uses it up.
        ((off(1_100, 1_200, **ACME), off(1_300, 1_400)), 100, [(1_101, 1_201), (1_301, 1_401)]),
        # Forty are used up perhaps: sixty are left surely, until 1,360.
        ((off(1_100, 1_140, **ACME), off(1_300, 1_400, component="unknown")), 100, [(1_101, 1_141), (1_360, 1_361), (1_361, 1_401)]),
    ],
)  # fmt: skip
def test_with_which_second_what_is_perhaps_taken_out_may_be_over(
    facts: tuple[Exclusion, ...], most: int | None, ends: list[Span]
) -> None:
    found = found_by(*facts, rules=(rule(most=None if most is None else F(most)),))
    assert found.ends("inbox", "A", None) == set(ends)


def test_what_is_perhaps_over_is_that_of_the_same_place_or_window() -> None:
    there = off(1_100, 1_200, component="inbox", region="B", **ACME)
    found = found_by(there, scope=Scope("union"))
    assert found.ends("inbox", "B", None) == {(1_200, 1_201)}
    assert found.ends("outbox", "B", None) == found.ends("inbox", "A", None) == frozenset()
    # Of the hundred seconds of the limit what is planned has those that Acme's did not use up.
    plan = window(planned=Planned(0, 1_300, 1_400))
    limited = found_by(plan, off(1_100, 1_200, **ACME), rules=(rule(most=F(100)),))
    assert limited.ends("*", "A", ("i", "w")) == {(1_101, 1_201), (1_301, 1_401)}
    assert limited.ends("*", "A", ("i", "v")) == {(1_101, 1_201)}
