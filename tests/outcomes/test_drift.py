"""Models of two releases against each other."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

from assets.outcomes.adjustment import OUTCOMES, fit_models
from assets.outcomes.drift import DRIFT_SCHEMA, ReleasedModels, model_drift
from assets.outcomes.tables.case_mix import case_mix_coefficient, case_mix_model
from tests.outcomes.case_mix_rows import planted

MEANS = OUTCOMES[2:3]
RECOVERED = OUTCOMES[:1]


@cache
def published(seed: int, shift: float = 0.0, *, is_rate: bool = False) -> tuple[ReleasedModels, pl.DataFrame]:
    frame = planted(800, seed, clinics=6, clinic_sd=0.2, shift=shift)
    fitted = fit_models(frame, RECOVERED if is_rate else MEANS)
    return ReleasedModels(case_mix_model(fitted), case_mix_coefficient(fitted)), frame


def test_no_earlier_release() -> None:
    now, frame = published(1)
    drift = model_drift(now, None, frame)
    assert drift.schema == DRIFT_SCHEMA
    assert drift["reason"].to_list() == ["no_earlier_release"]
    assert drift["observed"].to_list() == [None]


@pytest.mark.parametrize("is_rate", [True, False])
def test_the_same_release_has_not_moved(is_rate: bool) -> None:  # noqa: FBT001
    now, frame = published(1, is_rate=is_rate)
    (row,) = model_drift(now, now, frame).iter_rows(named=True)
    assert row["reason"] is None
    assert row["discrimination_change"] == row["moved_errors"] == 0
    assert row["old_expected"] == pytest.approx(row["observed"], abs=1e-6)
    # predictions are pulled towards the mean for patients not seen, and these were
    assert row["old_slope"] * now.cards["shrinkage"].item() == pytest.approx(1, abs=0.1)
    assert row["n"] == 800


def test_the_old_model_predicts_with_its_shrunken_coefficients() -> None:
    now, frame = published(1, is_rate=True)
    unshrunken = now.coefficients.with_columns(estimate="unshrunken")
    assert not unshrunken.equals(now.coefficients)
    (row,) = model_drift(now, now, frame).iter_rows(named=True)
    (other,) = model_drift(now, ReleasedModels(now.cards, unshrunken), frame).iter_rows(named=True)
    assert other["old_slope"] == pytest.approx(row["old_slope"] * now.cards["shrinkage"].item(), rel=1e-5)


def test_a_planted_shift_is_found() -> None:
    before, _ = published(1)
    now, frame = published(2, 0.8)
    (row,) = model_drift(now, before, frame).iter_rows(named=True)
    # patients fare 0.8 points better than the old model expects; who fares better has not changed
    assert row["old_in_the_large"] == pytest.approx(0.8, abs=0.25)
    assert row["observed"] - row["old_expected"] == pytest.approx(row["old_in_the_large"])
    assert row["old_slope"] == pytest.approx(1, abs=0.15)
    assert row["old_ratio"] is None


def test_a_planted_shift_of_a_rate_is_found() -> None:
    before, _ = published(1, is_rate=True)
    now, frame = published(2, 0.8, is_rate=True)
    (row,) = model_drift(now, before, frame).iter_rows(named=True)
    assert row["old_in_the_large"] == pytest.approx(0.8, abs=0.35)
    assert row["old_ratio"] > 1.15


def test_the_term_that_moved_is_named() -> None:
    now, frame = published(1)
    moved = now.coefficients.with_columns(
        unshrunken=pl.when(pl.col("term") == "age_years")
        .then(pl.col("unshrunken") - 5 * pl.col("error"))
        .otherwise("unshrunken")
    )
    (row,) = model_drift(now, ReleasedModels(now.cards, moved), frame).iter_rows(named=True)
    assert row["moved_term"] == "age_years"
    assert row["moved_errors"] == pytest.approx(5 / 2**0.5)


def test_models_that_were_not_there_before_and_other_versions() -> None:
    now, frame = published(1)
    without = ReleasedModels(now.cards, now.coefficients.clear())
    assert model_drift(now, without, frame)["reason"].to_list() == ["no_earlier_model"]
    assert model_drift(without, now, frame)["reason"].to_list() == ["no_model_now"]
    older = ReleasedModels(now.cards.with_columns(statistic_id=pl.lit("case_mix_model.v0")), now.coefficients)
    assert model_drift(now, older, frame)["reason"].to_list() == ["other_version"]
