"""Sums and fees beyond 64 bits: a limit brings them back, or a sentence names what is wrong; nothing ends in an error of the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.credits import price, rows
from projections.subscriptions import table_of
from tests.finance.desk import Desk
from tools.terms import terms_2

_HEAD = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
_MOST = 2**63 - 1
_BLOCKS = (
    '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
    '[[tiers]]\navailability_below = "99.9"\ncredit_percent = "100"\nper = "block"\nblock = "1 minute"\n'
)


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    return Desk(sqlite_url, tmp_path)


@pytest.mark.parametrize("table", ["amount", "only_above"])
def test_a_sum_that_no_row_could_be_credited_is_refused_with_the_policy(desk: Desk, table: str) -> None:
    text = terms_2("cap", more=f'[limits]\n{table} = {{ USD = "99999999999999999999.00" }}\n')
    desk.file("cap.toml", text)
    said = (
        f"limits.{table}: amount '99999999999999999999.00' is more than {_MOST:,} minor units of USD, the most that a row can be "
        "credited; write a lower one, or leave it out"
    )
    assert said in desk.refused("policy", "publish", "cap.toml", "--actor", "f")
    assert said in desk.run("policy", "lint", "cap.toml").output
    desk.file("cap.toml", text.replace("99999999999999999999.00", f"{_MOST // 100}.{_MOST % 100:02}"))
    desk.ok("policy", "publish", "cap.toml", "--actor", "f")


def test_a_sum_of_a_tier_may_be_as_large_as_a_row_can_hold(desk: Desk) -> None:
    text = terms_2("sum").replace('credit_percent = "10"', f'credit_fixed = {{ JPY = "{_MOST}" }}')
    desk.file("sum.toml", text)
    desk.ok("policy", "publish", "sum.toml", "--actor", "f")
    desk.file("mine.csv", f"{_HEAD}a,one,email,EMEA,sum,JPY,1,2021-01-01,\n")
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    found = json.loads(
        desk.ok("credits", "compute", "--period", "2022-03", "--subscriptions", "mine", "--json")
    )
    assert found["rows"][0]["credit"] == str(_MOST)
    desk.file("sum.toml", text.replace(str(_MOST), str(_MOST + 1)))
    assert "credit_fixed" in desk.refused("policy", "publish", "sum.toml", "--actor", "f")


def test_a_row_that_would_be_credited_more_than_it_can_hold_is_named(desk: Desk) -> None:
    """Given all of the fee for each minute of four hours, then the largest fee comes to 240 times what a row can hold."""
    desk.file("blocks.toml", terms_2("blocks", tiers=_BLOCKS))
    desk.ok("policy", "publish", "blocks.toml", "--actor", "f")
    desk.file(
        "mine.csv",
        f"{_HEAD}a,small,email,EMEA,blocks,JPY,1,2021-01-01,\nb,large,email,EMEA,blocks,JPY,{_MOST},2021-01-01,\n",
    )
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    assert desk.refused("credits", "compute", "--period", "2022-03", "--subscriptions", "mine") == (
        f"ledger: subscription 'large' would be credited {240 * _MOST} JPY, and the most that a row can hold is {_MOST:,} minor units; "
        "correct its fee, or limit what policy 'blocks' pays"
    )


@pytest.mark.parametrize("limit", ['percent = "100"', f'amount = {{ JPY = "{_MOST}" }}'])
def test_what_a_limit_brings_back_is_credited(desk: Desk, limit: str) -> None:
    desk.file("blocks.toml", terms_2("blocks", tiers=_BLOCKS, more=f"[limits]\n{limit}\n"))
    desk.ok("policy", "publish", "blocks.toml", "--actor", "f")
    fees = (1, 240, _MOST // 240, _MOST // 240 + 1, _MOST - 1, _MOST)
    desk.file(
        "mine.csv", _HEAD + "".join(f"a,s{fee},email,EMEA,blocks,JPY,{fee},2021-01-01,\n" for fee in fees)
    )
    desk.ok("subscriptions", "publish", "mine", "mine.csv", "--actor", "f")
    found = json.loads(
        desk.ok("credits", "compute", "--period", "2022-03", "--subscriptions", "mine", "--json")
    )
    assert [int(row["credit"]) for row in found["rows"]] == [
        fee if limit.startswith("percent") else min(240 * fee, _MOST) for fee in fees
    ]


def test_a_sum_that_was_published_before_it_was_refused_is_read_on() -> None:
    text = terms_2("cap", more='[limits]\namount = { USD = "99999999999999999999.00" }\n')
    with pytest.raises(Refused, match="more than"):
        parse_policy(text)
    columns: dict[str, list[str | None]] = {
        "customer": ["a"], "subscription": ["s"], "service": ["email"], "region": ["EMEA"], "policy": ["cap"], "currency": ["USD"],
        "fee": ["100.00"], "valid_from": ["2021-01-01"], "valid_to": [None],
    }  # fmt: skip
    window = Window("i", "w", "email", "*", "EMEA", 1_647_000_000, 1_647_100_000, "outage")
    frame = price(
        table_of(columns, str), [window], {"cap": [(1, parse_policy(text, stored=True))]}, "2022-03", 10**10
    )
    assert [row["credit"] for row in rows(frame)] == ["10.00"]
