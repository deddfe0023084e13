"""What can be said of a page without a browser: what it holds, how it is drawn, and when it is refused."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.window import Window
from ledger.proof.checkpoint import read_checkpoint
from ledger.proof.merkle import check_inclusion, leaf_of
from ledger.proof.note import key_of, verify_note
from projections.page import _json as embedded
from projections.page_figures import duration
from projections.page_states import WindowState, window_states
from projections.page_texts import visible
from projections.page_timeline import Timeline, timeline

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Desk

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


class Elements(HTMLParser):
    """The script and style elements of a page, and the content of its policy."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str | None, str]] = []
        self.policy = ""
        self._open: tuple[str, str | None] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "style"):
            self._open = tag, given.get("type")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.found.append((*self._open, data))

    def handle_endtag(self, tag: str) -> None:
        self._open = None


def test_the_policy_allows_exactly_what_the_page_brings(march: Path) -> None:
    page = Elements(march.read_text(encoding="utf-8"))
    assert [(tag, kind) for tag, kind, _ in page.found] == [
        ("style", None), ("script", "application/json"), ("script", None)
    ]  # fmt: skip
    style, _, program = (
        f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for _, _, text in page.found
    )
    assert page.policy == (
        f"default-src 'none'; script-src {program}; style-src {style}; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'"
    )


def test_what_is_embedded_proves_what_it_says(march: Path) -> None:
    """The same checks as those in the browser, by the ledger's own proof code."""
    page = Elements(march.read_text(encoding="utf-8"))
    data = json.loads(next(text for _, kind, text in page.found if kind))
    checkpoint, note = read_checkpoint(data["checkpoint"].encode())
    assert note is not None
    assert verify_note(note, [key_of(vkey) for vkey in data["vkeys"]])
    assert len(data["entries"]) == 10
    texts = 0
    for one in data["entries"]:
        entry = b64decode(one["bytes"])
        path = [b64decode(found) for found in one["path"]]
        check_inclusion(leaf_of(entry), one["position"] - 1, checkpoint.size, path, checkpoint.root)
        header = json.loads(entry)["header"]
        assert (header["position"], header["version"]) == (one["position"], one["version"])
        for salt, value in one["texts"].values():
            assert sha256(bytes.fromhex(salt) + value.encode()).hexdigest().encode() in entry
            texts += 1
        assert "note" not in one["texts"]
    assert texts == 21


@given(TEXTS)
def test_named_characters_are_the_text_itself(text: str) -> None:
    """Nothing is lost or added: the runs, and the code points of what is named, are the text."""
    assert "".join(run.text or chr(int(run.code, 16)) for run in visible(text)) == text
    assert not any(
        letter in run.text for run in visible(text) for letter in "\u202a\u202e\u2066\u200f\u061c\u2028\ufeff"
    )


@given(st.dictionaries(TEXTS, st.lists(TEXTS) | TEXTS))
def test_embedded_data_are_plain_and_come_back_whole(value: dict[str, object]) -> None:
    text = embedded(value)
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


HOURS = st.integers(0, 400)


@st.composite
def states(draw: st.DrawFn) -> list[WindowState]:
    """Return windows of three regions, some open, some revised, as `window_states` orders them."""
    found = []
    for at in range(draw(st.integers(1, 6))):
        start = draw(HOURS) * 3_600
        hours = draw(st.none() | HOURS)
        end = None if hours is None else start + 60 + hours * 60
        within = draw(st.sampled_from([0, 60, 3_600]))
        window = Window(
            "mail", f"w{at % 3}", "email", "flow", draw(st.sampled_from(["EMEA", "NAM", "*"])), start, end, "outage",
            start_within_seconds=within, end_within_seconds=0 if end is None else within,
        )  # fmt: skip
        first = draw(st.integers(1, 5))
        found.append(WindowState(window, first, draw(st.none() | st.integers(first + 1, 9))))
    return sorted(found, key=lambda one: (one.window.region, one.window.start, one.window.window, one.first))


def share(text: str) -> int:
    """Return a percentage of the drawing in thousandths."""
    assert text.endswith("%")
    whole, _, part = text[:-1].partition(".")
    assert len(part) == 3
    return int(whole) * 1_000 + int(part)


@given(states())
def test_every_state_is_drawn_to_scale_within_the_drawing(found: list[WindowState]) -> None:
    drawn = timeline(found)
    assert isinstance(drawn, Timeline)
    bars = [bar for region in drawn.regions for lane in region.lanes for bar in lane.bars]
    assert len(bars) == len(found)
    closed = [bar for bar in bars if bar.state.window.end is not None]
    for bar in bars:
        assert 0 <= share(bar.start) <= share(bar.start) + share(bar.width) <= 100_000
        assert 0 < bar.y < drawn.height
        assert 0 < bar.ghost_y < drawn.height
        if bar.state.window.end is None:
            assert share(bar.start) + share(bar.width) == 100_000
    for one in closed:
        for other in closed:
            longer = _seconds(one) - _seconds(other)
            # A place is rounded down to a thousandth, so a length is right to one of them.
            assert (share(one.width) - share(other.width)) * longer >= -abs(longer)
    assert all(2_000 <= share(tick.at) <= 98_000 for tick in drawn.ticks)
    assert len(drawn.ticks) <= 12


def _seconds(bar: object) -> int:
    window = bar.state.window  # type: ignore[attr-defined]
    return int(window.end - window.start)


def test_no_window_makes_no_drawing() -> None:
    assert timeline([]) is None
    assert window_states([]) == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "none"), (1, "1 s"), (60, "1 min"), (28_740, "7 h 59 min"), (90_061, "25 h 1 min 1 s")],
)
def test_durations_round_nothing(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_an_incident_without_windows_or_policies_has_a_page(desk: Desk) -> None:
    desk.act({"action": "open", "title": "Nothing known yet", "status": "investigating"})
    page = desk.page().read_text(encoding="utf-8")
    assert "<svg" not in page
    assert "No service and region is named, so there is nothing to count." in page


def test_erased_and_internal_texts_are_in_no_byte_of_the_page(eventful: Desk) -> None:
    eventful.act({"action": "update", "internal": True, "body": "Not said to anybody."})
    page = eventful.page().read_bytes()
    for text in (b"Anna Example", b"Not said to anybody"):
        assert text not in page
        assert b64encode(text)[:-3] not in page


def test_a_page_is_the_same_on_any_day(eventful: Desk) -> None:
    first = eventful.page(name="first.html").read_bytes()
    assert eventful.page(name="second.html").read_bytes() == first


def test_what_was_written_is_told_to_programs(eventful: Desk) -> None:
    eventful.sign()
    file = eventful.folder / "page.html"
    told = json.loads(
        eventful(
            "replay", "mail", "--html", str(file), "--key-file", str(eventful.folder / "main.key"), "--json"
        )
    )
    verified = json.loads(eventful("verify", "--json"))
    assert told == {
        "file": str(file), "sha256": sha256(file.read_bytes()).hexdigest(), "size": verified["size"],
        "root": verified["root"], "signed": True,
    }  # fmt: skip
