"""Bundles hold what they should and nothing else, prove what they say, and say what they do not prove."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ledger.proof.bundle_check import check_bundle, open_bundle
from ledger.proof.canonical import canonical
from tools.attack import rebuilt
from tools.small_ledger import SERIES, Desk, make, members_of
from tools.terms import terms_2


def manifest(bundle: bytes) -> dict[str, Any]:
    """Return what the manifest says, and what the check counted."""
    said: dict[str, Any] = json.loads(members_of(bundle)["manifest.json"])
    return {**check_bundle(open_bundle(bundle)).said, **said}


def entries(bundle: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members_of(bundle)["entries.jsonl"].splitlines()]


def streams(bundle: bytes) -> set[str]:
    return {entry["header"]["stream"] for entry in entries(bundle)}


@pytest.mark.parametrize("words", [("emea-1",), ("--customer", "Aurora Rail"), ("--all",)], ids=str)
def test_a_bundle_holds_and_says_who_signed_it(desk: Desk, words: tuple[str, ...]) -> None:
    """The key of the first day will do, as the bundle has its rotation."""
    content = desk.bundle(*words, key="next.key")
    assert desk.verdict(content, "--key", desk.vkey(0)) == 0
    assert desk.verdict(content, "--key", desk.vkey(1)) == 0
    report = desk.json("verify-bundle", desk.path("b.zip"), "--key", desk.vkey(0))
    assert report["ok"]
    assert report["signed_by"] == desk.vkey(1)
    assert report["problems"] == []


def test_without_key_or_signature_nothing_is_verified(desk: Desk) -> None:
    """Exit code 3: who made it is not known; the sentence says why."""
    signed, bare = desk.bundle("emea-1", key="next.key"), desk.bundle("emea-1", key=None)
    assert desk.verdict(signed) == 3
    assert desk.verdict(bare) == 3
    assert desk.verdict(bare, "--key", desk.vkey(0)) == 3
    assert desk.json("verify-bundle", desk.path("b.zip"), code=3)["unchecked"] == "the bundle is not signed"


def test_a_key_that_counts_no_longer_convinces_nobody(desk: Desk, signs_regardless: None) -> None:
    """A bundle that holds a rotation and is signed with the key that was replaced is refused."""
    old = desk.bundle("emea-1", key="main.key")
    assert desk.verdict(old, "--key", desk.vkey(0)) == 1
    assert desk.verdict(old, "--key", desk.vkey(1)) == 1
    before = desk.bundle("emea-1", "--recorded-by", "@10", key="main.key")
    assert desk.verdict(before, "--key", desk.vkey(0)) == 0
    other = make_key(desk)
    assert desk.verdict(desk.bundle("emea-1", key="next.key"), "--key", other) == 1


def make_key(desk: Desk) -> str:
    if not Path(desk.path("elsewhere.db")).exists():
        desk.run("init", url=f"sqlite:///{desk.path('elsewhere.db')}")
        desk.run(
            "key", "new", "other", "--actor", "x", "--key-file", desk.path("other.key"),
            url=f"sqlite:///{desk.path('elsewhere.db')}",
        )  # fmt: skip
    shown = desk.run("key", "show", "other", url=f"sqlite:///{desk.path('elsewhere.db')}")
    return shown.stdout.split()[0]


def test_a_revoked_key_convinces_nobody(own_desk: Desk, signs_regardless: None) -> None:
    content = own_desk.bundle("emea-1", key="next.key")
    assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 0
    own_desk.run("key", "revoke", "main", "--vkey", own_desk.vkey(1), "--actor", "ops", "--reason", "Stolen.")
    content = own_desk.bundle("emea-1", key="next.key")
    assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 1
    assert own_desk.verdict(content, "--key", own_desk.vkey(1)) == 1


def test_bytes_are_a_function_of_ledger_and_arguments(desk: Desk) -> None:
    for words in (("emea-1",), ("--customer", "Aurora Rail"), ("--all",)):
        assert desk.bundle(*words, name="one.zip", key="next.key") == desk.bundle(
            *words, name="two.zip", key="next.key"
        )


def test_any_program_opens_it(desk: Desk) -> None:
    """It is an ordinary ZIP file, and its entries are what `show --raw` prints."""
    content = desk.bundle("emea-1", key="next.key")
    with zipfile.ZipFile(BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in opened.infolist())
    lines = members_of(content)["entries.jsonl"].splitlines()
    for entry, line in zip(entries(content), lines, strict=True):
        assert desk.run("show", f"@{entry['header']['position']}", "--raw").stdout_bytes == line


def test_actor_and_note_are_left_out_unless_asked_for(desk: Desk) -> None:
    for words in (("emea-1",), ("--customer", "Aurora Rail"), ("--all",)):
        bare = desk.bundle(*words, key="next.key")
        for word in (b"Ann", b"Not for the public.", b"dpo"):
            assert word not in bare
        assert "left-out-texts" in manifest(bare)["does_not_prove"]
        assert manifest(bare)["texts"]["left_out"] > 0
        full = desk.bundle(*words, "--with", "actor", "--with", "note", key="next.key")
        assert b'"Ann"' in full
        assert b"Not for the public." in full
        assert manifest(full)["texts"]["left_out"] == 0
        assert "left-out-texts" not in manifest(full)["does_not_prove"]
        half = desk.bundle(*words, "--with", "actor", key="next.key")
        assert b"Not for the public." not in half
        assert b'"Ann"' in half


def test_streams_of_keys_are_whole_whatever_is_internal(own_desk: Desk) -> None:
    """An erasure in a stream of keys may be marked internal; without it the rotations after it would prove nothing."""
    [rotated] = [one["header"]["position"] for one in entries(own_desk.bundle("--all", key="next.key"))
                 if one["header"]["type"] == "key.rotated"]  # fmt: skip
    Path(own_desk.path("erase.jsonl")).write_text(
        json.dumps({
            "action": "redact", "entry": f"@{rotated}", "fields": ["actor"], "actor": "dpo", "reason": "A name.", "internal": True,
        })
    )  # fmt: skip
    own_desk.run("append", own_desk.path("erase.jsonl"))
    own_desk.run(
        "key", "rotate", "main", "--actor", "ops", "--key-file", own_desk.path("next.key"),
        "--new-key-file", own_desk.path("third.key"),
    )  # fmt: skip
    content = own_desk.bundle("--customer", "Aurora Rail", key="third.key")
    assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 0
    assert [
        one["header"]["version"] for one in entries(content) if one["header"]["stream"] == "key/main"
    ] == [1, 2, 3, 4]


def test_erased_texts_are_gone_from_later_bundles_and_old_proofs_hold(own_desk: Desk) -> None:
    """Bundles and proofs made before still verify; those made later hold nothing of the text."""
    before = own_desk.bundle("emea-1", key="next.key")
    own_desk.run(
        "prove",
        "emea-1",
        "v8",
        "--key-file",
        own_desk.path("next.key"),
        "-o",
        own_desk.path("old.tlog-proof"),
    )
    raw = own_desk.run("show", "emea-1", "v8", "--raw").stdout_bytes
    Path(own_desk.path("old.entry")).write_bytes(raw)
    assert b"Over." in before
    own_desk.run(
        "redact", "v8", "--incident", "emea-1", "--field", "body", "--reason", "A name.", "--actor", "dpo"
    )
    after = own_desk.bundle("emea-1", key="next.key")
    assert b"Over." not in after
    assert b"Jane Roe" not in after
    assert manifest(after)["texts"]["erased"] == manifest(before)["texts"]["erased"] + 1
    for content in (before, after):
        assert own_desk.verdict(content, "--key", own_desk.vkey(0)) == 0
    own_desk.run(
        "verify-proof",
        own_desk.path("old.tlog-proof"),
        "--entry",
        own_desk.path("old.entry"),
        "--key",
        own_desk.vkey(1),
    )
    assert "[erased]" in members_of(after)["page.html"].decode()
    # A cut before the erasure cannot bring the text back, and cannot say why it is gone.
    cut = own_desk.bundle("emea-1", "--recorded-by", "@14", key="next.key")
    assert b"Over." not in cut
    assert manifest(cut)["texts"]["gone"] == [[14, "body"]]
    assert "gone-texts" in manifest(cut)["does_not_prove"]
    assert own_desk.verdict(cut, "--key", own_desk.vkey(0)) == 0


def test_an_incident_brings_its_policies_keys_and_series(desk: Desk) -> None:
    content = desk.bundle("emea-1", key="next.key")
    assert streams(content) == {"incident/emea-1", "policy/email-standard", "key/main"}
    series = sha256(SERIES).hexdigest()
    assert manifest(content)["tables"] == {"here": [series], "left_out": []}
    assert f"tables/{series}" in members_of(content)


def test_a_customer_gets_nothing_of_any_other(desk: Desk) -> None:
    """Own incidents, policy and rows; the table of all customers by digest only; nothing internal."""
    content = desk.bundle("--customer", "Aurora Rail", key="next.key")
    assert streams(content) == {"incident/emea-1", "policy/email-standard", "key/main", "subscriptions/all"}
    for hidden in (b"Birch", b"nam-1", b"NAM only", b"Nobody said this.", b"email-by-share"):
        assert hidden not in content
    (table,) = json.loads(members_of(content)["subscriptions.json"])
    assert [row["subscription"] for row in table["rows"]] == ["aurora-emea"]
    assert table["rows"][0]["fee"] == "4200.00"
    said = manifest(content)
    assert len(said["tables"]["left_out"]) == 2
    (incident,) = [one for one in said["streams"] if one["stream"] == "incident/emea-1"]
    assert incident["left_out"] == [3]
    assert {"others", "left-out-tables", "left-out-versions", "later-versions"} <= set(said["does_not_prove"])
    other = desk.bundle("--customer", "Birch Bank", key="next.key")
    assert streams(other) == {"incident/nam-1", "policy/email-by-share", "key/main", "subscriptions/all"}


def test_completeness_is_said_as_far_as_it_goes(desk: Desk) -> None:
    """A stream is complete through its last entry, and on as long as the next position is in the bundle, too."""
    whole = manifest(desk.bundle("--all", key="next.key"))
    assert whole["streams"] is None
    assert "whole" in whole["proves"]
    assert not {"others", "later-versions"} & set(whole["does_not_prove"])
    other = manifest(desk.bundle("nam-1", key="next.key"))
    by_name = {one["stream"]: one["complete_through"] for one in other["streams"]}
    assert by_name["incident/nam-1"] < other["size"]
    assert "later-versions" in other["does_not_prove"]
    # With a checkpoint right after its last entry an incident is proven whole.
    last = max(entry["header"]["position"] for entry in entries(desk.bundle("emea-1", key="next.key")))
    cut = manifest(desk.bundle("emea-1", "--recorded-by", f"@{last}", key="next.key"))
    assert {one["stream"]: one["complete_through"] for one in cut["streams"]}["incident/emea-1"] == cut[
        "size"
    ]


def test_checkpoints_kept_elsewhere_are_compared(desk: Desk, tmp_path: Path, signs_regardless: None) -> None:
    desk.run(
        "checkpoint",
        "--recorded-by",
        "@9",
        "--key-file",
        desk.path("main.key"),
        "-o",
        desk.path("nine.checkpoint"),
    )
    desk.run("checkpoint", "--key-file", desk.path("next.key"), "-o", desk.path("now.checkpoint"))
    keys = ("--key", desk.vkey(0), "--key", desk.vkey(1))
    whole, part = desk.bundle("--all", key="next.key"), desk.bundle("emea-1", key="next.key")
    for name in ("nine", "now"):
        assert desk.verdict(whole, *keys, "--against", desk.path(f"{name}.checkpoint")) == 0
    assert desk.verdict(part, *keys, "--against", desk.path("now.checkpoint")) == 0
    # The key of the first day leads to the ones that signed either.
    for name in ("nine", "now"):
        first = ("--key", desk.vkey(0), "--against", desk.path(f"{name}.checkpoint"))
        assert desk.verdict(whole, *first) == 0
    assert desk.verdict(whole, "--key", desk.vkey(1), "--against", desk.path("nine.checkpoint")) == 1
    assert desk.verdict(part, *keys, "--against", desk.path("nine.checkpoint")) == 3
    # The same actions, but for one: another history under the same id and keys.
    forked = make(tmp_path)
    forked.run("incident", "update", "nam-1", "--actor", "x", "--body", "Another history.")
    forked.run("checkpoint", "--key-file", forked.path("next.key"), "-o", forked.path("forked.checkpoint"))
    desk.run(
        "bundle",
        "--all",
        "--recorded-by",
        "@9",
        "--key-file",
        desk.path("main.key"),
        "-o",
        desk.path("early.zip"),
    )
    early = Path(desk.path("early.zip")).read_bytes()
    assert desk.verdict(early, *keys, "--against", forked.path("forked.checkpoint")) == 3
    grown = forked.bundle("--all", key="next.key")
    size = manifest(grown)["size"]
    text = Path(forked.path("forked.checkpoint")).read_text().splitlines()
    bad = tmp_path / "bad.checkpoint"
    bad.write_text("\n".join([text[0], text[1], "A" * 43 + "=", ""]))
    assert size == int(text[1])
    assert desk.verdict(grown, "--against", str(bad)) == 1


def test_refusals_are_sentences(desk: Desk, tmp_path: Path) -> None:
    for words, code, sentence in (
        (("nam-2",), 1, "did you mean 'nam-1'?"),
        (("--customer", "Aurora Rial"), 1, "did you mean 'Aurora Rail'?"),
        ((), 2, "name one: the KEY of an incident, --customer ID, or --all"),
        (("emea-1", "--all"), 2, "name one"),
        (("--all", "--recorded-by", "@0"), 3, "there is nothing to bundle"),
    ):
        result = desk.run("bundle", *words, "-o", str(tmp_path / "no.zip"), code=code)
        assert sentence in result.stderr
    assert not list(tmp_path.iterdir())
    assert desk.verdict(b"") == 1
    assert desk.verdict(b"PK\x05\x06" + bytes(18)) == 1


def test_a_damaged_ledger_gives_no_bundle(own_desk: Desk) -> None:
    """A text that was altered in the database is found before anybody is handed a bundle with it."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(own_desk.path("ledger.db"), isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_entry_redact")
        raw.execute(
            "UPDATE ledger_entry SET texts = CAST(replace(CAST(texts AS TEXT), 'Looking.', 'Cooking.') AS BLOB)"
        )
    result = own_desk.run("bundle", "emea-1", "-o", own_desk.path("no.zip"), code=1)
    assert "the text body of @5 does not fit its commitment" in result.stderr
    assert "run ledger verify" in result.stderr
    assert not Path(own_desk.path("no.zip")).exists()


def test_text_from_events_is_data_on_the_page(own_desk: Desk) -> None:
    own_desk.run(
        "incident",
        "update",
        "emea-1",
        "--actor",
        "x",
        "--body",
        "</pre><script>alert(1)</script><img src=x onerror=y>\u202e",
    )
    page = members_of(own_desk.bundle("emea-1", key="next.key"))["page.html"].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_nothing_in_a_bundle_acts_on_the_terminal(desk: Desk) -> None:
    """Whoever made it may have put anything into what is printed; neither verifier passes it on."""
    members = members_of(desk.bundle("--customer", "Aurora Rail", key=None))
    said = json.loads(members["manifest.json"])
    said["scope"]["customer"] = "A\u202e\x1b[2J\x9b2J"
    content = rebuilt({**members, "manifest.json": canonical(said)})
    Path(desk.path("hostile.zip")).write_bytes(content)
    shown = desk.run("verify-bundle", desk.path("hostile.zip"), code=3)
    alone = subprocess.run(
        [sys.executable, "-m", "tools.verify_bundle", desk.path("hostile.zip")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert alone.returncode == 3
    for text in (shown.stdout, shown.stderr, alone.stdout):
        assert not {"\u202e", "\x1b", "\x9b"} & set(text)
    bad = {
        **members,
        "checkpoint.note": members["checkpoint.note"].replace(b"ledger-bundled", "\u202e".encode()),
    }
    Path(desk.path("hostile.zip")).write_bytes(rebuilt(bad))
    assert "\u202e" not in desk.run("verify-bundle", desk.path("hostile.zip"), code=1).output


def test_terms_that_look_at_every_region_bring_the_incidents_of_every_region(own_desk: Desk) -> None:
    """A customer in EMEA whose service is down wherever it is down gets the incident of NAM; the incident brings the terms."""
    for name, region in (("alone", "each"), ("joined", "union")):
        terms = terms_2(name).replace("[counting]\n", f'[scope]\nregions = "{region}"\n[counting]\n')
        Path(own_desk.path(f"{name}.toml")).write_text(terms)
        own_desk.run("policy", "publish", own_desk.path(f"{name}.toml"), "--actor", "finance")
    rows = (
        "Cedar,c,email,EMEA,joined,EUR,10.00,2021-01-01,",
        "Dogger,d,email,EMEA,alone,EUR,10.00,2021-01-01,",
    )
    head = "customer,subscription,service,region,policy,currency,fee,valid_from,valid_to"
    Path(own_desk.path("more.csv")).write_text("\n".join((head, *rows, "")))
    own_desk.run("subscriptions", "publish", "more", own_desk.path("more.csv"), "--actor", "finance")
    incidents = {"incident/emea-1", "incident/nam-1"}
    assert streams(own_desk.bundle("--customer", "Cedar")) & incidents == incidents
    assert streams(own_desk.bundle("--customer", "Dogger")) & incidents == {"incident/emea-1"}
    assert streams(own_desk.bundle("nam-1")) >= {"policy/joined", "policy/email-by-share"}
    assert "policy/alone" not in streams(own_desk.bundle("nam-1"))
