"""The command that proves a customer's lines of a document, without showing the others."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from ledger.cli.proof import PROOF, made, own_checkpoint, read_file, signer_of, signing
from ledger.cli.session import Session
from ledger.errors import Refused, nearest
from ledger.outputs import check_output, is_stream, written

__all__ = ["prove"]


@click.command()
@click.argument("number", type=int)
@click.option("--customer", required=True, help="Whose lines are proven.")
@click.option("--series", default="main", show_default=True, help="The series of the document.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    metavar="FILE",
    help="Prove against this checkpoint (default: one made now).",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write it (default: standard output).")
@signing
@click.pass_obj
def prove(
    session: Session, number: int, customer: str, series: str, checkpoint_file: str | None, output: str | None,
    key_file: str | None, sign_command: str | None, vkey: str | None,
) -> None:  # fmt: skip
    """Prove which lines document NUMBER has for one customer. ledger verify-proof checks the file without the ledger.

    The file shows those lines, what they rest on and the document's own entry; of other lines it shows hashes of salted
    text. That it holds all lines of the customer is not proven.
    """
    from ledger.cli.documents import chain_of
    from ledger.proof.document_proof import document_file
    from ledger.proof.own import sealed_path
    from ledger.proof.tlog_proof import inclusion_file
    from ledger.store.lines import KeptLines

    if checkpoint_file is not None and (key_file or sign_command or vkey):
        raise click.UsageError("--checkpoint is signed already; leave out the options that sign another")
    if output is not None:
        check_output(output, PROOF)
    document = (
        chain_of(session, series, lambda one: one.number == number, f"number {number}").upto(number).last
    )
    log = session.log()
    stored = log.stream(f"statement/{series}", after=document.version - 1, upto=document.version)[0]
    content = (
        made(session, None, signer_of(session, key_file, sign_command, vkey))
        if checkpoint_file is None
        else read_file("--checkpoint", checkpoint_file)
    )
    later = own_checkpoint(session, "--checkpoint", content)
    if stored.position > later.size:
        raise Refused(
            f"number {number} (@{stored.position}) is not among the {later.size} entries of the checkpoint; take a later one"
        )
    path = sealed_path(log, stored.position, later.size, later.root, stored.entry)
    inclusion = inclusion_file(stored.position - 1, path, content)
    leaves = _leaves(KeptLines(log, document.event.lines).whole(), document.event.lines.assessments, customer)
    proof = document_file(stored.entry, leaves, inclusion)
    if output is None:
        sys.stdout.buffer.write(proof)
        sys.stdout.buffer.flush()
        return
    written(output, proof, PROOF)
    shown = sum(leaf.place >= document.event.lines.assessments for leaf in leaves)
    click.echo(
        f"wrote {output}  ({shown} line{'s' if shown > 1 else ''} of {customer}, against {later.size:,} entries, root "
        f"{later.root.hex()})",
        err=is_stream(output),
    )


def _leaves(content: bytes, assessments: int, customer: str) -> list[Any]:
    from ledger.proof.document_proof import Leaf
    from ledger.store.lines import leaf_paths, split_lines

    leaves = split_lines(content)
    wanted: set[int] = set()
    others: set[str] = set()
    for at in range(assessments, len(leaves)):
        line = msgspec.json.decode(leaves[at])["line"]
        if line["customer"] == customer:
            wanted |= {at, line["assessment"]}
        elif len(others) < 100_000:
            others.add(line["customer"])
    if not wanted:
        raise Refused(f"customer {customer!r} has no line in this document{nearest(customer, others)}")
    paths = leaf_paths(leaves, sorted(wanted))
    return [Leaf(at, leaves[at], tuple(paths[at])) for at in sorted(wanted)]
