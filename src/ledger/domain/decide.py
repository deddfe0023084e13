"""The order rules: may this action happen now, and which event does it make?

`History` is one stream as the rules see it: every entry in position order, internal ones too. `decide` turns an
action into an event with its references resolved to versions, or refuses with a sentence. It is pure: the same
history and action always give the same event, which is also how a retry is recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn, assert_never

import msgspec

from ledger.domain.actions import Action, field_problems
from ledger.domain.checks import check_fields, is_text_field, number_of
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
    Planned,
    PolicyPublished,
    StatementIssued,
    SubscriptionsPublished,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
    text_paths,
)
from ledger.domain.incident import (
    WORDS,
    Facts,
    ImpactWindow,
    Statement,
    fold,
    revised_fields,
    set_fields,
)
from ledger.domain.standing import Standing
from ledger.errors import Refused, nearest

__all__ = ["History", "check_terms", "decide"]

_OPEN_STATUSES = ("investigating", "identified", "monitoring", "scheduled", "in-progress", "verifying")
_OVER = ("resolved", "postmortem", "completed")
_INCIDENT_STATUSES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
_MAINTENANCE_STATUSES = ("scheduled", "in-progress", "verifying", "completed", "postmortem")
# A correction may change what was said, not which entry it is or when it was said.
_NOT_CORRECTABLE = frozenset(
    (
        "actor",
        "ref",
        "change",
        "published_at",
        "internal",
        "external",
        "window",
        "measurement",
        "corrects",
        "kind",
    )
)
_CORRECTABLE = (
    IncidentOpened, IncidentIdentified, IncidentUpdated, IncidentFixDeployed, IncidentResolved, IncidentReopened,
    IncidentRetitled, IncidentAffectedSet, IncidentImpactSet, WindowAdded, WindowRevised, WindowWithdrawn,
    MeasurementRecorded, IncidentLinked, IncidentWithdrawn,
)  # fmt: skip
_WITHDRAWABLE = (
    IncidentIdentified, IncidentUpdated, IncidentFixDeployed, IncidentResolved, IncidentReopened, EntryCorrected,
    IncidentRetitled, IncidentAffectedSet, IncidentImpactSet, MeasurementRecorded, IncidentLinked,
)  # fmt: skip
# What the status of an incident follows from, and its kind.
_OF_STATE = (
    IncidentOpened, IncidentIdentified, IncidentUpdated, IncidentFixDeployed, IncidentResolved, IncidentReopened, IncidentWithdrawn,
)  # fmt: skip


class History:
    """One stream up to a version: its events, labels, changes and, for an incident, its facts."""

    __slots__ = (
        "changes",
        "erased",
        "events",
        "labels",
        "last_recorded_at",
        "refs",
        "standing",
        "stream",
        "told",
    )

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.events: list[AnyEvent] = []
        # When each entry was told: its published time, or "" while it is internal.
        self.told: list[str] = []
        self.refs: dict[str, int] = {}
        # label of a change -> its versions, first to last
        self.labels: dict[str, list[int]] = {}
        # the public changes in position order, each the versions it made: revision n is changes[n - 1]
        self.changes: list[list[int]] = []
        self.erased: set[tuple[int, str]] = set()
        # what the entries of an incident say; nothing in any other stream
        self.standing = Standing()
        self.last_recorded_at = ""

    @property
    def version(self) -> int:
        """The version of the last entry, 0 when there is none."""
        return len(self.events)

    @property
    def facts(self) -> Facts:
        """What the entries of an incident add up to."""
        return self.standing.facts

    def add(self, event: AnyEvent, recorded_at: str) -> None:
        """Take in the next event of the stream."""
        self.events.append(event)
        self.last_recorded_at = recorded_at
        version = len(self.events)
        if self.stream.startswith("incident/"):
            self.standing.add(event)
        told = "" if event.internal else event.published_at or recorded_at
        self.told.append(told)
        if event.ref is not None:
            self.refs[event.ref] = version
        joined = event.change is not None and event.change in self.labels
        if event.change is not None:
            self.labels.setdefault(event.change, []).append(version)
        if told:
            if joined and self.changes and self.changes[-1][-1] in self.labels[event.change or ""]:
                self.changes[-1].append(version)
            else:
                self.changes.append([version])
        if isinstance(event, EntryPublished):
            self.told[int(event.publishes) - 1] = told
        if isinstance(event, EntryRedacted):
            self.erased.update((int(event.entry), field) for field in event.fields)

    def resolve(self, name: object, field: str) -> int:
        """Return the version that a reference names: a ref, `v5` or `r3`."""
        if type(name) is int:
            raise Refused(
                f"{field} {name} is a bare number; write v{name} for a version or r{name} for a revision"
            )
        word = str(name)
        if word in self.refs:
            return self.refs[word]
        version, revision = number_of(word, "v"), number_of(word, "r")
        if version is not None:
            if 1 <= version <= self.version:
                return version
            raise Refused(
                f"{field} {word!r} does not exist: {self.stream} has versions v1 to v{self.version}"
            )
        if revision is not None:
            if not 1 <= revision <= len(self.changes):
                raise Refused(
                    f"{field} {word!r} does not exist: {self.stream} has revisions r1 to r{len(self.changes)}"
                )
            versions = self.changes[revision - 1]
            if len(versions) > 1:
                raise Refused(
                    f"{field} {word!r} is a change of {len(versions)} entries, v{versions[0]} to v{versions[-1]}; "
                    "name the one that is meant"
                )
            return versions[0]
        if word.isdecimal():
            raise Refused(
                f"{field} {word} is a bare number; write v{word} for a version or r{word} for a revision"
            )
        raise Refused(
            f"{field} {word!r} names no entry of {self.stream}{nearest(word, self.refs)}; "
            "use a ref, v5 for a version or r3 for a revision"
        )


def decide(
    history: History, action: Action, now: str, batch_start: int, *, ledger: str = ""
) -> tuple[AnyEvent, list[str]]:
    """Return the event this action makes, and warnings.

    now: the present in the ledger's spelling, against which published times are held. batch_start: the version the
    stream had before this append; entries of one `change` must all come after it. ledger: its id, which the signature
    of a rotated key covers. Raises Refused, and Unavailable where a signature cannot be checked.
    """
    event = action.event
    name = action.stream.partition("/")[2]
    if not action.stream.startswith("incident/"):
        decided = _decide_published(history, action, now, batch_start, ledger)
        return decided, _rows(history, decided)
    if isinstance(event, IncidentOpened):
        if history.version:
            _refuse(f"incident {name!r} is already open (since v1); use update, reopen or another key")
        _common(history, event, now, batch_start)
        return event, _fits(event, history.facts, name, event.published_at or now)
    if not history.version:
        _refuse(f"incident {name!r} does not exist; open it first")
    _common(history, event, now, batch_start)
    if history.facts.withdrawn and not isinstance(
        event, EntryRedacted | EntryCorrected | EntryPublished | IncidentLinked
    ):
        _refuse(
            f"incident {name!r} was withdrawn; nothing more happens to it but correct, publish, link and redact"
        )
    told = "" if event.internal else event.published_at or now
    return _decide_incident(history, event, name, told, now)


def _refuse(sentence: str) -> NoReturn:
    raise Refused(sentence)


def _common(history: History, event: AnyEvent, now: str, batch_start: int) -> None:
    if event.published_at is not None and event.published_at > now:
        _refuse(
            f"published_at {event.published_at} is in the future (it is {now}); leave it out to publish now"
        )
    if event.ref is not None and event.ref in history.refs:
        _refuse(
            f"ref {event.ref!r} already names v{history.refs[event.ref]} of {history.stream}; choose another"
        )
    if event.change is not None and event.change in history.labels:
        versions = history.labels[event.change]
        if versions[0] <= batch_start:
            _refuse(
                f"change {event.change!r} was already committed as v{versions[0]} to v{versions[-1]} of {history.stream}; "
                "the entries of a change are appended together, so choose another label"
            )
        if versions[-1] != history.version:
            _refuse(
                f"change {event.change!r} is interrupted by v{history.version}; put its entries next to each other"
            )
        first = history.events[versions[0] - 1]
        if first.internal != event.internal:
            _refuse(
                f"internal {str(event.internal).lower()} differs from {str(first.internal).lower()} of change "
                f"{event.change!r}; the entries of a change are published together"
            )
        if first.published_at != event.published_at:
            _refuse(
                f"published_at {event.published_at} differs from {first.published_at} of change {event.change!r}; "
                "the entries of a change are published together"
            )


def _decide_incident(
    history: History, event: AnyEvent, name: str, told: str, now: str
) -> tuple[AnyEvent, list[str]]:
    # Nothing about an incident can be public before its opening is.
    if not isinstance(event, EntryRedacted | EntryPublished):
        _after(history, 1, told, "the opening")
    facts = history.facts
    # What is internal is said, too, to those who may know: when it is recorded.
    said = told or now
    match event:
        case EntryCorrected():
            return _corrected(history, event, told, said)
        case EntryWithdrawn():
            return _withdrawn(history, event, told)
        case EntryPublished():
            return _published(history, event, told)
        case EntryRedacted():
            event = _redacted(history, event)
        case WindowAdded() if event.window in facts.windows or _window_ever(history, event.window):
            _refuse(f"window {event.window!r} already exists in {name!r}; use revise-window, or another id")
        case WindowRevised():
            known = _live_window(facts, event, name)
            _after(history, known.versions[0], told, f"window {event.window!r}")
            _changes(event, known)
        case WindowWithdrawn():
            known = _known_window(facts, event.window, name)
            if known.withdrawn:
                _refuse(f"window {event.window!r} is already withdrawn (v{known.versions[-1]})")
            _after(history, known.versions[0], told, f"window {event.window!r}")
        case MeasurementRecorded() if event.measurement in facts.measurements:
            _refuse(
                f"measurement {event.measurement!r} already exists in {name!r}; correct it, or use another id"
            )
        case _:
            pass
    return event, _fits(event, facts, name, said, lambda: _hidden(history))


def _fits(
    event: AnyEvent, facts: Facts, name: str, said: str, hidden: Callable[[], str] = lambda: ""
) -> list[str]:
    """Refuse what does not fit the facts before it, and return warnings.

    said: when it is said, after which nothing can be told to have happened; "" asks for the order of things only, as when
    an earlier entry is corrected. hidden: asked for the end of a sentence where the incident is over.
    """
    over = facts.status in _OVER
    match event:
        case IncidentIdentified():
            if over:
                _refuse(
                    f"identify comes too late: {name!r} is {facts.status}{hidden()}; reopen it, or say it with update"
                )
        case IncidentUpdated():
            _status(event, facts, name, hidden)
            return _said_something(event)
        case IncidentFixDeployed():
            if over:
                _refuse(
                    f"deploy-fix comes too late: {name!r} is {facts.status}{hidden()}; reopen it, or say it with update"
                )
            _past("at", event.at, said)
        case IncidentResolved():
            if over:
                _refuse(
                    f"incident {name!r} is already {facts.status}{hidden()}; use correct to change what was said, or reopen it"
                )
            _past("at", event.at, said)
        case IncidentReopened():
            if not over:
                _refuse(f"incident {name!r} is {facts.status}, so there is nothing to reopen; use update")
        case IncidentAffectedSet():
            return _still_affected(facts, event)
        case WindowAdded():
            _planned_in_time(event)
            _begun(event, facts, said)
            return _window(event, facts, said)
        case WindowRevised():
            _planned_in_time(event)
            fields = revised_fields(event)
            known = _live_window(facts, event, name)
            revised = msgspec.structs.replace(known.fields, **fields)
            if "start" in fields or "planned" in fields:
                _begun(revised, facts, said)
            return _window(revised, facts, said)
        case MeasurementRecorded():
            _measurement(event, facts)
            _past("end", event.end, said)
        case IncidentLinked():
            if event.to == name:
                _refuse(f"to {event.to!r} is the incident itself; name another one")
        case IncidentOpened():
            _opened(event, said)
        case (
            IncidentWithdrawn() | IncidentRetitled() | IncidentImpactSet() | EntryCorrected() | EntryWithdrawn()
            | EntryPublished() | EntryRedacted() | WindowWithdrawn()
        ):  # fmt: skip
            pass
        case (
            PolicyPublished() | SubscriptionsPublished() | CohortPublished() | KeyPublished()
            | KeyRotated() | KeyRevoked() | ExclusionRecorded() | ExclusionWithdrawn() | ClaimFiled() | ClaimDecided()
            | ClaimWithdrawn() | StatementIssued() | AdjustmentIssued() | PeriodClosed() | PeriodReopened()
        ):  # fmt: skip
            raise TypeError(event.TYPE)
        case _:
            assert_never(event)
    return []


def _hidden(history: History) -> str:
    """Return what to say of an incident that is over for those inside only, "" where the public knows it too."""
    if history.facts.status not in _OVER:
        return ""
    for statement in reversed(history.standing.said):
        event, version = statement.event, statement.version
        if isinstance(event, IncidentResolved) or getattr(event, "status", None) in _OVER:
            if history.told[version - 1]:
                return ""
            return (
                f" by an entry that is internal (v{version}), which the public does not see: publish that one "
                f"(publish, publishes v{version})"
            )
    return ""


def _after(history: History, version: int, told: str, what: str) -> None:
    """Refuse an entry that would be public before the entry it is about."""
    before = history.told[version - 1]
    if not told:
        return
    if not before:
        _refuse(f"{what} (v{version}) is internal; publish it first, or mark this internal too")
    if told < before:
        _refuse(
            f"published_at {told} is before {what} was published ({before}, v{version}); correct the time"
        )


def _past(field: str, instant: str | None, said: str) -> None:
    if said and instant is not None and instant > said:
        _refuse(f"{field} {instant} is after the statement itself ({said}); say it when it has happened")


def _opened(event: IncidentOpened, said: str) -> None:
    allowed = _INCIDENT_STATUSES if event.kind == "incident" else _MAINTENANCE_STATUSES
    if event.status not in allowed:
        _refuse(f"status {event.status!r} does not fit kind {event.kind!r}; use one of {', '.join(allowed)}")
    if event.scheduled_start and event.scheduled_end and event.scheduled_end <= event.scheduled_start:
        _refuse(f"scheduled_end {event.scheduled_end} is not after scheduled_start {event.scheduled_start}")
    _past("began_at", event.began_at, said)


def _said_something(event: IncidentUpdated) -> list[str]:
    """Refuse an update that says nothing, and warn of one in which the public would find no word."""
    if (event.body, event.status, event.reason) != (None, None, None):
        return []
    if (event.note, event.source, event.external) == (None, None, None):
        _refuse("the update says nothing; give a body, a status, or both")
    if event.internal:
        return []
    return ["the public sees an update without a word; mark what only the house should know as internal"]


def _status(event: IncidentUpdated, facts: Facts, name: str, hidden: Callable[[], str]) -> None:
    if event.status is None:
        return
    allowed = _INCIDENT_STATUSES if facts.kind == "incident" else _MAINTENANCE_STATUSES
    if event.status not in allowed:
        _refuse(f"status {event.status!r} does not fit kind {facts.kind!r}; use one of {', '.join(allowed)}")
    if event.status in ("resolved", "completed") and facts.status not in _OVER:
        _refuse(f"status {event.status!r} is said with resolve, not with update")
    if event.status in _OPEN_STATUSES and facts.status in _OVER:
        _refuse(
            f"status {event.status!r} would reopen {name!r}, which is {facts.status}{hidden()}; use reopen and say why"
        )


def _window_ever(history: History, window: str) -> bool:
    return any(isinstance(event, WindowAdded) and event.window == window for event in history.events)


def _known_window(facts: Facts, window: str, name: str) -> ImpactWindow:
    known = facts.windows.get(window)
    if known is None:
        _refuse(
            f"window {window!r} is unknown in {name!r}{nearest(window, facts.windows)}; add it with add-window"
        )
    return known


def _planned_in_time(event: WindowAdded | WindowRevised) -> None:
    """Refuse work as planned that was announced after it had begun: a policy would take it out of the downtime."""
    planned = event.planned
    if isinstance(planned, Planned) and planned.announced_at > planned.scheduled_start:
        _refuse(
            f"planned: announced_at {planned.announced_at} is after scheduled_start {planned.scheduled_start}; work that "
            "was announced after it began was not planned: leave planned out"
        )


def _plain(event: WindowAdded, facts: Facts) -> bool:
    """Tell whether a window is no planned work: that lies ahead, and so does what it will do."""
    return event.planned is None and facts.kind != "maintenance"


def _begun(event: WindowAdded, facts: Facts, said: str) -> None:
    """Refuse an impact that is told before it begins."""
    if _plain(event, facts) and said and event.start > said:
        _refuse(
            f"start {event.start} is after the statement itself ({said}); say it when it has happened, or give planned for "
            "work that was announced"
        )


def _window(event: WindowAdded, facts: Facts, said: str) -> list[str]:
    """Refuse a window that does not fit the facts, and return warnings; said: when it is said, "" where nobody asks."""
    _affected("service", event.service, facts.services, wildcards=False)
    _affected("component", event.component, facts.components, wildcards=True)
    _affected("region", event.region, facts.regions, wildcards=True)
    if event.end is not None and event.end <= event.start:
        _refuse(f"end {event.end} is not after start {event.start}; a window is [start, end)")
    at_most, at_least = event.share_at_most, event.share_at_least
    if at_most is not None and at_least is not None and _number(at_least) > _number(at_most):
        _refuse(f"share_at_least {at_least} is more than share_at_most {at_most}; swap them")
    if (
        facts.resolved_at is not None
        and facts.status in _OVER
        and (event.end is None or event.end > facts.resolved_at)
    ):
        ends = "is still open" if event.end is None else f"ends {event.end}"
        return [f"window {event.window!r} {ends}, after the incident was resolved ({facts.resolved_at})"]
    if _plain(event, facts) and said and event.end is not None and event.end > said:
        return [
            f"window {event.window!r} ends {event.end}, after the statement itself ({said}), and counts up to there; leave "
            "the end out while it lasts"
        ]
    return []


def _number(text: str) -> Any:
    from fractions import Fraction

    return Fraction(text)


def _affected(field: str, value: str, known: tuple[str, ...], *, wildcards: bool) -> None:
    if value in known or (wildcards and value in ("*", "unknown")):
        return
    listed = ", ".join(map(repr, known)) or "nothing"
    # An empty set leaves open which there are (`ledger.domain.window.place`).
    every = "all of them" if known else "any, as none is named"
    extra = f", '*' ({every}) or 'unknown'" if wildcards else ""
    _refuse(
        f"{field} {value!r} is not affected by this incident{nearest(value, known)}; affected: {listed}{extra}; "
        "use set-affected to add a name"
    )


def _live_window(facts: Facts, event: WindowRevised, name: str) -> ImpactWindow:
    known = _known_window(facts, event.window, name)
    if known.withdrawn:
        _refuse(
            f"window {event.window!r} was withdrawn (v{known.versions[-1]}); add a new one under another id"
        )
    return known


def _changes(event: WindowRevised, known: ImpactWindow) -> None:
    fields = revised_fields(event)
    if not fields:
        _refuse(f"window {event.window!r}: no field changes; give the fields that do, such as end")
    same = [field for field, value in fields.items() if getattr(known.fields, field) == value]
    if len(same) == len(fields):
        _refuse(f"window {event.window!r} already has {', '.join(same)} as given; nothing would change")


def _measurement(event: MeasurementRecorded, facts: Facts) -> None:
    _affected("service", event.service, facts.services, wildcards=False)
    _affected("component", event.component, facts.components, wildcards=True)
    _affected("region", event.region, facts.regions, wildcards=True)
    if event.end <= event.start:
        _refuse(f"end {event.end} is not after start {event.start}; a measurement is over [start, end)")
    given = [field for field in ("failed", "value", "series") if getattr(event, field) is not None]
    if len(given) != 1:
        _refuse(
            f"a measurement needs one of failed (with total), value or series; {' and '.join(given) or 'none'} given"
        )
    if given == ["failed"] and event.total is None:
        _refuse(f"total is missing; failed {event.failed} means nothing without it")
    if event.failed is not None and event.total is not None and event.failed > event.total:
        _refuse(f"failed {event.failed} is more than total {event.total}")
    if event.of == "latency" and event.value is not None and event.unit is None:
        _refuse(f"unit is missing; latency {event.value} needs one, such as seconds")


def _still_affected(facts: Facts, event: IncidentAffectedSet) -> list[str]:
    for window in facts.windows.values():
        if window.withdrawn:
            continue
        for field, names in (
            ("service", event.services),
            ("component", event.components),
            ("region", event.regions),
        ):
            value = getattr(window.fields, field)
            if value not in names and value not in ("*", "unknown"):
                _refuse(
                    f"{field}s would no longer hold {value!r}, which window {window.fields.window!r} names; "
                    "revise or withdraw the window first"
                )
    return _widened(facts, event)


def _widened(before: Facts, after: Facts | IncidentAffectedSet) -> list[str]:
    """Warn where `*` of a window would come to speak of any region or component, as a set is emptied."""
    return [
        f"{field}s is empty now, which leaves open which there are: '*' of window {key!r} speaks of any {field}; name the "
        f"{field}s if only some were affected"
        for key, window in before.windows.items()
        for field in ("component", "region")
        if not window.withdrawn and getattr(window.fields, field) == "*"
        and getattr(before, f"{field}s") and not getattr(after, f"{field}s")
    ]  # fmt: skip


def _corrected(
    history: History, event: EntryCorrected, told: str, said: str
) -> tuple[EntryCorrected, list[str]]:
    version = history.resolve(event.corrects, "corrects")
    target = history.events[version - 1]
    if not isinstance(target, _CORRECTABLE):
        _refuse(
            f"corrects v{version} is {target.TYPE}, which cannot be corrected; correct the entry it was about"
        )
    _after(history, version, told, "what it corrects")
    stands = history.standing.of(version)
    if stands is None:
        _refuse(f"corrects v{version} was withdrawn; there is nothing left to correct")
    if not event.set:
        _refuse("set is empty; give the fields as they should have been")
    schema = type(target).__struct_fields__
    for name in event.set:
        if name not in schema:
            _refuse(f"set.{name} is not a field of {target.TYPE}{nearest(name, schema)}")
        if name in _NOT_CORRECTABLE:
            _refuse(
                f"set.{name} cannot be corrected: it says which entry this is and when it was said; withdraw the entry"
            )
        if event.kind == "editorial" and name not in ("body", "title"):
            _refuse(
                f"set.{name} is a fact, and an editorial correction changes body and title only; use kind correction"
            )
    standing = stands.event
    if (
        event.kind == "editorial"
        and ("body" in event.set)
        and (event.set["body"] is None) != (standing.body is None)
    ):
        _refuse(
            "set.body would take the whole text away, or put one where there was none, and an editorial correction changes "
            "its spelling only; use kind correction"
        )
    fixed = _fixed(standing, event)
    spelled = {}
    for name, value in event.set.items():
        new = getattr(fixed, name)
        spelled[name] = None if value is None else new if is_text_field(name) else msgspec.to_builtins(new)
    event = msgspec.structs.replace(event, corrects=version, set=spelled)
    _fits_as_corrected(history, version, standing, fixed, event.set.keys(), said)
    return event, _checked_refold(history, event, said)


def _fixed(standing: AnyEvent, event: EntryCorrected) -> AnyEvent:
    """Return the corrected entry as it would read, its new fields checked one by one; `standing` is as it reads now."""
    types = {field.name: field.type for field in msgspec.structs.fields(type(standing))}
    if wrong := [
        problem
        for name, value in event.set.items()
        for problem in field_problems(name, value, types[name], "set.")
    ]:
        _refuse("; ".join(wrong))
    checked, problems = check_fields(set_fields(standing, event.set), event.set)
    if problems:
        _refuse("; ".join(f"set.{problem}" for problem in problems))
    result: AnyEvent = checked
    return result


def _fits_as_corrected(
    history: History, version: int, standing: AnyEvent, fixed: AnyEvent, changed: AbstractSet[str], said: str
) -> None:
    """Refuse a corrected entry that would have been refused as it is to read now, unless it was no better before.

    Times are held against the correction, which is said later than what it corrects; those it leaves alone are not.
    """
    match fixed:
        case IncidentAffectedSet():
            return  # Sets and places have to fit in the end, which `_checked_refold` sees to.
        case WindowAdded() | WindowRevised():
            if "planned" in changed:
                _planned_in_time(fixed)
        case MeasurementRecorded():
            if "end" in changed:
                _past("end", fixed.end, said)
        case _ if changed <= WORDS and not (
            isinstance(fixed, IncidentUpdated) and _why(_said_something, fixed)
        ):
            return  # Nothing else than whether it says something hangs on its words.
        case _:
            name = history.stream.partition("/")[2]
            before = (one for one in history.standing.said if one.version < version)
            facts = fold(one for one in before if isinstance(one.event, _OF_STATE))
            timed = said if changed & {"at", "began_at"} else ""
            why = _why(_fits, fixed, facts, name, timed)
            if why is not None and why != _why(_fits, standing, facts, name, ""):
                _refuse(why)


def _why(check: Callable[..., object], *given: object) -> str | None:
    """Return why a check refuses, None where it does not."""
    try:
        check(*given)
    except Refused as error:
        return str(error)
    return None


def _checked_refold(history: History, event: EntryCorrected | EntryWithdrawn, said: str) -> list[str]:
    """Refuse a correction, or a withdrawal, after which the rest of the incident no longer makes sense.

    What did not make sense before, as there were fewer rules once, may stay as it is.
    """
    name = history.stream.partition("/")[2]
    touched = history.standing.touched(event)
    if touched == ():
        return []
    then = history.standing.then(event)
    if touched is None:
        known = _misfits(history.standing.said, name)
        for version, reason in _misfits(then.said, name).items():
            if version not in known and version != event.corrects:
                _refuse(f"v{version} ({history.events[version - 1].TYPE}) would no longer fit: {reason}")
    before, after = history.facts, then.facts
    warnings = _widened(before, after)
    # Where nothing but a window changes, all others fit as they did.
    for key in after.windows if touched is None else touched:
        window = after.windows[key]
        if window.withdrawn:
            continue
        stood, fields = before.windows[key].fields, window.fields
        if fields.start != stood.start or fields.planned != stood.planned:
            _begun(fields, after, said)
        try:
            found = _window(fields, after, said)
        except Refused:
            if fields != stood or _why(_window, stood, before, "") is None:
                raise
        else:
            warnings += found if fields != stood else []
    for key, measured in after.measurements.items():
        why = _why(_measurement, measured, after)
        if why is not None and why != _why(_measurement, before.measurements[key], before):
            _refuse(why)
    return warnings


def _misfits(statements: list[Statement], name: str) -> dict[int, str]:
    """Return by version the statements about the state of an incident that do not fit what was said before them, and why."""
    facts = Facts()
    found: dict[int, str] = {}
    for statement in statements:
        event = statement.event
        if not isinstance(event, _OF_STATE):
            continue
        if not isinstance(event, IncidentOpened | IncidentWithdrawn):
            why = _why(_fits, event, facts, name, "")
            if why is not None:
                found[statement.version] = why
        facts.apply(statement.version, event)
    return found


def _withdrawn(history: History, event: EntryWithdrawn, told: str) -> tuple[EntryWithdrawn, list[str]]:
    version = history.resolve(event.corrects, "corrects")
    target = history.events[version - 1]
    if not isinstance(target, _WITHDRAWABLE):
        hint = (
            "use withdraw-window"
            if isinstance(target, WindowAdded | WindowRevised)
            else "use withdraw or correct"
        )
        _refuse(f"corrects v{version} is {target.TYPE}, which withdraw-update does not take back; {hint}")
    _after(history, version, told, "what it withdraws")
    if history.standing.is_withdrawn(version):
        _refuse(f"corrects v{version} is already withdrawn")
    event = msgspec.structs.replace(event, corrects=version)
    return event, _checked_refold(history, event, "")


def _published(history: History, event: EntryPublished, told: str) -> tuple[EntryPublished, list[str]]:
    version = history.resolve(event.publishes, "publishes")
    target = history.events[version - 1]
    if not told:
        _refuse("internal contradicts publish; leave it out")
    if not target.internal:
        _refuse(f"publishes v{version} is not internal; it has been public since {history.told[version - 1]}")
    if history.told[version - 1]:
        _refuse(f"publishes v{version} was already published at {history.told[version - 1]}")
    if version != 1:
        _after(history, 1, told, "the opening")
    if isinstance(target, EntryCorrected | EntryWithdrawn):
        _after(history, int(target.corrects), told, "what it corrects")
    if isinstance(target, WindowRevised | WindowWithdrawn):
        added = next(
            at for at, other in enumerate(history.events, 1)
            if isinstance(other, WindowAdded) and other.window == target.window
        )  # fmt: skip
        _after(history, added, told, f"window {target.window!r}")
    stands = history.standing.of(version)
    standing = target if stands is None else stands.event
    warnings = (
        _said_something(msgspec.structs.replace(standing, internal=False))
        if isinstance(standing, IncidentUpdated)
        else []
    )
    return msgspec.structs.replace(event, publishes=version), warnings


def _redacted(history: History, event: EntryRedacted) -> EntryRedacted:
    version = history.resolve(event.entry, "entry")
    target = history.events[version - 1]
    texts = text_paths(target)
    for field in event.fields:
        if field not in texts:
            _refuse(
                f"fields {field!r} is not a text of v{version} ({target.TYPE}){nearest(field, texts)}; "
                f"its texts are {', '.join(texts)}"
            )
        if (version, field) in history.erased:
            _refuse(f"fields {field!r} of v{version} is already erased")
    return msgspec.structs.replace(event, entry=version)


def _decide_published(history: History, action: Action, now: str, batch_start: int, ledger: str) -> AnyEvent:
    """Decide for every stream that is not an incident's."""
    event = action.event
    kind, _, key = action.stream.partition("/")
    _common(history, event, now, batch_start)
    if isinstance(event, EntryRedacted):
        if not history.version:
            _refuse(f"{kind} {key!r} does not exist; there is nothing to redact")
        return _redacted(history, event)
    if event.internal:
        article = "an" if kind[0] in "aeiou" else "a"
        _refuse(f"internal does not fit {action.verb}: {article} {kind} is no notice; leave it out")
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


def _rows(history: History, event: AnyEvent) -> list[str]:
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
            _refuse(
                f"the table holds no {what}, and would take away the {before.table.rows:,} of v{version}; publish the table "
                f"that was meant, or {way}; to take back what was published by mistake, give a reason"
            )
    return [f"the table holds no {what}"]


def check_terms(event: PolicyPublished, key: str) -> None:
    """Refuse terms that cannot be parsed, or that are not those of the policy that the event says. key: of its stream."""
    from ledger.domain.policy import parse_policy, policy_sha256

    policy = parse_policy(event.terms)
    if policy.key != key:
        _refuse(f"policy {policy.key!r} in the terms is not the stream's key {key!r}; make them the same")
    if event.in_force_from != policy.in_force_from:
        _refuse(f"in_force_from {event.in_force_from} differs from {policy.in_force_from} in the terms")
    if event.sha256 != policy_sha256(event.terms):
        _refuse(
            f"sha256 {event.sha256} is not the digest of the terms, which is {policy_sha256(event.terms)}"
        )
