"""Case-mix models on rows with planted truth."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.outcomes.adjustment import (
    CORE,
    OUTCOMES,
    PRIORITY,
    AdjustedOutcome,
    CaseMixModel,
    Fitted,
    agreement,
    fit_models,
    modelled_episodes,
    outcome_rows,
    predicted,
)
from assets.outcomes.covariates import PRE_TREATMENT, evaluate
from tests.outcomes.case_mix_rows import AGE, CHRONIC, PAIN, planted

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RECOVERED, PAIN_POINTS, PAIN_CHANGE, FUNCTION = OUTCOMES


def fitted(frame: pl.DataFrame, outcome: AdjustedOutcome) -> Fitted:
    (found,) = fit_models(frame, [outcome])
    return found


@cache
def once(outcome_id: str, n: int, clinics: int) -> Fitted:
    (outcome,) = (one for one in OUTCOMES if one.outcome_id == outcome_id)
    return fitted(planted(n, clinics=clinics), outcome)


def truth(outcome: AdjustedOutcome, n: int = 1500, clinics: int = 20) -> Fitted:
    """Fitted once for all tests that look at it."""
    return once(outcome.outcome_id, n, clinics)


def model_of(found: Fitted) -> CaseMixModel:
    assert found.model is not None, found.reason
    return found.model


def coefficient(model: CaseMixModel, name: str) -> tuple[float, float]:
    position = model.names.index(name)
    return model.unshrunken[position], model.errors[position]


def test_every_predictor_is_known_before_treatment_and_none_is_forgotten() -> None:
    assert sorted(PRIORITY) == sorted(PRE_TREATMENT)
    assert set(CORE) < set(PRIORITY)


@pytest.mark.parametrize(
    ("outcome", "term", "planted_value"),
    [
        (RECOVERED, "symptom_duration=chronic", CHRONIC),
        (RECOVERED, "age_years", AGE),
        (PAIN_CHANGE, "symptom_duration=chronic", CHRONIC),
        (PAIN_CHANGE, "age_years", AGE),
        (PAIN_CHANGE, "baseline_pain", PAIN),
        (FUNCTION, "symptom_duration=chronic", 5 * CHRONIC),
    ],
)
def test_planted_coefficients_come_out(outcome: AdjustedOutcome, term: str, planted_value: float) -> None:
    estimate, error = coefficient(model_of(truth(outcome)), term)
    assert abs(estimate - planted_value) < 3 * error
    assert error < abs(planted_value) / 4


@pytest.mark.parametrize(("outcome", "planted_sd"), [(RECOVERED, 0.5), (PAIN_CHANGE, 0.5), (FUNCTION, 2.5)])
def test_what_clinics_add_comes_out(outcome: AdjustedOutcome, planted_sd: float) -> None:
    model = model_of(truth(outcome, n=2400, clinics=60))
    assert model.sd_between == pytest.approx(planted_sd, rel=0.35)
    assert model.clinics == 60


def test_of_a_yes_or_no_the_clinics_share_is_on_the_latent_scale() -> None:
    model = model_of(truth(RECOVERED))
    assert model.share_between == pytest.approx(model.sd_between**2 / (model.sd_between**2 + np.pi**2 / 3))


def test_without_the_clinic_effect_the_fit_is_biased() -> None:
    """Clinics that do better see more pain: what clinics add is then taken for a merit of much pain (domain 4.5)."""
    frame = planted(3000, clinics=30, clinic_sd=1.0, confounded=1.0)
    model = model_of(fitted(frame, PAIN_CHANGE))
    with_effect, error = coefficient(model, "baseline_pain")
    rows = modelled_episodes(frame)
    x, y = evaluate(rows, model.names), rows["pain_change"].cast(pl.Float64).to_numpy()
    without = np.linalg.lstsq(x, y, rcond=None)[0][model.names.index("baseline_pain")]
    assert abs(with_effect - PAIN) < 3 * error
    assert without - PAIN > 5 * error
    assert without > PAIN * 1.3


def test_without_differences_between_clinics_it_is_the_ordinary_logistic_regression() -> None:
    import statsmodels.api as sm  # noqa: PLC0415 - slow to import, one test

    frame = planted(500, clinic_sd=0, clinics=2)
    model = model_of(fitted(frame, RECOVERED))
    assert model.sd_between < 1e-9
    rows = modelled_episodes(frame)
    ours = sm.Logit((rows["recovered"] == "yes").to_numpy().astype(float), evaluate(rows, model.names)).fit(disp=0)
    np.testing.assert_allclose(model.unshrunken, ours.params, atol=1e-4)
    np.testing.assert_allclose(model.errors, ours.bse, atol=1e-3)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_expected_equals_observed_and_can_be_computed_from_the_coefficients(
    outcome: AdjustedOutcome,
) -> None:
    found = truth(outcome)
    model = model_of(found)
    assert model.expected.mean() == pytest.approx(found.value.mean(), abs=1e-9)
    rows = outcome_rows(modelled_episodes(planted(1500)), outcome).filter(pl.col("value").is_not_null())
    again = predicted(rows, model.names, model.coefficients, is_rate=found.outcome.is_rate)
    np.testing.assert_allclose(again, model.expected)


def test_held_out_predictions_are_worse_than_apparent_ones_and_calibrated() -> None:
    found = fitted(planted(400, clinics=8), RECOVERED)
    model = model_of(found)
    apparent, _ = agreement(found.value, model.apparent, is_rate=True)
    held_out, calibration = agreement(found.value, model.held_out, is_rate=True)
    assert held_out < apparent
    assert calibration.slope < 1
    assert abs(calibration.in_the_large) < 0.1


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_coefficient_but_the_intercept_is_shrunken_by_the_slope_of_folds_not_seen(
    outcome: AdjustedOutcome,
) -> None:
    found = truth(outcome)
    model = model_of(found)
    _, calibration = agreement(found.value, model.held_out, is_rate=outcome.is_rate)
    assert model.shrinkage == pytest.approx(calibration.slope)
    assert 0.5 < model.shrinkage < 1
    np.testing.assert_allclose(model.coefficients[1:], model.shrinkage * model.unshrunken[1:])
    # the apparent slope of shrunken predictions is too flat by the factor: allowance for patients not seen
    _, own = agreement(found.value, model.expected, is_rate=outcome.is_rate)
    _, before = agreement(found.value, model.apparent, is_rate=outcome.is_rate)
    assert own.slope == pytest.approx(before.slope / model.shrinkage, rel=1e-6)


def noisy(n: int, seed: int) -> pl.DataFrame:
    """What is planted, beside many traits that say nothing, and scores that vary more by chance."""
    rng = np.random.default_rng(1000 + seed)
    traits = ("payer", "side", "population", "sex")
    more = pl.Series(np.round(rng.normal(0, 3, n), 6)).cast(pl.Decimal(12, 6))
    return planted(n, seed, clinics=12, clinic_sd=0.2).with_columns(
        **{name: pl.Series(rng.choice(list("abcdef"), n)) for name in traits}, pain_change=pl.col("pain_change") + more
    )


@pytest.mark.parametrize("outcome", [RECOVERED, PAIN_CHANGE])
def test_an_overfitted_model_is_calibrated_for_fresh_patients_after_shrinkage_and_not_before(
    outcome: AdjustedOutcome,
) -> None:
    """Slopes over the predictions of many networks: the factor of a single small one is uncertain.

    Models of folds learn from four fifths of the patients, so the factor is a little too cautious.
    """
    fresh = outcome_rows(modelled_episodes(noisy(4000, 99)), outcome)
    models = [model_of(fitted(noisy(450, seed), outcome)) for seed in range(1, 11)]

    def slope(coefficients: Callable[[CaseMixModel], Floats]) -> float:
        expected = [predicted(fresh, one.names, coefficients(one), is_rate=outcome.is_rate) for one in models]
        value = np.tile(fresh["value"].to_numpy(), len(models))
        return agreement(value, np.concatenate(expected), is_rate=outcome.is_rate)[1].slope

    before, after = slope(lambda one: one.unshrunken), slope(lambda one: one.coefficients)
    assert before < 0.7
    assert after == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("outcome", [RECOVERED, PAIN_CHANGE])
def test_a_model_that_says_nothing_expects_the_mean_of_everybody(outcome: AdjustedOutcome) -> None:
    """Outcomes opposed between folds: what is learned from some is wrong for the others."""
    frame = planted(300, clinics=4).sort("age_years")
    rank = pl.int_range(pl.len())
    against = (pl.col("fold") % 2 == 0) == (rank < 150)
    frame = frame.with_columns(
        recovered=pl.when(against).then(pl.lit("yes")).otherwise(pl.lit("no")),
        pain_change=pl.when(against).then(4).otherwise(1).cast(pl.Decimal(12, 6)),
    )
    found = fitted(frame, outcome)
    model = model_of(found)
    assert model.shrinkage == 0
    np.testing.assert_array_equal(model.coefficients[1:], 0)
    np.testing.assert_allclose(model.expected, found.value.mean())
    assert np.abs(model.unshrunken[1:]).max() > 0
    if not outcome.is_rate:
        # nothing is explained: single patients lie around the mean as far as around that of their clinic
        by_clinic = found.candidates.group_by("clinic_key").agg(n=pl.len(), sd=pl.col("value").std())
        pooled = by_clinic.select(((pl.col("n") - 1) * pl.col("sd") ** 2).sum() / (pl.col("n") - 1).sum()).item()
        assert model.sd_within == pytest.approx(np.sqrt(pooled))


def test_each_fold_is_predicted_without_itself() -> None:
    """Other outcomes in one fold change the predictions of all folds but its own."""
    frame = planted(400, clinics=4)
    changed = frame.with_columns(
        pain_change=pl.when(pl.col("fold") == 2).then(-pl.col("pain_change")).otherwise("pain_change")
    )
    one, other = fitted(frame, PAIN_CHANGE), fitted(changed, PAIN_CHANGE)
    same = np.isclose(model_of(one).held_out, model_of(other).held_out, atol=1e-9)
    own = (modelled_episodes(frame)["fold"] == 2).to_numpy()
    assert same[own].all()
    assert not same[~own].any()


@pytest.mark.parametrize(
    ("n", "outcome", "reason"),
    [(99, RECOVERED, "too_few_episodes"), (99, PAIN_CHANGE, "too_few_episodes"), (105, RECOVERED, "too_few_events")],
)
def test_too_little_data_gives_a_reason(n: int, outcome: AdjustedOutcome, reason: str) -> None:
    found = fitted(planted(n), outcome)
    assert (found.model, found.reason) == (None, reason)


def test_one_clinic_gives_a_reason() -> None:
    found = fitted(planted(800, clinics=1), RECOVERED)
    assert (found.model, found.reason) == (None, "one_group")


def test_predictors_enter_in_their_order_while_there_are_events_for_them() -> None:
    found = fitted(planted(260), RECOVERED)
    small, large = model_of(found), model_of(truth(RECOVERED))
    assert len(small.names) < len(large.names)
    assert set(small.left_out) - set(large.left_out)
    assert (len(small.names) - 1) * 10 <= found.events
    assert {"baseline_pain", "baseline_pain^2", "baseline_function_permille", "age_years"} < set(small.names)


def test_a_level_in_which_all_had_the_same_outcome_counts_as_the_reference() -> None:
    frame = planted(700, clinics=4).with_columns(
        payer=pl.when(pl.int_range(pl.len()) < 40).then(pl.lit("self_pay")).otherwise("payer"),
        recovered=pl.when(pl.int_range(pl.len()) < 40).then(pl.lit("yes")).otherwise("recovered"),
    )
    model = model_of(fitted(frame, RECOVERED))
    assert "payer=self_pay" in model.left_out
    assert "payer=self_pay" in model_of(fitted(frame, PAIN_CHANGE)).names
    assert np.abs(model.coefficients).max() < 5


def test_only_closed_first_episodes_of_routine_care_count() -> None:
    frame = planted(900, clinics=6)
    others = pl.concat(
        planted(50, seed).with_columns(pl.lit(value).alias(column))
        for seed, (column, value) in enumerate(
            {"is_closed": False, "is_trial": True, "is_first_episode": False}.items(), start=2
        )
    )
    one, other = fitted(frame, PAIN_CHANGE), fitted(pl.concat([frame, others]), PAIN_CHANGE)
    np.testing.assert_array_equal(model_of(one).coefficients, model_of(other).coefficients)
    assert one.candidates.equals(other.candidates)


def test_who_cannot_recover_is_no_candidate_for_recovery() -> None:
    frame = planted(99).with_columns(
        recovered=pl.when(pl.int_range(pl.len()) < 30).then(pl.lit("unknown")).otherwise("recovered"),
        unknown_reason=pl.when(pl.int_range(pl.len()) < 20)
        .then(pl.lit("baseline_too_low"))
        .when(pl.int_range(pl.len()) < 30)
        .then(pl.lit("no_comparable_pair")),
    )
    found = fitted(frame, RECOVERED)
    assert (found.candidates.height, found.value.size) == (79, 69)


def test_the_order_of_rows_does_not_matter() -> None:
    frame = planted(300, clinics=4)
    for outcome in (RECOVERED, PAIN_CHANGE):
        one, other = fitted(frame, outcome), fitted(frame.sample(fraction=1, shuffle=True, seed=3), outcome)
        np.testing.assert_array_equal(model_of(one).coefficients, model_of(other).coefficients)
        np.testing.assert_array_equal(model_of(one).held_out, model_of(other).held_out)


def test_a_score_of_exactly_two_points_less_counts() -> None:
    frame = planted(3).with_columns(latest_pain_change=pl.Series(["2", "1.999999", None]).cast(pl.Decimal(12, 6)))
    assert fitted(frame, PAIN_POINTS).candidates["value"].to_list() == [1.0, 0.0, None]
