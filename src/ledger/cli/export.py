"""Credits as files: the workbook, and the rows as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from ledger.cli import run

if TYPE_CHECKING:
    import pandas as pd

    from ledger.cli.restating import Proposal
    from ledger.cli.run import Basis, Compared
    from ledger.cli.session import Session
    from ledger.store.stream import Entry
    from projections.credits import Workings
    from projections.engines import Engine
    from projections.workbook import Changes

__all__ = ["Kind", "check_place", "issued_changes", "kind_of", "rows_of", "workbook"]

Kind: TypeAlias = Literal["xlsx", "parquet", "csv"]


def kind_of(output: str, option: str = "--output") -> Kind:
    """Return what to write, by the end of the file's name; a usage error when it says nothing."""
    kinds: dict[str, Kind] = {".xlsx": "xlsx", ".parquet": "parquet", ".csv": "csv"}
    kind = kinds.get(Path(output).suffix.lower())
    if kind is None:
        raise click.UsageError(
            f"{option} {output!r} does not end in .xlsx, .parquet or .csv; name the file so"
        )
    return kind


def check_place(output: str, kind: Kind) -> None:
    """Refuse a place where something else stands than an earlier export of the kind, before anything is priced."""
    from ledger.outputs import check_output

    if kind == "xlsx":
        from projections.workbook import WORKBOOK

        check_output(output, WORKBOOK)
    else:
        from projections.credit_files import CSV, PARQUET

        check_output(output, PARQUET if kind == "parquet" else CSV)


def rows_of(
    session: Session,
    basis: Basis,
    output: str,
    kind: Kind,
    engine: Engine,
    scheduler: str | None,
    *,
    quiet: bool,
) -> tuple[str, int]:
    """Write the rows of credit and return the digest of the file and how many they are."""
    from projections.credit_files import write_csv, write_parquet

    number = 0

    def counted() -> Iterator[pd.DataFrame]:
        nonlocal number
        for frame in run.price_parts(session, basis, engine, scheduler, quiet=quiet):
            number += len(frame)
            yield frame

    digest = (write_parquet if kind == "parquet" else write_csv)(Path(output), counted())
    return digest, number


def issued_changes(
    session: Session,
    basis: Basis,
    series: str,
    published_by: str | None,
    recorded_by: str | None,
    as_of: str | None,
) -> tuple[Changes, str]:
    """Return how what is known now differs from what was issued for the period, and which documents say that."""
    from ledger.cli.documents import chain_of
    from ledger.cli.restating import propose
    from ledger.cli.since import calculator_words
    from projections.drafts import IssuerChoice
    from projections.issued import held, totals_of
    from projections.workbook.issued_changes import changes_since_issue

    period = basis.period
    chain = chain_of(session, series, lambda one: bool(one.event.period == period), f"period {period!r}")
    chosen = chain.last.event.rests_on.undecided

    def proposed(end: Literal["least", "most"]) -> Proposal:
        # Nothing is issued by it: what is open is shown as it stands, and where no end was chosen, both ends are.
        cut = session.cut(published_by, recorded_by)
        return propose(session, chain, IssuerChoice(chosen or end, True), cut, as_of, whole=True)

    made = proposed("least")
    open_ends = chosen is None and made.draft.uses_undecided
    numbers = ", ".join(str(one.number) for one in chain.documents)
    return changes_since_issue(
        held(session.log(), chain), made.found, made.draft, made.reading.policy_of, period, calculator_words(chain),
        at_most=proposed("most").found if open_ends else None, totals=totals_of(chain),
    ), f"issued: series {series}, {numbers}"  # fmt: skip


def workbook(
    session: Session,
    basis: Basis,
    priced: Workings,
    before: Compared | None,
    output: str,
    detail: str | None,
    issued: tuple[Changes, str] | None,
) -> tuple[str, str | None]:
    """Write the workbook of a run, and its rows as Parquet where they are asked for; return the digests of both."""
    from importlib.metadata import version

    from ledger.domain.instants import seconds
    from projections.credit_files import write_parquet
    from projections.workbook import write_workbook

    used = {(group.policy.key, group.version) for group in priced.groups}
    policies = [
        (key, number, policy, basis.terms[key, number])
        for key, versions in sorted(basis.policies.items())
        for number, policy in versions
        if (key, number) in used
    ]
    provenance: dict[str, str] = {
        "period": basis.period,
        "ledger": basis.ledger,
        "size": str(basis.size),
        "root": basis.root,
        "published by": basis.cut.published_by or "everything",
        "recorded by": f"@{basis.cut.recorded_by}",
        "as of": basis.as_of
        if any(window.end is None for window in basis.windows)
        else "not needed: no window is open",
        "compared with published by": "nothing" if before is None else before.cut.published_by,
        **({} if issued is None else {"compared with": issued[1]}),
        **{
            one.entry: f"sha256 {one.sha256}, {one.rows} rows"
            for one in (*basis.tables, *basis.cohorts.tables)
        },
        **{f"cohort/{name}": "not at hand: its windows are bounds" for name in basis.cohorts.unknown},
        **{f"policy/{key} v{number}": f"sha256 {policy.sha256}" for key, number, policy, _ in policies},
        **{name: version(name) for name in ("incident-sla-ledger", "openpyxl", "pandas")},
    }
    rows = None if detail is None else write_parquet(Path(detail), [priced.frame])
    if detail is not None:
        provenance[f"each row in {Path(detail).name}"] = f"sha256 {rows}, {len(priced.frame)} rows"
    digest = write_workbook(
        output,
        priced=priced,
        period=basis.period,
        as_of=seconds(basis.as_of),
        windows=basis.windows,
        policies=policies,
        provenance=provenance,
        entries=_entries(session, basis, priced),
        before=None if before is None else before.frame,
        changes=None if issued is None else issued[0],
    )
    return digest, rows


def _entries(session: Session, basis: Basis, priced: Workings) -> list[Entry]:
    """Return the entries that the figures rest on: those of the incidents as told under the cut, and those named."""
    from ledger.store.stream import read_stream
    from projections.replay import told

    named = {entry for row in priced.frame["entries"].unique() for entry in row}
    # An exclusion that left nothing out is on the sheet of exclusions all the same.
    named.update(entry for group in priced.groups for one in group.exclusions for entry in one.entries)
    streams = {entry.rpartition(" v")[0] for entry in named}
    streams.update(f"incident/{window.incident}" for window in basis.windows)
    found: list[Entry] = []
    for stream in sorted(streams):
        entries = read_stream(session.log(), stream, upto_position=basis.size)
        if stream.startswith("incident/"):
            found += [one.entry for one in told(entries, basis.cut, run.audience(basis.cut))]
        else:
            found += [entry for entry in entries if f"{stream} v{entry.version}" in named]
    return found
