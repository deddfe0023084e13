"""The page for people inside a bundle: what it is, what it proves and what not, each notice as it reads, and its history.

Texts from events are data: they are escaped, cannot turn the page's direction, and the page loads and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment
from msgspec import UNSET

from ledger.domain.events import Commitment
from ledger.domain.instants import shown
from ledger.errors import Refused
from ledger.store.stream import Entry, text_or_erased
from projections.history import revision_numbers
from projections.notice import as_text, notice
from projections.replay import Cut

__all__ = ["MOST_ENTRIES", "bundle_page"]

# A page of more than this nobody reads, and few browsers show.
MOST_ENTRIES = 5_000
_SHOWN_BY_THEMSELVES = frozenset(
    ("actor", "note", "reason", "body", "body_format", "published_at", "internal", "change")
)

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ heading }}</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
pre { font-family: ui-monospace, monospace; overflow-x: auto; white-space: pre-wrap; }
dt { font-weight: 600; } dd { margin: 0 0 .25rem 1.5rem; overflow-wrap: anywhere; white-space: pre-wrap; }
article { border-top: 1px solid; margin-top: 1rem; padding-top: .5rem; unicode-bidi: isolate; }
.lacks { border: 2px solid; padding: 0 1rem; }
</style>
</head>
<body>
<h1>{{ heading }}</h1>
<p>Whoever made this bundle wrote this page. What counts are the entries beside it: <code>entries.jsonl</code> holds their
exact bytes. Check them with <code>ledger verify-bundle FILE --key VKEY</code>, or with the verifier of one file,
<code>verify_bundle.py</code>, and a key that you have from elsewhere.</p>
<dl>
{% for name, value in facts %}<dt>{{ name }}</dt><dd><bdi>{{ value }}</bdi></dd>
{% endfor %}</dl>
<h2>What it proves</h2>
<ul>
{% for word in proves %}<li>{{ word }}</li>
{% endfor %}</ul>
<div class="lacks">
<h2>What it does not prove</h2>
<ul>
{% for word in lacks %}<li>{{ word }}</li>
{% endfor %}</ul>
</div>
{% if streams %}<h2>Streams</h2>
<ul>
{% for line in streams %}<li><bdi>{{ line }}</bdi></li>
{% endfor %}</ul>
{% endif %}{% if not histories %}<p>Here are too many entries for one page. <code>ledger import --bundle FILE</code> makes a ledger of a
whole bundle again, in which every notice and its history can be read.</p>
{% endif %}{% for stream in histories %}<section>
<h2>{{ stream.name }}</h2>
{% if stream.notice %}<h3>The notice as it reads</h3>
<pre dir="auto">{{ stream.notice }}</pre>
{% endif %}<h3>History, oldest first</h3>
{% for entry in stream.entries %}<article>
<h4>{{ entry.title }}</h4>
<dl>
{% for name, value in entry.rows %}<dt>{{ name }}</dt><dd><bdi>{{ value }}</bdi></dd>
{% endfor %}</dl>
</article>
{% endfor %}</section>
{% endfor %}</body>
</html>
"""


def bundle_page(said: Mapping[str, Any], histories: Mapping[str, Sequence[Entry]] | None) -> bytes:
    """Return the page in UTF-8. said: what is said of the bundle to programs.

    histories: by stream the entries that are in the bundle, their texts those that are; None where they are too many.
    """
    scope = said["scope"]
    heading = {
        "all": f"The ledger {said['ledger']}",
        "incident": f"Incident {scope.get('incident')} of the ledger {said['ledger']}",
        "customer": f"What concerns customer {scope.get('customer')} in the ledger {said['ledger']}",
    }[scope["kind"]]
    with_ = tuple(said["with"])
    return (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            heading=heading,
            facts=_facts(said),
            proves=list(said["proves"].values()),
            lacks=list(said["does_not_prove"].values()),
            streams=[_stream_line(one, said["size"]) for one in said["streams"] or ()],
            histories=[_history(stream, entries, with_) for stream, entries in (histories or {}).items()],
        )
        .encode()
    )


def _facts(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    texts, tables = said["texts"], said["tables"]
    return [
        ("Ledger", said["ledger"]),
        ("As it stood with", f"{said['size']:,} entries, root {said['root']}"),
        ("Entries here", f"{said['entries']:,}"),
        ("Actors", "in it, as claimed" if "actor" in said["with"] else "left out"),
        ("Notes", "in it" if "note" in said["with"] else "left out"),
        ("Texts", f"{texts['here']:,} here, {texts['erased']:,} erased, {texts['left_out']:,} left out, {len(texts['gone']):,} gone"),
        ("Tables", f"{len(tables['here']):,} here, {len(tables['left_out']):,} left out"),
    ]  # fmt: skip


def _stream_line(one: Mapping[str, Any], size: int) -> str:
    left_out = f", of them not here v{', v'.join(map(str, one['left_out']))}" if one["left_out"] else ""
    through = one["complete_through"]
    upto = (
        "the checkpoint"
        if through == size
        else f"@{through:,}; whether there are more up to @{size:,} is not shown"
    )
    return f"{one['stream']}: {one['versions']:,} version{'s' if one['versions'] > 1 else ''}{left_out}; complete up to {upto}"


def _history(stream: str, entries: Sequence[Entry], with_: Sequence[str]) -> dict[str, Any]:
    incident = stream.startswith("incident/")
    numbers = revision_numbers(entries) if incident else {}
    return {
        "name": stream,
        "notice": _notice(entries) if incident else None,
        "entries": [
            {"title": _title(entry, numbers.get(entry.version)), "rows": _rows(entry, with_)}
            for entry in entries
        ],
    }


def _notice(entries: Sequence[Entry]) -> str | None:
    try:
        return as_text(notice(entries, Cut()))
    except Refused:
        return None  # Nothing of it is public.


def _title(entry: Entry, revision: int | None) -> str:
    number = f", revision r{revision}" if revision else ""
    return f"@{entry.position}, v{entry.version}{number}: {entry.type}"


def _rows(entry: Entry, with_: Sequence[str]) -> list[tuple[str, str]]:
    event = entry.event
    told = "no: internal" if entry.published_at is None else shown(entry.published_at)
    rows = [
        ("published", told + (" (recorded later)" if entry.late else "")),
        ("recorded", shown(entry.recorded_at)),
    ]
    for name in ("actor", "note", "reason", "body"):
        value = getattr(event, name)
        if value is not None and (name in with_ or name in ("reason", "body")):
            said = text_or_erased(value) or ""
            rows.append((f"{name} (as claimed)" if name == "actor" else name, said))
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in _SHOWN_BY_THEMSELVES or value is None or value is UNSET or value in ((), False):
            continue
        rows.append((name, (text_or_erased(value) or "") if isinstance(value, Commitment) else _words(value)))
    return rows


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        parts = {
            name: "[not here]"
            if isinstance(one, Commitment) or (isinstance(one, dict) and one.keys() == {"sha256"})
            else one
            for name, one in value.items()
        }
        return "; ".join(f"{name}: {one}" for name, one in parts.items())
    if hasattr(value, "__struct_fields__"):
        return "; ".join(
            f"{name} {one}" for name in value.__struct_fields__ if (one := getattr(value, name)) is not None
        )
    return str(value)
