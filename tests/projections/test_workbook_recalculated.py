"""An independent engine recalculates the workbook: every formula gives the cell's value, and follows its inputs.

`formualizer` shares no code with the writer. What it finds in each cell is compared with what the ledger put there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ledger
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import price, workings
from projections.workbook import write_workbook
from projections.workbook.checks import NOT_CALCULATED
from tests.projections.recalculating import (
    EXAMPLE,
    HOUR,
    MARCH,
    TERMS,
    changed,
    credits_of,
    example_windows,
    find,
    find_named,
    input_of,
    recalculated,
    same,
    write,
)
from tests.projections.slow_calculator import CUSTOMERS, read, some_rows, some_terms, some_windows, toml


def test_every_formula_of_the_example_gives_its_cell(tmp_path: Path) -> None:
    found = write(
        tmp_path / "c.xlsx",
        TERMS,
        (EXAMPLE / "subscriptions.csv").read_bytes(),
        example_windows(),
        MARCH,
        True,
    )
    assert same(tmp_path / "c.xlsx") > 1_500
    assert any(row["credit"] != "0.00" for row in found)
    scopes = openpyxl.load_workbook(tmp_path / "c.xlsx")["Calculation"]
    heading = [cell.value for cell in scopes[1]]
    assert {row[heading.index("figures are")] for row in scopes.iter_rows(min_row=2, values_only=True)} == {
        "formulas"
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    windows=st.lists(some_windows(), max_size=6),
    a=some_terms(),
    b=some_terms(),
    table=st.lists(some_rows(), min_size=1, max_size=5),
    as_of=st.integers(0, 31 * 24).map(lambda hours: MARCH + hours * HOUR),
    beta=st.sets(st.sampled_from(CUSTOMERS)),
)
def test_every_formula_of_any_terms_and_facts_gives_its_cell(
    tmp_path_factory: pytest.TempPathFactory, windows: list[Window], a: Any, b: Any, table: list[dict[str, str]], as_of: int,
    beta: set[str],
) -> None:  # fmt: skip
    """Tolerances, open ends, unknown regions, cohorts, planned work, shares, zones, roundings: all of format 1 is live."""
    folder = tmp_path_factory.mktemp("any")
    terms = {key: toml(key, found) for key, found in (("a", a), ("b", b))}
    frame = read(table)
    policies = {key: [(1, parse_policy(text))] for key, text in terms.items()}
    cohorts = {"beta": Cohort("cohort/beta v1", pd.array(sorted(beta), dtype="str"))}
    priced = workings(frame, windows, policies, "2022-03", as_of, (), cohorts)
    if not len(priced.frame):
        return
    write_workbook(
        folder / "c.xlsx", priced=priced, period="2022-03", as_of=as_of, windows=windows,
        before=price(frame, windows[:1], policies, "2022-03", as_of, (), cohorts),
        policies=[(key, 1, policies[key][0][1], text) for key, text in terms.items()], provenance={},
    )  # fmt: skip
    found = recalculated(folder / "c.xlsx")
    assert (found["summary"]["errors"], found["cache_cells_changed"]) == (0, 0)
    book = openpyxl.load_workbook(folder / "c.xlsx", data_only=True)
    assert book["About"]["B7"].value == "none: every figure is calculated"
    checks = list(book["Checks"].iter_rows(min_row=4, values_only=True))
    assert all(line[3] is True for line in checks), checks


@pytest.fixture
def example(tmp_path: Path) -> Path:
    write(
        tmp_path / "c.xlsx",
        TERMS,
        (EXAMPLE / "subscriptions.csv").read_bytes(),
        example_windows(),
        MARCH,
        True,
    )
    return tmp_path / "c.xlsx"


def test_a_changed_fact_changes_the_credit(example: Path) -> None:
    """NAM is 216 seconds past the 99.0% edge: with a window that ends 216 seconds earlier it is paid 10%, not 25%."""
    book = openpyxl.load_workbook(example)
    end = find(book, "Intervals", "end (UTC), empty while open", window="nam-quarantine")
    sheet, _, cell = end.partition("!")
    moment = book[sheet][cell].value
    almost = credits_of(changed(example, {end: moment - timedelta(seconds=215)}))["aurora-nam"]
    assert (almost["credit (% of fee)"], almost["credit"]) == (25, 450.13)
    exactly = changed(example, {end: moment - timedelta(seconds=216)})
    assert credits_of(exactly)["aurora-nam"]["credit (% of fee)"] == 10
    assert credits_of(exactly)["aurora-nam"]["credit"] == 180.05
    # The workbook says itself that it is no longer what the ledger has.
    assert exactly["Checks"]["D2"].value is False
    assert exactly["Summary"]["B2"].value is False


def test_an_open_end_makes_bounds(example: Path) -> None:
    """Without an end, and known until 15 March 12:00, what is owed lies between two amounts."""
    book = openpyxl.load_workbook(example)
    end = find(book, "Intervals", "end (UTC), empty while open", window="nam-quarantine")
    as_of = find_named(book, "as_of")
    noon = datetime.fromisoformat("2022-03-15T12:00")
    line = credits_of(changed(example, {end: None, as_of: noon}))["aurora-nam"]
    assert line["credit"] == line["credit (% of fee)"] == "undecided"
    assert (line["credit at least"], line["credit at most"]) == (450.13, 900.25)


def test_changed_terms_change_the_credit(example: Path) -> None:
    """An edge, what a tier pays, how intervals count, how amounts are rounded, and a fee."""
    book = openpyxl.load_workbook(example)
    standard = 3
    edge = input_of(book, "Tiers", "availability from (%)", standard, "email-standard", 1, 2)
    assert credits_of(changed(example, {edge: 98.99}))["aurora-nam"]["credit (% of fee)"] == 10
    pays = input_of(book, "Tiers", "pays (% of fee)", standard, "email-standard", 1, 3)
    assert credits_of(changed(example, {pays: 12.5}))["aurora-nam"]["credit"] == 225.06
    way = input_of(book, "Policies", "intervals count", standard, "email-standard")
    by_share = credits_of(changed(example, {way: "by-share"}))["aurora-nam"]
    assert (by_share["credit at least"], by_share["credit at most"], by_share["credit"]) == (0, 0, 0)
    rounding = input_of(book, "Policies", "rounding", standard, "email-standard")
    rounded = {
        mode: credits_of(changed(example, {rounding: mode}))["aurora-nam"]["credit"]
        for mode in ("half-up", "half-even", "half-down", "up", "down", "ceiling", "floor")
    }
    # 25% of 1,800.50 is 450.125.
    assert rounded == {"half-up": 450.13, "half-even": 450.12, "half-down": 450.12, "up": 450.13, "down": 450.12,
                       "ceiling": 450.13, "floor": 450.12}  # fmt: skip
    fee = find(book, "Credits", "fee", subscription="aurora-nam")
    assert credits_of(changed(example, {fee: 100}))["aurora-nam"]["credit"] == 25


def test_effects_shares_and_tolerances_are_live(example: Path) -> None:
    book = openpyxl.load_workbook(example)
    effect = find(book, "Intervals", "effect", window="nam-quarantine")
    assert credits_of(changed(example, {effect: "delay"}))["aurora-nam"]["credit"] == 0
    share = find(book, "Intervals", "share at most", window="nam-quarantine")
    five = credits_of(changed(example, {share: 0.051}))["harbor-nam"]
    assert (five["credit at least"], five["credit at most"], five["credit"]) == (0, 5750, "undecided")
    within = find(book, "Intervals", "end within (s)", window="nam-quarantine")
    line = credits_of(changed(example, {within: 300}))["aurora-nam"]
    assert (line["credit at least"], line["credit at most"]) == (180.05, 450.13)


@pytest.mark.parametrize(
    ("share", "words"),
    [("0.123456789", "a share has more decimals than a spreadsheet keeps exact")],
)
def test_what_cannot_be_calculated_exactly_is_a_value_that_says_why(
    tmp_path: Path, share: str, words: str
) -> None:
    """Never a formula that is nearly right: grey cells, the reason, and the amounts of the ledger."""
    windows = [
        Window("i", "w", "email-security", "c", "NAM", MARCH, MARCH + 60 * HOUR, "outage", share_at_least=share,
               share_at_most=share, entries=("incident/i v2",))
    ]  # fmt: skip
    table = (EXAMPLE / "subscriptions.csv").read_bytes()
    found = write(tmp_path / "c.xlsx", TERMS, table, windows, MARCH, True)
    same(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    heading, *scopes = book["Calculation"].iter_rows(values_only=True)
    how = {(line[3], line[6]): line[heading.index("figures are")] for line in scopes}
    assert how["email-by-share", "NAM"] == f"value: {words}"
    line = credits_of(book)["ember-nam"]
    wanted = next(row for row in found if row["subscription"] == "ember-nam")
    assert line["credit"] == float(wanted["credit"]) > 0
    styled = find(book, "Credits", "credit", subscription="ember-nam")
    assert book["Credits"][styled.partition("!")[2]].fill.fgColor.rgb == "FFEFEFEF"
    assert "grey" in str(book["About"]["B7"].value)
    assert book["Checks"]["D2"].value is True


@pytest.mark.parametrize(
    ("key", "how", "least", "most"),
    [
        ("heroku", "formulas", 308.64, 308.64),
        ("slack", "formulas", 165.75, 165.75),
        ("nodespace", "formulas", 1234.56, 1234.56),
        ("aws-ec2-instance", "formulas", 370.37, 370.37),
        ("cloudflare-business", "formulas", 24.06, 38.5),
        ("google-compute-instance", "formulas", 123.46, 123.46),
        ("microsoft-365", "formulas", 617.28, 617.28),
        ("digitalocean-droplets", "formulas", 48.12, 48.12),
        ("trend-micro-hosted-email-old", "formulas", 1234.56, 1234.56),
        (
            "verizon-managed-email",
            "value: no formula for a measure of events, tiers of value",
            1234.56,
            1234.56,
        ),
    ],
)
def test_public_terms_are_formulas_or_values_that_say_why(
    tmp_path: Path, key: str, how: str, least: float, most: float
) -> None:
    """Policies of public service levels: percentages, multiples and limits are calculated, other measures are values.

    Ten times the fee for 29 of the 2,160 hours of the quarter are 165.75.
    """
    text = (Path(ledger.__file__).parent / "policies" / f"{key}.toml").read_text(encoding="utf-8")
    windows = [
        Window("i", "w", "mail", "c", "EMEA", MARCH + HOUR, MARCH + 30 * HOUR, "outage", share_at_least="0.5",
               share_at_most="0.8", entries=("incident/i v2",))
    ]  # fmt: skip
    table = (
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
        f"A,a,mail,EMEA,{key},USD,1234.56,2020-01-01,\n"
    )
    write(tmp_path / "c.xlsx", {key: text}, table.encode(), windows, MARCH, True)
    same(tmp_path / "c.xlsx")
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    line = credits_of(book)["a"]
    assert (line["credit at least"], line["credit at most"]) == (least, most)
    heading, scope = book["Calculation"].iter_rows(values_only=True)
    assert scope[heading.index("figures are")] == how
    formulas = openpyxl.load_workbook(tmp_path / "c.xlsx")["Credits"]
    assert {cell.data_type == "f" for cell in formulas[2][8:11]} == {how == "formulas"}
    assert book["Checks"]["D2"].value == (True if how == "formulas" else NOT_CALCULATED)


def test_a_fee_beyond_exact_integers_is_a_value(tmp_path: Path) -> None:
    table = (EXAMPLE / "subscriptions.csv").read_text().replace("1800.50", "12345678901234.56").encode()
    found = write(tmp_path / "c.xlsx", TERMS, table, example_windows(), MARCH, True)
    same(tmp_path / "c.xlsx")
    line = credits_of(openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True))["aurora-nam"]
    assert line["credit"] == float(
        next(row for row in found if row["subscription"] == "aurora-nam")["credit"]
    )
