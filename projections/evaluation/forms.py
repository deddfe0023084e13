"""Amounts as functions of the base: exact, and simple enough to be computed for a million bases at once.

Every remedy and limit is made of lines (a x base + b, in minor units) joined by least, greatest and sum. That is always
a greatest of leasts of lines, and rounding to whole minor units never changes which of two is the lesser.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import msgspec

from ledger.domain.ends import rounded

__all__ = ["NOTHING", "Form", "Line", "Price", "greatest", "least", "line", "scaled", "total"]

# a, b: a x base + b.
Line = tuple[Fraction, Fraction]


class Form(msgspec.Struct, frozen=True):
    """The greatest of the least of some lines."""

    of: tuple[tuple[Line, ...], ...]

    def value(self, base: int | Fraction) -> Fraction:
        """Return the amount for a base of 0 or more, in minor units."""
        return max(min(a * base + b for a, b in lines) for lines in self.of)

    @property
    def rate(self) -> Fraction | None:
        """The part of the base that it is, where it is nothing but that."""
        if len(self.of) == 1 and len(self.of[0]) == 1 and not self.of[0][0][1]:
            return self.of[0][0][0]
        return None

    @property
    def is_nothing(self) -> bool:
        """Whether it is 0 for every base."""
        return self.rate == 0


class Price(msgspec.Struct, frozen=True):
    """A form with what is done to its value: rounded to a minor unit, not paid unless above a sum, and raised to one.

    at_least: what is owed is raised to this, but to no more than `most` comes to, where there is such a form.
    """

    form: Form
    rounding: str
    only_above: Fraction | None = None
    at_least: Fraction | None = None
    most: Form | None = None

    @property
    def needs_base(self) -> bool:
        """Whether what is paid depends on the base."""
        return any(a for lines in self.form.of for a, _ in lines)

    def amount(self, base: int | Fraction) -> int:
        """Return what is paid for a base in minor units."""
        exact = self.form.value(base)
        found = rounded(exact, self.rounding)
        if self.only_above is not None and found <= self.only_above:
            return 0
        if self.at_least is None or exact <= 0:
            return found
        most = self.at_least if self.most is None else rounded(self.most.value(base), self.rounding)
        return max(found, int(min(self.at_least, most)))


def line(a: Fraction | int, b: Fraction | int = 0) -> Form:
    """Return the form a x base + b."""
    return Form(((_line(a, b),),))


def _line(a: Fraction | int, b: Fraction | int) -> Line:
    # A fraction stays what it is: the end of a bound may be no plain number.
    return a if isinstance(a, Fraction) else Fraction(a), b if isinstance(b, Fraction) else Fraction(b)


NOTHING = line(0)


def least(forms: Iterable[Form]) -> Form:
    """Return the least of forms."""
    forms = list(forms)
    if len(forms) == 1:
        return forms[0]
    return _simple(
        tuple(one for lines in picked for one in lines) for picked in product(*(form.of for form in forms))
    )


def greatest(forms: Iterable[Form]) -> Form:
    """Return the greatest of forms."""
    forms = list(forms)
    if len(forms) == 1:
        return forms[0]
    return _simple(lines for form in forms for lines in form.of)


def total(forms: Iterable[Form]) -> Form:
    """Return the sum of forms."""
    forms = list(forms)
    if all(len(form.of) == 1 and len(form.of[0]) == 1 for form in forms):
        # Lines alone, as most are, add up to a line.
        return line(sum(form.of[0][0][0] for form in forms), sum(form.of[0][0][1] for form in forms))
    first, *others = forms
    found = first
    for form in others:
        found = _simple(
            tuple((a + c, b + d) for (a, b), (c, d) in product(left, right))
            for left, right in product(found.of, form.of)
        )
    return found


def scaled(form: Form, factor: Fraction) -> Form:
    """Return the form of which every base is first multiplied by a factor above 0."""
    return Form(tuple(tuple((a * factor, b) for a, b in lines) for lines in form.of))


def _simple(choices: Iterable[tuple[Line, ...]]) -> Form:
    """Return the form without lines that never decide, for bases of 0 or more."""
    leasts = {_undominated(lines) for lines in choices}
    # A least is never above any of its lines, so a single line that one of them is nowhere above leaves it without a say.
    kept = [
        lines
        for lines in leasts
        if not any(
            other != lines and len(other) == 1 and any(_below(one, other[0]) for one in lines)
            for other in leasts
        )
    ]
    return Form(tuple(sorted(kept)))


def _undominated(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines of which none is nowhere below another."""
    distinct = sorted(set(lines))
    return tuple(
        one for one in distinct if not any(other != one and _below(other, one) for other in distinct)
    )


def _below(one: Line, other: Line) -> bool:
    """Tell whether a line is nowhere above another."""
    return one[0] <= other[0] and one[1] <= other[1]
