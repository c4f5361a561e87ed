"""Logistic regression with one random intercept per group, by maximum likelihood.

Why not statsmodels: its BinomialBayesMixedGLM is a Bayesian approximation (variational or at the mode) under a prior
for the variance, without a likelihood; it has no quadrature. Here the likelihood of each group is an integral over one
number, done by adaptive Gauss-Hermite quadrature for all groups at once; the tests hold it against lme4 and glmmML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import checked, orthonormal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]

NODES, FEWER_NODES = 15, 9
"""Points of the quadrature. With 10 or more the published coefficients no longer change in five digits."""

LARGE_GROUP = 100
"""Trials in every group from which fewer points give the same to a millionth of a logit: what a group's data say of its
effect is then nearly normal (5 points would still be wrong by a thousandth)."""

LARGEST_SD = 10.0
"""A standard deviation on the logit scale beyond which groups are all successes or all failures."""

START_SD = 0.5
LARGEST_STEP = 1.5
"""Newton steps of a group's effect are cut here: the logistic curve is nearly linear no further than this."""

EXACT = 1e-10
"""Largest last step of a Newton search, in units of its parameter."""

SEARCH_STEPS = 50
NEWTON_STEPS = 30
NEAR = 1e-3
"""Slope at which the search by slopes alone gives way to Newton's method, which is exact in two or three steps."""

SETTLED = 1e-9
"""Largest slope at a maximum, per standard error of a coefficient: so little that what is published does not depend on
the way there, which rounding and the number of threads change."""


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Estimates of ``fit_logistic``, on the logit scale. ``effect`` has one entry per group code."""

    coefficients: Floats
    covariance: Floats
    sd_between: float
    effect: Floats
    effect_error: Floats
    log_likelihood: float


def fit_logistic(successes: ArrayLike, trials: ArrayLike, x: ArrayLike, group: ArrayLike) -> LogisticFit:
    """Fit logit p = x b + between u[group] with u ~ N(0, 1) and successes ~ binomial(trials, p).

    The likelihood of group i is the integral over u of prod p^s (1 - p)^(m - s) phi(u), by Gauss-Hermite quadrature
    with 15 points (9 where all groups are large) placed at the mode of the integrand and scaled by its curvature
    (Pinheiro & Bates 1995). It is
    maximised over b and between >= 0 with slopes from the same quadrature (Fisher's identity); ``covariance`` is the
    part of b in the inverse of the observed information. Where ``between`` is estimated as 0 this is the ordinary
    logistic regression.

    ``effect`` is the mean of between u[group] given the data (empirical Bayes), ``effect_error`` its standard
    deviation, with the uncertainty of b and between added by the delta method. Both are 0 where between is 0.
    ``log_likelihood`` has the binomial coefficients in it.

    Args:
        successes: Counts (n,).
        trials: Counts (n,); 1 for single outcomes, 0 adds nothing.
        x: Covariates (n, k), with a column of ones for the intercept.
        group: Codes (n,), whole numbers from 0; a code below the largest may be absent and has effect 0.

    Raises:
        FitError: fewer than two groups; one trial per group; only successes or only failures; covariates that are
            combinations of others, or tell the outcome with certainty; no maximum found.
        ValueError: shapes that do not fit, a value that is not finite, or more successes than trials.

    """
    hits, covariates, code = checked(successes, x, group)
    tries = np.asarray(trials, dtype=np.float64)
    if tries.shape != hits.shape or not (np.all(hits >= 0) and np.all(hits <= tries)):
        message = "successes and trials differ in shape, or a count is not from 0 to its trials"
        raise ValueError(message)
    _refuse(hits, tries, code)
    basis, triangle = orthonormal(covariates)
    plain, weight = _plain(hits, tries, basis)
    # In these covariates the ordinary regression has information I: one unit is one standard error
    scale = np.linalg.inv(np.linalg.cholesky(weight)).T
    model = _Model(hits, tries, basis @ scale, code, int(code.max()) + 1)
    estimate, information = _maximum(model, np.linalg.solve(scale, plain))
    back = np.linalg.solve(triangle, scale)
    inverse = np.linalg.inv(information)
    effect, effect_error = _effects(model, estimate, inverse)
    k = covariates.shape[1]
    return LogisticFit(
        coefficients=back @ estimate[:k],
        covariance=back @ inverse[:k, :k] @ back.T,
        sd_between=float(estimate[k]),
        effect=effect,
        effect_error=effect_error,
        log_likelihood=_log_likelihood(model, estimate),
    )


def _refuse(hits: Floats, tries: Floats, code: NDArray[np.int64]) -> None:
    size = np.bincount(code, tries)
    if np.count_nonzero(size) < 2:  # noqa: PLR2004
        raise FitError(Reason.ONE_GROUP)
    if size.max() <= 1:
        raise FitError(Reason.NO_REPEATS)
    if hits.sum() in (0, tries.sum()):
        raise FitError(Reason.CONSTANT_OUTCOME)


def _plain(hits: Floats, tries: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Ordinary logistic regression by Newton's method: coefficients and their information."""
    from scipy.special import expit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    used = tries > 0
    hits, tries, x = hits[used], tries[used], x[used]
    coefficients = np.zeros(x.shape[1])
    for _ in range(SEARCH_STEPS):
        p = expit(x @ coefficients)
        information = (x.T * (tries * p * (1 - p))) @ x
        try:
            step = np.linalg.solve(information, x.T @ (hits - tries * p))
        except np.linalg.LinAlgError:
            break
        change = np.abs(x @ step).max()
        coefficients = coefficients + step * min(1.0, LARGEST_STEP / max(change, EXACT))
        if change < np.sqrt(EXACT):
            return coefficients, information
    # Where groups of rows can be told apart with certainty every step goes as far as the one before
    raise FitError(Reason.SEPARATED)


class _Model:
    """The likelihood of all groups, and its slopes. Parameters: coefficients, then the standard deviation."""

    def __init__(self, hits: Floats, tries: Floats, x: Floats, code: NDArray[np.int64], groups: int) -> None:
        order = np.argsort(code, kind="stable")
        self.hits, self.tries, self.x, self.code = hits[order], tries[order], x[order], code[order]
        self.groups = groups
        size = np.bincount(self.code, self.tries)
        nodes = FEWER_NODES if size[size > 0].min() >= LARGE_GROUP else NODES
        self.nodes, self.weights = np.polynomial.hermite.hermgauss(nodes)
        self.mode = np.zeros(groups)
        present, self.first = np.unique(self.code, return_index=True)
        self.present = present

    def by_group(self, rows: Floats) -> Floats:
        """Sums by group along the first axis."""
        sums = np.zeros((self.groups, *rows.shape[1:]))
        sums[self.present] = np.add.reduceat(rows, self.first, axis=0)
        return sums

    def posterior(self, parameters: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Log-likelihood by group; points u of the quadrature and their probabilities (groups, nodes); p (n, nodes)."""
        from scipy.special import logsumexp  # noqa: PLC0415 - see _plain

        centre, sd = self.x @ parameters[:-1], parameters[-1]
        mode, spread = self._modes(centre, sd)
        u = mode[:, None] + np.sqrt(2) * spread[:, None] * self.nodes
        eta = centre[:, None] + sd * u[self.code]
        # log(1 + exp(eta)) and the logistic curve from one exponential, which is most of the work
        small = np.exp(-np.abs(eta))
        fit = self.hits[:, None] * eta - self.tries[:, None] * (np.maximum(eta, 0) + np.log1p(small))
        joint = self.by_group(fit) - u**2 / 2 + self.nodes**2 + np.log(self.weights * spread[:, None] / np.sqrt(np.pi))
        total = logsumexp(joint, axis=1)
        return total, u, np.exp(joint - total[:, None]), np.where(eta >= 0, 1, small) / (1 + small)

    def _modes(self, centre: Floats, sd: float) -> tuple[Floats, Floats]:
        """Where the integrand of each group is highest, and how wide it is there. The search goes on from the last."""
        from scipy.special import expit  # noqa: PLC0415 - see _plain

        for _ in range(SEARCH_STEPS):
            p = expit(centre + sd * self.mode[self.code])
            sums = self.by_group(np.stack([self.hits - self.tries * p, self.tries * p * (1 - p)], axis=1))
            curvature = 1 + sd**2 * sums[:, 1]
            step = (sd * sums[:, 0] - self.mode) / curvature
            self.mode = self.mode + np.clip(step, -LARGEST_STEP, LARGEST_STEP)
            if np.abs(step).max() < EXACT:
                break
        return self.mode, 1 / np.sqrt(curvature)

    def negative(self, parameters: Floats) -> tuple[float, Floats]:
        """Minus the log-likelihood, without binomial coefficients, and its slopes."""
        total, u, weight, p = self.posterior(parameters)
        error = self.hits[:, None] - self.tries[:, None] * p
        weighted = error * weight[self.code]
        slopes = np.append(self.x.T @ weighted.sum(axis=1), (weighted * u[self.code]).sum())
        return -float(total.sum()), -slopes

    def information(self, parameters: Floats) -> Floats:
        """Observed information, by Louis' identity: expected information of known effects less the slopes' variance."""
        _, u, weight, p = self.posterior(parameters)
        known = self.tries[:, None] * p * (1 - p) * weight[self.code]
        at = u[self.code]
        mixed = self.x.T @ (known * at).sum(axis=1)
        own = (known * at**2).sum()
        total = np.block([[(self.x.T * known.sum(axis=1)) @ self.x, mixed[:, None]], [mixed[None, :], own]])
        error = self.hits[:, None] - self.tries[:, None] * p
        mean = np.zeros((self.groups, len(parameters)))
        for node in range(len(self.nodes)):
            slopes = self.by_group(np.column_stack([self.x, at[:, node]]) * error[:, [node]])
            share = weight[:, [node]]
            total -= (slopes * share).T @ slopes
            mean += slopes * share
        return total + mean.T @ mean


def _maximum(model: _Model, plain: Floats) -> tuple[Floats, Floats]:
    """Estimate and observed information, at the maximum or, for a standard deviation of 0, along its edge."""
    from scipy.optimize import minimize  # noqa: PLC0415 - see _plain

    # Without a bound at 0: the likelihood is even in the standard deviation, so a search that is stopped there stands
    # on a point without slope, be it a maximum or a saddle
    bounds = [(None, None)] * len(plain) + [(-2 * LARGEST_SD, 2 * LARGEST_SD)]
    search = {"maxiter": 500, "ftol": 1e-12, "gtol": NEAR}
    found = minimize(
        model.negative, np.append(plain, START_SD), jac=True, method="L-BFGS-B", bounds=bounds, options=search
    )
    estimate = found.x
    for _ in range(NEWTON_STEPS):
        estimate[-1] = abs(estimate[-1])
        if estimate[-1] > LARGEST_SD:
            raise FitError(Reason.SEPARATED)
        information, slope = model.information(estimate), model.negative(estimate)[1]
        curvature, direction = np.linalg.eigh(information)
        if curvature.min() > 0 and np.abs(slope).max() < SETTLED:
            return estimate, information
        # Where the likelihood curves upwards a step by its size leads away from the saddle, not to it
        estimate = estimate - direction @ (direction.T @ slope / np.maximum(np.abs(curvature), EXACT))
    raise FitError(Reason.NOT_CONVERGED)


def _effects(model: _Model, estimate: Floats, inverse: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each group's effect given the data."""
    _, u, weight, p = model.posterior(estimate)
    sd = estimate[-1]
    mean = (weight * u).sum(axis=1)
    variance = (weight * (u - mean[:, None]) ** 2).sum(axis=1)
    # How the mean moves with the parameters: its covariance, given the data, with the slopes of the group
    lever = weight * (u - mean[:, None])
    error = model.hits[:, None] - model.tries[:, None] * p
    moves = model.by_group(model.x * (lever[model.code] * error).sum(axis=1)[:, None])
    own = mean + sd * (lever * u * model.by_group(error)).sum(axis=1)
    slopes = np.column_stack([sd * moves, own])
    return sd * mean, np.sqrt(sd**2 * variance + np.einsum("gi,ij,gj->g", slopes, inverse, slopes))


def _log_likelihood(model: _Model, estimate: Floats) -> float:
    from scipy.special import gammaln  # noqa: PLC0415 - see _plain

    coefficient = gammaln(model.tries + 1) - gammaln(model.hits + 1) - gammaln(model.tries - model.hits + 1)
    return float(coefficient.sum()) - model.negative(estimate)[0]
