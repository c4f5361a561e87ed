"""Case-mix models as published: the model card, coefficients, calibration, and clinics against what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT, COMPARISON_MINIMUM_CLINICS
from assets.outcomes.adjustment import OUTCOMES, agreement, fit_models
from assets.outcomes.covariates import contrast
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, Sum, columns, to_tenths
from assets.outcomes.methods import funnel, groups
from assets.outcomes.methods.means import t_interval
from assets.outcomes.methods.overdispersion import arcsine, dispersion, share_limits, value_limits
from assets.outcomes.methods.prediction import equal_parts
from assets.outcomes.methods.proportions import ALPHA, share, wilson
from assets.outcomes.tables.public_measures import MEASURE, public_measure, public_measure_definition
from assets.outcomes.topic import Topic
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.adjustment import Fitted
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]

OUTCOME = ["condition_id", "outcome_id"]
MODEL = columns(STRING, *OUTCOME)
IS_RATE = {outcome.outcome_id: outcome.is_rate for outcome in OUTCOMES}
RATES = [name for name, is_rate in IS_RATE.items() if is_rate]

MODEL_ELIGIBLE, MODEL_KNOWN = "model_eligible", "model_known"
"""First closed episodes of routine care that could have an outcome, and those that have it."""
CARD = Layout(
    MODEL,
    {
        **columns(INTEGER, "n", "eligible", "events", "parameters", "clinics"),
        **columns(FLOAT, "completeness", "auc", "auc_cv", "r_squared", "r_squared_cv"),
        **columns(FLOAT, "calibration_in_the_large", "calibration_slope", "shrinkage"),
        **columns(FLOAT, "clinic_sd", "clinic_share"),
        **columns(STRING, "unit", "predictors", "left_out", "reason"),
    },
    groups=("n", "eligible"),
    subgroups={"events": ("events",)},
    statistic="case_mix_model",
    counts={"n": Count(MODEL_KNOWN), "eligible": Count(MODEL_ELIGIBLE), "events": Count("model_events")},
    plain=("parameters", "clinics"),
    ratios={"completeness": ("n", "eligible")},
)
COEFFICIENTS = Layout(
    {**MODEL, **columns(STRING, "term")},
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "estimate", "unshrunken", "error", "low", "high"),
        **columns(STRING, "contrast"),
    },
    groups=("n",),
    statistic="case_mix_model",
    counts={"n": Count("model_term")},
)


def _calibrated_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, ~pl.col("outcome_id").is_in(RATES), "expected", "observed", "low", "high")


CALIBRATION = Layout(
    {**MODEL, **columns(INTEGER, "part")},
    {**columns(INTEGER, "parts", "n"), **columns(FLOAT, "expected", "observed", "low", "high")},
    groups=("n",),
    statistic="case_mix_calibration",
    counts={"n": Count("model_part")},
    plain=("parts",),
    sums=(Sum(Count(MODEL_KNOWN, at={"part": None}), over="part", part="n"),),
    finish=_calibrated_as_printed,
)
LIMITS = ("limit_low", "limit_high", "action_low", "action_high")
CHANCE_LIMITS = tuple(f"chance_{name}" for name in LIMITS)
COMPARED = ("observed", "expected", "difference", "difference_low", "difference_high")


def _adjusted_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, ~pl.col("outcome_id").is_in(RATES), *COMPARED, *CHANCE_LIMITS, *LIMITS)


ADJUSTED = Layout(
    {**columns(STRING, "condition_id", "clinic_key", "outcome_id")},
    {
        **columns(INTEGER, "eligible", "known", "n", "not_covered"),
        **columns(FLOAT, "completeness", *COMPARED),
        **columns(FLOAT, "ratio", "ratio_low", "ratio_high", *CHANCE_LIMITS),
        **columns(STRING, "chance_zone"),
        **columns(BOOLEAN, "is_widened"),
        **columns(FLOAT, *LIMITS),
        **columns(STRING, "zone", "reason"),
    },
    groups=("eligible", "known", "n"),
    statistic="clinic_adjusted",
    counts={
        "eligible": Count(MODEL_ELIGIBLE),
        "known": Count(MODEL_KNOWN),
        "n": Count("model_covered"),
        "not_covered": Count("model_not_covered"),
    },
    ratios={"completeness": ("known", "eligible")},
    sums=(Sum("known", ("n", "not_covered")),),
    finish=_adjusted_as_printed,
)

CALIBRATION_PARTS = 10
SMALLEST_PART = 20
"""Episodes: where tenths would be smaller, the predictions are cut into fewer parts."""

NO_MODEL = "no_model"
BELOW_FLOOR = "completeness_below_floor"
"""Reasons for a clinic without a comparison, beside those for a condition without a model."""


def case_mix_model(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """The card of every model, or the reason why there is none.

    Discrimination and calibration are those before ``shrinkage``, which follows from the slope. There is no slope
    after it. On the same predictions it is 1 by construction. Predictions that know neither the outcome nor the factor
    take ten more fits of each model (without every two folds), and where the factor is near 0 their slope is that of
    next to nothing. Tests hold it near 1 on patients that were never seen.
    """
    return CARD.arrange(pl.DataFrame([_card(one) for one in fitted], schema={**CARD.keys, **CARD.numbers}))


def case_mix_coefficient(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Coefficients with 95% intervals (normal): log odds for a yes or no, else the unit of the outcome.

    From ``estimate``, after shrinkage, anybody can compute the expected outcome of a patient; the intercept holds the
    constant that makes expected equal observed over the network. ``error``, ``low`` and ``high`` are of the
    ``unshrunken`` estimate.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    reach = float(ndtri(1 - ALPHA / 2))
    parts = [
        pl.DataFrame(
            {
                "term": model.names,
                "n": model.rows_of,
                "estimate": model.coefficients,
                "unshrunken": model.unshrunken,
                "error": model.errors,
                "contrast": [contrast(name, model.references) for name in model.names],
            }
        ).with_columns(condition_id=pl.lit(one.condition_id), outcome_id=pl.lit(one.outcome.outcome_id))
        for one in fitted
        if (model := one.model) is not None
    ]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={**COEFFICIENTS.keys, **COEFFICIENTS.numbers})
    return COEFFICIENTS.arrange(
        frame.with_columns(
            low=pl.col("unshrunken") - reach * pl.col("error"), high=pl.col("unshrunken") + reach * pl.col("error")
        )
    )


def case_mix_calibration(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Expected and observed outcome of patients grouped by their prediction, each by a model that has not seen them.

    Predictions before shrinkage: what it follows from.
    """
    parts = [_calibration(one, one.model.held_out) for one in fitted if one.model is not None]
    empty = pl.DataFrame(schema={**CALIBRATION.keys, **CALIBRATION.numbers})
    return CALIBRATION.arrange(pl.concat(parts) if parts else empty)


def clinic_adjusted(fitted: Sequence[Fitted]) -> pl.DataFrame:
    """Observed minus expected outcome of each clinic, by condition and over all conditions with a model.

    A share: Wilson interval of the observed share, expected taken as known; limits: exact binomial at the expected
    share (the sum of unequal chances varies less, so they are a little wide). A mean: t interval of the clinic's own
    differences; limits from the spread of single patients around their prediction. Limits are for the difference.
    ``chance_...`` and ``chance_zone`` are by chance alone, the others widened by the variation between clinics.
    """
    if not fitted:
        return ADJUSTED.arrange(pl.DataFrame(schema={**ADJUSTED.keys, **ADJUSTED.numbers}))
    episodes = pl.concat(
        one.with_expected().select(
            "condition_id", "clinic_key", "outcome_id", "episode_key", "value", "expected", "sd", "reason"
        )
        for one in fitted
    )
    by_condition = _compared(episodes)
    over_all = _compared(episodes.with_columns(condition_id=pl.lit(None, pl.String), reason=pl.lit(NO_MODEL)))
    return ADJUSTED.arrange(pl.concat([over_all, by_condition]))


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
    apparent, _ = agreement(one.value, one.model.apparent, is_rate=is_rate)
    held_out, calibration = agreement(one.value, one.model.held_out, is_rate=is_rate)
    return card | {
        "parameters": len(one.model.names) - 1,
        "clinics": one.model.clinics,
        discrimination: apparent,
        f"{discrimination}_cv": held_out,
        "calibration_in_the_large": calibration.in_the_large,
        "calibration_slope": calibration.slope,
        "shrinkage": one.model.shrinkage,
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
    n = pl.Series(np.bincount(at, minlength=size))
    is_rate = found["outcome_id"].replace_strict(IS_RATE, return_dtype=pl.Boolean).to_numpy()
    observed, mean_expected, difference = (
        groups.means(at, numbers, size) for numbers in (value, expected, value - expected)
    )
    _, rate_low, rate_high = wilson(np.where(is_rate, groups.totals(at, value, size), 0), n)
    t_low, t_high = t_interval(difference, groups.deviations(at, value - expected, size), n)
    numbers = {
        "observed": observed,
        "expected": mean_expected,
        "difference": difference,
        "difference_low": np.where(is_rate, rate_low - mean_expected, t_low),
        "difference_high": np.where(is_rate, rate_high - mean_expected, t_high),
        "ratio": np.where(is_rate, observed / mean_expected, np.nan),
        "ratio_low": np.where(is_rate, rate_low / mean_expected, np.nan),
        "ratio_high": np.where(is_rate, rate_high / mean_expected, np.nan),
        "completeness": share(found["known"], found["eligible"]),
        "single": np.sqrt(groups.means(at, np.nan_to_num(sd) ** 2, size)),
    }
    cells = found.with_columns(
        n=n,
        is_rate=pl.Series(is_rate),
        not_covered=pl.col("known") - n,
        **{name: pl.Series(column) for name, column in numbers.items()},
    ).with_columns(
        # there may be a model, but no known outcome here
        reason=pl.when(pl.col("n") == 0)
        .then(pl.coalesce("reason", pl.lit(BELOW_FLOOR)))
        .when(pl.col("completeness") * 100 < COMPARISON_FLOOR_PERCENT)
        .then(pl.lit(BELOW_FLOOR))
    )
    is_compared = pl.col("reason").is_null()
    comparison = [name for name in numbers if name.startswith(("difference", "ratio"))]
    others = cells.filter(~is_compared).with_columns(pl.lit(None, FLOAT).alias(name) for name in comparison)
    return pl.concat([_limits(cells.filter(is_compared)), others], how="diagonal")


def _limits(cells: pl.DataFrame) -> pl.DataFrame:
    """Clinics that are compared, with the limits of their difference by chance and widened, and their zones."""
    joined = cells.join(_widening(cells), on=OUTCOME, how="left", nulls_equal=True, maintain_order="left")
    tau2 = joined["tau2"].fill_null(0.0).to_numpy()
    levels = (funnel.WARNING_LEVEL, funnel.ACTION_LEVEL)
    chance = [_chance_limits(cells, level) for level in levels]
    wide = [_widened(cells, tau2, limits, level) for limits, level in zip(chance, levels, strict=True)]
    difference = cells["difference"].to_numpy()
    return cells.with_columns(
        *_named(CHANCE_LIMITS, chance),
        *_named(LIMITS, wide),
        is_widened=pl.Series(tau2 > 0),
        chance_zone=pl.Series(funnel.zone(difference, *chance), dtype=pl.String),
        zone=pl.Series(funnel.zone(difference, *wide), dtype=pl.String),
    )


def _widening(cells: pl.DataFrame) -> pl.DataFrame:
    """Variance between clinics of each condition and outcome, where there are clinics enough; as in the funnel.

    Of shares that of arcsin(sqrt(observed)) - arcsin(sqrt(expected)). A clinic that is too small to be shown has no
    part in it.
    """
    large = cells.filter(pl.col("n") >= MINIMUM_GROUP)
    rows = [
        (*key, _dispersion(group))
        for key, group in large.group_by(OUTCOME, maintain_order=True)
        if group.height >= COMPARISON_MINIMUM_CLINICS
    ]
    return pl.DataFrame(rows, schema={**columns(STRING, *OUTCOME), "tau2": FLOAT}, orient="row")


def _dispersion(clinics: pl.DataFrame) -> float:
    n = clinics["n"].to_numpy()
    if clinics["is_rate"][0]:
        values, errors = arcsine(clinics["observed"].to_numpy(), n)
        return dispersion(values - arcsine(_chance(clinics), 1)[0], 0.0, errors).tau2
    errors = clinics["single"].to_numpy() / np.sqrt(n)
    return dispersion(clinics["difference"].to_numpy(), 0.0, errors).tau2 if (errors > 0).all() else 0.0


def _chance_limits(cells: pl.DataFrame, level: float) -> Pair:
    n, p = cells["n"].to_numpy(), _chance(cells)
    low, high = funnel.binomial_limits(n, p, level)
    return _by_kind(cells, (low - p, high - p), funnel.mean_limits(n, 0.0, cells["single"].to_numpy(), level))


def _widened(cells: pl.DataFrame, tau2: Floats, chance: Pair, level: float) -> Pair:
    """Additive limits, never inside those by chance, which are exact at small sizes."""
    n, p = cells["n"].to_numpy(), _chance(cells)
    low, high = share_limits(n, p, tau2, level)
    errors = cells["single"].to_numpy() / np.sqrt(n)
    bottom, top = _by_kind(cells, (low - p, high - p), value_limits(errors, 0.0, tau2, level))
    is_wide = tau2 > 0
    return (
        np.where(is_wide, np.minimum(bottom, chance[0]), chance[0]),
        np.where(is_wide, np.maximum(top, chance[1]), chance[1]),
    )


def _chance(cells: pl.DataFrame) -> Floats:
    """Share expected; of means, whose limits are computed otherwise, a share that is one."""
    return np.clip(np.where(cells["is_rate"].to_numpy(), cells["expected"].to_numpy(), 0.5), 0.0, 1.0)


def _by_kind(cells: pl.DataFrame, shares: Pair, means: Pair) -> Pair:
    kind = cells["is_rate"].to_numpy()
    return np.where(kind, shares[0], means[0]), np.where(kind, shares[1], means[1])


def _named(names: Sequence[str], pairs: Sequence[Pair]) -> list[pl.Series]:
    return [pl.Series(name, end) for name, end in zip(names, (end for pair in pairs for end in pair), strict=True)]


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
    layouts={
        "case_mix_model": CARD,
        "case_mix_coefficient": COEFFICIENTS,
        "case_mix_calibration": CALIBRATION,
        "clinic_adjusted": ADJUSTED,
        "public_measure": MEASURE,
    },
)
