"""The sealed recorder meets eventsourcing's own specification of a recorder, on both databases."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, StoredEvent
from eventsourcing.tests import persistence as specification

from ledger.store.location import open_log
from ledger.store.recorder import SealedFactory, SealedRecorder
from ledger.store.tree import Frontier, leaf_hash


def _recorder(url: str) -> SealedRecorder:
    log = open_log(url)
    log.create("recorder-test")
    return SealedRecorder(log, lambda: time.time_ns() // 1_000)


def _assert_sealed(recorder: SealedRecorder) -> None:
    """Whatever was written, by whichever thread: dense positions, and a head with the root of all entries."""
    frontier, positions = Frontier(), []
    for one in recorder.log.entries():
        positions.append(one.position)
        frontier.add(leaf_hash(one.entry))
    head = recorder.log.head()
    assert positions == list(range(1, head.size + 1))
    assert frontier.root() == head.root == recorder.log.root_at(head.size)


class RecorderSpecification(specification.ApplicationRecorderTestCase[ApplicationRecorder]):
    # Kept out of collection; each database subclasses it.
    __test__ = False
    INITIAL_VERSION = 1
    recorder: SealedRecorder

    @abstractmethod
    def url(self) -> str: ...

    def new_originator_id(self) -> UUID | str:
        return uuid4()

    def create_recorder(self) -> ApplicationRecorder:
        self.recorder = _recorder(self.url())
        self.addCleanup(self.recorder.close)
        self.addCleanup(_assert_sealed, self.recorder)
        return self.recorder


class TestSQLite(RecorderSpecification):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _database(self, sqlite_url: str) -> None:
        self._url = sqlite_url

    def url(self) -> str:
        return self._url


@pytest.mark.postgres
class TestPostgres(RecorderSpecification):
    __test__ = True

    @pytest.fixture(autouse=True)
    def _database(self, postgres_url: str) -> Iterator[None]:
        self._url = postgres_url
        yield
        # Before the database is dropped.
        self.doCleanups()

    def url(self) -> str:
        return self._url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def recorder(request: pytest.FixtureRequest) -> Iterator[SealedRecorder]:
    found = _recorder(request.getfixturevalue(f"{request.param}_url"))
    yield found
    _assert_sealed(found)
    found.close()


def _event(stream: str, version: int, topic: str = "topic") -> StoredEvent:
    return StoredEvent(stream, version, topic, b'{"n":%d}' % version)


def test_a_subscription_gives_what_is_there_and_waits_for_what_comes(recorder: SealedRecorder) -> None:
    recorder.insert_events([_event("incident/a", version) for version in (1, 2, 3)])

    def write_later() -> None:
        time.sleep(0.1)
        recorder.insert_events([_event("incident/a", version) for version in (4, 5)])

    writer = threading.Thread(target=write_later)
    seen = []
    with recorder.subscribe(gt=1) as subscription:
        writer.start()
        for notification in subscription:
            seen.append((notification.id, notification.originator_id, notification.state))
            if len(seen) == 4:
                break
    writer.join()
    assert seen == [(number, "incident/a", b'{"n":%d}' % number) for number in (2, 3, 4, 5)]


def test_a_subscription_can_be_to_some_topics_and_be_stopped(recorder: SealedRecorder) -> None:
    recorder.insert_events(
        [
            _event("incident/a", 1, "wanted"),
            _event("incident/a", 2, "other"),
            _event("incident/a", 3, "wanted"),
        ]
    )
    subscription = recorder.subscribe(topics=["wanted"])
    stopper = threading.Timer(0.3, subscription.stop)
    with subscription:
        found = []
        for notification in subscription:
            found.append(notification.id)
            if len(found) == 2:
                stopper.start()
        # The loop ended by itself: a stopped subscription waits for nothing.
    stopper.join()
    assert found == [1, 3]


def test_a_subscription_over_more_than_one_page_leaves_nothing_out(recorder: SealedRecorder) -> None:
    recorder.insert_events([_event("incident/a", version) for version in range(1, 1_203)])
    found = []
    with recorder.subscribe() as subscription:
        for notification in subscription:
            found.append(notification.id)
            if len(found) == 1_202:
                break
    assert found == list(range(1, 1_203))


def test_events_of_a_stream_are_selected_by_version_either_way(recorder: SealedRecorder) -> None:
    recorder.insert_events([_event("incident/a", version) for version in range(1, 6)])

    def versions(**how: int | bool) -> list[int]:
        return [event.originator_version for event in recorder.select_events("incident/a", **how)]  # type: ignore[arg-type]

    assert versions() == [1, 2, 3, 4, 5]
    assert versions(gt=2) == [3, 4, 5]
    assert versions(lte=2) == [1, 2]
    assert versions(desc=True) == [5, 4, 3, 2, 1]
    assert versions(gt=1, lte=4, desc=True, limit=2) == [4, 3]
    assert versions(limit=0) == []


def test_a_batch_with_one_taken_version_stores_nothing(recorder: SealedRecorder) -> None:
    recorder.insert_events([_event("incident/a", 1)])
    before = recorder.log.head()
    with pytest.raises(IntegrityError, match="somebody else appended in the meantime"):
        recorder.insert_events([_event("incident/b", 1), _event("incident/a", 1)])
    assert recorder.log.head() == before
    assert recorder.select_events("incident/b") == []
    assert recorder.insert_events([]) == []


def test_the_recorder_tracks_no_readers(recorder: SealedRecorder) -> None:
    factory = SealedFactory(recorder)
    assert factory.application_recorder() is recorder
    assert factory.aggregate_recorder() is recorder
    for made in (factory.tracking_recorder, factory.process_recorder):
        with pytest.raises(NotImplementedError, match="the sealed log tracks no readers"):
            made()
