"""Time to recovery against counts of single episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.methods.multiplicity import benjamini_hochberg
from assets.outcomes.tables import recovery_time
from assets.outcomes.tables.followed import followed
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = {**dict.fromkeys(["condition_id", "clinic_key", "care"], pl.String), "from_day": pl.Int32}
Event = tuple[int, str, int]


def counts(*rows: Event, care: str = "any", from_day: int = 0, condition: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        [(condition, None, care, from_day, "recovered_v1", *row) for row in rows],
        schema={
            **KEYS,
            "definition_id": pl.String,
            "event_day": pl.Int32,
            "event_kind": pl.String,
            "episodes": pl.Int64,
        },
        orient="row",
    )


def density(episodes: int, visits: int, days: int, care: str = "any", from_day: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        [(None, None, care, from_day, episodes, visits, days)],
        schema={**KEYS, **dict.fromkeys(["episodes", "visits", "days_followed"], pl.Int64)},
        orient="row",
    )


def built(events: pl.DataFrame, visits: pl.DataFrame | None = None) -> dict[str, pl.DataFrame]:
    density_ = density(0, 0, 0).clear() if visits is None else visits
    return recovery_time.TOPIC.build({"marts.event_count": events, "marts.visit_density": density_}, CONTRACT)


def test_without_censoring_all_is_plain_counting() -> None:
    events = counts((10, "recovered", 30), (20, "left", 10), (60, "recovered", 30), (100, "left", 30))
    row = built(events, density(100, 600, 4_000))["recovery_time"].row(0, named=True)
    assert (row["n"], row["at_risk_28"], row["at_risk_84"]) == (100, 60, 30)
    assert (row["recovered_share_28"], row["recovered_share_56"], row["recovered_share_84"]) == (0.3, 0.3, 0.6)
    assert row["recovered_low_84"] < 0.6 < row["recovered_high_84"]
    assert (row["median_day"], row["median_low"], row["median_high"]) == (60, 60, None)
    lived = np.array([74] * 30 + [24] * 30 + [0] * 40)
    assert row["days_recovered"] == pytest.approx(lived.mean(), abs=1e-9)
    assert row["days_recovered_error"] == pytest.approx(lived.std() / 10, abs=1e-9)
    assert row["days_recovered_low"] == pytest.approx(lived.mean() - 1.959964 * lived.std() / 10, abs=1e-4)
    assert (row["left_share_84"], row["share_if_no_leaver_recovered"]) == (pytest.approx(0.1), pytest.approx(0.6))
    assert row["share_if_all_leavers_recovered"] == pytest.approx(0.7)
    assert row["days_per_visit"] == 8


def test_a_cell_followed_from_the_landmark_day_counts_from_there() -> None:
    events = counts((20, "recovered", 50), (200, "open", 50), care="other_care", from_day=14)
    row = built(events, density(100, 300, 2_000, "other_care", 14))["recovery_time"].row(0, named=True)
    assert (row["from_day"], row["recovered_share_28"], row["days_recovered"]) == (14, 0.5, 32)
    assert (row["median_day"], row["days_per_visit"]) == (20, 10)


def test_what_rests_on_few_is_not_shown() -> None:
    few_left = built(counts((10, "recovered", 12), (60, "left", 5), (100, "open", 5)))["recovery_time"]
    row = printed("recovery_time", few_left).row(0, named=True)
    assert (row["at_risk_56"], row["recovered_share_56"]) == (None, None)
    assert (row["at_risk_84"], row["days_recovered"], row["left_share_84"]) == (None, None, None)
    assert row["share_if_all_leavers_recovered"] is None
    assert (row["median_day"], row["n"], row["suppressed"]) == (10, 20, False)
    late_median = built(counts((10, "recovered", 10), (60, "recovered", 5), (100, "open", 5)))["recovery_time"]
    # Half is reached with 20 at risk on day 10, its upper end on day 60 with 10
    assert late_median.row(0, named=True)["median_day"] == 10
    assert late_median.row(0, named=True)["median_high"] is None
    ten = built(counts((10, "recovered", 4), (300, "open", 6)), density(10, 50, 400))["recovery_time"]
    ten = printed("recovery_time", ten)
    assert ten["suppressed"].all()
    assert ten.select(pl.col("n", "median_day", "days_per_visit", "at_risk_84").null_count()).row(0) == (1, 1, 1, 1)
    rarely = built(counts((300, "open", 40)), density(10, 50, 400))["recovery_time"]
    assert rarely["days_per_visit"].to_list() == [None]


def test_a_share_after_the_end_of_follow_up_is_not_known() -> None:
    row = built(counts((10, "recovered", 20), (40, "open", 20)))["recovery_time"].row(0, named=True)
    assert (row["recovered_share_28"], row["recovered_share_56"], row["days_recovered"]) == (0.5, None, None)


def test_pairs_are_of_one_condition_and_one_start() -> None:
    arms = [
        counts((30, "recovered", 20 + i), (90, "left", 20), (168, "open", 9), care=arm)
        for i, arm in enumerate(["a", "b", "c"])
    ]
    routine = [
        counts((30, "recovered", 30), (90, "left", 20), (168, "open", 9), care=care, from_day=14, condition="neck_pain")
        for care in ("dry_needling", "other_care")
    ]
    frames = built(pl.concat([*arms, *routine, counts((30, "recovered", 80), (90, "left", 90))]))
    pairs = frames["recovery_time_difference"].select("condition_id", "care", "other_care", "from_day").rows()
    assert pairs == [
        (None, "a", "b", 0),
        (None, "a", "c", 0),
        (None, "b", "c", 0),
        ("neck_pain", "dry_needling", "other_care", 14),
    ]
    tests = frames["recovery_time_test"]
    assert tests.group_by("event", "test").len().sort("event", "test").rows() == [
        ("left", "cause_specific_log_rank", 4),
        ("recovered", "cause_specific_log_rank", 4),
        ("recovered", "gray", 4),
    ]
    same = tests.filter(pl.col("condition_id") == "neck_pain")
    assert same["chi2"].to_list() == [0.0] * 3
    assert tests["m"].unique().to_list() == [12]


def test_the_two_tests_go_by_their_own_names() -> None:
    # One group leaves early: how many recover differs, how fast those still in care recover does not
    stays = counts(*((day, "recovered", 3) for day in range(20, 80)), (168, "open", 20), care="a")
    leaves = counts(*((day, "recovered", 1) for day in range(20, 80)), (19, "left", 134), (168, "open", 6), care="b")
    frame = built(pl.concat([stays, leaves]))["recovery_time_test"]
    by_name = {(row["event"], row["test"]): row for row in frame.iter_rows(named=True)}
    assert by_name["recovered", "gray"]["p"] < 1e-6
    assert by_name["recovered", "cause_specific_log_rank"]["p"] > 0.5
    assert by_name["left", "cause_specific_log_rank"]["p"] < 1e-6


def test_small_groups_are_not_tested_and_no_part_of_the_family() -> None:
    big = [
        counts((30, "recovered", 20 + 15 * i), (90, "left", 20), (168, "open", 9), care=arm)
        for i, arm in enumerate("ab")
    ]
    small = counts((30, "recovered", 6), (90, "left", 4), care="c")
    frames = built(pl.concat([*big, small]))
    shown = frames["recovery_time_test"].filter(pl.col("q").is_not_null())
    assert shown.select("care", "other_care").unique().rows() == [("a", "b")]
    assert shown["m"].to_list() == [3] * 3
    np.testing.assert_allclose(shown["q"], benjamini_hochberg(shown["p"].to_numpy()), atol=2e-9)
    hidden = printed("recovery_time_test", frames["recovery_time_test"]).filter("suppressed")
    assert set(hidden["other_care"]) == {"c"}
    assert hidden.select(pl.col("n", "other_n", "chi2", "p", "q", "m").is_not_null().any()).row(0) == (False,) * 6
    differences = printed("recovery_time_difference", frames["recovery_time_difference"])
    assert differences.filter("suppressed")["difference"].null_count() == 2


def test_difference_of_days_recovered() -> None:
    first = counts((34, "recovered", 40), (100, "open", 60), care="a")
    second = counts((64, "recovered", 50), (100, "open", 50), care="b")
    frames = built(pl.concat([first, second]))
    row = frames["recovery_time_difference"].row(0, named=True)
    assert (row["days_recovered"], row["other_days_recovered"]) == (pytest.approx(20), pytest.approx(10))
    error = (50**2 * 0.4 * 0.6 / 100 + 20**2 * 0.25 / 100) ** 0.5
    assert (row["difference"], row["difference_error"]) == (pytest.approx(10), pytest.approx(error))
    assert row["difference_low"] == pytest.approx(10 - 1.959964 * error, abs=1e-5)
    few = built(pl.concat([first, counts((64, "recovered", 50), (100, "open", 5), care="b")]))
    row = printed("recovery_time_difference", few["recovery_time_difference"]).row(0, named=True)
    assert (row["difference"], row["other_at_risk_84"], row["suppressed"]) == (None, None, False)


def test_tables_of_the_small_network(marts: Mapping[str, pl.DataFrame], episodes: pl.DataFrame) -> None:
    frames = recovery_time.TOPIC.build(marts, CONTRACT)
    found = followed(marts["marts.event_count"], CONTRACT)
    assert len(frames["recovery_time"]) == len(found.cells)
    whole = frames["recovery_time"].row(0, named=True)
    known = episodes.filter(pl.col("event_kind").is_in(["recovered", "left", "open"]))
    assert whole["n"] == len(known)
    assert whole["at_risk_84"] == known.filter(pl.col("event_day") > 84).height
    assert whole["recovered_share_28"] < whole["recovered_share_56"] < whole["recovered_share_84"]
    assert whole["share_if_no_leaver_recovered"] == whole["recovered_share_84"]
    tests = frames["recovery_time_test"].filter(pl.col("q").is_not_null())
    assert tests["m"].unique().to_list() == [len(tests)]
    # Care was drawn at random: with 12 tests a false discovery rate under .01 would be a fault
    assert tests["q"].min() > 0.01


def test_the_landmark_day_takes_immortal_time_away() -> None:
    # 300 networks of 500, written as conditions. Care changes nothing, but needling starts on day 1 to 14 and is
    # received only by who is still in care then. Standard error of a size of 5% over 600 tests: 0.9 points
    rng = np.random.default_rng(20261125)
    shape = (300, 500)
    recovers, leaves = rng.geometric(0.02, shape), rng.geometric(0.01, shape)
    day = np.minimum(recovers, leaves)
    needled = (rng.random(shape) < 0.5) & (rng.integers(1, 15, shape) <= day)
    single = pl.DataFrame(
        {
            "condition_id": np.repeat([f"c{number:03}" for number in range(300)], 500),
            "care": np.where(needled, "dry_needling", "other_care").ravel(),
            "event_day": day.ravel(),
            "event_kind": np.where(recovers <= leaves, "recovered", "left").ravel(),
        }
    )

    def found(from_day: int) -> float:
        rows = single.filter(pl.col("event_day") > from_day).group_by(single.columns).len("episodes")
        events = rows.with_columns(
            clinic_key=pl.lit(None, pl.String),
            from_day=pl.lit(from_day, pl.Int32),
            definition_id=pl.lit("recovered_v1"),
            episodes=pl.col("episodes").cast(pl.Int64),
        )
        tests = built(events)["recovery_time_test"].filter(pl.col("test") == "cause_specific_log_rank")
        return float((tests["p"] < 0.05).mean())

    assert found(0) > 0.3
    assert 0.03 < found(14) < 0.07


def test_no_rows_no_trouble() -> None:
    frames = built(counts().clear())
    assert set(frames) == set(recovery_time.TOPIC.tables)
    assert all(frame.is_empty() for frame in frames.values())
