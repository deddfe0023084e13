"""Attack a small ledger, its checkpoints, its proofs and its bundles, and say what was not found: `python -m tools.attack`.

Every logical value of the ledger is altered (as stored, and sealed again so that it is whole in itself) and every value of its
views, every byte of the files is changed, taken out, doubled and cut at, and every value in a bundle is altered with everything
that can be made to fit made to fit; keys of no worth sign, and keys out of use. Each has to be found by `ledger verify`, with
`--views` for those, and `verify-proof`, and for bundles by both verifiers. With --quick some of each.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.keys import spell_vkey
from ledger.errors import LedgerError
from ledger.proof.bundle import CHECKPOINT, MANIFEST, PAGE, STATEMENT, SUBSCRIPTIONS, statement_text
from ledger.proof.bundle_check import check_bundle, open_bundle
from ledger.proof.canonical import canonical
from ledger.proof.checkpoint import Checkpoint, checkpoint_text, read_checkpoint
from ledger.proof.container import write_members
from ledger.proof.document_proof import parse_document
from ledger.proof.merkle import leaf_of
from ledger.proof.note import VerifierKey, key_of, parse_note, sign_note, verify_note
from ledger.proof.signers import read_key_file
from ledger.proof.tlog_proof import InclusionProof, parse_proof
from ledger.store.tree import Frontier, leaf_hash
from tools.ledger_attacks import SqliteVictim, attacks, disarm, make_victim
from tools.small_ledger import make, members_of, settle
from tools.torsion import TORSION, signed_by_nobody
from tools.verify_bundle import verdict
from tools.view_attacks import SqliteViews, view_attacks

__all__ = ["Mutant", "Tally", "bundle_mutants", "byte_mutants", "main", "rebuilt", "run", "value_mutants"]

Found = Callable[[bytes], bool]
_BITS = (1, 2, 4, 8, 16, 32, 64, 128)
# What is in a bundle and follows from nothing else: only the signature vouches for it.
_VOUCHED_FOR = (PAGE, SUBSCRIPTIONS)


class Mutant(NamedTuple):
    """What was done, and what came of it."""

    what: str
    content: bytes


class Tally(NamedTuple):
    """How many attacks of a kind there were, and which were not found."""

    what: str
    tried: int
    survivors: list[str]


def tally(what: str, mutants: Iterable[Mutant], found: Found) -> Tally:
    """Count mutants and those that are not found; an error that is not the verifier's own is one that was not found."""
    tried, survivors = 0, []
    for mutant in mutants:
        tried += 1
        try:
            if not found(mutant.content):
                survivors.append(mutant.what)
        except Exception as error:  # noqa: BLE001  # whatever else it raises is what is looked for
            survivors.append(f"{mutant.what} raised {type(error).__name__}: {error}")
    return Tally(what, tried, survivors)


# ---- mutants of bytes and of JSON --------------------------------------------------------------------------


def byte_mutants(content: bytes, flips: Iterable[int]) -> Iterator[Mutant]:
    """Yield each byte changed, taken out, doubled, with others put before it, and the end cut off there."""
    for at in range(len(content)):
        for flip in flips:
            yield Mutant(
                f"byte {at} ^ {flip}", content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :]
            )
        yield Mutant(f"byte {at} doubled", content[:at] + content[at : at + 1] + content[at:])
        for put in (b"\n", b" ", b"\x00", b"="):
            yield Mutant(f"{put!r} before byte {at}", content[:at] + put + content[at:])
        if content[at : at + 1] != content[at + 1 : at + 2]:
            yield Mutant(f"byte {at} taken out", content[:at] + content[at + 1 :])
        yield Mutant(f"cut at byte {at}", content[:at])
    for put in (b"\n", b" ", b"\x00", content):
        yield Mutant(f"{put[:10]!r} at the end", content + put)


def value_mutants(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a JSON value with one thing in it altered: each text, number, name and item, other types, more and less."""
    if isinstance(value, dict):
        for name, inner in value.items():
            for where, made in value_mutants(inner):
                yield f"{name}.{where}", {**value, name: made}
            yield f"{name} taken out", {one: kept for one, kept in value.items() if one != name}
            yield (
                f"{name} renamed",
                {(f"{one}x" if one == name else one): kept for one, kept in value.items()},
            )
        yield "a name put in", {**value, "zz": 1}
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            for where, made in value_mutants(inner):
                yield f"{at}.{where}", [*value[:at], made, *value[at + 1 :]]
            yield f"{at} taken out", [*value[:at], *value[at + 1 :]]
            yield f"{at} doubled", [*value[: at + 1], *value[at:]]
            if at and value[at - 1] != inner:
                yield f"{at} swapped", [*value[: at - 1], inner, value[at - 1], *value[at + 1 :]]
        yield "an item put in", [*value, "zz"]
    elif isinstance(value, bool):
        yield "turned", not value
        yield "as a number", int(value)
    elif isinstance(value, int):
        yield "one more", value + 1
        yield "one less", value - 1
        yield "as text", str(value)
        yield "as true", True
    elif isinstance(value, str):
        yield "longer", f"{value}x"
        yield "empty" if value else "filled", "" if value else "x"
        if value:
            yield "first letter", ("y" if value[0] == "x" else "x") + value[1:]
            yield "last letter", value[:-1] + ("0" if value[-1] == "1" else "1")
    else:
        yield "something", 0
    if value is not None:
        yield "null", None


# ---- bundles -----------------------------------------------------------------------------------------------


def rebuilt(members: dict[str, bytes], note: Callable[[str], bytes] | None = None) -> bytes:
    """Return a bundle of members: digests in the manifest, container and statement made to fit.

    note: makes the statement of its text; None: with the signature that stood there.
    """
    parts = {name: content for name, content in members.items() if name not in (MANIFEST, STATEMENT)}
    try:
        manifest = json.loads(members[MANIFEST])
        manifest["members"] = [
            {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in parts.items()
        ]
        encoded = canonical(manifest)
    except (ValueError, TypeError):
        encoded = members[MANIFEST]  # What is no manifest any more has nothing to be made to fit.
    text = statement_text(
        members[CHECKPOINT].partition(b"\n")[0].decode("utf-8", "replace"), sha256(encoded).hexdigest()
    )
    old = members[STATEMENT].partition(b"\n\n")
    statement = note(text) if note else text.encode() + (b"\n" + old[2] if old[1] else b"")
    file = BytesIO()
    write_members(
        file,
        [
            (name, [content])
            for name, content in [*parts.items(), (MANIFEST, encoded), (STATEMENT, statement)]
        ],
    )
    return file.getvalue()


def bundle_mutants(members: dict[str, bytes], names: Iterable[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield a bundle's members with one value of the named ones altered; lines put in, taken out, doubled, swapped."""
    for name in names:
        content = members[name]
        if name.endswith(".jsonl"):
            lines = content.split(b"\n")[:-1]
            for at, line in enumerate(lines):
                for where, value in value_mutants(json.loads(line)):
                    altered = [*lines[:at], canonical(value), *lines[at + 1 :]]
                    yield f"{name} line {at}: {where}", {**members, name: _joined(altered)}
                yield f"{name} line {at} taken out", {**members, name: _joined(lines[:at] + lines[at + 1 :])}
                yield f"{name} line {at} doubled", {**members, name: _joined(lines[: at + 1] + lines[at:])}
                if at and lines[at - 1] != line:
                    swapped = [*lines[: at - 1], line, lines[at - 1], *lines[at + 1 :]]
                    yield f"{name} line {at} swapped", {**members, name: _joined(swapped)}
        elif name.endswith(".json"):
            for where, value in value_mutants(json.loads(content)):
                if not where.startswith("members."):
                    yield f"{name}: {where}", {**members, name: canonical(value)}
        else:
            for at in range(len(content)):
                yield (
                    f"{name} byte {at}",
                    {**members, name: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]},
                )
            yield f"{name} emptied", {**members, name: b""}
    for name in members:
        if name not in (MANIFEST, STATEMENT, CHECKPOINT):
            yield f"{name} taken out", {one: content for one, content in members.items() if one != name}
    yield "a member put in", {"zz": b"", **members}
    yield "a table put in", {**members, f"tables/{sha256(b'x').hexdigest()}": b"x"}
    yield "members in another order", dict(reversed(members.items()))


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def found_by_both(keys: list[str], codes: tuple[int, ...]) -> Found:
    """Return whether both verifiers end with one of the codes for a bundle."""
    brought = [key_of(key) for key in keys]

    def ledger_says(content: bytes) -> int:
        try:
            report = check_bundle(open_bundle(content), brought)
        except LedgerError as error:
            return error.exit_code
        return 1 if report.problems else 0 if report.signed_by else 3

    return lambda content: ledger_says(content) in codes and verdict(content, set(keys))[0] in codes


# ---- the runs ----------------------------------------------------------------------------------------------


class Attacks:
    """All attacks, each kind a method that yields tallies. share: how many of the mutants are tried, 1 for all."""

    def __init__(self, folder: Path, share: float) -> None:
        self.folder = folder
        self.share = share
        self.random = random.Random(1)  # noqa: S311  # which mutants are tried with --quick
        (folder / "small").mkdir()
        self.desk = make(folder / "small")
        self.keys = [self.desk.vkey(0)]
        # The clock of the desk runs on with every command, so files are made once.
        self.present = key_of(self.desk.vkey(1))

    def some(self, mutants: Iterable[Any]) -> Iterator[Any]:
        """Yield a share of the mutants."""
        return (one for one in mutants if self.share >= 1 or self.random.random() < self.share)

    def run(self) -> Iterator[Tally]:
        """Yield the tally of each kind of attack."""
        yield from self.stored()
        yield from self.views()
        yield from self.sealed_again()
        yield from self.proofs()
        yield from self.bundles()
        yield from self.keys_of_no_worth()
        yield from self.keys_out_of_use()

    def stored(self) -> Iterator[Tally]:
        """Every value of every table altered, the rest left as it is; `ledger verify` finds it."""
        path = self.folder / "attacked.db"
        make_victim(f"sqlite:///{path}", self.folder)
        disarm(path)
        victim = SqliteVictim(path, self.folder / "copy.db")
        tried, survivors = 0, []
        for what, position, statements in self.some(attacks(victim)):
            tried += 1
            if victim.report(statements).ok:
                survivors.append(f"{what} at {position}")
        yield Tally("values of the database", tried, survivors)

    def views(self) -> Iterator[Tally]:
        """Every value of every view and of its tracking row altered; `ledger verify --views` ends with 1."""
        self.desk.run("views", "rebuild")
        victim = SqliteViews(self.folder / "small" / "ledger.db")
        tried, survivors = 0, []
        for what, statements in self.some(view_attacks(victim)):
            tried += 1
            if (code := victim.code(statements)) != 1:
                survivors.append(f"{what} ends with {code}")
        yield Tally("values of the views and their tracking row", tried, survivors)
        if victim.code([]):
            raise RuntimeError("the views as they were made do not hold")

    def sealed_again(self) -> Iterator[Tally]:
        """Every value of every entry altered and the ledger sealed again: whole in itself, but not the one that was signed."""
        desk, kept = self.desk, self.desk.path("kept.checkpoint")
        desk.run("checkpoint", "--key-file", desk.path("next.key"), "-o", kept)
        good = self.folder / "good.db"
        shutil.copy(desk.path("ledger.db"), good)
        disarm(good)
        with closing(sqlite3.connect(good)) as raw:
            entries = [row[0] for row in raw.execute("SELECT entry FROM ledger_entry ORDER BY position")]

        def ends(altered: list[bytes], *words: str) -> int:
            copy = self.folder / "sealed.db"
            shutil.copy(good, copy)
            _seal_again(copy, altered)
            return _code(copy, *words)

        against = ("--against", kept, "--key", str(self.present))
        tried, survivors = 0, []
        for at, entry in enumerate(entries):
            for where, value in self.some(value_mutants(json.loads(entry))):
                tried += 1
                if ends([*entries[:at], canonical(value), *entries[at + 1 :]], *against) != 1:
                    survivors.append(f"@{at + 1} {where}")
        yield Tally("values of entries, sealed again, against a checkpoint", tried, survivors)
        tried, survivors = 0, []
        for at, entry in enumerate(entries):
            if b'"stream":"key/' in entry:
                for where, altered in self.some(_key_mutants(entry)):
                    tried += 1
                    if ends([*entries[:at], altered, *entries[at + 1 :]]) != 1:
                        survivors.append(f"@{at + 1} {where}")
        yield Tally("letters of keys and rotations, sealed again, no checkpoint", tried, survivors)

    def proofs(self) -> Iterator[Tally]:
        """Every byte of a checkpoint, of both kinds of proofs, of a vkey and of an entry."""
        desk, key = self.desk, self.present
        files = {name: Path(desk.path(name)) for name in ("early", "now", "inclusion", "consistency")}
        signed = ("--key-file", desk.path("next.key"), "-o")
        desk.run("checkpoint", "--recorded-by", "@13", *signed, str(files["early"]))
        desk.run("checkpoint", *signed, str(files["now"]))
        desk.run("prove", "emea-1", "v2", *signed, str(files["inclusion"]))
        desk.run("prove", "--from", str(files["early"]), *signed, str(files["consistency"]))
        entry = desk.run("show", "emea-1", "v2", "--raw").stdout_bytes.rstrip(b"\n")
        content = {name: path.read_bytes() for name, path in files.items()}
        document = self._document_proof()
        kinds: dict[str, tuple[bytes, Callable[[bytes], bool]]] = {
            "bytes of a checkpoint": (content["now"], lambda one: _signs(one, key)),
            "bytes of a proof of inclusion": (content["inclusion"], lambda one: _proves(one, key, entry)),
            "bytes of a proof of consistency": (content["consistency"], lambda one: _proves(one, key, None)),
            "bytes of a proof of a statement's lines": (document, lambda one: _proves_lines(one, key)),
            "bytes of a verifier key": (str(key).encode(), lambda one: _is_key(one, content["now"])),
            "bytes of an entry under a proof": (entry, lambda one: _proves(content["inclusion"], key, one)),
        }
        for what, (good, holds) in kinds.items():
            if not holds(good):
                raise RuntimeError(f"{what}: the original does not hold")
            # Of short files each byte is changed to every other.
            flips = range(1, 256) if len(good) < 1_500 else _BITS
            mutants = self.some(byte_mutants(good, flips))
            yield tally(what, mutants, lambda one, holds=holds: not holds(one))  # type: ignore[misc]

    def _document_proof(self) -> bytes:
        """Return the proof of one customer's lines in a statement of a ledger of its own, under the same keys."""
        (self.folder / "settled").mkdir()
        desk = make(self.folder / "settled")
        settle(desk)
        proof = desk.path("lines.proof")
        signed = ("--key-file", desk.path("next.key"), "-o", proof)
        desk.run("credits", "prove", "1", "--customer", "Aurora Rail", *signed)
        return Path(proof).read_bytes()

    def bundles(self) -> Iterator[Tally]:
        """Every byte of bundles of each scope, and every value with all else made to fit, for both verifiers."""
        desk, keys = self.desk, self.keys
        with_key, bare = found_by_both(keys, (1,)), found_by_both([], (1,))
        other = Ed25519PrivateKey.from_private_bytes(bytes(32))
        name = self.present.name
        foreign = spell_vkey(name, other.public_key().public_bytes_raw())
        for what, words in (
            ("an incident", ("emea-1",)), ("a customer", ("--customer", "Aurora Rail")), ("all", ("--all", "--with", "actor")),
        ):  # fmt: skip
            good = desk.bundle(*words, key="next.key")
            if found_by_both(keys, (0,))(good) is not True:
                raise RuntimeError(f"the bundle of {what} does not hold")
            yield tally(f"bytes of a bundle of {what}", self.some(byte_mutants(good, (1, 32, 128))), with_key)
            members = members_of(good)
            altered = self.some(bundle_mutants(members, members))
            yield tally(
                f"values in a bundle of {what}, the rest made to fit, the signature kept",
                _unlike(good, altered),
                with_key,
            )
            unsigned = members_of(desk.bundle(*words, key=None))
            proven = [one for one in unsigned if one not in (*_VOUCHED_FOR, STATEMENT)]
            altered = self.some(bundle_mutants(unsigned, proven))
            yield tally(
                f"values in a bundle of {what}, the rest made to fit, not signed",
                _unlike(rebuilt(unsigned), _provable(altered)),
                bare,
            )
            yield tally(
                f"a bundle of {what} signed by another", _resigned(members, foreign, other.sign), with_key
            )

    def keys_of_no_worth(self) -> Iterator[Tally]:
        """Bundles signed as anybody can under a key of small order, in every spelling; both verifiers refuse the key: 2."""
        desk, name = self.desk, self.present.name
        tried, survivors = 0, []
        for public in TORSION:
            vkey = spell_vkey(name, public)
            note = partial(signed_by_nobody, vkey)
            for words in (("emea-1",), ("--all",)):
                members = members_of(desk.bundle(*words, key=None))
                text = members[CHECKPOINT].decode()
                forged = rebuilt({**members, CHECKPOINT: note(text)}, note)
                tried += 1
                if (desk.verdict(forged, "--key", vkey), verdict(forged, [vkey])[0]) != (2, 2):
                    survivors.append(f"{public.hex()}, a bundle of {words[0]}")
        yield Tally("bundles signed under keys of small order", tried, survivors)

    def keys_out_of_use(self) -> Iterator[Tally]:
        """Checkpoints of every size by the key that was replaced; refused from its replacement on, by ledger and bundle."""
        desk, key, path = self.desk, self.keys[0], self.folder / "replaced.checkpoint"
        content = desk.bundle("--all", key="next.key")
        lines = members_of(content)["entries.jsonl"].splitlines()
        [replaced] = [at for at, line in enumerate(lines, 1) if b'"type":"key.rotated"' in line]
        private = read_key_file(desk.path("main.key"))
        frontier, tried, survivors = Frontier(), 0, []
        for size, line in enumerate(lines, 1):
            frontier.add(leaf_hash(line))
            text = checkpoint_text(Checkpoint("ledger-bundled", size, frontier.root()))
            path.write_bytes(sign_note(text, private.vkey, private.sign))
            wanted = 1 if size >= replaced else 0
            words = ("--key", key, "--against", str(path))
            for what, code in (
                ("the ledger", _code(Path(desk.path("ledger.db")), *words)),
                ("a bundle", desk.verdict(content, *words)),
            ):
                tried += 1
                if code != wanted:
                    survivors.append(f"{size} entries against {what} ends with {code}")
        yield Tally("checkpoints signed by a key that was replaced", tried, survivors)


def _unlike(good: bytes, altered: Iterable[tuple[str, dict[str, bytes]]]) -> Iterator[Mutant]:
    """Yield the bundles of altered members that are not the good one again."""
    for where, members in altered:
        content = rebuilt(members)
        if content != good:
            yield Mutant(where, content)


def _provable(altered: Iterable[tuple[str, dict[str, bytes]]]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Leave out what no proof can find in an unsigned bundle: anybody may say whom they made it for."""
    return ((where, one) for where, one in altered if not where.startswith("manifest.json: scope.customer."))


def _resigned(members: dict[str, bytes], vkey: str, sign: Callable[[bytes], bytes]) -> Iterator[Mutant]:
    """Yield bundles that another key signed: the statement, the checkpoint, and both."""
    text = parse_note(members[CHECKPOINT]).text
    checkpoint = {**members, CHECKPOINT: sign_note(text, vkey, sign)}
    signed: Callable[[str], bytes] = lambda one: sign_note(one, vkey, sign)  # noqa: E731
    yield Mutant("the statement", rebuilt(members, signed))
    yield Mutant("the checkpoint", rebuilt(checkpoint))
    yield Mutant("both", rebuilt(checkpoint, signed))
    yield Mutant("the statement by nobody", rebuilt(members, str.encode))
    yield Mutant("the checkpoint by nobody", rebuilt({**members, CHECKPOINT: text.encode()}))


def _seal_again(path: Path, entries: list[bytes]) -> None:
    """Write entries over those of a ledger, columns, tree and head made to fit as far as they can be."""
    frontier = Frontier()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("PRAGMA ignore_check_constraints = ON")
        for at, entry in enumerate(entries, 1):
            frontier.add(leaf_hash(entry))
            raw.execute("UPDATE ledger_entry SET entry = ? WHERE position = ?", (entry, at))
            found = json.loads(entry)
            header = found.get("header") if isinstance(found, dict) else None
            for column in ("stream", "version", "type", "recorded_at", "idempotency_key"):
                value = header.get(column) if isinstance(header, dict) else None
                if isinstance(value, str | int):
                    # What does not fit into its column stays as it was.
                    raw.execute(
                        f"UPDATE OR IGNORE ledger_entry SET {column} = ? WHERE position = ?", (value, at)
                    )
        raw.execute("UPDATE ledger_head SET root = ?, frontier = ?", (frontier.root(), frontier.pack()))


def _code(path: Path, *words: str) -> int:
    from click.testing import CliRunner

    from ledger.cli import main as cli

    result = CliRunner().invoke(cli, ["--ledger", f"sqlite:///{path}", "verify", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code


def _key_mutants(entry: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield an entry of a key with one letter of its vkeys and signature altered."""
    found = json.loads(entry)
    for name in ("vkey", "replaces", "signature"):
        text = found["data"].get(name, "")
        for at, letter in enumerate(text):
            other = text[:at] + ("B" if letter == "A" else "A") + text[at + 1 :]
            yield f"{name} letter {at}", canonical({**found, "data": {**found["data"], name: other}})


def _signs(content: bytes, key: VerifierKey) -> bool:
    try:
        _, note = read_checkpoint(content)
        return note is not None and bool(verify_note(note, [key]))
    except LedgerError:
        return False


def _proves(content: bytes, key: VerifierKey, entry: bytes | None) -> bool:
    """Whether a proof file holds, its checkpoints signed: of inclusion of an entry, or of consistency."""
    try:
        proof = parse_proof(content)
        if isinstance(proof, InclusionProof):
            if entry is None:
                return False
            proof.check(leaf_of(entry))
            return proof.note is not None and bool(verify_note(proof.note, [key]))
        proof.check()
        return all(
            note is not None and bool(verify_note(note, [key])) for note in (proof.old_note, proof.new_note)
        )
    except LedgerError:
        return False


def _proves_lines(content: bytes, key: VerifierKey) -> bool:
    """Whether a proof of lines of a document holds, its checkpoint signed."""
    try:
        proof = parse_document(content)
        proof.check()
        note = proof.inclusion.note
        return note is not None and bool(verify_note(note, [key]))
    except LedgerError:
        return False


def _is_key(content: bytes, checkpoint: bytes) -> bool:
    try:
        return _signs(checkpoint, key_of(content.decode("utf-8", "surrogateescape")))
    except LedgerError:
        return False


def run(folder: Path, share: float) -> list[Tally]:
    """Attack, and return the tallies; prints each as it comes."""
    done = []
    for one in Attacks(folder, share).run():
        print(f"{one.tried:>9,} {one.what}: {len(one.survivors)} survivors", flush=True)
        for survivor in one.survivors[:20]:
            print(f"          not found: {survivor}")
        done.append(one)
    return done


def main() -> int:
    """Attack and print; exit code 1 where something was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="try some of each kind")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ledger-attack-") as name:
        done = run(Path(name), 0.02 if given.quick else 1)
    survivors = sum(len(one.survivors) for one in done)
    print(f"{sum(one.tried for one in done):,} attacks, {survivors} survivors")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
