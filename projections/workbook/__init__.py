"""The workbook for finance: the credits of a month as live formulas, from what was recorded to what is owed.

Inputs, workings and outputs stand on sheets of their own. The results of the ledger are the cached values of the
formulas, so that each is a witness of the other; a test lets an independent engine recalculate every cell. Text that
was typed by somebody is never a formula, and the same inputs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ledger.domain.policy import Policy
from ledger.domain.window import Window
from ledger.store.stream import Entry
from projections.credits import Workings
from projections.workbook.about import about, events
from projections.workbook.against_tiers import availability
from projections.workbook.book import WORKBOOK, Book
from projections.workbook.calculating import calculating_sheets
from projections.workbook.cells import Formula, Styled
from projections.workbook.checks import ALL_HOLD, checks
from projections.workbook.inputs import exclusions, inputs, intervals, policy_texts
from projections.workbook.lines import Changes, changes_between, changes_sheets, credit_sheets, credit_tables
from projections.workbook.modelling import model
from projections.workbook.payments import payments
from projections.workbook.remedy_inputs import currencies_of
from projections.workbook.summary import HOLDS_ROW, summary

__all__ = ["WORKBOOK", "Changes", "write_workbook"]


def write_workbook(
    path: Path | str,
    *,
    priced: Workings,
    period: str,
    as_of: int,
    windows: Sequence[Window],
    policies: Iterable[tuple[str, int, Policy, str]],
    provenance: Mapping[str, str],
    entries: Sequence[Entry] = (),
    before: pd.DataFrame | None = None,
    changes: Changes | None = None,
) -> str:
    """Write the workbook and return the SHA-256 of its bytes, in hexadecimal.

    priced: what `projections.credits.workings` returned for `period`, `as_of` (UTC seconds) and `windows`. policies: key,
    version, terms and their TOML text. provenance: what the figures rest on, as it is to be read. entries: those of the
    ledger that the figures rest on. before: a frame of `projections.credits.price` that the sheet of changes compares
    with; changes: the lines of that sheet, such as those of an adjustment. Raises Unavailable where the file cannot be written.
    """
    book = Book()
    groups = priced.groups
    counts = [0] * len(groups)
    for code, count in zip(*_counted(priced), strict=True):
        counts[code] = count
    windows = list(dict.fromkeys([*windows, *(window for group in groups for window, _ in group.found)]))
    found = model(groups, counts, windows, as_of)
    until = as_of if any(window.end is None for window in windows) else None
    currencies = sorted({str(code) for code in priced.frame["currency"].unique()})
    if before is not None:
        changes = changes_between(before, priced.frame)
    if changes is not None:
        currencies = sorted({*currencies, *(str(code) for code in changes.frame["currency"].unique())})
    _sheets(
        book, priced, found, period, as_of, until, list(policies), provenance, entries, changes, currencies
    )
    return book.save(Path(path))


def _sheets(
    book: Book, priced: Workings, found: Any, period: str, as_of: int, until: int | None,
    policies: list[tuple[str, int, Policy, str]], provenance: Mapping[str, str], entries: Sequence[Entry],
    changes: Changes | None, currencies: list[str],
) -> None:  # fmt: skip
    put_in = inputs(book, found, period, until, currencies)
    facts = intervals(book, found)
    excluded = exclusions(book, found)
    events(book, entries, {entry for row in priced.frame["entries"].unique() for entry in row})
    calculated = calculating_sheets(book, found, put_in, facts, excluded, until)
    lines = credit_tables(priced)
    paid = payments(book, found, priced, calculated, lines, currencies_of(found, currencies))
    credit_sheets(book, priced, found, paid, lines)
    changed = [] if changes is None else changes_sheets(book, changes, priced, lines)
    totals, first = summary(book, period, priced, lines, changes, changed)
    availability(book, found, put_in, calculated)
    holds = Formula(
        ALL_HOLD,
        checks(book, found, priced, calculated, facts, excluded, lines, changes, changed, totals, as_of),
    )
    first.rows[HOLDS_ROW - 1] = ("all checks hold", Styled(book.style("formula", "flag"), holds))
    policy_texts(book, policies)
    order = ["Summary", "Availability", "Inputs", "Events", "Intervals", *([excluded.title] if excluded else []), "Terms",
             "Edges", "Coverage", "Segments", *([calculated.limits.title] if calculated.limits else []), *([calculated.outages.outages.title] if calculated.outages else []), "Calculation", *(["Remedies"] if paid.tables else []), *(one.title for one in paid.tables), *(one.title for one in lines),
             *(one.title for one in changed), "Checks", "Policy"]  # fmt: skip
    values = sum(scope.case is None for scope in found.scopes)
    about(book, period, provenance, order, holds, len(found.scopes), values)
    book.arrange(["About", *order])


def _counted(priced: Workings) -> tuple[list[int], list[int]]:
    codes, counts = (
        pd.Series(priced.codes)
        .value_counts(sort=False)
        .pipe(lambda found: (found.index.tolist(), found.tolist()))
    )
    return codes, counts
