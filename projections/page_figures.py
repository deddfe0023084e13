"""The figures of the replay page: downtime, availability and credit as text, and what they were a revision before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from projections.availability import exact_text, percent_text
from projections.consequences import Consequence, Consequences, PolicyOutcome

__all__ = ["Figure", "PagePolicy", "Total", "duration", "figures", "totals"]


class PagePolicy(msgspec.Struct, frozen=True):
    """What one policy makes of a region: percentages as text; problem: why it says nothing.

    availability: or the value, of a measure that makes one.
    """

    policy: str
    version: int | None
    availability: str
    credit: str
    rule: str
    changed: bool
    problem: str | None


class Figure(msgspec.Struct, frozen=True):
    """The figures of a service and region in a month; before: downtime at the revision before, where it was another."""

    service: str
    region: str
    period: str
    zone: str
    downtime_seconds: int
    before: int | None
    provisional: bool
    approximate: bool
    policies: tuple[PagePolicy, ...]


class Total(msgspec.Struct, frozen=True):
    """The credits of a month in a currency, as decimal text; before: at the revision before, where that was another."""

    period: str
    currency: str
    subscriptions: int
    fee: str
    credit: str
    before: str | None


def figures(before: Consequences | None, now: Consequences) -> Iterable[Figure]:
    """Yield the figures of each service, region and month that counts; before: those of the stage before, to the same instant."""
    old = {} if before is None else {_place(row): row for row in before.rows}
    counted = months_counted(before, now)
    for row in now.rows:
        if row.period not in counted:
            continue
        was = old.get(_place(row), row)
        policies = {one.policy: one for one in was.outcomes}
        yield Figure(
            row.service,
            row.region,
            row.period,
            row.zone,
            row.downtime_seconds,
            None if was.downtime_seconds == row.downtime_seconds else was.downtime_seconds,
            row.provisional,
            row.approximate,
            tuple(_policy(one, policies.get(one.policy)) for one in row.outcomes),
        )


def months_counted(before: Consequences | None, now: Consequences) -> frozenset[str]:
    """Return the months in which a window counts, or a policy counts downtime, now or at the stage before."""
    return frozenset(
        row.period
        for side in (before, now)
        if side is not None
        for row in side.rows
        if row.windows
        or any(one.assessment is not None and one.assessment.downtime_seconds for one in row.outcomes)
    )


def totals(before: Consequences | None, now: Consequences) -> Iterable[Total]:
    """Yield the credits of each month that counts and each currency, where subscriptions were priced."""
    counted = months_counted(before, now)
    old = {} if before is None else {(row["period"], row["currency"]): row for row in before.totals or ()}
    for row in now.totals or ():
        if row["period"] not in counted:
            continue
        was = old.get((row["period"], row["currency"]), row)
        credit, credited = _money(row), _money(was)
        yield Total(
            row["period"], row["currency"], row["subscriptions"], row["fee"], credit,
            None if credit == credited else credited,
        )  # fmt: skip


def _money(row: Mapping[str, Any]) -> str:
    if row["credit"] is not None:
        return str(row["credit"])
    return f"{row['credit_at_least']} to {row['credit_at_most']}"


def _place(row: Consequence) -> tuple[str, str, str]:
    return row.service, row.region, row.period


def _policy(one: PolicyOutcome, before: PolicyOutcome | None = None) -> PagePolicy:
    made = one.assessment
    if made is None:
        return PagePolicy(one.policy, None, "", "", "", changed=False, problem=one.problem)
    if made.value is None:
        measured = _bounds(
            percent_text(made.availability_at_least), percent_text(made.availability_at_most), "%"
        )
    else:
        measured = f"value {_bounds(*map(exact_text, made.value))}"
    paid = one.credit_percent
    credit = "as its rule says" if paid is None else _bounds(*paid, "%")
    changed = before is not None and before.comes_to != one.comes_to
    return PagePolicy(one.policy, one.version, measured, credit, made.rule, changed, None)


def _bounds(least: str, most: str, unit: str = "") -> str:
    return f"{least}{unit}" if least == most else f"{least}{unit} to {most}{unit}"


def duration(seconds: int) -> str:
    """Return seconds as people say them: `7 h 59 min`; nothing is rounded."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts) or "none"
