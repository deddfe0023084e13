"""A thousand seconds asked about as the calculator reads them, for cases counted by hand: facts in a line each, and their timeline.

The period lasts from second 1,000 to second 2,000; the mail service is asked about in region A, and it is second 1,500 now.
"""

from __future__ import annotations

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
)
from ledger.domain.window import Window
from projections.evaluation.evidence import Evidence
from projections.evaluation.timeline import timeline

MIDNIGHT = 86_400
PERIOD = Period("p", "span", "UTC", 1_000, 2_000, "1970-01-01")
OUTAGE = Counting(frozenset({"outage", "delay"}))
TIME, SHARE, USERS = Measure(), Measure("affected-share"), Measure("user-minutes")
READS = Measure(reads=("requests",))
EXCLUDED = (ExclusionRule(frozenset({"planned-maintenance"})),)
Fact = Window | Measurement | Exclusion


def window(start: int = 1_100, end: int | None = 1_200, name: str = "w", **changed: Any) -> Window:
    """Return an outage of all of the mail service in A, which rests on the first entry of an incident of its name."""
    made = Window("i", name, "mail", "*", "A", start, end, "outage", entries=(f"incident/{name} v1",))
    found: Window = msgspec.structs.replace(made, **changed)
    return found


def requests(start: int, end: int, failed: int | None, total: int | None, **changed: Any) -> Measurement:
    """Return how many requests of the mail service in A failed."""
    made = Measurement(
        "i", "m", "mail", "*", "A", start, end, "requests", total, failed, entries=("incident/m v1",)
    )
    found: Measurement = msgspec.structs.replace(made, **changed)
    return found


def off(start: int = 1_100, end: int = 1_200, name: str = "x", **changed: Any) -> Exclusion:
    """Return planned maintenance of all of the mail service everywhere, which rests on the first entry of its own."""
    made = Exclusion(
        name, "planned-maintenance", "mail", "*", "*", start, end, entries=(f"exclusion/{name} v1",)
    )
    found: Exclusion = msgspec.structs.replace(made, **changed)
    return found


def line(
    *facts: Fact,
    measure: Measure = TIME,
    counting: Counting = OUTAGE,
    scope: Scope | None = None,
    rules: tuple[ExclusionRule, ...] = EXCLUDED,
    zone: str = "UTC",
    **evidence: Any,
) -> Any:
    """Return the timeline of some facts; it is any value here, so that whole numbers can be written as such.

    evidence: what else is asked about or known, as the fields of `Evidence`: period, valid, observed, memberships.
    """
    commitment = Commitment("c", measure, counting, scope or Scope(), ())
    policy = Policy(
        "p",
        "P",
        "2020-01-01",
        2,
        PeriodRule("calendar-month", zone),
        (commitment,),
        rules,
        Credit(),
        "half-up",
        "",
    )
    of: dict[Any, Any] = {
        kind: tuple(one for one in facts if isinstance(one, kind))
        for kind in (Window, Measurement, Exclusion)
    }
    asked = Evidence(
        "mail", "A", evidence.pop("period", PERIOD), 1_500, windows=of[Window], measurements=of[Measurement],
        exclusions=of[Exclusion], **evidence,
    )  # fmt: skip
    return timeline(policy, commitment, asked)


def bounds(of: Any) -> Any:
    """Return the seconds that count at least, and at most."""
    return of.least, of.most
