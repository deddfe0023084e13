"""Every event that a ledger may hold has a page that verifies: the incidents of the golden ledgers."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.application import IncidentLedger
from ledger.domain.actions import parse_action
from ledger.domain.instants import micros, parse_instant

if TYPE_CHECKING:
    from tests.page.conftest import Desk, Open

GOLDEN = Path(__file__).parents[1] / "golden"
SETS = sorted(path.name.partition(".")[0] for path in GOLDEN.glob("*.actions.jsonl"))


@pytest.mark.parametrize("name", SETS)
def test_every_incident_of_the_golden_ledgers_has_a_page_that_verifies(
    desk: Desk, opened: Open, tmp_path: Path, name: str
) -> None:
    desk.folder = tmp_path / name
    desk.folder.mkdir()
    numbers, now = itertools.count(), 0
    ledger = IncidentLedger(
        f"sqlite:///{desk.folder / 'ledger.db'}",
        clock=lambda: now,
        salts=lambda: hashlib.sha256(str(next(numbers)).encode()).digest()[:16],
    )
    # Signatures and roots in the actions are those of this ledger.
    ledger.create(f"golden-{name.replace('_', '-')}")
    for line in (GOLDEN / f"{name}.actions.jsonl").read_text(encoding="utf-8").splitlines():
        step = json.loads(line)
        now = micros(parse_instant(step["clock"]))
        content = step["content"].encode() if "content" in step else None
        actions = [parse_action(dict(action), content=content) for action in step["append"]]
        ledger.append(actions, accept_clock=step.get("accept_clock", False))
    ledger.close()
    keys = [json.loads(line)["incident"] for line in desk("incidents", "--json").splitlines()]
    for key in keys:
        made = opened(desk.page(key, name=f"{key}.html"))
        assert made.outcome().startswith("Verified in this browser"), (key, made.page.inner_text("#checks"))
        for _ in range(made.page.locator(".rail li").count()):
            made.page.keyboard.press("ArrowLeft")
        made.quiet()
    assert keys or name == "keys_1"
