"""Every error the ledger raises on purpose: one sentence, one exit code.

A sentence names the field, the value that was found and what to do about it.
Exit codes are those of the command line: 0 done or verified; 1 refused, mismatch or
tampering found; 2 usage; 3 could not do or check it.
"""

from __future__ import annotations

__all__ = [
    "Altered",
    "counted",
    "Conflict",
    "LedgerError",
    "NotUnderstood",
    "Refused",
    "Unavailable",
    "nearest",
    "require",
]


class LedgerError(Exception):
    """Root of all errors of the ledger; `str(error)` is the sentence to show.

    `problems` holds one sentence each where several things are wrong at once; `hints` what is to be said behind them, of
    all of them together.
    """

    exit_code = 3

    def __init__(self, sentence: str, problems: tuple[str, ...] = (), hints: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.problems = problems or (sentence,)
        self.hints = hints

    @property
    def told(self) -> tuple[str, ...]:
        """All that a command says of it, a line each."""
        return (*self.problems, *self.hints)


class Refused(LedgerError):
    """The request breaks a rule; nothing was stored."""

    exit_code = 1


class NotUnderstood(LedgerError):
    """What was given to a command is nothing it could use, such as a file that is not there."""

    exit_code = 2


class Conflict(Refused):
    """Somebody else appended to the same stream, or under the same key, in the meantime."""


class Unavailable(LedgerError):
    """The ledger could not be reached, read or checked."""

    exit_code = 3


class Altered(LedgerError):
    """What the ledger keeps is not what was recorded."""

    exit_code = 1


def require(what: str, package: str, extra: str) -> None:
    """Raise Unavailable where something needs a package that is not installed; extra: what to install it with."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise Unavailable(f"{what} needs the package {package}; install incident-sla-ledger[{extra}]")


def nearest(word: str, known: object) -> str:
    """Return " (did you mean X?)" for the known name nearest to `word`, or ""."""
    # Only mistakes pay for the import.
    from difflib import get_close_matches

    names = [name for name in known if isinstance(name, str)] if hasattr(known, "__iter__") else []
    folded = {name.casefold(): name for name in names}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    return f" (did you mean {folded[found[0]]!r}?)" if found else ""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return how many of something there are, for people: "1 entry", "2,048 entries"."""
    word = one if number == 1 else many or (f"{one[:-1]}ies" if one.endswith("y") else f"{one}s")
    return f"{number:,} {word}"
