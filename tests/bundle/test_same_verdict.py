"""Both verifiers give one verdict on bundles that are validly signed and wrongly typed, or have odd keys."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.cli import main
from ledger.proof.bundle_check import check_bundle, open_bundle
from ledger.proof.canonical import canonical
from ledger.proof.container import write_members
from ledger.proof.errors import ProofError
from ledger.proof.note import key_of, sign_note, verify_ed25519
from ledger.store.tree import Frontier
from tools.attack import rebuilt
from tools.small_ledger import Desk, members_of
from tools.torsion import TORSION, on_curve, signed_by_nobody
from tools.verify_bundle import verdict

LEDGER = "ledger-odd"
FORMAT = "incident-sla-ledger/bundle@v2"
FILE = Path(__file__).parents[2] / "tools" / "verify_bundle.py"
SALT = "00" * 16


class Key:
    """A key made of one byte, or of 32."""

    def __init__(self, seed: bytes, name: str = "k") -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(seed if len(seed) == 32 else seed * 32)
        raw = b"\x01" + self.private.public_key().public_bytes_raw()
        self.vkey = f"{name}+{_id(name, raw)}+{b64encode(raw).decode()}"


def _id(name: str, raw: bytes) -> str:
    return sha256(name.encode() + b"\n" + raw).hexdigest()[:8]


A, B, C = Key(b"a"), Key(b"b"), Key(b"c")
Said = tuple[str, str, dict[str, Any]]


def published(stream: str, key: Key | str) -> Said:
    return (stream, "key.published", {"vkey": key if isinstance(key, str) else key.vkey})


def rotated(stream: str, version: int, old: Key, new: Key) -> Said:
    return rotated_to(stream, version, old, new.vkey)


def rotated_to(stream: str, version: int, old: Key, vkey: str) -> Said:
    said = {"ledger": LEDGER, "replaces": old.vkey, "stream": stream, "version": version, "vkey": vkey}
    signature = old.private.sign(b"incident-sla-ledger/key.rotated/v1\x00" + canonical(said))
    return (
        stream,
        "key.rotated",
        {"replaces": old.vkey, "vkey": vkey, "signature": b64encode(signature).decode()},
    )


def revoked(stream: str, key: Key) -> Said:
    return (stream, "key.revoked", {"vkey": key.vkey})


COMMITTED = {"sha256": sha256(bytes(16) + b"Told.").hexdigest()}
TOLD: Said = ("incident/i", "update.posted", {"body": COMMITTED})
PLAIN: Said = ("incident/i", "update.posted", {})


def bundled(
    said: list[Said], signer: Key, *, scope: Any = None, texts: dict[int, Any] | None = None, proof: Any = None,
    lacks: tuple[str, ...] = (), signed: bool = True, format_: Any = FORMAT, with_: Any = ("actor", "note"),
) -> bytes:  # fmt: skip
    """Return a signed bundle of entries; texts by position, proof (raw) of its one entry where the scope is not all."""
    frontier, versions, entries = Frontier(), dict[str, int](), []
    for at, (stream, type_, data) in enumerate(said, 1):
        versions[stream] = versions.get(stream, 0) + 1
        header = {
            "format": 1, "ledger": LEDGER, "position": at, "recorded_at": f"2022-03-{at:02d}T00:00:00.000000Z",
            "stream": stream, "type": type_, "version": versions[stream],
        }  # fmt: skip
        entries.append(canonical({"data": data, "header": header}))
        frontier.add(sha256(b"\0" + entries[-1]).digest())
    partial = scope is not None
    scope = {"kind": "all"} if scope is None else scope
    checkpoint = f"{LEDGER}\n{len(entries)}\n{b64encode(frontier.root()).decode()}\n"
    sign = (lambda text: sign_note(text, signer.vkey, signer.private.sign)) if signed else str.encode
    parts = {
        "checkpoint.note": sign(checkpoint),
        "entries.jsonl": b"".join(one + b"\n" for one in entries),
        "texts.jsonl": b"".join(
            canonical((texts or {}).get(at + 1, {})) + b"\n" for at in range(len(entries))
        ),
        **({"proofs.jsonl": canonical(proof) + b"\n"} if partial else {}),
        **({"subscriptions.json": b"[]"} if scope["kind"] == "customer" else {}),
        "page.html": b"<p>",
    }
    lacking = {"after", "truth", "page", *lacks} | ({"others"} if partial else set())
    manifest = canonical({
        "format": format_, "scope": scope, "with": with_,
        "streams": [{"stream": said[0][0], "versions": 1, "left_out": [], "complete_through": 1}] if partial else None,
        "proves": sorted(["entries", "texts", "streams" if partial else "whole"]),
        "does_not_prove": sorted(lacking),
        "members": [{"name": name, "bytes": len(one), "sha256": sha256(one).hexdigest()} for name, one in parts.items()],
    })  # fmt: skip
    statement = f"{format_}\nmanifest {sha256(manifest).hexdigest()}\n{LEDGER}\n"
    file = BytesIO()
    members = {**parts, "manifest.json": manifest, "statement.note": sign(statement)}
    write_members(file, [(name, [one]) for name, one in members.items()])
    return file.getvalue()


def both(content: bytes, *brought: Key) -> tuple[int, int]:
    """Return what the ledger and the verifier of one file answer."""
    try:
        report = check_bundle(open_bundle(content), [key_of(one.vkey) for one in brought])
        ours = 1 if report.problems else 0 if report.signed_by else 3
    except ProofError as error:
        ours = error.exit_code
    return ours, verdict(content, {one.vkey for one in brought})[0]


INCIDENT = {"incident": "i", "kind": "incident"}
REDACTED = "entry.redacted"
ODD: tuple[Any, ...] = (5, "", None, True, ["5"], {"a": 5})
ERASING: tuple[dict[str, Any], ...] = (
    {"entry": 1, "fields": ["body"]}, {"entry": True, "fields": ["body"]}, {"fields": ["body"]},
    {"entry": 1, "fields": "body"}, {"entry": 1, "fields": [["body"]]},
)  # fmt: skip
WRONG: list[tuple[int, bytes]] = [
    (0, bundled([TOLD], A, texts={1: {"body": [SALT, "Told."]}})),
    (1, bundled([TOLD], A, texts={1: {"body": {SALT: 0, "Told.": 0}}})),
    (1, bundled([TOLD], A, texts={1: {"body": {"salt": 0, "value": 0}}})),
    (1, bundled([TOLD], A, texts={1: {"body": [SALT, 5]}})),
    (1, bundled([TOLD], A, texts={1: {"body": [SALT]}})),
    (1, bundled([PLAIN], A, texts={1: []})),
    (0, bundled([PLAIN], A, scope=INCIDENT, proof=[])),
    *[(1, bundled([PLAIN], A, scope=INCIDENT, proof=proof)) for proof in ("", {}, None, 0, False, [0], {"a": 1})],
    *[
        (1, bundled([("incident/5", "update.posted", {})], A, scope={"incident": name, "kind": "incident"}, proof=[]))
        for name in ODD
    ],
    (0, bundled([PLAIN], A, scope={"customer": "c", "kind": "customer"}, proof=[])),
    *[
        (1, bundled([PLAIN], A, scope={"customer": name, "kind": "customer"}, proof=[]))
        for name in ODD
    ],
    *[
        (code, bundled([TOLD, ("incident/i", REDACTED, said)], A, lacks=lacks))
        for lacks, codes in (((), (0, 1, 1, 1, 1)), (("gone-texts",), (1, 0, 0, 0, 0)))
        for code, said in zip(codes, ERASING, strict=True)
    ],
]  # fmt: skip


@pytest.mark.parametrize(("code", "content"), WRONG, ids=range(len(WRONG)))
def test_wrongly_typed_bundles(code: int, content: bytes) -> None:
    assert both(content, A) == (code, code)


EARLIER = "incident-sla-ledger/bundle@v1"
NAMED: Said = (
    "exclusion/x",
    "exclusion.recorded",
    {"actor": COMMITTED, "approved_by": COMMITTED, "note": COMMITTED},
)
TOLD_ALL = {name: [SALT, "Told."] for name in ("actor", "approved_by", "note")}
FORMS: list[tuple[int, Any, list[str], tuple[str, ...]]] = [
    (code, format_, with_, tuple(here.split()))
    for format_, with_, wanted in (
        (EARLIER, ["actor", "note"], "actor approved_by note"),
        (EARLIER, ["note"], "approved_by note"),
        (EARLIER, [], "approved_by"),
        (FORMAT, ["actor", "note"], "actor approved_by note"),
        (FORMAT, ["actor"], "actor approved_by"),
        (FORMAT, ["note"], "note"),
        (FORMAT, [], ""),
    )
    for here in ("actor approved_by note", "actor approved_by", "approved_by note", "approved_by", "note", "")
    # What is not here and should be is gone, and the manifest does not say so.
    for code in ([0] if here == wanted else [1])
]  # fmt: skip


@pytest.mark.parametrize(("code", "format_", "with_", "here"), FORMS, ids=range(len(FORMS)))
def test_which_texts_are_here_in_each_format(
    code: int, format_: Any, with_: list[str], here: tuple[str, ...]
) -> None:
    """Bundles of format 1 have the names of those who approved, and are read for ever."""
    texts = {1: {name: TOLD_ALL[name] for name in here}}
    lacks = () if len(with_) == 2 else ("left-out-texts",)
    content = bundled([NAMED], A, texts=texts, format_=format_, with_=with_, lacks=lacks)
    assert both(content, A) == (code, code)


@pytest.mark.parametrize(
    "format_", ["incident-sla-ledger/bundle@v3", "incident-sla-ledger/bundle@v", "", None, 1, True, [EARLIER]]
)
def test_other_formats_are_none(format_: Any) -> None:
    assert both(bundled([PLAIN], A, format_=format_), A) == (1, 1)
    # The statement names the format: it is not that of the other one.
    good = bundled([PLAIN], A)
    assert both(good.replace(b"bundle@v2", b"bundle@v1"), A) == (1, 1)


OTHER, MAIN = "key/o", "key/m"
KEYED: list[tuple[int, list[Said], Key, tuple[Key, ...]]] = [
    (0, [published(OTHER, A)], A, (A,)),
    (1, [published(OTHER, "junk")], A, (A,)),
    (1, [published(OTHER, A.vkey[:-2] + "AA")], A, (A,)),
    (1, [("key/o", "key.published", {})], A, (A,)),
    (0, [published(OTHER, A), published(MAIN, A), rotated(MAIN, 2, A, B)], A, (A,)),
    (0, [published(MAIN, A), rotated(MAIN, 2, A, B), published(OTHER, A)], A, (A,)),
    (0, [published(OTHER, A), published(MAIN, A), rotated(MAIN, 2, A, B)], B, (A,)),
    (1, [published(MAIN, A), rotated(MAIN, 2, A, B)], A, (A,)),
    (1, [published(OTHER, A), published(MAIN, A), revoked(MAIN, A)], A, (A,)),
    (0, [published(MAIN, A), rotated(MAIN, 2, A, B), revoked(MAIN, A)], B, (B,)),
    (1, [published(MAIN, A), rotated(MAIN, 2, A, B), revoked(MAIN, A)], B, (A,)),
    (1, [published(MAIN, A), rotated(MAIN, 2, A, B), revoked(MAIN, A), revoked(MAIN, A)], B, (B,)),
    (1, [published(MAIN, A), revoked(MAIN, A), rotated(MAIN, 3, A, B)], B, (B,)),
    (1, [published(MAIN, A), rotated(MAIN, 2, B, C)], C, (A, C)),
    (1, [published(MAIN, A), rotated(MAIN, 3, A, B)], B, (A,)),
    (1, [published(MAIN, A), published(MAIN, B)], B, (B,)),
    (1, [(MAIN, REDACTED, {"entry": 1, "fields": []})], A, (A,)),
    (1, [(MAIN, REDACTED, {"entry": 1, "fields": []}), published(MAIN, A)], A, (A,)),
    (1, [(MAIN, "key.other", {})], A, (A,)),
    (0, [PLAIN, published(MAIN, B)], A, (A,)),
    (1, [PLAIN, published(MAIN, B)], A, (C,)),
    (3, [PLAIN, published(MAIN, B)], A, ()),
]


@pytest.mark.parametrize(("code", "said", "signer", "brought"), KEYED, ids=range(len(KEYED)))
def test_oddly_keyed_bundles(code: int, said: list[Said], signer: Key, brought: tuple[Key, ...]) -> None:
    assert both(bundled(said, signer), *brought) == (code, code)


# Two keys named k of one id, 86de152b: the first pair among those made of SHA-256("collision 0"), ("collision 1") and so on. 32 bits
# are found in some 2**16 keys, in 2 s of processor time.
ALIKE = [Key(sha256(b"collision %d" % number).digest()) for number in (19_798, 45_712)]


@pytest.mark.parametrize("signer", ALIKE, ids=("first", "second"))
def test_two_keys_of_one_name_and_id_are_both_tried(desk: Desk, signer: Key) -> None:
    """Which of them signed is found by trying, and hangs on no order: not of a set, nor of the arguments."""
    [other] = [one for one in ALIKE if one is not signer]
    assert signer.vkey.split("+")[:2] == other.vkey.split("+")[:2]
    assert signer.vkey != other.vkey
    plain = bundled([PLAIN], signer)
    for brought in (ALIKE, ALIKE[::-1], [signer]):
        assert both(plain, *brought) == (0, 0)
    assert both(plain, other) == (1, 1)
    words = [word for one in ALIKE for word in ("--key", one.vkey)]
    assert desk.verdict(plain, *words) == 0
    assert f"signed by {signer.vkey}" in verdict(plain, {one.vkey for one in ALIKE})[1]
    # The other is out of use, by the entries of the bundle, and the signer is not.
    away = bundled([published(MAIN, other), rotated(MAIN, 2, other, A)], signer)
    assert both(away, *ALIKE) == (0, 0)
    assert both(away, other) == (1, 1)
    assert both(bundled([published(MAIN, signer), rotated(MAIN, 2, signer, A)], signer), *ALIKE) == (1, 1)


def test_two_keys_of_one_name_and_id_sign_no_bundle_together() -> None:
    """Checkpoint and statement are of one hand; which hand the name and the id do not say."""
    one, other = (members_of(bundled([PLAIN], key)) for key in ALIKE)
    file = BytesIO()
    mixed = {**one, "statement.note": other["statement.note"]}
    write_members(file, [(name, [content]) for name, content in mixed.items()])
    assert both(file.getvalue(), *ALIKE) == (1, 1)


def run(folder: Path, *words: str, alone: bool = False) -> tuple[int, str, str]:
    shutil.copy(FILE, folder)
    options = ["-I", "-S"] if alone else []
    done = subprocess.run(
        [sys.executable, *options, "verify_bundle.py", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_what_the_single_file_says(tmp_path: Path) -> None:
    """Help is asked for; keys that are none are refused in a sentence; what was checked is said without cryptography, too."""
    code, told, trouble = run(tmp_path, "--help")
    assert (code, "Exit codes" in told, trouble) == (0, True, "")
    (tmp_path / "b.bundle").write_bytes(
        bundled([published(OTHER, A), rotated(OTHER, 2, A, B)], B, signed=False)
    )
    code, told, trouble = run(tmp_path, "b.bundle", alone=True)
    assert (code, trouble) == (3, "")
    assert told.startswith(f"2 entries of 2 in {LEDGER}, ")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    code, told, trouble = run(tmp_path, "b.bundle", "binary")
    assert (code, trouble, "no text" in told) == (2, "", True)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "ascii:surrogateescape"])
def test_a_letter_that_a_terminal_lacks_is_no_verdict(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    scope = {"customer": "東京", "kind": "customer"}
    (tmp_path / "b.bundle").write_bytes(bundled([PLAIN], A, scope=scope, proof=[]))
    for words, wanted in ((("b.bundle",), 3), (("b.bundle", A.vkey), 0)):
        code, told, trouble = run(tmp_path, *words)
        assert (code, trouble) == (wanted, "")
        assert r"\u6771\u4eac" in told
        keys = [word for key in words[1:] for word in ("--key", key)]
        done = subprocess.run(
            [Path(sys.executable).with_name("ledger"), "verify-bundle", "b.bundle", *keys],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == wanted, done.stderr
        # For an ASCII terminal some commands write UTF-8; what counts is that all is said.
        assert re.search(r"customer (東京|\\u6771\\u4eac), of 1 in", done.stdout)
    assert run(tmp_path, "--help")[0] == 0


def spelled(public: bytes, name: str = "k") -> str:
    return f"{name}+{_id(name, bytes([1]) + public)}+{b64encode(bytes([1]) + public).decode()}"


def forged(vkey: str) -> bytes:
    """Return a bundle that nobody signed, with signatures that fit under the neutral point."""
    members = members_of(bundled([PLAIN], A, signed=False))
    note = partial(signed_by_nobody, vkey)
    return rebuilt({**members, "checkpoint.note": note(members["checkpoint.note"].decode())}, note)


NEUTRAL = spelled((1).to_bytes(32, "little"))
# A point in no other spelling, but not of the curve.
NO_POINT = next(
    spelled(y.to_bytes(32, "little")) for y in range(2, 99) if not on_curve(y.to_bytes(32, "little"))
)
BUNDLES: dict[str, bytes] = {
    "good": bundled([published(OTHER, A)], A),
    "altered": bundled([published(OTHER, A)], A).replace(b"<p>", b"<q>"),
    "unsigned": bundled([published(OTHER, A)], A, signed=False),
    "forged": forged(NEUTRAL),
    "small key inside": bundled([published(OTHER, A), published(MAIN, NEUTRAL)], A),
    "rotated to a small key": bundled([published(OTHER, A), rotated_to(OTHER, 2, A, NEUTRAL)], A),
    "no bundle": b"nothing",
    "empty": b"",
}
GOOD_KEYS: dict[str, str] = {"the signer": A.vkey, "another": B.vkey, "no point": NO_POINT}
BAD_KEYS: dict[str, str] = {
    "words": "nonsense", "nothing": "", "a space before": f" {A.vkey}", "a line end": f"{A.vkey}\n", "two": f"{A.vkey}\n{B.vkey}",
    "an id that does not fit": A.vkey.replace(A.vkey.split("+")[1], "00000000"),
    "another algorithm": f"k+{_id('k', bytes([2]) + bytes(32))}+{b64encode(bytes([2]) + bytes(32)).decode()}",
    "short": f"k+{_id('k', bytes([1]) + bytes(29))}+{b64encode(bytes([1]) + bytes(29)).decode()}",
    "no name": A.vkey.partition("+")[2], "a lone surrogate": f"\udcff{A.vkey}", "not base64": A.vkey[:-1] + "*",
    **{f"small order {number}": spelled(one) for number, one in enumerate(TORSION)},
}  # fmt: skip


def codes(desk: Desk, content: bytes, *keys: str) -> tuple[int, int]:
    """Return what the command and the tool end with for a bundle and the arguments for keys."""
    words = [word for key in keys for word in ("--key", key)]
    return desk.verdict(content, *words), verdict(content, [*keys])[0]


def test_command_and_tool_end_alike_for_every_bundle_and_key(desk: Desk) -> None:
    """A table of good and bad keys, each with every bundle: a key that is none is a usage error whatever the bundle is."""
    table = {"none": (), **{name: (key,) for name, key in (GOOD_KEYS | BAD_KEYS).items()}}
    table |= {"good and bad": (A.vkey, "nonsense"), "both good": (A.vkey, B.vkey)}
    for key, words in table.items():
        for name, content in BUNDLES.items():
            ours, theirs = codes(desk, content, *words)
            assert ours == theirs, (key, name)
            assert (ours == 2) == (key in BAD_KEYS or key == "good and bad"), (key, name, ours)
    assert codes(desk, BUNDLES["good"], A.vkey) == (0, 0)
    assert codes(desk, BUNDLES["good"], NO_POINT) == (1, 1)
    for name in ("small key inside", "rotated to a small key"):
        assert codes(desk, BUNDLES[name], A.vkey) == (1, 1)


def test_a_forged_bundle_would_pass_without_the_refusal() -> None:
    """The signature that anybody can make fits: it is the key that has to be refused."""
    note = members_of(BUNDLES["forged"])["checkpoint.note"]
    text, _, line = note.decode().rpartition("\n\n")
    signature = b64decode(line.split(" ")[2])[4:]
    assert verify_ed25519((1).to_bytes(32, "little"), signature, f"{text}\n".encode())


def test_key_files_are_read_alike(desk: Desk, tmp_path: Path) -> None:
    content = bundled([published(OTHER, A)], A)
    (tmp_path / "b.bundle").write_bytes(content)
    for file, code in (
        (f"{A.vkey}\n".encode(), 0),
        (f"\n  {A.vkey}  \r\n\r\n".encode(), 0),
        (f"# mine\n{A.vkey}\n".encode(), 2),
        (f"{A.vkey} {B.vkey}\n".encode(), 2),
        (f"\ufeff{A.vkey}\n".encode(), 2),
        (f"{A.vkey}\n{NEUTRAL}\n".encode(), 2),
        ("\xff".encode(), 2),
        (b"", 3),
        (b"\xff\xfe\x00", 2),
    ):
        (tmp_path / "keys").write_bytes(file)
        assert desk.verdict(content, "--key", str(tmp_path / "keys")) == code
        assert run(tmp_path, "b.bundle", "keys")[0] == code
    # Keys come before the file: who asks wrongly hears of that first.
    for words, code in (
        (("none.bundle",), 3),
        (("none.bundle", A.vkey), 3),
        (("none.bundle", "nonsense"), 2),
        ((".",), 3),
    ):
        assert run(tmp_path, *words)[0] == code
        keys = [word for key in words[1:] for word in ("--key", key)]
        result = CliRunner().invoke(main, ["verify-bundle", str(tmp_path / words[0]), *keys])
        assert result.exit_code == code


def test_a_line_break_in_the_name_of_a_customer_is_spelled_out(desk: Desk) -> None:
    scope = {"customer": "c\nverified, of 1 in x", "kind": "customer"}
    Path(desk.path("c.bundle")).write_bytes(bundled([PLAIN], A, scope=scope, proof=[]))
    result = CliRunner().invoke(main, ["verify-bundle", desk.path("c.bundle"), "--key", A.vkey])
    assert result.exit_code == 0
    assert "customer c<U+000A>verified, of 1 in x, of 1 in" in result.stdout
