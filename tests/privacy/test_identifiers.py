"""Identifiers by name of a column: what must be caught, and the ordinary names that must be left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.contract import CONTRACT
from assets.deliveries.emitters import emitters_of
from assets.deliveries.gate import agreed_on
from assets.deliveries.profile import PROFILE_FOLDER, Profile
from assets.deliveries.profile.text import read_profile_text
from assets.privacy.identifiers import IDENTIFIER_COLUMNS, SERVICE_DATE, identifying_column

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
        "GPS",
        "address_line2",
        "zip4",
    ],
    "a date of birth": [
        "dob",
        "DOB",
        "PatientDOB",
        "Date of Birth",
        "birth_date",
        "birthdate",
        "BirthDay",
        "birth_datetime",
        "month_of_birth",
    ],
    "a date": ["visit_date", "admit_dt", "dischargeDate", "DOS", "timestamp", "weekday", "service_date"],
    "a telephone number": ["phone", "Phone1", "home_phone", "telephone_no", "Mobile", "cell"],
    "a fax number": ["fax", "fax_number"],
    "an e-mail address": ["email", "E-Mail", "email_address", "EmailAddr"],
    "a social security number": ["ssn", "SSN", "ssn_last4", "ssn4", "last4_ssn", "social_security_number"],
    "a record number": ["mrn", "MRN", "medicalRecordNumber", "chart_no", "nhs number"],
    "a health plan number": ["member_id", "MedicareNo", "policy_number", "insurance_id", "MBI"],
    "an account number": ["account", "acct_no", "claim_id"],
    "a certificate or licence number": ["license_no", "licence", "passport", "therapist_npi"],
    "a vehicle identifier": ["vin", "vehicle_id", "plate_no"],
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
    "calendar_day",
    "recorded_minute",
    "updated",
    "weeks_since_onset",
    "month",
    "year_of_birth",
    "cellular",
    "mailing_consent",
    "telescope",
    "vinyl",
    "serialised",
    "device",
    "imaging",
    "curl_count",
    "ipaq",
    "retinal_exam",
    "photophobia",
    "accountable",
    "claimed",
    "licensed",
    "insurance",
    "payer",
    "member",
    "charted",
    "faxed",
    "initial_score",
]


@pytest.mark.parametrize(("what", "name"), [(what, name) for what, names in COLUMNS.items() for name in names])
def test_identifying_column(what: str, name: str) -> None:
    assert identifying_column(name) == what


def test_every_class_of_column_is_tried() -> None:
    assert {what for what, _ in IDENTIFIER_COLUMNS} == set(COLUMNS)


@pytest.mark.parametrize("name", ORDINARY_COLUMNS)
def test_ordinary_column(name: str) -> None:
    assert identifying_column(name) is None


def test_no_column_of_the_contract_is_identifying() -> None:
    names = {name for table in CONTRACT.tables for name in table.names} | {table.name for table in CONTRACT.tables}
    assert [name for name in sorted(names) if identifying_column(name)] == []


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_no_column_that_a_profile_reads_is_identifying(path: Path) -> None:
    """But dates where the profile declares days of a limited data set."""
    profile = Profile.model_validate(read_profile_text(path).content)  # without the lists it joins
    for file in profile.files:
        emitters = emitters_of(file, profile.extend(CONTRACT))
        used = {column for emitter in emitters for column in emitter.used_columns}
        days = agreed_on(file, emitters, profile).days
        found = {column: identifying_column(column) for column in sorted(used) if identifying_column(column)}
        assert found == dict.fromkeys(sorted(days & set(found)), SERVICE_DATE)
