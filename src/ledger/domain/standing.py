"""What the entries of one incident say as they stand, taken in one after the other in the order of positions.

A stream is long where it was corrected often, and a correction acts on an entry far back. Here it changes the one statement it
names; the facts are folded on where that leaves them as they are or changes a window of them, and folded anew, once
somebody asks, where it may change more. What comes out is what `effective` and `fold` make of all entries.
"""

from __future__ import annotations

from ledger.domain.events import (
    AnyEvent,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    EntryWithdrawn,
    IncidentUpdated,
)
from ledger.domain.incident import KEPT_WHOLE, OF_WINDOWS, WORDS, Facts, Statement, fold, set_fields

__all__ = ["Standing"]

# These say nothing about the incident itself; they act on what other entries say.
_ACTS = (EntryCorrected, EntryWithdrawn, EntryPublished, EntryRedacted)


class Standing:
    """The statements of one incident so far, and the facts that they add up to."""

    __slots__ = ("_corrections", "_events", "_facts", "_of_window", "_renamed", "_said", "_withdrawn")

    def __init__(self) -> None:
        self._events: list[AnyEvent] = []
        # In the order of versions, withdrawn ones out, corrections put in.
        self._said: dict[int, Statement] = {}
        # By the version that is named, the versions of the corrections that name it.
        self._corrections: dict[int, tuple[int, ...]] = {}
        self._withdrawn: set[int] = set()
        self._of_window: dict[str, tuple[int, ...]] = {}
        # Whether a correction changed which window an entry is about; no rule allows that.
        self._renamed = False
        self._facts: Facts | None = Facts()

    @property
    def facts(self) -> Facts:
        """What the statements add up to."""
        if self._facts is None:
            self._facts = fold(one for one in self._said.values() if not isinstance(one.event, _ACTS))
        return self._facts

    @property
    def said(self) -> list[Statement]:
        """The statements in the order of positions, as `effective` returns them."""
        return list(self._said.values())

    def of(self, version: int) -> Statement | None:
        """Return a statement as it stands; None where it was withdrawn."""
        return self._said.get(version)

    def is_withdrawn(self, version: int) -> bool:
        """Tell whether an entry says that this one is withdrawn."""
        return version in self._withdrawn

    def then(self, event: AnyEvent) -> Standing:
        """Return what stands with one more entry; this stays as it is."""
        made = Standing()
        made._events, made._said = list(self._events), dict(self._said)
        made._corrections, made._withdrawn = dict(self._corrections), set(self._withdrawn)
        made._of_window, made._renamed = dict(self._of_window), self._renamed
        made._facts = None if self._facts is None else self._facts.copy()
        made.add(event)
        return made

    def touched(self, event: EntryCorrected | EntryWithdrawn) -> tuple[str, ...] | None:
        """Return which windows an act on an earlier entry changes, and nothing else; None where it may change more."""
        target = self._event(int(event.corrects))
        if isinstance(event, EntryCorrected):
            fields = event.set.keys()
        elif isinstance(target, EntryCorrected):
            fields, target = target.set.keys(), self._event(int(target.corrects))
        else:
            said = self.of(int(event.corrects))
            silent = said is not None and isinstance(said.event, IncidentUpdated) and not said.event.status
            return () if silent else None
        if target is None or isinstance(target, KEPT_WHOLE):
            return None
        if isinstance(target, OF_WINDOWS):
            return None if self._renamed or "window" in fields else (target.window,)
        return () if fields <= WORDS else None

    def add(self, event: AnyEvent) -> None:
        """Take in the next entry. Raises msgspec.ValidationError where a correction puts in what the corrected entry cannot hold."""
        version = len(self._events) + 1
        windows: tuple[str, ...] | None = ()
        if isinstance(event, EntryCorrected | EntryWithdrawn):
            windows = self.touched(event)
        self._events.append(event)
        if isinstance(event, OF_WINDOWS):
            self._of_window[event.window] = (*self._of_window.get(event.window, ()), version)
        self._act(version, event)
        if version in self._corrections or version in self._withdrawn:
            # It was named before it was there, which only a damaged stream does.
            windows = None
        self._state(version)
        if windows is None:
            self._facts = None
        elif self._facts is not None:
            if not isinstance(event, _ACTS):
                self._facts.apply(version, event)
            for window in windows:
                self._again(self._facts, window)

    def _event(self, version: int) -> AnyEvent | None:
        return self._events[version - 1] if 0 < version <= len(self._events) else None

    def _act(self, version: int, event: AnyEvent) -> None:
        """Let a correction or a withdrawal act on the statement that it names."""
        if isinstance(event, EntryWithdrawn):
            named = int(event.corrects)
            self._withdrawn.add(named)
            self._said.pop(named, None)
            if isinstance(target := self._event(named), EntryCorrected):
                self._state(int(target.corrects))
        elif isinstance(event, EntryCorrected):
            named = int(event.corrects)
            self._renamed = self._renamed or "window" in event.set
            self._corrections[named] = (*self._corrections.get(named, ()), version)
            if (known := self.of(named)) is not None and version not in self._withdrawn:
                fixed = set_fields(known.event, event.set)
                self._said[named] = Statement(named, fixed, (*known.corrected_by, version))

    def _state(self, version: int) -> None:
        """Put an entry's own statement together from the start."""
        if (event := self._event(version)) is None or version in self._withdrawn:
            return
        by = tuple(at for at in self._corrections.get(version, ()) if at not in self._withdrawn)
        for at in by:
            correction = self._events[at - 1]
            if isinstance(correction, EntryCorrected):
                event = set_fields(event, correction.set)
        self._said[version] = Statement(version, event, by)

    def _again(self, facts: Facts, window: str) -> None:
        """Fold one window again from what was said of it; nothing else follows from that."""
        said = (self._said.get(version) for version in self._of_window.get(window, ()))
        facts.windows.update(fold(one for one in said if one is not None).windows)
