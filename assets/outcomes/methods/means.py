"""Means, standard deviations and t intervals from exact sums.

The marts hold counts, sums and sums of squares as integers or decimals. Everything up to the last division is
done in 128-bit integers, so the result does not depend on the order in which rows were added, and the
subtraction inside the variance loses nothing. Room: n times the sum of squares, in units of the last decimal
squared, must stay below 1.7e38 (10^8 episodes with scores of 1000 at three decimals use 1e28).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mean(total: pl.Series, n: pl.Series, divisor: int = 1) -> NDArray[np.float64]:
    """Mean of ``n`` values with sum ``total``, divided by ``divisor`` (10: permille to percent); NaN where n is 0.

    Raises:
        ValueError: ``total`` is not exact (neither integer nor decimal), or missing where n is positive.

    """
    whole, scale = _scaled(total, n)
    size = _float(n)
    return np.divide(_float(whole), size * float(divisor * 10**scale), out=_nan(size), where=size > 0)


def deviation(total: pl.Series, squares: pl.Series, n: pl.Series) -> NDArray[np.float64]:
    """Sample standard deviation (denominator n - 1); NaN where n is less than 2.

    Raises:
        ValueError: sums that are not exact, missing where n is positive, or impossible (negative variance).

    """
    sums, sum_scale = _scaled(total, n)
    squared, square_scale = _scaled(squares, n)
    scale = max(sum_scale, (square_scale + 1) // 2)
    exact = pl.select(n=n.cast(pl.Int128), x=sums, x2=squared).select(
        pl.col("n") * pl.col("x2") * pl.lit(10 ** (2 * scale - square_scale), pl.Int128)
        - (pl.col("x") * pl.lit(10 ** (scale - sum_scale), pl.Int128)).pow(2)
    )
    numerator = _float(exact.to_series())
    if (numerator < 0).any():
        message = f"{squares.name} is too small for {total.name}"
        raise ValueError(message)
    count = _float(n)
    denominator = count * (count - 1) * float(10 ** (2 * scale))
    return np.sqrt(np.divide(numerator, denominator, out=_nan(count), where=count > 1))


def t_interval(
    centre: NDArray[np.float64], spread: NDArray[np.float64], n: pl.Series
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% interval of a mean from Student's t with n - 1 degrees of freedom; NaN where n is less than 2."""
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    size = _float(n)
    enough = size > 1
    quantile = stdtrit(np.where(enough, size - 1, np.nan), 1 - ALPHA / 2)
    half = quantile * spread / np.sqrt(np.where(enough, size, np.nan))
    return centre - half, centre + half


def welch(values: NDArray[np.floating], others: NDArray[np.floating]) -> tuple[float, float, float]:
    """Difference of two means, first minus other, with Welch's 95% interval (unequal variances; Welch 1947).

    t sqrt(v1 / n1 + v2 / n2) on Satterthwaite's degrees of freedom. scipy's ``ttest_ind`` is not called: it warns of
    lost precision where all values of a group are equal, as they are in small groups; a test holds the two together.
    NaN where a group has fewer than 2 values; no interval where neither group varies.
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    if min(values.size, others.size) < 2:  # noqa: PLR2004 - a variance needs two values
        return float("nan"), float("nan"), float("nan")
    one, other = (float(group.var(ddof=1)) / group.size for group in (values, others))
    difference = float(values.mean() - others.mean())
    if one + other <= 0:
        return difference, float("nan"), float("nan")
    degrees = (one + other) ** 2 / (one**2 / (values.size - 1) + other**2 / (others.size - 1))
    half = float(stdtrit(degrees, 1 - ALPHA / 2)) * float(np.sqrt(one + other))
    return difference, difference - half, difference + half


def _scaled(values: pl.Series, n: pl.Series) -> tuple[pl.Series, int]:
    """Values as 128-bit integers and the number of decimals they were multiplied by."""
    if (values.is_null() & (n > 0)).any():
        message = f"{values.name} is missing for a group that has rows"
        raise ValueError(message)
    if isinstance(values.dtype, pl.Decimal):
        return values.to_physical().fill_null(0), values.dtype.scale
    if values.dtype.is_integer():
        return values.cast(pl.Int128).fill_null(0), 0
    message = f"{values.name} must be an integer or a decimal, not {values.dtype}"
    raise ValueError(message)


def _float(values: pl.Series) -> NDArray[np.float64]:
    return values.cast(pl.Float64).to_numpy()


def _nan(like: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full(like.shape, np.nan)
