"""The sheet Summary: what is owed by currency over all sheets of lines, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd

from ledger.domain.money import decimal_text, minor_units
from projections.credits import Workings, totals
from projections.workbook import book as books
from projections.workbook.book import Block, Book, Table
from projections.workbook.cells import Formula, Styled
from projections.workbook.lines import DAYS, Changes, exactly, major
from projections.workbook.model import EXACT

__all__ = ["HOLDS_ROW", "Totals", "shown", "summary"]


HOLDS_ROW = 2


class Totals(NamedTuple):
    """Where the totals stand on Summary: by currency, the row of the credits and that of the changes.

    days: the row of the days of service among the changes, and their sum now; None where there are none. beside: by currency the
    row that leads from what is right now to the credits, and what it adds up to, where the changes are those since documents.
    """

    credits: dict[str, int]
    changes: dict[str, int]
    days: tuple[int, Decimal] | None
    beside: dict[str, tuple[int, Any]]


class _Sum(NamedTuple):
    """The lines of one currency: how many, how many undecided, and their sums in minor units."""

    lines: int
    undecided: int
    sums: dict[str, int]


def summary(
    book: Book, period: str, priced: Workings, credits: list[Table], changes: Changes | None, changed: list[Table],
) -> tuple[Totals, Block]:  # fmt: skip
    """Add Summary: totals by currency over all sheets of lines; its row HOLDS_ROW is left for the checks' outcome."""
    block = Block(book, "Summary", (24, 14, 14, 14, 18, 18, 18))
    block.add(Styled(book.style("title"), f"SLA credits {period}"))
    block.add()
    currencies = sorted({str(code) for code in priced.frame["currency"].unique()})
    by_sheet = [
        (table, currency, _credit_sum(priced, table, at, currency))
        for at, table in enumerate(credits)
        for currency in currencies
    ]
    # A row that is empty but where numbers are too long.
    block.add(
        *_too_long(
            {
                currency: _added([one for _, code, one in by_sheet if code == currency])
                for currency in currencies
            }
        )
    )
    # The totals come first, since they are what is asked for; what they add up comes below.
    block.add(Styled(book.style("title"), "Credits"))
    block.heading(
        "currency",
        "subscriptions",
        "undecided",
        "fee",
        "credit at least",
        "credit at most",
        "credit",
        numbers="BCDEFG",
    )
    first = len(block.rows) + len(currencies) + 3
    last = first + len(by_sheet) - 1
    found: dict[str, int] = {}
    for currency in currencies:
        mine = [one for _, code, one in by_sheet if code == currency]
        found[currency] = _total(book, block, currency, _added(mine), first, last)
    block.add()
    block.heading(
        "sheet",
        "currency",
        "subscriptions",
        "undecided",
        "fee",
        "credit at least",
        "credit at most",
        numbers="CDEFG",
    )
    for table, currency, one in by_sheet:
        _by_sheet(book, block, table, currency, one)
    again = _changed(book, block, changes, changed) if changes is not None else {}
    days = (
        _changed_days(book, block, changes.frame, changed)
        if changes is not None and changes.has_days
        else None
    )
    beside = (
        _reconciled(book, block, priced, credits, changes, changed, again)
        if changes is not None and changes.totals is not None
        else {}
    )
    sheet = book.block(block)
    book.red_where_false(sheet, f"B{HOLDS_ROW}")
    return Totals(found, again, days, beside), block


def _too_long(sums: dict[str, _Sum]) -> list[str]:
    """Return a text with every digit of the totals that a spreadsheet rounds; nothing where there are none."""
    found = [
        f"{currency} fee {exactly(one.sums['fee'], currency)}, credit at least "
        f"{exactly(one.sums['credit_at_least'], currency)}, at most {exactly(one.sums['credit_at_most'], currency)}"
        for currency, one in sums.items()
        if max(one.sums.values()) >= EXACT
    ]
    return [f"a spreadsheet keeps 15 digits; with all of them: {'; '.join(found)}"] if found else []


def _credit_sum(priced: Workings, table: Table, at: int, currency: str) -> _Sum:
    part = priced.frame.iloc[at * books.MOST_ROWS : at * books.MOST_ROWS + table.count]
    part = part[part["currency"] == currency]
    if part.empty:
        return _Sum(0, 0, {"fee": 0, "credit_at_least": 0, "credit_at_most": 0})
    # The sums of the ledger, as it prints them.
    sums = next(iter(totals(part).to_dict("records")))
    return _Sum(
        len(part),
        int(sums["undecided"]),
        {name: int(sums[name]) for name in ("fee", "credit_at_least", "credit_at_most")},
    )


def _added(parts: Sequence[_Sum]) -> _Sum:
    return _Sum(
        sum(one.lines for one in parts),
        sum(one.undecided for one in parts),
        {name: sum(one.sums[name] for one in parts) for name in ("fee", "credit_at_least", "credit_at_most")},
    )


_DECIDED = '"<>"&undecided'


def shown(amount: int, currency: str) -> Any:
    """Return whole minor units as the number that a cell of money holds."""
    return major(amount, 10 ** minor_units(currency))


def _total(book: Book, block: Block, currency: str, one: _Sum, first: int, last: int) -> int:
    row = len(block.rows) + 1
    integer, money = (book.style("formula", name) for name in ("integer", f"money{minor_units(currency)}"))

    def over(letter: str) -> str:
        return f"SUMIFS({letter}${first}:{letter}${last},B${first}:B${last},A{row})"

    least, most = (shown(one.sums[name], currency) for name in ("credit_at_least", "credit_at_most"))
    return block.add(
        currency,
        Styled(integer, Formula(over("C"), one.lines)),
        Styled(integer, Formula(over("D"), one.undecided)),
        *(
            Styled(money, Formula(f"ROUND({over(letter)},decimals_{currency})", value))
            for letter, value in (("E", shown(one.sums["fee"], currency)), ("F", least), ("G", most))
        ),
        Styled(money, Formula(f"IF(C{row}=0,E{row},undecided)", "undecided" if one.undecided else least)),
    )


def _by_sheet(book: Book, block: Block, table: Table, currency: str, one: _Sum) -> None:
    row = len(block.rows) + 1
    integer, money = (book.style("formula", name) for name in ("integer", f"money{minor_units(currency)}"))
    where = f"{table.whole('currency')},B{row}"
    block.add(
        table.title, currency,
        Styled(integer, Formula(f"COUNTIFS({where})", one.lines)),
        Styled(integer, Formula(f"COUNTIFS({where},{table.whole('credit')},undecided)", one.undecided)),
        *(
            Styled(money, Formula(f"ROUND(SUMIFS({table.whole(name)},{where}),decimals_{currency})", shown(one.sums[key], currency)))
            for name, key in (("fee", "fee"), ("credit_least", "credit_at_least"), ("credit_most", "credit_at_most"))
        ),
    )  # fmt: skip


def _changed(book: Book, block: Block, changes: Changes, tables: list[Table]) -> dict[str, int]:
    frame = changes.frame
    block.add()
    block.add(Styled(book.style("title"), "Changes (decided lines)"))
    waived = ("waived",) if changes.waives else ()
    block.heading(
        "currency", "lines", "undecided", changes.issued, changes.now, "delta", *waived, numbers="BCDEFG"
    )
    found: dict[str, int] = {}
    for currency in sorted({str(code) for code in frame["currency"].unique()}):
        part = frame[frame["currency"] == currency]
        row = len(block.rows) + 1
        digits = minor_units(currency)
        integer, money = (book.style("formula", name) for name in ("integer", f"money{digits}"))

        def over(kind: str, name: str, delta: str = "", row: int = row) -> str:
            return "+".join(
                f"{kind}({table.whole(name) + ',' if name else ''}{table.whole('currency')},A{row}"
                f"{',' + table.whole('delta') + ',' + delta if delta else ''})"
                for table in tables
            )

        decided = part[part["delta"].notna()]
        undecided = len(part) - len(decided)
        sums = {
            name: shown(sum(int(value) for value in decided[name].tolist()), currency)
            for name in ("as_issued", "as_now", "delta", *waived)
        }
        found[currency] = block.add(
            currency,
            Styled(integer, Formula(over("COUNTIFS", ""), len(part))),
            Styled(integer, Formula(over("COUNTIFS", "", "undecided"), undecided)),
            *(
                Styled(
                    money,
                    Formula(
                        # Lines whose other side is undecided are left out, not taken off again: that would cost digits.
                        f"ROUND({over('SUMIFS', name, _DECIDED)},decimals_{currency})",
                        sums[name],
                    ),
                )
                for name in ("as_issued", "as_now", "delta", *waived)
            ),
        )
    return found


def _changed_days(book: Book, block: Block, frame: pd.DataFrame, tables: list[Table]) -> tuple[int, Decimal]:
    """Add the sums of the days of service of all lines that have any, below those of money; return where, and what is now."""

    def over(function: str, name: str) -> str:
        return "+".join(f"{function}({table.whole(name)})" for table in tables)

    integer, decimal = (book.style("formula", name) for name in ("integer", "decimal"))
    said = frame[frame[DAYS[0]].notna()]
    sums = {name: Decimal(decimal_text(sum(said[name].tolist(), Fraction(0)))) for name in DAYS}
    row = block.add(
        "days of service",
        Styled(integer, Formula(over("COUNT", DAYS[0]), len(said))),
        Styled(integer, None),
        *(
            Styled(
                decimal,
                Formula(over("SUM", name), sums[name]),
            )
            for name in DAYS
        ),
    )
    return row, sums["days_as_now"]


def _reconciled(
    book: Book, block: Block, priced: Workings, credits: list[Table], changes: Changes, tables: list[Table], totals_at: dict[str, int],
) -> dict[str, tuple[int, Any]]:  # fmt: skip
    """Add how the sum of what is right now leads to that of the credits, line by line of those that are decided."""
    block.add()
    block.add(Styled(book.style("title"), "Credits and what is due of them (decided lines)"))
    block.heading(
        "currency",
        changes.now,
        "unclaimed",
        "not in this series",
        "not in this run",
        "ends of bounds taken",
        "credits",
        numbers="BCDEFG",
    )
    found: dict[str, tuple[int, Any]] = {}
    for currency in sorted({*totals_at, *(str(code) for code in priced.frame["currency"].unique())}):
        beside, total = _beside(priced, changes, currency)
        digits = minor_units(currency)
        formula, value = (book.style(role, f"money{digits}") for role in ("formula", "given"))
        part = changes.frame[(changes.frame["currency"] == currency) & changes.frame["delta"].notna()]
        now, unclaimed = (
            sum(int(one) for one in part[name].tolist()) if name in part else 0
            for name in ("as_now", "unclaimed")
        )
        row, here = totals_at.get(currency), len(block.rows) + 1
        credit_sum, unclaimed_sum = (
            "+".join(f"SUMIFS({one.whole(name)},{one.whole('currency')},A{here})" for one in some)
            for name, some in (("credit", credits), ("unclaimed", tables if changes.claims else []))
        )
        due, claimable, credit = (shown(one, currency) for one in (now, unclaimed, total))
        at = block.add(
            currency,
            Styled(formula, Formula(f"E{row}", due)) if row else Styled(value, due),
            Styled(formula, Formula(f"ROUND({unclaimed_sum},decimals_{currency})", claimable))
            if unclaimed_sum
            else Styled(value, claimable),
            *(Styled(value, shown(one, currency)) for one in beside),
            Styled(formula, Formula(f"ROUND({credit_sum},decimals_{currency})", credit)),
        )
        found[currency] = at, shown(now + unclaimed + sum(beside), currency)
    return found


def _beside(priced: Workings, changes: Changes, currency: str) -> tuple[tuple[int, int, int], int]:
    """Return what stands on one of both sheets only, and the sum of all credits that are decided, in minor units.

    Of the credits those of lines that no document is about; less what is due of lines that the run does not price, as it looks at other
    tables; less the ends that were taken of lines that are undecided.
    """
    names = ["customer", "subscription"]
    rows = priced.frame[priced.frame["currency"] == currency]
    of_lines = {
        (customer, subscription): None if pd.isna(credit) else int(credit)
        for customer, subscription, credit in rows[[*names, "credit"]].itertuples(index=False)
    }
    part = changes.frame[changes.frame["currency"] == currency]
    part = part[part["as_now"].notna()]
    due = {
        (line["customer"], line["subscription"]): int(line["as_now"]) + int(line.get("unclaimed", 0))
        for line in part.to_dict("records")
    }
    decided = {key: amount for key, amount in of_lines.items() if amount is not None}
    elsewhere = sum(amount for key, amount in decided.items() if key not in due)
    absent = sum(amount for key, amount in due.items() if key not in of_lines)
    taken = sum(amount for key, amount in due.items() if key in of_lines and key not in decided)
    return (elsewhere, -absent, -taken), sum(decided.values())
