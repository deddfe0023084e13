"""eventsourcing's persistence interfaces over the sealed log: recorder, mapper and factory.

The recorder frames whatever state it is given, byte for byte; that the state is canonical JSON is the mapper's
promise and the verifier's check. Names of events are looked up in a closed table and never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from eventsourcing.utils import Environment

from ledger.errors import Conflict
from ledger.store.entry import NewEntry, StoredEntry, split_entry
from ledger.store.log import Appended, Redaction, SealedLog, Unchanged
from ledger.store.stream import EventToStore, event_of, new_entry

__all__ = ["SealedFactory", "SealedMapper", "SealedRecorder", "SealedStoredEvent"]


@dataclass(frozen=True)
class SealedStoredEvent(StoredEvent):
    """A stored event with what the sealed log keeps beside it."""

    texts: bytes = b"{}"
    idempotency_key: str | None = None


class SealedMapper(Mapper[str]):
    """Turns events into canonical JSON with commitments for texts, and back."""

    def __init__(self, salts: Callable[[], bytes]) -> None:
        super().__init__(JSONTranscoder())
        self.salts = salts

    def to_stored_event(self, domain_event: Any) -> SealedStoredEvent:
        new = new_entry(domain_event, self.salts)
        return SealedStoredEvent(new.stream, new.version, new.type, new.data, new.texts, new.idempotency_key)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        texts = stored_event.texts if isinstance(stored_event, SealedStoredEvent) else b"{}"
        return EventToStore(
            str(stored_event.originator_id),
            stored_event.originator_version,
            event_of(
                stored_event.topic,
                stored_event.state,
                texts,
                f"{stored_event.originator_id} v{stored_event.originator_version}",
            ),
            stored_event.idempotency_key if isinstance(stored_event, SealedStoredEvent) else None,
        )


class SealedRecorder(ApplicationRecorder):
    """eventsourcing's ApplicationRecorder on a sealed log; a notification's id is the entry's position."""

    def __init__(self, log: SealedLog, clock_micros: Callable[[], int]) -> None:
        self.log = log
        self.clock_micros = clock_micros

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent | NewEntry],
        *,
        accept_clock: bool = False,
        contents: Sequence[tuple[str, bytes]] = (),
        redactions: Sequence[Redaction] = (),
        unchanged: Unchanged | None = None,
        appended: Callable[[Appended], None] | None = None,
        **kwargs: Any,
    ) -> Sequence[int]:
        """Seal events in one transaction and return their positions.

        contents: tables by digest, kept with them. redactions: texts to erase with them. unchanged: what else may
        not have moved on. appended: told what was sealed. Raises eventsourcing's IntegrityError when a stream has moved on or a key is taken.
        """
        if not stored_events:
            return []
        new = [event if isinstance(event, NewEntry) else _new(event) for event in stored_events]
        try:
            sealed = self.log.append(
                new,
                clock_micros=self.clock_micros(),
                accept_clock=accept_clock,
                contents=contents,
                redactions=redactions,
                unchanged=unchanged,
            )
        except Conflict as error:
            raise IntegrityError(str(error)) from error
        if appended is not None:
            appended(sealed)
        return [one.position for one in sealed.entries]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the stored events of a stream."""
        found = self.log.stream(str(originator_id), after=-1 if gt is None else gt, upto=lte)
        if desc:
            found.reverse()
        return [
            SealedStoredEvent(
                originator_id, one.version, one.type, split_entry(one.entry), one.texts, one.idempotency_key
            )
            for one in (found if limit is None else found[:limit])
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return up to `limit` events in position order."""
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        found: list[Notification] = []
        for one in self.log.entries(after=after, upto=stop, page=max(1, min(limit, 2_000))):
            if not topics or one.type in topics:
                found.append(_notification(one))
                if len(found) == limit:
                    break
        return found

    def max_notification_id(self) -> int | None:
        """Return the position of the last entry, or None."""
        return self.log.head().size or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator over notifications that waits for new ones, on either database."""
        return PollingSubscription(self, gt, topics)

    def close(self) -> None:
        """Close the log's connections."""
        self.log.close()


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Reads on from the last position; dense positions leave no gap to wait for."""

    _INTERVAL_SECONDS = 0.05

    def __init__(self, recorder: ApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._ready: list[Notification] = []

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            if not self._ready:
                found = self._recorder.select_notifications(
                    self._last_notification_id, 500, topics=self._topics, inclusive_of_start=False
                )
                self._ready = list(reversed(found))
            if self._ready:
                notification = self._ready.pop()
                self._last_notification_id = notification.id
                return notification
            sleep(self._INTERVAL_SECONDS)
        raise StopIteration


class SealedFactory(InfrastructureFactory[TrackingRecorder]):
    """Gives an Application the sealed recorder. It has no snapshots: a snapshot would stand outside the seal."""

    def __init__(self, recorder: SealedRecorder) -> None:
        super().__init__(Environment("ledger", {}))
        self._recorder = recorder

    def application_recorder(self) -> ApplicationRecorder:
        """Return the sealed recorder."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Return the sealed recorder."""
        return self._recorder

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """Refuse: positions of readers are kept by the read side (`projections.views`)."""
        raise NotImplementedError("the sealed log tracks no readers; see projections.views")

    def process_recorder(self) -> ProcessRecorder:
        """Refuse: positions of readers are kept by the read side (`projections.views`)."""
        raise NotImplementedError("the sealed log tracks no readers; see projections.views")

    def close(self) -> None:
        """Close the recorder."""
        self._recorder.close()


def _new(event: StoredEvent) -> NewEntry:
    stream = str(event.originator_id)
    if isinstance(event, SealedStoredEvent):
        return NewEntry(
            stream, event.originator_version, event.topic, event.state, event.texts, event.idempotency_key
        )
    return NewEntry(stream, event.originator_version, event.topic, event.state)


def _notification(one: StoredEntry) -> Notification:
    try:
        originator: UUID | str = UUID(one.stream)
    except ValueError:
        originator = one.stream
    return Notification(originator, one.version, one.type, split_entry(one.entry), one.position)
