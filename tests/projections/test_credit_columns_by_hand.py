"""Every column of a credit row, worked out by hand: what is decided, what is a bound, and what the terms know nothing of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from projections.cohorts import Cohort
from projections.credits import COLUMNS, _repeated, price, rows
from projections.earlier_credits import Earlier
from tests.projections.pricing import APRIL, at, column, policy, priced, subscribed, table, window, worked

OUTAGE = window("2022-03-14T10:00", "2022-03-14T12:30")
COUNTED = 'of = "events"\ncounts = "outages"'
COUNTS = (
    '[[tiers]]\nvalue_at_most = "0"\ncredit_percent = "0"\nservice_days = "0"\n'
    '[[tiers]]\nvalue_above = "0"\ncredit_percent = "12.5"\nservice_days = "2.5"\n'
)
RIGHT = '[[termination]]\nvalue_above = "0"\nperiods = 1\n'
BOUNDS = ("", "_at_least", "_at_most")


def test_a_row_of_a_count_says_its_value_days_and_right_to_terminate() -> None:
    terms = policy(measure=COUNTED, tiers=COUNTS, more=RIGHT)
    line = subscribed("a", customer="Bell", currency="JPY", fee="1001")
    [row] = priced([line], [OUTAGE], terms, resting_on=["subscriptions/mine v1"]).values()
    assert tuple(row) == COLUMNS
    assert row == {
        "customer": "Bell", "subscription": "a", "service": "email", "region": "EMEA", "policy": "p", "policy_version": 1,
        "policy_sha256": terms.sha256, "period": "2022-03", "currency": "JPY", "fee": "1001", "downtime_seconds": 9_000, "excluded_seconds": 0,
        "eligible_downtime_seconds": 9_000, "eligible_downtime_seconds_at_least": 9_000, "eligible_downtime_seconds_at_most": 9_000,
        "period_seconds": 2_678_400, "availability": None, "availability_at_least": None, "availability_at_most": None,
        # An eighth of 1001 is 125.125.
        "credit_percent": "12.5", "credit": "125", "credit_at_least": "125", "credit_at_most": "125",
        "rule": "p v1: value above 0 gives 12.5% of fee and 2.5 days of service", "seconds_to_next_tier": None, "seconds_past_tier_edge": None,
        "provisional": False, "approximate": False, "entries": ["incident/i v2", "policy/p v1", "subscriptions/mine v1"],
        "value": "1", "value_at_least": "1", "value_at_most": "1", "service_days": "2.5", "service_days_at_least": "2.5",
        "service_days_at_most": "2.5", "termination": True, "claim_state": "not-needed", "claim": None, "claim_last_day": None,
    }  # fmt: skip


def test_what_is_not_decided_is_null_between_its_bounds() -> None:
    """An outage that perhaps was in EMEA, and surely not in NAM; time, which has no value, beside a count, which has no availability."""
    somewhere = window("2022-03-14T10:00", "2022-03-14T12:30", region="unknown", regions=("EMEA", "APAC"))
    terms = policy(measure=COUNTED, tiers=COUNTS, more=RIGHT), policy("time")
    lines = [
        subscribed("count-nam", region="NAM"), subscribed("time", policy="time"), subscribed("count"), subscribed("time-nam", policy="time", region="NAM"),
    ]  # fmt: skip
    found = priced(lines, [somewhere], *terms)
    assert column(found, *(f"value{end}" for end in BOUNDS)) == {
        "count-nam": ("0", "0", "0"), "time": (None, None, None), "count": (None, "0", "1"), "time-nam": (None, None, None),
    }  # fmt: skip
    assert column(found, *(f"service_days{end}" for end in BOUNDS)) == {
        "count-nam": ("0", "0", "0"), "time": (None, None, None), "count": (None, "0", "2.5"), "time-nam": (None, None, None),
    }  # fmt: skip
    # 9,000 of 2,678,400 seconds.
    least = "99.663978494624"
    assert column(found, *(f"availability{end}" for end in BOUNDS)) == {
        "count-nam": (None, None, None), "time": (None, least, "100.000000000000"), "count": (None, None, None),
        "time-nam": ("100.000000000000", "100.000000000000", "100.000000000000"),
    }  # fmt: skip
    assert column(found, *(f"eligible_downtime_seconds{end}" for end in BOUNDS))["time"] == (None, 0, 9_000)
    assert column(found, *(f"credit{end}" for end in BOUNDS)) == {
        "count-nam": ("0.00", "0.00", "0.00"), "time": (None, "0.00", "10.00"), "count": (None, "0.00", "12.50"), "time-nam": ("0.00", "0.00", "0.00"),
    }  # fmt: skip
    assert column(found, "credit_percent", "termination") == {
        "count-nam": ("0", False), "time": (None, None), "count": (None, None), "time-nam": ("0", None),
    }  # fmt: skip


def test_seconds_to_the_tiers_beside_are_whole_or_not_there() -> None:
    """0.1% of the month are 2,678.4 seconds, 1% are 26,784: what is down is so far past the one, and from the other."""
    terms = policy(steps={"99.9": "10", "99.0": "25"})
    lines = [subscribed("down"), subscribed("up", region="NAM"), subscribed("open", service="web")]
    windows = [OUTAGE, window("2022-03-31T23:15", None, "w", service="web")]
    found = priced(lines, windows, terms, as_of=APRIL - 1_800)
    assert column(found, "seconds_to_next_tier", "seconds_past_tier_edge", "provisional") == {
        # From 9,000 on, 17,785 seconds more are past 26,784; 6,322 fewer are within 2,678.
        "down": (17_785, 6_322, False), "up": (2_679, None, False), "open": (None, None, True),
    }  # fmt: skip
    frame: Any = worked(lines, windows, terms, as_of=APRIL - 1_800).frame
    assert {str(frame[name].dtype) for name in ("seconds_to_next_tier", "seconds_past_tier_edge")} == {
        "Int64"
    }


def test_rows_are_priced_with_all_that_is_known() -> None:
    """Two outages of 150 minutes, one of a cohort; an hour excluded; executions that failed; 18.00 credited a month ago; a claim."""
    limited = policy(
        steps={"99.9": "10", "99.6": "25"}, excluded=("force-majeure",),
        more='[limits]\nrolling_percent = "20"\n[claim]\nhow = "on-request"\nwithin = "5 days"\nanchor = "period-end"\n',
    )  # fmt: skip
    failing = policy("failing", measure='of = "executions"', effects=())
    again = window("2022-03-20T10:00", "2022-03-20T12:30", "again", cohort="beta")
    given: dict[str, Any] = {
        "cohorts": {"beta": Cohort("cohort/beta v1", pd.array(["Acme"], dtype="str"))},
        "measurements": [
            Measurement("m", "m", "email", "flow", "EMEA", at("2022-03-10"), at("2022-03-11"), "executions", 1_000, 2, entries=("incident/m v2",))
        ],
        "exclusions": [
            Exclusion("storm", "force-majeure", "email", "*", "EMEA", at("2022-03-14T10:00"), at("2022-03-14T11:00"), entries=("exclusion/storm v1",))
        ],
        "credited": {"a": (Earlier(1, 1_800, "USD", "statement/main v1"),)},
        "claims": [
            Claim("c", "Bell", "2022-03", "2022-04-01T00:00:00.000000Z", (), "granted", entries=("claim/c v1", "claim/c v2"))
        ],
    }  # fmt: skip
    lines = [subscribed("a"), subscribed("b", customer="Bell"), subscribed("c", policy="failing")]
    published = {"p": [(1, limited)], "failing": [(1, failing)]}
    frame = price(
        table(lines), [OUTAGE, again], published, "2022-03", APRIL, ["subscriptions/mine v1"], **given
    )
    found = {row["subscription"]: row for row in rows(frame)}
    assert column(found, "credit", "eligible_downtime_seconds", "claim_state", "availability") == {
        # Four hours reach the second tier, of which 2.00 are left.
        "a": ("2.00", 14_400, "not-claimed", "99.462365591398"), "b": ("10.00", 5_400, "granted", "99.798387096774"),
        # Two of a thousand failed: as much of the month counts as down.
        "c": ("10.00", "5356.8", "not-needed", "99.800000000000"),
    }  # fmt: skip
    assert found["a"]["entries"] == [
        "cohort/beta v1", "exclusion/storm v1", "incident/again v2", "incident/i v2", "policy/p v1", "statement/main v1",
        "subscriptions/mine v1",
    ]  # fmt: skip
    assert frame["provisional"].tolist() == [False] * 3
    # What is worked out beside the rows is the same, and no more is marked than was asked for.
    assert list(rows(worked(lines, [OUTAGE, again], limited, failing, resting_on=["subscriptions/mine v1"], **given).frame)) == list(found.values())  # fmt: skip
    early = worked(lines, [], limited, failing, as_of=APRIL - 1).frame
    assert early["provisional"].tolist() == [False] * 3


@pytest.mark.parametrize(
    ("many", "of"), [(0, "int8"), (100, "int8"), (200, "int16"), (30_000, "int16"), (40_000, "int32")]
)
def test_what_rows_share_is_kept_once_and_counted_in_as_few_bytes_as_it_takes(many: int, of: str) -> None:
    """Each value of a group in two rows, and null in one."""
    values = [*(f"v{number}" for number in range(many)), None]
    codes = np.array([many, *range(many), *range(many - 1, -1, -1)], dtype=np.intp)
    found = _repeated(values, codes)
    assert found.codes.tolist() == [-1, *range(many), *range(many - 1, -1, -1)]
    assert (str(found.codes.dtype), found.categories.tolist()) == (of, values[:many])


def test_a_frame_without_rows_has_the_columns_of_any_other() -> None:
    none, some = (worked(lines, [OUTAGE], policy()).frame for lines in ([], [subscribed("a")]))
    plain = [name for name in some.columns if not isinstance(some[name].dtype, pd.CategoricalDtype)]
    assert none.columns.tolist() == some.columns.tolist()
    assert {name: str(none[name].dtype) for name in plain} == {name: str(some[name].dtype) for name in plain}
