"""Standard output that says in a sentence what keeps it from being written, such as a full disk."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from ledger.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["OutputLost", "guard_output"]


class OutputLost(Unavailable):
    """What a command says cannot be written."""


class _Raw(io.FileIO):
    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        if self._lost:
            # It was said once, and the interpreter tries again at its end.
            return len(memoryview(data).cast("B"))
        try:
            return super().write(data)
        except OSError as error:
            self._lost = True
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputLost(
                f"standard output cannot be written: {error.strerror}; send it somewhere else"
            ) from None


def guard_output() -> bool:
    """Put the guard before the program's own standard output; return whether this is a program of its own, and no test in one."""
    stdout = sys.__stdout__
    if stdout is None or sys.stdout is not stdout:
        return False
    # A character that the terminal does not have is spelled out, and ends no command.
    errors = "backslashreplace" if stdout.errors in ("strict", "surrogateescape") else stdout.errors
    if os.name != "posix":
        if isinstance(stdout, io.TextIOWrapper):
            stdout.reconfigure(errors=errors)
        return True  # A console of Windows is no file of bytes.
    try:
        raw = _Raw(stdout.fileno())
    except (OSError, ValueError):
        return True
    stdout.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stdout.encoding,
        errors=errors,
        line_buffering=stdout.line_buffering,
    )
    return True
