"""Credits as files: the workbook, and the rows as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import click

from ledger.cli import run

if TYPE_CHECKING:
    import pandas as pd

    from ledger.cli.run import Basis, Compared
    from ledger.cli.session import Session
    from projections.engines import Engine

__all__ = ["Kind", "kind_of", "rows_of", "workbook"]

Kind: TypeAlias = Literal["xlsx", "parquet", "csv"]


def kind_of(output: str) -> Kind:
    """Return what to write, by the end of the file's name; a usage error when it says nothing."""
    kinds: dict[str, Kind] = {".xlsx": "xlsx", ".parquet": "parquet", ".csv": "csv"}
    kind = kinds.get(Path(output).suffix.lower())
    if kind is None:
        raise click.UsageError(
            f"--output {output!r} does not end in .xlsx, .parquet or .csv; name the file so"
        )
    return kind


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


def workbook(basis: Basis, frame: pd.DataFrame, before: Compared | None, output: str) -> str:
    """Write the workbook of a run and return its digest."""
    from importlib.metadata import version

    from projections.workbook import write_workbook

    used = {
        (row.policy, row.policy_version)
        for row in frame[["policy", "policy_version"]].drop_duplicates().itertuples()
    }
    policies = [
        (key, number, policy, basis.terms[key, number])
        for key, versions in sorted(basis.policies.items())
        for number, policy in versions
        if (key, number) in used
    ]
    provenance: dict[str, Any] = {
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
        **{
            one.entry: f"sha256 {one.sha256}, {one.rows} rows"
            for one in (*basis.tables, *basis.cohorts.tables)
        },
        **{f"cohort/{name}": "not at hand: its windows are bounds" for name in basis.cohorts.unknown},
        **{f"policy/{key} v{number}": f"sha256 {policy.sha256}" for key, number, policy, _ in policies},
        "incident-sla-ledger": version("incident-sla-ledger"),
        "openpyxl": version("openpyxl"),
        "pandas": version("pandas"),
    }
    return write_workbook(
        output,
        credits=frame,
        before=None if before is None else before.frame,
        windows=basis.windows,
        policies=policies,
        provenance=provenance,
    )
