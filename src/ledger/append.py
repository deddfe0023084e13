"""Appending: actions in, receipts out. The one way anything is written.

`append` looks up idempotency keys, lets the order rules decide on the streams as they are, and seals the events in
one transaction. When somebody else appended in between, it reads again and decides again; an `expected_version`
turns that into a refusal.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ledger.domain.actions import Action, names_entry_by_position, parse_action
from ledger.domain.checks import is_text_field
from ledger.domain.decide import decide
from ledger.domain.events import (
    TEXTS,
    AdjustmentIssued,
    AnyEvent,
    ClaimFiled,
    CohortPublished,
    EntryCorrected,
    EntryPublished,
    EntryRedacted,
    IncidentLinked,
    KeyPublished,
    KeyRotated,
    MeasurementRecorded,
    Series,
    StatementIssued,
    SubscriptionsPublished,
)
from ledger.domain.instants import from_micros, micros
from ledger.domain.stream_history import History
from ledger.errors import Conflict, LedgerError, Refused, counted, nearest
from ledger.store.entry import SALT_BYTES, StoredEntry, decode_texts, encode_data, split_entry
from ledger.store.location import open_log
from ledger.store.log import Appended, Redaction, SealedLog, Unchanged
from ledger.store.stream import EventToStore, event_of, new_entry
from ledger.store.tree import leaf_hash

__all__ = ["Appender", "BatchRefused", "Receipt", "clock_of"]

_HISTORIES_KEPT = 4_096
_ATTEMPTS = 200


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What was recorded: the entry, its leaf hash, and the size and root of the tree right after it.

    root is None for the entries of a batch but the last. replayed: the same action had been recorded before, and
    this is its receipt.
    """

    stream: str
    type: str
    version: int
    position: int
    recorded_at: str
    leaf: str
    size: int
    root: str | None
    replayed: bool
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the receipt for programs (contract in docs/json.md)."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        if not self.warnings:
            del found["warnings"]
        return found


class BatchRefused(Refused):
    """Some actions of a batch break a rule; nothing was stored. failures: (index, error) of each."""

    def __init__(self, failures: list[tuple[int, LedgerError]]) -> None:
        self.failures = failures
        super().__init__(
            "; ".join(f"action {index + 1}: {error}" for index, error in failures),
            tuple(f"action {index + 1}: {error}" for index, error in failures),
        )


class _Plan:
    """What an append is going to do, decided against the streams as they were read."""

    def __init__(self, count: int) -> None:
        self.receipts: list[Receipt | None] = [None] * count
        self.new: list[tuple[int, EventToStore]] = []
        self.again: list[tuple[int, int]] = []
        self.warnings: dict[int, tuple[str, ...]] = {}
        self.contents: dict[str, bytes] = {}
        self.redactions: list[Redaction] = []
        self.touched: dict[str, History] = {}
        # Set where an event rests on more than its own stream.
        self.unchanged: Unchanged | None = None


class Appender:
    """The ledger at a URL, for writing.

    clock: microseconds since 1970-01-01 UTC. salts: 16 bytes for each text. Both are injected so that the same
    actions can be made to give the same bytes.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], int] | None = None,
        salts: Callable[[], bytes] | None = None,
    ) -> None:
        self.sealed: SealedLog = open_log(url)
        self.clock = clock or (lambda: time.time_ns() // 1_000)
        self.salts = salts or (lambda: os.urandom(SALT_BYTES))
        self._histories: OrderedDict[str, History] = OrderedDict()
        # The lines that were found to be those of their document.
        self._checked: tuple[Any, ...] = ()

    def store(
        self,
        events: Sequence[EventToStore],
        *,
        accept_clock: bool,
        contents: Sequence[tuple[str, bytes]],
        redactions: Sequence[Redaction],
        unchanged: Unchanged | None,
    ) -> Appended:
        """Seal events in one transaction; Conflict when somebody else was faster."""
        return self.sealed.append(
            [new_entry(event, self.salts) for event in events],
            clock_micros=self.clock(),
            accept_clock=accept_clock,
            contents=contents,
            redactions=redactions,
            unchanged=unchanged,
        )

    def close(self) -> None:
        """Close the connections."""
        self.sealed.close()

    def create(self, ledger: str | None = None) -> str:
        """Create an empty ledger and return its id; Refused when there is one already."""
        return self.sealed.create(ledger or f"ledger-{os.urandom(8).hex()}").ledger

    # ---- appending ---------------------------------------------------------------------------------------

    def append(self, actions: Sequence[Action], *, accept_clock: bool = False) -> list[Receipt]:
        """Record all actions in one transaction, or none, and return a receipt for each.

        Raises BatchRefused with every action that breaks a rule, Unavailable when the ledger cannot be used.
        """
        for _ in range(_ATTEMPTS):
            plan = self._planned(actions)
            if not plan.new:
                break
            try:
                self._seal(plan, accept_clock=accept_clock)
                break
            except Conflict:
                # Somebody else was faster: what was decided may no longer hold, so decide again.
                self._forget(plan)
            except BaseException:
                self._forget(plan)
                raise
        else:
            raise LedgerError(f"other writers were faster {_ATTEMPTS} times; nothing was stored: try again")
        for index, first in plan.again:
            receipt = plan.receipts[first]
            assert receipt is not None  # noqa: S101  # a repeated line follows the line it repeats
            plan.receipts[index] = msgspec.structs.replace(receipt, replayed=True)
        return [receipt for receipt in plan.receipts if receipt is not None]

    def check(self, actions: Sequence[Action]) -> list[tuple[int, LedgerError]]:
        """Return (index, error) of every action that would be refused; nothing is stored."""
        self._histories.clear()
        try:
            self._forget(self._plan(actions))
        except BatchRefused as error:
            return error.failures
        except Refused as error:
            return [(0, error)]
        return []

    def record(self, verb: str, key: str = "", **fields: Any) -> Receipt:
        """Record one action, as in `record("resolve", "email-2022-03", actor="ops")`."""
        from ledger.domain.actions import kind_of

        given = {"action": verb, **({kind_of(verb): key} if key else {}), **fields}
        return self.append([parse_action(given)])[0]

    def _planned(self, actions: Sequence[Action]) -> _Plan:
        """Decide on the streams as they were last seen; a refusal is only given on the streams as they are.

        An event decided on an old state cannot be stored: its version is taken by then.
        """
        try:
            return self._plan(actions)
        except Refused:
            self._histories.clear()
            return self._plan(actions)

    def _plan(self, actions: Sequence[Action]) -> _Plan:
        plan = _Plan(len(actions))
        try:
            return self._decided(plan, actions)
        except BaseException:
            # The streams have taken in events that are not going to be stored.
            self._forget(plan)
            raise

    def _decided(self, plan: _Plan, actions: Sequence[Action]) -> _Plan:
        failures: list[tuple[int, LedgerError]] = []
        clock = from_micros(self.clock())
        keys = [action.idempotency_key for action in actions if action.idempotency_key is not None]
        known = self.sealed.by_keys(keys) if keys else {}
        in_batch: dict[str, int] = {}
        starts: dict[str, int] = {}
        never_opened: set[str] = set()
        for index, action in enumerate(actions):
            key = action.idempotency_key
            try:
                if key is not None and key in known:
                    plan.receipts[index] = self._replayed(action, known[key])
                    continue
                if key is not None and key in in_batch:
                    if _without_content(actions[in_batch[key]]) != _without_content(action):
                        raise Refused(
                            f"idempotency_key {key!r} stands twice in this batch with different content"
                        )
                    plan.again.append((index, in_batch[key]))
                    continue
                action = self._located(action)
                if action.stream in never_opened:
                    continue
                history = plan.touched.get(action.stream) or self._history(action.stream)
                plan.touched[action.stream] = history
                # An order rule must not fail because another machine's clock, which recorded the last entry, is ahead.
                now = max(clock, history.last_recorded_at)
                start = starts.setdefault(action.stream, history.version)
                if action.expected_version is not None and action.expected_version != history.version:
                    raise Refused(
                        f"expected_version {action.expected_version} is not the version of {action.stream}, which is "
                        f"{history.version}; read it again and decide anew"
                    )
                if isinstance(action.event, IncidentLinked):
                    self._check_incidents("to", (action.event.to,), plan)
                if isinstance(action.event, ClaimFiled):
                    self._check_incidents("incidents", action.event.incidents, plan)
                if isinstance(action.event, KeyPublished | KeyRotated):
                    self._check_key(action, action.event.vkey, plan)
                event, warnings = self._decide(history, action, now, start)
                if isinstance(event, EntryCorrected) and "to" in event.set:
                    self._check_incidents("set.to", (event.set["to"],), plan)
                if isinstance(event, StatementIssued | AdjustmentIssued):
                    self._check_document(action, event, plan)
                else:
                    self._check_table(action, event, plan)
            except Refused as error:
                failures.append((index, self._with_nearest(error, action, plan)))
                if not (stream := plan.touched.get(action.stream)) or not stream.version:
                    never_opened.add(action.stream)
                continue
            history.add(event, now)
            if key is not None:
                in_batch[key] = index
            plan.new.append((index, EventToStore(action.stream, history.version, event, key)))
            if warnings:
                plan.warnings[index] = tuple(warnings)
            if action.content is not None:
                self._keep(plan, event, action.content)
            if isinstance(event, EntryRedacted):
                plan.redactions.append(Redaction(action.stream, int(event.entry), event.fields))
        if failures:
            raise BatchRefused(failures) if len(actions) > 1 else failures[0][1]
        return plan

    def _decide(self, history: History, action: Action, now: str, start: int) -> tuple[AnyEvent, list[str]]:
        ledger = ""
        if isinstance(action.event, KeyRotated):
            ledger = self.sealed.head().ledger
        return decide(history, action, now, start, ledger=ledger)

    def _seal(self, plan: _Plan, *, accept_clock: bool) -> None:
        appended = self.store(
            [pending for _, pending in plan.new],
            accept_clock=accept_clock,
            contents=list(plan.contents.items()),
            redactions=plan.redactions,
            unchanged=plan.unchanged,
        )
        last = len(plan.new) - 1
        for at, ((index, pending), sealed) in enumerate(zip(plan.new, appended.entries, strict=True)):
            history = plan.touched[pending.originator_id]
            history.last_recorded_at = sealed.recorded_at
            if not pending.event.internal and pending.event.published_at is None:
                history.told[pending.originator_version - 1] = sealed.recorded_at
                if isinstance(pending.event, EntryPublished):
                    history.told[int(pending.event.publishes) - 1] = sealed.recorded_at
            plan.receipts[index] = Receipt(
                pending.originator_id,
                pending.event.TYPE,
                pending.originator_version,
                sealed.position,
                sealed.recorded_at,
                sealed.leaf.hex(),
                sealed.position,
                appended.root.hex() if at == last else None,
                replayed=False,
                warnings=plan.warnings.get(index, ()),
            )
        for stream, history in plan.touched.items():
            self._histories[stream] = history
            self._histories.move_to_end(stream)
        while len(self._histories) > _HISTORIES_KEPT:
            self._histories.popitem(last=False)

    def _history(self, stream: str, upto: int | None = None) -> History:
        """Return a stream as the rules see it, as it was last seen or else as it is."""
        if upto is None and (seen := self._histories.get(stream)) is not None:
            return seen
        history = History(stream)
        for stored in self.sealed.stream(stream, after=history.version, upto=upto):
            history.add(event_of(stored.type, split_entry(stored.entry), stored.texts), stored.recorded_at)
        return history

    def _forget(self, plan: _Plan) -> None:
        for stream in plan.touched:
            self._histories.pop(stream, None)

    def _located(self, action: Action) -> Action:
        """Return a redaction that names a position as one that names a version of its stream."""
        position = names_entry_by_position(action)
        if position is None or not isinstance(action.event, EntryRedacted):
            return action
        found = self.sealed.at(position)
        if found is None:
            raise Refused(
                f"entry {action.event.entry} does not exist: the ledger has {counted(self.sealed.head().size, 'entry')}"
            )
        if action.stream not in ("", found.stream):
            raise Refused(f"entry @{position} is of {found.stream}, not of {action.stream}; name one of them")
        event = msgspec.structs.replace(action.event, entry=f"v{found.version}")
        return msgspec.structs.replace(action, stream=found.stream, event=event)

    def _check_incidents(self, field: str, keys: Sequence[str], plan: _Plan) -> None:
        for key in keys:
            stream = f"incident/{key}"
            if not (stream in plan.touched and plan.touched[stream].version) and not self.sealed.stream(
                stream, upto=1
            ):
                raise Refused(
                    f"{field} {key!r} is no incident of this ledger{self._near(stream)}; open it first, or name another one"
                )

    def _check_document(self, action: Action, event: StatementIssued | AdjustmentIssued, plan: _Plan) -> None:
        """Refuse a document that the rest of the ledger contradicts, now or when it is sealed."""
        from ledger.store.documents import RESTS_ON_KINDS, check_credited_once, check_document, check_kept

        if plan.unchanged is None:
            plan.unchanged = Unchanged(self.sealed.head().size, RESTS_ON_KINDS)
        check_document(self.sealed, action.stream, event, self._planned_events(plan))
        # The lines may be a million, and deciding again after a conflict changes nothing in them.
        said = event.lines, event.totals, event.service_days
        if action.content is None or (action.content, *said) != self._checked:
            check_kept(event, action.content)
            self._checked = action.content, *said
        if action.content is not None:
            check_credited_once(
                self.sealed, action.stream, event, action.content, self._planned_events(plan), plan.contents
            )

    @staticmethod
    def _planned_events(plan: _Plan) -> dict[str, list[AnyEvent]]:
        """Return by stream the events that were decided before in the same batch and are not sealed yet."""
        planned: dict[str, list[AnyEvent]] = {}
        for _, pending in plan.new:
            planned.setdefault(pending.originator_id, []).append(pending.event)
        return planned

    def _check_key(self, action: Action, vkey: str, plan: _Plan) -> None:
        """Refuse a key that another stream has: who signs would no longer be clear.

        Two at once can pass; that does no harm, since a rotation names its stream.
        """
        from ledger.domain.keys import key_uses

        others = {
            *self.sealed.streams("key/"),
            *(stream for stream in plan.touched if stream.startswith("key/")),
        }
        for stream in sorted(others - {action.stream}):
            history = plan.touched.get(stream) or self._history(stream)
            for use in key_uses(enumerate(history.events, 1)):
                # The same key under another name is the same key.
                if use.vkey.split("+", 2)[2] == vkey.split("+", 2)[2]:
                    raise Refused(
                        f"vkey {vkey!r} is already in {stream} (v{use.version}); make a key of its own"
                    )

    def _near(self, stream: str) -> str:
        kind, _, key = stream.partition("/")
        for length in (3, 1, 0):
            names = [name.partition("/")[2] for name in self.sealed.streams(f"{kind}/{key[:length]}")]
            if hint := nearest(key, names):
                return hint
        return ""

    def _with_nearest(self, error: Refused, action: Action, plan: _Plan) -> Refused:
        if "does not exist; open it first" in str(error) and action.stream:
            return Refused(f"{error}{self._near(action.stream)}")
        return error

    def _check_table(self, action: Action, event: AnyEvent, plan: _Plan) -> None:
        """Refuse a table, or a series, of which there is neither the content nor a place: nobody could ever read it."""
        from hashlib import sha256

        field, table = _table_of(event)
        if table is None:
            return
        if action.content is not None:
            digest = sha256(action.content).hexdigest()
            if table.sha256 != digest:
                raise Refused(
                    f"sha256 {table.sha256} is not the digest of the table, which is {digest}; name the file, and leave "
                    "the digest to the ledger"
                )
        elif table.location is None and not (
            isinstance(event, EntryCorrected)
            and (table.sha256 in plan.contents or self.sealed.content(table.sha256) is not None)
        ):
            way = "series_path" if field == "series" else "path"
            raise Refused(
                f"{field} {table.sha256} has no content and no location; "
                + (
                    "record the series as a measurement of its own"
                    if isinstance(event, EntryCorrected)
                    else f"name its file with {way}, and add by_location if it is to stay where it is"
                )
            )

    @staticmethod
    def _keep(plan: _Plan, event: AnyEvent, content: bytes) -> None:
        if isinstance(event, StatementIssued | AdjustmentIssued):
            plan.contents[event.lines.sha256] = content  # what they are was checked with the document
            return
        _, table = _table_of(event)
        if table is not None and table.location is None:
            plan.contents[table.sha256] = content

    # ---- retries -----------------------------------------------------------------------------------------

    def _replayed(self, action: Action, stored: StoredEntry) -> Receipt:
        """Return the first receipt of an action sent again, or refuse it when its content is another."""
        reason = self._difference(action, stored)
        if reason is not None:
            raise Refused(
                f"idempotency_key {action.idempotency_key!r} already stands at position {stored.position} "
                f"({stored.stream} v{stored.version}, {stored.type}) with other content ({reason}); use a new key"
            )
        return Receipt(
            stored.stream,
            stored.type,
            stored.version,
            stored.position,
            stored.recorded_at,
            leaf_hash(stored.entry).hex(),
            stored.position,
            self.sealed.root_at(stored.position).hex(),
            replayed=True,
            warnings=_uncompared(stored),
        )

    def _difference(self, action: Action, stored: StoredEntry) -> str | None:
        try:
            action = self._located(action)
            if action.stream != stored.stream:
                return f"it was for {stored.stream}"
            if stored.type != action.event.TYPE:
                return f"it was {stored.type}"
            history = self._history(stored.stream, upto=stored.version - 1)
        except Refused as error:
            return str(error)
        refusal: str | None = None
        try:
            event, _ = self._decide(history, action, max(stored.recorded_at, from_micros(self.clock())), -1)
        except Refused as error:
            # A rule may be younger than the entry: what was recorded is still the answer to the same action.
            event, refusal = action.event, str(error)
        texts = decode_texts(stored.texts)
        event = _with_erased(event, event_of(stored.type, split_entry(stored.entry), stored.texts))
        data, _ = encode_data(event, TEXTS[type(event)], is_text_field, texts)
        return None if data == split_entry(stored.entry) else refusal or "some field differs"


def _table_of(event: AnyEvent) -> tuple[str, Series | None]:
    """Return the table that an event publishes or records by digest, and the field it stands in."""
    if isinstance(event, SubscriptionsPublished | CohortPublished):
        return "table", event.table
    if isinstance(event, MeasurementRecorded):
        return "series", event.series
    if isinstance(event, EntryCorrected) and event.set.get("series") is not None:
        return "set.series", msgspec.convert(event.set["series"], Series)
    return "", None


def _uncompared(stored: StoredEntry) -> tuple[str, ...]:
    """Return a warning where texts of an action sent again were erased since."""
    texts = decode_texts(stored.texts)
    data = msgspec.json.decode(split_entry(stored.entry))
    gone = [
        path
        for path, value in [
            *data.items(),
            *((f"set.{name}", value) for name, value in data.get("set", {}).items()),
        ]
        if isinstance(value, dict) and set(value) == {"sha256"} and path not in texts
    ]
    if not gone:
        return ()
    return (
        f"{', '.join(gone)} of {stored.stream} v{stored.version} {'were' if len(gone) > 1 else 'was'} erased since, so "
        "what was sent now could not be compared with it; nothing was stored",
    )


def _with_erased(event: AnyEvent, stored: AnyEvent) -> AnyEvent:
    """Put the commitments of erased texts where the text stood: what is gone cannot be compared any more."""
    erased = {
        name: getattr(stored, name)
        for name in TEXTS[type(event)]
        if isinstance(getattr(stored, name, None), msgspec.Struct)
        and isinstance(getattr(event, name, None), str)
    }
    if isinstance(event, EntryCorrected) and isinstance(stored, EntryCorrected):
        kept = dict(event.set)
        for name, value in stored.set.items():
            if is_text_field(name) and isinstance(value, dict) and isinstance(kept.get(name), str):
                kept[name] = value
        erased["set"] = kept
    return msgspec.structs.replace(event, **erased) if erased else event


def _without_content(action: Action) -> Action:
    return msgspec.structs.replace(action, content=None)


def clock_of(instant: str) -> Callable[[], int]:
    """Return a clock that stands at an instant; for examples and tests."""
    fixed = micros(instant)
    return lambda: fixed
