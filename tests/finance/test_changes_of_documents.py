"""The sheet Changes beside documents: what is open is shown as it is, what was waived says why, and the sums are those of the documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import formualizer
import openpyxl
import pytest

from tests.finance.desk import CUSTOMERS, Desk
from tools.terms import terms_2

ON_REQUEST = terms_2("asked") + '[claim]\nhow = "on-request"\nwithin = "60 days"\nanchor = "month-end"\n'


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    """Finance on 2 May 2022, with one outage of four hours in EMEA in March, under terms that take nothing back."""
    found = Desk(sqlite_url, tmp_path)
    found.now = "2022-05-02T09:00:00Z"
    return found


def _book(desk: Desk, period: str = "2022-03", more: Sequence[str] = ()) -> dict[str, list[dict[Any, Any]]]:
    """Export the month beside what was issued; return Changes and Checks, after an engine that shares no code calculated it."""
    path = desk.folder / "c.xlsx"
    desk.ok("credits", "export", "--period", period, "--compare-issued", "main", "-o", str(path), *more)
    calculated = formualizer.recalculate_xlsx_bytes(path.read_bytes())
    assert (calculated["summary"]["errors"], calculated["cache_cells_changed"]) == (0, 0)
    book = openpyxl.load_workbook(path, data_only=True)
    assert book["Checks"]["D2"].value is True
    heading, *lines = book["Changes"].iter_rows(values_only=True)
    checks = book["Checks"].iter_rows(min_row=4, max_col=4, values_only=True)
    return {
        "Changes": [dict(zip(heading, line, strict=True)) for line in lines],
        "Checks": [dict(zip(("check", "left", "right", "holds"), line, strict=True)) for line in checks],
        "Summary": [dict(enumerate(row)) for row in book["Summary"].iter_rows(values_only=True)],
        "Events": [dict(enumerate(row)) for row in book["Events"].iter_rows(values_only=True)],
    }


def _of(book: dict[str, list[dict[Any, Any]]], subscription: str) -> dict[str, Any]:
    (found,) = [one for one in book["Changes"] if one["subscription"] == subscription]
    return found


def test_lines_that_facts_leave_open_stand_there_with_both_ends(desk: Desk) -> None:
    """Given a month that was issued, when a window is added whose end is not known, then what it leaves open is undecided."""
    desk.issue()
    desk.window("open", "NAM", "2022-03-31T23:50:00Z", "2022-03-31T23:55:00Z", "--end-within-seconds", "30")
    desk.window("about", "NAM", "2022-03-15T00:00:00Z", "2022-03-15T00:40:00Z", "--end-within-seconds", "600")
    assert "is credited from 0.00 to 180.05 USD" in desk.refused("credits", "restate", "1")
    book = _book(desk)
    nam = _of(book, "aurora-nam")
    names = ("as issued", "as now", "delta", "waived", "as now at least", "as now at most")
    assert [nam[one] for one in names] == [0, "undecided", "undecided", 0, 0, 180.05]
    assert nam["cause"] == "incident/mail-1 v3; incident/mail-1 v4"
    emea = _of(book, "aurora-emea")
    assert [emea[one] for one in names] == [420, 420, 0, 0, 420, 420]
    totals = [row for row in book["Summary"] if row[0] == "USD"]
    assert any(row[1:4] == (2, 2, 0) for row in (tuple(one.values()) for one in totals))


def test_an_open_window_and_a_month_that_is_not_over_stop_no_workbook(desk: Desk) -> None:
    """Given a month that was issued as it stood, when it goes on, then what an open window may become is undecided."""
    desk.now = "2022-04-20T09:00:00Z"
    desk.ok("credits", "issue", "--period", "2022-04", "--provisional", "--actor", "f")
    desk.window("open", "NAM", "2022-04-20T08:50:00Z", None)
    found = _of(_book(desk, "2022-04"), "cedar-nam")
    assert [found[one] for one in ("as issued", "as now", "as now at least", "as now at most")] == [
        0, "undecided", 0, 1275
    ]  # fmt: skip
    desk.now = "2022-04-20T10:00:00Z"
    assert _of(_book(desk, "2022-04"), "cedar-nam")["as now"] == 1275


def test_what_was_waived_names_what_it_was_waived_for(desk: Desk) -> None:
    """Given an adjustment that waived, then the line goes on naming its cause, until another one took its place."""
    desk.issue()
    desk.revise("first", "2022-03-14T16:10:00Z", reason="short")
    before = _of(_book(desk), "baltic-emea")
    assert (before["waived"], before["cause"]) == (-35, "incident/mail-1 v3")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert _of(_book(desk), "baltic-emea") == before
    assert _of(_book(desk), "aurora-nam")["cause"] == ""


def test_what_waits_for_a_claim_leads_from_what_is_due_to_the_credits(desk: Desk) -> None:
    """Given one policy that pays by itself and one on request, then Summary has both, and that together they are the credits."""
    desk.file("asked.toml", ON_REQUEST)
    desk.ok("policy", "publish", "asked.toml", "--actor", "f")
    desk.file(
        "table.csv", CUSTOMERS.replace("baltic-emea,email,EMEA,standard", "baltic-emea,email,EMEA,asked")
    )
    desk.ok("subscriptions", "publish", "customers", "table.csv", "--actor", "f")
    desk.issue()
    desk.file(
        "more.csv", CUSTOMERS.partition("\n")[0] + "\nX,x,email,EMEA,standard,EUR,1000.00,2021-01-01,\n"
    )
    desk.ok("subscriptions", "publish", "more", "more.csv", "--actor", "f")
    book = _book(desk)
    assert [_of(book, "baltic-emea")[one] for one in ("as now", "unclaimed")] == [0, 35]
    at = next(
        number for number, row in enumerate(book["Summary"]) if row[1] == "as now" and row[2] == "unclaimed"
    )
    euros = {row[0]: tuple(row.values())[1:7] for row in book["Summary"][at + 1 :]}["EUR"]
    assert euros == (420, 35, 100, 0, 0, 555)
    # Who looks at another table sees what is left out.
    book = _book(desk, more=("--subscriptions", "more"))
    euros = [tuple(row.values())[1:7] for row in book["Summary"] if row[0] == "EUR"][-1]
    assert euros == (420, 35, 100, -455, 0, 100)
    book = _book(desk)
    (check,) = [
        one for one in book["Checks"] if one["check"] == "as now + unclaimed + what is beside = credits, EUR"
    ]
    assert tuple(check.values())[1:] == (555, 555, True)
    # The documents say what they add up to themselves.
    (check,) = [
        one for one in book["Checks"] if one["check"] == "as issued, all lines = totals of the documents, EUR"
    ]
    assert tuple(check.values())[1:] == (420, 420, True)


def test_only_the_version_that_rules_is_a_cause(desk: Desk) -> None:
    """Given three more versions of a policy, when two of them cannot rule March, then the one that does is the cause."""
    desk.issue()
    for percent, since in (
        ("15", "2021-06-01"),
        ("20", "2022-04-01"),
        ("25", "2022-03-15"),
        ("30", "2022-01-01"),
        ("35", "2021-12-01"),
    ):
        desk.file("standard.toml", terms_2("standard", {"99.9": percent}, in_force_from=since))
        desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    found = desk.restate()
    assert found["causes"] == ["policy/standard v5"]
    assert {one["after"]["policy_version"] for one in found["assessments"]} == {5}


def test_an_exclusion_on_its_sheet_is_among_the_events(desk: Desk) -> None:
    desk.file("standard.toml", terms_2("standard", excluded=("force-majeure",)))
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    desk.ok("sla", "exclude", "flood", "--actor", "f", "--kind", "force-majeure", "--service", "email", "--component", "*", "--region", "EMEA",
            "--start", "2022-03-20T00:00:00Z", "--end", "2022-03-20T01:00:00Z", "--approved-by", "cfo", "--evidence", "report 7")  # fmt: skip
    assert "exclusion/flood v1" in [value for row in _book(desk)["Events"] for value in row.values()]
    said = desk.ok("sla", "exclusions")
    assert "cfo" in said
    assert "report 7" in said
    (found,) = [json.loads(line) for line in desk.ok("sla", "exclusions", "--json").splitlines()]
    assert (found["approved_by"], found["evidence"]) == ("cfo", "report 7")
