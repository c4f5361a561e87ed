"""E-values, regression to the mean and tipping points against published values and enumeration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.methods.proportions import newcombe, wilson
from assets.outcomes.methods.sensitivity import (
    e_value,
    e_value_of_interval,
    regression_to_mean,
    tipping_rate,
    tipping_shift,
)

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"


def test_e_values_equal_published_ones() -> None:
    # VanderWeele & Ding 2017: 3.9 (1.8 to 8.7) 7.26 and 3.0; .80 (.71 to .91) 1.81 and 1.43. T15 has more decimals.
    np.testing.assert_allclose(e_value([3.9, 0.8, 1.2, 1.0]), [7.2630, 1.8090, 1.6899, 1.0], atol=5e-5)
    limits = e_value_of_interval([1.8, 0.71, 0.9, 1.0], [8.7, 0.91, 1.6, 2.0])
    np.testing.assert_allclose(limits, [3.0, 1.4286, 1.0, 1.0], atol=5e-5)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_e_values_and_regression_equal_the_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    for case in vectors["evalue"]:
        assert e_value(case["rr"]) == pytest.approx(case["e"], abs=5e-5)
    given_ = vectors["regression_to_mean"]
    found = regression_to_mean(given_["mu"], given_["sd"], given_["rho"], given_["cut"])
    assert found.selected_mean == pytest.approx(given_["mean_selected_baseline"], abs=5e-7)
    assert found.followup_mean == pytest.approx(given_["expected_followup"], abs=5e-7)
    assert found.expected_drop == pytest.approx(given_["expected_drop_no_treatment"], abs=5e-7)


@given(st.floats(0.01, 100))
def test_an_e_value_does_not_depend_on_which_group_comes_first(ratio: float) -> None:
    assert e_value(ratio) == pytest.approx(e_value(1 / ratio))
    assert e_value(ratio) >= max(ratio, 1 / ratio) - 1e-9


def test_ratios_that_are_none() -> None:
    with pytest.raises(ValueError, match="positive"):
        e_value([1.0, 0.0])
    assert np.isnan(e_value(np.nan))
    assert np.isnan(e_value_of_interval(np.nan, 2.0))


def test_regression_to_the_mean_equals_the_published_value_and_a_simulation() -> None:
    # T20: mean 5, SD 2, rho .6, from 6 (quadrature): 7.282156, 6.369293, .912862
    found = regression_to_mean(5, 2, 0.6, 6)
    assert found.selected_mean == pytest.approx(7.282156, abs=5e-7)
    assert found.followup_mean == pytest.approx(6.369293, abs=5e-7)
    assert found.expected_drop == pytest.approx(0.912862, abs=5e-7)
    rng = np.random.default_rng(4)
    state = rng.normal(5, 2 * np.sqrt(0.6), 400_000)
    first, second = (state + rng.normal(0, 2 * np.sqrt(0.4), state.size) for _ in range(2))
    assert (first - second)[first >= 6].mean() == pytest.approx(float(found.expected_drop), abs=0.02)


def test_regression_to_the_mean_at_its_ends() -> None:
    assert regression_to_mean(5, 2, 1.0, 6).expected_drop == 0  # a score without error
    assert regression_to_mean(5, 2, 0.6, -1000).expected_drop == pytest.approx(0, abs=1e-12)  # nobody is left out
    assert regression_to_mean(5, 1, 0.0, 45).expected_drop == pytest.approx(40, abs=0.03)  # far out: no overflow
    assert np.isnan(regression_to_mean([5, 5], [0, np.nan], 0.6, 6).expected_drop).all()
    with pytest.raises(ValueError, match="correlation"):
        regression_to_mean(5, 2, 1.2, 6)


def zone(rate: float, low: float, high: float) -> int:
    return -1 if rate < low - 1e-12 else int(rate > high + 1e-12)


@given(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(0, 30))),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_tipping_points_equal_enumeration(counts: tuple[int, int, int], one: int, other: int) -> None:
    x, known, unknown = counts
    total = known + unknown
    low, high = sorted((one % (total + 1) / total, other % (total + 1) / total))
    concluded = zone(x / known, low, high)
    found = tipping_rate([x], [known], [total], [concluded], [low], [high])
    changed = [k for k in range(unknown + 1) if zone((x + k) / total, low, high) != concluded]
    same_share = x / known * unknown
    above = [k for k in changed if k >= same_share - 1e-9 and zone((x + k) / total, low, high) >= concluded]
    below = [k for k in changed if k <= same_share + 1e-9 and zone((x + k) / total, low, high) <= concluded]
    # from below a clinic can only leave upwards, from above only downwards
    expected_up = min(above) / unknown if above and unknown and concluded <= 0 else np.nan
    expected_down = max(below) / unknown if below and unknown and concluded >= 0 else np.nan
    np.testing.assert_allclose([found.up[0], found.down[0]], [expected_up, expected_down])


def test_a_tipping_point_by_hand() -> None:
    # 30 of 60 known recovered, 40 unknown, limits of 100 patients at .40 and .60: within; 31 of the 40 make 61%,
    # 9 make 39%. Odds of 31/40 are 3.44 times those of the known.
    found = tipping_rate([30], [60], [100], [0], [0.40], [0.60])
    assert (found.up[0], found.down[0]) == (31 / 40, 9 / 40)
    assert found.odds_ratio_up[0] == pytest.approx(31 / 9)
    assert found.odds_ratio_down[0] == pytest.approx(9 / 31)
    # 57 of 60 recovered: above; of the 40 only 3 or fewer bring it back to 60%
    high = tipping_rate([57], [60], [100], [1], [0.40], [0.60])
    assert high.down[0] == 3 / 40
    assert np.isnan(high.up[0])


def test_a_conclusion_that_nothing_can_change() -> None:
    settled = tipping_rate([50, 95, 10, 0], [98, 98, 20, 0], [100, 100, 20, 10], [0, 1, 0, 0], [0.4] * 4, [0.6] * 4)
    assert np.isnan([*settled.up, *settled.down]).all()


def test_shift_that_takes_a_difference_to_zero() -> None:
    # 30% unknown, interval 0.6 to 1.8: they would have to be 2 points worse than the known
    np.testing.assert_allclose(
        tipping_shift([0.6, -0.1, -0.5, 0.2], [1.8, 0.4, -0.3, 0.9], [0.3, 0.3, 0.5, 0.0]),
        [-2.0, np.nan, 0.6, np.nan],
    )


def test_newcombe_equals_published_values() -> None:
    # T1e; Newcombe 1998 (Stat Med 17:873), table II, method 10: cases a, b and those where one share is 1, the other 0
    difference, low, high = newcombe([56, 9, 10, 10], [70, 10, 10, 10], [48, 3, 0, 0], [80, 10, 20, 10])
    np.testing.assert_allclose(difference, [0.2, 0.6, 1.0, 1.0])
    np.testing.assert_allclose(low, [0.0524, 0.1705, 0.6791, 0.6075], atol=5e-5)
    np.testing.assert_allclose(high, [0.3339, 0.8090, 1.0, 1.0], atol=5e-5)
    _, more_low, more_high = newcombe([56], [70], [48], [80])
    np.testing.assert_allclose([more_low[0], more_high[0]], [0.052431, 0.333873], atol=5e-7)


def test_newcombe_of_nobody_and_of_impossible_counts() -> None:
    assert np.isnan(newcombe([0, 3], [0, 5], [1, 0], [3, 0])).all()
    with pytest.raises(ValueError, match="count"):
        newcombe([4], [3], [1], [3])


@given(st.tuples(*[st.integers(1, 500)] * 2), st.floats(0, 1), st.floats(0, 1))
def test_newcombe_holds_the_difference_and_mirrors(sizes: tuple[int, int], one: float, other: float) -> None:
    x, y = round(one * sizes[0]), round(other * sizes[1])
    difference, low, high = (float(value[0]) for value in newcombe([x], [sizes[0]], [y], [sizes[1]]))
    assert -1 - 1e-12 <= low <= difference + 1e-12
    assert difference - 1e-12 <= high <= 1 + 1e-12
    mirrored = newcombe([y], [sizes[1]], [x], [sizes[0]])
    np.testing.assert_allclose([-mirrored[2][0], -mirrored[1][0]], [low, high], atol=1e-12)
    assert high - low >= max(wilson([x], [sizes[0]])[0][0] - wilson([x], [sizes[0]])[1][0], 0) - 1e-12
