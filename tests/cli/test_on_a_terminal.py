"""What people see on a terminal of 80 columns: no line is wider, no word is cut in two, and nothing is lost."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cli import output
from ledger.cli.session import folded
from ledger.errors import counted

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"


def _seen(url: str, *words: str, width: int = 80) -> str:
    """Return what a command shows on a terminal of so many columns, without its colours."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = subprocess.Popen(
        [sys.executable, "-m", "ledger", "--ledger", url, *words],
        stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.PIPE, env={**environment, "TERM": "xterm"},
    )  # fmt: skip
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 65_536):
            shown += part
    except OSError:
        pass  # the other end is closed
    os.close(master)
    assert command.communicate()[1] == b""
    assert command.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the ledger of the example."""
    if not EXAMPLE.exists():
        pytest.skip("the example stands in the checkout, and this is a run away from it")
    found = f"sqlite:///{tmp_path_factory.mktemp('terminal') / 'ledger.db'}"
    for words in (("init",), ("append", "actions.jsonl")):
        subprocess.run(
            [sys.executable, "-m", "ledger", "--ledger", found, *words],
            cwd=EXAMPLE, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("incidents", "Some mail lost while being delivered"),
        ("log email-2022-03", "window.added nam-quarantine"),
        ("show email-2022-03 v10", "corrects              v6"),
        ("notice email-2022-03", "2022-03-30 16:52 UTC"),
        ("downtime --period 2022-03", "email-2022-03/nam-quarantine"),
        ("credits compute --period 2022-03", "availability 98.991935483%"),
        ("credits compute --period 2022-03 --compare-published-by 2022-03-20T00:00Z", "credit before 1050.00"),
    ],
)  # fmt: skip
def test_no_line_is_wider_than_the_terminal(url: str, command: str, wanted: str) -> None:
    shown = _seen(url, *command.split())
    assert wanted in re.sub(r"\s*\n\s+", " ", shown) or wanted in shown
    for line in shown.split("\n"):
        # An address is not broken, so that it can be followed.
        assert len(line) <= 80 or "https://" in line, line
    assert not re.search(r"\d\.\d{5,6} UTC|\{'|\('", shown)


def test_a_table_that_fits_stays_a_table(url: str) -> None:
    shown = _seen(url, "incidents", width=140)
    assert re.search(r"^ incident +title +status", shown, re.MULTILINE)


@given(st.text(st.sampled_from("ab  \n@1"), max_size=200), st.integers(40, 80))
def test_folding_changes_white_space_only(text: str, width: int) -> None:
    found = folded(text, width)
    assert found.split() == text.split()
    assert all(len(line) <= width or " " not in line.strip() for line in found.split("\n"))


@pytest.mark.parametrize("encoding", ["ascii", "ascii:surrogateescape", "cp1252"])
def test_what_a_terminal_cannot_show_is_told_all_the_same(tmp_path: Path, encoding: str) -> None:
    """As the table of incidents does, which the library for tables writes; in the locale C Python asks for surrogateescape."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    opening = ("incident", "open", "k", "--title", "東京", "--actor", "ops", "--status", "investigating")
    for words in (
        ("init",),
        opening,
        ("incidents",),
        ("notice", "k"),
        ("log",),
        ("bundle", "k", "-o", str(tmp_path / "b")),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ledger", "--ledger", url, *words],
            check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert (done.returncode, done.stderr.replace(b"\r", b"").startswith(b"ledger:")) == (0, False), (
            done.stderr
        )
        if words[0] in ("incidents", "notice"):
            assert "東京".encode() in done.stdout or b"\\u6771\\u4eac" in done.stdout


def test_what_a_console_of_windows_cannot_show_is_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written, encoding="cp1252")
    monkeypatch.setattr(sys, "__stdout__", stdout)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(output, "os", SimpleNamespace(name="nt"))
    assert output.guard_output()
    print("東京 Größe", flush=True)
    assert written.getvalue().replace(b"\r", b"") == b"\\u6771\\u4eac Gr\xf6\xdfe\n"


def test_one_is_not_many() -> None:
    assert [counted(number, "entry") for number in (0, 1, 2_048)] == ["0 entries", "1 entry", "2,048 entries"]
    assert (counted(1, "text"), counted(2, "text")) == ("1 text", "2 texts")


def test_a_key_has_a_line_of_its_own(tmp_path: Path) -> None:
    """So that it can be copied; one of a ledger's own name fits."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    for words in (("init",), ("key", "new", "main", "--actor", "ops", "--key-file", str(tmp_path / "k"))):
        subprocess.run(
            [sys.executable, "-m", "ledger", "--ledger", url, *words], check=True, capture_output=True
        )
    lines = _seen(url, "key", "list").split("\n")
    [vkey] = [
        line for line in lines if re.fullmatch(r"ledger-[0-9a-f]{16}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", line)
    ]
    assert max(map(len, lines)) == len(vkey) <= 80
