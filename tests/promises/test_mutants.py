"""The tool that changes the calculator place by place says exactly what the tests of a small project notice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import mutants
from tools.mutants import BrokenError, forked

# Only one thread forks here; those of a worker that pytest runs in parallel wait.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

CALCULATOR = """
class Account:
    def __init__(self, cents):
        self.cents = cents

    @property
    def owes(self):
        return self.cents < 0

    @property
    def balance(self):
        return self.cents


def fee(hours):
    if hours > 100:
        return 900
    return hours * 10


def halvings(number):
    count = 0
    while number > 1:
        number //= 2
        count += 1
    return count


def unused(hours):
    return hours + 1
"""
TESTS = """
from projections.small import Account, fee, halvings

def test_fee():
    assert [fee(0), fee(7), fee(101)] == [0, 70, 900]

def test_owes():
    assert Account(-5).owes and not Account(5).owes
    assert Account(-5).balance + 5 == 0

def test_halvings():
    assert [halvings(1), halvings(2), halvings(5)] == [0, 1, 2]
"""
SETTINGS = """
[tool.mutmut]
source_paths = ["projections"]
only_mutate = ["projections/small.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:randomly"]
pytest_add_cli_args_test_selection = ["tests"]
[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the tool, a module and its tests."""
    for name in ("projections", "tests", "tools"):
        (tmp_path / name).mkdir()
    (tmp_path / "projections/__init__.py").touch()
    (tmp_path / "projections/small.py").write_text(CALCULATOR)
    (tmp_path / "tests/test_small.py").write_text(TESTS)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "tools/mutants.py").write_bytes(Path(mutants.__file__).read_bytes())
    return tmp_path


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.mutants", *arguments], cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(project), "MUTANTS_IN": "changed"},
    )  # fmt: skip


def _verdicts(project: Path) -> dict[str, str]:
    kept = json.loads((project / "changed/verdicts.json").read_text())
    return {name.removeprefix("projections.small."): verdict for name, (_, verdict) in kept.items()}


def _left(project: Path) -> list[str]:
    """Return what is changed by the mutants that are left."""
    texts = (project / "changed/survivors.txt").read_text().splitlines()
    return [found[0] for text in texts if (found := re.search(r"\S+ \S* ?\[-.*?-\]\[\+.*?\+\] ?\w*", text))]


def test_each_mutant_is_what_the_tests_make_of_it(project: Path) -> None:
    """100 hours are asked by no test, and neither is no debt at all; nothing calls `unused`."""
    run = _run(project)
    assert (run.returncode, run.stderr) == (1, "")
    assert _left(project) == [
        "self.cents <[--][+=+] 0",
        "self.cents < [-0-][+1+]",
        "hours >[--][+=+] 100",
        "return hours [-+-][+-+] 1",
        "hours + [-1-][+2+]",
    ]
    first = _verdicts(project)
    endless = [name for name, verdict in first.items() if verdict == "endless"]
    code = (project / "changed/projections/small.py").read_text()
    assert [
        code.partition(f"def {name}(")[2].partition("count +=")[0].count("number = 2") for name in endless
    ] == [1]
    assert Counter(first.values()) == {"killed": 14, "endless": 1, "survived": 3, "unreached": 2}
    assert run.stdout.splitlines()[-1] == "| `projections.small` | 20 | 0 | 14 | 1 | 3 | 2 |"

    # An edit gives new numbers to the mutants of a function, which no verdict is known of then; those of others are kept.
    (project / "projections/small.py").write_text(
        CALCULATOR.replace("    if hours > 100", "    hours += 0\n    if hours > 100")
    )
    more = TESTS.replace("[fee(0)", "[fee(100) - 1000, fee(0)").replace("[0, 70", "[0, 0, 70")
    (project / "tests/test_small.py").write_text(f"{more.rstrip()} and not Account(0).owes\n")
    run = _run(project, "--again", "*fee*", "*Account*")
    assert run.returncode == 1
    assert _left(project) == ["(hours): hours [-+-][+-+]"]
    again = _verdicts(project)
    kept = {name: said for name, said in first.items() if "fee" not in name and said != "survived"}
    assert kept.items() < again.items()
    assert Counter(again.values()) == {"killed": 19, "endless": 1, "survived": 1, "unreached": 2}


def test_what_a_cache_hides_is_reached(project: Path) -> None:
    """The first run of a test fills the cache; the one that is watched reaches what lies behind it all the same."""
    (project / "projections/small.py").write_text(
        "from functools import cache\n\n@cache\ndef kept(hours):\n    return _fee(hours)\n\ndef _fee(hours):\n    return hours * 10\n"
    )
    (project / "tests/test_small.py").write_text(
        "from projections.small import kept\n\ndef test_kept():\n    assert kept(7) == 70\n"
    )
    assert _run(project).returncode == 0
    assert set(_verdicts(project).values()) == {"killed"}


def test_what_goes_wrong_beside_a_test_finds_no_mutant(project: Path) -> None:
    """pytest itself fails here as soon as a mutant of `fee` is at work."""
    (project / "tests/conftest.py").write_text(
        "from projections.small import fee\n\n"
        "def pytest_runtest_logreport(report):\n"
        "    if fee(7) != 70 or fee(101) != 900:\n"
        "        raise OSError('no space left to report on')\n"
    )
    run = _run(project, "*x_fee*")
    assert run.returncode == 3
    assert "OSError: no space left to report on" in run.stderr
    assert "mutants were not tried; what stopped it stands above" in run.stderr
    assert set(_verdicts(project).values()) == {"survived"}


def test_a_mutant_that_brings_python_down_is_found(project: Path) -> None:
    """Without a mutant it must not, as then it says nothing of any."""
    crash = "import os, signal\nfrom projections.small import fee\n\ndef test_fee():\n    if fee(7) != {}:\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
    (project / "tests/test_small.py").write_text(crash.format(70))
    assert _run(project, "*x_fee*").returncode == 1
    found = Counter(_verdicts(project).values())
    assert found["killed"] >= 2
    assert found["killed"] + found["survived"] + found["unreached"] == found.total()
    (project / "tests/test_small.py").write_text(crash.format(71))
    run = _run(project, "*x_fee*")
    assert run.returncode == 3
    assert "was ended by SIGSEGV" in run.stderr


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("import projections.none\n", "tests cannot be collected (1 errors); mend them first"),
        (
            "seen = []\ndef test_a():\n    seen.append(1)\ndef test_b():\n    assert seen.pop()\n",
            "test_b fails without any mutant; mend it first",
        ),
    ],
)
def test_without_sound_tests_nothing_is_tried(project: Path, tests: str, said: str) -> None:
    """A test that needs another one before it would find every mutant; one that is not there finds none."""
    (project / "tests/test_small.py").write_text(tests)
    run = _run(project, "*x_fee*")
    assert run.returncode == 3
    assert said in run.stderr
    assert _verdicts(project) == {}


def _busy() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "call", [_busy, lambda: time.sleep(60), lambda: bytearray(5 << 30)], ids=["busy", "waits", "memory"]
)
def test_a_call_that_takes_too_much_is_stopped(call: Callable[[], object]) -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        forked(call, seconds=1, clock=20 if call is _busy else 1)
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: 1 // 0, "ZeroDivisionError"),
        (lambda: sys.exit(0), "SystemExit"),
        (lambda: os._exit(0), "ended with 0, and without an answer"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), "ended with -15"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "ended by SIGSEGV"),
        (lambda: lambda: None, "ended with 1"),
    ],
)
def test_a_call_that_fails_is_no_answer(call: Callable[[], object], said: str) -> None:
    """The last one returns what cannot be sent."""
    with pytest.raises(BrokenError, match=said):
        forked(call, seconds=5)


def test_an_answer_comes_whole() -> None:
    assert forked(lambda: "x" * 3_000_000) == "x" * 3_000_000
    assert forked(lambda: None) is None
