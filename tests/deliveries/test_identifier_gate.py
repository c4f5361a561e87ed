"""A delivery with names, dates of birth or numbers of persons is refused, and the sentence never shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract.tables import AGE_TOP_CODE_YEARS, OLDEST_PERSON_YEARS
from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.deliveries.conftest import Reader, Reading

VALUES = [
    "219-09-9999",
    "Mary Canary",
    "CANARY, MARY",
    "1961-04-17",
    "04/17/1961",
    "canary@example.org",
    "(555) 010-9999",
]
PATIENTS = """
profile: patients
version: 1
description: Patients
privacy_mode: safe_harbor
files:
  - match: "*.csv"
    ignored: [{ignored}]
    tables:
      - table: patient
        fields:
          patient_key: id
          sex: {{column: sex, codes: {{"Female Patient": F, "Not Known": unknown}}}}
"""


EVERYTHING = """
profile: everything
version: 1
description: Patients with age, ZIP code and visits
privacy_mode: {mode}
files:
  - match: "*.csv"
    ignored: [x]
    tables:
      - table: patient
        fields:
          patient_key: id
          sex: {{constant: unknown}}
          age_years: {{column: age, missing: ["99"]}}
          zip3: zip3
      - table: episode
        fields:
          episode_key: id
          patient_key: id
          clinic_key: {{constant: A}}
          condition_id: {{constant: neck_pain}}
          discharge_reason: {{constant: unknown}}
      - table: visit
        fields:
          visit_key: id
          episode_key: id
          calendar_day: visit_date
          visit_type: {{constant: eval}}
          attendance: {{constant: attended}}
"""
HEADER = "id,age,zip3,visit_date,x"


def everything(reader: Reader, *lines: str, mode: str = "limited_data_set", header: str = HEADER) -> Reading:
    return reader.files({"p.csv": "\n".join((header, *lines)) + "\n"}, EVERYTHING.format(mode=mode))


@pytest.mark.parametrize("value", VALUES)
def test_identifying_keys_stop_the_delivery(reader: Reader, row: Callable[..., str], value: str) -> None:
    cell = f'"{value}"' if "," in value else value
    reading = reader.scores(row("V1"), row("V2", rater_key=cell))
    assert (reading.delivery.state, reading.delivery.problem_code) == (State.REJECTED, "PHI_SUSPECTED")
    assert "scores.csv: column 'rater_key': 1 of 2 values look like" in str(reading.delivery.problem)
    assert "(first in row 2)" in str(reading.delivery.problem)
    assert value not in reading.record
    assert not list((reading.folder / "rows").iterdir())
    assert reading.delivery.rejected == 2


def test_all_columns_are_named_with_counts(reader: Reader) -> None:
    reading = everything(
        reader,
        "219-09-9999,40,973,2025-03-01,Mary Canary",
        "219-09-9998,95,97301,2025-03-08,",
        "P3,91,821,2025-03-15,555-010-9999",
    )
    assert str(reading.delivery.problem).startswith(
        "p.csv: column 'id': 2 of 3 values look like social security numbers (first in row 1);"
        " column 'age': 2 of 3 values are ages over 90;"
        " column 'zip3': 2 of 3 values are ZIP codes that are whole or of an area of few people;"
        " column 'x': 1 of 2 values look like"
    )
    for value in ("219-09", "Canary", "97301", "555-010"):
        assert value not in reading.record


def test_of_many_columns_ten_are_named(reader: Reader) -> None:
    names = [f"x{number}" for number in range(13)]
    feed = {"p.csv": ",".join(["id", "sex", *names]) + "\nP1,Not Known" + ",a@example.org" * 13 + "\n"}
    problem = str(reader.files(feed, PATIENTS.format(ignored=", ".join(names))).delivery.problem)
    assert problem.count("e-mail addresses") == 10
    assert "; 3 more columns." in problem


def test_names_and_values_are_said_together(reader: Reader) -> None:
    feed = {"p.csv": "id,sex,phone,x\n219-09-9999,Not Known,y,z\n"}
    problem = str(reader.files(feed, PATIENTS.format(ignored="phone, x")).delivery.problem)
    assert "column 'id': 1 of 1 values look like social security numbers" in problem
    assert "column 'phone': named like a telephone number (1 filled in)" in problem


@pytest.mark.parametrize("column", ["id", "x"])
def test_columns_are_searched_to_the_last_row(reader: Reader, column: str) -> None:
    """Keys as well as columns that nothing is made of."""
    lines = "".join(f"K{i},Not Known,x\n" for i in range(12_000))
    last = {"id": "219-09-9999,Not Known,x", "x": "K,Not Known,219-09-9999"}[column]
    reading = reader.files({"p.csv": f"id,sex,x\n{lines}{last}\n"}, PATIENTS.format(ignored="x"))
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert f"column '{column}': 1 of 12,001 values" in str(reading.delivery.problem)
    assert "(first in row 12,001)" in str(reading.delivery.problem)


@pytest.mark.parametrize("column", ["date_of_birth", "DOB", "Patient Name", "phone1", "mrn", "ZipCode", "Notes"])
def test_identifying_columns_stop_the_delivery(reader: Reader, column: str) -> None:
    """Also one that the profile lists: ignoring it would still copy it."""
    for ignored in ("", column):
        reading = reader.files({"p.csv": f"id,sex,{column}\nP1,Not Known,x\n"}, PATIENTS.format(ignored=ignored))
        assert reading.delivery.problem_code == "PHI_SUSPECTED"
        assert "needlepoint deidentify" in str(reading.delivery.problem)


def test_an_identifying_column_without_values_identifies_nobody(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex,phone\nP1,Not Known,\nP2,Not Known, \n"}, PATIENTS.format(ignored="phone"))
    assert reading.delivery.state is State.TYPED


def test_values_of_ignored_columns_are_searched(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex,x\nP1,Not Known,Mary Canary\n"}, PATIENTS.format(ignored="x"))
    assert "column 'x': 1 of 1 values look like names of persons" in str(reading.delivery.problem)
    assert "Canary" not in reading.record


def test_codes_that_the_profile_lists_are_not_names(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex\nP1,Female Patient\nP2,Not Known\n"}, PATIENTS.format(ignored=""))
    assert reading.rows("patient")["sex"].to_list() == ["F", "unknown"]


def test_declared_days_may_be_dates_in_a_limited_data_set(reader: Reader) -> None:
    reading = everything(reader, "P1,90,973,2025-03-01,", "P2,40,000,2025-03-02,")
    assert reading.delivery.state is State.TYPED
    assert reading.rows("visit")["calendar_day"].null_count() == 0


@pytest.mark.parametrize(
    ("mode", "line", "header"),
    [
        ("safe_harbor", "P1,40,973,2025-03-01,", HEADER),
        ("limited_data_set", "P1,40,973,2025-03-01,2025-03-01", HEADER),
        ("limited_data_set", "P1,40,973,2025-03-01,y", f"{HEADER[:-1]}service_date"),
        ("limited_data_set", "P1,40,973,2025-03-01,y", f"{HEADER[:-1]}birth_date"),
    ],
)
def test_dates_elsewhere_stop_the_delivery(reader: Reader, mode: str, line: str, header: str) -> None:
    reading = everything(reader, line, mode=mode, header=header)
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert "date" in str(reading.delivery.problem)


def test_a_declared_day_may_hold_nothing_but_dates(reader: Reader) -> None:
    reading = everything(reader, "P1,40,973,Mary Canary,")
    assert "column 'visit_date': 1 of 1 values look like names of persons" in str(reading.delivery.problem)


def test_a_birth_date_declared_as_a_day_is_refused(reader: Reader) -> None:
    profile = EVERYTHING.format(mode="limited_data_set").replace("visit_date", "dob")
    reading = reader.files({"p.csv": "id,age,zip3,dob,x\nP1,40,973,1961-04-17,\n"}, profile)
    assert "column 'dob': named like a date of birth" in str(reading.delivery.problem)


@pytest.mark.parametrize("age", [AGE_TOP_CODE_YEARS + 1, OLDEST_PERSON_YEARS])
def test_ages_of_the_very_old_stop_the_delivery(reader: Reader, age: int) -> None:
    reading = everything(reader, "P1,40,973,2025-03-01,", f"P2,{age},973,2025-03-01,")
    assert "column 'age': 1 of 2 values are ages over 90" in str(reading.delivery.problem)


@pytest.mark.parametrize(("age", "faults"), [("90", 0), ("99", 0), ("121", 1), ("250", 1)])
def test_missing_codes_and_typing_errors_are_no_ages(reader: Reader, age: str, faults: int) -> None:
    reading = everything(reader, f"P1,{age},973,2025-03-01,")
    assert (reading.delivery.state, len(reading.faults)) == (State.TYPED, faults)


@pytest.mark.parametrize("code", ["97301", "97301-1234", "1001", "036", "821", "830", "202", "098"])
def test_zip_codes_of_few_people_stop_the_delivery(reader: Reader, code: str) -> None:
    reading = everything(reader, "P1,40,973,2025-03-01,", f"P2,40,{code},2025-03-01,")
    assert "column 'zip3': 1 of 2 values are ZIP codes" in str(reading.delivery.problem)


def test_numbers_of_parquet_are_searched_for_ages_and_zip_codes(reader: Reader, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["P1"], "age": [95], "zip3": [97301], "visit_date": ["2025-03-01"], "x": [2190999999]})
    frame.write_parquet(tmp_path / "p.parquet")
    profile = EVERYTHING.format(mode="limited_data_set").replace('"*.csv"', '"*.parquet"\n    format: parquet')
    problem = str(reader.files({"p.parquet": (tmp_path / "p.parquet").read_bytes()}, profile).delivery.problem)
    assert "column 'age': 1 of 1 values are ages over 90" in problem
    assert "column 'zip3': 1 of 1 values are ZIP codes" in problem


def test_a_header_line_that_is_missing_is_not_quoted(reader: Reader) -> None:
    """Without a header line the first patient's values stand where column names are expected."""
    reading = reader.files({"p.csv": "id,Mary Canary 1961\nP1,x\n"}, PATIENTS.format(ignored=""))
    assert reading.delivery.state is State.REJECTED
    assert "Canary" not in reading.record


def test_a_column_sent_twice_is_still_looked_at_by_name(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex,phone,sex\nP1,F,5550109999,F\n"}, PATIENTS.format(ignored=""))
    assert "column 'phone': named like a telephone number (1 filled in)" in str(reading.delivery.problem)
