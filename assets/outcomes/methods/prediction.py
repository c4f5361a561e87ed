"""How well predictions agree with what happened: discrimination, calibration, and predictions for rows held out.

Predictions for the rows a model was fitted on are too good. So the figures that count come from rows held out: each
fold is predicted by a model fitted on the others (Steyerberg 2019, chapters 5 and 15). Two things are asked. Do those
with a higher prediction fare better (AUC, R2)? And do the numbers themselves come true (calibration)? Where they are
too extreme, the second answer says by how much to pull them towards the mean (``shrinkage_factor``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assets.outcomes.methods.fitting import FitError
from assets.outcomes.methods.weighting import logistic

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

CLOSEST = 1e-9
"""Predicted probabilities are held this far from 0 and 1 where their logit is taken."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Agreement of predictions with outcomes.

    ``in_the_large``: what must be added to every prediction (of probabilities: to its logit) so that the mean comes
    true; 0 is right, above 0 more happened than predicted. ``slope``: factor that brings the spread of the predictions
    to that of the outcomes; 1 is right, below 1 predictions are too extreme, as those of an overfitted model are.
    NaN where predictions or outcomes do not vary, or where predictions tell the outcome for sure.
    """

    in_the_large: float
    slope: float


def auc(outcome: ArrayLike, prediction: ArrayLike) -> float:
    """Area under the receiver operating characteristic: P(a case is predicted higher than a non-case), ties half.

    The Mann-Whitney statistic over the product of group sizes, (R - m (m + 1) / 2) / (m (n - m)) with R the sum of
    midranks of the m cases (Hanley & McNeil 1982). NaN if there are only cases or only non-cases.

    Args:
        outcome: (n,), true for a case.
        prediction: (n,), any numbers.

    Raises:
        ValueError: shapes that differ, or a prediction that is not finite.

    """
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.8 CPU seconds that other steps need not pay

    case, predicted = _checked(outcome, prediction)
    cases = case.sum()
    others = case.size - cases
    if cases == 0 or others == 0:
        return float("nan")
    return float((rankdata(predicted)[case > 0].sum() - cases * (cases + 1) / 2) / (cases * others))


def r_squared(outcome: ArrayLike, prediction: ArrayLike) -> float:
    """Share of the variation of the outcome that the prediction takes away: 1 - SS of errors / SS around the mean.

    Negative where the mean alone would predict better; NaN where the outcome does not vary. Errors as in ``auc``.
    """
    y, predicted = _checked(outcome, prediction)
    spread = float(((y - y.mean()) ** 2).sum()) if y.size else 0.0
    return 1 - float(((y - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def calibration_of_probabilities(outcome: ArrayLike, probability: ArrayLike) -> Calibration:
    """Calibration of predicted probabilities on the logit scale (Cox 1958; Miller 1991; Steyerberg 2010).

    In the large: the a of logit P = a + logit p. Slope: the b of logit P = a + b logit p. Both by maximum likelihood.

    Raises:
        ValueError: shapes that differ, or a probability outside 0 to 1.

    """
    case, p = _checked(outcome, probability)
    if ((p < 0) | (p > 1)).any():
        message = "a probability lies outside 0 to 1"
        raise ValueError(message)
    if case.size == 0 or case.min() == case.max():
        return Calibration(float("nan"), float("nan"))
    predicted = logit(p)
    large = shift_to_total(predicted, float(case.sum()))
    if predicted.min() == predicted.max():
        return Calibration(large, float("nan"))
    try:
        fit = logistic(np.column_stack([np.ones(case.size), predicted]), case > 0)
    except FitError:  # predictions that tell the outcome for sure: no finite slope is too steep for them
        return Calibration(large, float("nan"))
    return Calibration(large, float(fit.coefficients[1]))


def calibration_of_means(outcome: ArrayLike, prediction: ArrayLike) -> Calibration:
    """Calibration of predicted means: mean error, and least-squares slope of the outcome on its prediction.

    Raises ValueError where shapes differ or a value is not finite.
    """
    y, predicted = _checked(outcome, prediction)
    if y.size == 0:
        return Calibration(float("nan"), float("nan"))
    centred = predicted - predicted.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread if spread > 0 else float("nan")
    return Calibration(float((y - predicted).mean()), slope)


def shrinkage_factor(slope: float) -> float:
    """Factor for uniform shrinkage of a linear predictor around its mean: the calibration slope, cut to 0 to 1.

    With a slope b of rows held out, mean + b (linear - mean) is as extreme as the outcomes of rows not seen are (Van
    Houwelingen & Le Cessie 1990, who estimate b by cross-validation or as (chi2 - p) / chi2; Steyerberg 2009, chapter
    13). Never above 1: predictions too cautious are left. 0 below 0, and where there is no slope (NaN): then nothing
    has shown that the predictions say anything.
    """
    return float(np.clip(np.nan_to_num(slope, nan=0.0), 0.0, 1.0))


def shift_to_total(linear: ArrayLike, total: float) -> float:
    """The a for which the probabilities expit(a + linear) add up to ``total``; infinite if none or all have the event.

    Raises:
        ValueError: a total below 0 or above the number of rows.

    """
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    values = np.asarray(linear, dtype=np.float64)
    if not 0 <= total <= values.size:
        message = "more events than rows, or fewer than none"
        raise ValueError(message)
    if total in (0, values.size):
        return float("inf") if total else float("-inf")
    # With every row at the largest value the shift would be this low, with every row at the smallest this high
    centre = float(np.log(total / (values.size - total)))
    low, high = centre - float(values.max()), centre - float(values.min())
    if high - low < CLOSEST:
        return (low + high) / 2
    return float(brentq(lambda shift: float(expit(values + shift).sum()) - total, low, high, xtol=1e-12))


def out_of_fold(fold: ArrayLike, predict: Callable[[Flags, Flags], Floats]) -> Floats:
    """Predictions for every row by a model that has not seen its fold.

    Args:
        fold: (n,) codes; rows of one patient share a fold.
        predict: Given the rows to learn from and the rows to predict, the predictions for the latter; what it raises
            is passed on.

    Raises:
        ValueError: fewer than two folds.

    """
    code = np.asarray(fold)
    folds = np.unique(code)
    if folds.size < 2:  # noqa: PLR2004
        message = "nothing to hold out: fewer than two folds"
        raise ValueError(message)
    predicted = np.full(code.shape, np.nan)
    for held_out in folds:
        test = code == held_out
        predicted[test] = predict(~test, test)
    return predicted


def equal_parts(prediction: ArrayLike, parts: int) -> NDArray[np.int64]:
    """Part 1 to ``parts`` of each row by ascending prediction, as equal in size as ties allow: ties stay together."""
    from scipy.stats import rankdata  # noqa: PLC0415 - 0.8 CPU seconds that other steps need not pay

    values = np.asarray(prediction, dtype=np.float64)
    place = (rankdata(values) - 0.5) / max(values.size, 1)
    return np.asarray(np.minimum((place * parts).astype(np.int64), parts - 1) + 1, dtype=np.int64)


def expit(values: Floats) -> Floats:
    """1 / (1 + exp(-values))."""
    from scipy.special import expit as library_expit  # noqa: PLC0415 - 0.3 CPU seconds that other steps need not pay

    return np.asarray(library_expit(values))


def logit(probability: Floats) -> Floats:
    """log(p / (1 - p)), with p held just inside 0 to 1."""
    p = np.clip(probability, CLOSEST, 1 - CLOSEST)
    return np.log(p) - np.log1p(-p)


def _checked(outcome: ArrayLike, prediction: ArrayLike) -> tuple[Floats, Floats]:
    y, predicted = np.asarray(outcome, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if y.ndim != 1 or y.shape != predicted.shape:
        message = f"outcomes and predictions do not fit: {y.shape} and {predicted.shape}"
        raise ValueError(message)
    if not (np.isfinite(y).all() and np.isfinite(predicted).all()):
        message = "an outcome or a prediction is not finite"
        raise ValueError(message)
    return y, predicted
