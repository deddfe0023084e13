"""A window limited to a cohort: its customers get it in full, others nothing, and who they are is read from a table."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import Refused, Unavailable
from projections.cohorts import Cohort, Seen, named_by, read_cohort
from projections.credits import price, read_subscriptions, rows
from tools.terms import terms

POLICY = terms("standard", {"99.9": "10", "99.0": "25"})
STANDARD = parse_policy(POLICY)
TERMS = {"standard": [(1, STANDARD)]}
HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
TABLE = (
    HEADER
    + """\
Acme,acme-emea,email,EMEA,standard,EUR,100.00,2022-01-01,
Acme,acme-nam,email,NAM,standard,EUR,100.00,2022-01-01,
Bell,bell-emea,email,EMEA,standard,EUR,100.00,2022-01-01,
Müller AG,mueller-emea,email,EMEA,standard,EUR,100.00,2022-01-01,
Acme,acme-web,web,EMEA,standard,EUR,100.00,2022-01-01,
"""
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


AS_OF = at("2022-04-01T00:00")


def window(name: str, hours: float, region: str = "EMEA", **more: Any) -> Window:
    start = more.pop("start", at("2022-03-10T00:00"))
    return Window(
        incident="mail", window=name, service="email", component="flow", region=region, start=start,
        end=start + int(hours * 3600), effect="outage", entries=(f"incident/mail {name}",), **more,
    )  # fmt: skip


def cohort(name: str, *customers: str, version: int = 1) -> Cohort:
    return Cohort(f"cohort/{name} v{version}", pd.array(customers, dtype="str"))


def priced(
    windows: list[Window], table: str = TABLE, as_of: int = AS_OF, **cohorts: Cohort
) -> dict[str, dict[str, Any]]:
    frame = price(read_subscriptions(table.encode(), "csv"), windows, TERMS, "2022-03", as_of, (), cohorts)
    return {row["subscription"]: row for row in rows(frame)}


def credits(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {subscription: row["credit"] for subscription, row in found.items()}


def test_members_get_the_window_in_full_and_others_nothing() -> None:
    found = priced([window("v2", 8, cohort="beta")], beta=cohort("beta", "Acme", "Müller AG"))
    assert credits(found) == {
        "acme-emea": "25.00", "acme-nam": "0.00", "bell-emea": "0.00", "mueller-emea": "25.00", "acme-web": "0.00",
    }  # fmt: skip
    assert {name: row["downtime_seconds"] for name, row in found.items() if row["region"] == "EMEA"} == {
        "acme-emea": 28_800, "bell-emea": 0, "mueller-emea": 28_800, "acme-web": 0,
    }  # fmt: skip
    assert not any(row["provisional"] for row in found.values())


def test_a_row_rests_on_the_cohort_that_a_window_of_its_service_and_region_is_limited_to() -> None:
    found = priced([window("v2", 8, cohort="beta")], beta=cohort("beta", "Acme", version=3))
    inside = ["cohort/beta v3", "incident/mail v2", "policy/standard v1"]
    assert {name: row["entries"] for name, row in found.items()} == {
        # Whoever is out of it gets nothing because of the same entries.
        "acme-emea": inside, "bell-emea": inside, "mueller-emea": inside,
        "acme-nam": ["policy/standard v1"], "acme-web": ["policy/standard v1"],
    }  # fmt: skip


def test_a_cohort_that_is_not_known_stays_a_bound() -> None:
    found = priced([window("v2", 8, cohort="beta")], gamma=cohort("gamma", "Acme"))
    row = found["bell-emea"]
    assert (row["credit"], row["credit_at_least"], row["credit_at_most"]) == (None, "0.00", "25.00")
    assert row["provisional"]
    assert row["entries"] == ["incident/mail v2", "policy/standard v1"]
    assert not found["acme-nam"]["provisional"]


def test_windows_of_several_cohorts_come_together_for_who_is_in_all_of_them() -> None:
    """43 minutes are allowed in March, 7 h 26 min make 99.0%: only both windows together pass it."""
    found = priced(
        [
            window("v2", 4, cohort="beta"),
            window("v3", 4, cohort="gamma", start=at("2022-03-10T04:00")),
            window("v4", 0.5, cohort="ghost"),
        ],
        beta=cohort("beta", "Acme", "Bell"), gamma=cohort("gamma", "Acme", "Müller AG"),
    )  # fmt: skip
    assert {name: row["downtime_seconds"] for name, row in found.items() if row["service"] == "email"} == {
        # What ghost is nobody knows: it was down, but perhaps for none of them.
        "acme-emea": 28_800, "acme-nam": 0, "bell-emea": 14_400, "mueller-emea": 16_200,
    }  # fmt: skip
    assert {name: (row["credit_at_least"], row["credit_at_most"]) for name, row in found.items()} == {
        "acme-emea": ("25.00", "25.00"), "acme-nam": ("0.00", "0.00"), "bell-emea": ("10.00", "10.00"),
        "mueller-emea": ("10.00", "10.00"), "acme-web": ("0.00", "0.00"),
    }  # fmt: skip


def test_a_window_of_all_or_unknown_regions_is_limited_as_well() -> None:
    everywhere = window("v2", 8, "*", cohort="beta", regions=("EMEA", "NAM"))
    assert credits(priced([everywhere], beta=cohort("beta", "Acme"))) == {
        "acme-emea": "25.00", "acme-nam": "25.00", "bell-emea": "0.00", "mueller-emea": "0.00", "acme-web": "0.00",
    }  # fmt: skip
    somewhere = window("v2", 8, "unknown", cohort="beta", regions=("EMEA", "NAM"))
    found = priced([somewhere], beta=cohort("beta", "Acme"))
    assert (found["acme-nam"]["credit"], found["acme-nam"]["credit_at_most"]) == (None, "25.00")
    assert found["bell-emea"]["credit"] == "0.00"


def test_an_open_window_is_provisional_for_its_customers_only() -> None:
    open_window = Window(
        incident="mail", window="w", service="email", component="flow", region="EMEA", start=at("2022-03-31T23:00"),
        end=None, effect="outage", cohort="beta", entries=("incident/mail v2",),
    )  # fmt: skip
    found = priced([open_window], as_of=at("2022-03-31T23:30"), beta=cohort("beta", "Acme"))
    assert [name for name, row in found.items() if row["provisional"]] == ["acme-emea"]


def test_a_withdrawn_window_asks_no_cohort() -> None:
    found = priced([window("v2", 8, cohort="beta", withdrawn=True)], beta=cohort("beta", "Acme"))
    assert {row["credit"] for row in found.values()} == {"0.00"}
    assert all(row["entries"] == ["policy/standard v1"] for row in found.values())


def test_an_empty_cohort_is_nobody_and_no_subscriptions_ask_for_none() -> None:
    found = priced([window("v2", 8, cohort="beta")], beta=cohort("beta"))
    assert {row["credit"] for row in found.values()} == {"0.00"}
    assert priced([window("v2", 8, cohort="beta")], HEADER, beta=cohort("beta", "Acme")) == {}


def test_many_cohorts_and_customers_are_told_apart() -> None:
    """Each customer is in the cohorts whose bit its number has: 2**7 circles, one window of an hour in each."""
    names = [f"c{number}" for number in range(128)]
    table = HEADER + "".join(f"{name},s-{name},email,EMEA,standard,EUR,1.00,2022-01-01,\n" for name in names)
    windows = [
        window(f"v{bit + 2}", 1, cohort=f"bit-{bit}", start=at("2022-03-10T00:00") + 3600 * bit)
        for bit in range(7)
    ]
    cohorts = {
        f"bit-{bit}": cohort(f"bit-{bit}", *(name for number, name in enumerate(names) if number >> bit & 1))
        for bit in range(7)
    }
    found = priced(windows, table, AS_OF, **cohorts)
    assert [found[f"s-{name}"]["downtime_seconds"] for name in names] == [
        3600 * number.bit_count() for number in range(128)
    ]


def test_which_cohorts_a_period_asks_for() -> None:
    windows = [
        window("v2", 1, cohort="beta"),
        window("v3", 1),
        window("v4", 1, cohort="gone", withdrawn=True),
        window("v5", 1, cohort="april", start=at("2022-04-01T00:00")),
        window("v6", 1, cohort="february", start=at("2022-02-28T22:00")),
        window("v7", 1, cohort="alpha"),
    ]
    assert named_by(windows, TERMS, "2022-03", AS_OF) == ["alpha", "beta"]
    tokyo = parse_policy(POLICY.replace('zone = "UTC"', 'zone = "Asia/Tokyo"'))
    assert named_by(windows, {**TERMS, "tokyo": [(1, tokyo)]}, "2022-03", AS_OF) == [
        "alpha",
        "beta",
        "february",
    ]


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=2)
    return out.getvalue()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()), pa.string_view()]
)
def test_csv_and_parquet_give_the_same_cohort(kind: pa.DataType) -> None:
    names = ["Acme", "Bell, Inc.", "Müller AG"]
    from_csv = read_cohort('customer\nAcme\n"Bell, Inc."\nMüller AG\n'.encode(), "csv")
    # Arrow casts no text to a view; a dictionary is made of the plain column.
    column = (
        pa.array(names, type=kind)
        if not pa.types.is_dictionary(kind)
        else pa.array(names).dictionary_encode()
    )
    assert from_csv.tolist() == read_cohort(parquet(customer=column), "parquet").tolist() == names


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("client\nAcme\n", "the customers of the cohort were not read: column 'client' is unknown; the only column is customer; column 'customer' is missing; add it"),
        ("custommer\nAcme\n", "column 'custommer' is unknown (did you mean 'customer'?); the only column is customer; column 'customer' is missing; add it"),
        ("customer,since\nAcme,2022-01-01\n", "column 'since' is unknown; the only column is customer"),
        ("", "column 'customer' is missing; add it"),
        ("customer\nAcme\nBell\nAcme\n", "line 4: customer 'Acme' is already on line 2; each may be there once"),
        ("customer\nAcme\n Bell\n", "line 3: customer ' Bell' is not a name: 1 to 200 characters without control characters, not starting or ending with a space"),
        ('customer\n""\n', "line 2: customer is empty; fill it in"),
        ('customer\n"Acme\n', "line 2 of the customers of the cohort is not CSV"),
        ("customer\nAcme,Bell\n", "line 2 has 2 fields, but the header has 1; check its commas and quotes"),
    ],
)  # fmt: skip
def test_a_bad_table_of_customers_is_refused_with_a_sentence(content: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        read_cohort(content.encode(), "csv")
    assert sentence in str(refused.value)


def test_a_bad_table_in_parquet_is_refused_by_row() -> None:
    with pytest.raises(
        Refused, match="row 2: customer is empty; fill it in; row 3: customer 'a' is already on row 1"
    ):
        read_cohort(parquet(customer=["a", None, "a"]), "parquet")
    with pytest.raises(Refused, match="column customer has the type int64; store it as string"):
        read_cohort(parquet(customer=[1, 2]), "parquet")
    with pytest.raises(Refused, match="the customers of the cohort are not Parquet"):
        read_cohort(b"customer\n", "parquet")
    with pytest.raises(Refused, match=r"are not UTF-8 text \(byte 9\)"):
        read_cohort(b"customer\n\xff", "csv")
    with pytest.raises(Unavailable, match=r"the customers of the cohort .no\.csv. cannot be read"):
        read_cohort(Path("no.csv"), "csv")


def test_whom_no_table_knows_is_found_over_all_parts() -> None:
    seen = Seen(cohort("beta", "Acme", "Acmee", "Bell", "Zed"))
    table = read_subscriptions(TABLE.encode(), "csv")
    seen.add(table.iloc[:2])
    assert seen.missing() == ["Acmee", "Bell", "Zed"]
    seen.add(table.iloc[2:])
    assert seen.missing() == ["Acmee", "Zed"]


def test_without_pyarrow_the_places_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pd.Series(pd.array(["Bell", "x", "Acme", "Bell"], dtype="str"))
    with_it = cohort("beta", "Acme", "Bell").places(asked)
    for name in ("pyarrow", "pyarrow.compute"):
        monkeypatch.setitem(sys.modules, name, None)
    without = Cohort("cohort/beta v1", np.array(["Acme", "Bell"], dtype=object)).places(asked.astype(object))
    assert with_it.tolist() == without.tolist() == [1, -1, 0, 1]
