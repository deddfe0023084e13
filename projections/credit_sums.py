"""Sums over credit rows by currency, and how two computations of them differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ledger.domain.money import MOST_MINOR_UNITS, minor_units
from ledger.errors import Refused
from projections.credit_amounts import digits_of
from projections.credit_rows import DIFFERENCE_COLUMNS, MONEY_COLUMNS
from projections.grouping import Codes, category_of

__all__ = ["added", "difference", "totals"]


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of a frame of `price` or `difference`, one row per currency, sorted by it.

    Columns: currency, subscriptions (their number), undecided (rows whose credit or delta is null), each
    money column of the frame (minor units; null where any row is), minor_units. Sums are exact at any size: a
    column that would leave 64 bits holds Python integers.
    """
    decided = "delta" if "delta" in frame.columns else "credit"
    money = [name for name in frame.columns if name in MONEY_COLUMNS]
    currency = category_of(frame["currency"])
    places = {str(code): place for place, code in enumerate(currency.categories)}
    found: list[dict[str, Any]] = []
    for code in sorted(places):
        here = currency.codes == places[code]
        if here.any():
            sums = {name: _sum(frame[name].array[here]) for name in money}
            undecided = int(frame[decided].array[here].isna().sum())
            found.append({"currency": code, "subscriptions": int(here.sum()), "undecided": undecided, **sums})
    return _sums(found, money)


def added(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the totals of several frames of `totals` together: what they would be of all their rows."""
    found: dict[str, dict[str, Any]] = {}
    money: list[str] = []
    for part in parts:
        money = [name for name in part.columns if name in MONEY_COLUMNS]
        for row in part.astype(object).to_dict("records"):
            sums = found.setdefault(row["currency"], {"currency": row["currency"]})
            for name in ("subscriptions", "undecided", *money):
                before, more = sums.get(name, 0), row[name]
                sums[name] = None if before is None or pd.isna(more) else before + int(more)
    return _sums([found[currency] for currency in sorted(found)], money)


def _sums(found: list[dict[str, Any]], money: list[str]) -> pd.DataFrame:
    """Return one row for each currency; what would leave 64 bits stays Python's integers."""
    summed: dict[str, Any] = {
        name: [row[name] for row in found] for name in ("currency", "subscriptions", "undecided", *money)
    }
    for name in money:
        fits = all(abs(value or 0) <= MOST_MINOR_UNITS for value in summed[name])
        summed[name] = pd.array(summed[name], dtype="Int64") if fits else np.array(summed[name], dtype=object)
    summed["minor_units"] = np.array([minor_units(code) for code in summed["currency"]], dtype=np.int8)
    return pd.DataFrame(summed)


def _sum(amounts: Any) -> int | None:
    """Return the exact sum of a column of integers, None where one of them is null."""
    if amounts.isna().any():
        return None
    values = amounts.to_numpy(dtype=np.int64)
    highest = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    return int(values.sum()) if highest * len(values) <= MOST_MINOR_UNITS else sum(values.tolist())


def difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return what changed between two frames of `price`, per subscription in either, with DIFFERENCE_COLUMNS.

    Money is in minor units. delta is the credit after minus the credit before, both as rounded; it is null
    where a side is undecided. What a subscription is (its region, fee and so on) is told as in `after`. One
    that only one frame has was credited nothing in the other. The order is that of `before`, then what only
    `after` has. Raises Refused where a subscription's currency changed.
    """
    told = list(DIFFERENCE_COLUMNS[:8])
    # As objects, since looking up a million texts of pandas' own type takes six times as long.
    old, new = (pd.Index(side["subscription"].astype(object)) for side in (before, after))
    if old.equals(new):
        labels, old_at, new_at = after[told].reset_index(drop=True), None, None
    else:
        everyone = old.append(new[~new.isin(old)])
        old_at, new_at = old.get_indexer(everyone), new.get_indexer(everyone)
        only_old = before.loc[~np.asarray(old.isin(new)), told]
        labels = pd.concat([after[told], only_old], ignore_index=True)
        labels = labels.iloc[
            pd.Index(labels["subscription"].astype(object)).get_indexer(everyone)
        ].reset_index(drop=True)
    _same_currency(before, labels, old_at)
    found: dict[str, Any] = {name: labels[name] for name in told}
    for side, frame, at in (("before", before, old_at), ("after", after, new_at)):
        for name in ("credit", "credit_at_least", "credit_at_most"):
            found[name.replace("credit", f"credit_{side}", 1)] = _aligned(frame[name], at)
    found["delta"] = found["credit_after"] - found["credit_before"]
    result = pd.DataFrame({name: found[name] for name in DIFFERENCE_COLUMNS}, copy=False)
    result["minor_units"] = digits_of(result["currency"])
    return result


def _aligned(amounts: pd.Series, at: Codes | None) -> pd.arrays.IntegerArray:
    """Return amounts as nullable integers in the order of the places `at` (None: as they are), 0 for -1."""
    null = amounts.isna().to_numpy()
    values = amounts.fillna(0).to_numpy(dtype=np.int64)
    if at is None:
        return pd.arrays.IntegerArray(values.copy(), null.copy())
    return pd.arrays.IntegerArray(
        np.append(values, 0)[at].astype(np.int64), np.append(null, False)[at].astype(np.bool_)
    )


def _same_currency(before: pd.DataFrame, labels: pd.DataFrame, at: Codes | None) -> None:
    then = before["currency"].astype(object).to_numpy()
    now = labels["currency"].astype(object).to_numpy()
    places = np.arange(len(now)) if at is None else at
    there = np.flatnonzero(places >= 0)
    changed = there[then[places[there]] != now[there]]
    problems = [
        f"subscription {labels['subscription'].iloc[row]!r} was billed in {then[places[row]]} before and in "
        f"{now[row]} after, which cannot be subtracted; correct the currency"
        for row in changed.tolist()
    ]
    if problems:
        raise Refused("; ".join(problems[:20]), tuple(problems))
