"""What can happen: the closed set of events, each a frozen record with a stable name.

An event's name (`type`) and the meaning of its fields never change. A new meaning gets a new
name, and the old one is turned into it when it is read (`UPCASTS`). Fields that a person types
freely are texts: in the stored data a text is only a commitment, so that it can be erased while
every proof stays (`ledger.store.entry`). A text that was erased is read back as its commitment.

In an action the same records carry references (`corrects`, `publishes`, `entry`) as people write
them (a ref, `r3`, `v5`); in a stored event a reference is a version of the same stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from ledger.domain.exclusion import ExclusionKind

__all__ = [
    "ACTIONS", "EFFECTS", "TYPES", "UPCASTS", "AnyEvent", "Commitment", "Event", "External", "Lines", "Missing", "Planned", "RestsOn",
    "Series", "Source", "Status", "Text", "Total",
    "AdjustmentIssued", "ClaimDecided", "ClaimFiled", "ClaimWithdrawn", "CohortPublished", "EntryCorrected", "EntryPublished", "EntryRedacted", "EntryWithdrawn",
    "ExclusionRecorded", "ExclusionWithdrawn", "IncidentAffectedSet", "IncidentFixDeployed", "IncidentIdentified", "IncidentImpactSet", "IncidentLinked",
    "IncidentOpened", "IncidentReopened", "IncidentResolved", "IncidentRetitled", "IncidentUpdated",
    "IncidentWithdrawn", "KeyPublished", "KeyRevoked", "KeyRotated", "MeasurementRecorded", "PeriodClosed",
    "PeriodReopened", "PolicyPublished", "StatementIssued", "SubscriptionsPublished", "WindowAdded",
    "WindowRevised", "WindowWithdrawn", "text_paths", "upcast",
]  # fmt: skip


class Commitment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the stored data for a text: SHA-256(salt ‖ value) in hexadecimal."""

    sha256: str


class Missing(Commitment, frozen=True, forbid_unknown_fields=True):
    """A commitment whose text is gone although no entry erased it; `ledger.store.stream` finds these."""


Text: TypeAlias = str | Commitment
Status: TypeAlias = Literal[
    "investigating", "identified", "monitoring", "resolved", "postmortem",
    "scheduled", "in-progress", "verifying", "completed",
]  # fmt: skip
Effect: TypeAlias = Literal["outage", "partial-outage", "degraded", "delay", "data-loss"]
EFFECTS: tuple[str, ...] = get_args(Effect)
Basis: TypeAlias = Literal["stated", "measured", "derived", "inferred"]
Impact: TypeAlias = Literal["none", "minor", "major", "critical"]
ShareOf: TypeAlias = Literal["traffic", "users", "customers", "requests", "messages"]


class External(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same fact in another system: its name there, and the system's."""

    system: str
    id: str


class Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a planned window was announced, and for when it was scheduled (instants)."""

    announced_at: str
    scheduled_start: str
    scheduled_end: str


class Series(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A table kept by digest: SHA-256 of its bytes, its format and number of rows."""

    sha256: str
    format: Literal["csv", "parquet"]
    rows: int
    location: str | None = None


class Source(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A stream up to a version that a document rests on; sha256: of the terms or the table that version published."""

    stream: str
    version: int
    sha256: str | None = None


class PolicySays(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version of a policy that said itself how open facts count, where lines of a document needed it.

    undecided: which end of the bounds it takes. provisional: it takes what is open as it stands.
    """

    stream: str
    version: int
    undecided: Literal["least", "most"] | None = None
    provisional: bool = False


class RestsOn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """All that the figures of a document follow from, so that they can be computed again.

    position, root: the ledger that was read, as size and root. as_of: how long open windows had lasted, at least.
    published_by: only what had been published by then; absent: all that was held. sources: every stream that was used,
    with its version at that position. calculator: the version of the arithmetic. undecided: which end of the bounds
    was taken where facts decide no amount; absent: every amount was decided. provisional: open windows were taken
    as they stood. Both are what who issued it chose; policies_say: what policies said of their own lines, to which that
    choice does not apply.
    """

    position: int
    root: str
    as_of: str
    sources: tuple[Source, ...]
    calculator: str
    published_by: str | None = None
    undecided: Literal["least", "most"] | None = None
    provisional: bool = False
    policies_say: tuple[PolicySays, ...] = ()


class Total(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The sum of a document's lines in one currency, in major units: credit, or in an adjustment what is added to it.

    lines: how many were added up. waived: what an adjustment would have taken back, and its policy does not.
    """

    currency: str
    lines: int
    amount: str
    waived: str | None = None


class ServiceDays(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The sum of the days of service on a document's lines, as a decimal; in an adjustment what is added to them.

    lines: how many say any, 0 days included. waived: what an adjustment would have taken back, and its policy does not.
    """

    lines: int
    days: str
    waived: str | None = None


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines of a document, kept by digest: a text of JSON lines, first the assessments and then what each pays.

    sha256: of the whole text. root: of the RFC 6962 tree that has the bytes of each line, without its line end, as a
    leaf; each line holds a salt. docs/statements.md tells what stands in a line.
    """

    sha256: str
    root: str
    assessments: int
    lines: int


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Fields every event may carry.

    actor: who says it, as claimed. ref: a label for this entry, unique in its stream. change: label of the
    act that several entries of one incident make up. published_at: when it was made public; absent means
    when it was recorded. internal: known, not said, until an `entry.published`. reason: why, public.
    note: why, never public. source: URL or ticket. external: the same fact in another system. body: the
    public text, in body_format.
    """

    TYPE: ClassVar[str] = ""

    actor: Text
    ref: str | None = None
    change: str | None = None
    published_at: str | None = None
    internal: bool = False
    reason: Text | None = None
    note: Text | None = None
    source: Text | None = None
    external: External | None = None
    body: Text | None = None
    body_format: Literal["text", "markdown"] = "text"


class IncidentOpened(Event, frozen=True, kw_only=True):
    """An incident, or a maintenance, became a notice. began_at: when the trouble began, as stated."""

    TYPE: ClassVar[str] = "incident.opened"

    title: Text
    status: Status
    kind: Literal["incident", "maintenance"] = "incident"
    began_at: str | None = None
    scheduled_start: str | None = None
    scheduled_end: str | None = None
    services: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    impact: Impact | None = None


class IncidentIdentified(Event, frozen=True, kw_only=True):
    """The cause was found; cause: its category, a short name."""

    TYPE: ClassVar[str] = "incident.identified"

    cause: str | None = None


class IncidentUpdated(Event, frozen=True, kw_only=True):
    """More was said; status: only when it changes."""

    TYPE: ClassVar[str] = "incident.updated"

    status: Status | None = None


class IncidentFixDeployed(Event, frozen=True, kw_only=True):
    """A fix was in place from `at` (effective time); scope: where, in words. The status becomes monitoring."""

    TYPE: ClassVar[str] = "incident.fix_deployed"

    at: str
    scope: Text | None = None


class IncidentResolved(Event, frozen=True, kw_only=True):
    """Declared over, at effective time `at` if said. Closes no window."""

    TYPE: ClassVar[str] = "incident.resolved"

    at: str | None = None


class IncidentReopened(Event, frozen=True, kw_only=True):
    """Declared over too early; the status becomes investigating (a maintenance: in-progress)."""

    TYPE: ClassVar[str] = "incident.reopened"

    reason: Text


class EntryCorrected(Event, frozen=True, kw_only=True):
    """An earlier entry of this stream said something wrong.

    corrects: its version. kind: `correction` changes facts, `editorial` only spelling. set: the fields of the
    corrected entry as they should have been; null takes an optional field away.
    """

    TYPE: ClassVar[str] = "entry.corrected"

    corrects: int | str
    kind: Literal["correction", "editorial"]
    set: dict[str, Any]
    reason: Text


class EntryWithdrawn(Event, frozen=True, kw_only=True):
    """An earlier update, or correction, should not have been said; it stays in the history."""

    TYPE: ClassVar[str] = "entry.withdrawn"

    corrects: int | str
    reason: Text


class EntryPublished(Event, frozen=True, kw_only=True):
    """An internal entry was made public."""

    TYPE: ClassVar[str] = "entry.published"

    publishes: int | str


class EntryRedacted(Event, frozen=True, kw_only=True):
    """Texts of an earlier entry of this stream were erased: their salts and values are gone.

    entry: its version. fields: paths of texts, such as `body` or `set.body`.
    """

    TYPE: ClassVar[str] = "entry.redacted"

    entry: int | str
    fields: tuple[str, ...]
    reason: Text


class IncidentRetitled(Event, frozen=True, kw_only=True):
    """The notice got another title."""

    TYPE: ClassVar[str] = "incident.retitled"

    title: Text


class IncidentAffectedSet(Event, frozen=True, kw_only=True):
    """The affected services, components and regions are these, whole."""

    TYPE: ClassVar[str] = "incident.affected_set"

    services: tuple[str, ...]
    components: tuple[str, ...]
    regions: tuple[str, ...]


class IncidentImpactSet(Event, frozen=True, kw_only=True):
    """The declared impact is this."""

    TYPE: ClassVar[str] = "incident.impact_set"

    impact: Impact


class WindowAdded(Event, frozen=True, kw_only=True):
    """An impact window: [start, end) in whole seconds, for one service, component and region.

    region, component: one of the incident's, `*` (all of them) or `unknown`. end absent: still open.
    share_at_most, share_at_least: bounds of the affected part of share_of, decimals from 0 to 1.
    approximate: times are "about", tolerance unknown. start_within_seconds, end_within_seconds: tolerance,
    either way. basis: how it is known; quote: the words it was derived from. cohort: only these customers.
    """

    TYPE: ClassVar[str] = "window.added"

    window: str
    service: str
    component: str
    region: str
    start: str
    effect: Effect
    end: str | None = None
    share_at_most: str | None = None
    share_at_least: str | None = None
    share_of: ShareOf | None = None
    approximate: bool = False
    start_within_seconds: int | None = None
    end_within_seconds: int | None = None
    basis: Basis | None = None
    quote: Text | None = None
    cohort: str | None = None
    planned: Planned | None = None


class WindowRevised(Event, frozen=True, kw_only=True):
    """Fields of a window were wrong and are now these; null takes an optional one away (end: open again)."""

    TYPE: ClassVar[str] = "window.revised"

    window: str
    reason: Text
    service: str | UnsetType = UNSET
    component: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    start: str | UnsetType = UNSET
    effect: Effect | UnsetType = UNSET
    end: str | UnsetType | None = UNSET
    share_at_most: str | UnsetType | None = UNSET
    share_at_least: str | UnsetType | None = UNSET
    share_of: ShareOf | UnsetType | None = UNSET
    approximate: bool | UnsetType = UNSET
    start_within_seconds: int | UnsetType | None = UNSET
    end_within_seconds: int | UnsetType | None = UNSET
    basis: Basis | UnsetType | None = UNSET
    quote: Text | UnsetType | None = UNSET
    cohort: str | UnsetType | None = UNSET
    planned: Planned | UnsetType | None = UNSET


class WindowWithdrawn(Event, frozen=True, kw_only=True):
    """A window was never so; it counts nothing and stays in the history."""

    TYPE: ClassVar[str] = "window.withdrawn"

    window: str
    reason: Text


class MeasurementRecorded(Event, frozen=True, kw_only=True):
    """A figure measured over [start, end): `failed` of `total`, or a `value`, or a series by digest.

    of: what was counted. value: a decimal, in `unit` (for latency), as the named `statistic` such as p95.
    """

    TYPE: ClassVar[str] = "measurement.recorded"

    measurement: str
    service: str
    component: str
    region: str
    start: str
    end: str
    of: Literal["requests", "users", "messages", "executions", "latency"]
    total: int | None = None
    failed: int | None = None
    value: str | None = None
    unit: str | None = None
    statistic: str | None = None
    series: Series | None = None


class IncidentLinked(Event, frozen=True, kw_only=True):
    """This incident stands in a relation to another one; to: its key."""

    TYPE: ClassVar[str] = "incident.linked"

    relation: Literal["duplicate-of", "caused-by", "related"]
    to: str


class IncidentWithdrawn(Event, frozen=True, kw_only=True):
    """Opened by mistake: stays in the history, its windows count nothing."""

    TYPE: ClassVar[str] = "incident.withdrawn"

    reason: Text


class PolicyPublished(Event, frozen=True, kw_only=True):
    """The terms of one SLA from a date on. terms: the TOML text whole; sha256: of its UTF-8 bytes.

    in_force_from: a date, the first day in the policy's zone. The stream's version is the policy's version.
    """

    TYPE: ClassVar[str] = "policy.published"

    terms: str
    sha256: str
    in_force_from: str


class SubscriptionsPublished(Event, frozen=True, kw_only=True):
    """What customers pay for, as a table by digest; it replaces the stream's earlier table."""

    TYPE: ClassVar[str] = "subscriptions.published"

    table: Series


class CohortPublished(Event, frozen=True, kw_only=True):
    """Which customers a cohort is, as a table by digest; it replaces the stream's earlier table."""

    TYPE: ClassVar[str] = "cohort.published"

    table: Series


class KeyPublished(Event, frozen=True, kw_only=True):
    """A signing key came into use. vkey: the verifier key, as in C2SP signed-note: name, key id, algorithm, key."""

    TYPE: ClassVar[str] = "key.published"

    vkey: str


class KeyRotated(Event, frozen=True, kw_only=True):
    """The key `replaces` gave way to `vkey`. signature: by the key replaced, over both, ledger, stream and version.

    The signed bytes are described in docs/adr/0010; base64 of an Ed25519 signature (RFC 8032).
    """

    TYPE: ClassVar[str] = "key.rotated"

    replaces: str
    vkey: str
    signature: str


class KeyRevoked(Event, frozen=True, kw_only=True):
    """A key of this stream was lost or stolen. doubted_from: since when its signatures are doubted; absent: all are.

    Revoking the key that is in use ends the stream.
    """

    TYPE: ClassVar[str] = "key.revoked"

    vkey: str
    reason: Text
    doubted_from: str | None = None


class ExclusionRecorded(Event, frozen=True, kw_only=True):
    """Time that policies may leave out of downtime: [start, end) in whole seconds, for a service, component and region.

    service, component, region: names, or `*` for all. announced_at: when it was announced, for maintenance that counts
    as planned only in time. customer or cohort: the only customers it concerns; neither: everybody. approved_by: who
    answers for it; evidence: what it rests on. Recorded again in the same stream it replaces what stood there, and needs
    a reason. Whether it excludes anything is for each policy to say.
    """

    TYPE: ClassVar[str] = "exclusion.recorded"

    kind: ExclusionKind
    service: str
    component: str
    region: str
    start: str
    end: str
    approved_by: Text
    evidence: Text
    announced_at: str | None = None
    customer: Text | None = None
    cohort: str | None = None


class ExclusionWithdrawn(Event, frozen=True, kw_only=True):
    """The exclusion was never so, or is given up: it excludes nothing and stays in the history."""

    TYPE: ClassVar[str] = "exclusion.withdrawn"

    reason: Text


class ClaimFiled(Event, frozen=True, kw_only=True):
    """A customer claimed credit for a period. at: when the claim arrived, which the deadline is held against.

    customer: as in the subscriptions. period: as its policy labels it (2022-03, 2022-Q1, 2022; a billing month by the month in which
    it begins), or the month in which a quarter or a year ends. incidents: the ones it names; none: whatever happened in the period.
    """

    TYPE: ClassVar[str] = "claim.filed"

    customer: Text
    period: str
    at: str
    incidents: tuple[str, ...] = ()


class ClaimDecided(Event, frozen=True, kw_only=True):
    """The claim was granted or refused, and why; at: when, if not when it was recorded. The last decision holds."""

    TYPE: ClassVar[str] = "claim.decided"

    decision: Literal["granted", "refused"]
    reason: Text
    at: str | None = None


class ClaimWithdrawn(Event, frozen=True, kw_only=True):
    """The customer, or whoever entered it, took the claim back."""

    TYPE: ClassVar[str] = "claim.withdrawn"

    reason: Text


class StatementIssued(Event, frozen=True, kw_only=True):
    """The credits of a service period, as issued. It is never edited: what changes later is an adjustment.

    number: of the document in its series, 1, 2, 3 … without gaps; left out in an action, it is the next one. period: when
    the service was given. decided_on: the date of the decision; accounting_date: the date in the books. totals: per
    currency, in the order of the codes. service_days: the sum of days of service, where any line has some to say.
    """

    TYPE: ClassVar[str] = "statement.issued"

    period: str
    decided_on: str
    accounting_date: str
    rests_on: RestsOn
    lines: Lines
    totals: tuple[Total, ...]
    number: int | None = None
    service_days: ServiceDays | None = None


class AdjustmentIssued(Event, frozen=True, kw_only=True):
    """What restated facts add to a statement, or take from it; without any money it says that facts changed.

    adjusts: the number of the statement in this series. follows: the number of the last document about it, whose figures
    the differences are taken from. causes: the entries that made the difference, as streams with versions. The other
    fields are those of a statement.
    """

    TYPE: ClassVar[str] = "adjustment.issued"

    adjusts: int
    follows: int
    period: str
    decided_on: str
    accounting_date: str
    rests_on: RestsOn
    causes: tuple[Source, ...]
    lines: Lines
    totals: tuple[Total, ...]
    number: int | None = None
    service_days: ServiceDays | None = None


class PeriodClosed(Event, frozen=True, kw_only=True):
    """The books of a month are closed: no document takes an accounting date in it from here on."""

    TYPE: ClassVar[str] = "period.closed"


class PeriodReopened(Event, frozen=True, kw_only=True):
    """The books of a month are open again."""

    TYPE: ClassVar[str] = "period.reopened"

    reason: Text


AnyEvent: TypeAlias = (
    IncidentOpened | IncidentIdentified | IncidentUpdated | IncidentFixDeployed | IncidentResolved
    | IncidentReopened | EntryCorrected | EntryWithdrawn | EntryPublished | EntryRedacted | IncidentRetitled
    | IncidentAffectedSet | IncidentImpactSet | WindowAdded | WindowRevised | WindowWithdrawn
    | MeasurementRecorded | IncidentLinked | IncidentWithdrawn | PolicyPublished | SubscriptionsPublished
    | CohortPublished | KeyPublished | KeyRotated | KeyRevoked | ExclusionRecorded | ExclusionWithdrawn | ClaimFiled
    | ClaimDecided | ClaimWithdrawn | StatementIssued | AdjustmentIssued | PeriodClosed | PeriodReopened
)  # fmt: skip

# The verb of each action (imperative) and the event it makes (past tense).
ACTIONS: dict[str, type[AnyEvent]] = {
    "open": IncidentOpened,
    "identify": IncidentIdentified,
    "update": IncidentUpdated,
    "deploy-fix": IncidentFixDeployed,
    "resolve": IncidentResolved,
    "reopen": IncidentReopened,
    "correct": EntryCorrected,
    "withdraw-update": EntryWithdrawn,
    "publish": EntryPublished,
    "retitle": IncidentRetitled,
    "set-affected": IncidentAffectedSet,
    "set-impact": IncidentImpactSet,
    "add-window": WindowAdded,
    "revise-window": WindowRevised,
    "withdraw-window": WindowWithdrawn,
    "record-measurement": MeasurementRecorded,
    "link": IncidentLinked,
    "withdraw": IncidentWithdrawn,
    "redact": EntryRedacted,
    "publish-policy": PolicyPublished,
    "publish-subscriptions": SubscriptionsPublished,
    "publish-cohort": CohortPublished,
    "publish-key": KeyPublished,
    "rotate-key": KeyRotated,
    "revoke-key": KeyRevoked,
    "exclude": ExclusionRecorded,
    "withdraw-exclusion": ExclusionWithdrawn,
    "claim": ClaimFiled,
    "decide-claim": ClaimDecided,
    "withdraw-claim": ClaimWithdrawn,
    "issue-statement": StatementIssued,
    "issue-adjustment": AdjustmentIssued,
    "close-period": PeriodClosed,
    "reopen-period": PeriodReopened,
}

# The closed table of names a stored entry may carry; nothing is ever imported by name.
TYPES: dict[str, type[AnyEvent]] = {event.TYPE: event for event in ACTIONS.values()}

# Names of earlier formats: each gives the present name and fields of what it said. None so far.
UPCASTS: dict[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {}

_TEXT_FIELDS = (
    "actor", "title", "body", "reason", "note", "quote", "source", "scope", "customer", "approved_by", "evidence",
)  # fmt: skip
TEXTS: dict[type[AnyEvent], tuple[str, ...]] = {
    event: tuple(name for name in event.__struct_fields__ if name in _TEXT_FIELDS)
    for event in ACTIONS.values()
}


def text_paths(event: AnyEvent) -> list[str]:
    """Return the paths of the texts this event carries (`actor`, `set.body`), erased ones too."""
    paths = [name for name in TEXTS[type(event)] if getattr(event, name) not in (None, UNSET)]
    if isinstance(event, EntryCorrected):
        paths += [
            f"set.{name}"
            for name in sorted(event.set)
            if name in _TEXT_FIELDS and event.set[name] is not None
        ]
    return paths


def upcast(name: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the present name and fields of an event stored under an earlier name."""
    while name in UPCASTS:
        name, data = UPCASTS[name](data)
    return name, data
