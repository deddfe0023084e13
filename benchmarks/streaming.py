"""How fast 10,000,000 subscriptions go from Parquet to Parquet, beside pyarrow alone doing the same with constants.

Data mix: customers of three subscriptions each, 5 services, 4 regions, 3 policies, 3 currencies of 0 and 2 digits, one in
twenty valid for a part of the month; row groups of 500,000. Four windows over two services and two regions. Measured is
what `ledger credits export -o FILE.parquet` does once the facts are read: validation, the search for subscriptions that
are there twice, pricing, every column of the credit row. pyarrow reads the same file and writes a file of the same columns
filled with constants. Each is a process of its own, so that its peak of memory is its own. `ledger credits compute` is the
command itself, on a ledger that holds the same terms and windows and names the same file, one window limited to a cohort of
every hundredth customer.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.terms import terms

__all__ = ["main"]

_GROUP = 500_000
_DOWN = ("email", "api")
POLICIES = {"standard": "full", "premium": "full", "by-share": "by-share"}


def main(folder: Path, subscriptions: int) -> list[dict[str, Any]]:
    """Measure, and return the rows of the table."""
    source = folder / "subscriptions.parquet"
    _make(source, subscriptions)
    best: dict[str, dict[str, float]] = {}
    for _ in range(2):
        for what in ("constants", "credits"):
            command = [
                sys.executable,
                "-m",
                "benchmarks.streaming",
                what,
                str(source),
                str(folder / "out.parquet"),
            ]
            done = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            best[what] = min(best.get(what, done), done, key=lambda one: one["seconds"])
    ours, bare = (subscriptions / best[what]["seconds"] for what in ("credits", "constants"))
    peak = best["credits"]["peak_mb"]
    return [
        {"what": f"{subscriptions:,} subscriptions, Parquet to Parquet", "bound": ">= 0.4 x pyarrow with constants",
         "ratio": ours / bare, "ok": ours / bare >= 0.4, "detail": f"{ours:,.0f} rows/s, pyarrow {bare:,.0f} rows/s"},
        {"what": "its memory", "bound": "<= 1,500 MB", "ratio": peak, "ok": peak <= 1_500, "detail": "peak RSS, MB"},
        _computed(folder, source, subscriptions),
    ]  # fmt: skip


def _computed(folder: Path, source: Path, subscriptions: int) -> dict[str, Any]:
    """Run the command on a ledger of its own, and return the row of its peak of memory."""
    place = folder / "computed"
    place.mkdir()

    def ledger(*words: str) -> tuple[float, float]:
        """Return how many seconds a command took, and its peak of memory in MB."""
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger", *words], cwd=place, stdout=subprocess.DEVNULL,
            env={**os.environ, "LEDGER_ACTOR": "bench", "LEDGER_URL": "sqlite:///bench.db"},
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"ledger {words} ended with {process.returncode}")
        return time.perf_counter() - begin, used.ru_maxrss / 1_024

    ledger("init")
    for key, how in POLICIES.items():
        (place / f"{key}.toml").write_text(terms(key, windows=how))
        ledger("policy", "publish", f"{key}.toml")
    (place / "incident.jsonl").write_text("\n".join(json.dumps(action) for action in _actions()))
    ledger("append", "incident.jsonl")
    customers = "\n".join(f"customer {number}" for number in range(0, subscriptions // 3, 100))
    (place / "some.csv").write_text(f"customer\n{customers}\n")
    ledger("cohort", "publish", "some", "some.csv")
    ledger("subscriptions", "publish", "all", str(source), "--by-location")
    seconds, peak = ledger("credits", "compute", "--period", "2022-03")
    return {"what": f"ledger credits compute, {subscriptions:,} subscriptions", "bound": "<= 1,500 MB",
            "ratio": peak, "ok": peak <= 1_500, "detail": f"peak RSS, MB; {subscriptions / seconds:,.0f} rows/s"}  # fmt: skip


def _actions() -> Iterator[dict[str, Any]]:
    yield {"action": "open", "incident": "i", "title": "Mail", "status": "investigating", "actor": "bench",
           "services": list(_DOWN), "components": ["flow"], "regions": ["EMEA", "NAM"]}  # fmt: skip
    for service in _DOWN:
        for region in ("EMEA", "NAM"):
            yield {
                "action": "add-window", "incident": "i", "window": f"w-{service}-{region.lower()}", "actor": "bench",
                "service": service, "component": "flow", "region": region, "start": "2022-03-14T16:00:00Z",
                "end": "2022-03-14T23:59:00Z", "effect": "outage",
                **({"cohort": "some"} if (service, region) == ("email", "EMEA") else {}),
            }  # fmt: skip


def _make(path: Path, subscriptions: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20_220_314)
    currencies, writer = np.array(["EUR", "USD", "JPY"]), None

    def text(numbers: Any, prefix: str, width: int) -> Any:
        return pc.binary_join_element_wise(
            prefix, pc.utf8_lpad(pc.cast(numbers, pa.string()), width, "0"), ""
        )

    def one_of(*names: str, count: int) -> Any:
        return pa.array(np.array(names)[rng.integers(0, len(names), count)])

    for start in range(0, subscriptions, _GROUP):
        count = min(_GROUP, subscriptions - start)
        ids = np.arange(start, start + count)
        currency = rng.integers(0, 3, count)
        fee = rng.integers(1, 20_000, count) * 100 + np.where(currency == 2, 0, rng.integers(0, 100, count))
        halves = np.zeros((count, 2), dtype="<i8")
        halves[:, 0] = fee
        day = np.datetime64("2020-01-01") + rng.integers(0, 780, count)
        until = np.where(rng.random(count) < 0.05, np.datetime64("2022-03-20"), np.datetime64("NaT"))
        table = pa.table(
            {
                "customer": text(pa.array(ids // 3), "customer ", 1),
                "subscription": text(pa.array(ids), "sub-", 9),
                "service": one_of("email", "archive", "gateway", "search", "api", count=count),
                "region": one_of("EMEA", "NAM", "APAC", "LATAM", count=count),
                "policy": one_of(*POLICIES, count=count),
                "currency": pa.array(currencies[currency]),
                "fee": pa.Array.from_buffers(pa.decimal128(20, 2), count, [None, pa.py_buffer(halves)]),
                "valid_from": pa.array(day.astype("datetime64[D]")),
                "valid_to": pa.array(until.astype("datetime64[D]")),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _constants(source: Path, target: Path) -> None:
    """Read the file, and write the columns of the credit row with one value each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from projections.credit_files import as_arrow
    from projections.credits import price
    from projections.subscriptions import COLUMNS, read_subscriptions

    some = price(read_subscriptions(",".join(COLUMNS).encode(), "csv"), (), {}, "2022-03", 0)
    schema = as_arrow(some).schema
    writer = None
    for batch in pq.ParquetFile(source).iter_batches(batch_size=_GROUP):
        columns = {}
        for field in schema:
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            value: Any = (
                "a text that is the same in each row"
                if pa.types.is_string(kind) or pa.types.is_large_string(kind)
                else 1
            )
            columns[field.name] = pa.repeat(
                pa.scalar(bool(value) if pa.types.is_boolean(kind) else value, type=kind), len(batch)
            )
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd", compression_level=1)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _credits(source: Path, target: Path) -> None:
    """Price the file as the command does."""
    import pandas as pd

    from ledger.domain.period import parse_period
    from ledger.domain.policy import parse_policy
    from ledger.domain.window import Window
    from projections.credit_files import write_parquet
    from projections.engines import Job, priced
    from projections.repeats import Repeats
    from projections.subscription_batches import read_batches

    month = parse_period("2022-03")
    windows = tuple(
        Window(incident="i", window=f"w-{service}-{region}", service=service, component="*", region=region,
               start=month.start + 1_180_800, end=month.start + 1_209_540, effect="outage", entries=("incident/i v2",))
        for service in _DOWN for region in ("EMEA", "NAM")
    )  # fmt: skip
    policies = {key: [(1, parse_policy(terms(key, windows=how)))] for key, how in POLICIES.items()}
    job = Job(windows, policies, "2022-03", month.end, ("subscriptions/all v1",))
    repeats = Repeats()

    def parts() -> Iterator[pd.DataFrame]:
        for part in read_batches(source):
            repeats.add(part)
            yield part
        repeats.check(lambda: read_batches(source))

    write_parquet(target, priced(parts(), job))


def _one(what: str, source: str, target: str) -> None:
    run = {"constants": _constants, "credits": _credits}[what]
    start = time.perf_counter()
    run(Path(source), Path(target))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    _one(*sys.argv[1:])
