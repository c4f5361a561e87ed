"""One delivery sent in different formats becomes the same rows, and a bad one is refused with its rows counted."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pyreadstat
import pytest

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.deliveries.conftest import Reader

PROFILE = """
profile: scores
version: 1
description: Measurements only
privacy_mode: safe_harbor
files:
  - {{match: "scores.*", {source}, tables: [{{table: measurement, fields: same_names}}]}}
"""
VALUES = ("5", "11", "", "5.5", "0.1")


@pytest.fixture
def csv(header: str, row: Callable[..., str]) -> str:
    return "".join(f"{line}\n" for line in (header, *(row(f"V{i}", value=value) for i, value in enumerate(VALUES))))


def frame(csv: str) -> pl.DataFrame:
    return pl.read_csv(csv.encode(), schema_overrides={"value": pl.Float64})


def utf16(csv: str, _: Path) -> bytes:
    return gzip.compress(csv.replace(",", ";").replace("\n", "\r\n").encode("utf-16"))


def zipped(csv: str, _: Path) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("scores.csv", csv)
    return held.getvalue()


def excel(csv: str, _: Path) -> bytes:
    book = openpyxl.Workbook()
    for line in (frame(csv).columns, *frame(csv).rows()):
        book.active.append(list(line))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def parquet(csv: str, folder: Path) -> bytes:
    frame(csv).write_parquet(folder / "written")
    return (folder / "written").read_bytes()


def spss(csv: str, folder: Path) -> bytes:
    pyreadstat.write_sav(frame(csv).to_pandas(), str(folder / "written"))
    return (folder / "written").read_bytes()


def stata(csv: str, folder: Path) -> bytes:
    pyreadstat.write_dta(frame(csv).to_pandas(), str(folder / "written"))
    return (folder / "written").read_bytes()


@pytest.mark.parametrize(
    ("name", "source", "written"),
    [
        ("scores.csv.gz", "encoding: utf-16, delimiter: ';'", utf16),
        ("scores.csv.zip", "format: csv", zipped),
        ("scores.xlsx", "format: excel", excel),
        ("scores.parquet", "format: parquet", parquet),
        ("scores.sav", "format: spss", spss),
        ("scores.dta", "format: stata", stata),
    ],
)
def test_the_same_rows(
    reader: Reader, csv: str, tmp_path: Path, name: str, source: str, written: Callable[[str, Path], bytes]
) -> None:
    sent = reader.files({"scores.csv": csv}, PROFILE.format(source="format: csv"))
    other = reader.files({name: written(csv, tmp_path)}, PROFILE.format(source=source))
    assert sent.delivery.state is other.delivery.state is State.TYPED
    own = ("delivery_id", "file")
    assert other.rows("measurement").drop(own).equals(sent.rows("measurement").drop(own))
    assert other.faults == sent.faults
    assert not [path for path in other.folder.rglob("*") if "scratch" in path.name]


@pytest.mark.parametrize(
    ("name", "source", "written"),
    [
        ("scores.csv.zip", "format: csv", zipped),
        ("scores.xlsx", "format: excel", excel),
        ("scores.sav", "format: spss", spss),
    ],
)
def test_rows_of_a_refused_file_are_counted(
    reader: Reader, csv: str, tmp_path: Path, name: str, source: str, written: Callable[[str, Path], bytes]
) -> None:
    content = written(csv.replace("unit", "units"), tmp_path)
    delivery = reader.files({name: content}, PROFILE.format(source=source)).delivery
    assert (delivery.state, delivery.problem_code, delivery.rejected) == (State.REJECTED, "SCHEMA_MISSING", 5)
    delivery = reader.files({name: content[: len(content) // 2]}, PROFILE.format(source=source)).delivery
    assert (delivery.state, delivery.problem_code, delivery.rejected) == (State.REJECTED, "TRUNCATED", 0)
