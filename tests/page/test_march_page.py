"""The incident of March 2022 as an auditor opens it: every figure, the change, the clocks and the proofs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import Desk, Open

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
LAST = 6
# Before the correction of 30 March, which is the last revision, and after it.
SIDES = {LAST - 1: "before", LAST: "after"}


@pytest.fixture
def figures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLE / "expected" / "figures.json").read_text(encoding="utf-8"))
    return found


def visible(page: Page) -> Any:
    """Return the one revision that is shown."""
    shown = page.locator("section.revision:visible")
    assert shown.count() == 1
    return shown


def test_every_figure_is_that_of_the_independent_calculation(
    march: Path, opened: Open, figures: dict[str, Any]
) -> None:
    found = opened(march)
    page = found.page
    for number, side in SIDES.items():
        page.goto(f"{found.url}#r{number}")
        page.reload()
        section = visible(page)
        for region, expected in figures["regions"].items():
            card = section.locator(f".figure[data-region='{region}']")
            assert card.locator(".value").inner_text() == f"{expected[side]['downtime_seconds']:,} s"
            for policy, subscriber in (
                ("email-standard", {"EMEA": "aurora-emea", "NAM": "aurora-nam"}),
                ("email-by-share", {"EMEA": "ember-emea", "NAM": "ember-nam"}),
                ("email-five-percent", {"EMEA": "fjord-emea", "NAM": "harbor-nam"}),
            ):
                credit = figures["subscriptions"][subscriber[region]][side]
                least, most = credit["availability_at_least"], credit["availability_at_most"]
                row = card.locator(f"tr[data-policy='{policy}']")
                said = f"{least}%" if least == most else f"{least}% to {most}%"
                assert row.locator(".availability").inner_text() == said
                assert row.locator(".credit").inner_text().split("%")[0] == credit["credit_percent"]
        totals = {
            row.get_attribute("data-currency"): row.locator(".credit").inner_text().split("\n")
            for row in section.locator(".totals tbody tr").all()
        }
        assert totals == {
            currency: [total[side], *([f"before: {total['before']}"] if side == "after" else [])]
            for currency, total in figures["totals"].items()
        }
    assert figures["regions"]["EMEA"]["after"]["availability"] == "97.851702508961"


def test_the_proofs_are_checked_in_the_browser(march: Path, opened: Open) -> None:
    found = opened(march)
    assert found.outcome().startswith("Verified in this browser")
    checks = found.page.inner_text("#checks")
    assert (
        "All 10 entries on this page, hashed again, are among the first 15 of the ledger page-test" in checks
    )
    assert "texts that are here fit what their entries committed to; 10 kept back" in checks
    assert "The checkpoint is signed by page-test" in checks
    assert "Hashed with WebCrypto." in checks
    assert found.page.locator("#entries td.included").all_text_contents() == ["yes"] * 10
    found.quiet()


def test_without_web_crypto_the_page_hashes_by_itself(march: Path, opened: Open) -> None:
    found = opened(march, before="Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });")
    assert found.outcome().startswith("Verified in this browser")
    checks = found.page.inner_text("#checks")
    assert "hashed with the SHA-256 that the page brings" in checks
    assert "was not checked in the page, as this browser knows no Ed25519" in checks
    found.quiet()


def test_the_correction_is_marked_in_words(march: Path, opened: Open) -> None:
    page = opened(march).page
    post = page.locator(
        "section.revision:visible article.post", has=page.locator("h5", has_text=re.compile("^Resolved"))
    )
    assert "changed in r6" in post.locator("h5").inner_text()
    assert "Besides" in "".join(post.locator("ins").all_text_contents())
    assert "was affected" in "".join(post.locator("del").all_text_contents())
    facts = page.locator("section.revision:visible .facts")
    assert facts.locator("div.moved").inner_text().split("\n")[0] == "Regions"
    page.keyboard.press("ArrowLeft")
    before = page.locator(
        "section.revision:visible article.post", has=page.locator("h5", has_text="Resolved")
    )
    assert before.locator("ins").count() == 0
    assert "Besides" not in before.inner_text()


def test_both_clocks_and_the_marks(march: Path, opened: Open) -> None:
    """The example is recorded later than it was published, and the correction came after "resolved"."""
    page = opened(march).page
    section = visible(page)
    assert section.locator(".clocks").inner_text().split("\n") == [
        "Published", "2022-03-30 16:52 UTC", "Recorded", section.locator(".clocks dd").nth(1).inner_text()
    ]  # fmt: skip
    assert section.locator("h2 .mark").all_inner_texts() == ["recorded later", "after resolved"]
    assert "status-desk (as claimed)" in section.locator(".said li").first.inner_text()
    assert "because Mail held in quarantine was lost too" in section.locator(".said li").last.inner_text()
    page.keyboard.press("Home")
    assert visible(page).locator("h2 .mark").all_inner_texts() == ["recorded later"]


def test_what_you_kept_can_be_compared(march: Path, opened: Open) -> None:
    found = opened(march)
    found.outcome()
    page = found.page
    checkpoint = page.inner_text(".checkpoint")
    root = re.search(r"root ([0-9a-f]{64})", page.inner_text("#checks"))
    assert root is not None
    for kept, answer in (
        (checkpoint, "It is the root of this page"),
        (checkpoint.split("\n")[2], "It is the root of this page"),
        (root[1], "It is the root of this page"),
        (f"0{root[1][1:]}" if root[1][0] != "0" else f"1{root[1][1:]}", "It is not the root of this page"),
        (checkpoint.replace("\n15\n", "\n14\n"), "That checkpoint is of 14 entries, this page of 15"),
        (checkpoint.replace("page-test", "other", 1), "That is a checkpoint of another ledger, other"),
        ("nonsense", "This is neither a root nor a checkpoint"),
    ):
        page.fill("#kept", kept)
        assert page.inner_text("#compared").startswith(answer), kept
    found.quiet()


def test_the_drawing_is_to_scale(march: Path, opened: Open) -> None:
    """Bars are as long as their windows, on one axis, and do not move from revision to revision."""
    page = opened(march).page
    widths = page.evaluate(
        "Array.from(document.querySelectorAll('.bar .full:first-child'), (one) => one.getBoundingClientRect().width)"
    )
    assert [round(width / widths[0], 2) for width in widths] == [
        1.0,
        round(28_800 / 28_740, 2),
        round(27_000 / 28_740, 2),
    ]
    states = "Array.from(document.querySelectorAll('.bar'), (one) => one.dataset.state)"
    assert page.evaluate(states) == ["now", "new", "new"]
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(states) == ["now", "future", "future"]
    assert not page.is_visible("#unsaid")
    page.keyboard.press("Home")
    assert page.evaluate(states) == ["future", "future", "future"]
    assert page.inner_text("#unsaid") == "No impact window had been said by this revision."


def test_the_address_names_the_revision(march: Path, opened: Open) -> None:
    found = opened(march, hash_="#r3")
    assert visible(found.page).get_attribute("id") == "r3"
    found.page.keyboard.press("ArrowRight")
    assert found.page.url.endswith("#r4")
    found.page.evaluate("location.hash = '#r2'")
    found.page.wait_for_selector("section#r2:visible")


def test_the_same_inputs_give_the_same_bytes(march: Path, march_desk: Desk) -> None:
    again = march_desk.page("email-2022-03", "--amounts", name="again.html")
    assert again.read_bytes() == march.read_bytes()
