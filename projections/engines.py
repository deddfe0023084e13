"""Engines: where the parts of a credit run are priced. The same pure function prices each part, in the same order.

`local` is this process. `dask` is a cluster of processes: one that is started for the run, or one that is there already.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec
import pandas as pd

from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.domain.policy import Policy
from ledger.domain.window import Window
from ledger.errors import Unavailable
from projections.cohorts import Cohort
from projections.credits import price

__all__ = ["ENGINES", "Engine", "Job", "priced"]

Engine: TypeAlias = Literal["local", "dask"]
ENGINES: tuple[Engine, ...] = ("local", "dask")
# Parts each worker holds or waits for: enough to keep it busy, few enough to stay small.
_PARTS_AHEAD = 2


class Job(msgspec.Struct, frozen=True):
    """What every part of a run is priced with: the arguments of `projections.credits.price`."""

    windows: tuple[Window, ...]
    policies: Mapping[str, Sequence[tuple[int, Policy]]]
    period: str
    as_of: int
    resting_on: tuple[str, ...]
    cohorts: Mapping[str, Cohort] = {}
    measurements: tuple[Measurement, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    credited: Mapping[str, int] = {}

    def price(self, part: pd.DataFrame) -> pd.DataFrame:
        """Return the credit rows of a part of the subscriptions."""
        return price(
            part, self.windows, self.policies, self.period, self.as_of, self.resting_on, self.cohorts,
            measurements=self.measurements, exclusions=self.exclusions, credited=self.credited,
        )  # fmt: skip


def priced(
    parts: Iterable[pd.DataFrame], job: Job, engine: Engine = "local", scheduler: str | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the credit rows of each part, in the order of the parts, whatever the engine.

    scheduler: the address of a running cluster, such as tcp://host:8786; None: a cluster of processes on this machine,
    one for each core, for this run. Raises Unavailable where the cluster cannot be reached or lost its workers.
    """
    if engine == "local":
        yield from map(job.price, parts)
        return
    yield from _on_cluster(parts, job, scheduler)


def _on_cluster(parts: Iterable[pd.DataFrame], job: Job, scheduler: str | None) -> Iterator[pd.DataFrame]:
    try:
        import distributed
    except ImportError:
        raise Unavailable(
            "the engine dask needs the distributed package; install incident-sla-ledger[dask]"
        ) from None
    library: Any = distributed
    cluster: Any = None
    try:
        if scheduler is None:
            cluster = library.LocalCluster(threads_per_worker=1, processes=True, dashboard_address=None)
        else:
            _knock(scheduler)
        client = library.Client(scheduler or cluster, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        where = f"the scheduler {scheduler}" if scheduler else "a cluster on this machine"
        raise Unavailable(
            f"{where} cannot be reached: {str(error) or 'no answer'}; check the address, or leave out --engine dask"
        ) from None
    try:
        yield from _in_order(client, parts, job)
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


def _in_order(client: Any, parts: Iterable[pd.DataFrame], job: Job) -> Iterator[pd.DataFrame]:
    from distributed import KilledWorker

    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    if not workers:
        raise Unavailable("the cluster has no workers; start some, or leave --scheduler out")
    terms = client.scatter(job, broadcast=True, hash=False)
    waiting: deque[Any] = deque()
    try:
        for part in parts:
            # Never taken for the result of an earlier run: a part has no name but its place.
            waiting.append(client.submit(_price, terms, part, pure=False))
            if len(waiting) > _PARTS_AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except KilledWorker as error:
        raise Unavailable(
            f"workers of the cluster died ({error}); run again with more memory for each"
        ) from None


def _price(job: Job, part: pd.DataFrame) -> pd.DataFrame:
    return job.price(part)
