from __future__ import annotations

from pathlib import Path

import pytest

from tools.small_ledger import Desk, make


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Give a filled ledger that no test changes."""
    return make(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def own_desk(tmp_path: Path) -> Desk:
    """Give a filled ledger that a test may change."""
    return make(tmp_path)


@pytest.fixture
def signs_regardless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands sign with keys that are out of use, as a thief's program does."""
    monkeypatch.setattr("ledger.cli.proof._check_signer", lambda session, vkey: None)
