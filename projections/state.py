"""The folded state of an incident under both cuts: what its entries add up to, and which of them say so.

What a notice shows in words is here in fields: also causes, measurements, links and everything a window says. The house
may ask for what is known and not said, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ledger.domain.events import Event, MeasurementRecorded
from ledger.domain.incident import Facts, ImpactWindow
from ledger.domain.instants import shown
from ledger.errors import Refused
from ledger.store.stream import Entry, text_or_erased
from projections.marks import Erasure, erased_words, marked
from projections.reading import Reader, Reading
from projections.replay import (
    Audience,
    Cut,
    Told,
    corrections_of,
    said_of,
)

__all__ = [
    "FIELDS",
    "WINDOW_FIELDS",
    "as_text",
    "erasures_json",
    "facts_fields",
    "measurement_fields",
    "state",
    "titles_erased",
    "value_text",
    "window_fields",
]

# The single facts of an incident, in the order people read them.
FIELDS = (
    "kind", "status", "title", "impact", "began_at", "fixed_at", "resolved_at", "scheduled_start", "scheduled_end",
    "services", "components", "regions", "cause", "withdrawn",
)  # fmt: skip
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_COMMON = frozenset(Event.__struct_fields__)
# What a window says of itself, in the order people read it; whether it was withdrawn follows.
WINDOW_FIELDS = (
    "service", "component", "region", "start", "end", "effect", "share_at_least", "share_at_most", "share_of",
    "approximate", "start_within_seconds", "end_within_seconds", "basis", "quote", "cohort", "planned",
)  # fmt: skip


def facts_fields(facts: Facts) -> dict[str, Any]:
    """Return the single facts of an incident; instants as text, lists as lists, a title that is gone as the word for that."""
    found = {name: getattr(facts, name) for name in FIELDS}
    found["title"] = text_or_erased(facts.title)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def window_fields(window: ImpactWindow) -> dict[str, Any]:
    """Return what a window says, and whether it was withdrawn."""
    found = {name: getattr(window.fields, name) for name in WINDOW_FIELDS}
    found["quote"] = text_or_erased(found["quote"])
    return {**msgspec.to_builtins(found), "withdrawn": window.withdrawn}


def measurement_fields(event: MeasurementRecorded) -> dict[str, Any]:
    """Return what a measurement says, without what every entry carries."""
    found = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _COMMON}
    return {name: msgspec.to_builtins(value) for name, value in found.items() if value is not None}


def state(entries: Sequence[Entry], cut: Cut = Cut(), audience: Audience = "public") -> dict[str, Any]:
    """Return the folded state of an incident for programs (contract in docs/json.md).

    Raises Refused when a reader may see nothing of the incident under the cut.
    """
    found = Reader(entries).at(cut, audience)
    if not found.seen:
        key = entries[0].key
        raise Refused(
            f"incident {key!r} has nothing to show under this cut; see ledger log {key}, or choose a later one"
        )
    seen, facts, over = found.seen, found.facts, found.fold.over
    by_version = {one.entry.version: one for one in seen}
    corrected = corrections_of(found.fold.said)
    return {
        "incident": entries[0].key,
        "revision": found.revision,
        **facts_fields(facts),
        **erasures_json(found.reader.erasure(facts.title, audience)),
        "windows": [
            _window(found, window, [by_version[at] for at in said_of(window, corrected)], over)
            for window in sorted(
                facts.windows.values(), key=lambda one: (one.fields.start, one.fields.window)
            )
        ],
        "measurements": [measurement_fields(facts.measurements[name]) for name in sorted(facts.measurements)],
        "links": [{"relation": link.relation, "to": link.to} for link in facts.links],
        "entries": len(seen),
        "last_position": max(one.entry.position for one in seen),
        "late": sorted(one.entry.version for one in seen if one.late),
        "after_resolved": sorted(over),
        "internal": sorted(one.entry.version for one in seen if not one.public),
        "published_by": cut.published_by,
        "recorded_by": cut.recorded_by,
    }


def erasures_json(made: Sequence[Erasure]) -> dict[str, Any]:
    """Return the field `erased` with who erased the texts beside it, when and why; nothing where none was erased."""
    return {"erased": msgspec.to_builtins(made)} if made else {}


def titles_erased(entries: Sequence[Entry], cut: Cut = Cut()) -> tuple[Erasure, ...]:
    """Return who erased the title that the house knows, and the one the public knows, when and why; of one title once."""
    reader = Reader(entries)
    audiences: tuple[Audience, ...] = ("house", "public")
    titles = [reader.at(cut, audience).facts.title for audience in audiences]
    return tuple(dict.fromkeys(made for title in titles for made in reader.erasure(title, "house")))


def _window(
    reading: Reading, window: ImpactWindow, said: Sequence[Told], over: frozenset[int]
) -> dict[str, Any]:
    return {
        "window": window.fields.window,
        **window_fields(window),
        **erasures_json(reading.reader.erasure(window.fields.quote, reading.audience)),
        "versions": sorted(one.entry.version for one in said),
        "added_at": said[0].told_at,
        "changed_at": max(one.told_at for one in said[1:]) if len(said) > 1 else None,
        "late": any(one.late for one in said),
        "after_resolved": any(one.entry.version in over for one in said),
        "internal": not all(one.public for one in said),
    }


def as_text(found: Mapping[str, Any]) -> str:
    """Return a state for people: a field on each line; what was not said is left out."""
    lines = [
        f"incident/{found['incident']}  r{found['revision']}  ({found['entries']} {'entry' if found['entries'] == 1 else 'entries'}, the last @{found['last_position']})"
    ]
    lines += _rows(_explained({name: found[name] for name in FIELDS}, "title", found), "  ")
    for window in found["windows"]:
        versions = ", ".join(f"v{version}" for version in window["versions"])
        marks = marked(window["late"], window["after_resolved"], "internal" if window["internal"] else "")
        lines += ["", f"window {window['window']}  ({versions}){marks}"]
        said = {name: window[name] for name in (*WINDOW_FIELDS, "withdrawn")}
        lines += _rows(_explained(said, "quote", window), "  ")
    for measurement in found["measurements"]:
        lines += ["", f"measurement {measurement['measurement']}"]
        lines += _rows({name: value for name, value in measurement.items() if name != "measurement"}, "  ")
    lines += [""] if found["links"] else []
    lines += [f"{link['relation']} {link['to']}" for link in found["links"]]
    for name, words in (
        ("late", "published before recorded"), ("after_resolved", "told after resolved"), ("internal", "known, not said"),
    ):  # fmt: skip
        if found[name]:
            lines += ["", f"{words}: {', '.join(f'v{version}' for version in found[name])}"]
    return "\n".join(lines) + "\n"


def _explained(fields: dict[str, Any], text: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields for people, with who erased the text among them, when and why."""
    words = [erased_words(msgspec.convert(made, Erasure)) for made in found.get("erased", ())]
    return {**fields, text: " ".join((fields[text], *words))} if words else fields


def _rows(fields: Mapping[str, Any], indent: str) -> list[str]:
    return [
        f"{indent}{name:<22}{value_text(value)}"
        for name, value in fields.items()
        if value is not None and value is not False and value != []
    ]


def value_text(value: Any) -> str:
    """Return the value of a field for people: lists with commas, instants as in a notice, nothing as "nothing"."""
    if value is None or (isinstance(value, list | tuple) and not value):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value))
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return shown(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {value_text(one)}" for name, one in value.items())
    return str(value)
