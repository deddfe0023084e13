"""The sheets with a line for each subscription: Credits, and Changes.

A sheet holds 1,048,576 rows; what does not fit goes on in a next one. Totals stand on Summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ledger.domain.money import decimal_text, format_money, minor_units
from projections.causes import told_apart
from projections.credits import Workings, difference
from projections.workbook import book as books
from projections.workbook.amounts import Payments
from projections.workbook.book import Book, Column, Row, Table, parts
from projections.workbook.cells import Formula, listed
from projections.workbook.model import EXACT, EXACT_DIVIDED, Model, pays_in_parts
from projections.workbook.remedies import Payment

__all__ = [
    "DAYS",
    "Changes",
    "changes_between",
    "changes_sheets",
    "credit_sheets",
    "credit_tables",
    "exactly",
    "major",
]

_AT_ONCE = 8_192


def _sheets(title: str, columns: dict[str, Column], count: int) -> list[tuple[Table, int, int]]:
    """Return the tables that hold so many lines, each with its first line and the one behind its last."""
    ranges = parts(count, books.MOST_ROWS)
    return [
        (Table(title if len(ranges) == 1 else f"{title} {number}", columns, stop - start), start, stop)
        for number, (start, stop) in enumerate(ranges, 1)
    ]


# ---- Credits -------------------------------------------------------------------------------------------------------

_CREDITS = {
    "customer": Column("customer", width=24),
    "subscription": Column("subscription", width=20),
    "service": Column("service", width=16),
    "region": Column("region", width=10),
    "policy": Column("policy", width=20),
    "version": Column("policy version", "integer", width=8),
    "currency": Column("currency", width=9),
    "fee": Column("fee", "money2", "input", 14),
    "credit": Column("credit", "money2", "formula", 14),
    "credit_least": Column("credit at least", "money2", "formula", 14),
    "credit_most": Column("credit at most", "money2", "formula", 14),
    "percent": Column("credit (% of fee)", "decimal", "formula", 11),
    "rule": Column("rule", "text", "formula", 60),
    "scope": Column("scope", "integer", width=7),
    "fee_minor": Column("fee (minor units)", "integer", "formula", 14),
    "pays_least": Column("pays at least (parts)", "integer", "formula", 10),
    "pays_most": Column("pays at most (parts)", "integer", "formula", 10),
}

# Behind them, where any line has to be claimed: what of its credit is paid (docs/json.md, credit row).
_CLAIMS = {
    "claim_state": Column("claim", width=16),
    "claim": Column("claimed by", width=24),
    "claim_last_day": Column("last day to claim", width=12),
}


def _credit_columns(priced: Workings) -> dict[str, Column]:
    states = set(priced.frame["claim_state"].cat.categories)
    return _CREDITS if states <= {"not-needed"} else _CREDITS | _CLAIMS


class _Kind(NamedTuple):
    """What all lines of one scope and currency share: styles, formulas to put the row in, and values."""

    styles: list[int]
    live: bool
    unit: int
    formulas: dict[str, str]
    pays_least: int | None
    pays_most: int | None
    percent: Any
    rule: str
    payment: Payment | None


def credit_tables(priced: Workings) -> list[Table]:
    """Return the tables of Credits, on as many sheets as its lines need."""
    return [table for table, _, _ in _sheets("Credits", _credit_columns(priced), len(priced.frame))]


def credit_sheets(book: Book, priced: Workings, model: Model, paid: Payments, tables: list[Table]) -> None:
    """Add the sheets of Credits. paid: what is more than a percentage, where it stands."""
    start = 0
    for table in tables:
        book.table(table, _CreditLines(book, priced, model, paid, start, start + table.count), freeze=2)
        start += table.count


class _CreditLines:
    """The lines of one sheet, made when they are written."""

    def __init__(
        self, book: Book, priced: Workings, model: Model, paid: Payments, start: int, stop: int
    ) -> None:
        self.book, self.model, self.paid = book, model, paid
        self.frame, self.codes, self.before = priced.frame, priced.codes, priced.before
        self.columns = _credit_columns(priced)
        self.start, self.stop = start, stop
        self.kinds: dict[tuple[int, str], _Kind] = {}

    def __call__(self) -> Iterator[Row]:
        number = 2
        names = ("customer", "subscription", "service", "region", "policy", "policy_version", "currency", "fee",
                 "credit_at_least", "credit_at_most")  # fmt: skip
        claims = [name for name in _CLAIMS if name in self.columns]
        places = self.model.places
        for start in range(self.start, self.stop, _AT_ONCE):
            stop = min(start + _AT_ONCE, self.stop)
            part = self.frame.iloc[start:stop]
            columns = [part[name].tolist() for name in names]
            # What is not there is null, which a column of categories spells as not a number.
            stands = [part[name].astype(object).where(part[name].notna(), None).tolist() for name in claims]
            beside = zip(*stands, strict=True) if stands else repeat(())
            lines = zip(self.codes[start:stop].tolist(), zip(*columns, strict=True), strict=True)
            for (code, values), more in zip(lines, beside, strict=False):
                styles, cells = self._line(number, places[code], values)
                yield Row(styles, (*cells, *more))
                number += 1

    def _line(self, number: int, place: int, values: tuple[Any, ...]) -> Row:
        customer, subscription, service, region, policy, version, currency, fee, least, most = values
        kind = self.kinds.get((place, currency))
        if kind is None:
            kind = self.kinds[place, currency] = self._kind(place, currency, live=True)
        if kind.live and (fee >= EXACT or not self._fits(kind, number, fee, least, most)):
            kind = self._kind(place, currency, live=False)
            kind = kind._replace(rule=f"{kind.rule}; a value: an integer on the way has more than 14 digits")
        unit, rule = kind.unit, kind.rule
        if fee >= EXACT:
            # The cells of these amounts lose their last digits, so a text has them.
            amounts = [exactly(least, currency), *([exactly(most, currency)] if most != least else [])]
            rule = f"{rule}; a spreadsheet keeps 15 digits: fee {exactly(fee, currency)}, credit {' to '.join(amounts)}"
        low = major(least, unit)
        high = low if least == most else major(most, unit)
        head = (customer, subscription, service, region, policy, version, currency, major(fee, unit))
        if not kind.live:
            credit = low if least == most else "undecided"
            return Row(kind.styles, (*head, credit, low, high, kind.percent, rule, place + 1, fee,
                                     kind.pays_least, kind.pays_most))  # fmt: skip
        at = str(number)
        formulas = kind.formulas
        if kind.payment is not None:
            formulas = formulas | self._paid(self.start + number - 2, currency)
        return Row(
            kind.styles,
            (*head,
             Formula(formulas["credit"].replace("#", at), low if least == most else "undecided"),
             Formula(formulas["credit_least"].replace("#", at), low),
             Formula(formulas["credit_most"].replace("#", at), high),
             # What is paid by blocks or beside sums is worked out in money; the percentage is the one the ledger found.
             kind.percent if kind.payment is not None else Formula(formulas["percent"].replace("#", at), kind.percent),
             Formula(formulas["rule"].replace("#", at), kind.rule),
             place + 1,
             Formula(formulas["fee_minor"].replace("#", at), fee),
             Formula(formulas["pays_least"].replace("#", at), kind.pays_least),
             Formula(formulas["pays_most"].replace("#", at), kind.pays_most)),
        )  # fmt: skip

    def _fits(self, kind: _Kind, number: int, fee: int, least: int, most: int) -> bool:
        if kind.payment is None:
            return bool(fee * (kind.pays_most or 0) <= EXACT_DIVIDED)
        before = self.before.get(self.start + number - 2, 0)
        return self.paid.fits(kind.payment, fee, before, least, most)

    def _paid(self, line: int, currency: str) -> dict[str, str]:
        """Return the formulas of what is paid for a line of credit by its amounts."""
        place = self.paid.places[line]
        cells = {f"credit_{side}": self.paid.cell(f"paid_{side}", place) for side in ("least", "most")}
        return {
            name: f"IF(ISNUMBER({cell}),{cell}/minor_units_{currency},undecided)"
            for name, cell in cells.items()
        }

    def _kind(self, place: int, currency: str, *, live: bool) -> _Kind:
        scope, units = self.model.scopes[place], self.model.units
        live = live and scope.case is not None
        digits = minor_units(currency)
        ledger = scope.group.assessment
        rates = ledger.parts_of_fee
        low, high = pays_in_parts(scope, units)
        column = {name: f"{letter}#" for name, letter in _CREDIT_LETTERS.items()}

        def credit(pays: str) -> str:
            product = f"{column['fee_minor']}*{column[pays]}"
            return (
                f"(INT(({product}+INDEX(scope_adds,{column['scope']}))/credit_units)"
                f"-(MOD({product},credit_units_twice)=INDEX(scope_tie,{column['scope']})))/minor_units_{currency}"
            )

        formulas = {
            "credit": f"IF({column['credit_least']}={column['credit_most']},{column['credit_least']},undecided)",
            "credit_least": credit("pays_least"),
            "credit_most": credit("pays_most"),
            "percent": f"IF({column['pays_least']}={column['pays_most']},"
            f"{column['pays_least']}*hundred/credit_units,undecided)",
            # A rule is a text of the ledger, and of no other facts or terms.
            "rule": f'IF(INDEX(scope_agrees,{column["scope"]}),"","before the change: ")&INDEX(scope_rule,{column["scope"]})',
            "fee_minor": f"ROUND({column['fee']}*minor_units_{currency},0)",
            "pays_least": f"INDEX(scope_pays_least,{column['scope']})",
            "pays_most": f"INDEX(scope_pays_most,{column['scope']})",
        }
        payment = self.paid.of.get((place, currency)) if live else None
        styles = []
        for name, one in self.columns.items():
            looks = f"money{digits}" if one.format == "money2" else one.format
            given = (not live and (one.role == "formula" or name == "fee")) or (
                name == "percent" and payment is not None
            )
            styles.append(self.book.style("value" if given else one.role, looks))
        percent: Any = None
        if rates is not None:
            percent = float(rates[0] * 100) if rates[0] == rates[1] else "undecided"
        if live and payment is None:
            percent = low * 100 / units.credit if low == high and low is not None else "undecided"
        return _Kind(styles, live, 10**digits, formulas, low, high, percent, ledger.rule, payment)


_CREDIT_LETTERS = Table("Credits", _CREDITS, 0).letters


def major(amount: int, unit: int) -> Any:
    """Return whole minor units as the number of major units, exact as far as a number of a sheet is."""
    if unit == 1:
        return amount
    # The nearest binary fraction is what the formula gives, too; beyond, its digits would be another number's.
    if -(10**15) < amount < 10**15:
        return amount / unit
    # From its text: a division would round to the digits of a context.
    return Decimal(f"{amount}e-{len(str(unit)) - 1}")


def exactly(amount: int, currency: str) -> str:
    """Return whole minor units as a text of major units, with every digit."""
    return format_money(amount, currency)


# ---- Changes -------------------------------------------------------------------------------------------------------


# The days of service of a line that changed, beside its money.
DAYS = ("days_as_issued", "days_as_now", "days_delta", "days_waived")
# Digits that a number of a sheet keeps.
_DIGITS = 15


class Changes(NamedTuple):
    """What changed, per subscription, and how the two sides are called.

    frame: customer, subscription, service, region, policy, period, currency, as_issued, as_now, delta (whole minor units,
    nullable), cause (entries, as a text); perhaps also as_issued_at_least, as_issued_at_most, as_now_at_least and
    as_now_at_most. Of what was issued also waived (at most 0: as_issued + delta + waived = as_now) and taken_back, whether the
    policy takes back what proves too high; where any line waits for a claim, unclaimed: what more it would pay on one; and where any
    line has days of service, DAYS: the same of these, as fractions, None where a line has none. totals: of what was issued, by
    currency what the documents say that it adds up to.
    """

    frame: pd.DataFrame
    issued: str
    now: str
    totals: Mapping[str, int] | None = None

    @property
    def claims(self) -> bool:
        """Whether any line waits for a claim."""
        return "unclaimed" in self.frame.columns

    @property
    def waives(self) -> bool:
        """Whether it is told what was waived."""
        return "waived" in self.frame.columns

    @property
    def has_days(self) -> bool:
        """Whether any line has days of service."""
        return DAYS[0] in self.frame.columns


def changes_between(before: pd.DataFrame, after: pd.DataFrame) -> Changes:
    """Return what changed between two frames of `projections.credits.price`, each with the entries that caused it."""
    found = difference(before, after)
    known = [
        dict(zip(side["subscription"].tolist(), side["entries"].tolist(), strict=True))
        for side in (before, after)
    ]
    told: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
    causes = []
    for subscription in found["subscription"].tolist():
        old, new = (side.get(subscription, ()) for side in known)
        cause = told.get((old, new))
        if cause is None:
            fresh, gone = told_apart(old, new)
            cause = told[old, new] = listed([*fresh, *(f"without {one}" for one in gone)])
        causes.append(cause)
    renamed = found.rename(
        columns=lambda name: name.replace("credit_before", "as_issued").replace("credit_after", "as_now")
    )
    return Changes(renamed.assign(cause=causes), "credit before", "credit after")


def _change_columns(changes: Changes) -> dict[str, Column]:
    money = {"as_issued": changes.issued, "as_now": changes.now}
    bounds = {
        f"{side}_{bound}": f"{words} {bound.replace('_', ' ')}"
        for side, words in money.items()
        for bound in ("at_least", "at_most")
        if f"{side}_{bound}" in changes.frame.columns
    }
    return {
        "customer": Column("customer", width=24),
        "subscription": Column("subscription", width=20),
        "service": Column("service", width=16),
        "region": Column("region", width=10),
        "policy": Column("policy", width=20),
        "period": Column("period", width=9),
        "currency": Column("currency", width=9),
        **{name: Column(words, "money2", "formula", 14) for name, words in money.items()},
        "delta": Column("delta", "money2", "formula", 14),
        **(
            {
                "waived": Column("waived", "money2", "formula", 14),
                "taken_back": Column("policy takes back", "flag", width=9),
            }
            if changes.waives
            else {}
        ),
        **({"unclaimed": Column("unclaimed", "money2", width=14)} if changes.claims else {}),
        **(
            {
                name: Column(f"days {words}", "decimal", "formula", 11)
                for name, words in zip(DAYS, (changes.issued, changes.now, "delta", "waived"), strict=True)
            }
            if changes.has_days
            else {}
        ),
        "cause": Column("cause", width=60),
        **{name: Column(words, "money2", width=14) for name, words in bounds.items()},
    }  # fmt: skip


def changes_sheets(book: Book, changes: Changes, priced: Workings, credits: list[Table]) -> list[Table]:
    """Add Changes, on as many sheets as its lines need, and return their tables."""
    columns = _change_columns(changes)
    found = _sheets("Changes", columns, len(changes.frame))
    places = _places(changes.frame, priced.frame)
    for table, start, stop in found:
        book.table(table, _ChangeLines(book, table, changes.frame.iloc[start:stop], priced.frame, places, credits, start),
                   freeze=2)  # fmt: skip
    return [table for table, _, _ in found]


def _places(changed: pd.DataFrame, credits: pd.DataFrame) -> list[int]:
    """Return for each changed line its row among the credits, -1 where there is none: a subscription may be another customer's now."""
    index = pd.Index(credits["subscription"].astype(object))
    found = index.get_indexer(pd.Index(changed["subscription"].astype(object)))
    if len(credits):
        customers = credits["customer"].astype(object).take(np.maximum(found, 0)).to_numpy()
        found = np.where(customers == changed["customer"].astype(object).to_numpy(), found, -1)
    places: list[int] = found.tolist()
    return places


class _ChangeLines:
    """The lines of one sheet, made when they are written."""

    def __init__(
        self, book: Book, table: Table, frame: pd.DataFrame, now: pd.DataFrame, places: list[int], credits: list[Table],
        start: int,
    ) -> None:  # fmt: skip
        self.book, self.table, self.frame, self.credits = book, table, frame, credits
        self.places = places[start : start + len(frame)]
        self.now = now["credit"]
        self.styles: dict[str, list[int]] = {}

    def __call__(self) -> Iterator[Row]:
        names = list(self.table.columns)
        at = self.table.letters
        columns = [_listed(self.frame[name]) for name in names]
        credit = _listed(self.now)
        for row, place, values in zip(
            range(2, len(self.places) + 2), self.places, zip(*columns, strict=True), strict=True
        ):
            line = dict(zip(names, values, strict=True))
            currency = line["currency"]
            unit = 10 ** minor_units(currency)
            # A line that was waived under other terms than those it rests on now is a value.
            by_rule = "waived" in at and line["waived"] == (
                0
                if line["taken_back"] or line["as_now"] is None
                else min(0, line["as_now"] - line["as_issued"])
            )
            for name in names[7:]:
                if name not in ("delta", "taken_back", "cause", *DAYS):
                    line[name] = "undecided" if line[name] is None else major(line[name], unit)
            # What stands on Credits is referred to; what does not, such as a subscription that ended, is a value.
            if place >= 0 and (
                line["as_now"] == ("undecided" if credit[place] is None else major(credit[place], unit))
            ):
                line["as_now"] = Formula(self._credit(place), line["as_now"])
            elif place >= 0 and line.get("unclaimed") and credit[place] is not None:
                # What waits for a claim is the rest of the credit.
                rest = f"ROUND({self._credit(place)}-{at['unclaimed']}{row},decimals_{currency})"
                if line["as_now"] + line["unclaimed"] == major(credit[place], unit):
                    line["as_now"] = Formula(rest, line["as_now"])
            issued, now = f"{at['as_issued']}{row}", f"{at['as_now']}{row}"
            # What is waived is not booked; without such a column nothing is.
            less = f"-{at['waived']}{row}" if "waived" in at else ""
            line["delta"] = Formula(
                f"IF(AND(ISNUMBER({issued}),ISNUMBER({now})),ROUND({now}-{issued}{less},decimals_{currency}),undecided)",
                "undecided" if line["delta"] is None else major(line["delta"], unit),
            )
            if by_rule:
                line["waived"] = Formula(
                    f"IF(OR({at['taken_back']}{row},NOT(ISNUMBER({now}))),0,MIN(0,ROUND({now}-{issued},decimals_{currency})))",
                    line["waived"],
                )
            if DAYS[0] in at:
                line |= self._days(row, line)
            yield Row(self._styles(currency), [line[name] for name in names])

    def _days(self, row: int, line: dict[str, Any]) -> dict[str, Any]:
        """Return the days of a line as its cells have them: the delta, and what is waived by the rule, as formulas."""
        at = {name: f"{self.table.letters[name]}{row}" for name in (*DAYS, "taken_back")}
        days = [line[name] for name in DAYS]
        if days[0] is None:
            return dict.fromkeys(DAYS)
        issued, now, _, waived = days
        found: dict[str, Any] = {
            name: Decimal(decimal_text(one)) for name, one in zip(DAYS, days, strict=True)
        }
        if any(len(one.as_tuple().digits) > _DIGITS for one in found.values()):
            return found  # A sheet would calculate with other numbers.
        less = f"{at['days_as_now']}-{at['days_as_issued']}"
        found["days_delta"] = Formula(f"{less}-{at['days_waived']}", found["days_delta"])
        if waived == (0 if line["taken_back"] else min(Fraction(0), now - issued)):
            found["days_waived"] = Formula(f"IF({at['taken_back']},0,MIN(0,{less}))", found["days_waived"])
        return found

    def _credit(self, place: int) -> str:
        table = self.credits[place // books.MOST_ROWS]
        return table.cell("credit", place % books.MOST_ROWS + 2)

    def _styles(self, currency: str) -> list[int]:
        styles = self.styles.get(currency)
        if styles is None:
            digits = minor_units(currency)
            styles = self.styles[currency] = [
                self.book.style(one.role, f"money{digits}" if one.format == "money2" else one.format)
                for one in self.table.columns.values()
            ]
        return styles


def _listed(column: pd.Series) -> list[Any]:
    values: list[Any] = column.tolist()
    if column.hasnans:
        return [None if null else value for value, null in zip(values, column.isna().tolist(), strict=True)]
    return values
