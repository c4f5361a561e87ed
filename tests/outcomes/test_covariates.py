"""The design matrix of everything known before treatment, and nothing known after."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcomes.covariates import PRE_TREATMENT, SCALES, design, evaluate, independent_columns

AFTER_BASELINE = {
    "last_pain",
    "pain_change",
    "latest_pain_change",
    "function_change_permille",
    "recovered",
    "unknown_reason",
    "responder_mcid",
    "event_day",
    "event_kind",
    "visit_count",
    "is_in_care_at_landmark",
    "care",
    "is_closed",
    "discharge_reason",
}
"""Columns of the mart that are known only once care has begun."""


def episodes(n: int = 200, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = {name: pl.Series(np.round(rng.normal(*scale, n))).cast(pl.Int64) for name, scale in SCALES.items()}
    codes = {name: pl.Series(rng.choice(["yes", "no"], n)) for name in PRE_TREATMENT if name not in SCALES}
    return pl.DataFrame({**numbers, **codes}).with_columns(
        baseline_pain=pl.col("baseline_pain").cast(pl.Decimal(11, 6))
    )


@pytest.mark.parametrize("column", sorted(AFTER_BASELINE))
def test_nothing_known_after_the_baseline_is_adjusted_for(column: str) -> None:
    assert column not in PRE_TREATMENT
    frame = episodes().with_columns(pl.lit(1).alias(column))
    with pytest.raises(ValueError, match=f"not known before treatment: {column}"):
        design(frame, (*PRE_TREATMENT, column))


def test_numbers_categories_and_their_names() -> None:
    frame = episodes().with_columns(sex=pl.Series(["F"] * 120 + ["M"] * 70 + ["X"] * 10))
    made = design(frame, ("baseline_pain", "sex"))
    assert made.names == ("intercept", "baseline_pain", "baseline_pain^2", "sex=M")
    assert made.references == {"sex": "F"}
    pain = (frame["baseline_pain"].cast(pl.Float64).to_numpy() - 5) / 2
    np.testing.assert_allclose(made.matrix[:, 1], pain)
    np.testing.assert_allclose(made.matrix[:, 2], pain**2)
    # ten rows of X are too few for a coefficient of their own: they count as the reference
    assert made.matrix[:, 3].tolist() == [0.0] * 120 + [1.0] * 70 + [0.0] * 10


@pytest.mark.parametrize(("missing", "named"), [(0, False), (10, False), (11, True), (189, True), (190, False)])
def test_missing_numbers_have_a_column_of_their_own_if_there_are_enough(missing: int, named: bool) -> None:  # noqa: FBT001
    frame = episodes().with_columns(
        age_years=pl.when(pl.int_range(pl.len()) >= missing).then("age_years").cast(pl.Int64)
    )
    made = design(frame, ("age_years",))
    assert ("age_years:missing" in made.names) == named
    assert np.isfinite(made.matrix).all()
    assert (made.matrix[:missing, 1] == 0).all()


def test_constant_and_collinear_columns_are_dropped_and_named() -> None:
    frame = episodes().with_columns(
        needle_phobia=pl.col("anticoagulant"), start_year=pl.lit(2024), surgery_count=pl.lit(None, pl.Int32)
    )
    made = design(frame)
    assert set(made.dropped) == {"needle_phobia=yes", "start_year", "surgery_count"} or set(made.dropped) == {
        "needle_phobia=no",
        "start_year",
        "surgery_count",
    }
    assert np.linalg.matrix_rank(made.matrix) == len(made.names) == made.matrix.shape[1]


def test_the_same_columns_whatever_the_order_of_rows() -> None:
    frame = episodes()
    order = np.random.default_rng(5).permutation(frame.height)
    one, other = design(frame), design(frame[order])
    assert one.names == other.names
    np.testing.assert_array_equal(one.matrix[order], other.matrix)


def test_a_model_fitted_before_meets_levels_it_does_not_know() -> None:
    frame = episodes(3).with_columns(payer=pl.Series(["medicare", "other", "new"]), age_years=pl.Series([60, None, 30]))
    got = evaluate(frame, ("intercept", "age_years", "age_years:missing", "payer=medicare"))
    np.testing.assert_allclose(got, [[1, 1, 0, 1], [1, 0, 1, 0], [1, -1, 0, 0]])


def test_no_rows() -> None:
    made = design(episodes().head(0))
    assert made.matrix.shape[0] == 0


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(0, 4))
def test_what_is_kept_spans_all_and_is_independent(seed: int, columns: int, copies: int) -> None:
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(30, columns))
    matrix = np.column_stack([own, own @ rng.integers(-2, 3, (columns, copies))])
    matrix = matrix[:, rng.permutation(matrix.shape[1])] * 10.0 ** rng.integers(-3, 4, columns + copies)
    assert independent_columns(matrix).sum() == columns
