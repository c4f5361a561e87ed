"""Propensity and completion weights: hand cases, published values, the library, and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.weighting import (
    completed_means,
    completion_weights,
    effective_size,
    equipoise,
    is_imbalanced,
    logistic,
    logit_interval,
    overlap_contrast,
    overlap_weights,
    standardised_differences,
)


def with_intercept(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(columns[0])), *columns])


def strata(*counts: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Stratum and treatment of each patient, from (treated, controls) of each stratum."""
    stratum = np.repeat(np.arange(len(counts)), [sum(pair) for pair in counts])
    treated = np.concatenate([np.repeat([True, False], pair) for pair in counts])
    return stratum, treated


def confounded(rng: np.random.Generator, n: int, k: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design, treatment and the probability of the outcome without treatment: two columns move both."""
    x = rng.normal(size=(n, k))
    treated = rng.random(n) < 1 / (1 + np.exp(-0.6 * x[:, 0] + 0.6 * x[:, 1]))
    return with_intercept(*x.T), treated, 1 / (1 + np.exp(0.2 - 0.9 * x[:, 0] + 0.6 * x[:, 1]))


def test_the_fit_equals_the_library() -> None:
    from statsmodels.discrete.discrete_model import Logit  # noqa: PLC0415 - only this test pays for it

    design, treated, _ = confounded(np.random.default_rng(1), 500)
    mine = logistic(design, treated)
    library = Logit(treated.astype(float), design).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(mine.coefficients, library.params, atol=1e-7)
    np.testing.assert_allclose(mine.probability, library.predict(), atol=1e-8)
    # the influences carry the robust covariance of the coefficients
    robust = Logit(treated.astype(float), design).fit(disp=0, tol=1e-12, cov_type="HC0")
    np.testing.assert_allclose(mine.influence.T @ mine.influence, robust.cov_params(), atol=1e-7)


@pytest.mark.parametrize(
    ("reason", "column", "outcome"),
    [
        (Reason.SEPARATED, [0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1]),
        (Reason.SEPARATED, [0, 0, 0, 0, 1, 1], [0, 1, 0, 1, 1, 1]),  # everybody at 1 was treated
        (Reason.CONSTANT_OUTCOME, [0, 1, 2, 3, 4, 5], [1, 1, 1, 1, 1, 1]),
        (Reason.COLLINEAR, [1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 1]),
    ],
)
def test_what_cannot_be_fitted_says_why(reason: Reason, column: list[int], outcome: list[int]) -> None:
    with pytest.raises(FitError) as raised:
        logistic(with_intercept(np.array(column, dtype=float)), outcome)
    assert raised.value.reason == reason


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        logistic(np.ones((3, 1)), [True, False])


def test_overlap_weights_by_hand() -> None:
    # T19: low 10 treated of 40, high 40 of 60; the share of high is .64 in both groups
    stratum, treated = strata((10, 30), (40, 20))
    fit = logistic(with_intercept(stratum.astype(float)), treated)
    np.testing.assert_allclose(np.unique(fit.probability.round(9)), [0.25, 0.666666667])
    weights = overlap_weights(fit.probability, treated)
    for group in (treated, ~treated):
        assert np.average(stratum[group], weights=weights[group]) == pytest.approx(0.64, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_overlap_weights_balance_every_column_of_the_model(seed: int, k: int) -> None:
    design, treated, _ = confounded(np.random.default_rng(seed), 300, max(k, 2))
    weights = overlap_weights(logistic(design, treated).probability, treated)
    gap = np.average(design[treated], axis=0, weights=weights[treated])
    gap -= np.average(design[~treated], axis=0, weights=weights[~treated])
    assert np.abs(gap).max() < 1e-6
    assert np.abs(standardised_differences(design[:, 1:], treated, weights)).max() < 1e-6


def test_saturated_overlap_weights_give_the_mantel_haenszel_estimates() -> None:
    # With a propensity for each stratum the overlap weight of a stratum is n1 n0 / n: Mantel and Haenszel's. Deaths in
    # the University Group Diabetes Program by age (Rothman & Greenland 1998, chapter 15; Stata manual [ST] epitab):
    # under 55 tolbutamide 8 of 106, placebo 5 of 120; from 55 22 of 98 and 16 of 85. Pooled ratio 1.325555
    # (.797907 to 2.202132, Greenland & Robins); crude 1.435574.
    stratum, treated = strata((106, 120), (98, 85))
    died = np.concatenate([np.repeat([1.0, 0.0], pair) for pair in ((8, 98), (5, 115), (22, 76), (16, 69))])
    design = with_intercept(stratum.astype(float))
    found = overlap_contrast(design, logistic(design, treated), treated, died)
    assert died[treated].mean() / died[~treated].mean() == pytest.approx(1.435574, abs=5e-7)
    assert found.ratio == pytest.approx(1.325555, abs=5e-7)
    weights = np.array([106 * 120 / 226, 98 * 85 / 183])
    differences = np.array([8 / 106 - 5 / 120, 22 / 98 - 16 / 85])
    assert found.difference == pytest.approx(np.average(differences, weights=weights), abs=1e-9)
    # another estimator of the same variance: alike to within one percent
    assert [found.ratio_low, found.ratio_high] == pytest.approx([0.797907, 2.202132], rel=0.01)


def test_constant_weights_give_the_difference_of_two_means() -> None:
    # without covariates everybody weighs the same: unequal-variance standard error, with sums over n instead of n - 1
    rng = np.random.default_rng(2)
    treated = rng.random(80) < 0.4
    y = rng.normal(3, 2, 80) + treated
    design = np.ones((80, 1))
    found = overlap_contrast(design, logistic(design, treated), treated, y)
    assert found.difference == pytest.approx(y[treated].mean() - y[~treated].mean())
    error = np.sqrt((y[treated].var() / treated.sum() + y[~treated].var() / (~treated).sum()) * 80 / 79)
    assert found.difference_high - found.difference == pytest.approx(1.959964 * error, rel=1e-6)


def test_a_ratio_needs_two_positive_means() -> None:
    _, treated = strata((20, 20))
    design = np.ones((40, 1))
    found = overlap_contrast(design, logistic(design, treated), treated, treated.astype(float))
    assert np.isnan([found.ratio, found.ratio_low, found.ratio_high, found.p_value]).all()
    assert (found.difference, found.difference_low, found.difference_high) == (1, 1, 1)


def test_effective_size() -> None:
    assert effective_size(np.ones(7)) == pytest.approx(7)
    assert effective_size([2, 1, 1]) == pytest.approx(16 / 6)
    assert effective_size([0, 0]) == effective_size([]) == 0


def test_standardised_difference_by_hand() -> None:
    # Means 3 and 1.5, sample variances 2 and 0.5: 1.5 / sqrt(1.25)
    columns = np.array([[2.0, 5], [4, 5], [1, 5], [2, 5]])
    treated = np.array([True, True, False, False])
    found = standardised_differences(columns, treated, np.ones(4))
    assert found[0] == pytest.approx(1.5 / np.sqrt(1.25))
    assert np.isnan(found[1])
    weighted = standardised_differences(columns, treated, np.array([3.0, 1, 1, 1]))
    assert weighted[0] == pytest.approx((2.5 - 1.5) / np.sqrt(1.25))  # the SD stays that of before


def test_equipoise_takes_the_prevalence_out() -> None:
    # Walker 2013: ln F/(1-F) = ln e/(1-e) - ln p/(1-p). With p = .2 a propensity of .2 is a preference of .5;
    # preference .3 and .7 are propensities of 3/31 = .0968 and 7/19 = .3684.
    treated = np.repeat([True, False], [2, 8])
    e = np.array([0.2, 0.37, 0.0967, 0.0969, 0.36, 0.05, 0.9, 0.0, 1.0, 0.3])
    assert equipoise(e, treated) == pytest.approx(0.4)
    assert equipoise(np.full(10, 0.2), treated) == 1
    assert np.isnan(equipoise([0.5], [True]))


def test_the_interval_covers_the_truth_and_the_crude_difference_does_not() -> None:
    # 400 samples of 200 with 20 columns: 95% cover within 3 standard errors (1.1 points each) means 91.7% to 98.3%
    rng = np.random.default_rng(20261125)
    covered = crude_covered = 0
    for _ in range(400):
        design, treated, risk = confounded(rng, 200, 20)
        y = (rng.random(200) < 0.8 * risk + 0.2 * treated).astype(
            float
        )  # the difference is 0.2 whatever the covariates
        found = overlap_contrast(design, logistic(design, treated), treated, y)
        half = found.difference_high - found.difference
        covered += abs(found.difference - 0.2) <= half
        crude_covered += abs(y[treated].mean() - y[~treated].mean() - 0.2) <= half
    assert 0.917 <= covered / 400 <= 0.983
    assert crude_covered / 400 < 0.6


def test_completion_weights_are_stabilised_and_truncated() -> None:
    stratum, known = strata((90, 10), (50, 50))
    fit = logistic(with_intercept(stratum.astype(float)), known)
    weights = completion_weights(fit, known)
    assert (weights[~known] == 0).all()
    np.testing.assert_allclose(np.unique(weights[known].round(9)), [0.7 / 0.9, 1.4])
    assert weights.sum() == pytest.approx(200 * 0.7)
    # one patient in 200 with a chance of 2% does not count 35 times
    rare = np.where(np.arange(200) == 0, 0.02, fit.probability)
    everyone = np.ones(200, dtype=bool)
    heaviest = completion_weights(type(fit)(fit.coefficients, rare, fit.influence), everyone).max()
    assert heaviest == pytest.approx(2)


def test_completed_means_are_directly_standardised_rates() -> None:
    # Known 90 of 100 in one stratum, 50 of 100 in the other, rates 30/90 and 40/50: standardised to 100 and 100 this
    # is (1/3 + 4/5) / 2, while the known alone give 70/140.
    stratum, known = strata((90, 10), (50, 50))
    recovered = np.concatenate([np.repeat([1.0, 0.0], [30, 70]), np.repeat([1.0, 0.0], [40, 60])])
    design = with_intercept(stratum.astype(float))
    fit = logistic(design, known)
    found = completed_means(design, fit, known, recovered, np.zeros(200, dtype=int), 1)
    assert found.mean[0] == pytest.approx((1 / 3 + 4 / 5) / 2)
    assert recovered[known].mean() == 0.5
    # variance of a standardised rate (sum of p (1 - p) / known / 4), plus that of the sizes of the strata known from
    # the same patients, which a fitted model adds: (1/3 - 4/5)^2 / 4 / 200
    expected = (1 / 3 * 2 / 3 / 90 + 0.8 * 0.2 / 50) / 4 + (1 / 3 - 4 / 5) ** 2 / 4 / 200
    assert found.error[0] ** 2 == pytest.approx(expected, rel=1e-9)
    assert found.effective[0] == pytest.approx(effective_size(completion_weights(fit, known)))


def test_groups_are_weighted_apart_and_empty_ones_are_unknown() -> None:
    rng = np.random.default_rng(3)
    design, known, risk = confounded(rng, 400)
    y = (rng.random(400) < risk).astype(float)
    group = rng.integers(0, 2, 400)
    fit = logistic(design, known)
    found = completed_means(design, fit, known, y, group, 3)
    weights = completion_weights(fit, known)
    for number in (0, 1):
        mine = group == number
        assert found.mean[number] == pytest.approx(np.average(y[mine], weights=weights[mine]))
    assert np.isnan([found.mean[2], found.error[2], found.effective[2]]).all()


def simulated_completion(rng: np.random.Generator, n: int, by_outcome: float) -> tuple[float, float, float, float]:
    """Truth, rate of the known, weighted rate and its error; covariates always move both, the outcome maybe."""
    x = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float)
    known = rng.random(n) < 1 / (1 + np.exp(-0.3 + 0.9 * x - by_outcome * (y - 0.5)))
    design = with_intercept(x)
    found = completed_means(design, logistic(design, known), known, y, np.zeros(n, dtype=int), 1)
    return 0.5, float(y[known].mean()), float(found.mean[0]), float(found.error[0])


def test_weights_undo_what_covariates_explain_and_nothing_else() -> None:
    rng = np.random.default_rng(20261126)
    at_random = np.array([simulated_completion(rng, 600, 0.0) for _ in range(300)])
    truth, complete, weighted, error = at_random.T
    assert np.abs(complete - truth).mean() > 0.06  # the known alone are wrong
    assert abs((weighted - truth).mean()) < 0.01
    covered = (np.abs(weighted - truth) <= 1.96 * error).mean()
    assert 0.912 <= covered <= 0.988  # 300 samples: 95% within 3 standard errors
    not_at_random = np.array([simulated_completion(rng, 600, 1.5) for _ in range(50)])
    assert (not_at_random[:, 2] - not_at_random[:, 0]).mean() > 0.05  # the recovered come back, and no covariate knows


def test_logit_interval_stays_inside() -> None:
    low, high = logit_interval(np.array([0.98, 0.5, 0.0, 1.0, np.nan]), np.array([0.05, 0.05, 0.01, 0.01, 0.01]))
    assert 0 < low[0] < 0.98 < high[0] < 1
    assert low[1] + high[1] == pytest.approx(1)
    assert np.isnan(low[2:]).all()
    assert np.isnan(high[2:]).all()


def test_imbalance_beyond_the_model_is_judged_against_chance() -> None:
    # 50 effective patients each: standard error .2, so .35 among 5 terms is chance; among thousands each it is not
    differences = np.array([0.05, -0.35, 0.1, np.nan, 0.02, 0.0])
    assert not is_imbalanced(differences, (50, 50), 0.1)
    assert is_imbalanced(differences, (2000, 2000), 0.1)
    assert not is_imbalanced(np.array([0.0999, -0.05]), (1e9, 1e9), 0.1)
    assert not is_imbalanced(np.array([np.nan]), (50, 50), 0.1)


def test_imbalance_by_chance_alone_is_rarely_called_imbalance() -> None:
    # 1,000 pairs of alike groups of 100, ten terms each: by chance the largest difference mostly exceeds 0.1
    rng = np.random.default_rng(8)
    called = exceeded = 0
    treated = np.repeat([True, False], 100)
    for _ in range(1000):
        found = standardised_differences(rng.normal(size=(200, 10)), treated, np.ones(200))
        exceeded += bool(np.abs(found).max() > 0.1)
        called += is_imbalanced(found, (100, 100), 0.1)
    assert exceeded > 900
    assert called < 50
