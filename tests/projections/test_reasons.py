"""The reasons of a run, and its totals part by part, against the plain way: row by row, and all at once."""

from __future__ import annotations

from typing import Any

import msgspec
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.period import parse_period
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from projections.cohorts import Cohort
from projections.credits import added, difference, price, read_subscriptions, rows, totals
from projections.reasons import SHARED, reasons
from tools.terms import terms

MARCH = parse_period("2022-03")
TERMS = terms("p", {"99.9": "33.3"})
POLICIES = {
    "p": [(1, parse_policy(TERMS))],
    "q": [(7, parse_policy(TERMS.replace('"p"', '"q"').replace('"full"', '"by-share"')))],
}
WINDOWS = [
    Window(incident="i", window=f"w{n}", service="email", component="c", region=("EMEA", "*", "unknown")[n % 3],
           start=MARCH.start + 86_400 * n, end=None if n == 5 else MARCH.start + 86_400 * n + 5_000, effect="outage",
           regions=("EMEA", "NAM"), cohort=("beta", None)[n % 2], share_at_most=(None, "0.5")[n % 2],
           entries=(f"incident/i v{n + 2}",))
    for n in range(6)
]  # fmt: skip
COHORTS = {"beta": Cohort("cohort/beta v1", pd.array(["Acme"], dtype="str"))}
row = st.tuples(
    st.sampled_from(["Acme", "Bell"]), st.sampled_from(["email", "web"]), st.sampled_from(["EMEA", "NAM"]),
    st.sampled_from(["p", "q"]), st.sampled_from(["JPY", "KRW", "CLP"]), st.integers(0, 10**12) | st.just(2**63 - 1),
    st.sampled_from(["", "2022-03-02"]),
)  # fmt: skip
tables = st.lists(row, max_size=12)


def priced(table: list[tuple[Any, ...]], found: list[Window] = WINDOWS) -> pd.DataFrame:
    text = "customer,service,region,policy,currency,fee,valid_to,valid_from,subscription\n" + "".join(
        f"{','.join(map(str, one))},2022-01-01,s{number}\n" for number, one in enumerate(table)
    )
    subscriptions = read_subscriptions(text.encode(), "csv")
    return price(
        subscriptions, found, POLICIES, "2022-03", MARCH.end - 3600, ("subscriptions/a v1",), COHORTS
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables)
def test_reasons_are_those_of_the_rows(table: list[tuple[Any, ...]]) -> None:
    frame = priced(table)
    expected: dict[str, list[dict[str, Any]]] = {}
    for one in rows(frame):
        key = msgspec.json.encode([one[name] for name in SHARED]).decode()
        expected.setdefault(key, []).append(one)
    assert list(reasons(frame)) == [(same[0], len(same)) for same in expected.values()]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables, st.integers(0, 12))
def test_totals_of_parts_are_the_totals_of_all(table: list[tuple[Any, ...]], cut: int) -> None:
    def compared(some: list[tuple[Any, ...]]) -> list[pd.DataFrame]:
        after, before = priced(some), priced(some, WINDOWS[:2])
        return [after, difference(before, after)]

    for one, other, whole in zip(compared(table[:cut]), compared(table[cut:]), compared(table), strict=True):
        pd.testing.assert_frame_equal(added([totals(one), totals(other)]), totals(whole))
