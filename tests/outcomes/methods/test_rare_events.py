"""Rare events against published values, libraries and a simulation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assets.outcomes.methods.rare_events import (
    MINIMUM_GAPS,
    TAIL,
    GapLimits,
    event_share,
    exact_upper,
    gap_limits,
    gap_signals,
    poisson_rate,
)

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"

# Opportunities between events: data set "opportunities" of the tests of jaspQualityControl (jasp-stats on GitHub,
# tests/testthat/datasets/rareEventCharts), whose g-chart is marked "verified with Minitab": centre 36.01, limit 351.77
OPPORTUNITIES = [
    *(94, 6, 72, 86, 86, 39, 31, 81, 50, 34, 4, 13, 69, 25, 52, 22, 89, 32, 25, 87, 35, 40, 30, 12, 31, 30, 64, 99, 14),
    *(93, 96, 71, 67, 23, 79, 85, 37),
]
# Days between infections adapted from Benneyan 1998, from the manual of SAS/QC 14.1, procedure RAREEVENTS
INFECTIONS = [0, 0, 2, 1, 13, 2, 0, 1, 1, 1, 1, 0, 1, 1, 16, 0, 1, 1, 2, 10, 1, 1, 2, 2, 0, 2, 3, 0]


def test_upper_bound_when_nothing_happened() -> None:
    # T1f: Brady 2014, no significant event in 7,629 treatments, published as at most 0.04%
    share, low, high = event_share([0], [7629])
    assert (share[0], low[0]) == (0, 0)
    assert high[0] == pytest.approx(0.0003926, abs=5e-8)
    assert high[0] == pytest.approx(1 - 0.05 ** (1 / 7629), rel=1e-12)
    assert high[0] < 3 / 7629 < 0.0004


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_upper_bound_equals_the_shared_vector() -> None:
    vector = json.loads(VECTORS.read_text(encoding="utf-8"))["rule_of_three"]
    assert exact_upper([0], [vector["n"]])[0] == pytest.approx(vector["cp_onesided95"], abs=5e-8)


def test_share_with_events_is_wilson() -> None:
    # Brady 2014: 1,463 mild events in 7,629 treatments, 19.18%; interval 18.31% to 20.08% (evidence row aebrady)
    share, low, high = event_share([1463, 20], [7629, 20])
    assert [share[0], low[0], high[0]] == pytest.approx([0.1918, 0.1831, 0.2008], abs=5e-5)
    assert (share[1], high[1]) == (1.0, 1.0)


def test_exact_upper_equals_the_binomial_test() -> None:
    cases = [(0, 1), (0, 20), (3, 20), (19, 20), (7, 500)]
    expected = [stats.binomtest(x, n, alternative="less").proportion_ci(0.95, method="exact").high for x, n in cases]
    np.testing.assert_allclose(exact_upper(*np.array(cases).T), expected, rtol=1e-10)
    assert exact_upper([20], [20])[0] == 1.0
    assert np.isnan(exact_upper([0], [0])[0])


def test_poisson_interval_equals_published_values() -> None:
    # Exact 95% limits of 0, 1, 5 and 10 events (Garwood 1936): values known from memory, reproduced to their two places
    rate, low, high = poisson_rate([0, 1, 5, 10], [1, 1, 1, 1])
    np.testing.assert_array_equal(rate, [0, 1, 5, 10])
    np.testing.assert_allclose(low, [0, 0.0253, 1.62, 4.80], atol=5e-3)
    np.testing.assert_allclose(high, [3.69, 5.57, 11.67, 18.39], atol=5e-3)


def test_poisson_limits_turn_the_probabilities() -> None:
    x = np.array([1, 7, 40, 1463])
    rate, low, high = poisson_rate(x, np.full(4, 7629))
    np.testing.assert_allclose(rate * 7629, x)
    np.testing.assert_allclose(stats.poisson.sf(x - 1, low * 7629), 0.025, rtol=1e-9)
    np.testing.assert_allclose(stats.poisson.cdf(x, high * 7629), 0.025, rtol=1e-9)


def test_edges_and_refusals() -> None:
    rate, low, high = poisson_rate([0], [0])
    assert np.isnan([rate[0], low[0], high[0]]).all()
    for events, exposure in (([1], [0]), ([-1], [5]), ([np.nan], [5]), ([1, 2], [5])):
        with pytest.raises(ValueError, match=r"event|shape"):
            poisson_rate(events, exposure)
    for events, exposure in (([3], [2]), ([-1], [5]), ([np.nan], [5]), ([1, 2], [5])):
        with pytest.raises(ValueError, match="count"):
            event_share(events, exposure)


def test_limits_equal_the_published_chart() -> None:
    limits = gap_limits(OPPORTUNITIES)
    assert limits.centre == pytest.approx(36.01, abs=5e-3)
    assert limits.upper == pytest.approx(351.77, abs=5e-3)
    signals = gap_signals(OPPORTUNITIES, limits)
    assert not (signals.long | signals.short | signals.zero).any()


def test_limits_are_quantiles_of_the_geometric_distribution() -> None:
    limits = gap_limits(INFECTIONS)
    assert limits.chance == pytest.approx(27 / 28 / (1 + 65 / 28))
    # scipy counts the opportunity with the event too
    for value, probability in ((limits.centre, 0.5), (limits.upper, 1 - TAIL)):
        assert np.ceil(value) == stats.geom.ppf(probability, limits.chance) - 1
    assert limits.chance**limits.zeros <= TAIL < limits.chance ** (limits.zeros - 1)


def test_every_kind_of_signal() -> None:
    limits = GapLimits(0.05, 13.0, 130.2, 3.0)
    gaps = [131, 132, 0, 0, 0, 20, 0, 0, 20, *[12] * 7, 14, *[12] * 6]
    signals = gap_signals(gaps, limits)
    assert np.flatnonzero(signals.long).tolist() == [1]
    assert np.flatnonzero(signals.zero).tolist() == [2, 3, 4]
    assert np.flatnonzero(signals.short).tolist() == list(range(9, 16))


def test_few_gaps_have_no_limits() -> None:
    few = [5] * (MINIMUM_GAPS - 1)
    limits = gap_limits(few)
    assert np.isnan([limits.chance, limits.centre, limits.upper, limits.zeros]).all()
    signals = gap_signals(few, limits)
    assert not (signals.long | signals.short | signals.zero).any()
    assert gap_signals([], gap_limits([])).long.shape == (0,)
    assert gap_limits([0] * MINIMUM_GAPS).centre == 0.0


@pytest.mark.parametrize("gaps", [[-1] * 12, [0.5] * 12, [np.nan] * 12])
def test_impossible_gaps_are_refused(gaps: list[float]) -> None:
    with pytest.raises(ValueError, match="gap"):
        gap_limits(gaps)


@given(st.lists(st.integers(0, 10**6), min_size=MINIMUM_GAPS, max_size=60))
def test_limits_are_in_order(gaps: list[int]) -> None:
    limits = gap_limits(gaps)
    assert 0 < limits.chance < 1
    assert 0 <= limits.centre <= limits.upper
    assert limits.zeros >= 1


def test_false_alarms_stay_at_nominal() -> None:
    # 200,000 gaps each; limits of the true chance, as estimating it adds its own error
    rng = np.random.default_rng(20261125)
    for chance in (0.2, 0.01, 1 / 1024):
        limits = GapLimits(
            chance, 0.0, float(stats.geom.ppf(1 - TAIL, chance) - 1), np.ceil(np.log(TAIL) / np.log(chance))
        )
        gaps = rng.geometric(chance, 200_000) - 1
        signals = gap_signals(gaps, limits)
        assert signals.long.mean() < TAIL + 4 * np.sqrt(TAIL / gaps.size)
        assert signals.zero.mean() < limits.zeros * TAIL
    # 60 gaps at a time from an estimated chance: the estimate adds to the nominal 0.00135, to no more than 0.003
    charts = rng.geometric(0.02, (2_000, 60)) - 1
    alarms = [gap_signals(gaps, gap_limits(gaps)).long.mean() for gaps in charts]
    assert np.mean(alarms) < 0.003
