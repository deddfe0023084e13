"""The command that checks a ledger: by itself, against checkpoints kept elsewhere, and the views against it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.session import Session, emit_json, json_option
from ledger.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.cli.kept import Compared, NotCompared
    from ledger.proof.against import Kept
    from ledger.proof.note import VerifierKey
    from ledger.store.verify import Problem, Report
    from projections.views_compared import Difference, Misfit

__all__ = ["verify"]

_VIEWS_SHOWN = 100
_NOT_OF_ENTRIES = ("checkpoint-refused", "other-ledger", "tail-cut", "history-rewritten", "fork")
_CONTRADICTING = ("tail-cut", "history-rewritten", "fork")


@click.command()
@click.option(
    "--against",
    "checkpoints",
    multiple=True,
    metavar="CHECKPOINT",
    help="Also compare with a checkpoint that was kept elsewhere; may be given more than once.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Who has to have signed the checkpoints: NAME+ID+KEY, or a file with one in each line.",
)
@click.option(
    "--views", "with_views", is_flag=True, help="Also compare every view with one built from nothing."
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context, /, checkpoints: tuple[str, ...], keys: tuple[str, ...], *, with_views: bool, as_json: bool
) -> None:  # fmt: skip
    """Re-read every entry, text, table and hash, and name whatever is wrong by position and kind.

    Rotations of keys are checked against the keys they replace, with the package cryptography. With --against, a tail
    that was cut off, a history that was rewritten and a key that signed two histories are found, too; without it, a
    ledger whose last entries were cut off together with a matching head row is whole in itself.

    Exit code 0: all is well; 1: something was altered; 3: there was nothing to verify, no key to verify a checkpoint
    with, or something else that could not be checked.
    """
    from ledger.cli.kept import Compared
    from ledger.cli.proof import verifier_keys
    from ledger.store.verify import verify as run

    session: Session = ctx.obj
    report = run(session.log())
    report, unchecked = _with_keys(session, report)
    report = _with_documents(session, report)
    undone = []
    if report.empty:
        undone.append("the ledger is empty: there was nothing to verify")
    if unchecked:
        undone.append(
            f"{unchecked} rotations of keys were not checked, as the package cryptography is not there; "
            "install incident-sla-ledger[sign]"
        )
    compared = Compared([], [])
    if checkpoints:
        trusted = verifier_keys(keys)
        report, compared = _with_checkpoints(session, report, checkpoints, trusted)
        if not trusted:
            undone.append("whether the checkpoints are genuine was not checked: no key was given (--key)")
    elif keys:
        raise click.UsageError("--key says who signed checkpoints; name them with --against")
    views = False
    if with_views:
        report, apart = _with_views(session, report)
        compared.apart.extend(apart)
        views = not apart
    if session.log().erasure_unfinished():
        undone.append(
            "texts that were erased still stand in the files of the ledger; run any command that records, when no reader "
            "keeps them open"
        )
    _show(report, compared, views=views, as_json=as_json)
    for one in compared.apart:
        click.echo(str(one), err=True)
    if not report.ok:
        click.echo(
            f"{counted(len(report.problems), 'problem')} found: {_found(report, disputed=compared.disputed)}",
            err=True,
        )
        ctx.exit(1)
    for sentence in undone:
        click.echo(sentence, err=True)
    if undone or compared.apart:
        ctx.exit(3)


def _show(report: Report, compared: Compared, *, views: bool, as_json: bool) -> None:
    """Print the report, and what it was compared with; views: whether they were among that."""
    if as_json:
        emit_json({**report.as_json(), "compared": {**compared.as_json(), "views": views}})
        return
    for problem in report.problems:
        where = "ledger" if problem.position is None else f"@{problem.position}"
        click.echo(f"{where}  {problem.kind}  {problem.detail}")
    if report.ok:
        click.echo(f"verified {counted(report.size, 'entry')}")
        click.echo(f"root {report.root}")
        if compared.kept:
            click.echo(f"continues {counted(len(compared.kept), 'checkpoint')} kept elsewhere")
        if views:
            click.echo("the views are what the entries come to")
    if report.erased:
        click.echo(
            f"{counted(report.erased, 'text')} {'was' if report.erased == 1 else 'were'} erased, each by an entry that says who and why"
        )


def _with(report: Report, problems: Iterable[Problem]) -> Report:
    """Return a report with further problems, in the order of positions."""
    import msgspec

    found = [*report.problems, *problems]
    found.sort(key=lambda one: (one.position is None, one.position or 0))
    return msgspec.structs.replace(report, ok=report.ok and not found, problems=tuple(found))


def _with_keys(session: Session, report: Report) -> tuple[Report, int]:
    """Return the report with what is wrong with keys, and how many rotations nobody could check."""
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
        report = _with(report, [Problem(*fault) for fault in checked.faults])
    return report, checked.unchecked


def _key_entries(session: Session, report: Report) -> list[dict[str, Any]]:
    """Return the entries of keys, in order of stream and version, of a ledger that was verified."""
    import json

    return [json.loads(row[6]) for row in session.log().rows_by_stream("key") if row[0] <= report.size]


def _found(report: Report, *, disputed: bool) -> str:
    """Return the end of a command's sentence on problems: what they are of."""
    kinds = {problem.kind for problem in report.problems}
    if kinds <= {"checkpoint-refused", "other-ledger"}:
        return "what was to be compared with does not count; the ledger itself is whole"
    if kinds == {"view-differs"}:
        return "the views are not what the entries come to; the ledger itself is whole"
    if disputed and "view-differs" not in kinds:
        return (
            "the ledger contradicts what a key signed that, by its own entries, does not count: it was altered, or that "
            "signature is not by the owner of the key"
        )
    return "the ledger was altered or damaged"


def _with_documents(session: Session, report: Report) -> Report:
    """Return the report with what is wrong with issued documents."""
    from ledger.errors import LedgerError
    from ledger.store.verify import Problem

    log = session.log()
    try:
        rows = [row for row in log.rows_by_stream("statement") if row[0] <= report.size]
    except (LedgerError, TypeError):
        return report  # A table that cannot be read is among the problems already.
    if not rows:
        return report
    from ledger.proof.documents import check_documents

    def root_at(size: int) -> bytes | None:
        try:
            return log.root_at(size) if size <= report.size else None
        except LedgerError:
            return None

    entries = (row[6] if type(row[6]) is bytes else b"" for row in rows)
    return _with(report, [Problem(*fault) for fault in check_documents(entries, root_at, log.kept_bytes)])


def _with_checkpoints(
    session: Session, report: Report, checkpoints: tuple[str, ...], trusted: list[VerifierKey]
) -> tuple[Report, Compared]:
    """Return the report with what the checkpoints show, and what it was compared with.

    Where the ledger does not hold, they are held against what its entries come to by their bytes.
    """
    from ledger.cli.kept import Compared, read_kept
    from ledger.proof.against import check_against
    from ledger.store.verify import Problem

    log = session.log()
    # Entries that do not hold lead to no key, and revoke none.
    entries = _key_entries(session, report) if report.ok else []

    def recorded_at(position: int) -> str | None:
        entry = log.at(position)
        return None if entry is None else entry.recorded_at

    given = read_kept(checkpoints, trusted, entries, recorded_at)
    kept, apart = given.kept, given.apart
    # The stored tree is only worth asking where it was found to be that of the entries.
    ledger, size, root_at = (
        (log.head().ledger, report.size, log.root_at)
        if report.ok
        else _by_bytes(session, report, kept, apart)
    )
    beside = (
        "" if report.ok else "; keys that follow from yours are not looked for where the ledger does not hold"
    )
    refused = [Problem(None, "checkpoint-refused", f"{sentence}{beside}") for sentence in given.refused]
    findings = check_against(ledger, size, root_at, kept)
    disputed = any(one.kind in _CONTRADICTING for one in findings) and not any(
        one.kind in _CONTRADICTING
        for one in check_against(ledger, size, root_at, [one for one in kept if not one.doubt])
    )
    problems = [*refused, *(Problem(*finding) for finding in findings)]
    return _with(report, problems), Compared(kept, apart, disputed=disputed and report.ok)


def _by_bytes(
    session: Session, report: Report, kept: list[Kept], apart: list[NotCompared]
) -> tuple[str, int, Callable[[int], bytes]]:
    """Return id, size and roots of a ledger that does not hold; what cannot be compared with those goes from kept to apart."""
    from ledger.cli.kept import NotCompared
    from ledger.errors import LedgerError
    from ledger.store.verify import recomputed

    found = recomputed(session.log(), {one.checkpoint.size for one in kept}, report.size)
    ledger = found.ledger
    if ledger is None:
        try:
            ledger = session.log().head().ledger
        except LedgerError as error:
            apart += [NotCompared(one.name, f"the id of the ledger cannot be read: {error}") for one in kept]
            kept.clear()
    for one in [one for one in kept if found.why and one.checkpoint.size > found.size]:
        apart.append(NotCompared(one.name, found.why))
        kept.remove(one)
    return ledger or "", found.size, found.roots.__getitem__


def _with_views(session: Session, report: Report) -> tuple[Report, list[NotCompared]]:
    """Return the report with what in kept views is not what the entries come to, and why they were not compared, if so."""
    from ledger.cli.kept import NotCompared
    from ledger.errors import Unavailable
    from ledger.store.verify import Problem
    from projections.views_compared import differences

    whole = all(problem.kind in _NOT_OF_ENTRIES for problem in report.problems)
    try:
        found = differences(session.log())
        problems = [
            Problem(None, "view-differs", _difference(one)) for one in islice(found or (), _VIEWS_SHOWN)
        ]
    except Unavailable as error:
        because = str(error)
    except Exception as error:
        if whole:
            raise
        because = f"what the ledger holds cannot be read for views: {type(error).__name__} {error}"
    else:
        if found is not None:
            return _with(report, problems), []
        because = "there are none; ledger views rebuild makes them"
    return report, [NotCompared("what stands in the views", because)]


def _difference(one: Difference | Misfit) -> str:
    from projections.views_compared import Misfit

    if isinstance(one, Misfit):
        return (
            f"what stands where the views are kept is not views of this ledger: {one.detail}; move it away, or run ledger "
            "views rebuild"
        )
    return (
        f"the view {one.table} of incident {one.incident!r} holds {_row(one.kept)} where the entries come to "
        f"{_row(one.rebuilt)}; run ledger views rebuild"
    )


def _row(row: tuple[object, ...] | None) -> str:
    return (
        "no row" if row is None else f"({', '.join('-' if value is None else str(value) for value in row)})"
    )
