"""An OMOP CDM folder through the shipped profile: visits find their episode, the rest is out of scope and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, Profile, load_profile

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader, Reading

SHIPPED = PROFILE_FOLDER / "omop_cdm54.yaml"
HEADERS = {
    "person": "person_id,gender_concept_id",
    "visit_occurrence": "visit_occurrence_id,person_id,visit_start_date,provider_id,care_site_id",
    "condition_occurrence": "visit_occurrence_id,condition_source_value",
    "measurement": "visit_occurrence_id,provider_id,measurement_source_value,value_as_number,unit_source_value",
    "observation": "visit_occurrence_id,person_id,observation_source_value",
    "procedure_occurrence": "visit_occurrence_id,procedure_source_value",
}
CLEAN = {
    "person": ["1,8532", "2,8507"],
    "visit_occurrence": ["11,1,2024-03-01,7,70", "12,1,2024-03-15,8,71", "21,2,2024-02-01,7,70"],
    "condition_occurrence": ["11,I10", "11,M54.50", "12,m5459", "21,M75.41"],
    "measurement": ["11,7,72514-3,7,{score}", "12,8,72514-3,4.0,{score}", "21,7,41307-0,120.5,deg", "21,7,odi,32,%"],
    "observation": ["11,1,Z79.01", "21,2,bruising_minor"],
    "procedure_occurrence": ["11,20560", "12,97140"],
}
IN_CLEAN_OUT_OF_SCOPE = 1  # the diagnosis I10


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile(SHIPPED, CONTRACT)


def read(reader: Reader, profile: Profile, **more: list[str]) -> Reading:
    """The clean folder with more rows."""
    tables = {table: [*rows, *more.get(table, [])] for table, rows in CLEAN.items()}
    feed = reader.write({f"{table}.csv": "\n".join((HEADERS[table], *rows)) + "\n" for table, rows in tables.items()})
    return reader.feed(feed, profile)


def check_conservation(reading: Reading, records: int) -> None:
    """Every row is accepted, set aside or out of scope."""
    delivery = reading.delivery
    assert delivery.state is State.TYPED, delivery.problem
    assert delivery.ingested + delivery.out_of_scope == records
    rows = {path.name.split(".")[1]: path for path in sorted((reading.folder / "rows").glob("*.parquet"))}
    rows |= {path.name.split(".")[1]: path for path in (reading.folder / "rows").glob("source_row.*.parquet")}
    states = [row for path in rows.values() for row in pl.read_parquet(path).select("row_number", "accepted").rows()]
    assert len(states) == delivery.ingested
    assert sum(not accepted for _, accepted in states) == delivery.set_aside


RECORDS = sum(len(rows) for rows in CLEAN.values())


def accepted(reading: Reading, table: str, *columns: Any) -> list[tuple[Any, ...]]:
    return sorted(reading.rows(table).filter("accepted").select(*columns).rows())


@pytest.fixture
def clean(reader: Reader, profile: Profile) -> Reading:
    return read(reader, profile)


def test_a_clean_folder_is_read_whole(clean: Reading) -> None:
    assert clean.faults == []
    assert clean.delivery.out_of_scope == IN_CLEAN_OUT_OF_SCOPE
    check_conservation(clean, RECORDS)


def test_person(clean: Reading) -> None:
    assert accepted(clean, "patient", "patient_key", "sex", "age_years") == [("1", "F", None), ("2", "M", None)]


def test_visits_of_one_person_and_condition_are_one_episode(clean: Reading) -> None:
    """The first visit also names hypertension, and the two codes of back pain are one condition."""
    assert accepted(clean, "episode", "episode_key", "patient_key", "condition_id", "clinic_key", "therapist_key") == [
        ("1-low_back_pain", "1", "low_back_pain", "70", "7"),
        ("2-shoulder_impingement", "2", "shoulder_impingement", "70", "7"),
    ]


def test_visits_keep_their_dates_as_days(clean: Reading) -> None:
    days = accepted(clean, "visit", "visit_key", "episode_key", pl.col("calendar_day").cast(pl.Date).cast(pl.String))
    assert days == [
        ("11", "1-low_back_pain", "2024-03-01"),
        ("12", "1-low_back_pain", "2024-03-15"),
        ("21", "2-shoulder_impingement", "2024-02-01"),
    ]


def test_measurements_treatments_precautions_and_events(clean: Reading) -> None:
    scores = accepted(clean, "measurement", "visit_key", "measure_id", "side", pl.col("value").cast(pl.Float64), "unit")
    assert scores == [
        ("11", "nprs_avg24h", "none", 7, "points"),
        ("12", "nprs_avg24h", "none", 4, "points"),
        ("21", "odi", "none", 32, "percent"),
        ("21", "shld_flex", "right", 120.5, "deg"),
    ]
    assert accepted(clean, "treatment", "visit_key", "treatment_class") == [
        ("11", "dry_needling"),
        ("12", "manual_therapy"),
    ]
    assert accepted(clean, "precaution", "patient_key", "precaution_type", "present") == [("1", "anticoagulant", "yes")]
    assert accepted(clean, "adverse_event", "visit_key", "event_type", "severity") == [("21", "bruising", "minor")]


@pytest.mark.parametrize(
    "more",
    [
        {"visit_occurrence": ["13,1,2024-04-01,7,70"]},
        {"visit_occurrence": ["13,1,2024-04-01,7,70"], "condition_occurrence": ["13,I10", "13,S46.011S"]},
        {"measurement": ["99,7,72514-3,5,{score}", "11,7,8302-2,176,cm", "11,7,41389-8,100,deg"]},
        {"observation": ["11,1,Z87.891", "99,1,Z79.01"]},
        {"procedure_occurrence": ["11,99213", "99,20560"]},
    ],
)
def test_what_is_not_of_an_episode_is_out_of_scope(
    reader: Reader, profile: Profile, more: dict[str, list[str]]
) -> None:
    reading = read(reader, profile, **more)
    added = sum(map(len, more.values()))
    assert reading.faults == []
    assert reading.delivery.out_of_scope == IN_CLEAN_OUT_OF_SCOPE + added
    check_conservation(reading, RECORDS + added)


@pytest.mark.parametrize(
    ("more", "checks"),
    [
        ({"person": ["3,9999"]}, {"patient.sex.allowed"}),
        ({"person": [",8532"]}, {"patient.patient_key.required"}),
        ({"person": ["3,8532,x"]}, {"patient.row.structure"}),
        ({"measurement": ["11,7,72514-3,11,{score}"]}, {"measurement.value.possible.nprs_avg24h"}),
        ({"measurement": ["11,7,72514-3,,{score}"]}, {"measurement.value.required"}),
        ({"measurement": ["11,7,41307-0,100,cm"]}, {"measurement.unit.of_measure"}),
        (
            {"visit_occurrence": ["13,1,01/04/24,7,70"], "condition_occurrence": ["13,M54.50"]},
            {"visit.calendar_day.readable"},
        ),
        (
            {"visit_occurrence": ["13,3,2024-04-01,7,"], "condition_occurrence": ["13,M54.50"]},
            {"episode.clinic_key.required"},
        ),
    ],
)
def test_a_planted_fault_is_set_aside_with_its_reason(
    reader: Reader, profile: Profile, more: dict[str, list[str]], checks: set[str]
) -> None:
    reading = read(reader, profile, **more)
    check_conservation(reading, RECORDS + sum(map(len, more.values())))
    assert reading.delivery.set_aside == 1
    assert {check for _, check in reading.faults} == checks


def test_a_table_that_is_missing_holds_the_delivery(reader: Reader, profile: Profile) -> None:
    feed = reader.write({"person.csv": f"{HEADERS['person']}\n1,8532\n"})
    assert reader.feed(feed, profile).delivery.problem_code == "INCOMPLETE"


@pytest.mark.parametrize("column", ["birth_datetime", "visit_end_date", "measurement_date"])
def test_dates_that_are_not_asked_for_are_refused(reader: Reader, profile: Profile, column: str) -> None:
    feed = reader.write(
        {f"{table}.csv": "\n".join((HEADERS[table], *rows)) for table, rows in CLEAN.items()}
        | {"person.csv": f"person_id,gender_concept_id,{column}\n1,8532,1961-04-17\n"}
    )
    delivery = reader.feed(feed, profile).delivery
    assert delivery.problem_code == "PHI_SUSPECTED"
    assert "1961" not in str(delivery.problem)


KEYS = st.integers(1, 4)
ROWS = {
    "visit_occurrence": st.builds("3{},{},2024-03-0{},7,70".format, KEYS, st.integers(1, 3), KEYS),
    "condition_occurrence": st.builds("3{},{}".format, KEYS, st.sampled_from(["M54.2", "m5450", "I10", ""])),
    "measurement": st.builds("3{},7,{},{},{{score}}".format, KEYS, st.sampled_from(["72514-3", "8302-2"]), KEYS),
    "observation": st.builds("3{},1,{}".format, KEYS, st.sampled_from(["Z3301", "Z33.1", "nausea_minor"])),
    "procedure_occurrence": st.builds("3{},{}".format, KEYS, st.sampled_from(["20561", "99213"])),
}
PARENTS = {"episode": ("patient_key", "patient"), "visit": ("episode_key", "episode")}


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(more=st.fixed_dictionaries({table: st.lists(rows, max_size=4, unique=True) for table, rows in ROWS.items()}))
def test_whatever_refers_to_whatever_no_row_is_lost_and_no_score_is_an_orphan(
    reader: Reader, profile: Profile, more: dict[str, list[str]]
) -> None:
    reading = read(reader, profile, **more)
    check_conservation(reading, RECORDS + sum(map(len, more.values())))
    for table in ("visit", "measurement", "treatment", "adverse_event"):
        column, parent = PARENTS.get(table, ("visit_key", "visit"))
        present = {key for (key,) in accepted(reading, parent, column)}
        assert {key for (key,) in accepted(reading, table, column)} <= present
