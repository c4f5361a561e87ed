"""Aalen-Johansen and Kaplan-Meier against published values, lifelines, statsmodels, brute force and a simulation."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assets.outcomes.methods.survival import (
    Risk,
    competing_incidence,
    cumulative_incidence,
    one_minus_kaplan_meier,
    risk_table,
)

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"

# T8, made by hand in domain/README.md section 7: (time, cause), 0 = censored
T8 = [(2, 1), (3, 2), (4, 1), (4, 2), (5, 0), (6, 1), (6, 1), (8, 2), (9, 0), (10, 1), (12, 0), (12, 2)]
T8_CIF1 = {2: "1/12", 3: "1/12", 4: "1/6", 6: "5/14", 8: "5/14", 10: "61/126", 12: "61/126"}
T8_CIF2 = {2: "0", 3: "1/12", 4: "1/6", 6: "1/6", 8: "11/42", 10: "11/42", 12: "7/18"}

# T2: Freireich 1963, 6-MP arm (R package MASS, gehan). S and standard error known since Cox 1972; T2b by lifelines
SIX_MP = [(t, 1) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)]
SIX_MP += [(t, 0) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
SIX_MP_FREE = {6: 0.857143, 7: 0.806723, 10: 0.752941, 13: 0.690196, 16: 0.627451, 22: 0.537815, 23: 0.448179}
SIX_MP_LOG_LOG = {6: (0.619718, 0.951552), 23: (0.188052, 0.680143)}

# T5: acute myelogenous leukaemia, therneau/survival tests/doaml.Rout.save
MAINTAINED = [(t, 1) for t in (9, 13, 18, 23, 31, 34, 48)] + [(t, 0) for t in (13, 28, 45, 161)]
NOT_MAINTAINED = [(t, 1) for t in (5, 5, 8, 8, 12, 23, 27, 30, 33, 43, 45)] + [(16, 0)]
MAINTAINED_FREE = {9: 0.909, 13: 0.818, 18: 0.716, 23: 0.614, 31: 0.491, 34: 0.368, 48: 0.184}
NOT_MAINTAINED_FREE = {5: 0.8333, 8: 0.6667, 12: 0.5833, 23: 0.4861, 27: 0.3889, 30: 0.2917, 33: 0.1944, 43: 0.0972}


def risk_of(*groups: list[tuple[int, int]], last: int | None = None) -> Risk:
    """Counts by day 0 .. last of (time, cause) lists."""
    last = max(t for group in groups for t, _ in group) if last is None else last
    table = np.zeros((len(groups), 3, last + 1), dtype=np.int64)
    beyond = np.zeros(len(groups), dtype=np.int64)
    for position, group in enumerate(groups):
        for time, cause in group:
            if time > last:
                beyond[position] += 1
            else:
                table[position, cause, time] += 1
    return risk_table(table[:, 1], table[:, 2], table[:, 0], beyond)


def test_t8_aalen_johansen_is_exact() -> None:
    risk = risk_of(T8)
    share, left = cumulative_incidence(risk).share[0], competing_incidence(risk)[0]
    np.testing.assert_allclose([share[t] for t in T8_CIF1], [float(Fraction(f)) for f in T8_CIF1.values()], rtol=1e-14)
    np.testing.assert_allclose([left[t] for t in T8_CIF2], [float(Fraction(f)) for f in T8_CIF2.values()], rtol=1e-14)
    assert 1 - share[-1] - left[-1] == pytest.approx(8 / 63)
    assert one_minus_kaplan_meier(risk).share[0, -1] == pytest.approx(0.607143, abs=5e-7)
    assert risk.entering[0, [2, 3, 4, 6, 8, 10, 12]].tolist() == [12, 11, 10, 7, 5, 3, 2]
    assert risk.remaining[0, -1] == 0


def test_t2_kaplan_meier_and_log_log_interval() -> None:
    estimate = one_minus_kaplan_meier(risk_of(SIX_MP))
    np.testing.assert_allclose([1 - estimate.share[0, t] for t in SIX_MP_FREE], list(SIX_MP_FREE.values()), atol=5e-7)
    for time, (low, high) in SIX_MP_LOG_LOG.items():
        assert 1 - estimate.high[0, time] == pytest.approx(low, abs=5e-7)
        assert 1 - estimate.low[0, time] == pytest.approx(high, abs=5e-7)


@pytest.mark.parametrize(
    ("group", "expected"), [(MAINTAINED, MAINTAINED_FREE), (NOT_MAINTAINED, {**NOT_MAINTAINED_FREE, 45: 0.0})]
)
def test_t5_kaplan_meier(group: list[tuple[int, int]], expected: dict[int, float]) -> None:
    share = one_minus_kaplan_meier(risk_of(group)).share[0]
    np.testing.assert_allclose([1 - share[t] for t in expected], list(expected.values()), atol=5e-4)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    curves = {"km_6mp": SIX_MP, "km_aml_maintained": MAINTAINED, "km_aml_nonmaintained": NOT_MAINTAINED}
    for name, group in curves.items():
        risk = risk_of(group)
        estimate = one_minus_kaplan_meier(risk)
        for row in vectors[name]:
            at = (0, row["t"])
            assert (risk.entering[at], risk.event[at]) == (row["n"], row["d"])
            assert 1 - estimate.share[at] == pytest.approx(row["S"], abs=5e-7)
            if row["S"]:
                interval = [1 - estimate.high[at], 1 - estimate.low[at]]
                assert interval == pytest.approx(row["loglog"], abs=1e-6)
            else:
                assert np.isnan([estimate.low[at], estimate.high[at]]).all()
    data = [(t, cause) for t, cause in vectors["aalen_johansen"]["data"]]
    assert data == T8
    for row in vectors["aalen_johansen"]["rows"]:
        assert T8_CIF1[row["t"]] == row["cif1"]
        assert T8_CIF2[row["t"]] == row["cif2"]


def tied_sample(seed: int, size: int = 300) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    days, causes = rng.integers(0, 25, size), rng.choice(3, size, p=[0.2, 0.5, 0.3])
    return list(zip(days.tolist(), causes.tolist(), strict=True))


def standard_error(estimate_low: float, estimate_high: float, share: float) -> float:
    """Standard error from a log-log interval."""
    width = np.log(np.log(estimate_low) / np.log(estimate_high)) / 2
    return float(width / 1.959963984540054 * share * -np.log(share))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ties_between_causes_agree_with_statsmodels_on_single_patients(seed: int) -> None:
    from statsmodels.duration.survfunc import CumIncidenceRight  # noqa: PLC0415 - over a second to import

    sample = tied_sample(seed)
    with np.errstate(invalid="ignore", divide="ignore"):  # it divides by zero at a last time without survivors
        library = CumIncidenceRight(*(np.array(column) for column in zip(*sample, strict=True)))
    risk = risk_of(sample)
    estimate = cumulative_incidence(risk)
    days = library.times[:-1].astype(int)
    np.testing.assert_allclose(estimate.share[0, days], library.cinc[0][:-1], rtol=1e-10)
    np.testing.assert_allclose(competing_incidence(risk)[0, days], library.cinc[1][:-1], rtol=1e-10)
    errors = [standard_error(estimate.low[0, d], estimate.high[0, d], estimate.share[0, d]) for d in days]
    np.testing.assert_allclose(errors, library.cinc_se[0][:-1], rtol=1e-8)


def test_untied_data_agree_with_lifelines() -> None:
    from lifelines import AalenJohansenFitter  # noqa: PLC0415 - over a second to import

    rng = np.random.default_rng(8)
    causes = rng.choice(3, 120, p=[0.3, 0.4, 0.3])
    causes[-1] = 0  # lifelines divides by zero where the last one has an event
    sample = list(zip(range(1, 121), causes.tolist(), strict=True))
    times, kinds = (np.array(column) for column in zip(*sample, strict=True))
    fitter = AalenJohansenFitter(seed=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        fitter.fit(times, kinds, event_of_interest=1)
    estimate = cumulative_incidence(risk_of(sample))
    np.testing.assert_allclose(estimate.share[0], fitter.cumulative_density_.to_numpy()[:, 0], rtol=1e-10)
    bounds = np.sort(fitter.confidence_interval_.to_numpy(), axis=1)
    ours = np.stack([estimate.low[0], estimate.high[0]], axis=1)
    some = estimate.share[0] > 0
    np.testing.assert_allclose(ours[some], bounds[some], rtol=1e-8)


def test_weighted_kaplan_meier_agrees_with_lifelines() -> None:
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 - over a second to import

    sample = tied_sample(5)
    days, causes = (np.array(column) for column in zip(*sample, strict=True))
    unique, weights = np.unique(np.stack([days, causes == 1], axis=1), axis=0, return_counts=True)
    fitter = KaplanMeierFitter().fit(unique[:, 0], unique[:, 1], weights=weights)
    estimate = one_minus_kaplan_meier(risk_of(sample))
    reference = fitter.survival_function_at_times(np.arange(24)).to_numpy()
    np.testing.assert_allclose(1 - estimate.share[0, :24], reference, rtol=1e-10)
    bounds = np.sort(fitter.confidence_interval_.loc[range(1, 24)].to_numpy(), axis=1)
    ours = np.stack([1 - estimate.high[0, 1:24], 1 - estimate.low[0, 1:24]], axis=1)
    np.testing.assert_allclose(ours, bounds, rtol=1e-8)


def variance_written_out(risk: Risk, t: int) -> float:
    """Sum the formula of Marubini and Valsecchi term by term, with fractions."""
    n, d1, d2 = (values[0].tolist() for values in (risk.entering, risk.event, risk.competing))
    free, share, before, incidence = Fraction(1), Fraction(0), [], []
    for at_risk, one, two in zip(n, d1, d2, strict=True):
        before.append(free)
        if at_risk:
            share += free * Fraction(one, at_risk)
            free *= 1 - Fraction(one + two, at_risk)
        incidence.append(share)
    total = Fraction(0)
    for i in range(t + 1):
        if n[i] == 0:
            continue
        gap, d = incidence[t] - incidence[i], d1[i] + d2[i]
        if d < n[i]:
            total += gap**2 * Fraction(d, n[i] * (n[i] - d))
        total += before[i] ** 2 * Fraction(d1[i] * (n[i] - d1[i]), n[i] ** 3)
        total -= 2 * gap * before[i] * Fraction(d1[i], n[i] ** 2)
    return float(total)


COUNTS = npst.arrays(np.int64, (3, 12), elements=st.integers(0, 5))


@given(COUNTS, st.integers(0, 5))
def test_variance_equals_the_formula_written_out(counts: np.ndarray, beyond: int) -> None:
    risk = risk_table(counts[:1], counts[1:2], counts[2:], [beyond])
    estimate = cumulative_incidence(risk)
    for t in range(counts.shape[1]):
        share = estimate.share[0, t]
        if 1e-9 < share < 1 - 1e-9:
            error = standard_error(estimate.low[0, t], estimate.high[0, t], share) if estimate.low[0, t] < share else 0
            assert error == pytest.approx(variance_written_out(risk, t) ** 0.5, rel=1e-5, abs=1e-7)


@given(COUNTS, st.integers(0, 5))
def test_invariants(counts: np.ndarray, beyond: int) -> None:
    risk = risk_table(counts[:1], counts[1:2], counts[2:], [beyond])
    recovered, left = cumulative_incidence(risk), competing_incidence(risk)
    free = np.cumprod(1 - (risk.event + risk.competing) / np.maximum(risk.entering, 1), axis=1)
    np.testing.assert_allclose(recovered.share + left + free, 1, atol=1e-12)
    assert (np.diff(recovered.share) >= 0).all()
    assert (np.diff(left) >= 0).all()
    kaplan_meier = one_minus_kaplan_meier(risk)
    assert (kaplan_meier.share >= recovered.share - 1e-12).all()
    for estimate in (recovered, kaplan_meier):
        known = ~np.isnan(estimate.low)
        assert (estimate.low[known] <= estimate.share[known] + 1e-12).all()
        assert (estimate.high[known] >= estimate.share[known] - 1e-12).all()
        assert ((estimate.low[known] >= 0) & (estimate.high[known] <= 1)).all()
    so_far = sum(np.cumsum(part, axis=1) for part in (risk.event, risk.competing, risk.censored))
    assert (risk.remaining + so_far == counts.sum() + beyond).all()


@given(npst.arrays(np.int64, (2, 10), elements=st.integers(0, 9)), st.integers(1, 9))
def test_without_censoring_it_is_a_binomial_share(counts: np.ndarray, beyond: int) -> None:
    risk = risk_table(counts[:1], counts[1:], np.zeros((1, 10)), [beyond])
    n = counts.sum() + beyond
    share = cumulative_incidence(risk).share[0]
    np.testing.assert_allclose(share, np.cumsum(counts[0]) / n, atol=1e-12)
    for t in range(10):
        assert variance_written_out(risk, t) == pytest.approx(share[t] * (1 - share[t]) / n, abs=1e-12)


def test_groups_do_not_touch_each_other() -> None:
    together = cumulative_incidence(risk_of(T8, SIX_MP, MAINTAINED, last=40))
    for position, group in enumerate((T8, SIX_MP, MAINTAINED)):
        alone = cumulative_incidence(risk_of(group, last=40))
        np.testing.assert_array_equal(together.share[position], alone.share[0])
        np.testing.assert_array_equal(together.low[position], alone.low[0])


def test_edges() -> None:
    everyone = cumulative_incidence(risk_of([(3, 1)] * 20))
    assert everyone.share[0].tolist() == [0, 0, 0, 1]
    assert np.isnan(everyone.low).all()
    nobody = cumulative_incidence(risk_table(np.zeros((1, 4)), np.zeros((1, 4)), np.zeros((1, 4)), [0]))
    assert nobody.share.tolist() == [[0, 0, 0, 0]]
    none_at_all = cumulative_incidence(risk_table(*np.zeros((3, 0, 4)), np.zeros(0)))
    assert none_at_all.share.shape == (0, 4)
    one = cumulative_incidence(risk_of([(2, 1)]))
    assert one.share[0].tolist() == [0, 0, 1]


def test_all_recovering_in_many_steps_ends_at_one_without_interval() -> None:
    estimate = cumulative_incidence(risk_of([(t, 1) for t in range(49)]))
    assert estimate.share[0, -1] == pytest.approx(1, abs=1e-12)
    assert np.isnan(estimate.low[0, -1])


def test_wrong_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="fit together"):
        risk_table([[1, 2]], [[1]], [[1, 2]], [0])
    with pytest.raises(ValueError, match="fit together"):
        risk_table([[1]], [[1]], [[1]], [0, 0])
    with pytest.raises(ValueError, match="negative"):
        risk_table([[1]], [[-1]], [[1]], [0])


def test_coverage_is_near_nominal() -> None:
    # 3,000 groups of 80 with two causes and censoring; standard error of a coverage of 95%: 0.4 points
    rng = np.random.default_rng(20261122)
    groups, size, last = 3_000, 80, 60
    first, second, censoring = (rng.geometric(p, (groups, size)) for p in (0.02, 0.01, 0.008))
    time = np.minimum(np.minimum(first, second), censoring)
    kind = np.where(first == time, 0, np.where(second == time, 1, 2))
    table = np.zeros((groups, 3, last + 1), dtype=np.int64)
    row = np.broadcast_to(np.arange(groups)[:, None], time.shape)
    inside = time <= last
    np.add.at(table, (row[inside], kind[inside], time[inside]), 1)
    estimate = cumulative_incidence(risk_table(table[:, 0], table[:, 1], table[:, 2], (~inside).sum(axis=1)))
    # A day's tie goes to the first cause: its hazard is .02, the other's .98 * .01
    day = np.arange(1, last + 1)
    truth = np.concatenate([[0], np.cumsum(0.02 * (0.98 * 0.99) ** (day - 1))])
    for t in (20, 40, 60):
        coverage = ((estimate.low[:, t] <= truth[t]) & (truth[t] <= estimate.high[:, t])).mean()
        assert 0.93 < coverage < 0.97


def test_four_hundred_curves_are_fast() -> None:
    table = np.random.default_rng(1).integers(0, 4, (3, 400, 170))
    started = process_time()
    risk = risk_table(*table, np.full(400, 50))
    cumulative_incidence(risk)
    competing_incidence(risk)
    one_minus_kaplan_meier(risk)
    assert process_time() - started < 0.5
