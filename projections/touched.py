"""Which services and regions an incident ever touched, as the public was told at any time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

from ledger.domain.events import EntryCorrected, EntryWithdrawn
from ledger.domain.incident import Facts
from ledger.domain.window import place
from ledger.store.stream import Entry
from projections.replay import statements, told

__all__ = ["Place", "cohorts_named", "touched"]

# A service and a region of it; None: any region.
Place: TypeAlias = tuple[str, str | None]


def touched(entries: Sequence[Entry], places: Collection[Place]) -> set[Place]:
    """Return those of the given places that a public notice ever named, with windows or without.

    What was corrected, revised or withdrawn since counts: it had been said. Where regions were not said, or are not
    known, it may have been any.
    """
    found: set[Place] = set()
    for facts in _told_at_any_time(entries):
        for service, region in set(places) - found:
            anywhere = region is None or not facts.regions
            affected = service in facts.services and (anywhere or region in facts.regions)
            if affected or any(
                window.fields.service == service
                and (region is None or place(window.fields.region, facts.regions, region))
                for window in facts.windows.values()
            ):
                found.add((service, region))
        if len(found) == len(places):
            break
    return found


def _told_at_any_time(entries: Sequence[Entry]) -> Iterator[Facts]:
    """Yield the facts after each statement, told with the corrections of then and of every later time."""
    seen = told(entries)
    # Between corrections nothing that was said before changes, so the states in between are those of the next of these.
    ends = [at for at, one in enumerate(seen) if isinstance(one.entry.event, EntryCorrected | EntryWithdrawn)]
    for end in sorted({*ends, len(seen)}):
        facts = Facts()
        for statement in statements(seen[:end]):
            facts.apply(statement.version, statement.event)
            yield facts


def cohorts_named(entries: Sequence[Entry]) -> set[str]:
    """Return the cohorts that windows of an incident were ever limited to."""
    named = (getattr(entry.event, "cohort", None) for entry in entries)
    return {name for name in named if isinstance(name, str)}
