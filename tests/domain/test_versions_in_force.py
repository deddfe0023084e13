"""Which version of a policy rules the period of a subscription: terms that hold for a term, and when the next one begins."""

from __future__ import annotations

import pytest

from ledger.domain.period import parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.policy.in_force import policy_in_force, renewals


def version(in_force_from: str, rule: str, months: int = 12) -> Policy:
    return parse_policy(
        f'format = 2\npolicy = "p"\nin_force_from = {in_force_from}\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n[[tiers]]\ncredit_percent = "10"\n[credit]\nrounding = "half-up"\n'
        + (f'[version]\nrule = "{rule}"\nterm_months = {months}\n' if rule != "in-force" else "")
    )


FROZEN, ON_RENEWAL, IN_FORCE = "frozen-for-term", "on-renewal", "in-force"


@pytest.mark.parametrize(
    ("versions", "term", "month", "rules"),
    [
        # Of all that were in force when the term began the last.
        ([("2020-01-01", FROZEN), ("2021-01-01", FROZEN), ("2021-06-01", FROZEN)], "2022-01-01", "2022-03", 3),
        # A term begins anew on the first day of the period: what holds from that day on rules it, and a day later the next one.
        ([("2020-01-01", FROZEN), ("2022-03-01", FROZEN)], "2021-03-01", "2022-03", 2),
        ([("2020-01-01", FROZEN), ("2022-03-01", FROZEN)], "2021-03-02", "2022-03", 1),
        ([("2020-01-01", FROZEN), ("2022-03-02", FROZEN)], "2021-03-02", "2022-04", 2),
        # A frozen term lasts as long as its own terms say, whatever the next ones do.
        ([("2020-01-01", FROZEN, 12), ("2022-07-01", FROZEN, 6)], "2022-01-01", "2022-12", 1),
        ([("2020-01-01", FROZEN, 12), ("2022-07-01", FROZEN, 6)], "2022-01-01", "2023-01", 2),
        ([("2020-01-01", FROZEN, 6), ("2022-07-01", FROZEN, 12)], "2022-01-01", "2022-08", 2),
        # Where no term was frozen, the new terms say how long one is.
        ([("2020-01-01", IN_FORCE), ("2022-07-01", ON_RENEWAL, 6)], "2022-01-01", "2022-08", 2),
        ([("2020-01-01", ON_RENEWAL, 6), ("2022-07-01", ON_RENEWAL, 12)], "2022-01-01", "2022-12", 1),
        ([("2020-01-01", ON_RENEWAL, 6), ("2022-07-01", ON_RENEWAL, 12)], "2022-01-01", "2023-01", 2),
        # A term that begins on the first day, or the last, of a period has the terms of that day.
        ([("2020-01-01", FROZEN), ("2022-03-01", FROZEN)], "2022-03-01", "2022-03", 2),
        ([("2020-01-01", FROZEN), ("2022-03-31", FROZEN)], "2022-03-31", "2022-03", 2),
        ([("2020-01-01", FROZEN), ("2022-04-01", FROZEN)], "2022-04-01", "2022-03", 1),
    ],
)  # fmt: skip
def test_a_term_has_its_terms_until_it_ends(
    versions: list[tuple[str, str] | tuple[str, str, int]], term: str, month: str, rules: int
) -> None:
    numbered = [(number, version(*one)) for number, one in enumerate(versions, 1)]
    assert policy_in_force(numbered, parse_period(month), term)[0] == rules


@pytest.mark.parametrize(
    ("begin", "months", "upto", "days"),
    [
        ("2021-03-01", 12, "2022-03-01", ["2022-03-01"]),
        ("2021-03-01", 12, "2022-02-28", []),
        ("2022-01-31", 1, "2022-04-30", ["2022-02-28", "2022-03-31", "2022-04-30"]),
    ],
)
def test_a_term_follows_the_one_before_it(begin: str, months: int, upto: str, days: list[str]) -> None:
    assert renewals(begin, months, upto) == days
