"""How unusual is a night beside the nights before it? One p-value for every feature of every clinic.

A feature is a number of rows, a share of rows, or the mean of scores. Nights differ by more than chance of single rows
would make them differ: patients come in clusters, staff change, weather is bad. So the new night is not held against
the spread of rows but against the spread of nights (a quasi-likelihood F test, as for counts in genomics): its
deviance is divided by how much more the earlier nights varied than single rows explain. Ten nights alone estimate that
poorly, so the dispersions of all features of a kind are shrunk towards their common value (Smyth 2004, Stat Appl Genet
Mol Biol 3:3), which is worth degrees of freedom. A dispersion below 1 counts as 1.

* Counts: negative binomial, with the dispersion just described; weekdays may differ (the exposure). That a table is
  empty is asked on its own (``absences``).
* Shares: binomial deviance of two groups with half a row of continuity correction.
* Means: of normal scores, so that no outlier and no skew of a scale makes the tail.

Of the earlier nights a few that stand out are left out, at most a fifth: a night that was reported yesterday must not
hide one of today. All hypotheses together are judged by Holm's method, without those that could not be rejected
whatever the night had brought (Tarone 1990, Biometrics 46:515).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special, stats

from assets.contract.drift import FEWEST_NIGHTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Booleans = NDArray[np.bool_]

OUTLIER = 3.5
"""Earlier nights farther out than so many robust standard deviations are left out."""
OUTLIER_SHARE = 0.2
CHI_SQUARE_MEDIAN = 0.4549
LEAST_EXPECTED = 1.0
"""Dispersions of features with fewer expected rows a night are not estimated: they take the common value."""
LEAST_P = 1e-50
FEWEST_FEATURES = 3
"""Fewer features have no common dispersion."""
TINY = 1e-9
LIMITS = 1e-4, 1e6
"""Half degrees of freedom of the common dispersion lie between."""


class Measure(StrEnum):
    """What a feature is."""

    COUNT = "count"
    SHARE = "share"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Nights:
    """Features of one measure, one line each: earlier nights in the first columns, the night judged in the last.

    ``n`` is the number of rows a share or mean is made of, or the exposure of a count (1, or the factor of its
    weekday); 0 where the night says nothing of the feature. ``total`` is the count, the rows that have the property,
    or the sum of scores, ``squares`` the sum of squared scores. ``support`` is how many earlier nights the expectation
    of a count rests on, ``fitted`` how many numbers were estimated from the earlier nights to expect them. Features of
    one ``group`` vary alike from night to night, more or less.
    """

    n: Floats
    total: Floats
    squares: Floats
    support: Floats
    fitted: Floats
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of each feature: two-sided p-value (nan: too little past), the smallest it could have had, and the direction."""

    p: Floats
    attainable: Floats
    rises: Booleans


def judge(measure: Measure, nights: Nights) -> Verdict:
    """Judge the last night of every feature."""
    unit = UNITS[measure]
    past, dispersion, freedom, usable = _prepared(unit, nights)
    with np.errstate(invalid="ignore", divide="ignore"):
        found, rises = unit.distance(past, dispersion)
        p = np.where(usable, np.maximum(stats.f.sf(found, 1, freedom), LEAST_P), np.nan)
        nearest = np.where(usable, stats.f.sf(unit.farthest(past, dispersion), 1, freedom), np.nan)
    return Verdict(p, nearest, rises)


def absences(nights: Nights) -> Floats:
    """Adjusted p-value of counts that are 0 tonight; 1 for those that are not, nan with too little past.

    A count that never was far from 0 can only be missed, so this asks less than ``judge``. Whether a count is 0 has a
    probability that is known beforehand. Counts are taken in the order of it, the least likely first, and each has the
    sum of all up to its own: the rate at which any of them would be 0 by chance.
    """
    past, dispersion, _, usable = _prepared(COUNTS, nights)
    expected = COUNTS.fitted(past)[:, -1]
    uncertain = _ratio(np.ones_like(expected), nights.support * expected)
    extra = np.maximum(_ratio(dispersion - 1, expected) + uncertain, TINY)
    chance = np.where(usable, (1 + extra * expected) ** (-1 / extra), 1.0)
    order = np.argsort(chance, kind="stable")
    together = np.empty_like(chance)
    together[order] = np.minimum(np.cumsum(chance[order]), 1.0)
    return np.where(usable, np.where(nights.total[:, -1] == 0, np.maximum(together, LEAST_P), 1.0), np.nan)


def _prepared(unit: Unit, nights: Nights) -> tuple[Nights, Floats, Floats, Booleans]:
    """The nights to compare with, and of each feature its dispersion, its degrees of freedom, and whether to judge."""
    past = _without_outliers(unit, nights)
    nights_used = (past.n[:, :-1] > 0).sum(axis=1)
    ratio, common = unit.spread(past)
    dispersion, freedom = np.ones_like(ratio), np.ones_like(ratio)
    for group in np.unique(past.group):
        own = past.group == group
        dispersion[own], freedom[own] = moderated(ratio[own], (nights_used - past.fitted)[own], common[own])
        dispersion[own & ~common] = clump(ratio[own & ~common])
    dispersion = np.maximum(np.maximum(dispersion, ratio), 1.0)
    usable = (nights_used >= FEWEST_NIGHTS) & (past.n[:, -1] > 0) & unit.usable(past)
    return past, dispersion, freedom, usable


def moderated(ratio: Floats, freedom: Floats, informative: Booleans) -> tuple[Floats, Floats]:
    """Shrink dispersions towards their common value; return them with the degrees of freedom they are worth.

    Empirical Bayes with a scaled inverse chi-square prior, fitted by the moments of the logarithms. Features that are
    not ``informative`` take the common value.
    """
    known = informative & (ratio > 0) & (freedom > 0)
    if known.sum() < FEWEST_FEATURES:
        return np.where(known, ratio, 1.0), np.where(known, freedom, np.maximum(freedom, 1.0))
    half = freedom[known] / 2
    logs = np.log(ratio[known]) - special.digamma(half) + np.log(half)
    excess = logs.var(ddof=1) - special.polygamma(1, half).mean()
    prior_half = _inverse_trigamma(float(np.clip(excess, *special.polygamma(1, LIMITS[::-1]))))
    prior_freedom = 2 * prior_half
    prior = float(np.exp(logs.mean() + special.digamma(prior_half) - np.log(prior_half)))
    own = np.where(known, freedom, 0.0)
    shrunk = (prior_freedom * prior + own * np.where(known, ratio, 0.0)) / (prior_freedom + own)
    return shrunk, prior_freedom + own


def clump(ratio: Floats) -> float:
    """Mean dispersion of rare features: rare codes come in clumps, such as all visits of one patient or therapist."""
    seen = ratio[ratio > 0]
    return float(seen.mean()) if seen.size >= FEWEST_FEATURES else 1.0


def adjusted(verdict: Verdict, rate: float) -> Floats:
    """Holm-adjusted p-values over all hypotheses that could have been rejected at ``rate``; others 1, or nan."""
    p = verdict.p
    judged = ~np.isnan(p)
    least = np.sort(verdict.attainable[judged])
    sizes = np.arange(1, least.size + 1)
    counts = np.searchsorted(least, rate / sizes, side="right")
    enough = np.flatnonzero(counts <= sizes)
    size = int(sizes[enough[0]]) if enough.size else 1
    tested = judged & (np.nan_to_num(verdict.attainable, nan=1.0) <= rate / size)
    result = np.where(judged, 1.0, np.nan)
    order = np.flatnonzero(tested)[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.maximum(size - np.arange(order.size), 1)
    result[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return result


class _Counts:
    """Rows a night: ``total`` of an expectation that is proportional to ``n``."""

    def fitted(self, nights: Nights) -> Floats:
        past_n, past = nights.n[:, :-1], nights.total[:, :-1]
        rate = _ratio((past * (past_n > 0)).sum(axis=1), past_n.sum(axis=1))
        return rate[:, None] * nights.n

    def residuals(self, nights: Nights) -> Floats:
        expected = self.fitted(nights)
        return np.where(expected > 0, (nights.total - expected) / np.sqrt(np.maximum(expected, TINY)), 0.0)

    def spread(self, nights: Nights) -> tuple[Floats, Booleans]:
        return _mean_square(self.residuals(nights), nights), self._usual(nights) >= LEAST_EXPECTED

    def usable(self, nights: Nights) -> Booleans:
        return self._usual(nights) > 0

    def distance(self, nights: Nights, dispersion: Floats) -> tuple[Floats, Booleans]:
        expected = self.fitted(nights)[:, -1]
        seen = nights.total[:, -1]
        return self._deviance(nights, dispersion, _continuous(seen, expected)), seen > expected

    def farthest(self, nights: Nights, _: Floats) -> Floats:
        return np.full(nights.n.shape[0], np.inf)  # a night may always bring more rows

    def _usual(self, nights: Nights) -> Floats:
        return _ratio(self.fitted(nights)[:, :-1].sum(axis=1), (nights.n[:, :-1] > 0).sum(axis=1))

    def _deviance(self, nights: Nights, dispersion: Floats, seen: Floats) -> Floats:
        expected = self.fitted(nights)[:, -1]
        extra = np.maximum(_ratio(dispersion - 1, self._usual(nights)), TINY)
        deviance: Floats = 2 * (
            special.xlogy(seen, seen / expected)
            - (seen + 1 / extra) * np.log((1 + extra * seen) / (1 + extra * expected))
        )
        uncertain: Floats = 1 + 1 / np.maximum(nights.support, 1)
        return np.maximum(deviance, 0.0) / uncertain


class _Shares:
    """Rows with a property, ``total`` of ``n``."""

    def residuals(self, nights: Nights) -> Floats:
        share = self._share(nights)[:, None]
        variance = nights.n * share * (1 - share)
        return np.where(variance > 0, (nights.total - nights.n * share) / np.sqrt(np.maximum(variance, TINY)), 0.0)

    def spread(self, nights: Nights) -> tuple[Floats, Booleans]:
        share = self._share(nights)
        usual = _ratio(nights.n[:, :-1].sum(axis=1), (nights.n[:, :-1] > 0).sum(axis=1)) * np.minimum(share, 1 - share)
        return _mean_square(self.residuals(nights), nights), usual >= LEAST_EXPECTED

    def usable(self, nights: Nights) -> Booleans:
        return nights.n[:, -1] > 0

    def distance(self, nights: Nights, dispersion: Floats) -> tuple[Floats, Booleans]:
        seen, expected = nights.total[:, -1], nights.n[:, -1] * self._share(nights)
        return self._deviance(nights, _continuous(seen, expected)) / dispersion, seen > expected

    def farthest(self, nights: Nights, dispersion: Floats) -> Floats:
        """With as many rows of the property in all nights together, none of them tonight or as many as possible."""
        n, past = nights.n[:, -1], nights.n[:, :-1].sum(axis=1)
        total = nights.total.sum(axis=1)
        most, least = np.minimum(n, total), np.maximum(0.0, total - past)
        ends = [self._deviance(_moved(nights, end), _continuous(end, n * total / (n + past))) for end in (most, least)]
        return np.maximum(*ends) / dispersion

    def _share(self, nights: Nights) -> Floats:
        return _ratio(nights.total[:, :-1].sum(axis=1), nights.n[:, :-1].sum(axis=1))

    def _deviance(self, nights: Nights, seen: Floats) -> Floats:
        n, past = nights.n[:, -1], nights.n[:, :-1].sum(axis=1)
        before = nights.total[:, :-1].sum(axis=1)
        pooled = (seen + before) / (n + past)
        found = (
            _entropy(seen, n * pooled)
            + _entropy(n - seen, n * (1 - pooled))
            + _entropy(before, past * pooled)
            + _entropy(past - before, past * (1 - pooled))
        )
        return np.maximum(2 * found, 0.0)


class _Means:
    """Mean of ``n`` scores with sum ``total``; rows within a night vary, and so do nights."""

    def residuals(self, nights: Nights) -> Floats:
        within = np.sqrt(np.maximum(self._within(nights), 1e-12))[:, None]
        means = _ratio(nights.total, nights.n)
        return np.where(nights.n > 0, (means - self._mean(nights)[:, None]) * np.sqrt(nights.n) / within, 0.0)

    def spread(self, nights: Nights) -> tuple[Floats, Booleans]:
        return _mean_square(self.residuals(nights), nights), self.usable(nights)

    def usable(self, nights: Nights) -> Booleans:
        return self._within(nights) > TINY

    def distance(self, nights: Nights, dispersion: Floats) -> tuple[Floats, Booleans]:
        n, past = nights.n[:, -1], nights.n[:, :-1].sum(axis=1)
        off = _ratio(nights.total[:, -1], n) - self._mean(nights)
        return off**2 / ((1 / n + 1 / past) * self._within(nights) * dispersion), off > 0

    def farthest(self, nights: Nights, _: Floats) -> Floats:
        return np.full(nights.n.shape[0], np.inf)

    def _mean(self, nights: Nights) -> Floats:
        return _ratio(nights.total[:, :-1].sum(axis=1), nights.n[:, :-1].sum(axis=1))

    def _within(self, nights: Nights) -> Floats:
        n, total = nights.n[:, :-1], nights.total[:, :-1]
        inside = nights.squares[:, :-1] - _ratio(total**2, n)
        return _ratio(np.where(n > 0, inside, 0.0).sum(axis=1), n.sum(axis=1) - (n > 0).sum(axis=1))


Unit = _Counts | _Shares | _Means
COUNTS = _Counts()
UNITS: dict[Measure, Unit] = {Measure.COUNT: COUNTS, Measure.SHARE: _Shares(), Measure.MEAN: _Means()}


def _without_outliers(unit: Unit, nights: Nights) -> Nights:
    """Leave out the earlier nights that stand out; if more than a fifth do, they are the spread and stay."""
    square = unit.residuals(nights)[:, :-1] ** 2
    there = nights.n[:, :-1] > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature without any earlier night
        middle = np.nan_to_num(np.nanmedian(np.where(there, square, np.nan), axis=1))
    spread = np.maximum(middle / CHI_SQUARE_MEDIAN, 1.0)
    far = there & (square > OUTLIER**2 * spread[:, None])
    few = far.sum(axis=1) <= OUTLIER_SHARE * there.sum(axis=1)
    drop = np.zeros(nights.n.shape, dtype=bool)
    drop[:, :-1] = far & (few & unit.spread(nights)[1])[:, None]
    n, total, squares = (np.where(drop, 0.0, numbers) for numbers in (nights.n, nights.total, nights.squares))
    return replace(nights, n=n, total=total, squares=squares)


def _mean_square(residuals: Floats, nights: Nights) -> Floats:
    there = nights.n[:, :-1] > 0
    return _ratio((residuals[:, :-1] ** 2 * there).sum(axis=1), there.sum(axis=1) - nights.fitted)


def _moved(nights: Nights, seen: Floats) -> Nights:
    """The same margins, with ``seen`` rows of the property tonight and the others among the nights before."""
    total = nights.total.copy()
    before = total[:, :-1].sum(axis=1)
    wanted = before + total[:, -1] - seen
    total[:, :-1] = 0.0
    total[:, 0] = wanted
    total[:, -1] = seen
    return replace(nights, total=total)


def _continuous(seen: Floats, expected: Floats) -> Floats:
    """Half a row nearer to what is expected."""
    nearer: Floats = expected + np.sign(seen - expected) * np.maximum(np.abs(seen - expected) - 0.5, 0.0)
    return nearer


def _entropy(seen: Floats, expected: Floats) -> Floats:
    entropy: Floats = special.xlogy(seen, np.where(expected > 0, seen / np.where(expected > 0, expected, 1.0), 1.0))
    return entropy


def _ratio(above: Floats, below: Floats) -> Floats:
    there = below > 0
    ratio: Floats = np.where(there, above, 0.0) / np.where(there, below, 1.0)
    return ratio


def _inverse_trigamma(value: float) -> float:
    """Where the trigamma function has this value; it falls from infinity to 0."""
    low, high = LIMITS
    return float(optimize.brentq(lambda half: float(special.polygamma(1, half)) - value, low, high))
