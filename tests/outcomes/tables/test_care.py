"""Care compared: planted effects come back, planted confounding goes, every diagnostic can say no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT, contrasts
from assets.contract.conditions import CONDITIONS
from assets.contract.contrasts import CONTRASTS, NOT_IN_CLINIC_DATA
from assets.outcomes.methods.fitting import Reason
from assets.outcomes.support import TOO_MANY_COVARIATES
from assets.outcomes.tables.care import (
    EFFECTIVE_SIZE,
    EQUIPOISE,
    LARGEST_SMD,
    POSITIVITY,
    SHOWN,
    TOO_FEW,
    TOPIC,
    care_comparison,
    compared_episodes,
    contrast_labels,
    regression_reference,
)
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Frames = tuple[pl.DataFrame, pl.DataFrame]
    Effect = Callable[[pl.DataFrame], NDArray[np.float64]]

WHOLE = {"condition_id": None, "contrast_id": "with_or_without_needling"}
ADJUSTED = ("adjusted_difference", "adjusted_low", "p_value", "q_value", "ratio", "e_value", "tipping_shift")


def people(n: int = 2000, seed: int = 1) -> pl.DataFrame:
    """Patients of six clinics with everything that is known before treatment."""
    rng = np.random.default_rng(seed)
    chosen = {
        "clinic_key": [f"c{number}" for number in range(6)],
        "condition_id": ["neck_pain", "sciatica"],
        "sex": ["F", "M"],
        "symptom_duration": ["acute", "subacute", "chronic"],
        "side": ["left", "right"],
        "fear_avoidance": ["yes", "no", "unknown"],
        "payer": ["commercial", "medicare"],
        "population": ["other", "athlete"],
        "prior_episode": ["yes", "no"],
        "anticoagulant": ["yes", "no"],
        "needle_phobia": ["yes", "no"],
    }
    return pl.DataFrame(
        {
            "episode_key": [f"e{number:05d}" for number in range(n)],
            **{name: rng.choice(levels, n) for name, levels in chosen.items()},
            "start_year": rng.integers(2023, 2026, n),
            "age_years": rng.integers(18, 86, n),
            "surgery_count": rng.poisson(0.3, n),
            "comorbidity_count": rng.poisson(2, n),
            "baseline_pain": rng.integers(2, 11, n),
            "baseline_function_permille": rng.integers(100, 900, n),
            "baseline_rom_permille": rng.integers(400, 1000, n),
            "is_trial": np.zeros(n, dtype=bool),
            "is_first_episode": np.ones(n, dtype=bool),
            "is_closed": np.ones(n, dtype=bool),
            "is_in_care_at_landmark": np.ones(n, dtype=bool),
        }
    )


def severity(frame: pl.DataFrame) -> NDArray[np.float64]:
    """How ill a patient looks: the confounder."""
    chronic = (frame["symptom_duration"] == "chronic").to_numpy()
    return (frame["baseline_pain"].to_numpy() - 6) / 2.5 + chronic - 0.3


def treated_by(frame: pl.DataFrame, logit: NDArray[np.float64], seed: int = 2) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    return rng.random(frame.height) < 1 / (1 + np.exp(-logit))


def network(
    frame: pl.DataFrame,
    needled: NDArray[np.bool_],
    effect: float = 0.0,
    seed: int = 3,
    unknown: float = 0.1,
    others: float = 0.0,
) -> Frames:
    """Both marts: the ill recover less, needling adds ``effect`` to the share that recovers and 4 x it to points.

    ``others`` is the share that received each of the other kinds of treatment; without it only one contrast is left.
    """
    rng = np.random.default_rng(seed)
    n = frame.height
    chance = 0.75 / (1 + np.exp(1.2 * severity(frame))) + 0.05 + effect * needled
    recovered = rng.random(n) < chance
    is_unknown = rng.random(n) < unknown
    change = np.round(2 + rng.normal(0, 2, n) - severity(frame) + 4 * effect * needled)
    answers = np.where(recovered, "yes", "no")
    case_mix = frame.with_columns(
        pl.col("baseline_pain").cast(pl.Decimal(11, 6)),
        recovered=pl.Series(np.where(is_unknown, "unknown", answers)),
        pain_change=pl.when(~pl.Series(is_unknown)).then(pl.Series(change)).cast(pl.Decimal(11, 6)),
        responder_mcid=pl.when(~pl.Series(is_unknown)).then(pl.Series(change >= 2)),
        care=pl.Series(np.where(needled, "dry_needling", "other_care")),
    )
    given = {contrast.comparator: rng.random(n) < others for contrast in CONTRASTS if contrast.comparator}
    return case_mix, pl.DataFrame({"episode_key": frame["episode_key"], **given})


def compared(frames: Frames) -> Frames:
    return care_comparison(compared_episodes(*frames))


def only(frame: pl.DataFrame, **keys: Any) -> dict[str, Any]:
    for name, value in keys.items():
        frame = frame.filter(pl.col(name).eq_missing(pl.lit(value)))
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.fixture(scope="module")
def no_effect() -> Frames:
    frame = people()
    return compared(network(frame, treated_by(frame, 0.9 * severity(frame))))


@pytest.fixture(scope="module")
def planted_effect() -> Frames:
    frame = people(seed=11)
    return compared(network(frame, treated_by(frame, 0.9 * severity(frame), seed=12), effect=0.2, seed=13, others=0.5))


@pytest.mark.parametrize("outcome", ["recovered", "responder_mcid", "pain_change"])
def test_confounding_alone_is_not_called_a_difference(no_effect: Frames, outcome: str) -> None:
    row = only(no_effect[0], **WHOLE, outcome_id=outcome)
    assert row["verdict"] == SHOWN
    assert row["difference_high"] < 0  # the ill are needled, and fare worse
    assert row["adjusted_low"] < 0 < row["adjusted_high"]
    assert row["max_smd_before"] > 0.3
    assert row["max_smd_after"] < 1e-6
    assert row["tipping_shift"] is None  # there is no conclusion to tip


def test_a_planted_difference_comes_back(planted_effect: Frames) -> None:
    row = only(planted_effect[0], **WHOLE, outcome_id="recovered")
    assert row["verdict"] == SHOWN
    assert row["adjusted_low"] < 0.2 < row["adjusted_high"]
    assert row["adjusted_low"] > 0.1
    assert row["difference"] < row["adjusted_low"]  # confounding hides it
    assert row["adjusted_treated"] - row["adjusted_control"] == pytest.approx(row["adjusted_difference"], abs=1e-8)
    assert row["ratio"] == pytest.approx(row["adjusted_treated"] / row["adjusted_control"], abs=1e-7)
    assert row["e_value"] == pytest.approx(row["ratio"] + np.sqrt(row["ratio"] * (row["ratio"] - 1)), abs=1e-6)
    assert 1 < row["e_value_limit"] < row["e_value"]
    # 10% unknown: they would have to lie this far below the known for the interval to reach 0
    assert row["tipping_shift"] == pytest.approx(-row["adjusted_low"] / row["unknown_treated"], abs=1e-6)
    pain = only(planted_effect[0], **WHOLE, outcome_id="pain_change")
    assert pain["adjusted_low"] < 0.8 < pain["adjusted_high"]
    assert pain["adjusted_low"] > 0
    assert (pain["ratio"], pain["e_value"]) == (None, None)  # a change in points has no risk ratio


def test_the_family_is_all_comparisons_shown(planted_effect: Frames) -> None:
    frame = planted_effect[0]
    tested = frame.filter(pl.col("p_value").is_not_null())
    assert frame["family_size"].drop_nulls().unique().to_list() == [tested.height]
    assert (tested["q_value"] >= tested["p_value"]).all()
    assert (tested["verdict"] == SHOWN).all()
    assert frame["contrast_id"].n_unique() == len(CONTRASTS)
    assert frame.height == len(CONTRASTS) * 3 * 3


def test_balance_shows_every_level_in_its_unit(planted_effect: Frames) -> None:
    balance = planted_effect[1].filter(pl.col("contrast_id") == WHOLE["contrast_id"])
    pain = only(balance, covariate="baseline_pain")
    assert pain["treated_before"] > pain["control_before"] + 0.5  # points
    assert pain["treated_after"] == pytest.approx(pain["control_after"], abs=1e-6)
    levels = balance.filter(pl.col("covariate").str.starts_with("symptom_duration="))
    assert levels["treated_after"].sum() == pytest.approx(1)
    assert levels["treated_n"].sum() == pain["treated_n"]
    assert balance.filter(pl.col("covariate").str.starts_with("clinic_key=")).height == 6
    assert balance["smd_before"].abs().max() == pytest.approx(
        only(planted_effect[0], **WHOLE, outcome_id="recovered")["max_smd_before"]
    )


def test_rare_levels_are_shown_together_and_none_follows_from_the_others() -> None:
    frame = people().with_columns(
        payer=pl.when(pl.int_range(pl.len()) < 14)
        .then(pl.lit("self_pay"))
        .when(pl.int_range(pl.len()) < 60)
        .then(pl.lit("other"))
        .otherwise("payer")
    )
    balance = compared(network(frame, np.arange(2000) % 2 == 0, unknown=0.0))[1]
    shown = balance.filter(pl.col("covariate").str.starts_with("payer="))
    assert shown["covariate"].to_list() == ["payer=commercial", "payer=medicare", "payer=others"]
    assert shown["treated_n"].sum() == 1000


def test_a_missing_number_is_no_number() -> None:
    frame = people().with_columns(age_years=pl.when(pl.int_range(pl.len()) % 7 > 0).then("age_years"))
    needled = treated_by(frame, 0.5 * severity(frame))
    row = only(compared(network(frame, needled, unknown=0.0))[1], covariate="age_years")
    known = frame["age_years"].is_not_null().to_numpy()
    assert row["treated_n"] == (needled & known).sum()
    assert row["treated_before"] == pytest.approx(frame["age_years"].to_numpy()[needled & known].mean(), abs=1e-8)
    assert row["treated_after"] == pytest.approx(row["control_after"], abs=1e-6)


def refused(frames: Frames, outcome: str = "recovered") -> dict[str, Any]:
    """The row of all conditions, which must not show adjusted numbers."""
    row = only(compared(frames)[0], **WHOLE, outcome_id=outcome)
    assert [row[name] for name in ADJUSTED] == [None] * len(ADJUSTED)
    return row


def test_squares_out_of_balance_are_the_verdict() -> None:
    # Needled are those of middle age: the means agree, what lies behind them does not
    frame = people()
    age = (frame["age_years"].to_numpy() - 52) / 20
    row = refused(network(frame, treated_by(frame, 2 - 2.5 * age**2)))
    assert row["verdict"] == LARGEST_SMD
    assert row["max_smd_after"] < 1e-6
    assert row["max_smd_beyond"] > 0.3


def test_hardly_anybody_in_equipoise_is_the_verdict() -> None:
    frame = people(6000)
    row = refused(network(frame, treated_by(frame, 6 * severity(frame))))
    assert row["verdict"] == EQUIPOISE
    assert row["equipoise"] < contrasts.SMALLEST_EQUIPOISE


def test_small_groups_are_the_verdict() -> None:
    frame = people(400)
    row = refused(network(frame, treated_by(frame, 0 * severity(frame) - 2.2)))
    assert row["verdict"] == EFFECTIVE_SIZE
    assert row["effective_treated"] < contrasts.SMALLEST_EFFECTIVE_SIZE < row["effective_control"]
    few = refused(network(frame, np.arange(400) < 10))
    assert few["verdict"] == TOO_FEW


def test_more_covariates_than_patients_can_carry_are_the_verdict() -> None:
    frame = people(120)
    assert refused(network(frame, treated_by(frame, 0 * severity(frame))))["verdict"] == TOO_MANY_COVARIATES


def test_too_few_in_one_group_is_the_verdict() -> None:
    frame = people(400)
    needled = np.zeros(400, dtype=bool)  # nobody at all: a size that may be shown
    assert refused(network(frame, needled))["verdict"] == TOO_FEW


def test_clinics_that_never_or_always_needle_are_left_out_and_counted() -> None:
    frame = people()
    clinic = frame["clinic_key"].to_numpy()
    needled = treated_by(frame, 0.5 * severity(frame))
    mixed = np.where(clinic == "c0", False, np.where(clinic == "c1", True, needled))  # noqa: FBT003
    row = only(compared(network(frame, mixed, unknown=0.0))[0], **WHOLE, outcome_id="recovered")
    outside = np.isin(clinic, ["c0", "c1"]).sum()
    assert (row["clinics_left_out"], row["patients_left_out"]) == (2, outside)
    assert row["analysed_treated"] + row["analysed_control"] == 2000 - outside
    assert row["verdict"] == SHOWN
    nobody = refused(network(frame, np.isin(clinic, ["c0", "c1"]), unknown=0.0))
    assert nobody["verdict"] == POSITIVITY


def test_a_trait_found_in_one_group_only_is_left_out() -> None:
    frame = people()
    needled = treated_by(frame, 0.5 * severity(frame)) & (frame["needle_phobia"] == "no").to_numpy()
    row = only(compared(network(frame, needled, unknown=0.0))[0], **WHOLE, outcome_id="recovered")
    assert row["patients_left_out"] == (frame["needle_phobia"] == "yes").sum()
    assert row["clinics_left_out"] == 0
    assert row["verdict"] == SHOWN


def test_a_rare_trait_of_one_group_does_not_separate_a_condition() -> None:
    # Sciatica has a side, but for 7 patients whose side was not recorded and who were not needled; neck pain has none.
    # Fewer than 11, they would be counted with "none", and then tell needling within sciatica.
    frame = people().with_columns(
        side=pl.when(pl.col("condition_id") == "neck_pain")
        .then(pl.lit("none"))
        .when(pl.int_range(pl.len()).over("condition_id") < 7)
        .then(pl.lit("unknown"))
        .otherwise("side")
    )
    needled = treated_by(frame, 0.5 * severity(frame)) & (frame["side"] != "unknown").to_numpy()
    row = only(compared(network(frame, needled, unknown=0.0))[0], **WHOLE, outcome_id="recovered")
    assert row["verdict"] == SHOWN


def test_separated_groups_are_the_verdict() -> None:
    # no level tells the groups apart, but age does
    frame = people(400)
    row = refused(network(frame, frame["age_years"].to_numpy() > 50))
    assert row["verdict"] == Reason.SEPARATED


def test_few_left_out_hide_how_many_remain() -> None:
    frame = people().with_columns(
        clinic_key=pl.when(pl.int_range(pl.len()) < 8).then(pl.lit("tiny")).otherwise("clinic_key")
    )
    needled = treated_by(frame, 0 * severity(frame)) & (frame["clinic_key"] != "tiny").to_numpy()
    table = printed("care_comparison", compared(network(frame, needled, unknown=0.0))[0])
    row = only(table, **WHOLE, outcome_id="recovered")
    assert row["verdict"] == SHOWN
    assert row["clinics_left_out"] == 1
    assert [row[name] for name in ("patients_left_out", "analysed_treated", "analysed_control")] == [None] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"is_trial": True},
        {"is_first_episode": False},
        {"is_closed": False},
        {"is_in_care_at_landmark": False},
        {"baseline_pain": 1},
        {"baseline_pain": None},
    ],
)
def test_who_is_compared(change: dict[str, Any]) -> None:
    frame = people(40)
    case_mix, received = network(frame, np.arange(40) < 20)
    column, value = next(iter(change.items()))
    first = pl.int_range(pl.len()) < 3
    changed = case_mix.with_columns(
        pl.when(first).then(pl.lit(value, case_mix.schema[column])).otherwise(column).alias(column)
    )
    assert compared_episodes(changed, received).height == 37


def test_the_other_comparator_is_given_instead_of_needling() -> None:
    frame = people(1200)
    case_mix, received = network(frame, treated_by(frame, 0 * severity(frame)), unknown=0.0, others=0.5)
    table = compared((case_mix, received))[0]
    row = only(table, condition_id=None, contrast_id="needling_or_massage", outcome_id="recovered")
    joined = case_mix.join(received, on="episode_key")
    needled, massage = (joined["care"] == "dry_needling"), joined["massage"]
    assert row["n_treated"] == (needled & ~massage).sum()
    assert row["n_control"] == (~needled & massage).sum()


def test_episodes_without_any_other_care_received_none() -> None:
    frame = people(60)
    case_mix, received = network(frame, np.arange(60) < 30)
    assert not compared_episodes(case_mix, received.clear()).select("massage").to_series().any()


def test_neither_order_of_rows_nor_of_conditions_matters(planted_effect: Frames) -> None:
    frame = people(seed=11)
    case_mix, received = network(
        frame, treated_by(frame, 0.9 * severity(frame), seed=12), effect=0.2, seed=13, others=0.5
    )
    again = compared((case_mix.sample(fraction=1, shuffle=True, seed=5), received.reverse()))
    assert again[0].equals(planted_effect[0])
    assert again[1].equals(planted_effect[1])


def test_regression_to_the_mean_stands_beside_the_change_of_those_selected() -> None:
    frame = people(1000)
    case_mix, _ = network(frame, np.arange(1000) < 500)
    table = regression_reference(case_mix)
    row = only(table, condition_id=None)
    pain = frame["baseline_pain"].to_numpy()
    assert row["baseline_mean"] == pytest.approx(pain.mean(), abs=1e-8)
    assert row["baseline_sd"] == pytest.approx(pain.std(ddof=1), abs=1e-8)
    assert row["selected"] == (pain >= contrasts.SELECTION_CUT_POINTS).sum()
    known = case_mix.filter(pl.col("pain_change").is_not_null(), pl.col("baseline_pain") >= 6)
    assert row["selected_pairs"] == known.height
    assert row["selected_change_mean"] == pytest.approx(float(known["pain_change"].cast(pl.Float64).mean()), abs=1e-8)
    # (1 - rho) SD phi(z) / (1 - Phi(z)), by quadrature of the normal distribution above the cut
    grid = np.linspace(6, 30, 200_001)
    density = np.exp(-(((grid - pain.mean()) / pain.std(ddof=1)) ** 2) / 2)
    expected = 0.4 * ((grid * density).sum() / density.sum() - pain.mean())
    assert row["expected_drop"] == pytest.approx(expected, abs=1e-3)
    assert set(table["condition_id"]) == {None, "neck_pain", "sciatica"}


def test_few_selected_hide_what_rests_on_them() -> None:
    frame = people(300).with_columns(baseline_pain=pl.when(pl.int_range(pl.len()) < 5).then(7).otherwise(3))
    table = printed("regression_to_mean", regression_reference(network(frame, np.arange(300) < 150)[0]))
    row = only(table, condition_id=None)
    assert row["n"] == 300
    assert [row[name] for name in ("selected", "selected_change_mean", "expected_drop")] == [None] * 3


def test_what_clinic_data_can_never_compare_is_listed() -> None:
    labels = contrast_labels()
    assert labels.filter("compared").height == len(CONTRASTS)
    assert labels.filter(~pl.col("compared")).height == len(NOT_IN_CLINIC_DATA)
    assert labels["caution"].str.contains("cannot show that needling caused").all()


def test_a_network_without_episodes_has_empty_tables() -> None:
    case_mix, received = network(people(30), np.arange(30) < 15)
    frames = TOPIC.build({"marts.case_mix": case_mix.clear(), "marts.care_received": received.clear()}, CONTRACT)
    assert set(frames) == set(TOPIC.tables)
    assert frames["care_comparison"]["n_treated"].sum() == 0
    assert (frames["care_comparison"]["verdict"] == TOO_FEW).all()
    assert frames["care_balance"].is_empty()


def test_conditions_of_these_tests_are_in_the_contract() -> None:
    assert {"neck_pain", "sciatica"} <= {condition.condition_id for condition in CONDITIONS}
