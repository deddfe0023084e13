"""By which labels a claim names a period and a run asks for it, and which version of terms ruled at an instant."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.domain.policy.model import PeriodRule, VersionRule
from ledger.domain.policy.periods import (
    claim_labels,
    parse_policy_period,
    period_at,
    period_named,
    ruling_at,
)
from ledger.errors import Refused
from tests.sla.calendars import (
    HALF,
    MONTH,
    NEW_YORK,
    QUARTER,
    YEAR,
    at,
    billing,
    contract,
    days,
    terms,
    trailing,
)

Days = tuple[str, str]


@pytest.mark.parametrize(
    ("rule", "label", "expected"),
    [
        (MONTH, "2022-03", ("2022-03",)),
        # The month in which a billing month ends is the label of the one after it.
        (billing(15), "2022-02", ("2022-02",)),
        (QUARTER, "2022-Q1", ("2022-Q1", "2022-03")),
        # It ends four hours into April of Greenwich, and still in March of New York.
        (PeriodRule("calendar-quarter", NEW_YORK), "2022-Q1", ("2022-Q1", "2022-03")),
        (HALF, "2022-H2", ("2022-H2", "2022-12")),
        (YEAR, "2022", ("2022", "2022-12")),
        (contract(4, 1), "2021", ("2021", "2022-03")),
        (contract(4, 2), "2021", ("2021", "2022-04")),
        (trailing(7), "2022-03-31", ("2022-03-31", "2022-03")),
        # A month asks for the days up to its last one, and not for these.
        (trailing(7), "2022-03-30", ("2022-03-30",)),
    ],
)
def test_a_claim_names_a_period_by_its_label_or_by_the_month_it_ends_in(
    rule: PeriodRule, label: str, expected: tuple[str, ...]
) -> None:
    period = parse_policy_period(rule, label)
    assert claim_labels(rule, period) == expected
    assert [period_named(rule, one) for one in expected] == [period] * len(expected)


@pytest.mark.parametrize(
    ("rule", "label", "named", "asked"),
    [
        (MONTH, "2022-03", ("2022-03-01", "2022-04-01"), ("2022-03-01", "2022-04-01")),
        (MONTH, "2022-Q1", None, None),
        (QUARTER, "2022-Q1", ("2022-01-01", "2022-04-01"), ("2022-01-01", "2022-04-01")),
        (QUARTER, "2022-03", ("2022-01-01", "2022-04-01"), ("2022-01-01", "2022-04-01")),
        (QUARTER, "2022-02", None, None),
        (QUARTER, "2022-13", None, None),
        # A claim means the billing month that begins in a month, and a run the one that ends in it.
        (billing(15), "2022-03", ("2022-03-15", "2022-04-15"), ("2022-02-15", "2022-03-15")),
        (billing(15), "2022-13", None, None),
        (billing(15), "9998-12", None, None),
        (trailing(7), "2022-03", ("2022-03-25", "2022-04-01"), ("2022-03-25", "2022-04-01")),
        (trailing(7), "2022-03-30", ("2022-03-24", "2022-03-31"), ("2022-03-24", "2022-03-31")),
        (contract(4, 2), "2022-04", ("2021-04-02", "2022-04-02"), ("2021-04-02", "2022-04-02")),
        (contract(4, 2), "2022-03", None, None),
        (YEAR, "nonsense", None, None),
    ],
)
def test_a_claim_and_a_run_each_mean_one_period_with_a_label(
    rule: PeriodRule, label: str, named: Days | None, asked: Days | None
) -> None:
    found = [period_named(rule, label), period_at(rule, label)]
    assert [None if one is None else days(one) for one in found] == [named, asked]


def test_what_ruled_at_an_instant_is_read_by_the_periods_it_had() -> None:
    """Months until the end of March 2022, and quarters from April on."""
    months, quarters = terms(MONTH), terms(QUARTER, in_force_from="2022-04-01")
    renewed = msgspec.structs.replace(quarters, version=VersionRule("on-renewal"))

    def ruled(rule: PeriodRule, day: str, term_start: str | None = None, second: Any = quarters) -> Any:
        versions = [(1, months), (2, second)]
        version, policy, period = ruling_at(versions, rule, at(day), term_start)
        assert policy == dict(versions)[version]
        return version, days(period)

    march, may, quarter = (
        ("2022-03-01", "2022-04-01"),
        ("2022-05-01", "2022-06-01"),
        ("2022-04-01", "2022-07-01"),
    )
    assert ruled(MONTH, "2022-03-15") == (1, march)
    # Whichever kind of period is looked from.
    assert ruled(QUARTER, "2022-03-15") == (1, march)
    assert ruled(MONTH, "2022-05-20") == (2, quarter)
    assert ruled(QUARTER, "2022-05-20") == (2, quarter)
    # A customer whose year began in May keeps months until it is over, and one whose year began in April does not.
    assert ruled(MONTH, "2022-05-20", "2021-05-10", renewed) == (1, may)
    assert ruled(MONTH, "2022-05-20", "2021-04-10", renewed) == (2, quarter)
    assert ruled(MONTH, "2022-05-20", None, renewed) == (2, quarter)
    with pytest.raises(
        Refused, match="policy 'p' has a gap: none of its versions was in force on 2019-03-01"
    ):
        ruled(MONTH, "2019-03-15")
