"""What tiers pay beside a percentage, and limits: the blocks of Inputs that only terms with such remedies have."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from openpyxl.utils import get_column_letter

from ledger.domain.money import decimal_text, format_money, minor_units
from ledger.domain.policy.model import Sums, sum_in, tables_of_sums
from projections.evaluation.amounts import base_factor
from projections.workbook.book import Block, Book
from projections.workbook.cells import Styled
from projections.workbook.model import Model

__all__ = ["columns_for", "currencies_of", "remedy_inputs"]

_TIERS = 10
_WIDE = 14


def currencies_of(model: Model, currencies: Sequence[str]) -> list[str]:
    """Return the currencies in which the terms that are calculated name sums, of those that lines have."""
    named = {
        code
        for _, policy, _ in model.policies[: model.live]
        for _, sums in tables_of_sums(policy.limits, policy.commitments)
        for code, _ in sums
    }
    return [code for code in currencies if code in named]


def columns_for(model: Model, currencies: Sequence[str]) -> tuple[int, ...]:
    """Return the widths of the columns that the blocks need beyond those of the other ones."""
    return (
        (_WIDE,) * max(0, _TIERS + 2 * len(currencies_of(model, currencies)) - 16) if model.pays_more else ()
    )


def remedy_inputs(
    book: Book, block: Block, model: Model, tiers: Sequence[int], currencies: Sequence[str]
) -> None:
    """Add the blocks and give their cells names; tiers: the rows of the tiers. Nothing where no terms ask for them.

    An amount that a tier does not have cannot be put in: how it would join the others is not said.
    """
    if not model.pays_more:
        return
    known = currencies_of(model, currencies)
    style = book.style
    for name, value, words in (
        ("multiple_units", model.units.multiple, "parts in which a multiple of the fee is counted; the whole fee is this many"),
        ("days_units", model.units.days, "parts in which a day of service is counted; a whole one is this many"),
        ("seconds_per_hour", 3_600, "what is paid by the hour is paid for each second in proportion"),
        ("take_sum", "sum", "the amounts of a tier are added up"),
        ("take_greater", "greater", "the greatest of them is paid; otherwise the least"),
    ):  # fmt: skip
        looks = "text" if isinstance(value, str) else "integer"
        row = block.add(name, Styled(style("given", looks), value), Styled(style("note"), words))
        book.name(name, block.address("B", row))
    block.add()
    _tiers(book, block, model, known)
    block.add()
    _limits(book, block, model, known)
    block.add()
    _factors(book, block, model)
    book.name("tier_percent", f"Inputs!$G${tiers[0]}:$G${tiers[-1]}")


def _money(book: Book, sums: Sums, code: str) -> Styled:
    digits = minor_units(code)
    found = sum_in(sums, code)
    if found is None:
        return Styled(book.style("given"), None)
    return Styled(book.style("input", f"money{digits}"), Decimal(format_money(int(found), code)))


def _decimal(book: Book, value: Fraction | None) -> Styled:
    """Return a number that may be changed, or an empty cell that may not."""
    if value is None:
        return Styled(book.style("given"), None)
    return Styled(book.style("input", "decimal"), Decimal(decimal_text(value)))


def _named(book: Book, rows: Sequence[int], names: Sequence[str], first: int) -> None:
    for at, name in enumerate(names, first):
        letter = get_column_letter(at)
        book.name(name, f"Inputs!${letter}${rows[0]}:${letter}${rows[-1]}")


def _tiers(book: Book, block: Block, model: Model, known: Sequence[str]) -> None:
    style = book.style
    block.add(Styled(style("title"), "What tiers pay beside a percentage"))
    block.heading(
        "policy no", "policy", "version", "tier", "a mere percentage", "times the fee for the time down",
        "for each block of (s)", "a begun one counts", "of several amounts", "days of service",
        *(f"{what} ({code})" for code in known for what in ("a sum", "for each hour")), numbers="ACDEFGJ",
    )  # fmt: skip
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        for place, tier in enumerate(policy.tiers, 1):
            one = tier.remedy
            shown: list[Any] = [
                Styled(style("given", "integer"), int(one.is_percent)),
                _decimal(book, one.multiple),
                Styled(style("given"), None)
                if one.block_seconds is None
                else Styled(style("input", "integer"), int(one.block_seconds)),
                Styled(
                    style("given" if one.block_seconds is None else "input", "flag"), one.blocks == "begun"
                ),
                one.take,
                _decimal(book, one.service_days),
            ]
            sums = [_money(book, table, code) for code in known for table in (one.fixed, one.hourly)]
            rows.append(block.add(number, policy.key, version, place, *shown, *sums))
    names = ["tier_alone", "tier_multiple", "tier_block", "tier_begun", "tier_take", "tier_days"]
    _named(book, rows, [*names, *(f"tier_{what}_{code}" for code in known for what in ("sum", "hour"))], 5)


def _factors(book: Book, block: Block, model: Model) -> None:
    """Add to how many decimals a factor is rounded before the amount is, where any terms say that."""
    if not model.rounds_factors:
        return
    style = book.style
    block.add(Styled(style("title"), "Rounded factors"))
    block.heading(
        "policy no", "policy", "version", "to so many decimals, empty for none", "rounding", numbers="ACD"
    )
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        decimals, mode = policy.credit.factor_decimals, policy.credit.factor_rounding or policy.rounding
        shown = (
            (Styled(style("given"), None), None)
            if decimals is None
            else (Styled(style("input", "integer"), decimals), Styled(style("input"), mode))
        )
        rows.append(block.add(number, policy.key, version, *shown))
    _named(book, rows, ["factor_decimals", "factor_rounding"], 4)
    row = block.add(
        "ten", Styled(style("given", "integer"), 10), Styled(style("note"), "a decimal is a tenth")
    )
    book.name("decimal_base", block.address("B", row))
    block.add()


def _limits(book: Book, block: Block, model: Model, known: Sequence[str]) -> None:
    style = book.style
    block.add(Styled(style("title"), "Limits, and what the base is of the fee"))
    block.heading(
        "policy no", "policy", "version", "at most (% of base)", "base is so many", "of so many parts", "at most (days)",
        "at most with what was credited before (% of base)",
        *(f"{what} ({code})" for code in known for what in ("at most", "only above")), numbers="ACDEFGH",
    )  # fmt: skip
    rows = []
    for number, (version, policy, _) in enumerate(model.policies[: model.live], 1):
        limits, factor = policy.limits, base_factor(policy)
        percent = _decimal(book, None if limits.percent is None else limits.percent * 100)
        parts = (Styled(style("input", "integer"), one) for one in (factor.numerator, factor.denominator))
        sums = [_money(book, table, code) for code in known for table in (limits.amount, limits.only_above)]
        days = _decimal(book, limits.days)
        rolling = _decimal(book, None if limits.rolling_percent is None else limits.rolling_percent * 100)
        rows.append(block.add(number, policy.key, version, percent, *parts, days, rolling, *sums))
    names = ["limit_percent", "base_of", "base_in", "limit_days", "limit_rolling"]
    _named(book, rows, [*names, *(f"{what}_{code}" for code in known for what in ("limit", "above"))], 4)
