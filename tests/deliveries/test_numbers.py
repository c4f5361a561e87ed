"""Which texts are numbers. Nothing is guessed, nothing is rounded to an integer, and no raw text is lost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliveries.conftest import Reader

UNREADABLE = [
    "NaN",
    "nan",
    "inf",
    "-inf",
    "N/A",
    "NA",
    "null",
    '"5,5"',
    " 5",
    "5 ",
    "5\u00a0",
    "\t5",
    "\u0663",
    "\uff15",
    "0x10",
    "1_000",
    "--5",
    "5-",
    "5.5.5",
    "1e400",
    "1234567890123",
    "five",
    "5 points",
    ">5",
    "5/10",
    "=5",
]
READABLE = {"5": 5, "+5": 5, "-0": 0, "00005": 5, "5.0": 5, "5.": 5, "1e1": 10, "0.5e1": 5, "5.0000000004": 5}


def test_texts_that_are_no_numbers_are_kept_beside_the_row(reader: Reader, row: Callable[..., str]) -> None:
    reading = reader.scores(*(row(f"V{i}", value=text) for i, text in enumerate(UNREADABLE)))
    rows = reading.rows("measurement")
    assert rows["value__text"].to_list() == [text.strip('"') for text in UNREADABLE]
    assert rows["value"].null_count() == len(UNREADABLE)
    assert reading.faults == [(number, "measurement.value.readable") for number in range(1, len(UNREADABLE) + 1)]


def test_texts_that_are_numbers(reader: Reader, row: Callable[..., str]) -> None:
    """An exponent or a leading zero is still exact; digits beyond the sixth are below any instrument."""
    reading = reader.scores(*(row(f"V{i}", value=text) for i, text in enumerate(READABLE)))
    rows = reading.rows("measurement")
    assert rows["value"].to_list() == [Decimal(value) for value in READABLE.values()]
    assert rows["value__text"].null_count() == len(READABLE)
    assert reading.faults == []


@pytest.mark.parametrize(
    "text", ["5.5", "5.0", "1e1", "3000000000", "-3000000000", "99999999999999999999", "NaN", " 5"]
)
def test_integer_columns_take_integers_only(reader: Reader, text: str) -> None:
    profile = """
    profile: patients
    version: 1
    description: Patients
    privacy_mode: safe_harbor
    files:
      - {match: "*.csv", tables: [{table: patient, fields: same_names}]}
    """
    reading = reader.files({"p.csv": f"patient_key,sex,age_years,zip3,population\nP1,F,{text},,\n"}, profile)
    assert reading.rows("patient").select("age_years", "age_years__text").rows() == [(None, text)]
    assert reading.faults == [(1, "patient.age_years.readable")]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.decimals(-99_999, 99_999, places=6), min_size=1, max_size=20))
def test_numbers_are_exact(reader: Reader, row: Callable[..., str], values: list[Decimal]) -> None:
    reading = reader.scores(*(row(f"V{i}", value=f"{value:f}") for i, value in enumerate(values)))
    assert reading.rows("measurement")["value"].to_list() == values
