"""Commands that check: verify, and the state of the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ledger.cli.session import Session, emit_json, json_option

if TYPE_CHECKING:
    from ledger.store.verify import Report

__all__ = ["verify", "views"]


@click.command()
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Re-read every entry, text, table and hash, and name whatever is wrong by position and kind.

    Rotations of keys are checked against the keys they replace, with the package cryptography.

    Exit code 0: all is well; 1: something was altered; 3: there was nothing to verify, or a rotation could not be
    checked. Entries cut off at the end together with a matching head row leave a smaller ledger that is whole in
    itself: only a size and root kept elsewhere shows that.
    """
    from ledger.store.verify import verify as run

    session: Session = ctx.obj
    report, unchecked = _with_keys(session, run(session.log()))
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
    if unchecked:
        click.echo(
            f"{unchecked} rotations of keys were not checked, as the package cryptography is not there; "
            "install incident-sla-ledger[sign]",
            err=True,
        )
        ctx.exit(3)
    if session.log().erasure_unfinished():
        click.echo(
            "texts that were erased still stand in the files of the ledger; run any command that records, when no reader keeps them "
            "open",
            err=True,
        )
        ctx.exit(3)


def _with_keys(session: Session, report: Report) -> tuple[Report, int]:
    """Return the report with what is wrong with keys, and how many rotations nobody could check."""
    import msgspec

    from ledger.errors import LedgerError
    from ledger.store.verify import Problem

    try:
        # No further than what was verified: entries appended since then are for the next verification.
        rows = [row for row in session.log().rows_by_stream("key") if row[0] <= report.size]
    except (LedgerError, TypeError):
        return report, 0  # A table that cannot be read is among the problems already.
    if not rows:
        return report, 0
    from ledger.proof.rotations import check_keys

    checked = check_keys(row[6] if type(row[6]) is bytes else b"" for row in rows)
    if checked.faults:
        found = [*report.problems, *(Problem(*fault) for fault in checked.faults)]
        found.sort(key=lambda one: (one.position is None, one.position or 0))
        report = msgspec.structs.replace(report, ok=False, problems=tuple(found))
    return report, checked.unchecked


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
