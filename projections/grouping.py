"""Rows that share a combination of values, over as many columns as there are, without a number that leaves 64 bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Codes", "category_of", "grouped", "numbers_of"]

Codes: TypeAlias = "npt.NDArray[np.intp]"
# Combinations are numbered as the digits of one number; before it could pass this they are numbered anew.
_MOST = 2**62


def grouped(n_rows: int, columns: Iterable[tuple[npt.NDArray[Any], int]]) -> tuple[Codes, Codes]:
    """Return the group of each row, numbered in the order of their first rows, and the first row of each group.

    columns: for each row a number from 0, with how many such numbers there are at most. Rows are in one group where they agree
    in all columns. There are never more combinations than rows, nor more numbers in a column, so numbering these anew makes room.
    """
    combined = np.zeros(n_rows, dtype=np.int64)
    size = 1
    for numbers, width in columns:
        if width <= 1:
            continue
        if size * width > _MOST:
            codes, found = pd.factorize(combined)
            combined, size = codes.astype(np.int64), max(len(found), 1)
        if size * width > _MOST:
            numbers, found = pd.factorize(numbers)
            width = max(len(found), 1)
        if size > 1:
            combined *= width
        combined += numbers
        size *= width
    codes, found = pd.factorize(combined)
    firsts = np.empty(len(found), dtype=np.intp)
    # Of places assigned more than once the last value stays, so backwards it is the first row.
    firsts[codes[::-1]] = np.arange(n_rows - 1, -1, -1)
    return codes, firsts


def numbers_of(values: Any) -> tuple[npt.NDArray[Any], int]:
    """Return a number from 0 for each distinct value of a pandas array, null being one of them, and how many there are."""
    if isinstance(values, pd.Categorical):
        return values.codes.astype(np.int64) + 1, len(values.categories) + 1
    numbers, found = pd.factorize(values, use_na_sentinel=False)
    return numbers.astype(np.int64), len(found)


def category_of(values: pd.Series) -> pd.Categorical:
    """Return a column as categories."""
    return values.array if isinstance(values.array, pd.Categorical) else pd.Categorical(values)
