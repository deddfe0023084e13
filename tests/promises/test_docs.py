"""What the papers say is true: generated pages, commands of the README, links, and what a command loads."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not (ROOT / "README.md").exists(),
    reason="the papers stand in the checkout, and this is a run away from it",
)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
HEAVY = ("sqlalchemy", "pandas", "openpyxl", "pyarrow", "rich", "numpy")


def test_generated_pages_are_fresh() -> None:
    """The pages of events and commands are what the code says."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.docs", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_readme_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `ledger` command of the README runs, in order, in an empty folder."""
    from ledger.cli import main

    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    lines = [line for block in SHELL.findall((ROOT / "README.md").read_text()) for line in block.splitlines()]
    ran = 0
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            continue
        assert words[0] == "ledger"
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        ran += 1
    assert ran >= 12


def test_links_resolve() -> None:
    """Every file that the papers name is there."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
        for name in re.findall(
            r"`((?:docs|src|projections|tests|examples|benchmarks|tools)/[\w./-]+)`", page.read_text()
        ):
            # NAME stands for a name the reader chooses.
            assert "NAME" in name or (ROOT / name).exists(), f"{page.name} names {name}"


@pytest.mark.parametrize("command", ["append", "notice"])
def test_commands_load_no_reporting_library(command: str, tmp_path: Path) -> None:
    """Recording and reading a notice pay for no reporting library."""
    words = {
        "append": ["incident", "open", "x-1", "--actor", "a", "--title", "t", "--status", "investigating"],
        "notice": ["notice", "x-1"],
    }
    program = (
        "import sys\nfrom ledger.cli import main\n"
        f"for words in (['init'], {words['append']!r}, {words['notice']!r}):\n"
        "    try: main(words, prog_name='ledger')\n"
        "    except SystemExit as end: assert not end.code, words\n"
        f"    if words[0] == {words[command][0]!r}: break\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_machine_paths_and_no_registries() -> None:
    """No path of a machine and no address of a package registry stands in a tracked file."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    refused = re.compile("/" + "work/main|/" + "root/|pypi" + r"\.org|--index" + "-url|--find" + "-links")
    for name in listed.stdout.splitlines():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        assert not refused.search(text), f"{name}: {refused.search(text)}"
