"""What a checkpoint that was kept elsewhere shows, whatever the ledger has been made to say of itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.commands import done, ledger


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger of four entries, what it was after two, and checkpoints of three and of four that an auditor kept."""
    monkeypatch.chdir(tmp_path)
    done("init")
    done("key", "new", "main")
    Path("k").write_text(done("key", "show", "main"))
    done("incident", "open", "a", "--title", "T", "--status", "investigating")
    copied("old.db")
    for number in (1, 2):
        done("incident", "update", "a", "--body", f"u{number}")
        done("checkpoint", "--key-file", "main.key", "-o", f"c{number}.cp")


def copied(name: str) -> None:
    with closing(sqlite3.connect("ledger.db")) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile("ledger.db", name)


def against(*checkpoints: str, at: str = "ledger.db") -> Result:
    return ledger(
        "verify", "--json", "--key", "k", *(word for one in checkpoints for word in ("--against", one)), at=at
    )


def kinds(result: Result) -> list[tuple[int | None, str]]:
    return [(one["position"], one["kind"]) for one in json.loads(result.stdout)["problems"]]


def altered(name: str, sql: str) -> None:
    copied(name)
    with closing(sqlite3.connect(name, isolation_level=None)) as raw:
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.executescript(sql)


CHANGED = "UPDATE ledger_entry SET entry = CAST(replace(CAST(entry AS TEXT), 'investigating', 'investigatinG') AS BLOB) WHERE position = 2;"


def revoke(at: str, *more: str) -> None:
    vkey = Path("k").read_text().strip()
    done("key", "revoke", "main", "--vkey", vkey, "--reason", "x", *more, at=at)


def test_revoking_the_key_does_not_silence_that_the_tail_was_cut() -> None:
    assert kinds(against("c2.cp", at="old.db")) == [(3, "tail-cut")]
    revoke("old.db")
    result = against("c2.cp", at="old.db")
    assert result.exit_code == 1
    assert kinds(result) == [(4, "tail-cut"), (None, "checkpoint-refused")]
    assert "this rests on the signature of a key that you named" in result.stdout
    assert "was revoked by @3, which doubts all its signatures" in result.stdout
    assert "the ledger itself is whole" not in result.stderr
    assert (
        "the ledger contradicts what a key signed that, by its own entries, does not count" in result.stderr
    )
    both = against("c1.cp", "c2.cp", at="old.db")
    assert kinds(both)[:2] == [(1, "history-rewritten"), (4, "tail-cut")]


def test_revoking_the_key_does_not_silence_that_history_was_rewritten() -> None:
    done("incident", "update", "a", "--body", "another", at="old.db")
    done("incident", "update", "a", "--body", "another", at="old.db")
    revoke("old.db", "--doubted-from", "2020-01-01T00:00:00Z")
    result = against("c2.cp", at="old.db")
    assert kinds(result) == [(1, "history-rewritten"), (None, "checkpoint-refused")]
    done("bundle", "--all", "--output", "forked.bundle", at="old.db")
    told = ledger("verify-bundle", "forked.bundle", "--key", "k", "--against", "c2.cp")
    assert told.exit_code == 1
    assert "history-rewritten" in told.stdout
    assert "rests on the signature of a key that you named" in told.stdout
    assert "the bundle contradicts what a key signed that, by its own entries, does not count" in told.stderr


def test_revoking_a_key_that_followed_silences_nothing_either() -> None:
    done("key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "next.key")
    copied("cut.db")
    following = done("key", "show", "main").strip()
    done("incident", "update", "a", "--body", "u3")
    done("incident", "update", "a", "--body", "u4")
    done("checkpoint", "--key-file", "next.key", "-o", "c3.cp")
    done("key", "revoke", "main", "--vkey", following, "--reason", "x", at="cut.db")
    assert kinds(against("c3.cp", at="cut.db")) == [(7, "tail-cut"), (None, "checkpoint-refused")]


def test_what_fits_by_a_key_that_does_not_count_is_said_to_fit() -> None:
    revoke("ledger.db")
    result = against("c2.cp")
    assert result.exit_code == 1
    assert kinds(result) == [(None, "checkpoint-refused")]
    assert "the entries are those that it says all the same" in result.stdout
    assert "what was to be compared with does not count; the ledger itself is whole" in result.stderr


def test_what_a_doubted_key_signed_hides_no_beginning_of_another_history() -> None:
    """Whoever has a revoked key could sign the forged history up to its last entry, so that only that seems to be altered."""
    done("incident", "update", "a", "--body", "another", at="old.db")
    done("checkpoint", "--key-file", "main.key", "-o", "forged.cp", at="old.db")
    done("incident", "update", "a", "--body", "another", at="old.db")
    revoke("old.db", "--doubted-from", "2020-01-01T00:00:00Z")
    found = kinds(against("forged.cp", "c2.cp", at="old.db"))
    assert (1, "history-rewritten") in found
    assert (4, "history-rewritten") not in found


def test_an_altered_entry_does_not_turn_the_comparison_off() -> None:
    altered("altered.db", CHANGED)
    result = against("c1.cp", "c2.cp", at="altered.db")
    assert result.exit_code == 1
    found = kinds(result)
    assert (1, "history-rewritten") in found
    assert "somewhere from @1 to @3" in result.stdout
    assert "somewhere from @1 to @4" in result.stdout
    compared = json.loads(result.stdout)["compared"]
    assert [one["file"] for one in compared["checkpoints"]] == ["c1.cp", "c2.cp"]
    assert compared["not_compared"] == []


def test_an_earlier_checkpoint_that_fits_bounds_where_an_altered_entry_stands() -> None:
    done("checkpoint", "--recorded-by", "@2", "--key-file", "main.key", "-o", "c0.cp")
    altered(
        "altered.db",
        "UPDATE ledger_entry SET entry = CAST(replace(CAST(entry AS TEXT), 'u2', 'u3') || ' ' AS BLOB) WHERE position = 4;",
    )
    assert (4, "history-rewritten") in kinds(against("c0.cp", "c1.cp", "c2.cp", at="altered.db"))


def test_a_cut_tail_is_named_beside_an_altered_text() -> None:
    with closing(sqlite3.connect("old.db", isolation_level=None)) as raw:
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute(
            "UPDATE ledger_entry SET texts = CAST(replace(CAST(texts AS TEXT), '\"T\"', '\"U\"') AS BLOB) WHERE position = 2"
        )
    assert kinds(against("c2.cp", at="old.db")) == [(2, "text-differs"), (3, "tail-cut")]


def test_what_cannot_be_compared_says_why_in_words_and_in_json() -> None:
    altered("gap.db", "DELETE FROM ledger_entry WHERE position = 2;")
    result = against("c1.cp", "c2.cp", at="gap.db")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["compared"]["not_compared"] == [
        {"what": "c1.cp", "because": "@2 is missing"},
        {"what": "c2.cp", "because": "@2 is missing"},
    ]
    assert "c1.cp was not compared, because @2 is missing" in result.stderr
    altered("gone.db", "DROP TABLE ledger_entry;")
    result = against("c2.cp", at="gone.db")
    assert result.exit_code == 1
    assert "c2.cp was not compared, because the entries after @0 cannot be read" in result.stderr


def test_views_are_compared_in_a_ledger_that_does_not_hold() -> None:
    altered(
        "altered.db",
        "UPDATE ledger_entry SET texts = CAST(replace(CAST(texts AS TEXT), 'u1', 'u9') AS BLOB) WHERE position = 3;",
    )
    done("views", "rebuild", at="altered.db")
    result = ledger("verify", "--views", "--json", at="altered.db")
    assert result.exit_code == 1
    assert kinds(result) == [(3, "text-differs")]
    assert json.loads(result.stdout)["compared"]["views"] is True
    altered("broken.db", "UPDATE ledger_entry SET entry = x'00' WHERE position = 3;")
    shutil.copyfile("altered.views.db", "broken.views.db")
    result = ledger("verify", "--views", "--json", at="broken.db")
    assert result.exit_code == 1
    [apart] = json.loads(result.stdout)["compared"]["not_compared"]
    assert apart["what"] == "what stands in the views"
    assert apart["because"].startswith("what the ledger holds cannot be read for views")


def test_a_checkpoint_of_nothing_compares_with_nothing() -> None:
    done("checkpoint", "--recorded-by", "@0", "--key-file", "main.key", "-o", "c0.cp")
    result = against("c0.cp")
    assert result.exit_code == 3
    assert "c0.cp was not compared, because it has no entries, and any ledger continues that" in result.stderr
    plain = ledger("verify", "--against", "c0.cp", "--key", "k")
    assert plain.exit_code == 3
    assert "continues" not in plain.stdout
    done("bundle", "--all", "--key-file", "main.key", "--output", "all.bundle")
    told = ledger("verify-bundle", "all.bundle", "--key", "k", "--against", "c0.cp")
    assert told.exit_code == 3
    assert "compared with" not in told.stdout
    assert "c0.cp was not compared, because it has no entries" in told.stderr


def test_an_intact_bundle_is_not_called_altered() -> None:
    done("init", at="elsewhere.db")
    done("key", "new", "main", "--key-file", "elsewhere.key", at="elsewhere.db")
    Path("other").write_text(done("key", "show", "main", at="elsewhere.db"))
    done("checkpoint", "--key-file", "elsewhere.key", "-o", "foreign.cp", at="elsewhere.db")
    done("bundle", "--all", "--with", "actor", "--with", "note", "--key-file", "main.key", "-o", "all.bundle")
    for words, said in (
        (("--key", "other"), "no key that counts signed the bundle; the bundle itself is whole"),
        (
            ("--key", "k", "--key", "other", "--against", "foreign.cp"),
            "what was to be compared with does not count; the bundle itself is whole",
        ),
    ):
        result = ledger("verify-bundle", "all.bundle", *words)
        assert result.exit_code == 1, result.output
        assert said in result.stderr
        assert "altered" not in result.stderr
    refused = ledger("import", "--bundle", "all.bundle", "--key", "other", at="copy.db")
    assert refused.exit_code == 1
    assert (
        "the bundle is whole in itself, but no key that counts signed it, and nothing was imported"
        in refused.stderr
    )
    assert "altered" not in refused.stderr
    revoke("ledger.db", "--doubted-from", "2020-01-01T00:00:00Z")
    done("bundle", "a", "-o", "a.bundle")
    late = ledger("verify-bundle", "a.bundle", "--key", "k", "--against", "c2.cp")
    assert late.exit_code == 1
    assert "altered" not in late.stderr
    content = bytearray(Path("all.bundle").read_bytes())
    at = content.index(b"u2")
    content[at] ^= 1
    Path("all.bundle").write_bytes(bytes(content))
    assert "the bundle was altered" in ledger("verify-bundle", "all.bundle", "--key", "k").stderr


def test_a_part_of_a_ledger_says_once_that_a_checkpoint_of_another_size_was_not_compared() -> None:
    done("bundle", "a", "--key-file", "main.key", "-o", "a.bundle")
    result = ledger("verify-bundle", "a.bundle", "--key", "k", "--against", "c1.cp")
    assert result.exit_code == 3
    assert "compared with" not in result.stdout
    assert "c1.cp was not compared, because it has 3 entries and the bundle 4" in result.stderr
    found = json.loads(
        ledger("verify-bundle", "a.bundle", "--key", "k", "--against", "c1.cp", "--json").stdout
    )
    assert found["compared"]["checkpoints"] == []
    assert [one["what"] for one in found["compared"]["not_compared"]] == ["c1.cp"]


def test_one_entry_that_is_gone_is_one_entry() -> None:
    done("incident", "update", "a", "--body", "u1", at="old.db")
    result = ledger("verify", "--against", "c1.cp", "--against", "c2.cp", "--key", "k", at="old.db")
    assert "c2.cp has 4 entries, but the ledger has 3: @4 is gone" in result.stdout
    done("checkpoint", "--recorded-by", "@1", "--key-file", "main.key", "-o", "first.cp")
    done("init", at="other.db")
    foreign = ledger("prove", "--from", "first.cp", at="other.db")
    assert foreign.exit_code == 1
    assert "1 entries" not in foreign.output + result.output
