"""The verifier of one file stands alone: nothing of the ledger in it, and the same verdict as the ledger's own."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.small_ledger import Desk
from tools.verify_bundle import verdict

FILE = Path(__file__).parents[2] / "tools" / "verify_bundle.py"
SCOPES = (
    ("emea-1",),
    ("nam-1",),
    ("--customer", "Aurora Rail"),
    ("--all",),
    ("--all", "--with", "actor", "--with", "note"),
)


def test_it_is_short_and_imports_nothing_but_the_standard_library() -> None:
    """Apart from the package for signatures, which is imported when one is checked."""
    text = FILE.read_text()
    assert len(text.splitlines()) < 300
    found = set()
    for one in ast.walk(ast.parse(text)):
        if isinstance(one, ast.Import):
            found |= {alias.name for alias in one.names}
        elif isinstance(one, ast.ImportFrom):
            found.add(one.module or "")
    roots = {name.partition(".")[0] for name in found}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
    # What stands at the top is imported at once.
    assert not [
        one
        for one in ast.parse(text).body
        if isinstance(one, ast.ImportFrom) and one.module == "cryptography"
    ]


@pytest.mark.parametrize("words", SCOPES, ids=" ".join)
def test_it_agrees_with_the_ledger(desk: Desk, words: tuple[str, ...], signs_regardless: None) -> None:
    for key in ("main.key", "next.key", None):
        for more in ((), ("--recorded-by", "@12")):
            content = desk.bundle(*words, *more, key=key)
            for brought in ((), (desk.vkey(0),), (desk.vkey(1),), (desk.vkey(0), desk.vkey(1))):
                options = [word for one in brought for word in ("--key", one)]
                assert verdict(content, set(brought))[0] == desk.verdict(content, *options), (
                    key,
                    more,
                    brought,
                )


def run(folder: Path, *words: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *options, "verify_bundle.py", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def test_it_runs_alone(desk: Desk, tmp_path: Path) -> None:
    """Copied to an empty folder, in an interpreter that knows no installed package: all but the signature is checked."""
    shutil.copy(FILE, tmp_path)
    content = desk.bundle("emea-1", key="next.key")
    (tmp_path / "b.zip").write_bytes(content)
    (tmp_path / "keys").write_text(f"{desk.vkey(0)}\n")
    alone = ("-I", "-S")
    code, told = run(tmp_path, "b.zip", desk.vkey(0))
    assert code == 0
    assert f"signed by {desk.vkey(1)}\nverified\n" in told
    assert "does not prove: after, " in told
    assert run(tmp_path, "b.zip", "keys")[0] == 0
    assert run(tmp_path, "b.zip")[0] == 3
    code, told = run(tmp_path, "b.zip", "keys", options=alone)
    assert (code, "signatures need the package cryptography" in told) == (3, True)
    (tmp_path / "b.zip").write_bytes(content.replace(b"Over.", b"Oven."))
    code, told = run(tmp_path, "b.zip", "keys", options=alone)
    assert code == 1
    assert told.endswith("DOES NOT HOLD\n")
    assert run(tmp_path, "none.zip")[0] == 3
    code, told = run(tmp_path)
    assert code == 2
    assert "Exit codes" in told
