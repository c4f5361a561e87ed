"""Arms of small trials: signs, covariates by plan, and reasons instead of numbers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import TRIAL_COVARIATES
from assets.contract.model import TrialPlan
from assets.outcomes.tables.trials import TOPIC, trial_effect
from tests.outcomes.printed import printed

NUMBERS = {"surgery_count", "comorbidity_count", "age_years"}


def trial(
    patients: int = 60,
    *,
    arms: tuple[str, ...] = ("usual", "needling"),
    measure: str = "odi",
    effect: float = 6.0,
    sides: tuple[str, ...] = ("none",),
    seed: int = 1,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Episodes and scores: arms in turn, the second one ``effect`` points lower at day 84."""
    rng = np.random.default_rng(seed)
    arm = [arms[number % len(arms)] for number in range(patients)]
    episodes = pl.DataFrame(
        {
            "episode_key": [f"e{number:04d}" for number in range(patients)],
            "patient_key": [f"p{number:04d}" for number in range(patients)],
            "trial_id": "a_trial",
            "arm": arm,
            **{name: pl.Series([None] * patients, dtype=pl.Int32) for name in sorted(NUMBERS)},
            **{name: ["unknown"] * patients for name in TRIAL_COVARIATES if name not in NUMBERS},
        }
    ).with_columns(age_years=pl.Series(rng.integers(20, 80, patients)), sex=pl.Series(rng.choice(["F", "M"], patients)))
    rows = []
    for number in range(patients):
        own = rng.normal()
        for side in sides:
            first = 40 + 8 * own + 4 * rng.normal()
            later = 20 + 0.4 * first + 6 * own - effect * (arm[number] == arms[-1]) + 4 * rng.normal()
            for day, value in ((0, first), (84, later)):
                rows.append((f"e{number:04d}", measure, side, day, Decimal(f"{value:.1f}")))
        rows.append((f"e{number:04d}", "rmdq", "none", 0, Decimal(int(rng.integers(4, 20)))))
    schema = {
        **dict.fromkeys(["episode_key", "measure_id", "side"], pl.String),
        "planned_day": pl.Int32,
        "value": pl.Decimal(11, 6),
    }
    return episodes, pl.DataFrame(rows, schema=schema, orient="row")


def planned(reference: str, *covariates: str) -> object:
    return CONTRACT.extended(trials=[TrialPlan("a_trial", reference, covariates)])


def only(frame: pl.DataFrame) -> dict[str, object]:
    assert len(frame) == 1
    return frame.row(0, named=True)


def test_positive_is_better_whatever_the_direction_of_the_scale() -> None:
    lower = only(trial_effect(*trial(200), planned("usual")))
    assert lower["difference_low"] < 6 < lower["difference_high"]
    assert lower["difference_low"] > 0
    assert (lower["arm"], lower["reference_arm"], lower["n_arm"], lower["n_reference"]) == (
        "needling",
        "usual",
        100,
        100,
    )
    assert (lower["covariates"], lower["model"], lower["reason"]) == ("baseline", "ancova", None)
    higher = only(trial_effect(*trial(200, measure="lefs"), planned("usual")))
    assert higher["difference"] == pytest.approx(-lower["difference"])
    turned = only(trial_effect(*trial(200), planned("needling")))
    assert turned["difference"] == pytest.approx(-lower["difference"])
    assert turned["p_value"] == pytest.approx(lower["p_value"])


def test_equals_least_squares_on_the_same_columns() -> None:
    episodes, scores = trial(80)
    row = only(trial_effect(episodes, scores, planned("usual", "age_years", "sex", "rmdq", "payer")))
    assert row["covariates"] == "baseline, age_years, sex, rmdq"
    assert row["degrees_of_freedom"] == 80 - 6
    wide = scores.pivot(on=["measure_id", "planned_day"], index="episode_key", values="value").sort("episode_key")
    first, later, other = (wide[name].cast(pl.Float64).to_numpy() for name in ('{"odi",0}', '{"odi",84}', '{"rmdq",0}'))
    ordered = episodes.sort("episode_key")
    x = np.column_stack(
        [np.ones(80), ordered["arm"] == "needling", first, ordered["age_years"], ordered["sex"] == "M", other]
    ).astype(float)
    solved, rest, _, _ = np.linalg.lstsq(x, later)
    assert row["difference"] == pytest.approx(-solved[1])
    error = np.sqrt(rest[0] / 74 * np.linalg.inv(x.T @ x)[1, 1])
    assert row["standard_error"] == pytest.approx(error)
    assert row["unadjusted_difference"] == pytest.approx(
        later[ordered["arm"] == "usual"].mean() - later[ordered["arm"] == "needling"].mean()
    )


def test_without_a_plan_the_first_arm_age_and_sex() -> None:
    row = only(trial_effect(*trial(80, arms=("b_needling", "a_usual")), CONTRACT))
    assert (row["reference_arm"], row["arm"]) == ("a_usual", "b_needling")
    assert row["covariates"] == "baseline, age_years, sex"


def test_missing_covariates_take_no_patient_away() -> None:
    episodes, scores = trial(80)
    gaps = episodes.with_columns(age_years=pl.when(pl.col("episode_key") > "e0019").then("age_years"))
    row = only(trial_effect(gaps, scores, planned("usual", "age_years", "surgery_count")))
    assert (row["n_arm"], row["n_reference"]) == (40, 40)
    assert row["covariates"] == "baseline, age_years"
    assert row["degrees_of_freedom"] == 80 - 5


def test_both_sides_of_a_patient_are_one_patient() -> None:
    row = only(trial_effect(*trial(60, sides=("left", "right")), planned("usual")))
    assert (row["model"], row["n_arm"], row["scores"], row["degrees_of_freedom"]) == ("ancova_mixed", 30, 120, 57)


def test_side_among_the_covariates_is_that_of_the_complaint() -> None:
    episodes, scores = trial(60, sides=("left", "right"))
    assert only(trial_effect(episodes, scores, planned("usual", "side")))["covariates"] == "baseline"
    sided = episodes.with_columns(side=pl.Series(["left", "left", "right"] * 20))
    row = only(trial_effect(sided, scores, planned("usual", "side")))
    assert (row["covariates"], row["degrees_of_freedom"]) == ("baseline, side", 56)


def test_three_arms_are_compared_with_the_reference() -> None:
    frame = trial_effect(*trial(120, arms=("usual", "sham", "needling")), planned("sham"))
    assert frame.select("arm", "reference_arm").rows() == [("needling", "sham"), ("usual", "sham")]
    assert frame["n_reference"].unique().to_list() == [40]


def reasons(frame: pl.DataFrame) -> list[str | None]:
    estimates = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    assert all(frame[name].null_count() == len(frame) for name in estimates)
    return frame["reason"].to_list()


def test_one_arm() -> None:
    frame = trial_effect(*trial(30, arms=("usual",)), CONTRACT)
    assert reasons(frame) == ["one_arm"]
    assert frame.select("arm", "reference_arm", "n_arm").rows() == [("usual", None, 30)]


def test_five_patients_and_ten_in_an_arm() -> None:
    for patients in (5, 21):
        frame = printed("trial_effect", trial_effect(*trial(patients), planned("usual")))
        assert reasons(frame) == ["too_few_patients"]
        assert frame["suppressed"].to_list() == [True]
        assert frame.select("n_arm", "n_reference", "assigned_arm", "scores").row(0) == (None,) * 4


def test_no_variation_at_baseline_and_a_reference_arm_that_is_not_there() -> None:
    episodes, scores = trial(60)
    same = scores.with_columns(value=pl.when(pl.col("planned_day") == 0).then(40).otherwise("value"))
    assert reasons(trial_effect(episodes, same, planned("usual"))) == ["no_baseline_variation"]
    assert reasons(trial_effect(episodes, scores, planned("other"))) == ["reference_arm_absent"] * 2


def test_order_of_rows_does_not_matter_and_an_empty_trial_is_an_empty_table() -> None:
    episodes, scores = trial(60)
    frame = trial_effect(episodes, scores, planned("usual", "age_years"))
    mixed = [part.sample(fraction=1, shuffle=True, seed=3) for part in (episodes, scores)]
    assert trial_effect(*mixed, planned("usual", "age_years")).equals(frame)
    made = TOPIC.build({"marts.trial_episode": episodes.clear(), "marts.trial_score": scores.clear()}, CONTRACT)
    assert set(made) == set(TOPIC.tables)
    assert made["trial_effect"].is_empty()
