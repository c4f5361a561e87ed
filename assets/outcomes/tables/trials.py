"""Published frame about trials: difference between arms as assigned, after adjustment for the baseline.

Only feeds with arms have it. Arms that were assigned by chance may be compared in these words; whether they were is
the trial's to say, not this table's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import TRIAL_COVARIATES
from assets.contract.model import Better, TrialPlan
from assets.outcomes.covariates import independent_columns
from assets.outcomes.frames import FLOAT, INTEGER, STRING, Count, Layout, columns
from assets.outcomes.methods.ancova import difference, fit_arms
from assets.outcomes.methods.fitting import FitError
from assets.outcomes.topic import Topic
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.float64]

DEFAULT_COVARIATES = ("age_years", "sex")
"""Adjusted for, beside the baseline, where a trial declares no plan."""

TOO_FEW, ONE_ARM, NO_REFERENCE, NO_VARIATION = (
    *("too_few_patients", "one_arm", "reference_arm_absent"),
    "no_baseline_variation",
)
"""Reasons for no number, beside those of ``fitting.Reason``."""


SCORED, ASSIGNED = "scored_in_arm", "assigned_to_arm"
WHENEVER = {"measure_id": None, "planned_day": None}
REFERENCE = {"reference_arm": "arm"}


def _too_few(protected: pl.DataFrame) -> pl.DataFrame:
    """Nothing rests on a hidden group any more but that it is small."""
    reason = pl.when("suppressed").then(pl.lit(TOO_FEW)).otherwise("reason")
    return protected.with_columns(reason=reason)


EFFECT = Layout(
    {
        **columns(STRING, "trial_id", "measure_id"),
        **columns(INTEGER, "planned_day"),
        **columns(STRING, "arm", "reference_arm"),
    },
    {
        **columns(INTEGER, "n_arm", "n_reference", "assigned_arm", "assigned_reference", "scores"),
        **columns(FLOAT, "difference", "difference_low", "difference_high", "standard_error", "p_value"),
        **columns(FLOAT, "unadjusted_difference", "unadjusted_low", "unadjusted_high"),
        **columns(INTEGER, "degrees_of_freedom"),
        **columns(STRING, "model", "covariates", "reason"),
    },
    groups=("n_arm", "n_reference", "assigned_arm", "assigned_reference"),
    statistic="trial_effect",
    counts={
        "n_arm": Count(SCORED, at={"reference_arm": None}),
        "n_reference": Count(SCORED, renamed=REFERENCE),
        "assigned_arm": Count(ASSIGNED, at={"reference_arm": None, **WHENEVER}),
        "assigned_reference": Count(ASSIGNED, renamed=REFERENCE, at=WHENEVER),
        "scores": Count("scores"),
        "degrees_of_freedom": Count("degrees_of_freedom"),
    },
    decimals={"p_value": 3},
    finish=_too_few,
)
"""``n`` are patients with both scores, ``assigned`` all of the arm; ``scores`` are rows of both arms, two of a patient
where both sides count."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The scores of one measure at one planned day, in order, and the plan they are compared by."""

    rows: pl.DataFrame
    arms: tuple[str, ...]
    covariates: tuple[str, ...]
    sign: float


def trial_effect(episodes: pl.DataFrame, scores: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Compare every other arm with the reference arm, for each measure and planned day of each trial.

    Differences are positive where the arm is better than the reference. Missing numbers among the covariates take the
    mean, with an indicator (White & Thompson 2005, Stat Med 24:993: right where arms are assigned by chance).

    Args:
        episodes: ``marts.trial_episode``.
        scores: ``marts.trial_score``.
        contract: With the plans of the trials.

    """
    plans = {plan.trial_id: plan for plan in contract.trials}
    rows: list[dict[str, object]] = []
    for (trial_id,), assigned in episodes.sort("episode_key").group_by(["trial_id"], maintain_order=True):
        arms = sorted(assigned["arm"].unique())
        plan = plans.get(str(trial_id)) or TrialPlan(str(trial_id), arms[0], DEFAULT_COVARIATES)
        own = scores.join(assigned.select("episode_key"), on="episode_key").select(
            *("episode_key", "measure_id", "planned_day"),
            pl.col("side").alias("measured_side"),  # ``side`` is that of the complaint
            pl.col("value").cast(pl.Float64),
        )
        rows += _compared(assigned, own, plan, contract)
    return EFFECT.arrange(pl.DataFrame(rows, schema={**EFFECT.keys, **EFFECT.numbers}))


def _compared(
    assigned: pl.DataFrame, scores: pl.DataFrame, plan: TrialPlan, contract: Contract
) -> Iterator[dict[str, object]]:
    baseline = scores.filter(pl.col("planned_day") == 0)
    wide = _with_measures(assigned, baseline, plan.covariates)
    others = [arm for arm in sorted(assigned["arm"].unique()) if arm != plan.reference_arm]
    patients = dict(assigned.group_by("arm").agg(pl.col("patient_key").n_unique()).iter_rows())
    later = scores.filter(pl.col("planned_day") > 0).join(
        baseline.select("episode_key", "measure_id", "measured_side", baseline="value"),
        on=["episode_key", "measure_id", "measured_side"],
    )
    ordered = later.join(wide, on="episode_key").sort(
        "measure_id", "planned_day", "patient_key", "episode_key", "measured_side"
    )
    for (measure_id, day), rows in ordered.group_by(["measure_id", "planned_day"], maintain_order=True):
        covariates = tuple(name for name in plan.covariates if name != measure_id)
        sign = -1.0 if contract.measure(str(measure_id)).better is Better.LOWER else 1.0
        counts = dict(rows.group_by("arm").agg(pl.col("patient_key").n_unique()).iter_rows())
        comparison = Comparison(rows, (plan.reference_arm, *others), covariates, sign)
        for arm in others or [plan.reference_arm]:
            reference = plan.reference_arm if others else None
            yield {
                "trial_id": plan.trial_id,
                "measure_id": measure_id,
                "planned_day": day,
                "arm": arm,
                "reference_arm": reference,
                "n_arm": counts.get(arm, 0),
                "n_reference": counts.get(reference, 0),
                "assigned_arm": patients[arm],
                "assigned_reference": patients.get(reference, 0),
                "scores": rows["arm"].is_in([arm, plan.reference_arm]).sum(),
                **_estimates(comparison, arm),
            }


def _with_measures(assigned: pl.DataFrame, baseline: pl.DataFrame, covariates: Sequence[str]) -> pl.DataFrame:
    """Episodes with the baselines of the measures among the covariates; of two sides the mean."""
    for measure_id in covariates:
        if measure_id not in TRIAL_COVARIATES:
            first = baseline.filter(pl.col("measure_id") == measure_id).sort("episode_key", "measured_side")
            value = first.group_by("episode_key", maintain_order=True).agg(pl.col("value").mean().alias(measure_id))
            assigned = assigned.join(value, on="episode_key", how="left")
    return assigned


def _estimates(comparison: Comparison, arm: str) -> dict[str, object]:
    rows, arms = comparison.rows, comparison.arms
    counts = dict(rows.group_by("arm").agg(pl.col("patient_key").n_unique()).iter_rows())
    if len(arms) == 1:
        return {"reason": ONE_ARM}
    if arms[0] not in counts:
        return {"reason": NO_REFERENCE}
    if min(counts[arms[0]], counts.get(arm, 0)) < MINIMUM_GROUP:
        return {"reason": TOO_FEW}
    if rows["baseline"].n_unique() == 1:
        return {"reason": NO_VARIATION}
    compared = [other for other in arms[1:] if other in counts]
    column = 1 + compared.index(arm)
    plain = np.column_stack([np.ones(len(rows)), *((rows["arm"] == other).cast(pl.Float64) for other in compared)])
    terms, used = _terms(rows, comparison.covariates)
    full = np.column_stack([plain, rows["baseline"], *terms])
    patient = rows["patient_key"].rle_id().cast(pl.Int64)
    try:
        fit = fit_arms(rows["value"], full[:, independent_columns(full)], patient)
        adjusted = difference(fit, column, comparison.sign)
        unadjusted = difference(fit_arms(rows["value"], plain, patient), column, comparison.sign)
    except FitError as error:
        return {"reason": str(error.reason)}
    return {
        "difference": adjusted.estimate,
        "difference_low": adjusted.low,
        "difference_high": adjusted.high,
        "standard_error": adjusted.error,
        "p_value": adjusted.p_value,
        "unadjusted_difference": unadjusted.estimate,
        "unadjusted_low": unadjusted.low,
        "unadjusted_high": unadjusted.high,
        "degrees_of_freedom": fit.degrees,
        "model": "ancova_mixed" if fit.is_mixed else "ancova",
        "covariates": ", ".join(("baseline", *used)),
    }


def _terms(rows: pl.DataFrame, covariates: Sequence[str]) -> tuple[list[Floats], list[str]]:
    """Columns of the covariates that vary, and the names of these covariates."""
    terms: list[Floats] = []
    used = []
    for name in covariates:
        values = rows[name]
        if values.n_unique() == 1:
            continue
        used.append(name)
        if values.dtype == pl.String:
            terms += [(values == level).cast(pl.Float64).to_numpy() for level in sorted(values.unique())[1:]]
            continue
        number = values.cast(pl.Float64)
        terms.append(number.fill_null(number.mean()).to_numpy())
        if values.null_count():
            terms.append(values.is_null().cast(pl.Float64).to_numpy())
    return terms, used


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {"trial_effect": trial_effect(marts["marts.trial_episode"], marts["marts.trial_score"], contract)}


TOPIC = Topic(
    reads=("marts.trial_episode", "marts.trial_score"),
    tables={
        "trial_effect": "Trials: difference between arms as assigned, adjusted for the baseline, with 95% interval"
    },
    build=_build,
    layouts={
        "trial_effect": EFFECT,
    },
)
