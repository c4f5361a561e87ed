"""Recovery, pain, motion and response frames against the single episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assets.contract import CONTRACT
from assets.outcomes.tables.rates import (
    measure_summary,
    pain_change,
    recovery_by_condition,
    response,
    rom_change,
    unknown_reason,
)
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = {"condition_id": None, "clinic_key": None, "care": "any", "period": "all"}


def only(frame: pl.DataFrame, **keys: str | None) -> dict[str, Any]:
    """Return the one row with these keys."""
    found = frame.filter(pl.col(name).eq_missing(pl.lit(value, pl.String)) for name, value in keys.items())
    return found.row(0, named=True) if len(found) == 1 else pytest.fail(f"{len(found)} rows")


def test_recovery_of_the_whole_network(episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]) -> None:
    row = only(recovery_by_condition(marts["marts.recovery_cube"]), **WHOLE, definition_id="recovered_v1")
    state = episodes["state"]
    known, yes = state.is_in(["yes", "no"]).sum(), (state == "yes").sum()
    eligible = len(state) - state.is_in(["open", "baseline_too_low"]).sum()
    assert (row["n"], row["recovered"], row["eligible"]) == (known, yes, eligible)
    assert row["rate"] == pytest.approx(yes / known, abs=1e-9)
    assert row["completeness"] == pytest.approx(known / eligible, abs=1e-9)
    assert row["rate_if_missing_none"] == pytest.approx(yes / eligible, abs=1e-9)
    assert row["rate_if_missing_all"] == pytest.approx((yes + eligible - known) / eligible, abs=1e-9)
    assert row["rate_low"] < row["rate"] < row["rate_high"]


def recovery_cube(**counts: list[int]) -> pl.DataFrame:
    size = len(counts["known"])
    keys = {"clinic_key": [f"c{i}" for i in range(size)], "condition_id": [None] * size}
    fixed = {"care": ["any"] * size, "period": ["all"] * size, "definition_id": ["recovered_v1"] * size}
    return pl.DataFrame({**keys, **fixed, **counts}, schema_overrides={"condition_id": pl.String})


def test_recovery_edges() -> None:
    cube = recovery_cube(known=[0, 0, 0, 30, 12], recovered=[0, 0, 0, 30, 0], eligible=[0, 40, 5, 30, 12])
    rows = recovery_by_condition(cube).rows(named=True)
    assert [row["rate"] for row in rows] == [None, None, None, 1.0, 0.0]
    assert [row["n"] for row in rows] == [0, 0, 0, 30, 12]
    assert [row["completeness"] for row in rows] == [None, 0.0, 0.0, 1.0, 1.0]
    assert (rows[1]["rate_if_missing_none"], rows[1]["rate_if_missing_all"]) == (0.0, 1.0)
    assert (rows[3]["rate_high"], rows[4]["rate_low"]) == (1.0, 0.0)


def test_recovery_with_everything_suppressed() -> None:
    exact = recovery_by_condition(recovery_cube(known=[3, 9], recovered=[1, 9], eligible=[10, 9]))
    frame = printed("recovery_by_condition", exact)
    assert frame["suppressed"].all()
    assert frame.select(pl.selectors.numeric().null_count()).row(0) == (2,) * 9


def test_contradicting_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="larger than its group"):
        recovery_by_condition(recovery_cube(known=[20], recovered=[21], eligible=[30]))
    with pytest.raises(ValueError, match="larger than its group"):
        recovery_by_condition(recovery_cube(known=[20], recovered=[2], eligible=[19]))


def test_pain_of_one_condition_and_clinic(episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]) -> None:
    keys = {**WHOLE, "condition_id": "sciatica", "clinic_key": "c02"}
    row = only(pain_change(marts["marts.pain_cube"]), **keys)
    mine = episodes.filter(pl.col("condition_id") == "sciatica", pl.col("clinic_key") == "c02")
    first, last = (mine[name].cast(pl.Float64).to_numpy() for name in ("baseline", "last"))
    change = first - last
    interval = stats.t.interval(0.95, len(change) - 1, loc=change.mean(), scale=stats.sem(change))
    assert row["n"] == len(change)
    assert [row["baseline_mean"], row["last_mean"], row["change_mean"]] == pytest.approx(
        [first.mean(), last.mean(), change.mean()], abs=1e-9
    )
    assert [row["change_low"], row["change_high"]] == pytest.approx(interval, abs=1e-8)
    assert row["mcid_rate"] == pytest.approx(np.mean(change[first >= 2] >= 2), abs=1e-9)
    assert row["deteriorated_rate"] == pytest.approx(np.mean(change <= -2), abs=1e-9)


def test_few_with_room_to_respond_hide_the_response_only(marts: Mapping[str, pl.DataFrame]) -> None:
    cube = marts["marts.pain_cube"].with_columns(mcid_eligible=pl.lit(4, pl.Int64), mcid_responders=pl.lit(3, pl.Int64))
    row = only(printed("pain_change", pain_change(cube)), **WHOLE)
    assert not row["suppressed"]
    assert row["change_mean"] is not None
    assert [row[name] for name in ("mcid_n", "mcid_responders", "mcid_rate", "mcid_low", "mcid_high")] == [None] * 5


def test_motion_in_percent_of_the_reference(episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]) -> None:
    row = only(rom_change(marts["marts.rom_cube"]), **WHOLE)
    permille = episodes["permille"].to_numpy()
    assert row["baseline_percent"] == pytest.approx(permille.mean() / 10, abs=1e-9)
    assert row["last_percent"] == pytest.approx(np.clip(permille, 700, None).mean() / 10, abs=1e-9)


def test_measures_and_responses(episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]) -> None:
    keys = {"condition_id": "neck_pain", "care": "dry_needling", "measure_id": "nprs_avg24h", "side": None}
    mine = episodes.filter(pl.col("condition_id") == "neck_pain", pl.col("care") == "dry_needling")
    first, last = (mine[name].cast(pl.Float64).to_numpy() for name in ("baseline", "last"))
    row = only(measure_summary(marts["marts.measure_summary"]), **keys)
    for name, values in (("baseline", first), ("value", last), ("change", first - last)):
        assert row[f"{name}_mean"] == pytest.approx(values.mean(), abs=1e-9)
        assert row[f"{name}_sd"] == pytest.approx(values.std(ddof=1), abs=1e-9)
    assert row["planned_day"] is None
    answer = only(response(marts["marts.response_summary"]), **keys, rule_id="mcid")
    assert answer["n"] == len(mine)
    assert answer["responders"] == (first - last >= 2).sum()


def test_unknown_reasons_count_every_episode_without_an_answer(
    episodes: pl.DataFrame, marts: Mapping[str, pl.DataFrame]
) -> None:
    frame = unknown_reason(marts["marts.recovery_cube"], CONTRACT)
    row = only(frame, condition_id=None, clinic_key=None, reason="rom_not_measured")
    expected = (episodes["state"] == "rom_not_measured").sum()
    assert (row["episodes"], row["n"]) == (expected, len(episodes))
    assert row["share"] == pytest.approx(expected / len(episodes), abs=1e-9)
    whole = frame.filter(pl.col("condition_id").is_null(), pl.col("clinic_key").is_null())
    assert whole["episodes"].sum() == (~episodes["state"].is_in(["yes", "no"])).sum()
    assert set(frame["reason"]) == {
        *("still_open", "baseline_too_low", "no_baseline", "no_comparable_pair", "rom_not_measured")
    }
