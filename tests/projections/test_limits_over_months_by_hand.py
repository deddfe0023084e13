"""Limits over several months, row by row: what earlier and later months leave of them, and which documents a row then names."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refused
from projections.earlier_credits import Earlier
from tests.projections.pricing import APRIL, EACH_MINUTE, column, policy, priced, subscribed, window, worked

# 2.5 hours, so that a tenth of the fee is owed.
OUTAGE = window("2022-03-14T10:00", "2022-03-14T12:30")


def limited(key: str = "p", months: int = 3, **other: Any) -> Any:
    """Terms that pay a tenth of the fee, and a fifth of it over so many months."""
    return policy(key, more=f'[limits]\nrolling_percent = "20"\nrolling_months = {months}\n', **other)


def said(ago: int, cents: int, currency: str = "USD", entry: str = "statement/main v1") -> Earlier:
    return Earlier(ago, cents, currency, entry)


def statements(row: dict[str, Any]) -> list[str]:
    return [entry for entry in row["entries"] if entry.startswith("statement/")]


def test_rows_are_paid_what_the_months_around_leave() -> None:
    """Of 100.00 a tenth is owed, and 20.00 may be paid in any three months. In no order, beside terms without such a limit."""
    amounts = {
        "free": [said(1, 2_000)], "late": [said(-1, 1_200, entry="statement/main v3")], "some": [said(1, 1_500)], "never": [],
        "long-ago": [said(3, 2_000)], "all": [said(1, 900), said(2, 1_100, entry="statement/other v2")],
        # 5.00 in a later month leave 15.00 of the 20.00: nothing changes, and the row does not rest on it.
        "little-later": [said(-1, 500, entry="statement/main v3")], "yen": [said(2, 150, "JPY", "statement/main v9")],
        "most": [said(1, 5_000)],
    }  # fmt: skip
    lines = [
        subscribed("free", policy="q"), subscribed("late"), subscribed("unknown"),
        *(subscribed(name) for name in ("some", "never", "long-ago", "all", "little-later", "most")),
        subscribed("yen", currency="JPY", fee="1000"), subscribed("sums", policy="sums", fee="7.00"),
    ]  # fmt: skip
    sums = policy("sums", more='[limits]\nonly_above = { USD = "0.50" }\n')
    done = worked(
        lines,
        [OUTAGE],
        limited(),
        policy("q"),
        sums,
        credited={key: tuple(one) for key, one in amounts.items()},
    )
    found = priced(
        lines,
        [OUTAGE],
        limited(),
        policy("q"),
        sums,
        credited={key: tuple(one) for key, one in amounts.items()},
    )
    assert column(found, "credit") == {
        "free": "10.00", "late": "8.00", "unknown": "10.00", "some": "5.00", "never": "10.00", "long-ago": "10.00", "all": "0.00",
        "little-later": "10.00", "most": "0.00", "yen": "50", "sums": "0.70",
    }  # fmt: skip
    assert column(found, "credit_at_least") == column(found, "credit_at_most") == column(found, "credit")
    assert {name: statements(row) for name, row in found.items() if statements(row)} == {
        "late": ["statement/main v3"], "some": ["statement/main v1"], "all": ["statement/main v1", "statement/other v2"],
        "yen": ["statement/main v9"], "most": ["statement/main v1"],
    }  # fmt: skip
    # Beside them stands what they rested on anyway, in order.
    assert found["all"]["entries"] == ["incident/i v2", "policy/p v1", "statement/main v1", "statement/other v2"]  # fmt: skip
    assert found["free"]["entries"] == ["incident/i v2", "policy/q v1"]
    names = done.frame["subscription"].tolist()
    assert {names[row]: amount for row, amount in done.before.items()} == {
        "late": 1_200, "some": 1_500, "all": 2_000, "yen": 150, "most": 5_000,
    }  # fmt: skip
    # Which rows share an assessment stays what it was: those under the same terms.
    assert [done.groups[code].policy.key for code in done.codes.tolist()] == [
        {"free": "q", "sums": "sums"}.get(name, "p") for name in names
    ]


def test_bounds_are_held_to_what_is_left_at_both_ends() -> None:
    """An outage of half an hour that may have lasted another half: perhaps nothing, perhaps 10.00, of which 4.00 are left."""
    perhaps = window("2022-03-31T23:00", None)
    lines = [subscribed("a"), subscribed("b"), subscribed("c")]
    credited = {"b": (said(1, 1_600),), "c": (said(-1, 500),)}
    found = priced(lines, [perhaps], limited(), as_of=APRIL - 1800, credited=credited)
    assert column(found, "credit", "credit_at_least", "credit_at_most") == {
        "a": (None, "0.00", "10.00"), "b": (None, "0.00", "4.00"), "c": (None, "0.00", "10.00"),
    }  # fmt: skip
    # 17.00 in a later month leave 3.00 of what may be owed, though nothing changes of what is owed at least.
    found = priced(lines, [perhaps], limited(), as_of=APRIL - 1800, credited={"a": (said(-1, 1_700),)})
    assert (found["a"]["credit_at_least"], found["a"]["credit_at_most"]) == ("0.00", "3.00")
    assert statements(found["a"]) == ["statement/main v1"]


def test_amounts_of_any_size_are_held_to_what_is_left() -> None:
    """A fifth of the largest fee there is, of which 3 were paid."""
    most = 2**63 - 1
    lines = [subscribed("large", currency="JPY", fee=str(most))]
    half = policy(steps={"99.9": "50"}, more='[limits]\nrolling_percent = "20"\n')
    found = priced(lines, [OUTAGE], half, credited={"large": (said(1, 3, "JPY"),)})
    assert found["large"]["credit"] == str(most // 5 - 3)


@pytest.mark.parametrize(
    ("over", "period", "zone", "since", "counts", "not_any_more"),
    [
        # The calendar year of the month: March has had two months, October nine.
        ("calendar-year", "2022-03", "UTC", "2021-02-01", 2, 3), ("calendar-year", "2021-10", "UTC", "2021-02-01", 9, 10),
        # Midnight of Tokyo is in the afternoon: the month that ends there is still March.
        ("calendar-year", "2022-03", "Asia/Tokyo", "2021-02-01", 2, 3),
        # The year of the contract: since February, and since last May.
        ("contract-year", "2022-03", "UTC", "2021-02-15", 1, 2), ("contract-year", "2022-03", "UTC", "2021-05-01", 10, 11),
        ("contract-year", "2022-03", "UTC", "2021-03-31", None, 1),
        # Months are counted back from the month, whatever the year.
        ("months", "2022-03", "UTC", "2021-05-01", 3, 4),
    ],
)  # fmt: skip
def test_a_limit_looks_over_months_or_over_a_year(
    over: str, period: str, zone: str, since: str, counts: int | None, not_any_more: int
) -> None:
    """18.00 credited so many months ago leave 2.00; a month before that they leave all."""
    more = f'[limits]\nrolling_percent = "20"\nrolling_over = "{over}"\n'
    terms = policy(more=more + ("rolling_months = 4\n" if over == "months" else ""), zone=zone)
    outage = window(f"{period}-14T10:00", f"{period}-14T12:30")
    for ago, credit in ((counts, "2.00"), (not_any_more, "10.00")):
        if ago is not None:
            found = priced(
                [subscribed("a", since=since)],
                [outage],
                terms,
                period=period,
                credited={"a": (said(ago, 1_800),)},
            )
            assert (ago, found["a"]["credit"]) == (ago, credit)
            assert bool(statements(found["a"])) == (credit == "2.00")


def test_a_sum_of_a_currency_is_held_to_what_a_later_month_leaves() -> None:
    """A sum of 7.00, and 20.00 of 100.00 in three months, of which a later month was credited 15.00, or 13.00."""
    tiers = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\ncredit_fixed = { USD = "7.00" }\n'
    )
    credited = {"a": (said(-1, 1_500),), "b": (said(-1, 1_300),)}
    found = priced([subscribed("a"), subscribed("b")], [OUTAGE], limited(tiers=tiers), credited=credited)
    assert {name: (row["credit"], statements(row)) for name, row in found.items()} == {
        "a": ("5.00", ["statement/main v1"]), "b": ("7.00", []),
    }  # fmt: skip


def test_a_row_that_was_credited_in_another_currency_is_named() -> None:
    credited = {"b": (said(1, 100, "EUR"),), "free": (said(1, 100, "EUR"),)}
    lines = [subscribed("a"), subscribed("free", policy="q"), subscribed("b")]
    with pytest.raises(
        Refused,
        match=r"^subscription 'b' is billed in USD, and statement/main v1 credited 1\.00 EUR within the 3 months of",
    ):
        priced(lines, [OUTAGE], limited(), policy("q"), credited=credited)


def test_more_than_a_row_can_hold_is_refused_where_something_was_taken_back() -> None:
    """5 were taken back a month ago, so that 5 more than all of the fee may be paid, which is the largest there is."""
    most = 2**63 - 1
    whole = policy(tiers=EACH_MINUTE, more='[limits]\nrolling_percent = "100"\n')
    lines = [subscribed("usual"), subscribed("large", currency="JPY", fee=str(most))]
    with pytest.raises(
        Refused,
        match=f"^subscription 'large' would be credited {most + 5} JPY, and the most that a row can hold",
    ):
        priced(lines, [OUTAGE], whole, credited={"large": (said(1, -5, "JPY"),)})
    found = priced(lines, [OUTAGE], whole, credited={"large": (said(1, 5, "JPY"),)})
    assert found["large"]["credit"] == str(most - 5)
