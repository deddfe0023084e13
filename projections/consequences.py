"""Consequences: what the impact windows of one incident come to, in downtime and under policies; and its stages.

`consequences` answers for the windows under one cut: per service, region and month touched the downtime as a fact, and
for each policy what it makes of it. The figures are those of `projections.downtime` and `projections.availability`; nothing
is computed twice. They are of the windows given: an incident alone, unless the windows of others are given beside it.

`stages` walks a notice revision by revision in position order; a window that was revised or withdrawn keeps its
earlier states beside the present one, so that a reader sees what was said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.documents import signed_minor_units
from ledger.domain.events import EntryPublished
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import from_seconds, seconds
from ledger.domain.interval import union
from ledger.domain.measurement import Measurement
from ledger.domain.money import decimal_text, format_money
from ledger.domain.period import Period, day_of, parse_period
from ledger.domain.policy import Policy
from ledger.domain.policy.model import PeriodRule
from ledger.domain.policy.periods import following, period_ending_in, period_holding, ruling_period
from ledger.domain.window import EVERY, UNKNOWN, Window
from ledger.errors import Refused
from ledger.store.stream import Entry
from projections.availability import Assessment, assess, exact_text, percent_text, seconds_value
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
    "Consequence", "Consequences", "DrawnWindow", "Ghost", "PolicyOutcome", "Stage", "as_json", "consequences", "difference", "difference_text",
    "periods_touched", "places_touched", "stages",
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


def as_json(found: Consequences) -> dict[str, Any]:
    """Return consequences for programs (contract in docs/json.md)."""
    return {
        "as_of": found.as_of,
        "rows": [_row_json(row) for row in found.rows],
        "totals": None if found.totals is None else list(found.totals),
    }


def _row_json(row: Consequence) -> dict[str, Any]:
    period = parse_period(row.period, row.zone)
    return {
        "service": row.service,
        "region": row.region,
        "period": row.period,
        "period_start": from_seconds(period.start),
        "period_end": from_seconds(period.end),
        "zone": row.zone,
        "downtime_seconds": row.downtime_seconds,
        "provisional": row.provisional,
        "approximate": row.approximate,
        "windows": list(row.windows),
        "policies": [_outcome_json(outcome) for outcome in row.outcomes],
    }


def _percent(rate: Fraction) -> str:
    """Return a part of the fee as a percentage: exact where that ends, else with as many places as an availability."""
    try:
        return decimal_text(rate * 100)
    except ValueError:
        return percent_text(rate)


def _outcome_json(outcome: PolicyOutcome) -> dict[str, Any]:
    made = outcome.assessment
    if made is None:
        return {
            "policy": outcome.policy, "policy_version": outcome.version, "period": outcome.period, "problem": outcome.problem,
        }  # fmt: skip
    least, most = outcome.credit_percent or (None, None)
    values, days = made.value or (None, None), made.service_days or (None, None)
    # A measure that makes a value has no availability.
    parts = (None, None) if made.value else (made.availability_at_least, made.availability_at_most)
    return {
        "policy": outcome.policy,
        "policy_version": outcome.version,
        "period": outcome.period,
        "problem": None,
        "downtime_seconds": made.downtime_seconds,
        "excluded_seconds": made.excluded_seconds,
        "eligible_downtime_seconds_at_least": seconds_value(made.eligible_at_least),
        "eligible_downtime_seconds_at_most": seconds_value(made.eligible_at_most),
        "period_seconds": made.period_seconds,
        "availability_at_least": _text(parts[0], percent_text),
        "availability_at_most": _text(parts[1], percent_text),
        "value_at_least": _text(values[0], exact_text),
        "value_at_most": _text(values[1], exact_text),
        "credit_percent_at_least": least,
        "credit_percent_at_most": most,
        "service_days_at_least": _text(days[0], exact_text),
        "service_days_at_most": _text(days[1], exact_text),
        "termination": made.termination,
        "rule": made.rule,
        "provisional": made.provisional,
        "approximate": made.approximate,
        "entries": list(made.entries),
    }


def _text(value: Fraction | None, spelled: Callable[[Fraction], str]) -> str | None:
    return None if value is None else spelled(value)


def difference(before: Consequences, after: Consequences) -> dict[str, Any]:
    """Return two consequences side by side, for programs (contract in docs/json.md).

    Both are for the same months, places and policies, and to the same instant: that an open window lasted longer in the
    meantime is no change of the notice.
    """
    if before.as_of != after.as_of:
        raise ValueError(
            f"as of {before.as_of} and {after.as_of} cannot be compared; take one instant for both"
        )
    return {
        "as_of": after.as_of,
        "consequences": [_row_difference(was, now) for was, now in zip(before.rows, after.rows, strict=True)],
        "totals": None
        if before.totals is None or after.totals is None
        else _totals_difference(before.totals, after.totals),
    }


def _row_difference(was: Consequence, now: Consequence) -> dict[str, Any]:
    return {
        "service": now.service,
        "region": now.region,
        "period": now.period,
        "zone": now.zone,
        "downtime_seconds_before": was.downtime_seconds,
        "downtime_seconds_after": now.downtime_seconds,
        "downtime_seconds_delta": now.downtime_seconds - was.downtime_seconds,
        "provisional": was.provisional or now.provisional,
        "approximate": was.approximate or now.approximate,
        "policies": [
            {
                "policy": new["policy"],
                "policy_version": new["policy_version"],
                "period": new["period"],
                "problem": new["problem"],
                "changed": one.comes_to != other.comes_to,
                **{
                    _beside(name, side): values.get(name)
                    for name in _COMPARED
                    for side, values in (("before", old), ("after", new))
                },
            }
            for one, other in zip(was.outcomes, now.outcomes, strict=True)
            for old, new in ((_outcome_json(one), _outcome_json(other)),)
        ],
    }


# What is told of both sides; a null stands where the policy was not in force.
_COMPARED = (
    "downtime_seconds", "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "availability_at_least",
    "availability_at_most", "value_at_least", "value_at_most", "credit_percent_at_least", "credit_percent_at_most",
    "service_days_at_least", "service_days_at_most", "termination", "rule",
)  # fmt: skip


def _beside(name: str, side: str) -> str:
    """Return the name of a figure on a side: "credit_percent_before_at_least"."""
    for bound in ("_at_least", "_at_most"):
        if name.endswith(bound):
            return f"{name.removesuffix(bound)}_{side}{bound}"
    return f"{name}_{side}"


def _totals_difference(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the totals of both sides by period and currency; delta is null where a side is undecided."""
    old = {(row["period"], row["currency"]): row for row in before}
    new = {(row["period"], row["currency"]): row for row in after}
    found = []
    for period, currency in sorted({*old, *new}):
        was, now = old.get((period, currency), {}), new.get((period, currency), {})
        delta = None
        if was.get("credit") is not None and now.get("credit") is not None:
            was_paid, pays = (signed_minor_units("credit", one["credit"], currency) for one in (was, now))
            delta = format_money(pays - was_paid, currency)
        found.append(
            {
                "period": period,
                "currency": currency,
                "subscriptions": now.get("subscriptions", was.get("subscriptions")),
                **{
                    _beside(name, side): row.get(name)
                    for name in ("credit", "credit_at_least", "credit_at_most")
                    for side, row in (("before", was), ("after", now))
                },
                "delta": delta,
            }
        )
    return found


def difference_text(before: Consequences, after: Consequences, *, unchanged: bool = False) -> list[str]:
    """Return what differs between two consequences for people, line by line; nothing where nothing does.

    unchanged: also what is the same on both sides, with its figures, for who asked what it comes to.
    """
    found = difference(before, after)
    lines: list[str] = []
    moved = False
    for row in found["consequences"]:
        is_moved = row["downtime_seconds_delta"] != 0 or any(one["changed"] for one in row["policies"])
        if is_moved or unchanged:
            moved |= is_moved
            lines += _place_lines(row)
    for total in found["totals"] or ():
        is_moved = any(total[_beside(name, "before")] != total[_beside(name, "after")] for name in _CREDIT)
        if is_moved or unchanged:
            moved |= is_moved
            lines.append(_total_line(total, is_moved))
    if moved or not unchanged:
        return lines
    return [
        "the same on both sides" if lines else "the same on both sides: no impact window, so no downtime",
        *lines,
    ]


def _place_lines(row: dict[str, Any]) -> list[str]:
    """Return the downtime of a place and month on both sides, and what each policy makes of it."""
    was, now, delta = (row[f"downtime_seconds_{name}"] for name in ("before", "after", "delta"))
    seconds_of = f"{was:,} s -> {now:,} s ({delta:+,})" if delta else f"{now:,} s, no change"
    marks = [name for name in ("provisional", "approximate") if row[name]]
    line = f"{row['period']}  {row['service']}, {row['region']}: downtime {seconds_of}"
    return [
        line + (f"  [{', '.join(marks)}]" if marks else ""),
        *(f"  {_policy_line(one)}" for one in row["policies"]),
    ]


def _total_line(total: dict[str, Any], is_moved: bool) -> str:
    was, now = (_bounds(total, "credit", side, "") for side in ("before", "after"))
    head = f"{total['period']}  credits in {total['currency']}:"
    if not is_moved:
        return f"{head} {now}, no change"
    change = "" if total["delta"] is None else f" ({Decimal(total['delta']):+})"
    return f"{head} {was} -> {now}{change}"


_CREDIT = ("credit", "credit_at_least", "credit_at_most")


def _policy_line(one: dict[str, Any]) -> str:
    """Return what a policy makes of both sides."""
    if one["problem"] is not None:
        return str(one["problem"])
    version = f"v{one['policy_version']}" if one["policy_version"] else "(not published)"
    sides = ("before", "after")
    measured = (
        "value" if any(one[_beside("value_at_least", side)] is not None for side in sides) else "availability"
    )
    was, now = (_bounds(one, measured, side, "%" if measured == "availability" else "") for side in sides)
    paid, pays = (_bounds(one, "credit_percent", side, "%") for side in sides)
    # Where no part of the fee says it, such as a fixed sum or a floor, the rule does, and --amounts the money.
    parts = [one[_beside("credit_percent_at_least", side)] is not None for side in sides]
    old, new = (
        f"credit {text} of fee" if part else one[f"rule_{side}"]
        for text, side, part in zip((paid, pays), sides, parts, strict=True)
    )
    days, gives = (_bounds(one, "service_days", side, "") for side in sides)
    in_days = any(one[_beside("service_days_at_least", side)] is not None for side in sides)
    if not one["changed"]:
        more = f", {gives} days of service" if in_days else ""
        return f"{one['policy']} {version}: no change, {measured} {now}, {new}{more}"
    # The rule may be the same, and pay more: for each block, say.
    changed_rule = new if old == new else f"{old} -> {new}"
    change = f"credit {paid} -> {pays} of fee" if all(parts) else changed_rule
    if in_days:
        change += f", {days} -> {gives} days of service"
    if one["termination_before"] != one["termination_after"]:
        ended = ({None: "undecided", True: "yes", False: "no"}[one[f"termination_{side}"]] for side in sides)
        change += f", may be ended: {' -> '.join(ended)}"
    return f"{one['policy']} {version}: {measured} {was} -> {now}, {change}"


def _bounds(values: dict[str, Any], name: str, side: str, unit: str) -> str:
    least, most = values[f"{name}_{side}_at_least"], values[f"{name}_{side}_at_most"]
    if least is None:
        return "nothing"
    if name == "availability":
        least, most = (value.rstrip("0").rstrip(".") for value in (least, most))
    return f"{least}{unit}" if least == most else f"{least}{unit} to {most}{unit}"


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
