"""The sheets that calculate, from Intervals to what each scope is paid: Terms, Edges, Coverage, Segments, Calculation.

Each formula stands beside the value it leads to (`projections.workbook.model`). What is calculated once is referred to
afterwards; nothing that may change stands inside a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ledger.domain.policy import Policy
from projections.availability import Assessment, percent_text
from projections.credits import Group
from projections.workbook import limits, outages
from projections.workbook.book import Book, Column, Table
from projections.workbook.cells import Formula, Styled, listed
from projections.workbook.exclusions import notice_of, recorded_rules
from projections.workbook.inputs import Inputs
from projections.workbook.lasting import counts_quanta, pieces_up
from projections.workbook.model import (
    Case,
    Cover,
    Model,
    Scope,
    Segment,
    Units,
    allowances,
    by_lifetime,
    counts_by_share,
    edge_of,
    has_gaps,
    length_of,
    may_exceed,
    not_entered,
    pays_in_parts,
    planned_rules,
)  # fmt: skip
from projections.workbook.remedies import MODES, is_plain, percent_of

__all__ = ["Workings", "availability_of", "percents_of", "workings"]


class Workings(NamedTuple):
    """The calculating sheets, and the rows of each case on Coverage and on Segments, first and last.

    limits: the sheet of limited exclusions, and limit_rows by case and rule; None where no case has any. outages: the sheet of outages and
    what it reads; None where no terms ask for them. days: where days of
    service are calculated, by scope: the cells at least and at most, put in when their sheet is laid out.
    """

    terms: Table
    edges: Table
    coverage: Table
    segments: Table
    calculation: Table
    coverage_rows: dict[int, tuple[int, int]]
    segment_rows: dict[int, tuple[int, int]]
    coverage_of_scope: dict[int, int]
    limits: Table | None
    limit_rows: dict[tuple[int, int], int]
    days: dict[int, tuple[str, ...]]
    outages: outages.Places | None


def workings(
    book: Book, model: Model, inputs: Inputs, intervals: Table, exclusions: Table | None, as_of: int | None
) -> Workings:
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
        _terms_table(model.live, notices=bool(inputs.rules), lengths=model.has_lengths),
        _coverage_table(covered - 2, exclusions=model.excludes, pieces=model.rounds_pieces_up),
        _segments_table(segmented - 2, exclusions=model.excludes),
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
    found = Workings(
        terms,
        _edges_table(len(inputs.tiers), gaps=model.has_gaps),
        coverage,
        segments,
        _calculation_table(len(model.scopes)),
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
    book.table(found.terms, lambda: _terms(model, inputs, found.terms, as_of), freeze=3)
    book.table(found.edges, lambda: _edges(model, inputs, found), freeze=4)
    book.table(found.coverage, lambda: _coverage(model, inputs, found, intervals, exclusions), freeze=5)
    book.table(found.segments, lambda: _segments(model, found), freeze=2)
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
    book.table(found.calculation, lambda: _calculation(book, model, found), freeze=7)
    return found


# ---- Terms and Edges -----------------------------------------------------------------------------------------------


def _terms_table(count: int, *, notices: bool, lengths: bool) -> Table:
    return Table(
        "Terms",
        {
            "no": Column("no", "integer", width=6),
            "policy": Column("policy", width=20),
            "version": Column("version", "integer", width=8),
            "period": Column("period (s)", "integer", "formula", 12),
            "as_of": Column("as of (s of the period)", "integer", "formula", 14),
            "in_full": Column("counts in full", "flag", "formula", 10),
            "by_share": Column("counts by share", "flag", "formula", 10),
            "share_edge": Column("counts above a share of (parts)", "integer", "formula", 14),
            "parts": Column("parts of a second", "integer", "formula", 10),
            "tiers": Column("tiers begin behind row", "integer", "formula", 12),
            "rounding": Column("rounding mode no", "integer", "formula", 10),
            "adds": Column("rounding adds (parts)", "integer", "formula", 12),
            "tie": Column("tie that goes down (parts)", "integer", "formula", 12),
            **({"notice": Column("notice of planned work (s)", "integer", "formula", 12)} if notices else {}),
            **({"length": Column("length of the period (s)", "integer", "formula", 12)} if lengths else {}),
        },
        count,
    )


def _terms(model: Model, inputs: Inputs, table: Table, as_of: int | None) -> Iterator[list[Any]]:
    tier = 0
    for number, (version, policy, group) in enumerate(model.policies[: model.live], 1):
        here, row = inputs.policies[number - 1], number + 1
        letter = table.letters
        by_share = counts_by_share(policy)
        mode = list(MODES).index(policy.rounding) + 1
        adds, tie = rounding(policy, model.units)
        start = f"Inputs!$F${here}"
        yield [
            number, policy.key, version,
            Formula(f"ROUND((Inputs!$G${here}-{start})*seconds_per_day,0)", group.period.seconds),
            Formula(
                f"IF(ISNUMBER(as_of),ROUND((as_of-{start})*seconds_per_day,0),{letter['period']}{row})",
                group.period.seconds if as_of is None else as_of - group.period.start,
            ),
            Formula(f"Inputs!$H${here}=way_full", policy.windows == "full"),
            Formula(f"Inputs!$H${here}={'way_user_minutes' if policy.windows == 'user-minutes' else 'way_by_share'}", by_share),
            Formula(
                f"IF(Inputs!$H${here}=way_above_share,ROUND(Inputs!$I${here}*share_units,0),"
                f"IF(Inputs!$H${here}=way_all,share_units-1,0))",
                edge_of(policy, model.units),
            ),
            Formula(f"IF({letter['by_share']}{row},share_units,1)", model.units.share if by_share else 1),
            Formula(f"MATCH({letter['no']}{row},tier_policy,0)-1", tier),
            Formula(f"MATCH(Inputs!$P${here},rounding_modes,0)", mode),
            Formula(
                f"INDEX(rounding_part,{letter['rounding']}{row})*credit_units+INDEX(rounding_offset,{letter['rounding']}{row})",
                adds,
            ),
            Formula(f"IF(INDEX(rounding_even,{letter['rounding']}{row}),{letter['adds']}{row},-1)", tie),
            *_notice(policy, number, inputs),
            *_length(model, group, f"{letter['no']}{row}", f"{letter['period']}{row}"),
        ]  # fmt: skip
        tier += len(policy.tiers)


def _notice(policy: Policy, number: int, inputs: Inputs) -> list[Any]:
    """Return the least notice with which a window's own plan is taken out of it, where terms of a policy say so."""
    rules = planned_rules(policy)
    cells = [
        inputs.rules[number, at]
        for at, rule in enumerate(policy.exclusions, 1)
        if rule in rules and (number, at) in inputs.rules
    ]
    if not cells:
        return [0] if inputs.rules else []
    said = ",".join(f"Inputs!$F${row}" for row in cells)
    return [Formula(f"MIN({said})", min(notice_of(rule) for rule in rules))]


def _length(model: Model, group: Group, number: str, period: str) -> list[Any]:
    """Return how long a period is, where any terms say that; otherwise it is as long as it is."""
    if not model.has_lengths:
        return []
    said = f"INDEX(period_length,{number})"
    stated = group.policy.period.length_seconds
    return [
        Formula(
            f"IF(ISNUMBER({said}),{said},{period})", group.period.seconds if stated is None else int(stated)
        )
    ]


def _denominator(found: Workings, row: int) -> str:
    """Return the cell of the seconds that availability is a part of."""
    return found.terms.cell("length" if "length" in found.terms.letters else "period", row)


def rounding(policy: Policy, units: Units) -> tuple[int, int]:
    """Return what rounding adds before an amount is cut, and the remainder of a tie that goes down (-1: none does)."""
    part, offset, even = MODES[policy.rounding]
    adds = int(Fraction(part) * units.credit) + offset
    return adds, adds if even else -1


def _edges_table(count: int, *, gaps: bool) -> Table:
    return Table(
        "Edges",
        {
            "policy": Column("policy no", "integer", width=8),
            "name": Column("policy", width=20),
            "version": Column("version", "integer", width=8),
            "tier": Column("tier", "integer", width=6),
            "edge": Column("availability from (parts)", "integer", "formula", 14),
            "not_available": Column("unavailable at most (parts x s)", "integer", "formula", 18),
            "whole": Column("that is whole seconds (s)", "integer", "formula", 14),
            "allowed": Column("eligible downtime at most (parts of a second)", "integer", "formula", 18),
            "pays": Column("pays (parts)", "integer", "formula", 12),
            "fits": Column("its decimals fit the parts", "flag", "formula", 11),
            **(_ENDING if gaps else {}),
        },
        count,
    )


_ENDING = {
    "to": Column("availability to (parts)", "integer", "formula", 14),
    "not_available_to": Column("unavailable at least (parts x s)", "integer", "formula", 18),
    "entered": Column(
        "eligible downtime that does not lead into it (parts of a second)", "integer", "formula", 18
    ),
}


def _ends(
    policy: Policy, place: int, seconds: int, before: int, units: Units, where: tuple[int, int, str, str], table: Table
) -> list[Any]:  # fmt: skip
    """Return where a tier ends, where that is not where the tier before it begins.

    before: the most eligible downtime that does not lead into it. where: the rows on Edges and Inputs, and the cells of the
    period and of the parts of a second.
    """
    row, here, period, of_second = where
    if by_lifetime(policy):
        return [None] * 3
    if place == 1:
        return [None, None, before]
    if not has_gaps(policy):
        return [None, None, Formula(f"{table.letters['allowed']}{row - 1}", before)]
    to, off = (f"{table.letters[name]}{row}" for name in ("to", "not_available_to"))
    upper = int(policy.tiers[place - 1].upper * units.edge)
    whole = f"INT({off}/edge_units)"
    return [
        Formula(f"ROUND(Inputs!$E${here}*edge_units/hundred,0)", upper),
        Formula(f"(edge_units-{to})*{period}", (units.edge - upper) * seconds),
        Formula(
            f"{whole}*{of_second}+INT((({off}-{whole}*edge_units)*{of_second}-IF(Inputs!$F${here},1,0))/edge_units)", before
        ),
    ]  # fmt: skip


def _edges(model: Model, inputs: Inputs, found: Workings) -> Iterator[list[Any]]:
    table, units = found.edges, model.units
    row = 1
    for number, (version, policy, group) in enumerate(model.policies[: model.live], 1):
        seconds = length_of(group)
        parts = units.share if counts_by_share(policy) else 1
        period, of_second = _denominator(found, number + 1), found.terms.cell("parts", number + 1)
        allowed, before = (of(policy, seconds, parts, units) for of in (allowances, not_entered))
        for place, tier in enumerate(policy.tiers, 1):
            here, row = inputs.tiers[row - 1], row + 1
            edge, beyond, whole, pays = (
                f"{table.letters[name]}{row}" for name in ("edge", "not_available", "whole", "pays")
            )
            off = int((1 - tier.lower) * units.edge) * seconds
            ends = (
                _ends(policy, place, seconds, before[place - 1], units, (row, inputs.gaps[row - 2], period, of_second), table)
                if inputs.gaps
                else []
            )  # fmt: skip
            fit = [("E", here, edge, "edge"), ("G", here, pays, "credit")]
            if place > 1 and ends and has_gaps(policy):
                fit.append(("E", inputs.gaps[row - 2], f"{table.letters['to']}{row}", "edge"))
            yield [
                number, policy.key, version, place,
                Formula(f"ROUND(Inputs!$E${here}*edge_units/hundred,0)", int(tier.lower * units.edge)),
                # Where the period is another for each scope, so is what a tier allows: Calculation asks the edges themselves.
                *([None] * 3 if by_lifetime(policy) else (
                Formula(f"(edge_units-{edge})*{period}", off),
                Formula(f"INT({beyond}/edge_units)", off // units.edge),
                # What is not a whole second is cut to parts; a bound that is not the tier's own allows one part less.
                Formula(
                    f"{whole}*{of_second}+INT((({beyond}-{whole}*edge_units)*{of_second}-IF(Inputs!$F${here},0,1))/edge_units)",
                    allowed[place - 1],
                ),
                )),
                Formula(
                    f"ROUND(Inputs!$G${here}*credit_units/hundred,0)",
                    int(percent_of(tier) * units.credit / 100),
                ),
                Formula(
                    f"AND({','.join(f'ABS(Inputs!${column}${at}*{unit}_units/hundred-{cell})<nearly_nothing' for column, at, cell, unit in fit)})",
                    True,
                ),
                *ends,
            ]  # fmt: skip


# ---- Coverage and Segments -----------------------------------------------------------------------------------------


def _coverage_table(count: int, *, exclusions: bool, pieces: bool) -> Table:
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
                {"pieces": Column("valid, in whole quanta, at most (s)", "integer", "formula", 12)}
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


def _coverage(
    model: Model, inputs: Inputs, found: Workings, intervals: Table, exclusions: Table | None
) -> Iterator[list[Any]]:
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
    model: Model, case: Case, cover: Cover, row: int, policy: int, found: Workings, intervals: Table
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


def _piece(case: Case, cover: Cover, at: dict[str, str], found: Workings) -> list[Any]:
    """Return how many seconds an interval comes to where it is rounded up alone, as far as it is valid."""
    if found.outages is None or not case.rounds_pieces_up:
        return [None] if "pieces" in at else []
    here = found.coverage_of_scope[case.scope]
    valid = next(one.most for one in case.covers if one.scope == case.scope)
    begin = f"MAX({at['most_from']},{found.coverage.letters['most_from']}{here})"
    end = f"MIN({at['most_to']},{found.coverage.letters['most_to']}{here})"
    quantum = f"Inputs!$F${found.outages.inputs[case.policy]}"
    (value,) = pieces_up([cover.most], valid, case.group.policy.commitments[0].counting.quantum)
    return [
        Formula(
            f"IF({at['most_share']}>0,-INT(-MAX(0,{end}-{begin})/{quantum})*{quantum},0)",
            value if cover.most_share else 0,
        )
    ]


def _excluding(
    model: Model, case: Case, cover: Cover, row: int, inputs: Inputs, found: Workings, exclusions: Table
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


def _segments_table(count: int, *, exclusions: bool) -> Table:
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
    found: Workings,
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


def _segments(model: Model, found: Workings) -> Iterator[list[Any]]:
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


# ---- Calculation ---------------------------------------------------------------------------------------------------


def _calculation_table(count: int) -> Table:
    return Table(
        "Calculation",
        {
            "scope": Column("scope", "integer", width=7),
            "case": Column("case", "integer", width=6),
            "policy_no": Column("policy no", "integer", width=8),
            "policy": Column("policy", width=18),
            "version": Column("version", "integer", width=8),
            "service": Column("service", width=16),
            "region": Column("region", width=10),
            "from": Column("valid from (s)", "integer", "formula", 11),
            "to": Column("valid to (s)", "integer", "formula", 11),
            "period": Column("period (s)", "integer", "formula", 11),
            "downtime": Column("downtime (s)", "integer", "formula", 11),
            "excluded": Column("excluded (s)", "integer", "formula", 11),
            "counted": Column("counted (s)", "integer", "formula", 11),
            "least": Column("eligible at least (parts of a second)", "integer", "formula", 14),
            "most": Column("eligible at most (parts of a second)", "integer", "formula", 14),
            "parts": Column("parts of a second", "integer", "formula", 10),
            "eligible_least": Column("eligible downtime at least (s)", "decimal", "formula", 13),
            "eligible_most": Column("eligible downtime at most (s)", "decimal", "formula", 13),
            "available_least": Column("availability at least (%)", "percent", "formula", 14),
            "available_most": Column("availability at most (%)", "percent", "formula", 14),
            "tiers": Column("tiers begin behind row", "integer", "formula", 10),
            "best": Column("best tier", "integer", "formula", 8),
            "worst": Column("worst tier", "integer", "formula", 8),
            "pays_least": Column("pays at least (parts)", "integer", "formula", 10),
            "pays_most": Column("pays at most (parts)", "integer", "formula", 10),
            "percent_least": Column("pays at least (% of fee)", "decimal", "formula", 10),
            "percent_most": Column("pays at most (% of fee)", "decimal", "formula", 10),
            "adds": Column("rounding adds (parts)", "integer", "formula", 11),
            "tie": Column("tie that goes down (parts)", "integer", "formula", 11),
            "more": Column("more that leave the tier (s)", "integer", "formula", 12),
            "to_next": Column("to the next tier (s)", "integer", "formula", 12),
            "less": Column("less that reach a better tier (s)", "integer", "formula", 12),
            "past_edge": Column("past the tier's edge (s)", "integer", "formula", 12),
            "ledger_least": Column("ledger: eligible at least (parts of a second)", "integer", width=14),
            "ledger_most": Column("ledger: eligible at most (parts of a second)", "integer", width=14),
            "ledger_percent_least": Column("ledger: pays at least (% of fee)", "decimal", width=12),
            "ledger_percent_most": Column("ledger: pays at most (% of fee)", "decimal", width=12),
            "in_full": Column("counts in full", "integer", "formula", 8),
            "decided": Column("decided", "integer", "formula", 8),
            "agrees": Column("agrees with the ledger", "flag", "formula", 10),
            "how": Column("figures are", width=12),
            "subscriptions": Column("subscriptions", "integer", width=12),
            "provisional": Column("provisional", "flag", width=11),
            "approximate": Column("approximate", "flag", width=11),
            "value_least": Column("measured at least", "decimal", width=11),
            "value_most": Column("measured at most", "decimal", width=11),
            "days_least": Column("days of service at least", "decimal", width=10),
            "days_most": Column("days of service at most", "decimal", width=10),
            "termination": Column("may be ended", "flag", width=9),
            "rule": Column("rule", width=70),
            "sha256": Column("policy sha256", width=20),
            "zone": Column("zone", width=14),
            "entries": Column("entries", width=60),
        },
        count,
    )


def available(seconds: int, parts: int, eligible: int) -> float:
    """Return the percentage of a period that is left, for display; worked out as the formula does."""
    return (seconds * parts - eligible) / (seconds * parts) * 100


def _calculation(book: Book, model: Model, found: Workings) -> Iterator[list[Any]]:
    for scope in model.scopes:
        row = scope.number + 1
        calculated = (
            _priced_as_values(book, scope, model.units)
            if scope.case is None
            else _calculated(book, model, scope, scope.case, row, found)
        )
        assessment, group = scope.group.assessment, scope.group
        yield [
            scope.number, None if scope.case is None else scope.case.number, scope.policy, group.policy.key, group.version,
            group.service, group.region, *calculated, scope.problem or "formulas", scope.subscriptions,
            group.provisional, assessment.approximate, *_beside_money(book, assessment, found.days.get(scope.number, ())), assessment.rule, group.policy.sha256, group.policy.zone,
            listed(assessment.entries),
        ]  # fmt: skip


def _calculated(book: Book, model: Model, scope: Scope, case: Case, row: int, found: Workings) -> list[Any]:
    at = {name: f"{letter}{row}" for name, letter in found.calculation.letters.items()}
    term = {name: found.terms.cell(name, scope.policy + 1) for name in found.terms.letters}
    rows = found.segment_rows[case.number]
    validity = found.coverage_of_scope[scope.number]
    policy, units, parts = scope.group.policy, model.units, scope.parts_of_a_second
    seconds = length_of(scope.group)
    grey = book.style("value", "decimal")
    segment = {name: found.segments.span(name, name, rows) for name in found.segments.letters}
    before = sum(len(one.tiers) for _, one, _ in model.policies[: scope.policy - 1])

    def added(name: str) -> str:
        return f'SUMIFS({segment[name]},{segment["from"]},">="&{at["from"]},{segment["to"]},"<="&{at["to"]})'

    def paid(kind: str) -> str:
        first, last = (f"INDEX(tier_pays,{at['tiers']}+{at[name]})" for name in ("best", "worst"))
        return f"{kind}({first}:{last})"

    def tier_of(side: str) -> str:
        if by_lifetime(policy):
            # What a tier allows differs from scope to scope; this compares the same integers, not divided.
            allows = f"(edge_units-tier_edge)*{at['period']}<{at[side]}*edge_units+1-tier_belongs"
            left = f"1+SUMPRODUCT((tier_policy={at['policy_no']})*({allows}))"
            return f"MIN(COUNTIF(tier_policy,{at['policy_no']}),{left})"
        left = f"1+SUMPRODUCT((tier_policy={at['policy_no']})*(tier_allowed<{at[side]}))"
        if gaps and side == "least":
            return f"SUMPRODUCT((tier_policy={at['policy_no']})*(tier_entered<{at[side]}))"
        # More downtime than the length of the period is still in the last tier.
        return f"MIN(COUNTIF(tier_policy,{at['policy_no']}),{left})" if may_exceed(policy) else left

    gaps = has_gaps(policy)
    lowest, highest = (value or 0 for value in pays_in_parts(scope, units))
    allowed = allowances(policy, seconds, parts, units)
    before_it = (
        not_entered(policy, seconds, parts, units)[scope.best - 1] if gaps else allowed[scope.best - 2]
    )
    entered = (
        f"INDEX(tier_entered,{at['tiers']}+{at['best']})"
        if gaps
        else f"INDEX(tier_allowed,{at['tiers']}+{at['best']}-1)"
    )
    allows = f"INDEX(tier_allowed,{at['tiers']}+{at['best']})"
    if by_lifetime(policy):
        allows, entered = (
            f"INT(((edge_units-INDEX(tier_edge,{one}))*{at['period']}-IF(INDEX(tier_belongs,{one}),0,1))/edge_units)"
            for one in (f"{at['tiers']}+{at['best']}", f"{at['tiers']}+{at['best']}-1")
        )
    decided = scope.least == scope.most
    alone = decided and (not gaps or scope.best == scope.worst)
    more = (allowed[scope.best - 1] - scope.least) // parts + 1
    less = seconds + 1 if scope.best == 1 else -((before_it - scope.least) // parts)
    ledger = scope.group.assessment
    same = f"{at['least']}={at['most']}"
    # Where two tiers are possible there is no edge.
    one = f"{same},{at['best']}={at['worst']}" if gaps else same
    return [
        Formula(found.coverage.cell("most_from", validity), scope.start),
        Formula(found.coverage.cell("most_to", validity), scope.end),
        Formula(f"{at['to']}-{at['from']}" if by_lifetime(policy) else _denominator(found, scope.policy + 1), seconds),
        Formula(added("downtime"), scope.downtime),
        *_counted(scope, case, added, at, found),
        Formula(term["parts"], parts),
        Formula(f"{at['least']}/{at['parts']}", scope.least / parts),
        Formula(f"{at['most']}/{at['parts']}", scope.most / parts),
        Formula(
            f"({at['period']}*{at['parts']}-{at['most']})/({at['period']}*{at['parts']})*hundred", available(seconds, parts, scope.most)
        ),
        Formula(
            f"({at['period']}*{at['parts']}-{at['least']})/({at['period']}*{at['parts']})*hundred", available(seconds, parts, scope.least)
        ),
        Formula(term["tiers"], before),
        Formula(tier_of("least"), scope.best), Formula(tier_of("most"), scope.worst),
        Formula(paid("MIN"), lowest),
        Formula(paid("MAX"), highest),
        *_percents(scope, (at["pays_least"], at["pays_most"]), (lowest, highest), units, grey),
        Formula(term["adds"], rounding(policy, units)[0]),
        Formula(term["tie"], rounding(policy, units)[1]),
        Formula(f"INT(({allows}-{at['least']})/{at['parts']})+1", more),
        Formula(
            f'IF(AND({one},{at["least"]}+{at["more"]}*{at["parts"]}<={at["period"]}*{at["parts"]}),{at["more"]},"")',
            more if alone and scope.least + more * parts <= seconds * parts else "",
        ),
        Formula(
            f"IF({at['best']}=1,{at['period']}+1,"
            f"-INT(({entered}-{at['least']})/{at['parts']}))",
            less,
        ),
        Formula(
            f'IF(AND({one},{at["less"]}*{at["parts"]}<={at["least"]}),{at["less"]},"")',
            less if alone and less * parts <= scope.least else "",
        ),
        int(ledger.eligible_at_least * parts), int(ledger.eligible_at_most * parts),
        *percents_of(scope),
        0 if counts_quanta(policy) else Formula(f"IF({term['in_full']},1,0)", int(policy.windows == "full")),
        Formula(f"IF({same},1,0)", int(decided)),
        Formula(
            f"AND({at['least']}={at['ledger_least']},{at['most']}={at['ledger_most']},"
            f"ABS({at['percent_least']}-{at['ledger_percent_least']})<nearly_nothing,"
            f"ABS({at['percent_most']}-{at['ledger_percent_most']})<nearly_nothing)",
            True,
        ),
    ]  # fmt: skip


def _percents(
    scope: Scope, cells: tuple[str, str], pays: tuple[int, int], units: Units, grey: Any
) -> list[Any]:
    """Return the percentages of the fee: what the tier pays, or where it is paid by blocks or beside sums, what the ledger found."""
    if not is_plain(scope.group.policy):
        return [Styled(grey, one) for one in percents_of(scope)]
    return [
        Formula(f"{cell}*hundred/credit_units", paid * 100 / units.credit)
        for cell, paid in zip(cells, pays, strict=True)
    ]


def _counted(
    scope: Scope, case: Case, added: Callable[[str], str], at: dict[str, str], found: Workings
) -> list[Any]:
    """Return what is excluded, what counts, and eligible downtime at least and at most."""
    counts = scope.excluded, scope.counted, scope.least, scope.most
    if found.outages is None or not case.scope:
        names = "excluded", "counted", "least", "most"
        return [Formula(added(name), value) for name, value in zip(names, counts, strict=True)]
    span = found.outages.outages.span("counted", "counted", found.outages.outage_rows[case.number])
    formulas = (
        f"{at['downtime']}-{at['counted']}",
        f"SUM({span})",
        *(outages.eligible(case, side, found.outages) for side in ("least", "most")),
    )
    return [Formula(text, value) for text, value in zip(formulas, counts, strict=True)]


def _priced_as_values(book: Book, scope: Scope, units: Units) -> list[Any]:
    """Return what the ledger found for a scope that no formula calculates, each cell marked as a value."""
    ledger, period = scope.group.assessment, scope.group.period
    start, end = (min(max(at - period.start, 0), period.seconds) for at in scope.group.valid)
    least, most = (_plain(value) for value in (ledger.eligible_at_least, ledger.eligible_at_most))
    percents = percents_of(scope)
    shown: list[tuple[str, Any]] = [
        *(
            ("integer", value)
            for value in (
                start, end, period.seconds, ledger.downtime_seconds, ledger.excluded_seconds,
                ledger.downtime_seconds - ledger.excluded_seconds,
            )
        ),
        ("decimal", least), ("decimal", most), ("integer", 1), ("decimal", least), ("decimal", most),
        *(("percent", value) for value in availability_of(scope)),
        *[("integer", None)] * 3,
        *(("integer", value) for value in pays_in_parts(scope, units)),
        *(("decimal", value) for value in percents),
        *[("integer", None)] * 3,
        ("integer", ledger.seconds_to_next_tier), ("integer", None), ("integer", ledger.seconds_past_tier_edge),
    ]  # fmt: skip
    return [
        *(Styled(book.style("value", looks), value) for looks, value in shown),
        least,
        most,
        *percents,
        0,
        0,
        True,
    ]


def _beside_money(book: Book, assessment: Assessment, days: Sequence[str]) -> list[Any]:
    """Return what was measured, the days of service, and whether the contract may be ended; None where it is no matter.

    days: the cells that calculate the days of service; none: they are values.
    """
    pairs = (assessment.value or (None, None), assessment.service_days or (None, None))
    value, given = ([None if one is None else _plain(one) for one in pair] for pair in pairs)
    grey = book.style("value", "decimal")
    return [
        *value,
        *(
            [Formula(cell, one) for cell, one in zip(days, given, strict=True)]
            if days
            else [one if one is None else Styled(grey, one) for one in given]
        ),
        assessment.termination,
    ]


def percents_of(scope: Scope) -> tuple[float | None, float | None]:
    """Return the percentages of the fee that are paid, at least and at most; None where it is no percentage."""
    if scope.case is not None and is_plain(scope.group.policy):
        found = [percent_of(tier) for tier in scope.group.assessment.tiers]
        return float(min(found)), float(max(found))
    rates = scope.group.assessment.rates
    return (None, None) if rates is None else (float(rates[0] * 100), float(rates[1] * 100))


def availability_of(scope: Scope) -> tuple[float | None, float | None]:
    """Return availability at least and at most, in percent, for display; None of a measure that makes none."""
    ledger, seconds, parts = scope.group.assessment, length_of(scope.group), scope.parts_of_a_second
    if scope.case is not None:
        return available(seconds, parts, scope.most), available(seconds, parts, scope.least)
    if scope.group.policy.commitments[0].measure.makes != "availability":
        return None, None
    return float(percent_text(ledger.availability_at_least)), float(percent_text(ledger.availability_at_most))


def _plain(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
