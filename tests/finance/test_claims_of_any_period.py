"""What a claim is for is one thing: what compute shows, issue pays and deadlines tell of it, whatever the periods of the terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.finance.desk import Desk
from tools.terms import terms_2

_HEAD = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
_ASKED = '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "period-end"\n'
_LABELS = ("2022-01", "2022-02", "2022-03", "2022-Q1", "2022-Q2", "2022", "2022-02-28", "2022-03-31")
# Kind of period: the day of an outage, the month of the run that prices it, and the labels that name that period.
_KINDS = {
    'kind = "calendar-month"': ("2022-02-20", "2022-02", {"2022-02"}),
    'kind = "calendar-quarter"': ("2022-02-20", "2022-03", {"2022-Q1", "2022-03"}),
    'kind = "calendar-year"': ("2021-11-20", "2021-12", {"2021", "2021-12"}),
    'kind = "billing-month"\nanchor_day = 15': ("2022-02-20", "2022-03", {"2022-02"}),
    # The month ends before the anchor: the outage is of the billing month before.
    'kind = "billing-month"\nanchor_day = 25': ("2022-02-20", "2022-02", {"2022-01"}),
    'kind = "billing-month"\nanchor_day = 1': ("2022-02-20", "2022-02", {"2022-02"}),
    'kind = "trailing-days"\ndays = 28': ("2022-02-20", "2022-02", {"2022-02-28", "2022-02"}),
}


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    return Desk(sqlite_url, tmp_path)


@pytest.mark.parametrize("kind", _KINDS)
def test_a_claim_is_for_the_period_that_its_label_names(desk: Desk, kind: str) -> None:
    """Given a customer for each label, with a claim of it that is granted, then exactly those are paid whose label names the period."""
    day, run, names = _KINDS[kind]
    labels = sorted({*_LABELS, *names})
    text = terms_2("asked", in_force_from="2020-01-01", more=_ASKED)
    desk.file("asked.toml", text.replace('kind = "calendar-month"', kind))
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    rows = (f"{label},of-{label},email,EMEA,asked,EUR,100.00,2020-01-01,\n" for label in labels)
    desk.file("mine.csv", _HEAD + "".join(rows))
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    desk.window("w", "EMEA", f"{day}T00:00:00Z", f"{day}T23:00:00Z")
    for label in labels:
        key = f"of-{label.lower()}"
        desk.ok(
            "sla",
            "claim",
            key,
            "--actor",
            "s",
            "--customer",
            label,
            "--period",
            label,
            "--at",
            "2022-03-20T00:00Z",
        )
        desk.ok("sla", "decide-claim", key, "--actor", "f", "--decision", "granted", "--reason", "r")  # fmt: skip
    computed = json.loads(desk.ok("credits", "compute", "--period", run, "--subscriptions", "mine", "--json"))
    shown = {row["customer"]: (row["claim_state"], row["claim"]) for row in computed["rows"]}
    expected = {
        label: ("granted", f"claim/of-{label.lower()} v2") if label in names else ("not-claimed", None)
        for label in labels
    }
    assert shown == expected
    due = [
        json.loads(line) for line in desk.ok("sla", "deadlines", "--period", day[:7], "--json").splitlines()
    ]
    told = {one["customer"]: [claim["claim"] for claim in one["claims"]] for one in due}
    assert told == {label: [f"of-{label.lower()}"] if label in names else [] for label in labels}
    # One policy, one period: what deadlines call it is what the row calls it, and its last day is the same.
    rows_of = {row["customer"]: row for row in computed["rows"]}
    for one in due:
        row = rows_of[one["customer"]]
        assert (one["period"], one["last_day"]) == (row["period"], row["claim_last_day"])
    desk.ok(
        "credits", "issue", "--period", run, "--subscriptions", "mine", "--actor", "f", "--series", "mine"
    )
    lines = json.loads(desk.ok("credits", "show", "1", "--series", "mine", "--json"))["details"]["lines"]
    paid = {line["customer"]: line["amount"] for line in lines}
    assert {label for label, amount in paid.items() if amount != "0.00"} == names
    assert "comes out the same" in desk.ok("credits", "show", "1", "--series", "mine", "--recompute")


def _deadlines(desk: Desk, month: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in desk.ok("sla", "deadlines", "--period", month, "--json").splitlines()
    ]


@pytest.mark.parametrize("scope", ['regions = "union"', 'regions = "service-wide"\nall_regions = ["EMEA"]'])
def test_terms_that_look_at_several_regions_have_a_deadline_for_each_of_them(desk: Desk, scope: str) -> None:
    """Given an outage in EMEA, then who subscribes in NAM is owed, and may claim, where terms look at all regions."""
    desk.file("wide.toml", terms_2("wide", more=f"[scope]\n{scope}\n{_ASKED.replace('period', 'incident')}"))
    desk.ok("policy", "publish", "wide.toml", "--actor", "f")
    desk.file("mine.csv", f"{_HEAD}Acme,one,email,NAM,wide,EUR,100.00,2021-01-01,\n")
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    due = _deadlines(desk, "2022-03")
    assert [(one["incident"], one["last_day"], one["state"]) for one in due] == [
        ("mail-1", "2022-04-13", "open")
    ]
    row = json.loads(
        desk.ok("credits", "compute", "--period", "2022-03", "--subscriptions", "mine", "--json")
    )["rows"][0]
    assert (row["credit"], row["claim_state"], row["claim_last_day"]) == (
        "10.00",
        "not-claimed",
        "2022-04-13",
    )


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_two_terms_of_one_customer_have_two_deadlines(desk: Desk, order: tuple[str, str]) -> None:
    """Given two subscriptions of the same, signed under two versions that are frozen, then each keeps its own time, in any order."""
    frozen = f'{_ASKED}[version]\nrule = "frozen-for-term"\nterm_months = 24\n'
    for since, days in (("2020-01-01", "30"), ("2022-01-01", "60")):
        text = terms_2("w", in_force_from=since, more=frozen.replace('"30 days"', f'"{days} days"'))
        desk.file("w.toml", text)
        desk.ok("policy", "publish", "w.toml", "--actor", "f")
    began = {"old": "2021-01-01", "new": "2022-02-01"}
    rows = (f"Acme,{name},email,EMEA,w,EUR,100.00,{began[name]},\n" for name in order)
    desk.file("mine.csv", _HEAD + "".join(rows))
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    due = [(one["policy_version"], one["last_day"]) for one in _deadlines(desk, "2022-03")]
    assert due == [(1, "2022-04-30"), (2, "2022-05-30")]


def test_an_incident_over_the_end_of_a_billing_month_is_claimed_for_in_both(desk: Desk) -> None:
    text = terms_2("asked", in_force_from="2020-01-01", more=_ASKED)
    billing = text.replace('kind = "calendar-month"', 'kind = "billing-month"\nanchor_day = 15')
    desk.file("asked.toml", billing)
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    desk.file(
        "mine.csv",
        f"{_HEAD}Acme,one,email,EMEA,asked,EUR,100.00,2021-01-01,\nLate,two,email,EMEA,asked,EUR,100.00,2022-03-15,\n",
    )
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    desk.window("over", "EMEA", "2022-03-14T22:00:00Z", "2022-03-15T03:00:00Z")
    desk.ok(
        "sla",
        "claim",
        "c",
        "--actor",
        "s",
        "--customer",
        "Acme",
        "--period",
        "2022-02",
        "--at",
        "2022-03-20T00:00Z",
    )
    due = [
        (one["customer"], one["period"], one["last_day"], one["state"]) for one in _deadlines(desk, "2022-03")
    ]
    assert due == [
        ("Acme", "2022-02", "2022-04-13", "claimed"), ("Acme", "2022-03", "2022-05-14", "open"),
        ("Late", "2022-03", "2022-05-14", "open"),
    ]  # fmt: skip
    heads = [
        next(line for line in desk.ok("sla", "deadlines", "--period", "2022-03", *more).splitlines() if "incident" in line)
        for more in ((), ("--customer", "Late"))
    ]  # fmt: skip
    assert [("period" in head) for head in heads] == [True, False]


def _two_kinds(desk: Desk) -> None:
    """Publish terms per calendar month until February, and per month from the 15th on from then."""
    text = terms_2("two", in_force_from="2020-01-01", more=_ASKED)
    later = terms_2("two", in_force_from="2022-02-15", more=_ASKED)
    desk.file("first.toml", text)
    desk.file(
        "later.toml", later.replace('kind = "calendar-month"', 'kind = "billing-month"\nanchor_day = 15')
    )
    for name in ("first.toml", "later.toml"):
        desk.ok("policy", "publish", name, "--actor", "f")
    desk.file("mine.csv", f"{_HEAD}Acme,one,email,EMEA,two,EUR,100.00,2021-01-01,\n")
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")


def test_a_label_of_two_periods_is_refused_when_a_claim_is_filed(desk: Desk, tmp_path: Path) -> None:
    _two_kinds(desk)
    claim = (
        "sla",
        "claim",
        "c",
        "--actor",
        "s",
        "--customer",
        "Acme",
        "--at",
        "2022-03-20T00:00Z",
        "--period",
    )
    assert desk.refused(*claim, "2022-02") == (
        "ledger: period '2022-02' names two periods (2022-02-01 to 2022-03-01 and 2022-02-15 to 2022-03-15, each without its last "
        "day) of policy 'two'; name the incidents that are claimed for"
    )
    common = {"action": "claim", "actor": "s", "customer": "Acme", "at": "2022-03-20T00:00:00Z"}
    lines = [{**common, "claim": "a", "period": "2022-03"}, {**common, "claim": "b", "period": "2022-02"}]
    desk.file("claims.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))
    assert "line 2: period '2022-02' names two periods" in desk.refused("append", "claims.jsonl")
    # It is about the incident, in whichever period; other labels, and other customers, mean one thing.
    desk.ok(*claim, "2022-02", "--incident", "mail-1")
    desk.ok(*(word if word != "c" else "d" for word in claim), "2022-03")
    desk.ok(
        "sla",
        "claim",
        "e",
        "--actor",
        "s",
        "--customer",
        "Aurora Rail",
        "--at",
        "2022-03-20T00:00Z",
        "--period",
        "2022-02",
    )


def test_a_claim_that_was_recorded_is_answered_though_its_label_means_two_by_now(desk: Desk) -> None:
    claim = ("sla", "claim", "c", "--actor", "s", "--customer", "Acme", "--at", "2022-03-20T00:00Z", "--period", "2022-02",
             "--idempotency-key", "k")  # fmt: skip
    desk.ok(*claim)
    _two_kinds(desk)
    assert "already recorded" in desk.ok(*claim)
