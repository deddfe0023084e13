"""Transcripts: what a user types and sees, kept as text files beside this test.

A line `; …` is a comment. A line `$ ledger …` is run; a line that ends in `<<EOF` gives standard input up to `EOF`; `$ cat > FILE <<EOF` writes a
file, `$ chmod MODE FILE` sets its mode. `examples/` is that of the project. What follows is standard output, then standard error behind `! `, then `[exit N]` when N is not 0. The n-th
command runs at 17:00 UTC on 30 March 2022 plus n minutes, salts and the seeds of keys are counted, and the ledger is called ledger-test.
`make transcripts` rewrites the files; the diff is the review.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.cli.session import Session
from ledger.domain.instants import micros

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))
EXAMPLES = Path(__file__).parents[2] / "examples"
START = micros("2022-03-30T17:00:00.000000Z")


def _steps(text: str) -> list[tuple[str, str | None]]:
    """Return (line, standard input) of each step; comments are steps that are kept as they are."""
    steps: list[tuple[str, str | None]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ ") and line.endswith("<<EOF"):
            steps.append(
                (
                    line,
                    "".join(f"{inner}\n" for inner in itertools.takewhile(lambda one: one != "EOF", lines)),
                )
            )
        elif line.startswith(("$ ", "; ")):
            steps.append((line, None))
    return steps


def _clock(number: int) -> Callable[[], int]:
    return lambda: START + number * 60_000_000


def _play(text: str) -> str:
    salts = (hashlib.sha256(str(number).encode()).digest()[:16] for number in itertools.count())
    seeds = (hashlib.sha256(f"key {number}".encode()).digest() for number in itertools.count())
    runner = CliRunner(env={"LEDGER_ACTOR": None, "LEDGER_URL": None})
    shown: list[str] = []
    for number, (line, stdin) in enumerate(_steps(text)):
        shown.append(line)
        if stdin is not None:
            shown += [*stdin.splitlines(), "EOF"]
        if line.startswith("; "):
            continue
        words = shlex.split(line.removeprefix("$ ").removesuffix("<<EOF"))
        if words[:2] == ["cat", ">"]:
            Path(words[2]).write_text(stdin or "")
            continue
        if words[0] == "chmod":
            Path(words[2]).chmod(int(words[1], 8))
            continue
        assert words[0] == "ledger", line
        session = Session(_clock(number), lambda: next(salts), "ledger-test", lambda: next(seeds))
        result = runner.invoke(main, words[1:], input=stdin, obj=session)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        shown += result.stdout.splitlines()
        shown += [f"! {one}".rstrip() for one in result.stderr.splitlines()]
        if result.exit_code:
            shown.append(f"[exit {result.exit_code}]")
    return "\n".join(one.rstrip() for one in shown) + "\n"


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed in the transcript gives what stands in it, to the letter."""
    written = path.read_text()
    if "examples/" in written:
        (tmp_path / "examples").symlink_to(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    played = _play(written)
    if os.environ.get("LEDGER_REWRITE_TRANSCRIPTS"):
        path.write_text(played)
    assert played == written


def test_there_are_transcripts() -> None:
    """An empty folder would pass in silence."""
    assert len(TRANSCRIPTS) >= 4
