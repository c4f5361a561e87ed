"""Arms of a trial compared after adjustment for what was known when they were assigned: analysis of covariance.

The score at follow-up is regressed on arm, baseline score and covariates. In a randomised trial this estimates the same
difference as the plain means, with a smaller error (Vickers & Altman 2001, BMJ 323:1123), and is not biased by chance
imbalance at baseline, which a comparison of changes over-corrects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import COLLINEAR, checked, fit_linear, orthonormal
from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class ArmFit:
    """Coefficients of ``fit_arms``, in the unit of y. ``is_mixed``: patients have an intercept of their own."""

    coefficients: Floats
    covariance: Floats
    degrees: int
    is_mixed: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """An estimate with its standard error, 95% interval and two-sided p-value against no difference."""

    estimate: float
    error: float
    low: float
    high: float
    p_value: float


def fit_arms(y: ArrayLike, x: ArrayLike, patient: ArrayLike) -> ArmFit:
    """Regress scores on arms and covariates: one row per patient, or one per side of the body.

    One row per patient: ordinary least squares (statsmodels), rows - k degrees of freedom. Several rows of a patient
    are alike, and counted as independent they would make the error too small: then a random intercept per patient by
    REML (``mixed_linear.fit_linear``). Its degrees of freedom are patients - k: arms are compared between patients.

    Args:
        y: Scores at follow-up (n,).
        x: Ones, indicators of arms, baseline, covariates (n, k).
        patient: Codes (n,), whole numbers from 0.

    Raises:
        FitError: not more patients than columns of x; columns that are combinations of others; no variation left.
        ValueError: shapes that do not fit, a value that is not finite, or a negative code.

    """
    scores, covariates, code = checked(y, x, patient)
    degrees = len(np.unique(code)) - covariates.shape[1]
    if degrees < 1:
        raise FitError(Reason.TOO_FEW_ROWS)
    if len(np.unique(code)) < len(code):
        mixed = fit_linear(scores, covariates, np.unique(code, return_inverse=True)[1])
        return ArmFit(mixed.coefficients, mixed.covariance, degrees, is_mixed=True)
    basis, _ = orthonormal(covariates)
    rest = scores - basis @ (basis.T @ scores)
    if rest @ rest <= COLLINEAR**2 * (scores @ scores):
        raise FitError(Reason.CONSTANT_OUTCOME)
    # The import costs 1 CPU second in a process that has not imported another part of statsmodels
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415

    fit = OLS(scores, covariates).fit()
    return ArmFit(np.asarray(fit.params), np.asarray(fit.cov_params()), degrees, is_mixed=False)


def difference(fit: ArmFit, column: int, sign: float = 1.0) -> Difference:
    """Coefficient of a column times ``sign`` (-1 where lower scores are better), with Student's t interval."""
    from scipy.special import stdtr, stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    estimate = sign * float(fit.coefficients[column])
    error = float(np.sqrt(fit.covariance[column, column]))
    half = float(stdtrit(fit.degrees, 1 - ALPHA / 2)) * error
    p_value = 2 * float(stdtr(fit.degrees, -abs(estimate / error)))
    return Difference(estimate, error, estimate - half, estimate + half, p_value)
