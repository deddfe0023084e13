"""Ends of bounds that are no plain numbers: "less than 5", whose end is not reached, and "5 or more", which has none.

Both are fractions, so that all that computes with bounds carries them on without asking: what is added, scaled, compared or
chosen by the greatest stays on its side of its end. Nothing is moved: an open end is compared and rounded as what lies beside
it, and never counts as reached.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from ledger.domain.money import round_fraction

__all__ = [
    "ENDLESS",
    "Beside",
    "above",
    "below",
    "beside",
    "is_endless",
    "is_open",
    "rounded",
    "side_of",
    "whole_down",
    "whole_up",
]


class Beside(Fraction):
    """What lies right beside a number: above it (side 1) or below (side -1), nearer than any other number.

    numerator, denominator: of the number itself, which is what is shown of it. Where two such ends pull apart, as in one less
    another, the number itself is what is left: a bound that is reached holds one that is not.
    """

    __slots__ = ("side",)

    side: int

    def __new__(cls, number: Fraction | int, side: int) -> Self:
        made = super().__new__(cls, number)
        made.side = side
        return made

    def __reduce__(self) -> tuple[type, tuple[Fraction, int]]:
        return Beside, (_at(self), self.side)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"Beside({_at(self)!r}, {self.side})"

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((_at(self), self.side))

    def __eq__(self, other: object) -> bool:
        return _number(other) and _key(self) == _key(other)

    def __lt__(self, other: Any) -> bool:
        return _key(self) < _key(other)

    def __le__(self, other: Any) -> bool:
        return _key(self) <= _key(other)

    def __gt__(self, other: Any) -> bool:
        return _key(self) > _key(other)

    def __ge__(self, other: Any) -> bool:
        return _key(self) >= _key(other)

    def __bool__(self) -> bool:
        return True

    def __neg__(self) -> Fraction:
        return Beside(-_at(self), -self.side)

    # What has no end says itself what becomes of it, on either side of a sign.

    def __add__(self, other: Any) -> Any:
        if is_endless(other):
            return NotImplemented
        return _beside(_at(self) + _at(other), {self.side, side_of(other)} - {0})

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return _beside(_at(self) - _at(other), {self.side, -side_of(other)} - {0})

    def __rsub__(self, other: Any) -> Any:
        return -(self - other)

    def __mul__(self, other: Any) -> Any:
        if is_endless(other):
            return NotImplemented
        if not other:
            return Fraction(0)
        one, two = _at(self), _at(other)
        # Each end moves a product by the other's number, and not where that is 0; two that lie beside 0 move it by their sides.
        sides = {self.side * _sign(two), side_of(other) * _sign(one)} - {0}
        return _beside(one * two, sides or {self.side * side_of(other)})

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return NotImplemented if is_endless(other) else self * _inverse(other)

    def __rtruediv__(self, other: Any) -> Any:
        return _inverse(self) * other


class _Endless(Fraction):
    """What has no end, however it is scaled or added to; compared, it is more than the 30 digits that a fact may have."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "ENDLESS"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return "ENDLESS"

    def __add__(self, other: Any) -> Any:
        return self

    __radd__ = __sub__ = __truediv__ = __add__

    def __mul__(self, other: Any) -> Any:
        return self if other else Fraction(0)

    __rmul__ = __mul__

    def __rtruediv__(self, other: Any) -> Any:
        return above(Fraction(0)) if other else Fraction(0)


# The end of "so much or more".
ENDLESS: Fraction = _Endless(10**30)


def beside(number: Fraction, side: int) -> Fraction:
    """Return the end that lies above a number (side 1), below it (-1), or is it (0)."""
    return Beside(number, side) if side else number


def above(number: Fraction) -> Fraction:
    """Return the end of what is more than a number."""
    return Beside(number, 1)


def below(number: Fraction) -> Fraction:
    """Return the end of what is less than a number."""
    return Beside(number, -1)


def side_of(end: Fraction) -> int:
    """Return on which side of its number an end lies: 1 above, -1 below, 0 where it is the number."""
    return end.side if isinstance(end, Beside) else 0


def is_open(end: Fraction) -> bool:
    """Tell whether an end is not reached."""
    return isinstance(end, Beside)


def is_endless(end: Fraction) -> bool:
    """Tell whether there is no end."""
    return isinstance(end, _Endless)


def rounded(value: Fraction, mode: str) -> int:
    """Return `ledger.domain.money.round_fraction`, of an open end what is next to it rounded."""
    return round_fraction(_near(value), mode)


def whole_down(value: Fraction) -> Fraction:
    """Return the greatest whole number that is no more; what has no end has none."""
    if is_endless(value):
        return value
    near = _near(value)
    return Fraction(near.numerator // near.denominator)


def whole_up(value: Fraction) -> Fraction:
    """Return the least whole number that is no less; what has no end has none."""
    if is_endless(value):
        return value
    near = _near(value)
    return Fraction(-(-near.numerator // near.denominator))


def _near(value: Fraction) -> Fraction:
    """Return a number so near to an open end that no half of a whole number lies between them, which is all that rounding asks."""
    if not isinstance(value, Beside):
        return value
    # From p/q it is 1/(2q) or more to the next one.
    return _at(value) + Fraction(value.side, 4 * value.denominator)


def _at(value: Any) -> Fraction:
    return Fraction(value.numerator, value.denominator)


def _key(value: Any) -> tuple[Fraction, int]:
    return _at(value), side_of(value)


def _number(value: object) -> bool:
    return isinstance(value, int | Fraction)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _beside(number: Fraction, sides: set[int]) -> Fraction:
    return Beside(number, *sides) if len(sides) == 1 else number


def _inverse(value: Any) -> Fraction:
    """Return 1 divided by a number that is not 0."""
    at = 1 / _at(value)
    return Beside(at, -value.side) if isinstance(value, Beside) else at
