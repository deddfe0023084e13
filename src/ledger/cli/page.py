"""The replay page as a file: what the ledger proves of an incident, gathered and handed to the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ledger.errors import Refused, counted
from ledger.outputs import Kind, check_output, written

if TYPE_CHECKING:
    from ledger.cli.session import Session
    from ledger.proof.checkpoint import Checkpoint
    from ledger.proof.note import Note
    from ledger.store.stream import Entry
    from projections.page import Evidence, Terms
    from projections.replay import Cut

__all__ = ["write_page"]


def _is_page(file: BinaryIO) -> bool:
    head = file.read(4_096)
    return head.startswith(b"<!doctype html>\n") and b"<title>Replay of " in head


_PAGE = Kind("a page of replay", _is_page)


def write_page(
    session: Session,
    entries: Sequence[Entry],
    cut: Cut,
    file: str,
    terms_at: Callable[[int], Terms],
    *,
    checkpoint_file: str | None,
    key_file: str | None,
    sign_command: str | None,
    vkey: str | None,
) -> dict[str, Any]:
    """Write the replay page of an incident and return what was written, for programs (contract in docs/json.md).

    Its proofs are against a checkpoint: a kept one, or one made and signed now. What that does not cover is not on the
    page. terms_at: what the figures are computed with, as the ledger held it at a size.
    """
    from importlib.metadata import version

    from ledger.cli.proof import made, own_checkpoint, read_file, signer_of
    from projections.page import replay_page
    from projections.replay import Cut

    if checkpoint_file is not None and (key_file or sign_command or vkey):
        raise click.UsageError("--checkpoint is signed already; leave out the options that sign another")
    check_output(file, _PAGE)
    content = (
        made(session, None, signer_of(session, key_file, sign_command, vkey))
        if checkpoint_file is None
        else read_file("--checkpoint", checkpoint_file)
    )
    checkpoint = own_checkpoint(session, "--checkpoint", content)
    upto = _upto(cut, checkpoint.size)
    held = [entry for entry in entries if entry.position <= upto]
    if not held:
        raise Refused(
            f"{entries[0].stream} has no entry among the first {upto}; its first is @{entries[0].position}"
        )
    evidence = _evidence(session, held, checkpoint, content)
    page = replay_page(
        held,
        evidence,
        terms_at(upto),
        cut=Cut(cut.published_by, upto),
        version=version("incident-sla-ledger"),
    )
    written(file, page, _PAGE)
    return {
        "file": file,
        "sha256": sha256(page).hexdigest(),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed": bool(_note(content)),
    }


def _upto(cut: Cut, size: int) -> int:
    """Return the position up to which the page tells the incident."""
    if cut.recorded_by is not None and cut.recorded_by > size:
        raise Refused(
            f"--recorded-by asks for @{cut.recorded_by}, but the checkpoint has {counted(size, 'entry')}; take a later checkpoint"
        )
    return size if cut.recorded_by is None else cut.recorded_by


def _evidence(session: Session, entries: Sequence[Entry], checkpoint: Checkpoint, content: bytes) -> Evidence:
    from ledger.proof.own import sealed_path
    from projections.page import Evidence

    log = session.log()
    last = entries[-1].position
    stored = [one for one in log.stream(entries[0].stream) if one.position <= last]
    return Evidence(
        stored=stored,
        paths={
            one.position: sealed_path(log, one.position, checkpoint.size, checkpoint.root, one.entry)
            for one in stored
        },
        checkpoint=content.decode(),
        vkeys=_signers(session, content),
    )


def _note(content: bytes) -> Note | None:
    from ledger.proof.checkpoint import read_checkpoint

    return read_checkpoint(content)[1]


def _signers(session: Session, content: bytes) -> tuple[str, ...]:
    """Return the keys, of those that the ledger ever had, that a checkpoint says it is signed by."""
    from ledger.domain.keys import key_uses
    from ledger.proof.note import key_of
    from ledger.store.stream import read_stream

    note = _note(content)
    if note is None:
        return ()
    wanted = {(one.name, one.key_id) for one in note.signatures}
    found: dict[str, None] = {}
    for stream in session.log().streams("key/", limit=100_000):
        for use in key_uses((one.version, one.event) for one in read_stream(session.log(), stream)):
            key = key_of(use.vkey)
            if (key.name, key.key_id) in wanted:
                found[use.vkey] = None
    return tuple(found)
