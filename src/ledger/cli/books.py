"""Commands for the books of a month."""

from __future__ import annotations

from typing import Any

import click

from ledger.cli.session import Session, emit_json, json_option, table
from ledger.cli.write import command_of

__all__ = ["period"]


@click.group()
def period() -> None:
    """Close and reopen the books of a month: no document takes an accounting date in a closed one."""


period.add_command(command_of("close", "close-period"))
period.add_command(command_of("reopen", "reopen-period"))


@period.command("list")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List the months whose books were ever closed, and which of them are open again."""
    from ledger.domain.documents import is_closed
    from ledger.store.stream import read_stream

    log = session.log()
    rows: list[dict[str, Any]] = []
    for stream in log.streams("period/", limit=100_000):
        entries = read_stream(log, stream)
        state = "closed" if is_closed(entry.event for entry in entries) else "open"
        rows.append(
            {
                "period": stream.partition("/")[2],
                "state": state,
                "since": entries[-1].recorded_at,
                "position": entries[-1].position,
            }
        )
    if as_json:
        for row in rows:
            emit_json(row)
    else:
        table(("period", "books", "since"), ((row["period"], row["state"], row["since"]) for row in rows))
