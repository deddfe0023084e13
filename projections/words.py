"""Which words and which lines of a text changed. Pure, and quick on long texts, as most of a text stays as it was."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

__all__ = ["Change", "Part", "kept_lines", "words_changed"]

Change: TypeAlias = Literal["same", "taken", "put"]
# What happened to a run of the text, and the run as it stands.
Part: TypeAlias = tuple[Change, str]

# A space belongs to the word after it: on their own, spaces are alike everywhere and would tear the runs apart.
_TOKEN = re.compile(r"[^\S\n]*\w+|[^\S\n]*[^\w\s]|\n|[^\S\n]+")
# The time of a word diff grows with the pairs of equal words: beyond so many, lines that stay are found first.
_MOST_PAIRS = 500_000


def words_changed(before: str, after: str) -> tuple[Part, ...]:
    """Return the runs that make up both texts: "same" and "taken" give the text before, "same" and "put" that after.

    Words and signs are compared whole; equal texts are one run, and so is each of two that share nothing.
    """
    if before == after:
        return (("same", before),) if before else ()
    return tuple(_joined(_parts(_TOKEN.findall(before), _TOKEN.findall(after))))


def _parts(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    ahead = _common(old, new)
    old, new, head = old[ahead:], new[ahead:], old[:ahead]
    behind = _common(old[::-1], new[::-1])
    tail = old[len(old) - behind :]
    old, new = old[: len(old) - behind], new[: len(new) - behind]
    middle: list[Part]
    middle = _matched(old, new) if _few_pairs(old, new) else _by_line(_lines(old), _lines(new))
    return [("same", "".join(head)), *middle, ("same", "".join(tail))]


def _few_pairs(old: Sequence[str], new: Sequence[str]) -> bool:
    counted = Counter(new)
    return sum(counted[word] for word in old) <= _MOST_PAIRS


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many tokens both begin with."""
    for at, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return at
    return min(len(old), len(new))


def _matched(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    found: list[Part] = []
    # No word is left out for being common: the answer would depend on the length of the text.
    for tag, at, to, other_at, other_to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(old[at:to])))
            continue
        found.append(("taken", "".join(old[at:to])))
        found.append(("put", "".join(new[other_at:other_to])))
    return found


def _lines(tokens: Sequence[str]) -> list[str]:
    return "".join(tokens).splitlines(keepends=True)


def _by_line(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    """Return the runs of long texts: lines that stay, and the words of those in between, or these whole."""
    found: list[Part] = []
    for tag, at, to, other_at, other_to in SequenceMatcher(None, old, new, autojunk=True).get_opcodes():
        before, after = "".join(old[at:to]), "".join(new[other_at:other_to])
        if tag == "equal":
            found.append(("same", before))
            continue
        gone, come = _TOKEN.findall(before), _TOKEN.findall(after)
        if _few_pairs(gone, come):
            found += _matched(gone, come)
        else:
            found += [("taken", before), ("put", after)]
    return found


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Return the runs without empty ones, neighbours of one kind put together, what is taken before what is put."""
    found: list[list[str]] = []
    for change, text in parts:
        if not text:
            continue
        if found and found[-1][0] == change:
            found[-1][1] += text
        else:
            found.append([change, text])
    return [(_CHANGES[change], text) for change, text in found]


_CHANGES: dict[str, Change] = {"same": "same", "taken": "taken", "put": "put"}


def kept_lines(before: Sequence[str], after: Sequence[str]) -> dict[int, int]:
    """Return by place in `after` the place in `before` of each line that stayed as it was; places from 0."""
    found: dict[int, int] = {}
    ahead = _common(before, after)
    found.update((at, at) for at in range(ahead))
    old, new = before[ahead:], after[ahead:]
    behind = _common(old[::-1], new[::-1])
    found.update((len(after) - at, len(before) - at) for at in range(1, behind + 1))
    old, new = old[: len(old) - behind], new[: len(new) - behind]
    for block in SequenceMatcher(None, old, new, autojunk=len(old) > 200).get_matching_blocks():
        found.update((ahead + block.b + at, ahead + block.a + at) for at in range(block.size))
    return found
