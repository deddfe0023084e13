"""What a tier pays, and of what, in words."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from ledger.domain.money import decimal_text, minor_units, number_text
from ledger.domain.policy.model import Allowance, Policy, Remedy
from ledger.domain.policy.values import duration_text

__all__ = ["allowance_words", "base_words", "part_words", "remedy_words", "sums_words"]


def base_words(policy: Policy) -> str:
    """Return what a credit is a part of, in words."""
    return {
        "fee": "fee", "region-charges": "charges in the region", "service-share": "share of the suite fee",
        "preceding-fee": "fee of the period before", "annual-fee": "annual fee divided by its periods",
    }[policy.credit.of]  # fmt: skip


def allowance_words(allowance: Allowance) -> str:
    """Return an allowance as a policy spells it, such as "99.9%" or "1 hour"."""
    match allowance.of:
        case "availability":
            return f"{decimal_text(allowance.bound * 100)}%"
        case "downtime":
            return duration_text(allowance.bound)
        case "value":
            return decimal_text(allowance.bound)


def part_words(percent: Fraction) -> str:
    """Return a percentage in words: "10%", or as a fraction of the whole where no decimal says it, "1/30"."""
    percentage = number_text(percent)
    return number_text(percent / 100) if "/" in percentage else f"{percentage}%"


def remedy_words(remedy: Remedy, base: str) -> str:
    """Return what a remedy pays, in words, such as "10% of fee"."""
    each = ""
    beyond = "" if remedy.beyond is None else f" beyond {allowance_words(remedy.beyond)}"
    if remedy.per == "block" and remedy.block_seconds is not None:
        each = f" for each {'begun' if remedy.blocks == 'begun' else 'full'} {duration_text(remedy.block_seconds)}{beyond}"
    elif remedy.per == "unit":
        each = f" for each one{beyond}"
    said: list[str] = []
    if remedy.percent is not None:
        said.append(f"{part_words(remedy.percent)} of {base}{each}")
    if remedy.multiple is not None:
        said.append(f"{number_text(remedy.multiple)} times the {base} for the time down{beyond}")
    if remedy.fixed:
        said.append(f"{sums_words(remedy.fixed)}{each}")
    if remedy.hourly:
        said.append(f"{sums_words(remedy.hourly)} for each hour down{beyond}")
    joined = f"the {remedy.take} of " if remedy.take in ("lesser", "greater") else ""
    money = joined + (" and " if remedy.take else ", ").join(said)
    if remedy.service_days is None:
        return money
    days = (
        f"{decimal_text(remedy.service_days)} day{'' if remedy.service_days == 1 else 's'} of service{each}"
    )
    return f"{money} and {days}" if money else days


def sums_words(sums: Iterable[tuple[str, Fraction]]) -> str:
    """Return a table of sums in words, such as "500 USD or 450 EUR"."""
    return " or ".join(f"{decimal_text(amount / 10 ** minor_units(code))} {code}" for code, amount in sums)
