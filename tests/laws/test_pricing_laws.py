"""Laws of pricing: what must not change an answer, and what must add up."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import msgspec
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.interval import (
    Span,
    intersect,
    length,
    subtract,
    union,
)
from ledger.domain.money import ROUNDINGS, round_fraction
from ledger.domain.period import days, parse_period
from ledger.domain.policy import Policy, parse_policy
from ledger.domain.window import Window
from projections.availability import Assessment, assess
from projections.cohorts import Cohort
from projections.credits import difference, price, read_subscriptions, rows, totals

ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
)
MARCH = parse_period("2022-03")
AS_OF = MARCH.end
POLICY = """\
format = 1
policy = "p"
in_force_from = 2022-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[counting]
effects = ["outage", "data-loss"]
windows = "full"
planned = "excluded"
[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_below = "99.9"
availability_above = "90"
credit_percent = "33.3"
[[tiers]]
availability_at_most = "90"
credit_percent = "100"
[credit]
of = "fee"
rounding = "half-up"
"""
POLICIES = tuple(
    parse_policy(POLICY.replace('"full"', how))
    for how in ('"full"', '"by-share"', '"above-share"\nshare_above = "0.05"')
)

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)
moments = st.integers(MARCH.start - 7200, MARCH.end + 7200)


@st.composite
def some_window(draw: st.DrawFn) -> Window:
    start = draw(moments)
    share = draw(st.sampled_from([None, "0.002", "0.05", "0.3", "1"]))
    return Window(
        incident="i", window="w", service="email", component="*", region="EMEA", start=start,
        end=start + draw(st.integers(2, 400_000)),
        effect=draw(st.sampled_from(["outage", "data-loss", "delay"])), share_at_most=share,
        share_at_least=share if draw(st.booleans()) else None, entries=("incident/i v2",),
    )  # fmt: skip


windows = st.lists(some_window(), max_size=5).map(
    lambda found: [msgspec.structs.replace(window, window=f"w{n}") for n, window in enumerate(found)]
)


def seconds(found: tuple[Span, ...]) -> set[int]:
    return {second for start, end in found for second in range(start, end)}


def assessed(found: list[Window], policy: Policy, valid: Span | None = None) -> Assessment:
    return assess(found, policy, 1, "email", "EMEA", MARCH, AS_OF, valid)


@given(spans, spans)
def test_intervals_are_sets_of_seconds(left: list[Span], right: list[Span]) -> None:
    a, b = seconds(tuple(left)), seconds(tuple(right))
    assert seconds(union(left)) == a
    assert seconds(union([*left, *right])) == a | b
    assert seconds(intersect(left, right)) == a & b
    assert seconds(subtract(left, right)) == a - b
    assert length(left) == len(a)
    for found in (union(left), intersect(left, right), subtract(left, right)):
        assert found == union(reversed(found))


@given(st.integers(1970, 2100), st.integers(1, 12), st.sampled_from(ZONES))
def test_days_sum_to_their_month_and_months_touch(year: int, month: int, zone: str) -> None:
    whole = parse_period(f"{year}-{month:02}", zone)
    assert sum(day.seconds for day in days(whole)) == whole.seconds
    following = parse_period(f"{year + month // 12}-{month % 12 + 1:02}", zone)
    assert following.start == whole.end


@settings(deadline=None)
@given(windows, st.sampled_from(POLICIES), st.data())
def test_splitting_a_window_or_reordering_changes_nothing(
    found: list[Window], policy: Policy, data: st.DataObject
) -> None:
    expected = assessed(found, policy)
    parts: list[Window] = []
    for window in found:
        assert window.end is not None
        middle = data.draw(st.integers(window.start + 1, window.end - 1))
        parts.append(msgspec.structs.replace(window, end=middle))
        parts.append(msgspec.structs.replace(window, window=f"{window.window}-rest", start=middle))
    assert assessed(data.draw(st.permutations(parts)), policy) == expected
    assert assessed([*reversed(found), *found], policy) == expected


@settings(deadline=None)
@given(windows.filter(bool), st.sampled_from(POLICIES), st.data())
def test_a_second_window_inside_the_first_changes_nothing(
    found: list[Window], policy: Policy, data: st.DataObject
) -> None:
    whole = data.draw(st.sampled_from(found))
    assert whole.end is not None
    start = data.draw(st.integers(whole.start, whole.end - 1))
    end = data.draw(st.integers(start + 1, whole.end))
    inside = msgspec.structs.replace(whole, window="again", start=start, end=end)
    once, twice = assessed(found, policy), assessed([*found, inside], policy)
    if policy.windows != "full":
        # Two statements of one share may speak of the same customers or of others: the least stays, the most may
        # grow, and what stood excluded for so small a share may come to count.
        assert twice.eligible_at_least == once.eligible_at_least
        assert twice.eligible_at_most >= once.eligible_at_most
        assert twice.downtime_seconds == once.downtime_seconds
        assert twice.excluded_seconds <= once.excluded_seconds
    else:
        assert twice == once


@settings(deadline=None)
@given(windows, st.sampled_from(POLICIES), st.sampled_from(("UTC", "America/New_York")))
def test_assessed_days_sum_to_the_month(found: list[Window], policy: Policy, zone: str) -> None:
    cuts = [MARCH.start, *(min(day.end, MARCH.end) for day in days(parse_period("2022-03", zone)))]
    assert cuts[-1] == MARCH.end
    whole = assessed(found, policy)
    parts = [assessed(found, policy, valid) for valid in pairwise(cuts)]
    for name in ("downtime_seconds", "excluded_seconds", "eligible_at_least", "eligible_at_most"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


@settings(deadline=None)
@given(windows, st.sampled_from(POLICIES))
def test_bounds_are_in_order_and_excluded_and_eligible_make_the_downtime(
    found: list[Window], policy: Policy
) -> None:
    result = assessed(found, policy)
    assert (
        0
        <= result.eligible_at_least
        <= result.eligible_at_most
        <= result.downtime_seconds - result.excluded_seconds
    )
    assert 0 <= result.availability_at_least <= result.availability_at_most <= 1
    if policy.windows == "full":
        assert result.eligible == result.downtime_seconds - result.excluded_seconds
    for tier, other in pairwise(result.tiers):
        assert tier.lower == other.upper


@settings(deadline=None, max_examples=40)
@given(
    before=windows,
    after=windows,
    policy=st.sampled_from(POLICIES),
    rounding=st.sampled_from(ROUNDINGS),
    fees=st.lists(st.integers(0, 10**12), min_size=1, max_size=6),
)
def test_lines_sum_to_totals_and_before_plus_delta_is_after(
    before: list[Window], after: list[Window], policy: Policy, rounding: str, fees: list[int]
) -> None:
    policy = msgspec.structs.replace(policy, rounding=rounding)
    text = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n" + "".join(
        f"c,s{number},email,EMEA,p,{('JPY', 'KRW')[number % 2]},{fee},2022-01-01,\n"
        for number, fee in enumerate(fees)
    )
    subscriptions = read_subscriptions(text.encode(), "csv")
    frames = [
        price(subscriptions, found, {"p": [(1, policy)]}, "2022-03", AS_OF) for found in (before, after)
    ]
    changed = difference(*frames)
    for frame in (*frames, changed):
        lines, sums = list(rows(frame)), {row["currency"]: row for row in rows(totals(frame))}
        for currency, total in sums.items():
            mine = [row for row in lines if row["currency"] == currency]
            assert total["subscriptions"] == len(mine)
            for name in set(total) - {"currency", "subscriptions", "undecided"}:
                values = [row[name] for row in mine]
                assert total[name] == (None if None in values else str(sum(map(int, values))))
    for row in rows(changed):
        if row["delta"] is not None:
            assert int(row["credit_before"]) + int(row["delta"]) == int(row["credit_after"])
    for row in rows(frames[1]):
        assert 0 <= int(row["credit_at_least"]) <= int(row["credit_at_most"]) <= int(row["fee"])


NAMES = ("Acme", "Bell", "Gulf", "Müller AG")
customers = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8)


def cohort(name: str, members: set[str]) -> Cohort:
    return Cohort(f"cohort/{name} v1", pd.array(sorted(members), dtype="str"))


def subscribed(names: list[str]) -> pd.DataFrame:
    """One subscription of 1000.01 for each name."""
    text = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n" + "".join(
        f"{name},s{number},email,EMEA,p,EUR,1000.01,2022-01-01,\n" for number, name in enumerate(names)
    )
    return read_subscriptions(text.encode(), "csv")


def limited(found: list[Window], name: str) -> list[Window]:
    return [msgspec.structs.replace(one, window=f"{one.window}-{name}", cohort=name) for one in found]


@settings(deadline=None)
@given(windows, windows, st.sampled_from(POLICIES), customers)
def test_a_window_for_a_cohort_of_everybody_is_a_window_for_everybody(
    some: list[Window], others: list[Window], policy: Policy, names: list[str]
) -> None:
    table, terms = subscribed(names), {"p": [(1, policy)]}
    others = [msgspec.structs.replace(one, window=f"other-{one.window}") for one in others]
    everybody = {"all": cohort("all", {*NAMES, "a stranger"})}
    with_cohort = price(table, [*limited(some, "all"), *others], terms, "2022-03", AS_OF, (), everybody)
    without = price(table, [*some, *others], terms, "2022-03", AS_OF)
    pd.testing.assert_frame_equal(with_cohort.drop(columns="entries"), without.drop(columns="entries"))


@settings(deadline=None)
@given(windows, windows, st.sampled_from(POLICIES), customers, st.sets(st.sampled_from(NAMES)))
def test_two_cohorts_that_part_all_customers_add_up(
    some: list[Window], others: list[Window], policy: Policy, names: list[str], inside: set[str]
) -> None:
    """Each customer is in one of them: together they credit what a window for everybody does, and apart each its own."""
    table, terms = subscribed(names), {"p": [(1, policy)]}
    parted = {"in": cohort("in", inside), "out": cohort("out", set(NAMES) - inside)}
    others = [msgspec.structs.replace(one, window=f"other-{one.window}") for one in others]

    def credits(found: list[Window]) -> pd.DataFrame:
        return price(table, [*found, *others], terms, "2022-03", AS_OF, (), parted)

    whole, nothing = credits(some), credits([])
    both = credits([*limited(some, "in"), *limited(some, "out")])
    pd.testing.assert_frame_equal(both.drop(columns="entries"), whole.drop(columns="entries"))
    apart = {name: credits(limited(some, name)) for name in parted}
    for bound in ("credit_at_least", "credit_at_most"):
        sums = [int(frame[bound].sum()) for frame in (apart["in"], apart["out"], whole, nothing)]
        assert sums[0] + sums[1] == sums[2] + sums[3]
        for row, name in enumerate(names):
            mine, theirs = ("in", "out") if name in inside else ("out", "in")
            assert apart[mine][bound][row] == whole[bound][row]
            assert apart[theirs][bound][row] == nothing[bound][row]


@settings(deadline=None)
@given(windows, st.sampled_from(POLICIES), customers, st.sets(st.sampled_from(NAMES)))
def test_knowing_who_is_in_a_cohort_stays_within_the_bounds_of_not_knowing(
    some: list[Window], policy: Policy, names: list[str], inside: set[str]
) -> None:
    table, terms = subscribed(names), {"p": [(1, policy)]}
    known = {"beta": cohort("beta", inside)}
    found = price(table, limited(some, "beta"), terms, "2022-03", AS_OF, (), known)
    doubtful = price(table, limited(some, "beta"), terms, "2022-03", AS_OF)
    assert (doubtful["credit_at_least"] <= found["credit_at_least"]).all()
    assert (found["credit_at_most"] <= doubtful["credit_at_most"]).all()
    assert not found["provisional"].any()
    assert doubtful["provisional"].tolist() == [bool(some) and _reached(some)] * len(names)


def _reached(found: list[Window]) -> bool:
    return any(
        window.end is not None and window.end > MARCH.start and window.start < MARCH.end for window in found
    )


@given(st.integers(0, 10**15), st.sampled_from(ROUNDINGS), st.fractions(0, 1))
def test_a_part_of_an_amount_is_at_most_the_amount(amount: int, mode: str, part: Fraction) -> None:
    assert 0 <= round_fraction(amount * part, mode) <= amount
