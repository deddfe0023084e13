"""A series of documents in memory, for laws: made as the commands make them, read from the text of their lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import count
from typing import Any

import msgspec
import pandas as pd

from ledger.domain.documents import Document
from ledger.domain.events import AdjustmentIssued, Lines, RestsOn, StatementIssued
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from ledger.store.lines import check_lines, lines_of
from projections.causes import Since, moved_windows
from projections.credits import price
from projections.drafts import Draft, IssuerChoice, draft, statement_text
from projections.issued import Chain, Held, held, signed
from projections.restated import Restated, adjustment_text, reached, restated
from projections.subscriptions import table_of

__all__ = [
    "PLACES",
    "POLICIES",
    "REGIONS",
    "RESTS",
    "START",
    "Memory",
    "Series",
    "policy_of",
    "salts",
    "subscriptions_of",
    "windows_of",
]

START = 1_646_092_800  # 1 March 2022
REGIONS = ("EMEA", "NAM")
PLACES = [(service, region) for service in ("email", "web") for region in REGIONS]
_ENTRIES = count(1)


def _policy(key: str, *, clawback: bool) -> Policy:
    tiers = "".join(
        f'[[tiers]]\n{below}availability_at_least = "{edge}"\ncredit_percent = "{percent}"\n'
        for below, edge, percent in (
            ("", "99.9", "0"),
            ('availability_below = "99.9"\n', "99.0", "10"),
            ('availability_below = "99.0"\n', "0", "33.3"),
        )
    )
    found = parse_policy(
        f'format = 1\npolicy = "{key}"\ntitle = "x"\nin_force_from = 2022-01-01\n'
        '[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'[counting]\neffects = ["outage"]\nwindows = "full"\nplanned = "excluded"\n{tiers}'
        '[credit]\nof = "fee"\nrounding = "half-up"\n'
    )
    return msgspec.structs.replace(found, credit=msgspec.structs.replace(found.credit, clawback=clawback))


def _in_days(key: str, *, clawback: bool) -> Policy:
    """Return terms that give days of service beside money: half a day for each hour, and three and a sum when it is worse."""
    return parse_policy(
        f'format = 2\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
        '[[tiers]]\ndowntime_at_most = "10 hours"\nservice_days = "0.5"\nper = "block"\nblock = "1 hour"\n'
        '[[tiers]]\ndowntime_above = "10 hours"\nservice_days = "7.25"\ncredit_percent = "2.5"\n'
        f'[limits]\ndays = "7"\n[credit]\nrounding = "half-up"\nclawback = {str(clawback).lower()}\n'
    )


POLICIES = {
    "kept": [(1, _policy("kept", clawback=False))],
    "returned": [(1, _policy("returned", clawback=True))],
    "days-kept": [(1, _in_days("days-kept", clawback=False))],
    "days-returned": [(1, _in_days("days-returned", clawback=True))],
}


def policy_of(key: str, version: int) -> Policy:
    return dict(POLICIES[key])[version]


def subscriptions_of(rows: Sequence[tuple[int, str, str]]) -> pd.DataFrame:
    """Return a table: fee in cents, policy and currency of each subscription, over all places in turn."""
    columns: dict[str, list[str | None]] = {
        "customer": [f"c{at % 3}" for at in range(len(rows))],
        "subscription": [f"s{at}" for at in range(len(rows))],
        "service": [PLACES[at % 4][0] for at in range(len(rows))],
        "region": [PLACES[at % 4][1] for at in range(len(rows))],
        "policy": [policy for _, policy, _ in rows],
        "currency": [currency for _, _, currency in rows],
        "fee": [
            f"{fee // 100}.{fee % 100:02}" if currency == "EUR" else str(fee) for fee, _, currency in rows
        ],
        "valid_from": ["2022-03-11" if at % 5 == 4 else "2021-01-01" for at in range(len(rows))],
        "valid_to": ["2022-03-21" if at % 7 == 6 else None for at in range(len(rows))],
    }
    return table_of(columns, str)


class Memory:
    """Keeps the lines of documents by digest, as a ledger does."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.read: Counter[str] = Counter()

    def keep(self, content: bytes) -> Lines:
        found = lines_of(content)
        check_lines(content, *found)
        self.kept[found.lines.sha256] = content
        return found.lines

    def content(self, digest: str) -> bytes | None:
        return self.kept.get(digest)

    def check_content(self, digest: str) -> None:
        assert sha256(self.kept[digest]).hexdigest() == digest

    def content_part(self, digest: str, start: int, stop: int) -> bytes:
        self.read[digest] += stop - start
        return self.kept[digest][start:stop]


def salts() -> Callable[[], bytes]:
    numbers = count()
    return lambda: sha256(str(next(numbers)).encode()).digest()[:16]


class Series:
    """A period that is issued and restated, revision after revision."""

    def __init__(self, table: pd.DataFrame, windows: list[Window], issued: Draft | None = None) -> None:
        self.table, self.windows, self.log = table, windows, Memory()
        lines = self.log.keep(statement_text(issued or self.draft(), salts()))
        event = StatementIssued(
            actor="a", period="2022-03", decided_on="2022-04-01", accounting_date="2022-03-31", rests_on=RESTS, lines=lines,
            totals=(), number=1,
        )  # fmt: skip
        self.chain = Chain("main", [Document(1, 1, event)])

    def draft(self, table: pd.DataFrame | None = None) -> Draft:
        table = self.table if table is None else table
        frame = price(table, self.windows, POLICIES, "2022-03", START + 40 * 86_400)
        return draft(table, frame, IssuerChoice(), [], policy_of, lambda some, _: some)

    def held(self, wanted: Any = None) -> Held:
        return held(self.log, self.chain, wanted)  # type: ignore[arg-type]

    def restate(self, windows: list[Window]) -> tuple[Restated, Restated]:
        """Return what changes when everything is looked at, and when only what moved can reach."""
        moved = moved_windows(self.windows, windows, lambda incident, window: (), later=False)
        self.windows = windows
        whole = restated(self.held(), self.draft(), policy_of, Since(moved))
        part = self.held(reached(moved, policy_of))
        some = self.table[self.table["subscription"].isin(part.lines["subscription"])].reset_index(drop=True)
        few = restated(part, self.draft(some), policy_of, Since(moved)) if len(some) else Restated([], 0)
        return whole, few

    def adjust(self, found: Restated) -> Lines:
        return self.keep(adjustment_text(found, salts()))

    def keep(self, content: bytes) -> Lines:
        """Add an adjustment with lines that are given as their text."""
        lines = self.log.keep(content)
        number = len(self.chain.documents) + 1
        event = AdjustmentIssued(
            actor="a", adjusts=1, follows=number - 1, period="2022-03", decided_on="2022-04-01",
            accounting_date="2022-04-30", rests_on=RESTS, causes=(), lines=lines, totals=(), number=number,
        )  # fmt: skip
        self.chain = Chain("main", [*self.chain.documents, Document(number, number, event)])
        return lines

    def right(self) -> dict[str, int]:
        found = self.draft().lines
        return dict(zip(found["subscription"].tolist(), found["amount"].tolist(), strict=True))

    def right_days(self) -> dict[str, Fraction]:
        found = self.draft().lines
        return {
            name: days
            for name, days in zip(found["subscription"].tolist(), found["service_days"].tolist(), strict=True)
            if days is not None
        }

    def booked_days(self) -> dict[str, Fraction]:
        """Return the sum of the days of service of all lines of all documents, read from their texts alone."""
        sums: dict[str, Fraction] = {}
        for document in self.chain.documents:
            for leaf in self.log.kept[document.event.lines.sha256].splitlines():
                line = msgspec.json.decode(leaf).get("line")
                if line is not None and "service_days" in line:
                    name = line["subscription"]
                    sums[name] = sums.get(name, Fraction(0)) + Fraction(line["service_days"])
        return sums

    def booked(self) -> dict[str, int]:
        """Return the sum of the amounts of all lines of all documents, read from their texts alone."""
        sums: Counter[str] = Counter()
        for document in self.chain.documents:
            for leaf in self.log.kept[document.event.lines.sha256].splitlines():
                if (line := msgspec.json.decode(leaf).get("line")) is not None:
                    sums[line["subscription"]] += signed(line["amount"])
        return dict(sums)


RESTS = RestsOn(position=1, root="0" * 64, as_of="2022-04-02T00:00:00.000000Z", sources=(), calculator="1")


def windows_of(spans: Sequence[tuple[int, str, str, int, int, str]]) -> list[Window]:
    found: dict[str, Window] = {}
    for number, region, service, start, hours, effect in spans:
        begin = START + start * 3_600
        found[f"w{number}"] = Window(
            "mail-1", f"w{number}", service, "*", region, begin, begin + hours * 3_600, effect, regions=REGIONS,
            entries=(f"incident/mail-1 v{next(_ENTRIES)}",),
        )  # fmt: skip
    return list(found.values())
