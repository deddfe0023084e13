"""Formulas of remedies and limits: an independent engine finds each cell, and follows an input that is changed.

What the ledger makes of the changed terms or facts is what the recalculated workbook has to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.money import ALL_ROUNDINGS
from ledger.domain.window import Window
from projections.credits import rows
from projections.earlier_credits import Earlier
from tests.projections.following import (
    FEW,
    OPEN,
    agrees,
    follows,
    reasons,
    same_amounts,
)
from tests.projections.priced_march import (
    ALL,
    BY_SHARE,
    DAY,
    HOUR,
    IN_FULL,
    MARCH,
    PERCENTS,
    MonthFacts,
    lines_of,
    other,
    priced,
    terms,
    write,
)
from tests.projections.recalculating import changed, credits_of, find, input_of
from tests.projections.slow_calculator import read, some_rows


def sums(amounts: Sequence[str]) -> str:
    """Spell a table of sums in the currencies of the rows."""
    return (
        "{ "
        + ", ".join(
            f'{code} = "{amount}"' for code, amount in zip(("USD", "JPY", "BHD"), amounts, strict=True)
        )
        + " }"
    )


@st.composite
def some_outages(draw: st.DrawFn) -> Window:
    """A window of every region, mostly of a known share and length."""
    start = MARCH + draw(st.integers(0, 30 * 24)) * HOUR
    share = draw(st.sampled_from(["1", "1", "0.25", "0.333"]))
    return Window(
        "i", f"w-{draw(st.integers(1, 99))}", "email", "*", "*", start, start + draw(st.sampled_from([2_700, 7 * HOUR, 30 * HOUR, 3 * DAY])),
        "outage", share_at_least=share, share_at_most=share, end_within_seconds=draw(st.sampled_from([0, 0, 0, 60])),
    )  # fmt: skip


@st.composite
def some_remedy(draw: st.DrawFn) -> str:
    """What one tier pays: one or several amounts, by the block or not, and days of service."""
    some = st.sampled_from(["0", "1", "3", "250"])
    kinds: dict[str, str] = {
        "percent": f'credit_percent = "{draw(st.sampled_from(["0", "2.5", "10", "33.333"]))}"\n',
        "multiple": f'credit_multiple = "{draw(st.sampled_from(["1", "0.5", "10"]))}"\n',
        "fixed": f"credit_fixed = {sums([draw(some) for _ in range(3)])}\n",
        "hourly": f"credit_hourly = {sums([draw(some) for _ in range(3)])}\n",
    }
    chosen = draw(st.sets(st.sampled_from(sorted(kinds)), max_size=3))
    text = "".join(kinds[name] for name in sorted(chosen))
    if len(chosen) > 1:
        adds = ["sum"] if len(chosen - {"fixed"}) < 2 else []
        text += f'take = "{draw(st.sampled_from(["lesser", "greater", *adds]))}"\n'
    days = not chosen or draw(st.booleans())
    text += 'service_days = "1"\n' if days else ""
    by_block = draw(st.booleans())
    if by_block and (days or chosen & {"percent", "fixed"}):
        text += f'per = "block"\nblock = "{draw(st.sampled_from(["30 minutes", "7 hours"]))}"\n'
        text += f'blocks = "{draw(st.sampled_from(["full", "begun"]))}"\n'
    return text


@st.composite
def some_paying_terms(draw: st.DrawFn, key: str) -> str:
    edges = sorted(draw(st.sets(st.sampled_from(["99.9", "98", "95"]), min_size=1)), key=float, reverse=True)
    tiers, above = "", ""
    for edge in (*edges, None):
        here = f'availability_at_least = "{edge}"\n' if edge else ""
        tiers += f"[[tiers]]\n{here}{above}{draw(some_remedy())}"
        above = f'availability_below = "{edge}"\n'
    limits = "".join(
        text
        for text in (
            'percent = "12.5"\n', 'rolling_percent = "20"\n', f"amount = {sums(['4', '500', '0.050'])}\n", f"only_above = {sums(['0.01', '2', '0.001'])}\n", 'days = "2"\n',
        )
        if draw(st.booleans()) and ("days" not in text or "service_days" in tiers)
    )  # fmt: skip
    more = f"[limits]\n{limits}" if limits else ""
    if draw(st.booleans()):
        more = f"factor_decimals = {draw(st.sampled_from([2, 3]))}\n" + more
        more = f'factor_rounding = "{draw(st.sampled_from(ALL_ROUNDINGS))}"\n' + more
    base = draw(st.sampled_from(["", 'of = "annual-fee"\n', 'of = "service-share"\nshare = "12.5"\n']))
    rounding = draw(st.sampled_from(ALL_ROUNDINGS))
    known = 'currencies = ["USD", "JPY", "BHD"]\n' if draw(st.booleans()) else ""
    text = terms(key, draw(st.sampled_from([IN_FULL, BY_SHARE, ALL])), "", tiers, rounding, base + more)
    length = draw(st.sampled_from(["", "", 'length = "30 days"\n', 'length = "730 hours"\n']))
    return text.replace("[period]", f"{known}[period]").replace('zone = "UTC"\n', f'zone = "UTC"\n{length}')


@FEW
@given(data=st.data())
def test_every_formula_of_remedies_and_limits_gives_its_cell_and_follows_a_change(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    """Multiples, sums, hours, blocks, the lesser and the greater, caps and floors; then every tier and every limit is another."""
    folder = tmp_path_factory.mktemp("paid")
    windows = data.draw(st.lists(some_outages(), min_size=1, max_size=3))
    # The first two lines were credited before, as far as a limit over several months asks.
    earlier = {
        f"s-{number}": (Earlier(1, data.draw(st.integers(0, 100_000)), code, "statement/main v1"),)
        for number, code in enumerate(("USD", "JPY"))
    }
    facts = MonthFacts(windows, [], MARCH + 31 * DAY, frozenset(), earlier)
    texts = {key: data.draw(some_paying_terms(key)) for key in "ab"}
    fees = data.draw(st.lists(st.integers(1, 10**7), min_size=3, max_size=3))
    whole_month = {
        "customer": "Acme",
        "service": "email",
        "region": "EMEA",
        "valid_from": "2022-01-01",
        "valid_to": "",
    }
    lines = [
        {**whole_month, "policy": "a", "currency": "USD", "fee": f"{fees[0] // 100}.{fees[0] % 100:02}"},
        {**whole_month, "policy": "b", "currency": "JPY", "fee": str(fees[1])},
        {**whole_month, "policy": "b", "currency": "BHD", "fee": f"{fees[2]}.000"},
        *({**line, "service": "email"} for line in data.draw(st.lists(some_rows(), max_size=2))),
    ]
    table = read(lines)
    found = priced(texts, table, facts)
    if not len(found.frame):
        return
    path = folder / "c.xlsx"
    assert write(path, texts, found, facts) == write(folder / "again.xlsx", texts, found, facts)
    book = agrees(path)
    same_amounts(book, found)
    said = reasons(book)
    event(f"{said}")
    assert said <= {
        "formulas",
        "value: a factor has more decimals than a spreadsheet divides exactly",
        *(f"value: no formula for {one}" for one in OPEN),
    }
    if said == {"formulas"}:
        # What is small is always calculated.
        formulas = {line["subscription"]: line for line in lines_of(openpyxl.load_workbook(path))}
        values = [
            row
            for row in rows(found.frame)
            if not str(formulas[row["subscription"]]["credit"]).startswith("=")
        ]
        assert all(Decimal(row["fee"]) > 1_000 for row in values), values
    follows(folder, texts, {key: other(text) for key, text in texts.items()}, table, facts, facts)


def test_days_of_service_are_calculated(tmp_path: Path) -> None:
    """Half a day for each full hour of 5 hours and 30 minutes is 2.5 days; at most 2 of them; with 7 allowed, 2.5."""
    facts = MonthFacts(
        [Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 5 * HOUR + 1_800, "outage")], [], MARCH + 31 * DAY, frozenset()
    )  # fmt: skip
    tiers = '[[tiers]]\nservice_days = "0.5"\nper = "block"\nblock = "1 hour"\n'
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", '[limits]\ndays = "2"\n')}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    at_most = input_of(openpyxl.load_workbook(tmp_path / "c.xlsx"), "Limits", "at most (days)", 1, "a")

    def days(book: openpyxl.Workbook) -> list[Any]:
        heading, scope = book["Calculation"].iter_rows(values_only=True)
        return [scope[heading.index(f"days of service at {side}")] for side in ("least", "most")]

    assert days(book) == [2, 2] == [float(row["service_days"]) for row in rows(found.frame)] * 2
    assert days(changed(tmp_path / "c.xlsx", {at_most: 7})) == [2.5, 2.5]


def test_a_factor_is_rounded_before_the_amount(tmp_path: Path) -> None:
    """Ten times 10 hours of 744 are 0.1344 of the fee: 0.13 of 100.00 USD are 13.00, 0.134 are 13.40, and rounded up 14.00."""
    tiers = '[[tiers]]\ncredit_multiple = "10"\n'
    more = 'factor_decimals = 2\nfactor_rounding = "half-even"\n'
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", more)}
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 10 * HOUR, "outage")
    facts = MonthFacts([outage], [], MARCH + 31 * DAY, frozenset())
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "100.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    found = priced(texts, read([line]), facts)
    path = tmp_path / "c.xlsx"
    write(path, texts, found, facts)
    assert reasons(agrees(path)) == {"formulas"}
    book = openpyxl.load_workbook(path)
    decimals, mode = (
        input_of(book, "Rounded factors", name, 1, "a")
        for name in ("to so many decimals, empty for none", "rounding")
    )

    def credit(changes: dict[str, Any]) -> Any:
        (shown,) = credits_of(changed(path, changes)).values()
        return shown["credit"]

    assert [credit({}), credit({decimals: 3}), credit({mode: "up"})] == [13, 13.4, 14]


def test_excluded_and_eligible_are_all_that_was_down(tmp_path: Path) -> None:
    """Five days down, twelve hours of them excluded, of which the rule allows ten: 110 hours count; with twelve allowed, 108."""
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 5 * DAY, "outage")
    storm = [
        Exclusion(
            f"e-{at}", "force-majeure", "email", "*", "EMEA", MARCH + at * DAY, MARCH + at * DAY + 6 * HOUR
        )
        for at in (1, 2)
    ]
    facts = MonthFacts([outage], storm, MARCH + 31 * DAY, frozenset())
    rules = '[[exclusions]]\nkinds = ["force-majeure"]\nmost = "10 hours"\nmost_per = "period"\n'
    texts = {"a": terms("a", IN_FULL, rules, PERCENTS, "half-up")}
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    elsewhere = {**line, "region": "NAM"}
    found = priced(texts, read([line, elsewhere]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    total = "excluded + eligible = gross downtime where all is counted in full and known, seconds"

    def counted(book: openpyxl.Workbook) -> tuple[Any, ...]:
        heading, scope, _ = book["Calculation"].iter_rows(values_only=True)
        shown: dict[Any, Any] = dict(zip(heading, scope, strict=True))
        checks = {row[0]: row[1:4] for row in book["Checks"].iter_rows(min_row=4, values_only=True)}
        seconds = (shown[name] for name in ("downtime (s)", "excluded (s)", "eligible downtime at most (s)"))
        return (*(one / HOUR for one in seconds), *checks[total])

    assert counted(book) == (120, 10, 110, 120 * HOUR, 120 * HOUR, True)
    most = input_of(
        openpyxl.load_workbook(tmp_path / "c.xlsx"), "Exclusion rules", "at most (s), empty for all", 1, "a"
    )
    assert counted(changed(tmp_path / "c.xlsx", {most: 12 * HOUR})) == (
        120,
        12,
        108,
        120 * HOUR,
        120 * HOUR,
        True,
    )


@pytest.mark.parametrize("limits", ["", '[limits]\nonly_above = { USD = "1.00" }\n'])
def test_blocks_show_the_percentage_that_all_of_them_pay(tmp_path: Path, limits: str) -> None:
    """Four hours down at 5% for each: 20% of the fee, wherever a percentage stands; with an hour less that rule was before the change."""
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 4 * HOUR, "outage")
    facts = MonthFacts([outage], (), MARCH + 31 * DAY, frozenset())
    tiers = (
        '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\ncredit_percent = "5"\nper = "block"\nblock = "1 hour"\nblocks = "full"\n'
    )
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    texts = {"a": terms("a", IN_FULL, "", tiers, "half-up", limits)}
    found = priced(texts, read([line]), facts)
    write(tmp_path / "c.xlsx", texts, found, facts)
    book = agrees(tmp_path / "c.xlsx")
    assert reasons(book) == {"formulas"}
    (shown,) = credits_of(book).values()
    assert (shown["credit"], shown["credit (% of fee)"]) == (2, 20)
    heading, scope = book["Calculation"].iter_rows(values_only=True)
    calculated: dict[Any, Any] = dict(zip(heading, scope, strict=True))
    assert [calculated[f"pays at {side} (% of fee)"] for side in ("least", "most")] == [20, 20]
    assert [row[4:6] for row in book["Availability"].iter_rows(values_only=True) if row[0] == "email, EMEA"] == [(20, 20)]  # fmt: skip
    assert not shown["rule"].startswith("before the change")
    end = find(book, "Intervals", "end (UTC), empty while open", window="w")
    (again,) = credits_of(
        changed(tmp_path / "c.xlsx", {end: datetime(2022, 3, 1, 3, tzinfo=UTC).replace(tzinfo=None)})
    ).values()
    assert again["credit"] == 1.5
    assert again["rule"] == "before the change: " + shown["rule"]


def test_days_of_service_with_more_digits_than_a_sheet_keeps_are_values(tmp_path: Path) -> None:
    outage = Window("i", "w", "email", "*", "EMEA", MARCH, MARCH + 4 * HOUR, "outage")
    facts = MonthFacts([outage], (), MARCH + 31 * DAY, frozenset())
    line = {"customer": "Acme", "service": "email", "region": "EMEA", "policy": "a", "currency": "USD", "fee": "10.00",
            "valid_from": "2022-01-01", "valid_to": ""}  # fmt: skip
    for days, reason in (
        ("0.5", "formulas"),
        ("25.0000000000001", "value: days of service have more decimals than a spreadsheet divides exactly"),
    ):
        tiers = (
            '[[tiers]]\navailability_at_least = "99.9"\ncredit_percent = "0"\n'
            f'[[tiers]]\navailability_below = "99.9"\nservice_days = "{days}"\nper = "block"\nblock = "1 hour"\nblocks = "full"\n'
        )
        texts = {"a": terms("a", IN_FULL, "", tiers, "half-up")}
        write(tmp_path / "c.xlsx", texts, priced(texts, read([line]), facts), facts)
        assert reasons(agrees(tmp_path / "c.xlsx")) == {reason}
