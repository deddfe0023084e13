"""Exclusions, claims, measurements and closed months as the ledger holds them under a cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.domain.claims import Claim, claim_of, exclusion_of
from ledger.domain.documents import is_closed
from ledger.domain.events import MeasurementRecorded
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.store.stream import Entry, read_stream
from projections.replay import Audience, Cut, measurements_of, statements, told

if TYPE_CHECKING:
    from ledger.domain.events import AnyEvent, Series
    from ledger.store.log import SealedLog

__all__ = ["claims", "closed_months", "exclusions", "measurements", "published_times"]

_STREAMS_MOST = 1_000_000


def _seen(log: SealedLog, stream: str, cut: Cut) -> list[tuple[int, AnyEvent]]:
    """Return the (version, event) pairs of a stream that a cut lets through, in the order told."""
    return [(one.entry.version, one.entry.event) for one in told(read_stream(log, stream), cut, "house")]


def exclusions(log: SealedLog, cut: Cut) -> list[Exclusion]:
    """Return every exclusion that was recorded, withdrawn ones too, in the order of their keys."""
    found = (
        exclusion_of(stream.partition("/")[2], _seen(log, stream, cut))
        for stream in log.streams("exclusion/", limit=_STREAMS_MOST)
    )
    return [one for one in found if one is not None]


def measurements(log: SealedLog, cut: Cut, audience: Audience) -> list[Measurement]:
    """Return every measurement that a reader may see, those of a table one by one.

    A table of a series is CSV with the columns start, end and either failed and total or value; its rows lie inside the
    measurement and do not overlap. Raises Refused where one is not, Unavailable where its table is not kept.
    """
    found: list[Measurement] = []
    for stream in log.streams("incident/", limit=_STREAMS_MOST):
        key = stream.partition("/")[2]
        said = statements(told(read_stream(log, stream), cut, audience))
        series = {
            one.event.measurement: one.event.series
            for one in said
            if isinstance(one.event, MeasurementRecorded) and one.event.series is not None
        }
        for one in measurements_of(key, said):
            table = series.get(one.measurement)
            found += [one] if table is None else _rows_of(log, one, table)
    return found


def _rows_of(log: SealedLog, whole: Measurement, table: Series) -> list[Measurement]:
    import csv
    import io

    import msgspec

    from ledger.domain.checks import check_field
    from ledger.domain.instants import parse_instant, seconds
    from ledger.errors import Refused, Unavailable

    name = f"the series of measurement {whole.measurement!r} of {whole.incident!r}"
    content = log.content(table.sha256)
    if content is None or table.format != "csv":
        raise Unavailable(
            f"{name} is not kept as CSV with the ledger; record it with --series-path and a .csv"
        )
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
    found: list[Measurement] = []
    for number, row in enumerate(rows, 2):
        try:
            start, end = (seconds(parse_instant(row.get(side) or "")) for side in ("start", "end"))
            counts = {side: int(row[side]) for side in ("failed", "total") if row.get(side)}
        except ValueError as error:
            raise Refused(f"{name}, line {number}: {error}; correct the table and record it again") from None
        value = row.get("value") or None
        last = found[-1].end if found else whole.start
        if not last <= start < end <= whole.end:
            raise Refused(
                f"{name}, line {number}: {row['start']} to {row['end']} is out of order, or outside the measurement"
            )
        wrong = (value is None) == (len(counts) < 2) or (value is not None and check_field("value", value))
        if wrong or counts.get("failed", 0) > counts.get("total", 0):
            raise Refused(
                f"{name}, line {number} states neither failed of total nor a value; correct the table"
            )
        found.append(msgspec.structs.replace(whole, start=start, end=end, value=value, **counts))
    return found


def claims(log: SealedLog, cut: Cut) -> list[Claim]:
    """Return every claim that was filed, withdrawn ones too, in the order of their keys."""
    found = (
        claim_of(stream.partition("/")[2], _seen(log, stream, cut))
        for stream in log.streams("claim/", limit=_STREAMS_MOST)
    )
    return [one for one in found if one is not None]


def closed_months(log: SealedLog) -> list[str]:
    """Return the months whose books are closed."""
    return [
        stream.partition("/")[2]
        for stream in log.streams("period/", limit=_STREAMS_MOST)
        if is_closed(entry.event for entry in read_stream(log, stream))
    ]


def published_times(log: SealedLog, incidents: Iterable[str]) -> dict[str, str]:
    """Return when the entries of incidents were made public, by names such as "incident/email-2022-03 v3"."""
    found: dict[str, str] = {}
    for incident in incidents:
        entries: list[Entry] = read_stream(log, f"incident/{incident}")
        found.update((f"{one.entry.stream} v{one.entry.version}", one.told_at) for one in told(entries))
    return found
