"""Exclusions, claims, measurements and closed months as the ledger holds them under a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ledger.domain.claims import Claim, claim_of, exclusion_of
from ledger.domain.documents import is_closed
from ledger.domain.events import ExclusionRecorded, MeasurementRecorded
from ledger.domain.exclusion import Exclusion
from ledger.domain.measurement import Measurement
from ledger.store.stream import Entry, read_stream, text_or_erased
from projections.replay import Audience, Cut, measurements_of, statements, told

if TYPE_CHECKING:
    from ledger.domain.events import AnyEvent, Series
    from ledger.store.log import SealedLog

__all__ = ["approvals", "claims", "closed_months", "exclusions", "measurements", "published_times"]

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


def approvals(log: SealedLog) -> dict[str, tuple[str, str]]:
    """Return by the entry of each recorded exclusion who approved it and on what evidence, or that this was erased."""
    return {
        f"{stream} v{one.version}": (
            text_or_erased(one.event.approved_by) or "", text_or_erased(one.event.evidence) or ""
        )
        for stream in log.streams("exclusion/", limit=_STREAMS_MOST)
        for one in read_stream(log, stream)
        if isinstance(one.event, ExclusionRecorded)
    }  # fmt: skip


def measurements(
    log: SealedLog, cut: Cut, audience: Audience, wanted: Callable[[Measurement], bool] | None = None
) -> list[Measurement]:
    """Return every measurement that a reader may see, those of a table one by one.

    wanted: whether the rows of a table are asked for, given the measurement as a whole; the others are left out, unread, so that
    a table that nobody needs stops nobody. Raises Refused where one is damaged, Unavailable where it is not at hand.
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
            if table is None:
                found.append(one)
            elif wanted is None or wanted(one):
                found += _rows_of(log, one, table)
    return found


def _rows_of(log: SealedLog, whole: Measurement, table: Series) -> Iterator[Measurement]:
    import msgspec

    from ledger.cli.facts import content_of
    from ledger.errors import Refused
    from projections.series import read_series

    name = f"the rows of measurement {whole.measurement!r} of incident {whole.incident!r}"
    content = content_of(log, table, name)
    try:
        rows = read_series(content, table.format, name, span=(whole.start, whole.end))
    except Refused as error:
        raise Refused(
            f"{error}; record the mended table as a measurement of its own (ledger incident record-measurement … --series FILE), "
            "and correct this one, with its series null and failed and total 0"
        ) from None
    for row in rows:
        yield msgspec.structs.replace(whole, **row._asdict())


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
