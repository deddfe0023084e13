"""Days that were bad: how many, or how many in a row, by what was down on them or what failed, in the zone of the policy."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, terms

UNITS = '[[tiers]]\nvalue_at_most = "0"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "1"\ncredit_percent = "3"\nper = "unit"\n'


def days(of: str = "bad-days", counting: str = "", zone: str = "UTC") -> str:
    """Terms of days on which windows were."""
    text = terms(UNITS, measure='of = "bad-days"\nreads = []', counting=counting, zone=zone)
    return text.replace('"bad-days"', f'"{of}"')


def down(start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"start": f"2022-03-{start}:00Z", "end": f"2022-03-{end}:00Z", "effect": "outage", **more}


WEEK = [down("01T10:00", "01T10:20"), down("02T23:50", "03T00:20"), down("05T08:00", "05T08:05")]


@pytest.mark.parametrize(
    ("of", "above", "value"),
    [
        # The 1st has 20 minutes, the 2nd ten, the 3rd 20, the 5th five.
        ("bad-days", "0 seconds", "4"),
        ("bad-days", "5 minutes", "3"),
        ("bad-days", "10 minutes", "2"),
        ("bad-days", "20 minutes", "0"),
        ("consecutive-days", "0 seconds", "3"),
        ("consecutive-days", "5 minutes", "3"),
        ("consecutive-days", "10 minutes", "1"),
    ],
)
def test_each_day_on_which_more_was_down(of: str, above: str, value: str) -> None:
    answer = ask({"period": "2022-03", "windows": WEEK}, days(of, f'day_above = "{above}"'))
    assert (answer["value"], answer["downtime_seconds"]) == (value, 55 * 60)
    assert answer["credit_percent"] == str(3 * int(value))
    assert answer["why"][0] == f"{of} {value}"


def test_days_begin_in_the_zone_of_the_policy() -> None:
    """23:50 to 00:20 UTC is one day in New York; with clocks put forward 13 March has 23 hours there."""
    one = {"period": "2022-03", "windows": [WEEK[1]]}
    assert ask(one, days())["value"] == "2"
    assert ask(one, days(zone="America/New_York"))["value"] == "1"
    whole = {"period": "2022-03", "windows": [down("13T05:00", "14T04:00")]}
    long = days(counting='day_above = "22.9 hours"', zone="America/New_York")
    assert ask(whole, long)["value"] == "1"
    assert ask({**whole, "windows": [down("12T05:00", "13T03:00")]}, long)["value"] == "0"


def test_an_outage_lasts_long_enough_over_midnight() -> None:
    """Six minutes of one day and six of the next are an outage of twelve."""
    windows = [down("02T23:54", "03T00:06"), down("08T00:00", "08T00:06")]
    text = days(counting='minimum = "10 minutes"')
    assert ask({"period": "2022-03", "windows": windows}, text)["value"] == "2"


def test_what_is_excluded_makes_no_day_bad() -> None:
    text = days() + '[[exclusions]]\nkinds = ["force-majeure"]\n'
    storm = {"kind": "force-majeure", "start": "2022-03-01T00:00:00Z", "end": "2022-03-02T00:00:00Z"}
    assert ask({"period": "2022-03", "windows": WEEK, "exclusions": [storm]}, text)["value"] == "3"


def test_open_facts_leave_days_between_bounds() -> None:
    """An outage that may have begun or ended half an hour off reached into one day more, or did not."""
    window = down("02T10:00", "02T23:40", end_within_seconds=1_800)
    answer = ask({"period": "2022-03", "windows": [window, WEEK[0]]}, days("consecutive-days"))
    assert (answer["value_at_least"], answer["value_at_most"]) == ("2", "3")
    assert answer["decides"] == "the exact times of window incident-1/window-1"


def test_days_are_bad_from_a_share_on() -> None:
    """Of failed messages: 5% is at least 5%, and not above it."""

    def asked(counting: str, of: str = "bad-days") -> str:
        text = (
            days(of, counting)
            .replace("reads = []", 'reads = ["messages"]')
            .replace('effects = ["outage"]\n', "")
        )
        counted = [
            {
                "start": f"2022-03-0{day}T00:00:00Z",
                "end": f"2022-03-0{day + 1}T00:00:00Z",
                "of": "messages",
                "failed": failed,
                "total": 100,
            }
            for day, failed in ((1, 5), (2, 6), (3, 0), (4, 5))
        ]
        found: str = ask({"period": "2022-03", "measurements": counted}, text)["value"]
        return found

    assert asked('share_above = "0.05"') == "1"
    assert asked('share_at_least = "0.05"') == "3"
    assert asked('share_at_least = "0.05"', "consecutive-days") == "2"


@pytest.mark.parametrize(("share", "seconds"), [("0.05", 3_600), ("0.049", 0), ("1", 3_600)])
def test_a_second_is_down_from_a_share_on(share: str, seconds: int) -> None:
    text = terms(
        '[[tiers]]\ncredit_percent = "0"\n', counting='down = "at-least-share"\nshare_at_least = "0.05"'
    )
    window = {**down("01T10:00", "01T11:00"), "share": share}
    assert ask({"period": "2022-03", "windows": [window]}, text)["eligible_downtime_seconds"] == seconds
    plain = ask({"period": "2022-03", "outages": [{"minutes": "60", "share": share}]}, text)
    assert plain["eligible_downtime_seconds"] == seconds


def test_a_workbook_shows_values_and_says_why() -> None:
    assert reason_for_values(parse_policy(days())) == (
        "value: no formula for a measure of bad-days, tiers of value"
    )
    shares = terms(
        '[[tiers]]\ncredit_percent = "0"\n', counting='down = "at-least-share"\nshare_at_least = "0.05"'
    )
    assert reason_for_values(parse_policy(shares)) == (
        "value: no formula for seconds that are down from a share on"
    )
