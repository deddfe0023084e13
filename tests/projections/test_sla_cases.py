"""Published SLA cases that a policy of format 1 can state must give the credit that their source states.

The published cases lie beside the repository and are only read where they are; the project's own cases of the
same shape always run. Cases of other kinds (quarters, user minutes, latencies, days of service) are left out.
"""

from __future__ import annotations

import json
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.money import round_fraction
from ledger.domain.period import Period, parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.availability import assess
from tests.sla.published import NOT_HERE, published

Case = dict[str, Any]
OWN = Path(__file__).with_name("sla_cases.json")
KEYS = {
    "gte": "availability_at_least",
    "gt": "availability_above",
    "lte": "availability_at_most",
    "lt": "availability_below",
}
# A source's month of 30 days without a name is any month of 30 days.
SOME_MONTH_OF_30_DAYS = "2025-06"


def cases(path: Path) -> list[Case]:
    """The cases of a file that are plain minutes or percentages of uptime against tiers of percentages."""
    found: list[Case] = []
    loaded: list[Case] = json.loads(path.read_text(encoding="utf-8"))
    for case in loaded:
        inputs, expected = case["inputs"], case["expected"]
        policy = inputs.get("policy") or {}
        tables = [*inputs.get("policy_tables", {}).items()] or [
            (None, policy.get("tiers") or inputs.get("tiers"))
        ]
        pays = expected.get("credit_pct", expected.get("unrounded_credit_pct"))
        spans = inputs.get("down_utc")
        measured = "downtime_minutes" in inputs or "uptime_pct" in inputs or isinstance(spans, list)
        if (
            not measured
            or policy.get("metric", "uptime_pct") != "uptime_pct"
            or "remedy" in policy
            or not tables[0][1]
        ):
            continue
        if pays is None and "lint" not in expected:
            continue
        if "period" in inputs and month(inputs["period"]) is None:
            continue
        found += [
            {
                "id": case["id"] if name is None else f"{case['id']}-{name}",
                "tiers": tiers,
                "pays": pays[name] if isinstance(pays, dict) else pays,
                **inputs,
                **{
                    key: value
                    for key, value in expected.items()
                    if key in ("lint", "downtime_minutes", "credit_amount")
                },
            }
            for name, tiers in tables
        ]
    return found


def month(period: dict[str, Any]) -> Period | None:
    """The calendar month that a case speaks of, None if it is a longer time."""
    label = (period["start_local"] or SOME_MONTH_OF_30_DAYS)[:7]
    whole = parse_period(label, period["timezone"] or "UTC")
    return whole if whole.seconds == Fraction(period["total_minutes"]) * 60 else None


def instant(value: int | str) -> int:
    return value if isinstance(value, int) else int(datetime.fromisoformat(value).timestamp())


def policy_of(tiers: list[dict[str, str]]) -> Policy:
    """The tiers as a policy; where a source is silent, above the best or below the worst, nothing is paid."""
    text = 'format = 1\npolicy = "case"\nin_force_from = 2000-01-01\n'
    text += '[period]\nkind = "calendar-month"\nzone = "UTC"\n'
    text += '[counting]\neffects = ["outage"]\nwindows = "full"\nplanned = "excluded"\n'
    text += '[credit]\nof = "fee"\nrounding = "half-up"\n'
    complete = list(tiers)
    best = max(tiers, key=lambda tier: Fraction(tier.get("lt") or tier.get("lte") or "100"))
    worst = min(tiers, key=lambda tier: Fraction(tier.get("gte") or tier.get("gt") or "0"))
    if "lt" in best or "lte" in best:
        complete.append(
            {"gte": best["lt"], "credit": "0"} if "lt" in best else {"gt": best["lte"], "credit": "0"}
        )
    if "gte" in worst or "gt" in worst:
        complete.append(
            {"lt": worst["gte"], "credit": "0"} if "gte" in worst else {"lte": worst["gt"], "credit": "0"}
        )
    for tier in complete:
        text += "[[tiers]]\n" + "".join(f'{KEYS[key]} = "{tier[key]}"\n' for key in KEYS if key in tier)
        text += f'credit_percent = "{tier["credit"]}"\n'
    return parse_policy(text)


def check(case: Case) -> None:
    if case.get("lint"):
        with pytest.raises(Refused, match="leave a gap" if "gap" in case["lint"] else "overlap"):
            policy_of(case["tiers"])
        return
    policy = policy_of(case["tiers"])
    if "uptime_pct" in case and "period" not in case:
        uptime = Fraction(case["uptime_pct"]) / 100
        [percent] = [tier.credit_percent for tier in policy.tiers if tier.holds(uptime)]
    else:
        period = month(case["period"])
        assert period is not None
        # Sources write 4.166667 minutes for 250 seconds.
        seconds = round(Fraction(case["downtime_minutes"]) * 60) if "downtime_minutes" in case else None
        spans = case.get("down_utc") or [(period.start, period.start + (seconds or 0))]
        outages = [
            Window("i", "w", "s", "c", "r", instant(start), instant(end), "outage") for start, end in spans
        ]
        found = assess(outages, policy, 1, "s", "r", period, period.end)
        assert seconds in (None, found.eligible)
        assert found.credit_percent is not None
        percent = found.credit_percent
    assert percent == Fraction(case["pays"])
    if case.get("fee") and case.get("credit_amount"):
        owed = round_fraction(Fraction(case["fee"]["amount"]) * percent, policy.rounding)
        assert owed == Fraction(case["credit_amount"]["amount"]) * 100


def unreadable(case: Case) -> bool:
    """Tell whether a published table leaves out its own edges, so that no policy can state it."""
    if case.get("lint"):
        return False
    try:
        policy_of(case["tiers"])
    except Refused as refused:
        return "leave a gap: none holds exactly" in str(refused)
    return False


@pytest.mark.parametrize("case", cases(OWN), ids=lambda case: case["id"])
def test_own_cases(case: Case) -> None:
    check(case)


@pytest.mark.skipif(published() is None, reason=NOT_HERE)
def test_published_cases() -> None:
    path = published()
    assert path is not None
    found = cases(path)
    checked = [case for case in found if not unreadable(case)]
    for case in checked:
        check(case)
    assert len(checked) >= 45
    # One published table has strict bounds on both sides of its edges.
    assert {case["id"].rpartition("-")[2] for case in found if unreadable(case)} <= {"trendmicro_old"}
    assert sum("lint" in case and bool(case["lint"]) for case in checked) >= 3
