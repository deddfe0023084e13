"""Exit codes where output has nowhere to go, and sentences that name the option and the file that they are about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import done, ledger

TOOL = Path(__file__).parents[2] / "tools" / "verify_bundle.py"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger of three entries with a key, proofs and a bundle."""
    monkeypatch.chdir(tmp_path)
    done("init")
    done("key", "new", "main")
    Path("k").write_text(done("key", "show", "main"))
    done("incident", "open", "a", "--title", "T", "--status", "investigating")
    done("checkpoint", "-o", "unsigned.checkpoint")
    done("checkpoint", "--recorded-by", "@1", "--key-file", "main.key", "-o", "one.checkpoint")
    done("incident", "update", "a", "--body", "B")
    done("prove", "@2", "--key-file", "main.key", "-o", "two.proof")
    done("bundle", "--all", "--key-file", "main.key", "-o", "all.bundle")


@pytest.mark.skipif(os.name != "posix", reason="a shell closes standard output")
@pytest.mark.parametrize(
    "words",
    [
        ("-m", "ledger", "verify"),
        ("-m", "ledger", "log"),
        ("-m", "ledger", "checkpoint"),
        ("-m", "ledger", "show", "@1", "--raw"),
        ("-m", "ledger", "verify-bundle", "all.bundle", "--key", "k"),
        pytest.param(
            (str(TOOL), "all.bundle", "k"),
            marks=pytest.mark.skipif(
                not TOOL.exists(), reason="the verifier of one file is no part of the wheel"
            ),
        ),
    ],
    ids=lambda words: " ".join(Path(word).name for word in words),
)
@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_nowhere_to_write_is_3_with_a_sentence(words: tuple[str, ...], where: str) -> None:
    if where == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    before = Path("ledger.db").read_bytes()
    shell = ["sh", "-c", f'exec "$@" {where}', "sh", sys.executable, *words]
    found = subprocess.run(shell, stderr=subprocess.PIPE, text=True, check=False)
    assert found.returncode == 3
    assert "Traceback" not in found.stderr
    assert "standard output cannot be written: " in found.stderr
    assert Path("ledger.db").read_bytes() == before


def test_a_leaf_that_is_no_hash_is_not_understood() -> None:
    for leaf in ("abcd", "zz", "00" * 33):
        result = ledger("verify-proof", "two.proof", "--leaf", leaf)
        assert result.exit_code == 2
        assert "--leaf" in result.stderr


def test_a_time_without_a_zone_is_not_understood() -> None:
    for words in (("diff", "a", "2022-03-20", "r1"), ("log", "--since", "2022-03-14")):
        result = ledger(*words)
        assert result.exit_code == 2
        assert "has no zone or offset" in result.stderr
    assert ledger("diff", "a", "nothing", "r1").exit_code == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("diff", "a", "r1", "main.key"), "the moment main.key is no checkpoint"),
        (("prove", "--from", "main.key"), "--from main.key is no checkpoint"),
        (("prove", "@1", "--checkpoint", "main.key"), "--checkpoint main.key is no checkpoint"),
        (("log", "--recorded-by", "main.key"), "--recorded-by main.key is no checkpoint"),
        (("replay", "a", "--html", "x.html", "--checkpoint", "main.key"), "--checkpoint main.key is no checkpoint"),
        (("verify-proof", "k"), "FILE k is no proof that can be read"),
        (("prove", "@99"), "entry @99 is beyond the ledger, which has 3 entries"),
        (
            ("prove", "@3", "--checkpoint", "one.checkpoint"),
            "entry @3 is not among the 1 entry of the checkpoint; take a later checkpoint",
        ),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else None,
)  # fmt: skip
def test_the_sentence_names_the_option_and_the_file(words: tuple[str, ...], named: str) -> None:
    result = ledger(*words)
    assert result.exit_code == 1, result.output
    assert named in result.stderr


def test_a_proof_from_an_unsigned_checkpoint_says_which_is_not_signed() -> None:
    done("prove", "--from", "unsigned.checkpoint", "--key-file", "main.key", "-o", "grown.proof")
    result = ledger("verify-proof", "grown.proof", "--key", "k")
    assert result.exit_code == 3
    assert "the earlier checkpoint is not signed" in result.stderr
    assert "later checkpoint is not signed" not in result.stderr


def test_a_rotation_that_fails_promises_no_key() -> None:
    result = ledger("key", "rotate", "main", "--sign-command", "false", "--new-key-file", "next.key")
    assert result.exit_code == 3
    assert "keep a copy" not in result.stderr
    assert "next.key was removed again" in result.stderr
    done("key", "rotate", "main", "--key-file", "main.key", "--new-key-file", "next.key")
    assert Path("next.key").exists()


def test_json_holds_the_note_and_the_failing_proof() -> None:
    found = json.loads(done("checkpoint", "--recorded-by", "@1", "--key-file", "main.key", "--json"))
    assert found["note"] == Path("one.checkpoint").read_text()
    result = ledger("verify-proof", "two.proof", "--leaf", "00" * 32, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert told["detail"].startswith("the proof leads from the leaf to the root")
