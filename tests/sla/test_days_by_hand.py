"""Periods, their labels and the terms that rule them, whole, by a calendar that anyone can look up.

14 March 2022 is a Monday. New York is four hours behind UTC from 13 March 2022 on, and five before.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.domain.interval import Span, intersect, length, subtract, union
from ledger.domain.period import check_name
from ledger.domain.policy.model import (
    ExclusionRule,
    PeriodRule,
    Remedy,
    Termination,
    Tier,
)
from ledger.domain.policy.periods import (
    check_label,
    following,
    label_is_month,
    parse_policy_period,
    period_ending_in,
    period_holding,
    periods_in_a_year,
    ruling_period,
    spans_of_run,
)
from ledger.errors import Refused
from tests.sla.calendars import (
    HALF,
    MONTH,
    NEW_YORK,
    QUARTER,
    THIRD,
    YEAR,
    at,
    billing,
    contract,
    days,
    terms,
    trailing,
)

F = Fraction


@pytest.mark.parametrize(
    ("rule", "label", "expected"),
    [
        (MONTH, "2022-02", ("2022-02-01", "2022-03-01")),
        (MONTH, "2022-12", ("2022-12-01", "2023-01-01")),
        (QUARTER, "2022-Q1", ("2022-01-01", "2022-04-01")),
        (QUARTER, "2022-Q2", ("2022-04-01", "2022-07-01")),
        (QUARTER, "2022-Q4", ("2022-10-01", "2023-01-01")),
        (YEAR, "2022", ("2022-01-01", "2023-01-01")),
        (THIRD, "2022-T1", ("2022-01-01", "2022-05-01")),
        (THIRD, "2022-T2", ("2022-05-01", "2022-09-01")),
        (THIRD, "2022-T3", ("2022-09-01", "2023-01-01")),
        (HALF, "2022-H1", ("2022-01-01", "2022-07-01")),
        (HALF, "2022-H2", ("2022-07-01", "2023-01-01")),
        (contract(4, 1), "2022", ("2022-04-01", "2023-04-01")),
        (contract(1, 1), "2022", ("2022-01-01", "2023-01-01")),
        (contract(3, 14, NEW_YORK), "2022", ("2022-03-14T04:00:00", "2023-03-14T04:00:00")),
        # Of 29 February the last day of a shorter one.
        (contract(2, 29), "2023", ("2023-02-28", "2024-02-29")),
        (contract(2, 29), "2024", ("2024-02-29", "2025-02-28")),
        (billing(1), "2022-02", ("2022-02-01", "2022-03-01")),
        (billing(15), "2022-12", ("2022-12-15", "2023-01-15")),
        # In a shorter month it begins on the last day.
        (billing(31), "2022-01", ("2022-01-31", "2022-02-28")),
        (billing(31), "2022-02", ("2022-02-28", "2022-03-31")),
        (billing(30), "2024-02", ("2024-02-29", "2024-03-30")),
        (trailing(30), "2022-03-30", ("2022-03-01", "2022-03-31")),
        (trailing(1), "2022-03-30", ("2022-03-30", "2022-03-31")),
        (trailing(None), "2022-03-30", ("2022-03-30", "2022-03-31")),
        (PeriodRule("calendar-month", NEW_YORK), "2022-03", ("2022-03-01T05:00:00", "2022-04-01T04:00:00")),
        (PeriodRule("calendar-year", NEW_YORK), "2022", ("2022-01-01T05:00:00", "2023-01-01T05:00:00")),
        (billing(14, NEW_YORK), "2022-03", ("2022-03-14T04:00:00", "2022-04-14T04:00:00")),
    ],
)  # fmt: skip
def test_a_label_names_a_period(rule: PeriodRule, label: str, expected: tuple[str, str]) -> None:
    found = parse_policy_period(rule, label)
    assert (found.label, found.zone, days(found)) == (label, rule.zone, expected)
    # The period that holds its seconds is itself, and the one before ends where it begins.
    assert period_holding(rule, found.start) == found or rule.kind == "trailing-days"
    assert period_holding(rule, found.end - 1) == found
    if rule.kind != "trailing-days":
        assert period_holding(rule, found.start - 1).end == found.start
        assert period_holding(rule, found.end).start == found.end


@pytest.mark.parametrize(
    ("rule", "label", "said"),
    [
        (MONTH, "2022-03-14", "period '2022-03-14' does not fit a policy per calendar-month; write a month like 2022-03"),
        (MONTH, "2022-13", "period '2022-13' is not a month like 2022-03 ("),
        (QUARTER, "2022-Q5", "period '2022-Q5' does not fit a policy per calendar-quarter; write a quarter like 2022-Q1"),
        (QUARTER, "2022-03", "period '2022-03' does not fit a policy per calendar-quarter; write a quarter like 2022-Q1"),
        (YEAR, "2022-03", "period '2022-03' does not fit a policy per calendar-year; write a year like 2022"),
        (HALF, "2022-H3", "period '2022-H3' does not fit a policy per calendar-half-year; write half a year like 2022-H1"),
        (HALF, "2022-Q1", "period '2022-Q1' does not fit a policy per calendar-half-year; write half a year like 2022-H1"),
        (THIRD, "2022-T4", "period '2022-T4' does not fit a policy per calendar-four-months; write a third of a year like 2022-T1"),
        (contract(4, 1), "2022-04", "period '2022-04' does not fit a policy per contract-year; write the year in which it begins, like 2022"),
        (YEAR, "0000", "period '0000' is not a year like 2022 ("),
        (billing(1), "2022", "period '2022' does not fit a policy per billing-month; write the month in which it begins, like 2022-03"),
        (billing(1), "2022-13", "period '2022-13' is not the month in which it begins, like 2022-03 ("),
        (trailing(3), "2022-03", "period '2022-03' does not fit a policy per trailing-days; write its last day, like 2022-03-30"),
    ],
)  # fmt: skip
def test_a_label_that_names_none_is_refused(rule: PeriodRule, label: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_policy_period(rule, label)
    assert said in str(refused.value)
    if said.endswith("("):
        assert str(refused.value).endswith("); correct it")


def test_a_period_before_its_first_day_of_the_month_is_that_of_the_month_before() -> None:
    assert days(period_holding(billing(31), at("2022-02-27"))) == ("2022-01-31", "2022-02-28")
    assert days(period_holding(billing(15), at("2022-01-14"))) == ("2021-12-15", "2022-01-15")
    assert days(period_holding(contract(4, 1), at("2022-03-31"))) == ("2021-04-01", "2022-04-01")
    assert days(period_holding(contract(4, 1), at("2022-04-01"))) == ("2022-04-01", "2023-04-01")
    assert days(period_holding(trailing(3), at("2022-03-02 12:00"))) == ("2022-02-28", "2022-03-03")


@pytest.mark.parametrize(
    ("rule", "label", "count", "expected"),
    [
        (MONTH, "2022-11", 0, ("2022-11-01", "2022-12-01")),
        (MONTH, "2022-11", 1, ("2022-12-01", "2023-01-01")),
        (MONTH, "2022-11", 3, ("2023-02-01", "2023-03-01")),
        (QUARTER, "2022-Q4", 2, ("2023-04-01", "2023-07-01")),
        (YEAR, "2022", 1, ("2023-01-01", "2024-01-01")),
        (THIRD, "2022-T3", 1, ("2023-01-01", "2023-05-01")),
        (HALF, "2022-H1", 3, ("2023-07-01", "2024-01-01")),
        (contract(4, 1), "2022", 2, ("2024-04-01", "2025-04-01")),
        (billing(31), "2022-01", 2, ("2022-03-31", "2022-04-30")),
        (trailing(30), "2022-03-30", 1, ("2022-03-31", "2022-04-30")),
        (trailing(7), "2022-03-30", 2, ("2022-04-07", "2022-04-14")),
        (trailing(None), "2022-03-30", 2, ("2022-04-01", "2022-04-02")),
    ],
)  # fmt: skip
def test_what_follows_a_period(rule: PeriodRule, label: str, count: int, expected: tuple[str, str]) -> None:
    assert days(following(rule, parse_policy_period(rule, label), count)) == expected


@pytest.mark.parametrize(
    ("rule", "label"),
    [(MONTH, "9998-12"), (QUARTER, "9998-Q3"), (contract(4, 1), "9997"), (trailing(365), "9998-12-30"), (trailing(3_660), "9998-12-30")],
)  # fmt: skip
def test_nothing_follows_the_last_period_of_the_calendar(rule: PeriodRule, label: str) -> None:
    with pytest.raises(Refused) as refused:
        following(rule, parse_policy_period(rule, label), 1)
    assert str(refused.value) == (
        f"the period after {label!r} ends beyond the calendar; ask for an earlier one"
    )


@pytest.mark.parametrize(
    ("rule", "month", "expected"),
    [
        (MONTH, "2022-03", ("2022-03-01", "2022-04-01")),
        (QUARTER, "2022-03", ("2022-01-01", "2022-04-01")),
        (QUARTER, "2022-02", None),
        (QUARTER, "2022-04", None),
        (YEAR, "2022-12", ("2022-01-01", "2023-01-01")),
        (YEAR, "2022-11", None),
        (THIRD, "2022-04", ("2022-01-01", "2022-05-01")),
        (THIRD, "2022-03", None),
        (HALF, "2022-12", ("2022-07-01", "2023-01-01")),
        (HALF, "2022-07", None),
        (contract(4, 1), "2022-03", ("2021-04-01", "2022-04-01")),
        (contract(4, 1), "2022-04", None),
        (contract(4, 2), "2022-04", ("2021-04-02", "2022-04-02")),
        (contract(4, 2), "2022-03", None),
        (billing(1), "2022-03", ("2022-03-01", "2022-04-01")),
        (billing(2), "2022-03", ("2022-02-02", "2022-03-02")),
        (billing(15), "2022-03", ("2022-02-15", "2022-03-15")),
        (billing(31), "2022-03", ("2022-02-28", "2022-03-31")),
        (billing(31), "2022-02", ("2022-01-31", "2022-02-28")),
        (trailing(7), "2022-03", ("2022-03-25", "2022-04-01")),
        (trailing(60), "2022-03", ("2022-01-31", "2022-04-01")),
    ],
)  # fmt: skip
def test_the_period_that_ends_in_a_month(
    rule: PeriodRule, month: str, expected: tuple[str, str] | None
) -> None:
    found = period_ending_in(rule, month)
    assert (None if found is None else days(found)) == expected


@pytest.mark.parametrize(
    ("rule", "count"),
    [(MONTH, F(12)), (billing(3), F(12)), (QUARTER, F(4)), (THIRD, F(3)), (HALF, F(2)), (YEAR, F(1)), (contract(4, 1), F(1)), (trailing(30), F(73, 6)), (trailing(None), F(365))],
)  # fmt: skip
def test_how_many_periods_a_year_has(rule: PeriodRule, count: Fraction) -> None:
    assert periods_in_a_year(rule) == count


def test_a_claim_may_name_each_part_of_a_year() -> None:
    for label in ("2022", "2022-Q4", "2022-T3", "2022-H2", "2022-03", "2022-03-14"):
        check_name(label)
    for label in ("2022-Q5", "2022-T4", "2022-H3", "2022-W1"):
        with pytest.raises(Refused, match="is not a period"):
            check_name(label)


def test_what_a_run_may_be_asked_for() -> None:
    assert [label_is_month(label) for label in ("2022-03", "2022-3", "2022-03-14", "2022", "2022-Q1")] == [
        True, False, False, False, False,
    ]  # fmt: skip
    every = [terms(rule) for rule in (MONTH, QUARTER, YEAR, trailing(30))]
    for label in ("2022-03", "2022-Q1", "2022", "2022-03-14"):
        check_label(label, every)
    check_label("2022-03", [])
    check_label("2022-H1", [terms(HALF)])
    check_label("2022-T1", [terms(THIRD)])
    check_label("2022", [terms(contract(4, 1))])
    for label, policies, said in (
        ("2022-Q1", [terms(MONTH), terms(YEAR)], "period '2022-Q1' is that of no policy: none is per calendar-quarter; write a month like 2022-03"),
        ("2022-H1", [terms(QUARTER)], "period '2022-H1' is that of no policy: none is per calendar-half-year; write a month like 2022-03"),
        ("2022-T1", [terms(HALF)], "period '2022-T1' is that of no policy: none is per calendar-four-months; write a month like 2022-03"),
        ("2022", [terms(MONTH), terms(QUARTER)], "period '2022' is that of no policy: none is per calendar-year; write a month like 2022-03"),
        ("2022-03-14", [terms(MONTH)], "period '2022-03-14' is a day, but policies are per calendar month; write it like 2022-03"),
        ("2022-3", [], "period '2022-3' is neither a month nor a day"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            check_label(label, policies)
        assert str(refused.value).startswith(said)
        assert not said.endswith("2022-03") or str(refused.value) == said


def test_a_term_that_begins_within_a_period_has_the_terms_of_its_first_day() -> None:
    """New terms hold from 15 March on. Who signs on the 20th signs them, and has them for March, too, where they hold for a term."""
    old = terms(MONTH)
    new = msgspec.structs.replace(old, in_force_from="2022-03-15")

    def ruling(
        rule: Any, start: str | None, label: str = "2022-03", versions: tuple[int, ...] = (1, 2)
    ) -> int:
        both = (
            msgspec.structs.replace(one, version=msgspec.structs.replace(one.version, rule=rule))
            for one in (old, new)
        )
        known = [pair for pair in enumerate(both, 1) if pair[0] in versions]
        found = ruling_period(known, label, start)
        assert found is not None
        return found[0]

    for rule in ("frozen-for-term", "on-renewal"):
        assert [ruling(rule, day) for day in ("2022-03-14", "2022-03-15", "2022-03-20", "2022-03-31")] == [
            1,
            2,
            2,
            2,
        ]
        assert [ruling(rule, day, "2022-04") for day in ("2022-03-14", "2022-03-15", "2022-03-20")] == [
            1,
            2,
            2,
        ]
        # Of who comes later this month says nothing.
        assert ruling(rule, "2022-04-01") == 1
        assert ruling(rule, "2021-03-20") == 1
        # They need no terms before theirs; who was there on the first does.
        assert ruling(rule, "2022-03-20", versions=(2,)) == 2
        with pytest.raises(Refused, match="none of its versions was in force on 2022-03-01"):
            ruling(rule, "2022-03-01", versions=(2,))
    # Terms that hold for everybody hold for whole periods.
    assert ruling("in-force", "2022-03-20") == 1
    assert ruling("in-force", "2022-03-20", "2022-04") == 2


def test_the_version_that_rules_a_period_reads_it() -> None:
    """From April on quarters: March is priced as a month, June as the quarter, and May has no period that ends in it."""
    months, quarters = terms(MONTH), terms(QUARTER, in_force_from="2022-04-01")
    versions = [(1, months), (2, quarters)]

    def ruled(label: str, of: Any = versions, start: str | None = None) -> tuple[int, tuple[str, str]] | None:
        found = ruling_period(of, label, start)
        if found is None:
            return None
        version, policy, period = found
        assert policy == dict(of)[version]
        return version, days(period)

    assert ruled("2022-03") == (1, ("2022-03-01", "2022-04-01"))
    assert ruled("2022-06") == (2, ("2022-04-01", "2022-07-01"))
    assert ruled("2022-05") is None
    assert ruled("2022-Q2") == (2, ("2022-04-01", "2022-07-01"))
    # In the first quarter the terms knew months alone.
    assert ruled("2022-Q1") is None
    assert ruled("2022") is None
    # A customer whose year began in May keeps months until it is over.
    frozen = [
        (1, months),
        (
            2,
            msgspec.structs.replace(
                quarters, version=msgspec.structs.replace(quarters.version, rule="on-renewal")
            ),
        ),
    ]
    assert ruled("2022-06", frozen, "2021-05-10") == (1, ("2022-06-01", "2022-07-01"))
    assert ruled("2022-05", frozen, "2021-05-10") == (1, ("2022-05-01", "2022-06-01"))
    assert ruled("2022-Q1", [(1, terms(QUARTER))]) == (1, ("2022-01-01", "2022-04-01"))
    assert ruled("2022-06", frozen, "2022-04-01") == (2, ("2022-04-01", "2022-07-01"))
    # And has no quarter before, though others have.
    assert ruled("2022-Q2", frozen, "2021-05-10") is None
    assert ruled("2022-Q2", frozen) == (2, ("2022-04-01", "2022-07-01"))
    # A quarter is read by those versions that have quarters, though none has them any more.
    assert ruled("2022-Q1", [(1, terms(QUARTER)), (2, terms(MONTH, in_force_from="2022-04-01"))]) == (
        1, ("2022-01-01", "2022-04-01"),
    )  # fmt: skip
    with pytest.raises(
        Refused, match="policy 'p' has a gap: none of its versions was in force on 2019-03-01"
    ):
        ruled("2019-03")
    with pytest.raises(Refused, match="no policy was published to rule 1970-01; publish one"):
        ruled("2022-Q2", [])
    # A billing month that began before the second version did is ruled by the first, which reads it as its own month.
    later = [(1, months), (2, terms(billing(15), in_force_from="2022-03-01"))]
    assert ruled("2022-03", later) == (1, ("2022-03-01", "2022-04-01"))
    # And quarters that end in the month of a version in force since then only, where no month ends that does.
    turned = [(1, terms(QUARTER)), (2, terms(billing(15), in_force_from="2022-05-01"))]
    assert ruled("2022-05", turned) is None


def test_the_time_a_run_looks_at() -> None:
    """A month, the quarter, the months before for a right to terminate, the year for a limit of the year."""
    tier = Tier(F(0), True, F(1), True, F(0), "t", "availability", Remedy())
    rights = (Termination(tier, 1, 1, ""), Termination(tier, 2, 3, ""))
    last_three = msgspec.structs.replace(terms(termination=rights), key="last-three")
    kinds = frozenset({"planned-maintenance"})
    yearly = terms(exclusions=(ExclusionRule(kinds), ExclusionRule(kinds, most=F(60))))
    once = terms(exclusions=(ExclusionRule(kinds, most=F(60), most_per="period"),))
    free = terms(exclusions=(ExclusionRule(kinds),))
    march = at("2022-03-01"), at("2022-04-01")
    policies = [terms(), terms(QUARTER), terms(YEAR), last_three, yearly, once, free]
    assert spans_of_run(policies, "2022-03") == [
        march, (at("2022-01-01"), at("2022-04-01")), (at("2022-01-01"), at("2022-04-01")), (at("2022-01-01"), at("2022-04-01")),
        march, march,
    ]  # fmt: skip
    assert spans_of_run([terms(), terms(QUARTER)], "2022-Q2") == [(at("2022-04-01"), at("2022-07-01"))]
    # Three months before January begin in the year before, and so does that year's limit.
    both = msgspec.structs.replace(last_three, exclusions=yearly.exclusions)
    assert spans_of_run([both], "2022-01") == [(at("2021-01-01"), at("2022-02-01"))]
    there = terms(PeriodRule("calendar-month", NEW_YORK), exclusions=yearly.exclusions)
    assert spans_of_run([there], "2022-03") == [(at("2022-01-01", 5), at("2022-04-01", 4))]


moments = st.integers(-7, 12)
spans = st.lists(st.tuples(moments, moments), max_size=5)


def inside(of: Any) -> set[int]:
    return {second for start, end in of for second in range(start, end)}


def normal(of: tuple[Span, ...]) -> set[int]:
    """The seconds of spans, which are in order, not empty, and do not touch."""
    assert all(start < end for start, end in of)
    assert all(before[1] < after[0] for before, after in pairwise(of))
    return inside(of)


@given(spans, spans)
@example([(0, 5), (5, 8), (3, 4)], [(1, 2), (2, 3), (7, 9)])
@example([(0, 9)], [(0, 1), (3, 4), (8, 9)])
@example([(0, 3)], [(3, 5)])
@example([(0, 3), (6, 9)], [(2, 7), (8, 12)])
def test_spans_are_sets_of_seconds(some: list[Span], others: list[Span]) -> None:
    left, right = inside(some), inside(others)
    assert normal(union(some)) == left
    assert normal(intersect(some, others)) == left & right
    assert normal(subtract(some, others)) == left - right
    assert length(some) == len(left)
