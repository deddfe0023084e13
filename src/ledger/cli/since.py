"""What has become known since the last document about a statement: which sources changed, and which entries moved what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ledger.cli import run
from ledger.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.cli.documents import Reading
    from projections.causes import Moved, Since
    from projections.issued import Chain
    from projections.replay import Cut

__all__ = ["WHOLE", "calculator_words", "changed_sources", "policies_of", "since_last", "tables_now"]

# Kinds of sources whose change can reach any line: what rests on them is computed whole.
WHOLE = ("subscriptions", "policy", "cohort", "claim", "statement")


def changed_sources(
    session: Session, chain: Chain, before: dict[str, int], reading: Reading, position: int
) -> dict[str, tuple[int, int]]:
    """Return by source the versions then and now, of the kinds that can reach any line (`WHOLE`).

    before: by source the version that the last document rests on. position: up to which the ledger is read.
    """
    log = session.log()
    streams = {stream for stream in before if stream.partition("/")[0] in WHOLE}
    streams |= {f"claim/{one.claim}" for one in reading.claims}
    streams |= {one.stream for one in reading.basis.cohorts.tables} | reading.basis.credited_from.keys()
    found = {}
    for stream in sorted(streams):
        version = (
            reading.basis.credited_from.get(stream, 0)
            if stream.startswith("statement/")
            else max((one.version for one in log.stream(stream) if one.position <= position), default=0)
        )
        if version != before.get(stream, 0):
            found[stream] = before.get(stream, 0), version
    return found | _other_policies(session, chain, before, reading, position)


def _other_policies(
    session: Session, chain: Chain, before: dict[str, int], reading: Reading, position: int
) -> dict[str, tuple[int, int]]:
    """Return by source the versions then and now of policies that ruled no line of the last document, and were published anew since.

    A policy whose period ended in no such month may have one that does now. Only those count that the tables name, which are read where
    there are any.
    """
    then = chain.last.event.rests_on.position
    found: dict[str, tuple[int, int]] = {}
    for key in reading.basis.policies:
        stream = f"policy/{key}"
        if stream in before:
            continue
        held = [one for one in session.log().stream(stream) if one.position <= position]
        old = max((one.version for one in held if one.position <= then), default=0)
        if held and held[-1].version != old:
            found[stream] = old, held[-1].version
    if not found:
        return found
    from ledger.cli.facts import values_of

    named = {key for table in tables_now(session, chain, position) for key in values_of(table, "policy")}
    return {stream: versions for stream, versions in found.items() if stream.partition("/")[2] in named}


def calculator_words(chain: Chain) -> str | None:
    """Return what names the calculator as a reason, None where the last document was made with the present one."""
    from projections.calculator import CALCULATOR

    was = chain.last.event.rests_on.calculator
    return None if was == CALCULATOR else f"calculator {CALCULATOR} (was {was})"


def tables_now(session: Session, chain: Chain, position: int) -> list[Any]:
    """Return the tables of subscriptions as they are now, of the streams that the statement is about."""
    from ledger.cli import facts

    keys = [
        one.stream.partition("/")[2]
        for one in chain.statement.event.rests_on.sources
        if one.stream.startswith("subscriptions/")
    ]
    return list(facts.tables(session.log(), position, tuple(keys)))


def policies_of(chain: Chain) -> set[str]:
    """Return the keys of the policies that the last document rests on."""
    sources = chain.last.event.rests_on.sources
    return {one.stream.partition("/")[2] for one in sources if one.stream.startswith("policy/")}


def since_last(
    session: Session, chain: Chain, reading: Reading, changed: dict[str, tuple[int, int]]
) -> Since:
    """Return what has become known since the last document about a statement. changed: as `changed_sources` returns it."""
    from projections.causes import Since

    return Since(
        _moved(session, chain, reading),
        _news(session, chain, changed),
        _documents_since(session, changed),
        reading.basis.cohorts.known,
        calculator_words(chain) is not None,
    )


def _news(session: Session, chain: Chain, changed: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return of what changed what is news since the last document.

    What a cohort was by then is none, though no line rested on it yet: whatever was limited to it since is the news.
    """
    rests = chain.last.event.rests_on
    if rests.published_by is not None:
        # What the ledger held may not have been told yet.
        return changed
    found = {}
    for stream, (old, new) in changed.items():
        held = (
            [one.version for one in session.log().stream(stream) if one.position <= rests.position]
            if stream.startswith("cohort/")
            else []
        )
        if max(held, default=old) < new:
            found[stream] = max(held, default=old), new
    return found


def _moved(session: Session, chain: Chain, reading: Reading) -> list[Moved]:
    from ledger.cli import recorded
    from projections.causes import moved_exclusions, moved_measurements, moved_windows
    from projections.replay import Cut

    rests = chain.last.event.rests_on
    then = Cut(rests.published_by, rests.position)
    now = reading.basis.cut
    windows = run.windows_of(session, chain.statement.event.period, then)
    steps = _Steps(session, then, now)
    found = moved_windows(
        windows, reading.basis.windows, steps.of_window, later=reading.basis.as_of != rests.as_of
    )
    measured, _ = run.beside_windows(session, reading.basis.policies, then, reading.basis.wanted)
    found += moved_measurements(measured, reading.basis.measurements, steps.of_measurement)
    if reading.reads_exclusions(policies_of(chain)):
        found += moved_exclusions(recorded.exclusions(session.log(), then), reading.basis.exclusions)
    return found


class _Steps:
    """Names the entries that changed a window or a measurement between two cuts: those with which it is not what it was."""

    def __init__(self, session: Session, then: Cut, now: Cut) -> None:
        self._session, self._then, self._now = session, then, now
        self._known: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}

    def of_window(self, incident: str, window: str) -> tuple[str, ...]:
        """Return the entries that changed a window."""
        return self._of(incident).get(("window", window), ())

    def of_measurement(self, incident: str, measurement: str) -> tuple[str, ...]:
        """Return the entries that changed a measurement."""
        return self._of(incident).get(("measurement", measurement), ())

    def _of(self, incident: str) -> dict[tuple[str, str], tuple[str, ...]]:
        if incident not in self._known:
            self._known[incident] = self._read(incident)
        return self._known[incident]

    def _read(self, incident: str) -> dict[tuple[str, str], tuple[str, ...]]:
        from ledger.store.stream import read_stream
        from projections.replay import Cut

        entries = read_stream(self._session.log(), f"incident/{incident}")
        was, is_now = (_states(incident, entries, cut) for cut in (self._then, self._now))
        fresh = [
            one
            for one in entries
            if one.position > (self._then.recorded_by or 0)
            and one.position <= (self._now.recorded_by or one.position)
        ]
        if self._then.published_by != self._now.published_by:
            # What was told later was not recorded later: what the state rests on says it.
            return {
                key: tuple(one for one in _entries(is_now.get(key)) if one not in _entries(was.get(key)))
                for key in was.keys() | is_now.keys()
            }
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        before = was
        for one in fresh:
            after = _states(incident, entries, Cut(self._now.published_by, one.position))
            for key in before.keys() | after.keys():
                if before.get(key) != after.get(key):
                    found[key] = *found.get(key, ()), f"{one.stream} v{one.version}"
            before = after
        return found


def _states(incident: str, entries: Any, cut: Cut) -> dict[tuple[str, str], Any]:
    """Return the windows and measurements of an incident under a cut."""
    from projections.replay import facts_at, measurements_of, statements, told, windows_of

    audience = run.audience(cut)
    return {
        **{("window", one.window): one for one in windows_of(incident, facts_at(entries, cut, audience))},
        **{
            ("measurement", one.measurement): one
            for one in measurements_of(incident, statements(told(entries, cut, audience)))
        },
    }


def _entries(state: Any) -> tuple[str, ...]:
    return () if state is None else state.entries


def _documents_since(
    session: Session, changed: dict[str, tuple[int, int]]
) -> Callable[[str], list[tuple[str, dict[str, bool]]]]:
    """Return what tells by the entry of a document all documents about its statement since then, as `Since` has them."""
    from ledger.cli.documents import documents_in
    from ledger.store.lines import KeptLines

    series: dict[str, list[Any]] = {}
    known: dict[tuple[str, int], dict[str, bool]] = {}

    def of(stream: str, document: Any) -> dict[str, bool]:
        key = stream, document.version
        if key not in known:
            leaves = KeptLines(session.log(), document.event.lines).leaves()
            lines = (msgspec.json.decode(leaf)["line"] for leaf in leaves)
            known[key] = {one["subscription"]: bool(one["amount"].strip("-0.")) for one in lines}
        return known[key]

    def since(entry: str) -> list[tuple[str, dict[str, bool]]]:
        stream, _, version = entry.rpartition(" v")
        if stream not in changed:
            return []
        if stream not in series:
            series[stream] = [one for one, _ in documents_in(session, stream.partition("/")[2])]
        statement = next(one.statement for one in series[stream] if one.version == int(version))
        old, new = changed[stream]
        return [
            (f"{stream} v{one.version}", of(stream, one))
            for one in series[stream]
            if one.statement == statement and old < one.version <= new
        ]

    return since
