"""The identifier gate: what it must catch, and the ordinary names, keys and codes it must leave alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.contract.checks import allowed_codes
from assets.deliveries.emitters import emitters_of
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.privacy.identifiers import IDENTIFIER_COLUMNS, identifying_column, identifying_values

PROFILES = [*PROFILE_FOLDER.glob("*.yaml"), *(Path(__file__).resolve().parents[1] / "profiles").glob("*.yaml")]

COLUMNS = {
    "a name": [
        "name",
        "Name",
        "first_name",
        "LastName",
        "patientName",
        "PATIENT NAME",
        "surname",
        "maiden-name",
        "initials",
        "contact.name",
        "fname",
        "name_last",
        "forename",
        "Family Name",
        "last_name2",
    ],
    "a place smaller than a state": [
        "address",
        "Address1",
        "street",
        "City",
        "zip",
        "ZIP5",
        "zip_code",
        "ZipCode",
        "postcode",
        "postal code",
        "county",
        "latitude",
    ],
    "a date": [
        "dob",
        "DOB",
        "PatientDOB",
        "Date of Birth",
        "birth_date",
        "birthdate",
        "BirthDay",
        "visit_date",
        "admit_dt",
    ],
    "a telephone number": ["phone", "Phone1", "home_phone", "telephone_no", "Mobile", "cell"],
    "a fax number": ["fax", "fax_number"],
    "an e-mail address": ["email", "E-Mail", "email_address", "EmailAddr"],
    "a social security number": ["ssn", "SSN", "ssn_last4", "social_security_number"],
    "a record number": ["mrn", "MRN", "medicalRecordNumber", "chart_no", "nhs number"],
    "a health plan number": ["member_id", "MedicareNo", "policy_number", "insurance_id"],
    "an account number": ["account", "acct_no", "claim_id"],
    "a certificate or licence number": ["license_no", "licence", "passport"],
    "a vehicle identifier": ["vin", "vehicle_id"],
    "a device identifier": ["serial", "device_id", "imei"],
    "a web address": ["url", "website"],
    "an IP address": ["ip", "ip_address", "IPAddress"],
    "a biometric identifier": ["fingerprint", "voice_print"],
    "a photograph": ["photo", "image_url"],
    "free text or another identifier": ["notes", "comment", "Free Text", "occupation", "employer", "barcode"],
}
ORDINARY_COLUMNS = [
    "id",
    "age",
    "sex",
    "migraine",
    "chronicity",
    "acupuncturist",
    "practice_id",
    "group",
    "pk1",
    "f1",
    "fbef",
    "grp",
    "side",
    "person",
    "patient",
    "patient_id",
    "pat_key",
    "clinic",
    "therapist_id",
    "nprs",
    "pain_now",
    "day",
    "weeks",
    "unit",
    "diagnosis",
    "condition",
    "year",
    "zip3",
    "state",
    "cellulitis",
    "mobility",
    "telehealth",
    "dataset",
    "update_count",
    "cityscape",
    "ipsilateral",
    "tested",
    "notebook_no",
    "named_nurse_present",
]
VALUES = {
    "social security numbers": ["219-09-9999", "219 09 9999", " 219-09-9999 "],
    "e-mail addresses": ["a@b.org", "mary.canary+x@clinic.example.com", "mailto:a@b.org"],
    "telephone numbers": [
        "555-010-9999",
        "(555) 010-9999",
        "(555)010-9999",
        "+1 555 010 9999",
        "555.010.9999",
        "1-555-010-9999",
        "+44 20 7946 0958",
    ],
    "calendar dates": [
        "1961-04-17",
        "1961-04-17T10:00:00",
        "1961-04-17 10:00",
        "4/17/61",
        "04/17/1961",
        "04/17/1961 10:00",
        "1961/04/17",
        "17.04.1961",
        "17-04-1961",
        "17 Apr 1961",
        "17-APR-61",
        "April 17, 1961",
    ],
    "names of persons": [
        "Mary Canary",
        "CANARY, MARY",
        "Canary,Mary",
        "Mary A. Canary",
        "Mary Ann Canary",
        "Mary O'Brien",
        "Jos\u00e9 M\u00fcller",
        "Anne Smith-Jones",
        "canary, mary",
        "MARY CANARY",
    ],
    "web addresses": ["https://example.org/x", "www.example.org"],
}
ORDINARY_VALUES = [
    "",
    "P1",
    "P-001",
    "E12-month-3",
    "clinic-7",
    "practice-35",
    "a1b2c3d4e5f6",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "20250304",
    "5550109999",
    "123456789",
    "12-34-56",
    "1-2",
    "12.5",
    "-7",
    "1e3",
    "NaN",
    "N/A",
    "unknown",
    "dry_needling",
    "usual care",
    "DRY_NEEDLING",
    "Acupuncture",
    "M54.50",
    "G44.2-",
    "LEFT",
    "F",
    "90+",
    "5,5",
    "1,000",
    "v1.2.3",
    "2025",
    "2025-03",
    "03/2025",
    "10/10",
    "site:3.4",
    "Smith",
    "x" * 64,
    "deg",
    "goniometer",
    "=1+1",
    "<b>",
    "None",
]


def found(values: list[str]) -> tuple[str, int, str] | None:
    frame = pl.LazyFrame({"column": values}, schema={"column": pl.String}).with_row_index("row", offset=1)
    return identifying_values(frame, ("column",), "row")


@pytest.mark.parametrize(("what", "name"), [(what, name) for what, names in COLUMNS.items() for name in names])
def test_identifying_column(what: str, name: str) -> None:
    assert identifying_column(name) == what


def test_every_class_of_column_is_tried() -> None:
    assert {what for what, _ in IDENTIFIER_COLUMNS} == set(COLUMNS)


@pytest.mark.parametrize("name", ORDINARY_COLUMNS)
def test_ordinary_column(name: str) -> None:
    assert identifying_column(name) is None


def test_no_column_of_the_contract_or_a_profile_is_identifying() -> None:
    names = {name for table in CONTRACT.tables for name in table.names} | {table.name for table in CONTRACT.tables}
    for path in PROFILES:
        profile = load_profile(path, CONTRACT)
        for file in profile.files:
            names |= set(file.ignored)
            names |= {name for emitter in emitters_of(file, profile.extend(CONTRACT)) for name in emitter.used_columns}
    assert [name for name in sorted(names) if identifying_column(name)] == []


@pytest.mark.parametrize(("what", "value"), [(what, value) for what, values in VALUES.items() for value in values])
def test_identifying_value(what: str, value: str) -> None:
    assert found(["x", value, value]) == ("column", 2, what)


@pytest.mark.parametrize("value", ORDINARY_VALUES)
def test_ordinary_value(value: str) -> None:
    assert found([value]) is None


def test_no_code_of_the_contract_is_identifying() -> None:
    codes = [
        code for table in CONTRACT.tables for column in table.columns for code in allowed_codes(CONTRACT, table, column)
    ]
    assert found([*codes, *(measure.unit for measure in CONTRACT.measures)]) is None


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"\A[A-Z]{1,4}[0-9]{1,9}(-[a-z]+)?(-[0-9]{1,3})?\Z"))
def test_keys_of_the_usual_form_pass(key: str) -> None:
    assert found([key]) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_is_answered(values: list[str]) -> None:
    """Also where two engines could differ about white space and digits."""
    for text in (values, [f"{value}@{value}.{value}" for value in values], [f"A{value} B" for value in values]):
        answer = found(text)
        assert answer is None or answer[2] in VALUES


def test_first_column_and_row_are_named_and_nulls_pass() -> None:
    frame = pl.LazyFrame(
        {"row": [1, 2, 3], "a": [None, "x", "y"], "b": ["x", None, "219-09-9999"], "c": ["a@b.org", "x", "y"]}
    )
    assert identifying_values(frame, ("a", "b", "c"), "row") == ("b", 3, "social security numbers")
    assert identifying_values(frame.head(0), ("a", "b", "c"), "row") is None
