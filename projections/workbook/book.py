"""A spreadsheet file of which openpyxl writes all but the rows: styles, names, protection, print set-up, charts.

The rows are put into the parts that openpyxl leaves empty, one after the other and straight into the file, so that
memory stays flat; on the way the stamps of the present time go, and the same content gives the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from textwrap import wrap
from typing import Any, BinaryIO, Literal, NamedTuple, TypeAlias, get_args

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName

from ledger.outputs import Kind, output_file
from projections.credit_files import digest
from projections.workbook.cells import Styled, row_xml
from projections.workbook.fitting import LINE, Fitted, fitted, height, pages

__all__ = ["MOST_ROWS", "WORKBOOK", "Block", "Book", "Column", "Role", "Row", "Table", "parts"]

# Rows of a sheet below its heading.
MOST_ROWS = 1_048_575
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CREATOR, _STAMP = "incident-sla-ledger", b"1980-01-01T00:00:00Z"
_ROWS_AT_ONCE = 1_000

Role: TypeAlias = Literal["given", "input", "formula", "value", "heading", "title", "note"]
_NAME, _SIZE = "Calibri", 11
_FONTS = {
    "given": Font(_NAME, _SIZE),
    "input": Font(_NAME, _SIZE, color="FF0000C0"),
    "formula": Font(_NAME, _SIZE),
    "value": Font(_NAME, _SIZE, italic=True, color="FF606060"),
    "heading": Font(_NAME, _SIZE, bold=True),
    "title": Font(_NAME, 14, bold=True),
    "note": Font(_NAME, _SIZE, italic=True, color="FF606060"),
}
_FILLS = {
    "input": PatternFill("solid", fgColor="FFFFF6D6"),
    "value": PatternFill("solid", fgColor="FFEFEFEF"),
    "heading": PatternFill("solid", fgColor="FFDDE6F0"),
}
_LINE = Border(bottom=Side("thin", color="FF8090A0"))
_FORMATS = {
    "text": "General",
    # Text that goes on in the next line of its cell.
    "folded": "General",
    "integer": "#,##0",
    # As many decimals as the column has room for; a format with a number of them shows "###" where it is narrower.
    "decimal": "General",
    "exponent": "0.E+00",
    "percent": "0.00000000",
    "moment": "yyyy-mm-dd hh:mm:ss",
    "date": "yyyy-mm-dd",
    # Some spreadsheets show a truth value as a number; a format says how it reads.
    "flag": '"TRUE";"TRUE";"FALSE"',
    # One beside its question, on the left.
    "answer": '"TRUE";"TRUE";"FALSE"',
    **{f"money{digits}": "#,##0" + (f".{'0' * digits}" if digits else "") for digits in range(5)},
}
_rule: Any = CellIsRule
_RED = PatternFill("solid", bgColor="FFF4B6B6")


class Column(NamedTuple):
    """A column of a table: its heading with the unit, how its cells look, and how wide it is (characters)."""

    heading: str
    format: str = "text"
    role: Role = "given"
    width: int = 12


class Table:
    """One heading and rows below it on a sheet of its own; knows where its cells are."""

    def __init__(self, title: str, columns: dict[str, Column], count: int) -> None:
        self.title = title
        self.columns = columns
        self.count = count
        self.letters = {name: get_column_letter(at) for at, name in enumerate(columns, 1)}
        self.prefix = f"'{title}'!" if " " in title else f"{title}!"

    def cell(self, name: str, row: int) -> str:
        """Return the address of a cell by column and row of the sheet, from other sheets."""
        return f"{self.prefix}${self.letters[name]}${row}"

    def span(self, first: str, last: str, rows: tuple[int, int]) -> str:
        """Return the address of the cells between two columns, in rows of the sheet, first and last."""
        return f"{self.prefix}${self.letters[first]}${rows[0]}:${self.letters[last]}${rows[1]}"

    def whole(self, name: str) -> str:
        """Return the address of a column below the heading, of one row at least."""
        return self.span(name, name, (2, max(self.count, 1) + 1))


class Block:
    """A sheet of small tables one under the other; rows are added, and their numbers come back."""

    def __init__(self, book: Book, title: str, widths: Sequence[int]) -> None:
        self.book = book
        self.title = title
        self.widths = widths
        self.rows: list[Sequence[Any]] = []
        self.heights: dict[int, int] = {}

    def add(self, *values: Any) -> int:
        """Add a row of values, each Styled, plain text or a plain integer, and return its number on the sheet."""
        integer = self.book.style("given", "integer")
        self.rows.append([Styled(integer, one) if type(one) is int else one for one in values])
        return len(self.rows)

    def heading(self, *words: str, numbers: str = "") -> int:
        """Add a row of headings. numbers: the letters of the columns that hold numbers."""
        text, number = (self.book.style("heading", looks) for looks in ("text", "integer"))
        letters = [get_column_letter(at) for at in range(1, len(words) + 1)]
        row = self.add(
            *(
                Styled(number if letter in numbers else text, word)
                for letter, word in zip(letters, words, strict=True)
            )
        )
        self.heights[row] = _height(words, self.widths)
        return row

    def address(self, letter: str, row: int, last: int | None = None) -> str:
        """Return the address of a cell, or of the cells of a column down to a last row, from other sheets."""
        return f"{self.title}!${letter}${row}" + ("" if last is None else f":${letter}${last}")


class Row(NamedTuple):
    """A line of a table with styles of its own instead of the columns'."""

    styles: Sequence[int]
    values: Sequence[Any]


def _height(words: Sequence[str], widths: Sequence[int]) -> int:
    """Return how high a row of headings is, in points."""
    lines = [len(wrap(word, max(width - 1, 4))) for word, width in zip(words, widths, strict=False)]
    return LINE * max([1, *lines])


class _Sheet:
    """A sheet until it is written: its rows, how wide its columns are, and how many of them stay in sight."""

    def __init__(self, openpyxl: Any, widths: Sequence[int], height: int, kept: int) -> None:
        self.openpyxl = openpyxl
        self.fitted = Fitted(list(widths), frozenset())
        self.height = height
        self.kept = kept
        self.lines: Callable[[], Iterator[str]] = lambda: iter(())
        self.fit: Callable[[], Fitted] = lambda: self.fitted


class Book:
    """The file while it is put together."""

    def __init__(self) -> None:
        self.openpyxl = Workbook()
        self._first: Any = self.openpyxl.active
        self._contents: dict[str, _Sheet] = {}
        # What a style looks like, and what it looks like where text goes on in the next line.
        self._formats: dict[int, str] = {}
        self._folds: dict[int, int] = {}
        self.style = cache(self._style)
        # The styles are written before the rows that use them.
        for role in get_args(Role):
            for looks in _FORMATS:
                self.style(role, looks)

    def _style(self, role: Role, format: str = "text") -> int:
        """Return the number of a style; cells may be changed only where they are inputs."""
        cell: Any = Cell(self._first, row=1, column=1)
        cell.font = _FONTS[role]
        cell.number_format = _FORMATS[format]
        if role in _FILLS:
            cell.fill = _FILLS[role]
        if role == "heading":
            cell.border = _LINE
        if role == "input":
            cell.protection = Protection(locked=False)
        if role == "title":
            return int(cell.style_id)
        # A number that ends at its right edge would touch the text that begins there.
        text = format in ("text", "folded", "answer")
        where: Any = "left" if text else "right"
        folded = format == "folded" or role == "heading"
        # Numbers stand on the right by themselves; that a text, such as "undecided", stands on the left shows what it is.
        cell.alignment = Alignment(
            where if text or folded or format == "flag" else None,
            "top" if role == "heading" else "center",
            wrap_text=folded,
            indent=int(text),
        )
        found: int = cell.style_id
        self._formats[found] = "heading" if role == "heading" else format
        self._folds[found] = self.style(role, "folded") if format == "text" else found
        return found

    def name(self, name: str, address: str) -> None:
        """Let a name stand for an address in every formula."""
        self.openpyxl.defined_names[name] = DefinedName(name, attr_text=address)

    def table(
        self, table: Table, lines: Callable[[], Iterable[Sequence[Any] | Row]], *, freeze: int = 0
    ) -> Any:
        """Add a sheet with a table and return openpyxl's. freeze: so many columns stay in sight."""
        columns = list(table.columns.values())
        letters = list(table.letters.values())
        formats = [column.format for column in columns]
        heads = [self.style("heading", looks) for looks in formats]
        words = [column.heading for column in columns]
        found = self._sheet(table.title, [column.width for column in columns], table.count + 1, freeze)

        def rows() -> Iterator[str]:
            yield row_xml(1, letters, heads, words, _height(words, found.fitted.widths))
            styles = [self.style(column.role, column.format) for column in columns]
            for number, line in enumerate(lines(), 2):
                own, values = (line.styles, line.values) if isinstance(line, Row) else (styles, line)
                high = 0
                if folded := found.fitted.folded:
                    own = [self._folds[one] if at in folded else one for at, one in enumerate(own)]
                    high = height(values, found.fitted)
                yield row_xml(number, letters, own, values, high)

        def measured() -> Iterator[tuple[Sequence[str], Sequence[Any]]]:
            for line in lines():
                if isinstance(line, Row):
                    yield [self._formats[one] for one in line.styles], line.values
                else:
                    yield formats, line

        found.lines = rows
        found.fit = lambda: fitted(found.fitted.widths, measured(), self._formats, spills=False)
        sheet = found.openpyxl
        sheet.freeze_panes = f"{get_column_letter(freeze + 1)}2"
        sheet.print_title_rows = "1:1"
        sheet.auto_filter.ref = f"A1:{letters[-1]}{table.count + 1}"
        return sheet

    def block(self, block: Block) -> Any:
        """Add the sheet of a block and return openpyxl's."""
        letters = [get_column_letter(at) for at in range(1, len(block.widths) + 1)]
        plain = [self.style("given")] * len(letters)
        found = self._sheet(block.title, block.widths, len(block.rows), 0)

        def rows() -> Iterator[str]:
            for number, values in enumerate(block.rows, 1):
                yield row_xml(number, letters, plain, values, block.heights.get(number, 0))

        texts = ["text"] * len(letters)
        found.lines = rows
        found.fit = lambda: fitted(
            found.fitted.widths, ((texts, values) for values in block.rows), self._formats, spills=True
        )
        sheet = found.openpyxl
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        return sheet

    def red_where_false(self, sheet: Any, cells: str) -> None:
        """Let cells of a sheet stand out where they are FALSE."""
        sheet.conditional_formatting.add(cells, _rule("equal", formula=["FALSE"], fill=_RED))

    def _sheet(self, title: str, widths: Sequence[int], height: int, kept: int) -> _Sheet:
        """Add a sheet of so many rows. kept: so many columns stay in sight, and are printed on each page."""
        sheet: Any = self.openpyxl.create_sheet(title) if self._contents else self._first
        sheet.title = title
        found = self._contents[title] = _Sheet(sheet, widths, height, kept)
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_area = f"A1:{get_column_letter(len(widths))}{height}"
        sheet.oddFooter.left.text = "&F"
        sheet.oddFooter.center.text = "&A"
        sheet.oddFooter.right.text = "&P / &N"
        # Without a password: against slips, not against people. What only looks is allowed.
        sheet.protection.sheet = True
        sheet.protection.autoFilter = False
        sheet.protection.formatColumns = False
        sheet.protection.formatRows = False
        return found

    def _fit(self, sheet: _Sheet) -> None:
        """Make columns as wide as what stands in them, and pages as many as it takes to read them."""
        sheet.fitted = sheet.fit()
        for at, wide in enumerate(sheet.fitted.widths, 1):
            sheet.openpyxl.column_dimensions[get_column_letter(at)].width = wide
        large, across = pages(sheet.fitted.widths, sheet.kept)
        setup = sheet.openpyxl.page_setup
        setup.paperSize = sheet.openpyxl.PAPERSIZE_A3 if large else sheet.openpyxl.PAPERSIZE_A4
        setup.fitToWidth = across
        if across > 1 and sheet.kept:
            sheet.openpyxl.print_title_cols = f"A:{get_column_letter(sheet.kept)}"

    @property
    def titles(self) -> list[str]:
        """The sheets so far, in order."""
        return list(self._contents)

    def arrange(self, titles: Sequence[str]) -> None:
        """Put the sheets into an order; the first is the one that opens."""
        for place, title in enumerate(titles):
            self.openpyxl.move_sheet(title, place - self.openpyxl.sheetnames.index(title))
        self.openpyxl.active = 0

    def save(self, path: Path) -> str:
        """Write the file and return the SHA-256 of its bytes, in hexadecimal. Raises Unavailable where it cannot."""
        for sheet in self._contents.values():
            self._fit(sheet)
        self.openpyxl.properties.creator = _CREATOR
        raw = io.BytesIO()
        self.openpyxl.save(raw)
        with output_file(path, WORKBOOK) as beside:
            with (
                zipfile.ZipFile(raw) as source,
                beside.open("wb") as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
            ):
                for name in sorted(source.namelist()):
                    self._part(name, source.read(name), target)
            return digest(beside)

    def _part(self, name: str, content: bytes, target: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        found = re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", name)
        if found is None:
            if name == "docProps/core.xml":
                # The two stamps of the present are all that differs from run to run.
                content = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + _STAMP, content)
            target.writestr(info, content)
            return
        sheet = self._contents[self.openpyxl.sheetnames[int(found[1]) - 1]]
        head, tail = _around_rows(content, sheet)
        chunks = _chunks(sheet.lines())
        first = next(chunks, b"")
        # A part beyond 2 GB has to say so before it is written; one that says so for nothing alarms some readers.
        likely = len(first) * (sheet.height / min(sheet.height, _ROWS_AT_ONCE)) * 1.5 if sheet.height else 0
        with target.open(info, "w", force_zip64=likely > zipfile.ZIP64_LIMIT) as part:
            part.write(head + first)
            for chunk in chunks:
                part.write(chunk)
            part.write(tail)


def _is_workbook(file: BinaryIO) -> bool:
    """Return whether a file is a workbook as it was written here; one that somebody saved has another stamp, and is theirs."""
    try:
        with zipfile.ZipFile(file) as found, found.open("docProps/core.xml") as part:
            core = part.read(10_000)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError, RuntimeError):
        return False
    return _CREATOR.encode() in core and core.count(_STAMP) == 2


WORKBOOK = Kind("a workbook of credits as it was exported", _is_workbook)


def _chunks(rows: Iterable[str]) -> Iterator[bytes]:
    """Yield rows as bytes, so many at a time that writing costs little and memory stays flat."""
    rows = iter(rows)
    while chunk := "".join(islice(rows, _ROWS_AT_ONCE)):
        yield chunk.encode()


def _around_rows(content: bytes, sheet: _Sheet) -> tuple[bytes, bytes]:
    """Return what stands before and after the rows of a sheet that openpyxl wrote without any."""
    head, marker, tail = content.partition(b"<sheetData />")
    if not marker:
        head, marker, tail = content.partition(b"<sheetData></sheetData>")
    if not marker:
        head, _, tail = content.partition(b"<sheetData/>")
    size = f"A1:{get_column_letter(len(sheet.fitted.widths))}{sheet.height}".encode()
    head = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="' + size + b'"', head)
    return head + b"<sheetData>", b"</sheetData>" + tail


def parts(count: int, most: int) -> list[tuple[int, int]]:
    """Return the ranges, first and behind the last, into which rows fall that one sheet cannot hold."""
    return [(start, min(start + most, count)) for start in range(0, max(count, 1), most)]
