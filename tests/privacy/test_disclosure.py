"""Disclosure control: groups of 1 to 10 vanish, 0 and 11 stay, and nothing unchecked passes."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.privacy.disclosure import MINIMUM_GROUP, suppress


def groups(sizes: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"clinic_key": [f"c{i}" for i in range(len(sizes))], "n": sizes, "rate": [0.5] * len(sizes)},
        schema={"clinic_key": pl.String, "n": pl.Int64, "rate": pl.Float64},
    )


def test_planted_small_cells_are_suppressed_and_eleven_is_not() -> None:
    out = suppress(groups([0, 1, 10, 11, 5000]), ["n"], ["n", "rate"])
    assert out["suppressed"].to_list() == [False, True, True, False, False]
    assert out["n"].to_list() == [0, None, None, 11, 5000]
    assert out["rate"].to_list() == [0.5, None, None, 0.5, 0.5]
    assert out["clinic_key"].to_list() == ["c0", "c1", "c2", "c3", "c4"]


def test_threshold_is_the_policy() -> None:
    assert MINIMUM_GROUP == 11


def test_any_of_several_sizes_suppresses_the_row() -> None:
    frame = pl.DataFrame({"n": [0, 20, 20], "eligible": [7, 20, 25]})
    out = suppress(frame, ["n", "eligible"], ["n", "eligible"])
    assert out["suppressed"].to_list() == [True, False, False]
    assert out["eligible"].to_list() == [None, 20, 25]


def test_a_small_part_hides_only_what_rests_on_it() -> None:
    frame = pl.DataFrame({"n": [40, 40, 5], "part": [10, 0, 3], "part_rate": [0.1, None, 0.2], "mean": [3.0, 3.0, 3.0]})
    out = suppress(frame, ["n"], ["n", "part", "part_rate", "mean"], {"part": ["part", "part_rate"]})
    assert out["suppressed"].to_list() == [False, False, True]
    assert out["part"].to_list() == [None, 0, None]
    assert out["part_rate"].to_list() == [None, None, None]
    assert out["mean"].to_list() == [3.0, 3.0, None]


def test_empty_frame_stays_empty_with_its_columns() -> None:
    out = suppress(groups([]), ["n"], ["n", "rate"])
    assert out.schema == {"clinic_key": pl.String, "n": pl.Int64, "rate": pl.Float64, "suppressed": pl.Boolean}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pl.DataFrame({"rate": [0.5]}), "no column n"),
        (pl.DataFrame({"n": [11]}), "no column rate"),
        (pl.DataFrame({"n": [11.0], "rate": [0.5]}), "whole number"),
        (pl.DataFrame({"n": ["11"], "rate": [0.5]}), "whole number"),
        (pl.DataFrame({"n": [11, None], "rate": [0.5, 0.5]}), "null or a negative"),
        (pl.DataFrame({"n": [-3], "rate": [0.5]}), "null or a negative"),
        (pl.DataFrame({"n": [11], "rate": [0.5], "suppressed": [False]}), "before"),
    ],
)
def test_wrong_input_is_refused(frame: pl.DataFrame, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        suppress(frame, ["n"], ["n", "rate"])


@given(st.lists(st.integers(0, 60)))
def test_no_size_of_one_to_ten_leaves(sizes: list[int]) -> None:
    out = suppress(groups(sizes), ["n"], ["n", "rate"])
    assert not [n for n in out["n"].drop_nulls() if 0 < n < MINIMUM_GROUP]
    assert out["suppressed"].to_list() == [0 < n < MINIMUM_GROUP for n in sizes]
    assert out.filter("suppressed")["rate"].null_count() == out["suppressed"].sum()
