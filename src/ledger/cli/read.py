"""Commands that read incidents: notice, log, show, incidents."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from ledger.cli.filters import tell_none_fits
from ledger.cli.session import Session, cut_options, emit_json, instant, json_option, say, table
from ledger.domain.checks import number_of
from ledger.domain.events import TYPES, Status
from ledger.errors import Refused, counted, nearest

if TYPE_CHECKING:
    from ledger.store.stream import Entry
    from projections.marks import Concern, Marks
    from projections.replay import Cut

# An incident that was withdrawn has a status of its own, which nobody says.
_STATUSES = (*get_args(Status), "withdrawn")

__all__ = ["incidents", "log", "notice", "position_named", "read_entries", "read_incident", "show"]


def read_entries(session: Session, key: str) -> list[Entry]:
    """Return the entries of an incident, or of another stream such as policy/KEY; Refused when there is none."""
    from ledger.store.stream import read_stream

    stream = key if "/" in key else f"incident/{key}"
    entries = read_stream(session.log(), stream)
    if not entries:
        kind, _, name = stream.partition("/")
        known = [found.partition("/")[2] for found in session.log().streams(f"{kind}/{name[:1]}")]
        raise Refused(f"{kind} {name!r} does not exist{nearest(name, known)}; see ledger incidents")
    return entries


def read_incident(session: Session, key: str) -> list[Entry]:
    """Return the entries of an incident; Refused for any other stream, which has no notice."""
    kind, _, _ = key.rpartition("/")
    if kind not in ("", "incident"):
        raise Refused(f"{key!r} is no incident, so it has no notice; see ledger log {key}")
    return read_entries(session, key)


@click.command()
@click.argument("key")
@cut_options
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@json_option
@click.pass_obj
def notice(
    session: Session, key: str, published_by: str | None, recorded_by: str | None, form: str, as_json: bool
) -> None:
    """Show the public notice of incident KEY, now or as it read then."""
    from projections import notice as view

    found = view.notice(read_incident(session, key), session.cut(published_by, recorded_by))
    if as_json or form == "json":
        emit_json(view.as_json(found))
    elif form == "markdown" and not sys.stdout.isatty():
        click.echo(view.as_markdown(found), nl=False)
    else:
        say(view.as_markdown(found) if form == "markdown" else view.as_text(found), nl=False)


@click.command()
@click.argument("key", required=False)
@cut_options
@click.option("--actor", help="Only entries of this actor (as claimed).")
@click.option("--type", "type_", help="Only entries of this type, such as window.revised.")
@click.option("--service", help="Only entries of incidents that concern this service.")
@click.option("--region", help="Only entries of incidents that concern this region.")
@click.option("--since", metavar="T", help="Only entries recorded at or after T.")
@click.option("--until", metavar="T", help="Only entries recorded before T.")
@json_option
@click.pass_obj
def log(
    session: Session, key: str | None, published_by: str | None, recorded_by: str | None, actor: str | None,
    type_: str | None, service: str | None, region: str | None, since: str | None, until: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show every entry of incident KEY, or of the whole ledger, oldest first.

    --since and --until go by the ledger's own clock, when an entry was recorded; --published-by by when it was said. An
    entry about a window concerns that window's service and region, any other those the incident affected then.
    """
    from projections import history

    if type_ is not None and type_ not in TYPES:
        raise click.UsageError(
            f"--type {type_!r} is no type of entry{nearest(type_, TYPES)}; see docs/events.md"
        )
    cut = session.cut(published_by, recorded_by)
    shown = 0
    since = None if since is None else instant("--since", since)
    until = None if until is None else instant("--until", until)
    places: dict[str, set[str]] = {"service": set(), "region": set()}
    for entry, marks, concern in _marked(session, key, cut, placed=(service or region) is not None):
        places["service"].update(concern.services)
        places["region"].update(concern.regions)
        if (
            (cut.recorded_by is not None and entry.position > cut.recorded_by)
            or (cut.published_by is not None and (marks.told_at or "~") > cut.published_by)
            or (actor is not None and entry.event.actor != actor)
            or (type_ is not None and entry.type != type_)
            or (service is not None and service not in concern.services)
            or (region is not None and region not in concern.regions)
            or (since is not None and entry.recorded_at < since)
            or (until is not None and entry.recorded_at >= until)
        ):
            continue
        shown += 1
        revision = None if key is None else marks.revision
        if as_json:
            emit_json(history.as_json(entry, revision, marks))
        else:
            stream = f"{entry.stream}  " if key is None else ""
            say(f"{stream}{history.log_line(entry, revision, marks)}")
    if not shown:
        if session.log().head().size:
            tell_none_fits("entry", places, service=service, region=region)
        else:
            click.echo("the ledger holds no entries", err=True)


def _marked(
    session: Session, key: str | None, cut: Cut, *, placed: bool
) -> Iterator[tuple[Entry, Marks, Concern]]:
    """Yield entries in position order, each with its marks; placed: and with the services and regions it concerns."""
    from ledger.store.stream import read_all, read_stream
    from projections.marks import Concern, concerns, marks

    nothing = Concern()

    def known(entries: Sequence[Entry]) -> dict[int, tuple[Marks, Concern]]:
        places = concerns(entries) if placed else {}
        return {
            version: (made, places.get(version, nothing)) for version, made in marks(entries, cut).items()
        }

    if key is not None:
        entries = read_entries(session, key)
        found = known(entries)
        for entry in entries:
            yield entry, *found[entry.version]
        return
    # One end for all, since the ledger may grow while it is read.
    upto = session.log().head().size if cut.recorded_by is None else cut.recorded_by
    # Marks need the whole stream; those of an entry are let go when it has been shown.
    streams: dict[str, dict[int, tuple[Marks, Concern]]] = {}
    for entry in read_all(session.log(), upto=upto):
        waiting = streams.get(entry.stream)
        if waiting is None:
            stream = read_stream(session.log(), entry.stream, upto_position=upto)
            waiting = streams[entry.stream] = known(stream)
        made = waiting.pop(entry.version)
        if not waiting:
            del streams[entry.stream]
        yield entry, *made


@click.command()
@click.argument("entry", metavar="@POSITION|KEY ENTRY", nargs=-1, required=True)
@click.option("--raw", is_flag=True, help="Print the exact bytes that were hashed, and nothing else.")
@json_option
@click.pass_obj
def show(session: Session, entry: tuple[str, ...], raw: bool, as_json: bool) -> None:
    """Show one entry: @812, or the incident's key and a ref, r3 or v5. With --raw --json the bytes are base64."""
    from ledger.store.stream import read_stream
    from projections import history
    from projections.marks import marks

    found = position_named(session, entry)
    stored = session.log().at(found)
    if stored is None:
        raise Refused(
            f"entry {entry[0]} does not exist: the ledger has {counted(session.log().head().size, 'entry')}"
        )
    if raw and as_json:
        from base64 import b64encode

        from ledger.store.tree import leaf_hash

        emit_json(
            {
                "position": stored.position,
                "leaf": leaf_hash(stored.entry).hex(),
                "entry": b64encode(stored.entry).decode("ascii"),
            }
        )
        return
    if raw:
        # A reader at a terminal gets a line end; a file or a pipe gets the bytes and no more.
        sys.stdout.buffer.write(stored.entry + (b"\n" if sys.stdout.isatty() else b""))
        sys.stdout.buffer.flush()
        return
    entries = read_stream(session.log(), stored.stream)
    opened, made = entries[stored.version - 1], marks(entries)[stored.version]
    if as_json:
        emit_json(history.as_json(opened, made.revision, made))
    else:
        say(history.show_text(opened, made), nl=False)


def position_named(session: Session, words: tuple[str, ...]) -> int:
    """Return the position an entry is named by."""
    if len(words) == 1 and (position := number_of(words[0], "@")) is not None:
        return position
    if len(words) != 2:
        raise click.UsageError(
            "name the entry as @812, or as KEY and a ref, r3 or v5; a bare number is refused"
        )
    from ledger.domain.stream_history import History

    entries = read_entries(session, words[0])
    history = History(entries[0].stream)
    for entry in entries:
        history.add(entry.event, entry.recorded_at)
    return entries[history.resolve(words[1], "entry") - 1].position


@click.command()
@cut_options
@click.option("--status", help="Only incidents with this status.")
@click.option("--service", help="Only incidents that affect this service.")
@click.option("--region", help="Only incidents that affect this region.")
@json_option
@click.pass_obj
def incidents(
    session: Session, published_by: str | None, recorded_by: str | None, status: str | None, service: str | None,
    region: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List the incidents, the latest told last."""
    from ledger.domain.instants import shown

    if status is not None and status not in _STATUSES:
        raise click.UsageError(
            f"--status {status!r} is no status{nearest(status, _STATUSES)}; known are {', '.join(_STATUSES)}"
        )
    cut = session.cut(published_by, recorded_by)
    rows = session.views().incidents(cut, status=status, service=service, region=region)
    if not rows and any(name is not None for name in (status, service, region)):
        every = session.views().incidents(cut)
        places = {what: {name for row in every for name in row[f"{what}s"]} for what in ("service", "region")}
        tell_none_fits("incident", places, service=service, region=region)
    _explain_titles(session, cut, rows)
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("incident", "title", "status", "regions", "windows", "entries", "last told", ""),
        (
            (row["incident"], row["title"] or "", row["status"] or "", ", ".join(row["regions"]), str(row["windows"]),
             str(row["entries"]), shown(row["last_told_at"]) if row["last_told_at"] else "never", _noted(row))
            for row in rows
        ),
        right=(4, 5),
    )  # fmt: skip


def _explain_titles(session: Session, cut: Cut, rows: Sequence[dict[str, Any]]) -> None:
    """Add to rows of state whose title was erased who did it, when and why: the views keep the word alone."""
    for row in rows:
        if "[erased]" in (row["title"], row["told_title"]):
            from projections.state import erasures_json, titles_erased

            row |= erasures_json(titles_erased(read_entries(session, row["incident"]), cut))


def _noted(row: dict[str, Any]) -> str:
    """Return in words what of a row of state the public does not know, and who erased its title."""
    found = [] if (unsaid := _unsaid(row)) is None else [unsaid]
    if "erased" in row:
        from projections.marks import Erasure, erased_words

        found += [f"title erased {erased_words(Erasure(**made))}" for made in row["erased"]]
    return "; ".join(found)


def _unsaid(row: dict[str, Any]) -> str | None:
    if row["internal"]:
        return "internal"
    number = row["internal_entries"]
    title = ", the title too" if row["title"] != row["told_title"] else ""
    return f"{counted(number, 'entry')} internal{title}" if number else None
