"""Sums, means and spread by group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.methods.groups import deviations, means, totals


def test_by_hand() -> None:
    code, values = [0, 0, 0, 2], [1.0, 2.0, 6.0, 5.0]
    assert totals(code, values, 4).tolist() == [9, 0, 5, 0]
    np.testing.assert_array_equal(means(code, values, 4), [3, np.nan, 5, np.nan])
    np.testing.assert_allclose(deviations(code, values, 4), [np.sqrt(7), np.nan, np.nan, np.nan])


def test_nist_numacc4_keeps_its_digits() -> None:
    # NIST StRD NumAcc4: 10000000.2, then .1 and .3 in turn; SD exactly 0.1
    values = np.array([10_000_000.2] + [10_000_000.1, 10_000_000.3] * 500)
    assert deviations(np.zeros(values.size, dtype=int), values, 1)[0] == pytest.approx(0.1, rel=1e-8)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-1e3, 1e3)), min_size=1, max_size=40))
def test_like_numpy_group_by_group(rows: list[tuple[int, float]]) -> None:
    code, values = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    for group in range(4):
        own = values[code == group]
        if own.size > 1:
            assert means(code, values, 4)[group] == pytest.approx(own.mean(), abs=1e-9)
            assert deviations(code, values, 4)[group] == pytest.approx(own.std(ddof=1), abs=1e-9)
