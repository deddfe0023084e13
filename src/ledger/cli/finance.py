"""Commands for finance: downtime of a period, and the credits it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from ledger.cli.session import Session, cut_options, emit_json, instant, json_option, table

if TYPE_CHECKING:
    from ledger.domain.window import Window
    from projections.replay import Cut

__all__ = ["credits", "downtime"]

_AS_OF = click.option(
    "--as-of", metavar="T", help="An open window lasts at least until T (default: the cut, else now)."
)
_PERIOD = click.option("--period", required=True, metavar="YYYY-MM", help="The month, such as 2022-03.")


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
    windows = open_views(session.log()).windows(span.start, span.end, cut, _audience(cut))
    rows = view.downtime(windows, span, by=keys, per=per, as_of=seconds(until))
    found = view.as_json(rows, as_of=until, published_by=cut.published_by, recorded_by=cut.recorded_by)
    if as_json:
        emit_json(found)
        return
    table(
        (*keys, "period", "downtime (s)", "windows", ""),
        (
            (*(row[key] for key in keys), row["period"], f"{row['downtime_seconds']:,}", ", ".join(row["windows"]),
             "provisional" if row["provisional"] else "")
            for row in found["rows"]
        ),
        right=(len(keys) + 1,),
    )  # fmt: skip


def _audience(cut: Cut) -> Any:
    return "public" if cut.published_by is not None else "house"


@click.group()
def credits() -> None:  # noqa: A001  # the command is called credits
    """Compute and export SLA credits."""


def _run_options(command: Any) -> Any:
    for option in (
        _PERIOD,
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


class _Run(msgspec.Struct):
    """One credit run: what it rests on and what came out."""

    period: str
    cut: Any
    compare_cut: Any
    as_of: str
    compare_as_of: str | None
    size: int
    root: str
    ledger: str
    frame: Any
    before: Any
    windows: list[Any]
    policies: dict[str, list[tuple[int, Any]]]
    sources: list[dict[str, Any]]
    terms: dict[tuple[str, int], str]


def _run(
    session: Session, period: str, keys: tuple[str, ...], compare_published_by: str | None, published_by: str | None,
    recorded_by: str | None, as_of: str | None,
) -> _Run:  # fmt: skip
    from ledger.cli import facts
    from ledger.domain.instants import seconds
    from projections.credits import price
    from projections.replay import Cut

    cut = session.cut(published_by, recorded_by)
    log = session.log()
    head = log.head()
    upto = head.size if cut.recorded_by is None else cut.recorded_by
    # The size is fixed first, so that an append in the middle of a long run changes nothing in it.
    held = Cut(cut.published_by, upto)
    policies, terms = facts.policies(log, upto)
    subscriptions, sources = facts.subscriptions(log, upto, keys)
    facts.warn_of_places(log, subscriptions)
    resting = [f"{source['stream']} v{source['version']}" for source in sources]
    until = session.as_of(cut, as_of)
    windows = _windows(session, period, held)
    frame = price(subscriptions, windows, policies, period, seconds(until), resting)
    before, compare_cut, compare_until = None, None, None
    if compare_published_by is not None:
        compare_cut = Cut(instant("--compare-published-by", compare_published_by), upto)
        compare_until = session.as_of(compare_cut, as_of)
        before = price(
            subscriptions,
            _windows(session, period, compare_cut),
            policies,
            period,
            seconds(compare_until),
            resting,
        )
    return _Run(
        period, held, compare_cut, until, compare_until, upto, log.root_at(upto).hex(), head.ledger, frame, before,
        windows, policies, sources, terms,
    )  # fmt: skip


def _windows(session: Session, period: str, cut: Cut) -> list[Window]:
    from ledger.domain.period import parse_period
    from projections.views import open_views

    span = parse_period(period)
    # Wide enough for the month in any zone: the earth has offsets from -12 to +14 hours.
    found: list[Window] = open_views(session.log()).windows(
        span.start - 86_400, span.end + 86_400, cut, _audience(cut)
    )
    return found


@credits.command("compute")
@_run_options
@json_option
@click.pass_obj
def compute(session: Session, /, as_json: bool, **given: Any) -> None:
    """Compute the credits of a month: per subscription, with the rule, the tier edge and the entries behind it."""
    from ledger.cli.explained import explanations
    from projections.credits import difference, rows, totals

    run = _run(session, **given)
    if as_json:
        found: dict[str, Any] = {
            "period": run.period, "as_of": run.as_of, "published_by": run.cut.published_by,
            "recorded_by": run.cut.recorded_by, "ledger": run.ledger, "size": run.size, "root": run.root,
            "subscriptions": run.sources, "rows": list(rows(run.frame)), "totals": list(rows(totals(run.frame))),
        }  # fmt: skip
        if run.before is not None:
            changed = difference(run.before, run.frame)
            found["compared_with"] = {
                "published_by": run.compare_cut.published_by,
                "as_of": run.compare_as_of,
            }
            found["differences"] = list(rows(changed))
            found["difference_totals"] = list(rows(totals(changed)))
        emit_json(found)
        return
    if run.before is not None:
        changed = difference(run.before, run.frame)
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
        _print_rows(rows(run.frame), shown, 5)
        _print_rows(rows(totals(run.frame)), ("currency", "subscriptions", "undecided", "fee", "credit"), 1)
        for line in explanations(rows(run.frame)):
            click.echo(line)
    click.echo(f"size {run.size}  root {run.root}")


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
@click.option("-o", "--output", required=True, metavar="FILE.xlsx", help="Where to write the workbook.")
@json_option
@click.pass_obj
def export(session: Session, /, output: str, as_json: bool, **given: Any) -> None:
    """Write the credits of a month as a workbook; the same inputs give the same bytes."""
    run = _run(session, **given)
    digest = _write(run, output)
    if as_json:
        emit_json(
            {"file": output, "sha256": digest, "size": run.size, "root": run.root, "rows": len(run.frame)}
        )
    else:
        click.echo(f"wrote {output}  ({len(run.frame):,} subscriptions, sha256 {digest})")


def _write(run: _Run, output: str) -> str:
    """Write the workbook of a run and return its digest."""
    from importlib.metadata import version

    from projections.workbook import write_workbook

    used = {
        (row.policy, row.policy_version)
        for row in run.frame[["policy", "policy_version"]].drop_duplicates().itertuples()
    }
    policies = [
        (key, number, policy, run.terms[key, number])
        for key, versions in sorted(run.policies.items())
        for number, policy in versions
        if (key, number) in used
    ]
    provenance = {
        "period": run.period,
        "ledger": run.ledger,
        "size": str(run.size),
        "root": run.root,
        "published by": run.cut.published_by or "everything",
        "recorded by": f"@{run.cut.recorded_by}",
        "as of": run.as_of
        if any(window.end is None for window in run.windows)
        else "not needed: no window is open",
        "compared with published by": "nothing" if run.compare_cut is None else run.compare_cut.published_by,
        **{
            f"{one['stream']} v{one['version']}": f"sha256 {one['sha256']}, {one['rows']} rows"
            for one in run.sources
        },
        **{f"policy/{key} v{number}": f"sha256 {policy.sha256}" for key, number, policy, _ in policies},
        "incident-sla-ledger": version("incident-sla-ledger"),
        "openpyxl": version("openpyxl"),
        "pandas": version("pandas"),
    }
    return write_workbook(
        output,
        credits=run.frame,
        before=run.before,
        windows=run.windows,
        policies=policies,
        provenance=provenance,
    )
