"""The figures of the calculator under policies of format 2, frozen by version, each of them also worked out by hand.

`calculator_format_2.json` holds the figures of each version of the calculator, one line for each case. Together the cases say
every measure, remedy, quantum, limit and stacking of the grammar, so that no change of the arithmetic goes unnoticed: raise
CALCULATOR in projections/calculator.py and run once with `LEDGER_REWRITE_GOLDEN=1`, which adds the new version. A version that
is there is never written again. What is frozen is right, too: `HAND` says for each case, in fractions and with its reason, what
must come out; nothing there is taken from the calculator. Terms that the format learned after version 1 was frozen stand in a file
of their own, `calculator_format_2_added.json`.
"""

from __future__ import annotations

import json
import os
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.grammar import GRAMMAR
from ledger.domain.window import Planned, Window
from projections.calculator import CALCULATOR
from projections.credits import price, rows
from projections.earlier_credits import Earlier
from projections.subscriptions import table_of

F = Fraction
_FIRST, _ADDED = (Path(__file__).parent / f"calculator_format_2{name}.json" for name in ("", "_added"))
_FIGURES = (
    "period_seconds", "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "value_at_least", "value_at_most", "credit_at_least", "credit_at_most", "service_days_at_least",
    "service_days_at_most", "termination",
)  # fmt: skip
MARCH, DAY, HOUR = 31 * 86_400, 86_400, 3_600
_BEGIN = 1_646_092_800  # 1 March 2022, 00:00 UTC


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """A moment of March 2022; day 0 is the last of February."""
    return _BEGIN + (day - 1) * DAY + hour * HOUR + minute * 60 + second


# ---- the facts ---------------------------------------------------------------------------------------------------


def _window(
    incident: str, service: str, region: str, start: int, end: int, component: str = "flow", **more: Any
) -> Window:
    return Window(
        incident, f"{service}-{region}-{start}", service, component, region, start, end, more.pop("effect", "outage"),
        regions=("A", "B"), components=("flow", "web"), entries=(f"incident/{incident} v2",), **more,
    )  # fmt: skip


_WINDOWS = [
    # plain, A: 6,000 s and 3,600 s that overlap for 2,400 s, so 7,200 s are down.
    _window("i1", "plain", "A", at(14, 10), at(14, 11, 40)),
    _window("i2", "plain", "A", at(14, 11), at(14, 12), "web"),
    # plain, B: a quarter of all is down for 1,800 s.
    _window("i2", "plain", "B", at(15, 10, 30), at(15, 11), effect="partial-outage", share_at_least="0.25", share_at_most="0.25"),
    # wide: A and B overlap for 1,800 s of 3,600 s each.
    _window("i3", "wide", "A", at(16, 10), at(16, 11)),
    _window("i3", "wide", "B", at(16, 10, 30), at(16, 11, 30)),
    # short: 40 s over the end of a minute, 50 s within one, and ten whole minutes; all on one day.
    _window("i4", "short", "A", at(20, 0, 0, 30), at(20, 0, 1, 10)),
    _window("i5", "short", "A", at(20, 5), at(20, 5, 0, 50)),
    _window("i6", "short", "A", at(20, 10), at(20, 10, 10)),
    # work: planned from 2 to 3 o'clock and announced five days before, lasted until 4.
    _window("i7", "work", "A", at(25, 2), at(25, 4), "*", planned=Planned(at(20), at(25, 2), at(25, 3))),
    # part: the same, of one component of the service.
    _window("i7", "part", "A", at(25, 2), at(25, 4), planned=Planned(at(20), at(25, 2), at(25, 3))),
    # open: 20 to 30 minutes, nobody knows.
    _window("i8", "open", "A", at(28, 10), at(28, 10, 25), end_within_seconds=300),
    # past: ten hours of 15 January, 13 February and 5 March, for rights that look back and periods that are longer.
    _window("i9", "past", "A", at(-44, 0), at(-44, 10)),
    _window("i9", "past", "A", at(-15, 0), at(-15, 10)),
    _window("i9", "past", "A", at(5), at(5, 10)),
    # used, unseen and cut: ten hours each.
    *(_window("i10", service, "A", at(5), at(5, 10)) for service in ("used", "cut")),
    # users: perhaps nobody and perhaps everybody all month, and everybody on the first ten days.
    _window("i13", "users", "A", at(1), at(32), effect="partial-outage", share_at_most="1"),
    _window("i14", "users", "A", at(1), at(11)),
    # edge: 18 minutes over the month's beginning, of which 9 are in it, and 15 over its end, of which 5 are.
    _window("i11", "edge", "A", at(0, 23, 51), at(1, 0, 9)),
    _window("i12", "edge", "A", at(31, 23, 55), at(32, 0, 10)),
]  # fmt: skip


def _measured(service: str, of: str, start: int, end: int, **more: Any) -> Measurement:
    return Measurement(
        "m1",
        f"{of}-{start}",
        service,
        "flow",
        "A",
        start,
        end,
        of,
        regions=("A", "B"),
        entries=("incident/m1 v2",),
        **more,
    )


_MEASUREMENTS = [
    # rates: one hour with half of all failing, one with a tenth.
    _measured("rates", "requests", at(3, 10), at(3, 11), failed=50, total=100),
    _measured("rates", "requests", at(3, 11), at(3, 12), failed=10, total=100),
    # counts: 40 of 4,000.
    _measured("counts", "executions", at(3), at(4), failed=30, total=1_000),
    _measured("counts", "executions", at(4), at(5), failed=10, total=3_000),
    _measured("counts", "messages", at(3), at(4), failed=30, total=1_000),
    _measured("counts", "messages", at(4), at(5), failed=10, total=3_000),
    # latency: 12 and 20 seconds.
    _measured("slow", "latency", at(3), at(4), value="12", unit="seconds", statistic="p95"),
    _measured("slow", "latency", at(4), at(5), value="20", unit="seconds", statistic="p95"),
    # days: the 10th to the 12th and the 14th are bad.
    *(_measured("days", "messages", at(day), at(day + 1), failed=bad, total=100)
      for day, bad in ((9, 5), (10, 6), (11, 50), (12, 100), (13, 5), (14, 90))),
    # where: bad on three days, of which nobody knows where the middle one was.
    *(msgspec.structs.replace(_measured("where", "messages", at(day), at(day + 1), failed=50, total=100), region=region)
      for day, region in ((20, "A"), (21, "unknown"), (22, "A"))),
    # mean: 1 second on the 3rd, 2 on the 4th.
    _measured("mean", "latency", at(3), at(4), value="1", unit="seconds", statistic="p95"),
    _measured("mean", "latency", at(4), at(5), value="2", unit="seconds", statistic="p95"),
    # bucket: one hour with a half.
    _measured("bucket", "requests", at(3, 10), at(3, 11), failed=50, total=100),
]  # fmt: skip
_EXCLUSIONS = [
    # A storm over the second of the two hours of plain, A.
    Exclusion(
        "storm", "force-majeure", "plain", "*", "A", at(14, 11), at(14, 12), entries=("exclusion/storm v1",)
    ),
    # Of a cohort nobody published: ten hours before those of used, one within those of cut, a day of mean, and two hours of bucket.
    *(
        Exclusion(f"ghosts-{service}", "force-majeure", service, "*", "*", start, end, cohort="ghost")
        for service, start, end in (
            ("used", at(1), at(1, 10)),
            ("cut", at(5, 4), at(5, 5)),
            ("mean", at(4), at(5)),
            ("bucket", at(3, 12), at(3, 14)),
        )
    ),
    Exclusion("all", "force-majeure", "used", "*", "*", at(5), at(5, 10)),
]


# ---- the terms ---------------------------------------------------------------------------------------------------

OUTAGES = 'effects = ["outage", "partial-outage"]'
# 10% below 99.9%, of which March allows 2,678.4 s.
LADDER = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'


def paying(remedy: str, bound: str = 'downtime_at_least = "0 seconds"') -> str:
    """One tier that always holds."""
    return f"[[tiers]]\n{bound}\n{remedy}\n"


HOURLY = paying('credit_hourly = { EUR = "1.00", JPY = "100", KWD = "1.000" }')
VALUES = '[[tiers]]\nvalue_below = "1"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "1"\n'


def terms(
    tiers: str = HOURLY, *, measure: str = 'of = "time"', counting: str = OUTAGES, period: str = 'kind = "calendar-month"',
    credit: str = "", rounding: str = "half-up", more: str = "",
) -> str:  # fmt: skip
    """A policy of one commitment, whose parts are those that are not named."""
    count = f"[counting]\n{counting}\n" if counting else ""
    return (
        f'in_force_from = 2020-01-01\n[period]\nzone = "UTC"\n{period}\n[measure]\n{measure}\n{count}{tiers}'
        f'[credit]\nrounding = "{rounding}"\n{credit}\n{more}'
    )


def commitments(stacking: str) -> str:
    """10% below 99.9%, and 5% for what the web component alone had."""
    one = LADDER.replace("[[tiers]]", "[[commitments.tiers]]")
    two = one.replace('"10"', '"5"')
    return (
        'in_force_from = 2020-01-01\n[period]\nzone = "UTC"\nkind = "calendar-month"\n[credit]\nrounding = "half-up"\n'
        f'[[commitments]]\nname = "all"\n[commitments.measure]\nof = "time"\n[commitments.counting]\n{OUTAGES}\n{one}'
        f'[[commitments]]\nname = "web"\n[commitments.measure]\nof = "time"\n[commitments.counting]\n{OUTAGES}\n'
        f'[commitments.scope]\ncomponents = ["web"]\n{two}{stacking}'
    )  # fmt: skip


GAP = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.5"\ncredit_percent = "10"\n'
OVERLAP = '[[tiers]]\navailability_at_least = "99.0"\ncredit_percent = "5"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'


class Case(NamedTuple):
    """Terms, and a subscription under them. fee: in minor units of the currency. before: credited a month ago. month: of the run."""

    text: str
    service: str = "plain"
    region: str = "A"
    fee: int = 100_00
    currency: str = "EUR"
    valid_from: str = "2021-01-01"
    before: int = 0
    month: str = "2022-03"


class Hand(NamedTuple):
    """What must come out: amounts in minor units, at least and at most; eligible seconds, or the value; days."""

    credit: tuple[F | int, F | int]
    eligible: tuple[F | int, F | int] | None = None
    value: tuple[F | int, F | int] | None = None
    days: tuple[F | int, F | int] | None = None
    period: int = MARCH
    termination: bool | None = None


def exactly(credit: F | int, eligible: F | int | None = None, **more: Any) -> Hand:
    """A figure that the facts decide."""
    pair = None if eligible is None else (eligible, eligible)
    for name in ("value", "days"):
        if name in more:
            more[name] = (more[name], more[name])
    return Hand((credit, credit), pair, **more)


CASES: dict[str, Case] = {}
HAND: dict[str, Hand] = {}
# Where the figures of each case are frozen.
FROZEN: dict[str, Path] = {}


def case(name: str, text: str, hand: Hand, *where: Any, **more: Any) -> None:
    """Add a case with what must come out of it."""
    CASES[name], HAND[name], FROZEN[name] = Case(text, *where, **more), hand, _FIRST


def added(name: str, text: str, hand: Hand, *where: Any, **more: Any) -> None:
    """Add a case of terms that the format learned later."""
    case(name, text, hand, *where, **more)
    FROZEN[name] = _ADDED


# Remedies: two hours of 744 are down, in a fee of 100.00 or 1,000.00 EUR.
case("percent", terms(LADDER), exactly(10_00, 7_200))
case(
    "multiple", terms(paying('credit_multiple = "10"')), exactly(26_88, 7_200), fee=1_000_00
)  # 10 x 2/744 x 1,000 = 26.8817
case("fixed", terms(paying('credit_fixed = { EUR = "25.00" }')), exactly(25_00, 7_200))
case("hourly", terms(HOURLY), exactly(2_00, 7_200))
case("hourly-in-yen", terms(HOURLY), exactly(200, 7_200), fee=10_000, currency="JPY")
case("hourly-in-fils", terms(HOURLY), exactly(2_000, 7_200), fee=10_000, currency="KWD")
case("days", terms(paying('service_days = "3"')), exactly(0, 7_200, days=3))
# 7,200 s are 4 half hours, and 2.4 times 50 minutes: 2 full ones, 3 begun.
case(
    "blocks",
    terms(paying('credit_percent = "5"\nper = "block"\nblock = "30 minutes"')),
    exactly(20_00, 7_200),
)
case(
    "blocks-full",
    terms(paying('credit_percent = "5"\nper = "block"\nblock = "50 minutes"')),
    exactly(10_00, 7_200),
)
case(
    "blocks-begun",
    terms(paying('credit_percent = "5"\nper = "block"\nblock = "50 minutes"\nblocks = "begun"')),
    exactly(15_00, 7_200),
)
case(
    "days-by-block",
    terms(paying('service_days = "0.5"\nper = "block"\nblock = "50 minutes"\nblocks = "begun"')),
    exactly(0, 7_200, days=F(3, 2)),
)
BOTH = 'credit_percent = "10"\ncredit_fixed = {{ EUR = "4.00" }}\ntake = "{}"'
case("lesser", terms(paying(BOTH.format("lesser"))), exactly(4_00, 7_200))
case("greater", terms(paying(BOTH.format("greater"))), exactly(10_00, 7_200))
case("sum", terms(paying(BOTH.format("sum"))), exactly(14_00, 7_200))
# Measures.
case(
    "affected-share", terms(measure='of = "affected-share"'), exactly(13, 450), "plain", "B"
)  # a quarter of 1,800 s: 0.125 h, 0.125 EUR
case("user-minutes", terms(measure='of = "user-minutes"'), exactly(2_67, 9_600))  # 6,000 + 3,600 s: 2.667 h
EVENTS = VALUES + 'credit_percent = "5"\nper = "unit"\n'
case("events", terms(EVENTS, measure='of = "events"'), exactly(10_00, value=2))  # two incidents
case(
    "events-outages", terms(EVENTS, measure='of = "events"\ncounts = "outages"'), exactly(5_00, value=1)
)  # which overlap: one outage
case("events-failed", terms(VALUES + 'credit_fixed = { EUR = "0.10" }\nper = "unit"\n', measure='of = "events"\ncounts = "failed"\nreads = ["messages"]',
     counting=""), exactly(4_00, value=40), "counts")  # fmt: skip
RATES = 'of = "error-rate"\nbucket = "1 hour"\nmissing = "{}"'
# 744 buckets, two with data: 0.5 and 0.1.
case(
    "error-rate",
    terms(LADDER, measure=RATES.format("available"), counting=""),
    exactly(0, F(6, 10) * HOUR),
    "rates",
)  # 0.6 of 744 is 0.08%
case(
    "error-rate-excluded",
    terms(LADDER, measure=RATES.format("excluded"), counting=""),
    exactly(10_00, F(6, 10) * HOUR, period=2 * HOUR),
    "rates",
)  # 0.6 of 2
case(
    "error-rate-down",
    terms(LADDER, measure=RATES.format("down"), counting=""),
    exactly(10_00, 742 * HOUR + F(6, 10) * HOUR),
    "rates",
)
# 40 of 4,000 failed: 99%, which is 1% of March.
case(
    "executions",
    terms(LADDER, measure='of = "executions"', counting=""),
    exactly(10_00, F(MARCH, 100)),
    "counts",
)
case(
    "messages", terms(LADDER, measure='of = "messages"', counting=""), exactly(10_00, F(MARCH, 100)), "counts"
)
SLOW = 'of = "latency"\nstatistic = "p95"\ncombine = "{}"'
BY_VALUE = (
    '[[tiers]]\nvalue_at_most = "15"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "15"\nvalue_at_most = "18"\n'
    'credit_percent = "7"\n[[tiers]]\nvalue_above = "18"\ncredit_percent = "9"\n'
)
case("latency", terms(BY_VALUE, measure=SLOW.format("average"), counting=""), exactly(7_00, value=16), "slow")
case(
    "latency-maximum",
    terms(BY_VALUE, measure=SLOW.format("maximum"), counting=""),
    exactly(9_00, value=20),
    "slow",
)
case("latency-in-milliseconds", terms(VALUES + 'credit_percent = "5"\n', measure=SLOW.format("average") + '\nunit = "milliseconds"', counting=""),
     exactly(5_00, value=16_000), "slow")  # fmt: skip
case("latency-in-minutes", terms(VALUES + 'credit_percent = "5"\n', measure=SLOW.format("average") + '\nunit = "minutes"', counting=""),
     exactly(0, value=F(16, 60)), "slow")  # fmt: skip
case(
    "consecutive-days",
    terms(EVENTS, measure='of = "consecutive-days"', counting='share_above = "0.05"'),
    exactly(15_00, value=3),
    "days",
)
# What makes a second count: a quarter is above a fifth, and not above a quarter; and it is not all.
case(
    "above-share",
    terms(counting=f'{OUTAGES}\ndown = "above-share"\nshare_above = "0.2"'),
    exactly(50, 1_800),
    "plain",
    "B",
)
case(
    "not-above-share",
    terms(counting=f'{OUTAGES}\ndown = "above-share"\nshare_above = "0.25"'),
    exactly(0, 0),
    "plain",
    "B",
)
case("all", terms(counting=f'{OUTAGES}\ndown = "all"'), exactly(0, 0), "plain", "B")
case("all-there", terms(counting=f'{OUTAGES}\ndown = "all"'), exactly(2_00, 7_200))
# Least durations, with 90 s of short outages on one day: 600, 690 and 610 s.
LEAST = f'{OUTAGES}\nminimum = "1 minute"'
case("minimum", terms(counting=LEAST), exactly(17, 600), "short")  # 1/6 h
case(
    "daily-total",
    terms(counting=f'{LEAST}\nunless_daily_total_above = "80 seconds"'),
    exactly(19, 690),
    "short",
)
case(
    "daily-excess",
    terms(counting=f'{LEAST}\nunless_daily_total_above = "80 seconds"\ndaily_total_counts = "excess"'),
    exactly(17, 610),
    "short",
)
# Quanta of a minute: 40 and 50 s within 2 and 1 minutes of the clock, and ten whole ones.
for _quantise, _seconds in (
    ("exact", 690), ("each-up", 60 + 60 + 600), ("each-down", 600), ("total-up", 720), ("total-down", 660),
    ("slots-touched", 120 + 60 + 600), ("slots-filled", 600),
):  # fmt: skip
    case(
        f"quantise-{_quantise}",
        terms(counting=f'{OUTAGES}\nquantise = "{_quantise}"'),
        exactly(round(F(_seconds, 36) + F(1, 10**9)), _seconds),
        "short",
    )
case(
    "quantum",
    terms(counting=f'{OUTAGES}\nquantise = "total-up"\nquantum = "5 minutes"'),
    exactly(25, 900),
    "short",
)  # 690 s are 2.3 times 300 s
# Where it counts.
case("union", terms(more='[scope]\nregions = "union"\n'), exactly(1_50, 5_400), "wide")
case(
    "service-wide",
    terms(more='[scope]\nregions = "service-wide"\nall_regions = ["A", "B"]\n'),
    exactly(50, 1_800),
    "wide",
)
case("each-region", terms(more='[scope]\nregions = "each"\n'), exactly(1_00, 3_600), "wide")
case("components", terms(more='[scope]\ncomponents = ["flow"]\n'), exactly(1_67, 6_000))
# What is excluded: one hour of two was planned, and announced in time.
PLANNED = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
case("planned", terms(more=f'{PLANNED}notice = "48 hours"\n'), exactly(1_00, 3_600), "work")
case("planned-too-late", terms(more=f'{PLANNED}notice = "6 days"\n'), exactly(2_00, 7_200), "work")
case("planned-removed", terms(paying('credit_multiple = "10"'), more=f'{PLANNED}treated = "removed"\n'),
     exactly(13_46, 3_600, period=MARCH - HOUR), "work", fee=1_000_00)  # 10 x 1/743 x 1,000 = 13.459  # fmt: skip
# What was excluded of one component only was there for the others: it stays in the denominator.
case("planned-removed-of-a-part", terms(paying('credit_multiple = "10"'), more=f'{PLANNED}treated = "removed"\n'),
     exactly(13_44, 3_600), "part", fee=1_000_00)  # 10 x 1/744 x 1,000 = 13.441  # fmt: skip
case("planned-at-most", terms(more=f'{PLANNED}most = "30 minutes"\n'), exactly(1_50, 5_400), "work")
case(
    "planned-at-most-per-period",
    terms(more=f'{PLANNED}most = "30 minutes"\nmost_per = "period"\n'),
    exactly(1_50, 5_400),
    "work",
)
case("storm", terms(more='[[exclusions]]\nkinds = ["force-majeure"]\n'), exactly(1_00, 3_600))
# Limits, of 20.00 EUR, of 3 days, and after 95.00 EUR of February.
TWENTY = paying('credit_percent = "5"\nper = "block"\nblock = "30 minutes"')
case("limit-percent", terms(TWENTY, more='[limits]\npercent = "15"\n'), exactly(15_00, 7_200))
case("limit-amount", terms(TWENTY, more='[limits]\namount = { EUR = "7.50" }\n'), exactly(7_50, 7_200))
case(
    "limit-days",
    terms(paying('service_days = "3"'), more='[limits]\ndays = "2.5"\n'),
    exactly(0, 7_200, days=F(5, 2)),
)
case(
    "limit-rolling",
    terms(TWENTY, more='[limits]\nrolling_percent = "100"\nrolling_months = 3\n'),
    exactly(5_00, 7_200),
    before=95_00,
)
case("only-above", terms(TWENTY, more='[limits]\nonly_above = { EUR = "20.00" }\n'), exactly(0, 7_200))
case(
    "only-above-less", terms(TWENTY, more='[limits]\nonly_above = { EUR = "19.99" }\n'), exactly(20_00, 7_200)
)
# Stacking: all of it is 99.73%, the web alone 99.866%; and two incidents of 6,000 and 3,600 s.
case("commitments-best", commitments('[stacking]\ncommitments = "best-of"\n'), exactly(10_00, 7_200))
case("commitments-sum", commitments('[stacking]\ncommitments = "sum"\n'), exactly(15_00, 7_200))
# Which one the customer chose is not known in a run: from the less to the more.
case(
    "commitments-one",
    commitments('[stacking]\ncommitments = "choose-one"\n'),
    Hand((5_00, 10_00), (7_200, 7_200)),
)
case("incidents-together", terms(more='[stacking]\nincidents = "together"\n'), exactly(2_00, 7_200))
case("incidents-best", terms(more='[stacking]\nincidents = "best-of"\n'), exactly(1_67, 7_200))
case("incidents-sum", terms(more='[stacking]\nincidents = "sum"\n'), exactly(2_67, 7_200))
case(
    "incidents-one", terms(more='[stacking]\nincidents = "choose-one"\n'), Hand((1_00, 1_67), (7_200, 7_200))
)
# Holes and overlaps of the contract, at 99.73%.
case("gap-undecided", terms(GAP, more='[reading]\ngaps = "undecided"\n'), Hand((0, 10_00), (7_200, 7_200)))
case("gap-pays-nothing", terms(GAP, more='[reading]\ngaps = "pays-nothing"\n'), exactly(0, 7_200))
case(
    "overlap-undecided",
    terms(OVERLAP, more='[reading]\noverlaps = "undecided"\n'),
    Hand((5_00, 10_00), (7_200, 7_200)),
)
case("overlap-greatest", terms(OVERLAP, more='[reading]\noverlaps = "greatest"\n'), exactly(10_00, 7_200))
# The base.
case("of-fee", terms(LADDER, credit='of = "fee"'), exactly(10_00, 7_200))
case("of-charges", terms(LADDER, credit='of = "region-charges"'), exactly(10_00, 7_200))
case("of-share", terms(LADDER, credit='of = "service-share"\nshare = "40"'), exactly(4_00, 7_200))
case("of-preceding", terms(LADDER, credit='of = "preceding-fee"'), exactly(10_00, 7_200))
case("of-year", terms(LADDER, credit='of = "annual-fee"'), exactly(83, 7_200))  # 100 / 12 x 10% = 0.8333
case(
    "factor",
    terms(paying('credit_multiple = "10"'), credit="factor_decimals = 2"),
    exactly(30_00, 7_200),
    fee=1_000_00,
)  # 0.0269 is 0.03
for _mode, _paid in (
    ("half-up", 30_00), ("half-even", 30_00), ("half-down", 30_00), ("half-ceiling", 30_00), ("up", 30_00), ("down", 20_00),
    ("ceiling", 30_00), ("floor", 20_00),
):  # fmt: skip
    case(
        f"factor-{_mode}",
        terms(paying('credit_multiple = "10"'), credit=f'factor_decimals = 2\nfactor_rounding = "{_mode}"'),
        exactly(_paid, 7_200),
        fee=1_000_00,
    )
# 10% of 0.25 and of 0.35 EUR are 2.5 and 3.5 cents; of 0.31 it is 3.1.
for _mode, _cents in (
    ("half-up", (3, 4, 3)), ("half-even", (2, 4, 3)), ("half-down", (2, 3, 3)), ("half-ceiling", (3, 4, 3)), ("up", (3, 4, 4)),
    ("down", (2, 3, 3)), ("ceiling", (3, 4, 4)), ("floor", (2, 3, 3)),
):  # fmt: skip
    for _fee, _paid in zip((25, 35, 31), _cents, strict=True):
        case(f"{_mode}-{_fee}", terms(LADDER, rounding=_mode), exactly(_paid, 7_200), fee=_fee)
# Periods: each ends in March, but for the year.
case("quarter", terms(period='kind = "calendar-quarter"'), exactly(30_00, 30 * HOUR, period=90 * DAY), "past")
case(
    "billing-month",
    terms(period='kind = "billing-month"\nanchor_day = 15'),
    exactly(10_00, 10 * HOUR, period=28 * DAY),  # 15 February to 14 March
    "past",
)
case(
    "year",
    terms(period='kind = "calendar-year"'),
    exactly(30_00, 30 * HOUR, period=365 * DAY),
    "past",
    month="2022-12",
)
case(
    "trailing",
    terms(period='kind = "trailing-days"\ndays = 60'),
    exactly(20_00, 20 * HOUR, period=60 * DAY),
    "past",
)
case("length", terms(paying('credit_multiple = "10"'), period='kind = "calendar-month"\nlength = "730 hours"'),
     exactly(27_40, 7_200, period=730 * HOUR), fee=1_000_00)  # 10 x 2/730 x 1,000 = 27.397  # fmt: skip
case("lifetime", terms(paying('credit_multiple = "10"'), period='kind = "calendar-month"\npart = "lifetime"'),
     exactly(39_68, 7_200, period=21 * DAY), fee=1_000_00, valid_from="2022-03-11")  # 10 x 2/504 x 1,000 = 39.6825  # fmt: skip
case(
    "whole", terms(paying('credit_multiple = "10"')), exactly(0, 0), fee=1_000_00, valid_from="2022-03-15"
)  # after both windows
# Bounds: 20 to 30 minutes; 25 as stated is no answer.
case("bounds", terms(), Hand((33, 50), (1_200, 1_800)), "open")
case(
    "bounds-of-days",
    terms(paying('service_days = "1"\nper = "block"\nblock = "25 minutes"')),
    Hand((0, 0), (1_200, 1_800), days=(0, 1)),
    "open",
)
# The right to terminate: below 99.5% (13,392 s of March) in two of the last three months.
ENDED = '[[termination]]\navailability_below = "99.5"\nperiods = {}\nof_last = 3\n'
case("terminable", terms(more=ENDED.format(3)), exactly(10_00, 10 * HOUR, termination=True), "past")
case("not-terminable", terms(more=ENDED.format(2)), exactly(2_00, 7_200, termination=False))
# The web alone was there for 99.866%, all of it for 99.73%.
WEB = '[[termination]]\navailability_below = "99.8"\ncommitment = "{}"\n'
case("not-terminable-for-the-web", commitments(WEB.format("web")), exactly(10_00, 7_200, termination=False))
case("terminable-for-all", commitments(WEB.format("all")), exactly(10_00, 7_200, termination=True))

# The nearest quantum: 40, 50 and 600 s are 1, 1 and 10 minutes each, and 690 s in all 11 and a half.
for _ties, _all in (("up", 720), ("down", 660), ("even", 720)):
    added(
        f"total-nearest-{_ties}",
        terms(counting=f'{OUTAGES}\nquantise = "total-nearest"\nties = "{_ties}"'),
        exactly(_all // 36, _all),
        "short",
    )
added(
    "each-nearest",
    terms(counting=f'{OUTAGES}\nquantise = "each-nearest"\nties = "up"'),
    exactly(20, 720),
    "short",
)
# Over the edges of the month each outage lasts ten minutes and more, though no part of it does. To ten minutes up the first becomes 20
# and ends here, so that its 2 minutes more count here, and what the second gets more counts in April; down, the first lasts until 0:01.
for _name, _rule, _seconds in (
    ("minimum", 'minimum = "10 minutes"', 840), ("each-up", 'quantise = "each-up"\nquantum = "10 minutes"', 540 + 120 + 300),
    ("each-down", 'quantise = "each-down"\nquantum = "10 minutes"', 60 + 300),
):  # fmt: skip
    added(
        f"{_name}-over-the-edge",
        terms(counting=f"{OUTAGES}\n{_rule}"),
        exactly(round(F(_seconds, 36)), _seconds),
        "edge",
    )
# Of two hours from ten to twelve on a Monday only one is an hour of service; or half an hour is maintenance that comes again.
HOURS = '[service_hours]\ncalendar = "c"\n[calendars.c]\nopens = "09:00"\ncloses = "11:00"\n'
added("service-hours", terms(more=HOURS), exactly(1_00, 3_600, period=23 * 2 * HOUR))
AGAIN = '[[maintenance]]\ndays = ["monday"]\nfrom = "11:30"\nto = "12:30"\n'
added("maintenance", terms(more=AGAIN), exactly(1_50, 5_400))
added(
    "maintenance-removed",
    terms(more=f'{AGAIN}treated = "removed"\n'),
    exactly(1_50, 5_400, period=MARCH - 4 * HOUR),
)
# 95.00 EUR were credited in February: in the calendar year, and in the year of a contract that began in a February, not in a March.
for _name, _over, _from, _paid in (
    ("a-calendar-year", "calendar-year", "2021-03-01", 5_00),
    ("a-contract-year", "contract-year", "2021-02-01", 5_00),
    ("another-contract-year", "contract-year", "2021-03-01", 20_00),
):
    added(
        f"limit-of-{_name}",
        terms(TWENTY, more=f'[limits]\nrolling_percent = "100"\nrolling_over = "{_over}"\n'),
        exactly(_paid, 7_200),
        before=95_00,
        valid_from=_from,
    )
# Ten hours each in January, February and March: four months of 120 days, 181 days, and the year to 14 March.
added(
    "four-months",
    terms(period='kind = "calendar-four-months"'),
    exactly(30_00, 30 * HOUR, period=120 * DAY),
    "past",
    month="2022-04",
)
added(
    "half-year",
    terms(period='kind = "calendar-half-year"'),
    exactly(30_00, 30 * HOUR, period=181 * DAY),
    "past",
    month="2022-06",
)
added(
    "contract-year",
    terms(period='kind = "contract-year"\nanchor_month = 3\nanchor_day = 15'),
    exactly(30_00, 30 * HOUR, period=365 * DAY),
    "past",
)
# A thirtieth of 100.00 EUR for each begun half hour, of which four were down: 13.33; and a third of the fee for the time: 100 / 3 / 372.
added(
    "fractions",
    terms(paying('credit_fraction = "1/30"\nper = "block"\nblock = "30 minutes"\nblocks = "begun"')),
    exactly(13_33, 7_200),
)
added("multiple-of-a-third", terms(paying('credit_multiple = "1/3"')), exactly(9, 7_200))
# A quarter is at least a quarter, and not at least three tenths.
for _name, _share, _seconds in (("a-quarter", "0.25", 1_800), ("three-tenths", "0.3", 0)):
    added(
        f"from-{_name}-on",
        terms(counting=f'{OUTAGES}\ndown = "at-least-share"\nshare_at_least = "{_share}"'),
        exactly(F(_seconds, 36), _seconds),
        "plain",
        "B",
    )
# Bad days: the 10th to the 12th and the 14th are above 5%, and with the 9th and the 13th, which are exactly that, six in a row.
added(
    "bad-days",
    terms(EVENTS, measure='of = "bad-days"\nreads = ["messages"]', counting='share_above = "0.05"'),
    exactly(20_00, value=4),
    "days",
)
added(
    "days-in-a-row-from-a-share-on",
    terms(EVENTS, measure='of = "consecutive-days"', counting='share_at_least = "0.05"'),
    exactly(30_00, value=6),
    "days",
)
# Ten hours of 5 March are one day; of two hours less is no bad day where ten are allowed.
added("days-down", terms(EVENTS, measure='of = "bad-days"'), exactly(5_00, value=1), "past")
added(
    "days-down-for-long",
    terms(
        EVENTS, measure='of = "consecutive-days"\nreads = []', counting=f'{OUTAGES}\nday_above = "10 hours"'
    ),
    exactly(0, value=0),
    "past",
)
# A least payout: 20.00 EUR are raised to 21.00, to no more than a limit of 20.50, and nothing is raised from nothing.
RAISED = 'at_least = { EUR = "21.00" }\n'
added("raised", terms(TWENTY, more=f"[limits]\n{RAISED}"), exactly(21_00, 7_200))
added("raised-to-a-limit", terms(TWENTY, more=f'[limits]\npercent = "20.5"\n{RAISED}'), exactly(20_50, 7_200))
added("raised-from-nothing", terms(LADDER, more=f"[limits]\n{RAISED}"), exactly(0, 1_800), "plain", "B")
# Beyond an allowance: of the two hours 99.9% of March allows 2,678.4 s, so 4,521.6 s are paid for; or one hour is allowed.
BELOW = (
    LADDER.partition("[[tiers]]\navailability_below")[0]
    + '[[tiers]]\navailability_below = "99.9"\n{}\nbeyond = "{}"\n'
)
added(
    "multiple-beyond-the-edge",
    terms(BELOW.format('credit_multiple = "10"', "tier-edge")),
    exactly(16_88, 7_200),
    fee=1_000_00,
)  # 10 x 4,521.6 / 2,678,400 x 1,000 = 16.8817
added(
    "the-difference-of-shares", terms(BELOW.format('credit_multiple = "1"', "99.9%")), exactly(1_69, 7_200), fee=1_000_00
)  # 1,000 x (0.999 - 0.9973118...) = 1.6882  # fmt: skip
added(
    "hourly-beyond-an-hour",
    terms(BELOW.format('credit_hourly = { EUR = "1.00", JPY = "100", KWD = "1.000" }', "1 hour")),
    exactly(1_00, 7_200),
)
added(
    "blocks-after-the-first-hour",
    terms(paying('credit_percent = "5"\nper = "block"\nblock = "25 minutes"\nblocks = "begun"\nbeyond = "1 hour"')),
    exactly(15_00, 7_200),
)  # 3,600 s are 2.4 times 1,500 s  # fmt: skip
added(
    "units-beyond-the-edge",
    terms('[[tiers]]\nvalue_at_most = "1"\ncredit_percent = "0"\n[[tiers]]\nvalue_above = "1"\ncredit_percent = "5"\nper = "unit"\n'
          'beyond = "tier-edge"\n', measure='of = "events"'), exactly(5_00, value=2),
)  # two incidents, one more than are allowed  # fmt: skip


# What is perhaps excluded: it uses up ten hours, or leaves them to those that were down.
PERHAPS = '[[exclusions]]\nkinds = ["force-majeure"]\n'
case("perhaps-used-up", terms(more=f'{PERHAPS}most = "10 hours"\n'), Hand((0, 10_00), (0, 10 * HOUR)), "used")
# It cuts an outage in two, or does not.
case(
    "perhaps-cut",
    terms(EVENTS, measure='of = "events"\ncounts = "outages"', more=PERHAPS),
    Hand((5_00, 10_00), value=(1, 2)),
    "cut",
)
# Without the second day 1 second, with it 1.5.
case(
    "perhaps-measured",
    terms(
        VALUES + 'credit_percent = "10"\n',
        measure='of = "latency"\nstatistic = "p95"',
        counting="",
        more=PERHAPS,
    ),
    Hand((10_00, 10_00), value=(1, F(3, 2))),
    "mean",
)
# Nobody measured 743 hours. Two of them are perhaps excluded, and then up.
case(
    "perhaps-missing",
    terms(
        paying('credit_hourly = { EUR = "1.00" }', 'availability_at_least = "0"'),
        measure=RATES.format("down"),
        counting="",
        more=PERHAPS,
    ),
    Hand((741_50, 743_50), (741 * HOUR + HOUR // 2, 743 * HOUR + HOUR // 2)),
    "bucket",
    fee=1_000_00,
)
# Three bad days in a row, or two that stand alone.
case(
    "perhaps-here",
    terms(
        VALUES + 'credit_percent = "5"\nper = "unit"\n',
        measure='of = "consecutive-days"',
        counting='share_above = "0.05"',
    ),
    Hand((5_00, 15_00), value=(1, 3)),
    "where",
)


# What overlaps is more than the month has: 240 hours, and perhaps 744 more.
case(
    "users-beyond-the-month",
    terms(
        paying('credit_hourly = { EUR = "1.00" }', 'availability_at_least = "0"'),
        measure='of = "user-minutes"',
    ),
    Hand((240_00, 984_00), (240 * HOUR, 984 * HOUR)),
    "users",
    fee=10_000_00,
)
# Each incident pays at least 1%, and both of them were a day before the subscription began.
case(
    "one-by-one-since",
    terms(
        '[[tiers]]\ndowntime_at_most = "1 hour"\ncredit_percent = "1"\n[[tiers]]\ndowntime_above = "1 hour"\ncredit_percent = "10"\n',
        more='[stacking]\nincidents = "sum"\n',
    ),
    exactly(0, 0),
    valid_from="2022-03-15",
)


# ---- what comes out ----------------------------------------------------------------------------------------------


def _priced() -> dict[str, dict[str, Any]]:
    """Return the credit row of each case, those of one month priced in one run."""
    found: dict[str, dict[str, Any]] = {}
    for month in sorted({one.month for one in CASES.values()}):
        run = {name: one for name, one in CASES.items() if one.month == month}
        columns: dict[str, list[str | None]] = {
            "customer": ["c"] * len(run), "subscription": list(run), "policy": list(run),
            "service": [one.service for one in run.values()], "region": [one.region for one in run.values()],
            "currency": [one.currency for one in run.values()], "fee": [_major(one.fee, one.currency) for one in run.values()],
            "valid_from": [one.valid_from for one in run.values()], "valid_to": [None] * len(run),
        }  # fmt: skip
        policies: dict[str, list[tuple[int, Policy]]] = {
            name: [(1, parse_policy(f'format = 2\npolicy = "{name}"\n{one.text}'))]
            for name, one in run.items()
        }
        before = {
            name: (Earlier(1, one.before, one.currency, "statement/main v1"),)
            for name, one in run.items()
            if one.before
        }
        frame = price(
            table_of(columns, str), _WINDOWS, policies, month, at(400), measurements=_MEASUREMENTS, exclusions=_EXCLUSIONS,
            credited=before,
        )  # fmt: skip
        found.update((row["subscription"], row) for row in rows(frame))
    return {name: found[name] for name in CASES}


def _major(amount: int, currency: str) -> str:
    digits = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]
    return f"{amount // 10**digits}.{amount % 10**digits:0{digits}}" if digits else str(amount)


def _pair(row: dict[str, Any], name: str) -> tuple[F, F] | None:
    low, high = (row[f"{name}_at_{end}"] for end in ("least", "most"))
    return None if low is None else (F(low), F(high))


@pytest.fixture(scope="module")
def priced() -> dict[str, dict[str, Any]]:
    return _priced()


@pytest.mark.parametrize("name", HAND)
def test_what_comes_out_is_what_was_worked_out_by_hand(name: str, priced: dict[str, dict[str, Any]]) -> None:
    """Amounts to the minor unit, seconds, values and days exactly; availability is one less the eligible part of the period."""
    row, hand, one = priced[name], HAND[name], CASES[name]
    units = {"EUR": 100, "JPY": 1, "KWD": 1_000}[one.currency]
    assert tuple(units * F(row[f"credit_at_{end}"]) for end in ("least", "most")) == hand.credit
    if hand.eligible is not None:
        low, high = hand.eligible
        assert _pair(row, "eligible_downtime_seconds") == (low, high)
        available = [max(1 - F(seconds) / hand.period, F(0)) for seconds in (high, low)]
        for end, share in zip(("least", "most"), available, strict=True):
            # Shown with 12 places of a percentage.
            assert abs(F(row[f"availability_at_{end}"]) - 100 * share) <= F(1, 2 * 10**12)
    found = _pair(row, "value")
    assert (found is None) == (hand.value is None)
    if hand.value is not None and found is not None:
        assert all(
            abs(one - F(other)) <= F(1, 2 * 10**12) for one, other in zip(found, hand.value, strict=True)
        )
    assert _pair(row, "service_days") == hand.days
    assert (row["period_seconds"], row["termination"]) == (hand.period, hand.termination)


@pytest.mark.parametrize("file", [_FIRST, _ADDED], ids=["first", "added"])
def test_the_figures_are_those_of_the_calculators_version(
    file: Path, priced: dict[str, dict[str, Any]]
) -> None:
    frozen: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    found = {
        name: [row[figure] for figure in _FIGURES] for name, row in priced.items() if FROZEN[name] == file
    }
    if os.environ.get("LEDGER_REWRITE_GOLDEN") == "1" and CALCULATOR not in frozen:
        file.write_text(_spelled({**frozen, CALCULATOR: found}))
        pytest.skip(f"version {CALCULATOR} is frozen now")
    assert CALCULATOR in frozen, (
        f"calculator {CALCULATOR} is new: freeze its figures with LEDGER_REWRITE_GOLDEN=1"
    )
    changed = {
        name: (frozen[CALCULATOR].get(name), now)
        for name, now in found.items()
        if frozen[CALCULATOR].get(name) != now
    }
    assert not changed, (
        f"the figures are no longer those of calculator {CALCULATOR}: if that is meant, raise CALCULATOR in "
        f"projections/calculator.py, so that documents that are issued already can tell why they come out otherwise: {changed}"
    )
    assert set(frozen[CALCULATOR]) == set(found)


def _spelled(versions: dict[str, Any]) -> str:
    """Return the file with one line for each case, so that a diff shows which figures a version changed."""
    parts = [
        f' "{version}": {{\n'
        + ",\n".join(f"  {json.dumps(name)}: {json.dumps(figures)}" for name, figures in cases.items())
        + "\n }"
        for version, cases in versions.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


# What decides no figure of a run: names, sources, claims, what is shown, and which version of the terms holds.
_NO_FIGURES = frozenset(
    ("", "source", "target", "commitments", "claim", "facts", "calendars", "version", "examples")
)
_DECIDE_NOTHING = frozenset((("credit", "clawback"),))


def _said() -> dict[tuple[str, str], set[str]]:
    """Return by table and key the values that the cases say."""
    found: dict[tuple[str, str], set[str]] = {}

    def read(path: str, entry: Any) -> None:
        for each in entry if isinstance(entry, list) else [entry]:
            for key, value in each.items():
                inside = value[0] if isinstance(value, list) and value else value
                if isinstance(inside, dict) and any(table.path == key for table in GRAMMAR):
                    read(key, value)
                else:
                    found.setdefault((path, key), set()).update(
                        map(str, value if isinstance(value, list) else [value])
                    )

    for one in CASES.values():
        read("", tomllib.loads(one.text))
    return found


@pytest.mark.parametrize("path", [table.path for table in GRAMMAR if table.path not in _NO_FIGURES])
def test_the_cases_say_every_key_that_decides_a_figure_and_all_its_words(path: str) -> None:
    """A new key, or a new word for one, fails here until a case says it."""
    said = _said()
    (table,) = (one for one in GRAMMAR if one.path == path)
    for field in table.fields:
        if (path, field.name) in _DECIDE_NOTHING:
            continue
        # A bound may be written on either side of any quantity: each kind of bound is enough.
        if field.name.partition("_")[0] in ("availability", "downtime", "value"):
            continue
        values = said.get((path, field.name), set())
        assert values, f"no case says {path}.{field.name}"
        if field.kind == "choice":
            # What is left out is said by leaving it out, and refused readings refuse the policy.
            silent = {"refused", (field.default or "").strip('"')}
            left = set(field.choices) - values - silent
            assert not left, f"no case says {path}.{field.name} = {', '.join(sorted(left))}"
