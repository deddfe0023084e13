"""The sheet Amounts: the lines of Remedies applied to each fee."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from projections.credits import Workings
from projections.workbook import book as books
from projections.workbook.book import Column, Table
from projections.workbook.cells import Formula, Styled
from projections.workbook.model import EXACT_DIVIDED, Model
from projections.workbook.remedies import Payment
from projections.workbook.remedy_rows import SIDES, or_empty

__all__ = ["AmountLines", "Payments", "amounts_table"]


_AT_ONCE = 8_192


class Payments(NamedTuple):
    """What scopes pay by place and currency, the sheets with a line for each fee, and of each line of credit its place on them.

    places: -1 where a line is none of them.
    """

    of: Mapping[tuple[int, str], Payment]
    tables: Sequence[Table]
    places: Sequence[int]

    def cell(self, name: str, place: int) -> str:
        """Return the address of a cell of a line."""
        return self.tables[place // books.MOST_ROWS].cell(name, place % books.MOST_ROWS + 2)

    def fits(self, found: Payment, fee: int, before: int, least: int, most: int) -> bool:
        """Tell whether a spreadsheet calculates what is paid for a fee exactly, and that is what the ledger pays.

        before: what was credited before and counts.
        """
        return found.highest(fee, before) <= EXACT_DIVIDED and found.amounts(fee, before).paid == (
            least,
            most,
        )


def amounts_table(title: str, count: int, *, rolling: bool) -> Table:
    """Return a sheet with a line for each fee. rolling: a limit counts what was credited before."""

    def money(heading: str) -> Column:
        return Column(f"{heading} (minor units)", "integer", "formula", 14)

    return Table(
        title,
        {
            "subscription": Column("subscription", width=20),
            "currency": Column("currency", width=9),
            "scope": Column("scope", "integer", width=7),
            "fee": money("fee"),
            "first_least": money("at least: first line"),
            "second_least": money("at least: second line"),
            "first_most": money("at most: first line"),
            "second_most": money("at most: second line"),
            "cap": money("limit as a part of the base"),
            **(
                {
                    "before": Column("credited before (minor units)", "integer", "input", 14),
                    "rolling": money("limit with what was credited before"),
                }
                if rolling
                else {}
            ),
            "joined_least": money("at least: before limits"),
            "joined_most": money("at most: before limits"),
            "capped_least": money("at least: under limits"),
            "capped_most": money("at most: under limits"),
            "paid_least": money("paid at least"),
            "paid_most": money("paid at most"),
        },
        count,
    )


class AmountLines:
    """The lines of one sheet of amounts, made when they are written."""

    def __init__(
        self, priced: Workings, model: Model, made: Payments, rows: Mapping[tuple[int, str], int], remedies: Table, table: Table,
        lines: Any, credits: Sequence[Table], empty: int,
    ) -> None:  # fmt: skip
        self.priced, self.model, self.made, self.rows = priced, model, made, rows
        self.remedies, self.table, self.lines, self.credits = remedies, table, lines, credits
        self.formulas: dict[tuple[int, str], dict[str, str]] = {}
        self.empty = empty

    def __call__(self) -> Iterator[list[Any]]:
        names = ("subscription", "currency", "fee", "credit_at_least", "credit_at_most")
        row = 1
        for start in range(0, len(self.lines), _AT_ONCE):
            where = self.lines[start : start + _AT_ONCE]
            part = self.priced.frame.iloc[where]
            columns = [part[name].tolist() for name in names]
            for line, code, values in zip(
                where.tolist(), self.priced.codes[where].tolist(), zip(*columns, strict=True), strict=True
            ):
                row += 1
                yield self._line(row, line, self.model.places[code], values)

    def _line(self, row: int, line: int, place: int, values: tuple[Any, ...]) -> list[Any]:
        subscription, currency, fee, least, most = values
        one, before = self.made.of[place, currency], self.priced.before.get(line, 0)
        names = list(self.table.columns)[3:]
        head = [subscription, currency, place + 1]
        if not self.made.fits(one, fee, before, least, most):
            # Credits says why such a line is a value, so nothing of it may be changed here.
            return [*head, *[Styled(self.empty, None)] * len(names)]
        formulas = self.formulas.get((place, currency))
        if formulas is None:
            formulas = self.formulas[place, currency] = self._of(place, currency)
        found = one.amounts(fee, before)
        shown = {
            "fee": fee, "first_least": found.first[0], "second_least": found.second[0], "first_most": found.first[1],
            "second_most": found.second[1], "cap": found.cap, "rolling": found.rolling,
            **{f"{name}_{side}": pair[at] for name, pair in (("joined", found.joined), ("capped", found.capped), ("paid", found.paid))
               for at, side in enumerate(SIDES)},
        }  # fmt: skip
        texts = {**formulas, "fee": self._fee(line)}
        at = str(row)
        return [
            *head,
            *(
                before if name == "before" else Formula(texts[name].replace("#", at), or_empty(shown[name]))
                for name in names
            ),
        ]

    def _fee(self, line: int) -> str:
        table = self.credits[line // books.MOST_ROWS]
        return table.cell("fee_minor", line % books.MOST_ROWS + 2)

    def _of(self, place: int, currency: str) -> dict[str, str]:
        row = self.rows[place, currency]
        at = {name: f"{letter}#" for name, letter in self.table.letters.items()}
        of = {name: f"{self.remedies.prefix}{letter}{row}" for name, letter in self.remedies.letters.items()}

        def line(times: str, adds: str, divisor: str, tie: str) -> str:
            product = f"{at['fee']}*{of[times]}+{of[adds]}"
            return (
                f'IF(ISNUMBER({of[times]}),INT(({product})/{of[divisor]})-(MOD({product},{of[divisor]}+{of[divisor]})={of[tie]}),"")'
            )  # fmt: skip

        found = {"cap": line("cap_a", "cap_b", "cap_w", "cap_t")}
        limits = f"{at['cap']},{of['limit']}"
        if "rolling" in at:
            product = f"{at['fee']}*{of['roll_a']}+{of['roll_b']}-{at['before']}*{of['roll_w']}"
            found["rolling"] = (
                f"IF(ISNUMBER({of['roll_a']}),MAX(0,INT(({product})/{of['roll_w']})"
                f'-(MOD({product},{of["roll_w"]}+{of["roll_w"]})={of["roll_t"]})),"")'
            )
            limits = f"{limits},{at['rolling']}"
        for side in SIDES:
            for name in ("first", "second"):
                found[f"{name}_{side}"] = line(*(f"{name}_{part}_{side}" for part in "abwt"))
            several = f"{at[f'first_{side}']},{at[f'second_{side}']},{of[f'constant_{side}']}"
            joined, capped = at[f"joined_{side}"], at[f"capped_{side}"]
            found[f"joined_{side}"] = (
                f"IF({of['calculated']},IF({of['lesser']},MIN({several}),MAX({several})),undecided)"
            )
            found[f"capped_{side}"] = f"IF(ISNUMBER({joined}),MIN({joined},{limits}),undecided)"
            found[f"paid_{side}"] = (
                f"IF(AND(ISNUMBER({capped}),ISNUMBER({of['above']})),IF({capped}>{of['above']},{capped},0),{capped})"
            )
        return found
