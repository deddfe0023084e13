"""Reading TOML: every value checked, and a sentence gathered for everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import Any

from ledger.domain.checks import check_key
from ledger.domain.money import decimal_text
from ledger.domain.policy.model import NO_LIMIT, Quantity, Tier
from ledger.errors import Refused, nearest

__all__ = [
    "ABSENT", "NO_FORMAT", "Absent", "Place", "Problems", "between", "cells", "cover", "holes", "load", "ordered", "places", "range_words", "shared", "shown",
    "side_given",
]  # fmt: skip

_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,30})?", re.ASCII)
# Which other fields there are follows from it.
NO_FORMAT = "format is missing; add format = 2 (or 1, for months, tiers and percent of the fee alone)"
# A place just before (0) or just after (1) a number, so that touching tiers meet in one place.
Place = tuple[Fraction, int]


def load(text: str) -> dict[str, Any]:
    """Return the TOML document of a text. Raises Refused where it is none."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"the policy is not TOML: {error}; correct the text there") from None
    except RecursionError:
        raise Refused(
            "the policy is nested too deeply; a policy is a few tables, one within the other"
        ) from None
    except ValueError as error:
        # A number of thousands of digits, which Python does not read.
        raise Refused(f"the policy holds a number that is too long ({error}); write a shorter one") from None


class Absent(dict[str, Any]):
    """A table that is not there, which was said already: each of its fields is as absent."""

    def get(self, key: str, default: object = None) -> Any:
        return self


ABSENT = Absent()


class Problems:
    """The sentences found so far, and checks of single values that add to them.

    Each has a kind: `gap`, `overlap`, `unknown-key`, `too-large` (a sum), or `wrong-value`. tolerated: kinds that are noted and do not
    keep a policy from being read: the linter looks at such a policy, and nothing is ever priced by it but where a sum is too large in
    what was published before that was refused.
    """

    def __init__(self, tolerated: Iterable[str] = ()) -> None:
        self.found: list[str] = []
        self.kinds: list[str] = []
        self.noted: list[tuple[str, str]] = []
        self._tolerated = frozenset(tolerated)

    def add(self, sentence: str, kind: str = "wrong-value") -> None:
        """Note a problem."""
        if kind in self._tolerated:
            self.noted.append((kind, sentence))
            return
        self.found.append(sentence)
        self.kinds.append(kind)

    def wrong(self, field: str, value: object, rest: str) -> None:
        """Note that a value is missing, or what is wrong with it."""
        self.add(f"{field} is missing; add it" if value is None else f"{field} {shown(value)} {rest}")

    def known(self, names: Iterable[str], where: str, found: Iterable[str]) -> None:
        """Note each name of a table that the format does not know."""
        names = tuple(names)
        for name in found:
            if name not in names:
                self.add(
                    f"{where}{name} is not a field of a policy{nearest(name, names)}; known are {', '.join(names)}",
                    "unknown-key",
                )

    def text(self, field: str, value: object) -> str:
        """Return text; "" where it is none."""
        if isinstance(value, Absent):
            return ""
        if type(value) is not str:
            self.wrong(field, value, "is not text; put it in quotes")
            return ""
        return value

    def key(self, field: str, value: object) -> str:
        """Return a key."""
        key = self.text(field, value)
        if type(value) is str:
            try:
                check_key(key)
            except ValueError as error:
                self.add(f"{field} {error}")
        return key

    def choice(self, field: str, value: object, known: Iterable[str], instead: str = "") -> str:
        """Return one of some words; the word as it is, and a problem, where it is none of them."""
        if isinstance(value, Absent):
            return ""
        found = self.text(field, value)
        known = tuple(known)
        if type(value) is str and found not in known:
            instead = instead or ("one of " if len(known) > 1 else "") + ", ".join(known)
            self.add(f"{field} {found!r} is not known{nearest(found, known)}; write {instead}")
        return found

    def date(self, field: str, value: object) -> str:
        """Return a date as text, such as "2022-01-01"."""
        # A date with a time is a date to Python, but not to a policy.
        if not isinstance(value, date) or isinstance(value, datetime):
            self.wrong(field, value, "is not a date; write it without quotes, like 2022-01-01")
            return ""
        return value.isoformat()

    def decimal(self, field: str, value: object, example: str) -> Fraction | None:
        """Return a decimal given as text; a number is refused, since TOML cannot keep it exact."""
        if isinstance(value, float) and not isfinite(value):
            self.wrong(field, value, f'is no number; write one as text, like "{example}"')
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self.wrong(
                field, value, f'is a number, which TOML cannot keep exact; write it as text: "{shown(value)}"'
            )
        elif not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            self.wrong(field, value, f'is not a decimal; write it like "{example}"')
        else:
            return Fraction(value)
        return None

    def percent(self, field: str, value: object, example: str) -> Fraction | None:
        """Return a percentage from 0 to 100, given as text."""
        found = self.decimal(field, value, example)
        if found is not None and found > 100:
            self.add(f"{field} {shown(value)} is more than 100%; write a percentage from 0 to 100")
            return None
        return found


def shown(value: object) -> str:
    """Return a value as a sentence shows it."""
    if isinstance(value, date | time):
        text = value.isoformat()
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        try:
            text = repr(value)
        except (ValueError, RecursionError):
            # Python spells no number of thousands of digits.
            return "(too long to be shown)"
    return text if len(text) <= 60 else text[:57] + "..."


def side_given(
    where: str, of: Quantity, sides: tuple[str, str], given: Collection[str], problems: Problems
) -> str | None:
    """Return which of two sides of a range is given, "" where neither is; None, and a problem, where both are.

    sides: that with the number itself, and that without. given: the names of the bounds that are there.
    """
    found = [side for side in sides if f"{of}_{side}" in given]
    if len(found) > 1:
        problems.add(f"{where}{of}_{found[0]} and {of}_{found[1]} contradict each other; leave one out")
        return None
    return found[0] if found else ""


def range_words(
    where: str,
    of: Quantity,
    lower: tuple[Fraction, bool, str],
    upper: tuple[Fraction, bool, str],
    problems: Problems,
) -> str | None:
    """Return a range in words, such as "availability at least 99% and below 99.9%"; None, and a problem, where nothing lies in it.

    lower, upper: the number, whether it belongs to the range, and its side in words, "" where the range has no end there.
    """
    (low, low_in, low_words), (high, high_in, high_words) = lower, upper
    if low > high or (low == high and not (low_in and high_in)):
        least, most = ("0%", "100%") if of == "availability" else ("0", "any")
        problems.add(
            f"{where}no {of} is {low_words or f'at least {least}'} and {high_words or f'at most {most}'}; exchange or widen the bounds"
        )
        return None
    said = " and ".join(filter(None, (low_words, high_words)))
    return f"{of} {said}" if said else f"any {of}"


def cover(
    tiers: Sequence[Tier],
    where: str,
    problems: Problems,
    *,
    kinds: Collection[str] = ("gap", "overlap"),
    instead: bool = False,
    step: Fraction | None = None,
) -> None:
    """Note each range that no tier holds, or more than one, from below, where they are of the kinds that are asked for.

    instead: whether the format knows a reading that says what it means. step: as for `holes`.
    """
    of = tiers[0].of
    gap, overlap = (
        f", or say with reading.{name} what it means" if instead else "" for name in ("gaps", "overlaps")
    )
    found = [
        (place, f"{where}tiers leave a gap: none holds {between(*place, of)}; add or widen a tier{gap}", "gap") for place in holes(tiers, of, step)
    ] + [
        (place, f"{where}tiers overlap: more than one holds {between(*place, of)}; narrow one of them{overlap}", "overlap")
        for place in shared(tiers)
    ]  # fmt: skip
    for _, sentence, kind in sorted(found, key=lambda one: one[0]):
        if kind in kinds:
            problems.add(sentence, kind)


def ordered(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return tiers from the best to the worst: most availability first, least downtime or value first."""
    found = sorted(tiers, key=_from_below)
    return tuple(reversed(found)) if found and found[0].of == "availability" else tuple(found)


def _from_below(tier: Tier) -> tuple[Fraction, bool, Fraction, bool]:
    return tier.lower, not tier.lower_included, tier.upper, tier.upper_included


def _begins(tier: Tier) -> Place:
    return tier.lower, 0 if tier.lower_included else 1


def _ends(tier: Tier) -> Place:
    return tier.upper, 1 if tier.upper_included else 0


def places(tier: Tier) -> tuple[Place, Place]:
    """Return where a tier begins and ends."""
    return _begins(tier), _ends(tier)


def holes(tiers: Iterable[Tier], of: Quantity, step: Fraction | None = None) -> list[tuple[Place, Place]]:
    """Return each range that no tier holds, from the least to the most that can be measured.

    step: what is measured is a multiple of it (`Commitment.step`), and a range without any is no hole; None: it may be any number.
    """
    reached: Place = (Fraction(0), 0)
    last: Place = (Fraction(1) if of == "availability" else NO_LIMIT, 1)
    found: list[tuple[Place, Place]] = []
    for tier in sorted(tiers, key=_from_below):
        if _begins(tier) > reached:
            found.append((reached, _begins(tier)))
        reached = max(reached, _ends(tier))
    found += [(reached, last)] if reached < last else []
    return found if step is None else [hole for hole in found if _holds_a_multiple(*hole, step)]


def _holds_a_multiple(begins: Place, ends: Place, step: Fraction) -> bool:
    first = -(-begins[0] // step) * step
    if begins == (first, 1):
        first += step
    return (first, 0) < ends


def shared(tiers: Iterable[Tier]) -> list[tuple[Place, Place]]:
    """Return each range that more than one tier holds, in the order in which a reader from below meets them."""
    reached: Place = (Fraction(0), 0)
    found: list[tuple[Place, Place]] = []
    for tier in sorted(tiers, key=_from_below):
        if _begins(tier) < reached:
            found.append((_begins(tier), min(reached, _ends(tier))))
        reached = max(reached, _ends(tier))
    return found


def cells(tiers: Sequence[Tier]) -> list[tuple[Place, Place, tuple[Tier, ...]]]:
    """Return the ranges in which one and the same tiers hold, with these, from below; those that none holds are left out."""
    edges = sorted({place for tier in tiers for place in places(tier)})
    found = []
    for begins, ends in pairwise(edges):
        held = tuple(tier for tier in tiers if places(tier)[0] <= begins and ends <= places(tier)[1])
        if held:
            found.append((begins, ends, held))
    return found


def between(begins: Place, ends: Place, of: Quantity = "availability") -> str:
    """Return a range in words, such as "above 98.99% to below 99.9%"."""
    low = _spelled(begins[0], of)
    if begins[0] == ends[0]:
        return f"exactly {low}"
    first = "above" if begins[1] else "from"
    if ends[0] == NO_LIMIT:
        return f"{first} {low} on"
    last = "up to and including" if ends[1] else "to below"
    return f"{first} {low} {last} {_spelled(ends[0], of)}"


def _spelled(bound: Fraction, of: Quantity) -> str:
    match of:
        case "availability":
            return f"{decimal_text(bound * 100)}%"
        case "downtime":
            return f"{decimal_text(bound)} seconds"
        case "value":
            return decimal_text(bound)
