"""Commands for finance: downtime of a period, and the credits it makes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from ledger.cli import run
from ledger.cli.not_due import say_not_due
from ledger.cli.session import (
    Session,
    cut_options,
    emit_json,
    emit_json_streaming,
    json_option,
    say,
    table,
)
from ledger.errors import counted

if TYPE_CHECKING:
    from ledger.cli.run import Basis, Before, Compared, Priced
    from projections.credits import Workings
    from projections.engines import Engine

__all__ = ["credits", "downtime"]

# So many rows are shown as a table; of more of them, a few.
_WHOLE = 1_000
_FEW = 20

_AS_OF = click.option(
    "--as-of", metavar="T", help="An open window lasts at least until T (default: the cut, else now)."
)
_PERIOD = click.option("--period", required=True, metavar="YYYY-MM", help="The month, such as 2022-03.")
_PRICED = click.option(
    "--period",
    required=True,
    metavar="PERIOD",
    help="The month in which the periods of the policies end, such as 2022-03; or a quarter 2022-Q1, a year 2022.",
)


@click.command()
@_PERIOD
@click.option("--by", default="service,component,region", show_default=True, help="What to group by.")
@click.option("--per", type=click.Choice(["month", "day"]), default="month", show_default=True)
@click.option("--zone", default="UTC", show_default=True, help="IANA zone of the month and its days.")
@cut_options
@_AS_OF
@json_option
@click.pass_obj
def downtime(
    session: Session, period: str, by: str, per: str, zone: str, published_by: str | None, recorded_by: str | None,
    as_of: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show the downtime of a period: the union of the impact windows, per service, component and region."""
    from ledger.domain.instants import seconds, shown
    from ledger.domain.period import parse_period
    from projections import downtime as view

    keys = tuple(word.strip() for word in by.split(",") if word.strip())
    if not keys or set(keys) - {"service", "component", "region"} or len(set(keys)) != len(keys):
        raise click.UsageError(f"--by {by!r} is not a list of service, component, region")
    cut = session.cut(published_by, recorded_by)
    until = session.as_of(cut, as_of)
    span = parse_period(period, zone)
    windows = session.views().windows(span.start, span.end, cut, run.audience(cut))
    rows = view.downtime(windows, span, by=keys, per=per, as_of=seconds(until))
    found = view.as_json(rows, as_of=until, published_by=cut.published_by, recorded_by=cut.recorded_by)
    if seconds(until) < span.end:
        click.echo(f"note: {period} is not over as of {shown(until)}: downtime may still come", err=True)
    if as_json:
        emit_json(found)
        return
    table(
        (*keys, "period", "downtime (s)", "windows", ""),
        (
            (*(row[key] for key in keys), row["period"], f"{row['downtime_seconds']:,}", ", ".join(_limited(row)),
             "provisional" if row["provisional"] else "")
            for row in found["rows"]
        ),
        right=(len(keys) + 1,),
    )  # fmt: skip


def _limited(row: dict[str, Any]) -> list[str]:
    """Return the windows of a row of downtime, each with the cohort it is limited to."""
    return [
        f"{window} (cohort {row['cohorts'][window]} only)" if window in row["cohorts"] else window
        for window in row["windows"]
    ]


# name -> (module, attribute): commands on issued documents, each imported when it is called.
_DOCUMENTS = {
    "issue": ("statements", "issue"),
    "list": ("statements", "list_"),
    "show": ("statements", "show"),
    "restate": ("restating", "restate"),
    "prove": ("line_proofs", "prove"),
}


class _Credits(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_DOCUMENTS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _DOCUMENTS:
            return super().get_command(ctx, cmd_name)
        module, attribute = _DOCUMENTS[cmd_name]
        command: click.Command = getattr(import_module(f"ledger.cli.{module}"), attribute)
        return command


@click.group(cls=_Credits)
def credits() -> None:  # noqa: A001  # the command is called credits
    """Compute, export, issue and restate SLA credits."""


def _run_options(command: Any) -> Any:
    for option in (
        _PRICED,
        click.option(
            "--subscriptions", "keys", multiple=True, help="Which tables of subscriptions (default: all)."
        ),
        click.option(
            "--compare-published-by",
            metavar="T",
            help="Also price what had been published by T; show the change.",
        ),
        cut_options,
        _AS_OF,
    ):
        command = option(command)
    return command


def _engine_options(command: Any) -> Any:
    for option in (
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="A running dask cluster, such as tcp://host:8786 (default: one is started for the run).",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "dask"]),
            default="local",
            show_default=True,
            help="Where rows are priced: here, or in a cluster of processes; the answer is the same.",
        ),
    ):
        command = option(command)
    return command


def _check_engine(engine: Engine, scheduler: str | None) -> None:
    if scheduler is not None and engine != "dask":
        raise click.UsageError("--scheduler is the address of a dask cluster; add --engine dask")


def _found(
    session: Session, period: str, keys: tuple[str, ...], compare_published_by: str | None, published_by: str | None,
    recorded_by: str | None, as_of: str | None,
) -> tuple[Basis, Workings, Compared | None]:  # fmt: skip
    """Return what a run rests on, its rows, and the rows to compare them with."""
    found = run.basis(session, period, keys, published_by, recorded_by, as_of)
    priced = run.price_all(session, found)
    before = (
        None if compare_published_by is None else run.compared(session, found, compare_published_by, as_of)
    )
    return found, priced, before


@credits.command("compute")
@_run_options
@_engine_options
@json_option
@click.pass_obj
def compute(
    session: Session, /, period: str, keys: tuple[str, ...], compare_published_by: str | None,
    published_by: str | None, recorded_by: str | None, as_of: str | None, engine: Engine, scheduler: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Compute the credits of a month: per subscription, with the rule, the tier edge and the entries behind it.

    Of more than a thousand subscriptions the first ones are shown, with the totals and reasons of all; --json and ledger
    credits export have each of them.
    """
    _check_engine(engine, scheduler)
    basis = run.basis(session, period, keys, published_by, recorded_by, as_of)
    before = None if compare_published_by is None else run.before(session, basis, compare_published_by, as_of)
    priced = run.Priced(session, basis, before, engine, scheduler, quiet=as_json)
    if as_json:
        _emit(basis, before, priced)
    elif before is None:
        _show(priced)
    else:
        _show_changes(priced)
    run.warn_unfinished(basis)
    run.warn_of_requests(basis)
    say_not_due(basis.period, basis.not_due)
    if not as_json:
        click.echo(f"size {basis.size}  root {basis.root}")


def _show(priced: Priced) -> None:
    from ledger.cli.explained import Reasons
    from projections.credits import added, rows, totals
    from projections.reasons import reasons

    sample, sums, why = _Sample(), [], Reasons()
    for frame, _ in priced:
        sample.add(frame)
        sums.append(totals(frame))
        why.add(reasons(frame))
    sample.show(
        ("customer", "subscription", "region", "availability", "currency", "fee", "credit_percent", "credit"),
        5,
    )
    _print_rows(rows(added(sums)), ("currency", "subscriptions", "undecided", "fee", "credit"), 1)
    for line in why.lines():
        say(line)


def _show_changes(priced: Priced) -> None:
    from projections.credits import added, rows, totals

    sample, sums = _Sample(), []
    for changed in _differences(priced):
        sample.add(changed)
        sums.append(totals(changed))
    sample.show(
        ("customer", "subscription", "region", "currency", "credit_before", "credit_after", "delta"), 4
    )
    _print_rows(rows(added(sums)), ("currency", "subscriptions", "credit_before", "credit_after", "delta"), 1)


def _differences(priced: Priced) -> Iterator[Any]:
    from projections.credits import difference

    for frame, before in priced:
        if before is not None:
            yield difference(before, frame)


class _Sample:
    """The rows that a terminal shows: all of them, or the first few where they are many."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._number = 0

    def add(self, frame: Any) -> None:
        """Take in a part of the rows."""
        from projections.credits import rows

        self._number += len(frame)
        self._rows += rows(frame.iloc[: _WHOLE - len(self._rows)])

    def show(self, names: tuple[str, ...], right_from: int) -> None:
        """Print them as a table, and say how many there are where they are not all."""
        shown = self._rows if self._number <= _WHOLE else self._rows[:_FEW]
        if any(row.get("claim_state", "not-needed") != "not-needed" for row in shown):
            names = (*names, "claim_state", "claim_last_day")
        _print_rows(shown, names, right_from)
        if len(shown) < self._number:
            click.echo(
                f"the first {len(shown)} of {self._number:,} subscriptions; each of them: --json, or ledger credits "
                "export"
            )


def _emit(basis: Basis, before: Before | None, priced: Priced) -> None:
    """Print one JSON object on one line, its rows as they come: ten million of them fit no memory."""
    from projections.credits import added, rows, totals

    # Once through, so that whatever is to be refused is refused before the first byte.
    sums = rows(added([totals(frame) for frame, _ in priced]))
    found: dict[str, Any] = {
        "period": basis.period, "as_of": basis.as_of, "published_by": basis.cut.published_by,
        "recorded_by": basis.cut.recorded_by, "ledger": basis.ledger, "size": basis.size, "root": basis.root,
        "subscriptions": basis.sources(), "cohorts": [one.as_json() for one in basis.cohorts.tables],
        "cohorts_unknown": basis.cohorts.unknown, "not_due": [one.as_json() for one in basis.not_due if one.subscriptions],
        "rows": (row for frame, _ in priced for row in rows(frame)), "totals": list(sums),
    }  # fmt: skip
    if before is not None:
        changes = rows(added([totals(changed) for changed in _differences(priced)]))
        found["compared_with"] = {"published_by": before.cut.published_by, "as_of": before.as_of}
        found["differences"] = (row for changed in _differences(priced) for row in rows(changed))
        found["difference_totals"] = list(changes)
    emit_json_streaming(found)


def _print_rows(found: Any, names: tuple[str, ...], right_from: int) -> None:
    table(
        [name.replace("_", " ") for name in names],
        ([_cell(row, name) for name in names] for row in found),
        right=range(right_from, len(names)),
    )


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None and f"{name}_at_least" in row:
        if row[f"{name}_at_least"] is None:
            # What is measured makes none, such as days or counts.
            return ""
        return f"{row[f'{name}_at_least']} to {row[f'{name}_at_most']}"
    if value is None and name == "claim_last_day":
        return ""
    if value is None and name == "credit_percent" and row.get("credit") is not None:
        # A sum, or a rate that only the fee decides.
        return "-"
    if value is None:
        return "undecided"
    return (
        f"{value[:12]}%"
        if name == "availability"
        else f"{value}%"
        if name == "credit_percent"
        else str(value)
    )


@credits.command("export")
@_run_options
@_engine_options
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to write: a workbook (.xlsx), or each row of credit as Parquet (.parquet) or CSV (.csv).",
)
@click.option(
    "--compare-issued",
    metavar="SERIES",
    help="Also show what was issued for the period in this series, such as main, and what changed since.",
)
@click.option(
    "--detail",
    metavar="FILE.parquet",
    help="Beside a workbook: every column of each row of credit as Parquet, which the workbook names by its digest.",
)
@json_option
@click.pass_obj
def export(
    session: Session, /, output: str, engine: Engine, scheduler: str | None, detail: str | None,
    compare_issued: str | None, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Write the credits of a month to a file; the same inputs give the same bytes.

    A workbook has every figure as a formula over its inputs, with the result of the ledger in the cell. Parquet and CSV
    are written part by part and take tables of any size. In CSV a text that a spreadsheet would take for a formula, or that
    starts with an apostrophe, gets an apostrophe before it.
    """
    from ledger.cli import export as files

    kind = files.kind_of(output)
    _check_engine(engine, scheduler)
    if detail is not None and (kind != "xlsx" or files.kind_of(detail, "--detail") != "parquet"):
        raise click.UsageError(
            "--detail writes a .parquet file beside a workbook: name both so, or write the rows alone with --output"
        )
    files.check_place(output, kind)
    if detail is not None:
        files.check_place(detail, "parquet")
    detail_digest: str | None = None
    if kind == "xlsx":
        if engine != "local":
            raise click.UsageError(
                "a workbook is made in one process; write .parquet or .csv with --engine dask"
            )
        if compare_issued is not None and given["compare_published_by"] is not None:
            raise click.UsageError(
                "--compare-issued and --compare-published-by fill the same sheet; give one"
            )
        basis, priced, before = _found(session, **given)
        cut = (given["published_by"], given["recorded_by"], given["as_of"])
        issued = (
            None if compare_issued is None else files.issued_changes(session, basis, compare_issued, *cut)
        )
        digest, detail_digest = files.workbook(session, basis, priced, before, output, detail, issued)
        number = len(priced.frame)
    else:
        for name, value in (
            ("published-by", given.pop("compare_published_by")), ("issued", compare_issued)
        ):  # fmt: skip
            if value is not None:
                raise click.UsageError(
                    f"--compare-{name} needs a workbook: write to a file that ends in .xlsx"
                )
        basis = run.basis(session, **given)
        digest, number = files.rows_of(session, basis, output, kind, engine, scheduler, quiet=as_json)
    run.warn_unfinished(basis)
    run.warn_of_requests(basis)
    say_not_due(basis.period, basis.not_due)
    if as_json:
        written = {"file": output, "sha256": digest, "size": basis.size, "root": basis.root, "rows": number}
        late = [one.as_json() for one in basis.not_due if one.subscriptions]
        emit_json({**written, "not_due": late, "detail": detail, "detail_sha256": detail_digest})
    else:
        beside = "" if detail is None else f" and {detail}"
        click.echo(f"wrote {output}{beside}  ({counted(number, 'subscription')}, sha256 {digest})")
