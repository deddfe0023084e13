"""A page that was altered says so: each embedded byte that matters, and each text that is shown."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.conftest import Court, Desk, Open

Alter = Callable[[dict[str, Any]], object]
START, END = '<script type="application/json" id="data">', "</script>"


def altered(page: Path, alter: Alter) -> str:
    """Return a page whose data were altered."""
    before, raw, after = parts(page)
    data = json.loads(raw)
    alter(data)
    again = json.dumps(data).replace("<", "\\u003c")
    return f"{before}{again}{after}"


def parts(page: Path) -> tuple[str, str, str]:
    """Return what stands before the data of a page, they themselves, and what stands after them."""
    before, start, rest = page.read_text(encoding="utf-8").partition(START)
    raw, end, after = rest.partition(END)
    return before + start, raw, end + after


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


def test_altered_data_are_found(march: Path, court: Court) -> None:
    assert not court.survivors({name: altered(march, attack) for name, attack in ATTACKS.items()})
    assert court.opened.complaints == []


def test_no_character_of_the_data_can_be_changed(march: Path, court: Court) -> None:
    """One character in so many becomes another one; whatever that makes of the data, the page does not say that it holds."""
    before, raw, after = parts(march)
    mutants = {
        f"{at}: {raw[at - 20 : at + 20]}": f"{before}{raw[:at]}{'0' if raw[at] != '0' else '1'}{raw[at + 1 :]}{after}"
        for at in range(11, len(raw), len(raw) // 60)
    }
    assert len(mutants) >= 60
    assert not court.survivors(mutants)
    assert court.opened.complaints == []


def test_a_page_that_was_only_written_again_holds(march: Path, court: Court) -> None:
    """The attacks above fail for what they change, and for nothing else."""
    outcome, _ = court.judge(altered(march, lambda data: None))
    assert outcome.startswith("Verified in this browser")


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


def test_what_is_shown_is_compared_with_what_was_committed(march: Path, court: Court) -> None:
    """The data are whole, but the page shows something else."""
    page, raw, rest = parts(march)
    assert not [name for name, (before, _) in SHOWN.items() if before not in page]
    assert not court.survivors({name: page.replace(*change) + raw + rest for name, change in SHOWN.items()})


def test_a_statement_cannot_pass_for_a_copy(march: Path, court: Court) -> None:
    """Copies without marks are made by the page itself; one that was there before has no place in it."""
    content = march.read_text(encoding="utf-8").replace('class="post"', 'class="post settled"')
    outcome, bad = court.judge(content)
    assert outcome.startswith("It fails: ")
    assert 'What the page is made of: the page shows “<article class="post settled"' in bad


def test_what_is_left_out_is_said(march: Path, tmp_path: Path, opened: Open) -> None:
    """A text that was taken out everywhere leaves no mismatch; that it is not there is said all the same."""

    def without_text(data: dict[str, Any]) -> None:
        entry(data, 0)["texts"].pop("body")
        entry(data, 0)["erased"].append("body")

    content = altered(march, without_text)
    gone = '<div class="erased body" data-erased="1/body">[erased]</div> <span class="aside">by an entry that is not public</span>'
    content, times = re.subn(
        r'<div class="text body" dir="auto" data-text="1/body">.*?</div>', gone, content, flags=re.DOTALL
    )
    assert times == 1
    (tmp_path / "less.html").write_text(content, encoding="utf-8")
    found = opened(tmp_path / "less.html")
    assert "But one text is left out without an entry here that says so." in found.outcome()
    assert "Said to be erased, but by no entry on this page: v1 body." in found.page.inner_text("#checks")


def test_an_entry_that_was_taken_out_is_missed(march: Path, tmp_path: Path, opened: Open) -> None:
    """Its revision is gone from the data and from what is shown; the numbers of the others tell."""
    shorter, content = tmp_path / "less.html", altered(march, lambda data: data["entries"].pop(1))
    content = re.sub(
        r'<section class="revision" id="r2".*?</section>\n(?=<section class="revision")',
        "",
        content,
        flags=re.DOTALL,
    )
    shorter.write_text(content, encoding="utf-8")
    found = opened(shorter)
    assert found.outcome().startswith("It fails: ")
    checks = found.page.inner_text("#checks")
    assert "Not on this page, as not public: v2 of incident/email-2022-03." in checks
    assert "The number of a revision: the page shows “r3”, its entries say “r2”." in checks


# What is shown, what stands there instead, and of which thing the page then says that it differs.
RETOLD: dict[str, tuple[str, str, str]] = {
    "published time of a revision": ("<dt>Published</dt><dd><time datetime=\"2022-03-14T08:20", "<dt>Published</dt><dd><time datetime=\"2022-03-14T07:20", "A time (published) of @1"),
    "published time in words": (">2022-03-14 08:20 UTC</time></dd>", ">2022-03-14 08:10 UTC</time></dd>", "r1, its times"),
    "recorded time in words": ('data-of="@18" data-clock="recorded">2022-04-01 09:11 UTC</time></dd>', 'data-of="@18" data-clock="recorded">2022-03-14 12:31 UTC</time></dd>', "r15, its times"),
    "recorded time under another entry's name": ('data-of="@18" data-clock="recorded">2022-04-01 09:11 UTC</time></dd>', 'data-of="@17" data-clock="recorded">2022-04-01 09:11 UTC</time></dd>', "A time (recorded) of @17"),
    "the clock of a time": ('data-of="@1" data-clock="published">2022-03-14 08:20 UTC</time></dd>', 'data-of="@1" data-clock="recorded">2022-03-14 08:20 UTC</time></dd>', "A time (recorded) of @1"),
    "when a statement was published": ("published <time datetime=\"2022-03-14T08:20:00.000000Z\" data-of=\"@1\" data-clock=\"published\">2022-03-14 08:20", "published <time datetime=\"2022-03-14T08:20:00.000000Z\" data-of=\"@1\" data-clock=\"published\">2022-03-14 08:02", "A time (published) of @1, as it is written"),
    "a time in the list": ('<span class="when">2022-03-14 08:20 UTC</span>', '<span class="when">2022-03-14 08:00 UTC</span>', "r1 in the list"),
    "the start of a window": ("<td>2022-03-14 08:30 UTC (about)", "<td>2022-03-14 09:30 UTC (about)", "Window first since r11"),
    "a tolerance": ("± 600 s", "± 6 s", "Window first since r11"),
    "the end of a window": ("<td>2022-03-14 11:30 UTC</td>", "<td>2022-03-14 10:30 UTC</td>", "Window first since r5"),
    "an end where it is open": ("<td>open</td>", "<td>2022-03-14 09:10 UTC</td>", "Window second since r3"),
    "the seconds of a window": ('<td class="num">12,600</td>', '<td class="num">1,260</td>', "Window first since r5"),
    "the effect in the table": ("<td>outage</td>", "<td>delay</td>", "Window first since r5"),
    "the effect as drawn": ('class="bar outage"', 'class="bar delay"', "The drawing"),
    "the effect as named": (">outage <tspan", ">delay <tspan", "The drawing"),
    "the region of a window": ("<td><bdi dir=\"auto\">NAM</bdi></td>", "<td><bdi dir=\"auto\">EMEA</bdi></td>", "Window first since r11"),
    "the component of a window": ("<td><bdi dir=\"auto\">queue</bdi></td>", "<td><bdi dir=\"auto\">flow</bdi></td>", "Window second since r3"),
    "the entries of a window": ("<td>@2, @6</td>", "<td>@2, @7</td>", "Window first since r5"),
    "a ghost turned to real": ('class="bar delay" data-first="2" data-until="5"', 'class="bar delay" data-first="2"', "The drawing"),
    "a ghost turned to real in the table": ('<tr data-first="2" data-until="5">', '<tr data-first="2">', "Window first since r2 (until)"),
    "a window said earlier": ('<tr data-first="5"', '<tr data-first="2"', "Window first since r5 (first)"),
    "a window withdrawn no more": (" data-withdrawn>", ">", "Window second since r13 (withdrawn)"),
    "planned no more": ("degraded planned", "degraded", "The drawing"),
    "a status": ("<dt>Status</dt><dd><bdi dir=\"auto\">investigating</bdi>", "<dt>Status</dt><dd><bdi dir=\"auto\">resolved</bdi>", "r1, Status"),
    "the status after a statement": (", status investigating", ", status monitoring", "v1 as of r1"),
    "a status before": ("<del><bdi dir=\"auto\">monitoring</bdi></del>", "<del><bdi dir=\"auto\">identified</bdi></del>", "r9, Status"),
    "the impact": ("<bdi dir=\"auto\">minor</bdi>", "<bdi dir=\"auto\">none</bdi>", "r1, Impact"),
    "what changed": ("Impact window first revised.", "Impact window first added.", "r5 in the list"),
    "what changed, left out": ("<li><bdi dir=\"auto\">The title changed.</bdi></li>", "", "r6, what changed"),
    "a mark removed": ('<span class="mark late" title="It is said to have been published before it was recorded.">recorded later</span>', "", "r1 in the list"),
    "a mark added": ('<h2 id="h3" tabindex="-1">Revision 3 ', '<h2 id="h3" tabindex="-1">Revision 3 <span class="mark late">recorded later</span>', "r3, its marks"),
    "a correction after resolved no more": ('<h2 id="h11" tabindex="-1">Revision 11 <span class="mark after" title="It came after the notice had said that it was over.">after resolved</span>', '<h2 id="h11" tabindex="-1">Revision 11 ', "r11, its marks"),
    "what is read out of a time": ('<time datetime="2022-03-14T08:20', '<time aria-label="2022-03-14 07:00 UTC" datetime="2022-03-14T08:20', "What the page is made of"),
    "what is read out of a revision": ('aria-label="Revisions"', 'aria-label="Revisions, the last at noon"', "What the page is made of"),
    "where a revision of the list leads": ('href="#r5"', 'href="#r4"', "r5 in the list"),
    "a way out of the page": ('href="#proof"', 'href="https://example.invalid/"', "What the page is made of"),
    "words that nobody said": ("<h3>Who said so</h3>", '<p class="aside">It was over by nine.</p><h3>Who said so</h3>', "What the page is made of"),
    "words within the drawing": ("<defs>", '<text x="10" y="60">It was over by nine.</text><defs>', "What the page is made of"),
    "what is not shown": ("Who the actors were: their names are claims.", "Nothing is left open.", "What this does not show"),
    "a mark that nobody sees": ('<span class="mark late" title', '<span class="mark late" hidden title', "What the page is made of"),
    "a mark behind another element": ('<span class="mark late" title="It is said to have been published before it was recorded.">recorded later</span>', '<p class="standing"><span class="mark late">recorded later</span></p>', "What the page is made of"),
    "a letter that passes for another": (">Mail is lost<", '><span class="ctl" data-code="4D">S</span>ail is lost<', "What the page is made of"),
    "what is struck out": ('<h2 id="h3" tabindex="-1">Revision 3 ', '<h2 id="h3" tabindex="-1">Revision 3 <del>withdrawn</del>', "What the page is made of"),
    "what is said of a mark": ("It is said to have been published before it was recorded.", "It is said to be right.", "What the page is made of"),
    "a date under a field": ("<dt>Began</dt><dd><bdi dir=\"auto\">2022-03-14 08:00", "<dt>Began</dt><dd><bdi dir=\"auto\">2022-03-14 08:30", "r1, Began"),
    "an actor of another entry": (">ops</bdi> <span class=\"aside\">(as claimed)", ">nobody</bdi> <span class=\"aside\">(as claimed)", "The text shown"),
    "an actor left out": ("<span class=\"aside\">(as claimed)</span>", "", "r1, @1 v1"),
    "a reason": (">It lasted longer.<", ">It was not so.<", "r5, @6 v6"),
    "a reason left out": ('<span class="label">because</span>', "", "r5, @6 v6"),
    "the reason of another entry": ('data-text="6/reason">It lasted longer.', 'data-text="13/reason">It was NAM.', "r5, @6 v6"),
    "the position of an entry": ("@6 v6, published", "@7 v6, published", "r5, @6 v6"),
    "the type of an entry": ("<code>window.revised</code>", "<code>window.added</code>", "r5, @6 v6"),
    "the number of a revision": ("Revision 5 ", "Revision 4 ", "r5, its marks"),
    "a headline": ('<span class="what">Fix deployed', '<span class="what">No visible change', "r8 in the list"),
    "the heading of a statement": ("<bdi dir=\"auto\">Resolved</bdi>", "<bdi dir=\"auto\">Update</bdi>", "v10 as of r9"),
    "what is said to be new": ("changed in r11", "new in r11", "v10 as of r11"),
    "since when a statement stands": ('data-first="9" data-until="11"', 'data-first="9"', "v10 as of r9 (until)"),
    "the order of statements": ('data-order="0"', 'data-order="99"', "(order)"),
    "which fields were corrected": ("(v14: body)", "(v14: title)", "v10 as of r11"),
    "why it was corrected": ('data-text="14/reason">We have counted.</bdi></p>', 'data-text="18/reason">Spelling.</bdi></p>', "r11, @14 v14"),
    "who erased": ("(v17)", "(v16)", "v1 as of r1"),
    "downtime": ('data-seconds="12600">12,600 s', 'data-seconds="1260">1,260 s', "downtime of email in EMEA, 2022-03"),
    "downtime before": ("<p class=\"was\">before: <del>7,200 s", "<p class=\"was\">before: <del>7,300 s", "downtime of email in EMEA, 2022-03"),
    "downtime no more provisional": (", provisional</span>", "</span>", "downtime of email in NAM, 2022-03"),
    "since when it lasts": ("Windows that are open count to 2022-04-01 09:03 UTC", "Windows that are open count to 2022-04-01 09:02 UTC", "what was counted"),
    "a day on the axis": (">14 Mar<", ">15 Mar<", "The axis"),
    "the table of entries": ('<td>r5</td><td>window.revised</td>', '<td>r4</td><td>window.revised</td>', "@6 in the table of entries"),
}  # fmt: skip


def test_what_is_shown_is_told_again_from_the_entries(eventful: Desk, court: Court) -> None:
    """The entries are honest, what stands beside them is not: each kind of thing shown, and the page says which."""
    page, raw, rest = parts(eventful.page())
    outcome, bad = court.judge(page + raw + rest)
    assert outcome.startswith("Verified in this browser"), bad
    assert not [name for name, (before, _, _) in RETOLD.items() if before not in page]
    pages = {name: page.replace(before, after, 1) + raw + rest for name, (before, after, _) in RETOLD.items()}
    assert not court.survivors(pages, {name: said for name, (_, _, said) in RETOLD.items()})
    assert court.opened.complaints == []


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
