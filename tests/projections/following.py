"""Workbooks of terms of format 2 whose formulas are followed: each cell is found again, and so is what an input that is changed makes.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from projections.credits import Workings, rows
from projections.workbook.model import EXACT
from tests.projections.priced_march import (
    DAY,
    HOUR,
    MARCH,
    MonthFacts,
    inputs_of,
    lines_of,
    priced,
    write,
)
from tests.projections.recalculating import changed, credits_of, recalculated

# To shrink a book is to calculate hundreds of them.
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip
KINDS = ("planned-maintenance", "third-party", "force-majeure")
# For what open facts may leave there is no formula, and Calculation says so.
OPEN = (
    "several tiers of which one pays no mere percentage", "more downtime than the length of a period",
)  # fmt: skip


def agrees(path: Path) -> openpyxl.Workbook:
    """Assert that every formula leads to the value in its cell and all checks hold, and return the values."""
    found = recalculated(path)
    book = openpyxl.load_workbook(path, data_only=True)
    if (found["summary"]["errors"], found["cache_cells_changed"]) != (0, 0):
        (path.parent / "again.xlsx").write_bytes(found["bytes"])
        there, formulas = (
            openpyxl.load_workbook(path.parent / "again.xlsx", data_only=True),
            openpyxl.load_workbook(path),
        )
        different = [
            (sheet.title, cell.coordinate, cell.value, book[sheet.title][cell.coordinate].value, there[sheet.title][cell.coordinate].value)
            for sheet in formulas for row in sheet.iter_rows() for cell in row
            if cell.data_type == "f" and book[sheet.title][cell.coordinate].value != there[sheet.title][cell.coordinate].value
        ]  # fmt: skip
        raise AssertionError(different[:10])
    checks = list(book["Checks"].iter_rows(min_row=4, values_only=True))
    assert all(line[3] is True for line in checks), checks
    return book


def reasons(book: openpyxl.Workbook) -> set[str]:
    """Return what Calculation says the figures are."""
    heading, *scopes = book["Calculation"].iter_rows(values_only=True)
    return {str(line[heading.index("figures are")]) for line in scopes}


def same_amounts(book: openpyxl.Workbook, found: Workings) -> None:
    """Assert that the lines are paid what the ledger pays.

    A number of more than 15 digits loses some whenever a program writes it; all of them stand in the text of its rule.
    """
    shown = credits_of(book)
    for row, digits in zip(rows(found.frame), found.frame["minor_units"].tolist(), strict=True):
        line = shown[row["subscription"]]
        if Decimal(row["fee"]).scaleb(digits) >= EXACT:
            low, high = row["credit_at_least"], row["credit_at_most"]
            assert line["rule"].endswith(f"credit {low}" if low == high else f"credit {low} to {high}")
            continue
        for name, cell in (("credit_at_least", "credit at least"), ("credit_at_most", "credit at most")):
            assert line[cell] == float(Decimal(row[name])), (row["subscription"], name)
        assert line["credit"] == ("undecided" if row["credit"] is None else float(Decimal(row["credit"])))


def follows(
    folder: Path, texts: dict[str, str], new_texts: dict[str, str], table: pd.DataFrame, facts: MonthFacts, new_facts: MonthFacts
) -> int:  # fmt: skip
    """Put the inputs of other terms or facts into the workbook: each line that is calculated is paid what the ledger then pays.

    Return how many lines changed.
    """
    path, other_path = folder / "c.xlsx", folder / "other.xlsx"
    again = priced(new_texts, table, new_facts)
    write(other_path, new_texts, again, new_facts)
    old, new = openpyxl.load_workbook(path), openpyxl.load_workbook(other_path)
    put_in = inputs_of(old, new)
    found, wanted = (
        credits_of(changed(path, put_in)),
        credits_of(openpyxl.load_workbook(other_path, data_only=True)),
    )
    live = [
        {line["subscription"] for line in lines_of(book) if str(line["credit"]).startswith("=")}
        for book in (old, new)
    ]
    names = ("credit", "credit at least", "credit at most")
    for name in live[0] & live[1]:
        assert [found[name][one] for one in names] == [wanted[name][one] for one in names], (name, put_in)
    before = credits_of(openpyxl.load_workbook(path, data_only=True))
    moved = len([name for name in live[0] & live[1] if before[name]["credit"] != found[name]["credit"]])
    event(f"lines that moved: {moved > 0}")
    return moved


def moment(seconds: int) -> datetime:
    """Return a UTC second as a sheet holds it."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


@st.composite
def some_exclusions(draw: st.DrawFn) -> Exclusion:
    """Exclusions around March, announced in time or not, of some customers and cohorts."""
    start = MARCH + draw(st.integers(-20 * 24, 31 * 24)) * HOUR
    notice = draw(st.sampled_from([None, 0, 1, 3 * 24]))
    return Exclusion(
        f"e-{draw(st.integers(1, 99))}", draw(st.sampled_from(KINDS)), draw(st.sampled_from(["email", "*"])), "*",
        draw(st.sampled_from(["EMEA", "*"])), start, start + draw(st.sampled_from([30, HOUR, DAY, 9 * DAY])),
        None if notice is None else start - notice * HOUR,
        customer=draw(st.sampled_from([None, None, "Acme"])), cohort=draw(st.sampled_from([None, None, None, "beta", "ghost"])),
        withdrawn=draw(st.integers(0, 9)) == 0,
    )  # fmt: skip
