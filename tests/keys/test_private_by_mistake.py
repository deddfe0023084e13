"""A private key given where the public one is wanted is never repeated, and the sentence says what is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli import main

TOOL = Path(__file__).parents[2] / "tools" / "verify_bundle.py"


def ledger(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*words], env={"LEDGER_ACTOR": "ops"})
    return result.exit_code, result.output


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    for words in (
        ("init",),
        ("key", "new", "main"),
        ("incident", "open", "a", "--title", "T", "--status", "investigating"),
        ("checkpoint", "--key-file", "main.key", "-o", "c.cp"),
        ("bundle", "--all", "--key-file", "main.key", "-o", "all.bundle"),
        ("prove", "@2", "--key-file", "main.key", "-o", "two.proof"),
    ):
        code, output = ledger(*words)
        assert code == 0, output
    return Path("main.key").read_text().strip()


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "text"])
@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--against", "c.cp", "--key"),
        ("verify-bundle", "all.bundle", "--key"),
        ("import", "--bundle", "all.bundle", "--key"),
        ("verify-proof", "two.proof", "--leaf", "00" * 32, "--key"),
    ],
    ids=lambda words: words[0],
)
def test_no_command_repeats_it(private: str, words: tuple[str, ...], as_file: bool) -> None:
    code, output = ledger(*words, "main.key" if as_file else private)
    assert code == 2
    assert "PRIVATE+KEY" not in output
    assert private[-20:] not in output
    assert "a private key, for its owner alone" in output
    assert "as ledger key show prints it" in " ".join(output.split())
    assert ("main.key holds a private key" in output) == as_file


@pytest.mark.parametrize(
    "words", [("checkpoint", "--sign-command", "false", "--vkey"), ("prove", "@2", "--sign-command", "false", "--vkey"),
              ("key", "publish", "other", "--vkey"), ("key", "revoke", "main", "--reason", "x", "--vkey")],
)  # fmt: skip
def test_no_option_for_a_public_key_repeats_it(private: str, words: tuple[str, ...]) -> None:
    code, output = ledger(*words, private)
    assert code in (1, 2)
    assert private[-20:] not in output


def test_the_verifier_of_one_file_does_not_either(private: str) -> None:
    for word in ("main.key", private):
        done = subprocess.run(
            [sys.executable, str(TOOL), "all.bundle", word], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert private[-20:] not in done.stdout + done.stderr
        assert "a private key; give the public one (ledger key show)" in done.stdout
