"""Checking a bundle from its bytes alone, by docs/bundle-format.md: no ledger, no database, no event class.

Everything that follows from something else is computed again and compared. What is wrong with the file as such raises
ProofError; what is wrong with single entries is listed, with their positions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from ledger.errors import Unavailable
from ledger.proof.bundle import (
    ALL,
    CHECKPOINT,
    ENTRIES,
    FORMATS,
    MANIFEST,
    OPTIONAL_TEXTS,
    PROOFS,
    STATEMENT,
    TABLES,
    TEXTS,
    Outline,
    Scope,
    commitments,
    described,
    member_names,
    redactions,
    statement_text,
)  # fmt: skip
from ledger.proof.bundle_keys import follow_keys, signer
from ledger.proof.canonical import canonical, read_canonical
from ledger.proof.checkpoint import Checkpoint, read_checkpoint
from ledger.proof.container import Bytes, Member, read_members
from ledger.proof.errors import NotByKnownKey, ProofError
from ledger.proof.merkle import check_inclusion, leaf_of
from ledger.proof.note import Note, VerifierKey, decode64, parse_note
from ledger.proof.rotations import check_keys
from ledger.store.tree import Frontier

__all__ = [
    "Bundle",
    "BundleProblem",
    "BundleReport",
    "check_bundle",
    "key_entries",
    "open_bundle",
    "root_of_first",
    "roots_of_first",
]

_STREAM = re.compile(r"[a-z]+/[a-z0-9][a-z0-9-]{0,63}")
_INSTANT = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII
)
_SALT = re.compile(r"[0-9a-f]{32}")
_HEADER = {
    "format": int,
    "ledger": str,
    "position": int,
    "recorded_at": str,
    "stream": str,
    "type": str,
    "version": int,
}
_OPTIONAL_HEADER = {"clock_behind": bool, "idempotency_key": str}
_MANIFEST = {"format", "scope", "with", "streams", "proves", "does_not_prove", "members"}
# Nothing short is much longer than this; what is read whole must not fill the memory.
_MOST_SHORT = 64 << 20
_MOST_LINE = 64 << 20
_MOST_PROBLEMS = 1_000


class BundleProblem(NamedTuple):
    """One thing that does not hold; position: of the entry it concerns, None for none."""

    position: int | None
    kind: str
    detail: str


class Bundle(NamedTuple):
    """A bundle whose container and manifest were read; what they say is not checked yet."""

    content: Bytes
    members: dict[str, Member]
    manifest: dict[str, Any]
    scope: Scope
    checkpoint: Checkpoint
    checkpoint_note: Note | None
    statement_note: Note | None

    def whole(self, name: str) -> bytes:
        """Return the content of a short member. Raises ProofError where it is not short."""
        member = self.members[name]
        if member.end - member.start > _MOST_SHORT:
            raise ProofError(
                f"{name} has {member.end - member.start:,} bytes, more than the {_MOST_SHORT:,} it may have"
            )
        return self.content[member.start : member.end]

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member, a piece at a time."""
        member = self.members[name]
        for at in range(member.start, member.end, 1 << 20):
            yield self.content[at : min(at + (1 << 20), member.end)]

    def spans(self, name: str) -> Iterator[tuple[int, int]]:
        """Yield where each line of a member begins and ends in the file. Raises ProofError where the last has no end."""
        at, end = self.members[name].start, self.members[name].end
        while at < end:
            found = self.content.find(b"\n", at, end)
            if found < 0 or found - at > _MOST_LINE:
                raise ProofError(f"a line of {name} does not end, or is longer than {_MOST_LINE:,} bytes")
            yield at, found
            at = found + 1

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a member without their ends. Raises ProofError where the last has none."""
        for at, end in self.spans(name):
            yield self.content[at:end]

    def recorded_at(self, position: int) -> str | None:
        """Return when the entry at a position was recorded, of a bundle that was checked; None where it is not here."""
        spelled = b'"position":%d,"recorded_at":' % position
        for line in self.lines(ENTRIES):
            # A text may say the same, so the header has the last word.
            if (
                spelled in line
                and (header := read_canonical(line, "an entry")["header"])["position"] == position
            ):
                return str(header["recorded_at"])
        return None


class BundleReport(NamedTuple):
    """What a bundle came to. said: what is said of it (`described`). signed_by: the accepted key that signed both notes, None where none was looked for.

    unchecked: why nobody was found to have signed, None where somebody was. Only without problems does anything here hold.
    intact: whether all problems are of what the bundle was compared with, keys and checkpoints from elsewhere.
    """

    said: dict[str, Any]
    problems: tuple[BundleProblem, ...]
    signed_by: str | None
    unchecked: str | None
    intact: bool

    @property
    def ok(self) -> bool:
        """Whether everything holds; who signed is another matter."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs (contract in docs/json.md)."""
        return {
            "ok": self.ok,
            **self.said,
            "signed_by": self.signed_by,
            "unchecked": self.unchecked,
            "problems": [one._asdict() for one in self.problems],
        }


def open_bundle(content: Bytes) -> Bundle:
    """Read the container, the manifest and the notes, and check that they fit each other. Raises ProofError."""
    found = read_members(content)
    members = {one.name: one for one in found}
    for name in (MANIFEST, STATEMENT, CHECKPOINT):
        if name not in members:
            raise ProofError(f"the bundle has no {name}; it is none, or not whole")
    bare = Bundle(content, members, {}, ALL, Checkpoint("", 0, b""), None, None)
    raw = bare.whole(MANIFEST)
    manifest = read_canonical(raw, MANIFEST)
    if (
        type(manifest) is not dict
        or manifest.keys() != _MANIFEST
        or type(manifest["format"]) is not str
        or manifest["format"] not in FORMATS
    ):
        raise ProofError(f"{MANIFEST} is not that of a bundle of format 1 or 2 ({', '.join(FORMATS)})")
    scope = _scope(manifest["scope"])
    tables = [name.removeprefix(TABLES) for name in members if name.startswith(TABLES)]
    if [one.name for one in found] != member_names(scope, sorted(tables)):
        raise ProofError(
            f"the members {', '.join(name[:80] for name in members)} are not those that a bundle of this scope has, in their order"
        )
    checkpoint, signed = read_checkpoint(bare.whole(CHECKPOINT))
    if checkpoint.extensions:
        raise ProofError("the checkpoint of a bundle has no extension lines, and this one has")
    text = statement_text(checkpoint.origin, sha256(raw).hexdigest(), manifest["format"])
    made = _statement(bare.whole(STATEMENT), text)
    for note in (signed, made):
        if note is not None and len(note.signatures) != 1:
            raise ProofError(f"a note of a bundle has one signature, and this one has {len(note.signatures)}")
    if (signed and signed.signatures[0][:2]) != (made and made.signatures[0][:2]):
        raise ProofError(
            "the checkpoint and the statement are not signed by the same key; one was put in from elsewhere"
        )
    return Bundle(content, members, manifest, scope, checkpoint, signed, made)


def _scope(given: Any) -> Scope:
    if given == {"kind": "all"}:
        return ALL
    kind = given.get("kind") if type(given) is dict else None
    if kind in ("incident", "customer") and given.keys() == {"kind", kind}:
        key = given[kind]
        if type(key) is str and key and (kind == "customer" or _STREAM.fullmatch(f"incident/{key}")):
            return Scope(kind, key)
    raise ProofError(
        "the manifest does not say of what the bundle is; the scope is all, an incident or a customer"
    )


def _statement(content: bytes, text: str) -> Note | None:
    note = parse_note(content) if b"\n\n" in content else None
    if (content if note is None else note.text.encode()) != text.encode():
        raise ProofError(f"{STATEMENT} is not about this manifest; one of them was altered")
    return note


def check_bundle(bundle: Bundle, brought: Sequence[VerifierKey] = ()) -> BundleReport:
    """Check all that a bundle says, and who signed it. brought: keys from elsewhere. Raises ProofError."""
    found = _Check(bundle)
    found.entries()
    found.tables()
    said = found.compare()
    signed_by, unchecked = found.signers(brought)
    return BundleReport(said, tuple(found.problems), signed_by, unchecked, found.intact)


class _Check:
    """One check of a bundle, in parts."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.problems: list[BundleProblem] = []
        self.intact = False
        self.key_entries: list[bytes] = []
        self.frontier = Frontier()
        self.position = 0
        self.recorded_at = ""
        self.versions: dict[str, int] = {}
        self.outline = Outline(
            bundle.scope, _with(bundle.manifest["with"]), self._erased(), bundle.manifest["format"]
        )

    def say(self, position: int | None, kind: str, detail: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(BundleProblem(position, kind, detail))

    def _erased(self) -> Iterator[tuple[str, int, str]]:
        """Yield the texts that entries say were erased; a first reading, as they come before the entry that says so."""
        for line in self.bundle.lines(ENTRIES):
            # Canonical JSON has one spelling of this, so no such entry is passed by.
            if b'"type":"entry.redacted"' in line:
                header, data = self._entry(line)
                yield from redactions(header, data)

    # ---- entries -----------------------------------------------------------------------------------------

    def entries(self) -> None:
        """Check each entry, its texts, and that it is in the tree."""
        texts = self.bundle.lines(TEXTS)
        proofs = None if self.bundle.scope.whole else self.bundle.lines(PROOFS)
        for line in self.bundle.lines(ENTRIES):
            header, data = self._entry(line)
            self._order(header)
            self._terms(header, data)
            self._texts(line, header, data, next(texts, b""))
            if proofs is None:
                self.frontier.add(leaf_of(line))
            else:
                self._proof(line, header["position"], next(proofs, b""))
            if header["stream"].startswith("key/"):
                self.key_entries.append(line)
        for name, rest in ((TEXTS, texts), (PROOFS, proofs)):
            if rest is not None and next(rest, None) is not None:
                raise ProofError(f"{name} has more lines than there are entries")
        if not self.position:
            raise ProofError("the bundle has no entries; there is nothing to verify")
        if self.bundle.scope.whole:
            self._root()

    def _entry(self, line: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and data of an entry. Raises ProofError unless both are what the format says."""
        what = f"the entry after @{self.position}"
        entry = read_canonical(line, what)
        if type(entry) is not dict or entry.keys() != {"data", "header"}:
            raise ProofError(f"{what} is not the JSON of data and header")
        header, data = entry["header"], entry["data"]
        if type(header) is not dict or type(data) is not dict:
            raise ProofError(f"{what} has a header or data that are no objects")
        kinds = {**_HEADER, **{name: kind for name, kind in _OPTIONAL_HEADER.items() if name in header}}
        if header.keys() != kinds.keys() or any(
            type(header[name]) is not kind for name, kind in kinds.items()
        ):
            raise ProofError(f"{what} has a header with other fields than format 1 has")
        if header["format"] != 1 or header.get("clock_behind") is False or header["version"] < 1:
            raise ProofError(f"{what} has a header that format 1 does not have")
        if not _STREAM.fullmatch(header["stream"]) or not _INSTANT.fullmatch(header["recorded_at"]):
            raise ProofError(
                f"{what} has the stream {header['stream'][:90]!r} and the time {header['recorded_at'][:40]!r}"
            )
        return header, data

    def _order(self, header: dict[str, Any]) -> None:
        position, stream, version = header["position"], header["stream"], header["version"]
        ledger, size = self.bundle.checkpoint.origin, self.bundle.checkpoint.size
        if header["ledger"] != ledger:
            self.say(
                position,
                "ledger-differs",
                f"the entry is of {header['ledger'][:200]!r}, the bundle of {ledger[:200]!r}",
            )
        if not self.position < position <= size:
            raise ProofError(
                f"entry @{position} follows @{self.position}, of {size}; positions rise and end with the size"
            )
        if header["recorded_at"] <= self.recorded_at:
            self.say(
                position, "time-not-increasing", f"{header['recorded_at']} does not follow {self.recorded_at}"
            )
        if version <= self.versions.get(stream, 0) or (
            self.bundle.scope.whole and version != self.versions.get(stream, 0) + 1
        ):
            self.say(position, "version-gap", f"{stream} v{version} follows v{self.versions.get(stream, 0)}")
        self.position, self.recorded_at, self.versions[stream] = position, header["recorded_at"], version

    def _terms(self, header: dict[str, Any], data: dict[str, Any]) -> None:
        if header["type"] == "policy.published":
            terms = data.get("terms")
            if type(terms) is not str or sha256(terms.encode()).hexdigest() != data.get("sha256"):
                self.say(
                    header["position"], "terms-differ", "the terms do not hash to the digest beside them"
                )

    def _texts(self, entry: bytes, header: dict[str, Any], data: dict[str, Any], line: bytes) -> None:
        position = header["position"]
        texts = read_canonical(line, f"the texts of @{position}")
        if type(texts) is not dict:
            raise ProofError(f"the texts of @{position} are no object")
        committed = dict(commitments(data))
        for path, text in texts.items():
            if path not in committed:
                self.say(
                    position,
                    "text-unexpected",
                    f"{path[:80]}: there is a text, but the entry commits to none",
                )
            elif not _fits(text, committed[path]):
                self.say(
                    position,
                    "text-differs",
                    f"{path}: the text does not fit its commitment {committed[path]}",
                )
            elif (expected := self.outline.expects(header["stream"], header["version"], path)) != "here":
                self.say(position, "text-not-left-out", f"{path}: the text is here and should be {expected}")
        self.outline.take(entry, header, data, texts)

    def _proof(self, entry: bytes, position: int, line: bytes) -> None:
        path = read_canonical(line, f"the proof of @{position}")
        if type(path) is not list or not all(type(one) is str for one in path):
            raise ProofError(f"the proof of @{position} is no list of hashes")
        try:
            hashes = [decode64(one) for one in path]
            check_inclusion(
                leaf_of(entry), position - 1, self.bundle.checkpoint.size, hashes, self.bundle.checkpoint.root
            )
        except ProofError as error:
            self.say(position, "not-included", str(error))

    def _root(self) -> None:
        checkpoint = self.bundle.checkpoint
        if self.frontier.size != checkpoint.size:
            raise ProofError(
                f"the bundle has {self.frontier.size} entries of {checkpoint.size}, and says that none is missing"
            )
        if self.frontier.root() != checkpoint.root:
            self.say(
                None, "root-differs",
                f"the entries hash to the root {self.frontier.root().hex()}, the checkpoint says {checkpoint.root.hex()}",
            )  # fmt: skip

    # ---- tables, manifest and keys -----------------------------------------------------------------------

    def tables(self) -> None:
        """Check that each table is what its name says, and that entries refer to it."""
        for name in self.bundle.members:
            if name.startswith(TABLES):
                if name.removeprefix(TABLES) not in self.outline.referenced:
                    self.say(None, "table-unexpected", f"{name} is here, but no entry refers to it")
                if (found := self._digest(name)) != name.removeprefix(TABLES):
                    self.say(None, "table-differs", f"{name} hashes to {found}")

    def _digest(self, name: str) -> str:
        made = sha256()
        for piece in self.bundle.pieces(name):
            made.update(piece)
        return made.hexdigest()

    def compare(self) -> dict[str, Any]:
        """Compare the manifest with what follows from the rest of the bundle; return what is said of it."""
        manifest, members = self.bundle.manifest, self.bundle.members
        listed = [
            {"name": one.name, "bytes": one.end - one.start, "sha256": self._digest(one.name)}
            for one in members.values()
            if one.name not in (MANIFEST, STATEMENT)
        ]
        tables = sorted(name.removeprefix(TABLES) for name in members if name.startswith(TABLES))
        left_out = self._left_out(manifest["streams"])
        wanted = self.outline.manifest(self.bundle.checkpoint, tables, left_out, listed)
        counted = self.outline.counted(self.bundle.checkpoint, tables)
        for name, value in wanted.items():
            # To Python 1 and true are equal; to canonical JSON they are not.
            if canonical(manifest[name]) != canonical(value):
                self.say(
                    None,
                    "manifest-differs",
                    f"{name} of the manifest is not what the rest of the bundle comes to",
                )
        if self.bundle.scope.whole and counted["tables"]["left_out"]:
            self.say(
                None, "table-missing", "a bundle of the whole ledger has every table, and some are missing"
            )
        if self.bundle.scope.kind == "incident" and f"incident/{self.bundle.scope.key}" not in self.versions:
            self.say(None, "incident-missing", f"no entry is of incident/{self.bundle.scope.key}")
        return described(counted, wanted)

    def _left_out(self, streams: Any) -> dict[str, list[int]]:
        """Return by stream the versions that the manifest says were left out, where they fill the gaps; say so otherwise."""
        found: dict[str, list[int]] = {}
        if self.bundle.scope.whole or type(streams) is not list:
            return found
        for one in streams:
            stream = one.get("stream") if type(one) is dict else None
            gaps = one.get("left_out") if type(one) is dict else None
            if type(stream) is str and stream in self.outline.streams and type(gaps) is list:
                if all(type(version) is int for version in gaps):
                    found[stream] = gaps
        for stream, (versions, _) in self.outline.streams.items():
            both = sorted([*versions, *found.get(stream, [])])
            if both != list(range(1, len(both) + 1)):
                self.say(
                    None,
                    "version-gap",
                    f"{stream} has the versions {_shown(both)} here and left out together",
                )
        return found

    def signers(self, brought: Sequence[VerifierKey]) -> tuple[str | None, str | None]:
        """Check the keys of the bundle and who signed it; return the key, or why none was looked for."""
        checked = check_keys(self.key_entries)
        for fault in checked.faults:
            self.say(*fault)
        signed, made = self.bundle.checkpoint_note, self.bundle.statement_note
        if self.problems:
            return None, "the bundle does not hold"
        self.intact = True
        if signed is None or made is None:
            return None, "the bundle is not signed"
        if not brought:
            return None, "no key was given to check the signatures with (--key)"
        if checked.unchecked:
            raise Unavailable("signatures need the package cryptography; install incident-sla-ledger[sign]")
        accepted = follow_keys(brought, key_entries(self.bundle)).present
        try:
            return str(signer([signed, made], brought, accepted)), None
        except ProofError as error:
            # A signature that is not that of a known key was altered; with one of an unknown key nothing was shown.
            self.intact = isinstance(error, NotByKnownKey)
            self.say(None, "not-signed", str(error))
            return None, "no key that counts signed the bundle"


def key_entries(bundle: Bundle) -> list[dict[str, Any]]:
    """Return the entries of keys of a bundle that was checked, in order."""
    lines = (line for line in bundle.lines(ENTRIES) if b'"stream":"key/' in line)
    entries = [read_canonical(line, "an entry of a key") for line in lines]
    return [one for one in entries if one["header"]["stream"].startswith("key/")]


def root_of_first(bundle: Bundle, size: int) -> bytes | None:
    """Return the root over the first entries of a bundle that was checked; None where it does not show that."""
    if size == bundle.checkpoint.size:
        return bundle.checkpoint.root
    return roots_of_first(bundle, {size}).get(size) if bundle.scope.whole else None


def roots_of_first(bundle: Bundle, sizes: Collection[int]) -> dict[int, bytes]:
    """Return by size the roots over the first entries of a whole bundle that was checked, as far as it has so many."""
    frontier = Frontier()
    found = {0: frontier.root()}
    last = max((size for size in sizes if size <= bundle.checkpoint.size), default=0)
    for line in islice(bundle.lines(ENTRIES), last):
        frontier.add(leaf_of(line))
        if frontier.size in sizes:
            found[frontier.size] = frontier.root()
    return found


def _with(given: Any) -> list[str]:
    if (
        type(given) is not list
        or any(one not in OPTIONAL_TEXTS for one in given)
        or given != sorted(set(given))
    ):
        raise ProofError(
            "the manifest does not say which texts are put in; with lists actor, note, both or none"
        )
    return given


def _fits(text: Any, committed: Any) -> bool:
    if type(text) is not list or len(text) != 2 or not all(type(part) is str for part in text):
        return False
    salt, value = text
    return (
        _SALT.fullmatch(salt) is not None
        and sha256(bytes.fromhex(salt) + value.encode()).hexdigest() == committed
    )


def _shown(versions: Sequence[int]) -> str:
    return f"{', '.join(map(str, versions[:10]))}{' …' if len(versions) > 10 else ''}"
