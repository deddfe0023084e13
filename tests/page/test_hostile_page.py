"""An incident written by somebody who wants the page to do something: nothing of it runs, and all of it can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Desk, Open

# Each would leave a trace in window.ran, or ask for something, if anything in it were obeyed.
SCRIPTS = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    '"><img src="https://example.invalid/x" onerror="window.ran = 3">',
    "'><svg onload=window.ran=4>",
    "<!--<script>window.ran = 5</script>",
    "]]><style>body { display: none }</style>",
    "{{ 7 * 7 }} {% raw %} {# gone #} ${window.ran = 6} `",
    "[click](javascript:window.ran=7) <javascript:window.ran=8>",
    "javascript:window.ran=9",
    "&lt;script&gt; &quot; &#0; \\u003cscript\\u003e",
    "<iframe srcdoc='<script>parent.ran = 10</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid/'>",
    "<a href=javascript:window.ran=11 id=data name=data>data</a>",
    "<base href=https://example.invalid/>",
]
# Right-to-left marks, overrides and isolates; a separator that ended lines in old JavaScript; a tag, a joiner, an emoji.
TURNED = "abc \u202egnp.exe\u202c \u2067\u05e9\u05dc\u05d5\u05dd\u2069 \u200f\u200e \u061c \u2028next\u2029 \U000e0041 a\u200bb\ufeff \U0001f469\u200d\U0001f469 e\u0301"
LONG = (
    "<script>window.ran = 12</script> \u202e"
    + "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd " * 200
    + "x" * 3_000
    + " word" * 5_000
)[:25_000]


@pytest.fixture
def hostile(desk: Desk) -> Path:
    everything = " ".join(SCRIPTS)
    places: dict[str, Any] = {
        "services": ['mail"><script>window.ran = 20</script>'],
        "components": ["<b>flow</b> \u202eevil"],
        "regions": ["EMEA' onmouseover='window.ran=21", "\u202eMAN"],
    }
    desk.act(
        {
            "action": "open", "ref": "open", "title": f"{SCRIPTS[1]} {TURNED[:8]}", "status": "investigating", **places,
            "body": everything, "source": "javascript:window.ran=13", "actor": SCRIPTS[0],
        },
        *(
            {"action": "update", "body": f"{script} {TURNED}", "body_format": "markdown", "reason": script, "source": script}
            for script in SCRIPTS
        ),
        {"action": "update", "ref": "long", "body": LONG},
    )  # fmt: skip
    for at, region in enumerate([*places["regions"], "*", "unknown"]):
        desk.act(
            {
                "action": "add-window", "window": f"w{at}", "service": places["services"][0], "component": places["components"][0],
                "region": region, "effect": "outage", "start": f"2022-03-14T0{at}:00:00Z", "end": f"2022-03-14T1{at}:00:00Z",
                "quote": SCRIPTS[at],
            }
        )  # fmt: skip
    desk.act({"action": "resolve", "body": "Over."})
    desk.act(
        {
            "action": "correct", "corrects": "long", "kind": "correction", "reason": SCRIPTS[1],
            "set": {"body": f"{LONG[:20_000]} {SCRIPTS[0]} {LONG[20_000:]}"[:25_000]},
        },
        {"action": "retitle", "title": f"{SCRIPTS[2]} \u202eeltit"},
        {"action": "redact", "entry": "open", "fields": ["body", "actor"], "reason": SCRIPTS[4], "actor": SCRIPTS[2]},
    )  # fmt: skip
    desk.sign()
    return desk.page()


def test_nothing_in_a_text_runs(hostile: Path, opened: Open) -> None:
    found = opened(hostile)
    page = found.page
    assert found.outcome().startswith("Verified in this browser"), page.inner_text("#checks")
    for _ in range(page.locator(".rail li").count()):
        page.keyboard.press("ArrowLeft")
        for element in page.locator(".figure:visible, .post:visible").all()[:3]:
            element.hover()
    page.keyboard.press("End")
    page.emulate_media(media="print")
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.scripts.length") == 2
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, base, form').length") == 0
    )
    # No link leads anywhere but within the page.
    links = page.evaluate("Array.from(document.links, (link) => link.getAttribute('href'))")
    assert links
    assert all(link.startswith("#") for link in links)
    # No attribute holds code, and no name of theirs hides one of ours.
    assert not page.evaluate(
        "Array.from(document.querySelectorAll('*')).some((one) => one.getAttributeNames().some((name) => name.startsWith('on') || name === 'style'))"
    )
    assert page.evaluate("document.querySelectorAll('#data').length") == 1
    found.quiet()


def test_texts_are_read_as_they_were_written(hostile: Path, opened: Open) -> None:
    page = opened(hostile).page
    shown = page.locator("h1").text_content()
    assert shown is not None
    assert shown.startswith(SCRIPTS[2])
    page.keyboard.press("Home")
    first = page.locator("section#r1 .posts article").last
    assert first.locator("[data-erased]").all_inner_texts() == ["[erased]"]
    assert f"by {SCRIPTS[2]}, as claimed: {SCRIPTS[4]}" in first.inner_text()
    page.keyboard.press("ArrowRight")
    assert (
        f"{SCRIPTS[0]} abc RLOgnp.exePDF RLI\u05e9\u05dc\u05d5\u05ddPDI"
        in page.locator("section#r2 .body").first.inner_text()
    )
    # The source is a text, whatever it looks like.
    assert "javascript:window.ran=13" in page.locator("section#r1 .said").text_content()  # type: ignore[operator]


def test_a_text_cannot_turn_what_stands_beside_it(hostile: Path, opened: Open) -> None:
    """Characters that turn others around are named, not obeyed, and every text is isolated."""
    page = opened(hostile).page
    turning = "/[\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c]/"
    assert not page.evaluate(f"{turning}.test(document.body.innerText.replace(/\\{{.*\\}}/s, ''))")
    assert not page.evaluate(
        f"Array.from(document.querySelectorAll('body *:not(script)')).some((one) => Array.from(one.childNodes).some((node) => node.nodeType === 3 && {turning}.test(node.data)))"
    )
    assert page.evaluate(
        "Array.from(document.querySelectorAll('[data-text]')).every((one) => getComputedStyle(one).unicodeBidi.startsWith('isolate'))"
    )


@pytest.mark.parametrize("width", [360, 1400])
def test_a_long_text_stays_usable(hostile: Path, opened: Open, width: int) -> None:
    """25,000 characters scroll in a box of their own, which the keyboard reaches; nothing is wider than the screen."""
    page = opened(hostile, viewport={"width": width, "height": 800}).page
    for _ in range(page.locator(".rail li").count()):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    boxes = page.locator(".long:visible")
    assert boxes.count() >= 1
    for box in boxes.all():
        assert box.bounding_box()["height"] <= 450  # type: ignore[index]
        assert box.get_attribute("tabindex") == "0"
    before = page.url
    boxes.first.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.url == before  # the keys are the box's while it has the focus


def test_a_long_text_opens_where_it_changed(hostile: Path, opened: Open) -> None:
    page = opened(hostile, hash_="#r22").page
    box = page.locator("section#r22 .post:not(.settled) .long:visible")
    inside = """(box) => { const frame = box.getBoundingClientRect(), change = box.querySelector("ins, del").getBoundingClientRect();
      return box.scrollTop > 0 && change.top >= frame.top && change.top < frame.bottom; }"""
    assert box.evaluate(inside)


def test_the_data_cannot_leave_its_element(hostile: Path) -> None:
    """Whatever is embedded, the page holds two script elements, plain ASCII data, and the policy that was meant."""
    content = hostile.read_text(encoding="utf-8")
    data = content.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    assert data.isascii()
    assert not set("<>&\u2028\u2029") & set(data)
    assert content.count("<script") == content.count("</script>") == 2
    assert content.count("<style") == 1
    policy = content.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_policy_stops_a_script_that_got_in_all_the_same(
    march: Path, tmp_path: Path, opened: Open
) -> None:
    """Were the escaping wrong one day, the policy would be a second wall."""
    broken = tmp_path / "broken.html"
    content = march.read_text(encoding="utf-8")
    evil = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><style>body { display: none }</style>"
    broken.write_text(content.replace("<h1", f"{evil}<h1"), encoding="utf-8")
    found = opened(broken)
    found.outcome()
    assert found.page.evaluate("window.ran") is None
    assert found.page.is_visible("h1")
    assert found.requests == [found.url]
    assert len(found.complaints) >= 3
