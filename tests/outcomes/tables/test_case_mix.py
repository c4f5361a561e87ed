"""Case-mix tables on planted rows: the card, what anybody can recompute, clinics apart, nothing small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.public_measures import LEFT_OUT, PUBLIC_MEASURES
from assets.outcomes.adjustment import OUTCOMES, AdjustedOutcome, fit_models, modelled_episodes, predicted
from assets.outcomes.covariates import PRE_TREATMENT, column_of
from assets.outcomes.methods.overdispersion import arcsine, dispersion, share_limits
from assets.outcomes.published import exact_frames
from assets.outcomes.tables import case_mix
from assets.outcomes.tables.case_mix import clinic_adjusted
from assets.privacy.disclosure.profiles import MINIMUM_GROUP
from tests.outcomes.case_mix_rows import planted
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

Tables = dict[str, pl.DataFrame]


def build(frame: pl.DataFrame) -> Tables:
    return exact_frames({"marts.case_mix": frame}.__getitem__, CONTRACT, [case_mix.TOPIC])


def network() -> pl.DataFrame:
    """Neck and back with models, a condition that is too rare for one, and two small clinics."""
    neck, back = planted(420, clinics=5), planted(280, 2, clinics=5, condition_id="low_back_pain")
    rare = planted(60, 3, clinics=5, condition_id="sciatica")
    small = planted(6, 4, clinics=1).with_columns(clinic_key=pl.lit("c_small"))
    # of 40 patients 20 with a known outcome: under the floor for a comparison
    vague = (
        planted(40, 5, clinics=1)
        .with_columns(clinic_key=pl.lit("c_vague"))
        .with_columns(
            recovered=pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("unknown")).otherwise("recovered"),
            pain_change=pl.when(pl.int_range(pl.len()) >= 20).then("pain_change"),
        )
    )
    return pl.concat([neck, back, rare, small, vague])


@pytest.fixture(scope="module")
def episodes() -> pl.DataFrame:
    return network()


@pytest.fixture(scope="module")
def tables(episodes: pl.DataFrame) -> Tables:
    return build(episodes)


def test_the_card_has_a_model_or_a_reason_for_every_condition_and_outcome(tables: Tables) -> None:
    card = tables["case_mix_model"]
    assert card.height == 3 * 4
    assert card.filter(condition_id="sciatica")["reason"].unique().to_list() == ["too_few_episodes"]
    with_model = card.filter(pl.col("reason").is_null())
    assert with_model.height == 8
    assert with_model["clinic_share"].is_between(0, 1).all()
    rates = with_model.filter(pl.col("outcome_id").is_in(["recovered", "pain_points"]))
    assert rates.filter(pl.col("auc_cv") < pl.col("auc")).height == rates.height
    assert rates["r_squared"].null_count() == rates.height
    means = with_model.filter(pl.col("outcome_id").is_in(["pain_change", "function_change"]))
    assert means.filter(pl.col("r_squared_cv") < pl.col("r_squared")).height == means.height
    assert means["calibration_slope"].is_between(0.5, 1.1).all()
    assert with_model["shrinkage"].equals(with_model["calibration_slope"].clip(0, 1).rename("shrinkage"))
    assert (with_model["shrinkage"] < 1).sum() >= 6
    assert card.filter(pl.col("reason").is_not_null())["shrinkage"].null_count() == 4


def test_a_published_coefficient_is_the_unshrunken_one_times_the_factor_of_the_card(tables: Tables) -> None:
    rows = tables["case_mix_coefficient"].join(
        tables["case_mix_model"].select("condition_id", "outcome_id", "shrinkage"), on=["condition_id", "outcome_id"]
    )
    terms = rows.filter(pl.col("term") != "intercept")
    assert terms.height > 100
    np.testing.assert_allclose(terms["estimate"], terms["shrinkage"] * terms["unshrunken"], atol=1e-8)
    np.testing.assert_allclose(rows["high"] - rows["unshrunken"], 1.959964 * rows["error"], atol=1e-6)
    np.testing.assert_allclose(rows["unshrunken"] - rows["low"], 1.959964 * rows["error"], atol=1e-6)


def test_no_term_rests_on_anything_known_after_baseline(tables: Tables) -> None:
    terms = {column_of(term) for term in tables["case_mix_coefficient"]["term"]}
    assert terms <= {*PRE_TREATMENT, "intercept"}


def test_every_coefficient_rests_on_at_least_eleven(tables: Tables) -> None:
    assert tables["case_mix_coefficient"]["n"].min() >= 11  # type: ignore[operator]


@pytest.mark.parametrize("outcome_id", ["recovered", "function_change"])
def test_anybody_can_compute_expected_from_the_published_coefficients(
    tables: Tables, episodes: pl.DataFrame, outcome_id: str
) -> None:
    terms = tables["case_mix_coefficient"].filter(condition_id="low_back_pain", outcome_id=outcome_id)
    rows = modelled_episodes(episodes).filter(condition_id="low_back_pain", clinic_key="c01")
    expected = predicted(rows, terms["term"].to_list(), terms["estimate"].to_numpy(), is_rate=outcome_id == "recovered")
    clinic = tables["clinic_adjusted"].filter(condition_id="low_back_pain", clinic_key="c01", outcome_id=outcome_id)
    assert clinic["expected"].item() == pytest.approx(expected.mean(), abs=1e-6)


def test_over_all_clinics_observed_equals_expected(tables: Tables) -> None:
    clinics = tables["clinic_adjusted"].filter(condition_id="low_back_pain")
    for _, rows in clinics.group_by("outcome_id"):
        assert (rows["n"] * (rows["observed"] - rows["expected"])).sum() == pytest.approx(0, abs=1e-5)


def test_a_clinic_apart_from_the_others_is_found_after_adjustment() -> None:
    """One clinic recovers far more of its patients, another only has the patients that recover more easily."""
    frame = planted(900, clinics=9, clinic_sd=0)
    easy = (pl.col("clinic_key") == "c01") & (pl.col("symptom_duration") == "chronic")
    better = (pl.col("clinic_key") == "c02") & (pl.int_range(pl.len()) % 3 > 0)
    frame = frame.filter(~easy).with_columns(recovered=pl.when(better).then(pl.lit("yes")).otherwise("recovered"))
    found = build(frame)["clinic_adjusted"].filter(condition_id="neck_pain", outcome_id="recovered").sort("clinic_key")
    zones = dict(found.select("clinic_key", "zone").iter_rows())
    assert zones.pop("c02") == "above"
    assert set(zones.values()) <= {"as_expected", "possibly_above", "possibly_below"}
    one = found.row(1, named=True)
    assert one["expected"] > found["expected"].mean()  # type: ignore[operator]
    assert one["difference_low"] < 0 < one["difference_high"]
    two = found.row(2, named=True)
    assert two["ratio_low"] > 1
    assert two["difference"] > two["action_high"] > two["limit_high"] > 0


@pytest.mark.parametrize(("outcome", "seeds"), [(OUTCOMES[0], 2), (OUTCOMES[2], 6)])
def test_without_differences_between_clinics_about_one_in_twenty_lies_outside(
    outcome: AdjustedOutcome, seeds: int
) -> None:
    """Limits of a share are exact and so a little wide; of a mean they hold at 5%, less what a clinic adds to it."""
    found = pl.concat(
        clinic_adjusted(fit_models(planted(1200, seed, clinics=40, clinic_sd=0), [outcome])).filter(
            pl.col("condition_id").is_not_null(), pl.col("zone").is_not_null()
        )
        for seed in range(11, 11 + seeds)
    )
    for zone in ("chance_zone", "zone"):
        outside = (found[zone] != "as_expected").mean()
        assert found.height >= 70
        assert 0 < outside < 0.1  # type: ignore[operator]
        assert found[zone].is_in(["above", "below"]).mean() < 0.02  # type: ignore[operator]


LIMITS = ("limit_low", "limit_high", "action_low", "action_high")


def neck(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("zone").is_not_null(), condition_id="neck_pain")


@pytest.mark.parametrize("outcome", [OUTCOMES[0], OUTCOMES[2]])
def test_where_all_clinics_differ_the_limits_are_widened(outcome: AdjustedOutcome) -> None:
    rows = neck(clinic_adjusted(fit_models(planted(1500, 3, clinics=14, clinic_sd=0.9), [outcome])))
    assert rows.height == 14
    assert rows["is_widened"].all()
    for name in LIMITS:
        further = (rows[name] / rows[f"chance_{name}"]).to_numpy()
        assert (further >= 1).all()
        assert further.max() > 1.3
    by_chance = rows.filter(pl.col("chance_zone") != "as_expected").height
    assert by_chance >= 5
    assert rows.filter(pl.col("zone") != "as_expected").height <= 2
    # one clinic's limit from the published rule: each clinic has its own expected outcome as target
    n, expected = rows["n"].to_numpy(), rows["expected"].to_numpy()
    if outcome.is_rate:
        target, errors = arcsine(expected, n)
        tau2 = dispersion(arcsine(rows["observed"], n)[0] - target, 0.0, errors).tau2
        high = np.sin(np.minimum(target + 1.959964 * np.sqrt(errors**2 + tau2), np.pi / 2)) ** 2 - expected
    else:
        errors = rows["chance_limit_high"].to_numpy() / 1.959964
        tau2 = dispersion(rows["difference"], 0.0, errors).tau2
        high = 1.959964 * np.sqrt(errors**2 + tau2)
    np.testing.assert_allclose(rows["limit_high"], np.maximum(high, rows["chance_limit_high"]), atol=1e-6)


def test_widened_limits_of_small_clinics_are_never_inside_the_exact_ones() -> None:
    rows = neck(clinic_adjusted(fit_models(planted(400, 10, clinics=20, clinic_sd=0.3), OUTCOMES[:1])))
    assert rows["is_widened"].all()
    n, expected = rows["n"].to_numpy(), rows["expected"].to_numpy()
    target, errors = arcsine(expected, n)
    tau2 = dispersion(arcsine(rows["observed"], n)[0] - target, 0.0, errors).tau2
    for low, high, level in (("limit_low", "limit_high", 0.95), ("action_low", "action_high", 0.998)):
        additive = share_limits(n, expected, tau2, level)
        exact = rows[f"chance_{low}"].to_numpy(), rows[f"chance_{high}"].to_numpy()
        inside = (additive[0] - expected > exact[0]) | (additive[1] - expected < exact[1])
        assert inside.any(), "planted: the approximation alone would be narrower"
        assert (rows[low].to_numpy() <= exact[0]).all()
        assert (rows[high].to_numpy() >= exact[1]).all()


@pytest.mark.parametrize("outcome", [OUTCOMES[0], OUTCOMES[2]])
def test_fewer_than_ten_clinics_and_clinics_alike_are_judged_by_chance_alone(outcome: AdjustedOutcome) -> None:
    few = planted(1000, 3, clinics=9, clinic_sd=0.9)
    # a tenth clinic that is too small to be shown, and one with too few known outcomes, do not make ten
    small = planted(10, 4, clinics=1, condition_id="neck_pain").with_columns(clinic_key=pl.lit("c_small"))
    unknown = pl.lit("unknown")
    vague = planted(60, 5, clinics=1).with_columns(
        clinic_key=pl.lit("c_vague"),
        recovered=pl.when(pl.int_range(pl.len()) < 30).then(unknown).otherwise("recovered"),
        pain_change=pl.when(pl.int_range(pl.len()) >= 30).then("pain_change"),
    )
    for frame, clinics in ((pl.concat([few, small, vague]), 9), (identical(12), 12)):
        rows = neck(clinic_adjusted(fit_models(frame, [outcome]))).filter(pl.col("n") >= MINIMUM_GROUP)
        assert rows.height == clinics
        assert not rows["is_widened"].any()
        assert rows["zone"].equals(rows["chance_zone"].rename("zone"))
        for name in LIMITS:
            assert rows[name].equals(rows[f"chance_{name}"].rename(name))


def identical(clinics: int) -> pl.DataFrame:
    """The same patients in every clinic: no variation at all between clinics."""
    one = planted(60, 7, clinics=1)
    return pl.concat(
        one.with_columns(
            clinic_key=pl.lit(f"c{number:02d}"),
            episode_key=pl.format("{}_{}", "episode_key", pl.lit(number)),
            patient_key=pl.format("{}_{}", "patient_key", pl.lit(number)),
        )
        for number in range(clinics)
    )


def test_conditions_without_a_model_are_counted_as_not_covered(tables: Tables) -> None:
    rows = tables["clinic_adjusted"].filter(pl.col("condition_id").is_null(), clinic_key="c01", outcome_id="recovered")
    (row,) = rows.iter_rows(named=True)
    assert row["known"] - row["n"] == row["not_covered"] >= 11 or row["not_covered"] is None
    own = tables["clinic_adjusted"].filter(clinic_key="c01", outcome_id="recovered", condition_id="sciatica")
    assert own["reason"].to_list() in (["too_few_episodes"], [None])


def test_a_clinic_with_too_few_known_outcomes_is_not_compared(tables: Tables) -> None:
    rows = tables["clinic_adjusted"].filter(clinic_key="c_vague", condition_id="neck_pain")
    by_outcome = {row["outcome_id"]: row for row in rows.iter_rows(named=True)}
    vague = by_outcome["recovered"]
    assert (vague["reason"], vague["completeness"]) == ("completeness_below_floor", 0.5)
    hidden = ("difference", "difference_low", "ratio", "limit_low", "zone", "chance_zone", "is_widened")
    assert [vague[name] for name in hidden] == [None] * len(hidden)
    assert by_outcome["function_change"]["zone"] is not None


@pytest.mark.parametrize("outcome", [OUTCOMES[0], OUTCOMES[2]])
def test_a_clinic_without_any_known_outcome_is_in_no_zone(outcome: AdjustedOutcome) -> None:
    nobody = planted(30, 5, clinics=1).with_columns(
        clinic_key=pl.lit("c_nobody"), recovered=pl.lit("unknown"), pain_change=pl.lit(None, pl.Decimal(12, 6))
    )
    found = clinic_adjusted(fit_models(pl.concat([planted(420, clinics=5), nobody]), [outcome]))
    rows = found.filter(clinic_key="c_nobody", condition_id="neck_pain")
    assert rows.select("eligible", "known", "n", "reason").row(0) == (30, 0, 0, "completeness_below_floor")
    assert rows.select("observed", "expected", "difference", "zone", "chance_zone", "is_widened").row(0) == (None,) * 6


def test_small_clinics_vanish(tables: Tables) -> None:
    for name in ("clinic_adjusted", "public_measure"):
        small = printed(name, tables[name]).filter(clinic_key="c_small")
        assert small.height > 0
        assert small["suppressed"].all()
        numbers = [column for column, kind in small.schema.items() if kind in (pl.Float64, pl.Int64)]
        assert small.select(numbers).null_count().sum_horizontal().item() == small.height * len(numbers)


def test_calibration_parts_add_up(tables: Tables) -> None:
    card = tables["case_mix_model"].filter(pl.col("reason").is_null())
    for row in card.iter_rows(named=True):
        parts = tables["case_mix_calibration"].filter(condition_id=row["condition_id"], outcome_id=row["outcome_id"])
        assert parts["n"].sum() == row["n"]
        assert parts["n"].min() >= 11  # type: ignore[operator]
        assert (parts["expected"].diff().drop_nulls() > 0).all()
        assert parts.filter(pl.col("observed").is_between("low", "high")).height == parts.height


def test_the_same_whatever_the_order_of_rows(tables: Tables, episodes: pl.DataFrame) -> None:
    again = build(episodes.sample(fraction=1, shuffle=True, seed=9))
    for name, frame in tables.items():
        assert again[name].equals(frame), name


def test_no_episodes() -> None:
    tables = build(planted(5).clear())
    assert {name for name, frame in tables.items() if frame.height} == {"public_measure_definition"}


# -- public measures --------------------------------------------------------------------------------------------------


def measure(tables: Mapping[str, pl.DataFrame], measure_id: str, region: str, clinic: str | None) -> dict[str, object]:
    rows = tables["public_measure"].filter(
        pl.col("clinic_key").eq_missing(pl.lit(clinic, pl.String)), measure_id=measure_id, region=region
    )
    return rows.row(0, named=True)


def test_every_condition_is_in_a_region_or_left_out_with_a_reason() -> None:
    for kind in ("qcdr_pain", "mips"):
        counted = [key for item in PUBLIC_MEASURES if item.measure_id.startswith(kind) for key in item.condition_ids]
        assert len(counted) == len(set(counted))
    assert {*counted, "it_band_syndrome", *LEFT_OUT} == {item.condition_id for item in CONTRACT.conditions}


def test_each_exclusion_is_counted_by_its_reason() -> None:
    n = 400
    number = pl.int_range(pl.len())
    frame = planted(n, clinics=4).with_columns(
        age_years=pl.when(number < 20).then(17).when(number < 40).then(None).otherwise(18),
        baseline_pain=pl.when(number.is_between(70, 89))
        .then(pl.lit("1").cast(pl.Decimal(12, 6)))
        .when(~number.is_between(40, 54))
        .then("baseline_pain"),
        latest_pain_change=pl.when(number.is_between(40, 69)).then(None).otherwise("latest_pain_change"),
    )
    row = measure(build(frame), "qcdr_pain", "neck", None)
    assert {name: row[name] for name in ("eligible", "reported", "under_age", "age_missing")} == {
        "eligible": 360,
        "reported": 330,
        "under_age": 20,
        "age_missing": 20,
    }
    assert row["no_first_score"] == 15
    assert row["no_last_score"] == 15
    # who came with less pain than must go is counted, and stays in
    assert row["no_room"] == 20 + frame.filter(number >= 90, pl.col("baseline_pain") < 2).height
    used = frame.filter(pl.col("age_years") >= 18, pl.col("latest_pain_change").is_not_null())
    assert row["observed"] == pytest.approx((used["latest_pain_change"] >= 2).mean())


def test_small_exclusions_are_not_printed() -> None:
    frame = planted(400, clinics=4).with_columns(
        latest_pain_change=pl.when(pl.int_range(pl.len()) >= 5).then("latest_pain_change")
    )
    tables = build(frame)
    row = measure({"public_measure": printed("public_measure", tables["public_measure"])}, "qcdr_pain", "neck", None)
    assert (row["no_first_score"], row["no_last_score"]) == (0, None)


def test_a_region_of_which_a_condition_has_no_model_has_no_expected(tables: Tables) -> None:
    back, neck = (measure(tables, "qcdr_pain", region, None) for region in ("back", "neck"))
    assert back["reason"] == "sciatica: too_few_episodes"
    assert (back["expected"], back["difference"]) == (None, None)
    assert back["observed"] is not None
    assert neck["reason"] is None
    assert neck["difference"] == pytest.approx(0, abs=0.01)


def test_a_mean_residual_of_0_or_more_meets_the_function_measure(tables: Tables) -> None:
    rows = tables["public_measure"].filter(pl.col("difference").is_not_null())
    function = rows.filter(pl.col("clinic_key").is_not_null(), measure_id="mips_478")
    assert function["is_met"].null_count() == 0
    # over the network observed equals expected by construction: nothing to meet
    assert measure(tables, "mips_478", "neck", None)["is_met"] is None
    assert function.filter(pl.col("is_met") != (pl.col("difference") >= 0)).is_empty()
    assert function["at_or_above_expected"].is_between(0, 1).all()
    pain = rows.filter(measure_id="qcdr_pain")
    assert pain["is_met"].null_count() == pain.height
    assert pain["at_or_above_expected"].null_count() == pain.height


def test_the_residual_is_the_mean_of_actual_minus_predicted(tables: Tables, episodes: pl.DataFrame) -> None:
    terms = tables["case_mix_coefficient"].filter(condition_id="neck_pain", outcome_id="function_change")
    rows = modelled_episodes(episodes).filter(condition_id="neck_pain", clinic_key="c03")
    actual = rows["function_change_permille"].to_numpy() / 10
    residual = actual - predicted(rows, terms["term"].to_list(), terms["estimate"].to_numpy(), is_rate=False)
    row = measure(tables, "mips_478", "neck", "c03")
    assert row["difference"] == pytest.approx(residual.mean(), abs=1e-6)
    assert row["at_or_above_expected"] == pytest.approx((residual >= 0).mean())
    half = row["difference_high"] - row["difference"]  # type: ignore[operator]
    assert half == pytest.approx(1.98 * residual.std(ddof=1) / np.sqrt(residual.size), rel=0.01)


def test_a_source_that_predicts_everybody_is_believed_and_else_nobody() -> None:
    actual = pl.col("function_change_permille")
    frame = planted(120, clinics=3).with_columns(
        predicted_function_change_permille=pl.when(pl.col("clinic_key") == "c01")
        .then(actual + 50)
        .otherwise(actual - 20)
    )
    tables = build(frame)
    network, one, two = (measure(tables, "mips_478", "neck", clinic) for clinic in (None, "c01", "c02"))
    assert [row["expected_by"] for row in (network, one, two)] == ["source"] * 3
    assert (one["difference"], one["is_met"], one["at_or_above_expected"]) == (pytest.approx(-5), False, 0)
    assert (two["difference"], two["is_met"], two["at_or_above_expected"]) == (pytest.approx(2), True, 1)
    assert network["is_met"] is (network["difference"] >= 0)  # type: ignore[operator]
    some = frame.with_columns(
        predicted_function_change_permille=pl.when(pl.int_range(pl.len()) > 0).then(
            "predicted_function_change_permille"
        )
    )
    by_network = measure(build(some), "mips_478", "neck", "c02")
    assert (by_network["expected_by"], by_network["reason"]) in {("network", None), (None, "neck_pain: too_few_events")}


def test_what_was_not_read_is_marked(tables: Tables) -> None:
    listed = tables["public_measure_definition"]
    memory = listed.filter(pl.col("is_verified").not_())
    assert {"mips_221", "mips_219"} <= set(memory["measure_id"])
    assert listed.filter(measure_id="none")["region"].to_list() == sorted(LEFT_OUT)
