"""What may be done to an entry that stands: corrected, withdrawn, published later, and erased; and whether the rest then still fits."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

import msgspec

from ledger.domain.actions import field_problems
from ledger.domain.checks import check_fields, is_text_field
from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
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
    MeasurementRecorded,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
    text_paths,
)
from ledger.domain.incident import WORDS, Facts, Statement, fold, set_fields
from ledger.domain.incident_rules import (
    begun,
    fits,
    fits_measurement,
    fits_window,
    past,
    planned_in_time,
    said_something,
    widened,
)
from ledger.domain.stream_history import History
from ledger.errors import Refused, nearest

__all__ = ["corrected", "published", "redacted", "withdrawn"]

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


def corrected(
    history: History, event: EntryCorrected, told: str, said: str
) -> tuple[EntryCorrected, list[str]]:
    """Return a correction that names a version and spells its fields, and warnings. told: when it is public; said: when it is said."""
    version = history.resolve(event.corrects, "corrects")
    target = history.events[version - 1]
    if not isinstance(target, _CORRECTABLE):
        raise Refused(
            f"corrects v{version} is {target.TYPE}, which cannot be corrected; correct the entry it was about"
        )
    history.check_told_after(version, told, "what it corrects")
    stands = history.standing.of(version)
    if stands is None:
        raise Refused(f"corrects v{version} was withdrawn; there is nothing left to correct")
    if not event.set:
        raise Refused("set is empty; give the fields as they should have been")
    schema = type(target).__struct_fields__
    for name in event.set:
        if name not in schema:
            raise Refused(f"set.{name} is not a field of {target.TYPE}{nearest(name, schema)}")
        if name in _NOT_CORRECTABLE:
            raise Refused(
                f"set.{name} cannot be corrected: it says which entry this is and when it was said; withdraw the entry"
            )
        if event.kind == "editorial" and name not in ("body", "title"):
            raise Refused(
                f"set.{name} is a fact, and an editorial correction changes body and title only; use kind correction"
            )
    standing = stands.event
    if (
        event.kind == "editorial"
        and ("body" in event.set)
        and (event.set["body"] is None) != (standing.body is None)
    ):
        raise Refused(
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
        raise Refused("; ".join(wrong))
    checked, problems = check_fields(set_fields(standing, event.set), event.set)
    if problems:
        raise Refused("; ".join(f"set.{problem}" for problem in problems))
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
                planned_in_time(fixed)
        case MeasurementRecorded():
            if "end" in changed:
                past("end", fixed.end, said)
        case _ if changed <= WORDS and not (
            isinstance(fixed, IncidentUpdated) and _why(said_something, fixed)
        ):
            return  # Nothing else than whether it says something hangs on its words.
        case _:
            name = history.stream.partition("/")[2]
            before = (one for one in history.standing.said if one.version < version)
            facts = fold(one for one in before if isinstance(one.event, _OF_STATE))
            timed = said if changed & {"at", "began_at"} else ""
            why = _why(fits, fixed, facts, name, timed)
            if why is not None and why != _why(fits, standing, facts, name, ""):
                raise Refused(why)


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
                raise Refused(
                    f"v{version} ({history.events[version - 1].TYPE}) would no longer fit: {reason}"
                )
    before, after = history.facts, then.facts
    warnings = widened(before, after)
    # Where nothing but a window changes, all others fit as they did.
    for key in after.windows if touched is None else touched:
        window = after.windows[key]
        if window.withdrawn:
            continue
        stood, fields = before.windows[key].fields, window.fields
        if fields.start != stood.start or fields.planned != stood.planned:
            begun(fields, after, said)
        try:
            found = fits_window(fields, after, said)
        except Refused:
            if fields != stood or _why(fits_window, stood, before, "") is None:
                raise
        else:
            warnings += found if fields != stood else []
    for key, measured in after.measurements.items():
        why = _why(fits_measurement, measured, after)
        if why is not None and why != _why(fits_measurement, before.measurements[key], before):
            raise Refused(why)
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
            why = _why(fits, event, facts, name, "")
            if why is not None:
                found[statement.version] = why
        facts.apply(statement.version, event)
    return found


def withdrawn(history: History, event: EntryWithdrawn, told: str) -> tuple[EntryWithdrawn, list[str]]:
    """Return the withdrawal of an entry with the version it names, and warnings. told: when it is public, "" where it is internal."""
    version = history.resolve(event.corrects, "corrects")
    target = history.events[version - 1]
    if not isinstance(target, _WITHDRAWABLE):
        hint = (
            "use withdraw-window"
            if isinstance(target, WindowAdded | WindowRevised)
            else "use withdraw or correct"
        )
        raise Refused(
            f"corrects v{version} is {target.TYPE}, which withdraw-update does not take back; {hint}"
        )
    history.check_told_after(version, told, "what it withdraws")
    if history.standing.is_withdrawn(version):
        raise Refused(f"corrects v{version} is already withdrawn")
    event = msgspec.structs.replace(event, corrects=version)
    return event, _checked_refold(history, event, "")


def published(history: History, event: EntryPublished, told: str) -> tuple[EntryPublished, list[str]]:
    """Return the later publication of an internal entry with the version it names, and warnings. told: when that is."""
    version = history.resolve(event.publishes, "publishes")
    target = history.events[version - 1]
    if not told:
        raise Refused("internal contradicts publish; leave it out")
    if not target.internal:
        raise Refused(
            f"publishes v{version} is not internal; it has been public since {history.told[version - 1]}"
        )
    if history.told[version - 1]:
        raise Refused(f"publishes v{version} was already published at {history.told[version - 1]}")
    if version != 1:
        history.check_told_after(1, told, "the opening")
    if isinstance(target, EntryCorrected | EntryWithdrawn):
        history.check_told_after(int(target.corrects), told, "what it corrects")
    if isinstance(target, WindowRevised | WindowWithdrawn):
        added = next(
            at for at, other in enumerate(history.events, 1)
            if isinstance(other, WindowAdded) and other.window == target.window
        )  # fmt: skip
        history.check_told_after(added, told, f"window {target.window!r}")
    stands = history.standing.of(version)
    standing = target if stands is None else stands.event
    warnings = (
        said_something(msgspec.structs.replace(standing, internal=False))
        if isinstance(standing, IncidentUpdated)
        else []
    )
    return msgspec.structs.replace(event, publishes=version), warnings


def redacted(history: History, event: EntryRedacted) -> EntryRedacted:
    """Return the erasure of texts with the version it names. Raises Refused where a field is no text or is erased already."""
    version = history.resolve(event.entry, "entry")
    target = history.events[version - 1]
    texts = text_paths(target)
    for field in event.fields:
        if field not in texts:
            raise Refused(
                f"fields {field!r} is not a text of v{version} ({target.TYPE}){nearest(field, texts)}; "
                f"its texts are {', '.join(texts)}"
            )
        if (version, field) in history.erased:
            raise Refused(f"fields {field!r} of v{version} is already erased")
    return msgspec.structs.replace(event, entry=version)
