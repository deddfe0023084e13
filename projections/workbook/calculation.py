"""The sheet Calculation: from the segments to what each scope pays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from projections.availability import Assessment, percent_text
from projections.workbook import outages
from projections.workbook.book import Book, Column, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula, Styled, listed
from projections.workbook.lasting import counts_quanta
from projections.workbook.model import (
    Case,
    Model,
    Scope,
    Units,
    allowances,
    by_lifetime,
    has_gaps,
    length_of,
    may_exceed,
    not_entered,
    pays_in_parts,
)
from projections.workbook.remedies import is_plain, percent_of
from projections.workbook.terms import denominator, rounding

__all__ = ["availability_of", "calculation_lines", "calculation_table", "percents_of"]


def calculation_table(count: int) -> Table:
    """Return the sheet with a row for each scope."""
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


def calculation_lines(book: Book, model: Model, found: CalculatingSheets) -> Iterator[list[Any]]:
    """Give the row of each scope: formulas, or the ledger's figures where no formula calculates it."""
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


def _calculated(
    book: Book, model: Model, scope: Scope, case: Case, row: int, found: CalculatingSheets
) -> list[Any]:
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
        Formula(f"{at['to']}-{at['from']}" if by_lifetime(policy) else denominator(found, scope.policy + 1), seconds),
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
    scope: Scope, case: Case, added: Callable[[str], str], at: dict[str, str], found: CalculatingSheets
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
    rates = scope.group.assessment.parts_of_fee
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
