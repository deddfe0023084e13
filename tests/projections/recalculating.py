"""Workbooks of the example, what an independent engine finds in them, and where their cells are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import formualizer
import openpyxl

from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.credits import price, rows, workings
from projections.subscriptions import read_subscriptions
from projections.workbook import write_workbook

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"

MARCH = 1_646_092_800

HOUR = 3_600

KEYS = ("email-standard", "email-by-share", "email-five-percent")

TERMS = {key: (EXAMPLE / "policies" / f"{key}.toml").read_text(encoding="utf-8") for key in KEYS}


def example_windows() -> list[Window]:
    """Return the windows of the example as they stood after the last revision."""

    def window(name: str, region: str, start: int, end: int) -> Window:
        return Window("email-2022-03", name, "email-security", "mail flow", region, MARCH + start, MARCH + end, "data-loss",
                      share_at_most="0.002", share_of="traffic", regions=("EMEA", "NAM"),
                      entries=(f"incident/email-2022-03 v{len(name)}",))  # fmt: skip

    day = 24 * HOUR
    return [
        window("emea-mail-flow", "EMEA", 13 * day + 16 * HOUR, 14 * day - 60),
        window("nam-quarantine", "NAM", 14 * day + 9_000, 14 * day + 36_000),
        window("emea-quarantine", "EMEA", 14 * day + 59_400, 15 * day + 1_800),
    ]


def write(
    path: Path, terms: Mapping[str, str], table: bytes, windows: Sequence[Window], as_of: int, compared: bool
) -> Any:
    """Write a workbook and return the rows of credit that are in it."""
    policies = {key: [(1, parse_policy(text))] for key, text in terms.items()}
    subscriptions = read_subscriptions(table, "csv")
    priced = workings(subscriptions, windows, policies, "2022-03", as_of)
    before = price(subscriptions, windows[:1], policies, "2022-03", as_of) if compared else None
    write_workbook(
        path, priced=priced, period="2022-03", as_of=as_of, windows=windows, before=before,
        policies=[(key, 1, policies[key][0][1], text) for key, text in terms.items()],
        provenance={"period": "2022-03"},
    )  # fmt: skip
    return list(rows(priced.frame))


def recalculated(path: Path) -> dict[str, Any]:
    """Return what the engine says after it recalculated every formula."""
    found: dict[str, Any] = formualizer.recalculate_xlsx_bytes(path.read_bytes())
    return found


def same(path: Path) -> int:
    """Assert that every formula leads to the value in its cell, and return how many there are."""
    found = recalculated(path)
    (path.parent / "again.xlsx").write_bytes(found["bytes"])
    here, there = (openpyxl.load_workbook(one, data_only=True) for one in (path, path.parent / "again.xlsx"))
    formulas = openpyxl.load_workbook(path)
    count = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    count += 1
                    mine, theirs = (book[sheet.title][cell.coordinate].value for book in (here, there))
                    assert mine == theirs or (mine, theirs) == ("", None), (
                        sheet.title,
                        cell.coordinate,
                        cell.value,
                    )
    assert found["summary"]["errors"] == 0
    assert found["cache_cells_changed"] == 0
    return count


def put(path: Path, changes: dict[str, Any], to: Path) -> None:
    """Put values into cells that may be changed, and save the workbook elsewhere; then no formula has a value."""
    book = openpyxl.load_workbook(path)
    for address, value in changes.items():
        sheet, _, cell = address.partition("!")
        assert not book[sheet][cell].protection.locked, address
        book[sheet][cell] = value
    book.save(to)


def changed(path: Path, changes: dict[str, Any]) -> openpyxl.Workbook:
    """Put values into cells, let the engine recalculate, and return what it found."""
    put(path, changes, path.parent / "changed.xlsx")
    (path.parent / "after.xlsx").write_bytes(recalculated(path.parent / "changed.xlsx")["bytes"])
    return openpyxl.load_workbook(path.parent / "after.xlsx", data_only=True)


def credits_of(book: openpyxl.Workbook) -> dict[str, Any]:
    """Return the rows of Credits by heading, by subscription."""
    heading, *lines = book["Credits"].iter_rows(values_only=True)
    return {str(line[1]): dict(zip(map(str, heading), line, strict=True)) for line in lines}


def find(book: openpyxl.Workbook, sheet: str, column: str, **where: Any) -> str:
    """Return the address of a cell of a table by its heading and by what its row holds."""
    heading, *lines = book[sheet].iter_rows()
    names = [cell.value for cell in heading]
    for line in lines:
        if all(line[names.index(name)].value == value for name, value in where.items()):
            return f"{sheet}!{line[names.index(column)].coordinate}"
    raise AssertionError((sheet, column, where))


def input_of(book: openpyxl.Workbook, block: str, column: str, *where: Any) -> str:
    """Return the address of a cell on Inputs: in a block, by heading and by the first values of its row."""
    lines = list(book["Inputs"].iter_rows())
    top = next(at for at, line in enumerate(lines) if str(line[0].value).startswith(block))
    names = [cell.value for cell in lines[top + 1]]
    for line in lines[top + 2 :]:
        if tuple(cell.value for cell in line[: len(where)]) == where:
            return f"Inputs!{line[names.index(column)].coordinate}"
    raise AssertionError((block, column, where))


def find_named(book: openpyxl.Workbook, name: str) -> str:
    """Return the address that a name stands for."""
    address: str = book.defined_names[name].attr_text
    return address.replace("$", "")
