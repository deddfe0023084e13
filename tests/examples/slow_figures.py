"""The figures of the March 2022 example, from the stated windows alone, in fractions and without the product.

`python tests/examples/slow_figures.py` rewrites `expected/figures.json`. The windows, the tiers and how each
policy counts stand here a second time on purpose: a slip in `actions.jsonl` or `policies/` then shows.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
FIGURES = EXAMPLE / "expected" / "figures.json"
DIGITS = {"EUR": 2, "USD": 2, "JPY": 0}
REGIONS = ("NAM", "EMEA")
# Region, start, end, and whether it was told before the correction of 30 March 2022, 16:52 UTC.
WINDOWS = (
    ("EMEA", "2022-03-14T16:00", "2022-03-14T23:59", True),
    ("NAM", "2022-03-15T02:30", "2022-03-15T10:00", False),
    ("EMEA", "2022-03-15T16:30", "2022-03-16T00:30", False),
)
SHARE_MOST = Fraction("0.002")
TIERS = ((Fraction("99.9"), 0), (Fraction("99.0"), 10), (Fraction("98.0"), 25), (Fraction(0), 50))


def second(text: str) -> int:
    """Return the UTC second of a date or a time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


FIRST, PAST = second("2022-03-01"), second("2022-04-01")
MONTH = PAST - FIRST


def downtime(region: str, side: str, first: int = FIRST, past: int = PAST) -> int:
    """Return the stated seconds of a region within [first, past); the stated windows do not overlap."""
    return sum(
        max(0, min(second(end), past) - max(second(start), first))
        for where, start, end, early in WINDOWS
        if where == region and (early or side == "after")
    )


def availability(seconds: Fraction) -> Fraction:
    """Return the percentage of the month that is left."""
    return 100 - 100 * seconds / MONTH


def spelled(value: Fraction, places: int) -> str:
    """Return a non-negative number with so many decimal places, ties to even."""
    return f"{Decimal(round(value * 10**places)).scaleb(-places):f}"


def money(fee: Fraction, percent: int, digits: int) -> Decimal:
    """Return that part of a fee, rounded half up once."""
    return Decimal(floor(fee * percent / 100 * 10**digits + Fraction(1, 2))).scaleb(-digits)


def assessed(row: dict[str, str], side: str) -> dict[str, Any]:
    """Return what one subscription is owed as told on one side of the correction."""
    first = max(FIRST, second(row["valid_from"]))
    past = min(PAST, second(row["valid_to"])) if row["valid_to"] else PAST
    stated = Fraction(downtime(row["region"], side, first, past))
    least, most = {
        "email-standard": (stated, stated),
        # "Less than 0.2%" is a bound: from nothing to the whole of it.
        "email-by-share": (Fraction(0), stated * SHARE_MOST),
        # At most 0.2% is never more than 5%.
        "email-five-percent": (Fraction(0), Fraction(0)),
    }[row["policy"]]
    percents = [
        next(percent for edge, percent in TIERS if availability(seconds) >= edge) for seconds in (least, most)
    ]
    low, high = (money(Fraction(row["fee"]), percent, DIGITS[row["currency"]]) for percent in percents)
    return {
        "downtime_seconds": int(stated),
        "availability": spelled(availability(least), 12) if least == most else None,
        "availability_at_least": spelled(availability(most), 12),
        "availability_at_most": spelled(availability(least), 12),
        "credit_percent": str(percents[0]) if percents[0] == percents[1] else None,
        "credit": str(low) if low == high else None,
        "credit_at_least": str(low),
        "credit_at_most": str(high),
    }


def figures() -> dict[str, Any]:
    """Return every figure of the example."""
    with (EXAMPLE / "subscriptions.csv").open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    subscriptions = {}
    totals: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        before, after = assessed(row, "before"), assessed(row, "after")
        # The share never decides a tier here, so every credit is one amount.
        change = Decimal(after["credit"]) - Decimal(before["credit"])
        subscriptions[row["subscription"]] = {
            "customer": row["customer"],
            "currency": row["currency"],
            "before": before,
            "after": after,
            "difference": str(change),
        }
        total = totals.setdefault(
            row["currency"], dict.fromkeys(("before", "after", "difference"), Decimal(0))
        )
        for name, amount in (
            ("before", Decimal(before["credit"])),
            ("after", Decimal(after["credit"])),
            ("difference", change),
        ):
            total[name] += amount
    return {
        "period_seconds": MONTH,
        "regions": {
            region: {
                side: {
                    "downtime_seconds": downtime(region, side),
                    "availability": spelled(availability(Fraction(downtime(region, side))), 12),
                }
                for side in ("before", "after")
            }
            for region in REGIONS
        },
        "nam_seconds_past_99_0": int(downtime("NAM", "after") - Fraction(MONTH, 100)),
        "subscriptions": subscriptions,
        "totals": {
            currency: {name: str(amount) for name, amount in total.items()}
            for currency, total in sorted(totals.items())
        },
    }


if __name__ == "__main__":
    FIGURES.write_text(json.dumps(figures(), indent=1) + "\n", encoding="utf-8")
