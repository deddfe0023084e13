"""What was credited for a subscription in the months around one, for limits that look over several months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from ledger.domain.money import format_money
from ledger.errors import Refused

__all__ = ["Counted", "Credited", "Earlier", "Year", "counted", "counted_most"]


class Earlier(msgspec.Struct, frozen=True):
    """What documents credited for a subscription in one month before a run, or in one after it that takes nothing back.

    months_ago: from the month of the run, 1 or more; below 0 for a later month. amount: minor units, of the statement with its adjustments. entry: the
    document that said it last, such as "statement/main v1".
    """

    months_ago: int
    amount: int
    currency: str
    entry: str


Credited: TypeAlias = Mapping[str, tuple[Earlier, ...]]


class Counted(NamedTuple):
    """What counts towards a limit: minor units, and the documents that say so."""

    amount: int
    entries: tuple[str, ...]


class Year(NamedTuple):
    """A year as what a limit looks over: the month of the run is its first (1) to its last (12)."""

    month: int


def counted(subscription: str, currency: str, earlier: Iterable[Earlier], over: int | Year) -> Counted:
    """Return what of earlier credits counts in a month for a limit over so many months, that month included, or over its year.

    Raises Refused where a month was credited in another currency, which no limit can add up.
    """
    return _sum(one for one in _within(subscription, currency, earlier, over) if one.months_ago > 0)


def counted_most(subscription: str, currency: str, earlier: Iterable[Earlier], over: int | Year) -> Counted:
    """Return what counts where later months do, too: every run of so many months that the month lies in holds to the limit.

    It is the run in which most was credited; a year is the only one. Raises Refused as `counted` does.
    """
    within = _within(subscription, currency, earlier, over)
    if isinstance(over, Year):
        return _sum(within)
    ends = sorted({0, *(-one.months_ago for one in within if one.months_ago < 0)})
    runs = (_sum(one for one in within if -end <= one.months_ago < over - end) for end in ends)
    return max(runs, key=lambda run: run.amount)


def _within(subscription: str, currency: str, earlier: Iterable[Earlier], over: int | Year) -> list[Earlier]:
    back, ahead = (over.month, 13 - over.month) if isinstance(over, Year) else (over, over)
    within = [one for one in earlier if -ahead < one.months_ago < back]
    for one in within:
        if one.currency != currency:
            months = 12 if isinstance(over, Year) else over
            raise Refused(
                f"subscription {subscription!r} is billed in {currency}, and {one.entry} credited "
                f"{format_money(one.amount, one.currency)} {one.currency} within the {months} months of its limit, which "
                "cannot be added up; correct the currency, or name the subscription anew"
            )
    return within


def _sum(some: Iterable[Earlier]) -> Counted:
    every = list(some)
    return Counted(sum(one.amount for one in every), tuple(one.entry for one in every))
