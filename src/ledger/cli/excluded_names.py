"""Names in exclusions that nothing recorded knows: such an exclusion excludes nothing, which nobody would be told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ledger.domain.window import EVERY
from ledger.errors import LedgerError, nearest

if TYPE_CHECKING:
    from ledger.domain.events import ExclusionRecorded
    from ledger.store.log import SealedLog

__all__ = ["warn"]

# What names a place, in an exclusion and in the state of incidents.
_PLACES = {"service": "services", "component": "components", "region": "regions"}


def warn(log: SealedLog, exclusions: Sequence[ExclusionRecorded]) -> None:
    """Say on standard error which names of exclusions no subscription, incident or cohort has."""
    known = _known(log, exclusions)
    for sentence in dict.fromkeys(sentence for one in exclusions for sentence in _unknown(one, known)):
        click.echo(f"warning: {sentence}", err=True)


def _unknown(one: ExclusionRecorded, known: dict[str, set[str]]) -> Iterator[str]:
    for field, where in (
        ("service", "no subscription and no incident"), ("component", "no incident"),
        ("region", "no subscription and no incident"), ("customer", "no table of subscriptions"),
        ("cohort", "no published table of a cohort"),
    ):  # fmt: skip
        name = getattr(one, field)
        if name in (None, EVERY) or field not in known or str(name) in known[field]:
            continue
        yield (
            f"{where} knows {field} {str(name)!r}{nearest(str(name), sorted(known[field]))}; an exclusion of it excludes nothing until "
            "one does: record it again if that is a slip"
        )


def _known(log: SealedLog, exclusions: Sequence[ExclusionRecorded]) -> dict[str, set[str]]:
    """Return by field the names that are known; a field of which nothing is known at all is left out, as all of it is to come."""
    from projections.views import open_views

    found = _of_subscriptions(log, [*_PLACES, "customer"])
    for row in open_views(log).incidents():
        for field, names in _PLACES.items():
            found.setdefault(field, set()).update(row[names])
    if any(one.cohort is not None for one in exclusions):
        found["cohort"] = {stream.partition("/")[2] for stream in log.streams("cohort/", limit=100_000)}
    return {field: names for field, names in found.items() if names or field == "cohort"}


def _of_subscriptions(log: SealedLog, columns: Iterable[str]) -> dict[str, set[str]]:
    """Return what stands in the columns of the tables of subscriptions; nothing where they cannot be read."""
    from ledger.cli import facts

    if not log.streams("subscriptions/", limit=1):
        return {}
    try:
        tables = facts.tables(log, None, ())
        return {
            name: {value for table in tables for value in facts.values_of(table, name)}
            for name in columns
            if name != "component"
        }
    except (LedgerError, OSError, ValueError, KeyError):
        return {}
