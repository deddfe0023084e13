"""Reads the values of a JSON object, and gathers a sentence for everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, TypeAlias

from ledger.domain.ends import beside
from ledger.domain.instants import from_seconds
from ledger.domain.interval import Span, union
from ledger.domain.policy.values import UNIT_SECONDS
from ledger.errors import Refused, nearest
from projections.evaluation import values

__all__ = [
    "BOUNDS",
    "LONGEST",
    "LONGEST_YEARS",
    "Reader",
    "SHARE_BOUNDS",
    "Said",
    "UNITS",
    "as_list",
    "each",
    "end_of",
    "flag",
    "part",
    "spans",
    "spellings",
    "texts",
]

UNITS = {f"{unit}s": seconds for unit, seconds in UNIT_SECONDS.items()}
BOUNDS = ("_at_least", "_above", "_at_most", "_below")
SHARE_BOUNDS = tuple(f"share{bound}" for bound in BOUNDS)
# A longer period is a slip; each of its days and buckets may be looked at.
LONGEST_YEARS = 10
LONGEST = LONGEST_YEARS * 366 * 86_400
# A bound as text, and on which side of it the end lies.
Said: TypeAlias = tuple[str, int] | None


def spellings(name: str, unit: str) -> tuple[str, ...]:
    """Return how a length is named in a unit: a bound stands behind the unit, as of all facts, or before it."""
    for bound in BOUNDS:
        if name.endswith(bound):
            return f"{name.removesuffix(bound)}_{unit}{bound}", f"{name}_{unit}"
    return (f"{name}_{unit}",)


class Reader:
    """Reads values and gathers a sentence for everything that is wrong with them."""

    # Which one of a list it is, for names that nobody gave.
    index = 0

    def __init__(self, facts: dict[str, Any], known: Iterable[str], where: str, problems: list[str]) -> None:
        self.facts, self.where, self.problems = facts, where, problems
        known = tuple(known)
        for name in facts:
            if name not in known:
                self.wrong(name, f"is not a fact that is known{nearest(str(name), known)}")

    def wrong(self, name: str, rest: str) -> None:
        self.problems.append(f"{self.where}{name} {rest}")

    def read(self, name: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """Return a value as a function reads it; what that says in a ValueError or Refused is a problem."""
        value = self.facts.get(name)
        if value is None:
            return default
        try:
            return read(value)
        except (ValueError, Refused) as error:
            if isinstance(error, Refused):
                # The sentence names its field already.
                self.problems.append(f"{self.where}{error}")
            else:
                self.wrong(name, f"{_shown(value)} {error}")
            return default

    def text(self, name: str, default: str | None = None) -> Any:
        return self.read(name, values.text, default)

    def decimal(self, name: str) -> Fraction | None:
        found: Fraction | None = self.read(name, values.decimal)
        return found

    def whole(self, name: str) -> Fraction | None:
        """Return a whole number, as the bounds of one are read."""
        found = self.count(name)
        return None if found is None else Fraction(found)

    def count(self, name: str) -> int | None:
        found: int | None = self.read(name, values.count)
        return found

    def instant(self, name: str) -> int | None:
        found: int | None = self.read(name, values.instant)
        return found

    def span(self, advice: str) -> Span | None:
        """Return the seconds from start to end, which are both needed; None, with a sentence, where they are no span."""
        start, end = self.instant("start"), self.instant("end")
        self.required("start", "end")
        if start is None or end is None or not self.in_order(start, end, advice):
            return None
        return start, end

    def in_order(self, start: int, end: int, advice: str, *, of: str = "") -> bool:
        """Tell whether an end is after its start, and say it where it is not. of: how the names of both begin, such as "scheduled_"."""
        if end <= start:
            self.wrong(
                f"{of}end", f"{from_seconds(end)} is not after {of}start {from_seconds(start)}; {advice}"
            )
        return end > start

    def within_years(self, start: int, end: int) -> bool:
        """Tell whether an end is no more than LONGEST seconds after its start, and say it where it is."""
        if end - start > LONGEST:
            self.wrong(
                "end",
                f"{from_seconds(end)} is more than {LONGEST_YEARS} years after start {from_seconds(start)}; correct one of them",
            )
        return end - start <= LONGEST

    def choice(self, name: str, known: tuple[str, ...], default: str | None = None) -> Any:
        def read(value: Any) -> str:
            found = values.text(value)
            if found not in known:
                raise ValueError(f"is not one of {', '.join(known)}{nearest(found, known)}")
            return found

        return self.read(name, read, default)

    def length(self, name: str) -> Fraction | None:
        """Return a duration in seconds, in whatever unit it is given."""
        given = [
            (spelled, unit_seconds)
            for unit, unit_seconds in UNITS.items()
            for spelled in spellings(name, unit)
            if self.facts.get(spelled) is not None
        ]
        if len(given) > 1:
            self.wrong(given[0][0], f"and {given[1][0]} both state it; leave one out")
        if not given:
            return None
        spelled, unit_seconds = given[0]
        found = self.decimal(spelled)
        return None if found is None else found * unit_seconds

    def required(self, *names: str) -> None:
        """Say which of these are missing."""
        for name in names:
            if self.facts.get(name) is None:
                self.wrong(name, "is missing; add it")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts."""
    if type(value) is not list:
        raise ValueError("is not a list")
    return tuple(values.text(one) for one in value)


def _span(value: Any) -> Span:
    if type(value) is not list or len(value) != 2:
        raise ValueError("is not a pair of start and end")
    start, end = (values.instant(one) for one in value)
    if end <= start:
        raise ValueError("ends before it has begun; a span is [start, end)")
    return start, end


def spans(value: Any) -> tuple[Span, ...]:
    """Return a list of pairs of instants, joined where they touch."""
    if type(value) is not list:
        raise ValueError("is not a list of pairs of start and end")
    return union(_span(one) for one in value)


def as_list(value: Any) -> list[Any]:
    """Return a list."""
    if type(value) is not list:
        raise ValueError("is not a list")
    return value


def flag(value: Any) -> bool:
    """Return true or false."""
    if type(value) is not bool:
        raise ValueError("is neither true nor false")
    return value


def each(reader: Reader, name: str, known: tuple[str, ...], read: Callable[[Reader], Any]) -> Iterable[Any]:
    """Yield what a function reads of each object of a list; known: the names that one may have."""
    value = reader.facts.get(name)
    if value is None:
        return
    if type(value) is not list:
        reader.wrong(name, "is not a list")
        return
    for index, entry in enumerate(value, 1):
        where = f"{reader.where}{name} {index}: "
        if type(entry) is list and name in ("windows", "exclusions") and len(entry) == 2:
            entry = {"start": entry[0], "end": entry[1]}
        if type(entry) is not dict:
            reader.problems.append(f"{where}is not an object; write it in braces")
            continue
        inner = Reader(entry, known, where, reader.problems)
        inner.index = index
        found = read(inner)
        if found is not None:
            yield found


def part(inner: Reader, name: str) -> tuple[Said, Said]:
    """Return the bounds of a part of the whole as they are said: stated exactly it is both, where no bound says otherwise."""
    exact = inner.read(name, values.share)
    found: list[Said] = []
    for reached, open_end, side in (("_at_least", "_above", 1), ("_at_most", "_below", -1)):
        with_it, beside_it = (inner.read(f"{name}{bound}", values.share) for bound in (reached, open_end))
        if with_it is not None and beside_it is not None:
            inner.wrong(
                f"{name}{reached}", f"and {name}{open_end} are bounds on the same side; leave one out"
            )
        if beside_it is not None:
            found.append((beside_it, side))
        else:
            found.append(None if with_it is None and exact is None else (with_it or exact, 0))
    low, high = found
    if end_of(low, 0) > end_of(high, 1):
        if low is not None and high is not None and low[1] == high[1] == 0:
            inner.wrong(
                f"{name}_at_least", f"{low[0]!r} is more than {name}_at_most {high[0]!r}; exchange them"
            )
        else:
            inner.wrong(name, "has bounds with nothing between them; correct one of them")
    return low, high


def end_of(said: Said, otherwise: int) -> Fraction:
    """Return an end of a part of the whole; otherwise: what it is where nothing was said."""
    return Fraction(otherwise) if said is None else beside(Fraction(said[0]), said[1])
