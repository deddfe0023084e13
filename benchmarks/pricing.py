"""How many subscriptions are priced in a second, with every row checked against fractions.

Data mix: 1,000,000 subscriptions over 4 services, 6 regions, 5 policies (full, by share, above a share; UTC,
London and New York; five rounding modes) and 4 currencies of 0, 2 and 3 digits; every tenth is valid for a
part of the month. 240 windows: every fifth with a share only, every seventh with tolerances, one open. Once without
cohorts, and once with every fortieth window limited to one of three cohorts of 1,000 customers.
Loading is not measured, as the table is in memory by then; every column of the credit row is made. The check
shares no code with the pricing: it cuts the month at every moment at which anything changes, and computes
each row's money as a fraction.
"""

from __future__ import annotations

import gc
import random
import time
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd

from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import price
from tools.terms import terms

SUBSCRIPTIONS = 1_000_000
MUST_REACH = 3_000_000
COHORTS_REACH = 0.33
CUSTOMERS = 1_000
RUNS = 5
SERVICES = ("email", "web", "storage", "search")
REGIONS = ("NAM", "EMEA", "APAC", "LATAM", "ANZ", "MEA")
DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}
BEGIN = int(datetime(2022, 3, 1, tzinfo=UTC).timestamp())
AS_OF = BEGIN + 20 * 86_400
# Key, zone, how windows count, the share above which they do, rounding; then edges and what is paid, best
# first.
TERMS = {
    "standard": ("UTC", "full", None, "half-up"),
    "london": ("Europe/London", "full", None, "half-even"),
    "share": ("UTC", "by-share", None, "down"),
    "errors": ("America/New_York", "above-share", "0.05", "up"),
    "half-down": ("UTC", "full", None, "half-down"),
}
LADDER = (("99.9", "0"), ("99.0", "10"), ("95.0", "12.5"), ("0", "33.3"))


def main() -> list[dict[str, Any]]:
    """Measure, check every row, and return the rows of the table."""
    windows, table = _windows(), _subscriptions()
    plain, cpu = _rate(table, windows, {})
    members = {
        f"c{number}": [f"customer-{at}" for at in range(number, 3 * CUSTOMERS, 3)] for number in range(3)
    }
    limited = [
        msgspec.structs.replace(window, cohort=f"c{at // 40 % 3}") if at % 40 == 0 else window
        for at, window in enumerate(windows)
    ]
    with_cohorts, cohorts_cpu = _rate(table, limited, members)
    return [
        {"what": f"credits, {SUBSCRIPTIONS:,} subscriptions in memory, all columns", "bound": f">= {MUST_REACH:,} rows/s",
         "ratio": plain, "ok": plain >= MUST_REACH, "detail": f"{cpu:,.0f} rows/s of CPU; every row equal to a calculation in fractions"},
        {"what": "the same, with windows limited to cohorts", "bound": f">= {COHORTS_REACH} x without, CPU",
         "ratio": cohorts_cpu / cpu, "ok": cohorts_cpu >= COHORTS_REACH * cpu,
         "detail": f"{with_cohorts:,.0f} rows/s, {cohorts_cpu:,.0f} of CPU; every row equal to a calculation in fractions"},
    ]  # fmt: skip


def _rate(table: pd.DataFrame, windows: list[Window], members: dict[str, list[str]]) -> tuple[float, float]:
    """Return how many rows are priced in a second, and in a second of CPU, after each was found right."""
    policies: dict[str, list[tuple[int, Policy]]] = {key: [(1, parse_policy(_toml(key)))] for key in TERMS}
    cohorts = {
        name: Cohort(f"cohort/{name} v1", pd.array(names, dtype="str")) for name, names in members.items()
    }
    taken: list[float] = []
    worked: list[float] = []
    for _ in range(RUNS):
        gc.collect()
        begin, started = time.perf_counter(), time.process_time()
        frame = price(table, windows, policies, "2022-03", AS_OF, (), cohorts)
        taken.append(time.perf_counter() - begin)
        worked.append(time.process_time() - started)
    _check(frame, table, windows, {name: frozenset(names) for name, names in members.items()})
    # The middle run: the first one pays for pages the later ones reuse.
    seconds, cpu = (sorted(found)[RUNS // 2] for found in (taken, worked))
    return SUBSCRIPTIONS / seconds, SUBSCRIPTIONS / cpu


def _toml(key: str) -> str:
    zone, windows, above, rounding = TERMS[key]
    # What is paid below an edge is what the next one of the ladder pays.
    steps = {edge: paid for (edge, _), (_, paid) in pairwise(LADDER)}
    return terms(
        key,
        steps,
        zone=zone,
        windows=windows,
        share_above=above or "",
        rounding=rounding,
        effects=("outage", "data-loss"),
    )


def _windows() -> list[Window]:
    chance = random.Random(20220314)
    found: list[Window] = []
    for number in range(240):
        start = BEGIN + chance.randrange(-7200, 31 * 86_400)
        share = f"0.0{chance.randrange(1, 99):02}" if number % 5 == 0 else None
        within = chance.randrange(1, 600) if number % 7 == 0 else 0
        found.append(
            Window(
                incident=f"incident-{number // 3}",
                window=f"w{number}",
                service=SERVICES[number % 4],
                component="*",
                region=REGIONS[chance.randrange(6)],
                start=start,
                end=None if number == 239 else start + chance.randrange(60, 3 * 3600),
                effect=("outage", "data-loss", "degraded")[chance.randrange(3)],
                share_at_least=share,
                share_at_most=share,
                start_within_seconds=within,
                end_within_seconds=within // 2,
                entries=(f"incident/incident-{number // 3} v{number % 3 + 2}",),
            )
        )
    return found


def _subscriptions() -> pd.DataFrame:
    chance = np.random.default_rng(20220314)

    def some(names: tuple[str, ...]) -> Any:
        return pd.Categorical.from_codes(
            chance.integers(0, len(names), SUBSCRIPTIONS), categories=pd.Index(names)
        )

    first = np.full(SUBSCRIPTIONS, np.datetime64("2021-01-01", "s"))
    past = np.full(SUBSCRIPTIONS, np.datetime64("NaT", "s"))
    first[::20] = np.datetime64("2022-03-09", "s")
    past[10::20] = np.datetime64("2022-03-21", "s")
    currency = some(tuple(DIGITS))
    return pd.DataFrame(
        {
            "customer": pd.array([f"customer-{number // 3}" for number in range(SUBSCRIPTIONS)], dtype="str"),
            "subscription": pd.array(
                [f"subscription-{number}" for number in range(SUBSCRIPTIONS)], dtype="str"
            ),
            "service": some(SERVICES),
            "region": some(REGIONS),
            "policy": some(tuple(TERMS)),
            "currency": currency,
            "fee": chance.integers(0, 10**9, SUBSCRIPTIONS),
            "minor_units": np.array(list(DIGITS.values()), dtype=np.int8)[currency.codes],
            "valid_from": first,
            "valid_to": past,
        }
    )


def _check(
    frame: pd.DataFrame, table: pd.DataFrame, windows: list[Window], members: dict[str, frozenset[str]]
) -> None:
    """Compare every row with fractions; ValueError where one differs."""
    expected: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    keys = [table[name].tolist() for name in ("service", "region", "policy", "valid_from", "valid_to")]
    names = (
        "subscription", "fee", "credit", "credit_at_least", "credit_at_most", "credit_percent",
        "availability_at_least", "availability_at_most", "downtime_seconds",
        "eligible_downtime_seconds_at_least", "period_seconds",
    )  # fmt: skip
    made = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in names]
    given = zip(
        table["subscription"].tolist(), table["fee"].tolist(), table["customer"].tolist(), *keys, strict=True
    )
    for row, (subscription, fee, customer, *key) in zip(zip(*made, strict=True), given, strict=True):
        outside = tuple(name for name, names in members.items() if customer not in names)
        facts = expected.get((*key, outside))
        if facts is None:
            theirs = [window for window in windows if window.cohort not in outside]
            facts = expected[*key, outside] = _facts(theirs, *key)
        rates, low, high, downtime, least, period = facts
        rounding = TERMS[key[2]][3]
        amounts = [_rounded(fee * rate, rounding) for rate in rates]
        credit = amounts[0] if amounts[0] == amounts[-1] else None
        percent = rates[0] * 100 if len(rates) == 1 else None
        if (
            row[:5] != (subscription, fee, credit, amounts[0], amounts[-1])
            or (None if row[5] is None else _exact(row[5])) != percent
            or (row[6], row[7], row[8], _exact(row[9]), row[10]) != (low, high, downtime, least, period)
        ):
            raise ValueError(
                f"{subscription}: priced {row}, but fractions give {amounts} of {fee} and {facts}"
            )


def _facts(
    windows: list[Window], service: str, region: str, policy: str, first: Any, past: Any
) -> tuple[Any, ...]:
    zone, how, above, _ = TERMS[policy]

    def midnight(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())

    begin, end = midnight(date(2022, 3, 1)), midnight(date(2022, 4, 1))
    low = max(begin, midnight(first.date()))
    high = end if pd.isna(past) else min(end, midnight(past.date()))
    mine = [window for window in windows if (window.service, window.region) == (service, region)]
    cuts = {low, high}
    for window in mine:
        start, stop = window.start, AS_OF if window.end is None else window.end
        early, late = window.start_within_seconds, window.end_within_seconds
        cuts |= {start, start - early, start + early, stop, stop - late, stop + late}
    moments = sorted(moment for moment in cuts if low <= moment <= high)
    downtime, least, most = 0, Fraction(0), Fraction(0)
    for begins, ends in pairwise(moments):
        surely, perhaps, down = Fraction(0), Fraction(0), False
        for window in mine:
            stop = AS_OF if window.end is None else window.end
            early, late = window.start_within_seconds, window.end_within_seconds
            down |= window.start <= begins and ends <= stop
            share = Fraction(window.share_at_most or 1)
            shares = (share if window.share_at_most or window.effect == "outage" else Fraction(0)), share
            if window.effect == "degraded":
                shares = Fraction(0), Fraction(0)
            elif how == "full":
                shares = Fraction(1), Fraction(1)
            if window.start + early <= begins and ends <= stop - (0 if window.end is None else late):
                surely = max(surely, shares[0])
            if window.start - early <= begins and ends <= (end if window.end is None else stop + late):
                perhaps += shares[1]
        downtime += (ends - begins) * down
        if above:
            surely, perhaps = Fraction(surely > Fraction(above)), Fraction(perhaps > Fraction(above))
        least += (ends - begins) * surely
        most += (ends - begins) * min(perhaps, Fraction(1))
    period = end - begin
    availability = 1 - most / period, 1 - least / period
    # The place of an availability on the ladder, best first; every edge belongs to the tier above it.
    best, worst = (sum(one < Fraction(edge) / 100 for edge, _ in LADDER) for one in reversed(availability))
    rates = [Fraction(percent) / 100 for _, percent in LADDER[best : worst + 1]]
    return rates, _shown(availability[0]), _shown(availability[1]), downtime, least, period


@cache
def _exact(value: int | str) -> Fraction:
    return Fraction(value)


def _shown(availability: Fraction) -> str:
    digits = str(round(availability * 10**14)).rjust(13, "0")
    return f"{digits[:-12]}.{digits[-12:]}"


def _rounded(value: Fraction, mode: str) -> int:
    whole = value.numerator // value.denominator
    rest = value - whole
    half = Fraction(1, 2)
    match mode:
        case "half-up":
            return whole + (rest >= half)
        case "half-down":
            return whole + (rest > half)
        case "half-even":
            # Python rounds a fraction half to even.
            return round(value)
        case "up":
            return whole + (rest > 0)
        case _:
            return whole


if __name__ == "__main__":
    print(*main(), sep="\n")
