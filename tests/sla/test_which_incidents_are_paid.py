"""Where incidents are paid one by one, each of them is one that was there and then, even where the least of it is paid for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla.asking import ask, terms

# Every incident pays 1%, one that takes an hour or more 10%.
EACH = """[[tiers]]
downtime_below = "1 hour"
credit_percent = "1"
[[tiers]]
downtime_at_least = "1 hour"
credit_percent = "10"
"""
HERE = {"incident": "a", "service": "mail", "region": "EMEA", "component": "*", "effect": "outage",
        "start": "2022-03-05T00:00:00Z", "end": "2022-03-05T02:00:00Z"}  # fmt: skip
ASKED = {"period": "2022-03", "service": "mail", "region": "EMEA", "fee": "100.00", "currency": "EUR"}
FEBRUARY = {"start": "2022-02-05T00:00:00Z", "end": "2022-02-05T02:00:00Z"}
LATER = {"start": "2022-03-09T00:00:00Z", "end": "2022-03-09T00:10:00Z"}


def paid(*others: dict[str, Any], scope: str = "", **more: Any) -> tuple[str, list[str]]:
    """Return the credit of 100.00, and which incidents are paid for."""
    found = ask(
        {**ASKED, "windows": [HERE, *({**HERE, "incident": "b", **other} for other in others)], **more},
        terms(EACH, more=f'{scope}[stacking]\nincidents = "sum"\n'),
    )  # fmt: skip
    return found["credit"], [one["incident"] for one in found["incidents"]]


@pytest.mark.parametrize(
    ("others", "credit", "incidents"),
    [
        ([], "10.00", ["a"]),
        ([LATER], "11.00", ["a", "b"]),
        ([{"region": "NAM"}], "10.00", ["a"]),
        ([{"service": "chat"}], "10.00", ["a"]),
        ([FEBRUARY], "10.00", ["a"]),
        # Up to midnight is February's; a second more is March's.
        ([{**FEBRUARY, "end": "2022-03-01T00:00:00Z"}], "10.00", ["a"]),
        ([{**FEBRUARY, "end": "2022-03-01T00:00:01Z"}], "11.00", ["a", "b"]),
        ([{"start": "2022-04-01T00:00:00Z", "end": "2022-04-01T02:00:00Z"}], "10.00", ["a"]),
        # One window of an incident is enough.
        ([FEBRUARY, LATER], "11.00", ["a", "b"]),
        ([FEBRUARY, {"region": "NAM"}], "10.00", ["a"]),
    ],
)
def test_an_incident_of_another_place_or_time_is_not_paid_for(
    others: list[dict[str, Any]], credit: str, incidents: list[str]
) -> None:
    assert paid(*others) == (credit, incidents)


def test_where_every_region_counts_an_incident_of_each_is_paid_for() -> None:
    assert paid({**LATER, "region": "NAM"}, scope='[scope]\nregions = "union"\n') == ("11.00", ["a", "b"])


def test_an_incident_about_midnight_is_one_of_the_month_as_soon_as_it_may_end_in_it() -> None:
    """It ended at about 23:59 on the last of February: 60 seconds later is midnight still, 61 are a second of March."""
    about = {**HERE, "incident": "b", "start": "2022-02-28T20:00:00Z", "end": "2022-02-28T23:59:00Z", "approximate": True}  # fmt: skip
    text = terms(EACH, more='[stacking]\nincidents = "sum"\n')
    ends = [
        ask({**ASKED, "windows": [HERE, about], "approximately_within_seconds": seconds}, text)[
            "credit_at_most"
        ]
        for seconds in (60, 61)
    ]
    assert ends == ["10.00", "11.00"]


def test_an_incident_that_goes_on_is_paid_for() -> None:
    assert paid({"start": "2022-03-30T00:00:00Z", "end": None}) == ("20.00", ["a", "b"])


def test_a_measurement_that_ends_as_the_period_begins_or_begins_as_it_ends_is_no_incident_of_it() -> None:
    """Of each a tenth failed for a day: the one in March is paid for, and one of February or of April alone is not."""
    text = terms(
        EACH, measure='of = "time"\nreads = ["requests"]', counting='down = "above-share"\nshare_above = "0.05"',
        more='[stacking]\nincidents = "sum"\n',
    ).replace('effects = ["outage"]\n', "")  # fmt: skip
    days = {
        "a": ("2022-03-05", "2022-03-06"),
        "b": ("2022-02-28", "2022-03-01"),
        "c": ("2022-04-01", "2022-04-02"),
    }
    measurements = [
        {"incident": incident, "of": "requests", "service": "mail", "region": "EMEA", "component": "*",
         "start": f"{start}T00:00:00Z", "end": f"{end}T00:00:00Z", "failed": 10, "total": 100}
        for incident, (start, end) in days.items()
    ]  # fmt: skip
    found = ask({**ASKED, "measurements": measurements}, text)
    assert (found["credit"], [one["incident"] for one in found["incidents"]]) == ("10.00", ["a"])
