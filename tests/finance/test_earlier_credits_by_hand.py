"""What earlier and later months count towards a limit over several, added up by hand."""

from __future__ import annotations

import pytest

from ledger.errors import Refused
from projections.earlier_credits import Counted, Earlier, Year, counted, counted_most


def months(**amounts: int) -> tuple[Earlier, ...]:
    """Months by their distance, m for later ones: a3 is three months ago, m1 is the next one."""
    found = []
    for name, amount in amounts.items():
        ago = int(name[1:]) * (1 if name[0] == "a" else -1)
        found.append(Earlier(ago, amount, "EUR", f"statement/main v{abs(ago)}{name[0]}"))
    return tuple(found)


def entries(*names: str) -> tuple[str, ...]:
    return tuple(f"statement/main v{name[1:]}{name[0]}" for name in names)


def test_a_limit_over_months_counts_this_one_and_those_before() -> None:
    """Over three months: the two before; never the month itself, nor later ones, nor what is three months ago."""
    said = months(a4=1, a3=2, a2=4, a1=8, m1=16, m2=32)
    assert counted("s", "EUR", said, 3) == Counted(12, entries("a2", "a1"))
    assert counted("s", "EUR", said, 4) == Counted(14, entries("a3", "a2", "a1"))
    assert counted("s", "EUR", said, 2) == Counted(8, entries("a1"))
    assert counted("s", "EUR", said, 1) == Counted(0, ())
    assert counted("s", "EUR", (), 12) == Counted(0, ())
    assert counted("s", "EUR", (Earlier(0, 5, "EUR", "e"),), 12) == Counted(0, ())


def test_with_later_months_the_run_counts_in_which_most_was_credited() -> None:
    """Three months may be this one with two before, one on each side, or two after."""
    assert counted_most("s", "EUR", months(a2=4, a1=8), 3) == Counted(12, entries("a2", "a1"))
    assert counted_most("s", "EUR", months(a2=4, a1=8, m1=2), 3) == Counted(12, entries("a2", "a1"))
    assert counted_most("s", "EUR", months(a2=4, a1=8, m1=5), 3) == Counted(13, entries("a1", "m1"))
    assert counted_most("s", "EUR", months(a2=4, a1=8, m1=5, m2=9), 3) == Counted(14, entries("m1", "m2"))
    assert counted_most("s", "EUR", months(a2=4, a1=8, m1=5, m2=7, m3=100), 3) == Counted(
        13, entries("a1", "m1")
    )
    assert counted_most("s", "EUR", months(m2=7), 3) == Counted(7, entries("m2"))
    assert counted_most("s", "EUR", months(m2=7), 2) == Counted(0, ())
    assert counted_most("s", "EUR", (), 3) == Counted(0, ())
    # Of two runs with as much the one that ends first is told.
    assert counted_most("s", "EUR", months(a1=8, m1=8), 2) == Counted(8, entries("a1"))
    # What was taken back in a month counts as that: the run without it is the greater.
    assert counted_most("s", "EUR", months(a1=-3, m1=1), 2) == Counted(1, entries("m1"))


@pytest.mark.parametrize("count", [counted, counted_most])
@pytest.mark.parametrize("ago", [2, -2])
def test_another_currency_within_the_months_is_refused(count: object, ago: int) -> None:
    """Two months away it is within three, and not within two; either way."""
    assert callable(count)
    said = (Earlier(1, 100, "EUR", "statement/main v1"), Earlier(ago, 1250, "USD", "statement/other v1"))
    with pytest.raises(Refused) as refused:
        count("s-1", "EUR", said, 3)
    assert str(refused.value) == (
        "subscription 's-1' is billed in EUR, and statement/other v1 credited 12.50 USD within the 3 months of its limit, which cannot be "
        "added up; correct the currency, or name the subscription anew"
    )
    assert count("s-1", "EUR", said, 2).amount == 100


@pytest.mark.parametrize(
    ("month", "before", "around"),
    [
        # In January nothing was before; in December nothing comes after. What is 12 months away lies in another year.
        (1, ((), 0), (("m1", "m2", "m11"), 11)),
        (2, (("a1",), 16), (("a1", "m1", "m2"), 19)),
        (4, (("a3", "a1"), 48), (("a3", "a1", "m1", "m2"), 51)),
        (12, (("a11", "a3", "a1"), 112), (("a11", "a3", "a1"), 112)),
    ],
)
def test_a_year_counts_its_months_and_no_others(
    month: int, before: tuple[tuple[str, ...], int], around: tuple[tuple[str, ...], int]
) -> None:
    said = months(a12=128, a11=64, a3=32, a1=16, m1=1, m2=2, m11=8, m12=256)
    assert counted("s", "EUR", said, Year(month)) == Counted(before[1], entries(*before[0]))
    assert counted_most("s", "EUR", said, Year(month)) == Counted(around[1], entries(*around[0]))


def test_a_year_in_two_currencies_adds_up_to_nothing() -> None:
    said = (Earlier(2, 5, "USD", "statement/main v1"),)
    with pytest.raises(Refused, match="within the 12 months of its limit"):
        counted("s", "EUR", said, Year(3))
    assert counted("s", "EUR", said, Year(2)) == Counted(0, ())
