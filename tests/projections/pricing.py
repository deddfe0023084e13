"""A few rows priced in memory, for figures told by hand: subscriptions, windows and terms in a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.credits import Workings, rows, workings
from projections.subscriptions import read_subscriptions
from tools.terms import terms_2

_HEAD = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
# What most rows are: of Acme, for email in EMEA, under "p", 100.00 USD a month, since 2021.
_USUAL = {
    "customer": "Acme", "service": "email", "region": "EMEA", "policy": "p", "currency": "USD", "fee": "100.00", "since": "2021-01-01",
    "until": "",
}  # fmt: skip
_COLUMNS = ("customer", "name", "service", "region", "policy", "currency", "fee", "since", "until")
# Tiers that give all of the fee for each minute of downtime, from five minutes a month on.
EACH_MINUTE = (
    '[[tiers]]\navailability_at_least = "99.99"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99.99"\ncredit_percent = "100"\nper = "block"\nblock = "1 minute"\n'
)


def at(text: str) -> int:
    """Return the UTC second that a text such as "2022-03-14T10:00" names."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


APRIL = at("2022-04-01")


def subscribed(name: str, **other: str) -> str:
    """Return the line of a subscription that is the usual one in all that is not given."""
    cells = {**_USUAL, "name": name, **other}
    return ",".join(cells[column] for column in _COLUMNS)


def table(lines: Iterable[str]) -> pd.DataFrame:
    """Return a table of subscriptions as `price` takes it."""
    return read_subscriptions((_HEAD + "".join(f"{line}\n" for line in lines)).encode(), "csv")


def window(start: str, end: str | None, incident: str = "i", **other: Any) -> Window:
    """Return an outage of email in EMEA, which rests on the second entry of its incident."""
    given = {"service": "email", "region": "EMEA", "effect": "outage", **other}
    service, region, effect = (given.pop(name) for name in ("service", "region", "effect"))
    return Window(
        incident, "w", service, "flow", region, at(start), None if end is None else at(end), effect,
        entries=(f"incident/{incident} v2",), **given,
    )  # fmt: skip


def policy(
    key: str = "p", *, per: str = "calendar-month", zone: str = "UTC", measure: str = 'of = "time"', since: str = "2020-01-01",
    **other: Any,
) -> Policy:  # fmt: skip
    """Return the terms that `terms_2` makes, per another period, in another zone, or of another measure; one of no effects counts none."""
    text = terms_2(key, in_force_from=since, **other)
    text = text.replace('"calendar-month"', f'"{per}"').replace('zone = "UTC"', f'zone = "{zone}"')
    return parse_policy(text.replace('of = "time"', measure).replace("[counting]\neffects = []\n", ""))


def worked(
    lines: Iterable[str],
    windows: Sequence[Window],
    *policies: Policy | Sequence[Policy],
    period: str = "2022-03",
    as_of: int = APRIL,
    **other: Any,
) -> Workings:
    """Return what lines of subscriptions come to. policies: each by its key; several versions of one are v1, v2 and so on."""
    published: dict[str, list[tuple[int, Policy]]] = {}
    for one in policies:
        versions = [one] if isinstance(one, Policy) else list(one)
        published[versions[0].key] = list(enumerate(versions, 1))
    return workings(table(lines), windows, published, period, as_of, **other)


def priced(
    lines: Iterable[str], windows: Sequence[Window], *policies: Policy | Sequence[Policy], **other: Any
) -> Mapping[str, dict[str, Any]]:
    """Return the rows of `worked` as programs read them, by subscription."""
    return {row["subscription"]: row for row in rows(worked(lines, windows, *policies, **other).frame)}


def column(found: Mapping[str, dict[str, Any]], *names: str) -> dict[str, Any]:
    """Return one column of some rows by subscription, or several as tuples."""
    return {
        key: row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)
        for key, row in found.items()
    }
