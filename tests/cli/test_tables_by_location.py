"""A table that stays where it is counts as long as its digest does."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main

HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"


def _ledger(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "customers.csv"
    path.write_text(HEADER)
    assert _ledger("init").exit_code == 0
    done = _ledger("subscriptions", "publish", "all", "customers.csv", "--by-location", "--actor", "finance")
    assert done.exit_code == 0, done.output
    return path


def test_a_table_by_location_is_read_where_it_is(table: Path) -> None:
    assert _ledger("credits", "compute", "--period", "2022-03").exit_code == 0


def test_a_table_that_was_changed_is_a_mismatch(table: Path) -> None:
    """Exit 1: the bytes are there, and they are not those that were published."""
    table.write_text(HEADER + "Aurora,one,email,EMEA,standard,EUR,1.00,2021-01-01,\n")
    done = _ledger("credits", "compute", "--period", "2022-03")
    assert done.exit_code == 1
    assert "was published: it was changed since; bring back the table as it was" in done.output


def test_a_table_that_is_gone_cannot_be_checked(table: Path) -> None:
    table.unlink()
    done = _ledger("credits", "compute", "--period", "2022-03")
    assert done.exit_code == 3
    assert "cannot be read: No such file or directory" in done.output
