"""How far a conclusion can be pushed: unmeasured confounding, unknown outcomes, regression to the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.floating]

ROUNDING = 1e-9
"""Share of a patient by which a product of a rate and a count may miss the whole number it stands for."""


def e_value(ratio: ArrayLike) -> Floats:
    """E-value of a risk ratio: RR + sqrt(RR (RR - 1)), a ratio below 1 inverted first (VanderWeele & Ding 2017).

    An unmeasured confounder would have to be associated with both treatment and outcome by at least this ratio, beyond
    what was adjusted for, to account for the whole association. Not for the hazard or odds ratio of a common outcome.

    Raises:
        ValueError: a ratio that is not positive. NaN (no ratio) stays NaN.

    """
    values = np.asarray(ratio, dtype=np.float64)
    if (values <= 0).any():
        message = "a risk ratio is positive"
        raise ValueError(message)
    above = np.maximum(values, 1 / values)
    return np.asarray(above + np.sqrt(above * (above - 1)))


def e_value_of_interval(low: ArrayLike, high: ArrayLike) -> Floats:
    """E-value of the limit nearest 1; 1 where the interval holds 1, so that nothing is needed to explain it away."""
    lower, upper = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    nearest = np.where(lower > 1, lower, np.where(upper < 1, upper, 1.0))
    return e_value(np.where(np.isnan(lower) | np.isnan(upper), np.nan, nearest))


@dataclass(frozen=True, slots=True)
class Regression:
    """What selection by a first score alone does to the mean: of the selected, first and second score, and the drop."""

    selected_mean: Floats
    followup_mean: Floats
    expected_drop: Floats


def regression_to_mean(mean: ArrayLike, sd: ArrayLike, correlation: float, cut: float) -> Regression:
    """Expected change of those selected for a first score of at least ``cut``, if nothing at all happens to them.

    For two normal scores of equal mean and SD: drop = SD (1 - rho) phi(z) / (1 - Phi(z)), z = (cut - mean) / SD
    (Davis 1976). In the unit of the score, positive = lower at the second. NaN where the SD is not positive.

    Args:
        mean: Of all, before selection.
        sd: Of all, before selection.
        correlation: Between two scores of a person whose state does not change, 0 to 1.
        cut: Lowest score that is selected.

    Raises:
        ValueError: a correlation outside 0 to 1.

    """
    from scipy.special import log_ndtr  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    if not 0 <= correlation <= 1:
        message = f"a correlation of {correlation} is not between 0 and 1"
        raise ValueError(message)
    centre, spread = np.asarray(mean, dtype=np.float64), np.asarray(sd, dtype=np.float64)
    scale = np.where(spread > 0, spread, np.nan)
    z = (cut - centre) / scale
    # on the log scale the quotient is exact far out, where both of its parts are 0
    excess = scale * np.exp(-(z**2) / 2 - np.log(2 * np.pi) / 2 - log_ndtr(-z))
    drop = (1 - correlation) * excess
    return Regression(centre + excess, centre + excess - drop, drop)


@dataclass(frozen=True, slots=True)
class Tipping:
    """Shares of recovery among those with an unknown outcome at which a conclusion changes; NaN where none does.

    ``down`` is the largest share below the known rate that changes it, ``up`` the smallest above; ``odds_ratio_down``
    and ``odds_ratio_up`` say the same as odds relative to the odds of the known (0 and infinity at the ends).
    """

    down: Floats
    up: Floats
    odds_ratio_down: Floats
    odds_ratio_up: Floats


def tipping_rate(
    successes: ArrayLike, known: ArrayLike, eligible: ArrayLike, zone: ArrayLike, low: ArrayLike, high: ArrayLike
) -> Tipping:
    """When would the completed rate leave its zone: delta-adjustment of a rate against a pair of limits.

    The unknown are given k successes in turn, from none to all; the completed rate (x + k) / N lies below, within or
    above the limits for N. It tips where that zone differs from the one concluded from the known alone. Solved for k
    directly, because the zone only rises with k (Yan, Lee & Li 2009 for the idea of a tipping point).

    Args:
        successes: Among the known.
        known: Outcomes that are known, at least 1 wherever an answer is wanted.
        eligible: All whose outcome should be known.
        zone: -1 below, 0 within, 1 above: the conclusion from the known alone.
        low: Lower limit for a rate of ``eligible`` patients, 0 to 1.
        high: Upper limit.

    """
    x, size, total, where, lower, upper = (
        np.asarray(values, dtype=np.float64) for values in (successes, known, eligible, zone, low, high)
    )
    unknown = total - size
    rate = np.divide(x, size, out=np.full(x.shape, np.nan), where=size > 0)
    # the most successes that are still below the lower limit, and the fewest above the upper one
    most_below = np.ceil(lower * total - x - ROUNDING) - 1
    fewest_above = np.floor(upper * total - x + ROUNDING) + 1
    # zone below: left upwards, at the first k not below. Within: either way. Above: left downwards.
    up = np.select([where < 0, where == 0], [most_below + 1, fewest_above], np.nan)
    down = np.select([where > 0, where == 0], [fewest_above - 1, most_below], np.nan)
    # A completed rate may have left the zone before any adjustment, because limits for more patients are tighter:
    # then the share of the known is itself the tipping point, and whole patients are rounded towards it.
    up_share = _share_of(np.maximum(up, np.ceil(rate * unknown - ROUNDING)), unknown)
    down_share = _share_of(np.minimum(down, np.floor(rate * unknown + ROUNDING)), unknown)
    return Tipping(down_share, up_share, _odds_ratio(down_share, rate), _odds_ratio(up_share, rate))


def tipping_shift(low: ArrayLike, high: ArrayLike, unknown_share: ArrayLike) -> Floats:
    """Shift of the unknown of one group, against the known, at which the interval of a difference reaches 0.

    If the unknown of the first group differ from its known by delta on average, the difference of means moves by
    delta times their share (White, Horton, Carpenter & Pocock 2011). So the interval reaches 0 at minus the limit
    nearest 0 over that share. In the unit of the outcome; NaN where the interval holds 0 already or nobody is unknown.
    """
    lower, upper = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    share = np.asarray(unknown_share, dtype=np.float64)
    nearest = np.where(lower > 0, lower, np.where(upper < 0, upper, np.nan))
    return np.asarray(np.divide(-nearest, share, out=np.full(nearest.shape, np.nan), where=share > 0))


def _share_of(count: Floats, unknown: Floats) -> Floats:
    possible = (unknown > 0) & (count >= 0) & (count <= unknown)
    return np.asarray(np.divide(count, unknown, out=np.full(count.shape, np.nan), where=possible))


def _odds_ratio(share: Floats, rate: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = (share / (1 - share)) / (rate / (1 - rate))
    return ratio
