"""Random intercept and slope: lme4's published fit, MixedLM, planted courses, and data without an estimate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from assets.outcomes.methods.fitting import FitError, Reason
from assets.outcomes.methods.mixed_linear import fit_linear
from assets.outcomes.methods.trajectory import KNOTS, fit_trajectory, mean_at, spline, useful_knots

# Reaction times in ms of 18 people on days 0 to 9 of sleep deprivation (Belenky 2003, J Sleep Res 12:1), data set
# sleepstudy of lme4: a row per person
SLEEP = """
    249.56 258.7047 250.8006 321.4398 356.8519 414.6901 382.2038 290.1486 430.5853 466.3535
    222.7339 205.2658 202.9778 204.707 207.7161 215.9618 213.6303 217.7272 224.2957 237.3142
    199.0539 194.3322 234.32 232.8416 229.3074 220.4579 235.4208 255.7511 261.0125 247.5153
    321.5426 300.4002 283.8565 285.133 285.7973 297.5855 280.2396 318.2613 305.3495 354.0487
    287.6079 285 301.8206 320.1153 316.2773 293.3187 290.075 334.8177 293.7469 371.5811
    234.8606 242.8118 272.9613 309.7688 317.4629 309.9976 454.1619 346.8311 330.3003 253.8644
    283.8424 289.555 276.7693 299.8097 297.171 338.1665 332.0265 348.8399 333.36 362.0428
    265.4731 276.2012 243.3647 254.6723 279.0244 284.1912 305.5248 331.5229 335.7469 377.299
    241.6083 273.9472 254.4907 270.8021 251.4519 254.6362 245.4523 235.311 235.7541 237.2466
    312.3666 313.8058 291.6112 346.1222 365.7324 391.8385 404.2601 416.6923 455.8643 458.9167
    236.1032 230.3167 238.9256 254.922 250.7103 269.7744 281.5648 308.102 336.2806 351.6451
    256.2968 243.4543 256.2046 255.5271 268.9165 329.7247 379.4445 362.9184 394.4872 389.0527
    250.5265 300.0576 269.8939 280.5891 271.8274 304.6336 287.7466 266.5955 321.5418 347.5655
    221.6771 298.1939 326.8785 346.8555 348.7402 352.8287 354.4266 360.4326 375.6406 388.5417
    271.9235 268.4369 257.2424 277.6566 314.8222 317.2135 298.1353 348.1229 340.28 366.5131
    225.264 234.5235 238.9008 240.473 267.5373 344.1937 281.1481 347.5855 365.163 372.2288
    269.8804 272.4428 277.8989 281.7895 279.1705 284.512 259.2658 304.6306 350.7807 369.4692
    269.4117 273.474 297.5968 310.6316 287.1726 329.6076 334.4818 343.2199 369.1417 364.1236
    """
REACTION = np.array([float(number) for number in SLEEP.split()])
PERSON, DAY = np.repeat(np.arange(18), 10), np.tile(np.arange(10.0), 18)
LINE = np.column_stack([np.ones(180), DAY])


def test_sleepstudy_as_published_by_lme4() -> None:
    """Bates 2015 (J Stat Softw 67:1), section 5.2; more digits from MixedModels.jl's documentation."""
    fit = fit_trajectory(REACTION, LINE, DAY, PERSON)
    np.testing.assert_allclose(fit.coefficients, [251.405104848485, 10.467285959595], rtol=1e-10)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [6.825, 1.546], atol=5e-4)
    assert fit.sd_intercept == pytest.approx(24.7405, abs=2e-4)
    assert fit.sd_slope == pytest.approx(5.92213, abs=2e-5)
    assert fit.correlation == pytest.approx(0.066, abs=5e-4)
    assert fit.sd_residual == pytest.approx(25.59181, abs=2e-5)
    assert -2 * fit.log_likelihood == pytest.approx(1743.6282715, abs=1e-6)
    assert fit.covariance[0, 1] / np.sqrt(fit.covariance[0, 0] * fit.covariance[1, 1]) == pytest.approx(
        -0.13755, abs=1e-5
    )
    assert (fit.episodes, fit.scores) == (18, 180)


# Distance in mm between pituitary and a fissure of the jaw, at ages 8, 10, 12 and 14 (Potthoff & Roy 1964, Biometrika
# 51:313), data set Orthodont of nlme: four columns per child
ORTHODONT = """
    26 25 29 31  21.5 22.5 23 26.5  23 22.5 24 27.5  25.5 27.5 26.5 27  20 23.5 22.5 26  24.5 25.5 27 28.5
    22 22 24.5 26.5  24 21.5 24.5 25.5  23 20.5 31 26  27.5 28 31 31.5  23 23 23.5 25  21.5 23.5 24 28
    17 24.5 26 29.5  22.5 25.5 25.5 26  23 24.5 26 30  22 21.5 23.5 25  21 20 21.5 23  21 21.5 24 25.5
    20.5 24 24.5 26  23.5 24.5 25 26.5  21.5 23 22.5 23.5  20 21 21 22.5  21.5 22.5 23 25  23 23 23.5 24
    20 21 22 21.5  16.5 19 19 19.5  24.5 25 28 28
    """


def test_orthodont_as_published_by_nlme() -> None:
    """Pinheiro & Bates 2000, section 4.2: lme(distance ~ age), random slopes, and random intercepts only."""
    distance = np.array([float(number) for number in ORTHODONT.split()])
    child, age = np.repeat(np.arange(27), 4), np.tile([8.0, 10.0, 12.0, 14.0], 27)
    x = np.column_stack([np.ones(108), age])
    fit = fit_trajectory(distance, x, age, child)
    np.testing.assert_allclose(fit.coefficients, [16.761111, 0.660185], atol=5e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), [0.7752460, 0.0712533], atol=5e-7)
    # nlme stops when the likelihood changes by less than a millionth
    found = [fit.sd_intercept, fit.sd_slope, fit.sd_residual]
    np.testing.assert_allclose(found, [2.3270341, 0.2264278, 1.3100397], rtol=2e-6)
    assert fit.correlation == pytest.approx(-0.609, abs=5e-4)
    assert fit.log_likelihood == pytest.approx(-221.3183, abs=5e-5)
    simple = fit_linear(distance, x, child)
    np.testing.assert_allclose(np.sqrt(np.diag(simple.covariance)), [0.8023952, 0.0616059], atol=5e-8)


def course(day: np.ndarray) -> np.ndarray:
    """Planted mean: falls fast first, slowly later."""
    return 3 + 3 * np.exp(-day / 20)


def scored(seed: int, episodes: int, sd: tuple[float, float] = (1.5, 0.5)) -> tuple[np.ndarray, ...]:
    """Scores, days and codes of episodes with 3 to 12 scores each."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(episodes), rng.integers(3, 13, episodes))
    day = np.where(np.diff(code, prepend=-1) > 0, 0, rng.integers(1, 120, len(code))).astype(float)
    own = rng.normal(size=(episodes, 2)) * sd
    return course(day) + own[code, 0] + own[code, 1] * day / 28 + rng.normal(size=len(code)), day, code


def test_equals_statsmodels_where_it_converges() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415 - 1 second, in this test only

    y, day, code = scored(1, 60)
    x, time = spline(day, (0.0, 28.0, 84.0)), day / 28
    ours = fit_trajectory(y, x, time, code)
    theirs = MixedLM(y, x, code, exog_re=np.column_stack([np.ones(len(y)), time])).fit(method="bfgs", gtol=1e-8)
    np.testing.assert_allclose(ours.coefficients, theirs.fe_params, atol=1e-3)
    np.testing.assert_allclose(ours.sd_residual**2, theirs.scale, rtol=1e-3)
    np.testing.assert_allclose(
        [ours.sd_intercept**2, ours.correlation * ours.sd_intercept * ours.sd_slope, ours.sd_slope**2],
        np.asarray(theirs.cov_re)[np.tril_indices(2)],
        atol=2e-3,
    )
    assert theirs.llf - 1e-9 <= ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-5)


def test_no_worse_than_without_slopes() -> None:
    """The random intercept model is an edge of this one: its maximum is no higher, and near where time is noise."""
    y, day, code = scored(2, 50, (1.5, 0.0))
    x = spline(day, (0.0, 28.0, 84.0))
    simple = fit_linear(y, x, code)
    for seed in range(20):
        fit = fit_trajectory(y, x, np.random.default_rng(seed).normal(size=len(y)), code)
        assert -1e-8 < fit.log_likelihood - simple.log_likelihood < 6
        assert fit.sd_intercept == pytest.approx(simple.sd_between, rel=0.05)


def test_spline_is_natural_and_can_follow_any_values_at_its_knots() -> None:
    knots = (0.0, 14.0, 28.0, 84.0)
    values = np.array([6.0, 4.0, 3.5, 3.0])
    weights = np.linalg.solve(spline(knots, knots), values)
    days = np.linspace(0, 84, 40)
    np.testing.assert_allclose(
        spline(days, knots) @ weights, CubicSpline(knots, values, bc_type="natural")(days), atol=1e-9
    )
    beyond = spline([84.0, 100.0, 116.0], knots) @ weights
    assert beyond[2] - beyond[1] == pytest.approx(beyond[1] - beyond[0])


@pytest.mark.parametrize(("amplitudes", "weeks"), [((2.55,), (2,)), ((2.8, 2.4), (2.504, 37.51)), ((2.663,), (5.433,))])
def test_knots_follow_the_published_courses(amplitudes: tuple[float, ...], weeks: tuple[float, ...]) -> None:
    """Neck and low back pain, domain reference section 6, on a 0 to 10 scale; early days have more scores."""
    days = np.arange(169.0)
    truth = sum(a * np.exp(-days / 7 / w) for a, w in zip(amplitudes, weeks, strict=True))
    weight = np.sqrt(np.exp(-days / 35))
    x = spline(days, KNOTS)
    fitted = x @ np.linalg.lstsq(x * weight[:, None], truth * weight)[0]
    assert np.abs(fitted - truth)[:85].max() < 0.03


def test_knots_need_scores_before_them() -> None:
    assert useful_knots(np.tile([0.0, 28.0, 56.0, 84.0], 20)) == (0.0, 28.0, 56.0, 84.0)
    assert useful_knots(np.tile(np.arange(100.0), 11)) == KNOTS
    assert useful_knots(np.append(np.tile([0.0, 30.0], 11), [50.0] * 10)) == (0.0, 56.0)
    assert useful_knots(np.zeros(50)) == (0.0,)
    with pytest.raises(FitError, match="no_repeats"):
        spline(np.zeros(50), (0.0,))


def test_mean_of_all_although_the_better_leave() -> None:
    """Whoever scores 2 or less leaves: the mean of those still there rises, that of all does not."""
    rng = np.random.default_rng(5)
    days = np.arange(0, 85, 7.0)
    own = rng.normal(size=(1500, 2)) * [1.5, 0.4]
    scores = course(days) + own[:, :1] + own[:, 1:] * days / 28 + rng.normal(size=(1500, len(days)))
    left = np.cumsum(scores <= 2, axis=1)
    there = (np.roll(left, 1, axis=1) * (days > 0)) == 0
    code = np.unique(np.nonzero(there)[0], return_inverse=True)[1]
    day = np.tile(days, (1500, 1))[there]
    fit = fit_trajectory(scores[there], spline(day, KNOTS[:-1]), day / 28, code)
    mean, low, high = mean_at(fit, spline([0.0, 28.0, 84.0], KNOTS[:-1]))
    truth = course(np.array([0.0, 28.0, 84.0]))
    assert ((low < truth) & (truth < high)).all()
    assert scores[there[:, -1], -1].mean() > truth[-1] + 0.5
    assert mean[-1] == pytest.approx(truth[-1], abs=0.15)


def test_intervals_of_small_groups_cover() -> None:
    """200 samples of 25 episodes: 95% intervals hold the planted mean in 92 to 98% of them."""
    at = np.array([0.0, 28.0, 56.0])
    knots = (0.0, 7.0, 28.0, 84.0)
    held = []
    for seed in range(200):
        y, day, code = scored(seed, 25)
        _, low, high = mean_at(fit_trajectory(y, spline(day, knots), day / 28, code), spline(at, knots))
        held.append((low < course(at)) & (course(at) < high))
    assert 0.92 < np.mean(held) < 0.98


def test_order_of_rows_does_not_matter() -> None:
    y, day, code = scored(7, 40)
    order = np.random.default_rng(0).permutation(len(y))
    fit = fit_trajectory(y, spline(day, KNOTS), day / 28, code)
    moved = fit_trajectory(y[order], spline(day[order], KNOTS), day[order] / 28, code[order])
    np.testing.assert_allclose(moved.coefficients, fit.coefficients, rtol=1e-6, atol=1e-8)
    assert moved.sd_slope == pytest.approx(fit.sd_slope, rel=1e-6)


def test_a_reason_instead_of_numbers() -> None:
    y, day, code = scored(8, 30)
    line = np.column_stack([np.ones(len(y)), day])
    twice = np.repeat(np.arange(30), 2)
    for reason, arguments in {
        Reason.NO_REPEATS: (y[:60], line[:60], day[:60], twice),
        Reason.ONE_GROUP: (y, line, day, np.zeros(len(y), dtype=int)),
        Reason.CONSTANT_OUTCOME: (np.full(len(y), 4.0), line, day, code),
        Reason.COLLINEAR: (y, np.column_stack([line, 2 * day]), day, code),
        Reason.TOO_FEW_ROWS: (y[:2], line[:2], day[:2], np.array([0, 1])),
        Reason.NOT_IDENTIFIED: (y, line, np.ones(len(y)), code),
    }.items():
        with pytest.raises(FitError) as refused:
            fit_trajectory(*arguments)
        assert refused.value.reason == reason
    with pytest.raises(ValueError, match="left out"):
        fit_trajectory(y, line, day, code + 1)
