"""Replay pages to open: ledgers made with a fixed clock, salts and key, and the machine's own Chromium to open them in."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ledger.cli import main
from ledger.cli.session import Session
from ledger.domain.instants import micros

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

START = micros("2022-04-01T09:00:00.000000Z")
EXAMPLE = Path(__file__).parents[2] / "examples" / "email_delivery_2022"
# The machine's browser asks nobody for anything: no updates, no accounts, no field trials.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Desk:
    """A ledger in a folder of its own, written to a minute at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._minutes = itertools.count()
        self._salts = (hashlib.sha256(str(at).encode()).digest()[:16] for at in itertools.count())

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        """Run a command and return what it prints."""
        now = START + next(self._minutes) * 60_000_000
        session = Session(
            lambda: now, lambda: next(self._salts), "page-test", lambda: hashlib.sha256(b"seed").digest()
        )
        words = ("--ledger", f"sqlite:///{self.folder / 'ledger.db'}", *words)
        done = CliRunner(env={"LEDGER_URL": None}).invoke(main, words, input=stdin, obj=session)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def act(self, *actions: dict[str, Any]) -> None:
        """Record actions on the incident `mail`, all of one minute."""
        lines = "".join(
            json.dumps({"incident": "mail", "actor": "ops", **action}) + "\n" for action in actions
        )
        self("append", "-", stdin=lines)

    def sign(self) -> None:
        """Make and publish a signing key."""
        self("key", "new", "main", "--actor", "ops", "--key-file", str(self.folder / "main.key"))

    def page(self, key: str = "mail", *options: str, name: str = "page.html") -> Path:
        """Write the replay page and return where it is."""
        file = self.folder / name
        signed = ["--key-file", str(self.folder / "main.key")] if (self.folder / "main.key").exists() else []
        if "--checkpoint" in options:
            signed = []
        self("replay", key, "--html", str(file), *signed, *options)
        return file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give an empty ledger."""
    made = Desk(tmp_path)
    made("init")
    return made


@pytest.fixture(scope="session")
def march_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Give a ledger with the incident of March 2022, its policies and subscriptions, and a key."""
    if not EXAMPLE.exists():
        pytest.skip("the example stands in the checkout, and this is a run away from it")
    made = Desk(tmp_path_factory.mktemp("march"))
    made("init")
    made("append", str(EXAMPLE / "actions.jsonl"))
    made.sign()
    return made


@pytest.fixture(scope="session")
def march(march_desk: Desk) -> Path:
    """Give the page of the incident of March 2022, under all policies of the example."""
    return march_desk.page("email-2022-03", "--amounts")


@dataclass
class Opened:
    """A page in the browser, and everything that went on in it that should not have."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outcome(self) -> str:
        """Wait for the checks of the page and return what it says came of them."""
        self.page.wait_for_selector("#outcome.good, #outcome.bad")
        return self.page.inner_text("#outcome")

    def quiet(self) -> None:
        """Assert that nothing ran, asked or complained, and that nothing was asked for but the file."""
        assert self.dialogs == []
        assert self.complaints == []
        assert self.requests == [self.url]


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the machine's Chromium for this session, with a new profile; none is ever downloaded."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("the package playwright, which drives the browser, is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Give a function that opens a file and watches it."""
    contexts = []

    def opens(file: Path, *, hash_: str = "", before: str = "", **context: Any) -> Opened:
        made = browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **context})
        contexts.append(made)
        # Two busy cores may be slow; how fast a page is, is no property of it.
        made.set_default_timeout(120_000)
        if before:
            made.add_init_script(before)
        page = made.new_page()
        found = Opened(page, file.as_uri())

        def failed(request: Request) -> None:
            # What the page's own policy refused was never asked.
            if request.failure != "csp":
                found.requests.append(request.url)

        page.on("requestfinished", lambda request: found.requests.append(request.url.partition("#")[0]))
        page.on("requestfailed", failed)

        def dismissed(dialog: Dialog) -> None:
            found.dialogs.append(dialog.message)
            dialog.dismiss()

        def heard(said: ConsoleMessage) -> None:
            if said.type in ("error", "warning"):
                found.complaints.append(said.text)

        page.on("dialog", dismissed)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("console", heard)
        page.goto(file.as_uri() + hash_)
        return found

    yield opens
    for made in contexts:
        made.close()


HOST = "<!doctype html><title>Pages in frames</title><body>"
JUDGE = """async (content) => {
  const frame = document.createElement("iframe");
  frame.srcdoc = content;
  frame.style.display = "none";
  document.querySelector("iframe")?.remove();
  document.body.append(frame);
  await new Promise((loaded) => { frame.onload = loaded; });
  const outcome = () => frame.contentDocument.querySelector("#outcome.good, #outcome.bad");
  while (!outcome()) await new Promise((later) => { setTimeout(later, 1); });
  return [outcome().textContent, Array.from(frame.contentDocument.querySelectorAll("#checks li.bad"), (one) => one.textContent).join("\\n")];
}"""


@dataclass
class Court:
    """Pages that are altered on the way, one after another in a frame of one page, as each opened anew would take long."""

    opened: Opened

    def judge(self, content: str) -> tuple[str, str]:
        """Return what a page says came of its checks, and each that does not hold."""
        outcome, bad = self.opened.page.evaluate(JUDGE, content)
        return outcome, bad

    def survivors(
        self, contents: Mapping[str, str], said: Mapping[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """Return those of altered pages, by name, that do not fail, or do not say what they are known to say."""
        found = []
        for name, content in contents.items():
            outcome, bad = self.judge(content)
            if not outcome.startswith("It fails: ") or not bad or (said or {}).get(name, "") not in bad:
                found.append((name, bad or outcome))
        return found


@pytest.fixture
def court(opened: Open, tmp_path: Path) -> Court:
    """Give a page that judges others."""
    (tmp_path / "host.html").write_text(HOST, encoding="utf-8")
    return Court(opened(tmp_path / "host.html"))


def window(name: str, start: str, end: str | None, **more: Any) -> dict[str, Any]:
    """Return the action that adds a window on 14 March 2022, or over midnight."""
    day = "2022-03-14T"
    return {
        "action": "add-window", "window": name, "service": "email", "component": "flow", "region": "EMEA",
        "effect": "outage", "start": f"{day}{start}Z", **({} if end is None else {"end": f"{day}{end}Z"}), **more,
    }  # fmt: skip


@pytest.fixture
def added() -> Callable[..., dict[str, Any]]:
    """Give `window`."""
    return window


@pytest.fixture
def eventful(desk: Desk) -> Desk:
    """Give a ledger whose incident has everything that a page marks: ghosts, erasures, late and internal entries."""
    desk.act(
        {
            "action": "open", "ref": "open", "title": "Mail is slow", "status": "investigating", "services": ["email"],
            "components": ["flow", "queue"], "regions": ["EMEA", "NAM"], "impact": "minor", "began_at": "2022-03-14T08:00:00Z", "published_at": "2022-03-14T08:20:00Z",
            "body": "Mail is slow for some. Anna Example looks into it.",
        }
    )  # fmt: skip
    desk.act(window("first", "08:00:00", "10:00:00", effect="delay", approximate=True))
    desk.act(window("second", "09:00:00", None, component="queue", region="NAM"))
    desk.act(
        {"action": "update", "ref": "secret", "internal": True, "body": "The queue of NAM is full."},
        {"action": "update", "ref": "wrong", "body": "It is over everywhere."},
    )
    desk.act(
        {
            "action": "revise-window",
            "window": "first",
            "end": "2022-03-14T11:30:00Z",
            "effect": "outage",
            "reason": "It lasted longer.",
        }
    )
    desk.act(
        {"action": "retitle", "title": "Mail is lost"},
        {"action": "withdraw-update", "corrects": "wrong", "reason": "It was not over."},
    )
    desk.act(
        {
            "action": "deploy-fix",
            "at": "2022-03-14T12:00:00Z",
            "body": "A fix is in place.",
            "body_format": "markdown",
        },
        {
            "action": "resolve",
            "ref": "resolved",
            "at": "2022-03-14T12:30:00Z",
            "body": "It is over. Mail was late, none was lost.",
        },
    )
    desk.act({"action": "publish", "publishes": "secret"})
    desk.act(
        {
            "action": "revise-window",
            "window": "first",
            "region": "NAM",
            "start": "2022-03-14T08:30:00Z",
            "start_within_seconds": 600,
            "end_within_seconds": 900,
            "change": "c1",
            "reason": "It was NAM.",
        },
        {
            "action": "revise-window",
            "window": "second",
            "end": "2022-03-14T09:30:00Z",
            "change": "c1",
            "reason": "The queue was empty then.",
        },
        {
            "action": "correct",
            "corrects": "resolved",
            "kind": "correction",
            "change": "c1",
            "set": {"body": "It is over. Some mail was lost, the rest was late."},
            "reason": "We have counted.",
        },
    )
    desk.act(
        window(
            "planned",
            "18:00:00",
            "19:00:00",
            region="*",
            effect="degraded",
            planned={
                "announced_at": "2022-03-14T13:00:00Z",
                "scheduled_start": "2022-03-14T18:00:00Z",
                "scheduled_end": "2022-03-14T19:00:00Z",
            },
        ),
        {"action": "withdraw-window", "window": "second", "reason": "It was a test."},
    )
    desk.act(
        {"action": "redact", "entry": "open", "fields": ["body"], "reason": "It named a person."},
        {
            "action": "correct",
            "corrects": "resolved",
            "kind": "editorial",
            "set": {"body": "It is over. Some mail was lost; the rest was late."},
            "reason": "Spelling.",
        },
    )
    return desk
