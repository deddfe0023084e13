"""Issuing, restating and proving through the command line, on both databases: what is refused, found and shown."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ledger.cli import main
from ledger.cli.session import Session
from ledger.domain.instants import micros, parse_instant
from ledger.proof.document_proof import parse_document
from ledger.proof.errors import ProofError
from ledger.proof.note import key_of, verify_note
from ledger.store.location import open_log
from tests.finance.desk import CUSTOMERS, POLICY, Desk
from tools.terms import terms_2


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(request.getfixturevalue(f"{request.param}_url"), tmp_path)


def _lines(found: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    return {one["subscription"]: (one["as_issued"], one["as_now"], one["amount"]) for one in found["lines"]}


def test_open_facts_are_refused_unless_it_is_said_how_they_count(desk: Desk) -> None:
    desk.window("second", "NAM", "2022-03-31T23:50:00Z", None)
    said = desk.refused("credits", "issue", "--period", "2022-03", "--actor", "f")
    assert said == (
        "ledger: email in NAM under standard is provisional: a window is still open, or it is not known who is in a cohort "
        "(incident/mail-1 v3, policy/standard v1); wait until it is known, or issue with --provisional to count it as it stands"
    )
    found = desk.issue("--provisional")
    assert found["rests_on"]["provisional"] is True
    assert [(one["currency"], one["amount"]) for one in found["totals"]] == [
        ("EUR", "455.00"),
        ("USD", "0.00"),
    ]


def test_undecided_amounts_are_refused_unless_an_end_is_chosen(desk: Desk) -> None:
    # From 0.072% to 0.15% of March: on either side of 99.9%.
    desk.window(
        "second", "NAM", "2022-03-15T00:00:00Z", "2022-03-15T00:50:00Z", "--end-within-seconds", "1200"
    )
    said = desk.refused("credits", "issue", "--period", "2022-03", "--actor", "f")
    assert said.startswith(
        "ledger: subscription 'aurora-nam' is credited from 0.00 to 180.05 USD, as the facts do not decide it"
    )
    found = desk.issue("--undecided", "most")
    assert found["rests_on"]["undecided"] == "most"
    assert [one["amount"] for one in found["totals"]] == ["455.00", "1455.05"]
    # What is decided later is adjusted; until then it counts as it was chosen.
    assert desk.restate()["lines"] == []
    desk.ok("window", "revise", "mail-1", "second", "--actor", "o", "--end", "2022-03-15T00:40:00Z", "--clear", "end_within_seconds",
            "--reason", "measured")  # fmt: skip
    assert _lines(desk.restate()) == {
        "aurora-nam": ("180.05", "0.00", "0.00"),
        "cedar-nam": ("1275.00", "0.00", "0.00"),
    }


def test_a_month_that_is_not_over_is_refused(desk: Desk) -> None:
    assert desk.refused("credits", "issue", "--period", "2022-04", "--actor", "f") == (
        "ledger: period '2022-04' is not over everywhere (2022-04-02 09:00 UTC), so its downtime may still grow; wait, or issue "
        "with --provisional to count it as it stands"
    )


@pytest.mark.parametrize("more", [(), ("--provisional",)])
def test_a_month_that_has_not_begun_is_refused_whatever_was_chosen(desk: Desk, more: tuple[str, ...]) -> None:
    assert desk.refused("credits", "issue", "--period", "2031-07", "--actor", "f", *more) == (
        "ledger: period '2031-07' has not begun (it is 2022-04), so no service was given in it; choose a month that is over"
    )


def test_tables_published_again_are_restated_whole_and_blamed_where_they_made_the_difference(
    desk: Desk,
) -> None:
    """Given a statement, when one fee changes, one customer goes and one comes, then three lines change for that reason."""
    desk.issue()
    changed = CUSTOMERS.replace("4200.00", "4300.00").replace(
        "Baltic Timber,baltic-emea,email,EMEA,standard,EUR,349.99,2021-06-01,\n", ""
    )
    desk.file("customers.csv", changed + "Dune Optics,dune-emea,email,EMEA,standard,EUR,100.00,2021-01-01,\n")
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    found = desk.restate()
    assert found["whole"] is True
    assert _lines(found) == {
        "aurora-emea": ("420.00", "430.00", "10.00"),
        "baltic-emea": ("35.00", "0.00", "0.00"),
        "dune-emea": ("0.00", "10.00", "10.00"),
    }
    assert [one["causes"] for one in found["lines"]] == [["subscriptions/customers v2"]] * 3
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert desk.restate()["assessments"] == []
    assert "comes out the same: 5 lines of the 2 documents up to it" in desk.ok(
        "credits", "show", "2", "--recompute"
    )
    # Brought back, the line counts from what was issued of it.
    desk.file("customers.csv", CUSTOMERS)
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    assert _lines(desk.restate()) == {
        "aurora-emea": ("430.00", "420.00", "0.00"),
        "baltic-emea": ("35.00", "35.00", "0.00"),
        "dune-emea": ("10.00", "0.00", "0.00"),
    }


def test_a_subscription_in_another_currency_cannot_be_subtracted(desk: Desk) -> None:
    desk.issue()
    desk.file("customers.csv", CUSTOMERS.replace("EUR,4200.00", "USD,4200.00"))
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    assert desk.refused("credits", "restate", "1") == (
        "ledger: subscription 'aurora-emea' was credited in EUR and is billed in USD now, which cannot be subtracted; correct "
        "the currency, or give it another name"
    )


def test_another_policy_in_force_is_restated_and_named(desk: Desk) -> None:
    desk.issue()
    desk.file(
        "standard.toml",
        POLICY.replace('credit_percent = "10"', 'credit_percent = "20"').replace("2021-01-01", "2022-01-01"),
    )
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")
    found = desk.restate()
    assert _lines(found)["aurora-emea"] == ("420.00", "840.00", "420.00")
    assert found["causes"] == ["policy/standard v2"]


def test_an_incident_that_is_withdrawn_is_the_cause(desk: Desk) -> None:
    desk.issue()
    desk.ok("incident", "withdraw", "mail-1", "--actor", "o", "--reason", "it was a drill")
    found = desk.restate()
    assert _lines(found) == {
        "aurora-emea": ("420.00", "0.00", "0.00"),
        "baltic-emea": ("35.00", "0.00", "0.00"),
    }
    assert found["causes"] == ["incident/mail-1 v3"]
    assert [one["waived"] for one in found["lines"]] == ["-420.00", "-35.00"]


def test_only_the_lines_that_a_revision_reaches_are_computed(desk: Desk) -> None:
    desk.issue()
    desk.window("second", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T10:00:00Z")
    found = desk.restate()
    assert (found["whole"], found["lines_computed"]) == (False, 2)
    assert _lines(found) == _lines(desk.restate("--whole"))
    assert desk.restate("--whole")["lines_computed"] == 4


def test_what_is_restated_was_known_before_is_refused(desk: Desk) -> None:
    desk.issue()
    assert desk.refused("credits", "restate", "1", "--recorded-by", "@2") == (
        "ledger: position @2 is before @4, which number 1 rests on; restate from what is known now"
    )
    assert desk.refused("credits", "restate", "2") == (
        "ledger: number 2 is no document of series 'main', which has 1 (2022-03); see ledger credits list"
    )
    assert "name either the number" in desk.refused("credits", "restate", code=2)
    assert "--issue records who says so" in desk.refused("credits", "restate", "1", "--issue", code=2)


def test_a_retry_answers_the_first_receipt(desk: Desk) -> None:
    """Given a statement and an adjustment with keys, when both are asked for again, then nothing is recorded."""
    first = desk.issue("--idempotency-key", "k1")
    desk.window("second", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T10:00:00Z")
    words = ("credits", "restate", "1", "--issue", "--actor", "f", "--idempotency-key", "k2", "--json")
    second = json.loads(desk.ok(*words))
    size = desk.head().size
    assert json.loads(desk.ok("credits", "issue", "--period", "2022-03", "--actor", "f", "--idempotency-key", "k1", "--json")) == {
        **first["receipt"], "replayed": True,
    }  # fmt: skip
    assert json.loads(desk.ok(*words)) == {**second["receipt"], "replayed": True}
    assert "already stands" in desk.refused(
        "credits", "issue", "--period", "2022-03", "--actor", "g", "--idempotency-key", "k1"
    )
    assert desk.head().size == size


def test_a_document_is_issued_by_a_line_that_names_its_lines(desk: Desk) -> None:
    """Given the lines of a statement in a file, when an action names it by path, then digest, root and totals follow from it."""
    digest = desk.issue()["lines_sha256"]
    with closing(open_log(desk.url, writable=False)) as log:
        content, size = log.content(digest), log.head().size
        root = log.root_at(size).hex()
    assert content is not None
    desk.file("lines.jsonl", content.decode())
    action = {
        "action": "issue-statement", "statement": "by-hand", "actor": "f", "period": "2022-02", "path": "lines.jsonl",
        "decided_on": "2022-04-02", "accounting_date": "2022-02-28",
        "rests_on": {"position": size, "root": root, "as_of": "2022-04-02T00:00:00Z", "calculator": "1",
                     "sources": [{"stream": "incident/mail-1", "version": 2}]},
    }  # fmt: skip
    desk.file("issue.jsonl", json.dumps(action) + "\n")
    desk.ok("append", "issue.jsonl")
    found = json.loads(desk.ok("credits", "list", "--series", "by-hand", "--json"))
    assert (found["lines_sha256"], [one["amount"] for one in found["totals"]]) == (digest, ["455.00", "0.00"])
    assert desk.run("verify").exit_code == 0
    desk.file("lines.jsonl", content.decode().replace('"amount":"35.00"', '"amount":"36.00"'))
    desk.file(
        "issue.jsonl", json.dumps({**action, "period": "2022-01", "totals": found["totals"][:1]}) + "\n"
    )
    assert "line" in desk.refused("append", "issue.jsonl")


def test_two_issuers_at_once_get_one_number_each(desk: Desk) -> None:
    """Given eight months, when eight issue one each at the same time, then the numbers are 1 to 8."""
    results: list[Result] = []
    months = [f"2021-{month:02}" for month in range(5, 13)]

    def work(month: str) -> None:

        session = Session(lambda: micros(parse_instant(desk.now)))
        words = ["--ledger", desk.url, "credits", "issue", "--period", month, "--actor", "f", "--json"]
        # Not through the runner, which exchanges the standard output of the whole process.
        try:
            main.main(words, standalone_mode=False, obj=session)
        except SystemExit as stopped:  # pragma: no cover  # told by the assertion below
            results.append(stopped)  # type: ignore[arg-type]

    threads = [threading.Thread(target=work, args=(month,)) for month in months]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == []
    rows = [json.loads(line) for line in desk.ok("credits", "list", "--json").splitlines()]
    assert [row["number"] for row in rows] == list(range(1, 9))
    assert sorted(row["period"] for row in rows) == months
    assert desk.run("verify").exit_code == 0


def test_of_two_who_restate_at_once_one_is_told_to_restate_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.cli import restating

    desk.issue()
    desk.window("second", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T10:00:00Z")
    propose = restating.propose

    def slowly(*given: Any, **named: Any) -> Any:
        made = propose(*given, **named)
        monkeypatch.setattr(restating, "propose", propose)
        desk.ok("credits", "restate", "1", "--issue", "--actor", "other")
        return made

    monkeypatch.setattr(restating, "propose", slowly)
    result = desk.run("credits", "restate", "1", "--issue", "--actor", "f")
    assert result.exit_code == 1
    assert result.stderr.strip() == (
        "ledger: follows 1 is not the last document about number 1, which is 2; restate again, so that no difference is booked "
        "twice"
    )


def test_a_changed_calculator_is_named_as_such(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a statement of one calculator, when the next one rounds otherwise, then each line that differs says so."""
    from projections import calculator, drafts

    was = calculator.CALCULATOR
    new = f"calculator {int(was) + 1} (was {was})"

    desk.issue()
    made = drafts.draft

    def otherwise(*given: Any, **named: Any) -> Any:
        found = made(*given, **named)
        found.lines["amount"] += (found.lines["subscription"] == "baltic-emea").astype("int64")
        return found

    monkeypatch.setattr(calculator, "CALCULATOR", str(int(was) + 1))
    monkeypatch.setattr(drafts, "draft", otherwise)
    result = desk.run("credits", "show", "1", "--recompute")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "number 1 does not come out the same: 1 of 4 lines differ",
        "baltic-emea  issued as 35.00, now 35.01 EUR: its amount differs, and what it rests on does not (the calculator has "
        f"changed since, from version {was})",
    ]
    found = desk.restate()
    assert (found["whole"], found["causes"], _lines(found)) == (
        True,
        [],
        {"baltic-emea": ("35.00", "35.01", "0.01")},
    )
    said = desk.ok("credits", "restate", "1")
    assert f"because of {new}\n" in said
    assert said.count(new) == 2
    # Revisions that cancel each other out are not why.
    for end in ("19:00", "20:00"):
        desk.revise("first", f"2022-03-14T{end}:00Z", reason="r")
    again = desk.restate()
    assert (again["lines"][0]["causes"], again["totals"]) == ([], found["totals"])
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    result = desk.run("credits", "show", "1", "--recompute")
    assert "what it rests on does not (the calculator has changed since" in result.stdout


def test_what_an_earlier_calculator_decided_and_this_one_does_not_is_a_difference(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a statement of a calculator that took what was perhaps excluded for excluded, when it is computed again."""
    from projections import calculator
    from projections.evaluation import exclusions

    desk.file(
        "excluding.toml", terms_2("standard", excluded=["planned-maintenance"], in_force_from="2021-02-01")
    )
    desk.ok("policy", "publish", "excluding.toml", "--actor", "f")
    desk.ok("sla", "exclude", "work", "--actor", "o", "--kind", "planned-maintenance", "--service", "email", "--component", "*",
            "--region", "*", "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T20:00:00Z", "--cohort", "beta",
            "--approved-by", "m", "--evidence", "e")  # fmt: skip
    with monkeypatch.context() as before:
        before.setattr(calculator, "CALCULATOR", "1")
        before.setattr(exclusions, "_concerned", lambda one, evidence: True)
        desk.issue()
    result = desk.run("credits", "show", "1", "--recompute")
    assert result.exit_code == 1
    assert "(the calculator has changed since, from version 1)" in result.stdout
    assert "comes out as None" in result.stdout


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_what_is_not_at_hand_cannot_be_computed_again(desk: Desk, harm: str) -> None:
    """Given a table that stayed where it was, when it is changed or gone, then the answer is exit code 3."""
    desk.file(
        "elsewhere.csv",
        CUSTOMERS.replace("aurora", "dune").replace("baltic", "fjord").replace("cedar", "gorge"),
    )
    desk.ok("subscriptions", "publish", "elsewhere", "elsewhere.csv", "--actor", "f", "--by-location")
    desk.issue("--subscriptions", "elsewhere")
    assert "comes out the same" in desk.ok("credits", "show", "1", "--recompute")
    path = desk.folder / "elsewhere.csv"
    if harm == "gone":
        path.unlink()
    else:
        path.write_text(CUSTOMERS)
    result = desk.run("credits", "show", "1", "--recompute")
    assert result.exit_code == 3, result.output
    assert (
        "cannot be read" if harm == "gone" else "an input of the document is not at hand"
    ) in result.stderr


def _overwritten(url: str, digest: str, content: bytes) -> None:
    """Write other lines under a digest, past the guards of the database."""
    if url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
            for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.execute("UPDATE ledger_content SET bytes = ? WHERE sha256 = ?", (content, digest))
        return
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE ledger_content DISABLE TRIGGER ALL")
        connection.execute("UPDATE ledger_content SET bytes = %s WHERE sha256 = %s", (content, digest))


def _removed(url: str) -> None:
    """Take all kept content away, the guards of the database being gone."""
    import sqlite3

    import psycopg

    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
            raw.execute("DELETE FROM ledger_content")
        return
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM ledger_content")


def test_verify_finds_lines_that_were_altered_and_documents_that_contradict_themselves(desk: Desk) -> None:
    desk.issue()
    digest = json.loads(desk.ok("credits", "list", "--json"))["lines_sha256"]
    log = open_log(desk.url)
    content = log.content(digest)
    log.close()
    assert content is not None
    _overwritten(desk.url, digest, content.replace(b"420.00", b"920.00", 1))
    found = json.loads(desk.run("verify", "--json").stdout)
    assert [one["kind"] for one in found["problems"]] == ["content-differs"]
    assert "altered" in desk.run("credits", "show", "1").stderr
    assert desk.run("credits", "prove", "1", "--customer", "Aurora Rail").exit_code == 1
    assert desk.run("credits", "show", "1").exit_code == 1
    assert desk.run("credits", "show", "1", "--recompute").exit_code == 1
    _overwritten(desk.url, digest, b"")
    assert desk.run("credits", "show", "1").exit_code == 1
    _removed(desk.url)
    assert desk.run("credits", "show", "1").exit_code == 3
    assert desk.run("credits", "show", "1", "--recompute").exit_code == 3


_FAULTS: list[tuple[str, Any, str, str]] = [
    ("number", lambda data: {**data, "number": 7}, "document-number", "statement/main has number 7 where 1 comes next"),
    ("root", lambda data: {**data, "rests_on": {**data["rests_on"], "root": "0" * 64}}, "document-basis", "it rests on the root"),
    ("later", lambda data: {**data, "rests_on": {**data["rests_on"], "position": 5}}, "document-basis", "it rests on 5 entries"),
    ("lines", lambda data: {**data, "lines": {**data["lines"], "root": "1" * 64}}, "document-lines", "its lines hash to the root"),
    ("count", lambda data: {**data, "lines": {**data["lines"], "assessments": 1}}, "document-lines", "it says 5 lines, 6 are kept"),
    ("totals", lambda data: {**data, "totals": data["totals"][:1]}, "document-totals", "its lines add up to 455.00 EUR"),
    ("nothing", lambda data: {**data, "lines": 3}, "document-unreadable", "the document cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "instead", "kind", "detail"), _FAULTS, ids=[fault[0] for fault in _FAULTS])
def test_verify_finds_documents_that_no_rule_would_have_let_in(
    desk: Desk, name: str, instead: Any, kind: str, detail: str
) -> None:
    """Given a document that was sealed past the rules, then what it says wrongly is named."""
    from ledger.store.entry import NewEntry, split_entry

    desk.issue()
    log = open_log(desk.url)
    genuine = log.stream("statement/main")[0]
    digest = json.loads(split_entry(genuine.entry))["lines"]["sha256"]
    content = log.content(digest)
    log.close()
    other = Desk.__new__(Desk)
    other.url, other.folder, other.now = f"sqlite:///{desk.folder / f'{name}.db'}", desk.folder, desk.now
    other.ok("init")
    for word in ("one", "two", "three", "four"):
        other.ok("incident", "open", word, "--actor", "o", "--title", "t", "--status", "investigating")
    forged = open_log(other.url)
    data = json.loads(split_entry(genuine.entry))
    data["rests_on"]["root"] = forged.root_at(4).hex()
    made = json.dumps(instead(data), sort_keys=True, separators=(",", ":")).encode()
    assert content is not None
    forged.append(
        [NewEntry("statement/main", 1, "statement.issued", made, genuine.texts, None)],
        clock_micros=micros(parse_instant(desk.now)), contents=[(digest, content)],
    )  # fmt: skip
    forged.close()
    found = [
        one
        for one in json.loads(other.run("verify", "--json").stdout)["problems"]
        if one["kind"].startswith("document")
    ]
    assert kind in [one["kind"] for one in found]
    assert any(one["detail"].startswith(detail) for one in found), found


def test_a_proof_shows_one_customer_and_no_other(desk: Desk) -> None:
    desk.ok("key", "new", "main", "--actor", "f", "--key-file", "main.key")
    vkey = desk.ok("key", "show").strip()
    desk.issue()
    desk.ok(
        "credits", "prove", "1", "--customer", "Aurora Rail", "--key-file", "main.key", "-o", "aurora.proof"
    )
    found = json.loads(desk.ok("verify-proof", "aurora.proof", "--key", vkey, "--json"))
    assert [(one["subscription"], one["amount"], one["assessment"]["region"]) for one in found["lines"]] == [
        ("aurora-emea", "420.00", "EMEA"),
        ("aurora-nam", "0.00", "NAM"),
    ]
    assert (found["document"], found["number"], found["period"]) == ("statement", 1, "2022-03")
    content = (desk.folder / "aurora.proof").read_bytes()
    proof = parse_document(content)
    shown = b"".join(leaf.content for leaf in proof.leaves) + proof.entry
    assert b"Baltic" not in shown
    assert b"Cedar" not in shown
    # An adjustment is proven in the same way.
    desk.window("second", "NAM", "2022-03-15T02:30:00Z", "2022-03-15T10:00:00Z")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    desk.ok(
        "credits", "prove", "2", "--customer", "Aurora Rail", "--key-file", "main.key", "-o", "second.proof"
    )
    again = json.loads(desk.ok("verify-proof", "second.proof", "--key", vkey, "--json"))
    assert [(one["as_issued"], one["amount"], one["assessment"]["causes"]) for one in again["lines"]] == [
        ("0.00", "180.05", ["incident/mail-1 v3"])
    ]
    assert "leave out --entry" in desk.run("verify-proof", "aurora.proof", "--leaf", "00").stderr


def test_no_byte_of_a_proof_can_be_changed(desk: Desk) -> None:
    """Every byte changed, every line left out, doubled or exchanged: nothing but ProofError, and never another line."""
    desk.ok("key", "new", "main", "--actor", "f", "--key-file", "main.key")
    key = key_of(desk.ok("key", "show").strip())
    desk.issue()
    desk.ok(
        "credits", "prove", "1", "--customer", "Baltic Timber", "--key-file", "main.key", "-o", "baltic.proof"
    )
    content = (desk.folder / "baltic.proof").read_bytes()
    said = parse_document(content).check()
    mutants = [
        content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
        for at in range(len(content))
        for flip in (1, 128)
    ]
    lines = content.split(b"\n")
    for at in range(len(lines)):
        mutants.append(b"\n".join([*lines[:at], *lines[at + 1 :]]))
        mutants.append(b"\n".join([*lines[:at], lines[at], *lines[at:]]))
        if at:
            mutants.append(b"\n".join([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]]))
    mutants += [content[:at] for at in range(0, len(content), 7)]
    survivors = []
    for mutant in mutants:
        try:
            proof = parse_document(mutant)
            shown = proof.check()
            if proof.inclusion.note is None or not verify_note(proof.inclusion.note, [key]):
                continue  # nobody vouches for it, and verify-proof says so
        except ProofError:
            continue
        if mutant != content:
            survivors.append(mutant)
            assert shown == said
    # The same signature twice says nothing else; no other change goes unnoticed.
    assert survivors == [content + content.split(b"\n")[-2] + b"\n"]


_REQUEST = terms_2(
    "standard", title="On request", excluded=("force-majeure", "customer"), more="clawback = true\n"
)
_STEPS = _REQUEST.replace(
    '[[tiers]]\navailability_below = "99.9"\ncredit_percent = "10"\n',
    '[[tiers]]\navailability_at_least = "99"\navailability_below = "99.9"\ncredit_percent = "10"\n'
    '[[tiers]]\navailability_below = "99"\ncredit_percent = "25"\n',
)
_ASKED = '[claim]\nhow = "on-request"\nwithin = "5 business-days"\nanchor = "incident-end"\n'


def _under(desk: Desk, terms: str) -> None:
    desk.file("standard.toml", terms)
    desk.ok("policy", "publish", "standard.toml", "--actor", "f")


def test_what_is_paid_on_request_is_issued_once_a_claim_was_granted(desk: Desk) -> None:
    """Given terms on request, when a claim is granted after the month was issued, then its customer's lines are adjusted."""
    _under(desk, _REQUEST + _ASKED)
    said = desk.run("credits", "compute", "--period", "2022-03").stderr
    assert said.startswith(
        "note: credits under standard are paid on request only, and are shown whether they were claimed"
    )
    assert [one["amount"] for one in desk.issue()["totals"]] == ["0.00", "0.00"]
    desk.ok("sla", "claim", "aurora", "--actor", "s", "--customer", "Aurora Rail", "--period", "2022-03", "--at", "2022-03-20T00:00Z",
            "--incident", "mail-1")  # fmt: skip
    assert desk.restate()["lines"] == []
    desk.ok("sla", "decide-claim", "aurora", "--actor", "f", "--decision", "granted", "--reason", "in time")
    found = desk.restate()
    assert (_lines(found), found["causes"]) == (
        {"aurora-emea": ("0.00", "420.00", "420.00")},
        ["claim/aurora v1", "claim/aurora v2"],
    )
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")
    # Whose claim it was can be erased; then nobody can compute it again.
    position = json.loads(desk.ok("log", "claim/aurora", "--json").splitlines()[0])["position"]
    desk.ok("redact", f"@{position}", "--actor", "d", "--field", "customer", "--reason", "asked for")
    result = desk.run("credits", "show", "2", "--recompute")
    assert (result.exit_code, result.stderr.strip()) == (
        3, "ledger: an input of the document is not at hand: the customer of claim/aurora v1 was erased",
    )  # fmt: skip


def test_what_a_claim_paid_whose_customer_was_erased_is_warned_of(desk: Desk) -> None:
    """Given a claim that was paid and its customer erased, then restating warns of it; one that is filed anew keeps the credit."""
    _under(desk, _REQUEST + _ASKED)
    words = ("--actor", "s", "--customer", "Aurora Rail", "--period", "2022-03", "--at", "2022-03-20T00:00Z")
    granted = ("--actor", "f", "--decision", "granted", "--reason", "in time")
    desk.ok("sla", "claim", "aurora", *words)
    position = json.loads(desk.ok("log", "claim/aurora", "--json"))["position"]
    desk.ok("sla", "decide-claim", "aurora", *granted)
    desk.issue()
    assert desk.run("credits", "restate", "1").stderr == ""
    desk.ok("redact", f"@{position}", "--actor", "d", "--field", "customer", "--reason", "asked for")
    result = desk.run("credits", "restate", "1", "--json")
    (line,) = json.loads(result.stdout)["lines"]
    assert (line["as_issued"], line["as_now"], line["causes"]) == ("420.00", "0.00", ["claim/aurora v3"])
    assert result.stderr == (
        "warning: the customer of aurora was erased, so what was granted counts for nobody and its lines are restated as unclaimed; "
        "where the credit is to stay, file the claim anew and grant it first\n"
    )
    desk.ok("sla", "claim", "anew", *words)
    desk.ok("sla", "decide-claim", "anew", *granted)
    assert desk.restate()["lines"] == []


def test_a_claim_of_a_customer_without_subscription_is_warned_of(desk: Desk) -> None:
    words = ("--actor", "s", "--period", "2022-03", "--at", "2022-03-20T00:00:00Z", "--customer")
    assert desk.run("sla", "claim", "one", *words, "Aurora Rail").stderr == ""
    result = desk.run("sla", "claim", "two", *words, "Aurora Rial")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "warning: no table of subscriptions knows customer 'Aurora Rial' (did you mean 'Aurora Rail'?); a claim"
    )


@pytest.mark.parametrize("each", [(), ("--each",)])
def test_claims_of_a_batch_are_warned_of_as_well(desk: Desk, each: tuple[str, ...]) -> None:
    """Given claims as JSON lines, then each customer nobody knows is named once, also of those before a bad line."""
    claim = {"action": "claim", "actor": "s", "period": "2022-03", "at": "2022-03-20T00:00:00Z"}
    lines = [
        {**claim, "claim": f"c-{at}", "customer": name}
        for at, name in enumerate(["Aurora Rail", "Aurora Rial", "Nobody", "Aurora Rial"])
    ]
    desk.file("claims.jsonl", "".join(json.dumps(one) + "\n" for one in lines))
    result = desk.run("append", "claims.jsonl", *each)
    assert result.exit_code == 0
    assert [line.partition(";")[0] for line in result.stderr.splitlines()] == [
        "warning: no table of subscriptions knows customer 'Aurora Rial' (did you mean 'Aurora Rail'?)",
        "warning: no table of subscriptions knows customer 'Nobody'",
    ]
    bad = [{**claim, "claim": "d-1", "customer": "Nobody Else"}, {"action": "claim"}]
    desk.file("claims.jsonl", "".join(json.dumps(one) + "\n" for one in bad))
    result = desk.run("append", "claims.jsonl", *each)
    assert result.exit_code == 1
    assert ("warning: no table of subscriptions knows customer 'Nobody Else'" in result.stderr) is bool(each)


def test_a_claim_for_one_incident_pays_for_that_one_only(desk: Desk) -> None:
    """Given two outages under terms on request, when one is claimed and then the other, then each pays what it made."""
    _under(desk, _STEPS + _ASKED)
    desk.ok("incident", "open", "mail-2", "--actor", "o", "--title", "t", "--status", "investigating", "--service", "email",
            "--component", "flow", "--region", "EMEA")  # fmt: skip
    desk.ok("window", "add", "mail-2", "w", "--actor", "o", "--service", "email", "--component", "flow", "--region", "EMEA",
            "--start", "2022-03-20T00:00:00Z", "--end", "2022-03-21T00:00:00Z", "--effect", "outage")  # fmt: skip

    def grant(claim: str, incident: str) -> None:
        desk.ok(
            "sla",
            "claim",
            claim,
            "--actor",
            "s",
            "--customer",
            "Aurora Rail",
            "--period",
            "2022-03",
            "--at",
            "2022-03-25T00:00:00Z",
            "--incident",
            incident,
        )
        desk.ok("sla", "decide-claim", claim, "--actor", "f", "--decision", "granted", "--reason", "in time")

    grant("later", "mail-1")
    desk.issue()
    lines = json.loads(desk.ok("credits", "show", "1", "--json"))["details"]["lines"]
    aurora = next(one for one in lines if one["subscription"] == "aurora-emea")
    # Four hours are worth 10%, and 28 hours are worth 25%.
    assert (aurora["amount"], aurora["unclaimed"], aurora["claim"]) == ("420.00", "630.00", "claim/later v2")
    assert "comes out the same" in desk.ok("credits", "show", "1", "--recompute")
    assert desk.restate()["lines"] == []
    grant("first", "mail-2")
    found = desk.restate()
    assert (_lines(found), found["causes"]) == (
        {"aurora-emea": ("420.00", "1050.00", "630.00")},
        ["claim/first v1", "claim/first v2"],
    )
    assert [one["claim"] for one in found["lines"]] == ["claim/first v2, claim/later v2"]
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")


def test_an_exclusion_restates_what_it_touches_and_may_take_back(desk: Desk) -> None:
    """Given terms that take back, when a storm is excluded, then what it covered is no longer credited, for that reason."""
    _under(desk, _REQUEST)
    desk.issue()
    desk.ok("sla", "exclude", "storm", "--actor", "o", "--kind", "force-majeure", "--service", "email", "--component", "*", "--region",
            "EMEA", "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T19:50:00Z", "--approved-by", "b", "--evidence", "e",
            "--customer", "Baltic Timber")  # fmt: skip
    found = desk.restate()
    assert (_lines(found), found["causes"]) == (
        {"baltic-emea": ("35.00", "0.00", "-35.00")},
        ["exclusion/storm v1"],
    )
    assert [one["memo"] for one in found["lines"]] == ["debit memo"]
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    desk.ok("sla", "withdraw-exclusion", "storm", "--actor", "o", "--reason", "it was elsewhere")
    found = desk.restate()
    assert (_lines(found), found["causes"]) == (
        {"baltic-emea": ("0.00", "35.00", "35.00")},
        ["exclusion/storm v2"],
    )


def test_what_was_issued_in_the_months_before_counts_towards_a_limit_over_several(desk: Desk) -> None:
    """Given at most 15% of a fee in two months, when February was credited with 10%, then March is with 5%."""
    _under(desk, _REQUEST + '[limits]\nrolling_percent = "15"\nrolling_months = 2\n')
    desk.window("before", "EMEA", "2022-02-14T16:00:00Z", "2022-02-14T20:00:00Z")
    desk.ok("credits", "issue", "--period", "2022-02", "--actor", "f")
    found = desk.issue()
    assert [one["amount"] for one in found["totals"]] == ["227.50", "0.00"]
    assert {"stream": "statement/main", "version": 1} in found["rests_on"]["sources"]
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")
    # February is taken back: March may have all of it.
    desk.ok("window", "withdraw", "mail-1", "before", "--actor", "o", "--reason", "it never was")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    again = json.loads(desk.ok("credits", "restate", "2", "--json"))
    assert _lines(again)["aurora-emea"] == ("210.00", "420.00", "210.00")
    assert "statement/main v3" in again["causes"]


_CAPPED = (
    _REQUEST.replace('credit_percent = "10"', 'credit_percent = "60"') + '[limits]\nrolling_percent = "100"\n'
)


def _computed(desk: Desk, period: str, *more: str) -> dict[str, tuple[str, list[str]]]:
    """Return by subscription the credit and the documents that its row rests on."""
    rows = json.loads(desk.ok("credits", "compute", "--period", period, "--json", *more))["rows"]
    return {
        row["subscription"]: (row["credit"], [one for one in row["entries"] if one.startswith("statement/")])
        for row in rows
    }


@pytest.mark.parametrize(
    ("over", "month", "paid"),
    [
        # December lies in the year before; the contracts began in January, too.
        ("calendar-year", "2021-12", "2520.00"),
        ("calendar-year", "2022-01", "1680.00"),
        ("contract-year", "2021-12", "2520.00"),
        ("contract-year", "2022-01", "1680.00"),
    ],
)
def test_a_cap_over_a_year_begins_anew_with_it(desk: Desk, over: str, month: str, paid: str) -> None:
    """Given at most one fee in a year, when two months owe 60% each, then the second pays what is left of its year."""
    _under(desk, _CAPPED + f'rolling_over = "{over}"\n')
    desk.window("before", "EMEA", f"{month}-14T16:00:00Z", f"{month}-14T20:00:00Z")
    desk.ok("credits", "issue", "--period", month, "--actor", "f")
    said = ["statement/main v1"] if month == "2022-01" else []
    assert _computed(desk, "2022-03")["aurora-emea"] == (paid, said)
    found = desk.issue()
    assert (
        found["totals"][0]["amount"]
        == json.loads(desk.ok("credits", "show", "2", "--json"))["totals"][0]["amount"]
    )
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")


def test_a_cap_over_twelve_months_is_reached_across_two_and_names_the_statement(desk: Desk) -> None:
    """Given at most one fee in twelve months, when two months owe 60% each, then the second pays the 40% that are left."""
    _under(desk, _CAPPED)
    desk.window("before", "EMEA", "2022-02-14T16:00:00Z", "2022-02-14T20:00:00Z")
    assert _computed(desk, "2022-03")["aurora-emea"] == ("2520.00", [])
    desk.ok("credits", "issue", "--period", "2022-02", "--actor", "f", "--series", "north")
    made = _computed(desk, "2022-03")
    assert made["aurora-emea"] == ("1680.00", ["statement/north v1"])
    # Where nothing was credited before, nothing of it is evidence.
    assert made["aurora-nam"] == ("0.00", [])
    desk.ok("credits", "export", "--period", "2022-03", "-o", str(desk.folder / "rows") + ".csv")
    line = next(one for one in (desk.folder / "rows.csv").read_text().splitlines() if "aurora-emea" in one)
    assert "1680.00" in line
    assert "statement/north v1" in line
    found = desk.issue()
    assert [one["amount"] for one in found["totals"]] == ["1820.00", "0.00"]
    shown = json.loads(desk.ok("credits", "show", "1", "--json"))["details"]["assessments"]
    assert [one["entries"][-1] for one in shown if one["region"] == "EMEA"] == ["statement/north v1"]
    assert "comes out the same: 4 lines" in desk.ok("credits", "show", "1", "--recompute")
    # In April both months count: of the fee nothing is left. A year after February, what it was credited is free again.
    desk.now = "2023-03-05T09:00:00Z"
    for name, day in (("april", "2022-04-14"), ("next", "2023-02-14")):
        desk.window(name, "EMEA", f"{day}T16:00:00Z", f"{day}T20:00:00Z")
    assert _computed(desk, "2022-04")["aurora-emea"] == ("0.00", ["statement/main v1", "statement/north v1"])
    assert _computed(desk, "2023-02")["aurora-emea"] == ("2520.00", ["statement/main v1"])
    # Half of the fee was given back to the limit: an adjustment is what said it last.
    desk.ok("window", "withdraw", "mail-1", "before", "--actor", "o", "--reason", "it never was")
    desk.ok("credits", "restate", "1", "--series", "north", "--issue", "--actor", "f")
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert _computed(desk, "2022-04")["aurora-emea"] == ("1680.00", ["statement/main v2"])
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")


def test_what_was_credited_in_another_currency_is_refused_where_it_would_count(desk: Desk) -> None:
    _under(desk, _CAPPED)
    desk.window("before", "EMEA", "2022-02-14T16:00:00Z", "2022-02-14T20:00:00Z")
    desk.ok("credits", "issue", "--period", "2022-02", "--actor", "f")
    desk.file("customers.csv", CUSTOMERS.replace("standard,EUR,4200.00", "standard,USD,4200.00"))
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    assert desk.refused("credits", "compute", "--period", "2022-03") == (
        "ledger: subscription 'aurora-emea' is billed in USD, and statement/main v1 credited 2520.00 EUR within the 12 months of "
        "its limit, which cannot be added up; correct the currency, or name the subscription anew"
    )


def test_what_was_corrected_in_a_window_is_evidence_of_its_rows(desk: Desk) -> None:
    """Given a window whose end was wrong, when it is corrected, then rows name the correction; taken back, its withdrawal."""

    def evidence() -> tuple[int, list[str]]:
        rows = json.loads(desk.ok("credits", "compute", "--period", "2022-03", "--json"))["rows"]
        row = next(one for one in rows if one["subscription"] == "aurora-emea")
        return row["downtime_seconds"], [one for one in row["entries"] if one.startswith("incident/")]

    def correct(version: str, kind: str, field: str) -> None:
        desk.ok("incident", "correct", "mail-1", "--actor", "o", "--corrects", version, "--kind", kind, "--set", field, "--reason", "r")  # fmt: skip

    desk.ok("incident", "update", "mail-1", "--actor", "o", "--body", "We are loking.")
    assert evidence() == (14_400, ["incident/mail-1 v2"])
    correct("v3", "editorial", "body=We are looking.")
    assert evidence() == (14_400, ["incident/mail-1 v2"])
    correct("v2", "correction", "end=2022-03-14T19:00:00Z")
    assert evidence() == (10_800, ["incident/mail-1 v2", "incident/mail-1 v5"])
    desk.ok("incident", "withdraw-update", "mail-1", "--actor", "o", "--corrects", "v5", "--reason", "r")
    assert evidence() == (14_400, ["incident/mail-1 v2", "incident/mail-1 v6"])


def test_a_run_says_who_is_not_due_and_when(desk: Desk) -> None:
    """Given a policy per quarter, when February is run, then its subscriptions are counted: they are due with March."""
    quarterly = _REQUEST.replace('"standard"', '"quarterly"').replace("calendar-month", "calendar-quarter")
    desk.file("quarterly.toml", quarterly)
    desk.ok("policy", "publish", "quarterly.toml", "--actor", "f")
    rows = "".join(
        f"Delta Dairy,{name},email,EMEA,quarterly,EUR,100.00,{since},{until}\n"
        for name, since, until in (("delta-1", "2021-01-01", ""), ("delta-2", "2022-03-31", ""),
                                   ("delta-3", "2021-01-01", "2022-01-01"), ("delta-4", "2022-04-01", ""))
    )  # fmt: skip
    desk.file("customers.csv", CUSTOMERS + rows)
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    said = "note: subscriptions without a row in 2022-02: 2 under quarterly, whose period 2022-Q1 ends in 2022-03\n"
    late = [{"policy": "quarterly", "period": "2022-Q1", "ends_in": "2022-03", "subscriptions": 2}]
    made = desk.run("credits", "compute", "--period", "2022-02", "--json")
    assert (json.loads(made.stdout)["not_due"], made.stderr) == (late, said)
    for name in ("rows.csv", "book.xlsx"):
        made = desk.run("credits", "export", "--period", "2022-02", "--json", "-o", str(desk.folder / name))
        assert (json.loads(made.stdout)["not_due"], made.stderr) == (late, said)
    assert desk.run("credits", "issue", "--period", "2022-02", "--actor", "f").stderr == said
    nothing = "nothing was recorded; --issue records it\n"
    for words in ((), ("--whole",)):
        assert desk.run("credits", "restate", "1", *words).stderr.removesuffix(nothing) == said
    made = desk.run("credits", "compute", "--period", "2022-03", "--json")
    assert (json.loads(made.stdout)["not_due"], made.stderr) == ([], "")


def test_terms_that_ruled_no_line_and_do_now_restate_the_month(desk: Desk) -> None:
    """Given a policy per quarter that is per month from its second version on, then February is restated for its subscription."""
    monthly = _REQUEST.replace('"standard"', '"other"')
    desk.file("other.toml", monthly.replace("calendar-month", "calendar-quarter"))
    desk.ok("policy", "publish", "other.toml", "--actor", "f")
    desk.file("customers.csv", CUSTOMERS + "Delta Dairy,delta,email,EMEA,other,EUR,100.00,2021-01-01,\n")
    desk.ok("subscriptions", "publish", "customers", "customers.csv", "--actor", "f")
    desk.window("second", "EMEA", "2022-02-14T16:00:00Z", "2022-02-14T20:00:00Z")
    desk.ok("credits", "issue", "--period", "2022-02", "--actor", "f")
    # Terms that no table names move nothing, and nothing is looked at.
    desk.file("unused.toml", _REQUEST.replace('"standard"', '"unused"'))
    desk.ok("policy", "publish", "unused.toml", "--actor", "f")
    found = desk.restate()
    assert (found["whole"], found["lines_computed"], found["lines"]) == (False, 0, [])
    desk.file("other.toml", monthly)
    desk.ok("policy", "publish", "other.toml", "--actor", "f")
    for more in ((), ("--whole",)):
        (line,) = desk.restate(*more)["lines"]
        assert (line["subscription"], line["as_issued"], line["as_now"]) == ("delta", "0.00", "10.00")
        assert line["causes"] == ["policy/other v2"]
    desk.ok("credits", "restate", "1", "--issue", "--actor", "f")
    assert desk.restate()["assessments"] == []
    assert "comes out the same" in desk.ok("credits", "show", "2", "--recompute")


def test_a_month_in_which_no_period_ends_is_refused_with_the_month_that_is_meant(desk: Desk) -> None:
    """Given subscriptions under quarterly terms alone, when February is issued, then it is said that March is meant."""
    _under(desk, _REQUEST.replace("calendar-month", "calendar-quarter"))
    assert desk.refused("credits", "issue", "--period", "2022-02", "--actor", "f") == (
        "ledger: no period of a policy ends in 2022-02, so there is nothing to issue: 4 under standard, whose period 2022-Q1 ends "
        "in 2022-03; issue the month in which it ends"
    )


@pytest.mark.parametrize("words", [("issue", "--period", "2022-13"), ("issue", "--period", "2022-00")])
def test_what_is_no_month_is_said_to_be_none(desk: Desk, words: tuple[str, ...]) -> None:
    assert f"period '{words[-1]}' is not a month" in desk.refused("credits", *words, "--actor", "f")


@pytest.mark.parametrize(
    ("month", "sentence"),
    [("0000-01", "is not in the calendar"), ("1969-12", "lies outside the years 1970 to 9998")],
)
def test_books_are_of_years_there_are(desk: Desk, month: str, sentence: str) -> None:
    assert f"period '{month}' {sentence}" in desk.refused("period", "close", month, "--actor", "f")


def test_of_a_long_series_only_the_last_documents_are_named(desk: Desk) -> None:
    for month in range(3, 10):
        desk.now = f"2022-{month + 1:02}-02T09:00:00Z"
        desk.ok("credits", "issue", "--period", f"2022-{month:02}", "--actor", "f")
    assert desk.refused("credits", "show", "8") == (
        "ledger: number 8 is no document of series 'main', which has 7, the last of them 3 (2022-05), 4 (2022-06), 5 (2022-07), "
        "6 (2022-08), 7 (2022-09); see ledger credits list"
    )


def test_a_table_that_no_document_credits_is_named(desk: Desk) -> None:
    """Given a table published after the statement, then restating and issuing again say that no document will ever credit it."""
    desk.issue()
    head = CUSTOMERS.splitlines()[0]
    rows = "Delta Dairy,delta,email,EMEA,standard,EUR,100.00,2021-01-01,{until}\n"
    desk.file("late.csv", f"{head}\n{rows.format(until='2022-03-01')}")
    desk.ok("subscriptions", "publish", "late", "late.csv", "--actor", "f")
    said = (
        "note: subscriptions/late is in no document for 2022-03, and has 1 subscription for it; a statement stays with its tables, so "
        "issue this one in a series of its own: ledger credits issue --period 2022-03 --series NAME --subscriptions late\n"
    )
    # Its one subscription ended before the month.
    assert desk.run("credits", "restate", "1").stderr == ""
    desk.file("late.csv", f"{head}\n{rows.format(until='2022-03-02')}")
    desk.ok("subscriptions", "publish", "late", "late.csv", "--actor", "f")
    assert desk.run("credits", "restate", "1").stderr == said
    assert desk.refused("credits", "issue", "--period", "2022-03", "--actor", "f").startswith(said)
    assert desk.run("credits", "restate", "1", "--recorded-by", "@6").stderr == ""
    desk.issue("--series", "late", "--subscriptions", "late")
    assert desk.run("credits", "restate", "1").stderr == ""
