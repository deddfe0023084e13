"""A ZIP file can say two things in many ways; a bundle can be written in one, and every other is refused by both verifiers."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from ledger.errors import LedgerError
from ledger.proof.container import read_members, write_members
from ledger.proof.errors import ProofError
from tools.small_ledger import Desk, members_of
from tools.verify_bundle import members, verdict

GOOD = {"page.html": b"<p>", "manifest.json": b"{}", "statement.note": b"n\n"}


def written(parts: dict[str, bytes]) -> bytes:
    file = BytesIO()
    write_members(file, [(name, [content]) for name, content in parts.items()])
    return file.getvalue()


def zipped(
    change: Callable[[zipfile.ZipFile], None] = lambda file: None, method: int = zipfile.ZIP_STORED
) -> bytes:
    """Return the good members as another program writes them."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as opened:
        for name, content in GOOD.items():
            opened.writestr(zipfile.ZipInfo(name), content)
        change(opened)
    return file.getvalue()


def refused_by_both(content: bytes) -> None:
    with pytest.raises(ProofError):
        read_members(content)
    assert verdict(content, set())[0] == 1


def test_it_is_read_back_by_anybody() -> None:
    content = written(GOOD)
    found = read_members(content)
    assert (
        {one.name: content[one.start : one.end] for one in found}
        == GOOD
        == members_of(content)
        == members(content)
    )


def replaced(old: bytes, new: bytes, count: int = -1) -> bytes:
    content = written(GOOD)
    assert old in content
    return content.replace(old, new, count)


def commented(file: zipfile.ZipFile) -> None:
    file.comment = b"and more"


def with_name_twice() -> bytes:
    file = BytesIO()
    write_members(file, [("page.html", [b"one"]), ("page.html", [b"two"])])
    return file.getvalue()


def with_headers_that_differ() -> bytes:
    """The directory says another name than the member does: programs open one or the other."""
    content = written(GOOD)
    at = content.rindex(b"page.html")
    return content[:at] + b"page.htmk" + content[at + 9 :]


def with_a_gap() -> bytes:
    """Bytes between the members and the directory, all offsets right: no program shows them."""
    content = written(GOOD)
    start = content.index(b"PK\x01\x02")
    end = content[-22:]
    moved = end[:16] + struct.pack("<I", start + 5) + end[20:]
    return content[:start] + b"again" + content[start:-22] + moved


def with_data_before() -> bytes:
    """A program before it: the offsets still count from the first member."""
    return b"#!/bin/sh\n" + written(GOOD)


def with_too_much_said() -> bytes:
    """The first member says a length that reaches beyond the file."""
    content = bytearray(written(GOOD))
    content[18:26] = struct.pack("<II", 2**32 - 1, 2**32 - 1)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x05\x06" + bytes(18),
        written({}),
        written(GOOD) + b"\x00",
        written(GOOD)[:-1],
        written(GOOD) + written(GOOD),
        zipped(commented),
        zipped(method=zipfile.ZIP_DEFLATED),
        zipped(lambda file: file.writestr("../evil", b"x")),
        zipped(lambda file: file.mkdir("tables")),
        with_name_twice(),
        with_headers_that_differ(),
        with_a_gap(),
        with_data_before(),
        with_too_much_said(),
        replaced(b"PK\x03\x04\x0a\x00\x00\x00", b"PK\x03\x04\x0a\x00\x08\x00", 1),
        replaced(b"\x21\x00", b"\x22\x00", 1),
        replaced(b"\x21\x00", b"\x22\x00"),
        replaced(b"<p>", b"<q>"),
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_every_other_way_to_write_it_is_refused(content: bytes) -> None:
    refused_by_both(content)


def test_a_header_of_its_own_length_is_told_at_the_end() -> None:
    """Even the member that another program writes with the same bytes differs in what it says of itself."""
    refused_by_both(zipped())


def test_members_are_those_of_the_scope(desk: Desk) -> None:
    """Unknown members, missing ones, another order: refused, however well the container is written."""
    parts = members_of(desk.bundle("emea-1", key="next.key"))
    for altered in (
        {"a.txt": b"", **parts},
        {**parts, "z.txt": b""},
        {name: parts[name] for name in parts if name != "proofs.jsonl"},
        {name: parts[name] for name in reversed(parts)},
        {**{name: parts[name] for name in parts if name != "page.html"}, "page.html": parts["page.html"]},
    ):
        assert desk.verdict(written(altered), "--key", desk.vkey(0)) == 1


def test_what_is_too_large_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger.proof import container

    monkeypatch.setattr(container, "MOST_BYTES", 1_000)
    for content in ([b"x" * 2_000], [b"x" * 500, b"x" * 600], [b"x" * 930]):
        with pytest.raises(LedgerError, match="the bundle"):
            write_members(BytesIO(), [("page.html", content)])
