"""What the replay page tells of each revision, and since and until when each part of a notice stood so.

A statement that did not change is told once, with the revisions in which it stood, so that a page grows with what was said
and not with its square.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET

from ledger.domain.events import AnyEvent, EntryRedacted, Event, Text
from ledger.domain.instants import shown
from ledger.domain.window import Window
from ledger.store.stream import Entry
from projections.consequences import Consequences, Stage
from projections.notice import Notice, Post
from projections.page_figures import Figure, Total, figures, totals
from projections.page_texts import ShownText, Sources
from projections.replay import Told, corrections_of, said_of

__all__ = [
    "Fact", "PageCorrection", "PageEntry", "PagePost", "PageRevision", "WindowState", "page_revisions", "window_states",
]  # fmt: skip


# The texts of an entry that are told beside it, and what each is called; body and title stand in the notice.
_ENTRY_TEXTS = (
    ("actor", "by"),
    ("reason", "because"),
    ("scope", "scope"),
    ("quote", "quote"),
    ("source", "source"),
)


class PageEntry(msgspec.Struct, frozen=True):
    """An entry of a revision: where it stands, both clocks, who is said to have made it and why."""

    position: int
    version: int
    type: str
    published_at: str
    recorded_at: str
    late: bool
    after_resolved: bool
    clock_behind: bool
    texts: tuple[tuple[str, ShownText], ...]


class PageCorrection(msgspec.Struct, frozen=True):
    """What was set right in a statement: by which entry, when it was said, which fields and why."""

    version: int
    position: int
    published_at: str
    late: bool
    after_resolved: bool
    kind: str
    fields: tuple[str, ...]
    reason: ShownText | None


class PagePost(msgspec.Struct):
    """A statement as it stood from one revision until before another; rank: its place, the newest highest."""

    version: int
    first: int
    until: int | None
    rank: tuple[str, int, int]
    order: int
    post: Post
    body: ShownText | None
    reason: ShownText | None
    corrections: tuple[PageCorrection, ...]
    changed: bool
    raw: Text | None


class Fact(msgspec.Struct, frozen=True):
    """A field of the notice and its value; before: its value at the revision before, where that was another."""

    name: str
    value: str
    before: str | None


class PageRevision(msgspec.Struct, frozen=True):
    """One revision: what it told, what it changed, and what that came to. after_resolved: it came after "resolved".

    published_position, recorded_position: of the entries that its two times are those of. named: whether it says any place.
    """

    number: int
    published_at: str
    published_position: int
    recorded_at: str
    recorded_position: int
    late: bool
    after_resolved: bool
    entries: tuple[PageEntry, ...]
    title: ShownText | None
    facts: tuple[Fact, ...]
    posts: tuple[PagePost, ...]
    standing: str
    windows: tuple[str, ...]
    named: bool
    figures: tuple[Figure, ...]
    totals: tuple[Total, ...]
    as_of: str
    changes: tuple[str, ...]

    @property
    def headline(self) -> str:
        """The revision in a few words."""
        said = ", ".join(post.post.heading for post in self.posts if not post.changed)
        return said or next(iter(self.changes), "No visible change")


class WindowState(msgspec.Struct):
    """An impact window as it stood from one revision until before another; None: it stands so to the end.

    entries: the positions of those that say so, corrections that were put into them too.
    """

    window: Window
    first: int
    until: int | None
    entries: tuple[int, ...] = ()


def window_states(stages: Sequence[Stage]) -> list[WindowState]:
    """Return every state that a window ever had, by region, start of its first state, and id, the oldest first."""
    found: dict[tuple[str, int], WindowState] = {}
    for stage in stages:
        present = set()
        for drawn in stage.windows:
            state = (drawn.window.window, drawn.said_in)
            present.add(state)
            if state not in found:
                found[state] = WindowState(drawn.window, drawn.said_in, None, _positions(stage, drawn.window))
        for state, one in found.items():
            if state not in present and one.until is None:
                one.until = stage.revision
    return sorted(
        found.values(), key=lambda one: (one.window.region, one.window.start, one.window.window, one.first)
    )


def _positions(stage: Stage, window: Window) -> tuple[int, ...]:
    """Return the positions of the entries that a window rests on at a stage."""
    fold = stage.reading.fold
    positions = {one.entry.version: one.entry.position for one in stage.reading.seen}
    said = said_of(fold.facts.windows[window.window], corrections_of(fold.said))
    return tuple(positions[version] for version in said)


def page_revisions(
    entries: Sequence[Entry],
    stages: Sequence[Stage],
    found: Sequence[tuple[Consequences | None, Consequences]],
    sources: Sources,
) -> list[PageRevision]:
    """Return the revisions of a notice.

    entries: of its stream. found: at each stage what the windows of the stage before come to, and what its own do, both to
    the same instant.
    """
    posts = _Posts(entries, sources)
    by_stage = [posts.at(stage) for stage in stages]
    for order, post in enumerate(sorted(posts.all, key=lambda one: (one.rank, one.first))):
        post.order = order
    revisions = []
    for at, stage in enumerate(stages):
        before = stages[at - 1] if at else None
        events = posts.titles
        title = sources.shown("title", events[at], events[at - 1] if at else None)
        facts = tuple(_facts(stage.notice, before.notice if before else None))
        counted = tuple(figures(*found[at]))
        over = stage.reading.fold.over
        told_in = [_entry(one, one.entry.version in over, sources) for one in stage.entries]
        revisions.append(
            PageRevision(
                number=stage.revision,
                published_at=stage.entries[0].told_at,
                published_position=stage.entries[0].entry.position,
                recorded_at=told_in[-1].recorded_at,
                recorded_position=told_in[-1].position,
                late=any(one.late for one in stage.entries),
                after_resolved=any(one.after_resolved for one in told_in),
                entries=tuple(told_in),
                title=title,
                facts=facts,
                posts=tuple(by_stage[at]),
                standing=_standing(posts.all, stage.revision),
                windows=tuple(
                    drawn.window.window for drawn in stage.windows if drawn.said_in == stage.revision
                ),
                named=bool(stage.windows or (stage.notice.services and stage.notice.regions)),
                figures=counted,
                totals=tuple(totals(*found[at])),
                as_of=found[at][1].as_of,
                changes=tuple(_changes(stage, before, by_stage[at], title, facts, counted)),
            )
        )
    return revisions


class _Posts:
    """Follows the statements of a notice from stage to stage."""

    def __init__(self, entries: Sequence[Entry], sources: Sources) -> None:
        self.by_version = {entry.version: entry for entry in entries}
        self.sources = sources
        self.all: list[PagePost] = []
        self.titles: list[Text | None] = []
        self._now: dict[int, PagePost] = {}

    def at(self, stage: Stage) -> list[PagePost]:
        """Take in a stage, and return the statements that are new or changed in it, the newest first."""
        ranks = {
            one.entry.version: (one.told_at, one.position, one.entry.version) for one in stage.reading.seen
        }
        events = {one.version: one.event for one in stage.reading.fold.said}
        self.titles.append(_title(events.values()))
        fresh = []
        present = {post.version for post in stage.notice.posts}
        for version in [version for version in self._now if version not in present]:
            self._now.pop(version).until = stage.revision
        for post in stage.notice.posts:
            known = self._now.get(post.version)
            raw = events[post.version].body
            if known is not None and known.post == post and known.raw == raw:
                continue
            made = self._post(post, events[post.version], stage.revision, ranks[post.version], known)
            if known is not None:
                known.until = stage.revision
            self._now[post.version] = made
            fresh.append(made)
        self.all += fresh
        return fresh

    def _post(
        self, post: Post, event: Event, revision: int, rank: tuple[str, int, int], known: PagePost | None
    ) -> PagePost:
        return PagePost(
            version=post.version,
            first=revision,
            until=None,
            rank=rank,
            order=0,
            post=post,
            body=self.sources.shown("body", event.body, known.raw if known else None),
            reason=self.sources.shown("reason", event.reason),
            corrections=tuple(
                PageCorrection(
                    made.version,
                    self.by_version[made.version].position,
                    made.published_at,
                    made.late,
                    made.after_resolved,
                    made.kind,
                    made.fields,
                    self.sources.shown("reason", self.by_version[made.version].event.reason),
                )
                for made in post.corrections
            ),
            changed=known is not None,
            raw=event.body,
        )


def _title(events: Iterable[AnyEvent]) -> Text | None:
    """Return the title of a notice as it was committed: the last one that was said."""
    found: Text | None = None
    for event in events:
        found = getattr(event, "title", found)
    return found


def _entry(one: Told, after: bool, sources: Sources) -> PageEntry:
    event = one.entry.event
    return PageEntry(
        position=one.entry.position,
        version=one.entry.version,
        type=one.entry.type,
        published_at=one.told_at,
        recorded_at=one.entry.recorded_at,
        late=one.late,
        after_resolved=after,
        clock_behind=one.entry.clock_behind,
        texts=tuple(
            (label, found)
            for field, label in _ENTRY_TEXTS
            # Unset is what a revision of a window did not touch.
            if (value := getattr(event, field, None)) is not UNSET
            and (found := sources.shown(field, value)) is not None
        ),
    )


def _facts(now: Notice, before: Notice | None) -> Iterable[Fact]:
    old = {} if before is None else dict(_values(before))
    for name, value in _values(now):
        was = old.get(name) if before is not None else value
        if value or was:
            yield Fact(name, value or "none", None if was == value else was or "none")


def _values(found: Notice) -> Iterable[tuple[str, str]]:
    yield "Status", found.status
    for name, instant in (
        ("Scheduled from", found.scheduled_start),
        ("Scheduled to", found.scheduled_end),
        ("Began", found.began_at),
        ("Fixed", found.fixed_at),
        ("Resolved", found.resolved_at),
    ):
        yield name, shown(instant) if instant else ""
    yield "Impact", found.impact or ""
    for name, names in (
        ("Services", found.services), ("Components", found.components), ("Regions", found.regions),
    ):  # fmt: skip
        yield name, ", ".join(names)


def _standing(posts: Sequence[PagePost], revision: int) -> str:
    """Return in which revisions the statements are printed that stand here unchanged."""
    found = sorted(
        {post.first for post in posts if post.first < revision and (post.until or revision + 1) > revision}
    )
    spans: list[list[int]] = []
    for one in found:
        if spans and spans[-1][1] == one - 1:
            spans[-1][1] = one
        else:
            spans.append([one, one])
    return ", ".join(f"r{low}" if low == high else f"r{low} to r{high}" for low, high in spans)


def _changes(
    stage: Stage,
    before: Stage | None,
    posts: Sequence[PagePost],
    title: ShownText | None,
    facts: Sequence[Fact],
    counted: Sequence[Figure],
) -> Iterable[str]:
    """Yield in words what a revision changed; texts of events are not among them."""
    if before is None:
        yield "The notice was published."
    for post in posts:
        if post.post.type.startswith("window."):
            continue  # told with the windows
        if not post.changed:
            yield f"Said: {post.post.heading}."
        elif post.body is not None and post.body.changed:
            yield f"Text of “{post.post.heading}” ({shown(post.post.published_at)}) changed."
        elif post.corrections:
            yield f"“{post.post.heading}” ({shown(post.post.published_at)}) corrected."
    gone = {post.version for post in before.notice.posts} if before else set()
    for version in sorted(gone - {post.version for post in stage.notice.posts}):
        yield f"The statement v{version} was withdrawn."
    for one in stage.entries:
        event = one.entry.event
        if isinstance(event, EntryRedacted):
            yield f"Erased: {', '.join(event.fields)} of v{event.entry}."
        elif event.internal:
            yield f"Made public: v{one.entry.version}, recorded {shown(one.entry.recorded_at)}."
    if title is not None and title.changed:
        yield "The title changed."
    for fact in facts if before else ():
        if fact.before is not None:
            yield f"{fact.name}: {fact.before} → {fact.value}."
    yield from _window_changes(stage)
    for figure in counted:
        if figure.before is not None:
            yield (
                f"Downtime of {figure.service} in {figure.region}, {figure.period}: "
                f"{figure.before:,} s → {figure.downtime_seconds:,} s."
            )


def _window_changes(stage: Stage) -> Iterable[str]:
    for drawn in stage.windows:
        if drawn.said_in == stage.revision:
            word = "withdrawn" if drawn.window.withdrawn else "revised" if drawn.ghosts else "added"
            yield f"Impact window {drawn.window.window} {word}."
