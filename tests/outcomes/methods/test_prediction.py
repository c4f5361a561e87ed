"""Discrimination and calibration against published values, the library, and planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.methods.prediction import (
    auc,
    calibration_of_means,
    calibration_of_probabilities,
    equal_parts,
    expit,
    logit,
    out_of_fold,
    r_squared,
    shift_to_total,
    shrinkage_factor,
)
from assets.outcomes.methods.weighting import logistic

# Hanley & McNeil 1982, table I: 109 CT images rated from definitely normal (1) to definitely abnormal (5)
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def test_auc_of_hanley_and_mcneil_1982() -> None:
    rating = np.concatenate([np.repeat(range(1, 6), NORMAL), np.repeat(range(1, 6), ABNORMAL)])
    abnormal = np.arange(rating.size) >= sum(NORMAL)
    assert auc(abnormal, rating) == pytest.approx(0.893, abs=0.0005)


def test_auc_of_a_normal_shift_is_known() -> None:
    # two normal distributions d apart: Phi(d / sqrt 2) = 0.760 at d = 1
    rng = np.random.default_rng(31)
    case = np.arange(40_000) % 2 == 0
    assert auc(case, rng.normal(size=case.size) + case) == pytest.approx(0.7602, abs=0.006)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_auc_counts_pairs(rows: list[tuple[bool, int]]) -> None:
    case, value = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in value[case] for b in value[~case]]
    if pairs:
        assert auc(case, value) == pytest.approx(np.mean(pairs))
        assert auc(case, -value) == pytest.approx(1 - auc(case, value))
    else:
        assert np.isnan(auc(case, value))


def test_r_squared_of_galtons_line_and_of_the_mean() -> None:
    y = np.array([1.0, 2.0, 4.0])
    assert r_squared(y, y) == 1
    assert r_squared(y, np.full(3, y.mean())) == pytest.approx(0)
    assert r_squared(y, -y) < 0
    assert np.isnan(r_squared(np.ones(3), y))


def test_calibration_of_the_truth_is_0_and_1() -> None:
    rng = np.random.default_rng(32)
    p = expit(rng.normal(0, 1.5, 60_000))
    found = calibration_of_probabilities(rng.random(p.size) < p, p)
    assert found.in_the_large == pytest.approx(0, abs=0.03)
    assert found.slope == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("too_high", "factor"), [(0.5, 1.0), (-0.5, 1.0), (0.0, 2.0), (0.0, 0.5)])
def test_planted_miscalibration_is_found(too_high: float, factor: float) -> None:
    rng = np.random.default_rng(33)
    linear = rng.normal(0, 1, 60_000)
    outcome = rng.random(linear.size) < expit(linear)
    found = calibration_of_probabilities(outcome, expit(factor * linear + too_high))
    assert found.slope == pytest.approx(1 / factor, abs=0.03)
    if factor == 1:
        assert found.in_the_large == pytest.approx(-too_high, abs=0.03)


def test_an_overfitted_model_has_a_slope_below_1_on_rows_it_has_not_seen() -> None:
    rng = np.random.default_rng(34)
    n, k = 400, 25
    x = np.column_stack([np.ones(n), rng.normal(size=(n, k))])
    outcome = rng.random(n) < expit(0.8 * x[:, 1])

    def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return expit(x[test] @ logistic(x[train], outcome[train]).coefficients)

    held_out = out_of_fold(np.arange(n) % 5, predict)
    apparent = logistic(x, outcome).probability
    assert calibration_of_probabilities(outcome, apparent).slope == pytest.approx(1, abs=1e-6)
    assert calibration_of_probabilities(outcome, held_out).slope < 0.8
    assert auc(outcome, held_out) < auc(outcome, apparent)


def test_the_slope_of_folds_not_seen_is_van_houwelingen_and_le_cessies_factor() -> None:
    """Their other estimate, (chi2 - p) / chi2, is of the fit itself; chi2 of a linear model is p times its F."""
    rng = np.random.default_rng(36)
    n, k = 400, 25
    slopes, published = [], []
    for _ in range(40):
        x = np.column_stack([np.ones(n), rng.normal(size=(n, k))])
        y = 0.4 * x[:, 1] + rng.normal(size=n)

        def predict(train: np.ndarray, test: np.ndarray, x: np.ndarray = x, y: np.ndarray = y) -> np.ndarray:
            return x[test] @ np.linalg.lstsq(x[train], y[train])[0]

        slopes.append(shrinkage_factor(calibration_of_means(y, out_of_fold(np.arange(n) % 100, predict)).slope))
        residual = y - x @ np.linalg.lstsq(x, y)[0]
        explained = ((y - y.mean()) ** 2).sum() - (residual**2).sum()
        published.append(1 - k * (residual**2).sum() / (n - k - 1) / explained)
    assert 0.5 < np.mean(published) < 0.75
    assert np.mean(slopes) == pytest.approx(np.mean(published), abs=0.03)


@pytest.mark.parametrize(("slope", "factor"), [(0.7, 0.7), (1.2, 1), (-0.3, 0), (float("nan"), 0), (float("inf"), 1)])
def test_shrinkage_never_stretches_nor_turns_round(slope: float, factor: float) -> None:
    assert shrinkage_factor(slope) == factor


def test_calibration_against_the_library() -> None:
    import statsmodels.api as sm  # noqa: PLC0415 - slow to import, one test

    rng = np.random.default_rng(35)
    p = expit(rng.normal(0.3, 1, 500))
    outcome = (rng.random(500) < expit(0.4 + 0.7 * logit(p))).astype(float)
    found = calibration_of_probabilities(outcome, p)
    large = sm.GLM(outcome, np.ones(500), family=sm.families.Binomial(), offset=logit(p)).fit()
    slope = sm.GLM(outcome, sm.add_constant(logit(p)), family=sm.families.Binomial()).fit()
    assert found.in_the_large == pytest.approx(large.params[0], abs=1e-8)
    assert found.slope == pytest.approx(slope.params[1], abs=1e-7)


def test_calibration_of_means() -> None:
    y = np.array([1.0, 3.0, 5.0, 7.0])
    found = calibration_of_means(y, np.array([0.0, 1.0, 2.0, 3.0]))
    assert (found.in_the_large, found.slope) == pytest.approx((2.5, 2.0))
    assert np.isnan(calibration_of_means(y, np.ones(4)).slope)


@pytest.mark.parametrize("outcome", [[0, 0, 0], [1, 1, 1], []])
def test_without_both_outcomes_there_is_no_calibration(outcome: list[int]) -> None:
    found = calibration_of_probabilities(outcome, [0.2, 0.3, 0.4][: len(outcome)])
    assert np.isnan([found.in_the_large, found.slope]).all()


def test_predictions_that_tell_the_outcome_for_sure_have_no_slope() -> None:
    assert np.isnan(calibration_of_probabilities([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]).slope)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_shift_makes_expected_equal_observed(linear: list[float], share: float) -> None:
    total = share * len(linear)
    shifted = expit(np.array(linear) + shift_to_total(linear, total))
    assert shifted.sum() == pytest.approx(total, abs=1e-7)


def test_shift_at_the_ends_and_out_of_range() -> None:
    assert shift_to_total([0.0, 1.0], 0) == float("-inf")
    assert shift_to_total([0.0, 1.0], 2) == float("inf")
    with pytest.raises(ValueError, match="more events than rows"):
        shift_to_total([0.0, 1.0], 3)


def test_each_row_is_predicted_by_a_model_that_has_not_seen_its_fold() -> None:
    fold = np.array([0, 1, 2, 0, 1])
    seen: list[tuple[list[int], list[int]]] = []

    def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        seen.append((sorted(set(fold[train].tolist())), sorted(set(fold[test].tolist()))))
        return np.full(test.sum(), float(fold[test][0]))

    assert out_of_fold(fold, predict).tolist() == [0, 1, 2, 0, 1]
    assert seen == [([1, 2], [0]), ([0, 2], [1]), ([0, 1], [2])]
    with pytest.raises(ValueError, match="fewer than two folds"):
        out_of_fold([1, 1], predict)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(1, 10))
def test_parts_ascend_and_ties_stay_together(values: list[int], parts: int) -> None:
    part = equal_parts(values, parts)
    assert part.min() >= 1
    assert part.max() <= parts
    order = np.argsort(values, kind="stable")
    assert (np.diff(part[order]) >= 0).all()
    assert len({(value, code) for value, code in zip(values, part.tolist(), strict=True)}) == len(set(values))


def test_parts_without_ties_are_equal() -> None:
    assert np.bincount(equal_parts(np.random.default_rng(1).permutation(100), 10))[1:].tolist() == [10] * 10


@pytest.mark.parametrize("function", [auc, r_squared, calibration_of_means, calibration_of_probabilities])
def test_inputs_that_do_not_fit_are_refused(function: object) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        function([0, 1], [0.5])  # type: ignore[operator]
    with pytest.raises(ValueError, match="not finite"):
        function([0, 1], [0.5, float("nan")])  # type: ignore[operator]


def test_a_probability_beyond_1_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        calibration_of_probabilities([0, 1], [0.5, 1.2])
