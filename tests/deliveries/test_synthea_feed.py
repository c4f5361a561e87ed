"""A real FHIR export (Synthea): raw it is refused, de-identified by our own tool it loads with every count it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, Ledger, State
from assets.deliveries.profile import Profile, load_profile
from assets.deliveries.reading import read_delivery
from assets.privacy.keys import new_key_file
from pipelines.deidentify import deidentify

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.shared
PROFILE = Path(__file__).parents[1] / "profiles" / "synthea_fhir_r4.yaml"
LINES_READ = 200 + 6113 + 30816
"""Patients, encounters and observations; the other files are no part of the profile."""


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> Path:
    return shared_data / "synthea_fhir_r4"


@pytest.fixture(scope="module")
def expected(raw: Path) -> dict[str, Any]:
    return json.loads((raw / "expected.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(PROFILE, CONTRACT)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def read(profile: Profile, ledger: Ledger) -> Callable[[Path], Delivery]:
    def read_feed(feed: Path) -> Delivery:
        (sent,) = find_deliveries([feed], profile).sent
        delivery, _ = land(sent, profile, CONTRACT.version, ledger)
        return read_delivery(delivery, ledger, profile, profile.extend(CONTRACT))

    return read_feed


@pytest.fixture(scope="module")
def clean(
    raw: Path, profile: Profile, read: Callable[[Path], Delivery], tmp_path_factory: pytest.TempPathFactory
) -> Delivery:
    folder = tmp_path_factory.mktemp("clinic")
    key_file = folder / "key"
    new_key_file(key_file)
    deidentify([raw], profile, key_file, folder / "out")
    return read(folder / "out")


@pytest.fixture(scope="module")
def rows(clean: Delivery, ledger: Ledger) -> Callable[[str], pl.DataFrame]:
    folder = ledger.folder(clean.delivery_id) / "rows"
    return lambda table: (
        pl.read_parquet(sorted(folder.glob(f"{table}.*.parquet")))
        .filter("accepted")
        .drop("row_number", "delivery_id", "file", "accepted", "violations")
    )


def test_raw_it_is_refused_with_counts(read: Callable[[Path], Delivery], raw: Path) -> None:
    refused = read(raw)
    assert refused.state is State.REJECTED
    assert refused.problem_code == "PHI_SUSPECTED"
    assert refused.rejected == refused.ingested == LINES_READ


def test_every_line_is_accepted_or_out_of_scope(clean: Delivery, expected: dict[str, Any]) -> None:
    assert clean.state is State.TYPED, clean.problem
    assert clean.set_aside == 0
    assert clean.ingested + clean.out_of_scope == LINES_READ
    pain = expected["pain_obs_72514_3"]
    assert clean.ingested == expected["patients"] + pain + pain  # one visit for each score
    assert clean.rows["measurement"] == clean.rows["visit"] == pain
    assert clean.rows["patient"] == expected["patients"]


def test_scores_are_those_of_the_source(rows: Callable[[str], pl.DataFrame], expected: dict[str, Any]) -> None:
    scores = rows("measurement")["value"].cast(pl.Float64).sort()
    assert [scores.min(), scores.max()] == pytest.approx(expected["value_min_max"], abs=5e-7)
    # of an even number of scores the file states the upper of the two in the middle
    assert scores[len(scores) // 2] == pytest.approx(expected["value_median"], abs=5e-7)
    assert (scores <= 4).mean() == pytest.approx(expected["share_le_4"], abs=5e-5)
    assert (scores > 10).sum() == expected["values_above_10"]


def test_scores_per_patient(rows: Callable[[str], pl.DataFrame], expected: dict[str, Any]) -> None:
    joined = rows("measurement").join(rows("visit"), on="visit_key").join(rows("episode"), on="episode_key")
    assert joined.height == expected["pain_obs_72514_3"]
    per_patient = joined.group_by("patient_key").len()["len"]
    assert len(per_patient) == expected["patients_with_pain"]
    assert [per_patient.min(), per_patient.max()] == expected["pain_per_patient_min_max"]
    assert set(joined["patient_key"]) <= set(rows("patient")["patient_key"])


def test_days_are_counted_and_differ_within_a_patient(
    rows: Callable[[str], pl.DataFrame], expected: dict[str, Any]
) -> None:
    visits = rows("visit").join(rows("episode"), on="episode_key")
    assert visits["calendar_day"].null_count() == 0
    assert visits["calendar_day"].min() == 0
    same_day = visits.group_by("patient_key", "calendar_day").len().filter(pl.col("len") > 1)
    assert same_day.height == expected["same_patient_same_day_dups"]
