"""The linter looks at every remedy and every measure: a table for each kind of doubt, sound terms beside doubtful ones.

Each row is asked through `ledger policy lint`; a law compares what it says of the order of tiers with what the calculator pays.
"""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cli import main
from ledger.domain.policy import parse_policy
from projections.evaluation.answers import answer

# What can be measured: the tables of the measure, the kind of bound, and bounds from the best to the worst.
MEASURES = {
    "availability of time": ('of = "time"', "availability", ("99.9", "99", "95")),
    "downtime": ('of = "time"', "downtime", ("1 hour", "4 hours", "20 hours")),
    "user-minutes": ('of = "user-minutes"', "availability", ("99.9", "99", "95")),
    "error rate": ('of = "error-rate"\nbucket = "5 minutes"', "availability", ("99.9", "99", "95")),
    "messages": ('of = "messages"', "availability", ("99.9", "99", "95")),
    "executions": ('of = "executions"', "availability", ("99.9", "99", "95")),
    "latency": ('of = "latency"\nstatistic = "p95"', "value", ("0.5", "1", "2.5")),
    "bad days": ('of = "consecutive-days"', "value", ("1", "3", "10")),
    "incidents": ('of = "events"', "value", ("1", "3", "10")),
    "outages": ('of = "events"\ncounts = "outages"', "value", ("1", "3", "10")),
    "failures": ('of = "events"\ncounts = "failed"\nreads = ["messages"]', "value", ("1", "3", "10")),
}
OF_WINDOWS = ("availability of time", "downtime", "user-minutes", "incidents", "outages")


def terms(
    name: str, tiers: str, more: str = "", period: str = "calendar-month", currencies: str = '["USD"]'
) -> str:
    measure = MEASURES[name][0]
    counting = 'effects = ["outage"]' if name in OF_WINDOWS else ""
    counting = 'share_above = "0.05"' if name == "bad days" else counting
    return (
        f'format = 2\npolicy = "p"\nin_force_from = 2020-01-01\ncurrencies = {currencies}\n[period]\nkind = "{period}"\nzone = "UTC"\n'
        + ("days = 30\n" if period == "trailing-days" else "")
        + f'[measure]\n{measure}\n[counting]\n{counting}\n[credit]\nrounding = "half-up"\n{tiers}\n{more}\n'
    )


def sides(name: str) -> tuple[str, str, str, str]:
    """How bounds are written of a measure: the better side with the number and without, the worse side the same."""
    of = MEASURES[name][1]
    better, worse = ("at_least", "below") if of == "availability" else ("at_most", "above")
    without, with_it = ("above", "at_most") if of == "availability" else ("below", "at_least")
    return tuple(f"{of}_{side}" for side in (better, without, worse, with_it))  # type: ignore[return-value]


def tier(bounds: str, pays: str) -> str:
    return f"[[tiers]]\n{bounds}\n{pays}\n"


def ladder(name: str, *pays: str) -> str:
    """Tiers that touch, from the best to the worst, as many as there are remedies (2 to 4)."""
    better, _, worse, _ = sides(name)
    bounds = MEASURES[name][2][: len(pays) - 1]
    written = []
    for index, what in enumerate(pays):
        lines = [f'{better} = "{bounds[index]}"'] if index < len(bounds) else []
        lines += [f'{worse} = "{bounds[index - 1]}"'] if index else []
        written.append(tier("\n".join(lines), what))
    return "".join(written)


def findings(text: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["policy", "lint", "-", "--json"], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def kinds(text: str) -> set[str]:
    return {one["kind"] for one in findings(text)}


NOTHING = 'credit_percent = "0"'
# Two remedies of which the first is surely the less, whatever the fee.
LESS = {
    "percent": ('credit_percent = "5"', 'credit_percent = "10"'),
    "a sum": ('credit_fixed = { USD = "5.00" }', 'credit_fixed = { USD = "500.00" }'),
    "days": ('service_days = "1"', 'service_days = "10"'),
    "a sum and days": (
        'credit_fixed = { USD = "5.00" }\nservice_days = "1"', 'credit_fixed = { USD = "500.00" }\nservice_days = "10"',
    ),
    "no days": ('credit_percent = "10"', 'credit_percent = "10"\nservice_days = "1"'),
    "the lesser of": (
        'credit_percent = "10"\ncredit_fixed = { USD = "100.00" }\ntake = "lesser"', 'credit_percent = "10"',
    ),
    "the greater of": (
        'credit_percent = "10"', 'credit_percent = "10"\ncredit_fixed = { USD = "100.00" }\ntake = "greater"',
    ),
    "the sum of": ('credit_fixed = { USD = "100.00" }', 'credit_percent = "1"\ncredit_fixed = { USD = "100.00" }\ntake = "sum"'),
}  # fmt: skip
LESS_OF_TIME = {
    "in proportion": ('credit_multiple = "1"', 'credit_multiple = "10"'),
    "by the hour": ('credit_hourly = { USD = "0.50" }', 'credit_hourly = { USD = "5.00" }'),
    "for each block": (
        'credit_percent = "1"\nper = "block"\nblock = "30 minutes"', 'credit_percent = "5"\nper = "block"\nblock = "30 minutes"',
    ),
    "longer blocks": (
        'credit_percent = "5"\nper = "block"\nblock = "1 hour"', 'credit_percent = "5"\nper = "block"\nblock = "5 minutes"',
    ),
    "days for each block": (
        'service_days = "1"\nper = "block"\nblock = "1 hour"\nblocks = "begun"',
        'service_days = "1"\nper = "block"\nblock = "10 minutes"\nblocks = "begun"',
    ),
}  # fmt: skip
LESS_OF_UNITS = {
    "for each unit": ('credit_fixed = { USD = "1.00" }\nper = "unit"', 'credit_fixed = { USD = "9.00" }\nper = "unit"'),
    "once": ('credit_fixed = { USD = "1.00" }', 'credit_fixed = { USD = "9.00" }\nper = "unit"'),
}  # fmt: skip
ORDERED = [
    *((name, remedy, pair) for name in MEASURES for remedy, pair in LESS.items()),
    *((name, remedy, pair) for name in ("availability of time", "downtime", "user-minutes") for remedy, pair in LESS_OF_TIME.items()),
    *((name, remedy, pair) for name in ("latency", "bad days", "incidents", "outages", "failures") for remedy, pair in LESS_OF_UNITS.items()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "remedy", "pair"), ORDERED)
def test_what_is_worse_may_not_pay_less(name: str, remedy: str, pair: tuple[str, str]) -> None:
    """Of two remedies in the wrong order it is said, of the same in the right order it is not."""
    less, more = pair
    assert kinds(terms(name, ladder(name, NOTHING, more, less))) == {"worse-pays-less"}
    assert kinds(terms(name, ladder(name, NOTHING, less, more))) == set()
    assert kinds(terms(name, ladder(name, NOTHING, less, less))) == set()


# What depends on the fee, or is of two kinds, is not told: neither surely pays less.
OPEN = {
    "a sum beside a percentage": ('credit_fixed = { USD = "500.00" }', 'credit_percent = "10"'),
    "days beside money": ('service_days = "10"', 'credit_percent = "10"'),
    "less money and more days": (
        'credit_percent = "20"\nservice_days = "1"', 'credit_percent = "10"\nservice_days = "2"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("remedy", OPEN)
def test_what_the_fee_decides_is_not_told(remedy: str) -> None:
    """No two such remedies are put in an order, either way."""
    for pays in (OPEN[remedy], OPEN[remedy][::-1]):
        assert kinds(terms("downtime", ladder("downtime", NOTHING, *pays))) == set()


def test_a_tier_that_cannot_be_compared_hides_none_behind_it() -> None:
    """10%, then days, then 5%: the last is less than the first, whatever the days are worth."""
    (only,) = findings(
        terms(
            "downtime",
            ladder(
                "downtime", NOTHING, 'credit_percent = "10"', 'service_days = "3"', 'credit_percent = "5"'
            ),
        )
    )
    assert (
        "pays 5% of fee, less than downtime above 1 hour and at most 4 hours, which pays 10% of fee"
        in only["sentence"]
    )


def test_what_grows_is_compared_where_tiers_meet() -> None:
    """5% for each half hour is 40% at four hours: 10% beyond it is less, 40% is not."""
    blocks = 'credit_percent = "5"\nper = "block"\nblock = "30 minutes"'
    (only,) = findings(terms("downtime", ladder("downtime", NOTHING, blocks, 'credit_percent = "10"')))
    assert only["kind"] == "worse-pays-less"
    assert "5% of fee for each full 30 minutes, where they meet" in only["sentence"]
    assert kinds(terms("downtime", ladder("downtime", NOTHING, blocks, 'credit_percent = "40"'))) == set()


def test_a_right_to_terminate_holds_for_what_is_worse_too() -> None:
    """A right between two bounds ends where it would matter most; unless another one holds there."""

    def right(bounds: str, more: str = "") -> str:
        return f"[[termination]]\n{bounds}\n{more}\n"

    tiers = ladder("availability of time", NOTHING, 'credit_percent = "10"')
    some = right('availability_below = "99"\navailability_at_least = "95"')
    (only,) = findings(terms("availability of time", tiers, some))
    assert only["kind"] == "worse-pays-less"
    assert "from 0% to below 95%, which is worse, does not" in only["sentence"]
    assert kinds(terms("availability of time", tiers, right('availability_below = "99"'))) == set()
    assert kinds(terms("availability of time", tiers, some + right('availability_below = "95"'))) == set()
    # Three months in a row under 95% is a right that comes later.
    later = right('availability_below = "95"', "periods = 3")
    assert kinds(terms("availability of time", tiers, some + later)) == {"worse-pays-less"}
    assert kinds(terms("availability of time", tiers, right('availability_at_most = "100"'))) == {
        "met-but-pays"
    }
    # Bounds of downtime stand beside tiers of availability.
    assert kinds(terms("availability of time", tiers, right('downtime_above = "800 hours"'))) == {
        "unreachable-tier"
    }
    assert kinds(terms("availability of time", tiers, right('downtime_above = "4 hours"'))) == set()


# A remedy, limits below what it pays, and limits that are not.
CUT = {
    "percent": ('credit_percent = "10"', 'percent = "5"', 'percent = "10"'),
    "percent over months": ('credit_percent = "10"', 'rolling_percent = "5"', 'rolling_percent = "10"'),
    "percent under a sum": ('credit_percent = "10"', None, 'amount = { USD = "1.00" }'),
    "a sum": ('credit_fixed = { USD = "5.00" }', 'amount = { USD = "4.99" }', 'amount = { USD = "5.00" }'),
    "a sum under a percentage": ('credit_fixed = { USD = "5.00" }', None, 'percent = "1"'),
    "days": ('service_days = "10"', 'days = "9.5"', 'days = "10"'),
    "the sum of": (
        'credit_percent = "1"\ncredit_fixed = { USD = "5.00" }\ntake = "sum"', 'amount = { USD = "5.00" }', 'amount = { USD = "6.00" }',
    ),
    "the lesser of": (
        'credit_percent = "10"\ncredit_fixed = { USD = "5.00" }\ntake = "lesser"', 'percent = "0"', 'amount = { USD = "1.00" }',
    ),
    "the greater of": (
        'credit_percent = "10"\ncredit_fixed = { USD = "5.00" }\ntake = "greater"', 'amount = { USD = "4.00" }', 'amount = { USD = "5.00" }',
    ),
    "a sum that is too little": (
        'credit_fixed = { USD = "5.00" }', 'only_above = { USD = "5.00" }', 'only_above = { USD = "4.99" }',
    ),
    "the lesser of, too little": (
        'credit_percent = "10"\ncredit_fixed = { USD = "5.00" }\ntake = "lesser"', 'only_above = { USD = "5.00" }',
        'only_above = { USD = "4.99" }',
    ),
}  # fmt: skip
CUT_OF_TIME = {
    "for each block": (
        'credit_percent = "10"\nper = "block"\nblock = "30 minutes"', 'percent = "5"', 'percent = "100"',
    ),
    "in proportion": ('credit_multiple = "100"', 'percent = "13"', 'percent = "15"'),
    "by the hour": ('credit_hourly = { USD = "1.00" }', 'amount = { USD = "0.50" }', 'amount = { USD = "700.00" }'),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURES)
def test_a_limit_below_what_is_paid(name: str) -> None:
    """Where a limit cuts whatever is measured and whatever the fee, it is said; where it only may, it is not."""
    for what, (pays, low, high) in CUT.items():
        if low is not None:
            assert kinds(terms(name, ladder(name, NOTHING, pays), f"[limits]\n{low}")) == {"limit-cuts"}, what
        assert kinds(terms(name, ladder(name, NOTHING, pays), f"[limits]\n{high}")) == set(), what


def test_a_limit_below_what_is_paid_for_time() -> None:
    """What grows with the time down is cut for certain only where it is at its least: from one hour on, here."""
    for what, (pays, low, high) in CUT_OF_TIME.items():
        text = ladder("downtime", NOTHING, pays)
        if low is not None:
            assert kinds(terms("downtime", text, f"[limits]\n{low}")) == {"limit-cuts"}, what
        assert kinds(terms("downtime", text, f"[limits]\n{high}")) == set(), what
    # Without a tier before it, the first block is what is paid first.
    block = tier("", 'credit_percent = "10"\nper = "block"\nblock = "30 minutes"')
    for name in ("downtime", "availability of time"):
        assert kinds(terms(name, block, '[limits]\npercent = "5"')) == {"limit-cuts"}
        assert kinds(terms(name, block, '[limits]\npercent = "10"')) == set()
    unit = tier("", 'credit_fixed = { USD = "2.00" }\nper = "unit"')
    assert kinds(terms("incidents", unit, '[limits]\namount = { USD = "1.00" }')) == {"limit-cuts"}
    assert kinds(terms("incidents", unit, '[limits]\namount = { USD = "2.00" }')) == set()


def test_a_limit_that_cuts_in_one_currency_names_it() -> None:
    """Sums are compared in each currency alone."""
    pays = 'credit_fixed = { USD = "5.00", EUR = "5.00" }'
    (only,) = findings(
        terms(
            "downtime", ladder("downtime", NOTHING, pays), '[limits]\namount = { USD = "5.00", EUR = "4.00" }',
            currencies='["EUR", "USD"]',
        )
    )  # fmt: skip
    assert only["sentence"].endswith("but limits.amount is 4 EUR or 5 USD; in EUR it never pays what it says")


def test_small_sums_that_add_up_are_not_too_little() -> None:
    """Where incidents add up, the sum of them may be above the floor."""
    text = ladder("downtime", NOTHING, 'credit_fixed = { USD = "5.00" }')
    floor = '[limits]\nonly_above = { USD = "5.00" }\n'
    assert kinds(terms("downtime", text, floor + '[stacking]\nincidents = "best-of"')) == {"limit-cuts"}
    assert kinds(terms("downtime", text, floor + '[stacking]\nincidents = "sum"')) == set()


def target(name: str, bound: str) -> str:
    return f'[target]\n{sides(name)[0]} = "{bound}"\n'


@pytest.mark.parametrize("name", MEASURES)
def test_what_meets_the_target_pays_nothing_and_what_misses_it_pays(name: str) -> None:
    """Of every measure and every remedy; also of the best there is, where no target is stated."""
    first, second, _ = MEASURES[name][2]
    for pays, _ in (*LESS.values(), *(LESS_OF_TIME.values() if name in OF_WINDOWS[:3] else ())):
        text = ladder(name, NOTHING, pays)
        assert kinds(terms(name, text, target(name, first))) == set(), pays
        assert kinds(terms(name, text, target(name, second))) == {"met-but-pays"}, pays
        assert kinds(terms(name, ladder(name, NOTHING, NOTHING, pays), target(name, first))) == {
            "missed-but-free"
        }
    for pays, _ in LESS.values():
        assert kinds(terms(name, tier("", pays))) == {"met-but-pays"}, pays


def test_what_is_paid_in_proportion_pays_nothing_for_nothing() -> None:
    """At the best there is, blocks, hours, multiples and units are none; nor is the lesser of one of them and a percentage."""
    for pays, _ in LESS_OF_TIME.values():
        assert kinds(terms("downtime", tier("", pays))) == set(), pays
    lesser = 'credit_percent = "10"\ncredit_multiple = "5"\ntake = "{}"'
    assert kinds(terms("downtime", tier("", lesser.format("lesser")))) == set()
    assert kinds(terms("downtime", tier("", lesser.format("greater")))) == {"met-but-pays"}
    assert kinds(terms("incidents", tier("", LESS_OF_UNITS["once"][1]))) == set()


def test_blocks_that_are_not_full_pay_nothing() -> None:
    """A target of one hour is met by half an hour, for which blocks of one hour pay nothing; blocks of 30 minutes pay."""
    blocks = 'credit_percent = "5"\nper = "block"\nblock = "{}"'
    one_hour = '[target]\ndowntime_below = "1 hour"\n'
    assert kinds(terms("downtime", tier("", blocks.format("1 hour")), one_hour)) == set()
    assert kinds(terms("downtime", tier("", blocks.format("30 minutes")), one_hour)) == {"met-but-pays"}
    # And a tier that ends before its first block is missed for free.
    text = ladder("downtime", NOTHING, blocks.format("10 hours"), 'credit_percent = "50"')
    assert kinds(terms("downtime", text, target("downtime", "1 hour"))) == {"missed-but-free"}


def test_a_right_to_terminate_is_not_for_free() -> None:
    """A tier that pays nothing is missed for free, unless the contract may be ended for it."""
    text = ladder("availability of time", NOTHING, NOTHING, 'credit_percent = "10"')
    promised = target("availability of time", "99.9")
    right = '[[termination]]\navailability_below = "{}"\nperiods = 3\n'
    assert kinds(terms("availability of time", text, promised + right.format("99.9"))) == set()
    assert kinds(terms("availability of time", text, promised + right.format("99"))) == {"missed-but-free"}


def test_a_target_of_downtime_beside_tiers_of_availability() -> None:
    """Both are about the same seconds: 99.9% of a month are about 44 minutes."""
    text = ladder("availability of time", NOTHING, 'credit_percent = "10"')
    assert kinds(terms("availability of time", text, '[target]\ndowntime_at_most = "30 minutes"')) == {
        "missed-but-free"
    }
    (only,) = findings(terms("availability of time", text, '[target]\ndowntime_at_most = "2 hours"'))
    assert only["kind"] == "met-but-pays"
    assert (
        "pays 10% of fee: some of it, in a period of 31 days, meets the target and pays" in only["sentence"]
    )
    text = ladder("downtime", NOTHING, 'credit_percent = "10"')
    assert kinds(terms("downtime", text, '[target]\navailability_at_least = "99.9"')) == {"missed-but-free"}
    assert kinds(terms("downtime", text, '[target]\navailability_at_least = "99"')) == {"met-but-pays"}


@pytest.mark.parametrize("name", MEASURES)
def test_gaps_and_overlaps_of_every_measure(name: str) -> None:
    """A range in no tier, a single number in none, a range in two, and bounds one step of the last decimal apart."""
    better, without, worse, with_it = sides(name)
    first, second, _ = MEASURES[name][2]

    def two(good: str, bad: str) -> set[str]:
        return kinds(terms(name, tier(good, NOTHING) + tier(bad, 'credit_percent = "10"')))

    assert two(f'{better} = "{first}"', f'{worse} = "{second}"') == {"gap"}
    assert two(f'{without} = "{first}"', f'{worse} = "{first}"') == {"gap"}
    assert two(f'{better} = "{first}"', f'{with_it} = "{first}"') == {"overlap"}
    assert two(f'{better} = "{second}"', f'{worse} = "{first}"') == {"overlap"}
    assert two(f'{better} = "{first}"', f'{worse} = "{first}"') == set()


HOLES = {
    "two decimals": ("availability of time", 'availability_at_least = "99.90"', 'availability_at_most = "99.89"', "decimal-hole",
                     'availability_below "99.9" instead of availability_at_most "99.89"'),
    "mixed": ("messages", 'availability_at_least = "99"', 'availability_at_most = "98.99"', "decimal-hole",
              'availability_below "99" instead of availability_at_most "98.99"'),
    "more than a step": ("availability of time", 'availability_at_least = "99.9"', 'availability_at_most = "99"', "gap",
                         "none of the tiers holds above 99% to below 99.9%"),
    "minutes": ("downtime", 'downtime_at_most = "59 minutes"', 'downtime_at_least = "1 hour"', "decimal-hole",
                'downtime_below "1 hour" instead of downtime_at_most "59 minutes"'),
    "latency": ("latency", 'value_at_most = "0.99"', 'value_at_least = "1"', "decimal-hole", 'value_below "1" instead of value_at_most "0.99"'),
}  # fmt: skip


@pytest.mark.parametrize("case", HOLES)
def test_holes_between_decimals(case: str) -> None:
    """The advice is spelled as the policy spells its bounds, and taking it leaves nothing to say."""
    name, good, bad, kind, sentence = HOLES[case]
    (only,) = findings(terms(name, tier(good, NOTHING) + tier(bad, 'credit_percent = "10"')))
    assert (only["kind"], only["level"]) == (kind, "error")
    assert sentence in only["sentence"]


REACHED = {
    "a day more than there is": ("downtime", 'downtime_above = "32 days"', "calendar-month", True),
    "the last day": ("downtime", 'downtime_above = "30 days"', "calendar-month", False),
    "a quarter": ("downtime", 'downtime_above = "32 days"', "calendar-quarter", False),
    "trailing days": ("downtime", 'downtime_above = "31 days"', "trailing-days", True),
    "bad days": ("bad days", 'value_above = "31"', "calendar-month", True),
    "all days bad": ("bad days", 'value_at_least = "31"', "calendar-month", False),
    "a year of bad days": ("bad days", 'value_above = "31"', "calendar-year", False),
    "between two incidents": ("incidents", 'value_above = "2"\nvalue_below = "3"', "calendar-month", True),
    "two incidents": ("incidents", 'value_at_least = "2"\nvalue_below = "3"', "calendar-month", False),
    "between two seconds": ("latency", 'value_above = "2"\nvalue_below = "3"', "calendar-month", False),
}  # fmt: skip


@pytest.mark.parametrize("case", REACHED)
def test_tiers_nothing_leads_to(case: str) -> None:
    """What cannot be measured in a period leads to no tier, and gives no right to end the contract."""
    name, bounds, period, told = REACHED[case]
    of = MEASURES[name][1]
    rest = "".join(
        tier(
            f"{of}_{side} = {bound}", NOTHING if side.endswith(("most", "below")) else 'credit_percent = "10"'
        )
        for line in bounds.splitlines()
        for word, _, bound in (line.partition(" = "),)
        for side in (
            {"above": "at_most", "at_least": "below", "below": "at_least"}[word.removeprefix(f"{of}_")],
        )
    )
    text = tier(bounds, 'credit_percent = "10"') + rest
    assert ("unreachable-tier" in kinds(terms(name, text, period=period))) is told
    sound = ladder(name, NOTHING, 'credit_percent = "10"')
    assert ("unreachable-tier" in kinds(terms(name, sound, f"[[termination]]\n{bounds}\n", period))) is told


def test_outages_rounded_up_may_come_to_more_than_a_month() -> None:
    """Of outages that are each rounded up no tier is out of reach."""
    text = terms("downtime", ladder("downtime", NOTHING, 'credit_percent = "10"')).replace(
        "20 hours", "1 hour"
    )
    far = tier('downtime_at_most = "40 days"', NOTHING) + tier(
        'downtime_above = "40 days"', 'credit_percent = "9"'
    )
    assert kinds(terms("downtime", far)) == {"unreachable-tier"}
    assert (
        kinds(terms("downtime", far).replace("[credit]", 'quantise = "each-up"\nquantum = "1 day"\n[credit]'))
        == set()
    )
    assert kinds(text) == set()


COVERED = {**LESS, **LESS_OF_UNITS}


@pytest.mark.parametrize("remedy", LESS)
def test_a_tier_that_better_paid_ones_cover(remedy: str) -> None:
    """Where the greatest pays, a tier inside one that pays more never does."""
    less, more = LESS[remedy]
    for name in MEASURES:
        better, _, worse, _ = sides(name)
        first, second, _ = MEASURES[name][2]
        inside = f'{worse} = "{first}"\n{better} = "{second}"'
        for pays, told in (((less, more), True), ((more, less), False)):
            text = ladder(name, NOTHING, pays[1]) + tier(inside, pays[0])
            found = kinds(terms(name, text, '[reading]\noverlaps = "greatest"'))
            assert ("unreachable-tier" in found) is told, (name, found)


# Examples of every measure: facts, what the terms make of them, and what they do not.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "availability of time": ('availability = "99.5"', 'credit_percent = "10"', 'credit_percent = "0"'),
    "downtime": ('downtime_minutes = "90"', 'credit_percent = "10"', 'credit_percent = "0"'),
    "user-minutes": ('availability = "99.5"', 'credit_percent = "10"', 'credit_percent = "0"'),
    "error rate": ('availability = "99.95"', 'credit_percent = "0"', 'credit_percent = "10"'),
    "messages": ('failed = 5, total = 1000', 'availability = "99.5"', 'availability = "99.6"'),
    "executions": ('failed = 5, total = 1000', 'credit_percent = "10"', 'credit_percent = "5"'),
    "latency": ('value = "0.75"', 'credit_percent = "10"', 'credit_percent = "0"'),
    "bad days": ('value = "2"', 'value = "2"', 'value = "3"'),
    "incidents": ('value = "2"', 'credit_percent = "10"', 'credit_percent = "0"'),
    "outages": ('value = "2"', 'value = "2"', 'value = "1"'),
    "failures": ('value = "2"', 'credit_percent = "10"', 'credit_percent = "0"'),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURES)
def test_examples_of_every_measure_are_tried(name: str) -> None:
    """What terms give is right, and everything else contradicts them."""
    facts, right, wrong = EXAMPLES[name]
    text = terms(name, ladder(name, NOTHING, 'credit_percent = "10"'))
    example = '[[examples]]\nfacts = {{ period = "2022-03", {} }}\nexpect = {{ {} }}\n'
    assert findings(text + example.format(facts, right)) == []
    (only,) = findings(text + example.format(facts, wrong))
    assert (only["kind"], only["level"]) == ("example-contradicts", "error")


PAYS = st.one_of(
    st.sampled_from(("0", "5", "10", "40")).map(lambda part: f'credit_percent = "{part}"'),
    st.sampled_from(("1.00", "5.00")).map(lambda sum_of: f'credit_fixed = {{ USD = "{sum_of}" }}'),
    st.sampled_from(("1", "3")).map(lambda days: f'service_days = "{days}"'),
    st.sampled_from(("1", "10")).map(lambda times: f'credit_multiple = "{times}"'),
    st.tuples(st.sampled_from(("1", "5")), st.sampled_from(("1 hour", "30 minutes")), st.sampled_from(("full", "begun"))).map(
        lambda one: f'credit_percent = "{one[0]}"\nper = "block"\nblock = "{one[1]}"\nblocks = "{one[2]}"'
    ),
)  # fmt: skip
FEES = ("0.00", "0.01", "7.00", "70.00", "900.00", "70000.00", "100000000.00")
MINUTES = ("0", "1", "59", "60", "61", "239", "240", "241", "1199", "1200", "1201", "44639")


@settings(max_examples=25, deadline=None)
@given(st.lists(PAYS, min_size=2, max_size=4))
def test_the_calculator_agrees(pays: list[str]) -> None:
    """Exactly where the calculator pays, for what is worse, less for some fee and more for none, the linter says so."""
    text = terms("downtime", ladder("downtime", *pays))
    policy = parse_policy(text)
    paid = []
    for minutes in MINUTES:
        rows = [
            answer(
                policy, {"period": "2022-03", "downtime_minutes": minutes, "fee": fee, "currency": "USD"}, 0
            )
            for fee in FEES
        ]
        paid.append([*(Fraction(row["credit"]) for row in rows), Fraction(str(rows[0]["service_days"] or 0))])
    falls = any(
        all(after <= before for before, after in zip(better, worse, strict=True)) and worse != better
        for better, worse in combinations(paid, 2)
    )
    assert ("worse-pays-less" in kinds(text)) is falls
