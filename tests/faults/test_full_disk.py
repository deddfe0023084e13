"""A disk that is full in the middle of an append: a sentence, nothing half-written, and everything acknowledged is there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import IncidentLedger
from ledger.store.location import open_log
from ledger.store.verify import verify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the limit on a file's size is one of POSIX")

# The system refuses every write past the limit, as a full disk would. Each line is an acknowledged position.
_WRITER = """
import resource, signal, sys
from ledger.application import IncidentLedger
from ledger.errors import LedgerError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
url, limit = sys.argv[1], int(sys.argv[2])
ledger = IncidentLedger(url)
ledger.sealed.head()
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for number in range(10_000):
        print(ledger.record("update", "a", actor="ops", body=f"{number} " + "x" * 3_000).position, flush=True)
except LedgerError as error:
    print(f"{error.exit_code} {error}", file=sys.stderr)
"""


@pytest.mark.parametrize("more", [20_000, 150_000, 600_000])
def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path, more: int) -> None:
    path = tmp_path / "ledger.db"
    url = f"sqlite:///{path}"
    with closing(IncidentLedger(url)) as ledger:
        ledger.create()
        ledger.record("open", "a", actor="ops", title="T", status="investigating")
    limit = path.stat().st_size + more
    done = subprocess.run(
        [sys.executable, "-c", _WRITER, url, str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    acknowledged = [int(line) for line in done.stdout.split()]
    assert 0 < len(acknowledged) < 10_000
    assert done.stderr.startswith("3 "), done.stderr
    assert "nothing was stored: check the disk's free space" in done.stderr
    assert "Traceback" not in done.stderr
    with closing(open_log(url, writable=False)) as log:
        assert verify(log).ok
        assert log.head().size >= acknowledged[-1]
        assert [row[0] for row in log.rows(after=1)][: len(acknowledged)] == acknowledged
    # With room again, it goes on where it was.
    with closing(IncidentLedger(url)) as ledger:
        size = ledger.sealed.head().size
        assert ledger.record("update", "a", actor="ops", body="Room again.").position == size + 1
