"""Tiers of what only takes whole numbers: consecutive days, counts, and downtime in whole quanta have no hole between two of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from tests.sla.asking import ask, kinds, terms

DAYS = [("", "1", "0"), ("2", "3", "10"), ("4", "5", "20"), ("6", "9", "30"), ("10", "", "40")]
MINUTES = [
    ("", "4 minutes", "0"),
    ("5 minutes", "30 minutes", "5"),
    ("31 minutes", "1 hour", "10"),
    ("61 minutes", "", "20"),
]
QUANTA = 'quantise = "total-up"\nquantum = "{}"'


def steps(rows: list[tuple[str, str, str]], of: str) -> str:
    """Tiers as contracts write them: from a whole number to a whole number, both among them."""
    return "".join(
        "[[tiers]]\n"
        + (f'{of}_at_least = "{low}"\n' if low else "")
        + (f'{of}_at_most = "{high}"\n' if high else "")
        + f'credit_percent = "{percent}"\n'
        for low, high, percent in rows
    )


IN_DAYS = terms(
    steps(DAYS, "value"), measure='of = "consecutive-days"', counting='[counting]\nshare_above = "0.0001"'
).replace("[counting]\n[counting]", "[counting]")
IN_INCIDENTS = terms(steps(DAYS, "value"), measure='of = "events"')
IN_MINUTES = terms(steps(MINUTES, "downtime"), counting=QUANTA.format("1 minute"))


@pytest.mark.parametrize("text", [IN_DAYS, IN_INCIDENTS, IN_MINUTES], ids=["days", "incidents", "minutes"])
def test_the_linter_finds_no_hole(text: str) -> None:
    assert kinds(text) == set()


@pytest.mark.parametrize(
    ("value", "percent"),
    [("0", "0"), ("1", "0"), ("2", "10"), ("3", "10"), ("4", "20"), ("9", "30"), ("10", "40"), ("11", "40")],
)
def test_each_whole_number_has_its_tier(value: str, percent: str) -> None:
    for text in (IN_DAYS, IN_INCIDENTS):
        assert ask({"period": "2025-06", "value": value}, text)["credit_percent"] == percent


@pytest.mark.parametrize(
    ("seconds", "percent"),
    [(240, "0"), (241, "5"), (1_800, "5"), (1_801, "10"), (3_600, "10"), (3_601, "20")],
)
def test_each_whole_minute_has_its_tier(seconds: int, percent: str) -> None:
    """What is begun is a minute: 241 seconds are five."""
    assert (
        ask({"period": "2025-06", "downtime_seconds": str(seconds)}, IN_MINUTES)["credit_percent"] == percent
    )


def test_bounds_reach_over_what_is_between() -> None:
    answer = ask({"period": "2025-06", "value_at_least": "3", "value_at_most": "6"}, IN_DAYS)
    assert (answer["credit_percent_at_least"], answer["credit_percent_at_most"]) == ("10", "30")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        # Seconds have no quanta: between four and five minutes there are some.
        (terms(steps(MINUTES, "downtime")), "gap"),
        # Quanta of half a minute: four and a half minutes can be measured.
        (terms(steps(MINUTES, "downtime"), counting=QUANTA.format("30 seconds")), "gap"),
        # Time without data counts as it is.
        (terms(steps(MINUTES, "downtime"), measure='of = "time"\nmissing = "down"', counting=QUANTA.format("1 minute")), "gap"),
        # A latency may be any number.
        (terms(steps(DAYS, "value"), measure='of = "latency"\nstatistic = "p95"'), "gap"),
        # 3 is a whole number, and no tier holds it.
        (terms(steps([("", "2", "0"), ("4", "", "10")], "value"), measure='of = "events"'), "gap"),
    ],
)  # fmt: skip
def test_a_hole_is_one_where_something_can_be_measured(text: str, kind: str) -> None:
    assert {one.replace("decimal-hole", "gap") for one in kinds(text)} == {kind}


@pytest.mark.parametrize(
    ("text", "facts", "said"),
    [
        (IN_DAYS, {"value": "3.5"}, "value '3.5' is not a whole number"),
        (
            IN_MINUTES, {"availability": "99.99"},
            "259.200 seconds of downtime are no whole quanta of 1 minute, in which the tiers of the policy are written; state downtime "
            "instead of an availability",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_where_no_tier_holds_it(
    text: str, facts: dict[str, Any], said: str
) -> None:
    line = json.dumps({"terms": text, "period": "2025-06", **facts})
    result = CliRunner().invoke(main, ["sla", "evaluate", "-", "--json"], input=line)
    assert result.exit_code == 1
    assert said in result.stderr


def test_an_availability_that_a_tier_holds_is_answered() -> None:
    """99.3% of June leaves 302.4 minutes, which lie in the last tier whatever they are measured in."""
    assert ask({"period": "2025-06", "availability": "99.3"}, IN_MINUTES)["credit_percent"] == "20"
