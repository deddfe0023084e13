"""How far around a period it is looked for how long outages last, and in which period each part of that time is read.

June 2025 is asked about, from 0 to 2,592,000 seconds, and of it the tenth, which begins after 777,600.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.period import Period, parse_period
from ledger.domain.policy.model import Commitment, Counting, Credit, Measure, PeriodRule, Policy, Scope
from ledger.domain.window import Window
from projections.evaluation.around import around, asks_whole_outages, measured_around, widened
from projections.evaluation.evidence import Evidence

Span = tuple[int, int]

F = Fraction
DAY = 86_400
MONTHLY = PeriodRule("calendar-month", "UTC")
JUNE = parse_period("2025-06")
TENTH = parse_period("2025-06-10")
BEGIN, LENGTH = JUNE.start, 30 * DAY
TEN_MINUTES = Counting(minimum=F(600))
FIVES = Counting(quantise="each-up", quantum=300)
DAILY = msgspec.structs.replace(TEN_MINUTES, unless_daily_total_above=F(1_800))
DAILY_IN_FIVES = msgspec.structs.replace(DAILY, quantise="each-down", quantum=300)


def looked_at(
    counting: Counting,
    *outages: Span,
    period: Period = JUNE,
    valid: Span | None = None,
    rule: PeriodRule = MONTHLY,
) -> list[tuple[str, Span]]:
    """What is looked at around what is asked for: the label of each period, and the part of it; all in seconds of June."""
    span = None if valid is None else (BEGIN + valid[0], BEGIN + valid[1])
    evidence = Evidence("mail", "EMEA", period, 0, valid=span, observed=((BEGIN, BEGIN + 1),))
    found = around(rule, counting, evidence, [(BEGIN + start, BEGIN + end) for start, end in outages])
    assert all(one.observed is None and one.valid == one.span for one in found)
    return [(one.period.label, (one.span[0] - BEGIN, one.span[1] - BEGIN)) for one in found]


@pytest.mark.parametrize(
    ("counting", "asks"),
    [
        (Counting(), False),
        (TEN_MINUTES, True),
        (Counting(minimum=F(0)), True),
        (FIVES, True),
        (Counting(quantise="total-up"), False),
        (Counting(quantise="slots-touched"), False),
    ],
)
def test_how_long_outages_last_is_asked_where_short_ones_do_not_count_or_each_is_rounded(
    counting: Counting, asks: bool
) -> None:
    assert asks_whole_outages(counting) is asks


@pytest.mark.parametrize(
    ("outage", "before"),
    [
        # Ten minutes are enough to tell.
        ((-1_000, 500), [("2025-05", (-600, 0))]),
        ((-601, 1), [("2025-05", (-600, 0))]),
        ((-300, 500), [("2025-05", (-300, 0))]),
        # It begins or ends where June begins, and nothing goes on.
        ((0, 500), []),
        ((-300, 0), []),
        ((-300, -100), []),
    ],
)
def test_before_the_period_no_more_is_looked_at_than_the_least_duration(
    outage: Span, before: list[tuple[str, Span]]
) -> None:
    assert looked_at(TEN_MINUTES, outage) == before


@pytest.mark.parametrize(
    ("counting", "farther"),
    [
        (TEN_MINUTES, 600),
        # A part of a second more than ten minutes is eleven seconds more in whole ones.
        (Counting(minimum=F(1_201, 2)), 601),
        (FIVES, 300),
        (msgspec.structs.replace(FIVES, minimum=F(600)), 900),
    ],
)
def test_behind_the_period_it_is_the_least_duration_and_a_quantum_where_each_is_rounded(
    counting: Counting, farther: int
) -> None:
    end = LENGTH
    assert looked_at(counting, (end - 60, end + 5_000)) == [("2025-07", (end, end + farther))]
    assert looked_at(counting, (end - 60, end + 200)) == [("2025-07", (end, end + 200))]
    assert looked_at(counting, (end, end + 200), (end + 300, end + 400)) == []
    assert looked_at(counting, (end - 60, end)) == []


def test_what_touches_or_overlaps_is_one_outage() -> None:
    assert looked_at(FIVES, (-900, -600), (-600, 0), (0, 60)) == [("2025-05", (-900, 0))]
    assert looked_at(FIVES, (-900, -600), (-599, 60)) == [("2025-05", (-599, 0))]


def test_where_each_is_rounded_it_is_looked_at_from_its_beginning_in_each_month_that_has_a_part_of_it() -> (
    None
):
    """Its quanta count from the first second, which was on 21 April."""
    assert looked_at(FIVES, (-41 * DAY, 60)) == [("2025-05", (-31 * DAY, 0)), ("2025-04", (-41 * DAY, -31 * DAY))]  # fmt: skip


def test_time_behind_the_period_is_read_month_by_month_too() -> None:
    """Those forty days are the least duration."""
    august = LENGTH + 31 * DAY
    forty = Counting(minimum=F(40 * DAY))
    assert looked_at(forty, (LENGTH - 60, LENGTH + 90 * DAY)) == [
        ("2025-07", (LENGTH, august)),
        ("2025-08", (august, LENGTH + 40 * DAY)),
    ]


def test_what_a_subscription_has_not_of_the_period_is_around_as_well() -> None:
    """From the second second of June on: the first one is read in June, and what was before in May."""
    assert looked_at(FIVES, (-5, 60), valid=(1, LENGTH)) == [("2025-06", (0, 1)), ("2025-05", (-5, 0))]
    assert looked_at(FIVES, (DAY - 60, DAY + 60), valid=(0, DAY)) == [("2025-06", (DAY, DAY + 60))]


@pytest.mark.parametrize("valid", [(DAY, DAY), (DAY, DAY - 1), (-DAY, 0)])
def test_around_nothing_there_is_nothing(valid: Span) -> None:
    assert looked_at(FIVES, (-2 * DAY, 2 * DAY), valid=valid) == []


def test_around_a_day_that_is_asked_for_lie_the_rests_of_its_month() -> None:
    """Exclusions and their limits are those of the month: on its other days."""
    evidence = Evidence("mail", "EMEA", TENTH, 0)
    outage = TENTH.start - 60, TENTH.end + 60
    before, behind = around(MONTHLY, FIVES, evidence, [outage])
    assert before.period == Period("2025-06", "month", "UTC", JUNE.start, TENTH.start)
    assert behind.period == Period("2025-06", "month", "UTC", TENTH.end, JUNE.end)
    assert (before.span, behind.span) == ((outage[0], TENTH.start), (TENTH.end, outage[1]))
    later = msgspec.structs.replace(evidence, valid=(TENTH.start + 1, TENTH.end))
    first, *_ = around(MONTHLY, FIVES, later, [outage])
    assert (first.period, first.span) == (TENTH, (TENTH.start, TENTH.start + 1))


def test_around_trailing_days_each_day_behind_is_the_last_of_its_own() -> None:
    rule = PeriodRule("trailing-days", "UTC", days=30)
    counting = Counting(minimum=F(DAY + 600))
    assert looked_at(counting, (-60, LENGTH + 5 * DAY), rule=rule) == [
        ("2025-05-31", (-60, 0)),
        ("2025-07-01", (LENGTH, LENGTH + DAY)),
        ("2025-07-02", (LENGTH + DAY, LENGTH + DAY + 600)),
    ]


def test_beyond_the_years_that_are_kept_there_are_no_periods_and_outages_go_on_all_the_same() -> None:
    early, late = parse_period("1970-01"), parse_period("9998-12")
    (before,) = around(MONTHLY, FIVES, Evidence("mail", "EMEA", early, 0), [(-100, 60)])
    assert (before.period, before.span) == (Period("", "span", "UTC", -100, 0), (-100, 0))
    end = late.end
    (behind,) = around(MONTHLY, FIVES, Evidence("mail", "EMEA", late, 0), [(end - 60, end + 900)])
    assert (behind.period, behind.span) == (Period("", "span", "UTC", end, end + 300), (end, end + 300))


NOON = 9 * DAY + DAY // 2
MIDNIGHT = 10 * DAY


@pytest.mark.parametrize(
    ("counting", "valid", "outages", "expected"),
    [
        # Of a morning the rest of its day.
        (DAILY, (9 * DAY, NOON), [], [("2025-06", (NOON, MIDNIGHT))]),
        (DAILY, (NOON, MIDNIGHT), [], [("2025-06", (9 * DAY, NOON))]),
        (DAILY, (NOON, MIDNIGHT + 1), [], [("2025-06", (9 * DAY, NOON)), ("2025-06", (MIDNIGHT + 1, 11 * DAY))]),
        (DAILY, (9 * DAY, MIDNIGHT), [], []),
        # An outage over the end of the day is looked at as far as it tells whether that one lasts long enough.
        (DAILY, (9 * DAY, MIDNIGHT), [(MIDNIGHT - 60, MIDNIGHT + 7_200)], [("2025-06", (MIDNIGHT, MIDNIGHT + 600))]),
        (DAILY, (9 * DAY, NOON), [(9 * DAY - 7_200, 9 * DAY + 60)], [("2025-06", (9 * DAY - 600, 9 * DAY)), ("2025-06", (NOON, MIDNIGHT))]),
        # Where it is rounded as well, what rounding leaves of it depends on all of the next day, and of those before.
        (DAILY_IN_FIVES, (9 * DAY, MIDNIGHT), [(MIDNIGHT - 60, MIDNIGHT + 7_200)], [("2025-06", (MIDNIGHT, 11 * DAY))]),
        (
            DAILY_IN_FIVES, (9 * DAY, MIDNIGHT), [(7 * DAY + 60, 9 * DAY + 60), (7 * DAY - 120, 7 * DAY + 30)],
            [("2025-06", (7 * DAY - 120, 9 * DAY))],
        ),
    ],
)  # fmt: skip
def test_where_a_total_of_the_day_counts_whole_days_are_looked_at(
    counting: Counting, valid: Span, outages: list[Span], expected: list[tuple[str, Span]]
) -> None:
    assert looked_at(counting, *outages, valid=valid) == expected


def test_whole_days_are_those_of_the_zone() -> None:
    """On 30 March 2025 London put its clocks forward: that day had 23 hours."""
    march = parse_period("2025-03", "Europe/London")
    day = parse_period("2025-03-30", "Europe/London")
    evidence = Evidence("mail", "EMEA", march, 0, valid=(day.start + 7_200, day.start + 7_260))
    before, behind = around(PeriodRule("calendar-month", "Europe/London"), DAILY, evidence, [])
    assert before.span == (day.start, day.start + 7_200)
    assert behind.span == (day.start + 7_260, day.start + 23 * 3_600)


def policy(*commitments: tuple[Measure, Counting]) -> Policy:
    made = tuple(Commitment("c", measure, counting, Scope(), ()) for measure, counting in commitments)
    return Policy("p", "P", "2020-01-01", 2, MONTHLY, made, (), Credit(), "half-up", "")


READS = Measure(reads=("requests",))


@pytest.mark.parametrize(
    ("policies", "seconds"),
    [
        ([], 0),
        ([policy((READS, Counting()))], 0),
        # Windows say themselves how they go on.
        ([policy((Measure(), TEN_MINUTES))], 0),
        # The least duration, a quantum, which is a minute where nothing is said, and two days.
        ([policy((READS, TEN_MINUTES))], 600 + 60 + 2 * DAY),
        ([policy((READS, Counting(minimum=F(1_201, 2), quantum=30)))], 601 + 30 + 2 * DAY),
        # Where each is rounded it may have begun a year ago.
        ([policy((READS, FIVES))], 300 + 366 * DAY),
        ([policy((READS, msgspec.structs.replace(FIVES, minimum=F(600))))], 900 + 366 * DAY),
        # The farthest of several.
        ([policy((READS, FIVES), (READS, TEN_MINUTES)), policy((READS, Counting(minimum=F(7_200))))], 300 + 366 * DAY),
        ([policy((READS, TEN_MINUTES)), policy((Measure(), FIVES), (READS, Counting(minimum=F(7_200))))], 7_260 + 2 * DAY),
    ],
)  # fmt: skip
def test_how_far_around_a_period_measurements_matter(policies: list[Policy], seconds: int) -> None:
    assert measured_around(policies) == seconds


def window(start: int, end: int | None, **said: Any) -> Window:
    return Window(
        "mail-down", "w", "mail", "*", "EMEA", BEGIN + start, None if end is None else BEGIN + end, "outage", **said
    )  # fmt: skip


def wider(policies: list[Policy], *windows: Window) -> Span:
    first, past = widened(policies, (BEGIN, BEGIN + LENGTH), windows)
    return first - BEGIN, past - BEGIN


MINIMUM = policy((Measure(), TEN_MINUTES))
PLAIN = policy((Measure(), Counting()))


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], (0, LENGTH)),
        ([window(60, 120)], (0, LENGTH)),
        ([window(-7_200, 60)], (-7_200, LENGTH)),
        ([window(-7_200, -3_600, cohort="beta"), window(-3_600, 60)], (-7_200, LENGTH)),
        ([window(-7_200, -3_601), window(-3_600, 60)], (-3_600, LENGTH)),
        ([window(-7_200, 60, start_within_seconds=30)], (-7_230, LENGTH)),
        # Nothing goes on inside.
        ([window(-7_200, 0)], (0, LENGTH)),
        ([window(LENGTH, LENGTH + 60)], (0, LENGTH)),
        ([window(LENGTH - 60, LENGTH)], (0, LENGTH)),
        ([window(LENGTH - 60, LENGTH + 60)], (0, LENGTH + 60)),
        ([window(LENGTH - 60, LENGTH + 60, end_within_seconds=30)], (0, LENGTH + 90)),
        # Ten minutes and a minute for rounding tell enough.
        ([window(LENGTH - 60, LENGTH + 7_200)], (0, LENGTH + 660)),
        ([window(LENGTH - 60, None)], (0, LENGTH + 660)),
        ([window(-60, None)], (-60, LENGTH + 660)),
    ],
)
def test_a_run_reads_windows_as_far_as_they_go_on_over_its_edges(
    windows: list[Window], expected: Span
) -> None:
    assert wider([MINIMUM], *windows) == expected


def test_a_run_reads_as_far_as_the_policy_that_looks_farthest() -> None:
    over = window(-60, LENGTH + 7_200)
    assert wider([PLAIN], over) == (0, LENGTH)
    assert wider([], over) == (0, LENGTH)
    assert wider([PLAIN, policy((Measure(), FIVES))], over) == (-60, LENGTH + 300)
    assert wider([policy((Measure(), FIVES), (Measure(), TEN_MINUTES))], over) == (-60, LENGTH + 660)
    assert wider([policy((Measure(), Counting(minimum=F(1_201, 2), quantum=30)))], over) == (-60, LENGTH + 631)  # fmt: skip
