"""Days of service on the lines of documents: issued, compared and taken back as money is, beside it.

A column of days is an array of exact fractions; None stands where the terms know no days of service. What has no finite
decimal expansion was rounded once, in the assessment, as it is shown there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["added", "any_of", "given", "held_back", "lesser", "none_of", "pays_days", "said_by", "taken"]

# Any: to an array it is one more object.
_NOTHING: Any = Fraction(0)
_IS_NONE = np.frompyfunc(lambda one: one is None, 1, 1)


def pays_days(facts: Mapping[str, Any]) -> bool:
    """Tell whether an assessment says anything about days of service."""
    return facts.get("service_days_at_most") is not None


def given(facts: Sequence[Mapping[str, Any]], codes: Any, ends: Any) -> Any:
    """Return the days of each row, None where its terms know none.

    codes: its assessment. ends: 2 where the most is taken, else the least counts.
    """
    sides = []
    for end in ("least", "most"):
        side = np.full(len(facts), None, dtype=object)
        for at, one in enumerate(facts):
            if pays_days(one):
                side[at] = Fraction(one[f"service_days_at_{end}"])
        sides.append(side)
    return np.where(ends == 2, sides[1][codes], sides[0][codes])


def none_of(days: Any) -> Any:
    """Tell of each row whether it says no days."""
    return _IS_NONE(days).astype(np.bool_)


def any_of(days: Any) -> Any:
    """Tell of each row whether it says days, and not 0 of them."""
    found = np.zeros(len(days), dtype=np.bool_)
    said = np.flatnonzero(~none_of(days))
    found[said] = days[said] != 0
    return found


def lesser(one: Any, other: Any) -> Any:
    """Return the lesser of two columns of days, row by row; None where either is."""
    return _made(one, other, np.minimum)


def taken(one: Any, other: Any) -> Any:
    """Return what is left of a column of days when another is taken from it, None where either is."""
    return _made(one, other, np.subtract)


def added(one: Any, other: Any) -> Any:
    """Return the sums of two columns of days, row by row; None where both are."""
    found = np.where(none_of(one), other, one)
    both = np.flatnonzero(~none_of(one) & ~none_of(other))
    found[both] = one[both] + other[both]
    return found


def held_back(days: Any) -> Any:
    """Return of days that are added the part below 0, which is not taken back; None where none are said."""
    found = days.copy()
    said = np.flatnonzero(~none_of(days))
    found[said] = np.minimum(days[said], _NOTHING)
    return found


def _made(one: Any, other: Any, make: Callable[[Any, Any], Any]) -> Any:
    found = np.full(len(one), None, dtype=object)
    both = np.flatnonzero(~none_of(one) & ~none_of(other))
    found[both] = make(one[both], other[both])
    return found


def said_by(facts: Mapping[str, Any], *, claimed: bool) -> Fraction:
    """Return the days of a line whose document did not say any: those of its assessment, the least where they are bounds.

    Documents without days on their lines are from before there were any. claimed: nothing had to be claimed, or it was granted.
    """
    return Fraction(facts["service_days_at_least"] if claimed else 0)
