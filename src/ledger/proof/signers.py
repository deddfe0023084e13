"""Who signs: an Ed25519 key in a file of its own, or a command that keeps the key to itself.

The file holds one line, `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, as golang.org/x/mod/sumdb/note writes
it, so that other tools for signed notes can use the same key. Only its owner may read it (mode 0600).
"""

from __future__ import annotations

import os
import re
import stat
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from ledger.errors import Refused, Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["FileKey", "command_signature", "make_key_file", "read_key_file"]

_LINE = re.compile(r"PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")
_ED25519 = b"\x01"
_SEED_BYTES = 32
_SIGNATURE_BYTES = 64


class FileKey(NamedTuple):
    """A private key read from a file. vkey: the public half, as others know it."""

    name: str
    vkey: str
    private: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        """Return the signature of 64 bytes (RFC 8032)."""
        return self.private.sign(message)


def make_key_file(path: str, name: str, seed: bytes) -> FileKey:
    """Write a new private key that only its owner may read; Refused when the file exists already.

    seed: 32 random bytes. The file is on the disk before this returns, as nothing may be signed for by a lost key.
    """
    made = _key(name, seed)
    line = f"PRIVATE+KEY+{name}+{made.vkey.split('+', 2)[1]}+{b64encode(_ED25519 + seed).decode('ascii')}\n"
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{path} exists already, and a key is never overwritten; name another file") from None
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; name another file") from None
    with os.fdopen(opened, "wb") as file:
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
    return made


def read_key_file(path: str) -> FileKey:
    """Return the key in a file; Unavailable when it cannot be read, is none, or others may read it.

    No sentence repeats what the file holds.
    """
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(4_096)
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be read: {error.strerror}; check the path") from None
    if os.name == "posix" and mode & 0o077:
        raise Unavailable(
            f"the key file {path} has mode {mode:04o}, so others may read it; run chmod 600, and make a new key if "
            "anybody may have"
        )
    found = _LINE.fullmatch(raw.decode("utf-8", "replace").strip())
    try:
        if found is None:
            raise ValueError
        name, key_id, encoded = found.groups()
        material = b64decode(encoded, validate=True)
        if material[:1] != _ED25519:
            raise ValueError
    except (ValueError, NotBase64):
        raise Unavailable(
            f"the key file {path} holds no Ed25519 key; it has one line: PRIVATE+KEY+NAME+ID+KEY"
        ) from None
    made = _key(name, material[1:])
    if made.vkey.split("+", 2)[1] != key_id:
        raise Unavailable(
            f"the key file {path} has a key id that its name and key do not hash to; it was altered"
        )
    return made


def _key(name: str, seed: bytes) -> FileKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise Unavailable("keys need the package cryptography; install incident-sla-ledger[sign]") from None
    if len(seed) != _SEED_BYTES:
        raise ValueError(f"a seed has {_SEED_BYTES} bytes, not {len(seed)}")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    material = _ED25519 + private.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    return FileKey(name, f"{name}+{key_id}+{b64encode(material).decode('ascii')}", private)


def command_signature(command: str, message: bytes) -> bytes:
    """Return the signature that a command makes: the message on its standard input, base64 on its standard output.

    The command is split into words and run without a shell; what it writes to standard error is shown. Raises
    Unavailable when it fails or answers with anything but 64 bytes of base64.
    """
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
        done = subprocess.run(words, input=message, stdout=subprocess.PIPE, check=False)  # noqa: S603  # whoever signs says with what
    except ValueError as error:
        raise Unavailable(f"--sign-command {command!r} cannot be split into words: {error}") from None
    except (OSError, IndexError) as error:
        raise Unavailable(f"--sign-command {command!r} cannot be run: {error}") from None
    if done.returncode:
        raise Unavailable(
            f"--sign-command {command!r} ended with {done.returncode}; nothing was signed or stored"
        )
    try:
        signature = b64decode(done.stdout.strip(), validate=True)
        if len(signature) != _SIGNATURE_BYTES:
            raise ValueError
    except (ValueError, NotBase64):
        raise Unavailable(
            f"--sign-command {command!r} printed {len(done.stdout)} bytes that are not a signature; it has to print the "
            f"{_SIGNATURE_BYTES} bytes of an Ed25519 signature in base64"
        ) from None
    return signature
