"""What is said of an incident has to fit its state, its places, its windows, and the time at which it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import msgspec

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
)
from ledger.domain.incident import Facts, ImpactWindow, revised_fields
from ledger.errors import Refused, nearest

__all__ = [
    "OVER",
    "begun",
    "check_changes",
    "fits",
    "fits_measurement",
    "fits_window",
    "known_window",
    "live_window",
    "past",
    "planned_in_time",
    "said_something",
    "widened",
]

_OPEN_STATUSES = ("investigating", "identified", "monitoring", "scheduled", "in-progress", "verifying")
OVER = ("resolved", "postmortem", "completed")
_INCIDENT_STATUSES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
_MAINTENANCE_STATUSES = ("scheduled", "in-progress", "verifying", "completed", "postmortem")


def fits(
    event: AnyEvent, facts: Facts, name: str, said: str, hidden: Callable[[], str] = lambda: ""
) -> list[str]:
    """Refuse what does not fit the facts before it, and return warnings.

    said: when it is said, after which nothing can be told to have happened; "" asks for the order of things only, as when
    an earlier entry is corrected. hidden: asked for the end of a sentence where the incident is over.
    """
    over = facts.status in OVER
    match event:
        case IncidentIdentified():
            if over:
                raise Refused(
                    f"identify comes too late: {name!r} is {facts.status}{hidden()}; reopen it, or say it with update"
                )
        case IncidentUpdated():
            _status(event, facts, name, hidden)
            return said_something(event)
        case IncidentFixDeployed():
            if over:
                raise Refused(
                    f"deploy-fix comes too late: {name!r} is {facts.status}{hidden()}; reopen it, or say it with update"
                )
            past("at", event.at, said)
        case IncidentResolved():
            if over:
                raise Refused(
                    f"incident {name!r} is already {facts.status}{hidden()}; use correct to change what was said, or reopen it"
                )
            past("at", event.at, said)
        case IncidentReopened():
            if not over:
                raise Refused(
                    f"incident {name!r} is {facts.status}, so there is nothing to reopen; use update"
                )
        case IncidentAffectedSet():
            return _still_affected(facts, event)
        case WindowAdded():
            planned_in_time(event)
            begun(event, facts, said)
            return fits_window(event, facts, said)
        case WindowRevised():
            planned_in_time(event)
            fields = revised_fields(event)
            known = live_window(facts, event, name)
            revised = msgspec.structs.replace(known.fields, **fields)
            if "start" in fields or "planned" in fields:
                begun(revised, facts, said)
            return fits_window(revised, facts, said)
        case MeasurementRecorded():
            fits_measurement(event, facts)
            past("end", event.end, said)
        case IncidentLinked():
            if event.to == name:
                raise Refused(f"to {event.to!r} is the incident itself; name another one")
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


def past(field: str, instant: str | None, said: str) -> None:
    """Refuse an instant after the moment at which it is said to have been; said: "" where nobody asks."""
    if said and instant is not None and instant > said:
        raise Refused(
            f"{field} {instant} is after the statement itself ({said}); say it when it has happened"
        )


def _opened(event: IncidentOpened, said: str) -> None:
    allowed = _INCIDENT_STATUSES if event.kind == "incident" else _MAINTENANCE_STATUSES
    if event.status not in allowed:
        raise Refused(
            f"status {event.status!r} does not fit kind {event.kind!r}; use one of {', '.join(allowed)}"
        )
    if event.scheduled_start and event.scheduled_end and event.scheduled_end <= event.scheduled_start:
        raise Refused(
            f"scheduled_end {event.scheduled_end} is not after scheduled_start {event.scheduled_start}"
        )
    past("began_at", event.began_at, said)


def said_something(event: IncidentUpdated) -> list[str]:
    """Refuse an update that says nothing, and warn of one in which the public would find no word."""
    if (event.body, event.status, event.reason) != (None, None, None):
        return []
    if (event.note, event.source, event.external) == (None, None, None):
        raise Refused("the update says nothing; give a body, a status, or both")
    if event.internal:
        return []
    return ["the public sees an update without a word; mark what only the house should know as internal"]


def _status(event: IncidentUpdated, facts: Facts, name: str, hidden: Callable[[], str]) -> None:
    if event.status is None:
        return
    allowed = _INCIDENT_STATUSES if facts.kind == "incident" else _MAINTENANCE_STATUSES
    if event.status not in allowed:
        raise Refused(
            f"status {event.status!r} does not fit kind {facts.kind!r}; use one of {', '.join(allowed)}"
        )
    if event.status in ("resolved", "completed") and facts.status not in OVER:
        raise Refused(f"status {event.status!r} is said with resolve, not with update")
    if event.status in _OPEN_STATUSES and facts.status in OVER:
        raise Refused(
            f"status {event.status!r} would reopen {name!r}, which is {facts.status}{hidden()}; use reopen and say why"
        )


def known_window(facts: Facts, window: str, name: str) -> ImpactWindow:
    """Return a window of an incident, withdrawn or not. Raises Refused where there is none."""
    known = facts.windows.get(window)
    if known is None:
        raise Refused(
            f"window {window!r} is unknown in {name!r}{nearest(window, facts.windows)}; add it with add-window"
        )
    return known


def live_window(facts: Facts, event: WindowRevised, name: str) -> ImpactWindow:
    """Return the window that is revised. Raises Refused where there is none, or where it was withdrawn."""
    known = known_window(facts, event.window, name)
    if known.withdrawn:
        raise Refused(
            f"window {event.window!r} was withdrawn (v{known.versions[-1]}); add a new one under another id"
        )
    return known


def planned_in_time(event: WindowAdded | WindowRevised) -> None:
    """Refuse work as planned that was announced after it had begun: a policy would take it out of the downtime."""
    planned = event.planned
    if isinstance(planned, Planned) and planned.announced_at > planned.scheduled_start:
        raise Refused(
            f"planned: announced_at {planned.announced_at} is after scheduled_start {planned.scheduled_start}; work that "
            "was announced after it began was not planned: leave planned out"
        )


def _plain(event: WindowAdded, facts: Facts) -> bool:
    """Tell whether a window is no planned work: that lies ahead, and so does what it will do."""
    return event.planned is None and facts.kind != "maintenance"


def begun(event: WindowAdded, facts: Facts, said: str) -> None:
    """Refuse an impact that is told before it begins."""
    if _plain(event, facts) and said and event.start > said:
        raise Refused(
            f"start {event.start} is after the statement itself ({said}); say it when it has happened, or give planned for "
            "work that was announced"
        )


def fits_window(event: WindowAdded, facts: Facts, said: str) -> list[str]:
    """Refuse a window that does not fit the facts, and return warnings; said: when it is said, "" where nobody asks."""
    _affected("service", event.service, facts.services, wildcards=False)
    _affected("component", event.component, facts.components, wildcards=True)
    _affected("region", event.region, facts.regions, wildcards=True)
    if event.end is not None and event.end <= event.start:
        raise Refused(f"end {event.end} is not after start {event.start}; a window is [start, end)")
    at_most, at_least = event.share_at_most, event.share_at_least
    if at_most is not None and at_least is not None and _number(at_least) > _number(at_most):
        raise Refused(f"share_at_least {at_least} is more than share_at_most {at_most}; swap them")
    if (
        facts.resolved_at is not None
        and facts.status in OVER
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
    raise Refused(
        f"{field} {value!r} is not affected by this incident{nearest(value, known)}; affected: {listed}{extra}; "
        "use set-affected to add a name"
    )


def check_changes(event: WindowRevised, known: ImpactWindow) -> None:
    """Refuse a revision that changes nothing."""
    fields = revised_fields(event)
    if not fields:
        raise Refused(f"window {event.window!r}: no field changes; give the fields that do, such as end")
    same = [field for field, value in fields.items() if getattr(known.fields, field) == value]
    if len(same) == len(fields):
        raise Refused(f"window {event.window!r} already has {', '.join(same)} as given; nothing would change")


def fits_measurement(event: MeasurementRecorded, facts: Facts) -> None:
    """Refuse a measurement that does not fit the facts."""
    _affected("service", event.service, facts.services, wildcards=False)
    _affected("component", event.component, facts.components, wildcards=True)
    _affected("region", event.region, facts.regions, wildcards=True)
    if event.end <= event.start:
        raise Refused(f"end {event.end} is not after start {event.start}; a measurement is over [start, end)")
    given = [field for field in ("failed", "value", "series") if getattr(event, field) is not None]
    if len(given) != 1:
        raise Refused(
            f"a measurement needs one of failed (with total), value or series; {' and '.join(given) or 'none'} given"
        )
    if given == ["failed"] and event.total is None:
        raise Refused(f"total is missing; failed {event.failed} means nothing without it")
    if event.failed is not None and event.total is not None and event.failed > event.total:
        raise Refused(f"failed {event.failed} is more than total {event.total}")
    if event.of == "latency" and event.value is not None and event.unit is None:
        raise Refused(f"unit is missing; latency {event.value} needs one, such as seconds")


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
                raise Refused(
                    f"{field}s would no longer hold {value!r}, which window {window.fields.window!r} names; "
                    "revise or withdraw the window first"
                )
    return widened(facts, event)


def widened(before: Facts, after: Facts | IncidentAffectedSet) -> list[str]:
    """Warn where `*` of a window would come to speak of any region or component, as a set is emptied."""
    return [
        f"{field}s is empty now, which leaves open which there are: '*' of window {key!r} speaks of any {field}; name the "
        f"{field}s if only some were affected"
        for key, window in before.windows.items()
        for field in ("component", "region")
        if not window.withdrawn and getattr(window.fields, field) == "*"
        and getattr(before, f"{field}s") and not getattr(after, f"{field}s")
    ]  # fmt: skip
