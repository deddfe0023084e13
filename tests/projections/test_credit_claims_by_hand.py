"""Which rows wait for a claim, and what a claim for some incidents grants of each row, priced anew for those alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import parse_policy
from projections.cohorts import Cohort
from projections.credit_rows import CLAIM_COLUMNS
from projections.earlier_credits import Earlier
from tests.projections.pricing import at, column, policy, priced, subscribed, window
from tools.terms import terms_2

ASKED = '[claim]\nhow = "on-request"\nwithin = "5 days"\nanchor = "period-end"\n'
DAYS = (
    '[[tiers]]\navailability_at_least = "99.9"\nservice_days = "{}"\n'
    '[[tiers]]\navailability_below = "99.9"\nservice_days = "{}"\n'
)
LONG, SHORT = window("2022-03-10T10:00", "2022-03-10T18:00", "long"), window("2022-03-14T10:00", "2022-03-14T12:30", "short")  # fmt: skip


def granted(customer: str, *incidents: str) -> Claim:
    """A claim for some incidents that was granted with its third entry."""
    entries = tuple(f"claim/{customer.lower()} v{version}" for version in (1, 2, 3))
    return Claim(customer.lower(), customer, "2022-03", "2022-04-01T00:00:00.000000Z", incidents, "granted", entries=entries)  # fmt: skip


CLAIMS = [granted("Acme", "long"), granted("Bell", "short")]


def states(found: Any) -> dict[str, Any]:
    return column(found, "claim_state")


def test_what_is_paid_anything_waits_for_its_claim() -> None:
    """Money or days; nothing where neither is paid, or the terms pay by themselves. A cent is something, and so is a day."""
    terms = [
        policy(more=ASKED), policy("days", tiers=DAYS.format("0", "1"), more=ASKED), policy("free"),
        policy("free-days", tiers=DAYS.format("0", "1")), policy("always", tiers=DAYS.format("1", "2"), more=ASKED),
    ]  # fmt: skip
    lines = [
        subscribed("free", policy="free"), subscribed("money"), subscribed("met", region="NAM"), subscribed("cent", fee="0.10"),
        subscribed("nothing", fee="0.00"), subscribed("days", policy="days"), subscribed("met-days", policy="days", region="NAM"),
        subscribed("free-days", policy="free-days"), subscribed("always", policy="always", region="NAM"),
        subscribed("hers", customer="Bell"),
    ]  # fmt: skip
    found = priced(lines, [SHORT], *terms, claims=[granted("Bell")])
    nothing, waits = ("not-needed", None, None), ("not-claimed", None, "2022-04-05")
    assert column(found, *CLAIM_COLUMNS) == {
        "free": nothing, "money": waits, "met": nothing, "cent": waits, "nothing": nothing, "days": waits, "met-days": nothing,
        "free-days": nothing, "always": waits, "hers": ("granted", "claim/bell v3", "2022-04-05"),
    }  # fmt: skip
    # Without any days it is the money alone.
    assert states(priced(lines[:5], [SHORT], *terms)) == {
        "free": "not-needed", "money": "not-claimed", "met": "not-needed", "cent": "not-claimed", "nothing": "not-needed",
    }  # fmt: skip


STEPS = {"99.9": "10", "99.5": "25"}


def test_a_claim_for_some_incidents_grants_a_row_that_these_give_as_much() -> None:
    """Of eight hours and two and a half the eight alone reach the second tier, the other only the first; who has only one has all."""
    lines = [
        subscribed("other", customer="Ceres"), subscribed("short", customer="Bell"), subscribed("long"),
        # Rounded to a cent there is no difference between the tiers.
        subscribed("cent", customer="Bell", fee="0.05"), subscribed("late", since="2022-03-12"), subscribed("first", customer="Bell", until="2022-03-12"),
    ]  # fmt: skip
    found = priced(lines, [LONG, SHORT], policy(steps=STEPS, more=ASKED), claims=CLAIMS)  # fmt: skip
    assert column(found, "credit", "claim_state", "claim") == {
        "other": ("25.00", "not-claimed", None), "short": ("25.00", "granted-in-part", "claim/bell v3"),
        "long": ("25.00", "granted", "claim/acme v3"), "cent": ("0.01", "granted", "claim/bell v3"),
        "late": ("10.00", "not-claimed", None), "first": ("25.00", "not-claimed", None),
    }  # fmt: skip


def test_bounds_are_as_much_only_where_both_ends_are() -> None:
    """One that may go on: with it at most a quarter is owed, and without it a tenth; at least it is the same."""
    perhaps = window("2022-03-31T23:50", None, "perhaps")
    lines = [subscribed("a"), subscribed("b", customer="Bell")]
    found = priced(
        lines, [SHORT, perhaps], policy(steps={"99.9": "10", "99.65": "25"}, more=ASKED), as_of=at("2022-03-31T23:51"),
        claims=[granted("Acme", "short"), granted("Bell", "perhaps")],
    )  # fmt: skip
    assert column(found, "credit_at_least", "credit_at_most", "claim_state") == {
        "a": ("10.00", "25.00", "granted-in-part"), "b": ("10.00", "25.00", "granted-in-part"),
    }  # fmt: skip
    # Where the terms have one tier below the edge the short one gives all of it, at both ends.
    found = priced(lines, [SHORT, perhaps], policy(more=ASKED), as_of=at("2022-03-31T23:51"), claims=[granted("Acme", "short"), granted("Bell", "perhaps")])  # fmt: skip
    assert states(found) == {"a": "granted", "b": "granted-in-part"}


def test_as_much_at_most_alone_is_not_as_much() -> None:
    """One that may have lasted a minute or eight hours reaches the second tier at most, and none at least; with the other a tenth is sure."""
    perhaps = window("2022-03-31T16:00", None, "perhaps")
    found = priced(
        [subscribed("a")], [SHORT, perhaps], policy(steps=STEPS, more=ASKED), as_of=at("2022-03-31T16:01"), claims=[granted("Acme", "perhaps")]
    )  # fmt: skip
    assert column(found, "credit_at_least", "credit_at_most", "claim_state") == {
        "a": ("10.00", "25.00", "granted-in-part")
    }


def test_the_last_day_is_that_of_what_counts_beside_what_was_measured() -> None:
    """All requests failed while the short outage lasted: it adds nothing, and its five days are not asked for, where that is read."""
    late = window("2022-03-20T10:00", "2022-03-20T12:30", "late")
    failed = Measurement("m", "m", "email", "flow", "EMEA", SHORT.start, SHORT.end or 0, "requests", 10, 10)
    asked = ASKED.replace("period-end", "incident-end")
    terms = policy("reads", measure='of = "time"\nreads = ["requests"]', more=asked), policy(more=asked)
    lines = [subscribed("reads", policy="reads"), subscribed("not")]
    found = priced(lines, [SHORT, late], *terms, measurements=[failed])
    assert column(found, "eligible_downtime_seconds", "claim_last_day") == {
        "reads": (18_000, "2022-03-25"), "not": (18_000, "2022-03-19"),
    }  # fmt: skip


def test_days_are_as_much_too_as_far_as_terms_know_any() -> None:
    days = (
        '[[tiers]]\navailability_at_least = "99.9"\nservice_days = "0"\n'
        '[[tiers]]\navailability_below = "99.9"\navailability_at_least = "99.5"\nservice_days = "1"\n'
        '[[tiers]]\navailability_below = "99.5"\nservice_days = "1.5"\n'
    )
    terms = policy(tiers=days, more=ASKED), policy("money", more=ASKED)
    lines = [
        subscribed("short", customer="Bell"), subscribed("long"), subscribed("money", customer="Bell", policy="money"),
        subscribed("more", policy="money"),
    ]  # fmt: skip
    found = priced(lines, [LONG, SHORT], *terms, claims=CLAIMS)
    assert column(found, "service_days", "claim_state") == {
        "short": ("1.5", "granted-in-part"), "long": ("1.5", "granted"), "money": (None, "granted"), "more": (None, "granted"),
    }  # fmt: skip


def test_a_part_is_asked_of_the_customers_of_its_cohorts() -> None:
    """Nobody but Acme had the long one: Bell's short one is all of hers."""
    beta = {"beta": Cohort("cohort/beta v1", pd.array(["Acme"], dtype="str"))}
    hers = window("2022-03-10T10:00", "2022-03-10T18:00", "long", cohort="beta")
    lines = [subscribed("a"), subscribed("b", customer="Bell")]
    found = priced(lines, [hers, SHORT], policy(steps=STEPS, more=ASKED), cohorts=beta, claims=CLAIMS)
    assert column(found, "credit", "claim_state") == {"a": ("25.00", "granted"), "b": ("10.00", "granted")}


def test_a_part_is_asked_with_what_was_excluded() -> None:
    """Of eight hours one is left, which with two and a half makes a quarter; either alone makes a tenth."""
    storm = Exclusion("storm", "force-majeure", "email", "*", "EMEA", at("2022-03-10T10:00"), at("2022-03-10T17:00"))  # fmt: skip
    terms = policy(steps={"99.9": "10", "99.6": "25"}, excluded=("force-majeure",), more=ASKED)
    found = priced([subscribed("a")], [LONG, SHORT], terms, exclusions=[storm], claims=[granted("Acme", "long")])  # fmt: skip
    assert column(found, "credit", "claim_state") == {"a": ("25.00", "granted-in-part")}
    found = priced([subscribed("a")], [LONG, SHORT], terms, claims=[granted("Acme", "long")])
    assert column(found, "credit", "claim_state") == {"a": ("25.00", "granted")}


def test_a_part_is_asked_with_what_the_months_around_leave() -> None:
    """5.00 are left of a limit, which either alone comes to; and where 5.00 were taken back the limit is 25.00, which only one does."""
    terms = policy(steps=STEPS, more='[limits]\nrolling_percent = "20"\n' + ASKED)
    lines = [subscribed("a"), subscribed("b", customer="Bell")]
    for before, credit, states_of in (
        (1_500, "5.00", ("granted", "granted")),
        (-500, "25.00", ("granted", "granted-in-part")),
    ):
        earlier = {name: (Earlier(1, before, "USD", "statement/main v1"),) for name in ("a", "b")}
        found = priced(lines, [LONG, SHORT], terms, credited=earlier, claims=CLAIMS)
        assert column(found, "credit") == {"a": credit, "b": credit}
        assert tuple(states(found).values()) == states_of


_TWO = """[[commitments]]
name = "up"
[commitments.measure]
of = "time"
[commitments.counting]
effects = ["outage"]
[[commitments.tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99.9"
credit_percent = "10"
[[commitments]]
name = "right"
[commitments.measure]
of = "executions"
[[commitments.tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[commitments.tiers]]
availability_below = "99.9"
credit_percent = "25"
"""


def test_a_part_is_asked_with_what_was_measured() -> None:
    """Of a thousand executions ten failed, which pays a quarter; an outage of another incident pays a tenth."""
    text = terms_2("p", in_force_from="2020-01-01", more=ASKED)
    head, _, rest = text.partition("[measure]")
    terms = parse_policy(head + _TWO + rest[rest.index("[credit]") :])
    failed = Measurement("long", "m", "email", "flow", "EMEA", at("2022-03-10T10:00"), at("2022-03-10T11:00"), "executions", 1_000, 10, entries=("incident/long v2",))  # fmt: skip
    lines = [subscribed("a"), subscribed("quiet", region="NAM")]
    found = priced(lines, [SHORT], terms, measurements=[failed], claims=CLAIMS)
    assert column(found, "credit", "claim_state") == {
        "a": ("25.00", "granted"), "quiet": ("0.00", "not-needed"),
    }  # fmt: skip
