"""Whatever a ledger took is taken again when it comes out of a bundle: no entry that was recorded is unfit."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.store.location import open_log
from ledger.store.log import SealedLog
from ledger.store.replayed import Unfit, unfit
from tests.projections.test_views import Step, _do, _ledger, _open, _step
from tools.ledger_attacks import make_victim

GOLDEN = Path(__file__).parents[1] / "golden"


def unfit_of(entries: Sequence[bytes], *, order: bool = True) -> list[Unfit]:
    spans = [(at, at + 1) for at in range(len(entries))]
    return list(unfit(spans, lambda start, _: entries[start], order=order))


def entries_of(log: SealedLog) -> list[bytes]:
    return [one.entry for one in log.entries()]


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.entries.jsonl")))
def test_the_frozen_ledgers_are_fit(name: str) -> None:
    """They say every action and every field; a rule that refuses one of them was made too strict."""
    lines = (GOLDEN / name).read_bytes().splitlines()
    entries = [bytes(msgspec.json.decode(line, type=dict[str, msgspec.Raw])["entry"]) for line in lines]
    assert unfit_of(entries) == []
    assert unfit_of(entries, order=False) == []


def test_a_ledger_with_hundreds_of_entries_is_fit(tmp_path: Path) -> None:
    make_victim(f"sqlite:///{tmp_path / 'x.db'}", tmp_path)
    with closing(open_log(f"sqlite:///{tmp_path / 'x.db'}", writable=False)) as log:
        assert unfit_of(entries_of(log)) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_step(), min_size=1, max_size=14), st.booleans())
def test_any_history_that_a_ledger_accepts_is_fit(steps: Sequence[Step], hidden: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        appender = _ledger(f"sqlite:///{folder}/ledger.db")
        for step in (_open("a", internal=hidden), *steps):
            _do(appender, step)
        assert unfit_of(entries_of(appender.sealed)) == []
        appender.close()
