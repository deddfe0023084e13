"""Credit rows: their columns, and rows as programs read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ledger.domain.money import format_money

__all__ = ["CLAIM_COLUMNS", "COLUMNS", "DIFFERENCE_COLUMNS", "MONEY_COLUMNS", "rows"]

# Where the claim of a row stands, under policies that pay on request.
CLAIM_COLUMNS = ("claim_state", "claim", "claim_last_day")
# The keys of a credit row, in the order of the documented contract; the added ones follow what they belong
# to.
COLUMNS = (
    "customer", "subscription", "service", "region", "policy", "policy_version", "policy_sha256", "period",
    "currency", "fee", "downtime_seconds", "excluded_seconds",
    "eligible_downtime_seconds", "eligible_downtime_seconds_at_least",
    "eligible_downtime_seconds_at_most", "period_seconds", "availability", "availability_at_least",
    "availability_at_most", "credit_percent", "credit", "credit_at_least", "credit_at_most", "rule",
    "seconds_to_next_tier", "seconds_past_tier_edge", "provisional", "approximate", "entries",
    "value", "value_at_least", "value_at_most", "service_days", "service_days_at_least", "service_days_at_most",
    "termination", *CLAIM_COLUMNS,
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    "customer", "subscription", "service", "region", "policy", "period", "currency", "fee",
    "credit_before", "credit_before_at_least", "credit_before_at_most",
    "credit_after", "credit_after_at_least", "credit_after_at_most", "delta",
)  # fmt: skip
MONEY_COLUMNS = frozenset(
    (
        "fee", "credit", "credit_at_least", "credit_at_most", "credit_before", "credit_before_at_least",
        "credit_before_at_most", "credit_after", "credit_after_at_least", "credit_after_at_most", "delta",
    )
)  # fmt: skip

ROWS_AT_ONCE = 8192


def rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each row of a frame of `price`, `difference` or `totals` as a dict ready for JSON.

    Money is decimal text with all digits of its currency; null is None; entries are a list.
    """
    names = [name for name in frame.columns if name != "minor_units"]
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = frame.iloc[start : start + ROWS_AT_ONCE]
        currencies = part["currency"].tolist()
        columns = [_spelled(name, part[name], currencies) for name in names]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


def _spelled(name: str, column: pd.Series, currencies: list[str]) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.hasnans:
        values = [None if null else value for value, null in zip(values, column.isna().tolist(), strict=True)]
    if name in MONEY_COLUMNS:
        return [
            None if value is None else format_money(value, currency)
            for value, currency in zip(values, currencies, strict=True)
        ]
    return [list(value) for value in values] if name == "entries" else values
