"""Facts that fit the terms and the period just so, and those that just do not: what is taken, what is refused, what is warned of.

June 2025 has 720 hours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sla.asking import ask, ladder, refused, terms

TIERS = ladder([{"lt": "99.9", "credit": "10"}])
PERIOD = {"period": "2025-06"}
HOUR = 3_600
PLANNED = '[[exclusions]]\nkinds = ["planned-maintenance"]\n'
CUSTOMER = '[[exclusions]]\nkinds = ["customer"]\n'
FOUR_HOURS = 'most = "4 hours"\nmost_per = "period"\n'
NIGHTLY = '[[maintenance]]\nfrom = "23:00"\nto = "02:00"\n'
EMAIL = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"


def counted(text: str, facts: dict[str, Any]) -> tuple[Any, Any]:
    """The eligible seconds, and those that left the denominator."""
    answer = ask({**PERIOD, **facts}, text)
    return answer["eligible_downtime_seconds"], answer["removed_seconds"]


# ---- plain figures, of which a part was excluded ---------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", NIGHTLY])
def test_plain_excluded_time_needs_a_rule_for_what_is_recorded(more: str) -> None:
    """Maintenance that the policy itself names is no rule for what somebody states."""
    assert refused({**PERIOD, "downtime_hours": 5, "excluded_hours": 1}, terms(TIERS, more=more)) == (
        "excluded has no meaning: the policy excludes nothing (exclusions); leave it out"
    )


def test_all_excluded_time_may_have_been_down() -> None:
    text = terms(TIERS, more=PLANNED + 'treated = "removed"\n')
    facts = {"downtime_hours": 5, "excluded_downtime_hours": 2}
    assert counted(text, {**facts, "excluded_hours": 2}) == (3 * HOUR, 2 * HOUR)
    assert counted(text, facts) == (3 * HOUR, 2 * HOUR)


def test_all_downtime_may_have_been_excluded() -> None:
    assert counted(terms(TIERS, more=PLANNED), {"downtime_hours": 5, "excluded_downtime_hours": 5}) == (0, 0)


def test_which_rates_a_part_was_excluded_of_is_asked_for() -> None:
    facts = {"error_rates": [{"rate": "1", "buckets": 10}], "excluded_downtime_minutes": 1}
    text = terms(TIERS, measure='of = "error-rate"\nbucket = "1 minute"', more=PLANNED)
    assert refused({**PERIOD, **facts}, text) == (
        "excluded_downtime of 60 seconds stands beside error_rates, and of which of them it is a part is not known; state each rate "
        "without what was excluded of it"
    )


def test_as_much_as_a_limit_leaves_is_excluded_whole() -> None:
    """Of five hours down two were excluded, and two more hours besides: four, which is all that the limit lets be."""
    facts = {"downtime_hours": 5, "excluded_downtime_hours": 2, "excluded_hours": 4}
    assert counted(terms(TIERS, more=PLANNED + FOUR_HOURS), facts) == (3 * HOUR, 0)
    assert counted(terms(TIERS, more=PLANNED + FOUR_HOURS + CUSTOMER), facts) == (3 * HOUR, 0)


@pytest.mark.parametrize(
    ("more", "facts", "why"),
    [
        # Under the rule without a limit all of it would be excluded.
        (PLANNED + FOUR_HOURS + CUSTOMER, {"excluded_downtime_hours": 5}, "excluded_downtime of 18000 seconds does not say under which rule it falls"),
        (PLANNED + FOUR_HOURS + CUSTOMER, {"excluded_hours": 5}, "excluded of 18000 seconds does not say under which rule it falls"),
        # That second may be among the four hours that the limit leaves, or not.
        (PLANNED + FOUR_HOURS, {"excluded_downtime_seconds": 1, "excluded_hours": 5},
         "excluded_downtime of 1 second does not say what of it the limit of the rule leaves"),
    ],
)  # fmt: skip
def test_excluded_time_beyond_a_limit_has_to_say_where_it_was(
    more: str, facts: dict[str, Any], why: str
) -> None:
    assert refused({**PERIOD, "downtime_hours": 6, **facts}, terms(TIERS, more=more)) == (
        f"{why}; state windows and exclusions with their times instead"
    )


def test_excluded_time_that_was_all_up_or_all_down_is_cut_by_the_limit() -> None:
    text = terms(TIERS, more=PLANNED + FOUR_HOURS + 'treated = "removed"\n')
    assert counted(text, {"downtime_hours": 6, "excluded_hours": 5}) == (6 * HOUR, 4 * HOUR)
    assert counted(text, {"downtime_hours": 6, "excluded_downtime_hours": 5}) == (2 * HOUR, 4 * HOUR)


# ---- longer than the period ------------------------------------------------------------------------------------------


def test_the_last_bucket_may_be_a_part_of_one() -> None:
    """Twelve minutes are two buckets of five, and two minutes of a third; there is no fourth."""
    text = terms(TIERS, measure='of = "error-rate"\nbucket = "5 minutes"')
    twelve: dict[str, Any] = {"period_minutes": 12, "error_rates": [{"rate": "1", "buckets": 3}]}
    assert ask(twelve, text)["availability"] == "0.000000000000"
    twelve["error_rates"] = [{"rate": "0.1", "buckets": 4}]
    assert refused(twelve, text) == (
        "error_rates of 1200 seconds is longer than the period 720 seconds, which has 720 seconds; correct it, or state a longer period"
    )


def test_one_outage_of_a_whole_period_leaves_no_time_for_another() -> None:
    facts = {**PERIOD, "outages": [{"hours": 720}, {"hours": 1}]}
    assert refused(facts, terms(TIERS)) == (
        "outages together of 2595600 seconds is longer than the period 2025-06, which has 2592000 seconds; correct it, or state a "
        "longer period"
    )


def test_downtime_that_was_perhaps_longer_leaves_the_time_without_data() -> None:
    """An hour down or more, and a hundred without data: both were in June, whatever more was down of it."""
    answer = ask({**PERIOD, "downtime_hours_at_least": 1, "unobserved_hours": 100}, terms(TIERS))
    assert answer["eligible_downtime_seconds_at_least"] == HOUR


@pytest.mark.parametrize("of", ["affected-share", "user-minutes"])
def test_halves_of_the_users_may_have_been_down_at_once(of: str) -> None:
    halves = {"outages": [{"hours": "400", "share": "0.5"}, {"hours": "400", "share": "0.5"}]}
    assert counted(terms(TIERS, measure=f'of = "{of}"'), halves) == (400 * HOUR, 0)


# ---- what terms read -------------------------------------------------------------------------------------------------


def commitment(name: str, of: str, more: str = "") -> str:
    return (
        f'[[commitments]]\nname = "{name}"\n[commitments.measure]\nof = "{of}"\n{more}[[commitments.tiers]]\n'
        'value_below = "1"\ncredit_percent = "0"\n[[commitments.tiers]]\nvalue_at_least = "1"\ncredit_percent = "3"\n'
    )


def several(*commitments: str) -> str:
    return (
        'format = 2\npolicy = "case"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'{"".join(commitments)}[credit]\nrounding = "half-up"\n'
    )


UP = (
    '[[commitments]]\nname = "up"\n[commitments.measure]\nof = "time"\n[commitments.counting]\neffects = ["outage"]\n'
    + TIERS.replace("[[tiers]]", "[[commitments.tiers]]")
)


@pytest.mark.parametrize(
    ("of", "more"),
    [
        ("bad-days", 'reads = ["messages"]\n[commitments.counting]\nshare_above = "0.5"\n'),
        ("consecutive-days", 'reads = ["messages"]\n[commitments.counting]\nshare_above = "0.5"\n'),
        ("events", '[commitments.counting]\neffects = ["outage"]\n'),
        ("latency", 'statistic = "p95"\n'),
    ],
)
def test_a_value_is_that_of_the_one_commitment_that_has_one(of: str, more: str) -> None:
    answer = ask({**PERIOD, "availability": "100", "value": "4"}, several(UP, commitment("other", of, more)))
    assert answer["credit_percent"] == "3"
    assert [one["value"] for one in answer["commitments"] if one["commitment"] == "other"] == ["4"]


def test_time_without_data_may_be_stated_under_an_error_rate() -> None:
    """Of the first day 12 hours were seen, in which all failed: half of it, and the rest of the month is not known to have failed."""
    text = terms(TIERS, measure='of = "error-rate"\nbucket = "1 hour"\nmissing = "excluded"')
    seen = ["2025-06-01T00:00:00Z", "2025-06-01T12:00:00Z"]
    failed = {"of": "requests", "start": seen[0], "end": seen[1], "failed": 9, "total": 9}
    answer = ask({**PERIOD, "measurements": [failed], "observed": [seen]}, text)
    assert (answer["removed_seconds"], answer["availability"]) == (708 * HOUR, "0.000000000000")


# ---- warnings --------------------------------------------------------------------------------------------------------

READS = terms(TIERS, measure='of = "time"\nreads = ["requests"]')


def lost(start: str, end: str) -> dict[str, Any]:
    return {"of": "requests", "start": f"{start}:00Z", "end": f"{end}:00Z", "failed": 1, "total": 2}


# What ends when June begins, and what begins when it ends.
MAY, JULY = ("2025-05-31T23:00", "2025-06-01T00:00"), ("2025-07-01T00:00", "2025-07-01T01:00")


@pytest.mark.parametrize(
    ("windows", "measurements", "named"),
    [
        ([MAY], [JULY], "no window and no measurement"),
        ([JULY], [MAY], "no window and no measurement"),
        ([JULY], [], "no window"),
        ([MAY], [], "no window"),
        ([], [MAY, JULY], "no measurement"),
    ],
)
def test_facts_that_only_touch_the_period_are_warned_of(
    windows: list[tuple[str, str]], measurements: list[tuple[str, str]], named: str
) -> None:
    facts = {
        "windows": [[f"{start}:00Z", f"{end}:00Z"] for start, end in windows],
        "measurements": [lost(*one) for one in measurements],
    }
    answer = ask({**PERIOD, **facts}, READS)
    assert (answer["eligible_downtime_seconds"], answer["warnings"]) == (
        0, [f"{named} lies in the period 2025-06, so that nothing of them counts"],
    )  # fmt: skip


@pytest.mark.parametrize("text", [terms(TIERS, more=NIGHTLY), EMAIL.read_text(encoding="utf-8")])
def test_what_a_policy_knows_by_itself_or_from_a_window_is_no_rule_for_exclusions(text: str) -> None:
    """Maintenance every night, and what a window says of its own plan: neither reads what is stated as excluded."""
    noon = ["2025-06-10T12:00:00Z", "2025-06-10T13:00:00Z"]
    answer = ask({**PERIOD, "windows": [noon], "exclusions": [noon]}, text)
    assert answer["eligible_downtime_seconds"] == HOUR
    assert answer["warnings"] == [
        "the policy has no rule for exclusions, so that nothing is excluded by those which are stated"
    ]


# ---- days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["bad-days", "consecutive-days"])
def test_a_period_has_no_more_bad_days_than_days(of: str) -> None:
    text = several(
        UP, commitment("other", of, 'reads = ["messages"]\n[commitments.counting]\nshare_above = "0.5"\n')
    )
    facts = {**PERIOD, "availability": "100"}
    assert ask({**facts, "value": "30"}, text)["credit_percent"] == "3"
    assert refused({**facts, "value": "31"}, text) == (
        "value 31 is more days than the 30 of the period 2025-06; correct it, or state a longer period"
    )


@pytest.mark.parametrize(
    ("of", "more"),
    [("events", '[commitments.counting]\neffects = ["outage"]\n'), ("latency", 'statistic = "p95"\n')],
)
def test_a_value_that_is_no_days_may_be_more_than_a_period_has(of: str, more: str) -> None:
    text = several(UP, commitment("other", of, more))
    assert ask({**PERIOD, "availability": "100", "value": "31"}, text)["credit_percent"] == "3"


# ---- times of a claim ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("eligible_at",), ("revised_at",), ("incident_end", "claimed_at")])
def test_times_of_a_claim_decide_nothing_where_none_is_asked_for(names: tuple[str, ...]) -> None:
    facts = dict.fromkeys(names, "2025-06-20T00:00:00Z")
    answer = ask({**PERIOD, "availability": "100", **facts}, terms(TIERS))
    verb = "sets" if len(names) == 1 else "set"
    assert answer["warnings"] == [
        f"the policy pays without a claim, so that {' and '.join(names)} {verb} no deadline"
    ]
