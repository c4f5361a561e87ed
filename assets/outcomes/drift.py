"""How the case-mix models differ from those of the release before: does an old expectation still come true?

Three signs, for each condition and outcome. Discrimination by cross-validation, now less then. The old model's
predictions for the patients of now, with its shrunken coefficients. The coefficient that has moved most
before shrinkage, in standard errors. Releases share most of their patients, so the last is no test: it says where to
look; and the old model's calibration slope lies above 1 by as much as shrinkage allows for patients it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.adjustment import OUTCOMES, agreement, modelled_episodes, outcome_rows, predicted
from assets.outcomes.frames import FLOAT, INTEGER, STRING, columns

if TYPE_CHECKING:
    from assets.outcomes.adjustment import AdjustedOutcome

MODEL = ["condition_id", "outcome_id"]
DRIFT_SCHEMA = {
    **columns(STRING, *MODEL),
    **columns(INTEGER, "n"),
    **columns(FLOAT, "discrimination_change", "old_expected", "observed", "old_ratio", "old_in_the_large", "old_slope"),
    **columns(STRING, "moved_term"),
    **columns(FLOAT, "moved_errors"),
    **columns(STRING, "reason"),
}
"""Columns of ``model_drift``. ``n`` patients of now are predicted by the old model."""

NO_EARLIER_RELEASE = "no_earlier_release"
NO_EARLIER_MODEL = "no_earlier_model"
NO_MODEL_NOW = "no_model_now"
OTHER_VERSION = "other_version"
"""Reasons for no comparison. Numbers of two versions of a statistic do not mean the same."""


@dataclass(frozen=True, slots=True)
class ReleasedModels:
    """Tables ``case_mix_model`` and ``case_mix_coefficient`` of a release."""

    cards: pl.DataFrame
    coefficients: pl.DataFrame

    def has_version_of(self, other: ReleasedModels) -> bool:
        """Whether both releases mean the same by these numbers."""
        return set(self.cards["statistic_id"]) == set(other.cards["statistic_id"])


def model_drift(now: ReleasedModels, before: ReleasedModels | None, case_mix: pl.DataFrame) -> pl.DataFrame:
    """Compare the models of two releases on the episodes of ``marts.case_mix`` of now.

    Returns:
        One row for each model of now (columns ``DRIFT_SCHEMA``): ``discrimination_change`` of AUC or R2;
        ``old_expected`` and ``observed`` mean outcome of now, their ratio (observed over expected, of a yes or no),
        and calibration of the old model; ``moved_term`` has moved by ``moved_errors`` times sqrt(SE^2 + SE^2).
        ``reason`` where there is nothing to compare.

    """
    outcomes = {outcome.outcome_id: outcome for outcome in OUTCOMES}
    episodes = modelled_episodes(case_mix)
    rows = []
    for card in now.cards.sort(MODEL).iter_rows(named=True):
        reason = _reason(card, now, before)
        row = {name: card[name] for name in MODEL} | {"reason": reason}
        if reason is None and before is not None:
            row |= _compared(card, now, before, episodes, outcomes[card["outcome_id"]])
        rows.append(row)
    return pl.DataFrame(rows, schema=DRIFT_SCHEMA)


def _reason(card: dict[str, object], now: ReleasedModels, before: ReleasedModels | None) -> str | None:
    if before is None:
        return NO_EARLIER_RELEASE
    if not now.has_version_of(before):
        return OTHER_VERSION
    if _terms(card, before.coefficients).is_empty():
        return NO_EARLIER_MODEL
    return NO_MODEL_NOW if _terms(card, now.coefficients).is_empty() else None


def _terms(card: dict[str, object], coefficients: pl.DataFrame) -> pl.DataFrame:
    return coefficients.filter(condition_id=card["condition_id"], outcome_id=card["outcome_id"]).sort("term")


def _compared(
    card: dict[str, object],
    now: ReleasedModels,
    before: ReleasedModels,
    episodes: pl.DataFrame,
    outcome: AdjustedOutcome,
) -> dict[str, object]:
    old, new = _terms(card, before.coefficients), _terms(card, now.coefficients)
    candidates = outcome_rows(episodes.filter(pl.col("condition_id") == card["condition_id"]), outcome)
    rows = candidates.filter(pl.col("value").is_not_null())
    value = rows["value"].to_numpy()
    expected = predicted(rows, old["term"].to_list(), old["estimate"].to_numpy(), is_rate=outcome.is_rate)
    _, calibration = agreement(value, expected, is_rate=outcome.is_rate)
    then = before.cards.filter(condition_id=card["condition_id"], outcome_id=card["outcome_id"]).row(0, named=True)
    discrimination = "auc_cv" if outcome.is_rate else "r_squared_cv"
    return {
        "n": rows.height,
        "discrimination_change": _difference(card[discrimination], then[discrimination]),
        "old_expected": float(expected.mean()),
        "observed": float(value.mean()),
        "old_ratio": float(value.mean() / expected.mean()) if outcome.is_rate else None,
        "old_in_the_large": calibration.in_the_large,
        "old_slope": calibration.slope,
    } | _moved(old, new)


def _difference(now: object, then: object) -> float | None:
    return now - then if isinstance(now, float) and isinstance(then, float) else None


def _moved(old: pl.DataFrame, new: pl.DataFrame) -> dict[str, object]:
    """The term both models have that has moved most, in standard errors of the difference."""
    both = new.join(old, on="term", suffix="_old", maintain_order="left")
    error = np.hypot(both["error"].to_numpy(), both["error_old"].to_numpy())
    change = (both["unshrunken"] - both["unshrunken_old"]).to_numpy() / error
    most = int(np.abs(change).argmax())
    return {"moved_term": both["term"][most], "moved_errors": float(change[most])}
