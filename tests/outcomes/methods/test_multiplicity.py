"""False discovery rates against the published example and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assets.outcomes.methods.multiplicity import benjamini_hochberg

# T9: Benjamini & Hochberg 1995, section 3; q values as in the documentation of scipy
P = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0]


def test_the_published_example() -> None:
    q = benjamini_hochberg(P)
    np.testing.assert_allclose(q[[3, 4, 5, 6]], [0.035625, 0.0603, 0.06385714, 0.06385714], atol=5e-9)
    assert (q <= 0.05).sum() == 4
    # Planted fault: not looking at later tests (m p / rank alone) would not be monotone
    assert (np.diff(len(P) * np.array(P) / np.arange(1, len(P) + 1)) < 0).any()
    assert (np.diff(q) >= 0).all()


def test_a_test_that_was_not_done_is_no_part_of_the_family() -> None:
    with_gaps = np.array([P[:8] + [np.nan] * 3 + P[8:]])
    found = benjamini_hochberg(with_gaps)
    assert found.shape == with_gaps.shape
    assert np.isnan(found[0, 8:11]).all()
    np.testing.assert_array_equal(np.delete(found[0], [8, 9, 10]), benjamini_hochberg(P))
    assert benjamini_hochberg([]).shape == (0,)
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@pytest.mark.parametrize("wrong", [1.1, -0.1])
def test_impossible_p_values_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="0 and 1"):
        benjamini_hochberg([0.5, wrong])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_agrees_with_statsmodels_in_any_order(p: list[float]) -> None:
    found = benjamini_hochberg(p)
    np.testing.assert_allclose(found, multipletests(p, method="fdr_bh")[1], atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p[::-1]), found[::-1], atol=1e-12)
