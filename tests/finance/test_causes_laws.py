"""Laws of causes: what a restatement names for a line made its difference, and nothing that it names is about another line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.exclusion import Exclusion
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.causes import Moved, Since, moved_exclusions, moved_windows
from projections.cohorts import Cohort
from projections.credits import price
from projections.drafts import Draft, IssuerChoice, draft, key_of
from projections.restated import Pair, restated
from projections.subscriptions import table_of
from tests.finance.memory import START, Series

_REGIONS = ("EMEA", "NAM")
_AS_OF = START + 40 * 86_400
_COHORTS = {"pilot": Cohort("cohort/pilot v1", pd.array(["c0", "c1"], dtype="str"))}


def _policy(key: str, more: str = "") -> Policy:
    return parse_policy(
        f'format = 2\npolicy = "{key}"\nin_force_from = 2022-01-01\n[period]\nkind = "calendar-month"\nzone = "UTC"\n'
        '[measure]\nof = "time"\n[counting]\neffects = ["outage"]\n'
        '[[tiers]]\navailability_at_least = "100"\ncredit_percent = "0"\n'
        '[[tiers]]\navailability_below = "100"\ncredit_percent = "1"\nper = "block"\nblock = "1 hour"\n'
        f'[limits]\npercent = "30"\n{more}[credit]\nrounding = "half-up"\nclawback = true\n'
    )


_STORMS = '[[exclusions]]\nkinds = ["force-majeure"]\n'
_POLICIES = {
    key: [(1, _policy(key, more))]
    for key, more in (
        ("each", ""),
        ("storms", _STORMS),
        ("limited", f'{_STORMS}most = "5 hours"\n'),
        ("union", f'[scope]\nregions = "union"\n{_STORMS}'),
        ("wide", '[scope]\nregions = "service-wide"\nall_regions = ["EMEA", "NAM"]\n'),
    )
}
_WIDE = {"union", "wide"}


def _policy_of(key: str, version: int) -> Policy:
    return dict(_POLICIES[key])[version]


class Facts(NamedTuple):
    """What is known at one time: windows and exclusions by their keys."""

    windows: dict[str, Window]
    exclusions: dict[str, Exclusion]

    def draft(self, table: pd.DataFrame) -> Draft:
        frame = price(
            table, self.windows.values(), _POLICIES, "2022-03", _AS_OF, cohorts=_COHORTS, exclusions=self.exclusions.values()
        )  # fmt: skip
        return draft(table, frame, IssuerChoice(), [], _policy_of, lambda some, _: some)

    def without(self, causes: Sequence[str], then: Facts) -> Facts:
        """Return these facts as they were then, where one of the entries made them what they are."""
        return Facts(
            dict(_put_back(self.windows, then.windows, causes)),
            dict(_put_back(self.exclusions, then.exclusions, causes)),
        )


def _put_back(now: dict[str, Any], then: dict[str, Any], causes: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for key in sorted(now.keys() | then.keys()):
        made = (now if key in now else then)[key].entries[-1]
        stands = then.get(key) if made in causes else now.get(key)
        if stands is not None:
            yield key, stands


_NUMBERS = count(1)
_spans = st.tuples(st.integers(-30, 30 * 24), st.integers(1, 12))
_window = st.tuples(
    st.sampled_from(["email", "web"]), st.sampled_from([*_REGIONS, "*"]), _spans, st.sampled_from([None, None, "pilot"]), st.booleans()
)  # fmt: skip
_exclusion = st.tuples(
    st.sampled_from(["email", "web", "*"]), st.sampled_from([*_REGIONS, "*"]), _spans, st.sampled_from([None, None, "c0", "c2"])
)  # fmt: skip
_facts = st.tuples(
    st.dictionaries(st.sampled_from("abcd"), _window, max_size=4),
    st.dictionaries(st.sampled_from("xy"), _exclusion, max_size=2),
)


def _of(said: Any, before: Facts | None = None) -> Facts:
    """Return facts; each that differs from what it was before has an entry of its own."""
    windows: dict[str, Window] = {}
    for key, (service, region, (start, hours), cohort, counts) in said[0].items():
        begin = START + start * 3_600
        windows[key] = Window(
            f"mail-{key}", "w", service, "*", region, begin, begin + hours * 3_600, "outage" if counts else "delay",
            cohort=cohort, regions=_REGIONS,
        )  # fmt: skip
    exclusions: dict[str, Exclusion] = {}
    for key, (service, region, (start, hours), customer) in said[1].items():
        begin = START + start * 3_600
        exclusions[key] = Exclusion(
            key, "force-majeure", service, "*", region, begin, begin + hours * 3_600, customer=customer
        )
    was: dict[str, Any] = {} if before is None else {**before.windows, **before.exclusions}
    return Facts(
        {key: _signed(f"incident/mail-{key}", one, was.get(key)) for key, one in windows.items()},
        {key: _signed(f"exclusion/{key}", one, was.get(key)) for key, one in exclusions.items()},
    )


def _signed(stream: str, one: Any, was: Any) -> Any:
    entries = () if was is None else was.entries
    found = msgspec.structs.replace(one, entries=entries)
    return (
        found
        if found == was
        else msgspec.structs.replace(one, entries=(*entries, f"{stream} v{next(_NUMBERS)}"))
    )


def _table() -> pd.DataFrame:
    """Customers inside and outside of the cohort, in several places, under every policy."""
    places = (("c0", "email", "EMEA"), ("c2", "email", "EMEA"), ("c1", "email", "NAM"), ("c0", "web", "NAM"))
    rows = [(*place, policy) for policy in _POLICIES for place in places]
    customers, services, regions, policies = (list(column) for column in zip(*rows, strict=True))
    columns: dict[str, list[str | None]] = {
        "customer": customers, "subscription": [f"s{at}" for at in range(len(rows))], "service": services, "region": regions,
        "policy": policies, "currency": ["EUR"] * len(rows), "fee": ["1000.00"] * len(rows),
        "valid_from": ["2021-01-01"] * len(rows), "valid_to": [None] * len(rows),
    }  # fmt: skip
    return table_of(columns, str)


_TABLE = _table()


def _moved(then: Facts, now: Facts) -> list[Moved]:
    def since(incident: str, _: str) -> tuple[str, ...]:
        key = incident.removeprefix("mail-")
        was, is_now = (
            one.windows[key].entries if key in one.windows else () for one in (then, now)
        )  # fmt: skip
        return tuple(one for one in is_now if one not in was)

    return [
        *moved_windows(then.windows.values(), now.windows.values(), since, later=False),
        *moved_exclusions(then.exclusions.values(), now.exclusions.values()),
    ]


def _pairs(then: Facts, now: Facts) -> list[Pair]:
    series = Series(_TABLE, [], then.draft(_TABLE))
    return restated(
        series.held(), now.draft(_TABLE), _policy_of, Since(_moved(then, now), cohorts=_COHORTS)
    ).pairs


def _bare(facts: Any) -> bytes:
    return key_of({**facts, "entries": []})


@settings(max_examples=10)
@given(_facts, _facts)
def test_without_the_causes_of_a_line_it_would_be_what_it_was(before: Any, after: Any) -> None:
    """Given any facts then and now, when only the named ones are put back, then each line that changed is as it was."""
    then = _of(before)
    now = _of(after, then)
    for pair in _pairs(then, now):
        assert pair.causes
        if not len(pair.lines):
            continue
        some = _TABLE[_TABLE["subscription"].isin(pair.lines["subscription"])].reset_index(drop=True)
        again = now.without(pair.causes, then).draft(some)
        assert dict(zip(again.lines["subscription"], again.lines["amount"], strict=True)) == dict(
            zip(pair.lines["subscription"], pair.lines["last"], strict=True)
        )
        assert {_bare(one) for one in again.facts} == {_bare(pair.before)}


@settings(max_examples=10)
@given(_facts, _facts)
def test_no_cause_is_about_another_service_region_cohort_or_customer(before: Any, after: Any) -> None:
    then = _of(before)
    now = _of(after, then)
    moved = _moved(then, now)
    for pair in _pairs(then, now):
        facts = pair.after or pair.before or {}
        # A line may come to rest on an assessment that says the same in other words; only money is somebody's own.
        customers = set(pair.lines["customer"][pair.lines["as_now"] != pair.lines["last"]])
        named = [one for one in moved if set(one.entries) <= set(pair.causes)]
        assert {entry for one in named for entry in one.entries} == set(pair.causes)
        for one in named:
            # A limit of excluded time counts it in all regions; and an assessment without money may name it for any.
            anywhere = facts["policy"] in _WIDE or (
                bool(one.exclusions) and (facts["policy"] == "limited" or not customers)
            )
            assert one.touches(facts["service"], facts["region"], any_region=anywhere)
            if customers and all(state.cohort == "pilot" for state in one.windows) and one.windows:
                assert customers <= {"c0", "c1"}
            if customers and one.exclusions and all(state.customer is not None for state in one.exclusions):
                assert customers <= {state.customer for state in one.exclusions}
