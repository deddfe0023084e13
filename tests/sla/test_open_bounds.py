"""Bounds that are not reached, "less than 95%": exact to the answer, where the end itself never counts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cli import main
from tests.sla.asking import ask, refused, terms

TIERS = """[[tiers]]
availability_at_least = "99"
credit_percent = "0"
[[tiers]]
availability_at_least = "95"
availability_below = "99"
credit_percent = "50"
[[tiers]]
availability_below = "95"
credit_percent = "100"
"""
BY_VALUE = """[[tiers]]
value_at_most = "5"
credit_percent = "0"
[[tiers]]
value_above = "5"
credit_percent = "50"
"""
BY_DOWNTIME = """[[tiers]]
downtime_at_most = "30 minutes"
credit_percent = "0"
[[tiers]]
downtime_above = "30 minutes"
credit_percent = "10"
"""
FEE = {"fee": "100.00", "currency": "USD"}
PERIOD = {"period": "2025-06"}
COUNTED = terms(TIERS, measure='of = "messages"').replace('effects = ["outage"]\n', "")
LATENCY = terms(BY_VALUE, measure='of = "latency"\nunit = "minutes"\nstatistic = "mean"')
EVENTS = terms('[[tiers]]\ncredit_percent = "5"\nper = "unit"\n', measure='of = "events"')
RATES = terms(TIERS, measure='of = "error-rate"\nbucket = "5 minutes"').replace('effects = ["outage"]\n', "")


def credits(facts: dict[str, Any], text: str) -> tuple[Any, Any]:
    answer = ask({**PERIOD, **FEE, **facts}, text)
    assert answer["credit"] == (
        answer["credit_at_least"] if answer["credit_at_least"] == answer["credit_at_most"] else None
    )
    return answer["credit_at_least"], answer["credit_at_most"]


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        (terms(TIERS), {"availability_below": "95"}, ("100.00", "100.00")),
        (terms(TIERS), {"availability_at_most": "95"}, ("50.00", "100.00")),
        (terms(TIERS), {"availability_above": "99"}, ("0.00", "0.00")),
        (terms(TIERS), {"availability_above": "95", "availability_below": "99"}, ("50.00", "50.00")),
        (terms(TIERS), {"availability_above": "94.99", "availability_below": "95"}, ("100.00", "100.00")),
        # A hundredth of 30 days are 432 minutes.
        (terms(TIERS), {"downtime_minutes_above": 432, "downtime_minutes_below": 2_160}, ("50.00", "50.00")),
        (terms(TIERS), {"downtime_above_minutes": 432, "downtime_at_most_minutes": 2_160}, ("50.00", "50.00")),
        (terms(TIERS), {"downtime_at_least_minutes": 432, "downtime_below_minutes": 433}, ("0.00", "50.00")),
        (terms(BY_DOWNTIME), {"downtime_minutes_above": 30}, ("10.00", "10.00")),
        (terms(BY_DOWNTIME), {"downtime_minutes_below": 30}, ("0.00", "0.00")),
        (terms(BY_DOWNTIME), {"downtime_minutes_at_least": 30, "downtime_minutes_below": 31}, ("0.00", "10.00")),
        (LATENCY, {"value_above": "5"}, ("50.00", "50.00")),
        (LATENCY, {"value_at_least": "5"}, ("0.00", "50.00")),
        (LATENCY, {"value_below": "5"}, ("0.00", "0.00")),
        # Whole numbers: more than two are three or more.
        (EVENTS, {"value_above": 2, "value_below": 5}, ("15.00", "20.00")),
        (EVENTS, {"value_above": 2, "value_below": 4}, ("15.00", "15.00")),
        # One in a hundred that failed is 99%, five are 95%.
        (COUNTED, {"failed_above": 1, "failed_below": 6, "total": 100}, ("50.00", "50.00")),
        (COUNTED, {"failed": 1, "total_at_least": 100}, ("0.00", "0.00")),
        (COUNTED, {"failed": 1, "total_below": 100}, ("50.00", "100.00")),
        (COUNTED, {"failed_at_most": 1, "total_at_least": 100}, ("0.00", "0.00")),
        (COUNTED, {"failed_at_least": 6, "total_at_most": 100}, ("100.00", "100.00")),
        (COUNTED, {"failed_at_least": 6, "total_at_least": 100}, ("0.00", "100.00")),
        (COUNTED, {"failed_at_least": 6, "total": 100}, ("100.00", "100.00")),
        # 8,640 buckets: 864 of a rate above a half are more than 5% of all, those of at most a half are just 95%.
        (RATES, {"error_rates": [{"rate_above": "0.5", "buckets": 864}]}, ("100.00", "100.00")),
        (RATES, {"error_rates": [{"rate_at_least": "0.5", "buckets": 864}]}, ("50.00", "100.00")),
        (RATES, {"error_rates": [{"rate_above": "0.1", "rate_below": "0.5", "buckets": 864}]}, ("50.00", "50.00")),
        (RATES, {"error_rates": [{"rate": "0.1", "buckets": 432}, {"rate_below": "0.1", "buckets": 432}]}, ("0.00", "0.00")),
    ],
)  # fmt: skip
def test_the_tier_at_an_open_end_is_decided_with_it(
    text: str, facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert credits(facts, text) == expected


ALL = terms(TIERS, counting='down = "all"')
ABOVE = terms(TIERS, counting='down = "above-share"\nshare_above = "0.05"')
LESS = {"start": "2025-06-10T00:00:00Z", "end": "2025-06-11T00:00:00Z"}


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [
        (ALL, {"share_at_most": "1"}, ("0.00", "50.00")),
        (ALL, {"share_below": "1"}, ("0.00", "0.00")),
        (ALL, {"share_above": "0.5"}, ("0.00", "50.00")),
        (ABOVE, {"share_above": "0.05"}, ("50.00", "50.00")),
        (ABOVE, {"share_at_least": "0.05"}, ("0.00", "50.00")),
        (ABOVE, {"share_above": "0.04", "share_below": "0.05"}, ("0.00", "0.00")),
        (ABOVE, {"share_above": "0.04", "share_at_most": "0.05"}, ("0.00", "0.00")),
    ],
)  # fmt: skip
def test_the_share_of_a_window_or_an_outage_may_be_less_than_a_number(
    text: str, share: dict[str, str], expected: tuple[str, str]
) -> None:
    assert credits({"windows": [{**LESS, **share}]}, text) == expected
    assert credits({"outages": [{"days": 1, **share}]}, text) == expected


def test_shares_that_overlap_add_up_to_an_end_that_is_not_reached() -> None:
    """Two of less than a half each are less than all; one of a half and another of at most a half may be all."""
    half = {**LESS, "share_at_least": "0.1"}
    two = [{**half, "share_below": "0.5"}, {**half, "share_at_most": "0.5", "window": "w2"}]
    assert credits({"windows": two}, ALL) == ("0.00", "0.00")
    two[0] = {**half, "share_at_most": "0.5"}
    assert credits({"windows": two}, ALL) == ("0.00", "50.00")


def test_what_is_not_reached_is_named_beside_the_bounds() -> None:
    """A day of less than 0.2% of the traffic: less than 172.8 seconds, and never as few as 99.99333…%."""
    text = terms(TIERS, measure='of = "affected-share"')
    answer = ask({**PERIOD, "windows": [{**LESS, "share_below": "0.002"}]}, text)
    assert (answer["eligible_downtime_seconds_at_least"], answer["eligible_downtime_seconds_at_most"]) == (
        0,
        "172.8",
    )
    assert answer["open_bounds"] == ["eligible_downtime_seconds_at_most", "availability_at_least"]
    assert answer["why"][0].startswith("0 seconds to less than 172.8 seconds of eligible downtime")
    assert answer["why"][1] == "availability from more than 99.993333333333% to 100.000000000000%"
    closed = ask({**PERIOD, "windows": [{**LESS, "share_at_most": "0.002"}]}, text)
    assert "open_bounds" not in closed
    assert {**answer, "why": None, "open_bounds": None} == {**closed, "why": None, "open_bounds": None}


def test_a_part_of_the_base_may_be_open_where_the_amount_is_rounded() -> None:
    """Less than three hours of 30 days, paid three times: less than 1.25%, and at most 1.25 of 100.00."""
    text = terms('[[tiers]]\ncredit_multiple = "3"\n')
    answer = ask({**PERIOD, **FEE, "downtime_hours_below": 3}, text)
    assert answer["open_bounds"] == [
        "eligible_downtime_seconds_at_most", "availability_at_least", "credit_percent_at_most"
    ]  # fmt: skip
    assert (answer["credit_percent_at_most"], answer["credit_at_most"]) == ("1.25", "1.25")
    down = text.replace('rounding = "half-up"', 'rounding = "down"')
    assert ask({**PERIOD, **FEE, "downtime_hours_below": 3}, down)["credit_at_most"] == "1.24"


def test_ends_of_a_value_that_are_not_reached_are_named_as_such() -> None:
    text = terms(
        '[[tiers]]\nvalue_below = "9"\ncredit_percent = "0"\n[[tiers]]\nvalue_at_least = "9"\ncredit_percent = "10"\n',
        measure='of = "latency"\nstatistic = "p95"',
    )
    assert ask({**PERIOD, "value_above": "2", "value_at_most": "3"}, text)["open_bounds"] == [
        "value_at_least"
    ]
    assert ask({**PERIOD, "value_at_least": "2", "value_below": "3"}, text)["open_bounds"] == [
        "value_at_most"
    ]


def test_a_part_of_the_base_is_that_of_the_commitment_that_was_chosen() -> None:
    """Less than three hours of 30 days, paid three times, or 1% whatever happens."""
    text = (
        'format = 2\npolicy = "case"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        '[credit]\nrounding = "half-up"\n[stacking]\ncommitments = "choose-one"\n'
    ) + "".join(
        f'[[commitments]]\nname = "{name}"\nmeasure = {{ of = "time" }}\ncounting = {{ effects = ["outage"] }}\n'
        f"[[commitments.tiers]]\n{remedy}\n"
        for name, remedy in (("open", 'credit_multiple = "3"'), ("sure", 'credit_percent = "1"'))
    )
    of_figures = ["eligible_downtime_seconds_at_most", "availability_at_least"]
    for chosen, named in (("sure", []), ("open", ["credit_percent_at_most"])):
        answer = ask({**PERIOD, "downtime_hours_below": 3, "chosen": chosen}, text)
        assert answer["open_bounds"] == of_figures + named


def test_each_commitment_names_its_own() -> None:
    text = terms(TIERS).replace("[measure]\n", "").replace('of = "time"\n', "")
    both = "".join(
        f'[[commitments]]\nname = "{name}"\nmeasure = {{ of = "time" }}\ncounting = {{ effects = ["outage"] }}\n{tiers}'
        for name, tiers in (("a", TIERS), ("b", TIERS))
    ).replace("[[tiers]]", "[[commitments.tiers]]")
    text = text.replace(TIERS, both).replace('[counting]\neffects = ["outage"]\n', "")
    answer = ask({**PERIOD, "availability_below": "95"}, text)
    expected = ["eligible_downtime_seconds_at_least", "availability_at_most"]
    assert [one["open_bounds"] for one in answer["commitments"]] == [expected, expected]


_UP = """[[commitments]]
name = "up"
measure = { of = "time" }
counting = { effects = ["outage"] }
tiers = [{ credit_multiple = "1" }]
"""
_COUNTED = """[[commitments]]
name = "incidents"
measure = { of = "events" }
counting = { effects = ["outage"] }
tiers = [{ credit_percent = "10", per = "unit" }]
"""


@pytest.mark.parametrize("commitments", [_UP + _COUNTED, _COUNTED + _UP])
def test_what_has_no_upper_bound_has_none_in_whichever_order_it_is_added_up(commitments: str) -> None:
    """More than 2 and less than 5 hours of 720 are 0.28 to 0.69 USD of 100.00, and three incidents or more 30.00 or more."""
    text = (
        'format = 2\npolicy = "both"\nin_force_from = 2021-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'{commitments}[stacking]\ncommitments = "sum"\n[credit]\nrounding = "half-up"\n'
    )
    facts = {"downtime_hours_above": 2, "downtime_hours_below": 5, "value_at_least": 3}
    answer = ask({**PERIOD, **FEE, **facts}, text)
    assert (answer["credit_at_least"], answer["credit_at_most"]) == ("30.28", None)
    assert answer["credit_percent_at_most"] is None
    assert "of 100.00 USD that is 30.28 USD or more, rounded half-up" in answer["why"]


def test_what_has_no_upper_bound_is_null_and_said_to_be_or_more() -> None:
    latency = ask({**PERIOD, **FEE, "value_at_least": "6"}, LATENCY)
    assert (latency["value"], latency["value_at_least"], latency["value_at_most"]) == (None, "6", None)
    assert (latency["credit"], latency["why"][0]) == ("50.00", "latency 6 or more")
    events = ask({**PERIOD, **FEE, "value_at_least": 6}, EVENTS)
    assert (events["credit_at_least"], events["credit_at_most"], events["credit"]) == ("30.00", None, None)
    assert (events["credit_percent_at_least"], events["credit_percent_at_most"]) == ("30", None)
    assert (
        events["decides"],
        "of 100.00 USD that is 30.00 USD or more, rounded half-up" in events["why"],
    ) == ("the exact value", True)
    line = json.dumps({"terms": EVENTS, **PERIOD, **FEE, "value_at_least": 6})
    assert (
        "credit 30.00 or more USD, undecided"
        in CliRunner().invoke(main, ["sla", "evaluate", "-"], input=line).output
    )
    capped = EVENTS.replace("[credit]", '[limits]\npercent = "30"\n[credit]')
    assert credits({"value_at_least": 6}, capped) == ("30.00", "30.00")
    days = terms('[[tiers]]\nservice_days = "3"\nper = "unit"\n', measure='of = "events"')
    given = ask({**PERIOD, "value_at_least": 2}, days)
    assert (given["service_days"], given["service_days_at_least"], given["service_days_at_most"]) == (
        None,
        "6",
        None,
    )
    issued = ask({**PERIOD, **FEE, "issued": "5.00", "value_at_least": 6}, EVENTS)
    assert (issued["delta_at_least"], issued["delta_at_most"], issued["delta"]) == ("25.00", None, None)


@pytest.mark.parametrize(
    ("text", "facts", "decides"),
    [
        (COUNTED, {"failed_at_least": 1, "failed_below": 9, "total": 100}, "how many failed"),
        (COUNTED, {"failed": 5, "total_at_least": 10}, "how many there were in all"),
        (COUNTED, {"failed_above": 1, "total_at_least": 10}, "no single fact: how many failed; how many there were in all are open together"),
        (RATES, {"error_rates": [{"rate_above": "0.01", "buckets": 8_000}, {"rate": "0", "buckets": 1}]}, "the error rate 1"),
        (ABOVE, {"windows": [{**LESS, "share_above": "0.01", "share_below": "0.5", "effect": "outage"}]},
         "the share that window incident-1/window-1 affected (from more than 0.01 to less than 0.5)"),
    ],
)  # fmt: skip
def test_the_fact_that_would_decide_is_named(text: str, facts: dict[str, Any], decides: str) -> None:
    assert ask({**PERIOD, **FEE, **facts}, text)["decides"] == decides


def test_downtime_without_an_upper_bound_was_no_longer_than_the_period() -> None:
    answer = ask({**PERIOD, **FEE, "downtime_at_least_minutes": "50"}, terms(TIERS))
    assert (answer["downtime_seconds"], answer["eligible_downtime_seconds_at_most"]) == (2_592_000, 2_592_000)
    assert answer["why"][0].startswith("50 minutes to 30 days of eligible downtime (30 days in all")
    assert [edge["remaining_seconds_at_least"] for edge in answer["edges"]] == [
        25_920 - 2_592_000,
        129_600 - 2_592_000,
    ]
    assert ask({**PERIOD, "downtime_at_most_days": 99}, terms(TIERS))["downtime_seconds"] == 2_592_000


@pytest.mark.parametrize(
    ("text", "facts", "said"),
    [
        (terms(TIERS), {"availability": "<95"},
         "availability '<95' is a bound; state the number alone, and add to the name of the fact _below (less than), _at_most, _above "
         "(more than) or _at_least"),
        (terms(TIERS), {"availability": "95", "availability_below": "96"},
         "availability is stated exactly, and availability_below as a bound; leave one out"),
        (terms(TIERS), {"availability_below": "95", "availability_at_most": "96"},
         "availability_below is one of two bounds on the same side; leave one out"),
        (terms(TIERS), {"availability_above": "95", "availability_below": "95"},
         "availability_below leaves nothing between the bounds; correct one of them"),
        (terms(TIERS), {"availability_above": "100"}, "availability_above leaves nothing, as it is 100 at most; correct it"),
        (terms(TIERS), {"availability_below": "0"}, "availability_below leaves nothing between the bounds; correct one of them"),
        (EVENTS, {"value_above": 2, "value_below": 3}, "value_below leaves nothing between the bounds; correct one of them"),
        (COUNTED, {"failed_above": 5, "total": 5}, "failed_above leaves nothing, as it is 5 at most; correct it"),
        (COUNTED, {"failed_at_least": 5}, "failed and total go together, and failed is no more than total; correct them"),
        (terms(TIERS), {"windows": [{**LESS, "share_above": "0.5", "share_below": "0.5"}]},
         "windows 1: share has bounds with nothing between them; correct one of them"),
        (terms(TIERS), {"outages": [{"days": 1, "share_below": "0.5", "share_at_most": "0.5"}]},
         "outages 1: share_at_most and share_below are bounds on the same side; leave one out"),
        (RATES, {"error_rates": [{"rate_below": "0", "buckets": 1}]},
         "error_rates 1: rate has bounds with nothing between them; correct one of them"),
        (terms(TIERS), {"outages": [{"days": 1, "users": 5, "share_below": "0.5"}], "users": 10},
         "outages 1: users and share_below both state the affected share; leave one out"),
    ],
)  # fmt: skip
def test_bounds_that_contradict_each_other_are_refused(text: str, facts: dict[str, Any], said: str) -> None:
    assert refused({**PERIOD, **facts}, text) == said


@pytest.mark.parametrize(
    ("facts", "ends"),
    [
        ({"availability_below": "95"}, True),
        ({"availability_at_most": "95"}, None),
        ({"availability_at_least": "95"}, False),
        ({"availability_above": "94"}, None),
        ({"availability_above": "94", "availability_below": "95"}, True),
    ],
)
def test_a_right_to_terminate_is_decided_at_an_open_end_as_well(
    facts: dict[str, str], ends: bool | None
) -> None:
    more = '[[termination]]\navailability_below = "95"\n'
    assert ask({**PERIOD, **facts}, terms(TIERS, more=more))["termination"] is ends
    before = terms(TIERS, more=more)
    assert ask({**PERIOD, "availability": "100", "earlier": [facts]}, before)["termination"] is ends


@pytest.mark.parametrize(
    ("remedy", "counting", "facts", "expected"),
    [
        # Begun hours of more than one hour are two; of less than three they are three at most.
        ('credit_percent = "1"\nper = "block"\nblock = "1 hour"\nblocks = "begun"', "",
         {"downtime_hours_above": 1, "downtime_hours_below": 3}, ("2.00", "3.00")),
        ('credit_percent = "1"\nper = "block"\nblock = "1 hour"\nblocks = "full"', "",
         {"downtime_hours_above": 1, "downtime_hours_below": 3}, ("1.00", "2.00")),
        ('credit_percent = "1"\nper = "block"\nblock = "1 hour"\nblocks = "begun"', "",
         {"downtime_hours_at_least": 1, "downtime_hours_at_most": 3}, ("1.00", "3.00")),
        ('credit_percent = "1"\nper = "block"\nblock = "1 hour"\nblocks = "full"', "",
         {"downtime_hours_at_least": 1, "downtime_hours_at_most": 3}, ("1.00", "3.00")),
        # What lasts less than ten minutes never counts where ten are the least.
        ('credit_multiple = "1"', 'minimum = "10 minutes"', {"downtime_minutes_below": 10}, ("0.00", "0.00")),
        ('credit_multiple = "1"', 'minimum = "10 minutes"', {"downtime_minutes_at_most": 10}, ("0.00", "0.02")),
        # Whole hours rounded up: more than one is two at least; rounded down, less than two is one.
        ('credit_hourly = { USD = "1.00" }', 'quantise = "total-up"\nquantum = "1 hour"',
         {"downtime_hours_above": 1, "downtime_hours_below": 2}, ("2.00", "2.00")),
        ('credit_hourly = { USD = "1.00" }', 'quantise = "each-down"\nquantum = "1 hour"',
         {"downtime_hours_above": 1, "downtime_hours_below": 2}, ("1.00", "1.00")),
        # 100.00 for 30 days: 64.80 minutes are 0.15; half a cent is 2.16 minutes, which is rounded up, and less is not.
        ('credit_multiple = "1"', "", {"downtime_seconds_below": "129.6"}, ("0.00", "0.00")),
        ('credit_multiple = "1"', "", {"downtime_seconds_at_most": "129.6"}, ("0.00", "0.01")),
        ('credit_multiple = "1"', "", {"downtime_seconds_at_least": "129.6", "downtime_seconds_below": "388.8"}, ("0.01", "0.01")),
    ],
)  # fmt: skip
def test_what_is_counted_in_wholes_or_rounded_is_at_an_open_end_as_beside_it(
    remedy: str, counting: str, facts: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert credits(facts, terms(f"[[tiers]]\n{remedy}\n", counting=counting)) == expected


PERCENTS = st.decimals(94, 100, places=1).map(str) | st.sampled_from(["95", "99", "100"])
POLICIES = (
    terms(TIERS), terms(BY_DOWNTIME.replace("30 minutes", "2160 minutes")), terms('[[tiers]]\ncredit_multiple = "1"\n'),
    terms('[[tiers]]\ncredit_percent = "1"\nper = "block"\nblock = "1 hour"\nblocks = "begun"\n'),
    terms(TIERS.replace('credit_percent = "50"', 'credit_multiple = "3"'), credit="factor_decimals = 3"),
)  # fmt: skip
TINY = Decimal(1).scaleb(-20)


@settings(max_examples=150)
@given(st.sampled_from(POLICIES), PERCENTS, PERCENTS, st.booleans(), st.booleans())
def test_an_open_bound_decides_as_every_bound_next_to_it(
    text: str, one: str, other: str, low_open: bool, high_open: bool
) -> None:
    """Between the number and one that is 10^-20 beside it lies no edge of a tier and no half of a cent."""
    low, high = sorted((one, other), key=Decimal)
    if Decimal(low) == Decimal(high):
        return
    stated = {
        f"availability_{'above' if low_open else 'at_least'}": low,
        f"availability_{'below' if high_open else 'at_most'}": high,
    }
    near = {
        "availability_at_least": str(Decimal(low) + TINY if low_open else Decimal(low)),
        "availability_at_most": str(Decimal(high) - TINY if high_open else Decimal(high)),
    }
    ours, theirs = (ask({**PERIOD, **FEE, **facts}, text) for facts in (stated, near))
    for name in ("tiers", "met", "credit", "credit_at_least", "credit_at_most", "decides"):
        assert ours[name] == theirs[name], name
    shown = [name for name in ours.get("open_bounds", []) if not name.startswith("credit_percent")]
    assert shown == [
        *(["eligible_downtime_seconds_at_least"] if high_open else []), *(["eligible_downtime_seconds_at_most"] if low_open else []),
        *(["availability_at_least"] if low_open else []), *(["availability_at_most"] if high_open else []),
    ]  # fmt: skip


SHARES = st.sampled_from(["0", "0.05", "0.1", "0.25", "0.5", "0.75", "1"])
WEIGHED = (
    ALL, ABOVE, terms(TIERS, measure='of = "affected-share"'), terms(TIERS, measure='of = "user-minutes"'),
    terms(TIERS, measure='of = "user-minutes"', counting='down = "above-share"\nshare_above = "0.25"'),
    terms('[[tiers]]\ncredit_multiple = "3"\n', measure='of = "affected-share"'),
)  # fmt: skip
WINDOW = st.tuples(st.integers(1, 5), st.integers(1, 9), SHARES, SHARES, st.booleans(), st.booleans()).filter(
    lambda one: Decimal(one[2]) < Decimal(one[3])
)


@settings(max_examples=100)
@given(st.sampled_from(WEIGHED), st.lists(WINDOW, min_size=1, max_size=3), st.booleans())
def test_open_shares_decide_as_every_share_next_to_them(
    text: str, drawn: list[tuple[int, int, str, str, bool, bool]], timed: bool
) -> None:
    """However windows overlap, and shares are added, compared and weighed."""
    stated, near = [], []
    for number, (day, days, low, high, low_open, high_open) in enumerate(drawn):
        when: dict[str, Any] = (
            {"start": f"2025-06-{day:02}T00:00:00Z", "end": f"2025-06-{day + days:02}T00:00:00Z", "window": f"w{number}"}
            if timed
            else {"days": days}
        )  # fmt: skip
        ends = {
            ("share_above" if low_open else "share_at_least"): low,
            ("share_below" if high_open else "share_at_most"): high,
        }
        stated.append({**when, **ends})
        least, most = Decimal(low) + low_open * TINY, Decimal(high) - high_open * TINY
        near.append({**when, "share_at_least": f"{least:f}", "share_at_most": f"{most:f}"})
    name = "windows" if timed else "outages"
    ours, theirs = (ask({**PERIOD, **FEE, name: facts}, text) for facts in (stated, near))
    for field in ("tiers", "met", "credit", "credit_at_least", "credit_at_most"):
        assert ours[field] == theirs[field], field
