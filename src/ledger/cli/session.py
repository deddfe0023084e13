"""What the commands share: the ledger they work on, the cuts they take, and how they print."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from ledger.domain.checks import number_of
from ledger.errors import LedgerError, Refused, counted

if TYPE_CHECKING:
    from ledger.append import Appender
    from ledger.store.log import SealedLog
    from projections.replay import Cut
    from projections.views import Views

__all__ = [
    "Session", "cut_options", "emit_json", "emit_json_streaming", "folded", "json_option", "say", "table", "visible",
]  # fmt: skip


class Session:
    """One run of the command line. Tests give it a clock, salts, a ledger id and seeds of keys of their own."""

    def __init__(
        self,
        clock: Callable[[], int] | None = None,
        salts: Callable[[], bytes] | None = None,
        ledger_id: str | None = None,
        seeds: Callable[[], bytes] | None = None,
    ) -> None:
        self.url = ""
        self.clock = clock or (lambda: time.time_ns() // 1_000)
        self.salts = salts
        self.ledger_id = ledger_id
        self.seeds = seeds or (lambda: os.urandom(32))
        self._appender: Appender | None = None
        self._log: SealedLog | None = None
        self._warned = False

    def salt_source(self) -> Callable[[], bytes]:
        """Return where salts of 16 bytes come from."""
        return self.salts or (lambda: os.urandom(16))

    def appender(self) -> Appender:
        """Return the ledger for writing."""
        if self._appender is None:
            from ledger.append import Appender

            self._appender = Appender(self.url, clock=self.clock, salts=self.salts)
        return self._appender

    def log(self) -> SealedLog:
        """Return the ledger for reading only."""
        if self._log is None:
            from ledger.store.location import open_log

            self._log = open_log(self.url, writable=False)
        return self._log

    def views(self) -> Views:
        """Return the views of the ledger, up to date; a warning where something else stands in their place."""
        from projections.views import open_views

        views = open_views(self.log())
        if views.foreign and not self._warned:
            self._warned = True
            click.echo(f"warning: {views.unkept}", err=True)
        return views

    @staticmethod
    def _finish_erasure(log: SealedLog) -> None:
        """Cut off what earlier erasures left, and say what came of it; a redaction of this command has spoken itself."""
        with suppress(LedgerError):
            if log.redacted or not log.erasure_unfinished():
                return
            click.echo(
                "note: texts erased earlier still stood in the files of the ledger, and are gone now"
                if log.finish_erasure()
                else "warning: texts erased earlier still stand in the files of the ledger, as a reader keeps its write-ahead log open; "
                "run any command that records once it has gone",
                err=True,
            )

    def now(self) -> str:
        """Return the present in the ledger's spelling."""
        from ledger.domain.instants import from_micros

        return from_micros(self.clock())

    def cut(self, published_by: str | None, recorded_by: str | None) -> Cut:
        """Return the cut that --published-by and --recorded-by ask for."""
        from projections.replay import Cut

        return Cut(
            None if published_by is None else instant("--published-by", published_by),
            None if recorded_by is None else self._position(recorded_by),
        )

    def _position(self, recorded_by: str) -> int:
        if recorded_by.startswith("@"):
            position = number_of(recorded_by, "@")
            if position is None:
                raise click.UsageError(f"--recorded-by {recorded_by!r} is no position; write it like @812")
            size = self.log().head().size
            if position > size:
                raise Refused(
                    f"--recorded-by {recorded_by} is beyond the ledger, which has {counted(size, 'entry')}"
                )
            return position
        if os.path.isfile(recorded_by):
            from ledger.cli.proof import own_checkpoint, read_file

            named = f"--recorded-by {recorded_by}"
            return own_checkpoint(self, named, read_file("--recorded-by", recorded_by)).size
        return self.log().size_at(instant("--recorded-by", recorded_by))

    def as_of(self, cut: Cut, given: str | None) -> str:
        """Return the instant up to which an open window surely lasts: as asked, else the cut, else now."""
        if given is not None:
            return instant("--as-of", given)
        ends = [] if cut.published_by is None else [cut.published_by]
        if cut.recorded_by is not None:
            entry = self.log().at(cut.recorded_by)
            ends.append(entry.recorded_at if entry else "1970-01-01T00:00:00.000000Z")
        return min(ends) if ends else self.now()

    @contextmanager
    def recording(self) -> Iterator[Appender]:
        """Give the ledger for writing; whatever happened, erasing is brought to its end, or it is said what is left.

        Earlier erasures count, too: a command that was stopped in the middle of one left the rest to the next.
        """
        appender = self.appender()
        try:
            yield appender
        finally:
            if appender.sealed.redacted:
                from projections.views import refresh

                refresh(appender.sealed)
                if appender.sealed.beyond_erasure:
                    click.echo(f"note: {appender.sealed.beyond_erasure}", err=True)

    def close(self) -> None:
        """Close what was opened."""
        if self._appender is not None:
            self._finish_erasure(self._appender.sealed)
            self._appender.close()
        if self._log is not None:
            self._log.close()


def instant(option: str, text: str) -> str:
    """Return an instant given to an option, in the ledger's spelling; a usage error when it is none."""
    from ledger.domain.instants import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise click.UsageError(f"{option} {text!r} {error}") from None


def json_option(command: Any) -> Any:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def cut_options(command: Any) -> Any:
    """Add both cuts."""
    command = click.option(
        "--recorded-by",
        metavar="T|@POSITION|CHECKPOINT",
        help="Only what the ledger held by then (inclusive).",
    )(command)
    return click.option(
        "--published-by", metavar="T", help="Only what had been published by then (inclusive)."
    )(command)


# What a terminal obeys instead of showing: control characters, and those that turn the direction of writing or break
# lines. The ledger takes no control characters, but a file that somebody else wrote may hold any.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return text from events with every character a terminal would obey spelled out, such as `<U+202E>`."""
    return _ACTING.sub(lambda found: f"<U+{ord(found.group()):04X}>", text)


def say(text: str, *, nl: bool = True) -> None:
    """Print text that may hold words from events; nothing in it acts on the terminal, whose width its lines keep to."""
    shown = visible(text)
    click.echo(folded(shown, _width()) if sys.stdout.isatty() else shown, nl=nl)


def _width() -> int:
    return max(shutil.get_terminal_size().columns, 40)


# A name with a gap behind it, such as that of a field: what follows stays in its column.
_NAMED = re.compile(r" *\S+ {2,}")


def folded(text: str, width: int) -> str:
    """Return a text whose lines are no wider than that, broken between words; a longer word, such as an address, stays whole."""
    from textwrap import wrap

    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width:
            lines.append(line)
            continue
        named = _NAMED.match(line)
        indent = len(line) - len(line.lstrip(" ")) + 2
        if named is not None and named.end() <= width // 3:
            indent = named.end()
        lines += wrap(
            line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)


def emit_json(value: Any) -> None:
    """Print one JSON value on one line; what a terminal would obey is written as JSON escapes."""
    click.echo(_json(value))


def emit_json_streaming(value: Mapping[str, Any]) -> None:
    """Print one JSON object as `emit_json` does; a value of it that is an iterator is an array, written as it comes."""
    before = "{"
    for name, one in value.items():
        click.echo(f"{before}{_json(name)}:", nl=False)
        before = ","
        if isinstance(one, Iterator):
            between = "["
            for items in _batched(one, 1_000):
                # An array of some of them, without its brackets.
                click.echo(between + _json(items)[1:-1], nl=False)
                between = ","
            click.echo("[]" if between == "[" else "]", nl=False)
        else:
            click.echo(_json(one), nl=False)
    click.echo("}")


def _json(value: Any) -> str:
    import msgspec

    line = msgspec.json.encode(value).decode()
    return _ACTING.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def _batched(items: Iterator[Any], number: int) -> Iterator[list[Any]]:
    while batch := list(islice(items, number)):
        yield batch


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = (), whole: int | None = None
) -> None:  # fmt: skip
    """Print a table: as wide as it needs to be, aligned, and plain where nobody looks.

    On a terminal that is too narrow for it each row is a block: its first cells, and below them the others by name. whole: a
    column whose cells are there to be copied, such as keys; none is ever broken, and in a block it has a line of its own.
    """
    # Text from events is data: no markup in it is obeyed, and no control character.
    cells = [[visible(cell) for cell in row] for row in rows]
    rights = set(right)
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    # Columns stand three spaces apart, and one stands before the first.
    needed = sum(widths) + 3 * len(widths) + 1
    if not sys.stdout.isatty():
        _aligned(headings, cells, rights, 200 if whole is None else max(200, needed))
        return
    width = _width()
    if needed <= width:
        _aligned(headings, cells, rights, width)
        return
    for row in cells:
        click.echo(f"\n{folded(row[0], width)}")
        pairs = [
            f"{name} {cell}" if name else cell
            for at, (name, cell) in enumerate(zip(headings[1:], row[1:], strict=True), 1)
            if cell and at != whole
        ]
        for line in _packed(pairs, width - 2):
            click.echo(folded(f"  {line}", width))
        if whole is not None:
            # From the first column on, so that even a long one fits.
            click.echo(row[whole])
    click.echo()


def _packed(pairs: Iterable[str], width: int) -> Iterator[str]:
    """Yield lines of as many pairs as fit beside each other."""
    line = ""
    for pair in pairs:
        longer = f"{line}, {pair}" if line else pair
        if line and len(longer) + 1 > width:
            yield f"{line},"
            longer = pair
        line = longer
    if line:
        yield line


def _aligned(headings: Sequence[str], rows: Iterable[Sequence[str]], rights: set[int], width: int) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for at, heading in enumerate(headings):
        shown.add_column(
            heading, justify="right" if at in rights else "left", overflow="fold", no_wrap=at in rights
        )
    for row in rows:
        shown.add_row(*map(Text, row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=width, color_system=None)
    elif not sys.stdout.isatty():
        console = Console(width=width)  # Colours were asked for, and nobody is at a terminal of any width.
    console.print(shown)
