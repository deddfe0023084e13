"""The replay page as a file: what the ledger proves of an incident, gathered and handed to the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ledger.errors import Refused

if TYPE_CHECKING:
    from ledger.cli.session import Session
    from ledger.proof.note import Note
    from ledger.store.stream import Entry
    from projections.replay import Cut

__all__ = ["page_of"]


def page_of(
    session: Session,
    entries: Sequence[Entry],
    cut: Cut,
    policies: Mapping[str, Sequence[tuple[int, Any]]],
    subscriptions: Any,
    *,
    checkpoint_file: str | None,
    key_file: str | None,
    sign_command: str | None,
    vkey: str | None,
) -> bytes:
    """Return the replay page of an incident with its proofs against a checkpoint: a kept one, or one made now.

    policies and subscriptions: as `projections.page` takes them. What the checkpoint does not cover is not on the page.
    """
    from importlib.metadata import version

    from ledger.cli.proof import made, own_checkpoint, read_file
    from ledger.store.proofs import inclusion_path
    from projections.page import Evidence, replay_page
    from projections.replay import Cut

    if checkpoint_file is not None and (key_file or sign_command or vkey):
        raise click.UsageError("--checkpoint is signed already; leave out the options that sign another")
    content = (
        made(session, None, key_file, sign_command, vkey)
        if checkpoint_file is None
        else read_file("--checkpoint", checkpoint_file)
    )
    size = own_checkpoint(session, "--checkpoint", content).size
    if cut.recorded_by is not None and cut.recorded_by > size:
        raise Refused(
            f"--recorded-by asks for @{cut.recorded_by}, but the checkpoint has {size} entries; take a later checkpoint"
        )
    upto = size if cut.recorded_by is None else cut.recorded_by
    log = session.log()
    held = [entry for entry in entries if entry.position <= upto]
    if not held:
        raise Refused(
            f"{entries[0].stream} has no entry among the first {upto}; its first is @{entries[0].position}"
        )
    stored = [one for one in log.stream(held[0].stream) if one.position <= upto]
    evidence = Evidence(
        stored=stored,
        paths={one.position: inclusion_path(log, one.position, size) for one in stored},
        checkpoint=content.decode(),
        vkeys=_signers(session, content),
    )
    return replay_page(
        held,
        evidence,
        policies,
        cut=Cut(cut.published_by, upto),
        subscriptions=subscriptions,
        version=version("incident-sla-ledger"),
    )


def _signers(session: Session, content: bytes) -> tuple[str, ...]:
    """Return the keys, of those that the ledger ever had, that a checkpoint says it is signed by."""
    from ledger.domain.keys import key_uses
    from ledger.proof.checkpoint import read_checkpoint
    from ledger.proof.note import key_of
    from ledger.store.stream import read_stream

    note: Note | None = read_checkpoint(content)[1]
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
