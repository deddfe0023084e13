"""The one place through which commands write files: what stands there is kept, unless it is an earlier output of the same kind.

A name given by mistake may be that of the ledger, of a private key or of a device, and what is replaced is gone. So a
regular file is replaced only where its bytes say that it is the like of what is written now; a device or a pipe is
written to; a symbolic link is followed.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ledger.errors import Refused, Unavailable

__all__ = ["Kind", "beginning_with", "check_output", "is_stream", "output_file", "written"]

# What SQLite keeps beside a database of the name before it.
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
_MOST_AT_ONCE = 1 << 20


class Kind(NamedTuple):
    """A kind of output. name: with its article, as in sentences; is_one: whether a file that can be read is such an output."""

    name: str
    is_one: Callable[[BinaryIO], bool]


def beginning_with(name: str, *heads: bytes) -> Kind:
    """Return the kind of output whose files begin with one of some bytes."""
    return Kind(name, lambda file: file.read(max(map(len, heads))).startswith(heads))


def is_stream(path: str | Path) -> bool:
    """Return whether a name stands for a device or a pipe, such as /dev/stdout: what is said of it belongs elsewhere."""
    return _is_own_output(path) or _streams(path)


def check_output(path: str | Path, kind: Kind) -> None:
    """Refuse a name under which something stands that is no earlier output of the same kind. Nothing is written.

    Raises Refused for what would be lost, Unavailable where that cannot be told.
    """
    with _sentences(path):
        if not is_stream(path):
            _check_replaceable(path, kind)


@contextmanager
def output_file(path: str | Path, kind: Kind) -> Iterator[Path]:
    """Give a name of a new, empty file to write; its bytes stand under the path once all went well, or not at all.

    Raises Refused where something else stands there (`check_output`), before anything is made and again at the end, and
    Unavailable with the reason where it cannot be written.
    """
    check_output(path, kind)
    with _sentences(path):
        if is_stream(path):
            with tempfile.TemporaryDirectory() as folder:
                beside = Path(folder) / "output"
                beside.touch()
                yield beside
                _send(beside, path)
            return
        # A link is followed to what it stands for, which keeps its name.
        place = Path(os.path.realpath(path))
        beside = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}.tmp")
        beside.open("xb").close()
        try:
            yield beside
            with beside.open("rb+") as file:
                os.fsync(file.fileno())
            _check_replaceable(path, kind)
            with suppress(FileNotFoundError):
                # Who could not read what stood there cannot read what follows it.
                beside.chmod(stat.S_IMODE(place.stat().st_mode))
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)


def written(path: str | Path, content: bytes, kind: Kind) -> None:
    """Write a file whole, or not at all, under the rules of `output_file`."""
    with output_file(path, kind) as beside, _sentences(path):
        beside.write_bytes(content)


@contextmanager
def _sentences(path: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}; choose another place"
        ) from None


def _streams(path: str | Path) -> bool:
    try:
        mode = os.stat(path).st_mode  # a Path would not take the trailing slash that a text may have
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _is_own_output(path: str | Path) -> bool:
    """Return whether a name such as /dev/stdout or /dev/fd/1 stands for where standard output goes, also into a file."""
    if not str(path).startswith(("/dev/", "/proc/")):
        return False
    try:
        return os.path.samestat(os.stat(path), os.fstat(1))
    except OSError:
        return False


def _send(source: Path, path: str | Path) -> None:
    """Write the bytes of a file to a device or a pipe."""
    own = _is_own_output(path)
    if own:
        sys.stdout.flush()
    with source.open("rb") as file, open(1 if own else path, "wb", buffering=0, closefd=not own) as target:
        while piece := file.read(_MOST_AT_ONCE):
            left = memoryview(piece)
            while left:
                left = left[target.write(left) :]


def _check_replaceable(path: str | Path, kind: Kind) -> None:
    place = os.path.realpath(path)
    for end in _BESIDE_A_DATABASE:
        if place.endswith(end) and os.path.exists(place.removesuffix(end)):
            raise Refused(f"{path} is a name that a database keeps for itself; choose another place")
    try:
        mode = os.stat(place).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "Is a directory")
    if not stat.S_ISREG(mode):
        raise Refused(
            f"{path} is no file, no pipe and no device that takes one; nothing was written, choose another place"
        )
    with open(place, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0 or kind.is_one(file):
            return
    raise Refused(
        f"{path} holds something else than {kind.name}, and is not replaced; nothing was written: choose another place, or "
        "move away what stands there"
    )
