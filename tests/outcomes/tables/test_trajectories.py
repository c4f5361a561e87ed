"""The published courses against planted ones."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import TRAJECTORY_LAST_DAY
from assets.outcomes.methods.trajectory import KNOTS
from assets.outcomes.tables.trajectories import DAYS, TOPIC, trajectories
from tests.outcomes.printed import printed


def planted(
    episodes: int, condition: str = "neck_pain", outcome: str = "pain", *, seed: int = 1, last: int = 100
) -> pl.DataFrame:
    """Six scores of each episode; pain falls from 6 to 3 points, motion rises from 60 to 90 percent."""
    rng = np.random.default_rng(seed)
    day = np.sort(rng.integers(0, last, (episodes, 6)), axis=1)
    day[:, 0] = 0
    day += np.arange(6)
    own = rng.normal(size=(episodes, 1)) + 0.3 * rng.normal(size=(episodes, 1)) * day / 28
    pain = 3 + 3 * np.exp(-day / 20) + own + rng.normal(size=day.shape)
    values = pain * 1000 if outcome == "pain" else (12 - pain) * 100
    return pl.DataFrame(
        {
            "outcome": outcome,
            "condition_id": condition,
            "episode_no": np.repeat(np.arange(10, episodes + 10), 6),
            "day_offset": day.ravel(),
            "thousandths": values.ravel().round().astype(int),
        }
    )


def test_means_are_those_planted() -> None:
    frames = trajectories(pl.concat([planted(800), planted(800, outcome="motion", seed=2)]))
    course = frames["trajectory"]
    assert course["day"].to_list() == [*DAYS, *DAYS]
    assert course["outcome"].to_list() == ["motion"] * 8 + ["pain"] * 8
    truth = 3 + 3 * np.exp(-np.array(DAYS) / 20)
    for outcome, expected in (("pain", truth), ("motion", (12 - truth) * 10)):
        rows = course.filter(pl.col("outcome") == outcome)
        low, high = rows["mean_low"].to_numpy(), rows["mean_high"].to_numpy()
        assert ((low < expected) & (expected < high)).sum() >= 7
        assert rows["n"].unique().to_list() == [800]
        assert rows["scores"].unique().to_list() == [4800]
        assert rows["reason"].null_count() == 8
    assert course["n_near"].max() == 800
    assert course["n_near"].min() > 11
    model = frames["trajectory_model"].row(1, named=True)
    assert model["sd_intercept"] == pytest.approx(1, abs=0.1)
    assert model["sd_slope"] == pytest.approx(0.3, abs=0.05)
    assert model["sd_residual"] == pytest.approx(1, abs=0.05)
    assert model["knots"] == "0 7 14 28 56 84 168"
    assert set(course["statistic_id"]) == {"trajectory.v1"}


def test_days_without_scores_near_them_have_no_mean() -> None:
    rows = trajectories(planted(60, last=30))["trajectory"]
    far = rows.filter(pl.col("day") >= 56)
    assert far["mean"].null_count() == far["mean_low"].null_count() == 3
    assert rows.filter(pl.col("day") <= 28)["mean"].null_count() == 0


def test_days_with_few_episodes_near_them_are_hidden() -> None:
    scores = planted(60, last=30)
    later = planted(5, last=2, seed=3).with_columns(day_offset=pl.col("day_offset") * 14)
    rows = trajectories(pl.concat([scores, later.with_columns(episode_no=pl.col("episode_no") + 100)]))["trajectory"]
    rows = printed("trajectory", rows)
    assert rows.filter(pl.col("day") == 70).select("n_near", "mean", "mean_low", "mean_high").row(0) == (None,) * 4


def test_few_episodes_are_suppressed_and_a_failed_fit_is_a_reason() -> None:
    twice = planted(50, "sciatica").filter(pl.col("day_offset").rank("ordinal").over("episode_no") <= 2)
    frames = trajectories(pl.concat([planted(10), twice]))
    for name in ("trajectory", "trajectory_model"):
        hidden, failed = printed(name, frames[name]).partition_by("condition_id", maintain_order=True)
        assert hidden["suppressed"].all()
        numbers = [column for column, kind in hidden.schema.items() if kind == pl.Float64]
        assert all(hidden[column].null_count() == len(hidden) for column in [*numbers, "n", "scores"])
        assert not failed["suppressed"].any()
        assert set(failed["reason"]) == {"no_repeats"}
        assert set(failed["n"]) == {50}
        assert all(failed[column].null_count() == len(failed) for column in numbers)


def test_order_of_rows_does_not_matter() -> None:
    scores = pl.concat([planted(100), planted(100, "sciatica", seed=4)])
    for name, frame in trajectories(scores).items():
        assert frame.equals(trajectories(scores.sample(fraction=1, shuffle=True, seed=1))[name])


def test_empty_and_named() -> None:
    frames = TOPIC.build({"marts.trajectory_score": planted(3).clear()}, CONTRACT)
    assert set(frames) == set(TOPIC.tables)
    assert all(frame.is_empty() for frame in frames.values())
    assert KNOTS[-1] == TRAJECTORY_LAST_DAY
