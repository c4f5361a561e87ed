"""Published frames that compare ways of care within routine data, after adjustment for what was recorded.

Care was chosen, not assigned. Each comparison has to pass its diagnostics before adjusted numbers are shown; one that
does not shows which of them it failed. None of it can show that needling caused a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from assets.contract import contrasts, definitions
from assets.outcomes.covariates import INTERCEPT, PLACES, PRE_TREATMENT, SCALES, column_of, design
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, columns, in_fives, to_tenths
from assets.outcomes.methods.fitting import FitError
from assets.outcomes.methods.means import welch
from assets.outcomes.methods.multiplicity import benjamini_hochberg
from assets.outcomes.methods.proportions import newcombe
from assets.outcomes.methods.sensitivity import e_value, e_value_of_interval, regression_to_mean, tipping_shift
from assets.outcomes.methods.weighting import (
    effective_size,
    equipoise,
    is_imbalanced,
    logistic,
    overlap_contrast,
    overlap_weights,
    standardised_differences,
)
from assets.outcomes.support import TOO_MANY_COVARIATES, by_support, carries
from assets.outcomes.topic import Topic
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.contrasts import Contrast
    from assets.contract.model import Contract
    from assets.outcomes.covariates import Design
    from assets.outcomes.methods.weighting import Logistic
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.floating]
    Flags = NDArray[np.bool_]
    Row = dict[str, Any]

SHOWN = "shown"
TOO_FEW, POSITIVITY = "too_few", "positivity"
LARGEST_SMD, EQUIPOISE, EFFECTIVE_SIZE = "max_smd", "equipoise", "effective_size"
"""Verdicts beside ``SHOWN``, ``TOO_MANY_COVARIATES`` and why a model could not be fitted (``fitting.Reason``)."""

OUTCOMES = {
    "recovered": pl.when(pl.col("recovered") != "unknown").then(pl.col("recovered") == "yes"),
    "responder_mcid": pl.col("responder_mcid"),
    "pain_change": pl.col("pain_change"),
}
"""Outcome -> its value, null where unknown. Shares, but for the change in points (positive = less pain)."""
MEANS = ("pain_change",)
BALANCED = "recovered"
"""Outcome whose patients the balance table is about."""

OTHER_LEVELS = "others"
"""Levels of a category with too few patients in a group to be shown alone."""

NEEDLING, NO_NEEDLING = "dry_needling", "other_care"
COVARIATES = (*PRE_TREATMENT, *PLACES)
TREATED = "is_treated"
VALUE = "outcome_value"

OBSERVED = ("treated_mean", "control_mean", "difference", "difference_low", "difference_high")
ADJUSTED = (
    *("adjusted_treated", "adjusted_control", "adjusted_difference", "adjusted_low", "adjusted_high"),
    *("p_value", "q_value", "ratio", "ratio_low", "ratio_high", "e_value", "e_value_limit", "tipping_shift"),
)


def _compared_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Changes in points have one decimal, shares two; effective sizes are printed as counts are."""
    return in_fives("effective_treated", "effective_control")(
        to_tenths(protected, pl.col("outcome_id").is_in(MEANS), *OBSERVED, *ADJUSTED[:5])
    )


COMPARISON = Layout(
    columns(STRING, "condition_id", "contrast_id", "outcome_id"),
    {
        **columns(INTEGER, "n_treated", "n_control"),
        **columns(FLOAT, "unknown_treated", "unknown_control", *OBSERVED),
        **columns(STRING, "verdict"),
        **columns(INTEGER, "clinics_left_out", "patients_left_out", "analysed_treated", "analysed_control"),
        **columns(FLOAT, "effective_treated", "effective_control", "equipoise"),
        **columns(FLOAT, "max_smd_before", "max_smd_after", "max_smd_beyond"),
        **columns(FLOAT, *ADJUSTED),
        **columns(INTEGER, "family_size"),
    },
    groups=("n_treated", "n_control"),
    subgroups={"patients_left_out": ("patients_left_out", "analysed_treated", "analysed_control")},
    statistic="care_comparison",
    counts={
        "n_treated": Count("compared", at={"arm": "treated"}),
        "n_control": Count("compared", at={"arm": "control"}),
        "patients_left_out": Count("left_out"),
        "analysed_treated": Count("analysed", at={"arm": "treated"}),
        "analysed_control": Count("analysed", at={"arm": "control"}),
    },
    plain=("clinics_left_out", "family_size"),
    decimals=dict.fromkeys(("p_value", "q_value"), 3),
    finish=_compared_as_printed,
)
BALANCE = Layout(
    columns(STRING, "contrast_id", "covariate"),
    {
        **columns(INTEGER, "treated_n", "control_n"),
        **columns(FLOAT, "treated_before", "control_before", "smd_before"),
        **columns(FLOAT, "treated_after", "control_after", "smd_after"),
    },
    groups=("treated_n", "control_n"),
    statistic="care_balance",
    counts={
        "treated_n": Count("balanced", at={"arm": "treated"}),
        "control_n": Count("balanced", at={"arm": "control"}),
    },
)
REGRESSION = Layout(
    columns(STRING, "condition_id"),
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "baseline_mean", "baseline_sd", "retest_correlation"),
        **columns(INTEGER, "selection_cut", "selected", "selected_pairs"),
        **columns(FLOAT, "selected_change_mean", "expected_drop"),
    },
    groups=("n",),
    subgroups={
        "selected": ("selected", "selected_pairs", "selected_change_mean", "expected_drop"),
        "selected_pairs": ("selected_pairs", "selected_change_mean"),
    },
    statistic="regression_to_mean",
    counts={
        "n": Count("with_baseline_pain"),
        "selected": Count("selected_by_pain"),
        "selected_pairs": Count("selected_by_pain_pairs"),
    },
    plain=("selection_cut",),
    decimals=dict.fromkeys(("baseline_mean", "baseline_sd", "selected_change_mean", "expected_drop"), 1),
)
CONTRAST = Layout(
    columns(STRING, "contrast_id"),
    {**columns(INTEGER, "position"), **columns(STRING, "label", "sentence", "caution"), **columns(BOOLEAN, "compared")},
    plain=("position",),
)


def compared_episodes(case_mix: pl.DataFrame, care_received: pl.DataFrame) -> pl.DataFrame:
    """Episodes that can be compared: routine care, the first of a patient, closed, still in care at the landmark.

    Exposure is known at the landmark only; who had left by then could not receive anything later (immortal time).
    Pain at the first visit has to leave room, as for recovery.
    """
    classes = [item.comparator for item in contrasts.CONTRASTS if item.comparator]
    room = pl.col("baseline_pain") > definitions.BASELINE_MUST_EXCEED_POINTS
    return (
        case_mix.filter(
            ~pl.col("is_trial"), pl.col("is_first_episode"), pl.col("is_closed"), pl.col("is_in_care_at_landmark"), room
        )
        .join(care_received.select("episode_key", *classes), on="episode_key", how="left")
        .with_columns(pl.col(classes).fill_null(value=False))
        .sort("episode_key")
        .select(
            *PLACES,
            *PRE_TREATMENT,
            *classes,
            "care",
            *(value.cast(pl.Float64).alias(f"{VALUE}:{name}") for name, value in OUTCOMES.items()),
        )
    )


def care_comparison(episodes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables of comparisons: outcomes by contrast and condition (null: all), and balance of covariates.

    Args:
        episodes: As ``compared_episodes`` gives them.

    """
    conditions = [None, *episodes["condition_id"].unique().sort()]
    rows: list[Row] = []
    balance: list[Row] = []
    for contrast in contrasts.CONTRASTS:
        parted = _parted(episodes, contrast)
        for condition in conditions:
            mine = parted if condition is None else parted.filter(pl.col("condition_id") == condition)
            for outcome in OUTCOMES:
                found = _compare(mine, outcome)
                keys = {"condition_id": condition, "contrast_id": contrast.contrast_id, "outcome_id": outcome}
                rows.append(keys | found.row)
                if condition is None and outcome == BALANCED and found.analysed is not None:
                    balance += ({"contrast_id": contrast.contrast_id} | row for row in _balance(found.analysed))
    compared = pl.DataFrame(rows, schema={**COMPARISON.keys, **COMPARISON.numbers}, orient="row")
    p_values = compared["p_value"].to_numpy()
    family = compared.with_columns(
        q_value=pl.Series(benjamini_hochberg(p_values)),
        family_size=pl.lit(compared["p_value"].is_not_null().sum(), pl.Int64),
    )
    return (
        COMPARISON.arrange(family),
        BALANCE.arrange(pl.DataFrame(balance, schema={**BALANCE.keys, **BALANCE.numbers}, orient="row")),
    )


def regression_reference(case_mix: pl.DataFrame) -> pl.DataFrame:
    """How far pain would fall by selection alone, beside how far it fell, by condition (null: all).

    Of patients whose pain at the first visit is at least the cut. Mean and SD are those of all patients of the clinics,
    who have been selected by their pain once before they came: the true figure is larger, not smaller.
    """
    mine = case_mix.filter(
        ~pl.col("is_trial"), pl.col("is_first_episode"), pl.col("is_closed"), pl.col("baseline_pain").is_not_null()
    ).sort("episode_key")
    pain, change = (pl.col(name).cast(pl.Float64) for name in ("baseline_pain", "pain_change"))
    chosen = pain >= contrasts.SELECTION_CUT_POINTS
    counts = [
        pl.len().alias("n"),
        pain.mean().alias("baseline_mean"),
        pain.std().alias("baseline_sd"),
        chosen.sum().alias("selected"),
        (chosen & change.is_not_null()).sum().alias("selected_pairs"),
        change.filter(chosen).mean().alias("selected_change_mean"),
    ]
    whole = mine.select(pl.lit(None, pl.String).alias("condition_id"), *counts)
    by_condition = mine.group_by("condition_id", maintain_order=True).agg(counts)
    frame = pl.concat([whole, by_condition], how="vertical_relaxed")
    expected = regression_to_mean(
        frame["baseline_mean"].to_numpy(),
        frame["baseline_sd"].to_numpy(),
        contrasts.RETEST_CORRELATION,
        contrasts.SELECTION_CUT_POINTS,
    )
    return REGRESSION.arrange(
        frame.with_columns(
            retest_correlation=pl.lit(contrasts.RETEST_CORRELATION),
            selection_cut=pl.lit(contrasts.SELECTION_CUT_POINTS),
            expected_drop=pl.Series(expected.expected_drop),
        )
    )


def contrast_labels() -> pl.DataFrame:
    """What is compared with what, in words, and what clinic data can never compare."""
    listed = [(item, True) for item in contrasts.CONTRASTS] + [(item, False) for item in contrasts.NOT_IN_CLINIC_DATA]
    rows = [
        (item.contrast_id, position, item.label, item.sentence, contrasts.CANNOT_SHOW, compared)
        for position, (item, compared) in enumerate(listed, start=1)
    ]
    return CONTRAST.arrange(pl.DataFrame(rows, schema={**CONTRAST.keys, **CONTRAST.numbers}, orient="row"))


@dataclass(frozen=True, slots=True)
class _Analysed:
    """The patients of a comparison that could be weighted; ``terms`` has the rows of ``frame``."""

    frame: pl.DataFrame
    terms: Design
    fit: Logistic
    treated: Flags
    weights: Floats


class _Comparison(NamedTuple):
    row: Row
    analysed: _Analysed | None = None


def _parted(episodes: pl.DataFrame, contrast: Contrast) -> pl.DataFrame:
    treated, control = pl.col("care") == NEEDLING, pl.col("care") == NO_NEEDLING
    if contrast.comparator is not None:
        treated, control = treated & ~pl.col(contrast.comparator), control & pl.col(contrast.comparator)
    return episodes.filter(treated | control).with_columns(treated.alias(TREATED))


def _compare(eligible: pl.DataFrame, outcome: str) -> _Comparison:
    known = eligible.with_columns(pl.col(f"{VALUE}:{outcome}").alias(VALUE)).filter(pl.col(VALUE).is_not_null())
    row = _observed(eligible, known, outcome)
    if _smallest_arm(known) < contrasts.SMALLEST_ARM:
        return _Comparison(row | {"verdict": TOO_FEW})
    comparable = _comparable(known)
    row |= {
        "clinics_left_out": known["clinic_key"].n_unique() - comparable["clinic_key"].n_unique(),
        "patients_left_out": known.height - comparable.height,
    }
    if _smallest_arm(comparable) < contrasts.SMALLEST_ARM:
        return _Comparison(row | {"verdict": POSITIVITY})
    terms = design(comparable, COVARIATES)
    if not carries(comparable.height, terms):
        return _Comparison(row | {"verdict": TOO_MANY_COVARIATES})
    try:
        analysed = _weighted(comparable, terms)
    except FitError as error:
        return _Comparison(row | {"verdict": str(error.reason)})
    verdict, diagnostics = _diagnosed(analysed)
    row |= diagnostics | {"verdict": verdict}
    if verdict == SHOWN:
        row |= _adjusted(analysed, outcome, row["unknown_treated"])
    return _Comparison(row, analysed)


def _observed(eligible: pl.DataFrame, known: pl.DataFrame, outcome: str) -> Row:
    """Both groups as they are."""
    one, other = (known.filter(pl.col(TREATED) == arm)[VALUE].to_numpy() for arm in (True, False))
    if outcome in MEANS:
        difference, low, high = welch(one, other)
    else:
        difference, low, high = (
            float(value[0]) for value in newcombe([one.sum()], [one.size], [other.sum()], [other.size])
        )
    asked = eligible[TREATED].sum()
    return {
        "n_treated": one.size,
        "n_control": other.size,
        "unknown_treated": 1 - one.size / asked if asked else None,
        "unknown_control": 1 - other.size / (eligible.height - asked) if eligible.height > asked else None,
        "treated_mean": one.mean() if one.size else None,
        "control_mean": other.mean() if other.size else None,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        **dict.fromkeys(("clinics_left_out", "patients_left_out", "analysed_treated", "analysed_control"), 0),
    }


def _smallest_arm(frame: pl.DataFrame) -> int:
    treated = int(frame[TREATED].sum())
    return min(treated, frame.height - treated)


def _comparable(known: pl.DataFrame) -> pl.DataFrame:
    """Without clinics that (nearly) never or always needle, and without levels of a covariate found in one group only.

    One can bring about the other, so both are looked at until nothing is left out any more.
    """
    lowest, highest = (percent / 100 for percent in contrasts.POSITIVITY_PERCENT)
    frame = known
    while True:
        mixed = frame.filter(pl.col(TREATED).mean().over("clinic_key").is_between(lowest, highest))
        kept = by_support(mixed, TREATED, COVARIATES, smallest=1).undecided
        if kept.height == frame.height:
            return kept
        frame = kept


def _weighted(comparable: pl.DataFrame, terms: Design) -> _Analysed:
    treated = comparable[TREATED].to_numpy()
    fit = logistic(terms.matrix, treated)
    return _Analysed(comparable, terms, fit, treated, overlap_weights(fit.probability, treated))


def _diagnosed(analysed: _Analysed) -> tuple[str, Row]:
    """The first diagnostic that fails, or that none does; and what they were."""
    treated, weights = analysed.treated, analysed.weights
    within, beyond = analysed.terms.matrix[:, 1:], _beyond(analysed.terms)
    before, after, further = (
        standardised_differences(columns_, treated, weight)
        for columns_, weight in ((within, np.ones(weights.size)), (within, weights), (beyond, weights))
    )
    effective = (effective_size(weights[treated]), effective_size(weights[~treated]))
    common = equipoise(analysed.fit.probability, treated)
    failing = {
        LARGEST_SMD: _largest(after) >= contrasts.LARGEST_SMD
        or is_imbalanced(further, effective, contrasts.LARGEST_SMD),
        EQUIPOISE: common < contrasts.SMALLEST_EQUIPOISE,
        EFFECTIVE_SIZE: min(effective) < contrasts.SMALLEST_EFFECTIVE_SIZE,
    }
    return next((name for name, fails in failing.items() if fails), SHOWN), {
        "analysed_treated": int(treated.sum()),
        "analysed_control": int((~treated).sum()),
        "effective_treated": effective[0],
        "effective_control": effective[1],
        "equipoise": common,
        "max_smd_before": _largest(before),
        "max_smd_after": _largest(after),
        "max_smd_beyond": _largest(further),
    }


def _beyond(terms: Design) -> Floats:
    """What the model does not contain and weighting need not balance: squares of numbers, and pain times the rest."""
    columns_ = dict(zip(terms.names, terms.matrix.T, strict=True))
    pain = columns_["baseline_pain"]
    squares = [column**2 for name, column in columns_.items() if name in SCALES and f"{name}^2" not in columns_]
    products = [
        pain * column for name, column in columns_.items() if name != INTERCEPT and column_of(name) != "baseline_pain"
    ]
    return np.column_stack([*squares, *products])


def _largest(differences: Floats) -> float:
    return float(np.nanmax(np.abs(differences), initial=0.0))


def _adjusted(analysed: _Analysed, outcome: str, unknown_share: float) -> Row:
    values = analysed.frame[VALUE].to_numpy()
    found = overlap_contrast(analysed.terms.matrix, analysed.fit, analysed.treated, values)
    row: Row = {
        "adjusted_treated": found.treated_mean,
        "adjusted_control": found.control_mean,
        "adjusted_difference": found.difference,
        "adjusted_low": found.difference_low,
        "adjusted_high": found.difference_high,
        "p_value": found.p_value,
        "tipping_shift": float(tipping_shift(found.difference_low, found.difference_high, unknown_share)),
    }
    if outcome not in MEANS:
        row |= {
            "ratio": found.ratio,
            "ratio_low": found.ratio_low,
            "ratio_high": found.ratio_high,
            "e_value": float(e_value(found.ratio)),
            "e_value_limit": float(e_value_of_interval(found.ratio_low, found.ratio_high)),
        }
    return row


def _balance(analysed: _Analysed) -> list[Row]:
    """Means of both groups before and after weighting: numbers in their unit among those known, levels as shares."""
    frame, treated, weights = analysed.frame, analysed.treated, analysed.weights
    everybody = np.ones(treated.size, dtype=bool)
    rows: list[Row] = []
    for column in COVARIATES:
        if column in SCALES:
            values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
            rows.append(_balance_row(column, values, ~np.isnan(values), treated, weights))
        else:
            rows += (
                _balance_row(f"{column}={level}", members.astype(np.float64), everybody, treated, weights)
                | {"treated_n": int((members & treated).sum()), "control_n": int((members & ~treated).sum())}
                for level, members in _levels(frame[column], treated).items()
            )
    return rows


def _levels(values: pl.Series, treated: Flags) -> dict[str, Flags]:
    """Levels and who has them; the rarest together, until every one has enough patients of each group.

    One level alone must not be left out: it would follow from the shares of the others.
    """
    members = {str(level): (values == level).to_numpy() for level in values.unique().sort()}

    def smallest_arm(level: str) -> int:
        return int(min((members[level] & treated).sum(), (members[level] & ~treated).sum()))

    while len(members) > 1 and smallest_arm(min(members, key=smallest_arm)) < MINIMUM_GROUP:
        rarest, next_rarest = sorted(members, key=smallest_arm)[:2]
        members[OTHER_LEVELS] = members.pop(rarest) | members.pop(next_rarest)
    return members


def _balance_row(name: str, values: Floats, known: Flags, treated: Flags, weights: Floats) -> Row:
    column, arm = values[known][:, None], treated[known]
    row: Row = {"covariate": name, "treated_n": int(arm.sum()), "control_n": int((~arm).sum())}
    for when, weight in (("before", np.ones(arm.size)), ("after", weights[known])):
        if arm.any() and not arm.all():
            row[f"smd_{when}"] = standardised_differences(column, arm, weight)[0]
            row[f"treated_{when}"] = np.average(column[arm, 0], weights=weight[arm])
            row[f"control_{when}"] = np.average(column[~arm, 0], weights=weight[~arm])
    return row


def _build(marts: Frames, _: Contract) -> dict[str, pl.DataFrame]:
    case_mix = marts["marts.case_mix"]
    comparison, balance = care_comparison(compared_episodes(case_mix, marts["marts.care_received"]))
    return {
        "care_balance": balance,
        "care_comparison": comparison,
        "contrast": contrast_labels(),
        "regression_to_mean": regression_reference(case_mix),
    }


TOPIC = Topic(
    reads=("marts.case_mix", "marts.care_received"),
    tables={
        "care_balance": "Covariates of the groups compared, before and after weighting; all conditions together",
        "care_comparison": "Outcomes by care received, adjusted by overlap weights, or the diagnostic that failed",
        "contrast": "Ways of care that are compared, and those that clinic data can never compare",
        "regression_to_mean": "Fall in pain expected from selection alone, beside the fall of those selected",
    },
    build=_build,
    layouts={
        "care_balance": BALANCE,
        "care_comparison": COMPARISON,
        "regression_to_mean": REGRESSION,
    },
)
