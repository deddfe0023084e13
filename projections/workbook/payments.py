"""The sheets Remedies and Amounts: what is paid where it is more than a percentage of the fee.

Remedies has a row for each scope and currency, with the lines that an amount is the least or the greatest of; Amounts applies
them to each fee. Both are there only where terms ask for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from projections.credits import Workings as Priced
from projections.workbook import book as books
from projections.workbook.book import Book, Column, Table, parts
from projections.workbook.cells import Formula, Styled
from projections.workbook.model import EXACT_DIVIDED, Model, Scope, length_of, may_exceed, pays_in_parts
from projections.workbook.remedies import Line, Payment, Side, is_plain, payment
from projections.workbook.workings import Workings

__all__ = ["Payments", "payments"]

_SIDES = ("least", "most")
_AT_ONCE = 8_192


class Payments(NamedTuple):
    """What scopes pay by place and currency, the sheets with a line for each fee, and of each line of credit its place on them.

    places: -1 where a line is none of them.
    """

    of: Mapping[tuple[int, str], Payment]
    tables: Sequence[Table]
    places: Sequence[int]

    def cell(self, name: str, place: int) -> str:
        """Return the address of a cell of a line."""
        return self.tables[place // books.MOST_ROWS].cell(name, place % books.MOST_ROWS + 2)

    def fits(self, found: Payment, fee: int, before: int, least: int, most: int) -> bool:
        """Tell whether a spreadsheet calculates what is paid for a fee exactly, and that is what the ledger pays.

        before: what was credited before and counts.
        """
        return found.highest(fee, before) <= EXACT_DIVIDED and found.amounts(fee, before).paid == (
            least,
            most,
        )


def payments(
    book: Book,
    model: Model,
    priced: Priced,
    workings: Workings,
    credits: Sequence[Table],
    known: Collection[str],
) -> Payments:
    """Add both sheets where any scope with formulas needs them.

    credits: the sheets that the fees stand on. known: the currencies of which sums stand on Inputs.
    """
    places = np.asarray(model.places, dtype=np.int64)
    needed = np.asarray(
        [scope.case is not None and not is_plain(scope.group.policy) for scope in model.scopes],
        dtype=np.bool_,
    )
    if not needed.any():
        return Payments({}, (), ())
    place = places[priced.codes]
    mine = needed[place]
    numbers = np.where(mine, np.cumsum(mine) - 1, -1)
    currencies = priced.frame["currency"].astype(object).to_numpy()
    pairs = sorted({(int(at), str(code)) for at, code in zip(place[mine], currencies[mine], strict=True)})
    found = {(at, code): _payment(model, model.scopes[at], code) for at, code in pairs}
    remedies = _remedies_table(len(pairs), factors=model.rounds_factors)
    for row, ((at, _), one) in enumerate(found.items(), 2):
        scope = model.scopes[at]
        if scope.group.assessment.service_days == tuple(
            Fraction(side.days, model.units.days) for side in one.sides
        ):
            workings.days.setdefault(
                scope.number, tuple(remedies.cell(f"service_{side}", row) for side in _SIDES)
            )
    book.table(remedies, lambda: _remedies(model, found, remedies, workings, known), freeze=2)
    rows = {pair: number for number, pair in enumerate(pairs, 2)}
    count = int(mine.sum())
    ranges = parts(count, books.MOST_ROWS)
    tables = [
        _amounts_table(
            "Amounts" if len(ranges) == 1 else f"Amounts {number}",
            stop - start,
            rolling=any(one.rolling is not None for one in found.values()),
        )
        for number, (start, stop) in enumerate(ranges, 1)
    ]
    lines = np.flatnonzero(mine)
    made = Payments(found, tables, numbers.tolist())
    for table, (start, stop) in zip(tables, ranges, strict=True):
        book.table(
            table,
            _Lines(
                priced, model, made, rows, remedies, table, lines[start:stop], credits, book.style("given")
            ),
            freeze=2,
        )
    return made


def _payment(model: Model, scope: Scope, currency: str) -> Payment:
    policy, units = scope.group.policy, model.units
    low, high = pays_in_parts(scope, units)
    before = sum(len(one.tiers) for _, one, _ in model.policies[: scope.policy - 1])
    return payment(
        policy, policy.tiers[scope.best - 1 : scope.worst], before + scope.best, (low or 0, high or 0), (scope.least, scope.most),
        length_of(scope.group), scope.parts_of_a_second, currency, units.credit, units.multiple,
        units.days,
    )  # fmt: skip


# ---- Remedies ------------------------------------------------------------------------------------------------------


def _remedies_table(count: int, *, factors: bool) -> Table:
    def formula(heading: str, width: int = 13) -> Column:
        return Column(heading, "integer", "formula", width)

    columns = {
        "scope": Column("scope", "integer", width=7),
        "currency": Column("currency", width=9),
        "policy_no": Column("policy no", "integer", width=8),
        "tier": formula("tier, of all tiers", 9),
        "calculated": Column("one tier, or percentages alone", "flag", "formula", 12),
        "sums": Column("amounts are added", "flag", "formula", 10),
        "lesser": Column("the least is paid", "flag", "formula", 10),
        "part": Column("rounding adds of the divisor", "decimal", "formula", 10),
        "offset": formula("and", 7),
        "even": Column("ties go to even", "flag", "formula", 8),
        "base_of": formula("base is so many", 9),
        "base_in": formula("of so many parts", 9),
        "block": formula("block (s)", 10),
        "begun": Column("a begun one counts", "flag", "formula", 9),
        "times": formula("times the fee (parts)", 10),
        "sum": formula("a sum (minor units)", 12),
        "hour": formula("for each hour (minor units)", 12),
        "hour_of": formula("parts of an hour", 12),
        "cap_a": formula("at most: times the fee"),
        "cap_b": formula("at most: and"),
        "cap_w": formula("at most: divided by"),
        "cap_t": formula("at most: tie that goes down"),
        "roll_a": formula("with what was before at most: times the fee"),
        "roll_b": formula("with what was before at most: and"),
        "roll_w": formula("with what was before at most: divided by"),
        "roll_t": formula("with what was before at most: tie that goes down"),
        "limit": formula("at most (minor units)", 12),
        "above": formula("only above (minor units)", 12),
        "days": formula("days of service (parts)", 10),
        "days_limit": formula("at most (parts of a day)", 10),
    }
    if factors:
        columns |= {
            "scale": formula("a factor is rounded to so many parts", 11),
            "scale_part": Column("of a factor: rounding adds of the divisor", "decimal", "formula", 10),
            "scale_offset": formula("of a factor: and", 9),
            "scale_even": Column("of a factor: ties go to even", "flag", "formula", 9),
        }
    for side, words in zip(_SIDES, ("at least", "at most"), strict=True):
        columns |= {
            f"down_{side}": formula(f"{words}: eligible (parts of a second)"),
            f"units_{side}": formula(f"{words}: paid so often", 10),
            f"percent_{side}": formula(f"{words}: pays (parts of the fee)", 10),
            f"common_{side}": formula(f"{words}: common divisor of downtime and period", 12),
            f"multiple_{side}": formula(f"{words}: multiple for the time down (parts)"),
            f"of_{side}": formula(f"{words}: of so many parts"),
            f"fixed_{side}": formula(f"{words}: sums (minor units)"),
            f"hourly_{side}": formula(f"{words}: by the hour (minor units x parts of a second)"),
            f"hours_{side}": formula(f"{words}: by the hour (minor units)"),
            f"d_{side}": formula(f"{words}: first line, divisor"),
            f"n_{side}": formula(f"{words}: first line, times the base"),
            f"c_{side}": formula(f"{words}: first line, and"),
            f"first_a_{side}": formula(f"{words}: first line, times the fee, doubled"),
            f"first_b_{side}": formula(f"{words}: first line, and with what rounding adds"),
            f"first_w_{side}": formula(f"{words}: first line, divided by"),
            f"first_t_{side}": formula(f"{words}: first line, tie that goes down"),
            f"second_a_{side}": formula(f"{words}: second line, times the fee, doubled"),
            f"second_b_{side}": formula(f"{words}: second line, and with what rounding adds"),
            f"second_w_{side}": formula(f"{words}: second line, divided by"),
            f"second_t_{side}": formula(f"{words}: second line, tie that goes down"),
            **(
                {
                    f"fn_{side}": formula(f"{words}: first line, factor"),
                    f"fd_{side}": formula(f"{words}: first line, factor in so many parts"),
                    f"gn_{side}": formula(f"{words}: second line, factor"),
                    f"gd_{side}": formula(f"{words}: second line, factor in so many parts"),
                }
                if factors
                else {}
            ),
            f"constant_{side}": formula(f"{words}: without the fee (minor units)"),
            f"service_{side}": Column(f"{words}: days of service", "decimal", "formula", 10),
        }
    return Table("Remedies", columns, count)


def _remedies(
    model: Model,
    found: Mapping[tuple[int, str], Payment],
    table: Table,
    workings: Workings,
    known: Collection[str],
) -> Iterator[list[Any]]:
    for row, ((place, currency), one) in enumerate(found.items(), 2):
        made = _Remedy(model.scopes[place], currency, one, row, table, workings, known, model.units.days)
        line = {**made.common(), **made.side(0), **made.side(1)}
        yield [line[name] for name in table.columns]


def _or_empty(value: int | None) -> Any:
    return "" if value is None else value


class _Remedy:
    """One row of Remedies: formulas beside their values."""

    def __init__(
        self, scope: Scope, currency: str, paid: Payment, row: int, table: Table, workings: Workings, known: Collection[str],
        day: int,
    ) -> None:  # fmt: skip
        self.day = day
        self.scope, self.currency, self.paid, self.known = scope, currency, paid, known
        self.at = {name: f"{letter}{row}" for name, letter in table.letters.items()}
        letters = workings.calculation.letters
        self.scopes = {name: workings.calculation.cell(name, scope.number + 1) for name in letters}
        self.mode = workings.terms.cell("rounding", scope.policy + 1)

    def _of_tier(self, name: str, then: str) -> str:
        """Return what a tier has under a name, empty where it has none or several tiers are left."""
        cell = f"INDEX({name},{self.at['tier']})"
        return f'IF(AND({self.scopes["best"]}={self.scopes["worst"]},ISNUMBER({cell})),ROUND({cell}*{then},0),"")'

    def _of_policy(self, name: str, then: str) -> str:
        cell = f"INDEX({name},{self.at['policy_no']})"
        return f'IF(ISNUMBER({cell}),ROUND({cell}*{then},0),"")'

    def _sums(self, name: str, value: int | None, *, of_tier: bool) -> Any:
        """Return a sum of money; where the terms name none in this currency there is nothing to read."""
        if self.currency not in self.known:
            return None
        cells, units = f"{name}_{self.currency}", f"minor_units_{self.currency}"
        return Formula(
            self._of_tier(cells, units) if of_tier else self._of_policy(cells, units), _or_empty(value)
        )

    def common(self) -> dict[str, Any]:
        """Return what both sides share."""
        at, paid, scope, terms = self.at, self.paid, self.scope, self.paid.terms
        tiers, best, worst, spread = (self.scopes[name] for name in ("tiers", "best", "worst", "parts"))
        return {
            "scope": scope.number, "currency": self.currency, "policy_no": scope.policy,
            "tier": Formula(f"{tiers}+{best}", paid.place),
            "calculated": Formula(self._calculated(), True),
            "sums": Formula(f"INDEX(tier_take,{at['tier']})=take_sum", paid.sums),
            "lesser": Formula(f"NOT(INDEX(tier_take,{at['tier']})=take_greater)", paid.lesser),
            "part": Formula(f"INDEX(rounding_part,{self.mode})", _plain(terms.part)),
            "offset": Formula(f"INDEX(rounding_offset,{self.mode})", terms.offset),
            "even": Formula(f"INDEX(rounding_even,{self.mode})", terms.even),
            "base_of": Formula(f"INDEX(base_of,{at['policy_no']})", terms.base_of),
            "base_in": Formula(f"INDEX(base_in,{at['policy_no']})", terms.base_in),
            "block": Formula(f"IF({best}={worst},SUM(INDEX(tier_block,{at['tier']})),0)", paid.block),
            "begun": Formula(f"INDEX(tier_begun,{at['tier']})", paid.begun),
            "times": Formula(self._of_tier("tier_multiple", "multiple_units"), _or_empty(paid.times)),
            "sum": self._sums("tier_sum", paid.fixed, of_tier=True),
            "hour": self._sums("tier_hour", paid.hourly, of_tier=True),
            "hour_of": Formula(f"seconds_per_hour*{spread}", paid.hourly_of),
            **self._capped("cap", "limit_percent", paid.cap),
            **self._capped("roll", "limit_rolling", paid.rolling),
            "limit": self._sums("limit", paid.limit, of_tier=False),
            "above": self._sums("above", paid.above, of_tier=False),
            "days": Formula(self._of_tier("tier_days", "days_units"), _or_empty(paid.days)),
            "days_limit": Formula(self._of_policy("limit_days", "days_units"), _or_empty(paid.days_limit)),
            **(self._scale() if "scale" in at else {}),
        }  # fmt: skip

    def _scale(self) -> dict[str, Any]:
        """Return how a factor is rounded; where the terms do not round it, as amounts are, and it is not asked."""
        scale, rounds, number = self.paid.scale, self.paid.rounds, self.at["policy_no"]
        decimals, chosen = (f"INDEX({name},{number})" for name in ("factor_decimals", "factor_rounding"))
        mode = f"IF(ISNUMBER({decimals}),MATCH({chosen},rounding_modes,0),{self.mode})"
        return {
            "scale": Formula(
                f'IF(ISNUMBER({decimals}),ROUND(decimal_base^{decimals},0),"")', _or_empty(scale)
            ),
            "scale_part": Formula(f"INDEX(rounding_part,{mode})", _plain(rounds.part)),
            "scale_offset": Formula(f"INDEX(rounding_offset,{mode})", rounds.offset),
            "scale_even": Formula(f"INDEX(rounding_even,{mode})", rounds.even),
        }

    def _factored(self, one: Side, at: Mapping[str, str]) -> dict[str, Any]:
        """Return both quotients with their factors rounded, where the terms round them."""
        if "scale" not in at:
            return {}
        scale = at["scale"]

        def rounded(number: str, of: str) -> str:
            twice, exact = f"({of}+{of})", f"({number}+{number})*{scale}"
            return (
                f"INT(({exact}+{at['scale_part']}*{twice}+{at['scale_offset']})/{twice})"
                f"-IF({at['scale_even']},IF(MOD({exact}+{of},{twice}+{twice})={twice},1,0),0)"
            )

        first = f"AND(ISNUMBER({scale}),ISNUMBER({at['n']}),COUNT({at['percent']},{at['multiple']})>0)"
        second = f"AND(ISNUMBER({scale}),ISNUMBER({at['multiple']}))"
        return {
            "fn": Formula(f"IF({first},{rounded(at['n'], at['d'])},{at['n']})", _or_empty(one.factor)),
            "fd": Formula(f"IF({first},{scale},{at['d']})", one.factor_in),
            "gn": Formula(f"IF({second},{rounded(at['multiple'], at['of'])},{at['multiple']})", _or_empty(one.second_factor)),
            "gd": Formula(f"IF({second},{scale},{at['of']})", _or_empty(one.second_in)),
        }  # fmt: skip

    def _calculated(self) -> str:
        """Return whether there is one tier, or several that pay percentages alone; no downtime is longer than the period."""
        tiers, best, worst, most, period, spread = (
            self.scopes[name] for name in ("tiers", "best", "worst", "most", "period", "parts")
        )
        one = f"IF({best}={worst},TRUE,MIN(INDEX(tier_alone,{tiers}+{best}):INDEX(tier_alone,{tiers}+{worst}))=1)"
        if not may_exceed(self.scope.group.policy):
            return one
        return f"IF({most}>{period}*{spread},FALSE,{one})"

    def _capped(self, name: str, limit: str, line: Line | None) -> dict[str, Any]:
        """Return the line of a limit that is a part of the base, empty where the terms have none."""
        at = {part: self.at[f"{name}_{part}"] for part in "abwt"}
        share, there = f"INDEX({limit},{self.at['policy_no']})", f"ISNUMBER({at['a']})"
        shown: Sequence[Any] = ("", "", "", "") if line is None else line
        formulas = {
            "a": f'IF(ISNUMBER({share}),ROUND({share}*credit_units_twice/hundred,0)*{self.at["base_of"]},"")',
            "b": f'IF({there},{self.at["part"]}*{at["w"]}+{self.at["offset"]},"")',
            "w": f'IF({there},credit_units_twice*{self.at["base_in"]},"")',
            "t": f'IF({there},IF({self.at["even"]},{at["w"]},-1),"")',
        }
        return {
            f"{name}_{part}": Formula(text, value)
            for (part, text), value in zip(formulas.items(), shown, strict=True)
        }

    def side(self, number: int) -> dict[str, Any]:
        """Return what is paid for the least or for the most eligible downtime."""
        name, one = _SIDES[number], self.paid.sides[number]
        at = {key.removesuffix(f"_{name}"): cell for key, cell in self.at.items()} | self.at
        found = {**self._parts(name, one, at), **self._lines(one, at), **self._factored(one, at)}
        return {f"{key}_{name}": value for key, value in found.items()}

    def _parts(self, name: str, one: Side, at: Mapping[str, str]) -> dict[str, Any]:
        best, worst, period, spread = (self.scopes[key] for key in ("best", "worst", "period", "parts"))
        pays, percent = self.scopes[f"pays_{name}"], f"INDEX(tier_percent,{at['tier']})"
        down = self.scope.least if name == "least" else self.scope.most
        hour, of = at["hourly"], at["hour_of"]
        twice = f"({of}+{of})"
        return {
            "down": Formula(self.scopes[name], down),
            "units": Formula(
                f"IF({at['block']}>0,INT(({at['down']}+IF({at['begun']},{at['block']}*{spread}-1,0))/({at['block']}*{spread})),1)",
                one.units,
            ),
            "percent": Formula(
                f'IF({best}={worst},IF(ISNUMBER({percent}),{pays}*{at["units"]},""),{pays})', _or_empty(one.percent)
            ),
            "common": Formula(f"IF(ISNUMBER({at['times']}),GCD({at['down']},{period}*{spread}),1)", one.common),
            "multiple": Formula(
                f'IF(ISNUMBER({at["times"]}),{at["times"]}*({at["down"]}/{at["common"]}),"")', _or_empty(one.multiple)
            ),
            "of": Formula(
                f'IF(ISNUMBER({at["times"]}),multiple_units*({period}*{spread}/{at["common"]}),"")', _or_empty(one.multiple_of)
            ),
            "fixed": Formula(f'IF(ISNUMBER({at["sum"]}),{at["sum"]}*{at["units"]},"")', _or_empty(one.fixed)),
            "hourly": Formula(f'IF(ISNUMBER({at["hour"]}),{at["hour"]}*{at["down"]},"")', _or_empty(one.hourly)),
            "hours": Formula(
                f'IF(ISNUMBER({hour}),INT(({hour}+{hour}+{at["part"]}*{twice}+{at["offset"]})/{twice})'
                f'-IF({at["even"]},IF(MOD({hour}+{hour}+{of},{twice}+{twice})={twice},1,0),0),"")',
                _or_empty(one.hourly_paid),
            ),
        }  # fmt: skip

    def _lines(self, one: Side, at: Mapping[str, str]) -> dict[str, Any]:
        first, second = one.first, one.second
        multiple, sums = at["multiple"], at["sums"]
        # The quotients as they are, or with factors that are rounded.
        n, d, times, of = (
            at[name] for name in (("fn", "fd", "gn", "gd") if "scale" in at else ("n", "d", "multiple", "of"))
        )
        there = f"ISNUMBER({at['second_a']})"
        return {
            "d": Formula(
                f"IF({sums},IF(ISNUMBER({at['percent']}),credit_units,IF(ISNUMBER({multiple}),{at['of']},"
                f"IF(ISNUMBER({at['hourly']}),{at['hour_of']},1))),credit_units)",
                one.divisor,
            ),
            "n": Formula(f"IF({sums},SUM({at['percent']},{multiple}),{at['percent']})", _or_empty(one.numerator)),
            "c": Formula(f"IF({sums},SUM({at['fixed']})*{d}+SUM({at['hourly']}),0)", one.adds),
            "first_a": Formula(f'IF(ISNUMBER({n}),({n}+{n})*{at["base_of"]},"")', "" if first is None else first.times),
            "first_b": Formula(
                f"({at['c']}+{at['c']})*{at['base_in']}+{at['part']}*{at['first_w']}+{at['offset']}",
                2 * one.adds * self.paid.terms.base_in + int(self.paid.terms.part * one.first_divisor) + self.paid.terms.offset,
            ),
            "first_w": Formula(f"({d}+{d})*{at['base_in']}", one.first_divisor),
            "first_t": Formula(
                f"IF({at['even']},{at['first_w']},-1)", one.first_divisor if self.paid.terms.even else -1
            ),
            "second_a": Formula(
                f'IF(OR({sums},NOT(ISNUMBER({multiple}))),"",({times}+{times})*{at["base_of"]})',
                "" if second is None else second.times,
            ),
            "second_b": Formula(
                f'IF({there},{at["part"]}*{at["second_w"]}+{at["offset"]},"")', "" if second is None else second.adds
            ),
            "second_w": Formula(
                f'IF({there},({of}+{of})*{at["base_in"]},"")', "" if second is None else second.divisor
            ),
            "second_t": Formula(
                f'IF({there},IF({at["even"]},{at["second_w"]},-1),"")', "" if second is None else second.tie
            ),
            "constant": Formula(
                f'IF(OR({sums},COUNT({at["fixed"]},{at["hours"]})=0),"",'
                f'IF({at["lesser"]},MIN({at["fixed"]},{at["hours"]}),MAX({at["fixed"]},{at["hours"]})))',
                _or_empty(one.constant),
            ),
            "service": Formula(
                f"IF(ISNUMBER({at['days']}),MIN({at['days']}*{at['units']},{at['days_limit']}),0)/days_units",
                one.days / self.day,
            ),
        }  # fmt: skip


def _plain(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)


# ---- Amounts -------------------------------------------------------------------------------------------------------


def _amounts_table(title: str, count: int, *, rolling: bool) -> Table:
    def money(heading: str) -> Column:
        return Column(f"{heading} (minor units)", "integer", "formula", 14)

    return Table(
        title,
        {
            "subscription": Column("subscription", width=20),
            "currency": Column("currency", width=9),
            "scope": Column("scope", "integer", width=7),
            "fee": money("fee"),
            "first_least": money("at least: first line"),
            "second_least": money("at least: second line"),
            "first_most": money("at most: first line"),
            "second_most": money("at most: second line"),
            "cap": money("limit as a part of the base"),
            **(
                {
                    "before": Column("credited before (minor units)", "integer", "input", 14),
                    "rolling": money("limit with what was credited before"),
                }
                if rolling
                else {}
            ),
            "joined_least": money("at least: before limits"),
            "joined_most": money("at most: before limits"),
            "capped_least": money("at least: under limits"),
            "capped_most": money("at most: under limits"),
            "paid_least": money("paid at least"),
            "paid_most": money("paid at most"),
        },
        count,
    )


class _Lines:
    """The lines of one sheet of amounts, made when they are written."""

    def __init__(
        self, priced: Priced, model: Model, made: Payments, rows: Mapping[tuple[int, str], int], remedies: Table, table: Table,
        lines: Any, credits: Sequence[Table], empty: int,
    ) -> None:  # fmt: skip
        self.priced, self.model, self.made, self.rows = priced, model, made, rows
        self.remedies, self.table, self.lines, self.credits = remedies, table, lines, credits
        self.formulas: dict[tuple[int, str], dict[str, str]] = {}
        self.empty = empty

    def __call__(self) -> Iterator[list[Any]]:
        names = ("subscription", "currency", "fee", "credit_at_least", "credit_at_most")
        row = 1
        for start in range(0, len(self.lines), _AT_ONCE):
            where = self.lines[start : start + _AT_ONCE]
            part = self.priced.frame.iloc[where]
            columns = [part[name].tolist() for name in names]
            for line, code, values in zip(
                where.tolist(), self.priced.codes[where].tolist(), zip(*columns, strict=True), strict=True
            ):
                row += 1
                yield self._line(row, line, self.model.places[code], values)

    def _line(self, row: int, line: int, place: int, values: tuple[Any, ...]) -> list[Any]:
        subscription, currency, fee, least, most = values
        one, before = self.made.of[place, currency], self.priced.before.get(line, 0)
        names = list(self.table.columns)[3:]
        head = [subscription, currency, place + 1]
        if not self.made.fits(one, fee, before, least, most):
            # Credits says why such a line is a value, so nothing of it may be changed here.
            return [*head, *[Styled(self.empty, None)] * len(names)]
        formulas = self.formulas.get((place, currency))
        if formulas is None:
            formulas = self.formulas[place, currency] = self._of(place, currency)
        found = one.amounts(fee, before)
        shown = {
            "fee": fee, "first_least": found.first[0], "second_least": found.second[0], "first_most": found.first[1],
            "second_most": found.second[1], "cap": found.cap, "rolling": found.rolling,
            **{f"{name}_{side}": pair[at] for name, pair in (("joined", found.joined), ("capped", found.capped), ("paid", found.paid))
               for at, side in enumerate(_SIDES)},
        }  # fmt: skip
        texts = {**formulas, "fee": self._fee(line)}
        at = str(row)
        return [
            *head,
            *(
                before if name == "before" else Formula(texts[name].replace("#", at), _or_empty(shown[name]))
                for name in names
            ),
        ]

    def _fee(self, line: int) -> str:
        table = self.credits[line // books.MOST_ROWS]
        return table.cell("fee_minor", line % books.MOST_ROWS + 2)

    def _of(self, place: int, currency: str) -> dict[str, str]:
        row = self.rows[place, currency]
        at = {name: f"{letter}#" for name, letter in self.table.letters.items()}
        of = {name: f"{self.remedies.prefix}{letter}{row}" for name, letter in self.remedies.letters.items()}

        def line(times: str, adds: str, divisor: str, tie: str) -> str:
            product = f"{at['fee']}*{of[times]}+{of[adds]}"
            return (
                f'IF(ISNUMBER({of[times]}),INT(({product})/{of[divisor]})-(MOD({product},{of[divisor]}+{of[divisor]})={of[tie]}),"")'
            )  # fmt: skip

        found = {"cap": line("cap_a", "cap_b", "cap_w", "cap_t")}
        limits = f"{at['cap']},{of['limit']}"
        if "rolling" in at:
            product = f"{at['fee']}*{of['roll_a']}+{of['roll_b']}-{at['before']}*{of['roll_w']}"
            found["rolling"] = (
                f"IF(ISNUMBER({of['roll_a']}),MAX(0,INT(({product})/{of['roll_w']})"
                f'-(MOD({product},{of["roll_w"]}+{of["roll_w"]})={of["roll_t"]})),"")'
            )
            limits = f"{limits},{at['rolling']}"
        for side in _SIDES:
            for name in ("first", "second"):
                found[f"{name}_{side}"] = line(*(f"{name}_{part}_{side}" for part in "abwt"))
            several = f"{at[f'first_{side}']},{at[f'second_{side}']},{of[f'constant_{side}']}"
            joined, capped = at[f"joined_{side}"], at[f"capped_{side}"]
            found[f"joined_{side}"] = (
                f"IF({of['calculated']},IF({of['lesser']},MIN({several}),MAX({several})),undecided)"
            )
            found[f"capped_{side}"] = f"IF(ISNUMBER({joined}),MIN({joined},{limits}),undecided)"
            found[f"paid_{side}"] = (
                f"IF(AND(ISNUMBER({capped}),ISNUMBER({of['above']})),IF({capped}>{of['above']},{capped},0),{capped})"
            )
        return found
