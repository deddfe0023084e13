"""The facts a credit run rests on, read under a cut: policies, subscriptions and cohorts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from ledger.domain.events import CohortPublished, PolicyPublished, Series, SubscriptionsPublished
from ledger.domain.policy import Policy, parse_policy
from ledger.errors import LedgerError, Refused, Unavailable, nearest, require
from ledger.store.stream import read_stream

if TYPE_CHECKING:
    import pandas as pd

    from ledger.store.log import SealedLog
    from projections.cohorts import Cohort, Seen

__all__ = [
    "Cohorts",
    "Table",
    "content_of",
    "doubtful_places",
    "places_of",
    "policies",
    "policies_used",
    "published_table",
    "subscriptions",
    "values_of",
    "warn_of_claimants",
    "tables",
    "warn_of_places",
    "warn_of_strangers",
]

_SHOWN = 20


def policies(
    log: SealedLog, upto: int | None
) -> tuple[dict[str, list[tuple[int, Policy]]], dict[tuple[str, int], str]]:
    """Return every policy's versions that the ledger held at a position, and the text of each."""
    found: dict[str, list[tuple[int, Policy]]] = {}
    terms: dict[tuple[str, int], str] = {}
    for stream in log.streams("policy/", limit=100_000):
        for entry in read_stream(log, stream, upto_position=upto):
            if isinstance(entry.event, PolicyPublished):
                found.setdefault(entry.key, []).append(
                    (entry.version, parse_policy(entry.event.terms, stored=True))
                )
                terms[entry.key, entry.version] = entry.event.terms
    return found, terms


class Table(msgspec.Struct, frozen=True):
    """A published table: where it was published, and its bytes or, by location, its place."""

    stream: str
    version: int
    sha256: str
    rows: int
    format: Literal["csv", "parquet"]
    source: bytes | Path

    def parts(self) -> Iterator[pd.DataFrame]:
        """Yield the subscriptions, some at a time where the format allows it."""
        from projections.subscription_batches import read_batches
        from projections.subscriptions import read_subscriptions

        if self.format == "parquet":
            yield from read_batches(self.source)
        else:
            yield read_subscriptions(self.source, "csv")

    @property
    def entry(self) -> str:
        """The entry that published it, such as "subscriptions/all v2"."""
        return f"{self.stream} v{self.version}"

    def as_json(self) -> dict[str, Any]:
        """Return where a figure came from, for programs."""
        return {"stream": self.stream, "version": self.version, "sha256": self.sha256, "rows": self.rows}


def tables(log: SealedLog, upto: int | None, keys: tuple[str, ...]) -> list[Table]:
    """Return the latest tables of subscriptions at a position: those of `keys`, or all."""
    known = log.streams("subscriptions/", limit=100_000)
    streams = [f"subscriptions/{key}" for key in keys] or known
    for key, stream in zip(keys, streams, strict=False):
        if stream not in known:
            raise Refused(_unknown_table(key, known))
    found = []
    for stream in dict.fromkeys(streams):
        table = _latest(log, stream, upto)
        if table is not None:
            found.append(table)
        elif keys:
            raise Refused(f"{stream} was not published by position @{upto}; choose a later one")
    if not found:
        raise Refused(
            "no subscriptions are published; publish them with: ledger subscriptions publish KEY FILE"
        )
    return found


def _latest(log: SealedLog, stream: str, upto: int | None) -> Table | None:
    """Return the latest table of a stream at a position, None where there is none yet."""
    found = None
    for entry in read_stream(log, stream, upto_position=upto):
        if isinstance(entry.event, SubscriptionsPublished | CohortPublished):
            found = entry.version, entry.event.table
    if found is None:
        return None
    version, table = found
    return published_table(log, stream, version, table)


def published_table(log: SealedLog, stream: str, version: int, table: Series) -> Table:
    """Return a table that was published; Unavailable or Refused where it is not at hand as it was."""
    content = log.content(table.sha256) if table.location is None else _located(table.location, table.sha256)
    if content is None:
        raise Unavailable(f"the table of {stream} v{version} is not kept; run ledger verify")
    return Table(stream, version, table.sha256, table.rows, table.format, content)


def content_of(log: SealedLog, table: Series, what: str) -> bytes:
    """Return the bytes of a table; what: what it holds, in the plural. Raises as `published_table` does."""
    content = (
        log.content(table.sha256)
        if table.location is None
        else _located(table.location, table.sha256).read_bytes()
    )
    if content is None:
        raise Unavailable(f"{what} are not kept with the ledger; run ledger verify")
    return content


class Cohorts:
    """The cohorts that windows of a run are limited to, each read once, the latest at a position.

    tables: where each came from; known: by name who is in it; unknown: those that are not published, or not at hand.
    """

    def __init__(self, log: SealedLog, upto: int | None) -> None:
        self._log = log
        self._upto = upto
        self.tables: list[Table] = []
        self.known: dict[str, Cohort] = {}
        self.unknown: list[str] = []

    def read(self, names: Iterable[str]) -> None:
        """Read cohorts; one that cannot be read is named in a warning, and windows limited to it stay bounds."""
        from projections.cohorts import Cohort, read_cohort

        for name in names:
            if name in self.known or name in self.unknown:
                continue
            try:
                table = self._table(name)
                self.known[name] = Cohort(table.entry, _customers(table, read_cohort))
                self.tables.append(table)
            except Unavailable as error:
                self.unknown.append(name)
                click.echo(
                    f"warning: cohort {name!r} is not at hand, so what is limited to it counts as a bound, from nobody to "
                    f"everybody: {error}",
                    err=True,
                )

    def _table(self, name: str) -> Table:
        table = _latest(self._log, f"cohort/{name}", self._upto)
        if table is not None:
            return table
        known = [stream.partition("/")[2] for stream in self._log.streams("cohort/", limit=100_000)]
        raise Unavailable(
            f"it was not published by position @{self._upto}; choose a later one"
            if name in known
            else f"it is not published{nearest(name, known)}; publish it with: ledger cohort publish {name} FILE"
        )


def _customers(table: Table, read: Callable[[bytes | Path, Literal["csv", "parquet"]], Any]) -> Any:
    """Return the customers of a table; one published before tables of cohorts were checked may have none."""
    try:
        return read(table.source, table.format)
    except Refused as error:
        raise Unavailable(f"the table of {table.entry} cannot be used: {error}; publish it again") from None


def warn_of_strangers(seen: Iterable[Seen]) -> None:
    """Say on standard error which customers of cohorts are in no table of subscriptions."""
    for one in seen:
        entry, customers = one.cohort.entry, one.missing()
        if customers:
            more = f" and {len(customers) - _SHOWN:,} more" if len(customers) > _SHOWN else ""
            click.echo(
                f"warning: {entry} names {len(customers):,} customer{'s' if len(customers) > 1 else ''} of whom no table of "
                f"subscriptions knows: {', '.join(map(repr, customers[:_SHOWN]))}{more}; to credit them, write them as the "
                "subscriptions do",
                err=True,
            )


def subscriptions(
    log: SealedLog, upto: int | None, keys: tuple[str, ...]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the latest tables of subscriptions at a position as one, and where each came from."""
    from projections.repeats import Repeats
    from projections.subscriptions import joined, read_subscriptions

    found = tables(log, upto, keys)
    frames = [read_subscriptions(table.source, table.format) for table in found]
    if len(frames) > 1:
        repeats = Repeats()
        for frame in frames:
            repeats.add(frame)
        repeats.check(lambda: frames)
    return joined(frames), [table.as_json() for table in found]


def policies_used(log: SealedLog, upto: int | None) -> set[str]:
    """Return the keys of the policies that the latest tables of subscriptions name; empty where none can be read."""
    if not log.streams("subscriptions/", limit=1):
        return set()
    try:
        return {key for table in tables(log, upto, ()) for key in values_of(table, "policy")}
    except LedgerError as error:
        click.echo(f"warning: {error}; all published policies are taken instead", err=True)
        return set()


def values_of(table: Table, column: str) -> set[str]:
    """Return what stands in a column of a table, without reading the rest of it where its format allows."""
    if table.format == "parquet":
        from io import BytesIO

        require("Parquet", "pyarrow", "parquet")
        import pyarrow.parquet

        source = BytesIO(table.source) if isinstance(table.source, bytes) else table.source
        parts = pyarrow.parquet.ParquetFile(source).iter_batches(columns=[column])
        return {str(key) for part in parts for key in part.column(0).unique().to_pylist()}
    import csv

    content = table.source if isinstance(table.source, bytes) else table.source.read_bytes()
    return {str(row.get(column)) for row in csv.DictReader(content.decode("utf-8-sig").splitlines())}


def warn_of_claimants(log: SealedLog, customers: Iterable[str]) -> None:
    """Say on standard error of whom no table of subscriptions knows; nothing where that cannot be told."""
    if not log.streams("subscriptions/", limit=1):
        return
    try:
        known = {name for table in tables(log, None, ()) for name in values_of(table, "customer")}
    except (LedgerError, OSError, ValueError):
        return
    for customer in customers:
        if customer not in known:
            click.echo(
                f"warning: no table of subscriptions knows customer {customer!r}{nearest(customer, sorted(known))}; a claim is "
                "only paid to whom it names as the subscriptions do",
                err=True,
            )


def _unknown_table(key: str, known: list[str]) -> str:
    names = [stream.partition("/")[2] for stream in known]
    return f"--subscriptions {key!r} is not published{nearest(key, names)}; " + (
        f"published are {', '.join(names[:20])}" if names else "no table of subscriptions is"
    )


def doubtful_places(
    places: Mapping[tuple[str, str], int], incidents: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return a sentence for each service and region that no incident names, but nearly: so was it meant?

    places: by (service, region) the number of subscriptions. A service that never failed is in no incident either, so a name
    that is like no other says nothing.
    """
    services: set[str] = set()
    regions: set[str] = set()
    for incident in incidents:
        services.update(incident["services"])
        regions.update(incident["regions"])
    counts: dict[tuple[str, str], int] = {}
    for (service, region), number in places.items():
        for field, name, known in (("service", service, services), ("region", region, regions)):
            if name not in known:
                counts[field, name] = counts.get((field, name), 0) + number
    found = []
    for (field, name), number in sorted(counts.items()):
        known = services if field == "service" else regions
        # Short codes such as EMEA and EMEA-2 are near to each other by nature; a typo is nearer.
        if close := get_close_matches(
            name.casefold(), {one.casefold(): one for one in known}, n=1, cutoff=0.75
        ):
            meant = next(one for one in sorted(known) if one.casefold() == close[0])
            found.append(
                f"{field} {name!r} of {number:,} subscription{'s' if number > 1 else ''} is in no incident; if "
                f"{meant!r} was meant, no downtime of it counts for them: correct the table"
            )
    return found


def places_of(table: pd.DataFrame) -> Counter[tuple[str, str]]:
    """Return how many subscriptions each service and region has."""
    counted = table.groupby(["service", "region"], observed=True).size()
    found: Counter[tuple[str, str]] = Counter()
    for place, number in zip(counted.index.tolist(), counted.tolist(), strict=True):
        found[str(place[0]), str(place[1])] += int(number)
    return found


def warn_of_places(log: SealedLog, places: Mapping[tuple[str, str], int]) -> None:
    """Say on standard error which services and regions of subscriptions look like a slip of the pen."""
    from projections.views import open_views

    for sentence in doubtful_places(places, open_views(log).incidents()):
        click.echo(f"warning: {sentence}", err=True)


def _located(location: str, digest: str) -> Path:
    """Return the place of a table whose bytes are still those that were published."""
    import hashlib

    try:
        with Path(location).open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise Unavailable(f"the table at {location} cannot be read: {error.strerror}") from None
    if found != digest:
        raise Refused(
            f"the table at {location} has digest {found}, but {digest} was published: it was changed since; bring "
            "back the table as it was, or publish this one"
        )
    return Path(location)
