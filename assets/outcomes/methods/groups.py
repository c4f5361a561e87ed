"""Sums, means and spread of numbers by group, for models of single episodes.

Marts that hold exact sums use ``means``; this is for numbers that are no integers, such as expected outcomes. They are
added in the order of the rows, so rows must come in an order of their own (sorted by key).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def totals(code: ArrayLike, values: ArrayLike, groups: int) -> Floats:
    """Sum of ``values`` (n,) by group ``code`` (n,), whole numbers from 0: (groups,); 0 for a group without rows.

    Raises:
        ValueError: shapes that differ, or a negative code.

    """
    return np.asarray(np.bincount(np.asarray(code), np.asarray(values), minlength=groups), dtype=np.float64)


def means(code: ArrayLike, values: ArrayLike, groups: int) -> Floats:
    """Mean by group; NaN for a group without rows. Arguments and errors as in ``totals``."""
    return _per(totals(code, values, groups), np.bincount(np.asarray(code), minlength=groups))


def deviations(code: ArrayLike, values: ArrayLike, groups: int) -> Floats:
    """Sample standard deviation (denominator n - 1) by group, in two passes; NaN for fewer than two rows."""
    at = np.asarray(code)
    distance = np.asarray(values) - means(at, values, groups)[at]
    return np.sqrt(_per(totals(at, distance**2, groups), np.bincount(at, minlength=groups) - 1))


def _per(numerator: Floats, denominator: NDArray[np.integer]) -> Floats:
    ratio = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
