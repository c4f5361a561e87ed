"""Shares and Wilson intervals against published values, a simulation and their own properties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.methods.proportions import missing_bounds, share, wilson

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"

# T1: Newcombe 1998 Stat Med 17:857 (.2553-.3662, .0624-.1605, 0-.1611, .0061-.1718), to six decimals by statsmodels
# T1b: domain/README.md section 7, library and plain arithmetic agree
PUBLISHED = [
    (81, 263, 0.255289, 0.366210),
    (15, 148, 0.062386, 0.160487),
    (0, 20, 0.0, 0.161125),
    (1, 29, 0.006113, 0.171755),
    (0, 10, 0.0, 0.277533),
    (5, 10, 0.236593, 0.763407),
    (10, 10, 0.722467, 1.0),
]


def test_wilson_equals_published_values() -> None:
    x, n, expected_low, expected_high = map(np.array, zip(*PUBLISHED, strict=True))
    rate, low, high = wilson(x, n)
    np.testing.assert_allclose(rate, x / n)
    np.testing.assert_allclose(low, expected_low, atol=5e-7)
    np.testing.assert_allclose(high, expected_high, atol=5e-7)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_wilson_equals_the_shared_vectors() -> None:
    cases = json.loads(VECTORS.read_text(encoding="utf-8"))["proportion_ci_95"]
    rate, low, high = wilson([case["x"] for case in cases], [case["n"] for case in cases])
    np.testing.assert_allclose(rate, [case["p"] for case in cases], atol=5e-7)
    np.testing.assert_allclose(np.stack([low, high], axis=1), [case["wilson"] for case in cases], atol=5e-7)


def test_nobody_has_no_rate_and_the_ends_are_exact() -> None:
    rate, low, high = wilson([0, 0, 3], [0, 3, 3])
    assert np.isnan([rate[0], low[0], high[0]]).all()
    assert (rate[1], low[1], rate[2], high[2]) == (0.0, 0.0, 1.0, 1.0)
    assert wilson([], [])[0].shape == (0,)
    assert np.isnan(share([0], [0])).all()


@pytest.mark.parametrize(
    ("x", "n"), [([4], [3]), ([-1], [3]), ([1, 2], [3]), ([float("nan")], [3]), ([1], [float("nan")])]
)
def test_impossible_counts_are_refused(x: list[float], n: list[float]) -> None:
    with pytest.raises(ValueError, match="count"):
        wilson(x, n)


@given(st.integers(0, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_rate_and_stays_inside(case: tuple[int, int]) -> None:
    x, n = case
    rate, low, high = wilson([x], [n])
    if n:
        assert 0 <= low[0] <= rate[0] <= high[0] <= 1
        mirrored = wilson([n - x], [n])
        np.testing.assert_allclose([1 - high[0], 1 - low[0]], [mirrored[1][0], mirrored[2][0]], atol=1e-12)


def test_missing_bounds() -> None:
    none, every = missing_bounds([30, 0, 5, 0], [50, 0, 5, 0], [80, 12, 5, 0])
    np.testing.assert_allclose(none, [30 / 80, 0, 1, np.nan])
    np.testing.assert_allclose(every, [60 / 80, 1, 1, np.nan])
    with pytest.raises(ValueError, match="larger than its group"):
        missing_bounds([3], [5], [4])


def test_coverage_is_near_nominal() -> None:
    # 20,000 samples for each share: the standard error of a coverage of 95% is 0.15 points. The mean coverage of
    # the Wilson interval over shares lies at 95%; single shares swing by about 2 points because counts are discrete.
    rng = np.random.default_rng(20261122)
    truth = np.linspace(0.05, 0.95, 19)
    x = rng.binomial(60, truth, size=(20_000, truth.size))
    _, low, high = wilson(x, np.full(x.shape, 60))
    coverage = ((low <= truth) & (truth <= high)).mean(axis=0)
    assert abs(coverage.mean() - 0.95) < 0.01
    assert coverage.min() > 0.92
