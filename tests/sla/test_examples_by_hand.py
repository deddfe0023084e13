"""Worked examples of a policy against its terms: what agrees, to which decimals, and the sentence where it does not."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import Example
from projections.evaluation.examples import contradictions

TERMS = parse_policy(
    'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
    '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[credit]\nrounding = "half-up"\n'
    '[[tiers]]\navailability_at_least = "99"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99"\ncredit_percent = "10"\n'
    '[claim]\nhow = "on-request"\nwithin = "5 days"\nanchor = "incident-end"\nevidence = "logs"\n'
)
# 60 minutes of 30 days are 99.86111111…%.
HOUR: dict[str, Any] = {"downtime_minutes": 60}


def said(expect: dict[str, Any], facts: dict[str, Any] | None = None, name: str = "hour") -> list[str]:
    return contradictions(TERMS, Example(name=name, facts=HOUR if facts is None else facts, expect=expect))


@pytest.mark.parametrize(
    "expect",
    [
        {},
        {"credit_percent": "0"}, {"credit_percent": "0.0"}, {"credit_percent": 0},
        # To the decimals that are written, rounded either way at the middle.
        {"availability": "99.861111111111"}, {"availability": "99.8611"}, {"availability": "99.861"}, {"availability": "99.86"},
        {"availability": "99.9"},
        {"met": True}, {"provisional": False},
        {"credit": ""}, {"credit": "undecided"},
        {"rule": "p: availability at least 99% gives 0% of fee"},
        {"tiers": ["availability at least 99%"]},
        {"claim": {"evidence": "logs", "last_day": ""}},
        {"edges": [{"availability": "99", "downtime_seconds": 25920, "remaining_seconds_at_least": 22320, "remaining_seconds_at_most": 22320}]},
        {"credit_percent": "0", "availability": "99.86", "met": True},
    ],
)  # fmt: skip
def test_what_agrees(expect: dict[str, Any]) -> None:
    assert said(expect) == []


@pytest.mark.parametrize(
    ("expect", "sentence"),
    [
        ({"credit_percent": "10"}, "credit_percent 10, but the terms give 0"),
        ({"credit_percent": None}, "credit_percent nothing decided, but the terms give 0"),
        ({"credit": "1.00"}, "credit 1.00, but the terms give nothing decided"),
        ({"credit": "none"}, "credit none, but the terms give nothing decided"),
        # Without a decimal it is meant exactly.
        ({"availability": "100"}, "availability 100, but the terms give 99.861111111111"),
        ({"availability": "99.85"}, "availability 99.85, but the terms give 99.861111111111"),
        ({"availability": "99.8"}, "availability 99.8, but the terms give 99.861111111111"),
        ({"availability": "99.862"}, "availability 99.862, but the terms give 99.861111111111"),
        ({"met": False}, "met false, but the terms give true"),
        ({"met": 1}, "met 1, but the terms give true"),
        ({"provisional": ""}, "provisional , but the terms give false"),
        ({"downtime_seconds": True}, "downtime_seconds true, but the terms give 3600"),
        ({"rule": "p"}, "rule p, but the terms give p: availability at least 99% gives 0% of fee"),
        ({"rule": "0"}, "rule 0, but the terms give p: availability at least 99% gives 0% of fee"),
        ({"rule": "0.5"}, "rule 0.5, but the terms give p: availability at least 99% gives 0% of fee"),
        ({"credit_percent": "nothing"}, "credit_percent nothing, but the terms give 0"),
        ({"tiers": []}, "tiers [], but the terms give ['availability at least 99%']"),
        ({"tiers": ["x"]}, "tiers ['x'], but the terms give ['availability at least 99%']"),
        ({"tiers": "x"}, "tiers x, but the terms give ['availability at least 99%']"),
        ({"credit_percent": ["0"]}, "credit_percent ['0'], but the terms give 0"),
        ({"claim": {"evidence": "none"}}, "claim.evidence none, but the terms give logs"),
        ({"claim": "x"}, None),
        ({"credit_percent": {"x": 1}}, "credit_percent {'x': 1}, but the terms give 0"),
        ({"claim": {"evidnce": "logs"}}, "claim.evidnce, which no answer has (did you mean 'evidence'?)"),
        ({"credit_precent": "0"}, "credit_precent, which no answer has (did you mean 'credit_percent'?)"),
    ],
)  # fmt: skip
def test_what_contradicts_the_terms_is_said_by_name(expect: dict[str, Any], sentence: str | None) -> None:
    found = said(expect)
    if sentence is None:
        assert len(found) == 1
    else:
        assert found == [f"example 'hour' expects {sentence}"]
        assert said(expect, name="") == [f"an example expects {sentence}"]


def test_half_of_the_last_decimal_agrees_both_ways() -> None:
    """36 minutes of 30 days are 99.91666…%; 99.91 and 99.92 lie 0.0067 and 0.0033 beside it; 99.125 lies between two."""
    assert said({"availability": "99.92"}, {"downtime_minutes": 36}) == []
    assert len(said({"availability": "99.91"}, {"downtime_minutes": 36})) == 1
    exact = {"availability": "99.125"}
    assert said({"availability": "99.12"}, exact) == said({"availability": "99.13"}, exact) == []
    assert len(said({"availability": "99.11"}, exact)) == 1


def test_every_contradiction_is_said_and_what_cannot_be_computed_too() -> None:
    assert len(said({"met": False, "credit_percent": "10"})) == 2
    wrong = said({"met": True}, {"downtme_minutes": 1, "value": "x"})
    assert [one.partition(": ")[0] for one in wrong] == ["example 'hour' cannot be computed"] * 2


def test_nothing_in_an_example_is_open_until_now() -> None:
    """An open window of an example has lasted no second before the time it names."""
    facts = {
        "period": {"start": "1970-01-01T00:00:00Z", "end": "1970-01-01T01:00:00Z"},
        "windows": [{"start": "1970-01-01T00:00:00Z"}],
    }
    assert (
        said({"eligible_downtime_seconds_at_least": 0, "eligible_downtime_seconds_at_most": 3600}, facts)
        == []
    )
