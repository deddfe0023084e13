"""docs/policy-dimensions.md: each of its twenty parts is sound terms, and each of its examples comes out as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.domain.policy import parse_policy

PAGE = (Path(__file__).resolve().parents[2] / "docs/policy-dimensions.md").read_text(encoding="utf-8")
BASE, *PARTS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
HEADINGS = re.findall(r"^##+ (\d+(?:\.\d)?)\.? (.+)$", PAGE, re.MULTILINE)


def tables(text: str) -> list[tuple[str, str]]:
    """The tables of a text in order, each with its name ("" for what comes before the first) and its lines."""
    found = [("", "")]
    for line in text.splitlines(keepends=True):
        if head := re.match(r"\[+([a-z]+)", line):
            found.append((head[1], ""))
        found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def terms(part: str) -> str:
    """The base with a part: what the part states takes the place of what stood there."""
    stated = {name for name, _ in tables(part)} - {""}
    return "".join(text for name, text in tables(BASE) if name not in {*stated, "examples"}) + part


def test_the_twenty_parts_are_numbered() -> None:
    """One part for each of the twenty ways, and one for each more that stands below it."""
    assert [number for number, _ in HEADINGS if "." not in number] == [str(at) for at in range(1, 21)]
    assert [number for number, _ in HEADINGS] == sorted((number for number, _ in HEADINGS), key=float)
    assert len(PARTS) == len(HEADINGS)


@pytest.mark.parametrize("part", [BASE, *map(terms, PARTS)], ids=["base", *(name for _, name in HEADINGS)])
def test_each_is_sound_and_its_examples_come_out(part: str, tmp_path: Path) -> None:
    """The linter finds nothing: no hole, no promise that pays, and no example that its terms contradict."""
    assert parse_policy(part).examples
    file = tmp_path / "terms.toml"
    file.write_text(part, encoding="utf-8")
    result = CliRunner().invoke(main, ["policy", "lint", "--strict", str(file)])
    assert (result.exit_code, result.stdout) == (0, f"{file}: nothing found\n")
