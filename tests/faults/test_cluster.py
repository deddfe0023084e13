"""A cluster over TCP whose processes are killed in the middle of a run: the same bytes, or a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ledger.domain.period import parse_period
from ledger.domain.policy import parse_policy
from ledger.domain.window import Window
from ledger.errors import Unavailable
from projections import engines
from projections.cohorts import Cohort
from projections.credit_files import write_parquet
from projections.engines import Job, priced
from projections.subscriptions import read_subscriptions

ROOT = Path(__file__).parents[2]
TERMS = (ROOT / "examples/email_delivery_2022/policies/email-standard.toml").read_text()
MARCH = parse_period("2022-03")
JOB = Job(
    windows=tuple(
        Window(
            incident="mail", window=f"w-{cohort}", service="email", component="flow", region="EMEA", effect="outage",
            start=MARCH.start + hours * 3600, end=MARCH.start + (hours + 9) * 3600, cohort=cohort,
            entries=("incident/mail v2",),
        )
        for hours, cohort in ((24, None), (48, "beta"))
    ),
    policies={"email-standard": [(1, parse_policy(TERMS))]},
    period="2022-03",
    as_of=MARCH.end,
    resting_on=("subscriptions/all v1",),
    cohorts={"beta": Cohort("cohort/beta v1", pd.array([f"C{number}" for number in range(0, 60, 2)], dtype="str"))},
)  # fmt: skip
HEADER = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to\n"


def part(at: int) -> pd.DataFrame:
    lines = (f"C{at},s-{at}-{n},email,EMEA,email-standard,EUR,{n}.49,2021-01-01,\n" for n in range(20))
    return read_subscriptions((HEADER + "".join(lines)).encode(), "csv")


class Cluster:
    """A scheduler and workers, each a process of its own that nothing restarts."""

    def __init__(self, folder: Path, **env: str) -> None:
        self._env = {**os.environ, **env}
        self._file = folder / "scheduler.json"
        self._started = [
            self._start(
                "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"
            )
        ]
        self.address = self._address()
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(self._file), *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self._env, cwd=self._file.parent,
        )  # fmt: skip

    def _address(self) -> str:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._file.exists() and (text := self._file.read_text()):
                return str(json.loads(text)["address"])
            time.sleep(0.05)
        raise TimeoutError("the scheduler did not start")

    def add_worker(self) -> None:
        """Start a worker and wait until the scheduler has it."""
        import distributed

        library: Any = distributed
        worker = self._start(
            "dask_worker",
            "--no-nanny",
            "--nthreads",
            "1",
            "--dashboard-address",
            "127.0.0.1:0",
            "--host",
            "127.0.0.1",
        )
        self.workers.append(worker)
        self._started.append(worker)
        alive = sum(one.poll() is None for one in self.workers)
        with library.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(alive, timeout=60)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def kill_scheduler(self) -> None:
        self.kill(self._started[0])

    def stop(self) -> None:
        for process in self._started:
            self.kill(process)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(tmp_path)
    try:
        found.add_worker()
        yield found
    finally:
        found.stop()


def interrupted(after: int, then: Callable[[], None], number: int = 24) -> Iterator[pd.DataFrame]:
    """Yield parts, and let something happen in the middle of them."""
    for at in range(number):
        if at == after:
            then()
        yield part(at)


def test_workers_that_are_killed_in_the_middle_change_no_byte(cluster: Cluster, tmp_path: Path) -> None:
    def written(name: str, parts: Iterator[pd.DataFrame], *where: Any) -> str:
        return write_parquet(tmp_path / name, priced(parts, JOB, *where))

    here = written("here.parquet", interrupted(99, lambda: None))
    cluster.add_worker()
    first, second = cluster.workers
    assert cluster.address.startswith("tcp://127.0.0.1:")
    assert (
        written("one.parquet", interrupted(9, lambda: cluster.kill(first)), "dask", cluster.address) == here
    )

    def replace() -> None:
        cluster.kill(second)
        cluster.add_worker()

    # What the last worker had been given once for all parts went with it, and is given again.
    assert written("all.parquet", interrupted(9, replace), "dask", cluster.address) == here
    assert [worker.poll() is None for worker in cluster.workers] == [False, False, True]


def test_a_cluster_that_is_lost_is_a_sentence_and_no_file(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("_LOOK", 0.5), ("_PATIENCE", 1.5), ("_ANSWER", 3.0)):
        monkeypatch.setattr(engines, name, seconds)

    def lost(then: Callable[[], None]) -> str:
        with pytest.raises(Unavailable) as error:
            write_parquet(
                tmp_path / "there.parquet", priced(interrupted(5, then), JOB, "dask", cluster.address)
            )
        assert error.value.exit_code == 3
        assert not list(tmp_path.glob("*there*"))
        return str(error.value).replace(cluster.address, "ADDRESS")

    [worker] = cluster.workers
    assert lost(lambda: cluster.kill(worker)) == (
        "the scheduler ADDRESS has no workers left; start some, and run again"
    )
    assert lost(lambda: None) == "the scheduler ADDRESS has no workers; start some, or leave --scheduler out"
    cluster.add_worker()
    assert lost(cluster.kill_scheduler).startswith("the scheduler ADDRESS ")
    assert "cannot be reached" in lost(lambda: None)


def test_workers_with_another_version_price_nothing(tmp_path: Path) -> None:
    """The same bytes are promised, and another version may calculate otherwise."""
    metadata = tmp_path / "incident_sla_ledger-0.0.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: incident-sla-ledger\nVersion: 0.0.1\n")
    cluster = Cluster(tmp_path, PYTHONPATH=str(tmp_path))
    try:
        cluster.add_worker()
        with pytest.raises(
            Unavailable, match=r"cannot price: on its worker tcp://\S+ incident-sla-ledger is 0\.0\.1, and "
        ):
            list(priced([part(0)], JOB, "dask", cluster.address))
    finally:
        cluster.stop()
