"""Consequences: what the impact windows of one incident come to, in downtime and under policies; and its stages.

`consequences` answers for the windows under one cut: per service, region and month touched the downtime as a fact, and
for each policy what it makes of it. The figures are those of `projections.downtime` and `projections.availability`; nothing
is computed twice. They are of the windows given: an incident alone, unless the windows of others are given beside it.

`stages` walks a notice revision by revision in position order; a window that was revised or withdrawn keeps its
earlier states beside the present one, so that a reader sees what was said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.events import EntryPublished
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import seconds
from ledger.domain.interval import union
from ledger.domain.measurement import Measurement
from ledger.domain.money import decimal_text
from ledger.domain.period import Period, day_of, parse_period
from ledger.domain.policy import Policy
from ledger.domain.policy.model import PeriodRule
from ledger.domain.policy.periods import following, period_ending_in, period_holding, ruling_period
from ledger.domain.window import EVERY, UNKNOWN, Window
from ledger.errors import Refused
from ledger.store.stream import Entry
from projections.availability import Assessment, assess, percent_text
from projections.downtime import DowntimeRow, downtime
from projections.evaluation.amounts import currencies_of
from projections.evaluation.outcome import Outcome
from projections.notice import Notice
from projections.reading import Reader, Reading
from projections.replay import Cut, Told

if TYPE_CHECKING:
    import pandas as pd

    from projections.cohorts import Cohort

__all__ = [
    "Consequence", "Consequences", "DrawnWindow", "Ghost", "PolicyOutcome", "Stage", "consequences", "periods_touched", "places_touched", "stages",
]  # fmt: skip

ZONE = "UTC"
Policies = Mapping[str, Sequence[tuple[int, Policy]]]


class PolicyOutcome(msgspec.Struct, frozen=True):
    """What one policy makes of a service and region in its own period that ends in a month.

    version: the version in force, None where none is. period: its period, such as "2022-03" or "2022-Q1". assessment: None
    where there is none; `problem` says why.
    """

    policy: str
    version: int | None
    period: str | None
    assessment: Assessment | None
    problem: str | None = None

    @property
    def credit_percent(self) -> tuple[str, str] | None:
        """The percentage of the fee that is paid, at least and at most; None where no part of the fee says it."""
        rates = None if self.assessment is None else self.assessment.rates
        return None if rates is None else (_percent(rates[0]), _percent(rates[1]))

    @property
    def comes_to(self) -> tuple[Any, ...] | None:
        """All that the policy makes of the facts, to be compared: figures of each commitment, rule, money, days, and the right to end it."""
        made = self.assessment
        if made is None:
            return None
        figures = [
            (one.figure.eligible_least, one.figure.eligible_most, one.figure.low, one.figure.high)
            for one in made.outcome.results
        ]
        return self.version, figures, made.rule, _money(made.outcome), made.service_days, made.termination


def _money(made: Outcome) -> list[Any]:
    """Return what is paid in each currency the terms name, as functions of the base; None where they name no sum in it."""
    found: list[Any] = []
    for code in currencies_of(made.policy):
        try:
            found.append(made.forms(code))
        except Refused:
            found.append(None)
    return found


class Consequence(msgspec.Struct, frozen=True):
    """What the windows of a service and region come to in a month.

    downtime_seconds: their union in the month of `zone`, as a fact; each policy's month is in the policy's own zone.
    windows: `incident/window` of those that touch it. outcomes: one per policy, in the order of their keys; none for the
    region "unknown", in which no customer is.
    """

    service: str
    region: str
    period: str
    zone: str
    downtime_seconds: int
    provisional: bool
    approximate: bool
    windows: tuple[str, ...]
    outcomes: tuple[PolicyOutcome, ...]


class Consequences(msgspec.Struct, frozen=True):
    """All consequences under one cut. totals: per period and currency, where subscriptions were given.

    as_of: the instant up to which open windows have lasted at least. A total has `period`, `currency`, `subscriptions`
    (how many), `undecided`, `fee`, `credit`, `credit_at_least`, `credit_at_most`; money as decimal text.
    """

    as_of: str
    rows: tuple[Consequence, ...]
    totals: tuple[dict[str, Any], ...] | None = None


class Ghost(msgspec.Struct, frozen=True):
    """An earlier state of a window: said in one revision, and no more since another."""

    window: Window
    said_in: int
    until: int


class DrawnWindow(msgspec.Struct, frozen=True):
    """A window as it stands at a stage (perhaps withdrawn), since which revision, and what it was before, oldest first."""

    window: Window
    said_in: int
    ghosts: tuple[Ghost, ...]


class Stage(msgspec.Struct, frozen=True):
    """A notice after its n-th revision.

    reading: the incident as it then stood. as_of: the instant up to which its open windows have lasted at least. entries: what
    the change told, in the order told: its own entries, and those it published. windows: sorted by start and id.
    """

    revision: int
    reading: Reading
    as_of: str
    entries: tuple[Told, ...]
    windows: tuple[DrawnWindow, ...]

    @property
    def cut(self) -> Cut:
        """What shows it so."""
        return self.reading.cut

    @property
    def notice(self) -> Notice:
        """The notice as it then read."""
        return self.reading.notice


class _Counted(msgspec.Struct, frozen=True):
    """What is counted: windows, and what policies may read beside them."""

    windows: tuple[Window, ...]
    measurements: tuple[Measurement, ...]
    exclusions: tuple[Exclusion, ...]


def consequences(
    windows: Iterable[Window],
    policies: Policies,
    as_of: str,
    *,
    periods: Sequence[str] | None = None,
    places: Sequence[tuple[str, str]] | None = None,
    others: Iterable[Window] = (),
    subscriptions: pd.DataFrame | None = None,
    cohorts: Mapping[str, Cohort] | None = None,
    measurements: Iterable[Measurement] = (),
    exclusions: Iterable[Exclusion] = (),
) -> Consequences:
    """Return what windows come to, per month, service and region.

    windows: as `projections.replay.windows_of` returns them; withdrawn ones count nothing. policies: published versions by
    key. periods, places: the months and the (service, region) to answer for, also where nothing is down; None: those the
    windows touch. others: windows of other incidents that count beside them. subscriptions: as
    `projections.subscriptions.read_subscriptions` returns them; those under the given policies are priced and summed up, with
    the customers of cohorts where they are known. Of a place it is not known who is in a cohort: there it is a bound.
    measurements, exclusions: read by the policies that ask for them.
    """
    windows = list(windows)
    until = seconds(as_of)
    periods = periods_touched(windows, as_of, policies) if periods is None else periods
    places = places_touched(windows) if places is None else places
    facts = _Counted((*windows, *others), tuple(measurements), tuple(exclusions))
    rows = []
    for label in periods:
        month = parse_period(label, ZONE)
        near = [window for window in facts.windows if _may_touch(window, month)]
        found = {
            tuple(value for _, value in row.keys): row
            for row in downtime(near, month, by=("service", "region"), as_of=until)
        }
        ruling = [_ruled(key, policies[key], label) for key in sorted(policies)]
        rows += [_consequence(place, label, found.get(place), facts, ruling, until) for place in places]
    totals = (
        None if subscriptions is None else _totals(subscriptions, facts, policies, periods, until, cohorts)
    )
    return Consequences(as_of, tuple(rows), totals)


def _may_touch(window: Window, period: Period) -> bool:
    ends = None if window.end is None else window.end + window.end_within_seconds
    return window.start - window.start_within_seconds < period.end and (ends is None or ends > period.start)


def periods_touched(windows: Iterable[Window], as_of: str, policies: Policies) -> tuple[str, ...]:
    """Return the months ("2022-03") that windows may touch in UTC, and those in which periods of policies end that they may.

    In order. Tolerances count, and an open window reaches `as_of`.
    """
    until = seconds(as_of)
    spans = union(
        (
            window.start - window.start_within_seconds,
            max(until, window.start + 1) if window.end is None else window.end + window.end_within_seconds,
        )
        for window in windows
        if not window.withdrawn
    )
    found: set[str] = set()
    for start, end in spans:
        found.update(_months(day_of(ZONE, start), day_of(ZONE, end - 1)))
    for rule in {policy.period for versions in policies.values() for _, policy in versions}:
        for start, end in spans:
            found.update(_months_of(rule, start, end))
    return tuple(sorted(found))


def _months_of(rule: PeriodRule, start: int, end: int) -> Iterable[str]:
    """Yield the months in which the periods of a policy end that hold a second of a span."""
    first = period_holding(rule, start)
    last = following(rule, period_holding(rule, end - 1), 1)
    for label in _months(day_of(rule.zone, start), day_of(rule.zone, last.end)):
        period = period_ending_in(rule, label)
        if period is not None and first.start <= period.start < end and period.end > start:
            yield label


def _months(first_day: str, last_day: str) -> Iterable[str]:
    year, month = int(first_day[:4]), int(first_day[5:7])
    while (label := f"{year:04}-{month:02}") <= last_day[:7]:
        yield label
        year, month = year + month // 12, month % 12 + 1


def places_touched(windows: Iterable[Window]) -> tuple[tuple[str, str], ...]:
    """Return the (service, region) that windows concern, sorted.

    "*" stands for the incident's regions; "unknown" stays a name of its own, and may be each of them.
    """
    found: set[tuple[str, str]] = set()
    for window in windows:
        if window.withdrawn:
            continue
        regions = window.regions if window.region in (EVERY, UNKNOWN) else ()
        if window.region != EVERY or not regions:
            regions = (*regions, window.region)
        found.update((window.service, region) for region in regions)
    return tuple(sorted(found))


def _ruled(
    key: str, versions: Sequence[tuple[int, Policy]], label: str
) -> tuple[str, int, Policy, Period] | PolicyOutcome:
    """Return version, policy and its period that ends in a month, or the outcome that there is none."""
    try:
        ruled = ruling_period(versions, label)
    except Refused as error:
        return PolicyOutcome(key, None, None, None, str(error))
    if ruled is None:
        return PolicyOutcome(key, None, None, None, f"policy {key!r} has no period that ends in {label}")
    return key, *ruled


def _consequence(
    place: tuple[str, str],
    label: str,
    row: DowntimeRow | None,
    facts: _Counted,
    ruling: Sequence[tuple[str, int, Policy, Period] | PolicyOutcome],
    until: int,
) -> Consequence:
    service, region = place
    outcomes = []
    for one in ruling if region != UNKNOWN else ():
        if isinstance(one, PolicyOutcome):
            outcomes.append(one)
            continue
        key, version, policy, period = one
        try:
            # All windows, also of other months: what an exclusion may take in a year depends on them.
            made = assess(
                facts.windows, policy, version, service, region, period, until, measurements=facts.measurements,
                exclusions=facts.exclusions,
            )  # fmt: skip
        except Refused as error:
            outcomes.append(PolicyOutcome(key, version, period.label, None, str(error)))
        else:
            outcomes.append(PolicyOutcome(key, version, period.label, made))
    return Consequence(
        service=service,
        region=region,
        period=label,
        zone=ZONE,
        downtime_seconds=row.downtime_seconds if row else 0,
        provisional=row.provisional if row else False,
        approximate=row.approximate if row else False,
        windows=row.windows if row else (),
        outcomes=tuple(outcomes),
    )


def _totals(
    subscriptions: pd.DataFrame,
    facts: _Counted,
    policies: Policies,
    periods: Sequence[str],
    until: int,
    cohorts: Mapping[str, Cohort] | None,
) -> tuple[dict[str, Any], ...]:
    """Return the credits of each period summed up by currency, of the subscriptions under the policies."""
    from projections.credits import price, rows, totals

    under = subscriptions.loc[subscriptions["policy"].isin(list(policies))].reset_index(drop=True)
    found: list[dict[str, Any]] = []
    for label in periods:
        # A policy not yet in force credits nothing then; the rows of places say so.
        ruled = [key for key in policies if not isinstance(_ruled(key, policies[key], label), PolicyOutcome)]
        frame = under.loc[under["policy"].isin(ruled)].reset_index(drop=True)
        if len(frame):
            priced = price(
                frame, facts.windows, policies, label, until, cohorts=cohorts, measurements=facts.measurements,
                exclusions=facts.exclusions,
            )  # fmt: skip
            found += [{"period": label, **row} for row in rows(totals(priced))]
    return tuple(found)


def _percent(rate: Fraction) -> str:
    """Return a part of the fee as a percentage: exact where that ends, else with as many places as an availability."""
    try:
        return decimal_text(rate * 100)
    except ValueError:
        return percent_text(rate)


def stages(entries: Sequence[Entry], cut: Cut = Cut()) -> list[Stage]:
    """Return the notice of an incident after each of its revisions that a cut shows, in position order.

    Each stage shows what the ledger held right after that change, and of it what had been published by the cut. So the last
    stage is the notice under the cut.
    """
    reader = Reader(entries)
    shown = {one.entry.version: one for one in reader.at(cut).seen}
    publishers = _publishers(entries)
    told_by: dict[int, list[Told]] = {}
    for version, one in shown.items():
        number = reader.numbers.get(publishers.get(version, version))
        if number is not None:
            told_by.setdefault(number, []).append(one)
    drawn: dict[str, DrawnWindow] = {}
    found = []
    shown_revisions = [one for one in reader.revisions if one.number in told_by]
    # A cut between the entries of one change shows the first of them.
    lasts = [min(one.last_position, cut.recorded_by or one.last_position) for one in shown_revisions]
    for revision, at in zip(shown_revisions, reader.follow(cut.published_by, lasts), strict=True):
        drawn = _redrawn(drawn, at.windows, revision.number)
        found.append(
            Stage(
                revision=revision.number,
                reading=at,
                as_of=_as_of(at),
                entries=tuple(told_by[revision.number]),
                windows=tuple(sorted(drawn.values(), key=lambda one: (one.window.start, one.window.window))),
            )
        )
    return found


def _publishers(entries: Sequence[Entry]) -> dict[int, int]:
    """Return by the version of an internal entry that of the entry which published it."""
    return {
        int(entry.event.publishes): entry.version
        for entry in entries
        if isinstance(entry.event, EntryPublished)
    }


def _as_of(at: Reading) -> str:
    """Return the earlier of the published cut and the time its last entry was recorded."""
    last = at.entries[-1].recorded_at
    return min(last, at.cut.published_by or last)


def _redrawn(before: dict[str, DrawnWindow], now: Iterable[Window], revision: int) -> dict[str, DrawnWindow]:
    """Return the windows of a stage, each with the states it had at earlier ones."""
    found: dict[str, DrawnWindow] = {}
    for window in now:
        known = before.get(window.window)
        if known is None:
            found[window.window] = DrawnWindow(window, revision, ())
        elif known.window is window:
            found[window.window] = known
        elif _drawn_as(known.window) == _drawn_as(window):
            found[window.window] = msgspec.structs.replace(known, window=window)
        else:
            ghost = Ghost(known.window, known.said_in, revision)
            found[window.window] = DrawnWindow(window, revision, (*known.ghosts, ghost))
    return found


def _drawn_as(window: Window) -> Window:
    """Return a window as it is drawn: without what it rests on, its incident's sets only where it stands for them."""
    every = window.region in (EVERY, UNKNOWN), window.component in (EVERY, UNKNOWN)
    return msgspec.structs.replace(
        window,
        entries=(),
        regions=window.regions if every[0] else (),
        components=window.components if every[1] else (),
    )
