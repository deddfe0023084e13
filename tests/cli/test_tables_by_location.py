"""A table that stays where it is counts as long as its digest does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import main

POLICY = Path(__file__).parents[2] / "examples" / "email_delivery_2022" / "policies" / "email-standard.toml"
HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
ENDED = "Aurora,old,email,EMEA,email-standard,EUR,1.00,2021-01-01,2021-02-01\n"


def _ledger(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "customers.csv"
    path.write_text(HEADER + ENDED)
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


@pytest.fixture
def shard(table: Path) -> Path:
    """Publish a cohort by location, to which the one window of March is limited."""
    path = table.with_name("shard.csv")
    path.write_text("customer\n")
    words = ("--actor", "ops", "--service", "email", "--component", "flow", "--region", "EMEA")
    for done in (
        _ledger("incident", "open", "mail", "--title", "Mail lost", "--status", "investigating", *words),
        _ledger(
            "window", "add", "mail", "w", "--start", "2022-03-14T16:00:00Z", "--end", "2022-03-14T18:00:00Z",
            "--effect", "outage", "--cohort", "shard", *words,
        ),
        _ledger("policy", "publish", str(POLICY), "--actor", "finance"),
        _ledger("cohort", "publish", "shard", "shard.csv", "--by-location", "--actor", "ops"),
    ):  # fmt: skip
        assert done.exit_code == 0, done.output
    return path


def test_a_cohort_that_is_away_leaves_a_bound_and_is_named(shard: Path) -> None:
    words = ("credits", "compute", "--period", "2022-03", "--json")
    found = json.loads(_ledger(*words).stdout)
    assert ([one["stream"] for one in found["cohorts"]], found["cohorts_unknown"]) == (["cohort/shard"], [])
    shard.unlink()
    done = _ledger(*words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["cohorts"], found["cohorts_unknown"]) == ([], ["shard"])
    assert done.stderr == (
        "warning: cohort 'shard' is not at hand, so what is limited to it counts as a bound, from nobody to everybody: "
        f"the table at {shard} cannot be read: No such file or directory\n"
    )


def test_a_cohort_that_was_changed_is_a_mismatch(shard: Path) -> None:
    shard.write_text("customer\nAurora\n")
    done = _ledger("credits", "compute", "--period", "2022-03")
    assert done.exit_code == 1
    assert "was published: it was changed since; bring back the table as it was" in done.output
