"""Credits per subscription: given windows, terms and a table of subscriptions, then this money."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd
import pytest

from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from ledger.errors import Refused
from projections.credits import (
    COLUMNS,
    DIFFERENCE_COLUMNS,
    difference,
    price,
    read_subscriptions,
    rows,
    totals,
    workings,
)
from tools.terms import terms

POLICY = terms("email-standard", {"99.9": "12.5", "98.0": "25"}, effects=("outage", "data-loss"))
STANDARD = parse_policy(POLICY)
TABLE = """\
customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
Acme,acme-emea,email,EMEA,email-standard,USD,1200.00,2022-01-01,
Acme,acme-nam,email,NAM,email-standard,USD,1000.01,2022-01-01,
Bell,bell-emea,email,EMEA,email-standard,JPY,90003,2022-01-01,2023-01-01
Gulf,gulf-nam,email,NAM,email-standard,BHD,1.004,2022-01-01,
Past,past-emea,email,EMEA,email-standard,EUR,100.00,2021-01-01,2022-03-01
Next,next-emea,email,EMEA,email-standard,EUR,100.00,2022-04-01,
Part,part-emea,email,EMEA,email-standard,EUR,100.00,2022-03-15,2022-03-16
"""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


AS_OF = at("2022-04-15T00:00")


def window(name: str, region: str, start: str, end: str | None, **more: Any) -> Window:
    return Window(
        incident="email-2022-03", window=name, service="email", component="mail-flow", region=region,
        start=at(start), end=None if end is None else at(end), effect="data-loss",
        entries=(f"incident/email-2022-03 {name}",), **more,
    )  # fmt: skip


FIRST = window("v2", "EMEA", "2022-03-14T16:00", "2022-03-14T23:59", approximate=True, share_at_most="0.002")
ADDED = (
    window("v9", "NAM", "2022-03-15T02:30", "2022-03-15T10:00"),
    window("v10", "EMEA", "2022-03-15T16:30", "2022-03-16T00:30"),
)


def priced(
    windows: Sequence[Window],
    table: str = TABLE,
    versions: Sequence[tuple[int, Policy]] = ((1, STANDARD),),
    **more: Any,
) -> pd.DataFrame:
    subscriptions = read_subscriptions(table.encode(), "csv")
    return price(
        subscriptions, windows, {"email-standard": versions}, "2022-03", more.pop("as_of", AS_OF), **more
    )


def credits(frame: pd.DataFrame) -> dict[str, str | None]:
    return {row["subscription"]: row["credit"] for row in rows(frame)}


def test_credits_of_march_2022_after_the_correction() -> None:
    assert credits(priced((FIRST, *ADDED))) == {
        "acme-emea": "300.00",
        # 125.00125 and 0.1255 are rounded once, half up.
        "acme-nam": "125.00",
        "bell-emea": "22501",
        "gulf-nam": "0.126",
        # Valid on the 15th only: 27,000 seconds of the second window, of the whole month.
        "part-emea": "12.50",
    }


def test_a_row_has_the_documented_keys_and_explains_itself() -> None:
    row = next(rows(priced((FIRST, *ADDED), resting_on=["subscriptions/email v1"])))
    assert tuple(row) == COLUMNS
    assert json.loads(json.dumps(row)) == {
        "customer": "Acme",
        "subscription": "acme-emea",
        "service": "email",
        "region": "EMEA",
        "policy": "email-standard",
        "policy_version": 1,
        "policy_sha256": STANDARD.sha256,
        "period": "2022-03",
        "currency": "USD",
        "fee": "1200.00",
        "downtime_seconds": 57_540,
        "excluded_seconds": 0,
        "eligible_downtime_seconds": 57_540,
        "eligible_downtime_seconds_at_least": 57_540,
        "eligible_downtime_seconds_at_most": 57_540,
        "period_seconds": 2_678_400,
        "availability": "97.851702508961",
        "availability_at_least": "97.851702508961",
        "availability_at_most": "97.851702508961",
        "credit_percent": "25",
        "credit": "300.00",
        "credit_at_least": "300.00",
        "credit_at_most": "300.00",
        "rule": "email-standard v1: availability below 98.0% gives 25% of fee",
        "seconds_to_next_tier": None,
        "seconds_past_tier_edge": 3972,
        "provisional": False,
        "approximate": True,
        "entries": [
            "incident/email-2022-03 v2",
            "incident/email-2022-03 v10",
            "policy/email-standard v1",
            "subscriptions/email v1",
        ],
        # What a policy of format 1 has none of.
        "value": None,
        "value_at_least": None,
        "value_at_most": None,
        "service_days": None,
        "service_days_at_least": None,
        "service_days_at_most": None,
        "termination": None,
        # Nor of a claim.
        "claim_state": "not-needed",
        "claim": None,
        "claim_last_day": None,
    }


def test_a_frame_keeps_money_in_minor_units_beside_their_digits() -> None:
    frame = priced((FIRST, *ADDED))
    assert tuple(frame.columns) == (*COLUMNS, "minor_units")
    assert frame["credit"].tolist() == [30_000, 12_500, 22_501, 126, 1250]
    assert frame["minor_units"].tolist() == [2, 2, 0, 3, 2]


def test_an_undecided_credit_is_null_between_its_bounds() -> None:
    row = next(rows(priced((window("v2", "EMEA", "2022-03-30T12:00", None),), as_of=at("2022-03-30T18:00"))))
    assert (row["credit"], row["credit_at_least"], row["credit_at_most"]) == (None, "150.00", "300.00")
    assert (row["credit_percent"], row["availability"], row["eligible_downtime_seconds"]) == (
        None,
        None,
        None,
    )
    assert (row["eligible_downtime_seconds_at_least"], row["eligible_downtime_seconds_at_most"]) == (
        21_600,
        129_600,
    )
    assert row["availability_at_least"] == "95.161290322581"
    assert row["provisional"]
    assert row["seconds_to_next_tier"] is None


def test_where_both_bounds_give_the_same_money_it_is_decided() -> None:
    table = TABLE.replace("1200.00", "0.00")
    row = next(
        rows(priced((window("v2", "EMEA", "2022-03-30T12:00", None),), table, as_of=at("2022-03-30T18:00")))
    )
    assert (row["credit"], row["credit_percent"]) == ("0.00", None)


@pytest.mark.parametrize(
    ("mode", "cents"),
    [
        ("half-up", 13),
        ("half-even", 12),
        ("half-down", 12),
        ("up", 13),
        ("down", 12),
        ("ceiling", 13),
        ("floor", 12),
    ],
)
def test_each_rounding_mode_at_a_tie(mode: str, cents: int) -> None:
    # An eighth of 1.00 is 12.5 cents.
    policy = parse_policy(POLICY.replace("half-up", mode))
    assert credits(priced(ADDED, TABLE.replace("1000.01", "1.00"), [(1, policy)]))["acme-nam"] == f"0.{cents}"


def test_policies_of_different_rounding_are_priced_side_by_side() -> None:
    down = parse_policy(POLICY.replace("email-standard", "email-down").replace("half-up", "down"))
    table = TABLE.replace("NAM,email-standard,USD,1000.01", "NAM,email-down,USD,1.00").replace(
        "1.004", "0.100"
    )
    frame = price(
        read_subscriptions(table.encode(), "csv"), ADDED,
        {"email-standard": [(1, STANDARD)], "email-down": [(4, down)]}, "2022-03", AS_OF,
    )  # fmt: skip
    assert (credits(frame)["acme-nam"], credits(frame)["gulf-nam"]) == ("0.12", "0.013")
    assert frame["policy_version"].tolist() == [1, 4, 1, 1, 1]


def test_amounts_beyond_64_bits_on_the_way_stay_exact() -> None:
    fine = parse_policy(POLICY.replace('"12.5"', '"12.345678901234567"'))
    frame = priced(ADDED, TABLE.replace("1000.01", "92233720368547758.07"), [(1, fine)])
    exact = (2**63 - 1) * 12_345_678_901_234_567 * 2 + 10**17
    assert frame["credit"].tolist()[1] == exact // (2 * 10**17)
    assert totals(frame).set_index("currency").loc["USD", "fee"] == 2**63 - 1 + 120_000


def test_the_version_in_force_on_the_first_of_the_month_rules() -> None:
    new = parse_policy(POLICY.replace("2022-01-01", "2022-03-02").replace('"25"', '"100"'))
    assert credits(priced((FIRST, *ADDED), versions=[(1, STANDARD), (2, new)]))["acme-emea"] == "300.00"
    new = parse_policy(POLICY.replace("2022-01-01", "2022-03-01").replace('"25"', '"100"'))
    assert credits(priced((FIRST, *ADDED), versions=[(1, STANDARD), (2, new)]))["acme-emea"] == "1200.00"


def test_the_month_is_that_of_the_policys_zone() -> None:
    tokyo = parse_policy(POLICY.replace('zone = "UTC"', 'zone = "Asia/Tokyo"'))
    outage = window("v2", "NAM", "2022-02-28T15:00", "2022-02-28T23:00")
    assert credits(priced((outage,)))["acme-nam"] == "0.00"
    assert credits(priced((outage,), versions=[(1, tokyo)]))["acme-nam"] == "125.00"


def test_no_subscriptions_give_no_rows_and_no_totals() -> None:
    frame = priced(ADDED, TABLE.splitlines()[0])
    assert tuple(frame.columns) == (*COLUMNS, "minor_units")
    assert list(rows(frame)) == []
    assert len(totals(frame)) == 0
    assert len(difference(frame, frame)) == 0


def test_policies_that_are_not_there_or_not_in_force_are_all_told() -> None:
    late = parse_policy(POLICY.replace("2022-01-01", "2022-03-02"))
    with pytest.raises(Refused) as refused:
        priced(ADDED, TABLE.replace("NAM,email-standard", "NAM,email-standart"), [(1, late)])
    gap, unknown = refused.value.problems
    assert gap.startswith(
        "policy 'email-standard' has a gap: none of its versions was in force on 2022-03-01"
    )
    assert unknown == (
        "policy 'email-standart', which subscriptions name, is not published (did you mean "
        "'email-standard'?); publish it or correct them"
    )
    assert refused.value.exit_code == 1


def test_a_policy_that_only_rows_of_another_month_name_is_not_asked_for() -> None:
    assert (
        len(
            priced(
                ADDED, TABLE.replace("Past,past-emea,email,EMEA,email-standard", "Past,past,email,EMEA,gone")
            )
        )
        == 5
    )


def test_a_day_is_not_a_period_of_credits() -> None:
    with pytest.raises(
        Refused, match="period '2022-03-14' is a day, but policies are per calendar month; write it like"
    ):
        price(read_subscriptions(TABLE.encode(), "csv"), (), {}, "2022-03-14", AS_OF)


def test_a_change_to_the_frame_reaches_neither_the_subscriptions_nor_another_column() -> None:
    subscriptions = read_subscriptions(
        TABLE.splitlines(keepends=True)[0].encode() + TABLE.splitlines()[1].encode(), "csv"
    )
    frame = price(subscriptions, (FIRST, *ADDED), {"email-standard": [(1, STANDARD)]}, "2022-03", AS_OF)
    frame.loc[0, "customer"], frame.loc[0, "fee"], frame.loc[0, "credit"] = "Changed", 1, 2
    assert (subscriptions.loc[0, "customer"], subscriptions.loc[0, "fee"]) == ("Acme", 120_000)
    assert (frame.loc[0, "credit_at_least"], frame.loc[0, "credit_at_most"]) == (30_000, 30_000)


def test_totals_are_per_currency_and_null_where_a_row_is_undecided() -> None:
    assert list(rows(totals(priced((FIRST, *ADDED))))) == [
        {
            "currency": currency, "subscriptions": count, "undecided": 0, "fee": fee, "credit": credit,
            "credit_at_least": credit, "credit_at_most": credit,
        }
        for currency, count, fee, credit in (
            ("BHD", 1, "1.004", "0.126"), ("EUR", 1, "100.00", "12.50"), ("JPY", 1, "90003", "22501"),
            ("USD", 2, "2200.01", "425.00"),
        )
    ]  # fmt: skip
    frame = priced((window("v2", "EMEA", "2022-03-30T12:00", None),), as_of=at("2022-03-30T18:00"))
    dollars = list(rows(totals(frame)))[-1]
    assert (dollars["undecided"], dollars["credit"]) == (1, None)
    assert (dollars["credit_at_least"], dollars["credit_at_most"]) == ("150.00", "300.00")


@pytest.mark.parametrize(
    ("as_of", "marked", "expected"),
    [
        ("2022-03-31T23:59:59", True, True),
        ("2021-12-01T00:00", True, True),
        ("2022-04-01T00:00", True, False),
        ("2022-03-31T23:59:59", False, False),
    ],
)
def test_every_row_of_a_month_that_is_not_over_is_provisional_where_that_is_marked(
    as_of: str, marked: bool, expected: bool
) -> None:
    table = read_subscriptions(TABLE.encode(), "csv")
    found = workings(
        table, (), {"email-standard": [(1, STANDARD)]}, "2022-03", at(as_of), mark_unfinished=marked
    )
    assert set(found.frame["provisional"]) == {expected}


def test_the_difference_that_the_correction_made() -> None:
    before, after = priced((FIRST,)), priced((FIRST, *ADDED))
    changed = difference(before, after)
    assert tuple(changed.columns) == (*DIFFERENCE_COLUMNS, "minor_units")
    assert {
        row["subscription"]: (row["credit_before"], row["credit_after"], row["delta"])
        for row in rows(changed)
    } == {
        "acme-emea": ("150.00", "300.00", "150.00"),
        "acme-nam": ("0.00", "125.00", "125.00"),
        "bell-emea": ("11250", "22501", "11251"),
        "gulf-nam": ("0.000", "0.126", "0.126"),
        "part-emea": ("0.00", "12.50", "12.50"),
    }
    dollars = list(rows(totals(changed)))[-1]
    assert (dollars["credit_before"], dollars["credit_after"], dollars["delta"]) == (
        "150.00",
        "425.00",
        "275.00",
    )
    assert next(rows(difference(after, before)))["delta"] == "-150.00"


def test_a_subscription_that_one_side_lacks_was_credited_nothing_there() -> None:
    with_all = priced((FIRST, *ADDED))
    some = priced((FIRST,), "".join(TABLE.splitlines(keepends=True)[:2]))
    found = {row["subscription"]: row for row in rows(difference(some, with_all))}
    assert list(found) == ["acme-emea", "acme-nam", "bell-emea", "gulf-nam", "part-emea"]
    assert (found["acme-nam"]["credit_before"], found["acme-nam"]["delta"]) == ("0.00", "125.00")
    back = {row["subscription"]: row for row in rows(difference(with_all, some))}
    assert (back["acme-nam"]["credit_after"], back["acme-nam"]["delta"]) == ("0.00", "-125.00")
    assert back["acme-nam"]["currency"] == "USD"
    assert back["gulf-nam"]["fee"] == "1.004"


def test_a_difference_with_an_undecided_side_is_null() -> None:
    undecided = priced((window("v2", "EMEA", "2022-03-30T12:00", None),), as_of=at("2022-03-30T18:00"))
    row = next(rows(difference(undecided, priced((FIRST, *ADDED)))))
    assert (row["credit_before"], row["credit_before_at_most"], row["credit_after"]) == (
        None,
        "300.00",
        "300.00",
    )
    assert row["delta"] is None


def test_amounts_in_different_currencies_are_not_subtracted() -> None:
    euros = priced((FIRST,), TABLE.replace("USD,1200.00", "EUR,1200.00"))
    with pytest.raises(Refused, match="subscription 'acme-emea' was billed in USD before and in EUR after"):
        difference(priced((FIRST,)), euros)


def test_an_open_window_is_provisional_in_its_region_only() -> None:
    frame = priced((msgspec.structs.replace(ADDED[0], end=None), ADDED[1]))
    assert {row["subscription"]: row["provisional"] for row in rows(frame)} == {
        "acme-emea": False, "acme-nam": True, "bell-emea": False, "gulf-nam": True, "part-emea": False,
    }  # fmt: skip
