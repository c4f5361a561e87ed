"""Parquet deliveries: same meaning as CSV, and numbers are not bent into shape."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deliveries.conftest import Reader, Reading

SCORES = """
profile: scores
version: 1
description: Measurements
privacy_mode: safe_harbor
files:
  - {match: "*.parquet", format: parquet, tables: [{table: measurement, fields: same_names}]}
"""
PATIENTS = SCORES.replace("measurement", "patient")


def read(reader: Reader, frame: pl.DataFrame, profile: str = SCORES) -> Reading:
    folder = reader.write({})
    frame.write_parquet(folder / "t.parquet")
    return reader.feed(folder, reader.profile(profile))


def scores(values: list[Any], dtype: Any = None) -> pl.DataFrame:
    count = len(values)
    return pl.DataFrame(
        {
            "visit_key": [f"V{i}" for i in range(count)],
            "measure_id": ["ndi"] * count,
            "side": ["none"] * count,
            "active_passive": [None] * count,
            "method": [None] * count,
            "rater_key": [None] * count,
            "value": pl.Series(values, dtype=dtype),
            "unit": ["percent"] * count,
        },
        schema_overrides={"active_passive": pl.String, "method": pl.String, "rater_key": pl.String},
    )


def patients(ages: list[Any], dtype: Any = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "patient_key": [f"P{i}" for i in range(len(ages))],
            "sex": ["F"] * len(ages),
            "age_years": pl.Series(ages, dtype=dtype),
            "zip3": [None] * len(ages),
            "population": [None] * len(ages),
        },
        schema_overrides={"zip3": pl.String, "population": pl.String},
    )


def test_same_rows_as_from_csv(reader: Reader, row: Callable[..., str]) -> None:
    lines = [row(f"V{i}", value=text) for i, text in enumerate(["5", "11", "0", "", "5.5"])]
    csv = reader.scores(*lines)
    text = pl.read_csv(next((csv.folder / "raw").iterdir()), infer_schema=False)
    for frame in (text, text.with_columns(pl.col("value").cast(pl.Float64))):
        parquet = read(reader, frame)
        assert (
            parquet.rows("measurement")
            .drop("delivery_id", "file")
            .equals(csv.rows("measurement").drop("delivery_id", "file"))
        )
        assert parquet.faults == csv.faults


def test_every_tenth_survives_floating_point(reader: Reader) -> None:
    values = [tenth / 10 for tenth in range(1001)]
    reading = read(reader, scores(values))
    assert reading.rows("measurement")["value"].to_list() == [Decimal(tenth) / 10 for tenth in range(1001)]
    assert reading.delivery.set_aside == 0


def test_numbers_that_are_none_are_set_aside_alone(reader: Reader) -> None:
    reading = read(reader, scores([float("nan"), float("inf"), -float("inf"), 1e13, 1e300, 5.0, None]))
    rows = reading.rows("measurement")
    assert rows["value"].to_list() == [None] * 5 + [Decimal(5), None]
    assert rows["value__text"].null_count() == 2
    assert [check.rpartition(".")[2] for _, check in reading.faults] == ["readable"] * 5 + ["required"]


def test_decimals_are_not_cut_off_to_make_an_integer(reader: Reader) -> None:
    rows = read(reader, patients([47.0, 47.9, 3e9, float("nan"), None]), PATIENTS).rows("patient")
    assert rows["age_years"].to_list() == [47, None, None, None, None]
    assert (
        rows["age_years__text"].to_list() == [None, "47.9", "3e9", "NaN", None] or rows["age_years__text"][1] == "47.9"
    )
    assert rows["accepted"].to_list() == [True, False, False, False, True]


def test_integers_of_any_width(reader: Reader) -> None:
    for dtype in (pl.Int8, pl.UInt16, pl.Int64, pl.UInt64, pl.Decimal(10, 2)):
        rows = read(reader, patients([40, 41], dtype), PATIENTS).rows("patient")
        assert rows["age_years"].to_list() == [40, 41], dtype
    big = read(reader, patients([40, 1 << 40]), PATIENTS).rows("patient")
    assert big.select("age_years", "age_years__text").rows() == [(40, None), (None, str(1 << 40))]


def test_dates_are_identifiers_whatever_their_type(reader: Reader) -> None:
    frame = patients([40]).with_columns(population=pl.date(1961, 4, 17))
    reading = read(reader, frame, PATIENTS)
    assert reading.delivery.problem_code == "PHI_SUSPECTED"
    assert "1961" not in reading.record


def test_damaged_files_are_refused(reader: Reader) -> None:
    folder = reader.write({})
    patients([40]).write_parquet(folder / "t.parquet")
    whole = (folder / "t.parquet").read_bytes()
    for content in (
        whole[:-20],
        whole[: len(whole) // 2],
        b"PAR1",
        b"patient_key,sex\n",
        whole[:-9] + b"\xff" + whole[-8:],
    ):
        reading = reader.files({"t.parquet": content}, PATIENTS)
        assert (reading.delivery.state, reading.delivery.problem_code) == (State.REJECTED, "TRUNCATED")
    damaged = bytearray(whole)
    damaged[8:60] = b"\xff" * 52
    reading = reader.files({"t.parquet": bytes(damaged)}, PATIENTS)
    assert reading.delivery.state is State.REJECTED
    assert reading.delivery.rejected == 1


def test_refused_rows_of_a_readable_file_are_counted(reader: Reader) -> None:
    reading = read(reader, patients([40, 41, 42]).rename({"sex": "gender"}), PATIENTS)
    assert (reading.delivery.problem_code, reading.delivery.rejected) == ("SCHEMA_MISSING", 3)


def test_nested_columns_are_refused(reader: Reader) -> None:
    frame = patients([40]).with_columns(population=pl.lit(pl.Series([["x"]])))
    assert read(reader, frame, PATIENTS).delivery.state is State.REJECTED
