"""Published frames about what was not recorded: how much, and what it could change about recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from assets.outcomes.completeness import BELOW_FLOOR, completeness_word
from assets.outcomes.covariates import PLACES, PRE_TREATMENT, design
from assets.outcomes.frames import ALL_PERIODS, ANY_CARE, FLOAT, INTEGER, STRING, Count, Layout, columns, in_fives
from assets.outcomes.methods.fitting import FitError
from assets.outcomes.methods.funnel import (
    ABOVE,
    ACTION_LEVEL,
    BELOW,
    POSSIBLY_ABOVE,
    POSSIBLY_BELOW,
    WARNING_LEVEL,
    binomial_limits,
    zone,
)
from assets.outcomes.methods.proportions import missing_bounds, share, wilson
from assets.outcomes.methods.sensitivity import tipping_rate
from assets.outcomes.methods.weighting import Logistic, completed_means, logistic, logit_interval
from assets.outcomes.support import TOO_MANY_COVARIATES, by_support, carries
from assets.outcomes.topic import Topic
from assets.outcomes.universes import CLOSED, ELIGIBLE, IF_ALL_RECOVERED, KNOWN, RECOVERED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.floating]

STAGES = ("baseline", "discharge", "motion", "follow_up")
ALL_KNOWN, NOBODY_KNOWN, TOO_FEW_KNOWN = "all_known", "nobody_known", "too_few_known"
"""Why there is no weighted rate, beside the reasons why a model could not be fitted (``fitting.Reason``)."""
SMALLEST_EFFECTIVE = 11
"""Effective known episodes below which a weighted rate is not shown: it would rest on a handful of patients."""
TIPS, HOLDS, NOT_COMPARED = "tips", "holds", "not_compared"
"""Whether some share of recovery among the unknown changes the conclusion about a clinic."""

GROUP = columns(STRING, "condition_id", "clinic_key")
COMPLETION = Layout(
    {**GROUP, **columns(STRING, "care", "period", "stage")},
    {
        **columns(INTEGER, "n", "captured"),
        **columns(FLOAT, "rate", "rate_low", "rate_high"),
        **columns(STRING, "completeness_word"),
    },
    groups=("n",),
    statistic="completion",
    counts={"n": Count(CLOSED, at={"stage": None}), "captured": Count("captured_{}", by=("stage",), is_spare=True)},
    ratios={"rate": ("captured", "n")},
)
WEIGHTED = ("weighted_rate", "weighted_low", "weighted_high", "effective_size")
TIPPING = ("tipping_down", "tipping_up", "tipping_down_odds_ratio", "tipping_up_odds_ratio")
SENSITIVITY = Layout(
    GROUP,
    {
        **columns(INTEGER, "eligible", "n", "recovered"),
        **columns(FLOAT, "completeness"),
        **columns(STRING, "completeness_word"),
        **columns(FLOAT, "rate", "rate_low", "rate_high", "rate_if_missing_none", "rate_if_missing_all"),
        **columns(INTEGER, "weighted_n"),
        **columns(FLOAT, *WEIGHTED),
        **columns(STRING, "not_weighted", "chance_zone", "conclusion"),
        **columns(FLOAT, *TIPPING),
    },
    groups=("eligible", "n"),
    subgroups={"weighted_n": ("weighted_n", *WEIGHTED)},
    statistic="completion_sensitivity",
    counts={
        "eligible": Count(ELIGIBLE),
        "n": Count(KNOWN),
        "recovered": Count(RECOVERED),
        "weighted_n": Count("weighted"),
    },
    ratios={
        "rate": ("recovered", "n"),
        "completeness": ("n", "eligible"),
        "rate_if_missing_none": ("recovered", "eligible"),
    },
    mixed=IF_ALL_RECOVERED,
    finish=in_fives("effective_size"),
)


def completion(completion_cube: pl.DataFrame) -> pl.DataFrame:
    """Share of closed episodes with each of the scores that outcomes rest on; see ``marts.completion_cube``.

    Of any care and all periods: the fewer numbers are published, the fewer have to be hidden.
    """
    whole = completion_cube.filter((pl.col("care") == ANY_CARE) & (pl.col("period") == ALL_PERIODS))
    long = whole.rename({"closed": "n"}).unpivot(
        on=list(STAGES),
        index=["condition_id", "clinic_key", "care", "period", "n"],
        variable_name="stage",
        value_name="captured",
    )
    rate, low, high = wilson(long["captured"], long["n"])
    return COMPLETION.arrange(
        long.with_columns(
            completeness_word("captured", "n").alias("completeness_word"),
            rate=pl.Series(rate),
            rate_low=pl.Series(low),
            rate_high=pl.Series(high),
        )
    )


def completion_sensitivity(recovery_cube: pl.DataFrame, case_mix: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """What the unknown outcomes could change, by condition and clinic (null: all), in the order of the methods.

    Complete cases; bounds without any assumption; weighted for completion (missing at random given what was known
    before treatment); the share of recovery among the unknown at which a clinic's place against the network changes.
    A clinic with fewer known outcomes than the floor asks for is not compared, so nothing can tip.
    """
    counts = recovery_cube.filter(
        (pl.col("period") == ALL_PERIODS)
        & (pl.col("care") == ANY_CARE)
        & (pl.col("definition_id") == contract.default_definition.definition_id)
    ).select(*GROUP, "eligible", "recovered", n=pl.col("known"))
    rate, low, high = wilson(counts["recovered"], counts["n"])
    none, every = missing_bounds(counts["recovered"], counts["n"], counts["eligible"])
    described = counts.with_columns(
        completeness_word("n", "eligible").alias("completeness_word"),
        completeness=pl.Series(share(counts["n"], counts["eligible"])),
        rate=pl.Series(rate),
        rate_low=pl.Series(low),
        rate_high=pl.Series(high),
        rate_if_missing_none=pl.Series(none),
        rate_if_missing_all=pl.Series(every),
    )
    tipped = _tipping(described)
    weighted = described.join(weighted_rates(case_mix), on=list(GROUP), how="left", nulls_equal=True)
    return SENSITIVITY.arrange(
        weighted.join(tipped, on=list(GROUP), how="left", nulls_equal=True).with_columns(
            pl.col("weighted_n").fill_null(0),
            pl.col("conclusion").fill_null(NOT_COMPARED),
            not_weighted=pl.when(pl.col("n") == 0)
            .then(pl.lit(NOBODY_KNOWN))
            .when(pl.col("n") == pl.col("eligible"))
            .then(pl.lit(ALL_KNOWN))
            .when(pl.col("weighted_rate").is_null())
            .then(pl.col("not_weighted").fill_null(NOBODY_KNOWN)),
        )
    )


def weighted_rates(case_mix: pl.DataFrame) -> pl.DataFrame:
    """Recovery weighted for completion: one model of completion per condition, and one of all conditions together.

    ``weighted_n`` is the episodes a rate stands for: those with a baseline, but for levels of a covariate for which
    no outcome is known at all. Clinics share the model of their condition, their own level in it included.
    """
    episodes = (
        case_mix.filter(pl.col("is_closed"), pl.col("baseline_pain").is_not_null())
        .filter(pl.col("unknown_reason").ne_missing("baseline_too_low"))
        .with_columns(is_known=pl.col("recovered") != "unknown", is_recovered=pl.col("recovered") == "yes")
        .sort("episode_key")
        .select(*PLACES, *PRE_TREATMENT, "is_known", "is_recovered")
    )
    conditions = episodes["condition_id"].unique().sort()
    by_condition = (_weighted(episodes.filter(pl.col("condition_id") == name), name) for name in conditions)
    return pl.concat([_weighted(episodes, None), *by_condition])


class _Completion(NamedTuple):
    """A model of completion, with rows for those whom a level of a covariate makes certain to be known."""

    episodes: pl.DataFrame
    matrix: Floats
    fit: Logistic


def _weighted(episodes: pl.DataFrame, condition: str | None) -> pl.DataFrame:
    clinics = episodes["clinic_key"].unique().sort()
    keys = pl.DataFrame(
        {"condition_id": [condition] * (1 + len(clinics)), "clinic_key": [None, *clinics]}, schema=dict(GROUP)
    )
    model = _completion_model(episodes)
    if isinstance(model, str):
        blank = {name: pl.lit(None, pl.Float64) for name in WEIGHTED}
        return keys.with_columns(weighted_n=pl.lit(0, pl.Int64), **blank, not_weighted=pl.lit(model))
    known = model.episodes["is_known"].to_numpy()
    recovered = model.episodes["is_recovered"].cast(pl.Float64).to_numpy()
    codes = model.episodes["clinic_key"].replace_strict(clinics, range(len(clinics)), return_dtype=pl.Int64).to_numpy()
    whole, each = (
        completed_means(model.matrix, model.fit, known, recovered, group, groups)
        for group, groups in ((np.zeros_like(codes), 1), (codes, len(clinics)))
    )
    mean, error, effective = (
        np.concatenate([getattr(part, name) for part in (whole, each)]) for name in ("mean", "error", "effective")
    )
    low, high = logit_interval(mean, error)
    is_enough = pl.col("effective_size") >= SMALLEST_EFFECTIVE
    return keys.with_columns(
        weighted_n=pl.Series(np.concatenate([[codes.size], np.bincount(codes, minlength=len(clinics))])),
        weighted_rate=pl.Series(mean),
        weighted_low=pl.Series(low),
        weighted_high=pl.Series(high),
        effective_size=pl.Series(effective).fill_nan(0.0),
    ).with_columns(
        *(pl.when(is_enough).then(pl.col(name)).alias(name) for name in WEIGHTED),
        not_weighted=pl.when(~is_enough).then(pl.lit(TOO_FEW_KNOWN)),
    )


def _completion_model(episodes: pl.DataFrame) -> _Completion | str:
    """The model, or the reason why there is none."""
    covariates = (*PRE_TREATMENT, *PLACES)
    undecided, always, _ = by_support(episodes, "is_known", covariates)
    terms = design(undecided, covariates)
    if not carries(undecided.height, terms):
        return TOO_MANY_COVARIATES
    try:
        fit = logistic(terms.matrix, undecided["is_known"].to_numpy())
    except FitError as failure:
        return str(failure.reason)
    # their weight does not depend on the model, so they have no part in its error
    nothing = np.zeros((always.height, terms.matrix.shape[1]))
    return _Completion(
        pl.concat([undecided, always]),
        np.concatenate([terms.matrix, nothing]),
        Logistic(
            fit.coefficients,
            np.concatenate([fit.probability, np.ones(always.height)]),
            np.concatenate([fit.influence, nothing]),
        ),
    )


def _tipping(described: pl.DataFrame) -> pl.DataFrame:
    """Clinics that are compared: their place by the known alone, and what would change it."""
    network = described.filter(pl.col("clinic_key").is_null()).select("condition_id", network="rate")
    clinics = (
        described.filter(
            pl.col("clinic_key").is_not_null(),
            pl.col("n") > 0,
            pl.col("completeness_word") != BELOW_FLOOR,
        )
        .join(network, on="condition_id", how="inner", nulls_equal=True)
        .sort("condition_id", "clinic_key")
    )
    known, eligible, theta = (clinics[name].to_numpy() for name in ("n", "eligible", "network"))
    limits = [binomial_limits(known, theta, level) for level in (WARNING_LEVEL, ACTION_LEVEL)]
    words = zone(clinics["rate"].to_numpy(), *limits)
    place = np.isin(words, (ABOVE, POSSIBLY_ABOVE)).astype(int) - np.isin(words, (BELOW, POSSIBLY_BELOW)).astype(int)
    found = tipping_rate(
        clinics["recovered"].to_numpy(), known, eligible, place, *binomial_limits(eligible, theta, WARNING_LEVEL)
    )
    ratios = (found.odds_ratio_down, found.odds_ratio_up)
    return clinics.select(*GROUP).with_columns(
        chance_zone=pl.Series(words, dtype=pl.String),
        conclusion=pl.Series(np.where(np.isnan(found.down) & np.isnan(found.up), HOLDS, TIPS), dtype=pl.String),
        tipping_down=pl.Series(found.down),
        tipping_up=pl.Series(found.up),
        # odds do not exist where all, or none, of the unknown would have to recover
        **{
            name: pl.Series(np.where(np.isfinite(ratio), ratio, np.nan))
            for name, ratio in zip(TIPPING[2:], ratios, strict=True)
        },
    )


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {
        "completion": completion(marts["marts.completion_cube"]),
        "completion_sensitivity": completion_sensitivity(
            marts["marts.recovery_cube"], marts["marts.case_mix"], contract
        ),
    }


TOPIC = Topic(
    reads=("marts.completion_cube", "marts.recovery_cube", "marts.case_mix"),
    tables={
        "completion": "Closed episodes with a baseline, a comparable discharge score, a motion and a follow-up",
        "completion_sensitivity": "Recovery as known, at its bounds, weighted for completion, and its tipping points",
    },
    build=_build,
    layouts={
        "completion": COMPLETION,
        "completion_sensitivity": SENSITIVITY,
    },
)
