"""Why of several commitments, incidents and limits: what each pays, which of them is paid, and what each limit leaves.

June 2025 has 30 days, which are 720 hours: 5 of them are 99.3%, and 8 are 98.9%.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sla.asking import ask, terms

Answer = dict[str, Any]
JUNE: Answer = {"period": "2025-06"}
FEE: Answer = {"fee": "100.00", "currency": "USD"}
UP = """[[commitments]]
name = "up"
measure = { of = "time" }
counting = { effects = ["outage"] }
tiers = [
  { availability_at_least = "99.9", credit_percent = "0" },
  { availability_at_least = "99", availability_below = "99.9", credit_percent = "10" },
  { availability_below = "99", credit_percent = "25" },
]
"""
SENT = """[[commitments]]
name = "sent"
measure = { of = "messages" }
tiers = [
  { availability_at_least = "99", credit_percent = "0" },
  { availability_below = "99", PAYS },
]
"""
BY_PERCENT, BY_SUM = 'credit_percent = "20"', 'credit_fixed = { USD = "15.00" }'


def several(rule: str, pays: str = BY_PERCENT, more: str = "") -> str:
    return (
        'format = 2\npolicy = "case"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'{UP}{SENT.replace("PAYS", pays)}[credit]\nrounding = "half-up"\n[stacking]\ncommitments = "{rule}"\n{more}'
    )


def down(hours: int, **more: Any) -> Answer:
    return {
        "start": "2025-06-10T00:00:00Z",
        "end": f"2025-06-10T{hours:02}:00:00Z",
        "incident": "one",
        **more,
    }


LOST = {
    "of": "messages",
    "start": "2025-06-10T00:00:00Z",
    "end": "2025-06-10T05:00:00Z",
    "failed": 5,
    "total": 10,
}
BOTH: Answer = {**JUNE, "windows": [down(5)], "measurements": [LOST]}


def why(facts: Answer, text: str) -> list[str]:
    found: list[str] = ask(facts, text)["why"]
    return found


def test_each_commitment_is_explained_by_name_and_the_one_that_pays_most_is_named() -> None:
    assert why({**BOTH, **FEE}, several("best-of")) == [
        "up: 5 hours of eligible downtime (5 hours in all, 0 seconds of it not counted) in 30 days",
        "up: availability 99.305555555556%",
        "up: availability at least 99% and below 99.9%: 10% of fee",
        "sent: 5 of 10 messages failed",
        "sent: availability 50.000000000000%",
        "sent: availability below 99%: 20% of fee",
        "up pays 10.00 USD",
        "sent pays 20.00 USD",
        "the commitment that pays most is paid: sent",
        "of 100.00 USD that is 20.00 USD, rounded half-up",
    ]


def test_what_is_counted_perhaps_is_told_beside_what_is_counted() -> None:
    """Of a measurement that goes on into July nobody knows how much of it was in June."""
    on = {**LOST, "start": "2025-06-30T00:00:00Z", "end": "2025-07-01T12:00:00Z", "failed": 3, "total": 7}
    assert "sent: 5 of 10 messages failed, and perhaps 3 of 7 more" in why(
        {**BOTH, "measurements": [LOST, on]}, several("best-of")
    )


@pytest.mark.parametrize(
    ("rule", "chosen", "said", "paid"),
    [
        ("sum", {}, "what the commitments pay is added up", "30.00 USD"),
        ("choose-one", {}, "the customer chooses one of the commitments that pay", "from 10.00 to 20.00 USD"),
        ("choose-one", {"chosen": "up"}, "the customer chose up", "10.00 USD"),
    ],
)
def test_how_commitments_become_one_amount_is_said(rule: str, chosen: Answer, said: str, paid: str) -> None:
    assert why({**BOTH, **FEE, **chosen}, several(rule))[6:10] == [
        "up pays 10.00 USD", "sent pays 20.00 USD", said, f"of 100.00 USD that is {paid}, rounded half-up",
    ]  # fmt: skip


def test_without_a_fee_parts_of_it_are_told() -> None:
    assert why(BOTH, several("best-of"))[6:] == [
        "up pays 10% of fee", "sent pays 20% of fee", "the commitment that pays most is paid: sent",
    ]  # fmt: skip


ANY = {**JUNE, "failed": 5, "total": 10}


@pytest.mark.parametrize(
    ("facts", "pays", "best"),
    [
        # From 10% on, and 25% at most: neither is surely more than 20%.
        ({**ANY, "availability_above": "98", "availability_below": "99.5"}, BY_PERCENT, ""),
        ({**ANY, "availability_below": "98"}, BY_PERCENT, ": up"),
        # 15 USD are more than a quarter of a small fee, and less than one of a great one.
        ({**ANY, "availability_below": "98", "currency": "USD"}, BY_SUM, ""),
        # Nothing is no most.
        ({**JUNE, "failed": 0, "total": 10, "availability": "100"}, BY_PERCENT, ""),
    ],
)
def test_a_commitment_is_named_as_paying_most_only_where_it_does_for_every_fee(
    facts: Answer, pays: str, best: str
) -> None:
    (said,) = (one for one in why(facts, several("best-of", pays)) if one.startswith("the commitment that"))
    assert said == f"the commitment that pays most is paid{best}"


def test_what_a_sum_is_worth_takes_a_currency_and_a_fee() -> None:
    text = several("best-of", BY_SUM)
    assert why({**BOTH, "currency": "USD"}, text)[6:8] == [
        "up pays 10% of fee", "sent pays a sum that takes the fee, and its currency, to be known",
    ]  # fmt: skip
    assert why({**BOTH, **FEE}, text)[6:8] == ["up pays 10.00 USD", "sent pays 15.00 USD"]
    assert why(BOTH, text)[6:8] == ["up pays 10% of fee", "the commitment that pays most is paid"]
    # Nothing at least, and a sum at most.
    bounded = why(
        {**ANY, "availability": "100", "total": None, "total_at_least": 10, "currency": "USD"}, text
    )
    assert "sent pays a sum that takes the fee, and its currency, to be known" in bounded


# ---- incidents -------------------------------------------------------------------------------------------------------


SLOW = (
    SENT.replace("sent", "slow")
    .replace('"messages" }', '"time" }\ncounting = { effects = ["degraded"] }')
    .replace("PAYS", BY_PERCENT)
)
# The incident two is slow for two hours more than it is down.
TWO = {
    **JUNE, "windows": [
        down(5), down(8, incident="two"), down(10, incident="two", effect="degraded"),
        {"start": "2025-06-12T00:00:00Z", "end": "2025-06-12T00:30:00Z", "incident": "three"},
    ],
}  # fmt: skip


def by_incident(rule: str, commitments: str = "best-of") -> str:
    return (
        'format = 2\npolicy = "case"\nin_force_from = 2000-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'{UP}{SLOW}[credit]\nrounding = "half-up"\n[stacking]\ncommitments = "{commitments}"\nincidents = "{rule}"\n'
    )


def test_of_each_incident_each_commitment_is_explained() -> None:
    """30 minutes are 99.93%; 8 hours down are 98.9%, and 10 hours slow 98.6%."""
    assert why({**TWO, **FEE}, by_incident("best-of", "sum")) == [
        'each incident is looked at alone, and the one that pays most is paid (stacking.incidents = "best-of")',
        "incident one: up: 5 hours of eligible downtime (5 hours in all, 0 seconds of it not counted) in 30 days",
        "incident one: up: availability 99.305555555556%",
        "incident one: up: availability at least 99% and below 99.9%: 10% of fee",
        "incident one: slow: 0 seconds of eligible downtime (5 hours in all, 5 hours of it not counted) in 30 days",
        "incident one: slow: not counted: 5 hours of outage, which does not count",
        "incident one: slow: availability 100.000000000000%",
        "incident one: slow: availability at least 99%: 0% of fee",
        "incident one: up pays 10.00 USD",
        "incident one: slow pays 0.00 USD",
        "incident one: what the commitments pay is added up",
        "incident one pays 10.00 USD",
        "incident three: up: 30 minutes of eligible downtime (30 minutes in all, 0 seconds of it not counted) in 30 days",
        "incident three: up: availability 99.930555555556%",
        "incident three: up: availability at least 99.9%: 0% of fee",
        "incident three: slow: 0 seconds of eligible downtime (30 minutes in all, 30 minutes of it not counted) in 30 days",
        "incident three: slow: not counted: 30 minutes of outage, which does not count",
        "incident three: slow: availability 100.000000000000%",
        "incident three: slow: availability at least 99%: 0% of fee",
        "incident three: up pays 0.00 USD",
        "incident three: slow pays 0.00 USD",
        "incident three: what the commitments pay is added up",
        "incident three pays 0.00 USD",
        "incident two: up: 8 hours of eligible downtime (10 hours in all, 2 hours of it not counted) in 30 days",
        "incident two: up: not counted: 2 hours of degraded, which does not count",
        "incident two: up: availability 98.888888888889%",
        "incident two: up: availability below 99%: 25% of fee",
        "incident two: slow: 10 hours of eligible downtime (10 hours in all, 0 seconds of it not counted) in 30 days",
        "incident two: slow: availability 98.611111111111%",
        "incident two: slow: availability below 99%: 20% of fee",
        "incident two: up pays 25.00 USD",
        "incident two: slow pays 20.00 USD",
        "incident two: what the commitments pay is added up",
        "incident two pays 45.00 USD",
        "no incident pays more than incident two",
        "of 100.00 USD that is 45.00 USD, rounded half-up",
    ]


@pytest.mark.parametrize(
    ("rule", "how", "best", "paid"),
    [
        (
            "best-of",
            "the one that pays most is paid",
            ["no incident pays more than incident two"],
            "25.00 USD",
        ),
        ("sum", "what they pay is added up", [], "35.00 USD"),
        ("choose-one", "the customer chooses one of those that pay", [], "from 10.00 to 25.00 USD"),
    ],
)
def test_how_incidents_become_one_amount_is_said(rule: str, how: str, best: list[str], paid: str) -> None:
    found = why({**TWO, **FEE}, by_incident(rule))
    assert found[0] == f'each incident is looked at alone, and {how} (stacking.incidents = "{rule}")'
    pays = found.index("incident two pays 25.00 USD")
    assert found[pays + 1 :][: len(best) + 1] == [*best, f"of 100.00 USD that is {paid}, rounded half-up"]
    alone = why({**JUNE, **FEE, "windows": [down(5)]}, by_incident(rule))
    assert "incident one pays 10.00 USD" in alone
    assert not any(line.startswith("no incident pays more") for line in alone)
    chosen = why({**TWO, **FEE, "chosen": "slow"}, by_incident(rule, "choose-one"))
    assert [line for line in chosen if line in ("incident one pays 0.00 USD", "incident two pays 20.00 USD")] == [
        "incident one pays 0.00 USD", "incident two pays 20.00 USD",
    ]  # fmt: skip
    nobody = why({**JUNE, **FEE, "windows": []}, by_incident(rule))
    assert nobody[0] == f'no incident counts; each would be looked at alone (stacking.incidents = "{rule}")'


def test_what_is_paid_at_least_and_at_most_is_a_part_of_the_fee_only_where_both_are() -> None:
    """At least the lesser of 10% and 15 USD, and at most 25%."""
    facts = {**ANY, "availability_above": "98", "availability_below": "99.5", "currency": "USD"}
    assert "up pays 10% to 25% of fee" in why(facts, several("best-of"))
    lesser = several("best-of").replace(
        'credit_percent = "10"', 'credit_percent = "10", credit_fixed = { USD = "15.00" }, take = "lesser"'
    )
    assert "up pays a sum that takes the fee, and its currency, to be known" in why(facts, lesser)


def test_what_an_incident_pays_may_be_a_sum() -> None:
    text = by_incident("sum").replace('credit_percent = "10"', BY_SUM)
    assert "incident one pays 15.00 USD" in why({**TWO, **FEE}, text)
    # In a currency that nobody said it is nothing to tell.
    assert [line for line in why(TWO, text) if line.endswith(" of fee") and " pays " in line] == [
        "incident one: slow pays 0% of fee", "incident three: up pays 0% of fee", "incident three: slow pays 0% of fee",
        "incident three pays 0% of fee", "incident two: up pays 25% of fee", "incident two: slow pays 20% of fee",
        "incident two pays 25% of fee",
    ]  # fmt: skip


# ---- limits ----------------------------------------------------------------------------------------------------------

BLOCKS = '[[tiers]]\ncredit_percent = "5"\nper = "block"\nblock = "30 minutes"\nblocks = "begun"\n'
# 34 begun half hours, 5% each.
LONG: Answer = {**JUNE, "downtime_minutes": 1_000}


@pytest.mark.parametrize(
    ("limits", "facts", "said"),
    [
        ('amount = { USD = "50.00" }', FEE, ["before limits that is 170.00 USD, of which limits.amount leaves 50.00 USD"]),
        ('percent = "100"\namount = { USD = "50.00" }', FEE, [
            "before limits that is 170.00 USD, of which limits.percent leaves 100.00 USD", "of 100.00 USD limits.amount leaves 50.00 USD",
        ]),
        ('percent = "100"\namount = { USD = "50.00" }\nrolling_percent = "100"\nrolling_months = 12', {**FEE, "credited_before": "70.00"}, [
            "before limits that is 170.00 USD, of which limits.percent leaves 100.00 USD", "of 100.00 USD limits.amount leaves 50.00 USD",
            "of 50.00 USD limits.rolling_percent leaves 30.00 USD",
        ]),
        ('rolling_percent = "100"\nrolling_months = 12', {**FEE, "credited_before": "0.00"},
         ["before limits that is 170.00 USD, of which limits.rolling_percent leaves 100.00 USD"]),
        # Of 2 to 34 half hours.
        ('percent = "100"\namount = { USD = "50.00" }', {**FEE, "downtime_minutes": None, "downtime_minutes_at_least": 60, "downtime_minutes_at_most": 1_000}, [
            "before limits that is 10.00 to 170.00 USD, of which limits.percent leaves 10.00 to 100.00 USD",
            "of 10.00 to 100.00 USD limits.amount leaves 10.00 to 50.00 USD",
        ]),
        # What is more than is owed cuts nothing.
        ('amount = { USD = "500.00" }', FEE, []),
        # Which of a sum and a part of the fee is less takes the fee to be known.
        ('amount = { USD = "50.00" }', {"currency": "USD"},
         ["before limits that is 170% of fee, of which limits.amount leaves a sum that takes the fee, and its currency, to be known"]),
        # A sum is of a currency, and none was said.
        ('amount = { USD = "50.00" }', {}, []),
        ('percent = "100"\namount = { USD = "50.00" }', {}, ["before limits that is 170% of fee, of which limits.percent leaves 100% of fee"]),
    ],
)  # fmt: skip
def test_what_each_limit_leaves_is_said_in_their_order(limits: str, facts: Answer, said: list[str]) -> None:
    found = why({**LONG, **facts}, terms(BLOCKS, more=f"[limits]\n{limits}\n"))
    assert [line for line in found if "limits." in line] == said
    before = [line for line in found if line.startswith("credited before")]
    assert before == ([f"credited before: {facts['credited_before']} USD"] if "rolling" in limits else [])


def test_a_limit_may_leave_a_part_of_a_sum() -> None:
    text = terms(
        '[[tiers]]\ncredit_fixed = { USD = "60.00" }\n', more='[limits]\namount = { USD = "50.00" }\n'
    )
    assert "before limits that is 60.00 USD, of which limits.amount leaves 50.00 USD" in why(
        {**LONG, **FEE}, text
    )


def test_a_limit_is_one_of_what_the_customer_chose() -> None:
    limits = '[limits]\namount = { USD = "15.00" }\n'
    text = several("choose-one", more=limits)
    leaves = "before limits that is {}, of which limits.amount leaves {}"
    assert leaves.format("10.00 to 20.00 USD", "10.00 to 15.00 USD") in why({**BOTH, **FEE}, text)
    assert leaves.format("20.00 USD", "15.00 USD") in why({**BOTH, **FEE, "chosen": "sent"}, text)
    assert not any("limits" in line for line in why({**BOTH, **FEE, "chosen": "up"}, text))


def test_a_limit_of_days_is_one_of_what_the_customer_chose() -> None:
    """Ten days of service for what was lost and four for what was down, of which there are six at most."""
    text = several("choose-one", 'service_days = "10"', '[limits]\ndays = "6"\n').replace(
        'credit_percent = "10"', 'service_days = "4"'
    )
    assert "of 4 to 10 days of service limits.days leaves 4 to 6" in why(BOTH, text)
    assert "of 10 days of service limits.days leaves 6" in why({**BOTH, "chosen": "sent"}, text)
    assert not any("limits" in line for line in why({**BOTH, "chosen": "up"}, text))


def test_what_was_credited_before_takes_a_currency() -> None:
    text = terms(BLOCKS, more='[limits]\nrolling_percent = "100"\nrolling_months = 12\n')
    assert why(LONG, text)[-1] == "credited before: nothing, as far as was said"


# ---- amounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pays", "facts", "said"),
    [
        ('credit_percent = "10"', FEE, "of 100.00 USD that is 10.00 USD, rounded half-up"),
        # A sum is no part of the fee, which need not be known.
        ('credit_fixed = { USD = "12.50" }', FEE, "that is 12.50 USD, rounded half-up"),
        ('credit_fixed = { USD = "12.50" }', {"currency": "USD"}, "that is 12.50 USD, rounded half-up"),
        ('credit_percent = "10"\ncredit_fixed = { USD = "12.50" }\ntake = "sum"', FEE, "of 100.00 USD that is 22.50 USD, rounded half-up"),
        ('credit_percent = "10"\ncredit_fixed = { USD = "12.50" }\ntake = "lesser"', FEE, "of 100.00 USD that is 10.00 USD, rounded half-up"),
        ('credit_percent = "0"', FEE, "of 100.00 USD that is 0.00 USD, rounded half-up"),
        ('credit_percent = "10"', {"currency": "USD"}, None),
        ('credit_percent = "10"', {}, None),
    ],
)  # fmt: skip
def test_what_is_paid_is_said_to_be_of_the_fee_where_it_is(
    pays: str, facts: Answer, said: str | None
) -> None:
    found = why({**LONG, **facts}, terms(f"[[tiers]]\n{pays}\n"))
    assert [line for line in found if "rounded" in line] == ([] if said is None else [said])
