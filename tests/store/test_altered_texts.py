"""A text that was altered in the database is never told as what was said, whichever command is asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.application import IncidentLedger
from ledger.cli import main
from ledger.errors import Altered
from ledger.store.entry import commit, decode_texts, encode_texts, fits
from ledger.store.location import open_log

_SAID, _FORGED = "No mail was lost.", "All mail was lost."


def _ledger(url: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["--ledger", url, *words])


def _made(url: str) -> None:
    with closing(IncidentLedger(url)) as made:
        made.create("ledger-altered")
        made.record(
            "open", "mail", actor="ops", title="Mail delayed", status="investigating", services=("email",),
            components=("flow",), regions=("EMEA",), body="We are looking.",
        )  # fmt: skip
        made.record("update", "mail", actor="ops", body=_SAID)
        made.record(
            "correct",
            "mail",
            actor="ops",
            corrects="v1",
            kind="correction",
            set={"title": "Mail late"},
            reason="R",
        )
        made.record("open", "other", actor="ops", title="Other", status="investigating")


def _write(url: str, position: int, texts: bytes) -> None:
    """Put other bytes beside an entry, with the guards of the database off."""
    if url.startswith("postgres"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as raw:
            raw.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ALL")
            raw.execute("UPDATE ledger_entry SET texts = %s WHERE position = %s", (texts, position))
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("UPDATE ledger_entry SET texts = ? WHERE position = ?", (texts, position))


def _forge(url: str, position: int, path: str, value: str) -> None:
    with closing(open_log(url, writable=False)) as log:
        stored = log.at(position)
        assert stored is not None
        texts = decode_texts(stored.texts)
    salt = texts[path][0] if path in texts else "00" * 16
    _write(url, position, encode_texts({**texts, path: (salt, value)}))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """Give a ledger in each database."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    _made(found)
    return found


_TELLING = [
    "notice mail", "notice mail --json", "notice mail --format markdown", "log mail", "log", "log mail --json", "show @2",
    "show mail v2 --json", "diff mail r1", "diff mail r1 --json", "blame mail", "blame mail --json", "replay mail",
    "replay mail --json", "state mail", "state mail --json", "replay mail --html page.html", "bundle mail --output out.zip",
]  # fmt: skip


def test_no_command_tells_an_altered_body(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = {words: _ledger(url, *words.split()) for words in _TELLING}
    assert {words: said.exit_code for words, said in before.items()} == dict.fromkeys(_TELLING, 0)
    (tmp_path / "page.html").unlink()
    (tmp_path / "out.zip").unlink()
    _forge(url, 2, "body", _FORGED)
    for words in _TELLING:
        said = _ledger(url, *words.split())
        assert (words, said.exit_code) == (words, 1)
        assert "the text body of @2 does not fit its commitment" in said.stderr
        assert "run ledger verify" in said.stderr
        assert _FORGED not in said.output
    assert [one.name for one in tmp_path.iterdir() if one.suffix in (".html", ".zip")] == []
    # What is not of that incident is told as before, and verify names the place.
    assert _ledger(url, "notice", "other").exit_code == 0
    verified = _ledger(url, "verify")
    assert verified.exit_code == 1
    assert "@2  text-differs" in verified.stdout


@pytest.mark.parametrize(("position", "path"), [(1, "title"), (3, "set.title")])
def test_views_are_not_made_of_an_altered_title(
    url: str, position: int, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _forge(url, position, path, _FORGED)
    for words in ("incidents", "incidents --json", "views rebuild", "downtime --period 2022-03"):
        said = _ledger(url, *words.split())
        assert (words, said.exit_code) == (words, 1)
        assert f"the text {path} of @{position} does not fit its commitment" in said.stderr
        assert _FORGED not in said.output


def test_views_made_before_keep_the_title_that_was_said(url: str) -> None:
    assert "Mail late" in _ledger(url, "incidents").stdout
    _forge(url, 3, "set.title", _FORGED)
    said = _ledger(url, "incidents")
    assert (said.exit_code, "Mail late" in said.stdout, _FORGED in said.output) == (0, True, False)


def test_an_altered_text_can_still_be_erased(url: str) -> None:
    _forge(url, 2, "body", _FORGED)
    said = _ledger(
        url,
        "redact",
        "v2",
        "--incident",
        "mail",
        "--field",
        "body",
        "--actor",
        "dpo",
        "--reason",
        "Not what was said.",
    )
    assert said.exit_code == 0, said.output
    said = _ledger(url, "notice", "mail")
    assert (said.exit_code, "[erased]" in said.stdout) == (0, True)
    assert _ledger(url, "verify").exit_code == 0


def test_erasing_beside_an_altered_text_says_what_is_left_to_do(url: str) -> None:
    assert _ledger(url, "incidents").exit_code == 0
    _forge(url, 2, "body", _FORGED)
    said = _ledger(
        url, "redact", "v1", "--incident", "mail", "--field", "body", "--actor", "dpo", "--reason", "A name."
    )
    assert said.exit_code == 3
    assert "the texts are erased from the ledger, but its views" in said.stderr
    assert "the text body of @2 does not fit its commitment" in said.stderr
    assert _ledger(url, "views", "rebuild").exit_code == 0


@pytest.mark.parametrize("path", ["reason", "note", "quote", "set.body"])
def test_a_text_where_none_was_said_is_not_told(sqlite_url: str, path: str) -> None:
    _made(sqlite_url)
    entry = 3 if path.startswith("set.") else 2
    _forge(sqlite_url, entry, path, _FORGED)
    said = _ledger(sqlite_url, "log", "mail", "--json")
    assert _FORGED not in said.output
    # An update has no quote at all, so that there is none to be told; verify finds it all the same.
    assert said.exit_code == (0 if path == "quote" else 1)
    assert "text-unexpected" in _ledger(sqlite_url, "verify").stdout


@pytest.mark.parametrize("texts", [b"", b"[]", b'{"body":"All"}', b'{"body":["00",7]}', b"\xff"])
def test_texts_that_are_none_are_refused(sqlite_url: str, texts: bytes) -> None:
    _made(sqlite_url)
    _write(sqlite_url, 2, texts)
    said = _ledger(sqlite_url, "notice", "mail")
    assert said.exit_code == 1
    assert "the texts of @2 cannot be read" in said.stderr
    assert "they were altered: run ledger verify" in said.stderr


def test_programs_are_told_no_altered_text(sqlite_url: str) -> None:
    _made(sqlite_url)
    _forge(sqlite_url, 2, "body", _FORGED)
    with (
        closing(IncidentLedger(sqlite_url)) as ledger,
        pytest.raises(Altered, match="body of incident/mail v2"),
    ):
        list(ledger.events.get("incident/mail"))


def test_what_fits_a_commitment() -> None:
    salt = bytes(range(15)) + b"N"
    said = commit(salt, _SAID)["sha256"]
    assert fits(salt.hex(), _SAID, said)
    assert not fits(salt.hex(), _FORGED, said)
    # The same bytes, cut elsewhere, or a salt written in another way.
    assert not fits(salt[:-1].hex(), f"N{_SAID}", said)
    assert not fits(salt.hex().upper(), _SAID, said)
    assert not fits("salt", _SAID, said)
    assert not fits(salt.hex(), "\ud800", said)
