"""The ledger as an eventsourcing Application, for Python programs.

What is decided, and how, is `ledger.append`; here the events go through eventsourcing's own `save`, its mapper and
its recorder interface, so that its notification log, subscriptions and projections work on a sealed ledger. The
command line appends without this module: importing it would cost a quarter of a command's time (docs/adr/0006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, Mapper
from eventsourcing.utils import Environment, EnvType

from ledger.append import Appender, BatchRefused, Receipt, clock_of
from ledger.domain.actions import Action
from ledger.errors import Conflict
from ledger.store.log import Appended, Redaction, SealedLog, Unchanged
from ledger.store.recorder import SealedFactory, SealedMapper, SealedRecorder
from ledger.store.stream import EventToStore, new_entry

__all__ = ["BatchRefused", "IncidentLedger", "Receipt", "clock_of"]


class _SavingAppender(Appender):
    """Appends through the application's `save`."""

    application: IncidentLedger

    def store(
        self,
        events: Sequence[EventToStore],
        *,
        accept_clock: bool,
        contents: Sequence[tuple[str, bytes]],
        redactions: Sequence[Redaction],
        unchanged: Unchanged | None,
    ) -> Appended:
        done: list[Appended] = []
        try:
            self.application.save_events(
                events,
                accept_clock=accept_clock,
                contents=contents,
                redactions=redactions,
                unchanged=unchanged,
                appended=done.append,
            )
        except IntegrityError as error:
            raise Conflict(str(error)) from error
        return done[0]


class IncidentLedger(Application[str]):
    """The ledger at a URL: `create`, then `append` actions or `record` them one by one.

    clock: microseconds since 1970-01-01 UTC. salts: 16 bytes for each text.
    """

    def __init__(
        self, url: str, *, clock: Callable[[], int] | None = None, salts: Callable[[], bytes] | None = None
    ) -> None:
        self._appender = _SavingAppender(url, clock=clock, salts=salts)
        self._appender.application = self
        self._sealed_recorder = SealedRecorder(self._appender.sealed, self._appender.clock)
        super().__init__()

    @property
    def sealed(self) -> SealedLog:
        """The sealed log, for reading."""
        return self._appender.sealed

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return an empty environment: nothing outside may change what is stored."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Return the factory of the sealed recorder."""
        return SealedFactory(self._sealed_recorder)

    def construct_mapper(self) -> Mapper[str]:
        """Return the mapper to canonical JSON."""
        return SealedMapper(self._appender.salts)

    def create(self, ledger: str | None = None) -> str:
        """Create an empty ledger and return its id; Refused when there is one already."""
        return self._appender.create(ledger)

    def save_events(self, events: Sequence[EventToStore], **kwargs: Any) -> None:
        """Save events as eventsourcing's `save` does.

        `save` first asks of each object what it is, which on Python 3.11 costs more than sealing it; here it is known.
        """
        if type(self)._notify is Application._notify:  # noqa: SLF001  # the hook that eventsourcing's followers override
            # No other application follows this one in its process, so nothing has to be built for followers.
            self._sealed_recorder.insert_events(
                [new_entry(event, self._appender.salts) for event in events], **kwargs
            )
            return
        processing: ProcessingEvent[str] = ProcessingEvent()
        processing.events.extend(events)
        processing.saved_kwargs.update(kwargs)
        self._notify(self._record(processing))

    def append(self, actions: Sequence[Action], *, accept_clock: bool = False) -> list[Receipt]:
        """Record all actions in one transaction, or none; see `ledger.append.Appender.append`."""
        return self._appender.append(actions, accept_clock=accept_clock)

    def record(self, verb: str, key: str = "", **fields: Any) -> Receipt:
        """Record one action, as in `record("resolve", "email-2022-03", actor="ops")`."""
        return self._appender.record(verb, key, **fields)
