"""Who can be compared: episodes for whom, by what was recorded, both answers to a yes-or-no question occur."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from assets.contract.contrasts import PATIENTS_PER_COVARIATE
from assets.outcomes.covariates import SCALES, SMALLEST_LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.outcomes.covariates import Design


TOO_MANY_COVARIATES = "too_many_covariates"
"""Reason for which there is no model, where ``carries`` says no."""


def carries(rows: int, terms: Design) -> bool:
    """Whether there are enough rows for the columns of a model of probabilities, so that its intervals are right."""
    return rows >= PATIENTS_PER_COVARIATE * len(terms.names)


class Support(NamedTuple):
    """Episodes by whether a level of a covariate tells the answer: not so, always yes, always no."""

    undecided: pl.DataFrame
    always: pl.DataFrame
    never: pl.DataFrame


def by_support(frame: pl.DataFrame, flag: str, columns: Sequence[str], smallest: int = SMALLEST_LEVEL) -> Support:
    """Part the episodes by levels of ``columns`` in which ``flag`` is true for everybody, or for nobody.

    For such a level a logistic model has no finite coefficient; its fit tends to probability 1 or 0 there, and to the
    fit without these episodes elsewhere. So they are set apart, again and again until no such level is left. A missing
    number is a level.

    Args:
        frame: One row per episode.
        flag: Boolean column with the answer.
        columns: Covariates, as ``design`` takes them.
        smallest: Levels of fewer episodes are let be: they are no terms of a design. Yet they may differ from the level
            they are counted with, so a comparison that can do without them sets this to 1.

    """
    levels = [pl.col(name).is_null() if name in SCALES else pl.col(name) for name in columns]
    undecided = frame
    always, never = frame.clear(), frame.clear()
    while True:
        found = undecided.select(
            pl.any_horizontal(
                (pl.col(flag).mean().over(level) == share) & (pl.len().over(level) >= smallest) for level in levels
            ).alias(answer)
            for answer, share in (("yes", 1), ("no", 0))
        )
        if not (found["yes"].any() or found["no"].any()):
            return Support(undecided, always, never)
        always = pl.concat([always, undecided.filter(found["yes"])])
        never = pl.concat([never, undecided.filter(found["no"])])
        undecided = undecided.filter(~found["yes"] & ~found["no"])
