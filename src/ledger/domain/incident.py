"""What an incident is after its events: one meaning of every event, for the rules and for all readers.

`Facts.apply` says what each event means. The order rules feed it in position order (`history`); a notice is told
in the order of publication (`projections.replay`). Corrections and withdrawals act on the entry they name, so
`told` puts them into it before the facts are folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, assert_never

import msgspec
from msgspec import UNSET
from msgspec.structs import FieldInfo

from ledger.domain.events import (
    AdjustmentIssued,
    AnyEvent,
    ClaimDecided,
    ClaimFiled,
    ClaimWithdrawn,
    CohortPublished,
    Commitment,
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
    Text,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)

__all__ = [
    "KEPT_WHOLE", "OF_WINDOWS", "WORDS", "Facts", "ImpactWindow", "Statement", "acts_on_windows", "effective", "fold",
    "revised_fields", "set_fields",
]  # fmt: skip


# Corrections of these fields change no fact, unless the facts keep the corrected event itself, or who acted on a correction.
WORDS = frozenset(("body", "body_format", "reason"))
OF_WINDOWS = (WindowAdded, WindowRevised, WindowWithdrawn)
KEPT_WHOLE = (MeasurementRecorded, IncidentLinked, EntryCorrected, EntryWithdrawn)


class ImpactWindow(msgspec.Struct, frozen=True):
    """A window as it stands: its fields, the versions they rest on, and whether it was withdrawn."""

    fields: WindowAdded
    versions: tuple[int, ...]
    withdrawn: bool = False


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One event as it is to be read: its version in the stream and the corrections already put into it."""

    version: int
    event: AnyEvent
    corrected_by: tuple[int, ...] = ()


class Facts:
    """The state of one incident: what its statements so far add up to.

    acts: by window the versions of the corrections and withdrawals of entries that made it what it is, as `acts_on_windows` finds
    them; empty where nobody asked for them.
    """

    __slots__ = (
        "acts", "began_at", "cause", "components", "fixed_at", "impact", "kind", "links", "measurements", "regions",
        "resolved_at", "scheduled_end", "scheduled_start", "services", "status", "title", "windows", "withdrawn",
    )  # fmt: skip

    def __init__(self) -> None:
        self.kind: str = "incident"
        self.title: Text | None = None
        self.status: str | None = None
        self.began_at: str | None = None
        self.scheduled_start: str | None = None
        self.scheduled_end: str | None = None
        self.services: tuple[str, ...] = ()
        self.components: tuple[str, ...] = ()
        self.regions: tuple[str, ...] = ()
        self.impact: str | None = None
        self.cause: str | None = None
        self.fixed_at: str | None = None
        self.resolved_at: str | None = None
        self.withdrawn = False
        self.windows: dict[str, ImpactWindow] = {}
        self.acts: dict[str, tuple[int, ...]] = {}
        self.measurements: dict[str, MeasurementRecorded] = {}
        self.links: list[IncidentLinked] = []

    def copy(self) -> Facts:
        """Return the same facts, which do not follow what is applied to these."""
        made = Facts()
        for name in Facts.__slots__:
            setattr(made, name, getattr(self, name))
        made.windows, made.acts = dict(self.windows), dict(self.acts)
        made.measurements, made.links = dict(self.measurements), list(self.links)
        return made

    def apply(self, version: int, event: AnyEvent) -> None:
        """Let one event, corrections already in it, change the facts."""
        match event:
            case WindowAdded():
                self.windows[event.window] = ImpactWindow(event, (version,))
            case WindowRevised():
                # A revision published before its window can only come from another cut's order.
                if (known := self.windows.get(event.window)) is not None:
                    fields = msgspec.structs.replace(known.fields, **revised_fields(event))
                    self.windows[event.window] = ImpactWindow(
                        fields, (*known.versions, version), known.withdrawn
                    )
            case WindowWithdrawn():
                if (known := self.windows.get(event.window)) is not None:
                    self.windows[event.window] = ImpactWindow(
                        known.fields, (*known.versions, version), withdrawn=True
                    )
            case IncidentOpened():
                self.kind, self.title, self.status = event.kind, event.title, event.status
                self.began_at = event.began_at
                self.scheduled_start, self.scheduled_end = event.scheduled_start, event.scheduled_end
                self.services, self.components, self.regions = event.services, event.components, event.regions
                self.impact = event.impact
            case IncidentIdentified():
                self.cause = event.cause or self.cause
                if self.status == "investigating":
                    self.status = "identified"
            case IncidentUpdated():
                self.status = event.status or self.status
            case IncidentFixDeployed():
                self.fixed_at = event.at
                if self.kind == "incident":
                    self.status = "monitoring"
            case IncidentResolved():
                self.status = "resolved" if self.kind == "incident" else "completed"
                self.resolved_at = event.at
            case IncidentReopened():
                self.status = "investigating" if self.kind == "incident" else "in-progress"
                self.resolved_at = None
            case IncidentRetitled():
                self.title = event.title
            case IncidentAffectedSet():
                self.services, self.components, self.regions = event.services, event.components, event.regions
            case IncidentImpactSet():
                self.impact = event.impact
            case MeasurementRecorded():
                self.measurements[event.measurement] = event
            case IncidentLinked():
                self.links.append(event)
            case IncidentWithdrawn():
                self.withdrawn, self.status = True, "withdrawn"
            case EntryCorrected() | EntryWithdrawn() | EntryPublished() | EntryRedacted():
                pass  # `effective` and the cut have already let these act on the entries they name.
            case (
                PolicyPublished()
                | SubscriptionsPublished()
                | CohortPublished()
                | KeyPublished()
                | KeyRotated()
                | KeyRevoked()
                | ExclusionRecorded()
                | ExclusionWithdrawn()
                | ClaimFiled()
                | ClaimDecided()
                | ClaimWithdrawn()
                | StatementIssued()
                | AdjustmentIssued()
                | PeriodClosed()
                | PeriodReopened()
            ):
                raise TypeError(f"{event.TYPE} does not belong to an incident")
            case _:
                assert_never(event)


def revised_fields(event: WindowRevised) -> dict[str, Any]:
    """Return the fields of the window that this revision changes, with their new values."""
    return {
        name: (False if name == "approximate" and value is None else value)
        for name in WindowRevised.__struct_fields__
        if name in WindowAdded.__struct_fields__
        and name not in _COMMON
        and name != "window"
        and (value := getattr(event, name)) is not UNSET
    }


_COMMON = frozenset(
    (
        "actor",
        "ref",
        "change",
        "published_at",
        "internal",
        "reason",
        "note",
        "source",
        "external",
        "body",
        "body_format",
    )
)


def set_fields(event: AnyEvent, fields: dict[str, Any]) -> AnyEvent:
    """Return the event with the fields of a correction put in; null takes an optional field away.

    Raises msgspec.ValidationError when a value does not fit the event's schema.
    """
    cls = type(event)
    kept = {name: getattr(event, name) for name in cls.__struct_fields__}
    schema = _schema(cls)
    for name, value in fields.items():
        field = schema[name]
        if value is None and not field.required:
            kept[name] = field.default
        else:
            # What is missing stays named so; everything else is plain JSON.
            kept[name] = value if isinstance(value, Commitment) else msgspec.convert(value, field.type)
    return cls(**kept)


# Reading the annotations of a class takes longer than all the rest; there are as many answers as types of events.
@cache
def _schema(cls: type[AnyEvent]) -> dict[str, FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(cls)}


def effective(entries: Sequence[tuple[int, AnyEvent]]) -> list[Statement]:
    """Return the statements that count among (version, event) pairs in the order told.

    Withdrawn entries are left out and corrections are put into the entries they name, in the order told. Only
    what is among the given entries acts: a cut decides by leaving entries out.
    """
    corrections: dict[int, list[tuple[int, EntryCorrected]]] = {}
    withdrawn: set[int] = set()
    for version, event in entries:
        if isinstance(event, EntryWithdrawn):
            withdrawn.add(int(event.corrects))
        elif isinstance(event, EntryCorrected):
            corrections.setdefault(int(event.corrects), []).append((version, event))
    if not corrections and not withdrawn:
        return [Statement(version, event) for version, event in entries]
    statements = []
    for version, event in entries:
        if version in withdrawn:
            continue
        by: list[int] = []
        for at, correction in corrections.get(version, ()):
            if at not in withdrawn:
                event = set_fields(event, correction.set)  # the corrected event stands for it
                by.append(at)
        statements.append(Statement(version, event, tuple(by)))
    return statements


def acts_on_windows(entries: Sequence[tuple[int, AnyEvent]]) -> dict[str, tuple[int, ...]]:
    """Return by window which of (version, event) pairs, in the order told, acted on what was said of it.

    These are corrections that stand, and withdrawals of an entry of the window or of a correction of one. What was itself
    withdrawn has no part in the window any more; the withdrawal has.
    """
    acting = [
        (version, event) for version, event in entries if isinstance(event, EntryCorrected | EntryWithdrawn)
    ]
    if not acting:
        return {}
    about = {version: event.window for version, event in entries if isinstance(event, OF_WINDOWS)}
    withdrawn = {int(event.corrects) for _, event in acting if isinstance(event, EntryWithdrawn)}
    # A correction is always recorded before its withdrawal, which may yet be told first.
    found: dict[str, list[int]] = {}
    for version, event in sorted(acting, key=lambda pair: pair[0]):
        window = about.get(int(event.corrects))
        # Spelling is no fact of a window.
        if window is not None and not (isinstance(event, EntryCorrected) and event.kind == "editorial"):
            about[version] = window
            if version not in withdrawn:
                found.setdefault(window, []).append(version)
    return {window: tuple(versions) for window, versions in found.items()}


def fold(statements: Iterable[Statement]) -> Facts:
    """Return the facts that the statements add up to."""
    facts = Facts()
    for statement in statements:
        facts.apply(statement.version, statement.event)
    return facts
