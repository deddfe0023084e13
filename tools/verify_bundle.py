"""Verify a bundle of an incident ledger, alone: python verify_bundle.py FILE [VKEY]…

FILE: a bundle (docs/bundle-format.md). VKEY: whom you trust, NAME+ID+KEY or a file with one in each line, got from elsewhere;
the first key of the ledger will do. Needs Python 3.11 and, to check signatures, the package cryptography; asks no network.
It proves that what is in FILE was in the ledger, as a key that follows from yours signed it, and with scope all that nothing
is missing. It does not prove that what was recorded is true, what came later, or what page.html says; it prints which words of
the format are proven and which not. Whether issued documents add up, ledger verify-bundle checks, and this does not. Exit codes: 0 verified; 1 something does not hold, or no key that counts signed; 2 usage, or
a VKEY that is none; 3 all holds, but not who made it (no VKEY, no signature, no cryptography), or FILE cannot be read.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

FORMATS = ("incident-sla-ledger/bundle@v1", "incident-sla-ledger/bundle@v2")
TEXT, NUMBER = r'"(?:[^"\\]|\\.)*"', "[1-9][0-9]*"
INSTANT = r'"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}\.\d{6}Z"'
HEADER = re.compile(
    rf'(?a),"header":{{("clock_behind":true,)?"format":1,("idempotency_key":{TEXT},)?"ledger":{TEXT},"position":{NUMBER},'
    rf'"recorded_at":{INSTANT},"stream":"[a-z]+/[a-z0-9][a-z0-9-]{{0,63}}","type":{TEXT},"version":{NUMBER}}}}}\Z'
)
KEPT = r'\{(?:"format":"[a-z]+","rows":\d+|"assessments":\d+,"lines":\d+,"root":"[\da-f]{64}"),"sha256":"([\da-f]{64})"\}'
CHECKPOINT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,19})\n([A-Za-z0-9+/]{43}=)\n")
SIGNATURE = re.compile("\u2014 ([^\\s+\\x00-\\x1f\\x7f]+) ([A-Za-z0-9+/]+={0,2})\n")
VKEY = re.compile(r"([^\s+\x00-\x1f\x7f]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
Json = dict[str, Any]
NUL = re.compile(rb"(?<!\\)(\\\\)*\\u0000")


class Stop(Exception):
    """The verdict: an exit code, and a sentence that says why."""


def need(so: object, sentence: str, code: int = 1) -> None:
    """Stop unless something is so."""
    if not so:
        raise Stop(code, sentence)


def members(file: bytes) -> dict[str, bytes]:
    """Take the members out and write the file anew: it has to come out the same."""
    found: dict[str, bytes] = {}
    local, central, at = [], [], 0
    while file[at : at + 4] == b"PK\x03\x04":
        length, _, named = struct.unpack("<IIH", file[at + 18 : at + 28])
        name, content = file[at + 30 : at + 30 + named], file[at + 30 + named : at + 30 + named + length]
        shared = struct.pack("<5H3I2H", 10, 0, 0, 0, 33, zlib.crc32(content), length, length, named, 0)
        local += [b"PK\x03\x04", shared, name, content]
        central += [b"PK\x01\x02\x0a\x00", shared, struct.pack("<3H2I", 0, 0, 0, 0, at), name]
        need(name.decode() not in found and len(found) < 65_534, "a member stands twice, or is one too many")
        found[name.decode()] = content
        at += 30 + named + length
    listed = b"".join(central)
    end = struct.pack("<I4H2IH", 0x06054B50, 0, 0, len(found), len(found), len(listed), at, 0)
    need(len(file) < 2**32 - 1 and b"".join([*local, listed, end]) == file, "the container was altered")
    return found


def spelled(value: object) -> bytes:
    """Spell a value as canonical JSON (RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def canonical(raw: bytes) -> Any:
    """Return what canonical JSON says; a number that is no exact integer makes int() fail."""
    number = lambda one: int(one if abs(int(one)) < 2**53 else "")  # noqa: E731  # three times
    found = json.loads(raw.decode(), parse_float=int, parse_constant=int, parse_int=number)
    need(spelled(found) == raw and not NUL.search(raw), f"not canonical JSON: {raw[:60]!r}")
    return found


def base64(text: str) -> bytes:
    """Return the bytes of base64 in its one spelling."""
    found = b64decode(text, validate=True)
    need(b64encode(found).decode() == text, f"base64 in another spelling: {text[:60]!r}")
    return found


def tree(level: list[bytes]) -> bytes:
    """Return the root over leaves (RFC 6962, section 2.1): whoever has no partner moves up alone."""
    while len(level) > 1:
        level = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)] + level[len(level) & ~1 :]  # fmt: skip
    return level[0]


def root_by(path: list[str], found: bytes, index: int, size: int) -> bytes:
    """Return the root that an inclusion proof leads to from a leaf (RFC 9162, section 2.1.3.2)."""
    last = size - 1
    for sibling in map(base64, path):
        need(last and len(sibling) == 32, "a proof is too long, or holds no hash")
        on_the_right = index % 2 or index == last
        found = sha256(b"\x01" + (sibling + found if on_the_right else found + sibling)).digest()
        while on_the_right and index % 2 == 0 and index:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    need(last == 0, "a proof is too short")
    return found


def note(content: bytes) -> tuple[str, str, bytes]:
    """Return the text of a note, name and id of the key that is said to have signed it, and the signature."""
    text, parted, line = content.decode().rpartition("\n\n")
    need(not re.search(r"[\x00-\x09\x0b-\x1f]", text + line), "a note holds a control character")
    if not parted:
        return line, "", b""
    name, raw = (found[1], base64(found[2])) if (found := SIGNATURE.fullmatch(line)) else ("", b"")
    need(len(raw) > 4, "a note has not exactly one signature")
    return f"{text}\n", f"{name}+{raw[:4].hex()}", raw[4:]


def public(vkey: str) -> bytes:
    """Return the 32 bytes of a verifier key; Stop where it is none, or of small order: anybody could sign for that."""
    name, key_id, encoded = found.groups() if (found := VKEY.fullmatch(vkey)) else ("", "", "")
    made, square = base64(encoded), (int.from_bytes(base64(encoded)[1:], "little") % 2**255) ** 2
    fits = made[:1] == b"\x01" and key_id == sha256(name.encode() + b"\n" + made).hexdigest()[:8]
    fits &= square * (square - 1) * (121665 * square**2 - 243332 * square + 121666) % (2**255 - 19) != 0
    need(fits, f"not a verifier key, or one under which anybody can sign: {vkey[:80] if 'PRIVATE' not in vkey else 'a private key; give the public one (ledger key show)'}")  # fmt: skip
    return made[1:]


def accepted(brought: set[str], entries: list[Json]) -> tuple[set[str], list[Any]]:
    """Check the streams of keys; return the keys whose signature counts, and who signed each rotation, and how."""
    chains, versions, gone, signed = dict[str, list[str]](), dict[str, int](), set(), []
    for header, data in ((one["header"], one["data"]) for one in entries):
        name, type_, vkey = header["stream"], header["type"], data.get("vkey")
        chain, versions[name] = chains.setdefault(name, []), versions.get(name, 0) + 1
        old = chain[-1] if chain and (name, chain[-1]) not in gone else ""
        kinds = ["key.published"] if versions[name] == 1 else ["key.rotated", "key.revoked", "entry.redacted"]
        fits = header["version"] == versions[name] and type_ in kinds
        if type_ == "key.rotated":
            said = {"replaces": old, "vkey": vkey, **{n: header[n] for n in ("ledger", "stream", "version")}}
            fits &= old == data["replaces"] != "" and vkey not in chain and vkey.split("+")[0] == old.split("+")[0]  # fmt: skip
            signed.append((old, base64(data["signature"]), b"incident-sla-ledger/key.rotated/v1\0" + spelled(said)))  # fmt: skip
        elif type_ == "key.revoked":
            fits &= vkey in chain and (name, vkey) not in gone
            gone.add((name, vkey))
        need(fits, f"{name} v{header['version']} is out of order, or of a key that is not in use")
        chain += [vkey] * (type_ in ("key.published", "key.rotated") and public(vkey) != b"")
    revoked, counts = {vkey for _, vkey in gone}, brought.difference(*chains.values())
    for chain in chains.values():
        since = max((at + 1 for at, vkey in enumerate(chain) if vkey in revoked), default=0)
        counts |= {*chain[-1:]} if brought & {*chain[since:]} else set()
    return counts, signed


def named(header: Json, data: Json) -> set[Any]:
    """Return the texts (stream, version, path) that an entry says were erased."""
    ours = header["type"] == "entry.redacted" and type(data.get("entry")) is int
    fields = data["fields"] if ours and type(data.get("fields")) is list else []
    return {(header["stream"], data["entry"], one) for one in fields if type(one) is str}


def check_texts(entry: Json, texts: Json, erased: set[Any], optional: set[str]) -> set[str]:
    """Check the texts of an entry against its commitments; return what is not proven for want of some."""
    header, data, lacks = entry["header"], entry["data"], set()
    place, inner = f"@{header['position']}", data["set"] if type(data.get("set")) is dict else {}
    values = {**data, "set": None, **{f"set.{name}": inner[name] for name in inner}}
    paths = {path for path, one in values.items() if type(one) is dict and one.keys() == {"sha256"}}
    need(texts.keys() <= paths, f"{place} has a text that it does not commit to")
    for path in paths:
        out, gone = path.split(".")[-1] in optional, (header["stream"], header["version"], path) in erased
        if path in texts:
            salt, value = texts[path]
            need(not gone and not out, f"{path} of {place} should not be here")
            fits = type(texts[path]) is list and re.fullmatch("[0-9a-f]{32}", salt)
            fits = fits and sha256(bytes.fromhex(salt) + value.encode()).hexdigest() == values[path]["sha256"]
            need(fits, f"{path} of {place} is not what was said")
        elif not gone:
            lacks.add("left-out-texts" if out else "gone-texts")
    return lacks


def verify(file: bytes, brought: set[str]) -> str:
    """Check everything; return what it is, and who signed it."""
    parts = members(file)
    manifest = canonical(parts["manifest.json"])
    scope, with_, kind = manifest["scope"], manifest["with"], manifest["scope"]["kind"]
    need(kind in ("all", "incident", "customer") and scope.keys() == {"kind", kind} - {"all"}, "no scope")
    need(kind == "all" or (scope[kind] and type(scope[kind]) is str), "the scope names nothing")
    need(with_ in ([], ["actor"], ["note"], ["actor", "note"]), "`with` lists other texts")
    tables, partial = sorted(name[7:] for name in parts if name.startswith("tables/")), kind != "all"
    order = ["checkpoint.note", "entries.jsonl", "texts.jsonl", *["proofs.jsonl"] * partial]
    order += [*["subscriptions.json"] * (kind == "customer"), *map("tables/{}".format, tables), "page.html"]
    need([*parts] == [*order, "manifest.json", "statement.note"], "the members are not those of the scope")
    text, signer, signature = note(parts["checkpoint.note"])
    statement, stater, stated = note(parts["statement.note"])
    ledger, digits, encoded = CHECKPOINT.fullmatch(text).groups()  # type: ignore[union-attr]  # or it is none
    size, root, digest = int(digits), base64(encoded), sha256(parts["manifest.json"]).hexdigest()
    need(statement == f"{manifest['format']}\nmanifest {digest}\n{ledger}\n", "it states another manifest")
    need(signer == stater, "checkpoint and statement are signed by different keys")
    lines = [parts.get(f"{one}.jsonl", b"").split(b"\n") for one in ("entries", "texts", "proofs")]
    need([one.pop() for one in lines] == [b"", b"", b""] and lines[0], "no lines, or the last has no end")
    erased = {one for raw in lines[0] if b'"type":"entry.redacted"' in raw for one in named(**canonical(raw))}
    position, time, referenced, keys, leaves, optional = 0, "", set(), [], [], {"actor", "note"} - {*with_}
    optional |= {"approved_by"} if FORMATS.index(manifest["format"]) and "actor" in optional else set()
    streams, lacks = dict[str, list[tuple[int, int]]](), {"after", "truth", "page", *["others"] * partial}
    for raw, texts, proof in zip(*lines[:2], lines[1 + partial], strict=True):
        entry = canonical(raw)
        header, data, at = entry["header"], entry["data"], entry["header"]["position"]
        need(HEADER.search(raw.decode()) and len(entry) == 2 and type(data) is dict, f"@{at} is no entry")
        need(header["ledger"] == ledger, f"@{at} is of another ledger")
        need(position < at <= size and time < header["recorded_at"], f"@{at} is out of order")
        position, time = at, header["recorded_at"]
        streams.setdefault(header["stream"], []).append((header["version"], at))
        leaves.append(sha256(b"\0" + raw).digest())
        keys += [entry] if header["stream"].startswith("key/") else []
        terms = data["terms"].encode() if header["type"] == "policy.published" else None
        need(terms is None or sha256(terms).hexdigest() == data["sha256"], f"@{at} has other terms")
        lacks |= check_texts(entry, canonical(texts), erased, optional)
        referenced |= {*re.findall(KEPT, raw.decode(), re.ASCII)}
        if partial:
            need(type(path := canonical(proof)) is list, f"the proof of @{at} is no list")
            need(root_by(path, leaves[-1], at - 1, size) == root, f"@{at} is not in the tree")
    need(partial or (position == size == len(leaves) and tree(leaves) == root), "they have another root")
    need(kind != "incident" or f"incident/{scope['incident']}" in streams, "the incident is not here")
    digests = {name: sha256(content).hexdigest() for name, content in parts.items()}
    need(all(digests[f"tables/{one}"] == one for one in tables), "a table is another one")
    need(referenced == {*tables} or (partial and referenced > {*tables}), "tables are missing, or too many")
    positions, described = {at for versions in streams.values() for _, at in versions}, []
    left_out = {one["stream"]: one["left_out"] for one in manifest["streams"] or ()}
    for name in sorted(streams):
        here, through = [version for version, _ in streams[name]], streams[name][-1][1]
        together = sorted(here + (gaps := left_out.get(name, [])))
        need(here == sorted(here) and together == [*range(1, len(together) + 1)], f"{name} has gaps")
        while partial and through + 1 in positions:
            through += 1
        described.append({"stream": name, "versions": len(together), "complete_through": through, "left_out": [*map(int, sorted(gaps))]})  # fmt: skip
        lacks |= {*["later-versions"] * (partial and through < size), *["left-out-versions"] * bool(gaps)}
    wanted = {
        "format": manifest["format"], "scope": scope, "with": with_, "streams": described if partial else None,
        "proves": ["entries", *["streams"] * partial, "texts", *["whole"] * (not partial)],
        "members": [{"name": one, "bytes": len(parts[one]), "sha256": digests[one]} for one in order],
        "does_not_prove": sorted(lacks | ({"left-out-tables"} if referenced - {*tables} else set())),
    }  # fmt: skip
    need(spelled(wanted) == parts["manifest.json"], "the manifest does not say what the bundle holds")
    told = f"{len(lines[0])} entries of {size} in {ledger}, root {root.hex()}, scope {scope}\nproves: {', '.join(wanted['proves'])}\ndoes not prove: {', '.join(wanted['does_not_prove'])}"  # fmt: skip
    counts, rotations = accepted(brought, keys)
    signers = sorted(key for key in counts if key.startswith(f"{signer}+"))  # an id is short: several may fit
    need(signers or not signer or not brought, f"{signer} signed it, and no given key leads to that one")
    notes, failed = ((signature, text.encode()), (stated, statement.encode())), set[Any]()
    for row in [*rotations, *((key, *one) for key in signers for one in notes)]:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

            Ed25519PublicKey.from_public_bytes(public(row[0])).verify(*row[1:])
        except ImportError:
            raise Stop(3, f"{told}\nsignatures need the package cryptography") from None
        except Exception:  # noqa: BLE001  # InvalidSignature, or no point of the curve
            failed.add(row)
    by = [key for key in signers if not failed.intersection((key, *one) for one in notes)]
    need(failed.isdisjoint(rotations) and (by or not signers), f"a signature is not that of {' or '.join(sorted({row[0] for row in failed}))}")  # fmt: skip
    need(by, f"{told}\nwho made it was not checked: it is not signed, or no key was given", 3)
    return f"{told}\nsigned by {by[0]}"


def verdict(file: bytes | str, words: list[str] | set[str]) -> tuple[int, str]:
    """Return the exit code and the sentences of the verdict on a bundle, or its path. words: keys, and files of keys."""
    try:
        files = {word: Path(word).read_text("utf-8") for word in words if os.path.isfile(word)}  # noqa: PTH113  # a key is no path
        lines = {line.strip() for text in files.values() for line in text.splitlines() if line.strip()}
        brought = {key for key in {*words} - {*files} | lines if public(key)}
    except (Stop, ValueError, OSError) as error:
        return 2, f"a VKEY is no key, and no text with keys in its lines: {error.args[-1]}"
    try:
        return 0, verify(file if isinstance(file, bytes) else Path(file).read_bytes(), brought)
    except Stop as stop:
        return stop.args[0], stop.args[1]
    except OSError as error:
        return 3, str(error)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error) as error:
        return 1, f"not a bundle of format 1 or 2: {type(error).__name__} {error}"


def main() -> int:
    """Print the verdict on a file and return the exit code; 3 where it cannot be printed."""
    asked = {"--help", "-h"} & {*sys.argv[1:]} or len(sys.argv) < 2
    code, told = (2 * (len(sys.argv) < 2), str(__doc__)) if asked else verdict(sys.argv[1], sys.argv[2:])
    told = "".join(one if one == "\n" or one.isprintable() else f"<U+{ord(one):04X}>" for one in told)
    try:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a letter a terminal lacks is no verdict
        word = "" if asked else ("verified", "DOES NOT HOLD", "USAGE", "NOT CHECKED")[code]
        print(told, word, sep="\n", end="\n" if word else "", flush=True)
    except (OSError, AttributeError) as error:  # AttributeError: it is closed
        sys.stderr.write(f"standard output cannot be written: {getattr(error, 'strerror', None) or 'it is closed'}\n")  # fmt: skip
        os._exit(3)  # what is left in the buffer would fail once more
    return code


if __name__ == "__main__":
    sys.exit(main())
