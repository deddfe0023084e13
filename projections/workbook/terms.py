"""The sheets Terms and Edges: what each policy says as numbers, and what each of its tiers allows.

Each formula stands beside the value it leads to (`projections.workbook.model`).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ledger.domain.policy import Policy
from projections.credits import Group
from projections.workbook.book import Column, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula
from projections.workbook.exclusions import notice_of
from projections.workbook.inputs import Inputs
from projections.workbook.model import (
    Model,
    Units,
    allowances,
    by_lifetime,
    counts_by_share,
    edge_of,
    has_gaps,
    length_of,
    not_entered,
    planned_rules,
)
from projections.workbook.remedies import MODES, percent_of

__all__ = ["denominator", "edges_lines", "edges_table", "rounding", "terms_lines", "terms_table"]


def terms_table(count: int, *, notices: bool, lengths: bool) -> Table:
    """Return the sheet of terms, a row for each policy with formulas."""
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


def terms_lines(model: Model, inputs: Inputs, table: Table, as_of: int | None) -> Iterator[list[Any]]:
    """Give the row of each policy. as_of: UTC seconds, None where no interval is open."""
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


def denominator(found: CalculatingSheets, row: int) -> str:
    """Return the cell of the seconds that availability is a part of."""
    return found.terms.cell("length" if "length" in found.terms.letters else "period", row)


def rounding(policy: Policy, units: Units) -> tuple[int, int]:
    """Return what rounding adds before an amount is cut, and the remainder of a tie that goes down (-1: none does)."""
    part, offset, even = MODES[policy.rounding]
    adds = int(Fraction(part) * units.credit) + offset
    return adds, adds if even else -1


def edges_table(count: int, *, gaps: bool) -> Table:
    """Return the sheet of edges, a row for each tier. gaps: some tiers end before the next begins."""
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


def edges_lines(model: Model, inputs: Inputs, found: CalculatingSheets) -> Iterator[list[Any]]:
    """Give the row of each tier, in the order of Inputs."""
    table, units = found.edges, model.units
    row = 1
    for number, (version, policy, group) in enumerate(model.policies[: model.live], 1):
        seconds = length_of(group)
        parts = units.share if counts_by_share(policy) else 1
        period, of_second = denominator(found, number + 1), found.terms.cell("parts", number + 1)
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
