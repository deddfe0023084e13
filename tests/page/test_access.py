"""Everybody can use the page: with a keyboard, a screen reader, little room, in the dark, on paper, without programs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Desk, Open

# Text of at least 24 px, or bold of 18.66 px, counts as large (WCAG 2.2, 1.4.3).
CONTRASTS = """() => {
  const channel = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = numbers(getComputedStyle(one).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *:not(script)")) {
    const own = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element), drawn = element instanceof SVGElement;
    let under = ground(element);
    // Words within a bar stand on its colour.
    const bar = drawn && element.closest(".within.full, .arrow.full") && element.closest(".bar:not(.withdrawn)");
    if (bar) under = numbers(getComputedStyle(bar.querySelector("rect.full")).fill);
    const one = light(numbers(drawn ? style.fill : style.color)), other = light(under);
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push([element.outerHTML.slice(0, 90), ratio.toFixed(2)]);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["march", "eventful"])
def test_every_text_stands_out_from_its_ground(
    request: pytest.FixtureRequest, opened: Open, scheme: str, which: str
) -> None:
    made = request.getfixturevalue(which)
    page = opened(made if which == "march" else made.page(), color_scheme=scheme).page
    page.wait_for_selector("#outcome.good")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for _ in range(page.locator(".rail li").count()):
        assert page.evaluate(CONTRASTS) == [], page.url
        page.keyboard.press("ArrowLeft")


def tree(page: Any) -> list[dict[str, Any]]:
    """Return what a screen reader is told: role, name and properties of each node that is not ignored."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        {
            "role": node["role"]["value"],
            "name": node.get("name", {}).get("value", ""),
            **{one["name"]: one["value"].get("value") for one in node.get("properties", [])},
            **({"value": node["value"]["value"]} if "value" in node else {}),
        }
        for node in nodes
        if not node.get("ignored") and "role" in node
    ]


def test_a_screen_reader_is_told_everything(march: Path, opened: Open) -> None:
    page = opened(march).page
    page.wait_for_selector("#outcome.good")
    nodes = tree(page)

    def named(role: str) -> list[str]:
        return [node["name"] for node in nodes if node["role"] == role]

    assert named("slider") == ["Revision"]
    # The number of its place says little; what is read out is the revision.
    spoken = page.locator("#slider").get_attribute("aria-valuetext")
    assert spoken == "Revision 6, 6 of 6, published 2022-03-30 16:52 UTC"
    assert named("button") == [
        "First revision",
        "Earlier revision",
        "Later revision",
        "Last revision",
        "Check again",
    ]
    assert named("navigation") == ["Revisions"]
    assert len(named("main")) == 1
    assert named("image") == [
        "Impact windows from 2022-03-14 15:11:15 UTC to 2022-03-16 01:18:45 UTC, drawn to scale; the table below says the same"
    ]
    assert "Checkpoint or root" in named("textbox")
    assert {"Impact windows", "Revision 6 recorded later after resolved", "Proof"} <= set(named("region"))
    # Every table says what it is about, and every cell of a head is one.
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate(
        "Array.from(document.querySelectorAll('table')).every((one) => one.querySelectorAll('thead th[scope=col]').length && one.querySelectorAll('tbody th[scope=row]').length)"
    )
    assert all(
        node["name"] for node in nodes if node["role"] in ("link", "button", "slider", "image", "region")
    )


def test_headings_leave_out_no_level(march: Path, opened: Open) -> None:
    page = opened(march).page
    levels = page.evaluate(
        "Array.from(document.querySelectorAll('h1, h2, h3, h4, h5, h6')).filter((one) => one.checkVisibility()).map((one) => Number(one.localName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def test_the_keyboard_walks_the_revisions_and_says_what_changed(march: Path, opened: Open) -> None:
    found = opened(march)
    page = found.page
    assert page.inner_text("#live") == ""  # nothing is said before somebody asks
    for key, number in (
        ("Home", 1), ("ArrowLeft", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("End", 6), ("ArrowRight", 6), ("ArrowLeft", 5),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert page.locator("section.revision:visible").get_attribute("id") == f"r{number}"
        assert page.locator("#slider").input_value() == str(number - 1)
        assert page.locator(".rail a[aria-current]").get_attribute("href") == f"#r{number}"
        assert page.locator("#live").text_content().startswith(f"Revision {number}, {number} of 6. ")  # type: ignore[union-attr]
    page.keyboard.press("End")
    said = page.locator("#live").text_content()
    assert said is not None
    assert "Downtime of email-security in NAM, 2022-03: 0 s → 27,000 s." in said
    assert "EMEA, 2022-03: 57,540 s downtime." in said
    # The slider's own keys do the same.
    page.focus("#slider")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.locator("section.revision:visible").get_attribute("id") == "r4"
    # What asks for something else is left alone.
    page.focus("#next")
    page.keyboard.press("Shift+ArrowLeft")
    page.fill("#kept", "abc")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.locator("section.revision:visible").get_attribute("id") == "r4"
    found.quiet()


def test_the_focus_goes_through_the_page_in_its_order(march: Path, opened: Open) -> None:
    page = opened(march).page
    page.wait_for_selector("#outcome.good")
    order = []
    for _ in range(40):
        page.keyboard.press("Tab")
        order.append(
            page.evaluate(
                "(() => { const one = document.activeElement; return one.id || one.className || one.getAttribute('href') || one.localName; })()"
            )
        )
        if order[-1] in ("body", "checkpoint"):
            break
    assert order == [
        "skip", "verdict", "first", "previous", "slider", "next", "last", *(f"#r{at}" for at in range(1, 7)), "summary", "again",
        "summary", "kept", "checkpoint",
    ]  # fmt: skip
    # Where the focus is can be seen.
    page.focus("#slider")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("width", [320, 360, 768, 1400])
@pytest.mark.parametrize("which", ["march", "eventful"])
def test_nothing_is_wider_than_the_screen(
    request: pytest.FixtureRequest, opened: Open, width: int, which: str
) -> None:
    made = request.getfixturevalue(which)
    page = opened(made if which == "march" else made.page(), viewport={"width": width, "height": 900}).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for _ in range(page.locator(".rail li").count()):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        page.keyboard.press("ArrowLeft")
    # What a finger has to hit is large enough (WCAG 2.2, 2.5.8).
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


@pytest.mark.parametrize("width", [360, 1400])
def test_no_label_of_the_drawing_covers_another(eventful: Desk, opened: Open, width: int) -> None:
    page = opened(eventful.page(), viewport={"width": width, "height": 900}).page
    overlaps = """() => {
      const boxes = Array.from(document.querySelectorAll("#drawing text")).filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.textContent.trim())
        .map((one) => [one.textContent, one.getBoundingClientRect()]).filter(([, box]) => box.width);
      const frame = document.querySelector("#drawing").getBoundingClientRect();
      const found = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1).map(([text]) => `${text} is cut off`);
      boxes.forEach(([text, box], at) => boxes.slice(at + 1).forEach(([other, beside]) => {
        if (box.left < beside.right - 1 && beside.left < box.right - 1 && box.top < beside.bottom - 4 && beside.top < box.bottom - 4) found.push(`${text} and ${other}`);
      }));
      return found;
    }"""
    for _ in range(page.locator(".rail li").count()):
        assert page.evaluate(overlaps) == [], page.url
        page.keyboard.press("ArrowLeft")


def test_on_paper_all_revisions_stand(march: Path, opened: Open) -> None:
    found = opened(march)
    page = found.page
    page.keyboard.press("Home")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("section.revision:visible").count() == 6
    assert page.locator(".controls:visible, .rail:visible").count() == 0
    # A drawing stands where windows changed, each as of its own revision, and one with all of it at the head.
    assert page.locator("section.revision .drawing:visible").count() == 2
    states = "(id) => Array.from(document.querySelectorAll(`#${id} .bar`), (one) => one.dataset.state)"
    assert page.evaluate(states, "r2") == ["new", "future", "future"]
    assert page.evaluate(states, "r6") == ["now", "new", "new"]
    # What stands unchanged is said to stand where it is printed.
    assert "r1 to r4" in page.locator("section#r6 .standing").inner_text()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("section.revision:visible").get_attribute("id") == "r1"
    assert page.locator("section.revision .drawing").count() == 0
    assert page.locator("details[open]").count() == 0
    found.quiet()


def test_without_programs_everything_is_there(march: Path, opened: Open) -> None:
    page = opened(march, java_script_enabled=False).page
    assert page.locator("section.revision").count() == 6
    assert all(one.is_visible() for one in page.locator("section.revision").all())
    assert "JavaScript is off" in page.inner_text("body")
    assert "Nothing was checked yet." in page.inner_text("#outcome")
    assert not page.locator("#controls").is_visible()
    assert page.locator(".standing").last.is_visible()


# Windows of minutes, hours, days, months and years, some open, so that an axis has each kind of step.
SPANS = {
    "minutes": ("2022-03-14T23:50:00Z", "2022-03-15T00:07:00Z"),
    "hours": ("2022-03-14T16:00:00Z", "2022-03-15T10:00:00Z"),
    "days": ("2022-02-26T00:00:00Z", "2022-03-07T12:00:00Z"),
    "months": ("2021-10-28T00:00:00Z", None),
    "years": ("2016-02-29T00:00:00Z", "2022-03-01T00:00:00Z"),
}
LABELS = """() => Array.from(document.querySelectorAll(".tick text"), (one) => one.getBoundingClientRect()).filter((one) => one.width)
  .map((one) => [one.left, one.right, one.top, one.bottom])"""


def test_labels_of_the_axis_stand_apart(march: Path, desk: Desk, opened: Open) -> None:
    """None overlaps another, or is cut off, on a wide screen, on a narrow one, and where the layout changes."""
    pages = [march]
    for key, (start, end) in SPANS.items():
        desk.act(
            {"incident": key, "action": "open", "title": key, "status": "investigating", "services": ["email"], "components": ["flow"], "regions": ["EMEA"]},
            {
                "incident": key, "action": "add-window", "window": "first", "service": "email", "component": "flow", "region": "EMEA",
                "effect": "outage", "start": start, **({} if end is None else {"end": end}),
            },
        )  # fmt: skip
        pages.append(desk.page(key, name=f"{key}.html"))
    for file in pages:
        page = opened(file).page
        for width in (1280, 961, 769, 400, 320):
            page.set_viewport_size({"width": width, "height": 900})
            labels = page.evaluate(LABELS)
            drawing = page.locator("#drawing").bounding_box()
            assert drawing is not None
            assert len(labels) >= (4 if width < 768 else 6), (file.name, width)
            for at, (left, right, top, bottom) in enumerate(labels):
                assert drawing["x"] <= left < right <= drawing["x"] + drawing["width"], (file.name, width)
                for other in labels[:at]:
                    assert right < other[0] or other[1] < left or bottom <= other[2] or other[3] <= top, (
                        file.name,
                        width,
                        at,
                    )
