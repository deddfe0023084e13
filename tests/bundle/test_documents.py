"""Claims, exclusions and statements in bundles: a customer's own, and the lines of documents with the whole ledger."""

from __future__ import annotations

import json
from pathlib import Path

from tools.small_ledger import Desk, members_of, settle
from tools.verify_bundle import verdict


def test_documents_go_with_whom_they_concern(own_desk: Desk, tmp_path: Path) -> None:
    settle(own_desk)
    mine = own_desk.bundle("--customer", "Aurora Rail", key="next.key")
    streams = {
        json.loads(line)["header"]["stream"] for line in members_of(mine)["entries.jsonl"].splitlines()
    }
    assert {"claim/a-1", "exclusion/x-a"} <= streams
    assert not {"claim/b-1", "exclusion/x-b", "statement/main"} & streams
    assert b"Birch" not in mine
    whole = own_desk.bundle("--all", "--with", "actor", "--with", "note", key="next.key")
    lines = [content for name, content in members_of(whole).items() if name.startswith("tables/")]
    assert any(content.startswith(b'{"assessment"') for content in lines)
    for content in (mine, whole):
        assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 0
        assert verdict(content, {own_desk.vkey(0)})[0] == 0
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    own_desk.run("import", "--bundle", own_desk.path("b.zip"), url=copy, code=3)
    own_desk.run("verify", url=copy)
    shown = ("credits", "show", "1", "--json")
    assert own_desk.run(*shown, url=copy).stdout == own_desk.run(*shown).stdout


def test_who_approved_is_left_out_like_the_actors(own_desk: Desk) -> None:
    """Every text that names somebody of the house, wherever it stands: in the texts, on the page, for whoever gets it."""
    settle(own_desk)
    for words in (("--customer", "Aurora Rail"), ("--all",)):
        bare = own_desk.bundle(*words, key="next.key")
        assert b"A ticket." in bare
        for word in (b"Head of ops", b"dpo", b"Ann"):
            assert word not in bare
        said = own_desk.json("verify-bundle", own_desk.path("b.zip"), "--key", own_desk.vkey(0))
        assert "who approved" in said["does_not_prove"]["left-out-texts"]
        named = own_desk.bundle(*words, "--with", "actor", key="next.key")
        assert b"Head of ops" in named
        for content in (bare, named):
            assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 0
            assert verdict(content, {own_desk.vkey(0)})[0] == 0
    refused = own_desk.run("bundle", "--all", "--with", "approved_by", "-o", own_desk.path("c.zip"), code=2)
    assert "'actor'" in refused.stderr
