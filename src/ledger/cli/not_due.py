"""Subscriptions that a run of a month leaves out, since the period of their policy, such as a quarter, ends in a later month."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from ledger.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ledger.cli.facts import Table
    from ledger.domain.period import Period
    from ledger.domain.policy import Policy

__all__ = ["NotDue", "counted_not_due", "counted_valid", "not_due_at", "not_due_words", "say_not_due"]


def counted_valid(subscriptions: pd.DataFrame, first: np.datetime64, past: np.datetime64) -> int:
    """Return how many rows of a table (`valid_from`, `valid_to`) are valid on any day from `first` on and before `past`."""
    begun = subscriptions["valid_from"].to_numpy() < past
    # NaT compares as false: no end is later than any day.
    return int((begun & ~(subscriptions["valid_to"].to_numpy() <= first)).sum())


class NotDue(msgspec.Struct):
    """A policy that has no period ending in a month: the period that is running then, and how many have no row for it.

    versions: where they hold for a term, those whose terms rule something else are others' business.
    """

    policy: str
    period: Period
    subscriptions: int = 0
    month: str = ""
    versions: Sequence[tuple[int, Any]] = ()

    @property
    def ends_in(self) -> str:
        """The month in whose run the period is priced."""
        from ledger.domain.period import day_of

        return day_of(self.period.zone, self.period.end - 1)[:7]

    def count(self, part: pd.DataFrame) -> None:
        """Count the subscriptions of a part of a table that are valid on any day of the period."""
        import numpy as np

        from ledger.domain.period import days

        first = np.datetime64(self.period.first_day, "D")
        past = first + np.timedelta64(len(days(self.period)), "D")
        mine = part.loc[(part["policy"] == self.policy).to_numpy(), ["valid_from", "valid_to"]]
        if self.versions:
            begun = mine["valid_from"].to_numpy().astype("datetime64[D]")
            waiting = [
                day
                for day in np.unique(begun)
                if _running(self.versions, self.month, str(day)) == self.period
            ]
            mine = mine.loc[np.isin(begun, waiting)]
        self.subscriptions += counted_valid(mine, first, past)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs (contract in docs/json.md)."""
        return {
            "policy": self.policy, "period": self.period.label, "ends_in": self.ends_in,
            "subscriptions": self.subscriptions,
        }  # fmt: skip


def not_due_at(policies: Mapping[str, Sequence[tuple[int, Policy]]], label: str) -> list[NotDue]:
    """Return the policies that are in force in a month and have no period that ends in it; none where a label is no month.

    Of a policy whose versions hold for a term that may be so for some of the terms only.
    """
    from ledger.domain.period import parse_period
    from ledger.domain.policy.periods import label_is_month, period_holding

    if not label_is_month(label):
        return []
    found = []
    for key, versions in sorted(policies.items()):
        if all(policy.version.rule == "in-force" for _, policy in versions):
            period = _running(versions, label)
            found += [] if period is None else [NotDue(key, period)]
            continue
        # Whichever of the versions rules a term, it is one of these periods that is running; the count tells for whom.
        running = (
            period_holding(policy.period, parse_period(label, policy.zone).end - 1) for _, policy in versions
        )
        found += [NotDue(key, period, month=label, versions=versions) for period in dict.fromkeys(running)]
    return found


def _running(
    versions: Sequence[tuple[int, Policy]], label: str, term_start: str | None = None
) -> Period | None:
    """Return the period that is running at the end of a month, None where one ends in it, or no version is in force."""
    from ledger.domain.period import parse_period
    from ledger.domain.policy.in_force import policy_in_force
    from ledger.domain.policy.periods import period_holding, ruling_period

    try:
        if ruling_period(versions, label, term_start) is not None:
            return None
        _, policy = policy_in_force(versions, parse_period(label), term_start)
    except Refused:
        # Not in force: whoever asks for a row under it is refused with a sentence.
        return None
    return period_holding(policy.period, parse_period(label, policy.zone).end - 1)


def counted_not_due(
    policies: Mapping[str, Sequence[tuple[int, Policy]]], label: str, tables: Callable[[], Iterable[Table]]
) -> list[NotDue]:
    """Return the policies that are not due in a month with their subscriptions; tables are read only where there are any."""
    waiting = not_due_at(policies, label)
    for table in tables() if waiting else ():
        for part in table.parts():
            for late in waiting:
                late.count(part)
    return waiting


def not_due_words(waiting: Iterable[NotDue]) -> str:
    """Return in words how many subscriptions have no row in a month, and when theirs is due; "" where all have."""
    return "; ".join(
        f"{one.subscriptions:,} under {one.policy}, whose period {one.period.label} ends in {one.ends_in}"
        for one in waiting
        if one.subscriptions
    )


def say_not_due(label: str, waiting: Iterable[NotDue]) -> None:
    """Say once on standard error how many subscriptions have no row in a month, and when theirs is due."""
    if told := not_due_words(waiting):
        click.echo(f"note: subscriptions without a row in {label}: {told}", err=True)
