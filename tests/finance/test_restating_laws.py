"""Laws of restating: after any sequence of revisions, what was issued and adjusted adds up to what is right.

The documents are made as the commands make them, and kept in memory instead of a ledger: what is read of them is the text
of their lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import count
from typing import Any

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.documents import Document
from ledger.domain.events import AdjustmentIssued, Lines, RestsOn, StatementIssued
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from ledger.store.lines import check_lines, lines_of
from projections.causes import Since, moved_windows
from projections.credits import price
from projections.drafts import Choice, Draft, draft, statement_text
from projections.issued import Chain, Held, held, signed
from projections.restated import Restated, adjustment_text, reaches, restated
from projections.subscriptions import table_of

_START = 1_646_092_800  # 1 March 2022
_REGIONS = ("EMEA", "NAM")
_PLACES = [(service, region) for service in ("email", "web") for region in _REGIONS]
_ENTRIES = count(1)


def _policy(key: str, *, clawback: bool) -> Policy:
    tiers = "".join(
        f'[[tiers]]\n{below}availability_at_least = "{edge}"\ncredit_percent = "{percent}"\n'
        for below, edge, percent in (
            ("", "99.9", "0"),
            ('availability_below = "99.9"\n', "99.0", "10"),
            ('availability_below = "99.0"\n', "0", "33.3"),
        )
    )
    found = parse_policy(
        f'format = 1\npolicy = "{key}"\ntitle = "x"\nin_force_from = 2022-01-01\n'
        '[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        f'[counting]\neffects = ["outage"]\nwindows = "full"\nplanned = "excluded"\n{tiers}'
        '[credit]\nof = "fee"\nrounding = "half-up"\n'
    )
    return msgspec.structs.replace(found, credit=msgspec.structs.replace(found.credit, clawback=clawback))


def _in_days(key: str, *, clawback: bool) -> Policy:
    """Return terms that give days of service beside money: half a day for each hour, and three and a sum when it is worse."""
    return parse_policy(
        f'format = 2\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
        '[[tiers]]\ndowntime_at_most = "10 hours"\nservice_days = "0.5"\nper = "block"\nblock = "1 hour"\n'
        '[[tiers]]\ndowntime_above = "10 hours"\nservice_days = "7.25"\ncredit_percent = "2.5"\n'
        f'[limits]\ndays = "7"\n[credit]\nrounding = "half-up"\nclawback = {str(clawback).lower()}\n'
    )


_POLICIES = {
    "kept": [(1, _policy("kept", clawback=False))],
    "returned": [(1, _policy("returned", clawback=True))],
    "days-kept": [(1, _in_days("days-kept", clawback=False))],
    "days-returned": [(1, _in_days("days-returned", clawback=True))],
}


def _policy_of(key: str, version: int) -> Policy:
    return dict(_POLICIES[key])[version]


def _subscriptions(rows: Sequence[tuple[int, str, str]]) -> pd.DataFrame:
    """Return a table: fee in cents, policy and currency of each subscription, over all places in turn."""
    columns: dict[str, list[str | None]] = {
        "customer": [f"c{at % 3}" for at in range(len(rows))],
        "subscription": [f"s{at}" for at in range(len(rows))],
        "service": [_PLACES[at % 4][0] for at in range(len(rows))],
        "region": [_PLACES[at % 4][1] for at in range(len(rows))],
        "policy": [policy for _, policy, _ in rows],
        "currency": [currency for _, _, currency in rows],
        "fee": [
            f"{fee // 100}.{fee % 100:02}" if currency == "EUR" else str(fee) for fee, _, currency in rows
        ],
        "valid_from": ["2022-03-11" if at % 5 == 4 else "2021-01-01" for at in range(len(rows))],
        "valid_to": ["2022-03-21" if at % 7 == 6 else None for at in range(len(rows))],
    }
    return table_of(columns, str)


class Memory:
    """Keeps the lines of documents by digest, as a ledger does."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.read: Counter[str] = Counter()

    def keep(self, content: bytes) -> Lines:
        found = lines_of(content)
        check_lines(content, *found)
        self.kept[found.lines.sha256] = content
        return found.lines

    def content(self, digest: str) -> bytes | None:
        return self.kept.get(digest)

    def content_part(self, digest: str, start: int, stop: int) -> bytes:
        self.read[digest] += stop - start
        return self.kept[digest][start:stop]


def _salts() -> Callable[[], bytes]:
    numbers = count()
    return lambda: sha256(str(next(numbers)).encode()).digest()[:16]


class Series:
    """A period that is issued and restated, revision after revision."""

    def __init__(self, table: pd.DataFrame, windows: list[Window], issued: Draft | None = None) -> None:
        self.table, self.windows, self.log = table, windows, Memory()
        lines = self.log.keep(statement_text(issued or self.draft(), _salts()))
        event = StatementIssued(
            actor="a", period="2022-03", decided_on="2022-04-01", accounting_date="2022-03-31", rests_on=_RESTS, lines=lines,
            totals=(), number=1,
        )  # fmt: skip
        self.chain = Chain("main", [Document(1, 1, event)])

    def draft(self, table: pd.DataFrame | None = None) -> Draft:
        table = self.table if table is None else table
        frame = price(table, self.windows, _POLICIES, "2022-03", _START + 40 * 86_400)
        return draft(table, frame, Choice(), [], _policy_of, "2022-03", lambda some, _: some)

    def held(self, wanted: Any = None) -> Held:
        return held(self.log, self.chain, wanted)  # type: ignore[arg-type]

    def restate(self, windows: list[Window]) -> tuple[Restated, Restated]:
        """Return what changes when everything is looked at, and when only what moved can reach."""
        moved = moved_windows(self.windows, windows, lambda incident, window: (), later=False)
        self.windows = windows
        whole = restated(self.held(), self.draft(), _policy_of, Since(moved))
        part = self.held(reaches(moved, _policy_of))
        some = self.table[self.table["subscription"].isin(part.lines["subscription"])].reset_index(drop=True)
        few = restated(part, self.draft(some), _policy_of, Since(moved)) if len(some) else Restated([], 0)
        return whole, few

    def adjust(self, found: Restated) -> Lines:
        lines = self.log.keep(adjustment_text(found, _salts()))
        number = len(self.chain.documents) + 1
        event = AdjustmentIssued(
            actor="a", adjusts=1, follows=number - 1, period="2022-03", decided_on="2022-04-01",
            accounting_date="2022-04-30", rests_on=_RESTS, causes=(), lines=lines, totals=(), number=number,
        )  # fmt: skip
        self.chain = Chain("main", [*self.chain.documents, Document(number, number, event)])
        return lines

    def right(self) -> dict[str, int]:
        found = self.draft().lines
        return dict(zip(found["subscription"].tolist(), found["amount"].tolist(), strict=True))

    def right_days(self) -> dict[str, Fraction]:
        found = self.draft().lines
        return {
            name: days
            for name, days in zip(found["subscription"].tolist(), found["service_days"].tolist(), strict=True)
            if days is not None
        }

    def booked_days(self) -> dict[str, Fraction]:
        """Return the sum of the days of service of all lines of all documents, read from their texts alone."""
        sums: dict[str, Fraction] = {}
        for document in self.chain.documents:
            for leaf in self.log.kept[document.event.lines.sha256].splitlines():
                line = msgspec.json.decode(leaf).get("line")
                if line is not None and "service_days" in line:
                    name = line["subscription"]
                    sums[name] = sums.get(name, Fraction(0)) + Fraction(line["service_days"])
        return sums

    def booked(self) -> dict[str, int]:
        """Return the sum of the amounts of all lines of all documents, read from their texts alone."""
        sums: Counter[str] = Counter()
        for document in self.chain.documents:
            for leaf in self.log.kept[document.event.lines.sha256].splitlines():
                if (line := msgspec.json.decode(leaf).get("line")) is not None:
                    sums[line["subscription"]] += signed(line["amount"])
        return dict(sums)


_RESTS = RestsOn(position=1, root="0" * 64, as_of="2022-04-02T00:00:00.000000Z", sources=(), calculator="1")

_rows = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(sorted(_POLICIES)), st.sampled_from(["EUR", "JPY"])),
    min_size=1, max_size=14,
)  # fmt: skip
_spans = st.tuples(
    st.integers(0, 3), st.sampled_from(["EMEA", "NAM", "*"]), st.sampled_from(["email", "web"]),
    st.integers(0, 30 * 24), st.integers(1, 40), st.sampled_from(["outage", "degraded"]),
)  # fmt: skip
_revisions = st.lists(st.lists(_spans, max_size=4), min_size=1, max_size=5)


def _windows(spans: Sequence[tuple[int, str, str, int, int, str]]) -> list[Window]:
    found: dict[str, Window] = {}
    for number, region, service, start, hours, effect in spans:
        begin = _START + start * 3_600
        found[f"w{number}"] = Window(
            "mail-1", f"w{number}", service, "*", region, begin, begin + hours * 3_600, effect, regions=_REGIONS,
            entries=(f"incident/mail-1 v{next(_ENTRIES)}",),
        )  # fmt: skip
    return list(found.values())


@settings(max_examples=25)
@given(_rows, _revisions)
def test_issued_and_adjusted_add_up_to_what_is_right_after_any_revisions(rows: Any, revisions: Any) -> None:
    """Where credits are taken back they are what is right; where they are not, the most that ever was right."""
    series = Series(_subscriptions(rows), _windows(revisions[0]))
    most, most_days = series.right(), series.right_days()
    assert (series.booked(), series.booked_days()) == (most, most_days)
    for spans in revisions[1:]:
        whole, few = series.restate(_windows(spans))
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
        assert restated(series.held(), series.draft(), _policy_of).pairs == []


@settings(max_examples=15)
@given(_rows, _revisions)
def test_what_stands_issued_is_read_from_the_documents_alone(rows: Any, revisions: Any) -> None:
    series = Series(_subscriptions(rows), _windows(revisions[0]))
    for spans in revisions[1:]:
        whole, _ = series.restate(_windows(spans))
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
    series = Series(_subscriptions(rows), _windows(spans))
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
    series = Series(_subscriptions([(100_000, "kept", "EUR")] * 40), [])
    digest = series.chain.statement.event.lines.sha256
    size = len(series.log.kept[digest])
    series.log.read.clear()
    part = series.held(
        reaches(
            moved_windows([], _windows([(0, "NAM", "web", 0, 10, "outage")]), lambda *_: (), later=False),
            _policy_of,
        )
    )
    assert set(part.lines["subscription"]) == {f"s{at}" for at in range(3, 40, 4)}
    index = 1 << 20  # the assessments are read in one piece
    assert series.log.read[digest] - index < size / 3


def test_an_assessment_that_only_a_part_of_its_lines_left_is_told_apart() -> None:
    """Given a window for a cohort, then its customer's lines move and the others stay; taken back, all are as before."""
    from projections.cohorts import Cohort

    table = _subscriptions([(100_000, "returned", "EUR")] * 8)
    series = Series(table, [])
    pilot = [
        msgspec.structs.replace(one, cohort="pilot")
        for one in _windows([(0, "EMEA", "email", 0, 10, "outage")])
    ]
    cohorts = {"pilot": Cohort("cohort/pilot v1", pd.array(["c0"], dtype="str"))}

    def told(windows: list[Window]) -> Restated:
        moved = moved_windows(series.windows, windows, lambda *_: (), later=False)
        series.windows = windows
        frame = price(table, windows, _POLICIES, "2022-03", _START + 40 * 86_400, cohorts=cohorts)
        return restated(
            series.held(),
            draft(table, frame, Choice(), [], _policy_of, "2022-03", lambda some, _: some),
            _policy_of,
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
