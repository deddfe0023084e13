"""Workbooks of terms of format 2: an independent engine finds each cell, and follows an input that is changed.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

import ledger
from ledger.domain.exclusion import Exclusion
from ledger.domain.money import ALL_ROUNDINGS
from ledger.domain.policy import parse_policy
from ledger.domain.window import Planned, Window
from projections.credits import Workings, rows
from projections.earlier_credits import Earlier
from projections.workbook.model import EXACT
from projections.workbook.modelling import reason_for_values
from tests.projections.priced_march import (
    ABOVE,
    ALL,
    BY_SHARE,
    DAY,
    GAPS,
    HOUR,
    IN_FULL,
    MARCH,
    PERCENTS,
    UNION,
    USERS,
    Facts,
    inputs_of,
    lines_of,
    other,
    priced,
    terms,
    write,
)
from tests.projections.recalculating import changed, credits_of, find, input_of, recalculated
from tests.projections.slow_calculator import CUSTOMERS, read, some_rows, some_windows


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
    folder: Path, texts: dict[str, str], new_texts: dict[str, str], table: pd.DataFrame, facts: Facts, new_facts: Facts
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
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


# ---- terms ---------------------------------------------------------------------------------------------------------

KINDS = ("planned-maintenance", "third-party", "force-majeure")


@st.composite
def some_rules(draw: st.DrawFn) -> str:
    """Exclusion rules with notice and limits."""
    text = ""
    kinds_in_order = draw(st.permutations(KINDS))
    cut = draw(st.integers(1, len(KINDS)))
    for kinds in filter(None, (kinds_in_order[:cut], kinds_in_order[cut:])):
        text += f"[[exclusions]]\nkinds = {kinds}\n".replace("'", '"')
        if draw(st.booleans()):
            text += f'notice = "{draw(st.sampled_from(["1 hour", "2 days"]))}"\n'
        if draw(st.booleans()):
            text += f'most = "{draw(st.sampled_from(["90 minutes", "10 hours"]))}"\n'
            text += f'most_per = "{draw(st.sampled_from(["year", "period"]))}"\n'
    return text


@st.composite
def some_exclusions(draw: st.DrawFn) -> Exclusion:
    start = MARCH + draw(st.integers(-20 * 24, 31 * 24)) * HOUR
    notice = draw(st.sampled_from([None, 0, 1, 3 * 24]))
    return Exclusion(
        f"e-{draw(st.integers(1, 99))}", draw(st.sampled_from(KINDS)), draw(st.sampled_from(["email", "*"])), "*",
        draw(st.sampled_from(["EMEA", "*"])), start, start + draw(st.sampled_from([30, HOUR, DAY, 9 * DAY])),
        None if notice is None else start - notice * HOUR,
        customer=draw(st.sampled_from([None, None, "Acme"])), cohort=draw(st.sampled_from([None, None, None, "beta", "ghost"])),
        withdrawn=draw(st.integers(0, 9)) == 0,
    )  # fmt: skip


MAIL_FLOW = '[scope]\ncomponents = ["mail flow"]\n'


# To shrink a book is to calculate hundreds of them.
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip


@FEW
@given(data=st.data())
def test_every_formula_over_exclusions_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Notice, limits of a year and of a period, customers and cohorts; then other rules, then an exclusion begins an hour earlier."""
    folder = tmp_path_factory.mktemp("excluded")
    some = st.lists(
        st.tuples(some_windows(), st.sampled_from(["*", "*", "mail flow", "quarantine", "unknown"])).map(
            lambda pair: msgspec.structs.replace(pair[0], component=pair[1])
        ),
        min_size=1,
        max_size=5,
    )
    facts = Facts(
        data.draw(some), data.draw(st.lists(some_exclusions(), min_size=1, max_size=5)),
        MARCH + data.draw(st.integers(0, 31 * 24)) * HOUR, frozenset(data.draw(st.sets(st.sampled_from(CUSTOMERS)))),
    )  # fmt: skip
    counting = st.sampled_from([IN_FULL, BY_SHARE, ABOVE, ALL])
    scope = st.sampled_from(["", "", UNION, MAIL_FLOW])
    rounding = st.sampled_from(["half-up", "half-even", "half-ceiling"])
    texts = {
        key: terms(
            key,
            data.draw(counting) + data.draw(scope),
            data.draw(some_rules()),
            PERCENTS,
            data.draw(rounding),
        )
        for key in "ab"
    }
    table = read(data.draw(st.lists(some_rows(), min_size=1, max_size=4)))
    found = priced(texts, table, facts)
    if not len(found.frame):
        return
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    said = reasons(agrees(path))
    event(f"{said}")
    assert said <= {
        "formulas",
        "value: no formula for planned windows that use up a limit",
        "value: no formula for exclusions of some windows and not of others",
        "value: no formula for exclusions of which it is not known where they were",
        "value: no formula for limits that are perhaps used up",
    }
    follows(folder, texts, {key: other(text) for key, text in texts.items()}, table, facts, facts)
    book = openpyxl.load_workbook(path)
    if said != {"formulas"} or "Exclusions" not in book.sheetnames:
        return
    name, start = book["Exclusions"]["B2"].value, book["Exclusions"]["G2"].value
    earlier = int(start.replace(tzinfo=UTC).timestamp()) - HOUR
    now = [msgspec.structs.replace(one, start=earlier) if (one.exclusion, moment(one.start)) == (name, start) else one for one in facts.exclusions]  # fmt: skip
    if sum(one not in facts.exclusions for one in now) == 1:
        again = priced(texts, table, facts._replace(exclusions=now))
        same_amounts(changed(path, {"Exclusions!G2": moment(earlier)}), again)


def test_a_fee_that_no_number_of_a_sheet_holds_stands_in_its_rule_after_a_change(tmp_path: Path) -> None:
    """9,223,372,036,854,775.807 BHD: a program that writes the workbook anew drops digits of the cell, not of the text."""
    facts = Facts(
        [Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 5 * DAY, "outage")],
        [Exclusion("e", "third-party", "email", "*", "EMEA", MARCH + 10 * DAY, MARCH + 11 * DAY)], MARCH + 31 * DAY, frozenset(),
    )  # fmt: skip
    texts = {"a": terms("a", IN_FULL, '[[exclusions]]\nkinds = ["third-party"]\n', PERCENTS, "half-up")}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "BHD",
            "fee": "9223372036854775.807", "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    same_amounts(agrees(tmp_path / "c.xlsx"), found)
    same_amounts(changed(tmp_path / "c.xlsx", {"Exclusions!G2": moment(MARCH + 9 * DAY)}), found)
    assert (
        "credit 3074426601044802.420"
        in credits_of(openpyxl.load_workbook(tmp_path / "c.xlsx"))["s-0"]["rule"]
    )


def test_planned_work_under_a_limit_is_a_value_also_where_no_exclusion_was_recorded(tmp_path: Path) -> None:
    """Two hours of planned work, of which 90 minutes are excluded: no formula would follow if the work took longer."""
    rules = '[[exclusions]]\nkinds = ["planned-maintenance"]\nmost = "90 minutes"\nmost_per = "year"\n'
    texts = {"a": terms("a", IN_FULL, rules, PERCENTS, "half-up")}
    work = Planned(MARCH, MARCH + DAY, MARCH + DAY + 2 * HOUR)
    outage = Window(
        "i", "w", "email", "*", "EMEA", MARCH + DAY, MARCH + DAY + 2 * HOUR, "outage", planned=work
    )
    facts = Facts([outage], [], MARCH + 31 * DAY, frozenset())
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    assert reasons(book) == {"value: no formula for planned windows that use up a limit"}
    same_amounts(book, found)


@pytest.mark.parametrize("used_up", [MARCH + DAY, MARCH - 31 * DAY])
def test_a_limit_that_is_perhaps_used_up_is_a_value_with_the_bounds_of_the_ledger(
    tmp_path: Path, used_up: int
) -> None:
    """Ninety minutes of a cohort nobody published, in the period or before it, or those of the outage: 90 minutes, or none."""
    rules = '[[exclusions]]\nkinds = ["third-party"]\nmost = "90 minutes"\nmost_per = "year"\n'
    tiers = '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n'
    texts = {"a": terms("a", IN_FULL, rules, tiers, "half-up")}
    out = MARCH + 5 * DAY, MARCH + 5 * DAY + 90 * 60
    facts = Facts(
        [Window("i", "w", "email", "*", "EMEA", *out, "outage")],
        [
            Exclusion("ghosts", "third-party", "email", "*", "*", used_up, used_up + 90 * 60, cohort="ghost"),
            Exclusion("all", "third-party", "email", "*", "*", *out),
        ],
        MARCH + 31 * DAY, frozenset(),
    )  # fmt: skip
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    row = found.frame.iloc[0]
    assert (row["credit_at_least"], row["credit_at_most"], row["eligible_downtime_seconds_at_most"]) == (
        0,
        100,
        5_400,
    )
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    assert reasons(book) == {"value: no formula for limits that are perhaps used up"}
    same_amounts(book, found)
    # Nobody's use of the year before, and of what comes later, is open.
    for moved in (MARCH - 400 * DAY, MARCH + 40 * DAY):
        other_year = msgspec.structs.replace(facts.exclusions[0], start=moved, end=moved + 5_400)
        later = facts._replace(exclusions=[other_year, facts.exclusions[1]])
        write(tmp_path / "d.xlsx", texts, priced(texts, read([line]), later), later)
        assert reasons(agrees(tmp_path / "d.xlsx")) == {"formulas"}


# ---- remedies and limits -------------------------------------------------------------------------------------------


def sums(amounts: Sequence[str]) -> str:
    """Spell a table of sums in the currencies of the rows."""
    return (
        "{ "
        + ", ".join(
            f'{code} = "{amount}"' for code, amount in zip(("USD", "JPY", "BHD"), amounts, strict=True)
        )
        + " }"
    )


OPEN = (
    "several tiers of which one pays no mere percentage", "more downtime than the length of a period",
)  # fmt: skip


@st.composite
def some_outages(draw: st.DrawFn) -> Window:
    """A window of every region, mostly of a known share and length."""
    start = MARCH + draw(st.integers(0, 30 * 24)) * HOUR
    share = draw(st.sampled_from(["1", "1", "0.25", "0.333"]))
    return Window(
        "i", f"w-{draw(st.integers(1, 99))}", "email", "*", "*", start, start + draw(st.sampled_from([2_700, 7 * HOUR, 30 * HOUR, 3 * DAY])),
        "outage", share_at_least=share, share_at_most=share, end_within_seconds=draw(st.sampled_from([0, 0, 0, 60])),
    )  # fmt: skip


@st.composite
def some_remedy(draw: st.DrawFn) -> str:
    """What one tier pays: one or several amounts, by the block or not, and days of service."""
    some = st.sampled_from(["0", "1", "3", "250"])
    kinds: dict[str, str] = {
        "percent": f'credit_percent = "{draw(st.sampled_from(["0", "2.5", "10", "33.333"]))}"\n',
        "multiple": f'credit_multiple = "{draw(st.sampled_from(["1", "0.5", "10"]))}"\n',
        "fixed": f"credit_fixed = {sums([draw(some) for _ in range(3)])}\n",
        "hourly": f"credit_hourly = {sums([draw(some) for _ in range(3)])}\n",
    }
    chosen = draw(st.sets(st.sampled_from(sorted(kinds)), max_size=3))
    text = "".join(kinds[name] for name in sorted(chosen))
    if len(chosen) > 1:
        adds = ["sum"] if len(chosen - {"fixed"}) < 2 else []
        text += f'take = "{draw(st.sampled_from(["lesser", "greater", *adds]))}"\n'
    days = not chosen or draw(st.booleans())
    text += 'service_days = "1"\n' if days else ""
    by_block = draw(st.booleans())
    if by_block and (days or chosen & {"percent", "fixed"}):
        text += f'per = "block"\nblock = "{draw(st.sampled_from(["30 minutes", "7 hours"]))}"\n'
        text += f'blocks = "{draw(st.sampled_from(["full", "begun"]))}"\n'
    return text


@st.composite
def some_paying_terms(draw: st.DrawFn, key: str) -> str:
    edges = sorted(draw(st.sets(st.sampled_from(["99.9", "98", "95"]), min_size=1)), key=float, reverse=True)
    tiers, above = "", ""
    for edge in (*edges, None):
        here = f'availability_at_least = "{edge}"\n' if edge else ""
        tiers += f"[[tiers]]\n{here}{above}{draw(some_remedy())}"
        above = f'availability_below = "{edge}"\n'
    limits = "".join(
        text
        for text in (
            'percent = "12.5"\n', 'rolling_percent = "20"\n', f"amount = {sums(['4', '500', '0.050'])}\n", f"only_above = {sums(['0.01', '2', '0.001'])}\n", 'days = "2"\n',
        )
        if draw(st.booleans()) and ("days" not in text or "service_days" in tiers)
    )  # fmt: skip
    more = f"[limits]\n{limits}" if limits else ""
    if draw(st.booleans()):
        more = f"factor_decimals = {draw(st.sampled_from([2, 3]))}\n" + more
        more = f'factor_rounding = "{draw(st.sampled_from(ALL_ROUNDINGS))}"\n' + more
    base = draw(st.sampled_from(["", 'of = "annual-fee"\n', 'of = "service-share"\nshare = "12.5"\n']))
    rounding = draw(st.sampled_from(ALL_ROUNDINGS))
    known = 'currencies = ["USD", "JPY", "BHD"]\n' if draw(st.booleans()) else ""
    text = terms(key, draw(st.sampled_from([IN_FULL, BY_SHARE, ALL])), "", tiers, rounding, base + more)
    length = draw(st.sampled_from(["", "", 'length = "30 days"\n', 'length = "730 hours"\n']))
    return text.replace("[period]", f"{known}[period]").replace('zone = "UTC"\n', f'zone = "UTC"\n{length}')


@FEW
@given(data=st.data())
def test_every_formula_of_remedies_and_limits_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Multiples, sums, hours, blocks, the lesser and the greater, caps and floors; then every tier and every limit is another."""
    folder = tmp_path_factory.mktemp("paid")
    windows = data.draw(st.lists(some_outages(), min_size=1, max_size=3))
    # The first two lines were credited before, as far as a limit over several months asks.
    earlier = {
        f"s-{number}": (Earlier(1, data.draw(st.integers(0, 100_000)), code, "statement/main v1"),)
        for number, code in enumerate(("USD", "JPY"))
    }
    facts = Facts(windows, [], MARCH + 31 * DAY, frozenset(), earlier)
    texts = {key: data.draw(some_paying_terms(key)) for key in "ab"}
    fees = data.draw(st.lists(st.integers(1, 10**7), min_size=3, max_size=3))
    whole_month = {
        "customer": "Acme",
        "service": "email",
        "region": "EMEA",
        "valid_from": "2022-01-01",
        "valid_to": "",
    }
    lines = [
        {**whole_month, "policy": "a", "currency": "USD", "fee": f"{fees[0] // 100}.{fees[0] % 100:02}"},
        {**whole_month, "policy": "b", "currency": "JPY", "fee": str(fees[1])},
        {**whole_month, "policy": "b", "currency": "BHD", "fee": f"{fees[2]}.000"},
        *({**line, "service": "email"} for line in data.draw(st.lists(some_rows(), max_size=2))),
    ]
    table = read(lines)
    found = priced(texts, table, facts)
    if not len(found.frame):
        return
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    book = agrees(path)
    same_amounts(book, found)
    said = reasons(book)
    event(f"{said}")
    assert said <= {
        "formulas",
        "value: a factor has more decimals than a spreadsheet divides exactly",
        *(f"value: no formula for {one}" for one in OPEN),
    }
    if said == {"formulas"}:
        # What is small is always calculated.
        formulas = {line["subscription"]: line for line in lines_of(openpyxl.load_workbook(path))}
        values = [
            row
            for row in rows(found.frame)
            if not str(formulas[row["subscription"]]["credit"]).startswith("=")
        ]
        assert all(Decimal(row["fee"]) > 1_000 for row in values), values
    follows(folder, texts, {key: other(text) for key, text in texts.items()}, table, facts, facts)


def test_days_of_service_are_calculated(tmp_path: Path) -> None:
    """Half a day for each full hour of 5 hours and 30 minutes is 2.5 days; at most 2 of them; with 7 allowed, 2.5."""
    facts = Facts(
        [Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 5 * HOUR + 1_800, "outage")], [], MARCH + 31 * DAY, frozenset()
    )  # fmt: skip
    tiers = '[[tiers]]\nservice_days = "0.5"\nper = "block"\nblock = "1 hour"\n'
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", '[limits]\ndays = "2"\n')}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    at_most = input_of(openpyxl.load_workbook(tmp_path / "c.xlsx"), "Limits", "at most (days)", 1, "a")

    def days(book: openpyxl.Workbook) -> list[Any]:
        heading, scope = book["Calculation"].iter_rows(values_only=True)
        return [scope[heading.index(f"days of service at {side}")] for side in ("least", "most")]

    assert days(book) == [2, 2] == [float(row["service_days"]) for row in rows(found.frame)] * 2
    assert days(changed(tmp_path / "c.xlsx", {at_most: 7})) == [2.5, 2.5]


def test_a_factor_is_rounded_before_the_amount(tmp_path: Path) -> None:
    """Ten times 10 hours of 744 are 0.1344 of the fee: 0.13 of 100.00 USD are 13.00, 0.134 are 13.40, and rounded up 14.00."""
    tiers = '[[tiers]]\ncredit_multiple = "10"\n'
    more = 'factor_decimals = 2\nfactor_rounding = "half-even"\n'
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", more)}
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 10 * HOUR, "outage")
    facts = Facts([outage], [], MARCH + 31 * DAY, frozenset())
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "100.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    book = openpyxl.load_workbook(path)
    decimals, mode = (
        input_of(book, "Rounded factors", name, 1, "a")
        for name in ("to so many decimals, empty for none", "rounding")
    )

    def credit(changes: dict[str, Any]) -> Any:
        (shown,) = credits_of(changed(path, changes)).values()
        return shown["credit"]

    assert [credit({}), credit({decimals: 3}), credit({mode: "up"})] == [13, 13.4, 14]


def test_excluded_and_eligible_are_all_that_was_down(tmp_path: Path) -> None:
    """Five days down, twelve hours of them excluded, of which the rule allows ten: 110 hours count; with twelve allowed, 108."""
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 5 * DAY, "outage")
    storm = [
        Exclusion(
            f"e-{at}", "force-majeure", "email", "*", "EMEA", MARCH + at * DAY, MARCH + at * DAY + 6 * HOUR
        )
        for at in (1, 2)
    ]
    facts = Facts([outage], storm, MARCH + 31 * DAY, frozenset())
    rules = '[[exclusions]]\nkinds = ["force-majeure"]\nmost = "10 hours"\nmost_per = "period"\n'
    texts = {"a": terms("a", IN_FULL, rules, PERCENTS, "half-up")}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    elsewhere = {**line, "region": "NAM"}
    found = priced(texts, read([line, elsewhere]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    total = "excluded + eligible = gross downtime where all is counted in full and known, seconds"

    def counted(book: openpyxl.Workbook) -> tuple[Any, ...]:
        heading, scope, _ = book["Calculation"].iter_rows(values_only=True)
        shown: dict[Any, Any] = dict(zip(heading, scope, strict=True))
        checks = {row[0]: row[1:4] for row in book["Checks"].iter_rows(min_row=4, values_only=True)}
        seconds = (shown[name] for name in ("downtime (s)", "excluded (s)", "eligible downtime at most (s)"))
        return (*(one / HOUR for one in seconds), *checks[total])

    assert counted(book) == (120, 10, 110, 120 * HOUR, 120 * HOUR, True)
    most = input_of(
        openpyxl.load_workbook(tmp_path / "c.xlsx"), "Exclusion rules", "at most (s), empty for all", 1, "a"
    )
    assert counted(changed(tmp_path / "c.xlsx", {most: 12 * HOUR})) == (
        120,
        12,
        108,
        120 * HOUR,
        120 * HOUR,
        True,
    )


@pytest.mark.parametrize("limits", ["", '[limits]\nonly_above = { USD = "1.00" }\n'])
def test_blocks_show_the_percentage_that_all_of_them_pay(tmp_path: Path, limits: str) -> None:
    """Four hours down at 5% for each: 20% of the fee, wherever a percentage stands; with an hour less that rule was before the change."""
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 4 * HOUR, "outage")
    facts = Facts([outage], (), MARCH + 31 * DAY, frozenset())
    tiers = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\ncredit_percent = "5"\nper = "block"\nblock = "1 hour"\nblocks = "full"\n'
    )
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", limits)}
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    (shown,) = credits_of(book).values()
    assert (shown["credit"], shown["credit (% of fee)"]) == (2, 20)
    heading, scope = book["Calculation"].iter_rows(values_only=True)
    calculated: dict[Any, Any] = dict(zip(heading, scope, strict=True))
    assert [calculated[f"pays at {side} (% of fee)"] for side in ("least", "most")] == [20, 20]
    assert [row[4:6] for row in book["Availability"].iter_rows(values_only=True) if row[0] == "email, EMEA"] == [(20, 20)]  # fmt: skip
    assert not shown["rule"].startswith("before the change")
    end = find(book, "Intervals", "end (UTC), empty while open", window="w")
    (again,) = credits_of(
        changed(tmp_path / "c.xlsx", {end: datetime(2022, 3, 1, 3, tzinfo=UTC).replace(tzinfo=None)})
    ).values()
    assert again["credit"] == 1.5
    assert again["rule"] == "before the change: " + shown["rule"]


def test_days_of_service_with_more_digits_than_a_sheet_keeps_are_values(tmp_path: Path) -> None:
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 4 * HOUR, "outage")
    facts = Facts([outage], (), MARCH + 31 * DAY, frozenset())
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    for days, reason in (
        ("0.5", "formulas"),
        ("25.0000000000001", "value: days of service have more decimals than a spreadsheet divides exactly"),
    ):
        tiers = (
            '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
            f'[[tiers]]\navailability_below = "99.9"\nservice_days = "{days}"\nper = "block"\nblock = "1 hour"\nblocks = "full"\n'
        )
        texts = {"a": terms("a", IN_FULL, "", tiers, "half-up")}
        write(tmp_path / "c.xlsx", texts, priced(texts, read([line]), facts), facts)
        assert reasons(agrees(tmp_path / "c.xlsx")) == {reason}


# ---- which seconds count, and gaps between tiers -------------------------------------------------------------------


@st.composite
def some_parts_of_hours(draw: st.DrawFn) -> Window:
    """A window that may touch others, or begin where another ends; planned or not, of a known or an unknown share, place and end."""
    start = MARCH + draw(st.integers(0, 8)) * 900 + draw(st.sampled_from([0, 0, 10 * DAY]))
    low, high = draw(st.sampled_from([("1", "1"), ("1", "1"), ("0.25", "0.25"), ("0", "0.5"), ("0.5", "1")]))
    until = start + draw(st.sampled_from([60, 300, 900, 1_800, 2_677, DAY]))
    plan = Planned(start - draw(st.sampled_from([0, DAY])), start + 120, start + 1_020)
    return Window(
        f"i-{draw(st.integers(1, 2))}", f"w-{draw(st.integers(1, 99))}", "email", "*", draw(st.sampled_from(["*", "*", "EMEA", "unknown"])),
        start, draw(st.sampled_from([until] * 7 + [None])), "outage", share_at_least=low, share_at_most=high,
        start_within_seconds=draw(st.sampled_from([0, 0, 0, 120])), end_within_seconds=draw(st.sampled_from([0, 0, 0, 61])),
        planned=draw(st.sampled_from([None, None, None, plan])),
    )  # fmt: skip


@FEW
@given(data=st.data())
def test_every_formula_of_what_counts_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Least durations, whole quanta, shares of users that add up, and gaps between tiers; then other terms, then a window that begins a minute earlier."""
    folder = tmp_path_factory.mktemp("counted")
    windows = data.draw(st.lists(some_parts_of_hours(), min_size=1, max_size=4))
    exclusions = data.draw(st.lists(some_exclusions(), max_size=1))
    facts = Facts(windows, exclusions, MARCH + data.draw(st.sampled_from([31, 31, 1])) * DAY, frozenset())
    texts = {
        key: terms(
            key, data.draw(some_counting()), data.draw(st.sampled_from(["", RULES])), data.draw(st.sampled_from([PERCENTS, GAPS])),
            "half-up",
        ).replace('zone = "UTC"\n', data.draw(st.sampled_from(['zone = "UTC"\n', 'zone = "UTC"\n', LIFETIME])))
        for key in "ab"
    }  # fmt: skip
    table = read(
        [
            {"customer": "Acme", "service": "email", "region": "EMEA", "policy": key, "currency": "USD", "fee": "100.00",
             "valid_from": first, "valid_to": last}
            for key, first, last in (("a", "2022-01-01", ""), ("b", "2022-01-01", ""), ("a", "2022-03-11", ""), ("b", "2022-03-01", "2022-03-12"))
        ]
    )  # fmt: skip
    found = priced(texts, table, facts)
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    book = agrees(path)
    same_amounts(book, found)
    said = reasons(book)
    event(f"{said}")
    assert said <= {"formulas", *(f"value: no formula for {one}" for one in (*OPEN, *BESIDE))}
    follows(folder, texts, {key: other(text) for key, text in texts.items()}, table, facts, facts)
    moved = [msgspec.structs.replace(windows[0], start=windows[0].start - 60), *windows[1:]]
    # Of what began before the period no formula knows.
    inside = moved[0].start - moved[0].start_within_seconds >= MARCH
    if (
        inside
        and len(set(windows)) == len(windows)
        and sorted(moved, key=_place) == [moved[at] for at in _order(windows)]
    ):
        follows(folder, texts, texts, table, facts, facts._replace(windows=moved))


RULES = '[[exclusions]]\nkinds = ["planned-maintenance", "third-party", "force-majeure"]\n'
MODES = (
    "exact",
    "each-up",
    "each-down",
    "total-up",
    "total-down",
    "total-nearest",
    "slots-touched",
    "slots-filled",
)
LIFETIME = 'zone = "UTC"\npart = "lifetime"\n'
BESIDE = (
    "shares of a part of the period", "gaps between tiers of a part of the period",
    "gaps between tiers of a part of the period, shares of a part of the period",
    "exclusions of some windows and not of others", "outages that are rounded up one by one beside exclusions",
    "outages that are rounded up one by one, of which not all times are known", "outages that go on over the edge of the period",
)  # fmt: skip


@st.composite
def some_counting(draw: st.DrawFn) -> str:
    """Shares, least durations and whole quanta."""
    text = draw(st.sampled_from([IN_FULL, IN_FULL, IN_FULL, ABOVE, ALL, BY_SHARE, USERS]))
    if text != USERS and draw(st.booleans()):
        text += f'minimum = "{draw(st.sampled_from(["5 minutes", "40 minutes"]))}"\n'
    if text not in (USERS, BY_SHARE) and '"affected-share"' not in text and draw(st.integers(0, 3)):
        text += f'quantise = "{draw(st.sampled_from(MODES[1:]))}"\nquantum = "{draw(st.sampled_from(["7 minutes", "1 hour"]))}"\n'
        text += (
            f'ties = "{draw(st.sampled_from(["up", "down", "even"]))}"\n' if '"total-nearest"' in text else ""
        )
    return text


def _place(window: Window) -> tuple[Any, ...]:
    """Return by what windows are in order on Intervals."""
    return window.start, window.incident, window.window, repr(window)


def _order(windows: Sequence[Window]) -> list[int]:
    return sorted(range(len(windows)), key=lambda at: _place(windows[at]))


def test_in_a_gap_two_tiers_are_possible_until_an_edge_is_moved(tmp_path: Path) -> None:
    """Exactly 99.0% of a quarter of 90 days: 10% or 25%; one second more or less, or a tier that begins there, decides it."""
    key = "github-enterprise-cloud"
    texts = {key: (Path(ledger.__file__).parent / "policies" / f"{key}.toml").read_text(encoding="utf-8")}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": key, "currency": "USD", "fee": "100.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    edge = MARCH + 90 * DAY // 100
    facts = Facts(
        [Window("i", "w", "email", "*", "EMEA", MARCH, edge, "outage")], [], MARCH + 31 * DAY, frozenset()
    )
    found = priced(texts, read([line]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    same_amounts(agrees(path), found)
    book = openpyxl.load_workbook(path)
    end = find(book, "Intervals", "end (UTC), empty while open", window="w")
    belongs = input_of(book, "Gaps", "that bound belongs to it", 1, key, 1, 3)

    def credit(changes: dict[str, Any]) -> tuple[Any, ...]:
        (shown,) = credits_of(changed(path, changes)).values()
        return tuple(shown[name] for name in ("credit at least", "credit at most", "credit"))

    assert credit({}) == (10, 25, "undecided")
    assert credit({end: moment(edge - 1)}) == (10, 10, 10)
    assert credit({end: moment(edge + 1)}) == (25, 25, 25)
    assert credit({belongs: True}) == (25, 25, 25)


def eligible(book: openpyxl.Workbook) -> list[tuple[Any, ...]]:
    """Return of each scope its downtime, what is excluded, and what counts at least and at most, in seconds."""
    heading, *scopes = book["Calculation"].iter_rows(values_only=True)
    names = (
        "downtime (s)", "excluded (s)", "eligible downtime at least (s)", "eligible downtime at most (s)",
    )  # fmt: skip
    return [tuple(scope[heading.index(name)] for name in names) for scope in scopes]


def down(start: int, seconds: int, **more: Any) -> Window:
    return Window(
        "i", f"w-{start}", "email", "*", "EMEA", MARCH + start, MARCH + start + seconds, "outage", **more
    )


LINE = {"customer": "Acme", "service": "email", "region": "EMEA", "currency": "USD", "fee": "100.00", "valid_from": "2022-01-01",
        "valid_to": ""}  # fmt: skip


def test_an_outage_that_is_too_short_is_dropped_and_another_is_cut_to_whole_minutes(tmp_path: Path) -> None:
    """59 seconds; 40 and 40 that touch, so 80; 119: with a minute at least 60 + 60 count, with 81 seconds 60, by 7 seconds 77 + 119."""
    texts = {
        "a": terms(
            "a",
            f'{IN_FULL}minimum = "1 minute"\nquantise = "each-down"\nquantum = "1 minute"\n',
            "",
            PERCENTS,
            "half-up",
        )
    }
    facts = Facts(
        [down(0, 59), down(100, 40), down(140, 40), down(900, 119)], [], MARCH + 31 * DAY, frozenset()
    )
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    book = openpyxl.load_workbook(path)
    least, quantum = (
        input_of(book, "Outages", name, 1, "a")
        for name in ("lasts at least (s), empty for any", "quantum (s)")
    )
    assert eligible(agrees(path)) == [(258, 59, 120, 120)]
    assert eligible(changed(path, {least: 81})) == [(258, 139, 60, 60)]
    assert eligible(changed(path, {quantum: 7})) == [(258, 59, 196, 196)]
    # Where the two do not touch they are two outages, and both are too short.
    end = find(book, "Intervals", "end (UTC), empty while open", window="w-100")
    assert eligible(changed(path, {end: moment(MARCH + 139)})) == [(257, 138, 60, 60)]


def test_slots_are_counted_where_they_are_filled_or_touched_and_a_lifetime_is_a_period_of_its_own(
    tmp_path: Path,
) -> None:
    """From second 100 to 700, and from 800 to 850: slots of 300 seconds are filled from 300 to 600, touched from 0 to 900."""
    texts = {
        key: terms(key, f'{IN_FULL}quantise = "{mode}"\nquantum = "5 minutes"\n', "", PERCENTS, "half-up").replace(*part)
        for key, mode, part in (
            ("a", "slots-filled", ("", "")), ("b", "slots-touched", ("", "")), ("c", "slots-filled", ('"UTC"\n', '"UTC"\npart = "lifetime"\n')),
        )
    }  # fmt: skip
    facts = Facts([down(100, 600), down(800, 50)], [], MARCH + 31 * DAY, frozenset())
    lines = [{**LINE, "policy": key} for key in "abc"]
    lines[2]["valid_to"] = "2022-03-02"
    found = priced(texts, read(lines), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {"formulas"}
    assert [one[2:] for one in eligible(book)] == [(300, 300), (900, 900), (300, 300)]
    # 300 seconds of a month are nothing; of one day they are more than 0.1%, and of four days less.
    assert [line["credit"] for line in credits_of(book).values()] == [0, 0, 10]
    until = input_of(openpyxl.load_workbook(path), "Scopes", "valid to (UTC)", 3, "c")
    assert [
        line["credit"] for line in credits_of(changed(path, {until: moment(MARCH + 4 * DAY)})).values()
    ] == [0, 0, 0]


@pytest.mark.parametrize(
    "mode", ["exact", "each-up", "each-down", "total-up", "slots-touched", "slots-filled"]
)
def test_where_a_subscription_begins_no_outage_does(tmp_path: Path, mode: str) -> None:
    """Eleven minutes, 7 before midnight and 4 behind it: both subscriptions have their part, of ten minutes at least."""
    counting = f'minimum = "10 minutes"\nquantise = "{mode}"\n' + (
        'quantum = "3 minutes"\n' if mode != "exact" else ""
    )
    texts = {"a": terms("a", f"{IN_FULL}{counting}", "", PERCENTS, "half-up")}
    facts = Facts(
        [down(DAY - 420, 420), down(DAY, 240), down(DAY - 900, 60)], [], MARCH + 31 * DAY, frozenset()
    )
    lines = [
        {**LINE, "policy": "a", "valid_to": "2022-03-02"},
        {**LINE, "policy": "a", "valid_from": "2022-03-02"},
    ]
    found = priced(texts, read(lines), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    same_amounts(agrees(path), found)
    counted = {
        "exact": (420, 240), "each-up": (420, 300), "each-down": (420, 120), "total-up": (540, 360), "slots-touched": (540, 360),
        "slots-filled": (360, 180),
    }[mode]  # fmt: skip
    assert [one[2] for one in eligible(agrees(path))] == list(counted)
    # Put in, a least duration that all of it does not reach.
    least = input_of(openpyxl.load_workbook(path), "Outages", "lasts at least (s), empty for any", 1, "a")
    assert [one[2] for one in eligible(changed(path, {least: 660}))] == list(counted)
    assert [one[2] for one in eligible(changed(path, {least: 661}))] == [0, 0]


@pytest.mark.parametrize("mode", ["exact", "each-up"])
def test_an_outage_that_goes_on_outside_of_the_period_is_a_value(tmp_path: Path, mode: str) -> None:
    """Nine minutes before the month, and nine in it: an outage of 18, of which the nine count."""
    texts = {
        "a": terms("a", f'{IN_FULL}minimum = "10 minutes"\nquantise = "{mode}"\n', "", PERCENTS, "half-up")
    }
    facts = Facts([down(-540, 540), down(0, 540)], [], MARCH + 31 * DAY, frozenset())
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {"value: no formula for outages that go on over the edge of the period"}
    assert eligible(book) == [(540, 0, 540, 540)]


def test_outages_rounded_up_one_by_one_of_which_times_are_not_known_are_a_value(tmp_path: Path) -> None:
    texts = {
        "a": terms("a", f'{IN_FULL}quantise = "each-up"\nquantum = "5 minutes"\n', "", PERCENTS, "half-up")
    }
    about = {"start_within_seconds": 60, "end_within_seconds": 60}
    facts = Facts([down(1_740, 600, **about), down(1_980, 420, **about)], [], MARCH + 31 * DAY, frozenset())
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    book = agrees(path)
    assert reasons(book) == {
        "value: no formula for outages that are rounded up one by one, of which not all times are known"
    }
    # One outage of 9 to 13 minutes.
    assert [one[2:] for one in eligible(book)] == [(600, 900)]


def test_what_is_open_leaves_outages_between_bounds(tmp_path: Path) -> None:
    """30 minutes that perhaps began 10 minutes later: rounded up alone to hours they are one hour either way, to 7 minutes 21 to 42."""
    texts = {"a": terms("a", f'{IN_FULL}quantise = "each-up"\nquantum = "1 hour"\n', "", PERCENTS, "half-up")}
    facts = Facts([down(6_000, 1_800, start_within_seconds=600)], [], MARCH + 31 * DAY, frozenset())
    found = priced(texts, read([{**LINE, "policy": "a"}]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert eligible(agrees(path)) == [(1_800, 0, HOUR, HOUR)]
    quantum = input_of(openpyxl.load_workbook(path), "Outages", "quantum (s)", 1, "a")
    assert eligible(changed(path, {quantum: 420})) == [(1_800, 0, 1_260, 2_520)]


def test_outages_that_last_long_enough_count_by_share_where_that_is_put_in(tmp_path: Path) -> None:
    """4 minutes are too short; of 10 minutes a quarter, and of 20 that touch all, count: 30 minutes, or 22.5 by share."""
    full, by_share = (
        {"a": terms("a", f'{counting}minimum = "5 minutes"\n', "", PERCENTS, "half-up")}
        for counting in (IN_FULL, BY_SHARE)
    )
    quarter = {"share_at_least": "0.25", "share_at_most": "0.25"}
    facts = Facts(
        [down(0, 240), down(6_000, 600, **quarter), down(6_600, 1_200)], [], MARCH + 31 * DAY, frozenset()
    )
    table = read([{**LINE, "policy": "a"}])
    path = tmp_path / "c.xlsx"
    write(path, full, priced(full, table, facts), facts)
    way = input_of(openpyxl.load_workbook(path), "Policies", "intervals count", 1, "a")
    assert eligible(agrees(path)) == [(2_040, 240, 1_800, 1_800)]
    assert eligible(changed(path, {way: "by-share"})) == [(2_040, 240, 1_350, 1_350)]
    (after,) = priced(by_share, table, facts).groups
    assert after.assessment.eligible_at_least == 1_350


def test_of_the_policies_that_come_along_these_are_values() -> None:
    """What reads measurements, counts events, or promises several things."""
    folder = Path(ledger.__file__).parent / "policies"
    said = {
        path.stem: reason_for_values(parse_policy(path.read_text(encoding="utf-8")))
        for path in folder.glob("*.toml")
    }
    assert {key for key, reason in said.items() if reason} == {
        "aws-dynamodb-standard", "aws-s3-infrequent-access", "aws-s3-standard", "azure-functions-consumption",
        "trend-micro-hosted-email-2019", "verizon-managed-email",
    }  # fmt: skip
    assert len(said) == 23
