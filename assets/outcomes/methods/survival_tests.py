"""Tests that curves of several groups are one curve: cause-specific log-rank, and Gray's for cumulative incidence.

The two ask different things. The log-rank test with the competing event as censoring compares cause-specific
hazards: how fast the event comes to those still followed. Gray's test compares cumulative incidence: how many have
had the event, the competing one being final. With a competing event they may disagree, so each goes by its own name.

Why not a library. lifelines and statsmodels have the log-rank test only, one comparison at a time and over single
patients; no Python library that is kept up has Gray's. On counts both are sums over times. The tests hold them against
published values, statsmodels and plain loops.

Arrays are (..., groups, times): leading dimensions are separate comparisons, done at once. Conventions of counts as in
``survival``. Groups are independent; censoring may differ between them, but not depend on what would have followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.outcomes.methods.survival import Risk

    Floats = NDArray[np.floating]

SINGULAR = 1e-10
"""Directions of a covariance matrix below this share of its largest are without information."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of a test for each comparison (...), with what each group (..., groups) contributed.

    ``score`` is observed less expected events, ``covariance`` (..., groups, groups) its covariance, ``degrees`` its
    rank: groups less one, less those never at risk of an event. ``chi2`` and ``p`` are NaN where that is 0.
    """

    observed: Floats
    score: Floats
    covariance: Floats
    degrees: NDArray[np.int64]
    chi2: Floats
    p: Floats

    @property
    def expected(self) -> Floats:
        """Events expected in each group if there were no difference."""
        return self.observed - self.score


def cause_specific_log_rank(risk: Risk) -> Comparison:
    """Log-rank test of the event, with the competing event taken as censoring (Mantel 1966; Prentice 1978).

    At each time with d events among n at risk, d n_g / n are expected in group g; their covariance is
    hypergeometric, d (n - d) / (n - 1) n_g / n (1[g = h] - n_h / n), 0 where n is 1. chi2 is the score in its
    covariance, on groups - 1 degrees of freedom. For the competing event swap the two in ``risk``.
    """
    n = risk.entering.astype(np.float64)
    d = risk.event.astype(np.float64)
    all_n, all_d = n.sum(axis=-2, keepdims=True), d.sum(axis=-2, keepdims=True)
    share = _ratio(n, all_n)
    spread = (_ratio(all_d * (all_n - all_d), all_n - 1)).squeeze(-2)
    covariance = -np.einsum("...gt,...ht,...t->...gh", share, share, spread)
    covariance += _diagonal(np.einsum("...gt,...t->...g", share, spread))
    return _compared(d.sum(axis=-1), (d - share * all_d).sum(axis=-1), covariance)


def gray(risk: Risk) -> Comparison:
    """Gray's test (1988, Annals of Statistics 16:1141) that groups have one cumulative incidence; weight 1 (rho 0).

    Of group g at each time: n at risk, S and F the probabilities just before of neither event and of the event. Those
    who have had the competing event stay in the risk set in proportion, as if censored like the others:
    R_g = n_g (1 - F_g) / S_g. The score is the sum of d1_g - d1 R_g / sum R, as in a log-rank test. Its
    covariance, section 2 of the paper, with h_g = n_g / S_g, H their sum and F0 the pooled incidence with increments
    d1 / H::

        a_gk = h_g (1[g = k] - h_k / H),   c_gk(t) = sum up to t of a_gk dF0 / (1 - F0 before),   C = c(end)
        w_k  = (1 - F0) / S_k just after the time  (0 for events where S_k is 0)
        sum over k and times of
            (a_gk + (1 - w_k) (C_gk - c_gk)) (same with h for g) S_k d1 / (H n_k)         events
            w_k^2 (C_gk - c_gk) (C_hk - c_hk) S_k^2 d2_k / n_k^2                           competing events

    Tied events shrink the two by 1 - (d1 - 1) / (H S_k - 1) and 1 - (d2_k - 1) / (n_k - 1), as in R's cmprsk. Without
    competing events the score is that of the log-rank test; the covariance is that of the paper, a little different.
    """
    n = risk.entering.astype(np.float64)
    d1, d2 = risk.event.astype(np.float64), risk.competing.astype(np.float64)
    after = np.cumprod(1 - _ratio(d1 + d2, n), axis=-1)
    after[np.abs(after) < SINGULAR] = 0.0
    before = _shifted(after, 1.0)
    incidence = np.cumsum(before * _ratio(d1, n), axis=-1)
    h = _ratio(n, before)
    all_h = h.sum(axis=-2, keepdims=True)
    all_d = d1.sum(axis=-2, keepdims=True)
    exposed = h * (1 - _shifted(incidence, 0.0))
    score = d1 - all_d * _ratio(exposed, exposed.sum(axis=-2, keepdims=True))

    step = _ratio(all_d, all_h)
    pooled = np.cumsum(step, axis=-1)
    still = np.clip(1 - _shifted(pooled, 0.0), 0.0, None)
    # (..., g, k, times): what an event in group k does to the score of group g
    share = _ratio(h, all_h)
    a = -h[..., :, None, :] * share[..., None, :, :]
    a += np.eye(h.shape[-2])[..., None] * h[..., None, :]
    c = np.cumsum(a * _ratio(step, still)[..., None, :, :], axis=-1)
    to_come = c[..., -1:] - c
    w = _ratio(1 - pooled, after)
    tied = 1 - _ratio(all_d - 1, all_h * before - 1) * (all_d > 1)
    event = tied * before * _ratio(step, n)
    own = a + (1 - w)[..., None, :, :] * to_come
    tied = 1 - _ratio(d2 - 1, n - 1) * (d2 > 1)
    competing = tied * w**2 * before**2 * _ratio(d2, n**2)
    covariance = np.einsum("...gkt,...hkt,...kt->...gh", own, own, event)
    covariance += np.einsum("...gkt,...hkt,...kt->...gh", to_come, to_come, competing)
    return _compared(d1.sum(axis=-1), score.sum(axis=-1), covariance)


def _compared(observed: Floats, score: Floats, covariance: Floats) -> Comparison:
    """Score in its covariance: a generalised inverse, because the scores of all groups add up to 0."""
    from scipy.special import chdtrc  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    values, vectors = np.linalg.eigh(covariance)
    largest = values.max(axis=-1, keepdims=True, initial=0.0)
    used = values > np.maximum(SINGULAR * largest, np.finfo(np.float64).tiny)
    turned = np.einsum("...gk,...g->...k", vectors, score)
    degrees = used.sum(axis=-1)
    chi2 = np.where(degrees > 0, (_ratio(turned**2, values) * used).sum(axis=-1), np.nan)
    p = np.where(degrees > 0, chdtrc(np.maximum(degrees, 1), np.nan_to_num(chi2)), np.nan)
    return Comparison(observed, score, covariance, degrees, chi2, p)


def _shifted(values: Floats, first: float) -> Floats:
    """Value just before each time."""
    return np.concatenate([np.full((*values.shape[:-1], 1), first), values[..., :-1]], axis=-1)


def _diagonal(values: Floats) -> Floats:
    return values[..., None] * np.eye(values.shape[-1])


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; 0 where nobody is left to divide by."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator > 0)
