"""Credit rows as Parquet and CSV say what the rows say, however many come at a time and wherever they are priced."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.domain.period import parse_period
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import LedgerError, Refused, Unavailable
from projections.credit_files import as_arrow, write_csv, write_parquet
from projections.credits import COLUMNS, MONEY_COLUMNS, rows
from projections.engines import Job, priced
from projections.subscriptions import read_subscriptions

ROOT = Path(__file__).parents[2]
TERMS = (ROOT / "examples/email_delivery_2022/policies/email-by-share.toml").read_text()
MARCH = parse_period("2022-03")
HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to"


def window(region: str, hours: float, **more: object) -> Window:
    start = MARCH.start + 86_400
    return Window(incident="mail", window=f"w-{region}", service="email", component="flow", region=region,
                  start=start, end=start + int(hours * 3600), effect="outage",
                  entries=("incident/mail v2", "incident/mail v3"), **more)  # type: ignore[arg-type]  # fmt: skip


JOB = Job(
    windows=(
        window("EMEA", 9),
        window("NAM", 1, share_at_least="0.1", share_at_most="0.99"),
        window("APAC", 0.01),
    ),
    policies={"by-share": [(1, parse_policy(TERMS.replace("email-by-share", "by-share")))]},
    period="2022-03",
    as_of=MARCH.end,
    resting_on=("subscriptions/all v1",),
)


def table(count: int = 40, start: int = 0) -> pd.DataFrame:
    lines = [HEADER]
    for number in range(start, start + count):
        region, currency = (
            ("EMEA", "NAM", "APAC", "LATAM")[number % 4],
            ("EUR", "JPY", "BHD", "CLF")[number % 3],
        )
        fee = {"EUR": "1234.56", "JPY": "98765", "BHD": "12.345", "CLF": "1.2345"}[currency]
        lines.append(f"C{number // 3},s-{number},email,{region},by-share,{currency},{fee},2021-01-01,")
    return read_subscriptions("\n".join(lines).encode(), "csv")


def test_parquet_says_what_the_rows_say(tmp_path: Path) -> None:
    frame = JOB.price(table())
    write_parquet(tmp_path / "out.parquet", [frame])
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.column_names == list(COLUMNS)
    for column in MONEY_COLUMNS & set(COLUMNS):
        assert pa.types.is_decimal(found.schema.field(column).type), column
    wanted = list(rows(frame))
    assert any(row["credit"] is None for row in wanted)
    assert any(row["credit"] not in (None, "0.00") for row in wanted)
    for mine, theirs in zip(found.to_pylist(), wanted, strict=True):
        for name in COLUMNS:
            value, expected = mine[name], theirs[name]
            if name in MONEY_COLUMNS:
                assert value == (None if expected is None else Decimal(expected)), name
            elif name == "entries":
                assert value == "; ".join(expected)
            elif name.startswith(("eligible", "availability", "credit_percent")):
                assert value == (None if expected is None else str(expected)), name
            else:
                assert value == expected, name


def test_amounts_beyond_64_bits_stay_exact() -> None:
    frame = JOB.price(table(4))
    frame["fee"] = [2**63 - 1, 0, 10**18, 5]
    assert as_arrow(frame)["fee"].to_pylist() == [
        Decimal(int(fee)).scaleb(-int(digits)) for fee, digits in zip(frame["fee"], frame["minor_units"], strict=True)
    ]  # fmt: skip


def test_the_same_rows_give_the_same_bytes_and_nothing_is_left_beside(tmp_path: Path) -> None:
    for name, write in (("a.parquet", write_parquet), ("a.csv", write_csv)):
        parts = [JOB.price(table(10, at)) for at in (0, 10)]
        first = write(tmp_path / name, iter(parts))
        assert write(tmp_path / f"again-{name}", iter(parts)) == first
        assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.csv",
        "a.parquet",
        "again-a.csv",
        "again-a.parquet",
    ]


def test_a_run_that_fails_leaves_the_earlier_file(tmp_path: Path) -> None:
    def failing() -> Iterator[pd.DataFrame]:
        yield JOB.price(table(4))
        raise Refused("a bad row")

    for name, write in (("a.parquet", write_parquet), ("a.csv", write_csv)):
        write(tmp_path / name, [JOB.price(table(4))])
        earlier = (tmp_path / name).read_bytes()
        with pytest.raises(Refused, match="a bad row"):
            write(tmp_path / name, failing())
        assert (tmp_path / name).read_bytes() == earlier
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        Unavailable, match="cannot be written: No such file or directory; choose another place"
    ):
        write_parquet(tmp_path / "no" / "a.parquet", [JOB.price(table(4))])


def test_csv_keeps_numbers_and_disarms_texts(tmp_path: Path) -> None:
    """OWASP, CSV Injection: a text that a spreadsheet takes for a formula gets an apostrophe; numbers stay numbers."""
    frame = table(8)
    evil = ["=1+1", "+cmd", "-2", "@SUM(A1)", '=HYPERLINK("x","y")', "plain", "a=b", "\uff1d1"]
    frame["customer"] = pd.array(evil, dtype="str")
    write_csv(tmp_path / "a.csv", [JOB.price(frame)])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["customer"] for row in found] == [
        "'=1+1", "'+cmd", "'-2", "'@SUM(A1)", "'=HYPERLINK(\"x\",\"y\")", "plain", "a=b", "'\uff1d1"
    ]  # fmt: skip
    assert [row["fee"] for row in found[:3]] == ["1234.56", "98765", "12.345"]
    assert {row["provisional"] for row in found} == {"false"}
    assert [row["credit"] for row in found] == [row["credit"] or "" for row in rows(JOB.price(frame))]


def test_csv_tells_names_apart_that_only_an_apostrophe_does(tmp_path: Path) -> None:
    """Whoever takes one apostrophe away from each text that has one is left with what was recorded."""
    frame = table(4)
    names = ["=1+1", "'=1+1", "''=1+1", "Acme"]
    frame["customer"] = pd.array(names, dtype="str")
    write_csv(tmp_path / "a.csv", [JOB.price(frame)])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        found = [row["customer"] for row in csv.DictReader(file)]
    assert found == [f"'{name}" for name in names[:3]] + ["Acme"]
    assert [name.removeprefix("'") for name in found] == names


def test_csv_texts_cannot_start_a_cell_of_their_own(tmp_path: Path) -> None:
    """Every text is in quotes, its own quotes doubled, so that no other separator parts it; numbers are bare."""
    frame = table(4)
    evil = ["a;=1+1;b", 'x","=cmd|\' /C calc\'!A0","', "tab\t=1", "\n=1+1"]
    frame["customer"] = pd.array(evil, dtype="str")
    write_csv(tmp_path / "a.csv", [JOB.price(frame)])
    content = (tmp_path / "a.csv").read_bytes().decode()
    assert content.startswith("customer,subscription,")
    assert '\r\n"a;=1+1;b","s-0","email",' in content
    assert '\r\n"x"",""=cmd|\' /C calc\'!A0"",""","s-1",' in content
    assert '\r\n"\'\n=1+1","s-3",' in content
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["customer"].removeprefix("'") for row in found] == evil
    assert ",EUR,1234.56," in content
    assert ",false," in content
    assert not [line for line in content.split("\r\n") if line.startswith(("=", "+", "-", "@"))]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Start a scheduler and two workers, each a process of its own, and give the scheduler's address."""
    scheduler = subprocess.Popen(
        [sys.executable, "-c", _SCHEDULER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert scheduler.stdout is not None
    address = scheduler.stdout.readline().strip()
    assert address.startswith("tcp://")
    yield address
    scheduler.kill()
    scheduler.wait()
    scheduler.stdout.close()


_SCHEDULER = """
import time
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
    print(cluster.scheduler_address, flush=True)
    time.sleep(600)
"""


def test_a_cluster_of_processes_gives_the_same_bytes(cluster: str, tmp_path: Path) -> None:
    parts = [table(7, at) for at in range(0, 70, 7)]
    for name, write in (("parquet", write_parquet), ("csv", write_csv)):
        here = write(tmp_path / f"here.{name}", priced(parts, JOB))
        there = write(tmp_path / f"there.{name}", priced(parts, JOB, "dask", cluster))
        assert here == there
        assert (tmp_path / f"here.{name}").read_bytes() == (tmp_path / f"there.{name}").read_bytes()


def test_what_a_worker_refuses_is_refused_here(cluster: str) -> None:
    part = table(4)
    part["policy"] = pd.Categorical(["by-shore"] * 4)
    with pytest.raises(
        Refused, match="policy 'by-shore', which subscriptions name, is not published"
    ) as refused:
        list(priced([part], JOB, "dask", cluster))
    assert isinstance(refused.value, LedgerError)


def test_a_scheduler_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(Unavailable, match=r"the scheduler tcp://127.0.0.1:9 cannot be reached"):
        list(priced([table(4)], JOB, "dask", "tcp://127.0.0.1:9"))
