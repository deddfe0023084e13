"""What a notice tells of revisions, corrections and windows, and that its Markdown shows what was written."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from projections.escaping import line_as_markdown, text_as_markdown
from projections.history import as_json as entry_json
from projections.history import show_text
from projections.marks import marks
from projections.notice import Notice, as_json, as_markdown, as_text, notice
from tests.history.conftest import Batches

OPENED: dict[str, Any] = {
    "action": "open", "title": "Mail", "status": "investigating", "services": ["mail"], "components": ["flow"],
    "regions": ["EU"], "published_at": "2022-03-01T08:00:00Z",
}  # fmt: skip
WINDOW: dict[str, Any] = {
    "action": "add-window", "window": "w", "service": "mail", "component": "flow", "region": "EU",
    "start": "2022-03-01T07:00:00Z", "end": "2022-03-01T09:00:00Z", "effect": "outage",
    "published_at": "2022-03-01T10:00:00Z",
}  # fmt: skip
RESOLVED: dict[str, Any] = {
    "action": "resolve", "at": "2022-03-01T09:00:00Z", "published_at": "2022-03-02T08:00:00Z",
}  # fmt: skip


def _both(found: Notice) -> tuple[str, str]:
    return as_text(found), as_markdown(found)


def test_a_revision_without_a_text_is_marked_with_its_time_and_reason(incident: Batches) -> None:
    entries = incident(
        [OPENED, WINDOW],
        [{"action": "revise-window", "window": "w", "end": "2022-03-01T09:30:00Z", "reason": "The log says so.",
          "published_at": "2022-03-01T12:00:00Z"}],
        [RESOLVED],
        [{"action": "correct", "corrects": "v2", "kind": "correction", "set": {"start": "2022-03-01T06:00:00Z"},
          "reason": "A typing error.", "published_at": "2022-03-03T08:00:00Z"}],
    )  # fmt: skip
    found = notice(entries)
    [window] = found.windows
    assert [(one.kind, one.fields, one.after_resolved) for one in window.changes] == [
        ("revision", ("end",), False),
        ("correction", ("start",), True),
    ]
    assert as_json(found)["windows"][0]["changes"][0]["reason"] == "The log says so."
    text, markdown = _both(found)
    assert "    Revised 2022-03-01 12:00 UTC (end): The log says so.  [recorded later]\n" in text
    assert "    Corrected 2022-03-03 08:00 UTC (start): A typing error." in text
    assert "  - Revised 2022-03-01 12:00 UTC \\(end\\): The log says so." in markdown
    # The post of the correction says which entry and which field.
    assert "  v2, Impact window added: w, 2022-03-01 10:00 UTC: start\n" in text


def test_the_time_after_resolved_is_that_of_the_first_statement_then(incident: Batches) -> None:
    entries = incident(
        [OPENED, RESOLVED],
        [{**WINDOW, "published_at": "2022-03-05T08:00:00Z"}],
        [{"action": "withdraw-window", "window": "w", "reason": "Not ours.", "published_at": "2022-03-09T08:00:00Z"}],
    )  # fmt: skip
    found = notice(entries)
    assert found.windows[0].after_resolved_at == "2022-03-05T08:00:00.000000Z"
    text = as_text(found)
    assert "WITHDRAWN; stated after resolved, 2022-03-05 08:00 UTC" in text
    assert "    Withdrawn 2022-03-09 08:00 UTC: Not ours." in text


def test_a_window_for_a_cohort_with_tolerance_and_planned_times_says_so(incident: Batches) -> None:
    planned = {
        "announced_at": "2022-02-20T08:00:00Z",
        "scheduled_start": "2022-03-01T06:30:00Z",
        "scheduled_end": "2022-03-01T08:30:00Z",
    }
    entries = incident(
        [
            {**OPENED, "kind": "maintenance", "status": "scheduled",
             "scheduled_start": planned["scheduled_start"], "scheduled_end": planned["scheduled_end"]},
            {**WINDOW, "cohort": "gold", "start_within_seconds": 300, "planned": planned},
        ]
    )  # fmt: skip
    found = notice(entries)
    text = as_text(found)
    assert "Scheduled   2022-03-01 06:30 UTC to 2022-03-01 08:30 UTC" in text
    assert "only cohort gold; start within 300 s either way; planned for 2022-03-01 06:30 UTC to" in text
    assert "announced 2022-02-20 08:00 UTC" in text
    data = as_json(found)
    assert data["scheduled_start"] == "2022-03-01T06:30:00.000000Z"
    assert (data["windows"][0]["cohort"], data["windows"][0]["start_within_seconds"]) == ("gold", 300)
    assert data["windows"][0]["announced_at"] == "2022-02-20T08:00:00.000000Z"


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"action": "retitle", "title": "Mail lost"}, "Mail lost"),
        ({"action": "set-impact", "impact": "major"}, "major"),
        (
            {"action": "set-affected", "services": ["mail"], "components": ["flow"], "regions": ["EU", "US"]},
            "services mail; components flow; regions EU, US",
        ),
        ({"action": "link", "relation": "caused-by", "to": "other"}, "caused-by other"),
        (
            {"action": "record-measurement", "measurement": "lost", "service": "mail", "component": "flow", "region": "EU",
             "start": "2022-03-01T07:00:00Z", "end": "2022-03-01T09:00:00Z", "of": "messages", "total": 100, "failed": 7},
            "lost: 7 of 100 messages failed; 2022-03-01 07:00 UTC to 2022-03-01 09:00 UTC; mail, flow, EU",
        ),
        ({"action": "withdraw-update", "corrects": "v2", "reason": "No."}, "v2, Update, 2022-03-01 11:00 UTC"),
    ],
)  # fmt: skip
def test_a_post_without_words_says_what_it_changed(
    incident: Batches, action: dict[str, Any], says: str
) -> None:
    update = {"action": "update", "body": "Still.", "published_at": "2022-03-01T11:00:00Z"}
    other = {**OPENED, "incident": "other"}
    entries = incident([other], [OPENED, update], [{**action, "published_at": "2022-03-01T12:00:00Z"}])
    found = notice(entries)
    assert found.posts[0].says == says
    assert f"  {says}\n" in as_text(found)


def test_a_revision_to_false_or_nothing_is_shown(incident: Batches) -> None:
    entries = incident(
        [OPENED, {**WINDOW, "approximate": True, "cohort": "gold"}],
        [{"action": "revise-window", "window": "w", "approximate": False, "cohort": None, "reason": "Measured."}],
    )  # fmt: skip
    event = entry_json(entries[2])["event"]
    assert (event["approximate"], event["cohort"]) == (False, None)
    assert "internal" not in event
    text = show_text(entries[2], marks(entries)[3])
    assert "  approximate           no\n" in text
    assert "  cohort                nothing\n" in text


# ---- Markdown --------------------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    """Collects the text that a browser shows, and the elements it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.paragraphs: list[str] = []
        self.elements: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.add(tag)
        if tag in ("p", "h1"):
            self.paragraphs.append("")

    def handle_data(self, data: str) -> None:
        if self.paragraphs:
            self.paragraphs[-1] += data


def _rendered(markdown: str) -> _Reader:
    reader = _Reader()
    # A break shows its line end, which stands behind it in the HTML.
    reader.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))
    reader.paragraphs = [one.removesuffix("\n") for one in reader.paragraphs]
    return reader


_LETTERS = st.text(
    st.sampled_from("-=+*_#>~`|:.)(1 2ab\t\\&;<![]{}\"'$^%@/\u00a0\u2028") | st.characters(
        exclude_categories=("Cc", "Cs")
    ),
    max_size=30,
)  # fmt: skip


@given(st.lists(_LETTERS, max_size=6).map("\n".join))
@example("2022-03-29 14:00 UTC  Resolved\n---")
@example("- x\n1. y\n2) z\n===\n&lt; &amp; <b>\n    code\nend  \n\ttab")
@example("a\n:-:\nb\n| - |\n~~~\n```\n[x]: /y")
def test_markdown_shows_exactly_the_text_of_a_body(body: str) -> None:
    shown = _rendered(text_as_markdown(body))
    wanted: list[list[str]] = [[]]
    for line in body.split("\n"):
        if line:
            wanted[-1].append(line)
        elif wanted[-1]:
            wanted.append([])
    assert shown.paragraphs == ["\n".join(lines) for lines in wanted if lines]
    assert shown.elements <= {"p", "br"}


@given(_LETTERS.filter(bool), _LETTERS.filter(bool))
@example("1. x #", "two\nlines")
def test_markdown_shows_exactly_the_text_of_a_line(first: str, second: str) -> None:
    line = f"{first}\n{second}"
    shown = _rendered(f"# {line_as_markdown(line)}")
    assert shown.paragraphs == [line]
    assert shown.elements == {"h1"}
