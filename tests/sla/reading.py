"""Facts read into questions under terms that read all there is, for cases written by hand; June 2022 is asked about."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from ledger.domain.period import parse_period
from ledger.domain.policy.grammar import MEASURED
from ledger.domain.policy.model import (
    Commitment,
    Counting,
    Credit,
    ExclusionRule,
    Measure,
    PeriodRule,
    Policy,
    Scope,
    Termination,
    Tier,
)
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.evaluation.requests import Question, question

F = Fraction
NOW = 1_700_000_000
COMMITMENT = Commitment("uptime", Measure(reads=MEASURED), Counting(frozenset({"outage"})), Scope(), ())
POLICY = Policy(
    "p", "P", "2020-01-01", 2, PeriodRule("calendar-month", "UTC"), (COMMITMENT,),
    (ExclusionRule(frozenset({"planned-maintenance"})),), Credit(), "half-up", "",
    termination=(Termination(Tier(F(0), True, F(1, 2), False, F(0), "availability below 50%")),),
)  # fmt: skip
# 10 June 2022, 00:00:00 UTC
TENTH = 1_654_819_200
START, END = "2022-06-10T00:00:00Z", "2022-06-10T01:00:00Z"
APRIL, MAY, JUNE = (parse_period(f"2022-0{month}") for month in (4, 5, 6))


def policy(**changed: Any) -> Policy:
    """Return the terms with some fields changed."""
    found: Policy = msgspec.structs.replace(POLICY, **changed)
    return found


def read(of: Policy = POLICY, **facts: Any) -> Question:
    """Return the question that facts are read into."""
    return question(of, facts, NOW)


def problems(of: Policy = POLICY, **facts: Any) -> tuple[str, ...]:
    """Return the sentences with which facts are refused."""
    with pytest.raises(Refused) as refused:
        question(of, facts, NOW)
    assert str(refused.value) == "; ".join(refused.value.problems)
    return refused.value.problems


def window(**changed: Any) -> Window:
    """Return what a window of the first hour of the tenth is read into that says nothing else."""
    made = Window("incident-1", "window-1", "service", "*", "*", TENTH, TENTH + 3_600, "outage")
    found: Window = msgspec.structs.replace(made, **changed)
    return found
