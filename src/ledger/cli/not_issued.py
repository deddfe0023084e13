"""Tables of subscriptions that no document about a month rests on, such as one that was published after its statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ledger.cli.not_due import counted_not_due, counted_valid
from ledger.cli.session import Session
from ledger.errors import Refused, Unavailable, counted

if TYPE_CHECKING:
    from ledger.cli.facts import Table
    from ledger.domain.policy import Policy

__all__ = ["say_not_issued"]


def say_not_issued(
    session: Session, period: str, policies: Mapping[str, Sequence[tuple[int, Policy]]], position: int
) -> None:
    """Say on standard error which tables have subscriptions due in a month and are in no document about it, whatever the series.

    A statement stays with the tables that it was issued from, so that no adjustment of it would ever credit them. period: a month.
    policies: the versions of each, by its key. position: up to which tables count; one that is not at hand is passed over.
    """
    from ledger.cli.documents import documents_in, series_named

    rested = {
        source.stream
        for series in series_named(session, None)
        for document, _ in documents_in(session, series)
        if document.event.period == period
        for source in document.event.rests_on.sources
    }
    for stream in session.log().streams("subscriptions/", limit=100_000):
        due = 0 if stream in rested else _due(session, stream, period, policies, position)
        if due:
            click.echo(
                f"note: {stream} is in no document for {period}, and has {counted(due, 'subscription')} for it; a statement stays "
                "with its tables, so issue this one in a series of its own: ledger credits issue --period "
                f"{period} --series NAME --subscriptions {stream.partition('/')[2]}",
                err=True,
            )


def _due(
    session: Session,
    stream: str,
    period: str,
    policies: Mapping[str, Sequence[tuple[int, Policy]]],
    position: int,
) -> int:
    """Return how many subscriptions of a table are valid in a month, but for those whose period ends in a later one."""
    from ledger.cli import facts

    try:
        (table,) = facts.tables(session.log(), position, (stream.partition("/")[2],))
        valid = _valid(table, period) if table.rows else 0
        waiting = counted_not_due(policies, period, lambda: [table]) if valid else []
    except (Refused, Unavailable):
        # Not there yet, or not at hand: whoever issues it is told.
        return 0
    return valid - sum(one.subscriptions for one in waiting)


def _valid(table: Table, period: str) -> int:
    """Return how many subscriptions of a table are valid on any day of a month."""
    import numpy as np

    month = np.datetime64(period, "M")
    first, past = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    return sum(counted_valid(part, first, past) for part in table.parts())
