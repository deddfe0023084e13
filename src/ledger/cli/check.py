"""Commands that check: verify, and the state of the views."""

from __future__ import annotations

import click

from ledger.cli.session import Session, emit_json, json_option

__all__ = ["verify", "views"]


@click.command()
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Re-read every entry, text, table and hash, and name whatever is wrong by position and kind.

    Exit code 0: all is well; 1: something was altered; 3: there was nothing to verify. Entries cut off at the end
    together with a matching head row leave a smaller ledger that is whole in itself: only a size and root kept
    elsewhere shows that.
    """
    from ledger.store.verify import verify as run

    session: Session = ctx.obj
    report = run(session.log())
    if as_json:
        emit_json(report.as_json())
    else:
        for problem in report.problems:
            where = "ledger" if problem.position is None else f"@{problem.position}"
            click.echo(f"{where}  {problem.kind}  {problem.detail}")
        if report.ok:
            click.echo(f"verified {report.size:,} entries")
            click.echo(f"root {report.root}")
        if report.erased:
            click.echo(f"{report.erased} texts were erased, each by an entry that says who and why")
    if report.empty:
        click.echo("the ledger is empty: there was nothing to verify", err=True)
        ctx.exit(3)
    if not report.ok:
        click.echo(f"{len(report.problems)} problems found: the ledger was altered or damaged", err=True)
        ctx.exit(1)


@click.group()
def views() -> None:
    """Show or rebuild the views for lists and reports; they can be deleted at any time."""


@views.command("status")
@json_option
@click.pass_obj
def views_status(session: Session, as_json: bool) -> None:
    """Say how far the views have read."""
    from projections.views import open_views

    found = open_views(session.log()).status()
    if as_json:
        emit_json(found)
    else:
        click.echo("  ".join(f"{name} {value}" for name, value in found.items()))


@views.command("rebuild")
@json_option
@click.pass_obj
def views_rebuild(session: Session, as_json: bool) -> None:
    """Build the views anew beside the old ones, then switch."""
    from projections.views import rebuild

    found = rebuild(session.log()).status()
    if as_json:
        emit_json(found)
    else:
        click.echo(f"rebuilt up to position {found['position']}")
