"""What the papers say is true: generated pages, commands of the README, links, and what a command loads."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not (ROOT / "README.md").exists(),
    reason="the papers stand in the checkout, and this is a run away from it",
)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
HEAVY = ("sqlalchemy", "pandas", "openpyxl", "pyarrow", "rich", "numpy", "cryptography")


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
    assert ran >= 20
    assert (tmp_path / "credits-2022-03.xlsx").stat().st_size > 0


@pytest.mark.parametrize("page", ["proofs.md", "statements.md"])
def test_commands_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of a page runs, in order, in an empty folder; `> FILE` writes what was printed."""
    from ledger.cli import main

    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    lines = [
        line for block in SHELL.findall((ROOT / "docs" / page).read_text()) for line in block.splitlines()
    ]
    assert len(lines) >= 12
    for line in lines:
        words, _, target = line.partition(" > ")
        result = CliRunner().invoke(main, shlex.split(words)[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        if target:
            Path(target).write_bytes(result.stdout_bytes)


def test_page_of_proofs_names_every_finding() -> None:
    """docs/proofs.md lists what comparing with checkpoints and views can find, all of it and nothing else."""
    code = "".join((ROOT / "src/ledger" / name).read_text() for name in ("proof/against.py", "cli/verify.py"))
    said = set(re.findall(r'(?:Finding|Problem)\(\s*[^"()]+?,\s*"([a-z-]+)"', code))
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", (ROOT / "docs" / "proofs.md").read_text(), re.MULTILINE))
    assert listed == said


def test_page_of_statements_names_every_finding() -> None:
    """docs/statements.md lists what is found wrong with documents, all of it and nothing else."""
    code = (ROOT / "src/ledger/proof/documents.py").read_text()
    said = set(re.findall(r'DocumentFault\(\s*[^,()]+,\s*"([a-z-]+)"', code))
    assert set(re.findall(r"`(document-[a-z]+)`", (ROOT / "docs" / "statements.md").read_text())) == said


def test_every_command_is_described() -> None:
    """Every command stands in the README or on the page of commands, with a word on what it does."""
    from ledger.cli import main

    described = (ROOT / "README.md").read_text() + (ROOT / "docs" / "cli.md").read_text()
    found = list(_commands(main, ("ledger",)))
    assert len(found) > 30
    for words, command in found:
        assert re.search(rf"\b{re.escape(' '.join(words))}\b", described), " ".join(words)
        assert command.help, f"{' '.join(words)} has no help"


def _commands(
    command: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words[-1])
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, (*words, name)
            yield from _commands(below, (*words, name))


def test_json_contracts_name_every_key() -> None:
    """What the pages list for programs is what the code prints: no key is missing."""
    from ledger.append import Receipt
    from ledger.store.verify import Problem, Report
    from projections.blame import Written
    from projections.changes import Changes, FieldChange, TextChange, WindowChange
    from projections.credits import COLUMNS, DIFFERENCE_COLUMNS
    from projections.downtime import DowntimeRow
    from projections.marks import Erasure
    from projections.notice import Correction, Notice, NoticeWindow, Post
    from projections.state import FIELDS, WINDOW_FIELDS

    page = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "json.md").read_text()))
    wanted = {*COLUMNS, *DIFFERENCE_COLUMNS, *DowntimeRow.__struct_fields__, *FIELDS, *WINDOW_FIELDS} - {
        "keys"
    }
    for kind in (Receipt, Report, Problem, Notice, NoticeWindow, Post, Correction, Erasure, Written, FieldChange, TextChange,
                 WindowChange, Changes):  # fmt: skip
        wanted |= set(kind.__struct_fields__) - {"causes"}
    assert not wanted - page


def test_store_page_names_every_kind_of_problem() -> None:
    """The page of the store lists the kinds of problem that verification names, all of them and no other."""
    code = "".join(path.read_text() for path in (ROOT / "src" / "ledger" / "store").glob("verify*.py"))
    page = (ROOT / "docs" / "store.md").read_text().partition("## What verification finds")[2]
    listed = {
        kind
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for kind in re.findall(r"`([a-z-]+)`", row)
    }
    said = set(re.findall(r'"((?:[a-z]+-)+[a-z]+|unreadable)"', code))
    assert listed == said


def test_the_map_names_every_module() -> None:
    """Each module of both sides stands in the map of docs/architecture.md, by itself or by its folder; and what stands there is there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    map_of_it = page.partition("## Where to look")[2].partition("\n## ")[0]
    named = set(re.findall(r"`((?:src/ledger|projections|tools)/[\w/.]*)`", map_of_it))
    assert not [path for path in named if not (ROOT / path).exists()]
    modules = [
        str(path.relative_to(ROOT)) for top in ("src/ledger", "projections") for path in (ROOT / top).rglob("*.py")
        if path.name != "__init__.py"
    ]  # fmt: skip
    folders = tuple(path for path in named if path.endswith("/"))
    assert len(modules) > 150
    assert sorted(path for path in modules if path not in named and not path.startswith(folders)) == []


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


def test_decision_records_are_whole() -> None:
    """Decision records are numbered without gaps, dated, say why and what else there was, and code names real ones."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{at:04}" for at in range(1, len(records) + 1)]
    listed = (ROOT / "docs" / "architecture.md").read_text()
    assert [record.name for record in records if f"(adr/{record.name})" not in listed] == []
    for record in records:
        text = record.read_text()
        assert re.match(rf"# {record.name[:4]} .+\n\n\d{{4}}-\d\d-\d\d\. Accepted\.\n", text), record.name
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"\n**{part}.** " in text, f"{record.name} lacks {part}"
    numbers = {record.name[:4] for record in records}
    for folder in ("src", "projections", "tests", "benchmarks", "tools"):
        for source in (ROOT / folder).rglob("*.py"):
            named = set(re.findall(r"docs/adr/(\d{4})", source.read_text()))
            assert named <= numbers, f"{source.name} names {named - numbers}"


@pytest.mark.parametrize("command", ["append", "notice", "log", "show", "diff", "blame", "replay", "state"])
def test_commands_load_no_reporting_library(command: str, tmp_path: Path) -> None:
    """Recording and reading a notice pay for no reporting library."""
    words = {
        "append": ["incident", "open", "x-1", "--actor", "a", "--title", "t", "--status", "investigating"],
        "notice": ["notice", "x-1"],
        "log": ["log", "x-1"],
        "show": ["show", "x-1", "v1"],
        "diff": ["diff", "x-1", "r1"],
        "blame": ["blame", "x-1"],
        "replay": ["replay", "x-1"],
        "state": ["state", "x-1"],
    }
    program = (
        "import sys\nfrom ledger.cli import main\n"
        f"for words in (['init'], {words['append']!r}, {words[command]!r}):\n"
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
