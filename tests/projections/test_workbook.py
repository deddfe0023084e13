"""The workbook: real types, no formula from foreign text, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import Refused
from projections import workbook
from projections.credits import difference, price, rows, totals
from projections.subscriptions import read_subscriptions
from projections.workbook import write_workbook

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
TERMS = (EXAMPLE / "policies" / "email-standard.toml").read_text()
HOSTILE = ("=1+1", "+SUM(A1)", "-2", "@cmd", "\ttab", "=HYPERLINK(0)")


def frames() -> tuple[pd.DataFrame, pd.DataFrame, list[Window], Any]:
    """Return (before, after, windows, policy): hostile customers, an undecided credit, three currencies."""
    policy = parse_policy(TERMS)
    table = ["customer,subscription,service,region,policy,currency,fee,valid_from,valid_to"]
    table += [
        f'"{name}",s-{at},email,EMEA,email-standard,EUR,100.00,2021-01-01,'
        for at, name in enumerate(HOSTILE)
        if "\t" not in name
    ]
    table += [
        "Yen,s-yen,email,EMEA,email-standard,JPY,1001,2021-01-01,",
        "Open,s-open,email,NAM,email-standard,USD,10.05,2021-01-01,",
    ]
    subscriptions = read_subscriptions("\n".join(table).encode() + b"\n", "csv")
    start = 1_646_092_800  # 2022-03-01T00:00:00Z
    windows = [
        Window("i", "w", "email", "c", "EMEA", start, start + 30_000, "outage", entries=("incident/i v2",)),
        Window("i", "o", "email", "c", "NAM", start + 86_400, None, "outage", entries=("incident/i v3",)),
    ]
    policies = {"email-standard": [(1, policy)]}
    before = price(subscriptions, [], policies, "2022-03", start + 90_000)
    after = price(subscriptions, windows, policies, "2022-03", start + 90_000)
    return before, after, windows, policy


def write(path: Path) -> str:
    """Write the workbook of `frames`."""
    before, after, windows, policy = frames()
    return write_workbook(
        path, credits=after, before=before, windows=windows, policies=[("email-standard", 1, policy, TERMS)],
        provenance={"period": "2022-03", "root": "ab" * 32, "size": "3"},
    )  # fmt: skip


def test_cells_equal_the_frames(tmp_path: Path) -> None:
    """Every credit row stands in the workbook, money as numbers, undecided ones empty between their bounds."""
    write(tmp_path / "c.xlsx")
    _, after, _, _ = frames()
    sheet = openpyxl.load_workbook(tmp_path / "c.xlsx")["Credits"]
    lines = list(sheet.iter_rows(values_only=True))
    names = list(next(iter(rows(after))))
    assert [str(name).partition(" (")[0].replace(" ", "_") for name in lines[0]] == names
    for line, row in zip(lines[1:], rows(after), strict=True):
        found = dict(zip(names, line, strict=True))
        assert found["customer"] == row["customer"]
        for name in ("fee", "credit", "credit_at_least", "credit_at_most"):
            assert (found[name] is None) == (row[name] is None)
            assert row[name] is None or found[name] == pytest.approx(float(row[name]), abs=1e-9)
    open_line = next(line for line in lines if "s-open" in line)
    assert open_line[names.index("credit")] is None
    assert open_line[names.index("credit_at_most")] > open_line[names.index("credit_at_least")]  # type: ignore[operator]


def test_types_and_layout(tmp_path: Path) -> None:
    """Dates are dates, money has its currency's digits, and every table can be filtered and printed."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    assert book.sheetnames == ["Summary", "Credits", "Changes", "Downtime windows", "Policy", "Provenance"]
    for name in book.sheetnames[1:]:
        sheet = book[name]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
    windows = list(book["Downtime windows"].iter_rows(values_only=True))
    assert windows[1][5] == datetime(2022, 3, 1)  # noqa: DTZ001  # a spreadsheet has no zones; the heading says UTC
    credits = list(book["Credits"].iter_rows())
    fee = next(at for at, cell in enumerate(credits[0]) if cell.value == "fee")
    fees = {row[0].value: row[fee].number_format for row in credits[1:]}
    assert fees["Yen"] == "#,##0"
    assert fees["Open"] == "#,##0.00"


def test_text_is_never_a_formula(tmp_path: Path) -> None:
    """What looks like a formula is a text cell, in every sheet."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert {"=1+1", "+SUM(A1)", "-2", "@cmd", "=HYPERLINK(0)"} <= {
        cell.value for cell in cells if cell.data_type == "s"
    }


def test_control_totals_hold(tmp_path: Path) -> None:
    """The summary carries checks, each computed from both sides, and each holds."""
    write(tmp_path / "c.xlsx")
    lines = list(openpyxl.load_workbook(tmp_path / "c.xlsx")["Summary"].iter_rows(values_only=True))
    at = next(number for number, line in enumerate(lines) if line[0] == "check")
    checks = lines[at + 1 :]
    assert len(checks) >= 4
    assert all(line[3] is True for line in checks), checks
    before, after, _, _ = frames()
    eur = next(row for row in rows(totals(difference(before, after))) if row["currency"] == "EUR")
    assert any(
        line[0] == "EUR" and line[4] == pytest.approx(float(eur["delta"]))
        for line in lines
        if line[4] is not None
    )


def test_same_inputs_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another time, zone and place give the same file, and the digest is that of the file."""
    first = write(tmp_path / "one.xlsx")
    monkeypatch.setenv("TZ", "Australia/Lord_Howe")
    time.tzset()
    os.chdir(tmp_path)
    time.sleep(1.1)
    assert write(tmp_path / "two.xlsx") == first
    assert hashlib.sha256((tmp_path / "two.xlsx").read_bytes()).hexdigest() == first
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    monkeypatch.undo()
    time.tzset()


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet has an end; the sentence says where and what to do."""
    monkeypatch.setattr(workbook, "_MOST_ROWS", 3)
    with pytest.raises(Refused, match="credit rows do not fit a sheet, which holds 3"):
        write(tmp_path / "c.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """No half of a workbook is left behind."""
    with pytest.raises(Refused, match="cannot be written"):
        write(tmp_path / "no" / "such" / "c.xlsx")
