"""What issued documents credited in the months before one, for limits that look over several months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.domain.documents import Document, documents_of
from ledger.store.stream import read_stream

if TYPE_CHECKING:
    from ledger.domain.policy import Policy
    from ledger.store.log import SealedLog

__all__ = ["Credited", "credited_before"]

# By subscription minor units, and by series the version that they rest on.
Credited = tuple[dict[str, int], dict[str, int]]


def credited_before(
    log: SealedLog, policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str, upto: int
) -> Credited:
    """Return what was issued for each subscription in the months before one, as far back as its policy's limit looks.

    upto: only what the ledger held at that position. Documents are read where a policy has such a limit, and else none.
    """
    rolling = {
        key: max(
            policy.limits.rolling_months
            for _, policy in versions
            if policy.limits.rolling_percent is not None
        )
        for key, versions in policies.items()
        if any(policy.limits.rolling_percent is not None for _, policy in versions)
    }
    amounts: dict[str, int] = {}
    used: dict[str, int] = {}
    if not rolling:
        return amounts, used
    from projections.issued import Chain, held

    period = _month(period)
    earliest = _months_before(period, max(rolling.values()) - 1)
    for stream in log.streams("statement/", limit=100_000):
        entries = read_stream(log, stream, upto_position=upto)
        documents = documents_of((one.version, one.event) for one in entries)
        for documents_of_month in _chains(documents, earliest, period):
            used[stream] = max(used.get(stream, 0), documents_of_month[-1].version)
            month = documents_of_month[0].event.period
            found = held(
                log, Chain(stream.partition("/")[2], documents_of_month), lambda one: one["policy"] in rolling
            )
            for name, at, issued in zip(
                found.lines["subscription"].tolist(),
                found.lines["before"].tolist(),
                found.lines["issued"].tolist(),
                strict=True,
            ):
                months = rolling.get(found.known[at].get("policy", ""), 0)
                if issued and month >= _months_before(period, months - 1):
                    amounts[name] = amounts.get(name, 0) + issued
    return amounts, used


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
    year, month = divmod(int(period[:4]) * 12 + int(period[5:7]) - 1 - count, 12)
    return f"{year:04}-{month + 1:02}"
