"""Control charts: limits for means and shares over time, and the rules that tell a signal from ordinary variation.

All functions take many series at once: arrays of shape (series, periods), in the order of time, with NaN for a gap. A
gap stays a gap: it has no value, no moving range goes across it, and it breaks every run, trend and group of three
points. Nothing is filled in or drawn together.

Why not a library. statsmodels and scipy have no control charts; the formulas are four lines each.

How often a stable series raises an alarm. Simulated in ``tests/outcomes/methods/test_control_charts.py`` on 20,000
independent normal series of 24 periods with limits frozen on the first 12: the latest point is flagged by any of the
four rules in 6% of the series (2% outside the limits, 4% in a run of seven), and at least one of the 24 points in 32%.
With limits from 12 points, which are themselves uncertain, that is more than the 0.27% a point quoted for three known
standard deviations. So a verdict rests on the latest point, never on "some point was flagged".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BASELINE_POINTS = 12
"""Points that limits need before they are frozen (domain reference 4.6)."""
D2 = 1.128
"""Mean range of two values from a normal distribution of standard deviation 1 (NIST handbook 6.3.2)."""
SIGMAS = 3.0
XMR_FACTOR = 2.66
"""3 / 1.128, rounded as in "Making Data Count"; the NIST handbook uses the quotient itself."""
RANGE_FACTOR = 3.267
"""Upper limit of a moving range as a multiple of their mean."""
FEWEST_RANGES = 6
"""Fewest moving ranges that limits are frozen on: half of what twelve points without a gap have."""
RUN_POINTS = 7
NEAR_SHARE = 2 / 3
EXPECTED_COUNT = 5.0
"""Successes and failures to be expected in every period of a p-chart (n p >= 5: domain reference 4.6)."""
HUNDREDS = 100
OVER_DISPERSED = 1.5
"""sigma_z above which shares vary "notably" more than binomial counts: 12 purely binomial periods go beyond it in 4% of
the cases (simulated in the test)."""
ROUNDING = 1e-9
"""Differences from the centre or a limit below this are rounding: the point lies on the line, on neither side."""

XMR, P, LANEY = "xmr", "p", "p_prime"
UP, NEITHER, DOWN = 1, 0, -1


@dataclass(frozen=True, slots=True)
class Limits:
    """Centre and limits, shape (series, periods); NaN throughout where they cannot be computed.

    ``mean_range`` (series,) is the mean moving range they rest on, of the values (XmR) or of their z scores (p, p');
    ``ranges`` (series,) how many moving ranges that is; ``dispersion`` (series,) sigma_z, NaN for XmR. Limits of shares
    are not cut at 0 and 1 here: a point on a cut limit would look as if it lay on the line.
    """

    centre: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    mean_range: NDArray[np.float64]
    ranges: NDArray[np.int64]
    dispersion: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signals:
    """The four rules, shape (series, periods): 1 up, -1 down, 0 no signal. All members of a pattern are flagged."""

    outside: NDArray[np.int8]
    run: NDArray[np.int8]
    trend: NDArray[np.int8]
    two_of_three: NDArray[np.int8]

    @property
    def direction(self) -> NDArray[np.int8]:
        """Where each point points to; the side of the centre counts before the direction of a trend."""
        found = self.trend.copy()
        for rule in (self.two_of_three, self.run, self.outside):
            found = np.where(rule != NEITHER, rule, found).astype(np.int8)
        return found


def first_points(values: ArrayLike, count: int = BASELINE_POINTS) -> NDArray[np.bool_]:
    """Mark the first ``count`` points of each series that have a value: those that limits are frozen on."""
    known = ~np.isnan(_rows(values))
    marked: NDArray[np.bool_] = known & (np.cumsum(known, axis=1) <= count)
    return marked


def moving_ranges(values: ArrayLike, used: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """|x(t) - x(t-1)|, shape (series, periods - 1); NaN where either is a gap or not ``used``."""
    rows = _rows(values)
    return np.abs(np.diff(rows if used is None else np.where(used, rows, np.nan), axis=1))


def xmr_limits(
    values: ArrayLike, used: NDArray[np.bool_] | None = None, *, factor: float = XMR_FACTOR, screened: bool = True
) -> Limits:
    """Limits of individual values: mean +- ``factor`` times the mean moving range (Shewhart; NIST handbook 6.3.2.2).

    Args:
        values: Means or shares, shape (series, periods), NaN for a gap.
        used: Points that the limits rest on; None: all.
        factor: 2.66, or 3 / 1.128 as NIST computes.
        screened: Leave out, once, moving ranges of 3.267 times their mean and more, so that one spike does not widen
            the limits that are to show it (domain reference 4.6; NHS "Making Data Count"). The mean keeps all points.

    Returns:
        Limits, the same in every period. NaN where no two neighbouring points are used.

    """
    rows = _rows(values)
    base = rows if used is None else np.where(used, rows, np.nan)
    mean_range, ranges = _mean_range(moving_ranges(base), screened=screened)
    centre = _mean(base)
    centre = np.where(ranges > 0, centre, np.nan)
    half = factor * mean_range

    def all_periods(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.broadcast_to(value[:, None], rows.shape).copy()

    return Limits(
        all_periods(centre),
        all_periods(centre - half),
        all_periods(centre + half),
        mean_range,
        ranges,
        np.full(len(rows), np.nan),
    )


def p_limits(successes: ArrayLike, n: ArrayLike, used: NDArray[np.bool_] | None = None) -> Limits:
    """Limits of shares: pbar +- 3 sqrt(pbar (1 - pbar) / n), pbar the pooled share (Montgomery, ch. 7).

    ``dispersion`` is sigma_z (see ``laney_limits``), for ``chart_kind`` to judge; it does not enter the limits.

    Args:
        successes: Counts, shape (series, periods).
        n: Group sizes, same shape; 0 or NaN for a gap.
        used: Periods that pbar and sigma_z rest on; None: all.

    Returns:
        Limits; NaN in gaps (there is no n) and where pbar is 0 or 1, which leaves no variation to set limits by.

    Raises:
        ValueError: a negative count, or more successes than n.

    """
    x, size = _shares(successes, n)
    base = size > 0 if used is None else used & (size > 0)
    total = np.where(base, size, 0).sum(axis=1)
    pooled = np.divide(np.where(base, x, 0).sum(axis=1), total, out=np.full(len(x), np.nan), where=total > 0)
    spread = np.where((pooled > 0) & (pooled < 1), pooled * (1 - pooled), np.nan)
    sigma = np.sqrt(np.divide(spread[:, None], size, out=np.full(x.shape, np.nan), where=size > 0))
    z = np.divide(x, size, out=np.full(x.shape, np.nan), where=size > 0) - pooled[:, None]
    mean_range, ranges = _mean_range(moving_ranges(z / sigma, base), screened=False)
    centre = np.where(np.isnan(sigma), np.nan, pooled[:, None])
    return Limits(centre, centre - SIGMAS * sigma, centre + SIGMAS * sigma, mean_range, ranges, mean_range / D2)


def laney_limits(successes: ArrayLike, n: ArrayLike, used: NDArray[np.bool_] | None = None) -> Limits:
    """Laney's p' limits: those of the p-chart, sigma_z times as wide (Laney 2002, Quality Engineering 14:531).

    sigma_z is the mean moving range of the z scores (p(i) - pbar) / sqrt(pbar (1 - pbar) / n(i)), divided by 1.128. It
    is 1 when shares vary as binomial counts do and more when they also vary between periods, which n in the hundreds
    shows up. Moving ranges are not screened: Laney's formula does not. Arguments, gaps and errors as ``p_limits``.
    """
    plain = p_limits(successes, n, used)
    half = (plain.upper - plain.centre) * plain.dispersion[:, None]
    return replace(plain, lower=plain.centre - half, upper=plain.centre + half)


def chart_kind(successes: ArrayLike, n: ArrayLike, used: NDArray[np.bool_]) -> list[str]:
    """Return which chart suits each series of shares: ``p``, ``p_prime`` or ``xmr`` (domain reference 4.6).

    p-chart where every used period expects at least 5 successes and 5 failures and the periods do not vary notably more
    than binomial counts (sigma_z <= 1.5); p' where they do and every used n is in the hundreds; XmR otherwise. XmR
    also where sigma_z cannot be told.
    """
    x, size = _shares(successes, n)
    base = used & (size > 0)
    plain = p_limits(x, size, base)
    total = np.where(base, size, 0).sum(axis=1)
    pooled = np.divide(np.where(base, x, 0).sum(axis=1), total, out=np.full(len(x), np.nan), where=total > 0)
    smallest = np.where(base, size, np.inf).min(axis=1, initial=np.inf)
    expected = np.where(np.isnan(pooled), 0, smallest * np.minimum(pooled, 1 - pooled))
    binomial = (expected >= EXPECTED_COUNT) & (plain.dispersion <= OVER_DISPERSED)
    large = (smallest >= HUNDREDS) & (expected >= EXPECTED_COUNT) & (plain.dispersion > OVER_DISPERSED)
    return [P if is_p else LANEY if is_large else XMR for is_p, is_large in zip(binomial, large, strict=True)]


def signals(values: ArrayLike, limits: Limits) -> Signals:
    """Apply the four rules of NHS "Making Data Count" (as the R package NHSRplotthedots does).

    - outside: beyond a limit;
    - run: 7 points in a row on one side of the centre;
    - trend: 7 points in a row, each above (below) the one before;
    - two_of_three: of 3 points in a row on one side of the centre, 2 beyond two thirds of the way to the limit. Only
      those 2 are flagged, and points outside the limit do not count: they are a signal already.

    A point exactly on the centre is on neither side and breaks a run. Points without limits raise only trends, so a
    caller that has no limits yet must not ask.
    """
    rows = _rows(values)
    offset = rows - limits.centre
    tolerance = ROUNDING * np.maximum(1.0, np.abs(limits.centre))
    side = np.where(np.abs(offset) <= tolerance, 0, np.sign(np.nan_to_num(offset))).astype(np.int8)
    above = np.greater(rows, limits.upper + tolerance, where=~np.isnan(rows), out=np.zeros(rows.shape, bool))
    below = np.less(rows, limits.lower - tolerance, where=~np.isnan(rows), out=np.zeros(rows.shape, bool))
    outside = (above.astype(np.int8) - below.astype(np.int8)).astype(np.int8)
    near_upper = limits.centre + NEAR_SHARE * (limits.upper - limits.centre)
    near_lower = limits.centre - NEAR_SHARE * (limits.centre - limits.lower)
    near = ((rows > near_upper + tolerance) | (rows < near_lower - tolerance)) & (outside == NEITHER)
    return Signals(outside, _whole_windows(side, RUN_POINTS), _trends(rows), _two_of_three(side, near))


def _trends(rows: NDArray[np.float64]) -> NDArray[np.int8]:
    """7 points are 6 steps in one direction; every point of the steps is flagged."""
    step = np.sign(np.nan_to_num(np.diff(rows, axis=1))).astype(np.int8)
    found = _whole_windows(step, RUN_POINTS - 1)
    trend = np.zeros(rows.shape, np.int8)
    trend[:, 1:] = found
    # a turning point ends one trend and may start the next: the one that leads to it is the earlier news
    trend[:, :-1] = np.where(trend[:, :-1] != NEITHER, trend[:, :-1], found)
    return trend


def _two_of_three(side: NDArray[np.int8], near: NDArray[np.bool_]) -> NDArray[np.int8]:
    found = np.zeros(side.shape, np.int8)
    for start in range(side.shape[1] - 2):
        window = slice(start, start + 3)
        together = np.abs(side[:, window].sum(axis=1)) == 3  # noqa: PLR2004 all three on one side
        hit = together & (near[:, window].sum(axis=1) >= 2)  # noqa: PLR2004 two of three
        found[:, window] = np.where(hit[:, None] & near[:, window], side[:, window], found[:, window])
    return found


def _whole_windows(signs: NDArray[np.int8], width: int) -> NDArray[np.int8]:
    """Keep each sign that belongs to a window of ``width`` equal signs; 0 elsewhere."""
    found = np.zeros(signs.shape, np.int8)
    for start in range(signs.shape[1] - width + 1):
        window = slice(start, start + width)
        whole = np.abs(signs[:, window].sum(axis=1, dtype=np.int64)) == width
        found[:, window] = np.where(whole[:, None], signs[:, window], found[:, window])
    return found


def _mean_range(ranges: NDArray[np.float64], *, screened: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    mean = _mean(ranges)
    if screened:
        # a series that does not vary at all has a mean range of 0, and nothing to screen
        kept = (ranges < RANGE_FACTOR * mean[:, None]) | (mean[:, None] == 0)
        ranges = np.where(kept, ranges, np.nan)
        mean = _mean(ranges)
    return mean, np.isfinite(ranges).sum(axis=1)


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    count = np.isfinite(rows).sum(axis=1)
    found: NDArray[np.float64] = np.full(len(rows), np.nan)
    np.divide(np.nansum(rows, axis=1), count, out=found, where=count > 0)
    return found


def _rows(values: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2:  # noqa: PLR2004 series by periods
        message = f"series must be an array of series by periods, not of {rows.ndim} dimensions"
        raise ValueError(message)
    return rows


def _shares(successes: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, size = np.nan_to_num(_rows(successes)), np.nan_to_num(_rows(n))
    if x.shape != size.shape or not (np.all(x >= 0) and np.all(x <= size)):
        message = "a count is negative or larger than its group, or shapes differ"
        raise ValueError(message)
    return x, size
