"""The sheet Availability: each region against the tiers of each policy, as a table and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import floor
from typing import Any

from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.data_source import AxDataSource, NumData, NumVal, StrData, StrRef, StrVal
from openpyxl.worksheet.pagebreak import Break

from ledger.domain.money import decimal_text
from projections.workbook.book import Block, Book
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.calculation import availability_of, percents_of
from projections.workbook.cells import Formula, Styled
from projections.workbook.inputs import Inputs
from projections.workbook.model import Model, Scope

__all__ = ["availability"]

_CHART_ROWS = 18
# Columns for edges, so that the page is as wide as its chart.
_EDGES_BESIDE = 4
# Above it an axis begins at a half of a percent, too.
_FINE = 97
_BARS = ("4472A8", "9DB8DC")
_EDGES = ("2E7D32", "E0A100", "D1661A", "B3261E")


def availability(book: Book, model: Model, inputs: Inputs, sheets: CalculatingSheets) -> None:
    """Add Availability: for each policy its regions against its tiers, as a table and as a chart."""
    most = max((len(policy.tiers) for _, policy, _ in model.policies), default=1)
    block = Block(book, "Availability", (30, 12, 14, 14, 10, 10, *[12] * max(most - 1, _EDGES_BESIDE)))
    block.add(Styled(book.style("title"), "Availability against the tiers"))
    charts: list[tuple[int, list[Scope], list[Decimal]]] = []
    tier = 0
    for number, (version, policy, _) in enumerate(model.policies, 1):
        if policy.commitments[0].measure.makes != "availability":
            continue
        scopes = _widest([scope for scope in model.scopes if scope.policy == number])
        block.add()
        block.add(Styled(book.style("title"), f"{policy.key} v{version}"))
        # The worst tier begins at 0%, which is no edge to fall below.
        edges = [
            (inputs.tiers[tier + place], Decimal(decimal_text(one.lower * 100)))
            for place, one in enumerate(policy.tiers if number <= model.live else ())
            if one.lower
        ]
        tier += len(policy.tiers)
        heads = block.heading(
            "service, region", "downtime (min)", "availability at least (%)", "availability at most (%)",
            "pays at least (% of fee)", "pays at most (% of fee)", *(f"tier from {edge}%" for _, edge in edges),
            numbers="BCDEFGHIJKLMNOPQRSTUVWXYZ",
        )  # fmt: skip
        for scope in scopes:
            _available(book, block, scope, edges, sheets)
        charts.append((heads, scopes, [edge for _, edge in edges]))
        # Room for the chart.
        for _ in range(_CHART_ROWS):
            block.add()
    sheet = book.block(block)
    for place, (heads, scopes, edges_) in enumerate(charts):
        if place:
            # A policy and its chart stay on one page.
            sheet.row_breaks.append(Break(id=heads - 2))
        sheet.add_chart(_chart(sheet, heads, scopes, edges_), f"A{heads + len(scopes) + 2}")


def _widest(scopes: Sequence[Scope]) -> list[Scope]:
    """Return of each service, region and circle of customers the scope that is valid longest."""
    found: dict[tuple[str, str, str], Scope] = {}
    for scope in scopes:
        key = scope.group.service, scope.group.region, scope.circle
        start, end = scope.group.valid
        known = found.get(key)
        if known is None or end - start > known.group.valid[1] - known.group.valid[0]:
            found[key] = scope
    return [found[key] for key in sorted(found)]


def _available(
    book: Book, block: Block, scope: Scope, edges: Sequence[tuple[int, Decimal]], sheets: CalculatingSheets
) -> None:
    row = scope.number + 1
    ledger = scope.group.assessment

    def at(name: str) -> str:
        return sheets.calculation.cell(name, row)

    shown = (
        ("decimal", "downtime", ledger.downtime_seconds / 60),
        *(("percent", name, value) for name, value in zip(("available_least", "available_most"), availability_of(scope), strict=True)),
        *(("decimal", name, value) for name, value in zip(("percent_least", "percent_most"), percents_of(scope), strict=True)),
    )  # fmt: skip
    block.add(
        _place(scope),
        *(
            Styled(
                book.style("formula", looks),
                None if value is None else Formula(at(name) + ("/seconds_per_minute" if name == "downtime" else ""), value),
            )
            for looks, name, value in shown
        ),
        *(Styled(book.style("formula", "decimal"), Formula(f"Inputs!$E${tier}", edge)) for tier, edge in edges),
    )  # fmt: skip


def _chart(sheet: Any, heads: int, scopes: Sequence[Scope], edges: Sequence[Decimal]) -> BarChart:
    last = heads + len(scopes)
    found = [value for scope in scopes for value in availability_of(scope) if value is not None]
    low = min([*found, *(float(edge) for edge in edges)], default=0.0)
    bars = BarChart()
    bars.type, bars.grouping, bars.overlap = "col", "clustered", 0
    bars.title = None
    bars.height, bars.width = 8.5, 24
    bars.add_data(Reference(sheet, min_col=3, max_col=4, min_row=heads, max_row=last), titles_from_data=True)
    lines = LineChart()
    if edges:
        lines.add_data(
            Reference(sheet, min_col=7, max_col=6 + len(edges), min_row=heads, max_row=last), titles_from_data=True
        )  # fmt: skip
    names = Reference(sheet, min_col=1, min_row=heads + 1, max_row=last)
    places = [_place(scope) for scope in scopes]
    columns: list[list[Any]] = [
        *([availability_of(scope)[side] for scope in scopes] for side in (0, 1)),
        *([float(edge)] * len(scopes) for edge in edges),
    ]
    heading = [
        "availability at least (%)",
        "availability at most (%)",
        *(f"tier from {edge}%" for edge in edges),
    ]
    for series, title, values in zip([*bars.series, *lines.series], heading, columns, strict=True):
        _cached(series, title, values, str(names), places)
    for at, series in enumerate(bars.series):
        series.graphicalProperties.solidFill = _BARS[at]
    for at, series in enumerate(lines.series):
        series.graphicalProperties.line.solidFill = _EDGES[at % len(_EDGES)]
        series.graphicalProperties.line.width = 22_000
        series.marker.symbol = "dash"
        # One place makes no line, so its mark has to be seen.
        series.marker.size = 12 if len(scopes) > 1 else 24
        series.smooth = False
    # Near 100% is where it is decided; a chart from 0 would show nothing.
    below = low - (100 - low) * 0.1
    # So that steps lead to 100.
    bars.y_axis.scaling.min = max(0, floor(below) if below < _FINE else floor(below * 2) / 2)
    bars.y_axis.scaling.max = 100
    bars.y_axis.title = "availability (%)"
    bars.y_axis.number_format = "0.0##"
    bars.y_axis.delete = bars.x_axis.delete = False
    bars.legend.position = "r"
    if edges:
        bars += lines
    return bars


def _cached(series: Any, title: str, values: Sequence[float], names: str, places: Sequence[str]) -> None:
    """Keep beside the references what they lead to, for readers that calculate nothing."""
    series.tx.strRef.strCache = StrData(ptCount=1, pt=[StrVal(idx=0, v=title)])
    series.val.numRef.numCache = NumData(
        formatCode="General",
        ptCount=len(values),
        pt=[NumVal(idx=at, v=repr(value)) for at, value in enumerate(values)],
    )
    texts = StrData(ptCount=len(places), pt=[StrVal(idx=at, v=place) for at, place in enumerate(places)])
    series.cat = AxDataSource(strRef=StrRef(f=names, strCache=texts))


def _place(scope: Scope) -> str:
    return ", ".join(filter(None, (scope.group.service, scope.group.region, scope.circle)))
