"""What was credited for a subscription in the months around one, for limits that look over several months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from ledger.domain.money import format_money
from ledger.errors import Refused

__all__ = ["Counted", "Credited", "Earlier", "counted", "counted_most"]


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


def counted(subscription: str, currency: str, earlier: Iterable[Earlier], rolling_months: int) -> Counted:
    """Return what of earlier credits counts in a month for a limit over so many months, that month included.

    Raises Refused where a month was credited in another currency, which no limit can add up.
    """
    return _sum(one for one in _within(subscription, currency, earlier, rolling_months) if one.months_ago > 0)


def counted_most(
    subscription: str, currency: str, earlier: Iterable[Earlier], rolling_months: int
) -> Counted:
    """Return what counts where later months do, too: every run of so many months that the month lies in holds to the limit.

    It is the run in which most was credited. Raises Refused as `counted` does.
    """
    within = _within(subscription, currency, earlier, rolling_months)
    ends = sorted({0, *(-one.months_ago for one in within if one.months_ago < 0)})
    runs = (_sum(one for one in within if -end <= one.months_ago < rolling_months - end) for end in ends)
    return max(runs, key=lambda run: run.amount)


def _within(
    subscription: str, currency: str, earlier: Iterable[Earlier], rolling_months: int
) -> list[Earlier]:
    within = [one for one in earlier if abs(one.months_ago) < rolling_months]
    for one in within:
        if one.currency != currency:
            raise Refused(
                f"subscription {subscription!r} is billed in {currency}, and {one.entry} credited "
                f"{format_money(one.amount, one.currency)} {one.currency} within the {rolling_months} months of its limit, which "
                "cannot be added up; correct the currency, or name the subscription anew"
            )
    return within


def _sum(some: Iterable[Earlier]) -> Counted:
    every = list(some)
    return Counted(sum(one.amount for one in every), tuple(one.entry for one in every))
