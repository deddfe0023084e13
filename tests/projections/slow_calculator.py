"""A slow calculator in fractions, and any terms, windows and rows for it; it shares no code with the fast one.

It cuts the month at every moment at which anything changes and asks each window, for each
piece, what it says. It reads terms and windows as generated and knows neither intervals nor groups.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import strategies as st

from ledger.domain.window import Planned, Window
from projections.credits import read_subscriptions

HOUR = 3600

MARCH = 1_646_092_800

DIGITS = {"USD": 2, "JPY": 0, "BHD": 3}

REGIONS = ("EMEA", "NAM", "APAC")

CUSTOMERS = ("Acme", "Bell", "Müller AG")

# Ascending edges in percent, then whether each edge belongs to the tier above it, then what the tiers pay
# from below.
Ladder = tuple[tuple[str, bool, str], ...]


class Terms(NamedTuple):
    zone: str
    effects: tuple[str, ...]
    windows: str
    share_above: str | None
    planned_counts: bool
    ladder: Ladder
    worst: str
    rounding: str


def toml(key: str, terms: Terms) -> str:
    """Spell generated terms as a policy."""
    text = f'format = 1\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\n'
    text += (
        f'zone = "{terms.zone}"\n[counting]\neffects = {list(terms.effects)}\nwindows = "{terms.windows}"\n'
    )
    text += f'planned = "{"counted" if terms.planned_counts else "excluded"}"\n'
    if terms.share_above is not None:
        text += f'share_above = "{terms.share_above}"\n'
    below = ""
    for (edge, belongs_above, _), percent in zip(
        terms.ladder, (terms.worst, *(step[2] for step in terms.ladder)), strict=False
    ):
        text += f"[[tiers]]\n{below}"
        text += f'availability_{"below" if belongs_above else "at_most"} = "{edge}"\n'
        text += f'credit_percent = "{percent}"\n'
        below = f'availability_{"at_least" if belongs_above else "above"} = "{edge}"\n'
    best = terms.ladder[-1][2] if terms.ladder else terms.worst
    text += f'[[tiers]]\n{below}credit_percent = "{best}"\n'
    return text + f'[credit]\nof = "fee"\nrounding = "{terms.rounding}"\n'


def percents(terms: Terms, low: Fraction, high: Fraction) -> list[str]:
    """The credit of each tier between two availabilities, worst first."""

    def step(availability: Fraction) -> int:
        reached = 0
        for edge, belongs_above, _ in terms.ladder:
            bound = Fraction(edge) / 100
            reached += availability > bound or (belongs_above and availability == bound)
        return reached

    pays = [terms.worst, *(step[2] for step in terms.ladder)]
    return pays[step(low) : step(high) + 1]


def money(fee: str, currency: str, percent: str, rounding: str) -> str:
    with localcontext() as context:
        context.prec = 80
        unit = Decimal(1).scaleb(-DIGITS[currency])
        exact = Decimal(fee) * Decimal(percent) / 100
        # The decimal module has the same modes under names of its own.
        return str(exact.quantize(unit, rounding="ROUND_" + rounding.upper().replace("-", "_")))


class Slow(NamedTuple):
    downtime: int
    excluded: int
    least: Fraction
    most: Fraction
    period: int
    percents: list[str]
    provisional: bool


def slow(
    windows: list[Window], terms: Terms, row: dict[str, str], as_of: int, cohorts: dict[str, set[str]]
) -> Slow:
    zone = ZoneInfo(terms.zone)

    def midnight(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())

    begin, end = midnight(date(2022, 3, 1)), midnight(date(2022, 4, 1))
    low = max(begin, midnight(date.fromisoformat(row["valid_from"])))
    high = min(end, midnight(date.fromisoformat(row["valid_to"]))) if row["valid_to"] else end
    mine = []
    for window in windows:
        here = window.region == row["region"] or (
            window.region in ("*", "unknown") and (not window.regions or row["region"] in window.regions)
        )
        outside = window.cohort in cohorts and row["customer"] not in cohorts[window.cohort]
        if here and not outside and not window.withdrawn and window.service == row["service"]:
            mine.append(window)
    moments = {low, high}
    for window in mine:
        for moment in (window.start, as_of if window.end is None else window.end):
            for within in (window.start_within_seconds, window.end_within_seconds):
                moments |= {moment, moment - within, moment + within}
        if window.planned is not None:
            moments |= {window.planned.scheduled_start, window.planned.scheduled_end}
    moments = {moment for moment in moments if low <= moment <= high}
    cuts = sorted(moments)
    downtime = excluded = 0
    least = most = Fraction(0)
    provisional = False
    for start, stop in pairwise(cuts):
        lows, highs = [Fraction(0)], [Fraction(0)]
        down, stated = False, Fraction(0)
        for window in mine:
            last = as_of if window.end is None else window.end
            early, late = (
                window.start_within_seconds,
                window.end_within_seconds if window.end is not None else 0,
            )
            perhaps_until = end if window.end is None else last + late
            surely_in = window.start + early <= start and stop <= last - late
            stated_in = window.start <= start and stop <= last
            perhaps_in = window.start - early <= start and stop <= perhaps_until
            scheduled = window.planned is not None and (
                window.planned.scheduled_start <= start and stop <= window.planned.scheduled_end
            )
            counts = window.effect in terms.effects and (not scheduled or terms.planned_counts)
            share_low = Fraction(window.share_at_least) if window.share_at_least else Fraction(0)
            share_high = Fraction(window.share_at_most) if window.share_at_most else Fraction(1)
            if window.effect == "outage" and window.share_at_least is None and window.share_at_most is None:
                share_low = Fraction(1)
            if terms.windows == "full":
                share_low = share_high = Fraction(1)
            if not counts:
                share_low = share_high = Fraction(0)
            sure = window.region != "unknown"
            doubtful = window.cohort is not None and window.cohort not in cohorts
            if stated_in and sure:
                down = True
            if stated_in:
                stated += share_high
            if perhaps_in:
                highs.append(share_high)
                provisional |= window.end is None or doubtful
            if surely_in and sure and not doubtful:
                lows.append(share_low)
        downtime += (stop - start) * down
        if terms.windows == "above-share":
            edge = Fraction(terms.share_above or "0")
            excluded += (stop - start) * (down and stated <= edge)
            least += (stop - start) * (max(lows) > edge)
            most += (stop - start) * (sum(highs, Fraction(0)) > edge)
        else:
            excluded += (stop - start) * (down and stated == 0)
            least += (stop - start) * max(lows)
            most += (stop - start) * min(Fraction(1), sum(highs, Fraction(0)))
    period = end - begin
    found = percents(terms, 1 - most / period, 1 - least / period)
    return Slow(downtime, excluded, least, most, period, found, provisional)


@st.composite
def some_windows(draw: st.DrawFn) -> Window:
    start = MARCH + draw(st.integers(-48, 31 * 24)) * HOUR // 2 * 2
    length = draw(st.sampled_from([60, 2678, 2679, HOUR, 7 * HOUR + 1584, 8 * HOUR, 40 * HOUR]))
    share = draw(st.sampled_from([None, "0.002", "0.05", "0.051", "0.5", "1"]))
    least = draw(st.sampled_from([None, "0.001", "0.05"])) if share != "0.002" else None
    planned = draw(st.booleans()) and draw(st.booleans())
    region = draw(st.sampled_from([*REGIONS, "*", "unknown"]))
    return Window(
        incident=f"i-{draw(st.integers(1, 3))}",
        window=f"w-{draw(st.integers(1, 99))}",
        service=draw(st.sampled_from(["email", "email", "web"])),
        component="*",
        region=region,
        start=start,
        end=None if draw(st.integers(0, 9)) == 0 else start + length,
        effect=draw(st.sampled_from(["outage", "outage", "data-loss", "degraded"])),
        share_at_least=least,
        share_at_most=share,
        approximate=draw(st.booleans()),
        start_within_seconds=draw(st.sampled_from([0, 0, 60, 3 * HOUR])),
        end_within_seconds=draw(st.sampled_from([0, 0, 1, 7200])),
        cohort=draw(st.sampled_from([None, None, None, "beta", "gamma", "ghost"])),
        planned=Planned(start - HOUR, start + draw(st.sampled_from([0, 30, HOUR])), start + 2 * HOUR)
        if planned
        else None,
        withdrawn=draw(st.integers(0, 9)) == 0,
        regions=draw(st.sampled_from([("EMEA", "NAM"), ()])),
    )


@st.composite
def some_terms(draw: st.DrawFn) -> Terms:
    edges = sorted(
        draw(st.sets(st.sampled_from(["99.9", "99.0", "98", "99.95", "50"]), max_size=3)), key=Fraction
    )
    percent = st.sampled_from(["0", "5", "10", "12.5", "33.333", "100"])
    how = draw(st.sampled_from(["full", "by-share", "above-share"]))
    return Terms(
        zone=draw(st.sampled_from(["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"])),
        effects=tuple(
            sorted(draw(st.sets(st.sampled_from(["outage", "data-loss", "degraded"]), min_size=1)))
        ),
        windows=how,
        share_above=draw(st.sampled_from(["0", "0.05"])) if how == "above-share" else None,
        planned_counts=draw(st.booleans()),
        ladder=tuple((edge, draw(st.booleans()), draw(percent)) for edge in edges),
        worst=draw(percent),
        rounding=draw(
            st.sampled_from(["half-up", "half-even", "half-down", "up", "down", "ceiling", "floor"])
        ),
    )


@st.composite
def some_rows(draw: st.DrawFn) -> dict[str, str]:
    currency = draw(st.sampled_from(sorted(DIGITS)))
    minor = draw(st.sampled_from([0, 1, 4, 12, 20, 100, 1004, 2**63 - 1]) | st.integers(0, 10**9))
    digits = DIGITS[currency]
    first = date(2022, 3, 1) + timedelta(days=draw(st.sampled_from([-400, 0, 5, 14, 26])))
    days = draw(st.sampled_from([None, None, 1, 13, 1000]))
    return {
        "customer": draw(st.sampled_from(CUSTOMERS)),
        "service": draw(st.sampled_from(["email", "email", "web"])),
        "region": draw(st.sampled_from(REGIONS)),
        "policy": draw(st.sampled_from(["a", "b"])),
        "currency": currency,
        "fee": f"{minor // 10**digits}.{minor % 10**digits:0{digits}}" if digits else str(minor),
        "valid_from": first.isoformat(),
        "valid_to": "" if days is None else (first + timedelta(days=days)).isoformat(),
    }


def read(table: list[dict[str, str]]) -> pd.DataFrame:
    numbered = [{"subscription": f"s-{number}", **row} for number, row in enumerate(table)]
    return read_subscriptions(pd.DataFrame(numbered).to_csv(index=False).encode(), "csv")
