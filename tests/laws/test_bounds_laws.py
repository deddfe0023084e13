"""The law of bounds: whatever the facts turn out to be, every figure and every amount lies between the least and the most.

Facts are left open in every way that facts can be: for whom an exclusion is, who is in a cohort, where something was, when it began and
ended, whom it affected, and what nobody watched. Then they are closed, exclusions and cohorts in every way there is, the rest at
random, and asked again. Under any measure, with limits, notice, least durations, quanta and time without data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

import msgspec
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.interval import union
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Planned, Window
from ledger.errors import Refused
from projections.evaluation.deciding import what_decides
from projections.evaluation.evidence import Evidence, Membership
from projections.evaluation.outcome import Outcome, outcome

# Three days over the end of a year, in half hours.
STEP, DAY = 1_800, 86_400
START = 1_640_908_800  # 31 December 2021, 00:00 UTC
DAYS = 3
PERIOD = Period("p", "span", "UTC", START, START + DAYS * DAY, "2021-12-31")
CELLS = DAYS * DAY // STEP
CUSTOMERS, COHORTS = ("Acme", "Bolt", "Cole"), ("beta", "alpha")
REGIONS = ("EMEA", "NAM")


def at(cell: int) -> int:
    return START + cell * STEP


some = st.sampled_from
# Near each other, so that they overlap and touch; some reach out of the period.
cells = st.one_of(st.integers(40, 56), st.integers(40, 56), st.integers(-4, CELLS + 2))
lengths = st.one_of(st.integers(1, 6), st.integers(1, 30))


# ---- terms -----------------------------------------------------------------------------------------------------------


@st.composite
def some_counting(draw: st.DrawFn, of: str) -> str:
    text = 'effects = ["outage", "partial-outage"]\n'
    if draw(st.booleans()):
        down = draw(some(["any", "all", 'above-share"\nshare_above = "0.4']))
        text += f'down = "{down}"\n'
    excess = False
    if of != "user-minutes" and draw(st.booleans()):
        text += f'minimum = "{draw(some([60, 120]))} minutes"\n'
        if draw(st.booleans()):
            excess = of == "time" and draw(st.booleans())
            text += f'unless_daily_total_above = "90 minutes"\ndaily_total_counts = "{"excess" if excess else "all"}"\n'
    if of == "time" and not excess and draw(st.booleans()):
        ways = ["each-up", "each-down", "total-up", "total-down", "slots-touched", "slots-filled"]
        text += f'quantise = "{draw(some(ways))}"\nquantum = "{draw(some([40, 90, 360]))} minutes"\n'
    return text


@st.composite
def some_rules(draw: st.DrawFn) -> str:
    text = ""
    for kind in ("planned-maintenance", "customer")[: draw(st.integers(1, 2))]:
        text += f'[[exclusions]]\nkinds = ["{kind}"]\ntreated = "{draw(some(["up", "removed"]))}"\n'
        if draw(some([True, True, False])):
            text += (
                f'most = "{draw(some([1, 3, 6, 12]))} hours"\nmost_per = "{draw(some(["year", "period"]))}"\n'
            )
    return text


AVAILABILITY = (
    '[[tiers]]\navailability_at_least = "97"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "97"\navailability_at_least = "50"\ncredit_percent = "10"\n'
    '[[tiers]]\navailability_below = "50"\ncredit_multiple = "1"\n'
)
VALUE = (
    '[[tiers]]\nvalue_below = "2"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "2"\ncredit_percent = "5"\nper = "unit"\n'
    '[limits]\npercent = "100"\n'
)
MEASURES = (
    "time", "affected-share", "user-minutes", "error-rate", "messages", "latency", "consecutive-days", "incidents", "outages", "failed"
)  # fmt: skip


@st.composite
def some_terms(draw: st.DrawFn, of: str) -> Policy:
    missing = f'missing = "{draw(some(["available", "excluded", "down"]))}"\n'
    counting, tiers = "", AVAILABILITY
    match of:
        case "time" | "affected-share" | "user-minutes":
            measure = f'of = "{of}"\n{missing}' + ('reads = ["requests"]\n' if draw(st.booleans()) else "")
            counting = draw(some_counting(of))
        case "error-rate":
            measure = f'of = "error-rate"\nbucket = "30 minutes"\n{missing}'
        case "messages":
            measure = f'of = "messages"\n{missing}'
        case "latency":
            measure, tiers = (
                f'of = "latency"\nstatistic = "p95"\ncombine = "{draw(some(["average", "maximum"]))}"\n',
                VALUE,
            )
        case "consecutive-days":
            measure, counting, tiers = 'of = "consecutive-days"\n', 'share_above = "0.3"\n', VALUE
        case "failed":
            measure, tiers = 'of = "events"\ncounts = "failed"\nreads = ["messages"]\n', VALUE
        case _:
            measure, counting, tiers = (
                f'of = "events"\ncounts = "{of}"\n',
                draw(some_counting("events")),
                VALUE,
            )
    scope = draw(
        some(["", "", 'regions = "union"\n', 'regions = "service-wide"\nall_regions = ["EMEA", "NAM"]\n'])
    )
    if scope.startswith('regions = "service') and of != "time":
        scope = ""
    scope += draw(some(["", "", 'components = ["web"]\n']))
    part = draw(some(["whole", "lifetime"]))
    text = (
        f'format = 2\npolicy = "p"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\npart = "{part}"\n'
        f"[measure]\n{measure}[scope]\n{scope}{f'[counting]{chr(10)}{counting}' if counting else ''}"
        f'{draw(some_rules())}{tiers}[credit]\nrounding = "half-up"\n'
    )
    if tiers == AVAILABILITY:
        text += '[limits]\npercent = "100"\n'
    if of in ("time", "affected-share"):
        text += f'[stacking]\nincidents = "{draw(some(["together", "together", "sum", "best-of", "choose-one"]))}"\n'
    return parse_policy(text)


# ---- facts -----------------------------------------------------------------------------------------------------------


@st.composite
def some_windows(draw: st.DrawFn, *, calm: bool) -> list[Window]:
    """calm: that it was down, there and then, is beyond doubt."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        start = draw(cells)
        end = start + draw(lengths)
        window = Window(
            f"i{draw(st.integers(0, 1))}", f"w{number}", "mail", "web", "EMEA", at(start), at(end), "outage", regions=REGIONS,
            components=("web", "db"),
        )  # fmt: skip
        if draw(some([*[False] * 3, True])):
            first = start + draw(st.integers(-2, 4))
            planned = Planned(START - 60 * DAY, at(first), at(first + draw(lengths)))
            window = msgspec.structs.replace(window, planned=planned)
        if not calm:
            low, high = draw(
                some([(None, None), (None, None), ("0.5", "0.5"), ("0.25", "0.75"), (None, "0.5")])
            )
            window = msgspec.structs.replace(
                window, component=draw(some(["*", *["web"] * 5, "db", "unknown"])), region=draw(some([*["EMEA"] * 5, "NAM", "*", "unknown"])),
                end=draw(some([*[window.end] * 5, None])), effect=draw(some([*["outage"] * 4, "partial-outage", "delay"])),
                share_at_least=low, share_at_most=high, cohort=draw(some([*[None] * 6, *COHORTS])),
                start_within_seconds=draw(some([*[0] * 6, STEP, 3 * STEP])), end_within_seconds=draw(some([*[0] * 6, STEP])),
            )  # fmt: skip
        found.append(window)
    return found


@st.composite
def some_exclusions(draw: st.DrawFn, *, calm: bool) -> list[Exclusion]:
    """calm: where they were is beyond doubt."""
    found = []
    whose = [
        (None, None),
        (None, None),
        ("Acme", None),
        ("Bolt", None),
        (None, "beta"),
        (None, "beta"),
        (None, "alpha"),
    ]
    for number in range(draw(st.integers(1, 4))):
        start = draw(st.one_of(cells, cells, st.integers(-200, 0)))
        customer, cohort = draw(some(whose))
        kind: Any = draw(some([*["planned-maintenance"] * 3, "customer"]))
        places = (
            ("*", "*")
            if calm
            else (
                draw(some([*["*"] * 6, "web", "unknown"])),
                draw(some([*["*"] * 6, "EMEA", "NAM", "unknown"])),
            )
        )
        found.append(
            Exclusion(f"e{number}", kind, "mail", *places, at(start), at(start + draw(lengths)), customer=customer, cohort=cohort)
        )  # fmt: skip
    return found


READS = {"latency": "latency", "messages": "messages", "consecutive-days": "messages", "failed": "messages"}


@st.composite
def some_measurements(draw: st.DrawFn, of: str, *, calm: bool) -> list[Measurement]:
    """calm: where they were made is beyond doubt."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        if of == "consecutive-days":
            day, first = draw(st.integers(0, DAYS - 1)) * 48, draw(some([0, 0, 12]))
            start, end = day + first, day + draw(some([48, 48, 24]))
        else:
            start = draw(cells)
            end = start + draw(lengths)
        unknown = [] if of == "latency" else ["unknown"]
        places = (
            ("web", "EMEA")
            if calm
            else (draw(some(["*", "web", *unknown])), draw(some([*["EMEA"] * 4, "*", "NAM", *unknown])))
        )
        one = Measurement(
            f"i{draw(st.integers(0, 1))}", f"m{number}", "mail", *places, at(start), at(end), READS.get(of, "requests"), regions=REGIONS,
            components=("web", "db"),
        )  # fmt: skip
        if of == "latency":
            one = msgspec.structs.replace(
                one, value=draw(some(["0.5", "1", "3", "8"])), unit="seconds", statistic="p95"
            )
        else:
            failed = draw(some([0, 1, 5, 10]))
            one = msgspec.structs.replace(one, failed=failed, total=failed + draw(some([0, 0, 1, 10])))
        found.append(one)
    return found


@st.composite
def some_facts(draw: st.DrawFn, of: str) -> Evidence:
    timed = of in ("time", "affected-share", "user-minutes", "incidents", "outages")
    calm = draw(st.booleans())
    observed = None
    if draw(some([False, False, True])):
        begins = draw(st.lists(st.integers(0, CELLS), min_size=1, max_size=4))
        observed = union((at(begin), at(begin + draw(lengths))) for begin in begins)
    return Evidence(
        "mail", "EMEA", PERIOD, at(draw(some([40, 55, CELLS]))),
        windows=tuple(draw(some_windows(calm=calm))) if timed else (),
        measurements=() if of in ("incidents", "outages") else tuple(draw(some_measurements(of, calm=calm))),
        exclusions=tuple(draw(some_exclusions(calm=calm or draw(st.booleans())))), observed=observed,
        valid=draw(some([None, None, None, (at(20), at(100)), (at(-10), at(60))])),
    )  # fmt: skip


Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]


# ---- closing them ----------------------------------------------------------------------------------------------------


def worlds(evidence: Evidence) -> Iterator[Evidence]:
    """Every customer that exclusions tell apart, in and out of every cohort."""
    for customer in CUSTOMERS:
        for inside in product([True, False], repeat=len(COHORTS)):
            memberships = {name: Membership(one, "") for name, one in zip(COHORTS, inside, strict=True)}
            yield msgspec.structs.replace(evidence, customer=customer, memberships=memberships)


def closed_window(draw: Draw, window: Window, as_of: int) -> Window:
    late, early = window.start_within_seconds, window.end_within_seconds
    start = window.start + draw(st.integers(-late // STEP, late // STEP)) * STEP
    if window.end is None:
        end = max(as_of, window.start + 1) + draw(st.integers(0, CELLS)) * STEP
    else:
        end = window.end + draw(st.integers(-early // STEP, early // STEP)) * STEP
    # What may have been nothing is nothing, and was planned all the same.
    end = max(start, end)
    effect_whole = (
        window.effect == "outage" and window.share_at_least is None and window.share_at_most is None
    )
    low, high = Fraction(window.share_at_least or 0), Fraction(window.share_at_most or 1)
    share = None if effect_whole else str(float(draw(some([low, (low + high) / 2, high]))))
    return msgspec.structs.replace(
        window, start=start, end=end, start_within_seconds=0, end_within_seconds=0, share_at_least=share, share_at_most=share,
        region=draw(some(REGIONS)) if window.region == "unknown" else window.region,
        component=draw(some(["web", "db"])) if window.component == "unknown" else window.component,
    )  # fmt: skip


def closed_measurement(draw: Draw, one: Measurement, of: str, span: tuple[int, int]) -> Measurement:
    if (
        of in ("messages", "failed")
        and (one.start < span[0] or one.end > span[1])
        and one.start < span[1]
        and one.end > span[0]
    ):
        # Any part of what failed, and of what passed, was inside.
        failed = draw(st.integers(0, one.failed or 0))
        passed = draw(st.integers(0, (one.total or 0) - (one.failed or 0)))
        inside = {"start": max(one.start, span[0]), "end": min(one.end, span[1])}
        one = msgspec.structs.replace(one, failed=failed, total=failed + passed, **inside)
    return msgspec.structs.replace(
        one, region=draw(some(REGIONS)) if one.region == "unknown" else one.region,
        component=draw(some(["web", "db"])) if one.component == "unknown" else one.component,
    )  # fmt: skip


def closed(draw: Draw, evidence: Evidence, of: str) -> Evidence:
    """The same with everything closed but for whom it is asked. Own plans stay as they were recorded."""
    return msgspec.structs.replace(
        evidence, windows=tuple(closed_window(draw, one, evidence.as_of) for one in evidence.windows),
        measurements=tuple(closed_measurement(draw, one, of, evidence.span) for one in evidence.measurements),
        exclusions=tuple(
            msgspec.structs.replace(
                one, region=draw(some([*REGIONS, "*"])) if one.region == "unknown" else one.region,
                component=draw(some(["web", "db", "*"])) if one.component == "unknown" else one.component,
            )
            for one in evidence.exclusions
        ),
    )  # fmt: skip


# ---- the law ---------------------------------------------------------------------------------------------------------


def decided(made: Outcome) -> bool:
    low, high = made.forms("EUR")
    return low == high


def answered(policy: Policy, evidence: Evidence) -> Outcome | None:
    try:
        return outcome(policy, evidence)
    except Refused:
        return None


def holds(open_one: Outcome, world: Outcome, fees: Sequence[int]) -> None:
    """Everything of a world lies within the bounds."""
    for wide, narrow in zip(open_one.results, world.results, strict=True):
        one, other = wide.figure, narrow.figure
        assert one.low <= other.low <= other.high <= one.high
        assert one.eligible_least <= other.eligible_least <= other.eligible_most <= one.eligible_most
        assert one.removed_seconds <= other.removed_seconds <= other.removed_most <= one.removed_most
        assert {choice.tier.words for choice in narrow.choices} <= {
            choice.tier.words for choice in wide.choices
        }
    lows, highs = open_one.prices("EUR"), world.prices("EUR")
    for fee in fees:
        assert lows[0].amount(fee) <= highs[0].amount(fee) <= highs[1].amount(fee) <= lows[1].amount(fee)


@pytest.mark.parametrize("of", MEASURES)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_whatever_the_facts_turn_out_to_be_the_bounds_hold_it(of: str, data: st.DataObject) -> None:
    policy = data.draw(some_terms(of))
    evidence = data.draw(some_facts(of))
    bounds = answered(policy, evidence)
    if bounds is None:
        # Perhaps no latency was measured at all, and of none there is no value.
        assert of == "latency"
        assume(False)
        return
    event(f"{of}: {'decided' if bounds.results[0].figure.decided else 'open'}")
    if not decided(bounds):
        assert what_decides(policy, evidence, bounds, decided, None) is not None
    for asked in worlds(evidence):
        world = outcome(policy, closed(data.draw, asked, of))
        holds(bounds, world, (0, 12_345))
