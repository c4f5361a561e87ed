"""De-identified FHIR: an allow-list of elements, keys, days and years; nothing of any patient in any output byte."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.privacy.deidentify_fhir import CleanResources, note_course, parse_resource, write_resource
from assets.privacy.fhir import identifying_elements
from assets.privacy.fhir_kept import KEPT
from assets.privacy.keys import Keys

KEYS = Keys(b"0123456789abcdef0123456789abcdef")
FHIR = """
profile: fhir_feed
version: 1
description: Two types of resource
privacy_mode: safe_harbor
files:
  - match: "Patient*.ndjson"
    format: fhir
    resource: Patient
    columns: {id: id, sex: gender}
    tables:
      - {table: patient, fields: {patient_key: id, sex: {column: sex, codes: {female: F, male: M}}}}
  - match: "Observation*.ndjson"
    format: fhir
    resource: Observation
    columns: {encounter: encounter.reference, value: valueQuantity.value}
    tables:
      - table: measurement
        fields:
          visit_key: encounter
          measure_id: {constant: nprs_avg24h}
          side: {constant: none}
          value: value
          unit: {constant: points}
"""
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p-1",
    "text": {"status": "generated", "div": "<div>Mary Canary</div>"},
    "identifier": [{"system": "mrn", "value": "MRN00123"}],
    "name": [{"family": "Canary"}],
    "birthDate": "1961-04-17",
    "deceasedDateTime": "2020-01-01",
    "gender": "female",
    "extension": [
        {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": "F"},
        {"url": "urn:needlepoint:age", "valueInteger": 12},
    ],
}


def event(
    kind: str = "Observation", identity: str = "o-1", date: str = "2011-10-14T23:37:54+02:00", **more: Any
) -> dict[str, Any]:
    element = {"Observation": "effectiveDateTime", "Condition": "onsetDateTime", "Procedure": "performedDateTime"}[kind]
    return {
        "resourceType": kind,
        "id": identity,
        "subject": {"reference": "Patient/p-1", "display": "Mary Canary"},
        "encounter": {"reference": "Encounter/e-1"},
        element: date,
        **more,
    }


def cleaned(*resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Through text, as files go."""
    parsed = [resource for resource in map(parse_resource, map(json.dumps, resources)) if resource]
    courses: dict[str, Any] = {}
    for resource in parsed:
        note_course(resource, courses)
    cleaner = CleanResources(courses, KEYS)
    written = [write_resource(one) for one in map(cleaner.clean, parsed) if one is not None]
    found = [json.loads(line) for line in written]
    assert [identifying_elements(one, "safe_harbor") for one in found] == [[]] * len(found)
    return found


def ours(resource: dict[str, Any]) -> dict[str, int]:
    return {one["url"].removeprefix("urn:needlepoint:"): one["valueInteger"] for one in resource.get("extension", [])}


def test_a_patient_is_a_key_a_gender_and_an_age() -> None:
    patient, _ = cleaned(PATIENT, event())
    assert patient == {
        "resourceType": "Patient",
        "id": KEYS.key("patient", "Patient/p-1"),
        "extension": [{"url": "urn:needlepoint:age", "valueInteger": 50}],
        "gender": "female",
    }


def test_birth_sex_stands_in_for_a_missing_gender() -> None:
    (patient,) = cleaned({key: value for key, value in PATIENT.items() if key != "gender"})
    assert patient["gender"] == "female"


def test_an_event_keeps_codes_numbers_references_and_its_day() -> None:
    first = event(
        "Condition",
        "c-1",
        "2011-10-01",
        code={"coding": [{"system": "s", "code": "c", "display": "Neck"}], "text": "hers"},
    )
    value = {"value": 3, "unit": "points", "code": "{score}"}
    _, condition, observation = cleaned(
        PATIENT, first, event(valueQuantity=value, note=[{"text": "call Mary"}], issued="2011")
    )
    assert ours(condition) == {"day": 0}
    assert condition["code"] == {"coding": [{"system": "s", "code": "c"}]}
    assert condition["onsetDateTime"] == "2011"
    assert ours(observation) == {"day": 13, "minute": 23 * 60 + 37}
    assert observation["valueQuantity"] == value
    assert observation["subject"] == {"reference": f"Patient/{KEYS.key('patient', 'Patient/p-1')}"}
    assert observation["encounter"] == {"reference": f"Encounter/{KEYS.key('visit', 'Encounter/e-1')}"}
    assert not {"note", "issued"} & observation.keys()


@pytest.mark.parametrize("number", ["1.10", "0.420343784903078", "1E+2", "-0.0", "12345678901234567890.5"])
def test_numbers_stay_as_they_were_written(number: str) -> None:
    line = json.dumps(event(valueQuantity={"value": "HERE"})).replace('"HERE"', number)
    resource = parse_resource(line)
    assert resource is not None
    cleaned_resource = CleanResources({}, KEYS).clean(resource)
    assert f'"value":{number}}}' in write_resource(cleaned_resource)


@pytest.mark.parametrize(
    ("reference", "kept"),
    [
        ("https://ehr.example.org/fhir/Patient/p-1", "Patient/p-1"),
        ("Patient/p-1/_history/3", "Patient/p-1"),
        ("Practitioner?identifier=npi|1234567893", "Practitioner/identifier=npi|1234567893"),
    ],
)
def test_references_of_every_form_become_keys(reference: str, kept: str) -> None:
    (found,) = cleaned(event(performer=[{"reference": reference}]))
    domain = "patient" if kept.startswith("Patient") else "therapist"
    assert found["performer"] == [{"reference": f"{kept.partition('/')[0]}/{KEYS.key(domain, kept)}"}]


@pytest.mark.parametrize("reference", ["#contained", "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", "Mary", 7, None])
def test_references_that_point_nowhere_are_dropped(reference: object) -> None:
    (found,) = cleaned(event(performer=[{"reference": reference}]))
    assert "performer" not in found


def test_ids_are_told_apart_by_case() -> None:
    upper, lower = cleaned(event(identity="A"), event(identity="a"))
    assert upper["id"] != lower["id"]


@pytest.mark.parametrize(("last", "age"), [("2051-04-16", 60), ("2051-04-17", 90), ("2060-01-01", 90)])
def test_whoever_reaches_90_is_90_from_the_start(last: str, age: int) -> None:
    """Else the age at the first event and the days to the last would tell the age."""
    patient, *_ = cleaned(PATIENT, event(date="2021-05-01"), event(date=last))
    assert ours(patient) == {"age": age}


@settings(max_examples=100)
@given(st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)), min_size=1, max_size=30))
def test_no_date_survives_and_years_do_not_give_it_away(dates: list[dt.date]) -> None:
    """Whatever day of the first year the first event had, years and days are the same."""
    events = cleaned(*(event(date=date.isoformat()) for date in dates))
    assert [ours(one)["day"] for one in events] == [(date - min(dates)).days for date in dates]
    assert all(re.fullmatch(r"\d{4}", one["effectiveDateTime"]) for one in events)
    shift = dt.date(min(dates).year, 1, 1) - min(dates)
    moved = cleaned(*(event(date=(date + shift).isoformat()) for date in dates))
    assert [one["effectiveDateTime"] for one in moved] == [one["effectiveDateTime"] for one in events]
    first = next(one for one in events if ours(one)["day"] == 0)
    assert first["effectiveDateTime"] == str(min(dates).year)


@pytest.mark.parametrize("date", ["2011", "2011-05", "2011-02-30", "9999-12-31", "soon", ""])
def test_dates_of_which_no_day_can_be_counted(date: str) -> None:
    found = cleaned(event(date=date), event(identity="o-2"))[0]
    assert set(ours(found)) <= {"day"}
    assert found.get("effectiveDateTime", "2011") in ("2011", "9999", "soon")


@pytest.mark.parametrize("within", [["2011-05-06"], ["Mary Canary"], [["Canary"]], [{"code": "Canary"}]])
def test_a_list_within_a_list_is_dropped(within: list[Any]) -> None:
    (found,) = cleaned(event(code={"coding": [within, {"system": "urn:s", "code": "kept"}]}))
    assert found["code"] == {"coding": [{"system": "urn:s", "code": "kept"}]}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2011-05-06", "Mary Canary"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["reference", "coding", "code", "system", "value", "unit", "start", "text", "display"]),
            inner,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(KEPT)),
    st.dictionaries(st.sampled_from(sorted({p.split(".")[0] for ps in KEPT.values() for p in ps})), json_values),
)
def test_what_any_json_becomes_passes_the_gate_in_form(kind: str, content: dict[str, Any]) -> None:
    resource = parse_resource(json.dumps({**content, "resourceType": kind, "id": "x"}))
    assert resource is not None
    courses: dict[str, Any] = {}
    note_course(resource, courses)
    text = write_resource(CleanResources(courses, KEYS).clean(resource))
    assert not re.search(r"\d{4}-\d{2}|Canary|display|text", text)
    assert json.loads(text)["id"] != "x"


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "{}", '{"resourceType": 1}', '{"resourceType": "Patient", "id": NaN}', "[" * 100_000]
)
def test_lines_without_a_resource(line: str) -> None:
    assert parse_resource(line) is None


def test_files_of_resources(clinic: Any) -> None:
    lines = [json.dumps(PATIENT), "not json", json.dumps({"resourceType": "Claim", "id": "1"})]
    observations = [json.dumps(event(valueQuantity={"value": 3})), json.dumps(event(identity="o-2", date="2011-10-20"))]
    raw = clinic.write(
        {
            "Patient.000.ndjson.gz": gzip.compress("\n".join(lines).encode()),
            "Observation.000.ndjson": "\n".join(observations) + "\n\n",
        }
    )
    report = clinic.deidentify(raw, profile=clinic.profile(FHIR))
    files = {file.name: file for file in report.files}
    patients = files["Patient.000.ndjson.gz"]
    assert (patients.records, patients.written, sorted(patients.left_out.values())) == (3, 1, [1, 1])
    assert patients.written_as == "feed/Patient.000.ndjson"
    assert patients.dropped["element 'name'"] == 1
    assert patients.dropped["element 'extension'"] == 1
    delivery, _ = clinic.read()
    assert (delivery.problem, delivery.ingested) == (None, 3)
    assert not re.search(r"Canary|MRN00123|1961|p-1|o-1|e-1\b", clinic.text())


@pytest.mark.shared
@pytest.mark.long
def test_nothing_of_any_synthea_patient_is_left(clinic: Any, shared_data: Path) -> None:
    source = shared_data / "synthea_fhir_r4"
    names = [f"{kind}.000.ndjson.gz" for kind in ("Patient", "Observation", "Encounter", "Condition", "Procedure")]
    raw = clinic.write({name: (source / name).read_bytes() for name in names})
    profile = Path(__file__).resolve().parents[1] / "profiles" / "synthea_fhir_r4.yaml"
    report = clinic.deidentify(raw, profile=profile)
    assert sum(file.written for file in report.files) > 30_000
    text = clinic.text()
    tokens = set(re.findall(r"[A-Za-z0-9_'-]+", text))
    with gzip.open(source / "Patient.000.ndjson.gz", "rt", encoding="utf-8") as file:
        patients = [json.loads(line) for line in file]
    for patient in patients:
        numbers = [one["value"] for one in patient["identifier"]] + [one["value"] for one in patient["telecom"]]
        people = [name for one in patient["name"] for name in (one["family"], *one["given"])]
        lines = [line for one in patient["address"] for line in one["line"]]
        places = [one["postalCode"] for one in patient["address"] if "postalCode" in one]
        for value in (patient["id"], patient["birthDate"], *numbers, *lines):
            assert value not in text
        for value in (*people, *places):
            assert value not in tokens
    for name in names:
        with gzip.open(source / name, "rt", encoding="utf-8") as file:
            ids = {json.loads(line)["id"] for line in file}
        assert not ids & tokens
    resources = "\n".join(path.read_text(encoding="utf-8") for path in (clinic.folder / "out").rglob("*.ndjson"))
    assert not re.search(r'"(?:19|20)\d{2}-\d{2}', resources)
