"""Until when a claim is in time, as `ledger sla evaluate` says it: by what counts, and by the first of several incidents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla.asking import ask, one_tier, terms

Answer = dict[str, Any]


def claimed(
    windows: list[Answer], within: str = "30 days", anchor: str = "incident-end", **more: Any
) -> Answer:
    text = terms(
        one_tier('credit_multiple = "1"'),
        more=f'[claim]\nhow = "on-request"\nwithin = "{within}"\nanchor = "{anchor}"\n',
    )
    found: Answer = ask({"period": "2025-06", "windows": windows, **more}, text)["claim"]
    return found


def window(day: str, incident: str, effect: str = "outage") -> Answer:
    return {
        "start": f"2025-{day}T10:00:00Z",
        "end": f"2025-{day}T11:00:00Z",
        "incident": incident,
        "effect": effect,
    }


FIRST = window("06-10", "a")


@pytest.mark.parametrize(
    "other",
    [
        # Outside the period; of an effect that does not count; one that counts, and ends later.
        window("07-25", "b"),
        window("06-25", "b", "degraded"),
        window("06-20", "b"),
        # What comes first, and counts nothing.
        window("06-01", "b", "degraded"),
        window("05-20", "b"),
    ],
)
def test_a_claim_is_in_time_by_the_first_incident_that_counts(other: Answer) -> None:
    for windows in ([FIRST, other], [other, FIRST]):
        late = claimed(windows, claimed_at="2025-07-15T00:00:00Z")
        assert (late["last_day"], late["in_time"]) == ("2025-07-10", False)
        assert claimed(windows, claimed_at="2025-07-10T23:59:59Z")["in_time"] is True


def test_where_no_incident_counts_none_sets_a_day() -> None:
    nothing = claimed([window("06-25", "b", "degraded")])
    assert (nothing["last_day"], nothing["words"]) == (
        None,
        "it is counted from the incident end, and no incident counts",
    )
    from_start = claimed([window("06-25", "b", "degraded")], anchor="incident-start")
    assert from_start["words"] == "it is counted from the incident start, and no incident counts"
    # The end of the period needs no incident.
    assert claimed([window("06-25", "b", "degraded")], anchor="period-end")["last_day"] == "2025-07-30"


@pytest.mark.parametrize(
    ("within", "words", "until"),
    [
        ("72 hours", "72 hours", "2025-06-13T11:00:00.000000Z"),
        ("1 hour", "1 hour", "2025-06-10T12:00:00.000000Z"),
        ("90 minutes", "90 minutes", "2025-06-10T12:30:00.000000Z"),
        ("3600 seconds", "1 hour", "2025-06-10T12:00:00.000000Z"),
        ("3 days", "3 days", "2025-06-14T00:00:00.000000Z"),
    ],
)
def test_hours_end_with_the_second_and_are_not_said_in_days(within: str, words: str, until: str) -> None:
    found = claimed([FIRST], within)
    assert (found["words"], found["until"]) == (f"{words} after the incident end (2025-06-10)", until)


def test_what_is_counted_from_the_start_of_an_open_incident_has_a_day() -> None:
    """Of one that is counted from its end that is yet to come, unless another one sets it."""
    open_one = {"start": "2025-06-10T10:00:00Z", "incident": "b"}
    assert claimed([open_one], anchor="incident-start")["last_day"] == "2025-07-10"
    assert claimed([open_one, window("06-05", "a")], anchor="incident-start")["last_day"] == "2025-07-05"
    assert claimed([open_one, window("06-05", "a")])["last_day"] == "2025-07-05"
    unknown = claimed([open_one])
    assert (unknown["last_day"], unknown["words"]) == (
        None,
        "incident_end is missing, from which the claim window of the policy is counted; add it",
    )


@pytest.mark.parametrize("anchor", ["incident-start", "incident-end", "period-end"])
def test_a_day_beyond_the_calendar_is_said_to_be_so(anchor: str) -> None:
    late = {"start": "9998-12-10T10:00:00Z", "end": "9998-12-10T11:00:00Z", "incident": "a"}
    found = claimed([late], within="400 days", anchor=anchor, period="9998-12")
    assert found["last_day"] is None
    assert "which ends beyond the calendar that is kept; claim for an earlier time" in found["words"]
