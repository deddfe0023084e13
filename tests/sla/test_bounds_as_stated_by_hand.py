"""Figures that are stated as bounds, read into a question: which end is reached, which is not, and what contradicts itself."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.ends import ENDLESS, above, below
from ledger.errors import Refused
from projections.evaluation import values
from projections.evaluation.evidence import Plain
from projections.evaluation.requests import period_asked
from tests.sla.reading import END, POLICY, START, problems, read, window

F = Fraction
DECIMAL = 'is not a decimal of 0 or more; write it like "4.32"'
BOUND = "is a bound; state the number alone, and add to the name of the fact _below (less than), _at_most, _above (more than) or _at_least"
HOUR = {"start": START, "end": END}


@pytest.mark.parametrize(
    ("facts", "failed", "total"),
    [
        # Counts are whole: more than 2 is 3 or more, and less than 5 is 4 at most.
        ({"failed": 1, "total_above": 2}, (1, 1), (3, ENDLESS)),
        ({"failed_above": 2, "failed_below": 5, "total": 9}, (3, 4), (9, 9)),
        # No more failed than there were, and there were as many as failed.
        ({"failed_at_least": 1, "failed_at_most": 10, "total": 5}, (1, 5), (5, 5)),
        ({"failed_at_least": 4, "total_at_least": 2, "total_at_most": 6}, (4, 6), (4, 6)),
        ({"failed_at_most": 5, "total": 5}, (0, 5), (5, 5)),
    ],
)
def test_counts_are_read_as_whole_numbers_that_fit_each_other(
    facts: dict[str, Any], failed: tuple[Any, Any], total: tuple[Any, Any]
) -> None:
    assert read(**facts).evidence.plain == Plain(failed=failed, total=total)


@pytest.mark.parametrize(
    ("one", "low", "high"),
    [
        ({"rate_at_least": "0.5"}, F(1, 2), F(1)),
        ({"rate_above": "0.5"}, above(F(1, 2)), F(1)),
        ({"rate_at_most": "0.5"}, F(0), F(1, 2)),
        ({"rate_below": "0.5"}, F(0), below(F(1, 2))),
    ],
)
def test_a_rate_is_from_none_to_all_beyond_its_bound(
    one: dict[str, Any], low: Fraction, high: Fraction
) -> None:
    assert read(error_rates=[{**one, "buckets": 3}]).evidence.plain == Plain(rates=((low, high, 3),))


def test_the_share_of_a_window_lies_beside_bounds_that_are_not_reached() -> None:
    found = read(period="2022-06", windows=[{**HOUR, "share_above": "0.2", "share_below": "0.5"}])
    expected = window(share_at_least="0.2", share_at_most="0.5", share_sides=(1, -1))
    assert found.evidence.windows == (expected,)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"failed": 1, "total_at_least": 3, "total_at_most": 2}, "total_at_least is more than what it is at most; exchange them"),
        ({"outages": [{"minutes": 1, "users": 1, "share": "0.5"}], "users": 4},
         "outages 1: users and share both state the affected share; leave one out"),
        ({"outages": [{"minutes": 1, "users": 1, "share_below": "0.5"}], "users": 4},
         "outages 1: users and share_below both state the affected share; leave one out"),
        # There is no more than all.
        ({"outages": [{"minutes": 1, "share_above": "1"}]},
         "outages 1: share has bounds with nothing between them; correct one of them"),
        ({"outages": [{"minutes": 1, "share_below": "0"}]},
         "outages 1: share has bounds with nothing between them; correct one of them"),
    ],
)  # fmt: skip
def test_bounds_that_cannot_be_are_refused(facts: dict[str, Any], said: str) -> None:
    assert problems(**facts) == (said,)


def test_a_plan_takes_some_time() -> None:
    plan = {"announced_at": "2022-06-01T00:00:00Z", "scheduled_start": START, "scheduled_end": START}
    assert problems(period="2022-06", windows=[{"start": START, "planned": plan}]) == (
        "windows 1: planned.scheduled_end 2022-06-10T00:00:00.000000Z is not after scheduled_start 2022-06-10T00:00:00.000000Z; exchange them",
    )


def test_a_measurement_may_be_of_ten_years_and_of_no_more() -> None:
    """Ten times 366 days: from 1 January 1970 on ten years, of which two are leap years, and eight days more."""
    counted = {"start": "1970-01-01T00:00:00Z", "of": "users", "failed": 1, "total": 2}
    (found,) = read(
        period="2022-06", measurements=[{**counted, "end": "1980-01-09T00:00:00Z"}]
    ).evidence.measurements
    assert found.end - found.start == 3_660 * 86_400
    assert problems(period="2022-06", measurements=[{**counted, "end": "1980-01-09T00:00:01Z"}]) == (
        "measurements 1: end 1980-01-09T00:00:01.000000Z is more than 10 years after start 1970-01-01T00:00:00.000000Z; correct one of them",
    )


def test_a_period_that_is_wrong_is_all_that_is_said_where_earlier_ones_follow_from_it() -> None:
    (said,) = problems(period="2022-Q1", downtime_minutes=1, earlier=[{"downtime_minutes": 1}])
    assert said.startswith("period '2022-Q1' is not a month like 2022-03")


def test_the_period_of_a_question_is_asked_for_with_every_problem_at_once() -> None:
    assert period_asked(POLICY, {"period": "2022-06", "fee": 5}).label == "2022-06"
    with pytest.raises(Refused) as refused:
        period_asked(POLICY, {"period": 5, "incident_start": 6, "term_start": 7})
    assert refused.value.problems == (
        "period 5 is not text; put it in quotes", "incident_start 6 is not text; put it in quotes",
        "term_start 7 is not a date; write it like 2022-01-01",
    )  # fmt: skip
    assert str(refused.value) == "; ".join(refused.value.problems)


@pytest.mark.parametrize(
    ("stated", "number"),
    [(0, F(0)), ("0", F(0)), ("0.0", F(0)), (10**30 - 1, F(10**30 - 1)), ("9" * 30 + "." + "9" * 30, F(10**60 - 1, 10**30)), ("007", F(7))],
)  # fmt: skip
def test_a_number_has_up_to_thirty_digits_before_and_behind_its_point(stated: Any, number: Fraction) -> None:
    assert values.decimal(stated) == number


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (10**30, "has more than 30 digits; correct it"),
        (0.5, 'is a JSON number with a point, which no program keeps exact; write it as text: "0.5"'),
        ("<5", BOUND), (">= 5", BOUND), ("<", BOUND),
        (-1, DECIMAL), ("-1", DECIMAL), ("5<", DECIMAL), ("", DECIMAL), (".5", DECIMAL), ("5.", DECIMAL), ("1e3", DECIMAL),
        ("9" * 31, DECIMAL), ("0." + "1" * 31, DECIMAL), (True, DECIMAL), (None, DECIMAL), ([5], DECIMAL),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told_how_to_be_one(stated: Any, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        values.decimal(stated)
    assert str(refused.value) == said


def test_a_day_is_one_of_the_calendar() -> None:
    assert values.date("2024-02-29") == "2024-02-29"
    for stated in ("2023-02-29", "20240229", "2024-2-9", "2024-W09-4", 20240229):
        with pytest.raises(ValueError, match=r"^is not a date; write it like 2022-01-01$"):
            values.date(stated)
