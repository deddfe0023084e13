"""Export to each kind of file, from tables of both kinds, through the command line."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import formualizer
import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ledger.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
TAKES_BACK = """
format = 2
policy = "takes-back"
in_force_from = 2021-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[measure]
of = "time"
[counting]
effects = ["outage"]
[[tiers]]
availability_at_least = "98"
credit_percent = "25"
[[tiers]]
availability_below = "98"
credit_percent = "50"
[credit]
rounding = "half-ceiling"
clawback = true
"""


def ledger(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a ledger that holds the incident and the terms of the example."""
    monkeypatch.chdir(tmp_path)
    done = ledger("init")
    for path in sorted((EXAMPLE / "policies").glob("*.toml")):
        done = ledger("policy", "publish", str(path), "--actor", "finance")
        assert done.exit_code == 0, done.output
    lines = [line for line in (EXAMPLE / "actions.jsonl").read_text().splitlines() if '"publish-' not in line]
    (tmp_path / "actions.jsonl").write_text("\n".join(lines))
    done = ledger("append", "actions.jsonl")
    assert done.exit_code == 0, done.output
    return tmp_path


def as_parquet(path: Path) -> None:
    """Write the subscriptions of the example as Parquet with types of its own."""
    kinds = {"fee": pa.decimal128(14, 3), "valid_from": pa.date32(), "valid_to": pa.date32()}
    options = pa.csv.ConvertOptions(
        column_types=kinds, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
    )
    pq.write_table(pa.csv.read_csv(EXAMPLE / "subscriptions.csv", convert_options=options), path)


def test_a_table_in_parquet_gives_the_same_credits_as_in_csv(folder: Path) -> None:
    as_parquet(folder / "customers.parquet")
    assert ledger("subscriptions", "publish", "all", "customers.parquet", "--actor", "f").exit_code == 0
    first = ledger("credits", "export", "--period", "2022-03", "-o", "first.csv")
    assert first.exit_code == 0, first.output
    assert (
        ledger(
            "subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f"
        ).exit_code
        == 0
    )
    assert ledger("credits", "export", "--period", "2022-03", "-o", "second.csv").exit_code == 0
    one, two = ((folder / name).read_text() for name in ("first.csv", "second.csv"))
    assert one.replace("subscriptions/all v1", "subscriptions/all v2") == two
    assert len(one.splitlines()) == len((EXAMPLE / "subscriptions.csv").read_text().splitlines())


def test_parquet_csv_and_json_say_the_same(folder: Path) -> None:
    assert (
        ledger(
            "subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f"
        ).exit_code
        == 0
    )
    for name in ("credits.csv", "credits.parquet"):
        done = ledger("credits", "export", "--period", "2022-03", "--output", name)
        assert done.exit_code == 0, done.output
        assert f"wrote {name}  (" in done.output
    with (folder / "credits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(folder / "credits.parquet").to_pylist()
    assert [row["subscription"] for row in rows] == [row["subscription"] for row in table]
    assert [row["entries"] for row in rows] == [row["entries"] for row in table]
    assert sum(row["credit"] or 0 for row in table) > 0


def test_a_cluster_is_started_and_gives_the_same_bytes(folder: Path) -> None:
    assert (
        ledger(
            "subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f"
        ).exit_code
        == 0
    )
    assert ledger("credits", "export", "--period", "2022-03", "-o", "here.parquet").exit_code == 0
    done = ledger("credits", "export", "--period", "2022-03", "-o", "there.parquet", "--engine", "dask")
    assert done.exit_code == 0, done.output
    assert (folder / "here.parquet").read_bytes() == (folder / "there.parquet").read_bytes()


def test_each_row_goes_to_parquet_beside_the_workbook(folder: Path) -> None:
    """The workbook names the file by its digest, and both are the same for the same inputs."""
    done = ledger("subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f")
    assert done.exit_code == 0, done.output
    words = ("credits", "export", "--period", "2022-03", "-o", "c.xlsx", "--detail", "each.parquet", "--json")
    first, second = (json.loads(ledger(*words).stdout) for _ in range(2))
    assert first == second
    digest = hashlib.sha256((folder / "each.parquet").read_bytes()).hexdigest()
    assert (first["detail"], first["detail_sha256"]) == ("each.parquet", digest)
    about = openpyxl.load_workbook("c.xlsx", read_only=True)["About"]
    told = {row[0]: row[1] for row in about.iter_rows(max_col=2, values_only=True)}
    assert told["each row in each.parquet"] == f"sha256 {digest}, {first['rows']} rows"
    assert pq.read_table("each.parquet").num_rows == first["rows"]
    assert "and each.parquet" in ledger(*words[:-1]).stdout


def test_the_workbook_shows_what_was_issued_and_what_changed_since(folder: Path) -> None:
    """Issued as the public knew it before 30 March; then the correction, with the entries that made each difference."""
    done = ledger("subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f")
    assert done.exit_code == 0, done.output
    early = ("--published-by", "2022-03-30T16:51:59Z")
    words = ("credits", "export", "--period", "2022-03", "-o", "c.xlsx", "--compare-issued", "main")
    refused = ledger(*words)
    assert refused.exit_code == 1
    assert "period '2022-03' is no document of series 'main'" in refused.output
    done = ledger("credits", "issue", "--period", "2022-03", "--actor", "f", "--provisional", *early)
    assert done.exit_code == 0, done.output
    done = ledger(*words)
    assert done.exit_code == 0, done.output
    book = openpyxl.load_workbook("c.xlsx", data_only=True)
    heading, *lines = book["Changes"].iter_rows(values_only=True)
    found = {line[1]: dict(zip(heading, line, strict=True)) for line in lines}
    again = ledger("credits", "restate", "1", "--json")
    assert again.exit_code == 0, again.output
    restated = json.loads(again.stdout)["lines"]
    assert len(restated) > 5
    for row in restated:
        line = found[row["subscription"]]
        assert [line[name] for name in ("as issued", "as now", "delta")] == [
            float(row[name]) for name in ("as_issued", "as_now", "amount")
        ]
        assert line["cause"] == "; ".join(row["causes"]) != ""
    assert {
        line["delta"] for name, line in found.items() if name not in {row["subscription"] for row in restated}
    } == {0}
    checks = {line[0]: line[1:4] for line in book["Checks"].iter_rows(min_row=4, values_only=True)}
    assert checks["as issued + delta + waived = as now, EUR"][2] is True
    assert book["Checks"]["D2"].value is True
    about = {row[0]: row[1] for row in book["About"].iter_rows(max_col=2, values_only=True)}
    assert about["compared with"] == "issued: series main, 1"
    live = openpyxl.load_workbook("c.xlsx")["Changes"]
    assert {str(row[8].value)[:9] for row in live.iter_rows(min_row=2)} == {"=Credits!"}


def test_what_a_policy_does_not_take_back_is_waived(folder: Path) -> None:
    """A window turns out shorter: issued + delta + waived = as now, before the adjustment is issued and after it.

    These terms take nothing back, and with `clawback` they do. A program that calculates finds the same.
    """
    Path("back.toml").write_text(TAKES_BACK)
    table = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"
    table += "A,keeps,email,EMEA,email-standard,EUR,100.00,2022-01-01,\n"
    table += "B,returns,email,EMEA,takes-back,EUR,100.00,2022-01-01,\n"
    Path("two.csv").write_text(table)
    window = ("window", "add", "mail-1", "first", "--service", "email", "--component", "c", "--region", "EMEA", "--effect", "outage",
              "--start", "2022-03-14T00:00:00Z", "--end", "2022-03-15T00:00:00Z")  # fmt: skip
    for words in (
        ("policy", "publish", "back.toml"), ("subscriptions", "publish", "all", "two.csv"),
        ("incident", "open", "mail-1", "--title", "t", "--status", "investigating", "--service", "email", "--component", "c",
         "--region", "EMEA"),
        window, ("credits", "issue", "--period", "2022-03"),
        ("window", "revise", "mail-1", "first", "--end", "2022-03-14T10:00:00Z", "--reason", "most was only late"),
    ):  # fmt: skip
        done = ledger(*words, "--actor", "f")
        assert done.exit_code == 0, done.output
    money = ("as issued", "delta", "waived", "as now")
    for issued, expected in (
        (False, {"keeps": (50, 0, -25, 25), "returns": (50, -25, 0, 25)}),
        (True, {"keeps": (50, 0, -25, 25), "returns": (25, 0, 0, 25)}),
    ):
        if issued:
            done = ledger("credits", "restate", "1", "--issue", "--actor", "f")
            assert done.exit_code == 0, done.output
        done = ledger("credits", "export", "--period", "2022-03", "-o", "c.xlsx", "--compare-issued", "main")
        assert done.exit_code == 0, done.output
        book = openpyxl.load_workbook("c.xlsx", data_only=True)
        heading, *lines = book["Changes"].iter_rows(values_only=True)
        found = {line[1]: dict(zip(heading, line, strict=True)) for line in lines}
        assert {name: tuple(line[one] for one in money) for name, line in found.items()} == expected
        assert {name: line["policy takes back"] for name, line in found.items()} == {
            "keeps": False,
            "returns": True,
        }
        live = openpyxl.load_workbook("c.xlsx")["Changes"]
        assert {row[heading.index("waived")].data_type for row in live.iter_rows(min_row=2)} == {"f"}
        checks = {line[0]: line[1:4] for line in book["Checks"].iter_rows(min_row=4, values_only=True)}
        assert checks["as issued + delta + waived = as now, EUR"] == (50, 50, True)
        calculated = formualizer.recalculate_xlsx_bytes(Path("c.xlsx").read_bytes())
        assert (calculated["summary"]["errors"], calculated["cache_cells_changed"]) == (0, 0)


def test_the_workbook_tells_what_was_recorded(folder: Path) -> None:
    """Events holds what the cut shows, and nothing that was told or recorded later."""
    done = ledger("subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f")
    assert done.exit_code == 0, done.output
    for name, cut in (("now", ()), ("then", ("--published-by", "2022-03-30T16:51:59Z"))):
        done = ledger("credits", "export", "--period", "2022-03", "-o", f"{name}.xlsx", *cut)
        assert done.exit_code == 0, done.output
    events = {
        name: [
            row[1]
            for row in openpyxl.load_workbook(f"{name}.xlsx", read_only=True)["Events"].iter_rows(
                min_row=2, values_only=True
            )
        ]
        for name in ("now", "then")
    }
    assert "incident/email-2022-03 v9" in events["now"]
    assert "incident/email-2022-03 v9" not in events["then"]
    assert {"policy/email-standard v1", "subscriptions/all v1"} <= set(events["then"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "a.csv", "--compare-issued", "main"), "--compare-issued needs a workbook"),
        (
            ("-o", "a.xlsx", "--compare-issued", "main", "--compare-published-by", "2022-03-20T00:00:00Z"),
            "fill the same sheet; give one",
        ),
        (("-o", "a.csv", "--detail", "b.parquet"), "--detail writes a .parquet file beside a workbook"),
        (("-o", "a.xlsx", "--detail", "b.csv"), "--detail writes a .parquet file beside a workbook"),
        (
            ("-o", "a.xlsx", "--detail", "b"),
            "--detail 'b' does not end in .xlsx, .parquet or .csv; name the file so",
        ),
        (
            ("-o", "credits.txt"),
            "--output 'credits.txt' does not end in .xlsx, .parquet or .csv; name the file so",
        ),
        (("-o", "a.xlsx", "--engine", "dask"), "a workbook is made in one process"),
        (("-o", "a.csv", "--scheduler", "tcp://h:1"), "add --engine dask"),
        (
            ("-o", "a.csv", "--compare-published-by", "2022-03-20T00:00:00Z"),
            "--compare-published-by needs a workbook",
        ),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    folder: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert (
        ledger(
            "subscriptions", "publish", "all", str(EXAMPLE / "subscriptions.csv"), "--actor", "f"
        ).exit_code
        == 0
    )
    done = ledger("credits", "export", "--period", "2022-03", *words)
    assert done.exit_code == 2
    assert sentence in done.output


def test_a_subscription_in_two_tables_is_refused_and_no_file_is_left(folder: Path) -> None:
    for key in ("one", "two"):
        assert (
            ledger(
                "subscriptions", "publish", key, str(EXAMPLE / "subscriptions.csv"), "--actor", "f"
            ).exit_code
            == 0
        )
    for name in ("a.csv", "a.parquet", "a.xlsx"):
        done = ledger("credits", "export", "--period", "2022-03", "-o", name)
        assert done.exit_code == 1
        assert (
            "stands in the tables more than once; correct them, or name the table with --subscriptions"
            in done.output
        )
        assert not (folder / name).exists()
    assert (
        ledger("credits", "export", "--period", "2022-03", "-o", "a.csv", "--subscriptions", "one").exit_code
        == 0
    )
