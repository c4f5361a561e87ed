"""Random intercept, logistic: lme4's and glmmML's published fits, plain integration, and data without an estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from assets.outcomes.methods import mixed_logistic
from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_logistic import fit_logistic

# Contagious bovine pleuropneumonia in 15 herds over four periods (Lesnoff 2004, Prev Vet Med 64:27), data set cbpp of
# lme4: herd, new cases, animals, period
CBPP = """
    1 2 14 1  1 3 12 2  1 4 9 3  1 0 5 4  2 3 22 1  2 1 18 2  2 1 21 3  3 8 22 1  3 2 16 2  3 0 16 3  3 2 20 4
    4 2 10 1  4 0 10 2  4 2 9 3  4 0 6 4  5 5 18 1  5 0 25 2  5 0 24 3  5 1 4 4  6 3 17 1  6 0 17 2  6 0 18 3
    6 1 20 4  7 8 16 1  7 1 10 2  7 3 9 3  7 0 5 4  8 12 34 1  9 2 9 1  9 0 6 2  9 0 8 3  9 0 6 4  10 1 22 1
    10 1 22 2  10 0 18 3  10 2 22 4  11 0 25 1  11 5 27 2  11 3 22 3  11 1 22 4  12 2 10 1  12 1 8 2  12 0 6 3
    12 0 5 4  13 1 21 1  13 2 24 2  13 0 19 3  13 0 23 4  14 11 19 1  14 0 2 2  14 0 3 3  14 0 2 4  15 1 19 1
    15 1 15 2  15 1 15 3  15 0 15 4
    """
HERD, CASES, ANIMALS, PERIOD = np.array([int(number) for number in CBPP.split()]).reshape(-1, 4).T
PERIODS = np.column_stack([np.ones(len(HERD)), *(period == PERIOD for period in (2, 3, 4))])


def test_cbpp_as_published_by_lme4_and_glmmml() -> None:
    fit = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    # tests/glmmExt.R and tests/glmer-1.R of lme4: glmmML with 10 points; glmer with 25 points, and its deviance
    np.testing.assert_allclose(fit.coefficients, [-1.39924138, -0.99138175, -1.12782730, -1.57948092], atol=3e-5)
    np.testing.assert_allclose(fit.coefficients, [-1.39922533, -0.99140729, -1.12782185, -1.57946627], atol=1e-5)
    full = stats.binom.logpmf(CASES, ANIMALS, CASES / ANIMALS).sum()
    assert -2 * (fit.log_likelihood - full) == pytest.approx(100.010030538022, abs=1e-7)


def test_cbpp_is_near_the_laplace_fit_everybody_prints() -> None:
    """One point instead of 15 (lme4's default) differs in the third digit, which is why it is not used."""
    fit = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    np.testing.assert_allclose(fit.coefficients, [-1.3983429, -0.9919250, -1.1282162, -1.5797454], atol=1e-3)
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), [0.2312140, 0.3031506, 0.3228300, 0.4220489], rtol=0.015
    )
    assert fit.sd_between == pytest.approx(0.6420699, abs=0.006)
    assert fit.log_likelihood == pytest.approx(-92.02657, abs=0.05)


U = np.linspace(-9, 9, 601)
"""Points of a plain sum that stands for the integral; its terms are analytic, so that it is exact to many digits."""


def joint(coefficients: np.ndarray, sd: float) -> np.ndarray:
    """Likelihood of each herd at each point, times the density of the point: (herds, points)."""
    p = expit((PERIODS @ coefficients)[:, None] + sd * U)
    rows = stats.binom.logpmf(CASES[:, None], ANIMALS[:, None], p)
    herds = np.zeros((15, len(U)))
    np.add.at(herds, HERD - 1, rows)
    return np.exp(herds) * stats.norm.pdf(U) * (U[1] - U[0])


def log_likelihood(parameters: np.ndarray) -> float:
    return float(np.log(joint(parameters[:-1], parameters[-1]).sum(axis=1)).sum())


def test_likelihood_effects_and_their_spread_equal_plain_integration() -> None:
    fit = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    assert log_likelihood(np.append(fit.coefficients, fit.sd_between)) == pytest.approx(fit.log_likelihood, abs=1e-8)
    weight = joint(fit.coefficients, fit.sd_between)
    weight /= weight.sum(axis=1)[:, None]
    mean = weight @ U
    np.testing.assert_allclose(fit.effect, fit.sd_between * mean, atol=1e-7)
    known = fit.sd_between * np.sqrt((weight * (U - mean[:, None]) ** 2).sum(axis=1))
    assert (known < fit.effect_error).all()
    assert (fit.effect_error < 1.3 * known).all()


def test_covariance_is_the_inverse_of_the_curvature_and_errors_follow_from_it() -> None:
    fit = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    best, moves = np.append(fit.coefficients, fit.sd_between), 1e-3 * np.eye(5)
    curvature = np.array(
        [
            [
                sum(a * b * log_likelihood(best + a * one + b * two) for a in (-1, 1) for b in (-1, 1)) / 4e-6
                for one in moves
            ]
            for two in moves
        ]
    )
    covariance = np.linalg.inv(-curvature)
    np.testing.assert_allclose(fit.covariance, covariance[:4, :4], rtol=1e-3)

    def effects(parameters: np.ndarray) -> np.ndarray:
        weight = joint(parameters[:-1], parameters[-1])
        return parameters[-1] * (weight @ U) / weight.sum(axis=1)

    slopes = np.array([(effects(best + move) - effects(best - move)) / 2e-3 for move in moves]).T
    weight = joint(fit.coefficients, fit.sd_between)
    weight /= weight.sum(axis=1)[:, None]
    known = fit.sd_between**2 * (weight * (U - (weight @ U)[:, None]) ** 2).sum(axis=1)
    added = np.einsum("gi,ij,gj->g", slopes, covariance, slopes)
    np.testing.assert_allclose(fit.effect_error, np.sqrt(known + added), rtol=1e-3)


def test_no_variance_between_groups_is_ordinary_regression() -> None:
    from statsmodels.genmod.families import Binomial  # noqa: PLC0415
    from statsmodels.genmod.generalized_linear_model import GLM  # noqa: PLC0415 - 1 second, in this test only

    successes, trials = np.array([4, 6, 5, 5, 6, 4, 5, 5]), np.full(8, 10)
    x = np.column_stack([np.ones(8), np.tile([0.0, 1.0], 4)])
    fit = fit_logistic(successes, trials, x, np.repeat(np.arange(4), 2))
    theirs = GLM(np.column_stack([successes, trials - successes]), x, family=Binomial()).fit(tol=1e-12)
    assert fit.sd_between < 1e-6
    np.testing.assert_allclose(fit.coefficients, theirs.params, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), theirs.bse, rtol=1e-6)
    np.testing.assert_allclose([fit.effect, fit.effect_error], 0, atol=1e-5)


def test_single_outcomes_equal_counts() -> None:
    counted = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    rows = np.repeat(np.arange(len(HERD)), ANIMALS)
    within = np.concatenate([np.arange(animals) for animals in ANIMALS])
    single = fit_logistic(within < CASES[rows], np.ones(len(rows)), PERIODS[rows], HERD[rows] - 1)
    np.testing.assert_allclose(single.coefficients, counted.coefficients, atol=1e-6)
    np.testing.assert_allclose(single.effect_error, counted.effect_error, atol=1e-6)


def test_order_of_rows_and_an_absent_code() -> None:
    order = np.random.default_rng(1).permutation(len(HERD))
    fit = fit_logistic(CASES, ANIMALS, PERIODS, HERD - 1)
    moved = fit_logistic(CASES[order], ANIMALS[order], PERIODS[order], np.where(HERD == 15, 17, HERD)[order] - 1)
    np.testing.assert_allclose(moved.coefficients, fit.coefficients, atol=1e-7)
    np.testing.assert_allclose(moved.effect[[0, 16]], fit.effect[[0, 14]], atol=1e-7)
    assert moved.effect[15] == pytest.approx(0, abs=1e-9)
    assert moved.effect_error[15] == pytest.approx(fit.sd_between, rel=0.05)


def test_planted_variance_comes_back() -> None:
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(150), 60)
    effect = 0.7 * rng.normal(size=150)
    x = np.column_stack([np.ones(len(group)), rng.normal(size=len(group))])
    y = rng.random(len(group)) < expit(x @ [-1.0, 0.5] + effect[group])
    fit = fit_logistic(y, np.ones(len(group)), x, group)
    np.testing.assert_allclose(fit.coefficients, [-1.0, 0.5], atol=0.15)
    assert fit.sd_between == pytest.approx(effect.std(), abs=0.1)
    assert np.std((fit.effect - effect) / fit.effect_error) == pytest.approx(1, abs=0.15)


ONES = np.ones((6, 1))


@pytest.mark.parametrize(
    ("successes", "trials", "x", "group", "reason"),
    [
        ([1, 2, 1], [3, 3, 3], ONES[:3], [4, 4, 4], Reason.ONE_GROUP),
        ([1, 0, 1], [1, 1, 1], ONES[:3], [0, 1, 2], Reason.NO_REPEATS),
        ([0, 0, 0, 0], [3, 3, 3, 3], ONES[:4], [0, 0, 1, 1], Reason.CONSTANT_OUTCOME),
        ([3, 3, 3, 3], [3, 3, 3, 3], ONES[:4], [0, 0, 1, 1], Reason.CONSTANT_OUTCOME),
        ([0, 3, 0, 3], [3, 3, 3, 3], [[1, 0], [1, 1], [1, 0], [1, 1]], [0, 0, 1, 1], Reason.SEPARATED),
        ([0, 2, 1, 3], [3, 3, 3, 3], [[1, 0], [1, 1], [1, 0], [1, 1]], [0, 0, 1, 1], None),
        ([0, 3, 0, 3], [3, 3, 3, 3], [[1, 0], [1, 0], [1, 1], [1, 1]], [0, 0, 1, 1], None),
        ([0, 0, 0, 9, 9, 9], [9] * 6, ONES, [0, 0, 0, 1, 1, 1], Reason.SEPARATED),
        ([1, 2, 1, 2], [3, 3, 3, 3], [[1, 2], [1, 2], [1, 2], [1, 2]], [0, 0, 1, 1], Reason.COLLINEAR),
    ],
)
def test_a_reason_instead_of_numbers(
    successes: list[int], trials: list[int], x: list[list[float]], group: list[int], reason: Reason | None
) -> None:
    if reason is None:
        assert np.isfinite(fit_logistic(successes, trials, x, group).effect_error).all()
        return
    with pytest.raises(FitError) as refused:
        fit_logistic(successes, trials, x, group)
    assert refused.value.reason == reason


def test_more_successes_than_trials() -> None:
    with pytest.raises(ValueError, match="trials"):
        fit_logistic([4, 1], [3, 3], np.ones((2, 1)), [0, 1])


def test_a_search_that_comes_by_0_does_not_stay_there() -> None:
    """The likelihood is even in the standard deviation: 0 has no slope, also where it is a saddle and no maximum."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        n, groups = int(rng.integers(150, 500)), int(rng.integers(3, 13))
        x = np.column_stack([np.ones(n), rng.normal(size=(n, 7))])
        group = rng.integers(0, groups, n)
        logit = 0.5 * x[:, 1] + rng.normal(0, rng.choice([0, 0.2, 0.5]), groups)[group]
        outcome = rng.random(n) < expit(logit)
        fit = fit_logistic(outcome, np.ones(n), x, group)
        assert 0 <= fit.sd_between < 2


def test_fewer_points_are_enough_where_groups_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    group = np.repeat(np.arange(12), 120)
    x = np.column_stack([np.ones(group.size), rng.normal(size=(group.size, 2))])
    chance = expit(x @ [-1.5, 0.6, -0.3] + 1.2 * rng.normal(size=12)[group])
    hits, once = rng.binomial(1, chance), np.ones(group.size)
    few = fit_logistic(hits, once, x, group)
    monkeypatch.setattr(mixed_logistic, "LARGE_GROUP", 10**6)
    many = fit_logistic(hits, once, x, group)
    assert few.coefficients == pytest.approx(many.coefficients, abs=2e-6)
    assert few.sd_between == pytest.approx(many.sd_between, abs=2e-5)
    assert few.effect == pytest.approx(many.effect, abs=2e-5)
    assert few.coefficients.tolist() != many.coefficients.tolist()
