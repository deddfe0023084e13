"""What goes into a bundle: which streams, which of their versions, which texts, and the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ledger.errors import LedgerError, Refused, counted, nearest
from ledger.proof.bundle import ALL, Scope, sentences
from ledger.proof.bundle_made import Contents, kept_texts
from ledger.store.stream import Entry, name_missing, open_entry

if TYPE_CHECKING:
    import pandas as pd

    from ledger.store.entry import StoredEntry
    from ledger.store.log import SealedLog
    from projections.touched import Place

__all__ = ["contents_of"]


class _Table(NamedTuple):
    """A published table of subscriptions that is at hand."""

    stream: str
    version: int
    frame: pd.DataFrame


def contents_of(log: SealedLog, scope: Scope, size: int, with_: tuple[str, ...]) -> Contents:
    """Return what goes into a bundle of the first `size` entries. Raises Refused for an unknown incident or customer."""
    if scope.kind == "all":
        return Contents(
            ALL,
            None,
            with_,
            {},
            lambda _: True,
            lambda counted, manifest: _page(log, {**counted, **manifest}, None, with_),
        )
    if scope.kind == "incident":
        stream = f"incident/{scope.key}"
        entries = _opened(log, stream, size)
        if not entries:
            if later := log.stream(stream, upto=1):
                raise Refused(
                    f"incident {scope.key!r} begins with @{later[0].position}, and the ledger had {counted(size, 'entry')} then; "
                    "take that size or a larger one"
                )
            known = [name.partition("/")[2] for name in log.streams(f"incident/{scope.key[:1]}")]
            raise Refused(
                f"incident {scope.key!r} does not exist among the first {size} entries{nearest(scope.key, known)}; see ledger "
                "incidents"
            )
        streams = {stream: entries}
        policies = _policies_used(log, size, entries)
        rows = None
    else:
        rows, places, policies = _of_customer(log, size, scope.key)
        streams = _touching(log, size, places)
        streams |= _naming(log, size, scope.key)
    return _partial(log, scope, size, with_, streams, policies, rows)


def _partial(
    log: SealedLog, scope: Scope, size: int, with_: tuple[str, ...], incidents: dict[str, list[Entry]],
    policies: set[str], rows: list[dict[str, Any]] | None,
) -> Contents:  # fmt: skip
    from projections.touched import cohorts_named

    public_only = scope.kind == "customer"
    cohorts = {name for entries in incidents.values() for name in cohorts_named(entries)}
    others = [
        *(f"policy/{key}" for key in policies),
        *(f"cohort/{key}" for key in cohorts),
        *({one["stream"] for one in rows or ()}),
        *log.streams("key/", limit=100_000),
    ]
    left_out: dict[str, list[int]] = {}
    positions: list[int] = []
    for stream, entries in [
        *incidents.items(),
        *((name, _opened(log, name, size)) for name in sorted(others)),
    ]:
        # A stream of keys with a gap proves no key. It is no notice, so nothing in it is for the house alone.
        unsaid = _unsaid(entries) if public_only and not stream.startswith("key/") else []
        if unsaid:
            left_out[stream] = unsaid
        positions += [entry.position for entry in entries if entry.version not in unsaid]
    return Contents(
        scope, sorted(positions), with_, left_out,
        # What was measured of a service is the incident's; other tables hold rows of customers.
        lambda stored: scope.kind == "incident" and stored.type == "measurement.recorded",
        lambda counted, manifest: _page(log, {**counted, **manifest}, sorted(positions), with_),
        rows,
    )  # fmt: skip


def _unsaid(entries: Sequence[Entry]) -> list[int]:
    """Return the versions that were never made public."""
    from projections.replay import told

    said = {one.entry.version for one in told(entries)}
    return [entry.version for entry in entries if entry.version not in said]


def _opened(log: SealedLog, stream: str, size: int, with_: Sequence[str] | None = None) -> list[Entry]:
    """Return the entries of a stream up to a position; with_: only with the texts that a bundle holds."""
    found: list[Entry] = []
    for stored in log.stream(stream):
        if stored.position > size:
            break
        kept = stored if with_ is None else kept_texts(stored, with_)
        found.append(open_entry(kept, found[-1] if found else None))
    name_missing(found)
    return found


def _tables(log: SealedLog, size: int) -> Iterator[_Table]:
    """Yield every table of subscriptions that was ever published and is at hand; say which is not."""
    from ledger.cli.facts import published_table
    from ledger.domain.events import SubscriptionsPublished
    from projections.subscriptions import joined

    for stream in log.streams("subscriptions/", limit=100_000):
        for entry in _opened(log, stream, size):
            if isinstance(entry.event, SubscriptionsPublished):
                try:
                    table = published_table(log, stream, entry.version, entry.event.table)
                    frame = joined(list(table.parts()))
                except LedgerError as error:
                    click.echo(f"warning: {stream} v{entry.version} was not looked at: {error}", err=True)
                    continue
                yield _Table(stream, entry.version, frame)


def _policies_used(log: SealedLog, size: int, entries: Sequence[Entry]) -> set[str]:
    """Return the policies of all subscriptions at a service and region that an incident touched."""
    from projections.touched import touched

    found: set[str] = set()
    wide = _wide(log, size)
    for table in _tables(log, size):
        columns = ["service", "region", "policy"]
        rows = table.frame[columns].drop_duplicates().astype(str).itertuples(index=False)
        by_place: dict[Place, set[str]] = {}
        for service, region, policy in rows:
            by_place.setdefault((service, None if policy in wide else region), set()).add(policy)
        for place in touched(entries, by_place):
            found |= by_place[place]
    return found


def _wide(log: SealedLog, size: int) -> set[str]:
    """Return the policies of which any version makes something of other regions than a customer's own."""
    from ledger.cli.facts import policies
    from projections.availability import is_wide

    found, _ = policies(log, size)
    return {key for key, versions in found.items() if any(is_wide(policy) for _, policy in versions)}


def _of_customer(
    log: SealedLog, size: int, customer: str
) -> tuple[list[dict[str, Any]], set[Place], set[str]]:
    """Return the customer's rows of every published table, their services and regions, and their policies."""
    found: list[dict[str, Any]] = []
    others: set[str] = set()
    for table in _tables(log, size):
        mine = table.frame[table.frame["customer"] == customer]
        if len(mine):
            rows = [_row(row) for row in mine.to_dict("records")]
            found.append({"stream": table.stream, "version": table.version, "rows": rows})
        else:
            others.update(table.frame["customer"].drop_duplicates().head(10_000))
    if not found:
        raise Refused(
            f"customer {customer!r} is in no published table of subscriptions{nearest(customer, others)}; check the id"
        )
    rows = [row for one in found for row in one["rows"]]
    wide = _wide(log, size)
    places: set[Place] = {(row["service"], None if row["policy"] in wide else row["region"]) for row in rows}
    return found, places, {row["policy"] for row in rows}


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a subscription as it stands in subscriptions.json: texts, the fee in major units."""
    from ledger.domain.money import format_money

    valid_to = row["valid_to"]
    return {
        **{
            name: str(row[name])
            for name in ("customer", "subscription", "service", "region", "policy", "currency")
        },
        "fee": format_money(int(row["fee"]), str(row["currency"])),
        "valid_from": row["valid_from"].strftime("%Y-%m-%d"),
        "valid_to": None if valid_to != valid_to else valid_to.strftime("%Y-%m-%d"),  # noqa: PLR0124  # not a time
    }


def _touching(log: SealedLog, size: int, places: set[Place]) -> dict[str, list[Entry]]:
    """Return the incidents that touched one of the places, by stream."""
    from projections.touched import touched

    return {stream: entries for stream, entries in _incidents(log, size) if touched(entries, places)}


def _naming(log: SealedLog, size: int, customer: str) -> dict[str, list[Entry]]:
    """Return the claims of a customer, and the exclusions for them alone, by stream."""
    found: dict[str, list[Entry]] = {}
    for kind in ("claim/", "exclusion/"):
        for stream in log.streams(kind, limit=1_000_000):
            entries = _opened(log, stream, size)
            named = {getattr(entry.event, "customer", None) for entry in entries} - {None}
            # Where another customer was named, too, it would be about both.
            if named == {customer}:
                found[stream] = entries
    return found


def _incidents(log: SealedLog, size: int) -> Iterator[tuple[str, list[Entry]]]:
    """Yield each incident with its entries up to a position, read in one go."""
    from ledger.store.entry import StoredEntry

    entries: list[Entry] = []
    for row in log.rows_by_stream("incident"):
        stored = StoredEntry(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6]), bytes(row[7]))
        if stored.position > size:
            continue
        if entries and entries[-1].stream != stored.stream:
            yield entries[0].stream, entries
            entries = []
        entries.append(open_entry(stored, entries[-1] if entries else None))
    if entries:
        yield entries[0].stream, entries


def _page(
    log: SealedLog, said: dict[str, Any], positions: Sequence[int] | None, with_: tuple[str, ...]
) -> bytes:
    from projections.bundle_page import MOST_ENTRIES, bundle_page

    histories: dict[str, list[Entry]] | None = None
    if said["entries"] <= MOST_ENTRIES:
        histories = {}
        here = None if positions is None else set(positions)
        for stream in _in_order(log, said["size"], here):
            opened = _opened(log, stream, said["size"], with_)
            histories[stream] = [entry for entry in opened if here is None or entry.position in here]
    return bundle_page({**said, **sentences(said)}, histories)


def _in_order(log: SealedLog, size: int, positions: set[int] | None) -> list[str]:
    """Return the streams of a bundle, incidents first, each kind in order of the first entry."""
    stored: Iterator[StoredEntry | None]
    stored = log.entries(upto=size) if positions is None else map(log.at, sorted(positions))
    streams = dict.fromkeys(one.stream for one in stored if one is not None)
    return sorted(streams, key=lambda stream: not stream.startswith("incident/"))
