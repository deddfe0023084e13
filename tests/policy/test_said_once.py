"""What is wrong with a file is said once, where it is wrong, and of the ranges in which it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from tools.terms import terms_2


def findings(text: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["policy", "lint", "-", "--json"], input=text)
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def three(reading: str = "") -> str:
    tiers = "".join(
        f'[[tiers]]\navailability_below = "{bound}"\ncredit_percent = "{percent}"\n'
        for bound, percent in (("99", "10"), ("95", "20"), ("90", "30"))
    )
    return (
        'format = 2\npolicy = "case"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n[measure]\nof = "time"\n'
        f'[counting]\neffects = ["outage"]\n{tiers}[credit]\nrounding = "half-up"\n{reading}'
    )


def test_as_many_tiers_hold_as_are_said_to() -> None:
    """Below 90% three hold, from there to 95% two."""
    found = findings(three('[reading]\ngaps = "pays-nothing"\noverlaps = "greatest"\n'))
    said = [one["sentence"].partition("; ")[0] for one in found if one["kind"] == "overlap"]
    assert said == [
        "3 tiers hold from 0% to below 90%, which pay 10% of fee, 20% of fee, 30% of fee",
        "2 tiers hold from 90% to below 95%, which pay 10% of fee, 20% of fee",
    ]


def test_without_a_format_nothing_else_is_blamed() -> None:
    found = findings(three().replace("format = 2\n", ""))
    assert [one["sentence"] for one in found] == [
        "format is missing; add format = 2 (or 1, for months, tiers and percent of the fee alone)"
    ]


@pytest.mark.parametrize(
    ("percent", "sentence"),
    [
        ("0", 'credit_percent 0 is a number, which TOML cannot keep exact; write it as text: "0"'),
        ('"a third"', "credit_percent 'a third' is not a decimal; write it like \"10\""),
        ("nan", 'credit_percent nan is no number; write one as text, like "10"'),
        ("inf", 'credit_percent inf is no number; write one as text, like "10"'),
    ],
)
def test_a_percentage_that_cannot_be_read_is_not_missing_as_well(percent: str, sentence: str) -> None:
    text = terms_2("case").partition("[[tiers]]")[0]
    text += f'[[tiers]]\ncredit_percent = {percent}\n[credit]\nrounding = "half-up"\n'
    assert [one["sentence"] for one in findings(text)] == [f"tiers 1: {sentence}"]


def test_an_example_shows_true_and_false_as_a_file_writes_them() -> None:
    text = terms_2("case") + "[[examples]]\nfacts = { downtime_minutes = 0 }\nexpect = { met = false }\n"
    found = [one["sentence"] for one in findings(text) if one["kind"] == "example-contradicts"]
    assert found == ["an example expects met false, but the terms give true"]
