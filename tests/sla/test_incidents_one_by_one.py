"""Answers under policies that pay each incident by itself: what each comes to alone, and what that leaves of the whole period.

June 2022 has 30 days. An outage above 30 minutes is paid for, a shorter one is not.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla.asking import ask, terms

Answer = dict[str, Any]

EACH = '[stacking]\nincidents = "sum"\n'
SHORT = '[[tiers]]\ndowntime_at_most = "30 minutes"\ncredit_percent = "0"\n[[tiers]]\ndowntime_above = "30 minutes"\n'
PART = terms(f'{SHORT}credit_percent = "10"\n', more=EACH)
SUM = terms(f'{SHORT}credit_fixed = {{ USD = "5.00" }}\n', more=EACH)


def window(incident: str, minutes: int, **said: Any) -> Answer:
    return {
        "incident": incident,
        "start": "2022-06-10T10:00:00Z",
        "end": f"2022-06-10T{10 + minutes // 60}:{minutes % 60:02}:00Z",
        **said,
    }


LONG, BRIEF, OURS = window("long", 60), window("brief", 20), window("ours", 60, cohort="beta")


def answered(text: str, *windows: Answer, **more: Any) -> Answer:
    return ask({"period": "2022-06", "windows": list(windows), **more}, text)


def pays(text: str, **more: Any) -> dict[str, tuple[Any, ...]]:
    """What a brief and a long incident pay: at least and at most a part of the base, and at least and at most an amount."""
    found = answered(text, LONG, BRIEF, **more)["incidents"]
    names = [f"pays_{name}at_{end}" for name in ("percent_", "") for end in ("least", "most")]
    assert all("commitments" not in one for one in found)
    return {one["incident"]: tuple(one[name] for name in names) for one in found}


@pytest.mark.parametrize(
    ("text", "money", "brief", "long"),
    [
        (PART, {}, ("0", "0", None, None), ("10", "10", None, None)),
        (PART, {"currency": "USD"}, ("0", "0", None, None), ("10", "10", None, None)),
        (PART, {"currency": "USD", "fee": "70.00"}, ("0", "0", "0.00", "0.00"), ("10", "10", "7.00", "7.00")),
        # A sum is no part of a fee, and without its currency nothing is known of it.
        (SUM, {}, ("0", "0", None, None), (None, None, None, None)),
        (SUM, {"currency": "USD"}, ("0", "0", None, None), (None, None, None, None)),
        (SUM, {"currency": "USD", "fee": "70.00"}, ("0", "0", "0.00", "0.00"), (None, None, "5.00", "5.00")),
    ],
)
def test_each_incident_says_what_it_pays(
    text: str, money: Answer, brief: tuple[Any, ...], long: tuple[Any, ...]
) -> None:
    assert pays(text, **money) == {"brief": brief, "long": long}


@pytest.mark.parametrize(
    ("windows", "met"),
    [
        ([BRIEF], True),
        ([BRIEF, LONG], False),
        # Whether the customer is in the cohort is not known.
        ([BRIEF, OURS], None),
        ([LONG, OURS], False),
        ([OURS], None),
        ([], True),
    ],
)
def test_the_level_was_met_where_no_incident_is_paid_for(windows: list[Answer], met: bool | None) -> None:
    answer = answered(PART, *windows)
    assert answer["met"] is met
    assert (answer["tiers"], answer["edges"]) == ([], [])


BOTH = (
    'format = 2\npolicy = "both"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
    '[credit]\nrounding = "half-up"\n[stacking]\ncommitments = "choose-one"\nincidents = "sum"\n'
    '[[commitments]]\nname = "time"\nmeasure = { of = "time" }\ncounting = { effects = ["outage"] }\n'
    + f'{SHORT}credit_percent = "10"\n'.replace("[[tiers]]", "[[commitments.tiers]]")
    + '[[commitments]]\nname = "share"\nmeasure = { of = "affected-share" }\ncounting = { effects = ["outage"] }\n'
    '[[commitments.tiers]]\ncredit_percent = "3"\n'
)


def test_an_incident_has_the_figures_of_each_commitment() -> None:
    (long,) = answered(BOTH, {**LONG, "share": "0.5"})["incidents"]
    assert [
        (one["commitment"], one["measure"], one["eligible_downtime_seconds"], one["met"])
        for one in long["commitments"]
    ] == [("time", "time", 3_600, False), ("share", "affected-share", 1_800, False)]


def test_over_the_whole_period_no_commitment_leads_to_a_tier() -> None:
    answer = answered(BOTH, LONG, BRIEF)
    assert [one["eligible_downtime_seconds"] for one in answer["commitments"]] == [3_600, 3_600]
    for one in answer["commitments"]:
        assert (one["tiers"], one["edges"]) == ([], [])
        assert (one["seconds_to_next_tier"], one["seconds_past_tier_edge"]) == (None, None)


@pytest.mark.parametrize(
    ("chosen", "percents"),
    [({}, ("3", "10")), ({"chosen": "time"}, ("10", "10")), ({"chosen": "share"}, ("3", "3"))],
)
def test_an_incident_pays_by_the_commitment_that_was_chosen(
    chosen: Answer, percents: tuple[str, str]
) -> None:
    (long,) = answered(BOTH, LONG, **chosen)["incidents"]
    assert (long["pays_percent_at_least"], long["pays_percent_at_most"]) == percents


def test_which_commitment_is_chosen_decides_what_all_incidents_pay() -> None:
    for windows in ((LONG,), (LONG, BRIEF)):
        assert answered(BOTH, *windows)["decides"] == "which of the commitments the customer chooses"
        for chosen in ("time", "share"):
            assert answered(BOTH, *windows, chosen=chosen)["decides"] is None
