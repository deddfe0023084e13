"""Laws of history: whatever was recorded, comparing, replaying and blaming agree with the notice."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.append import Appender
from ledger.domain.actions import parse_action
from ledger.domain.events import EntryCorrected
from ledger.domain.incident import Facts
from ledger.domain.instants import from_micros, micros
from ledger.errors import Refused
from ledger.store.stream import Entry, read_stream, text_or_erased
from projections.blame import Written, blame
from projections.changes import changes, nothing
from projections.consequences import consequences, stages
from projections.consequences_compared import difference
from projections.notice import Notice, as_text, notice
from projections.reading import Reader, Reading
from projections.replay import Cut, revisions, told
from projections.state import FIELDS, facts_fields, state

Step = dict[str, Any]
START = micros("2022-04-01T00:00:00.000000Z")
OPENED = {
    "action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
    "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "We are\nlooking into it.",
}  # fmt: skip

_version = st.integers(1, 9).map(lambda version: f"v{version}")
_text = st.sampled_from(["One.", "One.\nTwo.", "Two.\nThree.\n\nOne.", "Another text\nof words."])
_window = st.sampled_from(["w1", "w2"])
_end = st.sampled_from(["2022-03-15T10:00:00Z", "2022-03-16T00:00:00Z", None])


def _act(verb: str, **fields: Any) -> Step:
    return {"action": verb, **fields}


_acts = st.one_of(
    st.builds(lambda body: _act("update", body=body), _text),
    st.builds(
        lambda window, end, region: _act("add-window", window=window, service="email", component="flow",
                                         region=region, start="2022-03-15T02:30:00Z", end=end, effect="outage"),
        _window, _end, st.sampled_from(["EMEA", "NAM", "*"]),
    ),
    st.builds(lambda window, end: _act("revise-window", window=window, end=end, reason="Logs."), _window, _end),
    st.builds(lambda window: _act("withdraw-window", window=window, reason="Never so."), _window),
    st.builds(lambda body: _act("resolve", body=body), _text),
    st.builds(lambda: _act("reopen", reason="It is back.")),
    st.builds(lambda at: _act("deploy-fix", at=at), st.sampled_from(["2022-03-15T09:00:00Z", "2022-03-15T11:00:00Z"])),
    st.builds(lambda title: _act("retitle", title=title), st.sampled_from(["Mail lost", "Mail lost for good"])),
    st.builds(lambda regions: _act("set-affected", services=["email"], components=["flow"], regions=regions),
              st.sampled_from([["EMEA", "NAM"], ["EMEA", "NAM", "APAC"]])),
    st.builds(
        lambda version, fields: _act("correct", corrects=version, kind="correction", set=fields, reason="Wrong."),
        _version, st.sampled_from([{"body": "One.\nTwo and a half."}, {"title": "Other"}, {"body": None}, {"region": "EMEA"},
                                   {"regions": ["EMEA", "NAM", "LATAM"]}, {"at": "2022-03-15T08:00:00Z"}, {"reason": "Other."},
                                   {"end": "2022-03-17T00:00:00Z"}, {"impact": "major"}]),
    ),
    st.builds(lambda version: _act("withdraw-update", corrects=version, reason="Not so."), _version),
    st.builds(lambda version: _act("publish", publishes=version), _version),
    st.builds(lambda version, field: _act("redact", entry=version, fields=[field], reason="Private."),
              _version, st.sampled_from(["body", "title", "reason", "set.body"])),
    st.builds(lambda: _act("withdraw", reason="By mistake.")),
)  # fmt: skip


@st.composite
def _steps(draw: st.DrawFn) -> list[Step]:
    """Return acts, some of them told late, some internal, some as one change; the ledger may refuse any."""
    found: list[Step] = []
    for number, act in enumerate(draw(st.lists(_acts, min_size=1, max_size=10))):
        manner = draw(st.integers(0, 5))
        if manner == 0 and act["action"] not in ("publish", "redact"):
            act = {**act, "internal": True}
        elif manner == 1:
            act = {**act, "published_at": from_micros(START + 60_000_000 * draw(st.integers(0, number)))}
        found.append(act)
    return found


def _recorded(steps: Sequence[Step], path: str) -> list[Entry]:
    """Return the entries of the acts that the ledger takes, a minute apart; two that share a label are one change."""
    minutes = itertools.count(1)
    now = [START]
    appender = Appender(f"sqlite:///{path}/ledger.db", clock=lambda: now[0])
    appender.create("laws-test")
    for step in (OPENED, *steps):
        now[0] = START + 60_000_000 * next(minutes)
        batch = [{"incident": "mail", "actor": "ops", **step}]
        if step["action"] == "update" and "internal" not in step:
            # Two statements of one act.
            batch = [
                {**batch[0], "change": f"c{now[0]}"},
                {**batch[0], "change": f"c{now[0]}", "body": "Two.\nOne."},
            ]
        try:
            appender.append([parse_action(one) for one in batch])
        except Refused:
            continue
    entries = read_stream(appender.sealed, "incident/mail")
    appender.close()
    return entries


def _cuts(entries: Sequence[Entry]) -> list[Cut]:
    times = sorted({one.told_at for one in told(entries)})
    return [Cut(), *(Cut(None, entry.position) for entry in entries), *(Cut(time) for time in times)]


def _same(one: Notice, other: Notice) -> bool:
    return (one.posts, one.windows, one.status, one.title, one.regions, one.revision) == (
        other.posts, other.windows, other.status, other.title, other.regions, other.revision
    )  # fmt: skip


def _hold(entries: Sequence[Entry]) -> None:
    reader = Reader(entries)
    readings = [reader.at(cut) for cut in _cuts(entries)]
    for at in readings:
        _nothing_changes_from_a_moment_to_itself(at)
        _blame_covers(entries, at.cut)
        _reading_is_the_notice(entries, at)
    _replaying_leads_to_the_notice(entries)
    for published_by in {at.cut.published_by for at in readings}:
        _following_is_reading_from_the_start(reader, published_by)
    for before, after in itertools.islice(itertools.permutations(readings, 2), 40):
        _looking_back_is_the_mirror(before, after)


def _following_is_reading_from_the_start(reader: Reader, published_by: str | None) -> None:
    """Each position read on from the one before, or some at once, is what reading it from nothing gives."""
    for positions in (reader.positions, reader.positions[::3]):
        for position, on in zip(positions, reader.follow(published_by, positions), strict=True):
            whole = reader.at(Cut(published_by, position))
            assert on.seen == whole.seen
            assert (on.fold.said, on.fold.statuses, on.fold.over) == (
                whole.fold.said, whole.fold.statuses, whole.fold.over
            )  # fmt: skip
            for name in Facts.__slots__:
                assert getattr(on.facts, name) == getattr(whole.facts, name), name
            assert on.windows == whole.windows
            assert on.marks_of({one.entry.version for one in on.seen}) == {
                one.entry.version: whole.marks[one.entry.version] for one in whole.seen
            }
            if on.seen:
                assert on.notice == whole.notice


def _nothing_changes_from_a_moment_to_itself(at: Reading) -> None:
    assert not changes(at, at)
    windows = consequences(at.windows, {}, "2022-04-02T00:00:00.000000Z")
    assert not any(row["downtime_seconds_delta"] for row in difference(windows, windows)["consequences"])


def _reading_is_the_notice(entries: Sequence[Entry], at: Reading) -> None:
    assert at.notice == notice(entries, at.cut)
    assert state(entries, at.cut)["status"] == (at.notice.status if at.notice.status != "unknown" else None)
    assert [one["window"] for one in state(entries, at.cut)["windows"]] == [
        one.window for one in at.notice.windows
    ]


def _replaying_leads_to_the_notice(entries: Sequence[Entry]) -> None:
    found = stages(entries)
    assert [stage.revision for stage in found] == [one.number for one in revisions(entries)]
    assert _same(found[-1].notice, notice(entries))
    # Every public entry is told in exactly one revision, and what the revisions changed adds up to the notice.
    versions = sorted(one.entry.version for stage in found for one in stage.entries)
    assert versions == sorted(one.entry.version for one in told(entries))
    fields = facts_fields(Facts())
    before = nothing()
    for stage in found:
        for change in changes(before, stage.reading).fields:
            assert fields.get(change.field) == change.before
            fields[change.field] = change.after
        before = stage.reading
    assert {name: fields[name] for name in FIELDS} == facts_fields(found[-1].reading.facts)


def _looking_back_is_the_mirror(before: Reading, after: Reading) -> None:
    there, back = changes(before, after), changes(after, before)
    assert {(one.field, str(one.before), str(one.after)) for one in there.fields} == {
        (one.field, str(one.after), str(one.before)) for one in back.fields
    }
    assert {(one.window, str(one.before), str(one.after)) for one in there.windows} == {
        (one.window, str(one.after), str(one.before)) for one in back.windows
    }
    assert {(one.version, one.field, one.before, one.after) for one in there.texts} == {
        (one.version, one.field, one.after, one.before) for one in back.texts
    }


def _blame_covers(entries: Sequence[Entry], cut: Cut) -> None:
    """Every line of the notice has a writer, and every writer says what it is said to have written."""
    found = blame(entries, cut)
    shown = notice(entries, cut)
    seen = {one.entry.version for one in told(entries, cut)}
    gone = {one.by_version for post in shown.posts for one in post.erased}
    assert {one.version for one in found} <= seen | gone
    for post in shown.posts:
        for name in ("body", "reason"):
            lines = [
                one for one in found if (one.part, one.of, one.name) == ("post", f"v{post.version}", name)
            ]
            text = getattr(post, name)
            assert [one.line for one in lines] == list(range(1, len(lines) + 1))
            assert (text or "") == "\n".join(one.value for one in lines)
            for one in lines:
                _says(entries[one.version - 1], name, one)
    fields = {one.name: one for one in found if one.part == "notice"}
    for name in ("status", "title", "impact", "fixed_at", "resolved_at", "services", "components", "regions"):
        value = getattr(shown, name)
        if value and value != "unknown":
            assert fields[name].value == value
    for window in shown.windows:
        of = {one.name: one.value for one in found if (one.part, one.of) == ("window", window.window)}
        assert (of["start"], of.get("end"), of["region"]) == (window.start, window.end, window.region)
        assert of.get("withdrawn", False) == window.withdrawn
    _every_line_is_there(found, shown)


def _says(entry: Entry, name: str, one: Written) -> None:
    # A correction says something of its own, and what the corrected entry should have said.
    put = entry.event.set.get(name) if isinstance(entry.event, EntryCorrected) else None
    said = [text_or_erased(text) or "" for text in (getattr(entry.event, name), put)]
    assert any(one.value in text.split("\n") for text in said)


def _every_line_is_there(found: Sequence[Written], shown: Notice) -> None:
    values = "\n".join(str(one.value) for one in found)
    for line in as_text(shown).splitlines():
        words = line.strip()
        if words.startswith(("Corrected", "Edited", "Erased", "Reason")):
            words = words.partition(": ")[2].partition("  [")[0]
            assert words in values, line
    assert len([one for one in found if one.name == "heading"]) == len(shown.posts)


@settings(max_examples=50)
@given(_steps())
@example([_act("update", body="One.\nTwo."), _act("correct", corrects="v2", kind="correction", set={"body": "One.\nTwo and a half."},
          reason="Wrong."), _act("redact", entry="v4", fields=["set.body"], reason="Private.")])  # fmt: skip
@example(
    [
        _act(
            "add-window",
            window="w1",
            service="email",
            component="flow",
            region="EMEA",
            start="2022-03-15T02:30:00Z",
            end=None,
            effect="outage",
        ),
        _act("revise-window", window="w1", end="2022-03-15T10:00:00Z", reason="Logs."),
        _act("correct", corrects="v2", kind="correction", set={"region": "NAM"}, reason="Wrong."),
        _act(
            "correct", corrects="v3", kind="correction", set={"end": "2022-03-17T00:00:00Z"}, reason="Wrong."
        ),
    ]
)
@example([_act("resolve", body="One."), _act("withdraw-update", corrects="v2", reason="Not so.")])
@example([{**_act("add-window", window="w1", service="email", component="flow", region="*", start="2022-03-15T02:30:00Z",
                  end=None, effect="outage"), "internal": True}, _act("publish", publishes="v2"),
          _act("withdraw-window", window="w1", reason="Never so.")])  # fmt: skip
def test_histories_agree_with_the_notice(steps: Sequence[Step]) -> None:
    """Given any history that the ledger takes, then diff, replay, blame and state tell one story."""
    with tempfile.TemporaryDirectory() as folder:
        _hold(_recorded(steps, folder))
