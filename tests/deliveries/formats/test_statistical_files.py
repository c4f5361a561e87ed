"""SPSS and Stata: values as exact text, codes of missing values kept, dates as dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from assets.deliveries.formats import statistical
from assets.deliveries.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.formats.conftest import Opener

FRAME = pd.DataFrame(
    {
        "key": ["a", "b\u00e9", ""],
        "whole": [1.0, 9.0, None],
        "part": [0.1, 1e-7, 123456789012345680.0],
        "day": [dt.date(2024, 2, 29), None, dt.date(1900, 1, 1)],
        "moment": pd.to_datetime(["2024-02-29 14:30:00", None, "2024-02-29 00:00:00"]),
    }
)
ROWS = [
    ("a", "1", "0.1", "2024-02-29", "2024-02-29T14:30:00", False),
    ("b\u00e9", "9", "0.0000001", None, None, False),
    (None, None, "123456789012345680", "1900-01-01", "2024-02-29T00:00:00", False),
]


def sav(folder: Path, frame: pd.DataFrame = FRAME, name: str = "t.sav", **options: Any) -> bytes:
    path = folder / f"written-{name}"
    pyreadstat.write_sav(frame, str(path), **options)
    return path.read_bytes()


def dta(folder: Path, frame: pd.DataFrame = FRAME, **options: Any) -> bytes:
    path = folder / "written.dta"
    pyreadstat.write_dta(frame, str(path), **options)
    return path.read_bytes()


def read(opener: Opener, content: bytes, kind: str = "spss") -> list[tuple[Any, ...]]:
    return opener.frame(content, "t.sav" if kind == "spss" else "t.dta", format=kind).rows()


@pytest.mark.parametrize("cells", [1, 12, 1 << 21])
def test_values_become_exact_text(opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(statistical, "_PART_CELLS", cells)
    assert read(opener, sav(tmp_path)) == ROWS
    assert read(opener, sav(tmp_path, name="t.zsav", compress=True)) == ROWS
    assert read(opener, sav(tmp_path, row_compress=True)) == ROWS
    assert read(opener, dta(tmp_path), "stata") == ROWS
    for version in (8, 10, 12, 13, 14, 15):
        frame = FRAME.assign(key=["a", "b", ""])
        assert read(opener, dta(tmp_path, frame, version=version), "stata")[0] == ROWS[0]


def test_missing_values_that_the_file_declares_keep_their_code(opener: Opener, tmp_path: Path) -> None:
    frame = pd.DataFrame({"score": [5.0, 9.0, 97.0, None]})
    content = sav(tmp_path, frame, missing_ranges={"score": [9, {"lo": 90, "hi": 99}]})
    assert [row[0] for row in read(opener, content)] == ["5", "9", "97", None]
    content = dta(tmp_path, pd.DataFrame({"score": [1, "a", "z"]}), missing_user_values={"score": ["a", "z"]})
    assert [row[0] for row in read(opener, content, "stata")] == ["1", ".a", ".z"]


def test_labels_are_not_applied(opener: Opener, tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0]})
    content = sav(tmp_path, frame, variable_value_labels={"sex": {1: "canary", 2: "F"}})
    assert [row[0] for row in read(opener, content)] == ["1", "2"]


def test_times_of_day(opener: Opener, tmp_path: Path) -> None:
    frame = pd.DataFrame({"time": [dt.time(14, 30), dt.time(0, 0), None]})
    assert [row[0] for row in read(opener, sav(tmp_path, frame))] == ["14:30:00", "00:00:00", None]


def test_numbers_of_single_precision_have_their_own_digits(opener: Opener, tmp_path: Path) -> None:
    path = tmp_path / "single.dta"
    frame = pd.DataFrame({"score": np.array([3.3, 16777216, np.nan], dtype="float32")})
    frame.to_stata(path, write_index=False)
    assert [row[0] for row in read(opener, path.read_bytes(), "stata")] == ["3.3", "16777216", None]


def test_dates_before_or_after_all_dates_stay_numbers(opener: Opener, tmp_path: Path) -> None:
    content = sav(tmp_path, pd.DataFrame({"day": [1e300, -1e12, 13928544000.0]}), variable_format={"day": "DATE11"})
    days = [row[0] for row in read(opener, content)]
    assert days[1:] == ["-1000000000000", "2024-02-29"]
    assert days[0].startswith("1000")


def test_a_text_too_long_to_belong_makes_a_row_malformed(opener: Opener, tmp_path: Path) -> None:
    frame = pd.DataFrame({"key": ["a", "b" * 5000]})
    assert [row[1] for row in read(opener, sav(tmp_path, frame))] == [False, True]


def test_texts_of_another_encoding_are_refused_with_what_to_declare(opener: Opener, tmp_path: Path) -> None:
    content = sav(tmp_path, pd.DataFrame({"key": ["Caf\u00e9 Canary"]}))
    old = content.replace("\u00e9 Canary".encode(), "\u00e9 Canary ".encode("cp1252"))
    found = opener.problem(old, "t.sav", format="spss")
    assert (found.code, "Declare encoding: cp1252" in found.remedy) == ("ENCODING", True)
    assert "Canary" not in str(found)
    frame = opener.frame(old, "t.sav", format="spss", encoding="cp1252")
    assert frame["key"].to_list() == ["Caf\u00e9 Canary"]


def test_limits(opener: Opener, tmp_path: Path) -> None:
    for content, name, kind in ((sav(tmp_path), "t.sav", "spss"), (dta(tmp_path), "t.dta", "stata")):
        assert opener.problem(content, name, Limits(rows=2), format=kind).code == "TOO_MANY_ROWS"
        assert opener.problem(content, name, Limits(columns=2), format=kind).code == "TOO_MANY_COLUMNS"


def test_what_is_no_whole_file_is_refused(opener: Opener, tmp_path: Path) -> None:
    spss, stata = sav(tmp_path), dta(tmp_path)
    for content, kind, code in (
        (b"key,value\n1,2\n", "spss", "FORMAT"),
        (stata, "spss", "FORMAT"),
        (spss, "stata", "FORMAT"),
        (spss[: len(spss) // 2], "spss", "TRUNCATED"),
        (spss[:-3], "spss", "TRUNCATED"),
        (stata[: len(stata) // 2], "stata", "TRUNCATED"),
    ):
        assert opener.problem(content, "t.sav", format=kind).code == code
