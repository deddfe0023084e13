"""Times that are "about": how far they may be off for the answer to stay, and the answer where it is said how far they are.

99% of the 30 days of June leave room for 432 minutes, which are 25,920 seconds.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main

Answer = dict[str, Any]
HEAD = (
    'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nzone = "UTC"\nkind = "calendar-month"\n'
    '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
)
LADDER = (
    '[[tiers]]\navailability_at_least = "99"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99"\ncredit_percent = "10"\n'
)
ALWAYS = '[[tiers]]\ncredit_percent = "10"\n'


def run(*options: str, facts: Answer | None = None) -> Any:
    line = None if facts is None else json.dumps(facts)
    return CliRunner().invoke(main, ["sla", "evaluate", *(("-",) if facts else ()), *options], input=line)


def ask(tiers: str, *windows: Answer, **facts: Any) -> Answer:
    result = run(
        "--json", facts={"terms": HEAD + tiers, "period": "2022-06", "windows": list(windows), **facts}
    )
    assert result.exit_code == 0, result.output
    found: Answer = json.loads(result.stdout)
    return found


def about(start: str, end: str, **more: Any) -> Answer:
    return {"start": f"2022-06-{start}Z", "end": f"2022-06-{end}Z", "approximate": True, **more}


def holds(answer: Answer) -> tuple[int | None, list[int | None]]:
    return (
        answer["approximate_holds_within_seconds"],
        [one["holds_within_seconds"] for one in answer["approximate_windows"]],
    )


SEVEN_HOURS = about("10T00:00:00", "10T07:00:00")
ROOM_FOR_12_MINUTES = [
    # Both ends may move: 2 x 360 of the 720 seconds that are left.
    ([SEVEN_HOURS], (360, [360])),
    # At the edge of the tier, or one second past it, nothing may move.
    ([about("10T00:00:00", "10T07:12:00")], (0, [0])),
    ([about("10T00:00:00", "10T07:12:01")], (0, [0])),
    # 11 seconds past it: 2 x 5 still leave one.
    ([about("10T00:00:00", "10T07:12:11")], (5, [5])),
    # What lies before the month counts nothing, so one end alone matters.
    ([about("01T00:00:00", "01T07:00:00")], (720, [720])),
    # Of two windows four ends move together, and two alone.
    ([about("10T00:00:00", "10T03:00:00"), about("11T00:00:00", "11T04:00:00")], (180, [360, 360])),
    # A window that is exact has no part in it.
    ([about("10T00:00:00", "10T03:00:00"), about("11T00:00:00", "11T04:00:00", approximate=False)], (360, [360])),
    # Nor has one that is withdrawn; one with a tolerance of its own takes up 2 x 100 seconds of the room.
    ([SEVEN_HOURS, about("12T00:00:00", "12T01:00:00", withdrawn=True)], (360, [360])),
    ([about("10T00:00:00", "10T03:00:00"), about("11T00:00:00", "11T04:00:00", start_within_seconds=100, end_within_seconds=100)],
     (260, [260])),
    # A window that ends with the month before may reach into this one: 720 = 2 x 240 + 240.
    ([SEVEN_HOURS, {"start": "2022-05-31T00:00:00Z", "end": "2022-06-01T00:00:00Z", "approximate": True}], (240, [360, 720])),
]  # fmt: skip


@pytest.mark.parametrize(("windows", "expected"), ROOM_FOR_12_MINUTES)
def test_how_far_the_times_may_be_off_is_an_exact_number(
    windows: list[Answer], expected: tuple[int, list[int]]
) -> None:
    answer = ask(LADDER, *windows)
    assert (answer["approximate"], holds(answer)) == (True, expected)


@pytest.mark.parametrize(("windows", "expected"), ROOM_FOR_12_MINUTES)
def test_said_to_be_off_by_as_much_they_decide_and_by_a_second_more_they_do_not(
    windows: list[Answer], expected: tuple[int, list[int]]
) -> None:
    stated = ask(LADDER, *windows)["credit_percent"]
    within = ask(LADDER, *windows, approximately_within_seconds=expected[0])
    beyond = ask(LADDER, *windows, approximately_within_seconds=expected[0] + 1)
    assert (within["credit_percent"], beyond["credit_percent"]) == (stated, None)
    assert (beyond["credit_percent_at_least"], beyond["credit_percent_at_most"]) == ("0", "10")


def test_where_every_second_is_paid_the_rounding_says_how_far() -> None:
    """0.36 for each hour are a hundredth of a cent for each second: 36.00 cents become 36.50, which are 37, with 50 more."""
    hourly = '[[tiers]]\ncredit_hourly = { USD = "0.36" }\n'
    answer = ask(
        hourly, about("10T00:00:00", "10T01:00:00", incident="mail", window="a"), fee="10.00", currency="USD"
    )
    assert (answer["credit"], holds(answer)) == ("0.36", (24, [24]))
    assert answer["decides"] == (
        "the exact times of window mail/a, which are approximate: the answer stays as it is while they are off by up to 24 seconds"
    )


def test_where_nothing_depends_on_the_times_there_is_no_number() -> None:
    answer = ask(ALWAYS, SEVEN_HOURS)
    assert (answer["approximate"], holds(answer), answer["decides"]) == (True, (None, [None]), None)
    exact = ask(LADDER, {**SEVEN_HOURS, "approximate": False})
    assert (exact["approximate"], holds(exact)) == (False, (None, []))


def test_where_something_else_is_open_there_is_nothing_to_hold() -> None:
    """12 hours are 17,280 seconds past the edge, so 2 x 8,639 less still pay, and 2 x 8,640 do not."""
    twelve = about("10T00:00:00", "10T12:00:00")
    assert holds(ask(LADDER, twelve)) == (8_639, [8_639])
    answer = ask(LADDER, {**twelve, "cohort": "beta"})
    assert (answer["credit_percent"], holds(answer)) == (None, (None, []))
    assert answer["decides"] == "whether the customer is in cohort 'beta'"


def test_said_how_far_they_are_off_the_answer_is_an_interval_with_what_would_decide_it() -> None:
    """6 hours 30 to 7 hours 30 minutes: 23,400 to 27,000 seconds."""
    answer = ask(LADDER, SEVEN_HOURS, approximately_within_minutes=15)
    assert (
        answer["eligible_downtime_seconds_at_least"],
        answer["eligible_downtime_seconds_at_most"],
        answer["eligible_downtime_seconds"],
    ) == (23_400, 27_000, None)
    assert (answer["approximate"], answer["approximately_within_seconds"]) == (False, 900)
    assert answer["decides"] == "the exact times of window incident-1/window-1"
    assert "approximate times were taken to be off by no more than 15 minutes" in answer["why"]
    own = {"start_within_seconds": 900, "end_within_seconds": 900}
    same = ask(LADDER, {**SEVEN_HOURS, **own})
    said = {"approximately_within_seconds", "why"}
    assert {name: value for name, value in same.items() if name not in said} == {
        name: value for name, value in answer.items() if name not in said
    }


def test_what_is_said_for_all_leaves_alone_what_is_exact_or_says_so_itself() -> None:
    """Of 3, 2 and 1 hours the first is off by 600 seconds at both ends, the second by 60, the third not at all."""
    answer = ask(
        ALWAYS, about("10T00:00:00", "10T03:00:00"), about("11T00:00:00", "11T02:00:00", start_within_seconds=60),
        about("12T00:00:00", "12T01:00:00", approximate=False), approximately_within_seconds=600,
    )  # fmt: skip
    assert (answer["eligible_downtime_seconds_at_least"], answer["eligible_downtime_seconds_at_most"]) == (
        21_600 - 1_200 - 60,
        21_600 + 1_200 + 60,
    )


def test_not_off_at_all_is_exact() -> None:
    answer = ask(LADDER, SEVEN_HOURS, approximately_within_seconds=0)
    assert (answer["approximate"], answer["eligible_downtime_seconds"]) == (False, 25_200)


def test_it_is_said_where_no_times_are_approximate() -> None:
    why = ask(LADDER, {**SEVEN_HOURS, "approximate": False}, approximately_within_hours=1)["why"]
    assert "approximate times were taken to be off by no more than 1 hour, but no window has any" in why


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"approximately_within_seconds": "1.5"}, "approximately_within is not a whole number of seconds; correct it"),
        ({"approximately_within_seconds": -1}, "approximately_within_seconds -1 is not a decimal of 0 or more"),
        ({"approximately_within_seconds": 1, "approximately_within_minutes": 1},
         "approximately_within_seconds and approximately_within_minutes both state it; leave one out"),
    ],
)  # fmt: skip
def test_a_distance_that_is_none_is_refused(said: Answer, sentence: str) -> None:
    result = run(facts={"terms": HEAD + LADDER, "period": "2022-06", "windows": [SEVEN_HOURS], **said})
    assert (result.exit_code, sentence in result.stderr) == (1, True)


OPTIONS = (
    "--policy", "aws-compute-region", "--period", "2022-06", "--fee", "1000.00", "--currency", "USD",
    "--window", "2022-06-10T00:00:00Z/2022-06-10T07:00:00Z,approximate=true",
)  # fmt: skip


def test_the_options_say_the_same_in_words() -> None:
    """99.99% leave 259.2 seconds, long past; 720 seconds are left to 99%."""
    stated = run(*OPTIONS).stdout
    assert "credit 100.00 USD\n" in stated
    assert (
        "nobody said how far they are off; the answer stays as it is while each of them is off by up to 360 s\n"
        in stated
    )
    wide = run(*OPTIONS, "--approximately", "15 minutes").stdout
    assert "credit 100.00 to 300.00 USD, undecided\n" in wide
    assert "what would decide: the exact times of window incident-1/window-1\n" in wide
    assert "approximate: times" not in wide
    unread = run(*OPTIONS, "--approximately", "a while")
    assert (unread.exit_code, "is not a duration" in unread.stderr) == (2, True)


def test_where_it_does_not_matter_that_is_said() -> None:
    facts = {"terms": HEAD + ALWAYS, "period": "2022-06", "windows": [SEVEN_HOURS]}
    assert "how far they are off; however far that is, the answer stays as it is\n" in run(facts=facts).stdout
