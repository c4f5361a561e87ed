"""The recovery curve frame against the single episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.tables.curves import GRID, recovery_curve
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = tuple[int, str, int]


def events(*rows: Event, care: str = "any", from_day: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        [(None, None, care, "recovered_v1", from_day, *row) for row in rows],
        schema={
            **dict.fromkeys(["condition_id", "clinic_key", "care", "definition_id"], pl.String),
            "from_day": pl.Int32,
            "event_day": pl.Int32,
            "event_kind": pl.String,
            "episodes": pl.Int64,
        },
        orient="row",
    )


def test_counts_add_up_to_the_episodes(episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]) -> None:
    frame = recovery_curve(marts["marts.event_count"], CONTRACT)
    whole = frame.filter(pl.all_horizontal(pl.col("condition_id", "clinic_key").is_null()), pl.col("care") == "any")
    followed = episodes.filter(pl.col("event_kind").is_in(["recovered", "left", "open"]))
    assert whole["day"].to_list() == GRID.tolist() == list(range(0, 169, 7))
    assert whole["n"].unique().to_list() == [len(followed)]
    for row in whole.iter_rows(named=True):
        until = followed.filter(pl.col("event_day") <= row["day"])["event_kind"]
        assert row["recovered_so_far"] == (until == "recovered").sum()
        assert row["left_so_far"] == (until == "left").sum()
        assert row["censored_so_far"] == (until == "open").sum()
        assert row["at_risk"] == len(followed) - len(until)
    shares = whole.select("recovered_low", "recovered_share", "recovered_high", "km_share").to_numpy()[1:]
    assert (np.diff(shares, axis=1)[:, :2] > 0).all()
    assert (shares[:, 3] > shares[:, 1]).all()


def test_one_row_per_cell_and_day(marts: Mapping[str, pl.DataFrame]) -> None:
    keys = ["condition_id", "clinic_key", "care"]
    counts = marts["marts.event_count"].filter(pl.col("event_kind") != "unknown")
    frame = recovery_curve(marts["marts.event_count"], CONTRACT)
    by_care = counts.filter(pl.col("care") != "any").n_unique(keys)
    # Two weeks of the grid lie before the landmark day
    assert len(frame) == counts.n_unique(keys) * len(GRID) - 2 * by_care


def test_curves_by_care_start_on_the_landmark_day_with_everybody_at_risk(
    episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]
) -> None:
    frame = recovery_curve(marts["marts.event_count"], CONTRACT)
    needled = frame.filter(pl.col("condition_id").is_null(), pl.col("care") == "dry_needling")
    late = episodes.filter(
        pl.col("care") == "dry_needling",
        pl.col("event_day") > 14,
        pl.col("event_kind").is_in(["recovered", "left", "open"]),
    )
    first = needled.row(0, named=True)
    assert (first["from_day"], first["day"], first["at_risk"], first["n"]) == (14, 14, len(late), len(late))
    assert [first[name] for name in ("recovered_share", "recovered_low", "recovered_high", "km_low")] == [0.0] * 4
    second = needled.row(1, named=True)
    assert second["at_risk"] == late.filter(pl.col("event_day") > 21).height
    assert second["recovered_low"] < second["recovered_share"] < second["recovered_high"]


def test_a_trial_and_routine_care_of_one_name_are_two_curves() -> None:
    routine = events((30, "recovered", 20), care="dry_needling", from_day=14)
    arm = events((10, "recovered", 20), care="dry_needling")
    frame = recovery_curve(pl.concat([routine, arm]), CONTRACT)
    assert frame.group_by("from_day").len().sort("from_day")["len"].to_list() == [25, 23]


def test_an_event_before_the_landmark_day_is_refused() -> None:
    with pytest.raises(ValueError, match="before the day from which"):
        recovery_curve(events((14, "left", 20), care="dry_needling", from_day=14), CONTRACT)


def test_unknown_outcomes_and_other_definitions_are_no_part_of_a_curve() -> None:
    known = events((10, "recovered", 20), (30, "left", 15), (200, "open", 40))
    more = events((10, "unknown", 500)).with_columns(event_day=pl.lit(None, pl.Int32))
    other = events((10, "recovered", 500)).with_columns(definition_id=pl.lit("pain_0"))
    none = events((10, "left", 500)).with_columns(event_kind=pl.lit(None, pl.String))
    frame = recovery_curve(pl.concat([known, more, other, none]), CONTRACT)
    assert frame.equals(recovery_curve(known, CONTRACT))
    assert frame["n"].unique().to_list() == [75]
    last = frame.row(-1, named=True)
    assert last["recovered_share"] == pytest.approx(20 / 75, abs=1e-9)
    assert last["left_share"] == pytest.approx(15 / 75, abs=1e-9)
    assert (last["at_risk"], last["shown"]) == (40, True)


def test_numbers_stop_where_few_are_left() -> None:
    frame = recovery_curve(events((10, "recovered", 9), (60, "left", 1), (100, "recovered", 10)), CONTRACT)
    assert frame.filter(pl.col("day").is_in([56, 63]))["shown"].to_list() == [True, False]
    by_day = {row["day"]: row for row in printed("recovery_curve", frame).iter_rows(named=True)}
    assert (by_day[56]["at_risk"], by_day[56]["shown"]) == (15, True)
    assert by_day[63]["at_risk"] is None
    assert by_day[63]["recovered_share"] is None
    assert not by_day[63]["shown"]
    assert (by_day[105]["at_risk"], by_day[105]["shown"]) == (0, False)
    assert by_day[105]["recovered_share"] == 0.95
    assert by_day[63]["n"] == 20


def test_small_cell_is_suppressed_whole_and_eleven_is_not() -> None:
    ten = printed("recovery_curve", recovery_curve(events((10, "recovered", 4), (300, "open", 6)), CONTRACT))
    assert ten["suppressed"].all()
    assert not ten["shown"].any()
    assert ten.select(pl.col("n", "recovered_share", "at_risk").null_count()).row(0) == (25, 25, 25)
    eleven = printed("recovery_curve", recovery_curve(events((300, "open", 11)), CONTRACT))
    assert not eleven["suppressed"].any()
    assert eleven["shown"].all()


def test_day_zero() -> None:
    quiet = recovery_curve(events((30, "recovered", 20), (200, "open", 20)), CONTRACT).row(0, named=True)
    assert [quiet[name] for name in ("recovered_share", "recovered_low", "recovered_high", "km_high")] == [0.0] * 4
    busy = recovery_curve(events((0, "left", 20), (0, "recovered", 20), (90, "open", 20)), CONTRACT).row(0, named=True)
    assert (busy["at_risk"], busy["left_so_far"]) == (20, 20)
    assert busy["recovered_low"] < busy["recovered_share"] < busy["recovered_high"]


def test_a_share_of_none_later_has_no_interval() -> None:
    row = recovery_curve(events((30, "recovered", 20), (200, "open", 20)), CONTRACT).row(2, named=True)
    assert (row["day"], row["recovered_share"], row["recovered_low"], row["recovered_high"]) == (14, 0.0, None, None)


@pytest.mark.parametrize(
    "rows", [[(-1, "recovered", 3)], [(None, "left", 3)], [(5, "died", 3)], [(5, "left", -3)], [(5, "left", None)]]
)
def test_wrong_events_are_refused(rows: list[Event]) -> None:
    with pytest.raises(ValueError, match="event"):
        recovery_curve(events(*rows), CONTRACT)
