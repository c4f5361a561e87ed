"""Published frames about the course of pain and motion: means over days from a mixed model, by condition.

A patient who leaves care has no further score, and those who leave differ from those who stay, so means of the scores
of each day are not published: they are of other patients every week. The model's means are those of all episodes with
at least two scores, provided that leaving depends on scores already seen and not on the ones never taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.outcomes.frames import FLOAT, INTEGER, STRING, Count, Layout, columns
from assets.outcomes.methods.fitting import FitError
from assets.outcomes.methods.trajectory import (
    SLOPE_DAYS,
    TrajectoryFit,
    fit_trajectory,
    mean_at,
    spline,
    useful_knots,
)
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

DAYS = (0, 7, 14, 28, 42, 56, 70, 84)
"""Days at which a course is published: weeks 0 to 12, closer together early."""

NEAR_DAYS = 7
"""A mean is shown where scores lie this near to its day; elsewhere the model would only be continuing its curve."""

UNITS = {"pain": 1000.0, "motion": 10.0}
"""Outcome -> thousandths in its unit: points of 0 to 10, and percent of the reference."""

KEYS = columns(STRING, "condition_id", "outcome")
TRAJECTORY = Layout(
    {**KEYS, **columns(INTEGER, "day")},
    {
        **columns(INTEGER, "n", "scores", "n_near"),
        **columns(FLOAT, "mean", "mean_low", "mean_high"),
        **columns(STRING, "reason"),
    },
    groups=("n",),
    subgroups={"n_near": ("n_near", "mean", "mean_low", "mean_high")},
    statistic="trajectory",
    counts={
        "n": Count("course", at={"day": None}),
        "scores": Count("course_scores", at={"day": None}),
        "n_near": Count("course"),
    },
    decimals=dict.fromkeys(("mean", "mean_low", "mean_high"), 1),
)
MODEL = Layout(
    KEYS,
    {
        **columns(INTEGER, "n", "scores"),
        **columns(FLOAT, "sd_intercept", "sd_slope", "correlation", "sd_residual"),
        **columns(STRING, "knots", "reason"),
    },
    groups=("n",),
    statistic="trajectory",
    counts={"n": Count("course"), "scores": Count("course_scores")},
)
"""``sd_slope`` is in units of the outcome per four weeks; ``knots`` are days; ``reason`` says why there is no fit."""


@dataclass(frozen=True, slots=True)
class Course:
    """The scores of one condition and outcome, and the model of them, or why there is none."""

    keys: tuple[str, str]
    day: NDArray[np.float64]
    code: NDArray[np.int64]
    knots: tuple[float, ...]
    fit: TrajectoryFit | None
    reason: str | None


def courses(scores: pl.DataFrame) -> Iterator[Course]:
    """Fit every condition and outcome, in order of their names; the order of rows of ``scores`` does not matter."""
    parts = scores.partition_by("condition_id", "outcome", as_dict=True, include_key=False)
    for condition, outcome in sorted(parts):
        part = parts[condition, outcome].sort("episode_no", "day_offset")
        day = part["day_offset"].cast(pl.Float64).to_numpy()
        code = part["episode_no"].rle_id().cast(pl.Int64).to_numpy()
        y = part["thousandths"].cast(pl.Float64).to_numpy() / UNITS[str(outcome)]
        knots = useful_knots(day)
        fit, reason = None, None
        try:
            fit = fit_trajectory(y, spline(day, knots), day / SLOPE_DAYS, code)
        except FitError as error:
            reason = str(error.reason)
        yield Course((str(condition), str(outcome)), day, code, knots, fit, reason)


def trajectories(scores: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Mean pain (points) and motion (percent of the reference) at days 0 to 84, and the models behind them.

    Args:
        scores: ``marts.trajectory_score``.

    """
    means: list[dict[str, object]] = []
    models = []
    for course in courses(scores):
        means += _means(course)
        models.append(_model(course))
    return {
        "trajectory": TRAJECTORY.arrange(pl.DataFrame(means, schema=_schema(TRAJECTORY))),
        "trajectory_model": MODEL.arrange(pl.DataFrame(models, schema=_schema(MODEL))),
    }


def _schema(layout: Layout) -> dict[str, pl.DataType]:
    return {**layout.keys, **layout.numbers}


def _said(course: Course) -> dict[str, object]:
    condition, outcome = course.keys
    return {
        "condition_id": condition,
        "outcome": outcome,
        "n": int(course.code[-1]) + 1,
        "scores": len(course.code),
        "reason": course.reason,
    }


def _means(course: Course) -> Iterator[dict[str, object]]:
    values = [[None] * len(DAYS)] * 3
    if course.fit is not None:
        values = [list(part) for part in mean_at(course.fit, spline(DAYS, course.knots))]
    for day, mean, low, high in zip(DAYS, *values, strict=True):
        near = np.abs(course.day - day) <= NEAR_DAYS
        shown = {"mean": mean, "mean_low": low, "mean_high": high} if near.any() else {}
        yield {**_said(course), "day": day, "n_near": len(np.unique(course.code[near])), **shown}


def _model(course: Course) -> dict[str, object]:
    fit = course.fit
    parts = ("sd_intercept", "sd_slope", "correlation", "sd_residual")
    return {
        **_said(course),
        **{name: None if fit is None else getattr(fit, name) for name in parts},
        "knots": " ".join(f"{knot:.0f}" for knot in course.knots),
    }


def _build(marts: Frames, _: Contract) -> dict[str, pl.DataFrame]:
    return trajectories(marts["marts.trajectory_score"])


TOPIC = Topic(
    reads=("marts.trajectory_score",),
    tables={
        "trajectory": "Mean pain and motion from week 0 to 12 by condition, from a mixed model of all scores",
        "trajectory_model": "The mixed models behind the courses: variation between and within episodes",
    },
    build=_build,
    layouts={
        "trajectory": TRAJECTORY,
        "trajectory_model": MODEL,
    },
)
