"""The demonstration gives the figures of the March 2022 incident, all of them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
MARCH = 2_678_400
# What the notice states: seconds by region, before and after the correction.
SECONDS = {"before": {"NAM": 0, "EMEA": 28_740}, "after": {"NAM": 27_000, "EMEA": 28_740 + 28_800}}
AVAILABILITY = {
    "before": {"NAM": "100.0000000000", "EMEA": "98.9269713261"},
    "after": {"NAM": "98.9919354838", "EMEA": "97.8517025089"},
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the demonstration once."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "demo.py"), "--folder", str(folder), "--json"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def slow_credit(row: dict[str, str], side: str) -> Fraction:
    """Return the credit of a subscription from the facts alone, in minor units, rounded half up."""
    digits = 0 if row["currency"] == "JPY" else 2
    fee = Fraction(row["fee"]) * 10**digits
    if row["policy"] != "email-standard":
        # At most 0.2% of traffic: by share far above 99.9%, and never above five percent.
        return Fraction(0)
    seconds = SECONDS[side][row["region"]]
    if row["valid_to"] == "2022-03-15":
        # Valid until the first window's day was over.
        seconds = SECONDS["before"][row["region"]]
    availability = 1 - Fraction(seconds, MARCH)
    percent = next(
        percent
        for edge, percent in (("0.999", 0), ("0.99", 10), ("0.98", 25), ("0", 50))
        if availability >= Fraction(edge)
    )
    return Fraction((2 * fee * percent / 100).__floor__() + 1, 2).__floor__() * Fraction(1)


def rounded(row: dict[str, str], side: str) -> str:
    """Return the slow credit as it is written."""
    digits = 0 if row["currency"] == "JPY" else 2
    exact = slow_credit(row, side)
    return str(Decimal(int(exact)).scaleb(-digits))


def test_downtime_and_availability(answers: dict[str, Any]) -> None:
    """Seconds and availability per region are those the notice gives, as told before and after."""
    for side in ("before", "after"):
        for region in ("NAM", "EMEA"):
            assert answers[f"downtime_{side}"][region]["downtime_seconds"] == SECONDS[side][region]
            rows = [
                row
                for row in answers[f"credits_{side}"]["rows"]
                if row["region"] == region
                and row["policy"] == "email-standard"
                and row["subscription"] != "iris-emea"
            ]
            assert rows
            for row in rows:
                assert row["availability"].startswith(AVAILABILITY[side][region])
                assert row["period_seconds"] == MARCH
                assert row["entries"]


def test_every_credit(answers: dict[str, Any]) -> None:
    """Each credit before, after and the difference equal an independent calculation."""
    with (EXAMPLE / "subscriptions.csv").open(newline="") as source:
        subscriptions = list(csv.DictReader(source))
    assert len(subscriptions) >= 12
    assert len({row["currency"] for row in subscriptions}) >= 3
    changed = {row["subscription"]: row for row in answers["credits_after"]["differences"]}
    assert changed.keys() == {row["subscription"] for row in subscriptions}
    for row in subscriptions:
        found = changed[row["subscription"]]
        before, after = rounded(row, "before"), rounded(row, "after")
        assert (found["credit_before"], found["credit_after"]) == (before, after)
        assert Decimal(found["delta"]) == Decimal(after) - Decimal(before)


def test_expected_figures(answers: dict[str, Any]) -> None:
    """What the demonstration shows equals the figures kept beside it."""
    expected = json.loads((EXAMPLE / "expected" / "figures.json").read_text())
    assert {row["subscription"]: row for row in answers["credits_after"]["differences"]} == expected[
        "differences"
    ]
    assert answers["credits_after"]["difference_totals"] == expected["totals"]


def test_nam_is_just_past_the_edge(answers: dict[str, Any]) -> None:
    """NAM is 3.6 minutes past the 99.0% edge."""
    row = next(row for row in answers["credits_after"]["rows"] if row["subscription"] == "aurora-nam")
    assert row["seconds_past_tier_edge"] == 216
    assert row["credit_percent"] == "25"


def test_the_correction_shows_only_after(answers: dict[str, Any]) -> None:
    """Before, nobody had been told of NAM; after, the notice says when it was corrected and why."""
    assert "NAM" not in answers["notice_before"]
    assert "nam-quarantine" in answers["notice_after"]
    assert "Corrected 2022-03-30 16:52 UTC" in answers["notice_after"]


def test_verified(answers: dict[str, Any]) -> None:
    """The ledger verifies, and the root is that of the last receipt."""
    assert answers["verified"]["ok"]
    assert answers["verified"]["size"] == len(answers["receipts"]) == answers["receipts"][-1]["size"]
    assert answers["verified"]["root"] == answers["receipts"][-1]["root"]


def test_the_workbook_holds_the_credits(answers: dict[str, Any]) -> None:
    """Every subscription stands in the workbook."""
    book = openpyxl.load_workbook(answers["workbook"]["file"], read_only=True)
    found = {cell for row in book["Credits"].iter_rows(values_only=True) for cell in row}
    assert {row["subscription"] for row in answers["credits_after"]["rows"]} <= found


def test_assumptions_are_marked() -> None:
    """Whatever is not on the public notice says so, and no policy claims to be the vendor's."""
    for line in (EXAMPLE / "actions.jsonl").read_text().splitlines():
        action = json.loads(line)
        if action.get("published_at") != "2022-03-30T16:52:00Z":
            assert action["note"].startswith("Assumed:"), action
    for path in (EXAMPLE / "policies").glob("*.toml"):
        assert path.read_text().startswith("# Assumed terms")
        assert "example" in tomllib.loads(path.read_text())["title"]
