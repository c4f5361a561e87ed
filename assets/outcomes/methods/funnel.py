"""Funnel limits: how far a clinic of its size lies from the network by chance alone, and the words for it.

Counts are whole, so two things that look alike must be kept apart. *Lines* are what a chart draws: smooth in n
(Spiegelhalter 2005). *Limits* decide: the furthest value that chance still explains at that size. A count strictly
beyond a limit has a probability of at most (1 - level) / 2 on that side. The line of a share may pass up to one
patient below its upper limit: at n = 10 and a share of 0.9 it lies at 9.93 patients, and the 35% of clinics where all
10 recovered would be called outside. So charts draw lines, and ``zone`` is given limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]

WARNING_LEVEL = 0.95
ACTION_LEVEL = 0.998
"""The two funnels (Spiegelhalter 2005): about 1.96 and 3.09 standard errors."""

AS_EXPECTED = "as_expected"
POSSIBLY_ABOVE, POSSIBLY_BELOW = "possibly_above", "possibly_below"
ABOVE, BELOW = "above", "below"
ZONES = (AS_EXPECTED, POSSIBLY_ABOVE, POSSIBLY_BELOW, ABOVE, BELOW)
"""The words of every comparison in the project: between the two funnels *possibly*, outside both without it."""

SLACK = 1e-9
"""Relative distance below which a value counts as lying on its limit: 13 of 20 and 0.65 differ by rounding only."""


def binomial_limits(n: ArrayLike, theta: ArrayLike, level: float) -> Pair:
    """Lowest and highest share of ``n`` that chance explains if the true share is ``theta``; exact.

    With r(p) the p quantile of the binomial distribution and a = (1 - level) / 2: low = r(a) / n, high = r(1 - a) / n.
    Then P(X < r(a)) < a and P(X > r(1 - a)) <= a.

    Args:
        n: Patients, at least 1; any shape.
        theta: Share of the network, 0 to 1; broadcast against ``n``.
        level: 0 to 1.

    Returns:
        Low and high, 0 to 1. Both are theta where it is 0 or 1: any other count is impossible.

    Raises:
        ValueError: n below 1, a share outside 0 to 1 or a level that is none.

    """
    size, share, tail = _checked(n, theta, level)
    return _binomial_quantile(tail, size, share) / size, _binomial_quantile(1 - tail, size, share) / size


def binomial_lines(n: ArrayLike, theta: ArrayLike, level: float) -> Pair:
    """Interpolated exact binomial limits, for drawing (Spiegelhalter 2005, appendix A.1.1).

    With r = r(p) the p quantile: (r - (P(X <= r) - p) / P(X = r)) / n, at p = (1 - level) / 2 and p = (1 + level) / 2,
    not below 0. Arguments, ends and errors as in ``binomial_limits``. ``ceil(n line) / n`` is the limit, for both.
    """
    size, share, tail = _checked(n, theta, level)
    low, high = (_interpolated(p, size, share) for p in (tail, 1 - tail))
    return np.clip(low / size, 0.0, 1.0), np.clip(high / size, 0.0, 1.0)


def poisson_ratio_limits(expected: ArrayLike, level: float) -> Pair:
    """Lowest and highest observed / expected that chance explains if the true ratio is 1; exact.

    r((1 - level) / 2) / E and r((1 + level) / 2) / E with r the quantile of the Poisson distribution of mean E.

    Raises:
        ValueError: an expectation that is not above 0, or a level that is none.

    """
    from scipy.stats import poisson  # noqa: PLC0415 - 0.8 CPU seconds that other steps need not pay

    mean, tail = _expected(expected, level)
    return np.asarray(poisson.ppf(tail, mean) / mean), np.asarray(poisson.ppf(1 - tail, mean) / mean)


def poisson_ratio_lines(expected: ArrayLike, level: float) -> Pair:
    """Exact Poisson limits of observed / expected around 1, for drawing: Garwood's interval of E events, over E.

    chi2(a; 2E) / 2E and chi2(1 - a; 2(E + 1)) / 2E with a = (1 - level) / 2 (Garwood 1936; Ulm 1990; FunnelPlotR).
    Errors as in ``poisson_ratio_limits``.
    """
    from scipy.special import gammaincinv  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    mean, tail = _expected(expected, level)
    # A chi-square quantile with 2k degrees of freedom is twice a gamma quantile of shape k
    return gammaincinv(mean, tail) / mean, gammaincinv(mean + 1, 1 - tail) / mean


def mean_limits(n: ArrayLike, centre: ArrayLike, sd: ArrayLike, level: float, degrees: ArrayLike = np.inf) -> Pair:
    """Limits of a clinic's mean: centre -+ t sd / sqrt(n), with the SD of one patient in the whole network.

    ``sd`` is the pooled within-clinic or the national SD, ``degrees`` its degrees of freedom: Student's t, and the
    normal distribution (1.960 and 3.090, the NHS rule) where the SD counts as known. Never a clinic's own SD: change
    scores are skewed, and at n = 10 a clinic's own SD is small just when its mean is off.

    Raises:
        ValueError: n below 1, a negative SD or a level that is none.

    """
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    size, spread = np.asarray(n, dtype=np.float64), np.asarray(sd, dtype=np.float64)
    if not (np.all(size >= 1) and np.all(spread >= 0)):
        message = "a clinic has no patients or a standard deviation is negative"
        raise ValueError(message)
    middle = np.asarray(centre, dtype=np.float64)
    half = stdtrit(degrees, 1 - _tail(level)) * spread / np.sqrt(size)
    return np.asarray(middle - half), np.asarray(middle + half)


def zone(value: ArrayLike, limits95: Pair, limits998: Pair) -> NDArray[np.str_]:
    """Where a value lies against its two funnels, in one of ``ZONES``; on a limit is inside it.

    Limits that are NaN exclude nothing. A value that is NaN is as expected: leave clinics without a value out.
    """
    found = np.asarray(value, dtype=np.float64)
    slack = SLACK * np.maximum(1.0, np.abs(found))
    (low95, high95), (low998, high998) = limits95, limits998
    return np.select(
        [found > high998 + slack, found < low998 - slack, found > high95 + slack, found < low95 - slack],
        [ABOVE, BELOW, POSSIBLY_ABOVE, POSSIBLY_BELOW],
        default=AS_EXPECTED,
    )


def _checked(n: ArrayLike, theta: ArrayLike, level: float) -> tuple[Floats, Floats, float]:
    size, share = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(theta, dtype=np.float64))
    if not (np.all(size >= 1) and np.all((share >= 0) & (share <= 1))):
        message = "a clinic has no patients or a share lies outside 0 to 1"
        raise ValueError(message)
    return size, share, _tail(level)


def _expected(expected: ArrayLike, level: float) -> tuple[Floats, float]:
    mean = np.asarray(expected, dtype=np.float64)
    if not np.all(mean > 0):
        message = "an expected number is not above 0"
        raise ValueError(message)
    return mean, _tail(level)


def _tail(level: float) -> float:
    if not 0 < level < 1:
        message = f"a level lies between 0 and 1: {level}"
        raise ValueError(message)
    return (1 - level) / 2


def _binomial_quantile(p: float, size: Floats, share: Floats) -> Floats:
    from scipy.stats import binom  # noqa: PLC0415 - 0.8 CPU seconds that other steps need not pay

    return np.asarray(binom.ppf(p, size, share), dtype=np.float64)


def _interpolated(p: float, size: Floats, share: Floats) -> Floats:
    from scipy.stats import binom  # noqa: PLC0415 - 0.8 CPU seconds that other steps need not pay

    quantile = _binomial_quantile(p, size, share)
    below = binom.cdf(quantile, size, share) - p
    inside = (share > 0) & (share < 1)
    line = quantile - np.divide(below, binom.pmf(quantile, size, share), out=np.zeros_like(below), where=inside)
    return np.where(inside, line, size * share)
