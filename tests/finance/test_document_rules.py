"""What may be excluded, claimed, issued and closed: every refusal is a whole sentence, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from ledger.application import BatchRefused, IncidentLedger
from ledger.domain.actions import parse_action
from ledger.domain.claims import ERASED, claim_of, exclusion_of
from ledger.domain.documents import accounting_date, documents_of
from ledger.domain.events import Commitment
from ledger.domain.instants import micros, parse_instant
from ledger.errors import Refused
from ledger.store.lines import lines_of
from ledger.store.stream import read_stream

_SUBSCRIPTIONS = (
    "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
    "Acme,s-1,email,EMEA,email-standard,EUR,1200.00,2021-01-01,\n"
)
_SALT = "00112233445566778899aabbccddeeff"
Step = tuple[str, str, dict[str, Any]]


class Books:
    """A ledger with one incident and one table of subscriptions, at a time that tests set."""

    def __init__(self, url: str) -> None:
        self.now = "2022-04-02T09:00:00Z"
        self.ledger = IncidentLedger(url, clock=lambda: micros(parse_instant(self.now)))
        self.ledger.create("ledger-books")
        self.ledger.record(
            "open",
            "email-1",
            actor="ops",
            title="t",
            status="investigating",
            services=["email"],
            regions=["EMEA"],
        )
        table = {"sha256": _digest(_SUBSCRIPTIONS), "format": "csv", "rows": 1}
        self.append("publish-subscriptions", "customers", {"table": table}, content=_SUBSCRIPTIONS.encode())

    def append(self, verb: str, key: str, fields: dict[str, Any], *, content: bytes | None = None) -> Any:
        return self.ledger.append([self.action(verb, key, fields, content=content)])[0]

    def action(self, verb: str, key: str, fields: dict[str, Any], *, content: bytes | None = None) -> Any:
        from ledger.domain.actions import kind_of

        given = {"action": verb, kind_of(verb): key, "actor": "finance", **fields}
        return parse_action(given, content=content)

    def document(self, **instead: Any) -> tuple[dict[str, Any], bytes]:
        """Return the fields of a document that is right as the ledger stands, but for what is named `instead`."""
        content = instead.pop("content", None) or lines("120.00")
        found, totals, _ = lines_of(content)
        size = self.ledger.sealed.head().size
        rests = {
            "position": size, "root": self.ledger.sealed.root_at(size).hex(), "as_of": "2022-04-02T00:00:00Z",
            "calculator": "1",
            "sources": [{"stream": "incident/email-1", "version": 1}, {"stream": "subscriptions/customers", "version": 1}],
            **instead.pop("rests_on", {}),
        }  # fmt: skip
        fields = {
            "period": "2022-03", "decided_on": "2022-04-02", "accounting_date": "2022-03-31", "rests_on": rests,
            "lines": msgspec.to_builtins(found), "totals": msgspec.to_builtins(totals), **instead,
        }  # fmt: skip
        return fields, content

    def issue(self, series: str = "main", **instead: Any) -> Any:
        fields, content = self.document(**instead)
        return self.append("issue-statement", series, fields, content=content)

    def adjust(self, series: str = "main", **instead: Any) -> Any:
        causes = [{"stream": "incident/email-1", "version": 1}]
        given = {"adjusts": 1, "follows": 1, "causes": causes, "content": lines("10.00"), **instead}
        fields, content = self.document(**given)
        return self.append("issue-adjustment", series, fields, content=content)


def _digest(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def lines(amount: str, *, size: int | None = None, **more: Any) -> bytes:
    """Return the text of one assessment with one line of money."""
    line = json.dumps({"line": {"assessment": 0, "currency": "EUR", "amount": amount, **more}, "salt": _SALT})
    length = len(line.encode()) + 1 if size is None else size
    return (
        json.dumps({"assessment": {"lines": 1, "bytes": length}, "salt": _SALT}) + "\n" + line + "\n"
    ).encode()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    found = Books(request.getfixturevalue(f"{request.param}_url"))
    yield found
    found.ledger.close()


_EXCLUSION = {
    "kind": "force-majeure", "service": "email", "component": "*", "region": "EMEA", "start": "2022-03-14T16:00:00Z",
    "end": "2022-03-14T17:00:00Z", "approved_by": "board", "evidence": "report",
}  # fmt: skip
_CLAIM = {"customer": "Acme", "period": "2022-03", "at": "2022-04-01T08:00:00Z"}
_RECORDED: Step = ("exclude", "storm", _EXCLUSION)
_FILED: Step = ("claim", "acme", _CLAIM)
_CLOSED: Step = ("close-period", "2022-03", {})

_REFUSED: list[tuple[list[Step], Step, str]] = [
    ([], ("exclude", "storm", {**_EXCLUSION, "end": "2022-03-14T16:00:00Z"}),
     "end 2022-03-14T16:00:00.000000Z is not after start 2022-03-14T16:00:00.000000Z; an exclusion is [start, end)"),
    ([], ("exclude", "storm", {**_EXCLUSION, "region": "unknown"}),
     "region 'unknown' excludes nothing that can be named; name one, or write '*' for all"),
    ([], ("exclude", "storm", {**_EXCLUSION, "customer": "Acme", "cohort": "pilot"}),
     "customer and cohort are both given; an exclusion concerns one customer, one cohort or everybody"),
    ([], ("exclude", "storm", {**_EXCLUSION, "announced_at": "2022-05-01T00:00:00Z"}),
     "announced_at 2022-05-01T00:00:00.000000Z is after the statement itself (2022-04-02T09:00:00.000000Z); say it when it "
     "has happened"),
    ([], ("exclude", "storm", {**_EXCLUSION, "internal": True}),
     "internal does not fit exclude: an exclusion is no notice; leave it out"),
    ([], ("withdraw-exclusion", "storm", {"reason": "x"}), "exclusion 'storm' does not exist; record it first"),
    ([_RECORDED, ("withdraw-exclusion", "storm", {"reason": "x"})], ("withdraw-exclusion", "storm", {"reason": "x"}),
     "exclusion 'storm' is already withdrawn"),
    ([_RECORDED], ("exclude", "storm", {**_EXCLUSION, "region": "*"}),
     "reason is missing: exclusion 'storm' was recorded before, so say why it is recorded again"),
    ([_RECORDED], ("exclude", "storm", {**_EXCLUSION, "reason": "x"}),
     "exclusion 'storm' already says all this; nothing would change"),
    ([_FILED], _FILED, "claim 'acme' was already filed (v1); decide or withdraw it, or file another one"),
    ([], ("claim", "acme", {**_CLAIM, "at": "2022-04-03T00:00:00Z"}),
     "at 2022-04-03T00:00:00.000000Z is after the statement itself (2022-04-02T09:00:00.000000Z); say it when it has happened"),
    ([], ("claim", "acme", {**_CLAIM, "incidents": ["email-2"]}),
     "incidents 'email-2' is no incident of this ledger (did you mean 'email-1'?); open it first, or name another one"),
    ([], ("claim", "acme", {**_CLAIM, "incidents": ["email-1", "email-1"]}),
     "incidents lists 'email-1' twice; list each incident once"),
    ([], ("claim", "acme", {**_CLAIM, "customer": " Acme"}), "customer ' Acme' starts or ends with a space; take it out"),
    ([], ("claim", "acme", {**_CLAIM, "period": "March"}), "period 'March' is not a period; write it like 2022-03"),
    ([], ("decide-claim", "acme", {"decision": "granted", "reason": "x"}), "claim 'acme' does not exist; file it first"),
    ([_FILED], ("decide-claim", "acme", {"decision": "granted", "reason": "x", "at": "2022-03-31T00:00:00Z"}),
     "at 2022-03-31T00:00:00.000000Z is before the claim arrived (2022-04-01T08:00:00.000000Z); correct the time"),
    ([_FILED], ("decide-claim", "acme", {"decision": "granted", "reason": "x", "at": "2022-04-03T00:00:00Z"}),
     "at 2022-04-03T00:00:00.000000Z is after the statement itself (2022-04-02T09:00:00.000002Z); say it when it has happened"),
    ([_FILED, ("withdraw-claim", "acme", {"reason": "x"})], ("decide-claim", "acme", {"decision": "refused", "reason": "x"}),
     "claim 'acme' was withdrawn; nothing more happens to it, so file another one"),
    ([], ("close-period", "2022-04", {}),
     "period '2022-04' is not over (it is 2022-04-02T09:00:00.000000Z); close it when it is"),
    ([], ("close-period", "2022-q1", {}), "period '2022-q1' is not a month; books are kept by month, such as 2022-03"),
    ([_CLOSED], _CLOSED, "period '2022-03' is already closed"),
    ([], ("reopen-period", "2022-03", {"reason": "x"}), "period '2022-03' is not closed, so there is nothing to reopen"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "when", "sentence"), _REFUSED)
def test_what_is_out_of_order_is_refused(books: Books, given: list[Step], when: Step, sentence: str) -> None:
    for step in given:
        books.append(*step)
    before = books.ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        books.append(*when)
    assert str(refused.value) == sentence
    assert books.ledger.sealed.head() == before


_UNISSUED: list[tuple[dict[str, Any], str]] = [
    ({"number": 2}, "number 2 is not the next one of series 'main', which is 1; leave it out to take the next one"),
    ({"decided_on": "2022-04-04"},
     "decided_on 2022-04-04 is in the future (it is 2022-04-02T09:00:00.000000Z); say it when it is decided"),
    ({"decided_on": "2022-03-30"},
     "decided_on 2022-03-30 is before 2022-03-31, on which period '2022-03' ends; give the day on which it was decided"),
    ({"accounting_date": "2022-02-28"},
     "accounting_date 2022-02-28 is before period '2022-03', in which the service was given; take a date in the earliest open "
     "month from there on"),
    ({"accounting_date": "2099-01-01"},
     "accounting_date 2099-01-01 lies in 2099-01, which has not begun; take a date in the earliest open month"),
    ({"totals": []}, "totals count 0 lines, but the document has 1"),
    ({"totals": [{"currency": "EUR", "lines": 1, "amount": "120"}]},
     "totals.amount '120' is not written with all 2 decimals of EUR, such as -12.00"),
    ({"totals": [{"currency": "EUR", "lines": 1, "amount": "121.00"}]},
     "totals 121.00 EUR in 1 lines differ from the sum of the lines, 120.00 EUR in 1 lines"),
    ({"totals": [{"currency": "USD", "lines": 1, "amount": "120.00"}]},
     "totals 120.00 USD in 1 lines differ from the sum of the lines, 120.00 EUR in 1 lines"),
    ({"totals": [{"currency": "EUR", "lines": 1, "amount": "-120.00"}]},
     "totals EUR -120.00: a statement credits, it takes nothing back"),
    ({"service_days": {"lines": 2, "days": "1"}}, "service_days count 2 lines, but the document has 1"),
    ({"service_days": {"lines": 1, "days": "-1"}}, "service_days -1: a statement credits, it takes nothing back"),
    ({"service_days": {"lines": 1, "days": "1", "waived": "-1"}}, "service_days 1: a statement credits, it takes nothing back"),
    ({"service_days": {"lines": 1, "days": "1"}}, "service_days 1 in 1 lines differ from the sum of the lines, nothing"),
    ({"service_days": {"lines": 1, "days": "1.0"}}, "service_days '1.0' is not a number of days such as 3, 2.5 or -1"),
    ({"rests_on": {"position": 3}}, "rests_on.position 3 is beyond the ledger, which has 2 entries"),
    ({"rests_on": {"root": "0" * 64}}, "rests_on.root " + "0" * 64 + " is not the root of the first 2 entries, which is {root}"),
    ({"rests_on": {"sources": [{"stream": "incident/email-1", "version": 2}]}},
     "rests_on.sources names incident/email-1 v2, which the ledger did not hold at position 2"),
    ({"rests_on": {"sources": [{"stream": "policy/none", "version": 1}]}},
     "rests_on.sources names policy/none v1, which the ledger did not hold at position 2"),
    ({"rests_on": {"sources": [{"stream": "nothing", "version": 1}]}},
     "rests_on sources 'nothing' is not a stream; write it like incident/email-2022-03"),
    ({"content": lines("120.00", size=7)},
     "assessment 0 says 1 lines of 7 bytes, but 1 of {length} bytes rest on it"),
]  # fmt: skip


@pytest.mark.parametrize(("instead", "sentence"), _UNISSUED)
def test_a_statement_that_the_ledger_contradicts_is_refused(
    books: Books, instead: dict[str, Any], sentence: str
) -> None:
    before = books.ledger.sealed.head()
    with pytest.raises(Refused) as refused:
        books.issue(**instead)
    length = len(lines("120.00").splitlines()[1]) + 1
    assert str(refused.value) == sentence.replace("{root}", before.root.hex()).replace(
        "{length}", str(length)
    )
    assert books.ledger.sealed.head() == before


def test_a_document_takes_no_other_lines_than_its_own(books: Books) -> None:
    fields, _ = books.document()
    with pytest.raises(
        Refused, match=r"^lines\.sha256 [0-9a-f]{64} differs from [0-9a-f]{64}, which the lines have$"
    ):
        books.append("issue-statement", "main", fields, content=lines("120.00", customer="Acme"))
    with pytest.raises(
        Refused, match=r"^path is missing; give the file of the lines that the document is issued with$"
    ):
        books.append("issue-statement", "main", fields)


def test_numbers_have_no_gaps_and_count_no_erasure(books: Books) -> None:
    """Given a statement whose note was erased, when it is adjusted, then the adjustment is number 2 at version 3."""
    assert books.issue(note="Zoë said so").version == 1
    books.ledger.append([parse_action({"action": "redact", "statement": "main", "actor": "dpo", "entry": "v1",
                                       "fields": ["note"], "reason": "a name"})])  # fmt: skip
    assert books.adjust().version == 3
    documents = documents_of(
        (one.version, one.event) for one in read_stream(books.ledger.sealed, "statement/main")
    )
    assert [(one.version, one.number, one.event.number, one.statement) for one in documents] == [
        (1, 1, 1, 1),
        (3, 2, 2, 1),
    ]


def test_a_period_is_issued_once_in_a_series_and_once_for_a_table(books: Books) -> None:
    books.issue()
    with pytest.raises(Refused) as refused:
        books.issue()
    assert str(refused.value) == (
        "period '2022-03' was already issued in series 'main' as number 1; what has changed since is an adjustment: "
        "ledger credits restate"
    )
    with pytest.raises(Refused) as refused:
        books.issue("other")
    assert str(refused.value) == (
        "subscriptions/customers was already credited for 2022-03 by statement/main number 1; nothing is credited twice"
    )
    # Another period of the same table is another matter, and a second series in one batch is not.
    fields, content = books.document(period="2022-02")
    twice = [
        books.action("issue-statement", series, fields, content=content) for series in ("other", "third")
    ]
    with pytest.raises(BatchRefused, match="was already credited for 2022-02 by statement/other number 1"):
        books.ledger.append(twice)
    assert books.issue("other", period="2022-02").version == 1


_UNADJUSTED: list[tuple[dict[str, Any], str]] = [
    ({"adjusts": 3}, "adjusts 3 is not issued in series 'main'; its statements are 1"),
    ({"adjusts": 2}, "adjusts 2 is an adjustment in series 'main'; its statements are 1"),
    ({"period": "2022-02"}, "period '2022-02' differs from '2022-03' of number 1"),
    ({"follows": 1},
     "follows 1 is not the last document about number 1, which is 2; restate again, so that no difference is booked twice"),
    ({"rests_on": {"position": 1, "root": "{root1}", "sources": []}},
     "rests_on.position 1 is before 3, which number 2 rests on; restate from what is known now"),
    ({"causes": []},
     "causes is empty: nothing has changed since number 2, so there is nothing to adjust; name the entries that made the "
     "difference"),
    ({"causes": [{"stream": "incident/email-1", "version": 5}]},
     "causes names incident/email-1 v5, which the ledger did not hold at position 4"),
    ({"service_days": {"lines": 1, "days": "-1", "waived": "1"}},
     "service_days.waived 1 is above 0; it is what is not taken back"),
    ({"content": lines("10.00", as_issued="120.00", as_now="131.00")},
     "line 2 of the lines: as_issued 120.00 and amount 10.00 do not make as_now 131.00"),
]  # fmt: skip


@pytest.mark.parametrize(("instead", "sentence"), _UNADJUSTED)
def test_an_adjustment_that_does_not_go_on_from_the_last_document_is_refused(
    books: Books, instead: dict[str, Any], sentence: str
) -> None:
    books.issue()
    books.adjust()
    if "rests_on" in instead:
        instead["rests_on"]["root"] = books.ledger.sealed.root_at(1).hex()
    with pytest.raises(Refused) as refused:
        books.adjust(**{"follows": 2, **instead})
    assert str(refused.value) == sentence


def test_nothing_is_booked_in_a_closed_month(books: Books) -> None:
    books.issue()
    books.append("close-period", "2022-03", {})
    with pytest.raises(Refused) as refused:
        books.adjust()
    assert str(refused.value) == (
        "accounting_date 2022-03-31 lies in 2022-03, whose books are closed; take a date in the earliest open month, or "
        "reopen it"
    )
    books.adjust(accounting_date="2022-04-30")
    books.append("reopen-period", "2022-03", {"reason": "too early"})
    books.adjust(follows=2)


@pytest.mark.parametrize("verb", ["close-period", "issue-statement"])
def test_what_a_document_rests_on_may_not_move_on_before_it_is_sealed(books: Books, verb: str) -> None:
    """Given a statement that was decided, when its month is closed or its table credited before it is sealed, it is refused."""
    fields, content = books.document()
    appender: Any = books.ledger._appender
    seal: Callable[..., Any] = appender.store
    other = IncidentLedger(books.ledger.sealed.url, clock=appender.clock)

    def late(*arguments: Any, **named: Any) -> Any:
        appender.store = seal
        if verb == "close-period":
            other.record(verb, "2022-03", actor="finance")
        else:
            other.append([books.action(verb, "other", fields, content=content)])
        return seal(*arguments, **named)

    appender.store = late
    with pytest.raises(
        Refused, match=r"whose books are closed|was already credited for 2022-03 by statement/other"
    ):
        books.append("issue-statement", "main", fields, content=content)
    other.close()


def test_what_counts_a_month_as_it_stands_may_be_decided_before_its_end(books: Books) -> None:
    """Only if the document says so: else the day is refused, and nothing is stored."""
    with pytest.raises(
        Refused, match="decided_on 2022-03-20 is before 2022-03-31, on which period '2022-03' ends"
    ):
        books.issue(decided_on="2022-03-20")
    before = books.ledger.sealed.head().size
    receipt = books.issue(decided_on="2022-03-20", rests_on={"provisional": True})
    assert (receipt.stream, receipt.type, receipt.version) == ("statement/main", "statement.issued", 1)
    assert receipt.position == books.ledger.sealed.head().size == before + 1


def test_nothing_is_issued_for_a_month_that_has_not_begun_anywhere(books: Books) -> None:
    """It is 2 April: April may be issued as it stands, and is booked in April; May is refused, whatever was chosen."""
    provisional: dict[str, Any] = {"decided_on": "2022-04-02", "rests_on": {"provisional": True}}
    for day in ("2022-05-31", "2022-04-30"):
        with pytest.raises(Refused) as refused:
            books.issue(period="2022-05", accounting_date=day, **provisional)
        assert str(refused.value) == (
            "period '2022-05' has not begun (it is 2022-04), so no service was given in it; choose a month that is over"
        )
    books.issue(period="2022-04", accounting_date="2022-04-30", **provisional)


def test_the_accounting_date_is_the_last_day_of_the_earliest_open_month() -> None:
    assert accounting_date("2022-03-31", []) == "2022-03-31"
    assert accounting_date("2022-03-31", ["2022-02"]) == "2022-03-31"
    assert accounting_date("2022-11-30", ["2022-11", "2022-12", "2023-01"]) == "2023-02-28"
    assert accounting_date("2024-01-31", ["2024-01"]) == "2024-02-29"
    assert accounting_date("2022-11-30", ["2022-12"]) == "2022-11-30"


def test_an_exclusion_is_what_was_recorded_last(books: Books) -> None:
    books.append("exclude", "storm", {**_EXCLUSION, "customer": "Acme"})
    books.append("exclude", "storm", {**_EXCLUSION, "customer": "Acme", "region": "*", "reason": "wider"})

    def found() -> Any:
        return exclusion_of(
            "storm", ((one.version, one.event) for one in read_stream(books.ledger.sealed, "exclusion/storm"))
        )

    assert (found().region, found().end - found().start, found().customer) == ("*", 3600, "Acme")
    assert (found().entries, found().withdrawn) == (("exclusion/storm v2",), False)
    books.append("withdraw-exclusion", "storm", {"reason": "x"})
    assert (found().entries, found().withdrawn) == (("exclusion/storm v2", "exclusion/storm v3"), True)
    books.append("exclude", "storm", {**_EXCLUSION, "customer": "Acme", "reason": "it was so after all"})
    assert (found().entries, found().withdrawn) == (("exclusion/storm v4",), False)
    books.ledger.append([parse_action({"action": "redact", "exclusion": "storm", "actor": "dpo", "entry": "v4",
                                       "fields": ["customer"], "reason": "asked for"})])  # fmt: skip
    assert found().customer == ERASED


def test_a_claim_is_what_was_decided_last(books: Books) -> None:
    books.append("claim", "acme", {**_CLAIM, "incidents": ["email-1"]})
    books.append("decide-claim", "acme", {"decision": "refused", "reason": "late"})
    books.append(
        "decide-claim",
        "acme",
        {"decision": "granted", "reason": "our notice was later", "at": "2022-04-02T08:00Z"},
    )

    def found() -> Any:
        return claim_of(
            "acme", ((one.version, one.event) for one in read_stream(books.ledger.sealed, "claim/acme"))
        )

    assert (found().state, found().decided_at, found().customer) == (
        "granted",
        "2022-04-02T08:00:00.000000Z",
        "Acme",
    )
    books.ledger.append([parse_action({"action": "redact", "claim": "acme", "actor": "dpo", "entry": "v1",
                                       "fields": ["customer"], "reason": "asked for"})])  # fmt: skip
    assert isinstance(found().customer, Commitment)
    books.append("withdraw-claim", "acme", {"reason": "x"})
    assert found().state == "withdrawn"
    assert found().entries == ("claim/acme v1", "claim/acme v2", "claim/acme v3", "claim/acme v5")
