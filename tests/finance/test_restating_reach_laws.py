"""Law of restating under terms of format 2: looking at what moved can reach proposes what looking at every line proposes."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Planned, Window
from projections.causes import Since, moved_exclusions, moved_measurements, moved_windows
from projections.credits import price
from projections.drafts import Draft, IssuerChoice, draft
from projections.restated import Restated, reached, restated
from projections.subscriptions import table_of
from tests.finance.desk import Desk
from tests.finance.memory import START, Series
from tools.terms import terms_2

_REGIONS = ("EMEA", "NAM", "APAC")
_AS_OF = START + 40 * 86_400
_STORMS = '[[exclusions]]\nkinds = ["force-majeure", "planned-maintenance"]\n'
_UNION = '[scope]\nregions = "union"\n'
_TWICE = '[[termination]]\navailability_below = "99.9"\nperiods = 2\nof_last = 2\n'


def _terms(key: str, more: str = "", *, since: str = "2021-01-01", of: str = "time") -> Policy:
    text = terms_2(key, {"100": "1"}, in_force_from=since, more=f"clawback = true\n{more}")
    if of != "time":
        text = text.replace('of = "time"', f'of = "{of}"\nbucket = "1 hour"').replace(
            '[counting]\neffects = ["outage"]\n', ""
        )
    blocks = 'credit_percent = "1"\nper = "block"\nblock = "1 hour"\n'
    return parse_policy(text.replace('credit_percent = "1"\n', blocks) if of == "time" else text)


_POLICIES: dict[str, list[tuple[int, Policy]]] = {
    "each": [(1, _terms("each"))],
    "storms": [(1, _terms("storms", _STORMS))],
    "limited": [(1, _terms("limited", f'{_STORMS}most = "5 hours"\nmost_per = "year"\n'))],
    "removed": [(1, _terms("removed", f'{_STORMS}most = "5 hours"\nmost_per = "period"\ntreated = "removed"\n'))],
    "union": [(1, _terms("union", f"{_UNION}{_STORMS}"))],
    "wide": [(1, _terms("wide", '[scope]\nregions = "service-wide"\nall_regions = ["EMEA", "NAM", "APAC"]\n'))],
    "alone": [(1, _terms("alone", '[stacking]\nincidents = "sum"\n'))],
    "errors": [(1, _terms("errors", _UNION, of="error-rate"))],
    # February was judged by terms that look at all regions, March by terms that do not.
    "ends": [(1, _terms("ends", f"{_UNION}{_TWICE}")), (2, _terms("ends", _TWICE, since="2022-03-01"))],
}  # fmt: skip


def _policy_of(key: str, version: int) -> Policy:
    return dict(_POLICIES[key])[version]


class Facts(msgspec.Struct):
    """What is known at one time, by key."""

    windows: dict[str, Window] = {}
    exclusions: dict[str, Exclusion] = {}
    measurements: dict[str, Measurement] = {}

    def draft(self, table: pd.DataFrame) -> Draft:
        frame = price(
            table, self.windows.values(), _POLICIES, "2022-03", _AS_OF, exclusions=self.exclusions.values(),
            measurements=self.measurements.values(),
        )  # fmt: skip
        return draft(table, frame, IssuerChoice(provisional=True), [], _policy_of, lambda some, _: some)


_NUMBERS = count(1)
_places = (
    st.sampled_from(["email", "web"]),
    st.sampled_from([*_REGIONS, "*"]),
    st.integers(-28 * 24, 30 * 24),
    st.integers(1, 12),
)
_facts = st.tuples(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(*_places, st.booleans()), max_size=3),
    st.dictionaries(st.sampled_from("xy"), st.tuples(*_places, st.sampled_from([None, "c0"])), max_size=2),
    st.dictionaries(st.sampled_from("mn"), st.tuples(*_places, st.integers(0, 100)), max_size=2),
)


def _of(said: Any, before: Facts) -> Facts:
    """Return facts; what is as it was before keeps its entries, and what differs has one more."""
    found = Facts()
    windows, exclusions, measurements = said
    for key, (service, region, start, hours, is_planned) in windows.items():
        begin, end = START + start * 3_600, START + (start + hours) * 3_600
        plan = Planned(begin - 30 * 86_400, begin, end) if is_planned else None
        one = Window(
            f"i-{key}", "w", service, "*", region, begin, end, "outage", planned=plan, regions=_REGIONS
        )
        found.windows[key] = _signed(f"incident/i-{key}", one, before.windows.get(key))
    for key, (service, region, start, hours, customer) in exclusions.items():
        begin, end = START + start * 3_600, START + (start + hours) * 3_600
        excluded = Exclusion(key, "force-majeure", service, "*", region, begin, end, customer=customer)
        found.exclusions[key] = _signed(f"exclusion/{key}", excluded, before.exclusions.get(key))
    for key, (service, region, start, hours, failed) in measurements.items():
        begin, end = START + start * 3_600, START + (start + hours) * 3_600
        measured = Measurement(f"i-{key}", "m", service, "*", region, begin, end, "requests", total=100, failed=failed,
                               regions=_REGIONS)  # fmt: skip
        found.measurements[key] = _signed(f"incident/i-{key}", measured, before.measurements.get(key))
    return found


def _signed(stream: str, one: Any, was: Any) -> Any:
    entries = () if was is None else was.entries
    same = was is not None and msgspec.structs.replace(one, entries=entries) == was
    return was if same else msgspec.structs.replace(one, entries=(*entries, f"{stream} v{next(_NUMBERS)}"))


def _table() -> pd.DataFrame:
    """Two customers in every region of two services, under every policy."""
    rows = [
        (f"c{at % 2}", service, region, policy)
        for policy in _POLICIES
        for at, (service, region) in enumerate((one, other) for one in ("email", "web") for other in _REGIONS)
    ]
    customers, services, regions, policies = (list(column) for column in zip(*rows, strict=True))
    columns: dict[str, list[str | None]] = {
        "customer": customers, "subscription": [f"s{at}" for at in range(len(rows))], "service": services, "region": regions,
        "policy": policies, "currency": ["EUR"] * len(rows), "fee": ["1000.00"] * len(rows),
        "valid_from": ["2021-01-01"] * len(rows), "valid_to": [None] * len(rows),
    }  # fmt: skip
    return table_of(columns, str)


_TABLE = _table()


@settings(max_examples=15)
@given(_facts, _facts)
def test_what_moved_reaches_every_line_that_changes(before: Any, after: Any) -> None:
    then = _of(before, Facts())
    now = _of(after, then)
    series = Series(_TABLE, [], then.draft(_TABLE))
    moved = [
        *moved_windows(then.windows.values(), now.windows.values(), lambda *_: (), later=False),
        *moved_exclusions(then.exclusions.values(), now.exclusions.values()),
        *moved_measurements(then.measurements.values(), now.measurements.values(), lambda *_: ()),
    ]
    whole = restated(series.held(), now.draft(_TABLE), _policy_of, Since(moved))
    part = series.held(reached(moved, _policy_of))
    some = _TABLE[_TABLE["subscription"].isin(part.lines["subscription"])].reset_index(drop=True)
    few = restated(part, now.draft(some), _policy_of, Since(moved)) if len(some) else Restated([], 0)
    assert _told(few) == _told(whole)


def _told(found: Restated) -> Any:
    return [
        (
            pair.before,
            pair.after,
            pair.causes,
            pair.lines["subscription"].tolist(),
            pair.lines["amount"].tolist(),
        )
        for pair in found.pairs
    ]


def test_a_line_that_nothing_can_reach_is_not_looked_at() -> None:
    """Given a window of one region that moves, then it reaches that region, and under wide terms all of the service."""
    series = Series(_TABLE, [], Facts().draft(_TABLE))
    window = Window("i", "w", "email", "*", "NAM", START, START + 7_200, "outage", entries=("incident/i v1",))
    part = series.held(reached(moved_windows([], [window], lambda *_: (), later=False), _policy_of))
    looked = _TABLE[_TABLE["subscription"].isin(part.lines["subscription"])]
    assert set(looked["service"]) == {"email"}
    assert {key: sorted(rows["region"]) for key, rows in looked.groupby("policy", observed=True)} == {
        key: sorted(_REGIONS) if key in ("union", "wide", "errors", "ends") else ["NAM"] for key in _POLICIES
    }
    plan = msgspec.structs.replace(window, planned=Planned(START - 86_400, START, START + 7_200))
    part = series.held(reached(moved_windows([], [plan], lambda *_: (), later=False), _policy_of))
    looked = _TABLE[_TABLE["subscription"].isin(part.lines["subscription"])]
    # Planned time elsewhere uses up the limit of exclusions.
    assert sorted(looked[looked["policy"] == "limited"]["region"]) == sorted(_REGIONS)


@pytest.mark.parametrize("scope", ["", _UNION])
def test_the_command_proposes_the_same_of_a_part_as_of_all(
    sqlite_url: str, tmp_path: Path, scope: str
) -> None:
    desk = Desk(sqlite_url, tmp_path)
    desk.file(
        "standard.toml",
        terms_2("standard", {"99.9": "10", "99.0": "25"}, in_force_from="2021-01-01", more=scope + _STORMS),
    )
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    desk.issue()
    desk.window("second", "NAM", "2022-03-20T10:00:00Z", "2022-03-20T14:00:00Z")
    part, whole = (
        json.loads(desk.ok("credits", "restate", "1", "--json", *more)) for more in ((), ("--whole",))
    )
    assert part["lines"]
    assert part["lines"] == whole["lines"]


def test_a_right_to_terminate_names_what_earlier_terms_looked_at() -> None:
    """Given terms of February that look at all regions, then an outage elsewhere gives a right in March, and is named as its cause."""
    march = Window("m", "w", "email", "*", "NAM", START, START + 7_200, "outage", entries=("incident/m v1",))
    february = msgspec.structs.replace(
        march,
        incident="f",
        region="EMEA",
        start=START - 86_400,
        end=START - 43_200,
        entries=("incident/f v1",),
    )
    then, now = Facts({"m": march}), Facts({"m": march, "f": february})
    table = _TABLE[(_TABLE["policy"] == "ends") & (_TABLE["region"] == "NAM")].reset_index(drop=True)
    series = Series(table, [], then.draft(table))
    moved = moved_windows([march], [march, february], lambda *_: (), later=False)
    (pair,) = restated(
        series.held(reached(moved, _policy_of)), now.draft(table), _policy_of, Since(moved)
    ).pairs
    assert pair.before is not None
    assert pair.after is not None
    assert (pair.before["termination"], pair.after["termination"]) == (False, True)
    assert pair.causes == ("incident/f v1",)
