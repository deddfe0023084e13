"""Every fact that is stated counts, or is refused with a sentence; what cannot be is refused; nothing stated is not nothing down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from tests.sla.asking import ask, refused, terms

TIERS = """[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_below = "99.9"
credit_percent = "10"
"""
VALUES = """[[tiers]]
value_below = "2"
credit_percent = "0"
[[tiers]]
value_at_least = "2"
credit_percent = "10"
"""
FEE = {"fee": "100.00", "currency": "USD"}
LONG = [["2025-06-01T00:00:00Z", "2025-06-03T01:00:00Z"]]
PLANNED = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
PERIOD = {"period": "2025-06"}


# ---- what no commitment reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "tiers", "of", "instead"),
    [
        ('of = "executions"', TIERS, "executions", "executions"),
        ('of = "messages"', TIERS, "messages", "messages"),
        ('of = "error-rate"\nbucket = "5 minutes"', TIERS, "error-rate", "requests"),
        ('of = "consecutive-days"', VALUES, "consecutive-days", "messages"),
        ('of = "events"\ncounts = "failed"\nreads = ["users", "requests"]', VALUES, "events", "requests and users"),
        ('of = "latency"\nunit = "minutes"\nstatistic = "mean"', VALUES, "latency", "latency"),
    ],
)  # fmt: skip
def test_windows_that_no_commitment_reads_are_refused(
    measure: str, tiers: str, of: str, instead: str
) -> None:
    counting = 'share_above = "0.01"' if of == "consecutive-days" else ""
    text = terms(tiers, measure=measure, counting=counting).replace('effects = ["outage"]\n', "")
    assert refused({**PERIOD, **FEE, "windows": LONG}, text) == (
        f"windows are read by no commitment of a policy of {of}; state measurements of {instead}, or plain figures, instead"
    )
    if of != "error-rate":
        assert "observed has no meaning" in refused({**PERIOD, "observed": LONG}, text)


def test_measurements_that_no_commitment_reads_are_refused() -> None:
    lost = {"of": "messages", "start": LONG[0][0], "end": LONG[0][1], "failed": 5, "total": 10}
    assert refused({**PERIOD, "measurements": [lost]}, terms(TIERS)) == (
        "measurement 'measurement-1' is of messages, which no commitment of the policy reads; leave it out, or state windows"
    )
    users = terms(TIERS, measure='of = "user-minutes"\nreads = ["users"]')
    value = {"of": "users", "start": LONG[0][0], "end": LONG[0][1], "value": "5"}
    assert refused({**PERIOD, "measurements": [value]}, users) == (
        "measurement 'measurement-1' of users states no failed of total, which the policy counts; state both"
    )


SEVERAL = """format = 2
policy = "several"
in_force_from = 2000-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[[commitments]]
name = "up"
measure = { of = "time" }
counting = { effects = ["outage"] }
tiers = [
  { availability_at_least = "99.9", credit_percent = "0" },
  { availability_below = "99.9", credit_percent = "10" },
]
[[commitments]]
name = "sent"
measure = { of = "messages" }
tiers = [
  { availability_at_least = "99", credit_percent = "0" },
  { availability_below = "99", credit_percent = "20" },
]
[credit]
rounding = "half-up"
"""


def test_of_several_commitments_each_reads_its_own_and_one_without_facts_is_named() -> None:
    lost = {"of": "messages", "start": LONG[0][0], "end": LONG[0][1], "failed": 5, "total": 10}
    both = ask({**PERIOD, **FEE, "windows": LONG, "measurements": [lost]}, SEVERAL)
    assert (both["credit"], "warnings" in both) == ("20.00", False)
    one = ask({**PERIOD, **FEE, "windows": LONG}, SEVERAL)
    assert (one["credit"], one["warnings"]) == (
        "10.00", ["nothing is stated of what the commitment sent measures (messages), so it is taken as without fault"],
    )  # fmt: skip
    requests = {**lost, "of": "requests"}
    assert "is of requests, which no commitment" in refused(
        {**PERIOD, "windows": LONG, "measurements": [requests]}, SEVERAL
    )


def test_measurements_alone_may_stand_instead_of_windows() -> None:
    """Two hours in which all requests failed; terms that name no effect read no window."""
    text = terms(TIERS, measure='of = "time"\nreads = ["requests"]').replace('effects = ["outage"]\n', "")
    failed = {
        "of": "requests", "start": "2025-06-01T00:00:00Z", "end": "2025-06-01T02:00:00Z", "failed": 7, "total": 7
    }  # fmt: skip
    answer = ask({**PERIOD, **FEE, "measurements": [failed]}, text)
    assert (answer["eligible_downtime_seconds"], answer["credit"]) == (7_200, "10.00")
    assert "windows are read by no commitment" in refused({**PERIOD, "windows": LONG}, text)
    lint = CliRunner().invoke(main, ["policy", "lint", "-"], input=terms(TIERS).replace('["outage"]', "[]"))
    assert "effects is missing or empty, which measure.of" in lint.output


def test_exclusions_under_terms_without_a_rule_for_them_are_warned_of() -> None:
    facts = {**PERIOD, "windows": LONG, "exclusions": LONG}
    answer = ask(facts, terms(TIERS))
    assert answer["warnings"] == [
        "the policy has no rule for exclusions, so that nothing is excluded by those which are stated"
    ]
    assert "warnings" not in ask(facts, terms(TIERS, more=PLANNED))


def test_earlier_periods_have_no_meaning_without_a_right_to_terminate() -> None:
    assert refused({**PERIOD, "downtime_minutes": 1, "earlier": [{"downtime_minutes": 1}]}, terms(TIERS)) == (
        "earlier has no meaning: the policy gives no right to terminate (termination); leave it out"
    )


# ---- nothing stated --------------------------------------------------------------------------------------------------

NOTHING = (
    "nothing is stated of what happened; state windows ([] where nothing was down), measurements, or plain figures such as "
    "downtime_minutes"
)


@pytest.mark.parametrize(
    "facts", [{}, PERIOD, {**PERIOD, "downtime_minutes": None}, {**PERIOD, "windows": None}, {**PERIOD, "exclusions": LONG}]
)  # fmt: skip
def test_where_nothing_is_stated_nothing_is_answered(facts: dict[str, Any]) -> None:
    assert refused({**FEE, **facts}, terms(TIERS, more=PLANNED)) == NOTHING


@pytest.mark.parametrize("name", ["windows", "measurements", "outages"])
def test_an_empty_list_states_that_nothing_was_down(name: str) -> None:
    answer = ask({**PERIOD, **FEE, name: []}, terms(TIERS))
    assert (answer["credit"], "warnings" in answer) == ("0.00", False)


def test_a_claim_alone_is_answered_and_what_was_not_stated_is_said() -> None:
    claim = '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "incident-end"\n'
    facts = {
        "incident_start": "2025-06-10T00:00:00Z", "incident_end": "2025-06-10T01:00:00Z", "claimed_at": "2025-07-01T00:00:00Z"
    }  # fmt: skip
    answer = ask(facts, terms(TIERS, more=claim))
    assert answer["claim"]["in_time"] is True
    assert answer["warnings"] == [
        "nothing is stated of what happened, so the period is taken as without fault"
    ]


def test_what_lies_wholly_outside_the_period_is_warned_of() -> None:
    july = [["2025-07-10T00:00:00Z", "2025-07-10T05:00:00Z"]]
    answer = ask({**PERIOD, **FEE, "windows": july}, terms(TIERS))
    assert answer["warnings"] == ["no window lies in the period 2025-06, so that nothing of them counts"]
    assert "warnings" not in ask({**PERIOD, **FEE, "windows": july + LONG}, terms(TIERS))
    # One that is open since before the end may be in it.
    assert "warnings" not in ask({**PERIOD, "windows": [{"start": "2025-05-10T00:00:00Z"}]}, terms(TIERS))


# ---- what cannot be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"outages": [{"hours": "400"}, {"hours": "400"}]}, "outages together of 2880000 seconds is longer than the period 2025-06"),
        ({"downtime_hours": 700, "unobserved_hours": 21}, "downtime and unobserved together of 2595600 seconds is longer"),
        ({"downtime_hours": 721}, "downtime of 2595600 seconds is longer than the period 2025-06"),
        ({"downtime_hours_at_least": 721}, "downtime of 2595600 seconds is longer than the period 2025-06"),
        ({"downtime_minutes": 5, "excluded_minutes": 50_000}, "excluded of 3000000 seconds is longer than the period 2025-06"),
        ({"downtime_minutes": 5, "excluded_downtime_minutes": 6},
         "excluded_downtime of 360 seconds is more than the downtime of 300 seconds that it is a part of; correct one of them"),
        ({"downtime_minutes": 5, "excluded_downtime_minutes": 4, "excluded_minutes": 3},
         "excluded of 180 seconds is all excluded time, and excluded_downtime of 240 seconds a part of it; correct one of them"),
    ],
)  # fmt: skip
def test_more_than_there_is_time_for_is_refused(facts: dict[str, Any], said: str) -> None:
    assert refused({**PERIOD, **facts}, terms(TIERS, more=PLANNED)).startswith(said)


def test_outages_of_parts_of_the_users_may_have_been_at_the_same_time() -> None:
    halves = {**PERIOD, "outages": [{"hours": "400", "share": "0.5"}, {"hours": "400", "share": "0.5"}]}
    weighed = terms(TIERS, measure='of = "user-minutes"')
    assert ask(halves, weighed)["eligible_downtime_seconds"] == 400 * 3_600
    assert "outages together" in refused(halves, terms(TIERS))
    full = {**PERIOD, "outages": [{"hours": "400"}, {"hours": "400", "share": "0.9"}]}
    assert refused(full, weighed).startswith("outages together of 2736000 seconds is longer")


def test_more_buckets_than_the_period_has_are_refused() -> None:
    text = terms(TIERS, measure='of = "error-rate"\nbucket = "5 minutes"')
    facts = {**PERIOD, "error_rates": [{"rate": "1", "buckets": 8_640}]}
    assert ask(facts, text)["availability"] == "0.000000000000"
    facts["error_rates"] = [{"rate": "1", "buckets": 8_000}, {"rate": "0", "buckets": 641}]
    assert refused(facts, text).startswith("error_rates of 2592300 seconds is longer than the period 2025-06")


@pytest.mark.parametrize("of", ["events", "consecutive-days"])
def test_a_count_is_a_whole_number(of: str) -> None:
    counting = 'share_above = "0.01"' if of == "consecutive-days" else ""
    text = terms(VALUES, measure=f'of = "{of}"', counting=counting)
    for name in ("value", "value_at_least", "value_below"):
        assert refused({**PERIOD, name: "2.5"}, text) == f"{name} '2.5' is not a whole number"
    assert ask({**PERIOD, **FEE, "value": "2"}, text)["credit"] == "10.00"


def test_parts_of_a_second_say_what_to_do() -> None:
    window = [["2025-06-01T00:00:00.5Z", "2025-06-01T01:00:00Z"]]
    assert refused({**PERIOD, "windows": window}, terms(TIERS)) == (
        "windows 1: start '2025-06-01T00:00:00.5Z' has parts of a second, and times are whole seconds; state the second it lies in, "
        "and of a window, where that may decide, start_within_seconds or end_within_seconds as 1"
    )


# ---- excluded time in plain figures ----------------------------------------------------------------------------------


def test_plain_excluded_downtime_is_limited_as_exclusions_are() -> None:
    """Five hours, four of them excluded, of which the policy leaves one: four are left that count."""
    text = terms(TIERS, more=PLANNED + 'most = "1 hour"\nmost_per = "period"\n')
    facts = {**PERIOD, "downtime_hours": 5, "excluded_downtime_hours": 4}
    answer = ask(facts, text)
    assert (answer["eligible_downtime_seconds"], answer["excluded_seconds"]) == (4 * 3_600, 3_600)
    start, end = "2025-06-10T00:00:00Z", "2025-06-10T04:00:00Z"
    timed = {
        **PERIOD, "windows": [[start, "2025-06-10T05:00:00Z"]], "exclusions": [{"start": start, "end": end}]
    }  # fmt: skip
    assert ask(timed, text)["eligible_downtime_seconds"] == answer["eligible_downtime_seconds"]
    # Of five excluded hours one was up: which one hour of them is left, in the downtime or beside it, is not known.
    assert refused({**facts, "excluded_hours": 5}, text) == (
        "excluded_downtime of 14400 seconds does not say what of it the limit of the rule leaves; state windows and exclusions with "
        "their times instead"
    )


def test_plain_excluded_downtime_needs_a_policy_that_excludes() -> None:
    facts = {**PERIOD, "downtime_minutes": 50, "excluded_downtime_minutes": 10}
    assert refused(facts, terms(TIERS)) == (
        "excluded_downtime has no meaning: the policy excludes nothing (exclusions); leave it out"
    )
    unlike = PLANNED + '[[exclusions]]\nkinds = ["customer"]\ntreated = "removed"\n'
    assert refused(facts, terms(TIERS, more=unlike)) == (
        "excluded_downtime of 600 seconds does not say under which rule it falls; state windows and exclusions with their times instead"
    )


def test_excluded_downtime_leaves_the_denominator_with_all_that_is_excluded() -> None:
    text = terms(TIERS, more=PLANNED + 'treated = "removed"\n')
    facts = {**PERIOD, "downtime_minutes": 50, "excluded_downtime_minutes": 10}
    start, day = "2025-06-10T00:00:00Z", "2025-06-10T00:{}:00Z"
    timed = {
        **PERIOD, "windows": [[start, day.format(50)]], "exclusions": [[start, day.format(10)]]
    }  # fmt: skip
    names = ("period_seconds", "removed_seconds", "eligible_downtime_seconds", "availability")
    expected = [ask(timed, text)[name] for name in names]
    assert [ask(facts, text)[name] for name in names] == expected
    assert expected[:3] == [43_190 * 60, 600, 40 * 60]
    # All excluded time is what it is where it is stated, the part that was down among it.
    assert ask({**facts, "excluded_minutes": 30}, text)["period_seconds"] == 43_170 * 60


# ---- earlier periods -------------------------------------------------------------------------------------------------

TWICE = '[[termination]]\navailability_below = "99"\nperiods = 2\n'


@pytest.mark.parametrize(
    ("facts", "ends"),
    [
        # 440 minutes are 98.91% of February, and 99.01% of March.
        ({"period": "2025-03", "downtime_minutes": 450, "earlier": [{"downtime_minutes": 440}]}, True),
        ({"period": "2025-04", "downtime_minutes": 450, "earlier": [{"downtime_minutes": 440}]}, False),
        # February is the one before March, and the last but one before April.
        ({"period": "2025-04", "downtime_minutes": 0, "earlier": [{"downtime_minutes": 440}, {"downtime_minutes": 440}]}, False),
        ({"period": "2025-04", "downtime_minutes": 450, "earlier": [{"period": "2025-02", "downtime_minutes": 440}]}, True),
        ({"period": "2025-04", "downtime_minutes": 450, "earlier": [{"period_days": 28, "downtime_minutes": 440}]}, True),
        ({"period_days": 30, "downtime_minutes": 440, "earlier": [{"downtime_minutes": 440}]}, True),
        ({"period_days": 30, "downtime_minutes": 440, "earlier": [{"period_days": 31, "downtime_minutes": 440}]}, False),
        ({"period": {"start": LONG[0][0], "end": LONG[0][1]}, "downtime_hours": 1, "earlier": [{"availability": "98"}]}, True),
    ],
)  # fmt: skip
def test_each_earlier_period_is_judged_by_its_own_length(facts: dict[str, Any], ends: bool) -> None:
    text = terms(TIERS, more=TWICE.replace("periods = 2", "periods = 2\nof_last = 3"))
    assert ask(facts, text)["termination"] is ends


def test_earlier_quarters_and_trailing_days_have_their_lengths() -> None:
    """The last quarter of 2024 has 92 days, the first of 2025 has 90: 1,310 minutes are 99.011% and 98.989%."""
    quarters = terms(TIERS, period="calendar-quarter", more=TWICE)
    facts = {"period": "2025-Q1", "downtime_minutes": 1_310, "earlier": [{"downtime_minutes": 1_310}]}
    assert ask(facts, quarters)["termination"] is False
    assert ask({**facts, "earlier": [{"downtime_minutes": 1_330}]}, quarters)["termination"] is True


def test_an_earlier_period_of_which_the_length_is_not_known_is_refused() -> None:
    text = terms(TIERS, more=TWICE)
    custom = {"period": {"start": LONG[0][0], "end": LONG[0][1]}, "downtime_minutes": 60}
    assert refused({**custom, "earlier": [{"downtime_minutes": 60}]}, text) == (
        "earlier 1: period is missing, as 2025-06-01T00:00:00.000000Z/2025-06-03T01:00:00.000000Z is no calendar-month of the policy, "
        "so that how long the one before it was is not known; add it, or its length as period_minutes"
    )
    late = {**PERIOD, "downtime_minutes": 1, "earlier": [{"period": "2025-06", "downtime_minutes": 1}]}
    assert refused(late, text) == (
        "earlier 1: period 2025-06 ends after the one that follows has begun; correct it"
    )
    more = {**PERIOD, "downtime_minutes": 1, "earlier": [{"downtime_hours": 745}]}
    assert refused(more, text).startswith(
        "earlier 1: downtime of 2682000 seconds is longer than the period 2025-05"
    )
    empty = ask({**PERIOD, "downtime_minutes": 1, "earlier": [{}]}, text)
    assert empty["warnings"] == ["earlier 1: nothing is stated of it, so 2025-05 is taken as without fault"]


@pytest.mark.parametrize(
    ("measure", "taken", "percent"),
    [
        ('of = "error-rate"\nbucket = "1 hour"', "without fault", "0"),
        (
            'of = "error-rate"\nbucket = "1 hour"\nmissing = "down"',
            "without data, which counts as down",
            "10",
        ),
        ('of = "messages"\nmissing = "down"', "without data, which counts as down", "10"),
        ('of = "messages"\nmissing = "excluded"', "without fault", "0"),
        # Without a word on what was watched, all of it was.
        ('of = "time"\nmissing = "down"', "without fault", "0"),
    ],
)
def test_what_nothing_is_stated_of_is_said_to_be_what_it_is_taken_as(
    measure: str, taken: str, percent: str
) -> None:
    claim = '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "incident-end"\n'
    text = terms(TIERS, measure=measure, more=claim + TWICE)
    if "messages" in measure:
        text = text.replace('[counting]\neffects = ["outage"]\n', "")
    times = {"incident_end": "2025-06-10T01:00:00Z", "claimed_at": "2025-07-01T00:00:00Z"}
    answer = ask({**PERIOD, **times, "earlier": [{}]}, text)
    assert answer["credit_percent"] == percent
    # Twice of the last two gives the right to end.
    assert answer["termination"] is (percent == "10")
    assert answer["warnings"] == [
        f"earlier 1: nothing is stated of it, so 2025-05 is taken as {taken}",
        f"nothing is stated of what happened, so the period is taken as {taken}",
    ]


def test_a_commitment_that_nothing_is_stated_of_is_said_to_be_without_data_where_that_is_down() -> None:
    text = SEVERAL.replace('of = "messages"', 'of = "messages", missing = "down"')
    one = ask({**PERIOD, **FEE, "windows": LONG}, text)
    assert (one["credit"], one["warnings"]) == (
        "20.00",
        ["nothing is stated of what the commitment sent measures (messages), so it is taken as without data, which counts as down"],
    )  # fmt: skip


# ---- money -----------------------------------------------------------------------------------------------------------


def test_a_sum_or_an_hourly_rate_needs_no_fee() -> None:
    fixed = terms('[[tiers]]\ncredit_fixed = { GBP = "20.00" }\n')
    answer = ask({**PERIOD, "downtime_minutes": 5, "currency": "GBP"}, fixed)
    assert (answer["credit"], answer["base"]) == ("20.00", None)
    assert not any("None" in line for line in answer["why"])
    hourly = terms('[[tiers]]\ncredit_hourly = { USD = "10.00" }\n')
    assert ask({**PERIOD, "downtime_minutes": 90, "currency": "USD"}, hourly)["credit"] == "15.00"
    # The lesser of a sum and a part of a fee depends on the fee.
    lesser = terms('[[tiers]]\ncredit_fixed = { USD = "20.00" }\ncredit_percent = "10"\ntake = "lesser"\n')
    facts = {**PERIOD, "downtime_minutes": 5, "currency": "USD"}
    assert ask(facts, lesser)["credit"] is None
    line = json.dumps({"terms": lesser, **facts})
    assert "no amount without a fee" in CliRunner().invoke(main, ["sla", "evaluate", "-"], input=line).stdout
    capped = terms('[[tiers]]\ncredit_fixed = { USD = "20.00" }\n', more='[limits]\npercent = "10"\n')
    assert ask(facts, capped)["credit"] is None
    assert ask({**facts, "fee": "50.00"}, capped)["credit"] == "5.00"


def test_the_fact_base_is_the_base_of_the_answer() -> None:
    """A share of 33.3% of a suite fee of 300.30 is 100 (99.9999 exactly); the base itself is stated as it is."""
    text = terms('[[tiers]]\ncredit_percent = "10"\n', credit='of = "service-share"\nshare = "33.3"')
    facts = {**PERIOD, "downtime_minutes": 1, "currency": "EUR"}
    stated = ask({**facts, "base": "100.00"}, text)
    assert (stated["base"], stated["credit"]) == ("100.00", "10.00")
    suite = ask({**facts, "suite_fee": "1000.00"}, text)
    assert (suite["base"], suite["credit"]) == ("333.00", "33.30")
    yearly = terms('[[tiers]]\ncredit_percent = "10"\n', credit='of = "annual-fee"')
    assert ask({**facts, "base": "100.00"}, yearly)["credit"] == "10.00"
    assert ask({**facts, "annual_fee": "1200.00"}, yearly)["credit"] == "10.00"


# ---- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"availability": "99"}, "99.000000000000"),
        ({"availability": "100"}, "100.000000000000"),
        ({"availability": "99.99999999999999"}, "99.99999999999999"),
        ({"availability": "0.0000000000000001"}, "0.0000000000000001"),
        ({"availability": "99.8999999999999999"}, "99.8999999999999999"),
        ({"availability": "99.9000000000000001"}, "99.9000000000000001"),
        # One failed of three billion billion: 100 less 3.33…e-17.
        ({"failed": 1, "total": 3 * 10**18}, "99.99999999999999997"),
    ],
)  # fmt: skip
def test_what_is_shown_is_on_its_side_of_each_edge(facts: dict[str, Any], shown: str) -> None:
    text = terms(TIERS, measure='of = "messages"').replace('effects = ["outage"]\n', "")
    answer = ask({**PERIOD, **facts}, text)
    assert answer["availability"] == shown
    assert f"availability {shown}%" in answer["why"]
    assert answer["met"] is (float(shown) >= 99.9 and shown != "99.8999999999999999")


def test_windows_take_every_field_of_a_recorded_one() -> None:
    window = {"start": LONG[0][0], "end": LONG[0][1], "basis": "derived", "quote": "about two days"}
    assert ask({**PERIOD, "windows": [window]}, terms(TIERS))["eligible_downtime_seconds"] == 49 * 3_600
    assert "basis 'guess' is not one of stated, measured" in refused(
        {**PERIOD, "windows": [{**window, "basis": "guess"}]}, terms(TIERS)
    )
    assert "quote 5 is not text" in refused({**PERIOD, "windows": [{**window, "quote": 5}]}, terms(TIERS))


# ---- money and days of service ---------------------------------------------------------------------------------------

UNLIKE = """format = 2
policy = "unlike"
in_force_from = 2000-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[[commitments]]
name = "a"
measure = { of = "time" }
counting = { effects = ["outage"] }
tiers = [{ availability_at_least = "0", credit_percent = "10" }]
[[commitments]]
name = "b"
measure = { of = "time" }
counting = { effects = ["outage"] }
tiers = [{ availability_at_least = "0", service_days = "3" }]
[credit]
rounding = "half-up"
"""


def given(facts: dict[str, Any], text: str) -> tuple[Any, ...]:
    answer = ask({**PERIOD, **FEE, **facts}, text)
    names = ("credit_at_least", "credit_at_most", "service_days_at_least", "service_days_at_most", "decides")
    return tuple(answer[name] for name in names)


def test_the_best_of_money_and_days_is_the_best_of_each_and_the_linter_says_so() -> None:
    assert given({"downtime_minutes": 5}, UNLIKE) == ("10.00", "10.00", "3", "3", None)
    lint = CliRunner().invoke(main, ["policy", "lint", "-", "--json"], input=UNLIKE)
    (finding,) = (one for one in json.loads(lint.stdout)["findings"] if one["kind"] == "unlike-remedies")
    assert finding["level"] == "warning"
    assert finding["sentence"].startswith(
        "stacking.commitments is best-of, but money (of a) and days of service (of b) cannot be compared"
    )
    for rule in ("choose-one", "sum"):
        text = UNLIKE + f'[stacking]\ncommitments = "{rule}"\n'
        assert "unlike-remedies" not in CliRunner().invoke(main, ["policy", "lint", "-"], input=text).output


def test_who_chooses_one_of_money_and_days_gets_no_other() -> None:
    text = UNLIKE + '[stacking]\ncommitments = "choose-one"\n'
    open_choice = given({"downtime_minutes": 5}, text)
    assert open_choice == ("0.00", "10.00", "0", "3", "which of the commitments the customer chooses")
    assert given({"downtime_minutes": 5, "chosen": "a"}, text)[:4] == ("10.00", "10.00", "0", "0")
    assert given({"downtime_minutes": 5, "chosen": "b"}, text)[:4] == ("0.00", "0.00", "3", "3")


# ---- more days than there are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["bad-days", "consecutive-days"])
def test_no_more_days_are_bad_than_the_period_has(measure: str) -> None:
    text = terms(VALUES, measure=f'of = "{measure}"', counting='share_above = "0.01"').replace(
        'effects = ["outage"]\n', 'effects = ["outage"]\n' if measure == "consecutive-days" else ""
    )
    text = text.replace("[measure]", '[measure]\nreads = ["messages"]')
    assert ask({**PERIOD, **FEE, "value": 30}, text)["value"] == "30"
    sentence = "value {} is more days than the 30 of the period 2025-06; correct it, or state a longer period"
    assert refused({**PERIOD, **FEE, "value": 31}, text) == sentence.format("31")
    assert refused({**PERIOD, **FEE, "value_at_least": 31}, text) == sentence.format("31")
    # Of whole days more than 30 are 31.
    assert refused({**PERIOD, **FEE, "value_above": 30}, text) == sentence.format("31")
    assert ask({**PERIOD, **FEE, "value_at_most": 31}, text)["value_at_most"] == "31"
    assert refused({"period_days": 10, "value": 11}, text).startswith("value 11 is more days than the 10 of")


# ---- facts beside what happened --------------------------------------------------------------------------------------


def test_facts_that_decide_nothing_are_warned_of() -> None:
    down = {**PERIOD, **FEE, "downtime_minutes": "60"}
    assert "warnings" not in ask(down, terms(TIERS))
    assert ask({**down, "credited_before": "5.00"}, terms(TIERS))["warnings"] == [
        "the policy limits no months together (limits.rolling_percent), so that credited_before takes nothing away"
    ]
    limited = terms(TIERS, more='[limits]\nrolling_percent = "50"\n')
    assert "warnings" not in ask({**down, "credited_before": "5.00"}, limited)
    times = {"incident_end": "2025-06-01T00:00:00Z", "claimed_at": "2025-06-03T00:00:00Z"}
    assert ask({**down, **times}, terms(TIERS))["warnings"] == [
        "the policy pays without a claim, so that incident_end and claimed_at set no deadline"
    ]
    for name in ("incident_end", "eligible_at", "claimed_at", "revised_at"):
        assert ask({**down, name: "2025-06-03T00:00:00Z"}, terms(TIERS))["warnings"] == [
            f"the policy pays without a claim, so that {name} sets no deadline"
        ]
    on_request = '[claim]\nhow = "on-request"\nwithin = "5 days"\nanchor = "incident-end"\n'
    assert "warnings" not in ask({**down, **times}, terms(TIERS, more=on_request))


def test_terms_that_were_not_in_force_yet_answer_with_a_warning() -> None:
    text = terms(TIERS).replace("in_force_from = 2000-01-01", "in_force_from = 2025-06-15")
    assert ask({**PERIOD, **FEE, "downtime_minutes": "60"}, text)["warnings"] == [
        "the policy is in force from 2025-06-15, and 2025-06 begins before; a run of credits takes the terms in force on the first "
        "day of a period"
    ]
    assert "warnings" not in ask({"period": "2025-07", **FEE, "downtime_minutes": "60"}, text)
    # Who signs them on their first day has them from then on, where they hold for a term.
    signed = {**PERIOD, **FEE, "downtime_minutes": "60", "term_start": "2025-06-15"}
    assert "warnings" not in ask(signed, f'{text}[version]\nrule = "frozen-for-term"\n')
    assert "warnings" in ask(signed, text)
    # Only a length is no time at which terms were in force, or not.
    assert "warnings" not in ask({"period_days": 30, **FEE, "downtime_minutes": "60"}, text)
