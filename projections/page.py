"""The replay page: one HTML file that shows a notice after each of its revisions and checks the proofs it brings.

The page holds everything it needs and asks nobody for anything. Texts of events are data in it: the template escapes them,
the program in it only ever writes them as text, and a Content-Security-Policy lets nothing else run. Pure: the same
entries, proofs and policies give the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.events import text_paths
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import from_seconds, shown
from ledger.domain.measurement import Measurement
from ledger.domain.window import Window
from ledger.store.entry import StoredEntry, decode_texts
from ledger.store.stream import Entry
from projections.consequences import (
    Consequences,
    Policies,
    Stage,
    consequences,
    periods_touched,
    places_touched,
    stages,
)
from projections.notice import notice
from projections.page_figures import duration
from projections.page_form import page_form
from projections.page_states import page_revisions, window_states
from projections.page_texts import Sources, visible
from projections.page_timeline import timeline
from projections.replay import Cut

if TYPE_CHECKING:
    from projections.cohorts import Cohort

__all__ = ["Evidence", "Terms", "replay_page"]

# In this order: the page is written down as it arrived before anything in it changes.
_PROGRAMS = (
    "form.js", "walking.js", "proofs.js", "retelling.js", "counting.js", "drawing.js", "comparing.js", "shown_head.js",
    "shown_revision.js", "shown_statements.js", "shown_figures.js", "shown_windows.js", "shown.js", "checking.js",
)  # fmt: skip
# Never public, whoever asks: what is said in a note is not for the readers of a notice.
KEPT_BACK = ("note",)


class Evidence(msgspec.Struct, frozen=True):
    """What the page proves itself with.

    stored: the entries of the stream as they are stored. paths: by position, the hashes of its inclusion proof (RFC 6962,
    section 2.1.1), the sibling of the leaf first. checkpoint: its file, signed or not. vkeys: the public keys to check it
    with, as C2SP signed-note writes them.
    """

    stored: Sequence[StoredEntry]
    paths: Mapping[int, Sequence[bytes]]
    checkpoint: str
    vkeys: tuple[str, ...] = ()


class Terms(msgspec.Struct, frozen=True):
    """What the figures of the page are computed with.

    policies: their published versions by key. subscriptions: as `projections.subscriptions` reads them, to sum up credits.
    others: gives, for months and a cut, the windows of other incidents that count beside; None: this incident alone. as_of:
    the instant to which open windows have lasted at least; None: at each revision, what the ledger then held. cohorts: gives
    who is in the cohorts that windows are limited to. measurements: gives under a cut what was measured, for policies that
    read it. exclusions: the time that policies may leave out.
    """

    policies: Policies
    subscriptions: Any = None
    others: Callable[[Sequence[str], Cut], Sequence[Window]] | None = None
    as_of: str | None = None
    cohorts: Callable[[Sequence[Window]], Mapping[str, Cohort]] | None = None
    measurements: Callable[[Cut], Sequence[Measurement]] | None = None
    exclusions: Sequence[Exclusion] = ()


def replay_page(
    entries: Sequence[Entry], evidence: Evidence, terms: Terms, *, cut: Cut = Cut(), version: str = ""
) -> bytes:
    """Return the page of one incident as UTF-8.

    entries: of its stream, read with `ledger.store.stream`. version: of the program, to be named. Raises Refused where
    nothing was public.
    """
    told = stages(entries, cut)
    if not told:
        notice(entries, cut)  # says why there is nothing to tell
    public = [one.entry for stage in told for one in stage.entries]
    hidden = _hidden(entries, cut, public)
    states = window_states(told)
    return _rendered(
        {
            "incident": entries[0].key,
            "revisions": page_revisions(entries, told, list(_priced(told, terms)), Sources(public)),
            "states": states,
            "timeline": timeline(states),
            "policies": sorted(terms.policies),
            "with_others": terms.others is not None,
            "evidence": evidence,
            "hidden": hidden,
            "published_by": cut.published_by,
            "version": version,
            "data": _json(_data(evidence, public, terms, cut, hidden, version)),
        }
    )


def _priced(told: Sequence[Stage], terms: Terms) -> Iterator[tuple[Consequences | None, Consequences]]:
    """Yield at each stage what the windows of the stage before come to, and what its own do, to the same instant.

    All are for the same months and places, so that a region nobody had spoken of yet shows that nothing was said of it.
    """
    months = sorted(
        {
            month
            for stage in told
            for month in periods_touched(stage.reading.windows, terms.as_of or stage.as_of, terms.policies)
        }
    )
    places = _places(told)
    known: dict[Any, Consequences] = {}

    def made(stage: Stage, as_of: str, others: tuple[Window, ...]) -> Consequences:
        windows = tuple(stage.reading.windows)
        measured = () if terms.measurements is None else tuple(terms.measurements(stage.cut))
        # Where no window is open it does not matter until when open ones lasted.
        is_open = any(one.end is None for one in (*windows, *others))
        asked = (windows, others, as_of if is_open else None, measured)
        if asked not in known:
            known[asked] = consequences(
                windows, terms.policies, as_of, periods=months, places=places, others=others,
                subscriptions=terms.subscriptions,
                cohorts=None if terms.cohorts is None else terms.cohorts((*windows, *others)),
                measurements=measured, exclusions=terms.exclusions,
            )  # fmt: skip
        return msgspec.structs.replace(known[asked], as_of=as_of)

    before: Stage | None = None
    for stage in told:
        as_of = terms.as_of or stage.as_of
        others = () if terms.others is None else tuple(terms.others(months, stage.cut))
        yield None if before is None else made(before, as_of, others), made(stage, as_of, others)
        before = stage


def _places(told: Sequence[Stage]) -> list[tuple[str, str]]:
    """Return each service and region of any stage, so that a region not yet named shows that nothing was said of it."""
    found = {place for stage in told for place in places_touched(stage.reading.windows)}
    for stage in told:
        found.update(
            (service, region) for service in stage.notice.services for region in stage.notice.regions
        )
    return sorted(found)


def _hidden(entries: Sequence[Entry], cut: Cut, public: Sequence[Entry]) -> int:
    """Return how many entries that the cut holds are not public, and so not on the page."""
    held = [entry for entry in entries if cut.recorded_by is None or entry.position <= cut.recorded_by]
    return len(held) - len(public)


def _data(
    evidence: Evidence, public: Sequence[Entry], terms: Terms, cut: Cut, hidden: int, version: str
) -> dict[str, Any]:
    """Return what the program in the page works with."""
    stored = {one.version: one for one in evidence.stored}
    return {
        "checkpoint": evidence.checkpoint,
        "vkeys": list(evidence.vkeys),
        "stream": public[0].stream,
        "published_by": cut.published_by,
        "as_of": terms.as_of,
        "hidden": hidden,
        "version": version,
        "with_others": terms.others is not None,
        "entries": [_evidence_of(entry, stored[entry.version], evidence) for entry in public],
    }


def _evidence_of(entry: Entry, stored: StoredEntry, evidence: Evidence) -> dict[str, Any]:
    texts = decode_texts(stored.texts)
    paths = text_paths(entry.event)
    return {
        "version": entry.version,
        "position": entry.position,
        "bytes": b64encode(stored.entry).decode("ascii"),
        "path": [b64encode(one).decode("ascii") for one in evidence.paths[entry.position]],
        "texts": {path: list(texts[path]) for path in paths if path in texts and not _kept_back(path)},
        "kept_back": [path for path in paths if path in texts and _kept_back(path)],
        "erased": [path for path in paths if path not in texts],
    }


def _kept_back(path: str) -> bool:
    """Tell whether a text never leaves the house, also where a correction puts it right."""
    return path.removeprefix("set.") in KEPT_BACK


def _json(value: Any) -> str:
    """Return JSON that can stand in a script element whatever is in it: all but plain ASCII is escaped, and so is `<`."""
    import json

    # With `<` there is no end tag and no comment; `>` and `&` are escaped for readers of XML.
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _rendered(context: dict[str, Any]) -> bytes:
    from jinja2 import DictLoader, Environment, StrictUndefined
    from markupsafe import Markup

    style, template = _asset("page.css"), _asset("page.html")
    environment = Environment(
        loader=DictLoader({"page.html": template}), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {
        "shown": shown,
        "clock": lambda at: shown(from_seconds(at)),
        "duration": duration,
        "minute": lambda at: f"{at[:10]} {at[11:16]} UTC",
        "runs": lambda text: list(visible(text)),
    }
    looks = _digest(style)
    form = page_form(
        environment, template, _policy("'sha256-[A-Za-z0-9+/]+='", re.escape(looks).replace("\\-", "-"))
    )
    program = _program(form, sha256(style.encode()).hexdigest())
    page = environment.get_template("page.html").render(
        **context,
        style=Markup(style),  # noqa: S704  # our own file
        program=Markup(program),  # noqa: S704  # our own file
        data_json=Markup(context["data"]),  # noqa: S704  # escaped by _json
        content_policy=_policy(_digest(program), looks),
    )
    return page.encode()


def _policy(program: str, looks: str) -> str:
    return (
        f"default-src 'none'; script-src {program}; style-src {looks}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'"
    )


def _program(form: dict[str, Any], looks: str) -> str:
    """Return the programs of the page as one, in a scope of their own; it starts when all of the page is there."""
    programs = "\n".join(_asset(name) for name in _PROGRAMS)
    known = f"const FORM = {_json(form)};\nconst LOOKS = {_json(looks)};"
    return f'document.addEventListener("DOMContentLoaded", () => {{\n"use strict";\n{known}\n{programs}}});\n'


def _asset(name: str) -> str:
    """Return a file of the page with one kind of line end, as the digests of the policy are over these characters."""
    file = resources.files("projections") / "page_assets" / name
    return file.read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    """Return the source expression of an inline element (CSP 3, section 8.3)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
