"""Commands that read incidents: notice, log, show, incidents."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ledger.cli.session import Session, cut_options, emit_json, instant, json_option, table
from ledger.errors import Refused, nearest

if TYPE_CHECKING:
    from ledger.store.stream import Entry

__all__ = ["incidents", "log", "notice", "position_named", "show"]


def _entries(session: Session, key: str) -> list[Entry]:
    from ledger.store.stream import read_stream

    stream = key if "/" in key else f"incident/{key}"
    entries = read_stream(session.log(), stream)
    if not entries:
        kind, _, name = stream.partition("/")
        known = [found.partition("/")[2] for found in session.log().streams(f"{kind}/{name[:1]}")]
        raise Refused(f"{kind} {name!r} does not exist{nearest(name, known)}; see ledger incidents")
    return entries


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

    found = view.notice(_entries(session, key), session.cut(published_by, recorded_by))
    if as_json or form == "json":
        emit_json(view.as_json(found))
    else:
        click.echo(view.as_markdown(found) if form == "markdown" else view.as_text(found), nl=False)


@click.command()
@click.argument("key", required=False)
@cut_options
@click.option("--actor", help="Only entries of this actor.")
@click.option("--type", "type_", help="Only entries of this type, such as window.revised.")
@click.option("--since", metavar="T", help="Only entries recorded at or after T.")
@click.option("--until", metavar="T", help="Only entries recorded before T.")
@json_option
@click.pass_obj
def log(
    session: Session, key: str | None, published_by: str | None, recorded_by: str | None, actor: str | None,
    type_: str | None, since: str | None, until: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show every entry of incident KEY, or of the whole ledger, oldest first."""
    from ledger.store.stream import read_all
    from projections import history

    cut = session.cut(published_by, recorded_by)
    since = None if since is None else instant("--since", since)
    until = None if until is None else instant("--until", until)
    if key is None:
        pairs = ((entry, None) for entry in read_all(session.log(), upto=cut.recorded_by))
    else:
        pairs = history.numbered(_entries(session, key))  # type: ignore[assignment]  # a number is an optional number
    for entry, revision in pairs:
        if (
            (cut.recorded_by is not None and entry.position > cut.recorded_by)
            or (cut.published_by is not None and (entry.published_at or "~") > cut.published_by)
            or (actor is not None and entry.event.actor != actor)
            or (type_ is not None and entry.type != type_)
            or (since is not None and entry.recorded_at < since)
            or (until is not None and entry.recorded_at >= until)
        ):
            continue
        if as_json:
            emit_json(history.as_json(entry, revision))
        elif key is None:
            click.echo(f"{entry.stream}  {history.log_line(entry, revision)}")
        else:
            click.echo(history.log_line(entry, revision))


@click.command()
@click.argument("entry", metavar="@POSITION|KEY ENTRY", nargs=-1, required=True)
@click.option("--raw", is_flag=True, help="Print the exact bytes that were hashed.")
@json_option
@click.pass_obj
def show(session: Session, entry: tuple[str, ...], raw: bool, as_json: bool) -> None:
    """Show one entry: @812, or the incident's key and a ref, r3 or v5."""
    from ledger.store.stream import read_stream
    from projections import history

    found = position_named(session, entry)
    stored = session.log().at(found)
    if stored is None:
        raise Refused(f"entry @{found} does not exist: the ledger has {session.log().head().size} entries")
    if raw:
        sys.stdout.buffer.write(stored.entry + b"\n")
        sys.stdout.buffer.flush()
        return
    entries = read_stream(session.log(), stored.stream)
    opened, revision = entries[stored.version - 1], None
    if stored.stream.startswith("incident/"):
        revision = history.revision_numbers(entries).get(stored.version)
    data = history.as_json(opened, revision)
    if as_json:
        emit_json(data)
        return
    click.echo(f"{opened.stream} v{opened.version}  @{opened.position}  {opened.type}")
    for name in ("published_at", "recorded_at", "late", "clock_behind", "idempotency_key"):
        if data[name] not in (None, False):
            click.echo(f"  {name:<22}{data[name]}")
    for name, value in data["event"].items():
        click.echo(f"  {name:<22}{value}")


def position_named(session: Session, words: tuple[str, ...]) -> int:
    """Return the position an entry is named by."""
    if len(words) == 1 and words[0].startswith("@") and words[0][1:].isdecimal():
        return int(words[0][1:])
    if len(words) != 2:
        raise click.UsageError(
            "name the entry as @812, or as KEY and a ref, r3 or v5; a bare number is refused"
        )
    from ledger.domain.decide import History

    entries = _entries(session, words[0])
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
    from projections.views import open_views

    cut = session.cut(published_by, recorded_by)
    rows = open_views(session.log()).incidents(cut, status=status, service=service, region=region)
    if as_json:
        for row in rows:
            emit_json(row)
        return
    table(
        ("incident", "status", "title", "regions", "windows", "entries", "last said"),
        (
            (row["incident"], row["status"], row["title"], ", ".join(row["regions"]), str(row["windows"]),
             str(row["entries"]), row["last_told_at"])
            for row in rows
        ),
        right=(4, 5),
    )  # fmt: skip
