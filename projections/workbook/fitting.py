"""How wide columns are, and how many pages a sheet prints on, so that nothing is cut and all can be read.

A number that is wider than its column shows as "###", and a text beside another one is cut. What stands in the first
rows is measured in characters, as the widths of columns are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from projections.workbook.cells import Formula, Styled

__all__ = ["LINE", "Fitted", "fitted", "height", "pages"]

# How high a line is, and a row may be, in points.
LINE = 15
_HIGHEST = 405

# Rows of a sheet that are measured.
_MEASURED = 1_000
# Characters around what stands in a cell: its indent, and the space before the next.
_AROUND = 2
# A text of more characters goes on in the next line, or is cut where no line is folded.
_LONGEST = 90
# Characters that are read without effort across a landscape page: 60% of the size of the letters on the screen.
_A4, _A3 = 220, 330


class Fitted(NamedTuple):
    """How wide each column is in characters, and which columns, from 0, are folded."""

    widths: list[int]
    folded: frozenset[int]


def fitted(
    widths: Sequence[int], lines: Iterable[tuple[Sequence[str], Sequence[Any]]], formats: Mapping[int, str], *,
    spills: bool,
) -> Fitted:  # fmt: skip
    """Return columns that hold what stands in them, none narrower than in `widths`.

    lines: of each row the formats of its columns, and its values, as `projections.workbook.cells.row_xml` takes them. formats: of
    styles. spills: text runs over empty cells beside it, and no column is folded; else long texts go on in the next line.
    """
    found = list(widths)
    folded = set()
    for looks, values in islice(lines, _MEASURED):
        for at, value in enumerate(values):
            shown = looks[at]
            if type(value) is Styled:
                shown, value = formats.get(value.style, "text"), value.value
            if shown == "heading":
                continue
            if type(value) is Formula:
                value = value.value
            if type(value) is not str:
                found[at] = max(found[at], _number(shown, value) + _AROUND)
            elif not (spills and _is_free(values, at + 1)):
                longest = max((len(line) for line in value.split("\n")), default=0) + _AROUND
                most = max(widths[at], _LONGEST)
                if longest > most and shown == "text" and not spills:
                    folded.add(at)
                found[at] = max(found[at], min(longest, most))
    return Fitted(found, frozenset(folded))


def height(values: Sequence[Any], sheet: Fitted) -> int:
    """Return how high a row is, in points, so that folded texts are not cut; 0 where it is as high as any other.

    Not every program finds it out by itself when it opens a file.
    """
    most = 1
    for at in sheet.folded:
        value = values[at]
        while isinstance(value, Styled | Formula):
            value = value.value
        if type(value) is str:
            room = sheet.widths[at] - _AROUND
            most = max(most, sum(max(1, -(-len(line) // room)) for line in value.split("\n")))
    return min(LINE * most, _HIGHEST) if most > 1 else 0


def _is_free(values: Sequence[Any], at: int) -> bool:
    """Tell whether a text may run into the cell at `at`."""
    return at >= len(values) or values[at] is None


def _number(shown: str, value: Any) -> int:
    """Return how many characters a number shows; 0 where its column is as wide as it has to be, or makes do."""
    if value is None:
        return 0
    if shown == "integer":
        return len(f"{value:,}")
    if shown == "percent":
        return len(f"{value:.8f}")
    if shown.startswith("money"):
        return len(f"{value:,.{shown.removeprefix('money')}f}")
    if shown == "decimal":
        # Decimals are dropped by what shows them, digits before the point are not.
        return len(f"{int(value)}.00")
    return 0


def pages(widths: Sequence[int], kept: int) -> tuple[bool, int]:
    """Return whether a sheet needs A3, and on how many pages side by side it prints. kept: so many columns stand on each."""
    wide, again = sum(widths), sum(widths[:kept])
    if wide <= _A3:
        return wide > _A4, 1
    across = 2
    while wide + (across - 1) * again > across * _A3 and again < _A3:
        across += 1
    return True, across
