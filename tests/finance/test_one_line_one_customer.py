"""Nothing is credited twice, each line is of one customer, and says of it what the document before it said."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from projections.drafts import key_of, lines_of, text_of
from projections.restated import restated
from tests.finance.desk import CUSTOMERS, POLICY, Desk
from tests.finance.memory import Series, policy_of, salts, subscriptions_of, windows_of
from tools.terms import terms_2

_TAKES_BACK = terms_2("standard", more="clawback = true\n")


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    """Finance on 2 May 2022, with one outage of four hours in EMEA in March, under terms that take nothing back."""
    found = Desk(sqlite_url, tmp_path)
    found.now = "2022-05-02T09:00:00Z"
    return found


def _publish(desk: Desk, table: str, *more: str, key: str = "customers") -> None:
    desk.file("table.csv", table)
    desk.ok("subscriptions", "publish", key, "table.csv", "--actor", "f", *more)


def _adjust(desk: Desk) -> dict[str, Any]:
    """Record what is to be adjusted, and return the document with its lines."""
    number = json.loads(desk.ok("credits", "restate", "1", "--issue", "--actor", "f", "--json"))["number"]
    return _shown(desk, number)


def _shown(desk: Desk, number: int, series: str = "main") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.ok("credits", "show", str(number), "--series", series, "--json"))
    return found


def _lines(found: dict[str, Any]) -> list[tuple[str, ...]]:
    lines = found["details"]["lines"] if "details" in found else found["lines"]
    names = ("customer", "subscription", "as_issued", "as_now", "amount")
    return sorted(tuple(one[name] for name in names) for one in lines)


# ---- nothing twice -----------------------------------------------------------------------------------------


def test_the_same_subscriptions_in_another_table_are_not_credited_again(desk: Desk) -> None:
    """Given a copy of a table that was credited, a series for the copy is refused, and names the first and how many there are."""
    desk.issue()
    _publish(desk, CUSTOMERS, key="copy")
    said = desk.refused(
        "credits",
        "issue",
        "--period",
        "2022-03",
        "--series",
        "dup",
        "--subscriptions",
        "copy",
        "--actor",
        "f",
    )
    assert said.endswith(
        "subscription 'aurora-emea' and 3 more were already credited for 2022-03 by statement/main number 1; nothing is credited "
        "twice. Name the tables that are meant with --subscriptions, or publish a table without them (one without rows needs a "
        "reason)"
    )


def test_a_table_that_was_published_by_mistake_is_taken_back(desk: Desk) -> None:
    """Given the copy is in the way of every run, then a table without rows takes it back, if a reason is given."""
    _publish(desk, CUSTOMERS, key="copy")
    assert "taken back by one without rows and a reason" in desk.refused(
        "credits", "compute", "--period", "2022-03"
    )
    desk.file("none.csv", CUSTOMERS.partition("\n")[0] + "\n")
    publish = ("subscriptions", "publish", "copy", "none.csv", "--actor", "f")
    assert "to take back what was published by mistake, give a reason" in desk.refused(*publish)
    desk.ok(*publish, "--reason", "published twice")
    desk.ok("credits", "compute", "--period", "2022-03")
    assert desk.issue()["lines"] == 4


def test_what_was_issued_for_a_table_that_is_taken_back_is_taken_back(desk: Desk) -> None:
    """Given a statement for a table that was a mistake, when one without rows takes its place, then all that was credited goes."""
    desk.file("standard.toml", _TAKES_BACK)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    _publish(desk, CUSTOMERS.partition("\n")[0] + "\n", "--reason", "these are another company's")
    found = _adjust(desk)
    assert _lines(found) == [
        ("Aurora Rail", "aurora-emea", "420.00", "0.00", "-420.00"),
        ("Baltic Timber", "baltic-emea", "35.00", "0.00", "-35.00"),
    ]
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")
    output = str(desk.folder / "none.xlsx")
    desk.ok("credits", "export", "--period", "2022-03", "--compare-issued", "main", "--output", output)
    desk.ok("credits", "compute", "--period", "2022-03")


def test_an_adjustment_does_not_begin_to_credit_what_another_series_credits(desk: Desk) -> None:
    """Given two series for two tables, when a subscription stands in both tables, only the series that has it goes on with it."""
    desk.file("standard.toml", _TAKES_BACK)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    moved = CUSTOMERS.splitlines(keepends=True)
    _publish(desk, "".join(moved[:3]))
    _publish(desk, moved[0] + "".join(moved[3:]), key="others")
    desk.issue("--subscriptions", "customers")
    desk.issue("--series", "second", "--subscriptions", "others")
    _publish(desk, CUSTOMERS)
    restate = ("credits", "restate", "1", "--issue", "--actor", "f")
    assert (
        "subscription 'baltic-emea' was already credited for 2022-03 by statement/second number 1; nothing is credited twice"
        in desk.refused(*restate)
    )
    # Where the other series gave it up, and took back what it issued, it may be credited.
    _publish(desk, moved[0] + moved[4], key="others")
    desk.ok("credits", "restate", "1", "--series", "second", "--issue", "--actor", "f")
    assert _lines(_shown(desk, 2, "second")) == [("Baltic Timber", "baltic-emea", "35.00", "0.00", "-35.00")]
    assert _lines(_adjust(desk)) == [("Baltic Timber", "baltic-emea", "0.00", "35.00", "35.00")]


# ---- a customer that was corrected --------------------------------------------------------------------------


@pytest.mark.parametrize("takes_back", [True, False])
def test_a_subscription_of_another_customer_is_taken_from_one_and_given_to_the_other(
    desk: Desk, takes_back: bool
) -> None:
    """Given Baltic's subscription was Delta's all along: what Delta was issued is a line of its own, and Baltic's gives way."""
    if takes_back:
        desk.file("standard.toml", _TAKES_BACK)
        desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    _publish(desk, CUSTOMERS.replace("Baltic Timber", "Delta Foods"))
    back = "-35.00" if takes_back else "0.00"
    expected = [
        ("Baltic Timber", "baltic-emea", "35.00", "0.00", back),
        ("Delta Foods", "baltic-emea", "0.00", "35.00", "35.00"),
    ]
    assert _lines(desk.restate()) == _lines(desk.restate("--whole")) == expected
    found = _adjust(desk)
    assert _lines(found) == expected
    assert found["causes"] == ["subscriptions/customers v2"]
    assert not any("undecided" in one for one in found["details"]["lines"])
    assert "no longer subscribed" in desk.ok("credits", "show", "2", "--customer", "Baltic Timber")
    assert desk.restate()["lines"] == []
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")
    # From then on either goes its own way, and it may be taken back.
    desk.revise("first", "2022-03-14T16:10:00Z", reason="short")
    down = {"Delta Foods": ("35.00", "0.00", back)}
    assert {one[0]: one[2:] for one in _lines(_adjust(desk)) if one[1] == "baltic-emea"} == down
    desk.revise("first", "2022-03-14T20:00:00Z", reason="long")
    _publish(desk, CUSTOMERS)
    found = _adjust(desk)
    kept = "0.00" if takes_back else "35.00"
    assert [one for one in _lines(found) if one[0] == "Baltic Timber"] == [
        ("Baltic Timber", "baltic-emea", kept, "35.00", "35.00" if takes_back else "0.00")
    ]
    assert "comes out the same" in desk.ok("credits", "show", "4", "--recompute")


def test_the_workbook_and_the_proof_of_a_corrected_customer_are_true(desk: Desk) -> None:
    import openpyxl

    desk.file("standard.toml", _TAKES_BACK)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    _publish(desk, CUSTOMERS.replace("Baltic Timber", "Delta Foods"))
    output = desk.folder / "o.xlsx"
    for change, issued in ((("35.00", "0.00", "-35.00"), "35.00"), (("0.00", "0.00", "0.00"), "0.00")):
        desk.ok(
            "credits", "export", "--period", "2022-03", "--compare-issued", "main", "--output", str(output)
        )
        rows = list(openpyxl.load_workbook(output, data_only=True)["Changes"].iter_rows(values_only=True))
        (baltic,) = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0] == "Baltic Timber"]
        assert tuple(f"{baltic[name]:.2f}" for name in ("as issued", "as now", "delta")) == change, issued
        if issued == "35.00":
            _adjust(desk)
    (said,) = [one for one in _lines(_shown(desk, 2)) if one[0] == "Delta Foods"]
    assert said[2:] == ("0.00", "35.00", "35.00")


def test_what_an_earlier_version_booked_for_another_customer_is_told_apart() -> None:
    """Given an adjustment that took what one customer was issued for what its successor was, then each is put right."""
    table = subscriptions_of([(100_000, "returned", "EUR")] * 4)
    series = Series(table, windows_of([(0, "EMEA", "email", 0, 10, "outage")]))
    facts = key_of(series.held().known[int(series.held().lines["before"].iloc[0])])
    (line,) = [
        {**one, "customer": "c9", "as_issued": one["amount"], "as_now": "99.00", "amount": "-234.00"}
        for one in lines_of(series.draft().lines)
        if one["subscription"] == "s0"
    ]
    assert line["as_issued"] == "333.00"
    said = {name: json.loads(facts)[name] for name in ("service", "region", "policy", "policy_version")}
    text = text_of(
        [({**said, "before": json.loads(facts), "after": json.loads(facts), "causes": []}, [line])], salts()
    )
    series.keep(text)
    held = series.held().lines
    standing = {
        one.customer: (one.issued, one.now) for one in held[held["subscription"] == "s0"].itertuples()
    }
    assert standing == {"c0": (33300, 33300), "c9": (-23400, -23400)}
    table["customer"] = table["customer"].where(table["subscription"] != "s0", "c9")
    found = restated(series.held(), series.draft(table), policy_of)
    booked = [
        one for pair in found.pairs for one in zip(pair.lines["customer"], pair.lines["amount"], strict=True)
    ]
    # What both were issued with it is 99.00; together with this it is 333.00, all of it c9's.
    assert sorted(booked) == [("c0", -33300), ("c9", 56700)]


# ---- what a line rested on ----------------------------------------------------------------------------------


_PLACES = """customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
A,a1,email,EMEA,standard,EUR,100.00,2021-01-01,
B,b1,email,EMEA,standard,EUR,200.00,2021-01-01,
C,c1,email,NAM,standard,EUR,300.00,2021-01-01,
D,d1,email,EMEA,standard,EUR,0.00,2021-01-01,
"""


def _became(found: dict[str, Any]) -> list[tuple[Any, Any, list[str]]]:
    """Return of each assessment region and seconds before and after, and the lines under it."""

    def said(facts: dict[str, Any] | None) -> Any:
        return None if facts is None else (facts["region"], facts["eligible_downtime_seconds"])

    return [
        (said(one["before"]), said(one["after"]),
         [line["subscription"] for line in found["details"]["lines"] if line["assessment"] == at])
        for at, one in enumerate(found["details"]["assessments"])
    ]  # fmt: skip


def test_what_was_so_before_is_what_the_last_document_about_the_line_says(desk: Desk) -> None:
    """Given b1 and d1, which costs nothing, move to another region and back, all others are where they were all the time."""
    desk.file("standard.toml", _TAKES_BACK)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    _publish(desk, _PLACES)
    desk.issue()
    away = _PLACES.replace("b1,email,EMEA", "b1,email,NAM").replace("d1,email,EMEA", "d1,email,NAM")
    _publish(desk, away)
    assert _became(_adjust(desk)) == [(("EMEA", 14400), ("NAM", 0), ["b1", "d1"])]
    _publish(desk, _PLACES)
    assert _became(_adjust(desk)) == [(("NAM", 0), ("EMEA", 14400), ["b1", "d1"])]
    desk.revise("first", "2022-03-14T18:00:00Z", reason="r")
    assert _became(_adjust(desk)) == [(("EMEA", 14400), ("EMEA", 7200), [])]
    _publish(desk, away)
    assert _became(_adjust(desk)) == [(("EMEA", 7200), ("NAM", 0), ["b1", "d1"])]
    # A change of both places: what did not move and what moved say each its own.
    desk.revise("first", "2022-03-14T19:00:00Z", reason="r")
    desk.window("second", "NAM", "2022-03-20T00:00:00Z", "2022-03-20T05:00:00Z")
    assert _became(_adjust(desk)) == [
        (("EMEA", 7200), ("EMEA", 10800), []),
        (("NAM", 0), ("NAM", 18000), ["b1", "c1"]),
    ]
    for number in range(2, 7):
        assert "comes out the same" in desk.ok("credits", "show", str(number), "--recompute")


def test_lines_under_earlier_terms_are_looked_at_where_later_ones_look_further(desk: Desk) -> None:
    """Given terms that look at one region, then at all: a window elsewhere reaches lines that were said under the first last."""
    desk.issue()
    desk.file(
        "standard.toml", terms_2("standard").replace("[counting]", '[scope]\nregions = "union"\n[counting]')
    )
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    _adjust(desk)
    desk.window("second", "NAM", "2022-03-20T00:00:00Z", "2022-03-20T05:00:00Z")
    few, whole = desk.restate(), desk.restate("--whole")
    assert (few["whole"], few["assessments"]) == (False, whole["assessments"])
    assert {one["after"]["region"] for one in few["assessments"]} == {"EMEA", "NAM"}


# ---- altered lines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("restate", "1"),
        ("restate", "1", "--whole"),
        ("export", "--period", "2022-03", "--compare-issued", "main", "--output", "altered.xlsx"),
        ("issue", "--period", "2022-03", "--series", "other", "--subscriptions", "copy", "--actor", "f"),
    ],
    ids=lambda words: "-".join(words[:3]),
)
def test_altered_lines_are_nothing_to_go_on_from(desk: Desk, words: tuple[str, ...]) -> None:
    """Given an amount of an issued line was altered behind the ledger's back, whatever reads it says so, with exit code 1."""
    _publish(
        desk, CUSTOMERS.partition("\n")[0] + "\nX,x,email,EMEA,standard,EUR,1.00,2021-01-01,\n", key="copy"
    )
    digest = desk.issue("--subscriptions", "customers")["lines_sha256"]
    desk.revise("first", "2022-03-14T18:00:00Z", reason="r")
    with sqlite3.connect(desk.url.removeprefix("sqlite:///")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        (kept,) = database.execute("SELECT bytes FROM ledger_content WHERE sha256 = ?", (digest,)).fetchone()
        assert kept.count(b'"amount":"35.00"') == 1
        altered = kept.replace(b'"amount":"35.00"', b'"amount":"95.00"')
        database.execute("UPDATE ledger_content SET bytes = ? WHERE sha256 = ?", (altered, digest))
    database.close()
    output = [str(desk.folder / one) if one == "altered.xlsx" else one for one in words]
    assert f"{digest} was altered: its bytes hash to" in desk.refused("credits", *output)
    assert not (desk.folder / "altered.xlsx").exists()


def test_an_entry_that_was_altered_is_not_computed_with(desk: Desk) -> None:
    """Given the time of a window was altered behind the ledger's back, computing again finds it, with exit code 1."""
    desk.issue()
    with sqlite3.connect(desk.url.removeprefix("sqlite:///")) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        where = "stream = 'incident/mail-1' AND version = 2"
        (entry,) = database.execute(f"SELECT entry FROM ledger_entry WHERE {where}").fetchone()
        assert b"2022-03-14T20:00:00" in entry
        altered = entry.replace(b"2022-03-14T20:00:00", b"2022-03-14T21:00:00")
        database.execute(f"UPDATE ledger_entry SET entry = ? WHERE {where}", (altered,))
    database.close()
    said = desk.refused("credits", "show", "1", "--recompute")
    assert "the ledger was altered: the first 4 entries have the root" in said


@pytest.mark.parametrize(
    ("terms", "amount", "memo"), [(_TAKES_BACK, "420.00", "credit memo"), (POLICY, "0.00", "moved")]
)
def test_a_line_that_its_table_has_again_names_the_table(
    desk: Desk, terms: str, amount: str, memo: str
) -> None:
    """Given a customer left out of a table by mistake and put back, then what restates the line is the table that has it again."""
    desk.file("standard.toml", terms)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    _publish(desk, "\n".join(one for one in CUSTOMERS.splitlines() if "aurora-emea" not in one) + "\n")
    _adjust(desk)
    _publish(desk, CUSTOMERS)
    for more in ((), ("--whole",)):
        (line,) = desk.restate(*more)["lines"]
        assert (line["subscription"], line["amount"], line["memo"]) == ("aurora-emea", amount, memo)
        assert line["causes"] == ["subscriptions/customers v3"]
    assert _adjust(desk)["causes"] == ["subscriptions/customers v3"]
    assert desk.restate()["assessments"] == []
