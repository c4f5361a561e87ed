"""Means, deviations and t intervals from exact sums equal those from the values."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assets.outcomes.methods.means import deviation, mean, t_interval, welch

SCORES = st.lists(st.integers(-(10**9), 10**9).map(lambda thousandths: Decimal(thousandths).scaleb(-3)), min_size=2)


def sums(values: list[Decimal]) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Sum, sum of squares and size as the marts hold them."""
    return (
        pl.Series("total", [sum(values)], dtype=pl.Decimal(38, 3)),
        pl.Series("squares", [sum(value * value for value in values)], dtype=pl.Decimal(38, 6)),
        pl.Series("n", [len(values)], dtype=pl.Int64),
    )


@given(SCORES)
def test_equals_numpy_on_the_values(values: list[Decimal]) -> None:
    total, squares, n = sums(values)
    floats = np.array([float(value) for value in values])
    size = max(1.0, float(np.abs(floats).max()))
    np.testing.assert_allclose(mean(total, n), floats.mean(), rtol=1e-12, atol=1e-12 * size)
    np.testing.assert_allclose(deviation(total, squares, n), floats.std(ddof=1), rtol=1e-7, atol=1e-7 * size)


def test_nothing_is_lost_where_the_spread_is_tiny_beside_the_mean() -> None:
    values = [Decimal("999999.998"), Decimal("999999.999"), Decimal("1000000.000")] * 1000
    assert deviation(*sums(values))[0] == pytest.approx(0.001 * (2000 / 2999) ** 0.5, rel=1e-12)


def test_integers_of_different_scale_and_permille() -> None:
    n = pl.Series("n", [4])
    total = pl.Series("total", [10])
    squares = pl.Series("squares", [Decimal(30)], dtype=pl.Decimal(38, 3))
    assert mean(total, n).tolist() == [2.5]
    assert mean(total, n, divisor=10).tolist() == [0.25]
    np.testing.assert_allclose(deviation(total, squares, n), np.std([1, 2, 3, 4], ddof=1))


def test_t_interval_equals_scipy() -> None:
    values = [Decimal(value) for value in (3, 5, 2, 0, 4, 4, 1, -2, 3, 6, 2)]
    total, squares, n = sums(values)
    centre, spread = mean(total, n), deviation(total, squares, n)
    low, high = t_interval(centre, spread, n)
    floats = [float(value) for value in values]
    expected = stats.t.interval(0.95, len(floats) - 1, loc=np.mean(floats), scale=stats.sem(floats))
    np.testing.assert_allclose([low[0], high[0]], expected, rtol=1e-12)


def test_none_and_one() -> None:
    n = pl.Series("n", [0, 1, 0])
    total = pl.Series("total", [0, 7, None])
    squares = pl.Series("squares", [0, 49, None])
    spread = deviation(total, squares, n)
    low, high = t_interval(mean(total, n), spread, n)
    assert str(mean(total, n).tolist()) == "[nan, 7.0, nan]"
    assert np.isnan([*spread, *low, *high]).all()


def test_equal_values_have_no_spread() -> None:
    total, squares, n = sums([Decimal("3.3")] * 12)
    assert deviation(total, squares, n).tolist() == [0.0]


def test_wrong_sums_are_refused() -> None:
    n = pl.Series("n", [3])
    with pytest.raises(ValueError, match="integer or a decimal"):
        mean(pl.Series("change_sum", [1.5]), n)
    with pytest.raises(ValueError, match="missing for a group"):
        mean(pl.Series("change_sum", [None], dtype=pl.Int64), n)
    with pytest.raises(ValueError, match="too small"):
        deviation(pl.Series("change_sum", [9]), pl.Series("change_sum_squares", [9]), n)


def test_welch_equals_published_values() -> None:
    # Student 1908, hours of extra sleep: R's t.test(extra ~ group, data = sleep) prints -3.3654832 to 0.2054832
    one = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    other = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    np.testing.assert_allclose(welch(one, other), [-1.58, -3.3654832, 0.2054832], atol=5e-8)


def test_welch_needs_two_values_in_each_group() -> None:
    assert np.isnan(welch(np.array([1.0]), np.array([1.0, 2.0]))).all()


def test_welch_like_the_library() -> None:
    from scipy.stats import ttest_ind  # noqa: PLC0415 - slow to import, one test

    rng = np.random.default_rng(41)
    one, other = rng.normal(0, 1, 14), rng.normal(1, 3, 9)
    low, high = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(welch(one, other), [one.mean() - other.mean(), low, high])


def test_welch_of_a_group_without_variation_has_the_others_interval() -> None:
    # one sample of 1, 2, 3, 4 against exactly 5: mean 2.5, SD 1.29099, t of 3 degrees of freedom 3.18245
    difference, low, high = welch(np.array([1.0, 2, 3, 4]), np.full(3, 5.0))
    assert (difference, low, high) == pytest.approx((-2.5, -4.554266, -0.445734), abs=1e-5)
    assert np.isnan(welch(np.ones(3), np.ones(4))[1:]).all()
