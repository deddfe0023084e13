"""Consequences and stages: what a notice came to after each revision, with nothing that was said forgotten."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from ledger.domain.policy import Policy, parse_policy
from ledger.store.stream import Entry
from projections.consequences import (
    consequences,
    periods_touched,
    places_touched,
    stages,
)
from projections.consequences_compared import as_json, difference_text
from projections.notice import notice
from projections.replay import Cut, facts_at, revisions, windows_of
from tools.terms import terms_2

Policies = dict[str, list[tuple[int, Policy]]]
OPENED = {
    "action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
    "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "We are looking into it.",
}  # fmt: skip
AS_OF = "2022-04-30T00:00:00.000000Z"
FIXED = terms_2(
    "fixed", title="Terms that pay a sum",
    tiers='''[[tiers]]
availability_at_least = "99"
credit_percent = "0"
[[tiers]]
availability_below = "99"
credit_fixed = { EUR = "50.00" }
''',
)  # fmt: skip


def window(name: str, region: str = "EMEA", **more: Any) -> dict[str, Any]:
    return {"action": "add-window", "window": name, "service": "email", "component": "flow", "region": region,
            "effect": "outage", "start": "2022-03-15T02:30:00Z", "end": "2022-03-15T10:00:00Z", **more}  # fmt: skip


def revise(name: str, **fields: Any) -> dict[str, Any]:
    return {"action": "revise-window", "window": name, "reason": "Measured again.", **fields}


def windows(entries: list[Entry], cut: Cut = Cut()) -> list[Any]:
    return windows_of(entries[0].key, facts_at(entries, cut))


def test_the_correction_of_march_2022_takes_nam_below_99_percent(
    email: list[Entry], email_policies: Policies, email_figures: dict[str, Any]
) -> None:
    before = Cut(published_by="2022-03-30T16:51:59.000000Z")
    places = places_touched(windows(email))
    assert places == (("email-security", "EMEA"), ("email-security", "NAM"))
    for name, cut in (("before", before), ("after", Cut())):
        rows = as_json(
            consequences(windows(email, cut), email_policies, AS_OF, periods=["2022-03"], places=places)
        )["rows"]
        for row in rows:
            expected = email_figures["regions"][row["region"]][name]
            assert row["downtime_seconds"] == expected["downtime_seconds"]
            standard = next(one for one in row["policies"] if one["policy"] == "email-standard")
            assert standard["availability_at_least"] == expected["availability"]
            assert standard["availability_at_most"] == expected["availability"]
    after = {row["region"]: row["policies"] for row in rows}
    assert [one["credit_percent_at_least"] for one in after["NAM"]] == ["0", "0", "25"]
    assert [one["credit_percent_at_least"] for one in after["EMEA"]] == ["0", "0", "50"]


def test_credits_are_summed_up_by_currency(
    email: list[Entry],
    email_policies: Policies,
    email_figures: dict[str, Any],
    email_subscriptions: pd.DataFrame,
) -> None:
    found = consequences(windows(email), email_policies, AS_OF, subscriptions=email_subscriptions).totals
    assert found is not None
    for total in found:
        expected = [
            Decimal(one["after"]["credit"])
            for one in email_figures["subscriptions"].values()
            if one["currency"] == total["currency"]
        ]
        assert (total["period"], Decimal(total["credit"])) == ("2022-03", sum(expected))
        assert total["subscriptions"] == len(expected)
    assert [total["currency"] for total in found] == ["EUR", "JPY", "USD"]


def test_windows_of_other_incidents_count_beside_them(
    incident: Callable[..., list[Entry]], email_policies: Policies
) -> None:
    alone = windows(incident([OPENED], [window("w1")]))
    other = windows(
        incident([OPENED], [window("w1", start="2022-03-15T09:00:00Z", end="2022-03-15T12:00:00Z")])
    )
    [emea] = consequences(alone, {}, AS_OF).rows
    [both] = consequences(alone, {}, AS_OF, others=other).rows
    assert (emea.downtime_seconds, both.downtime_seconds) == (27_000, 34_200)


def test_a_policy_that_was_not_in_force_says_so(
    incident: Callable[..., list[Entry]], email_policies: Policies
) -> None:
    early = windows(
        incident([OPENED], [window("w1", start="2021-12-31T23:00:00Z", end="2022-01-01T01:00:00Z")])
    )
    december, january = consequences(early, {"email-standard": email_policies["email-standard"]}, AS_OF).rows
    assert (december.period, december.downtime_seconds) == ("2021-12", 3_600)
    assert december.outcomes[0].assessment is None
    assert "was in force on 2021-12-01" in str(december.outcomes[0].problem)
    assert (january.period, january.downtime_seconds) == ("2022-01", 3_600)
    assert january.outcomes[0].assessment is not None


def test_months_are_those_of_every_zone_and_of_open_ends(incident: Callable[..., list[Entry]]) -> None:
    edge = windows(
        incident([OPENED], [window("w1", start="2022-03-31T23:30:00Z", end="2022-03-31T23:45:00Z")])
    )
    assert periods_touched(edge, AS_OF, {}) == ("2022-03",)
    london = parse_policy(FIXED.replace('zone = "UTC"', 'zone = "Europe/London"'))
    assert periods_touched(edge, AS_OF, {"fixed": [(1, london)]}) == ("2022-03", "2022-04")
    still = windows(incident([OPENED], [{**window("w1", start="2021-12-31T00:00:00Z"), "end": None}]))
    assert periods_touched(still, "2022-02-01T00:00:00.000000Z", {}) == ("2021-12", "2022-01")


def test_every_region_and_an_unknown_one(
    incident: Callable[..., list[Entry]], email_policies: Policies
) -> None:
    everywhere = windows(incident([OPENED], [window("w1", region="*")]))
    assert [(row.region, row.downtime_seconds) for row in consequences(everywhere, {}, AS_OF).rows] == [
        ("EMEA", 27_000), ("NAM", 27_000)
    ]  # fmt: skip
    somewhere = windows(incident([OPENED], [window("w1", region="unknown")]))
    rows = consequences(somewhere, {"email-standard": email_policies["email-standard"]}, AS_OF).rows
    assert [(row.region, row.downtime_seconds, len(row.outcomes)) for row in rows] == [
        ("EMEA", 0, 1), ("NAM", 0, 1), ("unknown", 27_000, 0)
    ]  # fmt: skip
    made = rows[0].outcomes[0].assessment
    assert made is not None
    assert made.rates == (Fraction(0), Fraction(1, 4))


def test_stages_keep_what_was_said_before(incident: Callable[..., list[Entry]]) -> None:
    entries = incident(
        [OPENED],
        [window("w1", change="c1"), {"action": "update", "body": "One window.", "change": "c1"}],
        [revise("w1", end="2022-03-15T11:00:00Z")],
        [{"action": "update", "body": "More soon."}],
        [revise("w1", end="2022-03-15T10:00:00Z")],
        [{"action": "withdraw-window", "window": "w1", "reason": "It was a test."}],
    )
    found = stages(entries)
    assert [stage.revision for stage in found] == [1, 2, 3, 4, 5, 6]
    assert [[one.entry.version for one in stage.entries] for stage in found] == [
        [1], [2, 3], [4], [5], [6], [7]
    ]  # fmt: skip
    assert found[0].windows == ()
    ends = [(one.window.end, one.said_in) for stage in found[1:] for one in stage.windows]
    ten, eleven = 1647338400, 1647342000
    assert ends == [(ten, 2), (eleven, 3), (eleven, 3), (ten, 5), (ten, 6)]
    last = found[-1].windows[0]
    assert last.window.withdrawn
    assert [(ghost.window.end, ghost.said_in, ghost.until) for ghost in last.ghosts] == [
        (ten, 2, 3), (eleven, 3, 5), (ten, 5, 6)
    ]  # fmt: skip
    assert not any(ghost.window.withdrawn for ghost in last.ghosts)


def test_the_last_stage_is_the_notice(incident: Callable[..., list[Entry]], email: list[Entry]) -> None:
    cuts = [Cut(), Cut("2022-03-29T14:00:00.000000Z"), Cut(None, email[6].position)]
    for cut in cuts:
        last = stages(email, cut)[-1]
        at = notice(email, cut)
        assert (last.notice.posts, last.notice.windows, last.notice.revision) == (
            at.posts, at.windows, at.revision
        )  # fmt: skip
    assert len(stages(email)) == len(revisions(email)) == 6
    assert len(stages(email, cuts[1])) == 5


def test_an_internal_entry_is_told_by_what_publishes_it(incident: Callable[..., list[Entry]]) -> None:
    entries = incident(
        [OPENED],
        [window("w1", internal=True, ref="known")],
        [{"action": "publish", "publishes": "known"}],
    )
    found = stages(entries)
    assert [(stage.revision, [one.entry.version for one in stage.entries]) for stage in found] == [
        (1, [1]), (2, [2, 3])
    ]  # fmt: skip
    assert [one.window.window for one in found[1].windows] == ["w1"]


def test_a_cut_inside_a_change_shows_the_first_of_it(incident: Callable[..., list[Entry]]) -> None:
    entries = incident([OPENED], [window("w1", change="c1"), window("w2", change="c1")])
    [_, change] = stages(entries, Cut(None, 2))
    assert [one.entry.version for one in change.entries] == [2]
    assert [one.window.window for one in change.windows] == ["w1"]


@pytest.mark.parametrize("published_by", ["2022-03-14T20:00:00.000000Z", None])
def test_stages_give_the_time_open_windows_last_to(email: list[Entry], published_by: str | None) -> None:
    for stage in stages(email, Cut(published_by)):
        assert stage.as_of == (published_by or email[-1].recorded_at[:16] + stage.as_of[16:])


def test_a_policy_that_pays_a_fixed_sum_is_told_by_its_rule(incident: Callable[..., list[Entry]]) -> None:
    policy = parse_policy(FIXED)
    down = windows(incident([OPENED], [window("w1")]))
    after = consequences(down, {policy.key: [(1, policy)]}, AS_OF)
    before = consequences(
        [], {policy.key: [(1, policy)]}, AS_OF, periods=["2022-03"], places=[("email", "EMEA")]
    )
    [outcome] = after.rows[0].outcomes
    assert outcome.credit_percent is None
    [found] = as_json(after)["rows"][0]["policies"]
    assert found["credit_percent_at_least"] is found["credit_percent_at_most"] is None
    [_, line] = difference_text(before, after)
    assert line.strip() == (
        "fixed v1: availability 100% -> 98.991935483871%, credit 0% of fee -> fixed v1: availability below 99% gives 50 EUR"
    )


def test_a_policy_per_quarter_is_counted_in_the_month_its_quarter_ends(
    incident: Callable[..., list[Entry]],
) -> None:
    policy = parse_policy(FIXED.replace("calendar-month", "calendar-quarter"))
    down = windows(
        incident([OPENED], [window("w1", start="2022-02-10T00:00:00Z", end="2022-02-11T00:00:00Z")])
    )
    february, march = consequences(down, {policy.key: [(1, policy)]}, AS_OF).rows
    assert (february.period, february.downtime_seconds) == ("2022-02", 86_400)
    assert february.outcomes[0].assessment is None
    assert february.outcomes[0].problem == "policy 'fixed' has no period that ends in 2022-02"
    assert (march.period, march.downtime_seconds, march.outcomes[0].period) == ("2022-03", 0, "2022-Q1")
    made = march.outcomes[0].assessment
    assert made is not None
    assert (made.downtime_seconds, made.period_seconds) == (86_400, 90 * 86_400)


def test_who_asks_is_told_what_did_not_move_too(incident: Callable[..., list[Entry]]) -> None:
    policy = parse_policy(FIXED)
    down = windows(incident([OPENED], [window("w1")]))
    made = consequences(down, {policy.key: [(1, policy)]}, AS_OF)
    assert difference_text(made, made) == []
    assert difference_text(made, made, unchanged=True) == [
        "the same on both sides",
        "2022-03  email, EMEA: downtime 27,000 s, no change",
        "  fixed v1: no change, availability 98.991935483871%, fixed v1: availability below 99% gives 50 EUR",
    ]
    nothing = consequences([], {policy.key: [(1, policy)]}, AS_OF)
    assert difference_text(nothing, nothing, unchanged=True) == [
        "the same on both sides: no impact window, so no downtime"
    ]
    before = consequences(
        windows(incident([OPENED], [window("w1", region="NAM")])), {}, AS_OF,
        places=[("email", "EMEA"), ("email", "NAM")],
    )  # fmt: skip
    after = consequences(
        windows(incident([OPENED], [window("w1", region="NAM"), window("w2")])), {}, AS_OF,
        places=[("email", "EMEA"), ("email", "NAM")],
    )  # fmt: skip
    assert difference_text(before, after, unchanged=True) == [
        "2022-03  email, EMEA: downtime 0 s -> 27,000 s (+27,000)",
        "2022-03  email, NAM: downtime 27,000 s, no change",
    ]
