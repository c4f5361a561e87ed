"""Parquet: what is not text becomes exact text, what cannot is refused, and the footer is asked first."""

from __future__ import annotations

import datetime as dt
import io
import math
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.deliveries.limits import Limits

if TYPE_CHECKING:
    from tests.deliveries.formats.conftest import Opener


def parquet(**columns: Any) -> bytes:
    held = io.BytesIO()
    pl.DataFrame({name: pl.Series(values) for name, values in columns.items()}).write_parquet(held)
    return held.getvalue()


def column(opener: Opener, values: pl.Series) -> list[Any]:
    return opener.frame(parquet(x=values), "t.parquet", format="parquet")["x"].to_list()


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pl.Series([True, False, None]), ["true", "false", None]),
        (pl.Series(["a", None, "a"], dtype=pl.Categorical), ["a", None, "a"]),
        (pl.Series(["b"], dtype=pl.Enum(["a", "b"])), ["b"]),
        (pl.Series([dt.date(2024, 2, 29), None]), ["2024-02-29", None]),
        (pl.Series([dt.datetime(2024, 2, 29, 14, 30)]), ["2024-02-29T14:30:00"]),  # noqa: DTZ001 as stored
        (pl.Series([dt.datetime(2024, 2, 29)]), ["2024-02-29T00:00:00"]),  # noqa: DTZ001
        (pl.Series([dt.time(14, 30)]), ["14:30:00"]),
        (pl.Series([None, None]), [None, None]),
        (pl.Series(["", " ", "007"]), ["", " ", "007"]),
    ],
)
def test_what_is_not_text_becomes_text(opener: Opener, values: pl.Series, texts: list[str | None]) -> None:
    assert column(opener, values) == texts


def test_moments_show_the_day_of_their_own_clock(opener: Opener) -> None:
    late = dt.datetime(2024, 3, 5, 7, 30, tzinfo=dt.UTC)
    values = pl.Series([late]).dt.convert_time_zone("America/Los_Angeles")
    assert column(opener, values) == ["2024-03-04T23:30:00-08:00"]


def test_numbers_stay_numbers(opener: Opener) -> None:
    table = opener.table(parquet(a=[1, 2], b=[0.5, math.nan], c=["x", "y"]), "t.parquet", format="parquet")
    assert table.numeric == {"a", "b"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pl.Series([["canary"]]), "lists"),
        (pl.Series([{"name": "canary"}]), "structures"),
        (pl.Series([b"canary"]), "bytes"),
        (pl.Series([dt.timedelta(days=1)]), "neither text nor number nor date"),
    ],
)
def test_nested_columns_are_refused_unless_ignored(opener: Opener, values: pl.Series, said: str) -> None:
    content = parquet(key=["a"], extra=values)
    found = opener.problem(content, "t.parquet", format="parquet")
    assert (found.code, found.where) == ("SCHEMA_TYPE", "t.parquet, column 'extra'")
    assert said in found.what
    assert "canary" not in str(found)
    assert opener.frame(content, "t.parquet", format="parquet", ignored=("extra",)).rows() == [("a", None, False)]


def test_a_text_too_long_to_belong_makes_a_row_malformed(opener: Opener) -> None:
    content = parquet(key=["a", "b" * 5000, None, "c"])
    assert opener.frame(content, "t.parquet", format="parquet")["structure"].to_list() == [False, True, False, False]


def test_names_of_ours_are_refused_unless_ignored(opener: Opener) -> None:
    for name, source, content in (
        ("t.parquet", "parquet", parquet(key=["a"], row_number=["x"], structure=["y"])),
        ("t.csv", "csv", b"key,row_number,structure\na,x,y\n"),
    ):
        found = opener.problem(content, name, format=source)
        assert (found.code, "'row_number'" in found.what) == ("HEADER", True)
        table = opener.table(content, name, format=source, ignored=("row_number", "structure"))
        assert table.header == ("key", "row_number", "structure")
        assert table.rows.select("key", "row_number", "structure").collect().rows() == [("a", 1, False)]


def test_names_with_wildcards_and_partitions_are_names(opener: Opener) -> None:
    folder = opener.folder / "year=2024"
    folder.mkdir()
    path = folder / "[t]*.parquet"
    path.write_bytes(parquet(key=["a"]))
    table = opener.table(path, "t.parquet", format="parquet")
    assert (table.header, table.rows.collect().height) == (("key",), 1)


def test_the_footer_is_asked_first(opener: Opener) -> None:
    content = parquet(key=["a"] * 1000, other=list(range(1000)))
    for limits, code in (
        (Limits(rows=999), "TOO_MANY_ROWS"),
        (Limits(columns=1), "TOO_MANY_COLUMNS"),
        (Limits(unpacked_bytes=100), "TOO_LARGE"),
        (Limits(ratio=0, ratio_bytes=100), "COMPRESSION"),
    ):
        assert opener.problem(content, "t.parquet", limits, format="parquet").code == code


def test_what_is_no_parquet_file_is_refused(opener: Opener) -> None:
    whole = parquet(key=["canary"])
    for content in (whole[:-5], whole[:20], b"key,value\n1,2\n", b"PAR1PAR1", whole[:4] + whole[-8:]):
        assert opener.problem(content, "t.parquet", format="parquet").code == "TRUNCATED"
    assert opener.problem(b"", "t.parquet", format="parquet").code == "EMPTY"
