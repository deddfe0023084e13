"""Hours of service and maintenance that comes again, in the zone of the policy; every figure is counted beside it.

March 2022 has 23 days from Monday to Friday; clocks go forward on Sunday 13 March in New York, and on 27 March in London.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.domain.policy import parse_policy
from ledger.errors import Refused
from projections.evaluation.recurring import removed_by_the_policy
from projections.evaluation.requests import question
from projections.workbook.modelling import reason_for_values
from tests.sla.asking import ask, kinds, terms

LADDER = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'
OFFICE = '[service_hours]\ncalendar = "office"\n[calendars.office]\nopens = "08:00"\ncloses = "18:00"\nholidays = [2022-03-17]\n'
NIGHTLY = '[[maintenance]]\nfrom = "23:00"\nto = "02:00"\n'
HOUR = 3_600


def down(start: str, end: str) -> dict[str, Any]:
    return {"start": f"2022-03-{start}:00Z", "end": f"2022-03-{end}:00Z", "effect": "outage"}


def asked(more: str, *windows: dict[str, Any], zone: str = "UTC", **facts: Any) -> tuple[Any, Any, Any]:
    """Eligible seconds, the denominator, and what left it."""
    given = {"windows": list(windows)} if windows else facts
    answer = ask({"period": "2022-03", **given}, terms(LADDER, more=more, zone=zone))
    return tuple(answer[f"{name}_seconds"] for name in ("eligible_downtime", "period", "removed"))


# 22 days of ten hours are left, since St Patrick's is a holiday.
OPEN = 22 * 10 * HOUR
MONTH = 744 * HOUR


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (down("01T07:00", "01T09:00"), HOUR),
        (down("01T17:30", "02T08:30"), HOUR),
        # A Saturday, a Sunday, and the holiday.
        (down("05T00:00", "07T00:00"), 0),
        (down("17T08:00", "17T18:00"), 0),
        (down("16T17:00", "18T09:00"), 2 * HOUR),
    ],
)
def test_only_hours_of_service_count_and_are_the_denominator(window: dict[str, Any], seconds: int) -> None:
    assert asked(OFFICE, window) == (seconds, OPEN, MONTH - OPEN)


def test_hours_are_those_of_the_zone_and_clocks_that_are_changed_take_none() -> None:
    """08:00 in New York is 13:00 UTC before 13 March and 12:00 after it; a service of Sundays has nine hours that day from one to eleven."""
    for day, begins in ((10, 13), (14, 12)):
        window = down(f"{day}T{begins - 1}:00", f"{day}T{begins + 1}:00")
        assert asked(OFFICE, window, zone="America/New_York")[0] == HOUR
    sundays = '[service_hours]\ncalendar = "s"\n[calendars.s]\ndays = ["sunday"]\nopens = "01:00"\ncloses = "11:00"\n'
    # The 6th, 13th, 20th and 27th: in London the last of them is the shorter one.
    for zone in ("America/New_York", "Europe/London"):
        assert asked(sundays, down("01T00:00", "01T01:00"), zone=zone)[1] == 39 * HOUR
    assert asked(sundays, down("01T00:00", "01T01:00"))[1] == 40 * HOUR


def test_plain_downtime_is_that_of_the_hours_of_service() -> None:
    """2.2 hours of 220 are 1%: 99%, where of the whole month they would be 99.7%."""
    assert asked(OFFICE, downtime_hours="2.2") == (7_920, OPEN, MONTH - OPEN)
    answer = ask({"period_hours": "220", "downtime_hours": "2.2"}, terms(LADDER, more=OFFICE))
    assert (answer["availability"], answer["credit_percent"]) == ("99.000000000000", "10")


def test_what_was_excluded_stays_in_the_denominator_unless_its_own_rule_removes_it() -> None:
    planned = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
    facts = {"downtime_hours": "3", "excluded_hours": "1"}
    assert asked(OFFICE + planned, **facts) == (3 * HOUR, OPEN, MONTH - OPEN)
    assert asked(OFFICE + planned + 'treated = "removed"\n', **facts)[1] == OPEN - HOUR


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        (down("01T22:30", "02T02:30"), HOUR),
        (down("02T23:00", "03T02:00"), 0),
        # The night before the month reaches into it, and its last one out of it.
        (down("01T00:00", "01T03:00"), HOUR),
        (down("31T22:00", "31T23:30"), HOUR),
    ],
)
def test_maintenance_that_comes_again_does_not_count(window: dict[str, Any], seconds: int) -> None:
    assert asked(NIGHTLY, window) == (seconds, MONTH, 0)
    # 30 whole nights, two hours of the one before and one of the one after.
    taken = 93 * HOUR
    assert asked(NIGHTLY + 'treated = "removed"\n', window) == (seconds, MONTH - taken, taken)


def test_a_night_on_which_clocks_go_forward_is_shorter() -> None:
    """In London 01:00 is 02:00 on 27 March: from 00:30 to 02:30 on Sundays there are seven hours in four nights."""
    sunday = '[[maintenance]]\ndays = ["sunday"]\nfrom = "00:30"\nto = "02:30"\ntreated = "removed"\n'
    assert asked(sunday, down("01T00:00", "01T01:00"), zone="Europe/London")[2] == 7 * HOUR
    assert asked(sunday, down("01T00:00", "01T01:00"))[2] == 8 * HOUR


def test_hours_that_clocks_leave_out() -> None:
    """A time that is left out is an hour later on the clocks: in London 01:15 is 02:15 on 27 March, and 01:30 is behind 02:15.

    Samoa had no 30 December in 2011, and what begins on it is what begins on the 31st.
    """
    for begin, end, minutes in (("01:15", "01:45", 4 * 30), ("01:30", "02:15", 3 * 45)):
        hours = f'[[maintenance]]\ndays = ["sunday"]\nfrom = "{begin}"\nto = "{end}"\ntreated = "removed"\n'
        assert asked(hours, down("01T00:00", "01T01:00"), zone="Europe/London")[2] == minutes * 60
    daily = '[[maintenance]]\nfrom = "01:00"\nto = "03:00"\ntreated = "removed"\n'
    text = terms(LADDER, more=daily, zone="Pacific/Apia")
    answer = ask({"period": "2011-12", "windows": []}, text)
    assert (answer["period_seconds"], answer["removed_seconds"]) == (30 * 22 * HOUR, 30 * 2 * HOUR)


def test_hours_that_close_as_they_open_are_a_whole_day() -> None:
    """No policy is read that says so; of four Sundays each lasts until the same hour of Monday."""
    sundays = '[[maintenance]]\ndays = ["sunday"]\nfrom = "01:00"\nto = "02:00"\ntreated = "removed"\n'
    policy = parse_policy(terms(LADDER, more=sundays))
    evidence = question(policy, {"period": "2022-03", "windows": []}, 0).evidence
    assert removed_by_the_policy(policy, evidence) == 4 * HOUR
    (rule,) = policy.recurring
    calendar = msgspec.structs.replace(rule.calendar, closes=rule.calendar.opens)
    whole = (msgspec.structs.replace(rule, calendar=calendar),)
    assert removed_by_the_policy(msgspec.structs.replace(policy, recurring=whole), evidence) == 4 * 24 * HOUR


def test_it_uses_up_no_limit_and_stands_beside_what_is_recorded() -> None:
    planned = '[[exclusions]]\nkinds = ["planned-maintenance"]\nmost = "1 hour"\n'
    answer = ask(
        {
            "period": "2022-03", "windows": [down("01T22:00", "02T04:00")],
            "exclusions": [{"kind": "planned-maintenance", "start": "2022-03-02T02:00:00Z", "end": "2022-03-02T04:00:00Z"}],
        },
        terms(LADDER, more=NIGHTLY + planned),
    )  # fmt: skip
    # 22 to 23 o'clock, and what is left of two hours of which one is excluded.
    assert answer["eligible_downtime_seconds"] == 2 * HOUR


def test_both_together_and_what_a_region_has() -> None:
    evenings = '[[maintenance]]\ndays = ["friday"]\nfrom = "17:00"\nto = "20:00"\n'
    assert asked(OFFICE + evenings, down("04T16:00", "04T20:00")) == (HOUR, OPEN, MONTH - OPEN)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[service_hours]\ncalendar = "offce"\n[calendars.office]\n', "service_hours.calendar 'offce' is not there (did you mean 'office'?)"),
        ("[service_hours]\n", "service_hours.calendar is missing"),
        ('[[maintenance]]\nfrom = "23:00"\n', "maintenance 1: to is missing"),
        ('[[maintenance]]\nfrom = "23:00"\nto = "23:00"\n', "maintenance 1: to 23:00 is when it begins; write when it ends, or 00:00 and 24:00"),
        ('[[maintenance]]\nfrom = "24:00"\nto = "02:00"\n', "maintenance 1: from 24:00 is where a day ends; write 00:00"),
        ('[[maintenance]]\nfrom = "23"\nto = "02:00"\n', "maintenance 1: from '23' is not a time of the day"),
        ('[[maintenance]]\ndays = []\nfrom = "23:00"\nto = "02:00"\n', "maintenance 1: days is empty"),
        (NIGHTLY + NIGHTLY + 'treated = "removed"\n', "maintenance 2: treated is not as in the maintenance before"),
    ],
)  # fmt: skip
def test_mistakes_are_refused_with_a_sentence(more: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_policy(terms(LADDER, more=more))
    assert any(problem.startswith(said) for problem in refused.value.problems), refused.value.problems


def test_hours_contradict_a_fixed_length_and_measures_without_windows() -> None:
    with pytest.raises(Refused, match=r"period\.length contradicts service_hours"):
        parse_policy(terms(LADDER, more=OFFICE, length='length = "30 days"'))
    with pytest.raises(Refused, match="no meaning with a measure that no window makes"):
        parse_policy(terms(LADDER, measure='of = "error-rate"\nbucket = "1 hour"', more=NIGHTLY))


def test_the_linter_has_nothing_to_say_and_a_workbook_shows_values() -> None:
    text = terms(LADDER, more=OFFICE + NIGHTLY)
    assert kinds(text) == set()
    assert reason_for_values(parse_policy(text)) == "value: no formula for hours of service or of maintenance"
