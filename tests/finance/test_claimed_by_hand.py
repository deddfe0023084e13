"""What granted claims give of a credit, where the claim of a row stands, and until when: each told by hand."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.instants import seconds
from ledger.domain.period import parse_period
from ledger.domain.policy import parse_policy
from ledger.domain.policy.model import PeriodRule
from ledger.domain.policy.periods import parse_policy_period
from ledger.domain.window import Window
from projections.availability import assess_found, concerning
from projections.claimed import (
    NOT_NEEDED,
    Grant,
    Standing,
    grant,
    incidents_of,
    last_day,
    standing,
    standings,
    windows_of,
)
from projections.credits import Group
from projections.deadlines import by_customer
from projections.evaluation.evidence import Membership
from tools.terms import terms_2

State = Literal["filed", "granted", "refused", "withdrawn"]
MONTH = ("2022-03",)
BOTH = frozenset(("one", "two"))


def claim(
    key: str, *incidents: str, state: State = "granted", customer: Any = "Aurora", period: str = "2022-03"
) -> Claim:
    """A claim: filed, refused and decided anew; one that is only filed has one entry."""
    entries = tuple(f"claim/{key} v{version}" for version in range(1, 2 if state == "filed" else 4))
    return Claim(key, customer, period, "2022-04-01T00:00:00.000000Z", incidents, state, entries=entries)


def test_claims_by_customer_are_those_in_the_asked_states() -> None:
    a, b, c = claim("a"), claim("b", state="filed"), claim("c", customer="Borealis")
    gone = claim("d", customer=msgspec.UNSET)
    assert by_customer([a, b, c, gone], "granted") == {"Aurora": [a], "Borealis": [c]}
    assert by_customer([a, b, c], "granted", "filed") == {"Aurora": [a, b], "Borealis": [c]}
    assert by_customer([a, b, c], "refused") == {}


def test_incidents_and_windows_by_what_they_rest_on() -> None:
    entries = ("incident/one v3", "incident/two v12", "policy/incident v1", "claim/one v2", "incident/one v4")
    assert incidents_of(entries) == BOTH
    windows = [
        Window(name, "w", "mail", "*", "EMEA", 0, 1, "outage") for name in ("one", "two", "three", "one")
    ]
    assert windows_of(windows, frozenset(("one", "three"))) == (windows[0], windows[2], windows[3])


def test_a_claim_that_names_no_incident_or_all_of_them_grants_all() -> None:
    assert grant([claim("a")], BOTH, MONTH) == Grant(("claim/a v3",))
    assert grant([claim("a", "one", "two", "three")], BOTH, MONTH) == Grant(("claim/a v3",))
    # The first that grants all is enough, whatever else there is.
    assert grant([claim("a", "one"), claim("b"), claim("c")], BOTH, MONTH) == Grant(("claim/b v3",))
    assert grant([claim("a")], frozenset(), MONTH) == Grant(("claim/a v3",))


def test_claims_that_name_some_incidents_grant_what_those_make() -> None:
    assert grant([claim("a", "one")], BOTH, MONTH) == Grant(("claim/a v3",), frozenset(("one",)))
    assert grant([claim("a", "one", "three")], BOTH, MONTH) == Grant(("claim/a v3",), frozenset(("one",)))
    # Several name all of it together.
    assert grant([claim("a", "one"), claim("b", "two")], BOTH, MONTH) == Grant(("claim/a v3", "claim/b v3"))
    some = [claim("a", "one"), claim("b", "three"), claim("c", "one")]
    assert grant(some, BOTH, MONTH) == Grant(("claim/a v3", "claim/c v3"), frozenset(("one",)))


def test_what_is_claimed_elsewhere_grants_nothing() -> None:
    assert grant([claim("a", "three")], BOTH, MONTH) is None
    assert grant([claim("a", "one")], frozenset(), MONTH) is None
    assert grant([claim("a", period="2022-02")], BOTH, MONTH) is None
    assert grant([claim("a", period="2022-Q1")], BOTH, ("2022-03", "2022-Q1")) == Grant(("claim/a v3",))
    assert grant([], BOTH, MONTH) is None


def test_where_a_claim_stands() -> None:
    """Granted before filed before refused; each names the entries that say so, and the last day in time."""

    def stands(*claims: Claim) -> Standing:
        return standing(claims, BOTH, MONTH, "2022-04-08")

    assert stands(claim("a", state="filed"), claim("b")) == Standing("granted", "claim/b v3", "2022-04-08")
    part = Standing("granted-in-part", "claim/b v3", "2022-04-08", frozenset(("one",)))
    assert stands(claim("a", "one"), claim("b", "two")) == Standing(
        "granted", "claim/a v3, claim/b v3", "2022-04-08"
    )
    assert stands(claim("a", state="filed"), claim("b", "one")) == part
    filed = stands(claim("a", "two", state="filed"), claim("b", state="refused"), claim("c", state="filed"))
    assert filed == Standing("filed", "claim/a v1, claim/c v1", "2022-04-08")
    assert stands(claim("a", "one", state="refused")) == Standing("refused", "claim/a v3", "2022-04-08")
    nothing = Standing("not-claimed", None, "2022-04-08")
    assert stands(claim("a", "three", state="filed")) == nothing
    assert stands(claim("a", state="filed", period="2022-02")) == nothing
    assert stands(claim("a", state="withdrawn")) == nothing
    assert stands() == nothing


ASKED = '[claim]\nhow = "on-request"\nwithin = "5 days"\nanchor = "{}"\n'
MARCH = parse_period("2022-03")
AS_OF = seconds("2022-04-01T00:00:00.000000Z")


def window(incident: str, day: int, hours: int = 2, **more: Any) -> Window:
    start = seconds(f"2022-03-{day:02}T10:00:00.000000Z")
    given = {"entries": (f"incident/{incident} v2",), "regions": ("EMEA",), "window": "w", **more}
    return Window(
        incident, given.pop("window"), "mail", "*", "EMEA", start, start + hours * 3_600, "outage", **given
    )


def group(
    *windows: Window, more: str = ASKED.format("incident-end"), members: Any = None, measure: str = "", tiers: str = "", length: str = "",
    **fields: Any,
) -> Group:  # fmt: skip
    terms = terms_2("standard", {"99.9": "10"}, more=more, tiers=tiers)
    policy = parse_policy(
        terms.replace('of = "time"', measure or 'of = "time"').replace("[measure]", f"{length}[measure]")
    )
    found = concerning(policy, windows, "mail", "EMEA")
    made = assess_found(found, policy, 1, MARCH, AS_OF, None, members, service="mail", region="EMEA")
    given: dict[str, Any] = {"valid": (MARCH.start, MARCH.end), **fields}
    valid = given.pop("valid")
    return Group(1, policy, "mail", "EMEA", MARCH, valid, found, members or {}, made, **given)


def test_the_last_day_is_the_first_deadline_of_what_counts() -> None:
    """Five days after the end of an incident on the 14th are the 19th."""
    assert last_day(group(window("one", 14)), (), AS_OF) == "2022-03-19"
    assert last_day(group(window("two", 18), window("one", 14)), (), AS_OF) == "2022-03-19"
    # Nothing is down: the period is claimed for, and terms that count from an incident have no day.
    assert last_day(group(), (), AS_OF) is None
    assert last_day(group(more=ASKED.format("period-end")), (), AS_OF) == "2022-04-05"
    assert last_day(group(window("one", 14), more=ASKED.format("period-end")), (), AS_OF) == "2022-04-05"
    assert last_day(group(window("one", 14), more=""), (), AS_OF) is None


def test_a_window_that_counts_nothing_sets_no_last_day() -> None:
    """One inside another incident's, one of another cohort, and one that the terms exclude."""
    long = window("long", 14, hours=200)
    assert last_day(group(window("short", 14), long), (), AS_OF) == "2022-03-27"
    inside = Membership(True, "cohort/c v1")
    outside = Membership(False, "cohort/c v1")
    limited = window("one", 14, cohort="c")
    assert last_day(group(limited, members={"c": inside}), (), AS_OF) == "2022-03-19"
    assert last_day(group(limited, window("two", 18), members={"c": outside}), (), AS_OF) == "2022-03-23"
    # Of whom it is not known whether they are in it, it may count.
    assert last_day(group(limited), (), AS_OF) == "2022-03-19"


def test_an_open_window_has_lasted_until_now_at_least() -> None:
    running = msgspec.structs.replace(window("one", 14), end=None)
    assert last_day(group(running), (), seconds("2022-03-20T00:00:00.000000Z")) == "2022-03-25"


def test_the_period_that_is_claimed_for_is_that_of_the_row() -> None:
    """A window that began in February and lasted into March: the claim of March is counted from the end of March."""
    over = msgspec.structs.replace(window("one", 1), start=seconds("2022-02-28T10:00:00.000000Z"))
    assert last_day(group(over, more=ASKED.format("period-end")), (), AS_OF) == "2022-04-05"


STORM = '[[exclusions]]\nkinds = ["force-majeure"]\n'


def test_what_is_excluded_or_was_before_the_subscription_sets_no_last_day() -> None:
    """Of two outages the first is excluded in the region, or for the customer, or lies before what is paid for."""
    both = window("one", 14), window("two", 18)
    until = seconds("2022-03-15T00:00:00.000000Z")
    told = Exclusion("e", "force-majeure", "mail", "*", "EMEA", MARCH.start, until)
    terms = ASKED.format("incident-end") + STORM
    assert last_day(group(*both, more=terms), (), AS_OF) == "2022-03-19"
    assert last_day(group(*both, more=terms, exclusions=[told]), (), AS_OF) == "2022-03-23"
    hers = msgspec.structs.replace(told, customer="Aurora")
    assert last_day(group(*both, more=terms, exclusions=[hers]), (), AS_OF) == "2022-03-19"
    assert last_day(group(*both, more=terms, exclusions=[hers], customer="Aurora"), (), AS_OF) == "2022-03-23"
    late = group(*both, valid=(seconds("2022-03-16T00:00:00.000000Z"), MARCH.end))
    assert last_day(late, (), AS_OF) == "2022-03-23"


def test_what_two_incidents_say_alike_counts_until_the_later_of_their_days() -> None:
    """Two tell the same two hours; the second ends later with a delay that does not count. Until its day all can be claimed."""
    delay = msgspec.structs.replace(window("two", 18, window="v"), effect="delay")
    assert last_day(group(window("one", 14), window("two", 14), delay), (), AS_OF) == "2022-03-23"


COUNTS = """[[tiers]]
value_at_most = "0"
credit_percent = "0"
[[tiers]]
value_above = "0"
credit_percent = "10"
"""


def test_a_count_is_claimed_for_too() -> None:
    """Of terms that count outages the first that counts sets the day; one inside another counts nothing."""
    outages = 'of = "events"\ncounts = "outages"'
    made = group(window("one", 14), window("two", 18), tiers=COUNTS, measure=outages)
    assert last_day(made, (), AS_OF) == "2022-03-19"
    made = group(window("one", 14), window("two", 14, hours=200), tiers=COUNTS, measure=outages)
    assert last_day(made, (), AS_OF) == "2022-03-27"


def test_seconds_count_and_numbers_where_those_are_measured() -> None:
    """Two that overlap are one outage until the later of their days; more seconds down than a short period has still count."""
    later = msgspec.structs.replace(window("two", 14, hours=24), start=seconds("2022-03-14T11:00:00.000000Z"))
    outages = 'of = "events"\ncounts = "outages"'
    made = group(window("one", 14), later, tiers=COUNTS, measure=outages)
    assert last_day(made, (), AS_OF) == "2022-03-20"
    assert last_day(group(window("one", 14), later), (), AS_OF) == "2022-03-19"
    short = group(window("one", 14), window("two", 18), length='length = "1 hour"\n')
    assert last_day(short, (), AS_OF) == "2022-03-19"


def test_an_incident_that_is_paid_nothing_sets_no_day() -> None:
    """Paid one by one, a delay that does not count is nothing beside an outage."""
    stacked = ASKED.format("incident-end") + '[stacking]\nincidents = "sum"\n'
    idle = msgspec.structs.replace(window("idle", 14), effect="delay")
    assert last_day(group(idle, window("one", 18), more=stacked), (), AS_OF) == "2022-03-23"


def test_where_incidents_pay_one_by_one_each_that_pays_sets_a_day() -> None:
    """One inside another adds no downtime to it, and is paid for beside it all the same."""
    stacked = ASKED.format("incident-end") + '[stacking]\nincidents = "sum"\n'
    both = window("short", 14), window("long", 14, hours=200)
    assert last_day(group(*both, more=stacked), (), AS_OF) == "2022-03-19"


Rows = tuple[list[Standing], npt.NDArray[np.intp]]


def stand(
    names: list[str], codes: list[int], groups: list[Group], paid: list[bool], claims: list[Claim],
    gives_all: list[bool] | None = None, asked: list[tuple[list[int], frozenset[str]]] | None = None,
) -> list[Standing]:  # fmt: skip
    def decide(rows: npt.NDArray[np.intp], only: frozenset[str]) -> npt.NDArray[np.bool_]:
        if asked is not None:
            asked.append((rows.tolist(), only))
        return np.array([(gives_all or [])[row] for row in rows.tolist()], dtype=np.bool_)

    found, places = standings(
        pd.Series(names, dtype="category"), np.array(codes, dtype=np.intp), groups, np.array(paid, dtype=np.bool_),
        claims, lambda group: last_day(group, (), AS_OF), decide,
    )  # fmt: skip
    return [found[place] for place in places.tolist()]


def test_rows_stand_as_the_claims_of_their_customers_say() -> None:
    """Terms that pay by themselves need no claim, nor does a row that is paid nothing; others stand as their customer claimed."""
    asked, free = group(window("one", 14), window("two", 18)), group(window("one", 14), more="")
    claims = [
        claim("a"), claim("b", "one", state="filed", customer="Borealis"), claim("x", customer="Nobody"),
        claim("d", state="refused", customer="Dione"),
    ]  # fmt: skip
    names = ["Aurora", "Aurora", "Borealis", "Ceres", "Aurora", "Aurora", "Dione"]
    found = stand(
        names, [1, 0, 0, 0, 0, 0, 0], [asked, free], [True, True, True, True, False, True, True], claims
    )
    granted = Standing("granted", "claim/a v3", "2022-03-19")
    assert found == [
        NOT_NEEDED, granted, Standing("filed", "claim/b v1", "2022-03-19"), Standing("not-claimed", None, "2022-03-19"), NOT_NEEDED, granted,
        Standing("refused", "claim/d v3", "2022-03-19"),
    ]  # fmt: skip


def test_where_nobody_has_to_claim_nothing_is_asked() -> None:
    free = group(window("one", 14), more="")
    assert stand(["Aurora", "Borealis"], [0, 0], [free], [True, True], [claim("a")]) == [NOT_NEEDED] * 2
    assert stand(["Aurora"], [0], [group(window("one", 14))], [False], [claim("a")]) == [NOT_NEEDED]
    assert stand([], [], [], [], []) == []


def test_last_days_are_asked_for_groups_in_use_alone() -> None:
    """A group whose rows are all paid nothing costs nothing."""
    one, two = group(window("one", 14)), group(window("two", 18))
    asked: list[int] = []

    def day(of: Group) -> str:
        asked.append(id(of))
        return "2022-03-30"

    found, places = standings(
        pd.Series(["Aurora", "Borealis"], dtype="category"), np.array([0, 1], dtype=np.intp), [one, two],
        np.array([True, False]), [], day, lambda rows, only: np.ones(len(rows), dtype=np.bool_),
    )  # fmt: skip
    assert [found[place] for place in places.tolist()] == [
        Standing("not-claimed", None, "2022-03-30"),
        NOT_NEEDED,
    ]
    assert asked == [id(one)]


def test_a_part_that_gives_as_much_as_all_is_granted() -> None:
    """Asked once for all rows with the same incidents, by the amount: of the same standing one row may be granted and one in part."""
    both = group(window("one", 14), window("two", 18))
    claims = [claim("a", "one"), claim("b", "two", customer="Borealis"), claim("c", "one", customer="Ceres")]
    names = ["Borealis", "Aurora", "Aurora", "Ceres", "Dione"]
    asked: list[tuple[list[int], frozenset[str]]] = []
    found = stand(names, [0] * 5, [both], [True] * 5, claims, [False, True, False, True, False], asked)
    one, two = frozenset(("one",)), frozenset(("two",))
    # In the order of the names of the incidents, whoever comes first.
    assert asked == [([1, 2, 3], one), ([0], two)]
    assert found == [
        Standing("granted-in-part", "claim/b v3", "2022-03-19", two), Standing("granted", "claim/a v3", "2022-03-19"),
        Standing("granted-in-part", "claim/a v3", "2022-03-19", one), Standing("granted", "claim/c v3", "2022-03-19"),
        Standing("not-claimed", None, "2022-03-19"),
    ]  # fmt: skip


@pytest.mark.parametrize("period", ["2022-03", "2022-Q1"])
def test_a_row_may_be_claimed_for_by_its_own_period_or_by_the_month_of_the_run(period: str) -> None:
    """The period of a policy per quarter is its quarter; its credit is in the run of March."""
    made = group(window("one", 14))
    terms = msgspec.structs.replace(
        made.policy, period=PeriodRule("calendar-quarter", made.policy.period.zone)
    )
    quarter = msgspec.structs.replace(made, policy=terms, period=parse_policy_period(terms.period, "2022-Q1"))
    [found] = stand(["Aurora"], [0], [quarter], [True], [claim("a", period=period)])
    assert found.state == "granted"
    [found] = stand(["Aurora"], [0], [quarter], [True], [claim("a", period="2022-02")])
    assert found.state == "not-claimed"
