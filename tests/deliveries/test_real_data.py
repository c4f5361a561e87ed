"""The two real sources beside the checkout, read with their profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.profile import load_profile

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader

PROFILES = Path(__file__).resolve().parents[1] / "profiles"
pytestmark = pytest.mark.shared


def test_acupuncture_trial(reader: Reader, shared_data: Path) -> None:
    folder = shared_data / "acupuncture_headache"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    reading = reader.feed(folder / "acupuncture.csv", load_profile(PROFILES / "acupuncture_headache.yaml", CONTRACT))
    count = expected["rows"]
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (count, 0)
    assert reading.rows("source_row")["accepted"].sum() == count
    assert reading.rows("patient").height == expected["patients"]
    episodes = reading.rows("episode")
    assert episodes["clinic_key"].n_unique() == expected["practices"]
    assert episodes["therapist_key"].n_unique() == expected["acupuncturists"]
    assert dict(episodes.group_by("arm").len().iter_rows()) == expected["arms"]
    scores = dict(
        reading.rows("measurement")
        .group_by(pl.col("visit_key").str.replace(r"^E\d+-", "") + " " + pl.col("measure_id"))
        .len()
        .iter_rows()
    )
    missing = expected["missing"]
    assert scores == {
        "baseline headache_score": count,
        "baseline headache_days": count,
        "baseline chronicity_years": count,
        "month-3 headache_score": count - missing["pk2"],
        "month-3 headache_days": count - missing["f2_zero_where_pk2_missing"],
        "month-12 headache_score": count - missing["pk5"],
        "month-12 headache_days": count - missing["f5_zero_where_pk5_missing"],
    }
    zeros = reading.rows("measurement").filter(
        pl.col("visit_key").str.ends_with("month-12"), measure_id="headache_days"
    )
    assert zeros.filter(pl.col("value") == 0).height == missing["f5_zero_where_pk5_present"]


def test_hips(reader: Reader, shared_data: Path) -> None:
    folder = shared_data / "hips_rom"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    reading = reader.feed(folder / "hips.csv", load_profile(PROFILES / "hips_rom.yaml", CONTRACT))
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (expected["rows"], 0)
    assert reading.delivery.rows == {
        "patient": expected["persons"],
        "episode": expected["persons"],
        "visit": 2 * expected["persons"],
        "measurement": 4 * expected["rows"],
    }
    assert dict(reading.rows("episode").group_by("arm").len().iter_rows()) == expected["arms"]
    flexion = reading.rows("measurement").filter(pl.col("visit_key").str.ends_with("before"), measure_id="hip_flex")
    assert [float(flexion["value"].min()), float(flexion["value"].max())] == expected["ranges"]["fbef"]
