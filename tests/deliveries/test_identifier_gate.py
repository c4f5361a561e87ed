"""A delivery with names, dates of birth or numbers of persons is refused, and the sentence never shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliveries.conftest import Reader

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


@pytest.mark.parametrize("value", VALUES)
def test_identifying_keys_stop_the_delivery(reader: Reader, row: Callable[..., str], value: str) -> None:
    cell = f'"{value}"' if "," in value else value
    reading = reader.scores(row("V1"), row("V2", rater_key=cell))
    assert (reading.delivery.state, reading.delivery.problem_code) == (State.REJECTED, "PHI_SUSPECTED")
    assert "scores.csv, row 2, column 'rater_key'" in str(reading.delivery.problem)
    assert value not in reading.record
    assert not list((reading.folder / "rows").iterdir())
    assert reading.delivery.rejected == 2


def test_own_keys_are_searched_to_the_last_row(reader: Reader) -> None:
    lines = "".join(f"K{i},Not Known\n" for i in range(12_000))
    reading = reader.files({"p.csv": f"id,sex\n{lines}219-09-9999,Not Known\n"}, PATIENTS.format(ignored=""))
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert "row 12001, column 'id'" in str(reading.delivery.problem)


@pytest.mark.parametrize("column", ["date_of_birth", "DOB", "Patient Name", "phone1", "mrn", "ZipCode", "Notes"])
def test_identifying_columns_stop_the_delivery(reader: Reader, column: str) -> None:
    """Also one that the profile lists: ignoring it would still copy it."""
    for ignored in ("", column):
        reading = reader.files({"p.csv": f"id,sex,{column}\nP1,Not Known,x\n"}, PATIENTS.format(ignored=ignored))
        assert reading.delivery.problem_code == "PHI_SUSPECTED"
        assert "Send the file without it" in str(reading.delivery.problem)


def test_values_of_ignored_columns_are_searched(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex,x\nP1,Not Known,Mary Canary\n"}, PATIENTS.format(ignored="x"))
    assert "row 1, column 'x'" in str(reading.delivery.problem)
    assert "Canary" not in reading.record


def test_codes_that_the_profile_lists_are_not_names(reader: Reader) -> None:
    reading = reader.files({"p.csv": "id,sex\nP1,Female Patient\nP2,Not Known\n"}, PATIENTS.format(ignored=""))
    assert reading.rows("patient")["sex"].to_list() == ["F", "unknown"]


def test_a_header_line_that_is_missing_is_not_quoted(reader: Reader) -> None:
    """Without a header line the first patient's values stand where column names are expected."""
    reading = reader.files({"p.csv": "id,Mary Canary 1961\nP1,x\n"}, PATIENTS.format(ignored=""))
    assert reading.delivery.state is State.REJECTED
    assert "Canary" not in reading.record
