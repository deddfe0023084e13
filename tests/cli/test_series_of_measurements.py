"""A series of measurements is checked when it is recorded, read in CSV and Parquet alike, and stops nobody who does not need it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.append import Appender
from ledger.domain.actions import parse_action
from projections.series import Row, read_series
from tests.cli.commands import done, ledger

ERRORS = """format = 2
policy = "errors"
in_force_from = 2020-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[measure]
of = "error-rate"
bucket = "1 hour"
[[tiers]]
availability_at_least = "99.99"
credit_percent = "0"
[[tiers]]
availability_below = "99.99"
credit_percent = "10"
[credit]
rounding = "half-up"
"""
SPEED = """format = 2
policy = "speed"
in_force_from = 2020-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[measure]
of = "latency"
statistic = "p95"
[[tiers]]
value_at_most = "1"
credit_percent = "0"
[[tiers]]
value_above = "1"
credit_percent = "10"
[credit]
rounding = "half-up"
"""
HEADER = "start,end,failed,total\n"
GOOD = f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,50,100\n2022-03-14T11:00:00Z,2022-03-14T12:00:00Z,0,100\n"
TEN = 1_647_252_000
PLACE = (
    "--service",
    "mail",
    "--component",
    "*",
    "--region",
    "EMEA",
    "--start",
    "2022-03-14T10:00:00Z",
    "--end",
    "2022-03-14T12:00:00Z",
)


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a ledger with a policy, a subscription and an incident."""
    monkeypatch.chdir(tmp_path)
    Path("errors.toml").write_text(ERRORS)
    Path("speed.toml").write_text(SPEED)
    Path("subscriptions.csv").write_text(
        "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\nA,s1,mail,EMEA,errors,USD,100.00,2021-01-01,\n"
    )
    done("init")
    done("policy", "publish", "errors.toml")
    done("policy", "publish", "speed.toml")
    done("subscriptions", "publish", "all", "subscriptions.csv")
    done(
        "incident", "open", "i", "--title", "T", "--status", "investigating", "--service", "mail", "--service", "web", "--region", "EMEA",
        "--region", "NAM",
    )  # fmt: skip


def record(path: str, *words: str, name: str = "m", of: str = "requests") -> Any:
    return ledger("incident", "record-measurement", "i", name, *PLACE, "--of", of, "--series", path, *words)


def size() -> int:
    return int(json.loads(done("verify", "--json"))["size"])


def row() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("credits", "compute", "--period", "2022-03", "--json"))["rows"][0]
    return found


def stored(content: bytes, *, kind: str = "csv", **fields: Any) -> None:
    """Record a series as a version that did not look into it would have."""
    with_table = {"sha256": sha256(content).hexdigest(), "format": kind, "rows": 1}
    action = {
        "action": "record-measurement", "incident": "i", "measurement": "old", "actor": "ops", "service": "mail", "component": "*",
        "region": "EMEA", "start": "2022-03-14T10:00:00Z", "end": "2022-03-14T12:00:00Z", "of": "requests", "series": with_table, **fields,
    }  # fmt: skip
    found = Appender("sqlite:///ledger.db")
    found.append([parse_action(action, content=content)])
    found.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\nx,y\n", "column 'a' is unknown; the columns are start, end, and failed with total or value"),
        ("start,end,faild,total\n", "column 'faild' is unknown (did you mean 'failed'?); the columns are start, end, and failed with total or value"),
        ("", "column 'start' is missing; add it"),
        ("start,end\n", "column 'failed', 'total' or both are missing, and there is no 'value'; add those or that"),
        (HEADER, "the rows of the series have no row; state at least one span"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00.9Z,1,2\n", "line 2: end '2022-03-14T11:00:00.9Z' has parts of a second, and times are whole seconds"),
        (f"{HEADER}2022-03-14T10:00:00,2022-03-14T11:00:00Z,1,2\n", "line 2: start '2022-03-14T10:00:00' has no zone or offset"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,-5000,2\n", "line 2: failed '-5000' is not a decimal of 0 or more"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,1,1_0\n", "line 2: total '1_0' is not a decimal of 0 or more"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,1,2.5\n", "line 2: total '2.5' is not a whole number"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,3,2\n", "line 2: failed 3 is more than total 2; correct them"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,3,\n", "line 2: it states neither failed of total nor a value, or both; state one of them"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T10:00:00Z,1,2\n", "line 2: end '2022-03-14T10:00:00Z' is not after start '2022-03-14T10:00:00Z'"),
        (f"{HEADER}2022-03-14T09:00:00Z,2022-03-14T11:00:00Z,1,2\n", "line 2: 2022-03-14T09:00:00.000000Z to 2022-03-14T11:00:00.000000Z lies outside"),
        (f"{HEADER}2022-03-14T11:00:00Z,2022-03-14T13:00:00Z,1,2\n", "lies outside the measurement; correct it, or the measurement"),
        (f"{GOOD}2022-03-14T11:59:00Z,2022-03-14T12:00:00Z,0,1\n", "line 4: 2022-03-14T11:59:00.000000Z to 2022-03-14T12:00:00.000000Z begins before"),
        (f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,1\n", "line 2 has 3 fields, but the header has 4; check its commas and quotes"),
        ("start,end,value\n2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,1.5\n", "the rows of the series of requests need failed and total in each; add it"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_and_nothing_is_written(text: str, said: str) -> None:
    Path("s.csv").write_text(text)
    before = size()
    result = record("s.csv")
    assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
    assert size() == before


def test_all_that_is_wrong_with_a_table_is_said_at_once() -> None:
    Path("s.csv").write_text(f"{HEADER}x,y,z,1\n2022-03-14T10:00:00Z,2022-03-14T11:00:00.900Z,-5000,1_0\n")
    said = [line.removeprefix("ledger: ").partition(" '")[0] for line in record("s.csv").stderr.splitlines()]
    assert said == ["line 2: start", "line 2: end", "line 2: failed", "line 3: end", "line 3: failed", "line 3: total", "the rows of the series were not read"]  # fmt: skip


def test_latency_needs_values_and_a_unit() -> None:
    Path("s.csv").write_text(GOOD)
    assert (
        "of latency need value in each; add it" in record("s.csv", "--unit", "seconds", of="latency").stderr
    )
    Path("s.csv").write_text("start,end,value\n2022-03-14T10:00:00Z,2022-03-14T11:00:00Z,1.50\n")
    assert (
        "unit is missing; a series of latency needs one, such as seconds"
        in record("s.csv", of="latency").stderr
    )
    assert record("s.csv", "--unit", "seconds", "--statistic", "p95", of="latency").exit_code == 0


# ---- Parquet ----------------------------------------------------------------------------------------------------

START, END = ([datetime(2022, 3, 14, hour + at, tzinfo=UTC) for hour in (10, 11)] for at in (0, 1))


def parquet(**columns: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_parquet_and_csv_are_read_alike(unit: str, zone: str) -> None:
    spans = {
        name: pa.array(some, pa.timestamp(unit, zone)) for name, some in (("start", START), ("end", END))
    }
    rows = [Row(TEN, TEN + 3_600, 50, 100), Row(TEN + 3_600, TEN + 7_200, 0, 100)]
    assert read_series(GOOD.encode(), "csv", "rows") == rows
    for failed in (pa.array([50, 0]), pa.array(["50", "0"]), pa.array([Decimal(50), Decimal(0)])):
        assert (
            read_series(parquet(**spans, failed=failed, total=[100, 100]), "parquet", "rows", exact=True)
            == rows
        )
    texts = {
        name: [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in some] for name, some in (("start", START), ("end", END))
    }
    assert read_series(parquet(**texts, failed=[50, 0], total=[100, 100]), "parquet", "rows") == rows
    valued = read_series(parquet(**spans, value=[Decimal("1.50"), Decimal("0.20")]), "parquet", "rows")
    assert [one.value for one in valued] == ["1.50", "0.20"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"value": [1.5, 2.0]}, "column value has the type double; store it as decimal, integer or string"),
        ({"failed": [1.0, 2.0], "total": [3, 3]}, "column failed has the type double; store it as integer or string"),
        ({"failed": [-1, 2], "total": [3, 3]}, "row 1: failed -1 is not a decimal of 0 or more"),
        ({"failed": [1, None], "total": [3, 3]}, "row 2: it states neither failed of total nor a value, or both; state one of them"),
        ({"value": ["1", "1"], "start": [one.replace(tzinfo=None) for one in START]}, "column start has no zone; store it as a timestamp in UTC"),
        ({"value": ["1", "1"], "start": [one.replace(microsecond=1) for one in START]}, "column start has parts of a second; state whole seconds"),
        ({"value": ["1", "1"], "start": [one.date() for one in START]}, "column start has the type date32[day]; store it as timestamp in UTC or string"),
        ({"value": ["1", "1"], "start": [b"\xff", b"\xff"]}, "column start has the type binary; store it as timestamp in UTC or string"),
        ({"value": ["1", "1"], "start": [None, None]}, "row 1: start is missing; add it"),
    ],
)  # fmt: skip
def test_parquet_that_is_not_exact_is_refused(columns: dict[str, Any], said: str) -> None:
    Path("s.parquet").write_bytes(parquet(**{"start": START, "end": END, **columns}))
    before = size()
    result = record("s.parquet", "--unit", "seconds", of="latency" if "value" in columns else "requests")
    assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
    assert size() == before


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("by_location", [False, True])
def test_a_series_counts_whatever_its_format_and_place(kind: str, by_location: bool) -> None:
    """Half of the requests of one of 744 hours failed: 99.9327…%."""
    Path(f"s.{kind}").write_bytes(
        GOOD.encode() if kind == "csv" else parquet(start=START, end=END, failed=[50, 0], total=[100, 100])
    )
    line = {
        "action": "record-measurement", "incident": "i", "measurement": "m", "actor": "ops", "service": "mail", "component": "*",
        "region": "EMEA", "start": "2022-03-14T10:00:00Z", "end": "2022-03-14T12:00:00Z", "of": "requests", "series_path": f"s.{kind}",
        "by_location": by_location,
    }  # fmt: skip
    Path("actions.jsonl").write_text(json.dumps(line) + "\n")
    done("append", "actions.jsonl")
    found = row()
    assert (found["availability"], found["credit"]) == ("99.932795698925", "10.00")
    if by_location:
        Path(f"s.{kind}").write_bytes(b"x")
        result = ledger("credits", "compute", "--period", "2022-03")
        assert (result.exit_code, "it was changed since" in result.stderr) == (1, True)


# ---- what was recorded before tables were checked ---------------------------------------------------------------

ELSEWHERE: list[dict[str, Any]] = [
    {"start": "2019-03-14T10:00:00Z", "end": "2019-03-14T12:00:00Z"},
    {"service": "web"},
    {"region": "NAM"},
    {"of": "executions"},
    {"of": "latency", "unit": "seconds", "statistic": "p95"},
]


@pytest.mark.parametrize(
    ("fields", "content", "kind"),
    [
        *((fields, b"a,b\nx,y\n", "csv") for fields in ELSEWHERE),
        (ELSEWHERE[0], b"\xff\x00", "csv"),
        (ELSEWHERE[1], b"PAR1junk", "parquet"),
    ],
)
def test_a_damaged_table_that_is_not_needed_stops_no_run(
    fields: dict[str, Any], content: bytes, kind: str
) -> None:
    """Latency is read by a policy that no subscription names, executions by none."""
    Path("s.csv").write_text(GOOD)
    assert record("s.csv").exit_code == 0
    stored(content, kind=kind, **fields)
    assert row()["availability"] == "99.932795698925"
    done("credits", "issue", "--period", "2022-03", "--actor", "f")
    done("credits", "restate", "1")


@pytest.mark.parametrize("fields", [{}, {"region": "*"}, {"region": "unknown"}])
def test_a_damaged_table_that_is_needed_stops_the_run_until_it_is_mended(fields: dict[str, Any]) -> None:
    stored(f"{HEADER}2022-03-14T10:00:00Z,2022-03-14T11:00:00.9Z,-5000,1_0\n".encode(), **fields)
    result = ledger("credits", "compute", "--period", "2022-03")
    assert result.exit_code == 1
    assert "the rows of measurement 'old' of incident 'i' were not read: line 2: end" in result.stderr
    assert "line 2: failed '-5000' is not a decimal of 0 or more" in result.stderr
    # What the sentence says to do helps.
    Path("s.csv").write_text(GOOD)
    assert record("s.csv").exit_code == 0
    done(
        "incident", "correct", "i", "--corrects", "v2", "--kind", "correction", "--reason", "damaged", "--set-json", "series=null",
        "--set-json", "failed=0", "--set-json", "total=0",
    )  # fmt: skip
    assert row()["credit"] == "10.00"


def test_a_run_in_a_month_that_needs_no_table_asks_for_none() -> None:
    stored(b"a,b\nx,y\n")
    found = json.loads(done("credits", "compute", "--period", "2022-01", "--json"))["rows"][0]
    assert found["availability"] == "100.000000000000"


def test_a_comparison_needs_the_tables_of_its_incident_and_months() -> None:
    """Junk of another year, or of another incident, stops no diff; junk of the month does."""
    done(
        "window", "add", "i", "w", "--service", "mail", "--component", "*", "--region", "EMEA", "--start", "2022-03-14T10:00:00Z", "--end",
        "2022-03-14T11:00:00Z", "--effect", "outage",
    )  # fmt: skip
    stored(b"a,b\nx,y\n", start="2019-03-14T10:00:00Z", end="2019-03-14T12:00:00Z")
    done(
        "incident",
        "open",
        "j",
        "--title",
        "T",
        "--status",
        "investigating",
        "--service",
        "mail",
        "--region",
        "EMEA",
    )
    stored(b"a,b\nx,y\n", incident="j")
    done("diff", "i", "r1", "r2", "--policy", "errors")
    done("replay", "i", "--policy", "errors")
    stored(b"a,b\nx,y\n", measurement="older")
    result = ledger("diff", "i", "r1", "r4", "--policy", "errors")
    assert (
        result.exit_code,
        "the rows of measurement 'older' of incident 'i' were not read" in result.stderr,
    ) == (1, True)
