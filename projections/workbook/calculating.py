"""The sheets that calculate, from Intervals to what each scope is paid, in their order.

Each formula stands beside the value it leads to (`projections.workbook.model`). What is calculated once is referred to
afterwards; nothing that may change stands inside a formula.
"""

from __future__ import annotations

from projections.workbook import limits, outages
from projections.workbook.book import Book, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.calculation import calculation_lines, calculation_table
from projections.workbook.coverage import coverage_lines, coverage_table
from projections.workbook.inputs import Inputs
from projections.workbook.model import Model
from projections.workbook.segments import segments_lines, segments_table
from projections.workbook.terms import edges_lines, edges_table, terms_lines, terms_table

__all__ = ["calculating_sheets"]


def calculating_sheets(
    book: Book, model: Model, inputs: Inputs, intervals: Table, exclusions: Table | None, as_of: int | None
) -> CalculatingSheets:
    """Add the calculating sheets. as_of: UTC seconds, None where no interval is open."""
    coverage_rows: dict[int, tuple[int, int]] = {}
    segment_rows: dict[int, tuple[int, int]] = {}
    coverage_of_scope: dict[int, int] = {}
    covered = segmented = 2
    for case in model.cases:
        coverage_rows[case.number] = covered, covered + len(case.covers) - 1
        for row, cover in enumerate(case.covers, covered):
            if cover.scope is not None:
                coverage_of_scope[cover.scope] = row
        covered += len(case.covers)
        segment_rows[case.number] = segmented, segmented + len(case.segments) - 1
        segmented += len(case.segments)
    limit_rows, limited = limits.rows_of(model)
    outage_rows, lasting = outages.rows_of(model)
    terms, coverage, segments = (
        terms_table(model.live, notices=bool(inputs.rules), lengths=model.has_lengths),
        coverage_table(covered - 2, exclusions=model.excludes, pieces=model.rounds_pieces_up),
        segments_table(segmented - 2, exclusions=model.excludes),
    )
    runs = outages.Places(
        outages.table(lasting),
        outage_rows,
        segments,
        segment_rows,
        coverage,
        coverage_rows,
        coverage_of_scope,
        terms,
        inputs.outages,
    )
    found = CalculatingSheets(
        terms,
        edges_table(len(inputs.tiers), gaps=model.has_gaps),
        coverage,
        segments,
        calculation_table(len(model.scopes)),
        coverage_rows,
        segment_rows,
        coverage_of_scope,
        limits.table(limited) if limited else None,
        limit_rows,
        {},
        runs if lasting else None,
    )
    for name, column in (("tier_policy", "policy"), ("tier_allowed", "allowed"), ("tier_pays", "pays")):
        book.name(name, found.edges.whole(column))
    if model.has_lifetimes:
        book.name("tier_edge", found.edges.whole("edge"))
        book.name("tier_belongs", f"Inputs!$F${inputs.tiers[0]}:$F${inputs.tiers[-1]}")
    if model.has_gaps:
        book.name("tier_entered", found.edges.whole("entered"))
    for name in (
        "pays_least",
        "pays_most",
        "adds",
        "tie",
        "rule",
        "agrees",
        "eligible_least",
        "eligible_most",
    ):
        book.name(f"scope_{name}", found.calculation.whole(name))
    book.table(found.terms, lambda: terms_lines(model, inputs, found.terms, as_of), freeze=3)
    book.table(found.edges, lambda: edges_lines(model, inputs, found), freeze=4)
    book.table(found.coverage, lambda: coverage_lines(model, inputs, found, intervals, exclusions), freeze=5)
    book.table(found.segments, lambda: segments_lines(model, found), freeze=2)
    if found.limits is not None:
        at = limits.Places(
            found.limits,
            limit_rows,
            found.segments,
            found.segment_rows,
            found.coverage,
            coverage_rows,
            inputs.rules,
        )
        book.table(found.limits, lambda: limits.lines(model, at), freeze=3)
    if lasting:
        book.table(runs.outages, lambda: outages.lines(model, runs), freeze=2)
    book.table(found.calculation, lambda: calculation_lines(book, model, found), freeze=7)
    return found
