"""The order rules: may this action happen now, and which event does it make?

`decide` turns an action into an event with its references resolved to versions, or refuses with a sentence. It is pure:
the same history and action always give the same event, which is also how a retry is recognised.
"""

from __future__ import annotations

from ledger.domain.actions import Action
from ledger.domain.correction_rules import corrected, published, redacted, withdrawn
from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    IncidentLinked,
    IncidentOpened,
    IncidentResolved,
    MeasurementRecorded,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident_rules import OVER, check_changes, fits, known_window, live_window
from ledger.domain.other_stream_rules import check_rows, decide_other_stream
from ledger.domain.stream_history import History
from ledger.errors import Refused

__all__ = ["decide"]


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
        _common(history, event, now, batch_start)
        decided = decide_other_stream(history, action, now, ledger)
        return decided, check_rows(history, decided)
    if isinstance(event, IncidentOpened):
        if history.version:
            raise Refused(f"incident {name!r} is already open (since v1); use update, reopen or another key")
        _common(history, event, now, batch_start)
        return event, fits(event, history.facts, name, event.published_at or now)
    if not history.version:
        raise Refused(f"incident {name!r} does not exist; open it first")
    _common(history, event, now, batch_start)
    if history.facts.withdrawn and not isinstance(
        event, EntryRedacted | EntryCorrected | EntryPublished | IncidentLinked
    ):
        raise Refused(
            f"incident {name!r} was withdrawn; nothing more happens to it but correct, publish, link and redact"
        )
    told = "" if event.internal else event.published_at or now
    return _decide_incident(history, event, name, told, now)


def _common(history: History, event: AnyEvent, now: str, batch_start: int) -> None:
    if event.published_at is not None and event.published_at > now:
        raise Refused(
            f"published_at {event.published_at} is in the future (it is {now}); leave it out to publish now"
        )
    if event.ref is not None and event.ref in history.refs:
        raise Refused(
            f"ref {event.ref!r} already names v{history.refs[event.ref]} of {history.stream}; choose another"
        )
    if event.change is not None and event.change in history.labels:
        versions = history.labels[event.change]
        if versions[0] <= batch_start:
            raise Refused(
                f"change {event.change!r} was already committed as v{versions[0]} to v{versions[-1]} of {history.stream}; "
                "the entries of a change are appended together, so choose another label"
            )
        if versions[-1] != history.version:
            raise Refused(
                f"change {event.change!r} is interrupted by v{history.version}; put its entries next to each other"
            )
        first = history.events[versions[0] - 1]
        if first.internal != event.internal:
            raise Refused(
                f"internal {str(event.internal).lower()} differs from {str(first.internal).lower()} of change "
                f"{event.change!r}; the entries of a change are published together"
            )
        if first.published_at != event.published_at:
            raise Refused(
                f"published_at {event.published_at} differs from {first.published_at} of change {event.change!r}; "
                "the entries of a change are published together"
            )


def _decide_incident(
    history: History, event: AnyEvent, name: str, told: str, now: str
) -> tuple[AnyEvent, list[str]]:
    # Nothing about an incident can be public before its opening is.
    if not isinstance(event, EntryRedacted | EntryPublished):
        history.check_told_after(1, told, "the opening")
    facts = history.facts
    # What is internal is said, too, to those who may know: when it is recorded.
    said = told or now
    match event:
        case EntryCorrected():
            return corrected(history, event, told, said)
        case EntryWithdrawn():
            return withdrawn(history, event, told)
        case EntryPublished():
            return published(history, event, told)
        case EntryRedacted():
            event = redacted(history, event)
        case WindowAdded() if event.window in facts.windows or _window_ever(history, event.window):
            raise Refused(
                f"window {event.window!r} already exists in {name!r}; use revise-window, or another id"
            )
        case WindowRevised():
            known = live_window(facts, event, name)
            history.check_told_after(known.versions[0], told, f"window {event.window!r}")
            check_changes(event, known)
        case WindowWithdrawn():
            known = known_window(facts, event.window, name)
            if known.withdrawn:
                raise Refused(f"window {event.window!r} is already withdrawn (v{known.versions[-1]})")
            history.check_told_after(known.versions[0], told, f"window {event.window!r}")
        case MeasurementRecorded() if event.measurement in facts.measurements:
            raise Refused(
                f"measurement {event.measurement!r} already exists in {name!r}; correct it, or use another id"
            )
        case _:
            pass
    return event, fits(event, facts, name, said, lambda: _hidden(history))


def _hidden(history: History) -> str:
    """Return what to say of an incident that is over for those inside only, "" where the public knows it too."""
    if history.facts.status not in OVER:
        return ""
    for statement in reversed(history.standing.said):
        event, version = statement.event, statement.version
        if isinstance(event, IncidentResolved) or getattr(event, "status", None) in OVER:
            if history.told[version - 1]:
                return ""
            return (
                f" by an entry that is internal (v{version}), which the public does not see: publish that one "
                f"(publish, publishes v{version})"
            )
    return ""


def _window_ever(history: History, window: str) -> bool:
    return any(isinstance(event, WindowAdded) and event.window == window for event in history.events)
