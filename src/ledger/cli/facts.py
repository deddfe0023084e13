"""The facts a credit run rests on, read under a cut: policies and subscriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from ledger.domain.events import PolicyPublished, SubscriptionsPublished
from ledger.domain.policy import Policy, parse_policy
from ledger.errors import Refused, Unavailable, nearest
from ledger.store.stream import read_stream

if TYPE_CHECKING:
    import pandas as pd

    from ledger.store.log import SealedLog

__all__ = ["doubtful_places", "policies", "subscriptions", "warn_of_places"]


def policies(
    log: SealedLog, upto: int | None
) -> tuple[dict[str, list[tuple[int, Policy]]], dict[tuple[str, int], str]]:
    """Return every policy's versions that the ledger held at a position, and the text of each."""
    found: dict[str, list[tuple[int, Policy]]] = {}
    terms: dict[tuple[str, int], str] = {}
    for stream in log.streams("policy/", limit=100_000):
        for entry in read_stream(log, stream, upto_position=upto):
            if isinstance(entry.event, PolicyPublished):
                found.setdefault(entry.key, []).append((entry.version, parse_policy(entry.event.terms)))
                terms[entry.key, entry.version] = entry.event.terms
    return found, terms


def subscriptions(
    log: SealedLog, upto: int | None, keys: tuple[str, ...]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the latest tables of subscriptions at a position as one, and where each came from."""
    import pandas as pd

    from projections.subscriptions import read_subscriptions

    known = log.streams("subscriptions/", limit=100_000)
    streams = [f"subscriptions/{key}" for key in keys] or known
    for key, stream in zip(keys, streams, strict=False):
        if stream not in known:
            raise Refused(_unknown_table(key, known))
    frames, sources = [], []
    for stream in streams:
        published = [
            entry for entry in read_stream(log, stream, upto_position=upto)
            if isinstance(entry.event, SubscriptionsPublished)
        ]  # fmt: skip
        if not published:
            if keys:
                raise Refused(f"{stream} was not published by position @{upto}; choose a later one")
            continue
        entry = published[-1]
        if not isinstance(entry.event, SubscriptionsPublished):
            raise TypeError(entry.type)
        table = entry.event.table
        content = (
            log.content(table.sha256) if table.location is None else _located(table.location, table.sha256)
        )
        if content is None:
            raise Unavailable(f"the table of {stream} v{entry.version} is not kept; run ledger verify")
        frames.append(read_subscriptions(content, table.format))
        sources.append(
            {"stream": stream, "version": entry.version, "sha256": table.sha256, "rows": table.rows}
        )
    if not frames:
        raise Refused(
            "no subscriptions are published; publish them with: ledger subscriptions publish KEY FILE"
        )
    if len(frames) == 1:
        return frames[0], sources
    whole = pd.concat(frames, ignore_index=True)
    repeated = whole["subscription"][whole["subscription"].duplicated()]
    if len(repeated):
        raise Refused(
            f"subscription {repeated.iloc[0]!r} stands in more than one table; name the table with --subscriptions"
        )
    return whole, sources


def _unknown_table(key: str, known: list[str]) -> str:
    names = [stream.partition("/")[2] for stream in known]
    return f"--subscriptions {key!r} is not published{nearest(key, names)}; " + (
        f"published are {', '.join(names[:20])}" if names else "no table of subscriptions is"
    )


def doubtful_places(
    places: Iterable[tuple[str, str, int]], incidents: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return a sentence for each service and region that no incident names, but nearly: so was it meant?

    places: (service, region, number of subscriptions). A service that never failed is in no incident either, so a name
    that is like no other says nothing.
    """
    services: set[str] = set()
    regions: set[str] = set()
    for incident in incidents:
        services.update(incident["services"])
        regions.update(incident["regions"])
    counts: dict[tuple[str, str], int] = {}
    for service, region, number in places:
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


def warn_of_places(log: SealedLog, table: pd.DataFrame) -> None:
    """Say on standard error which services and regions of subscriptions look like a slip of the pen."""
    from projections.views import open_views

    counted = table.groupby(["service", "region"], observed=True).size()
    places = [
        (str(place[0]), str(place[1]), int(number))
        for place, number in zip(counted.index.tolist(), counted.tolist(), strict=True)
    ]
    for sentence in doubtful_places(places, open_views(log).incidents()):
        click.echo(f"warning: {sentence}", err=True)


def _located(location: str, digest: str) -> bytes:
    from hashlib import sha256

    try:
        with open(location, "rb") as source:
            content = source.read()
    except OSError as error:
        raise Unavailable(f"the table at {location} cannot be read: {error.strerror}") from None
    if (found := sha256(content).hexdigest()) != digest:
        raise Refused(
            f"the table at {location} has digest {found}, but {digest} was published: it was changed since; bring "
            "back the table as it was, or publish this one"
        )
    return content
