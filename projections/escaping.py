"""Plain text as Markdown that shows exactly that text (CommonMark 0.31): nothing in it is a heading, a list or a link.

What stands between paragraphs is the only thing that is not kept: several blank lines are as one.
"""

from __future__ import annotations

import re
from itertools import groupby

__all__ = ["line_as_markdown", "text_as_markdown"]

# What starts an inline anywhere: a backslash before ASCII punctuation makes it literal (CommonMark 2.4).
_INLINE = re.compile(r"[\\`*_{}\[\]<>()#+!|~&]")
# A number with a full stop starts a list; the other ways to start a block are escaped where they stand, or below.
_NUMBER = re.compile(r"\d{1,9}(?=\.)")


def text_as_markdown(text: str) -> str:
    """Return a text of several lines: blank lines part paragraphs, every other line end is a break."""
    groups = groupby(text.split("\n"), key=bool)
    return "\n\n".join("\\\n".join(map(line_as_markdown, lines)) for full, lines in groups if full)


def line_as_markdown(text: str) -> str:
    """Return a text for one line, such as a heading; a line end in it is written as a character reference."""
    core = text.strip()
    ahead, behind = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :] if core else ""
    escaped = _INLINE.sub(lambda found: f"\\{found.group()}", core)
    if escaped[:1] in ("-", "=", ":"):
        escaped = f"\\{escaped}"
    elif number := _NUMBER.match(escaped):
        escaped = f"{number.group()}\\{escaped[number.end() :]}"
    # White space at either end would be taken away, four spaces ahead would be code, and two behind a break.
    return f"{_referred(ahead)}{escaped.replace(chr(10), '&#10;')}{_referred(behind)}"


def _referred(space: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in space)
