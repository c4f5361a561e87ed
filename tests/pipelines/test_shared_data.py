"""Real trials through the whole pipeline: every number of their expected.json that a run can produce.

Numbers are those of the statistics, before disclosure control rounds them: the trials' authors did not.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.shared

ARMS = ("acupuncture", "control")


@pytest.fixture(scope="module")
def headache(make_installation: Callable[..., Any], shared_data: Path, profiles: Path) -> Any:
    feed = shared_data / "acupuncture_headache" / "acupuncture.csv"
    return make_installation([feed], profiles / "acupuncture_headache.yaml")


@pytest.fixture(scope="module")
def headache_expected(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "acupuncture_headache" / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hips(make_installation: Callable[..., Any], shared_data: Path, profiles: Path) -> Any:
    return make_installation([shared_data / "hips_rom" / "hips.csv"], profiles / "hips_rom.yaml")


@pytest.fixture(scope="module")
def hips_expected(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "hips_rom" / "expected.json").read_text(encoding="utf-8"))


def summary(run: Any, care: str, measure: str, day: int | None, side: str | None = None) -> dict[str, Any]:
    """The one row of all conditions for an arm, a measure and a planned day."""
    rows = run.exact("measure_summary").filter(
        pl.col("condition_id").is_null(),
        pl.col("care") == care,
        pl.col("measure_id") == measure,
        pl.col("side").is_null() if side is None else pl.col("side") == side,
        pl.col("planned_day").is_null() if day is None else pl.col("planned_day") == day,
    )
    return rows.row(0, named=True)


def response(run: Any, care: str, rule: str, day: int, condition: str | None = None) -> dict[str, Any]:
    rows = run.exact("response").filter(
        pl.col("condition_id").is_null() if condition is None else pl.col("condition_id") == condition,
        pl.col("care") == care,
        pl.col("rule_id") == rule,
        pl.col("side").is_null(),
        pl.col("planned_day") == day,
    )
    return rows.row(0, named=True)


def test_headache_rows_patients_practices_and_arms(headache: Any, headache_expected: dict[str, Any]) -> None:
    counts = headache.query(
        "select count(*) as episodes, count(distinct patient_key) as patients, "
        "count(distinct clinic_key) as practices, count(distinct therapist_key) as acupuncturists "
        "from marts.episode_outcome"
    ).row(0, named=True)
    assert counts["episodes"] == headache_expected["rows"]
    assert counts["patients"] == headache_expected["patients"]
    assert counts["practices"] == headache_expected["practices"]
    assert counts["acupuncturists"] == headache_expected["acupuncturists"]
    arms = dict(headache.query("select care, count(*) from marts.episode_outcome group by care").iter_rows())
    assert arms == headache_expected["arms"]
    small = headache.query(
        "select count(*) as n from "
        "(select clinic_key from marts.episode_outcome group by clinic_key having count(*) < 5)"
    ).item()
    assert small == headache_expected["small_cells"]["practices_lt5_randomised"]


def test_headache_completers_by_practice_and_acupuncturist(headache: Any, headache_expected: dict[str, Any]) -> None:
    completers = (
        "select clinic_key, therapist_key from marts.episode_outcome where episode_key in (select episode_key "
        "from marts.measure_change where measure_id = 'headache_score' and planned_day = 365)"
    )
    small = headache_expected["small_cells"]
    practices = headache.query(f"select count(*) as n from ({completers}) group by clinic_key")["n"]
    assert (practices < 5).sum() == small["practices_lt5_completers"]
    assert (practices < 10).sum() == small["practices_lt10_completers"]
    sizes = headache.query(f"select count(*) as n from ({completers}) group by therapist_key order by n")["n"]
    assert sizes.to_list() == small["acupuncturist_sizes_completers"]


def test_headache_conservation(headache: Any, headache_expected: dict[str, Any]) -> None:
    row = headache.query("select * from audit.conservation").row(0, named=True)
    assert row["ingested"] == headache_expected["rows"]
    assert (row["accepted"], row["quarantined"], row["superseded"], row["rejected"]) == (401, 0, 0, 0)


@pytest.mark.parametrize("arm", ARMS)
def test_headache_completers_and_missing(headache: Any, headache_expected: dict[str, Any], arm: str) -> None:
    assert summary(headache, arm, "headache_score", 365)["n"] == headache_expected["completers_12m"][arm]


def test_headache_zero_days_beside_a_blank_score_are_missing(headache: Any, headache_expected: dict[str, Any]) -> None:
    missing = headache_expected["missing"]
    for day, score in ((91, "pk2"), (365, "pk5")):
        measured = headache.query(
            "select measure_id, count(*) as n from staging.measurement join staging.visit using (visit_key) "
            f"where planned_day = {day} group by measure_id"
        )
        counts = dict(measured.iter_rows())
        assert counts["headache_score"] == headache_expected["patients"] - missing[score]
        assert counts["headache_days"] == counts["headache_score"]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(
    ("measure", "baseline", "follow_up"), [("headache_score", "pk1", "pk5"), ("headache_days", "f1", "f5")]
)
def test_headache_means_and_deviations(
    headache: Any, headache_expected: dict[str, Any], arm: str, measure: str, baseline: str, follow_up: str
) -> None:
    row = summary(headache, arm, measure, 365)
    expected = headache_expected["mean_sd"]
    assert [round(row["baseline_mean"], 1), round(row["baseline_sd"], 1)] == expected[baseline][arm]
    assert [round(row["value_mean"], 1), round(row["value_sd"], 1)] == expected[follow_up][arm]


@pytest.mark.parametrize("arm", ARMS)
def test_headache_three_months_among_twelve_month_completers(
    headache: Any, headache_expected: dict[str, Any], arm: str
) -> None:
    values = headache.query(
        "select three.value from marts.measure_change as three join marts.measure_change as twelve "
        "using (episode_key, measure_id, side) where three.planned_day = 91 and twelve.planned_day = 365 "
        f"and measure_id = 'headache_score' and three.care = '{arm}'"
    )["value"].cast(pl.Float64)
    found = [round(values.mean(), 1), round(values.std(), 1), len(values)]
    assert found == headache_expected["mean_sd"]["pk2_among_12m_completers"][arm]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(
    ("rule", "key"),
    [("score_35", "responders_35pct_score_12m"), ("days_50", "responders_50pct_days_12m")],
)
def test_headache_responders_at_twelve_months(
    headache: Any, headache_expected: dict[str, Any], arm: str, rule: str, key: str
) -> None:
    row = response(headache, arm, rule, 365)
    assert row["responders"] == headache_expected[key][arm]
    assert row["n"] == headache_expected["completers_12m"][arm]


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(
    ("rule", "key"), [("score_35", "responders_35pct_score_3m"), ("days_50", "responders_50pct_days_3m")]
)
def test_headache_responders_at_three_months(
    headache: Any, headache_expected: dict[str, Any], arm: str, rule: str, key: str
) -> None:
    """The trial counts them among those who completed twelve months; the mart gives that denominator by a join."""
    row = headache.query(
        "select count(*) filter (where responder) as responders, count(*) as n from marts.measure_response "
        "join (select distinct episode_key from marts.measure_change where planned_day = 365) using (episode_key) "
        f"where rule_id = '{rule}' and planned_day = 91 and care = '{arm}'"
    ).row(0, named=True)
    assert row["responders"] == headache_expected[key][arm]
    assert row["n"] == headache_expected["mean_sd"]["pk2_among_12m_completers"][arm][2]


@pytest.mark.parametrize(("label", "condition"), [("migraine", "migraine"), ("tension-type", "tension_headache")])
def test_headache_by_diagnosis(headache: Any, headache_expected: dict[str, Any], label: str, condition: str) -> None:
    expected = headache_expected["by_diagnosis_12m_completers"][label]
    row = response(headache, "any", "score_35", 365, condition)
    assert (row["n"], row["responders"]) == (expected["n"], expected["responders35"])
    change = headache.exact("measure_summary").filter(
        pl.col("condition_id") == condition,
        pl.col("care") == "any",
        pl.col("measure_id") == "headache_score",
        pl.col("side").is_null(),
        pl.col("planned_day") == 365,
    )
    assert math.isclose(change["change_mean"].item(), expected["mean_change"], abs_tol=0.0005)


@pytest.mark.long
def test_hips_rows_sides_and_arms(hips: Any, hips_expected: dict[str, Any]) -> None:
    row = hips.query("select ingested, accepted, quarantined from audit.conservation").row(0)
    assert row == (hips_expected["rows"], hips_expected["rows"], 0)
    counts = hips.query("select care, count(*) from marts.episode_outcome group by care")
    assert dict(counts.iter_rows()) == hips_expected["arms"]
    sides = hips.query(
        "select count(distinct side) as sides from staging.measurement join staging.visit using (visit_key) "
        "group by episode_key"
    )
    assert set(sides["sides"]) == {hips_expected["sides_per_person"]}


@pytest.mark.long
@pytest.mark.parametrize(
    ("column", "measure", "when"),
    [
        ("fbef", "hip_flex", 0),
        ("faft", "hip_flex", 1),
        ("rbef", "hip_rotation", 0),
        ("raft", "hip_rotation", 1),
    ],
)
def test_hips_ranges(hips: Any, hips_expected: dict[str, Any], column: str, measure: str, when: int) -> None:
    found = hips.query(
        "select min(value)::double, max(value)::double from staging.measurement join staging.visit using (visit_key) "
        f"where measure_id = '{measure}' and planned_day = {when}"
    ).row(0)
    assert list(found) == hips_expected["ranges"][column]


@pytest.mark.long
@pytest.mark.parametrize("arm", ["control", "treat"])
@pytest.mark.parametrize(("motion", "measure"), [("flexion", "hip_flex"), ("rotation", "hip_rotation")])
def test_hips_mean_change(hips: Any, hips_expected: dict[str, Any], arm: str, motion: str, measure: str) -> None:
    row = summary(hips, arm, measure, 1)
    assert round(row["change_mean"], 3) == hips_expected["mean_change"][arm][motion]
    assert row["n"] == 2 * hips_expected["arms"][arm]


@pytest.mark.long
@pytest.mark.parametrize("arm", ["control", "treat"])
def test_hips_gain_of_ten_degrees(hips: Any, hips_expected: dict[str, Any], arm: str) -> None:
    joints = hips.query(
        "select count(*) filter (where responder) as gained, count(*) filter (where eligible) as joints, "
        "count(distinct episode_key) filter (where responder) as persons_gained, "
        "count(distinct episode_key) as persons "
        f"from marts.measure_response where rule_id = 'flexion_10deg' and planned_day = 1 and care = '{arm}'"
    ).row(0, named=True)
    assert f"{joints['gained']}/{joints['joints']} joints" == hips_expected["gain_ge10deg_flexion"][arm]
    assert f"{joints['persons_gained']}/{joints['persons']} persons" == hips_expected["persons_any_side_gain_ge10"][arm]


@pytest.mark.long
def test_hips_worse(hips: Any, hips_expected: dict[str, Any]) -> None:
    assert summary(hips, "any", "hip_flex", 1)["worsened"] == hips_expected["worse_flexion"]
