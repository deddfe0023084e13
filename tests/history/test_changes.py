"""What changed in a notice, who wrote it, and what that came to, as the business tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.errors import Refused
from ledger.store.stream import Entry
from projections import blame as blaming
from projections.blame import blame
from projections.changes import as_json, as_text, changes
from projections.history import as_json as entry_json
from projections.marks import concerns, marks
from projections.naming import moment
from projections.notice import as_text as notice_text
from projections.notice import notice
from projections.reading import Reader
from projections.replay import Cut
from projections.state import as_text as state_text
from projections.state import state, titles_erased

Incident = Callable[..., list[Entry]]
OPENED = {
    "action": "open", "title": "Mail lost", "status": "investigating", "services": ["email"],
    "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "We are looking into it.",
}  # fmt: skip
WINDOW = {
    "action": "add-window", "window": "w1", "service": "email", "component": "flow", "region": "EMEA",
    "effect": "outage", "start": "2022-03-15T02:30:00Z", "end": "2022-03-15T10:00:00Z", "ref": "w1",
}  # fmt: skip


def between(entries: list[Entry], one: str, other: str) -> dict[str, Any]:
    reader = Reader(entries)
    cuts = [moment(entries, word) for word in (one, other)]
    before, after = (reader.at(cut) for cut in cuts if cut is not None)
    return as_json(changes(before, after))


def test_a_revised_window_shows_both_values(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [WINDOW],
        [
            {
                "action": "revise-window",
                "window": "w1",
                "end": None,
                "share_at_most": "0.5",
                "reason": "It goes on.",
            }
        ],
        [{"action": "withdraw-window", "window": "w1", "reason": "It was a test."}],
    )
    [revised] = between(entries, "r2", "r3")["windows"]
    assert revised["change"] == "revised"
    assert [(one["field"], one["before"], one["after"]) for one in revised["fields"]] == [
        ("end", "2022-03-15T10:00:00.000000Z", None), ("share_at_most", None, "0.5")
    ]  # fmt: skip
    [withdrawn] = between(entries, "r3", "r4")["windows"]
    assert (withdrawn["change"], withdrawn["fields"][0]["field"]) == ("withdrawn", "withdrawn")
    [added] = between(entries, "r1", "r2")["windows"]
    assert (added["change"], added["before"], added["after"]["region"]) == ("added", None, "EMEA")
    assert [one["change"] for one in between(entries, "r4", "r1")["windows"]] == ["removed"]
    assert [one["change"] for one in between(entries, "r4", "r3")["windows"]] == ["restored"]


def test_entries_that_did_it_are_named_with_who_when_and_why(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "resolve", "ref": "over", "body": "It is over."}],
        [{"action": "correct", "corrects": "over", "kind": "correction", "set": {"body": "It is over for most."},
          "reason": "Some still wait.", "actor": "lead", "source": "https://status.example/7",
          "published_at": "2022-04-01T00:02:30Z"}],
    )  # fmt: skip
    found = between(entries, "r2", "r3")
    [cause] = found["entries"]
    assert (cause["actor"], cause["reason"], cause["source"]) == (
        "lead", "Some still wait.", "https://status.example/7"
    )  # fmt: skip
    assert (cause["told_at"], cause["recorded_at"]) == (
        "2022-04-01T00:02:30.000000Z",
        "2022-04-01T00:03:00.000000Z",
    )
    assert (cause["late"], cause["after_resolved"], cause["about"], cause["names"]) == (
        True,
        True,
        2,
        ["body"],
    )
    [body, reason] = found["texts"]
    assert (body["version"], body["change"], reason["field"]) == (2, "changed", "reason")
    assert body["words"] == (("same", "It is over"), ("put", " for most"), ("same", "."))


def test_two_moments_may_be_named_in_many_ways(incident: Incident) -> None:
    entries = incident(
        [OPENED], [{**WINDOW, "change": "c"}, {"action": "update", "body": "Said.", "change": "c"}]
    )
    assert moment(entries, "w1") == moment(entries, "v2") == Cut(None, 2)
    assert moment(entries, "r2") == moment(entries, "v3") == Cut(None, 3)
    assert moment(entries, "2022-03-01T00:00:00Z") is None
    with pytest.raises(Refused, match="has revisions r1 to r2"):
        moment(entries, "r3")
    with pytest.raises(Refused, match="has versions v1 to v3"):
        moment(entries, "v0")


def test_an_entry_in_the_middle_of_a_change_is_a_moment(incident: Incident) -> None:
    entries = incident(
        [OPENED], [{**WINDOW, "change": "c"}, {"action": "update", "body": "Said.", "change": "c"}]
    )
    assert [one["version"] for one in between(entries, "v2", "v3")["entries"]] == [3]


def test_what_was_published_late_is_told_where_it_belongs(incident: Incident) -> None:
    entries = incident(
        [{**OPENED, "published_at": "2022-03-14T17:00:00Z"}],
        [{"action": "update", "body": "Second.", "published_at": "2022-03-14T19:00:00Z"}],
        [{"action": "update", "body": "First.", "published_at": "2022-03-14T18:00:00Z"}],
    )
    reader = Reader(entries)
    early, late = (reader.at(Cut(f"2022-03-14T{hour}:30:00.000000Z")) for hour in ("17", "18"))
    assert [one.entry.version for one in changes(early, late).causes] == [3]
    assert all(one.late for one in marks(entries).values())


def test_blame_follows_corrections_line_by_line(incident: Incident) -> None:
    entries = incident(
        [{**OPENED, "body": "Mail in EMEA is lost.\nWe are looking into it.\nMore at noon."}],
        [{"action": "correct", "corrects": "v1", "kind": "correction", "actor": "lead", "reason": "NAM, too.",
          "set": {"body": "Mail in EMEA and NAM is lost.\nWe are looking into it.\nMore at noon."}}],
        [{"action": "correct", "corrects": "v1", "kind": "editorial", "reason": "Spelling.",
          "set": {"body": "Mail in EMEA and NAM is lost.\nWe are looking into it.\n\nMore at 12:00 UTC.", "title": "Mail lost"}}],
    )  # fmt: skip
    lines = [(one.line, one.version) for one in blame(entries) if (one.of, one.name) == ("v1", "body")]
    assert lines == [(1, 2), (2, 1), (3, 3), (4, 3)]
    # A correction that changes nothing has written nothing.
    assert [one.version for one in blame(entries) if one.name == "title"] == [1]


def test_blame_of_a_window_is_field_by_field(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [WINDOW],
        [{"action": "revise-window", "window": "w1", "end": "2022-03-15T11:00:00Z", "reason": "Logs."}],
        [{"action": "correct", "corrects": "w1", "kind": "correction", "set": {"start": "2022-03-15T02:00:00Z"},
          "reason": "Logs."}],
        [{"action": "withdraw-window", "window": "w1", "reason": "It was a test."}],
    )  # fmt: skip
    by = {one.name: one.version for one in blame(entries) if one.part == "window"}
    assert by == {
        "service": 2,
        "component": 2,
        "region": 2,
        "start": 4,
        "end": 3,
        "effect": 2,
        "withdrawn": 5,
    }
    assert {one.name: one.version for one in blame(entries, Cut(None, 2)) if one.part == "window"}[
        "start"
    ] == 2


def test_what_was_withdrawn_wrote_nothing(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "identify", "body": "We know the cause.", "cause": "capacity"}],
        [{"action": "withdraw-update", "corrects": "v2", "reason": "It was another incident."}],
    )
    by = {one.name: (one.value, one.version) for one in blame(entries) if one.part == "notice"}
    assert by["status"] == ("investigating", 1)
    assert "cause" not in by


def test_a_window_corrected_after_resolved_is_marked_everywhere(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [WINDOW],
        [{"action": "resolve", "body": "It is over."}],
        [{"action": "correct", "corrects": "w1", "kind": "correction", "set": {"end": "2022-03-15T12:00:00Z"},
          "reason": "It took longer.", "published_at": "2022-04-01T00:03:30Z"}],
    )  # fmt: skip
    [window] = notice(entries).windows
    assert (window.after_resolved, window.late, window.changed_at) == (
        True,
        True,
        "2022-04-01T00:03:30.000000Z",
    )
    assert "changed after resolved, 2022-04-01 00:03:30 UTC; recorded later" in notice_text(notice(entries))
    assert state(entries)["windows"][0]["after_resolved"]
    assert state(entries)["after_resolved"] == [4]
    assert "(v2, v4)  [after resolved, recorded later]" in state_text(state(entries))
    assert marks(entries)[4].after_resolved
    assert marks(entries)[2].corrected_by == (4,)
    assert between(entries, "r3", "r4")["entries"][0]["after_resolved"]
    rows = {row["name"]: row for row in blaming.as_json(blame(entries), entries) if row["part"] == "window"}
    assert (rows["end"]["after_resolved"], rows["end"]["late"], rows["start"]["late"]) == (True, True, False)
    # Before that was said, nobody knew.
    assert not notice(entries, Cut("2022-04-01T00:03:29.000000Z")).windows[0].after_resolved


def test_an_erased_text_says_who_when_and_why(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "resolve", "ref": "over", "body": "It is over for Aurora Rail."}],
        [{"action": "correct", "corrects": "over", "kind": "correction", "set": {"body": "It is over."},
          "reason": "Aurora Rail asked for it."}],
        [{"action": "redact", "entry": "v2", "fields": ["body"], "reason": "It named a customer.", "actor": "dpo"}],
        [{"action": "redact", "entry": "v3", "fields": ["reason"], "reason": "It, too.", "actor": "dpo"}],
    )  # fmt: skip
    told = notice_text(notice(entries))
    assert "Erased 2022-04-01 00:04 UTC (body) by dpo (as claimed): It named a customer." in told
    assert "Erased 2022-04-01 00:05 UTC (reason) by dpo (as claimed): It, too." in told
    # The text is gone under every cut, and so it is said under every cut.
    early = notice(entries, Cut(None, 2)).posts[0]
    assert (early.body, [one.by_version for one in early.erased]) == ("[erased]", [4])
    shown = entry_json(entries[1], 2, marks(entries)[2])
    assert shown["event"]["body"] == "[erased]"
    assert [(one["field"], one["actor"], one["reason"]) for one in shown["erased"]] == [
        ("body", "dpo", "It named a customer.")
    ]
    gone = [row for row in blaming.as_json(blame(entries), entries) if row["value"] == "[erased]"]
    assert [(row["of"], row["name"], row["version"]) for row in gone] == [
        ("v3", "reason", 3), ("v2", "correction", 3)
    ]  # fmt: skip
    assert all(row["erased"][0]["reason"] == "It, too." for row in gone)
    found = between(entries, "r2", "r3")
    assert found["entries"][0]["reason"] == "[erased]"
    assert found["entries"][0]["erased"][0]["by_version"] == 5
    assert "Aurora" not in str(found) + told + str(state(entries))


def test_an_internal_erasure_is_no_public_matter(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "redact", "entry": "v1", "fields": ["body"], "reason": "A name.", "internal": True}],
    )
    [post] = notice(entries).posts
    assert (post.body, post.erased) == ("[erased]", ())
    assert marks(entries)[1].erased[0].reason == "A name."


def test_entries_concern_what_they_name_or_what_the_incident_affects(incident: Incident) -> None:
    entries = incident(
        [{**OPENED, "regions": ["EMEA"]}],
        [WINDOW],
        [{"action": "resolve", "ref": "over", "body": "It is over."}],
        [{"action": "set-affected", "services": ["email"], "components": ["flow"], "regions": ["EMEA", "NAM"]}],
        [{**WINDOW, "window": "w2", "region": "NAM", "ref": "w2"}],
        [{"action": "correct", "corrects": "over", "kind": "correction", "set": {"body": "NAM, too."}, "reason": "NAM."}],
        [{"action": "correct", "corrects": "w1", "kind": "correction", "set": {"end": "2022-03-15T11:00:00Z"}, "reason": "L."}],
        [{**WINDOW, "window": "w3", "region": "*", "ref": "w3"}],
        [{"action": "revise-window", "window": "w3", "region": "EMEA", "reason": "Not all."}],
    )  # fmt: skip
    regions = [sorted(one.regions - {"*"}) for one in concerns(entries).values()]
    both = ["EMEA", "NAM"]
    assert regions == [["EMEA"], ["EMEA"], ["EMEA"], both, ["NAM"], both, ["EMEA"], both, both]
    assert all(one.services == {"email"} for one in concerns(entries).values())


def test_nothing_changed_says_nothing(incident: Incident) -> None:
    at = Reader(incident([OPENED], [WINDOW])).at()
    assert not changes(at, at)
    assert as_text(changes(at, at), at, at) == []


def test_state_shows_what_a_notice_does_not(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "identify", "cause": "capacity"}],
        [{"action": "record-measurement", "measurement": "m1", "service": "email", "component": "flow", "region": "EMEA",
          "start": "2022-03-15T02:00:00Z", "end": "2022-03-15T03:00:00Z", "of": "messages", "total": 1000, "failed": 2}],
        [{**OPENED, "incident": "mail-2"}, {"action": "link", "relation": "related", "to": "mail-2"}],
        [{"action": "update", "status": "monitoring", "internal": True}],
    )  # fmt: skip
    public, house = state(entries), state(entries, Cut(), "house")
    assert (public["status"], public["cause"], public["internal"]) == ("identified", "capacity", [])
    assert (house["status"], house["internal"], house["entries"]) == ("monitoring", [5], 5)
    assert public["measurements"] == [
        {"measurement": "m1", "service": "email", "component": "flow", "region": "EMEA", "of": "messages",
         "start": "2022-03-15T02:00:00.000000Z", "end": "2022-03-15T03:00:00.000000Z", "total": 1000, "failed": 2}
    ]  # fmt: skip
    assert public["links"] == [{"relation": "related", "to": "mail-2"}]
    assert state(entries, Cut(None, 2))["measurements"] == []
    with pytest.raises(Refused, match="nothing to show under this cut"):
        state(entries, Cut("2022-03-01T00:00:00.000000Z"))
    fields = between(entries, "r2", "r4")["fields"]
    assert [one["field"] for one in fields] == ["measurement m1", "links"]


QUOTED = {**WINDOW, "quote": "Ann said so."}


def redact(entry: str, *fields: str, **more: Any) -> dict[str, Any]:
    return {
        "action": "redact",
        "entry": entry,
        "fields": list(fields),
        "reason": "A name.",
        "actor": "dpo",
        **more,
    }


def test_a_text_that_another_replaced_is_told_as_changed_though_both_were_erased(incident: Incident) -> None:
    entries = incident(
        [OPENED],
        [{"action": "correct", "corrects": "v1", "kind": "correction", "set": {"body": "Ann knew.", "title": "Ann's mail"},
          "reason": "Named."}],
        [QUOTED],
        [{"action": "revise-window", "window": "w1", "quote": "Bob said so.", "reason": "It was Bob."}],
        [redact("v1", "body", "title"), redact("v2", "set.body", "set.title"), redact("v3", "quote"), redact("v4", "quote")],
    )  # fmt: skip
    found = between(entries, "r1", "r2")
    [title], [body, _] = found["fields"], found["texts"]
    for one in (title, body):
        assert (one["before"], one["after"]) == ("[erased]", "[erased]")
        assert one["words"] == (("taken", "[erased]"), ("put", "[erased]"))
    assert body["change"] == "changed"
    assert [(one["version"], one["field"], one["actor"], one["reason"]) for one in body["erased"]] == [
        (1, "body", "dpo", "A name."), (2, "set.body", "dpo", "A name.")
    ]  # fmt: skip
    assert [(one["version"], one["field"]) for one in title["erased"]] == [(1, "title"), (2, "set.title")]
    [window] = between(entries, "r3", "r4")["windows"]
    assert [(one["field"], one["before"], one["after"]) for one in window["fields"]] == [
        ("quote", "[erased]", "[erased]")
    ]
    reader = Reader(entries)
    before, after = reader.at(Cut(None, 1)), reader.at(Cut(None, 2))
    lines = as_text(changes(before, after), before, after)
    assert [line for line in lines if "before and after" in line or "of v1 erased" in line] == [
        "  title: changed, [erased] before and after",
        "    title of v1 erased 2022-04-01 00:05 UTC by dpo (as claimed): A name.",
        "  v1 Opened, body: changed, [erased] before and after",
        "    body of v1 erased 2022-04-01 00:05 UTC by dpo (as claimed): A name.",
    ]
    # A text that stayed is not told as changed because it was erased.
    assert between(entries, "r4", "r5")["fields"] == between(entries, "r4", "r5")["texts"] == []
    assert between(entries, "r2", "r3")["texts"] == []


def test_a_state_says_who_erased_its_texts_when_and_why(incident: Incident) -> None:
    entries = incident([OPENED], [QUOTED], [redact("v1", "title"), redact("v2", "quote")])
    found = state(entries)
    for one, version, field in ((found, 1, "title"), (found["windows"][0], 2, "quote")):
        assert one[field] == "[erased]"
        [made] = one["erased"]
        assert made == {
            "version": version, "field": field, "by_version": version + 2, "actor": "dpo", "reason": "A name.",
            "published_at": made["recorded_at"], "recorded_at": entries[version + 1].recorded_at,
        }  # fmt: skip
    lines = state_text(found).splitlines()
    for field in ("title", "quote"):
        assert f"  {field:<22}[erased] 2022-04-01 00:03 UTC by dpo (as claimed): A name." in lines
    whole = state(incident([OPENED], [QUOTED]))
    assert "erased" not in whole
    assert "erased" not in whole["windows"][0]
    # What the house keeps to itself is not said to the public, also not that of an erasure.
    hidden = incident([OPENED], [redact("v1", "title", internal=True)])
    assert "erased" not in state(hidden)
    assert [one["by_version"] for one in state(hidden, audience="house")["erased"]] == [2]
    assert [one.by_version for one in titles_erased(hidden)] == [2]
