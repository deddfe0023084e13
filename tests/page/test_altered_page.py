"""A page that was altered says so: each embedded byte that matters, and each text that is shown."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Open

Alter = Callable[[dict[str, Any]], object]
START, END = '<script type="application/json" id="data">', "</script>"


def altered(page: Path, to: Path, alter: Alter) -> Path:
    """Return a copy of a page whose data were altered."""
    content = page.read_text(encoding="utf-8")
    before, _, rest = content.partition(START)
    raw, _, after = rest.partition(END)
    data = json.loads(raw)
    alter(data)
    again = json.dumps(data).replace("<", "\\u003c")
    to.write_text(f"{before}{START}{again}{END}{after}", encoding="utf-8")
    return to


def flipped(text: str, at: int, bit: int = 1) -> str:
    """Return Base64 with one bit of its bytes flipped."""
    content = bytearray(b64decode(text))
    content[at] ^= bit
    return b64encode(content).decode()


def entry(data: dict[str, Any], at: int) -> dict[str, Any]:
    found: dict[str, Any] = data["entries"][at]
    return found


def set_in(found: Any, name: Any, value: Any) -> None:
    found[name] = value


def text_of(data: dict[str, Any], at: int, path: str = "body") -> list[str]:
    found: list[str] = entry(data, at)["texts"][path]
    return found


ATTACKS: dict[str, Alter] = {
    "first byte of an entry": lambda data: set_in(entry(data, 0), "bytes", flipped(entry(data, 0)["bytes"], 0)),
    "middle byte of an entry": lambda data: set_in(entry(data, 3), "bytes", flipped(entry(data, 3)["bytes"], 90)),
    "last byte of an entry": lambda data: set_in(entry(data, 9), "bytes", flipped(entry(data, 9)["bytes"], -1)),
    "a space in an entry": lambda data: set_in(entry(data, 2), "bytes", b64encode(b64decode(entry(data, 2)["bytes"]).replace(b":", b": ", 1)).decode()),
    "first hash of a proof": lambda data: set_in(entry(data, 1)["path"], 0, flipped(entry(data, 1)["path"][0], 5)),
    "last hash of a proof": lambda data: set_in(entry(data, 8)["path"], -1, flipped(entry(data, 8)["path"][-1], 31, 128)),
    "a hash less": lambda data: entry(data, 4)["path"].pop(),
    "a hash more": lambda data: entry(data, 4)["path"].append(entry(data, 4)["path"][0]),
    "a short hash": lambda data: set_in(entry(data, 4)["path"], 0, b64encode(b64decode(entry(data, 4)["path"][0])[:31]).decode()),
    "proofs exchanged": lambda data: data["entries"].__setitem__(0, {**entry(data, 0), "path": entry(data, 1)["path"]}),
    "entries exchanged": lambda data: data["entries"].__setitem__(0, {**entry(data, 0), "bytes": entry(data, 1)["bytes"]}),
    "position": lambda data: set_in(entry(data, 5), "position", entry(data, 5)["position"] + 1),
    "position beyond the tree": lambda data: set_in(entry(data, 5), "position", 99),
    "version": lambda data: set_in(entry(data, 5), "version", 77),
    "stream": lambda data: set_in(data, "stream", "incident/another"),
    "a letter of a text": lambda data: set_in(text_of(data, 0), 1, text_of(data, 0)[1].replace("EMEA", "ENEA")),
    "a text cut off": lambda data: set_in(text_of(data, 0), 1, text_of(data, 0)[1][:-1]),
    "salt": lambda data: set_in(text_of(data, 0), 0, text_of(data, 0)[0][:-1] + ("0" if text_of(data, 0)[0][-1] != "0" else "1")),
    "salt in capitals": lambda data: set_in(text_of(data, 0), 0, text_of(data, 0)[0].upper()),
    "an actor": lambda data: set_in(text_of(data, 0, "actor"), 1, "somebody"),
    "a reason": lambda data: set_in(text_of(data, 9, "reason"), 1, "No reason."),
    "a correction": lambda data: set_in(text_of(data, 9, "set.body"), 1, "Nothing was lost."),
    "a text taken out": lambda data: entry(data, 0)["texts"].pop("body"),
    "a text said to be erased": lambda data: (entry(data, 0)["texts"].pop("body"), entry(data, 0)["erased"].append("body")),
    "a text said to be kept back": lambda data: (entry(data, 0)["texts"].pop("body"), entry(data, 0)["kept_back"].append("body")),
    "a text put in": lambda data: set_in(entry(data, 0)["texts"], "scope", ["00" * 16, "everywhere"]),
    "an entry taken out": lambda data: data["entries"].pop(3),
    "size of the checkpoint": lambda data: set_in(data, "checkpoint", data["checkpoint"].replace("\n15\n", "\n16\n")),
    "root of the checkpoint": lambda data: set_in(data, "checkpoint", _other_root(data["checkpoint"])),
    "origin of the checkpoint": lambda data: set_in(data, "checkpoint", data["checkpoint"].replace("page-test", "page-tesu")),
    "signature": lambda data: set_in(data, "checkpoint", _other_signature(data["checkpoint"])),
    "key": lambda data: set_in(data, "vkeys", [_other_key(data["vkeys"][0])]),
    "no checkpoint": lambda data: set_in(data, "checkpoint", ""),
}  # fmt: skip


def _other_root(checkpoint: str) -> str:
    root = checkpoint.split("\n")[2]
    return checkpoint.replace(root, flipped(root, 7))


def _other_signature(checkpoint: str) -> str:
    signature = checkpoint.rsplit(" ", maxsplit=1)[-1].strip()
    return checkpoint.replace(signature, flipped(signature, 40))


def _other_key(vkey: str) -> str:
    name, key_id, key = vkey.split("+", 2)
    return f"{name}+{key_id}+{flipped(key, 20)}"


def test_altered_data_are_found(march: Path, tmp_path: Path, opened: Open) -> None:
    found = opened(march)
    survivors = []
    for name, attack in ATTACKS.items():
        found.page.goto(altered(march, tmp_path / "altered.html", attack).as_uri())
        if not found.outcome().startswith("It fails: "):
            survivors.append(name)
        assert found.page.inner_text("#verdict") == "✗ Verification fails"
        assert found.page.locator("#checks li.bad").count() >= 1
    assert not survivors
    assert found.complaints == []


def test_no_character_of_the_data_can_be_changed(march: Path, tmp_path: Path, opened: Open) -> None:
    """One character in so many becomes another one; whatever that makes of the data, the page does not say that it holds."""
    content = march.read_text(encoding="utf-8")
    before, _, rest = content.partition(START)
    raw, _, after = rest.partition(END)
    found = opened(march)
    survivors = []
    for at in range(11, len(raw), len(raw) // 60):
        mutant = raw[:at] + ("0" if raw[at] != "0" else "1") + raw[at + 1 :]
        (tmp_path / "mutant.html").write_text(f"{before}{START}{mutant}{END}{after}", encoding="utf-8")
        found.page.goto((tmp_path / "mutant.html").as_uri())
        if not found.outcome().startswith("It fails: "):
            survivors.append((at, raw[at - 20 : at + 20]))
    assert not survivors
    assert found.complaints == []


def test_a_page_that_was_only_written_again_holds(march: Path, tmp_path: Path, opened: Open) -> None:
    """The attacks above fail for what they change, and for nothing else."""
    found = opened(altered(march, tmp_path / "same.html", lambda data: None))
    assert found.outcome().startswith("Verified in this browser")


SHOWN: dict[str, tuple[str, str]] = {
    "a word of a statement": (
        "We know the cause and are preparing a fix.",
        "We know the cause and have a fix.",
    ),
    "an actor": (">status-desk<", ">somebody<"),
    "the title": (">Some mail lost while being delivered<", ">Nothing was lost<"),
    "a word not deleted": ("<del>", "<b>"),
    "when it was recorded": ('data-recorded="2022-04-01T09:', 'data-recorded="2022-03-14T09:'),
    "the type of an entry": ('data-type="incident.resolved"', 'data-type="incident.updated"'),
    "the position of an entry": ('data-position="5"', 'data-position="6"'),
    "a word that was never said": ("<del>", "<del>never "),
    "a change that was none": ("are preparing a fix.", "are <ins>preparing</ins> a fix."),
    "what was said before": ('data-before="6/body"', 'data-before="3/body"'),
    "the title at the head": (
        '<h1 class="settled"><bdi class="text " dir="auto" data-text="1/title">Some',
        '<h1 class="settled"><bdi class="text " dir="auto" data-text="1/title">No',
    ),
    "a text shown as erased": ('data-text="3/body"', 'data-erased="3/body"'),
    "the key": (">page-test+", ">page-tesu+"),
    "the checkpoint": ("page-test\n15\n", "page-test\n25\n"),
}


def test_what_is_shown_is_compared_with_what_was_committed(march: Path, tmp_path: Path, opened: Open) -> None:
    """The data are whole, but the page shows something else."""
    content = march.read_text(encoding="utf-8")
    page, _, data = content.partition(START)
    forged = tmp_path / "forged.html"
    found = opened(march)
    survivors = []
    for name, (before, after) in SHOWN.items():
        assert before in page, name
        forged.write_text(page.replace(before, after) + START + data, encoding="utf-8")
        found.page.goto(forged.as_uri())
        if not found.outcome().startswith("It fails: "):
            survivors.append(name)
    assert not survivors


def test_a_statement_cannot_pass_for_a_copy(march: Path, tmp_path: Path, opened: Open) -> None:
    """Copies without marks are made by the page itself; one that was there before is a statement like any other."""
    content = march.read_text(encoding="utf-8").replace('class="post"', 'class="post settled"')
    forged = tmp_path / "forged.html"
    forged.write_text(content, encoding="utf-8")
    page = opened(forged).page
    page.wait_for_selector("#outcome.good")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    assert "Part of the mail" in page.inner_text("section#r1 .post")
    forged.write_text(content.replace("We know the cause", "We know no cause"), encoding="utf-8")
    assert opened(forged).outcome().startswith("It fails: ")


def test_what_is_left_out_is_said(march: Path, tmp_path: Path, opened: Open) -> None:
    """A text or an entry that was taken out everywhere leaves no mismatch; that it is not there is said all the same."""

    def without_text(data: dict[str, Any]) -> None:
        entry(data, 0)["texts"].pop("body")
        entry(data, 0)["erased"].append("body")

    content = altered(march, tmp_path / "less.html", without_text).read_text(encoding="utf-8")
    (tmp_path / "less.html").write_text(
        content.replace('data-text="1/body"', 'data-erased="1/body"'), encoding="utf-8"
    )
    found = opened(tmp_path / "less.html")
    assert "But one text is left out without an entry here that says so." in found.outcome()
    assert "Said to be erased, but by no entry on this page: v1 body." in found.page.inner_text("#checks")

    shorter = altered(march, tmp_path / "less.html", lambda data: data["entries"].pop(3))
    content = shorter.read_text(encoding="utf-8").replace('data-entry="4"', 'data-gone="4"')
    for path in ("actor", "body"):
        content = content.replace(f'data-text="4/{path}"', "")
    shorter.write_text(content, encoding="utf-8")
    found = opened(shorter)
    found.outcome()
    assert "Not on this page, as not public: v4 of incident/email-2022-03." in found.page.inner_text(
        "#checks"
    )


def test_the_hash_of_the_page_itself_answers_published_vectors(march: Path, opened: Open) -> None:
    """FIPS 180-4 and the NIST examples: the empty text, "abc", two blocks, a million letters; and each length around a block."""
    from hashlib import sha256

    page = opened(march).page
    ask = """(text) => Array.from(replay.ownSha256(new TextEncoder().encode(text)), (byte) => byte.toString(16).padStart(2, "0")).join("")"""
    vectors = {
        "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        "a" * 1_000_000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    }
    for text, digest in vectors.items():
        assert page.evaluate(ask, text) == digest
    lengths = [*range(140), 1_000, 4_095, 4_096]
    found = page.evaluate(f"(all) => all.map({ask})", ["é" * (at // 2) + "x" * (at % 2) for at in lengths])
    assert found == [sha256(("é" * (at // 2) + "x" * (at % 2)).encode()).hexdigest() for at in lengths]
