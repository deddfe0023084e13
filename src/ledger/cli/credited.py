"""What issued documents credited in the months around one, for limits that look over several months."""

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
    log: SealedLog,
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    period: str,
    upto: int,
    rested: Mapping[str, int] | None = None,
) -> Found:
    """Return what was issued for each subscription in the months before one, as far back as any policy's limit looks.

    Later months that a limit sees together with this one count, too, where their policy takes nothing back: what was paid then cannot be
    paid again. upto: only what the ledger held at that position. rested: by series the version that a document rests on, which
    is computed again; of later months it counted no documents beyond. Documents of all series are read, as no subscription is credited twice
    for a month, but only where a policy has such a limit.
    """
    every = [policy for versions in policies.values() for _, policy in versions]
    found: dict[str, tuple[Earlier, ...]] = {}
    used: dict[str, int] = {}
    months = max(
        (
            one.limits.rolling_months if one.limits.rolling_over == "months" else 12
            for one in every
            if one.limits.rolling_percent is not None
        ),
        default=0,
    )
    if not months:
        return found, used
    period = _month(period)
    earliest, latest = (_months_before(period, count) for count in (months - 1, 1 - months))
    for stream in log.streams("statement/", limit=100_000):
        entries = read_stream(log, stream, upto_position=upto)
        documents = documents_of((one.version, one.event) for one in entries)
        for of_month in _chains(documents, earliest, period):
            used[stream] = max(used.get(stream, 0), of_month[-1].version)
            _add(found, log, policies, stream, of_month, _number(period))
        if rested is not None:
            documents = [one for one in documents if one.version <= rested.get(stream, 0)]
        for of_month in _chains(documents, _months_before(period, -1), _months_before(latest, -1)):
            if _add(found, log, policies, stream, of_month, _number(period)):
                used[stream] = max(used.get(stream, 0), of_month[-1].version)
    return found, used


def _add(
    found: dict[str, tuple[Earlier, ...]],
    log: SealedLog,
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    stream: str,
    of_month: list[Document],
    month: int,
) -> bool:
    """Add what the documents about one month credited; of a later month only what is not taken back. Tell whether anything was."""
    from projections.earlier_credits import Earlier
    from projections.issued import Chain, held

    ago = month - _number(of_month[0].event.period)
    limited = {
        key
        for key, versions in policies.items()
        if any(policy.limits.rolling_percent is not None for _, policy in versions)
    }
    issued = held(log, Chain(stream.partition("/")[2], of_month), lambda one: one["policy"] in limited)
    kept = [not dict(policies[one["policy"]])[one["policy_version"]].credit.clawback for one in issued.known]
    columns = ("subscription", "issued", "currency", "document", "before")
    lines = list(zip(*(issued.lines[column].tolist() for column in columns), strict=True))
    # What a former customer was not asked to give back is nothing of the one that a subscription was given to.
    given_on = {name for name, *_, facts in lines if not issued.ended[facts]} & {
        name for name, *_, facts in lines if issued.ended[facts]
    }
    some = False
    for name, amount, currency, number, facts in lines:
        if name in given_on and issued.ended[facts]:
            continue
        if amount and (ago > 0 or kept[facts]):
            found[name] = *found.get(name, ()), Earlier(ago, amount, currency, f"{stream} v{number}")
            some = True
    return some


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
