"""A ledger comes back out of its bundle, on either database, with the same root; nothing else is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.small_ledger import Desk

WITH = ("--with", "actor", "--with", "note")


@pytest.mark.postgres
def test_there_and_back_again(desk: Desk, postgres_url: str, tmp_path: Path) -> None:
    """SQLite to PostgreSQL to SQLite: the same root, the same bundle, and verify finds all in order."""
    first = desk.bundle("--all", *WITH, key="next.key")
    there = desk.json("import", "--bundle", desk.path("b.zip"), "--key", desk.vkey(0), url=postgres_url)
    assert there["signed_by"] == desk.vkey(1)
    assert desk.json("verify", url=postgres_url) == desk.json("verify")
    desk.run(
        "bundle",
        "--all",
        *WITH,
        "--key-file",
        desk.path("next.key"),
        "-o",
        desk.path("pg.zip"),
        url=postgres_url,
    )
    assert Path(desk.path("pg.zip")).read_bytes() == first
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert desk.json("import", "--bundle", desk.path("pg.zip"), url=back, code=3)["root"] == there["root"]
    assert desk.json("verify", url=back) == desk.json("verify")
    assert desk.run("notice", "emea-1", url=back).stdout == desk.run("notice", "emea-1").stdout
    # It goes on as any other ledger does.
    desk.run("incident", "update", "nam-1", "--actor", "x", "--body", "More.", url=back)
    desk.run("verify", url=back)


@pytest.mark.parametrize("url", ["sqlite", "postgres"])
def test_only_an_empty_place_takes_it(
    desk: Desk, url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = f"sqlite:///{tmp_path / 'x.db'}" if url == "sqlite" else request.getfixturevalue("postgres_url")
    desk.bundle("--all", *WITH, key="next.key")
    desk.run("init", url=place)
    assert (
        desk.json("import", "--bundle", desk.path("b.zip"), url=place, code=3)["ledger"] == "ledger-bundled"
    )
    before = desk.json("verify", url=place)
    refused = desk.run("import", "--bundle", desk.path("b.zip"), url=place, code=1)
    assert "choose an empty place" in refused.stderr
    assert desk.json("verify", url=place) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("emea-1", *WITH), "a ledger is imported whole"),
        (("--customer", "Aurora Rail", *WITH), "a ledger is imported whole"),
        (("--all",), "make it with --with actor --with note"),
        (("--all", "--with", "actor"), "make it with --with actor --with note"),
    ],
)
def test_what_is_not_whole_is_refused(
    desk: Desk, words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    desk.bundle(*words, key="next.key")
    place = f"sqlite:///{tmp_path / 'x.db'}"
    assert sentence in desk.run("import", "--bundle", desk.path("b.zip"), url=place, code=1).stderr
    assert not list(tmp_path.iterdir())


def test_texts_may_be_lacking_where_that_is_said(desk: Desk, tmp_path: Path) -> None:
    """The root is the same; verify misses each text that was left out, and nothing else."""
    desk.bundle("--all", key="next.key")
    place = f"sqlite:///{tmp_path / 'x.db'}"
    made = desk.json("import", "--bundle", desk.path("b.zip"), "--lacking-texts", url=place, code=3)
    report = desk.json("verify", url=place, code=1)
    assert made["root"] == report["root"] == desk.json("verify")["root"]
    assert {one["kind"] for one in report["problems"]} == {"text-missing"}
    # Nobody erased those: only what an entry erased reads so.
    for words in (("log", "emea-1"), ("log",)):
        log = desk.run(*words, url=place).stdout
        assert "by [missing] (as claimed)" in log
        assert "by [erased]" not in log
    log = desk.run("log", "emea-1", "--json", url=place).stdout
    assert '"actor":"[missing]"' in log
    assert '"body":"[erased]"' in log


def test_the_same_word_everywhere_for_a_text_that_is_not_there(desk: Desk, tmp_path: Path) -> None:
    """What was left out of a bundle is missing, what an entry erased is erased: in every command, and on the page."""
    desk.bundle("--all", key="next.key")
    place = f"sqlite:///{tmp_path / 'x.db'}"
    desk.run("import", "--bundle", desk.path("b.zip"), "--lacking-texts", url=place, code=3)
    page = tmp_path / "page.html"
    # Bodies are in every bundle, and the body of one was erased by an entry, whose own actor is missing.
    for words, missing, erased in (
        ("log emea-1", True, False), ("log emea-1 --json", True, True), ("show emea-1 v1", True, False),
        ("blame emea-1", True, True), ("blame emea-1 --json", True, True), ("diff emea-1 r1", True, True),
        ("diff emea-1 r1 --json", True, True), ("replay emea-1", True, True), ("replay emea-1 --json", True, True),
        ("notice emea-1", True, True), ("notice emea-1 --json", True, True),
        (f"replay emea-1 --html {page}", True, True),
    ):  # fmt: skip
        said = desk.run(*words.split(), url=place).stdout
        if "--html" in words:
            said = page.read_text(encoding="utf-8")
        assert ("[missing]" in said, "[erased]" in said) == (missing, erased), words
        for wrong in (
            '"actor":"[erased]"',
            "by [erased] (as claimed)",
            "by [erased], as claimed",
            '"body":"[missing]"',
        ):
            assert wrong not in said, (words, wrong)
    assert '>[missing]</bdi> <span class="aside">not here, and erased by no entry</span>' in page.read_text(
        encoding="utf-8"
    )


def test_a_bad_bundle_is_refused_and_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    content = desk.bundle("--all", *WITH, key="next.key")
    place = f"sqlite:///{tmp_path / 'x.db'}"
    bad = Path(desk.path("bad.zip"))
    bad.write_bytes(content.replace(b"Over.", b"Oven."))
    assert "altered" in desk.run("import", "--bundle", str(bad), url=place, code=1).stderr
    bad.write_bytes(content[:-1])
    desk.run("import", "--bundle", str(bad), url=place, code=1)
    unsigned = desk.bundle("--all", *WITH, key=None)
    bad.write_bytes(unsigned)
    refused = desk.run("import", "--bundle", str(bad), "--key", desk.vkey(0), url=place, code=1)
    assert "the bundle is not signed" in refused.stderr
    desk.run("import", "--bundle", desk.path("none.zip"), url=place, code=3)
    assert not list(tmp_path.iterdir())


def test_a_break_in_the_middle_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    """One transaction: what fails at the last entry has written none."""
    from contextlib import closing

    from ledger.errors import Refused
    from ledger.store.location import open_log
    from tools.small_ledger import members_of

    members = members_of(desk.bundle("--all", *WITH, key="next.key"))
    lines = list(zip(members["entries.jsonl"].splitlines(), members["texts.jsonl"].splitlines(), strict=True))
    path = tmp_path / "x.db"
    with closing(open_log(f"sqlite:///{path}")) as log, pytest.raises(Refused, match="should hash to"):
        log.restore("ledger-bundled", lines, (), bytes(32))
    assert not path.exists()
    desk.run("init", url=f"sqlite:///{path}")
    with closing(open_log(f"sqlite:///{path}")) as log:
        with pytest.raises(Refused, match="the same idempotency key"):
            log.restore("ledger-bundled", [*lines, (_moved(lines), b"{}")], (), bytes(32))
        assert log.head().size == 0
        assert list(log.entries()) == []


def _moved(lines: list[tuple[bytes, bytes]]) -> bytes:
    """Return the entry with the idempotency key once more, one position after the last."""
    (keyed,) = [entry for entry, _ in lines if b'"idempotency_key"' in entry]
    head, mark, rest = keyed.partition(b'"position":')
    return head + mark + str(len(lines) + 1).encode() + rest[rest.index(b",") :].replace(b"emea-1", b"emea-9")
