"""Laws of the calculator under any terms: what must not change an answer, and that every amount is right.

The slow calculator shares no code with the other: it counts half minutes in sets, and money in fractions.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.period import days, parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.periods import following, parse_policy_period, period_holding
from ledger.domain.window import Window
from projections.availability import Assessment, assess
from projections.credits import price, read_subscriptions

MARCH = parse_period("2022-03")
CELL = 30
DIGITS = {"USD": 2, "JPY": 0, "BHD": 3}
SUMS = {"USD": "7.25", "JPY": "700", "BHD": "1.005"}


class Terms(msgspec.Struct, frozen=True):
    """The terms of a random policy, as its text says them and as the slow calculator reads them."""

    regions: str
    minimum: int
    quantise: str
    quantum: int
    treated: str
    notice: int
    ladder: tuple[str, ...]
    remedies: tuple[tuple[tuple[str, str], ...], ...]
    take: str
    of: str
    factor_decimals: int | None
    cap_percent: str
    cap_amount: bool
    only_above: bool
    rounding: str

    def toml(self) -> str:
        text = 'format = 2\npolicy = "p"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        text += '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
        text += f'minimum = "{self.minimum} seconds"\n' if self.minimum else ""
        text += f'quantise = "{self.quantise}"\n'
        text += f'quantum = "{self.quantum} seconds"\n' if self.quantise != "exact" else ""
        text += f'[scope]\nregions = "{self.regions}"\n'
        text += f'[[exclusions]]\nkinds = ["planned-maintenance"]\nnotice = "{self.notice} hours"\ntreated = "{self.treated}"\n'
        below = ""
        for edge, remedy in zip((*self.ladder, "0"), self.remedies, strict=True):
            text += f'[[tiers]]\n{below}availability_at_least = "{edge}"\n'
            below = f'availability_below = "{edge}"\n'
            for name, value in remedy:
                amount = value if name not in ("credit_fixed", "credit_hourly") else _sums(value)
                text += f"{name} = {amount}\n" if amount[0] == "{" else f'{name} = "{amount}"\n'
            text += f'take = "{self.take}"\n' if len(remedy) > 1 else ""
        text += f'[credit]\nof = "{self.of}"\nrounding = "{self.rounding}"\n'
        text += 'share = "40"\n' if self.of == "service-share" else ""
        text += f"factor_decimals = {self.factor_decimals}\n" if self.factor_decimals is not None else ""
        text += f'[limits]\npercent = "{self.cap_percent}"\n'
        text += f"amount = {_sums('1')}\n" if self.cap_amount else ""
        text += f"only_above = {_sums('1')}\n" if self.only_above else ""
        return text


def _sums(times: str) -> str:
    return "{ " + ", ".join(f'{code} = "{_sum(code, times)}"' for code in SUMS) + " }"


def _sum(code: str, times: str) -> str:
    exact = Fraction(SUMS[code]) * int(times)
    scaled = exact * 10 ** DIGITS[code]
    assert scaled.denominator == 1
    digits = str(scaled.numerator).rjust(DIGITS[code] + 1, "0")
    return f"{digits[: -DIGITS[code]]}.{digits[-DIGITS[code] :]}" if DIGITS[code] else digits


remedies = st.lists(
    st.sampled_from(
        [("credit_percent", "10"), ("credit_percent", "33.3"), ("credit_multiple", "25"), ("credit_fixed", "3"), ("credit_hourly", "2")]
    ),
    min_size=1, max_size=3, unique_by=lambda pair: pair[0],
).map(lambda found: tuple(sorted(found)))  # fmt: skip
some_terms = st.builds(
    Terms,
    regions=st.sampled_from(["each", "union"]),
    minimum=st.sampled_from([0, 60, 600]),
    quantise=st.sampled_from(["exact", "each-up", "each-down", "total-up", "total-down", "slots-touched", "slots-filled"]),
    quantum=st.sampled_from([60, 300, 1800]),
    treated=st.sampled_from(["up", "removed"]),
    notice=st.sampled_from([1, 48]),
    ladder=st.sampled_from([("100",), ("99.9",), ("99.9", "99"), ("99.95", "97.5")]),
    remedies=st.lists(remedies, min_size=3, max_size=3).map(tuple),
    take=st.sampled_from(["lesser", "greater", "sum"]),
    of=st.sampled_from(["fee", "service-share", "annual-fee"]),
    factor_decimals=st.sampled_from([None, 2, 4]),
    cap_percent=st.sampled_from(["100", "20"]),
    cap_amount=st.booleans(),
    only_above=st.booleans(),
    rounding=st.sampled_from(["half-up", "half-even", "down", "up", "half-down"]),
).map(lambda terms: msgspec.structs.replace(terms, remedies=terms.remedies[: len(terms.ladder) + 1]))  # fmt: skip

cells = st.integers(0, 31 * 86_400 // CELL - 1)


@st.composite
def some_windows(draw: st.DrawFn) -> list[Window]:
    found = []
    begin = draw(cells)
    for number in range(draw(st.integers(1, 5))):
        # Mostly near each other, so that they overlap and touch.
        start = MARCH.start + min(begin + draw(st.integers(0, 400)), 31 * 86_400 // CELL - 1) * CELL
        length = draw(st.one_of(st.integers(1, 60), st.integers(1, 1500))) * CELL
        region = draw(st.sampled_from(["EMEA", "EMEA", "NAM"]))
        effect = draw(st.sampled_from(["outage", "outage", "degraded"]))
        found.append(
            Window(
                f"i{number}",
                "w",
                "email",
                "*",
                region,
                start,
                min(start + length, MARCH.end),
                effect,
                regions=("EMEA", "NAM"),
            )
        )
    return found


@st.composite
def some_exclusions(draw: st.DrawFn, windows: list[Window]) -> list[Exclusion]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        near = draw(st.sampled_from([window.start for window in windows] or [MARCH.start + 86_400]))
        start = near + draw(st.integers(-60, 60)) * CELL
        kind: Any = draw(st.sampled_from(["planned-maintenance", "planned-maintenance", "customer"]))
        found.append(
            Exclusion(
                f"e{number}", kind, "email", "*", draw(st.sampled_from(["*", "EMEA"])), start, start + draw(st.integers(1, 400)) * CELL,
                announced_at=start - draw(st.sampled_from([600, 7200, 49 * 3600])),
            )
        )  # fmt: skip
    return found


def slow_time(terms: Terms, windows: list[Window], exclusions: list[Exclusion]) -> tuple[int, int]:
    """Eligible seconds and those of the denominator, from sets of half minutes."""

    def covered(start: int, end: int) -> set[int]:
        return {
            at
            for at in range((start - MARCH.start) // CELL, (end - MARCH.start) // CELL)
            if 0 <= at < 31 * 86_400 // CELL
        }

    plans = [
        one for one in exclusions
        if one.kind == "planned-maintenance" and one.announced_at is not None
        and one.start - one.announced_at >= terms.notice * 3600
    ]  # fmt: skip
    down: set[int] = set()
    for window in windows:
        if window.effect == "outage" and (terms.regions == "union" or window.region == "EMEA"):
            mine = covered(window.start, window.end or 0)
            for one in plans:
                # Maintenance of one region leaves the others down.
                if one.region in ("*", window.region) or terms.regions == "each":
                    mine -= covered(one.start, one.end)
            down |= mine
    runs: list[list[int]] = []
    for at in sorted(down):
        if runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    runs = [run for run in runs if len(run) * CELL >= terms.minimum]
    total = sum(len(run) for run in runs) * CELL
    quantum = terms.quantum
    match terms.quantise:
        case "exact":
            eligible = total
        case "each-up":
            eligible = sum(ceil(Fraction(len(run) * CELL, quantum)) * quantum for run in runs)
        case "each-down":
            eligible = sum(len(run) * CELL // quantum * quantum for run in runs)
        case "total-up":
            eligible = ceil(Fraction(total, quantum)) * quantum
        case "total-down":
            eligible = total // quantum * quantum
        case way:
            kept, width = {at for run in runs for at in run}, quantum // CELL
            slots = {at // width for at in kept}
            if way == "slots-filled":
                slots = {slot for slot in slots if all(slot * width + at in kept for at in range(width))}
            eligible = len(slots) * quantum
    gone: set[int] = set()
    for one in plans if terms.treated == "removed" else ():
        if one.region == "*" or terms.regions == "each":
            gone |= covered(one.start, one.end)
    return eligible, 31 * 86_400 - len(gone) * CELL


def slow_credit(terms: Terms, eligible: int, period: int, fee: int, code: str) -> int:
    """The credit in minor units, in fractions."""
    share = min(Fraction(eligible, period), Fraction(1))
    place = sum(1 - share < Fraction(edge) / 100 for edge in terms.ladder)
    remedy = dict(terms.remedies[place])
    base = (
        Fraction(fee)
        * {"fee": Fraction(1), "service-share": Fraction(2, 5), "annual-fee": Fraction(1, 12)}[terms.of]
    )
    factors = []
    if "credit_percent" in remedy:
        factors.append(Fraction(remedy["credit_percent"]) / 100)
    if "credit_multiple" in remedy:
        factors.append(Fraction(remedy["credit_multiple"]) * share)
    if terms.factor_decimals is not None:
        scale = 10**terms.factor_decimals
        factors = [Fraction(slow_round(factor * scale, terms.rounding), scale) for factor in factors]
    amounts = [factor * base for factor in factors]
    unit = 10 ** DIGITS[code]
    if "credit_fixed" in remedy:
        amounts.append(Fraction(_sum(code, remedy["credit_fixed"])) * unit)
    if "credit_hourly" in remedy:
        amounts.append(Fraction(_sum(code, remedy["credit_hourly"])) * unit * eligible / 3600)
    if len(amounts) == 1:
        paid = amounts[0]
    else:
        paid = {"lesser": min, "greater": max, "sum": sum}[terms.take](amounts)  # type: ignore[operator]
    paid = min(paid, base * Fraction(terms.cap_percent) / 100)
    if terms.cap_amount:
        paid = min(paid, Fraction(_sum(code, "1")) * unit)
    rounded = slow_round(paid, terms.rounding)
    if terms.only_above and rounded <= Fraction(_sum(code, "1")) * unit:
        return 0
    return rounded


def slow_round(value: Fraction, mode: str) -> int:
    match mode:
        case "half-up":
            return floor(value + Fraction(1, 2))
        case "half-down":
            return ceil(value - Fraction(1, 2))
        case "half-even":
            return round(value)
        case "up":
            return ceil(value)
        case _:
            return floor(value)


def table(fees: list[tuple[int, str]]) -> pd.DataFrame:
    text = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
    for number, (fee, code) in enumerate(fees):
        digits = str(fee).rjust(DIGITS[code] + 1, "0")
        amount = f"{digits[: -DIGITS[code]]}.{digits[-DIGITS[code] :]}" if DIGITS[code] else digits
        text += f"c,s{number},email,EMEA,p,{code},{amount},2021-01-01,\n"
    return read_subscriptions(text.encode(), "csv")


fees = st.lists(st.tuples(st.integers(0, 10**7), st.sampled_from(sorted(DIGITS))), min_size=1, max_size=4)


@settings(deadline=None, max_examples=150)
@given(some_terms, st.data(), fees)
def test_every_amount_equals_the_slow_calculator(
    terms: Terms, data: st.DataObject, given_fees: list[tuple[int, str]]
) -> None:
    windows = data.draw(some_windows())
    exclusions = data.draw(some_exclusions(windows))
    policy = parse_policy(terms.toml())
    frame = price(
        table(given_fees), windows, {"p": [(1, policy)]}, "2022-03", MARCH.end, exclusions=exclusions
    )
    eligible, period = slow_time(terms, windows, exclusions)
    assert frame["eligible_downtime_seconds"].tolist() == [eligible] * len(given_fees)
    assert frame["period_seconds"].tolist() == [period] * len(given_fees)
    assert frame["credit"].tolist() == [
        slow_credit(terms, eligible, period, fee, code) for fee, code in given_fees
    ]


@settings(deadline=None, max_examples=60)
@given(some_terms, st.data(), fees)
def test_splitting_overlapping_and_reordering_change_no_credit(
    terms: Terms, data: st.DataObject, given_fees: list[tuple[int, str]]
) -> None:
    windows = data.draw(some_windows())
    exclusions = data.draw(some_exclusions(windows))
    policies = {"p": [(1, parse_policy(terms.toml()))]}
    changed: list[Window] = []
    for window in windows:
        end = window.end or 0
        middle = data.draw(st.integers(window.start, end))
        if window.start < middle < end:
            changed += [
                msgspec.structs.replace(window, window="a", end=middle),
                msgspec.structs.replace(window, window="b", start=middle),
            ]
        else:
            changed.append(window)
        inside = data.draw(st.integers(window.start, end - 1))
        changed.append(
            msgspec.structs.replace(
                window, window="c", start=inside, end=data.draw(st.integers(inside + 1, end))
            )
        )
    changed = data.draw(st.permutations(changed))
    subscriptions = table(given_fees)
    frames = [
        price(subscriptions, some, policies, "2022-03", MARCH.end, exclusions=list(order))
        for some, order in ((windows, exclusions), (changed, reversed(exclusions)))
    ]
    for name in ("credit", "availability", "eligible_downtime_seconds", "rule"):
        assert frames[0][name].astype(object).tolist() == frames[1][name].astype(object).tolist()


@settings(deadline=None, max_examples=60)
@given(some_terms, st.data(), fees)
def test_a_credit_is_never_above_its_caps(
    terms: Terms, data: st.DataObject, given_fees: list[tuple[int, str]]
) -> None:
    windows = data.draw(some_windows())
    frame = price(table(given_fees), windows, {"p": [(1, parse_policy(terms.toml()))]}, "2022-03", MARCH.end)
    part = {"fee": Fraction(1), "service-share": Fraction(2, 5), "annual-fee": Fraction(1, 12)}[terms.of]
    for (fee, code), credit in zip(given_fees, frame["credit"].tolist(), strict=True):
        assert 0 <= credit <= ceil(fee * part * Fraction(terms.cap_percent) / 100)
        assert not terms.cap_amount or credit <= Fraction(_sum(code, "1")) * 10 ** DIGITS[code]


def assessed(windows: list[Window], policy: Policy) -> Assessment:
    return assess(windows, policy, 1, "email", "EMEA", MARCH, MARCH.end)


@settings(deadline=None, max_examples=100)
@given(some_terms, st.data(), st.integers(0, 10**6))
def test_open_times_and_regions_stay_within_their_bounds_under_any_remedy(
    terms: Terms, data: st.DataObject, fee: int
) -> None:
    """Open tolerances, regions and ends: every way to close them gives an amount between the least and the most.

    Of all that can be open under any measure: test_bounds_laws.py.
    """
    policy = parse_policy(msgspec.structs.replace(terms, regions="each").toml())
    open_ones, closed = [], []
    for window in data.draw(some_windows()):
        end = window.end or 0
        within = data.draw(st.sampled_from([0, 0, 60, 600]))
        unknown = data.draw(st.booleans())
        open_ones.append(
            msgspec.structs.replace(
                window,
                start_within_seconds=within,
                end_within_seconds=within,
                region="unknown" if unknown else window.region,
            )
        )
        start, stop = (
            moment + data.draw(st.integers(-within, within)) // CELL * CELL for moment in (window.start, end)
        )
        there = window.region if not unknown else data.draw(st.sampled_from(["EMEA", "NAM"]))
        if start < stop:
            closed.append(msgspec.structs.replace(window, start=start, end=stop, region=there))
    bounds, exact = assessed(open_ones, policy), assessed(closed, policy)
    assert (
        bounds.eligible_at_least
        <= exact.eligible_at_least
        == exact.eligible_at_most
        <= bounds.eligible_at_most
    )
    assert bounds.availability_at_least <= exact.availability_at_least <= bounds.availability_at_most
    low, high = (one.amount(fee) for one in bounds.outcome.prices("USD"))
    paid, same = (one.amount(fee) for one in exact.outcome.prices("USD"))
    assert low <= paid == same <= high


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize(
    "kind", ["calendar-month", "calendar-quarter", "calendar-year", "billing-month", "trailing-days"]
)
def test_periods_follow_each_other_and_their_days_add_up(zone: str, kind: str) -> None:
    """Months of 28 to 31 days, quarters and years, with clocks put forward and back, over midnight and the year's end."""
    length = (
        "anchor_day = 31\n" if kind == "billing-month" else "days = 30\n" if kind == "trailing-days" else ""
    )
    text = (
        f'format = 2\npolicy = "p"\nin_force_from = 2000-01-01\n[period]\nkind = "{kind}"\nzone = "{zone}"\n{length}'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "1"\n[credit]\nrounding = "half-up"\n'
    )
    rule = parse_policy(text).period
    label = {
        "calendar-month": "2023-11",
        "calendar-quarter": "2023-Q3",
        "calendar-year": "2022",
        "billing-month": "2023-11",
    }
    period = parse_policy_period(rule, label.get(kind, "2023-11-30"))
    for _ in range(6):
        after = following(rule, period, 1)
        assert after.start == period.end
        found = days(period)
        assert sum(day.seconds for day in found) == period.seconds
        assert (found[0].start, found[-1].end) == (period.start, period.end)
        assert period_holding(rule, period.end - 1) == period
        if kind != "trailing-days":
            assert period_holding(rule, period.start) == period
        period = after
