"""What was not recorded: how much, and what weights and tipping points make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.completeness import BELOW_FLOOR, BELOW_TARGET, ON_TARGET
from assets.outcomes.methods.fitting import Reason
from assets.outcomes.methods.proportions import wilson
from assets.outcomes.support import TOO_MANY_COVARIATES
from assets.outcomes.tables.completion import (
    ALL_KNOWN,
    HOLDS,
    NOBODY_KNOWN,
    NOT_COMPARED,
    TIPS,
    TOO_FEW_KNOWN,
    TOPIC,
    completion,
    completion_sensitivity,
    weighted_rates,
)
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFINITION = CONTRACT.default_definition.definition_id


def only(frame: pl.DataFrame, **keys: Any) -> dict[str, Any]:
    for name, value in keys.items():
        frame = frame.filter(pl.col(name).eq_missing(pl.lit(value)))
    assert frame.height == 1
    return frame.row(0, named=True)


def missing_where(flags: NDArray[np.bool_]) -> pl.Series:
    return pl.Series(["no_comparable_pair" if flag else None for flag in flags], dtype=pl.String)


def case_mix(n: int = 3000, seed: int = 1) -> pl.DataFrame:
    """Closed episodes of two conditions in five clinics; acute patients recover and come back to be scored less."""
    rng = np.random.default_rng(seed)
    duration = rng.choice(["acute", "chronic"], n)
    acute = duration == "acute"
    recovered = rng.random(n) < np.where(acute, 0.8, 0.3)
    known = rng.random(n) < np.where(acute, 0.4, 0.9)
    constant = dict.fromkeys(
        ("side", "fear_avoidance", "payer", "population", "prior_episode", "anticoagulant", "needle_phobia"), "no"
    )
    return pl.DataFrame(
        {
            "episode_key": [f"e{number:05d}" for number in range(n)],
            "condition_id": rng.choice(["neck_pain", "sciatica"], n),
            "clinic_key": rng.choice([f"c{number}" for number in range(5)], n),
            "symptom_duration": duration,
            "truth": recovered,
            "recovered": np.where(known, np.where(recovered, "yes", "no"), "unknown"),
            "unknown_reason": missing_where(~known),
            "is_closed": np.ones(n, dtype=bool),
            "baseline_pain": pl.Series(rng.integers(2, 11, n)).cast(pl.Decimal(11, 6)),
            "baseline_function_permille": rng.integers(100, 900, n),
            "baseline_rom_permille": rng.integers(400, 1000, n),
            "age_years": rng.integers(18, 86, n),
            "sex": rng.choice(["F", "M"], n),
            "surgery_count": rng.poisson(0.3, n),
            "comorbidity_count": rng.poisson(2, n),
            "start_year": rng.integers(2023, 2026, n),
        }
    ).with_columns(pl.lit(value).alias(name) for name, value in constant.items())


def recovery_cube(episodes: pl.DataFrame) -> pl.DataFrame:
    """The counts of recovery of these episodes, as the mart has them."""
    counts = [
        pl.len().cast(pl.Int64).alias("eligible"),
        (pl.col("recovered") != "unknown").sum().cast(pl.Int64).alias("known"),
        (pl.col("recovered") == "yes").sum().cast(pl.Int64).alias("recovered"),
    ]
    eligible = episodes.filter(pl.col("is_closed"), pl.col("unknown_reason").ne_missing("baseline_too_low"))
    parts = [
        eligible.group_by(keys).agg(counts) if keys else eligible.select(counts)
        for keys in ([], ["condition_id"], ["clinic_key"], ["condition_id", "clinic_key"])
    ]
    cube = pl.concat(parts, how="diagonal_relaxed")
    return cube.with_columns(care=pl.lit("any"), period=pl.lit("all"), definition_id=pl.lit(DEFINITION))


def sensitivity(episodes: pl.DataFrame) -> pl.DataFrame:
    return completion_sensitivity(recovery_cube(episodes), episodes, CONTRACT)


@pytest.fixture(scope="module")
def episodes() -> pl.DataFrame:
    return case_mix()


@pytest.fixture(scope="module")
def table(episodes: pl.DataFrame) -> pl.DataFrame:
    return sensitivity(episodes)


@pytest.mark.parametrize(
    ("captured", "word"), [(80, ON_TARGET), (79, BELOW_TARGET), (60, BELOW_TARGET), (59, BELOW_FLOOR)]
)
def test_completion_has_a_rate_an_interval_and_a_word(captured: int, word: str) -> None:
    cube = pl.DataFrame(
        {
            "condition_id": [None, "neck_pain"],
            "clinic_key": [None, "c1"],
            "care": ["any", "any"],
            "period": ["all", "all"],
            "closed": [100, 8],
            "baseline": [100, 8],
            "discharge": [captured, 8],
            "motion": [0, 8],
            "follow_up": [1, 8],
        },
        schema_overrides={"condition_id": pl.String, "clinic_key": pl.String},
    )
    frame = completion(cube)
    row = only(frame, condition_id=None, stage="discharge")
    assert (row["n"], row["captured"], row["rate"]) == (100, captured, captured / 100)
    low, high = wilson([captured], [100])[1:]
    assert [row["rate_low"], row["rate_high"]] == pytest.approx([low[0], high[0]], abs=1e-8)
    assert row["completeness_word"] == word
    assert printed("completion", frame).filter(pl.col("clinic_key") == "c1")["captured"].null_count() == 4


def test_weights_bring_back_a_rate_that_complete_cases_miss(episodes: pl.DataFrame, table: pl.DataFrame) -> None:
    row = only(table, condition_id=None, clinic_key=None)
    truth = episodes["truth"].mean()
    assert row["rate_high"] < truth
    assert row["weighted_low"] < truth < row["weighted_high"]
    assert row["rate_if_missing_none"] < truth < row["rate_if_missing_all"]
    assert row["weighted_n"] == row["eligible"] == 3000
    assert row["effective_size"] < row["n"]
    for condition in ("neck_pain", "sciatica"):
        mine = only(table, condition_id=condition, clinic_key=None)
        own = episodes.filter(pl.col("condition_id") == condition)["truth"].mean()
        assert mine["weighted_low"] < own < mine["weighted_high"]
        assert mine["rate"] < mine["weighted_rate"]


def test_every_clinic_of_every_condition_has_a_row(table: pl.DataFrame) -> None:
    assert table.height == 3 * 6
    assert table["weighted_rate"].null_count() == 0
    assert table["not_weighted"].null_count() == table.height


def test_what_no_covariate_explains_stays_unexplained(episodes: pl.DataFrame) -> None:
    # of the recovered only half come back, of the others all; nothing recorded says so
    rng = np.random.default_rng(9)
    gone = episodes["truth"].to_numpy() & (rng.random(episodes.height) < 0.5)
    lost = episodes.with_columns(
        recovered=pl.Series(np.where(gone, "unknown", np.where(episodes["truth"].to_numpy(), "yes", "no"))),
        unknown_reason=missing_where(gone),
    )
    row = only(sensitivity(lost), condition_id=None, clinic_key=None)
    truth = episodes["truth"].mean()
    assert row["weighted_high"] < truth
    assert row["rate_if_missing_all"] == pytest.approx(truth, abs=1e-8)  # the bound holds it, and here is reached


def test_levels_that_are_always_or_never_known(episodes: pl.DataFrame) -> None:
    clinic = pl.col("clinic_key")
    changed = episodes.with_columns(
        recovered=pl.when(clinic == "c0")
        .then(pl.when("truth").then(pl.lit("yes")).otherwise(pl.lit("no")))
        .when(clinic == "c1")
        .then(pl.lit("unknown"))
        .otherwise("recovered"),
        unknown_reason=pl.when(clinic == "c0")
        .then(pl.lit(None, pl.String))
        .when(clinic == "c1")
        .then(pl.lit("no_comparable_pair"))
        .otherwise("unknown_reason"),
    )
    table = sensitivity(changed)
    known, unknown = (only(table, condition_id=None, clinic_key=name) for name in ("c0", "c1"))
    assert known["not_weighted"] == ALL_KNOWN
    assert known["weighted_rate"] == pytest.approx(known["rate"], abs=1e-8)
    assert (unknown["not_weighted"], unknown["weighted_rate"], unknown["n"]) == (NOBODY_KNOWN, None, 0)
    assert unknown["conclusion"] == NOT_COMPARED
    whole = only(table, condition_id=None, clinic_key=None)
    assert whole["weighted_n"] == (changed["clinic_key"] != "c1").sum()
    others = changed.filter(clinic != "c1")["truth"].mean()
    assert whole["weighted_low"] < others < whole["weighted_high"]


def test_why_there_is_no_weighted_rate(episodes: pl.DataFrame) -> None:
    everybody = episodes.with_columns(recovered=pl.lit("yes"), unknown_reason=pl.lit(None, pl.String))
    assert set(weighted_rates(everybody)["not_weighted"]) == {str(Reason.CONSTANT_OUTCOME)}
    # age tells for sure who is known, and no level does
    young = pl.col("age_years") < 50
    separated = episodes.with_columns(
        recovered=pl.when(young).then(pl.lit("unknown")).otherwise(pl.lit("yes")),
        unknown_reason=pl.when(young).then(pl.lit("no_comparable_pair")),
    )
    assert set(sensitivity(separated)["not_weighted"]) == {str(Reason.SEPARATED)}


def test_more_covariates_than_episodes_can_carry(episodes: pl.DataFrame) -> None:
    row = only(weighted_rates(episodes.head(60)), condition_id=None, clinic_key=None)
    assert (row["not_weighted"], row["weighted_rate"]) == (TOO_MANY_COVARIATES, None)


def test_few_known_in_a_clinic_have_no_weighted_rate(episodes: pl.DataFrame) -> None:
    sparse = episodes.with_columns(
        recovered=pl.when((pl.col("clinic_key") == "c0") & (pl.int_range(pl.len()).over("clinic_key") >= 12))
        .then(pl.lit("unknown"))
        .otherwise("recovered")
    )
    row = only(weighted_rates(sparse), condition_id=None, clinic_key="c0")
    assert (row["not_weighted"], row["weighted_rate"]) == (TOO_FEW_KNOWN, None)


def test_who_has_to_be_known(episodes: pl.DataFrame) -> None:
    # open, no room, no baseline: none of them is weighted for; the last are eligible all the same
    changed = episodes.with_columns(
        is_closed=pl.int_range(pl.len()) >= 5,
        unknown_reason=pl.when(pl.int_range(pl.len()).is_between(5, 11))
        .then(pl.lit("baseline_too_low"))
        .otherwise("unknown_reason"),
        baseline_pain=pl.when(~pl.int_range(pl.len()).is_between(12, 31)).then("baseline_pain"),
        recovered=pl.when(pl.int_range(pl.len()) < 32).then(pl.lit("unknown")).otherwise("recovered"),
    )
    row = only(sensitivity(changed), condition_id=None, clinic_key=None)
    assert (row["eligible"], row["weighted_n"]) == (2988, 2968)


def clinics(*counts: tuple[int, int, int]) -> pl.DataFrame:
    """A cube of one condition with (recovered, known, eligible) of each clinic, and their sum."""
    whole = tuple(sum(column) for column in zip(*counts, strict=True))
    rows = [(None, *whole), *((f"c{number}", *count) for number, count in enumerate(counts))]
    cube = pl.DataFrame(
        rows,
        schema=dict.fromkeys(["clinic_key"], pl.String) | dict.fromkeys(["recovered", "known", "eligible"], pl.Int64),
        orient="row",
    )
    return cube.with_columns(
        condition_id=pl.lit("neck_pain"), care=pl.lit("any"), period=pl.lit("all"), definition_id=pl.lit(DEFINITION)
    )


def test_a_clinic_tips_where_the_completed_rate_leaves_its_zone() -> None:
    # network 50%; 100 patients: exact limits 40 to 60. The first clinic is within: of its 30 unknown 26 or more
    # (35 + 26 = 61) or 4 or fewer (35 + 4 = 39) change that. The second is above with 58 of 80: 3 of 20 do not, 2 do.
    cube = clinics((35, 70, 100), (58, 80, 100), (22, 80, 100), (35, 70, 100))
    table = completion_sensitivity(cube, case_mix(200).clear(), CONTRACT)
    within = only(table, clinic_key="c0")
    assert (within["chance_zone"], within["conclusion"]) == ("as_expected", TIPS)
    assert [within["tipping_down"], within["tipping_up"]] == pytest.approx([4 / 30, 26 / 30], abs=1e-8)
    assert within["tipping_up_odds_ratio"] == pytest.approx(26 / 4, abs=1e-6)
    above = only(table, clinic_key="c1")
    assert above["chance_zone"] == "above"
    assert above["tipping_down"] == pytest.approx(2 / 20, abs=1e-8)
    assert above["tipping_up"] is None
    below = only(table, clinic_key="c2")
    assert below["tipping_up"] == pytest.approx(18 / 20, abs=1e-8)
    network = only(table, clinic_key=None)
    assert (network["conclusion"], network["tipping_up"]) == (NOT_COMPARED, None)


def test_a_conclusion_holds_and_under_the_floor_there_is_none() -> None:
    cube = clinics((50, 96, 100), (29, 59, 100), (46, 97, 100))
    table = completion_sensitivity(cube, case_mix(200).clear(), CONTRACT)
    assert only(table, clinic_key="c0")["conclusion"] == HOLDS
    floor = only(table, clinic_key="c1")
    assert (floor["completeness_word"], floor["conclusion"]) == (BELOW_FLOOR, NOT_COMPARED)
    assert [floor["chance_zone"], floor["tipping_up"], floor["tipping_down"]] == [None] * 3
    assert floor["rate"] is not None  # it keeps its own numbers


def test_small_groups_are_hidden() -> None:
    table = completion_sensitivity(clinics((4, 8, 12), (50, 90, 100)), case_mix(200).clear(), CONTRACT)
    row = only(printed("completion_sensitivity", table), clinic_key="c0")
    assert row["suppressed"]
    assert {
        value
        for name, value in row.items()
        if name not in {"condition_id", "clinic_key", "statistic_id", "recovery_definition_id"}
    } == {
        None,
        True,
    }


def test_order_of_rows_does_not_matter(episodes: pl.DataFrame, table: pl.DataFrame) -> None:
    shuffled = episodes.sample(fraction=1, shuffle=True, seed=3)
    assert completion_sensitivity(recovery_cube(episodes).reverse(), shuffled, CONTRACT).equals(table)


def test_the_topic_makes_what_it_names(episodes: pl.DataFrame) -> None:
    cube = pl.DataFrame(
        schema=dict.fromkeys(["condition_id", "clinic_key", "care", "period"], pl.String)
        | dict.fromkeys(["closed", "baseline", "discharge", "motion", "follow_up"], pl.Int64)
    )
    made = TOPIC.build(
        {
            "marts.completion_cube": cube,
            "marts.recovery_cube": recovery_cube(episodes).clear(),
            "marts.case_mix": episodes.clear(),
        },
        CONTRACT,
    )
    assert set(made) == set(TOPIC.tables)
    assert all(frame.is_empty() for frame in made.values())
