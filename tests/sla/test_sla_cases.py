"""Every published case of SLA arithmetic, and cases of the project's own of the same kinds, through the public interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sla.asking import check, way_of

Case = dict[str, Any]
OWN = Path(__file__).with_name("sla_cases.json")


def published() -> Path | None:
    """The published cases lie beside the checkout and are read where they are."""
    for folder in Path(__file__).resolve().parents:
        found = folder / "shared" / "vectors" / "sla_cases.json"
        if found.exists():
            return found
    return None


def cases(path: Path | None) -> list[Case]:
    found: list[Case] = [] if path is None else json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", cases(OWN), ids=lambda case: case["id"])
def test_own_case(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", cases(published()), ids=lambda case: case["id"])
def test_published_case(case: Case) -> None:
    check(case)


@pytest.mark.skipif(published() is None, reason="the published cases are not beside this repository")
def test_own_cases_are_of_every_published_kind() -> None:
    kinds = {way_of(case).__name__ for case in cases(published())}
    assert kinds <= {way_of(case).__name__ for case in cases(OWN)}
