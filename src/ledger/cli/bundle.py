"""Commands for bundles: one file that an auditor keeps and checks alone, and out of which a ledger comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ledger.cli.kept import Compared
from ledger.cli.proof import made, signer_of, signing, verifier_keys
from ledger.cli.session import Session, emit_json, json_option, say, visible
from ledger.errors import Refused, Unavailable, counted
from ledger.outputs import Kind, check_output, is_stream, output_file

if TYPE_CHECKING:
    from ledger.proof.against import Kept
    from ledger.proof.bundle import Scope
    from ledger.proof.bundle_check import Bundle, BundleReport
    from ledger.proof.container import Bytes
    from ledger.proof.documents import DocumentFault
    from ledger.proof.note import VerifierKey

__all__ = ["bundle", "import_", "verify_bundle"]

# Of what is wrong with a bundle a refusal shows so many.
_DETAILS = 20


def _is_bundle(file: BinaryIO) -> bool:
    """Return whether a file begins as the container of a bundle does: a ZIP file whose first member is the checkpoint."""
    head = file.read(45)
    return head[:4] == b"PK\x03\x04" and head[30:] == b"checkpoint.note"


_BUNDLE = Kind("a bundle", _is_bundle)


@click.command()
@click.argument("key", required=False)
@click.option("--customer", metavar="ID", help="What concerns one customer, and nothing of any other.")
@click.option(
    "--all", "whole", is_flag=True, help="The whole ledger, with its tables; ledger import --bundle takes it."
)
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write it.")
@click.option(
    "--with",
    "with_",
    type=click.Choice(["actor", "note"]),
    multiple=True,
    help="Put in who said and who approved it, or notes that are not public; may be given twice.",
)
@click.option(
    "--recorded-by", metavar="T|@POSITION|CHECKPOINT", help="As the ledger stood then (default: now)."
)
@signing
@json_option
@click.pass_obj
def bundle(
    session: Session, key: str | None, customer: str | None, whole: bool, output: str, with_: tuple[str, ...],
    recorded_by: str | None, key_file: str | None, sign_command: str | None, vkey: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write incident KEY, what concerns a customer, or the whole ledger into one file that can be checked alone.

    In it are the entries as stored, their texts, a checkpoint, proofs, the public keys, the policies used and a page for
    people. Actors, those who approved, and notes are left out unless asked for; texts that were erased are gone. What it does not prove stands in
    it, too. Without a key it is written unsigned: whoever reads it cannot tell who made it.
    """
    from ledger.cli.bundle_contents import contents_of
    from ledger.proof.bundle_made import write_bundle
    from ledger.proof.checkpoint import read_checkpoint
    from ledger.proof.note import sign_note

    scope = _scope(key, customer, whole=whole)
    check_output(output, _BUNDLE)
    log = session.log()
    size = session.cut(None, recorded_by).recorded_by
    size = log.head().size if size is None else size
    if not size:
        raise Unavailable("the ledger is empty: there is nothing to bundle")
    signer = signer_of(session, key_file, sign_command, vkey)
    note = made(session, size, signer)
    sign: Callable[[str], bytes] = str.encode if signer is None else lambda text: sign_note(text, *signer)
    with log.snapshot(), output_file(output, _BUNDLE) as beside, beside.open("w+b") as file:
        contents = contents_of(log, scope, size, tuple(sorted(set(with_))))
        said = write_bundle(file, log, contents, read_checkpoint(note)[0], note, sign)
        file.flush()
        with _mapped(file) as content:
            _check_own(content)
    if as_json:
        emit_json({"file": output, "signed": signer is not None, **said})
    else:
        aside = is_stream(output)
        click.echo(
            f"wrote {output}  ({counted(said['entries'], 'entry')} of {size:,}, root {said['root']})",
            err=aside,
        )
        _echo_lacks(said, aside=aside)
    if signer is None:
        click.echo("not signed: no --key-file and no --sign-command were given", err=True)
    if said["texts"]["gone"]:
        click.echo(
            f"warning: {counted(len(said['texts']['gone']), 'text')} {'is' if len(said['texts']['gone']) == 1 else 'are'} gone and no entry in the bundle says that they were erased; run "
            "ledger verify, unless they were erased after the checkpoint",
            err=True,
        )


def _scope(key: str | None, customer: str | None, *, whole: bool) -> Scope:
    from ledger.proof.bundle import ALL, Scope

    if (key is not None) + (customer is not None) + whole != 1:
        raise click.UsageError("name one: the KEY of an incident, --customer ID, or --all")
    if whole:
        return ALL
    return Scope("incident", key) if key is not None else Scope("customer", customer or "")


def _check_own(content: Bytes) -> None:
    """Refuse to hand out a bundle that does not hold: the ledger it was made of is damaged."""
    from ledger.proof.bundle_check import check_bundle, open_bundle

    report = check_bundle(open_bundle(content))
    if report.problems:
        first = report.problems[0]
        where = "" if first.position is None else f"@{first.position} "
        raise Refused(
            f"the ledger was altered or damaged, and no bundle is made of it: {where}{first.kind}, {first.detail}; run ledger "
            "verify"
        )


def _echo_lacks(said: dict[str, Any], *, aside: bool = False) -> None:
    click.echo("it does not prove:", err=aside)
    for sentence in said["does_not_prove"].values():
        click.echo(f"  {sentence}", err=aside)


@click.command("verify-bundle")
@click.argument("file", metavar="FILE")
@click.option(
    "--key", "keys", multiple=True, metavar="VKEY",
    help="Whom to trust: NAME+ID+KEY, or a file with one in each line. A key of the first day will do, where the bundle "
    "has its rotations.",
)  # fmt: skip
@click.option(
    "--against", "checkpoints", multiple=True, metavar="CHECKPOINT",
    help="Also compare with a checkpoint that was kept elsewhere; may be given more than once.",
)  # fmt: skip
@json_option
@click.pass_context
def verify_bundle(
    ctx: click.Context, file: str, keys: tuple[str, ...], checkpoints: tuple[str, ...], as_json: bool
) -> None:
    """Check a bundle without any ledger: every byte of it, and who made it.

    Exit code 0: all of it holds, and a key you named (or one that follows from it) signed it; 1: something does not hold;
    3: there was no key, or no signature, to check it with, or a checkpoint could not be compared.
    """
    from ledger.proof.bundle_check import BundleProblem, check_bundle, open_bundle
    from ledger.proof.errors import ProofError

    trusted = verifier_keys(keys)
    compared = Compared([], [])
    with _opened(file) as content:
        try:
            opened = open_bundle(content)
            report = check_bundle(opened, trusted)
            undone = (
                []
                if report.unchecked is None
                else [f"whose ledger this is was not checked: {report.unchecked}"]
            )
            if report.ok:
                report, compared = _against(opened, report, checkpoints, trusted)
            if report.ok:
                report = report._replace(
                    problems=tuple(BundleProblem(*one) for one in _document_faults(opened))
                )
        except ProofError as error:
            _fail_unread(ctx, str(error), as_json=as_json)
    if as_json:
        emit_json({**report.as_json(), "compared": compared.as_json()})
    else:
        _echo(report, len(compared.kept))
    for one in compared.apart:
        click.echo(visible(str(one)), err=True)
    if not report.ok:
        found = _found(report, disputed=compared.disputed)
        click.echo(f"{counted(len(report.problems), 'problem')} found: {found}", err=True)
        ctx.exit(1)
    for sentence in undone:
        click.echo(visible(sentence), err=True)
    if undone or compared.apart:
        ctx.exit(3)


def _fail_unread(ctx: click.Context, sentence: str, *, as_json: bool) -> None:
    if as_json:
        emit_json(
            {"ok": False, "problems": [{"position": None, "kind": "bundle-refused", "detail": sentence}]}
        )
    else:
        say(f"bundle-refused  {sentence}")
    click.echo("1 problem found: the bundle was altered, or is none", err=True)
    ctx.exit(1)


def _echo(report: BundleReport, compared: int) -> None:
    said = report.said
    for problem in report.problems:
        where = "bundle" if problem.position is None else f"@{problem.position}"
        say(f"{where}  {problem.kind}  {problem.detail}")
    if report.problems:
        return
    of = {"all": "whole", "incident": "incident", "customer": "customer"}[said["scope"]["kind"]]
    # A line break in a name must not begin a line of the verdict.
    named = said["scope"].get(of, "ledger").replace("\n", "<U+000A>").replace("\t", "<U+0009>")
    say(
        f"verified {counted(said['entries'], 'entry')} of {of} {named}, of {said['size']:,} in {said['ledger']}"
    )
    say(f"root {said['root']}")
    if report.signed_by is not None:
        say(f"signed by {report.signed_by}")
    if compared:
        say(f"compared with {compared} checkpoint{'s' if compared > 1 else ''} kept elsewhere")
    texts = said["texts"]
    say(
        f"texts: {texts['here']:,} here, {texts['erased']:,} erased, {texts['left_out']:,} left out, {len(texts['gone']):,} gone"
    )
    for one in said["streams"] or ():
        gaps = f" without v{', v'.join(map(str, one['left_out']))}" if one["left_out"] else ""
        say(
            f"{one['stream']}: {one['versions']:,} version{'s' if one['versions'] > 1 else ''}{gaps}, complete through @{one['complete_through']}"
        )
    say("it proves:" if report.signed_by else "it proves, for whoever trusts its checkpoint:")
    for sentence in said["proves"].values():
        say(f"  {sentence}")
    _echo_lacks(said)


def _against(
    opened: Bundle, report: BundleReport, checkpoints: tuple[str, ...], trusted: list[VerifierKey]
) -> tuple[BundleReport, Compared]:
    """Return the report with what checkpoints kept elsewhere show, and which of them it was compared with."""
    from ledger.cli.kept import NotCompared, read_kept
    from ledger.proof.against import refusal, rests_on
    from ledger.proof.bundle_check import BundleProblem, key_entries, root_of_first

    # One that was kept may be signed by a key that was in use then; the same rules as for a ledger.
    given = read_kept(checkpoints, trusted, key_entries(opened), opened.recorded_at)
    problems = [BundleProblem(None, "checkpoint-refused", sentence) for sentence in given.refused]
    compared: list[Kept] = []
    contradicting: list[Kept] = []
    here = opened.checkpoint
    for one in given.kept:
        kept = one.checkpoint
        if kept.origin != here.origin:
            sentence = f"{one.name} is of {kept.origin[:200]!r}, the bundle of {here.origin!r}"
            problems.append(BundleProblem(None, "other-ledger", sentence))
            continue
        root = root_of_first(opened, kept.size)
        if root is None:
            because = f"it has {kept.size:,} entries and the bundle {here.size:,}; ask for a proof with ledger prove --from"
            given.apart.append(NotCompared(one.name, because))
        else:
            compared.append(one)
            if root != kept.root:
                contradicting.append(one)
                sentence = (
                    f"{one.name} has the root {kept.root.hex()} for {kept.size} entries, the bundle has {root.hex()}"
                    f"{rests_on(one)}"
                )
                problems.append(BundleProblem(None, "history-rewritten", sentence))
        if one.doubt:
            problems.append(BundleProblem(None, "checkpoint-refused", refusal(one, agrees=root == kept.root)))
    disputed = bool(contradicting) and all(one.doubt for one in contradicting)
    return (
        report._replace(problems=(*report.problems, *problems)),
        Compared(compared, given.apart, disputed=disputed),
    )


def _found(report: BundleReport, *, disputed: bool) -> str:
    """Return the end of the sentence on problems: what they are of."""
    kinds = {problem.kind for problem in report.problems}
    if all(kind.startswith("document-") for kind in kinds):
        return "what was issued does not add up"
    if not report.intact:
        return "the bundle was altered"
    if "not-signed" in kinds:
        return "no key that counts signed the bundle; the bundle itself is whole"
    if "history-rewritten" not in kinds:
        return "what was to be compared with does not count; the bundle itself is whole"
    if disputed:
        return (
            "the bundle contradicts what a key signed that, by its own entries, does not count: the ledger was altered, or that "
            "signature is not by the owner of the key"
        )
    return "the bundle is whole in itself, and of another history than the one that was signed"


@click.command("import")
@click.option(
    "--bundle",
    "file",
    metavar="FILE",
    required=True,
    help="A bundle of the whole ledger (ledger bundle --all).",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="VKEY",
    help="Who has to have signed the bundle: NAME+ID+KEY, or a file with one in each line.",
)
@click.option(
    "--lacking-texts",
    is_flag=True,
    help="Take a bundle without its actors and notes, or without texts that are gone; ledger verify will miss each.",
)
@click.option(
    "--earlier-rules",
    is_flag=True,
    help="Take entries that today's rules of order refuse, as a ledger may hold from when there were fewer.",
)
@json_option
@click.pass_context
def import_(
    ctx: click.Context, /, file: str, keys: tuple[str, ...], *, lacking_texts: bool, earlier_rules: bool, as_json: bool
) -> None:  # fmt: skip
    """Write the ledger of a bundle into the empty place that --ledger names: the same entries, the same root.

    The bundle is checked first, all of it; what is not the whole of a ledger is refused, and so is a place that holds entries.
    Refused, too, is an entry that no ledger would have recorded: of a type or with a field that is not known, or out of order.

    Exit code 0: imported, and a key you named (or one that follows from it) signed it; 1: refused, and nothing was written;
    3: imported, but there was no key, or no signature, to check whose ledger it is.
    """
    session: Session = ctx.obj
    from ledger.proof.bundle import ENTRIES, TABLES, TEXTS
    from ledger.proof.bundle_check import check_bundle, open_bundle
    from ledger.store.location import open_log

    trusted = verifier_keys(keys)
    with _opened(file) as content:
        opened = open_bundle(content)
        report = check_bundle(opened, trusted)
        _check_importable(report, signed=bool(trusted), lacking_texts=lacking_texts)
        _refuse_unfit(opened, order=not earlier_rules)
        lines = zip(opened.lines(ENTRIES), opened.lines(TEXTS), strict=True)
        tables = (
            (name.removeprefix(TABLES), b"".join(opened.pieces(name)))
            for name in opened.members
            if name.startswith(TABLES)
        )
        log = open_log(session.url)
        try:
            head = log.restore(opened.checkpoint.origin, lines, tables, opened.checkpoint.root)
        finally:
            log.close()
    if as_json:
        emit_json(
            {
                "ledger": head.ledger, "size": head.size, "root": head.root.hex(),
                "tables": len(report.said["tables"]["here"]), "signed_by": report.signed_by,
            }
        )  # fmt: skip
    else:
        say(f"imported {counted(head.size, 'entry')} of {head.ledger}")
        click.echo(f"root {head.root.hex()}")
    if report.unchecked is not None:
        click.echo(f"it is imported, but whose ledger this is was not checked: {report.unchecked}", err=True)
        ctx.exit(3)


def _check_importable(report: BundleReport, *, signed: bool, lacking_texts: bool) -> None:
    """Refuse a bundle that does not hold, or is not the whole of a ledger."""
    said = report.said
    if report.problems:
        what = (
            "the bundle is whole in itself, but no key that counts signed it"
            if report.intact
            else "the bundle was altered"
        )
        sentence = f"{what}, and nothing was imported"
        details = [f"{one.kind}: {one.detail}" for one in report.problems[:_DETAILS]]
        hints = ("ledger verify-bundle lists what else was found",) if len(report.problems) > _DETAILS else ()
        raise Refused(sentence, (sentence, *details), hints)
    if signed and report.signed_by is None:
        raise Refused(f"--key was given, but {report.unchecked}; nothing was imported")
    if said["scope"]["kind"] != "all":
        raise Refused(
            f"the bundle holds {said['entries']} of {said['size']} entries, and a ledger is imported whole; make one with "
            "ledger bundle --all"
        )
    texts = said["texts"]
    if (texts["left_out"] or texts["gone"]) and not lacking_texts:
        raise Refused(
            f"the bundle lacks {texts['left_out']} actors and notes that were left out, and {len(texts['gone'])} other texts, which "
            "would be lost; make it with --with actor --with note, or pass --lacking-texts"
        )


def _refuse_unfit(opened: Bundle, *, order: bool) -> None:
    """Refuse a bundle with unfit entries: they are signed and whole, and no ledger would have recorded them."""
    from ledger.proof.bundle import ENTRIES
    from ledger.store.replayed import unfit

    found = sorted(unfit(opened.spans(ENTRIES), lambda start, end: opened.content[start:end], order=order))
    details = [f"@{one.position} {one.stream} v{one.version} ({one.type}): {one.why}" for one in found]
    # What cannot be read is no document either, and was named.
    details = details or [f"@{one.position} {one.kind}: {one.detail}" for one in _document_faults(opened)]
    if details:
        sentence = (
            f"the bundle holds what no ledger of this version would have recorded ({counted(len(details), 'stream or document', 'streams or documents')}), "
            "and nothing was imported"
        )
        more = len(details) - _DETAILS
        raise Refused(sentence, (sentence, *details[:_DETAILS]), (f"and {more:,} more",) if more > 0 else ())


def _document_faults(opened: Bundle) -> list[DocumentFault]:
    """Return what is wrong with the documents of a bundle that holds, as `ledger verify` would find it.

    Nothing where it is not of the whole ledger: it shows neither the root that a document rests on nor all numbers before, and
    `ledger bundle` puts none in.
    """
    if not opened.scope.whole:
        return []
    from ledger.proof.bundle import ENTRIES, TABLES
    from ledger.proof.bundle_check import roots_of_first
    from ledger.proof.canonical import read_canonical
    from ledger.proof.documents import check_documents

    issued = [line for line in opened.lines(ENTRIES) if b'"stream":"statement/' in line]
    basis = [read_canonical(line, "a document")["data"].get("rests_on") for line in issued]
    sizes = {one.get("position") for one in basis if type(one) is dict}
    roots = roots_of_first(opened, {size for size in sizes if type(size) is int}) if issued else {}

    def content(digest: str) -> bytes | None:
        name = TABLES + digest
        return b"".join(opened.pieces(name)) if name in opened.members else None

    return [*check_documents(issued, roots.get, content)]


@contextmanager
def _opened(path: str) -> Iterator[Bytes]:
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed below; what goes wrong there is no matter of this file
    except OSError as error:
        raise Unavailable(f"FILE {path} cannot be read: {error.strerror}; check the path") from None
    with file, _mapped(file) as content:
        yield content


@contextmanager
def _mapped(file: BinaryIO) -> Iterator[Bytes]:
    """Give the bytes of a file without reading them all at once."""
    import mmap

    if not os.fstat(file.fileno()).st_size:
        yield b""  # Nothing cannot be mapped.
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        yield mapped
