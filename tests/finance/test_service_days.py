"""Days of service on documents: issued, restated, waived, claimed, computed again and proven as money is, beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import formualizer
import msgspec
import openpyxl
import pandas as pd
import pytest

from ledger.cli.documents import days_as_json, totals_as_json
from ledger.cli.restating import _sums
from ledger.domain.documents import Document
from ledger.domain.events import StatementIssued
from ledger.errors import Refused
from ledger.store.lines import lines_of
from projections.issued import Chain
from projections.restated import _check_currency, restated
from tests.finance.days_desk import CUSTOMERS, Days
from tests.finance.memory import Series, policy_of, subscriptions_of, windows_of


@pytest.fixture
def days(sqlite_url: str, tmp_path: Path) -> Days:
    return Days(sqlite_url, tmp_path)


def test_days_are_issued_on_lines_and_added_up(days: Days) -> None:
    found = days.issue()
    assert found["service_days"] == {"lines": 3, "days": "6", "waived": None}
    assert days.lines(1) == {"aurora": {"": "3"}, "baltic": {"": "3"}, "cedar": {"": "0"}}
    assert json.loads(days.desk.ok("credits", "list", "--json"))["service_days"] == found["service_days"]
    assert "0.00 EUR, 0.00 USD, 6 days of service" in days.desk.ok("credits", "list")
    assert "6 days of service in 3 lines" in days.desk.ok("credits", "show", "1")
    assert "comes out the same: 3 lines" in days.desk.ok("credits", "show", "1", "--recompute")
    assert days.desk.run("verify").exit_code == 0


def test_days_that_were_too_many_are_waived_and_more_are_added(days: Days) -> None:
    """Given 3 days, when an hour less was down, then half a day is waived; when two more were, one and a half are added."""
    days.issue()
    days.until("15:00")
    found = days.desk.restate()
    assert found["service_days"] == {"lines": 2, "days": "0", "waived": "-1"}
    assert [one["memo"] for one in found["lines"]] == ["waived", "waived"]
    adjusted = days.adjust()
    assert adjusted["service_days"] == {"lines": 2, "days": "0", "waived": "-1"}
    assert (adjusted["totals"], adjusted["service_days"]) == (found["totals"], found["service_days"])
    assert days.lines(2)["aurora"] == {"": "0", "as_issued": "3", "as_now": "2.5", "waived": "-0.5"}
    assert days.desk.restate()["assessments"] == []
    days.until("18:00")
    found = days.desk.restate()
    assert [one["memo"] for one in found["lines"]] == ["credit memo", "credit memo"]
    assert found["causes"] == ["incident/mail-2 v4"]
    assert days.adjust()["service_days"] == {"lines": 2, "days": "2", "waived": None}
    assert days.lines(3)["aurora"] == {"": "1", "as_issued": "3", "as_now": "4"}
    assert "comes out the same: 3 lines" in days.desk.ok("credits", "show", "3", "--recompute")
    assert "days issued" in days.desk.ok("credits", "show", "3")
    assert days.desk.run("verify").exit_code == 0


def test_days_are_taken_back_where_the_policy_says_so(sqlite_url: str, tmp_path: Path) -> None:
    days = Days(sqlite_url, tmp_path, "clawback = true\n")
    days.issue()
    days.until("13:00")
    found = days.desk.restate()
    assert [(one["service_days"], one["memo"]) for one in found["lines"]] == [("-3", "debit memo")] * 2
    assert "-6 days of service in 2 lines" in days.desk.ok("credits", "restate", "1")
    assert days.adjust()["service_days"] == {"lines": 2, "days": "-6", "waived": None}
    # The customer goes: nothing was left to take away from the one, and the other says nothing either.
    days.desk.file("mail.csv", "\n".join([*CUSTOMERS.splitlines()[:1], *CUSTOMERS.splitlines()[2:]]) + "\n")
    days.desk.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    assert days.desk.restate()["lines"] == []


@pytest.mark.parametrize(
    ("more", "later"), [("clawback = true\n", (3, 2.5, -0.5, 0)), ("", (3, 2.5, 0, -0.5))]
)
def test_the_workbook_shows_the_days_that_changed_since_they_were_issued(
    sqlite_url: str, tmp_path: Path, more: str, later: tuple[float, ...]
) -> None:
    """Given 3 days, of which half a day proves too much, then Changes and Summary have it, before it is issued and after."""
    days = Days(sqlite_url, tmp_path, more)
    days.issue()
    days.until("15:00")
    # What was waived stays so: it is the difference between what was issued and what is right.
    settled = (2.5, 2.5, 0, 0) if more else later
    for adjusted, expected in ((False, later), (True, settled)):
        if adjusted:
            days.adjust()
        book = _exported(days, tmp_path / "c.xlsx")
        heading, *lines = book["Changes"].iter_rows(values_only=True)
        found = {line[1]: dict(zip(heading, line, strict=True)) for line in lines}
        names = ("days as issued", "days as now", "days delta", "days waived")
        assert [tuple(found[who][name] for name in names) for who in ("aurora", "baltic", "cedar")] == [
            expected, expected, (0, 0, 0, 0),
        ]  # fmt: skip
        [total] = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] == "days of service"]
        assert total[1] == 3
        assert total[3:7] == tuple(2 * one for one in expected)
        [check] = [row for row in book["Checks"].iter_rows(values_only=True) if "waived" in str(row[0]) and "days" in str(row[0])]  # fmt: skip
        assert check[1:4] == (2 * expected[1], 2 * expected[1], True)
        calculated = formualizer.recalculate_xlsx_bytes((tmp_path / "c.xlsx").read_bytes())
        assert (calculated["summary"]["errors"], calculated["cache_cells_changed"]) == (0, 0)
        live = openpyxl.load_workbook(tmp_path / "c.xlsx")["Changes"]
        assert {row[heading.index("days delta")].data_type for row in live.iter_rows(min_row=2)} == {"f"}


def _exported(days: Days, path: Path) -> Any:
    words = (
        "credits",
        "export",
        "--period",
        "2022-03",
        "--subscriptions",
        "mail",
        "--compare-issued",
        "main",
    )
    days.desk.ok(*words, "-o", str(path))
    return openpyxl.load_workbook(path, data_only=True)


def test_a_workbook_without_days_has_no_columns_for_them(days: Days, tmp_path: Path) -> None:
    days.desk.issue("--subscriptions", "customers")
    words = (
        "credits",
        "export",
        "--period",
        "2022-03",
        "--subscriptions",
        "customers",
        "--compare-issued",
        "main",
    )
    days.desk.ok(*words, "-o", str(tmp_path / "c.xlsx"))
    book = openpyxl.load_workbook(tmp_path / "c.xlsx", data_only=True)
    assert not any("days" in str(cell.value) for cell in book["Changes"][1])
    assert "days of service" not in [row[0] for row in book["Summary"].iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("more", "booked"), [("clawback = true\n", {"": "-3"}), ("", {"": "0", "waived": "-3"})]
)
def test_days_of_who_goes_and_who_comes_are_told(
    sqlite_url: str, tmp_path: Path, more: str, booked: dict[str, str]
) -> None:
    """Given days alone, when one customer leaves the table and another comes, then both lines say so."""
    days = Days(sqlite_url, tmp_path, more)
    days.issue()
    rows = [line for line in CUSTOMERS.splitlines() if not line.startswith("Aurora")]
    days.desk.file(
        "mail.csv", "\n".join([*rows, "Dune Optics,dune,mail,EMEA,days,EUR,100.00,2021-01-01,", ""])
    )
    days.desk.ok("subscriptions", "publish", "mail", "mail.csv", "--actor", "f")
    days.adjust()
    assert days.lines(2) == {
        "aurora": {**booked, "as_issued": "3", "as_now": "0"}, "dune": {"": "3", "as_issued": "0", "as_now": "3"},
    }  # fmt: skip
    assert "comes out the same" in days.desk.ok("credits", "show", "2", "--recompute")
    assert days.desk.restate()["assessments"] == []


def test_days_that_the_facts_do_not_decide_are_refused_or_chosen(days: Days) -> None:
    days.until("15:30", "--end-within-seconds", "3600")
    words = ("credits", "issue", "--period", "2022-03", "--subscriptions", "mail", "--actor", "f")
    assert days.desk.refused(*words).startswith(
        "ledger: subscription 'aurora' is credited from 2 to 3 days of service, as the facts do not decide it; wait"
    )
    assert days.issue("--undecided", "least")["service_days"]["days"] == "4"
    assert "comes out the same" in days.desk.ok("credits", "show", "1", "--recompute")


def test_days_on_request_wait_for_a_claim(sqlite_url: str, tmp_path: Path) -> None:
    """Given terms on request, then the days wait on the line, and are added once the claim of its customer is granted."""
    asked = '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "period-end"\n'
    days = Days(sqlite_url, tmp_path, asked)
    result = days.desk.run(
        "credits", "issue", "--period", "2022-03", "--actor", "f", "--subscriptions", "mail"
    )
    assert result.stderr.startswith("note: 2 lines would be credited on a claim, and none was granted")
    assert days.lines(1)["aurora"] == {"": "0", "unclaimed": "3"}
    days.desk.ok("sla", "claim", "aurora", "--actor", "s", "--customer", "Aurora Rail", "--period", "2022-03", "--at",
                 "2022-04-01T00:00Z")  # fmt: skip
    days.desk.ok(
        "sla", "decide-claim", "aurora", "--actor", "f", "--decision", "granted", "--reason", "in time"
    )
    found = days.desk.restate()
    assert [(one["subscription"], one["service_days"], one["causes"]) for one in found["lines"]] == [
        ("aurora", "3", ["claim/aurora v1", "claim/aurora v2"])
    ]
    days.adjust()
    assert "comes out the same" in days.desk.ok("credits", "show", "2", "--recompute")


def test_a_claim_for_one_incident_gives_the_days_of_that_one(sqlite_url: str, tmp_path: Path) -> None:
    asked = '[claim]\nhow = "on-request"\nwithin = "30 days"\nanchor = "period-end"\n'
    days = Days(sqlite_url, tmp_path, asked)
    days.desk.ok("incident", "open", "mail-3", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "mail",
                 "--component", "flow", "--region", "EMEA")  # fmt: skip
    days.desk.ok("window", "add", "mail-3", "w", "--actor", "o", "--service", "mail", "--component", "flow", "--region", "EMEA",
                 "--start", "2022-03-21T10:00:00Z", "--end", "2022-03-21T12:00:00Z", "--effect", "outage")  # fmt: skip
    days.desk.ok("sla", "claim", "aurora", "--actor", "s", "--customer", "Aurora Rail", "--period", "2022-03", "--at",
                 "2022-04-01T00:00Z", "--incident", "mail-2")  # fmt: skip
    days.desk.ok(
        "sla", "decide-claim", "aurora", "--actor", "f", "--decision", "granted", "--reason", "in time"
    )
    days.issue()
    assert days.lines(1) == {
        "aurora": {"": "3", "unclaimed": "1"},
        "baltic": {"": "0", "unclaimed": "4"},
        "cedar": {"": "0"},
    }


def test_a_customer_that_was_given_days_is_shown_them_in_a_proof(days: Days) -> None:
    days.issue()
    days.desk.ok("credits", "prove", "1", "--customer", "Aurora Rail", "--output", "a.proof")
    found = json.loads(days.desk.run("verify-proof", "a.proof", "--json").stdout)
    assert [one["service_days"] for one in found["lines"]] == ["3"]
    assert ", 3 days of service  (" in days.desk.run("verify-proof", "a.proof").stdout


def test_days_that_come_out_otherwise_are_named(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given another calculation of days from the same facts, then computing again names the lines and both numbers."""
    from projections import service_days

    days.issue()
    given = service_days.given
    monkeypatch.setattr(service_days, "given", lambda *of: given(*of) * 2)
    result = days.desk.run("credits", "show", "1", "--recompute", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["recomputed"]["differences"]
    assert [
        (one["subscription"], one["service_days_issued"], one["service_days_recomputed"], one["why"])
        for one in found
    ] == [
        (name, "3", "6", "its amount differs, and what it rests on does not") for name in ("aurora", "baltic")
    ]
    told = days.desk.run("credits", "show", "1", "--recompute").stdout
    assert "aurora  issued as 0.00, now 0.00 EUR and 3 days of service, now 6: its amount differs" in told


def test_verify_finds_days_that_do_not_add_up(days: Days) -> None:
    """Given lines of days and a document that says another sum, then the sum of the lines is named."""
    from ledger.proof.documents import check_documents
    from ledger.store.entry import split_entry
    from ledger.store.location import open_log

    digest = days.issue()["lines_sha256"]
    log = open_log(days.desk.url, writable=False)
    entry, content = log.stream("statement/main")[0].entry, log.content(digest)
    roots = {size: log.root_at(size) for size in range(1, log.head().size + 1)}
    log.close()
    header = json.loads(entry)["header"]

    def faults(change: Any) -> list[tuple[str, str]]:
        data = json.loads(split_entry(entry))
        change(data)
        raw = json.dumps({"data": data, "header": header}).encode()
        return [(one.kind, one.detail) for one in check_documents([raw], roots.get, lambda _: content)]

    assert faults(lambda data: None) == []
    for change in (lambda data: data["service_days"].update(days="7"), lambda data: data.pop("service_days")):
        ((kind, detail),) = faults(change)
        assert kind == "document-totals"
        assert detail.startswith("its lines add up to 6 days of service in 3 lines, it says")


def _content(line: dict[str, str]) -> bytes:
    """One assessment, and a line of money with what is said of days."""
    salt = "0" * 32
    said = {
        "assessment": 0,
        "amount": "0.00",
        "currency": "EUR",
        "customer": "c",
        "subscription": "s",
        **line,
    }
    leaf = json.dumps({"line": said, "salt": salt}) + "\n"
    return (json.dumps({"assessment": {"lines": 1, "bytes": len(leaf)}, "salt": salt}) + "\n" + leaf).encode()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"service_days": "1.50"}, "line 2: service_days '1.50' is not a number of days in its one spelling, such as 3, 2.5 or -1"),
        ({"service_days": "-0"}, "line 2: service_days '-0' is not a number of days in its one spelling, such as 3, 2.5 or -1"),
        ({"service_days": "1", "service_days_as_issued": "2", "service_days_as_now": "2.5"},
         "line 2 of the lines: service_days_as_issued 2 and service_days 1 do not make service_days_as_now 2.5"),
        ({"service_days": "0", "service_days_waived": "-1", "service_days_as_issued": "2", "service_days_as_now": "2"},
         "line 2 of the lines: service_days_as_issued 2 and service_days 0 and service_days_waived -1 do not make "
         "service_days_as_now 2"),
    ],
)  # fmt: skip
def test_lines_whose_days_contradict_themselves_are_refused(line: dict[str, str], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        lines_of(_content(line))
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "line",
    [{"service_days": "1.5", "service_days_waived": "0", "waived": "0.00"}, {"service_days": "1.5"}, {}],
)
def test_a_proposal_adds_up_as_the_document_it_would_be(line: dict[str, str]) -> None:
    """What a line says is waived is summed where any says it, be it nothing, in a proposal as in a document."""
    added = lines_of(_content(line))
    totals, days = _sums([{"currency": "EUR", "amount": "0.00", **line}])
    assert totals == totals_as_json(added.totals)
    assert days == (None if added.service_days is None else days_as_json(added.service_days))
    assert [one["waived"] for one in totals] == [line.get("waived")]


def test_more_currencies_that_changed_than_are_named_are_counted() -> None:
    """The first 20 are named; what is joined behind them is told behind them."""
    new = pd.DataFrame({"subscription": [f"s-{at}" for at in range(25)], "currency": ["USD"] * 25})
    with pytest.raises(Refused) as refused:
        _check_currency(new, pd.Series(["EUR"] * 25, dtype=object).to_numpy())
    assert (len(refused.value.problems), refused.value.told[-1]) == (20, "and 5 more of this kind")
    assert str(refused.value).endswith("; and 5 more of this kind")


def test_what_was_issued_before_lines_said_days_is_what_its_assessment_says() -> None:
    """Given a statement without days on its lines, then what it said of days stands issued, and only what changes is added."""
    series = Series(
        subscriptions_of([(100_000, "days-kept", "EUR")] * 2), windows_of([(0, "EMEA", "email", 0, 4, "outage")])
    )  # fmt: skip
    event = series.chain.statement.event
    old = _without_days(series.log.kept[event.lines.sha256])
    series.chain = Chain("main", [Document(1, 1, msgspec.structs.replace(event, lines=series.log.keep(old)))])
    assert isinstance(series.chain.statement.event, StatementIssued)
    assert series.held().lines["issued_days"].isna().all()
    assert restated(series.held(), series.draft(), policy_of).pairs == []
    whole, _ = series.restate(windows_of([(0, "EMEA", "email", 0, 6, "outage")]))
    lines = pd.concat([pair.lines for pair in whole.pairs])
    assert [str(one) for one in lines["service_days_as_issued"]] == ["2"]
    assert [str(one) for one in lines["service_days"]] == ["1"]


def _without_days(content: bytes) -> bytes:
    leaves = [msgspec.json.decode(leaf) for leaf in content.splitlines()]
    lines: dict[int, list[bytes]] = {}
    for leaf in leaves:
        if "line" in leaf:
            leaf["line"] = {
                name: value for name, value in leaf["line"].items() if not name.startswith("service_days")
            }
            lines.setdefault(leaf["line"]["assessment"], []).append(msgspec.json.encode(leaf) + b"\n")
    first = []
    for at, leaf in enumerate(leaf for leaf in leaves if "assessment" in leaf):
        leaf["assessment"]["bytes"] = sum(map(len, lines[at]))
        first.append(msgspec.json.encode(leaf) + b"\n")
    return b"".join([*first, *(one for at in sorted(lines) for one in lines[at])])
