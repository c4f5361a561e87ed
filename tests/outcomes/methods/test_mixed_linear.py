"""Random intercept, linear: published values, the library on data it handles, and data without an estimate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import fit_linear

# Pinheiro & Bates 2000, section 1.1: travel times in six rails (vectors T17 and T17b of the domain reference)
RAIL = [55, 53, 54, 26, 37, 32, 78, 91, 85, 92, 100, 96, 49, 51, 50, 80, 85, 83]
RAILS = np.repeat(np.arange(6), 3)


def many(seed: int, groups: int = 12, rows: int = 60, between: float = 1.0) -> tuple[np.ndarray, ...]:
    """Unbalanced rows with a covariate of the row and one of the group."""
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(0, groups, rows))
    x = np.column_stack([np.ones(rows), rng.normal(size=rows), rng.normal(size=groups)[group]])
    return x @ [1.0, 2.0, 3.0] + between * rng.normal(size=groups)[group] + rng.normal(size=rows), x, group


def test_rail_as_published() -> None:
    fit = fit_linear(RAIL, np.ones((18, 1)), RAILS)
    assert fit.coefficients[0] == pytest.approx(66.5, abs=1e-9)
    assert fit.sd_between == pytest.approx(24.805465, abs=5e-7)
    assert fit.sd_within == pytest.approx(4.020779, abs=5e-7)
    assert fit.effect[0] == pytest.approx(-12.391476, abs=5e-7)
    assert fit.covariance[0, 0] ** 0.5 == pytest.approx(10.17104, abs=5e-6)  # the book's summary(fm1Rail.lme)
    assert fit.log_likelihood == pytest.approx(-61.0885, abs=5e-5)
    assert fit.icc == pytest.approx(24.805465**2 / (24.805465**2 + 4.020779**2), abs=1e-7)


def test_statsmodels_stops_early_on_rail() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415 - 1 second, in this test only

    theirs = MixedLM(np.array(RAIL, dtype=float), np.ones((18, 1)), RAILS).fit()
    ours = fit_linear(RAIL, np.ones((18, 1)), RAILS)
    assert np.sqrt(theirs.cov_re[0, 0]) == pytest.approx(ours.sd_between, abs=0.002)
    assert np.sqrt(theirs.scale) == pytest.approx(ours.sd_within, abs=0.002)
    assert theirs.llf < ours.log_likelihood


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equals_statsmodels_on_unbalanced_data(seed: int) -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415 - see above

    y, x, group = many(seed)
    theirs, ours = MixedLM(y, x, group).fit(), fit_linear(y, x, group)
    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, atol=1e-4)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse_fe, rtol=1e-3)
    assert ours.sd_between == pytest.approx(np.sqrt(theirs.cov_re[0, 0]), abs=1e-3)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)
    assert ours.log_likelihood >= theirs.llf - 1e-9
    np.testing.assert_allclose(ours.effect, np.ravel(list(theirs.random_effects.values())), atol=1e-3)


def test_errors_of_effects_are_henderson() -> None:
    """Blocks of the inverse of the mixed model equations, in full matrices."""
    y, x, group = many(4)
    fit = fit_linear(y, x, group)
    z = np.eye(12)[group]
    equations = np.block([[x.T @ x, x.T @ z], [z.T @ x, z.T @ z + np.eye(12) * (fit.sd_within / fit.sd_between) ** 2]])
    inverse = fit.sd_within**2 * np.linalg.inv(equations)
    added = fit.covariance - inverse[:3, :3]
    assert np.linalg.matrix_rank(added, tol=1e-9) == 1
    assert (np.diag(added) > 0).all()
    np.testing.assert_allclose(fit.effect_error, np.sqrt(np.diag(inverse)[3:]), rtol=1e-8)
    solution = np.linalg.solve(equations, np.concatenate([x.T @ y, z.T @ y]))
    np.testing.assert_allclose(np.concatenate([fit.coefficients, fit.effect]), solution, rtol=1e-8)


def test_no_variance_between_groups_is_least_squares() -> None:
    _, x, group = many(5)
    noise = np.random.default_rng(5).normal(size=len(x))
    balanced = x @ [1.0, 2.0, 3.0] + noise - np.bincount(group, noise)[group] / np.bincount(group)[group]
    fit = fit_linear(balanced, x, group)
    assert (fit.sd_between, fit.icc, fit.effect.any(), fit.effect_error.any()) == (0.0, 0.0, False, False)
    np.testing.assert_allclose(fit.coefficients, np.linalg.lstsq(x, balanced)[0], rtol=1e-9)


def test_large_groups_and_an_absent_code() -> None:
    y, x, group = many(6, groups=30, rows=30_000, between=0.5)
    ours = fit_linear(y, x, np.where(group == 29, 40, group))
    np.testing.assert_allclose(ours.effect[[40, 5]], fit_linear(y, x, group).effect[[29, 5]], atol=1e-9)
    assert (ours.effect[29:40] == 0).all()
    np.testing.assert_allclose(ours.effect_error[29:40], ours.sd_between)
    assert ours.sd_within == pytest.approx(1.0, abs=0.02)


@given(st.integers(0, 50), st.floats(-1e3, 1e3), st.floats(0.01, 100))
@settings(max_examples=20)
def test_moves_and_scales_with_the_outcome(seed: int, shift: float, factor: float) -> None:
    y, x, group = many(seed, groups=6, rows=40)
    fit, moved = fit_linear(y, x, group), fit_linear(factor * y + shift, x, group)
    np.testing.assert_allclose(moved.coefficients, factor * fit.coefficients + [shift, 0, 0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(
        [moved.sd_between, moved.sd_within], [factor * fit.sd_between, factor * fit.sd_within], rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize(
    ("y", "x", "group", "reason"),
    [
        ([1, 2], [[1, 0], [1, 1]], [0, 1], Reason.TOO_FEW_ROWS),
        ([1, 2, 4], [[1], [1], [1]], [2, 2, 2], Reason.ONE_GROUP),
        ([1, 2, 4], [[1], [1], [1]], [0, 1, 2], Reason.NO_REPEATS),
        ([3, 3, 3, 3], [[1], [1], [1], [1]], [0, 0, 1, 1], Reason.CONSTANT_OUTCOME),
        ([3, 3, 5, 5, 7, 7], [[1]] * 6, [0, 0, 1, 1, 2, 2], Reason.CONSTANT_OUTCOME),
        ([1, 2, 4, 9], [[1, 2], [1, 2], [1, 2], [1, 2]], [0, 0, 1, 1], Reason.COLLINEAR),
        ([1, 2, 4, 9], [[1, 0], [1, 0], [1, 1], [1, 1]], [0, 0, 1, 1], Reason.NOT_IDENTIFIED),
    ],
)
def test_a_reason_instead_of_numbers(y: list[float], x: list[list[float]], group: list[int], reason: Reason) -> None:
    with pytest.raises(FitError) as refused:
        fit_linear(y, x, group)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("y", "group"), [([1, 2, 3], [0, 1]), ([1, np.nan, 3, 4], [0, 0, 1, 1]), ([1, 2, 3, 4], [0, 0, -1, 1])]
)
def test_input_that_contradicts_itself(y: list[float], group: list[int]) -> None:
    with pytest.raises(ValueError, match=r"fit|finite"):
        fit_linear(y, np.ones((len(y), 1)), group)
