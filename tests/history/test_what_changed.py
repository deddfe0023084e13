"""A comparison looks at all that a policy makes of the windows: every measure, every remedy, days, and the right to end the contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from ledger.store.stream import Entry
from projections.consequences import Consequences, consequences
from projections.consequences_compared import difference, difference_text
from projections.page_figures import figures
from projections.replay import facts_at, windows_of

AS_OF = "2022-04-30T00:00:00.000000Z"
HEAD = """
format = 2
policy = "terms"
in_force_from = 2020-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[credit]
rounding = "half-up"
"""
TIME = '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
OUTAGES = '[measure]\nof = "events"\ncounts = "outages"\n[counting]\neffects = ["outage"]\n'


def two(bound: str, better: str, worse: str) -> str:
    of, number = bound.split()
    sides = ("at_least", "below") if of == "availability" else ("at_most", "above")
    return "".join(
        f'[[tiers]]\n{of}_{side} = "{number.replace("_", " ")}"\n{pays}\n'
        for side, pays in zip(sides, (better, worse), strict=True)
    )


NOTHING = 'credit_percent = "0"'
SAME = 'credit_fixed = { USD = "5.00" }'
# Terms, and the line that says what one outage of ten hours more makes of one of ten hours.
CASES = {
    "a sum for a count": (
        OUTAGES + two("value 1", NOTHING, 'credit_fixed = { USD = "500.00" }'),
        "terms v1: value 1 -> 2, credit 0% of fee -> terms v1: value above 1 gives 500 USD",
    ),
    "a sum for each": (
        OUTAGES + two("value 0", NOTHING, SAME + '\nper = "unit"'),
        "terms v1: value 1 -> 2, terms v1: value above 0 gives 5 USD for each one",
    ),
    "a value in the same tier": (
        OUTAGES + two("value 0", NOTHING, SAME), "terms v1: value 1 -> 2, terms v1: value above 0 gives 5 USD",
    ),
    "a percentage for a count": (
        OUTAGES + two("value 1", NOTHING, 'credit_percent = "10"'), "terms v1: value 1 -> 2, credit 0% -> 10% of fee",
    ),
    "a sum": (
        TIME + two("availability 98", NOTHING, SAME),
        "terms v1: availability 98.655913978495% -> 97.311827956989%, credit 0% of fee -> terms v1: "
        "availability below 98% gives 5 USD",
    ),
    "by the hour": (
        TIME + two("availability 99.9", NOTHING, 'credit_hourly = { USD = "1.00" }'),
        "terms v1: availability 98.655913978495% -> 97.311827956989%, terms v1: availability below 99.9% gives 1 USD for each hour down",
    ),
    "days": (
        TIME + two("downtime 12_hours", 'service_days = "1"', 'service_days = "10"'),
        "terms v1: availability 98.655913978495% -> 97.311827956989%, credit 0% -> 0% of fee, 1 -> 10 days of service",
    ),
    "the right to end the contract": (
        TIME + two("availability 99.9", NOTHING, 'credit_percent = "10"') + '[[termination]]\navailability_below = "98"\n',
        "terms v1: availability 98.655913978495% -> 97.311827956989%, credit 10% -> 10% of fee, may be ended: no -> yes",
    ),
    "a second commitment": (
        "".join(
            f'[[commitments]]\nname = "{name}"\n' + (measure + tiers).replace("[[tiers", "[[commitments.tiers").replace(
                "\n[counting]", "\n[commitments.counting]").replace("[measure]", "[commitments.measure]")
            for name, measure, tiers in (
                ("long", OUTAGES.replace("[counting]", "[counting]\nminimum = \"30 hours\""), two("value 0", NOTHING, SAME)),
                ("each", OUTAGES, two("value 0", NOTHING, SAME + '\nper = "unit"')),
            )
        ),
        "terms v1: value 0 -> 0, terms v1: long: value at most 0 gives 0% of fee; each: value above 0 gives 5 USD for each one",
    ),
}  # fmt: skip


def opened(*windows: tuple[str, str]) -> list[dict[str, Any]]:
    return [
        {"action": "add-window", "window": f"w{day}", "service": "email", "component": "flow", "region": "EMEA", "effect": "outage",
         "start": f"2022-03-{day}T02:00:00Z", "end": f"2022-03-{day}T{end}:00:00Z"}
        for day, end in windows
    ]  # fmt: skip


@pytest.fixture
def both(incident: Callable[..., list[Entry]]) -> Callable[[str], tuple[Consequences, Consequences]]:
    """What terms make of one outage of ten hours, and of two."""
    action = {
        "action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"], "components": ["flow"],
        "regions": ["EMEA"], "body": "We are looking into it.",
    }  # fmt: skip
    one, two = (
        incident([action], opened(*windows)) for windows in ([("14", "12")], [("14", "12"), ("20", "12")])
    )

    def made(terms: str) -> tuple[Consequences, Consequences]:
        policy = parse_policy(HEAD + terms)
        was, now = (
            consequences(windows_of("i", facts_at(entries)), {"terms": [(1, policy)]}, AS_OF)
            for entries in (one, two)
        )
        return was, now

    return made


@pytest.mark.parametrize("case", CASES)
def test_every_measure_and_remedy_is_compared(
    case: str, both: Callable[[str], tuple[Consequences, Consequences]]
) -> None:
    terms, line = CASES[case]
    was, now = both(terms)
    place, said = difference_text(was, now)
    assert place == "2022-03  email, EMEA: downtime 36,000 s -> 72,000 s (+36,000)"
    assert said == f"  {line}"
    [row] = difference(was, now)["consequences"]
    assert row["policies"][0]["changed"] is True
    [figure] = figures(was, now)
    assert figure.policies[0].changed
    assert [one["changed"] for one in difference(now, now)["consequences"][0]["policies"]] == [False]
    assert not next(iter(figures(now, now))).policies[0].changed
    assert difference_text(now, now) == []


def test_a_value_has_no_availability(both: Callable[[str], tuple[Consequences, Consequences]]) -> None:
    """JSON has null where the measure makes none, and the page shows the value."""
    terms, _ = CASES["a sum for a count"]
    was, now = both(terms)
    [one] = difference(was, now)["consequences"][0]["policies"]
    for side, value in (("before", "1"), ("after", "2")):
        for bound in ("at_least", "at_most"):
            assert one[f"availability_{side}_{bound}"] is None
            assert one[f"value_{side}_{bound}"] == value
    [figure] = figures(was, now)
    assert (figure.policies[0].availability, figure.policies[0].credit) == ("value 2", "as its rule says")
    [text] = [line for line in difference_text(now, now, unchanged=True) if "terms" in line]
    assert text == "  terms v1: no change, value 2, terms v1: value above 1 gives 500 USD"
    terms, _ = CASES["days"]
    was, now = both(terms)
    [one] = difference(was, now)["consequences"][0]["policies"]
    assert (one["service_days_before_at_least"], one["service_days_after_at_most"]) == ("1", "10")
    assert (one["value_after_at_least"], one["termination_after"]) == (None, None)
    assert difference_text(now, now, unchanged=True)[-1].endswith("credit 0% of fee, 10 days of service")
