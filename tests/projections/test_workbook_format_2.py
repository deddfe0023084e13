"""Workbooks of terms of format 2: an independent engine finds each cell, and follows an input that is changed.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import openpyxl
import pandas as pd
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import Workings, rows, workings
from projections.workbook import write_workbook

MARCH = 1_646_092_800
HOUR = 3_600
DAY = 24 * HOUR
SLOW = runpy.run_path(str(Path(__file__).with_name("test_credits_slow.py")))
RECALCULATED = runpy.run_path(str(Path(__file__).with_name("test_workbook_recalculated.py")))
changed, credits_of, find, input_of, recalculated = (
    RECALCULATED[name] for name in ("changed", "credits_of", "find", "input_of", "recalculated")
)


class Facts(NamedTuple):
    """What a month is priced from."""

    windows: Sequence[Window]
    exclusions: Sequence[Exclusion]
    as_of: int
    beta: frozenset[str]


def priced(texts: dict[str, str], table: pd.DataFrame, facts: Facts) -> Workings:
    """Price March 2022 under some policies."""
    policies = {key: [(1, parse_policy(text))] for key, text in texts.items()}
    cohorts = {"beta": Cohort("cohort/beta v1", pd.array(sorted(facts.beta), dtype="str"))}
    return workings(
        table, facts.windows, policies, "2022-03", facts.as_of, (), cohorts, exclusions=facts.exclusions
    )


def write(path: Path, texts: dict[str, str], found: Workings, facts: Facts) -> str:
    """Write the workbook of what was priced."""
    return write_workbook(
        path, priced=found, period="2022-03", as_of=facts.as_of, windows=facts.windows,
        policies=[(key, 1, parse_policy(text), text) for key, text in texts.items()], provenance={},
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
    """Assert that the lines are paid what the ledger pays."""
    shown = credits_of(book)
    for row in rows(found.frame):
        line = shown[row["subscription"]]
        for name, cell in (("credit_at_least", "credit at least"), ("credit_at_most", "credit at most")):
            assert line[cell] == float(Decimal(row[name])), (row["subscription"], name)
        assert line["credit"] == ("undecided" if row["credit"] is None else float(Decimal(row["credit"])))


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


def terms(key: str, counting: str, rules: str, tiers: str, rounding: str, more: str = "") -> str:
    """Spell terms of format 2."""
    return (
        f'format = 2\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n{counting}'
        f'{rules}{tiers}[credit]\nrounding = "{rounding}"\n{more}'
    )


IN_FULL = '[measure]\nof = "time"\n[counting]\neffects = ["outage", "data-loss"]\n'
BY_SHARE = '[measure]\nof = "affected-share"\n[counting]\neffects = ["outage", "data-loss"]\n'
ABOVE = '[measure]\nof = "time"\n[counting]\neffects = ["outage", "data-loss"]\ndown = "above-share"\nshare_above = "0.05"\n'
PERCENTS = (
    '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99.9"\navailability_at_least = "98"\ncredit_percent = "10"\n'
    '[[tiers]]\navailability_below = "98"\ncredit_percent = "33.333"\n'
)


# To shrink a book is to calculate hundreds of them.
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)  # fmt: skip


@FEW
@given(data=st.data())
def test_every_formula_over_exclusions_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Notice, limits of a year and of a period, customers and cohorts; then an exclusion begins an hour earlier."""
    folder = tmp_path_factory.mktemp("excluded")
    some = st.lists(SLOW["some_windows"](), min_size=1, max_size=5)
    facts = Facts(
        data.draw(some), data.draw(st.lists(some_exclusions(), min_size=1, max_size=5)),
        MARCH + data.draw(st.integers(0, 31 * 24)) * HOUR, frozenset(data.draw(st.sets(st.sampled_from(SLOW["CUSTOMERS"])))),
    )  # fmt: skip
    counting = st.sampled_from([IN_FULL, BY_SHARE, ABOVE])
    rounding = st.sampled_from(["half-up", "half-even", "half-ceiling"])
    texts = {
        key: terms(key, data.draw(counting), data.draw(some_rules()), PERCENTS, data.draw(rounding))
        for key in "ab"
    }
    table = SLOW["read"](data.draw(st.lists(SLOW["some_rows"](), min_size=1, max_size=4)))
    found = priced(texts, table, facts)
    if not len(found.frame):
        return
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    said = reasons(agrees(path))
    event(f"{said}")
    assert said <= {"formulas", "value: no formula for planned windows that use up a limit"}
    book = openpyxl.load_workbook(path)
    if said != {"formulas"} or "Exclusions" not in book.sheetnames:
        return
    name, start = book["Exclusions"]["B2"].value, book["Exclusions"]["G2"].value
    earlier = int(start.replace(tzinfo=UTC).timestamp()) - HOUR
    now = [msgspec.structs.replace(one, start=earlier) if (one.exclusion, moment(one.start)) == (name, start) else one for one in facts.exclusions]  # fmt: skip
    if sum(one not in facts.exclusions for one in now) == 1:
        again = priced(texts, table, facts._replace(exclusions=now))
        same_amounts(changed(path, {"Exclusions!G2": moment(earlier)}), again)
