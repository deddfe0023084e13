"""Processes that write at once, and processes that are killed: nothing acknowledged is lost, nothing half written."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from ledger.application import IncidentLedger
from ledger.domain.events import IncidentUpdated
from ledger.store.stream import Entry, open_entry
from ledger.store.tree import Frontier, leaf_hash

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal of POSIX"),
]
_WRITERS = 8
_EACH = 25
_ROUNDS = 40

# Each line it prints is a promise: the append it names was acknowledged.
_WRITER = """
import sys
from ledger.application import IncidentLedger
url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
ledger = IncidentLedger(url)
own = ledger.record("open", f"own-{name}", actor=name, title="t", status="investigating")
print(own.position, own.leaf, "own", flush=True)
sys.stdin.readline()
for number in range(count):
    stream = "shared" if number % 2 else f"own-{name}"
    receipt = ledger.record("update", stream, actor=name, body=f"{name}:{number}", idempotency_key=f"{name}:{number}")
    print(receipt.position, receipt.leaf, f"{name}:{number}", flush=True)
ledger.close()
"""

# Says "inside" from within the transaction, after the rows are in and before the commit, and waits to be killed.
_VICTIM = """
import sys, time
from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
url, name, count, inside = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "inside"
ledger = IncidentLedger(url)

def update(number, part):
    return parse_action({"action": "update", "incident": "shared", "actor": name, "body": f"{name}:{number}:{part}"})

for number in range(count):
    for receipt in ledger.append([update(number, part) for part in range(3)]):
        print(receipt.position, receipt.leaf, f"{name}:{number}", flush=True)
if inside:
    log = ledger.sealed
    stored = log._executemany
    def half_way(sql, rows):
        stored(sql, rows)
        print("inside", flush=True)
        time.sleep(600)
    log._executemany = half_way
    ledger.append([update(count, part) for part in range(3)])
print("ready", flush=True)
number = count
while True:
    ledger.append([update(number, part) for part in range(3)])
    number += 1
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    with contextlib.closing(IncidentLedger(found)) as ledger:
        ledger.create("fault-test")
        ledger.record("open", "shared", actor="ops", title="t", status="investigating")
    return found


def _start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def _all_ended(processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    """Whatever happens inside, no process and no pipe outlives the test."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _receipt(line: str) -> tuple[int, str, str]:
    position, leaf, label = line.split()
    return int(position), leaf, label


def _checked(url: str) -> list[Entry]:
    """Return all entries, after checking that they are dense, in order, and what the head says they are."""
    # One state: a server may still be finishing what a killed client had sent.
    with contextlib.closing(IncidentLedger(url)) as ledger, ledger.sealed.snapshot():
        stored = list(ledger.sealed.entries())
        head = ledger.sealed.head()
        assert ledger.sealed.root_at(head.size) == head.root
    frontier = Frontier()
    for one in stored:
        frontier.add(leaf_hash(one.entry))
    assert frontier.root() == head.root
    assert frontier.pack() == head.frontier
    entries = [open_entry(one, None) for one in stored]
    assert [entry.position for entry in entries] == list(range(1, head.size + 1))
    assert [one.position for one in stored] == list(range(1, head.size + 1))
    times = [entry.recorded_at for entry in entries]
    assert times == sorted(set(times))
    assert head.last_recorded_at == times[-1]
    versions: dict[str, int] = {}
    for entry in entries:
        versions[entry.stream] = versions.get(entry.stream, 0) + 1
        assert entry.version == versions[entry.stream]
    return entries


def _leaves(url: str) -> list[str]:
    with contextlib.closing(IncidentLedger(url)) as ledger:
        return [leaf_hash(one.entry).hex() for one in ledger.sealed.entries()]


def test_eight_processes_append_at_once(url: str) -> None:
    """Each to an incident of its own and to one they share: every acknowledged append is there, once."""
    processes = [_start(_WRITER, url, f"w{number}", str(_EACH)) for number in range(_WRITERS)]
    with _all_ended(processes):
        for process in processes:
            # All have opened their ledger before the first goes on.
            assert _pipe(process.stdout).readline().endswith("own\n")
        for process in processes:
            _pipe(process.stdin).write("go\n")
            _pipe(process.stdin).flush()
        said: list[tuple[int, str, str]] = []
        for process in processes:
            output, errors = process.communicate(timeout=120)
            assert (process.returncode, errors) == (0, "")
            said += map(_receipt, output.splitlines())
    assert len(said) == _WRITERS * _EACH
    entries, leaves = _checked(url), _leaves(url)
    assert len(entries) == 1 + _WRITERS + len(said)
    for position, leaf, label in said:
        event = entries[position - 1].event
        assert isinstance(event, IncidentUpdated)
        assert (event.body, leaves[position - 1]) == (label, leaf)
    bodies = [entry.event.body for entry in entries if isinstance(entry.event, IncidentUpdated)]
    assert sorted(map(str, bodies)) == sorted(label for _, _, label in said)


def test_a_killed_writer_loses_nothing_it_acknowledged_and_leaves_nothing_half_written(url: str) -> None:
    """Forty rounds: batches of three are acknowledged, then `kill -9`; every other time inside a transaction."""
    acknowledged: dict[int, tuple[str, str]] = {}
    killed_inside = 0
    for turn in range(_ROUNDS):
        inside = turn % 2 == 1
        process = _start(_VICTIM, url, f"k{turn}", str(1 + turn % 3), "inside" if inside else "anywhere")
        with _all_ended([process]):
            told = 0
            for line in _pipe(process.stdout):
                if line in {"inside\n", "ready\n"}:
                    break
                position, leaf, label = _receipt(line)
                acknowledged[position] = (leaf, label)
                told += 1
            else:
                pytest.fail(_pipe(process.stderr).read())
            assert told == 3 * (1 + turn % 3)
            process.send_signal(signal.SIGKILL)
            assert process.wait(timeout=30) == -signal.SIGKILL
        killed_inside += inside
        entries = _checked(url)
        assert (len(entries) - 1) % 3 == 0, "part of a batch was stored"
        if inside:
            # The transaction it died in left no trace, and what came before it is all there.
            assert sum(str(entry.event.body).startswith(f"k{turn}:") for entry in entries) == told
    assert killed_inside >= 20
    entries, leaves = _checked(url), _leaves(url)
    for position, (leaf, label) in acknowledged.items():
        assert leaves[position - 1] == leaf
        assert str(entries[position - 1].event.body).startswith(f"{label}:")
    # Each batch stands whole and in order.
    bodies = [str(entry.event.body) for entry in entries[1:]]
    for at in range(0, len(bodies), 3):
        first = bodies[at].rpartition(":")[0]
        assert bodies[at : at + 3] == [f"{first}:{part}" for part in range(3)]
    # And the ledger goes on.
    with contextlib.closing(IncidentLedger(url)) as ledger:
        assert ledger.record("resolve", "shared", actor="ops").position == len(entries) + 1


def test_a_retry_of_an_append_whose_answer_was_lost_gives_the_first_receipt(sqlite_url: str) -> None:
    """Given a writer killed after its commit and before its answer, when the line is sent again, then it stands once."""
    program = """
import os, signal, sys
from ledger.application import IncidentLedger
ledger = IncidentLedger(sys.argv[1])
save = ledger.save_events
def save_and_die(*events, **more):
    save(*events, **more)
    os.kill(os.getpid(), signal.SIGKILL)
ledger.save_events = save_and_die
ledger.record("open", "a", actor="ops", title="t", status="investigating", idempotency_key="import:1")
"""
    with contextlib.closing(IncidentLedger(sqlite_url)) as ledger:
        ledger.create("fault-test")
        process = _start(program, sqlite_url)
        with _all_ended([process]):
            assert process.wait(timeout=30) == -signal.SIGKILL
        head = ledger.sealed.head()
        assert head.size == 1
        receipt = ledger.record(
            "open", "a", actor="ops", title="t", status="investigating", idempotency_key="import:1"
        )
        assert (receipt.position, receipt.replayed, receipt.root) == (1, True, head.root.hex())
        assert ledger.sealed.head() == head
