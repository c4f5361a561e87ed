"""Over-dispersion: clinics that vary by more than chance because patients differ, and limits that allow for it.

Wider limits say "no further out than clinics usually are"; they do not say that the difference has no reason. All of
this follows Spiegelhalter 2005 as FunnelPlotR computes it: z values with their outer tenths pulled in, the additive
(random effect) model, and shares on the arcsine scale, where the standard error does not depend on the share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]

WINSORISED_SHARE = 0.1
"""Share of z values pulled in at each end, so that a few clinics that truly differ do not widen everybody's limits."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How much clinics vary.

    ``phi`` is the mean squared z, 1 by chance alone; ``tau2`` the variance between clinics in squared units of the
    values, 0 unless they vary by more than chance.
    """

    clinics: int
    phi: float
    tau2: float


def dispersion(values: ArrayLike, centre: float, errors: ArrayLike) -> Dispersion:
    """Over-dispersion of clinics around ``centre``, from their values and standard errors without it.

    z = (value - centre) / error, winsorised at the 10% and 90% quantiles (interpolated, R's type 7);
    phi = sum z^2 / I; with w = 1 / error^2: tau2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w), only where
    I phi > I - 1 (Spiegelhalter 2005, appendix A.3; DerSimonian & Laird 1986). An estimate from fewer than about 10
    clinics is worth nothing: that decision is the caller's.

    Raises:
        ValueError: fewer than 2 clinics, or an error that is not above 0.

    """
    value, error = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if value.size < 2 or value.shape != error.shape or not np.all(error > 0):  # noqa: PLR2004 - no variation of one
        message = "over-dispersion needs two or more clinics, each with a standard error above 0"
        raise ValueError(message)
    z = (value - centre) / error
    z = np.clip(z, *np.quantile(z, [WINSORISED_SHARE, 1 - WINSORISED_SHARE]))
    phi = float(np.mean(z**2))
    w = error**-2
    excess = value.size * phi - (value.size - 1)
    tau2 = excess / float(w.sum() - (w**2).sum() / w.sum())
    return Dispersion(value.size, phi, max(0.0, tau2))


def arcsine(shares: ArrayLike, n: ArrayLike) -> Pair:
    """Shares on the arcsine scale, arcsin(sqrt(p)), and their standard errors there, 1 / (2 sqrt(n))."""
    return np.arcsin(np.sqrt(np.asarray(shares, dtype=np.float64))), 0.5 / np.sqrt(np.asarray(n, dtype=np.float64))


def share_limits(n: ArrayLike, theta: ArrayLike, tau2: ArrayLike, level: float) -> Pair:
    """Additive limits of a share: sin^2(arcsin(sqrt(theta)) -+ z sqrt(1 / 4n + tau2)), inside 0 to 1.

    ``tau2`` on the arcsine scale. Not exact for small ``n``: take the wider of these and ``funnel.binomial_limits``.
    """
    centre, error = arcsine(theta, n)
    half = _normal(level) * np.sqrt(error**2 + np.asarray(tau2, dtype=np.float64))
    low, high = np.clip(centre - half, 0, np.pi / 2), np.clip(centre + half, 0, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def value_limits(errors: ArrayLike, centre: ArrayLike, tau2: ArrayLike, level: float) -> Pair:
    """Additive limits of a mean: centre -+ z sqrt(error^2 + tau2), in the unit of the mean."""
    variance = np.asarray(errors, dtype=np.float64) ** 2 + np.asarray(tau2, dtype=np.float64)
    half = _normal(level) * np.sqrt(variance)
    middle = np.asarray(centre, dtype=np.float64)
    return np.asarray(middle - half), np.asarray(middle + half)


def _normal(level: float) -> float:
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    return float(ndtri((1 + level) / 2))
