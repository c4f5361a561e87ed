"""Propensity scores and the weights made of them: overlap weights for two groups, completion weights for unknowns.

Both start from a logistic model fitted by maximum likelihood. Standard errors treat the model as estimated: its score
equations are stacked with those of the weighted means (M-estimation; Lunceford & Davidian 2004, Li, Morgan &
Zaslavsky 2018), so that no bootstrap is needed. Weighting makes groups alike in what the model contains and in
nothing else: it cannot show what a treatment caused.

Why not a library. statsmodels fits the model, but by a pseudo-inverse for each step (many times slower on thousands
of rows and tens of columns), under separation with a warning instead of a reason, and it has no overlap weights. The
tests hold the fit against it on data without separation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]
    Flags = NDArray[np.bool_]

MOST_STEPS = 60
CONVERGED = 1e-11
"""Largest mean score, per row, of a fit that counts as converged: far below the 1e-6 to which means must balance."""
SEPARATED_LOGIT = 18.0
"""A fitted logit beyond this (a probability within 1.5e-8 of 0 or 1) only occurs where covariates tell groups apart."""

ROUNDING = 1e-12
"""Relative change of a likelihood that is rounding."""

EQUIPOISE = (0.3, 0.7)
"""Preference scores between these are in equipoise (Walker 2013)."""
TRUNCATION = (0.01, 0.99)
"""Completion weights beyond these quantiles are set to them, so that no single patient decides a rate."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model fitted by maximum likelihood.

    ``probability`` (rows,) is the fitted probability of the outcome. ``influence`` (rows, columns) holds, for each
    row, its share in the error of each coefficient: inverse information times the row's score.
    """

    coefficients: Floats
    probability: Floats
    influence: Floats


def logistic(design: Floats, outcome: ArrayLike) -> Logistic:
    """Fit P(outcome) = 1 / (1 + exp(-design b)) by Newton's method with halved steps where the likelihood falls.

    Args:
        design: (rows, columns) with an intercept, columns linearly independent.
        outcome: (rows,) true or false.

    Raises:
        ValueError: shapes that do not fit.
        FitError: one outcome only, dependent columns, a combination of covariates that tells the outcome (nearly) for
            sure so that the likelihood has no maximum, or no maximum found.

    """
    y = np.asarray(outcome, dtype=np.float64)
    if design.ndim != 2 or y.shape != design.shape[:1]:  # noqa: PLR2004 - a matrix has two dimensions
        message = f"design and outcome do not fit: {design.shape} and {y.shape}"
        raise ValueError(message)
    if not 0 < y.sum() < y.size:
        raise FitError(Reason.CONSTANT_OUTCOME)
    coefficients, logit = np.zeros(design.shape[1]), np.zeros(y.size)
    for _ in range(MOST_STEPS):
        probability = _expit(logit)
        score = design.T @ (y - probability)
        if np.abs(score).max() <= CONVERGED * y.size:
            scores = design * (y - probability)[:, None]
            return Logistic(coefficients, probability, _solve(_information(design, probability), scores.T).T)
        step = _step(design, logit, y, _solve(_information(design, probability), score))
        coefficients = coefficients + step
        logit = design @ coefficients
        if np.abs(logit).max() > SEPARATED_LOGIT:
            raise FitError(Reason.SEPARATED)
    raise FitError(Reason.NOT_CONVERGED)


def overlap_weights(probability: ArrayLike, treated: ArrayLike) -> Floats:
    """1 - e for the treated and e for the controls, e the propensity (Li, Morgan & Zaslavsky 2018).

    With e from a maximum-likelihood logistic model with an intercept the weighted means of its columns are equal in
    both groups (their theorem 3). The population described is the patients who might have been in either group.
    """
    e = np.asarray(probability, dtype=np.float64)
    return np.where(np.asarray(treated, dtype=bool), 1 - e, e)


def effective_size(weights: ArrayLike) -> float:
    """Number of patients of equal weight that would be as precise: (sum w)^2 / sum w^2 (Kish 1965); 0 for none."""
    w = np.asarray(weights, dtype=np.float64)
    squares = float((w**2).sum())
    return float(w.sum()) ** 2 / squares if squares > 0 else 0.0


def standardised_differences(columns: Floats, treated: Flags, weights: Floats) -> Floats:
    """(Weighted) mean of the treated minus that of the controls, in units of the pooled unweighted SD (Austin 2011).

    The SD is sqrt((v1 + v0) / 2) with sample variances before weighting, so that weighting can only change the
    numerator; for a share v = p (1 - p) up to n / (n - 1).

    Args:
        columns: (rows, k).
        treated: (rows,).
        weights: (rows,), all 1 before weighting.

    Returns:
        (k,), NaN where a column does not vary within either group.

    """
    one, other = columns[treated], columns[~treated]
    spread = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / 2)
    gap = weights[treated] @ one / weights[treated].sum() - weights[~treated] @ other / weights[~treated].sum()
    return _ratio(gap, spread)


def is_imbalanced(differences: Floats, effective: tuple[float, float], limit: float) -> bool:
    """Whether any standardised difference exceeds the limit by more than chance explains.

    For terms that the model does not contain: weighting leaves in them the chance differences of any two groups, with
    a standard error of sqrt(1/n1 + 1/n0) at effective sizes n1 and n0, which alone passes 0.1 in groups of hundreds.
    One-sided test of |d| <= limit at 5%, divided by the number of terms (Bonferroni), as sdmAlpha of OHDSI's
    CohortMethod does. NaN (a term that does not vary) is in balance.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    sizes = np.abs(differences[~np.isnan(differences)])
    error = np.sqrt(1 / effective[0] + 1 / effective[1])
    return bool(sizes.size and sizes.max() > limit + ndtri(1 - ALPHA / sizes.size) * error)


def equipoise(probability: ArrayLike, treated: ArrayLike) -> float:
    """Share of patients whose preference score lies between 0.3 and 0.7 (Walker 2013).

    The preference score F takes the overall share p of the treated out of the propensity: logit F = logit e - logit p.
    The share is of both groups together, as in OHDSI's CohortMethod (computeEquipoise), whose default threshold for it
    is 0.2. NaN where one group is empty.
    """
    e = np.asarray(probability, dtype=np.float64)
    share = float(np.asarray(treated, dtype=np.float64).mean()) if e.size else 0.0
    if not 0 < share < 1:
        return float("nan")
    # odds of F are odds of e over odds of p; compared as odds, so that e of 0 or 1 is no special case
    low, high = (bound / (1 - bound) * share / (1 - share) for bound in EQUIPOISE)
    return float(((e >= low * (1 - e)) & (e <= high * (1 - e))).mean())


@dataclass(frozen=True, slots=True)
class WeightedContrast:
    """Two weighted means and how they differ, with 95% intervals; ratio NaN unless both means are positive."""

    treated_mean: float
    control_mean: float
    difference: float
    difference_low: float
    difference_high: float
    p_value: float
    ratio: float
    ratio_low: float
    ratio_high: float


def overlap_contrast(design: Floats, fit: Logistic, treated: Flags, outcome: Floats) -> WeightedContrast:
    """Difference and ratio of overlap-weighted means, with the error of the propensity model taken in.

    With e the propensity, A the information and s_i the score of row i, the mean of the treated has the influence
    (z (1 - e) (y - m1) + b1' A^-1 s_i) / sum z (1 - e), with b1 = -sum z e (1 - e) (y - m1) x; likewise the controls
    with e in place of 1 - e and the sign of b turned. The variance is the sum of squared differences of influences,
    times n / (n - k) for the k coefficients, as HC1 does; without it intervals are too narrow where k is not small
    beside n (a test simulates both). Ratio: interval on the log scale, by the delta method. p value of no difference:
    normal.

    Args:
        design: (rows, columns), the matrix ``fit`` was made with.
        fit: Propensity of being treated.
        treated: (rows,), the outcome of ``fit``.
        outcome: (rows,), 0 or 1, or a number.

    """
    from scipy.special import ndtr  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    z, e, y = treated.astype(np.float64), fit.probability, outcome
    mean_1, influence_1 = _weighted_mean(z * (1 - e), -z * e * (1 - e), design, fit, y)
    mean_0, influence_0 = _weighted_mean((1 - z) * e, (1 - z) * e * (1 - e), design, fit, y)
    small_sample = y.size / max(y.size - design.shape[1], 1)
    difference = mean_1 - mean_0
    error = np.sqrt(small_sample * float(((influence_1 - influence_0) ** 2).sum()))
    half = _quantile() * error
    p_value = 2 * float(ndtr(-abs(difference) / error)) if error > 0 else float("nan")
    ratio = low = high = float("nan")
    if mean_1 > 0 and mean_0 > 0:
        ratio = mean_1 / mean_0
        log_influence = influence_1 / mean_1 - influence_0 / mean_0
        width = np.exp(_quantile() * np.sqrt(small_sample * float((log_influence**2).sum())))
        low, high = ratio / width, ratio * width
    return WeightedContrast(
        mean_1, mean_0, difference, difference - half, difference + half, p_value, ratio, float(low), float(high)
    )


def _weighted_mean(weights: Floats, slope: Floats, design: Floats, fit: Logistic, y: Floats) -> tuple[float, Floats]:
    """Mean under weights that depend on the fit, and each row's influence; ``slope`` is d weight / d logit."""
    total = float(weights.sum())
    mean = float(weights @ y) / total
    away = y - mean
    return mean, (weights * away + fit.influence @ (design.T @ (slope * away))) / total


@dataclass(frozen=True, slots=True)
class WeightedMeans:
    """Weighted mean of each group with its standard error and effective size; arrays (groups,), NaN for empty ones."""

    mean: Floats
    error: Floats
    effective: Floats


def completion_weights(fit: Logistic, known: Flags) -> Floats:
    """Weights that let those with a known outcome stand for all: P(known) / P(known given covariates), truncated.

    Stabilised by the overall share (Robins, Hernan & Brumback 2000), which keeps their mean near 1 and cancels in a
    mean. Those beyond the quantiles of ``TRUNCATION`` (among the known) are set to them (Cole & Hernan 2008): a
    little bias for much less variance. 0 for those with an unknown outcome.
    """
    raw = np.where(known, known.mean() / fit.probability, 0.0)
    if not known.any():
        return raw
    low, high = np.quantile(raw[known], TRUNCATION)
    return np.where(known, np.clip(raw, low, high), 0.0)


def completed_means(
    design: Floats, fit: Logistic, known: Flags, outcome: Floats, group: NDArray[np.int64], groups: int
) -> WeightedMeans:
    """Mean of each group under completion weights: what it would be if, given covariates, the known were like the rest.

    Right where the outcome is missing at random given the covariates and the model holds; wrong where it depends on
    what was not recorded. The standard error takes the fitted model in (influences as in ``overlap_contrast``; a
    truncated weight does not move with the model).

    Args:
        design: (rows, columns), the matrix ``fit`` was made with.
        fit: Probability of a known outcome.
        known: (rows,).
        outcome: (rows,); what stands where it is unknown is not used.
        group: (rows,) number of each row's group, from 0.
        groups: How many groups there are.

    """
    weights = completion_weights(fit, known)
    y = np.where(known, outcome, 0.0)
    total, squares, weighted = (
        np.bincount(group, values, minlength=groups) for values in (weights, weights**2, weights * y)
    )
    mean = _ratio(weighted, total)
    part = weights * (y - np.where(np.isnan(mean), 0.0, mean)[group])
    untouched = known & np.isclose(weights * fit.probability, known.mean(), rtol=1e-9, atol=0.0)
    slope = np.where(untouched, -(1 - fit.probability), 0.0) * part  # d weight / d logit = -weight (1 - p)
    by_group = np.stack([np.bincount(group, slope * column, minlength=groups) for column in design.T], axis=1)
    mixed = np.stack([np.bincount(group, part * column, minlength=groups) for column in fit.influence.T], axis=1)
    own = np.bincount(group, part**2, minlength=groups)
    spread = fit.influence.T @ fit.influence
    variance = own + 2 * (by_group * mixed).sum(axis=1) + np.einsum("gi,ij,gj->g", by_group, spread, by_group)
    error = _ratio(np.sqrt(np.clip(variance, 0, None)), total)
    return WeightedMeans(mean, error, _ratio(total**2, squares))


def logit_interval(rate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """95% interval of a rate from its standard error, on the logit scale so that it stays within 0 and 1.

    NaN where the rate is 0, 1 or unknown: the scale has no such point.
    """
    inside = (rate > 0) & (rate < 1)
    p = np.where(inside, rate, 0.5)
    half = _quantile() * error / (p * (1 - p))
    logit = np.log(p / (1 - p))
    low, high = _expit(logit - half), _expit(logit + half)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def _quantile() -> float:
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    return float(ndtri(1 - ALPHA / 2))


def _information(design: Floats, probability: Floats) -> Floats:
    # the product with the root of the weights is symmetric to the last bit, and BLAS does half the work for it
    root = design * np.sqrt(probability * (1 - probability))[:, None]
    product: Floats = root.T @ root
    return product


def _solve(information: Floats, right: Floats) -> Floats:
    try:
        return np.linalg.solve(information, right)
    except np.linalg.LinAlgError as error:
        raise FitError(Reason.COLLINEAR) from error


def _step(design: Floats, logit: Floats, y: Floats, newton: Floats) -> Floats:
    """Newton's step, halved until the likelihood does not fall (beyond rounding)."""
    before = _log_likelihood(logit, y)
    direction = design @ newton
    size = 1.0
    while _log_likelihood(logit + size * direction, y) < before - ROUNDING * abs(before):
        size /= 2
    return size * newton


def _log_likelihood(logit: Floats, y: Floats) -> float:
    return float(y @ logit - np.logaddexp(0.0, logit).sum())


def _expit(logit: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logit)))


def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Quotient; NaN where the denominator is not positive."""
    below = np.asarray(denominator, dtype=np.float64)
    return np.asarray(np.divide(numerator, below, out=np.full(below.shape, np.nan), where=below > 0))
