"""Scores over days: linear mixed model with a random intercept and a random slope per episode, by REML.

Why not statsmodels' MixedLM: it loops over episodes in Python and its optimiser stops early (see ``mixed_linear``);
2,000 episodes with 8 scores each take it 4 CPU seconds, this module 0.02; 100,000 episodes take this module 1. With two
random terms per episode the likelihood needs a few sums per episode only, so that it is exact and fast; the tests hold
it against lme4's published fits and against MixedLM.

Why a mixed model: patients leave care because they are better or because nothing changes, so the mean of those still
there is not the mean of all. The model's mean is that of all episodes, if leaving depends on scores that were seen
(missing at random); nothing here can check that it does.

What it gets wrong: a straight line per episode does not stop at the end of the scale, so that those who left with
little pain are carried on below it. On a simulated network where all scores are known (nine conditions, 4,000 patients)
mean pain came out 0.05 points too low at day 56 and 0.19 at day 84; plain means of the scores there were 0.28 and 0.38
too high. Slopes in a time that slows down fitted those data better, and were 0.13 too low for the same reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import COLLINEAR, checked, orthonormal
from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]

KNOTS = (0.0, 7.0, 14.0, 28.0, 56.0, 84.0, 168.0)
"""Days where the pieces of the mean curve join: closer together early, where courses bend most, and fixed, so that
curves of conditions and releases can be compared. On the published courses of neck and low back pain (domain reference,
section 6) the curve is off by 0.03 points at most; without day 7 by 0.09, with straight pieces by 0.06."""

FEWEST_SCORES = 11
"""Scores that a piece of the mean curve must rest on."""

SLOPE_DAYS = 28.0
"""Unit of time of the random slope: change per four weeks."""

NEWTON_STEPS = 20
SETTLED = 1e-18
"""Largest gain in log-likelihood that one more step may promise at a maximum: so little that what is published does not
depend on the way there, which rounding and the number of threads change."""

DIFFERENCE = 1e-4
"""Step of the differences of slopes that give the curvature; the parameters are of order one."""

FLAT = 1e-6
"""A curvature smaller than this share of the largest says nothing about its direction."""


@dataclass(frozen=True, slots=True)
class TrajectoryFit:
    """Estimates of ``fit_trajectory``, in the unit of y; the slope per unit of ``time``."""

    coefficients: Floats
    covariance: Floats
    sd_intercept: float
    sd_slope: float
    correlation: float
    sd_residual: float
    log_likelihood: float
    episodes: int
    scores: int


def useful_knots(day: ArrayLike) -> tuple[float, ...]:
    """The first of ``KNOTS`` and each later one that at least 11 scores lie before, back to the last one kept."""
    days = np.asarray(day, dtype=np.float64)
    kept = [KNOTS[0]]
    for knot in KNOTS[1:]:
        if np.count_nonzero((days > kept[-1]) & (days <= knot)) >= FEWEST_SCORES:
            kept.append(knot)
    return tuple(kept)


def spline(day: ArrayLike, knots: tuple[float, ...]) -> Floats:
    """Natural cubic spline: columns 1, day and one per knot but the last two, in units of the range: (days, knots).

    With t scaled so that the knots run from 0 to 1, d_j(t) = ((t - k_j)+^3 - (t - k_K)+^3) / (k_K - k_j) and columns
    d_j - d_(K-1): cubic between knots, smooth to the second derivative, linear before the first and after the last
    (Hastie, Tibshirani & Friedman 2009, section 5.2.1). With two knots a straight line. A straight line through each
    piece would cut the corners of a curve that falls fast first and slowly later; a polynomial would swing at its ends.

    Raises:
        FitError: fewer than two knots.

    """
    if len(knots) < 2:  # noqa: PLR2004
        raise FitError(Reason.NO_REPEATS)
    span = knots[-1] - knots[0]
    t = (np.asarray(day, dtype=np.float64) - knots[0]) / span
    k = (np.array(knots) - knots[0]) / span
    cubes = np.clip(t[:, None] - k, 0, None) ** 3
    pieces = (cubes[:, :-1] - cubes[:, -1:]) / (k[-1] - k[:-1])
    return np.column_stack([np.ones_like(t), t, pieces[:, :-1] - pieces[:, -1:]])


def fit_trajectory(y: ArrayLike, x: ArrayLike, time: ArrayLike, episode: ArrayLike) -> TrajectoryFit:
    """Fit y = x b + u0[episode] + u1[episode] time + e by REML, all variances and the correlation of u free.

    With z = (1, time), L lower triangular and the random terms' covariance within^2 LL', the inverse covariance of an
    episode is (I - zL (I + L'z'zL)^-1 L'z') / within^2, so that only z'z, z'x and z'y are needed of each. The
    restricted deviance, profiled over b and within^2 (Pinheiro & Bates 2000, section 2.2; Bates 2015), is minimised
    over the three numbers in L by BFGS with exact slopes and then by Newton steps on differences of these slopes, until
    a step promises no gain. ``covariance`` is that of generalised least squares; ``log_likelihood`` is lme4's.

    Args:
        y: Scores (n,).
        x: Covariates of the mean (n, k), such as ``spline(day)``.
        time: Time of each score (n,), in a unit in which it is of order one.
        episode: Codes (n,), whole numbers from 0 without gaps.

    Raises:
        FitError: not more scores than two per episode (lme4's rule: residual and random variation cannot be told
            apart); fewer than two episodes; covariates that are combinations of others; no variation; a direction in
            which the likelihood is flat; no maximum found.
        ValueError: shapes that do not fit, a value that is not finite, or codes that do not run from 0.

    """
    scores, covariates, code = checked(y, x, episode)
    when = np.asarray(time, dtype=np.float64)
    size = np.bincount(code)
    if when.shape != scores.shape or not np.isfinite(when).all() or (size == 0).any():
        message = "times do not fit to scores, or a code of an episode is left out"
        raise ValueError(message)
    rows, k = covariates.shape
    if len(size) < 2:  # noqa: PLR2004
        raise FitError(Reason.ONE_GROUP)
    if rows <= k:
        raise FitError(Reason.TOO_FEW_ROWS)
    if rows <= 2 * len(size):
        raise FitError(Reason.NO_REPEATS)
    basis, triangle = orthonormal(covariates)
    start = basis.T @ scores
    rest = scores - basis @ start
    if rest @ rest <= COLLINEAR**2 * (scores @ scores):
        raise FitError(Reason.CONSTANT_OUTCOME)
    model = _Sums(basis, rest, when, code)
    best = _minimum(model)
    state = model.at(best)
    back = np.linalg.inv(triangle)
    within2 = state.residual / (rows - k)
    spread = np.array([[best[0], 0.0], [best[1], best[2]]])
    random = within2 * spread @ spread.T
    sd_intercept, sd_slope = (float(value) for value in np.sqrt(np.diag(random)))
    return TrajectoryFit(
        coefficients=back @ (start + state.shift),
        covariance=within2 * back @ np.linalg.inv(state.info) @ back.T,
        sd_intercept=sd_intercept,
        sd_slope=sd_slope,
        correlation=float(random[0, 1]) / (sd_intercept * sd_slope) if sd_intercept * sd_slope > 0 else float("nan"),
        sd_residual=float(np.sqrt(within2)),
        log_likelihood=-0.5 * (state.deviance + 2 * float(np.log(np.abs(np.diag(triangle))).sum())),
        episodes=len(size),
        scores=rows,
    )


def mean_at(fit: TrajectoryFit, x: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Mean of all episodes at each row of covariates, with its 95% interval.

    Student's t with episodes - coefficients degrees of freedom: episodes, not scores, are independent (the between
    part of the between-within rule; Schluchter & Elashoff 1990).
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    at = np.asarray(x, dtype=np.float64)
    mean = at @ fit.coefficients
    free = fit.episodes - len(fit.coefficients)
    quantile = float(stdtrit(free, 1 - ALPHA / 2)) if free > 0 else np.nan
    half = quantile * np.sqrt(np.einsum("dk,kl,dl->d", at, fit.covariance, at))
    return mean, mean - half, mean + half


@dataclass(frozen=True, slots=True)
class _State:
    """What the likelihood is made of at one L."""

    info: Floats
    shift: Floats
    residual: float
    deviance: float
    slopes: Floats


class _Sums:
    """Sums by episode: z'z as three columns, z'[x, y] as (episodes, 2, k + 1), x orthonormal and y its residual."""

    def __init__(self, basis: Floats, rest: Floats, when: Floats, code: NDArray[np.int64]) -> None:
        order = np.argsort(code, kind="stable")
        first = np.flatnonzero(np.diff(code[order], prepend=-1))
        wide = np.column_stack([basis, rest])[order]
        t = when[order]
        self.free = len(rest) - basis.shape[1]
        self.size = np.diff(first, append=len(t)).astype(np.float64)
        self.time = np.add.reduceat(t, first)
        self.time2 = np.add.reduceat(t * t, first)
        self.intercepts = np.add.reduceat(wide, first, axis=0)
        self.slopes = np.add.reduceat(wide * t[:, None], first, axis=0)
        self.squares = float(rest @ rest)

    def at(self, theta: Floats) -> _State:
        """Deviance and its slopes at L = [[theta0, 0], [theta1, theta2]]."""
        a, b, c = theta
        n, t, s = self.size, self.time, self.time2
        # I + L'z'zL, its determinant, and the rows of its Cholesky factor's inverse
        one = 1 + a * a * n + 2 * a * b * t + b * b * s
        mixed = c * (a * t + b * s)
        two = 1 + c * c * s
        det = one * two - mixed * mixed
        first = (a * self.intercepts + b * self.slopes) / np.sqrt(one)[:, None]
        second = (c * self.slopes - (mixed / np.sqrt(one))[:, None] * first) * np.sqrt(one / det)[:, None]
        lost = first.T @ first + second.T @ second
        info = np.eye(len(lost) - 1) - lost[:-1, :-1]
        shift = np.linalg.solve(info, -lost[:-1, -1])
        residual = float(self.squares - lost[-1, -1] - shift @ info @ shift)
        deviance = self.free * (1 + np.log(2 * np.pi * residual / self.free))
        deviance += float(np.log(det).sum() + np.linalg.slogdet(info)[1])
        return _State(info, shift, residual, float(deviance), self._slopes(theta, info, shift, residual))

    def _slopes(self, theta: Floats, info: Floats, shift: Floats, residual: float) -> Floats:
        """Derivatives of the deviance: 2 G L with G the derivative by the random terms' covariance.

        G = sum of T z'z - T z'x info^-1 x'z T' - T z'r r'z T' / within^2 over episodes, r the residual and
        T = (I + z'z LL')^-1, which is what is left of z' after the inverse covariance.
        """
        a, b, c = theta
        n, t, s = self.size, self.time, self.time2
        d00, d01, d11 = a * a, a * b, b * b + c * c
        t00, t01 = 1 + n * d00 + t * d01, n * d01 + t * d11
        t10, t11 = t * d00 + s * d01, 1 + t * d01 + s * d11
        det = t00 * t11 - t01 * t10
        own = [float((part / det).sum()) for part in (t11 * n - t01 * t, t11 * t - t01 * s, t00 * s - t10 * t)]
        upper = (t11[:, None] * self.intercepts - t01[:, None] * self.slopes) / det[:, None]
        lower = (t00[:, None] * self.slopes - t10[:, None] * self.intercepts) / det[:, None]
        # Columns of x weighted by info^-1, and the residual by 1 / within^2, in one matrix
        k = len(shift)
        weight = np.zeros((k + 1, k + 1))
        weight[:k, :k] = np.linalg.inv(info)
        aim = np.append(-shift, 1.0)
        weight += np.outer(aim, aim) * self.free / residual
        g00 = own[0] - (weight * (upper.T @ upper)).sum()
        g01 = own[1] - (weight * (upper.T @ lower)).sum()
        g11 = own[2] - (weight * (lower.T @ lower)).sum()
        return 2 * np.array([g00 * a + g01 * b, g01 * a + g11 * b, g11 * c])


def _minimum(model: _Sums) -> Floats:
    from scipy.optimize import minimize  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    def scaled(theta: Floats) -> tuple[float, Floats]:
        state = model.at(theta)
        return state.deviance / model.free, state.slopes / model.free

    theta: Floats = minimize(scaled, np.array([1.0, 0.0, 0.5]), jac=True, method="BFGS", options={"gtol": 1e-6}).x
    moves = DIFFERENCE * np.eye(3)
    for _ in range(NEWTON_STEPS):
        curvature = np.array([model.at(theta + move).slopes - model.at(theta - move).slopes for move in moves])
        values, vectors = np.linalg.eigh((curvature + curvature.T) / (4 * DIFFERENCE))
        slopes = vectors.T @ model.at(theta).slopes
        if values[0] <= -FLAT * values[-1]:
            break
        # Without variation of intercepts the two numbers that make up the slopes' variance are interchangeable
        known = values > FLAT * values[-1]
        if not known.all() and abs(theta[0]) > np.sqrt(FLAT):
            raise FitError(Reason.NOT_IDENTIFIED)
        if 0.5 * (slopes[known] ** 2 / values[known]).sum() < SETTLED:
            return theta
        theta = theta - vectors[:, known] @ (slopes[known] / values[known])
    raise FitError(Reason.NOT_CONVERGED)
