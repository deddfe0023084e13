"""The workbook for finance: credits of a month with everything they rest on.

Written with openpyxl in write-only mode, then repacked: openpyxl stamps the present time into the parts, and the same
inputs have to give the same bytes. Text that a spreadsheet would take for a formula stays text.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from ledger.domain.policy import Policy
from ledger.domain.window import Window
from ledger.errors import Refused, Unavailable
from projections.credits import difference, rows, totals

__all__ = ["write_workbook"]

_MOST_ROWS = 1_048_575
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Characters that XML 1.0 cannot hold (section 2.2).
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BOLD = Font(bold=True)
_HEADING = PatternFill("solid", fgColor="FFDDE6F0")
_MONEY = frozenset(
    ("fee", "credit", "credit_at_least", "credit_at_most", "credit_before", "credit_after", "credit_before_at_least",
     "credit_before_at_most", "credit_after_at_least", "credit_after_at_most", "delta")
)  # fmt: skip
_UNITS = {"downtime_seconds": "s", "excluded_seconds": "s", "eligible_downtime_seconds": "s", "period_seconds": "s",
          "eligible_downtime_seconds_at_least": "s", "eligible_downtime_seconds_at_most": "s",
          "seconds_to_next_tier": "s", "seconds_past_tier_edge": "s", "availability": "%",
          "availability_at_least": "%", "availability_at_most": "%", "credit_percent": "% of fee"}  # fmt: skip


def write_workbook(
    path: Path | str,
    *,
    credits: pd.DataFrame,  # the word of the field
    before: pd.DataFrame | None,
    windows: Sequence[Window],
    policies: Iterable[tuple[str, int, Policy, str]],
    provenance: Mapping[str, str],
) -> str:
    """Write the workbook and return the SHA-256 of its bytes, in hexadecimal.

    credits, before: frames of `projections.credits.price`; `before` adds the sheet of changes. policies: key, version,
    terms and their TOML text. provenance: what the figures rest on, as it is to be read. Raises Refused when there are
    more rows than a sheet holds.
    """
    if len(credits) > _MOST_ROWS:
        raise Refused(
            f"{len(credits):,} credit rows do not fit a sheet, which holds {_MOST_ROWS:,}; export fewer subscriptions "
            "with --subscriptions"
        )
    book = Workbook(write_only=True)
    sums = list(rows(totals(credits)))
    changed = None if before is None else difference(before, credits)
    policies = list(policies)
    in_full = frozenset(key for key, _, policy, _ in policies if policy.windows == "full")
    _summary(book, credits, sums, changed, provenance, in_full)
    _table(book, "Credits", list(rows(credits)))
    if changed is not None:
        _table(book, "Changes", list(rows(changed)))
    _table(book, "Downtime windows", [_window(window) for window in windows], _WINDOW_COLUMNS)
    _policies(book, policies)
    _table(book, "Provenance", [{"what": name, "value": value} for name, value in provenance.items()])
    return _save(book, Path(path))


_WINDOW_COLUMNS = ("incident", "window", "service", "component", "region", "start (UTC)", "end (UTC)", "seconds (s)",
                   "effect", "share at least", "share at most", "share of", "approximate", "planned", "entries")  # fmt: skip


def _window(window: Window) -> dict[str, Any]:
    return {
        "incident": window.incident, "window": window.window, "service": window.service,
        "component": window.component, "region": window.region, "start (UTC)": _moment(window.start),
        "end (UTC)": None if window.end is None else _moment(window.end),
        "seconds (s)": None if window.end is None else window.end - window.start, "effect": window.effect,
        "share at least": _decimal(window.share_at_least), "share at most": _decimal(window.share_at_most),
        "share of": window.share_of, "approximate": window.approximate, "planned": window.planned is not None,
        "entries": ", ".join(window.entries),
    }  # fmt: skip


def _moment(seconds: int) -> datetime:
    # A spreadsheet has no zones; the heading says UTC.
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _summary(
    book: Any, credits: pd.DataFrame, sums: list[dict[str, Any]], changed: pd.DataFrame | None,
    provenance: Mapping[str, str], in_full: frozenset[str],
) -> None:  # fmt: skip
    sheet = _sheet(book, "Summary", (30, 16, 18, 18, 18, 18))
    sheet.append([_cell(sheet, f"SLA credits {provenance.get('period', '')}", font=_BOLD)])
    sheet.append([])
    sheet.append(
        [
            _cell(sheet, name, font=_BOLD)
            for name in ("currency", "subscriptions", "undecided", "fee", "credit")
        ]
    )
    for one in sums:
        digits = _digits(one["fee"])
        sheet.append(
            [_cell(sheet, one["currency"]), one["subscriptions"], one["undecided"],
             *(_amount(sheet, one[name], digits) for name in ("fee", "credit"))]
        )  # fmt: skip
    if changed is not None:
        sheet.append([])
        names = ("currency", "subscriptions", "credit_before", "credit_after", "delta")
        sheet.append([_cell(sheet, name.replace("_", " "), font=_BOLD) for name in names])
        for one in rows(totals(changed)):
            sheet.append([_cell(sheet, one["currency"]), one["subscriptions"],
                          *(_amount(sheet, one[name], _digits(one[name])) for name in names[2:])])  # fmt: skip
    sheet.append([])
    sheet.append([_cell(sheet, name, font=_BOLD) for name in ("check", "left", "right", "holds")])
    for name, left, right in _checks(credits, sums, changed, in_full):
        sheet.append([_cell(sheet, name), left, right, left == right])


def _checks(
    credits: pd.DataFrame,
    sums: list[dict[str, Any]],
    changed: pd.DataFrame | None,
    in_full: frozenset[str],
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (what, left, right) of the control totals: both sides are computed apart."""
    lines = list(rows(credits))
    yield "rows = subscriptions", len(lines), sum(one["subscriptions"] for one in sums)
    for one in sums:
        found = [
            Decimal(row["credit"])
            for row in lines
            if row["currency"] == one["currency"] and row["credit"] is not None
        ]
        if one["credit"] is not None:
            yield f"lines = total, {one['currency']}", sum(found, Decimal(0)), Decimal(one["credit"])
    # Counted in full and with nothing unknown, what counts and what does not make up all that was down.
    whole = [
        row for row in lines if row["policy"] in in_full and isinstance(row["eligible_downtime_seconds"], int)
    ]
    counted = sum(row["eligible_downtime_seconds"] + row["excluded_seconds"] for row in whole)
    yield (
        "eligible + excluded = downtime, seconds (counted in full)",
        counted,
        sum(row["downtime_seconds"] for row in whole),
    )
    if changed is not None:
        for one in rows(totals(changed)):
            if one["delta"] is not None:
                yield (
                    f"before + delta = after, {one['currency']}",
                    Decimal(one["credit_before"]) + Decimal(one["delta"]),
                    Decimal(one["credit_after"]),
                )


def _policies(book: Any, policies: Iterable[tuple[str, int, Policy, str]]) -> None:
    lines: list[dict[str, Any]] = []
    for key, version, policy, terms in policies:
        head = {"policy": key, "version": version, "in force from": date.fromisoformat(policy.in_force_from),
                "zone": policy.zone, "sha256": policy.sha256}  # fmt: skip
        lines += [
            {**head, "line": number, "terms": line} for number, line in enumerate(terms.splitlines(), 1)
        ]
    _table(book, "Policy", lines, ("policy", "version", "in force from", "zone", "sha256", "line", "terms"))


def _table(book: Any, title: str, lines: list[dict[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Write one sheet: a heading with units, a row each, filter, frozen heading, widths from what is in it."""
    names = list(columns or (lines[0] if lines else ("nothing",)))
    shown = {name: [_plain(name, line.get(name)) for line in lines] for name in names}
    widths = [
        min(
            60,
            max([len(_heading(name)), *(len(str(value)) for value in values[:1_000] if value is not None)])
            + 2,
        )
        for name, values in shown.items()
    ]
    sheet = _sheet(book, title, widths)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{len(lines) + 1}"
    sheet.append([_cell(sheet, _heading(name), font=_BOLD, fill=_HEADING, wrap=True) for name in names])
    for at, line in enumerate(lines):
        sheet.append(
            [
                _amount(sheet, line[name], _digits(line[name]))
                if name in _MONEY
                else _cell(sheet, shown[name][at])
                for name in names
            ]
        )


def _heading(name: str) -> str:
    words = name.replace("_", " ")
    return f"{words} ({_UNITS[name]})" if name in _UNITS else words


def _plain(name: str, value: Any) -> Any:
    """Return a value in the type a spreadsheet computes with."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, str) and (name in _UNITS or name in _MONEY):
        return Decimal(value)
    return value


def _digits(amount: str | None) -> int:
    return 0 if amount is None else len(amount.partition(".")[2])


def _amount(sheet: Any, amount: str | None, digits: int) -> Any:
    if amount is None:
        return None
    cell = WriteOnlyCell(sheet)
    cell.value = Decimal(amount)
    cell.number_format = "#,##0" + (f".{'0' * digits}" if digits else "")
    return cell


def _cell(
    sheet: Any, value: Any, *, font: Font | None = None, fill: PatternFill | None = None, wrap: bool = False
) -> Any:
    if isinstance(value, str):
        value = _ILLEGAL.sub("\ufffd", value)[:32_767]
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # openpyxl takes a text that starts with "=" for a formula unless it is told that it is a text.
        cell.data_type = "s"
    elif isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"
    elif isinstance(value, Decimal):
        cell.number_format = "0.############"
    if font is not None:
        cell.font = font
    if fill is not None:
        cell.fill = fill
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _sheet(book: Any, title: str, widths: Sequence[int]) -> Any:
    sheet = book.create_sheet(title)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for at, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    return sheet


def _save(book: Any, path: Path) -> str:
    book.properties.creator = "incident-sla-ledger"
    raw = io.BytesIO()
    book.save(raw)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(raw) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target,
    ):
        for name in sorted(source.namelist()):
            part = source.read(name)
            if name == "docProps/core.xml":
                # The two stamps of the present are all that differs from run to run.
                part = re.sub(
                    rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", part
                )
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            target.writestr(info, part)
    content = packed.getvalue()
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}; choose another place with -o"
        ) from None
    return hashlib.sha256(content).hexdigest()
