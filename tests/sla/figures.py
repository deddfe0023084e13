"""Figures of one commitment, for cases counted by hand: facts in a line each, and what they come to.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.period import Period
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Scope,
    Tier,
)
from ledger.domain.window import Window
from projections.evaluation.evidence import Evidence
from projections.evaluation.measures import figure
from tests.sla.timelines import OUTAGE, PERIOD, Fact

F = Fraction
EXCLUDED = ExclusionRule(frozenset({"planned-maintenance"}))
REMOVED = ExclusionRule(frozenset({"planned-maintenance"}), treated="removed")
TIME = Measure()
AVAILABLE, GONE, DOWN = (Measure(missing=missing) for missing in ("available", "excluded", "down"))
MESSAGES = Measure("messages", ("messages",))
INCIDENTS, OUTAGES = Measure("events"), Measure("events", counts="outages")
RATE = Measure("error-rate", ("requests",), bucket_seconds=100)


def window(start: int, end: int | None, **changed: Any) -> Window:
    """Return an outage of all of the mail service in A."""
    made = Window("i", "w", "mail", "*", "A", start, end, "outage", entries=("incident/i v1",))
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def measured(
    start: int, end: int, failed: int | None, total: int | None, name: str = "m", **changed: Any
) -> Measurement:
    """Return how many messages of the mail service in A failed."""
    made = Measurement(
        "i", name, "mail", "*", "A", start, end, "messages", total, failed, entries=(f"incident/{name} v1",)
    )
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def made(
    measure: Measure,
    *facts: Fact,
    counting: Counting = OUTAGE,
    scope: Scope | None = None,
    tiers: tuple[Tier, ...] = (),
    rules: tuple[ExclusionRule, ...] = (),
    length: Fraction | None = None,
    part: Any = "whole",
    period: Period = PERIOD,
    **evidence: Any,
) -> Any:
    """Make a figure; it is any value here, so that whole numbers can be written as such."""
    commitment = Commitment("c", measure, counting, scope or Scope(), tiers)
    policy = Policy(
        "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC", length_seconds=length, part=part), (commitment,), rules,
        Credit(), "half-up", "",
    )  # fmt: skip
    of: dict[Any, Any] = {
        kind: tuple(one for one in facts if isinstance(one, kind))
        for kind in (Window, Measurement, Exclusion)
    }
    asked = Evidence(
        "mail", "A", period, 1_500, windows=of[Window], measurements=of[Measurement], exclusions=of[Exclusion], **evidence
    )  # fmt: skip
    found = figure(policy, commitment, asked)
    assert found.commitment is commitment
    return found


def fields(of: Any) -> dict[str, Any]:
    """A figure without its terms, and without what is empty."""
    return {
        name: value for name, value in msgspec.structs.asdict(of).items() if name != "commitment" and value not in ((), frozenset(), False, 0)
    }  # fmt: skip


def bounds(of: Any) -> Any:
    """Return the availability, or the value, at least and at most."""
    return of.low, of.high
