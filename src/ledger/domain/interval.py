"""Half-open intervals `[start, end)` in whole seconds since 1970-01-01T00:00:00Z.

Every function returns the one normal form of a set of seconds: sorted, disjoint, not touching, none empty.
So equal sets are equal tuples, and neither the order of the input nor how it was cut can show.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Span", "intersect", "length", "subtract", "union"]

Span: TypeAlias = tuple[int, int]


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the normal form of all seconds that lie in at least one of `spans`; empty spans are dropped."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def intersect(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """Return the seconds that lie in both."""
    a, b = union(left), union(right)
    found: list[Span] = []
    i = j = 0
    while i < len(a) and j < len(b):
        low, high = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if low < high:
            found.append((low, high))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """Return the seconds of `left` that do not lie in `right`."""
    rest: list[Span] = []
    taken = union(right)
    j = 0
    for start, end in union(left):
        while j < len(taken) and taken[j][1] <= start:
            j += 1
        k = j
        while k < len(taken) and taken[k][0] < end:
            if start < taken[k][0]:
                rest.append((start, taken[k][0]))
            start = max(start, taken[k][1])
            k += 1
        if start < end:
            rest.append((start, end))
    return tuple(rest)


def length(spans: Iterable[Span]) -> int:
    """Return how many seconds lie in `spans`, each second counted once."""
    return sum(end - start for start, end in union(spans))
