"""`make wheel-test` runs these tests against the wheel; this one fails if it does not."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from importlib import resources
from pathlib import Path

import pytest

import ledger
import projections

asked_for_the_wheel = pytest.mark.skipif(
    "LEDGER_EXPECT_WHEEL" not in os.environ, reason="set by `make wheel-test`, which installs the wheel"
)


@asked_for_the_wheel
@pytest.mark.parametrize("package", [ledger, projections], ids=lambda package: package.__name__)
def test_the_package_comes_from_the_wheel(package: object) -> None:
    file = getattr(package, "__file__", None)
    assert file is not None
    assert Path(file).is_relative_to(sys.prefix)
    assert Path(file).with_name("py.typed").is_file()


@asked_for_the_wheel
def test_the_wheel_brings_the_command() -> None:
    commands = importlib.metadata.distribution("incident-sla-ledger").entry_points.select(name="ledger")
    assert [command.value for command in commands] == ["ledger.cli:main"]


@pytest.mark.parametrize("name", ["page.html", "page.css", "walking.js", "proofs.js", "checking.js"])
def test_the_parts_of_the_page_are_there(name: str) -> None:
    part = resources.files("projections") / "page_assets" / name
    assert part.read_text(encoding="utf-8").strip()
