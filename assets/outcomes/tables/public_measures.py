"""Public quality measures by region of the body: who counts, what was observed, what was expected, who was left out.

A patient under the age limit, or of unknown age, is not in a measure. Of the eligible those are reported who have a
first and a last score. Baseline pain of less than the points asked for leaves no room to meet the pain measure; the
texts read exclude nobody for that, so these patients stay in, are counted beside, and have a low expected chance.

Expected comes from the source where it predicts the change in function of all who are reported (a feed of FOTO or NHS
PROMs does), else from the case-mix model of this network (``adjustment``), not from that of a registry. It is absent
with the reason where a condition of the region has no model: an expectation for some of the patients would be compared
with an outcome of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT
from assets.contract.public_measures import DATA_COMPLETENESS_PERCENT, LEFT_OUT, PAIN_POINTS, PUBLIC_MEASURES
from assets.outcomes.adjustment import modelled_episodes
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, Sum, columns, to_tenths
from assets.outcomes.methods import groups
from assets.outcomes.methods.means import t_interval
from assets.outcomes.methods.proportions import share, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.public_measures import PublicMeasure
    from assets.outcomes.adjustment import Fitted

AT_EXPECTED = 1e-9
"""A change this little below the predicted one is rounding."""

NOT_REPORTED = ("no_first_score", "no_last_score")
SCORED = {"pain_points": "baseline_pain", "function_change": "baseline_function_permille"}
"""Outcome -> the column of ``marts.case_mix`` with its first score."""

MEASURED = ("observed", "observed_low", "observed_high", "expected")
DIFFERENCES = ("difference", "difference_low", "difference_high")
MEANS = [measure.measure_id for measure in PUBLIC_MEASURES if measure.outcome_id == "function_change"]


def _measured_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, pl.col("measure_id").is_in(MEANS), *MEASURED, *DIFFERENCES)


MEASURE = Layout(
    columns(STRING, "measure_id", "region", "clinic_key"),
    {
        **columns(INTEGER, "eligible", "reported"),
        **columns(FLOAT, "completeness"),
        **columns(BOOLEAN, "is_complete"),
        **columns(FLOAT, *MEASURED, *DIFFERENCES, "at_or_above_expected"),
        **columns(BOOLEAN, "is_met"),
        **columns(INTEGER, "under_age", "age_missing", "no_room", *NOT_REPORTED),
        **columns(STRING, "expected_by", "reason"),
    },
    groups=("eligible", "reported"),
    statistic="public_measure",
    counts={
        name: Count(f"public_{name}")
        for name in ("eligible", "reported", "under_age", "age_missing", "no_room", *NOT_REPORTED)
    },
    ratios={"completeness": ("reported", "eligible")},
    sums=(Sum("eligible", ("reported", *NOT_REPORTED)),),
    finish=_measured_as_printed,
)

DEFINITION = Layout(
    columns(STRING, "measure_id", "region"),
    {
        **columns(STRING, "version", "label", "conditions"),
        **columns(INTEGER, "first_year", "complete_from_percent"),
        **columns(FLOAT, "meets_at"),
        **columns(STRING, "source"),
        **columns(BOOLEAN, "is_verified"),
    },
    plain=("first_year", "complete_from_percent"),
)

BY_SOURCE, BY_NETWORK = "source", "network"
"""Whose model gave the expected outcome."""

BELOW_FLOOR = "completeness_below_floor"
NOBODY_REPORTED = "nobody_reported"
LEFT_OUT_ID = "none"
"""Stands for a measure in the rows of conditions that belong to no region."""


def public_measure(case_mix: pl.DataFrame, fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Every public measure for the network (``clinic_key`` null) and each clinic.

    ``observed`` is a share with Wilson's interval, or the mean change in function in points of 0 to 100 with a t
    interval. ``difference`` is observed minus expected: of a share with the interval of the share, expected taken as
    known; of a change the mean residual with its t interval, met at 0 or more.
    """
    episodes = modelled_episodes(case_mix)
    expected = {(one.condition_id, one.outcome.outcome_id): one for one in fitted}
    parts = [_measured(measure, episodes, expected) for measure in PUBLIC_MEASURES]
    empty = pl.DataFrame(schema={**MEASURE.keys, **MEASURE.numbers})
    return MEASURE.arrange(pl.concat([empty, *parts]))


def public_measure_definition() -> pl.DataFrame:
    """What each measure asks for, where that was read, and which conditions are in no region and why."""
    rows = [
        {
            "measure_id": measure.measure_id,
            "region": measure.region,
            "version": measure.version,
            "label": measure.label,
            "conditions": ", ".join(measure.condition_ids),
            "first_year": measure.first_year,
            "complete_from_percent": DATA_COMPLETENESS_PERCENT,
            "meets_at": measure.meets_at,
            "source": measure.source,
            "is_verified": measure.verified,
        }
        for measure in PUBLIC_MEASURES
    ]
    left_out = [
        {"measure_id": LEFT_OUT_ID, "region": condition_id, "conditions": condition_id, "label": why}
        for condition_id, why in LEFT_OUT.items()
    ]
    return DEFINITION.arrange(pl.DataFrame(rows + left_out, schema={**DEFINITION.keys, **DEFINITION.numbers}))


def _measured(measure: PublicMeasure, episodes: pl.DataFrame, fitted: dict[tuple[str, str], Fitted]) -> pl.DataFrame:
    found = [one for key in measure.condition_ids if (one := fitted.get((key, measure.outcome_id))) is not None]
    if not found:
        return pl.DataFrame(schema={**MEASURE.keys, **MEASURE.numbers})
    outcome = pl.concat(one.with_expected().select("episode_key", "value", "expected") for one in found)
    rows = episodes.filter(pl.col("condition_id").is_in(measure.condition_ids)).join(
        outcome, on="episode_key", how="left", maintain_order="left"
    )
    no_model = ", ".join(
        f"{one.condition_id}: {one.reason}" for one in found if one.reason is not None and one.value.size
    )
    by_source = measure.outcome_id == "function_change" and _is_predicted_by_source(measure, rows)
    if by_source:
        rows = rows.with_columns(expected=pl.col("predicted_function_change_permille").cast(pl.Float64) / 10)
        no_model = ""
    network = rows.with_columns(clinic_key=pl.lit(None, pl.String))
    is_rate = found[0].outcome.is_rate
    measured = pl.concat(_by_clinic(measure, part, no_model, is_rate=is_rate) for part in (network, rows))
    return measured.with_columns(
        expected_by=pl.when(pl.col("expected").is_not_null()).then(pl.lit(BY_SOURCE if by_source else BY_NETWORK)),
        # by its own model the mean residual of the network is 0: nothing to meet
        is_met=pl.when(pl.col("clinic_key").is_not_null() | pl.lit(by_source)).then("is_met"),
    ).select(*MEASURE.keys, *MEASURE.numbers)


def _is_predicted_by_source(measure: PublicMeasure, rows: pl.DataFrame) -> bool:
    """Whether the source predicts the change of everybody reported."""
    reported = rows.filter(pl.col("value").is_not_null(), pl.col("age_years") >= measure.first_year)
    return reported.height > 0 and reported["predicted_function_change_permille"].null_count() == 0


def _by_clinic(measure: PublicMeasure, rows: pl.DataFrame, no_model: str, *, is_rate: bool) -> pl.DataFrame:
    of_age = pl.col("age_years") >= measure.first_year
    first = pl.col(SCORED[measure.outcome_id]).is_not_null()
    scored = pl.col("value").is_not_null()
    counts = {
        "eligible": of_age,
        "reported": of_age & scored,
        "under_age": ~of_age,
        "age_missing": pl.col("age_years").is_null(),
        "no_room": of_age & scored & (pl.col("baseline_pain") < PAIN_POINTS)
        if measure.outcome_id == "pain_points"
        else pl.lit(value=False),
        "no_first_score": of_age & ~scored & ~first,
        "no_last_score": of_age & ~scored & first,
    }
    ordered = rows.sort(["clinic_key", "episode_key"], nulls_last=False)
    found = ordered.group_by("clinic_key", maintain_order=True).agg(
        condition.sum().cast(pl.Int64).alias(name) for name, condition in counts.items()
    )
    size, n = found.height, found["reported"]
    used = ordered.select(counts["reported"].fill_null(value=False)).to_series().to_numpy()
    at = ordered.select(pl.col("clinic_key").rle_id()).to_series().to_numpy()[used]
    value, expected = (ordered[name].to_numpy()[used] for name in ("value", "expected"))
    observed, predicted, difference = (
        groups.means(at, numbers, size) for numbers in (value, expected, value - expected)
    )
    if is_rate:
        _, low, high = wilson(groups.totals(at, value, size), n)
        difference_low, difference_high = low - predicted, high - predicted
    else:
        low, high = t_interval(observed, groups.deviations(at, value, size), n)
        difference_low, difference_high = t_interval(difference, groups.deviations(at, value - expected, size), n)
    above = groups.means(at, value >= expected - AT_EXPECTED, size)
    completeness = share(n, found["eligible"])
    reason = (
        pl.when(pl.col("reported") == 0)
        .then(pl.lit(NOBODY_REPORTED))
        .when(pl.lit(bool(no_model)))
        .then(pl.lit(no_model))
        .when(pl.col("completeness") * 100 < COMPARISON_FLOOR_PERCENT)
        .then(pl.lit(BELOW_FLOOR))
    )
    against_expected = {
        "expected": predicted,
        "difference": difference,
        "difference_low": difference_low,
        "difference_high": difference_high,
        "at_or_above_expected": np.full(above.shape, np.nan) if is_rate else above,
    }
    # null where the text names no mark
    is_met = pl.col("difference") >= pl.lit(measure.meets_at, pl.Float64) - AT_EXPECTED
    return (
        found.with_columns(
            measure_id=pl.lit(measure.measure_id),
            region=pl.lit(measure.region),
            completeness=pl.Series(completeness).fill_nan(None),
            observed=pl.Series(observed),
            observed_low=pl.Series(low),
            observed_high=pl.Series(high),
            **{name: pl.Series(numbers).fill_nan(None) for name, numbers in against_expected.items()},
        )
        .with_columns(is_complete=pl.col("completeness") * 100 >= DATA_COMPLETENESS_PERCENT, reason=reason)
        .with_columns(pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in against_expected)
        .with_columns(is_met=is_met)
    )
