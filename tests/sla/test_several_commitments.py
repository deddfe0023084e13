"""Plain figures under a policy of several commitments: each takes the kind it measures, and none is left out or made up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from ledger.errors import Refused
from projections.evaluation.answers import answer
from projections.evaluation.evidence import Plain
from projections.evaluation.requests import question

_TIME = """
[[commitments]]
name = "up"
[commitments.measure]
of = "time"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99.9"
credit_percent = "10"
"""
_LATENCY = """
[[commitments]]
name = "speed"
[commitments.measure]
of = "latency"
statistic = "p95"
[[commitments.tiers]]
value_at_most = "60"
credit_percent = "0"
[[commitments.tiers]]
value_above = "60"
credit_percent = "25"
"""
_ERRORS = """
[[commitments]]
name = "{name}"
[commitments.measure]
of = "{of}"
{bucket}
[[commitments.tiers]]
availability_at_least = "99"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99"
credit_percent = "40"
"""
_RATES = _ERRORS.format(name="errors", of="error-rate", bucket='bucket = "5 minutes"')
_RUNS = _ERRORS.format(name="runs", of="executions", bucket="")
_DAYS = _LATENCY.replace("speed", "days").replace(
    'of = "latency"\nstatistic = "p95"',
    'of = "consecutive-days"\nreads = ["messages"]\n[commitments.counting]\nshare_above = "0.5"',
)
_COUNTED = _LATENCY.replace("speed", "incidents").replace(
    'of = "latency"\nstatistic = "p95"', 'of = "events"\n[commitments.counting]\neffects = ["outage"]'
)
_SENT = _ERRORS.format(name="sent", of="messages", bucket="")


def several(commitments: str) -> str:
    return (
        'format = 2\npolicy = "several"\nin_force_from = 2021-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'{commitments}[stacking]\ncommitments = "sum"\n[credit]\nrounding = "half-even"\n'
    )


def asked(commitments: str, **facts: Any) -> dict[str, Any]:
    return answer(
        parse_policy(several(commitments)),
        {"period": "2022-03", "fee": "1000.00", "currency": "USD", **facts},
        0,
    )


@pytest.mark.parametrize(
    ("commitments", "facts", "credit"),
    [
        # 180 of 44,640 minutes are more than 0.1% of the month: 10%; 61 s is above 60 s: 25%; they add up.
        (_TIME + _LATENCY, {"downtime_minutes": "180", "value": "61"}, "350.00"),
        (_TIME + _LATENCY, {"downtime_minutes": "0", "value": "61"}, "250.00"),
        (_TIME + _LATENCY, {"downtime_minutes": "180", "value": "60"}, "100.00"),
        # An availability fits both, as it did before; counts are for what counts.
        (_TIME + _RUNS, {"availability": "98"}, "500.00"),
        (_TIME + _RUNS, {"downtime_minutes": "0", "failed": 2, "total": 100}, "400.00"),
        (_TIME + _RUNS, {"availability": "99.5", "failed": 0, "total": 100}, "100.00"),
        # 100 of 8,928 buckets failed whole: 1.12%; 1 of 100 requests is 99% as promised.
        (_TIME + _RATES, {"downtime_minutes": "0", "error_rates": [{"rate": "1", "buckets": 100}]}, "400.00"),
        (_TIME + _RATES, {"downtime_minutes": "180", "failed": 1, "total": 100}, "100.00"),
        # 500 of 44,640 minutes are 1.12% down for both.
        (_TIME + _RATES, {"downtime_minutes": "500"}, "500.00"),
        # Each has one of its own here, and what is stated for another one leaves it as it is: 98% or 99.5% up is 10%.
        (_TIME + _RUNS, {"availability": "98", "failed": 0, "total": 100}, "100.00"),
        (_TIME + _SENT, {"downtime_minutes": "0", "failed": 2, "total": 100}, "400.00"),
        (_TIME + _RATES, {"availability": "98", "failed": 0, "total": 100}, "100.00"),
        (_TIME + _RATES, {"availability": "99.5", "error_rates": [{"rate": "1", "buckets": 100}]}, "500.00"),
        (_LATENCY + _RUNS, {"value": "61", "failed": 2, "total": 100}, "650.00"),
        (_LATENCY + _RATES, {"value": "61", "error_rates": [{"rate": "1", "buckets": 100}]}, "650.00"),
        # 61 days are in no month; 180 minutes are more than 0.1% of a quarter, too.
        (_TIME + _DAYS, {"period": {"start": "2022-01-01T00:00:00Z", "end": "2022-04-01T00:00:00Z"}, "downtime_minutes": "180", "value": "61"}, "350.00"),
        (_TIME + _COUNTED, {"downtime_minutes": "180", "value": "61"}, "350.00"),
        (_RUNS + _RATES, {"failed": 0, "total": 100, "error_rates": [{"rate": "1", "buckets": 100}]}, "400.00"),
    ],
)  # fmt: skip
def test_each_commitment_takes_its_own(commitments: str, facts: dict[str, Any], credit: str) -> None:
    assert asked(commitments, **facts)["credit"] == credit


def test_periods_before_may_state_each_kind_as_well() -> None:
    ends = '[[termination]]\navailability_below = "99"\ncommitment = "up"\n'
    policy = parse_policy(several(_TIME + _LATENCY) + ends)
    facts = {"downtime_minutes": "0", "value": "60"}
    found = question(
        policy, {"period": "2022-03", **facts, "earlier": [{"downtime_minutes": "3", "value": "61"}]}, 0
    )
    assert [plain for _, plain in found.earlier] == [
        Plain(downtime=(Fraction(180), Fraction(180)), value=(Fraction(61), Fraction(61))),
    ]


@pytest.mark.parametrize(
    ("commitments", "facts", "said"),
    [
        (_TIME + _LATENCY, {"value": "61"},
         "the commitment up measures time, and the facts state nothing of it; add downtime, 0 where nothing failed"),
        (_TIME + _LATENCY, {"downtime_minutes": "1"},
         "the commitment speed measures latency, and the facts state nothing of it; add value, 0 where nothing failed"),
        (_TIME + _RUNS, {"failed": 1, "total": 2},
         "the commitment up measures time, and the facts state nothing of it; add downtime, 0 where nothing failed"),
        (_TIME + _RUNS, {"downtime_minutes": "1"},
         "the commitment runs measures executions, and the facts state nothing of it; add failed and total, 0 where nothing failed"),
        (_TIME + _LATENCY, {"downtime_minutes": "1", "value": "61", "failed": 1, "total": 2},
         "failed and total: nothing of the kind is measured by a policy of latency and time; leave it out"),
        (_TIME + _RUNS, {"downtime_minutes": "1", "value": "61", "failed": 1, "total": 2},
         "value: nothing of the kind is measured by a policy of executions and time; leave it out"),
        (_TIME + _RUNS, {"error_rates": [{"rate": "1", "buckets": 1}], "availability": "99"},
         "error_rates: nothing of the kind is measured by a policy of executions and time; leave it out"),
        (_TIME + _LATENCY + _LATENCY.replace("speed", "reply"), {"downtime_minutes": "1", "value": "61"},
         "value may be that of speed or of reply; state measurements instead of plain figures"),
        (_TIME + _LATENCY + _LATENCY.replace("speed", "reply") + _LATENCY.replace("speed", "search"), {"downtime_minutes": "1", "value": "61"},
         "value may be that of speed or of reply or search; state measurements instead of plain figures"),
        (_TIME + _RUNS, {"outages": [{"minutes": "1"}]},
         "the commitment runs measures executions, and the facts state nothing of it; add failed and total, 0 where nothing failed"),
        (_RUNS + _RATES, {"error_rates": [{"rate": "1", "buckets": 1}]},
         "the commitment runs measures executions, and the facts state nothing of it; add failed and total, 0 where nothing failed"),
        (_RATES + _LATENCY, {"value": "61"},
         "the commitment errors measures error-rate, and the facts state nothing of it; add error_rates, 0 where nothing failed"),
        (_TIME + _LATENCY, {"downtime_minutes": "1", "availability": "99", "value": "61"},
         "downtime and availability state the same thing; leave all but one out"),
    ],
)  # fmt: skip
def test_nothing_is_left_out_or_made_up(commitments: str, facts: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(commitments, **facts)
    assert str(refused.value) == said
