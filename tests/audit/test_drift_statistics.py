"""The p-values of drift are honest with nights that vary more than rows do, and corrected for all that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from assets.audit.drift_statistics import Measure, Nights, Verdict, absences, adjusted, judge, moderated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEATURES, EARLIER = 4_000, 25
ALPHA = 0.01


def nights(n: Floats, total: Floats, squares: Floats | None = None) -> Nights:
    lines = len(n)
    return Nights(
        n,
        total,
        np.zeros_like(n) if squares is None else squares,
        np.full(lines, float(n.shape[1] - 1)),
        np.ones(lines),
        np.zeros(lines, dtype=np.int64),
    )


def draw(kind: str, rng: np.random.Generator) -> tuple[Measure, Nights]:
    """Features of which nothing has changed; ``clustered``: shares and rates differ from night to night."""
    shape = (FEATURES, EARLIER + 1)
    usual = rng.uniform(8, 120, FEATURES)[:, None]
    one = np.ones(shape)
    match kind:
        case "counts":
            return Measure.COUNT, nights(one, rng.poisson(usual * one).astype(float))
        case "clustered counts":
            return Measure.COUNT, nights(one, rng.poisson(usual * rng.gamma(20, 1 / 20, shape)).astype(float))
        case "shares" | "clustered shares":
            n = rng.poisson(usual * one)
            share = rng.choice([0.01, 0.05, 0.2, 0.5], FEATURES)[:, None] * one
            if kind == "clustered shares":
                share = rng.beta(share * 60, (1 - share) * 60)
            return Measure.SHARE, nights(n.astype(float), rng.binomial(n, share).astype(float))
        case _:
            n = np.maximum(rng.poisson(usual * one), 2)
            night = rng.normal(0, 0.3 if kind == "clustered means" else 0, shape)
            total = n * night + rng.normal(0, np.sqrt(n))
            inside = rng.chisquare(n - 1)
            return Measure.MEAN, nights(n.astype(float), total, total**2 / n + inside)


@pytest.mark.parametrize(
    "kind", ["counts", "clustered counts", "shares", "clustered shares", "means", "clustered means"]
)
def test_p_values_of_what_has_not_changed(kind: str) -> None:
    p = judge(*draw(kind, np.random.default_rng(1))).p
    assert not np.isnan(p).any()
    assert ALPHA / 8 < (p < ALPHA).mean() < ALPHA * 1.5, "honest, and not so careful that nothing is ever found"
    assert (p < ALPHA / 100).mean() < ALPHA / 100 * 6, "four features at most: the far tail holds too"


def test_what_varies_from_night_to_night_has_to_change_more() -> None:
    steady = np.tile([20.0, 21, 19, 20, 22, 18], 4)
    moody = np.tile([20.0, 35, 8, 20, 31, 6], 4)
    total = np.column_stack([np.vstack([steady, moody]), [45.0, 45.0]])
    p = judge(Measure.COUNT, nights(np.ones_like(total), total)).p
    assert p[0] < ALPHA / 50
    assert p[1] > ALPHA


def test_holm_over_everything() -> None:
    p = np.array([1e-5, 0.0004, 0.0019, 0.0201, 0.3, np.nan])
    found = adjusted(Verdict(p, np.where(np.isnan(p), np.nan, 0.0), np.ones(6, dtype=bool)), 0.05)
    assert found[:5] == pytest.approx(multipletests(p[:5], method="holm")[1])
    assert np.isnan(found[5])


def test_what_could_not_be_found_costs_nothing() -> None:
    p = np.array([0.004, *np.full(99, 0.5)])
    attainable = np.array([0.0, *np.full(99, 0.2)])
    ones = np.ones(100, dtype=bool)
    assert adjusted(Verdict(p, attainable, ones), 0.05)[0] == pytest.approx(0.004)
    assert adjusted(Verdict(p, np.zeros(100), ones), 0.05)[0] == pytest.approx(0.4)


def test_dispersions_are_shrunk_as_far_as_they_differ_by_chance() -> None:
    rng = np.random.default_rng(2)
    freedom, every = np.full(200, 20.0), np.ones(200, dtype=bool)
    alike, worth = moderated(2 * rng.chisquare(20, 200) / 20, freedom, every)
    assert alike == pytest.approx(np.full(200, 2.0), abs=0.2)
    assert worth.min() > 200
    apart = np.repeat([1.0, 8.0], 100) * rng.chisquare(20, 200) / 20
    kept, worth = moderated(apart, freedom, every)
    assert np.median(kept[:100]) < 1.5
    assert np.median(kept[100:]) > 6
    assert worth.max() < 30
    few, worth = moderated(np.array([1.0, 4.0]), np.array([9.0, 9.0]), np.array([True, True]))
    assert (few.tolist(), worth.tolist()) == ([1.0, 4.0], [9.0, 9.0])


def test_an_empty_table_is_as_unlikely_as_all_less_likely_ones_together() -> None:
    total = np.column_stack([np.tile([[7.0, 9.0, 8.0, 8.0]], (3, 10)), [0.0, 0.0, 8.0]])
    total[1, :-1] *= 2
    found = absences(nights(np.ones_like(total), total))
    of_eight = (40 / 41) ** (40 * 8)  # no row in a night, after 320 rows in 40 nights
    assert found[0] == pytest.approx(of_eight, rel=0.01)
    assert found[1] < of_eight / 1000
    assert found[2] == 1
