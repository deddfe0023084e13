"""The sheet Coverage: when each interval, exclusion and validity covers its period, at least and at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from projections.workbook.book import Column, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula
from projections.workbook.exclusions import recorded_rules
from projections.workbook.inputs import Inputs
from projections.workbook.lasting import pieces_up
from projections.workbook.model import Case, Cover, Model

__all__ = ["coverage_lines", "coverage_table"]


def coverage_table(count: int, *, exclusions: bool, pieces: bool) -> Table:
    """Return the sheet of what covers a period, with columns for exclusions and rounded pieces where there are any."""
    return Table(
        "Coverage",
        {
            "case": Column("case", "integer", width=6),
            "what": Column("what", width=10),
            "no": Column("interval or scope no", "integer", width=9),
            "piece": Column("piece", "integer", width=6),
            "label": Column("which", width=30),
            "here": Column("surely in the region", "flag", width=9),
            "concerned": Column("surely of these customers", "flag", width=10),
            "start": Column("start (s)", "integer", "formula", 11),
            "end": Column("end (s)", "integer", "formula", 11),
            "not_before": Column("not before (s)", "integer", "formula", 11),
            "not_after": Column("not after (s)", "integer", "formula", 11),
            "least_from": Column("at least from (s)", "integer", "formula", 11),
            "least_to": Column("at least to (s)", "integer", "formula", 11),
            "stated_from": Column("stated from (s)", "integer", "formula", 11),
            "stated_to": Column("stated to (s)", "integer", "formula", 11),
            "most_from": Column("at most from (s)", "integer", "formula", 11),
            "most_to": Column("at most to (s)", "integer", "formula", 11),
            "down_from": Column("down from (s)", "integer", "formula", 11),
            "down_to": Column("down to (s)", "integer", "formula", 11),
            "counts": Column("effect counts", "flag", "formula", 9),
            "least_share": Column("share at least (parts)", "integer", "formula", 10),
            "most_share": Column("share at most (parts)", "integer", "formula", 10),
            **(
                {
                    "pieces": Column(
                        "in whole quanta, where any of it is valid, at most (s)", "integer", "formula", 12
                    )
                }
                if pieces
                else {}
            ),
            **(_EXCLUDING if exclusions else {}),
        },
        count,
    )


_EXCLUDING = {
    "rule": Column("exclusion rule", "integer", width=9),
    "limited": Column("under the limit of rule", "integer", width=9),
    "about": Column("is about the intervals", "flag", width=9),
    "uses": Column("uses up a limit", "integer", "formula", 9),
    "takes": Column("takes out at most", "integer", "formula", 9),
    "takes_surely": Column("takes out surely", "integer", "formula", 9),
}


def coverage_lines(
    model: Model, inputs: Inputs, found: CalculatingSheets, intervals: Table, exclusions: Table | None
) -> Iterator[list[Any]]:
    """Give the rows of each case: validities, intervals, exclusions."""
    row = 1
    for case in model.cases:
        policy, terms = inputs.policies[case.policy - 1], case.policy + 1
        period = found.terms.cell("period", terms)
        for cover in case.covers:
            row += 1
            if cover.scope is not None:
                yield _validity(case, cover, inputs.scopes[cover.scope - 1], policy, period)
            elif cover.window is not None:
                yield _covering(model, case, cover, row, policy, found, intervals)
            elif cover.exclusion is not None and exclusions is not None:
                yield _excluding(model, case, cover, row, inputs, found, exclusions)


def _validity(case: Case, cover: Cover, scope: int, policy: int, period: str) -> list[Any]:
    start, end = (
        f"ROUND((Inputs!${letter}${scope}-Inputs!$F${policy})*seconds_per_day,0)" for letter in "FG"
    )
    return [
        case.number, "scope", cover.scope, None, "valid from and to", *[None] * 10,
        Formula(f"MAX(0,{start})", cover.most[0]), Formula(f"MIN({period},{end})", cover.most[1]), *[None] * 5,
    ]  # fmt: skip


def _covering(
    model: Model, case: Case, cover: Cover, row: int, policy: int, found: CalculatingSheets, intervals: Table
) -> list[Any]:
    number = cover.window or 0
    window = model.windows[number]
    at = {name: f"{letter}{row}" for name, letter in found.coverage.letters.items()}
    fact = {name: intervals.cell(name, number + 2) for name in intervals.letters}
    term = {name: found.terms.cell(name, case.policy + 1) for name in found.terms.letters}
    start, counted = f"Inputs!$F${policy}", f"Inputs!$J${policy}"

    def second(address: str) -> str:
        return f"ROUND(({address}-{start})*seconds_per_day,0)"

    if recorded_rules(case.group.policy):
        # A plan counts where it was not announced in time.
        ahead = f"ROUND(({fact['planned_start']}-{fact['announced']})*seconds_per_day,0)"
        counted = f"OR({counted},AND({term['notice']}>0,{ahead}<{term['notice']}))"
    before = f"IF({counted},{term['period']},{second(fact['planned_end'])})" if cover.piece == 2 else None
    after = (
        f"IF({counted},{term['period']},{second(fact['planned_start'])})" if cover.piece == 1 else term["period"]
    )  # fmt: skip
    least, stated, most, down = (
        span or (0, 0) for span in (cover.least, cover.stated, cover.most, cover.down)
    )
    sure = f"AND({at['counts']},{at['here']},{at['concerned']})"
    return [
        case.number, "interval", number + 1, cover.piece, f"{window.incident}/{window.window}", cover.here,
        cover.concerned,
        Formula(second(fact["start"]), cover.start),
        Formula(f'IF({fact["end"]}="",{term["as_of"]},{second(fact["end"])})', cover.end),
        cover.not_before if before is None else Formula(before, cover.not_before),
        Formula(after, cover.not_after),
        Formula(f"MAX({at['not_before']},{at['start']}+{fact['start_within']})", least[0]),
        Formula(f'MIN({at["not_after"]},{at["end"]}-IF({fact["end"]}="",0,{fact["end_within"]}))', least[1]),
        Formula(f"MAX({at['not_before']},{at['start']})", stated[0]),
        Formula(f"MIN({at['not_after']},{at['end']})", stated[1]),
        Formula(f"MAX({at['not_before']},{at['start']}-{fact['start_within']})", most[0]),
        Formula(
            f'MIN({at["not_after"]},IF({fact["end"]}="",{term["period"]},{at["end"]}+{fact["end_within"]}))', most[1]
        ),
        Formula(f"MAX(0,{at['start']})", down[0]),
        Formula(f"MIN({term['period']},{at['end']})", down[1]),
        Formula(f"INDEX(Inputs!$K${policy}:$O${policy},MATCH({fact['effect']},effects,0))", cover.counts),
        Formula(f"IF({sure},IF({term['in_full']},share_units,{fact['least_share']}),0)", cover.least_share),
        Formula(
            f"IF({at['counts']},IF({term['in_full']},share_units,{fact['most_share']}),0)", cover.most_share
        ),
        *_piece(case, cover, at, found),
    ]  # fmt: skip


def _piece(case: Case, cover: Cover, at: dict[str, str], found: CalculatingSheets) -> list[Any]:
    """Return how many seconds an interval comes to where it is rounded up alone, and a part of it is valid."""
    if found.outages is None or not case.rounds_pieces_up:
        return [None] if "pieces" in at else []
    here = found.coverage_of_scope[case.scope]
    valid = next(one.most for one in case.covers if one.scope == case.scope)
    begin, end = at["most_from"], at["most_to"]
    valid_from, valid_to = (f"{found.coverage.letters[name]}{here}" for name in ("most_from", "most_to"))
    quantum = f"Inputs!$F${found.outages.inputs[case.policy]}"
    (value,) = pieces_up([cover.most], valid, case.group.policy.commitments[0].counting.quantum)
    return [
        Formula(
            f"IF(AND({at['most_share']}>0,{begin}<{valid_to},{end}>{valid_from}),-INT(-({end}-{begin})/{quantum})*{quantum},0)",
            value if cover.most_share else 0,
        )
    ]


def _excluding(
    model: Model,
    case: Case,
    cover: Cover,
    row: int,
    inputs: Inputs,
    found: CalculatingSheets,
    exclusions: Table,
) -> list[Any]:
    number = cover.exclusion or 0
    at = {name: f"{letter}{row}" for name, letter in found.coverage.letters.items()}
    fact = {name: exclusions.cell(name, number + 2) for name in exclusions.letters}
    period, notice = (
        found.terms.cell("period", case.policy + 1),
        f"Inputs!$F${inputs.rules[case.policy, cover.rule]}",
    )
    limited = cover.rule if any(limit.rule == cover.rule for limit in case.limits) else 0

    def second(name: str) -> str:
        return f"ROUND(({fact[name]}-Inputs!$F${inputs.policies[case.policy - 1]})*seconds_per_day,0)"

    ahead = f"ROUND(({fact['start']}-{fact['announced']})*seconds_per_day,0)"
    uses = int(cover.counts)
    takes = int(cover.counts and cover.cuts)
    return [
        case.number, "exclusion", number + 1, None, model.exclusions[number].exclusion, None, cover.concerned,
        Formula(second("start"), cover.start), Formula(second("end"), cover.end), *[None] * 6,
        Formula(f"MAX(0,{at['start']})", cover.most[0]), Formula(f"MIN({period},{at['end']})", cover.most[1]), None, None,
        Formula(f"IF({notice}>0,AND(ISNUMBER({fact['announced']}),{ahead}>={notice}),TRUE)", cover.counts),
        None, None, *([None] if "pieces" in at else []), cover.rule, limited, cover.cuts,
        Formula(f"IF({at['counts']},1,0)", uses),
        Formula(f"IF({at['about']},{at['uses']},0)", takes),
        Formula(f"IF({at['concerned']},{at['takes']},0)", takes if cover.concerned else 0),
    ]  # fmt: skip
