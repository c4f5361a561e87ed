"""Rare unwanted events: rates, shares, what can be said when none happened, and a chart of the time between events.

Zero events are no proof of zero risk: every zero comes with the largest risk that would still have made it likely.
Sessions are taken as independent. Events that gather in few patients make the truth less certain than these intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.proportions import ALPHA, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

TAIL = 0.00135
"""Chance of a false signal of one limit, as 3 standard errors have on a normal scale."""

MINIMUM_GAPS = 12
"""Fewest gaps from which limits are computed: as for every control chart of the project."""

RUN = 7
"""Gaps in a row below the centre that make a signal, as points on one side do in NHS Making Data Count."""


@dataclass(frozen=True, slots=True)
class GapLimits:
    """Limits of a g-chart, in opportunities between events; NaN with fewer than ``MINIMUM_GAPS`` gaps.

    ``chance`` is the probability of an event per opportunity, ``centre`` the median, ``upper`` the limit that gaps pass
    with a probability of ``TAIL``. There is no lower limit: a gap of 0 has the probability ``chance``, which is more
    than ``TAIL`` unless events are very rare. Instead ``zeros`` gaps of 0 in a row are a signal.
    """

    chance: float
    centre: float
    upper: float
    zeros: float


@dataclass(frozen=True, slots=True)
class GapSignals:
    """Which gaps signal: arrays (gaps,). ``long``: events became rarer. ``short`` and ``zero``: more frequent."""

    long: NDArray[np.bool_]
    short: NDArray[np.bool_]
    zero: NDArray[np.bool_]


def poisson_rate(events: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Events per unit of exposure with the exact Poisson interval, 95%, two-sided (Garwood 1936).

    With x events: chi2(0.025; 2x) / 2 and chi2(0.975; 2x + 2) / 2, divided by the exposure; the lower limit is 0 where
    x is 0. An event may happen more than once per unit, so the rate may exceed 1.

    Args:
        events: Whole numbers, any shape.
        exposure: Opportunities, same shape.

    Returns:
        Rate, low and high, same shape; NaN where the exposure is 0.

    Raises:
        ValueError: a negative or missing number, or events without exposure.

    """
    from scipy.special import chdtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    x, size = np.asarray(events, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    if x.shape != size.shape:
        message = f"events and exposure differ in shape: {x.shape} and {size.shape}"
        raise ValueError(message)
    # Written so that NaN (a null count) is refused too
    if not (np.all(x >= 0) and np.all(size >= 0) and np.all((size > 0) | (x == 0))):
        message = "a count is null or negative, or there are events without exposure"
        raise ValueError(message)
    some = np.where(size > 0, size, np.nan)
    # chdtri takes the probability above; degrees of freedom of 0 are replaced, the limit there is 0 by definition
    low = np.where(x > 0, chdtri(np.maximum(2 * x, 1), 1 - ALPHA / 2) / 2, 0.0)
    return x / some, low / some, chdtri(2 * x + 2, ALPHA / 2) / 2 / some


def exact_upper(events: ArrayLike, n: ArrayLike) -> Floats:
    """One-sided exact upper bound of a share, 95% (Clopper & Pearson 1934): beta(0.95; x + 1, n - x).

    Where x is 0 this is 1 - 0.05^(1/n), close to the rule of three 3 / n. It is 1 where x equals n, NaN where n is 0.

    Raises:
        ValueError: a negative or missing count, or more events than n.

    """
    from scipy.special import betaincinv  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    x, size = _counts(events, n)
    inside = x < size
    bound = betaincinv(x + 1, np.where(inside, size - x, 1.0), 1 - ALPHA)
    return np.where(size > 0, np.where(inside, bound, 1.0), np.nan)


def event_share(events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Share with an event, with the Wilson interval; at zero events 0 to the exact one-sided upper bound.

    The Wilson interval at zero is two-sided: it spends half of its error where no share can be (0 of 7,629: 0.050%
    instead of 0.039%). NaN where n is 0.

    Raises:
        ValueError: a negative or missing count, or more events than n.

    """
    x, size = _counts(events, n)
    share, low, high = wilson(x, size)
    return share, low, np.where(x == 0, exact_upper(x, size), high)


def gap_limits(gaps: ArrayLike) -> GapLimits:
    """Limits of a g-chart from the numbers of opportunities without an event between events (Benneyan 2001).

    With k gaps of mean m the chance per opportunity is (k - 1) / (k (m + 1)), the unbiased estimate under the
    geometric distribution. Centre and limit are its quantiles at 0.5 and 1 - ``TAIL``, interpolated between whole
    numbers (as Minitab does): m + 3 sqrt(m (m + 1)) would be passed by 1.8% of gaps, as the distribution is skewed.
    ``zeros`` is the smallest z with chance^z <= ``TAIL``.

    Raises:
        ValueError: a gap that is negative, missing or not whole.

    """
    between = _gaps(gaps)
    count = between.size
    if count < MINIMUM_GAPS:
        return GapLimits(np.nan, np.nan, np.nan, np.nan)
    chance = (count - 1) / (count * (between.mean() + 1))
    centre, upper = (_quantile(probability, chance) for probability in (0.5, 1 - TAIL))
    return GapLimits(float(chance), centre, upper, float(np.ceil(np.log(TAIL) / np.log(chance))))


def gap_signals(gaps: ArrayLike, limits: GapLimits) -> GapSignals:
    """Signals of a g-chart, in the order of the gaps; none where the limits are NaN.

    ``long``: above the limit, rounded up to the next whole number, so that chance passes it with at most ``TAIL``.
    ``short``: one of at least ``RUN`` gaps in a row below the centre. ``zero``: one of at least ``limits.zeros`` gaps
    of 0 in a row (Benneyan 2001).

    Raises:
        ValueError: as ``gap_limits``.

    """
    between = _gaps(gaps)
    if np.isnan(limits.upper):
        none = np.zeros(between.shape, dtype=np.bool_)
        return GapSignals(none, none, none)
    return GapSignals(
        between > np.ceil(limits.upper),
        _in_run(between < limits.centre, RUN),
        _in_run(between == 0, int(limits.zeros)),
    )


def _quantile(probability: float, chance: float) -> float:
    """Opportunities without an event before the first one: interpolated quantile of the geometric distribution."""
    whole = np.floor(np.log1p(-probability) / np.log1p(-chance))
    below = -np.expm1(whole * np.log1p(-chance))
    step = chance * (1 - below)
    return float(max(0.0, whole - 1 + (probability - below) / step))


def _in_run(flags: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Which flags belong to a run of at least ``length``."""
    edges = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    kept = ends - starts >= length
    marks = np.zeros(flags.size + 1, dtype=np.int64)
    marks[starts[kept]], marks[ends[kept]] = 1, -1
    inside: NDArray[np.bool_] = np.cumsum(marks)[:-1] > 0
    return inside


def _gaps(gaps: ArrayLike) -> Floats:
    between = np.asarray(gaps, dtype=np.float64)
    if not np.all((between >= 0) & (between == np.floor(between))):
        message = "a gap is missing, negative or not a whole number"
        raise ValueError(message)
    return between


def _counts(events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    x, size = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if not (x.shape == size.shape and np.all(x >= 0) and np.all(x <= size)):
        message = "a count is null, negative or larger than its group, or shapes differ"
        raise ValueError(message)
    return x, size
