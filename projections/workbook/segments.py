"""The sheet Segments: the pieces of a period between all edges of Coverage, and what each counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.workbook.book import Column, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula
from projections.workbook.model import Case, Model, Segment

__all__ = ["segments_lines", "segments_table"]


def segments_table(count: int, *, exclusions: bool) -> Table:
    """Return the sheet of segments, with columns for exclusions where there are any."""
    return Table(
        "Segments",
        {
            "case": Column("case", "integer", width=6),
            "no": Column("no", "integer", width=6),
            "from": Column("from (s)", "integer", "formula", 11),
            "to": Column("to (s)", "integer", "formula", 11),
            "seconds": Column("seconds (s)", "integer", "formula", 11),
            "least_share": Column("share at least (parts)", "integer", "formula", 11),
            "most_share": Column("share at most (parts)", "integer", "formula", 11),
            "stated_share": Column("share as stated (parts)", "integer", "formula", 11),
            "down": Column("intervals surely here", "integer", "formula", 11),
            "least_weight": Column("a second counts at least (parts)", "integer", "formula", 13),
            "most_weight": Column("a second counts at most (parts)", "integer", "formula", 13),
            "least": Column("eligible at least (parts of a second)", "integer", "formula", 15),
            "most": Column("eligible at most (parts of a second)", "integer", "formula", 15),
            "downtime": Column("downtime (s)", "integer", "formula", 11),
            "excluded": Column("excluded (s)", "integer", "formula", 11),
            "counted": Column("counted (s)", "integer", "formula", 11),
            **(_OUTSIDE if exclusions else {}),
        },
        count,
    )


_OUTSIDE = {
    "takes": Column("exclusions without a limit", "integer", "formula", 11),
    "takes_surely": Column("of these surely", "integer", "formula", 9),
    "outside_most": Column("excluded at most (s)", "integer", "formula", 11),
    "outside_surely": Column("excluded surely (s)", "integer", "formula", 11),
}


def _outside(
    case: Case,
    one: Segment,
    place: int,
    covers: str,
    at: dict[str, str],
    span: dict[str, str],
    found: CalculatingSheets,
) -> list[Any]:
    """Return how much of a segment is excluded: all of it, or of a limited rule the first seconds."""

    def takes(name: str) -> str:
        return f"SUMPRODUCT({covers}*({span['limited']}=0)*{span[name]})"

    def seconds(name: str, outside: str) -> str:
        alone = f"IF({at[name]}>0,{at['seconds']},0)"
        if found.limits is None or not case.limits:
            return alone
        rows = (found.limit_rows[case.number, limit.rule] + place - 1 for limit in case.limits)
        return f"MAX({','.join([alone, *(found.limits.cell(outside, row) for row in rows)])})"

    return [
        Formula(takes("takes"), one.excluding[0]), Formula(takes("takes_surely"), one.excluding[1]),
        Formula(seconds("takes", "outside_most"), one.outside_most),
        Formula(seconds("takes_surely", "outside_surely"), one.outside_surely),
    ]  # fmt: skip


def segments_lines(model: Model, found: CalculatingSheets) -> Iterator[list[Any]]:
    """Give the segments of each case, in the order of time."""
    row = 1
    for case in model.cases:
        rows = found.coverage_rows[case.number]
        term = {name: found.terms.cell(name, case.policy + 1) for name in ("by_share", "share_edge")}
        edge = case.edge
        # Shares of users that were touched add up, to more than all.
        adds = case.group.policy.windows == "user-minutes"
        cuts = found.coverage.span("least_from", "down_to" if case.planned else "most_to", rows)
        span = {name: found.coverage.span(name, name, rows) for name in found.coverage.letters}
        for place, one in enumerate(case.segments, 1):
            row += 1
            at = {name: f"{letter}{row}" for name, letter in found.segments.letters.items()}

            def covers(kind: str, at: dict[str, str] = at, span: dict[str, str] = span) -> str:
                return f"({span[f'{kind}_from']}<={at['from']})*({span[f'{kind}_to']}>={at['to']})"

            counted = one.counted(edge)
            capped = f"MIN({at['most_share']},share_units)"
            # Where nothing is excluded the formulas say nothing of it.
            surely = f"-IF({at['down']}>0,{at['outside_surely']},0)" if case.excludes else ""
            least, most = (
                f"({at['seconds']}-{at[outside]})" if case.excludes else at["seconds"]
                for outside in ("outside_most", "outside_surely")
            )  # fmt: skip
            yield [
                case.number, place,
                Formula(f"SMALL({cuts},{at['no']})", one.start),
                Formula(f"SMALL({cuts},{at['no']}+1)", one.end),
                Formula(f"{at['to']}-{at['from']}", one.seconds),
                Formula(
                    f"SUMPRODUCT({covers('least')}*{span['least_share']})"
                    if adds
                    else f"SUMPRODUCT(MAX({covers('least')}*{span['least_share']}))",
                    one.least_share,
                ),
                Formula(f"SUMPRODUCT({covers('most')}*{span['most_share']})", one.most_share),
                Formula(f"SUMPRODUCT({covers('stated')}*{span['most_share']})", one.stated_share),
                Formula(f"SUMPRODUCT({covers('down')}*{span['here']})", one.down),
                Formula(
                    f"IF({term['by_share']},{at['least_share']},IF({at['least_share']}>{term['share_edge']},1,0))",
                    one.least_weight,
                ),
                Formula(
                    f"IF({term['by_share']},{at['most_share'] if adds else capped},"
                    f"IF({at['most_share']}>{term['share_edge']},1,0))",
                    one.most_weight,
                ),
                Formula(f"{least}*{at['least_weight']}", one.least),
                Formula(f"{most}*{at['most_weight']}", one.most),
                Formula(f"IF({at['down']}>0,{at['seconds']},0)", one.downtime),
                Formula(
                    f"IF({at['stated_share']}>{term['share_edge']},{surely[1:] or 0},{at['downtime']})", one.downtime - counted
                ),
                Formula(f"IF({at['stated_share']}>{term['share_edge']},{at['downtime']}{surely},0)", counted),
                *(_outside(case, one, place, covers("most"), at, span, found) if case.excludes else ()),
            ]  # fmt: skip
