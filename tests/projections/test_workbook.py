"""The workbook: live formulas with the ledger's results, no formula from foreign text, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import os
import re
import time
import zipfile
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import column_index_from_string, get_column_letter

import ledger
from ledger.domain.events import IncidentUpdated
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import Unavailable
from ledger.store.stream import Entry
from projections.credits import difference, rows, totals, workings
from projections.subscriptions import read_subscriptions
from projections.workbook import book as books
from projections.workbook.cells import listed, row_xml
from projections.workbook.lines import DAYS, Changes
from tests.projections.hostile_workbook import TERMS, frames, write

SHEETS = [
    "About", "Summary", "Availability", "Inputs", "Events", "Intervals", "Terms", "Edges", "Coverage", "Segments",
    "Calculation", "Credits", "Changes", "Checks", "Policy",
]  # fmt: skip
TABLES = [name for name in SHEETS if name not in ("About", "Summary", "Availability", "Inputs", "Checks")]


def lines_of(path: Path, sheet: str) -> list[dict[str, Any]]:
    """Return the rows of a table as an eye sees them: cached values under the headings."""
    book = openpyxl.load_workbook(path, data_only=True)
    heading, *lines = book[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, heading), line, strict=True)) for line in lines]


def test_cells_equal_the_frames(tmp_path: Path) -> None:
    """Every credit row stands in the workbook, money as numbers, undecided ones between their bounds."""
    write(tmp_path / "c.xlsx")
    _, after, _, _ = frames()
    scopes = {line["scope"]: line for line in lines_of(tmp_path / "c.xlsx", "Calculation")}
    lines = lines_of(tmp_path / "c.xlsx", "Credits")
    assert len(lines) == len(after.frame)
    for line, row in zip(lines, rows(after.frame), strict=True):
        for name in ("customer", "subscription", "service", "region", "policy", "currency", "rule"):
            shown = "_x005F_x003D_1+1" if row[name] == "_x003D_1+1" else row[name]
            assert line[name] == shown
        for name in ("fee", "credit at least", "credit at most"):
            assert line[name] == float(row[name.replace(" ", "_")])
        assert line["credit"] == ("undecided" if row["credit"] is None else float(row["credit"]))
        scope = scopes[line["scope"]]
        assert scope["downtime (s)"] == row["downtime_seconds"]
        assert scope["excluded (s)"] == row["excluded_seconds"]
        assert scope["availability at least (%)"] == pytest.approx(
            float(row["availability_at_least"]), abs=1e-12
        )
        assert scope["availability at most (%)"] == pytest.approx(
            float(row["availability_at_most"]), abs=1e-12
        )
        assert (scope["to the next tier (s)"] or None) == row["seconds_to_next_tier"]
        assert (scope["past the tier's edge (s)"] or None) == row["seconds_past_tier_edge"]
        assert scope["entries"] == "; ".join(row["entries"])
        assert scope["figures are"] == "formulas"
    assert [line["credit"] for line in lines if line["subscription"] == "s-open"] == ["undecided"]


def test_types_and_layout(tmp_path: Path) -> None:
    """Dates are dates, money has its currency's digits, and every sheet prints on as many pages side by side as can be read."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    assert book.sheetnames == SHEETS
    for sheet in book:
        assert sheet.freeze_panes is not None
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0
        # A landscape page of A4 shows some 137 characters in the size of the screen, one of A3 some 202.
        kept = column_index_from_string(re.sub(r"\d", "", sheet.freeze_panes)) - 1
        wide = [sheet.column_dimensions[get_column_letter(at)].width for at in range(1, sheet.max_column + 1)]
        room = {"8": 202, "9": 137}[str(sheet.page_setup.paperSize)]
        across = int(sheet.page_setup.fitToWidth or 0)
        assert across * room / (sum(wide) + (across - 1) * sum(wide[:kept])) > 0.6
        assert sheet.print_title_cols == (f"$A:${get_column_letter(kept)}" if across > 1 else None)
        assert sheet.sheet_properties.pageSetUpPr is not None
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.sheet_state == "visible"
        assert not sheet.merged_cells.ranges
        column, row = re.fullmatch(r"'.+'!\$A\$1:\$([A-Z]+)\$(\d+)", str(sheet.print_area)).groups()  # type: ignore[union-attr]
        assert (column_index_from_string(column), int(row)) >= (sheet.max_column, sheet.max_row)
    for name in TABLES:
        assert book[name].auto_filter.ref == book[name].dimensions
    intervals = list(book["Intervals"].iter_rows(values_only=True))
    start = intervals[0].index("start (UTC)")
    assert intervals[1][start] == datetime(2022, 3, 1)  # noqa: DTZ001  # a spreadsheet has no zones; the heading says UTC
    credits = list(book["Credits"].iter_rows())
    fee = next(at for at, cell in enumerate(credits[0]) if cell.value == "fee")
    fees = {row[0].value: row[fee].number_format for row in credits[1:]}
    assert fees["Yen"] == "#,##0"
    assert fees["Open"] == "#,##0.00"


def test_what_stands_in_a_cell_is_not_cut(tmp_path: Path) -> None:
    """Fractions, amounts of twelve digits, long names and what entries say: each fits its column, or goes on in the next line.

    181 minutes and 17 seconds are 181.28333... minutes, and what is paid for 3 hours 0.4032258064... percent.
    """
    text = (Path(ledger.__file__).parent / "policies" / "digitalocean-droplets.toml").read_text(
        encoding="utf-8"
    )
    policies = {"digitalocean-droplets": [(1, parse_policy(text))]}
    table = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n" + "".join(
        f"{'Aurora Rail and Freight of the North' * 2},s-{at},email,EMEA,digitalocean-droplets,USD,999999999999.99,2021-01-01,\n"
        for at in range(3)
    )
    start = 1_646_092_800
    windows = [Window("i", "w", "email", "c", "EMEA", start, start + 10_877, "outage")]
    found = workings(read_subscriptions(table.encode(), "csv"), windows, policies, "2022-03", start)
    said = Entry(
        1, "incident/i", 1, "incident.updated", "2022-03-02T00:00:00.000000Z", "2022-03-01T12:00:00.000000Z",
        IncidentUpdated(actor="a", body="What was lost is found again. " * 20, published_at="2022-03-01T12:00:00.000000Z"),
    )  # fmt: skip
    write(
        tmp_path / "c.xlsx", priced=found, windows=windows, policies=[("digitalocean-droplets", 1, policies["digitalocean-droplets"][0][1], text)],
        before=None, entries=[said],
    )  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    digits = {"#,##0": ",.0f", "#,##0.00": ",.2f", "0.00000000": ".8f", "General": ".0f"}
    folded = set()
    for sheet in book:
        for number, row in enumerate(sheet.iter_rows(), 1):
            for at, cell in enumerate(row, 1):
                width = sheet.column_dimensions[get_column_letter(at)].width
                if cell.alignment.wrap_text and isinstance(cell.value, str):
                    height = sheet.row_dimensions[number].height or 15
                    if not cell.font.b:
                        folded.add((sheet.title, height > 15))
                        assert height / 15 * width >= len(cell.value), cell
                elif type(cell.value) in (int, float) and cell.number_format in digits:
                    assert len(format(cell.value, digits[cell.number_format])) < width, cell
    assert {("Events", True), ("Policy", True), ("Policy", False)} <= folded
    assert book["Summary"]["D6"].value == 2_999_999_999_999.97
    # The chart is 24 cm wide; a character has 7 of 96 parts of an inch.
    wide = sum(one.width for one in book["Availability"].column_dimensions.values())
    assert wide * 7 / 96 * 2.54 > 24


def test_text_is_never_a_formula(tmp_path: Path) -> None:
    """What looks like a formula is a text cell, in every sheet; formulas are only those of the workbook."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    texts = {cell.value for cell in cells if cell.data_type == "s"}
    assert {"=1+1", "+SUM(A1)", "-2", "@cmd", "=HYPERLINK(0)", "=w()", "=actor"} <= texts
    formulas = {str(cell.value) for cell in cells if cell.data_type == "f"}
    assert formulas
    assert not [
        one for one in formulas if any(word in one for word in ("1+1,", "HYPERLINK", "cmd", "actor", "w()"))
    ]
    with zipfile.ZipFile(tmp_path / "c.xlsx") as file:
        assert not [name for name in file.namelist() if "external" in name.lower() or "vba" in name.lower()]


def test_formulas_are_short_and_hold_no_figure(tmp_path: Path) -> None:
    """ICAEW, Twenty Principles 13 and 14: short formulas, and nothing inside them that might change. None is volatile."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    formulas = [
        str(cell.value)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    assert len(formulas) > 500
    for formula in formulas:
        assert len(formula) < 200, formula
        assert not re.search(r"\b(NOW|TODAY|RAND|OFFSET|INDIRECT|CELL|INFO)\b", formula)
        # Left are the numbers of rows, and 0, 1 and -1, which count.
        bare = re.sub(r"'[^']+'!|\$?[A-Z]{1,3}\$?\d+|\"[^\"]*\"", "", formula)
        assert set(re.findall(r"\d+\.?\d*", bare)) <= {"0", "1"}, formula


def test_only_inputs_may_be_changed(tmp_path: Path) -> None:
    """Every sheet is protected without a password; what is unlocked is yellow, and holds no formula."""
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx")
    unlocked = []
    for sheet in book:
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        assert not sheet.protection.autoFilter
        for row in sheet.iter_rows():
            for cell in row:
                if not cell.protection.locked:
                    unlocked.append((sheet.title, cell.data_type))
                    assert cell.fill.fgColor.rgb == "FFFFF6D6"
    assert {title for title, _ in unlocked} == {"About", "Inputs", "Intervals", "Credits"}
    assert "f" not in {kind for _, kind in unlocked}


def test_checks_hold_and_are_calculated_from_two_sides(tmp_path: Path) -> None:
    write(tmp_path / "c.xlsx")
    lines = list(
        openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)["Checks"].iter_rows(values_only=True)
    )
    assert lines[1][3] is True
    checks = {line[0]: line for line in lines[3:]}
    assert all(line[3] is True for line in checks.values()), checks
    assert {"lines = subscriptions", "lines = total, credit at least, EUR", "lines = total, fee, JPY",
            "minutes of email in EMEA = union (UTC)", "minutes of email in NAM = union (UTC)",
            "excluded + counted = gross downtime, seconds, all scopes",
            "credit before + delta = credit after, EUR"} <= checks.keys()  # fmt: skip
    assert checks["minutes of email in EMEA = union (UTC)"][1] == 500
    before, after, _, _ = frames()
    eur = next(row for row in rows(totals(difference(before, after.frame))) if row["currency"] == "EUR")
    summary = list(
        openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)["Summary"].iter_rows(values_only=True)
    )
    assert ["EUR", 9, 0, float(eur["credit_before"]), float(eur["credit_after"]), float(eur["delta"])] in [
        list(line[:6]) for line in summary
    ]


def test_changes_name_their_cause(tmp_path: Path) -> None:
    """Without the entries before, with them after: the entry that made the difference is named."""
    write(tmp_path / "c.xlsx")
    lines = {line["subscription"]: line for line in lines_of(tmp_path / "c.xlsx", "Changes")}
    assert lines["s-0"]["cause"] == "incident/i v2"
    assert lines["s-0"]["delta"] == lines["s-0"]["credit after"] - lines["s-0"]["credit before"] == 25
    assert lines["s-open"]["delta"] == "undecided"
    assert lines["s-open"]["credit after at most"] > lines["s-open"]["credit after at least"]


def test_days_of_service_of_more_digits_than_a_sheet_keeps_are_values(tmp_path: Path) -> None:
    """A line without days has empty cells; one whose days a sheet cannot subtract exactly has the ledger's."""
    line = {"customer": "C", "service": "email", "region": "EMEA", "policy": "email-standard", "period": "2022-03", "currency": "EUR",
            "as_issued": 0, "as_now": 0, "delta": 0, "waived": 0, "taken_back": False, "cause": ""}  # fmt: skip
    days = {
        "none": (None,) * 4,
        "short": (Fraction(1, 2), Fraction(3), Fraction(5, 2), Fraction(0)),
        "long": (Fraction(1, 10**9), Fraction(10**7), 10**7 - Fraction(1, 10**9), Fraction(0)),
    }
    frame = pd.DataFrame(
        [{**line, "subscription": name, **dict(zip(DAYS, some, strict=True))} for name, some in days.items()]
    )
    frame = frame.astype(dict.fromkeys(DAYS, object)).where(frame.notna(), None)
    write(tmp_path / "c.xlsx", before=None, changes=Changes(frame, "as issued", "as now"))
    lines = {one["subscription"]: one for one in lines_of(tmp_path / "c.xlsx", "Changes")}
    assert [lines["none"][f"days {name}"] for name in ("as issued", "delta", "waived")] == [None] * 3
    assert [lines["short"][f"days {name}"] for name in ("as issued", "delta", "waived")] == [0.5, 2.5, 0]
    sheet = openpyxl.load_workbook(tmp_path / "c.xlsx")["Changes"]
    at = [cell.value for cell in sheet[1]].index("days delta")
    assert [row[at].data_type for row in sheet.iter_rows(min_row=2)] == ["n", "f", "n"]
    assert lines["long"]["days delta"] == 9999999.999999999


def test_an_adjustment_fills_the_sheet_of_changes(tmp_path: Path) -> None:
    """As issued, as now, delta and cause, whatever made them; a line that is no longer credited is a value."""
    _, after, _, _ = frames()
    first = after.frame.iloc[0]
    gone = {"customer": "Gone", "subscription": "s-gone", "service": "email", "region": "EMEA", "policy": "email-standard",
            "period": "2022-03", "currency": "EUR", "as_issued": 700, "as_now": 0, "delta": -700, "cause": "incident/i v9"}  # fmt: skip
    kept = {
        **gone,
        "customer": first["customer"],
        "subscription": "s-0",
        "as_issued": 250,
        "as_now": 2500,
        "delta": 2250,
    }
    write(
        tmp_path / "c.xlsx",
        before=None,
        changes=Changes(pd.DataFrame([kept, gone]).convert_dtypes(), "as issued", "as now"),
    )
    lines = {line["subscription"]: line for line in lines_of(tmp_path / "c.xlsx", "Changes")}
    assert {name: lines["s-0"][name] for name in ("as issued", "as now", "delta", "cause")} == {
        "as issued": 2.5, "as now": 25, "delta": 22.5, "cause": "incident/i v9"
    }  # fmt: skip
    assert lines["s-gone"]["delta"] == -7
    formulas = openpyxl.load_workbook(tmp_path / "c.xlsx")["Changes"]
    assert [row[8].value for row in formulas.iter_rows(min_row=2)] == ["=Credits!$I$2", 0]
    checks = list(
        openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)["Checks"].iter_rows(values_only=True)
    )
    assert next(line for line in checks if line[0] == "as issued + delta = as now, EUR")[1:4] == (
        25,
        25,
        True,
    )


def test_events_say_who_and_when(tmp_path: Path) -> None:
    write(tmp_path / "c.xlsx")
    (line,) = lines_of(tmp_path / "c.xlsx", "Events")
    assert line["entry"] == "incident/i v2"
    assert line["recorded at (UTC)"] == datetime(2022, 3, 2)  # noqa: DTZ001  # UTC, as the heading says
    assert line["actor (as claimed)"] == "=actor"
    assert line["recorded after it was published"] is True
    assert line["named by a credit"] is True
    assert line["what it says"] == "body: +body\n@two; body_format: text"


def test_a_chart_for_each_policy_shows_availability_and_tiers(tmp_path: Path) -> None:
    """Each series refers to cells of the workbook and keeps what they hold."""
    write(tmp_path / "c.xlsx")
    with zipfile.ZipFile(tmp_path / "c.xlsx") as file:
        charts = [file.read(name).decode() for name in file.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 1
    assert re.findall(r"<v>(tier[^<]*|availability[^<]*)</v>", charts[0]) == [
        "availability at least (%)", "availability at most (%)", "tier from 99.9%", "tier from 99%", "tier from 98%"
    ]  # fmt: skip
    assert charts[0].count("<f>'Availability'!$A$5:$A$6</f>") == 5
    assert "<v>98.87992831541219</v>" in charts[0]


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


def test_lines_that_do_not_fit_a_sheet_go_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Totals and checks run over all of them."""
    monkeypatch.setattr(books, "MOST_ROWS", 4)
    write(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    assert [name for name in book.sheetnames if name.startswith("C")] == [
        "Coverage", "Calculation", "Credits 1", "Credits 2", "Credits 3", "Changes 1", "Changes 2", "Changes 3", "Checks",
    ]  # fmt: skip
    assert [line["subscription"] for line in lines_of(tmp_path / "c.xlsx", "Credits 2")] == [
        "s-4",
        "s-5",
        "s-6",
        "s-7",
    ]
    checks = list(book["Checks"].iter_rows(values_only=True))
    assert all(line[3] is True for line in checks[3:]), checks
    formulas = openpyxl.load_workbook(tmp_path / "c.xlsx")
    assert formulas["Changes 2"]["I2"].value == "='Credits 2'!$I$2"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """No half of a workbook is left behind."""
    with pytest.raises(Unavailable, match="cannot be written"):
        write(tmp_path / "no" / "such" / "c.xlsx")
    with pytest.raises(Unavailable, match="cannot be written"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_cell_does_not_hold_is_said() -> None:
    names = [f"incident/a-long-name-{number:05} v1" for number in range(2_000)]
    assert listed(names[:2]) == "incident/a-long-name-00000 v1; incident/a-long-name-00001 v1"
    text = listed(names)
    kept = text.split("; ")[:-2]
    assert 32_000 < len(text) <= 32_767
    assert kept == names[: len(kept)]
    assert text.endswith(f"; and {2_000 - len(kept):,} more; see the Parquet detail")


@pytest.mark.parametrize("letter", ["z", "\U0001f4a5"])
def test_a_text_longer_than_a_cell_says_how_much_is_missing(letter: str) -> None:
    [found] = re.findall("<t[^>]*>(.*)</t>", row_xml(1, ["A"], [0], [letter * 40_000]))
    kept = found.count(letter)
    assert len(found.encode("utf-16-le")) // 2 <= 32_767
    assert found == f"{letter * kept} … and {40_000 - kept:,} more characters; a cell holds 32,767"


def test_amounts_of_more_than_15_digits_stand_there_as_text(tmp_path: Path) -> None:
    table = (
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
        "Big,big,email,EMEA,email-standard,USD,99999999999999.99,2021-01-01,\n"
    )
    policy = parse_policy(TERMS)
    priced = workings(
        read_subscriptions(table.encode(), "csv"),
        [],
        {"email-standard": [(1, policy)]},
        "2022-03",
        1_650_000_000,
    )
    write(tmp_path / "big.xlsx", priced=priced, before=None)
    [line] = lines_of(tmp_path / "big.xlsx", "Credits")
    assert line["rule"].endswith("; a spreadsheet keeps 15 digits: fee 99999999999999.99, credit 0.00")
    summary = openpyxl.load_workbook(tmp_path / "big.xlsx", data_only=True)["Summary"]
    assert "USD fee 99999999999999.99, credit at least 0.00, at most 0.00" in summary["A3"].value


# Terms that have no formulas here, as outages have a least duration; what they pay is no whole number of parts.
WITHOUT_FORMULAS = """
format = 2
policy = "email-standard"
in_force_from = 2021-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[measure]
of = "time"
[counting]
effects = ["outage"]
minimum = "1 minute"
unless_daily_total_above = "1 hour"
[[tiers]]
availability_at_least = "99"
credit_percent = "0"
[[tiers]]
availability_below = "99"
credit_percent = "10.005"
[credit]
rounding = "half-up"
"""


def write_values(path: Path) -> None:
    """Write the workbook of `frames` under terms that have no formulas."""
    _, priced, windows, _ = frames()
    policy = parse_policy(WITHOUT_FORMULAS)
    table = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
    table += "A,s-a,email,EMEA,email-standard,EUR,100.00,2021-01-01,\n"
    table += "B,s-b,email,APAC,email-standard,EUR,10.00,2021-01-01,\n"
    subscriptions = read_subscriptions(table.encode(), "csv")
    priced = workings(subscriptions, windows, {"email-standard": [(1, policy)]}, "2022-03", 1_646_182_800)
    write(path, priced=priced, policies=[("email-standard", 1, policy, WITHOUT_FORMULAS)], before=None)


def test_what_is_paid_has_no_parts_where_they_are_not_whole(tmp_path: Path) -> None:
    """10.005% is 1000.5 of 10,000 parts: neither sheet says a rounded count, both say the percentage, and why it is a value."""
    write_values(tmp_path / "v.xlsx")
    credits, scopes = (lines_of(tmp_path / "v.xlsx", name) for name in ("Credits", "Calculation"))
    by_number = {line["scope"]: line for line in scopes}
    assert [line["credit"] for line in credits] == [10.01, 0]
    for line in credits:
        scope = by_number[line["scope"]]
        paid = 0 if line["region"] == "APAC" else None
        for name in ("pays at least (parts)", "pays at most (parts)"):
            assert (line[name], scope[name]) == (paid, paid)
        assert (
            line["credit (% of fee)"] == scope["pays at least (% of fee)"] == (10.005 if paid is None else 0)
        )
        assert scope["figures are"] == "value: no formula for short outages that count by the day"


def test_checks_of_values_alone_do_not_claim_to_hold(tmp_path: Path) -> None:
    """Where no formula leads to a figure, the outcome says so on each sheet that shows it, and nothing reads 0 = 0."""
    write_values(tmp_path / "v.xlsx")
    sentence = "not calculated: every figure is a value"
    checks = list(
        openpyxl.load_workbook(tmp_path / "v.xlsx", data_only=True)["Checks"].iter_rows(values_only=True)
    )
    assert checks[1][3] == sentence
    assert all(line[3] is True for line in checks[3:])
    assert not any("gross downtime" in str(line[0]) or "union" in str(line[0]) for line in checks)
    for title in ("About", "Summary"):
        shown = openpyxl.load_workbook(tmp_path / "v.xlsx", data_only=True)[title].iter_rows(values_only=True)
        assert [line[1] for line in shown if line[0] == "all checks hold"] == [sentence]
    formula = openpyxl.load_workbook(tmp_path / "v.xlsx")["Checks"]["D2"].value
    assert formula == f'=IF(COUNTIF(D4:D{len(checks)},FALSE)=0,"{sentence}",FALSE)'
