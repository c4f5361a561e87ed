"""Which elements of a FHIR resource identify somebody; the answer never holds a value."""

from __future__ import annotations

import copy
import gzip
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.privacy.fhir import identifying_elements

if TYPE_CHECKING:
    from pathlib import Path

CLEAN: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "X1",
    "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},
    "extension": [{"url": "urn:needlepoint:day", "valueInteger": 7}],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3", "display": "Pain Severity"}]},
    "subject": {"reference": "Patient/P1"},
    "encounter": {"reference": "https://ehr.example.org/fhir/Encounter/V1"},
    "effectiveDateTime": "2011",
    "reasonReference": [{"reference": "Condition/C1", "display": "Injury of knee"}],
    "performer": [{"reference": "Practitioner/T1"}],
    "valueQuantity": {"value": 3, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
    "component": [{"code": {"coding": [{"system": "s", "code": "c"}], "text": "Left Knee"}, "valueInteger": 3}],
}


def asked(path: str, value: object, mode: str = "safe_harbor") -> list[str]:
    """What is found after ``value`` was put at ``path`` of a clean resource."""
    resource = copy.deepcopy(CLEAN)
    element: Any = resource
    *parents, last = path.split(".")
    for name in parents:
        element = element.setdefault(name, {})
        element = element[0] if isinstance(element, list) else element
    element[last] = value
    return identifying_elements(resource, mode)


@pytest.mark.parametrize("mode", ["safe_harbor", "limited_data_set"])
def test_a_clean_resource_passes(mode: str) -> None:
    assert identifying_elements(CLEAN, mode) == []


@pytest.mark.parametrize("mode", ["safe_harbor", "limited_data_set"])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", [{"family": "Canary"}]),
        ("telecom", [{"value": "555-010-9999"}]),
        ("address", [{"city": "Peabody"}]),
        ("identifier", [{"value": "219-09-9999"}]),
        ("photo", [{"data": "/9j/"}]),
        ("contact", [{"name": {}}]),
        ("contained", [{"resourceType": "Patient"}]),
        ("link", [{"other": {"reference": "Patient/2"}}]),
        ("text", {"status": "generated", "div": "<div>Mary</div>"}),
        ("note", [{"text": "x"}]),
        ("birthDate", "1961"),
        ("deceasedDateTime", "2019"),
        ("valueString", "Positive"),
        ("meta.source", "https://ehr.example.org"),
        ("subject.display", "Mary Canary"),
        ("performer.display", "x"),
        ("generalPractitioner", [{"display": "Dr. Canary"}]),
        ("subject.identifier", {"value": "1"}),
        ("component.note", "x"),
        ("modifierExtension", [{"url": "http://example.org", "valueCode": "x"}]),
        ("extension", [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"}]),
        ("extension", [{"url": "urn:needlepoint:note", "valueString": "x"}]),
        ("extension", [{"url": "urn:needlepoint:day", "valueInteger": 1, "id": "x"}]),
        ("extension", ["x"]),
        ("_status", {"extension": []}),
        ("id", "219-09-9999"),
        ("category.coding", [["219-09-9999"]]),
        ("category.coding", [[{"display": "Mary Canary"}]]),
        ("status", "mary@example.org"),
        ("code.text", "call 555-010-9999"),
        ("code.coding.display", "seen 2011-05-06 by Dr. Canary"),
        ("reasonReference.display", "called 555-010-9999"),
    ],
)
def test_identifying_element(path: str, value: object, mode: str) -> None:
    (found,) = asked(path, value, mode)
    assert path == found or found.startswith(path)


@pytest.mark.parametrize("date", ["2011-05", "2011-05-06", "2011-05-06T07:08:09.123+00:00"])
@pytest.mark.parametrize(
    "path", ["effectiveDateTime", "issued", "period.start", "component.valueDateTime", "meta.lastUpdated"]
)
def test_dates_pass_in_a_limited_data_set_only(path: str, date: str) -> None:
    assert asked(path, date) == asked(path, [[date]]) == [path]
    assert asked(path, date, "limited_data_set") == []


def test_years_and_terms_pass() -> None:
    assert asked("effectiveDateTime", "2011") == []
    assert asked("code.text", "Pain Severity") == []
    assert (
        asked("valueCodeableConcept", {"coding": [{"code": "1", "display": "Body Height"}], "text": "Body Height"})
        == []
    )


def test_an_age_over_90_is_named() -> None:
    age = {"url": "urn:needlepoint:age", "valueInteger": 91}
    assert asked("extension", [age]) == ["extension.age"]
    assert asked("extension", [{**age, "valueInteger": 90}]) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "text", "display", "extension", "url", "reference", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["name", "text", "display", "extension", "subject", "x"]), json_values))
def test_any_json_is_answered_with_names_only(resource: dict[str, object]) -> None:
    for found in identifying_elements(resource, "safe_harbor"):
        assert set(found.split(".")) <= {
            "name",
            "text",
            "display",
            "extension",
            "subject",
            "url",
            "reference",
            "x",
            "age",
        }


@pytest.mark.shared
def test_raw_synthea_is_full_of_identifying_elements(shared_data: Path) -> None:
    counts: Counter[str] = Counter()
    with gzip.open(shared_data / "synthea_fhir_r4" / "Patient.000.ndjson.gz", "rt", encoding="utf-8") as file:
        patients = [json.loads(line) for line in file]
    for patient in patients:
        counts.update(identifying_elements(patient, "limited_data_set"))
    for element in ("name", "telecom", "address", "identifier", "birthDate", "text", "extension"):
        assert counts[element] == len(patients)
    assert counts["deceasedDateTime"] == 49
