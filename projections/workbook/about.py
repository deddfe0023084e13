"""The sheets About and Events: what the workbook is, what it rests on, and who said what when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ledger.domain.instants import seconds
from ledger.store.stream import Entry, text_or_erased
from projections import history
from projections.workbook.book import Block, Book, Column, Table
from projections.workbook.cells import Formula, Moment, Styled

__all__ = ["about", "events"]

_PURPOSE = (
    "What is owed for one month under the published policies, and how it comes about: from what was recorded, over",
    "what it covers and how much of it counts, to each credit. Figures are formulas over the inputs, and each cell",
    "holds the result of the ledger: a program that calculates can compare the two, one that does not still shows it.",
)
_SHEETS = {
    "Summary": "output: totals by currency, and what changed",
    "Availability": "output: each region against the tiers, as a table and a chart",
    "Inputs": "input: periods, policies, tiers, rounding, currencies, scopes",
    "Intervals": "input: the impact windows as they are known",
    "Exclusions": "input: recorded time that a policy excludes, as far as formulas read it",
    "Events": "the entries of the ledger that the figures rest on",
    "Terms": "working: what a policy says, in whole seconds and parts",
    "Edges": "working: the most eligible downtime that each tier allows",
    "Coverage": "working: which seconds of the period each interval covers, at least and at most",
    "Segments": "working: seconds in which nothing changes, and how much of each counts",
    "Exclusion limits": "working: how much of each segment is left to be excluded under a limit, earliest first",
    "Outages": "working: how long each outage lasts, and what it comes to in whole quanta",
    "Calculation": "working: eligible downtime, availability, tier and percentage of each scope",
    "Remedies": "working: what scopes pay in each currency beside a mere percentage, and their limits",
    "Amounts": "working: what is paid for each fee, in minor units, where it is more than a percentage of it",
    "Credits": "output: a line for each subscription, rounded once, there",
    "Changes": "output: what was credited before, what is now, the difference, and the entries that made it",
    "Checks": "control totals, each from two sides",
    "Policy": "the text of each policy, as it was published",
}


def about(
    book: Book,
    period: str,
    provenance: Mapping[str, str],
    titles: Sequence[str],
    all_hold: Formula,
    scopes: int,
    values: int,
) -> None:
    """Add About. titles: of the other sheets in order; scopes: how many there are; values: how many no formula calculates."""
    block = Block(book, "About", (30, 70, 40))
    title, note = book.style("title"), book.style("note")
    block.add(Styled(title, f"SLA credits {period}"))
    for line in _PURPOSE:
        block.add(line)
    block.add()
    block.add("all checks hold", Styled(book.style("formula", "answer"), all_hold))
    row = len(block.rows)
    block.add(
        "figures that are values",
        "none: every figure is calculated"
        if not values
        else f"{values:,} scopes on Calculation, grey, each with its reason, and their credits",
    )
    block.add(
        "figures that are calculated",
        f"{scopes - values:,} of {scopes:,} scopes on Calculation, and their credits",
    )
    block.add()
    block.heading("what it rests on", "")
    for name, value in provenance.items():
        block.add(name, value)
    block.add()
    block.heading("sheet", "what is there")
    for one in titles:
        words = _SHEETS.get(one.rstrip("0123456789 "))
        if words is not None:
            block.add(one, words)
    block.add()
    block.heading("cells", "")
    block.add(Styled(book.style("input"), "blue on yellow"), "may be changed: a fact, a term or a fee")
    block.add(Styled(book.style("formula"), "black"), "calculated, or a label")
    block.add(
        Styled(book.style("value"), "grey"),
        "a value of the ledger that no formula calculates here, with its reason",
    )
    block.add("times", "UTC; a spreadsheet has no zones. Seconds are counted from the start of the period")
    block.add(
        "at least, at most",
        "what the facts leave open is calculated on both sides; where they lead to one amount, it is owed",
    )
    block.add()
    block.heading("signed off", "name", "date")
    for who in ("prepared by", "reviewed by"):
        block.add(who, Styled(book.style("input"), None), Styled(book.style("input", "date"), None))
    block.add(Styled(note, "Sheets are protected without a password: against slips, not against people."))
    sheet = book.block(block)
    book.red_where_false(sheet, f"B{row}")


def events(book: Book, entries: Sequence[Entry], named_by_rows: Iterable[str]) -> None:
    """Add Events. named_by_rows: entries that rows of credit name, such as "incident/email-2022-03 v3"."""
    named = frozenset(named_by_rows)
    ordered = sorted(entries, key=lambda entry: entry.position)
    table = Table(
        "Events",
        {
            "position": Column("position", "integer", width=9),
            "entry": Column("entry", width=28),
            "type": Column("type", width=22),
            "recorded": Column("recorded at (UTC)", "moment", width=20),
            "published": Column("published at (UTC)", "moment", width=20),
            "late": Column("recorded after it was published", "flag", width=12),
            "actor": Column("actor (as claimed)", width=16),
            "named": Column("named by a credit", "flag", width=9),
            "reason": Column("reason", width=40),
            "fact": Column("what it says", width=90),
        },
        len(ordered),
    )

    def lines() -> Iterator[list[Any]]:
        for entry in ordered:
            name = f"{entry.stream} v{entry.version}"
            yield [
                entry.position, name, entry.type, Moment(seconds(entry.recorded_at)),
                None if entry.published_at is None else Moment(seconds(entry.published_at)), entry.late,
                text_or_erased(entry.event.actor), name in named, text_or_erased(entry.event.reason), _fact(entry),
            ]  # fmt: skip

    book.table(table, lines, freeze=2)


_APART = frozenset(("actor", "reason", "terms", "published_at", "idempotency_key"))


def _fact(entry: Entry) -> str:
    """Return the fields of an event as a text; the terms of a policy stand on a sheet of their own."""
    data = history.as_json(entry)["event"]
    return "; ".join(f"{name}: {_said(value)}" for name, value in data.items() if name not in _APART)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return str(value)
