"""Real data in every format a clinic may send them in: the same tables come out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.shared

FORMATS = {"csv": "csv", "xlsx": "excel", "sav": "spss"}


def marts(run: Any) -> dict[str, bytes]:
    """Every mart as bytes, rows in one order."""
    names = run.query("select table_name from information_schema.tables where table_schema = 'marts'")["table_name"]
    frames = {name: run.query(f"select * from marts.{name}") for name in sorted(names)}
    return {name: frame.sort(frame.columns, nulls_last=True).write_csv().encode() for name, frame in frames.items()}


@pytest.fixture(scope="module")
def trial(
    make_installation: Callable[..., Any], shared_data: Path, profiles: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """The marts of the acupuncture trial by the suffix of its file."""
    text = (profiles / "acupuncture_headache.yaml").read_text(encoding="utf-8")
    found = {}
    for suffix, name in FORMATS.items():
        profile = tmp_path_factory.mktemp("profile") / f"{suffix}.yaml"
        changed = text.replace('match: "acupuncture.csv"', f'match: "acupuncture.{suffix}"\n    format: {name}')
        profile.write_text(changed, encoding="utf-8")
        feed = shared_data / "acupuncture_headache" / f"acupuncture.{suffix}"
        found[suffix] = marts(make_installation([feed], profile))
    return found


@pytest.mark.parametrize("suffix", ["xlsx", "sav"])
def test_the_trial_gives_byte_equal_marts_in_every_format(trial: dict[str, dict[str, bytes]], suffix: str) -> None:
    assert len(trial["csv"]["episode_outcome"].splitlines()) == 402
    for name, content in trial["csv"].items():
        assert trial[suffix][name] == content, name


@pytest.fixture(scope="module")
def proms(make_installation: Callable[..., Any], shared_data: Path, profiles: Path) -> Any:
    return make_installation([shared_data / "nhs_proms" / "2017-18"], profiles / "nhs_proms.yaml")


@pytest.fixture(scope="module")
def proms_expected(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "nhs_proms" / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("joint", "measure"), [("Hip", "oxford_hip"), ("Knee", "oxford_knee")])
def test_proms_load_through_a_profile_alone(
    proms: Any, proms_expected: dict[str, Any], joint: str, measure: str
) -> None:
    expected = proms_expected[joint]
    condition = f"{joint.lower()}_replacement"
    counts = proms.query(
        "select count(*) as episodes, count(distinct clinic_key) as providers from staging.episode "
        f"where condition_id = '{condition}'"
    ).row(0, named=True)
    assert counts == {"episodes": expected["rows"], "providers": expected["providers"]}
    scored = dict(
        proms.query(
            "select day_offset, count(*) from staging.measurement join staging.visit using (visit_key) "
            f"where measure_id = '{measure}' group by day_offset"
        ).iter_rows()
    )
    assert scored == {
        0: expected["rows"] - expected["blank_pre_score"],
        182: expected["rows"] - expected["blank_post_score"],
    }
    health = proms.query(
        "select count(*) from staging.measurement join staging.visit using (visit_key) join staging.episode using "
        f"(episode_key) where measure_id = 'eq_vas' and day_offset = 0 and condition_id = '{condition}'"
    ).item()
    assert health == expected["rows"] - expected["eqvas_pre_999"]
    pairs = proms.query(
        "select count(*) as n, sum(change) as gain, count(*) filter (where change > 0) as improved, "
        "count(*) filter (where change = 0) as same, count(*) filter (where change < 0) as worse "
        f"from marts.measure_change where measure_id = '{measure}' and planned_day = 182"
    ).row(0, named=True)
    assert pairs["n"] == expected["paired_all_n"]
    assert round(float(pairs["gain"]) / pairs["n"], 4) == expected["paired_all_gain"]
    assert (pairs["improved"], pairs["same"], pairs["worse"]) == (
        expected["improved"],
        expected["same"],
        expected["worse"],
    )


def test_proms_conservation(proms: Any, proms_expected: dict[str, Any]) -> None:
    row = proms.query("select * from audit.conservation").row(0, named=True)
    assert row["ingested"] == row["accepted"] == sum(proms_expected[joint]["rows"] for joint in ("Hip", "Knee"))


@pytest.mark.parametrize(("joint", "measure"), [("Hip", "oxford_hip"), ("Knee", "oxford_knee")])
def test_proms_keep_what_adjusted_gains_are_made_of(
    proms: Any, proms_expected: dict[str, Any], joint: str, measure: str
) -> None:
    """Primary procedures with a score before, one after and a prediction: the publisher's modelled records."""
    found = proms.query(
        "select count(*) as n, avg(cast(baseline_value as double)) as pre, avg(cast(value as double)) as post "
        "from marts.measure_change join staging.episode using (episode_key) "
        f"where measure_id = '{measure}' and planned_day = 182 and surgery_count = 0 and episode_key in ("
        "select episode_key from staging.measurement join staging.visit using (visit_key) "
        f"where measure_id = '{measure}_predicted')"
    ).row(0, named=True)
    expected = proms_expected[joint]
    assert found["n"] == expected["primary_modelled_n"]
    assert round(found["pre"], 4) == expected["primary_pre"]
    assert round(found["post"], 4) == expected["primary_post"]
