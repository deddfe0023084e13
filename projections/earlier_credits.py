"""What was credited for a subscription in the months before one, for limits that look over several months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from ledger.domain.money import format_money
from ledger.errors import Refused

__all__ = ["Counted", "Credited", "Earlier", "counted"]


class Earlier(msgspec.Struct, frozen=True):
    """What documents credited for a subscription in one month before a run.

    months_ago: from the month of the run, 1 or more. amount: minor units, of the statement with its adjustments. entry: the
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
    within = [one for one in earlier if one.months_ago < rolling_months]
    for one in within:
        if one.currency != currency:
            raise Refused(
                f"subscription {subscription!r} is billed in {currency}, and {one.entry} credited "
                f"{format_money(one.amount, one.currency)} {one.currency} within the {rolling_months} months of its limit, which "
                "cannot be added up; correct the currency, or name the subscription anew"
            )
    return Counted(sum(one.amount for one in within), tuple(one.entry for one in within))
