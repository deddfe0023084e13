"""A credit run: what it rests on, read once, so that an append in the middle of a long run changes nothing in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.cli.session import Session, instant

if TYPE_CHECKING:
    import pandas as pd

    from ledger.cli.facts import Table
    from ledger.domain.exclusion import Exclusion
    from ledger.domain.measurement import Measurement
    from ledger.domain.policy import Policy
    from ledger.domain.window import Window
    from projections.engines import Engine, Job
    from projections.replay import Cut

__all__ = ["Basis", "Compared", "audience", "basis", "compared", "price_all", "price_parts"]


class Basis(msgspec.Struct):
    """What a run rests on: the ledger up to a position, and what stands there.

    tables: of subscriptions; only: some were asked for. cohorts: those that windows are limited to. measurements,
    exclusions: of the ledger, where a policy reads any.
    """

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
    cohorts: Any
    only: bool
    measurements: list[Any] = []
    exclusions: list[Any] = []

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
    measurements, exclusions = _beside_windows(session, policies, held)
    found = Basis(
        period, held, session.as_of(cut, as_of), upto, log.root_at(upto).hex(), head.ledger,
        _windows(session, policies, period, held), policies, terms, facts.tables(log, upto, keys),
        facts.Cohorts(log, upto), bool(keys), measurements, exclusions,
    )  # fmt: skip
    _read_cohorts(found, found.windows, found.as_of)
    return found


def _read_cohorts(found: Basis, windows: list[Window], as_of: str) -> None:
    """Read the cohorts that windows of the run are limited to."""
    from ledger.domain.instants import seconds

    excluded = {one.cohort for one in found.exclusions if one.cohort is not None and not one.withdrawn}
    if excluded or any(window.cohort is not None for window in windows):
        from projections.cohorts import named_by

        named = named_by(windows, found.policies, found.period, seconds(as_of))
        found.cohorts.read(sorted(excluded.union(named)))


def _windows(
    session: Session, policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str, cut: Cut
) -> list[Window]:
    from ledger.domain.policy.periods import check_label, label_is_month, spans_of_run
    from projections.views import open_views

    every = [policy for versions in policies.values() for _, policy in versions]
    check_label(period, every)
    spans = spans_of_run(every, period)
    if label_is_month(period) or not spans:
        from ledger.domain.period import parse_period

        span = parse_period(period)
        # Wide enough for the month in any zone: the earth has offsets from -12 to +14 hours.
        spans.append((span.start - 86_400, span.end + 86_400))
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    found: list[Window] = open_views(session.log()).windows(start, end, cut, audience(cut))
    return found


def _beside_windows(
    session: Session, policies: Mapping[str, Sequence[tuple[int, Policy]]], cut: Cut
) -> tuple[list[Measurement], list[Exclusion]]:
    """Read measurements and exclusions where some policy asks for them."""
    from ledger.cli import recorded

    every = [policy for versions in policies.values() for _, policy in versions]
    log = session.log()
    reads = any(one.measure.reads for policy in every for one in policy.commitments)
    excludes = any(not rule.own_plan_only for policy in every for rule in policy.exclusions)
    return (
        recorded.measurements(log, cut, audience(cut)) if reads else [],
        recorded.exclusions(log, cut) if excludes else [],
    )


def _job(found: Basis, windows: list[Window], as_of: str) -> Job:
    from ledger.domain.instants import seconds
    from projections.engines import Job

    resting = tuple(table.entry for table in found.tables)
    return Job(
        tuple(windows), found.policies, found.period, seconds(as_of), resting, dict(found.cohorts.known),
        tuple(found.measurements), tuple(found.exclusions),
    )  # fmt: skip


def price_all(session: Session, found: Basis) -> pd.DataFrame:
    """Return the credit rows of all subscriptions as one table; slips in the tables are warned of."""
    from projections.subscriptions import joined

    return _job(found, found.windows, found.as_of).price(joined(list(_checked(session, found))))


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
    from projections.cohorts import Seen
    from projections.repeats import Repeats

    repeats = Repeats()
    # Customers of a cohort may well stand in a table that was not asked for.
    seen = [] if found.only else [Seen(cohort) for cohort in found.cohorts.known.values()]
    places: Counter[tuple[str, str]] = Counter()
    for part in _parts(found.tables):
        repeats.add(part)
        places += facts.places_of(part)
        for one in seen:
            one.add(part)
        yield part
    repeats.check(lambda: _parts(found.tables))
    facts.warn_of_places(session.log(), places)
    facts.warn_of_strangers(seen)


def _parts(tables: list[Table]) -> Iterator[pd.DataFrame]:
    for table in tables:
        yield from table.parts()


def compared(session: Session, found: Basis, published_by: str, as_of: str | None) -> Compared:
    """Price the same subscriptions by what had been published by another time."""
    from projections.replay import Cut
    from projections.subscriptions import joined

    cut = Cut(instant("--compare-published-by", published_by), found.size)
    until = session.as_of(cut, as_of)
    windows = _windows(session, found.policies, found.period, cut)
    measurements, exclusions = _beside_windows(session, found.policies, cut)
    found = msgspec.structs.replace(found, measurements=measurements, exclusions=exclusions)
    _read_cohorts(found, windows, until)
    job = _job(found, windows, until)
    return Compared(cut, until, job.price(joined(list(_parts(found.tables)))))
