"""Runs of many rows: totals and a sample for people, rows one by one for programs, a bar for who watches.

What is many is lowered here, so that a few rows cross the edges that a million cross elsewhere.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ledger.cli import finance, main, run

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
EARLIER = ("--compare-published-by", "2022-03-20T00:00:00Z")


def ledger(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"LEDGER_ACTOR": "finance"})


def compute(*words: str) -> Result:
    done = ledger("credits", "compute", "--period", "2022-03", *words)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the ledger of the example and fifty subscriptions in two tables of both kinds."""
    monkeypatch.chdir(tmp_path)
    lines = [
        f"C{n},s-{n},email-security,{('EMEA', 'NAM')[n % 2]},email-standard,{('EUR', 'USD', 'JPY')[n % 3]},{n}00,2021-01-01,\n"
        for n in range(50)
    ]
    (tmp_path / "one.csv").write_text(HEADER + "".join(lines[:20]))
    (tmp_path / "two.csv").write_text(HEADER + "".join(lines[20:]))
    two = pyarrow.csv.read_csv(
        "two.csv", convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    )
    pq.write_table(two.set_column(8, "valid_to", [[None] * 30]), "two.parquet", row_group_size=7)
    (tmp_path / "incident.jsonl").write_text(
        "\n".join(
            line for line in (EXAMPLE / "actions.jsonl").read_text().splitlines() if '"publish-' not in line
        )
    )
    for words in (
        ("init",),
        ("append", "incident.jsonl"),
        ("policy", "publish", str(EXAMPLE / "policies" / "email-standard.toml")),
        ("subscriptions", "publish", "one", "one.csv"),
        ("subscriptions", "publish", "two", "two.parquet"),
    ):
        done = ledger(*words)
        assert done.exit_code == 0, done.output
    return tmp_path


@pytest.mark.parametrize("more", [(), EARLIER])
def test_of_many_rows_a_few_are_shown_with_the_totals_and_reasons_of_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    def printed() -> list[list[str]]:
        return [line.split() for line in compute(*more).stdout.splitlines() if line.strip(" ─")]

    whole = printed()
    monkeypatch.setattr(finance, "_WHOLE", 30)
    few = printed()
    note = "the first 20 of 50 subscriptions; each of them: --json, or ledger credits export"
    # The headings and twenty rows, the note, and then the totals and reasons of all rows.
    assert [line[1] for line in whole[1:51]] == [f"s-{n}" for n in range(50)]
    assert few == [*whole[:21], note.split(), *whole[51:]]


@pytest.mark.parametrize("more", [(), EARLIER])
def test_rows_that_are_not_kept_are_the_same_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    as_of = ("--as-of", "2022-04-01T00:00:00Z")
    kept = compute("--json", *more, *as_of).stdout
    assert kept.endswith("}\n")
    assert kept.count("\n") == 1
    found = json.loads(kept)
    assert [row["subscription"] for row in found["rows"]] == [f"s-{n}" for n in range(50)]
    assert [total["currency"] for total in found["totals"]] == ["EUR", "JPY", "USD"]
    assert sum(total["subscriptions"] for total in found["totals"]) == 50
    assert ("differences" in found) == bool(more)
    monkeypatch.setattr(run, "_KEPT", 10)
    assert compute("--json", *more, *as_of).stdout == kept


def test_nothing_is_printed_of_a_run_that_is_refused_at_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_KEPT", 10)
    assert ledger("subscriptions", "publish", "three", "one.csv").exit_code == 0
    done = ledger("credits", "compute", "--period", "2022-03", "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "subscription 's-0' (subscriptions/one v1 row 1 and subscriptions/three v1 row 1), " in done.stderr
    assert "stands in the tables more than once; correct them" in done.stderr


def test_a_cluster_computes_the_same(folder: Path) -> None:
    as_of = ("--as-of", "2022-04-01T00:00:00Z", *EARLIER, "--json")
    assert compute(*as_of, "--engine", "dask").stdout == compute(*as_of).stdout


def test_a_scheduler_is_one_of_the_cluster_engine(folder: Path) -> None:
    """Named without the engine that asks it, it would be ignored."""
    done = ledger("credits", "compute", "--period", "2022-03", "--scheduler", "tcp://127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "add --engine dask" in done.output


def test_a_table_of_which_nobody_is_left_is_a_table(folder: Path) -> None:
    """Beside another one, and alone: in a file it has its columns."""
    ended = "Aurora,old,email,EMEA,standard,EUR,1.00,2021-01-01,2021-02-01\n"
    (folder / "ended.csv").write_text(HEADER + ended)
    assert ledger("subscriptions", "publish", "ended", "ended.csv").exit_code == 0
    assert len(json.loads(compute("--json").stdout)["rows"]) == 50
    alone = json.loads(compute("--json", "--subscriptions", "ended").stdout)
    assert (alone["rows"], alone["totals"]) == ([], [])
    assert "subscriptions" in compute("--subscriptions", "ended").stdout
    for kind in ("parquet", "csv", "xlsx"):
        done = ledger(
            "credits", "export", "--period", "2022-03", "--subscriptions", "ended", "-o", f"o.{kind}"
        )
        assert done.exit_code == 0, done.output
        assert "(0 subscriptions, " in done.output
    assert pq.read_table("o.parquet").num_rows == 0
    assert Path("o.csv").read_text().startswith("customer,subscription,")


WATCHED = """
import sys
from ledger.cli import main, progress
progress._LONG = 10
main(sys.argv[1:])
"""


def watched(words: list[str], *, out: bool, err: bool) -> tuple[str, str]:
    """Run a command whose outputs are terminals or not, and return what came to each."""
    mine, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-c", WATCHED, *words],
        stdout=theirs if out else subprocess.PIPE,
        stderr=theirs if err else subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    seen = b""
    while out or err:
        try:
            more = os.read(mine, 4096)
        except OSError:
            # Linux says so when the last process has closed the terminal.
            break
        if not more:
            break
        seen += more
    plain = done.communicate()
    os.close(mine)
    assert done.returncode == 0
    return seen.decode(), b"".join(part or b"" for part in plain).decode()


def test_only_who_watches_a_long_run_sees_a_bar(folder: Path) -> None:
    export = ["credits", "export", "--period", "2022-03", "-o", "o.parquet"]
    terminal, _ = watched(export, out=True, err=True)
    assert "50/50" in terminal
    assert "wrote o.parquet" in terminal
    for words, out, err in (
        ([*export, "--json"], True, True),
        (export, False, True),
    ):
        terminal, plain = watched(words, out=out, err=err)
        assert "50/50" not in terminal + plain
