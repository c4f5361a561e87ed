"""Control charts against published limits and flags, invariants, and how often a stable series raises an alarm."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assets.outcomes.methods import control_charts as charts

SEED = 20261125
"""Of every simulation here."""
RULE_NAMES = {"outside": "outside", "run": "run7", "trend": "trend7", "two_of_three": "two_of_three"}
NAN = np.nan

NIST = [[49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]]
JUICE = [[12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]]

SPIKE = [60, 62, 58, 61, 59, 63, 60, 57, 62, 61, 59, 60, 80, 60, 61, 58, 62, 59, 60, 61]
SHIFT = [60, 58, 61, 59, 60, 58, 57, 59, 60, 58, 64, 65, 63, 66, 64, 65, 63, 64, 66, 65]
RISE = [50, 52, 51, 53, 50, 51, 52, 53, 54, 55, 56, 57, 58, 52, 51]
PAIR = [60, 60.5, 59.5, 60, 60.5, 59.5, 60, 61.8, 61.9, 60.2, 59.8, 60, 60.3, 59.7, 60, 60.4, 59.6, 60, 60.1, 59.9]
SHIFT_FLAGS = {point: ["run7"] for point in range(1, 21)} | {6: ["run7", "two_of_three"], 7: ["run7", "two_of_three"]}
RISE_FLAGS = {point: ["trend7"] for point in range(5, 14)}
RULES = [  # domain reference T24, computed there by the rules as the R package NHSRplotthedots applies them
    (SPIKE, True, 67.8782, 54.4218, {13: ["outside"]}),
    (SPIKE, False, 72.77, 49.53, {13: ["outside"]}),
    (SHIFT, True, 66.93, 56.57, SHIFT_FLAGS),
    (SHIFT, False, 66.93, 56.57, SHIFT_FLAGS),
    (RISE, True, 56.4785, 49.5215, RISE_FLAGS | {12: ["outside", "trend7"], 13: ["outside", "trend7"]}),
    (
        RISE,
        False,
        57.37,
        48.63,
        RISE_FLAGS | {11: ["trend7", "two_of_three"], 12: ["trend7", "two_of_three"], 13: ["outside", "trend7"]},
    ),
    (PAIR, True, 61.767, 58.603, {8: ["outside"], 9: ["outside"]}),
    (PAIR, False, 61.767, 58.603, {8: ["outside"], 9: ["outside"]}),
]


def flags(values: list[list[float]], limits: charts.Limits) -> dict[int, list[str]]:
    """Point, counted from 1 -> the rules that flag it."""
    found = charts.signals(values, limits)
    by_point = {
        point + 1: [name for rule, name in RULE_NAMES.items() if getattr(found, rule)[0, point]]
        for point in range(len(values[0]))
    }
    return {point: names for point, names in by_point.items() if names}


def test_individual_values_of_the_nist_handbook() -> None:
    limits = charts.xmr_limits(NIST, factor=3 / charts.D2, screened=False)
    assert limits.centre[0, 0] == pytest.approx(50.81)
    assert limits.mean_range[0] == pytest.approx(1.877778, abs=1e-6)
    assert limits.lower[0] == pytest.approx([45.8159] * 10, abs=1e-4)
    assert limits.upper[0] == pytest.approx([55.8041] * 10, abs=1e-4)
    assert charts.RANGE_FACTOR * limits.mean_range[0] == pytest.approx(6.1347, abs=1e-4)
    rounded = charts.xmr_limits(NIST, screened=False)
    assert (rounded.lower[0, 0], rounded.upper[0, 0]) == pytest.approx((45.8151, 55.8049), abs=1e-4)


def test_shares_of_the_orange_juice_cans_of_montgomery() -> None:
    limits = charts.p_limits(JUICE, np.full((1, 30), 50))
    assert limits.centre[0, 0] == pytest.approx(0.231333, abs=1e-6)
    assert (limits.lower[0, 0], limits.upper[0, 0]) == pytest.approx((0.052428, 0.410239), abs=1e-6)
    outside = charts.signals(np.array(JUICE) / 50, limits).outside
    assert [*np.flatnonzero(outside[0]) + 1] == [15, 23]


@pytest.mark.parametrize(("values", "screened", "upper", "lower", "expected"), RULES)
def test_the_four_rules_flag_every_member(
    values: list[float],
    screened: bool,  # noqa: FBT001 a parameter of the test
    upper: float,
    lower: float,
    expected: dict[int, list[str]],
) -> None:
    limits = charts.xmr_limits([values], screened=screened)
    assert (limits.upper[0, 0], limits.lower[0, 0]) == pytest.approx((upper, lower), abs=1e-4)
    assert flags([values], limits) == {point: expected[point] for point in sorted(expected)}


def test_the_direction_is_that_of_the_side_before_that_of_the_trend() -> None:
    values = [[60.0, 61, 59, 60, 61, 59, 50, 51, 52, 53, 54, 55, 56, 60, 61, 59, 60, 61]]
    limits = charts.xmr_limits(values, charts.first_points(values, 6))
    found = charts.signals(values, limits)
    assert found.trend[0, 6] == charts.UP
    assert found.run[0, 6] == charts.DOWN
    assert found.direction[0, 6] == charts.DOWN


# --- p', by its own definition: no complete published example with data was found -----------------------------------


def test_sigma_z_by_hand() -> None:
    """P 0.5 in all; z -1, +1, -1, +1 with n 100: three moving ranges of 2, so sigma_z is 2 / 1.128."""
    limits = charts.laney_limits([[45, 55, 45, 55]], [[100] * 4])
    assert limits.dispersion[0] == pytest.approx(2 / 1.128)
    assert limits.upper[0, 0] == pytest.approx(0.5 + 3 * 0.05 * 2 / 1.128)
    assert limits.lower[0, 0] == pytest.approx(0.5 - 3 * 0.05 * 2 / 1.128)


def test_p_prime_is_the_p_chart_where_sigma_z_is_one() -> None:
    """Z scores 1.128 / 2 either side of the centre have moving ranges of 1.128."""
    n = 10_000
    away = charts.D2 / 2 * np.sqrt(0.25 / n) * n
    successes = [[n / 2 - away, n / 2 + away] * 6]
    plain, laney = (limits(successes, [[n] * 12]) for limits in (charts.p_limits, charts.laney_limits))
    assert laney.dispersion[0] == pytest.approx(1)
    assert laney.upper[0] == pytest.approx(plain.upper[0])
    assert laney.lower[0] == pytest.approx(plain.lower[0])


def test_wide_n_makes_the_p_chart_explode_and_p_prime_not() -> None:
    """Shares vary between months by 3 points (SD) and n is in the thousands: sigma_z is near 3.7."""
    rng = np.random.default_rng(SEED)
    n = rng.integers(2000, 5000, (3000, 24))
    successes = rng.binomial(n, np.clip(rng.normal(0.6, 0.03, n.shape), 0, 1))
    used = charts.first_points(successes / n)
    outside = {
        limits.__name__: np.mean(charts.signals(successes / n, limits(successes, n, used)).outside[:, -1] != 0)
        for limits in (charts.p_limits, charts.laney_limits)
    }
    assert outside["p_limits"] > 0.35
    assert outside["laney_limits"] < 0.03
    kinds = Counter(charts.chart_kind(successes, n, used))
    assert kinds[charts.LANEY] > 0.99 * len(n)


# --- which chart (domain reference 4.6) -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "kind"),
    [
        pytest.param([13, 12] * 6, [25] * 12, charts.P, id="np and n(1-p) of 5 and more, binomial"),
        pytest.param([2, 3] * 6, [25] * 12, charts.XMR, id="fewer than 5 expected successes"),
        pytest.param([23, 22] * 6, [25] * 12, charts.XMR, id="fewer than 5 expected failures"),
        pytest.param([15, 35] * 6, [50] * 12, charts.XMR, id="over-dispersed, n not in the hundreds"),
        pytest.param([150, 350] * 6, [500] * 12, charts.LANEY, id="over-dispersed, n in the hundreds"),
        pytest.param([252, 248] * 6, [500] * 12, charts.P, id="binomial, n in the hundreds"),
        pytest.param([0] * 12, [500] * 12, charts.XMR, id="nobody: no variation to judge by"),
        pytest.param([13, 0] * 6, [25, 0] * 6, charts.XMR, id="no two periods that follow each other"),
    ],
)
def test_which_chart(successes: list[int], n: list[int], kind: str) -> None:
    assert charts.chart_kind([successes], [n], np.ones((1, 12), bool)) == [kind]


def test_one_small_period_decides_only_where_limits_rest_on_it() -> None:
    successes, n = [[13, 12] * 6 + [3]], [[25] * 12 + [6]]
    assert charts.chart_kind(successes, n, charts.first_points(successes)) == [charts.P]
    assert charts.chart_kind(successes, n, np.ones((1, 13), bool)) == [charts.XMR]


# --- frozen limits and gaps -----------------------------------------------------------------------------------------


def test_limits_rest_on_the_first_twelve_points_that_exist() -> None:
    values = np.array([[NAN, *range(6), NAN, *range(6, 20)]])
    used = charts.first_points(values)
    assert used.sum() == charts.BASELINE_POINTS
    assert list(np.flatnonzero(used[0])) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]
    later = values.copy()
    later[0, 14:] += 1000
    assert charts.xmr_limits(later, used).upper[0, 0] == charts.xmr_limits(values, used).upper[0, 0]


def test_no_moving_range_goes_across_a_gap() -> None:
    limits = charts.xmr_limits([[1, 2, NAN, 50, 51]])
    assert limits.ranges[0] == 2
    assert limits.mean_range[0] == 1


@pytest.mark.parametrize("rule", ["run", "trend"])
def test_a_gap_breaks_runs_and_trends(rule: str) -> None:
    whole = [[0.0, 1, 0, 1, 0, 1, *(10 + step for step in range(7))]]
    broken = [[*whole[0][:9], NAN, *whole[0][9:]]]
    limits = charts.xmr_limits(whole, charts.first_points(whole, 6))
    assert getattr(charts.signals(whole, limits), rule).any()
    limits = charts.xmr_limits(broken, charts.first_points(broken, 6))
    assert not getattr(charts.signals(broken, limits), rule).any()


def test_a_gap_breaks_a_group_of_three() -> None:
    base = [0.0, 1, 0, 1, 0, 1]
    limits = charts.xmr_limits([[*base, 2.5, 2.5, 1]], charts.first_points([base + [0] * 3], 6))
    assert charts.signals([[*base, 2.5, 2.5, 1]], limits).two_of_three[0, 6:].tolist() == [1, 1, 0]
    assert not charts.signals([[*base, 2.5, NAN, 2.5]], limits).two_of_three.any()


def test_seven_points_are_needed_not_six() -> None:
    for length, found in ((6, False), (7, True)):
        values = [[5.0] * 2 + [6.0 + 0.1 * (step % 2) for step in range(length)] + [4.0] * 2]
        limits = charts.xmr_limits([[5.0, 5.4, 5.0, *values[0][3:]]], charts.first_points(values, 3))
        assert charts.signals(values, limits).run.any() == found


def test_a_series_that_never_varies_raises_nothing() -> None:
    values = np.full((1, 24), 0.1)
    assert not charts.signals(values, charts.xmr_limits(values)).direction.any()


def test_no_limits_without_two_points_in_a_row() -> None:
    limits = charts.xmr_limits([[1.0, NAN, 2.0, NAN, 3.0]])
    assert np.isnan([limits.centre, limits.lower, limits.upper]).all()


@pytest.mark.parametrize("bad", [([[3]], [[2]]), ([[-1]], [[2]]), ([[1, 1]], [[2]])])
def test_impossible_counts_are_refused(bad: tuple[list[list[int]], list[list[int]]]) -> None:
    with pytest.raises(ValueError, match="larger than its group"):
        charts.p_limits(*bad)


def test_one_series_is_a_row_of_its_own() -> None:
    with pytest.raises(ValueError, match="series by periods"):
        charts.xmr_limits([1.0, 2.0])


# --- invariants -----------------------------------------------------------------------------------------------------

SERIES = arrays(np.float64, (1, 24), elements=st.one_of(st.integers(0, 40).map(float), st.just(NAN)))
RULE_FIELDS = ("outside", "run", "trend", "two_of_three")


@given(SERIES, st.integers(-1000, 1000))
def test_a_constant_moves_centre_and_limits_and_no_flag(values: np.ndarray, constant: int) -> None:
    used = charts.first_points(values)
    before, after = charts.xmr_limits(values, used), charts.xmr_limits(values + constant, used)
    for name in ("centre", "lower", "upper"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) + constant, nan_ok=True, abs=1e-9)
    one, other = charts.signals(values, before), charts.signals(values + constant, after)
    for rule in RULE_FIELDS:
        assert np.array_equal(getattr(one, rule), getattr(other, rule))


@given(SERIES)
def test_time_backwards_mirrors_trends_and_keeps_the_rest(values: np.ndarray) -> None:
    back = values[:, ::-1]
    one = charts.signals(values, charts.xmr_limits(values))
    other = charts.signals(back, charts.xmr_limits(back))
    for rule in ("outside", "run", "two_of_three"):
        assert np.array_equal(getattr(one, rule), getattr(other, rule)[:, ::-1])
    assert np.array_equal(one.trend != 0, other.trend[:, ::-1] != 0)


def test_a_rise_is_a_fall_backwards() -> None:
    values = np.array([RISE])
    for rows, direction in ((values, charts.UP), (values[:, ::-1], charts.DOWN)):
        trend = charts.signals(rows, charts.xmr_limits(rows)).trend
        assert set(trend[trend != 0]) == {direction}


@given(SERIES)
def test_upside_down_turns_every_signal_around(values: np.ndarray) -> None:
    one = charts.signals(values, charts.xmr_limits(values))
    other = charts.signals(-values, charts.xmr_limits(-values))
    for rule in RULE_FIELDS:
        assert np.array_equal(getattr(one, rule), -getattr(other, rule))


@given(arrays(np.float64, (3, 20), elements=st.integers(0, 40).map(float)))
def test_a_series_does_not_depend_on_its_neighbours(values: np.ndarray) -> None:
    together = charts.signals(values, charts.xmr_limits(values))
    for row in range(len(values)):
        alone = charts.signals(values[row : row + 1], charts.xmr_limits(values[row : row + 1]))
        for rule in RULE_FIELDS:
            assert np.array_equal(getattr(together, rule)[row], getattr(alone, rule)[0])


# --- false alarms: the numbers that the docstrings state ------------------------------------------------------------


def test_how_often_a_stable_series_raises_an_alarm() -> None:
    values = np.random.default_rng(SEED).normal(0, 1, (20_000, 24))
    found = charts.signals(values, charts.xmr_limits(values, charts.first_points(values)))
    latest = found.direction[:, -1] != 0
    assert latest.mean() == pytest.approx(0.06, abs=0.005)
    assert (found.outside[:, -1] != 0).mean() == pytest.approx(0.02, abs=0.005)
    assert (found.run[:, -1] != 0).mean() == pytest.approx(0.04, abs=0.005)
    assert (found.direction != 0).any(axis=1).mean() == pytest.approx(0.32, abs=0.01)


def test_a_shift_of_two_standard_deviations_is_not_missed() -> None:
    values = np.random.default_rng(SEED).normal(0, 1, (5000, 24))
    values[:, 16:] += 2
    found = charts.signals(values, charts.xmr_limits(values, charts.first_points(values)))
    assert (found.direction[:, -1] > 0).mean() > 0.85


def test_how_often_binomial_periods_look_over_dispersed() -> None:
    successes = np.random.default_rng(SEED).binomial(100, 0.6, (20_000, 12))
    dispersion = charts.p_limits(successes, np.full(successes.shape, 100)).dispersion
    assert (dispersion > charts.OVER_DISPERSED).mean() == pytest.approx(0.04, abs=0.005)
