"""Laws of tables that change: whatever customers, places and policies a table gives subscriptions to, each document says what was so.

The documents are made as the commands make them, and kept in memory; what is read of them is the text of their lines.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from projections.drafts import key_of
from projections.issued import signed
from projections.restated import restated
from projections.subscriptions import table_of
from tests.finance.memory import PLACES, Series, policy_of, windows_of

# A subscription: its customer, place and policy; None: it is in no table.
_row = st.none() | st.tuples(
    st.sampled_from(["c0", "c1"]), st.sampled_from(PLACES[:3]), st.sampled_from(["kept", "returned"]), st.sampled_from([0, 100_000])
)  # fmt: skip
_tables = st.lists(_row, min_size=4, max_size=4)
_spans = st.tuples(
    st.integers(0, 2), st.sampled_from(["EMEA", "NAM"]), st.just("email"), st.integers(0, 60), st.sampled_from([1, 5, 20]),
    st.just("outage"),
)  # fmt: skip
_steps = st.lists(st.tuples(_tables, st.lists(_spans, max_size=2)), min_size=2, max_size=5)


def _table(rows: Any) -> pd.DataFrame:
    some = [(f"s{at}", row) for at, row in enumerate(rows) if row is not None]
    columns: dict[str, list[str | None]] = {
        "customer": [row[0] for _, row in some], "subscription": [name for name, _ in some],
        "service": [row[1][0] for _, row in some], "region": [row[1][1] for _, row in some],
        "policy": [row[2] for _, row in some], "currency": ["EUR"] * len(some),
        "fee": [f"{row[3] // 100}.00" for _, row in some], "valid_from": ["2021-01-01"] * len(some),
        "valid_to": [None] * len(some),
    }  # fmt: skip
    return table_of(columns, str)


class _Told:
    """What the documents of a series say of each line, read from their texts alone."""

    def __init__(self) -> None:
        self.booked: dict[tuple[str, str], int] = defaultdict(int)
        self.rests: dict[tuple[str, str], bytes] = {}
        self.moved: dict[tuple[str, str], bytes] = {}

    def read(self, content: bytes) -> None:
        """Take in a document; each line that it lists has to be said to come from where it was."""
        assessments = []
        for leaf in content.splitlines():
            one = msgspec.json.decode(leaf)
            if "assessment" in one:
                assessments.append(one["assessment"])
                continue
            line = one["line"]
            key = line["customer"], line["subscription"]
            facts = assessments[line["assessment"]]
            if "after" in facts:
                assert signed(line["as_issued"]) == self.booked[key]
                if facts["before"] is not None and key in self.rests:
                    assert key_of(facts["before"]) == self.rests[key]
                self.moved[key] = key_of(facts["after"]) if facts["after"] is not None else self.rests[key]
            self.booked[key] += signed(line["amount"])
        listed = dict(self.moved)
        into = {
            key_of(one["before"]): key_of(one["after"])
            for one in assessments
            if one.get("before") is not None and one.get("after") is not None and not one.get("part")
        }
        self.rests = {key: listed.get(key, into.get(rest, rest)) for key, rest in self.rests.items()} | listed
        self.moved = {}


_GONE_AND_BACK = [
    ([None, ("c1", ("email", "EMEA"), "kept", 100_000), None, None], [(0, "EMEA", "email", 0, 1, "outage")]),
    ([None, None, None, None], []),
    ([None, ("c1", ("email", "EMEA"), "returned", 0), None, None], []),
]


@settings(max_examples=30)
@given(_steps)
@example(_GONE_AND_BACK)
def test_each_line_adds_up_for_its_customer_and_comes_from_where_it_was(steps: Any) -> None:
    """Given any tables and windows one after the other, then every line is true for its customer, and nothing is left to say."""
    series = Series(_table(steps[0][0]), windows_of(steps[0][1]))
    told = _Told()
    content = series.log.kept[series.chain.statement.event.lines.sha256]
    told.read(content)
    facts = series.held()
    lines: Any = facts.lines.itertuples()
    for line in lines:
        told.rests[line.customer, line.subscription] = key_of(facts.known[line.before])
    most: dict[tuple[str, str], int] = dict(told.booked)
    ever_kept = {
        (row[0], f"s{at}")
        for rows, _ in steps
        for at, row in enumerate(rows)
        if row is not None and row[2] == "kept"
    }
    for rows, spans in steps[1:]:
        series.table, series.windows = _table(rows), windows_of(spans)
        draft = series.draft()
        found = restated(series.held(), draft, policy_of)
        if found.pairs:
            told.read(series.log.kept[series.adjust(found).sha256])
        drafted: Any = draft.lines.itertuples()
        right = {
            (line.customer, line.subscription): (line.amount, draft.facts[line.group]) for line in drafted
        }
        for key in told.booked.keys() | right.keys():
            amount, rests = right.get(key, (0, None))
            most[key] = max(most.get(key, 0), amount)
            booked = told.booked[key]
            # What a policy did not take back stays; another one may take it back when something changes.
            assert amount <= booked <= most[key]
            if key not in ever_kept and rests is not None:
                assert booked == amount
            if rests is not None and key in told.rests:
                assert told.rests[key] == key_of(rests)
        assert restated(series.held(), draft, policy_of).pairs == []
