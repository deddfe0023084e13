"""The sheet Checks: control totals, each calculated from two sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from ledger.domain.documents import signed_minor_units
from ledger.domain.money import minor_units
from ledger.domain.policy import Policy
from projections.credits import Workings, rows, totals
from projections.workbook.book import Block, Book, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula, Styled
from projections.workbook.inputs import NEARLY_NOTHING, NEARLY_SAME
from projections.workbook.lasting import counts_quanta
from projections.workbook.lines import Changes
from projections.workbook.model import Model, Scope, union_of
from projections.workbook.summary import Totals, shown

__all__ = ["ALL_HOLD", "NOT_CALCULATED", "checks"]

# Where the outcome of all checks stands.
ALL_HOLD = "Checks!$D$2"
# What stands there where no formula leads to any figure.
NOT_CALCULATED = "not calculated: every figure is a value"
_FIRST = 4


def checks(
    book: Book, model: Model, priced: Workings, sheets: CalculatingSheets, intervals: Table, exclusions: Table | None,
    credits: list[Table], changes: Changes | None, changed: list[Table], totals_at: Totals, as_of: int,
) -> bool | str:  # fmt: skip
    """Add Checks and return whether all hold: each line has two sides that are calculated apart.

    Where every scope is a value no calculating sheets are checked: then the answer is a sentence instead of TRUE, and still FALSE where a
    total does not hold.
    """
    block = Block(book, "Checks", (60, 22, 22, 10, 70))
    lines = list(
        _all_checks(model, priced, sheets, intervals, exclusions, credits, changes, changed, totals_at, as_of)
    )
    flag = book.style("formula", "flag")
    last = _FIRST + len(lines) - 1
    hold = [_agree(left, right) for _, _, left, right, _ in lines]
    none_fails = f"COUNTIF(D{_FIRST}:D{last},FALSE)=0"
    outcome: bool | str = all(hold)
    if model.scopes and not _live(model):
        none_fails = f'IF({none_fails},"{NOT_CALCULATED}",FALSE)'
        outcome = NOT_CALCULATED if outcome else False
    block.add(Styled(book.style("title"), "Checks"))
    block.add(
        Styled(book.style("heading"), "all checks hold"), None, None,
        Styled(flag, Formula(none_fails, outcome)),
        Styled(book.style("note"), "what the ledger has is a value: after a change of an input its lines may fail"),
    )  # fmt: skip
    block.heading("check", "left", "right", "holds", "left is, and right is", numbers="BCD")
    for (what, looks, left, right, words), holds in zip(lines, hold, strict=True):
        row = len(block.rows) + 1
        formula = book.style("formula", looks)
        given = book.style("given", looks)
        block.add(
            what,
            Styled(formula if type(left) is Formula else given, left),
            Styled(formula if type(right) is Formula else given, right),
            Styled(flag, Formula(f"ABS(B{row}-C{row})<=nearly_nothing+ABS(C{row})*nearly_same", holds)),
            words,
        )
    sheet = book.block(block)
    book.red_where_false(sheet, f"D2:D{last}")
    return outcome


def _live(model: Model) -> list[Scope]:
    """Return the scopes that have formulas."""
    return [scope for scope in model.scopes if scope.case is not None]


def _agree(left: Any, right: Any) -> bool:
    """Tell whether two sides agree, as far as numbers of a sheet can say."""
    one, other = (float(side.value if type(side) is Formula else side) for side in (left, right))
    return abs(one - other) <= float(NEARLY_NOTHING) + abs(other) * float(NEARLY_SAME)


_Check = tuple[str, str, Any, Any, str]


def _all_checks(
    model: Model, priced: Workings, sheets: CalculatingSheets, intervals: Table, exclusions: Table | None, credits: list[Table],
    changes: Changes | None, changed: list[Table], at: Totals, as_of: int,
) -> Iterator[_Check]:  # fmt: skip
    sums = {row["currency"]: row for row in rows(totals(priced.frame))}
    calculation, segments = sheets.calculation, sheets.segments
    count = len(priced.frame)
    yield (
        "lines = subscriptions", "integer",
        Formula("+".join(f"COUNTA({table.whole('subscription')})" for table in credits) if count else "0", count),
        count, "the lines on all sheets of credits; the subscriptions that the ledger priced",
    )  # fmt: skip
    yield (
        "lines = subscriptions of all scopes", "integer",
        Formula(f"SUM({calculation.whole('subscriptions')})", count), count, "by scope; as priced",
    )  # fmt: skip
    for currency, row in at.credits.items():
        looks = f"money{minor_units(currency)}"
        for letter, name in (("D", "fee"), ("E", "credit_at_least"), ("F", "credit_at_most")):
            said = sums[currency][name]
            yield (
                f"lines = total, {name.replace('_', ' ')}, {currency}", looks,
                Formula(f"Summary!${letter}${row}", shown(signed_minor_units(name, said, currency), currency)), Decimal(said),
                "the sum of the lines; the total of the ledger",
            )  # fmt: skip
    yield from _minutes(model, sheets, segments, as_of)
    live = _live(model)
    if live:
        yield from _gross(model, live, calculation)
    yield (
        "scopes whose formulas do not agree with the ledger", "integer",
        Formula(f"COUNTIF({calculation.whole('agrees')},FALSE)", 0), 0, "found on Calculation; none",
    )  # fmt: skip
    yield (
        "intervals that end before they start", "integer",
        Formula(f'COUNTIF({intervals.whole("seconds")},"<0")', 0), 0, "found on Intervals; none",
    )  # fmt: skip
    if exclusions is not None:
        yield (
            "exclusions that end before they start", "integer",
            Formula(f'COUNTIF({exclusions.whole("seconds")},"<0")', 0), 0, "found on Exclusions; none",
        )  # fmt: skip
    yield (
        "tiers with more decimals than there are parts", "integer",
        Formula(f"COUNTIF({sheets.edges.whole('fits')},FALSE)", 0), 0, "found on Edges; none",
    )  # fmt: skip
    yield (
        "integers that are not exact", "integer",
        Formula(f"COUNTIF({calculation.whole('most')},\">=\"&exact_limit)", 0), 0,
        "found on Calculation; none",
    )  # fmt: skip
    if changes is None:
        return
    for currency, row in at.changes.items():
        now = changes.frame[(changes.frame["currency"] == currency) & changes.frame["delta"].notna()][
            "as_now"
        ]
        total = shown(sum(int(value) for value in now.tolist()), currency)
        added, waived = ("delta + waived", f"+Summary!$G${row}") if changes.waives else ("delta", "")
        yield (
            f"{changes.issued} + {added} = {changes.now}, {currency}", f"money{minor_units(currency)}",
            Formula(f"ROUND(Summary!$D${row}+Summary!$F${row}{waived},decimals_{currency})", total),
            Formula(f"Summary!$E${row}", total), "the sums of the lines of Changes",
        )  # fmt: skip
    for currency, recorded in sorted((changes.totals or {}).items()):
        looks = f"money{minor_units(currency)}"
        issued = changes.frame[changes.frame["currency"] == currency]["as_issued"]
        over = "+".join(
            f'SUMIFS({table.whole("as_issued")},{table.whole("currency")},"{currency}")' for table in changed
        )
        yield (
            f"{changes.issued}, all lines = totals of the documents, {currency}", looks,
            Formula(f"ROUND({over},decimals_{currency})", shown(sum(int(one) for one in issued.tolist()), currency)),
            shown(recorded, currency), "the lines of Changes; what the documents recorded say that they add up to",
        )  # fmt: skip
    for currency, (place, added_up) in at.beside.items():
        credit = priced.frame[priced.frame["currency"] == currency]["credit"].dropna()
        yield (
            f"{changes.now} + unclaimed + what is beside = credits, {currency}", f"money{minor_units(currency)}",
            Formula(f"ROUND(SUM(Summary!$B${place}:$F${place}),decimals_{currency})", added_up),
            Formula(f"Summary!$G${place}", shown(sum(int(one) for one in credit.tolist()), currency)),
            "what is due now and what is not; the lines of Credits that are decided",
        )  # fmt: skip
    if at.days is not None:
        row, total = at.days
        yield (
            f"{changes.issued} + delta + waived = {changes.now}, days of service", "decimal",
            Formula(f"Summary!$D${row}+Summary!$F${row}+Summary!$G${row}", total),
            Formula(f"Summary!$E${row}", total), "the sums of the lines of Changes",
        )  # fmt: skip


def _gross(model: Model, live: list[Scope], calculation: Table) -> Iterator[_Check]:
    """Yield that what counts and what does not add up to all that was down. live: the scopes that have formulas."""
    gross = sum(
        scope.group.assessment.downtime_seconds if scope.case is None else scope.downtime
        for scope in model.scopes
    )
    yield (
        "excluded + counted = gross downtime, seconds, all scopes", "integer",
        Formula(f"SUM({calculation.whole('excluded')})+SUM({calculation.whole('counted')})", gross),
        Formula(f"SUM({calculation.whole('downtime')})", gross),
        "what a policy does not count and what it does; all that was down",
    )  # fmt: skip
    full = [scope for scope in live if _in_full(scope.group.policy) and scope.least == scope.most]
    down = sum(scope.downtime for scope in full)
    yield (
        "excluded + eligible = gross downtime where all is counted in full and known, seconds", "integer",
        Formula(_where_full(calculation, ("excluded", "least")), down),
        Formula(_where_full(calculation, ("downtime",)), down),
        "from the segments; all that was down",
    )  # fmt: skip


def _in_full(policy: Policy) -> bool:
    """Tell whether what counts are the seconds themselves: neither shares nor whole quanta of them."""
    return policy.windows == "full" and not counts_quanta(policy)


def _where_full(calculation: Table, names: Sequence[str]) -> str:
    full, known = calculation.whole("in_full"), calculation.whole("decided")
    return f"SUMPRODUCT({full}*{known}*({'+'.join(calculation.whole(name) for name in names)}))"


def _minutes(model: Model, sheets: CalculatingSheets, segments: Table, as_of: int) -> Iterator[_Check]:
    """Yield for each service and region that its segments add up to the union of its intervals."""
    told: set[tuple[str, str, str, str]] = set()
    for case in model.cases:
        key = case.service, case.region, case.group.period.zone, case.circle
        if key in told or not case.segments:
            continue
        told.add(key)
        seconds = sum(one.seconds for one in case.segments if one.down)
        span = segments.span("downtime", "downtime", sheets.segment_rows[case.number])
        yield (
            f"minutes of {case.service} in {case.region} = union ({', '.join(filter(None, key[2:]))})", "decimal",
            Formula(f"SUM({span})/seconds_per_minute", seconds / 60), union_of(case, as_of) / 60,
            "the segments of the period; the union of the intervals, by the ledger",
        )  # fmt: skip
