"""Several processes create one ledger at once: one does, and the others are told that there is one."""

from __future__ import annotations

import subprocess
import sys

import pytest

_INIT = (
    "import sys\nfrom ledger.cli import main\nsys.stdin.readline()\n"
    "main(['--ledger', sys.argv[1], 'init'], prog_name='ledger')\n"
)


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_one_of_six_creates_it(database: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(database)
    made = [
        subprocess.Popen(
            [sys.executable, "-c", _INIT, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]  # fmt: skip
    for one in made:
        # All have loaded what they need before the first is let go.
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [(*one.communicate(timeout=120), one.returncode) for one in made]
    assert sorted(code for _, _, code in said) == [0, 1, 1, 1, 1, 1], said
    for out, err, code in said:
        assert out.startswith("created ") if code == 0 else "already holds a ledger (ledger-" in err, (
            out,
            err,
        )
