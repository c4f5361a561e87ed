"""Linear mixed model with one random intercept per group, by restricted maximum likelihood (REML).

Why not statsmodels' MixedLM: it inverts a matrix per group in a Python loop (groups here have up to 50,000 rows), and
its optimiser stops early: 24.8037 instead of 24.8055 on the Rail data. With one random intercept the likelihood is a
function of one ratio and of sums per group, so it is maximised exactly; the tests hold it against MixedLM.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError, Reason

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]

COLLINEAR = 1e-9
"""Share of a covariate's length that other covariates must leave unexplained."""

RATIOS = np.concatenate([[0.0], np.logspace(-7, 7, 29)])
"""Ratios of the variance between to the variance within groups where the slope of the likelihood is looked at first."""

DIFFERENCE = 1e-4
"""Step, as a share of the ratio, of the differences that show how coefficients and likelihood change with it."""

FLAT = 1e-9
"""A likelihood that changes less than this per row over all ratios says nothing about them."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Estimates of ``fit_linear``, in the unit of y. ``effect`` and ``effect_error`` have one entry per group code."""

    coefficients: Floats
    covariance: Floats
    sd_between: float
    sd_within: float
    effect: Floats
    effect_error: Floats
    icc: float
    log_likelihood: float


def fit_linear(y: ArrayLike, x: ArrayLike, group: ArrayLike) -> LinearFit:
    """Fit y = x b + u[group] + e with u ~ N(0, between^2) and e ~ N(0, within^2) by REML.

    With ratio = between^2 / within^2, n_i rows in group i, and c_i = ratio / (1 + ratio n_i), the inverse covariance
    of a group is (I - c_i 11') / within^2, so that x'V^-1x, x'V^-1y and y'V^-1y need sums per group only. The
    restricted likelihood, profiled over b and within^2 (Patterson & Thompson 1971; Pinheiro & Bates 2000, section
    2.2), is maximised over the ratio: every maximum is bracketed on a grid by the sign of the slope and found as
    a root of it; the highest one counts.

    ``covariance`` is that of generalised least squares at the estimated ratio, plus what the estimate of the ratio
    adds, db/dratio var(ratio) db/dratio' with var from the curvature of the likelihood (Kackar & Harville 1984; in
    statsmodels too, while lme4 leaves it out); on the edge, at a ratio of 0, nothing is added.

    ``effect`` is the best linear unbiased prediction c_i (sum of residuals of the group); ``effect_error`` the
    standard error of its difference from the group's true effect, between^2 / (1 + ratio n_i) + c_i^2 s_i'Cs_i with
    s_i the group's sum of x and C the covariance (Henderson 1975). Both are 0 where the variance between groups is
    estimated as 0. ``icc`` is the share of the variance that lies between groups. The likelihood is lme4's.

    Args:
        y: Outcome (n,).
        x: Covariates (n, k), with a column of ones for the intercept.
        group: Codes (n,), whole numbers from 0; a code below the largest may be absent and has effect 0.

    Raises:
        FitError: not more rows than covariates; fewer than two groups; one row per group; covariates that are
            combinations of others; an outcome without variation, in all or within groups; a flat likelihood.
        ValueError: shapes that do not fit, a value that is not finite, or a negative code.

    """
    outcome, covariates, code = checked(y, x, group)
    rows, k = covariates.shape
    size = np.bincount(code).astype(np.float64)
    groups = int(np.count_nonzero(size))
    if rows <= k:
        raise FitError(Reason.TOO_FEW_ROWS)
    if groups < 2:  # noqa: PLR2004
        raise FitError(Reason.ONE_GROUP)
    if groups == rows:
        raise FitError(Reason.NO_REPEATS)
    basis, triangle = orthonormal(covariates)
    start = basis.T @ outcome
    rest = outcome - basis @ start
    if rest @ rest <= COLLINEAR**2 * (outcome @ outcome):
        raise FitError(Reason.CONSTANT_OUTCOME)
    profile = _Profile(
        size, group_sums(code, basis), np.bincount(code, weights=rest).astype(np.float64), float(rest @ rest), rows
    )
    ratio = _best_ratio(profile)
    state = profile.at(ratio)
    back = np.linalg.inv(triangle)
    inverse = np.linalg.inv(state.info)
    within2 = state.residual / (rows - k)
    lever = np.einsum("gk,kl,gl->g", profile.sums, inverse, profile.sums)
    return LinearFit(
        coefficients=back @ (start + state.shift),
        covariance=back @ (within2 * inverse + _of_ratio(profile, ratio)) @ back.T,
        sd_between=float(np.sqrt(ratio * within2)),
        sd_within=float(np.sqrt(within2)),
        effect=state.factor * (profile.totals - profile.sums @ state.shift),
        effect_error=np.sqrt(within2 * (ratio / (1 + ratio * size) + state.factor**2 * lever)),
        icc=ratio / (1 + ratio),
        log_likelihood=-0.5 * (state.deviance + 2 * float(np.log(np.abs(np.diag(triangle))).sum())),
    )


def checked(y: ArrayLike, x: ArrayLike, group: ArrayLike) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Outcome, covariates and group codes as arrays. Raises ValueError where they do not fit together."""
    outcome, covariates = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    code = np.asarray(group, dtype=np.int64)
    if covariates.ndim != 2 or not outcome.shape == code.shape == covariates.shape[:1]:  # noqa: PLR2004
        message = f"outcome, covariates and groups do not fit: {outcome.shape}, {covariates.shape}, {code.shape}"
        raise ValueError(message)
    if not (np.isfinite(outcome).all() and np.isfinite(covariates).all()) or (code < 0).any():
        message = "a value is not finite or a group code is negative"
        raise ValueError(message)
    return outcome, covariates, code


def orthonormal(x: Floats) -> tuple[Floats, Floats]:
    """QR decomposition of the covariates. Raises FitError where one is a combination of those before it."""
    basis, triangle = np.linalg.qr(x)
    if (np.abs(np.diag(triangle)) <= COLLINEAR * np.linalg.norm(x, axis=0)).any():
        raise FitError(Reason.COLLINEAR)
    return basis, triangle


def group_sums(code: NDArray[np.int64], columns: Floats) -> Floats:
    """Sum of each column by group: (groups, columns)."""
    return np.stack([np.bincount(code, column) for column in columns.T], axis=1)


@dataclass(frozen=True, slots=True)
class _State:
    """The restricted likelihood at one ratio.

    ``factor`` is c of each group, ``info`` the information of the covariates, ``shift`` how far their coefficients are
    from those of least squares, ``residual`` the generalised sum of squares, ``slope`` that of the deviance.
    """

    factor: Floats
    info: Floats
    shift: Floats
    residual: float
    deviance: float
    slope: float


@dataclass(frozen=True, slots=True)
class _Profile:
    """The restricted likelihood as a function of the ratio, in covariates that are orthonormal.

    ``sums`` (groups, k) and ``totals`` (groups,) are the sums by group of the covariates and of the residuals of
    least squares, ``squares`` the residuals' sum of squares: starting from residuals keeps all digits.
    """

    size: Floats
    sums: Floats
    totals: Floats
    squares: float
    rows: int

    def at(self, ratio: float) -> _State:
        """Deviance and what it is made of."""
        k = self.sums.shape[1]
        spread = 1 + ratio * self.size
        factor = ratio / spread
        info = np.eye(k) - (self.sums.T * factor) @ self.sums
        # How the information changes with the ratio is solved for together with the shift
        solved = np.linalg.solve(
            info, np.column_stack([-self.sums.T @ (factor * self.totals), (self.sums.T / spread**2) @ self.sums])
        )
        shift = solved[:, 0]
        residual = float(self.squares - factor @ self.totals**2 - shift @ info @ shift)
        free = self.rows - k
        deviance = free * (1 + np.log(2 * np.pi * residual / free)) + np.log(spread).sum() + np.linalg.slogdet(info)[1]
        gained = ((self.totals - self.sums @ shift) ** 2 / spread**2).sum()
        slope = (self.size / spread).sum() - np.trace(solved[:, 1:]) - free * gained / residual
        return _State(factor, info, shift, residual, float(deviance), float(slope))


def _of_ratio(profile: _Profile, ratio: float) -> Floats:
    """What the uncertainty of the ratio adds to the covariance of coefficients of orthonormal covariates: (k, k)."""
    if ratio == 0:
        return np.zeros((profile.sums.shape[1],) * 2)
    low, high = (profile.at(ratio * (1 + step)) for step in (-DIFFERENCE, DIFFERENCE))
    move = high.shift - low.shift
    # Slopes and coefficients differ over the same step; the variance is 2 over the curvature of the deviance
    return np.outer(move, move) * 2 / ((high.slope - low.slope) * 2 * DIFFERENCE * ratio)


def _best_ratio(profile: _Profile) -> float:
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    states = [profile.at(ratio) for ratio in RATIOS]
    deviances = [state.deviance for state in states]
    if max(deviances) - min(deviances) <= FLAT * profile.rows:
        raise FitError(Reason.NOT_IDENTIFIED)
    maxima = [0.0] if states[0].slope >= 0 else []
    for position, (here, there) in enumerate(pairwise(states)):
        if here.slope < 0 <= there.slope:
            ends = RATIOS[position : position + 2]
            maxima.append(float(brentq(lambda ratio: profile.at(ratio).slope, *ends, xtol=1e-15, rtol=1e-13)))
    if not maxima:  # The likelihood rises for ever: nothing varies within groups
        raise FitError(Reason.CONSTANT_OUTCOME)
    return min(maxima, key=lambda ratio: profile.at(ratio).deviance)
