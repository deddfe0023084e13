"""Which fact would decide, how far times may be off, and the words for what stays open where no fact does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.measurement import Measurement
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Remedy,
    Scope,
    Stacking,
    Tier,
)
from ledger.domain.window import Window
from projections.evaluation.deciding import Vague, vague_times, what_decides
from projections.evaluation.evidence import Evidence
from projections.evaluation.open_facts import open_facts
from projections.evaluation.outcome import Outcome, outcome
from tests.sla.timelines import PERIOD, window

F = Fraction


def of_all(*windows: Window, **changed: Any) -> Evidence:
    return Evidence("mail", "A", PERIOD, 1_500, windows, **changed)


def tier(
    lower: Fraction, upper: Fraction, percent: int, words: str, *, top: bool = False, of: Any = "availability"
) -> Tier:
    return Tier(lower, True, upper, top, F(percent), words, of, Remedy(percent=F(percent)))


UP = tier(F(9, 10), F(1), 0, "at least 90%", top=True)
DOWN = tier(F(0), F(9, 10), 10, "below 90%")


def terms(*tiers: Tier, **changed: Any) -> Policy:
    every = (
        Commitment("c", Measure(), Counting(frozenset({"outage", "delay"})), Scope(), tiers or (UP, DOWN)),
    )
    rules = (ExclusionRule(frozenset({"customer"})),)
    made = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), every, rules, Credit(), "half-up", ""
    )
    found: Policy = msgspec.structs.replace(made, **changed)
    return found


def decided(made: Outcome) -> bool:
    low, high = made.forms("USD")
    return low == high


def decides(policy: Policy, evidence: Evidence, chosen: str | None = None) -> str | None:
    made = outcome(policy, evidence)
    return what_decides(policy, evidence, made, decided, chosen, vague_times(evidence, made, decided))


def test_the_one_fact_that_decides_is_named_and_several_are_when_none_does_alone() -> None:
    # 100 seconds are 90% exactly; a cohort's 60 more are below it.
    assert decides(terms(), of_all(window())) is None
    beta = window(1_300, 1_360, "v", cohort="beta")
    assert decides(terms(), of_all(window(), beta)) == "whether the customer is in cohort 'beta'"
    # Two of which each alone is above the edge: whichever is closed, the other leaves it open.
    alpha = window(1_500, 1_560, "u", cohort="alpha")
    assert decides(terms(), of_all(window(), alpha, beta)) == (
        "no single fact: whether the customer is in cohort 'alpha'; whether the customer is in cohort 'beta' are open together"
    )
    # Of two facts the one that decides, though it is named second.
    small = window(1_500, 1_510, "u", cohort="alpha")
    assert (
        decides(terms(), of_all(window(1_100, 1_190), small, beta))
        == "whether the customer is in cohort 'beta'"
    )


def test_how_a_contract_is_to_be_read_at_a_gap_or_an_overlap() -> None:
    gap = (tier(F(95, 100), F(1), 0, "good", top=True), tier(F(0), F(9, 10), 10, "bad"))
    every = terms(*gap).commitments[0]
    policy = terms(commitments=(msgspec.structs.replace(every, gaps="undecided"),))
    assert decides(policy, of_all(window(1_100, 1_180))) == (
        "how the contract is to be read at this availability, which no tier holds, or more than one: good or bad"
    )
    # What is open elsewhere is named with it only where it decides.
    assert decides(policy, of_all(window(1_100, 1_120), window(1_300, 1_360, "v", cohort="beta"))) == (
        "no single fact: whether the customer is in cohort 'beta' are open together"
    )


def test_the_choice_of_the_customer_decides_only_while_it_is_not_made() -> None:
    first = terms().commitments[0]
    second = msgspec.structs.replace(first, name="d", tiers=(UP, tier(F(0), F(9, 10), 25, "worse")))
    for rule, chosen, said in (
        ("choose-one", None, "which of the commitments the customer chooses"), ("choose-one", "c", None), ("best-of", None, None),
    ):  # fmt: skip
        policy = terms(commitments=(first, second), stacking=Stacking(rule))  # type: ignore[arg-type]
        evidence = of_all(window(1_100, 1_300))
        made = outcome(policy, evidence)

        def one(other: Outcome, of: str | None = chosen) -> bool:
            low, high = other.forms("USD", of)
            return low == high

        assert what_decides(policy, evidence, made, one, chosen) == said
    alone = terms(stacking=Stacking("choose-one"))
    open_alone = of_all(
        window(), window(1_300, 1_360, "v", cohort="a"), window(1_500, 1_560, "u", cohort="b")
    )
    assert str(decides(alone, open_alone)).startswith("no single fact")


def vague(policy: Policy, evidence: Evidence) -> Vague | None:
    return vague_times(evidence, outcome(policy, evidence), decided)


ABOUT = window(1_100, 1_180, approximate=True)


@pytest.mark.parametrize(
    ("windows", "together", "alone"),
    [
        # 20 seconds are left to the edge, which both ends may use up.
        ([ABOUT], 10, [10]),
        # 19 seconds are: one end may use up one more than the other, but each is off by as much as the other at most.
        ([window(1_100, 1_181, approximate=True)], 9, [9]),
        # The period begins with it, so its end alone counts.
        ([window(1_000, 1_080, approximate=True)], 20, [20]),
        ([window(1_100, 1_101, approximate=True), window(1_500, 1_599, "v")], 0, [0]),
        ([ABOUT, window(1_500, 1_510, "v", approximate=True)], 2, [5, 5]),
        # Exact, withdrawn, of another service or with a tolerance of its own: no part.
        ([ABOUT, window(1_500, 1_510, "v")], 5, [5]),
        ([ABOUT, window(1_500, 1_510, "v", approximate=True, withdrawn=True)], 10, [10]),
        ([ABOUT, window(1_500, 1_510, "v", approximate=True, service="web")], 10, [10]),
        ([ABOUT, window(1_500, 1_510, "v", approximate=True, start_within_seconds=2)], 4, [4]),
        # Two that lie before and after the period may reach into it.
        ([ABOUT, window(500, 990, "v", approximate=True)], 10, [10, 30]),
        ([ABOUT, window(2_010, 2_500, "v", approximate=True)], 10, [10, 30]),
        # One that ended long before may reach as far, if it is off by more than the period is long.
        ([ABOUT, window(-700, -100, "v", approximate=True)], 10, [10, 1_120]),
        ([ABOUT, window(3_100, 3_700, "v", approximate=True)], 10, [10, 1_120]),
        ([ABOUT, window(-1_700, -1_100, "v", approximate=True)], 10, [10, 2_120]),
        # Whichever comes first.
        ([window(500, 990, "v", approximate=True), ABOUT], 10, [30, 10]),
        # One moves by its start alone and one by its end, of which a second is lost before the period.
        ([window(1_920, 2_000, approximate=True), window(500, 999, "v", approximate=True)], 10, [20, 21]),
        # What counts nothing may be anywhere.
        ([ABOUT, window(1_500, 1_600, "v", approximate=True, effect="degraded")], 10, [10, None]),
        ([window(1_500, 1_600, "v", approximate=True, effect="degraded"), ABOUT], 10, [None, 10]),
    ],
)  # fmt: skip
def test_how_far_times_may_be_off_for_the_tier_to_stay(
    windows: list[Window], together: int, alone: list[int | None]
) -> None:
    found = vague(terms(), of_all(*windows))
    assert found is not None
    assert found.together == together
    assert [within for _, within in found.alone] == alone
    assert found.alone[0][0] == windows[0]


def test_where_no_edge_can_be_reached_there_is_no_limit() -> None:
    always = terms(tier(F(0), F(1), 10, "always", top=True))
    assert vague(always, of_all(ABOUT)) == Vague(None, ((ABOUT, None),))
    # Of one outside the period nothing is said then.
    outside = window(2_010, 2_500, "v", approximate=True)
    assert vague(always, of_all(ABOUT, outside)) == Vague(None, ((ABOUT, None),))
    assert vague(terms(), of_all(window())) is None
    assert vague(terms(), of_all(ABOUT, window(1_300, 1_360, "v", cohort="beta"))) is None


def test_a_window_that_may_vanish_or_fill_the_period() -> None:
    """All of the period or none: the edge is one second from either end, so only the farthest distance matters."""
    full = terms(tier(F(1, 1_000), F(1), 0, "some was up", top=True), tier(F(0), F(1, 1_000), 10, "none was"))
    # From 1,100 to 1,180 each end may move until 1,000 seconds less one are down: 820 after the end, 100 before the start.
    found = vague(full, of_all(ABOUT))
    assert found is not None
    assert found.together == 819
    gone = terms(tier(F(1), F(1), 0, "all was up", top=True), tier(F(0), F(1), 10, "some was down"))
    found = vague(gone, of_all(ABOUT))
    assert found is not None
    # Of 80 seconds nothing may be left where both ends are off by 40.
    assert found.together == 39


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (window(1_100, 1_180, approximate=True), "21 seconds more of eligible downtime leads to the next tier"),
        (window(1_100, 1_200, approximate=True), "1 second more of eligible downtime leads to the next tier"),
        (window(1_100, 1_201, approximate=True), "1 second less leads to a better one"),
        # 51 seconds more are more than it counts for, but both of its ends may be off.
        (window(1_100, 1_150, approximate=True), "the answer stays as it is while they are off by up to 25 seconds"),
        # 34 seconds may be off by 33, which is less than they are; 33 by as much.
        (window(1_100, 1_134, approximate=True), "the answer stays as it is while they are off by up to 33 seconds"),
        (window(1_100, 1_133, approximate=True), None),
        (window(1_100, 1_151, approximate=True), "50 seconds more of eligible downtime leads to the next tier"),
        (window(1_100, 1_299, approximate=True), "99 seconds less leads to a better one"),
        (window(1_100, 1_200), None),
        (window(1_100, 1_200, approximate=True, start_within_seconds=0, withdrawn=True), None),
    ],
)  # fmt: skip
def test_times_near_an_edge_are_named_with_the_seconds_to_it(one: Window, said: str | None) -> None:
    expected = None if said is None else f"the exact times of window i/w, which are approximate: {said}"
    assert decides(terms(), of_all(one)) == expected


def test_each_window_near_an_edge_is_named_once() -> None:
    """Below 95% and at least 90%: 60 and 15 seconds, of which 24 less are better, and 26 more are worse."""
    middle = (
        tier(F(95, 100), F(1), 0, "good", top=True), tier(F(9, 10), F(95, 100), 5, "fair"), tier(F(0), F(9, 10), 10, "bad")
    )  # fmt: skip
    long, short = window(1_100, 1_160, approximate=True), window(1_300, 1_315, "v", approximate=True)
    assert decides(terms(*middle), of_all(long, short)) == (
        "the exact times of window i/w, which are approximate: 26 seconds more of eligible downtime leads to the next tier, "
        "25 seconds less leads to a better one"
    )
    both = (window(1_100, 1_140, approximate=True), window(1_300, 1_335, "v", approximate=True))
    assert str(decides(terms(*middle), of_all(*both))).count("which are approximate: 26 seconds more") == 2
    two = msgspec.structs.replace(terms(*middle).commitments[0], name="d")
    doubled = terms(commitments=(terms(*middle).commitments[0], two))
    assert str(decides(doubled, of_all(*both))).count("which are approximate") == 2


def test_each_window_that_would_change_the_answer_is_told_with_its_own_distance() -> None:
    long, short = window(1_100, 1_160, approximate=True), window(1_300, 1_330, "v", approximate=True)
    near = of_all(long, short)
    assert decides(terms(), near) == (
        "the exact times of window i/w, which are approximate: 11 seconds more of eligible downtime leads to the next tier; "
        "the exact times of window i/v, which are approximate: 11 seconds more of eligible downtime leads to the next tier"
    )
    hourly = Tier(F(0), True, F(1), True, F(0), "any", "availability", Remedy(multiple=F(1)))
    stays = "which are approximate: the answer stays as it is while they are off by up to 0 seconds"
    assert decides(terms(hourly), near) == (
        f"the exact times of window i/w, {stays}; the exact times of window i/v, {stays}"
    )


def test_where_every_second_is_paid_the_distance_is_said() -> None:
    hourly = Tier(F(0), True, F(1), True, F(0), "any", "availability", Remedy(multiple=F(1)))
    assert decides(terms(hourly), of_all(ABOUT)) == (
        "the exact times of window i/w, which are approximate: the answer stays as it is while they are off by up to 0 seconds"
    )
    # Where a tier is near, that is said instead; where nothing is paid for seconds, nothing.
    assert decides(terms(tier(F(0), F(1), 10, "always", top=True)), of_all(ABOUT)) is None


NEAR = "the exact times of window i/w, which are approximate: 21 seconds more of eligible downtime leads to the next tier"


@pytest.mark.parametrize(
    "others",
    [
        # Exact, withdrawn, or outside the period: however near, they are not what is approximate here.
        (window(1_100, 1_180, "v"),), (window(1_100, 1_180, "v", approximate=True, withdrawn=True),),
        (window(500, 1_000, "v", approximate=True),),
    ],
)  # fmt: skip
def test_only_the_window_that_is_approximate_and_counts_is_named(others: tuple[Window, ...]) -> None:
    assert decides(terms(), of_all(*others, ABOUT)) == NEAR
    at_the_edge = window(1_100, 1_200, approximate=True)
    assert decides(terms(), of_all(*others, at_the_edge)) == NEAR.replace("21 seconds", "1 second")


def test_an_edge_as_far_as_a_window_is_long_is_near() -> None:
    """50 and 1 seconds: 50 more pass the edge. 100 and 30: 30 less are on it."""
    more = of_all(window(1_100, 1_150, approximate=True), window(1_300, 1_301, "v"))
    assert decides(terms(), more) == NEAR.replace("21", "50")
    less = of_all(window(1_100, 1_130, approximate=True), window(1_300, 1_400, "v"))
    assert (
        decides(terms(), less)
        == "the exact times of window i/w, which are approximate: 30 seconds less leads to a better one"
    )


def test_where_a_bound_is_open_beside_them_the_distance_of_both_is_said() -> None:
    """80 seconds, and 10 that perhaps count: 10 are left, which both ends use up."""
    beside = of_all(ABOUT, window(1_300, 1_310, "v", cohort="beta"))
    assert decides(terms(), beside) == (
        "the exact times of window i/w, which are approximate: the answer stays as it is while they are off by up to 5 seconds"
    )


def test_an_open_window_may_be_approximate() -> None:
    """From 1,399 on, until 1,500 at least and 2,000 at most: 700 seconds may be down, of which 601 are at most."""
    far = terms(tier(F(3, 10), F(1), 0, "good", top=True), tier(F(0), F(3, 10), 10, "bad"))
    unsure = window(1_399, None, approximate=True)
    assert decides(far, of_all(unsure)) == (
        "the exact times of window i/w, which are approximate: the answer stays as it is while they are off by up to 99 seconds"
    )
    always = terms(tier(F(0), F(1), 10, "always", top=True))
    assert vague(always, of_all(unsure)) == Vague(None, ((unsure, None),))
    # Where the period is over, it lasted until its end.
    over = Evidence("mail", "A", PERIOD, 2_500, (window(1_920, None, approximate=True),))
    assert decides(terms(), over) == NEAR


def test_a_window_of_another_component_is_not_near_an_edge_of_this_one() -> None:
    every = terms().commitments[0]
    inbox = msgspec.structs.replace(every, name="inbox", scope=Scope(components=("inbox",)))
    windows = (
        window(1_100, 1_180, "v", component="inbox"),
        window(1_100, 1_180, component="outbox", approximate=True),
    )
    assert decides(terms(commitments=(inbox,)), of_all(*windows)) is None
    # A commitment about all of it is, though it is not the first.
    assert decides(terms(commitments=(inbox, every)), of_all(*windows)) == NEAR


def test_a_count_has_no_seconds_to_an_edge() -> None:
    counted = msgspec.structs.replace(
        terms().commitments[0], measure=Measure("events"),
        tiers=(tier(F(0), F(1), 0, "none", of="value"), tier(F(1), F(9), 10, "some", top=True, of="value")),
    )  # fmt: skip
    assert (
        decides(
            terms(commitments=(counted,)),
            of_all(window(1_100, 1_600, approximate=True), window(1_700, 1_710, "v")),
        )
        is None
    )


def test_a_window_outside_the_period_is_not_named_for_what_is_paid_by_the_second() -> None:
    hourly = Tier(F(0), True, F(1), True, F(0), "any", "availability", Remedy(multiple=F(1)))
    said = str(decides(terms(hourly), of_all(ABOUT, window(500, 1_000, "v", approximate=True))))
    assert "i/w" in said
    assert "i/v" not in said


def test_no_single_fact_decides_whatever_else_is_decided() -> None:
    """Two cohorts that each alone pass the edge; beside them a commitment that always pays 5%."""
    first = terms().commitments[0]
    always = msgspec.structs.replace(first, name="d", tiers=(tier(F(0), F(1), 5, "always", top=True),))
    evidence = of_all(
        window(), window(1_300, 1_360, "v", cohort="a"), window(1_500, 1_560, "u", cohort="b")
    )  # fmt: skip
    best = terms(commitments=(always, first), stacking=Stacking("best-of"))
    assert str(decides(best, evidence)).startswith("no single fact: ")
    chosen = terms(commitments=(first, always), stacking=Stacking("choose-one"))
    made = outcome(chosen, evidence)

    def of_the_first(other: Outcome) -> bool:
        low, high = other.forms("USD", "c")
        return low == high

    assert str(what_decides(chosen, evidence, made, of_the_first, "c")).startswith("no single fact: ")


def test_counts_over_the_edge_of_the_period_are_named() -> None:
    """None of them, or all, may have failed inside it."""
    messages = msgspec.structs.replace(terms().commitments[0], measure=Measure("messages", ("messages",)))
    one = Measurement("i", "m", "mail", "*", "A", 999, 1_001, "messages", 10, 4)
    evidence = Evidence("mail", "A", PERIOD, 0, measurements=(one,))
    policy = terms(commitments=(messages,))
    assert decides(policy, evidence) == "how much of measurement i/m was in the period"
    ((_, least, most),) = open_facts(policy, evidence)
    inside = msgspec.structs.replace(one, start=1_000)
    assert least.measurements == (msgspec.structs.replace(inside, failed=0, total=6),)
    assert most.measurements == (msgspec.structs.replace(inside, failed=4, total=4),)


def test_what_shares_that_are_known_leave_open_is_said() -> None:
    """Two halves at once are a half, or all: no fact that was stated is a bound."""
    share = msgspec.structs.replace(terms().commitments[0], measure=Measure("affected-share"))
    half = {"share_at_least": "0.5", "share_at_most": "0.5"}
    both = of_all(
        window(1_100, 1_250, **half), window(1_100, 1_250, "v", **half), window(1_900, 1_910, "whole")
    )
    assert decides(terms(commitments=(share,)), both) == (
        "no single fact: how far what was affected of windows i/w, i/v is the same"
    )


def test_what_measurements_leave_open_is_no_single_fact_and_not_that_of_windows() -> None:
    """Half of the requests and half of the users at once are half of it, or all; the window is no part of that, and the last outside."""
    measure = Measure("affected-share", ("requests", "users"))
    share = msgspec.structs.replace(terms().commitments[0], measure=measure)
    half = {"share_at_least": "0.5", "share_at_most": "0.5"}
    measured = tuple(
        Measurement("i", of, "mail", "*", "A", 1_100, 1_250, of, 2, 1) for of in ("requests", "users")
    )
    windows = (window(1_900, 1_910, **half), window(2_100, 2_200, "outside", **half))
    both = of_all(*windows, measurements=measured)
    assert decides(terms(commitments=(share,)), both) == "no single fact of those that were stated"


def test_a_commitment_that_is_decided_does_not_ask_how_it_is_to_be_read() -> None:
    every = terms().commitments[0]
    inbox = msgspec.structs.replace(every, name="inbox", scope=Scope(components=("inbox",)))
    windows = (
        window(component="inbox"), window(1_300, 1_360, "v", component="outbox", cohort="a"),
        window(1_500, 1_560, "u", component="outbox", cohort="b"),
    )  # fmt: skip
    assert str(decides(terms(commitments=(inbox, every)), of_all(*windows))).startswith("no single fact: ")


SHARES = terms(
    commitments=(msgspec.structs.replace(terms().commitments[0], measure=Measure("affected-share")),)
)


def halves(*lengths: int) -> Evidence:
    """Windows of so many seconds, of which a half at least was affected."""
    starts = range(1_000, 2_000, 200)
    return of_all(
        *(window(at, at + lasts, f"w{lasts}", share_at_least="0.5") for at, lasts in zip(starts, lengths, strict=False))
    )  # fmt: skip


def test_of_many_facts_the_one_that_decides_is_found_wherever_it_stands() -> None:
    """Of 120 seconds 60 to 120 count: more than 100, or not, whatever is left of the others."""
    expected = "the share that window i/w120 affected (from 0.5 to 1)"
    for lengths in ((120, 4), (4, 120), (120, 4, 5, 6), (4, 5, 120, 6), (4, 5, 6, 120), (4, 5, 6, 7, 120)):
        assert decides(SHARES, halves(*lengths)) == expected


def test_where_only_several_facts_decide_together_none_of_them_is_named_alone() -> None:
    """61 to 122 seconds: without the half of all of them that is open 100 may be passed."""
    assert decides(SHARES, halves(29, 30, 31, 32)) == (
        "no single fact: "
        + "; ".join(
            f"the share that window i/w{lasts} affected (from 0.5 to 1)" for lasts in (29, 30, 31, 32)
        )
        + " are open together"
    )


def test_what_several_facts_do_not_decide_together_is_not_asked_one_by_one() -> None:
    """Eight shares that decide nothing, and two cohorts.

    Asked are the answer as it is; five shares together, two together, and one; and both cohorts.
    """
    delays = (
        window(1_000 + 10 * at, 1_005 + 10 * at, f"d{at}", effect="delay", share_at_most="0.2")
        for at in range(8)
    )
    cohorts = (window(1_300, 1_390, "v", cohort="a"), window(1_500, 1_590, "u", cohort="b"))
    evidence, asked = of_all(*delays, *cohorts), []

    def counted(made: Outcome) -> bool:
        asked.append(made)
        return decided(made)

    said = what_decides(terms(), evidence, outcome(terms(), evidence), counted, None)
    assert str(said).startswith("no single fact: the share that window i/d0")
    assert len(asked) <= 6


def questions(count: int, lasts: int) -> int:
    """How many are asked for so many windows of the same length, which are approximate."""
    starts = range(1_010, 2_000, 50)
    windows = (
        window(at, at + lasts, f"w{at}", approximate=True)
        for at, _ in zip(starts, range(count), strict=False)
    )
    evidence, asked = of_all(*windows), []

    def counted(made: Outcome) -> bool:
        asked.append(made)
        return decided(made)

    found = vague_times(evidence, outcome(terms(), evidence), counted)
    assert found is not None
    assert {within for _, within in found.alone} == {10}
    return len(asked)


def test_how_far_times_may_be_off_takes_few_questions_for_each_window_that_is_like_the_one_before() -> None:
    """Whether it may be anywhere, of it and of those beside it; whether it may be as far as the one before, and farther."""
    assert questions(16, 5) - questions(8, 10) <= 8 * 4


def one_by_one(rule: Any, *windows: Window, tiers: tuple[Tier, ...] = (UP, DOWN), **changed: Any) -> tuple[Policy, Evidence]:  # fmt: skip
    commitment = msgspec.structs.replace(terms(*tiers).commitments[0], measure=Measure("affected-share"))
    return terms(commitments=(commitment,), stacking=Stacking(incidents=rule)), of_all(*windows, **changed)


A, B = window(1_100, 1_250, incident="a"), window(1_400, 1_550, incident="b")


def test_incidents_that_stay_as_they_are_are_not_made_again() -> None:
    for change, said in (
        ({"share_at_least": "0.5"}, "the share that window a/w affected (from 0.5 to 1)"),
        ({"approximate": True}, "the exact times of window a/w, which are approximate: "),
    ):
        policy, evidence = one_by_one("sum", msgspec.structs.replace(A, **change), B)
        made, tried = outcome(policy, evidence), []

        def kept(other: Outcome) -> bool:
            tried.append(dict(other.incidents))  # noqa: B023 - called in this turn alone
            return decided(other)

        beside = vague_times(evidence, made, kept)
        assert str(what_decides(policy, evidence, made, kept, None, beside)).startswith(said)
        before = dict(made.incidents)
        others = [one for one in tried if one["a"] is not before["a"]]
        assert others
        assert all(one["b"] is before["b"] for one in tried)


def test_who_is_in_a_cohort_decides_for_each_incident() -> None:
    policy, evidence = one_by_one("sum", msgspec.structs.replace(A, cohort="beta"), B)
    assert decides(policy, evidence) == "whether the customer is in cohort 'beta'"


FAIR = (
    tier(F(95, 100), F(1), 0, "good", top=True), tier(F(85, 100), F(95, 100), 5, "fair"), tier(F(0), F(85, 100), 10, "bad"),
)  # fmt: skip


def test_which_incident_the_customer_chooses_is_a_choice() -> None:
    """100 seconds give 5% and 200 give 10%; 20 give nothing, and are none to choose."""
    small = window(1_000, 1_020, incident="c")
    five, ten = window(1_100, 1_200, incident="a"), window(1_400, 1_600, incident="b")
    choice = "which of the incidents the customer chooses, a or b: a choice, which no fact decides"
    for windows in ((five, ten), (five, ten, small)):
        assert decides(*one_by_one("choose-one", *windows, tiers=FAIR)) == choice
    assert decides(*one_by_one("choose-one", five, tiers=FAIR)) is None
    assert decides(*one_by_one("choose-one", five, small, tiers=FAIR)) is None
    # Where it is not the customer's to choose, facts decide.
    unsure = (
        window(1_300, 1_360, "v", incident="b", cohort="x"),
        window(1_500, 1_560, "u", incident="b", cohort="y"),
    )
    apart = (five, window(1_600, 1_650, incident="b"), *unsure)
    for rule in ("sum", "best-of"):
        assert str(decides(*one_by_one(rule, *apart, tiers=FAIR))).startswith("no single fact: whether")
