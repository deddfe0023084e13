"""Engines: where the parts of a credit run are priced. The same pure function prices each part, in the same order.

`local` is this process. `dask` is a cluster of processes: one that is started for the run, or one that is there already.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec
import pandas as pd

from ledger.domain.claims import Claim
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import Policy
from ledger.domain.window import Window
from ledger.errors import Unavailable
from projections.cohorts import Cohort
from projections.credits import Workings, workings
from projections.earlier_credits import Credited

__all__ = ["ENGINES", "BothJobs", "Engine", "Job", "priced"]

Made_co = TypeVar("Made_co", covariant=True)
Engine: TypeAlias = Literal["local", "dask"]
ENGINES: tuple[Engine, ...] = ("local", "dask")
_PROGRAM = "incident-sla-ledger"
# Parts each worker holds or waits for: enough to keep it busy, few enough to stay small.
_PARTS_AHEAD = 2
# Seconds between two looks at the workers while waiting, and for how long there may be none; how often all may be lost.
_LOOK = 5.0
_PATIENCE = 30.0
_TRIES = 3
# Seconds in which a scheduler has to answer.
_ANSWER = 15.0


class Job(msgspec.Struct, frozen=True):
    """What every part of a run is priced with: the arguments of `projections.credits.workings`."""

    windows: tuple[Window, ...]
    policies: Mapping[str, Sequence[tuple[int, Policy]]]
    period: str
    as_of: int
    resting_on: tuple[str, ...]
    cohorts: Mapping[str, Cohort] = {}
    measurements: tuple[Measurement, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    credited: Credited = {}
    claims: tuple[Claim, ...] = ()
    mark_unfinished: bool = False

    def price(self, part: pd.DataFrame) -> pd.DataFrame:
        """Return the credit rows of a part of the subscriptions."""
        return self.workings(part).frame

    def workings(self, part: pd.DataFrame) -> Workings:
        """Return the credit rows of a part of the subscriptions with what they were computed from."""
        return workings(
            part, self.windows, self.policies, self.period, self.as_of, self.resting_on, self.cohorts,
            measurements=self.measurements, exclusions=self.exclusions, credited=self.credited, claims=self.claims,
            mark_unfinished=self.mark_unfinished,
        )  # fmt: skip


class BothJobs(msgspec.Struct, frozen=True):
    """A run and what it is compared with, if anything: each part is priced under both."""

    after: Job
    before: Job | None

    def price(self, part: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the credit rows of a part of the subscriptions, and those to compare them with."""
        return self.after.price(part), None if self.before is None else self.before.price(part)


class _Prices(Protocol[Made_co]):
    """Anything that makes something of a part of the subscriptions, by itself alone."""

    def price(self, part: pd.DataFrame) -> Made_co: ...


def priced(
    parts: Iterable[pd.DataFrame],
    job: _Prices[Made_co],
    engine: Engine = "local",
    scheduler: str | None = None,
) -> Iterator[Made_co]:
    """Yield what a job makes of each part, such as its credit rows, in the order of the parts, whatever the engine.

    scheduler: the address of a running cluster, such as tcp://host:8786; None: a cluster of processes on this machine,
    one for each core, for this run. Raises Unavailable where the cluster cannot be reached or lost its workers.
    """
    if engine == "local":
        yield from map(job.price, parts)
        return
    yield from _on_cluster(parts, job, scheduler)


def _on_cluster(
    parts: Iterable[pd.DataFrame], job: _Prices[Made_co], scheduler: str | None
) -> Iterator[Made_co]:
    try:
        import dask
        import distributed
    except ImportError:
        raise Unavailable(
            "the engine dask needs the distributed package; install incident-sla-ledger[dask]"
        ) from None
    library: Any = distributed
    cluster: Any = None
    where = f"the scheduler {scheduler}" if scheduler else "a cluster on this machine"
    try:
        if scheduler is None:
            cluster = library.LocalCluster(
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        else:
            _knock(scheduler)
        client = library.Client(scheduler or cluster, timeout=_ANSWER, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise Unavailable(
            f"{where} cannot be reached: {str(error) or 'no answer'}; check the address, or leave out --engine dask"
        ) from None
    try:
        # A part goes with its task, so that it can be priced elsewhere when its worker is lost; that is meant, however large.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "2GB"}):
            yield from _in_order(_Pool(client, job, where), parts)
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


def _knock(scheduler: str) -> None:
    """Raise OSError or ValueError at once where nobody listens; the library would try for long, and leave sockets open."""
    address = urlsplit(scheduler)
    if address.scheme not in ("tcp", "tls") or address.hostname is None or address.port is None:
        raise ValueError("it is not written like tcp://host:8786")
    socket.create_connection((address.hostname, address.port), timeout=10).close()


class _Pool(Generic[Made_co]):
    """The workers of a cluster: what they are asked to price, and what becomes of it when some of them are lost."""

    def __init__(self, client: Any, job: _Prices[Made_co], where: str) -> None:
        self._client, self._job, self._where = client, job, where
        self.workers = len(self._present())
        if not self.workers:
            raise Unavailable(f"{where} has no workers; start some, or leave --scheduler out")
        self._check_versions()
        self._terms = self._scattered()

    def _check_versions(self) -> None:
        """Raise Unavailable unless the program is there, and the same: another version may calculate another figure."""
        here = version(_PROGRAM)
        with self._reaching():
            there = self._client.run(version, _PROGRAM, on_error="return")
        for worker, found in sorted(there.items()):
            if found != here:
                has = found if isinstance(found, str) else "not installed"
                raise Unavailable(
                    f"{self._where} cannot price: on its worker {worker} {_PROGRAM} is {has}, and {here} here; install the "
                    "same there"
                )

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RuntimeError) as error:
            raise Unavailable(
                f"{self._where} was lost in the middle of the run: {str(error) or 'no answer'}; run again"
            ) from None

    def _present(self) -> Mapping[str, Any]:
        with self._reaching():
            info: Mapping[str, Mapping[str, Any]] = self._client.scheduler_info(n_workers=-1)
            if "workers" not in info:
                raise ConnectionError("it does not answer any more")
            return info["workers"]

    def _scattered(self) -> Any:
        with self._reaching():
            return self._client.scatter(self._job, broadcast=True, hash=False, timeout=_PATIENCE)

    def submit(self, part: pd.DataFrame) -> Any:
        """Ask for a part and return its future."""
        with self._reaching():
            # Never taken for the result of an earlier run: a part has no name but its place.
            return self._client.submit(_price, self._terms, part, pure=False)

    def result(self, part: pd.DataFrame, future: Any) -> Made_co:
        """Wait for a part; a worker that is lost is replaced by another, as long as there is one."""
        from distributed import KilledWorker

        for _ in range(_TRIES):
            try:
                return self._waited(future)
            except KilledWorker as error:
                raise Unavailable(
                    f"workers of {self._where} died ({error}); run again with more memory for each"
                ) from None
            except CancelledError:
                # The terms of the run, or the result, went with the last worker that had them.
                future = self._again(part)
        raise Unavailable(
            f"{self._where} lost its workers {_TRIES} times; look into their logs, and run again"
        )

    def _again(self, part: pd.DataFrame) -> Any:
        without = 0.0
        while not self._present():
            time.sleep(_LOOK)
            without = self._patient(without + _LOOK)
        self._terms = self._scattered()
        return self.submit(part)

    def _patient(self, without: float) -> float:
        """Return for how many seconds there were no workers; Unavailable when it has been too long."""
        if without >= _PATIENCE:
            raise Unavailable(f"{self._where} has no workers left; start some, and run again")
        return without

    def _waited(self, future: Any) -> Made_co:
        without = 0.0
        while True:
            try:
                made: Made_co = future.result(timeout=_LOOK)
            except TimeoutError:
                without = 0.0 if self._present() else self._patient(without + _LOOK)
            else:
                return made


def _in_order(pool: _Pool[Made_co], parts: Iterable[pd.DataFrame]) -> Iterator[Made_co]:
    waiting: deque[tuple[pd.DataFrame, Any]] = deque()
    for part in parts:
        waiting.append((part, pool.submit(part)))
        if len(waiting) > _PARTS_AHEAD * pool.workers:
            yield pool.result(*waiting.popleft())
    while waiting:
        yield pool.result(*waiting.popleft())


def _price(job: _Prices[Made_co], part: pd.DataFrame) -> Made_co:
    return job.price(part)
