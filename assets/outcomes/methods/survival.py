"""Time to recovery from counts per time: Aalen-Johansen beside Kaplan-Meier, for many groups at once.

Why not a library. The input is a table of counts with many ties, the output about 400 curves. lifelines'
Aalen-Johansen breaks ties between causes by random jitter and fits one group in tens of milliseconds;
statsmodels gives no standard error once frequency weights are used, and Tsiatis' instead of Greenwood's for
Kaplan-Meier; scipy has no competing risks. Both estimators are a few exact lines on counts, so they stand here
and the tests hold them against lifelines and statsmodels, each on the data that it handles, and against
published values.

Conventions: all arrays are (groups, times) with times ascending. Whoever is censored at a time was at risk of the
events of that time. Intervals are 95%, on the log(-log) scale, so they stay inside 0 to 1; they are NaN where the
estimate is 0 or 1, because that scale has no such point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.proportions import ALPHA

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]
    Counts = NDArray[np.int64]

EPSILON = 1e-12
"""Closer to 0 or 1 than any share of fewer than 10^12 patients."""


@dataclass(frozen=True, slots=True)
class Risk:
    """What happened at each time to those still followed: arrays (groups, times) of whole numbers.

    ``entering`` is the number at risk just before the time; ``event`` and ``competing`` are the two causes.
    """

    entering: Counts
    event: Counts
    competing: Counts
    censored: Counts

    @property
    def remaining(self) -> Counts:
        """Still followed once the events of the time have happened: with the counts so far this adds up to all."""
        return self.entering - self.event - self.competing - self.censored


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability that grows with time, and its interval: arrays (groups, times), 0 to 1."""

    share: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Quantile:
    """Time by which a share has had the event, and its interval: arrays (groups,), NaN where it is not reached."""

    time: Floats
    low: Floats
    high: Floats


def risk_table(event: ArrayLike, competing: ArrayLike, censored: ArrayLike, beyond: ArrayLike) -> Risk:
    """Numbers at risk from the counts of what happened at each time.

    Args:
        event: Whole numbers (groups, times).
        competing: Same shape.
        censored: Same shape.
        beyond: Whole numbers (groups,): those still followed after the last time.

    Raises:
        ValueError: shapes that do not fit, or a negative count.

    """
    one, two, out = (np.asarray(counts, dtype=np.int64) for counts in (event, competing, censored))
    later = np.asarray(beyond, dtype=np.int64)
    if one.ndim != 2 or not one.shape == two.shape == out.shape or later.shape != one.shape[:1]:  # noqa: PLR2004
        message = f"counts do not fit together: {one.shape}, {two.shape}, {out.shape}, beyond {later.shape}"
        raise ValueError(message)
    if any((counts < 0).any() for counts in (one, two, out, later)):
        message = "a count is negative"
        raise ValueError(message)
    entering = np.cumsum((one + two + out)[:, ::-1], axis=1)[:, ::-1] + later[:, None]
    return Risk(entering, one, two, out)


def cumulative_incidence(risk: Risk) -> Estimate:
    """Probability of having had the event by each time, the competing event being final (Aalen & Johansen 1978).

    With S the probability that neither cause has happened, d1 events, d events of either cause and n at risk:
    F(t) = sum of S(before i) d1_i / n_i. Variance by the delta method on the multinomial counts of each time
    (Dinse & Larson 1986; Marubini & Valsecchi 1995, section 10.3), exact in the presence of ties::

        sum (F(t) - F_i)^2 d_i / (n_i (n_i - d_i))
          + sum S(before i)^2 d1_i (n_i - d1_i) / n_i^3
          - 2 sum (F(t) - F_i) S(before i) d1_i / n_i^2

    Without censoring this is F (1 - F) / n. Interval: log(-log F), Collett 2003 page 411.
    """
    n = risk.entering.astype(np.float64)
    d1 = risk.event.astype(np.float64)
    d = d1 + risk.competing
    before = _event_free_before(n, d)
    incidence = np.cumsum(before * _ratio(d1, n), axis=1)
    # The sums over i of (F - F_i)^2 a_i and (F - F_i) b_i, multiplied out so that one pass gives all t.
    # Where everyone left has an event, n - d is 0 but F - F_i is 0 from there on, so the term is dropped.
    a = _ratio(d, n * (n - d))
    b = before * _ratio(d1, n * n)
    own = before**2 * _ratio(d1 * (n - d1), n**3)
    spread = incidence**2 * np.cumsum(a, axis=1) - 2 * incidence * np.cumsum(incidence * a, axis=1)
    spread += np.cumsum(incidence**2 * a, axis=1)
    cross = incidence * np.cumsum(b, axis=1) - np.cumsum(incidence * b, axis=1)
    variance = spread + np.cumsum(own, axis=1) - 2 * cross
    low, high = _log_log(incidence, np.sqrt(np.clip(variance, 0, None)))
    return Estimate(incidence, low, high)


def competing_incidence(risk: Risk) -> Floats:
    """Probability of having had the competing event by each time; no interval."""
    n = risk.entering.astype(np.float64)
    d2 = risk.competing.astype(np.float64)
    return np.cumsum(_event_free_before(n, d2 + risk.event) * _ratio(d2, n), axis=1)


def one_minus_kaplan_meier(risk: Risk) -> Estimate:
    """One minus Kaplan-Meier with the competing event taken as censoring, Greenwood variance (1926).

    It answers "if nobody had left", and lies above the cumulative incidence wherever somebody did.
    """
    n = risk.entering.astype(np.float64)
    d = risk.event.astype(np.float64)
    free = np.cumprod(1 - _ratio(d, n), axis=1)
    low, high = _log_log(free, free * np.sqrt(np.cumsum(_ratio(d, n * (n - d)), axis=1)))
    return Estimate(1 - free, 1 - high, 1 - low)


def quantile(estimate: Estimate, times: ArrayLike, share: float = 0.5) -> Quantile:
    """First time at which the estimate reaches ``share``; 0.5 gives the median (Brookmeyer & Crowley 1982).

    The interval inverts the pointwise one: it runs from the first time at which the upper limit reaches the share to
    the first at which the lower limit does. An end that is not reached is NaN: the interval is open there. Where the
    estimate is 1 it has no limits; the upper one is then taken as 1 and the lower one as not reaching the share.

    Args:
        estimate: Arrays (groups, times).
        times: Ascending, shape (times,).
        share: Between 0 and 1.

    Raises:
        ValueError: times that do not fit or do not ascend, or a share that is not between 0 and 1.

    """
    at = np.asarray(times, dtype=np.float64)
    if at.shape != estimate.share.shape[1:] or (np.diff(at) <= 0).any() or not 0 < share < 1:
        message = "times do not fit the estimate or do not ascend, or the share is not between 0 and 1"
        raise ValueError(message)
    upper = np.where(estimate.share >= 1 - EPSILON, 1.0, estimate.high)
    return Quantile(*(_first(values, at, share) for values in (estimate.share, upper, estimate.low)))


def _first(values: Floats, at: Floats, share: float) -> Floats:
    # A sum of fractions that should equal the share may miss it by 1e-16; NaN compares as not reached
    reached = values >= share - EPSILON
    if not len(at):
        return np.full(len(values), np.nan)
    return np.where(reached.any(axis=1), at[reached.argmax(axis=1)], np.nan)


def _event_free_before(n: Floats, d: Floats) -> Floats:
    free = np.cumprod(1 - _ratio(d, n), axis=1)
    return np.concatenate([np.ones((len(n), 1)), free[:, :-1]], axis=1)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; 0 where nobody is left to divide by."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)


def _log_log(share: Floats, error: Floats) -> tuple[Floats, Floats]:
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    # Adding up fractions may miss 0 or 1 by 1e-16; the nearest share that is neither is one patient away
    inside = (share > EPSILON) & (share < 1 - EPSILON)
    p = np.where(inside, share, 0.5)
    factor = np.exp(ndtri(1 - ALPHA / 2) * error / (p * -np.log(p)))
    low, high = p**factor, p ** (1 / factor)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
