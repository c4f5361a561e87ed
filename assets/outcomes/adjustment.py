"""Case-mix models: what outcome would be expected of each patient, from what was known before treatment.

One model per condition and outcome, of closed episodes of routine care, the first of each patient. It has a random
intercept per clinic, so that what differs between clinics is not taken for a difference between patients (domain
reference 4.5). The expected outcome comes from the fixed part alone (the clinic's effect is zero), moved by one
constant so that expected equals observed over the whole network. So a clinic is compared with all clinics, in which it
has its own share.

How many predictors a model may have is decided before any outcome is looked at but the number of events: they enter
in the fixed order of ``PRIORITY`` while there are ten events for each parameter of a yes or no (Peduzzi 1996), fifteen
episodes for each of a number (Harrell 2015, section 4.4), and there is no model without those of ``CORE``. Every model
is fitted once more for each fold of patients it has not seen.

Fitted predictions are too extreme for other patients than those of the fit. So what is expected is pulled towards the
mean by uniform shrinkage: every coefficient but the intercept is multiplied by the calibration slope of the predictions
for folds not seen, cut to 0 to 1 (Van Houwelingen & Le Cessie 1990; Steyerberg 2009, chapter 13). That slope is over
all clinics, so it makes up as well for a fixed part that predicts the typical clinic, not the mean of all. A factor of
0 says that nothing known before treatment told patients apart: the mean is then expected of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.public_measures import PAIN_POINTS
from assets.outcomes.covariates import INTERCEPT, column_of, design, evaluate, independent_columns
from assets.outcomes.methods import groups
from assets.outcomes.methods.fitting import FitError
from assets.outcomes.methods.mixed_linear import fit_linear
from assets.outcomes.methods.mixed_logistic import fit_logistic
from assets.outcomes.methods.prediction import (
    Calibration,
    auc,
    calibration_of_means,
    calibration_of_probabilities,
    expit,
    out_of_fold,
    r_squared,
    shift_to_total,
    shrinkage_factor,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

PRIORITY = (
    "baseline_pain",
    "baseline_function_permille",
    "symptom_duration",
    "age_years",
    "sex",
    "surgery_count",
    "payer",
    "comorbidity_count",
    "fear_avoidance",
    "baseline_rom_permille",
    "prior_episode",
    "population",
    "side",
    "anticoagulant",
    "needle_phobia",
    "start_year",
)
"""All predictors known before treatment, in the order in which they enter.

First those that the public measures adjust for (QCDR: baseline function and pain, age, sex, payer, surgery, symptom
duration; FOTO: also comorbidity and fear-avoidance, Gozalo 2016), then the others of domain reference 4.7.
"""

CORE = PRIORITY[:4]
MINIMUM_EPISODES = 100
EVENTS_PER_PARAMETER = 10
EPISODES_PER_PARAMETER = 15
LATENT_VARIANCE = np.pi**2 / 3
"""Variance of the logistic distribution: that of a single outcome on the scale on which clinics differ."""

KEPT = ("episode_key", "condition_id", "clinic_key")
"""What is kept of each episode once its model is fitted: all models are in memory together."""

TOO_FEW_EPISODES = "too_few_episodes"
TOO_FEW_EVENTS = "too_few_events"
"""Reasons beside those of ``fitting.Reason``."""


@dataclass(frozen=True, slots=True)
class AdjustedOutcome:
    """An outcome that a model predicts: a yes or no (``is_rate``) or a number in ``unit``, positive = better.

    ``value`` is null where the outcome is not known; ``is_eligible`` says who could have one.
    """

    outcome_id: str
    label: str
    is_rate: bool
    unit: str
    value: pl.Expr
    is_eligible: pl.Expr


OUTCOMES = (
    AdjustedOutcome(
        "recovered",
        "Recovered",
        is_rate=True,
        unit="log odds",
        value=pl.when(pl.col("recovered") != "unknown").then((pl.col("recovered") == "yes").cast(pl.Float64)),
        is_eligible=pl.col("unknown_reason").ne_missing("baseline_too_low"),
    ),
    AdjustedOutcome(
        "pain_points",
        f"Less pain by {PAIN_POINTS} points or more",
        is_rate=True,
        unit="log odds",
        value=(pl.col("latest_pain_change") >= PAIN_POINTS).cast(pl.Float64),
        is_eligible=pl.lit(value=True),
    ),
    AdjustedOutcome(
        "pain_change",
        "Change in pain",
        is_rate=False,
        unit="points",
        value=pl.col("pain_change").cast(pl.Float64),
        is_eligible=pl.lit(value=True),
    ),
    AdjustedOutcome(
        "function_change",
        "Change in function",
        is_rate=False,
        unit="points of 0 to 100",
        value=pl.col("function_change_permille").cast(pl.Float64) / 10,
        is_eligible=pl.lit(value=True),
    ),
)


@dataclass(frozen=True, slots=True)
class CaseMixModel:
    """A fitted model of one condition and outcome.

    ``coefficients`` are those that give ``expected`` (rows,): ``unshrunken`` ones times ``shrinkage``. Of both the
    intercept holds the constant that makes expected equal observed. ``errors`` are standard errors of ``unshrunken``:
    what the data say of a term does not depend on how far predictions are pulled towards the mean. ``apparent`` and
    ``held_out`` (rows,) are predictions without shrinkage, by the model itself and by models that have not seen the
    row's fold. ``references`` are the levels that others are compared with, ``left_out`` the terms that were not
    affordable or not estimable. ``sd_between`` is the standard deviation of clinics on the scale of the unshrunken
    coefficients, ``sd_within`` that of single outcomes around ``expected`` within clinics (NaN for yes or no),
    ``share_between`` the share of the variance not explained by case mix that lies between clinics. ``rows_of`` counts,
    for each term, the rows it rests on.
    """

    names: tuple[str, ...]
    references: Mapping[str, str]
    coefficients: Floats
    unshrunken: Floats
    errors: Floats
    shrinkage: float
    rows_of: NDArray[np.int64]
    left_out: tuple[str, ...]
    expected: Floats
    apparent: Floats
    held_out: Floats
    sd_between: float
    sd_within: float
    share_between: float
    clinics: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model of a condition and outcome, or why there is none.

    ``candidates`` are the episodes that could have the outcome, in order of their key, with it as ``value``; null where
    it is not known. The arrays of the model belong to those where it is known. ``events`` of a yes or no is the smaller
    of the two counts.
    """

    condition_id: str
    outcome: AdjustedOutcome
    candidates: pl.DataFrame
    events: int
    model: CaseMixModel | None
    reason: str | None

    @property
    def value(self) -> Floats:
        """The outcome of each row where it is known: 0 or 1, or a number."""
        return self.candidates["value"].drop_nulls().to_numpy()

    def with_expected(self) -> pl.DataFrame:
        """Candidates with the outcome ``expected`` (null without a model or outcome) and ``sd`` of one around it."""
        every = np.full(self.candidates.height, np.nan)
        if self.model is not None:
            every[self.candidates["value"].is_not_null().to_numpy()] = self.model.expected
        return self.candidates.with_columns(
            outcome_id=pl.lit(self.outcome.outcome_id),
            expected=pl.Series(every).fill_nan(None),
            sd=pl.lit(None if self.model is None else self.model.sd_within, pl.Float64),
            reason=pl.lit(self.reason, pl.String),
        )


def modelled_episodes(case_mix: pl.DataFrame) -> pl.DataFrame:
    """Closed episodes of routine care, the first of each patient, in order of their key."""
    return case_mix.filter("is_closed", "is_first_episode", ~pl.col("is_trial")).sort("episode_key")


def fit_models(case_mix: pl.DataFrame, outcomes: Sequence[AdjustedOutcome] = OUTCOMES) -> list[Fitted]:
    """Fit every condition and outcome of ``marts.case_mix``, in order of condition id."""
    episodes = modelled_episodes(case_mix)
    return [
        _fitted(str(condition_id), episodes.filter(pl.col("condition_id") == condition_id), outcome)
        for condition_id in episodes["condition_id"].unique().sort()
        for outcome in outcomes
    ]


def predicted(frame: pl.DataFrame, names: Sequence[str], coefficients: Floats, *, is_rate: bool) -> Floats:
    """Expected outcome of each row of ``frame`` by a model's terms and coefficients."""
    return _outcomes(evaluate(frame, names) @ coefficients, is_rate=is_rate)


def agreement(value: Floats, expected: Floats, *, is_rate: bool) -> tuple[float, Calibration]:
    """AUC of a yes or no, R2 of a number; and the calibration."""
    if is_rate:
        return auc(value, expected), calibration_of_probabilities(value, expected)
    return r_squared(value, expected), calibration_of_means(value, expected)


def outcome_rows(episodes: pl.DataFrame, outcome: AdjustedOutcome) -> pl.DataFrame:
    """The episodes that could have the outcome, with it as ``value``: null where it is not known."""
    return episodes.filter(outcome.is_eligible).with_columns(value=outcome.value)


def _fitted(condition_id: str, episodes: pl.DataFrame, outcome: AdjustedOutcome) -> Fitted:
    candidates = outcome_rows(episodes, outcome)
    rows = candidates.filter(pl.col("value").is_not_null())
    value = rows["value"].to_numpy()
    cases = int(value.sum()) if outcome.is_rate else rows.height
    events = min(cases, rows.height - cases) if outcome.is_rate else rows.height
    model, reason = None, None
    try:
        model = _model(rows, value, events, is_rate=outcome.is_rate)
    except FitError as problem:
        reason = str(problem.reason)
    except _TooLittleError as problem:
        reason = problem.reason
    return Fitted(condition_id, outcome, candidates.select(*KEPT, "value"), events, model, reason)


class _TooLittleError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _model(rows: pl.DataFrame, value: Floats, events: int, *, is_rate: bool) -> CaseMixModel:
    if rows.height < MINIMUM_EPISODES:
        raise _TooLittleError(TOO_FEW_EPISODES)
    made = design(rows, PRIORITY)
    kept = _affordable(made.names, events // (EVENTS_PER_PARAMETER if is_rate else EPISODES_PER_PARAMETER))
    kept[kept] = _estimable(made.matrix[:, kept], value, is_rate=is_rate)
    matrix = np.ascontiguousarray(made.matrix[:, kept])
    names = tuple(name for name, keep in zip(made.names, kept, strict=True) if keep)
    clinics, code = np.unique(rows["clinic_key"].to_numpy(), return_inverse=True)
    fit = _fit(value, matrix, code, is_rate=is_rate)

    def predict(train: Flags, test: Flags) -> Floats:
        usable = _estimable(matrix[train], value[train], is_rate=is_rate)
        learned = _fit(value[train], matrix[np.ix_(train, usable)], code[train], is_rate=is_rate)
        return _outcomes(matrix[np.ix_(test, usable)] @ learned.coefficients, is_rate=is_rate)

    held_out = out_of_fold(rows["fold"].to_numpy(), predict)
    factor = shrinkage_factor(agreement(value, held_out, is_rate=is_rate)[1].slope)
    coefficients = _recentred(factor * fit.coefficients, value, matrix, is_rate=is_rate)
    expected = _outcomes(matrix @ coefficients, is_rate=is_rate)
    return CaseMixModel(
        names=names,
        references=made.references,
        coefficients=coefficients,
        unshrunken=fit.coefficients,
        errors=fit.errors,
        shrinkage=factor,
        rows_of=np.array([_resting(column) for column in matrix.T]),
        left_out=(*(name for name in made.names if name not in names), *made.dropped),
        expected=expected,
        apparent=_outcomes(matrix @ fit.coefficients, is_rate=is_rate),
        held_out=held_out,
        sd_between=fit.sd_between,
        sd_within=np.nan if is_rate else _sd_within(value - expected, code, (len(names) - 1) * factor * (2 - factor)),
        share_between=fit.share_between,
        clinics=len(clinics),
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    coefficients: Floats
    errors: Floats
    sd_between: float
    share_between: float


def _fit(value: Floats, matrix: Floats, code: NDArray[np.int64], *, is_rate: bool) -> _Fit:
    """Mixed model whose intercept is moved so that the expected outcomes add up to the observed ones."""
    if is_rate:
        logistic = fit_logistic(value, np.ones_like(value), matrix, code)
        coefficients = _recentred(logistic.coefficients, value, matrix, is_rate=True)
        share = logistic.sd_between**2 / (logistic.sd_between**2 + LATENT_VARIANCE)
        return _Fit(coefficients, np.sqrt(np.diag(logistic.covariance)), logistic.sd_between, share)
    linear = fit_linear(value, matrix, code)
    coefficients = _recentred(linear.coefficients, value, matrix, is_rate=False)
    return _Fit(coefficients, np.sqrt(np.diag(linear.covariance)), linear.sd_between, linear.icc)


def _recentred(coefficients: NDArray[np.floating], value: Floats, matrix: Floats, *, is_rate: bool) -> Floats:
    """Coefficients with the intercept, which is the first, moved so that expected outcomes add up to observed ones."""
    moved = np.array(coefficients, dtype=np.float64)
    linear = matrix @ moved
    moved[0] += shift_to_total(linear, float(value.sum())) if is_rate else float((value - linear).mean())
    return moved


def _outcomes(linear: Floats, *, is_rate: bool) -> Floats:
    return expit(linear) if is_rate else linear


def _sd_within(residual: Floats, code: NDArray[np.int64], spent: float) -> float:
    """Pooled SD within clinics of outcomes around what is expected of them.

    ``spent`` degrees of freedom are lost beside one per clinic: of p parameters shrunken by f, p f (2 - f), the trace
    of 2 f H - f^2 H with H the hat matrix of the fit.
    """
    away = residual - groups.means(code, residual, int(code.max()) + 1)[code]
    degrees = residual.size - (code.max() + 1) - spent
    return float(np.sqrt((away**2).sum() / max(degrees, 1.0)))


def _affordable(names: Sequence[str], most: int) -> Flags:
    """Which terms to take: whole predictors in order of priority, with at most so many parameters in all."""
    terms = {
        predictor: [position for position, name in enumerate(names) if column_of(name) == predictor]
        for predictor in PRIORITY
    }
    kept = np.array([name == INTERCEPT for name in names])
    parameters = 0
    for predictor, positions in terms.items():
        parameters += len(positions)
        if parameters > most:
            if predictor in CORE:
                raise _TooLittleError(TOO_FEW_EVENTS)
            break
        kept[positions] = True
    return kept


def _estimable(matrix: Floats, value: Floats, *, is_rate: bool) -> Flags:
    """Columns with a coefficient: no combination of others, and no level in which all had the same outcome.

    Of a yes or no the coefficient of such a level is infinite; the level then counts as the reference.
    """
    kept = independent_columns(matrix)
    if is_rate:
        for position, column in enumerate(matrix.T[1:], start=1):
            inside = value[column == 1]
            if np.isin(column, (0, 1)).all() and (inside.size == 0 or inside.min() == inside.max()):
                kept[position] = False
    return kept


def _resting(column: Floats) -> int:
    """Rows that a coefficient rests on: of a level those that have it, of a number all."""
    return int(column.sum()) if np.isin(column, (0, 1)).all() else column.size
