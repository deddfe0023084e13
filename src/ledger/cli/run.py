"""A credit run: what it rests on, read once, so that an append in the middle of a long run changes nothing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ledger.cli.session import Session, instant

if TYPE_CHECKING:
    import pandas as pd

    from ledger.cli.facts import Table
    from ledger.cli.not_due import NotDue
    from ledger.domain.claims import Claim
    from ledger.domain.exclusion import Exclusion
    from ledger.domain.measurement import Measurement
    from ledger.domain.policy import Policy
    from ledger.domain.window import Window
    from projections.credits import Workings
    from projections.earlier_credits import Earlier
    from projections.engines import Engine, Job
    from projections.replay import Cut

__all__ = [
    "Basis", "Before", "Compared", "Priced", "Wanted", "audience", "basis", "before", "beside_windows", "claims_for", "compared", "is_over", "job_of", "looked_at",
    "parts_of", "price_all", "price_parts", "warn_of_requests", "warn_unfinished",
    "windows_of",
]  # fmt: skip

# Up to so many rows a run is kept in memory (about 150 bytes each) where it is asked for twice.
_KEPT = 1_000_000


class Basis(msgspec.Struct):
    """What a run rests on: the ledger up to a position, and what stands there.

    tables: of subscriptions; only: some were asked for. cohorts: those that windows are limited to. measurements,
    exclusions: of the ledger, where a policy reads any. credited: what documents credited in the months before, by
    subscription, where a policy limits several months together; credited_from: those series, with the version read up to.
    claims: those that may be for the period, where a policy pays on request. not_due: policies that have no period in the month,
    counted once all tables were read. wanted: which tables of measurements are read.
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
    credited: dict[str, tuple[Earlier, ...]] = {}
    credited_from: dict[str, int] = {}
    claims: list[Claim] = []
    not_due: list[NotDue] = []
    wanted: Any = None

    def sources(self) -> list[dict[str, Any]]:
        """Return where the subscriptions came from, for programs."""
        return [table.as_json() for table in self.tables]


class Before(msgspec.Struct):
    """What a run is compared with: the same ledger as the public knew it by another time."""

    cut: Any
    as_of: str
    windows: list[Any]
    measurements: list[Any] = []
    exclusions: list[Any] = []


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
    as_of: str | None, *, subscribed: Callable[[], Sequence[Table]] | None = None, rested: Mapping[str, int] | None = None,
) -> Basis:  # fmt: skip
    """Read what a run rests on. Raises Refused and Unavailable as the readings do.

    subscribed: gives the tables of subscriptions where they are not to be read, and is called where they matter all the same.
    rested: as `credited_before` takes it.
    """
    from ledger.cli import facts
    from ledger.cli.credited import credited_before
    from projections.replay import Cut

    cut = session.cut(published_by, recorded_by)
    log = session.log()
    head = log.head()
    upto = head.size if cut.recorded_by is None else cut.recorded_by
    held = Cut(cut.published_by, upto)
    policies, terms = facts.policies(log, upto)
    windows = _windows(session, policies, period, held)
    tables = facts.tables(log, upto, keys) if subscribed is None else []
    wanted = Wanted(policies, period, subscribed or (lambda: tables))
    measurements, exclusions = beside_windows(session, policies, held, wanted)
    found = Basis(
        period, held, session.as_of(cut, as_of), upto, log.root_at(upto).hex(), head.ledger,
        windows, policies, terms, tables,
        facts.Cohorts(log, upto), bool(keys), measurements, exclusions, *credited_before(log, policies, period, upto, rested),
        claims_for(session, policies, period, held) if _on_request(policies) else [], wanted=wanted,
    )  # fmt: skip
    _read_cohorts(found, found)
    return found


def _on_request(policies: Mapping[str, Sequence[tuple[int, Policy]]]) -> bool:
    return any(policy.claim.how == "on-request" for versions in policies.values() for _, policy in versions)


def claims_for(
    session: Session, policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str, cut: Cut
) -> list[Claim]:
    """Return the claims that may be for a period: those that name a period which some version of a policy has there."""
    from ledger.cli import recorded
    from ledger.domain.policy.periods import claim_labels, period_at

    rules = {policy.period for versions in policies.values() for _, policy in versions}
    labels = {
        label
        for rule in rules
        if (found := period_at(rule, period)) is not None
        for label in claim_labels(rule, found)
    }
    return [one for one in recorded.claims(session.log(), cut) if one.period in labels]


def _read_cohorts(found: Basis, read: Basis | Before) -> None:
    """Read the cohorts that windows of the run are limited to."""
    from ledger.domain.instants import seconds

    excluded = {one.cohort for one in read.exclusions if one.cohort is not None and not one.withdrawn}
    if excluded or any(window.cohort is not None for window in read.windows):
        from projections.cohorts import named_by

        named = named_by(read.windows, found.policies, found.period, seconds(read.as_of))
        found.cohorts.read(sorted(excluded.union(named)))


def _windows(
    session: Session, policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str, cut: Cut
) -> list[Window]:
    """Read the windows that policies look at for a period: those that touch it, and those that go on from there."""
    from projections.evaluation.around import widened

    asked = looked_at(policies, period)
    every = [policy for versions in policies.values() for _, policy in versions]
    views, span = session.views(), asked
    while True:
        # What ends where the time begins may be one outage with what begins there.
        found: list[Window] = views.windows(span[0] - 1, span[1] + 1, cut, audience(cut))
        wider = widened(every, asked, found)
        if wider == span:
            return found
        span = wider


def looked_at(policies: Mapping[str, Sequence[tuple[int, Policy]]], period: str) -> tuple[int, int]:
    """Return the time that policies look at for a period, in any zone, in UTC seconds. Raises Refused where it is none."""
    from ledger.domain.policy.periods import check_label, label_is_month, spans_of_run

    every = [policy for versions in policies.values() for _, policy in versions]
    check_label(period, every)
    spans = spans_of_run(every, period)
    if label_is_month(period) or not spans:
        from ledger.domain.period import parse_period

        span = parse_period(period)
        # Wide enough for the month in any zone: the earth has offsets from -12 to +14 hours.
        spans.append((span.start - 86_400, span.end + 86_400))
    return min(start for start, _ in spans), max(end for _, end in spans)


def beside_windows(
    session: Session, policies: Mapping[str, Sequence[tuple[int, Policy]]], cut: Cut, wanted: Wanted,
) -> tuple[list[Measurement], list[Exclusion]]:  # fmt: skip
    """Read measurements and exclusions where some policy asks for them.

    wanted: of which measurements that are tables the rows are read.
    """
    from ledger.cli import recorded

    every = [policy for versions in policies.values() for _, policy in versions]
    log = session.log()
    reads = any(one.measure.reads for policy in every for one in policy.commitments)
    excludes = any(not rule.own_plan_only for policy in every for rule in policy.exclusions)
    return (
        recorded.measurements(log, cut, audience(cut), wanted) if reads else [],
        recorded.exclusions(log, cut) if excludes else [],
    )


class Wanted:
    """Tells whether a measurement can concern a subscription of a run, under a policy that reads such, in its period.

    tables: gives the tables of subscriptions, which are asked once, and not before it matters.
    """

    def __init__(
        self,
        policies: Mapping[str, Sequence[tuple[int, Policy]]],
        period: str,
        tables: Callable[[], Sequence[Table]],
    ) -> None:
        from projections.evaluation.around import measured_around

        self._policies, self._subscribed = policies, tables
        start, end = looked_at(policies, period)
        more = measured_around(policy for versions in policies.values() for _, policy in versions)
        self._start, self._end = start - more, end + more
        self._tables: Sequence[Table] | None = None
        self._named: dict[str, set[str]] = {}

    def __call__(self, one: Measurement) -> bool:
        from ledger.domain.window import place

        if one.end <= self._start or one.start >= self._end:
            return False
        reading = [
            commitment
            for key, versions in self._policies.items()
            for _, policy in versions
            for commitment in policy.commitments
            if one.of in commitment.measure.reads and self._is_named("policy", key)
        ]
        if not reading or not self._is_named("service", one.service):
            return False
        return any(commitment.scope.regions != "each" for commitment in reading) or any(
            place(one.region, one.regions, region) is not None for region in self._column("region")
        )

    def _is_named(self, column: str, name: str) -> bool:
        return name in self._column(column)

    def _column(self, name: str) -> set[str]:
        from ledger.cli import facts

        if name not in self._named:
            if self._tables is None:
                self._tables = self._subscribed()
            self._named[name] = {one for table in self._tables for one in facts.values_of(table, name)}
        return self._named[name]


def _job(found: Basis, read: Basis | Before) -> Job:
    """Return what prices any part: the subscriptions and terms of a run, under the facts that were read."""
    from ledger.domain.instants import seconds
    from projections.engines import Job

    resting = tuple(table.entry for table in found.tables)
    return Job(
        tuple(read.windows), found.policies, found.period, seconds(read.as_of), resting, dict(found.cohorts.known),
        tuple(read.measurements), tuple(read.exclusions), found.credited, tuple(found.claims), mark_unfinished=True,
    )  # fmt: skip


def price_all(session: Session, found: Basis) -> Workings:
    """Return the credit rows of all subscriptions, with what they were computed from; slips in tables are warned of."""
    from projections.subscriptions import joined

    return _job(found, found).workings(joined(list(_checked(session, found))))


def price_parts(
    session: Session,
    found: Basis,
    engine: Engine = "local",
    scheduler: str | None = None,
    *,
    quiet: bool = True,
) -> Iterator[pd.DataFrame]:
    """Yield the credit rows part by part, so that memory stays flat. quiet: no bar, whoever looks."""
    from projections.engines import priced

    job = _job(found, found)
    yield from priced(_checked(session, found, quiet=quiet), job, engine, scheduler)


class Priced:
    """The credit rows of a run, part by part, each beside what it is compared with (or None), as often as they are asked for.

    The first time the tables are checked whole, so that nothing need be said before it is known that nothing is refused. A run
    that fits is kept; a larger one is priced again.
    """

    def __init__(
        self, session: Session, found: Basis, before: Before | None, engine: Engine, scheduler: str | None, *,
        quiet: bool,
    ) -> None:  # fmt: skip
        self.rows = sum(table.rows for table in found.tables)
        self._session, self._found, self._before = session, found, before
        self._where, self._quiet = (engine, scheduler), quiet
        self._kept: list[tuple[pd.DataFrame, pd.DataFrame | None]] = []
        self._asked = False

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame | None]]:
        """Price, or give what was kept. Raises Refused and Unavailable, all of them the first time."""
        from projections.engines import BothJobs, priced

        if self._kept:
            yield from self._kept
            return
        found, before = self._found, self._before
        job = BothJobs(
            _job(found, found),
            None if before is None else _job(found, before),
        )
        first, self._asked = not self._asked, True
        parts = _checked(self._session, found, quiet=self._quiet) if first else _parts(found.tables)
        if self.rows <= _KEPT:
            # What is wrong with the tables is said before what is wrong with their terms.
            self._kept = list(priced(list(parts), job, *self._where))
            yield from self._kept
        else:
            yield from priced(parts, job, *self._where)


def _checked(session: Session, found: Basis, *, quiet: bool = True) -> Iterator[pd.DataFrame]:
    """Yield the parts of all tables; at the end, complain of subscriptions that are there twice, and warn of slips."""
    from collections import Counter

    from ledger.cli import facts
    from ledger.cli.not_due import not_due_at
    from ledger.cli.progress import watched
    from projections.cohorts import Seen
    from projections.repeats import Repeats

    repeats = Repeats()
    # Customers of a cohort may well stand in a table that was not asked for.
    seen = [] if found.only else [Seen(cohort) for cohort in found.cohorts.known.values()]
    places: Counter[tuple[str, str]] = Counter()
    found.not_due = not_due_at(found.policies, found.period)
    expected = sum(table.rows for table in found.tables)
    parts = ((table.entry, part) for table in found.tables for part in table.parts())
    for entry, part in watched(parts, expected, quiet=quiet):
        repeats.add(part, entry)
        places += facts.places_of(part)
        for one in seen:
            one.add(part)
        for late in found.not_due:
            late.count(part)
        yield part
    repeats.check(lambda: _parts(found.tables))
    facts.warn_of_places(session.log(), places)
    facts.warn_of_strangers(seen)


def _parts(tables: list[Table]) -> Iterator[pd.DataFrame]:
    for table in tables:
        yield from table.parts()


def before(session: Session, found: Basis, published_by: str, as_of: str | None) -> Before:
    """Read what had been published by another time: what a run is compared with."""
    from projections.replay import Cut

    cut = Cut(instant("--compare-published-by", published_by), found.size)
    until = session.as_of(cut, as_of)
    windows = _windows(session, found.policies, found.period, cut)
    beside = beside_windows(session, found.policies, cut, found.wanted)
    earlier = Before(cut, until, windows, *beside)
    _read_cohorts(found, earlier)
    return earlier


def compared(session: Session, found: Basis, published_by: str, as_of: str | None) -> Compared:
    """Price the same subscriptions by what had been published by another time."""
    from projections.subscriptions import joined

    earlier = before(session, found, published_by, as_of)
    job = _job(found, earlier)
    return Compared(earlier.cut, earlier.as_of, job.price(joined(list(_parts(found.tables)))))


def job_of(found: Basis) -> Job:
    """Return what prices any part of the subscriptions of a document, which says as a whole whether its month was over."""
    # A document looks at claims itself, line by line.
    return msgspec.structs.replace(_job(found, found), mark_unfinished=False, claims=())


def is_over(found: Basis) -> bool:
    """Tell whether the periods that policies have at a label were over by the time a run is read as of."""
    from ledger.domain.instants import seconds
    from ledger.domain.policy.periods import spans_of_run

    every = [policy for versions in found.policies.values() for _, policy in versions]
    return all(seconds(found.as_of) >= end for _, end in spans_of_run(every, found.period))


def warn_unfinished(found: Basis) -> None:
    """Say on standard error that a month is not over, so that nobody takes its figures for the last word."""
    from ledger.domain.instants import shown

    if not is_over(found):
        click.echo(
            f"note: {found.period} is not over as of {shown(found.as_of)}: downtime may still come, so its rows are provisional",
            err=True,
        )


def warn_of_requests(found: Basis) -> None:
    """Say on standard error which policies in use pay on request only: a run shows what they give, claimed or not."""
    from ledger.cli import facts
    from ledger.domain.policy.periods import ruling_period

    if not _on_request(found.policies):
        return
    in_use = {key for table in found.tables for key in facts.values_of(table, "policy")}
    on_request = [
        key
        for key in sorted(in_use & found.policies.keys())
        if (ruled := ruling_period(found.policies[key], found.period)) is not None
        and ruled[1].claim.how == "on-request"
    ]
    if on_request:
        click.echo(
            f"note: credits under {', '.join(on_request)} are paid on request only, and are shown whether they were claimed or "
            "not; ledger credits issue pays what was granted, as claim_state says",
            err=True,
        )


def parts_of(session: Session, found: Basis) -> Iterator[pd.DataFrame]:
    """Yield the subscriptions of a run part by part; slips in the tables are warned of at the end."""
    yield from _checked(session, found)


def windows_of(session: Session, period: str, cut: Cut) -> list[Window]:
    """Return the windows that the policies of a cut look at for a period, in any zone."""
    from ledger.cli import facts

    return _windows(session, facts.policies(session.log(), cut.recorded_by)[0], period, cut)
