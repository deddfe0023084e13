"""Commands for the views behind lists and reports: their state, and building them anew."""

from __future__ import annotations

import click

from ledger.cli.session import Session, emit_json, json_option
from ledger.errors import Unavailable

__all__ = ["views"]


@click.group()
def views() -> None:
    """Show or rebuild the views for lists and reports; they can be deleted at any time."""


@views.command("status")
@json_option
@click.pass_obj
def views_status(session: Session, as_json: bool) -> None:
    """Say how far the views have read."""
    found = session.views().status()
    if as_json:
        emit_json(found)
    else:
        click.echo("  ".join(f"{name} {value}" for name, value in found.items()))


@views.command("rebuild")
@json_option
@click.pass_obj
def views_rebuild(session: Session, as_json: bool) -> None:
    """Build the views anew beside the old ones, then switch. Exit code 3: they could not be kept."""
    from projections.views import rebuild

    made = rebuild(session.log())
    if made.unkept:
        raise Unavailable(made.unkept)
    found = made.status()
    if as_json:
        emit_json(found)
    else:
        click.echo(f"rebuilt up to position {found['position']}")
