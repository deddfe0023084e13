"""An incident with everything that is marked: ghosts of windows, erased texts, late, internal and withdrawn entries."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tools.terms import terms_2

if TYPE_CHECKING:
    from tests.page.conftest import Desk, Open, Opened

# Revisions of the incident: opened, two windows, a wrong update, window revised, retitled, update withdrawn, fixed,
# resolved, internal update published, corrected (both windows and the resolution), planned window added, window
# withdrawn, text erased, spelling.
LAST = 15


@pytest.fixture
def found(eventful: Desk, opened: Open) -> Opened:
    made = opened(eventful.page())
    assert made.outcome().startswith("Verified in this browser"), made.page.inner_text("#checks")
    assert made.page.locator("section.revision").count() == LAST
    return made


def at(found: Opened, number: int) -> Any:
    """Walk to a revision and return it."""
    found.page.evaluate("(number) => { location.hash = `#r${number}`; }", number)
    return found.page.locator(f"section#r{number}:visible")


def bars(found: Opened) -> dict[str, str]:
    """Return the state of each bar by what it says."""
    told: dict[str, str] = found.page.evaluate(
        """Object.fromEntries(Array.from(document.querySelectorAll(".bar"), (one) => [
             `${one.closest(".said-in").querySelector(".lane").firstChild.data.trim()} ${one.dataset.first}-${one.dataset.until || ""}`, one.dataset.state]))"""
    )
    return told


def test_what_was_said_before_stays_as_a_ghost(found: Opened) -> None:
    at(found, 4).wait_for()
    assert bars(found) == {
        "planned 12-": "future", "first 2-5": "now", "first 5-11": "future", "first 11-": "future", "second 3-11": "now",
        "second 11-13": "future", "second 13-": "future",
    }  # fmt: skip
    at(found, 5).wait_for()
    assert [bars(found)[name] for name in ("first 2-5", "first 5-11")] == ["ghost", "new"]
    at(found, 13).wait_for()
    assert bars(found) == {
        "planned 12-": "now", "first 2-5": "ghost", "first 5-11": "ghost", "first 11-": "now", "second 3-11": "ghost",
        "second 11-13": "ghost", "second 13-": "new",
    }  # fmt: skip
    # A ghost can be seen, one that was withdrawn says so, and the table says the same.
    page = found.page
    assert page.locator(".bar[data-state=ghost] rect.thin:visible").count() == 4
    assert "outage, withdrawn in r13" in page.locator(".bar.withdrawn .tag.full").text_content()  # type: ignore[operator]
    rows = [[cell.strip() for cell in row.all_text_contents()] for row in
            (one.locator("th, td") for one in page.locator("#windows tbody tr").all())]  # fmt: skip
    assert [(row[0], row[1], row[2], row[-2]) for row in rows] == [
        ("planned", "stands", "*", "r12 and since"),
        ("first", "superseded in r5", "EMEA", "r2 to r4"),
        ("first", "superseded in r11", "EMEA", "r5 to r10"),
        ("first", "stands", "NAM", "r11 and since"),
        ("second", "superseded in r11", "NAM", "r3 to r10"),
        ("second", "superseded in r13", "NAM", "r11 to r12"),
        ("second", "withdrawn now", "NAM", "r13 and since"),
    ]


TERMS = """format = 1
policy = "as-counted"
title = "Everything counts"
in_force_from = 2022-01-01
[period]
kind = "calendar-month"
zone = "UTC"
[counting]
effects = ["outage", "degraded", "delay"]
windows = "by-share"
planned = "excluded"
[[tiers]]
availability_at_least = "99.9"
credit_percent = "0"
[[tiers]]
availability_below = "99.9"
credit_percent = "12.5"
[credit]
of = "fee"
rounding = "half-up"
"""


def test_the_figures_are_those_of_the_command(eventful: Desk, opened: Open) -> None:
    """Downtime, availability and credit of every region at every revision are what `ledger replay --json` says.

    The terms are those of a file, and were never published; the bounds of shares are shown as bounds.
    """
    (eventful.folder / "terms.toml").write_text(TERMS, encoding="utf-8")
    options = ("--policy", str(eventful.folder / "terms.toml"))
    page = opened(eventful.page("mail", *options)).page
    told = [json.loads(line) for line in eventful("replay", "mail", *options, "--json").splitlines()]
    assert len(told) == LAST
    compared = bounds = 0
    for number, answer in enumerate(told, 1):
        section = page.locator(f"section#r{number}")
        for row in answer["consequences"]:
            card = section.locator(f".figure[data-region='{row['region']}'][data-period='{row['period']}']")
            assert card.locator(".value").text_content() == f"{row['downtime_seconds_after']:,} s"
            before = card.locator(".was del")
            if row["downtime_seconds_delta"]:
                assert before.text_content() == f"{row['downtime_seconds_before']:,} s"
            else:
                assert before.count() == 0
            for policy in row["policies"]:
                line = card.locator("tr[data-policy='as-counted']")
                for shown, name in (("availability", "availability"), ("credit", "credit_percent")):
                    least, most = policy[f"{name}_after_at_least"], policy[f"{name}_after_at_most"]
                    said = f"{least}%" if least == most else f"{least}% to {most}%"
                    text = line.locator(f".{shown}").text_content() or ""
                    assert text.removesuffix(" of the fee") == said
                    bounds += least != most
                compared += 1
            assert "not published" in card.inner_text() or not card.is_visible()
    assert compared >= LAST
    assert bounds


EXCLUDING = terms_2(
    "but-storms", title="Storms do not count", effects=("outage", "delay"), excluded=("force-majeure",)
)


def test_excluded_time_is_left_out_as_by_the_command(
    desk: Desk, opened: Open, added: Callable[..., dict[str, Any]]
) -> None:
    """An hour down, all of it in a storm: the page prices it as `ledger replay` does."""
    places = {"services": ["email"], "components": ["flow"], "regions": ["EMEA"]}
    desk.act(
        {"action": "open", "title": "Slow", "status": "investigating", **places},
        added("first", "16:00:00", "17:00:00"),
    )
    where = ("--service", "email", "--component", "*", "--region", "EMEA")
    hour = ("--start", "2022-03-14T15:00:00Z", "--end", "2022-03-14T18:00:00Z")
    desk(
        "sla",
        "exclude",
        "storm",
        "--actor",
        "ops",
        "--kind",
        "force-majeure",
        *where,
        *hour,
        "--approved-by",
        "desk",
        "--evidence",
        "a warning",
    )
    (desk.folder / "terms.toml").write_text(EXCLUDING, encoding="utf-8")
    options = ("--policy", str(desk.folder / "terms.toml"))
    policy = json.loads(desk("replay", "mail", *options, "--json").splitlines()[-1])["consequences"][0][
        "policies"
    ][0]
    assert (policy["availability_after_at_least"], policy["credit_percent_after_at_most"]) == (
        "100.000000000000",
        "0",
    )
    found = opened(desk.page("mail", *options))
    row = found.page.locator("#r2 tr[data-policy='but-storms']")
    assert row.locator(".availability").text_content() == f"{policy['availability_after_at_least']}%"
    assert (row.locator(".credit").text_content() or "").startswith("0%")
    assert found.page.locator("#r2 .figure .value").text_content() == "3,600 s"
    assert found.outcome().startswith("Verified in this browser")


def test_an_erased_text_says_by_whom_when_and_why(found: Opened) -> None:
    for number in (1, 14):
        post = at(found, number).locator("article.post", has=found.page.locator("[data-erased='1/body']"))
        assert post.locator("[data-erased]").inner_text() == "[erased]"
        assert "erased 2022-04-01 09:11 UTC (v17) by ops, as claimed: It named a person." in post.inner_text()
    assert "Anna" not in found.page.content()
    assert "1 erased" in found.page.inner_text("#checks")
    assert "Erased: body of v1." in found.page.locator("section#r14 .changes").inner_text()


def test_what_was_internal_is_told_from_when_it_was_published(found: Opened) -> None:
    assert "The queue of NAM is full." not in at(found, 9).inner_text()
    section = at(found, 10)
    assert "The queue of NAM is full." in section.inner_text()
    assert "Made public: v4, recorded 2022-04-01 09:04 UTC." in section.locator(".changes").inner_text()
    # Both entries are there to be checked: the one that was internal, and the one that published it.
    assert section.locator("[data-entry]").count() == 2


def test_what_is_still_internal_is_nowhere(eventful: Desk, opened: Open) -> None:
    eventful.act(
        {"action": "update", "internal": True, "body": "Nobody may read this.", "note": "And nobody this."}
    )
    eventful.act({"action": "update", "body": "More soon.", "note": "A note of ours."})
    made = opened(eventful.page())
    assert made.outcome().startswith("Verified in this browser")
    content = made.page.content()
    assert "Nobody may read this." not in content
    assert "A note of ours." not in content
    assert "1 entry of this incident is not public and not on this page." in made.page.inner_text("#proof")
    assert "1 kept back" in made.page.inner_text("#checks")


def test_a_note_stays_in_the_house_also_where_it_is_corrected(eventful: Desk, opened: Open) -> None:
    eventful.act({"action": "update", "ref": "noted", "body": "More soon.", "note": "A note of ours."})
    eventful.act(
        {"action": "correct", "corrects": "noted", "kind": "correction", "set": {"note": "Another note."}, "reason": "A slip."}
    )  # fmt: skip
    made = opened(eventful.page())
    assert made.outcome().startswith("Verified in this browser")
    assert "note of ours" not in made.page.content()
    assert "Another note" not in made.page.content()
    assert "2 kept back" in made.page.inner_text("#checks")


def test_the_bytes_of_an_entry_can_be_read(eventful: Desk, opened: Open) -> None:
    """What is shown is what `ledger show --raw` prints, and what was hashed."""
    made = opened(eventful.page())
    made.outcome()
    page = made.page
    page.click("#each > summary")
    for row in page.locator("#entries tbody tr").all()[:4]:
        row.locator("button").click()
        raw = eventful("show", "mail", f"v{row.get_attribute('data-version')}", "--raw")
        assert page.locator("#bytes").inner_text() == raw.strip()
        assert row.locator("button").get_attribute("aria-expanded") == "true"


def test_a_statement_that_was_withdrawn_is_gone_and_said_to_be(found: Opened) -> None:
    assert "It is over everywhere." in at(found, 6).inner_text()
    section = at(found, 7)
    assert "It is over everywhere." not in section.inner_text()
    assert "The statement v5 was withdrawn." in section.locator(".changes").inner_text()


def test_titles_and_corrections_are_marked_where_they_happened(found: Opened) -> None:
    title = at(found, 6).locator("h4.title")
    changed = [title.locator(tag).inner_text().strip() for tag in ("del", "ins")]
    assert changed == ["slow", "lost"]
    assert at(found, 5).locator("h4.title").inner_text() == "Mail is slow"
    post = at(found, 11).locator("article.post", has=found.page.locator("ins"))
    assert "Some mail was lost" in "".join(post.locator(".body").all_inner_texts())
    assert "corrected 2022-04-01 09:09" in post.first.inner_text()
    assert (
        at(found, 12).locator("article.post ins:visible").count() == 0
        or at(found, 12).locator(".post:not(.settled) ins").count() == 0
    )
    spelling = at(found, LAST)
    assert spelling.locator(".post:not(.settled) .body del").first.inner_text().strip() == ","
    assert "edited 2022-04-01 09:11" in spelling.inner_text()


def test_after_resolved_is_marked(found: Opened) -> None:
    marked = [
        number for number in range(1, LAST + 1)
        if found.page.locator(f"section#r{number} h2 .mark.after").count()
    ]  # fmt: skip
    assert marked == list(range(10, LAST + 1))
    assert [
        number for number in range(1, LAST + 1)
        if found.page.locator(f"section#r{number} h2 .mark.late").count()
    ] == [1]  # fmt: skip


def test_under_a_cut_the_page_ends_where_the_cut_does(eventful: Desk, opened: Open) -> None:
    made = opened(eventful.page("mail", "--recorded-by", "@7"))
    assert made.outcome().startswith("Verified in this browser")
    assert made.page.locator("section.revision").count() == 6
    assert "Mail is lost" in made.page.inner_text("h1") or "Mail is slow" in made.page.inner_text("h1")
    made = opened(eventful.page("mail", "--published-by", "2022-04-01T09:05:30Z"))
    assert "as the public had been told by 2022-04-01 09:05:30 UTC" in made.page.inner_text(".lede")
    assert "It is over." not in made.page.content()


def test_a_kept_checkpoint_bounds_the_page(eventful: Desk, opened: Open) -> None:
    eventful.sign()
    eventful(
        "checkpoint",
        "--key-file",
        str(eventful.folder / "main.key"),
        "-o",
        str(eventful.folder / "kept.checkpoint"),
    )
    eventful.act({"action": "update", "body": "Later than what was kept."})
    made = opened(eventful.page("mail", "--checkpoint", str(eventful.folder / "kept.checkpoint")))
    assert made.outcome().startswith("Verified in this browser")
    assert "The checkpoint is signed by page-test" in made.page.inner_text("#checks")
    assert "Later than what was kept." not in made.page.content()
    made.page.fill("#kept", (eventful.folder / "kept.checkpoint").read_text())
    assert made.page.inner_text("#compared").startswith("It is the root of this page")


def test_an_unsigned_page_says_that_nobody_vouches(found: Opened) -> None:
    assert "The checkpoint is not signed: whose ledger this is was not checked." in found.page.inner_text(
        "#checks"
    )
    found.quiet()


def test_only_months_in_which_something_counts_are_shown(
    desk: Desk, opened: Open, added: Callable[..., dict[str, Any]]
) -> None:
    """A window that stays open counts month by month; once it is withdrawn, they are told once as gone, and then no more."""
    places = {"services": ["email"], "components": ["flow"], "regions": ["EMEA", "NAM"]}
    desk.act({"action": "open", "title": "Slow", "status": "investigating", **places})
    desk.act({**added("wrong", "00:00:00", None), "start": "2021-11-05T00:00:00Z"})
    desk.act({"action": "withdraw-window", "window": "wrong", "reason": "It was a test."})
    desk.act({"action": "update", "body": "We look on."})
    desk.act(added("right", "16:00:00", "17:00:00", region="NAM"))
    found = opened(desk.page())
    assert found.outcome().startswith("Verified in this browser"), found.page.inner_text("#checks")
    months = [
        list(
            dict.fromkeys(
                one.get_attribute("data-period") for one in found.page.locator(f"#r{number} .figure").all()
            )
        )
        for number in range(1, 6)
    ]
    open_for = ["2021-11", "2021-12", "2022-01", "2022-02", "2022-03", "2022-04"]
    assert months == [[], open_for, open_for, [], ["2022-03"]]
    assert "No impact window counts in any month by then." in (found.page.text_content("#r4 .figures") or "")
    # In a month that counts, a region of which nothing was said shows that it was not down.
    assert found.page.locator("#r5 .figure .value").all_text_contents() == ["0 s", "3,600 s"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_recorded_the_page_tells_it_as_its_entries_do(
    desk: Desk, opened: Open, added: Callable[..., dict[str, Any]], seed: int
) -> None:
    """Random acts, late, internal, corrected, withdrawn and published, under three cuts: what the projections say of them
    and what the browser makes of their bytes is the same, or the page would say that it fails.
    """
    chance = random.Random(seed)
    desk.act({"action": "open", "title": "Slow", "status": "investigating", "services": ["email"], "components": ["flow"], "regions": ["EMEA", "NAM"], "body": "One.\nTwo."})  # fmt: skip
    for _ in range(30):
        act = chance.choice(ACTS)(chance)
        if act["action"] == "add-window":
            act = {
                **added(act["window"], f"0{chance.randrange(8)}:00:00", chance.choice([None, "11:30:00"])),
                **act,
            }
        manner = chance.randrange(6)
        if manner == 0 and act["action"] != "publish":
            act["internal"] = True
        elif manner == 1:
            act["published_at"] = f"2022-04-01T0{chance.randrange(7, 10)}:00:00Z"
        with contextlib.suppress(AssertionError):  # the ledger refuses what makes no sense
            desk.act(act)
    for cut in ((), ("--published-by", "2022-04-01T09:15:00Z"), ("--recorded-by", "@9")):
        found = opened(desk.page("mail", *cut))
        assert found.outcome().startswith("Verified in this browser"), found.page.inner_text("#checks")


def _some(chance: random.Random) -> str:
    return f"v{chance.randrange(1, 12)}"


ACTS: list[Callable[[random.Random], dict[str, Any]]] = [
    lambda chance: {"action": "update", "body": f"Word {chance.randrange(9)}."},
    lambda chance: {"action": "add-window", "window": f"w{chance.randrange(3)}", "region": chance.choice(["EMEA", "NAM", "*", "unknown"]), "approximate": chance.random() < 0.3},
    lambda chance: {"action": "revise-window", "window": f"w{chance.randrange(3)}", "reason": "Logs.", **chance.choice([{"end": "2022-03-14T12:00:00Z"}, {"end": None}, {"region": "NAM"}, {"effect": "delay", "share_at_most": "0.25", "share_of": "users"}, {"start_within_seconds": 300}])},
    lambda chance: {"action": "withdraw-window", "window": f"w{chance.randrange(3)}", "reason": "Never so."},
    lambda chance: chance.choice([{"action": "resolve", "body": "Over."}, {"action": "reopen", "reason": "It is back."}]),
    lambda chance: {"action": "deploy-fix", "at": "2022-03-14T12:00:30Z", "body": "Fixed."},
    lambda chance: {"action": "retitle", "title": f"Title {chance.randrange(3)}"},
    lambda chance: {"action": "set-affected", "services": ["email"], "components": ["flow"], "regions": ["EMEA", "NAM", "APAC"]},
    lambda chance: {"action": "set-impact", "impact": chance.choice(["minor", "major"])},
    lambda chance: {"action": "correct", "corrects": _some(chance), "kind": "correction", "reason": "Wrong.", "set": chance.choice([{"body": "One.\nTwo and a half."}, {"title": "Other"}, {"region": "EMEA"}, {"at": "2022-03-14T13:00:00Z"}, {"end": "2022-03-14T14:00:00Z"}, {"reason": "Other."}])},
    lambda chance: {"action": "withdraw-update", "corrects": _some(chance), "reason": "Not so."},
    lambda chance: {"action": "publish", "publishes": _some(chance)},
    lambda chance: {"action": "redact", "entry": _some(chance), "fields": [chance.choice(["body", "reason", "title", "actor"])], "reason": "Private."},
]  # fmt: skip
