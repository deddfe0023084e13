"""Facts that are still open: what a policy says of its own lines, what who issues says of the others, and what stays refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.finance.desk import Desk
from tools.terms import terms_2

_CUSTOMERS = """customer,subscription,service,region,policy,currency,fee,valid_from,valid_to
Aurora Rail,least,mail,EMEA,least,EUR,100.00,2021-01-01,
Aurora Rail,most,mail,EMEA,most,EUR,100.00,2021-01-01,
Baltic Timber,silent,mail,EMEA,silent,EUR,100.00,2021-01-01,
Baltic Timber,elsewhere,mail,NAM,silent,EUR,100.00,2021-01-01,
"""
_SAYS = {
    "least": '[facts]\nundecided = "least"\nprovisional = "as-they-stand"\n',
    "most": '[facts]\nundecided = "most"\n',
    "silent": "",
}


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Any:
    """Three policies over one service, and 40 to 60 minutes of March that are down in EMEA: on either side of 44.64."""
    found = Desk(sqlite_url, tmp_path)
    for key, facts in _SAYS.items():
        found.file(f"{key}.toml", terms_2(key, more="clawback = true\n" + facts))
        found.ok("policy", "publish", f"{key}.toml", "--actor", "f")
    found.file("mail.csv", _CUSTOMERS)
    found.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    found.ok("incident", "open", "mail-2", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
             "--component", "flow", "--region", "EMEA", "--region", "NAM")  # fmt: skip
    _window(
        found,
        "about",
        "EMEA",
        "--start",
        "2022-03-20T10:00:00Z",
        "--end",
        "2022-03-20T10:40:00Z",
        "--end-within-seconds",
        "1200",
    )
    return found


def _window(desk: Desk, name: str, region: str, *more: str) -> None:
    desk.ok("window", "add", "mail-2", name, "--actor", "o", "--service", "mail", "--component", "flow", "--region", region,
            "--effect", "outage", *more)  # fmt: skip


def _issue(desk: Desk, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.issue("--subscriptions", "mail", *more)
    return found


def _lines(desk: Desk, number: int) -> dict[str, tuple[str, str | None]]:
    shown = json.loads(desk.ok("credits", "show", str(number), "--json"))
    return {one["subscription"]: (one["amount"], one.get("undecided")) for one in shown["details"]["lines"]}


def test_each_policy_speaks_for_its_own_lines_and_who_issues_for_the_rest(desk: Desk) -> None:
    """Given three policies, then only the one that says nothing is refused, and the choice for it changes no other line."""
    assert desk.refused(
        "credits", "issue", "--period", "2022-03", "--subscriptions", "mail", "--actor", "f"
    ) == (
        "ledger: subscription 'silent' is credited from 0.00 to 10.00 EUR, as the facts do not decide it; wait until it is known, "
        "or issue with --undecided least or most"
    )
    rests = _issue(desk, "--undecided", "most")["rests_on"]
    assert (rests["undecided"], rests["provisional"]) == ("most", False)
    assert rests["policies_say"] == [
        {"stream": "policy/least", "version": 1, "undecided": "least"},
        {"stream": "policy/most", "version": 1, "undecided": "most"},
    ]
    assert _lines(desk, 1) == {
        "least": ("0.00", "least"), "most": ("10.00", "most"), "silent": ("10.00", "most"), "elsewhere": ("0.00", None),
    }  # fmt: skip
    assert "comes out the same: 4 lines" in desk.ok("credits", "show", "1", "--recompute")


def test_once_it_is_decided_each_line_is_adjusted_to_what_is_right(desk: Desk) -> None:
    """Given the lines as they were taken, when 42 minutes turn out to be right, then what was too much is taken back."""
    _issue(desk, "--undecided", "most")
    desk.ok("window", "revise", "mail-2", "about", "--actor", "o", "--end", "2022-03-20T10:42:00Z", "--clear", "end_within_seconds",
            "--reason", "measured")  # fmt: skip
    found = desk.restate()
    assert {one["subscription"]: (one["amount"], one.get("undecided")) for one in found["lines"]} == {
        "most": ("-10.00", None), "silent": ("-10.00", None),
    }  # fmt: skip
    adjustment = json.loads(desk.ok("credits", "restate", "1", "--issue", "--actor", "f", "--json"))
    assert adjustment["rests_on"]["policies_say"] == rests_of(desk, 1)["policies_say"]
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")
    assert desk.restate("--whole")["assessments"] == []


def rests_of(desk: Desk, number: int) -> dict[str, Any]:
    """What a document rests on."""
    rows = [json.loads(line) for line in desk.ok("credits", "list", "--json").splitlines()]
    found: dict[str, Any] = rows[number - 1]["rests_on"]
    return found


def test_an_adjustment_of_other_lines_keeps_the_choice(desk: Desk) -> None:
    """Given lines that were chosen, when a window elsewhere restates other lines, then the document can be computed again."""
    _issue(desk, "--undecided", "most")
    _window(desk, "later", "NAM", "--start", "2022-03-21T10:00:00Z", "--end", "2022-03-21T12:00:00Z")
    assert [one["subscription"] for one in desk.restate()["lines"]] == ["elsewhere"]
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert rests_of(desk, 2)["undecided"] == "most"
    assert rests_of(desk, 2)["policies_say"] == rests_of(desk, 1)["policies_say"]
    assert "comes out the same: 4 lines" in desk.ok("credits", "show", "2", "--recompute")


def test_lines_that_were_not_looked_at_keep_the_choice(desk: Desk) -> None:
    """Given format 1, where only one region is looked at, then the choice for the lines of the other one stays in the document."""
    desk.window(
        "second", "NAM", "2022-03-15T00:00:00Z", "2022-03-15T00:50:00Z", "--end-within-seconds", "1200"
    )
    desk.issue("--subscriptions", "customers", "--undecided", "most")
    desk.window("third", "EMEA", "2022-03-21T10:00:00Z", "2022-03-22T12:00:00Z")
    found = desk.restate()
    assert (found["whole"], found["lines_computed"]) == (False, 2)
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert rests_of(desk, 2)["undecided"] == "most"
    assert "comes out the same: 4 lines" in desk.ok("credits", "show", "2", "--recompute")


def test_an_open_window_counts_as_it_stands_where_the_policy_says_so(desk: Desk) -> None:
    """Given a window without an end, then the policies that do not say it are named, and the one that does is not."""
    _window(desk, "open", "EMEA", "--start", "2022-03-31T22:00:00Z")
    said = desk.refused("credits", "issue", "--period", "2022-03", "--subscriptions", "mail", "--actor", "f")
    assert said.count("is provisional") == 2
    assert "under most is provisional" in said
    assert "under silent is provisional" in said
    rests = _issue(desk, "--provisional")["rests_on"]
    assert rests["provisional"] is True
    assert rests["policies_say"] == [{"stream": "policy/least", "version": 1, "provisional": True}]


def test_a_choice_that_no_line_needed_is_not_in_the_document(desk: Desk) -> None:
    """Given policies that speak for themselves, when who issues chooses all the same, then only what they say stands there."""
    desk.file("mail.csv", "\n".join(_CUSTOMERS.splitlines()[:2]) + "\n")
    desk.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    _window(desk, "open", "EMEA", "--start", "2022-03-31T23:58:00Z")
    rests = _issue(desk, "--undecided", "most", "--provisional")["rests_on"]
    assert (rests["undecided"], rests["provisional"]) == (None, False)
    assert rests["policies_say"] == [
        {"stream": "policy/least", "version": 1, "undecided": "least", "provisional": True}
    ]
    assert _lines(desk, 1) == {"least": ("0.00", "least")}
    assert "comes out the same" in desk.ok("credits", "show", "1", "--recompute")


def test_no_policy_lets_a_month_be_issued_before_it_is_over(desk: Desk) -> None:
    desk.file("mail.csv", "\n".join(_CUSTOMERS.splitlines()[:2]) + "\n")
    desk.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    words = ("credits", "issue", "--period", "2022-04", "--subscriptions", "mail", "--actor", "f")
    assert "is not over everywhere" in desk.refused(*words)
    assert _issue(desk, "--idempotency-key", "k")["rests_on"]["undecided"] is None


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ('undecided = "lest"', "facts.undecided 'lest' is not known (did you mean 'least'?); write one of refused, least, most"),
        ("provisional = true", "facts.provisional true is not text; put it in quotes"),
        ('open = "as-they-stand"', "facts.open is not a field of a policy; known are undecided, provisional"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_refused(desk: Desk, facts: str, sentence: str) -> None:
    desk.file("wrong.toml", terms_2("wrong", more=f"clawback = true\n[facts]\n{facts}\n"))
    assert desk.refused("policy", "publish", "wrong.toml", "--actor", "f") == f"ledger: {sentence}"


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ([{"stream": "incident/mail-1", "version": 1, "undecided": "least"}],
         "'incident/mail-1' is not the stream of a policy; write it like policy/gold"),
        ([{"stream": "policy/gold", "version": 1}], "policy/gold v1 says neither undecided nor provisional; leave it out"),
        ([{"stream": "policy/gold", "version": 0, "provisional": True}], "policy/gold version 0"),
        ([{"stream": "policy/gold", "version": 1, "provisional": True}] * 2,
         "lists 'policy/gold' twice with one version; name it once"),
        ([{"stream": "policy/gold", "version": 3, "provisional": True}],
         "policies_say names policy/gold v3, which sources do not; add it there"),
        ([{"stream": "policy/free", "version": 1, "provisional": True}],
         "policies_say names policy/free v1, which sources do not; add it there"),
    ],
)  # fmt: skip
def test_a_document_cannot_say_nonsense_of_policies(says: Any, sentence: str) -> None:
    from ledger.domain.actions import parse_action
    from ledger.errors import Refused

    action = {
        "action": "issue-statement", "statement": "main", "actor": "f", "period": "2022-03", "decided_on": "2022-04-01",
        "accounting_date": "2022-03-31", "totals": [],
        "lines": {"sha256": "a" * 64, "root": "b" * 64, "assessments": 0, "lines": 0},
        "rests_on": {"position": 1, "root": "c" * 64, "as_of": "2022-04-01T00:00:00Z", "calculator": "1",
                     "sources": [{"stream": "policy/gold", "version": 2}],
                     "policies_say": says},
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        parse_action(action)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("key", "window", "said"),
    [
        ("least", "2022-03-20T10:00:00Z/2022-03-20T10:40:00Z,end_within_seconds=1200",
         ["until that is decided, the least is what the policy lets be issued: 0.00 EUR"]),
        ("most", "2022-03-20T10:00:00Z/2022-03-20T10:40:00Z,end_within_seconds=1200",
         ["until that is decided, the most is what the policy lets be issued: 10.00 EUR"]),
        ("silent", "2022-03-20T10:00:00Z/2022-03-20T10:40:00Z,end_within_seconds=1200", []),
        ("least", "2022-03-20T10:00:00Z/2022-03-20T12:00:00Z", []),
        ("least", "2022-03-20T10:00:00Z", ["the policy lets it be issued as it stands, though it is provisional"]),
    ],
)  # fmt: skip
def test_what_would_be_issued_is_said_with_any_answer(
    desk: Desk, key: str, window: str, said: list[str]
) -> None:
    """Given a question to a policy, when its facts are open, then why says what the policy lets be issued."""
    found = json.loads(
        desk.ok("sla", "evaluate", "--policy", f"{key}.toml", "--period", "2022-03", "--window", window, "--as-of",
                "2022-04-02T00:00:00Z", "--fee", "100.00", "--currency", "EUR", "--json")
    )  # fmt: skip
    assert [line for line in found["why"] if "issued" in line] == said
