"""Commands for proofs: checkpoint, prove, verify-proof. What they write can be checked without the ledger."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.session import Session, emit_json, json_option
from ledger.errors import Refused, Unavailable, counted
from ledger.outputs import Kind, beginning_with, check_output, is_stream, written

if TYPE_CHECKING:
    from ledger.domain.keys import KeyUse
    from ledger.proof.checkpoint import Checkpoint
    from ledger.proof.document_proof import DocumentProof
    from ledger.proof.note import Note, VerifierKey
    from ledger.proof.tlog_proof import ConsistencyProof, InclusionProof

__all__ = [
    "PROOF", "checkpoint", "made", "prove", "read_file", "signer_of", "signing", "verifier_keys", "verify_proof",
]  # fmt: skip

PROOF = beginning_with(
    "a proof",
    b"c2sp.org/tlog-proof@v1\n",
    b"incident-sla-ledger/consistency-proof@v1\n",
    b"incident-sla-ledger/document-proof@v1\n",
)


def signing(command: Any) -> Any:
    """Add the options that say who signs a checkpoint."""
    for option in (
        click.option("--key-file", metavar="FILE", help="Sign with the private key in FILE (ledger key new)."),
        click.option(
            "--sign-command", metavar="CMD",
            help="Let CMD sign: it gets the text on standard input and prints the signature in base64.",
        ),
        click.option("--vkey", help="With --sign-command: the public key it signs for (default: the present one)."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Where to write it (default: standard output).")
@click.option("--recorded-by", metavar="T|@POSITION", help="As the ledger stood then (default: now).")
@signing
@json_option
@click.pass_obj
def checkpoint(
    session: Session, output: str | None, recorded_by: str | None, key_file: str | None, sign_command: str | None,
    vkey: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write the size and the root of the ledger as a signed note, for somebody else to keep.

    Without a key it is written unsigned: good against accidents, not against whoever runs the database.
    """
    size = session.cut(None, recorded_by).recorded_by
    content = made(session, size, signer_of(session, key_file, sign_command, vkey))
    from ledger.proof.checkpoint import read_checkpoint

    found, note = read_checkpoint(content)
    if output is not None:
        # One that was kept is worth what it is worth because nothing replaces it, a later one least of all.
        same = Kind("this very checkpoint", lambda file: file.read(len(content) + 1) == content)
        written(output, content, same)
    if as_json:
        emit_json(
            {
                "origin": found.origin,
                "size": found.size,
                "root": found.root.hex(),
                "signed": note is not None,
                "file": output,
                "note": content.decode(),
            }
        )
    elif output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        click.echo(
            f"wrote {output}  ({counted(found.size, 'entry')}, root {found.root.hex()})",
            err=is_stream(output),
        )
    if note is None:
        click.echo("not signed: no --key-file and no --sign-command were given", err=True)


def made(session: Session, size: int | None, signer: tuple[str, Callable[[bytes], bytes]] | None) -> bytes:
    """Return a checkpoint of the ledger at a size (None: as it stands) as it is kept in a file; signer: of `signer_of`.

    Raises Refused where the stored entries or their tree are not what the head row seals.
    """
    from ledger.proof.checkpoint import Checkpoint, checkpoint_text
    from ledger.proof.note import sign_note
    from ledger.proof.own import sealed_root

    head = session.log().head()
    size = head.size if size is None else size
    text = checkpoint_text(Checkpoint(_origin(head.ledger), size, sealed_root(session.log(), size)))
    return text.encode() if signer is None else sign_note(text, *signer)


def signer_of(
    session: Session, key_file: str | None, sign_command: str | None, vkey: str | None
) -> tuple[str, Callable[[bytes], bytes]] | None:
    """Return the vkey that signs and how it does, as the options of `signing` say; None where nobody signs.

    Raises Refused for a key that the ledger says was revoked or replaced.
    """
    if key_file is not None and (sign_command is not None or vkey is not None):
        raise click.UsageError("--key-file signs by itself; leave out --sign-command and --vkey")
    if vkey is not None and sign_command is None:
        raise click.UsageError("--vkey says whose signature --sign-command makes; add --sign-command")
    if key_file is not None:
        from ledger.proof.signers import read_key_file

        key = read_key_file(key_file)
        _check_signer(session, key.vkey)
        return key.vkey, key.sign
    if sign_command is None:
        return None
    from ledger.proof.signers import command_signature

    command = sign_command
    # What is no public key, a private one above all, is named by no sentence that follows.
    vkey = str(verifier_key("--vkey", vkey)) if vkey else _only_present(session)
    _check_signer(session, vkey)
    return vkey, lambda message: command_signature(command, message)


def _origin(ledger: str) -> str:
    if not ledger.isprintable() or not ledger:
        raise Refused(
            f"the id of the ledger {ledger!r} cannot be the origin of a checkpoint, which is one visible line"
        )
    return ledger


def _uses(session: Session) -> list[KeyUse]:
    """Return every key that the ledger ever had, whatever became of it."""
    from ledger.domain.keys import key_uses
    from ledger.store.stream import read_stream

    log = session.log()
    return [
        use
        for stream in log.streams("key/", limit=100_000)
        for use in key_uses((one.version, one.event) for one in read_stream(log, stream))
    ]


def _only_present(session: Session) -> str:
    present = sorted({use.vkey for use in _uses(session) if use.state == "present"})
    if len(present) != 1:
        raise click.UsageError(
            f"the ledger has {len(present)} present keys ({', '.join(present) or 'none'}); say with --vkey which one signs"
        )
    return present[0]


def _check_signer(session: Session, vkey: str) -> None:
    """Refuse a key that the ledger says is out of use: nobody who reads it may count its signature. Warn of an unknown one."""
    uses = _uses(session)
    states = {use.state for use in uses if use.vkey == vkey}
    if not states:
        click.echo(
            f"warning: {vkey} is no present key of this ledger; publish it (ledger key publish), so that it can be "
            "found again",
            err=True,
        )
    elif "revoked" in states or "present" not in states:
        present = sorted({use.vkey for use in uses if use.state == "present"})
        step = (
            f"sign with a key in use: {', '.join(present)}"
            if present
            else "no key is in use; make another one (ledger key new) and sign with that"
        )
        state = "revoked" if "revoked" in states else "replaced"
        raise Refused(
            f"{vkey} was {state} in this ledger (see ledger key list), so its signature counts no longer; {step}"
        )


@click.command()
@click.argument("entry", metavar="@POSITION|KEY ENTRY", nargs=-1)
@click.option(
    "--from", "from_", metavar="CHECKPOINT", help="Prove that the ledger continues this checkpoint."
)
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
    session: Session, entry: tuple[str, ...], from_: str | None, checkpoint_file: str | None, output: str | None,
    key_file: str | None, sign_command: str | None, vkey: str | None,
) -> None:  # fmt: skip
    """Prove that an entry is in the ledger, or with --from that nothing before a checkpoint was changed.

    ENTRY is @812, or the incident's key and a ref, r3 or v5. The file is a C2SP tlog-proof; ledger verify-proof checks
    it without the ledger.
    """
    if bool(entry) == (from_ is not None):
        raise click.UsageError("name either an entry or, with --from, an earlier checkpoint")
    if checkpoint_file is not None and (key_file or sign_command or vkey):
        raise click.UsageError("--checkpoint is signed already; leave out the options that sign another")
    if output is not None:
        check_output(output, PROOF)
    content = (
        made(session, None, signer_of(session, key_file, sign_command, vkey))
        if checkpoint_file is None
        else read_file("--checkpoint", checkpoint_file)
    )
    later = own_checkpoint(session, f"--checkpoint {checkpoint_file or ''}".strip(), content)
    if from_ is None:
        proof = _inclusion(session, entry, later, content, now=checkpoint_file is None)
    else:
        proof = _consistency(session, from_, later, content)
    if output is None:
        sys.stdout.buffer.write(proof)
        sys.stdout.buffer.flush()
        return
    written(output, proof, PROOF)
    click.echo(
        f"wrote {output}  (against {counted(later.size, 'entry')}, root {later.root.hex()})",
        err=is_stream(output),
    )


def _inclusion(
    session: Session, entry: tuple[str, ...], later: Checkpoint, content: bytes, *, now: bool
) -> bytes:
    """Return a proof that an entry is among those of a checkpoint. now: whether that was made of the ledger as it stands."""
    from ledger.cli.read import position_named
    from ledger.proof.own import sealed_path
    from ledger.proof.tlog_proof import inclusion_file

    position = position_named(session, entry)
    if position > later.size:
        raise Refused(
            f"entry @{position} is beyond the ledger, which has {counted(later.size, 'entry')}"
            if now
            else f"entry @{position} is not among the {counted(later.size, 'entry')} of the checkpoint; take a later checkpoint"
        )
    stored = session.log().at(position)
    if stored is None:
        raise Unavailable(f"position {position} is missing; run ledger verify")
    path = sealed_path(session.log(), position, later.size, later.root, stored.entry)
    return inclusion_file(position - 1, path, content)


def _consistency(session: Session, from_: str, later: Checkpoint, content: bytes) -> bytes:
    from ledger.proof.tlog_proof import consistency_file
    from ledger.store.proofs import consistency_path

    earlier = read_file("--from", from_)
    old = own_checkpoint(session, f"--from {from_}", earlier)
    if not 1 <= old.size <= later.size:
        raise Refused(
            f"--from {from_} has {counted(old.size, 'entry')} and the later checkpoint {later.size}; the earlier one has from 1 to as many"
        )
    return consistency_file(consistency_path(session.log(), old.size, later.size), earlier, content)


def own_checkpoint(session: Session, named: str, content: bytes) -> Checkpoint:
    """Return the checkpoint in a file; Refused unless the ledger at hand had that root at that size.

    named: what the file is called in sentences, such as its option and its path.
    """
    from ledger.proof.checkpoint import read_checkpoint
    from ledger.proof.errors import ProofError
    from ledger.proof.own import sealed_root

    try:
        found, _ = read_checkpoint(content)
    except ProofError as error:
        raise Refused(f"{named} is no checkpoint: {error}") from None
    head = session.log().head()
    if found.origin != head.ledger:
        raise Refused(f"{named} is of {found.origin[:200]!r}, but this ledger is {head.ledger!r}")
    if found.size > head.size:
        raise Refused(
            f"{named} has {counted(found.size, 'entry')}, but this ledger has {head.size}: its tail was cut off"
        )
    root = sealed_root(session.log(), found.size)
    if root != found.root:
        raise Refused(
            f"{named} has the root {found.root.hex()} for {counted(found.size, 'entry')}, but this ledger has {root.hex()}: it is "
            "another history; see ledger verify --against"
        )
    return found


@click.command("verify-proof")
@click.argument("file", metavar="FILE")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Whom to trust: NAME+ID+KEY, or a file with one in each line.",
)
@click.option(
    "--entry",
    "entry",
    metavar="FILE|-",
    help="The bytes of the entry (ledger show --raw), for a proof of inclusion.",
)
@click.option("--leaf", metavar="HEX", help="Instead of --entry: the leaf hash, as a receipt states it.")
@json_option
@click.pass_context
def verify_proof(
    ctx: click.Context, file: str, keys: tuple[str, ...], entry: str | None, leaf: str | None, as_json: bool
) -> None:
    """Check a proof without any ledger.

    Exit code 0: it holds and a key you named signed it; 1: it does not hold, or was altered; 3: there was no key, or no
    signature, to check it with.
    """
    from ledger.proof.errors import ProofError

    content = read_file("FILE", file)
    trusted = verifier_keys(keys)
    try:
        found, notes = _checked(file, content, entry, leaf)
        _tell_proven(ctx, found, notes, trusted, as_json)
    except ProofError as error:
        if as_json:
            emit_json({"ok": False, "detail": str(error)})
        raise


def _checked(
    file: str, content: bytes, entry: str | None, leaf: str | None
) -> tuple[dict[str, Any], list[Note | None]]:
    """Return what the proof in a file proves, and the notes it rests on. Raises ProofError where it does not hold."""
    from ledger.proof.document_proof import DOCUMENT, parse_document
    from ledger.proof.errors import ProofError
    from ledger.proof.tlog_proof import ConsistencyProof, InclusionProof, parse_proof

    one_of_lines = content.startswith(f"{DOCUMENT}\n".encode())
    try:
        proof = parse_document(content) if one_of_lines else parse_proof(content)
    except ProofError as error:
        raise ProofError(f"FILE {file} is no proof that can be read: {error}") from None
    if isinstance(proof, InclusionProof):
        return _checked_inclusion(proof, entry, leaf), [proof.note]
    if entry is not None or leaf is not None:
        raise click.UsageError(
            "a proof of lines holds the entry itself; leave out --entry and --leaf"
            if one_of_lines
            else "a proof of consistency is of no single entry; leave out --entry and --leaf"
        )
    if isinstance(proof, ConsistencyProof):
        return _checked_consistency(proof), [proof.old_note, proof.new_note]
    return _checked_document(proof), [proof.inclusion.note]


def _tell_proven(
    ctx: click.Context,
    found: dict[str, Any],
    notes: list[Note | None],
    trusted: list[VerifierKey],
    as_json: bool,
) -> None:
    """Print what is proven and who signed it; exit code 3 where that could not be checked."""
    signers = [signers_of(note, trusted) for note in notes]
    names = [sorted(map(str, one)) for one in signers]
    found["signed_by"] = sorted({*names[0]}.intersection(*names[1:]))
    if len(names) > 1:
        # Between the two checkpoints the key may have been replaced.
        found["old_signed_by"], found["new_signed_by"] = names
    if as_json:
        emit_json({"ok": True, **found})
    else:
        click.echo(found["proven"])
        for key in found["signed_by"]:
            click.echo(f"signed by {key}")
        for which, keys in zip(("earlier", "later"), names, strict=False):
            for key in keys:
                if key not in found["signed_by"]:
                    click.echo(f"the {which} checkpoint is signed by {key}")
    if not all(signers):
        unsigned = [
            f"the {which} checkpoint"
            for which, note in zip(("earlier", "later"), notes, strict=False)
            if note is None
        ]
        missing = (
            f"{' and '.join(unsigned) if len(notes) > 1 else 'the checkpoint'} {'are' if len(unsigned) > 1 else 'is'} not signed"
            if unsigned
            else "no key was given to check the signature with (--key)"
        )
        click.echo(f"whose ledger this is was not checked: {missing}", err=True)
        ctx.exit(3)


def _checked_inclusion(proof: InclusionProof, entry: str | None, leaf: str | None) -> dict[str, Any]:
    from ledger.proof.merkle import leaf_of

    if (entry is None) == (leaf is None):
        raise click.UsageError(
            "a proof of inclusion is of an entry; give its bytes with --entry or its hash with --leaf"
        )
    if leaf is not None:
        try:
            hashed = bytes.fromhex(leaf)
        except ValueError:
            raise click.UsageError(f"--leaf {leaf!r} is not hexadecimal") from None
        if len(hashed) != 32:  # bytes of SHA-256
            raise click.UsageError(f"--leaf {leaf!r} is no hash of SHA-256, which has 64 hexadecimal digits")
        proof.check(hashed)
    else:
        content = read_file("--entry", str(entry))
        # `ledger show --raw` ends its line; the bytes of an entry never end in one.
        hashed = leaf_of(content.removesuffix(b"\n"))
        proof.check(hashed)
    position, size = proof.leaf_index + 1, proof.checkpoint.size
    return {
        "kind": "inclusion", "origin": proof.checkpoint.origin, "position": position, "size": size,
        "root": proof.checkpoint.root.hex(), "leaf": hashed.hex(),
        "proven": f"entry @{position} of {proof.checkpoint.origin} is among the first {size:,}, root {proof.checkpoint.root.hex()}",
    }  # fmt: skip


def _checked_document(proof: DocumentProof) -> dict[str, Any]:
    found, inclusion = proof.check(), proof.inclusion
    name = f"{found.kind} {found.header['stream'].partition('/')[2]} number {found.data['number']} for {found.data['period']}"
    lines = [f"{name}, entry @{inclusion.leaf_index + 1} of {inclusion.checkpoint.origin}, has these lines:"]
    for line, assessment in found.lines:
        facts = assessment.get("after") or assessment.get("before") or assessment
        days = "" if line.get("service_days") is None else f", {line['service_days']} days of service"
        lines.append(
            f"{line['customer']}  {line['subscription']}  {line['amount']} {line['currency']}{days}  ({facts.get('rule', 'no rule')})"
        )
    lines.append("whether these are all lines of the customer is not proven")
    return {
        "kind": "document", "origin": inclusion.checkpoint.origin, "position": inclusion.leaf_index + 1,
        "size": inclusion.checkpoint.size, "root": inclusion.checkpoint.root.hex(), "document": found.kind,
        "series": found.header["stream"].partition("/")[2], "number": found.data["number"], "period": found.data["period"],
        "lines": [{**line, "assessment": assessment} for line, assessment in found.lines], "proven": "\n".join(lines),
    }  # fmt: skip


def _checked_consistency(proof: ConsistencyProof) -> dict[str, Any]:
    proof.check()
    old, new = proof.old, proof.new
    return {
        "kind": "consistency", "origin": new.origin, "from_size": old.size, "from_root": old.root.hex(),
        "size": new.size, "root": new.root.hex(),
        "proven": f"the first {old.size:,} of the {new.size:,} entries of {new.origin} are those of the earlier checkpoint: "
        f"nothing was changed, only added; root {new.root.hex()}",
    }  # fmt: skip


def signers_of(note: Note | None, trusted: list[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Return which trusted keys signed a note, none where there is no note or nobody is trusted; ProofError where it fails."""
    from ledger.proof.note import verify_note

    return verify_note(note, trusted) if note is not None and trusted else ()


def verifier_key(option: str, text: str) -> VerifierKey:
    """Return the public key that an option spells; a usage error where it is none."""
    from ledger.proof.errors import ProofError
    from ledger.proof.note import key_of

    try:
        return key_of(text)
    except ProofError as error:
        raise click.UsageError(f"{option}: {error}") from None


def verifier_keys(given: tuple[str, ...]) -> list[VerifierKey]:
    """Return the keys that --key names, each a vkey or a file with one in each line; a usage error where one is none.

    No sentence repeats a private key that was given by mistake.
    """
    from ledger.domain.checks import PRIVATE_MARKS
    from ledger.proof.errors import ProofError
    from ledger.proof.note import key_of

    found: list[VerifierKey] = []
    for one in given:
        is_file = os.path.isfile(one)
        try:
            text = read_file("--key", one).decode() if is_file else one
            if is_file and any(mark in text for mark in PRIVATE_MARKS):
                raise click.UsageError(
                    f"--key: {one} holds a private key, for its owner alone; name a file with the public one, as ledger key show "
                    "prints it"
                )
            found += (
                [key_of(line.strip()) for line in text.splitlines() if line.strip()]
                if is_file
                else [key_of(one)]
            )
        except UnicodeDecodeError:
            raise click.UsageError(
                f"--key {one} is no text; it has a key, NAME+ID+KEY, in each line"
            ) from None
        except ProofError as error:
            where = f", in the file {one}" if is_file else ", and there is no such file"
            raise click.UsageError(f"--key: {error}{where if '+' not in one else ''}") from None
        except Unavailable as error:
            raise click.UsageError(str(error)) from None
    return found


def read_file(option: str, path: str) -> bytes:
    """Return the bytes of a file, of standard input for -."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Unavailable(f"{option} {path} cannot be read: {error.strerror}; check the path") from None
