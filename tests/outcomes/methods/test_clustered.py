"""Means of clusters and their difference, against published values and statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from assets.outcomes.methods.clustered import Clusters, Shared, clustered_difference, clustered_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Student's sleep data (1908): hours gained by the same ten patients with two drugs. R prints for t.test(DRUG_1)
# -0.5297804 to 2.0297804, for the paired t.test of both -2.4598858 to -0.7001142
DRUG_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
DRUG_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def by_cluster(values: NDArray[np.float64], cluster: NDArray[np.int64], size: int) -> tuple[NDArray[np.float64], ...]:
    return np.bincount(cluster, weights=values, minlength=size), np.bincount(cluster, minlength=size).astype(float)


def clusters(values: NDArray[np.float64], cluster: NDArray[np.int64], size: int) -> Clusters:
    totals, n = by_cluster(values, cluster, size)
    sums = (totals.sum(), n.sum(), (n > 0).sum(), (totals**2).sum(), (totals * n).sum(), (n**2).sum())
    return Clusters(*(np.array([float(item)]) for item in sums))


def shared(first: tuple[NDArray[np.float64], ...], second: tuple[NDArray[np.float64], ...]) -> Shared:
    (s1, n1), (s2, n2) = first, second
    sums = (((n1 > 0) & (n2 > 0)).sum(), (s1 * s2).sum(), (s1 * n2).sum(), (n1 * s2).sum(), (n1 * n2).sum())
    return Shared(*(np.array([float(item)]) for item in sums))


def test_one_value_in_each_cluster_is_students_interval() -> None:
    mean, low, high = clustered_mean(clusters(DRUG_1, np.arange(10), 10))
    assert mean[0] == pytest.approx(0.75)
    assert [low[0], high[0]] == pytest.approx([-0.5297804, 2.0297804], abs=5e-8)


def test_one_value_of_each_cluster_in_both_groups_is_the_paired_interval() -> None:
    patients = np.arange(10)
    both = shared(by_cluster(DRUG_1, patients, 10), by_cluster(DRUG_2, patients, 10))
    difference, low, high = clustered_difference(clusters(DRUG_1, patients, 10), clusters(DRUG_2, patients, 10), both)
    assert difference[0] == pytest.approx(-1.58)
    assert [low[0], high[0]] == pytest.approx([-2.4598858, -0.7001142], abs=5e-8)


@pytest.fixture(scope="module")
def sample() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """300 values of 40 patients with an effect of their own, in two groups at random."""
    rng = np.random.default_rng(20261125)
    cluster = rng.integers(0, 40, 300)
    return rng.normal(1, 1, 300) + rng.normal(0, 1, 40)[cluster], cluster, rng.random(300) < 0.3


def test_mean_equals_statsmodels(sample: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]) -> None:
    values, cluster, _ = sample
    fit = sm.OLS(values, np.ones((300, 1))).fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True)
    mean, low, high = clustered_mean(clusters(values, cluster, 40))
    assert mean[0] == pytest.approx(values.mean())
    assert [low[0], high[0]] == pytest.approx(fit.conf_int()[0], rel=1e-9)
    alone = stats.t.interval(0.95, 299, loc=values.mean(), scale=stats.sem(values))
    assert high[0] - low[0] > 1.3 * (alone[1] - alone[0])


def test_difference_equals_statsmodels(
    sample: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]],
) -> None:
    values, cluster, is_first = sample
    fit = sm.OLS(values, np.column_stack([np.ones(300), is_first])).fit(
        cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True
    )
    parts = [(values[chosen], cluster[chosen]) for chosen in (is_first, ~is_first)]
    difference, low, high = clustered_difference(
        *(clusters(*part, 40) for part in parts), shared(*(by_cluster(*part, 40) for part in parts))
    )
    assert difference[0] == pytest.approx(fit.params[1])
    # statsmodels also multiplies by (n - 1) / (n - 2)
    half = (fit.conf_int()[1][1] - fit.params[1]) / np.sqrt(299 / 298)
    assert [low[0], high[0]] == pytest.approx([fit.params[1] - half, fit.params[1] + half], rel=1e-9)


def test_coverage_is_nominal_where_patients_are_on_both_sides() -> None:
    # 1,000 samples: the standard error of a coverage of 95% is 0.7 points
    rng = np.random.default_rng(20261125)
    covered = []
    for _ in range(1_000):
        cluster = rng.integers(0, 60, 240)
        values = rng.normal(0, 1, 240) + rng.normal(0, 1, 60)[cluster]
        is_first = rng.random(240) < 0.5
        parts = [(values[chosen], cluster[chosen]) for chosen in (is_first, ~is_first)]
        _, low, high = clustered_difference(
            *(clusters(*part, 60) for part in parts), shared(*(by_cluster(*part, 60) for part in parts))
        )
        covered.append(low[0] <= 0 <= high[0])
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_edges() -> None:
    none, one = np.zeros(1), np.ones(1)
    empty = Clusters(none, none, none, none, none, none)
    single = Clusters(6 * one, 3 * one, one, 36 * one, 18 * one, 9 * one)
    same = Clusters(4 * one, 4 * one, 2 * one, 8 * one, 8 * one, 8 * one)
    apart = Shared(none, none, none, none, none)
    assert np.isnan(np.concatenate(clustered_mean(empty))).all()
    mean, low, high = clustered_mean(single)
    assert (mean[0], np.isnan(low[0]), np.isnan(high[0])) == (2, True, True)
    assert np.concatenate(clustered_mean(same)).tolist() == [1, 1, 1]
    assert np.isnan(np.concatenate(clustered_difference(same, empty, apart))).all()
