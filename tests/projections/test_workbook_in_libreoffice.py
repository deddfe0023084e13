"""LibreOffice recalculates the workbook: a spreadsheet that people use finds each cell, and follows what is changed.

It is given formulas without their values, so that a value can only be its own. Where it is not installed these tests say
so; `test_workbook_recalculated.py` and what uses `following.py` ask another engine everywhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import ledger
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.credits import rows, workings
from projections.earlier_credits import Earlier
from projections.subscriptions import read_subscriptions
from projections.workbook import book as books
from projections.workbook import write_workbook
from projections.workbook.checks import NOT_CALCULATED
from tests.finance.days_desk import Days
from tests.projections import hostile_workbook, priced_march, recalculating
from tests.projections.priced_march import MonthFacts, priced, terms
from tests.projections.recalculating import EXAMPLE, credits_of, find, input_of, put
from tests.projections.recalculating import TERMS as EXAMPLE_TERMS
from tests.projections.slow_calculator import read

HERE = Path(__file__)
MARCH, HOUR, DAY = 1_646_092_800, 3_600, 86_400

# Recalculate what is opened, whoever saved it; without this its own files alone would be.
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
Recalculate = Callable[[Iterable[Path]], dict[str, openpyxl.Workbook]]


@pytest.fixture
def recalculate(tmp_path: Path) -> Recalculate:
    """Give a function that lets LibreOffice calculate workbooks, all in one run, and returns what it found, by name."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip(
            "no LibreOffice on this machine; on Debian: apt-get install --no-install-recommends libreoffice-calc"
        )
    profile = tmp_path / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS)
    given, found = tmp_path / "given", tmp_path / "found"
    given.mkdir()

    def run(paths: Iterable[Path]) -> dict[str, openpyxl.Workbook]:
        names = [without_values(path, given / path.name) for path in paths]
        done = subprocess.run(
            [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML",
             "--outdir", str(found), *(str(given / name) for name in names)],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {name: openpyxl.load_workbook(found / name, data_only=True) for name in names}

    return run


def without_values(path: Path, to: Path) -> str:
    """Copy a workbook without the value of any formula, and return its name."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(to, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("xl/worksheets/"):
                part = re.sub(rb"(</f>)<v ?/>|(</f>)<v>[^<]*</v>", rb"\1\2", part)
                assert b"</f><v" not in part
            target.writestr(name, part)
    return to.name


def is_same(mine: Any, theirs: Any) -> bool:
    """Tell whether a cell of LibreOffice is the ledger's.

    It writes 15 digits of a number, and a truth value whose format spells it out as 0 or 1. What has more digits is compared to one in
    the last of them.
    """
    if type(mine) is bool:
        return theirs in (0, 1) and bool(theirs) is mine
    if not isinstance(mine, int | float):
        return mine == theirs or {mine, theirs} == {"", None}
    if type(theirs) not in (int, float):
        return False
    one, other = Decimal(repr(mine)), Decimal(repr(theirs))
    if len(one.normalize().as_tuple().digits) <= 15:
        return one == other
    return abs(one - other) <= Decimal(1).scaleb(one.adjusted() - 14)


def different(path: Path, found: openpyxl.Workbook) -> tuple[int, list[tuple[Any, ...]]]:
    """Return how many formulas a workbook has, and those of which something else was found than the ledger put there."""
    formulas, mine = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    cells = [
        (sheet.title, cell.coordinate, cell.value, mine[sheet.title][cell.coordinate].value, found[sheet.title][cell.coordinate].value)
        for sheet in formulas for line in sheet.iter_rows() for cell in line if cell.data_type == "f"
    ]  # fmt: skip
    return len(cells), [one for one in cells if not is_same(one[-2], one[-1])]


# ---- what it is given ----------------------------------------------------------------------------------------------


def march(
    path: Path, windows: Sequence[Window] | None = None, texts: Mapping[str, str] = EXAMPLE_TERMS, table: bytes | None = None,
    as_of: int = MARCH,
) -> dict[str, Any]:  # fmt: skip
    """Write the workbook of March 2022 and return its rows of credit by subscription."""
    table = (EXAMPLE / "subscriptions.csv").read_bytes() if table is None else table
    windows = recalculating.example_windows() if windows is None else windows
    found = recalculating.write(path, texts, table, windows, as_of, True)
    return {row["subscription"]: row for row in found}


def library(path: Path, windows: list[Window]) -> Path:
    """Write one workbook of all policies that come along, each with two subscriptions."""
    texts = {
        one.stem: one.read_text(encoding="utf-8")
        for one in sorted((Path(ledger.__file__).parent / "policies").glob("*.toml"))
    }
    assert len(texts) == 23
    policies = {key: [(1, parse_policy(text))] for key, text in texts.items()}
    lines = ["customer,subscription,service,region,policy,currency,fee,valid_from,valid_to"]
    lines += [
        f"{customer},{customer}-{key},mail,EMEA,{key},USD,{fee},2020-01-01,"
        for key in texts for customer, fee in (("A", "1234.56"), ("B", "10.05"))
    ]  # fmt: skip
    delay = Measurement("i", "m", "mail", "*", "EMEA", MARCH, MARCH + 31 * DAY, "latency", value="3.5", unit="minutes",
                        statistic="average")  # fmt: skip
    found = workings(
        read_subscriptions("\n".join(lines).encode() + b"\n", "csv"), windows, policies, "2022-03", MARCH + 31 * DAY,
        measurements=[delay],
    )  # fmt: skip
    assert len(found.frame) == 2 * len(texts)
    write_workbook(
        path, priced=found, period="2022-03", as_of=MARCH + 31 * DAY, windows=windows, provenance={},
        policies=[(key, 1, policies[key][0][1], text) for key, text in texts.items()],
    )  # fmt: skip
    return path


def many_terms() -> dict[str, str]:
    """Return terms of all kinds that have formulas."""
    in_full, percents = priced_march.IN_FULL, priced_march.PERCENTS
    rules = (
        '[[exclusions]]\nkinds = ["planned-maintenance", "third-party"]\nnotice = "1 hour"\n'
        '[[exclusions]]\nkinds = ["force-majeure"]\nmost = "10 hours"\nmost_per = "period"\n'
    )
    blocks = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\ncredit_percent = "2.5"\nper = "block"\nblock = "30 minutes"\nblocks = "begun"\n'
    )
    sums = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\ncredit_fixed = { USD = "250", JPY = "3", BHD = "1" }\n'
        'credit_multiple = "10"\ntake = "lesser"\n'
    )
    limits = '[limits]\npercent = "12.5"\nrolling_percent = "20"\nonly_above = { USD = "0.01", JPY = "2", BHD = "0.001" }\n'
    days = '[[tiers]]\nservice_days = "0.5"\nper = "block"\nblock = "1 hour"\n'
    quanta = {
        "each-down": f'{in_full}minimum = "5 minutes"\nquantise = "each-down"\nquantum = "7 minutes"\n',
        "slots": f'{in_full}quantise = "slots-touched"\nquantum = "1 hour"\n',
    }
    found = {
        "rules": terms("rules", in_full, rules, percents, "half-up"),
        "blocks": terms("blocks", in_full, "", blocks, "half-even"),
        "sums": terms("sums", in_full, "", sums, "half-ceiling", limits),
        "days": terms("days", in_full, "", days, "half-up", '[limits]\ndays = "2"\n'),
        "gaps": terms("gaps", in_full, "", priced_march.GAPS, "up"),
        "factor": terms(
            "factor", in_full, "", '[[tiers]]\ncredit_multiple = "10"\n', "half-down",
            'factor_decimals = 3\nfactor_rounding = "half-even"\n',
        ),
        "users": terms("users", priced_march.USERS, "", percents, "half-up"),
        "union": terms("union", priced_march.ALL + priced_march.UNION, "", percents, "down"),
        **{key: terms(key, counting, "", percents, "half-up") for key, counting in quanta.items()},
        "lifetime": terms("lifetime", in_full, "", percents, "half-up"),
    }  # fmt: skip
    found["lifetime"] = found["lifetime"].replace('"UTC"\n', '"UTC"\npart = "lifetime"\n')
    return found


def facts(rolling: bool = True) -> Any:
    """Return windows of all kinds, exclusions, and what was credited before. rolling: whether anything was."""

    def down(name: str, start: int, seconds: int | None, **more: Any) -> Window:
        end = None if seconds is None else MARCH + start + seconds
        return Window("i", name, "email", "*", "EMEA", MARCH + start, end, "outage", **more)

    windows = [
        down("a", HOUR, 2 * HOUR + 77), down("b", DAY, 240), down("c", 2 * DAY, 30 * HOUR, share_at_least="0.25", share_at_most="0.5"),
        down("d", 9 * DAY, 7 * HOUR, start_within_seconds=600), down("e", 12 * DAY, HOUR, cohort="beta"),
    ]  # fmt: skip
    exclusions = [
        Exclusion("storm", "force-majeure", "email", "*", "EMEA", MARCH + 2 * DAY, MARCH + 2 * DAY + 12 * HOUR),
        Exclusion("work", "third-party", "email", "*", "*", MARCH, MARCH + 2 * HOUR, MARCH - DAY),
    ]  # fmt: skip
    earlier = {"s-4": (Earlier(1, 12_345, "USD", "statement/main v1"),)} if rolling else {}
    return MonthFacts(windows, exclusions, MARCH + 31 * DAY, frozenset({"Acme"}), earlier)


def table(keys: Iterable[str]) -> Any:
    """Return subscriptions of each policy: of a member of the cohort and of another, for all of the month and for a part of it."""
    lines = [
        {"customer": customer, "service": "email", "region": "EMEA", "policy": key, "currency": currency, "fee": fee,
         "valid_from": first, "valid_to": ""}
        for key in keys
        for customer, currency, fee, first in (("Acme", "USD", "1234.57", "2022-01-01"), ("Brio", "BHD", "10.005", "2022-03-02"))
    ]  # fmt: skip
    return read(lines)


# ---- what it finds -------------------------------------------------------------------------------------------------


def test_libreoffice_finds_the_value_of_every_formula(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recalculate: Recalculate
) -> None:
    """The example, all policies that come along, terms of every kind, hostile texts over several sheets, and documents restated."""
    march(tmp_path / "march.xlsx")
    share: dict[str, Any] = {"share_at_least": "0.5", "share_at_most": "0.8"}
    for name, windows in (
        ("long", [Window("i", "w", "mail", "c", "EMEA", MARCH + HOUR, MARCH + 30 * HOUR, "outage", **share)]),
        ("short", [Window("i", "w", "mail", "c", "EMEA", MARCH + HOUR, MARCH + 3 * HOUR, "outage"),
                   Window("i", "x", "mail", "c", "EMEA", MARCH + 2 * DAY, MARCH + 2 * DAY + 3_677, "outage")]),
    ):  # fmt: skip
        library(tmp_path / f"library-{name}.xlsx", windows)
    texts = many_terms()
    priced_march.write(tmp_path / "terms.xlsx", texts, priced(texts, table(texts), facts()), facts())
    with monkeypatch.context() as small:
        small.setattr(books, "MOST_ROWS", 4)
        hostile_workbook.write(tmp_path / "sheets.xlsx")
    (tmp_path / "desk").mkdir()
    days = Days(f"sqlite:///{tmp_path / 'desk' / 'ledger.db'}", tmp_path / "desk")
    days.issue()
    days.until("15:00")
    days.desk.ok("credits", "export", "--period", "2022-03", "--subscriptions", "mail", "--compare-issued", "main",
                 "-o", str(tmp_path / "issued.xlsx"))  # fmt: skip
    paths = sorted(tmp_path.glob("*.xlsx"))
    found = recalculate(paths)
    counts = {path.stem: different(path, found[path.name]) for path in paths}
    assert {name: wrong[:5] for name, (_, wrong) in counts.items() if wrong} == {}
    assert min(count for count, _ in counts.values()) > 50
    assert sum(count for count, _ in counts.values()) > 10_000
    outcome = {path.stem: found[path.name]["Checks"]["D2"].value for path in paths}
    # Days of service by tiers of downtime have no formula: there the totals alone are checked.
    assert outcome == {path.stem: 1 for path in paths} | {"issued": NOT_CALCULATED}


def failing(book: openpyxl.Workbook) -> set[str]:
    """Return the checks that do not hold."""
    return {str(line[0]) for line in book["Checks"].iter_rows(min_row=4, values_only=True) if line[3] == 0}


def paid(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the amounts of a row of credit as a sheet shows them."""
    least, most = (float(Decimal(row[f"credit_at_{side}"])) for side in ("least", "most"))
    return ("undecided" if row["credit"] is None else float(Decimal(row["credit"]))), least, most


def shown(line: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the same of a line of Credits."""
    return line["credit"], line["credit at least"], line["credit at most"]


def test_libreoffice_follows_what_is_changed(tmp_path: Path, recalculate: Recalculate) -> None:
    """An end, an open end, an edge, a rounding and a fee: each line is paid what the ledger then pays, and Checks says FALSE."""
    path = tmp_path / "march.xlsx"
    before = march(path)
    book = openpyxl.load_workbook(path)
    windows = recalculating.example_windows()
    standard = EXAMPLE_TERMS["email-standard"]
    subscriptions = (EXAMPLE / "subscriptions.csv").read_bytes()
    end = find(book, "Intervals", "end (UTC), empty while open", window="nam-quarantine")
    sheet, _, cell = end.partition("!")
    moment = book[sheet][cell].value
    as_of = recalculating.find_named(book, "as_of")
    noon = MARCH + 14 * DAY + 12 * HOUR

    def ended(at: int | None) -> list[Window]:
        # windows are frozen: one of them is told again.
        return [
            Window(**{name: getattr(one, name) for name in one.__struct_fields__} | {"end": at})
            if one.window == "nam-quarantine" else one
            for one in windows
        ]  # fmt: skip

    cases: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "a second before the edge": (
            {end: moment - timedelta(seconds=215)}, {"windows": ended(MARCH + 14 * DAY + 36_000 - 215)},
        ),
        "on the edge": ({end: moment - timedelta(seconds=216)}, {"windows": ended(MARCH + 14 * DAY + 36_000 - 216)}),
        "open": (
            {end: None, as_of: datetime.fromisoformat("2022-03-15T12:00")}, {"windows": ended(None), "as_of": noon},
        ),
        "edge": (
            {input_of(book, "Tiers", "availability from (%)", 3, "email-standard", 1, 2): 98.99},
            {"texts": EXAMPLE_TERMS | {"email-standard": standard.replace('"99.0"', '"98.99"')}},
        ),
        "rounding": (
            {input_of(book, "Policies", "rounding", 3, "email-standard"): "floor"},
            {"texts": EXAMPLE_TERMS | {"email-standard": standard.replace('"half-up"', '"floor"')}},
        ),
        "fee": (
            {find(book, "Credits", "fee", subscription="aurora-nam"): 100.1},
            {"table": subscriptions.replace(b"1800.50", b"100.10")},
        ),
    }  # fmt: skip
    wanted = {}
    for name, (changes, other) in cases.items():
        wanted[name] = march(tmp_path / "other.xlsx", **other)
        put(path, changes, tmp_path / f"{name}.xlsx")
    # Cells that may not be changed are, without a word: a credit, a line that is no longer there, and what an interval covers.
    broken = openpyxl.load_workbook(path)
    for address, value in (
        (find(broken, "Credits", "credit at least", subscription="aurora-nam"), 1),
        (find(broken, "Credits", "subscription", subscription="dune-emea"), None),
        (find(broken, "Coverage", "end (s)", case=5, what="interval"), 0),
    ):
        title, _, at = address.partition("!")
        broken[title][at] = value
    broken.save(tmp_path / "broken.xlsx")
    # Other terms of the same build: each of their inputs is put in.
    texts = many_terms()
    texts = {key: texts[key] for key in ("rules", "blocks", "sums", "days", "gaps", "factor", "each-down")}
    again = {key: priced_march.other(text) for key, text in texts.items()}
    for name, some in (("terms", texts), ("terms again", again)):
        priced_march.write(tmp_path / f"{name}.xlsx", some, priced(some, table(texts), facts()), facts())
    old, new = (openpyxl.load_workbook(tmp_path / f"{name}.xlsx") for name in ("terms", "terms again"))
    put_in = priced_march.inputs_of(old, new)
    put(tmp_path / "terms.xlsx", put_in, tmp_path / "terms changed.xlsx")

    names = [*cases, "broken", "terms changed"]
    found = recalculate([tmp_path / f"{name}.xlsx" for name in names])
    for name in cases:
        lines = credits_of(found[f"{name}.xlsx"])
        assert {key: shown(line) for key, line in lines.items()} == {
            key: paid(row) for key, row in wanted[name].items()
        }, name
        # Up to the edge nothing is paid anew, though the seconds are others.
        moved = {key for key, row in wanted[name].items() if paid(row) != paid(before[key])}
        assert ("aurora-nam" in moved) == (name != "a second before the edge"), name
    for name in (*cases, "broken"):
        said = [
            found[f"{name}.xlsx"][title][at].value
            for title, at in (("Checks", "D2"), ("Summary", "B2"), ("About", "B6"))
        ]
        assert said == [0, 0, 0], name
        assert failing(found[f"{name}.xlsx"]), name
    assert failing(found["broken.xlsx"]) >= {
        "lines = subscriptions", "lines = total, credit at least, USD", "scopes whose formulas do not agree with the ledger",
    }  # fmt: skip
    live = {
        line["subscription"] for line in priced_march.lines_of(new) if str(line["credit"]).startswith("=")
    }
    lines = credits_of(found["terms changed.xlsx"])
    other = {row["subscription"]: row for row in rows(priced(again, table(texts), facts()).frame)}
    assert len(put_in) > 20
    assert len(live) == len(other)
    assert {key: shown(lines[key]) for key in live} == {key: paid(other[key]) for key in live}
