"""NHS PROMs 2017-18 through the whole pipeline: counts, and the gains and outlier labels that were published.

Compared are the statistics before disclosure control: the publisher's gains have more decimals than the pages here.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.outcomes.methods.funnel import ABOVE, AS_EXPECTED, BELOW, POSSIBLY_ABOVE, POSSIBLY_BELOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.shared, pytest.mark.long]

LABELS = {
    "Not an outlier": AS_EXPECTED,
    "Positive outlier (95%)": POSSIBLY_ABOVE,
    "Negative outlier (95%)": POSSIBLY_BELOW,
    "Positive outlier (99.8%)": ABOVE,
    "Negative outlier (99.8%)": BELOW,
}
"""What the publisher calls each zone."""


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


def published(folder: Path, stem: str, joint: str) -> dict[str, dict[str, str]]:
    """Rows of one published table about providers' primary procedures, by provider code."""
    with zipfile.ZipFile(folder / "2017-18" / f"{stem} 1718.csv.zip") as archive:
        text = archive.read(f"{stem} 1718.csv").decode("cp1252")
    wanted = (f"{joint} Replacement Primary", f"Oxford {joint} Score")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if (row["Procedure"], row["Measure"]) == wanted]
    code = "OrgCode" if "OrgCode" in rows[0] else "Organisation Code"
    return {row[code]: row for row in rows if row.get("Organisation Type", "Provider") == "Provider"}


@pytest.mark.parametrize(("joint", "measure"), [("Hip", "oxford_hip"), ("Knee", "oxford_knee")])
def test_every_published_adjusted_gain_and_outlier_label_comes_out(
    proms: Any, proms_expected: dict[str, Any], shared_data: Path, joint: str, measure: str
) -> None:
    folder = shared_data / "nhs_proms"
    gains = {
        code: float(row["Adjusted Average Health Gain"])
        for code, row in published(folder, "ProvComm Hip and Knee Replacements", joint).items()
        if row["Adjusted Average Health Gain"] != "*"
    }
    series = published(folder, "Time Series", joint)
    labels = {code: LABELS[row["Outlier_2017"]] for code, row in series.items() if code in gains}
    assert len(gains) == len(labels) == proms_expected[joint]["providers_with_published_adjusted_gain"]
    found = {
        row["clinic_key"]: row
        for row in proms.exact("provider_gain")
        .filter(pl.col("measure_id") == measure, pl.col("earlier_operations") == "none")
        .iter_rows(named=True)
    }
    assert {code for code, row in found.items() if row["adjusted_gain"] is not None} == set(gains)
    near = [code for code, gain in gains.items() if abs(found[code]["adjusted_gain"] - gain) <= 0.001]
    assert len(near) == len(gains), f"{joint}: {len(near)} of {len(gains)} adjusted gains agree within 0.001"
    same = [code for code, label in labels.items() if found[code]["zone"] == label]
    assert len(same) == len(labels), f"{joint}: {len(same)} of {len(labels)} outlier labels agree"
    assert {row["network_n"] for row in found.values()} == {proms_expected[joint]["primary_modelled_n"]}


def test_a_prediction_is_no_outcome_of_its_own(proms: Any) -> None:
    for name in ("measure_summary", "response", "provider_gain"):
        measures = set(proms.exact(name)["measure_id"])
        assert not {measure for measure in measures if measure.endswith("_predicted")}, name
    assert set(proms.exact("provider_gain")["measure_id"]) == {"oxford_hip", "oxford_knee"}
