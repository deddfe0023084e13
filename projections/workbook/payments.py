"""What is paid where it is more than a percentage of the fee: adds the sheets Remedies and Amounts.

Both are there only where terms ask for them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

import numpy as np

from projections.credits import Workings
from projections.workbook import book as books
from projections.workbook.amounts import AmountLines, Payments, amounts_table
from projections.workbook.book import Book, Table, parts
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.model import Model, Scope, length_of, pays_in_parts
from projections.workbook.remedies import Payment, is_plain, payment
from projections.workbook.remedy_rows import SIDES, remedies_lines, remedies_table

__all__ = ["payments"]


def payments(
    book: Book,
    model: Model,
    priced: Workings,
    sheets: CalculatingSheets,
    credits: Sequence[Table],
    known: Collection[str],
) -> Payments:
    """Add both sheets where any scope with formulas needs them.

    credits: the sheets that the fees stand on. known: the currencies of which sums stand on Inputs.
    """
    places = np.asarray(model.places, dtype=np.int64)
    needed = np.asarray(
        [scope.case is not None and not is_plain(scope.group.policy) for scope in model.scopes],
        dtype=np.bool_,
    )
    if not needed.any():
        return Payments({}, (), ())
    place = places[priced.codes]
    mine = needed[place]
    numbers = np.where(mine, np.cumsum(mine) - 1, -1)
    currencies = priced.frame["currency"].astype(object).to_numpy()
    pairs = sorted({(int(at), str(code)) for at, code in zip(place[mine], currencies[mine], strict=True)})
    found = {(at, code): _payment(model, model.scopes[at], code) for at, code in pairs}
    remedies = remedies_table(len(pairs), factors=model.rounds_factors)
    for row, ((at, _), one) in enumerate(found.items(), 2):
        scope = model.scopes[at]
        if scope.group.assessment.service_days == tuple(
            Fraction(side.days, model.units.days) for side in one.sides
        ):
            sheets.days.setdefault(
                scope.number, tuple(remedies.cell(f"service_{side}", row) for side in SIDES)
            )
    book.table(remedies, lambda: remedies_lines(model, found, remedies, sheets, known), freeze=2)
    rows = {pair: number for number, pair in enumerate(pairs, 2)}
    count = int(mine.sum())
    ranges = parts(count, books.MOST_ROWS)
    tables = [
        amounts_table(
            "Amounts" if len(ranges) == 1 else f"Amounts {number}",
            stop - start,
            rolling=any(one.rolling is not None for one in found.values()),
        )
        for number, (start, stop) in enumerate(ranges, 1)
    ]
    lines = np.flatnonzero(mine)
    made = Payments(found, tables, numbers.tolist())
    for table, (start, stop) in zip(tables, ranges, strict=True):
        book.table(
            table,
            AmountLines(
                priced, model, made, rows, remedies, table, lines[start:stop], credits, book.style("given")
            ),
            freeze=2,
        )
    return made


def _payment(model: Model, scope: Scope, currency: str) -> Payment:
    policy, units = scope.group.policy, model.units
    low, high = pays_in_parts(scope, units)
    before = sum(len(one.tiers) for _, one, _ in model.policies[: scope.policy - 1])
    return payment(
        policy, policy.tiers[scope.best - 1 : scope.worst], before + scope.best, (low or 0, high or 0), (scope.least, scope.most),
        length_of(scope.group), scope.parts_of_a_second, currency, units.credit, units.multiple,
        units.days,
    )  # fmt: skip
