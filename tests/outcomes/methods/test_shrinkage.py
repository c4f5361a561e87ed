"""Shrinkage, reliability and what can be told apart, against published values and simulated clinics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from assets.outcomes.methods.shrinkage import (
    DRAWS,
    patients_for_reliability,
    quarter_probabilities,
    random_effects,
    reliability,
    shrink,
    told_apart,
)

# T16: Efron & Morris 1977, first 45 at bats of 18 players
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
# T18: BCG vaccine trials (Colditz 1994; metafor's dat.bcg): ill and well of the vaccinated, then of the others
BCG = np.array(
    [
        *([4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761]),
        *([180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232]),
        *([17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825]),
    ],
    dtype=float,
)


def bcg() -> tuple[np.ndarray, np.ndarray]:
    ill, well, ill0, well0 = BCG.T
    ratio = np.log(ill / (ill + well)) - np.log(ill0 / (ill0 + well0))
    return ratio, 1 / ill - 1 / (ill + well) + 1 / ill0 - 1 / (ill0 + well0)


def test_efron_and_morris() -> None:
    share = HITS / 45
    mean = share.mean()
    variance = np.full(18, mean * (1 - mean) / 45)
    pool = random_effects(share, variance)
    found = shrink(share, variance, pool)
    assert pool.mean == pytest.approx(0.265432, abs=5e-7)
    np.testing.assert_allclose(found.weight, 0.211653, atol=5e-7)
    assert found.value[0] == pytest.approx(0.293914, abs=5e-7)
    assert found.value[-1] == pytest.approx(0.242176, abs=5e-7)
    # Planted fault: without (k - 3) / (k - 1) the factor is another
    assert pool.tau2 / (pool.tau2 + variance[0]) == pytest.approx(0.106540, abs=5e-6)


def test_dersimonian_and_laird() -> None:
    pool = random_effects(*bcg())
    assert pool.q == pytest.approx(152.233, abs=5e-4)
    assert 100 * pool.i2 == pytest.approx(92.12, abs=5e-3)
    assert pool.tau2 == pytest.approx(0.3088, abs=5e-5)
    assert (pool.mean, pool.error) == (pytest.approx(-0.7141, abs=5e-5), pytest.approx(0.1787, abs=5e-5))
    assert (pool.low, pool.high) == (pytest.approx(-1.0644, abs=5e-5), pytest.approx(-0.3638, abs=5e-5))
    assert pool.p < 1e-20


def test_random_effects_agree_with_statsmodels_where_clinics_differ() -> None:
    rng = np.random.default_rng(20261129)
    for _ in range(20):
        variances = rng.uniform(0.1, 2, 12)
        values = rng.normal(0, np.sqrt(variances + 9))
        pool, other = random_effects(values, variances), combine_effects(values, variances, method_re="dl")
        assert pool.tau2 > 0
        found = (pool.q, pool.i2, pool.tau2, pool.mean, pool.error)
        assert found == pytest.approx((other.q, other.i2, other.tau2, other.mean_effect_re, other.sd_eff_w_re))
        assert (pool.low, pool.high) == pytest.approx(other.conf_int()[1])


def test_spearman_and_brown() -> None:
    # T17, Pinheiro & Bates' rails: ICC .974399 of one measurement, .991318 of the mean of three
    between, within = 24.805465**2, 4.020779**2
    np.testing.assert_allclose(reliability([1, 3], between, within), [0.974399, 0.991318], atol=5e-7)
    assert patients_for_reliability(0.7, 1.0, 99.0) == pytest.approx(231)
    assert reliability(231, 1.0, 99.0) == pytest.approx(0.7)
    assert patients_for_reliability(0.7, 0.0, 1.0) == float("inf")
    assert reliability(50, 0.0, 1.0) == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        patients_for_reliability(1.0, 1.0, 1.0)


def test_clinics_that_are_equal() -> None:
    """Tau2 is 0, nothing is told apart, and no clinic is likelier than another to be among the highest."""
    variance = np.full(12, 0.01)
    pool = random_effects(np.full(12, 0.6), variance)
    assert (pool.q, pool.i2, pool.tau2, pool.p) == (pytest.approx(0), 0, 0, pytest.approx(1))
    found = shrink(np.full(12, 0.6), variance, pool)
    np.testing.assert_allclose(found.value, 0.6)
    np.testing.assert_allclose(found.weight, 2 / 11)
    for probability in quarter_probabilities(found.value, found.error):
        np.testing.assert_allclose(probability, 0.25, atol=4 * np.sqrt(0.25 * 0.75 / DRAWS))
    assert not told_apart(found.value, found.error).any()


def test_the_probability_of_a_quarter_is_that_of_a_difference_of_normals() -> None:
    # Of two clinics the highest "quarter" is one: P(a > b) = Phi(1 / sqrt(2)) = 0.760250
    high, low = quarter_probabilities([1.0, 0.0], [1.0, 1.0])
    assert high[0] == pytest.approx(0.760250, abs=4 * 0.005)
    np.testing.assert_array_equal(high, low[::-1])
    np.testing.assert_array_equal(high, quarter_probabilities([1.0, 0.0], [1.0, 1.0])[0])


def test_planted_differences_are_told_apart_and_counted() -> None:
    values, errors = np.array([0.0, 0.1, 0.2, 9.0]), np.full(4, 1.0)
    apart = told_apart(values, errors)
    assert apart.sum(axis=1).tolist() == [1, 1, 1, 3]
    assert (apart == apart.T).all()


# Where clinics do not differ the interval is wider than it need be, because it allows for their differing
@pytest.mark.parametrize(("tau", "at_most"), [(0.0, 1.0), (0.5, 0.97), (2.0, 0.97)])
@pytest.mark.parametrize("clinics", [4, 12])
def test_intervals_of_shrunken_values_cover(clinics: int, tau: float, at_most: float) -> None:
    """500 networks of clinics of 15 to 300 patients: 95% of intervals hold the clinic's true value."""
    rng = np.random.default_rng(20261127)
    held, raw, shrunken = [], [], []
    for _ in range(500):
        variance = 4 / rng.uniform(15, 300, clinics)
        truth = rng.normal(3, tau, clinics)
        value = rng.normal(truth, np.sqrt(variance))
        found = shrink(value, variance, random_effects(value, variance))
        held.append((found.low <= truth) & (truth <= found.high))
        raw.append((value - truth) ** 2)
        shrunken.append((found.value - truth) ** 2)
    # Standard error with 2,000 intervals that are not independent: about half a point
    assert 0.93 <= np.mean(held) <= at_most
    assert np.mean(shrunken) < np.mean(raw)


@pytest.mark.parametrize("clinics", [4, 12])
def test_false_discoveries_of_pairs(clinics: int) -> None:
    """300 networks in which no clinic differs: a pair is told apart in at most 5% of them."""
    rng = np.random.default_rng(20261128)
    wrong = 0
    for _ in range(300):
        variance = 4 / rng.uniform(15, 300, clinics)
        value = rng.normal(3, np.sqrt(variance))
        found = shrink(value, variance, random_effects(value, variance))
        wrong += bool(told_apart(found.value, found.error).any())
    assert wrong / 300 <= 0.05


@pytest.mark.parametrize(
    ("values", "variances", "match"),
    [([1.0], [1.0], "2 or more"), ([1.0, 2.0], [1.0, 0.0], "above 0"), ([1.0, 2.0, 3.0], [1.0, 1.0], "2 or more")],
)
def test_impossible_input_is_refused(values: list[float], variances: list[float], match: str) -> None:
    for method in (random_effects, quarter_probabilities, told_apart):
        with pytest.raises(ValueError, match=match):
            method(values, variances)
    with pytest.raises(ValueError, match="4 or more"):
        shrink([1.0, 2.0, 3.0], [1.0] * 3, random_effects([1.0, 2.0, 3.0], [1.0] * 3))


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0.01, 20)), min_size=4, max_size=30))
def test_shrunken_values_lie_between_the_clinic_and_the_network(clinics: list[tuple[float, float]]) -> None:
    values, variances = map(np.array, zip(*clinics, strict=True))
    pool = random_effects(values, variances)
    found = shrink(values, variances, pool)
    assert (found.weight > 0).all()
    assert (found.weight <= 1).all()
    low, high = np.minimum(values, pool.mean), np.maximum(values, pool.mean)
    assert (low - 1e-9 <= found.value).all()
    assert (found.value <= high + 1e-9).all()
    assert 0 <= pool.i2 <= 1
