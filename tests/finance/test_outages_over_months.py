"""Outages that go on from one month into the next, under terms that ask how long one lasts: runs, documents and what changes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.finance.desk import Desk
from tools.terms import terms_2


def _terms(minimum: str) -> str:
    text = terms_2("standard", {"100": "10"}, in_force_from="2021-01-01", more="clawback = true\n")
    return text.replace('effects = ["outage"]\n', f'effects = ["outage"]\nminimum = "{minimum}"\n')


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    """Finance on 2 May 2022; nine minutes were down before the end of March, and nine behind it."""
    found = Desk(sqlite_url, tmp_path)
    found.now = "2022-05-02T09:00:00Z"
    found.file("standard.toml", _terms("10 minutes"))
    found.ok("policy", "publish", "standard.toml", "--actor", "f")
    found.window("march", "EMEA", "2022-03-31T23:51:00Z", "2022-04-01T00:00:00Z")
    found.window("april", "EMEA", "2022-04-01T00:00:00Z", "2022-04-01T00:09:00Z")
    return found


def _row(desk: Desk, period: str) -> dict[str, Any]:
    found = json.loads(desk.ok("credits", "compute", "--period", period, "--json"))
    return next(row for row in found["rows"] if row["subscription"] == "baltic-emea")


def test_both_months_count_their_part_and_name_what_they_rest_on(desk: Desk) -> None:
    march, april = (_row(desk, period) for period in ("2022-03", "2022-04"))
    assert march["eligible_downtime_seconds"] - 4 * 3_600 == april["eligible_downtime_seconds"] == 540
    assert {"incident/mail-1 v3", "incident/mail-1 v4"} <= set(april["entries"])
    assert {"incident/mail-1 v3", "incident/mail-1 v4"} <= set(march["entries"])


def test_a_run_reads_what_an_outage_goes_on_from_however_far_it_is(desk: Desk) -> None:
    """The last of three windows is in April for two hours: all of them are 60 hours, of which the first is over for days."""
    desk.file("standard.toml", _terms("59 hours"))
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.window("one", "EMEA", "2022-03-29T14:00:00Z", "2022-03-30T12:00:00Z")
    desk.window("two", "EMEA", "2022-03-30T12:00:00Z", "2022-03-31T12:00:00Z")
    desk.window("three", "EMEA", "2022-03-31T12:00:00Z", "2022-04-01T02:00:00Z")
    assert _row(desk, "2022-04")["eligible_downtime_seconds"] == 7_200


def test_a_window_of_the_month_before_that_is_revised_restates_this_one(desk: Desk) -> None:
    """Two minutes less in March leave the nine of April alone, which are too short: their credit is taken back, with its cause."""
    desk.ok("credits", "issue", "--period", "2022-04", "--actor", "f")
    desk.revise("march", "2022-03-31T23:58:00Z", reason="x")
    found = json.loads(desk.ok("credits", "restate", "1", "--json"))
    lines = {line["subscription"]: line for line in found["lines"]}
    assert set(lines) == {"aurora-emea", "baltic-emea"}
    assert lines["baltic-emea"]["causes"] == ["incident/mail-1 v5"]
    assert (lines["baltic-emea"]["as_issued"], lines["baltic-emea"]["as_now"]) == ("35.00", "0.00")
    assert json.loads(desk.ok("credits", "restate", "1", "--whole", "--json"))["lines"] == found["lines"]
    assert desk.run("credits", "show", "1", "--recompute").exit_code == 0
