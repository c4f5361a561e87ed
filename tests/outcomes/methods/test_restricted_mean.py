"""Restricted means against published values, lifelines, brute force, and arithmetic without censoring."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assets.outcomes.methods.restricted_mean import difference, mean_time_event_free, mean_time_with_event
from assets.outcomes.methods.survival import Risk, cumulative_incidence, one_minus_kaplan_meier, quantile, risk_table

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"

# T7 and T2: Freireich 1963, (time, event); T5: acute myelogenous leukaemia (therneau/survival)
SIX_MP = [(t, 1) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)]
SIX_MP += [(t, 0) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
PLACEBO = [(t, 1) for t in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]
MAINTAINED = [(t, 1) for t in (9, 13, 18, 23, 31, 34, 48)] + [(t, 0) for t in (13, 28, 45, 161)]
NOT_MAINTAINED = [(t, 1) for t in (5, 5, 8, 8, 12, 23, 27, 30, 33, 43, 45)] + [(16, 0)]
T8 = [(2, 1), (3, 2), (4, 1), (4, 2), (5, 0), (6, 1), (6, 1), (8, 2), (9, 0), (10, 1), (12, 0), (12, 2)]
LAST = 170
DAYS = np.arange(LAST)

COUNTS = npst.arrays(np.int64, (3, 12), elements=st.integers(0, 5))


def risk_of(*groups: list[tuple[int, int]]) -> Risk:
    table = np.zeros((len(groups), 3, LAST), dtype=np.int64)
    for position, group in enumerate(groups):
        for time, cause in group:
            table[position, cause, time] += 1
    return risk_table(table[:, 1], table[:, 2], table[:, 0], np.zeros(len(groups)))


FREIREICH = risk_of(SIX_MP, PLACEBO)
T7 = {
    12: ((10.783193, 7.285714), (0.499045, 0.888686), 3.497479, 1.01922),
    23: ((17.909244, 8.666667), (1.55319, 1.37739), 9.242577, 2.075958),
}


def one(risk: Risk, row: int) -> Risk:
    return Risk(*(part[row : row + 1] for part in (risk.entering, risk.event, risk.competing, risk.censored)))


@pytest.mark.parametrize("until", [12, 23])
def test_t7_restricted_mean_survival(until: int) -> None:
    means, errors, gap, gap_error = T7[until]
    found = mean_time_event_free(FREIREICH, DAYS, until)
    np.testing.assert_allclose(found.mean, means, atol=5e-7)
    np.testing.assert_allclose(found.error, errors, atol=5e-7)
    first, second = (mean_time_event_free(one(FREIREICH, row), DAYS, until) for row in (0, 1))
    made = difference(first, second)
    assert (made.mean[0], made.error[0]) == (pytest.approx(gap, abs=5e-7), pytest.approx(gap_error, abs=5e-7))
    assert made.low[0] == pytest.approx(gap - 1.959964 * gap_error, abs=1e-5)
    assert made.high[0] == pytest.approx(gap + 1.959964 * gap_error, abs=1e-5)


def test_t7_leukaemia_up_to_48() -> None:
    found = mean_time_event_free(risk_of(MAINTAINED, NOT_MAINTAINED), DAYS, 48)
    np.testing.assert_allclose(found.mean, [31.843182, 22.708333], atol=5e-7)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    for until, (means, errors, gap, gap_error) in T7.items():
        row = vectors["rmst"][str(until)]
        assert means == (row["sixmp"], row["placebo"])
        assert errors == (row["se_6mp"], row["se_placebo"])
        assert (gap, gap_error) == (row["diff"], row["se_diff"])
    assert vectors["rmst_aml_48"] == {"maintained": 31.843182, "nonmaintained": 22.708333}
    assert (vectors["km_6mp_median"], vectors["km_placebo_median"]) == (23.0, 8.0)


def test_lifelines_gives_the_same_means() -> None:
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 - over a second to import
    from lifelines.utils import restricted_mean_survival_time  # noqa: PLC0415 - as above

    found = mean_time_event_free(FREIREICH, DAYS, 20)
    for group, mean in zip((SIX_MP, PLACEBO), found.mean, strict=True):
        times, events = (np.array(column) for column in zip(*group, strict=True))
        assert restricted_mean_survival_time(KaplanMeierFitter().fit(times, events), t=20) == pytest.approx(mean)


def test_area_of_the_exact_curve_of_t8() -> None:
    # CIF1 of T8 is 1/12 from 2, 1/6 from 4, 5/14 from 6, 61/126 from 10 (domain README section 7)
    found = mean_time_with_event(risk_of(T8), DAYS, 12)
    assert found.mean[0] == pytest.approx(2 / 12 + 2 / 6 + 4 * 5 / 14 + 2 * 61 / 126)


@given(COUNTS, st.integers(1, 5), st.integers(1, 12))
def test_it_is_the_area_under_the_curve(counts: np.ndarray, beyond: int, until: int) -> None:
    risk = risk_table(counts[:1], counts[1:2], counts[2:], [beyond])
    incidence, free = cumulative_incidence(risk).share[0], 1 - one_minus_kaplan_meier(risk).share[0]
    days = np.arange(12)
    assert mean_time_with_event(risk, days, until).mean[0] == pytest.approx(incidence[:until].sum(), abs=1e-12)
    assert mean_time_event_free(risk, days, until).mean[0] == pytest.approx(free[:until].sum(), abs=1e-12)


@given(COUNTS, st.integers(1, 5), st.integers(2, 12))
def test_standard_error_equals_numerical_differentiation(counts: np.ndarray, beyond: int, until: int) -> None:
    # The delta method by brute force: move each hazard a little, weigh by the multinomial covariance of its time
    risk = risk_table(counts[:1], counts[1:2], counts[2:], [beyond])
    n, d1, d2 = (part[0].astype(float) for part in (risk.entering, risk.event, risk.competing))

    def area(first: np.ndarray, second: np.ndarray) -> float:
        free, incidence, total = 1.0, 0.0, 0.0
        for time in range(until):
            incidence += free * first[time]
            free *= 1 - first[time] - second[time]
            total += incidence
        return total

    h1, h2, step, variance = d1 / n, d2 / n, 1e-6, 0.0
    for time in range(until):
        nudge = np.zeros(12)
        nudge[time] = step
        slopes = [
            (area(h1 + nudge, h2) - area(h1 - nudge, h2)) / (2 * step),
            (area(h1, h2 + nudge) - area(h1, h2 - nudge)) / (2 * step),
        ]
        p = np.array([h1[time], h2[time]])
        variance += slopes @ ((np.diag(p) - np.outer(p, p)) / n[time]) @ slopes
    found = mean_time_with_event(risk, np.arange(12), until)
    assert found.error[0] == pytest.approx(max(variance, 0.0) ** 0.5, rel=1e-5, abs=1e-6)


@given(npst.arrays(np.int64, (2, 10), elements=st.integers(0, 9)), st.integers(1, 9), st.integers(1, 10))
def test_without_censoring_it_is_the_mean_of_the_time_that_is_left(counts: np.ndarray, beyond: int, until: int) -> None:
    risk = risk_table(counts[:1], counts[1:], np.zeros((1, 10)), [beyond])
    lived = np.concatenate([np.repeat(np.maximum(until - np.arange(10), 0), counts[0]), np.zeros(counts[1].sum())])
    lived = np.concatenate([lived, np.zeros(beyond)])
    found = mean_time_with_event(risk, np.arange(10), until)
    assert found.mean[0] == pytest.approx(lived.mean(), abs=1e-12)
    assert found.error[0] == pytest.approx(lived.std() / len(lived) ** 0.5, abs=1e-9)


def test_a_curve_that_ends_before_the_horizon_has_no_mean() -> None:
    censored = risk_of([(3, 1), (10, 0)])
    assert np.isnan(mean_time_with_event(censored, DAYS, 20).mean[0])
    assert np.isnan(mean_time_event_free(censored, DAYS, 20).high[0])
    assert mean_time_with_event(censored, DAYS, 10).mean[0] == pytest.approx(3.5)
    finished = risk_of([(3, 1), (10, 2)])
    assert mean_time_with_event(finished, DAYS, 20).mean[0] == pytest.approx(8.5)
    assert np.isnan(mean_time_event_free(finished, DAYS, 20).mean[0])


def test_delayed_origin_shortens_what_is_possible() -> None:
    late = risk_of([(15, 1)] * 20 + [(100, 1)])
    free = mean_time_event_free(late, DAYS, 84, origin=14)
    assert free.mean[0] == pytest.approx((20 * 1 + 70) / 21)
    assert mean_time_with_event(late, DAYS, 84, origin=14).high[0] <= 70


def test_wrong_clocks_are_refused() -> None:
    with pytest.raises(ValueError, match="times"):
        mean_time_with_event(FREIREICH, DAYS[:-1], 12)
    with pytest.raises(ValueError, match="times"):
        mean_time_with_event(FREIREICH, DAYS[::-1], 12)
    with pytest.raises(ValueError, match="horizon"):
        mean_time_event_free(FREIREICH, DAYS, 12, origin=12)


def test_coverage_is_near_nominal() -> None:
    # 3,000 groups of 60 with two causes and censoring; standard error of a coverage of 95%: 0.4 points
    rng = np.random.default_rng(20261125)
    groups, size, last, until = 3_000, 60, 60, 50
    first, second, censoring = (rng.geometric(p, (groups, size)) for p in (0.02, 0.01, 0.008))
    time = np.minimum(np.minimum(first, second), censoring)
    kind = np.where(first == time, 0, np.where(second == time, 1, 2))
    table = np.zeros((groups, 3, last + 1), dtype=np.int64)
    row = np.broadcast_to(np.arange(groups)[:, None], time.shape)
    inside = time <= last
    np.add.at(table, (row[inside], kind[inside], time[inside]), 1)
    risk = risk_table(table[:, 0], table[:, 1], table[:, 2], (~inside).sum(axis=1))
    found = mean_time_with_event(risk, np.arange(last + 1), until)
    truth = sum(0.02 * (0.98 * 0.99) ** (day - 1) * (until - day) for day in range(1, until + 1))
    assert 0.93 < ((found.low <= truth) & (truth <= found.high)).mean() < 0.97


def test_four_hundred_means_are_fast() -> None:
    table = np.random.default_rng(1).integers(0, 4, (3, 400, 170))
    risk = risk_table(*table, np.full(400, 50))
    mean_time_with_event(risk, DAYS, 84)
    started = process_time()
    mean_time_with_event(risk, DAYS, 84)
    assert process_time() - started < 0.2


def test_t2_medians() -> None:
    found = quantile(one_minus_kaplan_meier(FREIREICH), DAYS)
    assert found.time.tolist() == [23, 8]


def test_medians_and_intervals_equal_those_of_lifelines() -> None:
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 - over a second to import
    from lifelines.utils import median_survival_times  # noqa: PLC0415 - as above

    groups = (SIX_MP, PLACEBO, MAINTAINED)
    found = quantile(one_minus_kaplan_meier(risk_of(*groups)), DAYS)
    for position, group in enumerate(groups):
        fitter = KaplanMeierFitter().fit(*(np.array(column) for column in zip(*group, strict=True)))
        low, high = median_survival_times(fitter.confidence_interval_).to_numpy()[0]
        ours = [found.time[position], *np.nan_to_num([found.low[position], found.high[position]], nan=np.inf)]
        assert ours == [fitter.median_survival_time_, low, high]


def test_a_median_that_is_not_reached_is_open() -> None:
    half = cumulative_incidence(risk_of(T8))
    assert np.isnan(quantile(half, DAYS).time[0])  # CIF1 ends at .484
    assert quantile(half, DAYS, share=1 / 6).time[0] == 4
    everyone = quantile(cumulative_incidence(risk_of([(3, 1)] * 20)), DAYS)
    assert (everyone.time[0], everyone.low[0]) == (3, 3)
    assert np.isnan(everyone.high[0])
    nobody = risk_table(*np.zeros((3, 0, LAST)), np.zeros(0))
    assert quantile(cumulative_incidence(nobody), DAYS).time.shape == (0,)


@pytest.mark.parametrize(("times", "share"), [(DAYS[:-1], 0.5), (DAYS[::-1], 0.5), (DAYS, 0.0), (DAYS, 1.0)])
def test_wrong_quantiles_are_refused(times: np.ndarray, share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        quantile(cumulative_incidence(FREIREICH), times, share)
