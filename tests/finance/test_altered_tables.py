"""A table that was altered behind the ledger's back is not priced under the digest it was published with."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "email_delivery_2022"
RUN = ("--period", "2022-03")


def ledger(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the subscriptions of the example, one fee is changed in the database, its guards taken off."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEDGER_ACTOR", "finance")
    assert ledger("init").exit_code == 0
    for policy in sorted((EXAMPLE / "policies").glob("*.toml")):
        assert ledger("policy", "publish", str(policy)).exit_code == 0
    done = ledger("subscriptions", "publish", "customers", str(EXAMPLE / "subscriptions.csv"))
    assert done.exit_code == 0, done.output
    assert ledger("credits", "compute", *RUN).exit_code == 0
    with sqlite3.connect("ledger.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        (content,) = database.execute("SELECT bytes FROM ledger_content").fetchone()
        assert b"4200.00" in content
        database.execute("UPDATE ledger_content SET bytes = ?", (content.replace(b"4200.00", b"9200.00", 1),))
    database.close()


@pytest.mark.usefixtures("altered")
@pytest.mark.parametrize(
    "words",
    [("compute", *RUN), ("export", *RUN, "-o", "o.csv"), ("export", *RUN, "-o", "o.xlsx"), ("issue", *RUN)],
    ids=lambda words: "-".join(words[:1] + words[-1:]),
)
def test_nothing_is_computed_from_altered_bytes(words: tuple[str, ...]) -> None:
    """Compute, export and issue are refused with both digests, and nothing is written."""
    done = ledger("credits", *words)
    assert done.exit_code == 1, done.output
    assert "was altered: its bytes hash to" in done.output
    assert not list(Path().glob("o.*"))
    assert ledger("credits", "list").stdout.count("statement") == 0
