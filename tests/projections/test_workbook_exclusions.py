"""Formulas over recorded exclusions, with notice and limits: an independent engine finds each cell, and follows an input that is changed.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.window import Planned, Window
from tests.projections.following import (
    FEW,
    KINDS,
    agrees,
    follows,
    moment,
    reasons,
    same_amounts,
    some_exclusions,
)
from tests.projections.priced_march import (
    ABOVE,
    ALL,
    BY_SHARE,
    DAY,
    HOUR,
    IN_FULL,
    MARCH,
    PERCENTS,
    UNION,
    MonthFacts,
    other,
    priced,
    terms,
    write,
)
from tests.projections.recalculating import changed, credits_of
from tests.projections.slow_calculator import CUSTOMERS, read, some_rows, some_windows


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


MAIL_FLOW = '[scope]\ncomponents = ["mail flow"]\n'


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
    facts = MonthFacts(
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
    facts = MonthFacts(
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
    facts = MonthFacts([outage], [], MARCH + 31 * DAY, frozenset())
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
    facts = MonthFacts(
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
