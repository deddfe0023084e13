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
    Event,
    IncidentFixDeployed,
    WindowAdded,
    WindowRevised,
    WindowWithdrawn,
)
from ledger.domain.incident import ImpactWindow
from ledger.domain.instants import seconds, shown
from ledger.errors import Refused
from ledger.store.stream import Entry, text_or_erased
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
    """What was set right in a statement: when it was said, why, and which fields.

    late: it was published before it was recorded. after_resolved: the incident stood as resolved by then.
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


class NoticeWindow(msgspec.Struct, frozen=True):
    """One impact window as the notice shows it. seconds: None while it is open.

    late: a statement of it was published before it was recorded. after_resolved: one was told after that.
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
) -> Notice:
    """Return the notice that entries make which were read before: shown, folded, of a revision; gone: what was erased."""
    by_version = {one.entry.version: one for one in seen}
    facts, over = fold.facts, fold.over
    posts: list[Post] = []
    for statement in fold.said:
        event = statement.event
        # A window, a label or an erasure without words of its own is shown where it belongs, not as a statement.
        if event.body is not None or not isinstance(
            event, WindowAdded | WindowRevised | EntryRedacted | EntryPublished
        ):
            corrections = [by_version[at] for at in statement.corrected_by]
            status = fold.statuses[statement.version]
            posts.append(_post(by_version[statement.version], event, status, corrections, over, gone))
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
            _window(window, [by_version[at] for at in said_of(window, corrected)], over)
            for window in sorted(
                facts.windows.values(), key=lambda one: (one.fields.start, one.fields.window)
            )
        ),
        posts=tuple(reversed(posts)),
        published_by=cut.published_by,
        recorded_by=cut.recorded_by,
    )


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
    heading = _HEADINGS[one.entry.type]
    if isinstance(event, EntryCorrected) and event.kind == "editorial":
        heading = "Editorial change"
    if isinstance(event, IncidentFixDeployed):
        heading += f" {shown(event.at)}"
    if isinstance(event, WindowAdded | WindowRevised | WindowWithdrawn):
        heading += f": {event.window}"
    return Post(
        version=one.entry.version,
        position=one.entry.position,
        type=one.entry.type,
        heading=heading,
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


def _correction(one: Told, over: frozenset[int]) -> Correction:
    event = one.entry.event
    if not isinstance(event, EntryCorrected):
        raise TypeError(one.entry.type)
    return Correction(
        one.entry.version,
        one.told_at,
        event.kind,
        text_or_erased(event.reason) or "",
        tuple(sorted(event.set)),
        one.entry.recorded_at,
        one.late,
        one.entry.version in over,
    )


def _window(window: ImpactWindow, said: Sequence[Told], over: frozenset[int]) -> NoticeWindow:
    fields = window.fields
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
        planned=fields.planned is not None,
        withdrawn=window.withdrawn,
        added_at=said[0].told_at,
        changed_at=max(one.told_at for one in said[1:]) if len(said) > 1 else None,
        after_resolved=any(one.entry.version in over for one in said),
        late=any(one.late for one in said),
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
        lines += [f"  {window_line(window)}" for window in found.windows]
    for post in found.posts:
        lines += ["", _post_line(post)]
        if post.body:
            lines += [f"  {line}" if line else "" for line in post.body.splitlines()]
        if post.reason:
            lines.append(f"  Reason: {post.reason}")
        lines += [f"  {_correction_line(correction)}" for correction in post.corrections]
        lines += [f"  {words(erasure)}" for erasure in post.erased]
    return "\n".join(lines) + "\n"


def as_markdown(found: Notice) -> str:
    """Return the notice as Markdown; texts that were not written as Markdown are escaped."""
    lines = [f"# {_escaped(found.title)}", ""]
    lines += [f"- **{name}:** {_escaped(value)}" for name, value in _facts(found)]
    if found.windows:
        lines += ["", "## Impact windows", ""]
        lines += [f"- {_escaped(window_line(window))}" for window in found.windows]
    for post in found.posts:
        lines += ["", f"## {_escaped(_post_line(post))}"]
        if post.body:
            lines += ["", post.body if post.body_format == "markdown" else _escaped(post.body)]
        if post.reason:
            lines += ["", f"*Reason: {_escaped(post.reason)}*"]
        for correction in post.corrections:
            lines += ["", f"*{_escaped(_correction_line(correction))}*"]
        for erasure in post.erased:
            lines += ["", f"*{_escaped(words(erasure))}*"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    # Characters that start Markdown or HTML; a backslash before punctuation is literal (CommonMark 2.4).
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+!|~" else letter for letter in text)


def _facts(found: Notice) -> list[tuple[str, str]]:
    rows = [("Status", found.status), ("Revision", f"r{found.revision}")]
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
    if window.planned:
        parts.append("planned")
    if window.withdrawn:
        parts.append("WITHDRAWN")
    if window.after_resolved:
        parts.append(f"stated after resolved, {shown(window.changed_at or window.added_at)}")
    if window.late:
        parts.append("recorded later")
    return "; ".join(parts)


def _post_line(post: Post) -> str:
    return f"{shown(post.published_at)}  {post.heading}{marked(post.late, post.after_resolved)}"


def _correction_line(correction: Correction) -> str:
    word = "Edited" if correction.kind == "editorial" else "Corrected"
    said = f"{word} {shown(correction.published_at)} ({', '.join(correction.fields)}): {correction.reason}"
    return said + marked(correction.late, correction.after_resolved)
