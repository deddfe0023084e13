"""What is erased is gone from the bytes on disk, and every proof stays."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
from ledger.domain.events import Commitment, EntryCorrected
from ledger.errors import Refused, Unavailable
from ledger.store import sqlite
from ledger.store.entry import decode_texts
from ledger.store.stream import read_stream
from ledger.store.tree import Frontier, leaf_hash

_SECRET = "Anna Example, +49 30 5550199, päßwort-7f3a"


def _bytes_on_disk(url: str) -> bytes:
    """Return every byte beside and in the database file: the file itself, its write-ahead log, a journal."""
    path = Path(url.removeprefix("sqlite:///"))
    found = [one.read_bytes() for one in path.parent.iterdir() if one.name.startswith(path.name)]
    assert found
    return b"".join(found)


def _opened(url: str) -> IncidentLedger:
    ledger = IncidentLedger(url)
    ledger.create("redaction-test")
    ledger.record("open", "a", actor="ops", title="Title", status="investigating")
    return ledger


def _needles(ledger: IncidentLedger, stream: str, version: int, *paths: str) -> list[bytes]:
    texts = decode_texts(ledger.sealed.stream(stream, after=version - 1, upto=version)[0].texts)
    return [needle for path in paths for needle in (texts[path][0].encode(), bytes.fromhex(texts[path][0]), texts[path][1].encode())]  # fmt: skip


@pytest.mark.parametrize("length", [40, 3_000, 24_000])
def test_after_a_redaction_value_and_salt_are_nowhere_on_disk(sqlite_url: str, length: int) -> None:
    """Given a text of one page or many, when it is erased, then neither file nor write-ahead log holds it."""
    ledger = _opened(sqlite_url)
    body = (_SECRET + " ") * (length // len(_SECRET)) + _SECRET
    ledger.record("update", "a", actor=_SECRET, body=body, note="stays")
    ledger.record("update", "a", actor="ops", body="another")
    needles = _needles(ledger, "incident/a", 2, "actor", "body")
    kept = _needles(ledger, "incident/a", 2, "note")[0]
    before = [one.entry for one in ledger.sealed.entries()]
    root = ledger.sealed.head().root
    assert all(needle in _bytes_on_disk(sqlite_url) for needle in (_SECRET.encode(), needles[0]))

    ledger.record("redact", "a", actor="dpo", entry="v2", fields=["actor", "body"], reason="a person's data")

    # While the connection is still open: nobody closed the database to tidy up.
    disk = _bytes_on_disk(sqlite_url)
    assert [needle for needle in (*needles, _SECRET.encode()) if needle in disk] == []
    assert kept in disk
    assert [one.entry for one in ledger.sealed.entries(upto=3)] == before
    assert ledger.sealed.root_at(3) == root
    event = read_stream(ledger.sealed, "incident/a")[1].event
    assert isinstance(event.actor, Commitment)
    assert isinstance(event.body, Commitment)
    assert event.note == "stays"
    ledger.close()
    assert _SECRET.encode() not in _bytes_on_disk(sqlite_url)


def test_erasing_many_texts_leaves_none_in_a_free_or_rearranged_page(sqlite_url: str) -> None:
    """Erasing makes rows small, so the database merges pages; a copy left behind there would be found here."""
    ledger = _opened(sqlite_url)
    chosen = random.Random(2022)
    count = 300
    ledger.append(
        [
            parse_action(
                {"action": "update", "incident": "a", "actor": "ops", "body": f"<begins-{number}:" + "x" * chosen.randrange(1_500) + f":{number}-ends>"}
            )
            for number in range(count)
        ]
    )  # fmt: skip
    order = list(range(count))
    chosen.shuffle(order)
    gone, stay = order[:240], order[240:]
    needles = {number: _needles(ledger, "incident/a", number + 2, "body") for number in order}
    for at in range(0, len(gone), 40):
        ledger.append(
            [
                parse_action({"action": "redact", "incident": "a", "actor": "dpo", "entry": f"v{number + 2}", "fields": ["body"], "reason": "r"})
                for number in gone[at : at + 40]
            ]
        )  # fmt: skip
    disk = _bytes_on_disk(sqlite_url)
    for number in gone:
        # Long enough not to stand in a salt or a hash by chance.
        marks = (f"<begins-{number}:".encode(), f":{number}-ends>".encode())
        assert [needle for needle in (*marks, *needles[number]) if needle in disk] == []
    assert all(needles[number][0] in disk for number in stay)
    frontier = Frontier()
    for one in ledger.sealed.entries():
        frontier.add(leaf_hash(one.entry))
    assert frontier.root() == ledger.sealed.head().root
    ledger.close()


def test_a_text_of_a_correction_is_erased_by_its_path(sqlite_url: str) -> None:
    ledger = _opened(sqlite_url)
    ledger.record(
        "correct", "a", actor="ops", corrects="v1", kind="editorial", set={"title": _SECRET}, reason="r"
    )
    ledger.record("redact", "a", actor="dpo", entry="v2", fields=["set.title"], reason="a name")
    assert _SECRET.encode() not in _bytes_on_disk(sqlite_url)
    event = read_stream(ledger.sealed, "incident/a")[1].event
    assert isinstance(event, EntryCorrected)
    assert set(event.set["title"]) == {"sha256"}
    # The rules go on over an erased correction.
    assert ledger.record("resolve", "a", actor="ops").version == 4
    ledger.close()


def test_a_reader_that_holds_the_write_ahead_log_open_is_told_about_and_the_next_append_finishes(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_MILLISECONDS", 100)
    ledger = _opened(sqlite_url)
    ledger.record("update", "a", actor="ops", body=_SECRET)
    needles = _needles(ledger, "incident/a", 2, "body")
    reader = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM ledger_entry").fetchall()
    with pytest.raises(Unavailable, match="the texts are erased from the ledger, but a reader keeps"):
        ledger.record("redact", "a", actor="dpo", entry="v2", fields=["body"], reason="a name")
    assert ledger.sealed.head().size == 3
    # Whoever appends in the meantime neither waits for the reader nor fails.
    ledger.record("update", "a", actor="ops", body="goes on")
    reader.close()
    ledger.record("update", "a", actor="ops", body="goes on")
    disk = _bytes_on_disk(sqlite_url)
    assert [needle for needle in needles if needle in disk] == []
    ledger.close()


@pytest.mark.postgres
def test_on_postgresql_the_row_holds_neither_value_nor_salt(postgres_url: str) -> None:
    """Dead rows on disk are the database's: VACUUM is the operator's part there."""
    ledger = _opened(postgres_url)
    ledger.record("update", "a", actor="ops", body=_SECRET)
    needles = _needles(ledger, "incident/a", 2, "body")
    entry, root = ledger.sealed.stream("incident/a")[1].entry, ledger.sealed.head().root
    ledger.record("redact", "a", actor="dpo", entry="v2", fields=["body"], reason="a name")
    row = ledger.sealed.stream("incident/a")[1]
    assert [needle for needle in needles if needle in row.texts] == []
    assert row.entry == entry
    assert ledger.sealed.root_at(2) == root
    ledger.close()


@pytest.mark.parametrize(
    ("entry", "fields", "sentence"),
    [
        ("v2", ["bdy"], "fields 'bdy' is not a text of v2 (incident.updated) (did you mean 'body'?); its texts are actor, body"),
        ("v2", ["status"], "fields 'status' is not a text of v2 (incident.updated); its texts are actor, body"),
        ("v2", [], "fields is empty; name the texts to erase, such as body"),
        ("v9", ["body"], "entry 'v9' does not exist: incident/a has versions v1 to v2"),
        ("@9", ["body"], "entry @9 does not exist: the ledger has 2 entries"),
    ],
)  # fmt: skip
def test_a_redaction_of_what_is_no_text_is_refused(
    sqlite_url: str, entry: str, fields: list[str], sentence: str
) -> None:
    ledger = _opened(sqlite_url)
    ledger.record("update", "a", actor="ops", body="b")
    head = ledger.sealed.head()
    given: dict[str, Any] = {"actor": "dpo", "entry": entry, "fields": fields, "reason": "r"}
    with pytest.raises(Refused) as refused:
        ledger.record("redact", "a", **given)
    assert str(refused.value) == sentence
    assert ledger.sealed.head() == head
    ledger.close()


def test_an_erased_text_cannot_be_erased_again_and_the_guard_lets_no_text_grow(sqlite_url: str) -> None:
    ledger = _opened(sqlite_url)
    ledger.record("update", "a", actor="ops", body="b")
    ledger.record("redact", "a", actor="dpo", entry="@2", fields=["body"], reason="r")
    with pytest.raises(Refused, match=r"^fields 'body' of v2 is already erased$"):
        ledger.record("redact", "a", actor="dpo", entry="v2", fields=["body"], reason="r")
    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    for statement, sentence in (
        (
            "UPDATE ledger_entry SET texts = CAST(texts || ' ' AS BLOB)",
            "texts of a ledger are only ever erased",
        ),
        ("UPDATE ledger_entry SET entry = x'00' WHERE position = 1", "entries of a ledger are never changed"),
        ("DELETE FROM ledger_entry", "entries of a ledger are never deleted"),
        ("DELETE FROM ledger_head", "the head of a ledger is never deleted"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=sentence):
            connection.execute(statement)
        connection.rollback()
    connection.close()
    ledger.close()
