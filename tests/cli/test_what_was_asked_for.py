"""What was asked for is answered, or what was asked wrongly is said: filters, raw bytes, keys to copy, what was compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from ledger.store.tree import leaf_hash
from tests.cli.commands import done, ledger


@pytest.fixture(autouse=True)
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger with a key and an incident."""
    monkeypatch.chdir(tmp_path)
    done("init")
    done(
        "key",
        "new",
        "main",
        "--actor",
        "ops",
        "--name",
        "a-name-that-is-as-long-as-such-names-get-to-be-in-real-use",
    )
    done(
        "incident", "open", "mail", "--actor", "ops", "--title", "T", "--status", "investigating", "--service", "email",
        "--component", "flow", "--region", "EMEA",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("log", "--type", "window.revise"), 2, "is no type of entry (did you mean 'window.revised'?)"),
        (("log", "--type", "nonsense"), 2, "is no type of entry; see docs/events.md"),
        (("log", "--region", "EMAE"), 0, "none concerns the region 'EMAE' (did you mean 'EMEA'?)"),
        (
            ("log", "mail", "--service", "emial"),
            0,
            "none concerns the service 'emial' (did you mean 'email'?)",
        ),
        (("log", "--region", "EMEA", "--actor", "nobody"), 0, "no entry fits what was asked for\n"),
        (("log", "--actor", "nobody"), 0, "no entry fits what was asked for\n"),
        (("incidents", "--region", "EMAE"), 0, "none concerns the region 'EMAE' (did you mean 'EMEA'?)"),
        (
            ("incidents", "--region", "EMEA", "--status", "resolved"),
            0,
            "no incident fits what was asked for\n",
        ),
        (("incidents", "--status", "resolvd"), 2, "is no status (did you mean 'resolved'?)"),
    ],
)
def test_a_filter_that_fits_nothing_says_so(words: tuple[str, ...], code: int, sentence: str) -> None:
    for more in ((), ("--json",)):
        result = ledger(*words, *more)
        assert (result.exit_code, sentence in result.stderr) == (code, True), result.output
        if more:
            assert result.stdout == ""


def test_the_raw_bytes_of_an_entry_as_json() -> None:
    raw = ledger("show", "@2", "--raw").stdout_bytes
    said = json.loads(done("show", "@2", "--raw", "--json"))
    assert said == {"position": 2, "leaf": leaf_hash(raw).hex(), "entry": said["entry"]}
    assert b64decode(said["entry"], validate=True) == raw


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}, {"COLUMNS": "40"}])
def test_a_key_can_be_copied_whole(environment: dict[str, str]) -> None:
    """Also where colours are asked for in a pipe, or somebody says that it is narrow."""
    vkey = done("key", "show", "main").strip()
    assert len(vkey) > 80
    shown = subprocess.run(
        [sys.executable, "-m", "ledger", "--ledger", "sqlite:///ledger.db", "key", "list"],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert vkey in shown


def test_verification_says_what_it_compared() -> None:
    vkey = done("key", "show", "main").strip()
    assert json.loads(done("verify", "--json"))["compared"] == {
        "checkpoints": [],
        "not_compared": [],
        "views": False,
    }
    done("views", "rebuild")
    done("checkpoint", "--key-file", "main.key", "-o", "2.checkpoint")
    root = json.loads(done("verify", "--json"))["root"]
    done("incident", "update", "mail", "--actor", "ops", "--body", "More.")
    result = ledger("verify", "--against", "2.checkpoint", "--views", "--json")
    assert result.exit_code == 3
    kept = {"file": "2.checkpoint", "size": 2, "root": root, "signed_by": []}
    assert json.loads(result.stdout)["compared"] == {"checkpoints": [kept], "views": True, "not_compared": []}
    found = json.loads(done("verify", "--against", "2.checkpoint", "--key", vkey, "--json"))
    assert found["compared"] == {
        "checkpoints": [{**kept, "signed_by": [vkey]}],
        "views": False,
        "not_compared": [],
    }
    # A file without a key names nobody.
    Path("none.vkey").write_text("\n")
    assert ledger("verify", "--against", "2.checkpoint", "--key", "none.vkey").exit_code == 3
    # What was refused was not compared.
    Path("bad.checkpoint").write_text("nonsense\n")
    result = ledger(
        "verify", "--against", "bad.checkpoint", "--against", "2.checkpoint", "--key", vkey, "--json"
    )
    assert result.exit_code == 1
    assert [one["file"] for one in json.loads(result.stdout)["compared"]["checkpoints"]] == ["2.checkpoint"]
