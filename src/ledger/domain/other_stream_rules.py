"""What is refused in streams that are no incident's: policies, tables, keys, exclusions, claims, statements and periods."""

from __future__ import annotations

from typing import assert_never

from ledger.domain.actions import Action
from ledger.domain.correction_rules import redacted
from ledger.domain.events import (
    AdjustmentIssued,
    AnyEvent,
    ClaimDecided,
    ClaimFiled,
    ClaimWithdrawn,
    CohortPublished,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    ExclusionRecorded,
    ExclusionWithdrawn,
    IncidentAffectedSet,
    IncidentFixDeployed,
    IncidentIdentified,
    IncidentImpactSet,
    IncidentLinked,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentRetitled,
    IncidentUpdated,
    IncidentWithdrawn,
    KeyPublished,
    KeyRevoked,
    KeyRotated,
    MeasurementRecorded,
    PeriodClosed,
    PeriodReopened,
    PolicyPublished,
    StatementIssued,
    SubscriptionsPublished,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.stream_history import History
from ledger.errors import Refused

__all__ = ["check_rows", "check_terms", "decide_other_stream"]


def decide_other_stream(history: History, action: Action, now: str, ledger: str) -> AnyEvent:
    """Return the event that an action makes in a stream that is no incident's.

    now: the present in the ledger's spelling. ledger: its id, which the signature of a rotated key covers. Raises Refused, and
    Unavailable where a signature cannot be checked.
    """
    event = action.event
    kind, _, key = action.stream.partition("/")
    if isinstance(event, EntryRedacted):
        if not history.version:
            raise Refused(f"{kind} {key!r} does not exist; there is nothing to redact")
        return redacted(history, event)
    if event.internal:
        article = "an" if kind[0] in "aeiou" else "a"
        raise Refused(f"internal does not fit {action.verb}: {article} {kind} is no notice; leave it out")
    told = event.published_at or now
    # What only one kind of stream needs is imported when that kind is written: an append to an incident pays for none.
    match event:
        case PolicyPublished():
            check_terms(event, key)
        case SubscriptionsPublished() | CohortPublished():
            pass
        case KeyPublished() | KeyRotated() | KeyRevoked():
            from ledger.domain.keys import decide_key

            decide_key(history.events, event, action.stream, ledger, told)
        case ExclusionRecorded() | ExclusionWithdrawn():
            from ledger.domain.claims import decide_exclusion

            decide_exclusion(history.events, event, key, told)
        case ClaimFiled() | ClaimDecided() | ClaimWithdrawn():
            from ledger.domain.claims import decide_claim

            decide_claim(history.events, event, key, told)
        case StatementIssued() | AdjustmentIssued():
            from ledger.domain.documents import decide_document

            return decide_document(history.events, event, key, now)
        case PeriodClosed() | PeriodReopened():
            from ledger.domain.documents import decide_period

            decide_period(history.events, event, key, now)
        case (
            IncidentOpened() | IncidentIdentified() | IncidentUpdated() | IncidentFixDeployed() | IncidentResolved()
            | IncidentReopened() | EntryCorrected() | EntryWithdrawn() | EntryPublished() | IncidentRetitled()
            | IncidentAffectedSet() | IncidentImpactSet() | WindowAdded() | WindowRevised() | WindowWithdrawn()
            | MeasurementRecorded() | IncidentLinked() | IncidentWithdrawn()
        ):  # fmt: skip
            raise TypeError(event.TYPE)
        case _:
            assert_never(event)
    return event


def check_rows(history: History, event: AnyEvent) -> list[str]:
    """Refuse a table without rows in the place of one with rows, and warn of any other without.

    A file that was cut off after its header would end every subscription, and every limit to a cohort, without a word. A table that
    was published by mistake is taken back in so many words, with a reason.
    """
    if not isinstance(event, SubscriptionsPublished | CohortPublished) or event.table.rows:
        return []
    what = "subscriptions" if isinstance(event, SubscriptionsPublished) else "customers"
    for version, before in reversed(list(enumerate(history.events, 1))):
        if isinstance(before, SubscriptionsPublished | CohortPublished):
            if not before.table.rows or event.reason is not None:
                break
            way = "give each its valid_to" if what == "subscriptions" else "name another cohort in the window"
            raise Refused(
                f"the table holds no {what}, and would take away the {before.table.rows:,} of v{version}; publish the table "
                f"that was meant, or {way}; to take back what was published by mistake, give a reason"
            )
    return [f"the table holds no {what}"]


def check_terms(event: PolicyPublished, key: str) -> None:
    """Refuse terms that cannot be parsed, or that are not those of the policy that the event says. key: of its stream."""
    from ledger.domain.policy import parse_policy, policy_sha256

    policy = parse_policy(event.terms)
    if policy.key != key:
        raise Refused(
            f"policy {policy.key!r} in the terms is not the stream's key {key!r}; make them the same"
        )
    if event.in_force_from != policy.in_force_from:
        raise Refused(f"in_force_from {event.in_force_from} differs from {policy.in_force_from} in the terms")
    if event.sha256 != policy_sha256(event.terms):
        raise Refused(
            f"sha256 {event.sha256} is not the digest of the terms, which is {policy_sha256(event.terms)}"
        )
