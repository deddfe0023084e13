"""Checkpoints and proofs from outside: what each attack on a ledger looks like to who kept a checkpoint."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.commands import done, ledger

KEYS = Path("keys.txt")


def update(body: str, at: str = "ledger.db") -> None:
    done("incident", "update", "mail", "--actor", "ops", "--body", body, at=at)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger of five entries with a key, and a signed checkpoint of each size from the second on."""
    monkeypatch.chdir(tmp_path)
    done("init")
    done("key", "new", "main", "--actor", "ops")
    KEYS.write_text(done("key", "show", "main"))
    done("incident", "open", "mail", "--actor", "ops", "--title", "T", "--status", "investigating")
    for number in (3, 4, 5):
        done("checkpoint", "--key-file", "main.key", "-o", f"{number - 1}.checkpoint")
        update(f"Number {number}")
    done("checkpoint", "--key-file", "main.key", "-o", "5.checkpoint")


def against(*checkpoints: str, at: str = "ledger.db") -> Result:
    words = [word for one in checkpoints for word in ("--against", one)]
    return ledger("verify", *words, "--key", str(KEYS), at=at)


def kinds(result: Result) -> list[tuple[str, str]]:
    """Return (where, kind) of each problem that was printed."""
    return [
        (line.split("  ")[0], line.split("  ")[1])
        for line in result.stdout.splitlines()
        if line.count("  ") >= 2
    ]


def unguarded(path: str) -> sqlite3.Connection:
    raw = sqlite3.connect(path, isolation_level=None)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    return raw


def copied(name: str) -> str:
    with closing(sqlite3.connect("ledger.db")) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy("ledger.db", name)
    return name


def test_a_ledger_continues_every_checkpoint_of_its_own() -> None:
    result = against("2.checkpoint", "3.checkpoint", "5.checkpoint")
    assert result.exit_code == 0, result.output
    assert "continues 3 checkpoints kept elsewhere" in result.stdout
    assert ledger("verify", "--against", "2.checkpoint", "--key", KEYS.read_text().strip()).exit_code == 0


def test_a_tail_cut_off_with_its_head_is_found() -> None:
    """What verify alone cannot see: the forger puts an earlier copy of the file in its place."""
    at = copied("short.db")
    update("Number 6")
    done("checkpoint", "--key-file", "main.key", "-o", "6.checkpoint")
    assert ledger("verify", at=at).exit_code == 0
    result = against("3.checkpoint", "6.checkpoint", at=at)
    assert result.exit_code == 1
    assert kinds(result) == [("@6", "tail-cut")]
    assert "6.checkpoint has 6 entries, but the ledger has 5: @6 is gone" in result.stdout


def rewritten(name: str, texts: list[str]) -> str:
    """Return a ledger with the same id, the same first entries, and other ones after them, whole in itself."""
    at = copied(name)
    with closing(unguarded(at)) as raw:
        from ledger.store.tree import Frontier, leaf_hash

        raw.execute("DELETE FROM ledger_entry WHERE position > 3")
        frontier = Frontier()
        for (entry,) in raw.execute("SELECT entry FROM ledger_entry ORDER BY position"):
            frontier.add(leaf_hash(entry))
        last = raw.execute("SELECT max(recorded_at) FROM ledger_entry").fetchone()[0]
        raw.execute(
            "UPDATE ledger_head SET size = 3, root = ?, frontier = ?, last_recorded_at = ?",
            (frontier.root(), frontier.pack(), last),
        )
    for text in texts:
        update(text, at=at)
    assert ledger("verify", at=at).exit_code == 0
    return at


def test_a_rewritten_history_is_found_with_the_first_position_it_can_concern() -> None:
    at = rewritten("rewritten.db", ["Another four", "Another five", "And six"])
    result = against("2.checkpoint", "3.checkpoint", "5.checkpoint", at=at)
    assert result.exit_code == 1
    assert kinds(result) == [("@4", "history-rewritten")]
    assert "entries were changed, put in or taken out somewhere from @4 to @5" in result.stdout
    result = against("3.checkpoint", "4.checkpoint", at=at)
    assert kinds(result) == [("@4", "history-rewritten")]
    assert "taken out @4" in result.stdout


def test_a_key_that_signed_two_histories_is_found() -> None:
    at = rewritten("fork.db", ["Another four", "Another five", "And six"])
    done("checkpoint", "--key-file", "main.key", "-o", "other.checkpoint", at=at)
    result = against("3.checkpoint", "5.checkpoint", "other.checkpoint", at=at)
    assert result.exit_code == 1
    assert kinds(result) == [("@4", "fork")]
    assert (
        f"{KEYS.read_text().strip()} signed two histories that part somewhere from @4 to @5" in result.stdout
    )


def test_two_checkpoints_beyond_the_ledger_that_contradict_each_other_are_a_fork() -> None:
    at = rewritten("fork.db", ["Another four", "Another five"])
    done("checkpoint", "--key-file", "main.key", "-o", "other.checkpoint", at=at)
    short = rewritten("short.db", [])
    result = against("5.checkpoint", "other.checkpoint", at=short)
    assert kinds(result) == [("@4", "tail-cut"), ("@4", "tail-cut"), ("@4", "fork")]


def test_a_checkpoint_of_another_ledger_is_told_apart() -> None:
    done("init", at="other.db")
    done(
        "incident",
        "open",
        "mail",
        "--actor",
        "ops",
        "--title",
        "T",
        "--status",
        "investigating",
        at="other.db",
    )
    done("checkpoint", "--key-file", "main.key", "-o", "foreign.checkpoint", at="other.db")
    result = against("foreign.checkpoint")
    assert result.exit_code == 1
    assert kinds(result) == [("ledger", "other-ledger")]
    refused = ledger("notice", "mail", "--recorded-by", "foreign.checkpoint")
    assert refused.exit_code == 1
    assert "but this ledger is" in refused.output


def test_without_a_key_nothing_is_said_to_be_checked() -> None:
    result = ledger("verify", "--against", "5.checkpoint")
    assert result.exit_code == 3
    assert "no key was given" in result.stderr
    done("checkpoint", "-o", "unsigned.checkpoint")
    result = against("unsigned.checkpoint")
    assert result.exit_code == 1
    assert "it is not signed, but --key was given" in result.stdout


def test_no_byte_of_a_checkpoint_can_be_changed() -> None:
    content = Path("5.checkpoint").read_bytes()
    survivors = []
    for at in range(len(content)):
        for flip in (1, 32):
            Path("mutant.checkpoint").write_bytes(
                content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
            )
            if against("mutant.checkpoint").exit_code == 0:
                survivors.append((at, flip))
    assert not survivors


def test_proofs_hold_without_the_ledger() -> None:
    for position in range(1, 6):
        done("prove", f"@{position}", "--checkpoint", "5.checkpoint", "-o", f"{position}.tlog-proof")
        Path(f"{position}.entry").write_bytes(ledger("show", f"@{position}", "--raw").stdout_bytes)
    done("prove", "--from", "2.checkpoint", "--checkpoint", "5.checkpoint", "-o", "grown.proof")
    Path("ledger.db").unlink()
    for position in range(1, 6):
        for other in range(1, 6):
            result = ledger(
                "verify-proof",
                f"{position}.tlog-proof",
                "--entry",
                f"{other}.entry",
                "--key",
                str(KEYS),
                "--json",
            )
            assert result.exit_code == (0 if position == other else 1), result.output
            if position == other:
                found = json.loads(result.stdout)
                assert (found["kind"], found["position"], found["size"]) == ("inclusion", position, 5)
                assert found["signed_by"] == [KEYS.read_text().strip()]
    result = ledger("verify-proof", "grown.proof", "--key", str(KEYS))
    assert result.exit_code == 0, result.output
    assert "nothing was changed, only added" in result.stdout


def test_a_proof_from_a_checkpoint_of_another_history_is_not_made() -> None:
    at = rewritten("rewritten.db", ["Another four", "Another five"])
    result = ledger("prove", "--from", "4.checkpoint", "--key-file", "main.key", at=at)
    assert result.exit_code == 1
    assert "it is another history; see ledger verify --against" in result.stderr


def test_somebody_else_may_sign(tmp_path: Path) -> None:
    """A command signs: the private key is in no file that the ledger reads."""
    script = tmp_path / "sign.py"
    script.write_text(
        "import sys\nfrom base64 import b64encode\nfrom ledger.proof.signers import read_key_file\n"
        "sys.stdout.write(b64encode(read_key_file('main.key').sign(sys.stdin.buffer.read())).decode())\n"
    )
    import sys

    done("checkpoint", "--sign-command", f"{sys.executable} {script}", "-o", "by-command.checkpoint")
    assert Path("by-command.checkpoint").read_bytes() == Path("5.checkpoint").read_bytes()
    assert ledger("checkpoint", "--sign-command", "false", "-o", "x").exit_code == 3
    assert ledger("checkpoint", "--vkey", "x").exit_code == 2


def test_views_are_compared_with_the_entries() -> None:
    assert ledger("verify", "--views").exit_code == 3
    done("views", "rebuild")
    result = ledger("verify", "--views")
    assert result.exit_code == 0, result.output
    assert "the views are what the entries come to" in result.stdout
    path = next(iter(Path().glob("*.views.db")))
    content = path.read_bytes()
    for statement in (
        "UPDATE incident SET status = 'resolved'", "UPDATE incident SET title = 'Another'", "DELETE FROM incident",
        "UPDATE incident SET incident = 'zz'", "INSERT INTO incident (incident) VALUES ('more')",
        "UPDATE incident SET internal = 2",
    ):  # fmt: skip
        path.write_bytes(content)
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute(statement)
        result = ledger("verify", "--views")
        assert result.exit_code == 1, statement
        assert {kind for _, kind in kinds(result)} == {"view-differs"}


def test_an_empty_ledger_has_nothing_to_verify() -> None:
    done("init", at="empty.db")
    assert ledger("verify", at="empty.db").exit_code == 3


def altered(name: str, position: int) -> str:
    """Return a copy in which one date within the bytes of an entry is another, and the head row is as it was."""
    at = copied(name)
    with closing(unguarded(at)) as raw:
        (entry,) = raw.execute("SELECT entry FROM ledger_entry WHERE position = ?", (position,)).fetchone()
        other = entry.replace(b'"recorded_at":"20', b'"recorded_at":"19', 1)
        assert other != entry
        raw.execute("UPDATE ledger_entry SET entry = ? WHERE position = ?", (other, position))
    return at


@pytest.mark.parametrize(
    "words",
    [
        ("checkpoint", "-o", "new.file"),
        ("checkpoint", "--recorded-by", "@2", "-o", "new.file"),
        ("prove", "@4", "-o", "new.file"),
        ("prove", "@2", "-o", "new.file"),
        ("replay", "mail", "--html", "new.file"),
        ("bundle", "mail", "-o", "new.file"),
        ("bundle", "--all", "-o", "new.file"),
    ],
    ids=" ".join,
)
def test_an_altered_ledger_gets_nothing_signed(words: tuple[str, ...]) -> None:
    at = altered("altered.db", 4)
    result = ledger(*words, "--key-file", "main.key", at=at)
    assert result.exit_code == 1, result.output
    assert "the ledger was altered or damaged" in result.stderr
    assert "run ledger verify" in result.stderr
    assert not Path("new.file").exists()


def test_an_altered_ledger_is_no_ground_for_proofs_against_a_kept_checkpoint() -> None:
    at = altered("altered.db", 4)
    for words in (("prove", "@4", "--checkpoint", "5.checkpoint"), ("prove", "--from", "3.checkpoint")):
        result = ledger(*words, "-o", "new.file", at=at)
        assert result.exit_code == 1, result.output
        assert not Path("new.file").exists()


def test_an_entry_altered_within_a_complete_tile_is_not_proven() -> None:
    """The tile holds the hash that was sealed, so roots stay right; the entry no longer leads to them."""
    line = '{"action":"update","incident":"mail","actor":"ops","body":"More."}\n'
    recorded = ledger("append", "-", stdin=(line * 260).encode())
    assert recorded.exit_code == 0, recorded.output
    done("checkpoint", "--key-file", "main.key", "-o", "long.checkpoint")
    at = altered("altered.db", 4)
    done("checkpoint", "--key-file", "main.key", "-o", "same.checkpoint", at=at)
    assert Path("same.checkpoint").read_bytes() == Path("long.checkpoint").read_bytes()
    done("prove", "@5", "--key-file", "main.key", "-o", "other.proof", at=at)
    for words in (("prove", "@4", "-o", "new.file"), ("replay", "mail", "--html", "new.file")):
        result = ledger(*words, "--key-file", "main.key", at=at)
        assert result.exit_code == 1, result.output
        assert "entry @4 was altered or damaged" in result.stderr
        assert not Path("new.file").exists()
    with closing(unguarded(at)) as raw:
        (hashes,) = raw.execute("SELECT hashes FROM ledger_tile WHERE level = 0 AND idx = 0").fetchone()
        forged = bytes(32) + hashes[32:]
        raw.execute("UPDATE ledger_tile SET hashes = ? WHERE level = 0 AND idx = 0", (forged,))
    result = ledger("checkpoint", "--recorded-by", "@100", "--key-file", "main.key", at=at)
    assert result.exit_code == 1
    assert "does not lead to the root of all" in result.stderr


def test_a_tail_cut_off_hides_no_rewriting_of_what_is_left() -> None:
    """A checkpoint beyond the ledger cannot be compared with what is left, and the sentence says so."""
    short = rewritten("short.db", ["Another four"])
    result = against("5.checkpoint", at=short)
    assert kinds(result) == [("@5", "tail-cut")]
    assert "whether @1 to @4 are what they were could not be compared" in result.stdout
    assert (
        "whether @4 is what it was could not be compared"
        in against("3.checkpoint", "5.checkpoint", at=short).stdout
    )
    honest = rewritten("honest.db", [])
    assert "could not be compared" not in against("3.checkpoint", "5.checkpoint", at=honest).stdout


def test_a_checkpoint_alone_that_is_refused_says_nothing_of_the_ledger() -> None:
    Path("none.checkpoint").write_text("no checkpoint")
    result = against("none.checkpoint")
    assert result.exit_code == 1
    assert (
        "1 problem found: what was to be compared with does not count; the ledger itself is whole"
        in result.stderr
    )
    assert "altered" not in result.stderr


def rotated() -> str:
    """Rotate the key and return the vkey that follows."""
    done("key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "next.key", "--actor", "ops")
    return done("key", "show", "main").split()[0]


def test_a_key_of_the_first_day_leads_to_the_checkpoints_of_those_after_it() -> None:
    rotated()
    done("checkpoint", "--key-file", "next.key", "-o", "6.checkpoint")
    result = against("5.checkpoint", "6.checkpoint")
    assert result.exit_code == 0, result.output


def test_a_checkpoint_signed_with_a_key_out_of_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its holder may sign on with a program that does not refuse; the ledger at hand says that it does not count."""
    following = rotated()
    monkeypatch.setattr("ledger.cli.proof._check_signer", lambda session, vkey: None)
    done("checkpoint", "--key-file", "main.key", "-o", "late.checkpoint")
    result = against("late.checkpoint")
    assert result.exit_code == 1
    assert kinds(result) == [("ledger", "checkpoint-refused")]
    assert "was replaced by @6" in result.stdout
    assert against("5.checkpoint").exit_code == 0
    done("checkpoint", "--key-file", "next.key", "-o", "6.checkpoint")
    done("key", "revoke", "main", "--vkey", following, "--actor", "ops", "--reason", "Stolen.")
    done("checkpoint", "--key-file", "next.key", "-o", "7.checkpoint")
    for one in ("6.checkpoint", "7.checkpoint"):
        result = ledger("verify", "--against", one, "--key", following)
        assert result.exit_code == 1, result.output
        assert "was revoked by @7, which doubts all its signatures" in result.stdout


def test_a_revoked_key_counts_under_checkpoints_from_before_it_is_doubted() -> None:
    stood = json.loads(done("show", "@5", "--raw"))["header"]["recorded_at"]
    vkey = KEYS.read_text().strip()
    done(
        "key", "revoke", "main", "--vkey", vkey, "--actor", "ops", "--reason", "Stolen.", "--doubted-from", stood
    )  # fmt: skip
    assert against("4.checkpoint").exit_code == 0
    result = against("5.checkpoint")
    assert result.exit_code == 1
    assert f"doubts its signatures from {stood} on" in result.stdout


def test_a_proof_across_a_rotation_says_who_signed_which_checkpoint() -> None:
    first, second = KEYS.read_text().strip(), rotated()
    done("prove", "--from", "4.checkpoint", "--key-file", "next.key", "-o", "grown.proof")
    result = ledger("verify-proof", "grown.proof", "--key", first, "--key", second)
    assert result.exit_code == 0, result.output
    assert f"the earlier checkpoint is signed by {first}" in result.stdout
    assert f"the later checkpoint is signed by {second}" in result.stdout
    found = json.loads(done("verify-proof", "grown.proof", "--key", first, "--key", second, "--json"))
    assert (found["signed_by"], found["old_signed_by"], found["new_signed_by"]) == ([], [first], [second])


def test_a_bundle_of_a_garbled_entry_is_refused_with_a_sentence() -> None:
    line = '{"action":"update","incident":"mail","actor":"ops","body":"More."}\n'
    assert ledger("append", "-", stdin=(line * 260).encode()).exit_code == 0
    with closing(unguarded("ledger.db")) as raw:
        raw.execute("UPDATE ledger_entry SET entry = ? WHERE position = 4", (b"garbled",))
    result = ledger("bundle", "--all", "-o", "all.bundle", "--key-file", "main.key")
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "@4" in result.stderr
    assert "run ledger verify" in result.stderr
    assert not Path("all.bundle").exists()


@pytest.mark.parametrize("key", ["nobody.vkey", "broken.vkey", "name+00000000+AAAA"])
def test_a_key_that_is_none_is_a_usage_error(key: str) -> None:
    Path("broken.vkey").write_text("no key\n")
    done("prove", "@2", "--key-file", "main.key", "-o", "two.proof")
    Path("two.entry").write_text(done("show", "@2", "--raw"))
    done("bundle", "mail", "--key-file", "main.key", "-o", "mail.bundle")
    for words in (
        ("verify-proof", "two.proof", "--entry", "two.entry"), ("verify-bundle", "mail.bundle"),
        ("verify", "--against", "5.checkpoint"),
    ):  # fmt: skip
        result = ledger(*words, "--key", key)
        assert result.exit_code == 2, result.output
        assert "is not" in result.stderr


def test_nobody_is_said_to_have_signed_with_a_key_that_signs_everything() -> None:
    """Under the identity point, R = identity and S = 0 pass for every message in a lenient verification."""
    from base64 import b64encode
    from hashlib import sha256

    from ledger.proof.checkpoint import read_checkpoint

    material = b"\x01\x01" + bytes(31)
    key_id = sha256(b"main\n" + material).digest()[:4]
    vkey = f"main+{key_id.hex()}+{b64encode(material).decode()}"
    text = read_checkpoint(Path("5.checkpoint").read_bytes())[0]
    root = b64encode(text.root).decode()
    signature = b64encode(key_id + b"\x01" + bytes(63)).decode()
    Path("forged.checkpoint").write_text(f"{text.origin}\n5\n{root}\n\n\u2014 main {signature}\n")
    result = ledger("verify", "--against", "forged.checkpoint", "--key", vkey)
    assert result.exit_code == 2, result.output
    assert "anybody can sign" in result.stderr


def test_a_bundle_from_before_an_incident_does_not_suggest_that_very_incident() -> None:
    result = ledger("bundle", "mail", "--recorded-by", "@1", "-o", "mail.bundle")
    assert result.exit_code == 1
    assert "did you mean" not in result.stderr
    assert "incident 'mail' begins with @2, and the ledger had 1 entry then" in result.stderr
