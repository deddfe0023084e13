"""Cells as SpreadsheetML (ECMA-376 part 1, 18.3.1): what a sheet holds between its head and its tail.

openpyxl writes formulas without their results. Here a formula stands with the result that the ledger has, so that a
reader who calculates nothing sees it, and one who calculates can compare. Text is always an inline string: nothing that
was typed by somebody can become a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

__all__ = ["Formula", "Moment", "Styled", "listed", "row_xml", "serial"]

# Characters that XML 1.0 cannot hold (section 2.2).
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# What a spreadsheet reads as an escaped character (ECMA-376 part 1, 22.9.2.19); as text it is escaped itself.
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NEEDS_CARE = re.compile("[^ -%'-;=?-^`-~\xa0-\ud7ff]")
_LONGEST = 32_767
_EPOCH = date(1899, 12, 30).toordinal()


class Formula(NamedTuple):
    """A formula, without the sign that starts it, and the result that the ledger has."""

    text: str
    value: Any


class Styled(NamedTuple):
    """A value whose cell does not look as the column says."""

    style: int
    value: Any


class Moment(NamedTuple):
    """UTC seconds, shown as a time."""

    seconds: int


def serial(seconds: int) -> float:
    """Return UTC seconds as the days since 1899-12-30 that a spreadsheet counts (ECMA-376 part 1, 18.17.4.1)."""
    return seconds / 86_400 + 25_569


def listed(names: Sequence[str]) -> str:
    """Return names in one cell, parted by "; "; where they are more than it holds, how many are left out."""
    text = "; ".join(names)
    if _units(text) <= _LONGEST:
        return text
    kept: list[str] = []
    # Room for what is said at the end, whatever the number.
    room = _LONGEST - len("and 1,000,000,000 more; see the Parquet detail")
    for name in names:
        room -= _units(name) + 2
        if room < 0:
            break
        kept.append(name)
    return "; ".join([*kept, f"and {len(names) - len(kept):,} more; see the Parquet detail"])


def _units(text: str) -> int:
    """Return how many characters a spreadsheet counts: UTF-16 code units."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def _cut(value: str) -> str:
    """Return a text that fits a cell, and says so at its end where it was cut."""
    if len(value) * 2 <= _LONGEST or _units(value) <= _LONGEST:
        return value
    room = _LONGEST - len(" … and 1,000,000,000 more characters; a cell holds 32,767")
    kept = value[:room]
    while _units(kept) > room:
        kept = kept[: len(kept) - max(1, (_units(kept) - room) // 2)]
    return f"{kept} … and {len(value) - len(kept):,} more characters; a cell holds {_LONGEST:,}"


def _text(value: str) -> str:
    """Return text as it stands in XML."""
    value = _cut(value)
    if _NEEDS_CARE.search(value):
        value = _ESCAPED.sub("_x005F_", _ILLEGAL.sub("\ufffd", value))
        value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value


def _text_cell(at: str, value: str) -> str:
    # Spaces at the ends, and what is not a space but white, go lost without being asked for.
    kept = ' xml:space="preserve"' if value[:1].isspace() or value[-1:].isspace() or "\n" in value else ""
    return f'<c {at} t="inlineStr"><is><t{kept}>{_text(value)}</t></is></c>'


def _formula_cell(at: str, value: Formula) -> str:
    text, found = value
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    kind = type(found)
    if kind is str:
        return f'<c {at} t="str"><f>{text}</f><v>{_text(found)}</v></c>'
    if kind is bool:
        return f'<c {at} t="b"><f>{text}</f><v>{int(found)}</v></c>'
    return f"<c {at}><f>{text}</f><v>{_number(found)}</v></c>"


def _number(value: Any) -> str:
    return format(value, "f") if type(value) is Decimal else repr(value)


_CELLS: dict[type, Callable[[str, Any], str]] = {
    str: _text_cell,
    Formula: _formula_cell,
    int: lambda at, value: f"<c {at}><v>{value}</v></c>",
    float: lambda at, value: f"<c {at}><v>{value!r}</v></c>",
    Decimal: lambda at, value: f"<c {at}><v>{value:f}</v></c>",
    bool: lambda at, value: f'<c {at} t="b"><v>{int(value)}</v></c>',
    Moment: lambda at, value: f"<c {at}><v>{serial(value.seconds)!r}</v></c>",
    date: lambda at, value: f"<c {at}><v>{value.toordinal() - _EPOCH}</v></c>",
    # An empty cell still says whether it may be filled in.
    type(None): lambda at, value: f"<c {at}/>",
}


def row_xml(
    number: int, letters: Sequence[str], styles: Sequence[int], values: Iterable[Any], height: int = 0
) -> str:
    """Return one row. number: from 1; letters and styles: of each column; a value may be Styled; height: in points."""
    cells = []
    for letter, style, value in zip(letters, styles, values, strict=False):
        if type(value) is Styled:
            style, value = value
        cells.append(_CELLS[type(value)](f'r="{letter}{number}" s="{style}"', value))
    high = f' ht="{height}" customHeight="1"' if height else ""
    return f'<row r="{number}"{high}>{"".join(cells)}</row>'
