"""The example of a wide EMR export, one row per visit: every kind of line that it teaches does what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader, Reading

ROW = {
    "patient_id": "P1",
    "gender": "W",
    "age": "44",
    "case_no": "1",
    "site": "01",
    "clinician_id": "T7",
    "diagnosis": "m75.41",
    "body_side": "R",
    "first_year": "2024",
    "insurance": "WC",
    "discharge_day": "",
    "end_of_care": "open",
    "row_status": "",
    "visit_no": "1",
    "visit_day": "0",
    "minute_entered": "605",
    "visit_kind": "IE",
    "show": "1",
    "ae_asked": "Y",
    "needles": "",
    "muscles": "",
    "twitch": "",
    "ae_type": "",
    "ae_grade": "",
    "pain_avg": "7",
    "pain_worst": "99",
    "ndi_percent": "",
    "lefs": "",
    "shoulder_flexion_left": "",
    "shoulder_flexion_right": "120",
    "lunge_left_inch": "",
    "knee_extension_loss": "",
    "room": "4",
}


def read(reader: Reader, *rows: dict[str, str]) -> Reading:
    lines = [",".join(ROW), *(",".join((ROW | row).values()) for row in rows)]
    feed = reader.write({"visits.csv": "\n".join(lines) + "\n"})
    return reader.feed(feed, load_profile(PROFILE_FOLDER / "emr_visits.yaml", CONTRACT))


def accepted(reading: Reading, table: str, *columns: Any) -> list[tuple[Any, ...]]:
    assert reading.delivery.state is State.TYPED, reading.delivery.problem
    return sorted(reading.rows(table).filter("accepted").select(*columns).rows())


SECOND = {"visit_no": "2", "visit_day": "14", "visit_kind": "RX", "pain_avg": "4", "shoulder_flexion_right": "140"}


def test_patient_and_episode_stand_on_every_row_and_count_once(reader: Reader) -> None:
    reading = read(reader, {}, SECOND)
    assert reading.faults == []
    assert accepted(reading, "patient", "patient_key", "sex", "age_years") == [("P1", "F", 44)]
    assert accepted(reading, "episode", "episode_key", "clinic_key", "condition_id", "side", "payer") == [
        ("P1-1", "site-01", "shoulder_impingement", "right", "workers_compensation")
    ]
    assert accepted(reading, "visit", "visit_key", "calendar_day", "visit_type") == [
        ("P1-1-1", 0, "eval"),
        ("P1-1-2", 14, "treat"),
    ]
    assert accepted(reading, "measurement", "visit_key", "measure_id", "side", pl.col("value").cast(pl.Int64)) == [
        ("P1-1-1", "nprs_avg24h", "none", 7),
        ("P1-1-1", "shld_flex", "right", 120),
        ("P1-1-2", "nprs_avg24h", "none", 4),
        ("P1-1-2", "shld_flex", "right", 140),
    ]


def test_tables_that_only_some_rows_feed(reader: Reader) -> None:
    reading = read(
        reader, {}, SECOND | {"needles": "6", "muscles": "2", "twitch": "?", "ae_type": "bruising", "ae_grade": "1"}
    )
    assert accepted(reading, "treatment", "visit_key", "treatment_class", "needle_count", "ltr_elicited") == [
        ("P1-1-2", "dry_needling", 6, "not_recorded")
    ]
    assert accepted(reading, "adverse_event", "visit_key", "event_type", "severity") == [
        ("P1-1-2", "bruising", "minor")
    ]


def test_inches_and_signs_are_turned_into_those_of_the_contract(reader: Reader) -> None:
    at_site_2 = {"patient_id": "P2", "site": "02", "knee_extension_loss": "10", "lunge_left_inch": "4"}
    reading = read(reader, {"knee_extension_loss": "-5"}, at_site_2)
    scores = dict(
        accepted(reading, "measurement", pl.concat_str("visit_key", "measure_id"), pl.col("value").cast(pl.Float64))
    )
    assert scores["P1-1-1knee_ext"] == -5
    assert scores["P2-1-1knee_ext"] == -10
    assert scores["P2-1-1ankle_df_wblt_cm"] == pytest.approx(10.2)


def test_a_visit_that_was_deleted_is_taken_back(reader: Reader) -> None:
    reading = read(reader, {}, SECOND | {"row_status": "deleted"})
    assert accepted(reading, "visit", "visit_key") == [("P1-1-1",)]
    assert accepted(reading, "withdrawal", "table_name", "key_1") == [("visit", "P1-1-2")]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ({"gender": "F?"}, "patient.sex.allowed"),
        ({"diagnosis": "I10"}, "episode.condition_id.allowed"),
        ({"pain_avg": "11"}, "measurement.value.possible.nprs_avg24h"),
        ({"visit_day": "soon"}, "visit.calendar_day.readable"),
        ({"show": "yes"}, "visit.attendance.allowed"),
    ],
)
def test_a_fault_sets_its_row_aside(reader: Reader, fault: dict[str, str], check: str) -> None:
    reading = read(reader, {}, SECOND | fault)
    assert reading.faults == [(2, check)]
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (2, 1)
