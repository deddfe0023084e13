"""A workbook of customers whose names are formulas, three currencies and a credit that is undecided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ledger.domain.events import IncidentUpdated
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.store.stream import Entry
from projections.credits import Workings, price, workings
from projections.subscriptions import read_subscriptions
from projections.workbook import write_workbook

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"

TERMS = (EXAMPLE / "policies" / "email-standard.toml").read_text()

HOSTILE = ("=1+1", "+SUM(A1)", "-2", "@cmd", "=HYPERLINK(0)", "_x003D_1+1", "a\u00a0b  c", "<b>&amp;")


def frames() -> tuple[pd.DataFrame, Workings, list[Window], Any]:
    """Return (before, priced, windows, policy): hostile customers, an undecided credit, three currencies."""
    policy = parse_policy(TERMS)
    table = ["customer,subscription,service,region,policy,currency,fee,valid_from,valid_to"]
    table += [
        f'"{name}",s-{at},email,EMEA,email-standard,EUR,100.00,2021-01-01,' for at, name in enumerate(HOSTILE)
    ]
    table += [
        "Yen,s-yen,email,EMEA,email-standard,JPY,1001,2021-01-01,",
        "Open,s-open,email,NAM,email-standard,USD,10.05,2021-01-01,",
        "Part,s-part,email,EMEA,email-standard,EUR,3.33,2022-03-01,2022-03-02",
    ]
    subscriptions = read_subscriptions("\n".join(table).encode() + b"\n", "csv")
    start = 1_646_092_800  # 2022-03-01T00:00:00Z
    windows = [
        Window(
            "i", "=w()", "email", "c", "EMEA", start, start + 30_000, "outage", entries=("incident/i v2",)
        ),
        Window("i", "o", "email", "c", "NAM", start + 86_400, None, "outage", entries=("incident/i v3",)),
    ]
    policies = {"email-standard": [(1, policy)]}
    before = price(subscriptions, [], policies, "2022-03", start + 90_000)
    after = workings(subscriptions, windows, policies, "2022-03", start + 90_000)
    return before, after, windows, policy


def entry() -> Entry:
    """Return an entry whose actor and text are formulas."""
    return Entry(
        7, "incident/i", 2, "incident.updated", "2022-03-02T00:00:00.000000Z", "2022-03-01T12:00:00.000000Z",
        IncidentUpdated(actor="=actor", body="+body\n@two", published_at="2022-03-01T12:00:00.000000Z"),
    )  # fmt: skip


def write(path: Path, **more: Any) -> str:
    """Write the workbook of `frames`."""
    before, after, windows, policy = frames()
    given: dict[str, Any] = {
        "priced": after, "period": "2022-03", "as_of": 1_646_092_800 + 90_000, "windows": windows,
        "policies": [("email-standard", 1, policy, TERMS)], "entries": [entry()], "before": before,
        "provenance": {"period": "2022-03", "root": "ab" * 32, "size": "3"},
    }  # fmt: skip
    return write_workbook(path, **(given | more))
