"""What is said where nothing fits a filter: that it is so, and which of the names asked for nothing has."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from ledger.errors import nearest

__all__ = ["check_period", "tell_none_fits"]


def tell_none_fits(what: str, known: Mapping[str, Collection[str]], **asked: str | None) -> None:
    """Say on standard error that nothing fits what was asked for, and of whom or what nothing was ever said: a slip, perhaps.

    what: one of the things asked for, such as "incident". known: by filter the names there are. asked: by filter the name.
    """
    slips = "".join(
        f"; none concerns the {field} {name!r}{nearest(name, known[field])}"
        for field, name in asked.items()
        if name is not None and name not in known[field]
    )
    click.echo(f"no {what} fits what was asked for{slips}", err=True)


def check_period(period: str | None, known: Collection[str]) -> None:
    """Raise Refused where a period that is asked for names none, unless something is stored under that name."""
    from ledger.domain.period import check_name

    if period is not None and period not in known:
        check_name(period)
