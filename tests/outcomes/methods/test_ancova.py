"""Arms compared after adjustment: simple cases by hand, both sides of a patient, and data without an estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assets.outcomes.methods.ancova import difference, fit_arms
from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import fit_linear


def test_without_covariates_it_is_the_t_test() -> None:
    """Student 1908, table of extra hours of sleep (R data set sleep): mean difference -1.58, t -1.8608, p 0.07919."""
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    y = np.concatenate([first, second])
    x = np.column_stack([np.ones(20), np.repeat([1.0, 0.0], 10)])
    found = difference(fit_arms(y, x, np.arange(20)), 1)
    assert found.estimate == pytest.approx(-1.58)
    assert found.estimate / found.error == pytest.approx(-1.8608, abs=5e-5)
    assert found.p_value == pytest.approx(0.07919, abs=5e-6)
    assert [found.low, found.high] == pytest.approx([-3.363874, 0.203874], abs=5e-7)
    turned = difference(fit_arms(y, x, np.arange(20)), 1, sign=-1)
    assert [turned.estimate, turned.low, turned.high] == [-found.estimate, -found.high, -found.low]


def planted(seed: int, patients: int, sides: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), sides)
    arm = (np.arange(patients) % 2)[patient].astype(float)
    own = rng.normal(size=patients)[patient]
    baseline = 5 + own + rng.normal(size=len(patient))
    y = 1 + 0.6 * baseline + 0.5 * arm + own + rng.normal(size=len(patient))
    return y, np.column_stack([np.ones(len(y)), arm, baseline]), patient


def test_intervals_cover_with_one_and_with_two_sides() -> None:
    """200 trials of 30 patients: 95% intervals hold the planted 0.5, unless two sides are counted as two patients."""
    held = {1: 0, 2: 0, "naive": 0}
    for seed in range(200):
        for sides in (1, 2):
            y, x, patient = planted(seed, 30, sides)
            found = difference(fit_arms(y, x, patient), 1)
            held[sides] += found.low < 0.5 < found.high
        naive = difference(fit_arms(y, x, np.arange(len(y))), 1)
        held["naive"] += naive.low < 0.5 < naive.high
    assert 0.92 < held[1] / 200 < 0.98
    assert 0.92 < held[2] / 200 < 0.98
    assert held["naive"] < held[2]


def test_one_row_per_patient_is_least_squares_and_two_are_mixed() -> None:
    y, x, patient = planted(1, 40)
    fit = fit_arms(y, x, patient + 7)
    np.testing.assert_allclose(fit.coefficients, np.linalg.lstsq(x, y)[0])
    assert (fit.is_mixed, fit.degrees) == (False, 37)
    assert difference(fit, 1).p_value == pytest.approx(
        2 * stats.t.sf(abs(fit.coefficients[1]) / np.sqrt(fit.covariance[1, 1]), 37)
    )
    y, x, patient = planted(2, 40, sides=2)
    fit, mixed = fit_arms(y, x, patient * 3), fit_linear(y, x, patient)
    np.testing.assert_allclose(fit.coefficients, mixed.coefficients)
    assert (fit.is_mixed, fit.degrees) == (True, 37)


@pytest.mark.parametrize(
    ("y", "columns", "reason"),
    [
        (np.arange(3.0), [1, 1, 1], Reason.TOO_FEW_ROWS),
        (np.full(9, 4.0), [0, 1, 0, 1, 0, 1, 0, 1, 0], Reason.CONSTANT_OUTCOME),
        (np.arange(9.0), [1] * 9, Reason.COLLINEAR),
    ],
)
def test_a_reason_instead_of_numbers(y: np.ndarray, columns: list[float], reason: Reason) -> None:
    x = np.column_stack([np.ones(len(y)), columns, np.arange(len(y)) ** 2])
    with pytest.raises(FitError) as refused:
        fit_arms(y, x, np.arange(len(y)))
    assert refused.value.reason == reason
