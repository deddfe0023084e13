"""Each row is priced under the terms that rule it, for the time that they rule, from the facts that they look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.finance.desk import Desk
from tools.terms import terms_2

_HEAD = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
_FROZEN = '[version]\nrule = "frozen-for-term"\n'


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    return Desk(sqlite_url, tmp_path)


def _policy(desk: Desk, text: str) -> None:
    desk.file("terms.toml", text)
    desk.ok("policy", "publish", "terms.toml", "--actor", "f")


def _customers(desk: Desk, *rows: str) -> None:
    desk.file("mine.csv", _HEAD + "".join(f"{row}\n" for row in rows))
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")


def _computed(desk: Desk, period: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        desk.ok("credits", "compute", "--period", period, "--subscriptions", "mine", "--json")
    )
    return {**found, "rows": {row["subscription"]: row for row in found["rows"]}}


def test_terms_that_are_frozen_keep_their_kind_of_period(desk: Desk) -> None:
    """Given terms per month, frozen, then terms per quarter, then who signed before keeps months, and who signed after has quarters."""
    _policy(desk, terms_2("v", in_force_from="2020-01-01", more=_FROZEN))
    later = terms_2("v", in_force_from="2021-10-01", more=_FROZEN)
    _policy(desk, later.replace("calendar-month", "calendar-quarter"))
    _customers(
        desk, "a,old,email,EMEA,v,USD,100.00,2021-06-01,", "b,new,email,EMEA,v,USD,100.00,2022-01-15,",
        "c,gone,email,EMEA,v,USD,100.00,2021-12-01,2022-01-10",
    )  # fmt: skip
    february = _computed(desk, "2022-02")
    assert {name: row["period"] for name, row in february["rows"].items()} == {"old": "2022-02"}
    assert february["not_due"] == [
        {"policy": "v", "period": "2022-Q1", "ends_in": "2022-03", "subscriptions": 2}
    ]
    march = _computed(desk, "2022-03")
    assert {name: (row["period"], row["policy_version"]) for name, row in march["rows"].items()} == {
        "old": ("2022-03", 1), "new": ("2022-Q1", 2), "gone": ("2022-Q1", 2),
    }  # fmt: skip
    assert march["not_due"] == []
    quarter = _computed(desk, "2022-Q1")
    assert set(quarter["rows"]) == {"new", "gone"}


def test_a_term_that_is_renewed_takes_the_new_kind_of_period(desk: Desk) -> None:
    _policy(desk, terms_2("v", in_force_from="2020-01-01", more=_FROZEN))
    later = terms_2("v", in_force_from="2021-10-01", more=_FROZEN)
    _policy(desk, later.replace("calendar-month", "calendar-quarter"))
    _customers(desk, "a,renewed,email,EMEA,v,USD,100.00,2021-01-01,")
    assert _computed(desk, "2022-02")["not_due"] == [
        {"policy": "v", "period": "2022-Q1", "ends_in": "2022-03", "subscriptions": 1}
    ]
    assert _computed(desk, "2022-03")["rows"]["renewed"]["period"] == "2022-Q1"


@pytest.mark.parametrize("scope", ['regions = "union"', 'regions = "service-wide"\nall_regions = ["EMEA"]'])
def test_a_window_of_a_cohort_counts_in_every_region_that_terms_look_at(desk: Desk, scope: str) -> None:
    """Given a window of a cohort in EMEA, then its customer in NAM is credited where terms look at all regions, and nobody else."""
    _policy(desk, terms_2("wide", more=f"[scope]\n{scope}\n"))
    _policy(desk, terms_2("each"))
    desk.file("pilot.csv", "customer\nAcme\n")
    desk.ok("cohort", "publish", "pilot", "pilot.csv", "--actor", "f")
    desk.ok("incident", "open", "web-1", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "web",
            "--component", "flow", "--region", "EMEA")  # fmt: skip
    desk.ok("window", "add", "web-1", "w", "--actor", "o", "--service", "web", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-14T10:00:00Z", "--end", "2022-03-14T12:30:00Z", "--effect", "outage", "--cohort", "pilot")  # fmt: skip
    _customers(
        desk, "Acme,inside,web,NAM,wide,USD,100.00,2021-01-01,", "Bell,outside,web,NAM,wide,USD,100.00,2021-01-01,",
        "Acme,elsewhere,web,NAM,each,USD,100.00,2021-01-01,",
    )  # fmt: skip
    rows = _computed(desk, "2022-03")["rows"]
    assert {name: row["credit"] for name, row in rows.items()} == {
        "inside": "10.00", "outside": "0.00", "elsewhere": "0.00",
    }  # fmt: skip


_TWICE = '[[termination]]\navailability_below = "99.9"\nperiods = 2\nof_last = 2\n'


def test_a_right_to_terminate_counts_what_a_subscription_lived_through(desk: Desk) -> None:
    """Given outages on 10 February and in March, then who was there in February may end, and who came after it may not."""
    _policy(desk, terms_2("t", in_force_from="2021-01-01", more=_TWICE))
    desk.window("february", "EMEA", "2022-02-10T10:00:00Z", "2022-02-10T12:30:00Z")
    began = {"old": "2021-01-01", "before": "2022-02-10", "after": "2022-02-11", "march": "2022-03-01"}
    _customers(desk, *(f"{name},{name},email,EMEA,t,USD,100.00,{day}," for name, day in began.items()))
    rows = _computed(desk, "2022-03")["rows"]
    assert {name: row["termination"] for name, row in rows.items()} == {
        "old": True, "before": True, "after": False, "march": False,
    }  # fmt: skip


def test_earlier_periods_are_judged_by_the_terms_that_ruled_them(desk: Desk) -> None:
    """Given terms of February that did not count a slow service, and of March that do, then February gives no right to terminate."""
    for effects, since, ends in (
        (("outage",), "2021-01-01", False),
        (("outage", "degraded"), "2022-02-01", True),
    ):
        _policy(desk, terms_2("t", effects=effects, in_force_from=since, more=_TWICE))
        if since == "2021-01-01":
            _policy(
                desk, terms_2("t", effects=("outage", "degraded"), in_force_from="2022-03-01", more=_TWICE)
            )
            desk.ok("window", "add", "mail-1", "slow", "--actor", "o", "--service", "email", "--component", "flow", "--region", "EMEA",
                    "--start", "2022-02-10T10:00:00Z", "--end", "2022-02-10T12:30:00Z", "--effect", "degraded",
                    "--share-at-least", "1")  # fmt: skip
            _customers(desk, "a,one,email,EMEA,t,USD,100.00,2021-01-01,")
        assert _computed(desk, "2022-03")["rows"]["one"]["termination"] is ends


def test_before_the_first_terms_nothing_was_promised(desk: Desk) -> None:
    _policy(desk, terms_2("t", in_force_from="2022-03-01", more=_TWICE))
    desk.window("february", "EMEA", "2022-02-10T10:00:00Z", "2022-02-10T12:30:00Z")
    _customers(desk, "a,one,email,EMEA,t,USD,100.00,2021-01-01,")
    assert _computed(desk, "2022-03")["rows"]["one"]["termination"] is False


def test_a_longer_earlier_period_is_read_whole(desk: Desk) -> None:
    """Given terms per quarter until December and per month from January, then January looks back at the whole last quarter."""
    quarters = terms_2("t", in_force_from="2021-01-01", more=_TWICE)
    _policy(desk, quarters.replace("calendar-month", "calendar-quarter"))
    _policy(desk, terms_2("t", in_force_from="2022-01-01", more=_TWICE))
    desk.window("october", "EMEA", "2021-10-10T10:00:00Z", "2021-10-10T14:00:00Z")
    desk.window("january", "EMEA", "2022-01-10T10:00:00Z", "2022-01-10T14:00:00Z")
    _customers(desk, "a,one,email,EMEA,t,USD,100.00,2021-01-01,")
    assert _computed(desk, "2022-01")["rows"]["one"]["termination"] is True
