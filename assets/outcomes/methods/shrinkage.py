"""Small clinics: how much they differ in truth, estimates pulled towards the network, and what can be told apart.

A clinic's observed value is its true value plus chance; true values vary between clinics with variance tau2. The best
guess of a true value lies between the clinic's own and the network's, nearer to the network the smaller the clinic.
Everything here takes one value and its sampling variance for each clinic, in one order that the caller fixes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.multiplicity import benjamini_hochberg
from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

FEWEST_FOR_SHRINKAGE = 4
"""Below it the factor (k - 3) / (k - 1) is not above 0."""

SEED = 20261125
"""Any constant does: the same posterior draws in every run, so that equal data give equal pages."""
DRAWS = 10_000
"""Standard error of a simulated probability: at most sqrt(0.25 / DRAWS) = 0.005."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Clinics taken together. ``i2`` is a share, 0 to 1; ``p`` is that of Q if no clinic differs from another."""

    q: float
    p: float
    i2: float
    tau2: float
    mean: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shrunken:
    """Posterior of each clinic's true value; ``weight`` is that of the clinic's own value, 0 to 1."""

    weight: Floats
    value: Floats
    error: Floats
    low: Floats
    high: Floats


def random_effects(values: ArrayLike, variances: ArrayLike) -> Pool:
    """Heterogeneity and random-effects mean (DerSimonian & Laird 1986).

    w = 1 / v; Q = sum w (y - mean_w)^2, chi-square with k - 1 degrees of freedom if all are equal;
    I2 = 1 - (k - 1) / Q; tau2 = (Q - (k - 1)) / (sum w - sum w^2 / sum w); both at least 0. Mean with weights
    1 / (v + tau2), normal interval of 95%.

    Why not statsmodels' ``combine_effects``: it goes on with a tau2 below 0, as clinics that do not differ give half
    of the time, and divides by it. The tests hold the two together where tau2 is above 0.

    Raises:
        ValueError: fewer than 2 clinics, or a variance that is not above 0.

    """
    from scipy.special import chdtrc  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    value, variance = _checked(values, variances, 2)
    w = 1 / variance
    q = float(w @ (value - w @ value / w.sum()) ** 2)
    excess = max(0.0, q - (value.size - 1))
    tau2 = excess / float(w.sum() - w @ w / w.sum())
    weight = 1 / (variance + tau2)
    centre, error = float(weight @ value / weight.sum()), float(weight.sum() ** -0.5)
    half = _normal_quantile() * error
    i2 = excess / q if excess else 0.0
    return Pool(q, float(chdtrc(value.size - 1, q)), i2, tau2, centre, error, centre - half, centre + half)


def shrink(values: ArrayLike, variances: ArrayLike, pool: Pool) -> Shrunken:
    """Empirical-Bayes estimate of each clinic's true value, with an interval that allows for estimating tau2.

    With v the variance of a clinic and k clinics, share of the network B = (k - 3) / (k - 1) v / (v + tau2), weight
    1 - B, estimate mean + (1 - B) (y - mean). For equal variances this is Efron & Morris 1977, factor
    1 - (k - 3) v / sum (y - mean)^2; for large k it is the usual tau2 / (tau2 + v). The factor keeps 2 / (k - 1) of the
    clinic's own value where tau2 is estimated as 0, which does not make it 0. Posterior variance (Morris 1983, section
    5), with w = 1 / (v + tau2): v (1 - (1 - w / sum w) B) + 2 / (k - 3) B^2 (v_w + tau2) / (v + tau2) (y - mean)^2,
    where v_w is the mean of v weighted by w.

    Raises:
        ValueError: fewer than 4 clinics, or a variance that is not above 0.

    """
    value, variance = _checked(values, variances, FEWEST_FOR_SHRINKAGE)
    k = value.size
    total = variance + pool.tau2
    share = (k - 3) / (k - 1) * variance / total
    away = value - pool.mean
    w = 1 / total
    typical = float(w @ variance / w.sum())
    own = variance * (1 - (1 - w / w.sum()) * share)
    estimated = 2 / (k - 3) * share**2 * (typical + pool.tau2) / total * away**2
    error = np.sqrt(own + estimated)
    centre = pool.mean + (1 - share) * away
    half = _normal_quantile() * error
    return Shrunken(1 - share, centre, error, centre - half, centre + half)


def reliability(n: ArrayLike, between: float, within: float) -> Floats:
    """Share of the variance of clinics' values that is true difference, at ``n`` patients (Spearman 1910; Brown 1910).

    between / (between + within / n), that is n ICC / (1 + (n - 1) ICC) with ICC = between / (between + within), the
    reliability of one patient. ``between`` is tau2, ``within`` the variance of one patient. NaN where both are 0.
    """
    size = np.asarray(n, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(between / (between + within / size))


def patients_for_reliability(target: float, between: float, within: float) -> float:
    """Patients a clinic needs for a reliability of ``target``: target / (1 - target) within / between.

    Infinite where clinics do not differ: then no number of patients tells them apart.

    Raises:
        ValueError: a target that is not between 0 and 1.

    """
    if not 0 < target < 1:
        message = f"a reliability to aim at lies between 0 and 1: {target}"
        raise ValueError(message)
    return target / (1 - target) * within / between if between > 0 else float("inf")


def quarter_probabilities(values: ArrayLike, errors: ArrayLike) -> tuple[Floats, Floats]:
    """Probability that each clinic's true value is in the highest, and in the lowest, quarter of the clinics.

    From ``DRAWS`` draws of independent normal posteriors; a quarter is k // 4 clinics, at least 1. Where clinics are
    alike both are (k // 4) / k, whatever their values look like (Goldstein & Spiegelhalter 1996 on why not to rank).

    Raises:
        ValueError: fewer than 2 clinics, or an error that is not above 0.

    """
    value, error = _checked(values, errors, 2)
    k = value.size
    quarter = max(1, k // 4)
    draws = value + error * np.random.default_rng(SEED).standard_normal((DRAWS, k))
    order = np.argsort(draws, axis=1)
    high = np.bincount(order[:, k - quarter :].ravel(), minlength=k) / DRAWS
    low = np.bincount(order[:, :quarter].ravel(), minlength=k) / DRAWS
    return high, low


def told_apart(values: ArrayLike, errors: ArrayLike, alpha: float = ALPHA) -> NDArray[np.bool_]:
    """Whether each pair of clinics can be told apart: symmetric (k, k), false on the diagonal.

    z = difference / sqrt(error_i^2 + error_j^2) of the posteriors, two-sided normal p, Benjamini-Hochberg over all
    k (k - 1) / 2 pairs, at a false discovery rate of ``alpha``. Posteriors share the mean of the network, so their
    difference is known a little better than this says.

    Raises:
        ValueError: fewer than 2 clinics, or an error that is not above 0.

    """
    from scipy.special import ndtr  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    value, error = _checked(values, errors, 2)
    one, two = np.triu_indices(value.size, k=1)
    z = np.abs(value[one] - value[two]) / np.hypot(error[one], error[two])
    apart = np.zeros((value.size, value.size), dtype=np.bool_)
    apart[one, two] = benjamini_hochberg(2 * ndtr(-z)) <= alpha
    return apart | apart.T


def _checked(values: ArrayLike, spreads: ArrayLike, fewest: int) -> tuple[Floats, Floats]:
    value, spread = np.asarray(values, dtype=np.float64), np.asarray(spreads, dtype=np.float64)
    if value.ndim != 1 or value.shape != spread.shape or value.size < fewest or not np.all(spread > 0):
        message = f"this needs {fewest} or more clinics, each with a variance above 0"
        raise ValueError(message)
    return value, spread


def _normal_quantile() -> float:
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    return float(ndtri(1 - ALPHA / 2))
