"""Laws of restating: after any sequence of revisions, what was issued and adjusted adds up to what is right.

The documents are made as the commands make them, and kept in memory instead of a ledger: what is read of them is the text
of their lines.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.window import Window
from ledger.store.lines import lines_of
from projections.causes import Since, moved_windows
from projections.credits import price
from projections.drafts import IssuerChoice, draft
from projections.restated import Restated, reached, restated
from tests.finance.memory import (
    POLICIES,
    START,
    Series,
    policy_of,
    subscriptions_of,
    windows_of,
)

_rows = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(sorted(POLICIES)), st.sampled_from(["EUR", "JPY"])),
    min_size=1, max_size=14,
)  # fmt: skip
_spans = st.tuples(
    st.integers(0, 3), st.sampled_from(["EMEA", "NAM", "*"]), st.sampled_from(["email", "web"]),
    st.integers(0, 30 * 24), st.integers(1, 40), st.sampled_from(["outage", "degraded"]),
)  # fmt: skip
_revisions = st.lists(st.lists(_spans, max_size=4), min_size=1, max_size=5)


@settings(max_examples=25)
@given(_rows, _revisions)
def test_issued_and_adjusted_add_up_to_what_is_right_after_any_revisions(rows: Any, revisions: Any) -> None:
    """Where credits are taken back they are what is right; where they are not, the most that ever was right."""
    series = Series(subscriptions_of(rows), windows_of(revisions[0]))
    most, most_days = series.right(), series.right_days()
    assert (series.booked(), series.booked_days()) == (most, most_days)
    for spans in revisions[1:]:
        whole, few = series.restate(windows_of(spans))
        # What moved reaches every line that changes.
        assert [msgspec.to_builtins((one.before, one.after, one.causes)) for one in few.pairs] == [
            msgspec.to_builtins((one.before, one.after, one.causes)) for one in whole.pairs
        ]
        for one, other in zip(few.pairs, whole.pairs, strict=True):
            assert one.lines["subscription"].tolist() == other.lines["subscription"].tolist()
            for name in ("amount", "service_days", "service_days_waived"):
                assert one.lines[name].tolist() == other.lines[name].tolist()
        if few.pairs:
            series.adjust(few)
        right = series.right()
        booked = series.booked()
        most = {name: max(most[name], amount) for name, amount in right.items()}
        policies = dict(zip(series.table["subscription"], series.table["policy"], strict=True))
        for name, amount in right.items():
            assert booked[name] == (amount if policies[name].endswith("returned") else most[name]), name
        right_days, booked_days = series.right_days(), series.booked_days()
        most_days = {name: max(most_days[name], days) for name, days in right_days.items()}
        for name, days in right_days.items():
            assert booked_days[name] == (days if policies[name].endswith("returned") else most_days[name]), (
                name
            )
        # And nothing is left to say.
        assert restated(series.held(), series.draft(), policy_of).pairs == []


@settings(max_examples=15)
@given(_rows, _revisions)
def test_what_stands_issued_is_read_from_the_documents_alone(rows: Any, revisions: Any) -> None:
    series = Series(subscriptions_of(rows), windows_of(revisions[0]))
    for spans in revisions[1:]:
        whole, _ = series.restate(windows_of(spans))
        if whole.pairs:
            lines = series.adjust(whole)
            assert lines.lines == sum(len(pair.lines) for pair in whole.pairs)
    standing = series.held().lines
    assert dict(zip(standing["subscription"], standing["issued"], strict=True)) == series.booked()
    assert dict(zip(standing["subscription"], standing["now"], strict=True)) == series.right()
    for column, found in (("issued_days", series.booked_days()), ("now_days", series.right_days())):
        said = zip(standing["subscription"], standing[column], strict=True)
        assert {name: days for name, days in said if days is not None} == found


@settings(max_examples=15)
@given(_rows, st.lists(_spans, max_size=4))
def test_totals_are_the_sums_of_the_lines_in_fractions(rows: Any, spans: Any) -> None:
    series = Series(subscriptions_of(rows), windows_of(spans))
    content = series.log.kept[series.chain.statement.event.lines.sha256]
    sums: dict[str, Fraction] = {}
    for leaf in content.splitlines():
        if (line := msgspec.json.decode(leaf).get("line")) is not None:
            sums[line["currency"]] = sums.get(line["currency"], Fraction(0)) + Fraction(line["amount"])
    totals = lines_of(content).totals
    days = lines_of(content).service_days
    assert (Fraction(0) if days is None else Fraction(days.days)) == sum(series.booked_days().values())
    assert {one.currency: Fraction(one.amount) for one in totals} == sums


def test_only_what_a_revision_can_reach_is_read() -> None:
    """Given forty subscriptions over four places, when a window of one place moves, only its lines are read again."""
    series = Series(subscriptions_of([(100_000, "kept", "EUR")] * 40), [])
    digest = series.chain.statement.event.lines.sha256
    size = len(series.log.kept[digest])
    series.log.read.clear()
    part = series.held(
        reached(
            moved_windows([], windows_of([(0, "NAM", "web", 0, 10, "outage")]), lambda *_: (), later=False),
            policy_of,
        )
    )
    assert set(part.lines["subscription"]) == {f"s{at}" for at in range(3, 40, 4)}
    index = 1 << 20  # the assessments are read in one piece
    assert series.log.read[digest] - index < size / 3


def test_an_assessment_that_only_a_part_of_its_lines_left_is_told_apart() -> None:
    """Given a window for a cohort, then its customer's lines move and the others stay; taken back, all are as before."""
    from projections.cohorts import Cohort

    table = subscriptions_of([(100_000, "returned", "EUR")] * 8)
    series = Series(table, [])
    pilot = [
        msgspec.structs.replace(one, cohort="pilot")
        for one in windows_of([(0, "EMEA", "email", 0, 10, "outage")])
    ]
    cohorts = {"pilot": Cohort("cohort/pilot v1", pd.array(["c0"], dtype="str"))}

    def told(windows: list[Window]) -> Restated:
        moved = moved_windows(series.windows, windows, lambda *_: (), later=False)
        series.windows = windows
        frame = price(table, windows, POLICIES, "2022-03", START + 40 * 86_400, cohorts=cohorts)
        return restated(
            series.held(),
            draft(table, frame, IssuerChoice(), [], policy_of, lambda some, _: some),
            policy_of,
            Since(moved),
        )

    first = told(pilot)
    # s0 is of c0 and in EMEA, s4 is of c1.
    assert [line for pair in first.pairs for line in pair.lines["subscription"]] == ["s0"]
    series.adjust(first)
    assert told(pilot).pairs == []
    back = told([])
    (moved,) = [pair for pair in back.pairs if len(pair.lines)]
    assert moved.lines["subscription"].tolist() == ["s0"]
    assert moved.lines["amount"].tolist() == [-int(first.pairs[0].lines["amount"].iloc[0])]
    series.adjust(back)
    assert series.booked() == series.right()
    assert told([]).pairs == []
