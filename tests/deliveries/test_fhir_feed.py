"""A de-identified FHIR feed through the shipped profile: what is in scope arrives, what is not is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader, Reading

SHIPPED = PROFILE_FOLDER / "fhir_r4.yaml"
ICD10, SNOMED, LOINC = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct", "http://loinc.org"
CPT, LOCAL = "http://www.ama-assn.org/go/cpt", "urn:needlepoint:measure"
Resource = dict[str, Any]


def coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def extension(**values: int) -> list[Resource]:
    return [{"url": f"urn:needlepoint:{name}", "valueInteger": value} for name, value in values.items()]


def patient(key: str = "P1", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": key, "gender": "female", "extension": extension(age=44)} | more


def condition(
    key: str = "C1", code: str = "M54.2", system: str = ICD10, state: str = "active", **more: Any
) -> Resource:
    return {
        "resourceType": "Condition",
        "id": key,
        "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/condition-clinical", state),
        "code": coded(system, code),
        "subject": {"reference": "Patient/P1"},
    } | more


def encounter(key: str = "E1", of: str | None = "C1", day: int = 0, status: str = "finished", **more: Any) -> Resource:
    reason = {"reasonReference": [{"reference": f"Condition/{of}"}]} if of else {}
    return (
        {
            "resourceType": "Encounter",
            "id": key,
            "status": status,
            "period": {"start": "2024"},
            "serviceProvider": {"reference": "Organization/clinic"},
            "participant": [{"individual": {"reference": "Practitioner/therapist"}}],
            "extension": extension(day=day, minute=600 + day),
        }
        | reason
        | more
    )


def observation(
    at: str = "E1", code: str = "72514-3", value: float = 5, unit: str = "{score}", **more: Any
) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "O1",
        "status": "final",
        "code": coded(LOINC if code[0].isdigit() else LOCAL, code),
        "encounter": {"reference": f"Encounter/{at}"},
        "valueQuantity": {"value": value, "code": unit},
    } | more


def answers(at: str = "E1", status: str = "completed", **totals: float) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "Q1",
        "status": status,
        "encounter": {"reference": f"Encounter/{at}"},
        "item": [{"linkId": f"{name}-total", "answer": [{"valueDecimal": total}]} for name, total in totals.items()],
    }


def procedure(at: str = "E1", code: str = "20560", status: str = "completed") -> Resource:
    return {
        "resourceType": "Procedure",
        "id": "T1",
        "status": status,
        "code": coded(CPT, code),
        "encounter": {"reference": f"Encounter/{at}"},
    }


def adverse_event(
    at: str = "E1", event: str = "bruising", severity: str = "mild", actuality: str = "actual"
) -> Resource:
    return {
        "resourceType": "AdverseEvent",
        "id": "A1",
        "actuality": actuality,
        "event": coded("urn:needlepoint:adverse-event", event),
        "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", severity),
        "outcome": coded("http://terminology.hl7.org/CodeSystem/adverse-event-outcome", "resolved"),
        "encounter": {"reference": f"Encounter/{at}"},
    }


def read(reader: Reader, *resources: Resource) -> Reading:
    """Deliver resources as a bulk export: one file per type."""
    lines: dict[str, list[str]] = {}
    for resource in resources:
        lines.setdefault(f"{resource['resourceType']}.000.ndjson", []).append(json.dumps(resource))
    feed = reader.write({name: "\n".join(found) + "\n" for name, found in lines.items()})
    return reader.feed(feed, load_profile(SHIPPED, CONTRACT))


def check_conservation(reading: Reading, records: int) -> None:
    """Every line is accepted, set aside or out of scope."""
    delivery = reading.delivery
    assert delivery.state is State.TYPED, delivery.problem
    assert delivery.ingested + delivery.out_of_scope == records
    rows = {path.name.split(".")[1]: path for path in sorted((reading.folder / "rows").glob("*.parquet"))}
    rows |= {path.name.split(".")[1]: path for path in (reading.folder / "rows").glob("source_row.*.parquet")}
    states = [row for path in rows.values() for row in pl.read_parquet(path).select("row_number", "accepted").rows()]
    assert len(states) == delivery.ingested
    assert sum(not accepted for *_, accepted in states) == delivery.set_aside


def accepted(reading: Reading, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(reading.rows(table).filter("accepted").select(*columns).rows())


@pytest.fixture
def clean(reader: Reader) -> Reading:
    return read(
        reader,
        patient(),
        condition(),
        encounter("E1", type=[coded(CPT, "97161")]),
        encounter("E2", day=14),
        observation("E1", value=7),
        observation("E2", value=4),
        observation("E1", "41389-8", 120.5, "deg", bodySite=coded(SNOMED, "7771000")),
        observation("E1", "41307-0", 140, "deg"),
        observation(
            "E1",
            "ankle_df_wblt_cm",
            4,
            "[in_i]",
            bodySite=coded(SNOMED, "24028007"),
        ),
        answers("E1", ndi=32.0, psfs=4.5),
        procedure(),
        procedure("E2", "97140"),
        adverse_event("E2"),
    )


def test_a_clean_feed_is_read_whole(clean: Reading) -> None:
    assert clean.faults == []
    assert (clean.delivery.ingested, clean.delivery.out_of_scope, clean.delivery.set_aside) == (13, 0, 0)
    check_conservation(clean, 13)


def test_patient(clean: Reading) -> None:
    assert accepted(clean, "patient", "patient_key", "sex", "age_years") == [("P1", "F", 44)]


def test_condition_with_its_first_encounter_is_an_episode(clean: Reading) -> None:
    assert accepted(
        clean, "episode", "episode_key", "patient_key", "clinic_key", "therapist_key", "condition_id", "start_year"
    ) == [("C1", "P1", "clinic", "therapist", "neck_pain", 2024)]
    assert accepted(clean, "episode", "discharge_reason", "side") == [("still_open", None)]


def test_encounter_is_a_visit_on_its_day(clean: Reading) -> None:
    assert accepted(
        clean, "visit", "visit_key", "episode_key", "calendar_day", "recorded_minute", "visit_type", "attendance"
    ) == [("E1", "C1", 0, 600, "eval", "attended"), ("E2", "C1", 14, 614, "treat", "attended")]


def test_observations_and_totals_are_measurements(clean: Reading) -> None:
    found = accepted(clean, "measurement", "visit_key", "measure_id", "side", "active_passive", "value", "unit")
    assert [(*row[:4], str(row[4]), row[5]) for row in found] == [
        ("E1", "ankle_df_wblt_cm", "right", "not_applicable", "10.200000", "cm"),
        ("E1", "ndi", "none", "not_applicable", "32.000000", "percent"),
        ("E1", "nprs_avg24h", "none", "not_applicable", "7.000000", "points"),
        ("E1", "psfs", "none", "not_applicable", "4.500000", "points"),
        ("E1", "shld_flex", "left", "active", "120.500000", "deg"),
        ("E1", "shld_flex", "right", "active", "140.000000", "deg"),
        ("E2", "nprs_avg24h", "none", "not_applicable", "4.000000", "points"),
    ]


def test_procedures_are_treatments_and_adverse_events_events(clean: Reading) -> None:
    assert accepted(clean, "treatment", "visit_key", "treatment_class") == [
        ("E1", "dry_needling"),
        ("E2", "manual_therapy"),
    ]
    assert accepted(clean, "adverse_event", "visit_key", "event_type", "severity", "resolved") == [
        ("E2", "bruising", "minor", "yes")
    ]


@pytest.mark.parametrize(
    ("code", "system", "more", "expected"),
    [
        ("m7541", ICD10, {}, ("shoulder_impingement", "right")),
        ("M75.40", ICD10, {"bodySite": [coded(SNOMED, "7771000")]}, ("shoulder_impingement", "left")),
        ("S46.012D", ICD10, {}, ("muscle_strain", "left")),
        ("M72.2", ICD10, {"bodySite": [coded(SNOMED, "51440002")]}, ("plantar_fasciitis", "bilateral")),
        ("M72.2", ICD10, {}, ("plantar_fasciitis", None)),
        ("398057008", SNOMED, {}, ("tension_headache", None)),
    ],
)
def test_condition_and_side_from_codes(
    reader: Reader, code: str, system: str, more: Resource, expected: tuple[str, str | None]
) -> None:
    reading = read(reader, patient(), condition("C1", code, system, **more), encounter(), observation())
    assert accepted(reading, "episode", "condition_id", "side") == [expected]
    assert reading.faults == []


OUT_OF_SCOPE: dict[str, tuple[Resource, ...]] = {
    "another diagnosis, its visit and all of that": (
        condition("C2", "I10"),
        encounter("E2", "C2"),
        observation("E2"),
        answers("E2", ndi=10),
        procedure("E2"),
        adverse_event("E2"),
    ),
    "a sequela": (condition("C2", "S46.011S"), encounter("E2", "C2")),
    "a diagnosis that was refuted": (
        condition("C2", verificationStatus=coded("", "refuted")),
        encounter("E2", "C2"),
        observation("E2"),
    ),
    "a diagnosis nobody was seen for": (condition("C2"),),
    "a diagnosis nobody has been seen for yet": (condition("C2"), encounter("E2", "C2", status="planned")),
    "a visit for nothing stated": (encounter("E2", None), observation("E2")),
    "a visit for a procedure": (
        encounter("E2", None, reasonReference=[{"reference": "Procedure/C1"}, {"type": "Condition"}]),
    ),
    "a visit of a diagnosis that is not there": (encounter("E2", "C9"), observation("E2")),
    "a planned visit": (encounter("E2", status="planned"), observation("E2")),
    "observations of another kind": (observation(code="8302-2", value=176, unit="cm"), observation(code="38208-5")),
    "an observation that is not final": (observation(status="preliminary"),),
    "an observation without a visit": (observation("E9"), observation() | {"encounter": None}),
    "a questionnaire that is not scored": (answers(other=3), answers(status="in-progress", ndi=10)),
    "a procedure of another kind, or not done": (procedure(code="99213"), procedure(status="not-done")),
    "an event that only might have been": (adverse_event(actuality="potential"),),
}


@pytest.mark.parametrize("what", OUT_OF_SCOPE)
def test_what_is_not_of_an_episode_is_out_of_scope_and_leaves_no_orphans(reader: Reader, what: str) -> None:
    others = OUT_OF_SCOPE[what]
    reading = read(reader, patient(), condition(), encounter(), observation(value=3), *others)
    assert reading.faults == []
    assert reading.delivery.out_of_scope == len(others)
    check_conservation(reading, 4 + len(others))
    assert accepted(reading, "episode", "episode_key") == [("C1",)]
    assert accepted(reading, "visit", "visit_key") == [("E1",)]
    assert accepted(reading, "measurement", "visit_key", pl.col("value").cast(pl.Int64)) == [("E1", 3)]


def test_a_cancelled_visit_is_kept_and_its_observation_is_not(reader: Reader) -> None:
    reading = read(reader, patient(), condition(), encounter("E1", status="cancelled"), observation())
    assert accepted(reading, "visit", "attendance") == [("cancelled",)]
    assert (reading.delivery.out_of_scope, reading.faults) == (1, [])


def test_codes_out_of_scope_are_reported_with_their_counts(reader: Reader) -> None:
    weights = [observation(code="29463-7", value=70, unit="kg")] * 6
    reading = read(reader, patient(), condition(), encounter(), observation(), *weights)
    report = pl.read_parquet(reading.folder / "unmapped.parquet")
    assert report.filter(column="measure").select("code", "rows").rows() == [("29463-7", 6)]


@pytest.mark.parametrize(
    ("fault", "checks"),
    [
        (patient("P2", gender="woman"), {"patient.sex.allowed"}),
        (patient("P2", extension=extension(age=-1)), {"patient.age_years.possible"}),
        (encounter("E2", extension=[]), {"visit.day_offset.required"}),
        (observation(value=11), {"measurement.value.possible.nprs_avg24h"}),
        (observation(value=4, unit="mm"), {"measurement.unit.of_measure"}),
        (observation(code="41389-8", value=100, unit="deg"), {"measurement.side.of_measure"}),
        (observation() | {"valueQuantity": {}}, {"measurement.value.required"}),
        (answers(ndi=140), {"measurement.value.possible.ndi"}),
        (adverse_event(event="unhappy"), {"adverse_event.event_type.allowed"}),
        (adverse_event(severity="awful"), {"adverse_event.severity.allowed"}),
    ],
)
def test_a_planted_fault_is_set_aside_with_its_reason(reader: Reader, fault: Resource, checks: set[str]) -> None:
    reading = read(reader, patient(), condition(), encounter(), observation(value=2), fault)
    check_conservation(reading, 5)
    assert reading.delivery.set_aside == 1
    assert {check for _, check in reading.faults} == checks


def test_an_episode_without_a_clinic_is_set_aside(reader: Reader) -> None:
    reading = read(reader, patient(), condition(), encounter(serviceProvider=None), observation())
    assert reading.faults == [(1, "episode.clinic_key.required")]


def test_what_was_entered_in_error_is_taken_back(reader: Reader) -> None:
    reading = read(
        reader,
        patient(),
        condition(),
        encounter("E1"),
        encounter("E2", day=7, status="entered-in-error"),
        observation("E1", status="entered-in-error"),
        observation("E1", "41307-0", 100, "deg"),
    )
    check_conservation(reading, 6)
    assert reading.faults == []
    assert accepted(reading, "withdrawal", "table_name", "key_1", "key_2") == [
        ("measurement", "E1", "nprs_avg24h"),
        ("visit", "E2", ""),
    ]


def test_a_raw_feed_is_refused_with_counts_and_no_value(reader: Reader) -> None:
    named = patient(name=[{"family": "Zxqcanary"}], birthDate="1961-04-17", telecom=[{"value": "555-978-4581"}])
    reading = read(reader, named, condition(), encounter(), observation())
    assert reading.delivery.state is State.REJECTED
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert "name (1)" in str(reading.delivery.problem)
    for value in ("Zxqcanary", "1961-04-17", "555-978"):
        assert value not in reading.record


def test_an_age_that_was_not_capped_is_refused(reader: Reader) -> None:
    reading = read(reader, patient(extension=extension(age=93)), condition(), encounter(), observation())
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert "93" not in str(reading.delivery.problem)


def test_a_file_of_another_type_is_refused(reader: Reader) -> None:
    feed = reader.write(
        {
            "Patient.ndjson": json.dumps(patient()),
            "Condition.ndjson": json.dumps(condition()),
            "Encounter.ndjson": json.dumps(encounter()),
            "Observation.ndjson": json.dumps(procedure()),
        }
    )
    reading = reader.feed(feed, load_profile(SHIPPED, CONTRACT))
    assert reading.delivery.problem_code == "HEADER"
    assert "Observation.ndjson" in str(reading.delivery.problem)


def test_a_feed_without_encounters_is_incomplete(reader: Reader) -> None:
    reading = read(reader, patient(), condition(), observation())
    assert reading.delivery.problem_code == "INCOMPLETE"


KEYS = st.integers(1, 3)
QUIET = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PARENTS = {"episode": ("patient_key", "patient"), "visit": ("episode_key", "episode")}
STATUS = st.sampled_from(["finished", "cancelled", "planned", "entered-in-error"])
FINAL = st.sampled_from(["final", "preliminary", "entered-in-error"])
CODES = st.sampled_from(["M54.2", "m5450", "I10", "S46.011S"])
VERIFIED = st.sampled_from(["confirmed", "refuted"])
LINKED = st.one_of(
    st.builds(
        lambda key, code, verified: condition(f"C{key}", code, verificationStatus=coded("", verified)),
        KEYS,
        CODES,
        VERIFIED,
    ),
    st.builds(lambda key, of, status: encounter(f"E{key}", f"C{of}", key, status), KEYS, KEYS, STATUS),
    st.builds(lambda at, status: observation(f"E{at}", status=status), KEYS, FINAL),
    st.builds(lambda at: procedure(f"E{at}"), KEYS),
    st.builds(lambda at, total: answers(f"E{at}", ndi=total), KEYS, st.integers(0, 120)),
    st.builds(lambda at: adverse_event(f"E{at}"), KEYS),
)


@QUIET
@given(linked=st.lists(LINKED, max_size=12))
def test_whatever_refers_to_whatever_no_line_is_lost_and_nothing_accepted_is_an_orphan(
    reader: Reader, linked: list[Resource]
) -> None:
    resources = [patient(), condition("C1"), encounter("E1"), observation("E1"), *linked]
    # an id stands once in a feed
    unique = {
        (one["resourceType"], one["id"] if one["id"][0] in "PCE" else number): one
        for number, one in enumerate(resources)
    }
    resources = list(unique.values())
    reading = read(reader, *resources)
    check_conservation(reading, len(resources))
    tables = {path.name.split(".")[0] for path in (reading.folder / "rows").glob("*.parquet")}
    for table in tables & {"episode", "visit", "measurement", "treatment", "adverse_event"}:
        column, parent = PARENTS.get(table, ("visit_key", "visit"))
        present = {key for (key,) in accepted(reading, parent, column)}
        assert {key for (key,) in accepted(reading, table, column)} <= present
