"""Which rows share an assessment: their terms, place, days and customers, row by row, and what each group was made of."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.cohorts import Cohort
from projections.credits import Group, Workings, price
from tests.projections.pricing import (
    APRIL,
    at,
    column,
    policy,
    priced,
    subscribed,
    table,
    window,
    worked,
)

DAY = 86_400
MARCH = at("2022-03-01")
OUTAGE = window("2022-03-14T10:00", "2022-03-14T12:30")
FROZEN = '[version]\nrule = "frozen-for-term"\n'


def groups(done: Workings) -> dict[str, Group]:
    """The group of each subscription."""
    names = done.frame["subscription"].tolist()
    return {name: done.groups[code] for name, code in zip(names, done.codes.tolist(), strict=True)}


def together(done: Workings) -> list[list[str]]:
    """The subscriptions that share a group, in the order of the groups."""
    found: list[list[str]] = [[] for _ in done.groups]
    for name, code in zip(done.frame["subscription"].tolist(), done.codes.tolist(), strict=True):
        found[code].append(name)
    return found


def test_a_row_is_there_for_the_days_of_its_period_that_it_is_valid_in() -> None:
    """March has the days 0 to 31; what ended on its first day or begins after its last has no row."""
    rows = {
        "whole": ("2021-01-01", ""), "from-first": ("2022-03-01", "2022-04-01"), "second": ("2022-03-02", ""), "last": ("2022-03-31", "2023-01-01"),
        "after": ("2022-04-01", ""), "long-after": ("2023-04-01", "2024-01-01"), "ended": ("2021-01-01", "2022-03-01"),
        "long-ended": ("2020-01-01", "2021-01-01"), "one-day": ("2021-01-01", "2022-03-02"), "until-last": ("2022-03-10", "2022-03-31"),
        "beyond": ("2022-03-10", "2022-05-01"),
    }  # fmt: skip
    lines = [subscribed(name, since=since, until=until) for name, (since, until) in rows.items()]
    found = groups(worked(lines, [OUTAGE], policy()))
    assert {
        name: tuple((one - MARCH) // DAY for one in group.valid) for name, group in found.items()
    } == {
        "whole": (0, 31), "from-first": (0, 31), "second": (1, 31), "last": (30, 31), "one-day": (0, 1), "until-last": (9, 30), "beyond": (9, 31),
    }  # fmt: skip


def test_days_are_those_of_each_policys_own_period_and_zone() -> None:
    """A month, a quarter that ends in it, a year that does not, and a month of Berlin, in which the 27th has 23 hours."""
    terms = [policy("month"), policy("quarter", per="calendar-quarter"), policy("year", per="calendar-year"), policy("berlin", zone="Europe/Berlin")]  # fmt: skip
    rows = {
        "y": ("year", "1970-01-01", ""), "q": ("quarter", "2022-02-10", ""), "m": ("month", "2022-03-05", "2022-03-08"),
        "gone": ("month", "2022-02-10", "2022-02-12"), "q-gone": ("quarter", "2022-02-10", "2022-02-12"), "b": ("berlin", "2022-03-28", ""),
        "b-ends": ("berlin", "2021-01-01", "2022-03-28"), "y-old": ("year", "1969-01-01", "1970-01-02"),
    }  # fmt: skip
    lines = [
        subscribed(name, policy=key, since=since, until=until) for name, (key, since, until) in rows.items()
    ]
    found = groups(worked(lines, [OUTAGE], *terms))
    assert {name: (group.period.label, *group.valid) for name, group in found.items()} == {
        "q": ("2022-Q1", at("2022-02-10"), APRIL), "m": ("2022-03", at("2022-03-05"), at("2022-03-08")),
        "q-gone": ("2022-Q1", at("2022-02-10"), at("2022-02-12")), "b": ("2022-03", at("2022-03-27T22:00"), at("2022-03-31T22:00")),
        "b-ends": ("2022-03", at("2022-02-28T23:00"), at("2022-03-27T22:00")),
    }  # fmt: skip


def test_rows_are_apart_where_anything_that_is_asked_about_them_is_apart() -> None:
    """Terms, service, region, days of the month; a customer's name, the money and the days around the month keep nobody apart."""
    lines = [
        subscribed("a"), subscribed("b", customer="Bell", currency="JPY", fee="7"), subscribed("region", region="NAM"),
        subscribed("service", service="web"), subscribed("terms", policy="q"), subscribed("days", since="2022-03-31"),
        subscribed("a-too", since="2022-02-10", until="2022-06-01"), subscribed("until", until="2022-03-31"), subscribed("elsewhere", region="NAM", since="2022-03-31"),
    ]  # fmt: skip
    done = worked(lines, [OUTAGE], policy(), policy("q"))
    assert together(done) == [
        ["a", "b", "a-too"], ["region"], ["service"], ["terms"], ["days"], ["until"], ["elsewhere"],
    ]  # fmt: skip
    assert {name: (group.policy.key, group.version, group.service, group.region) for name, group in groups(done).items() if name in ("a", "region", "service", "terms")} == {
        "a": ("p", 1, "email", "EMEA"), "region": ("p", 1, "email", "NAM"), "service": ("p", 1, "web", "EMEA"), "terms": ("q", 1, "email", "EMEA"),
    }  # fmt: skip
    # On the 31st nothing was down, in EMEA nor in NAM; until then it was, in EMEA.
    assert done.frame["credit"].tolist() == [1_000, 1, 0, 0, 1_000, 0, 1_000, 1_000, 0]


def test_a_group_holds_the_windows_of_its_service_and_region() -> None:
    """Of any region surely, of an unknown one perhaps; a withdrawn one, and one elsewhere, not at all."""
    windows = [
        OUTAGE, window("2022-03-15T10:00", "2022-03-15T11:00", "all", region="*", regions=("EMEA", "NAM")),
        window("2022-03-16T10:00", "2022-03-16T11:00", "maybe", region="unknown", regions=("NAM", "APAC")),
        window("2022-03-17T10:00", "2022-03-17T11:00", "taken-back", withdrawn=True), window("2022-03-17T10:00", "2022-03-17T11:00", "web", service="web"),
    ]  # fmt: skip
    lines = [subscribed("e"), subscribed("n", region="NAM"), subscribed("a", region="APAC"), subscribed("w", service="web")]  # fmt: skip
    found = groups(worked(lines, windows, policy()))
    assert {
        name: [(one.incident, surely) for one, surely in group.found] for name, group in found.items()
    } == {
        "e": [("i", True), ("all", True)], "n": [("all", True), ("maybe", False)], "a": [("maybe", False)], "w": [("web", True)],
    }  # fmt: skip


WIDE = '[scope]\nregions = "union"\n'


def test_terms_that_look_at_all_regions_read_all_windows_of_the_service() -> None:
    """Beside terms that look at one region, whichever of them is asked first."""
    there = window("2022-03-14T10:00", "2022-03-14T12:30", region="NAM")
    terms = policy("wide", more=WIDE), policy("each")
    for first, second in (("wide", "each"), ("each", "wide")):
        lines = [subscribed(key, policy=key) for key in (first, second)]
        assert column(priced(lines, [there], *terms), "credit") == {"wide": "10.00", "each": "0.00"}


def cohort(name: str, *customers: str) -> Cohort:
    return Cohort(f"cohort/{name} v1", pd.array(list(customers), dtype="str"))


def of_cohort(name: str, incident: str, **other: Any) -> Window:
    return msgspec.structs.replace(window("2022-03-14T10:00", "2022-03-14T12:30", incident, **other), cohort=name)  # fmt: skip


COHORTS = {
    "alpha": cohort("alpha", "Acme", "Dione"), "beta": cohort("beta", "Acme", "Bell"), "idle": cohort("idle", "Acme"),
    "zeta": cohort("zeta", "Dione"),
}  # fmt: skip
FOUR = [subscribed(name.lower(), customer=name) for name in ("Ceres", "Acme", "Bell", "Dione")]


def members(group: Group) -> list[str]:
    """The cohorts that a group's customers are in."""
    return [name for name, one in group.memberships.items() if one.inside]


def test_customers_are_apart_by_the_cohorts_that_windows_of_their_place_are_limited_to() -> None:
    """Three cohorts of windows, one of none: each way to be in the three that anybody is in is a group."""
    windows = [of_cohort("alpha", "a"), of_cohort("beta", "b"), of_cohort("zeta", "z")]
    done = worked([*FOUR, subscribed("ceres-too", customer="Eris")], windows, policy(), cohorts=COHORTS)
    assert together(done) == [["ceres", "ceres-too"], ["acme"], ["bell"], ["dione"]]
    found = groups(done)
    assert {name: members(group) for name, group in found.items()} == {
        "ceres": [], "acme": ["alpha", "beta"], "bell": ["beta"], "dione": ["alpha", "zeta"], "ceres-too": [],
    }  # fmt: skip
    # All that are known are named, with the entry that says who is in them.
    assert {name: one.entry for name, one in found["ceres"].memberships.items()} == {
        name: f"cohort/{name} v1" for name in COHORTS
    }
    assert done.frame["credit"].tolist() == [0, 1_000, 1_000, 1_000, 0]


@pytest.mark.parametrize(
    ("windows", "apart"),
    [
        ([of_cohort("beta", "b", region="NAM")], False), ([of_cohort("beta", "b", service="web")], False), ([of_cohort("unknown", "b")], False),
        ([of_cohort("beta", "b", withdrawn=True)], False), ([of_cohort("beta", "b", region="*", regions=("NAM",))], False),
        ([of_cohort("beta", "b", region="*", regions=("NAM", "EMEA"))], True), ([of_cohort("beta", "b", region="unknown", regions=("EMEA",))], True),
        ([of_cohort("beta", "c", region="NAM"), of_cohort("beta", "b")], True), ([of_cohort("beta", "b"), of_cohort("beta", "c", region="NAM")], True),
    ],
)  # fmt: skip
def test_customers_stay_together_where_no_window_of_a_cohort_concerns_them(
    windows: list[Window], apart: bool
) -> None:
    lines = [*FOUR, subscribed("n", region="NAM"), subscribed("w", service="web")]
    done = worked(lines, windows, policy(), cohorts={"beta": COHORTS["beta"]})
    here = [names for names in together(done) if names not in (["n"], ["w"])]
    assert here == ([["ceres", "dione"], ["acme", "bell"]] if apart else [["ceres", "acme", "bell", "dione"]])


def test_customers_of_a_wide_policy_are_apart_by_a_cohort_of_any_region() -> None:
    """Those of terms that look at one region are not; another service concerns neither."""
    terms = policy("wide", more=WIDE), policy("each")
    lines = [
        subscribed(f"{key}-{name}", customer=name, policy=key) for key in ("each", "wide") for name in ("Acme", "Ceres")
    ]  # fmt: skip
    lines += [subscribed(f"web-{name}", customer=name, policy="wide", service="web") for name in ("Acme", "Ceres")]  # fmt: skip
    done = worked(lines, [of_cohort("beta", "b", region="NAM")], *terms, cohorts=COHORTS)
    assert together(done) == [["each-Acme", "each-Ceres"], ["wide-Acme"], ["wide-Ceres"], ["web-Acme", "web-Ceres"]]  # fmt: skip
    assert done.frame["credit"].tolist() == [0, 0, 1_000, 0, 0, 0]


def excluded(**other: Any) -> Exclusion:
    given = {"service": "email", "region": "EMEA", **other}
    return Exclusion("storm", "force-majeure", given.pop("service"), "*", given.pop("region"), MARCH, APRIL, **given)  # fmt: skip


EXCLUDING = policy(excluded=("force-majeure",))


def test_an_exclusion_for_a_customer_keeps_that_customer_apart() -> None:
    """Two customers are named, one only by an exclusion that was taken back; everybody else stays together."""
    exclusions = [
        excluded(customer="Dione"), excluded(customer="Acme"), excluded(customer="Bell", withdrawn=True),
        excluded(region="NAM"), excluded(customer="Nobody"),
    ]  # fmt: skip
    done = worked([*FOUR, subscribed("acme-too")], [OUTAGE], EXCLUDING, exclusions=exclusions)
    assert together(done) == [["ceres", "bell"], ["acme", "acme-too"], ["dione"]]
    assert [group.customer for group in done.groups] == ["", "Acme", "Dione"]
    assert all(group.exclusions == exclusions for group in done.groups)
    assert done.frame["credit"].tolist() == [1_000, 0, 1_000, 0, 0]
    assert done.frame["excluded_seconds"].tolist() == [0, 9_000, 0, 9_000, 9_000]


def test_where_exclusions_name_nobody_all_customers_stay_together() -> None:
    done = worked(FOUR, [OUTAGE], EXCLUDING, exclusions=[excluded(customer="Acme", withdrawn=True)])
    assert together(done) == [["ceres", "acme", "bell", "dione"]]
    assert [group.customer for group in done.groups] == [""]
    done = worked(FOUR, [OUTAGE], EXCLUDING, exclusions=[excluded()])
    assert (together(done), done.frame["credit"].tolist()) == ([["ceres", "acme", "bell", "dione"]], [0] * 4)


def test_an_exclusion_for_a_cohort_keeps_its_customers_apart_wherever_it_is() -> None:
    done = worked(FOUR, [OUTAGE], EXCLUDING, exclusions=[excluded(cohort="beta")], cohorts=COHORTS)
    assert together(done) == [["ceres", "dione"], ["acme", "bell"]]
    assert done.frame["credit"].tolist() == [1_000, 0, 0, 1_000]
    for none in (excluded(cohort="beta", withdrawn=True), excluded(cohort="unknown"), excluded()):
        done = worked(FOUR, [OUTAGE], EXCLUDING, exclusions=[none], cohorts=COHORTS)
        assert together(done) == [["ceres", "acme", "bell", "dione"]]


TWICE = '[[termination]]\n{} = "{}"\nperiods = {}\nof_last = {}\n'


def may_end(rule: str, windows: list[Window], *lines: str, terms: Any = None, **other: Any) -> dict[str, Any]:
    return column(priced(lines, windows, terms or policy(more=rule), **other), "termination")


def began(*days: str, **other: str) -> list[str]:
    return [subscribed(day, since=day, **other) for day in days]


def test_a_right_to_terminate_counts_the_days_of_earlier_periods_that_a_row_was_there_for() -> None:
    """An hour of outage, at least, in each of two months: the whole first hour of 10 February was lived through, or not."""
    rule = TWICE.format("downtime_at_least", "1 hour", 2, 2)
    windows = [OUTAGE, window("2022-02-10T00:00", "2022-02-10T01:00", "february")]
    days = ("2021-02-01", "2022-02-01", "2022-02-10", "2022-02-11", "2022-02-28", "2022-03-01", "2022-03-05")
    # Terms that grant no such right come first, and are asked about no earlier period.
    lines = [subscribed("none", policy="none"), *began(*days)]
    found = column(priced(lines, windows, policy("none"), policy(more=rule)), "termination")
    assert found == {
        "none": None, "2021-02-01": True, "2022-02-01": True, "2022-02-10": True, "2022-02-11": False, "2022-02-28": False, "2022-03-01": False,
        "2022-03-05": False,
    }  # fmt: skip


def test_the_first_day_of_an_earlier_period_belongs_to_who_was_there_before() -> None:
    rule = TWICE.format("downtime_at_least", "1 hour", 2, 2)
    windows = [OUTAGE, window("2022-02-01T00:00", "2022-02-01T01:00", "february")]
    assert may_end(rule, windows, *began("2021-02-01", "2022-02-01", "2022-02-02")) == {
        "2021-02-01": True, "2022-02-01": True, "2022-02-02": False,
    }  # fmt: skip


def test_rows_that_came_at_different_times_are_apart_whatever_else_they_share() -> None:
    """Customers that an exclusion names, and days that end early, beside each other."""
    rule = TWICE.format("downtime_at_least", "1 hour", 2, 2)
    windows = [OUTAGE, window("2022-02-10T00:00", "2022-02-10T01:00", "february")]
    terms = policy(excluded=("force-majeure",), more=rule)
    lines = [
        subscribed("new", since="2022-03-01"), subscribed("hers", customer="Bell", since="2022-02-02"), subscribed("last", since="2022-02-28"),
        subscribed("hers-old", customer="Bell"), subscribed("year", since="2021-02-01"), subscribed("ends", customer="Bell", since="2022-02-13", until="2022-03-25"),
    ]  # fmt: skip
    exclusions = [excluded(customer="Bell", region="NAM")]
    done = worked(lines, windows, terms, exclusions=exclusions)
    assert len(done.groups) == 6
    assert dict(zip(done.frame["subscription"].tolist(), done.frame["termination"].tolist(), strict=True)) == {
        "new": False, "hers": True, "last": False, "hers-old": True, "year": True, "ends": False,
    }  # fmt: skip


def test_rights_of_months_and_of_quarters_each_look_at_periods_of_their_own() -> None:
    """An hour on the tenth of February, and of the November before: who came on that day was there for it, who came after was not."""
    rule = TWICE.format("downtime_at_least", "1 hour", 2, 2)
    windows = [OUTAGE, *(window(f"{month}-10T00:00", f"{month}-10T01:00", month) for month in ("2021-11", "2022-02"))]  # fmt: skip
    terms = [policy("m", more=rule), *(policy(key, per="calendar-quarter", more=rule) for key in ("a", "z"))]
    days = {"m": ("2022-02-10", "2022-02-11"), "a": ("2021-11-10", "2021-11-11"), "z": ("2021-11-10", "2021-11-11")}  # fmt: skip
    for order in (("a", "m", "z"), ("z", "m", "a")):
        lines = [subscribed(f"{key}-{day}", policy=key, since=day) for key in order for day in days[key]]
        found = column(priced(lines, windows, *terms), "termination")
        assert list(found.values()) == [True, False] * 3


def test_a_period_before_a_row_began_holds_no_bound() -> None:
    """Two months in which at most an hour was down: who came on 1 March has had but one month."""
    rule = TWICE.format("downtime_at_most", "1 hour", 2, 2)
    assert may_end(rule, [], *began("2021-02-01", "2022-02-28", "2022-03-01")) == {
        "2021-02-01": True, "2022-02-28": True, "2022-03-01": False,
    }  # fmt: skip


def hour(month: str, **other: Any) -> Window:
    return window(f"{month}-10T00:00", f"{month}-10T01:00", month, **other)


@pytest.mark.parametrize(
    ("months", "periods", "of_last", "ends"),
    [
        # Two of three may leave one out. A right that arose in one of them stays; before the first of them nothing is looked at.
        (("2022-01", "2022-03"), 2, 3, True), (("2022-02", "2022-03"), 2, 3, True), (("2021-12", "2022-03"), 2, 3, False),
        (("2021-12", "2022-03"), 2, 4, True), (("2022-01", "2022-02"), 2, 3, True), (("2021-12", "2022-01"), 2, 3, False), (("2021-12", "2022-01"), 2, 2, False),
        (("2022-01", "2022-02", "2022-03"), 3, 3, True),
        (("2022-01", "2022-03"), 3, 3, False), (("2022-03",), 1, 1, True), (("2022-02",), 1, 1, False),
    ],
)  # fmt: skip
def test_earlier_periods_are_as_many_as_the_rule_looks_at(
    months: tuple[str, ...], periods: int, of_last: int, ends: bool
) -> None:
    rule = TWICE.format("downtime_at_least", "1 hour", periods, of_last)
    assert may_end(rule, [hour(month) for month in months], subscribed("a")) == {"a": ends}


def test_of_several_earlier_periods_each_counts_from_when_the_row_began() -> None:
    """An hour on the tenth of three months: who came on 15 January was there for two of them."""
    windows = [hour(month) for month in ("2022-01", "2022-02", "2022-03")]
    for periods, expected in ((3, [True, True, False, False]), (2, [True, True, True, False])):
        rule = TWICE.format("downtime_at_least", "1 hour", periods, 3)
        found = may_end(rule, windows, *began("2021-06-01", "2022-01-10", "2022-01-15", "2022-02-11"))
        assert list(found.values()) == expected


def test_earlier_periods_are_judged_by_what_was_measured_in_them() -> None:
    """Two of a thousand executions failed in February, and in March: who came after was there for the latter alone."""
    terms = policy(measure='of = "executions"', effects=(), more=TWICE.format("availability_below", "99.9", 2, 2))  # fmt: skip
    failed = [
        Measurement(month, "m", "email", "flow", "EMEA", at(f"{month}-10"), at(f"{month}-11"), "executions", 1_000, 2)
        for month in ("2022-02", "2022-03")
    ]  # fmt: skip
    found = may_end("", [], *began("2021-02-01", "2022-02-11"), terms=terms, measurements=failed)
    assert found == {"2021-02-01": True, "2022-02-11": False}
    assert may_end("", [], subscribed("a"), terms=terms, measurements=failed[1:]) == {"a": False}


def test_before_the_first_terms_there_are_no_earlier_periods_but_those_after_them_count() -> None:
    """Terms since February, of the last three months: February and March count, January is before them."""
    windows = [hour(month) for month in ("2022-01", "2022-02", "2022-03")]
    for periods, ends in ((2, True), (3, False)):
        rule = TWICE.format("downtime_at_least", "1 hour", periods, 3)
        assert may_end(rule, windows, subscribed("a"), terms=policy(since="2022-02-01", more=rule)) == {"a": ends}  # fmt: skip


def test_terms_that_hold_for_a_term_rule_its_rows_and_their_earlier_periods() -> None:
    """Until February outages were counted, since then delays are. Who signed before has the former, in February too."""
    rule = FROZEN + TWICE.format("downtime_at_least", "1 hour", 2, 2)
    versions = [policy(more=rule), policy(since="2022-02-01", effects=("delay",), more=rule)]
    windows = [hour("2022-02"), hour("2022-03")]
    # One day on which a term began, and several.
    assert may_end("", windows, subscribed("a", since="2021-06-01"), terms=versions) == {"a": True}
    lines = [subscribed("new", since="2022-02-01"), subscribed("old", since="2021-06-01"), subscribed("free", policy="free"), subscribed("older", since="2021-05-01")]  # fmt: skip
    found = priced(lines, windows, versions, policy("free"))
    assert column(found, "policy_version", "termination", "downtime_seconds") == {
        "new": (2, False, 3_600), "old": (1, True, 3_600), "free": (1, None, 3_600), "older": (1, True, 3_600),
    }  # fmt: skip


def test_terms_that_hold_for_a_term_may_have_another_kind_of_period() -> None:
    """Months for who signed before, and quarters for who signed after: February has no quarter, which ends in March."""
    versions = [policy(more=FROZEN), policy(since="2021-10-01", per="calendar-quarter", more=FROZEN)]
    lines = [*began("2021-06-01", "2022-01-15", "2021-12-01")]
    february = [window("2022-02-10T00:00", "2022-02-10T03:00")]
    for month, expected in (
        ("2022-02", {"2021-06-01": "2022-02"}),
        ("2022-03", {"2021-06-01": "2022-03", "2022-01-15": "2022-Q1", "2021-12-01": "2022-Q1"}),
    ):
        assert column(priced(lines, february, versions, period=month), "period") == expected


def test_no_rows_make_no_groups() -> None:
    done = worked([], [OUTAGE], policy())
    assert (done.groups, len(done.frame), len(done.codes)) == ([], 0, 0)


def test_what_rules_nothing_is_refused_where_rows_ask_for_it() -> None:
    """Of a quarter too: nobody knows its days under terms that are not there, so those of its year's first month stand for them."""
    lines = [subscribed("a", policy="b"), subscribed("b", policy="a"), subscribed("c", policy="b")]
    unknown = "policy {!r}, which subscriptions name, is not published; publish it or correct them"
    for label in ("2022-03", "2022-Q1", "2022"):
        with pytest.raises(Refused) as refused:
            worked(lines, [], policy("quarters", per="calendar-quarter"), policy("years", per="calendar-year"), period=label)  # fmt: skip
        assert refused.value.problems == (unknown.format("a"), unknown.format("b"))
        assert str(refused.value) == f"{unknown.format('a')}; {unknown.format('b')}"


@pytest.mark.parametrize("name", ["service", "region", "policy"])
def test_a_row_without_a_name_is_refused(name: str) -> None:
    subscriptions = table([subscribed("a"), subscribed("b")])
    subscriptions[name] = pd.Categorical([None, subscriptions[name].iloc[1]])
    with pytest.raises(Refused) as refused:
        price(
            subscriptions, [of_cohort("beta", "b")], {"p": [(1, policy())]}, "2022-03", APRIL, cohorts=COHORTS
        )
    assert str(refused.value) == f"the subscriptions have rows without {name}; fill it in"


def test_groups_of_a_month_that_is_not_over_are_marked_where_that_is_asked_for() -> None:
    done = worked([subscribed("a")], [OUTAGE], policy(), as_of=APRIL - 1)
    assert [group.unfinished for group in done.groups] == [False]
    marked = worked([subscribed("a")], [OUTAGE], policy(), as_of=APRIL - 1, mark_unfinished=True)
    assert [(group.unfinished, group.provisional) for group in marked.groups] == [(True, True)]
    assert np.all(marked.frame["provisional"])
