"""A ledger against checkpoints that were kept elsewhere: is it still the ledger that was signed then?

What the ledger itself cannot show is found here: a tail that was cut off, a history that was rewritten from some position
on, and a key that signed two histories.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ledger.proof.checkpoint import Checkpoint

__all__ = ["Finding", "Kept", "check_against", "refusal", "rests_on"]


class Kept(NamedTuple):
    """A checkpoint somebody kept. name: what it is called in sentences; signers: the known keys that signed it and count.

    doubt: why, by the ledger's own entries, those that signed it do not count; "" where nothing is held against it.
    """

    name: str
    checkpoint: Checkpoint
    signers: tuple[str, ...]
    doubt: str = ""


class Finding(NamedTuple):
    """What is wrong, and the first position it can concern; None for another ledger altogether."""

    position: int | None
    kind: str
    detail: str


def check_against(
    ledger: str, size: int, root_at: Callable[[int], bytes], kept: Sequence[Kept]
) -> list[Finding]:
    """Return what is wrong with a ledger of `size` entries, by the checkpoints that were kept.

    root_at: the root of its first entries, recomputed from the entries. Kinds: `other-ledger`, `tail-cut`,
    `history-rewritten`, `fork`; `checkpoint-refused` beside them where nobody who counts signed the checkpoint.
    """
    found: list[Finding] = []
    same = [one for one in kept if one.checkpoint.origin == ledger]
    found += [
        Finding(
            None,
            "other-ledger",
            f"{one.name} is of {one.checkpoint.origin[:200]!r}, but this ledger is {ledger!r}; compare it with that one",
        )
        for one in kept
        if one.checkpoint.origin != ledger
    ]
    matching = [
        one
        for one in same
        if one.checkpoint.size <= size and root_at(one.checkpoint.size) == one.checkpoint.root
    ]
    # Whoever has a key that was stolen may sign what fits, and so hide where another history begins.
    undoubted = [one for one in matching if not one.doubt]
    for one in same:
        earlier = [
            other.checkpoint.size for other in undoubted if other.checkpoint.size < one.checkpoint.size
        ]
        first = max(earlier, default=0) + 1
        if one.checkpoint.size > size:
            found.append(
                Finding(
                    size + 1,
                    "tail-cut",
                    f"{one.name} has {one.checkpoint.size} entries, but the ledger has {size}: those from @{size + 1} to "
                    f"@{one.checkpoint.size} are gone{_beyond_comparing(size, undoubted)}{rests_on(one)}",
                )
            )
        elif one not in matching:
            found.append(_rewritten(one, first, root_at(one.checkpoint.size), undoubted))
        if one.doubt:
            found.append(Finding(None, "checkpoint-refused", refusal(one, agrees=one in matching)))
    return found + _forks(same, size)


def refusal(one: Kept, *, agrees: bool) -> str:
    """Return the sentence on a checkpoint that nobody who counts signed. agrees: whether what it says fits all the same."""
    fits = "; the entries are those that it says all the same" if agrees else ""
    return f"{one.name}: {one.doubt}: compare with one that a key in use signed{fits}"


def rests_on(*doubted: Kept) -> str:
    """Say which of two claims rests on what, where entries say that whoever signed a checkpoint does not count; the end of a sentence."""
    said = "; ".join(dict.fromkeys(one.doubt for one in doubted if one.doubt))
    return (
        f"; this rests on the signature of a key that you named ({said}), and that it does not count rests on the entries alone: "
        "either somebody who should not have it signed with that key, or the ledger was altered and then said so"
        if said
        else ""
    )


def _beyond_comparing(size: int, matching: Sequence[Kept]) -> str:
    """Return what a checkpoint beyond the ledger leaves open of the entries that are there: the end of a sentence."""
    first = max((other.checkpoint.size for other in matching), default=0) + 1
    if first > size:
        return ""
    left = f"@{first} is what it was" if first == size else f"@{first} to @{size} are what they were"
    return f"; whether {left} could not be compared: that needs a checkpoint of {size} entries or fewer"


def _rewritten(one: Kept, first: int, root: bytes, matching: Sequence[Kept]) -> Finding:
    """Say what became of entries whose root is not the one that was kept."""
    last = one.checkpoint.size
    where = f"@{last}" if first == last else f"somewhere from @{first} to @{last}"
    sentence = f"{one.name} has the root {one.checkpoint.root.hex()} for {last} entries, but the ledger has {root.hex()}: "
    # A key that also signed the history as it stands now signed two of them.
    twice = sorted(
        {key for other in matching if other.checkpoint.size >= last for key in other.signers} & {*one.signers}
    )
    if twice:
        return Finding(first, "fork", f"{sentence}{', '.join(twice)} signed two histories that part {where}")
    return Finding(
        first,
        "history-rewritten",
        f"{sentence}entries were changed, put in or taken out {where}{rests_on(one)}",
    )


def _forks(kept: Sequence[Kept], size: int) -> list[Finding]:
    """Return checkpoints beyond the ledger that contradict each other: the same size, another root."""
    found: list[Finding] = []
    by_size: dict[int, Kept] = {}
    for one in sorted(kept, key=lambda other: other.checkpoint.size):
        first = by_size.setdefault(one.checkpoint.size, one)
        if first.checkpoint.root != one.checkpoint.root and one.checkpoint.size > size:
            found.append(
                Finding(
                    size + 1,
                    "fork",
                    f"{first.name} and {one.name} have different roots for {one.checkpoint.size} entries; histories parted "
                    f"by @{one.checkpoint.size}{rests_on(first, one)}",
                )
            )
    return found
