"""Funnel limits against published values, and how often they are wrong when no clinic differs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assets.outcomes.methods.funnel import (
    ABOVE,
    ACTION_LEVEL,
    AS_EXPECTED,
    BELOW,
    POSSIBLY_ABOVE,
    POSSIBLY_BELOW,
    WARNING_LEVEL,
    ZONES,
    binomial_limits,
    binomial_lines,
    mean_limits,
    poisson_ratio_limits,
    poisson_ratio_lines,
    zone,
)

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"
LEVELS = (WARNING_LEVEL, ACTION_LEVEL)
SIZES = np.array([10, 15, 20, 30, 50, 70, 100])
SHARES = np.array([0.3, 0.6, 0.9])


def test_lines_of_a_share_equal_the_vector() -> None:
    # T13 of the domain reference: theta .6, n 50 and 20
    np.testing.assert_allclose(
        binomial_lines([50, 20], 0.6, 0.95), [[0.451665, 0.355593], [0.724055, 0.787084]], atol=5e-7
    )
    np.testing.assert_allclose(
        binomial_lines([50, 20], 0.6, 0.998), [[0.371252, 0.226380], [0.796629, 0.892292]], atol=5e-7
    )


def test_lines_of_a_ratio_equal_funnelplotr() -> None:
    # T12: FunnelPlotR, tests/testthat/test-poisson_limits.R
    expected = [15, 20, 30]
    low, high = poisson_ratio_lines(expected, 0.95)
    np.testing.assert_allclose(low, [0.5596924, 0.610826, 0.6746958], atol=5e-7)
    np.testing.assert_allclose(high, [1.649348, 1.544419, 1.427562], atol=5e-7)
    low, high = poisson_ratio_lines(expected, 0.998)
    np.testing.assert_allclose(low, [0.386265, 0.4479107, 0.5289724], atol=5e-7)
    np.testing.assert_allclose(high, [2.082907, 1.902094, 1.702771], atol=5e-7)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_all_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    for case in vectors["funnel_binomial"]:
        for level, name in ((0.95, "exact_interp95"), (0.998, "exact_interp998")):
            np.testing.assert_allclose(binomial_lines(case["n"], case["theta"], level), case[name], atol=5e-7)
    for case in vectors["funnel_poisson_oe"]:
        for level, name in ((0.95, "95"), (0.998, "998")):
            found = poisson_ratio_lines(case["E"], level)
            np.testing.assert_allclose(found, [case[f"ll{name}"], case[f"ul{name}"]], atol=5e-7)


def test_limits_of_a_mean_follow_the_textbook() -> None:
    low, high = mean_limits([25], 10.0, 5.0, 0.95)
    assert (low[0], high[0]) == pytest.approx((10 - 1.959964, 10 + 1.959964), abs=1e-6)
    low, _ = mean_limits([25], 0.0, 5.0, 0.998)
    assert low[0] == pytest.approx(-3.090232, abs=1e-6)
    # Student's t with 10 degrees of freedom, 97.5%: 2.228 (Student's table)
    assert mean_limits([25], 0.0, 5.0, 0.95, degrees=10)[1][0] == pytest.approx(2.228, abs=5e-4)


def test_ends_and_impossible_input() -> None:
    for made in (binomial_limits, binomial_lines):
        np.testing.assert_array_equal(made([12, 12, 1], [0.0, 1.0, 1.0], 0.95), [[0, 1, 1], [0, 1, 1]])
        low, high = made(1, 0.5, 0.95)
        assert 0 <= low <= high <= 1
        for n, theta, level in ((0, 0.5, 0.95), (5, 1.1, 0.95), (5, float("nan"), 0.95), (5, 0.5, 1.0)):
            with pytest.raises(ValueError, match=r"no patients|level"):
                made(n, theta, level)
    with pytest.raises(ValueError, match="expected"):
        poisson_ratio_limits([0.0], 0.95)
    with pytest.raises(ValueError, match="negative"):
        mean_limits([5], 0.0, -1.0, 0.95)


@given(st.integers(1, 400), st.floats(0.001, 0.999), st.sampled_from(LEVELS))
def test_limits_are_the_lines_rounded_up_to_whole_patients(n: int, theta: float, level: float) -> None:
    limits, lines = binomial_limits(n, theta, level), binomial_lines(n, theta, level)
    for limit, line in zip(limits, lines, strict=True):
        assert 0 <= line <= limit + 1e-9
        assert limit - line <= 1 / n + 1e-9
    # By hand: the probability beyond each limit is at most the tail, and one patient nearer it is more
    tail = (1 - level) / 2
    low, high = (round(float(limit) * n) for limit in limits)
    assert stats.binom.cdf(low - 1, n, theta) < tail + 1e-12 < stats.binom.cdf(low, n, theta) + 1e-9
    assert stats.binom.sf(high, n, theta) <= tail + 1e-9
    assert stats.binom.sf(high - 1, n, theta) > tail - 1e-9


def test_zones() -> None:
    values = np.array([0.05, 0.15, 0.5, 0.2, 0.8, 0.9, 0.85, 0.95, 0.1])
    found = zone(values, (np.array(0.2), np.array(0.8)), (np.array(0.1), np.array(0.9)))
    assert found.tolist() == [
        *(BELOW, POSSIBLY_BELOW, AS_EXPECTED, AS_EXPECTED, AS_EXPECTED, POSSIBLY_ABOVE, POSSIBLY_ABOVE, ABOVE),
        POSSIBLY_BELOW,
    ]
    nothing = (np.array(np.nan), np.array(np.nan))
    assert zone([0.3, np.nan], nothing, nothing).tolist() == [AS_EXPECTED] * 2
    assert set(found) == set(ZONES)


def test_on_a_limit_is_inside_whatever_the_rounding() -> None:
    n = np.arange(1, 301)
    for share in SHARES:
        pairs = [binomial_limits(n, share, level) for level in LEVELS]
        for limit in pairs[0]:
            assert set(zone(np.round(limit * n) / n, *pairs)) == {AS_EXPECTED}


def outside(n: int, theta: float, low: float, high: float) -> float:
    """Probability that the share of n patients lies outside the limits: the binomial distribution, summed."""
    count = np.arange(n + 1)
    beyond = (count / n > high + 1e-9) | (count / n < low - 1e-9)
    return float(stats.binom.pmf(count, n, theta)[beyond].sum())


@pytest.mark.parametrize("level", LEVELS)
def test_false_alarms_of_shares_stay_at_nominal(level: float) -> None:
    """At most nominal at every size and share: the counts are discrete, so exactly nominal is not to be had."""
    nominal = 1 - level
    rates = {
        (n, theta): outside(int(n), theta, *(float(limit) for limit in binomial_limits(n, theta, level)))
        for n in SIZES
        for theta in SHARES
    }
    assert max(rates.values()) <= nominal
    # Not absurdly careful either: with 50 or more patients about half of nominal or more is used on average
    assert np.mean([rate for (n, _), rate in rates.items() if n >= 50]) > 0.5 * nominal


@pytest.mark.parametrize("level", LEVELS)
def test_planted_fault_normal_limits_and_raw_lines_give_false_alarms(level: float) -> None:
    nominal = 1 - level
    normal, lines = [], []
    for n in SIZES:
        for theta in SHARES:
            half = stats.norm.ppf(1 - nominal / 2) * np.sqrt(theta * (1 - theta) / n)
            normal.append(outside(int(n), theta, theta - half, theta + half))
            lines.append(outside(int(n), theta, *(float(limit) for limit in binomial_lines(n, theta, level))))
    assert max(normal) > 1.5 * nominal
    assert max(lines) > 0.3, "at n = 10 and a share of 0.9 everybody recovers in 35% of clinics"


def test_simulated_false_alarms_of_shares() -> None:
    """The same by simulation, through ``zone``: 20,000 clinics of each size and share that do not differ."""
    rng = np.random.default_rng(20261125)
    size, theta = (grid.ravel() for grid in np.meshgrid(SIZES, SHARES))
    value = rng.binomial(size, theta, size=(20_000, size.size)) / size
    found = zone(value, *(binomial_limits(size, theta, level) for level in LEVELS))
    exact = [outside(int(n), t, *map(float, binomial_limits(n, t, 0.95))) for n, t in zip(size, theta, strict=True)]
    alarms = (found != AS_EXPECTED).mean(axis=0)
    # Four standard errors of a simulated 5% are 0.6 points
    np.testing.assert_allclose(alarms, exact, atol=0.0062)
    assert np.isin(found, [ABOVE, BELOW]).mean(axis=0).max() < 0.002 + 4 * np.sqrt(0.002 / 20_000)


@pytest.mark.parametrize("level", LEVELS)
def test_false_alarms_of_ratios_stay_at_nominal(level: float) -> None:
    expected = SIZES.astype(float)
    count = np.arange(400)[:, None]
    ratio, mass = count / expected, stats.poisson.pmf(count, expected)

    def alarms(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.where((ratio > high + 1e-9) | (ratio < low - 1e-9), mass, 0).sum(axis=0)

    found = alarms(*poisson_ratio_limits(expected, level))
    assert (found <= 1 - level).all()
    assert found.mean() > 0.5 * (1 - level)
    # Planted faults: the normal approximation and, at 99.8%, the lines for drawing
    half = stats.norm.ppf((1 + level) / 2) / np.sqrt(expected)
    assert alarms(1 - half, 1 + half).max() > 1.1 * (1 - level)
    if level == ACTION_LEVEL:
        assert alarms(*poisson_ratio_lines(expected, level)).max() > 1.2 * (1 - level)


def test_false_alarms_of_means_of_skewed_changes() -> None:
    """Changes of 0 to 10 points, skewness 1.2: the SD of the network holds nominal, a clinic's own SD does not."""
    rng = np.random.default_rng(20261126)
    points = np.arange(11)
    share = stats.binom.pmf(points, 10, 0.1) * 0.75 + stats.binom.pmf(points, 10, 0.55) * 0.25
    centre = points @ share
    sd = np.sqrt((points - centre) ** 2 @ share)
    assert (points - centre) ** 3 @ share / sd**3 == pytest.approx(1.2, abs=0.1)
    own = []
    for n in SIZES:
        changes = rng.choice(points, size=(20_000, n), p=share)
        mean = changes.mean(axis=1)
        limits = [mean_limits(n, centre, sd, level) for level in LEVELS]
        found = zone(mean, *limits)
        assert (found != AS_EXPECTED).mean() == pytest.approx(0.05, abs=0.008), n
        # Skewness leaves the far tails: at n = 10 about 4 in 1,000 instead of 2
        assert np.isin(found, [ABOVE, BELOW]).mean() < 0.005, n
        half = stats.t.ppf(0.975, n - 1) * changes.std(axis=1, ddof=1) / np.sqrt(n)
        own.append(np.mean(np.abs(mean - centre) > half))
    assert max(own) > 0.07, "planted fault"
