"""One source row that feeds several tables: accepted whole or set aside whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.deliveries.conftest import Reader

TRIAL = """
profile: trial
version: 1
description: One row per patient, two visits, days beside a score
privacy_mode: safe_harbor
measures:
  - {id: score, label: S, kind: pain, unit: points, better: lower, low: 0, high: 100, why: a, decimals: 2, source: b}
  - {id: days, label: Days, kind: pain, unit: days, better: lower, low: 0, high: 28, why: a, decimals: 2, source: b}
files:
  - match: "*.FORMAT"
    format: FORMAT
    tables:
      - table: patient
        fields: {patient_key: {columns: [site, id]}, sex: {column: sex, codes: {"1": F, "0": M}}, age_years: age}
      - table: episode
        fields:
          episode_key: {columns: [site, id], prefix: "E"}
          patient_key: {columns: [site, id]}
          clinic_key: {column: site, prefix: "S"}
          condition_id: {constant: tension_headache}
          discharge_reason: {constant: unknown}
    visits:
      - name: start
        day: 0
        visit_type: eval
        scores:
          - {measure: score, column: s0, missing: ["99"]}
          - {measure: days, column: d0, missing: ["99"], missing_when_blank: s0}
      - name: end
        day: 90
        visit_type: follow_up
        scores:
          - {measure: score, column: s1, missing: ["99"]}
          - {measure: days, column: d1, missing: ["99"], missing_when_blank: s1}
"""
HEADER = "site,id,sex,age,s0,d0,s1,d1\n"

HIPS = """
profile: hips
version: 1
description: One row per hip
privacy_mode: safe_harbor
files:
  - match: "*.csv"
    tables:
      - table: patient
        fields: {patient_key: {column: person, prefix: "P"}, sex: sex}
      - table: episode
        fields:
          episode_key: {column: person, prefix: "E"}
          patient_key: {column: person, prefix: "P"}
          clinic_key: {constant: bath}
          condition_id: {constant: low_back_pain}
          discharge_reason: {constant: unknown}
    visits:
      - name: before
        day: 0
        visit_type: eval
        scores: [{measure: hip_flex, column: before, side: side}]
      - name: after
        day: 1
        visit_type: follow_up
        scores: [{measure: hip_flex, column: after, side: side}]
"""


def trial(file_format: str = "csv") -> str:
    return TRIAL.replace("FORMAT", file_format)


def test_zero_beside_a_blank_score_was_never_measured(reader: Reader) -> None:
    reading = reader.files({"t.csv": HEADER + "1,1,1,40,20,5,,0\n1,2,0,41,30,0,10,0\n"}, trial())
    scores = reading.rows("measurement").select("visit_key", "measure_id", pl.col("value").cast(pl.Int64)).rows()
    assert sorted(scores) == [
        ("E1-1-start", "days", 5),
        ("E1-1-start", "score", 20),
        ("E1-2-end", "days", 0),
        ("E1-2-end", "score", 10),
        ("E1-2-start", "days", 0),
        ("E1-2-start", "score", 30),
    ]
    assert sorted(reading.rows("visit")["visit_key"]) == ["E1-1-start", "E1-2-end", "E1-2-start"]


@pytest.mark.parametrize("blank", ["", " ", "99"])
def test_a_missing_code_in_the_sibling_is_a_blank(reader: Reader, blank: str) -> None:
    """The trap again: the score says 99 for missing, the days beside it say 0. A blank of spaces is set aside."""
    reading = reader.files({"t.csv": HEADER + f"1,1,1,40,20,5,{blank},0\n"}, trial())
    assert "E1-1-end" not in reading.rows("measurement").filter("accepted", measure_id="days")["visit_key"]
    assert reading.delivery.set_aside == (blank == " ")


def test_a_bad_cell_sets_the_whole_source_row_aside(reader: Reader) -> None:
    reading = reader.files({"t.csv": HEADER + "1,1,1,40,20,5,x,0\n1,2,0,41,30,0,10,0\n"}, trial())
    assert reading.delivery.set_aside == 1
    for table in ("patient", "episode", "visit", "measurement", "source_row"):
        states = reading.rows(table).group_by("row_number").agg(pl.col("accepted").unique()).sort("row_number")
        assert states.rows() == [(1, [False]), (2, [True])], table
    assert reading.faults == [(1, "measurement.value.readable")]
    assert reading.rows("measurement").filter(pl.lit("x") == "value__text").height == 0
    assert reading.rows("measurement")["value__text"].drop_nulls().to_list() == ["x"]


def test_composite_keys_keep_the_patients_of_two_sites_apart(reader: Reader) -> None:
    reading = reader.files({"t.csv": HEADER + "1,1,1,40,20,5,10,0\n2,1,0,41,30,0,10,0\n,1,0,41,30,0,10,0\n"}, trial())
    assert reading.rows("patient").filter("accepted")["patient_key"].to_list() == ["1-1", "2-1"]
    assert {number for number, _ in reading.faults} == {3}


def test_ragged_row_is_set_aside_in_every_table(reader: Reader) -> None:
    reading = reader.files({"t.csv": HEADER + "1,1,1,40,20,5,10,0\n1,2,0\n1,3,0,41,30,0,10,0,7\n"}, trial())
    assert reading.rows("source_row")["accepted"].to_list() == [True, False, False]
    assert (reading.delivery.ingested, reading.delivery.set_aside) == (3, 2)
    assert reading.rows("measurement").filter("accepted")["row_number"].unique().to_list() == [1]


def test_parquet_feed_equals_csv_feed(reader: Reader) -> None:
    """Numbers with missing codes, blanks beside zeros and decimals mean the same in both."""
    text = HEADER + "1,1,1,40,20.25,5,,0\n1,2,0,41,99,0,10.1,0.7\n1,3,0,,30,99,99,4\n"
    folder = reader.write({"t.csv": text})
    frame = pl.read_csv(folder / "t.csv", schema_overrides={"site": pl.String, "id": pl.String, "sex": pl.String})
    assert frame.schema["s0"].is_float()
    assert frame.schema["d0"].is_integer()
    csv = reader.feed(folder, reader.profile(trial()))
    other = reader.write({})
    frame.write_parquet(other / "t.parquet")
    parquet = reader.feed(other, reader.profile(trial("parquet")))
    assert parquet.delivery.rows == csv.delivery.rows
    for table in ("patient", "episode", "visit", "measurement", "source_row"):
        plain = [frame.drop("delivery_id", "file") for frame in (csv.rows(table), parquet.rows(table))]
        assert plain[0].equals(plain[1]), table


def test_two_sides_share_a_patient_and_a_visit(reader: Reader) -> None:
    reading = reader.files(
        {"h.csv": "person,side,before,after,sex\n1,right,120,125,F\n1,left,110,115,F\n2,right,100,100,M\n"}, HIPS
    )
    assert reading.delivery.rows == {"patient": 2, "episode": 2, "visit": 4, "measurement": 6}
    assert reading.rows("measurement").group_by("side").len().sort("side").rows() == [("left", 2), ("right", 4)]


def test_every_source_row_set_aside_has_a_reason(reader: Reader) -> None:
    """The same fault on both rows of a patient is said of both."""
    reading = reader.files({"h.csv": "person,side,before,after,sex\n1,right,120,125,Q\n1,left,110,115,Q\n"}, HIPS)
    assert reading.faults == [(1, "patient.sex.allowed"), (2, "patient.sex.allowed")]


def test_a_bad_hip_leaves_the_patient_of_the_good_one(reader: Reader) -> None:
    reading = reader.files({"h.csv": "person,side,before,after,sex\n1,rigth,120,125,F\n1,left,110,115,F\n"}, HIPS)
    assert reading.rows("patient").filter("accepted").height == 1
    assert reading.rows("measurement").filter("accepted")["side"].to_list() == ["left", "left"]
    assert {number for number, _ in reading.faults} == {1}
