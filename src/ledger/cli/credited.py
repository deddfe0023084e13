"""What issued documents credited in the months before one, for limits that look over several months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.domain.documents import Document, documents_of
from ledger.store.stream import read_stream

if TYPE_CHECKING:
    from ledger.domain.policy import Policy
    from ledger.store.log import SealedLog
    from projections.earlier_credits import Earlier

__all__ = ["Found", "credited_before"]

# By subscription what was credited, and by series the version that was read up to.
Found = tuple[dict[str, tuple["Earlier", ...]], dict[str, int]]


def credited_before(
    log: SealedLog, policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str, upto: int
) -> Found:
    """Return what was issued for each subscription in the months before one, as far back as any policy's limit looks.

    upto: only what the ledger held at that position. Documents of all series are read, as no subscription is credited twice
    for a month, but only where a policy has such a limit.
    """
    rolling = {
        key: [
            policy.limits.rolling_months
            for _, policy in versions
            if policy.limits.rolling_percent is not None
        ]
        for key, versions in policies.items()
    }
    found: dict[str, tuple[Earlier, ...]] = {}
    used: dict[str, int] = {}
    months = max((one for each in rolling.values() for one in each), default=0)
    if not months:
        return found, used
    from projections.earlier_credits import Earlier
    from projections.issued import Chain, held

    period = _month(period)
    earliest = _months_before(period, months - 1)
    for stream in log.streams("statement/", limit=100_000):
        entries = read_stream(log, stream, upto_position=upto)
        documents = documents_of((one.version, one.event) for one in entries)
        for of_month in _chains(documents, earliest, period):
            used[stream] = max(used.get(stream, 0), of_month[-1].version)
            ago = _number(period) - _number(of_month[0].event.period)
            chain = Chain(stream.partition("/")[2], of_month)
            lines = held(log, chain, lambda one: bool(rolling.get(one["policy"]))).lines
            for name, amount, currency, number in zip(
                *(lines[column].tolist() for column in ("subscription", "issued", "currency", "document")),
                strict=True,
            ):
                if amount:
                    one = Earlier(ago, amount, currency, f"{stream} v{number}")
                    found[name] = *found.get(name, ()), one
    return found, used


def _chains(documents: Sequence[Document], earliest: str, period: str) -> list[list[Document]]:
    """Return the documents about each month from one up to, but not, another."""
    found: dict[int, list[Document]] = {}
    for one in documents:
        if earliest <= one.event.period < period:
            found.setdefault(one.statement, []).append(one)
    return list(found.values())


def _month(period: str) -> str:
    """Return the month in which a period ends, for which it is issued."""
    if "Q" in period:
        return f"{period[:4]}-{3 * int(period[-1]):02}"
    return period[:7] if "-" in period else f"{period}-12"


def _months_before(period: str, count: int) -> str:
    year, month = divmod(_number(period) - count, 12)
    return f"{year:04}-{month + 1:02}"


def _number(month: str) -> int:
    """Return the number of a month, so that months can be subtracted."""
    return int(month[:4]) * 12 + int(month[5:7]) - 1
