"""Commands for finance: downtime of a period, and the credits it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from ledger.cli import run
from ledger.cli.session import Session, cut_options, emit_json, json_option, table

if TYPE_CHECKING:
    from ledger.cli.run import Basis, Compared

__all__ = ["credits", "downtime"]

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
    from ledger.domain.instants import seconds
    from ledger.domain.period import parse_period
    from projections import downtime as view
    from projections.views import open_views

    keys = tuple(word.strip() for word in by.split(",") if word.strip())
    if not keys or set(keys) - {"service", "component", "region"} or len(set(keys)) != len(keys):
        raise click.UsageError(f"--by {by!r} is not a list of service, component, region")
    cut = session.cut(published_by, recorded_by)
    until = session.as_of(cut, as_of)
    span = parse_period(period, zone)
    windows = open_views(session.log()).windows(span.start, span.end, cut, run.audience(cut))
    rows = view.downtime(windows, span, by=keys, per=per, as_of=seconds(until))
    found = view.as_json(rows, as_of=until, published_by=cut.published_by, recorded_by=cut.recorded_by)
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


@click.group()
def credits() -> None:  # noqa: A001  # the command is called credits
    """Compute and export SLA credits."""


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


def _found(
    session: Session, period: str, keys: tuple[str, ...], compare_published_by: str | None, published_by: str | None,
    recorded_by: str | None, as_of: str | None,
) -> tuple[Basis, Any, Compared | None]:  # fmt: skip
    """Return what a run rests on, its rows, and the rows to compare them with."""
    found = run.basis(session, period, keys, published_by, recorded_by, as_of)
    frame = run.price_all(session, found)
    before = (
        None if compare_published_by is None else run.compared(session, found, compare_published_by, as_of)
    )
    return found, frame, before


@credits.command("compute")
@_run_options
@json_option
@click.pass_obj
def compute(session: Session, /, as_json: bool, **given: Any) -> None:
    """Compute the credits of a month: per subscription, with the rule, the tier edge and the entries behind it."""
    from ledger.cli.explained import explanations
    from projections.credits import difference, rows, totals

    basis, frame, before = _found(session, **given)
    changed = None if before is None else difference(before.frame, frame)
    if as_json:
        found: dict[str, Any] = {
            "period": basis.period, "as_of": basis.as_of, "published_by": basis.cut.published_by,
            "recorded_by": basis.cut.recorded_by, "ledger": basis.ledger, "size": basis.size, "root": basis.root,
            "subscriptions": basis.sources(), "cohorts": [one.as_json() for one in basis.cohorts.tables],
            "cohorts_unknown": basis.cohorts.unknown, "rows": list(rows(frame)), "totals": list(rows(totals(frame))),
        }  # fmt: skip
        if before is not None and changed is not None:
            found["compared_with"] = {"published_by": before.cut.published_by, "as_of": before.as_of}
            found["differences"] = list(rows(changed))
            found["difference_totals"] = list(rows(totals(changed)))
        emit_json(found)
        return
    if changed is not None:
        _print_rows(
            rows(changed),
            ("customer", "subscription", "region", "currency", "credit_before", "credit_after", "delta"),
            4,
        )
        _print_rows(
            rows(totals(changed)), ("currency", "subscriptions", "credit_before", "credit_after", "delta"), 1
        )
    else:
        shown = (
            "customer",
            "subscription",
            "region",
            "availability",
            "currency",
            "fee",
            "credit_percent",
            "credit",
        )
        _print_rows(rows(frame), shown, 5)
        _print_rows(rows(totals(frame)), ("currency", "subscriptions", "undecided", "fee", "credit"), 1)
        for line in explanations(rows(frame)):
            click.echo(line)
    click.echo(f"size {basis.size}  root {basis.root}")


def _print_rows(found: Any, names: tuple[str, ...], right_from: int) -> None:
    table(
        [name.replace("_", " ") for name in names],
        ([_cell(row, name) for name in names] for row in found),
        right=range(right_from, len(names)),
    )


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None and f"{name}_at_least" in row:
        return f"{row[f'{name}_at_least']} to {row[f'{name}_at_most']}"
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
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="Where to write: a workbook (.xlsx), or each row of credit as Parquet (.parquet) or CSV (.csv).",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where Parquet and CSV are priced: here, or in a cluster of processes.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A running dask cluster, such as tcp://host:8786 (default: one is started for the run).",
)
@json_option
@click.pass_obj
def export(
    session: Session, /, output: str, engine: Literal["local", "dask"], scheduler: str | None, as_json: bool,
    **given: Any,
) -> None:  # fmt: skip
    """Write the credits of a month to a file; the same inputs give the same bytes.

    Parquet and CSV are written part by part and take tables of any size. In CSV a text that a spreadsheet would take
    for a formula gets an apostrophe before it.
    """
    from ledger.cli import export as files

    kind = files.kind_of(output)
    if scheduler is not None and engine != "dask":
        raise click.UsageError("--scheduler is the address of a dask cluster; add --engine dask")
    if kind == "xlsx":
        if engine != "local":
            raise click.UsageError(
                "a workbook is made in one process; write .parquet or .csv with --engine dask"
            )
        basis, frame, before = _found(session, **given)
        digest, number = files.workbook(basis, frame, before, output), len(frame)
    else:
        if given.pop("compare_published_by") is not None:
            raise click.UsageError(
                "--compare-published-by needs a workbook: write to a file that ends in .xlsx"
            )
        basis = run.basis(session, **given)
        digest, number = files.rows_of(session, basis, output, kind, engine, scheduler)
    if as_json:
        emit_json({"file": output, "sha256": digest, "size": basis.size, "root": basis.root, "rows": number})
    else:
        click.echo(f"wrote {output}  ({number:,} subscriptions, sha256 {digest})")
