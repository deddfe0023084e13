"""What issuing, showing and restating documents share: reading what they rest on, and the documents of a series."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.cli import run
from ledger.cli.session import Session
from ledger.domain.documents import Document, documents_of
from ledger.domain.events import AdjustmentIssued, StatementIssued
from ledger.errors import Refused, Unavailable
from ledger.store.stream import read_stream
from projections.issued import Chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from ledger.cli.run import Basis
    from ledger.domain.events import PolicySays, RestsOn, ServiceDays, Total
    from ledger.domain.policy import Policy
    from projections.drafts import Draft, IssuerChoice

__all__ = [
    "Reading", "chain_of", "check_month", "days_as_json", "documents_in", "drafted", "read_facts", "row_of", "said_to_rest_on",
    "series_named", "sources_of", "totals_as_json",
]  # fmt: skip

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
# Of the documents of a series so many are named in a sentence.
_NAMED = 5


class Reading(msgspec.Struct):
    """What the ledger held for a period under a cut: a run's basis with the claims beside it."""

    basis: Any
    claims: list[Any]

    def policy_of(self, key: str, version: int) -> Policy:
        """Return a version of a policy; Unavailable where the ledger does not hold it."""
        found: dict[int, Policy] = dict(self.basis.policies.get(key, ()))
        if version not in found:
            raise Unavailable(f"policy/{key} v{version} is not at hand; run ledger verify")
        return found[version]

    def reads_exclusions(self, policies: Iterable[str]) -> bool:
        """Tell whether any of these policies asks for recorded exclusions; format 1 does not."""
        return any(
            not rule.own_plan_only
            for key in policies
            for _, policy in self.basis.policies.get(key, ())
            for rule in policy.exclusions
        )


def read_facts(session: Session, basis: Basis) -> Reading:
    """Return what was recorded beside the windows of a run: the claims that may be for it."""
    return Reading(basis, basis.claims or run.claims_for(session, basis.policies, basis.period, basis.cut))


def check_month(period: str) -> None:
    """Refuse a period that documents are not issued for."""
    if not _MONTH.fullmatch(period):
        raise Refused(
            f"period {period!r} is not a month; documents are issued by month, a quarter or a year in the month in which it "
            "ends, such as 2022-03"
        )


def drafted(
    session: Session, reading: Reading, choice: IssuerChoice, subscriptions: pd.DataFrame | None = None
) -> Draft:
    """Return the draft of all subscriptions of a reading, or of some that are given."""
    from projections.claimed import windows_of
    from projections.drafts import draft
    from projections.subscriptions import joined

    if subscriptions is None:
        subscriptions = joined(list(run.parts_of(session, reading.basis)))
    job = run.job_of(reading.basis)

    def price_with(some: pd.DataFrame, incidents: frozenset[str]) -> pd.DataFrame:
        return msgspec.structs.replace(job, windows=windows_of(job.windows, incidents)).price(some)

    frame = job.price(subscriptions)
    return draft(subscriptions, frame, choice, reading.claims, reading.policy_of, price_with)


def sources_of(
    session: Session, reading: Reading, draft: Draft, policies: set[str]
) -> dict[str, tuple[int, str | None]]:
    """Return by stream the version, and where it published something the digest, that a draft rests on.

    policies: the keys in use. A policy counts with all of its versions up to the last: which one is in force follows from
    them.
    """
    log, basis = session.log(), reading.basis
    found: dict[str, tuple[int, str | None]] = {
        **{one.stream: (one.version, one.sha256) for one in (*basis.tables, *basis.cohorts.tables)},
    }
    for key in policies:
        version, policy = basis.policies[key][-1]
        found[f"policy/{key}"] = version, policy.sha256
    streams = {
        *(f"incident/{one.incident}" for one in basis.windows),
        *(entry.partition(" ")[0] for facts in draft.facts for entry in facts["entries"]),
        *(f"exclusion/{one.exclusion}" for one in basis.exclusions if reading.reads_exclusions(policies)),
        *(f"claim/{one.claim}" for one in reading.claims),
    }
    found |= {stream: (version, None) for stream, version in basis.credited_from.items()}
    for stream in streams - found.keys():
        found[stream] = [one.version for one in log.stream(stream) if one.position <= basis.size][-1], None
    return found


def said_to_rest_on(
    reading: Reading, choice: IssuerChoice, draft: Draft, sources: dict[str, tuple[int, str | None]], *, over: bool,
    kept: RestsOn | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what a document says it rests on, the field `rests_on` as an action says it. over: the period was, so that no more can come.

    kept: what the document before it rests on, where only a part of the lines was looked at: the others still rest on it.
    """
    from projections.calculator import CALCULATOR

    basis = reading.basis
    found: dict[str, Any] = {
        "position": basis.size, "root": basis.root, "as_of": basis.as_of, "calculator": CALCULATOR,
        "sources": [
            {"stream": stream, "version": version, **({} if digest is None else {"sha256": digest})}
            for stream, (version, digest) in sorted(sources.items())
        ],
    }  # fmt: skip
    if basis.cut.published_by is not None:
        found["published_by"] = basis.cut.published_by
    if draft.uses_undecided or (kept is not None and kept.undecided is not None):
        found["undecided"] = choice.undecided
    if draft.uses_provisional or not over or (kept is not None and kept.provisional):
        found["provisional"] = True
    if said := _said(() if kept is None else kept.policies_say, draft.policies_say):
        found["policies_say"] = [msgspec.to_builtins(one) for one in said]
    return found


def _said(*several: Iterable[PolicySays]) -> list[PolicySays]:
    """Return what policies said of open facts in any of several drafts, each version of a policy once."""
    found: dict[tuple[str, int], PolicySays] = {}
    for one in (one for some in several for one in some):
        known = found.get((one.stream, one.version), one)
        found[one.stream, one.version] = msgspec.structs.replace(
            known,
            undecided=known.undecided or one.undecided,
            provisional=known.provisional or one.provisional,
        )
    return [found[key] for key in sorted(found)]


# ---- documents -------------------------------------------------------------------------------------------


def series_named(session: Session, series: str | None) -> list[str]:
    """Return the keys of the series that are meant: the one that is named, or all."""
    known = [stream.partition("/")[2] for stream in session.log().streams("statement/", limit=100_000)]
    if series is None:
        return known
    if series not in known:
        from ledger.errors import nearest

        raise Refused(
            f"series {series!r} has no document yet{nearest(series, known)}; see ledger credits list"
        )
    return [series]


def documents_in(session: Session, series: str) -> list[tuple[Document, Any]]:
    """Return the documents of a series, each with its entry."""
    entries = read_stream(session.log(), f"statement/{series}")
    at = {entry.version: entry for entry in entries}
    return [(one, at[one.version]) for one in documents_of((entry.version, entry.event) for entry in entries)]


def chain_of(session: Session, series: str, chosen: Callable[[Document], bool], what: str) -> Chain:
    """Return the statement that is meant, with its adjustments. what: how it was named, for the sentence."""
    documents = [one for one, _ in documents_in(session, series)]
    found = [one for one in documents if chosen(one)]
    if not found:
        last = [f"{one.number} ({one.event.period})" for one in documents[-_NAMED:]]
        more = f"{len(documents):,}, the last of them " if len(documents) > len(last) else ""
        raise Refused(
            f"{what} is no document of series {series!r}, which has {more}{', '.join(last) or 'none'}; see ledger credits list"
        )
    return Chain(series, [one for one in documents if one.statement == found[0].statement])


def totals_as_json(totals: Iterable[Total]) -> list[dict[str, Any]]:
    """Return the sums of money for programs (contract in docs/json.md)."""
    return [
        {"currency": one.currency, "lines": one.lines, "amount": one.amount, "waived": one.waived}
        for one in totals
    ]


def days_as_json(total: ServiceDays) -> dict[str, Any]:
    """Return the sum of days of service for programs (contract in docs/json.md)."""
    return {"lines": total.lines, "days": total.days, "waived": total.waived}


def row_of(series: str, document: Document, entry: Any) -> dict[str, Any]:
    """Return a document for programs (contract in docs/json.md)."""
    event: StatementIssued | AdjustmentIssued = document.event
    adjusts = isinstance(event, AdjustmentIssued)
    return {
        "series": series, "number": document.number, "kind": "adjustment" if adjusts else "statement",
        "period": event.period, "decided_on": event.decided_on, "accounting_date": event.accounting_date,
        "adjusts": event.adjusts if isinstance(event, AdjustmentIssued) else None,
        "follows": event.follows if isinstance(event, AdjustmentIssued) else None,
        "lines": event.lines.lines, "assessments": event.lines.assessments,
        "totals": totals_as_json(event.totals),
        "service_days": None if event.service_days is None else days_as_json(event.service_days),
        "causes": (
            [f"{one.stream} v{one.version}" for one in event.causes] if isinstance(event, AdjustmentIssued) else None
        ),
        "rests_on": {
            "position": event.rests_on.position, "root": event.rests_on.root, "as_of": event.rests_on.as_of,
            "published_by": event.rests_on.published_by, "calculator": event.rests_on.calculator,
            "undecided": event.rests_on.undecided, "provisional": event.rests_on.provisional,
            "policies_say": [msgspec.to_builtins(one) for one in event.rests_on.policies_say],
            "sources": [msgspec.to_builtins(one) for one in event.rests_on.sources],
        },
        "lines_sha256": event.lines.sha256, "lines_root": event.lines.root,
        "stream": entry.stream, "version": entry.version, "position": entry.position, "recorded_at": entry.recorded_at,
        "published_at": entry.published_at,
    }  # fmt: skip
