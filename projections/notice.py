"""The public notice of an incident, as it reads now or read then.

Newest statement first; corrections marked with their time and reason; windows apart from the statements, since when
something was down has nothing to do with when it was said. Pure: entries in, notice out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ledger.domain.events import (
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    Event,
    IncidentAffectedSet,
    IncidentFixDeployed,
    IncidentImpactSet,
    IncidentLinked,
    IncidentRetitled,
    MeasurementRecorded,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import ImpactWindow, Statement, revised_fields
from ledger.domain.instants import seconds, shown
from ledger.errors import Refused
from ledger.store.stream import Entry, text_or_erased
from projections.escaping import line_as_markdown, text_as_markdown
from projections.marks import Erasure, erasures, marked, words
from projections.replay import (
    Audience,
    Cut,
    Folded,
    Told,
    corrections_of,
    folded,
    revisions,
    said_of,
    told,
)

__all__ = [
    "Correction",
    "Made",
    "Notice",
    "NoticeWindow",
    "Post",
    "as_json",
    "as_markdown",
    "as_text",
    "notice",
    "notice_of",
    "window_line",
]


class Correction(msgspec.Struct, frozen=True):
    """What was set right in a statement or a window: when it was said, why, and which fields.

    kind: `correction` or `editorial` of what an entry says; of a window also `revision` and `withdrawal`. late: it was published before it was recorded. after_resolved: the incident stood as resolved by then.
    """

    version: int
    published_at: str
    kind: str
    reason: str
    fields: tuple[str, ...]
    recorded_at: str
    late: bool
    after_resolved: bool


class Post(msgspec.Struct, frozen=True):
    """One statement of the notice. late: it was published before it was recorded.

    says: what it states without words of its own, such as the new title, or which entry it corrects; None where the
    heading and the body say all.
    erased: which of its texts, or of its corrections' texts, are gone; by whom, when and why.
    """

    version: int
    position: int
    type: str
    heading: str
    published_at: str
    recorded_at: str
    late: bool
    status: str | None
    body: str | None
    body_format: str
    reason: str | None
    after_resolved: bool
    corrections: tuple[Correction, ...]
    erased: tuple[Erasure, ...]
    says: str | None = None


class NoticeWindow(msgspec.Struct, frozen=True):
    """One impact window as the notice shows it. seconds: None while it is open.

    late: a statement of it was published before it was recorded. after_resolved: one was told after the incident stood
    as resolved, the first of them at after_resolved_at. cohort: only these customers. start_within_seconds,
    end_within_seconds: tolerance, either way. announced_at, scheduled_start, scheduled_end: of planned work. changes: its
    revisions, corrections and withdrawal, in the order told.
    """

    window: str
    service: str
    component: str
    region: str
    start: str
    end: str | None
    seconds: int | None
    effect: str
    share: str | None
    approximate: bool
    planned: bool
    withdrawn: bool
    added_at: str
    changed_at: str | None
    after_resolved: bool
    late: bool
    after_resolved_at: str | None
    cohort: str | None
    start_within_seconds: int | None
    end_within_seconds: int | None
    announced_at: str | None
    scheduled_start: str | None
    scheduled_end: str | None
    changes: tuple[Correction, ...]


class Notice(msgspec.Struct, frozen=True):
    """A notice under a cut. revision: number of its last public change, never renumbered by a cut."""

    incident: str
    revision: int
    kind: str
    status: str
    title: str
    began_at: str | None
    fixed_at: str | None
    resolved_at: str | None
    impact: str | None
    services: tuple[str, ...]
    components: tuple[str, ...]
    regions: tuple[str, ...]
    windows: tuple[NoticeWindow, ...]
    posts: tuple[Post, ...]
    published_by: str | None
    recorded_by: int | None
    scheduled_start: str | None = None
    scheduled_end: str | None = None


_HEADINGS = {
    "incident.opened": "Opened",
    "incident.identified": "Identified",
    "incident.updated": "Update",
    "incident.fix_deployed": "Fix deployed",
    "incident.resolved": "Resolved",
    "incident.reopened": "Reopened",
    "entry.corrected": "Correction",
    "entry.withdrawn": "Withdrawn",
    "incident.retitled": "Title changed",
    "incident.affected_set": "Affected changed",
    "incident.impact_set": "Impact changed",
    "window.added": "Impact window added",
    "window.revised": "Impact window revised",
    "window.withdrawn": "Impact window withdrawn",
    "incident.withdrawn": "Notice withdrawn",
    "incident.linked": "Linked",
    "measurement.recorded": "Measurement",
    "entry.published": "Published",
    "entry.redacted": "Text erased",
}


def notice(entries: Sequence[Entry], cut: Cut = Cut(), audience: Audience = "public") -> Notice:
    """Return the notice that the entries of one incident make under a cut.

    Raises Refused when nothing of the incident was public by then.
    """
    key = entries[0].key if entries else ""
    seen = told(entries, cut, audience)
    if not seen:
        raise Refused(f"incident {key!r} had no public notice{_why_none(entries, cut)}")
    versions = {one.entry.version for one in seen}
    numbers = [revision.number for revision in revisions(entries) if versions.intersection(revision.versions)]
    return notice_of(key, cut, seen, folded(seen), max(numbers, default=0), erasures(entries, public=True))


def notice_of(
    key: str,
    cut: Cut,
    seen: Sequence[Told],
    fold: Folded,
    revision: int,
    gone: Mapping[int, tuple[Erasure, ...]],
    made: Made | None = None,
) -> Notice:
    """Return the notice that entries make which were read before: shown, folded, of a revision; gone: what was erased.

    made: posts and windows of notices of the same incident that may stand here again.
    """
    made = made or Made()
    by_version = {one.entry.version: one for one in seen}
    facts = fold.facts
    posts: list[Post] = []
    for statement in fold.said:
        event = statement.event
        # A window, a label or an erasure without words of its own is shown where it belongs, not as a statement.
        if event.body is not None or not isinstance(
            event, WindowAdded | WindowRevised | EntryRedacted | EntryPublished
        ):
            posts.append(made.post(statement, fold, by_version, gone))
    corrected = corrections_of(fold.said)
    return Notice(
        incident=key,
        revision=revision,
        kind=facts.kind,
        status=facts.status or "unknown",
        title=text_or_erased(facts.title) or "",
        began_at=facts.began_at,
        fixed_at=facts.fixed_at,
        resolved_at=facts.resolved_at,
        impact=facts.impact,
        services=facts.services,
        components=facts.components,
        regions=facts.regions,
        windows=tuple(
            made.window(window, fold, by_version, corrected)
            for window in sorted(
                facts.windows.values(), key=lambda one: (one.fields.start, one.fields.window)
            )
        ),
        posts=tuple(reversed(posts)),
        published_by=cut.published_by,
        recorded_by=cut.recorded_by,
        scheduled_start=facts.scheduled_start,
        scheduled_end=facts.scheduled_end,
    )


class Made:
    """Posts and windows that were made, so that a history of a thousand revisions makes each once.

    For notices that grow out of one another (`Reader.follow`): a statement that is the same object has the same status after
    it and the same marks, and a window that is the same object the same entries behind it.
    """

    def __init__(self) -> None:
        self._posts: dict[int, tuple[Statement, bool, Post]] = {}
        self._windows: dict[str, tuple[ImpactWindow, NoticeWindow]] = {}

    def post(
        self,
        statement: Statement,
        fold: Folded,
        by_version: Mapping[int, Told],
        gone: Mapping[int, tuple[Erasure, ...]],
    ) -> Post:
        """Return the post of a statement."""
        version, event = statement.version, statement.event
        about = _ABOUT.get(type(event))
        # An entry that another is about may be published later, and has a name from then on.
        named = about is not None and int(getattr(event, about)) in by_version
        known = self._posts.get(version)
        if known is not None and known[0] is statement and known[1] == named:
            return known[2]
        corrections = [by_version[at] for at in statement.corrected_by]
        post = _post(by_version[version], event, fold.statuses[version], corrections, fold.over, gone)
        post = msgspec.structs.replace(post, says=_says(event, by_version))
        if known is not None and known[2] == post:
            post = known[2]
        self._posts[version] = statement, named, post
        return post

    def window(
        self,
        window: ImpactWindow,
        fold: Folded,
        by_version: Mapping[int, Told],
        corrected: Mapping[int, tuple[int, ...]],
    ) -> NoticeWindow:
        """Return a window as the notice shows it; corrected: by version the corrections put into a statement."""
        known = self._windows.get(window.fields.window)
        if known is not None and known[0] is window:
            return known[1]
        found = _window(window, [by_version[at] for at in said_of(window, corrected)], fold.over)
        self._windows[window.fields.window] = window, found
        return found


# Which field of an event names the entry that it is about.
_ABOUT: dict[type, str] = {
    EntryCorrected: "corrects", EntryWithdrawn: "corrects", EntryPublished: "publishes", EntryRedacted: "entry",
}  # fmt: skip


def _why_none(entries: Sequence[Entry], cut: Cut) -> str:
    """Return how far the cut looks, and what a reader can do."""
    held = f" among the entries up to @{cut.recorded_by}" if cut.recorded_by is not None else ""
    first = next(iter(told(entries)), None)
    if first is None:
        return f"{held}: all its entries are internal; see ledger log {entries[0].key}, or publish them"
    by = f" by {cut.published_by}" if cut.published_by else ""
    if cut.published_by is not None and cut.published_by < first.told_at:
        return f"{by}{held}; the first was published {first.told_at}"
    return f"{by}{held}; the first public entry was recorded as @{first.position}"


def _post(
    one: Told,
    event: Event,
    status: str | None,
    corrections: Sequence[Told],
    over: frozenset[int],
    gone: Mapping[int, tuple[Erasure, ...]],
) -> Post:
    return Post(
        version=one.entry.version,
        position=one.entry.position,
        type=one.entry.type,
        heading=_heading(event),
        published_at=one.told_at,
        recorded_at=one.entry.recorded_at,
        late=one.late,
        status=status,
        body=text_or_erased(event.body),
        body_format=event.body_format,
        reason=text_or_erased(event.reason),
        after_resolved=one.entry.version in over,
        corrections=tuple(_correction(made, over) for made in corrections),
        erased=tuple(
            erasure
            for told_by in (one, *corrections)
            for erasure in gone.get(told_by.entry.version, ())
            # Who said it, and notes, are in no notice, so that they are gone is not said there.
            if erasure.field not in ("actor", "note")
        ),
    )


def _heading(event: Event) -> str:
    heading = _HEADINGS[event.TYPE]
    if isinstance(event, EntryCorrected) and event.kind == "editorial":
        heading = "Editorial change"
    if isinstance(event, IncidentFixDeployed):
        heading += f" {shown(event.at)}"
    if isinstance(event, WindowAdded | WindowRevised | WindowWithdrawn):
        heading += f": {event.window}"
    return heading


def _says(event: Event, by_version: Mapping[int, Told]) -> str | None:
    """Return what a statement says besides its heading and body; None where that is all."""
    match event:
        case EntryCorrected():
            return f"{_named(event.corrects, by_version)}: {', '.join(sorted(event.set))}"
        case EntryWithdrawn():
            return _named(event.corrects, by_version)
        case EntryPublished():
            return _named(event.publishes, by_version)
        case EntryRedacted():
            return f"{_named(event.entry, by_version)}: {', '.join(event.fields)}"
        case IncidentRetitled():
            return text_or_erased(event.title)
        case IncidentImpactSet():
            return event.impact
        case IncidentAffectedSet():
            return "; ".join(
                f"{name} {', '.join(values) or 'none'}"
                for name, values in (
                    ("services", event.services), ("components", event.components), ("regions", event.regions),
                )
            )  # fmt: skip
        case IncidentLinked():
            return f"{event.relation} {event.to}"
        case MeasurementRecorded():
            return _measured(event)
        case _:
            return None


def _named(version: int | str, by_version: Mapping[int, Told]) -> str:
    """Return which entry is meant, for people: by its version, heading and time, as far as the reader may see it."""
    one = by_version.get(int(version))
    return f"v{version}" if one is None else f"v{version}, {_heading(one.entry.event)}, {shown(one.told_at)}"


def _measured(event: MeasurementRecorded) -> str:
    if event.value is not None:
        statistic = f" {event.statistic}" if event.statistic else ""
        figure = f"{event.of}{statistic} {event.value}{f' {event.unit}' if event.unit else ''}"
    elif event.total is not None:
        figure = f"{event.failed or 0} of {event.total} {event.of} failed"
    else:
        rows = f" of {event.series.rows} rows" if event.series else ""
        figure = f"{event.of}, a series{rows}"
    where = f"{event.service}, {event.component}, {event.region}"
    return f"{event.measurement}: {figure}; {shown(event.start)} to {shown(event.end)}; {where}"


def _correction(one: Told, over: frozenset[int]) -> Correction:
    """Return what an entry set right in a statement or a window."""
    event = one.entry.event
    kind: str
    fields: tuple[str, ...]
    match event:
        case EntryCorrected():
            kind, fields = event.kind, tuple(sorted(event.set))
        case WindowRevised():
            kind, fields = "revision", tuple(sorted(revised_fields(event)))
        case WindowWithdrawn():
            kind, fields = "withdrawal", ()
        case _:
            raise TypeError(one.entry.type)
    return Correction(
        one.entry.version,
        one.told_at,
        kind,
        text_or_erased(event.reason) or "",
        fields,
        one.entry.recorded_at,
        one.late,
        one.entry.version in over,
    )


def _window(window: ImpactWindow, said: Sequence[Told], over: frozenset[int]) -> NoticeWindow:
    fields, planned = window.fields, window.fields.planned
    return NoticeWindow(
        window=fields.window,
        service=fields.service,
        component=fields.component,
        region=fields.region,
        start=fields.start,
        end=fields.end,
        seconds=None if fields.end is None else seconds(fields.end) - seconds(fields.start),
        effect=fields.effect,
        share=_share(fields),
        approximate=fields.approximate,
        planned=planned is not None,
        withdrawn=window.withdrawn,
        added_at=said[0].told_at,
        changed_at=max(one.told_at for one in said[1:]) if len(said) > 1 else None,
        after_resolved=any(one.entry.version in over for one in said),
        late=any(one.late for one in said),
        after_resolved_at=min((one.told_at for one in said if one.entry.version in over), default=None),
        cohort=fields.cohort,
        start_within_seconds=fields.start_within_seconds,
        end_within_seconds=fields.end_within_seconds,
        announced_at=None if planned is None else planned.announced_at,
        scheduled_start=None if planned is None else planned.scheduled_start,
        scheduled_end=None if planned is None else planned.scheduled_end,
        changes=tuple(
            _correction(one, over)
            for one in sorted(said[1:], key=lambda one: (one.told_at, one.position, one.entry.version))
        ),
    )


def _share(fields: WindowAdded) -> str | None:
    bounds = []
    if fields.share_at_least is not None:
        bounds.append(f"at least {fields.share_at_least}")
    if fields.share_at_most is not None:
        bounds.append(f"at most {fields.share_at_most}")
    if not bounds:
        return None
    return " and ".join(bounds) + (f" of {fields.share_of}" if fields.share_of else "")


def as_json(found: Notice) -> dict[str, Any]:
    """Return the notice for programs (contract in docs/json.md)."""
    built: dict[str, Any] = msgspec.to_builtins(found)
    return built


def as_text(found: Notice) -> str:
    """Return the notice for a terminal."""
    lines = [found.title, "=" * len(found.title), ""]
    lines += [f"{name:<12}{value}" for name, value in _facts(found)]
    if found.windows:
        lines += ["", "Impact windows"]
        for window in found.windows:
            lines.append(f"  {window_line(window)}")
            lines += [f"    {_correction_line(change)}" for change in window.changes]
    for post in found.posts:
        lines += ["", _post_line(post)]
        if post.says:
            lines.append(f"  {post.says}")
        if post.body:
            # Only a line feed ends a line here; what else a terminal might take for one stays in the text.
            lines += [f"  {line}" if line else "" for line in post.body.split("\n")]
        if post.reason:
            lines.append(f"  Reason: {post.reason}")
        lines += [f"  {_correction_line(correction)}" for correction in post.corrections]
        lines += [f"  {words(erasure)}" for erasure in post.erased]
    return "\n".join(lines) + "\n"


def as_markdown(found: Notice) -> str:
    """Return the notice as Markdown; texts that were not written as Markdown are escaped."""
    lines = [f"# {line_as_markdown(found.title)}", ""]
    lines += [f"- **{name}:** {line_as_markdown(value)}" for name, value in _facts(found)]
    if found.windows:
        lines += ["", "## Impact windows", ""]
        for window in found.windows:
            lines.append(f"- {line_as_markdown(window_line(window))}")
            lines += [f"  - {line_as_markdown(_correction_line(change))}" for change in window.changes]
    for post in found.posts:
        lines += ["", f"## {line_as_markdown(_post_line(post))}"]
        if post.says:
            lines += ["", line_as_markdown(post.says)]
        if post.body:
            lines += ["", post.body if post.body_format == "markdown" else text_as_markdown(post.body)]
        if post.reason:
            lines += ["", f"*Reason: {line_as_markdown(post.reason)}*"]
        for correction in post.corrections:
            lines += ["", f"*{line_as_markdown(_correction_line(correction))}*"]
        for erasure in post.erased:
            lines += ["", f"*{line_as_markdown(words(erasure))}*"]
    return "\n".join(lines) + "\n"


def _facts(found: Notice) -> list[tuple[str, str]]:
    rows = [("Status", found.status), ("Revision", f"r{found.revision}")]
    if found.scheduled_start or found.scheduled_end:
        start, end = (shown(at) if at else "not said" for at in (found.scheduled_start, found.scheduled_end))
        rows.append(("Scheduled", f"{start} to {end}"))
    if found.began_at:
        rows.append(("Began", shown(found.began_at)))
    if found.fixed_at:
        rows.append(("Fixed", shown(found.fixed_at)))
    if found.resolved_at:
        rows.append(("Resolved", shown(found.resolved_at)))
    if found.impact:
        rows.append(("Impact", found.impact))
    for name, values in (
        ("Services", found.services),
        ("Components", found.components),
        ("Regions", found.regions),
    ):
        if values:
            rows.append((name, ", ".join(values)))
    return rows


def window_line(window: NoticeWindow) -> str:
    """Return an impact window for people, on one line."""
    end = "still open" if window.end is None else shown(window.end)
    about = "about " if window.approximate else ""
    parts = [
        f"{window.window}: {about}{shown(window.start)} to {end}",
        f"{window.region}, {window.component}",
        window.effect,
    ]
    if window.share:
        parts.append(window.share)
    if window.cohort:
        parts.append(f"only cohort {window.cohort}")
    for name, within in (("start", window.start_within_seconds), ("end", window.end_within_seconds)):
        if within:
            parts.append(f"{name} within {within:,} s either way")
    if window.announced_at and window.scheduled_start and window.scheduled_end:
        parts.append(
            f"planned for {shown(window.scheduled_start)} to {shown(window.scheduled_end)}, "
            f"announced {shown(window.announced_at)}"
        )
    if window.withdrawn:
        parts.append("WITHDRAWN")
    if window.after_resolved_at:
        word = "stated" if window.after_resolved_at == window.added_at else "changed"
        parts.append(f"{word} after resolved, {shown(window.after_resolved_at)}")
    if window.late:
        parts.append("recorded later")
    return "; ".join(parts)


def _post_line(post: Post) -> str:
    return f"{shown(post.published_at)}  {post.heading}{marked(post.late, post.after_resolved)}"


def _correction_line(correction: Correction) -> str:
    fields = f" ({', '.join(correction.fields)})" if correction.fields else ""
    said = f"{_SET_RIGHT[correction.kind]} {shown(correction.published_at)}{fields}: {correction.reason}"
    return said + marked(correction.late, correction.after_resolved)


_SET_RIGHT = {
    "correction": "Corrected",
    "editorial": "Edited",
    "revision": "Revised",
    "withdrawal": "Withdrawn",
}
