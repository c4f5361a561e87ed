"""Means of values that come in clusters (several of one patient), and their difference, not adjusted for anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Values of groups in clusters, as sums: arrays (groups,). Cluster i has n_i values with total S_i.

    ``total`` is the sum of S_i, ``n`` of n_i, ``count`` the number of clusters that have values; ``total_by_total``,
    ``total_by_n`` and ``n_by_n`` are the sums of S_i^2, S_i n_i and n_i^2.
    """

    total: Floats
    n: Floats
    count: Floats
    total_by_total: Floats
    total_by_n: Floats
    n_by_n: Floats

    @property
    def mean(self) -> Floats:
        """Mean of all values; NaN without any."""
        return self.total / _positive(self.n)

    @property
    def residual(self) -> Floats:
        """Sum over clusters of (S_i - mean n_i)^2; rounding may not leave it below 0."""
        mean = self.mean
        return np.maximum(self.total_by_total - 2 * mean * self.total_by_n + mean**2 * self.n_by_n, 0.0)


@dataclass(frozen=True, slots=True)
class Shared:
    """Clusters with values in both of two groups: sums over clusters of products, first group times second."""

    count: Floats
    total_by_total: Floats
    total_by_n: Floats
    n_by_total: Floats
    n_by_n: Floats


def clustered_mean(values: Clusters) -> tuple[Floats, Floats, Floats]:
    """Mean of all values, with a 95% interval that takes values of one cluster to be alike.

    With k clusters and mean m: variance k / (k - 1) sum (S_i - m n_i)^2 / n^2 and t with k - 1 degrees of freedom
    (ratio estimator, Cochran 1977 section 6.3; the cluster-robust variance of Liang & Zeger 1986 for a mean). With one
    value in each cluster it is Student's interval. From sums, so that no row of a patient is needed; the tests hold it
    against statsmodels.

    Returns:
        Mean, low and high; NaN without values, limits NaN with fewer than 2 clusters.

    """
    return _interval(values.mean, values.residual / _positive(values.n) ** 2, values.count)


def clustered_difference(first: Clusters, second: Clusters, shared: Shared) -> tuple[Floats, Floats, Floats]:
    """Mean of the first group minus mean of the second; clusters may have values in both. 95% interval.

    With r_i = S_i - m n_i in each group: variance k / (k - 1) sum (r1_i / n1 - r2_i / n2)^2 over the k clusters of
    either group, t with k - 1 degrees of freedom (Liang & Zeger 1986). With one value of each cluster in both groups
    it is the paired t interval.

    Returns:
        Difference, low and high; NaN where a group has no values.

    """
    m1, m2 = first.mean, second.mean
    n1, n2 = _positive(first.n), _positive(second.n)
    products = (shared.total_by_total - m2 * shared.total_by_n - m1 * shared.n_by_total + m1 * m2 * shared.n_by_n) / (
        n1 * n2
    )
    squares = first.residual / n1**2 + second.residual / n2**2 - 2 * products
    return _interval(m1 - m2, np.maximum(squares, 0.0), first.count + second.count - shared.count)


def _interval(centre: Floats, squares: Floats, clusters: Floats) -> tuple[Floats, Floats, Floats]:
    from scipy.special import stdtrit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    free = _positive(clusters - 1)
    half = stdtrit(free, 1 - ALPHA / 2) * np.sqrt(clusters / free * squares)
    return centre, centre - half, centre + half


def _positive(values: Floats) -> Floats:
    """Values as a denominator: NaN where they are not above 0."""
    return np.where(values > 0, values, np.nan)
