"""Over-dispersion against the vector, and what it does when clinics do and do not differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.methods.overdispersion import arcsine, dispersion, share_limits, value_limits

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "domain" / "vectors.json"

# T14 of the domain reference, formulas as FunnelPlotR
RECOVERED = np.array([18, 35, 61, 20, 44, 75, 12, 90, 33, 52])
PATIENTS = np.array([40, 50, 90, 25, 80, 100, 30, 120, 60, 70])
TARGET = RECOVERED.sum() / PATIENTS.sum()


def test_the_vector() -> None:
    values, errors = arcsine(RECOVERED / PATIENTS, PATIENTS)
    centre = float(arcsine(TARGET, 1)[0])
    z = (values - centre) / errors
    np.testing.assert_allclose(z[[0, 3, 6]], [-2.715706, 1.571388, -2.906114], atol=5e-7)
    found = dispersion(values, centre, errors)
    assert found.clinics == 10
    assert found.phi == pytest.approx(3.495852, abs=5e-7)
    assert found.tau2 == pytest.approx(0.0110884, abs=5e-8)
    np.testing.assert_allclose(share_limits(50, TARGET, 0.0, 0.95), [0.526010, 0.784958], atol=5e-7)
    np.testing.assert_allclose(share_limits(50, TARGET, found.tau2, 0.95), [0.416404, 0.867758], atol=5e-7)
    # Planted fault: without pulling in the outer tenths phi is another number
    assert np.mean(z**2) == pytest.approx(3.660834, abs=5e-7)


@pytest.mark.shared
@pytest.mark.skipif(not VECTORS.exists(), reason="shared vectors are not beside this checkout")
def test_every_value_of_the_shared_vector() -> None:
    case = json.loads(VECTORS.read_text(encoding="utf-8"))["funnel_overdispersion"]
    x, n = (np.array([unit[position] for unit in case["units"]]) for position in (1, 2))
    target = x.sum() / n.sum()
    assert target == pytest.approx(case["target"], abs=5e-7)
    values, errors = arcsine(x / n, n)
    centre = float(arcsine(target, 1)[0])
    z = (values - centre) / errors
    np.testing.assert_allclose(z, case["z"], atol=5e-7)
    np.testing.assert_allclose(np.quantile(z, [0.1, 0.9]), [case["q10"], case["q90"]], atol=5e-7)
    assert np.mean(z**2) == pytest.approx(case["phi_raw"], abs=5e-7)
    found = dispersion(values, centre, errors)
    assert (found.phi, found.tau2) == (
        pytest.approx(case["phi_winsor10"], abs=5e-7),
        pytest.approx(case["tau2"], abs=5e-8),
    )
    np.testing.assert_allclose(share_limits(50, target, 0, 0.95), case["limits_n50_95_unadj"], atol=5e-7)
    np.testing.assert_allclose(share_limits(50, target, found.tau2, 0.95), case["limits_n50_95_additive"], atol=5e-7)
    # The multiplicative model is the additive one of a clinic whose error is sqrt(phi) times as large
    stretched = arcsine(target, 50 / found.phi)[1]
    np.testing.assert_allclose(
        share_limits(50, target, float(stretched**2 - arcsine(target, 50)[1] ** 2), 0.95),
        case["limits_n50_95_mult"],
        atol=5e-7,
    )


def test_clinics_closer_than_chance_are_not_overdispersed() -> None:
    found = dispersion(np.full(12, 3.0) + np.linspace(-0.01, 0.01, 12), 3.0, np.full(12, 1.0))
    assert found.tau2 == 0
    assert found.phi < 1
    np.testing.assert_allclose(value_limits([0.5], 3.0, 0.0, 0.95), [[3 - 0.979982], [3 + 0.979982]], atol=1e-6)


def test_planted_spread_is_found_and_one_outlier_does_not_make_it() -> None:
    rng = np.random.default_rng(20261125)
    errors = rng.uniform(0.2, 0.6, 400)
    values = rng.normal(0, np.sqrt(errors**2 + 0.25))
    # Pulling in the outer tenths takes about a fifth off the variance of a normal sample
    assert dispersion(values, 0.0, errors).tau2 == pytest.approx(0.25, abs=0.09)
    calm = rng.normal(0, 0.4, 40)
    shouting = calm.copy()
    shouting[0] = 8.0
    sizes = np.full(40, 0.4)
    assert dispersion(shouting, 0.0, sizes).tau2 - dispersion(calm, 0.0, sizes).tau2 < 0.02
    assert np.mean((shouting / sizes) ** 2) > 5, "planted fault: unwinsorised, the one clinic would widen all limits"


def test_limits_stay_inside_and_impossible_input_is_refused() -> None:
    low, high = share_limits([1, 5, 11], [0.02, 0.5, 0.98], 0.3, 0.998)
    assert (low >= 0).all()
    assert (high <= 1).all()
    for values, errors in (([1.0], [1.0]), ([1.0, 2.0], [1.0, 0.0]), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match="two or more clinics"):
            dispersion(values, 0.0, errors)


@given(st.integers(1, 500), st.floats(0.01, 0.99), st.floats(0, 0.1), st.floats(0, 0.1))
def test_more_spread_never_narrows(n: int, theta: float, one: float, two: float) -> None:
    low, high = (share_limits(n, theta, tau2, 0.95) for tau2 in (min(one, two), max(one, two)))
    assert high[0] <= low[0] + 1e-12
    assert low[1] <= high[1] + 1e-12
    assert 0 <= high[0] <= theta <= high[1] + 1e-12
