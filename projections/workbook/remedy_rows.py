"""The sheet Remedies: for each scope and currency the lines of which an amount is the least or the greatest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from projections.workbook.book import Column, Table
from projections.workbook.calculating_sheets import CalculatingSheets
from projections.workbook.cells import Formula
from projections.workbook.model import Model, Scope, may_exceed
from projections.workbook.remedies import Line, Payment, Side

__all__ = ["SIDES", "or_empty", "remedies_lines", "remedies_table"]


SIDES = ("least", "most")


def remedies_table(count: int, *, factors: bool) -> Table:
    """Return the sheet of remedies. factors: some terms round the factor of the fee."""

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
    for side, words in zip(SIDES, ("at least", "at most"), strict=True):
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


def remedies_lines(
    model: Model,
    found: Mapping[tuple[int, str], Payment],
    table: Table,
    sheets: CalculatingSheets,
    known: Collection[str],
) -> Iterator[list[Any]]:
    """Give the row of each scope and currency. known: the currencies of which sums stand on Inputs."""
    for row, ((place, currency), one) in enumerate(found.items(), 2):
        made = _Remedy(model.scopes[place], currency, one, row, table, sheets, known, model.units.days)
        line = {**made.common(), **made.side(0), **made.side(1)}
        yield [line[name] for name in table.columns]


def or_empty(value: int | None) -> Any:
    """Return what a cell shows: a text without characters where there is nothing."""
    return "" if value is None else value


class _Remedy:
    """One row of Remedies: formulas beside their values."""

    def __init__(
        self, scope: Scope, currency: str, paid: Payment, row: int, table: Table, sheets: CalculatingSheets, known: Collection[str],
        day: int,
    ) -> None:  # fmt: skip
        self.day = day
        self.scope, self.currency, self.paid, self.known = scope, currency, paid, known
        self.at = {name: f"{letter}{row}" for name, letter in table.letters.items()}
        letters = sheets.calculation.letters
        self.scopes = {name: sheets.calculation.cell(name, scope.number + 1) for name in letters}
        self.mode = sheets.terms.cell("rounding", scope.policy + 1)

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
            self._of_tier(cells, units) if of_tier else self._of_policy(cells, units), or_empty(value)
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
            "times": Formula(self._of_tier("tier_multiple", "multiple_units"), or_empty(paid.times)),
            "sum": self._sums("tier_sum", paid.fixed, of_tier=True),
            "hour": self._sums("tier_hour", paid.hourly, of_tier=True),
            "hour_of": Formula(f"seconds_per_hour*{spread}", paid.hourly_of),
            **self._capped("cap", "limit_percent", paid.cap),
            **self._capped("roll", "limit_rolling", paid.rolling),
            "limit": self._sums("limit", paid.limit, of_tier=False),
            "above": self._sums("above", paid.above, of_tier=False),
            "days": Formula(self._of_tier("tier_days", "days_units"), or_empty(paid.days)),
            "days_limit": Formula(self._of_policy("limit_days", "days_units"), or_empty(paid.days_limit)),
            **(self._scale() if "scale" in at else {}),
        }  # fmt: skip

    def _scale(self) -> dict[str, Any]:
        """Return how a factor is rounded; where the terms do not round it, as amounts are, and it is not asked."""
        scale, rounds, number = self.paid.scale, self.paid.rounds, self.at["policy_no"]
        decimals, chosen = (f"INDEX({name},{number})" for name in ("factor_decimals", "factor_rounding"))
        mode = f"IF(ISNUMBER({decimals}),MATCH({chosen},rounding_modes,0),{self.mode})"
        return {
            "scale": Formula(
                f'IF(ISNUMBER({decimals}),ROUND(decimal_base^{decimals},0),"")', or_empty(scale)
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
            "fn": Formula(f"IF({first},{rounded(at['n'], at['d'])},{at['n']})", or_empty(one.factor)),
            "fd": Formula(f"IF({first},{scale},{at['d']})", one.factor_in),
            "gn": Formula(f"IF({second},{rounded(at['multiple'], at['of'])},{at['multiple']})", or_empty(one.second_factor)),
            "gd": Formula(f"IF({second},{scale},{at['of']})", or_empty(one.second_in)),
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
        name, one = SIDES[number], self.paid.sides[number]
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
                f'IF({best}={worst},IF(ISNUMBER({percent}),{pays}*{at["units"]},""),{pays})', or_empty(one.percent)
            ),
            "common": Formula(f"IF(ISNUMBER({at['times']}),GCD({at['down']},{period}*{spread}),1)", one.common),
            "multiple": Formula(
                f'IF(ISNUMBER({at["times"]}),{at["times"]}*({at["down"]}/{at["common"]}),"")', or_empty(one.multiple)
            ),
            "of": Formula(
                f'IF(ISNUMBER({at["times"]}),multiple_units*({period}*{spread}/{at["common"]}),"")', or_empty(one.multiple_of)
            ),
            "fixed": Formula(f'IF(ISNUMBER({at["sum"]}),{at["sum"]}*{at["units"]},"")', or_empty(one.fixed)),
            "hourly": Formula(f'IF(ISNUMBER({at["hour"]}),{at["hour"]}*{at["down"]},"")', or_empty(one.hourly)),
            "hours": Formula(
                f'IF(ISNUMBER({hour}),INT(({hour}+{hour}+{at["part"]}*{twice}+{at["offset"]})/{twice})'
                f'-IF({at["even"]},IF(MOD({hour}+{hour}+{of},{twice}+{twice})={twice},1,0),0),"")',
                or_empty(one.hourly_paid),
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
            "n": Formula(f"IF({sums},SUM({at['percent']},{multiple}),{at['percent']})", or_empty(one.numerator)),
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
                or_empty(one.constant),
            ),
            "service": Formula(
                f"IF(ISNUMBER({at['days']}),MIN({at['days']}*{at['units']},{at['days_limit']}),0)/days_units",
                one.days / self.day,
            ),
        }  # fmt: skip


def _plain(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
