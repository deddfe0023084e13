"""The figures of the calculator, frozen by version: a changed figure needs a new version of the calculator.

`calculator.json` holds, for each version that ever issued, the digest of the figures it makes of the same facts. When figures
change on purpose, raise CALCULATOR in projections/calculator.py and run once with `LEDGER_REWRITE_GOLDEN=1`: that adds the
new version. A digest that is there is never written again. A version that changes figures of format 2 alone has the digest of the
one before it; `calculator_format_2.json` then says what it changes.
"""

from __future__ import annotations

import json
import os
import random
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from ledger.domain.money import format_money
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.calculator import CALCULATOR
from projections.credits import price, rows
from projections.subscriptions import table_of

_FROZEN = Path(__file__).parent / "calculator.json"
_BEGIN = 1_646_092_800  # 1 March 2022
_SERVICES, _REGIONS = ("email", "web"), ("EMEA", "NAM", "APAC")
_CURRENCIES = ("EUR", "JPY", "KWD")
_TERMS = {
    "full": ("UTC", '"full"', "half-up"),
    "london": ("Europe/London", '"full"', "half-even"),
    "share": ("UTC", '"by-share"', "down"),
    "above": ("America/New_York", '"above-share"\nshare_above = "0.05"', "up"),
    "lord-howe": ("Australia/Lord_Howe", '"full"', "half-down"),
}
_FIGURES = (
    "subscription", "credit_at_least", "credit_at_most", "availability_at_least", "availability_at_most",
    "eligible_downtime_seconds_at_least", "eligible_downtime_seconds_at_most", "period_seconds", "provisional",
)  # fmt: skip


def _policy(key: str) -> Policy:
    zone, windows, rounding = _TERMS[key]
    tiers = "".join(
        f'[[tiers]]\n{below}availability_at_least = "{edge}"\ncredit_percent = "{percent}"\n'
        for below, edge, percent in (
            ("", "99.95", "0"),
            ('availability_below = "99.95"\n', "99.5", "7.25"),
            ('availability_below = "99.5"\n', "98.0", "12.5"),
            ('availability_below = "98.0"\n', "0", "33.3"),
        )
    )
    return parse_policy(
        f'format = 1\npolicy = "{key}"\ntitle = "x"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\n'
        f'zone = "{zone}"\n[counting]\neffects = ["outage", "delay"]\nwindows = {windows}\nplanned = "excluded"\n{tiers}'
        f'[credit]\nof = "fee"\nrounding = "{rounding}"\n'
    )


def _figures() -> str:
    """Return the digest of the figures of 600 subscriptions under 60 windows, none of them chosen by hand."""
    chance = random.Random(20220314)  # the same facts each time
    windows = []
    for number in range(60):
        start = _BEGIN + chance.randrange(-86_400, 31 * 86_400)
        share = f"0.{chance.randrange(1, 1000):03}" if number % 3 == 0 else None
        windows.append(
            Window(
                f"i{number}", "w", _SERVICES[number % 2], "*", (*_REGIONS, "*", "unknown")[number % 5], start,
                None if number == 59 else start + chance.randrange(60, 4 * 3_600), ("outage", "delay", "degraded")[number % 3],
                share_at_most=share, share_at_least=share if number % 2 else None, start_within_seconds=number % 7 * 60,
                end_within_seconds=number % 4 * 90, regions=_REGIONS, entries=(f"incident/i{number} v2",),
            )
        )  # fmt: skip
    codes = [_CURRENCIES[at % 3] for at in range(600)]
    fees = [chance.randrange(1, 10**8) for _ in codes]
    columns: dict[str, list[str | None]] = {
        "customer": [f"c{at % 40}" for at in range(600)], "subscription": [f"s{at}" for at in range(600)],
        "service": [_SERVICES[at % 2] for at in range(600)], "region": [_REGIONS[at % 3] for at in range(600)],
        "policy": [sorted(_TERMS)[at % 5] for at in range(600)], "currency": list(codes),
        "fee": [format_money(fee, code) for fee, code in zip(fees, codes, strict=True)],
        "valid_from": ["2022-03-10" if at % 11 == 0 else "2021-01-01" for at in range(600)],
        "valid_to": ["2022-03-27" if at % 13 == 0 else None for at in range(600)],
    }  # fmt: skip
    policies = {key: [(1, _policy(key))] for key in _TERMS}
    frame = price(table_of(columns, str), windows, policies, "2022-03", _BEGIN + 31 * 86_400)
    made = sha256()
    for row in rows(frame):
        made.update(msgspec.json.encode([row[name] for name in _FIGURES]) + b"\n")
    return made.hexdigest()


def test_the_figures_are_those_of_the_calculators_version() -> None:
    frozen: dict[str, str] = json.loads(_FROZEN.read_text()) if _FROZEN.exists() else {}
    found = _figures()
    if os.environ.get("LEDGER_REWRITE_GOLDEN") == "1" and CALCULATOR not in frozen:
        _FROZEN.write_text(json.dumps({**frozen, CALCULATOR: found}, indent=2) + "\n")
        pytest.skip(f"version {CALCULATOR} is frozen now")
    assert CALCULATOR in frozen, (
        f"calculator {CALCULATOR} is new: freeze its figures with LEDGER_REWRITE_GOLDEN=1"
    )
    assert found == frozen[CALCULATOR], (
        f"the figures are no longer those of calculator {CALCULATOR}: if that is meant, raise CALCULATOR in "
        "projections/calculator.py, so that documents that are issued already can tell why they come out otherwise"
    )


def test_no_version_is_the_same_as_another() -> None:
    """A version is raised for figures alone, of either format."""
    one, two = (
        json.loads((_FROZEN.parent / name).read_text()) for name in (_FROZEN.name, "calculator_format_2.json")
    )
    assert one.keys() == two.keys()
    figures = [(one[version], two[version]) for version in one]
    assert all(this != other for at, this in enumerate(figures) for other in figures[:at])
