"""What a restatement names as its causes: for each line the entries that made its difference, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.earlier_credits import Earlier, counted, counted_most
from tests.finance.desk import Desk
from tools.terms import terms_2

_TERMS = terms_2(
    "standard", in_force_from="2021-01-01", more="clawback = true\n",
    tiers='''[[tiers]]
availability_at_least = "100"
credit_percent = "0"
[[tiers]]
availability_below = "100"
credit_percent = "10"
per = "block"
block = "1 hour"
''',
)  # fmt: skip
_ROLLING = '[limits]\nrolling_percent = "100"\nrolling_months = 3\n'
_REQUEST = '[limits]\npercent = "10"\n[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "month-end"\n'


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Desk:
    """Finance on 2 May 2022, with one outage of four hours in EMEA in March."""
    found = Desk(sqlite_url, tmp_path)
    found.now = "2022-05-02T09:00:00Z"
    return found


def _under(desk: Desk, terms: str) -> None:
    desk.file("standard.toml", terms)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")


def _issue(desk: Desk, *periods: str) -> None:
    for period in periods:
        desk.ok("credits", "issue", "--period", period, "--actor", "f")


def _restated(desk: Desk, number: int, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.ok("credits", "restate", str(number), "--json", *more))
    return found


def _causes(found: dict[str, Any]) -> dict[str, list[str]]:
    return {one["subscription"]: one["causes"] for one in found["lines"]}


@pytest.mark.parametrize("more", [(), ("--whole",)])
def test_a_line_names_what_happened_in_its_own_region(desk: Desk, more: tuple[str, ...]) -> None:
    """Given a window moved in EMEA and one added in NAM, then the lines of each region name their own, and are one document."""
    _under(desk, _TERMS)
    _issue(desk, "2022-03")
    desk.revise("first", "2022-03-14T21:00:00Z", reason="x")
    desk.window("second", "NAM", "2022-03-20T00:00:00Z", "2022-03-20T02:00:00Z")
    found = _restated(desk, 1, *more)
    assert _causes(found) == {
        "aurora-emea": ["incident/mail-1 v3"],
        "baltic-emea": ["incident/mail-1 v3"],
        "aurora-nam": ["incident/mail-1 v4"],
        "cedar-nam": ["incident/mail-1 v4"],
    }
    assert found["causes"] == ["incident/mail-1 v3", "incident/mail-1 v4"]


def test_what_lies_outside_of_the_month_and_uses_up_no_limit_is_no_cause(desk: Desk) -> None:
    """Given terms that look at the whole year for what may be excluded, then an outage in January moves no line of March."""
    _under(desk, _TERMS + '[[exclusions]]\nkinds = ["force-majeure"]\nmost = "1 hour"\nmost_per = "year"\n')
    _issue(desk, "2022-03")
    desk.window("january", "EMEA", "2022-01-20T00:00:00Z", "2022-01-20T02:00:00Z")
    words = ("--actor", "o", "--kind", "force-majeure", "--service", "email", "--component", "*", "--region", "EMEA",
             "--approved-by", "b", "--evidence", "e")  # fmt: skip
    desk.ok(
        "sla", "exclude", "storm", *words, "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T17:00:00Z"
    )
    assert set(map(tuple, _causes(_restated(desk, 1)).values())) == {("exclusion/storm v1",)}
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    # What was excluded in January leaves nothing to exclude in March: it stands on no line, and made the difference.
    desk.ok(
        "sla", "exclude", "snow", *words, "--start", "2022-01-02T00:00:00Z", "--end", "2022-01-02T01:00:00Z"
    )
    assert set(map(tuple, _causes(_restated(desk, 1)).values())) == {("exclusion/snow v1",)}


def test_lines_that_share_an_assessment_name_each_its_own_claim(desk: Desk) -> None:
    """Given claims of two customers that were granted since, then neither line names the claim of the other."""
    _under(desk, _TERMS + _REQUEST)
    _issue(desk, "2022-03")
    for claim, customer in (("a", "Aurora Rail"), ("b", "Baltic Timber")):
        desk.ok(
            "sla", "claim", claim, "--actor", "s", "--customer", customer, "--period", "2022-03", "--at",
            "2022-04-01T00:00Z",
        )  # fmt: skip
        desk.ok("sla", "decide-claim", claim, "--actor", "f", "--decision", "granted", "--reason", "x")
    found = _restated(desk, 1)
    assert _causes(found) == {
        "aurora-emea": ["claim/a v1", "claim/a v2"],
        "baltic-emea": ["claim/b v1", "claim/b v2"],
    }
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert "comes out the same: 4 lines" in desk.ok("credits", "show", "2", "--recompute")
    assert _restated(desk, 1, "--whole")["assessments"] == []
    shown = json.loads(desk.ok("credits", "show", "2", "--json"))["details"]
    assert [
        shown["assessments"][one["assessment"]]["causes"] for one in shown["lines"]
    ] == list(_causes(found).values())  # fmt: skip


def test_a_customer_who_is_named_otherwise_in_the_table_is_a_cause_of_its_claim_being_paid(
    desk: Desk,
) -> None:
    _under(desk, _TERMS + _REQUEST)
    desk.ok(
        "sla",
        "claim",
        "a",
        "--actor",
        "s",
        "--customer",
        "Aurora",
        "--period",
        "2022-03",
        "--at",
        "2022-04-01T00:00Z",
    )
    desk.ok("sla", "decide-claim", "a", "--actor", "f", "--decision", "granted", "--reason", "x")
    _issue(desk, "2022-03")
    path = desk.folder / "customers.csv"
    path.write_text(path.read_text().replace("Aurora Rail", "Aurora"))
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    assert _causes(_restated(desk, 1)) == {"aurora-emea": ["subscriptions/customers v2"]}
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")


def test_a_claim_that_adds_no_money_under_a_limit_is_recorded(desk: Desk) -> None:
    """Given a first claim that reached the limit, when the second is granted, then an adjustment of nothing names it."""
    _under(desk, _TERMS + _REQUEST)
    desk.ok("incident", "open", "mail-2", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "email",
            "--component", "flow", "--region", "EMEA")  # fmt: skip
    desk.ok("window", "add", "mail-2", "w", "--actor", "o", "--service", "email", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-20T00:00:00Z", "--end", "2022-03-20T02:00:00Z", "--effect", "outage")  # fmt: skip
    for claim, incident in (("c1", "mail-1"), ("c2", "mail-2")):
        desk.ok("sla", "claim", claim, "--actor", "s", "--customer", "Aurora Rail", "--period", "2022-03", "--at",
                "2022-04-01T00:00Z", "--incident", incident)  # fmt: skip
    decide = ("--actor", "f", "--decision", "granted", "--reason", "x")
    desk.ok("sla", "decide-claim", "c1", *decide)
    _issue(desk, "2022-03")
    desk.ok("sla", "decide-claim", "c2", *decide)
    found = _restated(desk, 1)
    assert (found["lines"], found["causes"]) == ([], ["claim/c2 v2"])
    assert "because of claim/c2 v2\n" in desk.ok("credits", "restate", "1")
    made = desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert "no line changes its amount" in made
    assert _restated(desk, 1)["assessments"] == []


def test_a_limit_over_months_names_the_adjustment_that_moved_it(desk: Desk) -> None:
    """Given three months, when February is adjusted, then March names that document: not itself, and no later month."""
    _under(desk, _TERMS + _ROLLING)
    for name, region, start, end in (
        ("february", "EMEA", "2022-02-14T00:00:00Z", "2022-02-14T08:00:00Z"),
        ("february-nam", "NAM", "2022-02-14T00:00:00Z", "2022-02-14T01:00:00Z"),
        ("march-nam", "NAM", "2022-03-14T00:00:00Z", "2022-03-14T01:00:00Z"),
        ("april", "EMEA", "2022-04-14T00:00:00Z", "2022-04-14T01:00:00Z"),
    ):
        desk.window(name, region, start, end)
    _issue(desk, "2022-02", "2022-03", "2022-04")
    desk.revise("february", "2022-02-14T06:00:00Z", reason="x")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    found = _restated(desk, 2)
    assert _causes(found) == {
        "aurora-emea": ["statement/main v4"],
        "baltic-emea": ["statement/main v4"],
    }
    assert found["causes"] == ["statement/main v4"]
    # What February was given back was all it had: the document that took it is named, though nothing of it counts any more.
    desk.ok("window", "withdraw", "mail-1", "february", "--actor", "o", "--reason", "it never was")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert _restated(desk, 2)["causes"] == ["statement/main v4", "statement/main v5"]


def test_an_adjustment_of_another_month_that_moves_no_amount_is_recorded(desk: Desk) -> None:
    """Given March far from the limit, when February is adjusted, then March rests on that document, and says so."""
    _under(desk, _TERMS + _ROLLING)
    desk.window("february", "EMEA", "2022-02-14T00:00:00Z", "2022-02-14T02:00:00Z")
    _issue(desk, "2022-02", "2022-03")
    desk.revise("february", "2022-02-14T01:00:00Z", reason="x")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    found = _restated(desk, 2)
    assert (found["lines"], found["causes"]) == ([], ["statement/main v3"])
    desk.ok("credits", "restate", "2", "--issue", "--actor", "f")
    assert _restated(desk, 2)["assessments"] == []


def test_another_end_of_the_bounds_is_no_entry_and_is_said_to_be_a_choice(desk: Desk) -> None:
    _under(desk, _TERMS)
    desk.window(
        "vague", "NAM", "2022-03-15T00:00:00Z", "2022-03-15T02:00:00Z", "--end-within-seconds", "3600"
    )
    desk.ok("credits", "issue", "--period", "2022-03", "--undecided", "least", "--actor", "f")
    said = desk.ok("credits", "restate", "1", "--undecided", "most")
    assert "because of how open facts are counted, by choice\n" in said
    desk.ok("credits", "restate", "1", "--undecided", "most", "--issue", "--actor", "f")


def test_what_later_months_were_paid_is_not_paid_again_where_nothing_is_taken_back(desk: Desk) -> None:
    """Given a fee in three months at most, and March paid 60% of it, when February is owed 60%, then it gets what is left."""
    terms = _TERMS.replace("clawback = true", "clawback = false").replace('percent = "10"', 'percent = "15"')
    _under(desk, terms + _ROLLING)
    desk.window("february", "EMEA", "2022-02-14T00:00:00Z", "2022-02-14T01:00:00Z")
    _issue(desk, "2022-02", "2022-03")
    # What March was paid leaves more than February is owed, so it is no matter to it.
    assert _restated(desk, 1)["assessments"] == []
    desk.window("more", "EMEA", "2022-02-20T00:00:00Z", "2022-02-20T03:00:00Z")
    found = _restated(desk, 1)
    (line,) = [one for one in found["lines"] if one["subscription"] == "aurora-emea"]
    assert (line["as_issued"], line["as_now"], line["amount"]) == ("630.00", "1680.00", "1050.00")
    assert line["causes"] == ["incident/mail-1 v4", "statement/main v2"]
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    # March rests on that document now, and keeps what it was paid; nothing else moves.
    assert (_restated(desk, 2)["lines"], _restated(desk, 2)["causes"]) == ([], ["statement/main v3"])
    assert _restated(desk, 1)["assessments"] == []
    paid = 0
    for number in ("1", "2", "3"):
        assert "comes out the same" in desk.ok("credits", "show", number, "--recompute")
        lines = json.loads(desk.ok("credits", "show", number, "--json"))["details"]["lines"]
        paid += sum(
            int(one["amount"].replace(".", "")) for one in lines if one["subscription"] == "aurora-emea"
        )
    assert paid == 420_000


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 1_500)), max_size=20),
)
def test_no_run_of_months_is_paid_more_than_its_limit(months: int, owed: list[tuple[int, int]]) -> None:
    """Given 1000 in so many months, in whatever order months come to be owed more and nothing is taken back, it is kept."""
    paid = dict.fromkeys(range(8), 0)
    for month, due in owed:
        others = [
            Earlier(month - one, paid[one], "EUR", f"statement/main v{one + 1}")
            for one in paid
            if one != month
        ]
        most = counted_most("s", "EUR", others, months)
        assert most.amount >= counted("s", "EUR", others, months).amount
        paid[month] = max(paid[month], min(due, 1_000 - most.amount))
        assert all(
            sum(paid[at] for at in range(end - months + 1, end + 1) if at in paid) <= 1_000
            for end in range(8)
        )


def _gold(desk: Desk, *customers: str, more: tuple[str, ...] = ()) -> None:
    desk.file("gold.csv", "customer\n" + "".join(f"{one}\n" for one in customers))
    desk.ok("cohort", "publish", "gold", "gold.csv", "--actor", "f", *more)


def test_a_cohort_that_was_there_before_the_document_is_no_cause(desk: Desk) -> None:
    """Given a cohort published twice, then a window limited to it after the issue is the one cause; a third version is one again."""
    _under(desk, _TERMS)
    _gold(desk, "Aurora Rail", "Baltic Timber")
    _gold(desk, "Aurora Rail")
    _issue(desk, "2022-03")
    desk.window("second", "EMEA", "2022-03-20T00:00:00Z", "2022-03-20T02:00:00Z", "--cohort", "gold")
    assert _causes(_restated(desk, 1)) == {"aurora-emea": ["incident/mail-1 v3"]}
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    _gold(desk, "Baltic Timber")
    assert _causes(_restated(desk, 1)) == {
        "aurora-emea": ["cohort/gold v3"],
        "baltic-emea": ["cohort/gold v3"],
    }


def test_a_cohort_that_is_at_hand_only_now_is_the_cause(desk: Desk) -> None:
    """Given a cohort whose file was away when the month was issued, then its entry is what made the difference."""
    _under(desk, _TERMS)
    _gold(desk, "Aurora Rail", more=("--by-location",))
    desk.window("second", "EMEA", "2022-03-20T00:00:00Z", "2022-03-20T02:00:00Z", "--cohort", "gold")
    away = (desk.folder / "gold.csv").rename(desk.folder / "away.csv")
    desk.ok(
        "credits", "issue", "--period", "2022-03", "--actor", "f", "--undecided", "least", "--provisional"
    )
    away.rename(desk.folder / "gold.csv")
    assert _causes(_restated(desk, 1)) == {"aurora-emea": ["cohort/gold v1"]}
