"""What a document has to have in common with the ledger it is issued in: its root, its sources, its lines, open books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ledger.domain.documents import documents_of, is_closed, month_of
from ledger.domain.events import AdjustmentIssued, AnyEvent, StatementIssued
from ledger.errors import Refused
from ledger.store.entry import split_entry
from ledger.store.lines import KeptLines, check_lines, split_lines, standing_in
from ledger.store.stream import event_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.domain.documents import Document, DocumentEvent
    from ledger.store.log import SealedLog

__all__ = ["RESTS_ON_KINDS", "check_credited_once", "check_document", "check_kept", "events_of"]

# The kinds of streams that `check_document` reads and that may move on before the document is sealed.
RESTS_ON_KINDS = ("period", "statement")
Planned = Mapping[str, Sequence[AnyEvent]]


def check_document(log: SealedLog, stream: str, event: DocumentEvent, planned: Planned) -> None:
    """Refuse a document that the ledger contradicts. planned: by stream, what is appended before it in one batch."""
    _check_rests_on(log, event)
    _check_books(log, event, planned)
    if isinstance(event, StatementIssued):
        _check_other_series(log, stream, event, planned)


def check_kept(event: DocumentEvent, content: bytes | None) -> None:
    """Refuse a document whose lines are not at hand, or not those that it names."""
    if content is None:
        raise Refused("path is missing; give the file of the lines that the document is issued with")
    check_lines(content, event.lines, event.totals, event.service_days)


def events_of(log: SealedLog, stream: str) -> list[AnyEvent]:
    """Return the events of a stream in the order of their versions."""
    return [event_of(one.type, split_entry(one.entry), one.texts) for one in log.stream(stream)]


def _check_rests_on(log: SealedLog, event: DocumentEvent) -> None:
    said = event.rests_on
    if said.position > (size := log.head().size):
        raise Refused(f"rests_on.position {said.position} is beyond the ledger, which has {size} entries")
    if said.root != (root := log.root_at(said.position).hex()):
        raise Refused(
            f"rests_on.root {said.root} is not the root of the first {said.position} entries, which is {root}"
        )
    causes = event.causes if isinstance(event, AdjustmentIssued) else ()
    for field, source in [
        *(("rests_on.sources", one) for one in said.sources),
        *(("causes", one) for one in causes),
    ]:
        found = log.stream(source.stream, after=source.version - 1, upto=source.version)
        if not found or found[0].position > said.position:
            raise Refused(
                f"{field} names {source.stream} v{source.version}, which the ledger did not hold at position {said.position}"
            )


def _check_books(log: SealedLog, event: DocumentEvent, planned: Planned) -> None:
    month = month_of(event.accounting_date)
    stream = f"period/{month}"
    if is_closed([*events_of(log, stream), *planned.get(stream, ())]):
        raise Refused(
            f"accounting_date {event.accounting_date} lies in {month}, whose books are closed; take a date in the earliest "
            "open month, or reopen it"
        )


def check_credited_once(
    log: SealedLog,
    stream: str,
    event: DocumentEvent,
    content: bytes,
    planned: Planned,
    contents: Mapping[str, bytes],
) -> None:
    """Refuse a document that begins to credit a subscription which another series credits for the same period.

    content: its lines. contents: by digest the lines of documents that are appended before it in one batch. What a series credits
    already may be adjusted, so that what was credited twice can be taken back.
    """

    def leaves(documents: Sequence[Document]) -> Iterator[Sequence[bytes]]:
        for one in documents:
            said = one.event.lines
            kept = contents.get(said.sha256)
            yield split_lines(KeptLines(log, said).whole() if kept is None else kept)

    others = list(_of_other_series(log, stream, event.period, planned))
    if not others:
        return
    mine = [one for one in _documents(log, stream, planned) if one.event.period == event.period]
    # What a document brings in itself, beside what its series credited before.
    begun = standing_in([*leaves(mine), split_lines(content)]) - standing_in(leaves(mine))
    for other, documents in others:
        if both := sorted(begun & standing_in(leaves(documents))):
            more = f" and {len(both) - 1:,} more were" if len(both) > 1 else " was"
            raise Refused(
                f"subscription {both[0]!r}{more} already credited for {event.period} by {other} number {documents[0].number}; "
                "nothing is credited twice. Name the tables that are meant with --subscriptions, or publish a table without "
                "them (one without rows needs a reason)"
            )


def _documents(log: SealedLog, stream: str, planned: Planned) -> list[Document]:
    return documents_of(enumerate([*events_of(log, stream), *planned.get(stream, ())], 1))


def _of_other_series(
    log: SealedLog, stream: str, period: str, planned: Planned
) -> Iterator[tuple[str, list[Document]]]:
    """Yield the documents about a period of every other series that has any."""
    others = {
        *log.streams("statement/", limit=100_000),
        *(one for one in planned if one.startswith("statement/")),
    }
    for other in sorted(others - {stream}):
        if found := [one for one in _documents(log, other, planned) if one.event.period == period]:
            yield other, found


def _check_other_series(log: SealedLog, stream: str, event: StatementIssued, planned: Planned) -> None:
    """Refuse to credit the same table of subscriptions for the same period in a second series: restating would meet again."""
    ours = {source.stream for source in event.rests_on.sources if source.stream.startswith("subscriptions/")}
    for other, documents in _of_other_series(log, stream, event.period, planned):
        for document in documents:
            theirs = {source.stream for source in document.event.rests_on.sources}
            if both := sorted(ours & theirs):
                raise Refused(
                    f"{both[0]} was already credited for {event.period} by {other} number {document.number}; nothing is "
                    "credited twice"
                )
