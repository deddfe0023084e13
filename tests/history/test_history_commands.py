"""The commands of history from outside: text that would act on a terminal, walking with keys, exact bytes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger.append import Appender
from ledger.cli import main
from ledger.cli.session import Session, visible
from ledger.proof.merkle import leaf_of
from ledger.store.location import open_log

# What a terminal would obey: an override of the direction of writing, its end, and marks of direction.
TURNED = "Refund \u202e000,1 \u202cEUR \u200f\u2066now\u2069"
HOSTILE = f"{TURNED} <script>alert(1)</script> [bold]x[/bold] %s {{}} \\x1b[2J"
ACTING = [
    chr(at)
    for at in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x202C, 0x200F, 0x2066, 0x2069)
    if at not in (9, 10)
]


def ledger(*words: str, expect: int = 0) -> Result:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == expect, result.output
    return result


def append(*actions: dict[str, Any]) -> None:
    appender = Appender("sqlite:///ledger.db")
    from ledger.domain.actions import parse_action

    appender.append(
        [parse_action({"incident": "mail", "actor": HOSTILE[:90], **action}) for action in actions]
    )
    appender.close()


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a ledger in which every text tries to act on the terminal."""
    monkeypatch.chdir(tmp_path)
    ledger("init")
    append(
        {"action": "open", "title": HOSTILE, "status": "investigating", "services": [TURNED], "components": ["flow"],
         "regions": [TURNED], "body": f"{HOSTILE}\n{'long ' * 4_000}", "source": HOSTILE, "note": HOSTILE},
        {"action": "add-window", "window": "w1", "service": TURNED, "component": "flow", "region": TURNED, "effect": "outage",
         "start": "2022-03-15T02:30:00Z", "end": "2022-03-15T10:00:00Z", "basis": "derived", "quote": HOSTILE, "ref": "w1"},
        {"action": "resolve", "body": HOSTILE, "ref": "over"},
    )  # fmt: skip
    append(
        {"action": "correct", "corrects": "over", "kind": "correction", "set": {"body": f"{HOSTILE} again"}, "reason": HOSTILE},
        {"action": "revise-window", "window": "w1", "end": "2022-03-15T11:00:00Z", "quote": f"{HOSTILE}!", "reason": HOSTILE},
        {"action": "redact", "entry": "v1", "fields": ["note"], "reason": HOSTILE},
    )  # fmt: skip
    return tmp_path


COMMANDS = [
    "notice mail", "log mail", "log", "show mail v1", "show mail over", "diff mail r1 r6", "diff mail r3 r4", "diff mail r4 r5",
    "blame mail", "replay mail", "state mail", "incidents", "notice mail --json", "log --json", "blame mail --json",
    "diff mail r1 r6 --json", "replay mail --json", "state mail --json", "show mail v1 --json",
    "downtime --period 2022-03",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_text_from_events_cannot_act_on_a_terminal(hostile: Path, command: str) -> None:
    said = ledger(*command.split()).output
    assert not [letter for letter in ACTING if letter in said]
    assert "202E" in said.upper()
    if "--json" in command:
        # It is the same JSON, and so the text comes back as it was.
        assert TURNED in json.dumps([json.loads(line) for line in said.splitlines()], ensure_ascii=False)


def test_control_characters_that_another_hand_stored_are_spelled_out() -> None:
    assert visible("\x1b[2J\x9b1m\x07 two\nlines\tand \u202eback") == (
        "<U+001B>[2J<U+009B>1m<U+0007> two\nlines\tand <U+202E>back"
    )
    assert visible("Ωmega naïve 日本語 עברית") == "Ωmega naïve 日本語 עברית"


def test_raw_is_exactly_what_was_hashed(hostile: Path) -> None:
    log = open_log("sqlite:///ledger.db", writable=False)
    raw = ledger("show", "mail", "v1", "--raw").stdout_bytes
    stored = log.at(1)
    assert stored is not None
    assert raw == stored.entry
    receipt = leaf_of(raw).hex()
    assert hashlib.sha256(b"\x00" + raw).hexdigest() == receipt
    assert json.loads(raw)["header"]["position"] == 1
    log.close()


def _terminal(words: list[str], folder: Path, keys: list[bytes]) -> tuple[str, int]:
    """Run a command in a terminal of its own, press keys one by one, and return what was shown and how it ended."""
    main_end, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", *words], stdin=end, stdout=end, stderr=end, cwd=folder, close_fds=True,
        env={**os.environ, "TERM": "xterm"}, start_new_session=True,
    )  # fmt: skip
    os.close(end)
    shown, waiting, until = b"", list(keys), time.monotonic() + 60
    try:
        while time.monotonic() < until:
            if not select.select([main_end], [], [], 0.2)[0]:
                continue
            try:
                part = os.read(main_end, 65_536)
            except OSError:  # the other end was closed: the command has ended
                break
            if not part:
                break
            shown += part
            # A page ends in the line of keys, and waits for one.
            if shown.endswith(b"q end\r\n") and waiting:
                _wait_for_keys(main_end)
                os.write(main_end, waiting.pop(0))
        return shown.decode(), process.wait(timeout=20)
    finally:
        process.kill()
        process.wait()
        os.close(main_end)


def _wait_for_keys(terminal: int) -> None:
    """Wait until single keys are read; what is pressed before that is thrown away by the terminal."""
    until = time.monotonic() + 20
    while termios.tcgetattr(terminal)[3] & termios.ICANON and time.monotonic() < until:
        time.sleep(0.01)


def test_replay_walks_with_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ledger("init")
    append({"action": "open", "title": "Mail lost", "status": "investigating", "body": "One."})
    append({"action": "update", "body": "Two."})
    append({"action": "update", "body": "Three."})
    keys = [b"n", b"\x1b[C", b"n", b"\x1b[D", b"p", b"p", b"G", b"g", b"x", b"q"]
    shown, ended = _terminal(["replay", "mail", "--step"], tmp_path, keys)
    assert ended == 0
    pages = [line[:6] for line in shown.splitlines() if line.endswith("q end")]
    assert [page[0] for page in pages] == ["1", "2", "3", "3", "2", "1", "1", "3", "1", "1"]
    assert "Mail lost\r\n=========" in shown  # each page has the notice as it then read


@pytest.mark.parametrize(
    ("more", "why"), [((), "this is no terminal"), (("--json",), "--json is for programs")]
)
def test_walking_asks_for_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], why: str
) -> None:
    """Nobody is there to press a key: that is said, and not walked over."""
    monkeypatch.chdir(tmp_path)
    ledger("init")
    append({"action": "open", "title": "Mail lost", "status": "investigating"})
    refused = ledger("replay", "mail", "--step", *more, expect=2)
    assert why in refused.stderr
    assert refused.stdout == ""


def test_a_closed_pipe_ends_in_silence(hostile: Path) -> None:
    for words in ("log mail", "blame mail", "replay mail"):
        done = subprocess.run(
            f"{sys.executable} -m ledger {words} | head -n 1",
            shell=True,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_others_count_beside_an_incident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ledger("init")
    opened = {"action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
              "components": ["flow"], "regions": ["EMEA"]}  # fmt: skip
    window = {"action": "add-window", "window": "w1", "service": "email", "component": "flow", "region": "EMEA",
              "effect": "outage", "start": "2022-03-15T02:00:00Z", "end": "2022-03-15T10:00:00Z"}  # fmt: skip
    append({**opened, "incident": "other"}, {**window, "incident": "other", "start": "2022-03-15T09:00:00Z",
                                             "end": "2022-03-15T12:00:00Z"})  # fmt: skip
    append(opened)
    append(window)
    alone, beside = (
        json.loads(ledger("diff", "mail", "r1", "r2", "--json", *more).output)["consequences"][0]
        for more in ((), ("--with-others",))
    )
    assert (alone["downtime_seconds_before"], alone["downtime_seconds_after"]) == (0, 28_800)
    assert (beside["downtime_seconds_before"], beside["downtime_seconds_after"]) == (10_800, 36_000)


def test_amounts_credit_the_customers_of_a_cohort_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
    if not examples.exists():
        pytest.skip("the example stands in the checkout, and this is a run away from it")
    monkeypatch.chdir(tmp_path)
    ledger("init")
    ledger("policy", "publish", str(examples / "policies" / "email-standard.toml"), "--actor", "finance")
    rows = ("Aurora,a-1", "Baltic,b-1")
    Path("paid.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
        + "".join(f"{row},email,EMEA,email-standard,EUR,100.00,2021-01-01,\n" for row in rows)
    )
    Path("beta.csv").write_text("customer\nBaltic\n")
    ledger("subscriptions", "publish", "paid", "paid.csv", "--actor", "finance")
    ledger("cohort", "publish", "beta", "beta.csv", "--actor", "finance")
    append({"action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
            "components": ["flow"], "regions": ["EMEA"]})  # fmt: skip
    append({"action": "add-window", "window": "w1", "service": "email", "component": "flow", "region": "EMEA", "cohort": "beta",
            "effect": "outage", "start": "2022-03-15T02:00:00Z", "end": "2022-03-15T10:00:00Z"})  # fmt: skip
    found = json.loads(ledger("diff", "mail", "r1", "r2", "--amounts", "--json").output)
    [total] = found["totals"]
    assert (total["credit_before"], total["credit_after"], total["delta"]) == ("0.00", "25.00", "25.00")
    # Of the region as a whole it is not known who is meant.
    [policy] = found["consequences"][0]["policies"]
    assert (policy["credit_percent_after_at_least"], policy["credit_percent_after_at_most"]) == ("0", "25")


@pytest.mark.postgres
def test_both_databases_tell_the_same_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = []
    for url in ("sqlite:///ledger.db", postgres_url):
        session = Session(lambda: 1_648_659_600_000_000, ledger_id="ledger-test")

        def run(*words: str, at: str = url, by: Session = session) -> str:
            result = CliRunner().invoke(main, ("--ledger", at, *words), obj=by)
            assert result.exit_code == 0, result.output
            return result.output

        run("init")
        opened = (
            "--title",
            "Mail lost",
            "--status",
            "investigating",
            "--region",
            "EMEA",
            "--service",
            "email",
        )
        run("incident", "open", "mail", "--actor", "ops", *opened, "--component", "flow")
        place = ("--service", "email", "--component", "flow", "--region", "EMEA", "--effect", "outage")
        run("window", "add", "mail", "w1", "--actor", "ops", *place, "--start", "2022-03-15T02:30:00Z")
        run(
            "window",
            "revise",
            "mail",
            "w1",
            "--actor",
            "ops",
            "--end",
            "2022-03-15T10:00:00Z",
            "--reason",
            "Over.",
        )
        words = (
            "log mail --json",
            "diff mail r2 r3",
            "blame mail",
            "replay mail --json",
            "state mail --json",
        )
        told.append([run(*one.split()) for one in words])
    assert told[0] == told[1]
