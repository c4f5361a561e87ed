"""Means of time up to a horizon: days lived with the event behind one, and days free of it.

Why not a library. lifelines' ``restricted_mean_survival_time`` takes one fitted curve at a time, has no competing
event and gives the variance of the restricted time itself, not the standard error of its mean; statsmodels and scipy
have neither. Each is one weighted sum over counts, held in the tests against published values, lifelines' mean,
numerical integration and plain arithmetic on data without censoring.

Conventions as in ``survival``: arrays (groups, times), times ascending, whoever is censored at a time was at risk of
its events. Where the last patient of a group is censored before the horizon the curve is not known up to it: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.proportions import ALPHA
from assets.outcomes.methods.survival import EPSILON

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from assets.outcomes.methods.survival import Risk

    Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class MeanTime:
    """A mean time in the unit of the times, its standard error and 95% interval (normal): arrays (groups,)."""

    mean: Floats
    error: Floats
    low: Floats
    high: Floats


def mean_time_with_event(risk: Risk, times: ArrayLike, until: float, origin: ArrayLike = 0.0) -> MeanTime:
    """Mean time, within the horizon, that has passed since the event: the area under the cumulative incidence.

    Also known as restricted mean time lost to a cause. With S the probability that neither cause has happened, d1
    events, d events of either cause, n at risk and u the horizon::

        R = sum over t_i <= u of S(before i) (u - t_i) d1_i / n_i

    It needs no origin: before the first time nobody has had the event. Variance by the delta method on the multinomial
    counts of each time, with R_i the sum up to and with time i::

        sum S(before i)^2 (u - t_i)^2 d1_i (n_i - d1_i) / n_i^3
          + sum (R - R_i)^2 d_i / (n_i (n_i - d_i))
          - 2 sum S(before i) (u - t_i) (R - R_i) d1_i / n_i^2

    Exact in the presence of ties. Without censoring R is the mean of (u - T)+ over those with the event and 0 for the
    others, and the variance is their variance (divisor n) over n. The interval is cut at 0 and at u - origin, where
    the clocks started. Andersen 2013 (Statistics in Medicine 32:5278); Conner & Trinquart 2021; Zhao 2016.

    Args:
        risk: Counts by group and time.
        times: Ascending, shape (times,).
        until: Horizon u, in the unit of the times.
        origin: Time at which everyone was at risk, one for all or shape (groups,); no event lies before it.

    Raises:
        ValueError: times that do not fit or do not ascend, or a horizon that does not lie after the origin.

    """
    at, start = _clock(risk, times, until, origin)
    left = np.clip(until - at, 0.0, None)
    n = risk.entering.astype(np.float64)
    d1 = risk.event.astype(np.float64)
    d = d1 + risk.competing
    free = np.cumprod(1 - _ratio(d, n), axis=1)
    before = np.concatenate([np.ones((len(n), 1)), free[:, :-1]], axis=1)
    weight = before * left
    so_far = np.cumsum(weight * _ratio(d1, n), axis=1)
    mean = so_far[:, -1]
    # Where everyone left has an event, n - d is 0 but nothing is to come, so the term is dropped
    to_come = mean[:, None] - so_far
    own = weight**2 * _ratio(d1 * (n - d1), n**3)
    both = to_come**2 * _ratio(d, n * (n - d))
    shared = weight * to_come * _ratio(d1, n * n)
    # Beyond the horizon the weights are 0 and nothing is to come
    error = np.sqrt(np.clip((own + both - 2 * shared).sum(axis=1), 0.0, None))
    known = _is_known(risk, at, until, free)
    return _interval(np.where(known, mean, np.nan), np.where(known, error, np.nan), 0.0, until - start)


def mean_time_event_free(risk: Risk, times: ArrayLike, until: float, origin: ArrayLike = 0.0) -> MeanTime:
    """Restricted mean survival time: the area under Kaplan-Meier from the origin to the horizon.

    The competing event is taken as censoring, so it answers "if nobody had left". It is the horizon less the origin
    less ``mean_time_with_event`` of those counts; the variance reduces to Greenwood's form, the sum over events of
    (area from the event to the horizon)^2 d / (n (n - d)) (Irwin 1949; Royston & Parmar 2013). Arguments and errors
    as there.
    """
    only = replace(risk, competing=np.zeros_like(risk.competing), censored=risk.censored + risk.competing)
    _, start = _clock(risk, times, until, origin)
    with_event = mean_time_with_event(only, times, until, origin)
    return _interval(until - start - with_event.mean, with_event.error, 0.0, until - start)


def difference(first: MeanTime, second: MeanTime) -> MeanTime:
    """First less second mean of independent groups: standard errors add up in squares; normal interval, 95%."""
    gap = first.mean - second.mean
    return _interval(gap, np.hypot(first.error, second.error), -np.inf, np.inf)


def _clock(risk: Risk, times: ArrayLike, until: float, origin: ArrayLike) -> tuple[Floats, Floats]:
    at = np.asarray(times, dtype=np.float64)
    start = np.broadcast_to(np.asarray(origin, dtype=np.float64), risk.entering.shape[:1])
    if at.shape != risk.entering.shape[1:] or (np.diff(at) <= 0).any():
        message = "times do not fit the counts or do not ascend"
        raise ValueError(message)
    if not (start < until).all():
        message = "the horizon does not lie after the origin"
        raise ValueError(message)
    return at, start


def _is_known(risk: Risk, at: Floats, until: float, free: Floats) -> NDArray[np.bool_]:
    """Whether somebody was followed up to the horizon, or everybody had one of the events before it."""
    inside = int(np.searchsorted(at, until, side="left"))
    followed = risk.entering[:, inside] if inside < len(at) else risk.remaining[:, -1]
    done = free[:, inside - 1] < EPSILON if inside else np.zeros(len(free), dtype=np.bool_)
    return (followed > 0) | done


def _interval(mean: Floats, error: Floats, lowest: float, highest: ArrayLike) -> MeanTime:
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    margin = ndtri(1 - ALPHA / 2) * error
    return MeanTime(mean, error, np.maximum(mean - margin, lowest), np.minimum(mean + margin, highest))


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; 0 where nobody is left to divide by."""
    return np.divide(numerator, denominator, out=np.zeros_like(denominator), where=denominator > 0)
