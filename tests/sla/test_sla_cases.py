"""Every published case of SLA arithmetic, and cases of the project's own of the same kinds, through the public interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sla import asking
from tests.sla.asking import check, way_of
from tests.sla.published import HOW_MANY, NOT_HERE, published

Case = dict[str, Any]
OWN = Path(__file__).with_name("sla_cases.json")


def cases(path: Path | None) -> list[Case]:
    found: list[Case] = [] if path is None else json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("case", cases(OWN), ids=lambda case: case["id"])
def test_own_case(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    "case",
    cases(published()) or [pytest.param({"id": "none"}, marks=pytest.mark.skip(reason=NOT_HERE))],
    ids=lambda case: case["id"],
)
def test_published_case(case: Case) -> None:
    check(case)


def test_every_way_of_asking_has_an_own_case() -> None:
    """So that without the published cases each kind is tried all the same; what is published is of no other kind."""
    ways = {name for name in vars(asking) if name.startswith("by_")}
    assert {way_of(case).__name__ for case in cases(OWN)} == ways
    assert {way_of(case).__name__ for case in cases(published())} <= ways


@pytest.mark.skipif(published() is None, reason=NOT_HERE)
def test_what_is_skipped_elsewhere_is_told_right() -> None:
    """The number that a run without the file names is that of the file."""
    assert len(cases(published())) == HOW_MANY
