"""March 2022 priced under terms of format 2, and the workbook of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd

from ledger.domain.exclusion import Exclusion
from ledger.domain.money import ALL_ROUNDINGS
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import Workings, workings
from projections.earlier_credits import Earlier
from projections.workbook import write_workbook

MARCH = 1_646_092_800

HOUR = 3_600

DAY = 24 * HOUR


class MonthFacts(NamedTuple):
    """What a month is priced from."""

    windows: Sequence[Window]
    exclusions: Sequence[Exclusion]
    as_of: int
    beta: frozenset[str]
    credited: Mapping[str, tuple[Earlier, ...]] = {}


def priced(texts: dict[str, str], table: pd.DataFrame, facts: MonthFacts) -> Workings:
    """Price March 2022 under some policies."""
    policies = {key: [(1, parse_policy(text))] for key, text in texts.items()}
    cohorts = {"beta": Cohort("cohort/beta v1", pd.array(sorted(facts.beta), dtype="str"))}
    return workings(
        table, facts.windows, policies, "2022-03", facts.as_of, (), cohorts, exclusions=facts.exclusions,
        credited=facts.credited,
    )  # fmt: skip


def write(path: Path, texts: dict[str, str], found: Workings, facts: MonthFacts) -> str:
    """Write the workbook of what was priced."""
    return write_workbook(
        path, priced=found, period="2022-03", as_of=facts.as_of, windows=facts.windows,
        policies=[(key, 1, parse_policy(text), text) for key, text in texts.items()], provenance={},
    )  # fmt: skip


def inputs_of(old: openpyxl.Workbook, new: openpyxl.Workbook) -> dict[str, Any]:
    """Return by address what has to be put into one workbook to have the inputs of another of the same build."""
    return {
        f"{title}!{cell.coordinate}": new[title][cell.coordinate].value
        for title in ("Inputs", "Exclusions", "Intervals")
        if title in old.sheetnames
        for line in old[title].iter_rows()
        for cell in line
        if not cell.protection.locked and cell.value != new[title][cell.coordinate].value
    }


def lines_of(book: openpyxl.Workbook) -> list[dict[str, Any]]:
    """Return the rows of Credits by heading; formulas stay formulas where the book was read with them."""
    heading, *lines = book["Credits"].iter_rows(values_only=True)
    return [dict(zip(map(str, heading), line, strict=True)) for line in lines]


_OTHER = {
    "credit_percent": {"0": "5", "2.5": "7.5", "10": "20", "33.333": "1.001"},
    "credit_multiple": {"1": "2", "0.5": "1.5", "10": "3"},
    "block": {"30 minutes": "45 minutes", "7 hours": "5 hours"},
    "blocks": {"full": "begun", "begun": "full"},
    "percent": {"12.5": "6"},
    "rolling_percent": {"20": "7"},
    "share": {"12.5": "25"},
    "length": {"30 days": "31 days", "730 hours": "700 hours"},
    "availability_at_least": {"99.9": "99.5", "98": "97", "95": "94.5"},
    "availability_below": {"99.9": "99.5", "98": "97", "95": "94.5"},
    "notice": {"1 hour": "3 hours", "2 days": "30 minutes"},
    "most": {"90 minutes": "2 hours", "10 hours": "3 hours"},
    "minimum": {"5 minutes": "16 minutes", "40 minutes": "30 minutes"},
    "quantum": {"7 minutes": "11 minutes", "1 hour": "30 minutes"},
    "rounding": dict(zip(ALL_ROUNDINGS, (*ALL_ROUNDINGS[1:], ALL_ROUNDINGS[0]), strict=True)),
    "factor_rounding": dict(zip(ALL_ROUNDINGS, (*ALL_ROUNDINGS[2:], *ALL_ROUNDINGS[:2]), strict=True)),
}


def other(text: str) -> str:
    """Return terms of the same build with other values everywhere."""
    text = re.sub(
        r'(?m)^(\w+) = "([^"]+)"', lambda at: f'{at[1]} = "{_OTHER.get(at[1], {}).get(at[2], at[2])}"', text
    )
    text = text.replace("factor_decimals = 3", "factor_decimals = 4")
    return re.sub(r'(USD|JPY|BHD) = "(\d+)', lambda at: f'{at[1]} = "{int(at[2]) + 1}', text)


def terms(key: str, counting: str, rules: str, tiers: str, rounding: str, more: str = "") -> str:
    """Spell terms of format 2."""
    return (
        f'format = 2\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n{counting}'
        f'{rules}{tiers}[credit]\nrounding = "{rounding}"\n{more}'
    )


IN_FULL = '[measure]\nof = "time"\n[counting]\neffects = ["outage", "data-loss"]\n'

BY_SHARE = '[measure]\nof = "affected-share"\n[counting]\neffects = ["outage", "data-loss"]\n'

ABOVE = '[measure]\nof = "time"\n[counting]\neffects = ["outage", "data-loss"]\ndown = "above-share"\nshare_above = "0.05"\n'

ALL = ABOVE.replace('down = "above-share"\nshare_above = "0.05"\n', 'down = "all"\n')

UNION = '[scope]\nregions = "union"\n'

PERCENTS = (
    '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99.9"\navailability_at_least = "98"\ncredit_percent = "10"\n'
    '[[tiers]]\navailability_below = "98"\ncredit_percent = "33.333"\n'
)

USERS = '[measure]\nof = "user-minutes"\n[counting]\neffects = ["outage", "data-loss"]\n'

GAPS = (
    '[[tiers]]\navailability_above = "99.9"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_above = "98"\navailability_below = "99.9"\ncredit_percent = "10"\n'
    '[[tiers]]\navailability_at_most = "95"\ncredit_percent = "33.333"\n'
    '[reading]\ngaps = "undecided"\n'
)  # fmt: skip
