"""A credit run: what it rests on, read once, so that an append in the middle of a long run changes nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.cli.session import Session, instant

if TYPE_CHECKING:
    import pandas as pd

    from ledger.cli.facts import Table
    from ledger.domain.window import Window
    from projections.credits import Workings
    from projections.engines import Engine, Job
    from projections.replay import Cut

__all__ = ["Basis", "Compared", "audience", "basis", "compared", "price_all", "price_parts"]


class Basis(msgspec.Struct):
    """What a run rests on: the ledger up to a position, and what stands there."""

    period: str
    cut: Any
    as_of: str
    size: int
    root: str
    ledger: str
    windows: list[Any]
    policies: dict[str, list[tuple[int, Any]]]
    terms: dict[tuple[str, int], str]
    tables: list[Any]

    def sources(self) -> list[dict[str, Any]]:
        """Return where the subscriptions came from, for programs."""
        return [table.as_json() for table in self.tables]


class Compared(msgspec.Struct):
    """The same run as the public knew the facts by another time."""

    cut: Any
    as_of: str
    frame: Any


def audience(cut: Cut) -> Any:
    """Return who reads under a cut: what had been published by a time is the public's."""
    return "public" if cut.published_by is not None else "house"


def basis(
    session: Session, period: str, keys: tuple[str, ...], published_by: str | None, recorded_by: str | None,
    as_of: str | None,
) -> Basis:  # fmt: skip
    """Read what a run rests on. Raises Refused and Unavailable as the readings do."""
    from ledger.cli import facts
    from projections.replay import Cut

    cut = session.cut(published_by, recorded_by)
    log = session.log()
    head = log.head()
    upto = head.size if cut.recorded_by is None else cut.recorded_by
    held = Cut(cut.published_by, upto)
    policies, terms = facts.policies(log, upto)
    return Basis(
        period, held, session.as_of(cut, as_of), upto, log.root_at(upto).hex(), head.ledger,
        _windows(session, period, held), policies, terms, facts.tables(log, upto, keys),
    )  # fmt: skip


def _windows(session: Session, period: str, cut: Cut) -> list[Window]:
    from ledger.domain.period import parse_period
    from projections.views import open_views

    span = parse_period(period)
    # Wide enough for the month in any zone: the earth has offsets from -12 to +14 hours.
    found: list[Window] = open_views(session.log()).windows(
        span.start - 86_400, span.end + 86_400, cut, audience(cut)
    )
    return found


def _job(found: Basis, windows: list[Window], as_of: str) -> Job:
    from ledger.domain.instants import seconds
    from projections.engines import Job

    resting = tuple(f"{table.stream} v{table.version}" for table in found.tables)
    return Job(tuple(windows), found.policies, found.period, seconds(as_of), resting)


def price_all(session: Session, found: Basis) -> Workings:
    """Return the credit rows of all subscriptions, with what they were computed from; slips in tables are warned of."""
    from projections.subscriptions import joined

    return _job(found, found.windows, found.as_of).workings(joined(list(_checked(session, found))))


def price_parts(
    session: Session, found: Basis, engine: Engine, scheduler: str | None
) -> Iterator[pd.DataFrame]:
    """Yield the credit rows part by part, so that memory stays flat."""
    from projections.engines import priced

    job = _job(found, found.windows, found.as_of)
    yield from priced(_checked(session, found), job, engine, scheduler)


def _checked(session: Session, found: Basis) -> Iterator[pd.DataFrame]:
    """Yield the parts of all tables; at the end, complain of subscriptions that are there twice, and warn of slips."""
    from collections import Counter

    from ledger.cli import facts
    from projections.repeats import Repeats

    repeats = Repeats()
    places: Counter[tuple[str, str]] = Counter()
    for part in _parts(found.tables):
        repeats.add(part)
        places += facts.places_of(part)
        yield part
    repeats.check(lambda: _parts(found.tables))
    facts.warn_of_places(session.log(), places)


def _parts(tables: list[Table]) -> Iterator[pd.DataFrame]:
    for table in tables:
        yield from table.parts()


def compared(session: Session, found: Basis, published_by: str, as_of: str | None) -> Compared:
    """Price the same subscriptions by what had been published by another time."""
    from projections.replay import Cut
    from projections.subscriptions import joined

    cut = Cut(instant("--compare-published-by", published_by), found.size)
    until = session.as_of(cut, as_of)
    job = _job(found, _windows(session, found.period, cut), until)
    return Compared(cut, until, job.price(joined(list(_parts(found.tables)))))
