"""From the commit on nothing looks like a refusal: an interrupt, a full disk or a lost reader is told as what it is.

Until the commit an interrupt leaves the ledger as it was; a change commits whole, also line by line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main
from ledger.store.location import open_log
from ledger.store.sqlite import SQLiteLog

_OPEN = {"action": "open", "incident": "a", "actor": "ops", "title": "T", "status": "investigating"}
_FULL = Path("/dev/full")


def _update(number: int, **fields: Any) -> dict[str, Any]:
    return {"action": "update", "incident": "a", "actor": "ops", "body": f"{number}.", **fields}


def _written(folder: Path, *actions: dict[str, Any]) -> str:
    path = folder / "actions.jsonl"
    path.write_text("".join(json.dumps(action) + "\n" for action in actions))
    return str(path)


def _run(url: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["--ledger", url, *words])


def _program(url: str, words: Sequence[str], **settings: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ledger", "--ledger", url, *words], stderr=subprocess.PIPE, text=True, **settings
    )  # fmt: skip


def _interrupted(program: subprocess.Popen[str], *, after: int) -> tuple[int, str]:
    """Interrupt a program after so many receipts, of which nobody reads more; return its exit code and what it said."""
    with program:
        assert program.stdout is not None
        assert program.stderr is not None
        for _ in range(after):
            assert program.stdout.readline().startswith("recorded @")
        program.send_signal(signal.SIGINT)
        said = program.stderr.read()
    return program.returncode, said


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Whoever runs the tests in the background has interrupts ignored, and so would every program that a test starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def url(sqlite_url: str) -> str:
    assert _run(sqlite_url, "init").exit_code == 0
    return sqlite_url


def _size(url: str) -> int:
    log = open_log(url, writable=False)
    try:
        return log.head().size
    finally:
        log.close()


def test_an_interrupt_while_receipts_are_shown_says_what_was_stored(url: str, tmp_path: Path) -> None:
    lines = _written(tmp_path, _OPEN, *(_update(number) for number in range(2_999)))
    # Nobody reads on: the receipts are more than a pipe holds, so the program waits in the middle of them.
    code, said = _interrupted(_program(url, ["append", lines], stdout=subprocess.PIPE), after=1)
    assert code == 3
    assert said == (
        "ledger: everything was stored (@1 to @3000), so do not send it again, but an interrupt came before all of it was "
        "shown\n"
    )
    assert _size(url) == 3_000


def _interrupting(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Interrupt right before a statement is run."""
    ordinary = SQLiteLog._execute

    def execute(log: SQLiteLog, sql: str, parameters: Sequence[Any] = ()) -> Any:
        if sql.startswith(at):
            os.kill(os.getpid(), signal.SIGINT)
        return ordinary(log, sql, parameters)

    monkeypatch.setattr(SQLiteLog, "_execute", execute)


@pytest.mark.parametrize("words", [["append"], ["append", "--each"]])
def test_an_interrupt_in_the_middle_of_a_commit_waits_for_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    lines = _written(tmp_path, _OPEN)
    _interrupting(monkeypatch, "COMMIT")
    result = _run(url, *words, lines)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "everything was stored (@1), so do not send it again, but an interrupt came" in result.stderr
    assert _size(url) == 1
    # What the program does with an interrupt is as before.
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["append"], "ledger: interrupted; nothing was stored\n"),
        (["append", "--each"], "ledger: line 1: interrupted; nothing was stored\nledger: stopped at line 1; the lines before it are recorded\n"),
    ],
)  # fmt: skip
def test_an_interrupt_before_the_commit_stores_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    lines = _written(tmp_path, _OPEN)
    _interrupting(monkeypatch, "UPDATE ledger_head")
    result = _run(url, *words, lines)
    assert (result.exit_code, result.stderr) == (3, said)
    assert _size(url) == 0


def test_line_by_line_an_interrupt_says_where_it_stopped(url: str, tmp_path: Path) -> None:
    lines = _written(tmp_path, _OPEN, *(_update(number) for number in range(2_999)))
    code, said = _interrupted(_program(url, ["append", "--each", lines], stdout=subprocess.PIPE), after=3)
    assert code == 3
    size = _size(url)
    assert 3 <= size < 3_000
    assert (
        f"stopped after line {size}; it is recorded" in said
        or f"line {size + 1}; the lines before it are recorded" in said
    )


@pytest.mark.skipif(not _FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", [["--json"], []])
def test_what_was_stored_is_said_where_the_receipt_finds_no_room(url: str, words: list[str]) -> None:
    assert (
        _run(
            url, "incident", "open", "a", "--actor", "ops", "--title", "T", "--status", "investigating"
        ).exit_code
        == 0
    )
    with _FULL.open("w") as full:
        program = _program(
            url, ["incident", "update", "a", "--actor", "ops", "--body", "b", *words], stdout=full
        )
        _, said = program.communicate(timeout=60)
    assert program.returncode == 3
    assert said == (
        "ledger: everything was stored (@2), so do not send it again, but standard output cannot be written: No space left on "
        "device; send it somewhere else\n"
    )
    assert _size(url) == 2


@pytest.mark.skipif(not _FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "words",
    [["log"], ["incidents"], ["verify"], ["show", "@1", "--raw"], ["notice", "a", "--json"], ["--help"]],
)
def test_every_command_says_that_its_output_finds_no_room(url: str, words: list[str]) -> None:
    _run(url, "incident", "open", "a", "--actor", "ops", "--title", "T", "--status", "investigating")
    with _FULL.open("w") as full:
        program = _program(url, words, stdout=full)
        _, said = program.communicate(timeout=60)
    assert program.returncode == 3
    assert said.splitlines()[-1] == (
        "ledger: standard output cannot be written: No space left on device; send it somewhere else"
    )
    assert "Traceback" not in said


def test_a_reader_that_has_seen_enough_is_no_failure(url: str, tmp_path: Path) -> None:
    lines = _written(tmp_path, _OPEN, *(_update(number) for number in range(2_999)))
    with _program(url, ["append", lines], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.close()
    assert program.returncode == 0
    assert _size(url) == 3_000


# ---- the lines of a change -------------------------------------------------------------------------------


def test_line_by_line_a_change_commits_whole(url: str, tmp_path: Path) -> None:
    lines = _written(
        tmp_path, _OPEN, _update(1, change="c"), _update(2, change="c"), _update(3, change="d"), _update(4)
    )
    result = _run(url, "append", "--each", lines)
    assert (result.exit_code, result.stdout.count("recorded @")) == (0, 5)
    revisions = [json.loads(line)["revision"] for line in _run(url, "log", "a", "--json").stdout.splitlines()]
    assert revisions == [1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    "bad",
    [{**_update(3, change="c"), "status": "resolved"}, {**_update(3, change="c"), "boddy": "x"}],
    ids=["an order rule", "a field"],
)
def test_a_bad_line_of_a_change_stores_nothing_of_it(url: str, tmp_path: Path, bad: dict[str, Any]) -> None:
    lines = _written(tmp_path, _OPEN, _update(1), _update(2, change="c"), bad, _update(4))
    result = _run(url, "append", "--each", lines)
    assert (result.exit_code, result.stdout.count("recorded @")) == (1, 2)
    first, last = result.stderr.splitlines()
    assert first.startswith("ledger: line 4: ")
    assert last == (
        "ledger: stopped at line 3; the lines before it are recorded, and of its change, lines 3 to 4, nothing"
    )
    assert _size(url) == 2


def test_a_bad_line_after_a_change_leaves_the_change(url: str, tmp_path: Path) -> None:
    lines = _written(
        tmp_path, _OPEN, _update(1, change="c"), _update(2, change="c"), {**_update(3), "boddy": "x"}
    )
    result = _run(url, "append", "--each", lines)
    assert (result.exit_code, _size(url)) == (1, 3)
    assert result.stderr.splitlines()[-1] == "ledger: stopped at line 4; the lines before it are recorded"
