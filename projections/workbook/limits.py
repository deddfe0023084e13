"""The sheet Exclusion limits: of each limited rule how much of each segment is left to be excluded, earliest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from projections.workbook.book import Column, Table
from projections.workbook.cells import Formula
from projections.workbook.model import Case, Model

__all__ = ["Places", "lines", "rows_of", "table"]


class Places(NamedTuple):
    """Where the cells stand that the sheet reads, and its own: rows by case, or by case and rule; rules: rows on Inputs."""

    limits: Table
    limit_rows: Mapping[tuple[int, int], int]
    segments: Table
    segment_rows: Mapping[int, tuple[int, int]]
    coverage: Table
    coverage_rows: Mapping[int, tuple[int, int]]
    rules: Mapping[tuple[int, int], int]


def rows_of(model: Model) -> tuple[dict[tuple[int, int], int], int]:
    """Return the first row of each case and limited rule, and how many lines there are."""
    found: dict[tuple[int, int], int] = {}
    count = 0
    for case in model.cases:
        for limit in case.limits:
            found[case.number, limit.rule] = count + 2
            count += len(case.segments)
    return found, count


def table(count: int) -> Table:
    """Return the table of so many lines."""
    return Table(
        "Exclusion limits",
        {
            "case": Column("case", "integer", width=6),
            "rule": Column("rule", "integer", width=6),
            "segment": Column("segment", "integer", width=9),
            "used": Column("used in the year before the period (s)", "integer", width=14),
            "uses": Column("exclusions that use it up", "integer", "formula", 11),
            "takes": Column("exclusions that take out at most", "integer", "formula", 11),
            "takes_surely": Column("exclusions that take out surely", "integer", "formula", 11),
            "left": Column("left of the limit (s)", "integer", "formula", 12),
            "outside_most": Column("excluded at most (s)", "integer", "formula", 12),
            "outside_surely": Column("excluded surely (s)", "integer", "formula", 12),
        },
        count,
    )


def lines(model: Model, places: Places) -> Iterator[list[Any]]:
    """Yield the lines: for each case and limited rule one for each segment of the period, in their order."""
    for case in model.cases:
        for number in range(len(case.limits)):
            yield from _of_rule(case, number, places)


def _of_rule(case: Case, number: int, places: Places) -> Iterator[list[Any]]:
    limit = case.limits[number]
    rows = places.coverage_rows[case.number]
    span = {name: places.coverage.span(name, name, rows) for name in places.coverage.letters}
    first = places.limit_rows[case.number, limit.rule]
    at_most = f"Inputs!$G${places.rules[case.policy, limit.rule]}"
    for place, one in enumerate(case.segments):
        row, segment = first + place, places.segment_rows[case.number][0] + place
        at = {name: f"{letter}{row}" for name, letter in places.limits.letters.items()}
        begin, end, seconds = (places.segments.cell(name, segment) for name in ("from", "to", "seconds"))
        uses, takes, surely, left = one.limits[number]
        covers = f"({span['most_from']}<={begin})*({span['most_to']}>={end})*({span['limited']}={at['rule']})"
        before = {name: f"{letter}{row - 1}" for name, letter in places.limits.letters.items()}
        room = (
            f"{at_most}-{at['used']}"
            if not place
            else f"{before['left']}-IF({before['uses']}>0,{places.segments.cell('seconds', segment - 1)},0)"
        )
        out = max(0, min(one.seconds, left))
        yield [
            case.number, limit.rule, place + 1, None if place else limit.used,
            Formula(f"SUMPRODUCT({covers}*{span['uses']})", uses),
            Formula(f"SUMPRODUCT({covers}*{span['takes']})", takes),
            Formula(f"SUMPRODUCT({covers}*{span['takes_surely']})", surely),
            Formula(room, left),
            Formula(f"IF({at['takes']}>0,MAX(0,MIN({seconds},{at['left']})),0)", out if takes else 0),
            Formula(f"IF({at['takes_surely']}>0,{at['outside_most']},0)", out if surely else 0),
        ]  # fmt: skip
