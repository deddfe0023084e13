"""Months and days as their zone's clocks have them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from ledger.domain.period import check_name, day_after, day_of, days, days_between, midnights, parse_period
from ledger.errors import Refused


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("label", "zone", "seconds"),
    [
        ("2022-03", "UTC", 2_678_400),
        ("2022-03", "Europe/London", 743 * 3600),
        ("2022-10", "Europe/London", 745 * 3600),
        ("2022-03", "America/New_York", 743 * 3600),
        ("2022-11", "America/New_York", 721 * 3600),
        # Lord Howe moves its clocks by half an hour only.
        ("2022-04", "Australia/Lord_Howe", 720 * 3600 + 1800),
        ("2022-10", "Australia/Lord_Howe", 744 * 3600 - 1800),
        ("2024-02", "UTC", 29 * 86_400),
        ("2022-02", "Asia/Tokyo", 28 * 86_400),
        # Apia skipped the whole of 30 December 2011.
        ("2011-12", "Pacific/Apia", 30 * 86_400),
        ("2022-03-27", "Europe/London", 23 * 3600),
        ("2022-03-14", "UTC", 86_400),
    ],
)
def test_a_period_is_as_long_as_its_clocks_say(label: str, zone: str, seconds: int) -> None:
    assert parse_period(label, zone).seconds == seconds


def test_bounds_are_utc_seconds_of_local_midnights() -> None:
    november = parse_period("2022-11", "America/New_York")
    assert (november.start, november.end) == (utc("2022-11-01T04:00:00"), utc("2022-12-01T05:00:00"))
    assert november.first_day == "2022-11-01"


def test_december_ends_with_the_year() -> None:
    assert parse_period("2022-12").end == utc("2023-01-01T00:00:00")


@pytest.mark.parametrize(
    ("label", "zone"),
    [
        ("2022-03", "UTC"),
        ("2022-03", "Europe/London"),
        ("2022-11", "America/New_York"),
        ("2022-04", "Australia/Lord_Howe"),
        ("2018-11", "America/Sao_Paulo"),
        ("2011-12", "Pacific/Apia"),
        ("2006-10", "America/St_Johns"),
    ],
)
def test_days_touch_and_add_up_to_their_month(label: str, zone: str) -> None:
    month = parse_period(label, zone)
    found = days(month)
    assert found[0].start == month.start
    assert found[-1].end == month.end
    assert all(one.end == other.start for one, other in pairwise(found))
    assert sum(day.seconds for day in found) == month.seconds
    assert [day.label for day in found] == [f"{label}-{number:02}" for number in range(1, len(found) + 1)]
    assert all(day == parse_period(day.label, zone) for day in found)


def test_a_day_that_never_was_has_no_second() -> None:
    lengths = {day.label: day.seconds for day in days(parse_period("2011-12", "Pacific/Apia"))}
    assert lengths["2011-12-30"] == 0
    assert lengths["2011-12-31"] == 86_400


def test_a_day_without_midnight_begins_when_the_gap_ends() -> None:
    # Sao Paulo went from 23:59:59 on 3 November 2018 to 01:00.
    fourth = parse_period("2018-11-04", "America/Sao_Paulo")
    assert fourth.start == utc("2018-11-04T03:00:00")
    assert fourth.seconds == 23 * 3600


def test_clocks_set_back_over_midnight_do_not_begin_the_day_twice() -> None:
    # St John's went back from 00:01 to 23:01 of the day before; 29 October 2006 had begun all the same.
    day = parse_period("2006-10-29", "America/St_Johns")
    assert day.seconds == 25 * 3600
    assert day_of("America/St_Johns", day.start + 1800) == "2006-10-29"


def test_midnights_lie_strictly_inside() -> None:
    start = utc("2022-03-14T00:00:00")
    assert midnights("UTC", start, start + 2 * 86_400) == (start + 86_400,)
    assert midnights("UTC", start, start + 2 * 86_400 + 1) == (start + 86_400, start + 2 * 86_400)


@pytest.mark.parametrize(
    ("label", "zone", "said"),
    [
        (
            "2022-3",
            "UTC",
            "period '2022-3' is neither a month nor a day; write it like 2022-03 or 2022-03-14",
        ),
        ("2022-13", "UTC", "period '2022-13' is not in the calendar"),
        ("2022-02-29", "UTC", "period '2022-02-29' is not in the calendar"),
        ("0022-03", "UTC", "period '0022-03' lies outside the years 1970 to 9998; check the year"),
        ("2022-03\n", "UTC", "is neither a month nor a day"),
        ("٢٠٢٢-٠٣", "UTC", "is neither a month nor a day"),
        (
            "2022-03",
            "Europe/Londn",
            "zone 'Europe/Londn' is not an IANA time zone (did you mean 'Europe/London'?)",
        ),
        ("2022-03", "../../etc/passwd", "is not an IANA time zone"),
        ("2022-03", "", "zone '' is not an IANA time zone"),
    ],
)
def test_what_is_wrong_is_a_sentence(label: str, zone: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_period(label, zone)
    assert said in str(refused.value)
    assert refused.value.exit_code == 1


def test_days_that_do_not_exist_begin_nowhere() -> None:
    """Apia went from the 29th to the 31st: of the last days of 2011 four begin after the 28th, at 10:00 UTC and three at their new time."""
    start, end = utc("2011-12-28T12:00:00"), utc("2012-01-02T00:00:00")
    begun = midnights("Pacific/Apia", start, end)
    assert begun == tuple(
        utc(f"20{day}T10:00:00") for day in ("11-12-29", "11-12-30", "11-12-31", "12-01-01")
    )
    assert [day_of("Pacific/Apia", one) for one in begun] == [
        "2011-12-29",
        "2011-12-31",
        "2012-01-01",
        "2012-01-02",
    ]


@pytest.mark.parametrize(
    ("label", "zone", "day"),
    [
        ("2022-03", "UTC", "2022-04-01"), ("2022-12", "America/New_York", "2023-01-01"), ("2022-03-13", "America/New_York", "2022-03-14"),
        ("2024-02-28", "UTC", "2024-02-29"), ("2022-03", "Asia/Tokyo", "2022-04-01"),
    ],
)  # fmt: skip
def test_the_day_after_a_period(label: str, zone: str, day: str) -> None:
    assert day_after(parse_period(label, zone)) == day


def test_names_of_periods_lie_within_the_years_that_are_kept() -> None:
    for name in ("1970", "9998", "1970-Q1", "9998-Q4", "2022-H1", "2022-03", "2022-03-14"):
        check_name(name)
    for name in ("1969", "9999", "1969-Q4", "9999-Q1"):
        with pytest.raises(Refused) as caught:
            check_name(name)
        assert str(caught.value) == f"period {name!r} lies outside the years 1970 to 9998; check the year"


def test_days_lie_within_the_years_that_are_kept() -> None:
    first = days_between("1970-Q1", "UTC", date(1970, 1, 1), date(1970, 4, 1))
    assert (first.start, first.end, first.kind, first.first_day) == (0, 90 * 86_400, "span", "1970-01-01")
    assert days_between("x", "UTC", date(9998, 12, 30), date(9998, 12, 31)).seconds == 86_400
    for begin, following in ((date(1969, 12, 31), date(1970, 1, 1)), (date(9998, 12, 31), date(9999, 1, 1))):
        with pytest.raises(ValueError, match="it lies outside the years 1970 to 9998"):
            days_between("x", "UTC", begin, following)
