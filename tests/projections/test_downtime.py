"""Downtime is the union of the windows, per group and period; days sum to the month."""

from __future__ import annotations

from ledger.domain.instants import parse_instant, seconds
from ledger.domain.period import parse_period
from ledger.domain.window import Window
from projections.downtime import as_json, downtime


def at(text: str) -> int:
    """Return UTC seconds of an instant."""
    return seconds(parse_instant(text))


def window(name: str, region: str, start: str, end: str | None, **more: object) -> Window:
    """Return a window of the March 2022 incident."""
    return Window(
        "mail", name, "email", "mail flow", region, at(start), None if end is None else at(end), "data-loss",
        regions=("EMEA", "NAM"), **more,  # type: ignore[arg-type]
    )  # fmt: skip


MARCH = [
    window("flow", "EMEA", "2022-03-14T16:00:00Z", "2022-03-14T23:59:00Z", approximate=True),
    window("nam", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T10:00:00Z"),
    window("emea", "EMEA", "2022-03-15T16:30:00Z", "2022-03-16T00:30:00Z"),
]
AS_OF = at("2022-04-01T00:00:00Z")


def test_march_2022() -> None:
    """Given the three windows, then EMEA was down 57,540 seconds and NAM 27,000."""
    rows = downtime(MARCH, parse_period("2022-03"), by=("region",), as_of=AS_OF)
    assert [(dict(row.keys)["region"], row.downtime_seconds, row.approximate) for row in rows] == [
        ("EMEA", 28_740 + 28_800, True),
        ("NAM", 27_000, False),
    ]


def test_days_sum_to_the_month_in_a_zone_that_changes_its_clocks() -> None:
    """Given a window over the missing hour of March in London, then its days sum to its month."""
    over = [*MARCH, window("long", "EMEA", "2022-03-26T20:00:00Z", "2022-03-28T03:00:00Z")]
    period = parse_period("2022-03", "Europe/London")
    (month,) = downtime(over, period, by=("service",), as_of=AS_OF)
    days = downtime(over, period, by=("service",), per="day", as_of=AS_OF)
    assert sum(day.downtime_seconds for day in days) == month.downtime_seconds
    assert {day.period.label for day in days} == {
        "2022-03-14",
        "2022-03-15",
        "2022-03-16",
        "2022-03-26",
        "2022-03-27",
        "2022-03-28",
    }
    assert max(day.downtime_seconds for day in days) == 23 * 3_600


def test_all_regions_and_open_ends() -> None:
    """Given an open window everywhere, then each affected region is down to as_of, and provisional."""
    rows = downtime(
        [window("open", "*", "2022-03-31T00:00:00Z", None)], parse_period("2022-03"), by=("region",),
        as_of=at("2022-03-31T01:00:00Z"),
    )  # fmt: skip
    assert [(dict(row.keys)["region"], row.downtime_seconds, row.provisional) for row in rows] == [
        ("EMEA", 3_600, True),
        ("NAM", 3_600, True),
    ]


def test_contract_names_only_what_was_grouped_by() -> None:
    """Keys not grouped by are absent, and effects of a row overlap within the union."""
    also = [*MARCH, window("again", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T02:40:00Z", withdrawn=True)]
    found = as_json(
        downtime(also, parse_period("2022-03"), by=("region",), as_of=AS_OF),
        as_of="x",
        published_by=None,
        recorded_by=None,
    )
    assert [set(row) & {"service", "component", "region"} for row in found["rows"]] == [
        {"region"},
        {"region"},
    ]
    assert found["rows"][1]["windows"] == ["mail/nam"]
    assert found["rows"][1]["seconds_by_effect"] == {"data-loss": 27_000}
