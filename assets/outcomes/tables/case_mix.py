"""Case-mix models as published: the model card, coefficients, calibration, and clinics against what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT
from assets.outcomes.adjustment import OUTCOMES, agreement, fit_models
from assets.outcomes.covariates import contrast
from assets.outcomes.frames import FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.methods import funnel, groups
from assets.outcomes.methods.means import t_interval
from assets.outcomes.methods.prediction import equal_parts
from assets.outcomes.methods.proportions import ALPHA, share, wilson
from assets.outcomes.tables.public_measures import public_measure, public_measure_definition
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.adjustment import Fitted
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.float64]

MODEL = columns(STRING, "condition_id", "outcome_id")

CARD = Layout(
    MODEL,
    {
        **columns(INTEGER, "n", "eligible", "events", "parameters", "clinics"),
        **columns(FLOAT, "completeness", "auc", "auc_cv", "r_squared", "r_squared_cv"),
        **columns(FLOAT, "calibration_in_the_large", "calibration_slope", "clinic_sd", "clinic_share"),
        **columns(STRING, "unit", "predictors", "left_out", "reason"),
    },
    groups=("n", "eligible"),
    subgroups={"events": ("events",)},
    statistic="case_mix_model",
)
COEFFICIENTS = Layout(
    {**MODEL, **columns(STRING, "term")},
    {**columns(INTEGER, "n"), **columns(FLOAT, "estimate", "error", "low", "high"), **columns(STRING, "contrast")},
    groups=("n",),
    statistic="case_mix_model",
)
CALIBRATION = Layout(
    {**MODEL, **columns(INTEGER, "part")},
    {**columns(INTEGER, "parts", "n"), **columns(FLOAT, "expected", "observed", "low", "high")},
    groups=("n",),
    statistic="case_mix_calibration",
)
ADJUSTED = Layout(
    {**columns(STRING, "condition_id", "clinic_key", "outcome_id")},
    {
        **columns(INTEGER, "eligible", "known", "n", "not_covered"),
        **columns(FLOAT, "completeness", "observed", "expected", "difference", "difference_low", "difference_high"),
        **columns(FLOAT, "ratio", "ratio_low", "ratio_high", "limit_low", "limit_high", "action_low", "action_high"),
        **columns(STRING, "zone", "reason"),
    },
    groups=("eligible", "known", "n"),
    subgroups={"not_covered": ("not_covered", "known", "completeness")},
    statistic="clinic_adjusted",
)

CALIBRATION_PARTS = 10
SMALLEST_PART = 20
"""Episodes: where tenths would be smaller, the predictions are cut into fewer parts."""

NO_MODEL = "no_model"
BELOW_FLOOR = "completeness_below_floor"
"""Reasons for a clinic without a comparison, beside those for a condition without a model."""

IS_RATE = {outcome.outcome_id: outcome.is_rate for outcome in OUTCOMES}


def case_mix_model(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """The card of every model, or the reason why there is none."""
    return CARD.publish(pl.DataFrame([_card(one) for one in fitted], schema={**CARD.keys, **CARD.numbers}))


def case_mix_coefficient(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Coefficients with 95% intervals (normal): log odds for a yes or no, else the unit of the outcome.

    The intercept holds the constant that makes expected equal observed over the network, so that anybody can compute
    the expected outcome of a patient from this table.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    reach = float(ndtri(1 - ALPHA / 2))
    parts = [
        pl.DataFrame(
            {
                "term": model.names,
                "n": model.rows_of,
                "estimate": model.coefficients,
                "error": model.errors,
                "contrast": [contrast(name, model.references) for name in model.names],
            }
        ).with_columns(condition_id=pl.lit(one.condition_id), outcome_id=pl.lit(one.outcome.outcome_id))
        for one in fitted
        if (model := one.model) is not None
    ]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={**COEFFICIENTS.keys, **COEFFICIENTS.numbers})
    return COEFFICIENTS.publish(
        frame.with_columns(
            low=pl.col("estimate") - reach * pl.col("error"), high=pl.col("estimate") + reach * pl.col("error")
        )
    )


def case_mix_calibration(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Expected and observed outcome of patients grouped by their prediction, each by a model that has not seen them."""
    parts = [_calibration(one, one.model.held_out) for one in fitted if one.model is not None]
    empty = pl.DataFrame(schema={**CALIBRATION.keys, **CALIBRATION.numbers})
    return CALIBRATION.publish(pl.concat(parts) if parts else empty)


def clinic_adjusted(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Observed minus expected outcome of each clinic, by condition and over all conditions with a model.

    A share: Wilson interval of the observed share, expected taken as known; limits: exact binomial at the expected
    share (the sum of unequal chances varies less, so they are a little wide). A mean: t interval of the clinic's own
    differences; limits from the spread of single patients around their prediction. Limits are for the difference.
    """
    if not fitted:
        return ADJUSTED.publish(pl.DataFrame(schema={**ADJUSTED.keys, **ADJUSTED.numbers}))
    episodes = pl.concat(
        one.with_expected().select(
            "condition_id", "clinic_key", "outcome_id", "episode_key", "value", "expected", "sd", "reason"
        )
        for one in fitted
    )
    by_condition = _compared(episodes)
    over_all = _compared(episodes.with_columns(condition_id=pl.lit(None, pl.String), reason=pl.lit(NO_MODEL)))
    return ADJUSTED.publish(pl.concat([over_all, by_condition]))


def _card(one: Fitted) -> dict[str, object]:
    n = int(one.value.size)
    eligible = one.candidates.height
    card: dict[str, object] = {
        "condition_id": one.condition_id,
        "outcome_id": one.outcome.outcome_id,
        "n": n,
        "eligible": eligible,
        "events": one.events,
        "completeness": n / eligible if eligible else None,
        "unit": one.outcome.unit,
        "reason": one.reason,
    }
    if one.model is None:
        return card
    is_rate = one.outcome.is_rate
    discrimination = "auc" if is_rate else "r_squared"
    apparent, _ = agreement(one.value, one.model.expected, is_rate=is_rate)
    held_out, calibration = agreement(one.value, one.model.held_out, is_rate=is_rate)
    return card | {
        "parameters": len(one.model.names) - 1,
        "clinics": one.model.clinics,
        discrimination: apparent,
        f"{discrimination}_cv": held_out,
        "calibration_in_the_large": calibration.in_the_large,
        "calibration_slope": calibration.slope,
        "clinic_sd": one.model.sd_between,
        "clinic_share": one.model.share_between,
        "predictors": ", ".join(one.model.names[1:]),
        "left_out": ", ".join(one.model.left_out),
    }


def _calibration(one: Fitted, held_out: Floats) -> pl.DataFrame:
    value = one.value
    parts = max(1, min(CALIBRATION_PARTS, value.size // SMALLEST_PART))
    code = equal_parts(held_out, parts) - 1
    n = pl.Series(np.bincount(code, minlength=parts))
    expected, observed = (groups.means(code, numbers, parts) for numbers in (held_out, value))
    if one.outcome.is_rate:
        _, low, high = wilson(groups.totals(code, value, parts), n)
    else:
        low, high = t_interval(observed, groups.deviations(code, value, parts), n)
    frame = pl.DataFrame(
        {
            "part": np.arange(1, parts + 1),
            "n": n,
            "expected": expected,
            "observed": observed,
            "low": low,
            "high": high,
        }
    ).with_columns(
        condition_id=pl.lit(one.condition_id), outcome_id=pl.lit(one.outcome.outcome_id), parts=pl.lit(parts)
    )
    # many equal predictions may leave a part empty
    return frame.filter(pl.col("n") > 0)


def _compared(episodes: pl.DataFrame) -> pl.DataFrame:
    keys = ["condition_id", "clinic_key", "outcome_id"]
    # in order of the key: a sum of floats must not depend on the order in which rows come
    rows = episodes.sort([*keys, "episode_key"], nulls_last=False)
    found = rows.group_by(keys, maintain_order=True).agg(
        eligible=pl.len().cast(pl.Int64), known=pl.col("value").count().cast(pl.Int64), reason=pl.col("reason").first()
    )
    size = found.height
    used = rows["expected"].is_not_null().to_numpy()
    at = rows.select(pl.struct(keys).rle_id()).to_series().to_numpy()[used]
    value, expected, sd = (rows[name].to_numpy()[used] for name in ("value", "expected", "sd"))
    n = np.bincount(at, minlength=size)
    is_rate = found["outcome_id"].replace_strict(IS_RATE, return_dtype=pl.Boolean).to_numpy()
    observed, mean_expected, difference = (
        groups.means(at, numbers, size) for numbers in (value, expected, value - expected)
    )
    _, rate_low, rate_high = wilson(np.where(is_rate, groups.totals(at, value, size), 0), n)
    t_low, t_high = t_interval(difference, groups.deviations(at, value - expected, size), pl.Series(n))
    low, high = np.where(is_rate, rate_low - mean_expected, t_low), np.where(is_rate, rate_high - mean_expected, t_high)
    single = np.sqrt(groups.means(at, np.nan_to_num(sd) ** 2, size))
    warning, action = (
        _limits(is_rate, mean_expected, single, n, level) for level in (funnel.WARNING_LEVEL, funnel.ACTION_LEVEL)
    )
    completeness = share(found["known"], found["eligible"])
    compared = {
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "ratio": np.where(is_rate, observed / mean_expected, np.nan),
        "ratio_low": np.where(is_rate, rate_low / mean_expected, np.nan),
        "ratio_high": np.where(is_rate, rate_high / mean_expected, np.nan),
        "limit_low": warning[0],
        "limit_high": warning[1],
        "action_low": action[0],
        "action_high": action[1],
        "zone": funnel.zone(difference, warning, action),
    }
    return found.with_columns(
        n=pl.Series(n),
        not_covered=pl.col("known") - pl.Series(n),
        completeness=pl.Series(completeness),
        observed=pl.Series(observed),
        expected=pl.Series(mean_expected),
        reason=pl.when(pl.Series(n) == 0)
        .then("reason")
        .when(pl.Series(completeness) * 100 < COMPARISON_FLOOR_PERCENT)
        .then(pl.lit(BELOW_FLOOR)),
        **{name: pl.Series(numbers) for name, numbers in compared.items()},
    ).with_columns(pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in compared)


def _limits(
    is_rate: NDArray[np.bool_], expected: Floats, single: Floats, n: NDArray[np.int64], level: float
) -> tuple[Floats, Floats]:
    """Limits of the difference; NaN for a group without a comparison."""
    some = n > 0
    low, high = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    rate, number = some & is_rate, some & ~is_rate
    p = np.clip(expected[rate], 0.0, 1.0)
    bottom, top = funnel.binomial_limits(n[rate], p, level)
    low[rate], high[rate] = bottom - p, top - p
    low[number], high[number] = funnel.mean_limits(n[number], 0.0, single[number], level)
    return low, high


def _build(marts: Frames, _: Contract) -> dict[str, pl.DataFrame]:
    fitted = fit_models(marts["marts.case_mix"])
    return {
        "case_mix_model": case_mix_model(fitted),
        "case_mix_coefficient": case_mix_coefficient(fitted),
        "case_mix_calibration": case_mix_calibration(fitted),
        "clinic_adjusted": clinic_adjusted(fitted),
        "public_measure": public_measure(marts["marts.case_mix"], fitted),
        "public_measure_definition": public_measure_definition(),
    }


TOPIC = Topic(
    reads=("marts.case_mix",),
    tables={
        "case_mix_model": "Card of every case-mix model: size, discrimination, calibration, what clinics explain",
        "case_mix_coefficient": "Coefficients of the case-mix models with 95% intervals",
        "case_mix_calibration": "Expected and observed outcome by parts of the cross-validated prediction",
        "clinic_adjusted": "Observed minus expected outcome of each clinic after adjustment for case mix",
        "public_measure": "Public quality measures by region of the body: observed, expected, exclusions counted",
        "public_measure_definition": "What each public measure asks for and where that was read",
    },
    build=_build,
)
